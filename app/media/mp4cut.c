#include "app/media/mp4cut.h"

#include "app/media/fmp4.h"
#include "app/media/mp4index.h"
#include "base/bytes.h"

#include <string.h>

#define FIRST_CAP 16
#define BOX 8          /* the head of one */
#define TKHD_NUMBER 20 /* of a track, behind the head of trak: tkhd is first */
#define TREX_NUMBER 4  /* likewise of trex */
#define TIME_MAX (1ull << 44) /* of a fragment: what is above it is no time */
#define RATE_MAX (1 << 18)    /* of a track that is moved, in Hz */

struct scan {
    struct mp4cut *out;
    const struct gb_alloc *alloc;
    mp4scan_read_fn *read;
    void *ctx;
    uint64_t size; /* of the fragments and what is before them */
    int64_t from90k, to90k, part90k; /* on the file's clock, but for part90k */
    uint32_t timescale[MP4SCAN_TRACKS + 1];
    uint32_t track; /* whose key frames cut */
    int64_t end90k; /* of what was seen of it */
    bool begun, over;
};

static int64_t to_90k(uint64_t time, uint32_t timescale)
{
    return (int64_t)(time / timescale * 90000 +
                     time % timescale * 90000 / timescale);
}

/* ---- parts ------------------------------------------------------------------------ */

static int add_part(struct scan *s, uint64_t off, int64_t at90k)
{
    struct mp4cut *c = s->out;
    size_t cap = c->cap ? 2 * c->cap : FIRST_CAP;
    struct mp4cut_part *part;

    if (c->n == c->cap) {
        part = gb_get(s->alloc, cap * sizeof(*part));
        if (!part)
            return GB_ENOMEM;
        if (c->n)
            memcpy(part, c->part, c->n * sizeof(*part));
        gb_put(s->alloc, c->part);
        c->part = part;
        c->cap = cap;
    }
    c->part[c->n++] = (struct mp4cut_part){ .off = off, .at90k = at90k };
    return 0;
}

static void end_part(struct scan *s, uint64_t off, int64_t at90k)
{
    struct mp4cut_part *p = &s->out->part[s->out->n - 1];

    p->n = off - p->off;
    p->length90k = at90k > p->at90k ? at90k - p->at90k : 0;
}

/* A key frame that may be a border. */
static int on_key(struct scan *s, uint64_t off, int64_t at90k)
{
    struct mp4cut *c = s->out;

    if (!s->begun) {
        s->begun = true;
        c->first90k = at90k;
        s->from90k += at90k;
        s->to90k += at90k;
    }
    if (c->n && at90k >= s->to90k) {
        s->over = true;
        s->end90k = at90k;
        return 0;
    }
    if (at90k <= s->from90k)
        c->n = 0;
    if (c->n && (at90k - c->part[c->n - 1].at90k < s->part90k ||
                 c->n == MP4CUT_PARTS_MAX))
        return 0;
    if (c->n)
        end_part(s, off, at90k);
    return add_part(s, off, at90k);
}

/* The fragment that begins at off. false: there is none. */
static bool read_fragment(const struct scan *s, struct fmp4_fragment *f,
                          uint64_t off)
{
    char head[FMP4_FRAGMENT_HEAD];

    return off <= s->size && s->size - off >= FMP4_FRAGMENT_HEAD &&
           s->read(s->ctx, off, head, sizeof(head)) &&
           fmp4_fragment_read(f, head) &&
           f->size <= s->size - off - FMP4_FRAGMENT_HEAD;
}

static int on_fragment(struct scan *s, const struct fmp4_fragment *f,
                       uint64_t off)
{
    int64_t at90k;
    int err;

    if (f->track_id != s->track || f->dts > TIME_MAX)
        return 0;
    at90k = to_90k(f->dts, s->timescale[s->track]);
    err = f->key ? on_key(s, off, at90k) : 0;
    if (!s->over)
        s->end90k = at90k + to_90k(f->duration, s->timescale[s->track]);
    return err;
}

/* One fragment after the other, from off on. */
static int walk(struct scan *s, uint64_t off)
{
    struct fmp4_fragment f;
    int err = 0;

    while (!err && !s->over && read_fragment(s, &f, off)) {
        err = on_fragment(s, &f, off);
        if (!s->over)
            off += FMP4_FRAGMENT_HEAD + f.size;
    }
    if (!err && s->out->n == 0)
        err = GB_ESYNTAX;
    if (!err)
        end_part(s, off, s->end90k);
    return err;
}

/* ---- by the index ------------------------------------------------------------------- */

/* No border can be at e, whatever its fragment says: it is shown no earlier than
 * it is decoded. */
static bool is_between(const struct scan *s, const struct mp4index_entry *e)
{
    const struct mp4cut *c = s->out;
    int64_t at90k = to_90k(e[0].pts, s->timescale[s->track]);
    int64_t next90k = to_90k(e[1].pts, s->timescale[s->track]);

    if (!s->begun)
        return false;
    if (next90k <= s->from90k && next90k < s->to90k)
        return true; /* nor a beginning: the next one is better */
    return c->n && at90k > s->from90k && at90k < s->to90k &&
           (at90k - c->part[c->n - 1].at90k < s->part90k ||
            c->n == MP4CUT_PARTS_MAX);
}

/* The fragment of an entry. false: it is another one. */
static bool read_entry(const struct scan *s, struct fmp4_fragment *f,
                       const struct mp4index_entry *e)
{
    return read_fragment(s, f, e->off) && f->key && f->track_id == s->track &&
           f->cts >= 0 && f->dts + (uint64_t)f->cts == e->pts;
}

/* From the last key frame that is told on it is walked. GB_ENOENT: the index is
 * not that of this file. */
static int walk_by(struct scan *s, const struct mp4index_table *t)
{
    const struct mp4index_entry *last = &t->e[t->n - 1], *e = t->e;
    struct fmp4_fragment f;
    int err = 0;

    for (; e < last; e++) {
        if (is_between(s, e))
            continue;
        if (!read_entry(s, &f, e))
            return GB_ENOENT;
        err = on_fragment(s, &f, e->off);
        if (err || s->over)
            break;
    }
    if (!err && e == last && !read_entry(s, &f, e))
        err = GB_ENOENT;
    return err ? err : walk(s, e->off);
}

/* The scan before it: what a bad index has led to is forgotten. */
static int by_index(const struct scan *begin)
{
    struct scan s = *begin;
    struct mp4index_table t;
    int err = mp4index_read(&t, &s.size, s.alloc, s.track, s.read, s.ctx,
                            begin->size);

    if (err)
        return err;
    err = t.e[0].off >= s.out->head_bytes ? walk_by(&s, &t) : GB_ENOENT;
    gb_put(s.alloc, t.e);
    return err;
}

int mp4cut_scan(struct mp4cut *out, struct mp4scan_head *head,
                const struct gb_alloc *alloc, const struct mp4cut_range *range,
                mp4scan_read_fn *read, void *ctx, uint64_t size)
{
    struct scan s = { .out = out, .alloc = alloc, .read = read, .ctx = ctx,
                      .size = size,
                      .from90k = range->from_ms * 90,
                      .to90k = range->to_ms * 90,
                      .part90k = (int64_t)range->part_ms * 90 };
    int err = mp4scan_head(head, read, ctx, size);

    *out = (struct mp4cut){ 0 };
    if (err)
        return err;
    memcpy(s.timescale, head->timescale, sizeof(s.timescale));
    s.track = s.timescale[FMP4_VIDEO_ID] ? FMP4_VIDEO_ID : FMP4_AUDIO_ID;
    if (!s.timescale[s.track])
        return GB_ESYNTAX;
    out->head_bytes = head->bytes;
    out->audio_hz = s.timescale[FMP4_AUDIO_ID];
    err = by_index(&s);
    if (err && err != GB_ENOMEM) {
        out->n = 0;
        err = walk(&s, out->head_bytes);
    }
    if (err)
        mp4cut_fini(out, alloc);
    return err;
}

void mp4cut_fini(struct mp4cut *c, const struct gb_alloc *alloc)
{
    gb_put(alloc, c->part);
    *c = (struct mp4cut){ 0 };
}

/* ---- moving ------------------------------------------------------------------------- */

static int64_t paced(const struct mp4cut_mover *m, int64_t t)
{
    int64_t q = m->quarters;

    if (!mp4cut_is_paced(m->quarters))
        return t;
    return t / q * MP4CUT_AS_IS + t % q * MP4CUT_AS_IS / q;
}

/* false: it has no place before what was there already. */
static bool place(struct mp4cut_mover *m, struct fmp4_fragment *f)
{
    int64_t rate = f->track_id == FMP4_VIDEO_ID ? 90000 : m->audio_hz;
    int64_t whole = m->shift90k / 90000, at, end;

    if (f->dts > TIME_MAX || rate > RATE_MAX || whole > (int64_t)TIME_MAX ||
        whole < -(int64_t)TIME_MAX)
        return false;
    at = (int64_t)f->dts + whole * rate + m->shift90k % 90000 * rate / 90000;
    if (at < 0 || at > INT64_MAX / 16)
        return false;
    end = paced(m, at + f->duration); /* no hole by what is cut off */
    at = paced(m, at);
    if ((uint64_t)at < m->next[f->track_id])
        return false;
    f->dts = (uint64_t)at;
    f->duration = (uint32_t)(end - at);
    f->cts = (int32_t)paced(m, f->cts);
    m->next[f->track_id] = f->dts + 1;
    return true;
}

static void move_one(struct mp4cut_mover *m, char *p, struct fmp4_fragment *f)
{
    bool silent = mp4cut_is_paced(m->quarters) &&
                  f->track_id != FMP4_VIDEO_ID;

    if (!silent && place(m, f))
        fmp4_fragment_move(p, ++m->sequence, f);
    else
        fmp4_fragment_blank(p);
    m->skip = f->size;
}

size_t mp4cut_move(struct mp4cut_mover *m, char *p, size_t n)
{
    struct fmp4_fragment f;
    size_t at = 0, some;

    while (at < n) {
        some = m->skip < n - at ? (size_t)m->skip : n - at;
        at += some;
        m->skip -= some;
        if (m->skip || n - at < FMP4_FRAGMENT_HEAD)
            return at;
        if (!fmp4_fragment_read(&f, p + at))
            return at;
        move_one(m, p + at, &f);
        at += FMP4_FRAGMENT_HEAD;
    }
    return at;
}

/* ---- without sound -------------------------------------------------------------------- */

/* The box at *at of the n bytes, of this type: where it ends; *at is behind its
 * head. 0: it is another one, over which *at goes, or n is reached. */
static size_t enter(const char *p, size_t *at, size_t n, const char *type)
{
    uint32_t size = n - *at >= BOX ? bytes_be32_at(p + *at) : 0;
    size_t box = *at;

    if (size < BOX || size > n - *at) {
        *at = n;
        return 0;
    }
    if (memcmp(p + *at + 4, type, 4)) {
        *at += size;
        return 0;
    }
    *at += BOX;
    return box + size;
}

/* Boxes of this type whose number, so far behind their head, is that of sound. */
static void mute_in(char *p, size_t at, size_t n, const char *type,
                    size_t number)
{
    while (at < n) {
        size_t box = at, end = enter(p, &at, n, type);

        if (!end)
            continue;
        if (box + BOX + number + 4 <= end &&
            bytes_be32_at(p + box + BOX + number) == FMP4_AUDIO_ID)
            memcpy(p + box + 4, "free", 4);
        at = end;
    }
}

/* What lies in the first box of this type. */
static size_t find(const char *p, size_t *at, size_t n, const char *type)
{
    size_t end = 0;

    while (*at < n && !end)
        end = enter(p, at, n, type);
    return end;
}

void mp4cut_mute(char *p, size_t n)
{
    size_t at = 0, moov = find(p, &at, n, "moov"), mvex;

    mute_in(p, at, moov, "trak", TKHD_NUMBER);
    mvex = find(p, &at, moov, "mvex");
    if (mvex)
        mute_in(p, at, mvex, "trex", TREX_NUMBER);
}
