#include "test/support.h"

#include <stdlib.h>

#include "app/media/hub.h"
#include "app/media/mpegts.h"
#include "base/writer.h"
#include "ps/annexb.h"
#include "test/media.h"
#include "test/ts_reader.h"
#include "test/media_vectors.h"

#define MAX_VIEWERS 40
#define FRAME90K 3600

/* An edge: reads as much as it is allowed, checks the messages it gets. */
struct edge {
    struct hub_viewer v;
    struct world *w;
    uint8_t *got;
    size_t n, cap;
    size_t budget; /* bytes it may still read; SIZE_MAX: all */
    unsigned wakes;
    bool gone;
};

struct world {
    struct failing_alloc mem;
    struct hub *hub;
    struct au_maker au;
    struct edge edge[MAX_VIEWERS];
    uint64_t now_ms, pts90k;
    unsigned first_keys, want_keys, configs, sounds_alone;
    bool remove_on_wake;
};

static void pump(struct edge *e)
{
    struct media_iov v[7];
    size_t n;

    while (e->budget && (n = hub_viewer_next(&e->v, v, COUNT(v), false))) {
        size_t sum = 0;

        for (size_t i = 0; i < n && e->budget; i++) {
            size_t take = v[i].len < e->budget ? v[i].len : e->budget;

            if (e->n + take > e->cap) {
                e->cap = (e->n + take) * 2;
                e->got = realloc(e->got, e->cap);
                assert_non_null(e->got);
            }
            memcpy(e->got + e->n, v[i].base, take);
            e->n += take;
            sum += take;
            if (e->budget != SIZE_MAX)
                e->budget -= take;
        }
        hub_viewer_consumed(&e->v, sum);
    }
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    struct edge *e = container_of(v, struct edge, v);
    struct world *w = ctx;

    e->wakes++;
    assert_false(e->gone);
    if (w->remove_on_wake) {
        hub_viewer_remove(v);
        e->gone = true;
        return;
    }
    pump(e);
}

static void on_first_key(void *ctx)
{
    ((struct world *)ctx)->first_keys++;
}

static void on_want_key(void *ctx)
{
    ((struct world *)ctx)->want_keys++;
}

static void on_config(void *ctx, enum media_track t,
                      const struct media_config *c)
{
    (void)t;
    assert_true(c->version > 0);
    ((struct world *)ctx)->configs++;
}

static void on_sound_alone(void *ctx)
{
    ((struct world *)ctx)->sounds_alone++;
}

static int world_open(struct world *w, const struct hub_options *opt,
                      unsigned long fail_at)
{
    struct hub_hooks hooks = { on_wake, on_first_key, on_want_key, on_config,
                               on_sound_alone, w };

    memset(w, 0, sizeof(*w));
    failing_alloc_init(&w->mem, fail_at);
    au_maker_init(&w->au);
    w->now_ms = 1000;
    w->pts90k = 900000;
    return hub_new(&w->hub, &w->mem.alloc, &hooks, opt);
}

static void leave(struct edge *e)
{
    hub_viewer_remove(&e->v);
    free(e->got);
    e->got = NULL;
    e->n = e->cap = 0;
}

/* Whatever happened, nothing may be left. */
static void world_close(struct world *w)
{
    for (size_t i = 0; i < MAX_VIEWERS; i += 2)
        leave(&w->edge[i]);
    hub_free(w->hub);
    for (size_t i = 1; i < MAX_VIEWERS; i += 2)
        leave(&w->edge[i]); /* outlives the hub */
    au_maker_fini(&w->au);
    assert_int_equal(w->mem.live, 0);
}

static int view(struct world *w, unsigned i, struct hub_viewer_options opt)
{
    struct edge *e = &w->edge[i];
    int err;

    if (e->budget == 0)
        e->budget = SIZE_MAX;
    err = hub_viewer_add(w->hub, &e->v, &opt, w->now_ms);
    if (!err)
        pump(e);
    return err;
}

static void picture(struct world *w, bool key)
{
    hub_au(w->hub,
           key ? au_key(&w->au, w->pts90k) : au_delta(&w->au, w->pts90k),
           w->now_ms);
    w->pts90k += FRAME90K;
    w->now_ms += 40;
}

static void gop(struct world *w, unsigned pictures)
{
    for (unsigned i = 0; i < pictures; i++)
        picture(w, i == 0);
}

static void sound(struct world *w)
{
    static char pcma[320];

    memset(pcma, 0xd5, sizeof(pcma));
    hub_au(w->hub,
           au_sound(&w->au, PS_CODEC_G711A, w->pts90k,
                    slice_of(pcma, sizeof(pcma))), w->now_ms);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* What an fMP4 viewer got, as letters: I init, K key, p picture, s sound.
 * Fails on anything that is not whole boxes. */
static const char *story_fmp4(const struct edge *e)
{
    static char text[2000];
    size_t off = 0, n = 0;

    while (off < e->n) {
        uint32_t len = be32(e->got + off);
        char c = '?';

        assert_true(len >= 8 && off + len <= e->n);
        if (memcmp(e->got + off + 4, "ftyp", 4) == 0)
            c = 'I';
        else if (memcmp(e->got + off + 4, "moof", 4) == 0)
            c = be32(e->got + off + 44) == 2              ? 's'
                : be32(e->got + off + 96) == 0x02000000 ? 'K'
                                                        : 'p';
        else if (memcmp(e->got + off + 4, "mdat", 4) != 0 &&
                 memcmp(e->got + off + 4, "moov", 4) != 0)
            fail_msg("box %.4s", (const char *)e->got + off + 4);
        if (c != '?' && n + 1 < sizeof(text))
            text[n++] = c;
        off += len;
    }
    text[n] = '\0';
    return text;
}

/* The same for FLV: H header, m metadata, c configuration, K, p, s. */
static const char *story_flv(const struct edge *e)
{
    static char text[2000];
    size_t off = 13, n = 0;

    if (e->n == 0)
        return "";
    assert_memory_equal(e->got, "FLV\x01", 4);
    text[n++] = 'H';
    while (off < e->n) {
        const uint8_t *p = e->got + off;
        uint32_t len = be32(p) & 0xffffff;
        char c = p[0] == 18  ? 'm'
                 : p[0] == 8 ? 's'
                 : p[12] == 0 ? 'c'
                 : p[11] >> 4 == 1 ? 'K'
                                   : 'p';

        assert_true(p[0] == 18 || p[0] == 8 || p[0] == 9);
        assert_true(off + 15 + len <= e->n);
        assert_int_equal(be32(p + 11 + len), 11 + len);
        text[n++] = c;
        off += 15 + len;
    }
    text[n] = '\0';
    return text;
}

/* The same for a transport stream: T tables, K, p, s. */
static const char *story_ts(const struct edge *e)
{
    static struct ts_reader r;
    static char text[200];
    unsigned tables = 0;
    size_t n = 0;

    ts_reader_init(&r);
    r.gaps = true; /* it may have been skipped */
    ts_reader_feed(&r, slice_of((const char *)e->got, e->n));
    for (size_t i = 0; i < r.n; i++) {
        for (; tables < r.frame[i].tables; tables++)
            text[n++] = 'T';
        text[n++] = r.frame[i].pid == MPEGTS_PID_AUDIO ? 's'
                    : r.frame[i].key                    ? 'K'
                                                        : 'p';
    }
    text[n] = '\0';
    return text;
}

static const char *repeat(const char *head, char c, unsigned n)
{
    static char text[2000];
    size_t at = strlen(head);

    memcpy(text, head, at);
    memset(text + at, c, n);
    text[at + n] = '\0';
    return text;
}

#define FMP4 (struct hub_viewer_options){ .format = HUB_FMP4 }
#define FMP4_QUIET                                                             \
    (struct hub_viewer_options){ .format = HUB_FMP4, .no_audio = true }
#define FLV (struct hub_viewer_options){ .format = HUB_FLV }
#define FLV_QUIET                                                              \
    (struct hub_viewer_options){ .format = HUB_FLV, .no_audio = true }

/* ------------------------------------------------------------------------- */

/* What comes out of the hub is, byte for byte, the vector. */
static void bytes(void **state)
{
    struct world w;
    const struct edge *e = &w.edge[0];
    struct media_chunk *snap;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    assert_int_equal(hub_snapshot(w.hub, &snap), GB_ENOENT);
    view(&w, 0, FMP4_QUIET);
    assert_int_equal(e->v.state, HUB_VIEWER_WAIT_CONFIG);
    gop(&w, 2);
    assert_int_equal(e->v.state, HUB_VIEWER_LIVE);
    assert_int_equal(e->n, sizeof(fmp4_init) + sizeof(fmp4_first) +
                               sizeof(fmp4_second));
    assert_memory_equal(e->got, fmp4_init, sizeof(fmp4_init));
    assert_memory_equal(e->got + sizeof(fmp4_init), fmp4_first,
                        sizeof(fmp4_first));
    assert_memory_equal(e->got + e->n - sizeof(fmp4_second), fmp4_second,
                        sizeof(fmp4_second));
    assert_int_equal(e->v.bytes, e->n);
    assert_int_equal(w.first_keys, 1);
    assert_int_equal(w.configs, 1);
    assert_int_equal(hub_snapshot(w.hub, &snap), 0);
    assert_int_equal(media_chunk_size(snap, MEDIA_PLAIN),
                     sizeof(fmp4_init) + sizeof(fmp4_first));
    media_chunk_unref(snap);
    world_close(&w);
}

static void gop_cache(void **state)
{
    struct world w;
    char mime[HUB_MIME_MAX];

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 10);
    gop(&w, 20);
    assert_int_equal(view(&w, 0, FMP4), 0); /* audio has been waited for */
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("IK", 'p', 19));
    assert_true(hub_viewer_mime(&w.edge[0].v, mime));
    assert_string_equal(mime, "video/mp4; codecs=\"avc1.42C00A\"");
    assert_int_equal(view(&w, 1, FLV), 0);
    assert_string_equal(story_flv(&w.edge[1]), repeat("HmcK", 'p', 19));
    assert_true(hub_viewer_mime(&w.edge[1].v, mime));
    assert_string_equal(mime, "video/x-flv");
    assert_int_equal(view(&w, 2, (struct hub_viewer_options){
                                     .format = HUB_FMP4, .no_gop = true }), 0);
    picture(&w, false);
    assert_int_equal(w.edge[2].v.state, HUB_VIEWER_WAIT_KEY);
    assert_int_equal(w.edge[2].n, 0);
    gop(&w, 2);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKp");
    assert_string_equal(story_fmp4(&w.edge[0]) + 22, "Kp");
    world_close(&w);
}

static void cache_limits(void **state)
{
    static const struct hub_options limits[] = {
        { .gop_frames = 10 },
        { .gop_ms = 400 },
        { .gop_bytes = 23 + 9 * 10 + 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct hub_stats s;
        struct world w;

        assert_int_equal(world_open(&w, &limits[i], 0), 0);
        view(&w, 1, FLV_QUIET);
        gop(&w, 10);
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.cached_frames, 10);
        picture(&w, false);
        picture(&w, false);
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.cached_frames, 0);
        assert_int_equal(s.cached_bytes, 0);
        view(&w, 0, FMP4_QUIET);
        assert_int_equal(w.edge[0].v.state, HUB_VIEWER_WAIT_KEY);
        assert_int_equal(w.want_keys, 1);
        picture(&w, true);
        assert_string_equal(story_fmp4(&w.edge[0]), "IK");
        /* the one who was there missed nothing */
        assert_string_equal(story_flv(&w.edge[1]), "HmcKpppppppppppK");
        world_close(&w);
    }
}

/* Without audio: 500 ms after the key frame, 2.5 s when it is promised. */
static void audio_rules(void **state)
{
    static const struct {
        const char *name;
        bool promised;
        unsigned first_sound; /* picture before which it begins; 0: never */
        uint64_t starts_ms;   /* after the first key frame */
        bool with_audio;
    } cases[] = {
        { "none promised", false, 0, 520, false },
        { "promised, never there", true, 0, 2520, false },
        { "there at once", true, 1, 40, true },
        { "not promised but there", false, 5, 200, true },
        { "promised, late", true, 25, 1000, true },
        { "too late", false, 25, 520, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const struct ps_stream s = { .stream_id = 0xc0,
                                            .codec = PS_CODEC_G711A };
        struct world w;
        uint64_t began = 0, key_ms;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        if (cases[i].promised)
            hub_stream(w.hub, &s);
        view(&w, 0, FMP4);
        key_ms = w.now_ms;
        for (unsigned k = 0; k < 80; k++) {
            if (cases[i].first_sound && k >= cases[i].first_sound)
                sound(&w);
            picture(&w, k == 0);
            if (w.edge[0].n && !began)
                began = w.now_ms - 40;
        }
        if (began - key_ms != cases[i].starts_ms)
            fail_msg("%s: after %u ms", cases[i].name,
                     (unsigned)(began - key_ms));
        assert_int_equal(strchr(story_fmp4(&w.edge[0]), 's') != NULL,
                         cases[i].with_audio);
        assert_null(strchr(story_fmp4(&w.edge[0]) + 1, 'I'));
        /* whoever comes later has what is there now */
        view(&w, 1, FMP4);
        assert_int_equal(strchr(story_fmp4(&w.edge[1]), 's') != NULL,
                         cases[i].first_sound != 0);
        view(&w, 2, FMP4_QUIET);
        assert_null(strchr(story_fmp4(&w.edge[2]), 's'));
        world_close(&w);
    }
}

/* The wait ends by the clock when no picture comes. */
static void tick_starts(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    assert_true(hub_deadline(w.hub) == GB_NEVER);
    view(&w, 0, FMP4);
    picture(&w, true);
    assert_int_equal(w.edge[0].n, 0);
    while (w.edge[0].n == 0) {
        uint64_t at = hub_deadline(w.hub);

        assert_true(at > w.now_ms - 40 && at < 3000);
        hub_tick(w.hub, w.now_ms = at);
    }
    assert_true(w.now_ms >= 1500 && w.now_ms <= 1500 + HUB_TICK_MS);
    assert_string_equal(story_fmp4(&w.edge[0]), "IK");
    world_close(&w);
}

/* The device is invited anew: its first key is told again, what comes before
 * it is of no use, and viewers go on. */
static void reopened(void **state)
{
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    gop(&w, 3);
    gop(&w, 3);
    assert_int_equal(w.first_keys, 1);
    hub_reopen(w.hub);
    picture(&w, false);
    picture(&w, false);
    assert_int_equal(w.first_keys, 1);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.dropped, 2);
    gop(&w, 3);
    gop(&w, 3);
    assert_int_equal(w.first_keys, 2);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.first_key_ms, 1000);
    assert_int_equal(w.edge[0].v.state, HUB_VIEWER_LIVE);
    world_close(&w);
}

static void reopened_sound(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    for (int i = 0; i < 300; i++) {
        if (i == 150)
            hub_reopen(w.hub);
        sound(&w);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
        if (i == 149 || i == 151 || i == 299)
            assert_int_equal(w.sounds_alone, i < 150 ? 1 : 2);
    }
    world_close(&w);
}

static void audio_only(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4);
    view(&w, 1, FLV);
    for (int i = 0; i < 150; i++) {
        sound(&w);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
    }
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("I", 's', 25));
    assert_string_equal(story_flv(&w.edge[1]), repeat("Hm", 's', 25));
    assert_int_equal(w.sounds_alone, 1);
    gop(&w, 5); /* the picture comes after all: FLV can take it */
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("I", 's', 25));
    assert_string_equal(story_flv(&w.edge[1]) + 27, "cKpppp");
    view(&w, 2, FMP4);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKpppp");
    world_close(&w);
}

static void config_change(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };
    struct hub_stats s;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    view(&w, 1, FLV_QUIET);
    gop(&w, 3);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
           w.now_ms);
    w.pts90k += FRAME90K;
    picture(&w, false);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKppIKp");
    assert_string_equal(story_flv(&w.edge[1]), "HmcKppcKp");
    view(&w, 2, FMP4_QUIET);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.width, 1280);
    assert_int_equal(s.config_changes, 1);
    gop(&w, 2); /* and back */
    assert_string_equal(story_fmp4(&w.edge[2]), "IKpIKp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.width, 64);
    world_close(&w);
}

/* A sound codec that changes: pictures go on, the new sound begins with the
 * next key frame, for which players are told to start anew. */
static void audio_change(void **state)
{
    static char pcmu[320];
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    sound(&w);
    view(&w, 0, FMP4);
    gop(&w, 2);
    sound(&w);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKps");
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G711U, w.pts90k,
                           slice_of(pcmu, sizeof(pcmu))), w.now_ms);
    picture(&w, false);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpsp");
    view(&w, 1, FMP4);
    assert_int_equal(w.edge[1].v.state, HUB_VIEWER_WAIT_KEY);
    gop(&w, 2);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G711U, w.pts90k,
                           slice_of(pcmu, sizeof(pcmu))), w.now_ms);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpspIKps");
    assert_string_equal(story_fmp4(&w.edge[1]), "IKps");
    world_close(&w);
}

static void codec_change(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    static const struct slice p265[] = { S(AU_P265) };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    gop(&w, 3);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, p265, 1), 0);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, h265, 4), 0);
    w.pts90k += FRAME90K;
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, p265, 1), 0);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKppIKp");
    world_close(&w);
}

/* H.265: leading pictures of the CRA a viewer begins with are left out. */
static void leading(void **state)
{
    static const struct slice cra[] = { S(AU_VPS265), S(AU_SPS265),
                                        S(AU_PPS265), S("\x2a\x01\xaf\x1d") };
    static const struct slice rasl[] = { S("\x12\x01\xd0\x09") };
    static const struct slice trail[] = { S(AU_P265) };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    for (int i = 0; i < 2; i++) {
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, cra, 4),
               w.now_ms);
        w.pts90k += FRAME90K;
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, rasl, 1),
               w.now_ms);
        w.pts90k += FRAME90K;
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, trail, 1),
               w.now_ms);
        w.pts90k += FRAME90K;
    }
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpKpp");
    world_close(&w);
}

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
    assert_string_equal(story_fmp4(&w.edge[0]) +
                            strlen(story_fmp4(&w.edge[0])) - 2, "Kp");
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
    for (int format = HUB_FLV; format < HUB_FORMATS; format++) {
        struct hub_viewer_options opt = { .format = (enum hub_format)format,
                                          .no_audio = true };
        struct world w;
        const char *story, *tail = format == HUB_FMP4 ? "IKKp"
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
                : format >= HUB_TS ? story_ts(&w.edge[0])
                                   : story_flv(&w.edge[0]);
        assert_string_equal(story + strlen(story) - 4, tail);
        world_close(&w);
    }
}

/* A transport stream can be joined at the cache; sound that comes late is told
 * before it. */
static void transport_stream(void **state)
{
    struct hub_viewer_options ts = { .format = HUB_TS_G711 };
    struct hub_viewer_options plain = { .format = HUB_TS };
    char mime[HUB_MIME_MAX];
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 3);
    w.now_ms += HUB_NO_AUDIO_MS;
    view(&w, 0, ts);
    view(&w, 2, plain);
    assert_true(hub_viewer_mime(&w.edge[0].v, mime));
    assert_string_equal(mime, "video/mp2t");
    sound(&w);
    sound(&w);
    picture(&w, false);
    gop(&w, 2);
    view(&w, 1, ts);
    assert_string_equal(story_ts(&w.edge[0]), "TTKppTsspTKp");
    assert_string_equal(story_ts(&w.edge[1]), "TTKp");
    assert_string_equal(story_ts(&w.edge[2]), "TTKpppTKp");
    world_close(&w);
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
    assert_int_equal(w.mem.calls - calls, 2); /* a frame and a chunk */
    for (unsigned i = 1; i < MAX_VIEWERS; i++) {
        assert_int_equal(w.edge[i].n, w.edge[0].n);
        assert_memory_equal(w.edge[i].got, w.edge[0].got, w.edge[0].n);
        assert_int_equal(w.edge[i].wakes, 1);
    }
    for (unsigned i = 0; i < MAX_VIEWERS; i++)
        leave(&w.edge[i]);
    calls = w.mem.calls;
    picture(&w, false);
    assert_int_equal(w.mem.calls - calls, 1); /* nobody looks: not muxed */
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

static void messages(void **state)
{
    struct hub_viewer_options ws = { .format = HUB_FMP4, .framing = MEDIA_WS,
                                     .no_audio = true };
    struct world w;
    struct media_iov v[8];
    size_t want[] = { sizeof(fmp4_init) + 4, sizeof(fmp4_first) + 4,
                      sizeof(fmp4_second) + 2 };

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 2);
    assert_int_equal(hub_viewer_add(w.hub, &w.edge[0].v, &ws, w.now_ms), 0);
    for (size_t i = 0; i < COUNT(want); i++) {
        size_t n = hub_viewer_next(&w.edge[0].v, v, COUNT(v), true), sum = 0;

        assert_true(hub_viewer_at_boundary(&w.edge[0].v));
        for (size_t k = 0; k < n; k++)
            sum += v[k].len;
        assert_int_equal(sum, want[i]);
        assert_int_equal((uint8_t)v[0].base[0], 0x82);
        hub_viewer_consumed(&w.edge[0].v, 1);
        assert_false(hub_viewer_at_boundary(&w.edge[0].v));
        assert_true(hub_viewer_next(&w.edge[0].v, v, COUNT(v), true) > 0);
        hub_viewer_consumed(&w.edge[0].v, sum - 1);
    }
    assert_int_equal(hub_viewer_next(&w.edge[0].v, v, COUNT(v), true), 0);
    assert_true(hub_viewer_at_boundary(&w.edge[0].v));
    world_close(&w);
}

/* Asked again, it begins with the same bytes: for any number of pieces and any
 * amount consumed, the stream is the same. */
static void every_step(void **state)
{
    static const struct { size_t max, step; } cases[] = {
        { 1, 1 }, { 1, 7 }, { 2, 100 }, { 3, 1000 }, { 64, 13 }, { 64, 1 },
    };
    struct world w;
    struct edge *e = &w.edge[0];

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 12);
    view(&w, 0, FLV_QUIET);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hub_viewer v = { 0 };
        struct hub_viewer_options opt = FLV_QUIET;
        struct media_iov iov[64];
        size_t off = 0, n;

        hub_viewer_add(w.hub, &v, &opt, w.now_ms);
        while ((n = hub_viewer_next(&v, iov, cases[i].max, false)) > 0) {
            size_t left = cases[i].step, sum = 0;

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
    world_close(&w);
}

/* Frames cut into pieces of any size give the same bytes. */
static void pieces(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 7, 13, 40 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct world w;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        w.au.piece_bytes = sizes[i];
        view(&w, 0, FMP4_QUIET);
        gop(&w, 2);
        assert_int_equal(w.edge[0].n, sizeof(fmp4_init) + sizeof(fmp4_first) +
                                          sizeof(fmp4_second));
        assert_memory_equal(w.edge[0].got + sizeof(fmp4_init), fmp4_first,
                            sizeof(fmp4_first));
        world_close(&w);
    }
}

/* AAC: split into frames across PES borders; AU headers too. */
static void aac(void **state)
{
    static const char adts[] = "\xff\xf1\x60\x40\x01\x5f\xfc" "abc"
                               "\xff\xf1\x60\x40\x01\x7f\xfc" "defg";
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV);
    picture(&w, true);
    for (size_t cut = 0; cut <= sizeof(adts) - 1; cut++) {
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                               slice_of(adts, cut)), w.now_ms);
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                               slice_of(adts + cut, sizeof(adts) - 1 - cut)),
               w.now_ms);
        w.pts90k += 2 * 5760;
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.sounds, 2 * (cut + 1));
        assert_int_equal(s.audio, PS_CODEC_AAC);
        assert_int_equal(s.rate_hz, 16000);
    }
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                           (struct slice)S("\0\x20\0\x18\0\x10" "abcde")),
           w.now_ms);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, 2 * sizeof(adts) + 2);
    assert_int_equal(s.config_changes, 0);
    world_close(&w);
}

static void keep_times(void *ctx, struct media_frame *f,
                       struct media_config *c)
{
    int64_t *at = ctx;

    (void)c;
    if (f->track == MEDIA_AUDIO)
        at[++at[0]] = f->dts90k;
}

/* A stamp belongs to the frame that begins in its PES, also when the frame ends
 * in the next one. */
static void aac_stamps(void **state)
{
    static const char adts[] = "\xff\xf1\x60\x40\x01\x5f\xfc" "abc";
    int64_t at[80] = { 0 };
    struct hub_tap tap = { .on_frame = keep_times, .ctx = at };
    struct world w;
    uint64_t from;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    hub_tap_add(w.hub, &tap, false);
    from = w.pts90k;
    picture(&w, true);
    /* the second half of one and the first of the next in each PES; after 60
     * frames a second is missing */
    for (uint64_t i = 0; i < 70; i++) {
        char pes[10];

        memcpy(pes, adts + 5, 5);
        memcpy(pes + 5, adts, 5);
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC,
                               from + 5760 * i + (i >= 60 ? 90000 : 0),
                               slice_of(pes, sizeof(pes))), w.now_ms);
    }
    assert_int_equal(at[0], 69);
    for (int64_t i = 0; i < 69; i++)
        assert_int_equal(at[1 + i], 5760 * i + (i >= 60 ? 90000 : 0));
    hub_tap_remove(&tap);
    world_close(&w);
}

static void unusable(void **state)
{
    static const struct slice broken[] = { S("\x67\x42"), S("\x68"),
                                           S(AU_IDR) };
    struct world w;
    struct hub_stats s;
    struct ps_au *au;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV_QUIET);
    picture(&w, false); /* before any key frame */
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, 0, broken, 3), w.now_ms);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G729, 0, (struct slice)S("xx")),
           w.now_ms);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_SVAC, 0, (struct slice)S("xx")),
           w.now_ms);
    au = au_key(&w.au, 0);
    w.au.nal[2].len = 100000; /* a NAL table that lies */
    hub_au(w.hub, au, w.now_ms);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.dropped, 5);
    assert_int_equal(s.frames, 0);
    assert_int_equal(w.first_keys, 0);
    assert_int_equal(w.edge[0].n, 0);
    assert_true(s.last_frame_age_ms == GB_NEVER);
    world_close(&w);
}

static void loss(void **state)
{
    (void)state;
    for (int freeze = 0; freeze < 2; freeze++) {
        struct hub_options opt = { .freeze_on_loss = freeze };
        struct ps_au *au;
        struct world w;

        assert_int_equal(world_open(&w, &opt, 0), 0);
        view(&w, 0, FMP4_QUIET);
        gop(&w, 2);
        au = au_delta(&w.au, w.pts90k);
        au->discontinuity = true;
        hub_au(w.hub, au, w.now_ms);
        w.pts90k += FRAME90K;
        picture(&w, false);
        gop(&w, 2);
        assert_string_equal(story_fmp4(&w.edge[0]),
                            freeze ? "IKpKp" : "IKpppKp");
        world_close(&w);
    }
}

static void count_frame(void *ctx, struct media_frame *f,
                        struct media_config *c)
{
    unsigned *n = ctx;

    assert_int_equal(f->config_version, c->version);
    n[f->track]++;
}

static void count_end(void *ctx)
{
    ((unsigned *)ctx)[2]++;
}

static void taps(void **state)
{
    unsigned n[3] = { 0 }, late[3] = { 0 };
    struct hub_tap a = { .on_frame = count_frame, .on_end = count_end,
                         .ctx = n };
    struct hub_tap b = { .on_frame = count_frame, .ctx = late };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    hub_tap_remove(&a);
    hub_tap_add(w.hub, &a, true);
    gop(&w, 3);
    sound(&w);
    hub_tap_add(w.hub, &b, true);
    gop(&w, 3);
    hub_tap_remove(&b);
    picture(&w, false);
    hub_end(w.hub);
    assert_int_equal(n[MEDIA_VIDEO], 7);
    assert_int_equal(n[MEDIA_AUDIO], 1);
    assert_int_equal(n[2], 1);
    assert_int_equal(late[MEDIA_VIDEO], 6);
    hub_tap_remove(&a);
    world_close(&w);
}

static void figures(void **state)
{
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4);
    for (int i = 0; i < 4; i++)
        gop(&w, 50);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.video, PS_CODEC_H264);
    assert_int_equal(s.width, 64);
    assert_int_equal(s.height, 48);
    assert_true(s.fps > 24.99 && s.fps < 25.01);
    assert_int_equal(s.key_interval_ms, 2000);
    assert_int_equal(s.frames, 200);
    assert_int_equal(s.keys, 4);
    assert_int_equal(s.first_key_ms, 1000);
    assert_int_equal(s.last_frame_age_ms, 40);
    assert_int_equal(s.viewers[HUB_FMP4], 1);
    assert_int_equal(s.viewers[HUB_FLV], 0);
    assert_int_equal(s.cached_frames, 50);
    /* 49 P frames of 10 bytes and a key frame of 23 in two seconds */
    assert_true(s.bitrate > 1900 && s.bitrate < 2200);
    world_close(&w);
}

static void limits(void **state)
{
    struct hub_options opt = { .max_viewers = 2 };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, &opt, 0), 0);
    assert_int_equal(view(&w, 0, FLV), 0);
    assert_int_equal(view(&w, 1, FMP4), 0);
    assert_int_equal(view(&w, 2, FLV), GB_ELIMIT);
    leave(&w.edge[0]);
    assert_int_equal(view(&w, 2, FLV), 0);
    world_close(&w);
}

/* The first, second, third ... allocation fails: nothing leaks, nothing that
 * is sent is broken, and with memory back the picture comes back. */
static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1; at < 120; at++) {
        struct media_chunk *snap = NULL;
        struct world w;

        if (world_open(&w, NULL, at)) {
            assert_int_equal(at, 1);
            au_maker_fini(&w.au);
            continue;
        }
        view(&w, 0, FMP4);
        view(&w, 1, FLV);
        for (int i = 0; i < 20; i++) {
            picture(&w, i % 5 == 0);
            sound(&w);
        }
        view(&w, 2, FMP4);
        if (hub_snapshot(w.hub, &snap) == 0)
            media_chunk_unref(snap);
        w.mem.fail_at = 0;
        view(&w, 3, FMP4);
        gop(&w, 20);
        gop(&w, 2);
        story_fmp4(&w.edge[0]);
        story_flv(&w.edge[1]);
        for (unsigned i = 0; i < 4; i++)
            if (w.edge[i].v.hub) /* else its addition was refused */
                assert_int_equal(w.edge[i].v.state, HUB_VIEWER_LIVE);
        assert_non_null(w.edge[3].v.hub);
        world_close(&w);
    }
}

/* The next access unit of an Annex B file: NALs up to the one that begins
 * another picture. */
static size_t next_au(enum ps_codec codec, struct slice *rest,
                      struct slice nal[32])
{
    struct slice after = *rest, one;
    bool vcl = false;
    size_t n = 0;

    while (ps_annexb_next(&after, &one)) {
        const uint8_t *p = (const uint8_t *)one.p;

        if (vcl && ps_nal_begins_au(codec, p, one.n))
            break;
        vcl = vcl || ps_nal_is_vcl(codec, ps_nal_type(codec, p[0]));
        assert_true(n < 32);
        nal[n++] = one;
        *rest = after;
    }
    return n;
}

/* All picture data of the clip is in the fragments: the same NAL units in the
 * same order, each behind its length. */
static void compare_pictures(enum ps_codec codec, struct slice clip,
                             const struct edge *e)
{
    struct slice want;
    size_t off = 0;

    while (off < e->n) {
        uint32_t len = be32(e->got + off);
        size_t at = off + 8, end = off + len;

        off = end;
        if (memcmp(e->got + at - 4, "mdat", 4) != 0)
            continue;
        while (at < end) {
            uint32_t n = be32(e->got + at);

            assert_true(n <= end - at - 4);
            do
                assert_true(ps_annexb_next(&clip, &want));
            while (!ps_nal_is_vcl(codec,
                                  ps_nal_type(codec, (uint8_t)want.p[0])));
            assert_int_equal(n, want.n);
            assert_memory_equal(e->got + at + 4, want.p, n);
            at += 4 + n;
        }
        assert_int_equal(at, end);
    }
    while (ps_annexb_next(&clip, &want))
        assert_false(ps_nal_is_vcl(codec,
                                   ps_nal_type(codec, (uint8_t)want.p[0])));
}

static void clips(void **state)
{
    static const struct {
        const char *path;
        enum ps_codec codec;
        const char *mime;
    } cases[] = {
        { "test/data/clip/clock.h264", PS_CODEC_H264, "codecs=\"avc1.64001" },
        { "test/data/clip/clock.h265", PS_CODEC_H265, "codecs=\"hvc1.1.6.L" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice clip = read_file(cases[i].path), rest = clip, nal[32];
        char mime[HUB_MIME_MAX];
        struct hub_stats s;
        struct world w;
        size_t n;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        view(&w, 0, FMP4_QUIET);
        view(&w, 1, FLV_QUIET);
        while ((n = next_au(cases[i].codec, &rest, nal)) > 0) {
            hub_au(w.hub, au_video(&w.au, cases[i].codec, w.pts90k, nal, n),
                   w.now_ms);
            w.pts90k += FRAME90K;
            w.now_ms += 40;
        }
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.frames, 250);
        assert_int_equal(s.keys, 10);
        assert_int_equal(s.width, 640);
        assert_int_equal(s.height, 360);
        assert_int_equal(s.key_interval_ms, 1000);
        assert_int_equal(s.dropped + s.config_changes, 0);
        assert_true(hub_viewer_mime(&w.edge[0].v, mime));
        assert_non_null(strstr(mime, cases[i].mime));
        assert_int_equal(strlen(story_fmp4(&w.edge[0])), 251);
        assert_int_equal(strlen(story_flv(&w.edge[1])), 253);
        compare_pictures(cases[i].codec, clip, &w.edge[0]);
        world_close(&w);
        free((void *)(uintptr_t)clip.p);
    }
}

/* Anybody comes, goes, reads, stops at any time. */
static void at_random(void **state)
{
    uint64_t seed = 8;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct hub_options opt = { .gop_frames = 60, .slow_ms = 500,
                                   .stall_ms = 3000 };
        struct world w;

        assert_int_equal(world_open(&w, &opt, 0), 0);
        for (int i = 0; i < 600; i++) {
            uint64_t r = test_random(&seed);
            struct edge *e = &w.edge[r >> 8 & 15];

            switch (r % 8) {
            case 0:
                if (!e->v.hub && e->v.n_held == 0) {
                    leave(e);
                    e->budget = r >> 16 & 1 ? SIZE_MAX : r >> 20 & 0xfff;
                    view(&w, (unsigned)(r >> 8 & 15),
                         (struct hub_viewer_options){
                             .format = (enum hub_format)((r >> 32) % 3),
                             .no_audio = r >> 36 & 1,
                             .no_gop = r >> 37 & 1 });
                }
                break;
            case 1:
                leave(e);
                break;
            case 2:
                if (e->budget != SIZE_MAX)
                    e->budget += r >> 20 & 0x3ff;
                pump(e);
                break;
            case 3:
                sound(&w);
                break;
            default:
                picture(&w, (r >> 40) % 20 == 0);
            }
        }
        for (size_t i = 0; i < 16; i++) {
            struct edge *e = &w.edge[i];

            if (!e->v.hub)
                continue;
            e->budget = SIZE_MAX;
            pump(e);
            if (e->v.state == HUB_VIEWER_CUT)
                continue;
            if (e->v.opt.format == HUB_FMP4)
                story_fmp4(e);
            else
                story_flv(e);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),
        cmocka_unit_test(gop_cache),
        cmocka_unit_test(cache_limits),
        cmocka_unit_test(audio_rules),
        cmocka_unit_test(tick_starts),
        cmocka_unit_test(reopened),
        cmocka_unit_test(reopened_sound),
        cmocka_unit_test(audio_only),
        cmocka_unit_test(config_change),
        cmocka_unit_test(audio_change),
        cmocka_unit_test(codec_change),
        cmocka_unit_test(leading),
        cmocka_unit_test(slow_viewer),
        cmocka_unit_test(slow_without_key),
        cmocka_unit_test(skip_over_config),
        cmocka_unit_test(transport_stream),
        cmocka_unit_test(stalled),
        cmocka_unit_test(stalled_in_a_picture),
        cmocka_unit_test(sharing),
        cmocka_unit_test(removed_while_woken),
        cmocka_unit_test(ending),
        cmocka_unit_test(messages),
        cmocka_unit_test(every_step),
        cmocka_unit_test(pieces),
        cmocka_unit_test(aac),
        cmocka_unit_test(aac_stamps),
        cmocka_unit_test(unusable),
        cmocka_unit_test(loss),
        cmocka_unit_test(taps),
        cmocka_unit_test(figures),
        cmocka_unit_test(limits),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(clips),
        cmocka_unit_test(at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
