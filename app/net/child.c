#include "app/net/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CHILD_PATH "PATH=/usr/local/bin:/usr/bin:/bin"

/* It lives until its last handle is closed. */
struct child {
    struct child_config cfg;
    uv_process_t process;
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    uv_write_t write;
    unsigned open; /* handles */
    unsigned left; /* of: its exit, the ends of out and err */
    bool closing, spawned, exited;
    int64_t status;
    int fault; /* of child_end */
    size_t n_said;
    char said[CHILD_WHY_MAX], why[CHILD_WHY_MAX];
    char scratch[16384];
};

/* ---- the end ------------------------------------------------------------------ */

static void say(struct child *c, int err, const char *why)
{
    if (c->fault)
        return;
    c->fault = err;
    slice_copy(c->why, sizeof(c->why),
               slice_head(slice_str(why), CHILD_WHY_MAX - 1));
}

/* What it said, in one line of visible characters. */
static void judge(struct child *c)
{
    for (size_t i = 0; i < c->n_said; i++)
        if ((unsigned char)c->said[i] < ' ' || c->said[i] == '"' ||
            (unsigned char)c->said[i] > '~')
            c->said[i] = ' ';
    c->said[c->n_said] = '\0';
    if (c->status)
        say(c, GB_EIO, c->n_said ? c->said : "the program has failed");
}

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;
    struct child_end end;

    if (--c->open)
        return;
    judge(c);
    end = (struct child_end){ c->fault, c->why };
    c->cfg.on_done(c->cfg.ctx, &end);
    free(c);
}

static void close_all(struct child *c)
{
    uv_handle_t *const all[] = {
        (uv_handle_t *)&c->process, (uv_handle_t *)&c->in,
        (uv_handle_t *)&c->out, (uv_handle_t *)&c->err,
        (uv_handle_t *)&c->timer,
    };

    if (c->closing)
        return;
    c->closing = true;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        uv_close(all[i], on_closed);
}

static void part_over(struct child *c)
{
    if (--c->left == 0)
        close_all(c);
}

/* Its exit follows; its ends do not, where it has left children behind. */
void child_stop(struct child *c, int err, const char *why)
{
    say(c, err, why);
    if (c->spawned && !c->exited)
        uv_process_kill(&c->process, SIGKILL);
    if (c->exited || !c->spawned)
        close_all(c);
    else
        c->left = 1;
}

static void on_exited(uv_process_t *p, int64_t status, int term_signal)
{
    struct child *c = p->data;

    c->exited = true;
    c->status = status ? status : term_signal;
    if (!c->closing)
        part_over(c);
}

static void on_late(uv_timer_t *t)
{
    child_stop(t->data, GB_EIO, "the program takes too long");
}

/* ---- its pipes ---------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct child *c = h->data;

    (void)hint;
    *buf = uv_buf_init(c->scratch, sizeof(c->scratch));
}

static void on_out(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct child *c = s->data;

    if (n == 0 || c->closing)
        return;
    if (n > 0 && (!c->cfg.on_out ||
                  c->cfg.on_out(c->cfg.ctx, buf->base, (size_t)n)))
        return;
    uv_read_stop(s);
    if (n > 0)
        child_stop(c, GB_EIO, "the program writes too much");
    else if (!c->fault)
        part_over(c);
}

static void on_err(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct child *c = s->data;
    size_t room = sizeof(c->said) - 1 - c->n_said;

    if (n == 0 || c->closing)
        return;
    if (n > 0) { /* what is too long is read, and forgotten */
        size_t take = (size_t)n < room ? (size_t)n : room;

        memcpy(c->said + c->n_said, buf->base, take);
        c->n_said += take;
        return;
    }
    uv_read_stop(s);
    if (!c->fault)
        part_over(c);
}

static void on_shut(uv_shutdown_t *req, int status)
{
    (void)status;
    free(req);
}

/* All is in: its end tells that there is no more. A program that does not read it
 * is judged by what it does. */
static void on_written(uv_write_t *w, int status)
{
    struct child *c = w->data;
    uv_shutdown_t *req;

    if (status || c->closing)
        return;
    req = malloc(sizeof(*req));
    if (req && uv_shutdown(req, (uv_stream_t *)&c->in, on_shut))
        free(req);
}

/* ---- beginning ---------------------------------------------------------------- */

static int spawn(struct child *c)
{
    char path[] = CHILD_PATH, locale[] = "LC_ALL=C";
    char *env[] = { path, locale, (char *)(uintptr_t)c->cfg.more, NULL };
    uv_stdio_container_t io[3] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
          .data.stream = (uv_stream_t *)&c->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&c->out },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
          .data.stream = (uv_stream_t *)&c->err },
    };
    const uv_process_options_t o = {
        .exit_cb = on_exited, .file = c->cfg.args[0],
        .args = (char **)(uintptr_t)c->cfg.args, .env = env, .cwd = "/",
        .stdio_count = 3, .stdio = io,
    };
    int err = uv_spawn(c->cfg.loop, &c->process, &o);

    c->process.data = c; /* uv_spawn begins with an empty handle */
    return err;
}

int child_start(struct child **out, const struct child_config *cfg)
{
    struct child *c = calloc(1, sizeof(*c));
    uv_buf_t buf;
    int err;

    if (!c)
        return GB_ENOMEM;
    c->cfg = *cfg;
    uv_pipe_init(cfg->loop, &c->in, 0);
    uv_pipe_init(cfg->loop, &c->out, 0);
    uv_pipe_init(cfg->loop, &c->err, 0);
    uv_timer_init(cfg->loop, &c->timer);
    c->in.data = c->out.data = c->err.data = c->timer.data = c->write.data = c;
    c->open = 5;
    c->left = 3;
    *out = c;
    err = spawn(c);
    if (err) {
        child_stop(c, GB_EIO, uv_strerror(err));
        return 0;
    }
    c->spawned = true;
    buf = uv_buf_init((char *)(uintptr_t)cfg->in.p, (unsigned)cfg->in.n);
    if (uv_read_start((uv_stream_t *)&c->out, on_alloc, on_out) ||
        uv_read_start((uv_stream_t *)&c->err, on_alloc, on_err) ||
        uv_write(&c->write, (uv_stream_t *)&c->in, &buf, 1, on_written)) {
        child_stop(c, GB_EIO, "its pipes cannot be used");
        return 0;
    }
    uv_timer_start(&c->timer, on_late, cfg->time_ms, 0);
    return 0;
}
