/* app/media/position: where a recording stands, from the stamps alone. */
#include "test/support.h"

#include "app/media/position.h"

#define LIMIT 600000
#define MS 90ull

static void anything_in_order(void **state)
{
    struct position p;

    (void)state;
    position_init(&p, LIMIT);
    /* 33 ms at 90 kHz is no whole number of ms in 1/30 s steps */
    for (uint64_t i = 0; i <= 3000; i++)
        assert_int_equal(position_next(&p, 12345 + i * 3000, i % 50 == 0),
                         (int64_t)(i * 3000 / 90));
}

static void jumps(void **state)
{
    static const struct {
        const char *name;
        uint64_t from, to;
        int64_t was_ms, is_ms; /* after 1000 ms from `from` on */
    } cases[] = {
        { "33 bits wrap", (1ull << 33) - 500 * MS, 1000 * MS - 500 * MS + 40 * MS,
          1000, 1040 },
        { "a gap of the recording", 0, 61000 * MS, 1000, 61000 },
        { "an hour ahead is no gap of ten minutes", 0, 3600000 * MS, 1000,
          1000 },
        { "begins anew", 7200000 * MS, 0, 1000, 1000 },
        { "a B picture", 0, 960 * MS, 1000, 960 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct position p;
        int64_t at = 0;

        position_init(&p, LIMIT);
        for (unsigned k = 0; k <= 25; k++)
            at = position_next(&p, (cases[i].from + k * 40 * MS) &
                                       ((1ull << 33) - 1), k == 0);
        assert_int_equal(at, cases[i].was_ms);
        at = position_next(&p, cases[i].to, false);
        if (at != cases[i].is_ms)
            fail_msg("%s: %lld", cases[i].name, (long long)at);
        assert_int_equal(position_next(&p, cases[i].to + 40 * MS, false),
                         cases[i].is_ms + 40);
    }
}

static void seeks(void **state)
{
    struct position p;

    (void)state;
    position_init(&p, LIMIT);
    position_next(&p, 0, true);
    position_next(&p, 1000 * MS, false);
    position_seek(&p, 300000);
    /* what was on its way */
    assert_int_equal(position_next(&p, 1040 * MS, false), 1040);
    assert_int_equal(position_next(&p, 1080 * MS, true), 1080);
    /* a picture of the new place that nothing can begin with */
    assert_int_equal(position_next(&p, 299960 * MS, false), 299960);
    position_seek(&p, 300000);
    /* encoders that begin anew with each seek */
    assert_int_equal(position_next(&p, 5 * MS, true), 300000);
    assert_int_equal(position_next(&p, 45 * MS, false), 300040);
    /* backwards */
    position_seek(&p, 0);
    assert_int_equal(position_next(&p, 99000 * MS, true), 0);
    /* refused: a gap of the recording is one again */
    position_seek(&p, 500000);
    position_seek(&p, -1);
    assert_int_equal(position_next(&p, 109000 * MS, true), 10000);
    /* before the first picture: where it begins */
    position_init(&p, LIMIT);
    position_seek(&p, 20000);
    assert_int_equal(position_next(&p, 77 * MS, true), 20000);
}

/* Whatever the stamps, it stays inside the recording. */
static void stays_inside(void **state)
{
    uint64_t rnd = 4711;
    struct position p;

    (void)state;
    position_init(&p, LIMIT);
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t pts = test_random(&rnd) & ((1ull << 33) - 1);
        int64_t at;

        if (test_random(&rnd) % 3)
            pts = p.wire + test_random(&rnd) % (4000 * MS);
        if (test_random(&rnd) % 50 == 0)
            position_seek(&p, (int64_t)(test_random(&rnd) % (LIMIT + 1)));
        at = position_next(&p, pts & ((1ull << 33) - 1),
                           test_random(&rnd) % 10 == 0);
        assert_in_range(at, 0, LIMIT);
    }
}

/* Key frames alone, or groups of pictures that run ahead. */
static void backwards(void **state)
{
    struct position p;

    (void)state;
    position_init(&p, 600000);
    for (uint64_t at = 0; at <= 20000; at += 40)
        position_next(&p, at * 90, at % 2000 == 0);
    position_turn(&p, true);
    for (int64_t at = 18000; at >= 12000; at -= 2000)
        assert_true(position_next(&p, (uint64_t)at * 90, true) == at);
    for (uint64_t at = 10000; at < 12000; at += 40)
        assert_true(position_next(&p, at * 90, at == 10000) == (int64_t)at);
    assert_true(position_next(&p, 8000 * 90, true) == 8000);
    assert_true(position_next(&p, 4000000000, true) == 8000); /* another clock */
    position_turn(&p, false);
    assert_true(position_next(&p, 4000000000 - 2000 * 90, true) == 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_in_order),
        cmocka_unit_test(jumps),
        cmocka_unit_test(backwards),
        cmocka_unit_test(seeks),
        cmocka_unit_test(stays_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
