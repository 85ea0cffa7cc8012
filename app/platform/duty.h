/* app/platform/duty.h - what is armed: the guard of devices and of their
 * alarm inputs, as it was set and as it is told
 *
 * Set by a GuardCmd that was answered with OK, and by the Alarmstatus of a
 * DeviceStatus; the newer one counts. */
#ifndef APP_PLATFORM_DUTY_H
#define APP_PLATFORM_DUTY_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/map.h"
#include "manscdp/device.h"

struct duties {
    struct map by_key; /* "device/target" */
    struct list all;
};

int duty_init(struct platform *p);
void duty_fini(struct platform *p);
/* Without memory, beyond PLATFORM_DUTIES_MAX or PLATFORM_DEVICE_DUTIES_MAX, or of
 * a device that is gone, it is not kept. from: static. */
void duty_set(struct platform *p, struct slice device, struct slice target,
              enum manscdp_duty duty, const char *from);
/* The device is removed. */
void duty_forget(struct platform *p, struct slice device);
#endif
