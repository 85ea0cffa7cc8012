/* The HTTP application: what it wishes for, and how it is made. */
#include "app/daemon_int.h"
#include "app/net/media_hls.h"
#include "app/net/sockaddr.h"

#include <stdlib.h>
#include <unistd.h>

struct gb_time daemon_http_now(void *ctx)
{
    return daemon_now(ctx);
}

static void http_random(void *ctx, void *p, size_t n)
{
    (void)ctx;
    secrets_random(p, n);
}

static void http_touched(void *ctx)
{
    struct daemon *d = ctx;

    sip_edge_touch(d->edge);
}

static int http_on_media(void *ctx, struct http_handover *h)
{
    struct daemon *d = ctx;

    return viewer_start(d->media, &d->viewer_hooks, h);
}

static void on_hls(void *ctx, struct media_hls_ask *a)
{
    struct daemon *d = ctx;
    const struct http_hls_told t = {
        .request = a->request,
        .what = (enum http_hls_what)a->what,
        .err = a->err,
        .playlist = slice_of(a->text, a->n_text),
        .part = a->part,
    };

    if (!d->closing)
        http_app_hls_told(d->app, &t);
    media_hls_ask_free(a);
}

static bool http_hls(void *ctx, const struct http_hls_ask *q)
{
    _Static_assert((int)HTTP_HLS_SEGMENT == (int)MEDIA_HLS_SEGMENT &&
                   (int)HTTP_HLS_INIT == (int)MEDIA_HLS_INIT, "by value");
    struct daemon *d = ctx;
    struct media_hls_ask *a = calloc(1, sizeof(*a));

    if (!a)
        return false;
    a->what = (enum media_hls_what)q->what;
    a->session = q->session;
    a->request = q->request;
    a->number = q->number;
    a->utc_ms = q->now.utc_ms;
    a->on_done = on_hls;
    a->ctx = d;
    slice_copy(a->query, sizeof(a->query), q->query);
    if (media_hls_ask(d->media, q->loop, a))
        return true;
    media_hls_ask_free(a);
    return false;
}

static void http_say(void *ctx, uint64_t voice, unsigned loop,
                     const int16_t *pcm, size_t n)
{
    struct daemon *d = ctx;

    if (!d->closing)
        media_net_say(d->media, voice, loop, pcm, n);
}

static const char *http_not_ready(void *ctx)
{
    struct daemon *d = ctx;

    return d->draining ? "draining" : NULL;
}

void daemon_log(void *ctx, enum platform_level level, const char *line)
{
    (void)ctx;
    log_f(daemon_level(level), "%s", line);
}

static void http_hooks_due(void *ctx)
{
    struct daemon *d = ctx;

    if (!d->closing)
        hook_client_touch(d->caller);
}

static void http_hook_changed(void *ctx, struct slice name)
{
    struct daemon *d = ctx;
    char sealed[SECRETS_SEALED_MAX], who[128];
    struct hook_view v;

    if (hooks_view(d->hooks, name, daemon_now(d), &v)) {
        struct store_hook h = { .name = name, .url = v.url, .kinds = v.kinds,
                                .off = v.off };

        secrets_seal(d->secrets, daemon_owner("hook", name, who), v.secret, sealed);
        h.sealed = slice_str(sealed);
        store_put_hook(d->store, &h);
    } else {
        store_remove_hook(d->store, name);
    }
    http_hooks_due(d);
}

static void http_account_changed(void *ctx, enum account_kind kind,
                                 struct slice name)
{
    struct daemon *d = ctx;
    char key[ACCOUNT_NAME_MAX + 16];
    struct writer w = writer_of(key, sizeof(key));
    struct account v;

    writer_str(&w, kind == ACCOUNT_USER ? "user/" : "token/");
    writer_slice_put(&w, name);
    if (accounts_find(d->accounts, kind, name, &v)) {
        const struct store_account s = {
            .name = writer_slice(&w), .secret = v.secret, .scope = v.scope,
            .role = slice_str(http_role_name(v.role)),
            .made_utc_ms = v.made_utc_ms,
        };

        store_put_account(d->store, &s);
    } else {
        store_remove_account(d->store, writer_slice(&w));
    }
}

static void http_dismissed(void *ctx, uint64_t who)
{
    struct daemon *d = ctx;

    if (d->rtsp)
        rtsp_server_dismiss(d->rtsp, who);
    if (d->media && !media_net_dismiss(d->media, who))
        log_f(LOG_ERROR, "msg=\"viewers of an account that is over may stay\" "
                         "why=\"no memory\"");
}

static void http_audit(void *ctx, const struct http_audit *e)
{
    struct daemon *d = ctx;
    const struct store_audit a = {
        .who = e->who, .role = e->role, .peer = e->peer, .method = e->method,
        .path = e->path, .status = e->status, .at_utc_ms = e->at_utc_ms,
    };

    store_add_audit(d->store, &a);
}

static void acknowledge(void *ctx, uint64_t alarm, struct slice who,
                        int64_t utc_ms)
{
    struct daemon *d = ctx;

    store_acknowledge_alarm(d->store, alarm, who, utc_ms);
}

static void on_unlinked(uv_fs_t *req)
{
    uv_fs_req_cleanup(req);
    free(req);
}

static void http_file_remove(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    char path[1200];
    uv_fs_t *req = malloc(sizeof(*req));

    snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, name);
    if (!req || uv_fs_unlink(&d->loop, req, path, on_unlinked)) {
        log_f(LOG_ERROR, "msg=\"a firmware file is not deleted\" "
                         "file=\"%s\"", path);
        free(req);
    }
}

size_t daemon_addresses(void *ctx, struct gb_addr *out, size_t cap)
{
    uv_interface_address_t *list;
    size_t n = 0;
    int count;

    (void)ctx;
    if (uv_interface_addresses(&list, &count))
        return 0;
    for (int i = 0; i < count && n < cap; i++) {
        struct gb_addr a;

        sockaddr_read(&a, (struct sockaddr *)&list[i].address);
        if (list[i].is_internal || (a.family == GB_IPV6 && a.ip[0] == 0xfe))
            continue;
        a.port = 0;
        out[n++] = a;
    }
    uv_free_interface_addresses(list, count);
    return n;
}

static size_t http_listeners(void *ctx, struct gb_addr *out, size_t cap)
{
    struct daemon *d = ctx;
    size_t n = 0;

    while (n < cap && sip_edge_addr(d->edge, n).family != GB_NO_ADDR) {
        out[n] = sip_edge_addr(d->edge, n);
        n++;
    }
    return n;
}

/* ---- firmware ---- */

static bool is_sha256(const char *name)
{
    struct slice s = slice_str(name);

    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return s.n == 64;
}

/* What lies in the directory: whole files are told, parts of uploads that a
 * stop has cut off are deleted. Once, before anybody is served. */
static void read_firmware(struct daemon *d)
{
    uv_dirent_t e;
    uv_fs_t list;
    int n = uv_fs_scandir(NULL, &list, d->firmware_dir, 0, NULL);

    while (n >= 0 && uv_fs_scandir_next(&list, &e) != UV_EOF) {
        char path[1200];
        uv_fs_t st;

        snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, e.name);
        if (slice_has_prefix(slice_str(e.name), SLICE(HTTP_FILE_PART)))
            unlink(path);
        if (is_sha256(e.name) && uv_fs_stat(NULL, &st, path, NULL) == 0) {
            http_app_firmware(d->app, e.name, st.statbuf.st_size,
                              st.statbuf.st_mtim.tv_sec * 1000ll);
            uv_fs_req_cleanup(&st);
        }
    }
    uv_fs_req_cleanup(&list);
}

static int make_dir(const char *path, char why[static 512])
{
    uv_fs_t req;
    int err = uv_fs_mkdir(NULL, &req, path, 0700, NULL);

    uv_fs_req_cleanup(&req);
    return err && err != UV_EEXIST
               ? daemon_fail(why, GB_EIO, path, uv_strerror(err))
               : 0;
}

static int make_firmware_dir(struct daemon *d, char why[static 512])
{
    if (config_number(d->config, CONFIG_FIRMWARE_MAX) == 0)
        return 0;
    snprintf(d->firmware_dir, sizeof(d->firmware_dir), "%s/firmware",
             d->secrets->dir);
    return make_dir(d->firmware_dir, why);
}

static int make_download_dir(struct daemon *d, char why[static 512])
{
    const char *dir = config_text(d->config, CONFIG_DOWNLOAD_DIR);

    if (config_number(d->config, CONFIG_DOWNLOAD_MAX) == 0)
        return 0;
    if (*dir)
        snprintf(d->download_dir, sizeof(d->download_dir), "%.1000s", dir);
    else
        snprintf(d->download_dir, sizeof(d->download_dir), "%s/downloads",
                 d->secrets->dir);
    return make_dir(d->download_dir, why);
}

/* One is made. Of several each is expected to be a disk that is mounted: a
 * directory in its place would fill another one. */
static int make_volumes(struct daemon *d, char why[static 512])
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
               : make_dir(volumes_dir(d->volumes, 0), why);
}

/* ---- pictures ---- */

struct picture_job {
    struct disk_job job;
    char path[1200];
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

static bool http_picture_store(void *ctx, const char *name, struct slice bytes)
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

static void http_picture_remove(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    char path[1200];
    uv_fs_t *req = malloc(sizeof(*req));

    snprintf(path, sizeof(path), "%s/%s", d->picture_dir, name);
    if (!req || uv_fs_unlink(&d->loop, req, path, on_unlinked))
        free(req);
}

/* CHANNEL-TIME-NUMBER-SALT.jpg: 0, or the time of one of ours. */
static int64_t picture_time(const char *name)
{
    struct slice s = slice_str(name), part;
    uint64_t ms;

    slice_cut(&s, '-', &part);
    slice_cut(&s, '-', &part);
    return s.n && slice_u64(part, INT64_MAX, &ms) ? (int64_t)ms : 0;
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
        struct picture_entry one = { .utc_ms = picture_time(e.name) };
        char path[1200];
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

static int make_picture_dir(struct daemon *d, char why[static 512])
{
    if (config_number(d->config, CONFIG_SNAPSHOT_MAX) == 0)
        return 0;
    snprintf(d->picture_dir, sizeof(d->picture_dir), "%s/snapshots",
             d->secrets->dir);
    return make_dir(d->picture_dir, why);
}

/* ---- starting ---- */

int daemon_start_app(struct daemon *d, char why[static 512])
{
    struct http_app_config hc = {
        .alloc = &gb_alloc_heap, .platform = d->platform, .sip = d->sip,
        .trace = d->trace, .headers = d->headers, .log_ring = d->log, .listeners = http_listeners,
        .ctx = d, .now = daemon_http_now, .random = http_random,
        .touched = http_touched, .on_media = http_on_media,
        .jpeg = d->jpegs ? daemon_jpeg : NULL, .hls = http_hls, .say = http_say,
        .ask = GB_SQLITE ? daemon_ask : NULL, .commits = true,
        .hooks = d->hooks, .hooks_due = http_hooks_due,
        .hook_changed = http_hook_changed,
        .acknowledge = GB_SQLITE ? acknowledge : NULL,
        .audit = GB_SQLITE ? http_audit : NULL,
        .accounts = d->accounts, .account_changed = http_account_changed,
        .dismissed = http_dismissed, .rtsp_realm = RTSP_REALM,
        .reset_admin = *d->secrets->new_admin_password != '\0',
        .rules = d->rules, .rule_changed = daemon_rule_changed,
        .pushes = d->pushes, .push_changed = daemon_push_changed,
        .firmware_max = (uint64_t)config_number(d->config,
                                                CONFIG_FIRMWARE_MAX) << 20,
        .file_remove = http_file_remove,
        .picture_store = config_number(d->config, CONFIG_SNAPSHOT_MAX)
                             ? http_picture_store : NULL,
        .picture_remove = http_picture_remove,
        .picture_dir = d->picture_dir,
        .tiles_dir = config_text(d->config, CONFIG_MAP_TILES),
        .tiles_zoom = (unsigned)config_number(d->config, CONFIG_MAP_ZOOM),
        .pictures_max = (uint64_t)config_number(d->config,
                                                CONFIG_SNAPSHOT_MAX) << 20,
        .event_wanted = daemon_event_wanted, .event = daemon_event,
        .setting = daemon_setting, .set = daemon_set,
        .not_ready = http_not_ready, .metrics = daemon_metrics,
        .addresses = daemon_addresses, .log = daemon_log,
        .auth = config_bool(d->config, CONFIG_HTTP_AUTH),
        .wvp_login = config_bool(d->config, CONFIG_HTTP_WVP),
        .admin_token = d->secrets->admin_token,
        .admin_password_hash = d->secrets->admin_hash,
        .public_url = config_text(d->config, CONFIG_HTTP_PUBLIC),
        .trusted_proxies = d->proxies, .n_trusted_proxies = d->n_proxies,
        .version = GB_VERSION,
        .server_id = config_text(d->config, CONFIG_SERVER_ID),
        .realm = d->realm, .device_password = d->password,
        .formats = 1u << HTTP_FORMAT_FLV | 1u << HTTP_FORMAT_FMP4 |
                   1u << HTTP_FORMAT_TS | 1u << HTTP_FORMAT_PS |
                   1u << HTTP_FORMAT_HLS | 1u << HTTP_FORMAT_JPEG |
                   1u << HTTP_FORMAT_FRAME | 1u << HTTP_FORMAT_MSE,
    };
    struct gb_addr sip;
    int err;

    if (config_addr(d->config, CONFIG_SIP_LISTEN, 0, &sip))
        hc.sip_port = sip.port;
    if (config_addr(d->config, CONFIG_HTTP_LISTEN, 0, &sip))
        hc.http_port = sip.port;
    memcpy(hc.key, d->secrets->key, sizeof(hc.key));
    err = make_firmware_dir(d, why);
    if (!err)
        err = make_download_dir(d, why);
    if (!err)
        err = make_picture_dir(d, why);
    if (!err && GB_SQLITE)
        err = make_volumes(d, why);
    if (err)
        return err;
    if (GB_SQLITE) {
        hc.recorders = d->recorders;
        hc.archive = d->archive;
        hc.volumes = d->volumes;
        hc.recorded = daemon_recorded;
        hc.record_changed = daemon_record_changed;
        hc.record_remove = daemon_record_remove;
        hc.cut = daemon_cut;
    }
    hc.download_dir = *d->download_dir ? d->download_dir : NULL;
    err = http_app_new(&d->app, &hc);
    if (!err && *d->firmware_dir)
        read_firmware(d);
    if (!err && *d->picture_dir)
        read_pictures(d);
    return err ? daemon_fail(why, err, "HTTP application", gb_strerror(err)) : 0;
}
