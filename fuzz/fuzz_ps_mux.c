/* What is muxed comes out of the demuxer as it went in: each frame and block
 * of sound whole, in order, with its time and key flag, by codecs that the map
 * tells alone. Input: codecs, then frames of four bytes each: what, a length,
 * a step of time. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "ps/demux.h"
#include "ps/mux.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 128u
#define LONG_MAX 3u /* frames near the longest PES: they take most of the time */
#define PTS_MASK ((UINT64_C(1) << 33) - 1)

struct frame {
    size_t n;
    uint64_t pts90k;
    uint8_t fill;
    bool key;
};

struct track {
    enum ps_codec codec;
    struct frame frame[FRAMES_MAX];
    size_t n, seen;
};

struct run {
    struct track video, audio;
    unsigned n_long;
};

static char room[2 * PS_MUX_PES_BYTES + 512], pack[3 * PS_MUX_PES_BYTES];

/* A picture of one NAL unit, without a zero that could be read as a start
 * code; one ADTS frame; a block of G.711. */
static struct slice bytes_of_frame(const struct frame *f, enum ps_codec codec)
{
    size_t n = 7 + f->n;

    memset(room, f->fill | 1, n);
    if (codec == PS_CODEC_H264)
        memcpy(room, f->key ? "\0\0\0\1\x65\x88" : "\0\0\0\1\x41\x9a", 6);
    else if (codec == PS_CODEC_H265)
        memcpy(room, f->key ? "\0\0\0\1\x26\1\xaf" : "\0\0\0\1\2\1\xd0", 7);
    else if (codec == PS_CODEC_AAC)
        memcpy(room, (char[]){ '\xff', '\xf1', 0x50,
                               (char)(0x80 | (n >> 11 & 3)), (char)(n >> 3),
                               (char)((n & 7) << 5 | 0x1f), '\xfc' }, 7);
    return slice_of(room, n);
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct run *r = ctx;
    bool is_video = au->stream_id >= 0xe0;
    struct track *t = is_video ? &r->video : &r->audio;
    struct slice want;
    struct frame *f;
    size_t n = 0;

    require(t->seen < t->n && au->codec == t->codec && !au->corrupt);
    f = &t->frame[t->seen++];
    want = bytes_of_frame(f, t->codec);
    require(au->bytes == want.n && (!is_video || au->key == f->key));
    require(au->has_pts && au->pts90k == (f->pts90k & PTS_MASK));
    for (size_t i = 0; i < au->n_pieces; i++) {
        require(memcmp(want.p + n, au->piece[i].p, au->piece[i].n) == 0);
        n += au->piece[i].n;
    }
    require(n == want.n && (!is_video || au->n_nals == 1));
}

/* The bytes of all packs must stay until the demuxer's end. */
struct store {
    char *p[FRAMES_MAX];
    size_t n;
};

static void feed(struct ps_demux *d, struct store *s, struct slice bytes)
{
    char *copy = memory_get(NULL, bytes.n);

    require(copy != NULL);
    memcpy(copy, bytes.p, bytes.n);
    s->p[s->n++] = copy;
    ps_demux_feed(d, (const uint8_t *)copy, bytes.n, &(struct ps_feed){ 0 });
}

/* The first bit: picture or sound; 2: key; 4 and 32: as long as a PES; 8: as
 * two. */
static void frame(struct run *r, struct ps_mux *m, struct ps_demux *d,
                  struct store *s, const uint8_t *p, uint64_t pts90k)
{
    bool is_video = r->audio.codec == PS_CODEC_UNKNOWN ||
                    (r->video.codec != PS_CODEC_UNKNOWN && !(p[0] & 1));
    struct track *t = is_video ? &r->video : &r->audio;
    struct writer w = writer_of(pack, sizeof(pack));
    struct frame *f = &t->frame[t->n];
    struct slice bytes;

    *f = (struct frame){ .n = p[1], .pts90k = pts90k, .fill = p[0],
                         .key = p[0] & 2 };
    if ((p[0] & 36) == 36 && t->codec != PS_CODEC_AAC && r->n_long++ < LONG_MAX)
        f->n += is_video ? (p[0] & 8 ? 2 : 1) * (size_t)PS_MUX_PES_BYTES - 128
                         : PS_MUX_PES_BYTES - 300; /* a block is one PES */
    bytes = bytes_of_frame(f, t->codec);
    if (is_video)
        ps_mux_video(m, &w, bytes, pts90k, f->key);
    else
        ps_mux_audio(m, &w, bytes, pts90k);
    require(w.err == 0 && w.len <= ps_mux_bound(bytes.n));
    t->n++;
    feed(d, s, writer_slice(&w));
}

/* Of a stream that was not said to be there nothing is written. */
static void not_there(const struct run *r, struct ps_mux *m)
{
    struct writer w = writer_of(pack, sizeof(pack));

    if (r->video.codec == PS_CODEC_UNKNOWN)
        ps_mux_video(m, &w, SLICE("x"), 0, true);
    else if (r->audio.codec == PS_CODEC_UNKNOWN)
        ps_mux_audio(m, &w, SLICE("x"), 0);
    else
        return;
    require(w.err == GB_EUNSUPPORTED && w.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ps_codec codecs[8] = {
        PS_CODEC_UNKNOWN, PS_CODEC_H264,   PS_CODEC_H265, PS_CODEC_G711A,
        PS_CODEC_G711U,   PS_CODEC_AAC,    PS_CODEC_H264, PS_CODEC_G711A,
    };
    /* one that fills the longest PES would seem to be cut off by the end */
    static const uint8_t last[4] = { 0, 1 };
    static struct run r;
    const struct ps_hooks hooks = { .on_au = on_au, .ctx = &r };
    const struct ps_options opt = { 0 };
    struct ps_demux *d;
    struct store s = { .n = 0 };
    struct ps_mux m;
    uint64_t pts90k = 90000;

    if (size < 2)
        return 0;
    if (ps_mux_init(&m, codecs[data[0] & 7], codecs[data[0] >> 3 & 7],
                    (uint32_t)data[1] << (data[0] >> 6 & 3) * 8))
        return 0;
    memory_begin(0);
    r.video.codec = m.video;
    r.audio.codec = m.audio;
    r.video.n = r.video.seen = r.audio.n = r.audio.seen = r.n_long = 0;
    require(ps_demux_new(&d, &memory_alloc, &hooks, &opt) == 0);
    not_there(&r, &m);
    for (size_t i = 2; i + 4 <= size && s.n + 1 < FRAMES_MAX; i += 4) {
        int step = (int16_t)(data[i + 2] << 8 | data[i + 3]);

        pts90k += (uint64_t)step;
        if (data[i] & 16)
            pts90k = PTS_MASK - 3600; /* and wraps soon */
        if (pts90k > 2 * PTS_MASK)
            pts90k = 0;
        frame(&r, &m, d, &s, &data[i], pts90k);
    }
    frame(&r, &m, d, &s, last, pts90k + 3600);
    ps_demux_flush(d, true);
    require(r.video.seen == r.video.n && r.audio.seen == r.audio.n);
    ps_demux_free(d);
    while (s.n)
        memory_put(NULL, s.p[--s.n]);
    memory_end();
    return 0;
}
