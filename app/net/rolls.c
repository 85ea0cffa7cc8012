#include "app/net/rolls.h"

#include "app/media/mp4index.h"
#include "app/media/mp4scan.h"
#include "app/net/mp4end.h"
#include "app/platform/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OPEN_TRIES 3

enum job { JOB_NONE, JOB_OPEN, JOB_WRITE, JOB_CLOSE };

/* Of its media loop from deliver_start to OVER; its node is the main loop's. */
struct roll {
    struct list node; /* in rolls.all */
    struct rolls *rolls;
    uint64_t id, session;
    struct media_loop *loop;
    unsigned loop_number;
    struct hub *hub;
    struct hub_tap tap;
    struct recorder rec;
    char device[64], channel[64];
    enum rolls_sync sync;
    bool cached;
    atomic_bool stop;  /* wanted by main, should its mail not come */
    bool over;         /* no further frame */
    bool failed;
    /* the disk */
    unsigned volume;
    char path[ROLLS_PATH_MAX];
    int fd;
    struct disk_job work;
    enum job job;
    struct recorder_piece *piece; /* on its way */
    int err;           /* an errno */
    int64_t begin_ms, end_ms;
    uint64_t bytes, reported_ms;
    uint64_t written_ms; /* 0: nothing yet, and what comes goes out at once */
    bool in_file;      /* a segment is begun and not closed */
    bool sound;        /* it has some */
    size_t gathered;   /* as rolls.gathered has it */
};

_Static_assert(VOLUME_DIR_MAX + 2 * 3 * sizeof(((struct roll *)0)->device) +
                       sizeof("//20261128/9223372036854775807.mp4") <
                   ROLLS_PATH_MAX, "any name is short enough");

struct rolls {
    struct rolls_config o;
    struct list all;
    atomic_size_t gathered; /* by all of them */
};

struct report_mail {
    struct mail mail;
    struct roll *roll;
    struct rolls_report r;
    char text[96];
};

struct order_mail {
    struct mail mail;
    struct roll *roll;
};

static void pump(struct roll *f);

/* ---- paths ------------------------------------------------------------------------- */

bool rolls_path(char out[static ROLLS_PATH_MAX], const char *dir,
                struct slice device, struct slice channel,
                int64_t begin_utc_ms)
{
    struct writer w = writer_of(out, ROLLS_PATH_MAX - 1);

    writer_str(&w, dir);
    writer_char(&w, '/');
    archive_path(&w, device, channel, begin_utc_ms);
    out[w.len] = '\0';
    return !w.err;
}

/* ---- reports ----------------------------------------------------------------------- */

static void deliver_report(struct mail *m)
{
    struct report_mail *e = container_of(m, struct report_mail, mail);
    struct roll *f = e->roll;
    struct rolls *r = f->rolls;

    e->r.text = e->text;
    if (e->r.event == ROLLS_OVER) {
        list_remove(&f->node);
        recorder_fini(&f->rec);
        free(f);
    }
    r->o.on_roll(r->o.ctx, &e->r);
    free(e);
}

/* OVER and CLOSED always come through. */
static void report(struct roll *f, enum rolls_event event)
{
    struct report_mail *e = calloc(1, sizeof(*e));

    while (!e && event != ROLLS_GROWN)
        e = calloc(1, sizeof(*e));
    if (!e)
        return;
    *e = (struct report_mail){
        .mail.deliver = deliver_report, .roll = f,
        .r = { .roll = f->id, .event = event, .begin_utc_ms = f->begin_ms,
               .end_utc_ms = f->end_ms, .bytes = f->bytes,
               .lost = f->rec.lost, .sound = f->sound,
               .volume = f->volume,
               .err = disk_error(f->err) },
    };
    if (f->err)
        slice_copy(e->text, sizeof(e->text),
                   slice_head(slice_str(uv_strerror(-f->err)),
                              sizeof(e->text) - 1));
    f->reported_ms = uv_now(media_loop_uv(f->loop));
    media_net_post_main(f->rolls->o.media, &e->mail);
}

/* ---- on the disk ------------------------------------------------------------------- */

/* A directory may go in between: the last file in it has just been removed. */
static void do_open(struct roll *f)
{
    size_t root = strlen(volumes_dir(f->rolls->o.volumes, f->volume));

    for (unsigned i = 0; i < OPEN_TRIES; i++) {
        f->err = disk_make_dirs(f->path, root);
        if (!f->err)
            f->fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         0600);
        if (!f->err && f->fd < 0)
            f->err = errno;
        if (f->err != ENOENT)
            return;
    }
}

/* What was written of a piece that failed is cut off: files end with a whole
 * fragment as far as the disk allows it. */
static void do_write(struct roll *f)
{
    f->err = disk_write_all(f->fd, f->piece->bytes, f->piece->n, f->bytes);
    if (f->err && ftruncate(f->fd, (off_t)f->bytes))
        return; /* repaired at the next start */
    if (!f->err && f->sync == ROLLS_SYNC_ALWAYS && fdatasync(f->fd))
        f->err = errno;
}

static void do_close(struct roll *f)
{
    if (f->sync != ROLLS_SYNC_NEVER && !f->err && fsync(f->fd))
        f->err = errno;
    if (close(f->fd) && !f->err)
        f->err = errno;
    f->fd = -1;
}

static void work(struct disk_job *j)
{
    struct roll *f = container_of(j, struct roll, work);

    switch (f->job) {
    case JOB_OPEN:
        do_open(f);
        break;
    case JOB_WRITE:
        do_write(f);
        break;
    case JOB_CLOSE:
        do_close(f);
        break;
    case JOB_NONE:
        break;
    }
}

/* ---- on the media loop ---------------------------------------------------------------- */

static void leave(struct roll *f)
{
    if (f->hub)
        hub_tap_remove(&f->tap);
    f->hub = NULL;
    f->over = true;
}

/* Nothing more is written. */
static void fail(struct roll *f)
{
    if (f->failed)
        return;
    f->failed = true;
    volumes_failed(f->rolls->o.volumes, f->volume, f->err);
    leave(f);
    recorder_reset(&f->rec);
    report(f, ROLLS_FAILED);
}

static void opened(struct roll *f)
{
    f->in_file = f->fd >= 0;
    if (!f->err)
        report(f, ROLLS_BEGUN);
}

static void wrote(struct roll *f)
{
    uint64_t now_ms = uv_now(media_loop_uv(f->loop));

    if (!f->err)
        f->bytes += f->piece->n;
    gb_put(&gb_alloc_heap, f->piece);
    f->piece = NULL;
    f->written_ms = now_ms;
    if (!f->err && now_ms - f->reported_ms >= ROLLS_REPORT_MS) {
        f->end_ms = f->begin_ms + (f->rec.end90k - f->rec.first90k) / 90;
        if (f->rec.open && f->rec.begin_utc_ms == f->begin_ms)
            report(f, ROLLS_GROWN);
    }
}

static void after(struct disk_job *j)
{
    struct roll *f = container_of(j, struct roll, work);
    enum job done = f->job;

    f->job = JOB_NONE;
    if (done == JOB_OPEN) {
        opened(f);
    } else if (done == JOB_WRITE) {
        wrote(f);
    } else {
        f->in_file = false;
        report(f, ROLLS_CLOSED);
    }
    if (f->err)
        fail(f);
    pump(f);
}

static void begin_job(struct roll *f, enum job job)
{
    f->job = job;
    f->work.work = work;
    f->work.done = after;
    disk_run(volumes_disk(f->rolls->o.volumes, f->volume),
             media_loop_uv(f->loop), DISK_WRITE, &f->work);
}

static void begin_file(struct roll *f, const struct recorder_piece *p)
{
    f->begin_ms = f->end_ms = p->utc_ms;
    f->bytes = 0;
    f->sound = p->sound;
    f->volume = volumes_pick(f->rolls->o.volumes);
    if (rolls_path(f->path, volumes_dir(f->rolls->o.volumes, f->volume),
                   slice_str(f->device), slice_str(f->channel), p->utc_ms))
        begin_job(f, JOB_OPEN);
    else {
        f->err = ENAMETOOLONG;
        fail(f);
    }
}

/* The next piece as a job. false: there is none now. */
static bool next_job(struct roll *f, bool flush)
{
    struct recorder_piece *p = f->failed ? NULL : recorder_take(&f->rec, flush);

    if (!p)
        return false;
    if (p->kind == RECORDER_BYTES) {
        f->piece = p;
        begin_job(f, JOB_WRITE);
        return true;
    }
    if (p->kind == RECORDER_BEGIN) {
        begin_file(f, p);
    } else {
        f->end_ms = p->utc_ms;
        begin_job(f, JOB_CLOSE);
    }
    gb_put(&gb_alloc_heap, p);
    return f->job != JOB_NONE;
}

static void count(struct roll *f)
{
    atomic_fetch_add_explicit(&f->rolls->gathered,
                              f->rec.n_bytes - f->gathered,
                              memory_order_relaxed);
    f->gathered = f->rec.n_bytes;
}

/* What has gathered is counted before it goes, and none is left at the end. */
static void pump(struct roll *f)
{
    uint64_t now_ms = uv_now(media_loop_uv(f->loop));

    count(f);
    if (f->job != JOB_NONE)
        return;
    if (next_job(f, f->over || now_ms - f->written_ms >= ROLLS_FLUSH_MS))
        return;
    if (!f->over || f->job != JOB_NONE)
        return;
    if (f->in_file) /* broken off */
        begin_job(f, JOB_CLOSE);
    else
        report(f, ROLLS_OVER);
}

static void stop(struct roll *f)
{
    if (f->over)
        return;
    leave(f);
    recorder_end(&f->rec);
    pump(f);
}

/* Where all have gathered too much, those that have more than a little wait. */
static size_t most_of(const struct rolls *r)
{
    return atomic_load_explicit(&r->gathered, memory_order_relaxed) >
                   r->o.bytes_max
               ? ROLLS_LEAST_BYTES
               : RECORDER_BYTES_MAX;
}

static int64_t utc_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_frame(void *ctx, struct media_frame *frame,
                     struct media_config *config)
{
    struct roll *f = ctx;
    uint64_t now_ms = uv_now(media_loop_uv(f->loop));
    int64_t age_ms = now_ms > frame->arrival_ms
                         ? (int64_t)(now_ms - frame->arrival_ms)
                         : 0;

    if (f->over)
        return;
    if (atomic_load_explicit(&f->stop, memory_order_relaxed)) {
        stop(f);
        return;
    }
    f->rec.most = most_of(f->rolls);
    recorder_frame(&f->rec, frame, config,
                   hub_config(f->hub, frame->track == MEDIA_VIDEO
                                          ? MEDIA_AUDIO
                                          : MEDIA_VIDEO),
                   utc_now_ms() - age_ms);
    pump(f);
}

static void on_end(void *ctx)
{
    struct roll *f = ctx;

    f->hub = NULL;
    f->over = true;
    recorder_end(&f->rec);
    pump(f);
}

static void deliver_start(struct mail *m)
{
    struct order_mail *e = container_of(m, struct order_mail, mail);
    struct roll *f = e->roll;

    free(e);
    f->tap = (struct hub_tap){ .on_frame = on_frame, .on_end = on_end,
                               .ctx = f };
    if (media_loop_tap(f->loop, f->session, &f->tap, f->cached, &f->hub)) {
        f->over = true; /* it has gone already */
        pump(f);
    }
}

static void deliver_stop(struct mail *m)
{
    struct order_mail *e = container_of(m, struct order_mail, mail);
    struct roll *f = e->roll;

    free(e);
    stop(f);
}

/* ---- on the main loop ------------------------------------------------------------------ */

static struct roll *find(struct rolls *r, uint64_t id)
{
    for (struct list *n = r->all.next; n != &r->all; n = n->next) {
        struct roll *f = container_of(n, struct roll, node);

        if (f->id == id)
            return f;
    }
    return NULL;
}

static struct roll *roll_new(struct rolls *r, const struct rolls_order *o)
{
    struct roll *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    *f = (struct roll){ .rolls = r, .id = o->roll, .session = o->session,
                        .loop = media_net_loop(r->o.media, o->loop),
                        .loop_number = o->loop, .sync = o->sync,
                        .cached = o->cached, .fd = -1 };
    recorder_init(&f->rec, &gb_alloc_heap, o->segment_ms);
    if (!f->loop || !slice_copy(f->device, sizeof(f->device), o->device) ||
        !slice_copy(f->channel, sizeof(f->channel), o->channel)) {
        free(f);
        return NULL;
    }
    list_push_back(&r->all, &f->node);
    return f;
}

/* deliver to the roll's own loop. false: the box is full, or no memory. */
static bool post(struct roll *f, void (*deliver)(struct mail *m))
{
    struct order_mail *e = calloc(1, sizeof(*e));

    if (!e)
        return false;
    *e = (struct order_mail){ .mail.deliver = deliver, .roll = f };
    if (media_net_post(f->rolls->o.media, f->loop_number, &e->mail))
        return true;
    free(e);
    return false;
}

void rolls_start(struct rolls *r, const struct rolls_order *o)
{
    const struct rolls_report over = { .roll = o->roll, .event = ROLLS_OVER,
                                       .err = GB_ENOMEM,
                                       .text = "no memory" };
    struct roll *f = roll_new(r, o);

    if (f && post(f, deliver_start))
        return;
    if (f) {
        list_remove(&f->node);
        recorder_fini(&f->rec);
        free(f);
    }
    r->o.on_roll(r->o.ctx, &over);
}

void rolls_stop(struct rolls *r, uint64_t roll)
{
    struct roll *f = find(r, roll);

    if (f && !post(f, deliver_stop))
        atomic_store_explicit(&f->stop, true, memory_order_relaxed);
}

/* ---- files ----------------------------------------------------------------------------- */

struct task {
    struct disk_job job;
    struct rolls_done d;
    size_t root; /* of path, that stays */
    char path[ROLLS_PATH_MAX];
    void (*done)(void *ctx, const struct rolls_done *d);
    void *ctx;
};

/* The file, then what is empty above it: the day, the channel, the device. */
static void do_remove(struct task *t)
{
    char *p;

    if (unlink(t->path) && errno != ENOENT)
        t->d.err = GB_EIO;
    while ((p = strrchr(t->path, '/')) && (size_t)(p - t->path) > t->root) {
        *p = '\0';
        if (rmdir(t->path))
            return;
    }
}

/* A file that is looked through, and whether its disk could read it. */
struct reading {
    int fd;
    bool failed;
};

static bool read_noted(void *ctx, uint64_t off, void *buf, size_t n)
{
    struct reading *r = ctx;
    ssize_t k = pread(r->fd, buf, n, (off_t)off);

    r->failed |= k < 0;
    return k == (ssize_t)n;
}

/* Where its index has the last key frame; 0: it has none. */
static uint64_t last_told(struct reading *r, uint64_t size)
{
    uint64_t at = 0, end;

    for (uint32_t track = 1; track <= MP4SCAN_TRACKS && !at; track++) {
        struct mp4index_table x;

        if (mp4index_read(&x, &end, &gb_alloc_heap, track, read_noted, r, size))
            continue;
        at = x.n ? x.e[x.n - 1].off : 0;
        gb_put(&gb_alloc_heap, x.e);
    }
    return at;
}

/* By its index, where that leads to its end. */
static bool is_whole(struct mp4scan *m, struct reading *r, uint64_t size)
{
    uint64_t at = last_told(r, size);

    return at && !mp4scan_from(m, read_noted, r, size, at) &&
           m->fragments && m->bytes == size;
}

/* Cut to what is whole; true: there is nothing, and it has to go. What cannot be
 * read now may be there all the same: such a file stays as it is, and so does one
 * that no row names and that is no recording. */
static bool repair(struct task *t, int fd)
{
    struct reading r = { .fd = fd };
    struct mp4scan m = { .fragments = 0 };
    struct stat st;

    if (fstat(fd, &st)) {
        t->d.err = GB_EIO;
        return false;
    }
    if (!(t->d.task == ROLLS_ADOPT && is_whole(&m, &r, (uint64_t)st.st_size)) &&
        mp4scan(&m, read_noted, &r, (uint64_t)st.st_size))
        m.fragments = 0;
    if (r.failed) {
        t->d.err = GB_EIO;
        return false;
    }
    if (!m.fragments)
        return t->d.task == ROLLS_REPAIR || m.head_bytes || !st.st_size;
    t->d.bytes = m.bytes;
    t->d.duration_ms = m.duration_ms;
    t->d.sound = m.sound;
    if (m.bytes < (uint64_t)st.st_size && ftruncate(fd, (off_t)m.bytes))
        t->d.err = GB_EIO;
    else
        mp4end_write(fd, &t->d.bytes); /* without it, it plays all the same */
    return false;
}

static void do_repair(struct task *t)
{
    int fd = open(t->path, O_RDWR | O_CLOEXEC);
    bool empty;

    if (fd < 0) {
        t->d.err = errno == ENOENT ? 0 : GB_EIO;
        return;
    }
    empty = repair(t, fd);
    close(fd);
    if (empty)
        do_remove(t); /* not one picture */
}

/* Else a file that is not there is no file that has gone. */
static bool root_is_there(struct task *t)
{
    bool there;

    t->path[t->root] = '\0';
    there = access(t->path, W_OK | X_OK) == 0;
    t->path[t->root] = '/';
    return there;
}

static void do_task(struct disk_job *j)
{
    struct task *t = container_of(j, struct task, job);

    if (!root_is_there(t))
        t->d.err = GB_EIO;
    else if (t->d.task == ROLLS_REMOVE)
        do_remove(t);
    else
        do_repair(t);
}

static void task_done(struct disk_job *j)
{
    struct task *t = container_of(j, struct task, job);

    t->done(t->ctx, &t->d);
    free(t);
}

int rolls_task(struct rolls *r, enum rolls_task task, unsigned volume,
               struct slice device, struct slice channel, int64_t begin_utc_ms,
               void (*done)(void *ctx, const struct rolls_done *d), void *ctx)
{
    const char *dir = volumes_dir(r->o.volumes, volume);
    struct task *t = calloc(1, sizeof(*t));

    if (!t || !rolls_path(t->path, dir, device, channel, begin_utc_ms)) {
        free(t);
        return GB_ENOMEM;
    }
    t->d.task = task;
    t->root = strlen(dir);
    t->done = done;
    t->ctx = ctx;
    t->job.work = do_task;
    t->job.done = task_done;
    disk_run(volumes_disk(r->o.volumes, volume), r->o.main, DISK_LOOK,
             &t->job);
    return 0;
}

/* Of this machine, or of the container. */
static size_t memory_part(void)
{
    uint64_t all = uv_get_total_memory(), ours = uv_get_constrained_memory();
    uint64_t n = (ours && ours < all ? ours : all) / ROLLS_MEMORY_PART;

    return n && n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

int rolls_new(struct rolls **out, const struct rolls_config *cfg)
{
    struct rolls *r = calloc(1, sizeof(*r));

    if (!r)
        return GB_ENOMEM;
    r->o = *cfg;
    if (!r->o.bytes_max)
        r->o.bytes_max = memory_part();
    atomic_init(&r->gathered, 0);
    list_init(&r->all);
    *out = r;
    return 0;
}

bool rolls_is_idle(const struct rolls *r)
{
    return list_is_empty(&r->all);
}

void rolls_free(struct rolls *r)
{
    if (!r)
        return;
    while (!list_is_empty(&r->all)) {
        struct roll *f = container_of(r->all.next, struct roll, node);

        list_remove(&f->node);
        recorder_fini(&f->rec);
        free(f);
    }
    free(r);
}
