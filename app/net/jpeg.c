#include "app/net/jpeg.h"

#include "app/net/child.h"

#include <stdlib.h>
#include <string.h>

#define PATH_LEN 1000

_Static_assert(JPEG_WHY_MAX >= CHILD_WHY_MAX, "nothing is cut");

struct jpegs {
    uv_loop_t *loop;
    char program[PATH_LEN + 1];
    uint32_t time_ms;
    struct list waiting; /* struct jpeg_job */
    unsigned n_waiting;
    struct list running; /* struct run */
    unsigned n_running;
    bool closing;
};

struct run {
    struct list node;
    struct jpegs *all;
    struct jpeg_job *job;
    struct child *child;
    size_t cap; /* of its picture */
};

void jpeg_job_free(struct jpeg_job *job)
{
    if (!job)
        return;
    free(job->frame);
    free(job->picture);
    free(job);
}

static void begin(struct jpegs *j);

static void finish(struct jpeg_job *job, int err, const char *why)
{
    job->err = err;
    slice_copy(job->why, sizeof(job->why), slice_str(why));
}

static void on_done(void *ctx, const struct child_end *e)
{
    struct run *r = ctx;
    struct jpegs *j = r->all;
    struct jpeg_job *job = r->job;

    if (e->err)
        finish(job, e->err, e->why);
    else if (job->n_picture < 4 || memcmp(job->picture, "\xff\xd8", 2) != 0)
        finish(job, GB_EIO, "the program gave no JPEG");
    list_remove(&r->node);
    j->n_running--;
    free(r);
    job->on_done(job->ctx, job);
    if (!j->closing)
        begin(j);
    else if (j->n_running == 0)
        free(j);
}

static bool on_out(void *ctx, const char *p, size_t n)
{
    struct run *r = ctx;
    struct jpeg_job *job = r->job;
    size_t cap = r->cap ? r->cap : 65536;
    char *more;

    if (n > JPEG_PICTURE_MAX - job->n_picture)
        return false;
    while (cap - job->n_picture < n)
        cap *= 2;
    if (cap != r->cap) {
        more = realloc(job->picture, cap);
        if (!more)
            return false;
        job->picture = more;
        r->cap = cap;
    }
    memcpy(job->picture + job->n_picture, p, n);
    job->n_picture += n;
    return true;
}

static int start(struct jpegs *j, struct jpeg_job *job)
{
    char *args[] = {
        j->program, "-hide_banner", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "pipe", "-f", "mp4", "-i", "pipe:0",
        "-frames:v", "1", "-an", "-c:v", "mjpeg", "-q:v", "3",
        "-f", "image2pipe", "pipe:1", NULL,
    };
    struct run *r = calloc(1, sizeof(*r));
    const struct child_config cfg = {
        .loop = j->loop, .args = args, .time_ms = j->time_ms,
        .in = slice_of(job->frame, job->n_frame),
        .on_out = on_out, .on_done = on_done, .ctx = r,
    };

    if (!r || child_start(&r->child, &cfg)) {
        free(r);
        return GB_ENOMEM;
    }
    r->all = j;
    r->job = job;
    list_push_back(&j->running, &r->node);
    j->n_running++;
    return 0;
}

static void begin(struct jpegs *j)
{
    while (j->n_running < JPEG_RUNS_MAX && !list_is_empty(&j->waiting)) {
        struct jpeg_job *job = container_of(list_pop_front(&j->waiting),
                                            struct jpeg_job, node);

        j->n_waiting--;
        if (start(j, job) == 0)
            continue;
        finish(job, GB_ENOMEM, "no memory");
        job->on_done(job->ctx, job);
    }
}

int jpegs_take(struct jpegs *j, struct jpeg_job *job)
{
    if (j->n_waiting >= JPEG_WAITING_MAX)
        return GB_ELIMIT;
    list_push_back(&j->waiting, &job->node);
    j->n_waiting++;
    begin(j);
    return 0;
}

int jpegs_new(struct jpegs **out, uv_loop_t *loop, const char *program,
              uint32_t time_ms)
{
    struct jpegs *j = calloc(1, sizeof(*j));

    if (!j)
        return GB_ENOMEM;
    if (!slice_copy(j->program, sizeof(j->program), slice_str(program))) {
        free(j);
        return GB_ELIMIT;
    }
    j->loop = loop;
    j->time_ms = time_ms ? time_ms : JPEG_TIME_MS;
    list_init(&j->waiting);
    list_init(&j->running);
    *out = j;
    return 0;
}

void jpegs_close(struct jpegs *j)
{
    struct list *n, *tmp;

    if (!j)
        return;
    j->closing = true;
    while ((n = list_pop_front(&j->waiting)) != NULL) {
        struct jpeg_job *job = container_of(n, struct jpeg_job, node);

        job->err = GB_ESTATE;
        job->on_done(job->ctx, job);
    }
    if (j->n_running == 0) {
        free(j);
        return;
    }
    LIST_EACH(n, tmp, &j->running)
        child_stop(container_of(n, struct run, node)->child, GB_ESTATE,
                   "it ends");
}
