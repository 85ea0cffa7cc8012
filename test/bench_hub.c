/* What a frame costs in the pure hub: once, and for each viewer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/media/hub.h"

#define ROUNDS 9
#define FRAMES 2000
#define P_BYTES 20000 /* 4 Mbit/s at 25 pictures a second */

static const struct slice sps =
    SLICE_INIT("\x67\x42\xC0\x0A\xD9\x04\x7B\x01\x10\x00\x00\x03\x00\x10\x00"
               "\x00\x03\x03\x20\xF1\x22\x64\x80");
static const struct slice pps = SLICE_INIT("\x68\xCB\x83\xCB\x20");

static uint8_t picture[P_BYTES];
static uint64_t touched;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* As an edge does whose socket takes everything. */
static void on_wake(void *ctx, struct hub_viewer *v)
{
    struct media_iov iov[16];
    size_t n;

    (void)ctx;
    while ((n = hub_viewer_next(v, iov, 16, false)) > 0) {
        size_t sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += iov[i].len;
        touched += sum;
        hub_viewer_consumed(v, sum);
    }
}

static void feed(struct hub *h, unsigned i)
{
    bool key = i % 50 == 0;
    struct ps_piece piece[] = {
        { (const uint8_t *)sps.p, sps.n, NULL },
        { (const uint8_t *)pps.p, pps.n, NULL },
        { picture, sizeof(picture), NULL },
    };
    struct ps_nal nal[] = {
        { 0, (uint32_t)sps.n, 7 },
        { (uint32_t)sps.n, (uint32_t)pps.n, 8 },
        { (uint32_t)(sps.n + pps.n), sizeof(picture), 0 },
    };
    struct ps_au au = { .codec = PS_CODEC_H264,
                        .key = key,
                        .has_pts = true,
                        .pts90k = 3600 * (uint64_t)i,
                        .piece = piece,
                        .n_pieces = 3,
                        .bytes = sps.n + pps.n + sizeof(picture),
                        .nal = key ? nal : nal + 2,
                        .n_nals = key ? 3 : 1 };

    picture[0] = key ? 0x65 : 0x41;
    picture[1] = 0x88;
    nal[2].type = key ? 5 : 1;
    hub_au(h, &au, 40 * (uint64_t)i);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Median over the rounds of ns a frame with n viewers. */
static double frame_ns(enum hub_format format, unsigned n)
{
    struct hub_hooks hooks = { .on_wake = on_wake };
    struct hub_viewer_options opt = { .format = format, .no_audio = true };
    struct hub_viewer *v = calloc(n ? n : 1, sizeof(*v));
    struct hub *h;
    double ns[ROUNDS];
    unsigned at = 0;

    if (!v || hub_new(&h, &gb_alloc_heap, &hooks, NULL))
        exit(1);
    feed(h, at++);
    for (unsigned i = 0; i < n; i++) {
        if (hub_viewer_add(h, &v[i], &opt, 0))
            exit(1);
        on_wake(NULL, &v[i]);
    }
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t from = now_ns();

        for (unsigned i = 0; i < FRAMES; i++)
            feed(h, at++);
        ns[r] = (double)(now_ns() - from) / FRAMES;
    }
    for (unsigned i = 0; i < n; i++)
        hub_viewer_remove(&v[i]);
    hub_free(h);
    free(v);
    qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
    return ns[ROUNDS / 2];
}

int main(void)
{
    static const struct {
        const char *name;
        enum hub_format format;
    } formats[] = { { "flv", HUB_FLV }, { "fmp4", HUB_FMP4 } };
    double none;

    frame_ns(HUB_FLV, 1); /* the heap finds its size */
    none = frame_ns(HUB_FLV, 0);

    printf("figure hub.frame %.0f ns\n", none);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        double one = frame_ns(formats[i].format, 1);
        double many = frame_ns(formats[i].format, 1000);

        printf("figure hub.%s.mux %.0f ns\n", formats[i].name, one - none);
        printf("figure hub.%s.viewer %.1f ns\n", formats[i].name,
               (many - one) / 999);
    }
    printf("figure hub.viewer.size %zu B\n", sizeof(struct hub_viewer));
    return touched == 0;
}
