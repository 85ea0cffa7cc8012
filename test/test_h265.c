#include "test/support.h"

#include "app/media/h265.h"
#include "test/nalmaker.h"

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

/* An SPS as the fields below say; see test_h264.c. */
struct wanted {
    const char *name;
    uint32_t sub_layers, chroma, sets, long_term;
    bool window, scaling, pcm, colour, display, no_vui, each_layer;
    uint32_t units, scale;
    int err;
};

static void put_ptl(struct nalmaker *m, const struct wanted *w)
{
    nal_u(m, 8, 0x01); /* Main */
    nal_u(m, 32, 0x60000000);
    nal_u(m, 32, 0x90000000);
    nal_u(m, 16, 0);
    nal_u(m, 8, 120);
    for (uint32_t i = 0; i < w->sub_layers; i++)
        nal_u(m, 2, i % 2 ? 3 : 1); /* profile and level, or level alone */
    if (w->sub_layers)
        nal_u(m, 2 * (8 - w->sub_layers), 0);
    for (uint32_t i = 0; i < w->sub_layers; i++) {
        if (i % 2)
            for (int k = 0; k < 11; k++)
                nal_u(m, 8, 0xa5);
        nal_u(m, 8, 90);
    }
}

static void put_scaling(struct nalmaker *m)
{
    for (unsigned size = 0; size < 4; size++)
        for (unsigned i = 0; i < 6; i += size == 3 ? 3 : 1) {
            unsigned n = size ? 64 : 16;

            nal_u(m, 1, i == 0);
            if (i) {
                nal_ue(m, 1);
                continue;
            }
            if (size > 1)
                nal_se(m, -3);
            while (n--)
                nal_se(m, n % 2 ? 1 : 0);
        }
}

/* The first set is written out, the others are predicted from the one before:
 * of 3 pictures each keeps 3 of the 4 candidates. */
static void put_sets(struct nalmaker *m, uint32_t sets)
{
    nal_ue(m, sets);
    for (uint32_t i = 0; i < sets; i++) {
        if (i) {
            nal_u(m, 1, 1);
            nal_u(m, 1, 0);
            nal_ue(m, 0);
            nal_u(m, 1, 1); /* used */
            nal_u(m, 2, 1); /* not used, but there */
            nal_u(m, 2, 0); /* gone */
            nal_u(m, 1, 1);
            continue;
        }
        nal_ue(m, 2);
        nal_ue(m, 1);
        for (int k = 0; k < 3; k++) {
            nal_ue(m, 0);
            nal_u(m, 1, 1);
        }
    }
}

static void put_vui(struct nalmaker *m, const struct wanted *w)
{
    nal_u(m, 1, w->colour);
    if (w->colour) {
        nal_u(m, 8, 255);
        nal_u(m, 32, 0x00400003);
    }
    nal_u(m, 1, w->colour);
    if (w->colour)
        nal_u(m, 1, 1);
    nal_u(m, 1, w->colour);
    if (w->colour) {
        nal_u(m, 4, 0xa);
        nal_u(m, 1, 1);
        nal_u(m, 24, 0x010101);
    }
    nal_u(m, 1, w->colour);
    if (w->colour) {
        nal_ue(m, 1);
        nal_ue(m, 1);
    }
    nal_u(m, 3, 0);
    nal_u(m, 1, w->display);
    for (int i = 0; w->display && i < 4; i++)
        nal_ue(m, 3);
    nal_u(m, 1, w->units != 0);
    if (w->units) {
        nal_u(m, 32, w->units);
        nal_u(m, 32, w->scale);
    }
}

static struct slice make_sps(struct nalmaker *m, const struct wanted *w)
{
    m->bits = 0;
    nal_u(m, 16, 0x4201);
    nal_u(m, 4, 0);
    nal_u(m, 3, w->sub_layers);
    nal_u(m, 1, 1);
    put_ptl(m, w);
    nal_ue(m, 3);
    nal_ue(m, w->chroma);
    if (w->chroma == 3)
        nal_u(m, 1, 0);
    nal_ue(m, 1920);
    nal_ue(m, 1088);
    nal_u(m, 1, w->window);
    if (w->window) {
        nal_ue(m, 0);
        nal_ue(m, w->err ? 4000 : 0);
        nal_ue(m, 0);
        nal_ue(m, w->chroma == 1 ? 4 : 8);
    }
    nal_ue(m, 2);
    nal_ue(m, 2);
    nal_ue(m, 4); /* picture order: 8 bits */
    nal_u(m, 1, w->each_layer);
    for (uint32_t i = w->each_layer ? 0 : w->sub_layers; i <= w->sub_layers;
         i++) {
        nal_ue(m, 4);
        nal_ue(m, i == w->sub_layers ? 2 : 0);
        nal_ue(m, 0);
    }
    for (int i = 0; i < 6; i++)
        nal_ue(m, 1);
    nal_u(m, 1, w->scaling);
    if (w->scaling) {
        nal_u(m, 1, 1);
        put_scaling(m);
    }
    nal_u(m, 2, 3);
    nal_u(m, 1, w->pcm);
    if (w->pcm) {
        nal_u(m, 8, 0x77);
        nal_ue(m, 0);
        nal_ue(m, 2);
        nal_u(m, 1, 1);
    }
    put_sets(m, w->sets);
    nal_u(m, 1, w->long_term != 0);
    if (w->long_term) {
        nal_ue(m, w->long_term);
        for (uint32_t i = 0; i < w->long_term; i++)
            nal_u(m, 9, 0x155);
    }
    nal_u(m, 2, 3);
    nal_u(m, 1, !w->no_vui);
    if (!w->no_vui)
        put_vui(m, w);
    return nal_done(m);
}

static void written(void **state)
{
    static const struct wanted cases[] = {
        { "plain", .chroma = 1, .no_vui = true },
        { "all of it", .chroma = 1, .window = true, .scaling = true,
          .pcm = true, .sets = 4, .long_term = 3, .colour = true,
          .display = true, .units = 1, .scale = 25 },
        { "sub-layers", .sub_layers = 3, .each_layer = true, .chroma = 1,
          .window = true, .sets = 1, .units = 1001, .scale = 30000 },
        { "one sub-layer for all", .sub_layers = 6, .chroma = 2,
          .window = true, .units = 1, .scale = 25 },
        { "4:4:4", .chroma = 3, .window = true, .scaling = true, .units = 1,
          .scale = 25 },
        { "many sets", .chroma = 1, .sets = 64, .units = 1, .scale = 25 },
        { "too many sets", .chroma = 1, .sets = 65, .err = GB_ERANGE },
        { "too many long-term ones", .chroma = 1, .long_term = 33,
          .err = GB_ERANGE },
        { "window larger than the picture", .chroma = 1, .window = true,
          .err = GB_ERANGE },
    };
    struct nalmaker m;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wanted *w = &cases[i];
        struct slice nal = make_sps(&m, w);
        struct h265_sps s = { 0 };
        int err = h265_sps_parse(&s, guarded(nal));

        if (err != w->err)
            fail_msg("%s: %s", w->name, gb_strerror(err));
        if (err)
            continue;
        if (s.width != 1920 || s.height != (w->window ? 1080u : 1088u) ||
            s.id != 3 || s.chroma != w->chroma || s.depth_luma != 10 ||
            s.reorder != 2 || s.sub_layers != w->sub_layers ||
            s.fps_num != (w->units ? w->scale : 0) || s.fps_den != w->units)
            fail_msg("%s: %ux%u %u/%u chroma %u reorder %d", w->name, s.width,
                     s.height, s.fps_num, s.fps_den, s.chroma, s.reorder);
        for (size_t n = 0; n < nal.n; n++)
            h265_sps_parse(&s, guarded(slice_head(nal, n)));
    }
}

static void no_size(void **state)
{
    struct nalmaker m = { .bits = 0 };
    static const struct wanted w = { .chroma = 1 };
    struct h265_sps s;

    (void)state;
    nal_u(&m, 16, 0x4201);
    nal_u(&m, 8, 1);
    put_ptl(&m, &w);
    nal_ue(&m, 0);
    nal_ue(&m, 1);
    nal_ue(&m, 0);
    nal_ue(&m, 0);
    nal_u(&m, 32, 0x12345678);
    assert_int_equal(h265_sps_parse(&s, guarded(nal_done(&m))), GB_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written), cmocka_unit_test(no_size),
        cmocka_unit_test(vectors), cmocka_unit_test(prefixes),
        cmocka_unit_test(strings), cmocka_unit_test(record),
        cmocka_unit_test(ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
