#include "test/support.h"

#include <stdio.h>

#include "app/media/flv.h"
#include "test/media.h"
#include "test/media_vectors.h"

static struct media_frame *frame(const struct ps_au *au, int64_t dts90k,
                                 int64_t pts90k)
{
    struct media_frame *f = au_frame(au, dts90k);

    f->pts90k = pts90k;
    return f;
}

static struct media_frame *sound(enum ps_codec codec, const char *bytes,
                                 size_t n)
{
    struct media_frame *f = sound_frame(codec, n, 0);

    memcpy(f->data, bytes, n);
    return f;
}

/* The bytes of one chunk against a string. */
static void expect(struct media_chunk *c, struct slice want)
{
    char buf[512];
    size_t n = chunk_copy(buf, c);

    assert_int_equal(n, want.n);
    assert_memory_equal(buf, want.p, n);
    assert_int_equal(media_chunk_size(c, MEDIA_PLAIN), n);
    media_chunk_unref(c);
}

static void vector(void **state)
{
    static const struct flv_options opt = { 0 };
    struct au_maker m;
    struct media_config *c;
    struct media_frame *f;
    struct media_chunk *chunk;
    char buf[512];
    size_t n = 0;

    (void)state;
    au_maker_init(&m);
    c = au_config(au_key(&m, 90000));
    assert_int_equal(flv_start_chunk(&chunk, &gb_alloc_heap, &opt,
                                     &(struct flv_start){ .video = c,
                                                          .bare = true }), 0);
    n += chunk_copy(buf + n, chunk);
    media_chunk_unref(chunk);
    f = frame(au_key(&m, 90000), 0, 0);
    assert_int_equal(flv_frame_chunk(&chunk, &gb_alloc_heap, &opt, f), 0);
    media_frame_unref(f);
    n += chunk_copy(buf + n, chunk);
    media_chunk_unref(chunk);
    f = frame(au_delta(&m, 93600), 3600, 3600);
    assert_int_equal(flv_frame_chunk(&chunk, &gb_alloc_heap, &opt, f), 0);
    media_frame_unref(f);
    n += chunk_copy(buf + n, chunk);
    media_chunk_unref(chunk);
    assert_int_equal(n, sizeof(flv_file));
    assert_memory_equal(buf, flv_file, n);
    media_config_unref(c);
    au_maker_fini(&m);
}

static void tags(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    static const struct slice p265[] = { S(AU_P265) };
    static const struct flv_options classic = { 0 }, four = { true };
    struct media_chunk *c;
    struct media_frame *f;
    struct au_maker m;

    (void)state;
    au_maker_init(&m);
    f = frame(au_video(&m, PS_CODEC_H265, 0, h265, 4), 90 * 0x12345678ll, 0);
    f->pts90k = f->dts90k + 3600;
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f), 0);
    expect(c, (struct slice)S("\x09\0\0\x17\x34\x56\x78\x12\0\0\0"
                              "\x1c\x01\0\0\x28\0\0\0\x0e" AU_IDR265
                              "\0\0\0\x22"));
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &four, f), 0);
    expect(c, (struct slice)S("\x09\0\0\x1a\x34\x56\x78\x12\0\0\0"
                              "\x91hvc1\0\0\x28\0\0\0\x0e" AU_IDR265
                              "\0\0\0\x25"));
    f->pts90k = f->dts90k - 90;
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f), 0);
    assert_memory_equal(media_chunk_own(c) + 11, "\x1c\x01\xff\xff\xff", 5);
    media_chunk_unref(c);
    media_frame_unref(f);

    f = frame(au_video(&m, PS_CODEC_H265, 0, p265, 1), 90, 90);
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &four, f), 0);
    expect(c, (struct slice)S("\x09\0\0\x13\0\0\x01\0\0\0\0"
                              "\xa3hvc1\0\0\0\x0a" AU_P265 "\0\0\0\x1e"));
    media_frame_unref(f);

    f = sound(PS_CODEC_G711A, "\xd5\xd5", 2);
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f), 0);
    expect(c, (struct slice)S("\x08\0\0\x03\0\0\0\0\0\0\0\x72\xd5\xd5"
                              "\0\0\0\x0e"));
    f->codec = PS_CODEC_G711U;
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f), 0);
    assert_memory_equal(media_chunk_own(c) + 11, "\x82", 1);
    media_chunk_unref(c);
    f->codec = PS_CODEC_AAC;
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f), 0);
    expect(c, (struct slice)S("\x08\0\0\x04\0\0\0\0\0\0\0\xaf\x01\xd5\xd5"
                              "\0\0\0\x0f"));
    f->codec = PS_CODEC_G729;
    assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &classic, f),
                     GB_EUNSUPPORTED);
    media_frame_unref(f);
    au_maker_fini(&m);
}

/* Every tag of a start chunk is whole, and the metadata can be read. */
static void start(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    struct media_config aac = { .codec = PS_CODEC_AAC,
                                .rate_hz = 16000,
                                .record = S("\x14\x08") };
    static const uint8_t want_types[] = { 18, 9, 8 };
    struct au_maker m;
    struct media_config *v;

    (void)state;
    au_maker_init(&m);
    v = au_config(au_video(&m, PS_CODEC_H265, 0, h265, 4));
    for (int enhanced = 0; enhanced < 2; enhanced++) {
        struct flv_options opt = { enhanced };
        struct media_chunk *c;
        struct bytes_at {
            const uint8_t *p;
            size_t n;
        } b;
        size_t off = 13;

        assert_int_equal(
            flv_start_chunk(&c, &gb_alloc_heap, &opt,
                            &(struct flv_start){ .video = v, .audio = &aac,
                                                 .fps = 25,
                                                 .at90k = 900000 }), 0);
        b.p = (const uint8_t *)media_chunk_own(c);
        b.n = media_chunk_size(c, MEDIA_PLAIN);
        assert_memory_equal(b.p, "FLV\x01\x05\0\0\0\x09\0\0\0\0", 13);
        for (size_t i = 0; i < COUNT(want_types); i++) {
            size_t n = (size_t)b.p[off + 1] << 16 | (size_t)b.p[off + 2] << 8 |
                       b.p[off + 3];

            assert_int_equal(b.p[off], want_types[i]);
            if (want_types[i] == 18) { /* its time is 0, whenever it comes */
                assert_memory_equal(b.p + off + 4, "\0\0\0\0", 4);
                assert_memory_equal(b.p + off + 11 + n - 3, "\0\0\x09", 3);
            }
            if (want_types[i] == 9)
                assert_memory_equal(b.p + off + 11,
                                    enhanced ? "\x90hvc1\x01" : "\x1c\0\0\0\0",
                                    5);
            if (want_types[i] == 8)
                assert_memory_equal(b.p + off + 11, "\xaf\0\x14\x08", 4);
            off += 11 + n + 4;
            assert_int_equal(b.p[off - 1] | b.p[off - 2] << 8, 11 + n);
        }
        assert_int_equal(off, b.n);
        media_chunk_unref(c);
    }
    media_config_unref(v);
    au_maker_fini(&m);
}

/* One frame in the three framings, from every offset. */
static void framings(void **state)
{
    static const size_t sizes[] = { 1, 100, 109, 110, 125, 200, 65000, 70000 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        static const struct flv_options opt = { 0 };
        struct media_frame *f = sound(PS_CODEC_G711A, "x", 1), *big;
        struct media_chunk *c;
        size_t plain;

        big = media_frame_new(&gb_alloc_heap, sizes[i]);
        big->track = MEDIA_AUDIO;
        big->codec = f->codec;
        media_frame_unref(f);
        assert_int_equal(flv_frame_chunk(&c, &gb_alloc_heap, &opt, big), 0);
        assert_int_equal(atomic_load(&big->refs), 2);
        plain = media_chunk_size(c, MEDIA_PLAIN);
        assert_int_equal(plain, sizes[i] + 16);
        for (int fr = MEDIA_PLAIN; fr <= MEDIA_CHUNKED; fr++) {
            size_t n = media_chunk_size(c, (enum media_framing)fr);
            size_t step = n > 1000 ? 777 : 1;
            struct media_iov v[MEDIA_CHUNK_IOVS];

            for (size_t off = 0; off < n; off += step) {
                size_t sum = 0, k;

                k = media_chunk_iov(c, (enum media_framing)fr, off, v,
                                    COUNT(v));
                for (size_t j = 0; j < k; j++)
                    sum += v[j].len;
                assert_int_equal(sum, n - off);
            }
            assert_int_equal(
                media_chunk_iov(c, (enum media_framing)fr, n, v, COUNT(v)), 0);
            media_chunk_iov(c, (enum media_framing)fr, 0, v, COUNT(v));
            if (fr == MEDIA_WS) {
                const uint8_t *p = (const uint8_t *)v[0].base;
                size_t len = p[1], head = 2;

                assert_int_equal(p[0], 0x82);
                if (len >= 126) {
                    head = len == 126 ? 4 : 10;
                    len = 0;
                    for (size_t j = 2; j < head; j++)
                        len = len << 8 | p[j];
                }
                assert_int_equal(len, plain);
                assert_int_equal(head + plain, n);
            } else if (fr == MEDIA_CHUNKED) {
                char text[24];

                assert_int_equal(v[0].len, snprintf(text, sizeof(text),
                                                    "%zx\r\n", plain));
                assert_memory_equal(v[0].base, text, v[0].len);
            }
        }
        media_chunk_unref(c);
        assert_int_equal(atomic_load(&big->refs), 1);
        media_frame_unref(big);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector),
        cmocka_unit_test(tags),
        cmocka_unit_test(start),
        cmocka_unit_test(framings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
