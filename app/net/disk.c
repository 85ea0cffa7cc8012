#include "app/net/disk.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lane {
    struct disk *disk;
    uv_thread_t thread[DISK_WRITERS];
    unsigned n, max, idle;
    uv_cond_t work;
    struct list jobs;
    size_t queued;  /* of them */
    size_t waiting; /* those, and what is under way */
};

struct disk {
    uv_mutex_t lock;
    bool ending;
    struct lane lane[DISK_LANES];
};

_Static_assert(DISK_LOOKERS <= DISK_WRITERS, "threads of a lane have room");

/* ---- threads ---------------------------------------------------------------------- */

/* The job that waits longest; false: none does. With the lock held; lets it go
 * meanwhile. */
static bool do_job(struct lane *l)
{
    struct list *n = list_pop_front(&l->jobs);
    struct disk_job *j;

    if (!n)
        return false;
    l->queued--;
    j = container_of(n, struct disk_job, node);
    uv_mutex_unlock(&l->disk->lock);
    j->work(j);
    uv_mutex_lock(&l->disk->lock);
    l->waiting--;
    uv_async_send(&j->async); /* from here on it is the loop's */
    return true;
}

static void run_thread(void *arg)
{
    struct lane *l = arg;

    uv_mutex_lock(&l->disk->lock);
    for (;;) {
        if (do_job(l))
            continue;
        if (l->disk->ending)
            break;
        l->idle++;
        uv_cond_wait(&l->work, &l->disk->lock);
        l->idle--;
    }
    uv_mutex_unlock(&l->disk->lock);
}

/* One more where all are busy, or will be; the next job tries again. */
static void add_thread(struct lane *l)
{
    if (l->idle < l->queued && l->n < l->max &&
        uv_thread_create(&l->thread[l->n], run_thread, l) == 0)
        l->n++;
}

/* ---- jobs --------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    struct disk_job *j = h->data;

    j->done(j);
}

/* The lock: what the thread wrote is seen here, which uv_async_send does not
 * promise. */
static void on_done(uv_async_t *a)
{
    struct disk_job *j = a->data;

    uv_mutex_lock(&j->disk->lock);
    uv_mutex_unlock(&j->disk->lock);
    uv_close((uv_handle_t *)a, on_closed);
}

void disk_run(struct disk *d, uv_loop_t *loop, enum disk_lane lane,
              struct disk_job *j)
{
    struct lane *l = &d->lane[lane];

    if (uv_async_init(loop, &j->async, on_done))
        abort(); /* only the first one of a loop can fail: its mailbox */
    j->async.data = j;
    j->disk = d;
    uv_mutex_lock(&d->lock);
    list_push_back(&l->jobs, &j->node);
    l->queued++;
    l->waiting++;
    add_thread(l);
    if (l->n)
        uv_cond_signal(&l->work);
    else
        do_job(l); /* no thread is to be had: the loop waits for the disk */
    uv_mutex_unlock(&d->lock);
}

size_t disk_waiting(struct disk *d, enum disk_lane lane)
{
    size_t n;

    uv_mutex_lock(&d->lock);
    n = d->lane[lane].waiting;
    uv_mutex_unlock(&d->lock);
    return n;
}

/* ---- life ---------------------------------------------------------------------------- */

int disk_new(struct disk **out)
{
    struct disk *d = calloc(1, sizeof(*d));
    int err = d ? uv_mutex_init(&d->lock) : GB_ENOMEM;

    for (unsigned i = 0; !err && i < DISK_LANES; i++) {
        struct lane *l = &d->lane[i];

        l->disk = d;
        l->max = i == DISK_WRITE ? DISK_WRITERS : DISK_LOOKERS;
        list_init(&l->jobs);
        err = uv_cond_init(&l->work);
    }
    if (err)
        free(d); /* a process that cannot start threads ends */
    else
        *out = d;
    return err;
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    uv_mutex_lock(&d->lock);
    d->ending = true;
    for (unsigned i = 0; i < DISK_LANES; i++)
        uv_cond_broadcast(&d->lane[i].work);
    uv_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < DISK_LANES; i++) {
        for (unsigned k = 0; k < d->lane[i].n; k++)
            uv_thread_join(&d->lane[i].thread[k]);
        uv_cond_destroy(&d->lane[i].work);
    }
    uv_mutex_destroy(&d->lock);
    free(d);
}

/* ---- what is done there --------------------------------------------------------------- */

int disk_make_dirs(char *path, size_t root)
{
    for (char *p = path + root + 1; (p = strchr(p, '/')); p++) {
        int err;

        *p = '\0';
        err = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
        *p = '/';
        if (err)
            return err;
    }
    return 0;
}

int disk_write_all(int fd, const char *p, size_t n, uint64_t off)
{
    size_t at = 0;

    while (at < n) {
        ssize_t k = pwrite(fd, p + at, n - at, (off_t)(off + at));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k ? errno : EIO;
        at += (size_t)k;
    }
    return 0;
}

bool disk_read_at(void *ctx, uint64_t off, void *buf, size_t n)
{
    return pread(*(int *)ctx, buf, n, (off_t)off) == (ssize_t)n;
}

int disk_error(int sys)
{
    if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG)
        return GB_ELIMIT;
    return sys == ENOENT ? GB_ENOENT : sys ? GB_EIO : 0;
}
