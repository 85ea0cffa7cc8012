/* app/net/disk.h - one disk: threads of its own for what may block on it
 *
 *     a loop                             a thread of the disk
 *     disk_run(job) ───────────────────► job->work
 *     job->done ◄─── by the loop's ───── over
 *
 * A disk that hangs holds its own threads and nothing else: not the loops, not
 * another disk, not libuv's pool, where names are resolved. What writes and what
 * looks do not wait for each other: a search through a cold day holds up no
 * recording. */
#ifndef APP_NET_DISK_H
#define APP_NET_DISK_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define DISK_WRITERS 4 /* threads at most; fsync(2) of several files goes at once */
#define DISK_LOOKERS 2 /* for all else: to read, to repair, to remove */

enum disk_lane { DISK_WRITE, DISK_LOOK, DISK_LANES };

struct disk;

/* Embedded by whoever has something to do; not to be touched, nor run again,
 * until done, where it is the owner's. A loop does not end before. */
struct disk_job {
    struct list node; /* of disk.c, as are disk and async */
    struct disk *disk;
    uv_async_t async;
    void (*work)(struct disk_job *j); /* on a thread of the disk */
    void (*done)(struct disk_job *j); /* on the loop */
};

/* Threads begin when they are needed. 0, GB_ENOMEM or a libuv error. */
int disk_new(struct disk **out);
/* Once every job is done. NULL is fine. */
void disk_free(struct disk *d);

/* On the loop's own thread. Jobs of a lane begin in their order. */
void disk_run(struct disk *d, uv_loop_t *loop, enum disk_lane lane,
              struct disk_job *j);

/* Jobs that are waiting or under way; any thread. */
size_t disk_waiting(struct disk *d, enum disk_lane lane);

/* ---- what is done there --------------------------------------------------------- */

/* The directories of a path that are missing, but for its first `root` bytes.
 * 0 or an errno. path is whole again afterwards. */
int disk_make_dirs(char *path, size_t root);

/* All n bytes at off. 0 or an errno; then part of them may be there. */
int disk_write_all(int fd, const char *p, size_t n, uint64_t off);

/* n bytes at off of the open file whose number ctx points to: for mp4scan.h.
 * false: they are not there. */
bool disk_read_at(void *ctx, uint64_t off, void *buf, size_t n);

/* 0, GB_ELIMIT (it is full), GB_ENOENT or GB_EIO for an errno. */
int disk_error(int sys);
#endif
