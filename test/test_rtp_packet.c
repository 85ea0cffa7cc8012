/* RTP headers: fields, optional parts, prefixes, write and parse. */
#include "test/support.h"

#include "rtp/packet.h"
#include "test/rtpvec.h"

static const uint8_t *u8(struct slice s)
{
    return (const uint8_t *)s.p;
}

static void vector(void **state)
{
    struct slice in = guarded(slice_of((const char *)vec_key, 141));
    struct rtp_packet p;

    (void)state;
    assert_int_equal(rtp_packet_parse(&p, u8(in), in.n), 0);
    assert_int_equal(p.pt, 96);
    assert_true(p.marker);
    assert_int_equal(p.seq, 0);
    assert_int_equal(p.ts, 90000);
    assert_int_equal(p.ssrc, VEC_SSRC);
    assert_int_equal(p.n_csrc, 0);
    assert_false(p.has_ext);
    assert_int_equal(p.payload_len, 129);
    assert_ptr_equal(p.payload, in.p + 12);
}

static void cases(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        size_t off, len; /* of the payload */
    } rows[] = {
        { "header alone", S("\x80\x60\0\1\0\0\0\0\0\0\0\1"), 0, 12, 0 },
        { "version 1", S("\x40\x60\0\1\0\0\0\0\0\0\0\1"), GB_ESYNTAX, 0, 0 },
        { "version 3", S("\xc0\x60\0\1\0\0\0\0\0\0\0\1"), GB_ESYNTAX, 0, 0 },
        { "one CSRC", S("\x81\x60\0\1\0\0\0\0\0\0\0\1\0\0\0\2xy"), 0, 16, 2 },
        { "CSRC missing", S("\x82\x60\0\1\0\0\0\0\0\0\0\1\0\0\0\2xy"),
          GB_ERANGE, 0, 0 },
        { "extension",
          S("\x90\x60\0\1\0\0\0\0\0\0\0\1\xbe\xde\0\1\0\0\1\xbaxyz"), 0, 20,
          3 },
        { "empty extension", S("\x90\x60\0\1\0\0\0\0\0\0\0\1\xbe\xde\0\0x"), 0,
          16, 1 },
        { "extension too long",
          S("\x90\x60\0\1\0\0\0\0\0\0\0\1\xbe\xde\xff\xff\0\0\1\xba"),
          GB_ERANGE, 0, 0 },
        { "extension header cut", S("\x90\x60\0\1\0\0\0\0\0\0\0\1\xbe\xde\0"),
          GB_ERANGE, 0, 0 },
        { "padding", S("\xa0\x60\0\1\0\0\0\0\0\0\0\1xy\0\0\0\4"), 0, 12, 2 },
        { "padding is all", S("\xa0\x60\0\1\0\0\0\0\0\0\0\1\0\0\0\4"), 0, 12,
          0 },
        { "padding of 0", S("\xa0\x60\0\1\0\0\0\0\0\0\0\1xyz\0"), 0, 12, 4 },
        { "padding too large", S("\xa0\x60\0\1\0\0\0\0\0\0\0\1xyz\5"), 0, 12,
          4 },
        { "padding of nothing", S("\xa0\x60\0\1\0\0\0\0\0\0\0\1"), 0, 12, 0 },
        { "all three",
          S("\xb1\xe0\0\1\0\0\0\0\0\0\0\1\0\0\0\2\xbe\xde\0\1\0\0\1\xba"
            "abc\0\0\0\4"),
          0, 24, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice in = guarded(rows[i].in);
        struct rtp_packet p = { 0 };
        int err = rtp_packet_parse(&p, u8(in), in.n);

        if (err != rows[i].err ||
            (!err && ((size_t)(p.payload - u8(in)) != rows[i].off ||
                      p.payload_len != rows[i].len)))
            fail_msg("%s: %s, %zu bytes", rows[i].name, gb_strerror(err),
                     p.payload_len);
    }
}

static void prefixes(void **state)
{
    (void)state;
    for (size_t n = 0; n < 12; n++) {
        struct slice in = guarded(slice_of((const char *)vec_key, n));
        struct rtp_packet p;

        assert_int_equal(rtp_packet_parse(&p, u8(in), n), GB_ERANGE);
        assert_int_equal(rtp_classify(u8(in), n), RTP_CLASS_NONE);
    }
}

static void classes(void **state)
{
    uint8_t p[12] = { 0x80 };

    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        p[1] = (uint8_t)b;
        assert_int_equal(rtp_classify(p, 12), b >= 192 && b <= 223
                                                  ? RTP_CLASS_RTCP
                                                  : RTP_CLASS_RTP);
    }
    p[1] = 201;
    assert_int_equal(rtp_classify(p, 8), RTP_CLASS_RTCP);
    p[1] = 96;
    assert_int_equal(rtp_classify(p, 11), RTP_CLASS_NONE);
    p[0] = 0x40;
    assert_int_equal(rtp_classify(p, 12), RTP_CLASS_NONE);
}

/* Random packets with any of the optional parts, out and in again. */
static void write_and_parse(void **state)
{
    uint64_t seed = 4711;

    (void)state;
    for (unsigned round = 0; round < 5000; round++) {
        uint64_t r = test_random(&seed);
        uint32_t csrc[RTP_MAX_CSRC] = { 1, 2, 3 };
        uint8_t ext[64] = { 9, 8, 7 }, data[64], buf[512];
        uint8_t pad = (uint8_t)((r >> 40) % 3 ? 0 : (r >> 44) & 31);
        struct writer w = writer_of(buf, sizeof(buf));
        struct rtp_packet got, p = {
            .pt = r & 127,
            .marker = r >> 7 & 1,
            .seq = (uint16_t)(r >> 8),
            .ts = (uint32_t)(r >> 16),
            .ssrc = (uint32_t)(r >> 24),
            .n_csrc = (uint8_t)((r >> 50) & 15),
            .has_ext = r >> 55 & 1,
            .ext_profile = 0xbede,
            .ext = ext,
            .ext_len = (r >> 55 & 1) ? ((r >> 56) & 15) * 4 : 0,
            .payload = data,
            .payload_len = (r >> 58) & 31,
        };
        struct slice in;

        memset(data, (int)round, sizeof(data));
        rtp_packet_write(&w, &p, csrc, pad);
        assert_int_equal(w.err, 0);
        in = guarded(writer_slice(&w));
        assert_int_equal(rtp_packet_parse(&got, u8(in), in.n), 0);
        assert_true(got.pt == p.pt && got.marker == p.marker &&
                    got.seq == p.seq && got.ts == p.ts && got.ssrc == p.ssrc &&
                    got.n_csrc == p.n_csrc && got.has_ext == p.has_ext &&
                    got.ext_len == p.ext_len &&
                    got.payload_len == p.payload_len);
        assert_memory_equal(got.ext, ext, got.ext_len);
        assert_memory_equal(got.payload, data, got.payload_len);
    }
}

static void refused(void **state)
{
    uint8_t buf[64];
    struct rtp_packet p = { .pt = 128 };
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    rtp_packet_write(&w, &p, NULL, 0);
    assert_int_equal(w.err, GB_ERANGE);
    p = (struct rtp_packet){ .has_ext = true, .ext_len = 3 };
    w = writer_of(buf, sizeof(buf));
    rtp_packet_write(&w, &p, NULL, 0);
    assert_int_equal(w.err, GB_ERANGE);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector),          cmocka_unit_test(cases),
        cmocka_unit_test(prefixes),        cmocka_unit_test(classes),
        cmocka_unit_test(write_and_parse), cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
