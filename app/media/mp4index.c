#include "app/media/mp4index.h"

#include "base/bytes.h"

#include <string.h>

#define TRACKS MP4SCAN_TRACKS
#define BOX 8         /* head of a box */
#define TFRA 24       /* a tfra without its entries */
#define ENTRY 19      /* time and offset of 64 bits, three numbers of 8 */
#define MFRO 16
#define FIRST_CAP 64
/* of an index as it is written here */
#define BYTES_MAX (BOX + TRACKS * (TFRA + ENTRY * MP4INDEX_MAX) + MFRO)

void mp4index_init(struct mp4index *x, const struct gb_alloc *alloc)
{
    *x = (struct mp4index){ .alloc = alloc };
}

void mp4index_fini(struct mp4index *x)
{
    for (unsigned id = 1; id <= TRACKS; id++)
        gb_put(x->alloc, x->table[id].e);
    mp4index_init(x, x->alloc);
}

/* ---- writing ------------------------------------------------------------------------ */

/* false: no memory. */
static bool grow(struct mp4index *x, struct mp4index_table *t)
{
    size_t cap = t->cap ? 2 * t->cap : FIRST_CAP;
    struct mp4index_entry *e = gb_get(x->alloc, cap * sizeof(*e));

    if (!e)
        return false;
    if (t->n)
        memcpy(e, t->e, t->n * sizeof(*e));
    gb_put(x->alloc, t->e);
    t->e = e;
    t->cap = cap;
    return true;
}

/* Every second one stays, the first among them. */
static void thin(struct mp4index *x, unsigned id)
{
    struct mp4index_table *t = &x->table[id];

    for (size_t i = 1; 2 * i < t->n; i++)
        t->e[i] = t->e[2 * i];
    t->n = (t->n + 1) / 2;
    x->every[id] = x->every[id] ? 2 * x->every[id] : 2;
    x->seen[id] = 0;
}

static void put(struct mp4index *x, unsigned id, uint64_t pts, uint64_t off)
{
    struct mp4index_table *t = &x->table[id];

    if (t->n && ++x->seen[id] < x->every[id])
        return;
    x->seen[id] = 0;
    if (t->n == MP4INDEX_MAX)
        thin(x, id);
    if (t->n == t->cap && !grow(x, t))
        return;
    t->e[t->n++] = (struct mp4index_entry){ pts, off };
    if (id == FMP4_VIDEO_ID)
        x->sound_due = true;
}

void mp4index_add(struct mp4index *x, const char head[static FMP4_FRAGMENT_HEAD],
                  uint64_t off)
{
    struct fmp4_fragment f;

    if (!fmp4_fragment_read(&f, head) || !f.key)
        return;
    if (f.track_id == FMP4_AUDIO_ID && x->table[FMP4_VIDEO_ID].n) {
        if (!x->sound_due)
            return;
        x->sound_due = false;
    }
    put(x, f.track_id, f.dts + (uint64_t)(int64_t)f.cts, off);
}

size_t mp4index_size(const struct mp4index *x)
{
    size_t size = 0;

    for (unsigned id = 1; id <= TRACKS; id++)
        if (x->table[id].n)
            size += TFRA + ENTRY * x->table[id].n;
    return size ? BOX + size + MFRO : 0;
}

static void put_tfra(struct writer *w, unsigned id,
                     const struct mp4index_table *t)
{
    writer_be32(w, (uint32_t)(TFRA + ENTRY * t->n));
    writer_bytes(w, "tfra\1\0\0\0", 8);
    writer_be32(w, id);
    writer_be32(w, 0); /* the three numbers of an entry have 8 bits each */
    writer_be32(w, (uint32_t)t->n);
    for (size_t i = 0; i < t->n; i++) {
        writer_be64(w, t->e[i].pts);
        writer_be64(w, t->e[i].off);
        writer_bytes(w, "\1\1\1", 3); /* its only traf, trun, sample */
    }
}

void mp4index_write(const struct mp4index *x, struct writer *w)
{
    uint32_t size = (uint32_t)mp4index_size(x);

    if (size == 0)
        return;
    writer_be32(w, size);
    writer_bytes(w, "mfra", 4);
    for (unsigned id = 1; id <= TRACKS; id++)
        if (x->table[id].n)
            put_tfra(w, id, &x->table[id]);
    writer_be32(w, MFRO);
    writer_bytes(w, "mfro\0\0\0\0", 8);
    writer_be32(w, size);
}

/* ---- reading ------------------------------------------------------------------------- */

/* How many bytes the file's end says that its index has; 0: it has none. */
static uint32_t told_size(mp4scan_read_fn *read, void *ctx, uint64_t size)
{
    char mfro[MFRO];
    struct bytes r;
    uint32_t n;

    if (size < MFRO || !read(ctx, size - MFRO, mfro, MFRO) ||
        memcmp(mfro, "\0\0\0\x10mfro\0\0\0\0", MFRO - 4))
        return 0;
    r = bytes_of(mfro + MFRO - 4, 4);
    n = bytes_be32(&r);
    return n >= BOX + MFRO && n <= BYTES_MAX && n <= size ? n : 0;
}

/* One tfra as it is written above, behind the head of its box. false: another
 * one, or not as it has to be. */
static bool read_entries(struct mp4index_table *t, struct bytes *r,
                         uint64_t end)
{
    uint64_t before_pts = 0, before_off = 0;

    for (size_t i = 0; i < t->n; i++) {
        struct mp4index_entry *e = &t->e[i];

        e->pts = bytes_be64(r);
        e->off = bytes_be64(r);
        bytes_skip(r, 3);
        if (e->off >= end || e->off <= before_off ||
            e->pts > (uint64_t)INT64_MAX / 90000 || (i && e->pts <= before_pts))
            return false;
        before_pts = e->pts;
        before_off = e->off;
    }
    return t->n > 0;
}

/* Finds the track's tfra in the index's body; r is behind its count then. */
static bool find_tfra(struct bytes *r, uint32_t track, size_t *n)
{
    while (bytes_left(r) >= TFRA) {
        uint32_t size = bytes_be32(r), name = bytes_be32(r);
        uint32_t version = bytes_be32(r), id = bytes_be32(r);
        uint32_t lengths = bytes_be32(r);

        *n = bytes_be32(r);
        if (name != 0x74667261 || size < TFRA || /* "tfra" */
            size - TFRA > bytes_left(r))
            return false;
        if (id == track)
            return version == 1u << 24 && lengths == 0 &&
                   *n <= MP4INDEX_MAX && size == TFRA + ENTRY * *n;
        bytes_skip(r, size - TFRA);
    }
    return false;
}

static int read_table(struct mp4index_table *out, const struct gb_alloc *alloc,
                      uint32_t track, const char *mfra, uint32_t size,
                      uint64_t end)
{
    struct bytes r = bytes_of(mfra, size - MFRO);
    struct mp4index_table t = { .n = 0 };

    if (bytes_be32(&r) != size || bytes_be32(&r) != 0x6d667261 || /* "mfra" */
        !find_tfra(&r, track, &t.n) || t.n == 0)
        return GB_ENOENT;
    t.cap = t.n;
    t.e = gb_get(alloc, t.n * sizeof(*t.e));
    if (!t.e)
        return GB_ENOMEM;
    if (!read_entries(&t, &r, end)) {
        gb_put(alloc, t.e);
        return GB_ENOENT;
    }
    *out = t;
    return 0;
}

int mp4index_read(struct mp4index_table *out, uint64_t *end,
                  const struct gb_alloc *alloc, uint32_t track,
                  mp4scan_read_fn *read, void *ctx, uint64_t size)
{
    uint32_t n = told_size(read, ctx, size);
    char *mfra;
    int err;

    *out = (struct mp4index_table){ .n = 0 };
    if (n == 0)
        return GB_ENOENT;
    mfra = gb_get(alloc, n);
    if (!mfra)
        return GB_ENOMEM;
    *end = size - n;
    err = read(ctx, *end, mfra, n)
              ? read_table(out, alloc, track, mfra, n, *end)
              : GB_ENOENT;
    gb_put(alloc, mfra);
    return err;
}
