/* app/net/rolls.h - live streams into files: taps on the media loops, and the disk
 *
 *     main loop               media loop                  the disk
 *     rolls_start ──mail──► tap on the session's hub
 *                           frames ► recorder ► pieces ──► open, write, close
 *     on_roll ◄────mail──── a segment begins, grows, ends ◄ done
 *     rolls_stop ─────────► the tap leaves, the segment ends
 *
 * A roll is one recording of one channel, of however many segments. The disk has
 * one job of a roll at a time; what comes meanwhile gathers, and is left out
 * above a limit: a disk that is slow or gone never holds up the stream, nor takes
 * more of the memory than a part, however many are recorded. */
#ifndef APP_NET_ROLLS_H
#define APP_NET_ROLLS_H

#include "app/media/recorder.h"
#include "app/net/media.h"
#include "app/net/volumes.h"

#define ROLLS_REPORT_MS 2000   /* between two reports of one segment */
#define ROLLS_FLUSH_MS 1000    /* what has gathered goes out at the latest */
#define ROLLS_PATH_MAX 1536
#define ROLLS_MEMORY_PART 8 /* of the memory, that all may gather */
#define ROLLS_LEAST_BYTES (1u << 20) /* that each may, above that */

enum rolls_sync { ROLLS_SYNC_NEVER, ROLLS_SYNC_SEGMENT, ROLLS_SYNC_ALWAYS };

enum rolls_event {
    ROLLS_BEGUN,  /* a file is there */
    ROLLS_GROWN,
    ROLLS_CLOSED, /* it is complete, or cut off by an error */
    ROLLS_OVER,   /* the roll is: its session has gone, or it was stopped */
    ROLLS_FAILED, /* the disk: err, text; nothing more is written, OVER follows */
};

struct rolls_report {
    uint64_t roll;
    enum rolls_event event;
    int64_t begin_utc_ms, end_utc_ms; /* of the segment */
    uint64_t bytes;
    bool sound;       /* of the segment */
    unsigned volume;  /* where it lies */
    uint64_t lost;    /* pictures left out by this roll so far */
    int err;          /* GB_ELIMIT: the disk is full */
    const char *text; /* of err; borrowed */
};

struct rolls_config {
    uv_loop_t *main;
    struct media_net *media;
    struct volumes *volumes; /* borrowed */
    size_t bytes_max; /* that all may gather; 0: by the memory there is */
    void (*on_roll)(void *ctx, const struct rolls_report *r);
    void *ctx;
};

struct rolls;

/* 0 or GB_ENOMEM. */
int rolls_new(struct rolls **out, const struct rolls_config *cfg);
/* After media_net_close and once the main loop has nothing to do. */
void rolls_free(struct rolls *r);
bool rolls_is_idle(const struct rolls *r); /* nothing is recorded */

struct rolls_order {
    uint64_t roll, session;
    unsigned loop;
    struct slice device, channel; /* where it lies; copied */
    uint32_t segment_ms;
    enum rolls_sync sync;
    bool cached;   /* with the pictures that are cached */
};
/* Its reports come later, OVER in every case. */
void rolls_start(struct rolls *r, const struct rolls_order *o);
void rolls_stop(struct rolls *r, uint64_t roll);

/* "DIR/DEVICE/CHANNEL/20261128/1795926738000.mp4": UTC day, and its start.
 * false: too long. */
bool rolls_path(char out[static ROLLS_PATH_MAX], const char *dir,
                struct slice device, struct slice channel,
                int64_t begin_utc_ms);

/* ---- files that are there ------------------------------------------------------- */

enum rolls_task {
    ROLLS_REMOVE, /* the file, and directories that are empty then */
    ROLLS_REPAIR, /* cut to what is whole; without a picture: removed */
    ROLLS_ADOPT,  /* the same, but what its index says of a file is believed */
};

struct rolls_done {
    enum rolls_task task;
    uint64_t bytes, duration_ms; /* of what is there; 0 bytes: it is gone */
    bool sound;
    int err; /* nothing is known, of a disk that is gone, for example */
};

/* done: on the main loop. 0 or GB_ENOMEM. */
int rolls_task(struct rolls *r, enum rolls_task task, unsigned volume,
               struct slice device, struct slice channel, int64_t begin_utc_ms,
               void (*done)(void *ctx, const struct rolls_done *d), void *ctx);
#endif
