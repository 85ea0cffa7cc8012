/* app/net/shared.h - the one media port of all sessions, as one loop has it
 *
 * Every loop has sockets of its own on the port (RTP) and the next (RTCP), for
 * IPv4 and for IPv6; the kernel gives each the datagrams whose SSRC is that of
 * its sessions (udp_steer): we choose the SSRC, so it names the loop. What comes
 * to a loop and is another's is sent on, counted, within SHARED_PASSED_MAX.
 *
 * The first loop listens on TCP. It reads the first packet of a connection,
 * which names the session, and passes the connection to that one's loop.
 *
 * Whose SSRC is whose tells app/net/owners.h. */
#ifndef APP_NET_SHARED_H
#define APP_NET_SHARED_H

#include "app/net/ingest.h"
#include "app/net/owners.h"

#define SHARED_RCVBUF (16 << 20)   /* asked of the kernel for the RTP socket */
#define SHARED_PASSED_MAX 1024     /* datagrams on their way to one loop */
#define SHARED_HEAD 512            /* bytes read of a connection */
#define SHARED_PENDING_MAX 512     /* connections whose session is not known */
#define SHARED_STRANGERS_MAX 64    /* of them, where no session expects media
                                      from; the oldest makes room */
#define SHARED_UNKNOWN_MS 2000     /* for the SSRC of a valid packet to become
                                      known: the answer may be on its way */
#define SHARED_FIRST_MS 10000      /* for a valid packet to come */
#define SHARED_TICK_MS 100         /* while connections wait */

/* Counted by the loop, read by any thread. */
struct shared_counters {
    _Atomic uint64_t passed; /* datagrams that came to another loop than theirs */
    _Atomic uint64_t unknown; /* datagrams of no session */
    _Atomic uint64_t resting; /* of a session that has ended */
    _Atomic uint64_t refused; /* connections that were closed unused */
};

struct shared_options {
    uv_loop_t *loop;
    struct ingest_pool *pool;
    struct owners *owners;
    struct shared_counters *counters; /* borrowed */
    unsigned index;    /* of this loop */
    uint16_t port;     /* even */
    bool listen;       /* TCP too */
    /* a session of this loop, or NULL */
    struct ingest *(*find)(void *ctx, uint64_t session);
    /* to another loop: copies pkt. false: too many are on their way */
    bool (*pass)(void *ctx, const struct owner *to,
                 const struct udp_packet *pkt);
    /* takes the connection; any loop */
    void (*pass_connection)(void *ctx, const struct owner *to, int fd,
                            const uint8_t *head, size_t n);
    /* media of a session that ended long ago still come: once */
    void (*after)(void *ctx, uint64_t session, const struct gb_addr *from);
    void (*on_closed)(void *ctx); /* after shared_close, when libuv is done */
    void *ctx;
};

struct shared;
/* Is the port, and the next, this process's to take? 0 or a libuv error. Asked
 * before the sockets below, which cannot notice another process. */
int shared_probe(uint16_t port);

/* Opens the sockets, on the loop's thread or before it runs; in the order of
 * the loops. 0 or an error; *what says of which. */
int shared_new(struct shared **out, const struct shared_options *o,
               const char **what);
/* When all n are open: the kernel is told which socket gets which datagram. */
void shared_steer(struct shared *s, unsigned n);
void shared_close(struct shared *s);

/* A session of this loop has come, was answered, or goes: what is remembered of
 * the owners is looked up anew. */
void shared_changed(struct shared *s);

/* The socket that reports about a sender of this family go out by; NULL. */
struct udp_socket *shared_rtcp(const struct shared *s, uint8_t family);

/* A datagram that another loop has passed. */
void shared_take(struct shared *s, struct ingest *in,
                 const struct gb_addr *from, const uint8_t *p, size_t n);

/* Datagrams that the kernel dropped: its buffers were full. */
uint64_t shared_kernel_drops(const struct shared *s);
void shared_tick(struct shared *s, uint64_t now_ms);
#endif
