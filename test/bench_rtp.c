/* What one media packet costs between socket and demuxer: ns a packet, median
 * of many rounds. Prints "figure NAME VALUE UNIT". */
#include "rtp/pack.h"
#include "rtp/packet.h"
#include "rtp/queue.h"
#include "rtp/source.h"
#include "rtp/tcpframe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 31
#define PACKETS 20000
#define PAYLOAD 1400
#define FRAME (2 + RTP_HEADER_BYTES + PAYLOAD)
#define IN_BUFFER 40 /* packets of one large read */

static uint8_t stream[IN_BUFFER * FRAME];
static uint64_t sink;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void drain(struct rtp_queue *q, uint64_t now_ms)
{
    struct rtp_item it;

    while (rtp_queue_pop(q, &it, now_ms))
        sink += it.n + it.gap;
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
        abort();
    rtp_source_init(&src, RTP_SSRC_ADOPT);
    for (unsigned i = 0; i < PACKETS; i++) {
        unsigned seq = swap ? i ^ 1 : i;
        uint8_t *p = stream + 2 + (i % IN_BUFFER) * FRAME;
        struct rtp_packet pkt;
        struct rtp_item it;

        p[2] = (uint8_t)(seq >> 8);
        p[3] = (uint8_t)seq;
        if (rtp_packet_parse(&pkt, p, FRAME - 2))
            abort();
        if (rtp_source_check(&src, &from, pkt.ssrc, pkt.seq, i / 4) ==
            RTP_FOREIGN)
            abort();
        it = (struct rtp_item){ .payload = pkt.payload, .n = pkt.payload_len,
                                .seq = pkt.seq, .ts = pkt.ts, .pt = pkt.pt,
                                .marker = pkt.marker };
        rtp_queue_push(q, &it, i / 4);
        drain(q, i / 4);
    }
    rtp_queue_free(q);
}

static void udp(void)
{
    receive(false);
}

static void udp_swapped(void)
{
    receive(true);
}

/* Large reads of TCP: framing, parse, queue without a window. */
static void tcp(void)
{
    struct rtp_queue_options opt = { .window = 0 };
    struct rtp_tcpframe f;
    struct rtp_queue *q;
    unsigned seq = 0;

    if (rtp_queue_new(&q, &gb_alloc_heap, &opt))
        abort();
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
                abort();
            it = (struct rtp_item){ .payload = pkt.payload,
                                    .n = pkt.payload_len,
                                    .seq = pkt.seq,
                                    .ts = pkt.ts };
            rtp_queue_push(q, &it, r);
            drain(q, r);
        }
    }
    if (f.frames != PACKETS || f.resyncs)
        abort();
    rtp_queue_free(q);
}

/* The sender: heads for the packets of a key frame. */
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
        abort();
}

static void measure(const char *name, void (*run)(void))
{
    double ns[ROUNDS];

    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t begin = now_ns();

        run();
        ns[r] = (double)(now_ns() - begin) / PACKETS;
    }
    qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
    printf("figure %s %.1f ns\n", name, ns[ROUNDS / 2]);
}

int main(void)
{
    for (unsigned i = 0; i < IN_BUFFER; i++) {
        uint8_t *p = stream + i * FRAME;

        p[0] = (FRAME - 2) >> 8;
        p[1] = (FRAME - 2) & 0xff;
        rtp_header_put(p + 2, 96, false, (uint16_t)i, 90000, 200004321);
    }
    measure("rtp.udp.ns", udp);
    measure("rtp.udp_swapped.ns", udp_swapped);
    measure("rtp.tcp.ns", tcp);
    measure("rtp.pack.ns", pack);
    return sink == 1;
}
