/* app/net/sip_edge.h - the SIP stack's sockets: UDP and TCP on one libuv loop
 *
 * Every address of the list gets a UDP socket and a TCP listener on the same
 * port. The edge pumps the stack: bytes in, events to the owner, bytes out, one
 * timer. A turn of the owner (its own tick and actions) is part of the pump. */
#ifndef APP_NET_SIP_EDGE_H
#define APP_NET_SIP_EDGE_H

#include "sip/frame.h"
#include "sip/stack.h"

#include <uv.h>

#define SIP_EDGE_MAX_LISTEN 16
#define SIP_EDGE_RCVBUF (4 << 20)       /* asked of the kernel, UDP */
#define SIP_EDGE_QUEUE_BYTES (1u << 20) /* unsent on one connection: it is cut */
#define SIP_EDGE_STALL_MS 30000 /* a message begun and not ended; also the time
                                   for the first one of a connection */
#define SIP_EDGE_READ_BYTES 65536

struct sip_edge_config {
    uv_loop_t *loop;
    struct sip_stack *stack;  /* borrowed */
    const struct gb_addr *listen;
    size_t n_listen;          /* at most SIP_EDGE_MAX_LISTEN */
    bool no_tcp;              /* UDP only (a simulated camera needs no listener) */
    uint32_t max_connections; /* 0: 20000 */
    /* Before a message is parsed: false drops it without a word; may be NULL. */
    bool (*admits)(void *ctx, const struct sip_peer *from, struct slice bytes);
    /* Each event, in order; may call the stack. */
    void (*on_event)(void *ctx, const struct sip_event *ev);
    /* After the events: the owner's ticks and actions; may call the stack.
     * Returns the owner's deadline (mono_ms, GB_NEVER). */
    uint64_t (*on_turn)(void *ctx, uint64_t now_ms);
    /* A connection of ours is up or gone; may be NULL. */
    void (*on_connection)(void *ctx, uint64_t connection, bool up,
                          const struct gb_addr *local);
    /* Malformed input, for the log; may be NULL. */
    void (*on_bad)(void *ctx, const struct sip_peer *from, struct slice bytes,
                   int err);
    void *ctx;
};

struct sip_edge;

/* 0 or a libuv error; *failed (may be NULL) is then the listener's index. */
int sip_edge_new(struct sip_edge **out, const struct sip_edge_config *cfg,
                 size_t *failed);

/* Closes all; on_closed runs when libuv is done and the edge is freed. */
void sip_edge_close(struct sip_edge *e, void (*on_closed)(void *ctx),
                    void *ctx);

/* The stack or the owner has work: runs a pump before the loop sleeps. */
void sip_edge_touch(struct sip_edge *e);

/* The address of a listener as bound. */
struct gb_addr sip_edge_addr(const struct sip_edge *e, size_t i);

/* Opens a TCP connection as a client; what is sent on it before it is up is
 * kept. 0 and *connection, or an error. */
int sip_edge_connect(struct sip_edge *e, const struct gb_addr *remote,
                     uint64_t *connection);
void sip_edge_disconnect(struct sip_edge *e, uint64_t connection);

struct sip_edge_counters {
    uint64_t datagrams, messages, not_admitted, bad, accepted, refused, cut, resyncs;
    uint32_t connections;
    uint32_t dropped, send_errors; /* by the kernel, UDP */
};
void sip_edge_counters(const struct sip_edge *e, struct sip_edge_counters *out);
#endif
