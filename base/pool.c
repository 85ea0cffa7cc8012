#include "base/pool.h"

#include <assert.h>
#include <string.h>

#define POOL_MIN 64

/* The class of n and the size of its blocks: 64, 80, 96, 112, 128, 160 ... */
static unsigned class_of(size_t n, size_t *size)
{
    unsigned c = 0;
    size_t base = POOL_MIN;

    while (n > base * 7 / 4 && c < POOL_CLASSES) {
        base *= 2;
        c += 4;
    }
    for (unsigned q = 0; q < 4; q++, c++) {
        *size = base + base / 4 * q;
        if (n <= *size)
            return c;
    }
    *size = n; /* only past the last class */
    return POOL_CLASSES;
}

void pool_init(struct pool *p, const struct gb_alloc *alloc)
{
    *p = (struct pool){ .alloc = alloc };
}

void pool_fini(struct pool *p)
{
    for (unsigned c = 0; c < POOL_CLASSES; c++) {
        while (p->free[c]) {
            void *block = p->free[c];

            memcpy(&p->free[c], block, sizeof(void *));
            gb_put(p->alloc, block);
        }
    }
    p->idle_bytes = 0;
}

void *pool_get(struct pool *p, size_t n)
{
    size_t size;
    unsigned c = class_of(n, &size);
    void *block;

    if (c < POOL_CLASSES && p->free[c]) {
        block = p->free[c];
        memcpy(&p->free[c], block, sizeof(void *));
        p->idle_bytes -= size;
    } else {
        block = gb_get(p->alloc, size);
    }
    if (block)
        p->used_bytes += size;
    return block;
}

void pool_put(struct pool *p, void *block, size_t n)
{
    size_t size;
    unsigned c = class_of(n, &size);

    if (!block)
        return;
    assert(p->used_bytes >= size);
    p->used_bytes -= size;
    if (c >= POOL_CLASSES || p->idle_bytes + size > POOL_IDLE_MAX) {
        gb_put(p->alloc, block);
        return;
    }
    memcpy(block, &p->free[c], sizeof(void *));
    p->free[c] = block;
    p->idle_bytes += size;
}
