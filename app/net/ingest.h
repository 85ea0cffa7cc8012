/* app/net/ingest.h - the sockets of one receiving session: a UDP pair, a TCP
 * listener, or a TCP connection of ours */
#ifndef APP_NET_INGEST_H
#define APP_NET_INGEST_H

#include "app/net/intake.h"
#include "app/net/receiver.h"
#include "app/platform/platform.h"
#include "app/trace/rtplog.h"

#define INGEST_RCVBUF (4 << 20)    /* asked of the kernel for each RTP socket */
#define INGEST_CONNECT_MS 5000     /* one attempt of TCP active */
#define INGEST_RETRY_MS 1000       /* between two */
#define INGEST_ATTEMPTS 5
#define INGEST_RECONNECT_MS 3000   /* for a device that has hung up */
#define INGEST_TAKEOVER_MS 3000    /* silence after which a second connection
                                      replaces the first */
#define INGEST_FIRST_MS 10000      /* a connection without one valid packet */
#define INGEST_RTCP_MS 5000

struct ingest_options {
    uv_loop_t *loop;
    struct ingest_pool *pool;
    struct hub *hub;
    enum platform_transport transport;
    uint16_t port;
    bool shared; /* port is that of all: the sockets are app/net/shared.h's,
                    whose calls are at the end */
    struct rtplog *headers;  /* borrowed; NULL: none are kept */
    int64_t utc_base_ms;     /* UTC when the loop's clock was 0 */
    struct udp_socket *rtcp; /* of the shared port: reports go out by it */
    struct gb_addr peer;  /* the device: its family decides ours */
    bool any_source;      /* media are believed from any address; else from
                             peer and what the answer names: see rtp/source.h */
    bool has_ssrc;
    uint32_t ssrc;
    /* inside the calls below and from the loop; must not call ingest_free */
    void (*on_event)(void *ctx, enum platform_media_kind kind, int err,
                     const char *text);
    void (*on_freed)(void *ctx); /* after ingest_free, when libuv is done */
    void *ctx;
};

struct ingest;

/* Opens the sockets. 0 or an error, then nothing is open; *what says which. */
int ingest_new(struct ingest **out, const struct ingest_options *o,
               const char **what);
void ingest_free(struct ingest *in);

/* The device has answered: see PLATFORM_DO_ANSWER. */
void ingest_answer(struct ingest *in, const struct platform_action *a);
void ingest_tick(struct ingest *in, uint64_t now_ms);
/* Only what waits for packets: the part of ingest_tick that is urgent. */
void ingest_tick_packets(struct ingest *in, uint64_t now_ms);

/* From now on it sends as well: over the connection, or over UDP to where the
 * media of the peer come from; until they do to the address of its answer. Then
 * a connection on which nothing comes is as good as any. */
void ingest_speaks(struct ingest *in);
/* One packet as it goes out (over TCP with its length in front). It is lost
 * when there is no way for it; on a connection that is full all of it is, never
 * a part. */
void ingest_send(struct ingest *in, struct slice packet);

/* The fields of an event: from, ssrc, codecs, counters. */
void ingest_fill(struct ingest *in, struct platform_media_event *ev);
void ingest_counters(const struct ingest *in, struct receiver_counters *out);

/* Its own UDP port, 0: it has none. */
uint16_t ingest_udp_port(const struct ingest *in);

/* Nothing valid has come for RTP_SOURCE_SILENCE_MS, or ever. */
bool ingest_waits(const struct ingest *in, uint64_t now_ms);

/* ---- from the shared port ---- */

/* A datagram that is this session's, in a slab. */
void ingest_datagram(struct ingest *in, const struct udp_packet *pkt);
/* Is it, though it was cut, of this session's sender? Then it is to be met with
 * more room. */
bool ingest_may_send(const struct ingest *in, const struct udp_packet *pkt);
/* RTCP of this session. */
void ingest_rtcp(struct ingest *in, const struct gb_addr *from);
/* A connection of which `head` has been read; fd is taken in every case. */
void ingest_connection(struct ingest *in, int fd, const uint8_t *head,
                       size_t n);
#endif
