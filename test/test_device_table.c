/* Devices as the API goes through them. */
#include "test/sim.h"

#include <stdio.h>

static struct sim s;

static const char ipc[] = "34020000001320000001";

/* Whatever a batch looks like, it is only looked at: cut anywhere, of a device
 * or of nobody, more than there is room for. */
static void ahead_of_its_turn(void **state)
{
    static const char text[] =
        "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=1\r\n"
        "To: <sip:34020000002000000001@3402000000>\r\n\r\n";
    struct slice many[PLATFORM_AHEAD_MAX + 9];
    struct platform_device before, after;
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    before = sim_view(&s, d);
    for (size_t n = 0; n < sizeof(text); n++) {
        struct slice one = guarded(slice_of(text, n));

        platform_ahead(s.p, &one, 1);
    }
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = slice_of(text, sizeof(text) - 1 - i * 3);
    platform_ahead(s.p, many, COUNT(many));
    platform_ahead(s.p, NULL, 0);
    after = sim_view(&s, d);
    assert_true(after.online && slice_eq(after.id, before.id));
    assert_int_equal(after.keepalive_utc_ms, before.keepalive_utc_ms);
    assert_int_equal(after.deviations, before.deviations);
    sim_free(&s);
}

static void walks_in_order(void **state)
{
    struct platform_device v;
    struct slice after = { NULL, 0 };
    char id[21], ip[32], last[32] = "";
    size_t n = 0, online = 0;

    (void)state;
    assert_true(sim_init(&s, NULL));
    for (unsigned i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "3402000000132%07u", (i * 7919) % 1000);
        snprintf(ip, sizeof(ip), "192.168.1.%u:5060", 10 + i);
        sim_add(&s, id, ip, SIP_UDP);
    }
    sim_settle(&s);
    while (platform_device_next(s.p, after, &v)) {
        assert_true(slice_cmp(slice_str(last), v.id) < 0);
        slice_copy(last, sizeof(last), v.id);
        after = slice_str(last);
        n++;
    }
    assert_int_equal(n, 40);
    assert_int_equal(platform_device_count(s.p, &online), 40);
    assert_int_equal(online, 40);
    sim_free(&s);
}

#define MANY 1500

static void many_id(char id[21], unsigned i)
{
    snprintf(id, 21, "3402000000132%07u", (i * 7919) % MANY);
}

/* All that there are, in order. */
static void walk_is(const bool in[MANY], size_t n_in)
{
    struct platform_device v;
    struct slice after = { NULL, 0 };
    char last[21] = "", id[21];
    size_t n = 0;

    for (; platform_device_next(s.p, after, &v); n++) {
        assert_true(slice_cmp(slice_str(last), v.id) < 0);
        slice_copy(last, sizeof(last), v.id);
        after = slice_str(last);
    }
    assert_int_equal(n, n_in);
    for (unsigned i = 0; i < MANY; i++) {
        many_id(id, i);
        assert_int_equal(platform_has_device(s.p, slice_str(id)), in[i]);
    }
}

/* In any order, looked at now and then, and removed again. */
static void table_agrees_with_a_model(void **state)
{
    static bool in[MANY];
    uint64_t seed = 11;
    size_t n_in = 0;
    char id[21];

    (void)state;
    assert_true(sim_init(&s, NULL));
    for (unsigned step = 0; step < 6000; step++) {
        unsigned i = (unsigned)(test_random(&seed) % MANY);
        struct platform_saved_device d = { 0 };

        many_id(id, i);
        d.id = slice_str(id);
        if (!in[i])
            assert_int_equal(platform_restore_device(s.p, &d, s.now), 0);
        else if (test_random(&seed) % 4 == 0)
            assert_int_equal(platform_device_remove(s.p, d.id, s.now), 0);
        else
            continue;
        in[i] = !in[i];
        n_in += in[i] ? 1 : (size_t)-1;
        if (test_random(&seed) % 1000 == 0)
            walk_is(in, n_in);
        sim_run(&s, 1);
    }
    walk_is(in, n_in);
    sim_free(&s);
}

static void removed_for_good(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    struct platform_device v;

    (void)state;
    assert_int_equal(platform_device_remove(s.p, SLICE("nobody"), s.now),
                     GB_ENOENT);
    assert_int_equal(platform_device_remove(s.p, slice_str(ipc), s.now), 0);
    assert_false(platform_device_view(s.p, slice_str(ipc), &v));
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_DEVICE_REMOVED], 1);
    assert_int_equal(d->last_status, 403);
    sim_register(d); /* nothing stops it from coming back */
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ahead_of_its_turn),
        cmocka_unit_test(walks_in_order),
        cmocka_unit_test(table_agrees_with_a_model),
        cmocka_unit_test(removed_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
