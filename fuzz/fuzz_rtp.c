/* One datagram: as RTP, as RTCP compound, and as a payload whose kind is to be
 * found. What parses as RTP or as a report is written and parsed again. */
#include "fuzz/fuzz.h"

#include "rtp/kind.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#include <stdlib.h>
#include <string.h>

static void as_rtp(const uint8_t *data, size_t size)
{
    static uint8_t text[1 << 16];
    struct writer w = writer_of(text, sizeof(text));
    uint32_t csrc[RTP_MAX_CSRC] = { 0 };
    struct rtp_packet a, b;

    if (rtp_packet_parse(&a, data, size))
        return;
    if (a.payload < data + RTP_HEADER_BYTES ||
        a.payload + a.payload_len > data + size)
        abort();
    rtp_packet_write(&w, &a, csrc, 0);
    if (w.err)
        return; /* larger than our room */
    if (rtp_packet_parse(&b, text, w.len) || a.seq != b.seq || a.ts != b.ts ||
        a.ssrc != b.ssrc || a.pt != b.pt || a.marker != b.marker ||
        a.ext_len != b.ext_len || a.payload_len != b.payload_len ||
        memcmp(a.payload, b.payload, a.payload_len) != 0)
        abort();
}

static void same_block(const struct rtcp_block *a, const struct rtcp_block *b)
{
    require(a->ssrc == b->ssrc && a->fraction == b->fraction &&
         a->lost == b->lost && a->ext_seq == b->ext_seq &&
         a->jitter == b->jitter && a->lsr == b->lsr && a->dlsr == b->dlsr);
}

/* A report is written and read again, as the first of a compound with a name
 * and a farewell. */
static void reported(const struct rtcp_packet *pkt, struct slice name)
{
    static uint8_t text[4096];
    struct writer w = writer_of(text, sizeof(text));
    struct rtcp_block block[RTCP_MAX_BLOCKS], back;
    const uint8_t *p = text;
    struct rtcp_packet q;
    struct rtcp_sr sr, sr_back;
    struct slice name_back = { NULL, 0 };
    unsigned n = 0;
    size_t left;
    int is_sr = rtcp_sr_parse(&sr, pkt) == 0;

    while (rtcp_block_parse(&block[n], pkt, n) == 0)
        if (++n == RTCP_MAX_BLOCKS)
            break;
    if (is_sr)
        rtcp_sr_write(&w, &sr, block, n);
    else
        rtcp_rr_write(&w, pkt->ssrc, block, n);
    rtcp_sdes_write(&w, pkt->ssrc, name);
    rtcp_bye_write(&w, pkt->ssrc);
    require(w.err == 0);
    left = w.len;
    require(rtcp_next(&q, &p, &left) && q.count == n);
    require(q.type == (is_sr ? RTCP_SR : RTCP_RR));
    if (is_sr)
        require(rtcp_sr_parse(&sr_back, &q) == 0 && sr.ssrc == sr_back.ssrc &&
             sr.ntp == sr_back.ntp && sr.rtp_ts == sr_back.rtp_ts &&
             sr.packets == sr_back.packets && sr.octets == sr_back.octets);
    for (unsigned i = 0; i < n; i++) {
        require(rtcp_block_parse(&back, &q, i) == 0);
        same_block(&block[i], &back);
    }
    require(rtcp_next(&q, &p, &left) && rtcp_cname_parse(&name_back, &q) == 0);
    require(slice_eq(name, name_back));
    require(rtcp_next(&q, &p, &left) && q.type == RTCP_BYE && left == 0);
    require(q.has_ssrc && q.ssrc == pkt->ssrc);
}

static void as_rtcp(const uint8_t *data, size_t size)
{
    const uint8_t *p = data;
    size_t n = size;
    struct rtcp_packet pkt;

    while (rtcp_next(&pkt, &p, &n)) {
        struct rtcp_block block;
        struct slice name = SLICE("x");
        struct rtcp_sr sr;

        if (p + n != data + size || pkt.body + pkt.n > p)
            abort();
        if (rtcp_sr_parse(&sr, &pkt) == 0 &&
            rtcp_utc_ms(rtcp_ntp(rtcp_utc_ms(sr.ntp))) != rtcp_utc_ms(sr.ntp))
            abort();
        for (unsigned i = 0; rtcp_block_parse(&block, &pkt, i) == 0; i++)
            if (i > RTCP_MAX_BLOCKS)
                abort();
        if (rtcp_cname_parse(&name, &pkt) == 0 &&
            (const uint8_t *)name.p + name.n > pkt.body + pkt.n)
            abort();
        reported(&pkt, name);
    }
}

/* The input as payloads, each behind a byte of length. */
static void as_payloads(const uint8_t *data, size_t size)
{
    struct rtp_kind_test t;
    uint16_t seq = 0;

    if (size == 0)
        return;
    require(rtp_kind_name(rtp_kind_of(data[0] & 0x7f, slice_of((const char *)
                                   data + 1, size - 1)))[0]);
    rtp_kind_init(&t, data[0] & 0x7f,
                  (enum rtp_kind)(data[0] % RTP_KIND_COUNT));
    for (size_t off = 1; off < size; seq++) {
        size_t n = data[off];
        enum rtp_kind_state s;

        off++;
        n = n < size - off ? n : size - off;
        s = rtp_kind_feed(&t, data + off, n, seq, seq * 160u, seq);
        if ((s == RTP_KIND_DECIDED || s == RTP_KIND_ASSUMED) !=
            (t.kind != RTP_KIND_UNKNOWN))
            abort();
        off += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_rtp(data, size);
    as_rtcp(data, size);
    as_payloads(data, size);
    return 0;
}
