/* The RTSP port before a stream plays: who may, what is waited for, and that
 * every end gives back what was held. Loopback, a platform that does what the
 * test says; time is real and short. */
#include "app/rtsp/server.h"

#include "app/net/sockaddr.h"
#include "app/net/tls_relay.h"
#include "test/fake_platform.h"
#include "test/guarded_loop.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MS 300
#define WAIT_MS 200
#define PATIENT_MS 600000
#define PER_SOURCE 4
#define D1 "34020000001180000001"
#define C1 "34020000001310000001"
#define ONE 5   /* an account that sees D1 */
#define BLIND 6 /* one that sees nothing */
#define URL "rtsp://h/" D1 "/" C1

static struct {
    struct media_net *media;
    struct rtsp_server *server;
    struct gb_addr at;
    unsigned failed, touched;
    uint32_t wait_s;
    bool closed, server_closed;
    struct tls_relay *relay;
    struct tls_ctx *secure; /* NULL: it speaks no TLS */
} t;

static struct gb_time now(void *ctx)
{
    (void)ctx;
    return (struct gb_time){ .mono_ms = uv_now(&loop.uv), .utc_ms = 1700000000 };
}

static void touched(void *ctx)
{
    (void)ctx;
    t.touched++;
}

static bool is_signed(void *ctx, struct slice device, struct slice channel,
                      struct slice signature, uint64_t *who)
{
    (void)ctx;
    *who = 0;
    if (slice_eq(signature, SLICE("9.ofone")))
        *who = ONE;
    else if (slice_eq(signature, SLICE("9.blind")))
        *who = BLIND;
    return *who || (slice_eq(device, SLICE(D1)) && slice_eq(channel, SLICE(C1)) &&
           slice_eq(signature, SLICE("9.good")));
}

static uint64_t by_token(void *ctx, struct slice token)
{
    (void)ctx;
    return slice_eq(token, SLICE("one"))     ? ONE
           : slice_eq(token, SLICE("blind")) ? BLIND
                                             : 0;
}

static bool sees(void *ctx, uint64_t who, struct slice device)
{
    (void)ctx;
    return who == ONE && slice_eq(device, SLICE(D1));
}

static uint32_t wait_s(void *ctx, const struct gb_addr *source)
{
    (void)ctx;
    assert_true(gb_addr_is_loopback(source));
    return t.wait_s;
}

static void failed(void *ctx, const struct gb_addr *source)
{
    (void)ctx;
    (void)source;
    t.failed++;
}

static void on_event(void *ctx, const struct platform_media_event *ev)
{
    (void)ctx;
    (void)ev;
}

static struct tls_ctx *give_secure(void *ctx)
{
    (void)ctx;
    return t.secure;
}

static int serve(uint32_t request_ms, uint32_t wait_ms)
{
    struct tls_relay_config rc = { .server = give_secure };
    struct media_net_config mc = { .main = &loop.uv, .loops = 2,
                                   .on_event = on_event };
    struct gb_addr listen;
    struct rtsp_server_config c = {
        .loop = &loop.uv, .listen = &listen, .n_listen = 1, .auth = true,
        .token = "token", .max_per_source = PER_SOURCE,
        .request_ms = request_ms, .wait_ms = wait_ms, .now = now,
        .touched = touched, .is_signed = is_signed, .wait_s = wait_s,
        .by_token = by_token, .sees = sees,
        .failed = failed,
    };

    memset(&t, 0, sizeof(t));
    memset(&fake, 0, sizeof(fake));
    fake_device(D1, "one", true);
    fake_channel(D1, C1, "c");
    loop_begin();
    assert_int_equal(media_net_new(&t.media, &mc, NULL), 0);
    assert_int_equal(tls_relay_new(&t.relay, &rc), 0);
    c.media = t.media;
    c.tls = t.relay;
    gb_addr_parse_ip(&listen, SLICE("127.0.0.1"));
    assert_int_equal(rtsp_server_new(&t.server, &c, NULL), 0);
    t.at = rtsp_server_addr(t.server, 0);
    assert_true(t.at.port);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return serve(PATIENT_MS, PATIENT_MS);
}

static int setup_short_request(void **state)
{
    (void)state;
    return serve(REQUEST_MS, PATIENT_MS);
}

static int setup_short_wait(void **state)
{
    (void)state;
    return serve(PATIENT_MS, WAIT_MS);
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static int teardown(void **state)
{
    (void)state;
    rtsp_server_close(t.server, on_closed, &t.server_closed);
    loop_drain(&t.server_closed);
    media_net_close(t.media, on_closed, &t.closed);
    loop_drain(&t.closed);
    rtsp_server_free(t.server);
    tls_relay_free(t.relay);
    if (!t.closed || loop_end())
        return -1;
    for (size_t i = 0; i <= FAKE_MAX; i++)
        assert_int_equal(fake.holds[i], 0);
    return 0;
}

/* ---- a client ----------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_of(&ss, &t.at, false);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What comes until an empty line, or the end (then ""). */
static const char *hear(int fd)
{
    static char text[4096];
    size_t n = 0;

    while (!loop.late && n + 1 < sizeof(text)) {
        ssize_t got = recv(fd, text + n, 1, MSG_DONTWAIT);

        if (got == 0)
            break;
        if (got > 0) {
            n++;
            text[n] = '\0';
            if (n >= 4 && strcmp(text + n - 4, "\r\n\r\n") == 0)
                return text;
            continue;
        }
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
    if (loop.late)
        fail_msg("heard nothing");
    return "";
}

static void expect_status(const char *text, unsigned status)
{
    char want[32];

    snprintf(want, sizeof(want), "RTSP/1.0 %u ", status);
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("wanted %u: %.200s", status, text);
}

/* Basic x:token */
#define GOOD "Authorization: Basic eDp0b2tlbg==\r\n"
#define AS_ONE "Authorization: Basic eDpvbmU=\r\n"     /* x:one */
#define AS_BLIND "Authorization: Basic eDpibGluZA==\r\n" /* x:blind */
#define BAD "Authorization: Basic eDp0b2tlbQ==\r\n"

static void describe(int fd, const char *url, const char *lines)
{
    char text[512];

    snprintf(text, sizeof(text), "DESCRIBE %s RTSP/1.0\r\nCSeq: 1\r\n%s\r\n",
             url, lines);
    say(fd, text);
}

static void becomes(uint64_t id, enum platform_session_state state,
                    enum platform_step step, unsigned sip_status)
{
    struct platform_session *s = fake_session(id);

    assert_non_null(s);
    s->state = state;
    s->step = step;
    s->sip_status = sip_status;
    s->evidence = SLICE("as seen");
    rtsp_server_on_session(t.server, id, false);
}

/* ---- tests -------------------------------------------------------------- */

static void who_may(void **state)
{
    static const struct {
        const char *name, *url, *lines;
        unsigned status; /* 0: it may, and waits */
        unsigned failed;
    } cases[] = {
        { "nobody", URL, "", 401, 0 },
        { "wrong", URL, BAD, 401, 1 },
        { "right", URL, GOOD, 0, 0 },
        { "the channel alone", "rtsp://h/" C1, GOOD, 0, 0 },
        { "signed", URL "?t=9.good", "", 0, 0 },
        { "signed, the channel alone", "rtsp://h/" C1 "?t=9.good", "", 0, 0 },
        { "another signature", URL "?t=9.bad", "", 401, 0 },
        { "signed for another", "rtsp://h/" D1 "/2?t=9.good", "", 401, 0 },
        { "what there is, is not told", "rtsp://h/7", "", 401, 0 },
        { "and is", "rtsp://h/7", GOOD, 404, 0 },
        { "an account", URL, AS_ONE, 0, 0 },
        { "that sees nothing of it", URL, AS_BLIND, 404, 0 },
        { "by the channel alone", "rtsp://h/" C1, AS_BLIND, 404, 0 },
        { "signed for an account", URL "?t=9.ofone", "", 0, 0 },
        { "that sees nothing of it", URL "?t=9.blind", "", 404, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = dial();

        memset(fake.session, 0, sizeof(fake.session));
        fake.next_session = 0;
        t.failed = 0;
        describe(fd, cases[i].url, cases[i].lines);
        if (cases[i].status) {
            const char *text = hear(fd);

            expect_status(text, cases[i].status);
            if (cases[i].status == 401)
                assert_true(text_has(text, "WWW-Authenticate: Digest ") &&
                            text_has(text, "WWW-Authenticate: Basic "));
        } else {
            RUN_UNTIL(fake.holds[1] == 1);
        }
        if (t.failed != cases[i].failed)
            fail_msg("%s: %u failures", cases[i].name, t.failed);
        close(fd);
        RUN_UNTIL(fake.holds[1] == 0);
    }
}

/* A session of a device that is not seen is none. */
static void sessions_of_others(void **state)
{
    struct platform_session *s;
    int fd = dial();

    (void)state;
    describe(fd, URL, GOOD);
    RUN_UNTIL(fake.holds[1] == 1);
    becomes(1, PLATFORM_STARTING, PLATFORM_STEP_INVITE, 0);
    s = fake_session(1);
    s->kind = PLATFORM_PLAYBACK;
    close(fd);
    RUN_UNTIL(fake.holds[1] == 0);
    fd = dial();
    describe(fd, "rtsp://h/session/1", AS_BLIND);
    expect_status(hear(fd), 404);
    describe(fd, "rtsp://h/session/1", AS_ONE);
    RUN_UNTIL(fake.holds[1] == 1);
    close(fd);
}

/* Removed while it waits for the picture; others wait on. */
static void dismissed(void **state)
{
    int fd[2] = { dial(), dial() };
    char byte;

    (void)state;
    describe(fd[0], URL, AS_ONE);
    describe(fd[1], URL, GOOD);
    RUN_UNTIL(fake.holds[1] == 2);
    rtsp_server_dismiss(t.server, 0); /* nobody */
    rtsp_server_dismiss(t.server, BLIND);
    assert_int_equal(fake.holds[1], 2);
    rtsp_server_dismiss(t.server, ONE);
    assert_int_equal(fake.holds[1], 1);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    assert_true(recv(fd[0], &byte, 1, 0) <= 0);
    close(fd[0]);
    close(fd[1]);
    RUN_UNTIL(fake.holds[1] == 0);
}

static void guesses(void **state)
{
    int fd = dial();

    (void)state;
    t.wait_s = 17;
    describe(fd, URL, GOOD); /* not even looked at */
    expect_status(hear(fd), 403);
    describe(fd, URL, ""); /* asks what to do */
    expect_status(hear(fd), 401);
    assert_int_equal(t.failed, 0);
    describe(fd, URL "?t=9.good", GOOD); /* no guess at all */
    RUN_UNTIL(fake.holds[1] == 1);
    close(fd);
}

/* What became of a session, as a status with a reason. */
static void outcomes(void **state)
{
    static const struct {
        enum platform_session_state state;
        enum platform_step step;
        unsigned sip_status, want;
        const char *reason;
    } cases[] = {
        { PLATFORM_FAILED, PLATFORM_STEP_ANSWER, 0, 504, "as seen" },
        { PLATFORM_FAILED, PLATFORM_STEP_ANSWER, 486, 502, "as seen" },
        { PLATFORM_FAILED, PLATFORM_STEP_PACKET, 200, 504, "as seen" },
        { PLATFORM_FAILED, PLATFORM_STEP_DEVICE, 0, 404, "as seen" },
        { PLATFORM_FAILED, PLATFORM_STEP_SOCKET, 0, 502, "as seen" },
        { PLATFORM_STOPPING, PLATFORM_STEP_ENDED, 0, 404, "stopped" },
        { PLATFORM_PLAYING, PLATFORM_STEP_PLAYING, 0, 404, "ended" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = dial();
        const char *text;

        memset(fake.session, 0, sizeof(fake.session));
        fake.next_session = 0;
        describe(fd, URL, GOOD);
        RUN_UNTIL(fake.holds[1] == 1);
        becomes(1, cases[i].state, cases[i].step, cases[i].sip_status);
        text = hear(fd); /* of a viewer: the loop has no such stream */
        expect_status(text, cases[i].want);
        if (!text_has(text, cases[i].reason))
            fail_msg("case %zu: %s", i, text);
        RUN_UNTIL(fake.holds[1] == 0);
        close(fd);
    }
}

/* Known at once: failed to start. */
static void known_at_once(void **state)
{
    static const struct {
        int err;
        unsigned want;
    } cases[] = { { GB_ENOENT, 404 }, { GB_ESTATE, 404 }, { GB_ELIMIT, 503 },
                  { GB_EIO, 502 } };
    int fd = dial();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.live_err = cases[i].err;
        describe(fd, URL, GOOD);
        expect_status(hear(fd), cases[i].want);
    }
    fake.live_err = 0;
    describe(fd, URL, GOOD); /* it may ask again */
    RUN_UNTIL(fake.holds[1] == 1);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING, 200);
    expect_status(hear(fd), 404);
    RUN_UNTIL(fake.holds[1] == 0);
    close(fd);
}

/* Nothing happens in time; it may ask again. */
static void not_in_time(void **state)
{
    int fd = dial();

    (void)state;
    for (int i = 0; i < 2; i++) {
        uint64_t from_ms = uv_hrtime() / 1000000;

        describe(fd, URL, GOOD);
        expect_status(hear(fd), 504);
        assert_true(uv_hrtime() / 1000000 - from_ms >= WAIT_MS - 5);
        assert_int_equal(fake.holds[1], 0);
    }
    close(fd);
}

/* A platform below us may answer after that. */
static void a_platform_in_its_time(void **state)
{
    uint64_t from_ms = uv_hrtime() / 1000000;
    int fd = dial();

    (void)state;
    fake.longer_ms = WAIT_MS;
    describe(fd, URL, GOOD);
    expect_status(hear(fd), 504);
    assert_true(uv_hrtime() / 1000000 - from_ms >= 2 * WAIT_MS - 5);
    close(fd);
}

/* Two clients wait for one session. */
static void together(void **state)
{
    int a = dial(), b = dial();

    (void)state;
    describe(a, URL, GOOD);
    describe(b, URL, GOOD);
    RUN_UNTIL(fake.holds[1] == 2);
    close(a);
    RUN_UNTIL(fake.holds[1] == 1);
    becomes(1, PLATFORM_FAILED, PLATFORM_STEP_KEY, 200);
    expect_status(hear(b), 504);
    close(b);
}

#if GB_TLS

/* What waits goes out; what came is read behind the first n bytes of buf. */
static size_t over_wire(int fd, struct tls *tls, char *buf, size_t n,
                        size_t cap)
{
    struct slice out = tls_output(tls), in;
    char raw[4096];
    ssize_t got;
    size_t more = 0;

    if (out.n) {
        assert_int_equal(write(fd, out.p, out.n), (ssize_t)out.n);
        tls_sent(tls, out.n);
    }
    got = recv(fd, raw, sizeof(raw), MSG_DONTWAIT);
    if (got > 0) {
        in = slice_of(raw, (size_t)got);
        assert_int_equal(tls_decrypt(tls, &in, buf + n, cap - n, &more), 0);
    }
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    poll(NULL, 0, 1);
    return n + more;
}

/* rtsps on the same port: the first bytes tell, and are not lost. */
static void over_tls(void **state)
{
    static const char ask[] = "OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n";
    char dir[] = "/tmp/gb-test-rtsps-XXXXXX", cert[64], key[64];
    char why[TLS_WHY_MAX], text[1024] = "";
    struct tls_ctx *client;
    struct gb_addr ip;
    struct tls *tls;
    size_t n = 0;
    int fd;

    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/a.crt", dir);
    snprintf(key, sizeof(key), "%s/a.key", dir);
    gb_addr_parse_ip(&ip, SLICE("127.0.0.1"));
    assert_int_equal(tls_make_certificate(cert, key, "rtsps", &ip, 1, why), 0);
    assert_int_equal(tls_ctx_server(&t.secure, cert, key, why), 0);
    assert_int_equal(tls_ctx_client(&client, NULL, why), 0);
    assert_int_equal(tls_new(&tls, client, NULL), 0);
    fd = dial();
    while (!tls_is_up(tls) && !loop.late)
        n = over_wire(fd, tls, text, n, sizeof(text) - 1);
    assert_int_equal(tls_encrypt(tls, slice_str(ask)), 0);
    while (!strstr(text, "\r\n\r\n") && !loop.late)
        n = over_wire(fd, tls, text, n, sizeof(text) - 1);
    expect_status(text, 200);
    assert_non_null(strstr(text, "\r\nCSeq: 7\r\n"));
    close(fd);
    tls_free(tls);
    tls_ctx_free(client);
    tls_ctx_free(t.secure);
    t.secure = NULL;
    unlink(cert);
    unlink(key);
    rmdir(dir);
}

#endif

/* Who names nothing, or half of a request. */
static void idlers(void **state)
{
    struct rtsp_server_counters c;
    int fd[2] = { dial(), dial() };

    (void)state;
    say(fd[1], "OPTIONS");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(hear(fd[i]), "");
        close(fd[i]);
    }
    RUN_UNTIL((rtsp_server_counters(t.server, &c), c.connections == 0));
}

static void floods(void **state)
{
    static char much[2 * RTSP_REQUEST_MAX];
    int fd[PER_SOURCE + 1];
    struct rtsp_server_counters c;

    (void)state;
    for (int i = 0; i <= PER_SOURCE; i++)
        fd[i] = dial();
    RUN_UNTIL((rtsp_server_counters(t.server, &c), c.refused == 1));
    assert_string_equal(hear(fd[PER_SOURCE]), "");
    say(fd[0], "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
               "OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n");
    assert_true(text_has(hear(fd[0]), "CSeq: 1\r\n"));
    assert_true(text_has(hear(fd[0]), "CSeq: 2\r\n"));
    /* a head without an end */
    memset(much, 'a', sizeof(much));
    say(fd[1], "OPTIONS ");
    assert_true(write(fd[1], much, RTSP_REQUEST_MAX - 8) > 0);
    expect_status(hear(fd[1]), 413);
    assert_string_equal(hear(fd[1]), "");
    /* more than there is room for, while it waits */
    describe(fd[2], URL, GOOD);
    RUN_UNTIL(fake.holds[1] == 1);
    assert_true(write(fd[2], much, sizeof(much)) > 0);
    RUN_UNTIL(fake.holds[1] == 0);
    for (int i = 0; i <= PER_SOURCE; i++)
        close(fd[i]);
    RUN_UNTIL((rtsp_server_counters(t.server, &c), c.connections == 0));
    fd[0] = dial(); /* there is room again */
    say(fd[0], "OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n\r\n");
    expect_status(hear(fd[0]), 200);
    close(fd[0]);
}

/* With clients in every state. */
static void server_ends(void **state)
{
    int fd[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        fd[i] = dial();
    describe(fd[0], URL, GOOD);
    RUN_UNTIL(fake.holds[1] == 1);
    say(fd[1], "OPTIONS");
    rtsp_server_close(t.server, on_closed, &t.server_closed);
    RUN_UNTIL(t.server_closed);
    assert_int_equal(fake.holds[1], 0);
    for (int i = 0; i < 3; i++) {
        assert_true(recv(fd[i], &(char){ 0 }, 1, 0) <= 0);
        close(fd[i]);
    }
    media_net_close(t.media, on_closed, &t.closed);
    RUN_UNTIL(t.closed);
    rtsp_server_free(t.server);
    tls_relay_free(t.relay);
    assert_int_equal(loop_end(), 0);
}

static void port_taken(void **state)
{
    struct rtsp_server_config c = { .loop = &loop.uv, .listen = &t.at,
                                    .n_listen = 1, .token = "" };
    struct rtsp_server *other = NULL;
    size_t at = 9;

    (void)state;
    assert_int_equal(rtsp_server_new(&other, &c, &at), UV_EADDRINUSE);
    assert_null(other);
    assert_int_equal(at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_may, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(dismissed, setup, teardown),
        cmocka_unit_test_setup_teardown(guesses, setup, teardown),
        cmocka_unit_test_setup_teardown(outcomes, setup, teardown),
        cmocka_unit_test_setup_teardown(known_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(not_in_time, setup_short_wait,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_platform_in_its_time, setup_short_wait,
                                        teardown),
        cmocka_unit_test_setup_teardown(together, setup, teardown),
#if GB_TLS
        cmocka_unit_test_setup_teardown(over_tls, setup, teardown),
#endif
        cmocka_unit_test_setup_teardown(idlers, setup_short_request, teardown),
        cmocka_unit_test_setup_teardown(floods, setup, teardown),
        cmocka_unit_test_setup(server_ends, setup),
        cmocka_unit_test_setup_teardown(port_taken, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
