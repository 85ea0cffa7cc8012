#include "app/trace/rtplog.h"

#include "base/list.h"
#include "base/map.h"
#include "base/prefetch.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ALL (RTPLOG_FIRST + RTPLOG_LAST)
#define BURST 16 /* packets of a picture, mostly */
#define WORDS 3 /* time and length; header; its rest and TCP */

struct rtplog {
    atomic_uint refs;
    _Atomic uint64_t begun, n; /* packets so far: being written, written */
    _Atomic uint64_t word[ALL][WORDS];
};

struct row {
    struct list node;
    struct map_node running; /* until it has ended */
    uint64_t session;
    struct rtplog *log;
    bool ended;
    char device[RTPLOG_TEXT_MAX], channel[RTPLOG_TEXT_MAX],
        call_id[RTPLOG_TEXT_MAX];
    struct gb_addr local, remote;
};

struct rtplogs {
    struct list rows; /* the oldest first */
    struct map running; /* by session */
    size_t n_ended;
};

/* ---- one session ---- */

struct rtplog *rtplog_ref(struct rtplog *l)
{
    if (l)
        atomic_fetch_add(&l->refs, 1);
    return l;
}

void rtplog_unref(struct rtplog *l)
{
    if (l && atomic_fetch_sub(&l->refs, 1) == 1)
        free(l);
}

static size_t slot_of(uint64_t i)
{
    return i < RTPLOG_FIRST
               ? (size_t)i
               : RTPLOG_FIRST + (size_t)((i - RTPLOG_FIRST) % RTPLOG_LAST);
}

static uint64_t be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static void put_be(uint8_t *p, size_t n, uint64_t v)
{
    while (n-- > 0) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* A slot is written over between `begun` and `n`: who has read it and finds that
 * `begun` has come round to it does not believe what it read. */
void rtplog_put(struct rtplog *l, const uint8_t *p, size_t n, bool tcp,
                int64_t utc_ms)
{
    uint64_t i = atomic_load_explicit(&l->n, memory_order_relaxed);
    _Atomic uint64_t *w = l->word[slot_of(i)];

    atomic_store_explicit(&l->begun, i + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&w[0], (uint64_t)utc_ms << 16 | (n & 0xffff),
                          memory_order_relaxed);
    atomic_store_explicit(&w[1], be(p, 8), memory_order_relaxed);
    atomic_store_explicit(&w[2], be(p + 8, 4) << 32 | tcp,
                          memory_order_relaxed);
    atomic_store_explicit(&l->n, i + 1, memory_order_release);
}

void rtplog_prefetch(const struct rtplog *l)
{
    uint64_t i = atomic_load_explicit(&l->n, memory_order_relaxed);

    prefetch_room(l->word[slot_of(i)], BURST * sizeof(l->word[0]));
}

static void read_one(const struct rtplog *l, uint64_t i,
                     struct rtplog_packet *out)
{
    const _Atomic uint64_t *w = l->word[slot_of(i)];
    uint64_t first = atomic_load_explicit(&w[0], memory_order_relaxed);
    uint64_t last = atomic_load_explicit(&w[2], memory_order_relaxed);

    *out = (struct rtplog_packet){ .utc_ms = (int64_t)(first >> 16),
                                   .len = (size_t)(first & 0xffff),
                                   .tcp = (last & 1) != 0 };
    put_be(out->head, 8, atomic_load_explicit(&w[1], memory_order_relaxed));
    put_be(out->head + 8, 4, last >> 32);
}

size_t rtplog_read(const struct rtplog *l, struct rtplog_packet *out,
                   uint64_t *total)
{
    uint64_t n = atomic_load_explicit(&l->n, memory_order_acquire), now;
    uint64_t from = n > ALL ? n - RTPLOG_LAST : RTPLOG_FIRST;
    size_t k = 0;

    *total = n;
    for (uint64_t i = 0; i < n && i < RTPLOG_FIRST; i++)
        read_one(l, i, &out[k++]);
    for (uint64_t i = from; i < n; i++) {
        read_one(l, i, &out[k]);
        atomic_thread_fence(memory_order_acquire);
        now = atomic_load_explicit(&l->begun, memory_order_relaxed);
        k += now - i <= RTPLOG_LAST; /* else it was written over */
    }
    return k;
}

/* ---- all of them ---- */

struct rtplogs *rtplogs_new(void)
{
    struct rtplogs *s = calloc(1, sizeof(*s));

    if (!s || map_init(&s->running, &gb_alloc_heap, NULL)) {
        free(s);
        return NULL;
    }
    list_init(&s->rows);
    return s;
}

static void forget(struct rtplogs *s, struct row *r)
{
    if (r->ended)
        s->n_ended--;
    else
        map_remove(&s->running, &r->running);
    list_remove(&r->node);
    rtplog_unref(r->log);
    free(r);
}

void rtplogs_free(struct rtplogs *s)
{
    if (!s)
        return;
    while (!list_is_empty(&s->rows))
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves */
        forget(s, container_of(s->rows.next, struct row, node));
    map_fini(&s->running);
    free(s);
}

static struct row *find(const struct rtplogs *s, uint64_t session)
{
    struct slice key = slice_of((const char *)&session, sizeof(session));
    struct map_node *n = map_find(&s->running, key);

    return n ? container_of(n, struct row, running) : NULL;
}

struct rtplog *rtplogs_open(struct rtplogs *s, uint64_t session)
{
    struct row *r = find(s, session);

    if (r)
        return r->log;
    r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->log = calloc(1, sizeof(*r->log));
    if (!r->log) {
        free(r);
        return NULL;
    }
    atomic_store(&r->log->refs, 1);
    r->session = session;
    list_push_back(&s->rows, &r->node);
    map_insert(&s->running, &r->running,
               slice_of((const char *)&r->session, sizeof(r->session)));
    return r->log;
}

void rtplogs_note(struct rtplogs *s, uint64_t session,
                  const struct rtplogs_of *of)
{
    struct row *r = find(s, session);

    if (!r)
        return;
    slice_copy(r->device, sizeof(r->device), of->device);
    slice_copy(r->channel, sizeof(r->channel), of->channel);
    slice_copy(r->call_id, sizeof(r->call_id), of->call_id);
    r->local = of->local;
    if (of->remote.family != GB_NO_ADDR)
        r->remote = of->remote;
}

void rtplogs_end(struct rtplogs *s, uint64_t session)
{
    struct row *r = find(s, session);
    struct list *n, *tmp;

    if (!r)
        return;
    r->ended = true;
    s->n_ended++;
    map_remove(&s->running, &r->running);
    LIST_EACH(n, tmp, &s->rows) {
        struct row *old = container_of(n, struct row, node);

        if (s->n_ended <= RTPLOG_ENDED)
            return;
        if (old->ended)
            forget(s, old);
    }
}

struct rtplog *rtplogs_at(const struct rtplogs *s, size_t i,
                          struct rtplogs_of *of)
{
    for (const struct list *n = s->rows.next; n != &s->rows; n = n->next) {
        const struct row *r = container_of(n, struct row, node);

        if (i-- > 0)
            continue;
        *of = (struct rtplogs_of){ slice_str(r->device),
                                   slice_str(r->channel),
                                   slice_str(r->call_id), r->local,
                                   r->remote };
        return r->log;
    }
    return NULL;
}
