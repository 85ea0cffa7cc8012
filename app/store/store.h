/* app/store/store.h - what survives a restart: devices with their bindings,
 * channels, live dialogs
 *
 * One thread of its own reads and writes; the main loop only queues. Writes are
 * gathered and committed within STORE_COMMIT_MS. With SQLITE=1 it is an SQLite
 * database in WAL mode (sqlite.c), with SQLITE=0 a JSON snapshot replaced by
 * rename (snapshot.c). A file that is damaged is moved aside as
 * NAME.broken-TIME, said loudly, and begun anew. */
#ifndef APP_STORE_STORE_H
#define APP_STORE_STORE_H

#include "app/platform/archive.h"
#include "app/platform/platform.h"
#include "app/platform/recorders.h"
#include "app/store/rows.h"

#define STORE_COMMIT_MS 1000
#define STORE_COMMIT_ROWS 4096 /* that do not wait for more: while a crowd
                                  registers, rows are written from the caches */
#define STORE_QUEUE_MAX 400000 /* rows not yet committed; further ones are
                                  dropped, counted and said once */
#define STORE_HISTORY_QUEUE_MAX 50000 /* of them, alarms and positions */

struct store;

struct store_hook {
    struct slice name, url, sealed;
    unsigned kinds; /* set of 1 << enum hooks_kind */
    bool off;
};

/* A user or a token: "user/NAME", "token/NAME". */
struct store_account {
    struct slice name, role;
    struct slice secret; /* a hash */
    struct slice scope;
    int64_t made_utc_ms;
};

/* A rule, as rules_write has it. */
struct store_rule {
    struct slice name, lines;
};

/* Where a channel is pushed to. */
struct store_push {
    struct slice name;   /* "device/channel" */
    struct slice urls;   /* without passwords, blanks between */
    struct slice sealed; /* their passwords, commas between */
    unsigned stream;
};

/* What the store holds, one call each, from store_open. Borrowed. */
struct store_loader {
    void (*on_device)(void *ctx, const struct platform_saved_device *d);
    void (*on_channel)(void *ctx, const struct platform_channel *c);
    /* Groups come first, settings after the devices. Passwords are as they were
     * given: sealed. */
    void (*on_group)(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe);
    void (*on_settings)(void *ctx, struct slice device,
                        const struct platform_settings *s);
    /* A dialog that an earlier process left open; kept until it is removed. */
    void (*on_dialog)(void *ctx, uint64_t key,
                      const struct sip_dialog_state *d,
                      const struct sip_peer *peer);
    /* A webhook of the API; its secret is sealed. May be NULL. */
    void (*on_hook)(void *ctx, const struct store_hook *h);
    /* May be NULL. */
    void (*on_account)(void *ctx, const struct store_account *v);
    /* Oldest first; may be NULL. */
    void (*on_upgrade)(void *ctx, const struct platform_upgrade *u);
    /* Oldest first; may be NULL. */
    void (*on_download)(void *ctx, const struct platform_download *d);
    /* After the devices; may be NULL. */
    void (*on_push)(void *ctx, const struct store_push *p);
    void (*on_rule)(void *ctx, const struct store_rule *v); /* may be NULL */
    /* What is recorded, and how: settings first; segments of one channel
     * together, in order of time. May be NULL. */
    void (*on_recorder)(void *ctx, struct slice device, struct slice channel,
                        const struct recorders_settings *s);
    void (*on_record)(void *ctx, struct slice device, struct slice channel,
                      const struct archive_segment *s);
    /* The highest ids that history holds; may be NULL. */
    void (*on_ids)(void *ctx, uint64_t alarm, uint64_t command);
    void *ctx;
};

/* Opens or creates the store in directory `dir`, loads it, starts the thread.
 * 0, GB_EIO or GB_ENOMEM; *why (static or the store's) tells a person.
 * *moved (may be NULL): a damaged file was moved aside, and why. */
int store_open(struct store **out, const char *dir,
               const struct store_loader *load, char why[static 256],
               bool *moved);

/* Queue a write; all of them copy. */
void store_put_device(struct store *s, const struct platform_device *d);
void store_remove_device(struct store *s, struct slice id);
/* What people set for a device; all of it. The password is sealed. */
void store_put_settings(struct store *s, struct slice id,
                        const struct platform_settings *set);
void store_put_group(struct store *s, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe);
void store_remove_group(struct store *s, struct slice name);
void store_put_hook(struct store *s, const struct store_hook *h);
void store_remove_hook(struct store *s, struct slice name);
void store_put_account(struct store *s, const struct store_account *v);
void store_remove_account(struct store *s, struct slice name);
void store_put_rule(struct store *s, const struct store_rule *v);
void store_remove_rule(struct store *s, struct slice name);
void store_put_push(struct store *s, const struct store_push *p);
void store_remove_push(struct store *s, struct slice name);
/* Recordings of this server. Without SQLite they go nowhere. */
void store_put_recorder(struct store *s, struct slice device,
                        struct slice channel,
                        const struct recorders_settings *set);
void store_remove_recorder(struct store *s, struct slice device,
                           struct slice channel);
void store_put_record(struct store *s, struct slice device,
                      struct slice channel,
                      const struct archive_segment *segment);
void store_remove_record(struct store *s, struct slice device,
                         struct slice channel, int64_t begin_utc_ms);
/* The newest PLATFORM_UPGRADES_MAX are kept. */
void store_put_upgrade(struct store *s, const struct platform_upgrade *u);
/* With its parts: see platform_download_save. */
void store_put_download(struct store *s, const struct platform_download *d);
void store_remove_download(struct store *s, uint64_t id);
void store_put_channel(struct store *s, const struct platform_channel *c);
void store_remove_channel(struct store *s, struct slice device,
                          struct slice channel);
/* key: see platform_action.dialog_key */
void store_put_dialog(struct store *s, uint64_t key,
                      const struct sip_dialog_state *d,
                      const struct sip_peer *peer);
void store_remove_dialog(struct store *s, uint64_t key);

/* The elements of a channel's item that the platform does not keep: lines of
 * "Path TAB value". */
void store_put_detail(struct store *s, struct slice device,
                      struct slice channel, struct slice detail);
/* History: what is added stays until it is too old or too much. Without SQLite
 * it goes nowhere. */
void store_add_alarm(struct store *s, const struct platform_alarm *a);
/* Somebody has seen to it; the first one stays. */
void store_acknowledge_alarm(struct store *s, uint64_t id, struct slice who,
                             int64_t utc_ms);
void store_add_position(struct store *s, const struct platform_position *p);
/* A command that is final; comes again when it is answered late. */
void store_put_command(struct store *s, const struct platform_command *c);

/* Who did what over the API, and what came of it. */
struct store_audit {
    struct slice who, role, peer, method, path;
    unsigned status;
    int64_t at_utc_ms;
};
void store_add_audit(struct store *s, const struct store_audit *a);

#define STORE_TRIM_MS 3600000 /* old history goes at least so often, while
                                 anything is written */

/* What is kept of each kind of history: the newest rows, none of them older
 * than so many days (0: of any age). */
enum store_kind { STORE_ALARMS, STORE_POSITIONS, STORE_COMMANDS, STORE_AUDITS,
                  STORE_KINDS };
struct store_retention {
    uint32_t rows[STORE_KINDS], days[STORE_KINDS];
    /* Asked on the store's thread; NULL: the system's. What goes by age: base/age.h */
    struct gb_time (*now)(void);
};
/* From now on; what is too much goes with the next commit. Before the first
 * call everything is kept. */
void store_retain(struct store *s, const struct store_retention *r);

/* ---- questions ------------------------------------------------------------ */

enum store_list {
    STORE_LIST_ALARMS,    /* id device channel priority method type time
                             description longitude latitude received_ms
                             acknowledged_ms acknowledged_by */
    STORE_LIST_POSITIONS, /* id device channel time longitude latitude speed
                             direction altitude received_ms */
    STORE_LIST_DETAIL,    /* detail; of one channel */
    STORE_LIST_COMMANDS,  /* id device target cmd sub state evidence asked_ms
                             sent_ms arrived_ms answered_ms tries sip_status
                             flags sn messages have sum */
    STORE_LIST_COMMAND,   /* the same, and answer; of one: before is its id */
    STORE_LIST_AUDIT,     /* id who role peer method path status at_ms; of a
                             question device is who, channel is peer, type is
                             what the path begins with */
    STORE_LISTS,
    STORE_NO_LIST = STORE_LISTS, /* no rows, with any kind of store: tells that
                                    all that was queued before is on the disk,
                                    GB_EIO: that it is not (yet) */
};

/* Bits of a command's flags. */
enum { STORE_LATE = 1, STORE_PARTIAL = 2, STORE_CUT = 4 };

/* Newest first. Texts are copied; empty: any. */
struct store_ask {
    enum store_list list;
    struct slice device, channel, method, type, priority;
    struct slice cmd, state; /* of commands; cmd: CmdType, or the order */
    struct slice devices; /* a JSON list of ids: of those alone; empty: all */
    int8_t acknowledged;  /* of alarms; 1: those that are, -1: the others */
    int64_t from_utc_ms, to_utc_ms; /* from <= received (of a command: asked)
                                       < to; 0: open */
    uint64_t before;  /* ids below; 0: all */
    uint32_t limit;   /* rows on the page */
    void *ctx;
    uint64_t tag;
    /* On the store's thread, after all that was queued before the question is
     * committed. Takes r, which holds ctx and tag. */
    void (*done)(struct store_rows *r);
};
/* GB_ENOMEM, GB_ELIMIT (too many wait), GB_ESTATE (no more are taken). */
#define STORE_ASKS_MAX 256
int store_ask(struct store *s, const struct store_ask *q);
/* Waits until every question has been answered; from then on none is taken. */
void store_end_asks(struct store *s);

/* Waits until everything queued is committed. */
void store_flush(struct store *s);

/* Flushes, ends the thread, closes. NULL is fine. */
void store_close(struct store *s);

struct store_counters {
    uint64_t writes, commits; /* rows and transactions that are there */
    uint64_t errors;          /* refused transactions */
    uint64_t dropped;         /* writes given up: no room, no memory */
    uint32_t queued;
};
void store_counters(struct store *s, struct store_counters *out);
#endif
