/* app/http/api.h - what the handlers of the API share; internal to app/http */
#ifndef APP_HTTP_API_H
#define APP_HTTP_API_H

#include "app/http/auth.h"
#include "app/http/events.h"
#include "app/http/http.h"
#include "app/http/json.h"
#include "app/http/problem.h"
#include "app/http/router.h"
#include "app/http/wvp.h"
#include "base/list.h"

#define HTTP_LIST_LIMIT 100       /* items of a list, unless ?limit= */
#define HTTP_LIST_LIMIT_MAX 10000
#define HTTP_SEEN_BYTES_MAX 4194304 /* of the devices of a scope, as a question
                                     to the store names them */
#define HTTP_PASSWORD_JOBS_MAX 8  /* password checks under way */
#define HTTP_Q_MAX 128            /* bytes of a search text */
#define HTTP_TALKS_MAX 64         /* under way at one time */
#define HTTP_TALK_LEGS 64         /* devices that one of them goes to */
#define HTTP_SNAPSHOTS_MAX 64     /* orders for pictures remembered */
#define HTTP_PICTURES_MAX 500     /* kept, in DATA/snapshots */
#define HTTP_FIRMWARE_MAX 64      /* files */
#define HTTP_BASE_MAX 300         /* "https://host:port" */

/* A file that devices can be told to fetch; named by its SHA-256. */
struct firmware {
    char name[HTTP_FILE_NAME_MAX + 1];
    uint64_t size;
    int64_t utc_ms;
};

/* The application. Everything is on the main loop's thread. */
#define HTTP_PTZ_HOLDS 64 /* movements bound to a connection at one time */

struct ptz_hold {
    uint64_t client; /* of struct http_request; 0: free */
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1];
};

struct http_app {
    struct http_app_config cfg; /* strings point into `text` */
    struct buf text;
    struct http_net *proxies;
    struct http_auth *auth;
    struct accounts *accounts, *own_accounts; /* own: NULL, borrowed ones */
    uint32_t rounds;            /* of new passwords */
    struct http_edge edge;
    struct http_events *events;
    struct list waiters;        /* struct waiter (live.c), oldest first */
    size_t n_waiters;
    struct list hls_holds;      /* struct hls_hold (hls.c), oldest first */
    struct list command_waiters; /* struct command_waiter (api_wait.c) */
    size_t n_command_waiters;
    struct list records_waiters; /* struct records_waiter (api_recordings.c) */
    struct list control_waiters; /* struct control_waiter (api_playback.c) */
    bool due;                   /* a waiter has its outcome */
    unsigned n_password_jobs;
    unsigned n_cuts;            /* under way (api_export.c) */
    struct alarm_ring {
        struct slice json[HTTP_ALARMS_MAX]; /* owned */
        uint64_t next;          /* number of the next alarm, from 1 */
    } *alarms;
    struct list talks;          /* struct talk (talk.c) */
    unsigned n_talks;
    struct list snapshots, pictures; /* api_snapshot.c, newest first */
    unsigned n_snapshots, n_pictures;
    uint64_t numbered; /* the last number of a picture or an order for some */
    uint64_t picture_bytes;
    struct list audits;         /* calls that are not answered (audit.c) */
    struct list asked;          /* questions to the store (api_history.c) */
    struct list committing;     /* answers that wait for it (commit.c) */
    uint64_t n_commits;         /* of them so far */
    struct tree *tree;          /* of tree_device; NULL: none (api_tree.c) */
    char tree_device[HTTP_ID_MAX + 1];
    struct firmware firmware[HTTP_FIRMWARE_MAX];
    unsigned n_firmware;
    struct ptz_hold ptz_holds[HTTP_PTZ_HOLDS]; /* ptz_hold.c */
    struct {                    /* of sessions that are gone */
        uint64_t packets, bytes, lost, foreign;
    } ended;
};

enum http_via { HTTP_VIA_NONE, HTTP_VIA_TOKEN, HTTP_VIA_COOKIE, HTTP_VIA_OPEN,
                HTTP_VIA_SIGNATURE };

typedef void http_command_answer_fn(struct http_app *a,
                                    struct http_response *r,
                                    const struct platform_command *k);

/* The answer to a request that was for a live session, whatever became of it; of
 * *s only device, channel and stream are meant. */
typedef void http_live_answer_fn(struct http_app *a, struct http_response *r,
                                 const struct platform_session *s,
                                 unsigned can);

/* One request on its way through a handler. */
struct http_call {
    struct http_app *app;
    const struct http_request *req;
    const struct http_head *head;
    const struct http_route *route;
    struct http_params params;
    struct http_response *out;
    struct gb_time now;
    struct gb_addr client;      /* behind trusted proxies */
    bool secure;                /* the client speaks HTTPS */
    char base[HTTP_BASE_MAX];   /* "http://host:port" as the client sees us;
                                   "" when it did not tell a host */
    struct slice host;          /* of base: "host:port" */
    enum http_role role;
    enum http_via via;
    uint64_t who;               /* the account, also behind a signature; 0: the
                                   installation's token, or everything is
                                   open */
    struct slice scope;         /* of it; views, good inside the handler */
    uint32_t wait_s;            /* of http_wait_read */
    http_command_answer_fn *answer_command; /* of a command that was waited
                                    for; NULL: with its description */
    http_live_answer_fn *answer_live; /* NULL: URLs, or a problem */
    unsigned can;               /* for it */
    struct http_wvp wvp;        /* how the answer is told */
    char src_text[2 * HTTP_ID_MAX + 2]; /* of http_media_target */
    char owner_text[HTTP_ID_MAX + 1];
};

/* ---- what every handler may ask (http.c) ---- */

/* "http://192.0.2.1:28181", where this device reaches us, or http.public_url,
 * without a slash behind it. false: nobody knows. */
bool http_write_device_base(const struct http_app *a, struct slice device,
                            struct writer *w);

/* The mark of an account, for http_sign; 0: it is none, or not any more. */
uint64_t http_mark_of(const struct http_app *a, uint64_t who);

/* ---- answers --------------------------------------------------------------- */

/* Starts a JSON answer. */
struct jw http_answer_json(struct http_call *c, unsigned status);

/* No body: 204, 202 with nothing to say. */
void http_answer_empty(struct http_call *c, unsigned status);

void http_answer_problem(struct http_response *out,
                         const struct http_problem *p);

/* The answer to a request that was put off, to the edge; dropped when there is
 * none any more. Takes what r holds. */
void http_app_answer(struct http_app *a, uint64_t request,
                     struct http_response *r);

/* A file, or the range of it that is asked for, or 304 to who has it already;
 * c->out->file names it. 0: it is still being written, and there is nothing that
 * says which one somebody has. */
void http_answer_file(struct http_call *c, uint64_t size, const char *type,
                      int64_t written_utc_ms);

/* A problem of status and detail; a 404 names what the path asked for, and where
 * to look. */
void http_answer_fail(struct http_call *c, unsigned status, const char *code,
                      const char *detail);
/* 404 of what the path does not name: `asked` is told. */
void http_answer_missing(struct http_call *c, const char *code,
                         const char *detail, struct slice asked);

/* What one does not see looks like what is not there: one answer for both. */
void http_answer_no_device(struct http_call *c);

/* Why a span of what a device has recorded was not asked for; busy: the code of
 * a reason that passes, or NULL. */
void http_answer_span_fault(struct http_call *c, int err, const char *busy);

/* The platform was changed as c->out says: the answer goes out when the store
 * has it. A refusal, and without a store everything, goes out at once. */
void http_answer_committed(struct http_call *c);
void http_commit_init(struct http_app *a);
void http_commit_free(struct http_app *a);
void http_commit_gone(struct http_app *a, uint64_t request);

/* "Name: value" to the answer's fields; CR, LF and NUL are dropped. */
void http_response_field(struct http_response *r, const char *name,
                         struct slice value);

/* ---- questions ------------------------------------------------------------- */

/* ?limit=, ?cursor=, ?q=, ?skip=, ?online= of a list. */
struct http_page {
    uint32_t limit;
    uint32_t skip;          /* of those that fit */
    bool in_group;          /* only devices of `group`; empty: of none */
    int8_t online;          /* 1: only those that are, 0: that are not; -1 */
    struct slice cursor, q, group; /* in the texts below */
    char cursor_text[2 * HTTP_ID_MAX + 2], q_text[HTTP_Q_MAX],
        group_text[PLATFORM_GROUP_NAME_MAX + 1];
};
/* false: a problem has been answered. */
bool http_page_read(struct http_call *c, struct http_page *page);

/* needle is in s, ASCII case ignored; an empty one always is. */
bool http_has_text(struct slice s, struct slice needle);

/* {"items":[ … */
struct jw http_list_begin(struct http_call *c);
/* … ],"next":…,"total":…}; next empty: null */
void http_list_end(struct jw *j, struct slice next, uint64_t total);
/* The part of it behind the bracket, for a list that has more beside its items. */
void http_put_next(struct jw *j, struct slice next, uint64_t total);

/* Why a name cannot be one: see http_is_dots. */
#define HTTP_NO_DOTS "a name is not . or ..: no path can have it"

#define HTTP_TAG_MAX 18 /* "0123456789abcdef", with its quotes */
/* A large answer gets a tag; who has it already is told so. */
void http_answer_tagged(struct http_call *c);
/* The same of one that was put off; has: the tags that came with the request. */
void http_response_tag(const struct http_app *a, struct http_response *r,
                       struct slice has);

/* A number that stands for these bytes, under a seed of the installation: it does
 * not tell the password that it is made of. */
uint64_t http_mark(const struct http_app *a, struct slice bytes);

/* What people change has a tag of what they can set of it, which nothing a device
 * does changes. Told with the object; a change that comes with If-Match is made
 * while it fits (RFC 9110 §13.1.1), so that two of them do not undo each other.
 * settings: a text that is another one with other settings; it is taken over. */
void http_answer_guard(struct http_call *c, struct buf *settings);
/* The same of an answer that was put off. */
void http_response_guard(const struct http_app *a, struct http_response *r,
                         struct buf *settings);
/* false: somebody else was faster, which has been answered. */
bool http_guard_holds(struct http_call *c, struct buf *settings);
/* That answer: somebody was faster while the change waited. */
void http_answer_meanwhile(struct http_call *c);

/* ---- rows.c: lists of rows with numbers ---- */

struct http_rows {
    struct http_page page;
    struct slice device, channel; /* ?device=, ?channel=; empty: all */
    bool falls, more;
    uint32_t written;
    uint64_t cursor, last, total;
    char device_text[HTTP_ID_MAX + 1], channel_text[HTTP_ID_MAX + 1];
};
/* falls: from the highest number, which is never 0, to the lowest. false: a
 * problem has been answered. *r stays where it is. */
bool http_rows_begin(struct http_call *c, struct http_rows *r, bool falls);
/* For each row in this order. true: it goes onto the page. */
bool http_rows_take(struct http_call *c, struct http_rows *r, uint64_t number,
                    struct slice device, struct slice channel);
/* In place of http_list_end. */
void http_rows_end(struct jw *j, const struct http_rows *r);

/* Objects are written as their schemas in openapi.c say. */

/* ---- devices and channels (api_devices.c) ------------------------------------------ */

void http_device_write(struct jw *j, const struct platform_device *d);
void http_channel_write(struct jw *j, const struct http_app *a,
                        const struct platform_channel *ch);
/* The channel that the path names: {device}, then {channel}. false: it is not
 * there, and the request is answered. */
bool http_find_channel(struct http_call *c, struct platform_channel *out);
/* "192.0.2.1:5060"; "" for no address */
void http_put_addr(struct jw *j, const char *key, const struct gb_addr *a);
const char *http_transport_name(enum platform_transport t); /* "tcp-active" */

/* ---- what people set (api_settings.c) ---------------------------------------------- */

void http_settings_write(struct jw *j, const struct platform_device *d);
/* A device as an answer, with the tag of what is set. */
void http_answer_device(struct http_call *c, unsigned status,
                        const struct platform_device *d);
/* Before it is changed or removed; false: answered, somebody was faster. One that
 * is not there has nothing that could have been changed. */
bool http_device_guard_holds(struct http_call *c, struct slice id);
/* ",group,media,arm,edition,date,require"; what is as configured is empty. */
void http_settings_csv(struct buf *out, const struct platform_device *d);
/* A JSON object of settings (json_t of jansson); *s borrows from it. NULL, or
 * what is wrong. */
struct json_t;
const char *http_settings_read(struct http_call *c, struct json_t *root,
                               struct platform_settings *s);

/* ---- sessions and alarms (api_sessions.c) ------------------------------------------ */

void http_session_write(struct jw *j, const struct platform_session *s);
/* That the path names; false: a problem has been answered. */
bool http_session_find(struct http_call *c, struct platform_session *s);
const char *http_session_state_name(enum platform_session_state s);
void http_alarm_write(struct jw *j, const struct http_app *a,
                      const struct platform_alarm *alarm, uint64_t id);

/* ---- times in queries (when.c) ----------------------------------------------------- */

#define HTTP_BOUND_MAX 64 /* bytes of a time in a query, and a NUL */
/* RFC 3339, without an offset in the platform's zone; UNIX seconds, or milliseconds
 * where they are too many for these. Absent or empty: as it was; false: no time. */
bool http_query_time(struct http_call *c, const char *name, int64_t *utc_ms);

/* ---- words that filters name (words.c) ------------------------------------------- */

/* Can an alarm be like that? Empty: any. NULL, or what is known. */
const char *http_alarm_words(struct slice method, struct slice type,
                             struct slice priority);
/* Are the filters of a question known words? false: 400 has been answered. */
bool http_words_known(struct http_call *c, const struct http_ask *q);

/* ---- waiting for a picture (live.c) ------------------------------------------ */

/* A session moved: those who wait for it may be answered. */
void http_live_changed(struct http_app *a, const struct platform_session *s);
void http_live_tick(struct http_app *a, struct gb_time now);
void http_live_gone(struct http_app *a, uint64_t request);
void http_live_free(struct http_app *a);
/* Answers, now or when its picture is there, for a session that was asked for
 * with this err; m NULL: with its description. */
void http_live_follow(struct http_call *c, int err,
                      const struct platform_session *s, struct http_media *m,
                      bool wait);

/* ---- what URLs name (live_urls.c) ------------------------------------------------------ */

/* The channel a media request names: device found by the channel if it is left
 * out. false: unknown (a problem is not answered yet). */
bool http_media_target(struct http_call *c, struct slice *device,
                       struct slice *channel);
bool http_transport_parse(struct slice s, enum platform_transport *t);
/* ?stream=; false: a problem has been answered. */
bool http_query_stream(struct http_call *c, unsigned *stream);
/* "main" or "sub", also by number; main where nothing stands. false: neither. */
bool http_stream_parse(struct slice s, unsigned *stream);
/* A session with every URL that it has; signed for who. */
void http_live_write(struct jw *j, const struct http_app *a, struct slice base,
                     const struct platform_session *s, struct gb_time now,
                     uint64_t who);

/* ---- recordings (api_playback.c) ----------------------------------------------- */

/* "/session/ID", which its URLs are signed over. */
void http_session_scope(struct writer *w, uint64_t session);
/* Is there a URL of this format below /session? */
bool http_session_has(enum http_format f);
void http_playback_write(struct jw *j, const struct platform_session *s);
/* A session moved: those who wait for a control of it may be answered. */
void http_control_changed(struct http_app *a,
                          const struct platform_session *s);
void http_control_tick(struct http_app *a);
void http_control_gone(struct http_app *a, uint64_t request);
void http_control_free(struct http_app *a);

/* start, end and transport of a JSON object; NULL, or what is wrong. */
const char *http_range_read(const struct json_t *root, int zone_min,
                            uint64_t *start_s, uint64_t *stop_s,
                            enum platform_transport *transport);

/* ---- what a device has recorded (api_recordings.c) ----------------------------- */

/* More of an answer has come: those who wait for it may be answered. */
void http_records_changed(struct http_app *a, uint64_t records);
void http_records_tick(struct http_app *a, struct gb_time now);
void http_records_gone(struct http_app *a, uint64_t request);
void http_records_free(struct http_app *a);
uint64_t http_records_deadline(const struct http_app *a); /* mono_ms, GB_NEVER */

/* ---- downloads (api_downloads.c) ------------------------------------------------ */

void http_download_write(struct jw *j, const struct platform *p,
                         const struct platform_download *d, struct slice url);
/* What the signature of a file's URL is made over. */
void http_download_scope(struct writer *w, uint64_t id);

/* ---- HLS (hls.c) ---------------------------------------------------------------- */

/* What the URLs of the playlist carry on of its own; false: too long. */
bool http_hls_query(struct http_call *c, struct http_media *m);
/* Asks for the playlist of a session that plays, and holds it for a while.
 * false: it cannot now, nothing will be answered. */
bool http_hls_playlist(struct http_app *a, uint64_t request,
                       const struct http_media *m, struct gb_time now);
/* A session of the last HTTP_HLS_HOLD_MS that is over, or about to be: fills id,
 * loop and device (a view) of *s. false: nobody has fetched its playlist. */
bool http_hls_over(const struct http_app *a, uint64_t session,
                   struct platform_session *s);
/* Its playlist, which says that nothing follows. */
void http_hls_last(struct http_call *c, const struct platform_session *s,
                   const struct http_media *m);
void http_hls_tick(struct http_app *a, struct gb_time now);
uint64_t http_hls_deadline(const struct http_app *a); /* mono_ms, GB_NEVER */
void http_hls_free(struct http_app *a);

/* ---- JPEG (jpeg.c) -------------------------------------------------------------- */

/* As http_hls_playlist. */
bool http_jpeg_ask(struct http_app *a, uint64_t request,
                   const struct http_media *m, struct gb_time now);

/* ---- waiting for a command (api_wait.c) --------------------------------------- */

#define HTTP_COMMAND_WAIT_MAX_S 60

/* Seconds of ?wait= into c->wait_s, which stays as it is without. false: a
 * problem has been answered. */
bool http_wait_read(struct http_call *c);
/* true: the answer will be given later. */
bool http_wait_for(struct http_call *c, uint64_t command);
void http_wait_changed(struct http_app *a, uint64_t command);
void http_wait_tick(struct http_app *a, struct gb_time now);
void http_wait_gone(struct http_app *a, uint64_t request);
void http_wait_free(struct http_app *a);
uint64_t http_wait_deadline(const struct http_app *a); /* mono_ms, GB_NEVER */

/* ---- commands (api_commands.c) -------------------------------------------------- */

void http_command_write(struct jw *j, const struct platform_command *k);
/* The same with what the device has said. */
void http_command_write_whole(struct jw *j, const struct platform_command *k);
/* Answers with a command; false: there is none, and no answer yet. */
bool http_command_answer(struct http_call *c, unsigned status, uint64_t id);
/* Is it one that the question asks for, wherever it is kept? */
bool http_command_fits(const struct platform_command *k,
                       const struct http_ask *q);
/* Sends it and answers 202 with the command, or a problem. */
void http_command_send(struct http_call *c, const struct platform_order *o);
/* The same for what has been tried already: err, and the command if it is 0. */
void http_command_sent(struct http_call *c, int err, uint64_t id);
/* A command of a CmdType to the channel of the path, or else to its device;
 * params, its elements, is taken. */
void http_order_send(struct http_call *c, const char *cmd,
                     struct json_t *params);

/* ---- movements that are held (ptz_hold.c) ---------------------------------------- */

/* It moves until this connection closes (http_app_closed); client 0: it does
 * not, or not any more. false: there are too many of these. */
bool http_ptz_hold(struct http_app *a, uint64_t client, struct slice device,
                   struct slice channel);

/* ---- voice (talk.c) -------------------------------------------------------------- */

struct platform_voice;
void http_voice_changed(struct http_app *a, const struct platform_action *act);
void http_voice_event_write(struct jw *j, const struct platform_voice *v,
                            bool gone);
void http_talk_closed(struct http_app *a, uint64_t client);
void http_talk_gone(struct http_app *a, uint64_t request);
void http_talk_free(struct http_app *a);

/* ---- pictures (api_snapshot.c) --------------------------------------------------- */

/* What the signature of a device's URL is made over. */
void http_snapshot_scope(struct writer *w, struct slice session);
void http_snapshot_done(struct http_app *a, const struct platform_action *act);
void http_snapshot_command(struct http_app *a, uint64_t command);
void http_snapshot_free(struct http_app *a);

/* A picture of a channel that came about then; NULL: none. */
const char *http_picture_about(const struct http_app *a, struct slice device,
                               struct slice channel, int64_t utc_ms);
/* Whose it is; false: there is none. */
bool http_snapshot_device(const struct http_app *a, struct slice session,
                          struct slice *device);
bool http_picture_device(const struct http_app *a, struct slice name,
                         struct slice *device);

/* ---- the tree of a catalog (api_tree.c) ---------------------------------------- */

/* A channel of its device has changed, or the device is gone. */
void http_tree_changed(struct http_app *a, const struct platform_action *act);
void http_tree_drop(struct http_app *a);

/* ---- questions to the store (api_history.c) ------------------------------------- */

void http_history_init(struct http_app *a);
void http_history_free(struct http_app *a);
void http_history_gone(struct http_app *a, uint64_t request);
void http_ask_alarms(struct http_call *c);
/* false: no history is kept; nothing is answered then. */
bool http_ask_command(struct http_call *c, uint64_t id);
void http_position_write(struct jw *j, const struct platform_position *p);

/* ---- webhooks (api_hooks.c) ----------------------------------------------------- */

/* Somebody is to be called with events of this type. */
bool http_hooks_want(const struct http_app *a, const char *type);
/* data: a JSON value. Copies. */
void http_hooks_event(struct http_app *a, const char *type,
                      struct slice device, struct slice data);
void http_hooks_metrics(struct http_app *a, struct buf *b);

/* ---- pushes (api_push.c) ----------------------------------------------------------- */

/* url: only for whom may change it; an RTMP key is a secret, too. */
void http_push_write(struct jw *j, const struct push_view *v, bool url);
/* "push": the states of a channel's. */
void http_push_states(struct jw *j, const struct http_app *a,
                      struct slice device, struct slice channel);

/* ---- recordings of this server (api_record.c) -------------------------------------- */

void http_recorder_write(struct jw *j, const struct recorder_view *v);
/* What the signature of a segment's URL is made over. */
void http_record_scope(struct writer *w, struct slice device,
                       struct slice channel, struct slice start);

/* ---- their playlists and exports (api_export.c) --------------------------------------- */

/* What the signature of a range is made over; start and end: as in the query. */
void http_export_scope(struct writer *w, struct slice device,
                       struct slice channel, struct slice start,
                       struct slice end);
/* "playlist" and "export": links to a range, signed. */
void http_export_links(struct http_call *c, struct jw *j, struct slice device,
                       struct slice channel, struct slice start,
                       struct slice end);
/* A request for a part of a file, as the playlist names them: answered, but for
 * the file's name. false: it is for the file. */
bool http_export_part(struct http_call *c);

/* ---- firmware (api_firmware.c) --------------------------------------------------- */

void http_upgrade_write(struct jw *j, const struct platform_upgrade *u);
/* What the signature of a device's URL is made over. */
void http_firmware_scope(struct writer *w, struct slice session);
/* Why no file of this size is taken, and the status; NULL: it may come. */
const char *http_firmware_refusal(const struct http_app *a, uint64_t size,
                                  unsigned *status);

/* ---- scopes (scope.c) ----------------------------------------------------------- */

/* May this account, 0: one without bounds, have to do with this device? */
bool http_who_sees(const struct http_app *a, uint64_t who,
                   struct slice device);
bool http_sees(const struct http_call *c, struct slice device);
/* It sees a part of the devices alone. */
bool http_is_bounded(const struct http_call *c);
/* May it call the route, as far as devices go? false: answered. A route that
 * nothing is known about is closed to those who see a part. */
bool http_scope_admits(struct http_call *c);

/* ---- users and tokens (api_users.c) ------------------------------------------------ */

void http_accounts_init(struct http_app *a);
/* "scope": null, or {"devices":[…],"groups":[…]} */
void http_scope_write(struct jw *j, struct slice scope);

/* ---- passwords and sessions (api_auth.c) -------------------------------------------- */

/* A job of this size, zero but for what each has; NULL: a problem has been
 * answered. */
void *http_password_job_new(struct http_call *c, size_t size);
/* Sends it: its done answers. */
void http_password_job_start(struct http_call *c,
                             struct http_password_job *job);
/* Too many wrong passwords have come from there: answered. */
bool http_login_waits(struct http_call *c);
/* A new session of this account, as a cookie of the answer. */
void http_session_open(struct http_app *a, struct http_response *r,
                       uint64_t who, bool secure);

/* ---- the audit log (audit.c) ---------------------------------------------------------- */

#define HTTP_WHO_MAX (ACCOUNT_NAME_MAX + 16)
/* Who asks, as the log has it: a user's name, "token:NAME", "admin-token". */
void http_who(const struct http_call *c, char who[static HTTP_WHO_MAX]);
/* Before the handler of a request; it is written with its answer. */
void http_audit_begin(struct http_call *c);
/* Who it was that a login was for. */
void http_audit_name(struct http_app *a, uint64_t request, const char *name);
/* A request has its answer; one that is not on the list is no matter. */
void http_audit_end(struct http_app *a, uint64_t request, unsigned status);
void http_audit_free(struct http_app *a);
/* What came of it, whatever the answer looks like. */
static inline unsigned http_status_of(const struct http_response *r)
{
    return r->told ? r->told : r->status;
}
void http_audit_write(struct jw *j, const struct http_audit *e);

/* ---- handlers ---------------------------------------------------------------- */

http_handler_fn http_get_devices, http_get_device, http_delete_device,
    http_refresh_device, http_get_channels, http_get_all_channels, http_get_channel, http_post_live,
    http_get_live, http_delete_live, http_get_doctor, http_post_doctor,
    http_get_sessions, http_get_session,
    http_delete_session, http_get_pending, http_accept_pending,
    http_get_profile, http_get_devices_csv, http_post_devices_csv,
    http_get_subscriptions, http_get_tree, http_get_changes,
    http_get_commands, http_get_command, http_post_command,
    http_post_alarm_reset, http_post_ptz, http_get_presets, http_put_preset,
    http_call_preset, http_delete_preset, http_get_guard, http_post_guard,
    http_get_config, http_patch_config, http_get_positions, http_get_item,
    http_delete_pending, http_post_device, http_patch_device, http_get_groups,
    http_get_group, http_post_group, http_patch_group, http_delete_group,
    http_get_hooks, http_get_hook, http_post_hook, http_patch_hook,
    http_delete_hook, http_post_hook_test,
    http_get_rules, http_get_rule, http_put_rule, http_delete_rule,
    http_get_pushes, http_get_push, http_put_push, http_delete_push,
    http_get_firmware_list, http_post_firmware, http_delete_firmware,
    http_get_upgrades, http_get_upgrade, http_post_upgrade, http_get_firmware,
    http_get_map, http_get_tile,
    http_get_alarms, http_get_alarms_csv, http_post_acknowledge, http_get_events,
    http_login, http_get_login, http_logout, http_get_me, http_post_password,
    http_get_users,
    http_get_user, http_post_user, http_patch_user, http_delete_user,
    http_get_audit, http_get_tokens, http_post_token, http_delete_token, http_get_hints, http_get_healthz,
    http_get_readyz, http_get_metrics, http_get_openapi, http_get_file,
    http_get_media, http_get_hls, http_get_session_media,
    http_get_recordings, http_get_timeline, http_post_download,
    http_get_downloads, http_get_download, http_delete_download,
    http_get_download_file, http_get_records, http_get_record_file,
    http_delete_record, http_get_record, http_put_record, http_post_record,
    http_get_recorders, http_get_records_hls, http_get_records_mp4,
    http_get_session_hls, http_post_playback, http_post_control, http_get_trace, http_get_trace_pcap,
    http_get_trace_events, http_get_listeners, http_get_log,
    http_get_log_events, http_get_settings, http_patch_settings,
    http_post_snapshot, http_get_snapshot, http_get_snapshots,
    http_put_picture, http_get_pictures, http_get_picture, http_delete_picture,
    http_get_talk, http_get_talks, http_post_talk, http_delete_talk, http_wvp;

#endif
