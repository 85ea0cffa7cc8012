/* The catalog of one device as a tree: 10,000 cameras in 200 organisations put
 * into it and looked at for the first time, and one change with another look. */
#include <stdio.h>

#include "app/platform/tree.h"
#include "test/bench/measure.h"

#define CAMERAS 10000
#define IN_ONE 50 /* cameras of an organisation */
#define RUNS 9

static char id[CAMERAS + CAMERAS / IN_ONE][24], parent[CAMERAS][64];
static struct tree_item item[CAMERAS + CAMERAS / IN_ONE];

static void make_items(void)
{
    for (unsigned i = 0; i < CAMERAS / IN_ONE; i++) {
        struct tree_item *it = &item[CAMERAS + i];

        snprintf(id[CAMERAS + i], sizeof(id[0]), "3402000000216%07u", i);
        it->id = slice_str(id[CAMERAS + i]);
        it->parent = i ? slice_str(id[CAMERAS + i / 20]) : slice_of("", 0);
    }
    for (unsigned i = 0; i < CAMERAS; i++) {
        snprintf(id[i], sizeof(id[0]), "3402000000132%07u", i);
        snprintf(parent[i], sizeof(parent[0]), "34020000001180000001/%s",
                 id[CAMERAS + i / IN_ONE]);
        item[i] = (struct tree_item){ slice_str(id[i]), slice_str(parent[i]),
                                      SLICE("34020300"), { NULL, 0 } };
    }
}

static void look(struct tree *t)
{
    struct tree_node n;
    size_t pos = 0, count = 0;

    while (!tree_child(t, TREE_ALL, SLICE(""), &pos, &n))
        count++;
    if (count != 1)
        bench_fail("bench_tree: the tree is wrong");
}

static double one(double *again)
{
    static const uint8_t seed[16] = { 1 };
    const struct tree_roots roots = { SLICE("34020000001180000001"),
                                      SLICE("34010000002000000001"),
                                      SLICE("3401000000") };
    struct tree_item moved = item[0];
    double from = bench_cpu_ns(), ms;
    struct tree *t;

    if (tree_new(&t, &gb_alloc_heap, &roots, seed))
        bench_fail("bench_tree: no memory");
    for (unsigned i = 0; i < CAMERAS + CAMERAS / IN_ONE; i++)
        if (tree_put(t, &item[i]))
            bench_fail("bench_tree: no memory");
    look(t);
    ms = (bench_cpu_ns() - from) / 1e6;
    from = bench_cpu_ns();
    moved.parent = slice_str(id[CAMERAS + 7]);
    tree_put(t, &moved);
    look(t);
    *again = (bench_cpu_ns() - from) / 1e6;
    tree_free(t);
    return ms;
}

int main(void)
{
    double first[RUNS], again[RUNS];

    make_items();
    for (unsigned i = 0; i < RUNS; i++)
        first[i] = one(&again[i]);
    bench_print("catalog.tree10k.ms", "ms", 2, first, RUNS);
    bench_print("catalog.tree10k.change.ms", "ms", 2, again, RUNS);
    return 0;
}
