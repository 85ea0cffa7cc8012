/* rtp/pack.h - a block of bytes (a PS pack, audio samples) as RTP packets
 * (GB/T 28181-2022 Annex C)
 *
 * The payload is not copied: each packet is a small head, with the two-byte
 * length of RFC 4571 in front when wanted, and a piece of the caller's block,
 * ready for writev. */
#ifndef RTP_PACK_H
#define RTP_PACK_H

#include "base/writer.h"
#include "rtp/packet.h"

#define RTP_PACK_PAYLOAD 1400  /* bytes, over TCP too */
#define RTP_PACK_MAX_PAYLOAD 65523 /* 65535 - header */
#define RTP_PACK_HEAD 14       /* length prefix and RTP header */

/* A sender. Public; set by rtp_packer_init. */
struct rtp_packer {
    uint32_t ssrc;
    uint8_t pt;
    bool tcp;            /* RFC 4571 length in front */
    uint16_t seq;        /* of the next packet */
    uint16_t payload_max; /* 1..RTP_PACK_MAX_PAYLOAD */
    uint32_t last_ts;
    uint32_t packets, octets; /* for SR; they wrap as its fields do */
};

struct rtp_piece {
    uint8_t head[RTP_PACK_HEAD];
    size_t head_len;         /* 12 or 14 */
    const uint8_t *payload;  /* in the block */
    size_t n;
    bool last;               /* of the block: marker is set */
};

/* payload_max 0: RTP_PACK_PAYLOAD. GB_ERANGE when too large. */
int rtp_packer_init(struct rtp_packer *p, uint32_t ssrc, uint8_t pt,
                    uint16_t first_seq, bool tcp, uint16_t payload_max);

/* The block being cut; begin with rtp_pack_begin. */
struct rtp_block {
    const uint8_t *p;
    size_t n;
    uint32_t ts;
    bool marker; /* on the last packet */
};

static inline struct rtp_block rtp_pack_begin(const void *p, size_t n,
                                              uint32_t ts, bool marker)
{
    return (struct rtp_block){ p, n, ts, marker };
}

/* The next packet of the block; false when it is used up (an empty block
 * gives none). */
bool rtp_pack_next(struct rtp_packer *p, struct rtp_block *b,
                   struct rtp_piece *out);

/* Packets that n bytes make. */
size_t rtp_pack_count(const struct rtp_packer *p, size_t n);

/* Appends every packet of the block, head and payload, one behind the other:
 * for TCP, or where a copy does not matter. Nothing is sent half: when the
 * room is short w->err is GB_ENOMEM, and neither w nor p has moved. */
void rtp_pack_write(struct rtp_packer *p, struct writer *w,
                    struct rtp_block b);
#endif
