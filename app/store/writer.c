#include "app/store/writer.h"

#include "app/net/log.h"
#include "app/net/random.h"

#include <stdlib.h>

/* ---- the thread ---------------------------------------------------------------- */

static void job_free(struct store_writer *w, struct store_job *j)
{
    store_pages_put(&w->pages, j->page);
}

static void free_jobs(struct store_writer *w, struct list *jobs)
{
    struct list *n;

    while ((n = list_pop_front(jobs)))
        job_free(w, container_of(n, struct store_job, node));
}

/* Rows that are added for ever: there may be only so many of them, so that they
 * leave room for what is set and known. */
static bool is_history(const struct store_job *j)
{
    return j->op == STORE_ADD_ALARM || j->op == STORE_ADD_POSITION ||
           j->op == STORE_ADD_AUDIT;
}

static void out_of_queue(struct store_writer *w, struct store_job *j)
{
    map_remove(&w->rows, &j->by_row);
    list_remove(&j->node);
    w->n_jobs--;
    w->n_history -= is_history(j);
}

/* Moves all that waits to `jobs`, and their index to w->taken, at once: whoever
 * queues waits for the lock meanwhile. */
static uint32_t take_jobs(struct store_writer *w, struct list *jobs)
{
    struct map rows = w->rows;
    uint32_t n = w->n_jobs;

    list_move(jobs, &w->jobs);
    w->rows = w->taken;
    w->taken = rows;
    w->n_jobs = w->n_history = 0;
    return n;
}

/* What could not be written waits again, in front, but for the rows that have
 * been written anew in between. */
static void put_back(struct store_writer *w, struct list *taken)
{
    while (!list_is_empty(taken)) {
        struct store_job *j = container_of(taken->prev, struct store_job, node);

        list_remove(&j->node);
        if (map_find_like(&w->rows, &j->by_row)) {
            job_free(w, j);
            continue;
        }
        list_push_front(&w->jobs, &j->node);
        map_insert_named(&w->rows, &j->by_row);
        w->n_jobs++;
        w->n_history += is_history(j);
    }
}

/* Once when it begins and once when it is over. */
static void say(struct store_writer *w, bool ok, const char *why)
{
    if (ok == !w->failing)
        return;
    if (ok)
        log_f(LOG_WARN, "msg=\"store is written again\" dropped=%llu",
              (unsigned long long)w->dropped);
    else
        log_f(LOG_ERROR, "msg=\"store cannot be written: what changes is lost "
                         "at the next stop, unless this ends\" why=\"%s\" "
                         "queued=%u", why, w->n_jobs);
    w->failing = !ok;
}

/* ---- retention ------------------------------------------------------------------ */

void store_writer_retain(struct store_writer *w,
                         const struct store_retention *r)
{
    uv_mutex_lock(&w->lock);
    w->keep = *r;
    w->keeps = w->kept_anew = true;
    uv_mutex_unlock(&w->lock);
}

bool store_writer_keeps(struct store_writer *w, struct store_retention *out,
                        bool *anew)
{
    bool keeps;

    uv_mutex_lock(&w->lock);
    *out = w->keep;
    *anew = w->kept_anew;
    w->kept_anew = false;
    keeps = w->keeps;
    uv_mutex_unlock(&w->lock);
    return keeps;
}

/* ---- questions ------------------------------------------------------------------ */

/* In the order in which they came; a text with its NUL behind the last one. */
static struct slice copy_text(char **at, struct slice s)
{
    struct slice copy = { *at, s.n };

    slice_copy(*at, s.n + 1, s);
    *at += s.n + 1;
    return copy;
}

int store_writer_ask(struct store_writer *w, const struct store_ask *q)
{
    struct store_question *n =
        calloc(1, sizeof(*n) + q->device.n + q->channel.n + q->method.n +
                      q->type.n + q->priority.n + q->cmd.n + q->state.n +
                      q->devices.n + 8);
    int err = 0;
    char *at;

    if (!n)
        return GB_ENOMEM;
    at = (char *)(n + 1);
    n->ask = *q;
    n->ask.device = copy_text(&at, q->device);
    n->ask.channel = copy_text(&at, q->channel);
    n->ask.method = copy_text(&at, q->method);
    n->ask.type = copy_text(&at, q->type);
    n->ask.priority = copy_text(&at, q->priority);
    n->ask.cmd = copy_text(&at, q->cmd);
    n->ask.state = copy_text(&at, q->state);
    n->ask.devices = copy_text(&at, q->devices);
    uv_mutex_lock(&w->lock);
    if (w->no_asks || w->ending)
        err = GB_ESTATE;
    else if (w->n_asks >= STORE_ASKS_MAX)
        err = GB_ELIMIT;
    if (!err) {
        n->after = w->n_queued;
        if (q->list == STORE_NO_LIST) {
            n->lost = w->dropped != w->told_dropped;
            w->told_dropped = w->dropped;
        }
        list_push_back(&w->asks, &n->node);
        w->n_asks++;
        uv_cond_signal(&w->work);
    }
    uv_mutex_unlock(&w->lock);
    if (err)
        free(n);
    return err;
}

/* ok: all that was queued before it is committed. */
static void answer_one(struct store_writer *w, struct store_question *n,
                       bool ok)
{
    struct store_rows *r = store_rows_new(n->ask.ctx, n->ask.tag);

    if (r)
        r->list = n->ask.list;
    if (r && n->ask.list == STORE_NO_LIST) {
        r->err = ok && !n->lost ? 0 : GB_EIO;
        n->ask.done(r);
    } else if (r) {
        r->err = w->b.answer ? 0 : GB_EUNSUPPORTED;
        if (w->b.answer)
            w->b.answer(w->b.backend, &n->ask, r);
        n->ask.done(r);
    }
    free(n); /* without memory nobody is told: the request times out */
}

/* Those that came before the first `queued` jobs were all; ok: those are
 * committed. With the lock held; lets it go meanwhile. */
static void answer_asks(struct store_writer *w, uint64_t queued, bool ok)
{
    while (!list_is_empty(&w->asks)) {
        struct store_question *q =
            container_of(w->asks.next, struct store_question, node);

        if (q->after > queued)
            break;
        list_remove(&q->node);
        uv_mutex_unlock(&w->lock);
        answer_one(w, q, ok);
        uv_mutex_lock(&w->lock);
        w->n_asks--; /* when it is answered: store_writer_end_asks waits */
    }
    uv_cond_broadcast(&w->done);
}

void store_writer_end_asks(struct store_writer *w)
{
    uv_mutex_lock(&w->lock);
    w->no_asks = true;
    while (w->n_asks) {
        uv_cond_signal(&w->work);
        uv_cond_wait(&w->done, &w->lock);
    }
    uv_mutex_unlock(&w->lock);
}

/* ---- the thread's loop ---------------------------------------------------------- */

static bool is_crowded(const struct store_writer *w)
{
    return !w->b.whole && w->n_jobs >= STORE_COMMIT_ROWS;
}

/* What comes within STORE_COMMIT_MS goes with the next commit; a great many rows
 * and somebody who waits for one are not kept. With the lock held. */
static void gather(struct store_writer *w, bool ok)
{
    uint64_t now = uv_hrtime();
    uint64_t until = now + (uint64_t)STORE_COMMIT_MS * 1000000;

    for (; now < until; now = uv_hrtime()) {
        if (w->ending || !list_is_empty(&w->asks) ||
            (ok && (w->flush || is_crowded(w))))
            return;
        uv_cond_timedwait(&w->work, &w->lock, until - now);
    }
}

static void run(void *arg)
{
    struct store_writer *w = arg;
    struct list taken;

    list_init(&taken);
    uv_mutex_lock(&w->lock);
    for (;;) {
        char why[STORE_WHY] = "";
        uint64_t queued;
        uint32_t n;
        bool ok;

        while (list_is_empty(&w->jobs) && list_is_empty(&w->asks) && !w->ending)
            uv_cond_wait(&w->work, &w->lock);
        if (list_is_empty(&w->jobs) && list_is_empty(&w->asks))
            break; /* ending, and nothing is left */
        queued = w->n_queued;
        if (list_is_empty(&w->jobs)) {
            answer_asks(w, queued, true);
            continue;
        }
        n = take_jobs(w, &taken);
        w->busy = true;
        uv_mutex_unlock(&w->lock);
        ok = w->b.commit(w->b.backend, &taken, why);
        map_clear(&w->taken);
        if (ok)
            free_jobs(w, &taken);
        uv_mutex_lock(&w->lock);
        put_back(w, &taken);
        w->busy = false;
        w->commits += ok;
        w->errors += !ok;
        w->writes += ok ? n : 0;
        say(w, ok, why);
        uv_cond_broadcast(&w->done);
        answer_asks(w, ok ? queued : UINT64_MAX, ok); /* from what is there */
        if (!ok && w->ending)
            break; /* there is no later */
        gather(w, ok);
    }
    uv_mutex_unlock(&w->lock);
}

int store_writer_start(struct store_writer *w, const struct store_backend *b,
                       uint32_t max_jobs)
{
    *w = (struct store_writer){ .b = *b };
    w->max_jobs = max_jobs ? max_jobs : STORE_QUEUE_MAX;
    list_init(&w->jobs);
    list_init(&w->asks);
    random_bytes(w->seed, sizeof(w->seed));
    if (map_init_load(&w->rows, &gb_alloc_heap, w->seed, MAP_SPARSE) ||
        map_init_load(&w->taken, &gb_alloc_heap, w->seed, MAP_SPARSE) ||
        store_pages_init(&w->pages) || uv_mutex_init(&w->lock) ||
        uv_cond_init(&w->work) || uv_cond_init(&w->done) ||
        uv_thread_create(&w->thread, run, w)) {
        map_fini(&w->taken);
        map_fini(&w->rows);
        return GB_ENOMEM;
    }
    return 0;
}

void store_writer_stop(struct store_writer *w)
{
    uv_mutex_lock(&w->lock);
    w->ending = true;
    uv_cond_signal(&w->work);
    uv_mutex_unlock(&w->lock);
    uv_thread_join(&w->thread);
    free_jobs(w, &w->jobs);
    store_pages_fini(&w->pages);
    map_fini(&w->taken);
    map_fini(&w->rows);
    uv_cond_destroy(&w->work);
    uv_cond_destroy(&w->done);
    uv_mutex_destroy(&w->lock);
}

void store_writer_flush(struct store_writer *w)
{
    uint64_t errors;

    uv_mutex_lock(&w->lock);
    errors = w->errors;
    w->flush = true;
    while ((w->busy || !list_is_empty(&w->jobs)) && w->errors == errors) {
        uv_cond_signal(&w->work);
        uv_cond_wait(&w->done, &w->lock);
    }
    w->flush = false;
    uv_mutex_unlock(&w->lock);
}

void store_writer_counters(struct store_writer *w, struct store_counters *out)
{
    uv_mutex_lock(&w->lock);
    *out = (struct store_counters){ w->writes, w->commits, w->errors,
                                    w->dropped, w->n_jobs };
    uv_mutex_unlock(&w->lock);
}

/* ---- what is queued -------------------------------------------------------------- */

/* Takes the place of what waits for the same row, but at the end: the order
 * towards the removal of its device is kept. */
void store_writer_queue(struct store_writer *w, struct store_job *j)
{
    struct map_node *old;

    uv_mutex_lock(&w->lock);
    old = map_find_like(&w->rows, &j->by_row);
    if (old) {
        struct store_job *o = container_of(old, struct store_job, by_row);

        out_of_queue(w, o);
        job_free(w, o);
    } else if (w->n_jobs >= w->max_jobs ||
               (is_history(j) && w->n_history >= STORE_HISTORY_QUEUE_MAX)) {
        if (w->dropped++ == 0)
            log_f(LOG_ERROR, "msg=\"too many rows wait for the store: further "
                             "ones are dropped\" queued=%u", w->n_jobs);
        uv_mutex_unlock(&w->lock);
        job_free(w, j);
        return;
    }
    list_push_back(&w->jobs, &j->node);
    map_insert_named(&w->rows, &j->by_row);
    w->n_queued++;
    w->n_history += is_history(j);
    if (++w->n_jobs == 1 || w->n_jobs == STORE_COMMIT_ROWS)
        uv_cond_signal(&w->work);
    uv_mutex_unlock(&w->lock);
}

void store_writer_lost(struct store_writer *w)
{
    uv_mutex_lock(&w->lock);
    w->dropped++;
    uv_mutex_unlock(&w->lock);
}
