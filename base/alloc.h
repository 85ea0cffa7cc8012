/* base/alloc.h - where the core's long-lived objects get their memory
 *
 * The caller gives it; tests give one that fails at the n-th call. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

struct gb_alloc {
    void *(*get)(void *ctx, size_t n);    /* zeroed memory, or NULL */
    void (*put)(void *ctx, void *p);      /* NULL is fine */
    void *ctx;
};

/* calloc and free. */
extern const struct gb_alloc gb_alloc_heap;

static inline void *gb_get(const struct gb_alloc *a, size_t n)
{
    return a->get(a->ctx, n);
}

/* The same without the zeros, where that is cheaper. */
void *gb_get_raw(const struct gb_alloc *a, size_t n);

static inline void gb_put(const struct gb_alloc *a, void *p)
{
    a->put(a->ctx, p);
}
#endif
