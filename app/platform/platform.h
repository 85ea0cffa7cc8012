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

#include "app/media/voice.h"
#include "app/platform/platform_base.h"
#include "app/platform/platform_commands.h"
#include "app/platform/platform_devices.h"
#include "app/platform/platform_downloads.h"
#include "app/platform/platform_past.h"
#include "app/platform/platform_profile.h"
#include "app/platform/platform_records.h"
#include "app/platform/platform_sessions.h"
#include "app/platform/platform_upgrades.h"
#include "ps/codec.h"
#include "sip/stack.h"

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

int platform_new(struct platform **out, const struct platform_config *cfg,
                 struct gb_time now);
void platform_free(struct platform *p);

/* Takes over what may change while the platform runs: auto_enrol, date,
 * timezone_min, quiet, trust_clocks, download_bytes, idle_stop_s, ptz_hold_ms,
 * reset_alarms, subscribe_s (spread over some time), rate_per_s, rate_burst,
 * media_address, advertise, digest, offer_qop, redirect, and the lists of
 * networks and ids: a device that they keep out now is unbound. GB_ENOMEM: the
 * lists, or advertise, stay as they were. */
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

/* Is a device registered over this connection, or from this address of UDP? */
bool platform_has_bound(const struct platform *p, const struct sip_peer *peer);

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
    struct kept_sets *sets; /* of its pictures, as far as they are known;
                               borrowed (app/media/params.h) */
};
void platform_media(struct platform *p, const struct platform_media_event *ev,
                    struct gb_time now);

/* ---- outputs ----------------------------------------------------------- */

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
    PLATFORM_VIDEO_OFFERED,  /* `device`, `channel`; `text`: since when, as it
                                says, at most 40 bytes (VideoUploadNotify) */
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
    struct slice event; /* EventType, what of its type: empty when untold */
    double longitude, latitude;
    bool has_position;
    int64_t received_utc_ms;
    int64_t acknowledged_utc_ms;   /* 0: nobody has seen to it */
    struct slice acknowledged_by;
};

/* Where something is, as it reports it. Texts: as on the wire, empty: untold. */
struct platform_position {
    struct slice device, channel;
    double longitude, latitude; /* WGS-84 degrees */
    struct slice time, speed, direction, altitude; /* km/h, degrees, m */
    int64_t received_utc_ms;
};

enum platform_level { PLATFORM_ERROR, PLATFORM_WARN, PLATFORM_INFO };

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
    struct kept_sets *sets; /* OPEN: of the channel's stream when it last
                               played; borrowed, NULL: not known */
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
