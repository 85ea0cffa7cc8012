/* The RTSP server: what it wishes for, and how it is made. */
#include "app/daemon_int.h"

#include "app/net/listen.h"
#include "app/net/random.h"

#include <stdio.h>

static void touched(void *ctx)
{
    struct daemon *d = ctx;

    sip_edge_touch(d->edge);
}

static bool is_signed(void *ctx, struct slice device, struct slice channel,
                      struct slice signature, uint64_t *who)
{
    struct daemon *d = ctx;

    return http_app_is_signed(d->app, device, channel, signature, who);
}

static uint64_t by_token(void *ctx, struct slice token)
{
    struct daemon *d = ctx;

    return http_app_token(d->app, token);
}

static uint64_t by_name(void *ctx, struct slice name, struct sip_ha1 *ha1)
{
    struct daemon *d = ctx;

    return http_app_token_named(d->app, name, ha1);
}

static bool sees(void *ctx, uint64_t who, struct slice device)
{
    struct daemon *d = ctx;

    return http_app_sees(d->app, who, device);
}

static uint32_t wait_s(void *ctx, const struct gb_addr *source)
{
    struct daemon *d = ctx;

    return http_app_login_wait(d->app, source);
}

static void failed(void *ctx, const struct gb_addr *source)
{
    struct daemon *d = ctx;
    char text[GB_ADDR_TEXT_MAX];

    http_app_login_failed(d->app, source);
    log_f(LOG_WARN, "msg=\"wrong password over RTSP\" peer=%s",
          gb_addr_text(source, text));
}

/* Nobody has chosen this port, and 8554 is that of other media servers too: one
 * that was there first is no reason to do without all the rest. */
static bool is_default(const struct daemon *d)
{
    return d->config->value[CONFIG_RTSP_LISTEN].layer == CONFIG_DEFAULT;
}

int daemon_start_rtsp(struct daemon *d, char why[static WHY_MAX])
{
    struct gb_addr listen[LISTEN_MAX];
    struct rtsp_server_config c = {
        .loop = &d->loop, .platform = d->platform, .media = d->media,
        .listen = listen, .tls = d->relay,
        .auth = config_bool(d->config, CONFIG_HTTP_AUTH),
        .token = d->secrets->admin_token,
        .ctx = d, .now = daemon_http_now, .touched = touched,
        .is_signed = is_signed, .by_token = by_token, .by_name = by_name,
        .sees = sees, .wait_s = wait_s, .failed = failed,
    };
    size_t at = 0;
    int err;

    while (c.n_listen < LISTEN_MAX &&
           config_addr(d->config, CONFIG_RTSP_LISTEN, c.n_listen,
                       &listen[c.n_listen]))
        c.n_listen++;
    if (c.n_listen == 0)
        return 0;
    random_bytes(c.nonce_key, sizeof(c.nonce_key));
    err = rtsp_server_new(&d->rtsp, &c, &at);
    if (!err) {
        http_app_set_rtsp(d->app, rtsp_server_addr(d->rtsp, 0).port);
        return 0;
    }
    daemon_fail_port(why, err, "RTSP port", "rtsp.listen", &listen[at]);
    if (err != UV_EADDRINUSE || !is_default(d))
        return err;
    log_f(LOG_WARN, "msg=\"no RTSP server\" why=\"%s\"", why);
    return 0;
}
