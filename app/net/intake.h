/* app/net/intake.h - where the datagrams of a media loop are received to
 *
 * Into slabs that all sockets of the loop share, each datagram into a slot of
 * its own; whoever keeps one holds the slab. */
#ifndef APP_NET_INTAKE_H
#define APP_NET_INTAKE_H

#include "app/net/slab.h"
#include "app/net/udp.h"

#define INGEST_SLOT 1536           /* room of a datagram, until one is longer: of
                                      an Ethernet frame, and UDP_BATCH in a slab */
#define INGEST_SLOT_LARGE 9216     /* then: a jumbo frame; then the longest */
#define INGEST_LARGE_MS 30000      /* without a longer one: back again */
#define INGEST_ALONE (SLAB_BYTES / 4) /* what is joined to less than this is
                                      copied: it would hold a whole slab */
#define INGEST_TELL_MS 60000       /* between two lines about missing buffers */

/* What ingests of one loop share. */
struct ingest_pool {
    struct slab_pool slabs, large; /* large: of connections in a hurry */
    struct slab *udp;  /* datagrams are received into it */
    size_t udp_off;
    bool apart; /* what the kernel could join is not */
    struct udp_more joined[UDP_BATCH]; /* what it joins comes into these slabs */
    size_t n_joined;      /* so many are there; those behind may be */
    uint64_t joined_used; /* bits: those with something of this batch */
    struct slab *packed; /* and goes here when it is short */
    size_t packed_off;
    uint8_t *sink;     /* without a slab: read here and dropped, as a socket
                          that is not read would keep the loop busy */
    uint64_t dropped, told_ms; /* datagrams so lost; the last line about it */
};
void ingest_pool_init(struct ingest_pool *p);
void ingest_pool_fini(struct ingest_pool *p);

/* Room for n bytes in the slab of the datagrams, outside a batch; NULL without
 * memory. *s is the slab, of which the caller gets no reference. */
uint8_t *ingest_pool_room(struct ingest_pool *p, size_t n, struct slab **s);

/* Of one socket. */
struct intake {
    struct ingest_pool *pool;
    uv_loop_t *loop;
    size_t slot, batch_slot; /* batch: between get and done */
    uint64_t large_ms; /* the newest datagram that needs more than INGEST_SLOT */
};
void intake_init(struct intake *in, struct ingest_pool *pool, uv_loop_t *loop);

/* The functions of a udp_source, whose ctx is the intake. */
size_t intake_get(void *ctx, struct udp_room *room);
void intake_done(void *ctx, size_t used);
size_t intake_more(void *ctx, size_t n, const struct udp_more **more);
uint8_t *intake_settle(void *ctx, uint8_t *p, size_t n, void **buf);
/* All of them; without the last two where the pool says so. */
struct udp_source intake_source(struct intake *in);

/* First of all in on_packets: n have come. false: there was no room for them,
 * their bytes are not to be used. */
bool intake_batch(struct intake *in, size_t n);

/* A datagram of somebody known did not fit: the next ones are to have room. */
void intake_grow(struct intake *in, size_t n, uint64_t now_ms);
/* One of n bytes has come, of somebody known. */
void intake_saw(struct intake *in, size_t n, uint64_t now_ms);
void intake_tick(struct intake *in, uint64_t now_ms);
#endif
