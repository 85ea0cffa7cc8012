/* What is armed: each device as it is set, and as it says; alarms that are reset */
#include "test/command_rig.h"

/* Armed at each registration, visibly, behind a subscription to its alarms;
 * and at once when somebody says so, the subscription too. */
static void note_12_1_arming(void **state)
{
    struct platform_settings on = { .set = PLATFORM_SET_ARM, .arm = true };
    struct platform_command c;
    struct sim_device *d = online(NULL);

    (void)state;
    assert_int_equal(platform_device_set(s.p, SLICE(NVR), &on, s.now), 0);
    sim_run(&s, 200);
    assert_true(platform_command_before(s.p, 0, &c));
    assert_true(slice_eq(c.sub, SLICE("GuardCmd")));
    assert_true(says(slice_str(d->last_body), "<GuardCmd>SetGuard<"));
    respond(d, "DeviceControl", c.sn, "<Result>OK</Result>");
    sim_run(&s, 200);
    expect_state(c.id, PLATFORM_COMMAND_ANSWERED);
    sim_run(&s, 20000);
    assert_int_equal(d->subscribes, 1);
    sim_unregister(d);
    sim_run(&s, 1000);
    sim_register(d);
    sim_run(&s, 20000);
    assert_int_equal(d->subscribes, 2);
    assert_true(platform_command_before(s.p, 0, &c));
    assert_int_equal(c.id, 2);
    assert_true(sim_view(&s, d).arm);
    on.arm = false;
    assert_int_equal(platform_device_set(s.p, SLICE(NVR), &on, s.now), 0);
    sim_unregister(d);
    sim_run(&s, 1000);
    sim_register(d);
    sim_run(&s, 60000);
    assert_true(platform_command_before(s.p, 0, &c));
    assert_int_equal(c.id, 2);
    sim_free(&s);
}

static const char *duty_of(const char *target)
{
    struct platform_duty u;

    for (size_t i = 0; platform_duty_at(s.p, SLICE(NVR), i, &u); i++)
        if (slice_eq(u.target, slice_str(target)))
            return u.duty;
    return "";
}

/* What is armed is known from the orders that were carried out, and from what
 * the device says by itself. */
static void guards(void **state)
{
    const struct element arm = { S("GuardCmd"), S("SetGuard") };
    const struct element disarm = { S("GuardCmd"), S("ResetGuard") };
    struct sim_device *d = online(NULL);
    struct platform_duty u;
    uint64_t id = 0;

    (void)state;
    assert_false(platform_duty_at(s.p, SLICE(NVR), 0, &u));
    assert_int_equal(order("DeviceControl", &arm, &id), 0);
    sim_run(&s, 100);
    assert_string_equal(duty_of(NVR), "");
    respond(d, "DeviceControl", view(id).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    assert_string_equal(duty_of(NVR), "ONDUTY");
    assert_true(platform_duty_at(s.p, SLICE(NVR), 0, &u));
    assert_string_equal(u.from, "GuardCmd");
    assert_true(u.utc_ms > 0);
    assert_int_equal(order("DeviceControl", &disarm, &id), 0);
    sim_run(&s, 100);
    respond(d, "DeviceControl", view(id).sn, "<Result>ERROR</Result>");
    sim_run(&s, 100);
    assert_string_equal(duty_of(NVR), "ONDUTY");
    assert_int_equal(order("DeviceControl", &disarm, &id), 0);
    sim_run(&s, 60000);
    assert_string_equal(duty_of(NVR), "ONDUTY"); /* not answered */
    respond(d, "DeviceControl", view(id).sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    assert_string_equal(duty_of(NVR), "OFFDUTY"); /* late, but so */
    respond(d, "DeviceStatus", 77,
            "<Result>OK</Result><Online>ONLINE</Online><Alarmstatus Num='3'>"
            "<Item><DeviceID>a1</DeviceID><DutyStatus>ALARM</DutyStatus></Item>"
            "<Item><DeviceID>a2</DeviceID><Status>ONDUTY</Status></Item>"
            "<Item><DeviceID>a3</DeviceID></Item></Alarmstatus>");
    sim_run(&s, 100);
    assert_string_equal(duty_of("a1"), "ALARM");
    assert_string_equal(duty_of("a2"), "ONDUTY");
    assert_string_equal(duty_of("a3"), "");
    assert_int_equal(platform_device_remove(s.p, SLICE(NVR), s.now), 0);
    assert_false(platform_duty_at(s.p, SLICE(NVR), 0, &u));
    sim_free(&s);
}

static void alarm_from(struct sim_device *d, unsigned sn, const char *method)
{
    char text[500];

    snprintf(text, sizeof(text),
             "<Notify><CmdType>Alarm</CmdType><SN>%u</SN><DeviceID>" CAM
             "</DeviceID><AlarmPriority>1</AlarmPriority><AlarmMethod>%s"
             "</AlarmMethod><AlarmTime>2023-08-09T07:38:%02u</AlarmTime>"
             "</Notify>",
             sn, method, sn);
    sim_message(d, text);
    sim_run(&s, 100);
}

static unsigned resets(void)
{
    struct platform_command c = { 0 };
    unsigned n = 0;

    while (platform_command_before(s.p, c.id, &c))
        n += slice_eq(c.sub, SLICE("AlarmCmd"));
    return n;
}

/* A detector is silent until it has been reset: by itself, if so configured,
 * once at a time. */
static void alarms_are_reset(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .reset_alarms = true } };
    struct sim_device *d = online(&o);
    struct platform_command c;

    (void)state;
    alarm_from(d, 1, "5");
    alarm_from(d, 2, "0");
    alarm_from(d, 3, "4");
    assert_int_equal(resets(), 0);
    alarm_from(d, 4, "2");
    assert_int_equal(resets(), 1);
    assert_true(says(slice_str(d->last_body),
                     "<DeviceID>" CAM "</DeviceID>\r\n"
                     "<AlarmCmd>ResetAlarm</AlarmCmd>\r\n"
                     "<Info><AlarmMethod>2</AlarmMethod></Info>"));
    for (unsigned i = 5; i < 10; i++)
        alarm_from(d, i, "2");
    assert_int_equal(resets(), 1);
    assert_true(platform_command_before(s.p, 0, &c));
    respond(d, "DeviceControl", c.sn, "<Result>OK</Result>");
    sim_run(&s, 100);
    alarm_from(d, 10, "25");
    assert_int_equal(resets(), 2);
    sim_free(&s);
    d = online(NULL);
    alarm_from(d, 1, "2");
    assert_int_equal(resets(), 0);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_12_1_arming),
        cmocka_unit_test(guards),
        cmocka_unit_test(alarms_are_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
