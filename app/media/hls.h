/* app/media/hls.h - fMP4 segments of a live stream and their playlist
 * (RFC 8216; fragmented MP4 as in fmp4.h, one fragment a segment)
 *
 *   hub tap ──► frames of the open segment ──► at a key frame: a segment
 *                                                    │
 *            listed: three target durations ◄── ring ◄┘  as many again stay
 *                                                        to be fetched
 *
 * A segment is one group of pictures, more of them when they are shorter than
 * HLS_SEGMENT_MIN_MS. The target duration is chosen with the first segment and
 * never changes; a group that does not fit is cut between pictures, and the
 * playlist does not call its segments independent any more. Where pictures stay
 * away for longer, no more than the target duration is told of it, and sound that
 * finds no room is left out. Sound is what fMP4 carries: AAC, and G.711 as FLAC.
 *
 * Frames are not copied: parts refer to them, and outlive all else. */
#ifndef APP_MEDIA_HLS_H
#define APP_MEDIA_HLS_H

#include "app/media/hub.h"
#include "base/time.h"

#define HLS_TARGET_MIN_S 2       /* the target duration is chosen between */
#define HLS_TARGET_MAX_S 6       /* longer groups of pictures are cut */
#define HLS_SEGMENT_MIN_MS 1000  /* so numbers never overtake the clock */
#define HLS_SEGMENT_BYTES (8u << 20) /* a longer one is cut between pictures */
#define HLS_SEGMENT_FRAMES 2048  /* pictures and sounds of one; likewise */
#define HLS_LIST_TARGETS 3       /* target durations in the playlist */
#define HLS_LIST_MIN 3           /* and at least so many segments */
#define HLS_RING_SEGMENTS 64     /* kept of one stream; the oldest go first */
#define HLS_RING_BYTES (32u << 20) /* of the segments of one stream, likewise */
#define HLS_QUERY_MAX 256        /* carried on to the URLs of a playlist */
#define HLS_PLAYLIST_MAX (HLS_RING_SEGMENTS * (2 * HLS_QUERY_MAX + 256) + 512)

/* The bytes of a file: an initialisation or a segment. Immutable, counted
 * atomically. */
struct hls_part {
    atomic_uint refs;
    const struct gb_alloc *alloc;
    size_t bytes, n_chunks;
    struct media_chunk *chunk[];
};
struct hls_part *hls_part_ref(struct hls_part *p);
void hls_part_unref(struct hls_part *p); /* NULL is fine */
/* The pieces of it; their number, at most MEDIA_CHUNK_IOVS * n_chunks. */
size_t hls_part_iov(struct hls_part *p, struct media_iov *out, size_t max);

struct hls;

/* From now on, beginning with the cached pictures. on_segment: the playlist has
 * grown, or nothing more will come; inside hub calls, must not call back. It
 * may be called before hls_new returns. hub and alloc outlive it, *out may also
 * outlive the hub's end. 0 or GB_ENOMEM. */
int hls_new(struct hls **out, const struct gb_alloc *alloc, struct hub *hub,
            struct gb_time now, void (*on_segment)(void *ctx), void *ctx);
void hls_free(struct hls *h); /* NULL is fine */

/* There is a segment, so there is a playlist. */
bool hls_is_ready(const struct hls *h);
bool hls_has_ended(const struct hls *h);

/* The playlist; query ("stream=sub&t=…", may be empty) goes onto each URL, and
 * must be fit for one. Errors stay in w. */
void hls_playlist_write(struct hls *h, struct writer *w, struct slice query);

/* A file that the playlist names, borrowed; NULL: not any more, or not yet. */
struct hls_part *hls_segment(const struct hls *h, uint64_t number);
struct hls_part *hls_init(const struct hls *h, uint64_t version);

size_t hls_bytes(const struct hls *h); /* of all segments that are kept */
#endif
