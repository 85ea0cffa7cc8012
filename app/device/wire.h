/* app/device/wire.h - packets as they lie on the wire: RTP heads and framings
 * with a camera's faults (RFC 3550 §5.1, RFC 4571) */
#ifndef APP_DEVICE_WIRE_H
#define APP_DEVICE_WIRE_H

#include "app/device/faults.h"
#include "rtp/pack.h"

#define WIRE_MORE_BYTES 320 /* what is put before, into and behind a packet */
#define WIRE_MAX_BYTES (WIRE_MORE_BYTES + RTP_PACK_HEAD + RTP_PACK_MAX_PAYLOAD)

struct wire {
    const struct sender_faults *faults; /* borrowed */
    bool tcp;
    uint32_t n; /* packets so far */
};

/* Writes the packet, which has the length prefix of rtp/pack.h over TCP;
 * age_ms is that of the stream. Errors stay in w. */
void wire_put(struct wire *x, struct writer *w, const struct rtp_piece *p,
              uint64_t age_ms);

/* Something else that is due in between: a packet of a stranger, a report.
 * false: nothing. */
bool wire_extra(struct wire *x, struct writer *w, const struct rtp_packer *p,
                uint64_t utc_ms);
#endif
