#include "app/media/mp4cut.h"

#include "app/media/fmp4.h"

#include <string.h>

#define FIRST_CAP 16

struct scan {
    struct mp4cut *out;
    const struct gb_alloc *alloc;
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
    p->length90k = at90k - p->at90k;
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
static bool read_fragment(struct fmp4_fragment *f, uint64_t off,
                          mp4scan_read_fn *read, void *ctx, uint64_t size)
{
    char head[FMP4_FRAGMENT_HEAD];

    return size - off >= FMP4_FRAGMENT_HEAD &&
           read(ctx, off, head, sizeof(head)) && fmp4_fragment_read(f, head) &&
           f->size <= size - off - FMP4_FRAGMENT_HEAD;
}

static int on_fragment(struct scan *s, const struct fmp4_fragment *f,
                       uint64_t off)
{
    int64_t at90k;
    int err;

    if (f->track_id != s->track || f->dts > (uint64_t)INT64_MAX / 90000)
        return 0;
    at90k = to_90k(f->dts, s->timescale[s->track]);
    err = f->key ? on_key(s, off, at90k) : 0;
    if (!s->over)
        s->end90k = at90k + to_90k(f->duration, s->timescale[s->track]);
    return err;
}

static int scan_fragments(struct scan *s, mp4scan_read_fn *read, void *ctx,
                          uint64_t size)
{
    uint64_t off = s->out->head_bytes;
    struct fmp4_fragment f;

    while (read_fragment(&f, off, read, ctx, size)) {
        int err = on_fragment(s, &f, off);

        if (err)
            return err;
        if (s->over)
            break;
        off += FMP4_FRAGMENT_HEAD + f.size;
    }
    if (s->out->n == 0)
        return GB_ESYNTAX;
    end_part(s, off, s->end90k);
    return 0;
}

int mp4cut_scan(struct mp4cut *out, struct mp4scan_head *head,
                const struct gb_alloc *alloc, const struct mp4cut_range *range,
                mp4scan_read_fn *read, void *ctx, uint64_t size)
{
    struct scan s = { .out = out, .alloc = alloc,
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
    err = scan_fragments(&s, read, ctx, size);
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

/* false: it has no place before what was there already. */
static bool place(struct mp4cut_mover *m, const struct fmp4_fragment *f,
                  uint64_t *dts)
{
    int64_t rate = f->track_id == FMP4_VIDEO_ID ? 90000 : m->audio_hz;
    int64_t shift = m->shift90k / 90000 * rate +
                    m->shift90k % 90000 * rate / 90000;
    int64_t at = (int64_t)f->dts + shift;

    if (f->dts > (uint64_t)INT64_MAX / 2 || at < 0 ||
        (uint64_t)at < m->next[f->track_id])
        return false;
    *dts = (uint64_t)at;
    m->next[f->track_id] = *dts + 1;
    return true;
}

static void move_one(struct mp4cut_mover *m, char *p,
                     const struct fmp4_fragment *f)
{
    uint64_t dts;

    if (place(m, f, &dts))
        fmp4_fragment_move(p, ++m->sequence, dts);
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
