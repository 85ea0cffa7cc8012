#include "app/platform/rest.h"

#include "base/err.h"

#include <assert.h>

int rest_pool_init(struct rest_pool *p, const struct gb_alloc *alloc,
                   uint32_t n, uint32_t first)
{
    *p = (struct rest_pool){ .alloc = alloc, .n = n };
    p->ring = gb_get(alloc, n * sizeof(*p->ring));
    p->ready_ms = gb_get(alloc, n * sizeof(*p->ready_ms));
    p->lent = gb_get(alloc, n * sizeof(*p->lent));
    if (!p->ring || !p->ready_ms || !p->lent) {
        rest_pool_fini(p);
        return GB_ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        p->ring[i] = (uint32_t)(((uint64_t)first + i) % n);
    p->n_free = n;
    return 0;
}

void rest_pool_fini(struct rest_pool *p)
{
    if (!p->alloc)
        return;
    gb_put(p->alloc, p->ring);
    gb_put(p->alloc, p->ready_ms);
    gb_put(p->alloc, p->lent);
    *p = (struct rest_pool){ 0 };
}

/* The i-th free one goes; those before it keep their order. */
static void take_out(struct rest_pool *p, uint32_t i, uint32_t *number)
{
    *number = p->ring[(p->head + i) % p->n];
    for (; i > 0; i--)
        p->ring[(p->head + i) % p->n] = p->ring[(p->head + i - 1) % p->n];
    p->head = (p->head + 1) % p->n;
    p->n_free--;
    assert(!p->lent[*number]);
    p->lent[*number] = true;
}

int rest_pool_take_like(struct rest_pool *p, uint32_t mod, uint32_t rem,
                        bool tired_too, uint64_t now_ms, uint32_t *number)
{
    for (uint32_t i = 0; i < p->n_free && i < REST_LOOK * mod; i++) {
        uint32_t k = p->ring[(p->head + i) % p->n];

        if (!tired_too && p->ready_ms[k] > now_ms)
            break; /* and so are those behind it */
        if (k % mod != rem)
            continue;
        take_out(p, i, number);
        return 0;
    }
    return GB_ELIMIT;
}

int rest_pool_take(struct rest_pool *p, bool tired_too, uint64_t now_ms,
                   uint32_t *number)
{
    return rest_pool_take_like(p, 1, 0, tired_too, now_ms, number);
}

bool rest_pool_has(const struct rest_pool *p, uint32_t k, uint64_t now_ms)
{
    return p->n_free >= k &&
           p->ready_ms[p->ring[(p->head + k - 1) % p->n]] <= now_ms;
}

void rest_pool_give(struct rest_pool *p, uint32_t number, uint64_t now_ms)
{
    assert(number < p->n && p->lent[number]);
    p->lent[number] = false;
    p->ready_ms[number] = now_ms + REST_MS;
    p->ring[(p->head + p->n_free) % p->n] = number;
    p->n_free++;
}

uint32_t rest_pool_resting(const struct rest_pool *p, uint64_t now_ms)
{
    uint32_t n = 0;

    /* the ring is in order of ready_ms: count from the tired end */
    while (n < p->n_free &&
           p->ready_ms[p->ring[(p->head + p->n_free - 1 - n) % p->n]] > now_ms)
        n++;
    return n;
}
