#include "test/support.h"

#include "app/media/bits.h"

static void ue_values(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        uint32_t want;
        int err;
    } cases[] = {
        { "0", S("\x80"), 0, 0 },
        { "1", S("\x40"), 1, 0 },
        { "2", S("\x60"), 2, 0 },
        { "3", S("\x20"), 3, 0 },
        { "6", S("\x38"), 6, 0 },
        { "2^16", S("\x00\x00\x80\x00\x80"), 65536, 0 },
        { "31 zeros", S("\x00\x00\x00\x01\x00\x00\x00\x00"), 0x7fffffff, 0 },
        { "32 zeros and none set",
          S("\x00\x00\x03\x00\x00\x80\x00\x00\x03\x00\x00\x00"), UINT32_MAX,
          0 },
        { "32 zeros and one set", S("\x00\x00\x03\x00\x00\x80\x00\x00\x80\x00"),
          0, GB_ERANGE },
        { "33 zeros", S("\x00\x00\x03\x00\x00\x40\x00\x00\x00\x00"), 0,
          GB_ERANGE },
        { "ends in zeros", S("\x00\x00"), 0, GB_EAGAIN },
        { "ends in the value", S("\x01"), 0, GB_EAGAIN },
        { "empty", S(""), 0, GB_EAGAIN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bits b = bits_of(guarded(cases[i].in));
        uint32_t v = bits_ue(&b);

        if (v != cases[i].want || b.err != cases[i].err)
            fail_msg("%s: %u, err %d", cases[i].name, v, b.err);
    }
}

static void se_values(void **state)
{
    static const int32_t want[] = { 0, 1, -1, 2, -2, 3, -3 };
    /* 1 010 011 00100 00101 00110 00111 */
    struct bits b = bits_of((struct slice)S("\xa6\x42\x98\xe0"));

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(bits_se(&b), want[i]);
    assert_int_equal(b.err, 0);
}

static void emulation_prevention(void **state)
{
    static const struct {
        const char *name;
        struct slice in, want;
    } cases[] = {
        { "none", S("\x01\x02\x03"), S("\x01\x02\x03") },
        { "in the middle", S("\x00\x00\x03\x01"), S("\x00\x00\x01") },
        { "twice", S("\x00\x00\x03\x00\x00\x03\x02"), S("\0\0\0\0\x02") },
        { "at the end", S("\x05\x00\x00\x03"), S("\x05\0\0") },
        { "one zero only", S("\x00\x03\x00"), S("\0\x03\0") },
        { "03 behind a removed one", S("\x00\x00\x03\x03"), S("\0\0\x03") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bits b = bits_of(guarded(cases[i].in));

        for (size_t j = 0; j < cases[i].want.n; j++)
            if (bits_u(&b, 8) != (uint8_t)cases[i].want.p[j])
                fail_msg("%s: byte %zu", cases[i].name, j);
        assert_int_equal(b.err, 0);
        bits_u(&b, 1);
        assert_int_equal(b.err, GB_EAGAIN);
    }
}

static void widths(void **state)
{
    struct bits b = bits_of((struct slice)S("\x12\x34\x56\x78\x9a\xbc\xde"));

    (void)state;
    assert_int_equal(bits_u(&b, 0), 0);
    assert_int_equal(bits_u(&b, 4), 1);
    assert_int_equal(bits_u(&b, 32), 0x23456789);
    bits_skip(&b, 3);
    assert_int_equal(bits_u(&b, 9), 0xbc);
}

static void max(void **state)
{
    struct bits b = bits_of((struct slice)S("\x38\x80"));

    (void)state;
    assert_int_equal(bits_ue_max(&b, 5), 0);
    assert_int_equal(b.err, GB_ERANGE);
    assert_int_equal(bits_ue(&b), 0); /* sticky */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ue_values),
        cmocka_unit_test(se_values),
        cmocka_unit_test(emulation_prevention),
        cmocka_unit_test(widths),
        cmocka_unit_test(max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
