/* app/device/fleet.h - many devices over one SIP stack: who an event is for,
 * whose deadline is next. No sockets, no clock. */
#ifndef APP_DEVICE_FLEET_H
#define APP_DEVICE_FLEET_H

#include "app/device/device.h"

#define FLEET_MAX_DEVICES 100000

struct fleet;
int fleet_new(struct fleet **out, const struct gb_alloc *alloc,
              uint32_t max_devices);
void fleet_free(struct fleet *f); /* and every device */

/* Makes a device; cfg->user is set by the fleet. *index names it. */
int fleet_add(struct fleet *f, const struct device_config *cfg,
              struct gb_time now, uint32_t *index);
/* It begins anew, with nothing of what it was: a reboot. Its ids are those it
 * was added with; answers to what it asked before are nobody's. What it has open
 * at the stack is its own to end (device_stop). On an error it is as it was. */
int fleet_restart(struct fleet *f, uint32_t index,
                  const struct device_config *cfg, struct gb_time now);
struct device *fleet_device(const struct fleet *f, uint32_t index);

/* Routes an event of the stack; a request for nobody is answered 404. */
void fleet_sip(struct fleet *f, struct sip_stack *sip,
               const struct sip_event *ev, struct gb_time now);
void fleet_tick(struct fleet *f, struct gb_time now);
uint64_t fleet_deadline(const struct fleet *f);

/* A device was called directly: its deadline and actions are looked at. */
void fleet_touch(struct fleet *f, uint32_t index);

/* The next action of any device, and whose it is. */
bool fleet_action(struct fleet *f, uint32_t *index, struct device_action *out);
#endif
