/* app/net/slab.h - reference-counted receive buffers of one media loop
 *
 * Packets are received straight into a slab and stay there: the reorder queue
 * and the demuxer point into it and hold it. One thread only. */
#ifndef APP_NET_SLAB_H
#define APP_NET_SLAB_H

#include "base/list.h"

#include <stdint.h>

#define SLAB_BYTES (66u * 1024) /* one RFC 4571 frame and a large read fit */
#define SLAB_SPARE 16           /* free slabs kept */
#define SLAB_POOL_MAX 8192      /* in use at once by one loop: 528 MiB */

struct slab_pool {
    struct list free;
    unsigned n_free, n_live;
};

struct slab {
    struct list node;
    struct slab_pool *pool;
    unsigned refs;
    uint8_t bytes[SLAB_BYTES];
};

void slab_pool_init(struct slab_pool *p);
void slab_pool_fini(struct slab_pool *p); /* every slab must be back */

/* A slab with one reference, or NULL: no memory, or SLAB_POOL_MAX. */
struct slab *slab_get(struct slab_pool *p);

static inline void slab_ref(struct slab *s)
{
    s->refs++;
}

void slab_unref(struct slab *s); /* NULL is fine */
#endif
