/* Input: options, a seed for the cuts, the stream (which may come several times:
 * what is learnt of many PES is reached by few bytes). However the stream is cut,
 * the same access units come out, NAL units lie where they are said to lie,
 * each hold is released once, and memory is bounded. An option asks for gaps,
 * markers, packets and memory that fails instead (the corpus does both): whatever
 * comes, nothing is held at the end. Its seeds reach ps/es_audio.c and
 * ps/es_video.c as a whole, or nearly (tools/fuzzcov.sh). */
#include "fuzz/fuzz.h"
#include "fuzz/hash.h"
#include "fuzz/memory.h"

#include "base/bytes.h"
#include "base/writer.h"
#include "ps/demux.h"
#include "ps/mux.h"
#include "ps/pes.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 3
#define WRITTEN 7 /* bytes of the stream are numbers of headers that we write, too */
#define MAX_IN 65536u
#define MAX_ALLOC (64u << 20)
#define ENOUGH 8192  /* bytes that are learnt from, and some */
#define MAX_PARTS 4 /* packets that lie in one buffer */

/* Bits of the first byte. */
enum option {
    VIDEO_HINT = 1,
    AUDIO_HINT = 2,
    DELIVER_CORRUPT = 4,
    HEADS_ONLY = 8,
    ROUGH = 16,
    REPEATED = 96, /* both bits: it is slow */
    OTHER_HINTS = 128,
};

struct buffer {
    int held, feeding; /* held: by so many feeds */
    int told;          /* by the feed under way */
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

    check(!b->told && b->feeding);
    b->told = 1;
    b->held++;
    ((struct run *)ctx)->held++;
}

static void on_release(void *ctx, void *buf)
{
    struct buffer *b = buf;

    check(b->held > 0);
    b->held--;
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
        /* 00 00 00 01 may be the length of a zero, too */
        check(end <= au->bytes && (r->heads || lengths || nal->len == 1 ||
                                   p[end - 1] != 0));
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

/* What may be asked at any time. */
static void look(const struct ps_demux *d, size_t fed)
{
    const struct ps_stream *s;
    struct ps_counters c;
    struct ps_place at;

    ps_demux_prefetch(d);
    ps_demux_place(d, &at);
    ps_demux_counters(d, &c);
    check(c.bytes == fed && at.parsed_off <= fed);
    check(at.pack_off == PS_NO_PLACE || at.pack_off <= fed);
    check(at.open_off == PS_NO_PLACE || at.open_off <= at.pack_off);
    for (size_t i = 0; (s = ps_demux_stream(d, i)) != NULL; i++)
        check(i < PS_MAX_STREAMS && s->stream_id >= 0xbd);
}

/* Gaps and pauses in front of a packet. */
static void disturb(struct ps_demux *d, uint32_t dice, size_t fed)
{
    if (dice % 13 == 0)
        ps_demux_gap(d);
    else if (dice % 29 == 0)
        ps_demux_gap_inside(d);
    if (dice % 17 == 0)
        ps_demux_flush(d, dice % 34 == 0);
    if (dice % 19 == 0)
        look(d, fed);
}

static void feed(struct ps_demux *d, const struct ps_feed *f, const uint8_t *p,
                 size_t n)
{
    ((struct buffer *)f->buf)->told = 0;
    ps_demux_feed(d, p, n, f);
}

/* A buffer of n bytes: one packet, or some, of the same time now and then. */
static void feed_packets(struct ps_demux *d, struct ps_feed *f,
                         const uint8_t *p, size_t n, uint32_t dice)
{
    size_t parts = 1 + (dice >> 4) % MAX_PARTS;

    if (dice >> 6 & 1)
        f->rtp_ts = dice;
    for (size_t i = 0; i < parts && n; i++) {
        size_t k = i + 1 == parts ? n : 1 + (dice >> i) % n;

        f->marker = k == n && dice & 1;
        feed(d, f, p, k);
        p += k;
        n -= k;
    }
}

/* Bytes of the next buffer, of n: some of cuts, or up to the next pack header, as
 * senders cut. cuts 0: all of them. */
static size_t cut(const uint8_t *p, size_t n, unsigned cuts, uint32_t dice)
{
    static const uint8_t pack[4] = { 0, 0, 1, 0xba };
    size_t k = 1;

    if (!cuts)
        return n;
    if (cuts > 1 && dice >> 7 & 1) {
        while (k < n && (n - k < sizeof(pack) ||
                         memcmp(p + k, pack, sizeof(pack)) != 0))
            k++;
        return k;
    }
    k += (dice >> 8) % cuts;
    return k < n ? k : n;
}

/* cuts 0: the whole at once. */
static struct run demux(const uint8_t *p, size_t n,
                        const struct ps_options *opt, uint32_t seed,
                        unsigned cuts, int rough)
{
    struct run r = { .heads = opt->heads_only };
    struct gb_alloc alloc = { counted_get, memory_put, &r };
    struct ps_hooks hooks = { on_au, on_stream, on_hold, on_release, &r };
    struct ps_feed f = { .packet = rough };
    struct ps_counters c;
    struct ps_demux *d;
    size_t fed = 0;

    if (ps_demux_new(&d, &alloc, &hooks, opt)) {
        check(memory.failed);
        return r;
    }
    while (n) {
        uint32_t dice = next(&seed);
        size_t k = cut(p, n, cuts, dice);
        struct buffer *b;

        b = memory_take(sizeof(*b) + k); /* its end is watched */
        memcpy(b->bytes, p, k);
        b->feeding = 1;
        f.buf = b;
        if (rough) {
            disturb(d, dice, fed);
            feed_packets(d, &f, b->bytes, k, dice);
        } else {
            feed(d, &f, b->bytes, k);
        }
        b->feeding = 0;
        drop(b);
        p += k;
        n -= k;
        fed += k;
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
    struct run parts = demux(p, n, opt, seed, 1 + seed % 64, 0);

    check(whole.digest == parts.digest && whole.aus == parts.aus);
    if (!FUZZ_EVERY_WAY)
        return;
    parts = demux(p, n, opt, seed, 1, 0);
    check(whole.digest == parts.digest && whole.aus == parts.aus);
}

/* The stream, until there is enough to learn from. */
static size_t repeat(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t len = 0;

    while (n && len + n <= ENOUGH) {
        memcpy(out + len, p, n);
        len += n;
    }
    return len;
}

/* Headers that we write of these numbers say the same when they are read. */
static void write_and_read(uint64_t t, uint8_t id, uint8_t type)
{
    uint8_t out[128];
    struct writer w = writer_of(out, sizeof(out));
    size_t bytes = t & 0xffff, need = 0, at = 0;
    struct ps_pack pack;
    struct ps_pes pes;
    struct ps_map map;
    bool fits = bytes <= 0xffff - 8;

    ps_pack_encode(&w, t, (uint32_t)t & 0x3fffff);
    check(!ps_pack_decode(&pack, out, w.len, &need) && pack.size == w.len &&
          pack.scr90k == (t & PS_TIME_MASK) &&
          pack.rate == ((uint32_t)t & 0x3fffff));
    at = w.len;
    ps_system_encode(&w, id & 1, type & 1);
    check((size_t)out[at + 5] + PS_LEN_BYTES == w.len - at);
    at = w.len;
    ps_map_encode(&w, id & 1 ? type : 0, type);
    check(!ps_map_decode(&map, out + at, w.len - at, &need) && map.current &&
          map.size == w.len - at && ps_crc32(out + at, map.size) == 0 &&
          map.n == (size_t)(type != 0) * (1 + (id & 1)) &&
          (!map.n || map.entry[0].type == type));
    at = w.len;
    ps_pes_encode(&w, id, bytes, id & 1, &t);
    check(fits ? !w.err : w.err == GB_ERANGE);
    check(!fits || (!ps_pes_decode(&pes, out + at, w.len - at, &need) &&
                    pes.size == w.len - at && pes.has_pts && !pes.has_dts &&
                    pes.pts90k == (t & PS_TIME_MASK) &&
                    (size_t)pes.length + PS_LEN_BYTES == pes.size + bytes));
}

/* Gaps, markers, packets; memory that ends, of every fourth. */
static void disturbed(const uint8_t *p, size_t n, const struct ps_options *opt,
                      uint32_t seed)
{
    if (seed % 4 == 3)
        memory.fail_in = 1 + (seed >> 2) % 64;
    demux(p, n, opt, seed, 1 + seed % 200, 1);
    memory.fail_in = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t repeated[ENOUGH];
    const uint8_t *in = data + HEAD;
    struct ps_options opt = { 0 };
    uint32_t seed;
    uint8_t is;
    size_t n;

    if (size < HEAD || size > MAX_IN)
        return 0;
    is = data[0];
    if (is & VIDEO_HINT)
        opt.video_hint = is & OTHER_HINTS ? PS_CODEC_H265 : PS_CODEC_H264;
    if (is & AUDIO_HINT)
        opt.audio_hint = is & OTHER_HINTS ? PS_CODEC_G711U : PS_CODEC_G711A;
    opt.deliver_corrupt = (is & DELIVER_CORRUPT) != 0;
    opt.heads_only = (is & HEADS_ONLY) != 0;
    seed = (uint32_t)(data[1] << 8 | data[2]);
    n = size - HEAD;
    if ((is & REPEATED) == REPEATED && n <= ENOUGH) {
        n = repeat(repeated, in, n);
        in = repeated;
    }
    if (size >= HEAD + WRITTEN)
        write_and_read((uint64_t)bytes_be32_at(data + HEAD) << 8 | data[7],
                       data[8], data[9]);
    memory_begin(0);
    if (FUZZ_EVERY_WAY || is & ROUGH)
        disturbed(in, n, &opt, seed);
    if (FUZZ_EVERY_WAY || !(is & ROUGH))
        compare(in, n, &opt, seed);
    memory_end();
    return 0;
}
