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
/* It has refused this command, or been silent to it again and again. */
bool profile_lacks(const struct device *d, const struct manscdp_row *row);
/* An alarm came: by MESSAGE or NOTIFY, with a type or without. */
void profile_alarm(struct platform *p, struct device *d, bool by_notify,
                   bool typed);
/* Marks the device changed when something has been learnt that the owner was
 * not told of. What only counts up, or moves a little, is no news. */
void profile_look(struct platform *p, struct device *d);
/* The owner is about to see it. */
void profile_told(struct device *d);

/* All that was learnt as one line for the store, and back; empty: nothing.
 *
 *     "media=tcp-passive;gap=60000;fault=NO_SN;Catalog=answered,8,0;"
 *
 * What a later version has written and this one does not know is left out. */
void profile_write(struct writer *w, const struct device *d);
void profile_read(struct platform *p, struct device *d, struct slice line);
#endif
