/* app/platform/platform.h - the platform's logic: devices, channels, catalog,
 * commands, alarms, live sessions. No sockets, no clock, no files.
 *
 * Everything it does is a function of its inputs and of time. The owner's turn:
 *
 *     platform_sip() / platform_media() / platform_tick() / an API call
 *     while (platform_action(p, &a))   carry it out;
 *     then the turn of the SIP stack (sip/stack.h), which the platform calls
 *     arm one timer at platform_deadline(p)
 *
 * The platform talks to devices through the sip_stack it was given; the owner
 * pumps that stack and hands its events over. One thread only. */
#ifndef APP_PLATFORM_PLATFORM_H
#define APP_PLATFORM_PLATFORM_H

#include "base/addr.h"
#include "base/alloc.h"
#include "base/time.h"
#include "manscdp/ptz.h"
#include "app/media/voice.h"
#include "manscdp/schema.h"
#include "ps/codec.h"
#include "sip/stack.h"

#define PLATFORM_ID_MAX 32 /* longest device or channel id kept */

enum platform_date { PLATFORM_DATE_LOCAL, PLATFORM_DATE_UTC, PLATFORM_DATE_OFF };

/* "peers in net/bits are told `address`" (network.advertise), first match. */
struct platform_advertise {
    struct gb_addr net;
    unsigned bits;
    struct gb_addr address;
};

/* Devices whose id begins with `prefix` are sent to another server: id@address
 * (GB/T 28181-2022 §9.1.2.3). */
struct platform_redirect {
    const char *prefix, *target;
};

struct platform_net {
    struct gb_addr net;
    unsigned bits;
};

/* Strings are copied. Zeros mean the default named beside the field. */
struct platform_config {
    const struct gb_alloc *alloc;
    struct sip_stack *sip;    /* borrowed, outlives the platform */
    uint8_t seed[32];         /* random bytes: nonces, SSRC order, jitter */
    const char *id;           /* 20 digits */
    const char *realm;        /* 10-digit domain */
    const char *password;     /* the global device password; never empty */
    bool quiet;               /* no lines below WARN are made */
    bool auto_enrol;
    bool offer_qop;           /* challenge with qop="auth" */
    unsigned digest;          /* offered, and then accepted: bits 1 << of enum
                                 sip_digest_alg; MD5 */
    const struct platform_redirect *redirect; /* texts are copied too */
    size_t n_redirect;
    enum platform_date date;
    int timezone_min;         /* of times on the wire, minutes east of UTC */
    uint32_t expires_min_s, expires_max_s;    /* 60, 604800 */
    uint32_t keepalive_s, keepalive_count;    /* 60, 3: until learnt */
    uint32_t keep_open_ms; /* OPTIONS to a device behind NAT after so long a
                              silence; 0: never */
    uint32_t idle_stop_s;     /* 30: after the last consumer has left */
    uint64_t download_bytes;  /* of the files of all downloads; above, they wait.
                                 0: as many as there is room for */
    bool trust_clocks;        /* times of a device are not corrected by what its
                                 clock is off */
    uint32_t ptz_hold_ms;     /* 5000: a movement that nobody renews ends */
    bool reset_alarms;        /* ResetAlarm behind each alarm of method 2, whose
                                 detector stays latched until then */
    uint32_t subscribe_s[4];  /* by enum platform_subscription_kind: what is
                                 asked for, unless a device or its group has
                                 a policy of its own; 0: not subscribed */
    uint32_t answer_ms;       /* 10000: INVITE to its final answer */
    uint32_t media_ms;        /* 10000: ACK to the first packet */
    uint32_t silence_ms;      /* 15000: no packet while playing */
    uint32_t program_ms;      /* 10000: first packet to a known codec */
    uint32_t first_key_ms;    /* 10000: first packet to first key frame */
    uint16_t port_min, port_max;  /* RTP ports: even ones of this range */
    struct gb_addr media_address; /* announced in SDP; none: by rules, then the
                                     local address the device talks to */
    const struct platform_advertise *advertise;
    size_t n_advertise;
    uint32_t max_devices;     /* 20000 */
    uint32_t max_channels;    /* 200000 in all */
    uint32_t max_device_channels; /* 100000 of one device */
    uint32_t max_sessions;    /* 4000 */
    uint32_t max_pending;     /* 256 unknown ids remembered */
    uint32_t media_loops;     /* 1: loops the owner runs; sessions are spread */
    uint32_t rate_per_s, rate_burst; /* unauthenticated messages a source: 20, 100 */
    uint32_t strangers_per_s;        /* of all such sources together: 5000 */
    uint32_t registers_per_s;        /* challenges; above: 503. 1000 */
    uint32_t ban_failures, ban_s;    /* 20 bad passwords: 60 s ban, twice as
                                        long each time, up to 64 times */
    /* Lists are copied. Networks: whose messages are heard at all; an empty
     * allow list allows all, deny goes first. Ids: by their first digits. */
    const struct platform_net *allow, *deny;
    size_t n_allow, n_deny;
    const char *const *allow_ids, *const *deny_ids;
    size_t n_allow_ids, n_deny_ids;
};

struct platform;
int platform_new(struct platform **out, const struct platform_config *cfg,
                 struct gb_time now);
void platform_free(struct platform *p);

/* Takes over what may change while the platform runs: auto_enrol, date,
 * timezone_min, quiet, trust_clocks, download_bytes, idle_stop_s, ptz_hold_ms, reset_alarms, subscribe_s
 * (spread over some time),
 * rate_per_s, rate_burst, media_address, advertise, digest, offer_qop,
 * redirect, and the lists of networks and ids: a device that they keep out now
 * is unbound. GB_ENOMEM: the lists, or advertise, stay as they were. */
int platform_reload(struct platform *p, const struct platform_config *cfg);
/* The owner has bound one media port for all sessions, port and port+1, where
 * `ssrc` tells them apart; port 0: it has none. always: every session uses it;
 * else those for whom the range of ports has less than a tenth left. A session
 * whose device does not heed its SSRC gets a port of its own in either case. */
void platform_share_port(struct platform *p, uint16_t port, bool always);
/* Of times without a zone, minutes east of UTC. */
int platform_timezone_min(const struct platform *p);

/* ---- inputs ------------------------------------------------------------ */

/* Ask before a message (a datagram, or one cut out of a stream) goes to the
 * stack: false, it is to be dropped without a word. Costs one look-up for the
 * peer of a registered device, and a little more for strangers. Sets what the
 * stack is to know of the sender in *from. */
bool platform_admits(struct platform *p, struct sip_peer *from,
                     struct slice bytes, struct gb_time now);

/* A batch of messages that will come in next: what is known of their senders is
 * asked for from memory, all at once. Changes nothing but the time they take. */
#define PLATFORM_AHEAD_MAX 64 /* further ones are left as they are */
void platform_ahead(const struct platform *p, const struct slice *bytes,
                    size_t n);

void platform_sip(struct platform *p, const struct sip_event *ev,
                  struct gb_time now);
/* The edge lost this TCP or TLS connection (call sip_stack_closed too): the
 * devices bound to it go offline until they come back. */
void platform_closed(struct platform *p, uint64_t connection,
                     struct gb_time now);
void platform_tick(struct platform *p, struct gb_time now);
uint64_t platform_deadline(const struct platform *p); /* mono_ms, GB_NEVER */

/* What the media edge reports of a session (a picture). */
enum platform_media_kind {
    PLATFORM_MEDIA_OPENED,   /* socket or listener is ready */
    PLATFORM_MEDIA_REFUSED,  /* it could not be: err, text; port may be bad.
                                Nothing is left of it, no CLOSE follows */
    PLATFORM_MEDIA_CONNECTED, /* TCP is up, in whichever direction */
    PLATFORM_MEDIA_PACKET,   /* first valid RTP packet: from, ssrc */
    PLATFORM_MEDIA_PROGRAM,  /* first pack header or other known payload */
    PLATFORM_MEDIA_CODEC,    /* codecs known, before a key frame */
    PLATFORM_MEDIA_KEY,      /* first key frame is in the hub: picture */
    PLATFORM_MEDIA_SOUND,    /* sound for seconds, and never a picture */
    PLATFORM_MEDIA_ALIVE,    /* about once a second while packets arrive */
    PLATFORM_MEDIA_WANT_KEY, /* a viewer waits for a key frame; once a second */
    PLATFORM_MEDIA_ENDED,    /* connection closed or failed: err, text. The
                                order stays open until its CLOSE */
    PLATFORM_MEDIA_SAID,     /* of a recording that is said: the last word */
    PLATFORM_MEDIA_CLOSED,   /* answer to a CLOSE order: nothing is left */
    PLATFORM_MEDIA_AFTER,    /* long after that its media still come: from */
};

struct platform_media_event {
    enum platform_media_kind kind;
    uint64_t session;
    int err;               /* REFUSED, ENDED */
    const char *text;      /* static or borrowed; evidence, may be NULL */
    struct gb_addr from;   /* PACKET, CONNECTED */
    uint32_t ssrc;         /* PACKET */
    enum ps_codec video, audio; /* CODEC, KEY, SOUND */
    uint32_t width, height;     /* KEY */
    /* counters at the time of every event but OPENED and CLOSED */
    uint64_t packets, bytes, lost, foreign, unknown_bytes;
    uint64_t keys;         /* key frames taken in */
    int64_t position_ms;   /* in a recording, from its start; 0: untold */
    struct voice_counters said; /* of who speaks */
};
void platform_media(struct platform *p, const struct platform_media_event *ev,
                    struct gb_time now);

/* ---- outputs ----------------------------------------------------------- */

enum platform_transport { /* named from our side */
    PLATFORM_AUTO, PLATFORM_UDP, PLATFORM_TCP_PASSIVE, PLATFORM_TCP_ACTIVE,
};

enum platform_action_kind {
    /* orders to the media edge, all about `session`, on loop `loop` */
    PLATFORM_DO_OPEN,    /* bind `port` (+1 for RTCP) for `transport`, unless it
                            is `shared` and bound already; family of `remote` tells IPv4 or IPv6. UDP and TCP_PASSIVE
                            both open the UDP socket and the listener: devices
                            answer with either. */
    PLATFORM_DO_ANSWER,  /* the device has answered: `ssrc` as agreed,
                            `remote` is what its c= names (no family: none),
                            TCP active: connect to it; hints from rtpmap.
                            Comes again, with another `ssrc`, when the device
                            is invited once more into the same open port */
    PLATFORM_DO_PACE,    /* a recording: the device was asked for the speed
                            `scale_milli` and, unless it is below 0, for the
                            position `position_ms` */
    PLATFORM_DO_SPEAK,   /* begin to send, as `speak` says: behind the ANSWER
                            over UDP, and once a connection is up. Before that
                            with `waits`: nothing need come on a connection */
    PLATFORM_DO_CLOSE,   /* end all of it; report PLATFORM_MEDIA_CLOSED. The
                            session may be opened again after that */
    PLATFORM_DO_DISCONNECT, /* order to the SIP edge: close `connection`; its
                               device has come back on another one */
    /* what has changed: for the store, the events, the waiting API calls */
    PLATFORM_DEVICE_CHANGED, /* `device`; flags */
    PLATFORM_DEVICE_REMOVED,
    PLATFORM_CHANNEL_CHANGED, /* `device`, `channel`; `text`, if not empty:
                                 what else its catalog item says, lines of
                                 "Path TAB value", told when it is new */
    PLATFORM_CHANNEL_REMOVED,
    PLATFORM_CATALOG_DONE,   /* `device`: complete or partial (flags) */
    PLATFORM_SESSION_CHANGED, /* `session`; read it by platform_session_view */
    PLATFORM_SESSION_GONE,   /* last message about it; the view still works
                                during this action */
    PLATFORM_VOICE_CHANGED,  /* `session`; see app/platform/voice.h */
    PLATFORM_VOICE_GONE,     /* likewise; as SESSION_GONE */
    PLATFORM_DIALOG_OPENED,  /* store `dialog` and its peer under
                                `dialog_key`; it may replace an earlier one */
    PLATFORM_DIALOG_CLOSED,  /* forget what is stored under `dialog_key`: the
                                device knows that it is over, or cannot be
                                told */
    PLATFORM_ALARM,          /* `alarm` */
    PLATFORM_POSITION,       /* `position` */
    PLATFORM_PTZ_MOVED,      /* `device`, `channel`; `text`: "Pan TAB value",
                                lines of what it says */
    PLATFORM_SNAPSHOT_DONE,  /* `device`; `text`: a SessionID, then the file
                                ids, a line each (UploadSnapShotFinished) */
    PLATFORM_COMMAND_CHANGED, /* `command` */
    PLATFORM_UPGRADE_CHANGED, /* `text`: its session */
    PLATFORM_DO_SAVE,    /* what `session` on `loop` brings goes into the file of
                            `download`, behind its mark; comes behind the OPEN
                            of the session, once */
    PLATFORM_DO_FILE_END, /* nothing more comes into the file of `download`: it
                            is to be published or, with PLATFORM_FILE_REMOVE,
                            removed, whether it is there or not */
    PLATFORM_DOWNLOAD_CHANGED, /* `download`: store it */
    PLATFORM_DOWNLOAD_GONE,  /* forget what is stored of `download` */
    PLATFORM_RECORDS_CHANGED, /* `records`: more has come, or all of it */
    PLATFORM_GROUP_CHANGED,  /* `text`: its name */
    PLATFORM_GROUP_REMOVED,
    PLATFORM_LOG,            /* one line: level, text (key=value pairs) */
};

enum { /* flags of DEVICE_CHANGED */
    PLATFORM_CHANGED_STATE = 1,   /* online or offline */
    PLATFORM_CHANGED_BINDING = 2, /* address, transport, expiry */
    PLATFORM_CHANGED_INFO = 4,    /* name, maker, model, ... */
    PLATFORM_CHANGED_SETTINGS = 16, /* what people set */
    PLATFORM_CHANGED_PROFILE = 32, /* what it was seen to do */
    PLATFORM_FILE_REMOVE = 1,     /* of DO_FILE_END */
    PLATFORM_FILE_ANEW = 1,       /* of DO_SAVE: the session brings another
                                     piece; else it repeats some of the file */
    PLATFORM_CATALOG_PARTIAL = 8, /* of CATALOG_DONE: not complete, or failed */
};

struct platform_alarm {
    uint64_t id; /* counts up, across restarts too: platform_restore_ids */
    struct slice device, channel; /* channel: the alarm's DeviceID */
    struct slice priority, method, type, time, description;
    double longitude, latitude;
    bool has_position;
    int64_t received_utc_ms;
};

/* Where something is, as it reports it. Texts: as on the wire, empty: untold. */
struct platform_position {
    struct slice device, channel;
    double longitude, latitude; /* WGS-84 degrees */
    struct slice time, speed, direction, altitude; /* km/h, degrees, m */
    int64_t received_utc_ms;
};

enum platform_level { PLATFORM_ERROR, PLATFORM_WARN, PLATFORM_INFO, PLATFORM_DEBUG };

/* Slices are valid until the next platform call. States coalesce: a device that
 * changed ten times since the last call comes once, with all its flags. Orders,
 * changes and removals are never lost; alarms and log lines are, when the
 * owner does not fetch them or memory is short (counters.dropped). */
struct platform_action {
    enum platform_action_kind kind;
    uint64_t session, connection, command, records, download;
    unsigned loop;       /* 0 .. media_loops - 1 */
    enum platform_transport transport;
    uint16_t port;
    bool shared;         /* OPEN: it is the port of all sessions */
    uint32_t ssrc;
    int64_t history_ms;  /* OPEN: length of the recording; -1: live */
    int32_t scale_milli; /* PACE */
    int64_t position_ms;
    bool ssrc_any;       /* the SSRC is not known: learn the first one */
    struct gb_addr local, remote; /* ANSWER: where to connect; OPEN: the peer */
    enum ps_codec video_hint, audio_hint;
    struct {
        struct voice_options voice; /* its alloc is the owner's */
        bool waits;
    } speak;
    struct slice device, channel;
    unsigned flags;
    struct sip_dialog_state dialog;
    uint64_t dialog_key; /* not 0; of this process and of those before */
    struct sip_peer peer;
    const struct platform_alarm *alarm;
    const struct platform_position *position;
    enum platform_level level;
    struct slice text;
};
bool platform_action(struct platform *p, struct platform_action *out);

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
    int32_t drift_ms;   /* without the zone */
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

/* Unknown ids that knocked, newest first; i from 0. */
struct platform_pending {
    struct slice id, user_agent, reason;
    struct sip_peer peer;
    int64_t first_utc_ms, last_utc_ms;
    uint32_t tries;
};
bool platform_pending_at(const struct platform *p, size_t i,
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
/* For the store, and nobody else. Empty: none. */
struct slice platform_group_password(const struct platform *p,
                                     struct slice name);

/* ---- sessions ------------------------------------------------------------ */

#define PLATFORM_SESSION_KIND_MAP(X)                                           \
    X(LIVE,     "live")                                                        \
    X(PLAYBACK, "playback") /* a recording of the device, at its pace */       \
    X(DOWNLOAD, "download") /* the same as fast as it may come */

enum platform_session_kind {
#define X(id, name) PLATFORM_##id,
    PLATFORM_SESSION_KIND_MAP(X)
#undef X
    PLATFORM_SESSION_KINDS
};
const char *platform_session_kind_name(enum platform_session_kind k);

enum platform_session_state {
    PLATFORM_STARTING, PLATFORM_PLAYING, PLATFORM_STOPPING, PLATFORM_FAILED,
};

/* The links of the chain, in order; a failure names the first that broke. */
#define PLATFORM_STEP_MAP(X)                                                   \
    X(DEVICE,  "device",  "device is known and online")                        \
    X(SOCKET,  "socket",  "media port is open")                                \
    X(INVITE,  "invite",  "INVITE is sent")                                    \
    X(ANSWER,  "answer",  "device answers the INVITE")                         \
    X(CONNECT, "connect", "TCP media connection is up")                        \
    X(PACKET,  "packet",  "RTP arrives")                                       \
    X(PROGRAM, "program", "program stream is found")                           \
    X(CODEC,   "codec",   "video codec is known")                              \
    X(KEY,     "key",     "key frame arrives")                                 \
    X(PLAYING, "playing", "picture is there")                                  \
    X(ENDED,   "ended",   "session is over")

enum platform_step {
#define X(id, name, text) PLATFORM_STEP_##id,
    PLATFORM_STEP_MAP(X)
#undef X
    PLATFORM_STEP_COUNT
};
const char *platform_step_name(enum platform_step s); /* "invite" */
const char *platform_step_text(enum platform_step s);

/* What can be asked of a playback. */
#define PLATFORM_CONTROL_MAP(X)                                                \
    X(PAUSE,  "pause")                                                         \
    X(RESUME, "resume")                                                        \
    X(SEEK,   "seek")   /* position_ms */                                      \
    X(SCALE,  "scale")  /* scale_milli: 1000 as recorded, below 0 backwards */

enum platform_control_kind {
#define X(id, name) PLATFORM_CONTROL_##id,
    PLATFORM_CONTROL_MAP(X)
#undef X
    PLATFORM_CONTROLS
};

struct platform_control {
    enum platform_control_kind kind;
    int64_t position_ms; /* from the start of the recording */
    int32_t scale_milli;
};

/* Of a PLAYBACK or DOWNLOAD. */
struct platform_playback {
    uint64_t start_s, stop_s; /* UNIX, what the device was asked for */
    uint32_t speed;           /* DOWNLOAD: times as fast, as asked for */
    uint64_t filesize_bytes;  /* as its answer said; 0: untold */
    int64_t position_ms;      /* of the last picture; from start_s */
    int32_t scale_milli;      /* as the device has accepted it */
    int32_t measured_milli;   /* what its pictures show, some seconds later; 0:
                                 not known (yet) */
    bool paused;
    bool complete;            /* it has ended as it should */
    uint32_t control;         /* number of the last control; 0: none */
    unsigned control_status;  /* what the device answered; 0: not yet; 408:
                                 it did not */
};

struct platform_session {
    uint64_t id;
    enum platform_session_kind kind;
    struct platform_playback playback; /* unless it is LIVE */
    struct slice device, channel;
    unsigned stream;             /* 0 main, 1 sub */
    enum platform_session_state state;
    enum platform_step step;     /* reached, or FAILED: the one that broke */
    unsigned loop;
    enum platform_transport transport;
    uint16_t port;
    uint32_t ssrc;
    struct gb_addr from;         /* where media comes from */
    unsigned sip_status;         /* of the last answer, 0 none */
    struct slice evidence, hint; /* FAILED: what was seen, what to try;
                                    STARTING: what is odd so far */
    struct slice call_id;
    int64_t started_utc_ms;
    uint32_t step_ms[PLATFORM_STEP_COUNT]; /* after the start; 0: not reached */
    uint32_t consumers;
    enum ps_codec video, audio;
    uint32_t width, height;
    uint64_t packets, bytes, lost, foreign;
    bool ssrc_odd; /* media has another SSRC than agreed */
};

struct platform_live {
    struct slice device, channel; /* device empty: the channel's only owner */
    unsigned stream;
    enum platform_transport transport;
};

/* Finds or starts the live session of a channel and stream. It has no consumer
 * yet: call platform_session_hold within 10 s, or it stops by idle_stop_s.
 * GB_ENOENT (device or channel unknown), GB_ESTATE (device offline), GB_ELIMIT;
 * on error out->step, evidence and hint are filled. A channel that the device
 * never listed may be played when the device is known. */
int platform_live_start(struct platform *p, const struct platform_live *req,
                        struct gb_time now, struct platform_session *out);

#define PLATFORM_PLAYBACK_MAX_S 2678400 /* a recording: 31 days */

struct platform_recording {
    struct slice device, channel; /* device empty: the channel's only owner */
    enum platform_session_kind kind; /* PLAYBACK or DOWNLOAD */
    enum platform_transport transport;
    uint64_t start_s, stop_s; /* UNIX */
    uint32_t speed;           /* DOWNLOAD; 0: 4 */
};

/* A session of its own each time. As platform_live_start, which see; GB_ERANGE:
 * times that are none. */
int platform_playback_start(struct platform *p,
                            const struct platform_recording *req,
                            struct gb_time now, struct platform_session *out);

/* Asks the device, in the dialog of the session; what it answers is in
 * playback.control_status of the view, whose playback.control is *number then.
 * GB_ENOENT (no such session), GB_EUNSUPPORTED (it is live), GB_ESTATE (it does
 * not play yet, or no more), GB_EAGAIN (an earlier one is not answered yet),
 * GB_ERANGE. */
int platform_session_control(struct platform *p, uint64_t id,
                             const struct platform_control *c,
                             struct gb_time now, uint32_t *number);

bool platform_session_view(const struct platform *p, uint64_t id,
                           struct platform_session *out);
/* i from 0, any order. */
bool platform_session_at(const struct platform *p, size_t i,
                         struct platform_session *out);
/* The live session of a channel and stream; false: none. */
bool platform_live_find(const struct platform *p, struct slice device,
                        struct slice channel, unsigned stream,
                        struct platform_session *out);

/* One consumer (viewer, API user, recorder) more or less; a stale id does
 * nothing. */
void platform_session_hold(struct platform *p, uint64_t id, struct gb_time now);
void platform_session_release(struct platform *p, uint64_t id,
                              struct gb_time now);
/* Ends it now, whoever watches: BYE, CLOSE. */
void platform_session_stop(struct platform *p, uint64_t id, struct gb_time now);

/* What became of a question or an order to a device. 200 says that it arrived
 * and nothing more. */
#define PLATFORM_COMMAND_STATE_MAP(X)                                          \
    X(QUEUED,   "queued")   /* the device answers another one first */         \
    X(SENT,     "sent")                                                        \
    X(ARRIVED,  "arrived")  /* 200; its Response is awaited, or none is due */ \
    X(REFUSED,  "refused")  /* a SIP error, or Result ERROR */                 \
    X(ANSWERED, "answered")                                                    \
    X(SILENT,   "silent")   /* no 200, or no Response behind it */

enum platform_command_state {
#define X(id, name) PLATFORM_COMMAND_##id,
    PLATFORM_COMMAND_STATE_MAP(X)
#undef X
    PLATFORM_COMMAND_STATES
};
const char *platform_command_state_name(enum platform_command_state s);
/* PLATFORM_COMMAND_STATES: it is none. */
enum platform_command_state platform_command_state_by_name(struct slice name);

/* ---- downloads ----------------------------------------------------------------- */

/* A range of what a device has recorded, on its way into a file. */
#define PLATFORM_DOWNLOAD_STATE_MAP(X)                                         \
    X(QUEUED,  "queued")  /* waits: evidence says for what */                  \
    X(LISTING, "listing") /* the device is asked what it has */                \
    X(RUNNING, "running")                                                      \
    X(DONE,    "done")    /* all that the device has of it is in the file */   \
    X(PARTIAL, "partial") /* some of it could not be fetched: see the gaps */  \
    X(FAILED,  "failed")  /* there is no file */

enum platform_download_state {
#define X(id, name) PLATFORM_DOWNLOAD_##id,
    PLATFORM_DOWNLOAD_STATE_MAP(X)
#undef X
    PLATFORM_DOWNLOAD_STATES
};
const char *platform_download_state_name(enum platform_download_state s);
enum platform_download_state platform_download_state_by_name(struct slice name);

enum platform_file { PLATFORM_FILE_MP4, PLATFORM_FILE_PS };
const char *platform_file_name(enum platform_file f); /* "mp4" */

#define PLATFORM_DOWNLOADS_MAX 256      /* remembered, the oldest final ones go */
#define PLATFORM_DOWNLOAD_PARTS 2048    /* files of the device in one of them */
#define PLATFORM_DOWNLOAD_GAPS 256      /* told of one of them */
#define PLATFORM_DOWNLOADS_DEVICE 8     /* running of one device */
#define PLATFORM_DOWNLOAD_TRIES 6       /* without progress */

struct platform_download_order {
    struct slice device, channel;
    uint64_t start_s, stop_s;
    enum platform_file format;
    enum platform_transport transport; /* AUTO: TCP where the device can */
    uint32_t speed;                    /* 0: 4 */
};

/* Where a file stands: what another session has to go on behind. The key frame
 * and the chain of the last picture are hashes, see app/media/splice.h. */
struct platform_download_mark {
    uint64_t bytes;      /* of the file, up to the end of the last picture */
    int64_t at_utc_ms;   /* of that picture; 0: there is none yet */
    int64_t end90k;      /* where the next one begins in the file */
    uint64_t key, chain;
};

struct platform_download {
    uint64_t id;
    struct slice device, channel;
    enum platform_file format;
    enum platform_transport transport;
    uint32_t speed;
    uint64_t start_s, stop_s;
    enum platform_download_state state;
    bool is_final, has_file;
    bool ends;           /* cancelled; it is gone as soon as its file is */
    uint64_t session;    /* that fetches now; 0: none */
    uint64_t received_bytes, filesize_bytes; /* of it, as the device sends and
                                                announces; 0: untold */
    size_t n_parts, n_parts_done; /* files of the device; 0: not known yet */
    int64_t covered_ms, total_ms; /* of the recorded time */
    unsigned tries;      /* sessions without progress, one after the other */
    unsigned sessions;   /* in all */
    struct platform_download_mark mark;
    int64_t created_utc_ms, ended_utc_ms;
    struct slice evidence;
    struct slice parts;  /* of platform_download_save, for the store alone */
};

enum platform_gap_kind {
    PLATFORM_GAP_NOT_RECORDED, /* the device has nothing */
    PLATFORM_GAP_NOT_SENT,     /* it has, as it said, and sent nothing */
    PLATFORM_GAP_LOST,         /* it could not be fetched */
};
struct platform_download_gap {
    int64_t from_utc_ms, to_utc_ms;
    enum platform_gap_kind why;
};

/* GB_ENOENT, GB_ERANGE, GB_ESYNTAX, GB_ELIMIT, GB_ENOMEM. A device that is
 * offline is waited for. */
int platform_download_start(struct platform *p,
                            const struct platform_download_order *o,
                            struct gb_time now, uint64_t *id);
/* Ends it, its file is removed. GB_ENOENT. */
int platform_download_cancel(struct platform *p, uint64_t id,
                             struct gb_time now);
/* The same of one that is cancelled, too: for the owner of its file. */
bool platform_download_file(const struct platform *p, uint64_t id,
                            struct platform_download *out);
bool platform_download_view(const struct platform *p, uint64_t id,
                            struct platform_download *out);
/* i from 0, newest first. */
bool platform_download_at(const struct platform *p, size_t i,
                          struct platform_download *out);
bool platform_download_gap_at(const struct platform *p, uint64_t id, size_t i,
                              struct platform_download_gap *out);
/* The view, with its parts as a line in buf, of cap bytes. */
#define PLATFORM_DOWNLOAD_SAVED_MAX 65536
bool platform_download_save(const struct platform *p, uint64_t id, char *buf,
                            size_t cap, struct platform_download *out);
/* As the store kept it; oldest first. What was running goes on. */
int platform_restore_download(struct platform *p,
                              const struct platform_download *d,
                              struct gb_time now);

/* What the file's owner reports of an order DO_SAVE: where the file stands;
 * over: the session has left it, and all of it is on the disk. err: it cannot
 * be written (text says why); it is tried again later where the disk is full
 * (GB_ELIMIT), else the download fails. */
struct platform_download_saved {
    uint64_t id, session;
    struct platform_download_mark mark;
    int64_t gap_from_utc_ms, gap_to_utc_ms; /* a hole that was met; 0: none */
    bool over;
    int err;
    const char *text;
};
void platform_download_saved(struct platform *p,
                             const struct platform_download_saved *s,
                             struct gb_time now);
/* The answer to DO_FILE_END; bytes: of the file that is there now. */
void platform_download_filed(struct platform *p, uint64_t id, uint64_t bytes,
                             int err, const char *text, struct gb_time now);

/* ---- what a device has recorded ------------------------------------------- */

#define PLATFORM_RECORDS_MAX 32      /* questions remembered, the newest */
#define PLATFORM_RECORDS_ITEMS 20000 /* of one answer; further ones are left out */
#define PLATFORM_ANSWER_MS 600000    /* of messages to one question; it is over */
#define PLATFORM_RECORDS_TEXT 16     /* bytes of its type */

struct platform_records_ask {
    struct slice device, channel;
    uint64_t start_s, stop_s; /* UNIX, of our clock; at most
                                 PLATFORM_PLAYBACK_MAX_S apart */
    struct slice type;        /* empty: all; time, alarm, manual */
};

/* One recording of a device, in times of our clock. */
struct platform_record {
    int64_t start_utc_ms, end_utc_ms;
    struct slice name, path, type;
    uint64_t bytes; /* 0: untold */
};

struct platform_records {
    uint64_t id, command; /* command: the last one that asked */
    struct slice device, channel, type;
    uint64_t start_s, stop_s;
    bool is_final;
    bool complete;        /* final, and nothing is known to be missing */
    enum platform_command_state state; /* of the last command */
    unsigned asked;       /* commands so far */
    size_t n;             /* items so far, in order of time, none twice */
    size_t lost;          /* items that could not be read, or had no room */
    struct slice evidence;
};

/* Asks, or finds the same question that is under way or was answered within the
 * last minute. GB_ENOENT, GB_ESTATE (offline), GB_ERANGE, GB_ESYNTAX, GB_ELIMIT,
 * GB_ENOMEM. */
int platform_records_start(struct platform *p,
                           const struct platform_records_ask *q,
                           struct gb_time now, uint64_t *id);
bool platform_records_view(const struct platform *p, uint64_t id,
                           struct platform_records *out);
bool platform_record_at(const struct platform *p, uint64_t id, size_t i,
                        struct platform_record *out);

/* ---- subscriptions ------------------------------------------------------ */

enum platform_subscription_state {
    PLATFORM_SUBSCRIPTION_NONE,    /* the device is offline */
    PLATFORM_SUBSCRIPTION_WAITING, /* to be asked for at next_utc_ms */
    PLATFORM_SUBSCRIPTION_ASKING,
    PLATFORM_SUBSCRIPTION_ACTIVE,
    PLATFORM_SUBSCRIPTION_REFUSED, /* not asked for again before next_utc_ms */
};

struct platform_subscription {
    struct slice device;
    enum platform_subscription_kind kind;
    enum platform_subscription_state state;
    unsigned status;        /* the last final answer of the device; 0: none */
    uint32_t notifies;
    int64_t expires_utc_ms; /* as granted; 0: not active */
    int64_t next_utc_ms;    /* asked or refreshed then; 0: not */
};

/* Those of one device that are wanted; their number. */
size_t platform_subscriptions_of(
    const struct platform *p, struct slice device,
    struct platform_subscription out[static PLATFORM_SUBSCRIPTION_KINDS]);
const char *platform_subscription_name(enum platform_subscription_kind k);
const char *
platform_subscription_state_name(enum platform_subscription_state s);

/* ---- commands ------------------------------------------------------------ */

#define PLATFORM_COMMANDS_MAX 1000  /* remembered, the newest */
#define PLATFORM_COMMANDS_OPEN 256  /* waiting for an answer at one time */
#define PLATFORM_COMMANDS_QUEUE 16  /* of them for one device */
#define PLATFORM_COMMAND_TRIES 2    /* of those that may be repeated */
#define PLATFORM_COMMAND_BODY 4096  /* bytes of one, as it is sent */
#define PLATFORM_COMMAND_ANSWER (256u << 10) /* bytes of JSON of one */
#define PLATFORM_COMMAND_ANSWERS (8u << 20)  /* of all; the oldest go first */

struct platform_command {
    uint64_t id;
    struct slice device, target; /* target: DeviceID of the body */
    struct slice cmd, sub;       /* "DeviceControl", "GuardCmd" */
    enum platform_command_state state;
    bool is_final;      /* nothing more is waited for; a late answer may come */
    bool partial;       /* ANSWERED, but not with all that was announced */
    bool late;          /* ANSWERED after it had been given up */
    bool cut;           /* answer is not all that came: too long, or too old */
    unsigned tries, sip_status, messages;
    uint32_t sn, have, sum; /* items of an answer in many messages */
    int64_t asked_utc_ms, sent_utc_ms, arrived_utc_ms, answered_utc_ms;
    struct slice evidence;  /* why it is as it is, for a person */
    struct slice answer;    /* JSON: its Responses, commas between; or empty */
};

/* A query, an order or a setting, by its codec (manscdp/bodies.h). */
struct platform_order {
    struct slice device, target; /* target empty: the device itself */
    enum manscdp_root root;      /* QUERY or CONTROL */
    enum manscdp_cmd cmd;
    const struct manscdp_body *body; /* NULL: no elements of its own */
    void *in;                    /* its struct; SN and DeviceID are set here */
    const struct xml_node *more; /* elements that no table has, behind it */
    unsigned edition;            /* 0: the device's, else 1 + enum
                                    manscdp_edition */
    bool may_repeat;             /* though its row does not say so */
};

/* Sends it, or queues it behind another one to the same device. GB_ENOENT (no
 * such device), GB_ESTATE (offline), GB_ESYNTAX (no such command, a bad target,
 * or a Catalog), GB_EUNSUPPORTED (not in the edition), GB_ERANGE (see
 * manscdp_body_fault), GB_ELIMIT, GB_ENOMEM. */
int platform_command_send(struct platform *p, const struct platform_order *o,
                          struct gb_time now, uint64_t *id);
/* How a device is written to. GB_ENOENT. */
int platform_device_dialect(const struct platform *p, struct slice id,
                            struct manscdp_dialect *out);
/* A PTZCmd. A movement (MOVE or LENS with a direction) goes on until it is
 * stopped; the same once more renews it, and is not sent again each time (*id
 * is that of the first), another one replaces it, and after ptz_hold_ms
 * without either it is stopped. name: of a preset that is set, or of a cruise
 * (2022), or empty. Errors of platform_command_send; GB_ELIMIT: too many
 * channels move; GB_ERANGE: see manscdp_ptz_write. */
struct platform_ptz {
    struct slice device, channel;
    struct manscdp_ptz command;
    struct slice name;
};
int platform_ptz(struct platform *p, const struct platform_ptz *r,
                 struct gb_time now, uint64_t *id);
/* Ends whatever moves, whoever began it. If it cannot be sent now it will be,
 * when the device is back. */
int platform_ptz_stop(struct platform *p, struct slice device,
                      struct slice channel, struct gb_time now, uint64_t *id);
/* platform_device_refresh, with a command that tells what becomes of the
 * catalog; *id 0: there was no room for one, the device is asked all the same. */
int platform_command_refresh(struct platform *p, struct slice device,
                             struct gb_time now, uint64_t *id);
bool platform_command_view(const struct platform *p, uint64_t id,
                           struct platform_command *out);
/* The newest one before `before` (0: the newest of all); false: no more. */
bool platform_command_before(const struct platform *p, uint64_t before,
                             struct platform_command *out);

/* What is armed. */
#define PLATFORM_DUTIES_MAX 20000
struct platform_duty {
    struct slice target;  /* the device, a channel or an alarm input */
    const char *duty;     /* "ONDUTY", "OFFDUTY", "ALARM" */
    const char *from;     /* "GuardCmd", "DeviceStatus" */
    int64_t utc_ms;
};
/* i from 0, in the order they became known. */
bool platform_duty_at(const struct platform *p, struct slice device, size_t i,
                      struct platform_duty *out);

/* ---- firmware ------------------------------------------------------------- */

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

/* The address at which this device is to reach us, by the rules of SDP; the
 * port is 0. false: no such device, or it has no binding. */
bool platform_device_reaches(const struct platform *p, struct slice id,
                             struct gb_addr *out);

/* ---- what a device has been seen to do ------------------------------------ */

#define PLATFORM_OUTCOME_MAP(X)                                                \
    X(ARRIVED,  "arrived")  /* 200, and no Response is due */                  \
    X(ANSWERED, "answered")                                                    \
    X(REFUSED,  "refused")                                                     \
    X(SILENT,   "silent")

enum platform_outcome {
#define X(id, name) PLATFORM_OUTCOME_##id,
    PLATFORM_OUTCOME_MAP(X)
#undef X
};
const char *platform_outcome_name(enum platform_outcome o);

struct platform_profile {
    bool edition_told;   /* by X-GB-Ver, else assumed or set */
    enum platform_transport media; /* the one that works; AUTO: not known */
    bool behind_nat;     /* its Contact is not where it sends from */
    uint32_t keepalive_gap_ms;     /* longest seen of late; 0: none yet */
    struct slice digest; /* algorithm it proved itself with; empty: none */
    bool alarms_by_message, alarms_by_notify, alarms_typed, alarms_untyped;
};
bool platform_profile_view(const struct platform *p, struct slice id,
                           struct platform_profile *out);

struct platform_profile_command {
    struct slice cmd, sub;
    enum platform_outcome last;
    unsigned asked, silent; /* times in all; of late, one after the other */
    bool knows, lacks;      /* lacks: refused, or silent twice */
};
/* Those that were tried; *pos from 0. */
bool platform_profile_command(const struct platform *p, struct slice id,
                              size_t *pos,
                              struct platform_profile_command *out);
/* Faults that were tolerated, each once; *pos from 0. */
bool platform_profile_deviation(const struct platform *p, struct slice id,
                                size_t *pos, const char **text);

/* ---- across restarts ---------------------------------------------------- */

/* A device as the store kept it; comes back on its first keepalive inside its
 * expiry. Call before the first input. */
struct platform_saved_device {
    struct slice id, name, manufacturer, model, firmware, user_agent, edition,
        charset;
    struct sip_peer peer; /* connection is ignored */
    int64_t registered_utc_ms, expires_utc_ms, keepalive_utc_ms;
    struct slice history, profile; /* of platform_device_save; may be empty */
};
int platform_restore_device(struct platform *p,
                            const struct platform_saved_device *d,
                            struct gb_time now);
int platform_restore_channel(struct platform *p,
                             const struct platform_channel *c);
/* Groups before the settings that name them, devices before theirs. */
int platform_restore_group(struct platform *p, struct slice name,
                           struct slice password,
                           const struct platform_policy *subscribe,
                           struct gb_time now);
int platform_restore_settings(struct platform *p, struct slice id,
                              const struct platform_settings *s,
                              struct gb_time now);
/* The highest ids that were given out before, so that none comes again. */
void platform_restore_ids(struct platform *p, uint64_t alarm,
                          uint64_t command);
/* BYE for a dialog of the process before (field-note 5.1), which was stored
 * under this key. DIALOG_CLOSED follows when that has been answered. GB_ESYNTAX
 * (a damaged store), GB_ENOMEM: nothing is known of it. */
int platform_restore_dialog(struct platform *p, uint64_t key,
                            const struct sip_dialog_state *d,
                            const struct sip_peer *peer, struct gb_time now);

/* Orderly stop: BYE to every session; platform_is_drained when all have ended
 * and every BYE has been answered or given up. */
void platform_drain(struct platform *p, struct gb_time now);
bool platform_is_drained(const struct platform *p);

struct platform_counters {
    uint64_t registers, register_refused, challenges, keepalives, catalogs,
        alarms, notifies, stray_notifies, notify_floods, stray_messages, bad_bodies,
        sessions_started, sessions_failed,
        dropped, kept_open;
    /* messages of strangers that got no answer, by reason */
    uint64_t banned, rate_limited, scanners, denied;
    /* REGISTERs told to come back later: too many in all, too many failures */
    uint64_t shed, backed_off, redirected;
    /* gauges: now */
    uint32_t devices, online, channels, sessions, ports_lent, ports_resting,
        ssrcs_lent, queries,
        commands, /* that wait for something */
        voices;
};
void platform_counters(const struct platform *p, struct platform_counters *out);
#endif
