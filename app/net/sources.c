#include "app/net/sources.h"

#include "app/net/random.h"
#include "base/list.h"

struct source {
    struct map_node node;
    uint8_t key[GB_ADDR_SITE];
    uint32_t n;
};

int sources_init(struct sources *s, uint32_t max)
{
    uint8_t seed[16];

    random_bytes(seed, sizeof(seed));
    s->max = max;
    return map_init(&s->by_key, &gb_alloc_heap, seed);
}

void sources_fini(struct sources *s)
{
    map_fini(&s->by_key);
}

struct source *sources_enter(struct sources *s, const struct gb_addr *from)
{
    uint8_t key[GB_ADDR_SITE];
    size_t n = gb_addr_site(from, key);
    struct map_node *node = map_find(&s->by_key,
                                     slice_of((const char *)key, n));
    struct source *src = node ? container_of(node, struct source, node) : NULL;

    if (src && src->n >= s->max)
        return NULL;
    if (!src) {
        src = gb_get(&gb_alloc_heap, sizeof(*src));
        if (!src)
            return NULL;
        memcpy(src->key, key, n);
        map_insert(&s->by_key, &src->node,
                   slice_of((const char *)src->key, n));
    }
    src->n++;
    return src;
}

void sources_leave(struct sources *s, struct source *source)
{
    if (!source || --source->n)
        return;
    map_remove(&s->by_key, &source->node);
    gb_put(&gb_alloc_heap, source);
}
