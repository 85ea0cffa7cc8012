#include "app/net/held.h"

#include <string.h>

bool held_is_of(const struct held *h, const struct gb_addr *from,
                uint32_t ssrc)
{
    return h->n && h->ssrc == ssrc && gb_addr_eq(&h->from, from);
}

static size_t drop_oldest(struct held *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slab_unref(h->p[i].item.buf);
    h->n -= n;
    memmove(h->p, h->p + n, h->n * sizeof(h->p[0]));
    return n;
}

size_t held_keep(struct held *h, const struct gb_addr *from, uint32_t ssrc,
                 const struct held_packet *p)
{
    size_t gone = 0;

    if (!held_is_of(h, from, ssrc))
        gone = held_drop(h);
    else if (h->n == HELD_MAX)
        gone = drop_oldest(h, 1);
    h->from = *from;
    h->ssrc = ssrc;
    slab_ref(p->item.buf);
    h->p[h->n++] = *p;
    return gone;
}

size_t held_expire(struct held *h, uint64_t now_ms)
{
    size_t old = 0;

    while (old < h->n && now_ms - h->p[old].at_ms >= HELD_MS)
        old++;
    return old ? drop_oldest(h, old) : 0;
}

size_t held_drop(struct held *h)
{
    return drop_oldest(h, h->n);
}
