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

#define TLS_RELAY_BUFFER 65536   /* bytes of a pair of sockets, each way */
#define TLS_RELAY_LINGER_MS 2000 /* for the client to read the last bytes */

struct tls_relay;

/* Certificate and key as tls_ctx_server; its errors and text. The thread begins
 * with the first connection. */
int tls_relay_new(struct tls_relay **out, const char *cert, const char *key,
                  char why[static TLS_WHY_MAX]);
/* Reads the files again, for connections from now on; on an error it goes on with
 * what it has. */
int tls_relay_reload(struct tls_relay *r, char why[static TLS_WHY_MAX]);

/* Takes the connection fd, whose first bytes were `unread`, and gives the other
 * end, which does not block. On an error fd is still the caller's: GB_ENOMEM,
 * GB_EIO. */
int tls_relay_take(struct tls_relay *r, int fd, struct slice unread,
                   int *plain);

struct tls_relay_counters {
    uint64_t taken, failed; /* failed: in the handshake */
    uint32_t connections;   /* now */
};
void tls_relay_counters(struct tls_relay *r, struct tls_relay_counters *out);

/* Cuts what there is, ends the thread. NULL is fine. */
void tls_relay_free(struct tls_relay *r);
#endif
