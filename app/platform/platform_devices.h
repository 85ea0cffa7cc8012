/* app/platform/platform_devices.h - devices, channels, groups: views of them,
 * and what people set. */
#ifndef APP_PLATFORM_PLATFORM_DEVICES_H
#define APP_PLATFORM_PLATFORM_DEVICES_H

#include "app/platform/platform_base.h"
#include "sip/stack.h"

/* ---- what devices are asked to report --------------------------------------- */

enum platform_subscription_kind {
    PLATFORM_SUBSCRIBE_CATALOG, PLATFORM_SUBSCRIBE_ALARM,
    PLATFORM_SUBSCRIBE_POSITION,
    PLATFORM_SUBSCRIBE_PTZ, /* of devices of 2022 */
    PLATFORM_SUBSCRIPTION_KINDS,
};

/* What a device is asked to report, for so many seconds each; 0: as its group,
 * then the configuration says. */
#define PLATFORM_SUBSCRIBE_NEVER UINT32_MAX
#define PLATFORM_SUBSCRIBE_MIN_S 60
#define PLATFORM_SUBSCRIBE_MAX_S 86400
struct platform_policy {
    uint32_t s[PLATFORM_SUBSCRIPTION_KINDS];
};
/* "catalog=600;alarm=never;" and back; what is not known is left out. */
#define PLATFORM_POLICY_TEXT_MAX 96
void platform_policy_write(struct writer *w, const struct platform_policy *y);
void platform_policy_read(struct platform_policy *y, struct slice text);

/* ---- devices and channels ---------------------------------------------- */

/* How far the list of channels is. */
enum platform_catalog {
    PLATFORM_CATALOG_NONE, PLATFORM_CATALOG_RUNNING,
    PLATFORM_CATALOG_COMPLETE, PLATFORM_CATALOG_IS_PARTIAL,
};

/* Where a device has said what time it is. */
#define PLATFORM_CLOCK_SOURCE_MAP(X)                                           \
    X(UNKNOWN,  "unknown")                                                     \
    X(REGISTER, "register")     /* the Date of a REGISTER */                   \
    X(STATUS,   "DeviceStatus")

enum platform_clock_source {
#define X(id, name) PLATFORM_CLOCK_##id,
    PLATFORM_CLOCK_SOURCE_MAP(X)
#undef X
};
const char *platform_clock_source_name(enum platform_clock_source s);

/* Its clock minus ours, when it last said its time. */
struct platform_clock {
    enum platform_clock_source from;
    int64_t drift_ms;   /* without the zone */
    int zone_min;       /* its texts are so far east of server.timezone */
    bool drifts;        /* by more than 5 s */
};

/* Borrowed until the next platform call that is not a view. Unknown text is
 * the empty slice, unknown times are 0. */
struct platform_device {
    struct slice id, name, manufacturer, model, firmware, user_agent;
    struct slice own_name;         /* as it says; name may be a person's */
    bool online;
    struct slice state_reason;     /* why it is as it is: "keepalive lost", … */
    struct sip_peer peer;          /* transport and address of its binding */
    struct slice edition;          /* "2.0": X-GB-Ver, or assumed */
    struct slice charset;          /* as observed: "GB18030", "UTF-8" */
    int64_t registered_utc_ms, keepalive_utc_ms, expires_utc_ms;
    size_t n_channels;
    enum platform_catalog catalog;
    uint32_t catalog_have, catalog_sum; /* of the running or last one */
    uint64_t deviations;           /* tolerated faults counted */
    enum platform_transport media; /* configured: AUTO unless set */
    struct platform_clock clock;
    /* what people set, as in struct platform_settings */
    struct slice group;
    bool has_password, ignore_require, arm;
    uint8_t date, edition_set;
    uint16_t digest;
    struct platform_policy subscribe;
    /* lines of platform_device_save, for the store alone; else empty */
    struct slice history, profile;
};

/* What we have seen of a channel ourselves, whatever its catalog says. */
#define PLATFORM_OBSERVED_MAP(X)                                               \
    X(UNSEEN,     "unseen")     /* nobody has asked for its picture yet */     \
    X(DELIVERING, "delivering") /* media comes now */                          \
    X(DELIVERED,  "delivered")  /* it came when it was asked for last */       \
    X(FAILED,     "failed")     /* it did not */                               \
    X(FAULTY,     "faulty")     /* keepalives name it as not working */

enum platform_observed {
#define X(id, name) PLATFORM_OBSERVED_##id,
    PLATFORM_OBSERVED_MAP(X)
#undef X
};
const char *platform_observed_name(enum platform_observed o);

struct platform_channel {
    struct slice device, id, name, manufacturer, model, owner, civil_code,
        address, parent, status, ptz_type, business_group;
    bool on;                    /* what the catalog says */
    enum platform_observed observed;
    int64_t failed_utc_ms;      /* FAILED: when, and the link that broke */
    const char *failed_step;    /* NULL: none */
    double longitude, latitude; /* valid with has_position */
    bool has_position;
    int64_t delivered_utc_ms;   /* last time media came from it; 0 never */
    uint64_t session;           /* its live session, 0: none */
};

bool platform_has_device(const struct platform *p, struct slice id);
bool platform_device_view(const struct platform *p, struct slice id,
                          struct platform_device *out);
bool platform_channel_view(const struct platform *p, struct slice device,
                           struct slice channel, struct platform_channel *out);

/* The view, with all that the store is to keep: its last changes and what it
 * was seen to do, as lines in buf. */
#define PLATFORM_SAVED_MAX 8192
bool platform_device_save(const struct platform *p, struct slice id,
                          char buf[static PLATFORM_SAVED_MAX],
                          struct platform_device *out);

/* Walks in id order. `after` empty: from the first; false at the end. */
bool platform_device_next(const struct platform *p, struct slice after,
                          struct platform_device *out);
bool platform_channel_next(const struct platform *p, struct slice device,
                           struct slice after, struct platform_channel *out);
size_t platform_device_count(const struct platform *p, size_t *online);

/* Bytes of all devices that SIP needs: id, binding, expiry with its timer, digest
 * state, and the tables by id, by peer and by source. */
size_t platform_sip_bytes(const struct platform *p);

/* The last changes of a device between online and offline, newest first, i
 * from 0; at most PLATFORM_CHANGES_MAX, those before a restart included. */
#define PLATFORM_CHANGES_MAX 50
struct platform_change {
    int64_t utc_ms;
    bool online;       /* since then */
    const char *cause; /* lives as long as the platform */
};
bool platform_device_change(const struct platform *p, struct slice id, size_t i,
                            struct platform_change *out);
size_t platform_channel_count(const struct platform *p);

/* The device of a channel id that only one device has; false otherwise. */
bool platform_channel_owner(const struct platform *p, struct slice channel,
                            struct slice *device);

/* Unknown ids that knocked, newest first; after: one of them, empty: the first.
 * false: no more, or that one is not among them any more. */
struct platform_pending {
    struct slice id, user_agent, reason;
    struct sip_peer peer;
    int64_t first_utc_ms, last_utc_ms;
    uint32_t tries;
};
bool platform_pending_next(const struct platform *p, struct slice after,
                           struct platform_pending *out);

/* GB_ENOENT, GB_ESTATE (offline). Starts a catalog and DeviceInfo query. */
int platform_device_refresh(struct platform *p, struct slice id,
                            struct gb_time now);
/* Forgets a device and its channels. GB_ENOENT. */
int platform_device_remove(struct platform *p, struct slice id,
                           struct gb_time now);

/* ---- what people set ------------------------------------------------------ */

#define PLATFORM_PASSWORD_MAX 64   /* bytes; no control characters */
#define PLATFORM_GROUP_NAME_MAX 64 /* bytes; no control characters, no '/' */
#define PLATFORM_MAX_GROUPS 1000

enum { /* bits of platform_settings.set */
    PLATFORM_SET_PASSWORD = 1, PLATFORM_SET_GROUP = 2, PLATFORM_SET_NAME = 4,
    PLATFORM_SET_DATE = 8, PLATFORM_SET_EDITION = 16,
    PLATFORM_SET_REQUIRE = 32, PLATFORM_SET_DIGEST = 64,
    PLATFORM_SET_MEDIA = 128, PLATFORM_SET_ARM = 256,
    PLATFORM_SET_SUBSCRIBE = 512,
};

struct platform_settings {
    unsigned set;          /* which of the following are meant */
    struct slice password; /* empty: that of its group, or of the platform */
    struct slice group;    /* empty: none */
    struct slice name;     /* empty: the device's own */
    uint8_t date;          /* 0: as configured, else 1 + enum platform_date */
    uint8_t edition;       /* 0: as it says, else 1 + enum manscdp_edition */
    bool ignore_require;   /* serve requests that require what we do not know */
    bool arm;              /* arm its alarms each time it registers: subscribe
                              to them and send SetGuard */
    uint16_t digest;       /* 0: as configured, else bits 1 << sip_digest_alg */
    struct platform_policy subscribe;
    unsigned subscribe_kinds; /* bits 1 << kind: which of them are meant */
    enum platform_transport media; /* of callers who say AUTO; AUTO: what it is
                                      known to like, else UDP inside private
                                      networks and TCP passive outside */
};

/* Slices are copied. GB_ENOENT (no such device), GB_ESYNTAX (a value, or the
 * group is unknown), GB_ENOMEM. A new password is asked for at the next
 * REGISTER; what is bound stays bound until then. */
int platform_device_set(struct platform *p, struct slice id,
                        const struct platform_settings *s, struct gb_time now);
/* A device that has not registered yet; it needs no auto_enrol then.
 * GB_EEXIST, GB_ESYNTAX (as above, or the id is none), GB_EAUTH (the lists of
 * the configuration keep it out), GB_ELIMIT, GB_ENOMEM. */
int platform_device_create(struct platform *p, struct slice id,
                           const struct platform_settings *s,
                           struct gb_time now);
/* All of them, the password too: for the store, and nobody else. */
bool platform_device_settings(const struct platform *p, struct slice id,
                              struct platform_settings *out);

/* An id that knocked becomes a device. GB_ENOENT, and as above. */
int platform_pending_accept(struct platform *p, struct slice id,
                            struct gb_time now);
int platform_pending_remove(struct platform *p, struct slice id,
                            struct gb_time now);

/* A named set of devices with a password of its own. */
struct platform_group {
    struct slice name;
    bool has_password;
    size_t n_devices;
    struct platform_policy subscribe;
};
/* Bits 1 << kind: which of them are meant. GB_ENOENT, GB_ESYNTAX. */
int platform_group_subscribe(struct platform *p, struct slice name,
                             const struct platform_policy *y, unsigned kinds,
                             struct gb_time now);
/* Makes it, or changes it. password NULL: as it is; empty: none. GB_ESYNTAX,
 * GB_ELIMIT, GB_ENOMEM. */
int platform_group_set(struct platform *p, struct slice name,
                       const struct slice *password, struct gb_time now);
/* Its devices are in no group then. GB_ENOENT. */
int platform_group_remove(struct platform *p, struct slice name,
                          struct gb_time now);
bool platform_group_view(const struct platform *p, struct slice name,
                         struct platform_group *out);
/* In name order. `after` empty: from the first; false at the end. */
bool platform_group_next(const struct platform *p, struct slice after,
                         struct platform_group *out);
/* For the store, and to tell whether it is another one; nobody is shown it. Empty:
 * none. */
struct slice platform_group_password(const struct platform *p,
                                     struct slice name);

/* The address at which this device is to reach us, by the rules of SDP; the
 * port is 0. false: no such device, or it has no binding. */
bool platform_device_reaches(const struct platform *p, struct slice id,
                             struct gb_addr *out);
#endif
