/* rtp/unpack.h - video that comes in RTP without a program stream: payloads in,
 * access units with start codes out (RFC 6184 §5.6 to §5.8, RFC 7798 §4.4; or start
 * codes in the payloads, which is no standard)
 *
 * A unit ends with the marker, or where the time changes; a large one comes in parts of
 * the same time, wherever they are cut, and so does one of a device whose marker lies.
 * What has lost a packet is dropped, and the rest of its unit with it. */
#ifndef RTP_UNPACK_H
#define RTP_UNPACK_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"
#include "rtp/kind.h"

#define RTP_UNIT_PART (128u << 10) /* bytes that are kept: more come out before the
                                      unit ends, whose end may never be told */

/* Valid during the callback. */
struct rtp_unit {
    struct slice bytes;
    uint32_t ts;
    bool key;  /* decoding may start here; of start codes nothing is known */
    bool lost; /* something is missing before it */
    bool part; /* there is more of it */
};
typedef void rtp_unit_fn(void *ctx, const struct rtp_unit *u);

struct rtp_unpack;

bool rtp_unpack_takes(enum rtp_kind kind);
/* GB_EUNSUPPORTED, or GB_ENOMEM. *alloc must outlive it. */
int rtp_unpack_new(struct rtp_unpack **out, const struct gb_alloc *alloc,
                   enum rtp_kind kind, rtp_unit_fn *on_unit, void *ctx);
void rtp_unpack_free(struct rtp_unpack *u); /* NULL is fine */

struct rtp_unpack_packet {
    const uint8_t *p;
    size_t n;
    uint32_t ts;
    bool marker;
    bool gap; /* packets are missing before it */
};
/* The payloads in order. Units that end come out inside the call. */
void rtp_unpack_feed(struct rtp_unpack *u, const struct rtp_unpack_packet *pkt);
/* Nothing comes for a while: what is whole comes out. */
void rtp_unpack_flush(struct rtp_unpack *u);
#endif
