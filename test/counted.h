/* test/counted.h - a heap whose living bytes are counted, as the C library has them */
#ifndef TEST_COUNTED_H
#define TEST_COUNTED_H

#include "base/alloc.h"
#include "test/support.h"

#include <malloc.h>
#include <stdlib.h>

static size_t live_bytes;

static inline void *counted_get(void *ctx, size_t n)
{
    void *p = calloc(1, n);

    (void)ctx;
    assert_non_null(p);
    live_bytes += malloc_usable_size(p);
    return p;
}

static inline void counted_put(void *ctx, void *p)
{
    (void)ctx;
    live_bytes -= malloc_usable_size(p);
    free(p);
}

static const struct gb_alloc counted = { counted_get, counted_put, NULL };
#endif
