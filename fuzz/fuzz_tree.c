/* The tree of a catalog, driven by the input as a script of items that come,
 * change and go. Whatever they say: every item is in the tree, nothing lies
 * deeper than TREE_MAX_DEPTH or inside itself, and a tree made of the same
 * items in another order is the same. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "app/platform/tree.h"

#include <stdlib.h>

#define NVR "34020000001180000001"

static const char *const ids[] = {
    "34", "3402", "340203", "34020301", "340200", "34020000002000000001",
    "34020000002150000001", "34020000002150000002", "34020000002160000001",
    "34020000002160000002", "34020000002160000003", "34020000002160000004",
    "34020000001110000001", "34020000001320000001", "34020000001360000001",
    NVR,
};
#define N_IDS (sizeof(ids) / sizeof(ids[0]))

struct item {
    bool there;
    char parent[80];
    const char *civil, *group;
};

struct world {
    struct item item[N_IDS];
    struct tree *t;
    bool seen[N_IDS];
    unsigned nodes; /* visited in this walk */
};

static struct tree *new_tree(void)
{
    static const uint8_t seed[16] = { 1 };
    const struct tree_roots roots = { SLICE(NVR), SLICE("34010000002000000001"),
                                      SLICE("3401000000") };
    struct tree *t;

    require(tree_new(&t, &memory_alloc, &roots, seed) == 0);
    return t;
}

static void put(struct tree *t, const struct world *w, size_t i)
{
    const struct item *it = &w->item[i];
    const struct tree_item in = { slice_str(ids[i]), slice_str(it->parent),
                                  slice_str(it->civil), slice_str(it->group) };

    require(tree_put(t, &in) == 0);
}

/* Many parents make many places: the walk is cut, not the tree. */
#define WALK_MAX 500

static void walk(struct world *w, enum tree_view view, struct slice parent,
                 unsigned depth)
{
    struct tree_node n;
    size_t pos = 0;

    require(depth <= TREE_MAX_DEPTH);
    while (w->nodes < WALK_MAX && !tree_child(w->t, view, parent, &pos, &n)) {
        w->nodes++;
        require(!slice_eq(n.id, parent));
        for (size_t i = 0; i < N_IDS; i++)
            if (slice_eq(n.id, slice_str(ids[i])))
                w->seen[i] = true;
        walk(w, view, n.id, depth + 1);
    }
}

static void check(struct world *w, enum tree_view view)
{
    w->nodes = 0;
    for (size_t i = 0; i < N_IDS; i++)
        w->seen[i] = false;
    walk(w, view, SLICE(""), 1);
    for (size_t i = 0; i + 1 < N_IDS && view == TREE_ALL; i++)
        require(w->nodes >= WALK_MAX || w->seen[i] || !w->item[i].there);
}

/* The same children in the same order. */
static void same(struct tree *a, struct tree *b, enum tree_view view)
{
    for (size_t i = 0; i <= N_IDS; i++) {
        struct slice parent = i < N_IDS ? slice_str(ids[i]) : SLICE("");
        struct tree_node x, y;
        size_t p = 0, q = 0;
        int err;

        do {
            err = tree_child(a, view, parent, &p, &x);
            require(tree_child(b, view, parent, &q, &y) == err);
            require(err || (slice_eq(x.id, y.id) && x.kind == y.kind &&
                         x.n_children == y.n_children));
        } while (!err);
    }
}

/* How long the input is chooses the view that is compared in the end. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    enum tree_view view = (enum tree_view)(n / 4 % TREE_VIEWS);
    struct world w = { .t = new_tree() };
    struct tree *backwards = new_tree();

    for (size_t at = 0; at + 3 < n && at < 400; at += 4) {
        struct item *it = &w.item[p[at] % N_IDS];
        char *to = it->parent;

        if (p[at] & 0x80) {
            it->there = false;
            tree_remove(w.t, slice_str(ids[p[at] % N_IDS]));
            continue;
        }
        it->there = true;
        it->parent[0] = '\0';
        for (unsigned k = 0; k < 3; k++) {
            unsigned which = p[at + 1] >> (k * 3) & 7u;
            struct slice id = slice_str(ids[(which * 2 + p[at + 2]) % N_IDS]);

            if (k == 2 && !(p[at + 1] & 0xc0))
                break;
            slice_copy(to, 22, id);
            to += id.n;
            *to++ = '/';
            *to = '\0';
        }
        it->civil = p[at + 3] & 1 ? ids[p[at + 3] >> 4] : NULL;
        it->group = p[at + 3] & 2 ? ids[6 + (p[at + 3] >> 2 & 3)] : NULL;
        put(w.t, &w, p[at] % N_IDS);
        if (p[at + 3] & 8)
            check(&w, (enum tree_view)((p[at + 3] >> 4) % TREE_VIEWS));
    }
    for (unsigned v = 0; v < TREE_VIEWS; v++)
        if (FUZZ_EVERY_WAY || v == TREE_ALL || v == view)
            check(&w, (enum tree_view)v);
    for (size_t i = N_IDS; i-- > 0;)
        if (w.item[i].there)
            put(backwards, &w, i);
    for (unsigned v = 0; v < TREE_VIEWS; v++)
        if (FUZZ_EVERY_WAY || v == view)
            same(w.t, backwards, (enum tree_view)v);
    tree_free(backwards);
    tree_free(w.t);
    memory_end();
    return 0;
}
