/* One datagram: as RTP, as RTCP compound, and as a payload whose kind is to be
 * found. What parses as RTP is written and parsed again. */
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

static void as_rtcp(const uint8_t *data, size_t size)
{
    const uint8_t *p = data;
    size_t n = size;
    struct rtcp_packet pkt;

    while (rtcp_next(&pkt, &p, &n)) {
        struct rtcp_block block;
        struct slice name;
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
    }
}

/* The input as payloads, each behind a byte of length. */
static void as_payloads(const uint8_t *data, size_t size)
{
    struct rtp_kind_test t;
    uint16_t seq = 0;

    if (size == 0)
        return;
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
