/* app/platform/archive.h - what this server has recorded: an index in memory
 *
 *   channel ──► segments in order of time  ─┐
 *   channel ──► segments in order of time  ─┼─► archive_take_old: the next one
 *      │                                    │   that is too old, or too much
 *      └─ those above their limit ──────────┘
 *
 * 24 bytes a segment: ten minutes each, a hundred channels and a month make
 * 10 MB. Whoever keeps the files and the rows of the store tells what is there;
 * nothing here touches them. */
#ifndef APP_PLATFORM_ARCHIVE_H
#define APP_PLATFORM_ARCHIVE_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/time.h"
#include "base/writer.h"

#include <stdbool.h>
#include <stdint.h>

#define ARCHIVE_NAME_MAX 64 /* bytes of device and channel together */

enum {
    ARCHIVE_OPEN = 1,  /* it is being written, or was when its writer ended */
    ARCHIVE_SOUND = 2,
    ARCHIVE_VOLUME_1 = 256, /* so many times: the number of its disk */
    ARCHIVE_VOLUMES = 0xff00,
};

struct archive_segment {
    int64_t begin_utc_ms; /* with its channel: its name */
    uint32_t length_ms;
    uint32_t flags;
    uint64_t bytes;
};

/* 0 of any: no limit. */
struct archive_limits {
    uint32_t days;
    uint64_t channel_bytes, bytes;
};

/* Where its file lies: "DEVICE/CHANNEL/20261128/1795926738000.mp4", by the UTC
 * day of its begin; what a name should not hold is %XX. */
void archive_path(struct writer *w, struct slice device, struct slice channel,
                  int64_t begin_utc_ms);

struct archive;

int archive_new(struct archive **out, const struct gb_alloc *alloc,
                const struct archive_limits *limits);
void archive_free(struct archive *a); /* NULL is fine */
/* From now on others. */
void archive_limit(struct archive *a, const struct archive_limits *limits);

/* Adds it, or puts it in the place of the one with its begin. GB_ENOMEM,
 * GB_ERANGE (before 1970), GB_ELIMIT (names too long): it is not there then. */
int archive_put(struct archive *a, struct slice device, struct slice channel,
                const struct archive_segment *s);
bool archive_remove(struct archive *a, struct slice device,
                    struct slice channel, int64_t begin_utc_ms);
bool archive_find(const struct archive *a, struct slice device,
                  struct slice channel, int64_t begin_utc_ms,
                  struct archive_segment *out);

/* Those of a channel that overlap a range, in order of time. Valid until the
 * next change. */
struct archive_walk {
    const struct archive_channel *channel;
    size_t at;
    int64_t from_utc_ms, to_utc_ms;
};
void archive_walk(const struct archive *a, struct slice device,
                  struct slice channel, int64_t from_utc_ms,
                  int64_t to_utc_ms, struct archive_walk *w);
bool archive_next(struct archive_walk *w, struct archive_segment *out);

struct archive_sums {
    size_t channels, segments;
    uint64_t bytes;
};
void archive_sums(const struct archive *a, struct archive_sums *out);
/* Of one channel; all zero: nothing is there. */
void archive_sums_of(const struct archive *a, struct slice device,
                     struct slice channel, struct archive_sums *out);

/* Takes out the next segment that has to go: of a channel above its limit, too
 * old (by base/age.h), or the oldest where all are too much. Never an open one.
 * false: none has to. need: one more goes even so, for a disk that is full. Costs
 * the same however many there are, but for the logarithm of the channels. */
struct archive_old {
    char device[ARCHIVE_NAME_MAX + 1], channel[ARCHIVE_NAME_MAX + 1];
    struct archive_segment segment;
};
bool archive_take_old(struct archive *a, struct gb_time now, bool need,
                      struct archive_old *out);
#endif
