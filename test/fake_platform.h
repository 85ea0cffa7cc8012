/* test/fake_platform.h - a platform that does what a test tells it
 *
 * Defines the functions of app/platform/platform.h (and sip/stack.h) that
 * app/http calls, over one table: include it in one file of a program, which
 * must not use the real ones. */
#ifndef TEST_FAKE_PLATFORM_H
#define TEST_FAKE_PLATFORM_H

#include "test/fake_devices.h"
#include "test/fake_sessions.h"

void platform_counters(const struct platform *p, struct platform_counters *out)
{
    (void)p;
    *out = (struct platform_counters){ .registers = 3 };
}

void sip_stack_counters(const struct sip_stack *s, struct sip_counters *out)
{
    (void)s;
    *out = (struct sip_counters){ .received = 11 };
}
#endif
