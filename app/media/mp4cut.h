/* app/media/mp4cut.h - recorded files in parts that begin with key frames
 *
 *     ftyp moov │ moof mdat moof mdat … │ moof mdat … │
 *     head        part: from a key frame to before another one
 *
 * As they lie, parts are segments of a playlist. Put one behind the other, with
 * times that mp4cut_move makes go on, they are one file. For files as the
 * recorder writes them: one sample a fragment (app/media/fmp4.h), found by the
 * index at their end (app/media/mp4index.h), or one after the other. */
#ifndef APP_MEDIA_MP4CUT_H
#define APP_MEDIA_MP4CUT_H

#include "app/media/mp4scan.h"
#include "base/alloc.h"
#include "base/err.h"

#define MP4CUT_PARTS_MAX 4096 /* of one file; the last one is longer then */

struct mp4cut_part {
    uint64_t off, n;
    int64_t at90k, length90k; /* at90k: on the file's own clock */
};

struct mp4cut {
    uint64_t head_bytes;
    uint32_t audio_hz; /* timescale of its sound; 0: it has none */
    int64_t first90k;  /* where the file begins */
    size_t n, cap;
    struct mp4cut_part *part; /* n of them, each where the last one ends */
};

struct mp4cut_range {
    int64_t from_ms, to_ms; /* from the beginning of the file on */
    uint32_t part_ms;       /* a part is so long at least, but for the last */
};

/* The parts from the last key frame at or before from_ms to before the first
 * one at or behind to_ms; of sound that is alone every frame is one. What is
 * damaged or missing ends it. head: of the file, filled.
 * 0, GB_ESYNTAX (no such file, or nothing of it), GB_ENOMEM. */
int mp4cut_scan(struct mp4cut *out, struct mp4scan_head *head,
                const struct gb_alloc *alloc, const struct mp4cut_range *range,
                mp4scan_read_fn *read, void *ctx, uint64_t size);
void mp4cut_fini(struct mp4cut *c, const struct gb_alloc *alloc);

#define MP4CUT_AS_IS 4 /* quarters of the speed; 0 means the same */

static inline bool mp4cut_is_paced(uint32_t quarters)
{
    return quarters && quarters != MP4CUT_AS_IS;
}

/* One export while it goes through a buffer; all zero at its beginning. At
 * another speed there is no sound: its fragments become free space. */
struct mp4cut_mover {
    uint32_t quarters; /* of the speed */
    int64_t shift90k;  /* of the file at hand: added to its times */
    uint32_t audio_hz; /* likewise */
    uint32_t sequence;
    uint64_t skip;     /* bytes of a sample that are to come */
    uint64_t next[MP4SCAN_TRACKS + 1]; /* a track's times are from here on */
};

/* Changes what comes next of a part, in place; gives how many bytes of it are
 * done: the rest comes again, with what follows it. A fragment of before the
 * beginning, or of before the last one of its track, becomes free space.
 * 0: this is no fragment, or less than its head. */
size_t mp4cut_move(struct mp4cut_mover *m, char *p, size_t n);

/* A head as fmp4_init_chunk writes it, n bytes, in place: its sound becomes free
 * space. */
void mp4cut_mute(char *p, size_t n);
#endif
