#include "base/intern.h"

#include "base/list.h"

#include <assert.h>

struct interned {
    struct map_node node; /* key: p, without its NUL */
    size_t holders;
    char p[];
};

int intern_init(struct intern *t, const struct gb_alloc *alloc,
                const void *seed)
{
    int err = map_init(&t->texts, alloc, seed);

    if (err)
        map_fini(&t->texts); /* as if it had not been begun */
    return err;
}

static void drop(struct intern *t, struct interned *x)
{
    map_remove(&t->texts, &x->node);
    gb_put(t->texts.alloc, x);
}

void intern_fini(struct intern *t)
{
    struct map_walk w = { 0 };
    struct map_node *n;

    if (!t->texts.alloc)
        return;
    while ((n = map_walk_next(&t->texts, &w)))
        drop(t, container_of(n, struct interned, node));
    map_fini(&t->texts);
}

static struct interned *make(struct intern *t, struct slice s)
{
    struct interned *x = gb_get(t->texts.alloc, sizeof(*x) + s.n + 1);

    if (!x)
        return NULL;
    memcpy(x->p, s.p, s.n);
    map_insert(&t->texts, &x->node, slice_of(x->p, s.n));
    return x;
}

const struct interned *intern_take(struct intern *t, struct slice s)
{
    struct map_node *n = s.n ? map_find(&t->texts, s) : NULL;
    struct interned *x = n     ? container_of(n, struct interned, node)
                         : s.n ? make(t, s)
                               : NULL;

    if (x)
        x->holders++;
    return x;
}

struct slice intern_text(const struct interned *x)
{
    return x ? map_key(&x->node) : slice_of(NULL, 0);
}

void intern_drop(struct intern *t, const struct interned *kept)
{
    struct interned *x = (struct interned *)(uintptr_t)kept;

    if (!x)
        return;
    assert(x->holders > 0);
    if (--x->holders == 0)
        drop(t, x);
}
