#include "app/net/exec.h"

#include "app/net/child.h"
#include "base/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    unsigned kinds;
    char text[EXEC_ROW_MAX + 1]; /* words, each with a NUL */
    unsigned n_words;
};

/* One event for one program: it waits, then it is in its input. */
struct job {
    struct list node; /* waiting, then running */
    struct execs *all;
    struct child *child;
    struct row row; /* as it was */
    enum hooks_kind kind;
    struct slice json; /* behind this */
};

struct execs {
    struct execs_config cfg;
    struct row row[EXEC_PROGRAMS_MAX];
    size_t n_rows;
    struct list waiting, running;
    size_t waiting_bytes;
    struct execs_counters n;
    bool full; /* and it was said */
    bool closing;
};

/* ---- rows --------------------------------------------------------------------- */

static bool row_read(struct row *r, struct slice text)
{
    struct slice command, one;
    size_t at = 0;

    *r = (struct row){ 0 };
    if (!exec_row_parse(text, &r->kinds, &command))
        return false;
    while (command.n) {
        slice_cut(&command, ' ', &one);
        if (one.n == 0)
            continue;
        memcpy(r->text + at, one.p, one.n);
        at += one.n + 1;
        r->n_words++;
    }
    return true;
}

int execs_set(struct execs *x, const char *const *row, size_t n)
{
    x->n_rows = 0;
    for (size_t i = 0; i < n && i < EXEC_PROGRAMS_MAX; i++)
        if (!row_read(&x->row[i], slice_str(row[i])))
            return GB_ESYNTAX;
    x->n_rows = n < EXEC_PROGRAMS_MAX ? n : EXEC_PROGRAMS_MAX;
    return 0;
}

bool execs_want(const struct execs *x, enum hooks_kind k)
{
    for (size_t i = 0; i < x->n_rows; i++)
        if (x->row[i].kinds & 1u << k)
            return true;
    return false;
}

/* ---- running ------------------------------------------------------------------ */

static void begin(struct execs *x);

static void tell(struct execs *x, const struct job *j, const char *why)
{
    char line[512];

    snprintf(line, sizeof(line),
             "msg=\"a program of exec.run has failed\" program=\"%.200s\" "
             "event=%s why=\"%.200s\"", j->row.text, hooks_kind_name(j->kind),
             why);
    x->cfg.log(x->cfg.ctx, PLATFORM_WARN, line);
}

static void on_done(void *ctx, const struct child_end *e)
{
    struct job *j = ctx;
    struct execs *x = j->all;

    if (e->err && !x->closing) {
        x->n.failed++;
        tell(x, j, e->why);
    }
    list_remove(&j->node);
    x->n.running--;
    free(j);
    if (!x->closing)
        begin(x);
    else if (x->n.running == 0)
        free(x);
}

static int start(struct execs *x, struct job *j)
{
    char *args[EXEC_ARGS_MAX + 1] = { NULL }, *at = j->row.text;
    char more[64];
    const struct child_config cfg = {
        .loop = x->cfg.loop, .args = args, .more = more, .in = j->json,
        .time_ms = x->cfg.time_ms ? x->cfg.time_ms : EXEC_TIME_MS,
        .on_done = on_done, .ctx = j,
    };

    for (unsigned i = 0; i < j->row.n_words; i++) {
        args[i] = at;
        at += strlen(at) + 1;
    }
    snprintf(more, sizeof(more), "GB28181D_EVENT=%s",
             hooks_kind_name(j->kind));
    return child_start(&j->child, &cfg);
}

static void begin(struct execs *x)
{
    while (x->n.running < EXEC_RUNS_MAX && !list_is_empty(&x->waiting)) {
        struct job *j = container_of(list_pop_front(&x->waiting), struct job,
                                     node);

        x->n.waiting--;
        x->waiting_bytes -= j->json.n;
        x->n.runs++;
        if (start(x, j)) {
            x->n.failed++;
            tell(x, j, "no memory");
            free(j);
            continue;
        }
        list_push_back(&x->running, &j->node);
        x->n.running++;
    }
    if (list_is_empty(&x->waiting))
        x->full = false;
}

static void drop(struct execs *x)
{
    x->n.dropped++;
    if (x->full)
        return;
    x->full = true;
    x->cfg.log(x->cfg.ctx, PLATFORM_WARN,
               "msg=\"programs of exec.run are too slow: events are left "
               "out\"");
}

void execs_event(struct execs *x, enum hooks_kind k, struct slice json)
{
    for (size_t i = 0; i < x->n_rows; i++) {
        struct job *j;

        if (!(x->row[i].kinds & 1u << k))
            continue;
        j = x->n.waiting >= EXEC_WAITING_MAX ||
                    x->waiting_bytes + json.n > EXEC_WAITING_BYTES
                ? NULL : calloc(1, sizeof(*j) + json.n);
        if (!j) {
            drop(x);
            continue;
        }
        j->all = x;
        j->row = x->row[i];
        j->kind = k;
        if (json.n)
            memcpy(j + 1, json.p, json.n);
        j->json = slice_of((const char *)(j + 1), json.n);
        list_push_back(&x->waiting, &j->node);
        x->n.waiting++;
        x->waiting_bytes += json.n;
    }
    begin(x);
}

void execs_count(const struct execs *x, struct execs_counters *out)
{
    *out = x->n;
}

int execs_new(struct execs **out, const struct execs_config *cfg)
{
    struct execs *x = calloc(1, sizeof(*x));

    if (!x)
        return GB_ENOMEM;
    x->cfg = *cfg;
    list_init(&x->waiting);
    list_init(&x->running);
    *out = x;
    return 0;
}

void execs_close(struct execs *x)
{
    struct list *n, *tmp;

    if (!x)
        return;
    x->closing = true;
    while ((n = list_pop_front(&x->waiting)) != NULL)
        free(container_of(n, struct job, node));
    if (x->n.running == 0) {
        free(x);
        return;
    }
    LIST_EACH(n, tmp, &x->running)
        child_stop(container_of(n, struct job, node)->child, GB_ESTATE,
                   "it ends");
}
