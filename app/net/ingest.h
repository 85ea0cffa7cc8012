/* app/net/ingest.h - the sockets of one receiving session: a UDP pair, a TCP
 * listener, or a TCP connection of ours */
#ifndef APP_NET_INGEST_H
#define APP_NET_INGEST_H

#include "app/net/receiver.h"
#include "app/net/udp.h"
#include "app/platform/platform.h"

#define INGEST_RCVBUF (4 << 20)    /* asked of the kernel for each RTP socket */
#define INGEST_SLOT 2048           /* room of a datagram, until one is longer */
#define INGEST_SLOT_LARGE 9216     /* then: a jumbo frame; then the longest */
#define INGEST_LARGE_MS 30000      /* without a longer one: back again */
#define INGEST_CONNECT_MS 5000     /* one attempt of TCP active */
#define INGEST_RETRY_MS 1000       /* between two */
#define INGEST_ATTEMPTS 5
#define INGEST_RECONNECT_MS 3000   /* for a device that has hung up */
#define INGEST_TAKEOVER_MS 3000    /* silence after which a second connection
                                      replaces the first */
#define INGEST_FIRST_MS 10000      /* a connection without one valid packet */
#define INGEST_RTCP_MS 5000
#define INGEST_TELL_MS 60000       /* between two lines about missing buffers */

/* What ingests of one loop share. */
struct ingest_pool {
    struct slab_pool slabs;
    struct slab *udp;  /* datagrams are received into it */
    size_t udp_off;
    uint8_t *sink;     /* without a slab: read here and dropped, as a socket
                          that is not read would keep the loop busy */
    uint64_t dropped, told_ms; /* datagrams so lost; the last line about it */
};
void ingest_pool_init(struct ingest_pool *p);
void ingest_pool_fini(struct ingest_pool *p);

struct ingest_options {
    uv_loop_t *loop;
    struct ingest_pool *pool;
    struct hub *hub;
    enum platform_transport transport;
    uint16_t port;
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

/* The fields of an event: from, ssrc, codecs, counters. */
void ingest_fill(struct ingest *in, struct platform_media_event *ev);
void ingest_counters(const struct ingest *in, struct receiver_counters *out);
#endif
