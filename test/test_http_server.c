/* The server over loopback: a handful, the rest is tested without sockets. */
#include "test/http_net.h"

#include <unistd.h>

static int setup(void **state)
{
    net_begin();
    return fx_setup(state);
}

static int teardown(void **state)
{
    net_end();
    return fx_teardown(state);
}

static void send_all(struct client *c, struct slice s)
{
    assert_true(send_bytes(c, s));
}

static void send_text(struct client *c, const char *text)
{
    send_all(c, slice_str(text));
}

static size_t count(const struct client *c, const char *text)
{
    return text_count(c->text, text);
}

#define HOST "Host: nvr\r\n"
#define HEALTH "GET /healthz HTTP/1.1\r\n" HOST "\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

static const struct http_server_config no_limits = { 0 };

/* ---- tests ----------------------------------------------------------------------- */

static void keep_alive(void **state)
{
    struct slice text = slice_str(HEALTH HEALTH);
    struct http_server_counters n;
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, HEALTH HEALTH "\r\nHEAD /healthz HTTP/1.1\r\n" HOST "\r\n");
    RUN_UNTIL(count(c, OK) == 3);
    assert_int_equal(count(c, "\r\n\r\nok\n"), 2); /* HEAD has no body */
    assert_int_equal(count(c, "Content-Length: 3\r\n"), 3);
    for (size_t i = 0; i < text.n; i++) { /* byte by byte */
        send_all(c, slice_of(text.p + i, 1));
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(count(c, OK) == 5);
    send_text(c, "GET /healthz HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    RUN_UNTIL(c->ended);
    assert_int_equal(count(c, OK), 6);
    assert_int_equal(count(c, "Connection: close\r\n"), 1);
    http_server_counters(net.server, &n);
    assert_int_equal(n.requests, 6);
    hang_up(c);
    RUN_UNTIL((http_server_counters(net.server, &n), n.connections == 0));
}

#define CHUNKS "POST /api/v1/login HTTP/1.1\r\n" HOST                           \
               "Transfer-Encoding: chunked\r\n"

/* Each is answered, the connection ends, and the client can read all of it. */
static void bad_requests(void **state)
{
    static const struct {
        const char *text, *status;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
        { "\x16\x03\x01", "HTTP/1.1 400 " },
        { "GET / HTTP/1.1\r\n" HOST "Content-Length: 9999999\r\n\r\nxxxxx",
          "HTTP/1.1 413 " },
        { CHUNKS "Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n" HEALTH,
          "HTTP/1.1 400 " },
        { CHUNKS "\r\n5\nhello\r\n0\r\n\r\n" HEALTH, "HTTP/1.1 400 " },
        { CHUNKS "\r\n5\r\nhello!\r\n0\r\n\r\n" HEALTH, "HTTP/1.1 400 " },
        { CHUNKS "\r\n100000001\r\nhello" HEALTH, "HTTP/1.1 400 " },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 " },
    };

    (void)state;
    net_serve(&no_limits);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client *c = dial();

        send_text(c, cases[i].text);
        RUN_UNTIL(c->ended);
        if (count(c, cases[i].status) != 1 || count(c, "HTTP/1.1 ") != 1)
            fail_msg("%s", c->text);
        assert_int_equal(count(c, "application/problem+json"), 1);
        hang_up(c);
    }
}

static void long_head(void **state)
{
    static char line[HTTP_HEAD_MAX];
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    memset(line, 'a', sizeof(line));
    send_text(c, "GET / HTTP/1.1\r\nX: ");
    send_all(c, slice_of(line, sizeof(line)));
    RUN_UNTIL(c->ended);
    assert_int_equal(count(c, "HTTP/1.1 431 "), 1);
    hang_up(c);
}

#define SHARED "Access-Control-Allow-Origin: *\r\n"
#define OPTIONS(path) "OPTIONS " path " HTTP/1.1\r\n" HOST                      \
    "Origin: https://elsewhere.example\r\n"                                   \
    "Access-Control-Request-Method: GET\r\n"                                  \
    "Access-Control-Request-Headers: authorization\r\n\r\n"

/* A page of another origin may play what its fields or its URL have the
 * credential of, and read why it does not; it may not use the API. */
static void other_origins(void **state)
{
    static const struct {
        const char *text, *status;
        bool shared;
    } cases[] = {
        { OPTIONS("/live/" D1 "/" C1 ".flv"), "204 No Content", true },
        { OPTIONS("/live/" C1 "/index.m3u8"), "204 No Content", true },
        { OPTIONS("/live/" D1 "/" C1 "/seg_7.m4s"), "204 No Content", true },
        { OPTIONS("/session/1.mp4?t=x"), "204 No Content", true },
        { OPTIONS("/api/v1/devices/" D1 "/channels/" C1 "/records/5"),
          "204 No Content", true },
        { OPTIONS("/api/v1/downloads/1/file"), "204 No Content", true },
        { OPTIONS("/api/v1/devices"), "401 Unauthorized", false },
        { OPTIONS("/api/v1/login"), "401 Unauthorized", false },
        { OPTIONS("/snapshot/1"), "401 Unauthorized", false },
        { OPTIONS("/live/nothing"), "401 Unauthorized", false },
        { OPTIONS("*"), "401 Unauthorized", false },
        { "GET /live/" D1 "/" C1 ".flv HTTP/1.1\r\n" HOST "\r\n",
          "401 Unauthorized", true },
        { "GET /session/77.flv HTTP/1.1\r\n" HOST TOKEN "\r\n",
          "404 Not Found", true },
        { "GET /api/v1/me HTTP/1.1\r\n" HOST TOKEN "\r\n", "200 OK", false },
    };
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    for (size_t i = 0; i < COUNT(cases); i++) { /* one connection: none of it
                                                   stays for the next */
        c->len = 0;
        c->text[0] = '\0';
        send_text(c, cases[i].text);
        RUN_UNTIL(count(c, "\r\n\r\n") == 1);
        if (count(c, cases[i].status) != 1 ||
            count(c, SHARED) != cases[i].shared ||
            count(c, "Access-Control-Allow-Headers: Authorization, ") !=
                (cases[i].status[0] == '2' && cases[i].shared))
            fail_msg("%s%s", cases[i].text, c->text);
    }
    hang_up(c);
}

/* So may it read an answer that was put off. */
static void other_origins_later(void **state)
{
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, "GET /live/" D1 "/" C1 ".flv HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(fake.holds[1] == 1);
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS;
    http_app_tick(fx.app);
    RUN_UNTIL(count(c, "HTTP/1.1 504 ") == 1);
    assert_int_equal(count(c, SHARED), 1);
    hang_up(c);
}

/* Only the answer to HEAD has no body: what is wrong with the next request is
 * told. */
static void bad_behind_head(void **state)
{
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n"
                 "GET / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n");
    RUN_UNTIL(c->ended);
    assert_int_equal(count(c, "HTTP/1.1 400 "), 1);
    assert_int_equal(count(c, "bad Content-Length"), 1);
    hang_up(c);
}

/* Says it, and waits for the end, before which it hears one answer; once more
 * where it had not the time to say it. */
static void said_and_cut(const char *text, const char *answer)
{
    for (bool heard = false; !heard;) {
        struct client *c = dial();

        send_text(c, text);
        RUN_UNTIL(c->ended);
        heard = c->len;
        if (heard) {
            assert_int_equal(count(c, answer), 1);
            assert_int_equal(count(c, "HTTP/1.1 "), 1);
        }
        hang_up(c);
    }
}

static void time_outs(void **state)
{
    struct http_server_config cfg = { .head_timeout_ms = 250,
                                      .body_timeout_ms = 250,
                                      .idle_timeout_ms = 250 };
    struct client *silent;

    (void)state;
    net_serve(&cfg);
    silent = dial();
    RUN_UNTIL(silent->ended);
    assert_int_equal(silent->len, 0);
    hang_up(silent);
    said_and_cut("GET / HT", "HTTP/1.1 408 ");
    said_and_cut("POST /api/v1/login HTTP/1.1\r\n" HOST
                 "Content-Length: 5\r\n\r\nab", "HTTP/1.1 408 ");
    said_and_cut(HEALTH, OK);
}

static void source_limit(void **state)
{
    struct http_server_config cfg = { .max_per_source = 2 };
    struct http_server_counters n;
    struct client *a, *b, *c;

    (void)state;
    net_serve(&cfg);
    a = dial();
    b = dial();
    c = dial();
    RUN_UNTIL(c->ended);
    hang_up(c);
    hang_up(a);
    RUN_UNTIL((http_server_counters(net.server, &n), n.connections == 1));
    assert_int_equal(n.refused, 1);
    a = dial(); /* there is room again */
    send_text(a, HEALTH);
    RUN_UNTIL(count(a, OK) == 1);
    hang_up(a);
    hang_up(b);
}

/* A connection that there was no memory for does not make it deaf. */
static void no_memory_once(void **state)
{
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    fx.mem.fail_at = fx.mem.calls + 1;
    c = dial();
    RUN_UNTIL(c->ended);
    hang_up(c);
    fx.mem.fail_at = 0;
    c = dial();
    send_text(c, HEALTH);
    RUN_UNTIL(count(c, OK) == 1);
    hang_up(c);
}

static void bodies(void **state)
{
    static char big[300000];
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    memset(big, ' ', sizeof(big));
    send_text(c, "POST " LIVE "?wait=0 HTTP/1.1\r\n" HOST TOKEN
                 "Expect: 100-continue\r\nContent-Length: 300000\r\n\r\n");
    RUN_UNTIL(count(c, "HTTP/1.1 100 Continue\r\n\r\n") == 1);
    memcpy(big, "{\"stream\":\"sub\"}", 16);
    send_all(c, slice_of(big, sizeof(big)));
    RUN_UNTIL(count(c, "HTTP/1.1 202 ") == 1);
    assert_int_equal(fake.live_req.stream, 1);
    send_text(c, HEALTH);
    RUN_UNTIL(count(c, OK) == 1);
    hang_up(c);
}

#define IN_CHUNKS "POST " LIVE "?wait=0 HTTP/1.1\r\n" HOST TOKEN                \
                  "Transfer-Encoding: chunked\r\n"

/* The same in chunks: cut anywhere, with a request behind it in the same bytes. */
static void bodies_in_chunks(void **state)
{
    static const char text[] = IN_CHUNKS "\r\n"
        "3;x=y\r\n{\"s\r\n00d\r\ntream\":\"sub\"}\r\n0\r\nT: r\r\n\r\n" HEALTH;
    struct slice all = slice_of(text, sizeof(text) - 1);
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    for (size_t cut = 1; cut < all.n; cut++) {
        fake.live_req.stream = 0;
        c = dial();
        send_all(c, slice_head(all, cut));
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        send_all(c, slice_from(all, cut));
        RUN_UNTIL(count(c, OK) == 1);
        if (count(c, "HTTP/1.1 202 ") != 1 || fake.live_req.stream != 1)
            fail_msg("cut at %zu: %s", cut, c->text);
        hang_up(c);
    }
    fake.live_req.stream = 0;
    c = dial();
    for (size_t i = 0; i < all.n; i++) { /* byte by byte */
        send_all(c, slice_of(all.p + i, 1));
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(count(c, OK) == 1);
    assert_int_equal(fake.live_req.stream, 1);
    hang_up(c);
}

/* As much as with a length, and no more; whoever asks is told to go on. */
static void limits_of_chunks(void **state)
{
    static char big[HTTP_BODY_MAX];
    char size[16];
    struct client *c;

    (void)state;
    memset(big, ' ', sizeof(big));
    memcpy(big, "{\"stream\":\"sub\"}", 16);
    snprintf(size, sizeof(size), "%zx\r\n", sizeof(big));
    net_serve(&no_limits);
    c = dial();
    for (int i = 0; i < 2; i++) {
        fake.live_req.stream = 0;
        c->len = 0;
        c->text[0] = '\0';
        send_text(c, IN_CHUNKS "Expect: 100-continue\r\n\r\n");
        RUN_UNTIL(count(c, "HTTP/1.1 100 Continue\r\n\r\n") == 1);
        send_text(c, size);
        send_all(c, slice_of(big, sizeof(big)));
        send_text(c, i ? "\r\n1\r\n \r\n0\r\n\r\n" : "\r\n0\r\n\r\n");
        RUN_UNTIL(count(c, "HTTP/1.1 ") == 2);
        assert_int_equal(count(c, i ? "HTTP/1.1 413 " : "HTTP/1.1 202 "), 1);
        assert_int_equal(fake.live_req.stream, !i);
    }
    RUN_UNTIL(c->ended);
    hang_up(c);
}

static void plays(uint64_t session)
{
    const struct platform_action act = { .kind = PLATFORM_SESSION_CHANGED,
                                         .session = session };

    fake_session(session)->state = PLATFORM_PLAYING;
    http_on_action(fx.app, &act);
}

/* An answer that comes later, a request behind it, a client that goes. */
static void put_off(void **state)
{
    struct client *c, *gone;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    gone = dial();
    send_text(c, "POST " LIVE " HTTP/1.1\r\n" HOST TOKEN "\r\n" HEALTH);
    RUN_UNTIL(fake.holds[1] == 1);
    send_text(gone, "POST " LIVE " HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(fake.holds[1] == 2);
    assert_int_equal(c->len, 0);
    hang_up(gone);
    RUN_UNTIL(fake.holds[1] == 1);
    plays(1);
    RUN_UNTIL(count(c, OK) == 2);
    assert_int_equal(count(c, "\"state\":\"playing\""), 1);
    assert_int_equal(fake.holds[1], 0);
    hang_up(c);
}

/* Nobody ever answers: the client is told, the application forgets it, the
 * connection is good for the next request, and a late answer reaches nobody. */
static void never_answered(void **state)
{
    struct http_server_config cfg = { .pending_timeout_ms = 60 };
    struct http_server_counters n;
    struct client *c;

    (void)state;
    net_serve(&cfg);
    c = dial();
    send_text(c, "POST " LIVE " HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(fake.holds[1] == 1);
    RUN_UNTIL(count(c, "HTTP/1.1 504 ") == 1);
    assert_int_equal(count(c, "no answer came in time"), 1);
    assert_int_equal(fake.holds[1], 0);
    http_server_counters(net.server, &n);
    assert_int_equal(n.timed_out, 1);
    plays(1);
    send_text(c, HEALTH);
    RUN_UNTIL(count(c, OK) == 1);
    hang_up(c);
}

/* The socket moves: what was read goes with it, and what is written to the
 * descriptor arrives. */
static void handover(void **state)
{
    static const char hello[] = "media";
    struct http_server_counters n;
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    fx.media.fd = -1;
    send_text(c, "GET /live/" D1 "/" C1 ".flv HTTP/1.1\r\n" HOST TOKEN
                 "\r\nbehind");
    RUN_UNTIL(fake.holds[1] == 1);
    plays(1);
    RUN_UNTIL(fx.media.fd >= 0);
    assert_int_equal(fx.media.n_unread, 6);
    assert_memory_equal(fx.media.unread, "behind", 6);
    free(fx.media.unread);
    assert_int_equal(fx.media.format, HTTP_FORMAT_FLV);
    assert_int_equal(fx.media.session, 1);
    assert_int_equal(fx.media.remote.port != 0, 1);
    assert_int_equal(fx.media.local.port, net.addr.port);
    http_server_counters(net.server, &n);
    assert_int_equal(n.handed_over, 1);
    RUN_UNTIL((http_server_counters(net.server, &n), n.connections == 0));
    assert_int_equal(write(fx.media.fd, hello, 5), 5);
    RUN_UNTIL(c->len == 5);
    assert_false(c->ended);
    http_server_counters(net.server, &n);
    assert_int_equal(n.viewers, 1);
    http_server_viewer_gone(net.server, fx.media.place);
    http_server_counters(net.server, &n);
    assert_int_equal(n.viewers, 0);
    close(fx.media.fd);
    RUN_UNTIL(c->ended);
    hang_up(c);
}

#define UPGRADE                                                                \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"                            \
    "Sec-WebSocket-Version: 13\r\n"                                            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* A segment goes out as it is, and the connection stays good; a client that
 * leaves in the middle gives it back. */
static void segment(void **state)
{
    struct media_chunk *chunk = media_chunk_new(&fx.mem.alloc, 20, NULL);
    struct hls_part *part =
        gb_get(&fx.mem.alloc, sizeof(*part) + 2 * sizeof(part->chunk[0]));
    struct http_hls_told told = { .what = HTTP_HLS_SEGMENT, .part = part };
    struct client *c;

    (void)state;
    assert_true(chunk && part);
    memcpy(media_chunk_own(chunk), "twenty bytes of film", 20);
    media_chunk_seal(chunk, 20);
    atomic_init(&part->refs, 1);
    part->alloc = &fx.mem.alloc;
    part->bytes = 40;
    part->n_chunks = 2;
    part->chunk[0] = chunk;
    part->chunk[1] = media_chunk_ref(chunk);
    net_serve(&no_limits);
    c = dial();
    send_text(c, "POST " LIVE " HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(fake.next_session == 1);
    plays(1);
    RUN_UNTIL(count(c, OK) == 1);
    for (unsigned i = 0; i < 3; i++) {
        send_text(c, i < 2 ? "GET /live/" D1 "/" C1 "/seg_5.m4s HTTP/1.1\r\n" HOST
                             TOKEN "\r\n"
                           : "HEAD /live/" D1 "/" C1 "/seg_5.m4s HTTP/1.1\r\n"
                             HOST TOKEN "\r\n");
        RUN_UNTIL(fx.n_hls == i + 1);
        assert_int_equal(fx.hls.number, 5);
        told.request = fx.hls.request;
        http_app_hls_told(fx.app, &told);
        RUN_UNTIL(count(c, "Content-Length: 40\r\n") == i + 1);
    }
    RUN_UNTIL(count(c, "twenty bytes of filmtwenty bytes of film") == 2);
    assert_int_equal(count(c, "Content-Type: video/mp4\r\n"), 3);
    send_text(c, HEALTH);
    RUN_UNTIL(count(c, OK) == 5);
    send_text(c, "GET /live/" D1 "/" C1 "/seg_6.m4s HTTP/1.1\r\n" HOST TOKEN
                 "\r\n");
    RUN_UNTIL(fx.n_hls == 4);
    hang_up(c);
    told.request = fx.hls.request;
    http_app_hls_told(fx.app, &told); /* nobody is there any more, or soon */
    hls_part_unref(part);
}

static void handover_refused(void **state)
{
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    fx.media_err = GB_ELIMIT;
    c = dial();
    send_text(c, "GET /api/ws?src=" C1 " HTTP/1.1\r\n" HOST TOKEN UPGRADE
                 "\r\n");
    RUN_UNTIL(fake.holds[1] == 1);
    plays(1);
    RUN_UNTIL(count(c, "HTTP/1.1 503 ") == 1);
    assert_string_equal(fx.media.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_true(fx.media.websocket);
    assert_int_equal(fake.holds[1], 0);
    send_text(c, HEALTH); /* the connection is still good */
    RUN_UNTIL(count(c, OK) == 1);
    hang_up(c);
}

/* A viewer is a connection as far as limits go, until it has gone. */
static void viewers_count(void **state)
{
    static const struct http_server_config limits[] = {
        { .max_per_source = 1 }, { .max_conns = 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct http_server_counters n;
        struct client *c, *second;

        net_serve(&limits[i]);
        c = dial();
        fx.media.fd = -1;
        send_text(c, "GET /live/" D1 "/" C1 ".flv HTTP/1.1\r\n" HOST TOKEN
                     "\r\n");
        if (i == 0) {
            RUN_UNTIL(fake.holds[1] == 1);
            plays(1);
        }
        RUN_UNTIL(fx.media.fd >= 0);
        RUN_UNTIL((http_server_counters(net.server, &n), n.connections == 0));
        assert_int_equal(n.viewers, 1);
        second = dial();
        RUN_UNTIL(second->ended);
        hang_up(second);
        close(fx.media.fd);
        if (i == 0) /* the last one is there when the server ends */
            http_server_viewer_gone(net.server, fx.media.place);
        RUN_UNTIL(c->ended);
        hang_up(c);
        if (i == 0) {
            c = dial();
            send_text(c, HEALTH);
            RUN_UNTIL(count(c, OK) == 1);
            hang_up(c);
            http_server_close(net.server, on_server_closed, NULL);
            RUN_UNTIL(net.closed);
            net.closed = false;
        }
    }
}

static void websocket_error(void **state)
{
    static const struct platform_action act = {
        .kind = PLATFORM_SESSION_CHANGED,
        .session = 1,
    };
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, "GET /api/ws?src=" C1 " HTTP/1.1\r\n" HOST TOKEN UPGRADE
                 "\r\n");
    RUN_UNTIL(fake.holds[1] == 1);
    fake_session(1)->state = PLATFORM_FAILED;
    fake_session(1)->step = PLATFORM_STEP_PACKET;
    http_on_action(fx.app, &act);
    RUN_UNTIL(c->ended);
    assert_int_equal(count(c, "HTTP/1.1 101 "), 1);
    assert_int_equal(
        count(c, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        1);
    assert_int_equal(count(c, "{\"type\":\"error\",\"value\":\"mse: packet"),
                     1);
    assert_int_equal((uint8_t)c->text[c->len - 17], 0x88); /* close frame */
    hang_up(c);
}

static void device_event(void)
{
    static const struct platform_action act = {
        .kind = PLATFORM_DEVICE_REMOVED,
        .device = SLICE_INIT(D2),
    };

    http_on_action(fx.app, &act);
}

static void event_stream(void **state)
{
    struct http_server_counters n;
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, "GET /api/v1/events HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(count(c, "retry: ") == 1);
    assert_int_equal(count(c, "text/event-stream"), 1);
    for (int i = 0; i < 200; i++)
        device_event();
    RUN_UNTIL(count(c, "event: device\n") == 200);
    http_server_counters(net.server, &n);
    assert_int_equal(n.event_streams, 1);
    hang_up(c);
    RUN_UNTIL((http_server_counters(net.server, &n), n.connections == 0));
    assert_int_equal(n.event_streams, 0);
    device_event();
}

static void password_pool(void **state)
{
    struct client *c;

    (void)state;
    net_serve(&no_limits);
    c = dial();
    send_text(c, "POST /api/v1/login HTTP/1.1\r\n" HOST
                 "Content-Length: 22\r\n\r\n{\"password\":\"letmein\"}");
    RUN_UNTIL(count(c, "Set-Cookie: gb28181d=") == 1);
    assert_int_equal(count(c, OK), 1);
    send_text(c, "POST /api/v1/login HTTP/1.1\r\n" HOST
                 "Content-Length: 16\r\n\r\n{\"password\":\"x\"}");
    RUN_UNTIL(count(c, "HTTP/1.1 401 ") == 1);
    hang_up(c);
}

/* Closing while everything is under way: the teardown counts what is left. */
static void close_in_flight(void **state)
{
    struct client *c[4];

    (void)state;
    net_serve(&no_limits);
    for (size_t i = 0; i < COUNT(c); i++)
        c[i] = dial();
    send_text(c[0], "POST " LIVE " HTTP/1.1\r\n" HOST TOKEN "\r\n");
    send_text(c[1], "GET /api/v1/events HTTP/1.1\r\n" HOST TOKEN "\r\n");
    send_text(c[2], "GET / HTT");
    RUN_UNTIL(fake.holds[1] == 1 && count(c[1], "retry: ") == 1);
    send_text(c[3], "POST /api/v1/login HTTP/1.1\r\n" HOST
                    "Content-Length: 16\r\n\r\n{\"password\":\"x\"}");
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    http_server_close(net.server, on_server_closed, NULL);
    RUN_UNTIL(net.closed);
    assert_int_equal(fake.holds[1], 0);
    for (size_t i = 0; i < COUNT(c); i++) {
        RUN_UNTIL(c[i]->ended);
        hang_up(c[i]);
    }
    net.closed = false;
    net_serve(&no_limits); /* for the teardown, and: the port is free again */
}

/* The application outlives its server: devices still report, waiting clients
 * would be answered, and nothing of it reaches what is gone. */
static void told_after_the_end(void **state)
{
    struct client *c[2];

    (void)state;
    net_serve(&no_limits);
    for (size_t i = 0; i < COUNT(c); i++)
        c[i] = dial();
    send_text(c[0], "GET /api/v1/events HTTP/1.1\r\n" HOST TOKEN "\r\n");
    send_text(c[1], "POST /api/v1/login HTTP/1.1\r\n" HOST
                    "Content-Length: 16\r\n\r\n{\"password\":\"x\"}");
    RUN_UNTIL(count(c[0], "retry: ") == 1);
    http_server_close(net.server, on_server_closed, NULL);
    device_event();
    RUN_UNTIL(net.closed);
    device_event();
    http_app_tick(fx.app);
    for (size_t i = 0; i < COUNT(c); i++) {
        RUN_UNTIL(c[i]->ended);
        hang_up(c[i]);
    }
    net.closed = false;
    net_serve(&no_limits); /* for the teardown */
    http_app_end_edge(fx.app, &c); /* of another one: this stays */
    c[0] = dial();
    send_text(c[0], "GET /api/v1/events HTTP/1.1\r\n" HOST TOKEN "\r\n");
    RUN_UNTIL(count(c[0], "retry: ") == 1);
    device_event();
    RUN_UNTIL(count(c[0], "event: device\n") == 1);
    hang_up(c[0]);
}

static void listen_fails(void **state)
{
    struct http_server *second = NULL;
    struct http_server_config cfg = { .loop = &loop.uv,
                                      .alloc = &fx.mem.alloc,
                                      .app = fx.app,
                                      .n_listen = 1 };
    size_t failed = 9;

    (void)state;
    net_serve(&no_limits);
    cfg.listen = &net.addr;
    assert_int_equal(http_server_new(&second, &cfg, &failed), UV_EADDRINUSE);
    assert_int_equal(failed, 0);
    assert_null(second);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
}

int main(void)
{
#define NET(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        NET(keep_alive),      NET(bad_requests), NET(long_head),
        NET(other_origins),   NET(other_origins_later),
        NET(bad_behind_head),
        NET(time_outs),       NET(source_limit), NET(no_memory_once),
        NET(bodies),          NET(bodies_in_chunks), NET(limits_of_chunks),
        NET(put_off),         NET(never_answered),
        NET(handover),        NET(handover_refused), NET(segment),
        NET(viewers_count),
        NET(websocket_error), NET(event_stream), NET(password_pool),
        NET(close_in_flight), NET(told_after_the_end), NET(listen_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
