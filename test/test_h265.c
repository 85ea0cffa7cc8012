#include "test/support.h"

#include "app/media/h265.h"

#define VPS \
    "\x40\x01\x0C\x01\xFF\xFF\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00" \
    "\x03\x00\x1E\x92\x80\x90"
#define SPS_64 \
    "\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x1E" \
    "\xA0\x20\x81\x05\x96\x4A\x92\x4C\xAF\x01\x68\x08\x00\x00\x03\x00\x08\x00" \
    "\x00\x03\x00\xC8\x40"
#define SPS_1080 \
    "\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x78" \
    "\xA0\x03\xC0\x80\x10\xE5\x96\x4A\x92\x4C\xAF\x01\x68\x08\x00\x00\x03\x00" \
    "\x08\x00\x00\x03\x00\xC8\x40"
#define PPS "\x44\x01\xC1\x72\xB4\x22\x40"

static const struct {
    const char *name;
    struct slice in;
    uint32_t width, height;
    const char *codec;
} good[] = {
    { "64x64", S(SPS_64), 64, 64, "hvc1.1.6.L30.90" },
    { "1080p", S(SPS_1080), 1920, 1080, "hvc1.1.6.L120.90" },
};

static void vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct h265_sps s;
        char text[48];
        struct writer w = writer_of(text, sizeof(text));

        assert_int_equal(h265_sps_parse(&s, guarded(good[i].in)), 0);
        if (s.width != good[i].width || s.height != good[i].height ||
            s.fps_den == 0 || s.fps_num != 25 * s.fps_den)
            fail_msg("%s: %ux%u %u/%u", good[i].name, s.width, s.height,
                     s.fps_num, s.fps_den);
        h265_codec_string(&w, &s);
        if (!slice_eq(writer_slice(&w), slice_str(good[i].codec)))
            fail_msg("%.*s", SLICE_ARG(writer_slice(&w)));
    }
}

static void prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        for (size_t n = 0; n < good[i].in.n; n++) {
            struct h265_sps s = { 0 };
            int err = h265_sps_parse(&s, guarded(slice_head(good[i].in, n)));

            if (err == 0) {
                assert_int_equal(s.width, good[i].width);
                assert_true(n > 26);
            } else {
                assert_int_equal(err, GB_EAGAIN);
            }
        }
}

static void strings(void **state)
{
    static const struct {
        const char *want;
        struct h265_sps s;
    } cases[] = {
        { "hvc1.2.4.H153.B0.2",
          { .profile = 2, .compat = 0x20000000, .tier = 1, .level = 153,
            .constraint = { 0xb0, 2 } } },
        { "hvc1.A1.6.L93",
          { .profile_space = 1, .profile = 1, .compat = 0x60000000,
            .level = 93 } },
        { "hvc1.1.6.L93.90.0.0.0.0.1",
          { .profile = 1, .compat = 0x60000000, .level = 93,
            .constraint = { 0x90, 0, 0, 0, 0, 1 } } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[48];
        struct writer w = writer_of(text, sizeof(text));

        h265_codec_string(&w, &cases[i].s);
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%.*s", SLICE_ARG(writer_slice(&w)));
    }
}

static void record(void **state)
{
    static const struct slice vps[] = { S(VPS) }, sps[] = { S(SPS_64) };
    static const struct slice pps[] = { S(PPS) };
    static const struct slice want =
        S("\x01\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x1E\xF0\x00\xFC"
          "\xFD\xF8\xF8\x00\x00\x0F\x03\xA0\x00\x01\x00\x18" VPS
          "\xA1\x00\x01\x00\x29" SPS_64 "\xA2\x00\x01\x00\x07" PPS);
    char buf[128];
    struct writer w = writer_of(buf, sizeof(buf));
    struct h265_sps s;

    (void)state;
    assert_int_equal(h265_sps_parse(&s, sps[0]), 0);
    h265_hvcc_write(&w, &s, vps, 1, sps, 1, pps, 1);
    assert_int_equal(w.err, 0);
    assert_int_equal(w.len, 110);
    assert_true(slice_eq(writer_slice(&w), want));
}

static void ids(void **state)
{
    uint32_t id = 99;
    struct h265_sps s;

    (void)state;
    assert_int_equal(h265_param_id((struct slice)S(VPS), &id), 0);
    assert_int_equal(id, 0);
    assert_int_equal(h265_param_id((struct slice)S(SPS_64), &id), 0);
    assert_int_equal(h265_param_id((struct slice)S(PPS), &id), 0);
    assert_int_equal(h265_param_id((struct slice)S("\x28\x01\xaf"), &id),
                     GB_ESYNTAX);
    assert_int_equal(h265_param_id((struct slice)S("\x44\x01"), &id),
                     GB_EAGAIN);
    assert_int_equal(h265_sps_parse(&s, (struct slice)S(VPS)), GB_ESYNTAX);
    assert_int_equal(
        h265_sps_parse(&s, (struct slice)S("\x42\x01\x0f\x01\x60")), GB_ERANGE);
    assert_true(h265_nal_is_kept(1) && h265_nal_is_kept(20) &&
                h265_nal_is_kept(39));
    assert_false(h265_nal_is_kept(32) || h265_nal_is_kept(35) ||
                 h265_nal_is_kept(38) || h265_nal_is_kept(48) ||
                 h265_nal_is_kept(22));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(prefixes),
        cmocka_unit_test(strings), cmocka_unit_test(record),
        cmocka_unit_test(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
