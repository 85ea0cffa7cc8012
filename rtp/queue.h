/* rtp/queue.h - reorder window: packets in arrival order in, packets in
 * sequence order out (RFC 3550 §6.4.1, A.1, A.3, A.8)
 *
 * Nothing is copied: an item is a payload that lies in the caller's buffer and
 * a cookie that stands for the buffer. While the queue holds an item the buffer
 * must stay; it is the caller's again when the item comes out of pop, or at
 * once when push does not take it. Packets in order pass without a wait. */
#ifndef RTP_QUEUE_H
#define RTP_QUEUE_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/time.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#define RTP_QUEUE_MAX_WINDOW 1024 /* packets */
#define RTP_QUEUE_WINDOW 512
#define RTP_QUEUE_WAIT_MS 200     /* LAN; 500 for WAN */
#define RTP_QUEUE_LATE 256        /* nearer behind: duplicate or late */
#define RTP_QUEUE_RESTART 16      /* consecutive packets from far behind, or
                                     from behind with newer times */
#define RTP_QUEUE_MAX_LOSS 3000   /* a wider jump is a new start, not a loss */
#define RTP_QUEUE_JITTER_MAX_S 2  /* a longer step is no jitter (clock set) */

struct rtp_item {
    const uint8_t *payload; /* in the caller's buffer */
    size_t n; /* below 2^32 */
    uint32_t ts;
    uint16_t seq;
    uint8_t pt;
    bool marker;
    bool gap;          /* out: something is missing before this packet */
    uint32_t ext_seq;  /* out: with the number of wraps and restarts above;
                          grows with every item that comes out (TCP: a
                          number that is sent twice stays) */
    void *buf;         /* the caller's cookie */
};

struct rtp_queue_options {
    uint16_t window;   /* packets held at most, rounded up to a power of two;
                          0: no reordering (TCP), only gaps are marked */
    uint16_t wait_ms;  /* a hole is given up after this; 0: RTP_QUEUE_WAIT_MS */
    uint32_t clock_hz; /* of the timestamps, for jitter; 0: 90000 */
};

enum rtp_push {
    RTP_PUSH_TAKEN,
    RTP_PUSH_DUPLICATE, /* still in the window, or the newest one delivered */
    RTP_PUSH_LATE,      /* behind what was delivered */
    RTP_PUSH_FOREIGN,   /* far behind: counted towards a restart */
    RTP_PUSH_FULL       /* pop has not been called until it said false: the
                           packet is not even counted, push it again */
};

struct rtp_queue_counters {
    uint64_t received;   /* every push */
    uint64_t delivered;
    uint64_t lost;       /* given up; a late one counts again as late */
    uint64_t duplicate, late, reordered, jumps, restarts;
    uint32_t jitter;     /* timestamp units */
    uint32_t max_held;   /* deepest the window was */
};

struct rtp_queue;

/* GB_ENOMEM; GB_ERANGE when window > RTP_QUEUE_MAX_WINDOW. One allocation. */
int rtp_queue_new(struct rtp_queue **out, const struct gb_alloc *alloc,
                  const struct rtp_queue_options *opt);

/* What the queue still holds is forgotten, not given back: flush and pop
 * before. NULL is fine. */
void rtp_queue_free(struct rtp_queue *q);

/* Offers a packet. The fields marked "out" are ignored. Only with
 * RTP_PUSH_TAKEN does the queue hold item->buf. After each push call
 * rtp_queue_pop until it says false. */
enum rtp_push rtp_queue_push(struct rtp_queue *q, const struct rtp_item *item,
                             uint64_t now_ms);

/* Push and pop in one, of the packet that is due, while no other is held: true,
 * the fields marked "out" are set, and item->buf has not been taken. false:
 * nothing was done, push it. */
bool rtp_queue_pass(struct rtp_queue *q, struct rtp_item *item,
                    uint64_t now_ms);

/* The next packet in order. A hole older or wider than the limits is given up
 * here: the packet behind it has gap set. */
bool rtp_queue_pop(struct rtp_queue *q, struct rtp_item *out, uint64_t now_ms);

/* When pop may have something without another push; GB_NEVER: nothing waits. */
uint64_t rtp_queue_deadline(const struct rtp_queue *q);

/* Gives up every hole: pop then empties the window. For the end of a stream,
 * for a change of source and before free. The next push may have any number,
 * and has gap set. */
void rtp_queue_flush(struct rtp_queue *q);

void rtp_queue_counters(const struct rtp_queue *q,
                        struct rtp_queue_counters *out);

/* Fills a report block about ssrc and begins the next interval (A.3). lsr and
 * dlsr are the caller's; they are set to 0. */
void rtp_queue_report(struct rtp_queue *q, uint32_t ssrc,
                      struct rtcp_block *out);
#endif
