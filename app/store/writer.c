#include "app/store/writer.h"

#include "app/net/log.h"

#include <stdio.h>
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
        if (map_find(&w->rows, map_key(&j->by_row))) {
            job_free(w, j);
            continue;
        }
        list_push_front(&w->jobs, &j->node);
        map_insert(&w->rows, &j->by_row, map_key(&j->by_row));
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
        w->n_asks--; /* when it is answered: end_asks waits for that */
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
    uint8_t seed[16];

    *w = (struct store_writer){ .b = *b };
    w->max_jobs = max_jobs ? max_jobs : STORE_QUEUE_MAX;
    list_init(&w->jobs);
    list_init(&w->asks);
    if (uv_random(NULL, NULL, seed, sizeof(seed), 0, NULL) ||
        map_init_load(&w->rows, &gb_alloc_heap, seed, MAP_SPARSE) ||
        map_init_load(&w->taken, &gb_alloc_heap, seed, MAP_SPARSE) ||
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

/* ---- jobs ------------------------------------------------------------------------ */

/* The rows of a device and of its channels, and a removal that takes both. */
static char row_kind(enum store_op op)
{
    switch (op) {
    case STORE_PUT_DEVICE:
        return 'd';
    case STORE_REMOVE_DEVICE:
        return 'D'; /* is not made up for by a put that follows */
    case STORE_PUT_CHANNEL:
        return 'c';
    case STORE_REMOVE_CHANNEL:
        return 'C'; /* nor is that of one: its detail goes with it */
    case STORE_PUT_SETTINGS:
        return 's';
    case STORE_PUT_GROUP:
    case STORE_REMOVE_GROUP:
        return 'G';
    case STORE_PUT_DETAIL:
        return 'e';
    case STORE_ADD_ALARM:
    case STORE_ADD_POSITION:
    case STORE_ADD_AUDIT:
        return 'h';
    case STORE_ACKNOWLEDGE:
        return 'A';
    case STORE_PUT_COMMAND:
        return 'k';
    case STORE_PUT_HOOK:
    case STORE_REMOVE_HOOK:
        return 'w';
    case STORE_PUT_ACCOUNT:
    case STORE_REMOVE_ACCOUNT:
        return 'a';
    case STORE_PUT_RULE:
    case STORE_REMOVE_RULE:
        return 'i';
    case STORE_PUT_PUSH:
    case STORE_REMOVE_PUSH:
        return 'q';
    case STORE_PUT_UPGRADE:
        return 'u';
    case STORE_PUT_DOWNLOAD:
    case STORE_REMOVE_DOWNLOAD:
        return 'l';
    case STORE_PUT_RECORDER:
    case STORE_REMOVE_RECORDER:
        return 'r';
    case STORE_PUT_RECORD:
    case STORE_REMOVE_RECORD:
        return 'R';
    case STORE_PUT_DIALOG:
    case STORE_REMOVE_DIALOG:
        break;
    }
    return 'g';
}

static char *put_text(char *at, struct slice s)
{
    slice_copy(at, s.n + 1, s);
    return at + s.n + 1;
}

/* What a job has beside its texts. */
struct room {
    unsigned numbers;
    bool peer, place;
};

static size_t room_bytes(struct room r, size_t n_texts)
{
    return ((offsetof(struct store_job, text_at) +
             (n_texts + 1) * sizeof(uint32_t) + 7) & ~(size_t)7) +
           r.numbers * sizeof(int64_t) + r.peer * sizeof(struct sip_peer) +
           r.place * sizeof(struct store_place);
}

/* Its numbers, all zero, then peer and place; gives where texts can begin. */
static char *lay_out(struct store_job *j, struct room r, size_t n_texts)
{
    char *at = (char *)j + room_bytes((struct room){ 0 }, n_texts);

    j->number = (int64_t *)(void *)at;
    memset(at, 0, r.numbers * sizeof(int64_t));
    at += r.numbers * sizeof(int64_t);
    if (r.peer) {
        j->peer = (struct sip_peer *)(void *)at;
        at += sizeof(*j->peer);
    }
    if (r.place) {
        j->place = (struct store_place *)(void *)at;
        at += sizeof(*j->place);
    }
    return at;
}

/* A job with copies of the texts behind it, NUL-terminated, and the name of its
 * row: a and b. On the main thread. NULL: no memory, the write is lost and
 * counted. */
static struct store_job *job_new(struct store_writer *w, enum store_op op,
                                 struct room r, const struct slice *text,
                                 size_t n, struct slice a, struct slice b)
{
    struct store_page *page;
    struct store_job *j;
    size_t bytes = room_bytes(r, n) + a.n + b.n + 3;
    char *at;

    for (size_t i = 0; i < n; i++)
        bytes += text[i].n + 1;
    j = bytes < UINT32_MAX
            ? store_pages_get(&w->pages, bytes, w->failing, &page)
            : NULL;
    if (!j) {
        uv_mutex_lock(&w->lock);
        w->dropped++;
        uv_mutex_unlock(&w->lock);
        return NULL;
    }
    *j = (struct store_job){ .page = page, .op = (uint8_t)op,
                             .n_texts = (uint8_t)n };
    list_init(&j->node);
    at = lay_out(j, r, n);
    map_set_key(&j->by_row, slice_of(at, a.n + b.n + 3));
    *at = row_kind(op);
    at = put_text(put_text(at + 1, a), b);
    for (size_t i = 0; i < n; i++) {
        j->text_at[i] = (uint32_t)(at - (char *)j);
        at = put_text(at, text[i]);
    }
    j->text_at[n] = (uint32_t)(at - (char *)j);
    return j;
}

/* Takes the place of what waits for the same row, but at the end: the order
 * towards the removal of its device is kept. */
static void queue(struct store_writer *w, struct store_job *j)
{
    struct map_node *old;

    uv_mutex_lock(&w->lock);
    old = map_find(&w->rows, map_key(&j->by_row));
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
    map_insert(&w->rows, &j->by_row, map_key(&j->by_row));
    w->n_queued++;
    w->n_history += is_history(j);
    if (++w->n_jobs == 1 || w->n_jobs == STORE_COMMIT_ROWS)
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
        d->edition, d->charset, d->history, d->profile,
    };
    struct store_job *j = job_new(w, STORE_PUT_DEVICE,
                                  (struct room){ 3, true, false },
                                  text, 10, d->id,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    *j->peer = d->peer;
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
        c->business_group,
    };
    struct store_job *j = job_new(w, STORE_PUT_CHANNEL,
                                  (struct room){ 1, false, c->has_position },
                                  text, STORE_TEXTS,
                                  c->device, c->id);

    if (!j)
        return;
    j->on = c->on;
    if (j->place)
        *j->place = (struct store_place){ c->longitude, c->latitude };
    j->number[0] = c->delivered_utc_ms;
    queue(w, j);
}

void store_writer_dialog(struct store_writer *w, uint64_t key,
                         const struct sip_dialog_state *d,
                         const struct sip_peer *peer)
{
    char name[STORE_KEY_TEXT];
    struct slice text[] = {
        store_key_text(name, key), d->call_id, d->local_uri, d->remote_uri,
        d->local_tag, d->remote_tag, d->target,
    };
    struct store_job *j;

    j = job_new(w, STORE_PUT_DIALOG,
                (struct room){ 1, true, false }, text, 7, text[0],
                (struct slice){ NULL, 0 });
    if (!j)
        return;
    *j->peer = *peer;
    j->number[0] = d->local_cseq;
    queue(w, j);
}

void store_writer_settings(struct store_writer *w, struct slice id,
                           const struct platform_settings *set)
{
    char policy[PLATFORM_POLICY_TEXT_MAX];
    struct writer y = writer_of(policy, sizeof(policy));
    struct slice text[] = { id, set->password, set->group, set->name,
                            { NULL, 0 } };
    struct store_job *j;

    platform_policy_write(&y, &set->subscribe);
    text[STORE_POLICY] = writer_slice(&y);
    j = job_new(w, STORE_PUT_SETTINGS,
                (struct room){ .numbers = 6 }, text, 5, id,
                (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = set->date;
    j->number[1] = set->edition;
    j->number[2] = set->digest;
    j->number[3] = set->ignore_require;
    j->number[4] = set->media;
    j->number[5] = set->arm;
    queue(w, j);
}

void store_writer_group(struct store_writer *w, struct slice name,
                        struct slice sealed,
                        const struct platform_policy *subscribe)
{
    char policy[PLATFORM_POLICY_TEXT_MAX];
    struct writer y = writer_of(policy, sizeof(policy));
    struct slice text[] = { name, sealed, { NULL, 0 } };
    struct store_job *j;

    platform_policy_write(&y, subscribe);
    text[STORE_GROUP_POLICY] = writer_slice(&y);
    j = job_new(w, STORE_PUT_GROUP,
                (struct room){ 0 }, text, 3, name, (struct slice){ NULL, 0 });

    if (j)
        queue(w, j);
}

void store_writer_hook(struct store_writer *w, const struct store_hook *h)
{
    const struct slice text[] = { h->name, h->url, h->sealed };
    struct store_job *j = job_new(w, STORE_PUT_HOOK,
                                  (struct room){ .numbers = 2 },
                                  text, 3, h->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = h->kinds;
    j->number[1] = h->off;
    queue(w, j);
}

void store_writer_account(struct store_writer *w,
                          const struct store_account *v)
{
    const struct slice text[] = { v->name, v->role, v->secret, v->scope };
    struct store_job *j = job_new(w, STORE_PUT_ACCOUNT,
                                  (struct room){ .numbers = 1 }, text,
                                  STORE_ACCOUNT_TEXTS, v->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = v->made_utc_ms;
    queue(w, j);
}

void store_writer_rule(struct store_writer *w, const struct store_rule *v)
{
    const struct slice text[] = { v->name, v->lines };
    struct store_job *j = job_new(w, STORE_PUT_RULE,
                                  (struct room){ .numbers = 0 }, text, 2,
                                  v->name, (struct slice){ NULL, 0 });

    if (j)
        queue(w, j);
}

void store_writer_push(struct store_writer *w, const struct store_push *p)
{
    const struct slice text[] = { p->name, p->urls, p->sealed };
    struct store_job *j = job_new(w, STORE_PUT_PUSH,
                                  (struct room){ .numbers = 1 },
                                  text, 3, p->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = p->stream;
    queue(w, j);
}

void store_writer_recorder(struct store_writer *w, struct slice device,
                           struct slice channel,
                           const struct recorders_settings *set)
{
    char hex[2 * RECORDERS_PLAN_BYTES + 1];
    struct writer plan = writer_of(hex, sizeof(hex));
    const struct slice text[STORE_RECORDER_TEXTS] = {
        device, channel, slice_str(recorders_mode_name(set->mode)),
        slice_of(hex, sizeof(hex) - 1)
    };
    struct store_job *j;

    for (size_t i = 0; i < RECORDERS_PLAN_BYTES; i++)
        writer_f(&plan, "%02x", set->plan[i]);
    j = job_new(w, STORE_PUT_RECORDER,
                (struct room){ .numbers = STORE_RECORDER_NUMBERS }, text,
                STORE_RECORDER_TEXTS, device, channel);
    if (!j)
        return;
    j->number[0] = set->stream;
    j->number[1] = set->alarm_s;
    j->number[2] = set->before;
    j->number[3] = set->hand;
    queue(w, j);
}

void store_recorder_of(struct recorders_settings *out, struct slice mode,
                       struct slice plan,
                       const int64_t number[STORE_RECORDER_NUMBERS])
{
    enum recorders_mode m = recorders_mode_by_name(mode);

    *out = (struct recorders_settings){
        .mode = m < RECORDERS_MODES ? m : RECORDERS_MODE_OFF,
        .stream = number[0] == 1, .alarm_s = (uint32_t)number[1],
        .before = number[2] != 0, .hand = number[3] != 0,
    };
    for (size_t i = 0; i < plan.n && i < sizeof(out->plan) * 2; i++) {
        unsigned c = (unsigned char)plan.p[i];
        unsigned v = c >= 'a' ? c - 'a' + 10 : c - '0';

        out->plan[i / 2] |= (uint8_t)((v & 15) << (i % 2 ? 0 : 4));
    }
}

void store_writer_record(struct store_writer *w, enum store_op op,
                         struct slice device, struct slice channel,
                         const struct archive_segment *s)
{
    const struct slice text[] = { device, channel };
    char name[ARCHIVE_NAME_MAX + 32];
    struct writer row = writer_of(name, sizeof(name));
    struct store_job *j;

    writer_slice_put(&row, channel);
    writer_f(&row, "/%lld", (long long)s->begin_utc_ms);
    j = job_new(w, op, (struct room){ .numbers = 4 }, text, 2, device,
                writer_slice(&row));
    if (!j)
        return;
    j->number[0] = s->begin_utc_ms;
    j->number[1] = s->length_ms;
    j->number[2] = (int64_t)s->bytes;
    j->number[3] = s->flags;
    queue(w, j);
}

void store_writer_upgrade(struct store_writer *w,
                          const struct platform_upgrade *u)
{
    const struct slice text[] = {
        u->session, u->device, u->target, u->file, u->version, u->runs,
        slice_str(platform_upgrade_state_name(u->state)), u->evidence,
    };
    struct store_job *j = job_new(w, STORE_PUT_UPGRADE,
                                  (struct room){ .numbers = 5 },
                                  text, 8, u->session,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = u->asked_utc_ms;
    j->number[1] = u->fetched_utc_ms;
    j->number[2] = u->ended_utc_ms;
    j->number[3] = (int64_t)u->fetched_bytes;
    j->number[4] = u->fetches;
    queue(w, j);
}

void store_writer_download(struct store_writer *w,
                           const struct platform_download *d)
{
    char key[STORE_KEY_TEXT];
    struct slice id = store_key_text(key, d->id);
    const struct slice text[STORE_DOWNLOAD_TEXTS] = {
        id, d->device, d->channel,
        slice_str(platform_download_state_name(d->state)), d->evidence,
        d->parts,
    };
    const int64_t number[STORE_DOWNLOAD_NUMBERS] = {
        (int64_t)d->format | (int64_t)d->transport << 8 |
            (int64_t)d->speed << 16,
        (int64_t)d->start_s, (int64_t)d->stop_s, d->sessions,
        d->created_utc_ms, d->ended_utc_ms, (int64_t)d->mark.bytes,
        d->mark.at_utc_ms, d->mark.end90k, (int64_t)d->mark.key,
        (int64_t)d->mark.chain,
    };
    struct store_job *j =
        job_new(w, STORE_PUT_DOWNLOAD,
                (struct room){ .numbers = STORE_DOWNLOAD_NUMBERS }, text,
                STORE_DOWNLOAD_TEXTS, id, (struct slice){ NULL, 0 });

    if (!j)
        return;
    memcpy(j->number, number, sizeof(number));
    queue(w, j);
}

void store_download_of(struct platform_download *out,
                       const struct slice text[STORE_DOWNLOAD_TEXTS],
                       const int64_t number[STORE_DOWNLOAD_NUMBERS])
{
    char key[STORE_KEY_TEXT];

    slice_copy(key, sizeof(key), slice_head(text[0], sizeof(key) - 1));
    *out = (struct platform_download){
        .id = store_key_of(key),
        .device = text[1],
        .channel = text[2],
        .state = platform_download_state_by_name(text[3]),
        .evidence = text[4],
        .parts = text[5],
        .format = number[0] & 1 ? PLATFORM_FILE_PS : PLATFORM_FILE_MP4,
        .transport = (enum platform_transport)(number[0] >> 8 & 3),
        .speed = (uint32_t)(number[0] >> 16 & 0xffff),
        .start_s = (uint64_t)number[1],
        .stop_s = (uint64_t)number[2],
        .sessions = (unsigned)number[3],
        .created_utc_ms = number[4],
        .ended_utc_ms = number[5],
        .mark = { .bytes = (uint64_t)number[6], .at_utc_ms = number[7],
                  .end90k = number[8], .key = (uint64_t)number[9],
                  .chain = (uint64_t)number[10] },
    };
}

void store_writer_detail(struct store_writer *w, struct slice device,
                         struct slice channel, struct slice detail)
{
    const struct slice text[] = { device, channel, detail };
    struct store_job *j =
        job_new(w, STORE_PUT_DETAIL,
                (struct room){ 0 }, text, 3, device, channel);

    if (j)
        queue(w, j);
}

/* A row that is added and never replaced. */
static struct store_job *history_new(struct store_writer *w, enum store_op op,
                                     bool place, const struct slice *text,
                                     size_t n)
{
    char name[STORE_KEY_TEXT];

    return job_new(w, op, (struct room){ 2, false, place }, text, n,
                   store_key_text(name, ++w->history),
                   (struct slice){ NULL, 0 });
}

void store_writer_alarm(struct store_writer *w, const struct platform_alarm *a)
{
    const struct slice text[] = { a->device, a->channel, a->priority,
                                  a->method, a->type,    a->time,
                                  a->description };
    struct store_job *j = history_new(w, STORE_ADD_ALARM, a->has_position,
                                      text, 7);

    if (!j)
        return;
    if (j->place)
        *j->place = (struct store_place){ a->longitude, a->latitude };
    j->number[0] = (int64_t)a->id;
    j->number[1] = a->received_utc_ms;
    queue(w, j);
}

/* Twice before a commit: the later one, as of all rows. */
void store_writer_acknowledge(struct store_writer *w, uint64_t id,
                              struct slice who, int64_t utc_ms)
{
    char name[STORE_KEY_TEXT];
    struct store_job *j = job_new(w, STORE_ACKNOWLEDGE,
                                  (struct room){ 2, false, false },
                                  &who, 1, store_key_text(name, id),
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = utc_ms;
    j->number[1] = (int64_t)id;
    queue(w, j);
}

void store_writer_position(struct store_writer *w,
                           const struct platform_position *p)
{
    const struct slice text[] = { p->device,    p->channel,   p->time,
                                  p->speed, p->direction, p->altitude };
    struct store_job *j = history_new(w, STORE_ADD_POSITION, true, text, 6);

    if (!j)
        return;
    *j->place = (struct store_place){ p->longitude, p->latitude };
    j->number[1] = p->received_utc_ms;
    queue(w, j);
}

void store_writer_audit(struct store_writer *w, const struct store_audit *a)
{
    const struct slice text[] = { a->who, a->role, a->peer, a->method,
                                  a->path };
    struct store_job *j = history_new(w, STORE_ADD_AUDIT, false, text,
                                      STORE_AUDIT_TEXTS);

    if (!j)
        return;
    j->number[0] = a->status;
    j->number[1] = a->at_utc_ms;
    queue(w, j);
}

void store_writer_command(struct store_writer *w,
                          const struct platform_command *c)
{
    char name[STORE_KEY_TEXT];
    const struct slice text[] = {
        c->device, c->target, c->cmd, c->sub,
        slice_str(platform_command_state_name(c->state)), c->evidence,
        c->answer,
    };
    struct store_job *j =
        job_new(w, STORE_PUT_COMMAND,
                (struct room){ .numbers = 12 },
                text, 7, store_key_text(name, c->id),
                (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = (int64_t)c->id;
    j->number[1] = c->asked_utc_ms;
    j->number[2] = c->sent_utc_ms;
    j->number[3] = c->arrived_utc_ms;
    j->number[4] = c->answered_utc_ms;
    j->number[5] = c->tries;
    j->number[6] = c->sip_status;
    j->number[7] = (c->late ? STORE_LATE : 0) |
                   (c->partial ? STORE_PARTIAL : 0) |
                   (c->cut ? STORE_CUT : 0);
    j->number[8] = c->sn;
    j->number[9] = c->messages;
    j->number[10] = c->have;
    j->number[11] = c->sum;
    queue(w, j);
}

void store_writer_remove(struct store_writer *w, enum store_op op,
                         struct slice a, struct slice b)
{
    const struct slice text[] = { a, b };
    struct store_job *j = job_new(w, op, (struct room){ 0 }, text, 2, a, b);

    if (j)
        queue(w, j);
}

void store_writer_remove_dialog(struct store_writer *w, uint64_t key)
{
    char name[STORE_KEY_TEXT];

    store_writer_remove(w, STORE_REMOVE_DIALOG, store_key_text(name, key),
                        (struct slice){ NULL, 0 });
}
