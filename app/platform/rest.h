/* app/platform/rest.h - numbers that are lent out and rest before reuse
 *
 * A queue of 0 .. n-1: the one that has rested longest is taken first. What
 * comes back goes to the end. Both pools of a session use it, SSRC serials and
 * RTP ports (field-notes 5.2, 7.5, 16.1: one allocator, a quarantine). */
#ifndef APP_PLATFORM_REST_H
#define APP_PLATFORM_REST_H

#include "base/alloc.h"
#include "base/time.h"

#include <stdbool.h>

#define REST_MS 60000u /* how long a number rests */

struct rest_pool {
    const struct gb_alloc *alloc;
    uint32_t n, head, n_free; /* free ones: ring[head], n_free of them */
    uint32_t *ring;
    uint64_t *ready_ms; /* by number: it has rested from then on */
    bool *lent;         /* by number */
};

/* n at least 1. first: which number is taken first. 0 or GB_ENOMEM. */
int rest_pool_init(struct rest_pool *p, const struct gb_alloc *alloc,
                   uint32_t n, uint32_t first);
void rest_pool_fini(struct rest_pool *p);

/* Takes the number that has rested longest. GB_ELIMIT: all are lent, or (unless
 * tired_too) none has rested long enough. */
int rest_pool_take(struct rest_pool *p, bool tired_too, uint64_t now_ms,
                   uint32_t *number);

/* The same, but a number whose remainder by mod (at least 1) is rem: the first
 * one within REST_LOOK times mod of the order. */
#define REST_LOOK 4
int rest_pool_take_like(struct rest_pool *p, uint32_t mod, uint32_t rem,
                        bool tired_too, uint64_t now_ms, uint32_t *number);

/* Are at least k, of 1 or more, free and rested? */
bool rest_pool_has(const struct rest_pool *p, uint32_t k, uint64_t now_ms);

/* number must be lent. */
void rest_pool_give(struct rest_pool *p, uint32_t number, uint64_t now_ms);

static inline uint32_t rest_pool_lent(const struct rest_pool *p)
{
    return p->n - p->n_free;
}

/* Free but still resting. */
uint32_t rest_pool_resting(const struct rest_pool *p, uint64_t now_ms);
#endif
