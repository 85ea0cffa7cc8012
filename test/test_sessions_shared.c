/* app/platform: sessions that share one media port (field-notes 2.9, 2.10, 7.1,
 * 7.6), and when they do. */
#include "test/session_rig.h"

#define SHARED 30000

static struct platform_session play(struct sim_device *d, unsigned i,
                                    enum platform_transport t)
{
    struct platform_session v;

    if (sim_play(&s, d, d->channel[i], t, &v))
        fail_msg("%.*s", SLICE_ARG(v.evidence));
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 2000);
    return sim_session(&s, v.id);
}

/* As the edge does for packets that may be one's or another's. */
static void astray(struct sim_stream *st)
{
    const struct platform_media_event ev = { .kind = PLATFORM_MEDIA_ALIVE,
                                             .session = st->session,
                                             .foreign = 7 };

    platform_media(s.p, &ev, s.now);
}

static void finish(void)
{
    drains_clean();
}

/* Two ports in all, and each session its own number on its own loop. */
static void note_2_10_one_port_for_all(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true, .media_loops = 3 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    static const enum platform_transport t[] = {
        PLATFORM_UDP, PLATFORM_TCP_PASSIVE, PLATFORM_TCP_ACTIVE, PLATFORM_UDP,
    };

    (void)state;
    platform_share_port(s.p, SHARED, true);
    for (unsigned i = 0; i < COUNT(t); i++) {
        struct platform_session v = play(d, i, t[i]);

        assert_int_equal(v.state, PLATFORM_PLAYING);
        assert_int_equal(v.port, SHARED);
        assert_int_equal(v.loop, v.ssrc % 3);
        assert_true(text_has(d->last_sdp, "m=video 30000 "));
        assert_true(sim_stream_of(&s, v.id)->shared);
    }
    assert_int_equal(sim_counters(&s).ports_lent, 0);
    finish();
}

/* auto: ten pairs, of which the last is kept for who needs it. */
static void ports_run_short(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .port_min = 40000,
                                         .port_max = 40005 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    platform_share_port(s.p, SHARED, false);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(play(d, i, PLATFORM_UDP).port, 40000 + 2 * i);
    v = play(d, 3, PLATFORM_UDP);
    assert_int_equal(v.port, SHARED);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_true(platform_live_find(s.p, slice_str(d->id),
                                   slice_str(d->channel[0]), 0, &v));
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(play(d, 0, PLATFORM_UDP).port, SHARED); /* it rests */
    sim_run(&s, 70000);
    assert_int_equal(play(d, 3, PLATFORM_UDP).port, 40000);
    finish();
}

static void without_a_shared_port(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .port_min = 40000,
                                         .port_max = 40001 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    platform_share_port(s.p, 0, true);
    assert_int_equal(play(d, 0, PLATFORM_UDP).port, 40000);
    assert_int_equal(sim_play(&s, d, d->channel[1], PLATFORM_UDP, &v),
                     GB_ELIMIT);
    assert_int_equal(v.step, PLATFORM_STEP_SOCKET);
    finish();
}

/* The number it is known by there stays with another INVITE; so does its loop,
 * also when it moves to a port of its own. */
static void note_7_5_the_number_stays(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true, .media_loops = 5 } };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    struct platform_session v, w;

    (void)state;
    platform_share_port(s.p, SHARED, true);
    v = play(d, 0, PLATFORM_UDP);
    sim_bye(d); /* watched: it is invited again */
    sim_run(&s, 8000);
    w = sim_session(&s, v.id);
    assert_int_equal(d->invites, 2);
    assert_int_equal(w.state, PLATFORM_PLAYING);
    assert_int_equal(w.ssrc, v.ssrc);
    assert_int_equal(w.loop, v.loop);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    w = play(d, 0, PLATFORM_UDP); /* the old one rests */
    assert_int_not_equal(w.ssrc, v.ssrc);
    finish();
}

/* Nothing comes that could be told apart, though packets do: a port of its own,
 * once and from then on. */
static void note_7_1_numbers_that_are_ignored(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream *st;

    (void)state;
    platform_share_port(s.p, SHARED, true);
    d->media = SIM_NOTHING;
    v = play(d, 0, PLATFORM_TCP_PASSIVE);
    assert_int_equal(v.port, SHARED);
    astray(sim_stream_of(&s, v.id));
    d->media = SIM_PICTURE;
    sim_run(&s, 12000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    st = sim_stream_of(&s, v.id);
    assert_true(v.port != SHARED && !st->shared && st->port == v.port);
    assert_true(text_has(s.log, "does not heed the SSRC"));
    v = play(d, 1, PLATFORM_UDP);
    assert_true(v.port != SHARED);
    finish();
}

/* The same of a choice that was ours: the port is changed, not the transport. */
static void ignored_over_udp(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    platform_share_port(s.p, SHARED, true);
    d->media = SIM_NOTHING;
    v = play(d, 0, PLATFORM_AUTO);
    astray(sim_stream_of(&s, v.id));
    d->media = SIM_PICTURE;
    sim_run(&s, 3000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_UDP);
    assert_true(v.port != SHARED);
    finish();
}

/* Without such packets it is as it was: no port helps. */
static void silence_is_no_reason(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    platform_share_port(s.p, SHARED, true);
    d->media = SIM_NOTHING;
    play(d, 0, PLATFORM_UDP);
    sim_run(&s, 12000);
    assert_int_equal(d->invites, 1);
    assert_int_equal(s.last.step, PLATFORM_STEP_PACKET);
    finish();
}

/* Two devices choose the same number: the newer one gets a port of its own. On
 * ports of their own they may both keep it. */
static void note_7_6_two_choose_the_same(void **state)
{
    (void)state;
    for (unsigned shared = 0; shared < 2; shared++) {
        struct sim_device *d = ready(), *e;
        struct platform_session v, w;

        e = sim_add(&s, "34020000001180000002", "192.168.1.11:5060", SIP_UDP);
        sim_channels(e, 1);
        sim_register(e);
        sim_run(&s, 10000);
        platform_share_port(s.p, shared ? SHARED : 0, true);
        d->invite = e->invite = SIM_OTHER_Y;
        v = play(d, 0, PLATFORM_UDP);
        w = play(e, 0, PLATFORM_UDP);
        assert_int_equal(v.state, PLATFORM_PLAYING);
        assert_int_equal(w.state, PLATFORM_PLAYING);
        assert_int_equal(v.ssrc, w.ssrc);
        assert_int_equal(v.port == SHARED, shared);
        assert_true(w.port != SHARED);
        assert_int_equal(e->invites, 1 + shared);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_2_10_one_port_for_all),
        cmocka_unit_test(ports_run_short),
        cmocka_unit_test(without_a_shared_port),
        cmocka_unit_test(note_7_5_the_number_stays),
        cmocka_unit_test(note_7_1_numbers_that_are_ignored),
        cmocka_unit_test(ignored_over_udp),
        cmocka_unit_test(silence_is_no_reason),
        cmocka_unit_test(note_7_6_two_choose_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
