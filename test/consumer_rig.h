/* test/consumer_rig.h - a table of consumers of live sessions (recorders, pushes)
 * in virtual time, turned as the daemon turns it */
#ifndef TEST_CONSUMER_RIG_H
#define TEST_CONSUMER_RIG_H

#include "test/session_rig.h"

static struct failing_alloc mem; /* of the table */

/* Turns once each tick_ms: it hears of the last session, then it ticks. */
#define CONSUMERS_RUN(table, table_name, tick_ms, ms)                          \
    for (uint64_t rig_t = 0; rig_t < (ms); rig_t += (tick_ms)) {               \
        struct platform_session rig_last;                                      \
                                                                               \
        sim_run(&s, (tick_ms));                                                \
        rig_last = s.last;                                                     \
        rig_last.evidence = slice_str(s.last_evidence);                        \
        table_name##_on_session(table, &rig_last);                             \
        table_name##_tick(table, s.now);                                       \
    }

static inline void consumers_begin(void)
{
    failing_alloc_init(&mem, 0);
}

/* The table is freed: its sessions have no consumer any more, and end;
 * ends_clean follows. */
static inline void consumers_end(void)
{
    assert_int_equal(mem.live, 0);
    sim_run(&s, 60000);
}
#endif
