#include "rtp/packet.h"

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void take_fixed(struct rtp_packet *out, const uint8_t *p)
{
    out->pt = p[1] & 0x7f;
    out->marker = p[1] >> 7;
    out->seq = rtp_seq_of(p);
    out->ts = rtp_ts_of(p);
    out->ssrc = rtp_ssrc_of(p);
}

static void take_plain(struct rtp_packet *out, const uint8_t *p, size_t n)
{
    take_fixed(out, p);
    out->n_csrc = 0;
    out->has_ext = false;
    out->ext_profile = 0;
    out->ext_len = 0;
    out->ext = out->payload = p + RTP_HEADER_BYTES;
    out->payload_len = n - RTP_HEADER_BYTES;
}

int rtp_packet_parse(struct rtp_packet *out, const uint8_t *p, size_t n)
{
    size_t off = RTP_HEADER_BYTES, pad = 0, ext_len = 0;
    bool ext;

    if (rtp_is_plain(p, n)) {
        take_plain(out, p, n);
        return 0;
    }
    if (n < RTP_HEADER_BYTES)
        return GB_ERANGE;
    if (p[0] >> 6 != 2)
        return GB_ESYNTAX;
    ext = p[0] & 0x10;
    off += (size_t)(p[0] & 15) * 4;
    if (off + (ext ? 4 : 0) > n)
        return GB_ERANGE;
    if (ext) {
        ext_len = (size_t)be16(p + off + 2) * 4;
        off += 4;
        if (off + ext_len > n)
            return GB_ERANGE;
    }
    if (p[0] & 0x20 && n > off + ext_len && p[n - 1] <= n - off - ext_len)
        pad = p[n - 1]; /* an absurd count is none (seen) */
    take_fixed(out, p);
    out->n_csrc = p[0] & 15;
    out->has_ext = ext;
    out->ext_profile = ext ? be16(p + off - 4) : 0;
    out->ext = p + off;
    out->ext_len = ext_len;
    out->payload = p + off + ext_len;
    out->payload_len = n - off - ext_len - pad;
    return 0;
}

void rtp_packet_write(struct writer *w, const struct rtp_packet *pkt,
                      const uint32_t *csrc, uint8_t padding)
{
    uint8_t h[RTP_HEADER_BYTES];

    if (pkt->n_csrc > RTP_MAX_CSRC || pkt->pt > 127 ||
        (pkt->has_ext && (pkt->ext_len % 4 || pkt->ext_len > 4 * 0xffff))) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    rtp_header_put(h, pkt->pt, pkt->marker, pkt->seq, pkt->ts, pkt->ssrc);
    h[0] = (uint8_t)(0x80 | (padding ? 0x20 : 0) | (pkt->has_ext ? 0x10 : 0) |
                     pkt->n_csrc);
    writer_bytes(w, h, sizeof(h));
    for (size_t i = 0; i < pkt->n_csrc; i++)
        writer_be32(w, csrc[i]);
    if (pkt->has_ext) {
        writer_be16(w, pkt->ext_profile);
        writer_be16(w, (uint16_t)(pkt->ext_len / 4));
        writer_bytes(w, pkt->ext, pkt->ext_len);
    }
    writer_bytes(w, pkt->payload, pkt->payload_len);
    for (unsigned i = 1; i < padding; i++)
        writer_char(w, 0);
    if (padding)
        writer_char(w, (char)padding);
}
