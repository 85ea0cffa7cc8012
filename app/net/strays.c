#include "app/net/strays.h"

#include "app/net/rolls.h"
#include "base/err.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IN_ROOT, IN_DEVICE, IN_CHANNEL, IN_DAY, DEPTHS };

struct found {
    char device[STRAYS_NAME_MAX + 1], channel[STRAYS_NAME_MAX + 1];
    int64_t begin_utc_ms;
    bool settled;
};

struct strays {
    struct disk_job job;
    struct strays_config o;
    unsigned volume;
    bool walking;
    /* the job's own, while it is under way: */
    DIR *dir[DEPTHS];
    size_t n_dirs;
    bool entered; /* the root of this volume */
    char name[DEPTHS][STRAYS_NAME_MAX + 1]; /* of each; the root has none */
    struct found found[STRAYS_BATCH];
    size_t n_found;
};

int strays_new(struct strays **out, const struct strays_config *cfg)
{
    struct strays *s = calloc(1, sizeof(*s));

    if (!s)
        return GB_ENOMEM;
    s->o = *cfg;
    *out = s;
    return 0;
}

static void leave(struct strays *s)
{
    closedir(s->dir[--s->n_dirs]);
}

void strays_free(struct strays *s)
{
    while (s && s->n_dirs)
        leave(s);
    free(s);
}

/* ---- on the disk ------------------------------------------------------------------ */

/* Takes fd. */
static void enter(struct strays *s, int fd, const char *name)
{
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    slice_copy(s->name[s->n_dirs], sizeof(s->name[0]), slice_str(name));
    s->dir[s->n_dirs++] = dir;
}

static void enter_child(struct strays *s, const char *name)
{
    if (strlen(name) <= STRAYS_NAME_MAX)
        enter(s, openat(dirfd(s->dir[s->n_dirs - 1]), name,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
              name);
}

/* A file of this name is where a recording of that time would be. */
static bool is_recording(const struct strays *s, const char *name,
                         int64_t *begin_utc_ms)
{
    char path[ROLLS_PATH_MAX], here[4 * (STRAYS_NAME_MAX + 1)];
    struct slice rest = slice_str(name), number;
    uint64_t ms;

    slice_cut(&rest, '.', &number);
    if (!slice_u64(number, INT64_MAX, &ms) ||
        !rolls_path(path, "", slice_str(s->name[IN_DEVICE]),
                    slice_str(s->name[IN_CHANNEL]), (int64_t)ms))
        return false;
    snprintf(here, sizeof(here), "/%s/%s/%s/%.32s", s->name[IN_DEVICE],
             s->name[IN_CHANNEL], s->name[IN_DAY], name);
    *begin_utc_ms = (int64_t)ms;
    return strcmp(path, here) == 0;
}

static void take_file(struct strays *s, const char *name)
{
    struct found *f = &s->found[s->n_found];
    long long age_s;
    struct stat st;

    if (!is_recording(s, name, &f->begin_utc_ms) ||
        fstatat(dirfd(s->dir[IN_DAY]), name, &st, AT_SYMLINK_NOFOLLOW) ||
        !S_ISREG(st.st_mode))
        return;
    age_s = (long long)time(NULL) - (long long)st.st_mtime;
    f->settled = age_s > STRAYS_SETTLED_S || age_s < -STRAYS_SETTLED_S;
    memcpy(f->device, s->name[IN_DEVICE], sizeof(f->device));
    memcpy(f->channel, s->name[IN_CHANNEL], sizeof(f->channel));
    s->n_found++;
}

/* One name. false: there is none any more. */
static bool look(struct strays *s)
{
    const struct dirent *e;

    if (!s->entered) {
        s->entered = true;
        enter(s, open(volumes_dir(s->o.volumes, s->volume),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC), "");
        return s->n_dirs > 0;
    }
    e = readdir(s->dir[s->n_dirs - 1]);
    if (!e) {
        leave(s);
        return s->n_dirs > 0;
    }
    if (e->d_name[0] == '.')
        return true;
    if (s->n_dirs < DEPTHS)
        enter_child(s, e->d_name);
    else
        take_file(s, e->d_name);
    return true;
}

static void do_walk(struct disk_job *j)
{
    struct strays *s = container_of(j, struct strays, job);

    for (unsigned i = 0; i < STRAYS_STEP && s->n_found < STRAYS_BATCH; i++)
        if (!look(s))
            return;
}

/* ---- on the main loop ------------------------------------------------------------- */

static void walked(struct disk_job *j)
{
    struct strays *s = container_of(j, struct strays, job);

    for (size_t i = 0; i < s->n_found; i++) {
        const struct found *f = &s->found[i];
        const struct stray t = { .volume = s->volume,
                                 .device = slice_str(f->device),
                                 .channel = slice_str(f->channel),
                                 .begin_utc_ms = f->begin_utc_ms,
                                 .settled = f->settled };

        s->o.on_found(s->o.ctx, &t);
    }
    s->n_found = 0;
    s->walking = false;
    if (s->entered && !s->n_dirs) {
        s->entered = false;
        s->volume++;
    }
}

bool strays_walk(struct strays *s)
{
    if (s->walking)
        return true;
    if (s->volume >= volumes_count(s->o.volumes))
        return false;
    s->walking = true;
    s->job = (struct disk_job){ .work = do_walk, .done = walked };
    disk_run(volumes_disk(s->o.volumes, s->volume), s->o.main, DISK_LOOK,
             &s->job);
    return true;
}

bool strays_is_walking(const struct strays *s)
{
    return s->walking;
}
