#include "test/support.h"

#include "base/timerq.h"

#define N 300
#define STEPS 200000

static struct timerq_node nodes[N];
static uint64_t model[N];

static uint64_t model_next(void)
{
    uint64_t min = GB_NEVER;

    for (size_t i = 0; i < N; i++)
        if (model[i] < min)
            min = model[i];
    return min;
}

/* Against an array of deadlines: random arming, moving, stopping, popping. */
static void like_a_model(void **state)
{
    struct timerq q = { 0 };
    uint64_t rnd = 42, now = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        timerq_node_init(&nodes[i], 0);
        model[i] = GB_NEVER;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = test_random(&rnd) % N;
        uint64_t what = test_random(&rnd) % 8;
        struct timerq_node *n;

        if (what < 5) {
            model[i] = now + test_random(&rnd) % 1000;
            timerq_set(&q, &nodes[i], model[i]);
        } else if (what < 6) {
            model[i] = GB_NEVER;
            timerq_stop(&q, &nodes[i]);
        } else {
            now += test_random(&rnd) % 30;
            while ((n = timerq_pop(&q, now))) {
                assert_int_equal(model[n - nodes], model_next());
                assert_true(model[n - nodes] <= now);
                assert_true(timerq_at_ms(n) == GB_NEVER);
                model[n - nodes] = GB_NEVER;
            }
            assert_true(model_next() > now);
        }
        assert_true(timerq_next(&q) == model_next());
    }
}

static void never_means_stopped(void **state)
{
    struct timerq q = { 0 };
    struct timerq_node n;

    (void)state;
    timerq_node_init(&n, 7);
    timerq_stop(&q, &n);
    timerq_set(&q, &n, 5);
    timerq_set(&q, &n, GB_NEVER);
    assert_true(timerq_next(&q) == GB_NEVER);
    assert_null(timerq_pop(&q, 100));
    timerq_set(&q, &n, 5);
    assert_null(timerq_pop(&q, 4));
    assert_ptr_equal(timerq_pop(&q, 5), &n);
    assert_int_equal(timerq_kind(&n), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_a_model),
        cmocka_unit_test(never_means_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
