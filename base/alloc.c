#include "base/alloc.h"

#include <stdlib.h>

static void *heap_get(void *ctx, size_t n)
{
    (void)ctx;
    return calloc(1, n);
}

static void heap_put(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

const struct gb_alloc gb_alloc_heap = { heap_get, heap_put, NULL };

void *gb_get_raw(const struct gb_alloc *a, size_t n)
{
    return a->get == heap_get ? malloc(n) : gb_get(a, n);
}
