#include "app/net/volumes.h"

#include "base/err.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FULL_LOOKS 5  /* 10 s: meanwhile old files go */
#define GONE_LOOKS 30 /* a minute */

struct volume {
    struct volumes *volumes;
    struct disk *disk;
    _Atomic enum volume_state state;
    _Atomic uint64_t size, free;
    atomic_uint bad; /* looks that do not make it good again: it has failed */
    enum volume_state told;
    /* a look */
    struct disk_job job;
    bool asked, once;
    uint64_t asked_ms;
    int err; /* of it, an errno */
    char dir[VOLUME_DIR_MAX + 1];
};

struct volumes {
    unsigned n;
    uint64_t keep;
    bool looked; /* one came back since the last turn */
    bool closed;
    struct volume v[VOLUMES_MAX];
};

const char *volume_state_name(enum volume_state s)
{
    static const char *const name[] = { "good", "full", "gone" };

    return name[s];
}

/* ---- any thread ------------------------------------------------------------------- */

static const struct volume *at(const struct volumes *v, unsigned i)
{
    return &v->v[i < v->n ? i : 0];
}

unsigned volumes_count(const struct volumes *v)
{
    return v->n;
}

const char *volumes_dir(const struct volumes *v, unsigned i)
{
    return at(v, i)->dir;
}

struct disk *volumes_disk(const struct volumes *v, unsigned i)
{
    return at(v, i)->disk;
}

unsigned volumes_pick(const struct volumes *v)
{
    enum volume_state best = VOLUME_GONE;
    uint64_t most = 0;
    unsigned pick = 0;

    for (unsigned i = 0; i < v->n; i++) {
        enum volume_state s = atomic_load(&v->v[i].state);
        uint64_t room = atomic_load(&v->v[i].free);

        if (s > best || (s == best && (s == VOLUME_GONE || room <= most)))
            continue;
        best = s;
        most = room;
        pick = i;
    }
    return pick;
}

void volumes_failed(struct volumes *v, unsigned i, int sys)
{
    if (i >= v->n || sys == 0)
        return;
    if (disk_error(sys) == GB_ELIMIT) {
        atomic_store(&v->v[i].bad, FULL_LOOKS);
        atomic_store(&v->v[i].state, VOLUME_FULL);
    } else {
        atomic_store(&v->v[i].bad, GONE_LOOKS);
        atomic_store(&v->v[i].state, VOLUME_GONE);
    }
}

void volumes_view(const struct volumes *v, unsigned i, struct volume_view *out)
{
    *out = (struct volume_view){ .state = atomic_load(&at(v, i)->state),
                                 .size = atomic_load(&at(v, i)->size),
                                 .free = atomic_load(&at(v, i)->free) };
}

/* ---- looks ---------------------------------------------------------------------------- */

static void look(struct disk_job *j)
{
    struct volume *k = container_of(j, struct volume, job);
    struct statvfs s;

    k->err = access(k->dir, R_OK | W_OK | X_OK) || statvfs(k->dir, &s) ? errno
                                                                       : 0;
    if (k->err)
        return;
    /* NOLINTNEXTLINE(clang-analyzer-core.*): err is set where s is not */
    atomic_store(&k->size, (uint64_t)s.f_blocks * s.f_frsize);
    atomic_store(&k->free, (uint64_t)s.f_bavail * s.f_frsize);
}

static void looked(struct disk_job *j)
{
    struct volume *k = container_of(j, struct volume, job);
    unsigned bad = atomic_load(&k->bad);

    k->asked = false;
    k->once = true;
    k->volumes->looked = true;
    if (bad && !k->err) {
        atomic_compare_exchange_strong(&k->bad, &bad, bad - 1);
        return;
    }
    atomic_store(&k->state,
                 k->err ? VOLUME_GONE
                 : atomic_load(&k->free) < k->volumes->keep ? VOLUME_FULL
                                                            : VOLUME_GOOD);
}

static void ask(struct volume *k, uv_loop_t *loop, uint64_t now_ms)
{
    if (k->asked && now_ms - k->asked_ms > VOLUMES_HANGS_MS)
        atomic_store(&k->state, VOLUME_GONE);
    if (k->asked || k->volumes->closed ||
        (k->once && now_ms - k->asked_ms < VOLUMES_ASK_MS))
        return;
    k->asked = true;
    k->asked_ms = now_ms;
    k->job.work = look;
    k->job.done = looked;
    disk_run(k->disk, loop, DISK_LOOK, &k->job);
}

bool volumes_turn(struct volumes *v, uv_loop_t *loop, uint64_t now_ms)
{
    bool full = v->looked;
    unsigned there = 0;

    v->looked = false;
    for (unsigned i = 0; i < v->n; i++) {
        enum volume_state s = atomic_load(&v->v[i].state);

        there += s != VOLUME_GONE;
        full = full && s != VOLUME_GOOD;
        ask(&v->v[i], loop, now_ms);
    }
    return full && there;
}

bool volumes_news(struct volumes *v, unsigned *i, enum volume_state *state)
{
    for (*i = 0; *i < v->n; ++*i) {
        struct volume *k = &v->v[*i];

        *state = atomic_load(&k->state);
        if (*state == k->told)
            continue;
        k->told = *state;
        return true;
    }
    return false;
}

void volumes_keep(struct volumes *v, uint64_t bytes)
{
    v->keep = bytes;
}

void volumes_close(struct volumes *v)
{
    v->closed = true;
}

/* ---- life ------------------------------------------------------------------------------- */

static int add(struct volumes *v, struct slice dir)
{
    struct volume *k = &v->v[v->n];
    int err;

    if (dir.n == 0)
        return GB_ESYNTAX;
    if (v->n == VOLUMES_MAX || !slice_copy(k->dir, sizeof(k->dir), dir))
        return GB_ERANGE;
    err = disk_new(&k->disk);
    if (err)
        return err;
    k->volumes = v;
    v->n++;
    return 0;
}

int volumes_new(struct volumes **out, struct slice dirs)
{
    struct volumes *v = calloc(1, sizeof(*v));
    struct slice dir;
    bool more;
    int err;

    if (!v)
        return GB_ENOMEM;
    do {
        more = slice_cut(&dirs, ',', &dir);
        err = v->n < VOLUMES_MAX ? add(v, slice_trim(dir)) : GB_ERANGE;
    } while (!err && more);
    if (err)
        volumes_free(v);
    else
        *out = v;
    return err;
}

void volumes_free(struct volumes *v)
{
    if (!v)
        return;
    for (unsigned i = 0; i < v->n; i++)
        disk_free(v->v[i].disk);
    free(v);
}
