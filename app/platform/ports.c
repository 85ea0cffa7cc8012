#include "app/platform/ports.h"

#include "base/err.h"

#include <assert.h>

int port_pool_init(struct port_pool *p, const struct gb_alloc *alloc,
                   uint16_t min, uint16_t max)
{
    uint32_t first = (min + 1u) & ~1u;

    *p = (struct port_pool){ .first = (uint16_t)first };
    if (min == 0 || first + 1 > max)
        return GB_ERANGE;
    return rest_pool_init(&p->rest, alloc, (max + 1u - first) / 2, 0);
}

void port_pool_fini(struct port_pool *p)
{
    rest_pool_fini(&p->rest);
}

int port_pool_take(struct port_pool *p, uint64_t now_ms, uint16_t *port)
{
    uint32_t i;
    int err = rest_pool_take(&p->rest, false, now_ms, &i);

    if (err)
        return err;
    *port = (uint16_t)(p->first + 2 * i);
    return 0;
}

void port_pool_give(struct port_pool *p, uint16_t port, uint64_t now_ms)
{
    assert(port >= p->first && (port & 1) == 0);
    rest_pool_give(&p->rest, (uint32_t)(port - p->first) / 2, now_ms);
}
