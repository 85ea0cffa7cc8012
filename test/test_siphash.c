/* test/test_siphash.c - SipHash against the vectors of its authors */
#include "test/support.h"

#include "base/siphash.h"

/* key 00 01 .. 0f; text 00 01 .. n-1 */
static const uint64_t key[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };

static void vectors_of_2_4(void **state)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } cases[] = {
        { 0, 0x726fdb47dd0e0e31u }, { 1, 0x74f839c593dc67fdu },
        { 2, 0x0d6c8009d9a94f5au }, { 3, 0x85676696d7fb7e2du },
        { 7, 0xab0200f58b01d137u }, { 8, 0x93f5f5799a932462u },
        { 15, 0xa129ca6149be45e5u },
    };
    char text[15];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)i;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice g = guarded(slice_of(text, cases[i].n));

        assert_int_equal(siphash(key, g, 2, 4), cases[i].hash);
    }
}

static void vectors_of_2_4_128(void **state)
{
    const char zero = 0;
    uint64_t h[2];

    (void)state;
    siphash_128(key, slice_of(NULL, 0), 2, 4, h);
    assert_int_equal(h[0], 0xe6a825ba047f81a3u);
    assert_int_equal(h[1], 0x930255c71472f66du);
    siphash_128(key, slice_of(&zero, 1), 2, 4, h);
    assert_int_equal(h[0], 0x44af996bd8c187dau);
    assert_int_equal(h[1], 0x45fc229b11597634u);
}

/* 1-3 has the same words and other rounds: every length differs from each
 * other, and from 2-4. */
static void every_length_counts(void **state)
{
    const char zero[64] = { 0 };
    uint64_t seen[sizeof(zero)];

    (void)state;
    for (size_t n = 0; n < sizeof(zero); n++) {
        seen[n] = siphash(key, slice_of(zero, n), 1, 3);
        assert_true(seen[n] != siphash(key, slice_of(zero, n), 2, 4));
        for (size_t i = 0; i < n; i++)
            assert_true(seen[i] != seen[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_2_4),
        cmocka_unit_test(vectors_of_2_4_128),
        cmocka_unit_test(every_length_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
