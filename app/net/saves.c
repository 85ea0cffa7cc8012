#include "app/net/saves.h"

#include "app/net/durable.h"
#include "app/net/log.h"
#include "app/net/mp4end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 8192 /* of a file, where its tracks are told */
#define PATH_BYTES 1200

enum job { JOB_NONE, JOB_OPEN, JOB_WRITE, JOB_CLOSE };

struct filing;

/* One file. Of the main loop while `busy` is false, else of its media loop. */
struct save {
    struct list node; /* in saves.all; the main loop's */
    struct saves *saves;
    uint64_t id, session;
    bool busy;
    struct filing *ending; /* main's: once it is at rest; NULL: is not wanted */
    struct media_loop *loop;
    struct hub *hub;
    struct hub_tap tap;
    bool over;
    enum saver_format format;
    struct saver saver;
    bool has_saver;
    int64_t start_utc_ms;
    bool anew;
    /* the disk */
    char path[PATH_BYTES];
    int fd;
    struct disk_job work;
    enum job job;
    char *bytes;           /* on their way */
    size_t n;
    uint64_t off;
    uint8_t tracks;        /* OPEN: those that the head tells */
    int work_err;          /* an errno of this job, which the disk sets */
    int err;               /* an errno; frames come while the disk works */
    struct saver_mark mark; /* of bytes, once they are written */
    uint64_t reported_ms;
};

struct saves {
    struct saves_config o;
    struct list all;
};

struct report_mail {
    struct mail mail;
    struct saves *saves;
    struct save *save; /* over: goes back to rest */
    struct saves_report r;
    char text[96];
};

struct start_mail {
    struct mail mail;
    struct save *save;
};

static void pump(struct save *f);
static void file_at_rest(struct save *f);

/* ---- reports --------------------------------------------------------------------- */

static void deliver_report(struct mail *m)
{
    struct report_mail *e = container_of(m, struct report_mail, mail);

    if (e->save) {
        e->save->busy = false;
        if (e->save->ending)
            file_at_rest(e->save);
    }
    e->r.text = e->text;
    e->saves->o.on_saved(e->saves->o.ctx, &e->r);
    free(e);
}

/* "over" always comes through: the file would never rest. */
static void report(struct save *f, bool over)
{
    struct report_mail *e = calloc(1, sizeof(*e));
    struct saver *s = &f->saver;
    const char *why = f->err ? uv_strerror(-f->err)
                      : s->err && s->why ? s->why : "";

    while (!e && over)
        e = calloc(1, sizeof(*e));
    if (!e)
        return;
    *e = (struct report_mail){
        .mail.deliver = deliver_report, .saves = f->saves,
        .save = over ? f : NULL,
        .r = { .id = f->id, .session = f->session, .mark = f->mark,
               .hole_from_ms = s->hole_from_ms, .hole_to_ms = s->hole_to_ms,
               .over = over,
               .err = f->err ? disk_error(f->err) : s->err },
    };
    slice_copy(e->text, sizeof(e->text),
               slice_head(slice_str(why), sizeof(e->text) - 1));
    s->hole_from_ms = s->hole_to_ms = 0;
    f->reported_ms = uv_now(media_loop_uv(f->loop));
    media_net_post_main(f->saves->o.media, &e->mail);
}

/* ---- on the disk ------------------------------------------------------------------ */

/* "soun": a handler of our head says that there is sound. */
static uint8_t tracks_of(int fd)
{
    char head[HEAD_BYTES];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    if (n <= 0)
        return 0;
    return (uint8_t)(1u << MEDIA_VIDEO |
                     (slice_find_slice(slice_of(head, (size_t)n),
                                       SLICE("soun")) < (size_t)n
                          ? 1u << MEDIA_AUDIO
                          : 0));
}

static int open_part(const struct save *f)
{
    return open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* The folder, which somebody has removed. */
static int make_folder(struct save *f)
{
    const char *below = strrchr(f->saves->o.dir, '/');

    return disk_make_dirs(f->path,
                          below ? (size_t)(below - f->saves->o.dir) : 0);
}

/* Cut to the mark, or from the beginning. */
static void do_open(struct save *f)
{
    struct stat st;

    f->fd = open_part(f);
    if (f->fd < 0 && errno == ENOENT && !f->off && !make_folder(f))
        f->fd = open_part(f);
    if (f->fd < 0 || fstat(f->fd, &st)) {
        f->work_err = errno;
        return;
    }
    if ((uint64_t)st.st_size < f->off) { /* not what was written */
        f->work_err = ENOENT;
        return;
    }
    f->tracks = f->format == SAVER_PS ? 3 : tracks_of(f->fd);
    if (ftruncate(f->fd, (off_t)f->off))
        f->work_err = errno;
}

static void work(struct disk_job *j)
{
    struct save *f = container_of(j, struct save, work);

    switch (f->job) {
    case JOB_OPEN:
        do_open(f);
        break;
    case JOB_WRITE:
        f->work_err = disk_write_all(f->fd, f->bytes, f->n, f->off);
        break;
    case JOB_CLOSE:
        close(f->fd);
        f->fd = -1;
        break;
    case JOB_NONE:
        break;
    }
}

/* ---- on the media loop ---------------------------------------------------------------- */

static void opened(struct save *f)
{
    if (f->err == ENOENT) { /* from its beginning next time */
        saver_fini(&f->saver);
        f->has_saver = false;
        f->mark = (struct saver_mark){ 0 };
    }
    if (f->err)
        return;
    if (f->saver.resumed)
        f->saver.tracks = f->tracks;
    saver_ready(&f->saver);
}

static void wrote(struct save *f)
{
    gb_put(&gb_alloc_heap, f->bytes);
    f->bytes = NULL;
    if (f->err)
        return;
    f->off += f->n;
    f->mark = f->saver.mark.bytes <= f->off ? f->saver.mark : f->mark;
    if (uv_now(media_loop_uv(f->loop)) - f->reported_ms >= SAVES_REPORT_MS)
        report(f, false);
}

static void after(struct disk_job *j)
{
    struct save *f = container_of(j, struct save, work);
    enum job done = f->job;

    f->job = JOB_NONE;
    if (done == JOB_CLOSE) {
        report(f, true);
        return; /* of the main loop again */
    }
    f->err = f->work_err;
    if (done == JOB_OPEN)
        opened(f);
    else
        wrote(f);
    if (f->err)
        report(f, false);
    pump(f);
}

static void begin_job(struct save *f, enum job job)
{
    f->job = job;
    f->work_err = 0;
    f->work.work = work;
    f->work.done = after;
    disk_run(f->saves->o.disk, media_loop_uv(f->loop), DISK_WRITE, &f->work);
}

/* The next job, if there is something to do and none is under way. */
static void pump(struct save *f)
{
    if (f->job != JOB_NONE)
        return;
    if (!f->err && f->saver.ready) {
        if (f->over)
            saver_end(&f->saver);
        f->bytes = saver_take(&f->saver, &f->n);
        if (f->bytes) {
            begin_job(f, JOB_WRITE);
            return;
        }
    }
    if (!f->over)
        return;
    if (f->fd >= 0)
        begin_job(f, JOB_CLOSE);
    else
        report(f, true);
}

static void on_frame(void *ctx, struct media_frame *frame,
                     struct media_config *config)
{
    struct save *f = ctx;
    enum media_track other = frame->track == MEDIA_VIDEO ? MEDIA_AUDIO
                                                         : MEDIA_VIDEO;
    bool was_well = f->saver.err == 0;

    if (f->err)
        return;
    saver_frame(&f->saver, frame, config, hub_config(f->hub, other),
                hub_is_decided(f->hub, uv_now(media_loop_uv(f->loop))),
                f->start_utc_ms + hub_position_ms(f->hub));
    if (f->saver.err && was_well)
        report(f, false);
    pump(f);
}

static void on_end(void *ctx)
{
    struct save *f = ctx;

    f->over = true;
    f->hub = NULL;
    pump(f);
}

static void deliver_start(struct mail *m)
{
    struct start_mail *e = container_of(m, struct start_mail, mail);
    struct save *f = e->save;

    free(e);
    if (f->err && f->has_saver) { /* it counts what did not get to the disk */
        saver_fini(&f->saver);
        f->has_saver = false;
    }
    if (!f->has_saver)
        saver_init(&f->saver, &gb_alloc_heap, f->format, &f->mark, 0);
    f->has_saver = true;
    saver_restart(&f->saver, f->anew);
    f->mark = f->saver.mark;
    f->off = f->mark.bytes;
    f->err = 0;
    f->over = false;
    f->tap = (struct hub_tap){ .on_frame = on_frame, .on_end = on_end,
                               .ctx = f };
    if (media_loop_tap(f->loop, f->session, &f->tap, false, &f->hub)) {
        f->over = true; /* it has gone already */
        pump(f);
        return;
    }
    begin_job(f, JOB_OPEN);
}

/* ---- on the main loop ------------------------------------------------------------------ */

static struct save *find(struct saves *s, uint64_t id)
{
    for (struct list *n = s->all.next; n != &s->all; n = n->next) {
        struct save *f = container_of(n, struct save, node);

        if (f->id == id)
            return f;
    }
    return NULL;
}

static void path_of(const struct saves *s, uint64_t id, enum saver_format f,
                    bool part, char out[static PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%llu.%s%s", s->o.dir,
             (unsigned long long)id, f == SAVER_PS ? "ps" : "mp4",
             part ? ".part" : "");
}

bool saves_is_part(const char *name, uint64_t *id)
{
    struct slice rest = slice_str(name), number;

    return slice_cut(&rest, '.', &number) &&
           slice_u64(number, UINT64_MAX, id) &&
           (slice_eq(rest, SLICE("mp4.part")) ||
            slice_eq(rest, SLICE("ps.part")));
}

static struct save *save_new(struct saves *s, const struct saves_order *o)
{
    struct save *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->saves = s;
    f->id = o->id;
    f->format = o->format;
    f->fd = -1;
    f->mark = o->mark;
    path_of(s, o->id, o->format, true, f->path);
    list_push_back(&s->all, &f->node);
    return f;
}

static void save_free(struct save *f)
{
    list_remove(&f->node);
    if (f->has_saver)
        saver_fini(&f->saver);
    free(f->ending);
    free(f);
}

/* Nothing could be begun. */
static void not_started(struct saves *s, const struct saves_order *o, int err,
                        const char *text)
{
    const struct saves_report r = { .id = o->id, .session = o->session,
                                    .mark = o->mark, .over = true, .err = err,
                                    .text = text };

    s->o.on_saved(s->o.ctx, &r);
}

void saves_start(struct saves *s, const struct saves_order *o)
{
    struct save *f = find(s, o->id);
    struct start_mail *e = calloc(1, sizeof(*e));

    if (!f)
        f = save_new(s, o);
    if (!f || !e || f->busy) {
        bool busy = f && f->busy;

        free(e);
        not_started(s, o, busy ? GB_ELIMIT : GB_ENOMEM,
                    busy ? "the disk has yet to write what came before"
                         : "no memory");
        return;
    }
    f->session = o->session;
    f->start_utc_ms = o->start_utc_ms;
    f->anew = o->anew;
    f->loop = media_net_loop(s->o.media, o->loop);
    f->busy = true;
    *e = (struct start_mail){ .mail.deliver = deliver_start, .save = f };
    if (!f->loop || !media_net_post(s->o.media, o->loop, &e->mail)) {
        f->busy = false;
        free(e);
        not_started(s, o, GB_ELIMIT, "the media side takes no more");
    }
}

struct filing {
    struct disk_job job;
    struct saves *saves;
    uint64_t id, bytes;
    bool remove, mp4;
    int err;
    char part[PATH_BYTES], final[PATH_BYTES];
};

static void file_it(struct disk_job *j)
{
    struct filing *g = container_of(j, struct filing, job);
    struct stat st;
    int fd;

    if (g->remove) {
        unlink(g->part);
        unlink(g->final);
        return;
    }
    if (!g->bytes) {
        unlink(g->part);
        return;
    }
    fd = open(g->part, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && stat(g->final, &st) == 0) {
        g->bytes = (uint64_t)st.st_size;
        return; /* published before a restart that came too early */
    }
    if (fd < 0 || ftruncate(fd, (off_t)g->bytes)) {
        g->err = errno;
    } else {
        if (g->mp4)
            mp4end_write(fd, &g->bytes); /* it plays without it, too */
        g->err = fsync(fd) ? errno : durable_rename(g->part, g->final);
    }
    if (fd >= 0)
        close(fd);
}

static void filed(struct disk_job *j)
{
    struct filing *g = container_of(j, struct filing, job);
    struct saves *s = g->saves;

    s->o.on_filed(s->o.ctx, g->id, g->bytes, disk_error(g->err),
                  g->err ? uv_strerror(-g->err) : NULL);
    free(g);
}

/* Takes g; f may be NULL: nothing was written by this process. */
static void begin_filing(struct saves *s, struct filing *g, struct save *f)
{
    if (f && f->has_saver && f->off > g->bytes)
        g->bytes = f->off;
    if (f)
        save_free(f);
    g->job.work = file_it;
    g->job.done = filed;
    disk_run(s->o.disk, s->o.main, DISK_WRITE, &g->job);
}

static void file_at_rest(struct save *f)
{
    struct filing *g = f->ending;

    f->ending = NULL;
    begin_filing(g->saves, g, f);
}

void saves_end(struct saves *s, uint64_t id, enum saver_format format,
               const struct saver_mark *mark, bool remove)
{
    struct save *f = find(s, id);
    struct filing *g = calloc(1, sizeof(*g));

    if (!g) {
        s->o.on_filed(s->o.ctx, id, 0, GB_ENOMEM, "no memory");
        return;
    }
    g->saves = s;
    g->id = id;
    g->remove = remove;
    g->mp4 = format == SAVER_MP4;
    g->bytes = mark->bytes;
    path_of(s, id, format, true, g->part);
    path_of(s, id, format, false, g->final);
    if (!f || !f->busy) {
        begin_filing(s, g, f);
        return;
    }
    free(f->ending); /* the last word counts */
    f->ending = g;
}

int saves_new(struct saves **out, const struct saves_config *cfg)
{
    struct saves *s = calloc(1, sizeof(*s));

    if (!s)
        return GB_ENOMEM;
    s->o = *cfg;
    list_init(&s->all);
    *out = s;
    return 0;
}

void saves_free(struct saves *s)
{
    if (!s)
        return;
    while (!list_is_empty(&s->all))
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves */
        save_free(container_of(s->all.next, struct save, node));
    free(s);
}
