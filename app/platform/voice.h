/* app/platform/voice.h - voice to a device: broadcast, in which the device
 * invites us, and talk, in which we invite it (GB/T 28181-2022 9.12; Talk is of
 * devices before 2022)
 *
 *   start ─► ASKING ─(INVITE of the device)─► OPENING ─► ANSWERED ─► SPEAKING
 *     │         │ ▲  refused: the next target     ▲          ▲           │
 *     │         ▼ └──────────────┐                │          │           ▼
 *     └──────► OPENING ─► INVITING ───────────────┴──────────┘     CLOSING ─► GONE
 *              (talk)        │        200
 *                            └─► TURNING ─► ASKING: mode auto, and no talk
 *
 * One object a device: there is one speaker a device. It owns port, SSRC, dialog
 * and the orders to the media loop; call_free is the only way out. The device's
 * INVITE may come before or after its Response, and the Response not at all; it
 * is matched by the device, since one voice at a time is asked for, and what its
 * codes say otherwise is noted. Sending begins with the ACK, over UDP a second
 * behind the 200 at the latest; over TCP with the connection. */
#ifndef APP_PLATFORM_VOICE_H
#define APP_PLATFORM_VOICE_H

#include "app/platform/platform.h"

#define PLATFORM_VOICES_MAX 256     /* devices that are spoken to at one time */
#define PLATFORM_VOICE_WHO_MAX 64   /* bytes of who speaks */
#define PLATFORM_VOICE_ASK_MS 10000 /* 200, Response, INVITE: each */
#define PLATFORM_VOICE_ACK_MS 1000  /* UDP: sent without an ACK */
#define PLATFORM_VOICE_CONNECT_MS 10000 /* 200 to the TCP connection */
#define PLATFORM_VOICE_MAX_S 600    /* longest, unless it is told otherwise */
#define PLATFORM_VOICE_LATE_MS 60000 /* an INVITE for one that was given up is
                                        answered 486 */

#define PLATFORM_VOICE_MODE_MAP(X)                                             \
    X(AUTO,      "auto") /* what has worked, else broadcast, then talk */      \
    X(BROADCAST, "broadcast")                                                  \
    X(TALK,      "talk")

enum platform_voice_mode {
#define X(id, name) PLATFORM_VOICE_##id,
    PLATFORM_VOICE_MODE_MAP(X)
#undef X
    PLATFORM_VOICE_MODES
};
const char *platform_voice_mode_name(enum platform_voice_mode m);
/* PLATFORM_VOICE_MODES: it is none. */
enum platform_voice_mode platform_voice_mode_by_name(struct slice name);

/* The links of the chain, in order; a failure names the one that broke. */
#define PLATFORM_VOICE_STEP_MAP(X)                                             \
    X(DEVICE,   "device")   /* it is known and online */                       \
    X(ASKED,    "asked")    /* Broadcast is sent */                            \
    X(ARRIVED,  "arrived")  /* 200 to it */                                    \
    X(ACCEPTED, "accepted") /* its Response says OK */                         \
    X(INVITED,  "invited")  /* the device has invited us; talk: it is */       \
    X(OFFER,    "offer")    /* its description can be used */                  \
    X(SOCKET,   "socket")   /* our media port is open */                       \
    X(ANSWERED, "answered") /* 200 to the INVITE */                            \
    X(CONNECT,  "connect")  /* TCP media connection is up */                   \
    X(SPEAKING, "speaking") /* what is said goes out */                        \
    X(ENDED,    "ended")

enum platform_voice_step {
#define X(id, name) PLATFORM_VOICE_STEP_##id,
    PLATFORM_VOICE_STEP_MAP(X)
#undef X
    PLATFORM_VOICE_STEPS
};
const char *platform_voice_step_name(enum platform_voice_step s);

enum platform_voice_state {
    PLATFORM_VOICE_STARTING, PLATFORM_VOICE_SPEAKS, PLATFORM_VOICE_OVER,
    PLATFORM_VOICE_FAILED,
};

struct platform_voice {
    uint64_t id;
    struct slice device, channel;
    struct slice target;           /* TargetID, or who is invited */
    enum platform_voice_mode mode; /* BROADCAST or TALK: the one under way */
    enum platform_voice_state state;
    enum platform_voice_step step; /* reached, or FAILED: the one that broke */
    uint32_t step_ms[PLATFORM_VOICE_STEPS]; /* after the start; 0: not reached */
    unsigned loop;
    enum platform_transport transport;
    bool ulaw, ps;
    uint16_t port;
    uint32_t ssrc;
    struct gb_addr remote;         /* where it goes */
    unsigned sip_status;
    struct slice who;              /* speaks */
    struct slice evidence, hint;   /* FAILED, OVER: why */
    int64_t started_utc_ms;
    uint64_t received;             /* packets of the device; talk */
    enum ps_codec audio;           /* of them */
    struct voice_counters said;
};

struct platform_voice_wish {
    struct slice device, channel; /* channel may be the device itself */
    enum platform_voice_mode mode;
    enum platform_transport transport; /* of a talk; a broadcast's is the
                                          device's choice */
    struct slice who;
    uint32_t max_s;      /* 0: PLATFORM_VOICE_MAX_S */
    uint32_t packet_ms;  /* 0: the default of app/media/voice.h */
    uint32_t whole_ms;   /* a recording so long; 0: somebody speaks */
    bool bare;           /* over TCP without the length in front: a fault that
                            some devices want */
};

/* GB_ENOENT (unknown device, or no id of a channel), GB_ESTATE (offline, or we
 * stop), GB_EEXIST (somebody speaks: *out is what he does), GB_ELIMIT, GB_ENOMEM,
 * GB_ERANGE (whole_ms), GB_EUNSUPPORTED (a microphone or an alarm input); but
 * for GB_EEXIST *out has step, evidence and hint. */
int platform_voice_start(struct platform *p,
                         const struct platform_voice_wish *w,
                         struct gb_time now, struct platform_voice *out);
/* why: of the evidence, static. A stale id does nothing. */
void platform_voice_stop(struct platform *p, uint64_t id, const char *why,
                         struct gb_time now);
bool platform_voice_view(const struct platform *p, uint64_t id,
                         struct platform_voice *out);
/* i from 0, oldest first. */
bool platform_voice_at(const struct platform *p, size_t i,
                       struct platform_voice *out);
/* The one that is said, or about to be, to this device. */
bool platform_voice_of(const struct platform *p, struct slice device,
                       struct platform_voice *out);
#endif
