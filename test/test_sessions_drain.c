/* app/platform/sessions: stopping, and the dialogs that wait for the answer to
 * their BYE, in virtual time. */
#include "test/session_rig.h"

static void drains(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        sim_watch(&s, d, d->channel[i], 0);
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

        sim_watch(&s, d, channel, 0);
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
    v = sim_watch(&s, d, channel, PLATFORM_AUTO);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drains),
        cmocka_unit_test(drains_when_the_byes_are_answered),
        cmocka_unit_test(a_second_dialog_is_stored_beside),
        cmocka_unit_test(many_unanswered_byes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
