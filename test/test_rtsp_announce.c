#include "app/rtsp/announce.h"

#include "test/support.h"

#define SDP "v=0\r\n"
#define TEN "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN   \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN "1234567" /* 257 bytes */
#define BOTH 3u
/* MD5(MD5("me:r:pass"):n:MD5("ANNOUNCE:rtsp://h/x")) */
#define DIGEST "2210832d57a62f75c67c09aa5c0abb65"

static struct announce a;

static void begin(const char *url, unsigned tracks)
{
    static char text[PUSH_URL_MAX + 1];
    struct push_url u;

    slice_copy(text, sizeof(text), slice_str(url));
    assert_int_equal(push_url_parse(&u, slice_str(text)), 0);
    announce_begin(&a, &u, SLICE(SDP), tracks, 0x1234);
}

/* The request that is to be sent begins and ends so, and holds this. */
static void expect_request(const char *start, const char *part,
                           const char *end)
{
    struct slice out = announce_output(&a);

    if (!slice_has_prefix(out, slice_str(start)) ||
        (part && slice_find_slice(out, slice_str(part)) == out.n) ||
        !slice_eq(slice_from(out, out.n - strlen(end)), slice_str(end)))
        fail_msg("want %s .. %s .. %s, have %.*s", start, part, end,
                 SLICE_ARG(out));
    announce_sent(&a, out.n);
}

static int hear(const char *text, size_t step)
{
    struct slice in = slice_str(text);
    int err = 0;

    while (in.n && !err) {
        char *to;
        size_t room = announce_room(&a, &to);
        size_t n = in.n < step ? in.n : step;

        assert_true(room > 0);
        n = n < room ? n : room;
        memcpy(to, in.p, n);
        err = announce_input(&a, n);
        in = slice_from(in, n);
    }
    return err;
}

static void publishes(void **state)
{
    (void)state;
    for (size_t step = 1; step < 60; step++) {
        begin("rtsp://u:p@h:8554/live/x", BOTH);
        expect_request("ANNOUNCE rtsp://h:8554/live/x RTSP/1.0\r\nCSeq: 1\r\n",
                       "Content-Length: 5\r\n", "\r\n\r\n" SDP);
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", step), 0);
        expect_request("SETUP rtsp://h:8554/live/x/trackID=0 RTSP/1.0\r\n",
                       "unicast;interleaved=0-1;mode=record\r\n", "\r\n\r\n");
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession: a1;"
                              "timeout=60\r\nTransport: RTP/AVP/TCP;unicast;"
                              "interleaved=0-1\r\n\r\n", step), 0);
        expect_request("SETUP rtsp://h:8554/live/x/trackID=1 RTSP/1.0\r\n",
                       "Session: a1\r\n", "\r\n\r\n");
        /* packets and answers to nothing in between */
        assert_int_equal(hear("$\x01\x01\x01" LONG
                              "RTSP/1.0 500 No\r\nCSeq: 99\r\n\r\n"
                              "RTSP/1.0 100 Continue\r\nCSeq: 3\r\n\r\n"
                              "RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", step),
                         0);
        expect_request("RECORD rtsp://h:8554/live/x RTSP/1.0\r\n",
                       "Session: a1\r\n", "\r\n\r\n");
        begin("rtsp://h/x", 2);
        expect_request("ANNOUNCE", NULL, SDP);
        assert_int_equal(hear("RTSP/1.0 200 OK\r\n\r\n", step), 0);
        expect_request("SETUP rtsp://h/x/trackID=1", "interleaved=2-3",
                       "\r\n\r\n");
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nSession: b\r\n\r\n", step),
                         0);
        expect_request("RECORD rtsp://h/x RTSP/1.0", "Range: npt=0.000-",
                       "\r\n\r\n");
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", step), 0);
        assert_int_equal(a.state, ANNOUNCE_LIVE);
        assert_int_equal(announce_output(&a).n, 0);
        assert_int_equal(hear("RTSP/1.0 454 No\r\nCSeq: 3\r\n\r\n", step), 0);
        announce_bye(&a);
        expect_request("TEARDOWN rtsp://h/x RTSP/1.0", "Session: b\r\n",
                       "\r\n\r\n");
    }
}

static void proves(void **state)
{
    (void)state;
    begin("rtsp://me:pass@h/x", 1);
    expect_request("ANNOUNCE", NULL, SDP);
    assert_int_equal(hear("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n"
                          "WWW-Authenticate: Basic realm=\"r\"\r\n\r\n", 7),
                     0);
    /* base64 of me:pass */
    expect_request("ANNOUNCE rtsp://h/x RTSP/1.0\r\nCSeq: 2\r\n",
                   "Authorization: Basic bWU6cGFzcw==\r\n", SDP);
    assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n", 9), 0);
    expect_request("SETUP", "Authorization: Basic", "\r\n\r\n");

    /* Digest goes first, here without qop (RFC 2069) */
    begin("rtsp://me:pass@h/x", 1);
    expect_request("ANNOUNCE", NULL, SDP);
    assert_int_equal(hear("RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n"
                          "WWW-Authenticate: Basic realm=\"r\"\r\n"
                          "WWW-Authenticate: Digest realm=\"r\", "
                          "nonce=\"n\"\r\n\r\n", 7), 0);
    expect_request("ANNOUNCE", "response=\"" DIGEST "\"", SDP);
    assert_int_equal(hear("RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\n"
                          "WWW-Authenticate: Digest realm=\"r\", "
                          "nonce=\"m\"\r\n\r\n", 7), GB_EIO);
    assert_string_equal(a.why, "the server does not accept the password");
}

static void refusals(void **state)
{
    static const struct {
        const char *url, *text, *why;
    } cases[] = {
        { "rtsp://h/x", "RTSP/1.0 404 Not\x01" "Found\r\nCSeq: 1\r\n\r\n",
          "ANNOUNCE is answered 404 Not'Found" },
        { "rtsp://h/x", "RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n",
          "the server wants a user and a password" },
        { "rtsp://u:p@h/x", "RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n",
          "the server wants a proof that is not known here" },
        { "rtsp://h/x", "RTSP/1.0 302 Moved\r\nLocation: rtsp://i/\r\n\r\n",
          "ANNOUNCE is answered 302 Moved" },
        { "rtsp://h/x", "HTTP/1.1 400 Bad\r\n\r\n",
          "what answers does not speak RTSP" },
        { "rtsp://h/x", "RTSP/1.0 x\r\n\r\n", "the answer is no RTSP" },
        { "rtsp://h/x", "RTSP/1.0 200 OK\r\nSession: a b\r\n\r\n",
          "a session id that cannot be one" },
        { "rtsp://h/x",
          "RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 200 OK\r\nTransport: "
          "RTP/AVP/TCP;interleaved=4-5\r\n\r\n",
          "the server chose other channels: RTP/AVP/TCP;interleaved=4-5" },
        { "rtsp://h/x",
          "RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 200 OK\r\nTransport: "
          "RTP/AVP/TCP;Interleaved=4-5\r\n\r\n",
          "the server chose other channels: RTP/AVP/TCP;Interleaved=4-5" },
        { "rtsp://h/x",
          "RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 200 OK\r\nTransport: "
          "RTP/AVP/TCP;interleaved=0-12\r\n\r\n",
          "the server chose other channels: RTP/AVP/TCP;interleaved=0-12" },
        { "rtsp://h/x",
          "RTSP/1.0 200 OK\r\n\r\nRTSP/1.0 200 OK\r\nTransport: "
          "RTP/AVP;unicast;server_port=4-5\r\n\r\n",
          "the server chose other channels: RTP/AVP;unicast;server_port=4-5" },
        { "rtsp://h/x", "REDIRECT rtsp://h/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
          "the server wants the stream at another one" },
        { "rtsp://h/x", "TEARDOWN rtsp://h/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
          "the server has ended the session" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i].url, 1);
        if (hear(cases[i].text, 3) != GB_EIO ||
            strcmp(a.why, cases[i].why) != 0)
            fail_msg("%s: %s", cases[i].text, a.why);
        assert_int_equal(a.state, ANNOUNCE_FAILED);
    }
}

/* Some servers ask whether the publisher is there. */
static void is_asked(void **state)
{
    (void)state;
    for (size_t step = 1; step < 60; step += 7) {
        begin("rtsp://h/x", 1);
        expect_request("ANNOUNCE", NULL, SDP);
        assert_int_equal(hear("OPTIONS * RTSP/1.0\r\nCSeq: 70\r\n\r\n"
                              "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", step), 0);
        expect_request("RTSP/1.0 200 OK\r\nCSeq: 70\r\n", "SETUP",
                       "\r\n\r\n");
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n", step), 0);
        expect_request("RECORD", NULL, "\r\n\r\n");
        assert_int_equal(hear("RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", step), 0);
        assert_int_equal(a.state, ANNOUNCE_LIVE);
        assert_int_equal(hear("GET_PARAMETER rtsp://h/x RTSP/1.0\r\n"
                              "CSeq: 71\r\nContent-Length: 6\r\n\r\nping\r\n",
                              step), 0);
        expect_request("RTSP/1.0 200 OK\r\nCSeq: 71\r\n", NULL, "\r\n\r\n");
        assert_int_equal(hear("PLAY_NOTIFY * RTSP/1.0\r\nCSeq: 72\r\n\r\n",
                              step), 0);
        expect_request("RTSP/1.0 501 ", "CSeq: 72\r\n", "\r\n\r\n");
        assert_int_equal(a.state, ANNOUNCE_LIVE);
    }
    for (unsigned i = 0; i < 1000 && a.state == ANNOUNCE_LIVE; i++)
        hear("OPTIONS * RTSP/1.0\r\nCSeq: 73\r\n\r\n", 99);
    assert_string_equal(a.why, "the server asks too much"); /* nothing is sent */
}

static void too_long(void **state)
{
    static char sdp[RTSP_SDP_MAX + 1];
    struct push_url u;
    unsigned i;

    (void)state;
    assert_int_equal(push_url_parse(&u, SLICE("rtsp://h/x")), 0);
    announce_begin(&a, &u, slice_of(sdp, sizeof(sdp)), 1, 0);
    assert_string_equal(a.why, "the parameter sets are too long");
    announce_begin(&a, &u, slice_of(sdp, RTSP_SDP_MAX), 1, 0);
    assert_int_equal(a.state, ANNOUNCE_ANNOUNCING);
    begin("rtsp://h/x", 1);
    assert_int_equal(hear("RTSP/1.0 200 OK\r\n", 100), 0);
    for (i = 0; i < 1000; i++)
        if (hear("X: 0123456789012345678901234567890123456789\r\n", 100))
            break;
    assert_in_range(i, 50, 200);
    assert_string_equal(a.why, "the answer is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes),
        cmocka_unit_test(proves),
        cmocka_unit_test(refusals),
        cmocka_unit_test(is_asked),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
