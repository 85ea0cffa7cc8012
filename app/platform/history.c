#include "app/platform/history.h"

#include <string.h>

#define FIRST_ROOM 4

struct change {
    uint32_t utc_s;        /* good until 2106 */
    uint16_t ms_online;    /* ms of the second, and ONLINE */
    uint8_t cause;         /* index + 1; 0: other */
};
#define ONLINE 0x8000u
_Static_assert(sizeof(struct change) == 8, "eight bytes a change");

struct history {
    uint8_t n, cap, next; /* a ring: next is written next */
    struct change change[];
};

static uint8_t cause_index(struct history_causes *causes, const char *text)
{
    for (uint8_t i = 0; i < causes->n; i++)
        if (causes->text[i] == text || strcmp(causes->text[i], text) == 0)
            return (uint8_t)(i + 1);
    if (causes->n + 1 >= HISTORY_CAUSES)
        return 0;
    causes->text[causes->n++] = text;
    return causes->n;
}

/* Where the i-th newest is. */
static unsigned index_of(const struct history *h, unsigned i)
{
    return (h->next + h->cap - 1u - i) % h->cap;
}

/* A longer block with the same changes; the old one stays without memory. */
static struct history *longer(struct history *h, const struct gb_alloc *alloc)
{
    unsigned cap = h ? h->cap * 2u : FIRST_ROOM;
    struct history *more;

    if (cap > HISTORY_MAX)
        cap = HISTORY_MAX;
    more = gb_get(alloc, sizeof(*more) + cap * sizeof(struct change));
    if (!more)
        return h;
    more->cap = (uint8_t)cap;
    for (unsigned i = 0; h && i < h->n; i++)
        more->change[i] = h->change[index_of(h, h->n - 1u - i)];
    more->n = more->next = h ? h->n : 0;
    gb_put(alloc, h);
    return more;
}

void history_put(struct history **at, struct history_causes *causes,
                 const struct gb_alloc *alloc,
                 const struct history_change *change)
{
    struct history *h = *at;

    if (!h || (h->n == h->cap && h->cap < HISTORY_MAX))
        h = *at = longer(h, alloc);
    if (!h)
        return;
    h->change[h->next] = (struct change){
        .utc_s = (uint32_t)(change->utc_ms / 1000),
        .ms_online = (uint16_t)((unsigned)(change->utc_ms % 1000) |
                                (change->online ? ONLINE : 0)),
        .cause = cause_index(causes, change->cause),
    };
    h->next = (uint8_t)((h->next + 1u) % h->cap);
    if (h->n < h->cap)
        h->n++;
}

bool history_at(const struct history *h, const struct history_causes *causes,
                size_t i, struct history_change *out)
{
    const struct change *c;

    if (!h || i >= h->n)
        return false;
    c = &h->change[index_of(h, (unsigned)i)];
    *out = (struct history_change){
        .utc_ms = (int64_t)c->utc_s * 1000 + (c->ms_online & ~ONLINE),
        .online = (c->ms_online & ONLINE) != 0,
        .cause = c->cause ? causes->text[c->cause - 1] : "other",
    };
    return true;
}
