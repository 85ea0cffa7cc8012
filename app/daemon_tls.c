/* Certificates of this server, and those that it checks others with.
 *
 * OpenSSL takes some MiB as soon as it is used, so it is not before somebody
 * needs it: a context that is not made yet is made at the first connection. A
 * certificate that was given is read at the start all the same, so that what is
 * wrong with it is told then. */
#include "app/daemon_int.h"

#include "app/net/listen.h"

#include <stdio.h>
#include <unistd.h>

#define RETRY_MS 10000 /* between two attempts to read files that are wrong */

/* The files of the certificate, given or our own. */
struct files {
    char cert[1100], key[1100];
    bool own;
};

static void find_files(const struct daemon *d, struct files *f)
{
    const char *cert = config_text(d->config, CONFIG_TLS_CERT);

    f->own = !*cert;
    if (f->own) {
        snprintf(f->cert, sizeof(f->cert), "%s/tls.crt", d->secrets->dir);
        snprintf(f->key, sizeof(f->key), "%s/tls.key", d->secrets->dir);
    } else {
        snprintf(f->cert, sizeof(f->cert), "%.1000s", cert);
        snprintf(f->key, sizeof(f->key), "%.1000s",
                 config_text(d->config, CONFIG_TLS_KEY));
    }
}

/* Our own certificate, for the addresses that a device may know us by. */
static int make_certificate(struct daemon *d, const struct files *f,
                            char why[static TLS_WHY_MAX])
{
    struct gb_addr addr[HTTP_ADDRESSES_MAX + 2 + SIP_EDGE_MAX_LISTEN +
                        LISTEN_MAX];
    size_t n = daemon_addresses(d, addr, HTTP_ADDRESSES_MAX);
    int err;

    gb_addr_parse_ip(&addr[n++], SLICE("127.0.0.1"));
    gb_addr_parse_ip(&addr[n++], SLICE("::1"));
    for (size_t i = 0; i < SIP_EDGE_MAX_LISTEN; i++)
        n += config_addr(d->config, CONFIG_SIP_TLS_LISTEN, i, &addr[n]);
    for (size_t i = 0; i < LISTEN_MAX; i++)
        n += config_addr(d->config, CONFIG_HTTP_LISTEN, i, &addr[n]);
    err = tls_make_certificate(f->cert, f->key,
                               config_text(d->config, CONFIG_SERVER_ID), addr,
                               n, why);
    if (!err)
        log_f(LOG_INFO, "msg=\"certificate made\" file=\"%s\"", f->cert);
    return err;
}

/* How many of the two files are there: one without the other is somebody's
 * mistake. */
static int count(const struct files *f)
{
    return (access(f->cert, F_OK) == 0) + (access(f->key, F_OK) == 0);
}

static int load(struct daemon *d, char why[static TLS_WHY_MAX])
{
    const char *trouble;
    struct files f;
    int err = 0;

    find_files(d, &f);
    if (f.own)
        tls_finish_certificate(f.cert, f.key);
    if (f.own && count(&f) == 0)
        err = make_certificate(d, &f, why);
    if (!err)
        err = tls_ctx_server(&d->tls, f.cert, f.key, why);
    trouble = err ? NULL : tls_ctx_trouble(d->tls, daemon_now(d).utc_ms / 1000);
    if (trouble)
        log_f(LOG_WARN, "msg=\"look after the certificate\" file=\"%s\" "
                        "why=\"%s\"", f.cert, trouble);
    return err;
}

/* Of the relay: the context, or NULL. */
static struct tls_ctx *server_tls(void *ctx)
{
    struct daemon *d = ctx;
    uint64_t now_ms = uv_now(&d->loop);
    char why[TLS_WHY_MAX];

    if (d->tls || now_ms < d->tls_retry_ms)
        return d->tls;
    if (load(d, why)) {
        log_f(LOG_ERROR, "msg=\"no HTTPS\" why=\"%s\"", why);
        d->tls_retry_ms = now_ms + RETRY_MS;
    }
    return d->tls;
}

int daemon_start_tls(struct daemon *d, char why[static WHY_MAX])
{
    const struct tls_relay_config rc = { .server = server_tls, .ctx = d };
    bool sip = config_n(d->config, CONFIG_SIP_TLS_LISTEN) != 0;
    char text[TLS_WHY_MAX] = "no memory";
    struct files f;
    int err = 0;

    find_files(d, &f);
    if (!GB_TLS && !sip && f.own)
        return 0; /* nothing that it lacks is asked for */
    if (sip || !f.own || count(&f) == 1)
        err = load(d, text);
    if (!err)
        err = tls_relay_new(&d->relay, &rc);
    return err ? daemon_fail(why, err, "tls.cert", text) : 0;
}

static void reload_own(struct daemon *d)
{
    struct tls_ctx *old = d->tls;
    char why[TLS_WHY_MAX];

    d->tls_retry_ms = 0;
    if (!old)
        return; /* it is read when it is needed */
    d->tls = NULL;
    if (load(d, why)) {
        d->tls = old;
        log_f(LOG_ERROR, "msg=\"the certificate stays as it was\" "
                         "why=\"%s\"", why);
        return;
    }
    if (d->edge)
        sip_edge_set_tls(d->edge, d->tls);
    tls_ctx_free(old);
}

/* ---- others' ------------------------------------------------------------- */

bool daemon_checks_certificates(const struct daemon *d, enum config_key key)
{
    const char *ca = config_text(d->config, key);

    return GB_TLS && *ca && access(ca, R_OK) == 0;
}

static struct tls_ctx *client_of(const struct daemon *d, struct tls_ctx **of,
                                 enum config_key ca, const char *what)
{
    char text[TLS_WHY_MAX];

    if (!*of && tls_ctx_client(of, config_text(d->config, ca), text))
        log_f(LOG_WARN, "msg=\"no %s\" why=\"%s\"", what, text);
    return *of;
}

struct tls_ctx *daemon_caller_tls(void *ctx)
{
    struct daemon *d = ctx;

    return client_of(d, &d->caller_tls, CONFIG_HOOKS_CA, "webhooks over https");
}

struct tls_ctx *daemon_push_tls(void *ctx)
{
    struct daemon *d = ctx;

    return client_of(d, &d->push_tls, CONFIG_PUSH_CA, "pushes over TLS");
}

/* Connections keep what they were made with. A file that was not read yet is
 * read when it is needed. */
static void reread(struct daemon *d, struct tls_ctx **of, enum config_key ca)
{
    struct tls_ctx *old = *of;
    char why[TLS_WHY_MAX];

    if (!old)
        return;
    *of = NULL;
    if (!tls_ctx_client(of, config_text(d->config, ca), why)) {
        tls_ctx_free(old);
        log_f(LOG_INFO, "msg=\"certificates of others read again\" file=\"%s\"",
              config_text(d->config, ca));
        return;
    }
    *of = old;
    log_f(LOG_ERROR, "msg=\"certificates of others stay as they were\" "
                     "file=\"%s\" why=\"%s\"", config_text(d->config, ca), why);
}

void daemon_reload_tls(struct daemon *d)
{
    reload_own(d);
    reread(d, &d->caller_tls, CONFIG_HOOKS_CA);
    reread(d, &d->push_tls, CONFIG_PUSH_CA);
}
