/* app/media/timeline.h - device clocks in, one rising 90 kHz timeline out
 *
 * A camera's time stamps wrap at 33 or 32 bits, restart, jump, step back,
 * stand still or are missing; audio may count in 1/8000 s. What comes out
 * starts near 0, rises strictly per track (by a millisecond at least: FLV
 * counts no finer), and keeps sound beside picture.
 * Audio runs on its samples and is anchored again when it has drifted.
 *
 * Plain value, no allocation, no clock: arrival is an argument. */
#ifndef APP_MEDIA_TIMELINE_H
#define APP_MEDIA_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/media/frame.h"

#define TIMELINE_STEP 90          /* the smallest step of a track */
#define TIMELINE_NOMINAL 3600     /* a video frame until deltas are known */
#define TIMELINE_DELTAS 16        /* deltas whose median is the frame time */
#define TIMELINE_BACK_VIDEO 45000 /* a step back by more is a new epoch */
#define TIMELINE_BACK_AUDIO 90000
#define TIMELINE_AHEAD 900000     /* a step ahead by more, too */
#define TIMELINE_STILL 25         /* so many equal stamps, too */
#define TIMELINE_DRIFT 18000      /* audio: 200 ms */
#define TIMELINE_PAIR_MS 2000     /* the tracks change epoch together */
#define TIMELINE_APART 180000     /* tracks further apart: unrelated clocks */
#define TIMELINE_MAX_REORDER 4    /* frames */
#define TIMELINE_SEEN 8           /* stamps remembered to find the depth */

struct timeline_options {
    bool history; /* recorded material: arrival is never used */
};

struct timeline_track {
    bool begun, had_pts;
    bool by_arrival;       /* its stamps are nonsense: arrival time is used */
    bool unit8000;         /* audio PTS counts in 1/8000 s */
    uint64_t wire;         /* last PTS or RTP stamp as it came */
    int64_t raw;           /* the same unwrapped, 90 kHz */
    int64_t offset;        /* raw + offset = out */
    bool jumped;           /* changed epoch, at epoch_ms of arrival */
    uint64_t epoch_ms;
    int64_t last_dts, last_pts;
    uint32_t last_dur;
    uint32_t still;        /* equal stamps in a row */
    uint32_t n_frames, n_bad; /* of the current window of 100 */
    /* audio */
    bool checked;          /* the unit of its PTS is known */
    bool dropping;         /* until the stamps have caught up */
    int64_t check_raw, check_ticks;
    /* video: decoding order out of presentation order */
    uint32_t delta[TIMELINE_DELTAS];
    uint8_t n_delta, i_delta;
    int64_t seen[TIMELINE_SEEN]; /* last stamps, for finding the depth */
    uint8_t n_seen, i_seen, back_steps, since_step;
    int64_t sorted[TIMELINE_MAX_REORDER + 1];
    uint8_t n_sorted, reorder;
    bool in_order; /* the SPS rules out that pictures come out of order */
    /* video by arrival */
    uint64_t arrival_ms;
    int64_t pace; /* smoothed time between frames */
    /* video: do its stamps count in 1/90000 s? */
    uint8_t n_unit, n_slow; /* frames since, windows in a row that were slow */
    uint64_t unit_ms;
    int64_t unit_raw;
};

struct timeline {
    struct timeline_options opt;
    struct timeline_track track[MEDIA_TRACKS];
    bool begun;
    uint32_t scale_milli; /* 0: 1000 */
    bool back;            /* ... backwards */
};

struct timeline_in {
    enum media_track track;
    bool has_pts;
    bool alone;           /* a key frame behind a key frame */
    uint64_t pts90k;      /* 33 bit, as on the wire */
    bool has_rtp;
    uint32_t rtp_ts;      /* used while the track never had a PTS */
    uint32_t duration90k; /* audio: of its samples, exact; video: 0 */
    uint64_t now_ms;      /* arrival */
};

struct timeline_out {
    int64_t dts90k, pts90k;
    uint32_t duration90k;
    bool new_epoch; /* the device's clock has jumped before this frame */
    bool drop;      /* audio that must not be played: dts90k is not valid */
};

/* opt may be NULL. */
void timeline_init(struct timeline *t, const struct timeline_options *opt);

/* Frames of reordering that the SPS declares. Before the first frame, or at a
 * key frame. 0: there is none, and a stamp that steps back is wrong; -1: it says
 * nothing, the depth is found from the stamps. */
void timeline_set_reorder(struct timeline *t, int depth);

/* The device sends so many times as fast as it recorded, with the stamps of the
 * recording; what comes out keeps pace with what arrives. Sound is dropped
 * meanwhile. milli: 1000 as recorded; below 0: backwards, by key frames that are
 * alone, or by groups of pictures each of which runs ahead. */
void timeline_set_scale(struct timeline *t, int32_t milli);

/* The time of the next frame of a track. */
void timeline_next(struct timeline *t, const struct timeline_in *in,
                   struct timeline_out *out);

/* Median of the last video deltas; 0 before two frames. */
uint32_t timeline_frame_time(const struct timeline *t);

/* Signed difference of two 33 bit stamps; a 32 bit wrap of a device that
 * truncates is seen through (media time 8589932482 to 1490 is +3600). */
int64_t timeline_diff33(uint64_t now, uint64_t last);
#endif
