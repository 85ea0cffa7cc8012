#include "base/arena.h"

#include <stdalign.h>

void *arena_alloc(struct arena *a, size_t n)
{
    size_t mask = alignof(max_align_t) - 1;
    size_t pad = (size_t)(-(uintptr_t)(a->p + a->used)) & mask;
    char *at;

    if (pad > a->cap - a->used || n > a->cap - a->used - pad)
        return NULL;
    at = a->p + a->used + pad;
    a->used += pad + n;
    memset(at, 0, n);
    return at;
}

bool arena_slice(struct arena *a, struct slice s, struct slice *out)
{
    char *at;

    *out = (struct slice){ NULL, 0 };
    if (s.n > a->cap - a->used)
        return false;
    at = a->p + a->used;
    a->used += s.n;
    if (s.n)
        memcpy(at, s.p, s.n);
    *out = (struct slice){ at, s.n };
    return true;
}
