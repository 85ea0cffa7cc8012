/* app/platform/nat.h - devices behind a NAT: kept open, and waited for */
#ifndef APP_PLATFORM_NAT_H
#define APP_PLATFORM_NAT_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct platform;
struct session;

/* When the device's NAT wants traffic, GB_NEVER; part of device_arm. */
uint64_t nat_due_ms(const struct platform *p, const struct device *d);
void nat_on_timer(struct platform *p, struct device *d);
/* Its unanswered INVITE is worth waiting with. */
bool nat_holds(const struct session *s);
/* A packet came from where the device is bound: INVITEs that waited go out. */
void nat_heard(struct platform *p, struct device *d);
#endif
