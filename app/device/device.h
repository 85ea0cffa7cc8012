/* app/device/device.h - the registering role: a camera or recorder as the
 * platform sees it. No sockets, no clock.
 *
 * REGISTER with digest, keep-alive, answers to queries, alarms, INVITE. Used by
 * gbcam and by simulated fleets; many devices share one SIP stack (fleet.h).
 * The owner's turn is that of app/platform/platform.h: hand in events and time,
 * carry out the actions, pump the stack. */
#ifndef APP_DEVICE_DEVICE_H
#define APP_DEVICE_DEVICE_H

#include "app/device/faults.h"
#include "base/addr.h"
#include "base/alloc.h"
#include "base/time.h"
#include "manscdp/msg.h"
#include "sip/stack.h"

#define DEVICE_ID_MAX 20
#define DEVICE_MAX_SESSIONS 16
#define DEVICE_VOICE DEVICE_MAX_SESSIONS /* the session of its loudspeaker */
#define DEVICE_RETRY_MS 60000   /* registration refused: standard, at least */
#define DEVICE_MISSES 3         /* keepalives without 200: register again */
#define DEVICE_ANSWER_MS 10000  /* our media socket must open within this */
#define DEVICE_ACK_MS 10000     /* 200 to ACK, then the session ends */
#define DEVICE_OVER_MS 32000    /* for the BYE behind a recording's end */
#define DEVICE_FILE_MS 8000     /* of a recording that ends early */

struct device_channel {
    const char *id;
    const char *name; /* UTF-8 */
};

/* Strings and channels are borrowed, and outlive the device. */
struct device_config {
    const struct gb_alloc *alloc;
    struct sip_stack *sip;
    uint64_t user;          /* high bits of the stack's user values: which
                               device of the fleet this is, below 2^32 */
    const char *id, *password;
    const char *name, *manufacturer, *model, *firmware;
    const char *server_id, *realm; /* realm: domain in From and To */
    struct sip_peer server; /* transport, listener, local, remote */
    const struct device_channel *channel;
    size_t n_channels;
    uint32_t expires_s;     /* 0: 3600 */
    uint32_t keepalive_s;   /* 0: 60 */
    uint32_t retry_ms;      /* 0: DEVICE_RETRY_MS. After a refusal so long; when
                               nobody answers a sixteenth of it at first, then
                               twice as long each time, up to it, by chance
                               shorter by up to a half */
    uint32_t items_per_message; /* catalog, recordings; 0: 1 */
    uint32_t presets_per_message; /* presets, cruise tracks; 0: all in one */
    uint8_t alarm_method, alarm_type; /* 0: 5 and 2, motion */
    double longitude, latitude; /* where it drives around; both 0: somewhere */
    uint32_t records;       /* pieces of half an hour that the camera has,
                               up to now; 0: 48 */
    uint32_t max_sessions;  /* 0: DEVICE_MAX_SESSIONS; past it 486 */
    struct manscdp_dialect dialect;
    struct device_faults faults;
    struct voice_faults voice_faults;
    int timezone_min;       /* 0 means UTC; devices live in +480 */
};

struct device;
int device_new(struct device **out, const struct device_config *cfg,
               struct gb_time now);
void device_free(struct device *d);

/* Events whose user value or whose target is this device. */
void device_sip(struct device *d, const struct sip_event *ev,
                struct gb_time now);
void device_tick(struct device *d, struct gb_time now);
/* Its tick comes soon: what that needs is brought near. Changes nothing. */
void device_ahead(const struct device *d);
uint64_t device_deadline(const struct device *d);

/* TCP signalling: the connection is up, or gone (0). */
void device_connected(struct device *d, uint64_t connection,
                      const struct gb_addr *local, struct gb_time now);
void device_disconnected(struct device *d, struct gb_time now);

/* Unregister and end the sessions. */
void device_stop(struct device *d, struct gb_time now);

/* An alarm of a channel, as configured; it must be online. By NOTIFY when the
 * platform is subscribed to such, else by MESSAGE. GB_ESTATE: it is not; or one
 * of method 2 was not reset since the last; or nobody has armed it, where it
 * wants that. */
int device_alarm(struct device *d, size_t channel, struct gb_time now);

/* Where it is, by MESSAGE, unless the platform is subscribed (2016). */
int device_report_position(struct device *d, struct gb_time now);

/* It would like to show something (VideoUploadNotify, 2022). */
int device_offer_video(struct device *d, struct gb_time now);

/* A channel goes away or comes back: the platform is told if it is subscribed,
 * and sees it in the catalog. GB_ENOENT, GB_ENOMEM. */
int device_set_channel(struct device *d, size_t channel, bool on,
                       struct gb_time now);

bool device_is_online(const struct device *d);
bool device_is_stopped(const struct device *d);
const char *device_id(const struct device *d);

/* ---- media ---------------------------------------------------------------- */

enum device_transport { DEVICE_UDP, DEVICE_TCP_CONNECT, DEVICE_TCP_LISTEN };

enum device_action_kind {
    DEVICE_DO_CONNECT,  /* open the TCP connection to the server at `remote` */
    DEVICE_DO_DISCONNECT, /* close it: it goes to another server, a CONNECT
                             follows. device_disconnected must not be called */
    DEVICE_DO_OPEN,     /* UDP: name the port that will send; TCP_LISTEN: listen;
                           then device_media_opened */
    DEVICE_DO_START,    /* send: the stream begins (TCP_CONNECT: connect) */
    DEVICE_DO_PACE,     /* a recording: paused, or goes on at `scale_milli`
                           and, unless it is below 0, from `position_ms` */
    DEVICE_DO_KEY,      /* live: the next picture is a key frame */
    DEVICE_DO_STOP,
    DEVICE_DO_UPLOAD,   /* `status` pictures of `channel` to the URL `text`,
                           then device_uploaded */
    DEVICE_STATE,       /* online, offline, refused: text */
    DEVICE_DONE,        /* an order was carried out, or (status 0) not: text */
};

struct device_action {
    enum device_action_kind kind;
    uint32_t session;       /* index, below DEVICE_MAX_SESSIONS; or
                               DEVICE_VOICE */
    uint32_t life;          /* which of those that have had this index: what the
                               edge says of it names both */
    enum device_transport transport;
    struct gb_addr remote;  /* where to send or connect to */
    uint32_t ssrc;
    uint8_t pt;
    size_t channel;
    unsigned stream;        /* 0 main, 1 sub */
    uint64_t start_s, length_ms; /* START of a recording; else 0 */
    int32_t scale_milli;    /* START, PACE; below 0: backwards */
    int64_t position_ms;    /* PACE */
    bool paused;
    bool is_voice;          /* OPEN, START: it receives G.711, raw or in PS, */
    bool is_talk;           /* and sends the same raw, with `ssrc` and `pt` */
    bool is_ps, is_ulaw;
    const char *text;       /* STATE, DONE: the order's element */
    unsigned status;        /* STATE: the last SIP status, 0 none */
};
bool device_action(struct device *d, struct device_action *out);

/* What the edge says of a session, by the index and life of its action; of one
 * that has ended meanwhile nothing happens.
 * Its socket is ready on `local` (address and port), or could not be opened (no
 * family): answered 500. */
void device_media_opened(struct device *d, uint32_t session, uint32_t life,
                         const struct gb_addr *local, struct gb_time now);
/* All of a recording has been sent: the server is told. */
void device_media_over(struct device *d, uint32_t session, uint32_t life,
                       struct gb_time now);
/* So many pictures have been taken from us: the server is told. */
void device_uploaded(struct device *d, unsigned n, struct gb_time now);
/* Sending is not possible any more: BYE. */
void device_media_lost(struct device *d, uint32_t session, uint32_t life,
                       struct gb_time now);

struct device_counters {
    uint64_t registers, keepalives, missed, invites, refused, alarms, queries,
        notifies;
};
const struct device_counters *device_counters(const struct device *d);
#endif
