/* app/platform/pushes.h - streams that are pushed to other servers
 *
 *     WAITING ──at_ms──► STARTING ──picture──► CONNECTING ──► LIVE
 *        ▲                   │                     │            │
 *        └──── back-off ─────┴──────── gone ───────┴────────────┘
 *
 * A push is a consumer of its live session: it starts it, and holds it while it
 * sends. What ends it, at either side, is tried again after 1 s, twice as long
 * each time, up to 60 s.
 *
 * No sockets and no clock: the owner's turn is
 *
 *     pushes_set() / pushes_told() / pushes_gone() / pushes_tick()
 *     while (pushes_order(p, &o))   begin or end a connection;
 *     while (pushes_news(p, &v))    tell what has changed
 *
 * with pushes_tick about each PUSHES_TICK_MS. */
#ifndef APP_PLATFORM_PUSHES_H
#define APP_PLATFORM_PUSHES_H

#include "app/media/push_url.h"
#include "app/platform/platform.h"

#define PUSHES_MAX 1024          /* at one time */
#define PUSHES_OF_CHANNEL 4      /* URLs of one channel */
#define PUSHES_TICK_MS 250
#define PUSHES_BACK_OFF_MS 1000  /* after a failure; twice as long each time */
#define PUSHES_BACK_OFF_MAX_MS 60000
#define PUSHES_GOOD_MS 30000     /* sent for so long: earlier failures are
                                    forgotten */
#define PUSHES_WHY_MAX 160       /* with its NUL */

enum pushes_state { PUSHES_WAITING, PUSHES_STARTING, PUSHES_CONNECTING,
                    PUSHES_LIVE, PUSHES_ENDING };
const char *pushes_state_name(enum pushes_state s); /* "waiting" */

struct pushes;
/* tls: URLs with TLS are taken */
int pushes_new(struct pushes **out, const struct gb_alloc *alloc,
               struct platform *p, bool tls);
void pushes_free(struct pushes *p); /* NULL is fine */

/* All URLs of a channel; those that it had and are not among them end. A "***"
 * for a password stands for the one that is known. device: as in the table of
 * devices; it need not be known yet. GB_ESYNTAX, GB_EUNSUPPORTED (TLS),
 * GB_ELIMIT, GB_ENOMEM: nothing has changed then. */
struct pushes_of {
    struct slice device, channel;
    unsigned stream; /* 0 main, 1 sub */
    const struct slice *url;
    size_t n;
};
int pushes_set(struct pushes *p, const struct pushes_of *of,
               struct gb_time now);
void pushes_remove_device(struct pushes *p, struct slice device,
                          struct gb_time now);

struct push_view {
    uint64_t id;
    struct slice device, channel;
    unsigned stream;
    struct slice url;      /* with its password: never to be shown */
    enum pushes_state state;
    const char *why;       /* of the last failure; "": none */
    uint32_t failures;     /* one after the other */
    uint64_t bytes;        /* sent, in all */
    uint64_t session;      /* 0: none */
    int64_t since_utc_ms;  /* of the state */
    int64_t next_utc_ms;   /* WAITING: the next try */
};
/* Those of a channel, of a device, or all (empty). */
struct pushes_walk {
    const struct list *at; /* NULL: it begins */
    size_t n;              /* told so far */
};
bool pushes_next(const struct pushes *p, struct slice device,
                 struct slice channel, struct pushes_walk *w,
                 struct push_view *out);

/* ---- the owner -------------------------------------------------------------- */

void pushes_tick(struct pushes *p, struct gb_time now);
/* A session has changed, or is gone: why it failed is kept. */
void pushes_on_session(struct pushes *p, const struct platform_session *s);

struct pushes_order {
    bool begin;          /* else: end it */
    uint64_t id;
    uint64_t session;
    unsigned loop;
    struct slice url;    /* begin; valid until the next call */
};
bool pushes_order(struct pushes *p, struct pushes_order *out);

/* bytes: sent by this connection; live: the server takes pictures. Stale ids do
 * nothing. */
void pushes_told(struct pushes *p, uint64_t id, bool live, uint64_t bytes,
                 struct gb_time now);
/* A connection that was begun is over; why: borrowed. */
void pushes_gone(struct pushes *p, uint64_t id, uint64_t bytes,
                 const char *why, struct gb_time now);

/* One whose state has changed; the slices are valid until the next call. */
bool pushes_news(struct pushes *p, struct push_view *out);
#endif
