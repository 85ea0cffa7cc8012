/* app/net/tls.h - TLS as a filter of bytes: no sockets, no loop
 *
 * The owner moves the bytes; this turns them:
 *
 *     cipher bytes arrive:  do tls_decrypt(t, &in, buf, cap, &n); take n
 *                           while (n == cap)
 *     something to say:     tls_encrypt(t, plain)
 *     after either:         send tls_output(t), then tls_sent(t, n)
 *
 * One connection holds its keys and, for as long as there is something in them,
 * the buffers of an unfinished record and of what waits to be sent; an idle one
 * holds no buffer. TLS 1.2 and 1.3; no tickets, no session cache, no
 * renegotiation; SNI where a client checks a host name. With TLS=0 every
 * function that makes something gives GB_EUNSUPPORTED and a text that says so.
 *
 * One thread at a time for each connection; a context is read only, may be
 * shared by threads, and lives until its owner and all its connections have let
 * go of it: one that is read again takes the place of the old one at once. */
#ifndef APP_NET_TLS_H
#define APP_NET_TLS_H

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"

#define TLS_WHY_MAX 256        /* a text of these functions, with its NUL */
#define TLS_RECORD_MAX 16384   /* plain bytes of one record */
#define TLS_QUEUE_BYTES (1u << 20) /* cipher bytes waiting for tls_sent */
#define TLS_CERT_DAYS 3650     /* of a certificate made here */

/* ---- contexts ------------------------------------------------------------ */

struct tls_ctx;

/* PEM files: the certificate with its chain, and its private key.
 * GB_EIO (a file), GB_EAUTH (they do not belong together), GB_ENOMEM; why says
 * which file and what is wrong with it. */
int tls_ctx_server(struct tls_ctx **out, const char *cert, const char *key,
                   char why[static TLS_WHY_MAX]);

/* ca: PEM file of certificates that are trusted, or NULL: whoever answers is
 * believed. */
int tls_ctx_client(struct tls_ctx **out, const char *ca,
                   char why[static TLS_WHY_MAX]);

/* Its connections go on. NULL is fine. */
void tls_ctx_free(struct tls_ctx *c);
/* Of a server's certificate at this time, UNIX seconds: NULL, or why others do not
 * trust it, or will soon not. */
const char *tls_ctx_trouble(const struct tls_ctx *c, int64_t now_s);

/* Writes a new key (ECDSA P-256) and a certificate signed by itself for `name`
 * and these addresses (subject alternative names; ports do not matter), valid
 * TLS_CERT_DAYS from a day ago, since clocks of devices are wrong. Both files
 * have mode 0600 and appear whole or not at all. GB_EIO, GB_ENOMEM. */
int tls_make_certificate(const char *cert, const char *key, const char *name,
                         const struct gb_addr *addr, size_t n,
                         char why[static TLS_WHY_MAX]);

/* A process that ended while it put such files to their places has left the key
 * there and the certificate beside its own: it is put there now. Nothing to be
 * done is fine. */
void tls_finish_certificate(const char *cert, const char *key);

/* ---- connections --------------------------------------------------------- */

struct tls;

/* A connection in the role of its context; a client's first bytes are in
 * tls_output at once. name: the IP address or host name that a client wants to
 * see in the certificate (borrowed during the call), or NULL; without a ca it is
 * not looked at. GB_ENOMEM, GB_ESYNTAX (name). */
int tls_new(struct tls **out, struct tls_ctx *c, const char *name);
void tls_free(struct tls *t);

/* Takes cipher bytes from the front of *in, which is moved past them, until
 * `cap` plain bytes are in buf or *in is used up: *n plain bytes, maybe none.
 * When *n is cap there may be more, also with *in empty.
 * 0; GB_ENOENT: the peer has said that it sends no more (n bytes came before);
 * GB_EAUTH: its certificate; GB_ESYNTAX: the handshake, or a broken record;
 * GB_ELIMIT, GB_ENOMEM. After an error send tls_output (the alert), then
 * close. */
int tls_decrypt(struct tls *t, struct slice *in, void *buf, size_t cap,
                size_t *n);

/* All of plain becomes cipher bytes in tls_output. GB_ESTATE: the handshake is
 * not done; GB_ELIMIT: the queue would get longer than TLS_QUEUE_BYTES; nothing
 * was taken then. GB_EIO, GB_ENOMEM: the connection is broken. */
int tls_encrypt(struct tls *t, struct slice plain);

/* What is to be sent; valid until the next call for this connection. */
struct slice tls_output(const struct tls *t);
/* The first n bytes of it are sent, or in the hands of somebody else. */
void tls_sent(struct tls *t, size_t n);

/* Says good-bye (close_notify) when the handshake is done; then send
 * tls_output. */
void tls_bye(struct tls *t);

/* The handshake is done, the certificate accepted. */
bool tls_is_up(const struct tls *t);

/* Why tls_decrypt or tls_encrypt failed, with the step: "TLS handshake with
 * 192.0.2.7:5061: no shared cipher", "TLS certificate of ...: ...". peer as it
 * is to be called. Returns buf. */
const char *tls_error_text(const struct tls *t, const char *peer,
                           char buf[static TLS_WHY_MAX]);
#endif
