/* base/lag: field-note 3.3, a loop that does not turn is told */
#include "test/support.h"

#include "base/lag.h"

static void note_3_3_a_loop_that_is_late_is_told(void **state)
{
    static const struct {
        uint32_t after_ms; /* fires so long after the one before */
        uint32_t told_ms, worst_ms;
    } steps[] = {
        { 200, 0, 0 },      { 210, 0, 10 },    { 400, 0, 200 },
        { 401, 201, 201 },  { 3200, 0, 3000 }, /* one line a minute */
        { 200, 0, 3000 },   { 60000, 59800, 59800 },
        { 200, 0, 59800 },  { 59900, 59700, 59800 },
        { 200, 0, 59800 },  { 60200, 60000, 60000 },
        { 200000, 199800, 199800 }, /* long: what was before counts no more */
    };
    struct lag l = { 0 };
    uint64_t now_ms = 5000;

    (void)state;
    assert_int_equal(lag_note(&l, now_ms), 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        uint32_t told;

        now_ms += steps[i].after_ms;
        told = lag_note(&l, now_ms);
        if (told != steps[i].told_ms || lag_worst(&l) != steps[i].worst_ms)
            fail_msg("step %zu: told %u, worst %u", i, told, lag_worst(&l));
        assert_int_equal(l.due_ms, now_ms + LAG_EVERY_MS);
    }
    for (unsigned i = 0; i < 601; i++) { /* in time for two minutes */
        now_ms += LAG_EVERY_MS;
        assert_int_equal(lag_note(&l, now_ms), 0);
    }
    assert_int_equal(lag_worst(&l), 0);
    assert_int_equal(lag_note(&l, now_ms + (1ull << 33)), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_3_3_a_loop_that_is_late_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
