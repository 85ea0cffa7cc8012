/* app/platform/sessions: every way in which they end, and that nothing of them
 * stays, in virtual time. */
#include "test/knock.h"
#include "test/pair.h"
#include "test/session_rig.h"

#include <stdio.h>

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
    struct platform_session v = sim_watch(&s, d, channel, 0);

    (void)state;
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
    struct platform_session v = sim_watch(&s, d, channel, 0);

    (void)state;
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
    drains_clean();
}

static void a_message_inside_the_call(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = sim_watch(&s, d, channel, 0);

    (void)state;
    sim_run(&s, 1000);
    d->last_status = 0;
    sim_message_in(d, "<Notify><CmdType>MediaStatus</CmdType><SN>8</SN>"
                      "<DeviceID>34020000001310000001</DeviceID>"
                      "<NotifyType>122</NotifyType></Notify>");
    sim_run(&s, 200);
    assert_int_equal(d->last_status, 200);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    drains_clean();
}

/* Some devices refresh their session; what would change it is refused. */
static void an_invite_inside_the_call(void **state)
{
    static const struct {
        const char *name, *was, *is;
        unsigned status;
    } cases[] = {
        { "the same", "", "", 200 },
        { "without a description", "v=", "", 200 },
        { "in other words", "s=Play\r\n", "s=IPC\r\ni=x\r\n", 200 },
        { "hold", "a=sendonly", "a=inactive", 488 },
        { "another SSRC", "y=0", "y=1", 488 },
        { "no port", "m=video ", "m=video 0 RTP/AVP 96\r\nx=", 488 },
        { "no SDP", "v=", "hello\r\n", 488 },
    };
    struct sim_device *d = ready();
    struct platform_session v;
    char offer[1024];

    (void)state;
    v = sim_watch(&s, d, channel, 0);
    sim_run(&s, 1000);
    v = sim_session(&s, v.id);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char plain[512];
        const char *at;

        snprintf(plain, sizeof(plain),
                 "v=0\r\no=x 0 0 IN IP4 192.168.1.10\r\ns=Play\r\n"
                 "c=IN IP4 192.168.1.10\r\nt=0 0\r\nm=video 15060 RTP/AVP "
                 "96\r\na=sendonly\r\na=rtpmap:96 PS/90000\r\ny=%010u\r\n",
                 v.ssrc);
        at = strstr(plain, cases[i].was);
        assert_non_null(at);
        snprintf(offer, sizeof(offer), "%.*s%s%s", (int)(at - plain), plain,
                 cases[i].is, at + strlen(cases[i].was));
        if (slice_eq(slice_str(cases[i].was), SLICE("v=")))
            snprintf(offer, sizeof(offer), "%s", cases[i].is);
        d->last_status = 0;
        sim_invite_in(d, offer);
        sim_run(&s, 200);
        if (d->last_status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, d->last_status);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    }
    sim_run(&s, 40000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 100);
    assert_int_equal(d->byes, 1);
    ends_clean();
}

/* What another process would need for its BYE is stored as it is now. */
static void a_dialog_that_changes_is_stored_again(void **state)
{
    struct sim_device *d = ready();
    struct sip_request r = { .method = SIP_METHOD_INVITE, .expires = -1,
                             .contact = SLICE("sip:nvr@192.168.1.10:5080") };
    static const struct platform_control pause = {
        .kind = PLATFORM_CONTROL_PAUSE
    };
    struct platform_session v;
    uint32_t number, cseq;
    uint64_t key, ignored;

    (void)state;
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK, 0, &v), 0);
    sim_run(&s, 1000);
    key = s.opened_key;
    cseq = s.opened_cseq;
    assert_int_equal(sip_stack_request_in(s.field, d->dialog, &r,
                                          s.now.mono_ms, &ignored), 0);
    sim_run(&s, 100);
    assert_true(s.opened_key == key);
    assert_string_equal(s.opened_target, "sip:nvr@192.168.1.10:5080");
    assert_int_equal(platform_session_control(s.p, v.id, &pause, s.now,
                                              &number), 0);
    sim_run(&s, 100);
    assert_true(s.opened_key == key);
    assert_int_equal(s.opened_cseq, cseq + 1);
    d->addr.port = 6200; /* behind a NAT */
    d->to_server.local = d->addr;
    sim_register(d);
    sim_run(&s, 100);
    assert_true(s.opened_key == key);
    assert_int_equal(s.opened_from.port, 6200);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    ends_clean();
}

/* It rings, and thinks better of it. */
static void the_device_hangs_up_before_its_answer(void **state)
{
    struct sim_device *d = ready();
    const struct sip_response ring = { .status = 180, .expires = -1 };
    struct sip_peer from = { .transport = SIP_UDP, .local = s.server_addr,
                             .remote = d->addr };
    struct platform_session v;
    char text[1024];
    int n;

    (void)state;
    d->invite = SIM_RING;
    assert_int_equal(sim_play(&s, d, channel, 0, &v), 0);
    sim_run(&s, 300);
    assert_int_equal(sip_stack_respond(s.field, d->invite_transaction, &ring,
                                       s.now.mono_ms), 0);
    sim_run(&s, 100);
    v = sim_session(&s, v.id);
    n = snprintf(text, sizeof(text),
                 "BYE sip:" SIM_ID "@3402000000 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKearly\r\n"
                 "From: <sip:%s@3402000000>\r\n"
                 "To: <sip:" SIM_ID "@3402000000>\r\nCall-ID: %.*s\r\n"
                 "CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
                 channel, SLICE_ARG(v.call_id));
    assert_int_equal(knock_say(&s, &from, text, (size_t)n, NULL, 0), 200);
    sim_run(&s, 100);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_true(text_has(s.last_evidence,
                         "with a BYE before it answered the INVITE"));
    sim_run(&s, 40000);
    ends_clean();
}

/* Nobody watches. Who closed the connection is told as it was. */
static void the_media_connection_ends(void **state)
{
    static const struct {
        int err;
        const char *evidence;
    } cases[] = {
        { GB_EIO, "the device closed the media connection, 4.0 s" },
        { GB_ELIMIT, "what came on the media connection was no RTP any more" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        d->ended_err = cases[i].err;
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_PASSIVE, &v), 0);
        sim_run(&s, 1000);
        sim_media(&s, sim_stream_of(&s, v.id), PLATFORM_MEDIA_ENDED);
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
        sim_run(&s, 4000);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        if (!text_has(s.last_evidence, cases[i].evidence))
            fail_msg("%s", s.last_evidence);
        ends_clean();
    }
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
    v = sim_watch(&s, d, channel, 0);
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
    v = sim_watch(&s, d, channel, PLATFORM_TCP_PASSIVE);
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
    drains_clean();
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
    drains_clean();
}

/* Encrypted pictures beside clear sound: it plays, and says what is wrong. */
static void sound_beside_what_cannot_be_read(void **state)
{
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_ALIVE,
                                       .audio = PS_CODEC_G711A,
                                       .packets = 9,
                                       .text = "the stream is encrypted" };
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->sound_only = true;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 12000);
    ev.session = v.id;
    platform_media(s.p, &ev, s.now);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    expect_slice(v.evidence, "the stream is encrypted");
    assert_true(v.hint.n > 0);
    sim_run(&s, 10);
    assert_true(text_has(s.log, "evidence=\"the stream is encrypted\""));
    drains_clean();
}

/* That it still plays, said every second, is no news; another picture is. */
static void told_of_changes_alone(void **state)
{
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_KEY,
                                       .video = PS_CODEC_H264,
                                       .width = 640,
                                       .height = 360 };
    struct sim_device *d = ready();
    struct platform_session v;
    unsigned told;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    told = s.actions[PLATFORM_SESSION_CHANGED];
    sim_run(&s, 5000);
    assert_int_equal(s.actions[PLATFORM_SESSION_CHANGED], told);
    ev.session = v.id;
    platform_media(s.p, &ev, s.now);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_SESSION_CHANGED], told + 1);
    /* somebody has set the camera anew: the edge tells the first picture alone */
    ev.kind = PLATFORM_MEDIA_ALIVE;
    ev.video = PS_CODEC_H265;
    ev.width = 2560;
    platform_media(s.p, &ev, s.now);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_SESSION_CHANGED], told + 2);
    assert_int_equal(sim_session(&s, v.id).video, PS_CODEC_H265);
    assert_int_equal(sim_session(&s, v.id).width, 2560);
    ev.audio = PS_CODEC_G711A; /* its sound comes late */
    platform_media(s.p, &ev, s.now);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_SESSION_CHANGED], told + 3);
    drains_clean();
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
    drains_clean();
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
        drains_clean();
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
    drains_clean();
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
    drains_clean();
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
    drains_clean();
}

static char invite[4096];

static void keep_invite(void *ctx, bool out, const struct sip_peer *peer,
                        struct slice bytes, struct gb_time now)
{
    (void)ctx;
    (void)peer;
    (void)now;
    if (out && slice_has_prefix(bytes, SLICE("INVITE ")))
        slice_copy(invite, sizeof(invite), bytes);
}

/* What is wrong with a 200 is taken, and noted of the device. */
static void a_faulty_200_is_noted(void **state)
{
    static const char *const echoed[] = { "Via", "From", "To", "Call-ID",
                                          "CSeq" };
    const struct sim_options o = { .config = { .auto_enrol = true },
                                   .on_message = keep_invite };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct sip_peer from = sim_view(&s, d).peer;
    struct platform_session v;
    struct sip_event ev;
    char text[2048];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_false(sim_deviates(&s, nvr, "sip syntax tolerated"));
    d->invite = SIM_SILENT;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 200);
    writer_str(&w, "SIP/2.0 200 OK\r\n");
    for (size_t i = 0; i < COUNT(echoed); i++) {
        writer_f(&w, "%s: ", echoed[i]);
        writer_slice_put(&w, pair_header(slice_str(invite), echoed[i]));
        writer_str(&w, echoed[i][0] == 'T' ? ";tag=his\r\n" : "\r\n");
    }
    writer_str(&w, "Contact: <sip:nvr@192.168.1.10>\r\n"
                   "Content-Length: none\r\n\r\n");
    assert_int_equal(w.err, 0);
    assert_true(sip_stack_input(s.server, &from, writer_slice(&w),
                                s.now.mono_ms) != 0);
    while (sip_stack_event(s.server, &ev))
        platform_sip(s.p, &ev, s.now);
    assert_true(sim_session(&s, v.id).step >= PLATFORM_STEP_ANSWER);
    assert_true(sim_deviates(&s, nvr, "sip syntax tolerated"));
    sim_run(&s, 10);
    if (!strstr(s.log, "detail=\"INVITE answered: a header that "
                       "cannot be read\""))
        fail_msg("%s", s.log);
    platform_session_stop(s.p, v.id, s.now);
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
    drains_clean();
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
    drains_clean();
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

        sim_watch(&s, d, channel, 0);
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
        sim_run(&s, how[i] == REMOVED ? 1000 : 31000); /* waited for */
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
        assert_true(text_has(s.last_evidence, "the device went offline"));
        ends_clean();
    }
}

static void the_device_moves(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = sim_watch(&s, d, channel, 0);

    (void)state;
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

/* Who asked for a picture and got it has ten seconds to open its URL; who has
 * watched and goes leaves it for idle_stop_s alone. */
static void who_waited_has_time_to_come(void **state)
{
    const struct sim_options o = { .config = { .auto_enrol = true,
                                               .idle_stop_s = 2 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v = sim_watch(&s, d, channel, PLATFORM_AUTO);

    (void)state;
    sim_run(&s, 300);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 9000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_run(&s, 1500);
    assert_int_equal(d->byes, 1);
    /* who came first and stayed has watched as well */
    v = sim_watch(&s, d, channel, PLATFORM_AUTO);
    sim_run(&s, 3000);
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 2500);
    assert_int_equal(d->byes, 2);
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waited_has_time_to_come),
        cmocka_unit_test(cancelled_at_any_time),
        cmocka_unit_test(nobody_watches),
        cmocka_unit_test(media_falls_silent),
        cmocka_unit_test(udp_silent_then_tcp_and_remembered),
        cmocka_unit_test(a_message_inside_the_call),
        cmocka_unit_test(an_invite_inside_the_call),
        cmocka_unit_test(a_dialog_that_changes_is_stored_again),
        cmocka_unit_test(the_device_hangs_up_before_its_answer),
        cmocka_unit_test(the_media_connection_ends),
        cmocka_unit_test(the_device_hangs_up),
        cmocka_unit_test(media_connection_drops),
        cmocka_unit_test(sound_alone),
        cmocka_unit_test(sound_beside_what_cannot_be_read),
        cmocka_unit_test(told_of_changes_alone),
        cmocka_unit_test(an_ssrc_of_its_own),
        cmocka_unit_test(media_from_another_address),
        cmocka_unit_test(only_foreign_packets),
        cmocka_unit_test(active_towards_nat),
        cmocka_unit_test(active_answered_with_udp),
        cmocka_unit_test(as_configured_for_the_device),
        cmocka_unit_test(a_faulty_200_is_noted),
        cmocka_unit_test(late_and_foreign_reports),
        cmocka_unit_test(too_many_sessions),
        cmocka_unit_test(over_ipv6),
        cmocka_unit_test(busy_with_an_old_dialog),
        cmocka_unit_test(the_device_goes),
        cmocka_unit_test(the_device_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
