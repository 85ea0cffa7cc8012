/* base/intern: one copy of each text, as long as somebody holds it */
#include "test/support.h"

#include "base/intern.h"

#include <stdio.h>

static void one_copy(void **state)
{
    struct failing_alloc f;
    const struct interned *a, *b, *other;
    struct intern t;

    (void)state;
    failing_alloc_init(&f, 0);
    assert_int_equal(intern_init(&t, &f.alloc, NULL), 0);
    a = intern_take(&t, guarded(SLICE("Hikvision")));
    b = intern_take(&t, guarded(SLICE("Hikvision")));
    other = intern_take(&t, guarded(SLICE("Hikvisio")));
    assert_true(slice_eq(intern_text(a), SLICE("Hikvision")));
    assert_int_equal(intern_text(a).p[9], '\0');
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    assert_int_equal(f.live, 3);
    intern_drop(&t, a);
    assert_int_equal(f.live, 3);
    assert_true(slice_eq(intern_text(b), SLICE("Hikvision")));
    intern_drop(&t, b);
    assert_int_equal(f.live, 2);
    intern_fini(&t); /* the other one with it */
    assert_int_equal(f.live, 0);
}

static void nothing(void **state)
{
    struct intern t = { { 0 } };

    (void)state;
    intern_fini(&t);
    assert_int_equal(intern_init(&t, &gb_alloc_heap, NULL), 0);
    assert_null(intern_take(&t, slice_of(NULL, 0)));
    assert_int_equal(intern_text(NULL).n, 0);
    intern_drop(&t, NULL);
    intern_fini(&t);
}

static void no_memory(void **state)
{
    struct failing_alloc f;
    const struct interned *x;
    struct intern t;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_int_not_equal(intern_init(&t, &f.alloc, NULL), 0);
    failing_alloc_init(&f, 2);
    assert_int_equal(intern_init(&t, &f.alloc, NULL), 0);
    assert_null(intern_take(&t, SLICE("IPC")));
    f.fail_at = 0;
    x = intern_take(&t, SLICE("IPC"));
    assert_non_null(x);
    intern_drop(&t, x);
    intern_fini(&t);
    assert_int_equal(f.live, 0);
}

/* Against a count of the holders of each. */
static void holders(void **state)
{
    static const struct interned *held[40][8];
    static unsigned n[40];
    uint64_t seed = 11;
    struct failing_alloc f;
    struct intern t;
    size_t alive = 0;

    (void)state;
    failing_alloc_init(&f, 0);
    assert_int_equal(intern_init(&t, &f.alloc, "0123456789abcdef"), 0);
    for (int step = 0; step < 20000; step++) {
        size_t i = test_random(&seed) % COUNT(held);
        char text[16];
        int len = snprintf(text, sizeof(text), "model %zu", i);

        if (n[i] < COUNT(held[i]) && test_random(&seed) % 2) {
            alive += n[i] == 0;
            held[i][n[i]++] = intern_take(&t, slice_of(text, (size_t)len));
            assert_ptr_equal(held[i][n[i] - 1], held[i][0]);
        } else if (n[i]) {
            assert_true(slice_eq(intern_text(held[i][0]),
                                 slice_of(text, (size_t)len)));
            intern_drop(&t, held[i][--n[i]]);
            alive -= n[i] == 0;
        }
        assert_int_equal(f.live, alive + 1);
    }
    intern_fini(&t);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_copy), cmocka_unit_test(nothing),
        cmocka_unit_test(no_memory), cmocka_unit_test(holders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
