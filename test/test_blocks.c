/* app/net/blocks: blocks of every size, given back in any order */
#include "test/support.h"

#include "app/net/blocks.h"
#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define N 2000
#define AREA ((size_t)24 << 20)

static struct {
    uint8_t *p;
    size_t n;
    uint8_t fill;
} held[N];

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static bool is_filled(const uint8_t *p, size_t n, uint8_t fill)
{
    return p[0] == fill && memcmp(p, p + 1, n - 1) == 0;
}

static void take(const struct gb_alloc *a, size_t i, size_t n, uint8_t fill)
{
    uint8_t *p = gb_get(a, n);

    assert_non_null(p);
    /* as malloc does: 16, or 8 with 32 bits */
    assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
    assert_true(is_filled(p, n, 0));
    memset(p, fill, n);
    held[i].p = p;
    held[i].n = n;
    held[i].fill = fill;
}

/* What was written is there as long as the block is held. */
static void give(const struct gb_alloc *a, size_t i)
{
    assert_true(is_filled(held[i].p, held[i].n, held[i].fill));
    gb_put(a, held[i].p);
    held[i].p = NULL;
}

/* Blocks are zero, apart from one another and whole, whatever is done. */
static void any_order(void **state)
{
    const struct gb_alloc *a;
    struct blocks_use use;
    static const size_t sizes[] = { 100, 1100, 4000, BLOCKS_LARGE + 200,
                                    3 * BLOCKS_TABLE };
    uint64_t seed = 1;
    struct blocks *b;

    (void)state;
    assert_int_equal(blocks_new(&b, AREA), 0);
    a = blocks_alloc(b);
    gb_put(a, NULL);
    for (unsigned step = 0; step < 40000; step++) {
        size_t i = next(&seed) % N;

        if (held[i].p)
            give(a, i);
        else
            take(a, i, 1 + (size_t)next(&seed) % sizes[step / 1000 % 5],
                 (uint8_t)(step | 1));
    }
    for (size_t i = 0; i < N; i++)
        if (held[i].p)
            give(a, i);
    blocks_used(b, &use);
    assert_int_equal(use.blocks, 0);
    assert_int_equal(use.runs, 0);
    assert_true(use.touched <= AREA);
    blocks_free(b);
    blocks_free(NULL);
}

/* Every size, two of them side by side: neither reaches into the other. */
static void every_size(void **state)
{
    const struct gb_alloc *a;
    struct blocks *b;

    (void)state;
    assert_int_equal(blocks_new(&b, AREA), 0);
    a = blocks_alloc(b);
    for (size_t n = 1; n <= BLOCKS_LARGE + 1; n++) {
        uint8_t *p = gb_get(a, n), *q = gb_get(a, n);

        memset(p, 0x55, n);
        memset(q, 0xaa, n);
        assert_true(p[0] == 0x55 && p[n - 1] == 0x55);
        assert_true(q[0] == 0xaa && q[n - 1] == 0xaa);
        gb_put(a, p);
        gb_put(a, q);
    }
    blocks_free(b);
}

/* A table that grows by doubling: what it has left serves blocks, and tables. */
static void tables(void **state)
{
    const struct gb_alloc *a;
    struct blocks_use use;
    struct blocks *b;
    size_t touched;

    (void)state;
    assert_int_equal(blocks_new(&b, AREA), 0);
    a = blocks_alloc(b);
    take(a, 0, BLOCKS_TABLE, 1);
    for (size_t n = 2 * BLOCKS_TABLE; n <= (size_t)4 << 20; n *= 2) {
        take(a, 1, n, 2);
        give(a, 0);
        held[0] = held[1];
        held[1].p = NULL;
    }
    blocks_used(b, &use);
    touched = use.touched;
    if (touched) { /* there is an area */
        assert_int_equal(use.blocks, 1);
        assert_int_equal(use.runs, (4u << 20) / BLOCKS_TABLE);
        assert_int_equal(touched, (8u << 20) - BLOCKS_TABLE);
    }
    take(a, 1, BLOCKS_TABLE + 1, 3);
    for (size_t i = 2; i < N; i++)
        take(a, i, 1000, 4);
    blocks_used(b, &use);
    assert_int_equal(use.touched, touched);
    for (size_t i = N; i-- > 0;)
        give(a, i);
    for (size_t i = 0; i < 100; i++) { /* one for a while, again and again */
        take(a, 0, (size_t)3 << 20, 5);
        take(a, 1, 300, 6);
        give(a, 0);
        give(a, 1);
    }
    blocks_used(b, &use);
    assert_int_equal(use.touched, touched);
    assert_int_equal(use.blocks, 0);
    assert_int_equal(use.runs, 0);
    blocks_free(b);
}

/* Tables of changing sizes, one or some at a time, in any order: what is given back
 * joins what is free beside it. */
static void tables_come_and_go(void **state)
{
    const struct gb_alloc *a;
    struct blocks_use use;
    uint64_t seed = 2;
    struct blocks *b;
    size_t touched;

    (void)state;
    assert_int_equal(blocks_new(&b, AREA), 0);
    a = blocks_alloc(b);
    for (size_t i = 0; i < 1000; i++) { /* one run, two, one, ... */
        take(a, 0, (1 + i % 2) * BLOCKS_TABLE, 1);
        give(a, 0);
    }
    blocks_used(b, &use);
    assert_in_range(use.touched, 0, 3 * BLOCKS_TABLE);
    for (size_t i = 0; i < 5; i++)
        take(a, i, (1 + i) * BLOCKS_TABLE, 2);
    for (size_t i = 0; i < 5; i++)
        give(a, i * 2 % 5);
    blocks_used(b, &use);
    touched = use.touched;
    take(a, 0, touched ? touched : 1, 3); /* all of it is one */
    blocks_used(b, &use);
    assert_int_equal(use.touched, touched);
    give(a, 0);
    for (unsigned step = 0; step < 4000; step++) {
        size_t i = next(&seed) % 8;

        if (held[i].p)
            give(a, i);
        else
            take(a, i, BLOCKS_TABLE + (size_t)next(&seed) % (5 * BLOCKS_TABLE),
                 (uint8_t)(step | 1));
    }
    for (size_t i = 0; i < 8; i++)
        if (held[i].p)
            give(a, i);
    blocks_used(b, &use);
    assert_int_equal(use.runs, 0);
    assert_in_range(use.touched, 0, 8 * 6 * BLOCKS_TABLE * 2);
    blocks_free(b);
}

/* An empty run serves another size: nothing more is touched. */
static void runs_are_used_again(void **state)
{
    const struct gb_alloc *a;
    struct blocks_use use;
    struct blocks *b;
    size_t touched;

    (void)state;
    assert_int_equal(blocks_new(&b, AREA), 0);
    a = blocks_alloc(b);
    for (size_t i = 0; i < N; i++)
        take(a, i, 520, 7);
    blocks_used(b, &use);
    touched = use.touched;
    for (size_t i = 0; i < N; i++)
        give(a, i);
    for (size_t size = 16; size <= 512; size *= 2) {
        for (size_t i = 0; i < N; i++)
            take(a, i, size, 9);
        for (size_t i = N; i-- > 0;)
            give(a, i);
    }
    blocks_used(b, &use);
    assert_int_equal(use.touched, touched);
    blocks_free(b);
}

/* Where the area is full, or there is none, the heap serves. */
static void the_heap_behind_it(void **state)
{
    const struct gb_alloc *a;
    struct blocks_use use;
    struct blocks *b;

    (void)state;
    assert_int_equal(blocks_new(&b, 1), 0);
    a = blocks_alloc(b);
    for (size_t i = 0; i < N; i++)
        take(a, i, 1000, 7);
    blocks_used(b, &use);
    assert_int_equal(use.touched, 0);
    for (size_t i = 0; i < N; i++)
        give(a, i);
    blocks_free(b);
    assert_int_equal(blocks_new(&b, (size_t)2 << 20), 0);
    a = blocks_alloc(b);
    for (size_t i = 0; i < N; i++)
        take(a, i, 1000, 7);
    blocks_used(b, &use);
    assert_true(use.touched <= (size_t)2 << 20);
    for (size_t i = 0; i < N; i++)
        give(a, i);
    blocks_used(b, &use);
    assert_int_equal(use.blocks, 0);
    blocks_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(every_size),
        cmocka_unit_test(tables),
        cmocka_unit_test(tables_come_and_go),
        cmocka_unit_test(runs_are_used_again),
        cmocka_unit_test(the_heap_behind_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
