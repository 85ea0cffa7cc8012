/* app/platform/takeover.h - a device that starts anew while somebody watches */
#ifndef APP_PLATFORM_TAKEOVER_H
#define APP_PLATFORM_TAKEOVER_H

#include <stdint.h>

struct device;
struct platform;
struct session;

/* It is offline: its sessions wait for it, or end. */
void sessions_of_device_away(struct platform *p, struct device *d,
                             const char *why);
void sessions_of_device_back(struct platform *p, struct device *d);
/* It has registered as if it had just started, and was not offline. */
void sessions_of_device_anew(struct platform *p, struct device *d);
/* Some time behind that: do media go on? */
void session_look_anew(struct platform *p, struct session *s);
#endif
