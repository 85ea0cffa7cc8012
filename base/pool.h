/* base/pool.h - blocks of memory by size, kept for reuse
 *
 * In a steady state every block comes from a free list: nothing is asked of
 * the allocator. Sizes are rounded up in quarter steps of a power of two, so
 * at most a fifth of a block is lost. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/alloc.h"

#include <stdint.h>

#define POOL_CLASSES 56        /* 64 bytes to 896 KiB; larger is not kept */
#define POOL_IDLE_MAX (4 << 20) /* bytes kept on the free lists together */

struct pool {
    const struct gb_alloc *alloc;
    void *free[POOL_CLASSES]; /* each block begins with the next one's address */
    size_t idle_bytes;        /* on the free lists */
    size_t used_bytes;        /* handed out, after rounding up */
};

void pool_init(struct pool *p, const struct gb_alloc *alloc);

/* Gives the free lists back to the allocator; blocks handed out must have been
 * returned. */
void pool_fini(struct pool *p);

/* n bytes for any type, not zeroed when reused; NULL: no memory. */
void *pool_get(struct pool *p, size_t n);

/* n as it was asked for; NULL is fine. */
void pool_put(struct pool *p, void *block, size_t n);
#endif
