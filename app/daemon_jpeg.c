/* JPEGs: between the media loop that has the key frame and the program that makes
 * a picture of it. */
#include "app/daemon_int.h"
#include "app/net/jpeg.h"
#include "app/net/media_still.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* One on its way; the job is first: it is freed as this. */
struct picture {
    struct jpeg_job job;
    uint64_t session;
};

static void tell(struct daemon *d, const struct http_jpeg_told *t)
{
    if (!d->closing)
        http_app_jpeg_told(d->app, t);
}

static void on_picture(void *ctx, struct jpeg_job *job)
{
    struct picture *p = container_of(job, struct picture, job);

    tell(ctx, &(struct http_jpeg_told){
                  .request = job->request, .session = p->session,
                  .err = job->err, .why = job->why,
                  .picture = slice_of(job->picture, job->n_picture) });
    jpeg_job_free(job);
}

static void on_frame(void *ctx, struct media_still *f)
{
    struct daemon *d = ctx;
    struct picture *p = f->err || d->closing ? NULL : calloc(1, sizeof(*p));
    int err = f->err;

    if (p) {
        p->job = (struct jpeg_job){ .frame = f->bytes, .n_frame = f->n,
                                    .request = f->request,
                                    .on_done = on_picture, .ctx = d };
        p->session = f->session;
        f->bytes = NULL;
        err = jpegs_take(d->jpegs, &p->job);
        if (err)
            jpeg_job_free(&p->job);
    } else if (!err) {
        err = GB_ENOMEM;
    }
    if (err)
        tell(d, &(struct http_jpeg_told){ .request = f->request,
                                          .session = f->session, .err = err,
                                          .why = "there is no key frame" });
    media_still_free(f);
}

bool daemon_jpeg(void *ctx, uint64_t request, uint64_t session, unsigned loop)
{
    struct daemon *d = ctx;
    struct media_still *f = calloc(1, sizeof(*f));

    if (!f)
        return false;
    f->request = request;
    f->session = session;
    f->on_done = on_frame;
    f->ctx = d;
    if (media_still_ask(d->media, loop, f))
        return true;
    media_still_free(f);
    return false;
}

int daemon_start_jpeg(struct daemon *d, char why[static WHY_MAX])
{
    const char *program = config_text(d->config, CONFIG_SNAPSHOT_FFMPEG);
    int err;

    if (!*program)
        return 0;
    if (access(program, X_OK)) {
        snprintf(why, WHY_MAX, "snapshot.ffmpeg: %.300s: %s", program,
                 strerror(errno));
        return GB_EIO;
    }
    err = jpegs_new(&d->jpegs, &d->loop, program, 0);
    return err ? daemon_fail(why, err, "snapshot.ffmpeg", gb_strerror(err)) : 0;
}
