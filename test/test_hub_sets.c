/* app/media/hub: parameter sets of an earlier session (field-note 8.8). */
#include "test/hub_world.h"

#include "app/media/params.h"

static const struct slice idr[] = { S(AU_IDR) };

static void bare_key(struct world *w)
{
    hub_au(w->hub, au_video(&w->au, PS_CODEC_H264, w->pts90k, idr, 1),
           w->now_ms);
    w->pts90k += FRAME90K;
    w->now_ms += 40;
}

static struct kept_sets *sets_of_before(void)
{
    struct kept_sets *k;
    struct world w;

    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 2);
    k = kept_sets_new(&gb_alloc_heap, hub_config(w.hub, MEDIA_VIDEO));
    assert_non_null(k);
    world_close(&w);
    return k;
}

static void begin(struct world *w, unsigned long fail_at)
{
    struct kept_sets *k = sets_of_before();

    assert_int_equal(world_open(w, NULL, fail_at), 0);
    hub_remember(w->hub, k);
    kept_sets_unref(k);
    view(w, 0, FMP4_QUIET);
    view(w, 1, FLV_QUIET);
}

static struct hub_stats stats(const struct world *w)
{
    struct hub_stats s;

    hub_stats(w->hub, w->now_ms, &s);
    return s;
}

static void it_begins_with_them(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 0);
    picture(&w, false); /* of which nobody knows the beginning */
    bare_key(&w);
    picture(&w, false);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKp");
    assert_string_equal(story_flv(&w.edge[1]), "HmcKp");
    assert_int_equal(w.first_keys, 1);
    assert_int_equal(w.want_keys, 1); /* it may show them wrong */
    assert_int_equal(stats(&w).width, 64);
    bare_key(&w);
    gop(&w, 2); /* its own, which are the same */
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpKKp");
    assert_int_equal(stats(&w).config_changes, 0);
    assert_int_equal(w.want_keys, 1);
    world_close(&w);
}

/* As every change in mid-stream. */
static void its_own_win(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };
    struct world w;

    (void)state;
    begin(&w, 0);
    bare_key(&w);
    picture(&w, false);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
           w.now_ms);
    w.pts90k += FRAME90K;
    picture(&w, false);
    bare_key(&w);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpIKpK");
    assert_string_equal(story_flv(&w.edge[1]), "HmcKpcKpK");
    assert_int_equal(stats(&w).config_changes, 1);
    assert_int_equal(stats(&w).width, 1280);
    world_close(&w);
}

/* Those that come with the first key frame leave nothing to remember, and some
 * of them are a beginning of others. */
static void not_beside_its_own(void **state)
{
    static const struct slice some[] = { S(AU_SPS_720), S(AU_IDR) };
    struct world w;

    (void)state;
    begin(&w, 0);
    gop(&w, 2);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKp");
    assert_int_equal(w.want_keys, 0);
    world_close(&w);
    begin(&w, 0);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, some, 2), w.now_ms);
    bare_key(&w);
    assert_string_equal(story_fmp4(&w.edge[0]), "");
    world_close(&w);
}

static void not_of_another_codec(void **state)
{
    static const struct slice bare[] = { S(AU_IDR265) };
    static const struct slice whole[] = { S(AU_VPS265), S(AU_SPS265),
                                          S(AU_PPS265), S(AU_IDR265) };
    struct world w;

    (void)state;
    begin(&w, 0);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, bare, 1), w.now_ms);
    assert_string_equal(story_fmp4(&w.edge[0]), "");
    w.pts90k += FRAME90K;
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, whole, 4),
           w.now_ms);
    assert_string_equal(story_fmp4(&w.edge[0]), "IK");
    world_close(&w);
}

/* Without memory for them it begins with the next key frame. */
static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 2; at < 40; at++) {
        struct world w;

        begin(&w, at);
        bare_key(&w);
        picture(&w, false);
        w.mem.fail_at = 0;
        bare_key(&w);
        picture(&w, false);
        assert_int_equal(stats(&w).width, 64);
        assert_true(stats(&w).keys > 0);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_them),
        cmocka_unit_test(its_own_win),
        cmocka_unit_test(not_beside_its_own),
        cmocka_unit_test(not_of_another_codec),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
