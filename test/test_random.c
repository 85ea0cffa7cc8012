/* test_random.c - the kernel's random bytes (app/net/random.h) */
#include "test/support.h"

#include "app/net/random.h"

static void all_are_filled(void **state)
{
    uint8_t a[300] = { 0 }, b[300] = { 0 };

    (void)state;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    for (size_t i = 0; i < sizeof(a); i += 20)
        assert_memory_not_equal(a + i, b + i, 20);
}

static void no_more_are_touched(void **state)
{
    uint8_t a[64] = { 0 };
    static const uint8_t none[24];

    (void)state;
    random_bytes(a, 40);
    assert_memory_equal(a + 40, none, sizeof(none));
    random_bytes(a + 40, 0);
    assert_memory_equal(a + 40, none, sizeof(none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_filled),
        cmocka_unit_test(no_more_are_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
