#include "app/net/jpeg.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LEN 1000

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

/* One program; it lives until its last handle is closed. */
struct run {
    struct list node;
    struct jpegs *all;
    struct jpeg_job *job;
    uv_process_t process;
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    uv_write_t write;
    unsigned open; /* handles */
    unsigned left; /* of: its exit, the ends of out and err */
    bool closing;
    bool spawned, exited;
    int64_t status;
    size_t cap, n_said;
    char said[JPEG_WHY_MAX];
    char scratch[16384];
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

/* ---- the end ------------------------------------------------------------------ */

static void say(struct run *r, int err, const char *why)
{
    if (r->job->err)
        return;
    r->job->err = err;
    slice_copy(r->job->why, sizeof(r->job->why),
               slice_head(slice_str(why), JPEG_WHY_MAX - 1));
}

/* What it said, in one line of visible characters. */
static void judge(struct run *r)
{
    const struct jpeg_job *job = r->job;

    for (size_t i = 0; i < r->n_said; i++)
        if ((unsigned char)r->said[i] < ' ' || r->said[i] == '"' ||
            (unsigned char)r->said[i] > '~')
            r->said[i] = ' ';
    r->said[r->n_said] = '\0';
    if (r->status)
        say(r, GB_EIO, r->n_said ? r->said : "the program has failed");
    else if (job->n_picture < 4 || memcmp(job->picture, "\xff\xd8", 2) != 0)
        say(r, GB_EIO, "the program gave no JPEG");
}

static void on_closed(uv_handle_t *h)
{
    struct run *r = h->data;
    struct jpegs *j = r->all;
    struct jpeg_job *job = r->job;

    if (--r->open)
        return;
    judge(r);
    list_remove(&r->node);
    j->n_running--;
    free(r);
    job->on_done(job->ctx, job);
    if (!j->closing)
        begin(j);
    else if (j->n_running == 0)
        free(j);
}

static void close_all(struct run *r)
{
    uv_handle_t *const all[] = {
        (uv_handle_t *)&r->process, (uv_handle_t *)&r->in,
        (uv_handle_t *)&r->out, (uv_handle_t *)&r->err,
        (uv_handle_t *)&r->timer,
    };

    if (r->closing)
        return;
    r->closing = true;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        uv_close(all[i], on_closed);
}

static void part_over(struct run *r)
{
    if (--r->left == 0)
        close_all(r);
}

/* Its exit follows; its ends do not, where it has left children behind. */
static void stop(struct run *r, int err, const char *why)
{
    say(r, err, why);
    if (r->spawned && !r->exited)
        uv_process_kill(&r->process, SIGKILL);
    if (r->exited || !r->spawned)
        close_all(r);
    else
        r->left = 1;
}

static void on_exited(uv_process_t *p, int64_t status, int term_signal)
{
    struct run *r = p->data;

    r->exited = true;
    r->status = status ? status : term_signal;
    if (!r->closing)
        part_over(r);
}

static void on_late(uv_timer_t *t)
{
    stop(t->data, GB_EIO, "the program takes too long");
}

/* ---- its pipes ---------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct run *r = h->data;

    (void)hint;
    *buf = uv_buf_init(r->scratch, sizeof(r->scratch));
}

static bool keep(struct run *r, const char *p, size_t n)
{
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

static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct run *r = s->data;

    if (n == 0 || r->closing)
        return;
    if (n > 0 && keep(r, buf->base, (size_t)n))
        return;
    uv_read_stop(s);
    if (n > 0)
        stop(r, GB_EIO, "the program gives more than a picture");
    else if (!r->job->err)
        part_over(r);
}

static void on_err(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct run *r = s->data;
    size_t room = sizeof(r->said) - 1 - r->n_said;

    if (n == 0 || r->closing)
        return;
    if (n > 0) { /* what is too long is read, and forgotten */
        size_t take = (size_t)n < room ? (size_t)n : room;

        memcpy(r->said + r->n_said, buf->base, take);
        r->n_said += take;
        return;
    }
    uv_read_stop(s);
    if (!r->job->err)
        part_over(r);
}

static void on_shut(uv_shutdown_t *req, int status)
{
    (void)status;
    free(req);
}

/* The frame is in: its end tells that there is no more. A program that does not
 * read it is judged by what it gives. */
static void on_written(uv_write_t *w, int status)
{
    struct run *r = w->data;
    uv_shutdown_t *req;

    if (status || r->closing)
        return;
    req = malloc(sizeof(*req));
    if (req && uv_shutdown(req, (uv_stream_t *)&r->in, on_shut))
        free(req);
}

/* ---- beginning ---------------------------------------------------------------- */

static int spawn(struct run *r)
{
    static char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
                                 "LC_ALL=C", NULL };
    char *args[] = {
        r->all->program, "-hide_banner", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "pipe", "-f", "mp4", "-i", "pipe:0",
        "-frames:v", "1", "-an", "-c:v", "mjpeg", "-q:v", "3",
        "-f", "image2pipe", "pipe:1", NULL,
    };
    uv_stdio_container_t io[3] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
          .data.stream = (uv_stream_t *)&r->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&r->out },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&r->err },
    };
    const uv_process_options_t o = {
        .exit_cb = on_exited, .file = r->all->program, .args = args,
        .env = (char **)(uintptr_t)env, .cwd = "/", .stdio_count = 3,
        .stdio = io,
    };

    return uv_spawn(r->all->loop, &r->process, &o);
}

static struct run *run_new(struct jpegs *j, struct jpeg_job *job)
{
    struct run *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->all = j;
    r->job = job;
    uv_pipe_init(j->loop, &r->in, 0);
    uv_pipe_init(j->loop, &r->out, 0);
    uv_pipe_init(j->loop, &r->err, 0);
    uv_timer_init(j->loop, &r->timer);
    r->process.data = r->in.data = r->out.data = r->err.data = r->timer.data =
        r->write.data = r;
    r->open = 5;
    r->left = 3;
    list_push_back(&j->running, &r->node);
    j->n_running++;
    return r;
}

static void start(struct jpegs *j, struct jpeg_job *job)
{
    struct run *r = run_new(j, job);
    uv_buf_t buf = uv_buf_init(job->frame, (unsigned)job->n_frame);
    int err;

    if (!r) {
        job->err = GB_ENOMEM;
        slice_copy(job->why, sizeof(job->why), SLICE("no memory"));
        job->on_done(job->ctx, job);
        return;
    }
    err = spawn(r);
    r->process.data = r; /* uv_spawn begins with an empty handle */
    if (err) {
        stop(r, GB_EIO, uv_strerror(err));
        return;
    }
    r->spawned = true;
    if (uv_read_start((uv_stream_t *)&r->out, on_alloc, on_out) ||
        uv_read_start((uv_stream_t *)&r->err, on_alloc, on_err) ||
        uv_write(&r->write, (uv_stream_t *)&r->in, &buf, 1, on_written)) {
        stop(r, GB_EIO, "its pipes cannot be used");
        return;
    }
    uv_timer_start(&r->timer, on_late, j->time_ms, 0);
}

static void begin(struct jpegs *j)
{
    while (j->n_running < JPEG_RUNS_MAX && !list_is_empty(&j->waiting)) {
        j->n_waiting--;
        start(j, container_of(list_pop_front(&j->waiting), struct jpeg_job,
                              node));
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
        stop(container_of(n, struct run, node), GB_ESTATE, "it ends");
}
