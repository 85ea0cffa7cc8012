/* app/platform/hooks.h - webhooks: events that are POSTed to URLs of others
 *
 *     IDLE ──event──► CALLING ──2xx──► IDLE, or the next event
 *                        │ ▲
 *      no answer, 408,   ▼ │ at_ms
 *      425, 429, 5xx    WAITING          any other status: the next event
 *
 * Each hook has a queue of its own and one call at a time, so that events come
 * in order, and one that is slow or dead costs the others nothing. What a full
 * queue cannot take is counted, the oldest going first, and said once; an event
 * that was tried HOOKS_TRIES_MAX times is given up.
 *
 * No sockets and no clock: the owner's turn is
 *
 *     hooks_event() / hooks_result() / hooks_set()
 *     while (hooks_call(h, now, &call))   carry it out, hooks_result() later;
 *     while (hooks_line(h, ...))          write it to the log;
 *     arm one timer at hooks_deadline(h)
 *
 * A call is signed: "t=SECONDS,v1=HEX", where HEX is HMAC-SHA256 with the hook's
 * secret over "SECONDS.BODY"; the time is that of the try, the id of the event
 * the same in each try. */
#ifndef APP_PLATFORM_HOOKS_H
#define APP_PLATFORM_HOOKS_H

#include "app/platform/platform.h"

#define HOOKS_MAX 16                /* hooks at one time */
#define HOOKS_QUEUE_MAX 1000        /* events waiting for one hook */
#define HOOKS_QUEUE_BYTES (2u << 20) /* of bodies, likewise */
#define HOOKS_EVENT_MAX (256u << 10) /* bytes of one body */
#define HOOKS_TRIES_MAX 12          /* of one event */
#define HOOKS_BACK_OFF_MS 1000      /* after a failure; twice as long each
                                       time ... */
#define HOOKS_BACK_OFF_MAX_MS 300000 /* ... up to this */
#define HOOKS_CALL_MS 10000         /* for one call, from the first packet to
                                       the status */
#define HOOKS_NAME_MAX 64           /* bytes: letters, digits, - _ . */
#define HOOKS_URL_MAX 512
#define HOOKS_SECRET_MAX 64
#define HOOKS_WHY_MAX 96            /* of the last failure, with its NUL */
#define HOOKS_HEAD_MAX 1536         /* of a call */
#define HOOKS_LINE_MAX 320

/* The store keeps them by number: what is new comes last, before TEST. */
#define HOOKS_KIND_MAP(X)                                                      \
    X(DEVICE,   "device")                                                      \
    X(CHANNEL,  "channel")                                                     \
    X(SESSION,  "session")                                                     \
    X(ALARM,    "alarm")                                                       \
    X(COMMAND,  "command")                                                     \
    X(POSITION, "position")                                                    \
    X(PTZ,      "ptz")                                                         \
    X(UPGRADE,  "upgrade")                                                     \
    X(DOWNLOAD, "download")                                                    \
    X(VOICE,    "voice")                                                       \
    X(PUSH,     "push")                                                        \
    X(RECORDING, "recording")                                                  \
    X(OFFER,    "offer")                                                       \
    X(TEST,     "test") /* asked for by a person; no filter holds it */

enum hooks_kind {
#define X(id, name) HOOKS_##id,
    HOOKS_KIND_MAP(X)
#undef X
    HOOKS_KINDS
};
const char *hooks_kind_name(enum hooks_kind k);
enum hooks_kind hooks_kind_by_name(struct slice name); /* HOOKS_KINDS: none */

enum hooks_state { HOOKS_IDLE, HOOKS_CALLING, HOOKS_WAITING, HOOKS_OFF };
const char *hooks_state_name(enum hooks_state s);

/* ---- URLs ----------------------------------------------------------------- */

/* Slices of the text. */
struct hooks_url {
    bool secure;         /* https */
    struct slice host;   /* name or IP literal, IPv6 without brackets */
    struct slice authority; /* as Host says it */
    struct slice path;   /* with the query; empty: "/" */
    uint16_t port;
};
/* http or https, no user, no fragment, no blanks or control characters.
 * GB_ESYNTAX. */
int hooks_url_parse(struct hooks_url *out, struct slice text);

/* ---- hooks ----------------------------------------------------------------- */

struct hooks_config {
    const struct gb_alloc *alloc;
    uint8_t seed[16];   /* random: jitter */
    uint64_t boot;      /* tells event ids of this process from others */
    const char *agent;  /* "gb28181d/0.1", static */
    bool tls;           /* https URLs can be called */
};

struct hooks;
int hooks_new(struct hooks **out, const struct hooks_config *cfg);
void hooks_free(struct hooks *h);

struct hook_settings {
    struct slice name, url;
    struct slice secret;  /* empty: as it was */
    unsigned kinds;       /* set of 1 << enum hooks_kind; 0: all */
    bool off;
    bool fixed;           /* of the configuration: the API does not change it */
};
/* Makes it, or changes it; copies. What waits stays, also for another URL. A
 * new one needs a secret. GB_ESYNTAX, GB_EUNSUPPORTED (https), GB_ELIMIT,
 * GB_ENOMEM; nothing has changed then. */
int hooks_set(struct hooks *h, const struct hook_settings *s,
              struct gb_time now);
/* With all that waits; a call under way ends unheard. GB_ENOENT. */
int hooks_remove(struct hooks *h, struct slice name);
/* Those of the configuration that were not set since hooks_mark are removed. */
void hooks_mark(struct hooks *h);
void hooks_sweep(struct hooks *h);

struct hook_view {
    struct slice name, url, secret; /* the secret is for nobody to see */
    unsigned kinds;
    bool off, fixed;
    enum hooks_state state;
    uint32_t queued;      /* events waiting, the one under way included */
    uint32_t failures;    /* one after the other; 0: the last call went well */
    uint64_t delivered, tries, refused, given_up, dropped;
    unsigned status;      /* of the last answer; 0: none */
    const char *why;      /* of the last failure, "": none */
    int64_t called_utc_ms, delivered_utc_ms; /* 0: never */
    int64_t next_utc_ms;  /* WAITING: the next try */
};
/* In the order of names; after empty: the first. false: no more. */
bool hooks_next(const struct hooks *h, struct slice after, struct gb_time now,
                struct hook_view *out);
bool hooks_view(const struct hooks *h, struct slice name, struct gb_time now,
                struct hook_view *out);

/* ---- events ---------------------------------------------------------------- */

bool hooks_wants(const struct hooks *h, enum hooks_kind k);
/* The id of the next event: "BOOT-NUMBER". */
void hooks_next_id(const struct hooks *h, struct writer *w);
/* For every hook that wants this kind; copies. Counted as dropped where there is
 * no memory. Its id is used up also where no hook wants it: others are told it. */
void hooks_event(struct hooks *h, enum hooks_kind k, struct slice body);
/* One event for one hook, whatever it wants. GB_ENOENT. */
int hooks_event_to(struct hooks *h, struct slice name, enum hooks_kind k,
                   struct slice body);

/* ---- calls ----------------------------------------------------------------- */

/* Slices are valid until the next call that is not a view. */
struct hooks_call {
    uint64_t id;
    unsigned slot;   /* below HOOKS_MAX; one connection for each will do */
    struct slice host;
    uint16_t port;
    bool secure;
    struct slice head, body; /* to be sent one behind the other */
};
bool hooks_call(struct hooks *h, struct gb_time now, struct hooks_call *out);

struct hooks_result {
    unsigned status;        /* of the answer; 0: none came */
    const char *why;        /* why not; borrowed */
    uint32_t retry_after_s; /* 0: not said */
};
/* A stale id does nothing. */
void hooks_result(struct hooks *h, uint64_t call, const struct hooks_result *r,
                  struct gb_time now);
uint64_t hooks_deadline(const struct hooks *h); /* mono_ms, GB_NEVER */

/* At a stop: an event is on its way, or due, where the last one went well. It is
 * not worth waiting for receivers that have failed. */
bool hooks_is_moving(const struct hooks *h);
/* Nothing is called from now on: hooks_line tells what is lost by that. */
void hooks_end(struct hooks *h);

/* A line for the operator, key=value, with its NUL; false: none. */
bool hooks_line(struct hooks *h, enum platform_level *level,
                char line[static HOOKS_LINE_MAX]);

/* Appends "t=SECONDS,v1=HEX". */
void hooks_sign(struct writer *w, struct slice secret, int64_t utc_s,
                struct slice body);
#endif
