#include "app/net/cuts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Heads of the file at hand and of the one whose tracks are kept. */
struct cuts_heads {
    struct mp4scan_head now, kept;
    bool any;
};

static unsigned tracks_of(const struct mp4scan_head *h)
{
    unsigned n = 0;

    for (unsigned id = 1; id <= MP4SCAN_TRACKS; id++)
        n += h->trak[id].n > 0;
    return n;
}

static void keep(struct cuts_heads *h)
{
    h->any = true;
    h->kept = h->now;
    for (unsigned id = 1; id <= MP4SCAN_TRACKS; id++)
        if (h->now.trak[id].n)
            h->kept.trak[id].p = h->kept.moov +
                                 (h->now.trak[id].p - h->now.moov);
}

/* false: one head cannot be that of this file, too. */
static bool fits(struct cuts *q, size_t i, struct cuts_heads *h)
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
static void share(struct cuts *q, size_t i, struct cuts_heads *h)
{
    if (!h->any || !mp4scan_head_is_same(&h->kept, &h->now)) {
        keep(h);
        q->head = i;
    }
    q->file[i].head = q->head;
}

/* A file that is not there, or not one, has no parts: it went meanwhile. */
static int look(struct cuts *q, size_t i, struct cuts_heads *h)
{
    struct cuts_file *f = &q->file[i];
    const struct mp4cut_range range = {
        .from_ms = q->from_utc_ms - f->begin_utc_ms,
        .to_ms = q->to_utc_ms - f->begin_utc_ms, .part_ms = q->part_ms,
    };
    char path[ROLLS_PATH_MAX];
    struct stat st;
    int fd = -1, err = GB_ESYNTAX;

    if (rolls_path(path, volumes_dir(q->volumes, f->volume),
                   slice_str(q->device), slice_str(q->channel),
                   f->begin_utc_ms))
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (!fstat(fd, &st))
        err = mp4cut_scan(&f->cut, &h->now, &gb_alloc_heap, &range, disk_read_at,
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

/* ---- one behind the other ------------------------------------------------------------ */

static const struct mp4cut_part *last_part(const struct cuts_file *f)
{
    return &f->cut.part[f->cut.n - 1];
}

void cuts_place(struct cuts *q)
{
    int64_t end90k = q->one ? 0 : RECORDER_LEAD90K, end_utc_ms = 0;
    size_t head = q->n; /* none yet */

    for (size_t i = 0; i < q->n; i++) {
        struct cuts_file *f = &q->file[i];
        int64_t gap_ms;

        if (f->cut.n == 0)
            continue;
        gap_ms = end_utc_ms ? cuts_part_utc_ms(f, 0) - end_utc_ms : 0;
        f->joins = head == f->head && gap_ms < RECORDER_JOIN_MS;
        if (q->gaps && gap_ms >= RECORDER_JOIN_MS)
            end90k += gap_ms * 90;
        f->shift90k = end90k - f->cut.part[0].at90k;
        end90k = last_part(f)->at90k + last_part(f)->length90k + f->shift90k;
        end_utc_ms = cuts_part_utc_ms(f, f->cut.n - 1) +
                     last_part(f)->length90k / 90;
        head = f->head;
    }
}

/* ---- on the disk ----------------------------------------------------------------------- */

static unsigned volume_of(const struct cuts *q)
{
    return q->at < q->n ? q->file[q->at].volume : 0;
}

/* As far as files lie on one disk. */
static void work(struct disk_job *j)
{
    struct cuts *q = container_of(j, struct cuts, job);
    unsigned volume = volume_of(q);

    do {
        if (q->at < q->n)
            q->err = look(q, q->at++, q->heads);
    } while (!q->err && q->at < q->n && volume_of(q) == volume);
}

static void after(struct disk_job *j)
{
    struct cuts *q = container_of(j, struct cuts, job);

    if (!q->err && q->at < q->n) {
        disk_run(volumes_disk(q->volumes, volume_of(q)), q->loop, DISK_LOOK,
                 j);
        return;
    }
    free(q->heads);
    q->heads = NULL;
    cuts_place(q);
    q->on_done(q->ctx, q);
}

int cuts_run(const struct volumes *v, uv_loop_t *loop, struct cuts *q)
{
    q->heads = calloc(1, sizeof(*q->heads));
    if (!q->heads)
        return GB_ENOMEM;
    q->volumes = v;
    q->loop = loop;
    q->job.work = work;
    q->job.done = after;
    disk_run(volumes_disk(v, volume_of(q)), loop, DISK_LOOK, &q->job);
    return 0;
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
        e->mover.quarters = q->quarters;
        e->mover.shift90k = f->shift90k;
        e->mover.audio_hz = f->cut.audio_hz;
        e->mover.skip = 0;
        *off = f->cut.part[0].off;
        *n = file_bytes(f);
    }
    e->at++;
    e->volume = f->volume;
    return rolls_path(path, volumes_dir(q->volumes, f->volume),
                      slice_str(q->device), slice_str(q->channel),
                      f->begin_utc_ms);
}

size_t cuts_export_move(struct cuts_export *e, char *p, size_t n)
{
    if (e->moves)
        return mp4cut_move(&e->mover, p, n);
    if (mp4cut_is_paced(e->q->quarters))
        mp4cut_mute(p, n);
    return n;
}

int64_t cuts_part_utc_ms(const struct cuts_file *f, size_t i)
{
    return f->begin_utc_ms + (f->cut.part[i].at90k - f->cut.first90k) / 90;
}
