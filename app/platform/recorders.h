/* app/platform/recorders.h - which channels are recorded, and when
 *
 *                     wanted                 playing
 *   OFF ─────────────────────────► STARTING ─────────► RECORDING, a roll runs
 *    ▲  ◄── not wanted ─ READY ◄──────┤ ▲                  │        │
 *    │      (holds the stream for     │ │ back-off         │ broken │ not wanted
 *    │       the next alarm)          ▼ │                  ▼        ▼
 *    └───────────────────────────── WAITING ◄──────────────┘     ENDING ─► READY,
 *                                                                         OFF
 *
 * A recorder is one more consumer of the live session of its channel: a device
 * is never asked for a second stream. Whoever has the media loops and the disk
 * carries out recorders_order and tells by recorders_told what came of it. */
#ifndef APP_PLATFORM_RECORDERS_H
#define APP_PLATFORM_RECORDERS_H

#include "app/platform/platform.h"

#define RECORDERS_MAX 10000       /* channels that are set */
#define RECORDERS_TICK_MS 250
#define RECORDERS_BACK_OFF_MS 2000 /* after a failure; twice as long each time */
#define RECORDERS_BACK_OFF_MAX_MS 60000
#define RECORDERS_FULL_MS 10000   /* after a disk that was full */
#define RECORDERS_GOOD_MS 30000   /* recorded for so long: earlier failures are
                                     forgotten */
#define RECORDERS_APART_MS 20000  /* a recording that begins so soon after the
                                     last one takes no pictures of before */
#define RECORDERS_ALARM_MAX_S 3600
#define RECORDERS_PLAN_BITS 336   /* half hours of a week */
#define RECORDERS_PLAN_BYTES (RECORDERS_PLAN_BITS / 8)
#define RECORDERS_WHY_MAX 160     /* with its NUL */

#define RECORDERS_MODE_MAP(X)                                                  \
    X(OFF,    "off")                                                           \
    X(ALWAYS, "always")                                                        \
    X(PLAN,   "plan")  /* and on an alarm outside it, if alarm_s is set */     \
    X(ALARM,  "alarm")

enum recorders_mode {
#define X(id, name) RECORDERS_MODE_##id,
    RECORDERS_MODE_MAP(X)
#undef X
    RECORDERS_MODES
};
const char *recorders_mode_name(enum recorders_mode m);
enum recorders_mode recorders_mode_by_name(struct slice name); /* MODES: none */

struct recorders_settings {
    enum recorders_mode mode;
    unsigned stream;  /* 0 main, 1 sub */
    uint32_t alarm_s; /* after an alarm; 0: alarms do nothing */
    bool before;      /* ALARM: the stream is kept up all the time, so that the
                         pictures before an alarm are there */
    bool hand;        /* started by hand, until it is stopped by hand */
    uint8_t plan[RECORDERS_PLAN_BYTES]; /* bit i: the i-th half hour from Monday
                         0:00, in the platform's time zone */
};

enum recorders_state { RECORDERS_OFF, RECORDERS_WAITING, RECORDERS_STARTING,
                       RECORDERS_READY, RECORDERS_RECORDING,
                       RECORDERS_ENDING };
const char *recorders_state_name(enum recorders_state s); /* "waiting" */

struct recorders;
int recorders_new(struct recorders **out, const struct gb_alloc *alloc,
                  struct platform *p);
void recorders_free(struct recorders *r); /* NULL is fine */

/* From now on. The device need not be known yet. GB_ESYNTAX, GB_ELIMIT,
 * GB_ENOMEM: nothing has changed then. */
int recorders_set(struct recorders *r, struct slice device,
                  struct slice channel, const struct recorders_settings *s,
                  struct gb_time now);
/* Those of a channel that was never set are off. */
void recorders_get(const struct recorders *r, struct slice device,
                   struct slice channel, struct recorders_settings *out);
void recorders_remove_device(struct recorders *r, struct slice device,
                             struct gb_time now);

struct recorder_view {
    uint64_t number;       /* above those that were set before */
    struct slice device, channel;
    struct recorders_settings set;
    enum recorders_state state;
    bool alarm;            /* recorded because of one */
    const char *why;       /* of the last failure; "": none */
    uint32_t failures;     /* one after the other */
    uint64_t session;      /* 0: none */
    int64_t begin_utc_ms;  /* of the open segment; 0: none */
    uint64_t bytes;        /* of it */
    uint64_t lost;         /* pictures left out by this recording */
    int64_t since_utc_ms;  /* of the state */
    int64_t next_utc_ms;   /* WAITING: the next try */
};
/* false: it was never set; the view is of one that is off. */
bool recorders_view(const struct recorders *r, struct slice device,
                    struct slice channel, struct recorder_view *out);
/* All of them; *w begins as zeros, and none may come or go before the end. */
struct recorders_walk {
    const struct list *at;
};
bool recorders_next(const struct recorders *r, struct recorders_walk *w,
                    struct recorder_view *out);

/* ---- the owner -------------------------------------------------------------- */

void recorders_tick(struct recorders *r, struct gb_time now);
/* A session has changed, or is gone: why it failed is kept. */
void recorders_on_session(struct recorders *r,
                          const struct platform_session *s);
/* channel: the alarm's DeviceID; one that is no channel of the device (its own,
 * an alarm input) is for all its channels. */
void recorders_on_alarm(struct recorders *r, struct slice device,
                        struct slice channel, struct gb_time now);

/* Record this channel for so many seconds from now on, whatever it is set to;
 * one that is recorded already goes on until then. GB_ESYNTAX, GB_ELIMIT,
 * GB_ENOMEM. */
int recorders_record(struct recorders *r, struct slice device,
                     struct slice channel, uint32_t seconds,
                     struct gb_time now);

struct recorders_order {
    bool begin;      /* else: end it */
    uint64_t roll, session;
    unsigned loop;
    struct slice device, channel; /* valid until the next call */
    bool cached;     /* with the pictures that are cached */
};
bool recorders_order(struct recorders *r, struct recorders_order *out);

enum recorders_event {
    RECORDERS_TOLD_BEGUN,  /* a segment is there */
    RECORDERS_TOLD_GROWN,
    RECORDERS_TOLD_FAILED, /* full: the disk is; OVER follows */
    RECORDERS_TOLD_OVER,
};
struct recorders_told {
    uint64_t roll;
    enum recorders_event event;
    int64_t begin_utc_ms;
    uint64_t bytes, lost;
    bool full;
    const char *why;       /* FAILED, OVER; may be NULL */
};
/* Whose it is; false: a stale roll. */
bool recorders_told(struct recorders *r, const struct recorders_told *t,
                    struct gb_time now, struct slice *device,
                    struct slice *channel);

/* One whose state has changed; the slices are valid until the next call. */
bool recorders_news(struct recorders *r, struct recorder_view *out);
#endif
