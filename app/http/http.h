/* app/http/http.h - the HTTP application: API, page, events, media admission
 *
 * It knows no socket and no clock. A server (app/http/server.h) gives it whole
 * requests and carries out what it answers; main gives it the platform, tells
 * it what happened there, and takes over the connections that want media.
 * Everything runs on the main loop's thread. */
#ifndef APP_HTTP_HTTP_H
#define APP_HTTP_HTTP_H

#include "app/http/accounts.h"
#include "app/http/auth.h"
#include "app/http/buf.h"
#include "app/http/http_head.h"
#include "app/http/stream.h"
#include "app/media/hls.h"
#include "app/media/mp4cut.h"
#include "app/net/logring.h"
#include "app/platform/hooks.h"
#include "app/platform/archive.h"
#include "app/platform/pushes.h"
#include "app/platform/recorders.h"
#include "app/platform/rules.h"
#include "app/platform/platform.h"
#include "app/trace/ring.h"
#include "sip/digest.h"
#include "base/alloc.h"
#include "base/time.h"

#define HTTP_LIVE_WAIT_MS 10000      /* POST live and the first GET: at most; of a
                                        platform below us 18 s, see longer_ms */
#define HTTP_WAITERS_MAX 1024        /* requests that wait for a picture */
#define HTTP_ALARMS_MAX 1000         /* alarms remembered */
#define HTTP_RESPONSE_MAX (32u << 20) /* bytes of one answer */
#define HTTP_ADDRESSES_MAX 16

/* What the store is asked for. Filters: empty or 0: any. */
enum http_history {
    HTTP_HISTORY_ALARMS, HTTP_HISTORY_POSITIONS, HTTP_HISTORY_ITEM,
    HTTP_HISTORY_COMMANDS,
    HTTP_HISTORY_COMMAND, /* one, with its answer: `before` is its id */
    HTTP_HISTORY_AUDIT    /* device: who, channel: peer, type: what the path
                             begins with */
};

/* One call of the API that changes something, or a login. No secret is in it:
 * of what was sent only the path is. */
struct http_audit {
    uint64_t id;
    struct slice who;  /* "ada", "token:ci", "admin-token", "open"; "-" */
    struct slice role, peer, method, path;
    unsigned status;   /* 499: the client went before its answer */
    int64_t at_utc_ms; /* when it came */
};
struct http_ask {
    enum http_history list;
    struct slice device, channel, method, type, priority;
    struct slice cmd, state; /* of commands */
    struct slice devices;    /* a JSON list of ids: of those alone; empty: all */
    int8_t acknowledged;     /* of alarms; 1: those that are, -1: the others */
    int64_t from_utc_ms, to_utc_ms;
    uint64_t before; /* rows with lower ids: newest first */
    uint32_t limit;
    uint64_t request;
};
/* And what it answers; borrowed during the call. */
struct http_told {
    uint64_t request;
    int err;             /* GB_EUNSUPPORTED: there is no history */
    uint64_t total, last; /* last: id of the last row here */
    bool more;
    size_t n;
    const struct platform_alarm *alarms;       /* n, or NULL */
    const struct platform_position *positions; /* likewise */
    const struct platform_command *commands;   /* likewise */
    const struct http_audit *audits;           /* likewise */
    struct slice detail; /* of an item: lines of "Path TAB value" */
};

struct http_net {
    struct gb_addr net;
    unsigned bits;
};

/* From a time on to another one. */
struct http_span {
    int64_t from_utc_ms, to_utc_ms;
};
#define HTTP_SPANS_MAX 4096 /* of one timeline */

/* Recordings of this server as a playlist or as one file. */
#define HTTP_CUTS_MAX 2         /* looked for at one time */
#define HTTP_CUT_FILES_MAX 2000 /* that one of them is made of */
#define HTTP_CUT_RANGE_S 86400
struct cuts; /* app/net/cuts.h */

/* An event on its way to others than the page; borrowed. */
struct http_event {
    enum hooks_kind kind;
    struct slice device; /* whose it is */
    struct slice data;   /* JSON, as /api/v1/events tells it */
    struct slice body;   /* the same as a webhook has it */
};

/* A row of the configuration. Everything is borrowed. */
struct http_setting {
    const char *key, *type, *def, *choices, *help; /* choices: "a|b", or NULL */
    const char *from; /* default, kept, file, environment, flag */
    uint32_t min, max;
    bool reloads, secret, list;
    bool changes; /* http_app_config.set takes it */
    char **item;  /* n of them; a secret has none */
    size_t n;
};
/* What is to become of one: a list is joined by commas. */
struct http_setting_value {
    struct slice key, text;
    bool reset;    /* as it is by default */
    char why[256]; /* what is wrong with it; "" */
};
#define HTTP_SETTINGS_MAX 128 /* of one request */

#define HTTP_HLS_HOLD_MS 20000 /* a playlist keeps its session so long */

enum http_hls_what { HTTP_HLS_PLAYLIST, HTTP_HLS_INIT, HTTP_HLS_SEGMENT };

/* A file of HLS that somebody wants. */
struct http_hls_ask {
    uint64_t request, session, number;
    unsigned loop;
    enum http_hls_what what;
    struct slice query; /* borrowed: for the URLs of a playlist */
    struct gb_time now;
};

/* Strings are copied; pointers marked so are borrowed and outlive the
 * application. */
struct http_app_config {
    const struct gb_alloc *alloc;  /* borrowed */
    struct platform *platform;     /* borrowed */
    struct sip_stack *sip;         /* borrowed; for /metrics, may be NULL */
    struct trace *trace;           /* borrowed; NULL: no messages are kept */
    struct rtplogs *headers;       /* borrowed; of RTP; NULL: none are kept */
    struct logring *log_ring;      /* borrowed; NULL: no lines are kept */

    /* Of the main program; called with ctx, never after http_app_free. */
    void *ctx;
    struct gb_time (*now)(void *ctx);
    void (*random)(void *ctx, void *p, size_t n);
    /* The platform was called: run its actions soon (not inside this call). */
    void (*touched)(void *ctx);
    /* Takes h (fd, unread) and the hold on its session, returns 0; or takes
     * nothing and returns an error: the viewer gets a 503. */
    int (*on_media)(void *ctx, struct http_handover *h);
    /* Puts a question about HLS to the media loop; http_app_hls_told follows, not
     * inside. false: it cannot now. NULL: there is no HLS. */
    bool (*hls)(void *ctx, const struct http_hls_ask *q);
    /* Makes a JPEG of the session's newest key frame; http_app_jpeg_told follows,
     * not inside. false: it cannot now. NULL: there is no program for it. */
    bool (*jpeg)(void *ctx, uint64_t request, uint64_t session, unsigned loop);
    /* Gives a media loop something to say, samples of 8 kHz (which are copied);
     * NULL: there is no voice. */
    void (*say)(void *ctx, uint64_t voice, unsigned loop, const int16_t *pcm,
                size_t n);
    /* Puts a question to the store; http_app_told follows, unless this gives
     * an error. Texts are copied. NULL: no history is kept. */
    int (*ask)(void *ctx, const struct http_ask *q);
    /* Keeps who has seen to an alarm. NULL: no history is kept. */
    void (*acknowledge)(void *ctx, uint64_t alarm, struct slice who,
                        int64_t utc_ms);
    /* Keeps an entry of the audit log; texts are copied. NULL: it is logged. */
    void (*audit)(void *ctx, const struct http_audit *e);
    /* Webhooks, or NULL: there are none. An event was queued: call soon. One was
     * made, changed or removed: store it, call soon. */
    struct hooks *hooks; /* borrowed */
    void (*hooks_due)(void *ctx);
    void (*hook_changed)(void *ctx, struct slice name);
    /* Who else is told events: wants them, gets them. NULL: nobody. */
    bool (*event_wanted)(void *ctx, enum hooks_kind kind);
    void (*event)(void *ctx, const struct http_event *e);
    /* Rules, or NULL: there are none. One was set or removed: store it. */
    struct rules *rules; /* borrowed */
    void (*rule_changed)(void *ctx, struct slice name);
    /* Pushes, or NULL: there are none. Those of a channel were changed: store
     * them. */
    struct pushes *pushes; /* borrowed */
    void (*push_changed)(void *ctx, struct slice device, struct slice channel);
    /* Keeps a picture in a file of this name, soon; bytes are copied. false: it
     * cannot. Deletes it, soon. NULL: no pictures are taken. */
    bool (*picture_store)(void *ctx, const char *name, struct slice bytes);
    void (*picture_remove)(void *ctx, const char *name);
    uint64_t pictures_max;   /* bytes of all of them */
    const char *picture_dir; /* borrowed; where they lie */
    uint64_t firmware_max; /* bytes of an uploaded file; 0: none are taken */
    uint16_t http_port;    /* of URLs that devices are given */
    const char *tiles_dir;   /* of map tiles; borrowed; "" or NULL: none */
    unsigned tiles_zoom;     /* the deepest level of them */
    const char *download_dir; /* of files; borrowed; NULL: there are none */
    /* What this server has recorded of a channel itself, in order of time; the
     * number of spans. NULL: nothing. */
    size_t (*recorded)(void *ctx, struct slice device, struct slice channel,
                       int64_t from_utc_ms, int64_t to_utc_ms,
                       struct http_span *out, size_t cap);
    /* Recordings of this server, or NULL: there are none. What was set of a
     * channel is to be stored; a segment, with its file, is to be removed
     * (false: it is not there, or is being written). */
    struct recorders *recorders; /* borrowed, as archive and volumes */
    const struct archive *archive;
    const struct volumes *volumes;
    void (*record_changed)(void *ctx, struct slice device,
                           struct slice channel);
    bool (*record_remove)(void *ctx, struct slice device, struct slice channel,
                          int64_t begin_utc_ms);
    /* Takes q (0): http_app_cut_told follows, not inside. NULL: it cannot. */
    int (*cut)(void *ctx, struct cuts *q);
    /* The configuration, row by row, or NULL. Checks all values and keeps them:
     * http_app_set_told follows, not inside. GB_ESYNTAX: v says why; GB_ESTATE:
     * others are being written. */
    bool (*setting)(void *ctx, size_t i, struct http_setting *out);
    int (*set)(void *ctx, uint64_t request, struct http_setting_value *v,
               size_t n);
    /* Deletes a file of the server's file_dir; soon, not inside. */
    void (*file_remove)(void *ctx, const char *name);
    /* What is set is kept: its answers wait for http_app_committed. */
    bool commits;
    /* NULL when ready, else why not (static string). May be NULL. */
    const char *(*not_ready)(void *ctx);
    /* Appends further Prometheus lines. May be NULL. */
    void (*metrics)(void *ctx, struct buf *out);
    /* Addresses of this host that a camera may dial; the count. May be NULL. */
    size_t (*addresses)(void *ctx, struct gb_addr *out, size_t cap);
    /* The SIP listeners in the order of sip_peer.listener; the count. May be
     * NULL. */
    size_t (*listeners)(void *ctx, struct gb_addr *out, size_t cap);
    /* One line, key=value pairs. May be NULL. */
    void (*log)(void *ctx, enum platform_level level, const char *line);

    /* Who there is, or NULL: the application has its own. One was set, or is
     * gone: store it. May be NULL. */
    struct accounts *accounts; /* borrowed */
    void (*account_changed)(void *ctx, enum account_kind kind,
                            struct slice name);
    /* What this account has opened is over: whoever watches by it has to go. May
     * be NULL. */
    void (*dismissed)(void *ctx, uint64_t who);
    const char *rtsp_realm; /* borrowed; tokens are made for it, too. NULL: RTSP
                               knows them by Basic alone */

    /* http.auth: false lets everybody in as admin. */
    bool auth;
    bool wvp_login; /* WVP's is answered, and new passwords are kept for it */
    const char *admin_token;         /* bearer token; never empty with auth */
    const char *admin_password_hash; /* http_password_hash: of the user "admin",
                                        who is made while nobody is admin. NULL:
                                        none is made */
    bool reset_admin; /* that user gets this password, whatever he had */
    uint8_t key[32];                 /* installation key: signs media URLs */
    const char *public_url;          /* "https://nvr.example"; NULL or "" */
    const struct http_net *trusted_proxies;
    size_t n_trusted_proxies;

    /* What a person types into a camera. */
    const char *version;             /* "0.1.0" */
    const char *server_id, *realm, *device_password;
    uint16_t sip_port;
    uint16_t rtsp_port;              /* 0: no RTSP URL is told */
    unsigned formats;                /* 1u << enum http_format: what there is */
    uint32_t media_url_s;            /* life of a ?t= signature; 0: 43200 */
};

struct http_app;
int http_app_new(struct http_app **out, const struct http_app_config *cfg);
void http_app_free(struct http_app *a);

/* Every platform action is shown to this once, in order, by main: it feeds
 * the events, the alarm list and the waiting requests. Calls only views of the
 * platform, so the action's slices stay good. */
void http_on_action(struct http_app *a, const struct platform_action *act);

/* A firmware file that lies there from before; its name is its SHA-256, all others
 * are not ours. */
bool http_firmware_is_named(const char *name);
void http_app_firmware(struct http_app *a, const char *name, uint64_t size,
                       int64_t utc_ms);

/* A picture that lies there from before; the oldest first. Its time is in its name;
 * 0: it is none of ours. */
int64_t http_picture_utc_ms(const char *name);
void http_app_picture(struct http_app *a, const char *name, uint64_t size,
                      int64_t utc_ms);

/* The answer of a media loop to a question about HLS. */
struct http_hls_told {
    uint64_t request;
    enum http_hls_what what;
    int err;               /* as of struct media_hls_ask */
    struct slice playlist; /* borrowed, as the next */
    struct hls_part *part;
};
/* For rules: a picture is ordered of the camera (NULL), or why not; a webhook is
 * called with the alarm, GB_ENOENT: there is none of this name. */
const char *http_app_snapshot(struct http_app *a, struct slice device,
                              struct slice channel);
int http_app_rule_hook(struct http_app *a, struct slice hook,
                       struct slice rule, const struct platform_alarm *alarm);
/* The answer to a question for a JPEG. */
struct http_jpeg_told {
    uint64_t request, session;
    int err;              /* GB_ELIMIT: too many; else why */
    const char *why;
    struct slice picture; /* borrowed */
};
void http_app_jpeg_told(struct http_app *a, const struct http_jpeg_told *t);
/* A push has another state. */
void http_app_push(struct http_app *a, const struct push_view *v);
/* A recorder has. */
void http_app_recorder(struct http_app *a, const struct recorder_view *v);
/* A range of recordings was looked at. Takes q. */
void http_app_cut_told(struct http_app *a, struct cuts *q);
void http_app_hls_told(struct http_app *a, const struct http_hls_told *t);

/* What was set is in the file, and in force; err: it is neither. */
void http_app_set_told(struct http_app *a, uint64_t request, int err);

/* The answer of the store to a question. */
void http_app_told(struct http_app *a, const struct http_told *t);

/* The number of the newest answer that waits, or has waited, for the store.
 * When it has grown, and the platform's actions have run: ask the store. */
uint64_t http_app_commits(const struct http_app *a);
/* What led to the answers up to this one is on the disk; err: it is not. */
void http_app_committed(struct http_app *a, uint64_t upto, int err);

/* A session changed (http_on_action calls it for SESSION_CHANGED and _GONE). */
void http_on_session(struct http_app *a, uint64_t session);

/* Main has put a message into the trace: those who follow it hear of it. */
void http_on_trace(struct http_app *a);

/* Lines of the log have come. */
void http_on_log(struct http_app *a);

/* ---- between the application and the server ------------------------------ */

#define HTTP_FILE_NAME_MAX 64
#define HTTP_FILE_BELOW_MAX 240 /* below its directory */
#define HTTP_PICTURE_MAX (4u << 20) /* bytes of one that a camera uploads */

/* A body that went to a file, named by the SHA-256 of what is in it. */
struct http_received {
    const char *name; /* 64 hex digits */
    uint64_t size;
};

struct http_request {
    uint64_t id;                  /* for http_edge.answer; never 0 */
    const struct http_head *head; /* borrowed during the call */
    struct slice body;            /* borrowed during the call */
    uint64_t client;              /* the connection; 0: it is not kept */
    struct gb_addr remote;        /* of the connection */
    bool secure;                  /* over TLS */
    const struct http_received *file; /* NULL: body is all there is */
};

enum http_reply {
    HTTP_REPLY_BODY,   /* status, fields, body */
    HTTP_REPLY_LATER,  /* http_edge.answer will be called, or the client goes:
                          http_app_gone */
    HTTP_REPLY_EVENTS, /* server-sent events behind event_seq */
    HTTP_REPLY_FILE,   /* status, fields, `file` */
    HTTP_REPLY_PART,   /* status, fields, `part` */
    HTTP_REPLY_MEDIA,  /* hand the connection over: `media` */
    HTTP_REPLY_WS_TEXT, /* accept the WebSocket, send body as one text message,
                          close it: an error that a page can read */
    HTTP_REPLY_TALK, /* accept the WebSocket and keep it: what comes goes to
                        http_app_talk_data, http_app_closed ends it */
};

struct http_media {
    uint64_t session;
    unsigned loop, stream;
    enum http_format format;
    bool websocket;
    bool enhanced, g711, no_audio, finite; /* of struct http_handover */
    uint32_t delay_ms;   /* likewise */
    char query[HLS_QUERY_MAX + 1]; /* HLS: for the URLs of the playlist */
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1];
};

/* A part of a file as the body of an answer. */
struct http_file {
    char name[HTTP_FILE_BELOW_MAX + 1]; /* in dir */
    const char *dir; /* borrowed, outlives the server; NULL: its file_dir */
    struct disk *disk; /* as dir, which is there; NULL: the server's own */
    char tag[HTTP_FILE_NAME_MAX + 1];  /* of the application's own */
    uint64_t off, n, total;
    const char *whole; /* all of it, whatever its size, of this media type; static.
                          NULL: n bytes from off */
    struct cuts *cuts; /* owned; not NULL: of n bytes, made of its files */
    bool mutes; /* it is a head, which leaves without sound */
    bool moves; /* it is fragments, and their times change as mover has it */
    struct mp4cut_mover mover;
};

/* What a follower of the trace wants to see; on false: the ordinary events. */
struct http_trace_filter {
    bool on;
    char device[TRACE_ID_MAX + 1], call_id[128]; /* "": any */
};

/* The same of the log. */
struct http_log_filter {
    bool on;
    struct logring_filter of;
};

struct http_response {
    enum http_reply kind;
    unsigned status;
    unsigned told; /* the status that this one stands for; 0: itself */
    const char *type;   /* static; NULL: no body */
    struct buf fields;  /* "Name: value\r\n" … */
    struct buf body;
    struct slice fixed; /* a static body instead of `body` */
    uint64_t who; /* the account that asks, 0: none. What lasts ends with it,
                     see http_app_who_is_there */
    bool shared;  /* a page of any origin may read the answer, also one that was
                     put off */
    bool guarded; /* it has the tag of what people set, and needs no other */
    uint64_t event_seq; /* EVENTS: the last one the client has */
    struct http_trace_filter trace; /* EVENTS: of which event_seq counts then */
    struct http_log_filter log;     /* likewise */
    struct http_media media;
    struct http_file file;
    struct hls_part *part; /* a reference; NULL: none */
};

void http_response_init(struct http_response *r, const struct gb_alloc *alloc);
void http_response_fini(struct http_response *r);

/* What the application asks of the server. */
struct http_edge {
    void *ctx;
    /* The answer to a request that was put off. Takes what r holds. */
    void (*answer)(void *ctx, uint64_t request, struct http_response *r);
    void (*event)(void *ctx); /* the ring has something new */
    void (*wake)(void *ctx);  /* the deadline has come nearer */
    /* Of the client of an HTTP_REPLY_TALK: a text message; the end. A client
     * that has gone is no error. */
    void (*talk_text)(void *ctx, uint64_t client, struct slice text);
    void (*talk_end)(void *ctx, uint64_t client, bool well);
    /* Run http_password_job_run(job) on another thread, then call
     * http_app_password_done on the loop's. */
    int (*hash)(void *ctx, struct http_password_job *job);
};
void http_app_set_edge(struct http_app *a, const struct http_edge *edge);
/* The edge of this ctx ends: nothing is told to it any more. Another one stays. */
void http_app_end_edge(struct http_app *a, const void *ctx);

/* Decides about one request; r is initialised by the caller. */
void http_app_request(struct http_app *a, const struct http_request *req,
                      struct http_response *r);
/* Asked with the head alone, before a body comes. A file: it is streamed into
 * the server's file_dir, then http_app_request follows with `file`. */
enum http_body_kind {
    HTTP_BODY_USUAL, HTTP_BODY_FILE,
    HTTP_BODY_PICTURE, /* usual, but up to HTTP_PICTURE_MAX bytes */
    HTTP_BODY_REFUSED /* r says why */
};
enum http_body_kind http_app_body(struct http_app *a,
                                  const struct http_request *req,
                                  struct http_response *r);
/* An HTTP_REPLY_FILE is over: so many bytes went out. */
void http_app_file_sent(struct http_app *a, const struct http_file *f,
                        uint64_t sent);

/* The client of a put-off request went away; a stale id does nothing. */
void http_app_gone(struct http_app *a, uint64_t request);
/* A connection has closed, whether it asked anything just now or not. */
void http_app_closed(struct http_app *a, uint64_t client);

/* A piece of what the client of an HTTP_REPLY_TALK says, in its order. */
void http_app_talk_data(struct http_app *a, uint64_t client, const uint8_t *p,
                        size_t n);

/* Hands over to main (HTTP_REPLY_MEDIA); on error the hold is given back and
 * the caller still owns fd and unread. */
int http_app_handover(struct http_app *a, struct http_handover *h);
/* The client went before http_app_handover was called: gives the hold back. */
void http_app_media_lost(struct http_app *a, const struct http_media *m);

/* The port that rtsp: URLs are told with; 0: none are. */
void http_app_set_rtsp(struct http_app *a, uint16_t port);

/* For the RTSP server: a signed URL lets see this channel, or the session of
 * this number where device is "session", for *who (0: nobody's); wrong passwords
 * count as those of the page's login do. */
bool http_app_is_signed(const struct http_app *a, struct slice device,
                        struct slice channel, struct slice signature,
                        uint64_t *who);
/* The API token of this text, or of this name and what Digest checks it with: its
 * account; 0: there is none. */
uint64_t http_app_token(const struct http_app *a, struct slice token);
uint64_t http_app_token_named(const struct http_app *a, struct slice name,
                              struct sip_ha1 *ha1);
/* May it have to do with this device? 0 may always. */
bool http_app_sees(const struct http_app *a, uint64_t who,
                   struct slice device);
uint32_t http_app_login_wait(const struct http_app *a,
                             const struct gb_addr *source);
void http_app_login_failed(struct http_app *a, const struct gb_addr *source);

struct gb_time http_app_now(const struct http_app *a); /* main's now() */
void http_app_tick(struct http_app *a);
uint64_t http_app_deadline(const struct http_app *a); /* mono_ms, GB_NEVER */
void http_app_password_done(struct http_app *a, struct http_password_job *job);

/* A stream of these events begins, and ends; without any, none are made. */
void http_app_event_join(struct http_app *a);
void http_app_event_leave(struct http_app *a);

/* The next event behind *seq that `who` may see as bytes of the stream, *seq
 * moved on; false when there is none. A reader too far behind gets "reset" first.
 * Valid until the next call of the application. */
bool http_app_event_next(const struct http_app *a, uint64_t who, uint64_t *seq,
                         struct buf *out);
/* The account is there, with the password, role and scope that it had; 0
 * always. */
bool http_app_who_is_there(const struct http_app *a, uint64_t who);
/* The same for the messages of the trace that fit the filter. */
bool http_app_trace_next(const struct http_app *a,
                         const struct http_trace_filter *f, uint64_t *seq,
                         struct buf *out);
/* And for the lines of the log. */
bool http_app_log_next(const struct http_app *a,
                       const struct http_log_filter *f, uint64_t *seq,
                       struct buf *out);
#endif
