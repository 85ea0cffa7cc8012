/* app/rtsp/push: a stream of a media loop goes to a server on loopback that the
 * test plays, by RTSP and by RTMP, and the end of each connection is told once and
 * says why. */
#include "app/rtsp/push.h"

#include "test/rtmp_script.h"
#include "test/stream_world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#define LINK_ID 5
#define BEGIN_MS 400 /* where nobody answers */

static int listener, conn; /* the server's; conn below 0: nobody is there */
static char got[65536];    /* what the server has read */
static size_t n_got, n_seen; /* seen: of requests that were answered */
static struct push_link *out;
static struct {
    unsigned n_told, n_gone;
    bool live;
    uint64_t bytes;
    char why[PUSH_TEXT_MAX];
} said;

static void on_told(void *ctx, uint64_t id, bool live, uint64_t bytes)
{
    (void)ctx;
    assert_int_equal(id, LINK_ID);
    said.n_told++;
    said.live = live;
    said.bytes = bytes;
}

static void on_gone(void *ctx, uint64_t id, uint64_t bytes, const char *why)
{
    (void)ctx;
    assert_int_equal(id, LINK_ID);
    said.n_gone++;
    said.bytes = bytes;
    slice_copy(said.why, sizeof(said.why), slice_str(why));
}

static struct push_hooks hooks = { .on_told = on_told, .on_gone = on_gone };

/* ---- the server -------------------------------------------------------------------- */

static uint16_t listen_here(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    conn = -1;
    n_got = n_seen = 0;
    return ntohs(in.sin_port);
}

/* Accepts, and reads what has come. */
static void take(void)
{
    ssize_t n;

    if (conn < 0) {
        conn = accept(listener, NULL, NULL);
        if (conn >= 0)
            fcntl(conn, F_SETFL, O_NONBLOCK);
    }
    if (conn < 0)
        return;
    while (n_got < sizeof(got) - 1 &&
           (n = read(conn, got + n_got, sizeof(got) - 1 - n_got)) > 0)
        n_got += (size_t)n;
    got[n_got] = '\0';
}

static void answer(const char *text)
{
    assert_int_equal(send(conn, text, strlen(text), MSG_NOSIGNAL),
                     strlen(text));
}

/* A whole request that has not been answered yet: its method. */
static bool request(char method[static 16])
{
    struct slice rest = slice_of(got + n_seen, n_got - n_seen), line;
    size_t head = slice_find_slice(rest, SLICE("\r\n\r\n")), body = 0, at;
    uint32_t n;

    if (head == rest.n || *rest.p == '$')
        return false;
    at = slice_find_slice(rest, SLICE("Content-Length: "));
    if (at < head) {
        line = slice_from(rest, at + 16);
        line = slice_head(line, slice_find(line, '\r'));
        assert_true(slice_u32(line, UINT32_MAX, &n));
        body = n;
    }
    if (rest.n < head + 4 + body)
        return false;
    slice_copy(method, 16, slice_head(rest, slice_find(rest, ' ')));
    n_seen += head + 4 + body;
    return true;
}

/* An RTSP server that takes everything, but for one method, which it answers so. */
static void serve(const char *but, const char *so)
{
    char method[16], text[300];
    static unsigned cseq;

    take();
    if (n_seen == 0)
        cseq = 0;
    while (conn >= 0 && request(method)) {
        cseq++;
        if (but && strcmp(method, but) == 0)
            snprintf(text, sizeof(text), so, cseq);
        else
            snprintf(text, sizeof(text),
                     "RTSP/1.0 200 OK\r\nCSeq: %u\r\nSession: 77\r\n%s\r\n", cseq,
                     strcmp(method, "SETUP") == 0
                         ? "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                         : "");
        answer(text);
    }
}

/* ---- a world ------------------------------------------------------------------------ */

static void begin(void)
{
    memset(&said, 0, sizeof(said));
    hooks.begin_ms = 0;
    out = NULL;
    stream_begin();
    connect_device(open_session());
}

static void finish(void)
{
    stream_stop();
    stream_end();
    if (conn >= 0)
        close(conn);
    close(listener);
}

static int push(const char *scheme, uint16_t port, uint64_t session)
{
    char url[100];

    snprintf(url, sizeof(url), "%s://127.0.0.1:%u/live/cam", scheme, port);
    return push_link_start(&out, net, &hooks, 0, session, LINK_ID,
                           slice_str(url));
}

/* The stream goes on while the server answers. */
#define SERVE_UNTIL(what, but, so)                                             \
    for (unsigned serve_i = 0; !(what) && serve_i < 3000; serve_i++) {         \
        if (!said.n_gone)                                                      \
            push_link_tell(out);                                               \
        send_picture(serve_i % 5 == 0);                                        \
        turn();                                                                \
        serve(but, so);                                                        \
    }                                                                          \
    assert_true(what)

static void expect_end(const char *why)
{
    WAIT_FOR(said.n_gone);
    if (!text_has(said.why, why))
        fail_msg("it ended by: %s", said.why);
    for (unsigned i = 0; i < 10; i++)
        turn();
    assert_int_equal(said.n_gone, 1);
}

/* ---- RTSP --------------------------------------------------------------------------- */

/* Announced, recorded, packets behind it; TEARDOWN at the end. */
static void by_rtsp(void **state)
{
    size_t media;

    (void)state;
    begin();
    assert_int_equal(push("rtsp", listen_here(), SESSION), 0);
    SERVE_UNTIL(said.live && said.bytes > 5000, NULL, NULL);
    assert_true(text_has(got, "ANNOUNCE rtsp://127.0.0.1:"));
    assert_true(text_has(got, "m=video 0 RTP/AVP 96"));
    media = slice_find_slice(slice_of(got, n_got), SLICE("\r\n\r\n$"));
    assert_true(media < n_got); /* behind RECORD */
    assert_true(push_link_stop(out));
    assert_true(push_link_stop(out)); /* once is enough */
    expect_end("stopped");
    take();
    assert_true(slice_find_slice(slice_from(slice_of(got, n_got), media),
                                 SLICE("TEARDOWN rtsp://")) < n_got - media);
    finish();
}

static void refusals(void **state)
{
    static const struct {
        const char *but, *so, *why;
    } cases[] = {
        { "ANNOUNCE", "RTSP/1.0 404 Not Found\r\nCSeq: %u\r\n\r\n",
          "ANNOUNCE is answered 404 Not Found" },
        { "ANNOUNCE", "RTSP/1.0 401 Unauthorized\r\nCSeq: %u\r\n"
          "WWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
          "the server wants a user and a password" },
        { "SETUP", "RTSP/1.0 200 OK\r\nCSeq: %u\r\nSession: 1\r\n"
          "Transport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n\r\n",
          "the server chose other channels: " },
        { "RECORD", "RTSP/1.0 503 Full\r\nCSeq: %u\r\n\r\n",
          "RECORD is answered 503 Full" },
        { "ANNOUNCE", "HTTP/1.1 200 OK\r\nX: %u\r\n\r\n", "RTSP" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        assert_int_equal(push("rtsp", listen_here(), SESSION), 0);
        SERVE_UNTIL(said.n_gone, cases[i].but, cases[i].so);
        expect_end(cases[i].why);
        assert_false(said.live);
        finish();
    }
}

/* Its pictures are of another codec than those that were announced. */
static void another_codec(void **state)
{
    static const char es[] = "\0\0\0\1" AU_VPS265 "\0\0\0\1" AU_SPS265
                             "\0\0\0\1" AU_PPS265 "\0\0\0\1" AU_IDR265;
    char bytes[4000];

    (void)state;
    begin();
    assert_int_equal(push("rtsp", listen_here(), SESSION), 0);
    SERVE_UNTIL(said.live, NULL, NULL);
    assert_int_equal(ps_mux_init(&ps, PS_CODEC_H265, PS_CODEC_UNKNOWN, 8000000),
                     0);
    for (unsigned i = 0; !said.n_gone && i < 500; i++) {
        struct writer w = writer_of(bytes, sizeof(bytes));

        ps_mux_video(&ps, &w, slice_of(es, sizeof(es) - 1), pts90k, true);
        send_packet(bytes, w.len, true);
        pts90k += STEP90K;
        turn();
        serve(NULL, NULL);
    }
    expect_end("the stream has another codec now");
    finish();
}

/* ---- RTMP --------------------------------------------------------------------------- */

static void by_rtmp(void **state)
{
    static struct script script;

    (void)state;
    begin();
    assert_int_equal(push("rtmp", listen_here(), SESSION), 0);
    say_all(&script);
    for (unsigned i = 0; conn < 0 && i < 1000; i++, take())
        turn();
    assert_int_equal(send(conn, script.text, script.w.len, MSG_NOSIGNAL),
                     script.w.len);
    for (unsigned i = 0; !(said.live && said.bytes > 5000) && i < 3000; i++) {
        push_link_tell(out);
        send_picture(i % 5 == 0);
        turn();
        take();
    }
    assert_true(said.live);
    assert_true(slice_find_slice(slice_of(got, n_got), SLICE("publish")) < n_got);
    close(conn);
    conn = -1;
    expect_end("the server has closed the connection");
    finish();
}

static void rtmp_refused(void **state)
{
    static struct script script;

    (void)state;
    begin();
    assert_int_equal(push("rtmp", listen_here(), SESSION), 0);
    script_init(&script);
    say_hello(&script);
    say(&script, 3, 20, SLICE(RESULT ONE));
    say(&script, 3, 20, SLICE(RESULT FOUR "\x05\x00" SEVEN));
    say_status(&script, "error", "NetStream.Publish.BadName");
    for (unsigned i = 0; conn < 0 && i < 1000; i++, take())
        turn();
    assert_int_equal(send(conn, script.text, script.w.len, MSG_NOSIGNAL),
                     script.w.len);
    expect_end("NetStream.Publish.BadName");
    assert_false(said.live);
    finish();
}

/* ---- both --------------------------------------------------------------------------- */

static void nobody_listens(void **state)
{
    uint16_t port;

    (void)state;
    begin();
    port = listen_here();
    close(listener);
    assert_int_equal(push("rtmp", port, SESSION), 0);
    expect_end(uv_strerror(UV_ECONNREFUSED));
    listener = -1;
    finish();
}

static void nobody_answers(void **state)
{
    (void)state;
    begin();
    send_gops(2);
    hooks.begin_ms = BEGIN_MS;
    assert_int_equal(push("rtsp", listen_here(), SESSION), 0);
    expect_end("the server does not answer in time");
    finish();
}

/* The session is none, or ends while it is sent, or the loop does. */
static void the_stream_ends(void **state)
{
    static const char *const why[] = {
        "the stream has ended", "the stream has ended",
        "this server is stopping",
    };

    (void)state;
    for (unsigned how = 0; how < COUNT(why); how++) {
        begin();
        assert_int_equal(push("rtsp", listen_here(), SESSION + (how == 0)), 0);
        if (how > 0) {
            SERVE_UNTIL(said.live, NULL, NULL);
        }
        if (how == 1)
            media_net_forget(net, SESSION, 0);
        if (how == 2)
            media_net_close(net, on_net_closed, NULL);
        expect_end(why[how]);
        if (how < 2)
            media_net_close(net, on_net_closed, NULL);
        WAIT_FOR(net_closed);
        uv_run(&loop, UV_RUN_DEFAULT);
        stream_end();
        if (conn >= 0)
            close(conn);
        close(listener);
    }
}

/* The order to stop meets one that is over. */
static void stopped_at_the_end(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 8; turns++) {
        begin();
        assert_int_equal(push("rtmp", 1, SESSION), 0);
        for (unsigned i = 0; i < turns; i++)
            usleep(200);
        assert_true(push_link_stop(out));
        WAIT_FOR(said.n_gone);
        for (unsigned i = 0; i < 5; i++)
            turn();
        assert_int_equal(said.n_gone, 1);
        listener = conn = -1;
        finish();
    }
}

static void not_begun(void **state)
{
    (void)state;
    begin();
    assert_int_equal(push_link_start(&out, net, &hooks, 0, SESSION, LINK_ID,
                                     SLICE("http://127.0.0.1/x")), GB_ESYNTAX);
    assert_int_equal(push("rtsps", 1, SESSION), GB_EUNSUPPORTED); /* no hook */
    assert_int_equal(push_link_start(&out, net, &hooks, 9, SESSION, LINK_ID,
                                     SLICE("rtsp://127.0.0.1/x")), GB_ELIMIT);
    assert_int_equal(said.n_gone, 0);
    listener = conn = -1;
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_rtsp),
        cmocka_unit_test(refusals),
        cmocka_unit_test(another_codec),
        cmocka_unit_test(by_rtmp),
        cmocka_unit_test(rtmp_refused),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(the_stream_ends),
        cmocka_unit_test(stopped_at_the_end),
        cmocka_unit_test(not_begun),
    };

    signal(SIGPIPE, SIG_IGN); /* as the daemon has it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
