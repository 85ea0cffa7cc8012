/* The SDP parser and writer against tables, captures and themselves. */
#include "test/support.h"

#include "sdp/gbext.h"
#include "sdp/offer.h"
#include "sdp/sdp.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "v=0\r\no=34020000002000000001 0 0 IN IP4 10.0.0.6\r\ns=Play\r\n" \
             "c=IN IP4 10.0.0.6\r\nt=0 0\r\n"
#define MEDIA "m=video 30010 RTP/AVP 96\r\n"

static const char camera_answer[] =
    "v=0\r\n"
    "o=34020000001310000007 2243 2243 IN IP4 10.0.1.20\r\n"
    "s=Play\r\n"
    "i=VCam Live Video\r\n"
    "c=IN IP4 10.0.1.20\r\n"
    "t=0 0\r\n"
    "m=video 10032 TCP/RTP/AVP 96\r\n"
    "a=sendonly\r\n"
    "a=rtpmap:96 PS/90000\r\n"
    "a=streamprofile:0\r\n"
    "a=streamnumber:0\r\n"
    "a=setup:active\r\n"
    "a=connection:new\r\n"
    "y=0200004321\r\n"
    "f=v/0/0/0/0/0a/0/0/0\r\n";

/* Bodies live in the capture behind the empty line. */
static struct slice body_of(struct slice message)
{
    static const struct slice sep[] = { S("\r\n\r\n"), S("\n\n") };

    for (size_t i = 0; i < COUNT(sep); i++) {
        size_t at = slice_find_slice(message, sep[i]);

        if (at < message.n)
            return slice_from(message, at + sep[i].n);
    }
    fail_msg("no body");
    return message;
}

static void assert_slice(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("got \"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static void whole_answer(void **state)
{
    struct sdp s;
    const struct sdp_media *m = &s.media[0];

    (void)state;
    assert_int_equal(
        sdp_parse(&s, guarded(slice_str(camera_answer)), NULL), 0);
    assert_slice(s.origin_user, "34020000001310000007");
    assert_slice(s.origin_id, "2243");
    assert_slice(s.origin.host, "10.0.1.20");
    assert_slice(s.info, "VCam Live Video");
    assert_slice(s.conn.host, "10.0.1.20");
    assert_true(s.has_time && s.start_s == 0 && s.stop_s == 0);
    assert_int_equal(s.operation, SDP_PLAY);
    assert_true(s.has_ssrc);
    assert_int_equal(s.ssrc, 200004321);
    assert_slice(s.format, "v/0/0/0/0/0a/0/0/0");
    assert_int_equal(s.n_media, 1);
    assert_int_equal(m->type, SDP_VIDEO);
    assert_int_equal(m->proto, SDP_TCP_RTP_AVP);
    assert_int_equal(m->port, 10032);
    assert_int_equal(m->direction, SDP_SENDONLY);
    assert_int_equal(m->setup, SDP_ACTIVE);
    assert_int_equal(m->connection, SDP_NEW);
    assert_int_equal(m->select.streamnumber, 0);
    assert_int_equal(m->select.streamprofile, 0);
    assert_int_equal(m->select.stream, -1);
    assert_int_equal(m->n_formats, 1);
    assert_slice(m->formats[0].encoding, "PS");
    assert_int_equal(m->formats[0].clock_hz, 90000);
    assert_int_equal(s.n_skipped, 0);
}

/* Each leniency and each refusal with a name. */
static void bodies(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
    } cases[] = {
        { "plain", S(HEAD MEDIA), 0 },
        { "empty", S(""), GB_ESYNTAX },
        { "no m=", S(HEAD), GB_ESYNTAX },
        { "only m=", S("m=video 1 RTP/AVP 96"), 0 },
        { "lf ends", S("v=0\ns=Play\nm=video 1 RTP/AVP 96\n"), 0 },
        { "cr ends", S("v=0\rs=Play\rm=video 1 RTP/AVP 96"), 0 },
        { "mixed ends", S("v=0\r\ns=Play\n\rm=video 1 RTP/AVP 96\r"), 0 },
        { "m before the rest", S(MEDIA HEAD), 0 },
        { "blank before =", S(HEAD "m =video 1 RTP/AVP 96"), 0 },
        { "blanks around", S("  m= video  1   RTP/AVP  96  "), 0 },
        { "unknown lines", S("x=1\r\nhello\r\n=\r\nz\r\n" MEDIA), 0 },
        { "port 0", S("m=video 0 RTP/AVP 96"), 0 },
        { "port and count", S("m=video 30000/2 RTP/AVP 96"), 0 },
        { "no formats", S("m=video 30000 RTP/AVP"), 0 },
        { "lower-case proto", S("m=video 1 tcp/rtp/avp 96"), 0 },
        { "annex O", S("m=video 9 tcp 96 97 98"), 0 },
        { "port too large", S("m=video 65536 RTP/AVP 96"), GB_EUNSUPPORTED },
        { "port no number", S("m=video x RTP/AVP 96"), GB_EUNSUPPORTED },
        { "no proto", S("m=video 30000"), GB_EUNSUPPORTED },
        { "empty m=", S("m="), GB_EUNSUPPORTED },
        { "SRTP", S("m=video 1 RTP/SAVP 96"), GB_EUNSUPPORTED },
        { "other media", S("m=application 1 RTP/AVP 96"), GB_EUNSUPPORTED },
        { "second one usable",
          S("m=application 1 x 96\r\nm=audio 1 RTP/AVP 8"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_diag diag = { 0 };
        struct sdp s;
        int err = sdp_parse(&s, guarded(cases[i].in), &diag);

        if (err != cases[i].err || (err && !diag.why))
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static void too_long(void **state)
{
    static char big[SDP_MAX_BYTES + 1];
    struct sdp s;

    (void)state;
    memset(big, '\n', sizeof(big));
    memcpy(big, MEDIA, sizeof(MEDIA) - 1);
    assert_int_equal(sdp_parse(&s, slice_of(big, SDP_MAX_BYTES), NULL), 0);
    assert_int_equal(sdp_parse(&s, slice_of(big, SDP_MAX_BYTES + 1), NULL),
                     GB_ELIMIT);
}

static void times(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool has;
        uint64_t start, stop;
    } cases[] = {
        { "unix", S("t=1711929600 1711933200"), true, 1711929600, 1711933200 },
        { "ntp", S("t=3920918400 3920922000"), true, 1711929600, 1711933200 },
        { "stop 0", S("t=1711929600 0"), true, 1711929600, 0 },
        { "one number", S("t=1711929600"), true, 1711929600, 0 },
        { "after 2038", S("t=2147483648 2208988799"), true, 2147483648,
          2208988799 },
        { "absent", S(""), false, 0, 0 },
        { "words", S("t=now later"), false, 0, 0 },
        { "huge", S("t=99999999999999999999 0"), false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256];
        struct sdp s;
        int n = snprintf(text, sizeof(text), "%.*s\r\n" MEDIA,
                         SLICE_ARG(cases[i].in));

        assert_int_equal(sdp_parse(&s, slice_of(text, (size_t)n), NULL), 0);
        if (s.has_time != cases[i].has || s.start_s != cases[i].start ||
            s.stop_s != cases[i].stop)
            fail_msg("%s: %llu %llu", cases[i].name,
                     (unsigned long long)s.start_s,
                     (unsigned long long)s.stop_s);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        const char *want; /* NULL: none usable */
    } cases[] = {
        { "session", S("c=IN IP4 10.0.0.6\r\n" MEDIA), "10.0.0.6:30010" },
        { "media wins", S("c=IN IP4 10.0.0.6\r\n" MEDIA "c=IN IP4 10.0.0.7"),
          "10.0.0.7:30010" },
        { "origin last", S("o=a 0 0 IN IP4 10.0.0.8\r\n" MEDIA),
          "10.0.0.8:30010" },
        { "empty c=", S("o=a 0 0 IN IP4 10.0.0.8\r\nc=IN IP4 \r\n" MEDIA),
          "10.0.0.8:30010" },
        { "any", S("c=IN IP4 0.0.0.0\r\n" MEDIA), NULL },
        { "host name", S("c=IN IP4 camera.local\r\n" MEDIA), NULL },
        { "host:port", S("c=IN IP4 10.0.0.6:5060\r\n" MEDIA),
          "10.0.0.6:30010" },
        { "ttl", S("c=IN IP4 10.0.0.6/127\r\n" MEDIA), "10.0.0.6:30010" },
        { "ipv6", S("c=IN IP6 2001:db8::1\r\n" MEDIA), "[2001:db8::1]:30010" },
        { "brackets", S("c=IN IP6 [2001:db8::1]\r\n" MEDIA),
          "[2001:db8::1]:30010" },
        { "ipv6 as IP4", S("c=IN IP4 2001:db8::1\r\n" MEDIA),
          "[2001:db8::1]:30010" },
        { "bare address", S("c=10.0.0.6\r\n" MEDIA), "10.0.0.6:30010" },
        { "nothing", S(MEDIA), NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[GB_ADDR_TEXT_MAX] = "";
        struct gb_addr a;
        struct sdp s;
        bool has;

        assert_int_equal(sdp_parse(&s, guarded(cases[i].in), NULL), 0);
        has = sdp_media_addr(&s, &s.media[0], &a);
        if (has != (cases[i].want != NULL) ||
            (has && strcmp(gb_addr_text(&a, text), cases[i].want) != 0))
            fail_msg("%s: %s", cases[i].name, text);
    }
}

static void attributes(void **state)
{
    struct slice v;
    struct sdp s;
    const struct sdp_media *m = &s.media[0];

    (void)state;
    assert_int_equal(
        sdp_parse(&s,
                  guarded(SLICE(MEDIA "A=x\r\n" /* not a line type */
                                      "a=Setup:Passive\r\n"
                                      "a=CONNECTION : existing\r\n"
                                      "a=streamMode:MAIN\r\n"
                                      "a=stream:1\r\n"
                                      "a=downloadspeed:4\r\n"
                                      "a=fileszie:123456789012\r\n"
                                      "a=ptime:40\r\n"
                                      "a=svcspace:2\r\n"
                                      "a=fmtp:96 mode=x; y=1 \r\n"
                                      "a=rtpmap:99 H265/90000\r\n"
                                      "a=vkek:20240501 QUJD\r\n"
                                      "a=username:a:b\r\n"
                                      "a=\r\n")),
                  NULL),
        0);
    assert_int_equal(m->setup, SDP_PASSIVE);
    assert_int_equal(m->connection, SDP_EXISTING);
    assert_int_equal(m->select.mode, SDP_MODE_MAIN);
    assert_int_equal(m->select.stream, 1);
    assert_int_equal(m->downloadspeed, 4);
    assert_true(m->filesize_bytes == 123456789012ull);
    assert_int_equal(m->ptime_ms, 40);
    assert_true(m->encrypted);
    assert_slice(m->formats[0].fmtp, "mode=x; y=1");
    assert_true(sdp_attr(m, SLICE("SvcSpace"), &v));
    assert_slice(v, "2");
    assert_true(sdp_attr(m, SLICE("username"), &v));
    assert_slice(v, "a:b");
    assert_false(sdp_attr(m, SLICE("password"), &v));
    assert_int_equal(s.n_skipped, 1); /* rtpmap of a format not in m= */
}

static void unknown_sizes(void **state)
{
    static const char *const in[] = { "0", "-1", "", "many",
                                      "99999999999999999999" };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        char text[128];
        struct sdp s;
        int n = snprintf(text, sizeof(text), MEDIA "a=filesize:%s", in[i]);

        assert_int_equal(sdp_parse(&s, slice_of(text, (size_t)n), NULL), 0);
        assert_true(s.media[0].filesize_bytes == 0);
    }
}

/* Before the first m= an attribute is a default of every section. */
static void defaults(void **state)
{
    struct sdp s;

    (void)state;
    assert_int_equal(
        sdp_parse(&s,
                  guarded(SLICE("a=sendrecv\r\na=rtpmap:8 PCMA/8000/1\r\n"
                                "a=x:1\r\n"
                                "m=audio 1 RTP/AVP 8\r\n"
                                "m=audio x RTP/AVP 8\r\na=inactive\r\n"
                                "m=audio 3 RTP/AVP 8\r\na=recvonly\r\n")),
                  NULL),
        0);
    assert_int_equal(s.n_media, 2);
    assert_int_equal(s.n_skipped, 1);
    assert_int_equal(s.media[0].direction, SDP_SENDRECV);
    assert_slice(s.media[0].formats[0].encoding, "PCMA");
    assert_int_equal(s.media[0].formats[0].channels, 0);
    assert_int_equal(s.media[0].n_other, 1);
    assert_int_equal(s.media[1].direction, SDP_RECVONLY);
    assert_int_equal(s.media[1].n_other, 1);
}

static void ssrc_binding(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int64_t first, second; /* -1: none */
    } cases[] = {
        { "none", S("m=audio 1 RTP/AVP 8\r\nm=audio 2 RTP/AVP 8"), -1, -1 },
        { "in front", S("y=0000000007\r\nm=audio 1 RTP/AVP 8\r\n"
                        "m=audio 2 RTP/AVP 8"), 7, 7 },
        { "one behind the first", S("m=audio 1 RTP/AVP 8\r\ny=7\r\n"
                                    "m=audio 2 RTP/AVP 8"), 7, 7 },
        { "two", S("m=audio 1 RTP/AVP 8\r\ny=7\r\n"
                   "m=audio 2 RTP/AVP 8\r\ny=8"), 7, 8 },
        { "unreadable", S("y=0x12\r\nm=audio 1 RTP/AVP 8\r\n"
                          "m=audio 2 RTP/AVP 8\r\ny=4294967296"), -1, -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t got[2] = { -1, -1 };
        struct sdp s;

        assert_int_equal(sdp_parse(&s, guarded(cases[i].in), NULL), 0);
        for (size_t k = 0; k < 2; k++) {
            uint32_t ssrc;

            if (sdp_ssrc(&s, &s.media[k], &ssrc))
                got[k] = ssrc;
        }
        if (got[0] != cases[i].first || got[1] != cases[i].second)
            fail_msg("%s", cases[i].name);
    }
}

/* More of everything than there is room for: counted, never written past. */
static void limits(void **state)
{
    static char text[SDP_MAX_BYTES];
    struct writer w = writer_of(text, sizeof(text));
    struct sdp s;

    (void)state;
    for (unsigned m = 0; m < 9; m++) {
        writer_f(&w, "m=video %u RTP/AVP", m + 1);
        for (unsigned i = 0; i < 40; i++)
            writer_f(&w, " %u", i + 60);
        writer_str(&w, "\r\n");
        for (unsigned i = 0; i < 40; i++)
            writer_f(&w, "a=x%u:y\r\n", i);
    }
    assert_int_equal(w.err, 0);
    assert_int_equal(sdp_parse(&s, guarded(writer_slice(&w)), NULL), 0);
    assert_int_equal(s.n_media, SDP_MAX_MEDIA);
    for (size_t i = 0; i < s.n_media; i++) {
        assert_int_equal(s.media[i].n_formats, SDP_MAX_FORMATS);
        assert_int_equal(s.media[i].n_other, SDP_MAX_OTHER);
    }
    assert_true(s.n_skipped > 9 - SDP_MAX_MEDIA);
}

/* ---- writing ---- */

static struct slice written(const struct sdp *s, char *buf, size_t cap)
{
    struct writer w = writer_of(buf, cap);

    sdp_write(&w, s);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

/* A camera's answer is written by the rules of the standard, so it comes out
 * as it went in. */
static void verbatim(void **state)
{
    char buf[1024];
    struct sdp s;
    struct slice out;

    (void)state;
    assert_int_equal(sdp_parse(&s, slice_str(camera_answer), NULL), 0);
    out = written(&s, buf, sizeof(buf));
    assert_slice(out, camera_answer);
}

/* Lines that cameras seldom have, each in its place. */
static void seldom_lines(void **state)
{
    static const char body[] =
        "v=0\r\n"
        "o=34020000002000000001 7 8 IN IP4 192.0.2.1\r\n"
        "s=Play\r\n"
        "i=a camera\r\n"
        "u=34020000001320000001:0\r\n"
        "t=0 0\r\n"
        "m=audio 6000 RTP/AVP 104 8\r\n"
        "c=IN IP6 2001:db8::1\r\n"
        "a=sendonly\r\n"
        "a=rtpmap:104 mpeg4-generic/48000/2\r\n"
        "a=fmtp:104 mode=AAC-hbr\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=ptime:40\r\n"
        "y=0100000001\r\n"
        "m=video 6002 RTP/AVP 96\r\n"
        "c=IN IP4 192.0.2.2\r\n"
        "a=inactive\r\n"
        "a=rtpmap:96 PS/90000\r\n"
        "a=stream:1\r\n"
        "a=streamMode:sub\r\n"
        "y=0100000002\r\n";
    char buf[1024];
    struct sdp s;

    (void)state;
    assert_int_equal(sdp_parse(&s, guarded(slice_str(body)), NULL), 0);
    assert_slice(written(&s, buf, sizeof(buf)), body);
}

static void on_capture(void *ctx, const char *path, struct slice bytes)
{
    struct slice body, out;
    char one[2048], two[2048], golden[256];
    struct sdp s, again;

    (void)ctx;
    if (slice_find_slice(bytes, SLICE("v=0")) == bytes.n)
        return;
    body = body_of(bytes);
    assert_int_equal(sdp_parse(&s, guarded(body), NULL), 0);
    assert_int_equal(s.n_skipped, 0);
    assert_int_equal(sdp_parse(&s, body, NULL), 0);
    out = written(&s, one, sizeof(one));
    assert_int_equal(sdp_parse(&again, out, NULL), 0);
    assert_true(slice_eq(out, written(&again, two, sizeof(two))));
    snprintf(golden, sizeof(golden), "test/data/sdp/capture-%s.sdp",
             strrchr(path, '/') + 1);
    expect_golden(golden, out);
}

static void captures(void **state)
{
    (void)state;
    each_file("test/data/sip", ".sip", on_capture, NULL);
}

/* Nothing that a value holds begins a line of its own. */
static void no_injection(void **state)
{
    char buf[1024];
    struct slice out;
    struct sdp s;
    struct sdp_media *m;

    (void)state;
    sdp_init(&s);
    s.name = SLICE("Play\r\na=evil");
    s.uri = SLICE("1\ny=0000000001");
    s.format = SLICE("v/\r\n\0a");
    s.has_format = true;
    m = sdp_add_media(&s, SDP_VIDEO, SDP_RTP_AVP);
    m->other[m->n_other++] = SLICE("x\r\nm=audio 1 RTP/AVP 8");
    out = written(&s, buf, sizeof(buf));
    assert_slice(out, "v=0\r\no=- 0 0 IN IP4 \r\ns=Playa=evil\r\n"
                      "u=1y=0000000001\r\nt=0 0\r\nm=video 0 RTP/AVP\r\n"
                      "a=xm=audio 1 RTP/AVP 8\r\nf=v/a\r\n");
}

/* Every prefix of a body parses or fails without a step past its end, and
 * every room smaller than the text fails. */
static void prefixes(void **state)
{
    struct slice all = slice_str(camera_answer);
    size_t m_line = slice_find_slice(all, SLICE("m=video 10032 T"));
    struct sdp s;

    (void)state;
    for (size_t n = 0; n <= all.n; n++) {
        int err = sdp_parse(&s, guarded(slice_head(all, n)), NULL);

        if (n <= m_line)
            assert_int_equal(err, GB_ESYNTAX);
        if (n == all.n)
            assert_int_equal(err, 0);
    }
    for (size_t cap = 0; cap < all.n; cap++) {
        char buf[1024];
        struct writer w = writer_of(buf, cap);

        sdp_write(&w, &s);
        assert_int_equal(w.err, GB_ENOMEM);
    }
}

/* ---- offers and answers ---- */

static struct gb_addr addr(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(text), 0), 0);
    return a;
}

static struct sdp_offer offer_of(enum sdp_operation op, enum sdp_transport t)
{
    struct sdp_offer o = {
        .operation = op,
        .transport = t,
        .owner = SLICE("34020000002000000001"),
        .addr = addr("10.0.0.6:30010"),
        .ssrc = sdp_is_history(op) ? 1200004321 : 200004321,
        .select = SDP_SELECT_NONE,
    };

    if (sdp_is_history(op)) {
        o.channel = SLICE("34020000001310000007");
        o.start_s = 1711929600;
        o.stop_s = 1711933200;
        o.downloadspeed = 4;
    }
    return o;
}

static const char *const op_file[] = { "play", "playback", "download",
                                       "talk" };
static const char *const transport_file[] = { "udp", "tcp-passive",
                                              "tcp-active" };

/* Play, playback, download and talk over every transport: our offer, and the
 * answer that the sender gives to it. */
static void golden_pairs(void **state)
{
    (void)state;
    for (unsigned op = 0; op < SDP_OPERATION_COUNT; op++) {
        for (unsigned t = 0; t < 3; t++) {
            char offer[2048], answer[2048], path[128];
            struct sdp_offer o =
                offer_of((enum sdp_operation)op, (enum sdp_transport)t);
            struct writer w = writer_of(offer, sizeof(offer));
            struct sdp_answer a = {
                .owner = SLICE("34020000001310000007"),
                .addr = addr("10.0.1.20:10032"),
                .ssrc = o.ssrc,
                .filesize_bytes = op == SDP_DOWNLOAD ? 7340032 : 0,
            };
            struct sdp_agreed g;
            struct sdp s, back;

            sdp_offer_write(&w, &o);
            assert_int_equal(w.err, 0);
            snprintf(path, sizeof(path), "test/data/sdp/offer-%s-%s.sdp",
                     op_file[op], transport_file[t]);
            expect_golden(path, writer_slice(&w));

            assert_int_equal(sdp_parse(&s, writer_slice(&w), NULL), 0);
            assert_int_equal(s.operation, (int)op);
            assert_int_equal(sdp_choose_format(&s.media[0], &a.pt), 0);
            assert_int_equal(a.pt, op == SDP_TALK ? 8 : 96);
            assert_int_equal(sdp_answer_transport(&s.media[0]),
                             t == SDP_UDP           ? SDP_ANSWER_UDP
                             : t == SDP_TCP_PASSIVE ? SDP_ANSWER_CONNECT
                                                    : SDP_ANSWER_LISTEN);
            w = writer_of(answer, sizeof(answer));
            sdp_answer_write(&w, &s, &s.media[0], &a);
            assert_int_equal(w.err, 0);
            snprintf(path, sizeof(path), "test/data/sdp/answer-%s-%s.sdp",
                     op_file[op], transport_file[t]);
            expect_golden(path, writer_slice(&w));

            assert_int_equal(sdp_parse(&back, writer_slice(&w), NULL), 0);
            assert_int_equal(sdp_agree(&g, &o, &back), 0);
            assert_false(g.refused || g.either || g.retry_udp ||
                         g.ssrc_changed);
            assert_true(g.has_addr && g.has_format);
            assert_int_equal(g.addr.port, 10032);
            assert_int_equal(g.format.pt, a.pt);
            assert_int_equal(g.ssrc, o.ssrc);
        }
    }
}

/* The template of the standard's play, and the INVITE that asks for a stream
 * in three vendors' words. */
static void golden_selection(void **state)
{
    struct sdp_offer o = offer_of(SDP_PLAY, SDP_TCP_PASSIVE);
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    o.select = sdp_select_make(1, false);
    o.extra = SLICE("streamMode:sub\r\n\r\na=stream:1\n");
    o.format = SLICE("v/////a/1/8/1");
    sdp_offer_write(&w, &o);
    assert_int_equal(w.err, 0);
    expect_golden("test/data/sdp/offer-play-sub.sdp", writer_slice(&w));

    o.minimal = true;
    w = writer_of(buf, sizeof(buf));
    sdp_offer_write(&w, &o);
    expect_golden("test/data/sdp/offer-play-minimal.sdp", writer_slice(&w));

    o = offer_of(SDP_PLAY, SDP_UDP);
    o.addr = addr("[2001:db8::6]:30010");
    w = writer_of(buf, sizeof(buf));
    sdp_offer_write(&w, &o);
    expect_golden("test/data/sdp/offer-play-ipv6.sdp", writer_slice(&w));
}

/* A device invites us for a voice broadcast. */
static void golden_broadcast(void **state)
{
    static const struct {
        const char *file;
        struct slice offer;
        enum sdp_answer_transport transport;
        uint8_t pt;
    } cases[] = {
        { "udp",
          S("v=0\r\no=34020000001370000001 0 0 IN IP4 10.0.1.20\r\ns=Play\r\n"
            "c=IN IP4 10.0.1.20\r\nt=0 0\r\nm=audio 9712 RTP/AVP 8 96\r\n"
            "a=recvonly\r\na=rtpmap:8 PCMA/8000/1\r\na=rtpmap:96 PS/90000\r\n"
            "y=0022371912\r\nf=v/0/0/0/0/0a/1/8/1\r\n"),
          SDP_ANSWER_UDP, 8 },
        { "tcp-active",
          S("v=0\r\no=34020000001370000001 0 0 IN IP4 10.0.1.20\r\n"
            "s=Embedded Net DVR\r\nc=IN IP4 10.0.1.20\r\nt=0 0\r\n"
            "m=audio 0 TCP/RTP/AVP 8\r\na=recvonly\r\n"
            "a=rtpmap:8 PCMA/8000\r\na=setup:active\r\na=connection:new\r\n"
            "y=0200000123\r\n"),
          SDP_ANSWER_LISTEN, 8 },
        { "ps-only",
          S("v=0\r\nm=audio 40100 TCP/RTP/AVP 96\r\na=setup:passive\r\n"
            "a=rtpmap:96 PS/90000\r\n"),
          SDP_ANSWER_CONNECT, 96 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[1024], path[128];
        struct writer w = writer_of(buf, sizeof(buf));
        struct sdp_answer a = { .owner = SLICE("34020000002000000001"),
                                .addr = addr("10.0.0.6:30100"),
                                .format = SDP_F_AUDIO };
        const struct sdp_media *m;
        struct sdp s;

        assert_int_equal(sdp_parse(&s, guarded(cases[i].offer), NULL), 0);
        m = sdp_find_media(&s, SDP_AUDIO);
        assert_non_null(m);
        assert_int_equal(s.operation, SDP_PLAY);
        assert_int_equal(sdp_answer_transport(m), cases[i].transport);
        assert_int_equal(sdp_choose_format(m, &a.pt), 0);
        assert_int_equal(a.pt, cases[i].pt);
        if (!sdp_ssrc(&s, m, &a.ssrc))
            a.ssrc = 200000777;
        sdp_answer_write(&w, &s, m, &a);
        assert_int_equal(w.err, 0);
        snprintf(path, sizeof(path), "test/data/sdp/answer-broadcast-%s.sdp",
                 cases[i].file);
        expect_golden(path, writer_slice(&w));
    }
}

static void no_format(void **state)
{
    char buf[512];
    struct writer w = writer_of(buf, sizeof(buf));
    struct sdp_answer a = { .pt = 8, .addr = addr("10.0.0.6:1") };
    struct sdp s;
    uint8_t pt;

    (void)state;
    assert_int_equal(sdp_parse(&s, SLICE("m=video 1 RTP/AVP 98 99"), NULL), 0);
    assert_int_equal(sdp_choose_format(&s.media[0], &pt), GB_EUNSUPPORTED);
    sdp_answer_write(&w, &s, &s.media[0], &a);
    assert_int_equal(w.err, GB_EUNSUPPORTED);
    assert_int_equal(w.len, 0);
}

/* What the answers seen in the field make of our offer. */
static void agreements(void **state)
{
    enum { REFUSED = 1, EITHER = 2, RETRY = 4, CHANGED = 8, NO_FORMAT = 16,
           NO_PORT = 32 };
    static const struct {
        const char *name;
        enum sdp_transport ours;
        struct slice answer;
        enum sdp_setup peer;
        unsigned flags;
        uint32_t ssrc;
    } cases[] = {
        { "udp", SDP_UDP, S("m=video 9 RTP/AVP 96\ny=0200004321"),
          SDP_SETUP_NONE, 0, 200004321 },
        { "setup in an answer to udp", SDP_UDP,
          S("m=video 9 RTP/AVP 96\na=setup:active\na=filesize:0\nf="),
          SDP_SETUP_NONE, 0, 200004321 },
        { "own ssrc", SDP_UDP, S("m=video 9 RTP/AVP 96\ny=0060205514"),
          SDP_SETUP_NONE, CHANGED, 60205514 },
        { "nine digits", SDP_UDP, S("m=video 9 RTP/AVP 96\ny=200004321"),
          SDP_SETUP_NONE, 0, 200004321 },
        { "active", SDP_TCP_PASSIVE,
          S("m=video 9 TCP/RTP/AVP 96\na=setup:active"), SDP_ACTIVE, 0,
          200004321 },
        { "setup missing", SDP_TCP_PASSIVE, S("m=video 9 TCP/RTP/AVP 96"),
          SDP_ACTIVE, 0, 200004321 },
        { "TCP behind it", SDP_TCP_ACTIVE,
          S("m=video 9 RTP/AVP/TCP 96\na=setup:passive"), SDP_PASSIVE, 0,
          200004321 },
        { "same role", SDP_TCP_ACTIVE,
          S("m=video 9 TCP/RTP/AVP 96\na=setup:active"), SDP_PASSIVE, 0,
          200004321 },
        { "udp for tcp passive", SDP_TCP_PASSIVE, S("m=video 9 RTP/AVP 96"),
          SDP_ACTIVE, EITHER, 200004321 },
        { "udp for tcp active", SDP_TCP_ACTIVE, S("m=video 9 RTP/AVP 96"),
          SDP_PASSIVE, RETRY, 200004321 },
        { "port 0", SDP_UDP, S("m=video 0 RTP/AVP 96"), SDP_SETUP_NONE,
          REFUSED, 200004321 },
        { "port 0, and y=", SDP_UDP, S("m=video 0 RTP/AVP 96\ny=0200004321"),
          SDP_SETUP_NONE, NO_PORT, 200004321 },
        { "port 0, and y=, over TCP", SDP_TCP_PASSIVE,
          S("m=video 0 TCP/RTP/AVP 96\na=setup:passive\ny=0200004321"),
          SDP_ACTIVE, NO_PORT, 200004321 },
        { "port 0, where we would connect", SDP_TCP_ACTIVE,
          S("m=video 0 TCP/RTP/AVP 96\na=setup:passive\ny=0200004321"),
          SDP_PASSIVE, REFUSED, 200004321 },
        { "port 0 of udp, where we would connect", SDP_TCP_ACTIVE,
          S("m=video 0 RTP/AVP 96\ny=0200004321"), SDP_PASSIVE,
          RETRY | NO_PORT, 200004321 },
        { "other format", SDP_UDP, S("m=video 9 RTP/AVP 33"), SDP_SETUP_NONE,
          NO_FORMAT, 200004321 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sdp_offer o = offer_of(SDP_PLAY, cases[i].ours);
        struct sdp_agreed g;
        struct sdp s;
        unsigned flags;

        assert_int_equal(sdp_parse(&s, guarded(cases[i].answer), NULL), 0);
        assert_int_equal(sdp_agree(&g, &o, &s), 0);
        flags = (g.refused ? REFUSED : 0u) | (g.no_port ? NO_PORT : 0u) |
                (g.either ? EITHER : 0u) |
                (g.retry_udp ? RETRY : 0u) | (g.ssrc_changed ? CHANGED : 0u) |
                (g.has_format ? 0u : NO_FORMAT);
        if (g.peer_setup != cases[i].peer || flags != cases[i].flags ||
            g.ssrc != cases[i].ssrc)
            fail_msg("%s: setup %d flags %x ssrc %u", cases[i].name,
                     g.peer_setup, flags, g.ssrc);
    }
}

static void wrong_kind(void **state)
{
    struct sdp_offer o = offer_of(SDP_TALK, SDP_UDP);
    struct sdp_agreed g;
    struct sdp s;

    (void)state;
    assert_int_equal(sdp_parse(&s, SLICE("m=video 9 RTP/AVP 96"), NULL), 0);
    assert_int_equal(sdp_agree(&g, &o, &s), GB_ESYNTAX);
}

static void standard_codecs(void **state)
{
    struct sdp_format f = { .pt = 9 };
    struct slice name;
    uint32_t hz;

    (void)state;
    assert_int_equal(sdp_format_codec(&f, &name, &hz), 0);
    assert_slice(name, "G722");
    assert_int_equal(hz, 8000);
    f.pt = 120;
    assert_int_equal(sdp_format_codec(&f, &name, &hz), GB_ENOENT);
    f.encoding = SLICE("H265");
    assert_int_equal(sdp_format_codec(&f, &name, &hz), 0);
    assert_int_equal(hz, 90000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answer),     cmocka_unit_test(bodies),
        cmocka_unit_test(too_long),         cmocka_unit_test(times),
        cmocka_unit_test(addresses),        cmocka_unit_test(attributes),
        cmocka_unit_test(unknown_sizes),    cmocka_unit_test(defaults),
        cmocka_unit_test(ssrc_binding),     cmocka_unit_test(limits),
        cmocka_unit_test(verbatim),         cmocka_unit_test(captures),
        cmocka_unit_test(no_injection),     cmocka_unit_test(prefixes),
        cmocka_unit_test(golden_pairs),     cmocka_unit_test(golden_selection),
        cmocka_unit_test(golden_broadcast), cmocka_unit_test(no_format),
        cmocka_unit_test(agreements),       cmocka_unit_test(wrong_kind),
        cmocka_unit_test(standard_codecs),  cmocka_unit_test(seldom_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
