/* base/map.h - intrusive hash map, keyed by bytes
 *
 * The node sits inside the object, with a key that is bytes of the same object:
 * there are many nodes, and where the key is takes four bytes of one. The table
 * doubles when it is full (enum map_load); without memory for that it goes on
 * with longer chains, so an insertion never fails once map_init has succeeded.
 * The hash is keyed by a seed (SipHash-1-3), so a peer that chooses its Call-IDs
 * cannot choose its bucket. Taking a node out costs the same however many have
 * its key. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/alloc.h"
#include "base/slice.h"

struct map_node {
    struct map_node *next, **at; /* at: what points here */
    uint32_t hash;    /* the lower half of it */
    int16_t key_off;  /* of the key, from this node */
    uint16_t key_len;
};

#define MAP_KEY_FAR 32000 /* bytes from a node to the end of its key, at most */

static inline struct slice map_key(const struct map_node *n)
{
    return slice_of((const char *)n + n->key_off, n->key_len);
}

struct map {
    struct map_node **bucket;
    size_t n_buckets; /* a power of two */
    size_t n;         /* nodes in the map */
    uint64_t seed[2];
    const struct gb_alloc *alloc;
    uint8_t load; /* enum map_load */
};

/* How large the table is, for its nodes. A key that is not there costs a look at
 * each node of its bucket. */
enum map_load {
    MAP_DENSE,  /* two nodes a bucket, at most: 4 to 8 bytes of table a node */
    MAP_EVEN,   /* one, at most: 8 to 16 bytes */
    MAP_SPARSE, /* a node for two buckets, at most: 16 to 32. For maps that are
                   mostly asked for what is not there and do not stay large */
};

/* A dense one. seed: 16 random bytes; NULL where no stranger chooses keys. 0 or
 * GB_ENOMEM. */
int map_init(struct map *m, const struct gb_alloc *alloc, const void *seed);

int map_init_load(struct map *m, const struct gb_alloc *alloc, const void *seed,
                  enum map_load load);

/* Frees the table, not the objects. */
void map_fini(struct map *m);

/* The node with this key, or NULL. With several equal keys: the newest. */
struct map_node *map_find(const struct map *m, struct slice key);

/* The next older node with the same key as n, or NULL. */
struct map_node *map_find_next(const struct map_node *n);

/* key: bytes of the object that n is in, within MAP_KEY_FAR of it; unchanged
 * until the node is removed. */
void map_insert(struct map *m, struct map_node *n, struct slice key);

/* The same in steps, for who looks whether there is one like it and then puts it
 * in: the key is hashed once. A node that was taken out keeps its name.
 *
 * map_name          of a node that is in no map; seed: that of its maps to be
 * map_find_like     as map_find; n: named, in this map or not
 * map_insert_named  as map_insert */
void map_name(const uint64_t seed[2], struct map_node *n, struct slice key);
struct map_node *map_find_like(const struct map *m, const struct map_node *n);
void map_insert_named(struct map *m, struct map_node *n);

/* n must be in m. */
void map_remove(struct map *m, struct map_node *n);

/* All nodes are out of it, none is looked at. The table keeps its size. */
void map_clear(struct map *m);

/* Any order; *pos starts at 0. Returns NULL at the end. The node returned last
 * may be removed before the next call; nothing else may change the map. */
struct map_walk {
    size_t bucket;
    struct map_node *next;
};
struct map_node *map_walk_next(const struct map *m, struct map_walk *w);

/* Four steps towards a node, each of which asks for the memory that the next
 * one reads: whoever has many keys does each step for all of them. Hints: they
 * change nothing, and the key is not compared. Any may give NULL. */
uint64_t map_ahead(const struct map *m, struct slice key); /* its hash */
void map_ahead_bucket(const struct map *m, uint64_t hash); /* of the same seed */
struct map_node *map_ahead_first(const struct map *m, uint64_t hash);
struct map_node *map_ahead_next(struct map_node *first, uint64_t hash);
struct map_node *map_ahead_node(struct map_node *next, uint64_t hash);

/* SipHash-1-3 of a slice, for other tables. */
uint64_t map_hash(const uint64_t seed[2], struct slice key);
#endif
