#include "ps/pes.h"

#include "ps/mux.h"
#include "test/support.h"

static const uint8_t *u8(struct slice s)
{
    return (const uint8_t *)s.p;
}

static void crc(void **state)
{
    struct slice map = SLICE("\0\0\1\xbc\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0"
                             "\x90\xc0\0\0");

    (void)state;
    assert_int_equal(ps_crc32("123456789", 9), 0x0376e6e7);
    assert_int_equal(ps_crc32(map.p, map.n), 0xb9287f16);
    assert_int_equal(ps_crc32("", 0), 0xffffffff);
}

static void time_fields(void **state)
{
    static const struct {
        struct slice in;
        uint64_t want;
    } cases[] = {
        { S("\x25\x8a\x6d\x81\x35"), 2728083610 },
        { S("\x21\x00\x05\xbf\x21"), 90000 },
        { S("\x2f\xff\xff\xff\xff"), 0x1ffffffff },
        { S("\x11\x00\x05\xa3\x01"), 86400 },
        { S("\x20\x00\x04\xbe\x20"), 89872 }, /* marker bits are not asked */
        { S("\x37\x4f\xfd\x4c\x85"), 3556714050 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(ps_time_decode(u8(guarded(cases[i].in))),
                         cases[i].want);
}

static void packs(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        struct ps_pack want;
    } cases[] = {
        { "reference", S("\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8"), 0,
          { 86400, 0, 6106, 14, false } },
        { "zero", S("\0\0\1\xba\x44\0\4\0\4\1\0\x5f\x6b\xf8"), 0,
          { 0, 0, 6106, 14, false } },
        { "stuffing with data",
          S("\0\0\1\xba\x56\x29\xb6\4\xd4\1\x09\xc3\x47\xfe\xff\xff\1\x78\x46"
            "\xc7"), 0, { 2728083610, 0, 159953, 20, false } },
        { "extension 384",
          S("\0\0\1\xba\x44\0\x16\x8c\7\1\0\x5f\x6b\xf8"), 0,
          { 86400, 384, 6106, 14, false } },
        { "no marker bits", S("\0\0\1\xba\x40\0\x10\x8c\0\0\0\x5f\x68\0"), 0,
          { 70016, 0, 6106, 14, false } },
        { "MPEG-1", S("\0\0\1\xba\x21\0\5\xbf\x21\x80\x2f\xb5"), 0,
          { 90000, 0, 6106, 12, true } },
        { "bare", S("\0\0\1\xba\0\0\1"), 0, { 0, 0, 0, 4, false } },
        { "bare, but no prefix", S("\0\0\1\xba\0\0\2"), GB_ESYNTAX, { 0 } },
        { "neither form", S("\0\0\1\xba\x80\0\1\0\0\0\0\0\0\0"), GB_ESYNTAX,
          { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ps_pack got = { 0 };
        size_t need = 0;
        int err = ps_pack_decode(&got, u8(guarded(cases[i].in)),
                                 cases[i].in.n, &need);

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        if (err)
            continue;
        if (got.scr90k != cases[i].want.scr90k ||
            got.ext != cases[i].want.ext || got.rate != cases[i].want.rate ||
            got.size != cases[i].want.size ||
            got.mpeg1 != cases[i].want.mpeg1)
            fail_msg("%s: scr %llu ext %u rate %u size %u", cases[i].name,
                     (unsigned long long)got.scr90k, got.ext, got.rate,
                     got.size);
        for (size_t n = 4; n < cases[i].in.n; n++) {
            struct slice cut = guarded(slice_head(cases[i].in, n));

            if (ps_pack_decode(&got, u8(cut), n, &need) != GB_EAGAIN ||
                need <= n || need > cases[i].in.n)
                fail_msg("%s: %zu bytes, needs %zu", cases[i].name, n, need);
        }
    }
}

static void pes_headers(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        struct ps_pes want;
    } cases[] = {
        { "PTS", S("\0\0\1\xe0\0\x43\x84\x80\5\x21\0\5\xbf\x21"), 0,
          { 0x43, 14, 0, true, false, 90000, 0 } },
        { "PTS and DTS",
          S("\0\0\1\xe0\0\x43\x84\xc0\x0a\x31\0\5\xbf\x21\x11\0\5\xa3\1"), 0,
          { 0x43, 19, 0, true, true, 90000, 86400 } },
        { "no times", S("\0\0\1\xe0\0\x03\x80\0\0"), 0, { 3, 9, 0, false, false, 0, 0 } },
        { "stuffing of Hikvision",
          S("\0\0\1\xe0\0\x2a\x8c\x80\x0a\x25\x8a\x6d\x81\x35\xff\xff\xff\xff"
            "\xfc"), 0, { 0x2a, 19, 0, true, false, 2728083610, 0 } },
        { "flags without room", S("\0\0\1\xe0\0\x43\x84\x80\4\1\2\3\4"), 0,
          { 0x43, 13, 0, false, false, 0, 0 } },
        { "DTS without room", S("\0\0\1\xe0\0\x43\x84\xc0\6\x21\0\5\xbf\x21"
                                "\xff"), 0,
          { 0x43, 15, 0, true, false, 90000, 0 } },
        { "forbidden flags 01", S("\0\0\1\xe0\0\x43\x84\x40\5\x21\0\5\xbf"
                                  "\x21"), 0, { 0x43, 14, 0, false, false, 0, 0 } },
        { "scrambled", S("\0\0\1\xe0\0\x43\xb4\0\0"), 0, { 0x43, 9, 3, false, false, 0, 0 } },
        { "unbounded", S("\0\0\1\xe0\0\0\x80\0\0"), 0, { 0, 9, 0, false, false, 0, 0 } },
        { "header longer than the PES", S("\0\0\1\xe0\0\x07\x80\x80\5"),
          GB_ESYNTAX, { 0 } },
        { "MPEG-1 PTS and DTS",
          S("\0\0\1\xc0\0\xaa\x37\x4f\xfd\x4c\x85\x17\x4f\xfd\x4c\x85"), 0,
          { 0xaa, 16, 0, true, true, 3556714050, 3556714050 } },
        { "MPEG-1, stuffing, buffer, PTS",
          S("\0\0\1\xe0\0\x43\xff\xff\x60\x20\x21\0\5\xbf\x21"), 0,
          { 0x43, 15, 0, true, false, 90000, 0 } },
        { "MPEG-1 without times", S("\0\0\1\xe0\0\x43\x0f"), 0,
          { 0x43, 7, 0, false, false, 0, 0 } },
        { "MPEG-1, a marker bit is 0",
          S("\0\0\1\xe0\0\x43\x21\0\4\xbf\x21"), GB_ESYNTAX, { 0 } },
        { "MPEG-1, 17 stuffing bytes",
          S("\0\0\1\xe0\0\x43\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
            "\xff\xff\xff\xff\xff"), GB_ESYNTAX, { 0 } },
        { "MPEG-1 longer than the PES", S("\0\0\1\xe0\0\x04\x21\0\5\xbf\x21"),
          GB_ESYNTAX, { 0 } },
        { "neither", S("\0\0\1\xe0\0\x43\x04"), GB_ESYNTAX, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct ps_pes *w = &cases[i].want;
        struct ps_pes got = { 0 };
        size_t need = 0;
        int err = ps_pes_decode(&got, u8(guarded(cases[i].in)),
                                cases[i].in.n, &need);

        if (err != cases[i].err ||
            (!err &&
             (got.length != w->length || got.size != w->size ||
              got.scrambling != w->scrambling || got.has_pts != w->has_pts ||
              got.has_dts != w->has_dts || got.pts90k != w->pts90k ||
              got.dts90k != w->dts90k)))
            fail_msg("%s: %s, size %u", cases[i].name, gb_strerror(err),
                     got.size);
        for (size_t n = 4; n < cases[i].in.n; n++) {
            struct slice cut = guarded(slice_head(cases[i].in, n));

            if (ps_pes_decode(&got, u8(cut), n, &need) != GB_EAGAIN ||
                need <= n || need > cases[i].in.n)
                fail_msg("%s: %zu bytes, needs %zu", cases[i].name, n, need);
        }
    }
}

static void maps(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        size_t n;
        uint8_t pair[4]; /* type, id, type, id */
        bool encrypted;
    } cases[] = {
        { "reference", S("\0\0\1\xbc\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x90"
                         "\xc0\0\0\xb9\x28\x7f\x16"), 0, 2,
          { 0x1b, 0xe0, 0x90, 0xc0 }, false },
        { "short map length", S("\0\0\1\xbc\0\x18\xe1\xff\0\0\0\x08\x1b\xe0\0"
                                "\6\x0a\4eng\0\x90\xc0\0\0\x2e\xb9\x0f\x3d"),
          0, 2, { 0x1b, 0xe0, 0x90, 0xc0 }, false },
        { "map length beyond the end",
          S("\0\0\1\xbc\0\x0e\xe1\xff\0\0\xff\xff\x1b\xe0\0\0\1\2\3\4"), 0, 1,
          { 0x1b, 0xe0 }, false },
        { "entry that does not fit",
          S("\0\0\1\xbc\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x90\xc0\0\1\1\2\3"
            "\4"), 0, 1, { 0x1b, 0xe0 }, false },
        { "encrypted program",
          S("\0\0\1\xbc\0\x11\xe1\xff\0\3\x80\1\0\0\4\x1b\xe0\0\0\1\2\3\4"),
          0, 1, { 0x1b, 0xe0 }, true },
        { "encrypted stream",
          S("\0\0\1\xbc\0\x10\xe1\xff\0\0\0\4\x1b\xe0\0\2\x80\0\1\2\3\4"), 0,
          1, { 0x1b, 0xe0 }, true },
        { "empty", S("\0\0\1\xbc\0\x0a\xe1\xff\0\0\0\0\1\2\3\4"), 0, 0, { 0 },
          false },
        { "too short", S("\0\0\1\xbc\0\x09"), GB_ESYNTAX, 0, { 0 }, false },
        { "too long", S("\0\0\1\xbc\3\xfb"), GB_ESYNTAX, 0, { 0 }, false },
        { "info beyond the end",
          S("\0\0\1\xbc\0\x0a\xe1\xff\0\1\0\0\1\2\3\4"), GB_ESYNTAX, 0, { 0 },
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ps_map got = { 0 };
        size_t need = 0;
        int err = ps_map_decode(&got, u8(guarded(cases[i].in)),
                                cases[i].in.n, &need);

        if (err != cases[i].err || got.n != cases[i].n)
            fail_msg("%s: %s, %zu entries", cases[i].name, gb_strerror(err),
                     got.n);
        for (size_t k = 0; k < got.n; k++)
            if (got.entry[k].type != cases[i].pair[2 * k] ||
                got.entry[k].id != cases[i].pair[2 * k + 1] ||
                got.entry[k].encrypted != cases[i].encrypted)
                fail_msg("%s: entry %zu", cases[i].name, k);
        if (!err)
            assert_int_equal(got.size, cases[i].in.n);
        for (size_t n = 4; n < cases[i].in.n; n++) {
            struct slice cut = guarded(slice_head(cases[i].in, n));

            if (ps_map_decode(&got, u8(cut), n, &need) != GB_EAGAIN ||
                need <= n || need > cases[i].in.n)
                fail_msg("%s: %zu bytes, needs %zu", cases[i].name, n, need);
        }
    }
}

/* Real key frame head of a Hikvision camera. */
static void hikvision_map(void **state)
{
    static const struct slice in = S(
        "\0\0\1\xbc\0\x5e\xe0\xff\0\x24"
        "\x40\x0eHK\1\0\x16\x9f\x21\xb6\x6b\x77\0\xff\xff\xff"
        "\x41\x12HK1234567890123456"
        "\0\x30"
        "\x1b\xe0\0\x1c\x42\x0e\7\x10\x10\xea\x0a\0\5\xa0\x11\x30\0\0\x1c\x21"
        "\x2a\x0a\1\2\3\4\5\6\7\x08\x09\x0a"
        "\x0f\xc0\0\x0c\x43\x0a\0\x90\xfe\2\xb1\x13\1\xf4\3\xff"
        "\x51\x2b\xe5\x9b");
    struct ps_map got;
    size_t need;

    (void)state;
    assert_int_equal(ps_map_decode(&got, u8(in), in.n, &need), 0);
    assert_int_equal(got.size, in.n);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.entry[0].type, 0x1b);
    assert_int_equal(got.entry[1].type, 0x0f);
    assert_int_equal(got.entry[1].id, 0xc0);
    assert_false(got.entry[0].encrypted || got.entry[1].encrypted);
}

static void expect_bytes(const char *name, const struct writer *w,
                         struct slice want)
{
    if (w->err || !slice_eq(writer_slice(w), want))
        fail_msg("%s: %zu bytes, %s", name, w->len, gb_strerror(w->err));
}

static void written_headers(void **state)
{
    char buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    uint64_t pts = 90000;

    (void)state;
    ps_pack_encode(&w, 86400, 6106);
    expect_bytes("pack", &w, SLICE("\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b"
                                   "\xf8"));
    w.len = 0;
    ps_pack_encode(&w, 0, 20000);
    expect_bytes("pack", &w, SLICE("\0\0\1\xba\x44\0\4\0\4\1\1\x38\x83"
                                   "\xf8"));
    w.len = 0;
    ps_system_encode(&w, true, true);
    expect_bytes("system", &w, SLICE("\0\0\1\xbb\0\x0c\x80\xcc\xf5\4\xe1\x7f"
                                     "\xe0\xe1\x90\xc0\xc0\x20"));
    w.len = 0;
    ps_system_encode(&w, true, false);
    expect_bytes("video only", &w, SLICE("\0\0\1\xbb\0\x09\x80\xcc\xf5\0\xe1"
                                         "\x7f\xe0\xe1\x90"));
    w.len = 0;
    ps_pes_encode(&w, 0xe0, 59, true, &pts);
    expect_bytes("PES", &w, SLICE("\0\0\1\xe0\0\x43\x84\x80\5\x21\0\5\xbf"
                                  "\x21"));
    w.len = 0;
    ps_pes_encode(&w, 0xc0, 16, false, NULL);
    expect_bytes("PES", &w, SLICE("\0\0\1\xc0\0\x13\x80\0\0"));
    ps_pes_encode(&w, 0xc0, 65533, false, NULL);
    assert_int_equal(w.err, GB_ERANGE);
}

static void written_maps(void **state)
{
    static const struct {
        uint8_t video, audio;
        struct slice want;
    } cases[] = {
        { 0x1b, 0x90, S("\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x90\xc0\0\0"
                        "\xb9\x28\x7f\x16") },
        { 0x1b, 0x91, S("\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x91\xc0\0\0"
                        "\x65\x45\xe5\xa1") },
        { 0x24, 0x90, S("\0\x12\xe1\xff\0\0\0\x08\x24\xe0\0\0\x90\xc0\0\0"
                        "\x19\xa8\x5c\3") },
        { 0x1b, 0x0f, S("\0\x12\xe1\xff\0\0\0\x08\x1b\xe0\0\0\x0f\xc0\0\0"
                        "\x0d\xb2\x09\xc9") },
        { 0x24, 0x0f, S("\0\x12\xe1\xff\0\0\0\x08\x24\xe0\0\0\x0f\xc0\0\0"
                        "\xad\x32\x2a\xdc") },
        { 0x1b, 0, S("\0\x0e\xe1\xff\0\0\0\4\x1b\xe0\0\0\x74\x4c\x1d\x22") },
        { 0x24, 0, S("\0\x0e\xe1\xff\0\0\0\4\x24\xe0\0\0\x8c\xd9\x10\x11") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[64];
        struct writer w = writer_of(buf, sizeof(buf));

        ps_map_encode(&w, cases[i].video, cases[i].audio);
        if (w.err || memcmp(buf, "\0\0\1\xbc", 4) != 0 ||
            !slice_eq(slice_from(writer_slice(&w), 4), cases[i].want))
            fail_msg("%02x %02x", cases[i].video, cases[i].audio);
    }
}

static void write_then_decode(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t t = test_random(&seed) & PS_TIME_MASK;
        uint32_t rate = (uint32_t)test_random(&seed) & 0x3fffff;
        size_t n = test_random(&seed) % 65000, need;
        char buf[64];
        struct writer w = writer_of(buf, sizeof(buf));
        struct ps_pack pack;
        struct ps_pes pes;

        ps_pack_encode(&w, t, rate);
        assert_int_equal(ps_pack_decode(&pack, (uint8_t *)buf, w.len, &need),
                         0);
        assert_true(pack.scr90k == t && pack.rate == rate &&
                    pack.size == w.len);
        w.len = 0;
        ps_pes_encode(&w, 0xe0, n, i & 1, &t);
        assert_int_equal(ps_pes_decode(&pes, (uint8_t *)buf, w.len, &need),
                         0);
        assert_true(pes.pts90k == t && pes.length == n + 8 &&
                    pes.size == w.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc),
        cmocka_unit_test(time_fields),
        cmocka_unit_test(packs),
        cmocka_unit_test(pes_headers),
        cmocka_unit_test(maps),
        cmocka_unit_test(hikvision_map),
        cmocka_unit_test(written_headers),
        cmocka_unit_test(written_maps),
        cmocka_unit_test(write_then_decode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
