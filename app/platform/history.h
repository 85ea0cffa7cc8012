/* app/platform/history.h - the last changes between online and offline of one
 * device, each with its cause
 *
 * Eight bytes a change; the block grows with them up to HISTORY_MAX. A device
 * that never changed has none. */
#ifndef APP_PLATFORM_HISTORY_H
#define APP_PLATFORM_HISTORY_H

#include "base/alloc.h"
#include "base/slice.h"
#include "base/writer.h"

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MAX 50     /* the oldest go first */
#define HISTORY_CAUSES 255 /* different texts; further ones are "other" */
#define HISTORY_CAUSE_MAX 100 /* bytes of one that is read back */

/* The texts of the causes, one table for all devices. */
struct history_causes {
    const char *text[HISTORY_CAUSES]; /* static strings, or as `own` says */
    bool own[HISTORY_CAUSES];         /* read back: memory of the table */
    uint8_t n;
};

/* Frees what was read back. */
void history_causes_fini(struct history_causes *c,
                         const struct gb_alloc *alloc);

struct history; /* NULL: nothing yet */

struct history_change {
    int64_t utc_ms;
    bool online;       /* since then */
    const char *cause;
};

/* cause: a static string. Without memory for a longer block the oldest change
 * goes; without any the new one is lost. */
void history_put(struct history **h, struct history_causes *causes,
                 const struct gb_alloc *alloc,
                 const struct history_change *change);

/* The i-th newest; false: there are not so many. */
bool history_at(const struct history *h, const struct history_causes *causes,
                size_t i, struct history_change *out);

/* All of it as one line for the store, and back:
 *
 *     "registered|keepalive lost;+1700000000000,0;-1700000180000,1;"
 *
 * the causes, then the changes, oldest first. NULL is the empty line. */
void history_write(struct writer *w, const struct history *h,
                   const struct history_causes *causes);
/* Puts what the line says behind what *h has; malformed changes are left out. */
void history_read(struct history **h, struct history_causes *causes,
                  const struct gb_alloc *alloc, struct slice line);
#endif
