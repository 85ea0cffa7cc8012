/* app/net/pace: when a loop rests, and that it goes on. */
#include "test/support.h"

#include "app/net/pace.h"

#define TURN_NS 2000000

/* Few streams are not kept waiting, and many not for long. */
static void how_long_a_turn(void **state)
{
    static const struct {
        size_t n_streams;
        uint32_t turn_ns;
    } cases[] = {
        { 0, 0 },
        { 1, 0 },
        { PACE_STREAMS - 1, 0 },
        { PACE_STREAMS, PACE_STREAMS * PACE_EACH_NS },
        { PACE_MAX_NS / PACE_EACH_NS - 1, PACE_MAX_NS - PACE_EACH_NS },
        { PACE_MAX_NS / PACE_EACH_NS, PACE_MAX_NS },
        { PACE_MAX_NS / PACE_EACH_NS + 1, PACE_MAX_NS },
        { SIZE_MAX, PACE_MAX_NS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t ns = cases[i].turn_ns;

        assert_int_equal(pace_turn_ns(cases[i].n_streams, true), ns);
        assert_int_equal(pace_turn_ns(cases[i].n_streams, false),
                         ns * PACE_UNWATCHED);
    }
}

static void how_long(void **state)
{
    static const struct {
        const char *name;
        uint64_t since_ns;
        uint32_t rest_ns;
    } cases[] = {
        { "at once", 0, TURN_NS },
        { "half of it", TURN_NS / 2, TURN_NS - TURN_NS / 2 },
        { "just before", TURN_NS - 1, 1 },
        { "long enough", TURN_NS, 0 },
        { "after a wait", 1000ull * TURN_NS, 0 },
    };
    const struct pace p = { .turn_ns = 5000000000ull };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (pace_rest_ns(&p, p.turn_ns + cases[i].since_ns, TURN_NS) !=
            cases[i].rest_ns)
            fail_msg("%s", cases[i].name);
}

struct turns {
    unsigned n;
    bool busy;
    uv_idle_t idle; /* there is always something to do */
};

static uint32_t on_turn(void *ctx)
{
    struct turns *t = ctx;

    t->n++;
    return t->busy ? TURN_NS : 0;
}

static void on_idle(uv_idle_t *h)
{
    struct turns *t = h->data;

    if (t->n >= 20)
        uv_idle_stop(h);
}

/* Twenty turns without a pause take as long as twenty rests, or no time. */
static void rests(void **state)
{
    (void)state;
    for (int busy = 0; busy < 2; busy++) {
        struct turns t = { .busy = busy };
        struct pace p;
        uv_loop_t loop;
        uint64_t from_ns;

        assert_int_equal(uv_loop_init(&loop), 0);
        pace_start(&p, &loop, on_turn, &t);
        uv_idle_init(&loop, &t.idle);
        t.idle.data = &t;
        uv_idle_start(&t.idle, on_idle);
        from_ns = uv_hrtime();
        uv_run(&loop, UV_RUN_DEFAULT); /* ends: the pace keeps nothing alive */
        if (busy)
            assert_true(uv_hrtime() - from_ns >= 18ull * TURN_NS);
        assert_true(t.n >= 20);
        uv_close((uv_handle_t *)&t.idle, NULL);
        pace_close(&p);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_long_a_turn),
        cmocka_unit_test(how_long),
        cmocka_unit_test(rests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
