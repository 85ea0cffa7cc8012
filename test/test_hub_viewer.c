/* app/media/hub_viewer: who is slow, stalls, leaves; what viewers share. */
#include "test/hub_world.h"

/* One that reads nothing for a while skips to a key frame; the others and the
 * memory do not notice. */
static void slow_viewer(void **state)
{
    struct world w;
    struct hub_stats s;
    const char *story;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 5);
    w.edge[0].budget = 700; /* into the first fragment */
    view(&w, 0, FMP4_QUIET);
    view(&w, 1, FMP4_QUIET);
    assert_int_equal(w.edge[0].n, 700);
    for (int i = 0; i < 4; i++)
        gop(&w, 25);
    assert_true(w.edge[0].v.jumps >= 1);
    w.edge[0].budget = SIZE_MAX;
    pump(&w.edge[0]);
    story = story_fmp4(&w.edge[0]); /* whole boxes in spite of the skip */
    assert_non_null(strchr(story, 'K'));
    assert_true(strlen(story) + w.edge[0].v.dropped >= 1 + 5 + 100);
    assert_true(w.edge[0].v.dropped > 20);
    assert_int_equal(hub_viewer_lag_ms(&w.edge[0].v), 0);
    assert_string_equal(story_fmp4(&w.edge[1]) + 1 + 5 + 98, "pp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cuts, 0);
    gop(&w, 2);
    assert_string_equal(
        story_fmp4(&w.edge[0]) + strlen(story_fmp4(&w.edge[0])) - 2, "Kp");
    world_close(&w);
}

/* Seconds of media come at once, and the viewer reads when they are there. */
static void burst(void **state)
{
    struct world w;
    struct edge *e = &w.edge[0];
    uint64_t at_ms;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 5);
    view(&w, 0, FLV_QUIET);
    at_ms = w.now_ms;
    e->budget = 0;
    for (unsigned i = 0; i < 100; i++) {
        w.now_ms = at_ms;
        picture(&w, false);
    }
    e->budget = SIZE_MAX;
    pump(e);
    assert_int_equal(e->v.jumps, 0);
    assert_string_equal(story_flv(e), repeat("HmcKpppp", 'p', 100));

    /* the next burst finds it where it was: now it is slow */
    e->budget = 0;
    for (unsigned i = 0; i < 100; i++) {
        w.now_ms = at_ms + 50 + i / 50;
        picture(&w, false);
    }
    assert_int_equal(e->v.jumps, 1);
    world_close(&w);
}

/* No key frame comes: a slow viewer gets nothing, not a broken picture. */
static void slow_without_key(void **state)
{
    struct world w;
    const struct edge *e = &w.edge[0];
    size_t before;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 5);
    w.edge[0].budget = 700;
    view(&w, 0, FMP4_QUIET);
    for (int i = 0; i < 100; i++)
        picture(&w, false);
    assert_int_equal(e->v.state, HUB_VIEWER_SKIP);
    assert_true(w.want_keys > 0);
    w.edge[0].budget = SIZE_MAX;
    pump(&w.edge[0]); /* only what it was given before */
    before = e->n;
    picture(&w, false);
    assert_int_equal(e->n, before);
    picture(&w, true);
    assert_true(e->n > before);
    assert_int_equal(e->v.state, HUB_VIEWER_LIVE);
    world_close(&w);
}

/* A configuration that changes while a viewer skips is made up for. */
static void skip_over_config(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };

    (void)state;
    for (int format = HUB_FLV; format <= HUB_TS_G711; format++) {
        struct hub_viewer_options opt = { .format = (enum hub_format)format,
                                          .no_audio = true };
        struct world w;
        const char *story, *tail = format == HUB_FMP4 ? "IKKp"
                                   : format == HUB_RTP ? ".KKp"
                                   : format >= HUB_TS ? "KTKp"
                                                      : "cKKp";

        assert_int_equal(world_open(&w, NULL, 0), 0);
        gop(&w, 5);
        w.edge[0].budget = 100;
        view(&w, 0, opt);
        for (int i = 0; i < 100; i++)
            picture(&w, false);
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
               w.now_ms);
        w.pts90k += FRAME90K;
        for (int i = 0; i < 60; i++)
            picture(&w, false);
        assert_int_equal(w.edge[0].v.state, HUB_VIEWER_SKIP);
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
               w.now_ms);
        w.pts90k += FRAME90K;
        w.edge[0].budget = SIZE_MAX;
        pump(&w.edge[0]);
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
               w.now_ms);
        w.pts90k += FRAME90K;
        picture(&w, false);
        story = format == HUB_FMP4 ? story_fmp4(&w.edge[0])
                : format == HUB_RTP ? story_rtp(&w.edge[0])
                : format >= HUB_TS ? story_ts(&w.edge[0])
                                   : story_flv(&w.edge[0]);
        assert_string_equal(story + strlen(story) - 4, tail);
        world_close(&w);
    }
}

static void stalled(void **state)
{
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 5);
    w.edge[0].budget = 700;
    view(&w, 0, FMP4_QUIET);
    view(&w, 1, FMP4_QUIET);
    for (int i = 0; i < 11; i++)
        gop(&w, 25);
    assert_int_equal(w.edge[0].v.state, HUB_VIEWER_CUT);
    assert_int_equal(w.edge[1].v.state, HUB_VIEWER_LIVE);
    assert_true(w.edge[0].wakes >= 1);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cuts, 1);
    w.edge[0].budget = SIZE_MAX;
    pump(&w.edge[0]);
    assert_int_equal(w.edge[0].n, 700); /* nothing more */

    /* by the clock alone, when the stream is silent too */
    w.edge[2].budget = 700;
    view(&w, 2, FMP4_QUIET);
    while (w.edge[2].v.state != HUB_VIEWER_CUT) {
        assert_true(hub_deadline(w.hub) != GB_NEVER);
        hub_tick(w.hub, w.now_ms = hub_deadline(w.hub));
        assert_true(w.now_ms < 60000);
    }
    /* the reader that has everything is not stalled */
    assert_int_equal(w.edge[1].v.state, HUB_VIEWER_LIVE);
    world_close(&w);
}

/* Who was live and stops in the middle of a picture holds just that one; each
 * key frame it is skipped to is no sign of life. */
static void stalled_in_a_picture(void **state)
{
    (void)state;
    for (int format = 0; format < 2; format++) {
        struct world w;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        gop(&w, 5);
        view(&w, 0, format ? FLV_QUIET : FMP4_QUIET);
        gop(&w, 25);
        assert_int_equal(w.edge[0].v.state, HUB_VIEWER_LIVE);
        w.edge[0].budget = 20;
        for (int i = 0; i < 9; i++)
            gop(&w, 25);
        assert_true(w.edge[0].v.state != HUB_VIEWER_CUT);
        assert_int_equal(w.edge[0].v.n_held, 1);
        for (int i = 0; i < 3; i++)
            gop(&w, 25);
        assert_int_equal(w.edge[0].v.state, HUB_VIEWER_CUT);
        world_close(&w);
    }
}

/* All viewers of a format share chunks; the hub allocates nothing per viewer.*/
static void sharing(void **state)
{
    struct world w;
    unsigned long calls, live;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 10);
    view(&w, 0, FMP4_QUIET);
    live = w.mem.live;
    for (unsigned i = 1; i < MAX_VIEWERS; i++)
        view(&w, i, FMP4_QUIET);
    assert_int_equal(w.mem.live, live);
    calls = w.mem.calls;
    picture(&w, false);
    assert_int_equal(w.mem.calls - calls, 1); /* a chunk; the frame has
                                                 room in a block */
    for (unsigned i = 1; i < MAX_VIEWERS; i++) {
        assert_int_equal(w.edge[i].n, w.edge[0].n);
        assert_memory_equal(w.edge[i].got, w.edge[0].got, w.edge[0].n);
        assert_int_equal(w.edge[i].wakes, 1);
    }
    for (unsigned i = 0; i < MAX_VIEWERS; i++)
        leave(&w.edge[i]);
    calls = w.mem.calls;
    picture(&w, false);
    assert_int_equal(w.mem.calls - calls, 0); /* nobody looks: not muxed */
    assert_true(sizeof(struct hub_viewer) <= 16384);
    world_close(&w);
}

static void removed_while_woken(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 3);
    for (unsigned i = 0; i < 10; i++)
        view(&w, i, i & 1 ? FLV_QUIET : FMP4_QUIET);
    for (unsigned i = 10; i < 15; i++)
        view(&w, i, (struct hub_viewer_options){ .format = HUB_FMP4,
                                                 .no_gop = true,
                                                 .no_audio = true });
    w.remove_on_wake = true;
    picture(&w, true);
    for (unsigned i = 0; i < 15; i++)
        assert_true(w.edge[i].gone);
    picture(&w, false);
    world_close(&w);
}

static void ending(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 3, FMP4_QUIET); /* never began */
    gop(&w, 5);
    view(&w, 0, FMP4_QUIET);
    w.edge[1].budget = 700;
    view(&w, 1, FMP4_QUIET);
    hub_end(w.hub);
    assert_int_equal(w.edge[0].v.state, HUB_VIEWER_ENDED);
    assert_int_equal(w.edge[3].v.state, HUB_VIEWER_ENDED);
    assert_int_not_equal(w.edge[1].v.state, HUB_VIEWER_ENDED);
    w.edge[1].budget = SIZE_MAX;
    pump(&w.edge[1]); /* gets what was there */
    assert_int_equal(w.edge[1].v.state, HUB_VIEWER_ENDED);
    assert_string_equal(story_fmp4(&w.edge[1]), "IKpppp");
    assert_int_equal(view(&w, 5, FMP4), GB_ESTATE);
    picture(&w, true);
    world_close(&w);
}

/* Another viewer of the same gets the same bytes, at most max pieces offered
 * and step bytes consumed at a time. */
static void step_through(const struct world *w, const struct edge *e,
                         size_t max, size_t step)
{
    struct hub_viewer v = { 0 };
    struct media_iov iov[64];
    size_t off = 0, n;

    hub_viewer_add(w->hub, &v, &e->v.opt, w->now_ms);
    while ((n = hub_viewer_next(&v, iov, max, false)) > 0) {
        size_t left = step, sum = 0;

        for (size_t k = 0; k < n && left; k++) {
            size_t take = iov[k].len < left ? iov[k].len : left;

            assert_memory_equal(e->got + off + sum, iov[k].base, take);
            sum += take;
            left -= take;
        }
        hub_viewer_consumed(&v, sum);
        off += sum;
    }
    assert_int_equal(off, e->n);
    hub_viewer_remove(&v);
}

/* Asked again, it begins with the same bytes: for any number of pieces and any
 * amount consumed, the stream is the same. */
static void every_step(void **state)
{
    static const struct { size_t max, step; } cases[] = {
        { 1, 1 }, { 1, 7 }, { 2, 100 }, { 3, 1000 }, { 64, 13 }, { 64, 1 },
    };
    const struct hub_viewer_options formats[] = { FLV_QUIET, FMP4_QUIET };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 12);
    gop(&w, 12);
    for (unsigned f = 0; f < COUNT(formats); f++) {
        view(&w, f, formats[f]);
        for (size_t i = 0; i < COUNT(cases); i++)
            step_through(&w, &w.edge[f], cases[i].max, cases[i].step);
    }
    world_close(&w);
}

/* When each fragment of a track begins, in 90 kHz. */
static void times_fmp4(const struct edge *e, int64_t at[2][100], size_t n[2])
{
    static const int64_t scale[2] = { 90000, 8000 };
    size_t off = 0;

    n[0] = n[1] = 0;
    for (; off < e->n; off += bytes_be32_at(e->got + off)) {
        struct bytes r;
        uint32_t t;

        if (memcmp(e->got + off + 4, "moof", 4) != 0)
            continue;
        t = bytes_be32_at(e->got + off + 44) - 1;
        r = bytes_of(e->got + off + 60, 8);
        at[t][n[t]++] = (int64_t)bytes_be64(&r) * 90000 / scale[t];
    }
}

/* VLC 3.0.24 shows nothing of a stream for as long as the time of its first
 * fragment tells: each viewer's begins with its first picture, sound with it,
 * and what is shared stays shared. */
static void each_begins_at_zero(void **state)
{
    static int64_t at[2][100];
    struct world w;
    size_t n[2];

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4);
    for (unsigned i = 0; i < 60; i++) {
        w.pts90k -= 900; /* it comes a little before its picture */
        sound(&w);
        w.pts90k += 900;
        picture(&w, i % 20 == 0);
        if (i == 25 || i == 39)
            view(&w, i, FMP4);
    }
    for (unsigned v = 0; v < 3; v++) {
        static const unsigned who[] = { 0, 25, 39 };
        static const size_t pictures[] = { 60, 40, 40 };

        times_fmp4(&w.edge[who[v]], at, n);
        assert_int_equal(n[0], pictures[v]);
        for (size_t i = 0; i < n[0]; i++)
            assert_int_equal(at[0][i], i * FRAME90K);
        /* the sound of before the first picture is left out */
        assert_int_equal(n[1], pictures[v] - 1);
        for (size_t i = 0; i < n[1]; i++)
            assert_int_equal(at[1][i], (i + 1) * FRAME90K - 900);
    }
    world_close(&w);
}

/* Also of one that read nothing before it was too far behind: what it skips is
 * before its beginning. */
static void skipped_before_it_began(void **state)
{
    static int64_t at[2][100];
    const struct hub_viewer_options opt = FMP4_QUIET;
    struct world w;
    struct edge *e = &w.edge[0];
    size_t n[2];

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    picture(&w, true);
    assert_int_equal(hub_viewer_add(w.hub, &e->v, &opt, w.now_ms), 0);
    for (unsigned i = 1; i < 240; i++)
        picture(&w, i % 20 == 0);
    assert_true(e->v.jumps > 0);
    e->budget = SIZE_MAX;
    pump(e);
    gop(&w, 20);
    times_fmp4(e, at, n);
    assert_true(n[0] > 20);
    for (size_t i = 0; i < n[0]; i++)
        assert_int_equal(at[0][i], i * FRAME90K);
    world_close(&w);
}

/* Where a fragment of sound begins before the one ahead of it, it counts in samples
 * of another rate, and an initialisation has to be between them. */
static void expect_told_rates(const struct edge *e, unsigned long at)
{
    uint64_t last = 0;

    for (size_t off = 0; off < e->n; off += bytes_be32_at(e->got + off)) {
        const uint8_t *p = e->got + off;
        struct bytes r = bytes_of(p + 60, 8);
        uint64_t dts;

        if (memcmp(p + 4, "ftyp", 4) == 0)
            last = 0;
        if (memcmp(p + 4, "moof", 4) != 0 || bytes_be32_at(p + 44) != 2)
            continue;
        dts = bytes_be64(&r);
        if (dts < last)
            fail_msg("allocation %lu: sound of a rate that was not told", at);
        last = dts;
    }
}

/* The sound changes its rate while there is no memory: its initialisation is tried
 * again, and no sound goes out before it. */
static void another_rate_without_memory(void **state)
{
    static const char aac[] = "\xff\xf1\x60\x40\x01\x5f\xfc" "abc";
    unsigned long made = 2;
    struct world w;

    (void)state;
    for (unsigned long at = 2; at <= made; at++) { /* the first one is the hub */
        assert_int_equal(world_open(&w, NULL, at), 0);
        view(&w, 0, FMP4);
        for (unsigned i = 0; i < 60; i++) {
            picture(&w, i % 10 == 0);
            if (i < 30)
                hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                                       slice_of(aac, sizeof(aac) - 1)),
                       w.now_ms);
            else
                sound(&w);
            if (w.mem.calls >= at)
                w.mem.fail_at = 0; /* there is some again */
        }
        expect_told_rates(&w.edge[0], at);
        made = w.mem.calls > made ? w.mem.calls : made;
        world_close(&w);
    }
}

/* Three key frames of the first picture size: a fourth one in front of the second
 * telling would be of the other size. */
static void expect_told_size(const char *story, char told, unsigned long at)
{
    const char *first = strchr(story, told == 'c' ? 'K' : told), *second;
    unsigned n_keys = 0;

    if (!first)
        return; /* nothing went out */
    second = strchr(first + 1, told);
    for (const char *p = first; *p && p != second; p++)
        n_keys += *p == 'K';
    if (n_keys > 3 || !second)
        fail_msg("allocation %lu: %s", at, story);
    assert_non_null(strchr(second, 'K'));
}

/* The picture changes its size while there is no memory: it is told before the
 * first picture that a viewer gets of it, whoever has to wait for that. */
static void another_size_without_memory(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };
    unsigned long made = 2;
    struct world w;

    (void)state;
    for (unsigned long at = 2; at <= made; at++) { /* the first one is the hub */
        assert_int_equal(world_open(&w, NULL, at), 0);
        view(&w, 0, FMP4_QUIET);
        view(&w, 1, FLV_QUIET);
        for (unsigned i = 0; i < 60; i++) {
            if (i < 30 || i % 10) {
                picture(&w, i % 10 == 0);
            } else {
                hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
                       w.now_ms);
                w.pts90k += FRAME90K;
            }
            if (w.mem.calls >= at)
                w.mem.fail_at = 0; /* there is some again */
        }
        made = w.mem.calls > made ? w.mem.calls : made;
        if (w.edge[0].v.hub)
            expect_told_size(story_fmp4(&w.edge[0]), 'I', at);
        if (w.edge[1].v.hub)
            expect_told_size(story_flv(&w.edge[1]), 'c', at);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_viewer),
        cmocka_unit_test(burst),
        cmocka_unit_test(slow_without_key),
        cmocka_unit_test(skip_over_config),
        cmocka_unit_test(stalled),
        cmocka_unit_test(stalled_in_a_picture),
        cmocka_unit_test(sharing),
        cmocka_unit_test(removed_while_woken),
        cmocka_unit_test(ending),
        cmocka_unit_test(every_step),
        cmocka_unit_test(each_begins_at_zero),
        cmocka_unit_test(skipped_before_it_began),
        cmocka_unit_test(another_rate_without_memory),
        cmocka_unit_test(another_size_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
