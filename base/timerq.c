#include "base/timerq.h"

#include <assert.h>
#include <stddef.h>

void timerq_node_init(struct timerq_node *n, uint8_t kind)
{
    *n = (struct timerq_node){ .when = TIMERQ_NEVER << 8 | kind };
}

/* Joins two heaps; either may be NULL. Their roots have no siblings. */
static struct timerq_node *join(struct timerq_node *a, struct timerq_node *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (b->when < a->when) {
        struct timerq_node *t = a;

        a = b;
        b = t;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* The classic two passes: pairs from left to right, then all of them from
 * right to left. Without recursion: a peer decides how many timers there are. */
static struct timerq_node *join_siblings(struct timerq_node *first)
{
    struct timerq_node *stack = NULL, *out = NULL;

    while (first) {
        struct timerq_node *a = first, *b = a->next, *pair;

        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        pair = join(a, b);
        pair->next = stack;
        stack = pair;
    }
    while (stack) {
        struct timerq_node *pair = stack;

        stack = pair->next;
        pair->next = NULL;
        out = join(out, pair);
    }
    return out;
}

static void cut(struct timerq_node *n)
{
    if (n->prev->child == n)
        n->prev->child = n->next;
    else
        n->prev->next = n->next;
    if (n->next)
        n->next->prev = n->prev;
    n->next = n->prev = NULL;
}

void timerq_stop(struct timerq *q, struct timerq_node *n)
{
    struct timerq_node *below;

    if (n->when >> 8 == TIMERQ_NEVER)
        return;
    if (n != q->root)
        cut(n);
    below = join_siblings(n->child);
    q->root = n == q->root ? below : join(q->root, below);
    n->child = NULL;
    n->when |= TIMERQ_NEVER << 8;
}

void timerq_set(struct timerq *q, struct timerq_node *n, uint64_t at_ms)
{
    if (at_ms > TIMERQ_NEVER)
        at_ms = TIMERQ_NEVER;
    if (n->when >> 8 == at_ms)
        return;
    timerq_stop(q, n);
    if (at_ms == TIMERQ_NEVER)
        return;
    assert(!n->child && !n->next && !n->prev);
    n->when = at_ms << 8 | timerq_kind(n);
    q->root = join(q->root, n);
}

uint64_t timerq_next(const struct timerq *q)
{
    return q->root ? timerq_at_ms(q->root) : GB_NEVER;
}

struct timerq_node *timerq_pop(struct timerq *q, uint64_t now_ms)
{
    struct timerq_node *n = q->root;

    if (!n || timerq_at_ms(n) > now_ms)
        return NULL;
    timerq_stop(q, n);
    return n;
}
