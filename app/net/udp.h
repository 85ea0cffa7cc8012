/* app/net/udp.h - a UDP socket on a libuv loop, in batches
 *
 * Up to UDP_BATCH datagrams, or bundles of them, a wake-up by recvmmsg, answers
 * gathered and sent by one sendmmsg. On a wildcard socket the local address of
 * each datagram is known (IP_PKTINFO; a socket bound to one address saves
 * that), and a datagram can be sent from a chosen one: a device drops answers
 * that come from another address than it talks to. */
#ifndef APP_NET_UDP_H
#define APP_NET_UDP_H

#include "base/addr.h"

#include <uv.h>

#define UDP_BATCH 44
#define UDP_SEND_BATCH 64       /* datagrams gathered before a flush */
#define UDP_SEND_BYTES 131072   /* bytes of them; at least one datagram */
#define UDP_JOINED 65536        /* the most that is joined into one */
#define UDP_TURNS 8             /* batches a wake-up, then others may run */

struct udp_packet {
    const struct gb_addr *local; /* no family where it was not asked for */
    const struct gb_addr *remote; /* many packets may have the same one */
    uint8_t *p;
    size_t n;
    void *buf; /* where the bytes lie, as the buffer source named it */
    bool truncated; /* it did not fit; n bytes of it are here */
};

/* Room for a batch: `cap` bytes at p, at p + stride and so on. */
struct udp_room {
    uint8_t *p;
    size_t cap, stride;
    void *buf; /* their cookie */
};

/* UDP_JOINED bytes, and their cookie. */
struct udp_more {
    uint8_t *p;
    void *buf;
};

/* Where datagrams are received to: `get` offers room for one batch, `done`
 * takes it back after on_packets. The room is the caller's. */
struct udp_source {
    /* for how many there is room, at most UDP_BATCH; 0 leaves the datagrams in
     * the kernel */
    size_t (*get)(void *ctx, struct udp_room *room);
    void (*done)(void *ctx, size_t used); /* the first of them */
    void *ctx;
    /* Not NULL: the kernel may join datagrams of one sender (UDP_GRO), which
     * costs a fraction; they are told apart again here. What is longer than its
     * first room goes as a whole into the one of more[0..n) that has its number;
     * how many there are. Such a one, of n bytes at p, may then be moved: the
     * place where it is, *buf is its cookie. */
    size_t (*more)(void *ctx, size_t n, const struct udp_more **more);
    uint8_t *(*settle)(void *ctx, uint8_t *p, size_t n, void **buf);
};

struct udp_socket;
typedef void udp_packets_fn(void *ctx, struct udp_socket *u,
                            const struct udp_packet *pkt, size_t n);

struct udp_options {
    struct gb_addr bind;  /* port 0: any */
    bool v6only;          /* an IPv6 socket takes no IPv4 */
    int rcvbuf_bytes;     /* asked of the kernel; 0: its default. That it gives
                             less is told in the log, once in a process */
    bool no_local;        /* where datagrams came to is not asked for */
    bool reuse;           /* others of this process have the same port */
    udp_packets_fn *on_packets; /* n >= 1; the bytes are valid inside, where no
                                   socket of this thread receives */
    struct udp_source source;   /* get NULL: a buffer of its own, 64 KB each */
    void *ctx;
};

/* 0 or a libuv error (UV_EADDRINUSE, …): then nothing is left open. */
int udp_open(struct udp_socket **out, uv_loop_t *loop,
             const struct udp_options *o);

/* u is one of n sockets of one port, all opened with reuse: the i-th opened gets
 * the datagrams whose SSRC, RTP or RTCP, gives i modulo n. 0, or a libuv error:
 * then the kernel spreads them by their addresses. */
int udp_steer(const struct udp_socket *u, unsigned n);

/* The address it is bound to, with its real port. */
void udp_address(const struct udp_socket *u, struct gb_addr *a);

/* Room for n bytes in the batch that is sent next, to be written in place; NULL
 * when n is more than UDP_SEND_BYTES or there is no memory (counted). Then
 * udp_commit of at most that many, or nothing: the room is given to the next. */
uint8_t *udp_reserve(struct udp_socket *u, size_t n);
void udp_commit(struct udp_socket *u, const struct gb_addr *local,
                const struct gb_addr *remote, size_t n);

/* Queues one datagram; copies it. local may have no family (any). Sent at the
 * next udp_flush, or when the batch is full. */
void udp_send(struct udp_socket *u, const struct gb_addr *local,
              const struct gb_addr *remote, const void *p, size_t n);
void udp_flush(struct udp_socket *u);

/* May datagrams come joined? */
bool udp_joins(const struct udp_socket *u);

/* Datagrams the kernel dropped because we were late (SO_RXQ_OVFL), and sends
 * that failed. */
void udp_counters(const struct udp_socket *u, uint32_t *dropped,
                  uint32_t *send_errors);

/* Frees it when libuv is done; no callback runs any more. NULL is fine. */
void udp_close(struct udp_socket *u);
#endif
