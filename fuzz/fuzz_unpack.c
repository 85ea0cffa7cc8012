/* RTP payloads with video in them: units are of NAL units behind start codes, and no
 * longer than what came and what start codes add. */
#include "base/alloc.h"
#include "fuzz/fuzz.h"
#include "rtp/unpack.h"

#include <stdlib.h>

struct seen {
    size_t in, out; /* bytes; of each payload byte at most one NAL unit begins */
    bool codes;
    bool part; /* the last one goes on */
};

static void on_unit(void *ctx, const struct rtp_unit *u)
{
    struct seen *s = ctx;

    s->out += u->bytes.n;
    if (!u->bytes.n || s->out > 5 * s->in + 8)
        abort();
    if (s->codes && (!s->part || u->lost) &&
        (u->bytes.n < 5 || memcmp(u->bytes.p, "\0\0\0\1", 4) != 0))
        abort();
    if (u->bytes.n > RTP_UNIT_PART)
        abort();
    s->part = u->part;
}

/* Of each packet: length, flags (marker, gap, a new time), payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum rtp_kind kinds[] = { RTP_KIND_H264, RTP_KIND_H265,
                                           RTP_KIND_ANNEXB_H264 };
    struct rtp_unpack_packet pkt = { .ts = 0 };
    struct rtp_unpack *u;
    struct seen s = { .in = 0 };
    size_t i = 1;

    if (size == 0)
        return 0;
    s.codes = data[0] % 3 < 2;
    if (rtp_unpack_new(&u, &gb_alloc_heap, kinds[data[0] % 3], on_unit, &s))
        return 0;
    while (i + 2 <= size) {
        size_t n = data[i];
        uint8_t flags = data[i + 1];

        i += 2;
        pkt.n = n < size - i ? n : size - i;
        pkt.p = data + i;
        pkt.marker = flags & 1;
        pkt.gap = flags & 2;
        pkt.ts += flags & 4 ? 3600 : 0;
        i += pkt.n;
        s.in += pkt.n;
        rtp_unpack_feed(u, &pkt);
    }
    rtp_unpack_flush(u);
    rtp_unpack_free(u);
    return 0;
}
