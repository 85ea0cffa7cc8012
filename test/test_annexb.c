#include "ps/annexb.h"

#include "test/support.h"

#include <stdlib.h>

static size_t model(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++)
        if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1)
            return i;
    return n;
}

/* Every implementation, at every length and place around its block sizes,
 * flush against an unreadable page. */
static void scan_everywhere(void **state)
{
    static char text[300];

    (void)state;
    for (const struct ps_scan *s = ps_scan_list(); s->name; s++) {
        for (size_t n = 0; n < sizeof(text); n++) {
            struct slice g;

            memset(text, 0x55, sizeof(text));
            g = guarded(slice_of(text, n));
            if (s->fn((const uint8_t *)g.p, n) != n)
                fail_msg("%s: found in %zu bytes", s->name, n);
            if (n < 3)
                continue;
            for (size_t at = 0; at + 3 <= n; at++) {
                char *p = (char *)(uintptr_t)g.p;

                memcpy(p + at, "\0\0\1", 3);
                if (s->fn((const uint8_t *)g.p, n) != at)
                    fail_msg("%s: %zu of %zu", s->name, at, n);
                memcpy(p + at, "\x55\x55\x55", 3);
            }
        }
    }
}

/* Streams of few different bytes, so that near misses are many. */
static void scan_like_the_model(void **state)
{
    uint64_t seed = 42;
    static char text[700];

    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = test_random(&seed) % sizeof(text);
        unsigned kinds = 2 + (unsigned)(test_random(&seed) % 40);
        struct slice g;

        for (size_t i = 0; i < n; i++) {
            unsigned c = (unsigned)(test_random(&seed) % kinds);

            text[i] = (char)(c < 4 ? c : c * 7);
        }
        g = guarded(slice_of(text, n));
        for (const struct ps_scan *s = ps_scan_list(); s->name; s++)
            for (size_t from = 0; from < n && from < 70; from += 7)
                if (s->fn((const uint8_t *)g.p + from, n - from) !=
                    model((const uint8_t *)g.p + from, n - from))
                    fail_msg("%s: round %d from %zu", s->name, round, from);
    }
    assert_true(ps_scan_best() == ps_scan_list()->fn);
}

static void units(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t n;
        struct slice want[3];
    } cases[] = {
        { "both start codes, trailing zeros",
          S("\0\0\1\x67\x11\0\0\0\0\1\x68\x22\0\0\1\x65\x33\0\0"), 3,
          { S("\x67\x11"), S("\x68\x22"), S("\x65\x33") } },
        { "bytes in front", S("\x11\x22\0\0\1\x65"), 1, { S("\x65") } },
        { "empty units", S("\0\0\1\0\0\1\x65\0\0\1"), 1, { S("\x65") } },
        { "emulation prevention", S("\0\0\1\x65\0\0\3\1"), 1,
          { S("\x65\0\0\3\1") } },
        { "none", S("\x65\x66\x67\0\0"), 0, { S("") } },
        { "nothing", S(""), 0, { S("") } },
        { "start code alone", S("\0\0\1"), 0, { S("") } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = guarded(cases[i].in), nal;
        size_t n = 0;

        while (ps_annexb_next(&rest, &nal)) {
            if (n >= cases[i].n || !slice_eq(nal, cases[i].want[n]))
                fail_msg("%s: unit %zu of %zu bytes", cases[i].name, n,
                         nal.n);
            n++;
        }
        if (n != cases[i].n || rest.n)
            fail_msg("%s: %zu units", cases[i].name, n);
    }
}

static bool in(const char *list, unsigned v)
{
    for (; *list; list++)
        if ((unsigned char)*list == v)
            return true;
    return false;
}

static void h264_rules(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 32; type++) {
        const uint8_t first[3] = { (uint8_t)(0x60 | type), 0x80, 0 };
        const uint8_t later[3] = { (uint8_t)(0x60 | type), 0x7f, 0xff };

        assert_int_equal(ps_nal_type(PS_CODEC_H264, first[0]), type);
        assert_int_equal(ps_nal_is_vcl(PS_CODEC_H264, (uint8_t)type),
                         type >= 1 && type <= 5);
        assert_int_equal(ps_nal_is_irap(PS_CODEC_H264, (uint8_t)type),
                         type == 5);
        assert_int_equal(ps_nal_begins_au(PS_CODEC_H264, first, 3),
                         in("\1\2\5\6\7\x08\x09\x0e\x0f\x10\x11\x12", type));
        assert_int_equal(ps_nal_begins_au(PS_CODEC_H264, later, 3),
                         in("\6\7\x08\x09\x0e\x0f\x10\x11\x12", type));
        assert_false(ps_nal_is_first_slice(PS_CODEC_H264, first, 1));
    }
    assert_false(ps_nal_begins_au(PS_CODEC_H264, NULL, 0));
}

static void h265_rules(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 64; type++) {
        const uint8_t first[3] = { (uint8_t)(type << 1), 1, 0x80 };
        const uint8_t later[3] = { (uint8_t)(type << 1), 1, 0x7f };
        bool other = (type >= 32 && type <= 35) || type == 39 ||
                     (type >= 41 && type <= 44) || (type >= 48 && type <= 55);

        assert_int_equal(ps_nal_type(PS_CODEC_H265, first[0]), type);
        assert_int_equal(ps_nal_is_vcl(PS_CODEC_H265, (uint8_t)type),
                         type < 32);
        assert_int_equal(ps_nal_is_irap(PS_CODEC_H265, (uint8_t)type),
                         type >= 16 && type <= 23);
        assert_int_equal(ps_nal_begins_au(PS_CODEC_H265, first, 3),
                         other || type < 32);
        assert_int_equal(ps_nal_begins_au(PS_CODEC_H265, later, 3), other);
        assert_false(ps_nal_is_first_slice(PS_CODEC_H265, first, 2));
    }
}

static void evidence(void **state)
{
    static const struct {
        struct slice in;
        unsigned want;
    } cases[] = {
        { S("\x67\x42"), PS_SEEN_H264_SPS }, { S("\x27\x64"), 1 },
        { S("\x47\x64"), 1 },                { S("\x68\xce"), 2 },
        { S("\x28\xee"), 2 },                { S("\x48\x80"), 2 },
        { S("\x28\1"), 0 }, /* H.265 IDR */  { S("\x68\x40"), 0 },
        { S("\x40\1"), PS_SEEN_H265_VPS },   { S("\x42\1"), 8 },
        { S("\x44\1"), 16 },                 { S("\x41\x9a"), 0 },
        { S("\x40\2"), 0 },                  { S("\x65\x88"), 0 },
        { S("\x67"), 0 },                    { S("\x26\1"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice g = guarded(cases[i].in);

        if (ps_nal_evidence((const uint8_t *)g.p, g.n) != cases[i].want)
            fail_msg("case %zu", i);
    }
}

static void exp_golomb(void **state)
{
    /* 1 | 010 | 011 | 00100 | 0001000, then 03 taken out behind 00 00 */
    const uint8_t in[] = { 0xa6, 0x41, 0x00 };
    const uint8_t escaped[] = { 0x00, 0x00, 0x03, 0x80 };
    const uint8_t zeros[] = { 0, 0, 3, 0, 0, 3, 0, 0, 3, 0xff };
    struct ps_bits b = ps_bits_of(in, sizeof(in));

    (void)state;
    for (uint32_t want = 0; want < 4; want++)
        assert_int_equal(ps_bits_ue(&b), want);
    assert_int_equal(ps_bits_ue(&b), 7);
    assert_false(b.err);
    b = ps_bits_of(escaped, sizeof(escaped));
    assert_int_equal(ps_bits_u(&b, 17), 1);
    assert_false(b.err);
    ps_bits_u(&b, 8);
    assert_true(b.err);
    b = ps_bits_of(zeros, sizeof(zeros));
    assert_int_equal(ps_bits_ue(&b), 0); /* longer than 32 bits */
    assert_true(b.err);
}

static void sps_of_h264(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool ok, frame_mbs_only;
        uint8_t frame_num_bits;
    } cases[] = {
        { "64x48", S("\x67\x42\xc0\x0a\xd9\4\x7b\1\x10\0\0\3\0\x10\0\0\3\3"
                     "\x20\xf1\x22\x64\x80"), true, true, 4 },
        { "720p", S("\x67\x4d\x40\x1f\xd9\0\x50\5\xbb\1\x10\0\0\3\0\x10\0\0"
                    "\3\3\x20\xf1\x83\x24\x80"), true, true, 4 },
        { "1440x1080", S("\x67\x64\0\x28\xac\xd9\x40\x5a\2\x27\xe5\xc0\x44\0"
                         "\0\x0f\xa4\0\3\xa9\x80\x3c\x60\xc6\x58"), true,
          true, 4 },
        { "fields", S("\x67\x64\0\x0d\xac\xe9\x92"), true, false, 4 },
        { "cut", S("\x67\x64\0\x0d\xac"), false, false, 0 },
        { "frame_num of 2^32 bits", S("\x67\x42\0\0\x80\0\0\0\xff\xff\xff"
                                     "\xff\x77\x80"), false, false, 0 },
        { "garbage", S("\x67\x64\0\0\0\0\0\0\0\0\0"), false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice g = guarded(cases[i].in);
        struct ps_h264_sps sps = { 0 };
        bool ok = ps_h264_sps_parse(&sps, (const uint8_t *)g.p, g.n);

        if (ok != cases[i].ok ||
            (ok && (sps.frame_mbs_only != cases[i].frame_mbs_only ||
                    sps.frame_num_bits != cases[i].frame_num_bits)))
            fail_msg("%s: %d, %u bits", cases[i].name, ok,
                     sps.frame_num_bits);
        for (size_t n = 0; n < 4; n++)
            assert_false(ps_h264_sps_parse(&sps, (const uint8_t *)g.p, n));
    }
}

/* A NAL unit out of bits; what is no bit is for the eye. The bit behind the last
 * one is set. */
static struct slice unit_of(char *room, const char *bits)
{
    size_t n = 0;

    for (; *bits; bits++) {
        if (*bits != '0' && *bits != '1')
            continue;
        if (n % 8 == 0)
            room[n / 8] = 0;
        room[n / 8] = (char)(room[n / 8] | (*bits - '0') << (7 - n % 8));
        n++;
    }
    if (n % 8 == 0)
        room[n / 8] = 0;
    room[n / 8] = (char)(room[n / 8] | 0x80 >> n % 8);
    return slice_of(room, n / 8 + 1);
}

#define ONES_16 "1111111111111111 "
#define HIGH_444 "01100111 11110100 0000000000101000 1 "

/* What stands before log2_max_frame_num is read over: matrices of every form,
 * and behind it the offsets of an order of pictures. */
static void sps_with_matrices(void **state)
{
    static const struct {
        const char *name, *bits;
        bool separate_planes, frame_mbs_only;
        uint8_t frame_num_bits;
    } cases[] = {
        { "twelve matrices, separate planes, order of type 1",
          HIGH_444 "00100 1 1 1 0 1 "     /* chroma, planes, depths, present */
          "1 000010001 "                  /* delta -8: the default one */
          "1 " ONES_16                    /* all deltas 0 */
          "1 010 011 11111111111111 "     /* +1, -1 */
          "0 0 0 1 " ONES_16 ONES_16 ONES_16 ONES_16 "0 0 0 0 0 "
          "00100 010 0 1 1 011 1 010 "    /* 7 bits; two offsets */
          "1 0 1 1 0", true, false, 7 },
        { "eight matrices",
          HIGH_444 "010 1 1 0 1 0 0 0 0 0 1 " ONES_16 "0 1 1 000010001 "
          "011 011 1 0 1 1 1", false, true, 6 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char room[64];
        struct slice g = guarded(unit_of(room, cases[i].bits));
        struct ps_h264_sps sps = { 0 };

        assert_true(ps_h264_sps_parse(&sps, (const uint8_t *)g.p, g.n));
        if (sps.separate_planes != cases[i].separate_planes ||
            sps.frame_mbs_only != cases[i].frame_mbs_only ||
            sps.frame_num_bits != cases[i].frame_num_bits)
            fail_msg("%s: %u bits", cases[i].name, sps.frame_num_bits);
        for (size_t n = 0; n + 1 < g.n; n++)
            assert_false(ps_h264_sps_parse(&sps, (const uint8_t *)g.p, n));
    }
}

/* Of separate planes a slice says its plane before frame_num. */
static void slice_of_a_plane(void **state)
{
    static const struct ps_h264_sps sps = { .frame_num_bits = 7,
                                            .separate_planes = true };
    char room[16];
    struct slice g = guarded(
        unit_of(room, "01100101 1 0001000 1 10 1010101 1 1"));
    struct ps_h264_slice s;

    (void)state;
    assert_true(ps_h264_slice_parse(&s, (const uint8_t *)g.p, g.n, &sps));
    assert_int_equal(s.frame_num, 0x55);
    assert_true(s.field);
    assert_true(s.bottom);
}

static void slices_and_sei(void **state)
{
    static const struct {
        struct slice in;
        bool ok;
        uint32_t first_mb, type;
    } cases[] = {
        { S("\x65\x88"), true, 0, 7 },
        { S("\x41\x9a"), true, 0, 5 },
        { S("\x41\xb8"), true, 0, 2 },
        { S("\x41\x46"), true, 1, 0 }, /* 010 00110: type 5 */
        { S("\x41\0\0\0\0\0\0"), false, 0, 0 },
        { S("\x41"), false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice g = guarded(cases[i].in);
        struct ps_h264_slice s = { 0 };
        bool ok = ps_h264_slice_parse(&s, (const uint8_t *)g.p, g.n, NULL);

        if (i == 3)
            s.type = s.type == 5 ? 0 : 99;
        if (ok != cases[i].ok || s.first_mb != cases[i].first_mb ||
            s.type != cases[i].type)
            fail_msg("slice %zu: mb %u type %u", i, s.first_mb, s.type);
    }
    assert_true(ps_h264_sei_has_recovery((const uint8_t *)"\6\6\1\xc4\x80",
                                         5));
    assert_true(ps_h264_sei_has_recovery(
        (const uint8_t *)"\6\5\2\xaa\xbb\6\1\xc4\x80", 9));
    assert_false(ps_h264_sei_has_recovery(
        (const uint8_t *)"\6\5\4\xaa\xbb\6\1\x80", 8));
    assert_false(ps_h264_sei_has_recovery((const uint8_t *)"\6\xff\xff", 3));
    assert_false(ps_h264_sei_has_recovery((const uint8_t *)"\6", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_everywhere),
        cmocka_unit_test(scan_like_the_model),
        cmocka_unit_test(units),
        cmocka_unit_test(h264_rules),
        cmocka_unit_test(h265_rules),
        cmocka_unit_test(evidence),
        cmocka_unit_test(exp_golomb),
        cmocka_unit_test(sps_of_h264),
        cmocka_unit_test(sps_with_matrices),
        cmocka_unit_test(slice_of_a_plane),
        cmocka_unit_test(slices_and_sei),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
