/* The media loops from outside: orders in, events out, an orderly end. */
#include "app/net/media_hls.h"

#include "app/net/media_int.h"
#include "test/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_EVENTS 16

static uv_loop_t loop;
static struct media_net *net;
static bool closed;
static struct {
    enum platform_media_kind kind;
    uint64_t session;
    int err;
    char text[128];
} seen[N_EVENTS];
static unsigned n_seen;

static void on_event(void *ctx, const struct platform_media_event *ev)
{
    (void)ctx;
    assert_true(n_seen < N_EVENTS);
    seen[n_seen].kind = ev->kind;
    seen[n_seen].session = ev->session;
    seen[n_seen].err = ev->err;
    slice_copy(seen[n_seen].text, sizeof(seen[n_seen].text),
               slice_str(ev->text));
    n_seen++;
}

static void on_closed(void *ctx)
{
    (void)ctx;
    closed = true;
}

static void how_many_loops(void **state)
{
    (void)state;
    assert_int_equal(media_net_loops(0, 1), 1);
    assert_int_equal(media_net_loops(0, 2), 1);
    assert_int_equal(media_net_loops(0, 8), 7);
    assert_int_equal(media_net_loops(3, 8), 3);
    assert_int_equal(media_net_loops(0, 0), 1);
    assert_int_equal(media_net_loops(0, 256), MEDIA_MAX_LOOPS);
    assert_int_equal(media_net_loops(MEDIA_MAX_LOOPS, 2), MEDIA_MAX_LOOPS);
}

static void begin(unsigned loops)
{
    struct media_net_config cfg = { .main = &loop, .loops = loops,
                                    .on_event = on_event };

    n_seen = 0;
    closed = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(media_net_new(&net, &cfg, NULL), 0);
}

static void finish(void)
{
    media_net_close(net, on_closed, NULL);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void order(enum platform_action_kind kind, uint64_t session,
                  unsigned on, uint16_t port)
{
    struct platform_action a = { .kind = kind, .session = session,
                                 .loop = on, .port = port,
                                 .transport = PLATFORM_UDP };

    assert_int_equal(gb_addr_parse_ip(&a.remote, SLICE("127.0.0.1")), 0);
    media_net_order(net, &a, NULL);
}

static void expect(unsigned n)
{
    while (n_seen < n)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(n_seen, n);
}

/* A port pair that is free: what another process has is asked for again. */
static uint16_t open_session(uint64_t session, unsigned on)
{
    for (unsigned i = 0; i < 200; i++) {
        uint16_t port = test_port(i);

        n_seen = 0;
        order(PLATFORM_DO_OPEN, session, on, port);
        expect(1);
        if (seen[0].kind == PLATFORM_MEDIA_OPENED)
            return port;
        assert_int_equal(seen[0].kind, PLATFORM_MEDIA_REFUSED);
        assert_int_equal(seen[0].err, UV_EADDRINUSE);
    }
    fail_msg("no port is free");
    return 0;
}

static void opened_and_closed(void **state)
{
    (void)state;
    begin(2);
    for (unsigned i = 0; i < 2; i++) {
        open_session(7 + i, i);
        assert_true(seen[0].session == 7 + i);
        order(PLATFORM_DO_CLOSE, 7 + i, i, 0);
        expect(2);
        assert_int_equal(seen[1].kind, PLATFORM_MEDIA_CLOSED);
        assert_true(seen[1].session == 7 + i);
    }
    order(PLATFORM_DO_CLOSE, 99, 0, 0); /* none such: over already */
    expect(3);
    assert_int_equal(seen[2].kind, PLATFORM_MEDIA_CLOSED);
    finish();
}

/* The second order is refused for what it is, and ends nothing. */
static void opened_twice(void **state)
{
    struct media_net_counters c;
    uint16_t port;

    (void)state;
    begin(1);
    port = open_session(7, 0);
    order(PLATFORM_DO_OPEN, 7, 0, port);
    expect(2);
    assert_int_equal(seen[1].kind, PLATFORM_MEDIA_REFUSED);
    assert_int_equal(seen[1].err, GB_EEXIST);
    assert_null(strstr(seen[1].text, "memory"));
    order(PLATFORM_DO_CLOSE, 7, 0, 0);
    expect(3);
    assert_int_equal(seen[2].kind, PLATFORM_MEDIA_CLOSED);
    media_net_counters(net, &c);
    assert_int_equal(c.viewers, 0);
    finish();
}

static unsigned n_fds(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

/* Two streams never share a port: whoever has it, has it alone. When its session
 * is over it is free again, and nothing is left open. */
static void note_16_1_a_port_is_of_one_session(void **state)
{
    unsigned before;
    uint16_t port;

    (void)state;
    begin(2);
    port = open_session(6, 0);
    order(PLATFORM_DO_CLOSE, 6, 0, 0);
    expect(2);
    before = n_fds();
    for (unsigned i = 0; i < 20; i++) { /* what another process takes meanwhile */
        port = open_session(7, 0);
        assert_true(n_fds() > before);
        order(PLATFORM_DO_OPEN, 8, 1, port);
        expect(2);
        assert_int_equal(seen[1].kind, PLATFORM_MEDIA_REFUSED);
        assert_int_equal(seen[1].err, UV_EADDRINUSE);
        order(PLATFORM_DO_CLOSE, 7, 0, 0);
        expect(3);
        assert_int_equal(seen[2].kind, PLATFORM_MEDIA_CLOSED);
        for (unsigned w = 0; n_fds() > before && w < 2000; w++)
            uv_sleep(1); /* the other loop closes what it had opened of 8 */
        assert_true(n_fds() <= before); /* 16.3 */
    }
    finish();
}

static struct media_hls_ask *answer;

static void on_hls(void *ctx, struct media_hls_ask *a)
{
    (void)ctx;
    assert_null(answer);
    answer = a;
}

static void ask_hls(uint64_t session, unsigned on, enum media_hls_what what)
{
    struct media_hls_ask *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->session = session;
    a->what = what;
    a->utc_ms = 1000;
    a->on_done = on_hls;
    if (!media_hls_ask(net, on, a)) {
        assert_int_equal(on, 9); /* no such loop: it is still ours */
        media_hls_ask_free(a);
    }
}

static void expect_hls(int err)
{
    while (!answer)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(answer->err, err);
    assert_null(answer->part);
    media_hls_ask_free(answer);
    answer = NULL;
}

/* Every question is answered once: where there is no session, none any more, or
 * the loop ends. */
static void hls_questions(void **state)
{
    (void)state;
    begin(2);
    ask_hls(7, 9, MEDIA_HLS_PLAYLIST);
    ask_hls(7, 1, MEDIA_HLS_PLAYLIST);
    expect_hls(GB_ENOENT);
    open_session(7, 1);
    ask_hls(7, 0, MEDIA_HLS_PLAYLIST); /* it is on another loop */
    expect_hls(GB_ENOENT);
    ask_hls(7, 1, MEDIA_HLS_SEGMENT);
    expect_hls(GB_ENOENT);
    ask_hls(7, 1, MEDIA_HLS_PLAYLIST);
    ask_hls(7, 1, MEDIA_HLS_INIT); /* behind it, and the other still waits */
    expect_hls(GB_ENOENT);
    order(PLATFORM_DO_CLOSE, 7, 1, 0);
    media_net_forget(net, 7, 1);
    expect_hls(GB_ENOENT);
    open_session(8, 0);
    ask_hls(8, 0, MEDIA_HLS_PLAYLIST);
    finish();
    expect_hls(GB_ENOENT);
}

static void send_rtp(int fd, uint16_t port, uint16_t seq)
{
    const uint8_t p[28] = { 0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq,
                            [11] = 100, [14] = 1, [15] = 0xba, [16] = 0x44 };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    (void)!sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to));
}

/* A port of its own is looked at once more: a device that still sends there is
 * told, once, and nothing stays open. */
static void it_goes_on_after_the_end(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    uint16_t port, seq = 0;

    (void)state;
    begin(1);
    port = open_session(7, 0);
    while (n_seen < 2) {
        send_rtp(fd, port, seq++);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(seen[1].kind, PLATFORM_MEDIA_PACKET);
    order(PLATFORM_DO_CLOSE, 7, 0, 0);
    media_net_forget(net, 7, 0);
    while (seen[n_seen - 1].kind != PLATFORM_MEDIA_AFTER) {
        send_rtp(fd, port, seq++);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(10000);
    }
    assert_int_equal(seen[n_seen - 2].kind, PLATFORM_MEDIA_CLOSED);
    assert_true(seen[n_seen - 1].session == 7);
    for (unsigned i = 0; i < 20; i++) { /* the loop shall see some of them */
        send_rtp(fd, port, seq++);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(seen[n_seen - 1].kind, PLATFORM_MEDIA_AFTER);
    port = open_session(8, 0); /* it ends while one is to be looked at */
    while (n_seen < 2) {
        send_rtp(fd, port, seq++);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    order(PLATFORM_DO_CLOSE, 8, 0, 0);
    while (seen[n_seen - 1].kind != PLATFORM_MEDIA_CLOSED)
        uv_run(&loop, UV_RUN_ONCE);
    finish();
    close(fd);
}

/* With sessions open. */
static void ends_in_the_middle(void **state)
{
    (void)state;
    begin(2);
    open_session(7, 0);
    open_session(8, 1);
    finish();
}

static void no_delivery(struct mail *m)
{
    (void)m;
}

/* Parameter sets that go with orders and events: nobody holds them longer than
 * what they go with, be it taken, delivered or lost. */
static void sets_are_given_back(void **state)
{
    static struct mail full[MAILBOX_MAX];
    const struct media_config c = { .codec = PS_CODEC_H264, .n_param = 1,
                                    .n_sps = 1,
                                    .param = { SLICE("\x67\x42") } };
    struct platform_action a = { .kind = PLATFORM_DO_OPEN, .session = 7,
                                 .transport = PLATFORM_UDP, .loop = 5 };
    struct platform_media_event ev = { .session = 7 };
    struct failing_alloc mem;

    (void)state;
    failing_alloc_init(&mem, 0);
    begin(1);
    a.sets = ev.sets = kept_sets_new(&mem.alloc, &c);
    assert_non_null(a.sets);
    media_net_order(net, &a, NULL); /* there is no such loop */
    a.loop = 0;
    media_net_order(net, &a, NULL); /* nor a port 0 */
    expect(2);
    ev.kind = PLATFORM_MEDIA_KEY;
    media_net_event(net, &ev);
    for (size_t i = 0; i < MAILBOX_MAX; i++) {
        full[i].deliver = no_delivery;
        mailbox_send(&net->main_box, &full[i], false);
    }
    ev.kind = PLATFORM_MEDIA_ALIVE; /* may be lost, and is */
    media_net_event(net, &ev);
    kept_sets_unref(a.sets);
    assert_int_equal(mem.live, 1);
    expect(3);
    finish();
    assert_int_equal(n_seen, 3);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many_loops),
        cmocka_unit_test(opened_and_closed),
        cmocka_unit_test(opened_twice),
        cmocka_unit_test(note_16_1_a_port_is_of_one_session),
        cmocka_unit_test(hls_questions),
        cmocka_unit_test(it_goes_on_after_the_end),
        cmocka_unit_test(ends_in_the_middle),
        cmocka_unit_test(sets_are_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
