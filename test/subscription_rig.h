/* test/subscription_rig.h - one device and what it is subscribed to, in virtual
 * time against a scripted device */
#ifndef TEST_SUBSCRIPTION_RIG_H
#define TEST_SUBSCRIPTION_RIG_H

#include "test/sim.h"

static struct sim s;

static const char nvr[] = "34020000001180000001";

enum { CATALOG = 1, ALARM = 2, POSITION = 4, PTZ = 8 };

static inline struct sim_device *device(unsigned kinds, uint32_t seconds)
{
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct sim_device *d;

    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (kinds & 1u << k)
            o.config.subscribe_s[k] = seconds;
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    d->keepalive_ms = 60000;
    d->expires_s = 86400 * 7;
    sim_channels(d, 2);
    return d;
}

static inline struct platform_subscription view(unsigned k)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];
    size_t n = platform_subscriptions_of(s.p, slice_str(nvr), u);

    for (size_t i = 0; i < n; i++)
        if (u[i].kind == k)
            return u[i];
    fail_msg("no subscription of kind %u", k);
    return u[0];
}

static inline struct sip_counters counters(void)
{
    struct sip_counters c;

    sip_stack_counters(s.server, &c);
    return c;
}

/* Registered, subscribed. */
static inline struct sim_device *up(unsigned kinds, uint32_t seconds)
{
    struct sim_device *d = device(kinds, seconds);

    sim_register(d);
    sim_run(&s, 10000);
    return d;
}

#endif
