/* app/platform/downloads.h - recordings of devices on their way into files
 *
 *             ┌───────────────────── a pause ◄──────────────────────┐
 *             ▼                                                     │
 *   QUEUED ──► LISTING ──► RUNNING: a session for each file of the device
 *      ▲          │            │ ended as it should: the next file  │
 *      │          │            │ broken: from where it broke ───────┘
 *      │          │            └─ all files are there ─► the file is published
 *      │          └─ it has nothing ─► FAILED          DONE, PARTIAL
 *      └─ the device is offline, takes no more sessions, the disk is full
 *
 * A session that brings something new is progress; after PLATFORM_DOWNLOAD_TRIES
 * without any, that file of the device is given up and is a gap. The bytes are
 * another matter: whoever keeps the file hears DO_SAVE and says where it stands.
 * Included by core.h. */
#ifndef APP_PLATFORM_DOWNLOADS_H
#define APP_PLATFORM_DOWNLOADS_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/timerq.h"

#define DOWNLOAD_PAUSE_MS 2000      /* the first one, then twice as long... */
#define DOWNLOAD_PAUSE_MAX_MS 60000 /* ...up to this */
#define DOWNLOAD_FULL_MS 30000      /* for a disk or a device that is full */
#define DOWNLOAD_OVERLAP_S 2        /* asked for again behind a break */
#define DOWNLOAD_JOIN_S 2           /* files so near to each other adjoin */
#define DOWNLOAD_DETACH_MS 15000    /* for the file to be at rest */

struct device;
struct session;

struct downloads {
    struct list all;   /* struct download, newest first */
    struct list dirty;
    size_t n;
    uint64_t last_id;
};

void downloads_init(struct downloads *t);
void downloads_fini(struct platform *p);
void download_on_timer(struct platform *p, struct timerq_node *timer);
/* This session is over. */
void downloads_on_session(struct platform *p, const struct session *s);
/* What the device has recorded is known, or more of it. */
void downloads_on_records(struct platform *p, uint64_t records);
/* It is online: what waited for it goes on. */
void downloads_on_device(struct platform *p, const struct device *d);
bool downloads_news(struct platform *p, struct platform_action *out);
#endif
