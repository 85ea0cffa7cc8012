#include "test/support.h"

#include "app/media/h264.h"

#define SPS_64 \
    "\x67\x42\xC0\x0A\xD9\x04\x7B\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03" \
    "\x20\xF1\x22\x64\x80"
#define SPS_720 \
    "\x67\x4D\x40\x1F\xD9\x00\x50\x05\xBB\x01\x10\x00\x00\x03\x00\x10\x00\x00" \
    "\x03\x03\x20\xF1\x83\x24\x80"
#define SPS_1080 \
    "\x67\x64\x00\x28\xAC\xD9\x40\x5A\x02\x27\xE5\xC0\x44\x00\x00\x0F\xA4\x00" \
    "\x03\xA9\x80\x3C\x60\xC6\x58"
#define PPS_64 "\x68\xCB\x83\xCB\x20"

static const struct {
    const char *name;
    struct slice in;
    uint32_t width, height;
    double fps;
    int reorder;
    const char *codec;
} good[] = {
    { "64x48 baseline", S(SPS_64), 64, 48, 25, 0, "avc1.42C00A" },
    { "720p main", S(SPS_720), 1280, 720, 25, 0, "avc1.4D401F" },
    { "1080 lines cropped", S(SPS_1080), 1440, 1080, 30000 / 1001.0, 2,
      "avc1.640028" },
};

static void vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct h264_sps s;
        char text[32];
        struct writer w = writer_of(text, sizeof(text));
        double fps;

        assert_int_equal(h264_sps_parse(&s, guarded(good[i].in)), 0);
        fps = s.fps_den ? (double)s.fps_num / s.fps_den : 0;
        if (s.width != good[i].width || s.height != good[i].height ||
            fps < good[i].fps - 0.001 || fps > good[i].fps + 0.001 ||
            s.reorder != good[i].reorder)
            fail_msg("%s: %ux%u %f reorder %d", good[i].name, s.width,
                     s.height, fps, s.reorder);
        h264_codec_string(&w, good[i].in);
        assert_true(slice_eq(writer_slice(&w), slice_str(good[i].codec)));
    }
}

/* Cut anywhere, an SPS is refused, or only its VUI is missing. */
static void prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        for (size_t n = 0; n < good[i].in.n; n++) {
            struct h264_sps s = { 0 };
            int err = h264_sps_parse(&s, guarded(slice_head(good[i].in, n)));

            if (err == 0) {
                assert_int_equal(s.width, good[i].width);
                assert_int_equal(s.height, good[i].height);
                assert_true(n > 6);
            } else {
                assert_int_equal(err, GB_EAGAIN);
                assert_int_equal(s.width, 0);
            }
        }
}

static void refused(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
    } cases[] = {
        { "a PPS", S(PPS_64), GB_ESYNTAX },
        { "forbidden bit", S("\xe7\x42\xC0\x0A\xD9\x04\x7B"), GB_ESYNTAX },
        { "SPS id 63", S("\x67\x42\xC0\x0A\x02\x00\x00\x00\x00"), GB_ERANGE },
        /* id 0, frame_num 4, POC type 0, lsb 4, refs 1: all one bits; then a
         * width of 2^15 macroblocks */
        { "too wide", S("\x67\x42\xC0\x0A\xf8\x00\x04\x00\x02\xff\xff\xff"),
          GB_ERANGE },
        /* 16x16 with a crop of 8 pixels on both sides */
        { "cropped to nothing",
          S("\x67\x42\xC0\x0A\xdd\xf2\x97\x80"), GB_ERANGE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct h264_sps s;
        int err = h264_sps_parse(&s, guarded(cases[i].in));

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static void record(void **state)
{
    static const struct slice baseline[] = { S(SPS_64) }, pps[] = { S(PPS_64) };
    static const struct slice high[] = { S(SPS_1080) };
    static const struct slice want =
        S("\x01\x42\xC0\x0A\xFF\xE1\x00\x17" SPS_64 "\x01\x00\x05" PPS_64);
    char buf[128];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    h264_avcc_write(&w, baseline, 1, pps, 1);
    assert_int_equal(w.err, 0);
    assert_true(slice_eq(writer_slice(&w), want));

    w = writer_of(buf, sizeof(buf));
    h264_avcc_write(&w, high, 1, pps, 1);
    assert_int_equal(w.err, 0);
    assert_memory_equal(buf + w.len - 4, "\xfd\xf8\xf8\x00", 4);

    for (size_t cap = 0; cap < want.n; cap++) {
        w = writer_of(buf, cap);
        h264_avcc_write(&w, baseline, 1, pps, 1);
        assert_int_equal(w.err, GB_ENOMEM);
    }
    w = writer_of(buf, sizeof(buf));
    h264_avcc_write(&w, pps, 1, pps, 1);
    assert_int_equal(w.err, GB_ERANGE);
}

static void small_things(void **state)
{
    uint32_t pps = 99, sps = 99;

    (void)state;
    assert_int_equal(h264_pps_ids((struct slice)S(PPS_64), &pps, &sps), 0);
    assert_int_equal(pps, 0);
    assert_int_equal(sps, 0);
    assert_int_equal(h264_pps_ids((struct slice)S(SPS_64), &pps, &sps),
                     GB_ESYNTAX);
    assert_int_equal(h264_pps_ids((struct slice)S("\x68"), &pps, &sps),
                     GB_EAGAIN);
    assert_int_equal(h264_slice_type((struct slice)S("\x65\x88\x84")), 7);
    assert_int_equal(h264_slice_type((struct slice)S("\x41\x9a\x38")), 5);
    assert_int_equal(h264_slice_type((struct slice)S("\x41")), -1);
    assert_int_equal(h264_slice_type((struct slice)S(PPS_64)), -1);
    for (unsigned t = 0; t < 32; t++)
        assert_int_equal(h264_nal_is_kept((uint8_t)t), t >= 1 && t <= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(refused),
        cmocka_unit_test(record),
        cmocka_unit_test(small_things),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
