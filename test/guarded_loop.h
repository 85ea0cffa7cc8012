/* test/guarded_loop.h - a loop in real time: a test that waits in vain fails
 * instead of hanging */
#ifndef TEST_GUARDED_LOOP_H
#define TEST_GUARDED_LOOP_H

#include "test/support.h"

#include <uv.h>

static struct {
    uv_loop_t uv;
    uv_timer_t guard;
    unsigned ticks; /* of the guard, until it is late */
    bool late; /* the guard has gone off */
} loop;

#define GUARD_MS 30000 /* a test that hangs fails */
#define GUARD_TICK_MS 100

/* Time in which the process was not run at all is one tick. */
static inline void on_guard(uv_timer_t *t)
{
    (void)t;
    if (++loop.ticks >= GUARD_MS / GUARD_TICK_MS)
        loop.late = true;
}

/* The guard goes off GUARD_MS after this. */
static inline void loop_begin(void)
{
    loop.late = false;
    loop.ticks = 0;
    assert_int_equal(uv_loop_init(&loop.uv), 0);
    uv_timer_init(&loop.uv, &loop.guard);
    uv_timer_start(&loop.guard, on_guard, GUARD_TICK_MS, GUARD_TICK_MS);
}

/* Runs the loop until the condition holds. */
#define RUN_UNTIL(cond)                                                        \
    do {                                                                       \
        while (!(cond) && !loop.late)                                          \
            uv_run(&loop.uv, UV_RUN_ONCE);                                     \
        if (loop.late)                                                         \
            fail_msg("line %d: waited in vain", __LINE__);                     \
    } while (0)

/* Runs it until *done or the guard: for a teardown, which tidies up after a
 * test that failed as well. */
static inline void loop_drain(const bool *done)
{
    while (!*done && !loop.late)
        uv_run(&loop.uv, UV_RUN_ONCE);
}

/* Closes the guard and the loop, on which nothing else may be open: 0. */
static inline int loop_end(void)
{
    uv_close((uv_handle_t *)&loop.guard, NULL);
    uv_run(&loop.uv, UV_RUN_DEFAULT);
    return uv_loop_close(&loop.uv);
}
#endif
