#include "app/net/reserve.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int reserve_init(struct reserve *r, size_t bytes, unsigned n)
{
    size_t align = _Alignof(max_align_t);

    *r = (struct reserve){ .each = (bytes + align - 1) / align * align };
    list_init(&r->spare);
    r->begin = calloc(n, r->each);
    if (!r->begin)
        return GB_ENOMEM;
    if (uv_mutex_init(&r->lock)) {
        free(r->begin);
        return GB_ENOMEM;
    }
    r->end = r->begin + n * r->each;
    for (uint8_t *p = r->begin; p < r->end; p += r->each)
        list_push_back(&r->spare, (struct list *)(void *)p);
    return 0;
}

void reserve_fini(struct reserve *r)
{
    uv_mutex_destroy(&r->lock);
    free(r->begin);
}

void *reserve_get(struct reserve *r)
{
    void *p = calloc(1, r->each);

    if (p)
        return p;
    uv_mutex_lock(&r->lock);
    p = list_pop_front(&r->spare);
    uv_mutex_unlock(&r->lock);
    if (p)
        memset(p, 0, r->each);
    return p;
}

void reserve_put(struct reserve *r, void *p)
{
    uintptr_t at = (uintptr_t)p;

    if (at < (uintptr_t)r->begin || at >= (uintptr_t)r->end) {
        free(p);
        return;
    }
    uv_mutex_lock(&r->lock);
    list_push_back(&r->spare, p);
    uv_mutex_unlock(&r->lock);
}
