#include "base/map.h"

#include "base/err.h"

#define MAP_MIN_BUCKETS 16

static uint64_t rotl(uint64_t x, unsigned b)
{
    return x << b | x >> (64 - b);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* Eight octets, the first one lowest, on any machine. */
static inline uint64_t le64(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
           (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 |
           (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

/* The octets behind the last full word, and the length on top. */
static uint64_t last_word(struct slice key)
{
    uint64_t x = (uint64_t)key.n << 56;
    size_t from = key.n & ~(size_t)7;

    for (size_t i = from; i < key.n; i++)
        x |= (uint64_t)(uint8_t)key.p[i] << (8 * (i - from));
    return x;
}

uint64_t map_hash(const uint64_t seed[2], struct slice key)
{
    uint64_t v[4] = { seed[0] ^ 0x736f6d6570736575u,
                      seed[1] ^ 0x646f72616e646f6du,
                      seed[0] ^ 0x6c7967656e657261u,
                      seed[1] ^ 0x7465646279746573u };

    for (size_t i = 0, n = key.n / 8; i <= n; i++) {
        uint64_t m = i < n ? le64(key.p + 8 * i) : last_word(key);

        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int map_init(struct map *m, const struct gb_alloc *alloc, const void *seed)
{
    *m = (struct map){ .n_buckets = MAP_MIN_BUCKETS, .alloc = alloc };
    if (seed)
        memcpy(m->seed, seed, sizeof(m->seed));
    m->bucket = gb_get(alloc, MAP_MIN_BUCKETS * sizeof(struct map_node *));
    return m->bucket ? 0 : GB_ENOMEM;
}

void map_fini(struct map *m)
{
    if (m->alloc)
        gb_put(m->alloc, m->bucket);
    *m = (struct map){ 0 };
}

static bool node_is(const struct map_node *n, uint64_t hash, struct slice key)
{
    return n->hash == hash && slice_eq(n->key, key);
}

struct map_node *map_find(const struct map *m, struct slice key)
{
    uint64_t hash = map_hash(m->seed, key);
    struct map_node *n = m->bucket[hash & (m->n_buckets - 1)];

    while (n && !node_is(n, hash, key))
        n = n->next;
    return n;
}

struct map_node *map_find_next(const struct map_node *n)
{
    struct map_node *next = n->next;

    while (next && !node_is(next, n->hash, n->key))
        next = next->next;
    return next;
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

        for (struct map_node *n = m->bucket[i]; n; n = n->next) {
            unsigned hi = (n->hash & m->n_buckets) != 0;

            *tail[hi] = n;
            tail[hi] = &n->next;
        }
        *tail[0] = *tail[1] = NULL;
    }
    gb_put(m->alloc, m->bucket);
    m->bucket = bucket;
    m->n_buckets = n_new;
}

void map_insert(struct map *m, struct map_node *n, struct slice key)
{
    struct map_node **b;

    if (m->n >= m->n_buckets)
        grow(m);
    n->hash = map_hash(m->seed, key);
    n->key = key;
    b = &m->bucket[n->hash & (m->n_buckets - 1)];
    n->next = *b;
    *b = n;
    m->n++;
}

void map_remove(struct map *m, struct map_node *n)
{
    struct map_node **at = &m->bucket[n->hash & (m->n_buckets - 1)];

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->next = NULL;
    m->n--;
}

struct map_node *map_walk_next(const struct map *m, struct map_walk *w)
{
    struct map_node *n = w->next;

    while (!n && w->bucket < m->n_buckets)
        n = m->bucket[w->bucket++];
    w->next = n ? n->next : NULL;
    return n;
}
