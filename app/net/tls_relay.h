/* app/net/tls_relay.h - TLS for a server that speaks in plain text: a thread that
 * moves bytes between a connection and one end of a pair of sockets
 *
 *     client == TLS ==> relay -- pair of sockets --> server, or a media loop
 *
 * The other end is a descriptor like any other: it can be read, written, and
 * moved to another loop. Each direction has one write under way and reads no
 * further before that is done, so a slow reader slows the writer, and nothing
 * piles up. When the server's end is shut the client hears a close_notify. */
#ifndef APP_NET_TLS_RELAY_H
#define APP_NET_TLS_RELAY_H

#include "app/net/tls.h"

#include <stdint.h>
#include <uv.h>

#define TLS_RELAY_BUFFER 65536   /* bytes of a pair of sockets, each way */
#define TLS_RELAY_LINGER_MS 2000 /* for the client to read the last bytes */
#define TLS_RELAY_STALL_MS 10000 /* the server has ended, and the client takes
                                    none of what is left */
#define TLS_RELAY_REST_MS 60000  /* likewise, and takes it all too slowly */
#define TLS_RELAY_LINKS_MAX 8192 /* more than a server has connections: one that
                                    has ended may still have bytes here */

struct tls_relay;

struct tls_relay_config {
    /* The context of the next connection, borrowed during the call; NULL: there
     * is none now. Asked at the first byte of each, on the owner's thread: it can
     * be loaded then, and be another one each time. */
    struct tls_ctx *(*server)(void *ctx);
    void *ctx;
    /* 0: as above */
    uint32_t stall_ms, rest_ms, links_max;
};

/* GB_ENOMEM. The thread begins with the first connection. */
int tls_relay_new(struct tls_relay **out, const struct tls_relay_config *cfg);

/* Takes the connection fd, whose first bytes were `unread`, and gives the other
 * end, which does not block. On an error fd is still the caller's: GB_ENOMEM,
 * GB_EIO (no context, or no sockets), GB_ELIMIT. */
int tls_relay_take(struct tls_relay *r, int fd, struct slice unread,
                   int *plain);

/* The same of an accepted connection that may speak TLS, which its first bytes
 * tell: it keeps a descriptor of its own, and the owner closes it. false: it does
 * not, or cannot be taken; nothing has changed. r: NULL takes nobody. */
bool tls_relay_takes(struct tls_relay *r, const uv_tcp_t *tcp,
                     struct slice unread, int *plain);

struct tls_relay_counters {
    uint64_t taken, failed; /* failed: in the handshake */
    uint32_t connections;   /* now */
};
void tls_relay_counters(struct tls_relay *r, struct tls_relay_counters *out);

/* Cuts what there is, ends the thread. NULL is fine. */
void tls_relay_free(struct tls_relay *r);
#endif
