/* app/media/params: the sets of one session, and kept for the next. */
#include "test/support.h"

#include <string.h>

#include "app/media/params.h"
#include "test/media.h"
#include "test/nalmaker.h"

static const struct slice h264[] = { S(AU_SPS), S(AU_PPS), S(AU_IDR) };
static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                     S(AU_PPS265), S(AU_IDR265) };

static bool take(struct params *p, enum ps_codec codec,
                 const struct slice *nal, size_t n)
{
    struct au_maker m;
    bool news;

    au_maker_init(&m);
    news = params_take(p, au_video(&m, codec, 0, nal, n));
    au_maker_fini(&m);
    return news;
}

static struct media_config *config_of(enum ps_codec codec,
                                      const struct slice *nal, size_t n)
{
    struct media_config *c;
    struct params *p;

    assert_int_equal(params_new(&p, &gb_alloc_heap, codec), 0);
    assert_true(params_are_none(p));
    take(p, codec, nal, n);
    assert_false(params_are_none(p));
    assert_int_equal(params_config(p, 1, &c), 0);
    params_free(p);
    return c;
}

static void same(const struct media_config *a, const struct media_config *b)
{
    assert_int_equal(a->codec, b->codec);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->reorder, b->reorder);
    assert_string_equal(a->codec_string, b->codec_string);
    assert_true(slice_eq(a->record, b->record));
    assert_int_equal(a->n_param, b->n_param);
    for (unsigned i = 0; i < a->n_param; i++)
        assert_true(slice_eq(a->param[i], b->param[i]));
}

/* The same sets again are no news; others of the same ids are. */
static void news(void **state)
{
    static const struct slice larger[] = { S(AU_SPS_720), S(AU_PPS),
                                           S(AU_IDR) };
    static const struct slice picture[] = { S(AU_P) };
    struct params *p;

    (void)state;
    assert_int_equal(params_new(&p, &gb_alloc_heap, PS_CODEC_H264), 0);
    assert_false(take(p, PS_CODEC_H264, picture, COUNT(picture)));
    assert_true(take(p, PS_CODEC_H264, h264, COUNT(h264)));
    assert_false(take(p, PS_CODEC_H264, h264, COUNT(h264)));
    assert_false(take(p, PS_CODEC_H264, picture, COUNT(picture)));
    assert_true(take(p, PS_CODEC_H264, larger, COUNT(larger)));
    params_free(p);
    assert_int_equal(params_new(&p, &gb_alloc_heap, PS_CODEC_H265), 0);
    assert_true(take(p, PS_CODEC_H265, h265, COUNT(h265)));
    assert_false(take(p, PS_CODEC_H265, h265, COUNT(h265)));
    params_free(p);
}

static void kept_are_the_same(void **state)
{
    /* the newest SPS is the active one, whatever its id */
    static const struct slice two[] = { S(AU_SPS_720), S(AU_PPS),
                                        S("\x67\x42\xC0\x0A\xA6\xC1\x1E\xC0") };
    static const struct {
        enum ps_codec codec;
        const struct slice *nal;
        size_t n;
    } cases[] = {
        { PS_CODEC_H264, h264, COUNT(h264) },
        { PS_CODEC_H265, h265, COUNT(h265) },
        { PS_CODEC_H264, two, COUNT(two) },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_config *before, *after;
        struct kept_sets *k;

        before = config_of(cases[i].codec, cases[i].nal, cases[i].n);
        k = kept_sets_new(&gb_alloc_heap, before);
        assert_non_null(k);
        assert_int_equal(kept_sets_config(k, &gb_alloc_heap, cases[i].codec, 7,
                                          &after), 0);
        kept_sets_unref(kept_sets_ref(k));
        kept_sets_unref(k);
        same(before, after);
        assert_int_equal(after->version, 7);
        media_config_unref(before);
        media_config_unref(after);
    }
}

static void kept_are_of_one_codec(void **state)
{
    struct media_config *c = config_of(PS_CODEC_H264, h264, COUNT(h264)), *other;
    struct kept_sets *k = kept_sets_new(&gb_alloc_heap, c);

    (void)state;
    assert_int_equal(kept_sets_config(k, &gb_alloc_heap, PS_CODEC_H265, 1,
                                      &other), GB_EUNSUPPORTED);
    kept_sets_unref(k);
    kept_sets_unref(NULL);
    assert_null(kept_sets_ref(NULL));
    media_config_unref(c);
}

/* But that there were some is. */
static void too_large_are_not_kept(void **state)
{
    static char pps[KEPT_SETS_BYTES - (sizeof(AU_SPS) - 1) + 1];
    struct slice nal[] = { S(AU_SPS), { pps, sizeof(pps) }, S(AU_IDR) };
    struct kept_sets *k;

    (void)state;
    memset(pps, 0x55, sizeof(pps));
    memcpy(pps, AU_PPS, sizeof(AU_PPS) - 1);
    for (unsigned beyond = 0; beyond < 2; beyond++) {
        struct media_config *c, *none;

        nal[1].n = sizeof(pps) - 1 + beyond;
        c = config_of(PS_CODEC_H264, nal, COUNT(nal));
        k = kept_sets_new(&gb_alloc_heap, c);
        assert_non_null(k);
        assert_int_equal(kept_sets_are_none(k), beyond);
        if (beyond)
            assert_int_equal(kept_sets_config(k, &gb_alloc_heap, PS_CODEC_H264,
                                              1, &none), GB_EAGAIN);
        kept_sets_unref(k);
        media_config_unref(c);
    }
}

/* A PPS of this id, and an SPS of 16x16; valid until the next call. */
static struct slice pps_of(uint32_t id)
{
    static struct nalmaker m;

    m.bits = 0;
    nal_u(&m, 8, 0x68);
    nal_ue(&m, id);
    nal_ue(&m, 0);
    return nal_done(&m);
}

static struct slice sps_of(uint32_t id)
{
    static struct nalmaker m;

    m.bits = 0;
    nal_u(&m, 32, 0x6742c00a); /* baseline, level 1 */
    nal_ue(&m, id);
    nal_ue(&m, 0); /* log2_max_frame_num */
    nal_ue(&m, 2); /* pic_order_cnt_type */
    nal_ue(&m, 1); /* frames */
    nal_u(&m, 1, 0);
    nal_ue(&m, id); /* macroblocks, less 1 */
    nal_ue(&m, id);
    nal_u(&m, 5, 0x18); /* frame_mbs_only, direct_8x8; no cropping, no VUI */
    return nal_done(&m);
}

static bool take_nal(struct params *p, struct slice nal)
{
    return take(p, PS_CODEC_H264, &nal, 1);
}

/* PPS by their ids, of the SPS the newest first; of more than there are places for
 * the oldest goes. */
static void many_ids(void **state)
{
    static const uint32_t sps[] = { 0, 1, 2, 0 }; /* 0 is gone then, and comes */
    struct media_config *c;
    struct params *p;

    (void)state;
    assert_int_equal(params_new(&p, &gb_alloc_heap, PS_CODEC_H264), 0);
    for (uint32_t id = 9; id--;)
        assert_true(take_nal(p, pps_of(id)));
    assert_int_equal(params_config(p, 1, &c), GB_EAGAIN);
    for (size_t i = 0; i < COUNT(sps); i++) {
        assert_true(take_nal(p, sps_of(sps[i])));
        assert_int_equal(params_config(p, 1, &c), 0);
        assert_int_equal(c->width, 16 * (sps[i] + 1));
        assert_int_equal(c->n_sps, i ? 2 : 1);
        assert_true(slice_eq(c->param[0], sps_of(sps[i])));
        if (i)
            assert_true(slice_eq(c->param[1], sps_of(sps[i - 1])));
        assert_int_equal(c->n_pps, 8);
        for (uint32_t id = 0; id < 8; id++)
            assert_true(slice_eq(c->param[c->n_sps + id], pps_of(id)));
        media_config_unref(c);
    }
    assert_false(take_nal(p, pps_of(7)));
    assert_true(take_nal(p, pps_of(8))); /* in the place of 7 */
    assert_true(take_nal(p, pps_of(7)));
    params_free(p);
}

static void no_memory(void **state)
{
    struct media_config *c = config_of(PS_CODEC_H265, h265, COUNT(h265));
    unsigned long at = 1;
    int err;

    (void)state;
    do {
        struct failing_alloc mem;
        struct media_config *again;
        struct kept_sets *k;

        failing_alloc_init(&mem, at++);
        k = kept_sets_new(&mem.alloc, c);
        err = GB_ENOMEM;
        if (k)
            err = kept_sets_config(k, &mem.alloc, PS_CODEC_H265, 1, &again);
        if (!err)
            media_config_unref(again);
        kept_sets_unref(k);
        assert_int_equal(mem.live, 0);
        assert_true(at < 20);
    } while (err);
    media_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(news),
        cmocka_unit_test(kept_are_the_same),
        cmocka_unit_test(kept_are_of_one_codec),
        cmocka_unit_test(too_large_are_not_kept),
        cmocka_unit_test(many_ids),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
