/* Input: options, a seed for the cuts, the stream. However the stream is cut,
 * the same access units come out, NAL units lie where they are said to lie,
 * each hold is released once, and memory is bounded. An option asks for gaps,
 * markers and packets instead (the corpus does both): whatever comes, nothing is
 * held at the end. */
#include "fuzz/fuzz.h"
#include "fuzz/hash.h"
#include "fuzz/memory.h"

#include "base/bytes.h"
#include "ps/demux.h"
#include "ps/mux.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 3
#define MAX_IN 65536u
#define MAX_ALLOC (64u << 20)

struct buffer {
    int held, feeding;
    uint8_t bytes[];
};

struct run {
    uint64_t digest, aus;
    size_t held, allocated;
    int heads; /* NAL units are not looked at to their end */
};

static void check(int ok)
{
    if (!ok)
        abort();
}

static void mix_int(struct run *r, uint64_t v)
{
    r->digest = hash_int(r->digest, v);
}

static void drop(struct buffer *b)
{
    if (!b->held && !b->feeding)
        memory_put(NULL, b);
}

static void on_hold(void *ctx, void *buf)
{
    struct buffer *b = buf;

    check(!b->held && b->feeding);
    b->held = 1;
    ((struct run *)ctx)->held++;
}

static void on_release(void *ctx, void *buf)
{
    struct buffer *b = buf;

    check(b->held);
    b->held = 0;
    ((struct run *)ctx)->held--;
    drop(b);
}

static void on_au(void *ctx, const struct ps_au *au)
{
    static uint8_t p[MAX_IN];
    struct run *r = ctx;
    size_t n = 0;
    uint32_t end = 0;

    check(au->bytes > 0 && au->bytes <= sizeof(p));
    check(au->n_pieces > 0 && au->n_pieces <= PS_MAX_PIECES);
    check(au->n_nals <= PS_MAX_NALS);
    for (size_t i = 0; i < au->n_pieces; i++) {
        check(au->piece[i].n > 0 && au->piece[i].n <= au->bytes - n);
        memcpy(p + n, au->piece[i].p, au->piece[i].n);
        n += au->piece[i].n;
    }
    check(n == au->bytes);
    for (size_t i = 0; i < au->n_nals; i++) {
        const struct ps_nal *nal = &au->nal[i];
        int lengths;

        check(nal->off >= end + 3 && nal->len > 0);
        lengths = memcmp(p + nal->off - 3, "\0\0\1", 3) != 0;
        check(!lengths || (nal->off >= 4 && bytes_be32_at(p + nal->off - 4) >=
                                                nal->len));
        end = nal->off + nal->len;
        check(end <= au->bytes && (r->heads || lengths || p[end - 1] != 0));
        mix_int(r, nal->off);
        mix_int(r, nal->len);
        mix_int(r, nal->type);
    }
    r->digest = hash_bytes(r->digest, p, n);
    mix_int(r, (uint64_t)au->stream_id | (uint64_t)au->codec << 8 |
                   (uint64_t)au->key << 16 | (uint64_t)au->corrupt << 17 |
                   (uint64_t)au->discontinuity << 18 |
                   (uint64_t)au->has_pts << 19 | (uint64_t)au->has_dts << 20);
    mix_int(r, au->pts90k);
    mix_int(r, au->dts90k);
    r->aus++;
}

static void on_stream(void *ctx, const struct ps_stream *s)
{
    mix_int(ctx, (uint64_t)s->stream_id | (uint64_t)s->codec << 8 |
                     (uint64_t)s->source << 16 | (uint64_t)s->encrypted << 24);
}

static void *counted_get(void *ctx, size_t n)
{
    struct run *r = ctx;

    r->allocated += n; /* never given back: an upper bound */
    check(r->allocated <= MAX_ALLOC);
    return memory_get(NULL, n);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* cuts 0: the whole at once. */
static struct run demux(const uint8_t *p, size_t n,
                        const struct ps_options *opt, uint32_t seed,
                        unsigned cuts, int rough)
{
    struct run r = { .heads = opt->heads_only };
    struct gb_alloc alloc = { counted_get, memory_put, &r };
    struct ps_hooks hooks = { on_au, on_stream, on_hold, on_release, &r };
    struct ps_counters c;
    struct ps_demux *d;

    check(ps_demux_new(&d, &alloc, &hooks, opt) == 0);
    while (n) {
        size_t k = cuts ? 1 + next(&seed) % cuts : n;
        uint32_t dice = next(&seed);
        struct ps_feed f = { .packet = rough, .marker = rough && dice & 1 };
        struct buffer *b;

        if (k > n)
            k = n;
        b = memory_get(NULL, sizeof(*b) + k); /* its end is watched */
        memcpy(b->bytes, p, k);
        b->feeding = 1;
        f.buf = b;
        f.rtp_ts = rough ? dice : 0;
        if (rough && dice % 13 == 0)
            ps_demux_gap(d);
        if (rough && dice % 17 == 0)
            ps_demux_flush(d, dice % 34 == 0);
        ps_demux_feed(d, b->bytes, k, &f);
        b->feeding = 0;
        drop(b);
        p += k;
        n -= k;
    }
    ps_demux_flush(d, 1);
    check(r.held == 0);
    ps_demux_counters(d, &c);
    check(c.aus == r.aus && c.dropped_aus <= c.corrupt_aus);
    mix_int(&r, c.packs);
    mix_int(&r, c.psms);
    mix_int(&r, c.pes);
    mix_int(&r, c.resyncs);
    mix_int(&r, c.skipped_bytes);
    mix_int(&r, c.bad_headers);
    mix_int(&r, c.dropped_aus);
    ps_demux_free(d);
    return r;
}

/* All at once, and in pieces. */
static void compare(const uint8_t *p, size_t n, const struct ps_options *opt,
                    uint32_t seed)
{
    struct run whole = demux(p, n, opt, 0, 0, 0);
    struct run cut = demux(p, n, opt, seed, 1 + seed % 64, 0);

    check(whole.digest == cut.digest && whole.aus == cut.aus);
    if (!FUZZ_EVERY_WAY)
        return;
    cut = demux(p, n, opt, seed, 1, 0);
    check(whole.digest == cut.digest && whole.aus == cut.aus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ps_options opt = { 0 };
    uint32_t seed;

    if (size < HEAD || size > MAX_IN)
        return 0;
    opt.video_hint = data[0] & 1 ? PS_CODEC_H264 : PS_CODEC_UNKNOWN;
    opt.audio_hint = data[0] & 2 ? PS_CODEC_G711A : PS_CODEC_UNKNOWN;
    opt.deliver_corrupt = data[0] >> 2 & 1;
    opt.heads_only = data[0] >> 3 & 1;
    seed = (uint32_t)(data[1] << 8 | data[2]);
    memory_begin(0);
    if (FUZZ_EVERY_WAY || data[0] & 16)
        demux(data + HEAD, size - HEAD, &opt, seed, 1 + seed % 200, 1);
    if (FUZZ_EVERY_WAY || !(data[0] & 16))
        compare(data + HEAD, size - HEAD, &opt, seed);
    memory_end();
    return 0;
}
