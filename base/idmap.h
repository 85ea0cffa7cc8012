/* base/idmap.h - slot and generation ids to objects; stale ids find nothing
 *
 * Across time (a timer, a queued event, another thread's answer) an object is
 * named by its id, never by its pointer. An id is never 0, and is not given
 * out again before its slot has been reused 2^32 times. */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>

struct idmap_slot {
    void *obj;           /* NULL: free */
    uint32_t generation; /* counts up each time the slot is freed */
    uint32_t next_free;
};

struct idmap {
    struct idmap_slot *slot;
    uint32_t n_slots, max; /* grows by doubling up to max objects */
    uint32_t first_free;
    uint32_t n; /* objects in the map */
    const struct gb_alloc *alloc;
};

/* max: the most objects at one time, at least 1. Allocates nothing yet. */
void idmap_init(struct idmap *m, const struct gb_alloc *alloc, uint32_t max);
void idmap_fini(struct idmap *m);

/* obj must not be NULL. 0, GB_ELIMIT (max reached) or GB_ENOMEM. */
int idmap_add(struct idmap *m, void *obj, uint64_t *id);

/* NULL when the id is stale, foreign or 0. */
void *idmap_find(const struct idmap *m, uint64_t id);

/* The object has another place in memory from now on. The id must be live. */
void idmap_replace(struct idmap *m, uint64_t id, void *obj);

/* A stale id does nothing. */
void idmap_remove(struct idmap *m, uint64_t id);

/* Walks all objects; *pos starts at 0, NULL at the end. The object returned
 * last may be removed before the next call. */
void *idmap_walk_next(const struct idmap *m, uint32_t *pos);
#endif
