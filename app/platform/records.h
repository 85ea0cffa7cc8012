/* app/platform/records.h - what a device has recorded: RecordInfo over any range
 *
 *   ASKING ──window by window──► DONE
 *      │ the first one is refused, or not answered ─► DONE, with nothing
 *
 * Devices answer a day well, a month badly, and some end a long answer in broken
 * XML (field-note 9.3): the range is asked for in windows, a window that comes
 * back damaged or with too little is asked for in smaller ones, and one that ends
 * at a round number of items is asked for from there on, since that may be the
 * device's limit. What has come is there while the rest is on its way.
 * Included by core.h. */
#ifndef APP_PLATFORM_RECORDS_H
#define APP_PLATFORM_RECORDS_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/timerq.h"
#include "manscdp/msg.h"

#define RECORDS_WINDOW_S 86400  /* asked for at one time */
#define RECORDS_WINDOW_MIN_S 10800 /* no smaller one is tried */
#define RECORDS_FRESH_MS 60000  /* the same question again: the same answer */
#define RECORDS_MOST_MS 3600000 /* for all windows: what has come by then */
#define RECORDS_ROUND 100       /* items: a multiple may be a limit */

struct device;

struct records_table {
    struct list all;   /* struct records, newest first */
    struct list dirty;
    size_t n;
    uint64_t next;     /* id of the next one */
};

void records_init(struct records_table *t);
void records_fini(struct platform *p);
void records_on_timer(struct platform *p, struct timerq_node *timer);
/* A Response to this command. */
void records_on_answer(struct platform *p, uint64_t command,
                       const struct manscdp_msg *msg);
/* The command has changed: it may be one of these. */
void records_on_command(struct platform *p, uint64_t command);
bool records_news(struct platform *p, struct platform_action *out);
#endif
