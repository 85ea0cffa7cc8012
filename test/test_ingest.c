/* Whose TCP connection becomes the stream. */
#include "test/ingest_world.h"

#define MEDIA "127.0.0.5" /* named by c= of the answer */

static void open_passive(bool any_source)
{
    open_ingest(PLATFORM_TCP_PASSIVE, any_source, false);
}

static int connect_from(const char *ip)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, ip, &from.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET, DEVICE, &to.sin_addr), 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    turn(0);
    return fd;
}

/* n packets of this SSRC, each a pack header, framed by RFC 4571. */
static void send_packets(int fd, uint32_t ssrc, unsigned n)
{
    static uint16_t seq;

    for (unsigned i = 0; i < n; i++) {
        uint8_t b[2 + 12 + 14] = { 0, 26, 0x80, 96 };

        b[4] = (uint8_t)(++seq >> 8);
        b[5] = (uint8_t)seq;
        for (unsigned k = 0; k < 4; k++)
            b[10 + k] = (uint8_t)(ssrc >> (24 - 8 * k));
        memcpy(b + 14, "\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8", 14);
        assert_int_equal(send(fd, b, sizeof(b), MSG_NOSIGNAL), sizeof(b));
    }
    turn(0);
}

static bool is_closed(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

/* Whose packets are counted, and from where they are said to come. */
static void expect_source(const char *ip, uint64_t packets)
{
    struct platform_media_event ev = { 0 };
    struct gb_addr want = address(ip, 0);

    ingest_fill(in, &ev);
    assert_int_equal(ev.packets, packets);
    if (!gb_addr_ip_eq(&ev.from, &want)) {
        char text[GB_ADDR_TEXT_MAX];

        fail_msg("media of %s, not of %s", gb_addr_text(&ev.from, text), ip);
    }
}

static void answer(const char *media)
{
    struct platform_action a = { .kind = PLATFORM_DO_ANSWER, .ssrc = SSRC };

    if (media)
        a.remote = address(media, 15060);
    ingest_answer(in, &a);
}

/* A stranger that comes first, or between the device's connection and its
 * first packet, gets nothing. */
static void stranger_against_device(void **state)
{
    int early, late, device;

    (void)state;
    open_passive(false);
    answer(NULL);
    early = connect_from(STRANGER);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    send_packets(early, 7, 3);
    device = connect_from(DEVICE);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    late = connect_from(STRANGER);
    send_packets(late, SSRC, 9);
    turn(0);
    send_packets(device, SSRC, 2);
    expect_source(DEVICE, 2);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    send_packets(device, SSRC, 1);
    expect_source(DEVICE, 3);
    assert_false(is_closed(device));
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    close(early);
    close(late);
    close(device);
    close_ingest();
}

/* The address of c= is as good as that of the registration, also when the
 * connection was there before the answer. */
static void named_by_the_answer(void **state)
{
    int device;

    (void)state;
    open_passive(false);
    device = connect_from(MEDIA);
    send_packets(device, SSRC, 2);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    answer(MEDIA);
    turn(0);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    expect_source(MEDIA, 2);
    close(device);
    close_ingest();
}

/* From elsewhere: with the agreed SSRC, when nothing else comes, and later;
 * the device itself drives it out. */
static void media_from_elsewhere(void **state)
{
    int wrong, other, device;

    (void)state;
    open_passive(false);
    answer(MEDIA);
    wrong = connect_from(STRANGER);
    send_packets(wrong, 7, 2);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    other = connect_from("127.0.0.10");
    send_packets(other, SSRC, 2);
    assert_true(is_closed(wrong));
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    expect_source("127.0.0.10", 2);
    device = connect_from(DEVICE);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 2);
    assert_true(is_closed(other));
    close(wrong);
    close(other);
    close(device);
    close_ingest();
}

static void any_source(void **state)
{
    int fd;

    (void)state;
    open_passive(true);
    answer(MEDIA);
    fd = connect_from(STRANGER);
    send_packets(fd, SSRC, 2);
    expect_source(STRANGER, 2);
    close(fd);
    close_ingest();
}

/* Every buffer is held by somebody: datagrams are read and dropped, the loop
 * does not spin, and goes on as soon as there are buffers. */
static void no_buffers(void **state)
{
    static struct slab *taken[SLAB_POOL_MAX];
    uint8_t b[12 + 14] = { 0x80, 96, 0, 1 };
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct sockaddr_in from = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    open_passive(false);
    answer(NULL);
    to.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, DEVICE, &to.sin_addr), 1);
    from.sin_addr = to.sin_addr;
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    for (unsigned k = 0; k < 4; k++)
        b[8 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    memcpy(b + 12, "\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8", 14);
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_non_null(taken[i] = slab_get(&pool.slabs));
    assert_null(slab_get(&pool.slabs));
    for (unsigned i = 0; i < 40; i++, b[3]++)
        assert_int_equal(send(fd, b, sizeof(b), 0), sizeof(b));
    turn(0);
    assert_int_equal(pool.dropped, 40);
    assert_int_equal(said[PLATFORM_MEDIA_PACKET], 0);
    for (size_t i = 0; i < COUNT(taken); i++)
        slab_unref(taken[i]);
    assert_int_equal(send(fd, b, sizeof(b), 0), sizeof(b));
    turn(0);
    assert_int_equal(said[PLATFORM_MEDIA_PACKET], 1);
    expect_source(DEVICE, 1);
    close(fd);
    close_ingest();
}

/* A loop that comes too late: what the kernel dropped meanwhile is counted. */
static void note_8_14_kernel_drops_are_counted(void **state)
{
    uint8_t b[1400] = { 0x80, 18 }; /* G.729: nobody keeps it */
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct receiver_counters c = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

    (void)state;
    if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on))) {
        close(fd);
        skip(); /* an emulator has no such option */
    }
    open_passive(true);
    answer(NULL);
    to.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, DEVICE, &to.sin_addr), 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    for (unsigned k = 0; k < 4; k++)
        b[8 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    for (unsigned i = 0; i < 2 * INGEST_RCVBUF / 512; i++) {
        b[2] = (uint8_t)(i >> 8);
        b[3] = (uint8_t)i;
        send(fd, b, sizeof(b), 0);
    }
    turn(0); /* room for another one, which tells of those that had none */
    assert_int_equal(send(fd, b, sizeof(b), 0), sizeof(b));
    for (unsigned i = 0; i < 1000 && !c.kernel_drops; i++) {
        turn(0);
        ingest_counters(in, &c);
    }
    assert_int_not_equal(c.packets, 0);
    assert_int_not_equal(c.kernel_drops, 0);
    close(fd);
    close_ingest();
}

/* A packet of a pack header, in two halves. */
static void send_halves(int fd, uint16_t seq)
{
    uint8_t b[2 + 12 + 14] = { 0, 26, 0x80, 96, (uint8_t)(seq >> 8),
                               (uint8_t)seq };

    for (unsigned k = 0; k < 4; k++)
        b[10 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    memcpy(b + 14, "\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8", 14);
    assert_int_equal(send(fd, b, 9, MSG_NOSIGNAL), 9);
    turn(0);
    assert_int_equal(send(fd, b + 9, sizeof(b) - 9, MSG_NOSIGNAL),
                     sizeof(b) - 9);
    turn(0);
}

/* A connection has a slab while it reads; what it has of a packet by then is
 * kept without one. Where slabs are few it keeps the one that it has. */
static void a_slab_for_all_connections(void **state)
{
    static struct slab *taken[SLAB_POOL_MAX / 2];
    struct receiver_counters c;
    uint16_t seq = 1000;
    int fd;

    (void)state;
    open_passive(false);
    answer(NULL);
    fd = connect_from(DEVICE);
    for (; seq < 1005; seq++) {
        send_halves(fd, seq);
        assert_int_equal(pool.slabs.n_live, 0);
    }
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_non_null(taken[i] = slab_get(&pool.slabs));
    for (; seq < 1010; seq++) {
        send_halves(fd, seq);
        assert_int_equal(pool.slabs.n_live, COUNT(taken) + 1);
    }
    for (size_t i = 0; i < COUNT(taken); i++)
        slab_unref(taken[i]);
    send_halves(fd, seq);
    assert_int_equal(pool.slabs.n_live, 0);
    ingest_counters(in, &c);
    assert_int_equal(c.packets, 11);
    assert_int_equal(c.invalid + c.lost, 0);
    close(fd);
    close_ingest();
}

/* What fills a slab by one read gets larger ones, for as long as that goes on. */
static void large_slabs_for_who_fills_them(void **state)
{
    enum { FRAME = 2 + 12 + 1400, FRAMES = 150 };
    static uint8_t b[FRAMES * FRAME];
    struct receiver_counters c;
    int fd, large = 1 << 20;

    (void)state;
    open_passive(false);
    answer(NULL);
    fd = connect_from(DEVICE);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t *p = b + i * FRAME;

        p[0] = (FRAME - 2) >> 8;
        p[1] = (FRAME - 2) & 255;
        p[2] = 0x80;
        p[3] = 18; /* G.729: nobody keeps it */
        p[5] = (uint8_t)i;
        for (unsigned k = 0; k < 4; k++)
            p[10 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    }
    send_halves(fd, 65535);
    assert_int_equal(pool.large.n_free, 0);
    for (size_t at = 0; at < sizeof(b);) {
        ssize_t n = send(fd, b + at, sizeof(b) - at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        at += n > 0 ? (size_t)n : 0;
        if (at == sizeof(b) || n <= 0)
            turn(0);
    }
    turn(0);
    assert_int_not_equal(pool.large.n_free, 0);
    assert_int_equal(pool.large.n_live + pool.slabs.n_live, 0);
    ingest_counters(in, &c);
    assert_int_equal(c.packets, FRAMES + 1);
    assert_int_equal(c.invalid + c.lost, 0);
    close(fd);
    close_ingest();
}

/* It is lost, and the device invited anew before it is given up: that has time
 * of its own. A loss behind that is told again. */
static void lost_and_invited_anew(void **state)
{
    int fd;

    (void)state;
    open_passive(false);
    answer(NULL);
    for (unsigned k = 1; k < 3; k++) {
        fd = connect_from(DEVICE);
        send_packets(fd, SSRC, 2);
        close(fd);
        turn(0);
        answer(NULL);
        turn(INGEST_RECONNECT_MS + 1);
        assert_int_equal(said[PLATFORM_MEDIA_ENDED], k - 1);
        fd = connect_from(DEVICE);
        send_packets(fd, SSRC, 2);
        close(fd);
        turn(0);
        turn(INGEST_RECONNECT_MS + 1);
        assert_int_equal(said[PLATFORM_MEDIA_ENDED], k);
    }
    close_ingest();
}

/* The device is not blamed for a connection that was closed here. */
static void who_closed_it(void **state)
{
    static const char junk[4096] = "no media";
    static const struct {
        bool junk;
        const char *want;
    } cases[] = {
        { false, "device closed the media connection and did not come back" },
        { true, "RTP framing was lost and not found again; no other "
                "connection came" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd;

        open_passive(false);
        answer(NULL);
        fd = connect_from(DEVICE);
        send_packets(fd, SSRC, 2);
        for (unsigned k = 0; cases[i].junk && !is_closed(fd); k++) {
            assert_true(k < 1000);
            send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
            turn(0);
        }
        close(fd);
        turn(0);
        turn(INGEST_RECONNECT_MS + 1);
        assert_int_equal(said[PLATFORM_MEDIA_ENDED], 1);
        assert_string_equal(said_text, cases[i].want);
        close_ingest();
    }
}

/* ---- TCP active ---- */

static int listen_at(const char *ip, uint16_t *at)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *at = ntohs(a.sin_port);
    return fd;
}

/* The answer names an address where nobody listens, its SIP comes from another
 * one: there the second attempt goes. */
static void an_address_that_nobody_is_at(void **state)
{
    struct platform_action answer = { .transport = PLATFORM_TCP_ACTIVE,
                                      .ssrc = SSRC };
    uint16_t at;
    int server, fd;

    (void)state;
    open_ingest(PLATFORM_TCP_ACTIVE, false, false);
    server = listen_at(DEVICE, &at);
    answer.remote = address(MEDIA, at);
    ingest_answer(in, &answer);
    turn(0);
    assert_int_equal(accept(server, NULL, NULL), -1);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    turn(INGEST_RETRY_MS + 1);
    turn(0);
    fd = accept(server, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    send_packets(fd, SSRC, 6);
    expect_source(DEVICE, 6);
    close(fd);
    close(server);
    close_ingest();
}

/* Who is at neither of them is told after the last attempt, in time. */
static void nobody_at_either(void **state)
{
    struct platform_action answer = { .transport = PLATFORM_TCP_ACTIVE,
                                      .ssrc = SSRC };
    uint16_t at;

    (void)state;
    open_ingest(PLATFORM_TCP_ACTIVE, false, false);
    close(listen_at(DEVICE, &at));
    answer.remote = address(MEDIA, at);
    ingest_answer(in, &answer);
    for (unsigned i = 1; i < INGEST_ATTEMPTS; i++) {
        turn(0);
        assert_int_equal(said[PLATFORM_MEDIA_ENDED], 0);
        turn(INGEST_RETRY_MS + 1);
    }
    turn(0);
    assert_int_equal(said[PLATFORM_MEDIA_ENDED], 1);
    close_ingest();
}

/* ---- RTCP on the connection ---- */

/* Field-note 6.1: some end a stream that nobody reports on. Who sends RTCP gets
 * ours, framed as its own, every INGEST_RTCP_MS; who sends none gets none. */
static void reports_go_back_on_the_connection(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        static const uint8_t sr[2 + 28] = { 0,   28, 0x80, 200, 0, 6,
                                            5, 0xf5, 0xe1, 1 };
        uint8_t got[256];
        ssize_t n;
        int fd;

        open_passive(false);
        fd = connect_from(DEVICE);
        send_packets(fd, SSRC, 6);
        if (k)
            assert_int_equal(send(fd, sr, sizeof(sr), MSG_NOSIGNAL),
                             sizeof(sr));
        usleep(100000); /* the room that the clock below has to hit */
        send_packets(fd, SSRC, 1);
        n = -1; /* due between the first report that was not sent, and so long
                   after the last packet */
        for (unsigned ms = INGEST_RTCP_MS - 140; n < 0 && ms < INGEST_RTCP_MS;
             ms += 5) {
            turn(ms);
            n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
        }
        if (k) {
            if (n <= 2 + 32)
                fail_msg("%zd bytes", n);
            assert_int_equal(got[0] << 8 | got[1], n - 2);
            assert_int_equal(got[2], 0x81); /* one block */
            assert_int_equal(got[3], 201);
            assert_int_equal(got[5], 7);
            assert_memory_equal(got + 10, "\x05\xf5\xe1\x01", 4);
        } else {
            assert_int_equal(n, -1);
        }
        expect_source(DEVICE, 7);
        close(fd);
        close_ingest();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stranger_against_device),
        cmocka_unit_test(named_by_the_answer),
        cmocka_unit_test(lost_and_invited_anew),
        cmocka_unit_test(who_closed_it),
        cmocka_unit_test(media_from_elsewhere),
        cmocka_unit_test(any_source),
        cmocka_unit_test(no_buffers),
        cmocka_unit_test(note_8_14_kernel_drops_are_counted),
        cmocka_unit_test(a_slab_for_all_connections),
        cmocka_unit_test(large_slabs_for_who_fills_them),
        cmocka_unit_test(an_address_that_nobody_is_at),
        cmocka_unit_test(nobody_at_either),
        cmocka_unit_test(reports_go_back_on_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
