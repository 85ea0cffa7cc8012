#include "app/net/tls.h"

#include "app/net/durable.h"
#include "base/writer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TLS_FIRST_OUT 512  /* the output buffer begins with this and doubles */
#define TLS_RECORD_COST 64 /* head, nonce, tag and padding of one record, and
                              more than any of our ciphers adds */
#define TLS_SERIAL_BITS 120
#define TLS_SAN_MAX 4096   /* text of the alternative names */
#define EXPIRES_SOON_S (14 * 86400) /* or a third of what it lives, if that is less */

struct tls_ctx {
    SSL_CTX *ssl;
    BIO_METHOD *method; /* of the BIOs of all its connections */
    bool is_server, checks;
    atomic_uint refs; /* its owner's and its connections' */
};

/* in, during a call of tls_decrypt, is what its caller holds: OpenSSL reads
 * cipher bytes straight from there and writes its own to out. */
struct tls {
    SSL *ssl;
    struct tls_ctx *ctx; /* a reference */
    struct slice *in;
    char *out;
    size_t out_at, out_len, out_cap;
    bool up;
    int failed;        /* GB_ code, 0: none yet */
    unsigned long why; /* OpenSSL's, 0: see verify */
    long verify;
};

/* ---- texts --------------------------------------------------------------- */

/* The reason of an OpenSSL error, or of errno where that was the cause. */
static const char *reason_of(unsigned long code)
{
    const char *text = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    return text ? text : "unknown error";
}

static int refuse(char why[static TLS_WHY_MAX], int err, const char *what,
                  const char *path)
{
    unsigned long code = ERR_peek_error();

    snprintf(why, TLS_WHY_MAX, "%s %.120s: %.100s", what, path,
             code ? reason_of(code) : gb_strerror(err));
    ERR_clear_error();
    return err;
}

const char *tls_error_text(const struct tls *t, const char *peer,
                           char buf[static TLS_WHY_MAX])
{
    const char *step = t->failed == GB_EAUTH ? "certificate of"
                       : t->up               ? "connection with"
                                             : "handshake with";
    const char *why = t->failed == GB_EAUTH
                          ? X509_verify_cert_error_string(t->verify)
                      : t->why ? reason_of(t->why) : gb_strerror(t->failed);

    snprintf(buf, TLS_WHY_MAX, "TLS %s %.80s: %.120s", step, peer, why);
    return buf;
}

/* ---- the BIO between OpenSSL and the owner's bytes ------------------------ */

static int on_bio_read(BIO *b, char *p, int cap)
{
    struct tls *t = BIO_get_data(b);
    size_t n;

    BIO_clear_retry_flags(b);
    if (!t->in || t->in->n == 0 || cap <= 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    n = t->in->n < (size_t)cap ? t->in->n : (size_t)cap;
    memcpy(p, t->in->p, n);
    *t->in = slice_from(*t->in, n);
    return (int)n;
}

static bool out_room(struct tls *t, size_t n)
{
    size_t cap = t->out_cap ? t->out_cap : TLS_FIRST_OUT;
    char *more;

    if (t->out_at) {
        memmove(t->out, t->out + t->out_at, t->out_len - t->out_at);
        t->out_len -= t->out_at;
        t->out_at = 0;
    }
    if (n > TLS_QUEUE_BYTES - t->out_len)
        return false;
    while (cap - t->out_len < n)
        cap *= 2;
    if (cap == t->out_cap)
        return true;
    more = realloc(t->out, cap);
    if (!more)
        return false;
    t->out = more;
    t->out_cap = cap;
    return true;
}

static int on_bio_write(BIO *b, const char *p, int n)
{
    struct tls *t = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    if (n <= 0)
        return 0;
    if (!out_room(t, (size_t)n))
        return -1; /* no memory, or the peer makes us talk without reading */
    memcpy(t->out + t->out_len, p, (size_t)n);
    t->out_len += (size_t)n;
    return n;
}

static long on_bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(),
                                 "bytes of the owner");

    if (m && BIO_meth_set_read(m, on_bio_read) &&
        BIO_meth_set_write(m, on_bio_write) &&
        BIO_meth_set_ctrl(m, on_bio_ctrl))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- contexts ------------------------------------------------------------ */

static struct tls_ctx *ctx_new(bool is_server)
{
    struct tls_ctx *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    ERR_clear_error();
    atomic_init(&c->refs, 1);
    c->is_server = is_server;
    c->ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    c->method = make_method();
    if (!c->ssl || !c->method ||
        !SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION)) {
        tls_ctx_free(c);
        return NULL;
    }
    SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(c->ssl, 0);
    SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(c->ssl, SSL_VERIFY_NONE, NULL);
    return c;
}

int tls_ctx_server(struct tls_ctx **out, const char *cert, const char *key,
                   char why[static TLS_WHY_MAX])
{
    struct tls_ctx *c = ctx_new(true);
    int err = 0;

    if (!c)
        return refuse(why, GB_ENOMEM, "TLS", "server");
    if (SSL_CTX_use_certificate_chain_file(c->ssl, cert) != 1)
        err = refuse(why, GB_EIO, "TLS certificate", cert);
    else if (SSL_CTX_use_PrivateKey_file(c->ssl, key, SSL_FILETYPE_PEM) != 1)
        err = refuse(why, GB_EIO, "TLS key", key);
    else if (SSL_CTX_check_private_key(c->ssl) != 1)
        err = refuse(why, GB_EAUTH, "TLS key does not belong to", cert);
    if (err) {
        tls_ctx_free(c);
        return err;
    }
    *out = c;
    return 0;
}

/* How long before its end one is renewed. */
static time_t soon_of(const X509 *cert)
{
    int days, s;

    if (!ASN1_TIME_diff(&days, &s, X509_get0_notBefore(cert),
                        X509_get0_notAfter(cert)))
        return EXPIRES_SOON_S;
    return days / 3 < EXPIRES_SOON_S / 86400 ? days * (86400 / 3) : EXPIRES_SOON_S;
}

const char *tls_ctx_trouble(const struct tls_ctx *c, int64_t now_s)
{
    const X509 *cert = SSL_CTX_get0_certificate(c->ssl);
    time_t now = (time_t)now_s, soon;

    if (!cert)
        return NULL;
    soon = now + soon_of(cert);
    if (X509_cmp_time(X509_get0_notBefore(cert), &now) > 0)
        return "it is not yet valid: is the clock of this machine right?";
    if (X509_cmp_time(X509_get0_notAfter(cert), &now) < 0)
        return "it has expired: renew it, SIGHUP reads it again";
    if (X509_cmp_time(X509_get0_notAfter(cert), &soon) < 0)
        return "it expires soon: renew it, SIGHUP reads it again";
    return NULL;
}

int tls_ctx_client(struct tls_ctx **out, const char *ca,
                   char why[static TLS_WHY_MAX])
{
    struct tls_ctx *c = ctx_new(false);

    if (!c)
        return refuse(why, GB_ENOMEM, "TLS", "client");
    if (ca) {
        /* a certificate signed by itself is trusted when it is in the file */
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c->ssl),
                                    X509_V_FLAG_PARTIAL_CHAIN);
        SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
        c->checks = true;
        if (SSL_CTX_load_verify_locations(c->ssl, ca, NULL) != 1) {
            int err = refuse(why, GB_EIO, "TLS certificates", ca);

            tls_ctx_free(c);
            return err;
        }
    }
    *out = c;
    return 0;
}

void tls_ctx_free(struct tls_ctx *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    SSL_CTX_free(c->ssl);
    BIO_meth_free(c->method);
    free(c);
}

/* ---- a certificate of our own -------------------------------------------- */

#define NEW_MAX 1100

static bool new_name(char tmp[static NEW_MAX], const char *path)
{
    return snprintf(tmp, NEW_MAX, "%s.new", path) < NEW_MAX;
}

/* Beside its place, so that no half file is ever read. */
static bool write_file(const char *path, BIO *pem)
{
    char tmp[NEW_MAX], *bytes;
    long n = BIO_get_mem_data(pem, &bytes);
    bool ok;
    int fd;

    if (!new_name(tmp, path) || n <= 0)
        return false;
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = fchmod(fd, 0600) == 0 && write(fd, bytes, (size_t)n) == n &&
         fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

/* Both to their places. The certificate is last: see tls_finish_certificate. */
static bool publish(const char *key, const char *cert)
{
    char new_key[NEW_MAX], new_cert[NEW_MAX];

    if (!new_name(new_key, key) || !new_name(new_cert, cert) ||
        rename(new_key, key))
        return false;
    errno = durable_rename(new_cert, cert);
    return errno == 0;
}

void tls_finish_certificate(const char *cert, const char *key)
{
    char new_cert[NEW_MAX];

    if (new_name(new_cert, cert) && access(cert, F_OK) != 0 &&
        access(key, F_OK) == 0 && access(new_cert, F_OK) == 0)
        (void)durable_rename(new_cert, cert); /* else it is missing, and told */
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    bool ok;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

/* An address may be listened at with several ports, and be told besides. */
static bool is_named(const struct gb_addr *addr, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (gb_addr_ip_eq(&addr[k], &addr[i]))
            return true;
    return false;
}

static bool add_addresses(X509 *x, const struct gb_addr *addr, size_t n)
{
    char text[TLS_SAN_MAX];
    struct writer w = writer_of(text, sizeof(text) - 1);

    writer_str(&w, "DNS:localhost");
    for (size_t i = 0; i < n; i++) {
        size_t from = w.len;

        if (addr[i].family == GB_NO_ADDR || gb_addr_is_any(&addr[i]) ||
            is_named(addr, i))
            continue;
        writer_str(&w, ",IP:");
        gb_addr_write_ip(&w, &addr[i]);
        if (w.err) { /* more addresses than anybody has */
            w.len = from;
            break;
        }
    }
    text[w.len] = '\0';
    return add_extension(x, NID_subject_alt_name, text);
}

static bool set_serial(X509 *x)
{
    BIGNUM *b = BN_new();
    bool ok = b && BN_rand(b, TLS_SERIAL_BITS, BN_RAND_TOP_ONE,
                           BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(b, X509_get_serialNumber(x));

    BN_free(b);
    return ok;
}

static bool fill(X509 *x, EVP_PKEY *key, const char *name,
                 const struct gb_addr *addr, size_t n)
{
    X509_NAME *subject = X509_get_subject_name(x);

    return X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
           X509_time_adj_ex(X509_getm_notAfter(x), TLS_CERT_DAYS, 0, NULL) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)name, -1, -1, 0) &&
           X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_addresses(x, addr, n) && X509_sign(x, key, EVP_sha256()) > 0;
}

static bool write_key(const char *path, EVP_PKEY *key)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *bytes;
    long n;
    bool ok = pem &&
              PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) &&
              write_file(path, pem);

    n = pem ? BIO_get_mem_data(pem, &bytes) : 0;
    if (n > 0)
        OPENSSL_cleanse(bytes, (size_t)n);
    BIO_free(pem);
    return ok;
}

static bool write_cert(const char *path, X509 *x)
{
    BIO *pem = BIO_new(BIO_s_mem());
    bool ok = pem && PEM_write_bio_X509(pem, x) && write_file(path, pem);

    BIO_free(pem);
    return ok;
}

int tls_make_certificate(const char *cert, const char *key, const char *name,
                         const struct gb_addr *addr, size_t n,
                         char why[static TLS_WHY_MAX])
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    int err = 0;

    ERR_clear_error();
    if (!pkey || !x || !fill(x, pkey, name, addr, n)) {
        err = refuse(why, GB_ENOMEM, "TLS certificate for", name);
    } else if (!write_key(key, pkey)) {
        snprintf(why, TLS_WHY_MAX, "%.150s: cannot be written: %s", key,
                 strerror(errno));
        err = GB_EIO;
    } else if (!write_cert(cert, x) || !publish(key, cert)) {
        snprintf(why, TLS_WHY_MAX, "%.150s: cannot be written: %s", cert,
                 strerror(errno));
        err = GB_EIO;
    }
    X509_free(x);
    EVP_PKEY_free(pkey);
    return err;
}

/* ---- connections --------------------------------------------------------- */

/* Remembers why; the first reason stays. */
static int fail(struct tls *t, int err)
{
    if (t->failed)
        return t->failed;
    t->why = ERR_peek_error();
    t->verify = SSL_get_verify_result(t->ssl);
    if (err == GB_ESYNTAX && !t->up && t->verify != X509_V_OK &&
        ERR_GET_REASON(t->why) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        err = GB_EAUTH;
    t->failed = err;
    ERR_clear_error();
    return err;
}

/* What OpenSSL means by a result that is no success; 0: it waits for bytes. */
static int judge(struct tls *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return GB_ENOENT;
    case SSL_ERROR_WANT_WRITE: /* our BIO has said no */
    case SSL_ERROR_SYSCALL:
        return fail(t, GB_ELIMIT);
    default:
        return fail(t, GB_ESYNTAX);
    }
}

static int handshake(struct tls *t)
{
    int r = SSL_do_handshake(t->ssl);

    if (r != 1)
        return judge(t, r);
    t->up = true;
    return 0;
}

static bool set_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    struct gb_addr addr;

    if (gb_addr_parse_ip(&addr, slice_str(name)) == 0)
        return X509_VERIFY_PARAM_set1_ip(param, addr.ip,
                                         addr.family == GB_IPV4 ? 4 : 16);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) &&
           SSL_set_tlsext_host_name(ssl, name);
}

int tls_new(struct tls **out, struct tls_ctx *c, const char *name)
{
    struct tls *t = calloc(1, sizeof(*t));
    BIO *bio = NULL;
    int err = GB_ENOMEM;

    if (!t)
        return err;
    ERR_clear_error();
    t->ctx = c;
    atomic_fetch_add(&c->refs, 1);
    t->ssl = SSL_new(c->ssl);
    if (t->ssl)
        bio = BIO_new(c->method);
    if (!bio)
        goto fail;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio); /* takes it */
    if (c->is_server) {
        SSL_set_accept_state(t->ssl);
    } else {
        SSL_set_connect_state(t->ssl);
        err = GB_ESYNTAX;
        if (c->checks && name && !set_name(t->ssl, name))
            goto fail;
        err = handshake(t); /* its first bytes */
        if (err)
            goto fail;
    }
    *out = t;
    return 0;
fail:
    ERR_clear_error();
    tls_free(t);
    return err;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    tls_ctx_free(t->ctx);
    free(t->out);
    free(t);
}

int tls_decrypt(struct tls *t, struct slice *in, void *buf, size_t cap,
                size_t *n)
{
    int err = t->failed;

    *n = 0;
    if (err)
        return err;
    ERR_clear_error();
    t->in = in;
    if (!t->up)
        err = handshake(t);
    while (!err && t->up && *n < cap) {
        size_t left = cap - *n;
        int got = SSL_read(t->ssl, (char *)buf + *n,
                           left > TLS_RECORD_MAX ? TLS_RECORD_MAX : (int)left);

        if (got <= 0) {
            err = judge(t, got);
            break;
        }
        *n += (size_t)got;
    }
    t->in = NULL;
    return err;
}

int tls_encrypt(struct tls *t, struct slice plain)
{
    size_t cost = plain.n + (plain.n / TLS_RECORD_MAX + 1) * TLS_RECORD_COST;

    if (t->failed)
        return t->failed;
    if (!t->up)
        return GB_ESTATE;
    if (plain.n > TLS_QUEUE_BYTES ||
        cost > TLS_QUEUE_BYTES - tls_output(t).n)
        return GB_ELIMIT;
    if (plain.n == 0)
        return 0;
    ERR_clear_error();
    if (!out_room(t, cost))
        return GB_ENOMEM;
    if (SSL_write(t->ssl, plain.p, (int)plain.n) != (int)plain.n)
        return fail(t, GB_EIO);
    return 0;
}

struct slice tls_output(const struct tls *t)
{
    return slice_of(t->out ? t->out + t->out_at : NULL,
                    t->out_len - t->out_at);
}

void tls_sent(struct tls *t, size_t n)
{
    t->out_at += n;
    if (t->out_at < t->out_len)
        return;
    free(t->out); /* an idle connection keeps nothing */
    t->out = NULL;
    t->out_at = t->out_len = t->out_cap = 0;
}

void tls_bye(struct tls *t)
{
    if (!t->up || t->failed)
        return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}

bool tls_is_up(const struct tls *t)
{
    return t->up && !t->failed;
}
