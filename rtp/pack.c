#include "rtp/pack.h"

int rtp_packer_init(struct rtp_packer *p, uint32_t ssrc, uint8_t pt,
                    uint16_t first_seq, bool tcp, uint16_t payload_max)
{
    if (payload_max > RTP_PACK_MAX_PAYLOAD || pt > 127)
        return GB_ERANGE;
    *p = (struct rtp_packer){
        .ssrc = ssrc,
        .pt = pt,
        .tcp = tcp,
        .seq = first_seq,
        .payload_max = payload_max ? payload_max : RTP_PACK_PAYLOAD,
    };
    return 0;
}

bool rtp_pack_next(struct rtp_packer *p, struct rtp_block *b,
                   struct rtp_piece *out)
{
    size_t n = b->n < p->payload_max ? b->n : p->payload_max;
    uint8_t *h = out->head;

    if (n == 0)
        return false;
    if (p->tcp) {
        size_t len = RTP_HEADER_BYTES + n;

        *h++ = (uint8_t)(len >> 8);
        *h++ = (uint8_t)len;
    }
    out->last = n == b->n;
    rtp_header_put(h, p->pt, out->last && b->marker, p->seq, b->ts, p->ssrc);
    out->head_len = (size_t)(h - out->head) + RTP_HEADER_BYTES;
    out->payload = b->p;
    out->n = n;
    b->p += n;
    b->n -= n;
    p->seq++;
    p->last_ts = b->ts;
    p->packets++;
    p->octets += (uint32_t)n;
    return true;
}

size_t rtp_pack_count(const struct rtp_packer *p, size_t n)
{
    return n / p->payload_max + (n % p->payload_max != 0);
}

void rtp_pack_write(struct rtp_packer *p, struct writer *w,
                    struct rtp_block b)
{
    size_t head = RTP_HEADER_BYTES + (p->tcp ? 2 : 0);
    struct rtp_piece piece;

    if (w->err)
        return;
    if (rtp_pack_count(p, b.n) * head + b.n > w->cap - w->len) {
        w->err = GB_ENOMEM;
        return;
    }
    while (rtp_pack_next(p, &b, &piece)) {
        writer_bytes(w, piece.head, piece.head_len);
        writer_bytes(w, piece.payload, piece.n);
    }
}
