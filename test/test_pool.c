/* base/pool: reuse, rounding, limits. */
#include "test/support.h"

#include "base/pool.h"

static void reuses(void **state)
{
    struct failing_alloc f;
    struct pool p;
    void *a, *b;

    (void)state;
    failing_alloc_init(&f, 0);
    pool_init(&p, &f.alloc);
    a = pool_get(&p, 300);
    b = pool_get(&p, 320); /* the same class: 257 to 320 */
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(p.used_bytes, 640);
    pool_put(&p, a, 300);
    pool_put(&p, b, 320);
    assert_int_equal(p.used_bytes, 0);
    assert_int_equal(p.idle_bytes, 640);
    for (unsigned i = 0; i < 100; i++) {
        a = pool_get(&p, 257);
        pool_put(&p, a, 257);
    }
    assert_int_equal(f.calls, 2);
    pool_put(&p, NULL, 12);
    pool_fini(&p);
    assert_int_equal(f.live, 0);
}

/* Every size gets its room, and loses at most a quarter to rounding. */
static void sizes(void **state)
{
    struct pool p;

    (void)state;
    pool_init(&p, &gb_alloc_heap);
    for (size_t n = 1; n < 600000; n += n < 2000 ? 1 : 997) {
        char *b = pool_get(&p, n);

        assert_non_null(b);
        memset(b, 0x5a, n);
        if (p.used_bytes < n || (n > 64 && p.used_bytes > n + n / 4))
            fail_msg("%zu bytes take %zu", n, p.used_bytes);
        pool_put(&p, b, n);
        assert_true(p.idle_bytes <= POOL_IDLE_MAX);
    }
    pool_fini(&p);
}

static void no_memory(void **state)
{
    struct failing_alloc f;
    struct pool p;

    (void)state;
    failing_alloc_init(&f, 1);
    pool_init(&p, &f.alloc);
    assert_null(pool_get(&p, 100));
    assert_int_equal(p.used_bytes, 0);
    pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reuses),
        cmocka_unit_test(sizes),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
