/* bench_ps [-m FILE.h264 | -5 FILE.h265] [-o OUT.ps] [-n N] [FILE.ps] - what
 * demultiplexing costs
 *
 * Feeds RTP payloads of 1400 bytes, one by one, of FILE.ps, or of what is made
 * here: the pictures of FILE.h264 (Annex B, one slice a picture), else random
 * ones of 4 Mbit/s at 25 fps, a key frame each two seconds; with G.711A of
 * 40 ms. Of FILE.h265 likewise, with AAC of 64 kbit/s; figures are ps.h265.*.
 * Per packet, beside the limit in the same run. What was made goes to OUT.ps, for
 * peer_lavf.
 *
 * ps.slices  access units as lists of pieces (heads_only), what a recorder or
 *            a relay needs; limit: hops by the lengths
 * ps.frames  the same, each copied to one place; limit: hops and the copy
 * ps.nals    with the index of every NAL unit, as the hub wants it
 * -n N: each of the hot_ functions N times, for counting instructions. */
#include "test/bench/limit_ps.h"
#include "test/bench/measure.h"
#include "test/bench/pictures.h"

#include "ps/mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 500 /* 20 s */
#define FRAME_BYTES 20000
#define KEY_EVERY 50
#define PAYLOAD_BYTES 1400
#define AUDIO_BYTES 320
#define ADTS_BYTES 171   /* AAC: a frame, */
#define ADTS_90K 1920    /* of 1024 samples at 48 kHz */
#define PLACE_BYTES (8u << 20) /* where a frame is put together */
#define SLAB_PACKETS 46 /* held together: as many as a receive slab has */

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
    uint8_t *place; /* access units are copied here; NULL: not */
};

static uint8_t place[PLACE_BYTES];
static uint64_t made_aus; /* access units of what was made here */

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
static void cut(const uint8_t *p, size_t n)
{
    n_bytes += n;
    for (size_t i = 0; i < n; i += PAYLOAD_BYTES, n_chunks++) {
        size_t k = n - i < PAYLOAD_BYTES ? n - i : PAYLOAD_BYTES;

        chunks[n_chunks] = (struct chunk){ p + i, k, i + k == n };
    }
}

struct maker {
    struct ps_mux mux;
    struct writer w;
    uint64_t seed, pts, sound_pts;
    bool h265; /* with AAC */
};

static void add_sound(struct maker *m, size_t n)
{
    static const uint8_t adts[] = { /* AAC-LC, 48 kHz, mono */
        0xff, 0xf1, 0x4c, 0x40 | ADTS_BYTES >> 11, (ADTS_BYTES >> 3) & 0xff,
        (ADTS_BYTES & 7) << 5 | 0x1f, 0xfc,
    };
    uint8_t audio[AUDIO_BYTES];
    size_t from = m->w.len;

    for (size_t k = 0; k < n; k++)
        audio[k] = (uint8_t)next_random(&m->seed);
    if (m->h265)
        memcpy(audio, adts, sizeof(adts));
    ps_mux_audio(&m->mux, &m->w, slice_of((char *)audio, n), m->sound_pts);
    cut((uint8_t *)m->w.p + from, m->w.len - from);
    m->sound_pts += m->h265 ? ADTS_90K : 3600;
    made_aus++;
}

/* One picture and the sound until the next. */
static void add(struct maker *m, const uint8_t *p, size_t n, bool key)
{
    size_t from = m->w.len;

    ps_mux_video(&m->mux, &m->w, slice_of((const char *)p, n), m->pts, key);
    cut((uint8_t *)m->w.p + from, m->w.len - from);
    made_aus++;
    m->pts += 3600;
    while (m->sound_pts < m->pts)
        add_sound(m, m->h265 ? ADTS_BYTES : AUDIO_BYTES);
}

static void write_program(const char *path, struct slice program)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(program.p, 1, program.n, f) != program.n || fclose(f))
        bench_fail("what was made cannot be written");
}

static void make_media(const uint8_t *pictures, size_t n, bool h265,
                       const char *to)
{
    static uint8_t frame[FRAME_BYTES * 12];
    size_t cap = (size_t)FRAMES * FRAME_BYTES * 2 + n * 2;
    struct maker m = { .w = writer_of(malloc(cap), cap),
                       .seed = 88172645463325252ull, .pts = 90000,
                       .sound_pts = 90000, .h265 = h265 };
    bool key;

    chunks = calloc(cap / 8 + FRAMES * 4, sizeof(*chunks));
    if (!m.w.p || !chunks ||
        ps_mux_init(&m.mux, h265 ? PS_CODEC_H265 : PS_CODEC_H264,
                    h265 ? PS_CODEC_AAC : PS_CODEC_G711A, 8000000))
        bench_fail("no memory");
    for (size_t i = 0, k; i < n; i += k) {
        k = (h265 ? bench_picture265 : bench_picture)(pictures + i, n - i,
                                                      &key);
        add(&m, pictures + i, k, key);
    }
    for (int i = 0; !n && i < FRAMES; i++) {
        key = i % KEY_EVERY == 0;
        add(&m, frame, make_frame(&m.seed, frame, key), key);
    }
    if (m.w.err)
        bench_fail("media were not made");
    if (to)
        write_program(to, writer_slice(&m.w));
}

static void load_program(const char *path)
{
    size_t n;
    uint8_t *p = bench_load(path, &n);

    chunks = calloc(n / PAYLOAD_BYTES + 1, sizeof(*chunks));
    if (!chunks)
        bench_fail("no memory");
    cut(p, n);
}

/* To one place, or only counted. */
static void use_pieces(struct tally *t, const struct ps_piece *piece, size_t n)
{
    size_t at = 0;

    t->aus++;
    for (size_t i = 0; i < n; i++) {
        if (t->place && at + piece[i].n <= PLACE_BYTES)
            memcpy(t->place + at, piece[i].p, piece[i].n);
        at += piece[i].n;
    }
    t->bytes += at;
    BENCH_KEEP(t->place);
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct tally *t = ctx;

    t->nals += au->n_nals;
    use_pieces(t, au->piece, au->n_pieces);
}

static void on_unit(void *ctx, const struct ps_piece *piece, size_t n)
{
    use_pieces(ctx, piece, n);
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

static void demux(const struct ps_options *opt, struct tally *t)
{
    struct ps_hooks hooks = { on_au, NULL, on_hold, on_release, t };
    struct ps_demux *d;

    if (ps_demux_new(&d, &gb_alloc_heap, &hooks, opt))
        bench_fail("no memory");
    for (size_t i = 0; i < n_chunks; i++)
        ps_demux_feed(d, chunks[i].p, chunks[i].n,
                      &(struct ps_feed){ .buf = &chunks[i - i % SLAB_PACKETS],
                                         .packet = true,
                                         .marker = chunks[i].marker });
    ps_demux_flush(d, true);
    ps_demux_free(d);
}

static void limit(struct tally *t)
{
    static struct limit_ps l;

    limit_ps_init(&l, on_unit, t);
    for (size_t i = 0; i < n_chunks; i++)
        if (limit_ps_feed(&l, chunks[i].p, chunks[i].n))
            bench_fail("the limit program does not read this");
    limit_ps_flush(&l);
}

BENCH_HOT static void hot_ps_slices(void *ctx, unsigned rounds)
{
    struct tally *t = ctx;

    t->place = NULL;
    while (rounds--)
        demux(&(struct ps_options){ .heads_only = true }, t);
}

BENCH_HOT static void hot_ps_frames(void *ctx, unsigned rounds)
{
    struct tally *t = ctx;

    t->place = place;
    while (rounds--)
        demux(&(struct ps_options){ .heads_only = true }, t);
}

BENCH_HOT static void hot_ps_nals(void *ctx, unsigned rounds)
{
    struct tally *t = ctx;

    t->place = NULL;
    while (rounds--)
        demux(&(struct ps_options){ 0 }, t);
}

BENCH_HOT static void hot_ps_limit(void *ctx, unsigned rounds)
{
    struct tally *t = ctx;

    t->place = NULL;
    while (rounds--)
        limit(t);
}

static void limit_copy(void *ctx, unsigned rounds)
{
    struct tally *t = ctx;

    t->place = place;
    while (rounds--)
        limit(t);
}

static const struct figure {
    const char *name;
    bench_fn *work, *limit;
} figures[] = {
    { "slices", hot_ps_slices, hot_ps_limit },
    { "frames", hot_ps_frames, limit_copy },
    { "nals", hot_ps_nals, NULL },
};

/* Ours and the limit find the same, before anything is timed. */
static void verify(const struct figure *f)
{
    struct tally ours = { 0 }, theirs = { 0 };

    f->work(&ours, 1);
    if (ours.holds || (made_aus && ours.aus != made_aus))
        bench_fail("access units are missing, or held for ever");
    if (!f->limit)
        return;
    f->limit(&theirs, 1);
    if (made_aus && (theirs.aus != ours.aus || theirs.bytes != ours.bytes))
        bench_fail("ours and the limit do not find the same");
}

static void run(const struct figure *f, bool h265)
{
    struct bench_result r;
    struct tally t = { 0 };
    double gbs[BENCH_SAMPLES];
    char name[32], more[48];

    snprintf(name, sizeof(name), "ps.%s%s", h265 ? "h265." : "", f->name);
    bench_run(&r, f->work, f->limit, &t, (double)n_chunks);
    for (size_t i = 0; i < BENCH_SAMPLES; i++)
        gbs[i] = (double)n_bytes / (r.ns[i] * (double)n_chunks);
    bench_print_result(name, &r);
    snprintf(more, sizeof(more), "%s.gbs", name);
    bench_print(more, "GB/s", 2, gbs, BENCH_SAMPLES);
}

int main(int argc, char **argv)
{
    const char *pictures = NULL, *to = NULL;
    bool h265 = false;
    struct tally t = { 0 };
    uint8_t *file = NULL;
    unsigned times = 0;
    size_t n = 0;
    int o;

    while ((o = getopt(argc, argv, "m:n:o:5:")) != -1) {
        if (o == 'm' || o == '5') {
            pictures = optarg;
            h265 = o == '5';
        } else if (o == 'o') {
            to = optarg;
        } else if (o == 'n') {
            times = (unsigned)strtoul(optarg, NULL, 10);
        } else {
            fprintf(stderr, "usage: bench_ps [-m FILE.h264 | -5 FILE.h265] "
                            "[-o OUT.ps] [-n N] [FILE.ps]\n");
            return 2;
        }
    }
    if (pictures)
        file = bench_load(pictures, &n);
    if (optind < argc)
        load_program(argv[optind]);
    else
        make_media(file, n, h265, to);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        if (times) {
            figures[i].work(&t, times);
            continue;
        }
        verify(&figures[i]);
        run(&figures[i], h265);
    }
    if (times)
        hot_ps_limit(&t, times);
    else
        printf("# %zu packets of %zu bytes a round\n", n_chunks, n_bytes);
    free(file);
    return 0;
}
