#include "test/support.h"

#include <stdlib.h>

#include "app/media/g711.h"

static void vectors(void **state)
{
    (void)state;
    assert_int_equal(g711_alaw_table[0x55], -8);
    assert_int_equal(g711_alaw_table[0xd5], 8);
    assert_int_equal(g711_alaw_table[0x2a], -32256);
    assert_int_equal(g711_alaw_table[0xaa], 32256);
    assert_int_equal(g711_ulaw_table[0xff], 0);
    assert_int_equal(g711_ulaw_table[0x7f], 0);
    assert_int_equal(g711_ulaw_table[0x00], -32124);
    assert_int_equal(g711_ulaw_table[0x80], 32124);
}

/* Every code comes back; only mu-law has a zero of each sign. */
static void codes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        assert_int_equal(g711_alaw_encode(g711_alaw_table[c]), c);
        if (c != 0x7f)
            assert_int_equal(g711_ulaw_encode(g711_ulaw_table[c]), c);
    }
}

/* No code lies nearer than the chosen one by more than rounding. */
static void samples(void **state)
{
    (void)state;
    for (int s = -32768; s < 32768; s++) {
        int a = abs(g711_alaw_table[g711_alaw_encode((int16_t)s)] - s);
        int u = abs(g711_ulaw_table[g711_ulaw_encode((int16_t)s)] - s);
        int m = abs(s);

        assert_true(a <= (m < 256 ? 8 : m / 32 + 8));
        assert_true(u <= m / 31 + 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(codes),
        cmocka_unit_test(samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
