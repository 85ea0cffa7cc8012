/* Every fault of the simulated cameras is found by its name, alone. */
#include "app/device/faults.h"

#include "test/support.h"

#include <string.h>

static size_t bools(const struct faults *f)
{
    size_t n = 0;
    const struct fault *one;

    for (size_t i = 0; (one = fault_at(i)) != NULL; i++)
        n += *(const bool *)((const char *)f + one->off);
    return n;
}

static void each_by_its_name(void **state)
{
    const struct fault *one;
    size_t i = 0;

    (void)state;
    for (; (one = fault_at(i)) != NULL; i++) {
        struct faults f = { 0 };
        char name[40];

        fault_name(one, name, sizeof(name));
        if (!fault_set(&f, slice_str(name)) || bools(&f) != 1 ||
            !*(const bool *)((const char *)&f + one->off))
            fail_msg("%s", name);
        if (!one->what[0] || !one->clause[0] || memchr(name, '_', strlen(name)))
            fail_msg("%s: is not told", name);
    }
    assert_true(i > 40);
}

static void others_are_refused(void **state)
{
    static const char *const names[] = { "", "no_psm", "no-psm ", "no-ps",
                                         "NO-PSM", "loss", "refuse" };
    struct faults f = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        if (fault_set(&f, guarded(slice_str(names[i]))))
            fail_msg("%s", names[i]);
    assert_int_equal(bools(&f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_by_its_name),
        cmocka_unit_test(others_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
