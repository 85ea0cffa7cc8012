/* base/arena.h - bump allocator over caller memory, never grows */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena {
    char *p;     /* caller's memory */
    size_t cap;  /* room in all */
    size_t used; /* given out so far */
};

static inline struct arena arena_of(void *p, size_t cap)
{
    return (struct arena){ p, cap, 0 };
}

/* n bytes, zeroed, aligned for any type; NULL when full. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of s that lives as long as the arena; *out is the empty slice and the
 * result is false when the arena is full. */
bool arena_slice(struct arena *a, struct slice s, struct slice *out);

#endif
