/* app/net/held.h - refused packets of a sender that may yet turn out to be ours
 *
 * A device that goes on under another SSRC is believed after RTP_SOURCE_RELOCK
 * packets. The ones before are kept here, as a key frame may begin with them:
 * the newest of one sender, in the slabs they were received into. Another
 * sender's takes their place, and their time is short. */
#ifndef APP_NET_HELD_H
#define APP_NET_HELD_H

#include "app/net/slab.h"
#include "rtp/queue.h"
#include "rtp/source.h"

#define HELD_MAX (RTP_SOURCE_RELOCK - 1) /* packets */
#define HELD_MS 1000 /* a refused packet is kept so long */

struct held_packet {
    struct rtp_item item; /* buf: a slab, with a reference of ours */
    size_t bytes;         /* of the whole packet */
    uint64_t at_ms;
};

/* Caller storage; all zero is empty. */
struct held {
    struct gb_addr from;
    uint32_t ssrc;
    size_t n;
    struct held_packet p[HELD_MAX]; /* as they came */
};

/* Whether they are packets of this sender. */
bool held_is_of(const struct held *h, const struct gb_addr *from,
                uint32_t ssrc);

/* Keeps one, with a reference of its own. Those of another sender, and the
 * oldest when there is no room, are let go. Returns how many were. */
size_t held_keep(struct held *h, const struct gb_addr *from, uint32_t ssrc,
                 const struct held_packet *p);

/* Lets go what is older than HELD_MS, or everything; returns how many. */
size_t held_expire(struct held *h, uint64_t now_ms);
size_t held_drop(struct held *h);
#endif
