#include "app/device/wire.h"

#include "base/bytes.h"
#include "rtp/rtcp.h"

#include <string.h>

#define CUT_EACH 97      /* packets, one of which is cut short */
#define STRANGER_EACH 8
#define REPORT_EACH 64
#define CHANGE_MS 3000    /* when the SSRC changes */
#define EHOME_BYTES 256
#define OTHER_PT 98
#define PADDING 4

static void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* The fixed header of 12 bytes. */
static void change_head(const struct wire *x, uint8_t *h,
                        const struct rtp_piece *p, uint64_t age_ms)
{
    const struct sender_faults *f = x->faults;
    uint8_t last = p->payload[p->n - 1];

    if (f->extension)
        h[0] |= 0x10;
    if (f->csrc)
        h[0] |= 1;
    if (f->padding || (f->padding_absurd && (last == 0 || last > p->n)))
        h[0] |= 0x20;
    if (f->other_pt)
        h[1] = (uint8_t)((h[1] & 0x80) | OTHER_PT);
    if (f->marker_never)
        h[1] &= 0x7f;
    if (f->marker_always)
        h[1] |= 0x80;
    if (f->ts_zero)
        put_be32(h + 4, 0);
    if (f->ts_ms)
        put_be32(h + 4, bytes_be32_at(h + 4) / 90);
    if (f->ts_per_packet)
        put_be32(h + 4, x->n * 3600);
    if (f->ssrc_change && age_ms >= CHANGE_MS)
        put_be32(h + 8, bytes_be32_at(h + 8) + 1);
}

/* What goes before n bytes over TCP. */
static void put_frame(struct wire *x, struct writer *w, size_t n)
{
    const struct sender_faults *f = x->faults;

    if (!x->tcp || f->bare_ps)
        return;
    if (f->ehome && x->n == 1) {
        static const uint8_t head[EHOME_BYTES] = { 1, 0, 1 };

        writer_bytes(w, head, sizeof(head));
    }
    if (f->dollar || f->ehome)
        writer_bytes(w, "$\0", 2);
    writer_be16(w, (uint16_t)n);
}

void wire_put(struct wire *x, struct writer *w, const struct rtp_piece *p,
              uint64_t age_ms)
{
    static const uint8_t ext[8] = { 0xbe, 0xde, 0, 1, 0, 0, 1, 0xba };
    const struct sender_faults *f = x->faults;
    uint8_t head[RTP_HEADER_BYTES + sizeof(ext) + 4 + 1];
    size_t n = RTP_HEADER_BYTES, len = p->n;

    x->n++;
    memcpy(head, p->head + p->head_len - RTP_HEADER_BYTES, n);
    change_head(x, head, p, age_ms);
    if (x->tcp && f->ehome)
        head[n++] = 0x0d;
    if (f->csrc) {
        put_be32(head + n, 7);
        n += 4;
    }
    if (f->extension) {
        memcpy(head + n, ext, sizeof(ext));
        n += sizeof(ext);
    }
    put_frame(x, w, n + len + (f->padding ? PADDING : 0));
    if (x->tcp && f->cut_frames && x->n % CUT_EACH == 0)
        len /= 2;
    if (!(x->tcp && f->bare_ps))
        writer_bytes(w, head, n);
    writer_bytes(w, p->payload, len);
    if (f->padding)
        writer_bytes(w, "\0\0\0\4", PADDING);
}

static void put_stranger(struct writer *w, const struct rtp_packer *p)
{
    static const uint8_t payload[64] = { 0, 0, 1, 0xba, 0x44 };
    uint8_t head[RTP_HEADER_BYTES];

    rtp_header_put(head, p->pt, false, (uint16_t)(p->seq + 1000), p->last_ts,
                   p->ssrc + 4711);
    writer_bytes(w, head, sizeof(head));
    writer_bytes(w, payload, sizeof(payload));
}

static void put_report(struct writer *w, const struct rtp_packer *p,
                       uint64_t utc_ms)
{
    const struct rtcp_sr sr = { .ssrc = p->ssrc,
                                .ntp = rtcp_ntp((int64_t)utc_ms),
                                .rtp_ts = p->last_ts, .packets = p->packets,
                                .octets = p->octets };

    rtcp_sr_write(w, &sr, NULL, 0);
    rtcp_sdes_write(w, p->ssrc, SLICE("camera"));
}

bool wire_extra(struct wire *x, struct writer *w, const struct rtp_packer *p,
                uint64_t utc_ms)
{
    const struct sender_faults *f = x->faults;
    uint8_t bytes[256];
    struct writer body = writer_of(bytes, sizeof(bytes));

    if (f->foreign && x->n % STRANGER_EACH == STRANGER_EACH - 1)
        put_stranger(&body, p);
    else if (f->rtcp_muxed && x->n % REPORT_EACH == REPORT_EACH - 1)
        put_report(&body, p, utc_ms);
    else
        return false;
    x->n++;
    put_frame(x, w, body.len);
    writer_slice_put(w, writer_slice(&body));
    return !w->err && !body.err;
}
