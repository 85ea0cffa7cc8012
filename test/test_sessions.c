/* app/platform/sessions: how they begin, what is tolerated, at which step they
 * fail, in virtual time. */
#include "test/session_rig.h"

#include "app/platform/ports.h"

#include <stdio.h>

/* ---- it works ---- */

static void plays(void **state)
{
    static const struct {
        const char *name, *ip;
        uint8_t sip;
        enum platform_transport asked, used;
        const char *sdp;
    } cases[] = {
        { "auto in the LAN", "192.168.1.10:5060", SIP_UDP, PLATFORM_AUTO,
          PLATFORM_UDP, " RTP/AVP 96" },
        { "auto from outside", "203.0.113.9:5060", SIP_UDP, PLATFORM_AUTO,
          PLATFORM_TCP_PASSIVE, "a=setup:passive\r\n" },
        { "udp from outside", "203.0.113.9:5060", SIP_UDP, PLATFORM_UDP,
          PLATFORM_UDP, " RTP/AVP 96" },
        { "tcp passive", "192.168.1.10:5060", SIP_UDP, PLATFORM_TCP_PASSIVE,
          PLATFORM_TCP_PASSIVE, "a=setup:passive\r\n" },
        { "tcp active", "192.168.1.10:5060", SIP_TCP, PLATFORM_TCP_ACTIVE,
          PLATFORM_TCP_ACTIVE, "a=setup:active\r\n" },
        { "sip over tcp", "192.168.1.10:5060", SIP_TCP, PLATFORM_UDP,
          PLATFORM_UDP, " RTP/AVP 96" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready_at(cases[i].ip, cases[i].sip, NULL);
        struct platform_session v;
        struct platform_channel c;
        char text[80];

        assert_int_equal(sim_play(&s, d, channel, cases[i].asked, &v), 0);
        assert_int_equal(v.state, PLATFORM_STARTING);
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, 2000);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING || v.transport != cases[i].used ||
            !text_has(d->last_sdp, cases[i].sdp))
            fail_msg("%s: %s %s\n%s", cases[i].name,
                     platform_step_name(v.step), s.last_evidence, d->last_sdp);
        assert_int_equal(v.step, PLATFORM_STEP_PLAYING);
        assert_int_equal(v.video, PS_CODEC_H264);
        assert_int_equal(v.width, 1920);
        assert_int_equal(v.sip_status, 200);
        assert_true(v.step_ms[PLATFORM_STEP_ANSWER] > 0);
        assert_true(v.step_ms[PLATFORM_STEP_KEY] >=
                    v.step_ms[PLATFORM_STEP_PACKET]);
        /* the INVITE as the standard has it */
        snprintf(text, sizeof(text), "m=video %u ", v.port);
        assert_true(text_has(d->last_sdp, text));
        assert_true(text_has(d->last_sdp, "c=IN IP4 192.168.1.1\r\n"));
        assert_true(text_has(d->last_sdp, "s=Play\r\n"));
        snprintf(text, sizeof(text), "y=%010u\r\n", v.ssrc);
        assert_true(text_has(d->last_sdp, text));
        snprintf(text, sizeof(text), "%s:%010u,%s:0", channel, v.ssrc, SIM_ID);
        assert_string_equal(d->last_subject, text);
        snprintf(text, sizeof(text), "sip:%s@", channel);
        assert_true(text_has(d->last_uri, text));
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(channel), &c));
        assert_true(c.session == v.id);
        assert_true(c.delivered_utc_ms > 0);
        assert_int_equal(s.actions[PLATFORM_DIALOG_OPENED], 1);
        sim_run(&s, 120000);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 100);
        assert_int_equal(d->byes, 1);
        assert_int_equal(s.actions[PLATFORM_SESSION_GONE], 1);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(channel), &c));
        assert_true(c.session == 0);
        ends_clean();
    }
}

static void one_session_for_all(void **state)
{
    struct sim_device *d = ready();
    struct platform_session a, b;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &a), 0);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &b), 0);
    assert_true(a.id == b.id);
    sim_run(&s, 1000);
    /* by the channel alone, which is unique */
    assert_int_equal(sim_play(&s, NULL, channel, PLATFORM_AUTO, &b), 0);
    assert_true(a.id == b.id);
    assert_true(platform_live_find(s.p, slice_of(NULL, 0), slice_str(channel),
                                   0, &b));
    assert_true(platform_session_next(s.p, 0, &b));
    assert_false(platform_session_next(s.p, b.id, &b));
    assert_int_equal(d->invites, 1);
    drains_clean();
}

static void main_and_sub_stream(void **state)
{
    struct sim_device *d = ready();
    struct platform_live req = { .device = slice_str(nvr),
                                 .channel = slice_str(channel),
                                 .stream = 1 };
    struct platform_session a, b;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &a), 0);
    sim_run(&s, 100);
    assert_true(text_has(d->last_sdp, "a=streamnumber:0\r\n"));
    assert_int_equal(platform_live_start(s.p, &req, s.now, &b), 0);
    sim_run(&s, 100);
    assert_true(a.id != b.id && a.port != b.port && a.ssrc != b.ssrc);
    assert_true(text_has(d->last_sdp, "a=streamnumber:1\r\n"));
    drains_clean();
}

static void a_channel_that_is_in_no_list(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(
        sim_play(&s, d, "34020000001310009999", PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    drains_clean();
}

static void media_address_by_rule(void **state)
{
    struct platform_advertise rule = { .bits = 8 };
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .advertise = &rule,
                                         .n_advertise = 1 } };
    struct sim_device *d;
    struct platform_session v;

    (void)state;
    assert_int_equal(gb_addr_parse_ip(&rule.net, SLICE("203.0.0.0")), 0);
    assert_int_equal(gb_addr_parse_ip(&rule.address, SLICE("198.51.100.5")),
                     0);
    d = ready_at("203.0.113.9:5060", SIP_UDP, &o);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 100);
    assert_true(text_has(d->last_sdp, "c=IN IP4 198.51.100.5\r\n"));
    drains_clean();
    /* media.address wins */
    assert_int_equal(gb_addr_parse_ip(&o.config.media_address,
                                      SLICE("198.51.100.77")),
                     0);
    d = ready_at("203.0.113.9:5060", SIP_UDP, &o);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 100);
    assert_true(text_has(d->last_sdp, "c=IN IP4 198.51.100.77\r\n"));
    drains_clean();
}

/* ---- answers that deviate ---- */

static void tolerated_answers(void **state)
{
    static const struct {
        const char *name;
        enum sim_invite invite;
        enum platform_transport transport;
        bool other_ssrc;
        enum platform_transport comes;
    } cases[] = {
        { "without y", SIM_NO_Y, PLATFORM_UDP, false, PLATFORM_UDP },
        { "another y", SIM_OTHER_Y, PLATFORM_UDP, true, PLATFORM_UDP },
        { "without SDP", SIM_NO_SDP, PLATFORM_UDP, false, PLATFORM_UDP },
        { "without SDP, TCP", SIM_NO_SDP, PLATFORM_TCP_PASSIVE, false,
          PLATFORM_TCP_PASSIVE },
        { "RTP/AVP to TCP", SIM_PLAIN_AVP, PLATFORM_TCP_PASSIVE, false,
          PLATFORM_UDP },
        { "port 0", SIM_NO_PORT, PLATFORM_UDP, false, PLATFORM_UDP },
        { "port 0, TCP", SIM_NO_PORT, PLATFORM_TCP_PASSIVE, false,
          PLATFORM_TCP_PASSIVE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = cases[i].invite;
        assert_int_equal(sim_play(&s, d, channel, cases[i].transport, &v), 0);
        sim_run(&s, 2000);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING || v.transport != cases[i].comes ||
            (v.ssrc == 60205514) != cases[i].other_ssrc)
            fail_msg("%s: %s over %u", cases[i].name, s.last_evidence,
                     (unsigned)v.transport);
        assert_true(sim_view(&s, d).deviations > 0 ||
                    cases[i].invite == SIM_NO_Y);
        drains_clean();
    }
}

/* What the answer, or else our offer, calls the payload type. */
static void codecs_of_the_answer(void **state)
{
    static const struct {
        const char *format;
        enum ps_codec codec;
    } cases[] = {
        { NULL, PS_CODEC_UNKNOWN },
        { "98\r\na=rtpmap:98 H264/90000\r\n", PS_CODEC_H264 },
        { "99\r\na=rtpmap:99 H265/90000\r\n", PS_CODEC_H265 },
        { "99\r\na=rtpmap:99 hevc/90000\r\n", PS_CODEC_H265 },
        { "99\r\na=rtpmap:99 SVAC/90000\r\n", PS_CODEC_SVAC },
        { "99\r\n", PS_CODEC_H265 },
        { "98\r\n", PS_CODEC_H264 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->sdp_format = cases[i].format;
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        sim_run(&s, 500);
        assert_int_equal(s.video_hint, cases[i].codec);
        drains_clean();
    }
}

static void refusals_worth_another_try(void **state)
{
    static const struct {
        const char *name;
        unsigned status;
        enum platform_transport asked, used;
        uint32_t after_ms;
        const char *sdp, *not_sdp;
    } cases[] = {
        { "400: a smaller offer", 400, PLATFORM_UDP, PLATFORM_UDP, 0,
          "RTP/AVP 96\r\n", "a=stream" },
        { "415: a smaller offer", 415, PLATFORM_TCP_PASSIVE,
          PLATFORM_TCP_PASSIVE, 0, "TCP/RTP/AVP 96\r\n", "a=rtpmap:98" },
        { "486: once more", 486, PLATFORM_UDP, PLATFORM_UDP, 500, "", "x" },
        { "488: the other transport", 488, PLATFORM_UDP, PLATFORM_TCP_PASSIVE,
          0, "a=setup:passive", "x" },
        { "488: TCP to UDP", 488, PLATFORM_TCP_PASSIVE, PLATFORM_UDP, 0, "",
          "a=setup" },
        { "488: active to passive", 488, PLATFORM_TCP_ACTIVE,
          PLATFORM_TCP_PASSIVE, 0, "a=setup:passive", "x" },
        { "500: after 2 s", 500, PLATFORM_UDP, PLATFORM_UDP, 2000, "", "x" },
        { "491: after 2-4 s", 491, PLATFORM_UDP, PLATFORM_UDP, 2000, "",
          "x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = SIM_REFUSE;
        d->refuse_status = cases[i].status;
        d->refuse_times = 1;
        assert_int_equal(sim_play(&s, d, channel, cases[i].asked, &v), 0);
        if (cases[i].after_ms) {
            sim_run(&s, cases[i].after_ms - 1);
            assert_int_equal(d->invites, 1);
        }
        sim_run(&s, 4500);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING || d->invites != 2 ||
            v.transport != cases[i].used ||
            !text_has(d->last_sdp, cases[i].sdp) ||
            text_has(d->last_sdp, cases[i].not_sdp))
            fail_msg("%s: %u invites, %s, %s\n%s", cases[i].name, d->invites,
                     platform_step_name(v.step), s.last_evidence, d->last_sdp);
        drains_clean();
    }
}

/* ---- failures: each names its step, and nothing is left ---- */

static const struct {
    const char *name;
    enum sim_invite invite;
    unsigned status, times;
    enum sim_media media;
    enum platform_transport transport;
    enum platform_step step;
    unsigned invites;
    const char *evidence;
} failing[] = {
    { "403", SIM_REFUSE, 403, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "with 403 Forbidden" },
    { "404", SIM_REFUSE, 404, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "with 404 Not Found" },
    { "480", SIM_REFUSE, 480, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "with 480" },
    { "603", SIM_REFUSE, 603, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "with 603" },
    { "400 twice", SIM_REFUSE, 400, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 2, "with 400" },
    { "486 twice", SIM_REFUSE, 486, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 2, "with 486 Busy Here" },
    { "488 twice", SIM_REFUSE, 488, 9, SIM_PICTURE, PLATFORM_AUTO,
      PLATFORM_STEP_ANSWER, 2, "with 488" },
    { "503 twice", SIM_REFUSE, 503, 9, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 2, "with 503" },
    { "no answer", SIM_SILENT, 0, 0, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "no answer to the INVITE in 10.0 s" },
    { "100 and no more", SIM_RING, 0, 0, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "only confirmed as received" },
    { "port 0", SIM_PORT_ZERO, 0, 0, SIM_PICTURE, PLATFORM_UDP,
      PLATFORM_STEP_ANSWER, 1, "media port 0" },
    { "port 0, and y=", SIM_NO_PORT, 0, 0, SIM_NOTHING, PLATFORM_UDP,
      PLATFORM_STEP_PACKET, 1, "; its answer names media port 0" },
    { "port 0, where we should connect", SIM_NO_PORT, 0, 0, SIM_PICTURE,
      PLATFORM_TCP_ACTIVE, PLATFORM_STEP_ANSWER, 1, "media port 0" },
    { "no SDP, we should connect", SIM_NO_SDP, 0, 0, SIM_PICTURE,
      PLATFORM_TCP_ACTIVE, PLATFORM_STEP_ANSWER, 1, "where to connect" },
    { "udp: no packet", SIM_ANSWER, 0, 0, SIM_NOTHING, PLATFORM_UDP,
      PLATFORM_STEP_PACKET, 1, "no RTP packet came in 10.0 s" },
    { "udp: no SDP", SIM_NO_SDP, 0, 0, SIM_NOTHING, PLATFORM_UDP,
      PLATFORM_STEP_PACKET, 1, "its answer has no SDP" },
    { "udp: SDP without media", SIM_NO_MEDIA, 0, 0, SIM_NOTHING, PLATFORM_UDP,
      PLATFORM_STEP_PACKET, 1, "the SDP of its answer cannot be read" },
    { "udp: sound alone", SIM_NO_VIDEO, 0, 0, SIM_NOTHING, PLATFORM_UDP,
      PLATFORM_STEP_PACKET, 1, "its answer names no video" },
    { "tcp: sound alone", SIM_NO_VIDEO, 0, 0, SIM_CONNECT_ONLY,
      PLATFORM_TCP_PASSIVE, PLATFORM_STEP_PACKET, 1,
      "(0 unknown bytes); its answer names no video" },
    { "tcp: no connection", SIM_ANSWER, 0, 0, SIM_NOTHING,
      PLATFORM_TCP_PASSIVE, PLATFORM_STEP_CONNECT, 1,
      "no TCP connection from it" },
    { "tcp active: no connection", SIM_ANSWER, 0, 0, SIM_NOTHING,
      PLATFORM_TCP_ACTIVE, PLATFORM_STEP_CONNECT, 1,
      "no TCP connection to 192.168.1.10:15060" },
    { "tcp: connected and silent", SIM_ANSWER, 0, 0, SIM_CONNECT_ONLY,
      PLATFORM_TCP_PASSIVE, PLATFORM_STEP_PACKET, 1,
      "connection is up, but no RTP" },
    { "auto: neither", SIM_ANSWER, 0, 0, SIM_NOTHING, PLATFORM_AUTO,
      PLATFORM_STEP_CONNECT, 2, "no TCP connection from it" },
    { "no program", SIM_ANSWER, 0, 0, SIM_NO_PROGRAM, PLATFORM_UDP,
      PLATFORM_STEP_PROGRAM, 1, "program stream is found" },
    { "no codec", SIM_ANSWER, 0, 0, SIM_NO_CODEC, PLATFORM_UDP,
      PLATFORM_STEP_CODEC, 1, "video codec is known" },
    { "no key frame", SIM_ANSWER, 0, 0, SIM_NO_KEY, PLATFORM_UDP,
      PLATFORM_STEP_KEY, 1, "key frame arrives" },
};

static void failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failing); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = failing[i].invite;
        d->refuse_status = failing[i].status;
        d->refuse_times = failing[i].times;
        d->media = failing[i].media;
        v = sim_watch(&s, d, channel, failing[i].transport);
        sim_run(&s, 25000);
        if (s.last.state != PLATFORM_FAILED ||
            s.last.step != failing[i].step || d->invites != failing[i].invites ||
            !text_has(s.last_evidence, failing[i].evidence) || !s.last_hint[0] ||
            platform_session_view(s.p, v.id, &v))
            fail_msg("%s: step %s, %u invites: %s", failing[i].name,
                     platform_step_name(s.last.step), d->invites,
                     s.last_evidence);
        assert_int_equal(s.actions[PLATFORM_SESSION_GONE], 1);
        assert_int_equal(sim_counters(&s).sessions_failed, 1);
        /* the device is not left with a call: BYE, or CANCEL */
        if (failing[i].invite == SIM_SILENT || failing[i].invite == SIM_RING)
            assert_int_equal(d->cancels, 1);
        if (failing[i].invite == SIM_ANSWER)
            assert_int_equal(d->byes, d->invites);
        ends_clean();
    }
}

/* 503 with Retry-After: no second INVITE, and it is told why. */
static void it_wants_to_be_left_alone(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    d->invite = SIM_REFUSE;
    d->refuse_status = 503;
    d->refuse_times = 9;
    d->refuse_after_s = 30;
    sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 25000);
    assert_int_equal(d->invites, 1);
    assert_int_equal(s.last.step, PLATFORM_STEP_INVITE);
    assert_true(text_has(s.last_evidence, "answered 503"));
    assert_true(text_has(s.last_evidence, "another 28 s"));
    assert_true(text_has(s.last_hint, "overloaded"));
    ends_clean();
}

/* MPEG-TS was not offered. */
static void a_format_that_was_not_offered(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    d->sdp_format = "33\r\na=rtpmap:33 MP2T/90000\r\n";
    d->media = SIM_NOTHING;
    sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 25000);
    assert_true(text_has(s.last_evidence, "none of the formats"));
    assert_true(text_has(s.last_hint, "look at the channel"));
    ends_clean();
}

/* A platform below asks its own device first: it is waited for longer. */
static void a_platform_has_longer(void **state)
{
    static const struct {
        const char *id;
        unsigned s;
        const char *evidence;
    } cases[] = {
        { "34020000001180000001", 10, "no answer to the INVITE in 10.0 s" },
        { "34020000002000000002", 15, "no answer to the INVITE in 15.0 s" },
        { "34020000002110000002", 15, "no answer to the INVITE in 15.0 s" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;
        struct platform_session v;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, cases[i].id, "192.168.1.10:5060", SIP_UDP);
        sim_channels(d, 4);
        sim_settle(&s);
        d->invite = SIM_RING;
        v = sim_watch(&s, d, d->channel[0], PLATFORM_UDP);
        sim_run(&s, cases[i].s * 1000 - 500);
        assert_true(platform_session_view(s.p, v.id, &v));
        assert_int_equal(v.step, PLATFORM_STEP_INVITE);
        assert_int_equal(v.longer_ms, i ? 7000 : 0);
        sim_run(&s, 1000);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_true(text_has(s.last_evidence, cases[i].evidence));
        assert_int_equal(d->cancels, 1);
        ends_clean();
    }
}

/* What the edge makes of the bytes reaches those who wait, while they wait, and
 * the evidence in the end. A program is not waited for as long as a key. */
static void payload_of_another_kind(void **state)
{
    static const struct {
        enum sim_media media;
        enum platform_step step;
        uint64_t fails_ms;
        const char *evidence, *hint;
    } cases[] = {
        { SIM_NO_PROGRAM, PLATFORM_STEP_PROGRAM, 9000, "looks like h264",
          "format of its own" },
        { SIM_NO_CODEC, PLATFORM_STEP_CODEC, 9000, "looks like h264",
          "H.264 or H.265" },
        { SIM_NO_KEY, PLATFORM_STEP_KEY, 60000, "looks like h264",
          "settings of the camera" },
    };
    const struct sim_options o = { .config = { .auto_enrol = true,
                                               .program_ms = 9000,
                                               .first_key_ms = 60000 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
        struct platform_session v;
        char text[300];

        d->media = cases[i].media;
        d->note = "it looks like h264";
        v = sim_watch(&s, d, channel, PLATFORM_UDP);
        sim_run(&s, cases[i].fails_ms - 500);
        v = sim_session(&s, v.id);
        assert_int_equal(v.state, PLATFORM_STARTING);
        slice_copy(text, sizeof(text), v.evidence);
        assert_string_equal(text, "it looks like h264");
        slice_copy(text, sizeof(text), v.hint);
        assert_true(text_has(text, cases[i].hint));
        sim_run(&s, 1500);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_int_equal(s.last.step, cases[i].step);
        if (!text_has(s.last_evidence, cases[i].evidence) ||
            !text_has(s.last_hint, cases[i].hint))
            fail_msg("%s; %s", s.last_evidence, s.last_hint);
        ends_clean();
    }
}

/* No key frame comes whole: it is not its interval that is to blame. */
static void most_of_it_is_lost(void **state)
{
    static const struct {
        enum platform_transport transport;
        unsigned percent;
        const char *hint;
    } cases[] = {
        { PLATFORM_UDP, 40, "packets are lost on their way: try TCP" },
        { PLATFORM_TCP_PASSIVE, 10, "the device leaves packets out" },
        { PLATFORM_UDP, 5, "shorten the key frame interval" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();

        d->media = SIM_NO_KEY;
        d->lost_percent = cases[i].percent;
        sim_watch(&s, d, channel, cases[i].transport);
        sim_run(&s, 25000);
        assert_int_equal(s.last.step, PLATFORM_STEP_KEY);
        if (!text_has(s.last_hint, cases[i].hint))
            fail_msg("%u %%: %s; %s", cases[i].percent, s.last_evidence,
                     s.last_hint);
        ends_clean();
    }
}

/* What to do is another thing for each refusal. */
static void refusals_and_hints(void **state)
{
    static const struct {
        unsigned status;
        const char *hint;
    } cases[] = {
        { 302, "sends the call elsewhere" },
        { 403, "the device forbids it" },
        { 480, "offline behind its recorder" },
        { 603, "the device declines" },
        { 699, "see the log of the device" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = SIM_REFUSE;
        d->refuse_status = cases[i].status;
        d->refuse_times = 9;
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        sim_run(&s, 9000);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        if (!text_has(s.last_hint, cases[i].hint))
            fail_msg("%u: %s", cases[i].status, s.last_hint);
        ends_clean();
    }
}

static void never_started(void **state)
{
    struct sim_device *d = ready();
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .port_min = 40000,
                                         .port_max = 40003 } };
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, NULL, "34020000001319999999", 0, &v),
                     GB_ENOENT);
    assert_int_equal(v.step, PLATFORM_STEP_DEVICE);
    assert_true(v.evidence.n && v.hint.n);
    sim_unregister(d);
    sim_run(&s, 100);
    assert_int_equal(sim_play(&s, d, channel, 0, &v), GB_ESTATE);
    assert_true(slice_find_slice(v.evidence, SLICE("unregistered")) <
                v.evidence.n);
    ends_clean();
    /* two ports, three wishes */
    d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    assert_int_equal(sim_play(&s, d, d->channel[0], 0, &v), 0);
    assert_int_equal(sim_play(&s, d, d->channel[1], 0, &v), 0);
    assert_int_equal(sim_play(&s, d, d->channel[2], 0, &v), GB_ELIMIT);
    assert_int_equal(v.step, PLATFORM_STEP_SOCKET);
    assert_true(slice_find_slice(v.evidence, SLICE("2 of 2 in use")) <
                v.evidence.n);
    platform_drain(s.p, s.now);
    assert_int_equal(sim_play(&s, d, d->channel[2], 0, &v), GB_ESTATE);
    ends_clean();
}

static void no_port_can_be_opened(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true },
                             .refuse_ports = UINT_MAX };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 100);
    assert_int_equal(s.last.step, PLATFORM_STEP_SOCKET);
    assert_true(text_has(s.last_evidence, "address already in use"));
    assert_true(s.actions[PLATFORM_DO_OPEN] > 1); /* not at the first one */
    assert_int_equal(d->invites, 0);
    ends_clean();
}

static void a_row_of_ports_is_taken(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true },
                             .refuse_ports = PORTS_TRIES - 1 };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(d->invites, 1);
    assert_int_equal(s.actions[PLATFORM_DO_OPEN], PORTS_TRIES);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

static void the_edge_never_confirms(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true },
                             .lose_closed = true };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 1000);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 9000);
    assert_true(platform_session_view(s.p, v.id, &v));
    assert_int_equal(v.state, PLATFORM_STOPPING);
    sim_run(&s, 2000);
    assert_false(platform_session_view(s.p, v.id, &v));
    assert_true(text_has(s.log, "has not confirmed a close"));
    ends_clean();
}

/* ---- memory ---- */

static void play_and_hang_up(void)
{
    struct sim_device *d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    struct platform_session v;

    sim_channels(d, 1);
    sim_register(d);
    sim_run(&s, 20000);
    d->media = SIM_TCP_ONLY;
    if (!sim_play(&s, d, d->channel[0], 0, &v)) {
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, 20000);
        sim_bye(d);
        sim_run(&s, 20000);
        platform_session_stop(s.p, v.id, s.now);
    }
    sim_run(&s, 70000);
    sim_expect_clean(&s);
}

static void without_memory(void **state)
{
    (void)state;
    sim_without_memory(&s, play_and_hang_up);
}

/* What a channel claims is one thing, what came of playing it another. */
static void observed(void **state)
{
    struct sim_device *d;
    struct platform_session v;
    struct platform_channel c;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, "34020000001180000001", "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 1);
    sim_settle(&s);
#define VIEW()                                                                 \
    assert_true(platform_channel_view(s.p, slice_str(d->id),                   \
                                      slice_str(d->channel[0]), &c))
    VIEW();
    assert_true(c.on);
    assert_int_equal(c.observed, PLATFORM_OBSERVED_UNSEEN);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    VIEW();
    assert_int_equal(c.observed, PLATFORM_OBSERVED_DELIVERING);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 3000);
    VIEW();
    assert_int_equal(c.observed, PLATFORM_OBSERVED_DELIVERED);
    assert_true(c.delivered_utc_ms > 0 && c.failed_utc_ms == 0);
    assert_null(c.failed_step);
    d->invite = SIM_REFUSE;
    d->refuse_status = 404;
    d->refuse_times = 10;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 60000);
    VIEW();
    assert_true(c.on);
    assert_int_equal(c.observed, PLATFORM_OBSERVED_FAILED);
    assert_string_equal(c.failed_step, "answer");
    assert_string_equal(platform_observed_name(c.observed), "failed");
#undef VIEW
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays),
        cmocka_unit_test(one_session_for_all),
        cmocka_unit_test(main_and_sub_stream),
        cmocka_unit_test(a_channel_that_is_in_no_list),
        cmocka_unit_test(media_address_by_rule),
        cmocka_unit_test(tolerated_answers),
        cmocka_unit_test(it_wants_to_be_left_alone),
        cmocka_unit_test(a_format_that_was_not_offered),
        cmocka_unit_test(a_platform_has_longer),
        cmocka_unit_test(codecs_of_the_answer),
        cmocka_unit_test(refusals_worth_another_try),
        cmocka_unit_test(failures),
        cmocka_unit_test(payload_of_another_kind),
        cmocka_unit_test(most_of_it_is_lost),
        cmocka_unit_test(refusals_and_hints),
        cmocka_unit_test(never_started),
        cmocka_unit_test(no_port_can_be_opened),
        cmocka_unit_test(a_row_of_ports_is_taken),
        cmocka_unit_test(the_edge_never_confirms),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(observed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
