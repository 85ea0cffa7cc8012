#include "rtp/rtcp.h"
#include "base/bytes.h"

#define SR_WORDS 6    /* SSRC and sender information, in 32-bit words */
#define BLOCK_BYTES 24
#define NTP_1970 2208988800u
#define SDES_CNAME 1

bool rtcp_next(struct rtcp_packet *out, const uint8_t **p, size_t *n)
{
    const uint8_t *h = *p;
    size_t len, pad;

    if (*n < 4 || h[0] >> 6 != 2 || h[1] < 192 || h[1] > 223)
        return false;
    len = ((size_t)(h[2] << 8 | h[3]) + 1) * 4;
    if (len > *n)
        return false;
    *p += len;
    *n -= len;
    pad = h[0] & 0x20 ? h[len - 1] : 0;
    if (pad > len - 4)
        pad = 0;
    *out = (struct rtcp_packet){ .type = h[1], .count = h[0] & 31,
                                 .has_ssrc = len - pad >= 8,
                                 .body = h + 4, .n = len - 4 - pad };
    if (out->has_ssrc) {
        struct bytes r = bytes_of(h + 4, 4);

        out->ssrc = bytes_be32(&r);
    }
    return true;
}

int rtcp_sr_parse(struct rtcp_sr *out, const struct rtcp_packet *pkt)
{
    struct bytes r = bytes_of(pkt->body, pkt->n);

    if (pkt->type != RTCP_SR || pkt->n < SR_WORDS * 4)
        return GB_ESYNTAX;
    out->ssrc = bytes_be32(&r);
    out->ntp = bytes_be64(&r);
    out->rtp_ts = bytes_be32(&r);
    out->packets = bytes_be32(&r);
    out->octets = bytes_be32(&r);
    return 0;
}

int rtcp_block_parse(struct rtcp_block *out, const struct rtcp_packet *pkt,
                     unsigned i)
{
    size_t head = pkt->type == RTCP_SR ? SR_WORDS * 4 : 4;
    struct bytes r = bytes_of(pkt->body, pkt->n);
    uint32_t lost;

    if (pkt->type != RTCP_SR && pkt->type != RTCP_RR)
        return GB_ESYNTAX;
    if (i >= pkt->count || head + (size_t)(i + 1) * BLOCK_BYTES > pkt->n)
        return GB_ENOENT;
    bytes_skip(&r, head + (size_t)i * BLOCK_BYTES);
    out->ssrc = bytes_be32(&r);
    out->fraction = bytes_u8(&r);
    lost = bytes_be24(&r);
    out->lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0);
    out->ext_seq = bytes_be32(&r);
    out->jitter = bytes_be32(&r);
    out->lsr = bytes_be32(&r);
    out->dlsr = bytes_be32(&r);
    return 0;
}

int rtcp_cname_parse(struct slice *out, const struct rtcp_packet *pkt)
{
    struct bytes r = bytes_of(pkt->body, pkt->n);

    if (pkt->type != RTCP_SDES)
        return GB_ESYNTAX;
    bytes_skip(&r, 4);
    for (;;) {
        uint8_t type = bytes_u8(&r), len;

        if (type == 0 || r.err)
            return GB_ENOENT;
        len = bytes_u8(&r);
        if (r.err || bytes_left(&r) < len)
            return GB_ENOENT;
        if (type == SDES_CNAME) {
            *out = slice_of((const char *)pkt->body + r.off, len);
            return 0;
        }
        bytes_skip(&r, len);
    }
}

/* ---- writing ---- */

static bool put_head(struct writer *w, unsigned count, uint8_t type,
                     unsigned words)
{
    if (w->err)
        return false;
    if (count > RTCP_MAX_BLOCKS) {
        w->err = GB_ERANGE;
        return false;
    }
    writer_char(w, (char)(0x80 | count));
    writer_char(w, (char)type);
    writer_be16(w, (uint16_t)words);
    return true;
}

static void put_blocks(struct writer *w, const struct rtcp_block *b,
                       unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        writer_be32(w, b[i].ssrc);
        writer_char(w, (char)b[i].fraction);
        writer_be24(w, (uint32_t)b[i].lost & 0xffffff);
        writer_be32(w, b[i].ext_seq);
        writer_be32(w, b[i].jitter);
        writer_be32(w, b[i].lsr);
        writer_be32(w, b[i].dlsr);
    }
}

void rtcp_sr_write(struct writer *w, const struct rtcp_sr *sr,
                   const struct rtcp_block *block, unsigned n_blocks)
{
    if (!put_head(w, n_blocks, RTCP_SR, SR_WORDS + n_blocks * 6))
        return;
    writer_be32(w, sr->ssrc);
    writer_be64(w, sr->ntp);
    writer_be32(w, sr->rtp_ts);
    writer_be32(w, sr->packets);
    writer_be32(w, sr->octets);
    put_blocks(w, block, n_blocks);
}

void rtcp_rr_write(struct writer *w, uint32_t ssrc,
                   const struct rtcp_block *block, unsigned n_blocks)
{
    if (!put_head(w, n_blocks, RTCP_RR, 1 + n_blocks * 6))
        return;
    writer_be32(w, ssrc);
    put_blocks(w, block, n_blocks);
}

void rtcp_sdes_write(struct writer *w, uint32_t ssrc, struct slice cname)
{
    /* one chunk: SSRC, one item, its end, filled to a word (RFC 3550 §6.5) */
    size_t bytes = 4 + 2 + cname.n + 1, words = (bytes + 3) / 4;

    if (cname.n > RTCP_MAX_CNAME) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    if (!put_head(w, 1, RTCP_SDES, (unsigned)words))
        return;
    writer_be32(w, ssrc);
    writer_char(w, SDES_CNAME);
    writer_char(w, (char)cname.n);
    writer_slice_put(w, cname);
    for (size_t i = bytes - 1; i < words * 4; i++)
        writer_char(w, 0);
}

void rtcp_bye_write(struct writer *w, uint32_t ssrc)
{
    if (put_head(w, 1, RTCP_BYE, 1))
        writer_be32(w, ssrc);
}

/* ---- time ---- */

uint64_t rtcp_ntp(int64_t utc_ms)
{
    uint64_t ms;

    if (utc_ms < 0)
        return 0;
    ms = (uint64_t)utc_ms;
    return ((ms / 1000 + NTP_1970) << 32) |
           (((ms % 1000) << 32) + 999) / 1000;
}

int64_t rtcp_utc_ms(uint64_t ntp)
{
    uint64_t s = ntp >> 32;

    if (s < NTP_1970)
        return 0;
    return (int64_t)((s - NTP_1970) * 1000 +
                     (((ntp & 0xffffffff) * 1000) >> 32));
}
