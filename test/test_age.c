/* By what clock old things go: one that leaps ahead is not believed at once. */
#include "base/age.h"

#include "test/support.h"

#define UTC 1700000000000
#define DAY_MS 86400000

static struct age age;
static struct gb_time now;

static int setup(void **state)
{
    (void)state;
    age = (struct age){ 0 };
    now = (struct gb_time){ 5000, UTC };
    return 0;
}

/* After so long what is believed is behind what the clock says by so much. */
static void expect_behind(int64_t after_ms, int64_t behind_ms)
{
    now.mono_ms += (uint64_t)after_ms;
    now.utc_ms += after_ms;
    assert_int_equal(now.utc_ms - age_utc_ms(&age, now), behind_ms);
}

static void goes_along(void **state)
{
    (void)state;
    expect_behind(0, 0);
    expect_behind(40ll * DAY_MS, 0);
    for (unsigned i = 0; i < 100; i++) { /* it was slow, and is put right */
        now.utc_ms += AGE_LEAP_MS;
        expect_behind(1, 0);
    }
    now.utc_ms -= 400ll * DAY_MS;
    expect_behind(1, 0);
}

static void a_leap_for_a_moment(void **state)
{
    int64_t leap = 40ll * DAY_MS;

    (void)state;
    expect_behind(0, 0);
    for (unsigned i = 0; i < 2; i++) { /* each is doubted from its beginning on */
        now.utc_ms += leap;
        expect_behind(1000, leap);
        expect_behind(AGE_DOUBT_MS - 1, leap);
        now.utc_ms -= leap;
        expect_behind(1000, 0);
    }
}

static void a_leap_that_stays(void **state)
{
    (void)state;
    expect_behind(0, 0);
    now.utc_ms += AGE_LEAP_MS + 1;
    expect_behind(1000, AGE_LEAP_MS + 1);
    expect_behind(AGE_DOUBT_MS, 0);
    expect_behind(1, 0);
}

/* Each further one has its own hour. */
static void leap_upon_leap(void **state)
{
    int64_t leap = 40ll * DAY_MS;

    (void)state;
    expect_behind(0, 0);
    for (int i = 1; i < 4; i++) {
        now.utc_ms += leap;
        expect_behind(1000, i * leap);
        expect_behind(AGE_DOUBT_MS - 1000, i * leap);
    }
    now.utc_ms -= leap; /* back, and still ahead */
    expect_behind(1000, 2 * leap);
    expect_behind(AGE_DOUBT_MS - 1, 2 * leap);
    expect_behind(1, 0);
}

/* The youngest of what is kept tells whether the first word is one. */
static void the_first_word(void **state)
{
    int64_t year = 365ll * DAY_MS;

    (void)state;
    age_known(&age, UTC - 1000);
    age_known(&age, UTC - 9 * DAY_MS);
    expect_behind(0, 0); /* it was started again */
    age_known(&age, UTC + year);
    expect_behind(0, 0);

    age = (struct age){ 0 };
    age_known(&age, now.utc_ms - year);
    expect_behind(0, year); /* it stood for a year, or the battery is empty */
    now.utc_ms -= year;
    expect_behind(60000, 0);
    now.utc_ms += year;
    expect_behind(0, year);
    expect_behind(AGE_DOUBT_MS, 0);

    age = (struct age){ 0 };
    age_known(&age, now.utc_ms + year);
    expect_behind(0, 0); /* nothing goes too early by a clock that is slow */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(goes_along, setup),
        cmocka_unit_test_setup(a_leap_for_a_moment, setup),
        cmocka_unit_test_setup(a_leap_that_stays, setup),
        cmocka_unit_test_setup(leap_upon_leap, setup),
        cmocka_unit_test_setup(the_first_word, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
