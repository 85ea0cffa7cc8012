#include "app/rtsp/session.h"

#include "base/time.h"
#include "test/support.h"

#include <stdio.h>

#define DEV "34020000001180000001"
#define CH "34020000001310000001"
#define URL "rtsp://h:8554/" DEV "/" CH
#define BOTH 3
#define TCP(n) "RTP/AVP/TCP;unicast;interleaved=" n
#define UDP(n) "RTP/AVP;unicast;client_port=" n

static struct rtsp_session s;
static char out[4096];
static struct rtsp_url url;
static unsigned stream; /* that it is bound to */

static void bind_to(unsigned tracks)
{
    const struct rtsp_bound to = { .device = SLICE(DEV), .channel = SLICE(CH),
                                   .stream = stream, .tracks = tracks,
                                   .id = 0x123456789abcdef0u };

    rtsp_session_bind(&s, &to, 1000);
}

#define ID "0FEDCBA987654321"

/* One request from its text; what became of it, its answer in out. */
static enum rtsp_effect ask(const char *text)
{
    static struct rtsp_reader rd;
    struct writer w = writer_of(out, sizeof(out) - 1);
    struct rtsp_item it;
    enum rtsp_effect e;
    char *p;

    memset(&rd, 0, sizeof(rd));
    rtsp_reader_room(&rd, &p);
    memcpy(p, text, strlen(text));
    rtsp_reader_added(&rd, strlen(text));
    assert_int_equal(rtsp_reader_next(&rd, &it), 0);
    e = rtsp_session_request(&s, &it.request, &url, &w, 5000);
    assert_int_equal(w.err, 0);
    out[w.len] = '\0';
    /* an answer or a debt, never both, never neither */
    if (e == RTSP_DO_OTHER)
        assert_true(w.len == 0 && !s.owed);
    else
        assert_int_equal(s.owed, w.len == 0);
    return e;
}

static unsigned status(void)
{
    unsigned v = 0;

    assert_memory_equal(out, "RTSP/1.0 ", 9);
    for (int i = 9; i < 12; i++)
        v = v * 10 + (unsigned)(out[i] - '0');
    return v;
}

static enum rtsp_effect req(const char *method, const char *target,
                            const char *lines)
{
    char text[2048];
    struct writer w = writer_of(text, sizeof(text) - 1);

    writer_f(&w, "%s %s RTSP/1.0\r\nCSeq: 4\r\n%s\r\n", method, target, lines);
    text[w.len] = '\0';
    return ask(text);
}

static void set_up(unsigned track, const char *transport)
{
    char text[512], target[128];
    struct writer w = writer_of(text, sizeof(text) - 1);
    struct writer t = writer_of(target, sizeof(target) - 1);
    struct writer a = writer_of(out, sizeof(out) - 1);

    writer_f(&w, "Transport: %s\r\n", transport);
    text[w.len] = '\0';
    writer_f(&t, URL "/trackID=%u", track);
    target[t.len] = '\0';
    assert_int_equal(req("SETUP", target, text), RTSP_DO_SETUP);
    assert_int_equal(s.track, track);
    rtsp_session_set_up(&s, 40000, 0x1a2b3c4d, &a);
    out[a.len] = '\0';
    assert_int_equal(status(), 200);
}

/* Brings s into a state. */
static void reach(enum rtsp_state state)
{
    struct rtsp_start none[MEDIA_TRACKS] = { { 0 } };
    struct writer w = writer_of(out, sizeof(out));

    rtsp_session_init(&s, 1000);
    if (state == RTSP_UNBOUND)
        return;
    bind_to(BOTH);
    if (state == RTSP_INIT)
        return;
    set_up(0, TCP("0-1"));
    if (state == RTSP_READY)
        return;
    assert_int_equal(req("PLAY", URL "/", "Session: " ID "\r\n"),
                     RTSP_DO_PLAY);
    rtsp_session_playing(&s, none, &w);
    if (state == RTSP_PLAYING)
        return;
    assert_int_equal(req("TEARDOWN", URL, "Session: " ID "\r\n"),
                     RTSP_DO_END);
}

/* Every method in every state. 0: owed. */
static void table(void **state)
{
    static const struct {
        const char *method;
        struct {
            enum rtsp_effect effect;
            unsigned status;
            enum rtsp_state then;
        } in[RTSP_STATES];
    } rows[] = {
#define SAME(e, st)                                                            \
    { { e, st, RTSP_UNBOUND }, { e, st, RTSP_INIT }, { e, st, RTSP_READY },    \
      { e, st, RTSP_PLAYING }, { RTSP_ANSWERED, 454, RTSP_ENDED } }
        { "OPTIONS", SAME(RTSP_ANSWERED, 200) },
        { "DESCRIBE",
          { { RTSP_DO_OPEN, 0, RTSP_UNBOUND },
            { RTSP_DO_DESCRIBE, 0, RTSP_INIT },
            { RTSP_DO_DESCRIBE, 0, RTSP_READY },
            { RTSP_DO_DESCRIBE, 0, RTSP_PLAYING },
            { RTSP_ANSWERED, 454, RTSP_ENDED } } },
        { "SETUP",
          { { RTSP_DO_OPEN, 0, RTSP_UNBOUND },
            { RTSP_DO_SETUP, 0, RTSP_INIT },
            { RTSP_DO_SETUP, 0, RTSP_READY },
            { RTSP_ANSWERED, 455, RTSP_PLAYING },
            { RTSP_ANSWERED, 454, RTSP_ENDED } } },
        { "PLAY",
          { { RTSP_ANSWERED, 454, RTSP_UNBOUND },
            { RTSP_ANSWERED, 454, RTSP_INIT },
            { RTSP_DO_PLAY, 0, RTSP_READY },
            { RTSP_ANSWERED, 200, RTSP_PLAYING },
            { RTSP_ANSWERED, 454, RTSP_ENDED } } },
        { "PAUSE",
          { { RTSP_ANSWERED, 454, RTSP_UNBOUND },
            { RTSP_ANSWERED, 454, RTSP_INIT },
            { RTSP_ANSWERED, 200, RTSP_READY },
            { RTSP_DO_PAUSE, 200, RTSP_READY },
            { RTSP_ANSWERED, 454, RTSP_ENDED } } },
        { "TEARDOWN",
          { { RTSP_ANSWERED, 454, RTSP_UNBOUND },
            { RTSP_ANSWERED, 454, RTSP_INIT },
            { RTSP_DO_END, 200, RTSP_ENDED },
            { RTSP_DO_END, 200, RTSP_ENDED },
            { RTSP_ANSWERED, 454, RTSP_ENDED } } },
        { "GET_PARAMETER", SAME(RTSP_ANSWERED, 200) },
        { "SET_PARAMETER", SAME(RTSP_ANSWERED, 200) },
        { "ANNOUNCE", SAME(RTSP_ANSWERED, 405) },
        { "RECORD", SAME(RTSP_ANSWERED, 405) },
        { "FLY", SAME(RTSP_ANSWERED, 501) },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int st = 0; st < RTSP_STATES; st++) {
            const char *lines =
                st < RTSP_READY ? "Transport: " TCP("0-1") "\r\n"
                                : "Session: " ID "\r\nTransport: "
                                  TCP("0-1") "\r\n";
            bool one = strcmp(rows[i].method, "SETUP") == 0;
            enum rtsp_effect e;

            reach((enum rtsp_state)st);
            e = req(rows[i].method, one ? URL "/trackID=0" : URL, lines);
            if (e != rows[i].in[st].effect ||
                (!s.owed && status() != rows[i].in[st].status) ||
                s.owed != !rows[i].in[st].status ||
                s.state != rows[i].in[st].then)
                fail_msg("%s in state %d: effect %d, state %d, %.40s",
                         rows[i].method, st, e, s.state, out);
        }
}

/* A whole life, to the byte. */
static void life(void **state)
{
    struct rtsp_start info[MEDIA_TRACKS] = { { true, 100, 12345 },
                                             { true, 7, 800 } };
    struct writer w = writer_of(out, sizeof(out) - 1);

    (void)state;
    bind_to(BOTH);
    assert_int_equal(req("OPTIONS", "*", ""), RTSP_ANSWERED);
    assert_string_equal(
        out, "RTSP/1.0 200 OK\r\nCSeq: 4\r\nServer: gb28181d\r\n"
             "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, "
             "GET_PARAMETER, SET_PARAMETER\r\n\r\n");
    assert_int_equal(req("DESCRIBE", URL "?stream=main", ""),
                     RTSP_DO_DESCRIBE);
    rtsp_session_described(&s, SLICE("v=0\r\n"), &w);
    out[w.len] = '\0';
    assert_string_equal(
        out, "RTSP/1.0 200 OK\r\nCSeq: 4\r\nServer: gb28181d\r\n"
             "Content-Base: " URL "/\r\nContent-Type: application/sdp\r\n"
             "Cache-Control: no-store\r\nContent-Length: 5\r\n\r\nv=0\r\n");
    set_up(0, TCP("0-1"));
    assert_string_equal(
        out, "RTSP/1.0 200 OK\r\nCSeq: 4\r\nServer: gb28181d\r\n"
             "Session: " ID ";timeout=60\r\n"
             "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1A2B3C4D"
             "\r\n\r\n");
    set_up(1, TCP("2-3"));
    assert_int_equal(req("PLAY", URL "/", "Session: " ID "\r\n"
                                          "Range: npt=0.000-\r\n"),
                     RTSP_DO_PLAY);
    w = writer_of(out, sizeof(out) - 1);
    rtsp_session_playing(&s, info, &w);
    out[w.len] = '\0';
    assert_string_equal(
        out, "RTSP/1.0 200 OK\r\nCSeq: 4\r\nServer: gb28181d\r\n"
             "Session: " ID ";timeout=60\r\nRange: npt=now-\r\n"
             "RTP-Info: url=" URL "/trackID=0;seq=100;rtptime=12345,"
             "url=" URL "/trackID=1;seq=7;rtptime=800\r\n\r\n");
    assert_int_equal(req("TEARDOWN", URL "/", "Session: " ID "\r\n"),
                     RTSP_DO_END);
    assert_int_equal(status(), 200);
}

/* What a PLAY asks for, and what it is told: 0: owed, then with lines. */
static void another_time_and_speed(void **state)
{
    static const struct {
        const char *asks;
        unsigned status;
        const char *told, *not_told;
    } cases[] = {
        { "", 0, "Range: npt=now-\r\n", "Scale:" },
        { "Range: npt=now-\r\n", 0, "Range: npt=now-\r\n", "Scale:" },
        { "Range: npt=120.5-\r\n", 0, "Range: npt=now-\r\n", "npt=120" },
        { "Range: 120\r\n", 501, "", "Range:" },
        { "Scale: 2.0\r\n", 0, "Range: npt=now-\r\nScale: 1\r\n", "2.0" },
        { "Scale: -1\r\nRange: npt=0-\r\n", 0, "Scale: 1\r\n", "-1" },
        { "Range: clock=20260101T000000Z-\r\n", 457, "", "Range:" },
        { "Range: smpte=10:07:00-\r\n", 501, "", "Range:" },
    };

    struct rtsp_start none[MEDIA_TRACKS] = { { 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int again = 0; again < 2; again++) {
            char fields[160];
            unsigned got;

            reach(again ? RTSP_PLAYING : RTSP_READY);
            snprintf(fields, sizeof(fields), "Session: " ID "\r\n%s",
                     cases[i].asks);
            if (req("PLAY", URL "/", fields) == RTSP_DO_PLAY) {
                struct writer w = writer_of(out, sizeof(out) - 1);

                got = 0;
                rtsp_session_playing(&s, none, &w);
                out[w.len] = '\0';
            } else {
                got = status();
            }
            if (got != (cases[i].status || !again ? cases[i].status : 200))
                fail_msg("%s: %u", cases[i].asks, got);
            if (!strstr(out, cases[i].told) || strstr(out, cases[i].not_told))
                fail_msg("%s: %s", cases[i].asks, out);
            assert_int_equal(s.state, again || !cases[i].status ? RTSP_PLAYING
                                                                : RTSP_READY);
        }
    }
}

static void starts_unknown(void **state)
{
    struct rtsp_start info[MEDIA_TRACKS] = { { false, 1, 2 },
                                             { true, 7, 4294967295u } };
    struct writer w = writer_of(out, sizeof(out) - 1);

    (void)state;
    bind_to(BOTH);
    set_up(0, TCP("0-1"));
    set_up(1, TCP("2-3"));
    req("PLAY", URL, "Session: " ID "\r\n");
    rtsp_session_playing(&s, info, &w);
    out[w.len] = '\0';
    assert_true(text_has(out, "RTP-Info: url=" URL "/trackID=1;seq=7;"
                              "rtptime=4294967295\r\n\r\n"));
}

static void transports(void **state)
{
    static const struct {
        struct slice in;
        int err;
        bool udp;
        unsigned first, second;
    } cases[] = {
        { S("RTP/AVP/TCP;unicast;interleaved=0-1"), 0, false, 0, 1 },
        { S("RTP/AVP/TCP;interleaved=4"), 0, false, 4, 5 },
        { S("RTP/AVP/TCP"), 0, false, 2, 3 },
        { S("rtp/avp/tcp; unicast ; interleaved=254-255;mode=\"PLAY\""), 0,
          false, 254, 255 },
        { S("RTP/AVP;unicast;client_port=50000-50001"), 0, true, 50000,
          50001 },
        { S("RTP/AVP/UDP;client_port=5000;mode=play"), 0, true, 5000, 5001 },
        { S("RTP/AVP;multicast,RTP/AVP/TCP;interleaved=0-1"), 0, false, 0, 1 },
        { S("RTP/SAVP;unicast;client_port=1-2,RTP/AVP;client_port=6-7"), 0,
          true, 6, 7 },
        { S("RTP/AVP;unicast;client_port=6-7;destination=10.0.0.1"), 0, true,
          6, 7 },
        { S("RTP/AVP;multicast;client_port=6-7"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP;unicast"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP;unicast;client_port=0-1"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP;unicast;client_port=65535"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP;unicast;client_port=65536-65537"), GB_EUNSUPPORTED, 0, 0,
          0 },
        { S("RTP/AVP/TCP;interleaved=255"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP/TCP;interleaved=1-1"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP/TCP;interleaved=0-256"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP/TCP;mode=RECORD"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RTP/AVP/TCP;mode=\""), GB_EUNSUPPORTED, 0, 0, 0 },
        { S("RAW/RAW/UDP"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S(";,;"), GB_EUNSUPPORTED, 0, 0, 0 },
        { S(" "), GB_ESYNTAX, 0, 0, 0 },
        { S(""), GB_ESYNTAX, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtsp_transport t;
        int err = rtsp_transport_parse(&t, guarded(cases[i].in), MEDIA_AUDIO,
                                       false);

        if (err != cases[i].err)
            fail_msg("%.*s: %s", SLICE_ARG(cases[i].in), gb_strerror(err));
        if (err)
            continue;
        assert_int_equal(t.udp, cases[i].udp);
        assert_int_equal(t.udp ? t.port[0] : t.channel[0], cases[i].first);
        assert_int_equal(t.udp ? t.port[1] : t.channel[1], cases[i].second);
    }
}

/* Over TLS nothing goes beside the connection. */
static void through_the_connection_alone(void **state)
{
    const struct rtsp_bound to = { .device = SLICE(DEV), .channel = SLICE(CH),
                                   .tracks = 1, .tcp_only = true };
    struct rtsp_transport t;

    (void)state;
    assert_int_equal(rtsp_transport_parse(&t, SLICE("RTP/AVP;client_port=6-7,"
                                                    "RTP/AVP/TCP"),
                                          MEDIA_VIDEO, true), 0);
    assert_false(t.udp);
    rtsp_session_bind(&s, &to, 1000);
    ask("SETUP rtsps://h/" DEV "/" CH " RTSP/1.0\r\nCSeq: 2\r\n"
        "Transport: RTP/AVP;unicast;client_port=6-7\r\n\r\n");
    assert_int_equal(status(), 461);
    assert_int_equal(ask("SETUP rtsps://h/" DEV "/" CH " RTSP/1.0\r\n"
                         "CSeq: 3\r\nTransport: RTP/AVP/TCP\r\n\r\n"),
                     RTSP_DO_SETUP);
}

/* Alternatives in lines of their own: the first that can be served, as of one
 * line with commas. */
static void lines_are_alternatives(void **state)
{
    static const struct {
        const char *lines;
        enum rtsp_effect effect;
        bool udp;
    } cases[] = {
        { "Transport: RAW/RAW/UDP;unicast;client_port=6-7\r\n"
          "Transport: RTP/AVP;multicast, RTP/AVP/TCP;unicast\r\n"
          "Transport: RTP/AVP;unicast;client_port=6-7\r\n", RTSP_DO_SETUP,
          false },
        { "Transport: RTP/AVP;unicast;client_port=6-7\r\n"
          "Transport: RTP/AVP/TCP\r\n", RTSP_DO_SETUP, true },
        { "Transport: RAW/RAW/UDP\r\nTransport: RTP/AVP;multicast\r\n",
          RTSP_ANSWERED, false },
        { "Transport: a\r\nTransport: a\r\nTransport: a\r\nTransport: a\r\n"
          "Transport: a\r\nTransport: a\r\nTransport: a\r\nTransport: a\r\n"
          "Transport: RTP/AVP/TCP\r\n", RTSP_ANSWERED, false }, /* too many */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        reach(RTSP_INIT);
        assert_int_equal(req("SETUP", URL "/trackID=0", cases[i].lines),
                         cases[i].effect);
        if (cases[i].effect == RTSP_DO_SETUP)
            assert_true(s.asked.udp == cases[i].udp);
        else
            assert_int_equal(status(), 461);
    }
}

/* What a SETUP may not ask for. */
static void setups_refused(void **state)
{
    static const struct {
        const char *name, *target, *lines;
        unsigned tracks, status;
    } cases[] = {
        { "no transport", URL "/trackID=0", "", BOTH, 400 },
        { "multicast", URL "/trackID=0",
          "Transport: RTP/AVP;multicast;client_port=6-7\r\n", BOTH, 461 },
        { "all at once", URL, "Transport: " TCP("0-1") "\r\n", BOTH, 459 },
        { "no such track", URL "/trackID=1", "Transport: " TCP("0-1") "\r\n", 1,
          404 },
        { "no such track at all", URL "/trackID=7",
          "Transport: " TCP("0-1") "\r\n", BOTH, 404 },
        { "another session", URL "/trackID=0",
          "Session: 1\r\nTransport: " TCP("0-1") "\r\n", BOTH, 454 },
        { "what we have not", URL "/trackID=0",
          "Require: funky\r\nTransport: " TCP("0-1") "\r\n", BOTH, 551 },
        { "any", "*", "Transport: " TCP("0-1") "\r\n", BOTH, 400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bind_to(cases[i].tracks);
        if (req("SETUP", cases[i].target, cases[i].lines) != RTSP_ANSWERED ||
            status() != cases[i].status)
            fail_msg("%s: %.60s", cases[i].name, out);
        assert_int_equal(s.state, RTSP_INIT);
    }
    assert_true(text_has(out, "400"));
    bind_to(2); /* the only track needs no name */
    assert_int_equal(req("SETUP", URL, "Transport: " TCP("0-1") "\r\n"),
                     RTSP_DO_SETUP);
    assert_int_equal(s.track, MEDIA_AUDIO);
}

/* Tracks must not take what another one has, nor go another way. */
static void clashes(void **state)
{
    static const struct {
        const char *first, *second;
        bool good;
    } cases[] = {
        { TCP("0-1"), TCP("2-3"), true },   { TCP("0-1"), TCP("1-2"), false },
        { TCP("0-1"), TCP("0-1"), false },  { TCP("2-3"), TCP("0-1"), true },
        { TCP("0-1"), UDP("6-7"), false },  { UDP("6-7"), TCP("0-1"), false },
        { UDP("6-7"), UDP("8-9"), true },   { UDP("6-7"), UDP("7-8"), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256];
        struct writer w = writer_of(text, sizeof(text) - 1);

        bind_to(BOTH);
        set_up(0, cases[i].first);
        writer_f(&w, "Transport: %s\r\n", cases[i].second);
        text[w.len] = '\0';
        if ((req("SETUP", URL "/trackID=1", text) == RTSP_DO_SETUP) !=
            cases[i].good)
            fail_msg("case %zu: %.60s", i, out);
        if (!cases[i].good)
            assert_int_equal(status(), 461);
    }
    /* the same track again, another way, is a change of mind */
    bind_to(BOTH);
    set_up(0, TCP("0-1"));
    set_up(0, UDP("6-7"));
    assert_true(rtsp_session_is_udp(&s));
}

/* ffmpeg, where nothing comes over UDP: PAUSE, and without a session all over
 * TCP. */
static void from_udp_to_tcp(void **state)
{
    struct rtsp_start none[MEDIA_TRACKS] = { { 0 } };
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    bind_to(BOTH);
    set_up(0, UDP("6-7"));
    set_up(1, UDP("8-9"));
    assert_int_equal(req("PLAY", URL, "Session: " ID "\r\n"), RTSP_DO_PLAY);
    rtsp_session_playing(&s, none, &w);
    assert_int_equal(req("PAUSE", URL, "Session: " ID "\r\n"), RTSP_DO_PAUSE);
    req("SETUP", URL "/trackID=0",
        "Session: " ID "\r\nTransport: " TCP("0-1") "\r\n");
    assert_int_equal(status(), 461);
    assert_true(rtsp_session_is_udp(&s));
    assert_int_equal(req("SETUP", URL "/trackID=0",
                         "Transport: " UDP("16-17") "\r\n"), RTSP_DO_SETUP);
    w = writer_of(out, sizeof(out));
    rtsp_session_failed(&s, 503, SLICE("no"), (struct slice){ 0 }, &w);
    assert_int_equal(s.set, BOTH); /* what could not be done changes nothing */
    assert_int_equal(s.transport[0].port[0], 6);
    set_up(0, TCP("0-1"));
    assert_false(rtsp_session_is_udp(&s));
    assert_int_equal(s.set, 1);
    set_up(1, TCP("2-3"));
    assert_int_equal(s.set, BOTH);
    assert_int_equal(req("PLAY", URL, "Session: " ID "\r\n"), RTSP_DO_PLAY);
}

static void sessions_are_named(void **state)
{
    static const struct {
        const char *method, *target, *lines;
        unsigned status; /* 0: owed */
    } cases[] = {
        { "PLAY", URL, "", 454 },
        { "PLAY", URL, "Session: 0FEDCBA987654320\r\n", 454 },
        { "PLAY", URL, "Session: " ID ";timeout=60\r\n", 0 },
        { "PLAY", URL "/trackID=0", "Session: " ID "\r\n", 460 },
        { "TEARDOWN", URL "/trackID=1", "Session: " ID "\r\n", 460 },
        { "PAUSE", URL, "Session: x\r\n", 454 },
        { "GET_PARAMETER", URL, "", 200 },
        { "GET_PARAMETER", URL, "Session: x\r\n", 454 },
        { "SET_PARAMETER", URL, "Content-Length: 0\r\n", 200 },
        { "GET_PARAMETER", "*", "Session: " ID "\r\n", 200 },
        { "GET_PARAMETER", "*", "Session: x\r\n", 454 },
        { "PLAY", "*", "Session: " ID "\r\n", 400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bind_to(BOTH);
        set_up(0, TCP("0-1"));
        set_up(1, TCP("2-3"));
        req(cases[i].method, cases[i].target, cases[i].lines);
        if (s.owed != !cases[i].status ||
            (!s.owed && status() != cases[i].status))
            fail_msg("case %zu: %.60s", i, out);
    }
    bind_to(BOTH);
    ask("SET_PARAMETER " URL " RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 2\r\n"
        "\r\na:");
    assert_int_equal(status(), 451);
    /* one track alone is the whole */
    set_up(1, TCP("0-1"));
    assert_int_equal(req("PLAY", URL "/trackID=1", "Session: " ID "\r\n"),
                     RTSP_DO_PLAY);
}

/* Another stream is for the main loop, unless this one plays. */
static void other_streams(void **state)
{
    static const char *const others[] = {
        ("rtsp://h/" DEV "/2"), ("rtsp://h/1/" CH), "rtsp://h/2",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        reach(RTSP_INIT);
        assert_int_equal(req("DESCRIBE", others[i], ""), RTSP_DO_OTHER);
        reach(RTSP_READY);
        assert_int_equal(req("DESCRIBE", others[i], ""), RTSP_DO_OTHER);
        reach(RTSP_PLAYING);
        assert_int_equal(req("DESCRIBE", others[i], ""), RTSP_ANSWERED);
        assert_int_equal(status(), 455);
    }
    reach(RTSP_INIT);
    assert_int_equal(req("DESCRIBE", URL "?stream=sub", ""), RTSP_DO_OTHER);
    stream = 1;
    reach(RTSP_INIT);
    assert_int_equal(req("DESCRIBE", URL, ""), RTSP_DO_OTHER);
    reach(RTSP_READY); /* by URLs without a query */
    assert_int_equal(req("SETUP", URL "/trackID=1",
                         "Transport: " TCP("2-3") "\r\n"), RTSP_DO_SETUP);
    stream = 0;
    reach(RTSP_INIT);
    assert_int_equal(req("DESCRIBE", "rtsp://h/" CH, ""), RTSP_DO_DESCRIBE);
    reach(RTSP_UNBOUND);
    assert_int_equal(req("DESCRIBE", "rtsp://h/a/b?stream=sub&t=9.x", ""),
                     RTSP_DO_OPEN);
    expect_slice(url.device, "a");
    expect_slice(url.channel, "b");
    expect_slice(url.signature, "9.x");
    assert_int_equal(url.stream, 1);
    reach(RTSP_UNBOUND);
    assert_int_equal(req("DESCRIBE", "rtsp://h/a/b?stream=x", ""),
                     RTSP_ANSWERED);
    assert_int_equal(status(), 400);
    assert_int_equal(req("DESCRIBE", "rtsp://h/a/b/c", ""), RTSP_ANSWERED);
    assert_int_equal(status(), 404);
    assert_int_equal(req("OPTIONS", "rtsp://h/a/b/c", ""), RTSP_ANSWERED);
    assert_int_equal(status(), 200);
}

static void failures(void **state)
{
    struct writer w = writer_of(out, sizeof(out) - 1);

    (void)state;
    reach(RTSP_INIT);
    req("SETUP", URL "/trackID=0", "Transport: " UDP("6-7") "\r\n");
    rtsp_session_failed(&s, 503, SLICE("no ports\r\nX: y"),
                        SLICE("Retry-After: 1\r\n"), &w);
    out[w.len] = '\0';
    assert_string_equal(out, "RTSP/1.0 503 no ports  X: y\r\nCSeq: 4\r\n"
                             "Server: gb28181d\r\nRetry-After: 1\r\n\r\n");
    assert_int_equal(s.state, RTSP_INIT); /* as if it had not been asked */
    assert_int_equal(s.set, 0);
    assert_false(s.owed);
}

static void silence(void **state)
{
    (void)state;
    reach(RTSP_READY);
    assert_int_equal(rtsp_session_deadline(&s), 5000 + RTSP_SILENCE_MS);
    rtsp_session_heard(&s, 9000);
    assert_int_equal(rtsp_session_deadline(&s), 9000 + RTSP_SILENCE_MS);
    reach(RTSP_PLAYING); /* over TCP its connection tells */
    assert_int_equal(rtsp_session_deadline(&s), GB_NEVER);
    s.transport[0].udp = true;
    assert_int_equal(rtsp_session_deadline(&s), 5000 + RTSP_SILENCE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),          cmocka_unit_test(life),
        cmocka_unit_test(another_time_and_speed),
        cmocka_unit_test(starts_unknown), cmocka_unit_test(transports),
        cmocka_unit_test(through_the_connection_alone),
        cmocka_unit_test(lines_are_alternatives),
        cmocka_unit_test(setups_refused), cmocka_unit_test(clashes),
        cmocka_unit_test(from_udp_to_tcp),
        cmocka_unit_test(sessions_are_named), cmocka_unit_test(other_streams),
        cmocka_unit_test(failures),       cmocka_unit_test(silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
