#include "test/support.h"

#include "app/media/aac.h"

/* LC, 16 kHz, mono; 3 bytes of payload, no CRC / 2 bytes behind a CRC */
#define ADTS "\xff\xf1\x60\x40\x01\x5f\xfc"
#define ADTS_CRC "\xff\xf0\x60\x40\x01\x7f\xfc\x12\x34"

static void adts(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        size_t raw, whole;
    } cases[] = {
        { "plain", S(ADTS "abc"), 0, 3, 10 },
        { "more behind", S(ADTS "abc\xff\xf1"), 0, 3, 10 },
        { "with CRC", S(ADTS_CRC "de"), 0, 2, 11 },
        { "not there", S("abcdefgh"), GB_ESYNTAX, 0, 0 },
        { "layer is not 0", S("\xff\xf3\x60\x40\x01\x5f\xfc"), GB_ESYNTAX, 0,
          0 },
        { "reserved rate", S("\xff\xf1\x74\x40\x01\x5f\xfc" "abc"),
          GB_ESYNTAX, 0, 0 },
        { "shorter than its header", S("\xff\xf1\x60\x40\x00\xdf\xfc" "abc"),
          GB_ESYNTAX, 0, 0 },
        { "empty", S(""), GB_EAGAIN, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct aac_config c;
        struct aac_frame f = { { 0 }, 0 };
        int err = aac_adts_parse(&c, &f, guarded(cases[i].in));

        if (err != cases[i].err || f.raw.n != cases[i].raw ||
            f.whole != cases[i].whole)
            fail_msg("%s: %s %zu %zu", cases[i].name, gb_strerror(err),
                     f.raw.n, f.whole);
        if (!err) {
            assert_int_equal(c.object_type, 2);
            assert_int_equal(aac_rate(c.freq_index), 16000);
            assert_int_equal(c.channels, 1);
        }
    }
    for (size_t n = 0; n < 10; n++) {
        struct aac_config c;
        struct aac_frame f;

        assert_int_equal(
            aac_adts_parse(&c, &f, guarded(slice_of(ADTS "abc", n))),
            GB_EAGAIN);
    }
}

static void count_raw(void *ctx, struct slice raw)
{
    size_t *sum = ctx;

    *sum = *sum * 100 + raw.n;
}

static void au_headers(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t sizes; /* two decimal digits a frame; 0: refused */
    } cases[] = {
        { "one", S("\x00\x10\x00\x18" "abc"), 3 },
        { "two", S("\x00\x20\x00\x18\x00\x10" "abcde"), 302 },
        { "one byte more", S("\x00\x10\x00\x18" "abcd"), 0 },
        { "one byte less", S("\x00\x10\x00\x18" "ab"), 0 },
        { "not a multiple of 16", S("\x00\x11\x00\x18" "abc"), 0 },
        { "no header", S("\x00\x00\x00\x18" "abc"), 0 },
        { "an empty frame", S("\x00\x20\x00\x18\x00\x00" "abc"), 0 },
        { "ADTS", S(ADTS "abc"), 0 },
        { "short", S("\x00\x10\x00\x18"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t sizes = 0;
        bool ok = aac_au_headers(guarded(cases[i].in), count_raw, &sizes);

        if (sizes != cases[i].sizes || ok != (cases[i].sizes != 0))
            fail_msg("%s: %zu", cases[i].name, sizes);
    }
}

/* LOAS: its configuration, and its frames at whole bytes. */
static void loas(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t raw;
        uint8_t object_type, freq_index;
    } cases[] = {
        { "plain", S("\x56\xe0\x0a\x20\x00\x14\x08\x1f\xe0\x1b\x0b\x13\x18"), 3, 2, 8 },
        { "SBR over LC", S("\x56\xe0\x0b\x20\x00\x2c\x0a\x88\x0f\xf0\x0d\x85\x89\x8c"), 3, 2, 8 },
        { "with CRC", S("\x56\xe0\x0b\x20\x00\x14\x08\x1f\xed\x50\x1b\x0b\x13\x18"), 3, 2, 8 },
        { "version 1", S("\x56\xe0\x0a\x60\x00\x14\x08\x1f\xe0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "two frames", S("\x56\xe0\x0a\x20\x80\x14\x08\x1f\xe0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "two programs", S("\x56\xe0\x0a\x20\x08\x14\x08\x1f\xe0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "960 samples", S("\x56\xe0\x0a\x20\x00\x14\x0c\x1f\xe0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "reserved rate", S("\x56\xe0\x0a\x20\x00\x16\x88\x1f\xe0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "other data", S("\x56\xe0\x0a\x20\x00\x14\x08\x1f\xf0\x1b\x0b\x13\x18"), 0, 0, 0 },
        { "no configuration yet", S("\x56\xe0\x05\x81\xb0\xb1\x31\x80"), 0, 0, 0 },
        { "longer than its frame", S("\x56\xe0\x09\x20\x00\x14\x08\x1f\xe0\x1b\x0b\x13"), 0, 2, 8 },
    };
    static const char next[] = "\x56\xe0\x04\x81\x32\x32\x80";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct aac_config c = { 0 };
        struct aac_frame f = { { 0 }, 0 };
        uint8_t buf[32];
        size_t n = cases[i].in.n;

        for (size_t cut = 0; cut < n; cut++) {
            memcpy(buf, cases[i].in.p, cut);
            assert_int_equal(aac_loas_parse(&c, &f, buf, cut), GB_EAGAIN);
        }
        memcpy(buf, cases[i].in.p, n);
        assert_int_equal(aac_loas_parse(&c, &f, buf, n), 0);
        if (f.whole != n || f.raw.n != cases[i].raw ||
            c.object_type != cases[i].object_type ||
            c.freq_index != cases[i].freq_index)
            fail_msg("%s: %zu of %zu, %u %u", cases[i].name, f.raw.n, f.whole,
                     c.object_type, c.freq_index);
        assert_memory_equal(f.raw.n ? f.raw.p : "abc", "abc", 3);
        memcpy(buf, next, sizeof(next) - 1);
        assert_int_equal(aac_loas_parse(&c, &f, buf, sizeof(next) - 1), 0);
        assert_int_equal(f.raw.n, c.channels ? 2 : 0);
        assert_memory_equal(c.channels ? f.raw.p : "de", "de", 2);
    }
    assert_int_equal(aac_loas_parse(NULL, NULL, (uint8_t[]){ 0x56, 0x10 }, 2),
                     GB_ESYNTAX);
}

static void asc(void **state)
{
    struct aac_config c = { 2, 8, 1 };
    char buf[4];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    aac_asc_write(&w, &c);
    assert_int_equal(w.len, AAC_ASC_BYTES);
    assert_memory_equal(buf, "\x14\x08", 2);
    assert_int_equal(aac_freq_index(16000), 8);
    assert_int_equal(aac_freq_index(16001), -1);
    assert_int_equal(aac_rate(13), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adts),
        cmocka_unit_test(au_headers),
        cmocka_unit_test(loas),
        cmocka_unit_test(asc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
