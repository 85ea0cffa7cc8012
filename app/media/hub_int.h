/* app/media/hub_int.h - what the files of the hub share; see hub.h */
#ifndef APP_MEDIA_HUB_INT_H
#define APP_MEDIA_HUB_INT_H

#include "app/media/aac.h"
#include "app/media/fmp4.h"
#include "app/media/hub.h"
#include "app/media/mpegts.h"
#include "app/media/params.h"
#include "app/media/position.h"
#include "app/media/rtpmux.h"
#include "app/media/stamps.h"
#include "app/media/timeline.h"

#define TRACK_BIT(t) (1u << (t))
#define ALL_TRACKS (TRACK_BIT(MEDIA_TRACKS) - 1)
#define HUB_START_MASKS 4 /* every set of tracks, as bits */

/* A chunk in a ring, and the bytes that went before it. */
struct hub_slot {
    struct media_chunk *chunk;
    uint64_t before_bytes;
};

/* One format, while it has a viewer. Chunks tail..head-1 are there; viewers
 * have a sequence number in it. */
struct hub_ring {
    enum hub_format format;
    struct hub_slot *slot;
    uint32_t cap; /* a power of two */
    uint64_t tail, head, bytes;
    uint64_t key_seq; /* where a viewer may begin: the newest key frame, or
                         the first one while it is held */
    bool has_key;     /* key_seq is valid: all since then is in the ring */
    bool broken;      /* memory failed: nothing but a key frame helps */
    int64_t newest90k;
    int64_t last90k[MEDIA_TRACKS];
    struct fmp4_mux fmp4;
    struct mpegts_mux ts;
    bool sound_waits; /* idle viewers are not told yet of what has come */
    uint64_t sound_seq, sound_ms; /* since then */
    bool init_waits;  /* sound has changed: told with the next key frame */
    bool other_video; /* than the viewers of fMP4 may have begun with */
    struct media_chunk *start[HUB_START_MASKS]; /* made when asked for */
    /* viewers: with something to read; with nothing; waiting for a key frame
     * or to begin; ended or cut */
    struct list busy, idle, waiting, dead;
    uint32_t n_viewers;
};

#define HUB_EARLY_MAX 8 /* sounds while the first picture is on its way */

/* A sound that came before it was known that its picture is one. */
struct hub_early {
    struct media_frame *frame;
    struct timeline_in in;
};

struct hub_audio {
    enum ps_codec codec; /* of config */
    struct aac_config aac;
    struct aac_config loas; /* what LOAS has named last; channels 0: none */
    uint8_t *buf; /* one PES, and before it what the last one left over */
    size_t cap, n;
    bool rest_has_pts; /* stamp of the frame whose start is left over */
    uint64_t rest_pts90k;
    uint32_t samples; /* within the current second, for exact durations */
    struct hub_early early[HUB_EARLY_MAX];
    unsigned n_early;
};

/* hub_raw.c: bytes of the program stream that have not gone out. */
struct hub_raw {
    uint8_t *buf;
    size_t n, cap;
    uint64_t off;     /* of buf[0] in the stream */
    uint64_t done_off; /* the pack of the newest access unit */
    bool has_done;
    bool lost;        /* waits for the next pack */
    bool key;         /* a viewer may begin at off */
    uint32_t n_unmapped;
};

struct hub {
    const struct gb_alloc *alloc;
    struct hub_hooks hooks;
    struct hub_options opt;
    uint64_t now_ms;
    bool ended, audio_only;
    bool after_key; /* the last picture was one */
    bool need_key;  /* pictures are worthless until one comes */
    bool begun;     /* the timeline has begun */
    bool key_told, sound_told; /* once each, until hub_reopen */
    bool held;      /* nobody has had the recording's beginning: the cache
                       keeps it */
    bool expect_audio;
    bool program, no_program; /* access units came in packs; or in none */
    uint64_t unread_ms; /* the first picture of a codec that is not read */
    uint64_t first_key_ms, first_sound_ms, want_key_ms, next_tick_ms;
    uint64_t sound_due_ms; /* no later than sound must go out; GB_NEVER */
    uint64_t blind_ms; /* since when pictures come without parameter sets;
                          GB_NEVER: they do not */

    struct params *params;
    enum ps_codec video; /* of params */
    bool params_changed;
    struct kept_sets *kept; /* of an earlier session, until it has its own */
    struct media_config *config[MEDIA_TRACKS];
    uint32_t version; /* of the newest configuration of any track */
    struct hub_audio audio;
    struct timeline timeline;
    struct stamps stamps;
    struct position position; /* of a recording */

    struct media_room room;   /* of the frames */
    struct media_frame **gop; /* from a key frame on */
    uint32_t n_gop, cap_gop, gop_pictures;
    uint64_t gop_bytes;
    int64_t gop_dts90k; /* of its first frame, which lies in far memory */
    struct media_frame *key; /* the newest key frame, also without a cache */

    struct hub_ring *ring[HUB_FORMATS];
    struct rtpmux rtp; /* outlives its ring: one that paused goes on in sequence */
    struct hub_raw raw;
    uint32_t n_viewers;
    uint32_t walking; /* on_wake may be running: rings are not freed */
    struct list taps;

    struct hub_stats stats; /* counters only */
    int64_t last_key90k;
    uint64_t last_frame_ms;
    uint64_t rate_bytes, rate_since_ms;
};

/* hub_audio.c: one audio PES. */
/* The first picture has come, or what was begun is none. */
void hub_audio_release(struct hub *h, bool play);
void hub_audio_au(struct hub *h, const struct ps_au *au);

/* hub.c: takes f over: cache, rings, taps. */
void hub_publish(struct hub *h, struct media_frame *f);
/* Somebody begins with what was kept, or it is too much. */
void hub_held_end(struct hub *h);
/* Takes c over: the new configuration of a track. */
void hub_set_config(struct hub *h, enum media_track t, struct media_config *c);
double hub_fps(const struct hub *h);

/* hub_format.c: errors as of the muxers */
/* The configuration of t if it is among tracks and can be carried, borrowed;
 * or NULL. */
struct media_config *hub_format_config(const struct hub *h,
                                       const struct hub_ring *r,
                                       enum media_track t, unsigned tracks);
int hub_format_frame(struct hub *h, struct hub_ring *r, struct media_frame *f,
                     struct media_chunk **out);
/* What a viewer of these tracks gets first. */
int hub_format_start(struct hub *h, struct hub_ring *r, unsigned tracks,
                     int64_t at90k, struct media_chunk **out);
/* A new configuration of one track in mid-stream; not for HUB_FMP4, which
 * starts anew. GB_ENOENT: nothing needs to be said. */
int hub_format_change(struct hub *h, struct hub_ring *r, enum media_track t,
                      int64_t at90k, struct media_chunk **out);
void hub_format_mime(const struct hub *h, const struct hub_ring *r,
                     unsigned tracks, struct writer *w);

/* hub_raw.c */
void hub_raw_au(struct hub *h, const struct ps_au *au);
void hub_raw_end(struct hub *h);
/* Nothing goes out until the next pack. */
void hub_raw_lose(struct hub *h);
void hub_raw_reset(struct hub *h);

/* hub_ring.c */
static inline struct hub_ring *hub_ring_of(const struct hub_viewer *v)
{
    return v->hub->ring[v->opt.format];
}

static inline struct hub_slot *hub_slot_at(const struct hub_ring *r,
                                           uint64_t seq)
{
    return &r->slot[seq & (r->cap - 1)];
}

/* The first viewer of a format: the cache is muxed for it. */
int hub_ring_new(struct hub *h, enum hub_format f);
void hub_ring_free(struct hub *h, enum hub_format f);
/* Those without a viewer, unless on_wake may be running. */
void hub_rings_trim(struct hub *h);
/* Takes c over. false: no room, c is gone, and a key frame must come. */
bool hub_ring_push(struct hub *h, struct hub_ring *r, struct media_chunk *c);
/* Muxes one frame into the ring; false when nothing was added. */
bool hub_ring_frame(struct hub *h, struct hub_ring *r, struct media_frame *f);
void hub_ring_let_go(struct hub_ring *r, uint64_t until_seq);
void hub_ring_forget_starts(struct hub_ring *r);

/* hub_viewer.c */
void hub_viewer_wake(struct hub *h, struct hub_viewer *v);
void hub_viewer_move(struct hub_viewer *v, struct list *to);
/* ENDED or CUT: it will get no more than its window. */
void hub_viewer_finish(struct hub *h, struct hub_viewer *v,
                       enum hub_viewer_state state);
/* It waits: may it begin? at_key: the newest chunk is a key. */
void hub_viewer_try(struct hub *h, struct hub_ring *r, struct hub_viewer *v,
                    bool at_key);
/* From seq on, is there too much? allowed: besides what it began with. */
bool hub_viewer_is_slow(const struct hub *h, const struct hub_ring *r,
                        const struct hub_viewer *v, uint64_t seq, bool allowed);
/* Too far behind: on to the newest key frame, or wait for the next. */
void hub_viewer_skip(struct hub *h, struct hub_ring *r, struct hub_viewer *v);
bool hub_viewer_has_stalled(const struct hub *h, const struct hub_viewer *v);
bool hub_viewer_wants(struct hub_viewer *v, const struct media_chunk *c);

/* hub_rings.c */
/* Takes c over: into the ring of HUB_PS. */
void hub_rings_raw(struct hub *h, struct media_chunk *c);
void hub_rings_frame(struct hub *h, struct media_frame *f);
/* changed: there was another configuration of the track before. */
void hub_rings_config(struct hub *h, enum media_track t, bool changed);
/* Nobody may begin at an old key frame any more. */
void hub_rings_forget_key(struct hub *h);
void hub_rings_tick(struct hub *h);
/* Sound that has waited for a picture long enough goes out. */
void hub_rings_sound(struct hub *h);
void hub_rings_end(struct hub *h);
void hub_rings_free(struct hub *h);
#endif
