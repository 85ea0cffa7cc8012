/* app/media/mp4scan.h - how far a fragmented MP4 file is whole
 *
 * For files whose writer was interrupted: what lies behind the last whole
 * fragment is to be cut off. Reads boxes' heads and what is inside moof; the
 * media is skipped. */
#ifndef APP_MEDIA_MP4SCAN_H
#define APP_MEDIA_MP4SCAN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MP4SCAN_MOOF_MAX 65536 /* bytes of one moof */

/* Fills buf with n bytes from off on; false: they are not there. */
typedef bool mp4scan_read_fn(void *ctx, uint64_t off, void *buf, size_t n);

struct mp4scan {
    uint64_t head_bytes; /* up to and with moov; 0: it has none */
    uint64_t bytes;      /* that are whole, an index at its end with them: cut
                            it here */
    uint32_t fragments;
    uint64_t start_ms;    /* where the first fragment begins */
    uint64_t duration_ms; /* from there to the end of the longer track */
    bool sound;           /* it has a track of it, the second of ours */
};

#define MP4SCAN_TRACKS 2

/* What lies before the fragments. */
struct mp4scan_head {
    uint64_t bytes; /* up to and with moov */
    uint32_t timescale[MP4SCAN_TRACKS + 1]; /* by track id; 0: it has none */
    struct slice trak[MP4SCAN_TRACKS + 1];  /* into moov */
    char moov[MP4SCAN_MOOF_MAX];
};

/* 0 or GB_ESYNTAX. */
int mp4scan_head(struct mp4scan_head *h, mp4scan_read_fn *read, void *ctx,
                 uint64_t size);
/* The same tracks. */
bool mp4scan_head_is_same(const struct mp4scan_head *a,
                          const struct mp4scan_head *b);
/* Fragments of one may follow the head of the other: where both have a track,
 * it is the same. */
bool mp4scan_head_is_like(const struct mp4scan_head *a,
                          const struct mp4scan_head *b);

/* size: of the file. GB_ESYNTAX: no fragmented MP4 with at least its head. */
int mp4scan(struct mp4scan *out, mp4scan_read_fn *read, void *ctx,
            uint64_t size);
/* What lies before the fragment at `from`, as an index has it, is believed but for
 * the first one, and not counted. 0: all is looked at. */
int mp4scan_from(struct mp4scan *out, mp4scan_read_fn *read, void *ctx,
                 uint64_t size, uint64_t from);
#endif
