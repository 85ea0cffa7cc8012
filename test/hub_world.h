/* test/hub_world.h - a hub, access units made for it, and viewers that read as
 * much as they are let */
#ifndef TEST_HUB_WORLD_H
#define TEST_HUB_WORLD_H

#include "test/support.h"

#include <stdlib.h>

#include "app/media/hub.h"
#include "app/media/mpegts.h"
#include "base/bytes.h"
#include "test/media.h"
#include "test/media_vectors.h"
#include "test/ts_reader.h"

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
    unsigned first_keys, want_keys, configs, sounds_alone, sooner;
    bool remove_on_wake;
};

static inline void pump(struct edge *e)
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

static inline void on_wake(void *ctx, struct hub_viewer *v)
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

static inline void on_first_key(void *ctx)
{
    ((struct world *)ctx)->first_keys++;
}

static inline void on_want_key(void *ctx)
{
    ((struct world *)ctx)->want_keys++;
}

static inline void on_config(void *ctx, enum media_track t,
                             const struct media_config *c)
{
    (void)t;
    assert_true(c->version > 0);
    ((struct world *)ctx)->configs++;
}

static inline void on_sound_alone(void *ctx)
{
    ((struct world *)ctx)->sounds_alone++;
}

static inline void on_sooner(void *ctx)
{
    ((struct world *)ctx)->sooner++;
}

static inline int world_open(struct world *w, const struct hub_options *opt,
                             unsigned long fail_at)
{
    struct hub_hooks hooks = { .on_wake = on_wake,
                               .on_first_key = on_first_key,
                               .on_want_key = on_want_key,
                               .on_config = on_config,
                               .on_sooner = on_sooner,
                               .on_sound_alone = on_sound_alone,
                               .ctx = w };

    memset(w, 0, sizeof(*w));
    failing_alloc_init(&w->mem, fail_at);
    au_maker_init(&w->au);
    w->now_ms = 1000;
    w->pts90k = 900000;
    return hub_new(&w->hub, &w->mem.alloc, &hooks, opt);
}

static inline void leave(struct edge *e)
{
    hub_viewer_remove(&e->v);
    free(e->got);
    e->got = NULL;
    e->n = e->cap = 0;
}

/* Whatever happened, nothing may be left. */
static inline void world_close(struct world *w)
{
    for (size_t i = 0; i < MAX_VIEWERS; i += 2)
        leave(&w->edge[i]);
    hub_free(w->hub);
    for (size_t i = 1; i < MAX_VIEWERS; i += 2)
        leave(&w->edge[i]); /* outlives the hub */
    au_maker_fini(&w->au);
    assert_int_equal(w->mem.live, 0);
}

static inline int view(struct world *w, unsigned i,
                       struct hub_viewer_options opt)
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

static inline void picture(struct world *w, bool key)
{
    hub_au(w->hub,
           key ? au_key(&w->au, w->pts90k) : au_delta(&w->au, w->pts90k),
           w->now_ms);
    w->pts90k += FRAME90K;
    w->now_ms += 40;
}

static inline void gop(struct world *w, unsigned pictures)
{
    for (unsigned i = 0; i < pictures; i++)
        picture(w, i == 0);
}

static inline void sound(struct world *w)
{
    static char pcma[320];

    memset(pcma, 0xd5, sizeof(pcma));
    hub_au(w->hub,
           au_sound(&w->au, PS_CODEC_G711A, w->pts90k,
                    slice_of(pcma, sizeof(pcma))), w->now_ms);
}

/* The samples of a moof: its trafs are tfhd, tfdt and trun. How many letters. */
static inline size_t story_moof(const uint8_t *p, char *text, size_t room)
{
    size_t off = 24, n = 0;

    while (off < bytes_be32_at(p)) {
        const uint8_t *trun = p + off + 44;

        assert_memory_equal(p + off + 4, "traf", 4);
        assert_memory_equal(trun + 4, "trun", 4);
        for (uint32_t i = 0; i < bytes_be32_at(trun + 12) && n < room; i++)
            text[n++] =
                bytes_be32_at(p + off + 20) == 2                        ? 's'
                : bytes_be32_at(trun + 28 + 16 * i) == 0x02000000 ? 'K'
                                                                  : 'p';
        off += bytes_be32_at(p + off);
    }
    assert_int_equal(off, bytes_be32_at(p));
    return n;
}

/* How often these are there. */
static inline size_t count_of(const struct edge *e, struct slice what)
{
    struct slice left = slice_of((const char *)e->got, e->n);
    size_t n = 0, at;

    while ((at = slice_find_slice(left, what)) < left.n) {
        left = slice_from(left, at + what.n);
        n++;
    }
    return n;
}

/* What an fMP4 viewer got, as letters: I init, K key, p picture, s sound.
 * Fails on anything that is not whole boxes. */
static inline const char *story_fmp4(const struct edge *e)
{
    static char text[2000];
    size_t off = 0, n = 0;

    while (off < e->n) {
        uint32_t len = bytes_be32_at(e->got + off);
        char c = '?';

        assert_true(len >= 8 && off + len <= e->n);
        if (memcmp(e->got + off + 4, "ftyp", 4) == 0)
            c = 'I';
        else if (memcmp(e->got + off + 4, "moof", 4) == 0)
            n += story_moof(e->got + off, text + n, sizeof(text) - 1 - n);
        else if (memcmp(e->got + off + 4, "mdat", 4) != 0 &&
                 memcmp(e->got + off + 4, "moov", 4) != 0 &&
                 memcmp(e->got + off + 4, "mfra", 4) != 0)
            fail_msg("box %.4s", (const char *)e->got + off + 4);
        if (c != '?' && n + 1 < sizeof(text))
            text[n++] = c;
        off += len;
    }
    text[n] = '\0';
    return text;
}

/* The same for FLV: H header, m metadata, c configuration, K, p, s. */
static inline const char *story_flv(const struct edge *e)
{
    static char text[2000];
    size_t off = 13, n = 0;

    if (e->n == 0)
        return "";
    assert_memory_equal(e->got, "FLV\x01", 4);
    text[n++] = 'H';
    while (off < e->n) {
        const uint8_t *p = e->got + off;
        uint32_t len = bytes_be32_at(p) & 0xffffff;
        char c = p[0] == 18  ? 'm'
                 : p[0] == 8 ? 's'
                 : p[12] == 0 ? 'c'
                 : p[11] >> 4 == 1 ? 'K'
                                   : 'p';

        assert_true(p[0] == 18 || p[0] == 8 || p[0] == 9);
        assert_true(off + 15 + len <= e->n);
        assert_int_equal(bytes_be32_at(p + 11 + len), 11 + len);
        text[n++] = c;
        off += 15 + len;
    }
    text[n] = '\0';
    return text;
}

/* The same for a transport stream: T tables, K, p, s. */
static inline const char *story_ts(const struct edge *e)
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

/* The same for packets of RTSP: r report, K, p, s. Pictures are told apart by
 * their marker; a gap in the sequence is '.'. */
static inline const char *story_rtp(const struct edge *e)
{
    static char text[2000];
    uint16_t seq[2] = { 0 };
    bool has_seq[2] = { false }, key = false;
    size_t off = 0, n = 0;

    while (off < e->n) {
        const uint8_t *p = e->got + off;
        size_t len = (size_t)p[2] << 8 | p[3];
        uint16_t s = (uint16_t)(p[6] << 8 | p[7]);
        unsigned t = p[1] / 2;

        assert_true(off + 4 + len <= e->n && p[0] == '$' && p[1] < 4);
        off += 4 + len;
        assert_true(n + 2 < sizeof(text));
        if (p[1] & 1) {
            text[n++] = 'r';
            continue;
        }
        if (has_seq[t] && s != (uint16_t)(seq[t] + 1))
            text[n++] = '.';
        seq[t] = s;
        has_seq[t] = true;
        key |= t == 0 && (p[16] & 0x1f) == 5;
        if (t == 1) {
            text[n++] = 's';
        } else if (p[5] >> 7) {
            text[n++] = key ? 'K' : 'p';
            key = false;
        }
    }
    text[n] = '\0';
    return text;
}

static inline const char *repeat(const char *head, char c, unsigned n)
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
#endif
