/* fuzz/memory.h - an allocator that counts what is out, and fails now and then */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "base/alloc.h"

#include <stdlib.h>

static struct {
    unsigned long live;    /* blocks that have not come back */
    unsigned long calls;
    unsigned long fail_at; /* every fail_at-th call fails; 0: none */
} memory;

static inline void *memory_get(void *ctx, size_t n)
{
    void *p;

    (void)ctx;
    if (memory.fail_at && ++memory.calls % memory.fail_at == 0)
        return NULL;
    p = calloc(1, n);
    memory.live += p != NULL;
    return p;
}

static inline void memory_put(void *ctx, void *p)
{
    (void)ctx;
    memory.live -= p != NULL;
    free(p);
}

static const struct gb_alloc memory_alloc = { memory_get, memory_put, NULL };

/* A run begins. */
static inline void memory_begin(unsigned long fail_at)
{
    memory.calls = 0;
    memory.fail_at = fail_at;
}

/* A run is over: aborts when anything is still out. */
static inline void memory_end(void)
{
    if (memory.live)
        abort();
}
#endif
