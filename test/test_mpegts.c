#include "test/support.h"

#include "app/media/aac.h"
#include "app/media/mpegts.h"
#include "test/media.h"
#include "test/ts_reader.h"

static struct media_frame *sound(enum ps_codec codec, size_t n, int64_t dts90k)
{
    struct media_frame *f = sound_frame(codec, n, dts90k);

    for (size_t i = 0; i < n; i++)
        f->data[i] = (uint8_t)i;
    return f;
}

static struct slice bytes_of(const struct media_chunk *c)
{
    return slice_of(c->own + MEDIA_WS_HEAD, c->n_own);
}

/* Muxes f, reads it back, lets both go. */
static void pass(struct ts_reader *r, struct mpegts_mux *m,
                 struct media_frame *f, const struct media_config *v,
                 const struct media_config *a)
{
    struct media_chunk *c;

    assert_int_equal(mpegts_frame_chunk(&c, &gb_alloc_heap, m, f, v, a), 0);
    assert_int_equal(c->dts90k, f->dts90k);
    ts_reader_feed(r, bytes_of(c));
    media_chunk_unref(c);
    media_frame_unref(f);
}

static void expect_es(const struct ts_frame *f, struct slice want)
{
    assert_int_equal(f->es.n, want.n);
    assert_memory_equal(f->es.p, want.p, want.n);
}

/* Sections to the byte. */
static void tables(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    static const struct slice pat = S(
        "\x47\x40\0\x10\0\0\xb0\x0d\0\x01\xc1\0\0\0\x01\xf0\0\x2a\xb1\x04\xb2");
    static const struct slice want[] = {
        S("\x02\xb0\x12\0\x01\xc1\0\0\xe1\0\xf0\0\x1b\xe1\0\xf0\0\x15\xbd\x4d"
          "\x56"),
        S("\x02\xb0\x17\0\x01\xc1\0\0\xe1\0\xf0\0\x1b\xe1\0\xf0\0\x0f\xe1\x01"
          "\xf0"
          "\0\x2f\x44\xb9\x9b"),
        S("\x02\xb0\x12\0\x01\xc1\0\0\xe1\0\xf0\0\x24\xe1\0\xf0\0\x2f\0\x6e"
          "\xe7"),
        S("\x02\xb0\x17\0\x01\xc1\0\0\xe1\0\xf0\0\x24\xe1\0\xf0\0\x0f\xe1\x01"
          "\xf0"
          "\0\xc7\x72\xb7\xcb"),
    };
    struct media_config aac = { .codec = PS_CODEC_AAC,
                                .record = S("\x14\x08") };
    struct mpegts_mux m = { 0 };
    struct au_maker maker;

    (void)state;
    au_maker_init(&maker);
    m.tables = 2; /* those before it: 1 */
    for (size_t i = 0; i < COUNT(want); i++) {
        struct media_config *v =
            au_config(i < 2 ? au_key(&maker, 0)
                         : au_video(&maker, PS_CODEC_H265, 0, h265, 4));
        struct media_chunk *c;
        const char *p;

        assert_int_equal(
            mpegts_start_chunk(&c, &gb_alloc_heap, &m, v, i & 1 ? &aac : NULL),
            0);
        p = bytes_of(c).p;
        assert_int_equal(bytes_of(c).n, 2 * MPEGTS_PACKET);
        assert_memory_equal(p, pat.p, pat.n);
        assert_memory_equal(p + MPEGTS_PACKET, "\x47\x50\0\x10\0", 5);
        assert_memory_equal(p + MPEGTS_PACKET + 5, want[i].p, want[i].n);
        assert_true(c->config);
        media_chunk_unref(c);
        media_config_unref(v);
    }
    au_maker_fini(&maker);
}

/* A key frame and a delta: parameter sets, delimiters, stamps, clock. */
static void pictures(void **state)
{
    static struct ts_reader r;
    struct mpegts_mux m = { 0 };
    struct media_frame *f;
    struct media_config *v;
    struct au_maker maker;

    (void)state;
    au_maker_init(&maker);
    ts_reader_init(&r);
    v = au_config(au_key(&maker, 0));
    pass(&r, &m, au_frame(au_key(&maker, 0), 0), v, NULL);
    f = au_frame(au_delta(&maker, 3600), 3600);
    f->pts90k = 3600 + 7200;
    pass(&r, &m, f, v, NULL);
    f = au_frame(au_delta(&maker, 7200), (INT64_C(1) << 33) + 7);
    pass(&r, &m, f, v, NULL);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.n_tables, 1);
    assert_int_equal(r.pmt_pid, MPEGTS_PID_PMT);
    assert_int_equal(r.clock_pid, MPEGTS_PID_VIDEO);
    assert_int_equal(r.type[0], 0x1b);
    assert_int_equal(r.type[1], 0);
    expect_es(&r.frame[0],
              (struct slice)S("\0\0\0\x01\x09\xf0\0\0\0\x01" AU_SPS
                              "\0\0\0\x01" AU_PPS "\0\0\0\x01" AU_IDR));
    assert_true(r.frame[0].key);
    assert_int_equal(r.frame[0].clock, 0);
    assert_int_equal(r.frame[0].pts, MPEGTS_DELAY90K);
    assert_int_equal(r.frame[0].stream_id, 0xe0);
    assert_int_equal(r.frame[0].length, 0);
    expect_es(&r.frame[1],
              (struct slice)S("\0\0\0\x01\x09\xf0\0\0\0\x01" AU_P));
    assert_false(r.frame[1].key);
    assert_int_equal(r.frame[1].clock, 3600);
    assert_int_equal(r.frame[1].dts, 3600 + MPEGTS_DELAY90K);
    assert_int_equal(r.frame[1].pts, 3600 + 7200 + MPEGTS_DELAY90K);
    assert_int_equal(r.frame[2].clock, 7); /* 33 bits */
    assert_int_equal(r.frame[2].pts, 7 + MPEGTS_DELAY90K);
    media_config_unref(v);
    au_maker_fini(&maker);
}

static void h265(void **state)
{
    static const struct slice nal[] = { S(AU_VPS265), S(AU_SPS265),
                                        S(AU_PPS265), S(AU_IDR265) };
    static struct ts_reader r;
    struct mpegts_mux m = { 0 };
    struct media_config *v;
    struct au_maker maker;

    (void)state;
    au_maker_init(&maker);
    ts_reader_init(&r);
    v = au_config(au_video(&maker, PS_CODEC_H265, 0, nal, 4));
    pass(&r, &m, au_frame(au_video(&maker, PS_CODEC_H265, 0, nal, 4), 90), v,
         NULL);
    assert_int_equal(r.type[0], 0x24);
    expect_es(&r.frame[0],
              (struct slice)S("\0\0\0\x01\x46\x01\x50\0\0\0\x01" AU_VPS265
                              "\0\0\0\x01" AU_SPS265 "\0\0\0\x01" AU_PPS265
                              "\0\0\0\x01" AU_IDR265));
    media_config_unref(v);
    au_maker_fini(&maker);
}

/* Every length of the last packet, of the only packet, and of both tracks. */
static void every_length(void **state)
{
    struct media_config g711 = { .codec = PS_CODEC_G711A };
    struct media_config h264 = { .codec = PS_CODEC_H264 };

    (void)state;
    for (size_t n = 1; n < 3 * MPEGTS_PACKET; n++) {
        static struct ts_reader r;
        struct mpegts_mux m = { .told = { PS_CODEC_H264, PS_CODEC_G711A } };
        struct media_frame *f;

        ts_reader_init(&r);
        pass(&r, &m, sound(PS_CODEC_G711A, n, 0), &h264, &g711);
        assert_int_equal(r.n_tables, 0); /* not for each sound */
        assert_int_equal(r.frame[0].clock, UINT64_MAX);
        assert_int_equal(r.frame[0].es.n, n);
        assert_int_equal(r.frame[0].length, n + 8);
        f = sound(PS_CODEC_H264, n + 4, 0);
        f->track = MEDIA_VIDEO;
        memcpy(f->data, (uint8_t[]){ 0, 0, (uint8_t)(n >> 8), (uint8_t)n }, 4);
        pass(&r, &m, f, &h264, &g711);
        assert_int_equal(r.frame[1].es.n, 6 + 4 + n);
        assert_memory_equal(r.frame[1].es.p + 6, "\0\0\0\x01\x04", 5);
        for (size_t i = 1; i < n; i++)
            assert_int_equal((uint8_t)r.frame[1].es.p[10 + i],
                             (uint8_t)(i + 4));
    }
}

/* A slice a NAL unit: start codes fall on every place in a packet. */
static void many_units(void **state)
{
    struct media_config h264 = { .codec = PS_CODEC_H264 };

    (void)state;
    for (size_t unit = 0; unit < 70; unit++) {
        static struct ts_reader r;
        struct mpegts_mux m = { 0 };
        size_t n = (4 + unit) * 64;
        struct media_frame *f = sound(PS_CODEC_H264, n, 0);

        f->track = MEDIA_VIDEO;
        memset(f->data, 0x41, n);
        for (size_t at = 0; at < n; at += 4 + unit)
            memcpy(f->data + at, (uint8_t[]){ 0, 0, 0, (uint8_t)unit }, 4);
        ts_reader_init(&r);
        pass(&r, &m, f, &h264, NULL);
        assert_int_equal(r.frame[0].es.n, 6 + n);
        for (size_t at = 0; at < n; at += 4 + unit) {
            assert_memory_equal(r.frame[0].es.p + 6 + at, "\0\0\0\x01", 4);
            for (size_t i = 0; i < unit; i++)
                assert_int_equal(r.frame[0].es.p[10 + at + i], 0x41);
        }
    }
}

/* Sound by itself begins anywhere; a codec that changes is told first. */
static void sounds(void **state)
{
    struct media_config aac = { .codec = PS_CODEC_AAC,
                                .record = S("\x14\x08") };
    struct media_config ulaw = { .codec = PS_CODEC_G711U };
    struct media_config h264 = { .codec = PS_CODEC_H264 };
    static struct ts_reader r;
    struct mpegts_mux m = { 0 };
    struct media_chunk *c;
    struct media_frame *f;

    (void)state;
    ts_reader_init(&r);
    for (int i = 0; i < 3; i++)
        pass(&r, &m, sound(PS_CODEC_AAC, 100, 5760 * i), NULL, &aac);
    assert_int_equal(r.n_tables, 3);
    assert_int_equal(r.clock_pid, MPEGTS_PID_AUDIO);
    assert_int_equal(r.type[0], 0);
    assert_int_equal(r.type[1], 0x0f);
    assert_int_equal(r.frame[2].clock, 5760 * 2);
    assert_int_equal(r.frame[2].stream_id, 0xc0);
    assert_int_equal(r.frame[2].es.n, 107);
    assert_memory_equal(r.frame[2].es.p, "\xff\xf1\x60\x40\x0d\x7f\xfc", 7);

    pass(&r, &m, sound(PS_CODEC_G711U, 160, 90000), &h264, &ulaw);
    assert_int_equal(r.n_tables, 4);
    assert_int_equal(r.type[1], 0x91);
    pass(&r, &m, sound(PS_CODEC_G711U, 160, 91800), &h264, &ulaw);
    assert_int_equal(r.n_tables, 4);

    f = sound(PS_CODEC_G729, 20, 0);
    assert_int_equal(mpegts_frame_chunk(&c, &gb_alloc_heap, &m, f, NULL, &aac),
                     GB_EUNSUPPORTED);
    media_frame_unref(f);
    f = sound(PS_CODEC_AAC, AAC_MAX_FRAME, 0);
    assert_int_equal(mpegts_frame_chunk(&c, &gb_alloc_heap, &m, f, NULL, &aac),
                     GB_ERANGE);
    media_frame_unref(f);
}

static void lengths_that_lie(void **state)
{
    struct media_config h264 = { .codec = PS_CODEC_H264 };
    struct mpegts_mux m = { 0 };

    (void)state;
    for (uint8_t claim = 0; claim < 12; claim++) {
        struct media_frame *f = sound(PS_CODEC_H264, 8, 0);
        struct media_chunk *c = NULL;
        int err;

        f->track = MEDIA_VIDEO;
        memcpy(f->data, (uint8_t[]){ 0, 0, 0, claim, 0, 0, 0, 0 }, 8);
        err = mpegts_frame_chunk(&c, &gb_alloc_heap, &m, f, &h264, NULL);
        assert_int_equal(err, claim == 0 || claim == 4 ? 0 : GB_ESYNTAX);
        media_chunk_unref(c);
        media_frame_unref(f);
    }
}

static void no_memory(void **state)
{
    struct media_config g711 = { .codec = PS_CODEC_G711A };
    struct media_frame *f = sound(PS_CODEC_G711A, 160, 0);

    (void)state;
    for (unsigned at = 1; at < 4; at++) {
        struct mpegts_mux m = { 0 };
        struct failing_alloc fail;
        struct media_chunk *c = NULL;
        int err;

        failing_alloc_init(&fail, at);
        err = mpegts_frame_chunk(&c, &fail.alloc, &m, f, NULL, &g711);
        assert_int_equal(err, at < 3 ? GB_ENOMEM : 0);
        media_chunk_unref(c);
        assert_int_equal(fail.live, 0);
    }
    media_frame_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(pictures),
        cmocka_unit_test(h265),
        cmocka_unit_test(every_length),
        cmocka_unit_test(many_units),
        cmocka_unit_test(sounds),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
