/* app/media/stamps and poc: the times of B pictures of which not each has a PTS. */
#include "test/nalmaker.h"

#include "app/media/stamps.h"
#include "ps/annexb.h"

#define WRAP ((uint64_t)1 << 33)
#define FIRST (WRAP - 20000) /* of the first picture: 33 bits wrap soon */
#define GROUP 10  /* pictures, in the order of decoding */
#define GROUPS 5

/* Where they are shown, in frames: I, then P with three B before it, twice, and P. */
static const uint8_t shown[GROUP] = { 0, 4, 2, 1, 3, 8, 6, 5, 7, 9 };

struct kind {
    const char *name;
    enum ps_codec codec;
    uint32_t poc_bits, frame; /* frame: counts for one */
    bool fields, planes, output_flag;
    uint32_t extra_bits;
    bool cra; /* key frames but for the first do not count anew */
};

static const struct kind kinds[] = {
    { "h264", PS_CODEC_H264, 8, 2, false, false, false, 0, false },
    { "h264, few bits", PS_CODEC_H264, 4, 1, false, false, false, 0, false },
    { "h264 with fields", PS_CODEC_H264, 16, 2, true, false, false, 0, false },
    { "h264 4:4:4", PS_CODEC_H264, 5, 2, false, true, false, 0, false },
    { "h265", PS_CODEC_H265, 8, 1, false, false, false, 0, false },
    { "h265, open groups", PS_CODEC_H265, 4, 1, false, false, true, 2, true },
    { "h265 4:4:4", PS_CODEC_H265, 16, 1, false, true, true, 7, false },
};

static void head(struct nalmaker *m, unsigned bits, uint32_t v)
{
    m->bits = 0;
    nal_u(m, bits, v);
}

static struct slice sps_h264(struct nalmaker *m, const struct kind *k,
                             uint32_t poc_type)
{
    head(m, 8, 0x67);
    nal_u(m, 24, k->planes ? 0xf40020 : 0x4d0020);
    nal_ue(m, 0);
    if (k->planes) {
        nal_ue(m, 3);
        nal_u(m, 1, 1);
        nal_ue(m, 0);
        nal_ue(m, 0);
        nal_u(m, 2, 0);
    }
    nal_ue(m, 3); /* frame_num: 7 bits */
    nal_ue(m, poc_type);
    if (poc_type == 0)
        nal_ue(m, k->poc_bits - 4);
    nal_ue(m, 4);
    nal_u(m, 1, 0);
    nal_ue(m, 19);
    nal_ue(m, 14);
    nal_u(m, 1, !k->fields);
    if (k->fields)
        nal_u(m, 1, 0);
    nal_u(m, 3, 4); /* no crop, no VUI */
    return nal_done(m);
}

static struct slice sps_h265(struct nalmaker *m, const struct kind *k)
{
    head(m, 16, 0x4201);
    nal_u(m, 8, 1);
    nal_u(m, 8, 1);
    nal_u(m, 32, 0x60000000);
    nal_u(m, 32, 0x90000000);
    nal_u(m, 16, 0);
    nal_u(m, 8, 93);
    nal_ue(m, 0);
    nal_ue(m, k->planes ? 3 : 1);
    if (k->planes)
        nal_u(m, 1, 1);
    nal_ue(m, 320);
    nal_ue(m, 240);
    nal_u(m, 1, 0);
    nal_ue(m, 0);
    nal_ue(m, 0);
    nal_ue(m, k->poc_bits - 4);
    nal_u(m, 1, 1);
    nal_ue(m, 4);
    nal_ue(m, 2); /* reorder */
    nal_ue(m, 0);
    for (int i = 0; i < 6; i++)
        nal_ue(m, 1);
    nal_u(m, 4, 0);
    nal_ue(m, 0);
    nal_u(m, 4, 0);
    return nal_done(m);
}

static struct slice pps_h265(struct nalmaker *m, const struct kind *k,
                             uint32_t id, uint32_t extra_bits)
{
    head(m, 16, 0x4401);
    nal_ue(m, id);
    nal_ue(m, 0);
    nal_u(m, 1, 0);
    nal_u(m, 1, k->output_flag);
    nal_u(m, 3, extra_bits);
    nal_u(m, 8, 0);
    return nal_done(m);
}

static struct media_config config;
static struct nalmaker sps, pps[2], slice;

static void configure(const struct kind *k)
{
    config = (struct media_config){ .codec = k->codec, .reorder = 2,
                                    .n_sps = 1, .n_pps = 1, .n_param = 2 };
    config.param[0] = k->codec == PS_CODEC_H264 ? sps_h264(&sps, k, 0)
                                                : sps_h265(&sps, k);
    config.param[1] = k->codec == PS_CODEC_H264
                          ? SLICE("\x68\xce\x38\x80")
                          : pps_h265(&pps[0], k, 0, k->extra_bits);
}

/* The first bytes of picture i, which is counted at. */
static struct slice picture(const struct kind *k, unsigned i, uint32_t at)
{
    bool key = i % GROUP == 0, fresh = key && !(k->cra && i);
    bool b = shown[i % GROUP] % 2 && i % GROUP < 9; /* nothing refers to it */
    uint32_t lsb = at & ((1u << k->poc_bits) - 1);
    struct nalmaker *m = &slice;

    if (k->codec == PS_CODEC_H264) {
        head(m, 8, fresh ? 0x65 : b ? 0x01 : 0x41);
        nal_ue(m, 0);
        nal_ue(m, 5);
        nal_ue(m, 0);
        nal_u(m, k->planes ? 2 : 0, 0);
        nal_u(m, 7, i % 128);
        if (k->fields)
            nal_u(m, 1, 0);
        if (fresh)
            nal_ue(m, i);
        nal_u(m, k->poc_bits, lsb);
        return nal_done(m);
    }
    head(m, 16, (fresh ? 19u : key ? 21u : b ? 0u : 1u) << 9 | 1);
    nal_u(m, 1, 1);
    if (key)
        nal_u(m, 1, 0);
    nal_ue(m, 0);
    nal_u(m, k->extra_bits, 0x55);
    nal_ue(m, 1);
    nal_u(m, k->output_flag, 1);
    nal_u(m, k->planes ? 2 : 0, 0);
    if (!fresh)
        nal_u(m, k->poc_bits, lsb);
    return nal_done(m);
}

/* Which pictures have a PTS. */
typedef bool has_fn(unsigned i);

static bool all(unsigned i) { return i < 1000; }
static bool none(unsigned i) { return i > 1000; }
static bool third(unsigned i) { return i % 3 == 0; }
static bool seventh(unsigned i) { return i % 7 == 2; }
static bool keys(unsigned i) { return i % GROUP == 0; }
static bool no_keys(unsigned i) { return i % GROUP != 0; }
static bool first(unsigned i) { return i == 0; }

struct result {
    unsigned n_wrong, n_told, last_wrong;
};

static uint64_t pts_of(unsigned i, uint64_t frame90k)
{
    unsigned at = i / GROUP * GROUP + shown[i % GROUP];

    return (FIRST + at * frame90k) & (WRAP - 1);
}

static struct result run(struct stamps *s, const struct kind *k, has_fn *has,
                         uint64_t frame90k)
{
    struct result r = { 0, 0, 0 };

    stamps_config(s, &config);
    for (unsigned i = 0; i < GROUP * GROUPS; i++) {
        unsigned from = k->cra ? i / GROUP * GROUP : 0;
        struct slice nal =
            picture(k, i, (from + shown[i % GROUP]) * k->frame);
        struct ps_piece piece = { (const uint8_t *)nal.p, nal.n, NULL };
        struct ps_nal n = { 0, (uint32_t)nal.n,
                            ps_nal_type(k->codec, (uint8_t)nal.p[0]) };
        struct ps_au au = { .codec = k->codec, .has_pts = has(i),
                            .pts90k = has(i) ? pts_of(i, frame90k) : 0,
                            .piece = &piece, .n_pieces = 1, .bytes = nal.n,
                            .nal = &n, .n_nals = 1 };
        uint64_t pts;

        if (!stamps_next(s, &au, &pts))
            continue;
        r.n_told++;
        if (pts != pts_of(i, frame90k)) {
            r.n_wrong++;
            r.last_wrong = i;
        }
    }
    return r;
}

static void some_have_a_pts(void **state)
{
    static has_fn *const some[] = { third, no_keys, keys, first };
    struct stamps s;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        configure(&kinds[i]);
        for (size_t k = 0; k < COUNT(some); k++) {
            struct result r = run(&s, &kinds[i], some[k], 3600);
            unsigned told = some[k] == no_keys ? GROUP * GROUPS - 1
                                               : GROUP * GROUPS;

            /* H.264 that counts frames by one is known by its first B pictures */
            bool odd = kinds[i].codec == PS_CODEC_H264 && kinds[i].frame == 1;

            if (r.last_wrong > (odd ? 2 : 0) || r.n_told != told)
                fail_msg("%s, %zu: %u of %u wrong", kinds[i].name, k, r.n_wrong,
                         r.n_told);
        }
        assert_int_equal(run(&s, &kinds[i], none, 3600).n_told, 0);
    }
}

/* Another rate than 25 a second is learnt: from two times of one group, or from
 * those of two groups. */
static void another_rate(void **state)
{
    struct stamps s;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct result r;

        configure(&kinds[i]);
        r = run(&s, &kinds[i], third, 6000);
        assert_true(r.last_wrong < 5);
        r = run(&s, &kinds[i], seventh, 1500);
        assert_true(r.last_wrong < 10);
        r = run(&s, &kinds[i], keys, 3003);
        assert_true(r.last_wrong < GROUP);
    }
}

/* A stream whose pictures all have their PTS is not read for long. */
static void all_have_a_pts(void **state)
{
    struct stamps s;
    unsigned n = 0;

    (void)state;
    configure(&kinds[0]);
    for (stamps_config(&s, &config); n < STAMPS_OWN; n++) {
        struct ps_au au = { .codec = PS_CODEC_H264, .has_pts = true,
                            .pts90k = n };
        uint64_t pts;

        assert_true(stamps_next(&s, &au, &pts));
        assert_int_equal(pts, n);
    }
    assert_int_equal(s.n_own, STAMPS_OWN);
    assert_int_equal(run(&s, &kinds[0], all, 3600).n_wrong, 0);
}

/* What cannot be counted is left as it is. */
static void not_counted(void **state)
{
    const struct kind *k = &kinds[5];
    struct stamps s;

    (void)state;
    configure(&kinds[0]);
    config.param[0] = sps_h264(&sps, &kinds[0], 2);
    assert_int_equal(run(&s, &kinds[0], third, 3600).n_told, 17);
    configure(&kinds[0]);
    config.reorder = 0;
    assert_int_equal(run(&s, &kinds[0], third, 3600).n_told, 17);
    configure(k);
    config.n_pps = 2;
    config.param[2] = pps_h265(&pps[1], k, 1, k->extra_bits + 1);
    assert_int_equal(run(&s, k, third, 3600).n_told, 17);
    config.param[2] = pps_h265(&pps[1], k, 1, k->extra_bits);
    assert_int_equal(run(&s, k, third, 3600).n_told, GROUP * GROUPS);
    { /* an encoder that leaves them all at 0 */
        const struct kind zero = { .codec = PS_CODEC_H265, .poc_bits = 8 };

        configure(&zero);
        assert_int_equal(run(&s, &zero, third, 3600).n_told, 17 + 3);
    }
    configure(k);
    config.n_sps = 0;
    assert_int_equal(run(&s, k, third, 3600).n_told, 17);
}

/* Slices cut short, and bytes of any kind. */
static void broken(void **state)
{
    uint64_t rnd = 3;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct stamps s;

        configure(&kinds[i]);
        stamps_config(&s, &config);
        for (unsigned k = 0; k < 3000; k++) {
            char bytes[24];
            struct slice nal = guarded(slice_of(bytes, test_random(&rnd) % 24));
            struct ps_piece piece = { (const uint8_t *)nal.p, nal.n, NULL };
            struct ps_nal n = { 0, (uint32_t)nal.n, 1 };
            struct ps_au au = { .codec = kinds[i].codec,
                                .has_pts = test_random(&rnd) % 3 == 0,
                                .pts90k = test_random(&rnd) % WRAP,
                                .piece = &piece, .n_pieces = 1,
                                .bytes = nal.n, .nal = &n, .n_nals = 1 };
            uint64_t pts;

            for (size_t at = 0; at < nal.n; at++)
                ((char *)nal.p)[at] = (char)test_random(&rnd);
            if (stamps_next(&s, &au, &pts))
                assert_true(pts < WRAP);
            else
                assert_false(au.has_pts);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_have_a_pts),
        cmocka_unit_test(another_rate),
        cmocka_unit_test(all_have_a_pts),
        cmocka_unit_test(not_counted),
        cmocka_unit_test(broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
