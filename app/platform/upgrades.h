/* app/platform/upgrades.h - firmware on its way into devices
 * (GB/T 28181-2022 Annex A: DeviceUpgrade, DeviceUpgradeResult)
 *
 *     SENT ──the file was fetched──► FETCHED ──┐
 *       │                               │      ├─ result OK ───► SUCCEEDED
 *       ├───────── no result came yet ──┴──────┤
 *       │ refused: FAILED                      ├─ result ERROR ► FAILED
 *       └── nothing for UPGRADE_SILENT_MS ─────┴───────────────► SILENT
 *
 * A device flashes, starts anew, registers, and then says how it went, with the
 * SessionID it was given; that outlives its being offline and a restart of ours.
 * A result that comes late is taken all the same. Included by core.h. */
#ifndef APP_PLATFORM_UPGRADES_H
#define APP_PLATFORM_UPGRADES_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/timerq.h"
#include "manscdp/msg.h"

#define UPGRADE_SILENT_MS 3600000 /* after it was sent, or fetched */

struct device;

struct upgrades {
    struct list all;   /* struct upgrade, newest first */
    struct list dirty; /* the owner is to be told */
    size_t n;
    uint64_t numbered; /* the last one */
};

void upgrades_init(struct upgrades *u);
void upgrades_fini(struct platform *p);
void upgrade_on_timer(struct platform *p, struct timerq_node *timer);
/* A DeviceUpgradeResult of this device. */
void upgrades_on_result(struct platform *p, struct device *d,
                        const struct manscdp_msg *msg);
/* The command has changed: it may be that of an upgrade. */
void upgrades_on_command(struct platform *p, uint64_t command);
/* An action about an upgrade, if there is one to tell. */
bool upgrades_news(struct platform *p, struct platform_action *out);
#endif
