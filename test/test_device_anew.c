/* A device that starts anew while somebody watches: the session, which the
 * viewers hang on, goes on with another dialog. In virtual time. */
#include "test/session_rig.h"

static struct platform_session v;

static struct sim_device *playing_over(enum platform_transport media,
                                       uint8_t transport, bool watched)
{
    struct sim_device *d = ready_at("192.168.1.10:5060", transport, NULL);

    assert_int_equal(sim_play(&s, d, channel, media, &v), 0);
    if (watched)
        platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 5000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 1);
    return d;
}

static struct sim_device *playing(uint8_t transport, bool watched)
{
    return playing_over(PLATFORM_UDP, transport, watched);
}

/* It has forgotten everything. */
static void dies(struct sim_device *d)
{
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    d->next_keepalive_ms = GB_NEVER;
    d->call_id[0] = '\0';
    d->deaf = true;
}

static void is_born(struct sim_device *d, const char *addr)
{
    d->deaf = false;
    if (addr) {
        gb_addr_parse(&d->addr, slice_str(addr), 0);
        d->to_server.local = d->addr;
    }
    sim_register(d);
}

static void goes_on(struct sim_device *d, unsigned invites)
{
    struct platform_session now = sim_session(&s, v.id);

    assert_int_equal(now.state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, invites);
    assert_true(gb_addr_ip_eq(&now.from, &d->addr));
    assert_int_equal(s.open_streams, 1); /* the same: viewers are there */
    /* not since somebody began to watch */
    assert_in_range(now.step_ms[PLATFORM_STEP_PLAYING], 1, 2000);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

static void it_is_back_at_once(void **state)
{
    static const char *const at[] = { NULL, "192.168.1.10:6200",
                                      "192.168.1.77:5060" };

    (void)state;
    for (size_t i = 0; i < COUNT(at); i++) {
        struct sim_device *d = playing(SIP_UDP, true);

        dies(d);
        sim_run(&s, 4000);
        is_born(d, at[i]);
        sim_run(&s, 6000);
        goes_on(d, 2);
    }
}

/* Many choose another Call-ID for each REGISTER. */
static void media_that_go_on_are_left_alone(void **state)
{
    struct sim_device *d = playing(SIP_UDP, true);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        d->call_id[0] = '\0';
        sim_register(d);
        sim_run(&s, 10000);
    }
    goes_on(d, 1);
}

static void it_said_goodbye(void **state)
{
    struct sim_device *d = playing(SIP_UDP, true);

    (void)state;
    sim_unregister(d);
    sim_run(&s, 100);
    dies(d);
    sim_run(&s, 20000);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_STARTING);
    assert_int_equal(v.step, PLATFORM_STEP_DEVICE);
    assert_true(slice_find_slice(v.evidence, SLICE("waited for")) <
                v.evidence.n);
    is_born(d, "192.168.1.77:5060");
    sim_run(&s, 3000);
    goes_on(d, 2);
}

static void its_connection_was_lost(void **state)
{
    struct sim_device *d = playing(SIP_TCP, true);

    (void)state;
    dies(d);
    sim_disconnect(d);
    sim_run(&s, 9000);
    sim_reconnect(d);
    is_born(d, NULL);
    sim_run(&s, 4000);
    goes_on(d, 2);
}

/* The media loop gives the connection of before up when the new one is on its
 * way. */
static void its_media_connection_is_given_up(void **state)
{
    struct sim_device *d = playing_over(PLATFORM_TCP_PASSIVE, SIP_UDP, true);
    unsigned answers = s.actions[PLATFORM_DO_ANSWER];

    (void)state;
    dies(d);
    sim_run(&s, 4000);
    is_born(d, NULL);
    for (unsigned ms = 0; s.actions[PLATFORM_DO_ANSWER] == answers; ms++) {
        assert_true(ms < 6000);
        sim_run(&s, 1);
    }
    sim_media(&s, sim_stream_of(&s, v.id), PLATFORM_MEDIA_ENDED);
    sim_run(&s, 4000);
    goes_on(d, 2);
}

static void it_does_not_come_back(void **state)
{
    struct sim_device *d = playing(SIP_UDP, true);

    (void)state;
    sim_unregister(d);
    sim_run(&s, 29000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
    sim_run(&s, 2000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ENDED);
    assert_true(text_has(s.last_evidence, "the device went offline"));
    assert_int_equal(d->invites, 1);
    ends_clean();
}

static void nobody_waits_for_it(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct sim_device *d = playing(SIP_UDP, how > 0);

        if (how == 2)
            platform_drain(s.p, s.now);
        else
            sim_unregister(d);
        if (how == 1) {
            sim_run(&s, 1000);
            assert_int_equal(sim_counters(&s).sessions, 1);
            platform_session_stop(s.p, v.id, s.now);
        }
        sim_run(&s, 1000);
        assert_int_equal(sim_counters(&s).sessions, 0);
        ends_clean();
    }
}

/* It goes again before it is invited, and is removed in the end. */
static void it_comes_and_goes(void **state)
{
    struct sim_device *d = playing(SIP_UDP, true);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        sim_unregister(d);
        sim_run(&s, 5000);
        sim_register(d);
        sim_run(&s, 500);
    }
    assert_int_equal(d->invites, 1);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
    platform_device_remove(s.p, slice_str(nvr), s.now);
    sim_run(&s, 1000);
    assert_int_equal(sim_counters(&s).sessions, 0);
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_back_at_once),
        cmocka_unit_test(media_that_go_on_are_left_alone),
        cmocka_unit_test(it_said_goodbye),
        cmocka_unit_test(its_connection_was_lost),
        cmocka_unit_test(its_media_connection_is_given_up),
        cmocka_unit_test(it_does_not_come_back),
        cmocka_unit_test(nobody_waits_for_it),
        cmocka_unit_test(it_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
