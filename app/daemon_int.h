/* app/daemon_int.h - what the files of the daemon share; see daemon.h
 *
 *   daemon.c           starting, what comes in, ending
 *   daemon_settings.c  the configuration, at the start and at SIGHUP
 *   daemon_config.c    what people set of it
 *   daemon_load.c      what the store has kept
 *   daemon_out.c       what the platform wants done
 *   daemon_saves.c     files of downloads
 *   daemon_ask.c       questions of the API to the store
 *   daemon_http.c      the HTTP application
 *   daemon_metrics.c   what /metrics tells beside it
 *   daemon_rtsp.c      the RTSP server
 *   daemon_jpeg.c      pictures by another program
 *   daemon_mqtt.c      events and states for an MQTT broker
 *   daemon_exec.c      programs that are run for events
 *   daemon_rules.c     what is done when alarms come
 *   daemon_tls.c       certificates
 *   daemon_push.c      streams that are pushed to other servers
 *   daemon_rolls.c     recordings of this server
 *   daemon_watch.c     whether all loops turn in time */
#ifndef APP_DAEMON_INT_H
#define APP_DAEMON_INT_H

#include "app/daemon.h"
#include "app/http/server.h"
#include "app/http/viewer.h"
#include "app/net/blocks.h"
#include "app/net/hook_client.h"
#include "app/net/log.h"
#include "app/net/logring.h"
#include "app/net/mailbox.h"
#include "app/net/media.h"
#include "app/net/rolls.h"
#include "app/net/saves.h"
#include "app/net/sip_edge.h"
#include "app/net/tls.h"
#include "app/platform/pushes.h"
#include "app/platform/recorders.h"
#include "app/rtsp/push.h"
#include "app/rtsp/server.h"
#include "app/store/store.h"
#include "app/trace/ring.h"
#include "base/lag.h"

struct daemon {
    const struct config *config;
    const struct secrets *secrets;
    uv_loop_t loop;
    struct sip_stack *sip;
    struct gb_time now;   /* see now_of */
    struct blocks *blocks; /* memory of stack and platform */
    struct platform *platform;
    struct store *store;
    struct mailbox box; /* answers of the store */
    uint64_t asked_commits; /* http_app_commits when the store was asked last */
    struct trace *trace; /* NULL: none */
    struct sip_edge *edge;
    struct tls_ctx *tls; /* of SIP and HTTPS; NULL: not needed yet */
    uint64_t tls_retry_ms; /* it could not be made: not again before */
    struct tls_relay *relay; /* of HTTPS; NULL: there is none */
    struct media_net *media;
    struct disk *file_disk; /* of downloads and pictures */
    struct saves *saves; /* files of downloads; NULL: there are none */
    struct logring *log;     /* the last lines */
    uv_check_t log_check;    /* with each turn: whether there are more */
    uint64_t log_told;
    struct rtplogs *headers; /* of the sessions; NULL: none are kept */
    struct accounts *accounts; /* users and tokens */
    struct http_app *app;
    struct http_server *server;
    struct rtsp_server *rtsp; /* NULL: its ports are taken, or it has none */
    struct pushes *pushes;    /* to other servers */
    struct push_hooks push_hooks;
    struct list push_links;   /* connections that are there */
    uv_timer_t push_timer;
    struct recorders *recorders; /* recordings of this server */
    struct archive *archive;     /* of their files */
    struct rolls *rolls;         /* NULL: there is no index to keep them in */
    struct list repairs;         /* of files, until there are rolls */
    struct daemon_strays {       /* files that no row names */
        struct strays *walk;     /* NULL: all is walked */
        struct list found;
        bool adopting;           /* one of them */
        uint64_t n, bytes;       /* that are recordings again */
    } strays;
    unsigned record_need;        /* files that have to go for others */
    uv_timer_t record_timer;
    struct volumes *volumes;     /* where they lie */
    struct viewer_hooks viewer_hooks;
    struct daemon_mqtt *mqtt;   /* NULL: there is no broker */
    struct execs *execs;        /* NULL: no programs are run for events */
    struct jpegs *jpegs;        /* NULL: no program makes them */
    struct rules *rules;        /* what is done when alarms come */
    struct hooks *hooks;        /* webhooks */
    struct hook_client *caller; /* of them */
    struct tls_ctx *caller_tls; /* of them; NULL: not needed yet */
    struct tls_ctx *push_tls;   /* likewise, of pushes */
    char firmware_dir[1100];    /* "": uploads are off */
    char download_dir[1100];    /* "": downloads are off */
    char picture_dir[1100];     /* "": no pictures are taken */
    uv_signal_t signals[3];
    uv_timer_t drain, in_time;
    struct lag lag;         /* of the main loop */
    uint64_t asked_loops_ms, silent_ms; /* of the media loops, the longest */
    bool stalled;           /* one of them, and it was said */
    int64_t started_utc_ms;
    struct daemon_disk {    /* of server.data */
        uint64_t size, free; /* bytes, as of the last answer; 0: none yet */
        bool asked;
        uv_fs_t req;
    } disk;
    bool load_lacked_memory;
    bool draining, closing;
    uint64_t drain_until_ms;
    void (*reload)(void *ctx);
    void (*take_over)(void *ctx, struct config *c);
    void *reload_ctx;
    bool keeping; /* settings are being written */
    const char *password; /* of devices */
    char realm[64];
    struct gb_addr sip_addr, http_addr;
    struct http_net proxies[CONFIG_MAX_ITEMS];
    size_t n_proxies;
};

/* Asked for each message; the loop's clock stands still in between. */
struct gb_time daemon_now(struct daemon *d);
/* Puts a sentence into why and returns err. */
int daemon_fail(char why[static WHY_MAX], int err, const char *what,
                const char *text);

/* daemon_settings.c */
unsigned daemon_media_threads(const struct config *c);
int daemon_start_platform(struct daemon *d, char why[static WHY_MAX]);
void daemon_set_retention(struct daemon *d, const struct config *c);
void daemon_set_record_limits(struct daemon *d, const struct config *c);
void daemon_set_hooks(struct daemon *d, const struct config *c);

/* daemon_config.c: of struct http_app_config. */
bool daemon_setting(void *ctx, size_t i, struct http_setting *out);
int daemon_set(void *ctx, uint64_t request, struct http_setting_value *v,
               size_t n);

/* daemon_load.c: opens the store. */
int daemon_load(struct daemon *d, char why[static WHY_MAX]);

/* daemon_watch.c: from now on; when it begins to stop. */
void daemon_watch(struct daemon *d);
void daemon_watch_end(void);

/* daemon_out.c */
void daemon_run_actions(struct daemon *d);
/* "device/3402...": whose a sealed password is. */
struct slice daemon_owner(const char *kind, struct slice name,
                          char buf[static 128]);
enum log_level daemon_level(enum platform_level l);

/* daemon_saves.c: files of downloads. */
int daemon_start_saves(struct daemon *d, char why[static WHY_MAX]);
void daemon_save(struct daemon *d, const struct platform_action *a);

/* daemon_ask.c: of struct http_app_config. */
int daemon_ask(void *ctx, const struct http_ask *q);

/* What could not be bound, and why; returns err. */
int daemon_fail_port(char why[static WHY_MAX], int err, const char *what,
                     const char *key, const struct gb_addr *addr);

/* daemon_jpeg.c: before the HTTP application; of struct http_app_config. */
int daemon_start_jpeg(struct daemon *d, char why[static WHY_MAX]);
bool daemon_jpeg(void *ctx, uint64_t request, uint64_t session, unsigned loop);

/* daemon_exec.c: before the HTTP application; of struct http_app_config; what
 * /metrics tells of it. */
int daemon_start_exec(struct daemon *d, char why[static WHY_MAX]);
bool daemon_event_wanted(void *ctx, enum hooks_kind kind);
void daemon_event(void *ctx, const struct http_event *e);
void daemon_exec_metrics(const struct daemon *d, struct buf *out);

/* daemon_mqtt.c: the platform has its devices; of daemon_event; with each alarm;
 * what /metrics tells of it; when nothing happens any more. */
int daemon_start_mqtt(struct daemon *d, char why[static WHY_MAX]);
bool daemon_mqtt_wants(const struct daemon *d, enum hooks_kind kind);
void daemon_mqtt_event(struct daemon *d, const struct http_event *e);
void daemon_mqtt_alarm(struct daemon *d, const struct platform_alarm *alarm);
void daemon_mqtt_metrics(const struct daemon *d, struct buf *out);
void daemon_close_mqtt(struct daemon *d);

/* daemon_rules.c: before the store is loaded; what is loaded; of struct
 * http_app_config; with each alarm. */
int daemon_make_rules(struct daemon *d);
void daemon_restore_rule(void *ctx, const struct store_rule *v);
void daemon_rule_changed(void *ctx, struct slice name);
void daemon_follow_rules(struct daemon *d, const struct platform_alarm *alarm);

/* daemon_tls.c: before anything listens; at SIGHUP; whether servers can be
 * called that are checked against the file of this key (webhooks.ca, push.ca);
 * of struct hook_client_config; of struct push_hooks. */
int daemon_start_tls(struct daemon *d, char why[static WHY_MAX]);
void daemon_reload_tls(struct daemon *d);
bool daemon_checks_certificates(const struct daemon *d, enum config_key ca);
struct tls_ctx *daemon_caller_tls(void *ctx);
struct tls_ctx *daemon_push_tls(void *ctx);

/* daemon_rtsp.c: the media loops run, the HTTP application is there. */
int daemon_start_rtsp(struct daemon *d, char why[static WHY_MAX]);

/* daemon_push.c: before the store is loaded; when the media loops run; of struct
 * http_app_config; before the media loops end. */
int daemon_make_pushes(struct daemon *d);
void daemon_start_pushes(struct daemon *d);
void daemon_push_changed(void *ctx, struct slice device, struct slice channel);
/* The device is gone: its pushes are, in the store too. */
void daemon_remove_pushes(struct daemon *d, struct slice device);
void daemon_restore_push(void *ctx, const struct store_push *p);
void daemon_close_pushes(struct daemon *d);

/* daemon_rolls.c: before the store is loaded; what is loaded; when the media
 * loops run; of struct http_app_config; before the media loops end, and behind
 * that, when the store is closed. */
int daemon_make_recorders(struct daemon *d);
void daemon_restore_recorder(void *ctx, struct slice device,
                             struct slice channel,
                             const struct recorders_settings *s);
void daemon_restore_record(void *ctx, struct slice device,
                           struct slice channel,
                           const struct archive_segment *s);
int daemon_start_rolls(struct daemon *d, char why[static WHY_MAX]);
void daemon_record_changed(void *ctx, struct slice device,
                           struct slice channel);
int daemon_cut(void *ctx, struct cuts *q); /* http_app_config.cut */
bool daemon_record_remove(void *ctx, struct slice device, struct slice channel,
                          int64_t begin_utc_ms);
size_t daemon_recorded(void *ctx, struct slice device, struct slice channel,
                       int64_t from_utc_ms, int64_t to_utc_ms,
                       struct http_span *out, size_t cap);
void daemon_close_rolls(struct daemon *d);
void daemon_free_rolls(struct daemon *d);

/* daemon_metrics.c: of struct http_app_config; once at the start. */
void daemon_metrics(void *ctx, struct buf *out);
void daemon_ask_disks(struct daemon *d);

/* daemon_files.c: before the HTTP application; when it is there, what lies in the
 * folders from before; of struct http_app_config. */
int daemon_make_folders(struct daemon *d, char why[static WHY_MAX]);
void daemon_read_files(struct daemon *d);
void daemon_file_remove(void *ctx, const char *name);
bool daemon_picture_store(void *ctx, const char *name, struct slice bytes);
void daemon_picture_remove(void *ctx, const char *name);

/* daemon_http.c */
int daemon_start_app(struct daemon *d, char why[static WHY_MAX]);
struct gb_time daemon_http_now(void *ctx);
void daemon_log(void *ctx, enum platform_level level, const char *text);
size_t daemon_addresses(void *ctx, struct gb_addr *out, size_t cap);
#endif
