/* bench_ps [FILE.ps [PAYLOAD]] - what demultiplexing costs
 *
 * Feeds RTP payloads of PAYLOAD bytes (1400), one by one, of FILE or of media
 * made here: 4 Mbit/s H.264 at 25 fps, a key frame each two seconds, with
 * G.711A of 40 ms. Thread CPU time, median of the passes.
 *
 * ps.frames  access units as lists of pieces (heads_only), what a recorder or
 *            a relay needs; ps.nals  with the index of every NAL unit. */
#include "ps/demux.h"
#include "ps/mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PASSES 15
#define FRAMES 500 /* 20 s */
#define FRAME_BYTES 20000
#define KEY_EVERY 50
#define PAYLOAD_BYTES 1400
#define FILE_BYTES (256u << 20)

struct chunk {
    const uint8_t *p;
    size_t n;
    bool marker;
};

static struct chunk *chunks;
static size_t n_chunks;
static size_t n_bytes;

struct tally {
    uint64_t aus, bytes, nals, holds;
};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * 2685821657736338717ull;
}

/* One frame: parameter sets on key frames, then a slice of random bytes with
 * emulation prevention. */
static size_t make_frame(uint64_t *seed, uint8_t *p, bool key)
{
    static const uint8_t sets[] = {
        0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02,
        0x27, 0xe5, 0xc0, 0x44, 0, 0, 0, 1, 0x68, 0xeb, 0xe3, 0xcb, 0x22,
    };
    size_t n = 0, body = FRAME_BYTES / 2 + next_random(seed) % FRAME_BYTES;

    if (key) {
        memcpy(p, sets, sizeof(sets));
        n = sizeof(sets);
        body *= 6;
    }
    memcpy(p + n, key ? "\0\0\0\1\x65\x88" : "\0\0\0\1\x41\x9a", 6);
    n += 6;
    for (size_t i = 0; i < body; i++) {
        uint8_t c = (uint8_t)next_random(seed);

        if (p[n - 1] == 0 && p[n - 2] == 0 && c <= 3)
            p[n++] = 3;
        p[n++] = c;
    }
    p[n++] = 0x80;
    return n;
}

/* Each pack in RTP payloads of its own, the last with the marker. */
static void cut(const uint8_t *p, size_t n, size_t payload)
{
    n_bytes += n;
    for (size_t i = 0; i < n; i += payload, n_chunks++) {
        size_t k = n - i < payload ? n - i : payload;

        chunks[n_chunks] = (struct chunk){ p + i, k, i + k == n };
    }
}

static void make_media(size_t payload)
{
    static uint8_t frame[FRAME_BYTES * 12], audio[320];
    size_t cap = (size_t)FRAMES * FRAME_BYTES * 2;
    struct writer w = writer_of(malloc(cap), cap);
    uint64_t seed = 88172645463325252ull, pts = 90000;
    struct ps_mux m;

    chunks = calloc(cap / 8 + FRAMES * 4, sizeof(*chunks));
    if (!w.p || !chunks || ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A,
                                       8000000))
        exit(1);
    for (int i = 0; i < FRAMES; i++, pts += 3600) {
        bool key = i % KEY_EVERY == 0;
        size_t n = make_frame(&seed, frame, key), from = w.len;

        ps_mux_video(&m, &w, slice_of((char *)frame, n), pts, key);
        cut((uint8_t *)w.p + from, w.len - from, payload);
        for (size_t k = 0; k < sizeof(audio); k++)
            audio[k] = (uint8_t)next_random(&seed);
        from = w.len;
        ps_mux_audio(&m, &w, slice_of((char *)audio, sizeof(audio)), pts);
        cut((uint8_t *)w.p + from, w.len - from, payload);
    }
    if (w.err) {
        fprintf(stderr, "media: %s\n", gb_strerror(w.err));
        exit(1);
    }
}

static void load_media(const char *path, size_t payload)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(FILE_BYTES);
    size_t n = f && p ? fread(p, 1, FILE_BYTES, f) : 0;

    chunks = calloc(n / payload + 1, sizeof(*chunks));
    if (!n || !chunks) {
        perror(path);
        exit(1);
    }
    fclose(f);
    cut(p, n, payload);
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct tally *t = ctx;

    t->aus++;
    t->nals += au->n_nals;
    for (size_t i = 0; i < au->n_pieces; i++)
        t->bytes += au->piece[i].n;
}

static void on_hold(void *ctx, void *buf)
{
    (void)buf;
    ((struct tally *)ctx)->holds++;
}

static void on_release(void *ctx, void *buf)
{
    (void)buf;
    ((struct tally *)ctx)->holds--;
}

__attribute__((noinline)) static void
hot_demux(const struct ps_options *opt, struct tally *t)
{
    struct ps_hooks hooks = { on_au, NULL, on_hold, on_release, t };
    struct ps_demux *d;

    if (ps_demux_new(&d, &gb_alloc_heap, &hooks, opt))
        exit(1);
    for (size_t i = 0; i < n_chunks; i++)
        ps_demux_feed(d, chunks[i].p, chunks[i].n,
                      &(struct ps_feed){ .buf = &chunks[i],
                                         .packet = true,
                                         .marker = chunks[i].marker });
    ps_demux_flush(d, true);
    ps_demux_free(d);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, const struct ps_options *opt,
                    bool check)
{
    double ns[PASSES];
    struct tally t = { 0 };

    hot_demux(opt, &t); /* warm */
    if (t.holds || (check && t.aus != 2 * FRAMES)) {
        fprintf(stderr, "%s: %llu access units, %llu held\n", name,
                (unsigned long long)t.aus, (unsigned long long)t.holds);
        exit(1);
    }
    for (int i = 0; i < PASSES; i++) {
        double from = cpu_ns();

        hot_demux(opt, &t);
        ns[i] = cpu_ns() - from;
    }
    qsort(ns, PASSES, sizeof(*ns), by_value);
    printf("figure ps.%s.ns %.1f ns\n", name,
           ns[PASSES / 2] / (double)n_chunks);
    printf("figure ps.%s.gbs %.2f GB/s\n", name,
           (double)n_bytes / ns[PASSES / 2]);
}

int main(int argc, char **argv)
{
    long payload = argc > 2 ? strtol(argv[2], NULL, 10) : PAYLOAD_BYTES;

    if (payload < 16 || payload > (long)FILE_BYTES) {
        fprintf(stderr, "usage: bench_ps [FILE.ps [PAYLOAD]]\n");
        return 2;
    }
    if (argc > 1)
        load_media(argv[1], (size_t)payload);
    else
        make_media((size_t)payload);
    measure("frames", &(struct ps_options){ .heads_only = true }, argc < 2);
    measure("nals", &(struct ps_options){ 0 }, argc < 2);
    return 0;
}
