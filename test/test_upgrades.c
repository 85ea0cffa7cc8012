/* app/platform/upgrades: firmware for a device, from the order to what it says
 * of it, in virtual time */
#include "test/sim.h"

#include <stdio.h>

#define NVR "34020000001180000001"
#define NVR2 "34020000001180000002"
#define SESSION "0123456789abcdef0123456789ABCDEF"
#define HOUR 3600000

static struct sim s;

static struct sim_device *online(const char *version,
                                 const struct gb_alloc *alloc)
{
    struct sim_options o = { .config = { .auto_enrol = true },
                             .alloc = alloc };
    struct sim_device *d;

    if (!sim_init(&s, &o))
        return NULL;
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->version = version;
    d->keepalive_ms = 60000;
    d->expires_s = 86400;
    sim_channels(d, 1);
    sim_register(d);
    sim_run(&s, 5000);
    return d;
}

static struct platform_upgrade_order an_order(void)
{
    return (struct platform_upgrade_order){
        .device = SLICE(NVR), .session = SLICE(SESSION),
        .file = SLICE("f1e"), .url = SLICE("http://192.168.1.1/f?a=1&b=2"),
        .version = SLICE("V2.0"), .manufacturer = SLICE("Acme"),
    };
}

static int order(void)
{
    const struct platform_upgrade_order o = an_order();

    return platform_upgrade_start(s.p, &o, s.now);
}

static struct platform_upgrade view(void)
{
    struct platform_upgrade u;

    if (!platform_upgrade_view(s.p, SLICE(SESSION), &u))
        fail_msg("no such upgrade");
    return u;
}

static void expect(enum platform_upgrade_state state, const char *evidence)
{
    struct platform_upgrade u = view();

    if (u.state != state ||
        slice_find_slice(u.evidence, slice_str(evidence)) ==
            (evidence[0] ? u.evidence.n : SIZE_MAX))
        fail_msg("%s: %.*s", platform_upgrade_state_name(u.state),
                 SLICE_ARG(u.evidence));
}

static void answer(struct sim_device *d, const char *result)
{
    struct platform_command c;
    char text[512];

    assert_true(platform_command_view(s.p, view().command, &c));
    snprintf(text, sizeof(text),
             "<Response><CmdType>DeviceControl</CmdType><SN>%u</SN>"
             "<DeviceID>" NVR "</DeviceID><Result>%s</Result></Response>",
             (unsigned)c.sn, result);
    sim_message(d, text);
    sim_run(&s, 100);
}

static void says(struct sim_device *d, const char *session, const char *result)
{
    char text[512];

    snprintf(text, sizeof(text),
             "<Notify><CmdType>DeviceUpgradeResult</CmdType><SN>9</SN>"
             "<DeviceID>%s</DeviceID><SessionID>%s</SessionID>"
             "%s<Firmware>V2.0b</Firmware></Notify>", d->id, session, result);
    sim_message(d, text);
    sim_run(&s, 100);
}

#define OK "<UpgradeResult>OK</UpgradeResult>"
#define BAD "<UpgradeResult>ERROR</UpgradeResult><UpgradeFailedReason>02"      \
            "</UpgradeFailedReason>"

static void fetched(uint64_t bytes, bool whole)
{
    platform_upgrade_fetched(s.p, SLICE(SESSION), bytes, whole, s.now);
    sim_run(&s, 1);
}

/* The whole way, over the device's new start; and what it was sent. */
static void succeeds(void **state)
{
    struct sim_device *d = online("3.0", NULL);
    struct slice file;

    (void)state;
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    assert_true(strstr(d->last_body,
                       "<DeviceUpgrade>") != NULL);
    assert_true(strstr(d->last_body, "<SessionID>" SESSION "<") != NULL);
    assert_true(strstr(d->last_body,
                       "<FileURL>http://192.168.1.1/f?a=1&amp;b=2<") != NULL);
    assert_true(strstr(d->last_body, "<Firmware>V2.0<") != NULL);
    assert_true(strstr(d->last_body, "<Manufacturer>Acme<") != NULL);
    expect(PLATFORM_UPGRADE_SENT, "");
    answer(d, "OK");
    expect(PLATFORM_UPGRADE_SENT, "");
    assert_true(platform_upgrade_may_fetch(s.p, SLICE(SESSION), &file));
    assert_true(slice_eq(file, SLICE("f1e")));
    fetched(100, false);
    expect(PLATFORM_UPGRADE_SENT, "");
    fetched(900, true);
    expect(PLATFORM_UPGRADE_FETCHED, "");
    assert_int_equal(view().fetched_bytes, 1000);
    assert_int_equal(view().fetches, 2);
    sim_unregister(d);
    sim_run(&s, 600000);
    sim_register(d);
    sim_run(&s, 1000);
    s.actions[PLATFORM_UPGRADE_CHANGED] = 0;
    says(d, SESSION, OK);
    expect(PLATFORM_UPGRADE_SUCCEEDED, "");
    assert_true(slice_eq(view().runs, SLICE("V2.0b")));
    assert_int_equal(s.actions[PLATFORM_UPGRADE_CHANGED], 1);
    assert_false(platform_upgrade_may_fetch(s.p, SLICE(SESSION), &file));
    says(d, SESSION, BAD); /* a repeat, or nonsense */
    expect(PLATFORM_UPGRADE_SUCCEEDED, "");
    fetched(1000, true); /* once more: counted, and changes nothing */
    expect(PLATFORM_UPGRADE_SUCCEEDED, "");
    sim_free(&s);
}

static void fails(void **state)
{
    struct sim_device *d = online("3.0", NULL);

    (void)state;
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    answer(d, "ERROR");
    expect(PLATFORM_UPGRADE_FAILED, "the order was refused");
    sim_free(&s);

    d = online("3.0", NULL);
    d->query_refused = true;
    assert_int_equal(order(), 0);
    sim_run(&s, 1000);
    expect(PLATFORM_UPGRADE_FAILED, "SIP 404");
    sim_free(&s);

    d = online("3.0", NULL);
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    answer(d, "OK");
    fetched(1, true);
    says(d, SESSION, BAD);
    expect(PLATFORM_UPGRADE_FAILED, "the package is damaged (02)");
    sim_free(&s);
}

/* Nothing for an hour, after the order or after the file; late is taken. */
static void silent(void **state)
{
    struct sim_device *d = online("3.0", NULL);

    (void)state;
    assert_int_equal(order(), 0);
    sim_run(&s, 60000); /* no Response: it may fetch the file all the same */
    expect(PLATFORM_UPGRADE_SENT, "no Response came");
    sim_run(&s, HOUR - 61000);
    expect(PLATFORM_UPGRADE_SENT, "");
    sim_run(&s, 2000);
    expect(PLATFORM_UPGRADE_SILENT, "no Response came");
    says(d, SESSION, OK);
    expect(PLATFORM_UPGRADE_SUCCEEDED, "late");
    sim_free(&s);

    d = online("3.0", NULL);
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    answer(d, "OK");
    sim_run(&s, HOUR / 2);
    fetched(1, true);
    sim_run(&s, HOUR - 1000);
    expect(PLATFORM_UPGRADE_FETCHED, "");
    sim_run(&s, 2000);
    expect(PLATFORM_UPGRADE_SILENT, "says nothing of how it went");
    sim_free(&s);
}

/* Another device's session, or nobody's, changes nothing. */
static void foreign_results(void **state)
{
    struct sim_device *d = online("3.0", NULL), *other;

    (void)state;
    other = sim_add(&s, NVR2, "192.168.1.11:5060", SIP_UDP);
    other->version = "3.0";
    sim_register(other);
    sim_run(&s, 1000);
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    says(other, SESSION, OK);
    expect(PLATFORM_UPGRADE_SENT, "");
    says(d, "0123456789abcdef0123456789abcdee", OK);
    says(d, "short", OK);
    expect(PLATFORM_UPGRADE_SENT, "");
    says(d, "0123456789ABCDEF0123456789abcdef", OK); /* case may be lost */
    expect(PLATFORM_UPGRADE_SUCCEEDED, "");
    sim_free(&s);
}

static void refusals(void **state)
{
    struct platform_upgrade_order o = an_order();
    struct platform_upgrade u;

    (void)state;
    online("2.0", NULL);
    assert_int_equal(order(), GB_EUNSUPPORTED);
    sim_free(&s);
    online("3.0", NULL);
    o.device = SLICE("34020000001180000009");
    assert_int_equal(platform_upgrade_start(s.p, &o, s.now), GB_ENOENT);
    o = an_order();
    o.version = SLICE("");
    assert_int_equal(platform_upgrade_start(s.p, &o, s.now), GB_ESYNTAX);
    o = an_order();
    o.target = SLICE("nobody at all");
    assert_int_equal(platform_upgrade_start(s.p, &o, s.now), GB_ESYNTAX);
    o = an_order();
    o.session = SLICE("too-short");
    assert_true(platform_upgrade_start(s.p, &o, s.now) != 0);
    assert_false(platform_upgrade_at(s.p, 0, &u));
    assert_int_equal(order(), 0);
    assert_int_equal(order(), GB_ESYNTAX); /* the same session */
    sim_run(&s, 100);
    sim_unregister(&s.device[0]);
    sim_run(&s, 1000);
    o = an_order();
    o.session = SLICE("0123456789abcdef0123456789abcdee");
    assert_int_equal(platform_upgrade_start(s.p, &o, s.now), GB_ESTATE);
    sim_free(&s);
}

/* It is stored, and goes on behind a restart. */
static void restart(void **state)
{
    struct sim_device *d = online("3.0", NULL);
    struct platform_upgrade u, kept;
    struct platform_device dev;
    struct platform_saved_device saved;
    char text[6][80];

    (void)state;
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    answer(d, "OK");
    fetched(5, true);
    u = view();
    kept = u;
    {
        struct slice *all[] = { &kept.session, &kept.device, &kept.target,
                                &kept.file, &kept.version, &kept.evidence };

        for (size_t i = 0; i < COUNT(all); i++) {
            slice_copy(text[i], sizeof(text[i]), *all[i]);
            *all[i] = slice_str(text[i]);
        }
    }
    dev = sim_view(&s, d);
    saved = (struct platform_saved_device){
        .id = SLICE(NVR), .peer = dev.peer, .edition = SLICE("3.0"),
        .expires_utc_ms = dev.expires_utc_ms,
    };
    kept.runs = SLICE("");
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
    assert_int_equal(platform_restore_upgrade(s.p, &kept, s.now), 0);
    assert_int_equal(platform_restore_upgrade(s.p, &kept, s.now), GB_ESYNTAX);
    s.actions[PLATFORM_UPGRADE_CHANGED] = 0;
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_UPGRADE_CHANGED], 0);
    expect(PLATFORM_UPGRADE_FETCHED, "");
    assert_int_equal(view().fetched_bytes, 5);
    says(d, SESSION, OK);
    expect(PLATFORM_UPGRADE_SUCCEEDED, "");
    sim_free(&s);
}

/* So many are remembered; those that are open are not forgotten for new ones. */
static void bounded(void **state)
{
    struct platform_upgrade u = { .device = SLICE(NVR), .file = SLICE("f"),
                                  .state = PLATFORM_UPGRADE_FAILED };
    uint64_t last = UINT64_MAX;
    char session[40];
    size_t n = 0;

    (void)state;
    online("3.0", NULL);
    assert_int_equal(order(), 0);
    sim_run(&s, 100);
    for (unsigned i = 0; i < PLATFORM_UPGRADES_MAX + 10; i++) {
        snprintf(session, sizeof(session), "0123456789abcdef0123456789ab%04u",
                 i);
        u.session = slice_str(session);
        assert_int_equal(platform_restore_upgrade(s.p, &u, s.now), 0);
    }
    expect(PLATFORM_UPGRADE_SENT, "");
    for (; platform_upgrade_at(s.p, n, &u); n++) {
        assert_true(u.number < last);
        last = u.number;
    }
    assert_int_equal(n, PLATFORM_UPGRADES_MAX);
    assert_false(platform_upgrade_view(
        s.p, SLICE("0123456789abcdef0123456789ab0000"), &u));
    sim_free(&s);
}

static void without_memory(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned long at = 1; !done; at++) {
        struct failing_alloc f;

        failing_alloc_init(&f, 0);
        online("3.0", &f.alloc);
        f.fail_at = f.calls + at;
        if (order() == 0)
            expect(PLATFORM_UPGRADE_SENT, "");
        done = f.calls < f.fail_at;
        f.fail_at = 0;
        sim_run(&s, 1000);
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(succeeds), cmocka_unit_test(fails),
        cmocka_unit_test(silent),   cmocka_unit_test(foreign_results),
        cmocka_unit_test(refusals), cmocka_unit_test(restart),
        cmocka_unit_test(bounded),  cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
