#include "base/heap.h"

#include "base/err.h"

#include <assert.h>
#include <string.h>

#define HEAP_MIN_CAP 16
#define HEAP_WAYS 4

void heap_init(struct heap *h, const struct gb_alloc *alloc)
{
    *h = (struct heap){ .alloc = alloc };
}

void heap_fini(struct heap *h)
{
    if (h->alloc)
        gb_put(h->alloc, h->slot);
    *h = (struct heap){ 0 };
}

int heap_reserve(struct heap *h, uint32_t n)
{
    uint32_t cap = h->cap ? h->cap : HEAP_MIN_CAP;
    struct heap_slot *slot;

    if (n <= h->cap)
        return 0;
    while (cap < n) {
        if (cap > UINT32_MAX / 2)
            return GB_ENOMEM;
        cap *= 2;
    }
    slot = gb_get(h->alloc, cap * sizeof(*slot));
    if (!slot)
        return GB_ENOMEM;
    if (h->n)
        memcpy(slot, h->slot, h->n * sizeof(*slot));
    gb_put(h->alloc, h->slot);
    h->slot = slot;
    h->cap = cap;
    return 0;
}

static void place(struct heap *h, uint32_t i, struct heap_slot s)
{
    h->slot[i] = s;
    s.node->pos = i + 1;
}

static void sift_up(struct heap *h, uint32_t i, struct heap_slot s)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / HEAP_WAYS;

        if (h->slot[parent].at_ms <= s.at_ms)
            break;
        place(h, i, h->slot[parent]);
        i = parent;
    }
    place(h, i, s);
}

static void sift_down(struct heap *h, uint32_t i, struct heap_slot s)
{
    for (;;) {
        uint32_t first = i * HEAP_WAYS + 1, best = i;
        uint64_t at_ms = s.at_ms;

        for (uint32_t c = first; c < first + HEAP_WAYS && c < h->n; c++) {
            if (h->slot[c].at_ms < at_ms) {
                at_ms = h->slot[c].at_ms;
                best = c;
            }
        }
        if (best == i)
            break;
        place(h, i, h->slot[best]);
        i = best;
    }
    place(h, i, s);
}

static void settle(struct heap *h, uint32_t i, struct heap_slot s)
{
    if (i > 0 && h->slot[(i - 1) / HEAP_WAYS].at_ms > s.at_ms)
        sift_up(h, i, s);
    else
        sift_down(h, i, s);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    uint32_t i = node->pos - 1;
    struct heap_slot last;

    if (node->pos == 0)
        return;
    assert(i < h->n && h->slot[i].node == node);
    node->pos = 0;
    last = h->slot[--h->n];
    if (i < h->n)
        settle(h, i, last);
}

void heap_set(struct heap *h, struct heap_node *node, uint64_t at_ms)
{
    struct heap_slot s = { at_ms, node };

    if (at_ms == GB_NEVER) {
        heap_remove(h, node);
        return;
    }
    if (node->pos == 0) {
        assert(h->n < h->cap);
        h->n++;
        sift_up(h, h->n - 1, s);
    } else if (h->slot[node->pos - 1].at_ms != at_ms) {
        settle(h, node->pos - 1, s);
    }
}

uint64_t heap_at(const struct heap *h, const struct heap_node *node)
{
    return node->pos ? h->slot[node->pos - 1].at_ms : GB_NEVER;
}

struct heap_node *heap_first(const struct heap *h)
{
    return h->n ? h->slot[0].node : NULL;
}

uint64_t heap_first_at(const struct heap *h)
{
    return h->n ? h->slot[0].at_ms : GB_NEVER;
}
