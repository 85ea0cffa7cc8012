/* Strangers: how much a source may ask without credentials, who is banned,
 * what an id tried, and which unknown ids have knocked.
 *
 * Sources and attempts live in fixed tables of small sets; the row that was
 * idle longest makes room. So a flood of forged addresses costs no memory, and
 * at worst makes us forget a ban. Bound devices are not asked here at all. */
#include "app/platform/guard.h"

#include "app/platform/core.h"

#include "base/prefetch.h"

#define N_SETS 1024 /* a power of two; of both tables */
#define N_WAYS 4
#define BAN_DOUBLINGS 6        /* ban_s, twice ban_s, ... 64 times ban_s */
#define FORGIVE_MS 600000      /* without a failure: the first ban again */
#define FREE_FAILURES 2        /* a person who types may be wrong so often */
#define BACK_OFF_MS 1000       /* then: 1 s, 2 s, 4 s, ... */
#define BACK_OFF_MAX_MS 60000

struct source {
    uint8_t key[GB_ADDR_SITE];
    uint8_t n;      /* bytes of key; 0: free */
    uint8_t bans;
    uint16_t failures, guesses;
    struct bucket bucket;
    uint64_t used_ms, failed_ms, banned_until_ms;
};

int guard_init(struct platform *p)
{
    size_t n = p->cfg.max_pending;
    int err = map_init_load(&p->pending_ids, p->alloc, p->seed, MAP_SPARSE);

    if (err)
        return err;
    list_init(&p->knocked);
    list_init(&p->unused);
    p->sources = gb_get(p->alloc, N_SETS * N_WAYS * sizeof(*p->sources));
    p->attempts = gb_get(p->alloc, N_SETS * N_WAYS * sizeof(*p->attempts));
    p->pending = gb_get(p->alloc, n * sizeof(*p->pending));
    if (!p->sources || !p->attempts || !p->pending)
        return GB_ENOMEM;
    for (size_t i = 0; i < n; i++)
        list_push_back(&p->unused, &p->pending[i].node);
    return 0;
}

void guard_fini(struct platform *p)
{
    if (p->pending_ids.alloc)
        map_fini(&p->pending_ids);
    gb_put(p->alloc, p->sources);
    gb_put(p->alloc, p->attempts);
    gb_put(p->alloc, p->pending);
}

/* ---- sources ---- */

/* Its row; a new one when there is none. Older first in a full set, banned
 * ones last. */
static struct source *lookup(struct platform *p, const struct gb_addr *a)
{
    uint8_t key[GB_ADDR_SITE];
    size_t n = gb_addr_site(a, key);
    uint64_t hash = map_hash(p->seed, slice_of((const char *)key, n));
    struct source *set = p->sources + (hash & (N_SETS - 1)) * N_WAYS;
    struct source *best = set;

    for (struct source *s = set; s < set + N_WAYS; s++) {
        bool worse = s->banned_until_ms > p->now.mono_ms;
        bool best_worse = best->banned_until_ms > p->now.mono_ms;

        if (s->n == n && !memcmp(s->key, key, n)) {
            s->used_ms = p->now.mono_ms;
            return s;
        }
        if (worse < best_worse ||
            (worse == best_worse && s->used_ms < best->used_ms))
            best = s;
    }
    *best = (struct source){ .n = (uint8_t)n, .used_ms = p->now.mono_ms };
    memcpy(best->key, key, n);
    return best;
}

bool guard_allows(struct platform *p, const struct gb_addr *source)
{
    return bucket_take(&lookup(p, source)->bucket, p->cfg.rate_per_s,
                       p->cfg.rate_burst, p->now.mono_ms);
}

bool guard_is_banned(struct platform *p, const struct gb_addr *source)
{
    return lookup(p, source)->banned_until_ms > p->now.mono_ms;
}

uint32_t guard_banned_s(struct platform *p, const struct gb_addr *source)
{
    const struct source *s = lookup(p, source);

    return s->banned_until_ms > p->now.mono_ms
               ? (uint32_t)((s->banned_until_ms - p->now.mono_ms) / 1000 + 1)
               : 0;
}

uint32_t guard_failed(struct platform *p, const struct gb_addr *source)
{
    struct source *s = lookup(p, source);
    uint64_t ban_s;

    if (s->bans && p->now.mono_ms - s->failed_ms > FORGIVE_MS &&
        p->now.mono_ms > s->banned_until_ms + FORGIVE_MS)
        s->bans = 0;
    s->failed_ms = p->now.mono_ms;
    if (++s->failures < p->cfg.ban_failures)
        return 0;
    s->failures = 0;
    ban_s = (uint64_t)p->cfg.ban_s << s->bans;
    if (s->bans < BAN_DOUBLINGS)
        s->bans++;
    s->banned_until_ms = p->now.mono_ms + ban_s * 1000;
    return ban_s > UINT32_MAX ? UINT32_MAX : (uint32_t)ban_s;
}

bool guard_may_guess(struct platform *p, const struct gb_addr *source)
{
    return lookup(p, source)->guesses < p->cfg.ban_failures;
}

void guard_guessed(struct platform *p, const struct gb_addr *source)
{
    lookup(p, source)->guesses++;
}

static void give_back(struct bucket *b, unsigned n, uint32_t burst)
{
    uint64_t milli = b->milli + 1000ull * n;

    if (b->last_ms && milli <= burst * 1000ull)
        b->milli = (uint32_t)milli;
}

void guard_proved(struct platform *p, const struct gb_addr *source, unsigned n)
{
    struct source *s = lookup(p, source);

    s->failures = s->guesses = 0;
    give_back(&s->bucket, n, p->cfg.rate_burst);
    give_back(&p->strangers, n, 2 * p->cfg.strangers_per_s);
}

/* ---- attempts ---- */

static struct attempts *attempts_set(const struct platform *p, uint64_t key)
{
    return p->attempts + (key >> 32 & (N_SETS - 1)) * N_WAYS;
}

uint64_t guard_ahead(const struct platform *p, struct slice id,
                     const struct gb_addr *source)
{
    char text[PLATFORM_ID_MAX + GB_ADDR_SITE];
    size_t n = slice_head(id, PLATFORM_ID_MAX).n;
    uint64_t key;

    if (n)
        memcpy(text, id.p, n);
    n += gb_addr_site(source, (uint8_t *)text + n);
    key = map_hash(p->seed, slice_of(text, n)) | 1;
    prefetch_range(attempts_set(p, key), N_WAYS * sizeof(struct attempts));
    return key;
}

struct attempts *guard_attempts(struct platform *p, uint64_t key)
{
    struct attempts *set = attempts_set(p, key), *best = set;

    for (struct attempts *a = set; a < set + N_WAYS; a++) {
        if (a->key == key) {
            a->used_ms = p->now.mono_ms;
            return a;
        }
        if (a->used_ms < best->used_ms)
            best = a;
    }
    *best = (struct attempts){ .key = key, .used_ms = p->now.mono_ms };
    return best;
}

uint64_t guard_back_off_ms(const struct attempts *a)
{
    uint64_t ms = BACK_OFF_MS;

    if (a->failures <= FREE_FAILURES)
        return 0;
    for (unsigned i = FREE_FAILURES + 1; i < a->failures; i++)
        if (ms < BACK_OFF_MAX_MS)
            ms *= 2;
    return ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS;
}

/* ---- the pending list ---- */

static struct pending *pending_find(const struct platform *p, struct slice id)
{
    struct map_node *n = map_find(&p->pending_ids, id);

    return n ? container_of(n, struct pending, by_id) : NULL;
}

static void pending_drop(struct platform *p, struct pending *e)
{
    map_remove(&p->pending_ids, &e->by_id);
    list_remove(&e->node);
    list_push_back(&p->unused, &e->node);
}

/* A new entry; the oldest makes room. */
static struct pending *pending_take(struct platform *p, struct slice id)
{
    struct pending *e;

    if (list_is_empty(&p->unused))
        pending_drop(p, container_of(p->knocked.prev, struct pending, node));
    e = container_of(list_pop_front(&p->unused), struct pending, node);
    *e = (struct pending){ .first_utc_ms = p->now.utc_ms,
                           .id_len = (uint8_t)id.n };
    list_init(&e->node);
    memcpy(e->id, id.p, id.n);
    map_insert(&p->pending_ids, &e->by_id, slice_of(e->id, id.n));
    return e;
}

static uint8_t keep(char *buf, size_t cap, struct slice s)
{
    s = slice_head(s, cap);
    if (s.n)
        memcpy(buf, s.p, s.n);
    return (uint8_t)s.n;
}

void pending_note(struct platform *p, struct slice id, struct slice user_agent,
                  const struct sip_peer *peer, struct slice reason)
{
    struct pending *e = pending_find(p, id);

    if (id.n == 0 || id.n >= sizeof(e->id))
        return;
    if (!e)
        e = pending_take(p, id);
    e->user_agent_len = keep(e->user_agent, sizeof(e->user_agent), user_agent);
    e->reason_len = keep(e->reason, sizeof(e->reason), reason);
    e->peer = *peer;
    e->last_utc_ms = p->now.utc_ms;
    e->tries++;
    list_remove(&e->node);
    list_push_front(&p->knocked, &e->node);
}

void pending_note_stray(struct platform *p, struct slice id,
                        struct slice user_agent, const struct sip_peer *peer,
                        const char *reason)
{
    const struct pending *e = pending_find(p, id);

    if (!e || slice_eq(slice_of(e->reason, e->reason_len), slice_str(reason)))
        pending_note(p, id, user_agent, peer, slice_str(reason));
}

bool pending_forget(struct platform *p, struct slice id)
{
    struct pending *e = pending_find(p, id);

    if (e)
        pending_drop(p, e);
    return e != NULL;
}

bool pending_has(const struct platform *p, struct slice id)
{
    return pending_find(p, id) != NULL;
}

bool platform_pending_next(const struct platform *p, struct slice after,
                           struct platform_pending *out)
{
    const struct pending *e = after.n ? pending_find(p, after) : NULL;
    const struct list *n = e ? e->node.next : p->knocked.next;

    if (after.n && !e)
        return false;
    for (; n != &p->knocked; n = n->next) {
        e = container_of(n, const struct pending, node);
        if (!device_find(p, slice_of(e->id, e->id_len)))
            break;
    }
    if (n == &p->knocked)
        return false;
    *out = (struct platform_pending){
        .id = slice_of(e->id, e->id_len),
        .user_agent = slice_of(e->user_agent, e->user_agent_len),
        .reason = slice_of(e->reason, e->reason_len),
        .peer = e->peer,
        .first_utc_ms = e->first_utc_ms,
        .last_utc_ms = e->last_utc_ms,
        .tries = e->tries,
    };
    return true;
}
