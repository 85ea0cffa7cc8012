/* libavformat's demuxer of program streams, without its parsers: it gives the
 * payloads of PES packets, not whole pictures, each copied.
 *
 *     peer_lavf FILE.ps NAME      figures ps.lavf.NAME.*
 *
 * A packet is RTP's of 1400 bytes, as bench_ps counts them but for the ends of
 * packs. */
#include "test/bench/measure.h"
#include "test/bench/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#define READ_BYTES 32768
#define PACKET_BYTES 1400.0

static struct program {
    const uint8_t *p;
    size_t n, at;
} program;
static uint64_t pieces, bytes;

static int on_read(void *ctx, uint8_t *buf, int n)
{
    struct program *s = ctx;
    size_t k = s->n - s->at < (size_t)n ? s->n - s->at : (size_t)n;

    if (!k)
        return AVERROR_EOF;
    memcpy(buf, s->p + s->at, k);
    s->at += k;
    return (int)k;
}

static void demux(void)
{
    AVFormatContext *f = avformat_alloc_context();
    AVPacket *k = av_packet_alloc();

    program.at = 0;
    if (!f || !k)
        bench_fail("no memory");
    f->pb = avio_alloc_context(av_malloc(READ_BYTES), READ_BYTES, 0, &program,
                               on_read, NULL, NULL);
    f->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
    if (avformat_open_input(&f, NULL, av_find_input_format("mpeg"), NULL) < 0)
        bench_fail("libavformat does not read this");
    while (av_read_frame(f, k) >= 0) {
        pieces++;
        bytes += (uint64_t)k->size;
        av_packet_unref(k);
    }
    av_free(f->pb->buffer);
    avio_context_free(&f->pb);
    avformat_close_input(&f);
    av_packet_free(&k);
}

static void work(void *ctx, unsigned rounds)
{
    (void)ctx;
    while (rounds--)
        demux();
}

int main(int argc, char **argv)
{
    struct bench_result r;
    double gbs[BENCH_SAMPLES];
    char name[64];

    if (argc != 3) {
        fprintf(stderr, "usage: peer_lavf FILE.ps NAME\n");
        return 2;
    }
    program.p = bench_load(argv[1], &program.n);
    av_log_set_level(AV_LOG_QUIET);
    demux();
    if (bytes < program.n / 10 * 9 || bytes > program.n)
        bench_fail("libavformat does not find all of it");
    bench_run(&r, work, NULL, NULL, (double)program.n / PACKET_BYTES);
    for (size_t i = 0; i < BENCH_SAMPLES; i++)
        gbs[i] = PACKET_BYTES / r.ns[i];
    snprintf(name, sizeof(name), "ps.lavf.%s", argv[2]);
    bench_print_result(name, &r);
    snprintf(name, sizeof(name), "ps.lavf.%s.gbs", argv[2]);
    bench_print(name, "GB/s", 2, gbs, BENCH_SAMPLES);
    return 0;
}
