#include "manscdp/assembly.h"

#include "base/idmap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timerq.h"

#include <assert.h>

#define DEFAULT_OPEN 4096u
#define DEFAULT_ITEMS 100000u
#define DEFAULT_KEY 256u
#define MAX_KEY 1000u
#define FIRST_POOL 256u
#define FIRST_SLOTS 16u

/* The keys of an answer's items: their bytes one behind the other, each with
 * its length before it, and an open hash table of where they begin. */
struct keyset {
    uint8_t *pool;
    uint32_t *slot; /* offset in the pool + 1; 0: free */
    size_t len, cap;
    size_t n_slots; /* a power of two, at most half full */
    uint32_t n;
};

struct answer {
    struct map_node node; /* key: CmdType and device */
    struct list all;      /* of the set, while open */
    struct list queued;   /* of events not yet pulled */
    uint64_t id;
    void *user;
    struct keyset keys;
    struct timerq_node timer;
    uint64_t first_deadline_ms;
    uint32_t gap_ms, sn;
    uint32_t expected, duplicates, unnamed, broken, excess, messages;
    bool said_sum, exact, loose_own_sn;
    bool news;     /* in the message under way */
    bool told;     /* COMPLETE has been queued */
    bool closed;
    struct manscdp_assembly_event event;
    size_t key_len;
    uint8_t key[]; /* CmdType, then the device */
};

struct manscdp_assemblies {
    const struct gb_alloc *alloc;
    struct manscdp_assembly_limits limits;
    struct map by_key;
    struct idmap by_id;
    struct list open, events;
    struct timerq timers;
    uint64_t seed[2];
};

static uint32_t keyset_at(const struct keyset *k, size_t off)
{
    uint16_t n;

    memcpy(&n, k->pool + off, sizeof(n));
    return n;
}

static void keyset_free(struct keyset *k, const struct gb_alloc *a)
{
    gb_put(a, k->pool);
    gb_put(a, k->slot);
    *k = (struct keyset){ 0 };
}

/* The slot of key: it is there, or the free one where it belongs. */
static uint32_t *keyset_slot(const struct keyset *k, const uint64_t seed[2],
                             struct slice key)
{
    size_t mask = k->n_slots - 1, i = (size_t)map_hash(seed, key) & mask;

    for (; k->slot[i]; i = (i + 1) & mask) {
        size_t off = k->slot[i] - 1;
        struct slice have = slice_of((const char *)k->pool + off + 2,
                                     keyset_at(k, off));

        if (slice_eq(have, key))
            break;
    }
    return &k->slot[i];
}

static bool keyset_grow_slots(struct keyset *k, const struct gb_alloc *a,
                              const uint64_t seed[2])
{
    struct keyset bigger = *k;

    bigger.n_slots = k->n_slots ? k->n_slots * 2 : FIRST_SLOTS;
    bigger.slot = gb_get(a, bigger.n_slots * sizeof(*bigger.slot));
    if (!bigger.slot)
        return false;
    for (size_t off = 0; off < k->len; off += 2 + keyset_at(k, off)) {
        struct slice key = slice_of((const char *)k->pool + off + 2,
                                    keyset_at(k, off));

        *keyset_slot(&bigger, seed, key) = (uint32_t)off + 1;
    }
    gb_put(a, k->slot);
    *k = bigger;
    return true;
}

static bool keyset_grow_pool(struct keyset *k, const struct gb_alloc *a,
                             size_t need)
{
    size_t cap = k->cap ? k->cap : FIRST_POOL;
    uint8_t *pool;

    while (cap < need)
        cap *= 2;
    pool = gb_get(a, cap);
    if (!pool)
        return false;
    if (k->len)
        memcpy(pool, k->pool, k->len);
    gb_put(a, k->pool);
    k->pool = pool;
    k->cap = cap;
    return true;
}

static enum manscdp_novelty keyset_add(struct keyset *k,
                                       const struct manscdp_assemblies *s,
                                       struct slice key)
{
    uint16_t n = (uint16_t)key.n;
    uint32_t *slot;

    if (k->n_slots && *keyset_slot(k, s->seed, key))
        return MANSCDP_DUPLICATE;
    if (k->n >= s->limits.max_items ||
        k->len + 2 + key.n > UINT32_MAX - 1) /* offsets have 32 bits */
        return MANSCDP_EXCESS;
    if ((k->n + 1) * (size_t)2 > k->n_slots &&
        !keyset_grow_slots(k, s->alloc, s->seed))
        return MANSCDP_EXCESS;
    if (k->len + 2 + key.n > k->cap &&
        !keyset_grow_pool(k, s->alloc, k->len + 2 + key.n))
        return MANSCDP_EXCESS;
    slot = keyset_slot(k, s->seed, key);
    assert(!*slot);
    *slot = (uint32_t)k->len + 1;
    memcpy(k->pool + k->len, &n, sizeof(n));
    memcpy(k->pool + k->len + 2, key.p, key.n);
    k->len += 2 + key.n;
    k->n++;
    return MANSCDP_NEW;
}

static uint32_t or_default(uint32_t v, uint32_t def, uint32_t max)
{
    return v == 0 ? def : v < max ? v : max;
}

struct manscdp_assemblies *
manscdp_assemblies_new(const struct gb_alloc *alloc, const void *seed,
                       const struct manscdp_assembly_limits *limits)
{
    struct manscdp_assembly_limits l =
        limits ? *limits : (struct manscdp_assembly_limits){ 0 };
    struct manscdp_assemblies *s = gb_get(alloc, sizeof(*s));

    if (!s)
        return NULL;
    s->alloc = alloc;
    s->limits.max_open = or_default(l.max_open, DEFAULT_OPEN, 1u << 20);
    s->limits.max_items = or_default(l.max_items, DEFAULT_ITEMS, 1u << 20);
    s->limits.max_key = or_default(l.max_key, DEFAULT_KEY, MAX_KEY);
    list_init(&s->open);
    list_init(&s->events);
    if (seed)
        memcpy(s->seed, seed, sizeof(s->seed));
    if (map_init(&s->by_key, alloc, seed)) {
        gb_put(alloc, s);
        return NULL;
    }
    idmap_init(&s->by_id, alloc, s->limits.max_open);
    return s;
}

static void answer_free(struct manscdp_assemblies *s, struct answer *an)
{
    keyset_free(&an->keys, s->alloc);
    gb_put(s->alloc, an);
}

/* Out of everything but the event queue: its id finds nothing from here. */
static void answer_close(struct manscdp_assemblies *s, struct answer *an)
{
    map_remove(&s->by_key, &an->node);
    idmap_remove(&s->by_id, an->id);
    list_remove(&an->all);
    timerq_stop(&s->timers, &an->timer);
    an->closed = true;
}

static void answer_cancel(struct manscdp_assemblies *s, struct answer *an)
{
    answer_close(s, an);
    list_remove(&an->queued);
    answer_free(s, an);
}

void manscdp_assemblies_free(struct manscdp_assemblies *s)
{
    struct list *n, *tmp;

    if (!s)
        return;
    LIST_EACH(n, tmp, &s->open)
        answer_cancel(s, container_of(n, struct answer, all));
    LIST_EACH(n, tmp, &s->events)
        answer_free(s, container_of(n, struct answer, queued));
    map_fini(&s->by_key);
    idmap_fini(&s->by_id);
    gb_put(s->alloc, s);
}

static struct slice key_of(const struct answer *an)
{
    return slice_of((const char *)an->key, an->key_len);
}

/* CmdType and device as one key. buf: 1 + device.n bytes. */
static struct slice make_key(void *buf, enum manscdp_cmd cmd,
                             struct slice device)
{
    char *p = buf;

    _Static_assert(MANSCDP_CMD_COUNT <= 127, "a CmdType fits in one byte");
    p[0] = (char)cmd;
    if (device.n)
        memcpy(p + 1, device.p, device.n);
    return slice_of(p, 1 + device.n);
}

static struct answer *find_first(const struct manscdp_assemblies *s,
                                 enum manscdp_cmd cmd, struct slice device)
{
    char buf[1 + MAX_KEY];
    struct map_node *n;

    if (device.n > s->limits.max_key)
        return NULL;
    n = map_find(&s->by_key, make_key(buf, cmd, device));
    return n ? container_of(n, struct answer, node) : NULL;
}

static struct answer *find_next(const struct answer *an)
{
    struct map_node *n = map_find_next(&an->node);

    return n ? container_of(n, struct answer, node) : NULL;
}

int manscdp_assembly_open(struct manscdp_assemblies *s, struct slice device,
                          const struct manscdp_row *row, uint32_t sn,
                          uint32_t first_ms, void *user, uint64_t now_ms,
                          uint64_t *id)
{
    struct answer *an;
    int err;

    if (device.n > s->limits.max_key)
        return GB_ERANGE;
    for (an = find_first(s, row->cmd, device); an; an = find_next(an))
        if (an->sn == sn)
            return GB_EEXIST;
    an = gb_get(s->alloc, sizeof(*an) + 1 + device.n);
    if (!an)
        return GB_ENOMEM;
    err = idmap_add(&s->by_id, an, &an->id);
    if (err) {
        gb_put(s->alloc, an);
        return err;
    }
    an->key_len = make_key(an->key, row->cmd, device).n;
    an->user = user;
    an->sn = sn;
    an->gap_ms = row->gap_ms;
    an->first_deadline_ms = now_ms + (first_ms ? first_ms : row->first_ms);
    list_init(&an->queued);
    list_init(&an->all);
    list_push_back(&s->open, &an->all);
    map_insert(&s->by_key, &an->node, key_of(an));
    timerq_node_init(&an->timer, 0);
    timerq_set(&s->timers, &an->timer, an->first_deadline_ms);
    *id = an->id;
    return 0;
}

bool manscdp_assembly_awaits(const struct manscdp_assemblies *s,
                             struct slice device, enum manscdp_cmd cmd,
                             uint32_t sn)
{
    const struct answer *an = find_first(s, cmd, device);

    while (an && an->sn != sn)
        an = find_next(an);
    return an != NULL;
}

enum manscdp_belongs
manscdp_assembly_message(struct manscdp_assemblies *s, struct slice device,
                         enum manscdp_cmd cmd, uint32_t sn, uint64_t *id)
{
    struct answer *first = find_first(s, cmd, device), *an;

    *id = 0;
    for (an = first; an; an = find_next(an)) {
        if (an->sn != sn)
            continue;
        an->exact = true;
        *id = an->id;
        return MANSCDP_EXACT;
    }
    if (!first || find_next(first) || first->exact)
        return MANSCDP_UNSOLICITED;
    first->loose_own_sn |= sn != 0;
    *id = first->id;
    return MANSCDP_LOOSE;
}

enum manscdp_novelty manscdp_assembly_item(struct manscdp_assemblies *s,
                                           uint64_t id, struct slice key)
{
    struct answer *an = idmap_find(&s->by_id, id);
    enum manscdp_novelty novelty;

    if (!an)
        return MANSCDP_EXCESS;
    novelty = !key.n                       ? MANSCDP_UNNAMED
              : key.n > s->limits.max_key ? MANSCDP_EXCESS
                                           : keyset_add(&an->keys, s, key);
    an->news |= novelty == MANSCDP_NEW;
    an->duplicates += novelty == MANSCDP_DUPLICATE;
    an->unnamed += novelty == MANSCDP_UNNAMED;
    an->excess += novelty == MANSCDP_EXCESS;
    return novelty;
}

/* All that was announced is here. Where a message with unnamed items may have
 * come twice, the count says nothing before the gap is over. */
static bool has_all(const struct answer *an)
{
    uint32_t seen = an->keys.n + an->unnamed + an->broken + an->excess;

    if (!an->exact || (an->unnamed && an->duplicates))
        return false;
    if (an->expected == 0)
        return an->said_sum && seen == 0;
    return seen >= an->expected;
}

/* How it looks if nothing more comes. */
static enum manscdp_outcome outcome_of(const struct answer *an,
                                       uint32_t *missing)
{
    uint32_t seen = an->keys.n + an->unnamed, lost = an->broken + an->excess;

    *missing = an->expected > seen ? an->expected - seen : 0;
    if (*missing < lost)
        *missing = lost;
    if (!an->messages)
        return MANSCDP_SILENT;
    if (!an->gap_ms)
        return lost ? MANSCDP_PARTIAL : MANSCDP_COMPLETE;
    if (*missing || (!an->said_sum && !seen) ||
        (!an->exact && an->loose_own_sn))
        return MANSCDP_PARTIAL;
    return MANSCDP_COMPLETE;
}

static void fill_event(const struct answer *an,
                       struct manscdp_assembly_event *ev)
{
    *ev = (struct manscdp_assembly_event){
        .id = an->id,
        .user = an->user,
        .closed = an->closed,
        .received = an->keys.n,
        .expected = an->expected,
        .duplicates = an->duplicates,
        .unnamed = an->unnamed,
        .broken = an->broken,
        .messages = an->messages,
    };
    ev->outcome = outcome_of(an, &ev->missing);
}

static void tell(struct manscdp_assemblies *s, struct answer *an)
{
    fill_event(an, &an->event);
    list_remove(&an->queued);
    list_push_back(&s->events, &an->queued);
}

static void close_and_tell(struct manscdp_assemblies *s, struct answer *an)
{
    answer_close(s, an);
    tell(s, an);
}

void manscdp_assembly_end(struct manscdp_assemblies *s, uint64_t id,
                          bool has_sum_num, uint32_t sum_num,
                          uint32_t n_broken, uint64_t now_ms)
{
    struct answer *an = idmap_find(&s->by_id, id);
    uint64_t deadline_ms;

    if (!an)
        return;
    an->messages++;
    an->broken += n_broken;
    an->said_sum |= has_sum_num;
    if (!an->gap_ms) { /* one Response: no SumNum is expected of it */
        close_and_tell(s, an);
        return;
    }
    if (has_sum_num && sum_num > an->expected)
        an->expected = sum_num;
    /* what may be a change report does not shorten the wait for the answer */
    deadline_ms = now_ms + an->gap_ms;
    if (!an->exact && an->loose_own_sn && deadline_ms < an->first_deadline_ms)
        deadline_ms = an->first_deadline_ms;
    if (an->news || an->messages == 1)
        timerq_set(&s->timers, &an->timer, deadline_ms);
    an->news = false;
    if (!an->told && has_all(an)) {
        an->told = true;
        tell(s, an);
    }
}

void manscdp_assembly_cancel(struct manscdp_assemblies *s, uint64_t id)
{
    struct answer *an = idmap_find(&s->by_id, id);
    struct list *n, *tmp;

    if (an) {
        answer_cancel(s, an);
        return;
    }
    LIST_EACH(n, tmp, &s->events) { /* closed, but nobody was told yet */
        an = container_of(n, struct answer, queued);
        if (an->id != id)
            continue;
        list_remove(&an->queued);
        answer_free(s, an);
        return;
    }
}

static struct slice device_of(const struct answer *an)
{
    return slice_from(key_of(an), 1);
}

void manscdp_assembly_cancel_device(struct manscdp_assemblies *s,
                                    struct slice device)
{
    struct list *n, *tmp;

    for (unsigned cmd = 0; cmd < MANSCDP_CMD_COUNT; cmd++) {
        struct answer *an;

        while ((an = find_first(s, (enum manscdp_cmd)cmd, device)))
            answer_cancel(s, an);
    }
    LIST_EACH(n, tmp, &s->events) {
        struct answer *an = container_of(n, struct answer, queued);

        if (!slice_eq(device_of(an), device))
            continue;
        list_remove(&an->queued);
        answer_free(s, an);
    }
}

bool manscdp_assembly_status(const struct manscdp_assemblies *s, uint64_t id,
                             struct manscdp_assembly_event *out)
{
    const struct answer *an = idmap_find(&s->by_id, id);

    if (an)
        fill_event(an, out);
    return an != NULL;
}

uint64_t manscdp_assembly_deadline(const struct manscdp_assemblies *s)
{
    return timerq_next(&s->timers);
}

void manscdp_assembly_tick(struct manscdp_assemblies *s, uint64_t now_ms)
{
    struct timerq_node *n;

    while ((n = timerq_pop(&s->timers, now_ms)))
        close_and_tell(s, container_of(n, struct answer, timer));
}

bool manscdp_assembly_event(struct manscdp_assemblies *s,
                            struct manscdp_assembly_event *out)
{
    struct list *n = list_pop_front(&s->events);
    struct answer *an;

    if (!n)
        return false;
    an = container_of(n, struct answer, queued);
    *out = an->event;
    if (an->closed)
        answer_free(s, an);
    return true;
}

size_t manscdp_assembly_count(const struct manscdp_assemblies *s)
{
    return s->by_id.n;
}
