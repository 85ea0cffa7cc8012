/* base/heap: against a sorted array, and what it does without memory. */
#include "test/support.h"

#include "base/err.h"
#include "base/heap.h"

struct item {
    struct heap_node node;
    uint64_t at_ms; /* the model: GB_NEVER when out */
};

static uint64_t model_first(const struct item *it, size_t n)
{
    uint64_t at_ms = GB_NEVER;

    for (size_t i = 0; i < n; i++)
        if (it[i].at_ms < at_ms)
            at_ms = it[i].at_ms;
    return at_ms;
}

static void random_against_model(void **state)
{
    enum { N = 97 };
    struct item it[N];
    struct heap h;
    uint64_t seed = 20240611;

    (void)state;
    heap_init(&h, &gb_alloc_heap);
    assert_int_equal(heap_reserve(&h, N), 0);
    for (size_t i = 0; i < N; i++)
        it[i] = (struct item){ .at_ms = GB_NEVER };
    for (unsigned step = 0; step < 50000; step++) {
        struct item *p = &it[test_random(&seed) % N];
        uint64_t r = test_random(&seed);

        if (r % 4 == 0) {
            heap_remove(&h, &p->node);
            p->at_ms = GB_NEVER;
        } else {
            p->at_ms = r % 16 == 1 ? GB_NEVER : (r >> 8) % 300;
            heap_set(&h, &p->node, p->at_ms);
        }
        if (heap_first_at(&h) != model_first(it, N) ||
            heap_at(&h, &p->node) != p->at_ms)
            fail_msg("step %u: first %llu, want %llu", step,
                     (unsigned long long)heap_first_at(&h),
                     (unsigned long long)model_first(it, N));
        if (heap_first(&h))
            assert_int_equal(heap_at(&h, heap_first(&h)), heap_first_at(&h));
    }
    heap_fini(&h);
}

static void empty(void **state)
{
    struct heap h;
    struct heap_node n = { 0 };

    (void)state;
    heap_init(&h, &gb_alloc_heap);
    assert_null(heap_first(&h));
    assert_true(heap_first_at(&h) == GB_NEVER);
    heap_remove(&h, &n);
    heap_set(&h, &n, GB_NEVER);
    assert_true(heap_at(&h, &n) == GB_NEVER);
    heap_fini(&h);
}

static void no_memory(void **state)
{
    struct failing_alloc f;
    struct heap h;
    struct heap_node n = { 0 };

    (void)state;
    failing_alloc_init(&f, 2);
    heap_init(&h, &f.alloc);
    assert_int_equal(heap_reserve(&h, 1), 0);
    heap_set(&h, &n, 7);
    assert_int_equal(heap_reserve(&h, 1000), GB_ENOMEM);
    assert_ptr_equal(heap_first(&h), &n);
    heap_fini(&h);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_against_model),
        cmocka_unit_test(empty),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
