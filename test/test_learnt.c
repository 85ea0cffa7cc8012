/* app/platform: what a device did and what was learnt of it survive a restart,
 * and are told to the store when they are news, not with each message */
#include "app/platform/core.h"
#include "test/sim.h"

#include <stdio.h>

#define NVR "34020000001180000001"

static struct sim s;

static struct sim_device *online(void)
{
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct sim_device *d;

    assert_true(sim_init(&s, &o));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->keepalive_ms = 60000;
    d->version = "2.0";
    sim_channels(d, 2);
    sim_register(d);
    sim_run(&s, 10000);
    assert_true(sim_view(&s, d).online);
    return d;
}

/* What the store is given, and later gives back. */
struct kept {
    char buf[PLATFORM_SAVED_MAX];
    struct platform_device d;
};

static void keep(struct kept *k)
{
    assert_true(platform_device_save(s.p, SLICE(NVR), k->buf, &k->d));
}

static void restart(const struct kept *k)
{
    struct platform_saved_device saved = {
        .id = SLICE(NVR), .edition = SLICE("2.0"), .peer = k->d.peer,
        .registered_utc_ms = k->d.registered_utc_ms,
        .expires_utc_ms = k->d.expires_utc_ms,
        .history = guarded(k->d.history), .profile = k->d.profile,
    };

    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
}

static struct platform_change change(size_t i)
{
    struct platform_change c;

    if (!platform_device_change(s.p, SLICE(NVR), i, &c))
        fail_msg("there is no change %zu", i);
    return c;
}

/* Its changes go on behind the restart, which is one of them. */
static void history_goes_on(void **state)
{
    struct sim_device *d = online();
    struct platform_change first, c;
    struct kept k;

    (void)state;
    first = change(0);
    assert_true(first.online);
    d->keepalive_ms = 0;
    d->next_keepalive_ms = GB_NEVER;
    sim_run(&s, 400000);
    assert_false(change(0).online);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_true(change(0).online);
    keep(&k);
    restart(&k);
    c = change(0);
    assert_false(c.online);
    assert_string_equal(c.cause, "not heard of since the restart");
    assert_int_equal(c.utc_ms, s.now.utc_ms);
    assert_true(change(1).online && !change(2).online);
    assert_string_equal(change(2).cause, "keepalive lost");
    c = change(3);
    assert_string_equal(c.cause, "registered");
    assert_int_equal(c.utc_ms, first.utc_ms);
    assert_false(platform_device_change(s.p, SLICE(NVR), 4, &c));
    /* a device that was offline gets no further entry from one more restart */
    keep(&k);
    restart(&k);
    assert_false(platform_device_change(s.p, SLICE(NVR), 4, &c));
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_true(change(0).online);
    sim_free(&s);
}

static void bounded(void **state)
{
    struct sim_device *d = online();
    struct platform_change c;
    struct kept k;

    (void)state;
    for (unsigned i = 0; i < 70; i++) {
        sim_unregister(d);
        sim_run(&s, 2000);
        sim_register(d);
        sim_run(&s, 2000);
    }
    for (unsigned i = 0; i < 3; i++) {
        keep(&k);
        assert_true(k.d.history.n > 500 && k.d.history.n < 2000);
        restart(&k);
        assert_true(platform_device_change(s.p, SLICE(NVR), 49, &c));
        assert_false(platform_device_change(s.p, SLICE(NVR), 50, &c));
        sim_register(d);
        sim_run(&s, 2000);
    }
    sim_free(&s);
}

static bool command(const char *cmd, struct platform_profile_command *out)
{
    for (size_t pos = 0;
         platform_profile_command(s.p, SLICE(NVR), &pos, out);)
        if (slice_eq(out->cmd, slice_str(cmd)))
            return true;
    return false;
}

static void send(const char *cmd)
{
    const struct platform_order o = { .device = SLICE(NVR),
                                      .root = MANSCDP_QUERY,
                                      .cmd = manscdp_cmd_by_name(
                                          slice_str(cmd)) };
    uint64_t id;

    assert_int_equal(platform_command_send(s.p, &o, s.now, &id), 0);
    sim_run(&s, 30000);
}

static void profile_goes_on(void **state)
{
    struct sim_device *d = online();
    struct platform_profile_command k;
    struct platform_profile before, after;
    const char *fault = NULL;
    size_t pos = 0;
    struct kept kept, again;

    (void)state;
    sim_register(d); /* the HA1 of a device that is known is kept */
    d->query_refused = true;
    send("DeviceStatus");
    d->query_refused = false;
    sim_message(d, "<Notify><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>" NVR
                   "</DeviceID><AlarmPriority>1</AlarmPriority>"
                   "<AlarmMethod>5</AlarmMethod></Notify>");
    sim_message(d, "<Notify><CmdType>Alarm</CmdType></Notify>");
    sim_run(&s, 200000);
    assert_true(platform_profile_view(s.p, SLICE(NVR), &before));
    assert_true(before.keepalive_gap_ms > 50000);
    assert_true(before.edition_told && before.digest.n > 0);
    keep(&kept);
    restart(&kept);
    assert_true(platform_profile_view(s.p, SLICE(NVR), &after));
    assert_int_equal(after.keepalive_gap_ms, before.keepalive_gap_ms);
    assert_true(slice_eq(after.digest, before.digest));
    assert_int_equal(after.media, before.media);
    assert_int_equal(after.behind_nat, before.behind_nat);
    assert_true(after.edition_told && after.alarms_by_message);
    assert_true(after.alarms_untyped && !after.alarms_typed &&
                !after.alarms_by_notify);
    assert_true(command("DeviceStatus", &k) && k.lacks && k.asked == 1);
    assert_true(command("Catalog", &k) && k.knows);
    assert_false(command("PresetQuery", &k));
    assert_true(platform_profile_deviation(s.p, SLICE(NVR), &pos, &fault));
    assert_string_equal(fault, "SN is missing");
    assert_int_equal(sim_view(&s, d).deviations, kept.d.deviations);
    keep(&again);
    assert_int_equal(again.d.profile.n, kept.d.profile.n);
    assert_memory_equal(again.d.profile.p, kept.d.profile.p,
                        kept.d.profile.n);
    sim_free(&s);
}

/* How a device was last spoken to, and for whom; a word that is none is left
 * out. */
static void voice_goes_on(void **state)
{
    static const struct {
        struct slice line, want; /* empty: nothing of it is kept */
    } cases[] = {
        { S("voice=talk,2;"), S("voice=talk,2;") },
        { S("voice=broadcast,0;"), S("voice=broadcast,0;") },
        { S("voice=auto,1;"), S("") }, /* nothing has worked yet */
        { S("voice=broadcast,3;"), S("") },
        { S("voice=shout,1;"), S("") },
        { S("voice=talk;"), S("") },
        { S("voice=,1;"), S("") },
    };

    (void)state;
    online();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct kept kept, again;
        struct slice got;

        keep(&kept);
        kept.d.profile = cases[i].line;
        restart(&kept);
        keep(&again);
        got = again.d.profile;
        if (cases[i].want.n
                ? slice_find_slice(got, cases[i].want) == got.n
                : slice_find_slice(got, SLICE("voice=")) < got.n)
            fail_msg("%.*s: %.*s", SLICE_ARG(cases[i].line), SLICE_ARG(got));
    }
    sim_free(&s);
}

/* Each prefix, words of a later version, and rubbish: what is known is taken,
 * and what is taken is written as it was. */
static void lines_that_are_odd(void **state)
{
    static const char *const lines[] = {
        "media=tcp-active;gap=99;", "media=by pigeon;gap=99999999999;",
        "colour=blue;Catalog=answered,1,0;", "Catalog=answered,1;",
        "Catalog=eaten,1,0;", "Catalog=answered,65536,0;",
        "Teleport=answered,1,0;", "DeviceControl/GuardCmd=arrived,3,0;",
        "digest=ROT13;fault=NO_SN;fault=TOO_BLUE;faults=x;", "=;;;==;", ";",
        "nat=yes", "alarm=loud;alarm=notify",
    };
    struct sim_device *d = online();
    struct platform_change c;
    struct kept k, now;

    (void)state;
    keep(&k);
    for (size_t n = 0; n <= k.d.history.n; n++) {
        struct kept cut = k;

        cut.d.history = slice_head(k.d.history, n);
        cut.d.profile = guarded(slice_head(k.d.profile, n));
        restart(&cut);
        keep(&now);
        assert_true(sim_view(&s, d).id.n > 0);
    }
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct kept odd = k;

        odd.d.profile = guarded(slice_str(lines[i]));
        odd.d.history = guarded(slice_str(lines[i]));
        restart(&odd);
        assert_false(platform_device_change(s.p, SLICE(NVR), 0, &c));
        keep(&now);
        odd.d.profile = now.d.profile;
        restart(&odd);
        keep(&k);
        if (now.d.profile.n) /* an empty one says that nothing is known */
            assert_int_equal(k.d.profile.n, now.d.profile.n);
    }
    sim_free(&s);
}

/* Beside rubbish, what is good is taken. */
static void good_beside_odd(void **state)
{
    struct platform_profile_command cmd;
    struct platform_change c;
    struct kept k;

    (void)state;
    online();
    keep(&k);
    k.d.profile = SLICE("x;DeviceControl/GuardCmd=arrived,3,0;");
    k.d.history = SLICE("a|b;+1,0;+2,2;-3,1;x;+9;-99999999999999999,0;");
    restart(&k);
    assert_true(command("DeviceControl", &cmd) && cmd.asked == 3);
    assert_true(slice_eq(cmd.sub, SLICE("GuardCmd")));
    assert_string_equal(change(0).cause, "b");
    assert_int_equal(change(1).utc_ms, 1);
    assert_false(platform_device_change(s.p, SLICE(NVR), 2, &c));
    sim_free(&s);
}

/* Keepalives, refreshes and answers that say nothing new write no row. */
static void only_news_is_told(void **state)
{
    struct sim_device *d = online();
    unsigned n;

    (void)state;
    sim_run(&s, 600000); /* its interval has been learnt */
    n = s.actions[PLATFORM_DEVICE_CHANGED];
    sim_run(&s, 1200000);
    assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], n);
    d->expires_s = 1900; /* its end does not move far */
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], n);
    send("DeviceInfo"); /* twice as often as then */
    s.device_flags = 0;
    n = s.actions[PLATFORM_DEVICE_CHANGED];
    send("DeviceInfo");
    assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], n);
    d->query_refused = true;
    send("DeviceInfo");
    assert_true(s.device_flags & PLATFORM_CHANGED_PROFILE);
    sim_free(&s);
}

static void without_memory(void **state)
{
    struct failing_alloc f;
    struct kept k;
    bool done = false;

    (void)state;
    online();
    keep(&k);
    sim_free(&s);
    for (unsigned long at = 1; !done; at++) {
        struct sim_options o = { .config = { .auto_enrol = true },
                                 .alloc = &f.alloc };
        struct platform_saved_device saved = {
            .id = SLICE(NVR), .history = k.d.history, .profile = k.d.profile,
        };
        struct platform_device v;
        char buf[PLATFORM_SAVED_MAX];

        failing_alloc_init(&f, 0);
        assert_true(sim_init(&s, &o));
        f.fail_at = f.calls + at;
        if (platform_restore_device(s.p, &saved, s.now) == 0)
            assert_true(platform_device_save(s.p, SLICE(NVR), buf, &v));
        done = f.calls < f.fail_at;
        f.fail_at = 0;
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
}

/* One that has registered and no more takes no memory for what it told. What
 * there is no memory for is not told either, and is when it comes again. */
static void nothing_of_a_new_one(void **state)
{
    struct failing_alloc f;
    struct sim_options o = { .config = { .auto_enrol = true },
                             .alloc = &f.alloc };
    struct sim_device *d;
    struct device *it;

    (void)state;
    failing_alloc_init(&f, 0);
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    it = device_find(s.p, SLICE(NVR));
    for (int ms = 0; !(it && it->online) && ms < 1000; ms += 10) {
        sim_run(&s, 10);
        it = device_find(s.p, SLICE(NVR));
    }
    assert_true(it && it->online);
    assert_null(it->about);
    assert_int_equal(sim_view(&s, d).deviations, 0);
    f.fail_at = f.calls + 1;
    device_deviation(s.p, it, DEVIATION_NO_SN, slice_of(NULL, 0));
    assert_int_equal(sim_view(&s, d).deviations, 0);
    f.fail_at = f.calls + 1;
    assert_false(device_set_text(s.p, it, DEVICE_MODEL, SLICE("IPC-1")));
    f.fail_at = f.calls + 1;
    clock_note(s.p, it, s.now.utc_ms + 60000, PLATFORM_CLOCK_STATUS);
    assert_true(clock_is_stale(s.p, it));
    f.fail_at = 0;
    assert_null(it->about);
    device_deviation(s.p, it, DEVIATION_NO_SN, slice_of(NULL, 0));
    assert_true(device_set_text(s.p, it, DEVICE_MODEL, SLICE("IPC-1")));
    clock_note(s.p, it, s.now.utc_ms + 60000, PLATFORM_CLOCK_STATUS);
    assert_true(device_has_noted(it, DEVIATION_NO_SN));
    assert_int_equal(sim_view(&s, d).deviations, 1);
    assert_true(slice_eq(sim_view(&s, d).model, SLICE("IPC-1")));
    assert_false(clock_is_stale(s.p, it));
    sim_free(&s);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_new_one),
        cmocka_unit_test(history_goes_on),
        cmocka_unit_test(bounded),
        cmocka_unit_test(profile_goes_on),
        cmocka_unit_test(voice_goes_on),
        cmocka_unit_test(lines_that_are_odd),
        cmocka_unit_test(good_beside_odd),
        cmocka_unit_test(only_news_is_told),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
