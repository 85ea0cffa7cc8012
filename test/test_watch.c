/* app/device/watch: gbcam's device as the notifier, joined in memory to the
 * platform that subscribes. Virtual time. */
#include "test/support.h"

#include "app/device/device.h"
#include "app/platform/platform.h"

#include <stdio.h>
#include <stdlib.h>

#define SERVER "34020000002000000001"
#define CAMERA "34020000001180000001"

static const struct device_channel channels[] = {
    { "34020000001310000001", "Gate" },
    { "34020000001310000002", "Yard" },
};

static struct side {
    struct sip_stack *sip;
    struct gb_addr addr;
} platform_side, device_side;

static struct platform *p;
static struct device *d;
static struct gb_time now;
static unsigned alarms, notifies_seen, messages_seen;
static bool cut; /* the wire */
static struct device_faults faults; /* of the next start */
static enum manscdp_edition edition = MANSCDP_2016;
static unsigned positions;

static struct gb_addr address(uint8_t last)
{
    return (struct gb_addr){ .family = GB_IPV4, .ip = { 192, 0, 2, last },
                             .port = 5060 };
}

static void start(const uint32_t subscribe_s[3])
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap };
    struct platform_config pc = { .id = SERVER, .realm = "3402000000",
                                  .password = "12345678",
                                  .auto_enrol = true };
    struct device_config dc = {
        .alloc = &gb_alloc_heap, .id = CAMERA, .password = "12345678",
        .name = "Cam", .manufacturer = "Acme", .model = "M", .firmware = "1",
        .server_id = SERVER, .realm = "3402000000", .channel = channels,
        .n_channels = COUNT(channels), .keepalive_s = 60, .expires_s = 86400,
        .dialect = { edition, MANSCDP_GB2312 }, .faults = faults,
    };

    now = (struct gb_time){ .mono_ms = 1000, .utc_ms = 1700000000000 };
    alarms = notifies_seen = messages_seen = positions = 0;
    cut = false;
    platform_side.addr = address(1);
    device_side.addr = address(2);
    memset(sc.seed, 3, sizeof(sc.seed));
    assert_int_equal(sip_stack_new(&platform_side.sip, &sc), 0);
    memset(sc.seed, 4, sizeof(sc.seed));
    assert_int_equal(sip_stack_new(&device_side.sip, &sc), 0);
    pc.sip = platform_side.sip;
    memcpy(pc.subscribe_s, subscribe_s, sizeof(pc.subscribe_s));
    memset(pc.seed, 5, sizeof(pc.seed));
    assert_int_equal(platform_new(&p, &pc, now), 0);
    dc.sip = device_side.sip;
    dc.server.local = device_side.addr;
    dc.server.remote = platform_side.addr;
    assert_int_equal(device_new(&d, &dc, now), 0);
}

static void stop(void)
{
    device_free(d);
    platform_free(p);
    sip_stack_free(platform_side.sip);
    sip_stack_free(device_side.sip);
}

static void carry(struct side *from, struct side *to)
{
    struct sip_peer peer = { .local = to->addr, .remote = from->addr };
    struct sip_out out;

    while (sip_stack_output(from->sip, &out)) {
        char *copy = malloc(out.bytes.n);

        assert_non_null(copy);
        memcpy(copy, out.bytes.p, out.bytes.n);
        if (from == &device_side) {
            notifies_seen += slice_has_prefix(out.bytes, SLICE("NOTIFY "));
            messages_seen += slice_has_prefix(out.bytes, SLICE("MESSAGE "));
        }
        if (!cut)
            sip_stack_input(to->sip, &peer, slice_of(copy, out.bytes.n),
                            now.mono_ms);
        for (struct sip_event ev; sip_stack_event(to->sip, &ev);)
            if (to == &platform_side)
                platform_sip(p, &ev, now);
            else
                device_sip(d, &ev, now);
        free(copy);
    }
}

static void turn(void)
{
    struct platform_action a;
    struct device_action da;

    for (unsigned i = 0; i < 20; i++) {
        while (platform_action(p, &a))
            alarms += a.kind == PLATFORM_ALARM,
            positions += a.kind == PLATFORM_POSITION;
        while (device_action(d, &da)) {
        }
        for (struct sip_event ev; sip_stack_event(platform_side.sip, &ev);)
            platform_sip(p, &ev, now);
        for (struct sip_event ev; sip_stack_event(device_side.sip, &ev);)
            device_sip(d, &ev, now);
        carry(&platform_side, &device_side);
        carry(&device_side, &platform_side);
    }
}

static void run(uint64_t ms)
{
    for (uint64_t end_ms = now.mono_ms + ms; now.mono_ms < end_ms;) {
        now.mono_ms += 100;
        now.utc_ms += 100;
        sip_stack_tick(platform_side.sip, now.mono_ms);
        sip_stack_tick(device_side.sip, now.mono_ms);
        platform_tick(p, now);
        device_tick(d, now);
        turn();
    }
}

static struct platform_subscription view(unsigned i)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];

    assert_true(platform_subscriptions_of(p, slice_str(CAMERA), u) > i);
    return u[i];
}

static bool is_on(size_t channel)
{
    struct platform_channel c;

    assert_true(platform_channel_view(p, slice_str(CAMERA),
                                      slice_str(channels[channel].id), &c));
    return c.on;
}

static void subscribed(void **state)
{
    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 600, 600, 600 });
    run(30000);
    assert_true(device_is_online(d));
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(view(1).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(view(0).notifies, 1);
    run(40000);
    assert_int_equal(view(2).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_in_range(positions, 8, 16); /* every five seconds */
    run(1000000); /* refreshed twice */
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    assert_int_equal(view(0).notifies, 3);
    stop();
}

static void positions_in_each_form(void **state)
{
    (void)state;
    for (edition = MANSCDP_2011; edition < MANSCDP_EDITION_COUNT; edition++) {
        start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 0, 600 });
        run(70000);
        if (edition < MANSCDP_2016) {
            /* 489, and once more under the other name */
            assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
            assert_int_equal(view(0).status, 489);
            assert_int_equal(positions, 0);
        } else {
            assert_in_range(positions, 10, 14);
        }
        stop();
    }
    edition = MANSCDP_2016;
}

static void subscribers_who_get_nothing(void **state)
{
    (void)state;
    faults = (struct device_faults){ .no_subscribe = true };
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 600, 600, 0 });
    run(70000);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_REFUSED);
    assert_int_equal(view(1).state, PLATFORM_SUBSCRIPTION_REFUSED);
    stop();
    faults = (struct device_faults){ .no_notify = true };
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 0, 600 });
    run(30000);
    assert_int_equal(notifies_seen, 0);
    assert_int_equal(positions, 0);
    stop();
    faults = (struct device_faults){ 0 };
}

static void alarms_both_ways(void **state)
{
    (void)state;
    faults = (struct device_faults){ .alarm_twice = true };
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 600, 0 });
    run(30000);
    messages_seen = notifies_seen = 0;
    assert_int_equal(device_alarm(d, 0, now), 0);
    run(1000);
    assert_int_equal(messages_seen, 1);
    assert_int_equal(notifies_seen, 1);
    assert_int_equal(alarms, 1); /* one all the same */
    stop();
    faults = (struct device_faults){ .alarm_message = true };
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 600, 0 });
    run(30000);
    notifies_seen = 0;
    assert_int_equal(device_alarm(d, 0, now), 0);
    run(1000);
    assert_int_equal(notifies_seen, 0);
    assert_int_equal(alarms, 1);
    stop();
    faults = (struct device_faults){ 0 };
}

/* Changes while a NOTIFY is open follow it, one after the other. */
static void channels_come_and_go(void **state)
{
    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 600, 0, 0 });
    assert_int_equal(device_set_channel(d, 7, true, now), GB_ENOENT);
    run(30000);
    assert_true(is_on(0) && is_on(1));
    assert_int_equal(device_set_channel(d, 0, true, now), 0); /* no change */
    assert_int_equal(device_set_channel(d, 0, false, now), 0);
    assert_int_equal(device_set_channel(d, 1, false, now), 0);
    run(1000);
    assert_false(is_on(0));
    assert_false(is_on(1));
    assert_int_equal(device_counters(d)->notifies, 2);
    assert_int_equal(device_set_channel(d, 1, true, now), 0);
    run(1000);
    assert_true(is_on(1));
    assert_int_equal(view(0).notifies, 4);
    stop();
}

/* Without a subscription only the catalog says so. */
static void off_in_the_catalog(void **state)
{
    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 0, 0 });
    assert_int_equal(device_set_channel(d, 1, false, now), 0);
    run(30000);
    assert_true(is_on(0));
    assert_false(is_on(1));
    assert_int_equal(notifies_seen, 0);
    stop();
}

static void alarms_by_notify(void **state)
{
    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 0, 600, 0 });
    run(30000);
    messages_seen = 0;
    assert_int_equal(device_alarm(d, 0, now), 0);
    assert_int_equal(device_alarm(d, 1, now), 0); /* the one before is open */
    run(1000);
    assert_int_equal(alarms, 2);
    assert_int_equal(device_counters(d)->notifies, 1);
    assert_in_range(messages_seen, 1, 1);
    stop();
}

/* Removed: the platform says so, and the device notifies no more. */
static void unsubscribed(void **state)
{
    unsigned n;

    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 600, 600, 0 });
    run(30000);
    assert_int_equal(platform_device_remove(p, slice_str(CAMERA), now), 0);
    run(500);
    n = notifies_seen;
    assert_int_equal(n, 4); /* the last ones say terminated */
    device_alarm(d, 0, now);
    device_set_channel(d, 0, false, now);
    run(1000);
    assert_int_equal(notifies_seen, n);
    stop();
}

/* The platform hears nothing for so long that the subscription is over. */
static void lost(void **state)
{
    struct sip_counters c;

    (void)state;
    start((const uint32_t[PLATFORM_SUBSCRIPTION_KINDS]){ 600, 0, 0 });
    run(30000);
    cut = true;
    run(700000);
    sip_stack_counters(device_side.sip, &c);
    assert_int_equal(c.subscriptions, 0);
    cut = false;
    run(300000);
    assert_int_equal(view(0).state, PLATFORM_SUBSCRIPTION_ACTIVE);
    device_stop(d, now);
    run(1000);
    sip_stack_counters(device_side.sip, &c);
    assert_int_equal(c.subscriptions, 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribed),
        cmocka_unit_test(positions_in_each_form),
        cmocka_unit_test(subscribers_who_get_nothing),
        cmocka_unit_test(alarms_both_ways),
        cmocka_unit_test(channels_come_and_go),
        cmocka_unit_test(off_in_the_catalog),
        cmocka_unit_test(alarms_by_notify),
        cmocka_unit_test(unsubscribed),
        cmocka_unit_test(lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
