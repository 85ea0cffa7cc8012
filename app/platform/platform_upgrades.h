/* app/platform/platform_upgrades.h - firmware for devices. */
#ifndef APP_PLATFORM_PLATFORM_UPGRADES_H
#define APP_PLATFORM_PLATFORM_UPGRADES_H

#include "app/platform/platform_base.h"

#define PLATFORM_UPGRADE_STATE_MAP(X)                                          \
    X(SENT,      "sent")      /* the order is on its way, or accepted */       \
    X(FETCHED,   "fetched")   /* the device has the whole file */              \
    X(SUCCEEDED, "succeeded") /* as it says */                                 \
    X(FAILED,    "failed")    /* it refused, or says so */                     \
    X(SILENT,    "silent")    /* nothing was heard for an hour */

enum platform_upgrade_state {
#define X(id, name) PLATFORM_UPGRADE_##id,
    PLATFORM_UPGRADE_STATE_MAP(X)
#undef X
    PLATFORM_UPGRADE_STATES
};
const char *platform_upgrade_state_name(enum platform_upgrade_state s);
enum platform_upgrade_state platform_upgrade_state_by_name(struct slice name);

#define PLATFORM_UPGRADES_MAX 256       /* remembered, the newest */
#define PLATFORM_UPGRADE_SESSION_MAX 64 /* bytes; A-Z a-z 0-9 -, at least 32 */
#define PLATFORM_UPGRADE_FILE_MAX 64    /* its name, as the owner keeps it */
#define PLATFORM_UPGRADE_TEXT_MAX 64    /* version, manufacturer */

struct platform_upgrade {
    uint64_t number;        /* above those of all older ones; another one after
                               a restart */
    struct slice session, device, target, file, version;
    struct slice runs;      /* the version that it says it runs; or empty */
    enum platform_upgrade_state state;
    uint64_t command;       /* the order; 0: of before a restart */
    unsigned fetches;       /* requests for the file */
    uint64_t fetched_bytes; /* of all of them */
    int64_t asked_utc_ms, fetched_utc_ms, ended_utc_ms; /* 0: not yet */
    struct slice evidence;
};

/* All but target are needed. url: what the device is to fetch. */
struct platform_upgrade_order {
    struct slice device, target; /* target empty: the device itself */
    struct slice session, file, url, version, manufacturer;
};
/* GB_ENOENT, GB_ESTATE (offline), GB_EUNSUPPORTED (its edition is older than
 * 2022), GB_ESYNTAX, GB_ELIMIT, GB_ENOMEM. */
int platform_upgrade_start(struct platform *p,
                           const struct platform_upgrade_order *o,
                           struct gb_time now);
/* A request for its file was answered with so many bytes; whole: its last byte
 * has gone out. A session that is not known does nothing. */
void platform_upgrade_fetched(struct platform *p, struct slice session,
                              uint64_t bytes, bool whole, struct gb_time now);
/* false: not known, or over. */
bool platform_upgrade_may_fetch(const struct platform *p, struct slice session,
                                struct slice *file);
bool platform_upgrade_view(const struct platform *p, struct slice session,
                           struct platform_upgrade *out);
/* The i-th newest. */
bool platform_upgrade_at(const struct platform *p, size_t i,
                         struct platform_upgrade *out);
/* As the store kept it; oldest first. */
int platform_restore_upgrade(struct platform *p,
                             const struct platform_upgrade *s,
                             struct gb_time now);
#endif
