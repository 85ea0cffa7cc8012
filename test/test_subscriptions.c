/* app/platform/subscriptions: what is asked for, when, and what becomes of it. */
#include "test/subscription_rig.h"

#include "sip/value.h"

#include <stdio.h>

static void off_unless_wanted(void **state)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];
    struct sim_device *d = up(0, 0);

    (void)state;
    assert_int_equal(d->subscribes, 0);
    assert_int_equal(platform_subscriptions_of(s.p, slice_str(nvr), u), 0);
    assert_int_equal(platform_subscriptions_of(s.p, SLICE("x"), u), 0);
    sim_free(&s);
}

static void what_is_asked(void **state)
{
    static const struct {
        unsigned kind;
        const char *event, *body[2];
    } cases[] = {
        { PLATFORM_SUBSCRIBE_CATALOG, "Catalog;id=1000",
          { "<CmdType>Catalog</CmdType>", "<DeviceID>34020000001180000001" } },
        { PLATFORM_SUBSCRIBE_ALARM, "presence",
          { "<CmdType>Alarm</CmdType>", "<EndAlarmPriority>0<" } },
        { PLATFORM_SUBSCRIBE_POSITION, "presence",
          { "<CmdType>MobilePosition</CmdType>", "<Interval>5<" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = up(1u << cases[i].kind, 600);

        assert_int_equal(d->subscribes, 1);
        assert_string_equal(d->last_event, cases[i].event);
        assert_int_equal(d->last_expires, 600);
        assert_int_equal(view(cases[i].kind).state,
                         PLATFORM_SUBSCRIPTION_ACTIVE);
        assert_int_equal(view(cases[i].kind).status, 200);
        assert_int_equal(view(cases[i].kind).notifies, 1);
        sim_free(&s);
        d = device(1u << cases[i].kind, 600);
        d->n_channels = 0;
        sim_register(d);
        sim_run(&s, 8000);
        assert_int_equal(d->subscribes, 1);
        sim_free(&s);
    }
}

/* At 80 %, inside the dialog, as long as the device lives. */
static void note_13_2_refreshed(void **state)
{
    struct sim_device *d = up(CATALOG, 600);
    uint64_t first_ms = d->subscribed_ms;

    (void)state;
    sim_run(&s, 460000);
    assert_int_equal(d->subscribes, 1);
    sim_run(&s, 20000);
    assert_int_equal(d->subscribes, 2);
    assert_in_range(d->subscribed_ms - first_ms, 479000, 481000);
    assert_true(strstr(d->last_body, "Catalog") != NULL);
    sim_run(&s, 4800000);
    assert_int_equal(d->subscribes, 12);
    assert_int_equal(counters().subscriptions, 1);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_CATALOG).notifies, 12);
    sim_free(&s);
}

/* The device grants less; or never sends a NOTIFY. */
static void shorter_and_mute(void **state)
{
    struct sim_device *d = device(ALARM, 3600);

    (void)state;
    d->subscribe_grants_s = 100;
    d->subscribe_mute = true;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_in_range(view(PLATFORM_SUBSCRIBE_ALARM).expires_utc_ms -
                        s.now.utc_ms, 90000, 100000);
    sim_run(&s, 80000);
    assert_int_equal(d->subscribes, 2);
    d->subscribe_grants_s = 10; /* no sooner than 30 s after the last */
    sim_run(&s, 100000);
    assert_in_range(d->subscribes, 3, 6);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).notifies, 0);
    sim_free(&s);
}

/* A NOTIFY says that the time is shorter than the 200 did. */
static void shortened_by_notify(void **state)
{
    struct sim_device *d = device(CATALOG, 3600);

    (void)state;
    d->subscribe_mute = true;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->subscribes, 1);
    sim_request(d, SIP_METHOD_NOTIFY, d->id, ""); /* not of it: counted */
    sim_run(&s, 1000);
    assert_int_equal(sim_counters(&s).stray_notifies, 1);
    assert_int_equal(sim_counters(&s).notifies, 1);
    assert_int_equal(d->last_status, 200);
    sim_free(&s);
}

/* A device that writes expires=1 into each: asked in its time all the same, and
 * told of. */
static void a_notify_that_leaves_hardly_any_time(void **state)
{
    struct sim_device *d = device(CATALOG, 600);

    (void)state;
    d->notify_short = true;
    sim_register(d);
    sim_run(&s, 460000);
    assert_int_equal(d->subscribes, 1);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_CATALOG).notifies, 1);
    assert_non_null(strstr(s.log, "NOTIFY leaves hardly any time"));
    assert_non_null(strstr(s.log, "detail=\"active;expires=001\""));
    sim_run(&s, 60000);
    assert_int_equal(d->subscribes, 2);
    assert_int_equal(counters().subscriptions, 1);
    sim_free(&s);
}

/* ---- lost --------------------------------------------------------------- */

static void note_13_2_refresh_fails(void **state)
{
    static const struct {
        const char *name;
        unsigned status; /* 0: silent */
        bool anew;       /* a new dialog */
    } cases[] = { { "481", 481, true },
                  { "silent", 0, true },
                  { "500", 500, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = up(CATALOG, 600);
        uint64_t first = d->subscription;

        d->subscribe_status = cases[i].status;
        d->subscribe_silent = !cases[i].status;
        sim_run(&s, 490000);
        assert_int_equal(d->subscribes, 2);
        d->subscribe_status = 0;
        d->subscribe_silent = false;
        sim_run(&s, 60000);
        if ((d->subscription != first) != cases[i].anew)
            fail_msg("%s: %u SUBSCRIBEs", cases[i].name, d->subscribes);
        assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
        assert_int_equal(counters().subscriptions, 1);
        sim_free(&s);
    }
}

static void ended_by_the_device(void **state)
{
    static const struct {
        const char *reason;
        uint32_t retry_after_s;
        bool at_once; /* it is asked for, but not if it ends again then */
        unsigned in_100s, in_1000s; /* SUBSCRIBEs by then */
        enum platform_subscription_state then;
        const char *told;
    } cases[] = {
        { "deactivated", 0, true, 3, 4, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it and wants to be asked anew (deactivated)" },
        { "probation", 300, false, 1, 2, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it for now (probation)" },
        { "giveup", 0, false, 1, 2, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it: it was not allowed in time (giveup)" },
        { "rejected", 0, false, 1, 1, PLATFORM_SUBSCRIPTION_REFUSED,
          "the device ended it: it does not allow this platform to subscribe "
          "(rejected)" },
        { "Rejected", 0, false, 1, 1, PLATFORM_SUBSCRIPTION_REFUSED,
          "the device ended it: it does not allow this platform to subscribe "
          "(rejected)" },
        { "noresource", 0, false, 1, 1, PLATFORM_SUBSCRIPTION_REFUSED,
          "the device ended it: what was asked for is not there any more "
          "(noresource)" },
        { "invariant", 0, false, 1, 1, PLATFORM_SUBSCRIPTION_REFUSED,
          "the device ended it: what was asked for never changes (invariant)" },
        { "timeout", 0, true, 3, 4, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it because its time was over (timeout)" },
        { "full", 0, true, 3, 4, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it for a reason of its own" },
        { "", 0, true, 3, 4, PLATFORM_SUBSCRIPTION_WAITING,
          "the device ended it without a reason" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = up(CATALOG, 900);
        const struct sip_notify n = {
            .state = SIP_SUB_TERMINATED,
            .reason = slice_str(cases[i].reason),
            .retry_after_s = cases[i].retry_after_s,
        };

        sim_notify(d, &n);
        sim_run(&s, 100);
        if (cases[i].at_once) {
            assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
            assert_int_equal(d->subscribes, 2);
            sim_notify(d, &n);
            sim_run(&s, 100);
        }
        assert_int_equal(view(0).state, cases[i].then);
        assert_string_equal(view(0).reason, cases[i].told);
        sim_run(&s, 100000);
        if (cases[i].then == PLATFORM_SUBSCRIPTION_WAITING &&
            d->subscribes > 1)
            assert_string_equal(view(0).reason, "");
        if (d->subscribes != cases[i].in_100s)
            fail_msg("%s: %u", cases[i].reason, d->subscribes);
        sim_run(&s, 900000);
        if (d->subscribes != cases[i].in_1000s)
            fail_msg("%s: %u in the end", cases[i].reason, d->subscribes);
        sim_free(&s);
    }
}

static void with_the_device(void **state)
{
    struct sim_device *d = up(CATALOG | ALARM, 600);

    (void)state;
    assert_int_equal(counters().subscriptions, 2);
    sim_unregister(d); /* offline: forgotten */
    sim_run(&s, 1000);
    assert_int_equal(counters().subscriptions, 0);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_NONE);
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(counters().subscriptions, 2);
    assert_int_equal(d->subscribes, 4);
    assert_int_equal(platform_device_remove(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 1000);
    assert_int_equal(d->unsubscribes, 2);
    assert_int_equal(counters().subscriptions, 0);
    sim_free(&s);
}

static void after_a_restart(void **state)
{
    struct sim_device *d = up(CATALOG, 600);
    const struct sip_notify n = { .state = SIP_SUB_ACTIVE };

    (void)state;
    sim_restart(&s);
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->subscribes, 2);
    assert_int_equal(counters().subscriptions, 1);
    sim_notify(d, &n);
    sim_run(&s, 1000);
    assert_int_equal(view(0).notifies, 2);
    sim_free(&s);
}

/* It registers anew while it is online: what it knows of us still is ended in
 * its dialog, so that nothing is reported twice. */
static void no_stray_behind_a_new_registration(void **state)
{
    struct sim_device *d = up(CATALOG | ALARM, 600);

    (void)state;
    assert_int_equal(d->subscribes, 2);
    snprintf(d->call_id, sizeof(d->call_id), "another@device");
    d->cseq = 0;
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(d->unsubscribes, 2);
    sim_run(&s, 40000);
    assert_int_equal(d->subscribes - d->unsubscribes, 4);
    assert_int_equal(counters().subscriptions, 2);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    sim_free(&s);
}

/* ---- what NOTIFYs bring -------------------------------------------------- */

static void send_body(struct sim_device *d, const char *body)
{
    const struct sip_notify n = { .state = SIP_SUB_ACTIVE,
                                  .body = slice_str(body) };

    sim_notify(d, &n);
    sim_run(&s, 1000);
}

/* ---- policies ------------------------------------------------------------ */

static size_t n_wanted(void)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];

    return platform_subscriptions_of(s.p, slice_str(nvr), u);
}

static int set_policy(uint32_t catalog, uint32_t alarm, unsigned kinds)
{
    const struct platform_settings set = {
        .set = PLATFORM_SET_SUBSCRIBE,
        .subscribe = { { catalog, alarm, 0, 0 } },
        .subscribe_kinds = kinds,
    };

    return platform_device_set(s.p, slice_str(nvr), &set, s.now);
}

/* The device's own goes before its group's, that before the configuration's;
 * each change is followed at once. */
static void note_13_2_policies(void **state)
{
    const uint32_t never = PLATFORM_SUBSCRIBE_NEVER;
    const struct platform_policy of_group = { { never, 300, 0, 0 } };
    const struct platform_settings in_group = { .set = PLATFORM_SET_GROUP,
                                                .group = SLICE("g") };
    struct sim_device *d = up(CATALOG, 600);
    unsigned n;

    (void)state;
    assert_int_equal(d->subscribes, 1);
    assert_int_equal(platform_group_set(s.p, SLICE("g"), NULL, s.now), 0);
    assert_int_equal(platform_group_subscribe(s.p, SLICE("g"), &of_group, 3,
                                              s.now), 0);
    sim_run(&s, 60000);
    assert_int_equal(d->subscribes, 1); /* it is in no group */
    assert_int_equal(platform_device_set(s.p, slice_str(nvr), &in_group, s.now),
                     0);
    sim_run(&s, 40000);
    assert_int_equal(d->unsubscribes, 1); /* of the catalog */
    assert_int_equal(n_wanted(), 1);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(d->last_expires, 300);
    /* its own */
    assert_int_equal(set_policy(900, 0, 1), 0);
    sim_run(&s, 40000);
    assert_int_equal(n_wanted(), 2);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_CATALOG).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_in_range(view(PLATFORM_SUBSCRIBE_CATALOG).expires_utc_ms -
                        s.now.utc_ms, 850000, 900000);
    assert_int_equal(set_policy(0, never, 2), 0);
    sim_run(&s, 1000);
    assert_int_equal(n_wanted(), 1);
    assert_int_equal(d->unsubscribes, 2);
    /* another time: told with the next refresh, which comes soon */
    assert_int_equal(set_policy(120, 0, 1), 0);
    sim_run(&s, 40000);
    assert_in_range(view(PLATFORM_SUBSCRIBE_CATALOG).expires_utc_ms -
                        s.now.utc_ms, 50000, 120000);
    assert_int_equal(counters().subscriptions, 1);
    /* nothing of its own, no group: the configuration */
    assert_int_equal(set_policy(0, 0, 15), 0);
    assert_int_equal(platform_group_remove(s.p, SLICE("g"), s.now), 0);
    sim_run(&s, 40000);
    assert_int_equal(n_wanted(), 1);
    assert_int_equal(d->last_expires, 600);
    /* and they hold through its next registration */
    assert_int_equal(set_policy(0, 180, 2), 0);
    sim_unregister(d);
    sim_run(&s, 5000);
    sim_register(d);
    sim_run(&s, 60000);
    assert_int_equal(n_wanted(), 2);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(counters().subscriptions, 2);
    /* it is removed: both are ended */
    n = d->unsubscribes;
    assert_int_equal(platform_device_remove(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 1000);
    assert_int_equal(d->unsubscribes, n + 2);
    assert_int_equal(counters().subscriptions, 0);
    sim_free(&s);
}

/* The configuration is read again: it holds for those that are online, too. */
static void reload(void **state)
{
    struct sim_device *d = up(CATALOG, 600);
    struct platform_config cfg = { .alloc = &gb_alloc_heap,
                                   .auto_enrol = true };

    (void)state;
    cfg.subscribe_s[PLATFORM_SUBSCRIBE_ALARM] = 3600;
    assert_int_equal(platform_reload(s.p, &cfg), 0);
    sim_run(&s, 60000);
    assert_int_equal(n_wanted(), 1);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_ALARM).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(d->unsubscribes, 1);
    assert_int_equal(counters().subscriptions, 1);
    sim_free(&s);
}

static void bad_policies(void **state)
{
    static const uint32_t bad[] = { 1, 59, 86401, UINT32_MAX - 1 };
    struct platform_policy y = { { 0 } };

    (void)state;
    up(0, 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(set_policy(bad[i], 0, 1), GB_ESYNTAX);
        assert_int_equal(set_policy(bad[i], 600, 2), 0); /* not meant */
        y.s[0] = bad[i];
        platform_group_set(s.p, SLICE("g"), NULL, s.now);
        assert_int_equal(platform_group_subscribe(s.p, SLICE("g"), &y, 1,
                                                  s.now), GB_ESYNTAX);
    }
    assert_int_equal(platform_group_subscribe(s.p, SLICE("x"), &y, 0, s.now),
                     GB_ENOENT);
    sim_free(&s);
}

/* As text, and back; what is not known is left out. */
static void policy_lines(void **state)
{
    static const struct {
        const char *in;
        struct platform_policy y;
        const char *out;
    } cases[] = {
        { "", { { 0, 0, 0, 0 } }, "" },
        { "catalog=600;alarm=never;", { { 600, UINT32_MAX, 0, 0 } },
          "catalog=600;alarm=never;" },
        { "ptz=60;position=86400", { { 0, 0, 86400, 60 } },
          "position=86400;ptz=60;" },
        { "catalog=59;alarm=86401;ptz=;x=60;=;;position=0;",
          { { 0, 0, 0, 0 } }, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[PLATFORM_POLICY_TEXT_MAX];
        struct writer w = writer_of(text, sizeof(text));
        struct platform_policy y;

        platform_policy_read(&y, guarded(slice_str(cases[i].in)));
        assert_memory_equal(&y, &cases[i].y, sizeof(y));
        platform_policy_write(&w, &y);
        assert_true(!w.err && slice_eq(writer_slice(&w),
                                       slice_str(cases[i].out)));
    }
}

/* PTZPosition came in 2022; older devices are not asked for it. */
static void ptz_positions(void **state)
{
    struct sim_device *d = up(PTZ, 600);
    char body[400];

    (void)state;
    assert_int_equal(d->subscribes, 0);
    assert_int_equal(n_wanted(), 0);
    sim_free(&s);
    d = device(PTZ, 600);
    d->version = "3.0";
    sim_register(d);
    for (unsigned i = 0; i < 10000 && d->subscribes == 0; i++)
        sim_run(&s, 1);
    assert_true(strstr(d->last_body, "<CmdType>PTZPosition<") != NULL);
    assert_string_equal(d->last_event, "presence");
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>PTZPosition</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><Pan>12.5</Pan><Tilt>-3</Tilt>"
             "</Notify>", d->channel[0]);
    {
        const struct sip_notify n = { .state = SIP_SUB_ACTIVE,
                                      .body = slice_str(body) };

        sim_notify(d, &n);
    }
    sim_run(&s, 1000);
    snprintf(body, sizeof(body), "%s %s pan\t12.5\ntilt\t-3\n", nvr,
             d->channel[0]);
    assert_string_equal(s.last_ptz, body);
    sim_free(&s);
}

/* A flood is answered and not read; when it has calmed down the whole catalog
 * is asked for, once. */
static void notify_flood(void **state)
{
    struct sim_device *d = up(CATALOG, 600);
    char body[400];
    unsigned catalogs;
    const struct sip_notify n = { .state = SIP_SUB_ACTIVE };

    (void)state;
    sim_run(&s, 20000);
    catalogs = d->catalogs;
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><SumNum>1</SumNum>"
             "<DeviceList Num=\"1\"><Item><DeviceID>%s</DeviceID>"
             "<Event>OFF</Event></Item></DeviceList></Notify>", nvr,
             d->channel[0]);
    for (unsigned i = 0; i < 1000; i++) {
        struct sip_notify one = n;

        one.body = slice_str(body);
        sim_notify(d, &one);
        sim_run(&s, 5);
    }
    assert_int_equal(sim_counters(&s).notifies, 1001);
    assert_in_range(sim_counters(&s).notify_floods, 600, 800);
    assert_int_equal(d->catalogs, catalogs);
    sim_run(&s, 60000);
    assert_int_equal(d->catalogs, catalogs + 1);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(view(PLATFORM_SUBSCRIBE_CATALOG).state,
                     PLATFORM_SUBSCRIPTION_ACTIVE);
    sim_free(&s);
}

static void bodies(void **state)
{
    struct sim_device *d = up(CATALOG, 600);
    struct platform_channel c;
    char body[512];

    (void)state;
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><SumNum>1</SumNum>"
             "<DeviceList Num=\"1\"><Item><DeviceID>%s</DeviceID>"
             "<Event>OFF</Event></Item></DeviceList></Notify>",
             nvr, d->channel[0]);
    send_body(d, body);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[0]), &c));
    assert_false(c.on);
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Alarm</CmdType>"
             "<SN>2</SN><DeviceID>%s</DeviceID><AlarmPriority>1"
             "</AlarmPriority><AlarmMethod>5</AlarmMethod>"
             "<AlarmTime>2023-08-09T07:38:35</AlarmTime></Notify>",
             d->channel[1]);
    send_body(d, body);
    assert_int_equal(s.actions[PLATFORM_ALARM], 1);
    assert_int_equal(d->alarm_responses, 0); /* never to a NOTIFY */
    sim_free(&s);
}

static void positions(void **state)
{
    struct sim_device *d = up(POSITION, 600);
    struct platform_channel c;
    char body[640];

    (void)state;
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>MobilePosition"
             "</CmdType><SN>1</SN><DeviceID>%s</DeviceID>"
             "<Longitude>117.5</Longitude><Latitude>31.25</Latitude></Notify>",
             d->channel[0]);
    send_body(d, body);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[0]), &c));
    assert_true(c.has_position && c.on && c.longitude == 117.5 &&
                c.latitude == 31.25);
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>MobilePosition"
             "</CmdType><SN>1</SN><DeviceID>%s</DeviceID><DeviceList Num=\"2\">"
             "<Item><DeviceID>%s</DeviceID><Longitude>1</Longitude>"
             "<Latitude>2</Latitude></Item><Item><DeviceID>%s</DeviceID>"
             "<Longitude>x</Longitude><Latitude>2</Latitude></Item>"
             "</DeviceList></Notify>",
             nvr, d->channel[1], d->channel[0]);
    send_body(d, body);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[1]), &c));
    assert_true(c.has_position && c.longitude == 1 && c.latitude == 2);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[0]), &c));
    assert_true(c.longitude == 117.5);
    sim_free(&s);
}

/* Whoever subscribes to us is told which events there are. */
static void subscribe_to_us(void **state)
{
    struct sim_device *d = up(0, 0);

    (void)state;
    sim_request(d, SIP_METHOD_SUBSCRIBE, d->id, "");
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 489);
    sim_free(&s);
}

static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 60; n++) {
        struct failing_alloc f;
        struct sim_options o = { .config = { .auto_enrol = true,
                                             .subscribe_s = { 600, 600, 600 },
                                           } };
        struct sim_device *d;

        failing_alloc_init(&f, 0);
        o.alloc = &f.alloc;
        assert_true(sim_init(&s, &o));
        d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
        d->keepalive_ms = 60000;
        sim_register(d);
        f.fail_at = f.calls + n;
        sim_run(&s, 20000);
        f.fail_at = 0;
        sim_run(&s, 20000);
        platform_device_remove(s.p, slice_str(nvr), s.now);
        sim_run(&s, 100000);
        assert_int_equal(counters().subscriptions, 0);
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_unless_wanted),
        cmocka_unit_test(what_is_asked),
        cmocka_unit_test(note_13_2_refreshed),
        cmocka_unit_test(shorter_and_mute),
        cmocka_unit_test(shortened_by_notify),
        cmocka_unit_test(a_notify_that_leaves_hardly_any_time),
        cmocka_unit_test(note_13_2_refresh_fails),
        cmocka_unit_test(ended_by_the_device),
        cmocka_unit_test(with_the_device),
        cmocka_unit_test(after_a_restart),
        cmocka_unit_test(no_stray_behind_a_new_registration),
        cmocka_unit_test(note_13_2_policies),
        cmocka_unit_test(reload),
        cmocka_unit_test(bad_policies),
        cmocka_unit_test(policy_lines),
        cmocka_unit_test(ptz_positions),
        cmocka_unit_test(notify_flood),
        cmocka_unit_test(bodies),
        cmocka_unit_test(positions),
        cmocka_unit_test(subscribe_to_us),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
