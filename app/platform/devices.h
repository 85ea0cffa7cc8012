/* app/platform/devices.h - the devices, and what is known of them */
#ifndef APP_PLATFORM_DEVICES_H
#define APP_PLATFORM_DEVICES_H

#include "app/platform/bucket.h"
#include "app/platform/catalog.h"
#include "app/platform/clock.h"
#include "app/platform/deviations.h"
#include "app/platform/handles.h"
#include "app/platform/history.h"
#include "app/platform/platform.h"
#include "app/platform/profile.h"
#include "app/platform/subscriptions.h"
#include "base/intern.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timerq.h"
#include "manscdp/devid.h"
#include "manscdp/text.h"
#include "sip/digest.h"

struct channel;
struct group;

#define PLATFORM_TEXT_MAX 128      /* name, model, ... of a device, bytes */
#define PLATFORM_SLACK_MS 5000     /* on top of every keep-alive timeout */
#define PLATFORM_PICTURE_MS 2000 /* behind a late answer, its first picture */
#define PLATFORM_SYSTEM_ANSWER_MS 15000 /* to an INVITE, at least; of one with
                                            type 200 and more */
#define PLATFORM_GAP_MAX_MS 3600000u /* longest keep-alive interval learnt */

#define DEVICE_ID_MAX 24 /* admit_is_id lets 20 digits in, and a NUL */

enum device_text {
    DEVICE_USER_AGENT, /* first: each REGISTER has it */
    DEVICE_NAME, DEVICE_MANUFACTURER, DEVICE_MODEL, DEVICE_FIRMWARE,
    DEVICE_TEXT_COUNT
};

/* The owner's idea of when a registration ends lags behind by at most this part
 * of it, and this time: refreshes would wear out the flash of a small box. */
#define DEVICE_EXPIRES_LAG 8
#define DEVICE_EXPIRES_LAG_MS 600000

/* What a device has told and shown of itself; of one that has registered and no
 * more, nothing is known. */
struct about {
    const struct interned *text[DEVICE_TEXT_COUNT - 1]; /* from DEVICE_NAME on */
    struct device_clock clock;
    uint32_t n_faults;    /* channels that the last Keepalive called faulty */
    uint64_t deviations;  /* so often it was */
    uint64_t noted;       /* bits 1 << enum deviation */
    struct profile *profile; /* NULL: it was asked nothing */
};

#define ALARMS_SEEN 16

/* The alarms of a device: how many there may be, and which came of late. */
struct alarm_memory {
    struct bucket rate;
    uint64_t hash[ALARMS_SEEN], seen_ms[ALARMS_SEEN];
    unsigned at;
};

/* What few devices have, or only for a while. */
struct rare {
    struct slice password;   /* its own; empty: the platform's. Own memory */
    struct slice given_name; /* by a person; empty: its own. Own memory */
    struct group *group;     /* NULL: none */
    struct platform_policy subscribe; /* 0: as its group */
    struct gb_addr was;      /* it was bound there, and alive */
    uint64_t was_ms;         /* until then */
    struct sip_peer probe;   /* another port, to be proven */
    uint64_t probe_transaction;
    uint64_t probe_ms;       /* when it went out */
    struct gb_addr contact;  /* of its REGISTER, where it is another than the
                                source; see way.c */
    uint8_t unanswered;      /* requests in a row */
    bool by_contact;         /* requests go to `contact` */
    struct alarm_memory *alarms; /* NULL: it sent none. Own memory */
    uint8_t voice_mode, voice_target; /* that worked last; mode 0: none yet */
    uint64_t voice_over_ms;  /* the last voice ended; 0: there was none */
    struct bucket reserve[2]; /* of messages from another port: REGISTER is 1 */
    struct bucket walks;     /* through all of its channels, see device_walks */
    uint16_t n_duties;       /* of p->duties; all of them go with the device */
};

/* First what SIP needs of a registered device (DEVICE_SIP bytes): who it is,
 * where it is bound, until when, and how it proves itself. Then what the
 * platform knows of it. What a refresh and a keepalive touch lies together, up
 * to DEVICE_NEAR: with many devices each line of it comes from far memory. */
struct device {
    struct map_node by_id; /* key: id, in p->devices */
    char id[DEVICE_ID_MAX];
    struct map_node by_peer;   /* key: of peer, in p->peers */
    struct map_node by_source; /* key: of peer.remote, in p->sites */
    struct sip_peer peer;
    bool bound : 1;        /* has a binding: requests from it are accepted */
    bool at_peer : 1, at_source : 1; /* in p->peers, in p->sites */
    bool behind_nat : 1;   /* its Contact is not where it sends from */
    bool ignores_require : 1; /* requests with Require are served */
    bool arms : 1;         /* SetGuard each time it registers */
    bool is_restored : 1;  /* expires_ms is what the store knew of it */
    uint8_t proven_alg : 3; /* the hash it proved itself with; OTHER: none */
    bool has_proven : 1;   /* that it knows its password, with the REGISTER that
                              bound it where it is bound now */
    uint8_t date : 2;      /* 0: as configured, else 1 + enum platform_date */
    uint16_t digest;       /* algorithms offered to it; 0: as configured */
    uint8_t ha1[SIP_HA1_MD5_RAW]; /* if proven_alg is MD5: that of the others,
                              which are longer, is made each time */
    uint32_t nonce_nc;     /* highest nc with the nonce of nonce_stamp */
    uint32_t cseq;         /* of the registration */
    uint32_t call_id_hash; /* likewise */
    uint64_t nonce_stamp;  /* of the newest nonce it proved itself with */
    uint64_t expires_ms;
    struct timerq_node life_timer;

    int64_t expires_utc_ms; /* the first of the platform's */
    int64_t told_expires_utc_ms; /* the owner was last told of */
    bool online;
    uint8_t edition;       /* enum manscdp_edition */
    uint8_t charset;       /* enum manscdp_charset to write to it */
    bool edition_known, charset_known;
    uint8_t edition_set;   /* 0: as it says, else 1 + enum manscdp_edition */
    uint8_t media, learnt; /* enum platform_transport */
    uint64_t alive_ms;
    uint64_t keepalive_ms; /* the last one, 0: none yet */
    uint64_t opened_ms;    /* the last OPTIONS for its NAT */
    int64_t keepalive_utc_ms, registered_utc_ms;
    uint32_t gap_ms;       /* longest interval seen of late */
    unsigned changes;      /* PLATFORM_CHANGED_, CHANGE_ */
    const struct interned *user_agent; /* in p->texts */
    struct list sessions;

    struct handle handle; /* the first of the others */
    struct asked asked;
    struct query *query;   /* NULL: nothing is asked; what is wanted waits */
    struct about *about;   /* NULL: all of it is zero */
    uint32_t n_channels, cap_channels;
    struct channel **channels;     /* in id order */
    struct list dirty;
    const char *reason;    /* of its state, static */
    struct history *history;
    struct device_subscriptions *subscriptions; /* NULL: none were wanted */
    struct rare *rare;       /* NULL: all of it is zero */
    uint64_t old_connection; /* to be closed by the edge; the newer one if it
                                moves twice in one turn */
};

#define DEVICE_SIP offsetof(struct device, expires_utc_ms) /* bytes of SIP */
_Static_assert(DEVICE_SIP <= 232 || sizeof(void *) != 8,
               "with its share of three tables, a device takes 256 at most");
#define DEVICE_NEAR offsetof(struct device, handle) /* bytes that come first */

/* In device.changes beside the public flags. */
enum {
    CHANGE_CATALOG_DONE = 1 << 16,
    CHANGE_REMOVED = 1 << 17,
    CHANGE_DISCONNECT = 1 << 18, /* old_connection is to be closed */
};

/* To look at; there always is one. */
static inline const struct query *device_query(const struct device *d)
{
    static const struct query none;

    /* NOLINTNEXTLINE(clang-analyzer-core.*): d was found */
    return d->query ? d->query : &none;
}

/* Likewise. */
static inline const struct rare *device_rare(const struct device *d)
{
    static const struct rare none;

    return d->rare ? d->rare : &none;
}

static inline struct slice device_id(const struct device *d)
{
    return map_key(&d->by_id);
}

static inline const struct about *device_about(const struct device *d)
{
    static const struct about none;

    return d->about ? d->about : &none;
}

static inline bool device_has_noted(const struct device *d, enum deviation v)
{
    return device_about(d)->noted >> v & 1;
}

static inline struct slice device_text(const struct device *d,
                                       enum device_text which)
{
    return intern_text(which == DEVICE_USER_AGENT
                           ? d->user_agent
                           : device_about(d)->text[which - DEVICE_NAME]);
}

/* A whole platform below us, or another server: digits 11 to 13 of its id. */
static inline bool device_is_system(const struct device *d)
{
    return manscdp_devid_type(device_id(d)) >= MANSCDP_TYPE_SYSTEM;
}

/* From an INVITE to its answer: a platform asks its own device first. */
uint32_t device_answer_ms(const struct platform *p, const struct device *d);

/* All of p->by_id in order. */
void devices_sort(struct platform *p);
struct device *device_find(const struct platform *p, struct slice id);
/* A new one, offline; NULL: limit or memory. */
struct device *device_add(struct platform *p, struct slice id);
/* Out of all tables; freed when the owner has been told. */
void device_drop(struct platform *p, struct device *d);
void device_delete(struct platform *p, struct device *d);
/* Its own one, to be written; made when there is none. NULL: no memory. */
struct about *device_about_own(struct platform *p, struct device *d);
struct rare *device_rare_own(struct platform *p, struct device *d);
/* May a message of this device make us look at each of its channels? A small
 * one costs a device with a hundred thousand nothing; false: it has had its
 * share, and what it says of all of them is left out. */
bool device_walks(struct platform *p, struct device *d);
bool device_set_text(struct platform *p, struct device *d,
                     enum device_text which, struct slice s);
/* Binds it to a peer: tables and dialogs follow. has_proven: as in the device. */
void device_bind(struct platform *p, struct device *d,
                 const struct sip_peer *peer, bool has_proven);
void device_unbind(struct platform *p, struct device *d);
/* A device that was bound to this connection, which is gone; it stays bound,
 * and may come back on another one. NULL: there is none any more. */
struct device *device_lost(struct platform *p, uint64_t connection);
void device_online(struct platform *p, struct device *d, const char *reason,
                   bool ask);
void device_offline(struct platform *p, struct device *d, const char *reason);
/* Something valid came from its binding. */
void device_alive(struct platform *p, struct device *d);
void device_keepalive(struct platform *p, struct device *d);
void device_arm(struct platform *p, struct device *d);
void device_on_timer(struct platform *p, struct device *d);
/* May this peer speak for the device? Sets *moved when only the port is new. */
bool device_admits(const struct device *d, const struct sip_peer *from,
                   bool *moved);
/* A device that is bound to exactly this peer, or to this source: the one
 * bound last; NULL. */
struct device *device_bound_to(const struct platform *p,
                               const struct sip_peer *peer);
/* The next older one that is bound to the same peer, or NULL. */
struct device *device_bound_next(const struct device *d);
struct device *device_at(const struct platform *p, const struct gb_addr *source);
/* The next older one at the same source, or NULL. */
struct device *device_at_next(const struct device *d);
struct manscdp_dialect device_dialect(const struct device *d);
#endif
