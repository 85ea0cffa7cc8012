/* tls.h for a build without TLS (TLS=0): nothing can be made, so the rest is
 * never called. */
#include "app/net/tls.h"

#include <stdio.h>

static int refuse(char why[static TLS_WHY_MAX])
{
    snprintf(why, TLS_WHY_MAX, "this build has no TLS (made with TLS=0)");
    return GB_EUNSUPPORTED;
}

int tls_ctx_server(struct tls_ctx **out, const char *cert, const char *key,
                   char why[static TLS_WHY_MAX])
{
    (void)cert;
    (void)key;
    *out = NULL;
    return refuse(why);
}

int tls_ctx_client(struct tls_ctx **out, const char *ca,
                   char why[static TLS_WHY_MAX])
{
    (void)ca;
    *out = NULL;
    return refuse(why);
}

const char *tls_ctx_trouble(const struct tls_ctx *c, int64_t now_s)
{
    (void)c;
    (void)now_s;
    return NULL;
}

void tls_ctx_free(struct tls_ctx *c)
{
    (void)c;
}

int tls_make_certificate(const char *cert, const char *key, const char *name,
                         const struct gb_addr *addr, size_t n,
                         char why[static TLS_WHY_MAX])
{
    (void)cert;
    (void)key;
    (void)name;
    (void)addr;
    (void)n;
    return refuse(why);
}

void tls_finish_certificate(const char *cert, const char *key)
{
    (void)cert;
    (void)key;
}

int tls_new(struct tls **out, struct tls_ctx *c, const char *name)
{
    (void)c;
    (void)name;
    *out = NULL;
    return GB_EUNSUPPORTED;
}

void tls_free(struct tls *t)
{
    (void)t;
}

int tls_decrypt(struct tls *t, struct slice *in, void *buf, size_t cap,
                size_t *n)
{
    (void)t;
    (void)in;
    (void)buf;
    (void)cap;
    *n = 0;
    return GB_EUNSUPPORTED;
}

int tls_encrypt(struct tls *t, struct slice plain)
{
    (void)t;
    (void)plain;
    return GB_EUNSUPPORTED;
}

struct slice tls_output(const struct tls *t)
{
    (void)t;
    return slice_of(NULL, 0);
}

void tls_sent(struct tls *t, size_t n)
{
    (void)t;
    (void)n;
}

void tls_bye(struct tls *t)
{
    (void)t;
}

bool tls_is_up(const struct tls *t)
{
    (void)t;
    return false;
}

const char *tls_error_text(const struct tls *t, const char *peer,
                           char buf[static TLS_WHY_MAX])
{
    (void)t;
    (void)peer;
    refuse(buf);
    return buf;
}
