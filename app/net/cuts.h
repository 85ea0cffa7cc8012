/* app/net/cuts.h - which parts of which recorded files make up a range of time,
 * read from the files on their disk
 *
 * A question belongs to the disks from cuts_run to its on_done; the files are
 * looked at there, on one disk after the other: 112 bytes for each key frame
 * that may be a border, where they have their index, else for each sample. */
#ifndef APP_NET_CUTS_H
#define APP_NET_CUTS_H

#include "app/media/mp4cut.h"
#include "app/net/rolls.h"
#include "app/platform/archive.h"

struct cuts_file {
    int64_t begin_utc_ms;
    unsigned volume;   /* where it lies */
    struct mp4cut cut; /* of it; n == 0: nothing */
    size_t head;       /* the first file of those in a row that have its head */
    bool joins;        /* it goes on where the one before it ends, with its head */
    int64_t shift90k;  /* added to its times, all files are one behind the other */
};

struct cuts {
    /* of cuts.c */
    struct disk_job job;
    const struct volumes *volumes;
    uv_loop_t *loop;
    struct cuts_heads *heads;
    size_t at; /* the next file to be looked at */
    /* the question */
    uint64_t request, who; /* who asks: an account, or 0 */
    char device[ARCHIVE_NAME_MAX + 1], channel[ARCHIVE_NAME_MAX + 1];
    int64_t from_utc_ms, to_utc_ms;
    uint32_t part_ms;
    bool one;  /* all of it behind one head */
    bool gaps; /* they stay as they are */
    uint32_t quarters; /* of the speed, as mp4cut_mover has them */
    void (*on_done)(void *ctx, struct cuts *q);
    void *ctx;
    /* the answer */
    int err; /* GB_ENOMEM; GB_EUNSUPPORTED: of one: the tracks change */
    int64_t changed_utc_ms; /* there */
    size_t head; /* of one: the file whose head has all tracks */
    size_t n;    /* files, in order of time */
    struct cuts_file file[];
};

/* Room for n files, whose begins the caller fills in. NULL: no memory. */
struct cuts *cuts_new(size_t n);
void cuts_free(struct cuts *q); /* NULL is fine */

/* Gives each file its place, once they were looked at: the first picture at 0
 * where all is one, else where files have it; from there on without a hole, but
 * for gaps that stay. cuts_run does it. */
void cuts_place(struct cuts *q);

/* Takes q until on_done, on this loop, where it is the callee's. The volumes are
 * borrowed as long as q lives. 0 or GB_ENOMEM: q is still the caller's. */
int cuts_run(const struct volumes *v, uv_loop_t *loop, struct cuts *q);

/* ---- the answer as one file ------------------------------------------------------- */

struct cuts_export {
    const struct cuts *q; /* borrowed */
    size_t at;            /* 0: before the head; i + 1: before file i */
    unsigned volume;      /* of what is read */
    bool moves;           /* what is read is fragments; else the head */
    struct mp4cut_mover mover;
};

uint64_t cuts_export_bytes(const struct cuts *q); /* 0: nothing is there */
/* The next bytes are n from off on of this file. false: that was all. */
bool cuts_export_next(struct cuts_export *e, char path[static ROLLS_PATH_MAX],
                      uint64_t *off, uint64_t *n);
/* What was read of them, n bytes, is changed in place; as mp4cut_move. */
size_t cuts_export_move(struct cuts_export *e, char *p, size_t n);

/* When part i of a file was recorded, UTC ms. */
int64_t cuts_part_utc_ms(const struct cuts_file *f, size_t i);
#endif
