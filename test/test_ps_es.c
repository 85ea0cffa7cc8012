/* ps/es.c, ps/es_audio.c, ps/es_video.c: one elementary stream by itself, without
 * the pack and PES headers around it */
#include "test/support.h"

#include "ps/es.h"

#define AUDIO_ID 0xc0
#define VIDEO_ID 0xe0

static struct es_env env;
static struct es es;
static struct {
    unsigned aus, keys, nals;
    size_t bytes;
    enum ps_codec codec;
} got;

static void on_au(void *ctx, const struct ps_au *au)
{
    (void)ctx;
    got.aus++;
    got.keys += au->key;
    got.nals += (unsigned)au->n_nals;
    got.bytes += au->bytes;
    got.codec = au->codec;
}

static void begin(uint8_t id)
{
    env = (struct es_env){ .alloc = &gb_alloc_heap, .hooks.on_au = on_au,
                           .scan = ps_scan_best() };
    memset(&got, 0, sizeof(got));
    es_init(&es, &env, id, 0);
}

/* One PES with this payload, put in pieces of `cut` bytes. */
static void put(struct slice payload, size_t cut)
{
    const struct ps_pes pes = { .length = (uint16_t)payload.n };

    es_pes_begin(&es, &pes, false);
    for (size_t at = 0, n; at < payload.n; at += n) {
        size_t used;

        n = payload.n - at < cut ? payload.n - at : cut;
        assert_true(es_put(&es, (const uint8_t *)payload.p + at, n, &used));
    }
    es_pes_end(&es);
}

static void end(void)
{
    es_flush(&es, true, false);
    es_fini(&es);
}

/* What bytes say of a codec that no map has named, or named wrongly. */
static void audio(void **state)
{
    static const char adts[] = "\xff\xf1\x50\x80\x01\x1f\xfc\x21"
                               "\xff\xf1\x50\x80\x01\x1f\xfc\x22";
    static const char loas[] = "\x56\xe0\x02\x01\x02\x56\xe0\x01\x03";
    static char mpa[2 * 104] = "\xff\xfd\x10\xc4"; /* II, 32 kbit/s, 44.1 kHz */
    static const struct {
        const char *name;
        enum ps_codec told;
        struct slice in;
        enum ps_codec want;
    } cases[] = {
        { "ADTS", PS_CODEC_UNKNOWN, S(adts), PS_CODEC_AAC },
        { "ADTS under A-law", PS_CODEC_G711A, S(adts), PS_CODEC_AAC },
        { "LOAS", PS_CODEC_UNKNOWN, S(loas), PS_CODEC_AAC },
        { "layer II", PS_CODEC_UNKNOWN, { mpa, sizeof(mpa) }, PS_CODEC_MPA },
        { "ADTS without its end", PS_CODEC_UNKNOWN, { adts, 12 },
          PS_CODEC_UNKNOWN },
        { "ADTS of a layer", PS_CODEC_UNKNOWN, S("\xff\xf3\x50\x80\x01\x1f\xfc"),
          PS_CODEC_UNKNOWN },
        { "LOAS a byte too long", PS_CODEC_UNKNOWN, S("\x56\xe0\x01\x03\x04"),
          PS_CODEC_UNKNOWN },
        { "A-law stays", PS_CODEC_G711A, S("\xd5\x55\xd5\x55"),
          PS_CODEC_G711A },
        { "too little to tell the laws", PS_CODEC_UNKNOWN, S("\xff\x7f\xff"),
          PS_CODEC_UNKNOWN },
    };

    (void)state;
    memcpy(mpa + 104, mpa, 4);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t cut = 1; cut <= cases[i].in.n; cut++) {
            begin(AUDIO_ID);
            if (cases[i].told != PS_CODEC_UNKNOWN)
                es_set_codec(&es, 0x90, cases[i].told, PS_FROM_PSM);
            put(guarded(cases[i].in), cut);
            es_flush(&es, true, false);
            if (es.info.codec != cases[i].want)
                fail_msg("%s, cut at %zu: codec %d", cases[i].name, cut,
                         es.info.codec);
            es_fini(&es);
        }
}

/* Enough bytes of either law tell which it is. */
static void laws(void **state)
{
    static char silence[4096];

    (void)state;
    for (int u = 0; u < 2; u++) {
        memset(silence, u ? 0xff : 0xd5, sizeof(silence));
        begin(AUDIO_ID);
        put(slice_of(silence, sizeof(silence)), sizeof(silence));
        es_flush(&es, true, false);
        assert_int_equal(es.info.codec, u ? PS_CODEC_G711U : PS_CODEC_G711A);
        es_fini(&es);
    }
}

/* Raw AAC, or any other compressed sound: no law of G.711, whatever the map says. */
static void no_law(void **state)
{
    static const enum ps_codec told[] = { PS_CODEC_UNKNOWN, PS_CODEC_AAC };
    static char even[320], loud[320];

    (void)state;
    for (size_t i = 0; i < sizeof(loud); i++) /* full scale, of both signs */
        loud[i] = (char)(i % 2 ? 0x2a : 0xaa);
    for (size_t t = 0; t < COUNT(told); t++) {
        begin(AUDIO_ID);
        if (told[t] != PS_CODEC_UNKNOWN)
            es_set_codec(&es, 0x0f, told[t], PS_FROM_PSM);
        for (unsigned i = 0; i < 100; i++) {
            for (unsigned k = 0; k < sizeof(even); k++)
                even[k] = (char)((i * sizeof(even) + k) * 2654435761u >> 24);
            put(slice_of(even, sizeof(even)), sizeof(even));
        }
        assert_int_equal(es.info.codec, told[t]);
        for (unsigned i = 0; i < 40; i++)
            put(slice_of(loud, sizeof(loud)), sizeof(loud));
        assert_int_equal(es.info.codec, PS_CODEC_G711A);
        es_flush(&es, true, false);
        es_fini(&es);
    }
}

#define SPS "\0\0\0\1\x67\x42\xc0\x0a\xd9\x04\x7b\x01\x10\0\0\3\0\x10"
#define PPS "\0\0\0\1\x68\xcb\x83\xcb\x20"
#define IDR "\0\0\0\1\x65\x88\x84\x21\xff"
#define OTHER "\0\0\0\1\x41\x9a\x21\x6c\x42"

/* Access units end where the next one begins, wherever the bytes are cut. */
static void video(void **state)
{
    static const struct slice in[] = { S(SPS PPS IDR), S(OTHER), S(OTHER) };
    size_t bytes = in[0].n + in[1].n + in[2].n;

    (void)state;
    for (size_t cut = 1; cut <= in[0].n; cut++) {
        begin(VIDEO_ID);
        es_set_codec(&es, 0x1b, PS_CODEC_H264, PS_FROM_PSM);
        for (size_t i = 0; i < COUNT(in); i++)
            put(in[i], cut);
        end();
        if (got.aus != 3 || got.keys != 1 || got.nals != 5 ||
            got.bytes != bytes || got.codec != PS_CODEC_H264)
            fail_msg("cut at %zu: %u units, %u key, %u NAL units, %zu bytes",
                     cut, got.aus, got.keys, got.nals, got.bytes);
    }
}

/* A unit may be read as it was put, across pieces and copies; trimmed; and what
 * is behind a gap inside it is not delivered. */
static void reading(void **state)
{
    static const char text[] = "0123456789abcdef";
    uint8_t out[32];

    (void)state;
    begin(AUDIO_ID);
    assert_true(es_append(&es, (const uint8_t *)text, 10));
    env.copy = true;
    assert_true(es_append(&es, (const uint8_t *)text + 10, 6));
    for (uint32_t off = 0; off <= 16; off++) {
        size_t n = es_read(&es, off, out, sizeof(out));

        assert_int_equal(n, 16 - off);
        assert_memory_equal(out, text + off, n);
    }
    es_trim(&es, 12);
    assert_int_equal(es_read(&es, 8, out, sizeof(out)), 4);
    assert_memory_equal(out, "89ab", 4);
    es_gap(&es, true);
    end();
    assert_int_equal(got.aus, 0);
}

/* No access unit grows beyond its limit: it is gone, and the next one is not. */
static void limit(void **state)
{
    static uint8_t block[65536];
    const struct ps_pes pes = { .length = 0 };
    uint32_t n = 0;
    size_t used;

    (void)state;
    begin(AUDIO_ID);
    es_set_codec(&es, 0x90, PS_CODEC_G711A, PS_FROM_PSM);
    es_pes_begin(&es, &pes, false);
    while (es_put(&es, block, sizeof(block), &used))
        n += sizeof(block);
    assert_true(n <= PS_MAX_AU_BYTES && n + sizeof(block) > PS_MAX_AU_BYTES);
    assert_int_equal(es.bytes, 0);
    put(slice_of("\xd5\x55", 2), 2);
    end();
    assert_int_equal(got.aus, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio),   cmocka_unit_test(laws),
        cmocka_unit_test(no_law),
        cmocka_unit_test(video),   cmocka_unit_test(reading),
        cmocka_unit_test(limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
