/* app/net/slab.h - reference-counted receive buffers of one media loop
 *
 * Packets are received straight into a slab and stay there: the reorder queue
 * and the demuxer point into it and hold it. One thread only. */
#ifndef APP_NET_SLAB_H
#define APP_NET_SLAB_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

#define SLAB_BYTES (66u * 1024) /* one RFC 4571 frame and a large read fit */
#define SLAB_POOL_MAX 8192      /* in use at once by one loop: 528 MiB */
#define SLAB_LARGE_BYTES (264u * 1024) /* for who fills the others by a read */
#define SLAB_LARGE_MAX 512      /* of these: 132 MiB */
#define SLAB_ALIGN 64           /* a line of the caches: copies are faster, and
                                   the head of a packet lies in one */
#define SLAB_SPARE_BYTES (16u * SLAB_BYTES) /* free slabs of a pool kept */

struct slab_pool {
    struct list free;
    unsigned n_free, n_live, max;
    size_t bytes; /* of each slab */
};

struct slab {
    struct list node;
    struct slab_pool *pool;
    unsigned refs;
    _Alignas(SLAB_ALIGN) uint8_t bytes[]; /* pool->bytes of them */
};

void slab_pool_init(struct slab_pool *p, size_t bytes, unsigned max);
void slab_pool_fini(struct slab_pool *p); /* every slab must be back */

/* A slab with one reference, or NULL: no memory, or max are in use. */
struct slab *slab_get(struct slab_pool *p);

static inline void slab_ref(struct slab *s)
{
    s->refs++;
}

void slab_unref(struct slab *s); /* NULL is fine */
#endif
