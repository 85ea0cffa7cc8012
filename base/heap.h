/* base/heap.h - intrusive heap of deadlines
 *
 * The node sits inside the object. Room is reserved when the object is made, so
 * setting, moving and removing a deadline cannot fail. Setting is O(log n), the
 * earliest deadline is at hand. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/alloc.h"
#include "base/time.h"

struct heap_node {
    uint32_t pos; /* place in the heap from 1; 0: in no heap. Zero it first */
    uint32_t tag; /* the owner's, to tell kinds of objects apart */
};

struct heap_slot {
    uint64_t at_ms;
    struct heap_node *node;
};

struct heap {
    struct heap_slot *slot; /* a 4-ary tree, earliest first */
    uint32_t n, cap;
    const struct gb_alloc *alloc;
};

/* Allocates nothing yet. */
void heap_init(struct heap *h, const struct gb_alloc *alloc);
void heap_fini(struct heap *h);

/* Makes room for n nodes in all; grows by doubling. 0 or GB_ENOMEM. */
int heap_reserve(struct heap *h, uint32_t n);

/* Inserts the node or moves it to another time; GB_NEVER takes it out. Room
 * must have been reserved. */
void heap_set(struct heap *h, struct heap_node *node, uint64_t at_ms);

/* Harmless when it is in none. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The node's time, or GB_NEVER. */
uint64_t heap_at(const struct heap *h, const struct heap_node *node);

/* The earliest, left in the heap; NULL: empty. */
struct heap_node *heap_first(const struct heap *h);
uint64_t heap_first_at(const struct heap *h); /* GB_NEVER: empty */
#endif
