#include "app/net/slab.h"

#include <assert.h>
#include <stdlib.h>

void slab_pool_init(struct slab_pool *p, size_t bytes, unsigned max)
{
    assert(bytes % SLAB_ALIGN == 0);
    p->bytes = bytes;
    p->max = max;
    list_init(&p->free);
    p->n_free = p->n_live = 0;
}

void slab_pool_fini(struct slab_pool *p)
{
    struct list *n;

    assert(p->n_live == 0);
    while ((n = list_pop_front(&p->free)))
        free(container_of(n, struct slab, node));
    p->n_free = 0;
}

struct slab *slab_get(struct slab_pool *p)
{
    struct list *n;
    struct slab *s;

    if (p->n_live >= p->max)
        return NULL;
    n = list_pop_front(&p->free);
    s = n ? container_of(n, struct slab, node)
          : aligned_alloc(SLAB_ALIGN, sizeof(*s) + p->bytes);
    if (!s)
        return NULL;
    if (n)
        p->n_free--;
    p->n_live++;
    list_init(&s->node);
    s->pool = p;
    s->refs = 1;
    return s;
}

void slab_unref(struct slab *s)
{
    struct slab_pool *p;

    if (!s || --s->refs)
        return;
    p = s->pool;
    p->n_live--;
    if ((p->n_free + 1) * p->bytes > SLAB_SPARE_BYTES) {
        free(s);
        return;
    }
    p->n_free++;
    list_push_front(&p->free, &s->node);
}
