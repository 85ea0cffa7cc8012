/* A recorded file of anybody's: what is found of it lies inside it, in order,
 * and each part begins with a fragment. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include <stdlib.h>
#include <string.h>

#include "app/media/fmp4.h"
#include "app/media/mp4cut.h"
#include "app/media/mp4index.h"

struct file {
    const uint8_t *p;
    size_t n;
};

static bool read_bytes(void *ctx, uint64_t off, void *buf, size_t n)
{
    const struct file *f = ctx;

    if (off > f->n || n > f->n - off)
        return false;
    memcpy(buf, f->p + off, n);
    return true;
}

/* Parts that are read in pieces: no more leaves than comes. */
static void move(const struct file *f, const struct mp4cut *c,
                 uint32_t quarters)
{
    struct mp4cut_mover m = { .quarters = quarters,
                              .shift90k = -c->part[0].at90k,
                              .audio_hz = c->audio_hz };
    size_t at = (size_t)c->part[0].off, end, k;
    char buf[300];

    end = (size_t)(c->part[c->n - 1].off + c->part[c->n - 1].n);
    do {
        size_t n = end - at < sizeof(buf) ? end - at : sizeof(buf);

        memcpy(buf, f->p + at, n);
        k = mp4cut_move(&m, buf, n);
        require(k <= n);
        at += k;
    } while (k && at < end);
}

static void check(const struct file *f, const struct mp4cut *c)
{
    uint64_t end = c->head_bytes;

    require(c->n > 0);
    for (size_t i = 0; i < c->n; i++) {
        const struct mp4cut_part *p = &c->part[i];
        struct fmp4_fragment g;

        require(p->off >= end && (i == 0 || p->off == end));
        require(p->off <= f->n && p->n <= f->n - p->off && p->length90k >= 0);
        require(p->n == 0 || p->n >= FMP4_FRAGMENT_HEAD);
        if (p->n)
            require(fmp4_fragment_read(&g, (const char *)f->p + p->off) && g.key);
        end = p->off + p->n;
    }
    move(f, c, MP4CUT_AS_IS);
    move(f, c, 3);
}

/* Of a head, or of what is none, in place. */
static void mute(const struct file *f)
{
    char *p = memory_get(NULL, f->n);

    if (f->n)
        memcpy(p, f->p, f->n);
    mp4cut_mute(p, f->n);
    memory_put(NULL, p);
}

static void check_index(struct file *f, uint32_t track)
{
    struct mp4index_table t;
    uint64_t end = 0;

    if (mp4index_read(&t, &end, &memory_alloc, track, read_bytes, f, f->n))
        return;
    require(t.n > 0 && t.n <= MP4INDEX_MAX && end < f->n);
    for (size_t i = 0; i < t.n; i++)
        require(t.e[i].off < end && (!i || (t.e[i].off > t.e[i - 1].off &&
                                         t.e[i].pts > t.e[i - 1].pts)));
    gb_put(&memory_alloc, t.e);
}

/* Times that do not rise (a file of somebody else's) make no index. */
static bool rises(const struct mp4index_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->e[i].pts > (uint64_t)INT64_MAX / 90000 ||
            (i && (t->e[i].pts <= t->e[i - 1].pts ||
                   t->e[i].off <= t->e[i - 1].off)))
            return false;
    return t->n > 0;
}

static void same_table(const struct mp4index_table *want,
                       struct file *g, uint32_t track, uint64_t at)
{
    struct mp4index_table t;
    uint64_t end = 0;
    int err = mp4index_read(&t, &end, &memory_alloc, track, read_bytes, g,
                            g->n);

    require((err == 0) == rises(want));
    if (err)
        return;
    require(end == at && t.n == want->n);
    require(memcmp(t.e, want->e, t.n * sizeof(*t.e)) == 0);
    gb_put(&memory_alloc, t.e);
}

/* An index of the parts, at the file's end, is read as it was written. */
static void indexed(const struct file *f, const struct mp4cut *c)
{
    uint8_t *whole = NULL;
    struct mp4index x;
    struct writer w;
    size_t n;

    mp4index_init(&x, &memory_alloc);
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i].n)
            mp4index_add(&x, (const char *)f->p + c->part[i].off,
                         c->part[i].off);
    n = mp4index_size(&x);
    if (n) {
        struct file g = { NULL, f->n + n };

        whole = memory_get(NULL, g.n);
        memcpy(whole, f->p, f->n);
        w = writer_of(whole + f->n, n);
        mp4index_write(&x, &w);
        require(w.err == 0 && w.len == n);
        g.p = whole;
        for (uint32_t id = 1; id <= MP4SCAN_TRACKS; id++)
            same_table(&x.table[id], &g, id, f->n);
    }
    memory_put(NULL, whole);
    mp4index_fini(&x);
}

/* The head of a file is its own; one of no tracks is like no other. */
static void heads(struct file *f)
{
    static struct mp4scan_head a, none;

    if (mp4scan_head(&a, read_bytes, f, f->n))
        return;
    require(mp4scan_head_is_same(&a, &a));
    require(mp4scan_head_is_like(&a, &a) == (a.trak[1].n || a.trak[2].n));
    require(!mp4scan_head_is_like(&a, &none));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mp4cut_range range[] = {
        { -1000, 10000000, 0 }, { 0, 1000, UINT32_MAX }, { 700, 1500, 500 },
    };
    static struct mp4scan_head head;
    struct file f = { data, size };
    struct mp4scan whole;
    struct mp4cut c;

    memory_begin(0);
    for (size_t i = 0; i < sizeof(range) / sizeof(*range); i++)
        if (!mp4cut_scan(&c, &head, &memory_alloc, &range[i], read_bytes, &f,
                         size)) {
            check(&f, &c);
            indexed(&f, &c);
            mp4cut_fini(&c, &memory_alloc);
        }
    if (!mp4scan(&whole, read_bytes, &f, size))
        require(whole.head_bytes <= whole.bytes && whole.bytes <= size);
    heads(&f);
    check_index(&f, FMP4_VIDEO_ID);
    check_index(&f, FMP4_AUDIO_ID);
    mute(&f);
    memory_end();
    return 0;
}
