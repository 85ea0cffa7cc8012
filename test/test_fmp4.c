#include "test/support.h"

#include "app/media/fmp4.h"
#include "test/media.h"
#include "test/media_vectors.h"

static struct slice bytes_of(struct media_chunk *c, char *buf)
{
    return slice_of(buf, chunk_copy(buf, c));
}

static struct media_frame *frame(const struct ps_au *au, int64_t dts90k)
{
    struct media_frame *f = au_frame(au, dts90k);

    f->duration90k = 3600;
    return f;
}

static void vector(void **state)
{
    struct fmp4_mux mux = { 0 };
    struct media_chunk *c;
    struct media_frame *f;
    struct media_config *v;
    struct au_maker m;
    char buf[1024];

    (void)state;
    au_maker_init(&m);
    v = au_config(au_key(&m, 90000));
    assert_int_equal(fmp4_init_chunk(&c, &gb_alloc_heap, v, NULL), 0);
    assert_int_equal(bytes_of(c, buf).n, sizeof(fmp4_init));
    assert_memory_equal(buf, fmp4_init, sizeof(fmp4_init));
    media_chunk_unref(c);

    f = frame(au_key(&m, 90000), 0);
    assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, NULL), 0);
    assert_int_equal(bytes_of(c, buf).n, sizeof(fmp4_first));
    assert_memory_equal(buf, fmp4_first, sizeof(fmp4_first));
    media_chunk_unref(c);
    assert_int_equal(fmp4_snapshot_chunk(&c, &gb_alloc_heap, v, f), 0);
    assert_int_equal(bytes_of(c, buf).n,
                     sizeof(fmp4_init) + sizeof(fmp4_first));
    assert_memory_equal(buf, fmp4_init, sizeof(fmp4_init));
    assert_memory_equal(buf + sizeof(fmp4_init), fmp4_first,
                        sizeof(fmp4_first));
    media_chunk_unref(c);
    media_frame_unref(f);

    f = frame(au_delta(&m, 93600), 3600);
    assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, NULL), 0);
    assert_int_equal(bytes_of(c, buf).n, sizeof(fmp4_second));
    assert_memory_equal(buf, fmp4_second, sizeof(fmp4_second));
    media_chunk_unref(c);
    media_frame_unref(f);
    media_config_unref(v);
    au_maker_fini(&m);
}

/* Other parameter sets than the first go before each key frame, inside of it.
 */
static void other_sets(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS), S(AU_IDR) };
    struct fmp4_mux mux = { 0 };
    struct fmp4_fragment as;
    struct media_chunk *c;
    struct media_frame *f;
    struct media_config *v;
    struct au_maker m;
    char want[256], buf[1024];
    struct writer w = writer_of(want, sizeof(want));
    struct slice got;

    (void)state;
    au_maker_init(&m);
    v = au_config(au_video(&m, PS_CODEC_H264, 90000, other, 3));
    f = frame(au_video(&m, PS_CODEC_H264, 90000, other, 3), 0);
    for (size_t i = 0; i < COUNT(other); i++) {
        writer_be32(&w, (uint32_t)other[i].n);
        writer_slice_put(&w, other[i]);
    }
    mux.sets = v;
    assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, NULL), 0);
    got = bytes_of(c, buf);
    assert_true(fmp4_fragment_read(&as, buf));
    assert_int_equal(as.size, w.len);
    assert_true(
        slice_eq(slice_from(got, FMP4_FRAGMENT_HEAD), writer_slice(&w)));
    media_chunk_unref(c);
    media_frame_unref(f);

    f = frame(au_delta(&m, 93600), 3600);
    assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, NULL), 0);
    assert_int_equal(bytes_of(c, buf).n, FMP4_FRAGMENT_HEAD + f->n);
    media_chunk_unref(c);
    media_frame_unref(f);
    media_config_unref(v);
    au_maker_fini(&m);
}

static uint32_t be32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* Boxes nest exactly; found counts those of the wanted type. */
static unsigned walk(struct slice in, const char *want)
{
    static const char *const parents[] = { "moov", "trak", "mdia", "minf",
                                           "stbl", "mvex", "moof", "traf",
                                           "dinf" };
    unsigned found = 0;

    while (in.n) {
        uint32_t n;

        assert_true(in.n >= 8);
        n = be32(in.p);
        assert_true(n >= 8 && n <= in.n);
        found += memcmp(in.p + 4, want, 4) == 0;
        for (size_t i = 0; i < COUNT(parents); i++)
            if (memcmp(in.p + 4, parents[i], 4) == 0)
                found += walk(slice_of(in.p + 8, n - 8), want);
        in = slice_from(in, n);
    }
    return found;
}

static const struct media_config aac = { .codec = PS_CODEC_AAC,
                                         .rate_hz = 16000,
                                         .channels = 1,
                                         .codec_string = "mp4a.40.2",
                                         .record = S("\x14\x08") };
static const struct media_config alaw = { .codec = PS_CODEC_G711A,
                                          .rate_hz = 8000,
                                          .channels = 1,
                                          .codec_string = "alaw" };

static void inits(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    struct media_config *v;
    struct au_maker m;
    char buf[2048];

    (void)state;
    au_maker_init(&m);
    v = au_config(au_video(&m, PS_CODEC_H265, 0, h265, 4));
    for (int i = 1; i < 6; i++) {
        const struct media_config *video = i & 1 ? v : NULL;
        const struct media_config *audio = i >= 4 ? &alaw
                                           : i & 2 ? &aac
                                                   : NULL;
        unsigned tracks = (video ? 1u : 0) + (audio ? 1u : 0);
        struct media_chunk *c;
        struct slice in, esds = SLICE("esds\0\0\0\0\x03\x19\0\x02\0\x04\x11"
                                      "\x40\x15");

        assert_int_equal(fmp4_init_chunk(&c, &gb_alloc_heap, video, audio), 0);
        in = bytes_of(c, buf);
        assert_int_equal(walk(in, "trak"), tracks);
        assert_int_equal(walk(in, "trex"), tracks);
        assert_int_equal(walk(in, "vmhd"), video != NULL);
        assert_int_equal(walk(in, "smhd"), audio != NULL);
        assert_true((slice_find_slice(in, SLICE("hvc1")) < in.n) ==
                    (video != NULL));
        assert_true((slice_find_slice(in, SLICE("dfLa\0\0\0\0\x80\0\0\x22")) <
                     in.n) == (audio == &alaw));
        assert_true((slice_find_slice(in, esds) < in.n) == (audio == &aac));
        media_chunk_unref(c);
    }
    media_config_unref(v);
    au_maker_fini(&m);
}

static struct media_frame *sound(const struct media_config *c, size_t n,
                                 int64_t dts90k, uint32_t dur)
{
    struct media_frame *f = sound_frame(c->codec, n, dts90k);

    f->duration90k = dur;
    memset(f->data, 0xd5, n);
    return f;
}

/* tfdt of audio has no seams from rounding, and follows a real gap. */
static void audio_times(void **state)
{
    static const struct {
        int64_t dts90k;
        uint64_t want; /* samples at 16 kHz */
    } cases[] = {
        { 5760, 1024 },  { 11521, 2048 }, { 17279, 3072 }, { 23040, 4096 },
        { 28800 + 90000, 5120 + 16000 }, /* a second is missing */
        { 34560 + 90000, 6144 + 16000 },
        { 34560, 7168 + 16000 }, /* never back */
    };
    struct fmp4_mux mux = { 0 };
    char buf[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_frame *f = sound(&aac, 7, cases[i].dts90k, 5760);
        struct media_chunk *c;

        assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, &aac),
                         0);
        assert_int_equal(bytes_of(c, buf).n, 119);
        assert_int_equal(walk(slice_of(buf, 119), "trun"), 1);
        assert_int_equal(be32(buf + 44), 2);  /* track */
        if (be32(buf + 64) != cases[i].want)
            fail_msg("%zu: %u", i, be32(buf + 64));
        assert_int_equal(be32(buf + 84), 112);
        assert_int_equal(be32(buf + 88), 1024);
        assert_int_equal(be32(buf + 92), 7);
        assert_int_equal(be32(buf + 96), 0x02000000);
        media_chunk_unref(c);
        assert_int_equal(atomic_load(&f->refs), 1);
        media_frame_unref(f);
    }
}

static void g711(void **state)
{
    struct fmp4_mux mux = { 0 };
    char buf[1024];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct media_frame *f = sound(&alaw, 320, 3600 * i, 3600);
        struct media_chunk *c;
        struct slice in;

        assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, &alaw),
                         0);
        assert_null(c->frame); /* coded anew: the samples are not kept */
        in = bytes_of(c, buf);
        assert_int_equal(walk(in, "mdat"), 1);
        assert_int_equal(be32(buf + 64), 320 * i);
        assert_int_equal(be32(buf + 88), 320);
        assert_int_equal(be32(buf + 92), in.n - 112);
        assert_memory_equal(buf + 112, "\xff\xf9\x74\x08", 4);
        media_chunk_unref(c);
        media_frame_unref(f);
    }
    for (size_t n = 0; n < 2; n++) { /* no FLAC frame is that small or large */
        struct media_frame *f = sound(&alaw, n ? 15 : 4097, 0, 0);
        struct media_chunk *c;

        assert_int_equal(fmp4_frame_chunk(&c, &gb_alloc_heap, &mux, f, &alaw),
                         GB_ERANGE);
        media_frame_unref(f);
    }
}

static void mime(void **state)
{
    static const struct {
        bool video;
        const struct media_config *audio;
        const char *want;
    } cases[] = {
        { true, NULL, "video/mp4; codecs=\"avc1.42C00A\"" },
        { true, &aac, "video/mp4; codecs=\"avc1.42C00A,mp4a.40.2\"" },
        { true, &alaw, "video/mp4; codecs=\"avc1.42C00A,flac\"" },
        { false, &alaw, "audio/mp4; codecs=\"flac\"" },
    };
    struct media_config *v;
    struct au_maker m;

    (void)state;
    au_maker_init(&m);
    v = au_config(au_key(&m, 0));
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[128];
        struct writer w = writer_of(buf, sizeof(buf));

        fmp4_mime(&w, cases[i].video ? v : NULL, cases[i].audio);
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%.*s", SLICE_ARG(writer_slice(&w)));
    }
    media_config_unref(v);
    au_maker_fini(&m);
}

/* A sample lasts until the next one of its track: time lost between two of them
 * moves none behind it. */
static void segment_with_a_gap(void **state)
{
    static const struct fmp4_sample s[] = {
        { .track_id = 1, .duration = 3600, .size = 5, .dts = 90000 },
        { .track_id = 1, .duration = 3600, .size = 6, .dts = 99000 },
        { .track_id = 2, .duration = 320, .size = 7, .dts = 8000 },
    };
    struct fmp4_mux m = { 0 };
    struct media_chunk *c;
    const char *p;

    (void)state;
    assert_int_equal(fmp4_segment_chunk(&c, &gb_alloc_heap, &m, s, 3), 0);
    p = media_chunk_own(c);
    assert_memory_equal(p + 20, "\0\0\0\1", 4); /* its number */
    assert_memory_equal(p + 24 + 64, "\0\0\x23\x28", 4); /* 9000 */
    assert_memory_equal(p + 24 + 64 + 16, "\0\0\x0e\x10", 4);
    assert_memory_equal(p + c->n_own - 8, "\0\0\0\x1a" "mdat", 8);
    media_chunk_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector),
        cmocka_unit_test(other_sets),
        cmocka_unit_test(inits),
        cmocka_unit_test(audio_times),
        cmocka_unit_test(g711),
        cmocka_unit_test(mime),
        cmocka_unit_test(segment_with_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
