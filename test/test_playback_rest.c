/* Recordings that the device ends before the end of the range, in virtual time:
 * the rest follows (field-note 9.4). */
#include "test/session_rig.h"

#include <stdio.h>

#define T0 1700000000u /* sim_playback: 600 s from there */

#define STATUS                                                                 \
    "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>MediaStatus</CmdType>\r\n" \
    "<SN>7</SN>\r\n<DeviceID>34020000001310010001</DeviceID>\r\n"              \
    "<NotifyType>121</NotifyType>\r\n</Notify>\r\n"

static struct sim_device *recorder(unsigned n, unsigned from_s, unsigned to_s)
{
    struct sim_device *d = ready();

    d->record[0].from_s = T0;
    d->record[0].to_s = T0 + 200;
    d->record[1].from_s = T0 + from_s;
    d->record[1].to_s = T0 + to_s;
    d->n_records = n;
    d->tells_time = true;
    return d;
}

static struct platform_session begin(struct sim_device *d)
{
    struct platform_session v;

    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_AUTO, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    return v;
}

static void all_of_it_at(struct sim_device *d, uint64_t id, int64_t ms,
                         bool bye)
{
    sim_stream_of(&s, id)->next_ms = GB_NEVER;
    sim_at(&s, id, ms);
    if (bye)
        sim_bye(d);
    else
        sim_message_in(d, STATUS);
    sim_run(&s, 8000);
}

static bool asks_from(const struct sim_device *d, unsigned s_from)
{
    char want[64];

    snprintf(want, sizeof(want), "t=%u %u\r\n", T0 + s_from, T0 + 600);
    return text_has(d->last_sdp, want);
}

/* 121 or BYE behind the first file: the next one, from where it begins, in the
 * same session; behind the last one it is over. */
static void note_9_4_the_next_file_follows(void **state)
{
    static const struct {
        unsigned from_s, to_s, asked_s;
        bool bye;
    } cases[] = {
        { 201, 600, 201, false },
        { 300, 600, 300, false },
        { 300, 600, 300, true },
        { 100, 600, 200, false }, /* they overlap */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(2, cases[i].from_s, cases[i].to_s);
        struct platform_session v = begin(d);
        uint64_t ssrc = sim_session(&s, v.id).ssrc;

        all_of_it_at(d, v.id, 199500, cases[i].bye);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING || d->invites != 2 ||
            !asks_from(d, cases[i].asked_s))
            fail_msg("%zu: %u, %u: %s", i, v.state, d->invites, d->last_sdp);
        assert_int_equal(d->byes, !cases[i].bye);
        assert_true(v.ssrc != ssrc);
        assert_int_equal(v.playback.start_s, T0);
        assert_int_equal(sim_stream_of(&s, v.id)->seek_ms,
                         cases[i].asked_s * 1000);
        all_of_it_at(d, v.id, 599800, cases[i].bye);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        assert_true(s.last.playback.complete);
        assert_int_equal(d->invites, 2);
        ends_clean();
    }
}

/* A device that says both behind each file. */
static void status_and_bye(void **state)
{
    struct sim_device *d = recorder(2, 201, 600);
    struct platform_session v = begin(d);

    (void)state;
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_at(&s, v.id, 199500);
    sim_message_in(d, STATUS);
    sim_run(&s, 100);
    sim_bye(d);
    sim_run(&s, 8000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 2);
    assert_true(asks_from(d, 201));
    assert_int_equal(d->byes, 0); /* it has hung up itself */
    all_of_it_at(d, v.id, 599800, false);
    assert_true(s.last.playback.complete);
    ends_clean();
}

/* It starts anew, or the network is away, and nobody says a word: it is asked
 * once more, and told where that brings nothing. */
static void nothing_comes_any_more(void **state)
{
    static const bool back[] = { true, false };

    (void)state;
    for (size_t i = 0; i < COUNT(back); i++) {
        struct sim_device *d = recorder(1, 0, 0);
        struct platform_session v;

        d->record[0].to_s = T0 + 600;
        v = begin(d);
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
        sim_at(&s, v.id, 100000);
        if (!back[i])
            d->media = SIM_NOTHING;
        sim_run(&s, 20000);
        assert_true(asks_from(d, 100));
        if (back[i]) {
            assert_int_equal(d->invites, 2);
            assert_int_equal(d->byes, 1);
            assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
            platform_session_stop(s.p, v.id, s.now);
        } else {
            sim_run(&s, 20000);
            assert_int_equal(s.last.state, PLATFORM_FAILED);
            if (!text_has(s.last_evidence, "no TCP connection"))
                fail_msg("%s", s.last_evidence);
        }
        sim_run(&s, 1000);
        ends_clean();
    }
}

/* What lay in a socket comes behind the word of it, and then the machine is busy
 * with other things: no report for longer than a silence may last near the end of
 * a range is no end of this one. */
static void late_reports_are_no_end(void **state)
{
    struct sim_device *d = recorder(2, 201, 600);
    struct platform_session v = begin(d);
    struct sim_stream *st = sim_stream_of(&s, v.id);

    (void)state;
    st->next_ms = GB_NEVER;
    sim_at(&s, v.id, 198000);
    sim_message_in(d, STATUS);
    sim_run(&s, 100);
    sim_at(&s, v.id, 199500);
    st->alive_ms = GB_NEVER;
    sim_run(&s, 6000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 1);
    st->alive_ms = s.now.mono_ms;
    sim_run(&s, 8000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 2);
    assert_true(asks_from(d, 201));
    all_of_it_at(d, v.id, 599800, false);
    assert_true(s.last.playback.complete);
    ends_clean();
}

/* Nothing is recorded behind it: that was all, whichever way it was said. */
static void note_9_4_nothing_follows(void **state)
{
    (void)state;
    for (unsigned bye = 0; bye < 2; bye++) {
        struct sim_device *d = recorder(1, 0, 0);
        struct platform_session v = begin(d);

        all_of_it_at(d, v.id, 199500, bye);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        assert_true(s.last.playback.complete);
        assert_int_equal(d->invites, 1);
        ends_clean();
    }
}

/* No Response to RecordInfo: one try, and what comes of it decides. */
static void note_9_4_it_does_not_tell(void **state)
{
    (void)state;
    for (unsigned refuses = 0; refuses < 2; refuses++) {
        struct sim_device *d = recorder(2, 201, 600);
        struct platform_session v = begin(d);

        d->record_mute = true;
        if (refuses) {
            d->invite = SIM_REFUSE;
            d->refuse_status = 404;
            d->refuse_times = 9;
        }
        all_of_it_at(d, v.id, 199500, false);
        sim_run(&s, 15000);
        assert_int_equal(d->invites, 2);
        assert_true(asks_from(d, 200));
        if (refuses) {
            assert_int_equal(s.last.state, PLATFORM_STOPPING);
            assert_true(s.last.playback.complete);
        } else {
            assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
            platform_session_stop(s.p, v.id, s.now);
        }
        ends_clean();
    }
}

/* What brings next to nothing is tried three times in a row. */
static void note_9_4_no_loop(void **state)
{
    struct sim_device *d = recorder(2, 201, 600);
    struct platform_session v = begin(d);
    unsigned n = 0;

    (void)state;
    all_of_it_at(d, v.id, 199500, false);
    while (sim_stream_of(&s, v.id) && n++ < 20)
        all_of_it_at(d, v.id, 201000 + n * 1000, false);
    assert_int_equal(d->invites, 1 + 1 + 3);
    assert_int_equal(s.last.state, PLATFORM_STOPPING);
    ends_clean();
}

/* Nobody watches, it is paused, or goes backwards: it ends as ever. */
static void note_9_4_nobody_waits_for_it(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct sim_device *d = recorder(2, 201, 600);
        struct platform_session v = begin(d);
        struct platform_control c = { .kind = PLATFORM_CONTROL_PAUSE };
        uint32_t number;

        if (how == 1)
            c = (struct platform_control){ .kind = PLATFORM_CONTROL_SCALE,
                                           .scale_milli = -1000 };
        if (how < 2)
            platform_session_control(s.p, v.id, &c, s.now, &number);
        else
            platform_session_release(s.p, v.id, s.now);
        sim_run(&s, 200);
        all_of_it_at(d, v.id, 199500, false);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        assert_int_equal(d->invites, 1);
        ends_clean();
    }
}

/* Positions of INFO count from the range of its dialog; a place before that needs
 * another one. A speed is asked for once more. */
static void note_9_4_controls_in_the_rest(void **state)
{
    struct sim_device *d = recorder(2, 300, 600);
    struct platform_session v = begin(d);
    struct platform_control c = { .kind = PLATFORM_CONTROL_SCALE,
                                  .scale_milli = 2000 };
    uint32_t number;

    (void)state;
    platform_session_control(s.p, v.id, &c, s.now, &number);
    sim_run(&s, 200);
    all_of_it_at(d, v.id, 199500, false);
    assert_int_equal(d->controls, 2);
    assert_true(text_has(d->last_control, "Scale: 2.0\r\n"));
    assert_int_equal(sim_session(&s, v.id).playback.scale_milli, 2000);
    c = (struct platform_control){ .kind = PLATFORM_CONTROL_SEEK,
                                   .position_ms = 350000 };
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     0);
    sim_run(&s, 200);
    assert_true(text_has(d->last_control, "npt=50-\r\n"));
    assert_int_equal(sim_stream_of(&s, v.id)->seek_ms, 350000);
    c.position_ms = 100000;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     0);
    sim_stream_of(&s, v.id)->next_ms = s.now.mono_ms;
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.playback.control, number);
    assert_int_equal(v.playback.control_status, 200);
    assert_int_equal(d->invites, 3);
    assert_true(asks_from(d, 100));
    assert_int_equal(v.state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* What a viewer asks for in a rest that was guessed, and is refused, is no end. */
static void note_9_4_back_into_a_refusal(void **state)
{
    struct sim_device *d = recorder(2, 201, 600);
    struct platform_session v = begin(d);
    struct platform_control c = { .kind = PLATFORM_CONTROL_SEEK,
                                  .position_ms = 100000 };
    uint32_t number;

    (void)state;
    d->record_mute = true;
    all_of_it_at(d, v.id, 199500, false);
    sim_run(&s, 15000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    d->invite = SIM_REFUSE;
    d->refuse_status = 404;
    d->refuse_times = 9;
    assert_int_equal(platform_session_control(s.p, v.id, &c, s.now, &number),
                     0);
    sim_run(&s, 1000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_false(s.last.playback.complete);
    ends_clean();
}

/* Over while it waits to hear what there is: an answer, or that none comes, wakes
 * nothing, even where the media edge has not closed yet. */
static void note_9_4_over_while_it_asks(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        struct sim_device *d = recorder(2, 201, 600);
        struct platform_session v = begin(d);
        unsigned asked;

        s.opt.lose_closed = how & 1;
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
        sim_at(&s, v.id, 199500);
        sim_message_in(d, STATUS);
        while (sim_session(&s, v.id).state != PLATFORM_STARTING)
            sim_run(&s, 1);
        asked = d->invites;
        if (how < 2)
            platform_session_stop(s.p, v.id, s.now);
        else
            platform_device_remove(s.p, slice_str(nvr), s.now);
        sim_run(&s, 30000);
        assert_int_equal(d->invites, asked);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        s.opt.lose_closed = false;
        ends_clean();
    }
}

/* A MediaStatus of this Call-ID, in no dialog that is there. */
static void late_status(struct sim_device *d, const char *call_id)
{
    struct sip_request r = {
        .method = SIP_METHOD_MESSAGE, .peer = d->to_server,
        .uri = SLICE("sip:" SIM_ID "@192.168.1.2"),
        .from = SLICE("sip:34020000001310010001@192.168.1.10"),
        .to = SLICE("sip:" SIM_ID "@192.168.1.2"),
        .from_tag = SLICE("theirs"), .to_tag = SLICE("ours"),
        .call_id = slice_str(call_id), .cseq = 2, .expires = -1,
        .user = (uint64_t)(d - s.device) + 1,
        .content_type = SLICE("Application/MANSCDP+xml"),
        .body = SLICE(STATUS),
    };
    uint64_t ignored;

    assert_int_equal(sip_stack_request(s.field, &r, s.now.mono_ms, &ignored),
                     0);
}

/* The word of the first file's end is lost on its way, comes again, and is heard
 * when the next one plays: of the dialog before, or of none. */
static void a_status_that_is_late(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 2; how++) {
        struct sim_device *d = recorder(2, 201, 600);
        struct platform_session v = begin(d);
        char call_id[100];

        slice_copy(call_id, sizeof(call_id), sim_session(&s, v.id).call_id);
        all_of_it_at(d, v.id, 199500, true);
        assert_int_equal(d->invites, 2);
        late_status(d, how ? "1234@192.168.1.10" : call_id);
        sim_run(&s, 20000);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        assert_int_equal(d->invites, 2);
        assert_int_equal(d->byes, 0);
        /* its own ends it, however it is said */
        sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
        sim_at(&s, v.id, 599800);
        late_status(d, "1235@192.168.1.10");
        sim_run(&s, 8000);
        assert_int_equal(s.last.state, PLATFORM_STOPPING);
        assert_true(s.last.playback.complete);
        ends_clean();
    }
}

/* The same for who plays the channel once more. */
static void a_status_of_the_playback_before(void **state)
{
    struct sim_device *d = recorder(2, 201, 600);
    struct platform_session v = begin(d);
    char call_id[100];

    (void)state;
    slice_copy(call_id, sizeof(call_id), sim_session(&s, v.id).call_id);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    v = begin(d);
    late_status(d, call_id);
    sim_run(&s, 20000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_9_4_the_next_file_follows),
        cmocka_unit_test(status_and_bye),
        cmocka_unit_test(nothing_comes_any_more),
        cmocka_unit_test(a_status_that_is_late),
        cmocka_unit_test(a_status_of_the_playback_before),
        cmocka_unit_test(late_reports_are_no_end),
        cmocka_unit_test(note_9_4_nothing_follows),
        cmocka_unit_test(note_9_4_it_does_not_tell),
        cmocka_unit_test(note_9_4_no_loop),
        cmocka_unit_test(note_9_4_nobody_waits_for_it),
        cmocka_unit_test(note_9_4_controls_in_the_rest),
        cmocka_unit_test(note_9_4_back_into_a_refusal),
        cmocka_unit_test(note_9_4_over_while_it_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
