#include "app/store/writer.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the thread ---------------------------------------------------------------- */

static void free_jobs(struct list *jobs)
{
    struct list *n;

    while ((n = list_pop_front(jobs)))
        free(container_of(n, struct store_job, node));
}

/* Moves all that waits to `taken`, behind what a failed commit left there. */
static uint32_t take_jobs(struct store_writer *w, struct list *taken)
{
    uint32_t n = w->n_jobs;
    struct list *j;

    while ((j = list_pop_front(&w->jobs)))
        list_push_back(taken, j);
    w->n_jobs = 0;
    uv_cond_broadcast(&w->room);
    return n;
}

static void run(void *arg)
{
    struct store_writer *w = arg;
    struct list taken;

    list_init(&taken);
    uv_mutex_lock(&w->lock);
    for (;;) {
        bool ok;

        while (list_is_empty(&w->jobs) && list_is_empty(&taken) && !w->ending)
            uv_cond_wait(&w->work, &w->lock);
        if (list_is_empty(&w->jobs) && list_is_empty(&taken))
            break; /* ending, and nothing is left */
        w->writes += take_jobs(w, &taken);
        w->busy = true;
        uv_mutex_unlock(&w->lock);
        ok = w->b.commit(w->b.backend, &taken);
        if (ok)
            free_jobs(&taken);
        uv_mutex_lock(&w->lock);
        w->busy = false;
        w->commits += ok;
        w->errors += !ok;
        if (!ok && w->ending)
            break; /* said by the backend; there is no later */
        uv_cond_broadcast(&w->room);
        if (!w->ending && !w->flush) /* gather what comes next */
            uv_cond_timedwait(&w->work, &w->lock,
                              (uint64_t)STORE_COMMIT_MS * 1000000);
    }
    uv_mutex_unlock(&w->lock);
    free_jobs(&taken);
}

int store_writer_start(struct store_writer *w, const struct store_backend *b)
{
    *w = (struct store_writer){ .b = *b };
    list_init(&w->jobs);
    if (uv_mutex_init(&w->lock) || uv_cond_init(&w->work) ||
        uv_cond_init(&w->room))
        return GB_ENOMEM;
    return uv_thread_create(&w->thread, run, w) ? GB_ENOMEM : 0;
}

void store_writer_stop(struct store_writer *w)
{
    uv_mutex_lock(&w->lock);
    w->ending = true;
    uv_cond_signal(&w->work);
    uv_mutex_unlock(&w->lock);
    uv_thread_join(&w->thread);
    free_jobs(&w->jobs);
    uv_cond_destroy(&w->work);
    uv_cond_destroy(&w->room);
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
        uv_cond_wait(&w->room, &w->lock);
    }
    w->flush = false;
    uv_mutex_unlock(&w->lock);
}

void store_writer_counters(struct store_writer *w, struct store_counters *out)
{
    uv_mutex_lock(&w->lock);
    *out = (struct store_counters){ w->writes, w->commits, w->errors,
                                    w->n_jobs };
    uv_mutex_unlock(&w->lock);
}

/* ---- jobs ------------------------------------------------------------------------ */

/* A job with copies of the texts behind it, NUL-terminated; NULL: no memory,
 * the write is lost and counted. */
static struct store_job *job_new(struct store_writer *w, enum store_op op,
                                 const struct slice *text, size_t n)
{
    struct store_job *j;
    size_t bytes = 0;
    char *at;

    for (size_t i = 0; i < n; i++)
        bytes += text[i].n + 1;
    j = calloc(1, sizeof(*j) + bytes);
    if (!j) {
        uv_mutex_lock(&w->lock);
        w->errors++;
        uv_mutex_unlock(&w->lock);
        return NULL;
    }
    j->op = op;
    at = (char *)(j + 1);
    for (size_t i = 0; i < STORE_TEXTS; i++)
        j->text[i] = "";
    for (size_t i = 0; i < n; i++) {
        slice_copy(at, text[i].n + 1, text[i]);
        j->text[i] = at;
        at += text[i].n + 1;
    }
    return j;
}

static void queue(struct store_writer *w, struct store_job *j)
{
    uv_mutex_lock(&w->lock);
    while (w->n_jobs >= STORE_QUEUE_MAX) {
        uv_cond_signal(&w->work);
        uv_cond_wait(&w->room, &w->lock);
    }
    list_push_back(&w->jobs, &j->node);
    if (w->n_jobs++ == 0)
        uv_cond_signal(&w->work);
    uv_mutex_unlock(&w->lock);
}

struct slice store_key_text(char buf[static STORE_KEY_TEXT], uint64_t key)
{
    snprintf(buf, STORE_KEY_TEXT, "%llu", (unsigned long long)key);
    return slice_str(buf);
}

uint64_t store_key_of(const char *text)
{
    uint64_t key = 0;

    slice_u64(slice_str(text), UINT64_MAX, &key);
    return key;
}

void store_writer_device(struct store_writer *w,
                         const struct platform_device *d)
{
    const struct slice text[] = {
        d->id, d->name, d->manufacturer, d->model, d->firmware, d->user_agent,
        d->edition, d->charset,
    };
    struct store_job *j = job_new(w, STORE_PUT_DEVICE, text, 8);

    if (!j)
        return;
    j->peer = d->peer;
    j->number[0] = d->registered_utc_ms;
    j->number[1] = d->expires_utc_ms;
    j->number[2] = d->keepalive_utc_ms;
    queue(w, j);
}

void store_writer_channel(struct store_writer *w,
                          const struct platform_channel *c)
{
    const struct slice text[STORE_TEXTS] = {
        c->device, c->name, c->manufacturer, c->model, c->owner,
        c->civil_code, c->address, c->parent, c->status, c->ptz_type, c->id,
    };
    struct store_job *j = job_new(w, STORE_PUT_CHANNEL, text, STORE_TEXTS);

    if (!j)
        return;
    j->on = c->on;
    j->has_position = c->has_position;
    j->lon = c->longitude;
    j->lat = c->latitude;
    j->number[0] = c->delivered_utc_ms;
    queue(w, j);
}

void store_writer_dialog(struct store_writer *w, uint64_t key,
                         const struct sip_dialog_state *d,
                         const struct sip_peer *peer)
{
    char name[STORE_KEY_TEXT];
    struct slice text[] = {
        store_key_text(name, key), d->call_id, d->local_uri, d->remote_uri, d->local_tag,
        d->remote_tag, d->target,
    };
    struct store_job *j;

    j = job_new(w, STORE_PUT_DIALOG, text, 7);
    if (!j)
        return;
    j->peer = *peer;
    j->number[0] = d->local_cseq;
    queue(w, j);
}

void store_writer_settings(struct store_writer *w, struct slice id,
                           const struct platform_settings *set)
{
    const struct slice text[] = { id, set->password, set->group, set->name };
    struct store_job *j = job_new(w, STORE_PUT_SETTINGS, text, 4);

    if (!j)
        return;
    j->number[0] = set->date;
    j->number[1] = set->edition;
    j->number[2] = set->digest;
    j->number[3] = set->ignore_require;
    j->number[4] = set->media;
    queue(w, j);
}

void store_writer_group(struct store_writer *w, struct slice name,
                        struct slice sealed)
{
    const struct slice text[] = { name, sealed };
    struct store_job *j = job_new(w, STORE_PUT_GROUP, text, 2);

    if (j)
        queue(w, j);
}

void store_writer_remove(struct store_writer *w, enum store_op op,
                         struct slice a, struct slice b)
{
    const struct slice text[] = { a, b };
    struct store_job *j = job_new(w, op, text, 2);

    if (j)
        queue(w, j);
}

void store_writer_remove_dialog(struct store_writer *w, uint64_t key)
{
    char name[STORE_KEY_TEXT];

    store_writer_remove(w, STORE_REMOVE_DIALOG, store_key_text(name, key),
                        (struct slice){ NULL, 0 });
}
