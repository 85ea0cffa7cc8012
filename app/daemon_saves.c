/* Downloads: what the platform wants of their files, and what becomes of it. */
#include "app/daemon_int.h"

#include <stdio.h>

static struct saver_mark to_file(const struct platform_download_mark *m)
{
    return (struct saver_mark){ m->bytes, m->at_utc_ms, m->end90k, m->key,
                                m->chain };
}

static struct platform_download_mark of_file(const struct saver_mark *m)
{
    return (struct platform_download_mark){ m->bytes, m->at_utc_ms, m->end90k,
                                            m->key, m->chain };
}

static enum saver_format format_of(const struct platform_download *j)
{
    return j->format == PLATFORM_FILE_PS ? SAVER_PS : SAVER_MP4;
}

static void on_saved(void *ctx, const struct saves_report *r)
{
    struct daemon *d = ctx;
    const struct platform_download_saved s = {
        .id = r->id, .session = r->session, .mark = of_file(&r->mark),
        .gap_from_utc_ms = r->hole_from_ms, .gap_to_utc_ms = r->hole_to_ms,
        .over = r->over, .err = r->err, .text = r->text,
    };

    if (d->closing)
        return;
    platform_download_saved(d->platform, &s, daemon_now(d));
    sip_edge_touch(d->edge);
}

static void on_filed(void *ctx, uint64_t id, uint64_t bytes, int err,
                     const char *text)
{
    struct daemon *d = ctx;

    if (d->closing)
        return;
    platform_download_filed(d->platform, id, bytes, err, text, daemon_now(d));
    sip_edge_touch(d->edge);
}

void daemon_save(struct daemon *d, const struct platform_action *a)
{
    struct platform_download j;
    struct platform_session s;
    struct saver_mark mark;
    bool known = platform_download_file(d->platform, a->download, &j);

    if (!known)
        return;
    mark = to_file(&j.mark);
    if (a->kind == PLATFORM_DO_FILE_END) {
        saves_end(d->saves, a->download, format_of(&j), &mark,
                  a->flags & PLATFORM_FILE_REMOVE);
        return;
    }
    if (platform_session_view(d->platform, a->session, &s)) {
        const struct saves_order o = {
            .id = a->download, .session = a->session, .loop = s.loop,
            .format = format_of(&j), .mark = mark,
            .start_utc_ms = (int64_t)s.playback.start_s * 1000,
            .anew = a->flags & PLATFORM_FILE_ANEW,
        };

        saves_start(d->saves, &o);
    }
}

/* What no download that is known will go on with. */
static void remove_orphans(struct daemon *d)
{
    struct platform_download j;
    char path[1400];
    uv_dirent_t e;
    uv_fs_t list, unlink;
    uint64_t id;
    int n = uv_fs_scandir(NULL, &list, d->download_dir, 0, NULL);

    while (n >= 0 && uv_fs_scandir_next(&list, &e) != UV_EOF) {
        if (!saves_is_part(e.name, &id) ||
            platform_download_file(d->platform, id, &j))
            continue;
        snprintf(path, sizeof(path), "%s/%s", d->download_dir, e.name);
        log_f(LOG_INFO, "msg=\"a part of a download that is not known is "
                        "removed\" file=%s err=%d", e.name,
              uv_fs_unlink(NULL, &unlink, path, NULL));
        uv_fs_req_cleanup(&unlink);
    }
    uv_fs_req_cleanup(&list);
}

int daemon_start_saves(struct daemon *d, char why[static WHY_MAX])
{
    const struct saves_config o = { .main = &d->loop, .media = d->media,
                                    .disk = d->file_disk,
                                    .dir = d->download_dir,
                                    .on_saved = on_saved,
                                    .on_filed = on_filed, .ctx = d };
    int err = *d->download_dir ? saves_new(&d->saves, &o) : 0;

    if (!err && *d->download_dir)
        remove_orphans(d);
    return err ? daemon_fail(why, err, "downloads", gb_strerror(err)) : 0;
}
