/* What one media packet costs between socket and demuxer: framing, order, and
 * the heads that we send.
 *
 *     bench_rtp         figures
 *     bench_rtp -n N    every hot_NAME N times, for callgrind:
 *                       --toggle-collect=hot_NAME
 *
 * rtp.in_order  parse, source and queue of datagrams that come as they were sent
 * rtp.swapped   the same, each pair the wrong way round
 * rtp.framed    large reads of TCP: framing, parse, queue without a window
 * rtp.packed    the sender's heads for the packets of a key frame */
#include "rtp/pack.h"
#include "rtp/packet.h"
#include "rtp/queue.h"
#include "rtp/source.h"
#include "rtp/tcpframe.h"
#include "test/bench/measure.h"

#include <stdlib.h>
#include <string.h>

#define PACKETS 20000
#define PAYLOAD 1400
#define FRAME (2 + RTP_HEADER_BYTES + PAYLOAD)
#define IN_BUFFER 40 /* packets of one large read */

static uint8_t stream[IN_BUFFER * FRAME];
static uint64_t sink;

static void drain(struct rtp_queue *q, uint64_t now_ms)
{
    struct rtp_item it;

    while (rtp_queue_pop(q, &it, now_ms))
        sink += it.n + it.gap;
}

/* As the receiver does. */
static void offer(struct rtp_queue *q, struct rtp_item *it, uint64_t now_ms)
{
    if (rtp_queue_pass(q, it, now_ms)) {
        sink += it->n + it->gap;
        return;
    }
    rtp_queue_push(q, it, now_ms);
    drain(q, now_ms);
}

/* Packets that have arrived: parse, source, queue. swap: each pair the wrong
 * way round. */
static void receive(bool swap)
{
    struct rtp_queue_options opt = { .window = RTP_QUEUE_WINDOW };
    struct gb_addr from = { .family = GB_IPV4, .port = 9 };
    struct rtp_source src;
    struct rtp_queue *q;

    if (rtp_queue_new(&q, &gb_alloc_heap, &opt))
        bench_fail("no memory");
    rtp_source_init(&src, RTP_SSRC_ADOPT);
    for (unsigned i = 0; i < PACKETS; i++) {
        unsigned seq = swap ? i ^ 1 : i;
        uint8_t *p = stream + 2 + (i % IN_BUFFER) * FRAME;
        struct rtp_packet pkt;
        struct rtp_item it;

        p[2] = (uint8_t)(seq >> 8);
        p[3] = (uint8_t)seq;
        if (rtp_packet_parse(&pkt, p, FRAME - 2))
            bench_fail("a packet was lost");
        if (rtp_source_check(&src, &from, pkt.ssrc, pkt.seq, i / 4) ==
            RTP_FOREIGN)
            bench_fail("a packet was lost");
        it = (struct rtp_item){ .payload = pkt.payload, .n = pkt.payload_len,
                                .seq = pkt.seq, .ts = pkt.ts, .pt = pkt.pt,
                                .marker = pkt.marker };
        offer(q, &it, i / 4);
    }
    rtp_queue_free(q);
}

BENCH_HOT static void hot_rtp_in_order(void *ctx, unsigned rounds)
{
    (void)ctx;
    while (rounds--)
        receive(false);
}

BENCH_HOT static void hot_rtp_swapped(void *ctx, unsigned rounds)
{
    (void)ctx;
    while (rounds--)
        receive(true);
}

static void read_frames(void)
{
    struct rtp_queue_options opt = { .window = 0 };
    struct rtp_tcpframe f;
    struct rtp_queue *q;
    unsigned seq = 0;

    if (rtp_queue_new(&q, &gb_alloc_heap, &opt))
        bench_fail("no memory");
    rtp_tcpframe_init(&f, NULL);
    for (unsigned r = 0; r < PACKETS / IN_BUFFER; r++) {
        struct rtp_frame frame;

        f.pos = f.last = 0; /* another buffer, filled by one read */
        for (unsigned i = 0; i < IN_BUFFER; i++, seq++) {
            stream[i * FRAME + 4] = (uint8_t)(seq >> 8);
            stream[i * FRAME + 5] = (uint8_t)seq;
        }
        while (rtp_tcpframe_next(&f, stream, sizeof(stream), sizeof(stream),
                                 &frame) == 0) {
            struct rtp_packet pkt;
            struct rtp_item it;

            if (rtp_packet_parse(&pkt, frame.p, frame.n))
                bench_fail("a packet was lost");
            it = (struct rtp_item){ .payload = pkt.payload,
                                    .n = pkt.payload_len,
                                    .seq = pkt.seq,
                                    .ts = pkt.ts };
            offer(q, &it, r);
        }
    }
    if (f.frames != PACKETS || f.resyncs)
        bench_fail("a packet was lost");
    rtp_queue_free(q);
}

BENCH_HOT static void hot_rtp_framed(void *ctx, unsigned rounds)
{
    (void)ctx;
    while (rounds--)
        read_frames();
}

static void pack(void)
{
    static uint8_t block[100 * PAYLOAD];
    struct rtp_packer p;
    struct rtp_piece piece;

    rtp_packer_init(&p, 1, 96, 0, true, 0);
    for (unsigned i = 0; i < PACKETS / 100; i++) {
        struct rtp_block b = rtp_pack_begin(block, sizeof(block), i, true);

        while (rtp_pack_next(&p, &b, &piece))
            sink += piece.n;
    }
    if (p.packets != PACKETS)
        bench_fail("a packet was lost");
}

BENCH_HOT static void hot_rtp_packed(void *ctx, unsigned rounds)
{
    (void)ctx;
    while (rounds--)
        pack();
}

static const struct figure {
    const char *name;
    bench_fn *work;
} figures[] = {
    { "rtp.in_order", hot_rtp_in_order },
    { "rtp.swapped", hot_rtp_swapped },
    { "rtp.framed", hot_rtp_framed },
    { "rtp.packed", hot_rtp_packed },
};

static void make_stream(void)
{
    for (unsigned i = 0; i < IN_BUFFER; i++) {
        uint8_t *p = stream + i * FRAME;

        p[0] = (FRAME - 2) >> 8;
        p[1] = (FRAME - 2) & 0xff;
        rtp_header_put(p + 2, 96, false, (uint16_t)i, 90000, 200004321);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = 0;

    if (argc == 3 && strcmp(argv[1], "-n") == 0)
        rounds = (unsigned)strtoul(argv[2], NULL, 10);
    make_stream();
    for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
        struct bench_result r;

        if (rounds) {
            figures[i].work(NULL, rounds);
            continue;
        }
        bench_run(&r, figures[i].work, NULL, NULL, PACKETS);
        bench_print_result(figures[i].name, &r);
    }
    BENCH_KEEP(&sink);
    return 0;
}
