#include "base/map.h"

#include "base/err.h"
#include "base/prefetch.h"
#include "base/siphash.h"

#include <assert.h>

#define MAP_MIN_BUCKETS 16
#define GROW_AHEAD 8 /* buckets whose first nodes are asked for early */

uint64_t map_hash(const uint64_t seed[2], struct slice key)
{
    return siphash(seed, key, 1, 3);
}

int map_init_load(struct map *m, const struct gb_alloc *alloc, const void *seed,
                  enum map_load load)
{
    *m = (struct map){ .n_buckets = MAP_MIN_BUCKETS, .alloc = alloc,
                       .load = (uint8_t)load };
    if (seed)
        memcpy(m->seed, seed, sizeof(m->seed));
    m->bucket = gb_get(alloc, MAP_MIN_BUCKETS * sizeof(struct map_node *));
    return m->bucket ? 0 : GB_ENOMEM;
}

int map_init(struct map *m, const struct gb_alloc *alloc, const void *seed)
{
    return map_init_load(m, alloc, seed, MAP_DENSE);
}

void map_fini(struct map *m)
{
    if (m->alloc)
        gb_put(m->alloc, m->bucket);
    *m = (struct map){ 0 };
}

static bool node_is(const struct map_node *n, uint64_t hash, struct slice key)
{
    return n->hash == (uint32_t)hash && slice_eq(map_key(n), key);
}

static struct map_node *find(const struct map *m, uint64_t hash,
                             struct slice key)
{
    struct map_node *n = m->bucket[hash & (m->n_buckets - 1)];

    while (n && !node_is(n, hash, key))
        n = n->next;
    return n;
}

struct map_node *map_find(const struct map *m, struct slice key)
{
    return find(m, map_hash(m->seed, key), key);
}

struct map_node *map_find_like(const struct map *m, const struct map_node *n)
{
    return find(m, n->hash, map_key(n));
}

struct map_node *map_find_next(const struct map_node *n)
{
    struct map_node *next = n->next;

    while (next && !node_is(next, n->hash, map_key(n)))
        next = next->next;
    return next;
}

void map_ahead_bucket(const struct map *m, uint64_t hash)
{
    prefetch(&m->bucket[hash & (m->n_buckets - 1)]);
}

uint64_t map_ahead(const struct map *m, struct slice key)
{
    uint64_t hash = map_hash(m->seed, key);

    map_ahead_bucket(m, hash);
    return hash;
}

struct map_node *map_ahead_first(const struct map *m, uint64_t hash)
{
    struct map_node *n = m->bucket[hash & (m->n_buckets - 1)];

    prefetch(n);
    return n;
}

struct map_node *map_ahead_next(struct map_node *n, uint64_t hash)
{
    if (n && n->hash != (uint32_t)hash) {
        n = n->next;
        prefetch(n);
    }
    return n;
}

struct map_node *map_ahead_node(struct map_node *n, uint64_t hash)
{
    while (n && n->hash != (uint32_t)hash)
        n = n->next;
    return n;
}

/* Keeps the order of each chain, so that the newest of equal keys stays the
 * first one found. */
static void grow(struct map *m)
{
    size_t n_new = m->n_buckets * 2;
    struct map_node **bucket =
        gb_get(m->alloc, n_new * sizeof(struct map_node *));

    if (!bucket)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        struct map_node **tail[2] = { &bucket[i], &bucket[i + m->n_buckets] };

        prefetch(m->bucket[(i + GROW_AHEAD) & (m->n_buckets - 1)]);
        for (struct map_node *n = m->bucket[i]; n; n = n->next) {
            unsigned hi = (n->hash & m->n_buckets) != 0;

            n->at = tail[hi];
            *tail[hi] = n;
            tail[hi] = &n->next;
        }
        *tail[0] = *tail[1] = NULL;
    }
    gb_put(m->alloc, m->bucket);
    m->bucket = bucket;
    m->n_buckets = n_new;
}

static void link(struct map_node **at, struct map_node *n)
{
    n->next = *at;
    n->at = at;
    if (n->next)
        n->next->at = &n->next;
    *at = n;
}

void map_name(const uint64_t seed[2], struct map_node *n, struct slice key)
{
    ptrdiff_t off = key.p - (const char *)n;

    assert(off >= -MAP_KEY_FAR && off + (ptrdiff_t)key.n <= MAP_KEY_FAR);
    n->hash = (uint32_t)map_hash(seed, key);
    n->key_off = (int16_t)off;
    n->key_len = (uint16_t)key.n;
}

void map_insert_named(struct map *m, struct map_node *n)
{
    if (m->n >= m->n_buckets * 2 >> m->load)
        grow(m);
    link(&m->bucket[n->hash & (m->n_buckets - 1)], n);
    m->n++;
}

void map_insert(struct map *m, struct map_node *n, struct slice key)
{
    map_name(m->seed, n, key);
    map_insert_named(m, n);
}

void map_remove(struct map *m, struct map_node *n)
{
    *n->at = n->next;
    if (n->next)
        n->next->at = n->at;
    n->next = NULL;
    n->at = NULL;
    m->n--;
}

void map_clear(struct map *m)
{
    if (m->n)
        memset(m->bucket, 0, m->n_buckets * sizeof(struct map_node *));
    m->n = 0;
}

struct map_node *map_walk_next(const struct map *m, struct map_walk *w)
{
    struct map_node *n = w->next;

    while (!n && w->bucket < m->n_buckets)
        n = m->bucket[w->bucket++];
    w->next = n ? n->next : NULL;
    return n;
}
