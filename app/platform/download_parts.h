/* app/platform/download_parts.h - a range of time in the pieces that a device has
 * of it: its files, what has become of each, and the gaps
 *
 * Seconds UNIX, of our clock; the pieces rise and do not overlap. */
#ifndef APP_PLATFORM_DOWNLOAD_PARTS_H
#define APP_PLATFORM_DOWNLOAD_PARTS_H

#include "app/platform/platform.h"

enum part_state {
    PART_OPEN, PART_DONE,
    PART_LOST,   /* from `at_ms` on; what is before is there */
    PART_EMPTY,  /* likewise: the device said that it was all */
};

struct part {
    uint64_t from_s, to_s;
    int64_t at_ms; /* UTC; how far it has come */
    enum part_state state;
};

struct parts {
    uint64_t start_s, stop_s; /* what was asked for */
    struct part *e;           /* own memory */
    size_t n, cap;
    size_t at;                /* the first open one */
    struct platform_download_gap *hole; /* met inside parts. Own memory */
    size_t n_holes;
};

void parts_init(struct parts *x, uint64_t start_s, uint64_t stop_s);
void parts_fini(struct parts *x, const struct gb_alloc *alloc);

/* Behind what there is; clipped to the range and to what is there already, and
 * drawn to the one before when nearly adjoining. 0, GB_ELIMIT, GB_ENOMEM. */
int parts_add(struct parts *x, const struct gb_alloc *alloc, uint64_t from_s,
              uint64_t to_s);
/* The one to be fetched; NULL: none is left. */
struct part *parts_open(struct parts *x);
void parts_close(struct parts *x, enum part_state state);
/* A hole inside a part. Without memory or room it is not told. */
void parts_hole(struct parts *x, const struct gb_alloc *alloc, int64_t from_ms,
                int64_t to_ms);
bool parts_gap(const struct parts *x, size_t i,
               struct platform_download_gap *out);
size_t parts_done(const struct parts *x);
int64_t parts_length_ms(const struct parts *x);  /* of all */
int64_t parts_covered_ms(const struct parts *x); /* of what is there */
bool parts_lost(const struct parts *x);          /* any of them */

/* "1700000000-1700001800,2,1700001799960;": and back. What cannot be read ends
 * it; false: no memory, or too many. */
void parts_write(struct writer *w, const struct parts *x);
bool parts_read(struct parts *x, const struct gb_alloc *alloc,
                struct slice text);
#endif
