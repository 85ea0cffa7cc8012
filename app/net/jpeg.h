/* app/net/jpeg.h - pictures by another program: a key frame as MP4 goes into its
 * input, a JPEG comes out of its output
 *
 * It is ffmpeg, or what takes ffmpeg's options. It gets nothing but that frame:
 * no descriptor of ours, none of our environment. Few run at one time; one that
 * takes too long or says too much is killed. */
#ifndef APP_NET_JPEG_H
#define APP_NET_JPEG_H

#include "base/err.h"
#include "base/list.h"
#include "base/slice.h"

#include <uv.h>

#define JPEG_RUNS_MAX 2        /* at one time */
#define JPEG_WAITING_MAX 16    /* for one of them */
#define JPEG_TIME_MS 10000     /* of one */
#define JPEG_PICTURE_MAX (8u << 20)
#define JPEG_WHY_MAX 200       /* with its NUL */

/* Made with malloc(3), zeroed but for what is asked; whoever gets it in on_done
 * frees it with jpeg_job_free. */
struct jpeg_job {
    struct list node;
    char *frame; /* malloc(3) */
    size_t n_frame;
    uint64_t request; /* of the asker's own */
    void (*on_done)(void *ctx, struct jpeg_job *job);
    void *ctx;
    /* the answer */
    int err; /* GB_EIO: why; GB_ESTATE: it ends */
    char why[JPEG_WHY_MAX];
    char *picture;
    size_t n_picture;
};
void jpeg_job_free(struct jpeg_job *job); /* NULL is fine */

struct jpegs;
/* program: its path, copied. time_ms 0: JPEG_TIME_MS. GB_ENOMEM, GB_ELIMIT (the
 * path is too long). */
int jpegs_new(struct jpegs **out, uv_loop_t *loop, const char *program,
              uint32_t time_ms);
/* Takes the job: on_done follows; inside, where there is no memory to begin it.
 * GB_ELIMIT: too many wait, and it stays the caller's. */
int jpegs_take(struct jpegs *j, struct jpeg_job *job);
/* Kills what runs; each job is told, j is freed when the loop has closed all.
 * NULL is fine. */
void jpegs_close(struct jpegs *j);
#endif
