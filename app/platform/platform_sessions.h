/* app/platform/platform_sessions.h - live sessions and playbacks, step by step */
#ifndef APP_PLATFORM_PLATFORM_SESSIONS_H
#define APP_PLATFORM_PLATFORM_SESSIONS_H

#include "app/platform/platform_base.h"
#include "app/platform/step.h"
#include "ps/codec.h"

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
                                    STARTING: what is odd so far; PLAYING:
                                    why it is sound alone, if that is seen */
    struct slice call_id;
    int64_t started_utc_ms;
    uint32_t step_ms[PLATFORM_STEP_COUNT]; /* after the start, or after what had
                                    played was begun again; 0: not reached */
    uint32_t consumers;
    enum ps_codec video, audio;
    uint32_t width, height;
    uint64_t packets, bytes, lost, foreign;
    bool ssrc_odd; /* media has another SSRC than agreed */
    uint32_t longer_ms; /* who waits for its picture waits so much longer than
                           for others: a platform below us may take its time */
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
/* after: an id, 0: the first. In the order in which they began; false: no more, or
 * that one has gone. */
bool platform_session_next(const struct platform *p, uint64_t after,
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
#endif
