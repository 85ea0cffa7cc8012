/* app/net/sip_edge.h - the SIP stack's sockets: UDP, TCP and TLS on one libuv
 * loop
 *
 * Every address of `listen` gets a UDP socket and a TCP listener on the same
 * port, every one of `tls_listen` a TCP listener that speaks TLS. Requests and
 * answers to a peer go over the connection that it came in on (RFC 3261 §18,
 * RFC 5923); one is opened to it for large requests alone (peer.dial of
 * sip/stack.h). The edge pumps the stack: bytes in, events to the owner, bytes
 * out, one timer. A turn of the owner (its own tick and actions) is part of the
 * pump. */
#ifndef APP_NET_SIP_EDGE_H
#define APP_NET_SIP_EDGE_H

#include "app/net/tls.h"
#include "sip/frame.h"
#include "sip/stack.h"

#include <uv.h>

#define SIP_EDGE_MAX_LISTEN 16          /* of both lists together */
#define SIP_EDGE_RCVBUF (4 << 20)       /* asked of the kernel, UDP */
#define SIP_EDGE_QUEUE_BYTES (1u << 20) /* unsent on one connection: it is cut */
#define SIP_EDGE_QUIET_MS 1000 /* a message begun: XML that has ended is all of it */
#define SIP_EDGE_STALL_MS 30000 /* a message begun and not ended; also the time
                                   for the first one of a connection */
#define SIP_EDGE_HANDSHAKE_MS 10000 /* from the connection to the end of the TLS
                                       handshake */
#define SIP_EDGE_DEAD_MS 90000 /* a peer that confirms nothing (half-open) */
#define SIP_EDGE_STRANGER_IDLE_MS 60000 /* without a message, on a connection
                                           that nobody has registered over */
#define SIP_EDGE_STRANGERS_PER_SOURCE 2000 /* such connections of one IPv4
                                              address or IPv6 /64 */
#define SIP_EDGE_STRANGER_BUF (128u << 10) /* received and unsent on it, each */
#define SIP_EDGE_STRANGERS_BYTES (32u << 20) /* both, of all of them */
#define SIP_EDGE_DIAL_MS 3000 /* for a connection to a UDP peer, which gets a
                                 large request over UDP then */
#define SIP_EDGE_DIAL_IDLE_MS 240000 /* it is closed after; longer than an
                                        INVITE may wait */
#define SIP_EDGE_READ_BYTES 65536

struct sip_edge_config {
    uv_loop_t *loop;
    struct sip_stack *stack;  /* borrowed */
    const struct gb_addr *listen;
    size_t n_listen;
    const struct gb_addr *tls_listen;
    size_t n_tls;
    struct tls_ctx *tls_server; /* borrowed; of tls_listen */
    struct tls_ctx *tls_client; /* borrowed; of sip_edge_connect_tls */
    const char *tls_name;     /* what a client wants to see in the certificate */
    bool no_tcp;              /* UDP only (a simulated camera needs no listener) */
    uint32_t max_connections; /* 0: 20000. When there are so many, the oldest
                                 that is not trusted makes room */
    uint32_t strangers_bytes; /* held for connections that are not trusted; 0:
                                 SIP_EDGE_STRANGERS_BYTES. Above, the one that
                                 holds most is closed */
    uint32_t strangers_idle_ms; /* 0: SIP_EDGE_STRANGER_IDLE_MS */
    uint32_t strangers_per_source; /* 0: SIP_EDGE_STRANGERS_PER_SOURCE */
    /* A batch of datagrams, before the first of them; may be NULL. */
    void (*ahead)(void *ctx, const struct slice *bytes, size_t n);
    /* The datagram behind the one that comes with the next on_message; may be
     * NULL. Perhaps it is never let in. */
    void (*on_next)(void *ctx, const struct sip_msg *m);
    /* Before a message is parsed, and before the answer to a ping: false drops
     * it without a word; may be NULL. */
    bool (*admits)(void *ctx, struct sip_peer *from, struct slice bytes);
    /* Is somebody registered over this connection, still? Asked now and then of
     * those that are trusted: where nobody is, they are strangers again. NULL:
     * they never are. */
    bool (*is_bound)(void *ctx, const struct sip_peer *peer);
    uint32_t keep_open_ms;    /* an empty line goes out on a connection that was
                                 idle this long; 0: none does */
    /* Each event, in order; may call the stack. */
    void (*on_event)(void *ctx, const struct sip_event *ev);
    /* After the events: the owner's ticks and actions; may call the stack.
     * Returns the owner's deadline (mono_ms, GB_NEVER). */
    uint64_t (*on_turn)(void *ctx, uint64_t now_ms);
    /* A connection of ours is up or gone; may be NULL. */
    void (*on_connection)(void *ctx, uint64_t connection, bool up,
                          const struct gb_addr *local);
    /* Every message: one that came in before its events (m: as the stack has
     * read it; NULL: it could not), one of ours when it goes out (NULL). May be
     * NULL; calls neither the stack nor the edge. */
    void (*on_message)(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, const struct sip_msg *m);
    /* Malformed input, for the log; may be NULL. */
    void (*on_bad)(void *ctx, const struct sip_peer *from, struct slice bytes,
                   int err);
    void *ctx;
};

struct sip_edge;

/* 0 or a libuv error; *failed (may be NULL) is then the listener's index:
 * those of tls_listen come behind those of listen, here and in sip_peer. */
int sip_edge_new(struct sip_edge **out, const struct sip_edge_config *cfg,
                 size_t *failed);

/* Closes all; on_closed runs when libuv is done and the edge is freed. */
void sip_edge_close(struct sip_edge *e, void (*on_closed)(void *ctx),
                    void *ctx);

/* The stack or the owner has work: runs a pump before the loop sleeps. */
void sip_edge_touch(struct sip_edge *e);

/* Another context of tls_listen, for connections from now on; the old one is not
 * asked for any more. */
void sip_edge_set_tls(struct sip_edge *e, struct tls_ctx *server);

/* The address of a listener as bound. */
struct gb_addr sip_edge_addr(const struct sip_edge *e, size_t i);

/* Opens a TCP connection as a client; what is sent on it before it is up is
 * kept. 0 and *connection, or an error. */
int sip_edge_connect(struct sip_edge *e, const struct gb_addr *remote,
                     uint64_t *connection);
/* The same over TLS. on_connection tells when the handshake is done; what is
 * sent before that is refused. */
int sip_edge_connect_tls(struct sip_edge *e, const struct gb_addr *remote,
                         uint64_t *connection);
void sip_edge_disconnect(struct sip_edge *e, uint64_t connection);

/* Somebody has registered over this connection: the limits of strangers are
 * not for it. A stale id does nothing. */
void sip_edge_trust(struct sip_edge *e, uint64_t connection);

struct sip_edge_counters {
    uint64_t datagrams, messages, not_admitted, bad, accepted, refused, cut, resyncs;
    uint64_t tls_failed; /* handshakes and broken TLS connections */
    uint64_t kept_open;  /* empty lines sent on idle connections */
    uint64_t dialled;    /* connections begun for large requests */
    uint64_t strangers_cut; /* idle, holding too much or most of all, or in a
                               full table the oldest */
    uint32_t connections;
    uint32_t strangers;       /* of them: not trusted */
    uint64_t strangers_bytes; /* that they hold now */
    uint32_t dropped, send_errors; /* by the kernel, UDP */
};
void sip_edge_counters(const struct sip_edge *e, struct sip_edge_counters *out);
#endif
