/* app/platform/channel_sets.h - the parameter sets that a channel's streams had
 * when they last played (field-note 8.8)
 *
 * A device whose first pictures lack theirs is shown with them at once. They go
 * with the channel, and with the process. */
#ifndef APP_PLATFORM_CHANNEL_SETS_H
#define APP_PLATFORM_CHANNEL_SETS_H

#include "app/media/params.h"
#include "base/list.h"
#include "base/map.h"

#define CHANNEL_SETS_MAX 8192  /* channels; the one that has not played for
                                  longest goes first */
#define CHANNEL_SETS_STREAMS 2 /* main and sub */

struct platform;
struct session;
struct channel;

struct channel_sets_table {
    struct map by_key; /* "device/channel" */
    struct list played; /* longest ago first */
};

int channel_sets_init(struct platform *p);
void channel_sets_fini(struct platform *p);
/* What its live session has now, NULL: it is not known yet; a reference is taken.
 * Without memory, or of a channel that nobody knows, it is not kept. */
void channel_sets_note(struct platform *p, const struct session *s,
                       struct kept_sets *sets);
/* For its live session; borrowed, NULL: there are none. */
struct kept_sets *channel_sets_of(const struct platform *p,
                                  const struct session *s);
/* It is removed. */
void channel_sets_forget(struct platform *p, const struct channel *c);
#endif
