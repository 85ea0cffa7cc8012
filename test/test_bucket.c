#include "test/support.h"

#include "app/platform/bucket.h"

static unsigned take_all(struct bucket *b, uint32_t rate, uint32_t burst,
                         uint64_t now_ms)
{
    unsigned n = 0;

    while (n <= burst && bucket_take(b, rate, burst, now_ms))
        n++;
    return n;
}

/* It begins full, and fills with so many a second, up to the burst. */
static void fills(void **state)
{
    static const struct {
        uint64_t after_ms;
        unsigned tokens;
    } cases[] = {
        { 0, 0 }, { 99, 0 }, { 1, 1 }, { 500, 5 }, { 250, 2 },
        { 50, 1 }, /* with the half one that was left */
        { 3000, 20 }, { 1000000000, 20 },
    };
    struct bucket b = { 0 };
    uint64_t now_ms = 5000;

    (void)state;
    assert_int_equal(take_all(&b, 10, 20, now_ms), 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned n;

        now_ms += cases[i].after_ms;
        n = take_all(&b, 10, 20, now_ms);
        if (n != cases[i].tokens)
            fail_msg("case %zu: %u tokens", i, n);
    }
}

/* A clock may begin at 0; one that has gone back gives a full one. */
static void odd_clocks(void **state)
{
    struct bucket b = { 0 };

    (void)state;
    assert_int_equal(take_all(&b, 1, 3, 0), 3);
    assert_int_equal(take_all(&b, 1, 3, 1), 0);
    assert_int_equal(take_all(&b, 1, 3, 5000), 3);
    assert_int_equal(take_all(&b, 1, 3, 4000), 3);
}

static void no_rate_and_no_burst(void **state)
{
    struct bucket b = { 0 }, none = { 0 };

    (void)state;
    assert_int_equal(take_all(&b, 0, 2, 1), 2);
    assert_int_equal(take_all(&b, 0, 2, 1000000), 0);
    assert_int_equal(take_all(&none, 1000, 0, 1), 0);
    assert_int_equal(take_all(&none, 1000, 0, 1000000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills),
        cmocka_unit_test(odd_clocks),
        cmocka_unit_test(no_rate_and_no_burst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
