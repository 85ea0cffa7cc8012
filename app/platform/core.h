/* app/platform/core.h - what the files of the platform share; nobody else
 * includes it
 *
 * One struct platform holds all tables. Time is p->now, set by every public
 * function (clock_at). What changes is marked on the object itself (dirty lists),
 * so that telling the owner allocates nothing and cannot be lost. */
#ifndef APP_PLATFORM_CORE_H
#define APP_PLATFORM_CORE_H

#include "app/platform/actions.h"
#include "app/platform/admit.h"
#include "app/platform/auth.h"
#include "app/platform/bucket.h"
#include "app/platform/channel_sets.h"
#include "app/platform/channels.h"
#include "app/platform/commands.h"
#include "app/platform/devices.h"
#include "app/platform/downloads.h"
#include "app/platform/duty.h"
#include "app/platform/guard.h"
#include "app/platform/history.h"
#include "app/platform/platform.h"
#include "app/platform/ports.h"
#include "app/platform/ptz.h"
#include "app/platform/records.h"
#include "app/platform/session.h"
#include "app/platform/ssrc.h"
#include "app/platform/upgrades.h"
#include "base/arena.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timerq.h"
#include "manscdp/assembly.h"
#include "manscdp/catalog.h"
#include "manscdp/text.h"
#include "sdp/offer.h"
#include "sip/digest.h"

#define PLATFORM_ARENA (256u << 10) /* for one body; larger ones get their own */
#define PLATFORM_ALARM_RATE 20     /* alarms a second of one device */
#define PLATFORM_ALARM_BURST 100
#define PLATFORM_NOTIFY_WINDOW_MS 10000 /* of the subscriptions of one device */
#define PLATFORM_NOTIFY_MAX 300    /* NOTIFYs in such a time that are read */
#define PLATFORM_STRAY_RATE 200    /* of all devices, outside subscriptions */
#define PLATFORM_STRAY_BURST 1000
#define PLATFORM_GB_VER "3.0"

struct queued; /* actions.c */

struct platform {
    const struct gb_alloc *alloc;
    struct sip_stack *sip;
    struct platform_config cfg; /* defaults filled in, pointers ours */
    struct slice id, realm, password;
    char *strings;              /* memory of the three */
    struct gb_time now;
    uint64_t seed[2];
    uint64_t random;            /* state of platform_random */
    struct sip_nonce_key nonce_key;
    struct {                    /* the HA2 of the last REGISTER */
        struct sip_ha2 ha2;
        uint8_t alg;            /* its base; OTHER: none yet */
        uint8_t uri_n;
        char uri[96];
    } asked;
    struct {                    /* the last Date header */
        int64_t utc_ms;
        int zone_s;
        uint8_t n;              /* 0: none yet */
        char text[40];
    } date;
    uint64_t nonce_s;           /* second of the last nonce made */
    uint16_t nonce_salt;        /* made in it */
    struct timerq timers;
    uint64_t began_ms;          /* mono time of platform_new */
    struct idmap handles;
    struct manscdp_assemblies *assemblies;
    char *arena;                /* PLATFORM_ARENA bytes */

    struct map devices, channels;
    struct intern texts;        /* of the devices */
    struct history_causes causes;
    struct map peers;           /* devices by where they are bound */
    struct map sites;           /* devices by gb_addr_site */
    struct device **by_id;      /* in id order up to n_sorted, then as they
                                   came; devices_sort puts all in order */
    size_t n_devices, cap_devices, n_sorted, n_online;
    size_t n_sessions;
    uint32_t sn;
    uint32_t crowd;
    uint64_t crowd_ms;

    struct list dirty_devices, dirty_channels, done_devices, dirty_sessions;
    struct list queue;          /* struct queued */
    size_t n_queued;
    struct queued *told;        /* given out last: freed with the next call */
    char *told_detail;          /* likewise */
    struct session *gone;       /* likewise */
    char scratch[1024];         /* text of the action given out */
    char refused[SESSION_EVIDENCE]; /* evidence of a start that failed */
    struct bucket log_bucket;
    uint64_t log_dropped;

    struct port_pool ports;
    uint16_t shared_port; /* 0: there is none */
    bool share_always;
    struct ssrc_pool ssrcs;
    struct commands commands;
    struct ptz_moves moves;
    struct duties duties;
    struct channel_sets_table sets;
    struct upgrades upgrades;
    struct records_table records;
    struct downloads downloads;
    struct list sessions; /* all, oldest first */
    struct list voices, dirty_voices; /* struct voice_call; all oldest first */
    size_t n_voices;
    struct voice_call *gone_voice; /* told: freed with the next action */
    struct list kept_dialogs, closed_dialogs, answered_dialogs;
    struct list trials; /* doctor.c */
    size_t n_trials;
    size_t n_kept_dialogs, n_due_dialogs, n_byes; /* BYEs on their way */
    size_t n_answered_dialogs;
    bool draining;

    struct source *sources;
    struct attempts *attempts;
    struct bucket strangers, registers, stray_notifies;
    struct stranger_summary summary;
    struct pending *pending;
    struct map pending_ids;
    struct list knocked, unused;
    void *lists;                /* memory of the lists in cfg */
    struct list groups;         /* in name order */
    struct list gone_groups;    /* removed, the owner is to be told */
    size_t n_groups, n_group_news;
    uint64_t last_alarm;        /* its id */
    struct platform_counters counters;
};

/* ---- platform.c ---- */

void platform_respond(struct platform *p, const struct sip_event *ev,
                      unsigned status);
uint64_t platform_random(struct platform *p);
/* from <= result < to */
uint64_t platform_random_in(struct platform *p, uint64_t from, uint64_t to);
uint32_t platform_next_sn(struct platform *p);
/* A copy with a NUL behind it; p NULL when there is no memory or s is empty. */
struct slice platform_copy(struct platform *p, struct slice s);
#endif
