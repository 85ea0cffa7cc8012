#include "test/support.h"

#include "app/media/flac.h"
#include "app/media/g711.h"

/* A decoder of just what we write, from RFC 9639, sharing no code with it. */
struct in {
    const uint8_t *p;
    size_t bit, n_bits;
};

static uint32_t get(struct in *b, unsigned n)
{
    uint32_t v = 0;

    assert_true(b->bit + n <= b->n_bits);
    while (n--) {
        v = v << 1 | (uint32_t)(b->p[b->bit / 8] >> (7 - b->bit % 8) & 1);
        b->bit++;
    }
    return v;
}

static uint64_t get_number(struct in *b)
{
    uint32_t c = get(b, 8), more = 0;
    uint64_t v;

    if (c < 0x80)
        return c;
    while (c & (0x40u >> more))
        more++;
    v = c & (0x3fu >> more);
    for (; more; more--) {
        c = get(b, 8);
        assert_int_equal(c >> 6, 2);
        v = v << 6 | (c & 0x3f);
    }
    return v;
}

static unsigned crc_slow(const uint8_t *p, size_t n)
{
    unsigned c = 0;

    for (size_t i = 0; i < 8 * n; i++) {
        unsigned bit = p[i / 8] >> (7 - i % 8) & 1;

        c = ((c << 1) & 0xffff) ^ ((c >> 15 ^ bit) ? 0x8005 : 0);
    }
    return c;
}

static size_t decode(struct slice f, int16_t *out, uint64_t *number,
                     bool *variable, unsigned *type)
{
    struct in b = { (const uint8_t *)f.p, 0, 8 * f.n };
    size_t n, head, i = 0;
    unsigned k;

    assert_int_equal(get(&b, 15), 0x7ffc);
    *variable = get(&b, 1);
    assert_int_equal(get(&b, 16), 0x7408);
    *number = get_number(&b);
    n = get(&b, 16) + 1;
    head = b.bit / 8;
    assert_int_equal(get(&b, 8), flac_crc8(b.p, head));
    *type = get(&b, 8) >> 1;
    if (*type == 1) {
        for (; i < n; i++)
            out[i] = (int16_t)get(&b, 16);
    } else {
        assert_true(*type >= 8 && *type <= 10);
        for (; i < *type - 8; i++)
            out[i] = (int16_t)get(&b, 16);
        assert_int_equal(get(&b, 6), 0);
        k = get(&b, 4);
        for (; i < n; i++) {
            uint32_t z = 0;
            int32_t r, p = 0;

            while (get(&b, 1) == 0)
                z++;
            z = z << k | get(&b, k);
            r = z & 1 ? -(int32_t)(z / 2) - 1 : (int32_t)(z / 2);
            if (*type == 9)
                p = out[i - 1];
            else if (*type == 10)
                p = 2 * out[i - 1] - out[i - 2];
            out[i] = (int16_t)(p + r);
        }
    }
    while (b.bit % 8)
        assert_int_equal(get(&b, 1), 0);
    k = crc_slow(b.p, b.bit / 8);
    assert_int_equal(k, get(&b, 16));
    assert_int_equal(b.bit, b.n_bits);
    return n;
}

static void round_trip(const int16_t *s, size_t n, uint64_t number, bool var,
                       unsigned want_type)
{
    static char buf[FLAC_FRAME_MAX(FLAC_MAX_BLOCK)];
    static int16_t back[FLAC_MAX_BLOCK];
    struct writer w = writer_of(buf, FLAC_FRAME_MAX(n));
    uint64_t got_number;
    bool got_var;
    unsigned type;

    flac_frame_write(&w, s, n, number, var);
    assert_int_equal(w.err, 0);
    assert_int_equal(decode(guarded(writer_slice(&w)), back, &got_number,
                            &got_var, &type), n);
    assert_memory_equal(back, s, n * sizeof(*s));
    assert_true(got_number == number);
    assert_int_equal(got_var, var);
    if (want_type)
        assert_int_equal(type, want_type);
}

static void signals(void **state)
{
    static int16_t s[FLAC_MAX_BLOCK];
    uint64_t seed = 20;

    (void)state;
    for (size_t i = 0; i < COUNT(s); i++)
        s[i] = 8;
    round_trip(s, 800, 0, false, 9); /* silence: nothing but the warm-up */
    for (size_t i = 0; i < COUNT(s); i++)
        s[i] = (int16_t)(i * i / 64 % 3000);
    round_trip(s, 320, 1, true, 10);
    for (size_t i = 0; i < COUNT(s); i++)
        s[i] = (int16_t)test_random(&seed);
    round_trip(s, COUNT(s), 7, true, 1); /* noise: verbatim */
    for (size_t i = 0; i < COUNT(s); i++)
        s[i] = i & 1 ? 32767 : -32768;
    round_trip(s, 500, 7, true, 1);
    for (size_t i = 0; i < COUNT(s); i++)
        s[i] = g711_alaw_table[0xd5 ^ (test_random(&seed) & 0x83)];
    for (size_t n = 1; n < 200; n++)
        round_trip(s, n, n, true, 0);
}

static void numbers(void **state)
{
    static const uint64_t edge[] = { 0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff,
                                     0x10000, 0x1fffff, 0x200000, 0x3ffffff,
                                     0x4000000, 0x7fffffff, 0x80000000,
                                     0xfffffffff };
    static const int16_t s[16] = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(edge); i++)
        round_trip(s, COUNT(s), edge[i], true, 0);
}

static void limits(void **state)
{
    static const int16_t s[16] = { 1, -1, 20000 };
    char buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    size_t whole;

    (void)state;
    flac_frame_write(&w, s, 0, 0, true);
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, sizeof(buf));
    flac_frame_write(&w, s, FLAC_MAX_BLOCK + 1, 0, true);
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, sizeof(buf));
    flac_frame_write(&w, s, 16, 0, true);
    whole = w.len;
    for (size_t cap = 0; cap < whole; cap++) {
        w = writer_of(buf, cap);
        flac_frame_write(&w, s, 16, 0, true);
        assert_int_equal(w.err, GB_ENOMEM);
    }
}

static void checks(void **state)
{
    static const uint8_t nine[] = "123456789";
    char buf[40];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    assert_int_equal(flac_crc8(nine, 9), 0xf4);     /* CRC-8/SMBUS */
    assert_int_equal(flac_crc16(nine, 9), 0xfee8);  /* CRC-16/UMTS */
    flac_streaminfo_write(&w, 800, 800);
    assert_int_equal(w.len, FLAC_STREAMINFO_BYTES);
    assert_memory_equal(buf, "\x03\x20\x03\x20\0\0\0\0\0\0\x01\xf4\x00\xf0\0\0"
                             "\0\0", 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals),
        cmocka_unit_test(numbers),
        cmocka_unit_test(limits),
        cmocka_unit_test(checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
