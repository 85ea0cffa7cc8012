/* app/media/params: the sets of one session, and kept for the next. */
#include "test/support.h"

#include <string.h>

#include "app/media/params.h"
#include "test/media.h"

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
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
