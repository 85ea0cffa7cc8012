/* rtp/unpack: access units out of RTP payloads. */
#include "test/support.h"

#include "base/writer.h"
#include "rtp/unpack.h"

#define CODE "\0\0\0\1"
#define SPS "\x67\x42\xc0\x0a\xd9\x04\x7b\x01\x10"
#define PPS "\x68\xcb\x83\xcb\x20"
#define P_NAL "\x41\x9a\x38\x15\xe3\x60"
#define P_H265 "\x02\x01\xd0\x09\x7e\x10"

static char units[1 << 19];
static struct writer out;
static struct { unsigned n, keys, lost, parts; uint32_t ts; } got;

static void on_unit(void *ctx, const struct rtp_unit *u)
{
    (void)ctx;
    assert_true(u->bytes.n > 0);
    writer_slice_put(&out, u->bytes);
    got.n++;
    got.keys += u->key;
    got.lost += u->lost;
    got.parts += u->part;
    got.ts = u->ts;
}

static struct rtp_unpack *begin(enum rtp_kind kind)
{
    struct rtp_unpack *u;

    memset(&got, 0, sizeof(got));
    out = writer_of(units, sizeof(units));
    assert_int_equal(rtp_unpack_new(&u, &gb_alloc_heap, kind, on_unit, NULL),
                     0);
    return u;
}

static void feed(struct rtp_unpack *u, struct slice s, uint32_t ts, bool marker,
                 bool gap)
{
    struct slice g = guarded(s);

    rtp_unpack_feed(u, &(struct rtp_unpack_packet){ (const uint8_t *)g.p, g.n,
                                                    ts, marker, gap });
}

static void expect(struct slice want)
{
    assert_int_equal(out.err, 0);
    if (!slice_eq(writer_slice(&out), want))
        fail_msg("%zu bytes, not %zu", out.len, want.n);
    out.len = 0;
}

static void single_aggregated_fragmented(void **state)
{
    struct rtp_unpack *u = begin(RTP_KIND_H264);

    (void)state;
    feed(u, SLICE("\x78\0\x09" SPS "\0\5" PPS), 1, false, false);
    feed(u, SLICE("\x65\x88"), 1, true, false);
    expect(SLICE(CODE SPS CODE PPS CODE "\x65\x88"));
    feed(u, SLICE("\x5c\x81\x9a\x38"), 2, false, false);
    feed(u, SLICE("\x5c\x01\x15\xe3"), 2, false, false);
    feed(u, SLICE("\x5c\x41\x60"), 2, true, false);
    expect(SLICE(CODE P_NAL));
    feed(u, SLICE("\x79\0\7\0\5" PPS), 3, false, false); /* STAP-B */
    feed(u, SLICE("\x5d\x81\0\7\x9a\x38\x15\xe3"), 3, false, false); /* FU-B */
    feed(u, SLICE("\x5c\x41\x60"), 3, true, false);
    expect(SLICE(CODE PPS CODE P_NAL));
    assert_int_equal(got.n, 3);
    assert_int_equal(got.keys, 1);
    assert_int_equal(got.lost, 0);
    rtp_unpack_free(u);
    u = begin(RTP_KIND_H265);
    feed(u, SLICE("\x62\x01\x81\xd0\x09"), 1, false, false);
    feed(u, SLICE("\x62\x01\x41\x7e\x10"), 1, true, false);
    feed(u, SLICE("\x60\x01\0\6" P_H265 "\0\4\x26\x01\xaf\x1d"), 2, true, false);
    expect(SLICE(CODE P_H265 CODE P_H265 CODE "\x26\x01\xaf\x1d"));
    assert_int_equal(got.keys, 1);
    rtp_unpack_free(u);
}

/* Never a marker, always one, a time that stands still, start codes. */
static void where_units_end(void **state)
{
    struct rtp_unpack *u = begin(RTP_KIND_H264);
    static char large[60000];

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        feed(u, SLICE(P_NAL), i, false, false);
    assert_int_equal(got.n, 2);
    rtp_unpack_flush(u);
    rtp_unpack_flush(u);
    assert_int_equal(got.n, 3);
    rtp_unpack_free(u);
    u = begin(RTP_KIND_H264);
    feed(u, SLICE("\x5c\x81\x9a\x38"), 9, true, false); /* in a fragment */
    rtp_unpack_flush(u);
    assert_int_equal(got.n, 0);
    feed(u, SLICE("\x5c\x41\x60"), 9, true, false);
    expect(SLICE(CODE "\x41\x9a\x38\x60"));
    memset(large, 0x41, sizeof(large));
    for (unsigned i = 0; i < 5; i++)
        feed(u, slice_of(large, sizeof(large)), 9, false, false);
    assert_int_equal(got.n, 3); /* in parts, of an end that does not come */
    assert_int_equal(got.parts, 2);
    out.len = 0;
    rtp_unpack_free(u);
    u = begin(RTP_KIND_ANNEXB_H265);
    feed(u, SLICE(CODE "\x40\x01"), 9, false, false);
    feed(u, SLICE("\x0c"), 9, true, false);
    expect(SLICE(CODE "\x40\x01\x0c"));
    rtp_unpack_free(u);
}

static void losses(void **state)
{
    struct rtp_unpack *u = begin(RTP_KIND_H264);

    (void)state;
    feed(u, SLICE("\x5c\x81\x9a\x38"), 1, false, false);
    feed(u, SLICE("\x5c\x41\x60"), 1, true, true); /* the middle is gone */
    assert_int_equal(got.n, 0);
    feed(u, SLICE(P_NAL), 2, true, false);
    assert_int_equal(got.lost, 1);
    feed(u, SLICE("\x5c\x01\x15\xe3"), 3, false, true); /* the beginning */
    feed(u, SLICE("\x5c\x41\x60"), 3, true, false);
    feed(u, SLICE("\x5c\x81\x9a\x38"), 4, false, false); /* the end */
    feed(u, SLICE(P_NAL), 5, true, true);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.lost, 2);
    feed(u, SLICE("\x78\0\x20" PPS), 6, true, false); /* a wrong length */
    feed(u, SLICE("\x78\0"), 7, true, false);
    feed(u, SLICE("\x7f\1\2"), 8, true, false);
    feed(u, SLICE(""), 8, true, false);
    feed(u, SLICE(P_NAL), 9, true, false);
    assert_int_equal(got.n, 3);
    assert_int_equal(got.ts, 9);
    rtp_unpack_free(u);
}

static void limits(void **state)
{
    static char large[60000];
    struct rtp_unpack *u;
    size_t all = 4;

    (void)state;
    assert_int_equal(rtp_unpack_new(&u, &gb_alloc_heap, RTP_KIND_PS, on_unit,
                                    NULL), GB_EUNSUPPORTED);
    u = begin(RTP_KIND_H264);
    large[0] = 0x5c;
    large[1] = (char)0x85;
    for (unsigned i = 0; i < 100; i++) { /* more than is kept comes out */
        feed(u, slice_of(large, sizeof(large)), 1, false, false);
        large[1] = 5;
        all += sizeof(large) - 2 + (i == 0);
        assert_in_range(out.len, all > RTP_UNIT_PART ? all - RTP_UNIT_PART : 0,
                        all);
        all -= out.len;
        out.len = 0;
    }
    assert_int_equal(got.n, got.parts);
    large[1] = 0x45;
    feed(u, slice_of(large, 3), 1, true, false);
    assert_int_equal(out.len, all + 1);
    assert_int_equal(got.parts, got.n - 1);
    assert_int_equal(got.keys, 1);
    out.len = 0;
    feed(u, SLICE(P_NAL), 2, true, false);
    expect(SLICE(CODE P_NAL));
    assert_int_equal(got.lost, 0);
    rtp_unpack_free(u);
    rtp_unpack_free(NULL);
}

static void any_bytes(void **state)
{
    static const enum rtp_kind kinds[] = { RTP_KIND_H264, RTP_KIND_H265 };
    uint64_t rnd = 11;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        static struct rtp_unpack *u;
        uint8_t bytes[12];
        size_t n = test_random(&rnd) % sizeof(bytes);

        if (i % 50 == 0) {
            rtp_unpack_free(u);
            u = begin(kinds[i / 50 % 2]);
        }
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)test_random(&rnd);
        feed(u, slice_of((const char *)bytes, n), (uint32_t)test_random(&rnd) % 3,
             test_random(&rnd) % 3 == 0, test_random(&rnd) % 9 == 0);
        out.len = 0;
        if (i == 19999)
            rtp_unpack_free(u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_aggregated_fragmented),
        cmocka_unit_test(where_units_end),
        cmocka_unit_test(losses),
        cmocka_unit_test(limits),
        cmocka_unit_test(any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
