/* Recordings of a device, in virtual time: how they begin, are controlled and
 * end. */
#include "test/session_rig.h"

#include "app/platform/messages.h"

#include <stdio.h>

#define STATUS(id)                                                             \
    "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>MediaStatus</CmdType>\r\n" \
    "<SN>7</SN>\r\n<DeviceID>" id "</DeviceID>\r\n"                            \
    "<NotifyType>121</NotifyType>\r\n</Notify>\r\n"

static struct platform_session begin(struct sim_device *d,
                                     enum platform_session_kind kind)
{
    struct platform_session v;

    assert_int_equal(sim_playback(&s, d, channel, kind, PLATFORM_AUTO, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    v = sim_session(&s, v.id);
    if (v.state != PLATFORM_PLAYING)
        fail_msg("%s: %s", platform_step_name(v.step), s.last_evidence);
    return v;
}

static void offer_names_the_range(void **state)
{
    static const struct {
        enum platform_session_kind kind;
        const char *name, *speed;
    } cases[] = {
        { PLATFORM_PLAYBACK, "s=Playback\r\n", NULL },
        { PLATFORM_DOWNLOAD, "s=Download\r\n", "a=downloadspeed:4\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, cases[i].kind);
        struct platform_channel c;
        char text[80];

        assert_true(text_has(d->last_sdp, cases[i].name));
        assert_true(text_has(d->last_sdp, "t=1700000000 1700000600\r\n"));
        snprintf(text, sizeof(text), "u=%s:0\r\n", channel);
        assert_true(text_has(d->last_sdp, text));
        snprintf(text, sizeof(text), "y=%010u\r\n", v.ssrc);
        assert_true(text_has(d->last_sdp, text));
        assert_int_equal(text[2], '1'); /* history */
        assert_true(!text_has(d->last_sdp, "downloadspeed") ==
                    !cases[i].speed);
        if (cases[i].speed)
            assert_true(text_has(d->last_sdp, cases[i].speed));
        assert_int_equal(v.kind, cases[i].kind);
        assert_int_equal(v.playback.start_s, 1700000000);
        assert_int_equal(v.playback.scale_milli, 1000);
        /* the live session of the channel is another matter */
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(channel), &c));
        assert_true(c.session == 0);
        assert_int_equal(c.observed, PLATFORM_OBSERVED_UNSEEN);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 100);
        assert_int_equal(d->byes, 1);
        ends_clean();
    }
}

static void refused_before_it_begins(void **state)
{
    struct sim_device *d = ready();
    struct platform_recording req = { .device = slice_str(nvr),
                                      .channel = slice_str(channel),
                                      .kind = PLATFORM_PLAYBACK,
                                      .start_s = 100,
                                      .stop_s = 200 };
    struct platform_session v;

    (void)state;
    req.stop_s = 100;
    assert_int_equal(platform_playback_start(s.p, &req, s.now, &v),
                     GB_ERANGE);
    assert_true(v.hint.n > 0);
    req.stop_s = 101 + PLATFORM_PLAYBACK_MAX_S;
    assert_int_equal(platform_playback_start(s.p, &req, s.now, &v),
                     GB_ERANGE);
    req.stop_s = 200;
    req.kind = PLATFORM_LIVE;
    assert_int_equal(platform_playback_start(s.p, &req, s.now, &v),
                     GB_ERANGE);
    req.kind = PLATFORM_PLAYBACK;
    req.device = SLICE("34020000001180009999");
    assert_int_equal(platform_playback_start(s.p, &req, s.now, &v),
                     GB_ENOENT);
    assert_int_equal(d->invites, 0);
    ends_clean();
}

/* Each wish is a session of its own, beside the live one. */
static void several_at_one_time(void **state)
{
    struct sim_device *d = ready();
    struct platform_session live, a, b;

    (void)state;
    live = sim_watch(&s, d, channel, PLATFORM_AUTO);
    sim_run(&s, 1000);
    a = begin(d, PLATFORM_PLAYBACK);
    b = begin(d, PLATFORM_PLAYBACK);
    assert_true(a.id != b.id && a.id != live.id && a.ssrc != b.ssrc);
    assert_int_equal(d->invites, 3);
    assert_true(platform_live_find(s.p, slice_str(nvr), slice_str(channel), 0,
                                   &live));
    assert_int_equal(live.kind, PLATFORM_LIVE);
    drains_clean();
}

/* ---- control ---- */

static uint32_t control(uint64_t id, enum platform_control_kind kind,
                        int64_t value)
{
    const struct platform_control c = {
        .kind = kind,
        .position_ms = kind == PLATFORM_CONTROL_SEEK ? value : 0,
        .scale_milli = kind == PLATFORM_CONTROL_SCALE ? (int32_t)value : 0,
    };
    uint32_t number;

    assert_int_equal(platform_session_control(s.p, id, &c, s.now, &number), 0);
    return number;
}

static void controls_as_the_standard_has_them(void **state)
{
    static const struct {
        enum platform_control_kind kind;
        int64_t value;
        const char *version, *body;
    } cases[] = {
        { PLATFORM_CONTROL_PAUSE, 0, "2.0",
          "PAUSE RTSP/1.0\r\nCSeq: 1\r\nPauseTime: now\r\n\r\n" },
        { PLATFORM_CONTROL_RESUME, 0, "2.0",
          "PLAY RTSP/1.0\r\nCSeq: 1\r\nRange: npt=now-\r\n\r\n" },
        { PLATFORM_CONTROL_SCALE, 2000, "3.0",
          "PLAY RTSP/1.0\r\nCSeq: 1\r\nScale: 2.0\r\n\r\n" },
        { PLATFORM_CONTROL_SCALE, -1000, "3.0",
          "PLAY RTSP/1.0\r\nCSeq: 1\r\nScale: -1.0\r\n\r\n" },
        { PLATFORM_CONTROL_SEEK, 100000, "2.0",
          "PLAY RTSP/1.0\r\nCSeq: 1\r\nRange: npt=100-\r\n\r\n" },
        { PLATFORM_CONTROL_PAUSE, 0, "1.0",
          "PAUSE MANSRTSP/1.0\r\nCSeq: 1\r\nPauseTime: now\r\n\r\n" },
        { PLATFORM_CONTROL_RESUME, 0, "1.0",
          "PLAY MANSRTSP/1.0\r\nCSeq: 1\r\n\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;
        struct platform_session v;
        uint32_t number;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
        sim_channels(d, 4);
        d->version = cases[i].version;
        d->keepalive_ms = 30000;
        sim_settle(&s);
        channel = d->channel[0];
        v = begin(d, PLATFORM_PLAYBACK);
        number = control(v.id, cases[i].kind, cases[i].value);
        v = sim_session(&s, v.id);
        assert_int_equal(v.playback.control, number);
        assert_int_equal(v.playback.control_status, 0);
        sim_run(&s, 200);
        if (strcmp(d->last_control, cases[i].body))
            fail_msg("%zu: %s", i, d->last_control);
        v = sim_session(&s, v.id);
        assert_int_equal(v.playback.control_status, 200);
        assert_int_equal(v.playback.paused,
                         cases[i].kind == PLATFORM_CONTROL_PAUSE);
        platform_session_stop(s.p, v.id, s.now);
        ends_clean();
    }
}

static void pause_is_no_silence(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    struct sim_stream *st = sim_stream_of(&s, v.id);

    (void)state;
    control(v.id, PLATFORM_CONTROL_PAUSE, 0);
    sim_run(&s, 200);
    st->next_ms = GB_NEVER;
    sim_run(&s, 300000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_true(sim_session(&s, v.id).playback.paused);
    control(v.id, PLATFORM_CONTROL_RESUME, 0);
    sim_run(&s, 200);
    assert_false(sim_session(&s, v.id).playback.paused);
    sim_run(&s, 20000); /* and now it is missed */
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    assert_false(s.last.playback.complete);
    assert_int_equal(d->invites, 1);
    ends_clean();
}

static void media_loop_is_told(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    struct sim_stream *st = sim_stream_of(&s, v.id);

    (void)state;
    s.opt.delay_ms = 20;
    control(v.id, PLATFORM_CONTROL_SEEK, 100000);
    sim_run(&s, 1); /* before the answer */
    assert_int_equal(st->seek_ms, 100000);
    assert_int_equal(st->scale_milli, 1000);
    sim_run(&s, 200);
    control(v.id, PLATFORM_CONTROL_SCALE, 4000);
    sim_run(&s, 200);
    assert_int_equal(st->seek_ms, -1);
    assert_int_equal(st->scale_milli, 4000);
    assert_int_equal(sim_session(&s, v.id).playback.scale_milli, 4000);
    d->control_status = 488;
    control(v.id, PLATFORM_CONTROL_SEEK, 200000);
    sim_run(&s, 1);
    assert_int_equal(st->seek_ms, 200000);
    sim_run(&s, 200);
    assert_int_equal(st->seek_ms, -1); /* taken back */
    assert_int_equal(sim_session(&s, v.id).playback.control_status, 488);
    sim_at(&s, v.id, 123456);
    assert_int_equal(sim_session(&s, v.id).playback.position_ms, 123456);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

static void control_is_refused_or_not_answered(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    const struct platform_control pause = { .kind = PLATFORM_CONTROL_PAUSE };
    uint32_t number;

    (void)state;
    d->control_answer = "RTSP/1.0 501 Not Implemented\r\nCSeq: 1\r\n\r\n";
    control(v.id, PLATFORM_CONTROL_SCALE, 8000);
    sim_run(&s, 200);
    v = sim_session(&s, v.id);
    assert_int_equal(v.playback.control_status, 501);
    assert_int_equal(v.playback.scale_milli, 1000);
    d->control_answer = "RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n";
    control(v.id, PLATFORM_CONTROL_SCALE, 8000);
    sim_run(&s, 200);
    assert_int_equal(sim_session(&s, v.id).playback.control_status, 200);
    d->control_silent = true;
    control(v.id, PLATFORM_CONTROL_PAUSE, 0);
    assert_int_equal(platform_session_control(s.p, v.id, &pause, s.now,
                                              &number), GB_EAGAIN);
    sim_run(&s, 7000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.playback.control_status, 408);
    assert_false(v.playback.paused);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

static void control_is_not_possible(void **state)
{
    struct sim_device *d = ready();
    struct platform_session live, v = begin(d, PLATFORM_PLAYBACK);
    struct platform_control c = { .kind = PLATFORM_CONTROL_SEEK,
                                  .position_ms = 600001 };
    uint32_t number;

    (void)state;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     GB_ERANGE);
    c.position_ms = -1;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     GB_ERANGE);
    c = (struct platform_control){ .kind = PLATFORM_CONTROL_SCALE };
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     GB_ERANGE);
    c.scale_milli = 64000;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     GB_ERANGE);
    assert_int_equal(platform_session_control(s.p, 12345, &c, s.now, &number),
                     GB_ENOENT);
    assert_int_equal(sim_play(&s, d, d->channel[1], PLATFORM_AUTO, &live), 0);
    assert_int_equal(platform_session_control(s.p, live.id, &c, s.now,
                                              &number), GB_EUNSUPPORTED);
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_AUTO, &v), 0);
    c.scale_milli = 2000;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     GB_ESTATE);
    drains_clean();
}

/* 400 to "Scale: 2.0": "Scale: 2" is tried, and kept. */
static void note_9_11_scale_without_a_fraction(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    d->control_status = 400;
    d->control_times = 1;
    control(v.id, PLATFORM_CONTROL_SCALE, 2000);
    sim_run(&s, 500);
    assert_int_equal(d->controls, 2);
    assert_true(text_has(d->last_control, "Scale: 2\r\n"));
    assert_int_equal(sim_session(&s, v.id).playback.control_status, 200);
    control(v.id, PLATFORM_CONTROL_SCALE, 4000);
    sim_run(&s, 500);
    assert_int_equal(d->controls, 3);
    assert_true(text_has(d->last_control, "Scale: 4\r\n"));
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* A session lives as long as its media, whatever the hour. */
static void note_9_7_controls_after_hours(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        sim_register(d);
        sim_run(&s, 1800000);
    }
    control(v.id, PLATFORM_CONTROL_SEEK, 5000);
    sim_run(&s, 500);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.playback.control_status, 200);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* Nobody watches what is paused: it waits five minutes, not half of one. */
static void note_9_8_a_pause_is_not_idle(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    control(v.id, PLATFORM_CONTROL_PAUSE, 0);
    sim_run(&s, 200);
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    platform_session_release(s.p, v.id, s.now);
    sim_run(&s, 250000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    control(v.id, PLATFORM_CONTROL_RESUME, 0);
    sim_stream_of(&s, v.id)->next_ms = s.now.mono_ms;
    sim_run(&s, 20000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_run(&s, 20000); /* and then it is idle as any other */
    assert_int_equal(d->byes, 1);
    ends_clean();
}

/* Accepted, and the pictures come as ever: that is told, and their times are
 * not divided. */
static void note_9_9_speed_that_is_ignored(void **state)
{
    static const struct {
        int32_t scale, step_ms, told, measured;
    } cases[] = {
        { 4000, 1000, 1000, 1000 }, /* ignored */
        { 4000, 4000, 4000, 4000 },
        { 4000, 2500, 4000, 2500 }, /* as fast as it can */
        { 250, 250, 250, 250 },
        { 250, 1000, 1000, 1000 },
        { 1000, 1000, 1000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, PLATFORM_PLAYBACK);
        struct sim_stream *st = sim_stream_of(&s, v.id);
        int64_t ms = 50000;

        st->next_ms = GB_NEVER;
        sim_at(&s, v.id, ms);
        control(v.id, PLATFORM_CONTROL_SCALE, cases[i].scale);
        sim_run(&s, 200);
        for (unsigned k = 0; k < 6; k++) {
            sim_run(&s, 1000);
            sim_at(&s, v.id, ms += cases[i].step_ms);
        }
        v = sim_session(&s, v.id);
        if (v.playback.scale_milli != cases[i].told ||
            v.playback.measured_milli != cases[i].measured)
            fail_msg("%zu: %d, measured %d", i, (int)v.playback.scale_milli,
                     (int)v.playback.measured_milli);
        sim_run(&s, 1);
        assert_int_equal(sim_stream_of(&s, v.id)->scale_milli,
                         cases[i].told);
        platform_session_stop(s.p, v.id, s.now);
        ends_clean();
    }
}

/* A device that goes back at one speed says which; at the beginning three seconds
 * of silence are the end. One that plays ahead all the same is told. */
static void backwards(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    struct sim_stream *st = sim_stream_of(&s, v.id);

    (void)state;
    st->next_ms = GB_NEVER;
    sim_at(&s, v.id, 30000);
    d->control_answer = "RTSP/1.0 200 OK\r\nCSeq: 1\r\nScale: -1.0\r\n\r\n";
    control(v.id, PLATFORM_CONTROL_SCALE, -4000);
    sim_run(&s, 200);
    assert_int_equal(sim_session(&s, v.id).playback.scale_milli, -1000);
    assert_int_equal(st->scale_milli, -1000);
    for (int64_t ms = 29000; ms >= 24000; ms -= 1000) {
        sim_run(&s, 1000);
        sim_at(&s, v.id, ms);
    }
    v = sim_session(&s, v.id);
    assert_int_equal(v.playback.measured_milli, -1000);
    assert_int_equal(v.playback.scale_milli, -1000);
    sim_at(&s, v.id, 0);
    sim_run(&s, 4000);
    assert_int_equal(s.last.state, PLATFORM_STOPPING);
    assert_true(s.last.playback.complete);
    v = begin(d, PLATFORM_PLAYBACK);
    d->control_answer = NULL;
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_at(&s, v.id, 30000);
    control(v.id, PLATFORM_CONTROL_SCALE, -1000);
    for (int64_t ms = 31000; ms <= 36000; ms += 1000) {
        sim_run(&s, 1000);
        sim_at(&s, v.id, ms);
    }
    assert_int_equal(sim_session(&s, v.id).playback.scale_milli, 1000);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* As many as the device takes; the one too many says how many are open. */
static void note_9_12_the_refusal_is_shown(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    begin(d, PLATFORM_PLAYBACK);
    begin(d, PLATFORM_PLAYBACK);
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 2;
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_AUTO, &v), 0);
    sim_run(&s, 3000);
    assert_true(text_has(s.log, "answered the INVITE with 486"));
    assert_true(text_has(s.log, "2 other recordings of it are open here"));
    drains_clean();
}

/* ---- the end ---- */

static void media_status_ends_it(void **state)
{
    static const struct {
        const char *name, *body;
        bool in_dialog;
    } cases[] = {
        { "in its dialog", STATUS("34020000001310010001"), true },
        { "in its dialog, of the recorder", STATUS("34020000001180000001"),
          true },
        { "outside, of the channel", STATUS("34020000001310010001"), false },
        { "outside, of the recorder", STATUS("34020000001180000001"), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, PLATFORM_PLAYBACK);
        struct sim_stream *st = sim_stream_of(&s, v.id);

        if (cases[i].in_dialog)
            sim_message_in(d, cases[i].body);
        else
            sim_message(d, cases[i].body);
        /* what was on its way still comes */
        sim_run(&s, 1000);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        sim_at(&s, v.id, 599000);
        sim_run(&s, 1000);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        st->next_ms = GB_NEVER;
        sim_run(&s, 2000);
        if (s.last.state != PLATFORM_STOPPING || !s.last.playback.complete ||
            d->byes != 1)
            fail_msg("%s: %s", cases[i].name,
                     platform_step_name(s.last.step));
        ends_clean();
    }
}

/* What devices do with it: twice, outside of the dialog and from the channel, or
 * from nobody who is known. */
static void media_status_from_anybody(void **state)
{
    static const char *const from[] = { "34020000001310010001",
                                        "34020000001320000099" };

    (void)state;
    for (size_t i = 0; i < COUNT(from); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, PLATFORM_PLAYBACK);

        sim_request(d, SIP_METHOD_MESSAGE, from[i],
                    STATUS("34020000001310010001"));
        sim_run(&s, 200);
        sim_message_in(d, STATUS("34020000001310010001"));
        sim_message(d, STATUS("34020000001180000001"));
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
        sim_run(&s, 4000);
        if (s.last.state != PLATFORM_STOPPING || !s.last.playback.complete)
            fail_msg("from %s: %s", from[i], platform_step_name(s.last.step));
        assert_int_equal(d->byes, 1);
        ends_clean();
    }
}

/* The connection is closed in place of a BYE: at the end it is one. */
static void a_closed_connection_ends_it(void **state)
{
    static const struct {
        int64_t at_ms;
        bool complete;
    } cases[] = { { 599500, true }, { 300000, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, PLATFORM_DOWNLOAD);
        struct sim_stream *st = sim_stream_of(&s, v.id);

        st->next_ms = GB_NEVER;
        sim_at(&s, v.id, cases[i].at_ms);
        sim_media(&s, st, PLATFORM_MEDIA_ENDED);
        sim_run(&s, 4000);
        assert_int_equal(s.last.state, cases[i].complete
                                           ? PLATFORM_STOPPING
                                           : PLATFORM_FAILED);
        assert_true(s.last.playback.complete == cases[i].complete);
        assert_int_equal(d->byes, 1);
        ends_clean();
    }
}

/* An INFO that is answered with a refusal leaves the playback as it was; one that
 * knows no dialog ends it, when nothing comes any more. */
static void refusals_of_controls(void **state)
{
    static const unsigned status[] = { 400, 403, 405, 415, 488, 500, 501, 603 };
    const struct platform_control pause = { .kind = PLATFORM_CONTROL_PAUSE };
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    uint32_t number;

    (void)state;
    for (size_t i = 0; i < COUNT(status); i++) {
        d->control_status = status[i];
        control(v.id, PLATFORM_CONTROL_PAUSE, 0);
        sim_run(&s, 500);
        v = sim_session(&s, v.id);
        if (v.playback.control_status != status[i] || v.playback.paused ||
            v.state != PLATFORM_PLAYING)
            fail_msg("%u: %u, %s", status[i], v.playback.control_status,
                     platform_step_name(v.step));
    }
    d->control_status = 481;
    control(v.id, PLATFORM_CONTROL_SEEK, 30000);
    sim_run(&s, 30000); /* it goes on sending all the same */
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(platform_session_control(s.p, v.id, &pause, s.now, &number),
                     GB_ESTATE);
    assert_int_equal(d->byes, 0);
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_run(&s, 4000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    assert_int_equal(d->byes, 1); /* should it send on */
    ends_clean();
}

/* Of another channel, another type, or with two of them open: nothing ends. */
static void media_status_that_means_none(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    sim_message(d, STATUS("34020000001310010002"));
    sim_message_in(d, "<?xml version=\"1.0\"?>\r\n<Notify>\r\n"
                      "<CmdType>MediaStatus</CmdType>\r\n<SN>7</SN>\r\n"
                      "<DeviceID>34020000001310010001</DeviceID>\r\n"
                      "<NotifyType>122</NotifyType>\r\n</Notify>\r\n");
    begin(d, PLATFORM_PLAYBACK);
    sim_message(d, STATUS("34020000001180000001"));
    sim_run(&s, 5000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->keepalive_refused, 0); /* all were answered with 200 */
    drains_clean();
}

/* 121, and media go on: a while later they are not what was on its way. */
static void note_9_4_sends_on_behind_the_end(void **state)
{
    static const struct {
        enum platform_session_kind kind;
        uint64_t heard_ms;
        void (*say)(struct sim_device *d, const char *body);
    } cases[] = {
        { PLATFORM_PLAYBACK, 10000, sim_message_in },
        { PLATFORM_DOWNLOAD, 60000, sim_message_in },
        { PLATFORM_PLAYBACK, 10000, sim_message }, /* in no dialog */
        { PLATFORM_DOWNLOAD, 60000, sim_message },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, cases[i].kind);

        sim_run(&s, 5000);
        cases[i].say(d, STATUS("34020000001310010001"));
        sim_run(&s, cases[i].heard_ms / 2);
        cases[i].say(d, STATUS("34020000001310010001")); /* once more */
        sim_run(&s, cases[i].heard_ms / 2 - 100);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        assert_int_equal(d->byes, 0);
        sim_run(&s, 1000);
        assert_int_equal(d->byes, 1);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        ends_clean();
    }
}

/* Many devices of one peer: those that were bound last are looked through, so
 * that a stranger's word costs no more than that. */
static void a_channel_behind_a_proxy(void **state)
{
    struct sim_device *d = ready();
    char id[SIM_MAX_DEVICES][21];

    (void)state;
    for (unsigned n = 1; n <= CHANNEL_SENDERS_MAX; n++) {
        snprintf(id[n], sizeof(id[n]), "3402000000118001%04u", n);
        sim_register(sim_add(&s, id[n], "192.168.1.10:5060", SIP_UDP));
        sim_run(&s, 500);
        assert_true(sim_view(&s, &s.device[n]).online);
        if (n < CHANNEL_SENDERS_MAX - 1)
            continue;
        sim_request(d, SIP_METHOD_MESSAGE, d->channel[0],
                    STATUS("34020000001310010001"));
        sim_run(&s, 100);
        assert_int_equal(d->last_status, n < CHANNEL_SENDERS_MAX ? 200 : 403);
    }
    sim_free(&s);
}

/* Outside the dialog, From being the channel: by the address that the device has
 * registered from, and by no other. */
static void media_status_from_the_channel(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);
    struct sim_device *other = sim_add(&s, "34020000001180000002",
                                       "192.168.1.11:5060", SIP_UDP);
    const char *text;
    size_t pos = 0;

    (void)state;
    sim_settle(&s);
    sim_request(other, SIP_METHOD_MESSAGE, d->channel[0],
                STATUS("34020000001310010001"));
    sim_run(&s, 100);
    assert_int_equal(other->last_status, 403); /* not its own */
    sim_request(d, SIP_METHOD_MESSAGE, "34020000001310019999",
                STATUS("34020000001310010001"));
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403); /* nobody's */
    assert_int_equal(sim_counters(&s).stray_messages, 2);
    assert_false(platform_profile_deviation(s.p, SLICE("34020000001180000001"),
                                            &pos, &text));
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_request(d, SIP_METHOD_MESSAGE, d->channel[0],
                STATUS("34020000001310010001"));
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_run(&s, 5000);
    assert_int_equal(d->byes, 1);
    pos = 0;
    assert_true(platform_profile_deviation(s.p, SLICE("34020000001180000001"),
                                           &pos, &text));
    assert_string_equal(text, "From is a channel's");
    ends_clean();
}

static void bye_of_the_device_ends_it(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    sim_at(&s, v.id, 599500);
    sim_bye(d);
    sim_run(&s, 3000);
    assert_int_equal(s.last.state, PLATFORM_STOPPING);
    assert_true(s.last.playback.complete);
    v = begin(d, PLATFORM_DOWNLOAD);
    sim_at(&s, v.id, 300000);
    sim_bye(d); /* in the middle: told, the job asks for the rest */
    sim_run(&s, 20000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    assert_false(s.last.playback.complete);
    assert_int_equal(d->invites, 2);
    ends_clean();
}

/* No MediaStatus, no BYE: near its end three seconds of silence are enough. */
static void silence_at_the_end(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = begin(d, PLATFORM_PLAYBACK);

    (void)state;
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_at(&s, v.id, 599960);
    sim_run(&s, 4000);
    assert_int_equal(s.last.state, PLATFORM_STOPPING);
    assert_true(s.last.playback.complete);
    assert_int_equal(d->byes, 1);
    ends_clean();
}

/* Whatever happens to a recording, nothing is left of it. */
static void random_lives(void **state)
{
    uint64_t rnd = 20240501;
    struct sim_device *d = ready();

    (void)state;
    s.opt.loss_percent = s.opt.copy_percent = 5;
    s.opt.delay_ms = 10;
    s.opt.jitter_ms = 40;
    for (unsigned i = 0; i < 200; i++) {
        struct platform_control c = { .kind = test_random(&rnd) %
                                              PLATFORM_CONTROLS };
        struct platform_session v;
        uint32_t number;

        c.position_ms = (int64_t)(test_random(&rnd) % 600000);
        c.scale_milli = (int32_t)(test_random(&rnd) % 8000) + 125;
        d->invite = test_random(&rnd) % 4 ? SIM_ANSWER
                                          : test_random(&rnd) %
                                                (SIM_PLAIN_AVP + 1);
        d->refuse_status = 400 + (unsigned)(test_random(&rnd) % 200);
        d->refuse_times = 1;
        d->media = test_random(&rnd) % 4 ? SIM_PICTURE
                                         : test_random(&rnd) %
                                               (SIM_NO_KEY + 1);
        d->control_silent = test_random(&rnd) % 8 == 0;
        if (sim_playback(&s, d, channel,
                         test_random(&rnd) % 2 ? PLATFORM_PLAYBACK
                                               : PLATFORM_DOWNLOAD,
                         test_random(&rnd) % 4, &v))
            continue;
        platform_session_hold(s.p, v.id, s.now);
        sim_run(&s, test_random(&rnd) % 3000);
        platform_session_control(s.p, v.id, &c, s.now, &number);
        sim_run(&s, test_random(&rnd) % 9000);
        switch (test_random(&rnd) % 4) {
        case 0:
            sim_message(d, STATUS("34020000001310010001"));
            break;
        case 1:
            sim_bye(d);
            break;
        case 2:
            platform_session_stop(s.p, v.id, s.now);
            break;
        default:
            platform_session_release(s.p, v.id, s.now);
            break;
        }
        sim_run(&s, test_random(&rnd) % 4000);
    }
    platform_drain(s.p, s.now);
    sim_run(&s, 60000);
    ends_clean();
}

/* A device that guards itself wants to know who pauses, too: once, where it has
 * registered from. */
static void controls_answer_a_challenge(void **state)
{
    static const struct platform_control pause = {
        .kind = PLATFORM_CONTROL_PAUSE
    };

    (void)state;
    for (unsigned moved = 0; moved < 2; moved++) {
        struct sim_device *d = ready();
        struct platform_session v = begin(d, PLATFORM_PLAYBACK);
        uint32_t number;

        d->challenge = "Digest realm=\"camera\", nonce=\"abcd\", "
                       "algorithm=MD5";
        d->asked = d->logins = 0;
        if (moved) { /* its port has never registered */
            d->addr.port = 6200;
            d->to_server.local = d->addr;
            sim_keepalive(d, NULL);
            sim_run(&s, 1000);
            assert_int_equal(sim_view(&s, d).peer.remote.port, 6200);
        }
        assert_int_equal(platform_session_control(s.p, v.id, &pause, s.now,
                                                  &number), 0);
        sim_run(&s, 1000);
        assert_int_equal(d->logins, !moved);
        v = sim_session(&s, v.id);
        assert_int_equal(v.playback.paused, !moved);
        assert_int_equal(v.playback.control_status, moved ? 401 : 200);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 100);
        assert_int_equal(d->byes, 1);
        ends_clean();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offer_names_the_range),
        cmocka_unit_test(refused_before_it_begins),
        cmocka_unit_test(several_at_one_time),
        cmocka_unit_test(controls_as_the_standard_has_them),
        cmocka_unit_test(pause_is_no_silence),
        cmocka_unit_test(media_loop_is_told),
        cmocka_unit_test(control_is_refused_or_not_answered),
        cmocka_unit_test(control_is_not_possible),
        cmocka_unit_test(note_9_7_controls_after_hours),
        cmocka_unit_test(note_9_8_a_pause_is_not_idle),
        cmocka_unit_test(note_9_9_speed_that_is_ignored),
        cmocka_unit_test(note_9_11_scale_without_a_fraction),
        cmocka_unit_test(backwards),
        cmocka_unit_test(note_9_12_the_refusal_is_shown),
        cmocka_unit_test(media_status_ends_it),
        cmocka_unit_test(media_status_from_anybody),
        cmocka_unit_test(a_closed_connection_ends_it),
        cmocka_unit_test(refusals_of_controls),
        cmocka_unit_test(media_status_that_means_none),
        cmocka_unit_test(note_9_4_sends_on_behind_the_end),
        cmocka_unit_test(media_status_from_the_channel),
        cmocka_unit_test(a_channel_behind_a_proxy),
        cmocka_unit_test(bye_of_the_device_ends_it),
        cmocka_unit_test(silence_at_the_end),
        cmocka_unit_test(random_lives),
        cmocka_unit_test(controls_answer_a_challenge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
