/* The folders of the data directory that the HTTP application has files in:
 * firmware, pictures, downloads, recordings. */
#include "app/daemon_int.h"
#include "app/folder.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 1200 /* a folder, and the name of a file in it */

/* ---- folders ---- */

static int make_firmware_dir(struct daemon *d, char why[static WHY_MAX])
{
    if (config_number(d->config, CONFIG_FIRMWARE_MAX) == 0)
        return 0;
    snprintf(d->firmware_dir, sizeof(d->firmware_dir), "%s/firmware",
             d->secrets->dir);
    return folder_make(d->firmware_dir, "server.data", why);
}

static int make_picture_dir(struct daemon *d, char why[static WHY_MAX])
{
    if (config_number(d->config, CONFIG_SNAPSHOT_MAX) == 0)
        return 0;
    snprintf(d->picture_dir, sizeof(d->picture_dir), "%s/snapshots",
             d->secrets->dir);
    return folder_make(d->picture_dir, "server.data", why);
}

static int make_download_dir(struct daemon *d, char why[static WHY_MAX])
{
    const char *dir = config_text(d->config, CONFIG_DOWNLOAD_DIR);

    if (config_number(d->config, CONFIG_DOWNLOAD_MAX) == 0)
        return 0;
    if (*dir)
        snprintf(d->download_dir, sizeof(d->download_dir), "%.1000s", dir);
    else
        snprintf(d->download_dir, sizeof(d->download_dir), "%s/downloads",
                 d->secrets->dir);
    return folder_make(d->download_dir, "download.dir", why);
}

/* A disk that cannot be written to now keeps nobody from live pictures: volumes look
 * at it again and again. */
static int make_volume(const char *dir, char why[static WHY_MAX])
{
    int err = folder_make(dir, "record.dir", why);

    if (!err || !folder_is_there(dir))
        return err;
    log_f(LOG_ERROR, "msg=\"no recordings until this is mended\" why=\"%s\"", why);
    return 0;
}

/* One is made. Of several each is expected to be a disk that is mounted: a
 * directory in its place would fill another one. */
static int make_volumes(struct daemon *d, char why[static WHY_MAX])
{
    const char *dir = config_text(d->config, CONFIG_RECORD_DIR);
    char own[1100];
    int err;

    snprintf(own, sizeof(own), "%s/recordings", d->secrets->dir);
    err = volumes_new(&d->volumes, slice_str(*dir ? dir : own));
    if (err)
        return daemon_fail(why, err, "record.dir", gb_strerror(err));
    volumes_keep(d->volumes,
                 (uint64_t)config_number(d->config, CONFIG_RECORD_KEEP) << 20);
    return volumes_count(d->volumes) > 1
               ? 0
               : make_volume(volumes_dir(d->volumes, 0), why);
}

int daemon_make_folders(struct daemon *d, char why[static WHY_MAX])
{
    int err = make_firmware_dir(d, why);

    if (!err)
        err = make_download_dir(d, why);
    if (!err)
        err = make_picture_dir(d, why);
    if (!err && GB_SQLITE)
        err = make_volumes(d, why);
    return err;
}

/* ---- firmware ---- */

/* What lies in the directory: whole files are told, parts of uploads that a
 * stop has cut off are deleted. Once, before anybody is served. */
static void read_firmware(struct daemon *d)
{
    uv_dirent_t e;
    uv_fs_t list;
    int n = uv_fs_scandir(NULL, &list, d->firmware_dir, 0, NULL);

    while (n >= 0 && uv_fs_scandir_next(&list, &e) != UV_EOF) {
        char path[PATH_BYTES];
        uv_fs_t st;

        snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, e.name);
        if (slice_has_prefix(slice_str(e.name), SLICE(HTTP_FILE_PART)))
            unlink(path);
        if (http_firmware_is_named(e.name) && uv_fs_stat(NULL, &st, path, NULL) == 0) {
            http_app_firmware(d->app, e.name, st.statbuf.st_size,
                              st.statbuf.st_mtim.tv_sec * 1000ll);
            uv_fs_req_cleanup(&st);
        }
    }
    uv_fs_req_cleanup(&list);
}

static void on_unlinked(uv_fs_t *req)
{
    uv_fs_req_cleanup(req);
    free(req);
}

void daemon_file_remove(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    char path[PATH_BYTES];
    uv_fs_t *req = malloc(sizeof(*req));

    snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, name);
    if (!req || uv_fs_unlink(&d->loop, req, path, on_unlinked)) {
        log_f(LOG_ERROR, "msg=\"a firmware file is not deleted\" "
                         "file=\"%s\"", path);
        free(req);
    }
}

/* ---- pictures ---- */

struct picture_job {
    struct disk_job job;
    char path[PATH_BYTES];
    size_t n;
    char bytes[];
};

static void write_picture(struct disk_job *job)
{
    struct picture_job *j = container_of(job, struct picture_job, job);
    FILE *f = fopen(j->path, "wb");
    bool ok = f && fwrite(j->bytes, 1, j->n, f) == j->n;

    if (f)
        ok &= fclose(f) == 0;
    if (ok)
        return;
    log_f(LOG_ERROR, "msg=\"a picture is not written\" file=\"%s\"", j->path);
    unlink(j->path);
}

static void picture_written(struct disk_job *job)
{
    free(container_of(job, struct picture_job, job));
}

bool daemon_picture_store(void *ctx, const char *name, struct slice bytes)
{
    struct daemon *d = ctx;
    struct picture_job *j = malloc(sizeof(*j) + bytes.n);

    if (!j)
        return false;
    snprintf(j->path, sizeof(j->path), "%s/%s", d->picture_dir, name);
    j->n = bytes.n;
    memcpy(j->bytes, bytes.p, bytes.n);
    j->job.work = write_picture;
    j->job.done = picture_written;
    disk_run(d->file_disk, &d->loop, DISK_WRITE, &j->job);
    return true;
}

void daemon_picture_remove(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    char path[PATH_BYTES];
    uv_fs_t *req = malloc(sizeof(*req));

    snprintf(path, sizeof(path), "%s/%s", d->picture_dir, name);
    if (!req || uv_fs_unlink(&d->loop, req, path, on_unlinked))
        free(req);
}

/* scandir sorts by name, so by channel; the list wants the oldest first. */
static void read_pictures(struct daemon *d)
{
    struct picture_entry {
        char name[HTTP_FILE_NAME_MAX + 1];
        int64_t utc_ms;
        uint64_t size;
    } *all = NULL;
    size_t n = 0, cap = 0;
    uv_dirent_t e;
    uv_fs_t list;
    int found = uv_fs_scandir(NULL, &list, d->picture_dir, 0, NULL);

    while (found >= 0 && uv_fs_scandir_next(&list, &e) != UV_EOF) {
        struct picture_entry one = { .utc_ms = http_picture_utc_ms(e.name) };
        char path[PATH_BYTES];
        uv_fs_t st;
        size_t at = n;

        snprintf(path, sizeof(path), "%s/%s", d->picture_dir, e.name);
        if (!one.utc_ms || !slice_copy(one.name, sizeof(one.name),
                                       slice_str(e.name)) ||
            uv_fs_stat(NULL, &st, path, NULL))
            continue;
        one.size = st.statbuf.st_size;
        uv_fs_req_cleanup(&st);
        if (n == cap) {
            void *more = realloc(all, (cap = cap * 2 + 64) * sizeof(*all));

            if (!more)
                break;
            all = more;
        }
        for (; at && all[at - 1].utc_ms > one.utc_ms; at--)
            all[at] = all[at - 1];
        all[at] = one;
        n++;
    }
    uv_fs_req_cleanup(&list);
    for (size_t i = 0; i < n; i++)
        http_app_picture(d->app, all[i].name, all[i].size, all[i].utc_ms);
    free(all);
}

void daemon_read_files(struct daemon *d)
{
    if (*d->firmware_dir)
        read_firmware(d);
    if (*d->picture_dir)
        read_pictures(d);
}
