/* app/media/hub.h - one live stream: access units in, shared chunks out
 *
 *   ps_demux ──► hub_au ──► frame ──► GOP cache ──► snapshot, taps
 *                              │
 *                              └──► one ring of chunks per format that has a
 *                                   viewer ──► viewers, each with a cursor
 *   payloads ──► hub_program ──► a ring of the program stream as it came
 *
 * An access unit is copied once; each format is muxed once, and only while it
 * has a viewer; a viewer holds references to at most a small window of chunks.
 * Nothing queues per viewer. One that falls behind is skipped to a key frame,
 * one that stops reading is cut; neither slows another.
 *
 * A hub and its viewers live on one loop: no locks. Time is an argument; the
 * owner calls hub_tick at hub_deadline. */
#ifndef APP_MEDIA_HUB_H
#define APP_MEDIA_HUB_H

#include "app/media/chunk.h"
#include "app/media/frame.h"
#include "base/list.h"
#include "base/time.h"
#include "base/writer.h"

/* Defaults of struct hub_options. */
#define HUB_GOP_BYTES (8u << 20)
#define HUB_GOP_MS 10000
#define HUB_GOP_FRAMES 300       /* pictures */
#define HUB_SLOW_MS 2000         /* media time behind: skip to a key frame */
#define HUB_SLOW_BYTES (4u << 20)
#define HUB_STALL_MS 10000       /* nothing read for so long: cut */
#define HUB_MAX_VIEWERS 4096

/* Fixed. */
#define HUB_NO_AUDIO_MS 500      /* after the first key frame: video only,
                                    when no map lists audio */
#define HUB_LATE_AUDIO_MS 2500   /* the same when a map lists it */
#define HUB_NO_VIDEO_MS 5000     /* after the first sound: audio only */
#define HUB_RING_CHUNKS 4096     /* of one format: pictures and sound */
#define HUB_WINDOW_CHUNKS 32     /* given out to a viewer, not yet consumed */
#define HUB_WINDOW_BYTES (256u << 10) /* no further chunk beyond this */
#define HUB_GOP_ENTRIES 2048     /* pictures and sounds of the cache */
#define HUB_HELD_MS 30000        /* of a recording's beginning: kept for its
                                    first viewer... */
#define HUB_HELD_BYTES (16u << 20) /* ...and no more of it than this */
#define HUB_WANT_KEY_MS 1000     /* between two calls of on_want_key */
#define HUB_BLIND_MS 1000        /* pictures without parameter sets: ask, too */
#define HUB_TICK_MS 250          /* how exact the limits of viewers are */
#define HUB_SOUND_WAIT_MS 40     /* for the next picture, to be written with */
#define HUB_MIME_MAX 128
#define HUB_RAW_BYTES (9u << 20) /* of HUB_PS, held back until it is known
                                    whether a key frame begins there */
#define HUB_RAW_UNMAPPED 250     /* access units of a codec that is not read,
                                    and no map: a viewer may begin */
#define HUB_UNREAD_MS 2000       /* pictures of such a codec: it plays */

enum hub_format {
    HUB_FLV,          /* H.265 as codec id 12 */
    HUB_FLV_ENHANCED, /* H.265 as FourCC hvc1 */
    HUB_FMP4,
    HUB_TS,      /* without G.711, which players do not know in it */
    HUB_TS_G711,
    HUB_PS,      /* the bytes of the device, from a pack with a key frame on */
    HUB_RTP,     /* packets for RTSP (app/media/rtpmux.h) */
    HUB_FORMATS
};

#define HUB_VIEWER_STATE_MAP(X)                                                \
    X(WAIT_CONFIG, "waiting for the stream")                                   \
    X(WAIT_KEY,    "waiting for a key frame")                                  \
    X(CATCH_UP,    "sending the cached pictures")                              \
    X(LIVE,        "live")                                                     \
    X(SKIP,        "too slow: skipping to the next key frame")                 \
    X(ENDED,       "the stream has ended")                                     \
    X(CUT,         "cut: not reading")

enum hub_viewer_state {
#define X(id, text) HUB_VIEWER_##id,
    HUB_VIEWER_STATE_MAP(X)
#undef X
};

struct hub;
struct kept_sets; /* app/media/params.h */

struct hub_viewer_options {
    enum hub_format format;
    enum media_framing framing;
    bool no_audio; /* picture only */
    bool no_gop;   /* start at the next key frame, not with the cache */
    bool sound_waits; /* sound wakes it HUB_SOUND_WAIT_MS later, or with the
                         next picture: one write for both */
};

/* Embedded by the edge's connection object, zeroed before its first use. The
 * edge reads state, bytes, jumps and dropped; the rest is the hub's. */
struct hub_viewer {
    enum hub_viewer_state state;
    uint64_t bytes;   /* consumed */
    uint64_t jumps;   /* times it was skipped to a key frame */
    uint64_t dropped; /* pictures and sounds it missed by that */

    struct hub *hub; /* NULL: removed, or the hub is gone */
    struct list node;
    struct hub_viewer_options opt;
    uint8_t tracks; /* bits 1 << media_track, fixed at its start */
    bool idle;      /* has everything: on_wake comes with the next chunk */
    bool skip_leading; /* pictures before its first key frame in time */
    bool timed;        /* it has been given a time of its own */
    uint32_t version;  /* it was sent all configurations up to this */
    uint64_t seq;   /* of the next chunk of the ring to take */
    uint64_t progress_ms; /* when it last read something, or was idle */
    int64_t base90k;       /* of its first picture: 0 in times of its own */
    int64_t allow90k;      /* the cache it began with: not slowness */
    uint64_t allow_bytes;
    size_t off;            /* consumed of held[first] */
    size_t held_bytes;     /* of the window, as framed */
    uint16_t first, n_held;
    struct media_chunk *held[HUB_WINDOW_CHUNKS]; /* ring */
    char time[HUB_WINDOW_CHUNKS][MEDIA_TIME_BYTES]; /* those of held */
};

/* All synchronous, inside hub_au, hub_tick and hub_end (on_want_key also inside
 * hub_viewer_add). Any may be NULL but on_wake (needed once there is a viewer).
 * They must not call hub_au, hub_tick, hub_end or hub_free. */
struct hub_hooks {
    /* An idle viewer has something to read, or its state became CUT or ENDED.
     * It may do so later, at best before now_ms is another. May call every
     * hub_viewer function, also remove, for any viewer. Not called again until
     * hub_viewer_next has found nothing more. */
    void (*on_wake)(void *ctx, struct hub_viewer *v);
    /* The first key frame with a complete configuration is there; or pictures
     * of a codec that only HUB_PS carries. */
    void (*on_first_key)(void *ctx);
    /* A viewer waits and no key frame is cached: ask the device for one
     * (IFrameCmd). At most once a second. */
    void (*on_want_key)(void *ctx);
    /* A track's configuration is new or has changed. */
    void (*on_config)(void *ctx, enum media_track track,
                      const struct media_config *c);
    /* hub_deadline has come nearer. */
    void (*on_sooner)(void *ctx);
    /* HUB_NO_VIDEO_MS of sound and no picture: it plays by itself. */
    void (*on_sound_alone)(void *ctx);
    void *ctx;
};

/* 0 or NULL stands for the default. */
struct hub_options {
    uint32_t gop_bytes, gop_ms, gop_frames;
    uint32_t slow_ms, slow_bytes, stall_ms;
    uint32_t max_viewers;
    bool history;        /* a recording is played (see timeline.h): its
                            beginning is kept until somebody takes it */
    int64_t history_ms;  /* its length */
    bool freeze_on_loss; /* after a loss nothing until the next key frame;
                            else damage is shown */
    uint32_t aac_rate_hz; /* of AAC without ADTS, from the SDP; 0: 16000 */
    bool expect_audio;    /* the SDP promises audio */
    uint64_t rtp_seed;    /* of HUB_RTP: see rtpmux_init */
    int64_t utc_base_ms;  /* UTC when the clock of now_ms was 0 */
    const struct gb_alloc *blocks; /* of the frames (media_room_init), which outlives
                                      them; NULL: as everything */
};

/* hooks and opt are copied; alloc must outlive the hub and every chunk.
 * opt may be NULL. 0 or GB_ENOMEM. */
int hub_new(struct hub **out, const struct gb_alloc *alloc,
            const struct hub_hooks *hooks, const struct hub_options *opt);

/* Viewers still there become ENDED without a wake; what they were given stays
 * valid until each is removed. NULL is fine. */
void hub_free(struct hub *h);

/* hub_au will be called soon: what it needs is fetched from far memory. */
void hub_prefetch(const struct hub *h);

/* One access unit of the demuxer; copied when needed, borrowed for the call. */
void hub_au(struct hub *h, const struct ps_au *au, uint64_t now_ms);

/* The first tap: bytes of the program stream, before the demuxer gets the same
 * ones; borrowed for the call. hub_program_done follows when it has had them.
 * Neither is needed unless hub_wants_program. */
struct hub_program {
    const uint8_t *p;
    size_t n;
    uint64_t off; /* of p in the stream, counted as the demuxer does */
    bool gap;     /* something is missing before it */
    struct ps_place place; /* of the demuxer before that */
};
bool hub_wants_program(const struct hub *h);
void hub_program(struct hub *h, const struct hub_program *p, uint64_t now_ms);
void hub_program_done(struct hub *h, const struct ps_place *place);
/* false: what comes is no program stream, HUB_PS will have nothing. */
bool hub_has_program(const struct hub *h);

/* From the demuxer's on_stream: a map lists this stream. */
void hub_stream(struct hub *h, const struct ps_stream *s);

/* Somebody who is no viewer waits for a key frame: on_want_key, unless it was
 * called within the last second or there are no pictures. */
void hub_want_key(struct hub *h);

/* Waits that have run out, viewers that have stalled. */
void hub_tick(struct hub *h, uint64_t now_ms);
uint64_t hub_deadline(const struct hub *h); /* GB_NEVER: none */

/* The sets of an earlier session of the same source, of which it takes a
 * reference (NULL: none are known): a first key frame that comes without any
 * begins with them, and a key frame that has some is asked for. Its own take
 * their place as they would that of its own. */
void hub_remember(struct hub *h, struct kept_sets *sets);

/* Another connection of the same source begins: its first key frame, or its
 * sound alone, is told again; pictures before that key frame are dropped. */
void hub_reopen(struct hub *h);

/* A recording: the device was asked to send at another speed (milli, 1000 as
 * recorded), and, unless seek_ms is below 0, from another position. */
void hub_pace(struct hub *h, int32_t scale_milli, int64_t seek_ms);

/* Viewers of this format get what is of this codec. Not of HUB_PS, which has no
 * frames. */
bool hub_format_carries(enum hub_format f, enum ps_codec c);

/* Nothing more will come: viewers get what is there, then ENDED. */
void hub_end(struct hub *h);

/* --- viewers ----------------------------------------------------------- */

/* v lives until hub_viewer_remove. It may have bytes at once: call
 * hub_viewer_next after this. 0, GB_ELIMIT (viewers), GB_ENOMEM, GB_ESTATE
 * (ended). */
int hub_viewer_add(struct hub *h, struct hub_viewer *v,
                   const struct hub_viewer_options *opt, uint64_t now_ms);

/* Releases all it holds: no write of its bytes may be in flight. Harmless
 * when it is in no hub. */
void hub_viewer_remove(struct hub_viewer *v);

/* The bytes to write next: at most max pieces, which stay valid and unchanged
 * until they are consumed or v is removed. Asked again without consuming, it
 * begins with the same bytes and may give more behind them. Each piece ends
 * within one message.
 *
 * one_message  stop at the end of the message that is open, or, at a
 *              boundary, of the next one: for putting a frame of one's own
 *              (pong, close) in between
 *
 * Returns the number of pieces; 0: nothing now, on_wake will come, unless
 * state is ENDED or CUT. */
size_t hub_viewer_next(struct hub_viewer *v, struct media_iov *out, size_t max,
                       bool one_message);

/* n bytes of those given out are written. */
void hub_viewer_consumed(struct hub_viewer *v, size_t n);

/* What was consumed ends with a whole message (tag, fragment, segment). */
bool hub_viewer_at_boundary(const struct hub_viewer *v);

/* Milliseconds of media that v is behind the newest chunk. */
uint32_t hub_viewer_lag_ms(const struct hub_viewer *v);

/* "video/mp4; codecs=...", "video/x-flv" or "video/mp2t", with a NUL.
 * false while the tracks are not decided (WAIT_CONFIG). */
bool hub_viewer_mime(const struct hub_viewer *v, char buf[static HUB_MIME_MAX]);

const char *hub_viewer_state_text(enum hub_viewer_state s);

/* --- pictures ---------------------------------------------------------- */

/* The newest key frame as a complete fMP4; *out is the caller's, and lives on
 * without the hub. 0, GB_ENOENT (none yet), GB_EUNSUPPORTED or GB_ENOMEM. */
int hub_snapshot(struct hub *h, struct media_chunk **out);

/* --- taps: every frame, for recorder, RTSP, HLS, push ------------------- */

/* on_frame: synchronous, inside hub_au; keep f with media_frame_ref. config is
 * that of f's track, keep it with media_config_ref. */
struct hub_tap {
    struct list node;
    void (*on_frame)(void *ctx, struct media_frame *f,
                     struct media_config *config);
    void (*on_end)(void *ctx); /* hub_end or hub_free; may be NULL */
    void *ctx;
};

/* from_gop: the cached GOP is delivered inside this call. */
void hub_tap_add(struct hub *h, struct hub_tap *t, bool from_gop);
void hub_tap_remove(struct hub_tap *t); /* harmless when it is in no hub */

/* The configuration of a track, borrowed; NULL: not known. */
struct media_config *hub_config(const struct hub *h, enum media_track t);

/* No further track is waited for: a description may be given. */
bool hub_is_decided(struct hub *h, uint64_t now_ms);
uint32_t hub_rtp_ssrc(const struct hub *h, enum media_track t);

/* Where the recording that is played stands, ms from its start. */
int64_t hub_position_ms(const struct hub *h);

/* --- figures ----------------------------------------------------------- */

struct hub_stats {
    enum ps_codec video, audio; /* UNKNOWN: none yet */
    uint32_t width, height;
    double fps;             /* of the median of the last deltas; 0: unknown */
    uint32_t bitrate;       /* bit/s of frames, over the last seconds */
    uint32_t key_interval_ms; /* between the last two key frames; 0: unknown */
    uint32_t rate_hz;
    uint8_t channels;
    uint64_t frames, keys, sounds; /* taken in */
    uint64_t dropped;       /* access units that were not: no key yet, no
                               memory, damaged, codec that has no output */
    uint64_t discontinuities; /* jumps of the device's clock */
    uint32_t config_changes;
    int64_t position_ms;    /* in the recording that is played */
    uint64_t last_frame_age_ms; /* GB_NEVER: no frame yet */
    uint64_t first_key_ms;  /* mono; GB_NEVER: none yet */
    uint32_t viewers[HUB_FORMATS];
    uint32_t cached_frames;
    uint64_t cached_bytes;
    uint64_t jumps, cuts;   /* of slow viewers */
};
void hub_stats(const struct hub *h, uint64_t now_ms, struct hub_stats *out);
#endif
