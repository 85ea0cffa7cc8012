/* Blocks of the store's pages: none overlaps another, and pages come back. */
#include "test/support.h"

#include "app/store/pages.h"

#define BLOCKS 4000

struct block {
    struct store_page *page;
    unsigned char *p;
    size_t n;
};

static struct block take(struct store_pages *s, size_t n, bool alone, int fill)
{
    struct block b = { .n = n };

    b.p = store_pages_get(s, n, alone, &b.page);
    assert_non_null(b.p);
    assert_int_equal((uintptr_t)b.p % _Alignof(max_align_t), 0);
    memset(b.p, fill, n);
    return b;
}

static void check(const struct block *b, int fill)
{
    for (size_t i = 0; i < b->n; i++)
        assert_int_equal(b->p[i], fill);
}

/* Of any size, given back in another order. */
static void no_two_overlap(void **state)
{
    static struct block b[BLOCKS];
    struct store_pages s;

    (void)state;
    assert_int_equal(store_pages_init(&s), 0);
    for (size_t i = 0; i < BLOCKS; i++)
        b[i] = take(&s, i % 97 == 0 ? 20000 + i : i % 700, i % 11 == 0,
                    (int)(i % 251));
    for (size_t i = 0; i < BLOCKS; i++)
        check(&b[i], (int)(i % 251));
    for (size_t i = 0; i < BLOCKS; i += 2)
        store_pages_put(&s, b[i].page);
    for (size_t i = 1; i < BLOCKS; i += 2) {
        check(&b[i], (int)(i % 251));
        store_pages_put(&s, b[i].page);
    }
    store_pages_fini(&s);
}

/* What is given back as it was taken needs two pages, however much it is. */
static void a_page_is_used_again(void **state)
{
    struct store_page *seen[3] = { NULL };
    struct store_pages s;
    size_t n_seen = 0;

    (void)state;
    assert_int_equal(store_pages_init(&s), 0);
    for (size_t i = 0; i < 100000; i++) {
        struct block b = take(&s, 300, false, 1);
        size_t k = 0;

        while (k < n_seen && seen[k] != b.page)
            k++;
        if (k == n_seen) {
            assert_true(n_seen < 2);
            seen[n_seen++] = b.page;
        }
        store_pages_put(&s, b.page);
    }
    store_pages_fini(&s);
}

/* One that stays keeps a page of its own, and none of the others' memory. */
static void alone_is_alone(void **state)
{
    struct block near, kept, far;
    struct store_pages s;

    (void)state;
    assert_int_equal(store_pages_init(&s), 0);
    near = take(&s, 100, false, 1);
    kept = take(&s, 100, true, 2);
    far = take(&s, 100, false, 3);
    assert_ptr_equal(near.page, far.page);
    assert_ptr_not_equal(kept.page, near.page);
    store_pages_put(&s, near.page);
    store_pages_put(&s, far.page);
    check(&kept, 2);
    store_pages_put(&s, kept.page);
    store_pages_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_overlap),
        cmocka_unit_test(a_page_is_used_again),
        cmocka_unit_test(alone_is_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
