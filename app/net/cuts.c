#include "app/net/cuts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Heads of the file at hand and of the one whose tracks are kept. */
struct heads {
    struct mp4scan_head now, kept;
    bool any;
};

static bool read_at(void *ctx, uint64_t off, void *buf, size_t n)
{
    return pread(*(int *)ctx, buf, n, (off_t)off) == (ssize_t)n;
}

static unsigned tracks_of(const struct mp4scan_head *h)
{
    unsigned n = 0;

    for (unsigned id = 1; id <= MP4SCAN_TRACKS; id++)
        n += h->trak[id].n > 0;
    return n;
}

static void keep(struct heads *h)
{
    h->any = true;
    h->kept = h->now;
    for (unsigned id = 1; id <= MP4SCAN_TRACKS; id++)
        if (h->now.trak[id].n)
            h->kept.trak[id].p = h->kept.moov +
                                 (h->now.trak[id].p - h->now.moov);
}

/* false: one head cannot be that of this file, too. */
static bool fits(struct cuts *q, size_t i, struct heads *h)
{
    if (h->any && !mp4scan_head_is_like(&h->kept, &h->now))
        return false;
    if (!h->any || tracks_of(&h->now) > tracks_of(&h->kept)) {
        keep(h);
        q->head = i;
    }
    return true;
}

/* Players that are given a new head begin anew: an old one that is the same is
 * better for them. */
static void share(struct cuts *q, size_t i, struct heads *h)
{
    if (!h->any || !mp4scan_head_is_same(&h->kept, &h->now)) {
        keep(h);
        q->head = i;
    }
    q->file[i].head = q->head;
}

/* A file that is not there, or not one, has no parts: it went meanwhile. */
static int look(struct cuts *q, size_t i, struct heads *h)
{
    struct cuts_file *f = &q->file[i];
    const struct mp4cut_range range = {
        .from_ms = q->from_utc_ms - f->begin_utc_ms,
        .to_ms = q->to_utc_ms - f->begin_utc_ms, .part_ms = q->part_ms,
    };
    char path[ROLLS_PATH_MAX];
    struct stat st;
    int fd = -1, err = GB_ESYNTAX;

    if (rolls_path(path, q->dir, slice_str(q->device), slice_str(q->channel),
                   f->begin_utc_ms))
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (!fstat(fd, &st))
        err = mp4cut_scan(&f->cut, &h->now, &gb_alloc_heap, &range, read_at,
                          &fd, (uint64_t)st.st_size);
    close(fd);
    if (err)
        return err == GB_ENOMEM ? err : 0;
    if (!q->one)
        share(q, i, h);
    if (!q->one || fits(q, i, h))
        return 0;
    q->changed_utc_ms = f->begin_utc_ms;
    return GB_EUNSUPPORTED;
}

static void work(uv_work_t *w)
{
    struct cuts *q = w->data;
    struct heads *h = calloc(1, sizeof(*h));

    q->err = h ? 0 : GB_ENOMEM;
    for (size_t i = 0; i < q->n && !q->err; i++)
        q->err = look(q, i, h);
    free(h);
}

static void after(uv_work_t *w, int status)
{
    struct cuts *q = w->data;

    if (status)
        q->err = GB_EIO;
    q->on_done(q->ctx, q);
}

int cuts_run(uv_loop_t *loop, struct cuts *q, const char *dir)
{
    if (!slice_copy(q->dir, sizeof(q->dir), slice_str(dir)))
        return GB_ERANGE;
    q->work.data = q;
    return uv_queue_work(loop, &q->work, work, after) ? GB_EIO : 0;
}

struct cuts *cuts_new(size_t n)
{
    struct cuts *q = calloc(1, sizeof(*q) + n * sizeof(q->file[0]));

    if (q)
        q->n = n;
    return q;
}

void cuts_free(struct cuts *q)
{
    for (size_t i = 0; q && i < q->n; i++)
        mp4cut_fini(&q->file[i].cut, &gb_alloc_heap);
    free(q);
}

/* ---- export ------------------------------------------------------------------------- */

static const struct mp4cut_part *last_part(const struct cuts_file *f)
{
    return &f->cut.part[f->cut.n - 1];
}

static uint64_t file_bytes(const struct cuts_file *f)
{
    const struct mp4cut_part *last;

    if (f->cut.n == 0)
        return 0;
    last = last_part(f);
    return last->off + last->n - f->cut.part[0].off;
}

uint64_t cuts_export_bytes(const struct cuts *q)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < q->n; i++)
        sum += file_bytes(&q->file[i]);
    return sum ? sum + q->file[q->head].cut.head_bytes : 0;
}

/* Where the file's first part has its place in what goes out. */
static int64_t begin_at(const struct cuts_export *e, const struct cuts_file *f)
{
    int64_t gap_ms = cuts_part_utc_ms(f, 0) - e->end_utc_ms;

    return e->end_utc_ms && e->q->gaps && gap_ms >= RECORDER_JOIN_MS
               ? e->end90k + gap_ms * 90
               : e->end90k;
}

static void begin_file(struct cuts_export *e, const struct cuts_file *f)
{
    const struct mp4cut_part *last = last_part(f);
    int64_t first90k = f->cut.part[0].at90k;

    e->mover.shift90k = begin_at(e, f) - first90k;
    e->mover.audio_hz = f->cut.audio_hz;
    e->mover.skip = 0;
    e->end90k = last->at90k + last->length90k + e->mover.shift90k;
    e->end_utc_ms = cuts_part_utc_ms(f, f->cut.n - 1) + last->length90k / 90;
}

bool cuts_export_next(struct cuts_export *e, char path[static ROLLS_PATH_MAX],
                      uint64_t *off, uint64_t *n)
{
    const struct cuts *q = e->q;
    const struct cuts_file *f = &q->file[q->head];

    e->moves = e->at > 0;
    *off = 0;
    *n = f->cut.head_bytes;
    while (e->at && e->at <= q->n && q->file[e->at - 1].cut.n == 0)
        e->at++;
    if (e->at > q->n)
        return false;
    if (e->at) {
        f = &q->file[e->at - 1];
        begin_file(e, f);
        *off = f->cut.part[0].off;
        *n = file_bytes(f);
    }
    e->at++;
    return rolls_path(path, q->dir, slice_str(q->device),
                      slice_str(q->channel), f->begin_utc_ms);
}

size_t cuts_export_move(struct cuts_export *e, char *p, size_t n)
{
    return e->moves ? mp4cut_move(&e->mover, p, n) : n;
}

int64_t cuts_part_utc_ms(const struct cuts_file *f, size_t i)
{
    return f->begin_utc_ms + (f->cut.part[i].at90k - f->cut.first90k) / 90;
}
