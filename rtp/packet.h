/* rtp/packet.h - RTP fixed header, CSRC, extension, padding (RFC 3550 §5.1) */
#ifndef RTP_PACKET_H
#define RTP_PACKET_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER_BYTES 12
#define RTP_MAX_CSRC 15
#define RTP_MAX_BYTES 65535 /* a packet: two-byte length in TCP framing */

/* One packet as an index into its bytes. */
struct rtp_packet {
    uint8_t pt;          /* 0..127 */
    bool marker;
    uint16_t seq;
    uint32_t ts, ssrc;
    uint8_t n_csrc;      /* CSRCs begin at byte 12 */
    bool has_ext;
    uint16_t ext_profile;
    const uint8_t *ext;  /* extension data, ext_len bytes */
    size_t ext_len;
    const uint8_t *payload; /* borrowed from the packet */
    size_t payload_len;  /* without padding; may be 0 */
};

enum rtp_class {
    RTP_CLASS_NONE, /* too short, or not version 2 */
    RTP_CLASS_RTP,
    RTP_CLASS_RTCP  /* second byte 192..223 */
};

/* Tells RTP from RTCP on one port or connection. Looks at two bytes. */
static inline enum rtp_class rtp_classify(const uint8_t *p, size_t n)
{
    if (n < 8 || p[0] >> 6 != 2)
        return RTP_CLASS_NONE;
    if (p[1] >= 192 && p[1] <= 223)
        return RTP_CLASS_RTCP;
    return n >= RTP_HEADER_BYTES ? RTP_CLASS_RTP : RTP_CLASS_NONE;
}

/* Has it the fixed header and nothing else before its payload, as all devices send
 * it? */
static inline bool rtp_is_plain(const uint8_t *p, size_t n)
{
    return n >= RTP_HEADER_BYTES && p[0] == 0x80;
}

static inline uint16_t rtp_seq_of(const uint8_t *p)
{
    return (uint16_t)(p[2] << 8 | p[3]);
}

static inline uint32_t rtp_ts_of(const uint8_t *p)
{
    return bytes_be32_at(p + 4);
}

static inline uint32_t rtp_ssrc_of(const uint8_t *p)
{
    return bytes_be32_at(p + 8);
}

/* Parses n bytes of one packet; out->ext and out->payload point into them.
 * A padding count of 0 or larger than the payload is taken as no padding.
 * GB_ESYNTAX: not version 2; GB_ERANGE: header, CSRCs or extension do not fit.
 * *out is written only on 0. */
int rtp_packet_parse(struct rtp_packet *out, const uint8_t *p, size_t n);

/* Appends header, n_csrc CSRCs taken from csrc (may be NULL when 0), the
 * extension (its length a multiple of 4) and the payload; then, when padding
 * is not 0, that many bytes of padding. Errors stay in w; GB_ERANGE for a
 * field that does not fit. */
void rtp_packet_write(struct writer *w, const struct rtp_packet *pkt,
                      const uint32_t *csrc, uint8_t padding);

/* The fixed header alone, as every sender here writes it. */
static inline void rtp_header_put(uint8_t h[static RTP_HEADER_BYTES],
                                  uint8_t pt, bool marker, uint16_t seq,
                                  uint32_t ts, uint32_t ssrc)
{
    h[0] = 0x80;
    h[1] = (uint8_t)((marker ? 0x80 : 0) | (pt & 0x7f));
    h[2] = (uint8_t)(seq >> 8);
    h[3] = (uint8_t)seq;
    h[4] = (uint8_t)(ts >> 24);
    h[5] = (uint8_t)(ts >> 16);
    h[6] = (uint8_t)(ts >> 8);
    h[7] = (uint8_t)ts;
    h[8] = (uint8_t)(ssrc >> 24);
    h[9] = (uint8_t)(ssrc >> 16);
    h[10] = (uint8_t)(ssrc >> 8);
    h[11] = (uint8_t)ssrc;
}
#endif
