/* base/prefetch.h - asking for memory before it is needed
 *
 * Among a hundred thousand devices the one that a message names lies in far
 * memory. Asked for early enough, it is near when its turn comes. */
#ifndef BASE_PREFETCH_H
#define BASE_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

#define PREFETCH_LINE 64 /* bytes that memory moves at a time, mostly */

/* Any pointer will do, NULL as well: a wrong one costs time and nothing else. */
static inline void prefetch(const void *p)
{
    __builtin_prefetch(p);
}

/* All lines of n bytes. */
static inline void prefetch_range(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += PREFETCH_LINE)
        __builtin_prefetch((const void *)((uintptr_t)p + i));
}

/* Likewise, and they will be written. */
static inline void prefetch_room(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i += PREFETCH_LINE)
        __builtin_prefetch((const void *)((uintptr_t)p + i), 1);
}
#endif
