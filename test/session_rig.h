/* test/session_rig.h - a recorder that is ready to play, and a look whether
 * anything is left of its sessions */
#ifndef TEST_SESSION_RIG_H
#define TEST_SESSION_RIG_H

#include "test/sim.h"

static struct sim s;

static const char nvr[] = "34020000001180000001";
static const char *channel; /* its first */

static inline struct sim_device *ready_at(const char *ip, uint8_t transport,
                                          const struct sim_options *o)
{
    struct sim_device *d;

    assert_true(sim_init(&s, o));
    d = sim_add(&s, nvr, ip, transport);
    sim_channels(d, 4);
    d->keepalive_ms = 30000;
    sim_settle(&s);
    assert_int_equal(sim_view(&s, d).n_channels, 4);
    channel = d->channel[0];
    return d;
}

static inline struct sim_device *ready(void)
{
    return ready_at("192.168.1.10:5060", SIP_UDP, NULL);
}

static inline void ends_clean(void)
{
    sim_run(&s, 70000);
    platform_tick(s.p, s.now);
    sim_expect_clean(&s);
    assert_int_equal(sim_counters(&s).ports_resting, 0);
    sim_free(&s);
}

/* The same, when what still plays has been stopped. */
static inline void drains_clean(void)
{
    platform_drain(s.p, s.now);
    ends_clean();
}
#endif
