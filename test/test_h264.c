#include "test/support.h"

#include "app/media/h264.h"
#include "test/nalmaker.h"

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
    for (unsigned t = 0; t < 32; t++)
        assert_int_equal(h264_nal_is_kept((uint8_t)t), t >= 1 && t <= 6);
}

/* An SPS as the fields below say. Everything optional is there when asked for,
 * so whatever is misread in between shows in the size or the timing. */
struct wanted {
    const char *name;
    uint32_t profile, chroma, poc_type;
    bool scaling, interlaced, crop, hrd, colour, no_vui;
    int reorder; /* -1: no bitstream restriction */
    uint32_t units, scale;
    int err;
};

static void put_scaling_lists(struct nalmaker *m, uint32_t chroma)
{
    for (unsigned i = 0; i < (chroma == 3 ? 12u : 8u); i++) {
        nal_u(m, 1, i % 3 != 2); /* some fall back */
        if (i % 3 == 0) /* flat: 16 times the same */
            for (unsigned j = 0; j < (i < 6 ? 16u : 64u); j++)
                nal_se(m, j == 0 ? 8 : 0);
        else if (i % 3 == 1) /* ends early: next is 0 */
            nal_se(m, -8);
    }
}

static void put_hrd(struct nalmaker *m)
{
    nal_ue(m, 1); /* two of them */
    nal_u(m, 8, 0x34);
    for (int i = 0; i < 2; i++) {
        nal_ue(m, 1000);
        nal_ue(m, 2000);
        nal_u(m, 1, 0);
    }
    nal_u(m, 20, 0x5a5a5);
}

static void put_vui(struct nalmaker *m, const struct wanted *w)
{
    nal_u(m, 1, w->colour); /* aspect ratio, extended */
    if (w->colour) {
        nal_u(m, 8, 255);
        nal_u(m, 32, 0x00400003);
    }
    nal_u(m, 1, w->colour); /* overscan */
    if (w->colour)
        nal_u(m, 1, 1);
    nal_u(m, 1, w->colour); /* signal type, with colours */
    if (w->colour) {
        nal_u(m, 4, 0xa);
        nal_u(m, 1, 1);
        nal_u(m, 24, 0x010101);
    }
    nal_u(m, 1, w->colour); /* chroma location */
    if (w->colour) {
        nal_ue(m, 1);
        nal_ue(m, 1);
    }
    nal_u(m, 1, w->units != 0);
    if (w->units) {
        nal_u(m, 32, w->units);
        nal_u(m, 32, w->scale);
        nal_u(m, 1, 1);
    }
    for (int i = 0; i < 2; i++) {
        nal_u(m, 1, w->hrd);
        if (w->hrd)
            put_hrd(m);
    }
    if (w->hrd)
        nal_u(m, 1, 0); /* low delay */
    nal_u(m, 1, 1);     /* pic_struct */
    nal_u(m, 1, w->reorder >= 0);
    if (w->reorder < 0)
        return;
    nal_u(m, 1, 1);
    for (int i = 0; i < 4; i++)
        nal_ue(m, 2);
    nal_ue(m, (uint32_t)w->reorder);
    nal_ue(m, 4);
}

static struct slice make_sps(struct nalmaker *m, const struct wanted *w)
{
    m->bits = 0;
    nal_u(m, 8, 0x67);
    nal_u(m, 8, w->profile);
    nal_u(m, 8, 0);
    nal_u(m, 8, 31);
    nal_ue(m, 0);
    if (w->profile >= 100) {
        nal_ue(m, w->chroma);
        if (w->chroma == 3)
            nal_u(m, 1, 0);
        nal_ue(m, 2); /* 10 bits */
        nal_ue(m, 0);
        nal_u(m, 1, 0);
        nal_u(m, 1, w->scaling);
        if (w->scaling)
            put_scaling_lists(m, w->chroma);
    }
    nal_ue(m, 4);
    nal_ue(m, w->poc_type);
    if (w->poc_type == 0) {
        nal_ue(m, 4);
    } else if (w->poc_type == 1) {
        nal_u(m, 1, 0);
        nal_se(m, -3);
        nal_se(m, 5);
        nal_ue(m, 3);
        for (int i = 0; i < 3; i++)
            nal_se(m, 2 - i);
    }
    nal_ue(m, 4);
    nal_u(m, 1, 0);
    nal_ue(m, 119);
    nal_ue(m, w->interlaced ? 33 : 67);
    nal_u(m, 1, !w->interlaced);
    if (w->interlaced)
        nal_u(m, 1, 1);
    nal_u(m, 1, 1);
    nal_u(m, 1, w->crop);
    if (w->crop) { /* 1088 lines become 1080, whatever a unit is */
        uint32_t unit = (w->chroma == 1 ? 2u : 1u) *
                        (w->interlaced ? 2u : 1u);

        nal_ue(m, 0);
        nal_ue(m, w->err ? 5000 : 0);
        nal_ue(m, 0);
        nal_ue(m, 8 / unit);
    }
    nal_u(m, 1, !w->no_vui);
    if (!w->no_vui)
        put_vui(m, w);
    return nal_done(m);
}

static void written(void **state)
{
    static const struct wanted cases[] = {
        { "plain", .profile = 77, .chroma = 1, .reorder = -1, .no_vui = true },
        { "baseline", .profile = 66, .chroma = 1, .reorder = -1,
          .no_vui = true },
        { "high, all of it", .profile = 100, .chroma = 1, .scaling = true,
          .crop = true, .hrd = true, .colour = true, .reorder = 2, .units = 1,
          .scale = 50 },
        { "4:4:4 with lists", .profile = 244, .chroma = 3, .scaling = true,
          .crop = true, .reorder = 0, .units = 1001, .scale = 60000 },
        { "4:2:2 interlaced", .profile = 122, .chroma = 2, .interlaced = true,
          .crop = true, .reorder = -1, .units = 1, .scale = 50 },
        { "monochrome", .profile = 100, .chroma = 0, .crop = true,
          .reorder = -1, .hrd = true, .units = 1, .scale = 50 },
        { "order type 1", .profile = 77, .chroma = 1, .poc_type = 1,
          .crop = true, .reorder = 1, .units = 1, .scale = 50 },
        { "order type 2", .profile = 77, .chroma = 1, .poc_type = 2,
          .crop = true, .reorder = -1, .units = 1, .scale = 50 },
        { "time that overflows", .profile = 77, .chroma = 1, .reorder = 3,
          .units = 0x90000000, .scale = 50 },
        { "crop larger than the picture", .profile = 77, .chroma = 1,
          .crop = true, .no_vui = true, .err = GB_ERANGE },
    };
    struct nalmaker m;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wanted *w = &cases[i];
        struct slice nal = make_sps(&m, w);
        struct h264_sps s = { 0 };
        int err = h264_sps_parse(&s, guarded(nal));
        int reorder = w->reorder >= 0                          ? w->reorder
                      : w->profile == 66 || w->poc_type == 2 ? 0 : -1;
        bool timed = w->units && w->units < 0x80000000;

        if (err != w->err)
            fail_msg("%s: %s", w->name, gb_strerror(err));
        if (err)
            continue;
        if (s.width != 1920 || s.height != (w->crop ? 1080u : 1088u) ||
            s.interlaced != w->interlaced || s.chroma != w->chroma ||
            s.depth_luma != (w->profile >= 100 ? 10 : 8) ||
            s.reorder != reorder || s.fps_num != (timed ? w->scale : 0) ||
            s.fps_den != (timed ? 2 * w->units : 0))
            fail_msg("%s: %ux%u %u/%u chroma %u reorder %d", w->name, s.width,
                     s.height, s.fps_num, s.fps_den, s.chroma, s.reorder);
        for (size_t n = 0; n < nal.n; n++) /* no cut harms */
            h264_sps_parse(&s, guarded(slice_head(nal, n)));
    }
}

/* The record of the high profiles has four more bytes. */
static void record_of_high(void **state)
{
    static const struct wanted high = { .profile = 122, .chroma = 2,
                                        .reorder = -1, .no_vui = true };
    static const struct slice pps[] = { S(PPS_64) };
    char buf[200];
    struct writer w = writer_of(buf, sizeof(buf));
    struct nalmaker m;
    struct slice sps = make_sps(&m, &high);

    (void)state;
    h264_avcc_write(&w, &sps, 1, pps, 1);
    assert_int_equal(w.err, 0);
    assert_memory_equal(buf + w.len - 4, "\xfe\xfa\xf8\0", 4);
    h264_avcc_write(&w, &sps, 0, pps, 1);
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, sizeof(buf));
    h264_avcc_write(&w, pps, 1, pps, 1); /* that is no SPS */
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, sizeof(buf));
    h264_codec_string(&w, SLICE("\x67\x42"));
    assert_int_equal(w.err, GB_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written), cmocka_unit_test(record_of_high),
        cmocka_unit_test(vectors),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(refused),
        cmocka_unit_test(record),
        cmocka_unit_test(small_things),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
