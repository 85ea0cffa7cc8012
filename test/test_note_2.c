/* Field-notes of groups 2, 5, 6 and 7 that no other test has: which transport
 * and which address a session uses, what is learnt of it and when that is
 * forgotten, in virtual time. */
#include "test/session_rig.h"

#include <stdio.h>

static struct platform_session play(struct sim_device *d, unsigned i,
                                    enum platform_transport t, uint64_t ms)
{
    struct platform_session v;

    if (sim_play(&s, d, d->channel[i], t, &v))
        fail_msg("%.*s", SLICE_ARG(v.evidence));
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, ms);
    platform_session_view(s.p, v.id, &v); /* gone: as it began; see s.last */
    return v;
}

static void finish(void)
{
    drains_clean();
}

static enum platform_transport learnt(void)
{
    struct platform_profile f;

    return platform_profile_view(s.p, SLICE(nvr), &f) ? f.media : PLATFORM_AUTO;
}

static void moves_to(struct sim_device *d, const char *at)
{
    assert_int_equal(gb_addr_parse(&d->addr, slice_str(at), 5060), 0);
    d->to_server.local = d->addr;
    sim_register(d);
    sim_run(&s, 5000);
}

/* UDP is silent for three seconds: TCP, at once the next time, and UDP again
 * from another network. */
static void note_2_4_udp_is_silent(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->media = SIM_TCP_ONLY;
    v = play(d, 0, PLATFORM_AUTO, 6000);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(d->invites, 2);
    assert_int_equal(learnt(), PLATFORM_TCP_PASSIVE);
    v = play(d, 1, PLATFORM_AUTO, 2000);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 3);
    d->media = SIM_PICTURE;
    moves_to(d, "192.168.1.10:5062"); /* the same network */
    assert_int_equal(learnt(), PLATFORM_TCP_PASSIVE);
    moves_to(d, "192.168.7.20:5060");
    assert_int_equal(learnt(), PLATFORM_AUTO);
    v = play(d, 2, PLATFORM_AUTO, 2000);
    assert_int_equal(v.transport, PLATFORM_UDP);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    finish();
}

/* Answered, and no connection in five seconds: UDP, and that is remembered.
 * A transport that was asked for by name stays what it is. */
static void note_6_2_no_connection(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct sim_device *d = ready_at("203.0.113.9:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    d->media = SIM_UDP_ONLY;
    v = play(d, 0, PLATFORM_AUTO, 4000);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(v.state, PLATFORM_STARTING);
    sim_run(&s, 4000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.transport, PLATFORM_UDP);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(learnt(), PLATFORM_UDP);
    assert_true(text_has(s.log, "media connection does not come up"));
    v = play(d, 1, PLATFORM_AUTO, 2000);
    assert_int_equal(v.transport, PLATFORM_UDP);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    d->media = SIM_NOTHING;
    play(d, 2, PLATFORM_TCP_PASSIVE, 12000);
    assert_true(text_has(s.log, "step=connect"));
    assert_int_equal(d->invites, 4);
    finish();
}

/* Neither works: both are tried, once, and the failure says so. */
static void note_2_4_neither_works(void **state)
{
    static const char *const places[] = { "192.168.1.10:5060",
                                          "203.0.113.9:5060" };
    struct sim_options o = { .config = { .auto_enrol = true } };

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct sim_device *d = ready_at(places[i], SIP_UDP, &o);

        d->media = SIM_NOTHING;
        play(d, 0, PLATFORM_AUTO, 20000);
        assert_int_equal(d->invites, 2);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        assert_int_equal(learnt(), PLATFORM_AUTO);
        finish();
    }
}

/* 488: the other transport, and that one from then on. */
static void note_2_4_a_refused_transport(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->invite = SIM_REFUSE;
    d->refuse_status = 488;
    d->refuse_times = 1;
    v = play(d, 0, PLATFORM_AUTO, 3000);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(learnt(), PLATFORM_TCP_PASSIVE);
    finish();
}

/* A private address in the answer of a device from outside: we do not try to
 * connect there, the device is to connect to us. */
static void note_2_5_active_behind_nat(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct sim_device *d = ready_at("203.0.113.9:5060", SIP_UDP, &o);
    struct platform_session v;

    (void)state;
    d->sdp_ip = "192.168.3.3";
    v = play(d, 0, PLATFORM_TCP_ACTIVE, 3000);
    assert_int_equal(v.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 2);
    finish();
}

/* The SSRC of the answer is the session's before anything of it is awaited. */
static void note_7_2_the_answers_ssrc(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->invite = SIM_OTHER_Y;
    v = play(d, 0, PLATFORM_UDP, 2000);
    assert_int_equal(v.ssrc, 60205514);
    assert_int_equal(sim_stream_of(&s, v.id)->ssrc, 60205514);
    assert_int_equal(v.state, PLATFORM_PLAYING);
    /* and the session is found by what it is, not by its SSRC (5.7) */
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(sim_counters(&s).ssrcs_lent, 0);
    finish();
}

/* BYE shortly after the start: said as such, with the time. */
static void note_5_15_ended_by_the_device(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    d->media = SIM_NOTHING;
    play(d, 0, PLATFORM_TCP_PASSIVE, 400);
    sim_bye(d);
    sim_run(&s, 1000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_true(text_has(s.last_evidence, "ended it with a BYE, 0.4 s after"));
    finish();
}

/* Failures of every kind, again and again: the pools are as they were. */
static void note_5_5_nothing_is_kept(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        struct platform_session v;

        d->invite = (enum sim_invite)(i % (SIM_PLAIN_AVP + 1));
        d->refuse_status = 400 + i;
        d->refuse_times = 9;
        d->media = (enum sim_media)(i % (SIM_NO_KEY + 1));
        if (!sim_play(&s, d, channel, PLATFORM_AUTO, &v)) {
            sim_run(&s, 30000);
            platform_session_stop(s.p, v.id, s.now);
        }
        sim_run(&s, 2000);
        sim_expect_clean(&s);
    }
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_2_4_udp_is_silent),
        cmocka_unit_test(note_6_2_no_connection),
        cmocka_unit_test(note_2_4_neither_works),
        cmocka_unit_test(note_2_4_a_refused_transport),
        cmocka_unit_test(note_2_5_active_behind_nat),
        cmocka_unit_test(note_7_2_the_answers_ssrc),
        cmocka_unit_test(note_5_15_ended_by_the_device),
        cmocka_unit_test(note_5_5_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
