#include "test/support.h"

#include "app/platform/ports.h"
#include "base/err.h"

static void pairs_of_a_range(void **state)
{
    static const struct {
        const char *name;
        uint16_t min, max;
        int err;
        uint16_t first;
        uint32_t n;
    } cases[] = {
        { "even to odd", 30002, 30999, 0, 30002, 499 },
        { "odd start", 30001, 30999, 0, 30002, 499 },
        { "even end has no partner", 30002, 30998, 0, 30002, 498 },
        { "one pair", 40000, 40001, 0, 40000, 1 },
        { "the very end", 65534, 65535, 0, 65534, 1 },
        { "one port", 40000, 40000, GB_ERANGE, 0, 0 },
        { "odd and even", 40001, 40002, GB_ERANGE, 0, 0 },
        { "backwards", 30999, 30002, GB_ERANGE, 0, 0 },
        { "zero", 0, 100, GB_ERANGE, 0, 0 },
        { "last port", 65535, 65535, GB_ERANGE, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct port_pool p;
        uint16_t port = 0, last = 0;
        uint32_t n = 0;
        int err = port_pool_init(&p, &gb_alloc_heap, cases[i].min,
                                 cases[i].max);

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        if (err)
            continue;
        while (!port_pool_take(&p, 0, &last)) {
            if (n++ == 0)
                port = last;
            if (last & 1 || last < cases[i].min || last + 1 > cases[i].max)
                fail_msg("%s: port %u", cases[i].name, last);
        }
        if (port != cases[i].first || n != cases[i].n)
            fail_msg("%s: first %u, %u pairs", cases[i].name, port, n);
        port_pool_fini(&p);
    }
}

static void a_used_port_rests(void **state)
{
    struct port_pool p;
    uint16_t a, b, c;

    (void)state;
    assert_int_equal(port_pool_init(&p, &gb_alloc_heap, 40000, 40003), 0);
    assert_int_equal(port_pool_take(&p, 0, &a), 0);
    assert_int_equal(port_pool_take(&p, 0, &b), 0);
    assert_int_not_equal(a, b);
    port_pool_give(&p, b, 1000);
    assert_int_equal(rest_pool_resting(&p.rest, 1000), 1);
    assert_int_equal(port_pool_take(&p, 1000 + REST_MS - 1, &c), GB_ELIMIT);
    assert_int_equal(port_pool_take(&p, 1000 + REST_MS, &c), 0);
    assert_int_equal(c, b);
    assert_int_equal(rest_pool_lent(&p.rest), 2);
    port_pool_fini(&p);
}

static void how_many_are_left(void **state)
{
    struct port_pool p;
    uint16_t a, b;

    (void)state;
    assert_int_equal(port_pool_init(&p, &gb_alloc_heap, 40000, 40007), 0);
    assert_true(rest_pool_has(&p.rest, 4, 0));
    assert_false(rest_pool_has(&p.rest, 5, 0));
    assert_int_equal(port_pool_take(&p, 0, &a), 0);
    assert_int_equal(port_pool_take(&p, 0, &b), 0);
    assert_true(rest_pool_has(&p.rest, 2, 0));
    assert_false(rest_pool_has(&p.rest, 3, 0));
    port_pool_give(&p, a, 1000);
    assert_false(rest_pool_has(&p.rest, 3, 1000 + REST_MS - 1));
    assert_true(rest_pool_has(&p.rest, 3, 1000 + REST_MS));
    port_pool_fini(&p);
}

/* Random taking and giving: never the same twice, never a tired one. */
static void like_a_model(void **state)
{
    enum { PAIRS = 50 };
    uint64_t rnd = 7, now = 0, freed[PAIRS] = { 0 };
    bool out[PAIRS] = { false };
    struct port_pool p;

    (void)state;
    assert_int_equal(port_pool_init(&p, &gb_alloc_heap, 20000, 20099), 0);
    for (int step = 0; step < 100000; step++) {
        uint16_t port;
        size_t i;

        now += test_random(&rnd) % 3000;
        if (test_random(&rnd) % 2) {
            size_t ready = 0;

            for (i = 0; i < PAIRS; i++)
                ready += !out[i] && (!freed[i] || freed[i] + REST_MS <= now);
            if (port_pool_take(&p, now, &port)) {
                assert_int_equal(ready, 0);
                continue;
            }
            i = (port - 20000u) / 2;
            assert_false(out[i]);
            assert_true(!freed[i] || freed[i] + REST_MS <= now);
            out[i] = true;
        } else {
            i = test_random(&rnd) % PAIRS;
            if (!out[i])
                continue;
            out[i] = false;
            freed[i] = now;
            port_pool_give(&p, (uint16_t)(20000 + 2 * i), now);
        }
    }
    port_pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_a_range),
        cmocka_unit_test(a_used_port_rests),
        cmocka_unit_test(how_many_are_left),
        cmocka_unit_test(like_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
