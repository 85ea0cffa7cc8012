/* app/platform/subscriptions: devices that refuse, answer otherwise or not at all. */
#include "test/subscription_rig.h"

/* Field-note 13.1: remembered, and not asked again for a day, whatever the
 * device does meanwhile. */
static void note_13_1_refused_for_a_day(void **state)
{
    static const unsigned statuses[] = { 400, 403, 404, 405, 415, 501, 603 };

    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct sim_device *d = device(CATALOG, 600);

        d->subscribe_status = statuses[i];
        sim_register(d);
        sim_run(&s, 10000);
        assert_int_equal(d->subscribes, 1);
        assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
        assert_int_equal(view(0).status, statuses[i]);
        assert_non_null(strstr(s.log, "subscription refused"));
        sim_unregister(d);
        sim_run(&s, 10000);
        sim_register(d);
        sim_run(&s, 80000000);
        assert_int_equal(d->subscribes, 1);
        d->subscribe_status = 0;
        sim_run(&s, 7000000);
        assert_true(d->subscribes > 1);
        assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
        sim_free(&s);
    }
}

/* Seconds until it is asked for its catalog again. */
static unsigned until_asked(const struct sim_device *d)
{
    unsigned had = d->catalogs, seconds = 0;

    for (; d->catalogs == had && seconds < 100000; seconds += 10)
        sim_run(&s, 10000);
    return seconds;
}

/* Changes that it will not report are asked for: ever more rarely while there
 * are none, soon again when there was one, and not once it does report them. */
static void note_13_1_polled_in_place_of_notifies(void **state)
{
    static const unsigned after_s[] = { 900, 1800, 3600, 7200, 14400, 14400 };
    struct sim_device *d = device(CATALOG, 600);
    unsigned had;

    (void)state;
    d->subscribe_status = 405;
    sim_register(d);
    sim_run(&s, 10000);
    for (size_t i = 0; i < COUNT(after_s); i++) {
        if (i + 1 == COUNT(after_s))
            sim_channels(d, 3); /* seen at the end of this time */
        assert_in_range(until_asked(d), after_s[i] - 10,
                        after_s[i] * 11 / 10 + 20);
    }
    assert_in_range(until_asked(d), 890, 1010);
    d->subscribe_status = 0;
    sim_run(&s, 86400000);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    had = d->catalogs;
    sim_run(&s, 80000000);
    assert_int_equal(d->catalogs, had);
    sim_free(&s);
}

/* Its day ends while it is offline: asked when it is back. */
static void refused_and_offline(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->subscribe_status = 405;
    sim_register(d);
    sim_run(&s, 10000);
    sim_unregister(d);
    d->keepalive_ms = 0;
    sim_run(&s, 87000000);
    assert_int_equal(d->subscribes, 1);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_NONE);
    d->subscribe_status = 0;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->subscribes, 2);
    sim_free(&s);
}

/* 489: once more with the other form of Event (§8.1). */
static void other_event(void **state)
{
    static const struct {
        unsigned kind;
        const char *other;
    } cases[] = { { PLATFORM_SUBSCRIBE_CATALOG, "presence" },
                  { PLATFORM_SUBSCRIBE_ALARM, "Alarm;id=1001" } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = device(1u << cases[i].kind, 600);

        d->subscribe_status = 489;
        sim_register(d);
        sim_run(&s, 60000);
        assert_int_equal(d->subscribes, 2);
        assert_string_equal(d->last_event, cases[i].other);
        assert_int_equal(view(cases[i].kind).state,
                         PLATFORM_SUBSCRIPTION_REFUSED);
        sim_free(&s);
    }
}

/* Before 2022 the 200 has a body, and the refusal may stand there (§8.1). */
static void the_200_has_a_result(void **state)
{
    static const struct {
        const char *body;
        enum platform_subscription_state state;
    } cases[] = {
        { "<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>"
          "<Result>OK</Result></Response>",
          PLATFORM_SUBSCRIPTION_ACTIVE },
        { "<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>"
          "</Response>",
          PLATFORM_SUBSCRIPTION_ACTIVE },
        { "what?", PLATFORM_SUBSCRIPTION_ACTIVE },
        { "<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>"
          "<Result>ERROR</Result></Response>",
          PLATFORM_SUBSCRIPTION_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = device(CATALOG, 600);

        d->subscribe_body = cases[i].body;
        sim_register(d);
        sim_run(&s, 60000);
        assert_int_equal(d->subscribes, 1);
        assert_int_equal(view(0).state, cases[i].state);
        assert_true((view(0).expires_utc_ms != 0) ==
                    (cases[i].state == PLATFORM_SUBSCRIPTION_ACTIVE));
        sim_free(&s);
    }
}

/* A 200 may grant nothing, or hardly any time: that is a refusal, and told as one (RFC 6665 §4.1.2.1). */
static void the_200_grants_no_time(void **state)
{
    static const uint32_t grants_s[] = { 0, 1, 4 };

    (void)state;
    for (size_t i = 0; i < COUNT(grants_s); i++) {
        struct sim_device *d = device(CATALOG, 600);

        d->subscribe_grants_none = !grants_s[i];
        d->subscribe_grants_s = grants_s[i];
        d->subscribe_mute = true;
        sim_register(d);
        sim_run(&s, 10000);
        assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
        assert_int_equal(view(0).expires_utc_ms, 0);
        assert_non_null(strstr(view(0).reason,
                               grants_s[i] ? "so little time" : "Expires: 0"));
        sim_run(&s, 3600000);
        assert_int_equal(d->subscribes, 1);
        sim_free(&s);
    }
}

/* What was there ends so in its refresh, and is asked for anew, once. */
static void the_refresh_grants_no_time(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    sim_register(d);
    sim_run(&s, 10000);
    d->subscribe_grants_none = true;
    sim_run(&s, 3600000);
    assert_int_equal(d->subscribes, 3);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
    assert_int_equal(counters().subscriptions, 0);
    sim_free(&s);
}

/* A short one is refreshed in time, at four fifths of it. */
static void the_200_grants_little(void **state)
{
    static const uint32_t grants_s[] = { 5, 10, 40 };

    (void)state;
    for (size_t i = 0; i < COUNT(grants_s); i++) {
        struct sim_device *d = device(CATALOG, 600);
        uint32_t want = 320 / (grants_s[i] * 4 / 5);

        d->subscribe_grants_s = grants_s[i];
        sim_register(d);
        sim_run(&s, 10000);
        assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
        for (unsigned n = 0; n < 320; n++) {
            sim_run(&s, 1000);
            assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
            assert_true(view(0).expires_utc_ms > s.now.utc_ms);
        }
        assert_in_range(d->subscribes, want, want + 4);
        sim_free(&s);
    }
}

/* 401: once more with credentials, and then as after any failure. */
static void asks_for_a_password(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->subscribe_status = 401;
    sim_register(d);
    sim_run(&s, 60000);
    assert_int_equal(d->subscribes, 2);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_WAITING);
    d->subscribe_status = 0;
    sim_run(&s, 400000);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    sim_free(&s);
}

/* R42: 423 with Min-Expires. */
static void interval_too_brief(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->subscribe_status = 423;
    d->subscribe_min_s = 1800;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->subscribes, 1);
    d->subscribe_status = 0;
    sim_run(&s, 40000);
    assert_int_equal(d->subscribes, 2);
    assert_int_equal(d->last_expires, 1800);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    sim_free(&s);
}

/* Overload and the like: later, ever later, or when the device says. */
static void asked_later(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->subscribe_status = 500;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_WAITING);
    sim_run(&s, 280000);
    assert_int_equal(d->subscribes, 1);
    sim_run(&s, 60000);
    assert_int_equal(d->subscribes, 2);
    sim_run(&s, 500000);
    assert_int_equal(d->subscribes, 2);
    d->subscribe_after_s = 60;
    sim_run(&s, 1150000);
    assert_in_range(d->subscribes, 17, 20);
    sim_free(&s);
}

/* No answer three times is an answer. */
static void no_answer(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->subscribe_silent = true;
    sim_register(d);
    sim_run(&s, 7200000);
    assert_int_equal(d->subscribes, 3);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
    assert_true(sim_view(&s, d).online); /* nothing else suffers */
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_13_1_refused_for_a_day),
        cmocka_unit_test(note_13_1_polled_in_place_of_notifies),
        cmocka_unit_test(refused_and_offline),
        cmocka_unit_test(other_event),
        cmocka_unit_test(the_200_has_a_result),
        cmocka_unit_test(the_200_grants_no_time),
        cmocka_unit_test(the_refresh_grants_no_time),
        cmocka_unit_test(the_200_grants_little),
        cmocka_unit_test(asks_for_a_password),
        cmocka_unit_test(interval_too_brief),
        cmocka_unit_test(asked_later),
        cmocka_unit_test(no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
