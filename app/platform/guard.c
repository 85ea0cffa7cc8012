/* Strangers: how much a source may ask without credentials, who is banned,
 * and which unknown ids have knocked (design.md §7.1).
 *
 * Sources live in a fixed table of small sets; the one that was idle longest
 * makes room. So a flood of forged addresses costs no memory, and at worst
 * makes us forget a ban. Bound devices are not asked here at all. */
#include "app/platform/core.h"

#define N_SETS 1024 /* a power of two */
#define N_WAYS 4

struct source {
    uint8_t family;
    uint8_t ip[16];
    uint16_t failures;
    struct bucket bucket;
    uint64_t used_ms, banned_until_ms;
};

int guard_init(struct platform *p)
{
    p->sources = gb_get(p->alloc, N_SETS * N_WAYS * sizeof(*p->sources));
    p->pending = gb_get(p->alloc, p->cfg.max_pending * sizeof(*p->pending));
    return p->sources && p->pending ? 0 : GB_ENOMEM;
}

void guard_fini(struct platform *p)
{
    gb_put(p->alloc, p->sources);
    gb_put(p->alloc, p->pending);
}

/* Its entry; a new one when there is none. Older first in a full set, banned
 * ones last. */
static struct source *lookup(struct platform *p, const struct gb_addr *a)
{
    size_t n = a->family == GB_IPV4 ? 4 : 16;
    struct slice key = { (const char *)a->ip, n };
    struct source *set, *best;

    set = p->sources + (map_hash(p->seed, key) & (N_SETS - 1)) * N_WAYS;
    best = set;
    for (struct source *s = set; s < set + N_WAYS; s++) {
        bool worse = s->banned_until_ms > p->now.mono_ms;
        bool best_worse = best->banned_until_ms > p->now.mono_ms;

        if (s->family == a->family && !memcmp(s->ip, a->ip, n)) {
            s->used_ms = p->now.mono_ms;
            return s;
        }
        if (worse < best_worse ||
            (worse == best_worse && s->used_ms < best->used_ms))
            best = s;
    }
    *best = (struct source){ .family = a->family, .used_ms = p->now.mono_ms };
    memcpy(best->ip, a->ip, n);
    return best;
}

bool guard_allows(struct platform *p, const struct gb_addr *source)
{
    struct source *s = lookup(p, source);

    if (bucket_take(&s->bucket, p->cfg.rate_per_s, p->cfg.rate_burst,
                    p->now.mono_ms))
        return true;
    p->counters.rate_limited++;
    return false;
}

bool guard_is_banned(struct platform *p, const struct gb_addr *source)
{
    if (lookup(p, source)->banned_until_ms <= p->now.mono_ms)
        return false;
    p->counters.banned++;
    return true;
}

bool guard_failed(struct platform *p, const struct gb_addr *source)
{
    struct source *s = lookup(p, source);

    if (++s->failures < p->cfg.ban_failures)
        return false;
    s->failures = 0;
    s->banned_until_ms = p->now.mono_ms + p->cfg.ban_s * 1000ull;
    return true;
}

void guard_proved(struct platform *p, const struct gb_addr *source)
{
    struct source *s = lookup(p, source);
    uint64_t milli = s->bucket.milli + 1000ull;

    s->failures = 0;
    if (milli <= p->cfg.rate_burst * 1000ull)
        s->bucket.milli = (uint32_t)milli;
}

/* ---- the pending list ---- */

static struct pending *pending_find(struct platform *p, struct slice id)
{
    for (size_t i = 0; i < p->cfg.max_pending; i++)
        if (p->pending[i].order &&
            slice_eq(slice_of(p->pending[i].id, p->pending[i].id_len), id))
            return &p->pending[i];
    return NULL;
}

void pending_note(struct platform *p, struct slice id, struct slice user_agent,
                  const struct sip_peer *peer, const char *reason)
{
    struct pending *e = pending_find(p, id);

    if (id.n >= sizeof(e->id))
        return;
    if (!e) {
        e = p->pending;
        for (size_t i = 1; i < p->cfg.max_pending; i++)
            if (p->pending[i].order < e->order)
                e = &p->pending[i];
        *e = (struct pending){ .first_utc_ms = p->now.utc_ms };
        e->id_len = (uint8_t)id.n;
        memcpy(e->id, id.p, id.n);
    }
    user_agent = slice_head(user_agent, sizeof(e->user_agent));
    e->user_agent_len = (uint8_t)user_agent.n;
    if (user_agent.n)
        memcpy(e->user_agent, user_agent.p, user_agent.n);
    e->reason = reason;
    e->peer = *peer;
    e->last_utc_ms = p->now.utc_ms;
    e->tries++;
    e->order = ++p->pending_order;
}

void pending_forget(struct platform *p, struct slice id)
{
    struct pending *e = pending_find(p, id);

    if (e)
        *e = (struct pending){ 0 };
}

/* Newest first; the list is short and read by people. */
bool platform_pending_at(const struct platform *p, size_t i,
                         struct platform_pending *out)
{
    uint64_t below = UINT64_MAX;
    const struct pending *e;

    do {
        e = NULL;
        for (size_t k = 0; k < p->cfg.max_pending; k++)
            if (p->pending[k].order && p->pending[k].order < below &&
                (!e || p->pending[k].order > e->order))
                e = &p->pending[k];
        if (!e)
            return false;
        below = e->order;
    } while (i-- > 0);
    *out = (struct platform_pending){
        .id = slice_of(e->id, e->id_len),
        .user_agent = slice_of(e->user_agent, e->user_agent_len),
        .reason = slice_str(e->reason),
        .peer = e->peer,
        .first_utc_ms = e->first_utc_ms,
        .last_utc_ms = e->last_utc_ms,
        .tries = e->tries,
    };
    return true;
}
