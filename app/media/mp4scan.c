#include "app/media/mp4scan.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/slice.h"

#include <string.h>

#define TRACKS MP4SCAN_TRACKS
#define HEAD 8 /* of a box */

struct walk {
    mp4scan_read_fn *read;
    void *ctx;
    uint64_t size;
    struct mp4scan_head head; /* its room takes moof after moof later */
};

static uint64_t be64(const char *p)
{
    return (uint64_t)bytes_be32_at(p) << 32 | bytes_be32_at(p + 4);
}

/* The next box inside in; false: there is none, or it is damaged. */
static bool next_box(struct slice *in, const char **type, struct slice *body)
{
    uint32_t n;

    if (in->n < HEAD)
        return false;
    n = bytes_be32_at(in->p);
    if (n < HEAD || n > in->n)
        return false;
    *type = in->p + 4;
    *body = slice_of(in->p + HEAD, n - HEAD);
    *in = slice_from(*in, n);
    return true;
}

static bool is(const char *type, const char *name)
{
    return memcmp(type, name, 4) == 0;
}

/* The body of the first box of this name; empty: none. */
static struct slice child(struct slice in, const char *name)
{
    const char *type;
    struct slice body;

    while (next_box(&in, &type, &body))
        if (is(type, name))
            return body;
    return slice_of(NULL, 0);
}

/* ---- the head ------------------------------------------------------------------- */

/* Version 0 alone, as we write it. */
static void read_trak(struct mp4scan_head *h, struct slice trak)
{
    struct slice tkhd = child(trak, "tkhd");
    struct slice mdhd = child(child(trak, "mdia"), "mdhd");
    uint32_t id = tkhd.n >= 16 ? bytes_be32_at(tkhd.p + 12) : 0;

    if (id < 1 || id > TRACKS || mdhd.n < 16)
        return;
    h->timescale[id] = bytes_be32_at(mdhd.p + 12);
    h->trak[id] = trak;
}

static void read_moov(struct mp4scan_head *h, struct slice moov)
{
    const char *type;
    struct slice body;

    while (next_box(&moov, &type, &body))
        if (is(type, "trak"))
            read_trak(h, body);
}

/* ---- fragments -------------------------------------------------------------------- */

/* Durations of the samples of one run; those that it does not tell are 0. */
static uint64_t run_duration(struct slice trun)
{
    uint32_t flags, n;
    size_t at = 8, each = 0;
    uint64_t sum = 0;

    if (trun.n < 8)
        return 0;
    flags = bytes_be32_at(trun.p) & 0xffffff;
    n = bytes_be32_at(trun.p + 4);
    at += (flags & 1 ? 4u : 0) + (flags & 4 ? 4u : 0);
    for (unsigned bit = 0x100; bit <= 0x800; bit <<= 1)
        each += flags & bit ? 4u : 0;
    if (!(flags & 0x100))
        return 0;
    for (uint32_t i = 0; i < n && at + each <= trun.n; i++, at += each)
        sum += bytes_be32_at(trun.p + at);
    return sum;
}

/* Where what is in it begins and ends, ms. */
static uint64_t traf_end_ms(const struct mp4scan_head *h, struct slice traf,
                            uint64_t *begin_ms)
{
    struct slice tfhd = child(traf, "tfhd"), tfdt = child(traf, "tfdt");
    uint32_t id = tfhd.n >= 8 ? bytes_be32_at(tfhd.p + 4) : 0;
    uint64_t at;

    if (id < 1 || id > TRACKS || !h->timescale[id] || tfdt.n < 8)
        return 0;
    at = tfdt.p[0] == 1 && tfdt.n >= 12 ? be64(tfdt.p + 4)
                                        : bytes_be32_at(tfdt.p + 4);
    if (at > UINT64_MAX / 2000)
        return 0;
    *begin_ms = at * 1000 / h->timescale[id];
    return (at + run_duration(child(traf, "trun"))) * 1000 / h->timescale[id];
}

static void read_moof(const struct mp4scan_head *h, struct slice moof,
                      struct mp4scan *out)
{
    const char *type;
    struct slice body;

    while (next_box(&moof, &type, &body)) {
        uint64_t begin_ms = 0;
        uint64_t end_ms = is(type, "traf") ? traf_end_ms(h, body, &begin_ms)
                                           : 0;

        if (out->fragments == 0 && out->start_ms == 0)
            out->start_ms = begin_ms;
        if (end_ms > out->start_ms + out->duration_ms)
            out->duration_ms = end_ms - out->start_ms;
    }
}

/* ---- the file ---------------------------------------------------------------------- */

struct box {
    uint64_t off, n;
    char type[4];
};

/* false: it is not there as a whole. */
static bool box_at(const struct walk *w, uint64_t off, struct box *b)
{
    char head[HEAD];

    if (off > w->size || w->size - off < HEAD ||
        !w->read(w->ctx, off, head, HEAD))
        return false;
    b->off = off;
    b->n = bytes_be32_at(head);
    memcpy(b->type, head + 4, 4);
    return b->n >= HEAD && b->n <= w->size - off;
}

/* Its body in w->head.moov; false: too large, or not readable. */
static bool load(struct walk *w, const struct box *b, struct slice *body)
{
    size_t n = (size_t)(b->n - HEAD);

    *body = slice_of(w->head.moov, n);
    return b->n - HEAD <= sizeof(w->head.moov) &&
           w->read(w->ctx, b->off + HEAD, w->head.moov, n);
}

/* One moof with its mdat; false: not whole. */
static bool fragment(struct walk *w, struct mp4scan *out)
{
    struct box moof, mdat;
    struct slice body;

    if (!box_at(w, out->bytes, &moof) || !is(moof.type, "moof") ||
        !box_at(w, moof.off + moof.n, &mdat) || !is(mdat.type, "mdat") ||
        !load(w, &moof, &body))
        return false;
    read_moof(&w->head, body, out);
    out->bytes = mdat.off + mdat.n;
    out->fragments++;
    return true;
}

/* Reads on to the end of moov. */
static int read_head(struct walk *w)
{
    struct mp4scan_head *h = &w->head;
    struct slice body;
    struct box b;
    uint64_t at = 0;

    while (box_at(w, at, &b)) {
        bool is_moov = is(b.type, "moov");

        if ((!is_moov && !is(b.type, "ftyp")) ||
            (is_moov && !load(w, &b, &body)))
            return GB_ESYNTAX;
        at += b.n;
        if (!is_moov)
            continue;
        read_moov(h, body);
        h->bytes = at;
        return 0;
    }
    return GB_ESYNTAX;
}

int mp4scan_head(struct mp4scan_head *h, mp4scan_read_fn *read, void *ctx,
                 uint64_t size)
{
    struct walk w = { .read = read, .ctx = ctx, .size = size };
    int err = read_head(&w);

    if (err)
        return err;
    *h = w.head;
    for (unsigned id = 1; id <= TRACKS; id++)
        if (h->trak[id].n)
            h->trak[id].p = h->moov + (w.head.trak[id].p - w.head.moov);
    return 0;
}

bool mp4scan_head_is_same(const struct mp4scan_head *a,
                          const struct mp4scan_head *b)
{
    for (unsigned id = 1; id <= TRACKS; id++)
        if (!slice_eq(a->trak[id], b->trak[id]))
            return false;
    return true;
}

bool mp4scan_head_is_like(const struct mp4scan_head *a,
                          const struct mp4scan_head *b)
{
    bool shared = false;

    for (unsigned id = 1; id <= TRACKS; id++) {
        if (!a->trak[id].n || !b->trak[id].n)
            continue;
        if (!slice_eq(a->trak[id], b->trak[id]))
            return false;
        shared = true;
    }
    return shared;
}

int mp4scan_from(struct mp4scan *out, mp4scan_read_fn *read, void *ctx,
                 uint64_t size, uint64_t from)
{
    struct walk w = { .read = read, .ctx = ctx, .size = size };
    struct box last;

    *out = (struct mp4scan){ 0 };
    if (read_head(&w))
        return GB_ESYNTAX;
    out->bytes = out->head_bytes = w.head.bytes;
    out->sound = w.head.timescale[2] != 0;
    while (fragment(&w, out))
        if (out->fragments == 1 && from > out->bytes)
            out->bytes = from;
    if (box_at(&w, out->bytes, &last) && is(last.type, "mfra") &&
        last.n == size - out->bytes)
        out->bytes = size;
    return 0;
}

int mp4scan(struct mp4scan *out, mp4scan_read_fn *read, void *ctx,
            uint64_t size)
{
    return mp4scan_from(out, read, ctx, size, 0);
}
