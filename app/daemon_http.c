/* The HTTP application: what it wishes for, and how it is made. */
#include "app/daemon_int.h"
#include "app/net/media_hls.h"
#include "app/net/random.h"
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
    random_bytes(p, n);
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

/* ---- starting ---- */

static void record_config(struct daemon *d, struct http_app_config *c)
{
    c->recorders = d->recorders;
    c->archive = d->archive;
    c->volumes = d->volumes;
    c->recorded = daemon_recorded;
    c->record_changed = daemon_record_changed;
    c->record_remove = daemon_record_remove;
    c->cut = daemon_cut;
}

static void app_config(struct daemon *d, struct http_app_config *c)
{
    struct gb_addr addr;

    *c = (struct http_app_config){
        .alloc = &gb_alloc_heap, .platform = d->platform, .sip = d->sip,
        .trace = d->trace, .headers = d->headers, .log_ring = d->log,
        .listeners = http_listeners,
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
        .file_remove = daemon_file_remove,
        .picture_store = config_number(d->config, CONFIG_SNAPSHOT_MAX)
                             ? daemon_picture_store : NULL,
        .picture_remove = daemon_picture_remove,
        .picture_dir = d->picture_dir,
        .download_dir = *d->download_dir ? d->download_dir : NULL,
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
    if (config_addr(d->config, CONFIG_SIP_LISTEN, 0, &addr))
        c->sip_port = addr.port;
    if (config_addr(d->config, CONFIG_HTTP_LISTEN, 0, &addr))
        c->http_port = addr.port;
    memcpy(c->key, d->secrets->key, sizeof(c->key));
    if (GB_SQLITE)
        record_config(d, c);
}

int daemon_start_app(struct daemon *d, char why[static WHY_MAX])
{
    struct http_app_config c;
    int err = daemon_make_folders(d, why);

    if (err)
        return err;
    app_config(d, &c);
    err = http_app_new(&d->app, &c);
    if (err)
        return daemon_fail(why, err, "HTTP application", gb_strerror(err));
    daemon_read_files(d);
    return 0;
}
