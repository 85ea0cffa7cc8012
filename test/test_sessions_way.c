/* app/platform/sessions: the way to the device goes while it is called, in virtual
 * time. */
#include "test/session_rig.h"

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

/* It registers again, and the connection that had the INVITE is closed for that. */
static void another_connection_while_inviting(void **state)
{
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_TCP, NULL);
    uint64_t left = d->connection;
    struct platform_session v;

    (void)state;
    d->invite = SIM_SILENT;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    sim_run(&s, 1000);
    d->invite = SIM_ANSWER;
    sim_reconnect(d);
    sim_register(d);
    sim_run(&s, 2000);
    assert_true(s.disconnected == left);
    assert_int_equal(d->invites, 2);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    drains_clean();
}

/* Once: one that changes its connections and never answers is not asked for ever. */
static void connections_without_an_answer(void **state)
{
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_TCP, NULL);
    struct platform_session v;

    (void)state;
    d->invite = SIM_SILENT;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
    for (int i = 0; i < 4; i++) {
        sim_run(&s, 1000);
        sim_reconnect(d);
        sim_register(d);
    }
    sim_run(&s, 2000);
    assert_int_equal(d->invites, 2);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_true(text_has(s.last_evidence, "was lost before it answered"));
    ends_clean();
}

/* The stack knows it first, and the device is not offline yet. */
static void connection_lost_behind_a_100(void **state)
{
    static const struct {
        bool deaf;
        const char *text;
    } cases[] = {
        { false, "the connection to the device was lost before it answered "
                 "the INVITE" },
        { true, "the INVITE could not be sent to the device" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready_at("192.168.1.10:5060", SIP_TCP, NULL);
        struct platform_session v;

        d->invite = SIM_RING;
        d->deaf = cases[i].deaf;
        assert_int_equal(sim_play(&s, d, channel, PLATFORM_AUTO, &v), 0);
        sim_run(&s, 1000);
        sip_stack_closed(s.server, sim_view(&s, d).peer.connection,
                         s.now.mono_ms);
        sim_run(&s, 100);
        assert_int_equal(s.last.state, PLATFORM_FAILED);
        if (!text_has(s.last_evidence, cases[i].text))
            fail_msg("%s", s.last_evidence);
        ends_clean();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_lost_while_inviting),
        cmocka_unit_test(another_connection_while_inviting),
        cmocka_unit_test(connections_without_an_answer),
        cmocka_unit_test(connection_lost_behind_a_100),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
