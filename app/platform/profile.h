/* app/platform/profile.h - what a device has been seen to do: which commands it
 * answers, how it sends alarms
 *
 * Evidence alone, never a guess from its maker. One block a device, made with
 * the first evidence. Included by core.h. */
#ifndef APP_PLATFORM_PROFILE_H
#define APP_PLATFORM_PROFILE_H

#include "app/platform/platform.h"
#include "manscdp/vocab.h"

struct device;
struct profile; /* NULL: nothing seen yet */

/* What came of a command. Without memory it is not remembered. */
void profile_note(struct platform *p, struct device *d,
                  const struct manscdp_row *row, enum platform_outcome o);
/* An alarm came: by MESSAGE or NOTIFY, with a type or without. */
void profile_alarm(struct platform *p, struct device *d, bool by_notify,
                   bool typed);
#endif
