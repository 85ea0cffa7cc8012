/* app/media/recorder.h - frames of a live stream into segments of fragmented MP4
 *
 *   hub tap ──► recorder ──► pieces: BEGIN, BYTES, BYTES, …, END, BEGIN, …
 *                                    └── taken by whoever writes files
 *
 * A segment begins with a key frame (or with sound that is alone), at the time
 * RECORDER_LEAD90K, and ends before a key frame: when it is old enough, when a configuration has
 * changed, when something was left out. Nothing is in two segments. Its last
 * bytes are the index of its key frames.
 *
 * Other parameter sets of the picture are believed when a second key frame has
 * them too: until then the frames wait. Two senders in one session would cut a
 * segment with each key frame; of the one whose sets do not come twice in a row
 * the pictures are left out.
 *
 * It knows no file and no clock. What nobody takes gathers up to a limit; above
 * it whole groups of pictures are left out, counted, and the segment ends, so
 * that the hole is seen. A group without an end is cut, sound that is alone
 * anywhere. The stream it records is never held up. */
#ifndef APP_MEDIA_RECORDER_H
#define APP_MEDIA_RECORDER_H

#include "app/media/mp4index.h"
#include "base/list.h"

#define RECORDER_BYTES_MAX (16u << 20) /* gathered: the disk does not keep up */
#define RECORDER_GROUP_BYTES_MAX (8u << 20) /* on top of it: of a group of pictures
                                               that is not cut for that */
#define RECORDER_PIECE_BYTES (256u << 10) /* of one piece, about */
#define RECORDER_LEAD90K 45000 /* where its first picture is: sound of before,
                                  which often comes behind it, has its place */
#define RECORDER_DOUBT_FRAMES 1024 /* of parameter sets that are not believed */
#define RECORDER_DOUBT_BYTES (8u << 20)
#define RECORDER_JOIN_MS 2000 /* a segment that begins so soon after the last
                                 one continues it */
#define RECORDER_SET_MS 60000 /* the time of day is off the pictures by more: the
                                 clock was set, and another segment begins */

enum recorder_kind { RECORDER_BEGIN, RECORDER_BYTES, RECORDER_END };

struct recorder_piece {
    struct list node;
    enum recorder_kind kind;
    int64_t utc_ms; /* BEGIN: of its first picture; END: behind its last one */
    bool sound;     /* BEGIN: it has sound */
    size_t n, cap;
    char bytes[];
};

/* Frames from a key frame with other parameter sets on; references. */
struct recorder_doubt {
    struct media_config *video, *audio; /* NULL video: there is no doubt */
    struct media_frame **frame;         /* RECORDER_DOUBT_FRAMES */
    size_t n, bytes;
    int64_t utc_ms; /* of the first */
};

struct recorder {
    const struct gb_alloc *alloc;
    struct recorder_doubt doubt;
    uint32_t segment_ms;
    size_t most;           /* that may gather; RECORDER_BYTES_MAX, or less */
    struct list pieces;    /* not taken, oldest first */
    size_t n_bytes;        /* of them */
    bool open;             /* a segment is */
    bool starved;          /* left out until the next key frame */
    struct fmp4_mux mux;
    struct mp4index index; /* of the segment */
    uint64_t at;           /* bytes of the segment so far */
    struct media_config *config[MEDIA_TRACKS]; /* of the segment; references */
    struct media_config *last_video; /* of the segment before; a reference */
    bool other_video; /* than in one before: key frames bring their own sets */
    int64_t first90k, end90k; /* of the segment, the hub's timeline */
    int64_t begin_utc_ms, end_utc_ms; /* of the last segment; 0: none yet */
    uint64_t segments, frames, lost; /* so far; lost: pictures left out */
    uint64_t late;         /* sound of a segment that had ended */
};

/* segment_ms: a segment ends at the first key frame behind it. */
void recorder_init(struct recorder *r, const struct gb_alloc *alloc,
                   uint32_t segment_ms);
void recorder_fini(struct recorder *r);

/* A frame of the hub with the configuration of its track; other: that of the
 * other track, NULL: none so far. utc_ms: when it came. */
void recorder_frame(struct recorder *r, struct media_frame *f,
                    struct media_config *config, struct media_config *other,
                    int64_t utc_ms);

/* The stream is over, or recording is: the segment ends. */
void recorder_end(struct recorder *r);

/* All that was not taken is forgotten, with the open segment: its file is lost. */
void recorder_reset(struct recorder *r);

/* The oldest piece, the caller's (gb_put); NULL: none. flush: also one that is
 * still being filled. */
struct recorder_piece *recorder_take(struct recorder *r, bool flush);
#endif
