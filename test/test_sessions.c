#include "test/sim.h"

#include <stdio.h>

static struct sim s;

static const char nvr[] = "34020000001180000001";
static const char *channel; /* its first */

static struct sim_device *ready_at(const char *ip, uint8_t transport,
                                   const struct sim_options *o)
{
    struct sim_device *d;

    assert_true(sim_init(&s, o));
    d = sim_add(&s, nvr, ip, transport);
    sim_channels(d, 4);
    d->keepalive_ms = 30000;
    sim_settle(&s);
    assert_int_equal(sim_view(&s, d).n_channels, 4);
    channel = d->channel[0];
    return d;
}

static struct sim_device *ready(void)
{
    return ready_at("192.168.1.10:5060", SIP_UDP, NULL);
}

static void ends_clean(void)
{
    sim_run(&s, 70000);
    platform_tick(s.p, s.now);
    sim_expect_clean(&s);
    assert_int_equal(sim_counters(&s).ports_resting, 0);
    sim_free(&s);
}

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
    assert_true(platform_session_at(s.p, 0, &b));
    assert_false(platform_session_at(s.p, 1, &b));
    assert_int_equal(d->invites, 1);
    platform_drain(s.p, s.now);
    ends_clean();
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
    platform_drain(s.p, s.now);
    ends_clean();
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
    platform_drain(s.p, s.now);
    ends_clean();
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
    platform_drain(s.p, s.now);
    ends_clean();
    /* media.address wins */
    assert_int_equal(gb_addr_parse_ip(&o.config.media_address,
                                      SLICE("198.51.100.77")),
                     0);
    d = ready_at("203.0.113.9:5060", SIP_UDP, &o);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 100);
    assert_true(text_has(d->last_sdp, "c=IN IP4 198.51.100.77\r\n"));
    platform_drain(s.p, s.now);
    ends_clean();
}

/* ---- answers that deviate ---- */

static void tolerated_answers(void **state)
{
    static const struct {
        const char *name;
        enum sim_invite invite;
        enum platform_transport transport;
        bool other_ssrc;
    } cases[] = {
        { "without y", SIM_NO_Y, PLATFORM_UDP, false },
        { "another y", SIM_OTHER_Y, PLATFORM_UDP, true },
        { "without SDP", SIM_NO_SDP, PLATFORM_UDP, false },
        { "without SDP, TCP", SIM_NO_SDP, PLATFORM_TCP_PASSIVE, false },
        { "RTP/AVP to TCP", SIM_PLAIN_AVP, PLATFORM_TCP_PASSIVE, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = cases[i].invite;
        assert_int_equal(sim_play(&s, d, channel, cases[i].transport, &v), 0);
        sim_run(&s, 2000);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING ||
            (v.ssrc == 60205514) != cases[i].other_ssrc)
            fail_msg("%s: %s", cases[i].name, s.last_evidence);
        assert_true(sim_view(&s, d).deviations > 0 ||
                    cases[i].invite == SIM_NO_Y);
        platform_drain(s.p, s.now);
        ends_clean();
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
        platform_drain(s.p, s.now);
        ends_clean();
    }
}

/* ---- failures: each names its step, and nothing is left ---- */

static void failures(void **state)
{
    static const struct {
        const char *name;
        enum sim_invite invite;
        unsigned status, times;
        enum sim_media media;
        enum platform_transport transport;
        enum platform_step step;
        unsigned invites;
        const char *evidence;
    } cases[] = {
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
        { "no SDP, we should connect", SIM_NO_SDP, 0, 0, SIM_PICTURE,
          PLATFORM_TCP_ACTIVE, PLATFORM_STEP_ANSWER, 1, "where to connect" },
        { "udp: no packet", SIM_ANSWER, 0, 0, SIM_NOTHING, PLATFORM_UDP,
          PLATFORM_STEP_PACKET, 1, "no RTP packet came in 10.0 s" },
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

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->invite = cases[i].invite;
        d->refuse_status = cases[i].status;
        d->refuse_times = cases[i].times;
        d->media = cases[i].media;
        assert_int_equal(sim_play(&s, d, channel, cases[i].transport, &v), 0);
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, 25000);
        if (s.last.state != PLATFORM_FAILED ||
            s.last.step != cases[i].step || d->invites != cases[i].invites ||
            !text_has(s.last_evidence, cases[i].evidence) || !s.last_hint[0] ||
            platform_session_view(s.p, v.id, &v))
            fail_msg("%s: step %s, %u invites: %s", cases[i].name,
                     platform_step_name(s.last.step), d->invites,
                     s.last_evidence);
        assert_int_equal(s.actions[PLATFORM_SESSION_GONE], 1);
        assert_int_equal(sim_counters(&s).sessions_failed, 1);
        /* the device is not left with a call: BYE, or CANCEL */
        if (cases[i].invite == SIM_SILENT || cases[i].invite == SIM_RING)
            assert_int_equal(d->cancels, 1);
        if (cases[i].invite == SIM_ANSWER)
            assert_int_equal(d->byes, d->invites);
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
        { SIM_NO_KEY, PLATFORM_STEP_KEY, 60000, "within 60.0 s", "interval" },
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
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        platform_session_hold(s.p, v.id, s.now);
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
                             .refuse_ports = true };
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

/* ---- it ends ---- */

/* At every moment of its start. */
static void cancelled_at_any_time(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 400; ms += 7) {
        struct sim_options o = { .config = { .auto_enrol = true },
                                 .delay_ms = 50 };
        struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
        struct platform_session v;

        assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
        if (ms)
            sim_run(&s, ms);
        platform_session_stop(s.p, v.id, s.now);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 5000);
        assert_false(platform_session_view(s.p, v.id, &v));
        if (d->invites != d->byes + d->cancels)
            fail_msg("%llu ms: %u invites, %u byes, %u cancels",
                     (unsigned long long)ms, d->invites, d->byes, d->cancels);
        ends_clean();
    }
}

static void nobody_watches(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 60000);
    assert_int_equal(sim_session(&s, v.id).consumers, 2);
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 60000);
    platform_session_release(s.p, v.id, s.now);
    platform_session_release(s.p, v.id, s.now); /* one too many */
    sim_run(&s, 29000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_hold(s.p, v.id, s.now); /* back in time */
    sim_run(&s, 60000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 31000);
    assert_false(platform_session_view(s.p, v.id, &v));
    assert_int_equal(d->byes, 1);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    /* started, and nobody ever came */
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 31000);
    assert_false(platform_session_view(s.p, v.id, &v));
    ends_clean();
}

static void media_falls_silent(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 20000);
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        s.stream[i].next_ms = GB_NEVER;
    sim_run(&s, 14000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_run(&s, 3000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_true(text_has(s.last_evidence, "no media for 15.0 s"));
    assert_int_equal(d->byes, 1);
    ends_clean();
}

static void udp_silent_then_tcp_and_remembered(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->media = SIM_TCP_ONLY;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 2900);
    assert_int_equal(d->invites, 1);
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(d->byes, 1);
    assert_int_equal(d->invites, 2);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 100);
    /* the next time at once */
    assert_int_equal(sim_play(&s, d, d->channel[1], PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 3);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void a_message_inside_the_call(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    d->last_status = 0;
    sim_message_in(d, "<Notify><CmdType>MediaStatus</CmdType><SN>8</SN>"
                      "<DeviceID>34020000001310000001</DeviceID>"
                      "<NotifyType>122</NotifyType></Notify>");
    sim_run(&s, 200);
    assert_int_equal(d->last_status, 200);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void the_device_hangs_up(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    /* nobody watches: it is over, and said so */
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 1000);
    sim_bye(d);
    sim_run(&s, 100);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    assert_true(
        text_has(s.last_evidence, "the device ended it with a BYE, 1.0 s"));
    assert_int_equal(s.open_streams, 0);
    /* somebody watches: invited again after a pause, into the open port */
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    sim_bye(d);
    sim_run(&s, 1900);
    assert_int_equal(d->invites, 2);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
    sim_run(&s, 6000);
    assert_int_equal(d->invites, 3);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(s.open_streams, 1);
    /* but not for ever */
    for (int i = 0; i < 3; i++) {
        sim_bye(d);
        sim_run(&s, 8000);
    }
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(d->invites, 5);
    ends_clean();
}

/* The TCP connection drops while it plays: three seconds to come back. */
static void media_connection_drops(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream *st;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_PASSIVE, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    st = sim_stream_of(&s, v.id);
    sim_media(&s, st, PLATFORM_MEDIA_ENDED);
    sim_run(&s, 5000); /* packets go on, on another connection */
    assert_int_equal(d->byes, 0);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_media(&s, st, PLATFORM_MEDIA_ENDED);
    st->next_ms = GB_NEVER;
    sim_run(&s, 2900);
    assert_int_equal(d->byes, 0);
    sim_run(&s, 9000);
    assert_int_equal(d->byes, 1); /* and invited again: somebody watches */
    assert_int_equal(d->invites, 2);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_drain(s.p, s.now);
    ends_clean();
    /* while it starts, nothing is worth waiting for */
    d = ready();
    d->media = SIM_CONNECT_ONLY;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_PASSIVE, &v), 0);
    sim_run(&s, 1000);
    sim_media(&s, sim_stream_of(&s, v.id), PLATFORM_MEDIA_ENDED);
    sim_run(&s, 100);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_PACKET);
    assert_true(text_has(s.last_evidence, "the media connection failed"));
    ends_clean();
}

static void sound_alone(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->sound_only = true;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 12000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.video, PS_CODEC_UNKNOWN);
    assert_int_equal(v.audio, PS_CODEC_G711A);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 100);
    /* the edge says so long before the limit for a key frame */
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 5000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
    sim_media(&s, sim_stream_of(&s, v.id), PLATFORM_MEDIA_SOUND);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void an_ssrc_of_its_own(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->foreign_ssrc = true;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_true(text_has(s.log, "SSRC that was not agreed"));
    platform_drain(s.p, s.now);
    ends_clean();
}

/* The address of c= is handed on, and media from there are as good as from the
 * device's own; from anywhere else they are noted with where they come from. */
static void media_from_another_address(void **state)
{
    static const struct {
        const char *media;
        bool noted;
    } cases[] = { { NULL, false },
                  { "10.9.9.9", false },
                  { "10.8.8.8", true } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;
        struct gb_addr c;

        d->sdp_ip = "10.9.9.9";
        d->media_ip = cases[i].media;
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        sim_run(&s, 1000);
        assert_int_equal(gb_addr_parse_ip(&c, slice_str(d->sdp_ip)), 0);
        assert_true(gb_addr_ip_eq(&sim_stream_of(&s, v.id)->answer, &c));
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        assert_int_equal(text_has(s.log, "that nobody named"), cases[i].noted);
        assert_int_equal(text_has(s.log, "peer=10.8.8.8"), cases[i].noted);
        platform_drain(s.p, s.now);
        ends_clean();
    }
}

/* Packets that are not of this stream do not keep it alive. */
static void only_foreign_packets(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream *st;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    st = sim_stream_of(&s, v.id);
    st->next_ms = GB_NEVER;
    for (int i = 0; i < 17; i++) {
        if (sim_stream_of(&s, v.id))
            sim_media(&s, st, PLATFORM_MEDIA_ALIVE);
        sim_run(&s, 1000);
    }
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_true(text_has(s.last_evidence, "no media for 15.0 s"));
    ends_clean();
}

static void active_towards_nat(void **state)
{
    struct sim_device *d = ready_at("203.0.113.9:5060", SIP_TCP, NULL);
    struct platform_session v;

    (void)state;
    /* its SDP names an address of its LAN: do not even try */
    d->sdp_ip = "192.168.7.7";
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_ACTIVE, &v), 0);
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(d->byes, 1);
    assert_int_equal(s.actions[PLATFORM_DO_OPEN], 2);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void active_answered_with_udp(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->invite = SIM_PLAIN_AVP;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_ACTIVE, &v), 0);
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_UDP);
    assert_int_equal(d->invites, 2);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void as_configured_for_the_device(void **state)
{
    const struct platform_settings set = { .set = PLATFORM_SET_MEDIA,
                                           .media = PLATFORM_TCP_PASSIVE };
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(platform_device_set(s.p, SLICE("x"), &set, s.now),
                     GB_ENOENT);
    assert_int_equal(platform_device_set(s.p, slice_str(nvr), &set, s.now), 0);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(sim_view(&s, d).media, PLATFORM_TCP_PASSIVE);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void connection_lost_while_inviting(void **state)
{
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_TCP, NULL);
    struct platform_session v;

    (void)state;
    d->invite = SIM_SILENT;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    sim_disconnect(d);
    sim_run(&s, 100);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_DEVICE);
    assert_true(text_has(s.last_evidence, "connection lost"));
    ends_clean();
}

static void late_and_foreign_reports(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream old;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    old = *sim_stream_of(&s, v.id);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 100);
    for (int k = PLATFORM_MEDIA_OPENED; k <= PLATFORM_MEDIA_CLOSED; k++)
        sim_media(&s, &old, (enum platform_media_kind)k);
    old.session = 0;
    sim_media(&s, &old, PLATFORM_MEDIA_KEY);
    ends_clean();
}

static void too_many_sessions(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .max_sessions = 2 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, d->channel[0], 0, &v), 0);
    assert_int_equal(sim_play(&s, d, d->channel[1], 0, &v), 0);
    assert_int_equal(sim_play(&s, d, d->channel[2], 0, &v), GB_ELIMIT);
    assert_int_equal(v.step, PLATFORM_STEP_DEVICE);
    sim_run(&s, 1000);
    sim_free(&s); /* in the middle of it: nothing leaks */
}

static void over_ipv6(void **state)
{
    struct sim_device *d;
    struct platform_session v;

    (void)state;
    assert_true(sim_init(&s, NULL));
    assert_int_equal(gb_addr_parse(&s.server_addr,
                                   slice_str("[2001:db8::1]:5060"), 0),
                     0);
    d = sim_add(&s, nvr, "[2001:db8::10]:5060", SIP_UDP);
    sim_channels(d, 1);
    d->sdp_ip = "2001:db8::10";
    sim_settle(&s);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 1000);
    assert_true(text_has(d->last_sdp, "c=IN IP6 2001:db8::1\r\n"));
    assert_true(text_has(d->last_uri, "@[2001:db8::10]:5060"));
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void busy_with_an_old_dialog(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    unsigned before;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 1000);
    /* its end never arrives */
    d->deaf = true;
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 40000);
    d->deaf = false;
    assert_int_equal(d->byes, 0);
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 1;
    before = d->byes;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->byes, before + 1);
    platform_drain(s.p, s.now);
    ends_clean();
}

static void the_device_goes(void **state)
{
    static const enum { UNREGISTERS, DIES, REMOVED, DISCONNECTS } how[] = {
        UNREGISTERS, DIES, REMOVED, DISCONNECTS
    };

    (void)state;
    for (size_t i = 0; i < COUNT(how); i++) {
        struct sim_device *d =
            ready_at("192.168.1.10:5060",
                     how[i] == DISCONNECTS ? SIP_TCP : SIP_UDP, NULL);
        struct platform_session v;

        assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, 1000);
        switch (how[i]) {
        case UNREGISTERS:
            sim_unregister(d);
            break;
        case DIES:
            d->next_keepalive_ms = GB_NEVER; /* media goes on, strangely */
            sim_run(&s, 200000);
            break;
        case REMOVED:
            platform_device_remove(s.p, slice_str(nvr), s.now);
            break;
        case DISCONNECTS:
            sim_disconnect(d);
            break;
        }
        sim_run(&s, 1000);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
        assert_true(text_has(s.last_evidence, "the device went offline"));
        ends_clean();
    }
}

static void the_device_moves(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    d->addr.port = 6200;
    d->to_server.local = d->addr;
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(d->byes, 1); /* it found the device */
    ends_clean();
}

static void drains(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(sim_play(&s, d, d->channel[i], 0, &v), 0);
        platform_session_hold(s.p, v.id, s.now);
    }
    sim_run(&s, 1000);
    assert_false(platform_is_drained(s.p));
    platform_drain(s.p, s.now);
    sim_run(&s, 1000);
    assert_true(platform_is_drained(s.p));
    assert_int_equal(d->byes, 4);
    ends_clean();
}

/* Stopping waits until every BYE has its answer, and until then the dialog stays
 * stored: the BYE that is lost with the process is sent by the next one. */
static void drains_when_the_byes_are_answered(void **state)
{
    static const struct {
        const char *name;
        uint64_t deaf_ms, done_ms;
        unsigned byes;
    } cases[] = {
        { "answered late", 1200, 2500, 1 },
        { "never answered", 100000, 33000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, 1000);
        d->deaf = true;
        platform_drain(s.p, s.now);
        sim_run(&s, 1000);
        assert_int_equal(sim_counters(&s).sessions, 0);
        assert_false(platform_is_drained(s.p));
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 0);
        if (cases[i].deaf_ms < cases[i].done_ms) {
            sim_run(&s, cases[i].deaf_ms - 1000);
            d->deaf = false;
        }
        sim_run(&s, cases[i].done_ms);
        if (!platform_is_drained(s.p) || d->byes != cases[i].byes ||
            s.actions[PLATFORM_DIALOG_CLOSED] != 1 ||
            s.closed_key != s.opened_key)
            fail_msg("%s: %u BYEs, %u closed", cases[i].name, d->byes,
                     s.actions[PLATFORM_DIALOG_CLOSED]);
        d->deaf = false;
        ends_clean();
    }
}

/* Each dialog of a session has a key of its own: the late answer to the first
 * BYE does not make the owner forget the second dialog. */
static void a_second_dialog_is_stored_beside(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    uint64_t first;

    (void)state;
    d->media = SIM_TCP_ONLY;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    first = s.opened_key;
    sim_run(&s, 4000);
    assert_int_equal(sim_session(&s, v.id).transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(s.actions[PLATFORM_DIALOG_OPENED], 2);
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
    assert_true(s.closed_key == first && s.opened_key != first);
    platform_drain(s.p, s.now);
    sim_run(&s, 100);
    assert_true(s.closed_key == s.opened_key);
    ends_clean();
}

/* Far more ended dialogs than are remembered, none of them answered. */
static void many_unanswered_byes(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    d->invite = SIM_ANSWER;
    for (unsigned i = 0; i < 300; i++) {
        struct platform_session v;

        assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
        sim_run(&s, 400);
        d->deaf = true;
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 100);
        d->deaf = false;
        d->next_keepalive_ms = GB_NEVER;
        if (i % 50 == 49)
            sim_register(d);
    }
    platform_drain(s.p, s.now);
    sim_run(&s, 40000);
    assert_true(platform_is_drained(s.p));
    assert_int_equal(s.actions[PLATFORM_DIALOG_OPENED],
                     s.actions[PLATFORM_DIALOG_CLOSED]);
    ends_clean();
}

/* ---- memory ---- */

static void without_memory(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct failing_alloc f;
        struct sim_options o = { .config = { .auto_enrol = true } };

        failing_alloc_init(&f, n);
        o.alloc = &f.alloc;
        if (sim_init(&s, &o)) {
            struct sim_device *d =
                sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
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
            done = f.calls < n;
            sim_free(&s);
        }
        if (f.live)
            fail_msg("allocation %lu: %lu left", n, f.live);
    }
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
        cmocka_unit_test(observed),
        cmocka_unit_test(plays),
        cmocka_unit_test(one_session_for_all),
        cmocka_unit_test(main_and_sub_stream),
        cmocka_unit_test(a_channel_that_is_in_no_list),
        cmocka_unit_test(media_address_by_rule),
        cmocka_unit_test(tolerated_answers),
        cmocka_unit_test(refusals_worth_another_try),
        cmocka_unit_test(failures),
        cmocka_unit_test(payload_of_another_kind),
        cmocka_unit_test(never_started),
        cmocka_unit_test(no_port_can_be_opened),
        cmocka_unit_test(the_edge_never_confirms),
        cmocka_unit_test(cancelled_at_any_time),
        cmocka_unit_test(nobody_watches),
        cmocka_unit_test(media_falls_silent),
        cmocka_unit_test(udp_silent_then_tcp_and_remembered),
        cmocka_unit_test(a_message_inside_the_call),
        cmocka_unit_test(the_device_hangs_up),
        cmocka_unit_test(media_connection_drops),
        cmocka_unit_test(sound_alone),
        cmocka_unit_test(an_ssrc_of_its_own),
        cmocka_unit_test(media_from_another_address),
        cmocka_unit_test(only_foreign_packets),
        cmocka_unit_test(active_towards_nat),
        cmocka_unit_test(active_answered_with_udp),
        cmocka_unit_test(as_configured_for_the_device),
        cmocka_unit_test(connection_lost_while_inviting),
        cmocka_unit_test(late_and_foreign_reports),
        cmocka_unit_test(too_many_sessions),
        cmocka_unit_test(over_ipv6),
        cmocka_unit_test(busy_with_an_old_dialog),
        cmocka_unit_test(the_device_goes),
        cmocka_unit_test(the_device_moves),
        cmocka_unit_test(drains),
        cmocka_unit_test(drains_when_the_byes_are_answered),
        cmocka_unit_test(a_second_dialog_is_stored_beside),
        cmocka_unit_test(many_unanswered_byes),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
