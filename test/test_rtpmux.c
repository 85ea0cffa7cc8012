/* app/media/rtpmux: packets are read back by a reader of its own. */
#include "test/support.h"

#include <stdlib.h>

#include "app/media/rtpmux.h"
#include "test/media.h"

/* ---- a reader that shares nothing with the muxer ------------------------ */

struct unit {
    uint8_t bytes[20000];
    size_t n;
    uint32_t ts;
    bool marker;
};

struct reader {
    uint16_t seq[2];
    bool has_seq[2];
    uint32_t ssrc[2];
    bool open;           /* a fragmented unit */
    struct unit unit[64];
    unsigned n, packets, reports;
    size_t largest, octets;
    uint64_t ntp;
    uint32_t report_ts, report_packets, report_octets;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static struct unit *unit_of(struct reader *r, uint32_t ts, bool marker)
{
    struct unit *u = &r->unit[r->n];

    assert_true(r->n < COUNT(r->unit));
    u->ts = ts;
    u->marker = marker;
    return u;
}

static void append(struct unit *u, const uint8_t *p, size_t n)
{
    assert_true(u->n + n <= sizeof(u->bytes));
    memcpy(u->bytes + u->n, p, n);
    u->n += n;
}

/* A fragment: head is its own, of n_head bytes, the last one S, E and type. */
static void fragment(struct reader *r, struct unit *u, const uint8_t *p,
                     size_t n, bool h264)
{
    size_t at = h264 ? 1 : 2;
    bool first = p[at] >> 7, end = p[at] >> 6 & 1;

    assert_false(first && end);
    assert_int_equal(r->open, !first);
    if (first && h264) {
        uint8_t head = (uint8_t)((p[0] & 0xe0) | (p[1] & 0x1f));

        append(u, &head, 1);
    } else if (first) {
        uint8_t head[2] = { (uint8_t)((p[0] & 0x81) | (p[2] & 0x3f) << 1),
                            p[1] };

        append(u, head, 2);
    }
    append(u, p + at + 1, n - at - 1);
    r->open = !end;
    r->n += end;
}

static void payload(struct reader *r, uint8_t pt, const uint8_t *p, size_t n,
                    uint32_t ts, bool marker)
{
    struct unit *u = unit_of(r, ts, marker);

    switch (pt) {
    case 96:
        if ((p[0] & 0x1f) == 28) {
            fragment(r, u, p, n, true);
            return;
        }
        break;
    case 98:
        if ((p[0] >> 1 & 0x3f) == 49) {
            fragment(r, u, p, n, false);
            return;
        }
        break;
    case 97: {
        size_t whole = (size_t)(p[2] << 8 | p[3]) >> 3;

        assert_int_equal(p[0] << 8 | p[1], 16);
        assert_int_equal(p[3] & 7, 0);
        append(u, p + 4, n - 4);
        assert_true(u->n <= whole);
        assert_int_equal(u->n == whole, marker);
        r->n += marker;
        return;
    }
    case 8:
    case 0:
        assert_false(marker);
        break;
    default:
        fail_msg("payload type %u", pt);
    }
    assert_false(r->open);
    append(u, p, n);
    r->n++;
}

static void rtp(struct reader *r, unsigned t, const uint8_t *p, size_t n)
{
    uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);

    assert_true(n > 12);
    assert_int_equal(p[0], 0x80);
    if (r->has_seq[t])
        assert_int_equal(seq, (uint16_t)(r->seq[t] + 1));
    r->seq[t] = seq;
    r->has_seq[t] = true;
    r->ssrc[t] = be32(p + 8);
    r->packets++;
    r->octets += n - 12;
    if (n - 12 > r->largest)
        r->largest = n - 12;
    payload(r, p[1] & 0x7f, p + 12, n - 12, be32(p + 4), p[1] >> 7);
}

static void rtcp(struct reader *r, const uint8_t *p, size_t n)
{
    assert_true(n >= 28 + 12);
    assert_int_equal(p[0], 0x80);
    assert_int_equal(p[1], 200);
    assert_int_equal(p[2] << 8 | p[3], 6);
    r->ntp = (uint64_t)be32(p + 8) << 32 | be32(p + 12);
    r->report_ts = be32(p + 16);
    r->report_packets = be32(p + 20);
    r->report_octets = be32(p + 24);
    assert_int_equal(p[29], 202); /* with a name, as compounds must */
    assert_memory_equal(p + 28 + 8, "\x01\x11gb28181d@", 11);
    r->reports++;
}

static void feed(struct reader *r, const struct media_chunk *c)
{
    const uint8_t *p = (const uint8_t *)c->own + MEDIA_WS_HEAD;
    size_t left = c->n_own;

    assert_null(c->frame);
    while (left) {
        size_t n;

        assert_true(left >= 4);
        assert_int_equal(p[0], '$');
        n = (size_t)p[2] << 8 | p[3];
        assert_true(4 + n <= left && p[1] < 4);
        if (p[1] & 1)
            rtcp(r, p + 4, n);
        else
            rtp(r, p[1] / 2u, p + 4, n);
        p += 4 + n;
        left -= 4 + n;
    }
}

/* ---- what is muxed ------------------------------------------------------ */

static struct media_frame *sound(enum ps_codec codec, size_t n, int64_t at90k)
{
    struct media_frame *f = sound_frame(codec, n, at90k);

    for (size_t i = 0; i < n; i++)
        f->data[i] = (uint8_t)(i * 7 + 1);
    return f;
}

static struct media_frame *picture(const struct ps_au *au, int64_t at90k)
{
    struct media_frame *f = au_frame(au, at90k);

    f->pts90k += 3600;
    return f;
}

static void pass(struct reader *r, struct rtpmux *m, struct media_frame *f,
                 const struct media_config *c)
{
    struct media_chunk *chunk;

    assert_int_equal(rtpmux_frame_chunk(&chunk, &gb_alloc_heap, m, f, c), 0);
    assert_int_equal(chunk->dts90k, f->dts90k);
    assert_int_equal(chunk->track, f->track);
    assert_int_equal(chunk->key, f->key || f->track == MEDIA_AUDIO);
    feed(r, chunk);
    media_chunk_unref(chunk);
    media_frame_unref(f);
}

static void expect_unit(const struct unit *u, struct slice want)
{
    assert_int_equal(u->n, want.n);
    assert_memory_equal(u->bytes, want.p, want.n);
}

static struct reader r;

/* What a viewer gets first. */
static void begin(struct reader *to, const struct rtpmux *m,
                  const struct media_config *video,
                  const struct media_config *audio, int64_t at90k)
{
    struct media_chunk *chunk;

    assert_int_equal(rtpmux_start_chunk(&chunk, &gb_alloc_heap, m, video, audio,
                                        at90k), 0);
    feed(to, chunk);
    media_chunk_unref(chunk);
}

/* A key frame: parameter sets, then the picture; a delta alone. The marker is on
 * the last packet, and every packet has the stamp of the picture. */
static void pictures(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    static const struct slice h264[] = { S(AU_SPS), S(AU_PPS), S(AU_IDR) };
    static const struct {
        enum ps_codec codec;
        const struct slice *nal;
        unsigned n;
    } cases[] = {
        { PS_CODEC_H264, h264, 3 },
        { PS_CODEC_H265, h265, 4 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtpmux m = { 0 };
        struct au_maker maker;
        struct media_config *c;
        struct ps_au *au;
        unsigned n = cases[i].n;

        au_maker_init(&maker);
        rtpmux_init(&m, 7, 1000000, 0);
        memset(&r, 0, sizeof(r));
        au = au_video(&maker, cases[i].codec, 0, cases[i].nal, n);
        c = au_config(au);
        begin(&r, &m, c, NULL, 0);
        pass(&r, &m, picture(au, 0), c);
        assert_int_equal(r.n, n);
        assert_int_equal(r.reports, 1);
        for (unsigned k = 0; k < n; k++) {
            expect_unit(&r.unit[k], cases[i].nal[k]);
            assert_int_equal(r.unit[k].marker, k + 1 == n);
            assert_int_equal(r.unit[k].ts, r.report_ts + 3600);
        }
        assert_int_equal(r.ssrc[0], rtpmux_ssrc(7, MEDIA_VIDEO));
        if (cases[i].codec == PS_CODEC_H264) {
            struct slice p = SLICE(AU_P);

            pass(&r, &m, picture(au_delta(&maker, 3600), 3600), c);
            assert_int_equal(r.n, n + 1);
            expect_unit(&r.unit[n], p);
            assert_true(r.unit[n].marker);
            assert_int_equal(r.unit[n].ts, r.unit[0].ts + 3600);
            assert_int_equal(r.reports, 1);
        }
        media_config_unref(c);
        au_maker_fini(&maker);
    }
}

/* NAL units of every size about the limits: whole up to 1400 bytes, then in
 * fragments, none of them longer. */
static void fragments(void **state)
{
    static const struct {
        size_t n;
        unsigned h264, h265; /* packets */
    } cases[] = {
        { 30, 1, 1 },   { 1399, 1, 1 }, { 1400, 1, 1 }, { 1401, 2, 2 },
        { 2796, 2, 2 }, { 2797, 2, 3 }, { 2798, 3, 3 }, { 2799, 3, 3 },
        { 15000, 11, 11 },
    };
    static uint8_t bytes[16000];
    struct au_maker maker;

    (void)state;
    au_maker_init(&maker);
    for (size_t k = 0; k < 2; k++) {
        enum ps_codec codec = k ? PS_CODEC_H265 : PS_CODEC_H264;
        struct media_config c = { .codec = codec };
        struct rtpmux m = { 0 };

        rtpmux_init(&m, 1, 0, 0);
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct slice nal = slice_of((char *)bytes, cases[i].n);
            unsigned want = k ? cases[i].h265 : cases[i].h264;

            for (size_t b = 0; b < cases[i].n; b++)
                bytes[b] = (uint8_t)(b * 31 + 5) | 4; /* no start codes */
            bytes[0] = k ? 0x02 : 0x41;
            bytes[1] = k ? 0x01 : 0x9a;
            memset(&r, 0, sizeof(r));
            pass(&r, &m, picture(au_video(&maker, codec, 0, &nal, 1), 0), &c);
            if (r.packets != want || r.largest > RTPMUX_PAYLOAD_MAX || r.n != 1)
                fail_msg("%zu bytes: %u packets, largest %zu", nal.n,
                         r.packets, r.largest);
            expect_unit(&r.unit[0], nal);
            assert_true(r.unit[0].marker);
        }
    }
    au_maker_fini(&maker);
}

/* The first fragment of 41 9A is 5C 81. */
static void example(void **state)
{
    static char bytes[1600] = "\x41\x9a";
    struct slice nal = slice_of(bytes, sizeof(bytes));
    struct media_config c = { .codec = PS_CODEC_H264 };
    struct rtpmux m = { 0 };
    struct rtpmux_packet p;
    struct media_chunk *chunk;
    struct au_maker maker;
    struct media_frame *f;
    struct slice own;

    (void)state;
    memset(bytes + 2, 0x55, sizeof(bytes) - 2);
    au_maker_init(&maker);
    rtpmux_init(&m, 1, 0, 0);
    f = picture(au_video(&maker, PS_CODEC_H264, 0, &nal, 1), 0);
    assert_int_equal(rtpmux_frame_chunk(&chunk, &gb_alloc_heap, &m, f, &c), 0);
    own = slice_of(media_chunk_own(chunk), chunk->n_own);
    assert_true(rtpmux_next(&own, &p));
    assert_int_equal(p.channel, 0);
    assert_int_equal(p.bytes.n, 12 + 1400);
    assert_memory_equal(p.bytes.p + 12, "\x5c\x81\x9a\x55", 4);
    assert_true(rtpmux_next(&own, &p));
    assert_memory_equal(p.bytes.p + 12, "\x5c\x41\x55", 3);
    assert_false(rtpmux_next(&own, &p));
    media_chunk_unref(chunk);
    media_frame_unref(f);
    au_maker_fini(&maker);
}

static void sounds(void **state)
{
    static const struct {
        const char *name;
        enum ps_codec codec;
        uint32_t rate_hz;
        size_t n;
        unsigned units, packets;
    } cases[] = {
        { "40 ms", PS_CODEC_G711A, 8000, 320, 1, 1 },
        { "one sample more", PS_CODEC_G711A, 8000, 321, 2, 2 },
        { "half a second", PS_CODEC_G711U, 8000, 4000, 13, 13 },
        { "aac", PS_CODEC_AAC, 16000, 200, 1, 1 },
        { "aac as long as a packet", PS_CODEC_AAC, 44100, 1396, 1, 1 },
        { "aac in fragments", PS_CODEC_AAC, 48000, 1397, 1, 2 },
        { "the longest", PS_CODEC_AAC, 48000, 8191, 1, 6 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_config c = { .codec = cases[i].codec,
                                  .rate_hz = cases[i].rate_hz };
        struct rtpmux m = { 0 };
        struct media_frame *f = sound(cases[i].codec, cases[i].n, 90000);
        size_t at = 0;

        rtpmux_init(&m, 9, 0, 0);
        memset(&r, 0, sizeof(r));
        media_frame_ref(f);
        begin(&r, &m, NULL, &c, 90000);
        pass(&r, &m, f, &c);
        if (r.n != cases[i].units || r.packets != cases[i].packets)
            fail_msg("%s: %u units, %u packets", cases[i].name, r.n,
                     r.packets);
        for (unsigned k = 0; k < r.n; k++) {
            assert_memory_equal(r.unit[k].bytes, f->data + at, r.unit[k].n);
            if (cases[i].codec != PS_CODEC_AAC)
                assert_int_equal(r.unit[k].ts, r.unit[0].ts + at);
            at += r.unit[k].n;
        }
        assert_int_equal(at, cases[i].n);
        assert_int_equal(r.unit[0].ts, r.report_ts); /* at the same time */
        media_frame_unref(f);
    }
}

/* Sound that follows without a gap has stamps without a gap, though its times
 * in 1/90000 s are rounded down. */
static void stamps_of_sound(void **state)
{
    static const struct {
        enum ps_codec codec;
        uint32_t rate_hz, samples;
        size_t n;
    } cases[] = {
        { PS_CODEC_G711A, 8000, 160, 160 }, { PS_CODEC_G711A, 8000, 163, 163 },
        { PS_CODEC_AAC, 44100, 1024, 100 }, { PS_CODEC_AAC, 22050, 1024, 100 },
        { PS_CODEC_AAC, 11025, 1024, 100 }, { PS_CODEC_AAC, 16000, 1024, 100 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_config c = { .codec = cases[i].codec,
                                  .rate_hz = cases[i].rate_hz };
        struct rtpmux m = { 0 };
        uint32_t first = 0;

        rtpmux_init(&m, 3, 0, 0);
        for (uint64_t k = 0; k < 3000; k++) {
            int64_t at = (int64_t)(k * cases[i].samples * 90000 /
                                   cases[i].rate_hz);

            memset(&r, 0, sizeof(r));
            pass(&r, &m, sound(cases[i].codec, cases[i].n, at), &c);
            if (k == 0)
                first = r.unit[0].ts;
            if (r.unit[0].ts != first + (uint32_t)(k * cases[i].samples))
                fail_msg("case %zu, frame %lu", i, (unsigned long)k);
        }
    }
}

/* One report in five seconds and a track; counters and clocks are right. */
static void reports(void **state)
{
    struct media_config c = { .codec = PS_CODEC_G711A, .rate_hz = 8000 };
    struct rtpmux m = { 0 };
    uint64_t first;
    uint32_t base;

    (void)state;
    rtpmux_init(&m, 5, 1700000000000, 90000); /* time 1 s of the timeline */
    memset(&r, 0, sizeof(r));
    begin(&r, &m, NULL, &c, 90000);
    pass(&r, &m, sound(PS_CODEC_G711A, 320, 90000), &c);
    assert_int_equal(r.reports, 1);
    assert_int_equal(r.report_packets, 0);
    first = r.ntp;
    base = r.report_ts;
    assert_int_equal(first >> 32, 1700000000 + 2208988800u);
    for (int i = 1; i <= 250; i++) {
        r.n = 0;
        memset(r.unit, 0, sizeof(r.unit[0]));
        if (i == 125)
            assert_int_equal(r.reports, 1);
        pass(&r, &m, sound(PS_CODEC_G711A, 320, 90000 + i * 3600), &c);
    }
    assert_int_equal(r.reports, 3);
    assert_int_equal(r.report_packets, 250);
    assert_int_equal(r.report_octets, 250 * 320);
    assert_int_equal(r.report_ts - base, 250 * 320);
    assert_int_equal((r.ntp - first) >> 32, 10);
    assert_true(((r.ntp - first) & 0xffffffff) < 100);
}

/* What a viewer gets first: a report for each track that it sees. */
static void starts(void **state)
{
    struct media_config v = { .codec = PS_CODEC_H264 };
    struct media_config a = { .codec = PS_CODEC_G711A, .rate_hz = 8000 };
    struct rtpmux m = { 0 };

    (void)state;
    rtpmux_init(&m, 5, 0, 0);
    for (unsigned mask = 0; mask < 4; mask++) {
        struct media_chunk *c;

        memset(&r, 0, sizeof(r));
        assert_int_equal(rtpmux_start_chunk(&c, &gb_alloc_heap, &m,
                                            mask & 1 ? &v : NULL,
                                            mask & 2 ? &a : NULL, 9000),
                         0);
        feed(&r, c);
        assert_true(c->config);
        assert_int_equal(c->dts90k, 9000);
        assert_int_equal(r.reports, (mask & 1) + (mask >> 1));
        assert_int_equal(r.packets, 0);
        media_chunk_unref(c);
    }
}

#define FILM 400 /* chunks: eight seconds of pictures and sounds */
#define GOP 50   /* chunks */

static void make_film(struct rtpmux *m, struct media_config *const config[2],
                      struct au_maker *maker, const struct slice nal[3],
                      struct media_chunk *film[FILM],
                      struct media_chunk *start[FILM / GOP])
{
    for (int i = 0; i < FILM; i++) {
        int64_t at = i / 2 * 3600;
        uint64_t pts = (uint64_t)at;
        struct media_frame *f;

        if (i % 2)
            f = sound(PS_CODEC_G711A, 320, at);
        else
            f = picture(i % GOP ? au_delta(maker, pts)
                                : au_video(maker, PS_CODEC_H264, pts, nal, 3),
                        at);
        assert_int_equal(rtpmux_frame_chunk(&film[i], &gb_alloc_heap, m, f,
                                            config[f->track]), 0);
        media_frame_unref(f);
        if (i % GOP == GOP / 2)
            assert_int_equal(rtpmux_start_chunk(&start[i / GOP],
                                                &gb_alloc_heap, m, config[0],
                                                config[1], at), 0);
    }
}

/* What a viewer has seen of the two tracks. */
struct tally {
    unsigned reports[2], packets[2];
    uint32_t count[2];
};

static void count(struct tally *y, struct media_chunk *c)
{
    struct slice all = slice_of(media_chunk_own(c), c->n_own);
    struct rtpmux_packet p;

    while (rtpmux_next(&all, &p)) {
        unsigned t = p.channel / 2;
        uint32_t packets;

        if (p.channel % 2 == 0) {
            y->packets[t]++;
            continue;
        }
        packets = be32((const uint8_t *)p.bytes.p + 20);
        y->reports[t]++;
        assert_true(packets >= y->count[t]);
        assert_true(y->packets[t] || y->reports[t] == 1);
        y->count[t] = packets;
    }
}

/* Wherever a viewer begins: one report before the first packet of a track, and
 * what the next ones count is never less. */
static void one_report_first(void **state)
{
    static const struct slice nal[] = { SLICE_INIT(AU_SPS), SLICE_INIT(AU_PPS),
                                        SLICE_INIT(AU_IDR) };
    struct media_config a = { .codec = PS_CODEC_G711A, .rate_hz = 8000 };
    struct media_chunk *film[FILM], *start[FILM / GOP];
    struct media_config *v;
    struct rtpmux m = { 0 };
    struct au_maker maker;

    (void)state;
    au_maker_init(&maker);
    v = au_config(au_video(&maker, PS_CODEC_H264, 0, nal, 3));
    rtpmux_init(&m, 7, 1000000, 0);
    make_film(&m, (struct media_config *[]){ v, &a }, &maker, nal, film,
              start);
    for (int k = 0; k < FILM; k += GOP) {
        struct tally y = { 0 };

        count(&y, start[k / GOP]);
        for (int i = k; i < FILM; i++)
            count(&y, film[i]);
        assert_true(y.reports[0] > (k == 0) && y.reports[1] > (k == 0));
        media_chunk_unref(start[k / GOP]);
    }
    for (int i = 0; i < FILM; i++)
        media_chunk_unref(film[i]);
    media_config_unref(v);
    au_maker_fini(&maker);
}

/* Seeds that are close have nothing in common, and the same one everything. */
static void seeds(void **state)
{
    struct rtpmux a = { 0 }, b = { 0 };

    (void)state;
    rtpmux_init(&a, 1, 0, 0);
    rtpmux_init(&b, 1, 5000, 77);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        assert_int_equal(a.track[t].ssrc, b.track[t].ssrc);
    assert_int_not_equal(a.track[0].ssrc, a.track[1].ssrc);
    for (uint64_t s = 2; s < 1000; s++) {
        rtpmux_init(&b, s, 0, 0);
        assert_int_not_equal(a.track[0].ssrc, b.track[0].ssrc);
        assert_int_not_equal(a.track[0].ssrc, b.track[1].ssrc);
    }
}

/* What cannot be carried, and frames whose lengths lie. */
static void refused(void **state)
{
    static const struct {
        const char *name;
        struct slice data;
        int err;
    } cases[] = {
        { "good", S("\0\0\0\2\x41\x9a"), 0 },
        { "two", S("\0\0\0\2\x41\x9a\0\0\0\2\x41\x9b"), 0 },
        { "empty", S(""), GB_ESYNTAX },
        { "too long", S("\0\0\0\3\x41\x9a"), GB_ESYNTAX },
        { "far too long", S("\xff\xff\xff\xff\x41\x9a"), GB_ESYNTAX },
        { "no length", S("\0\0\0"), GB_ESYNTAX },
        { "nothing behind it", S("\0\0\0\2"), GB_ESYNTAX },
        { "an empty one", S("\0\0\0\0\0\0\0\1\x41"), GB_ESYNTAX },
        { "left over", S("\0\0\0\2\x41\x9a\0\0"), GB_ESYNTAX },
    };
    struct media_config c = { .codec = PS_CODEC_H264 };
    struct rtpmux m = { 0 };
    struct media_chunk *chunk;
    struct media_frame *f;

    (void)state;
    rtpmux_init(&m, 1, 0, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint16_t seq = m.track[0].seq;
        int err;

        f = media_frame_new(&gb_alloc_heap, cases[i].data.n);
        assert_non_null(f);
        f->codec = PS_CODEC_H264;
        memcpy(f->data, cases[i].data.p, cases[i].data.n);
        err = rtpmux_frame_chunk(&chunk, &gb_alloc_heap, &m, f, &c);
        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        if (!err)
            media_chunk_unref(chunk);
        else
            assert_int_equal(m.track[0].seq, seq);
        media_frame_unref(f);
    }
    f = sound(PS_CODEC_G711A, 10, 0);
    assert_int_equal(rtpmux_frame_chunk(&chunk, &gb_alloc_heap, &m, f, NULL),
                     GB_EUNSUPPORTED);
    assert_int_equal(rtpmux_frame_chunk(&chunk, &gb_alloc_heap, &m, f, &c),
                     GB_EUNSUPPORTED);
    media_frame_unref(f);
}

static void without_memory(void **state)
{
    struct media_config c = { .codec = PS_CODEC_G711A, .rate_hz = 8000 };
    struct media_frame *f = sound(PS_CODEC_G711A, 100, 0);
    struct failing_alloc mem;
    struct media_chunk *chunk;
    struct rtpmux m = { 0 };

    (void)state;
    rtpmux_init(&m, 1, 0, 0);
    failing_alloc_init(&mem, 1);
    assert_int_equal(rtpmux_frame_chunk(&chunk, &mem.alloc, &m, f, &c),
                     GB_ENOMEM);
    assert_int_equal(rtpmux_start_chunk(&chunk, &mem.alloc, &m, NULL, &c, 0),
                     GB_ENOMEM);
    memset(&r, 0, sizeof(r));
    pass(&r, &m, f, &c); /* nothing was lost by it */
    assert_int_equal(r.packets, 1);
}

/* Every prefix of packets: whole ones only. */
static void cut(void **state)
{
    static const struct slice two = S("$\0\0\2ab$\3\0\1c");

    (void)state;
    for (size_t n = 0; n <= two.n; n++) {
        struct slice s = guarded(slice_head(two, n));
        struct rtpmux_packet p;

        assert_int_equal(rtpmux_next(&s, &p), n >= 6);
        if (n < 6)
            continue;
        expect_slice(p.bytes, "ab");
        assert_int_equal(p.channel, 0);
        assert_int_equal(rtpmux_next(&s, &p), n == two.n);
    }
}

static void byes(void **state)
{
    char text[64];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    rtpmux_bye_write(&w, 0x01020304, 3);
    assert_int_equal(w.err, 0);
    assert_int_equal(w.len, 20);
    assert_memory_equal(text, "$\3\0\x10\x80\xc9\0\1\1\2\3\4\x81\xcb\0\1\1\2\3\4", 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures),     cmocka_unit_test(fragments),
        cmocka_unit_test(example),      cmocka_unit_test(sounds),
        cmocka_unit_test(stamps_of_sound), cmocka_unit_test(reports),
        cmocka_unit_test(one_report_first),
        cmocka_unit_test(starts),       cmocka_unit_test(seeds),
        cmocka_unit_test(refused),      cmocka_unit_test(without_memory),
        cmocka_unit_test(cut),          cmocka_unit_test(byes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
