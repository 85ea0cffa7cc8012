/* RTCP: vectors, compounds, every prefix, write and
 * parse. */
#include "test/support.h"

#include "rtp/rtcp.h"
#include "test/rtpvec.h"

static const uint8_t sr_bytes[28] = {
    0x80, 0xc8, 0x00, 0x06, 0x0b, 0xeb, 0xd2, 0xe1, 0xe9, 0xa1,
    0xb2, 0xc3, 0x80, 0x00, 0x00, 0x00, 0x00, 0x01, 0x5f, 0x90,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0xd3,
};

static const uint8_t rr_bytes[32] = {
    0x81, 0xc9, 0x00, 0x07, 0x0b, 0xeb, 0xd2, 0xe2, 0x0b, 0xeb, 0xd2,
    0xe1, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
};

static const struct rtcp_sr sr_value = {
    .ssrc = VEC_SSRC,
    .ntp = 0xe9a1b2c380000000ull,
    .rtp_ts = 90000,
    .packets = 3,
    .octets = 211,
};

static const struct rtcp_block block_value = { .ssrc = VEC_SSRC,
                                               .ext_seq = 2 };

static void vectors_written(void **state)
{
    uint8_t buf[64];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    rtcp_sr_write(&w, &sr_value, NULL, 0);
    assert_int_equal(w.err, 0);
    assert_int_equal(w.len, sizeof(sr_bytes));
    assert_memory_equal(buf, sr_bytes, sizeof(sr_bytes));
    w = writer_of(buf, sizeof(buf));
    rtcp_rr_write(&w, VEC_SSRC + 1, &block_value, 1);
    assert_int_equal(w.len, sizeof(rr_bytes));
    assert_memory_equal(buf, rr_bytes, sizeof(rr_bytes));
}

static void vectors_parsed(void **state)
{
    struct slice in = guarded(slice_of((const char *)sr_bytes, 28));
    const uint8_t *p = (const uint8_t *)in.p;
    size_t n = in.n;
    struct rtcp_packet pkt;
    struct rtcp_sr sr;
    struct rtcp_block b;

    (void)state;
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(n, 0);
    assert_int_equal(rtcp_sr_parse(&sr, &pkt), 0);
    assert_true(sr.ssrc == sr_value.ssrc && sr.ntp == sr_value.ntp &&
                sr.rtp_ts == 90000 && sr.packets == 3 && sr.octets == 211);
    assert_int_equal(rtcp_block_parse(&b, &pkt, 0), GB_ENOENT);
    in = guarded(slice_of((const char *)rr_bytes, 32));
    p = (const uint8_t *)in.p;
    n = in.n;
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(pkt.ssrc, VEC_SSRC + 1);
    assert_int_equal(rtcp_sr_parse(&sr, &pkt), GB_ESYNTAX);
    assert_int_equal(rtcp_block_parse(&b, &pkt, 0), 0);
    assert_int_equal(b.ssrc, VEC_SSRC);
    assert_int_equal(b.ext_seq, 2);
    assert_int_equal(rtcp_block_parse(&b, &pkt, 1), GB_ENOENT);
}

/* SR + SDES of 56 bytes and RR without blocks + SDES of 40, as seen. */
static void seen_compounds(void **state)
{
    static const uint8_t first[56] = { 0x80, 0xc8, 0, 6, [28] = 0x81, 0xca, 0,
                                       6,    0,    0, 0, 1, 1, 4, 'c', 'a',
                                       'm',  '1' };
    static const uint8_t second[40] = { 0x80, 0xc9, 0, 1, 0, 0, 0, 1, 0x81,
                                        0xca, 0,    7, 0, 0, 0, 1 };
    const uint8_t *p = first;
    size_t n = sizeof(first);
    struct rtcp_packet pkt;
    struct rtcp_sr sr;
    struct slice name;

    (void)state;
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(rtcp_sr_parse(&sr, &pkt), 0);
    assert_int_equal(rtcp_cname_parse(&name, &pkt), GB_ESYNTAX);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(pkt.type, RTCP_SDES);
    assert_int_equal(rtcp_cname_parse(&name, &pkt), 0);
    assert_true(slice_eq(name, SLICE("cam1")));
    assert_false(rtcp_next(&pkt, &p, &n));
    assert_int_equal(n, 0);
    p = second;
    n = sizeof(second);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(pkt.count, 0);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(rtcp_cname_parse(&name, &pkt), GB_ENOENT);
    assert_int_equal(n, 0);
}

static struct slice compound(uint8_t *buf, size_t cap)
{
    struct writer w = writer_of(buf, cap);
    struct rtcp_block b[2] = { block_value, { .ssrc = 9, .fraction = 255,
                                              .lost = -3, .ext_seq = 70000,
                                              .jitter = 5, .lsr = 6,
                                              .dlsr = 7 } };

    rtcp_sr_write(&w, &sr_value, b, 2);
    rtcp_rr_write(&w, 4, b, 1);
    rtcp_sdes_write(&w, 4, SLICE("34020000002000000001@10.0.0.6"));
    rtcp_bye_write(&w, 4);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void write_and_parse(void **state)
{
    uint8_t buf[512];
    struct slice all = guarded(compound(buf, sizeof(buf))), name;
    const uint8_t *p = (const uint8_t *)all.p;
    size_t n = all.n;
    struct rtcp_packet pkt;
    struct rtcp_block b;

    (void)state;
    assert_int_equal(n % 4, 0);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(rtcp_block_parse(&b, &pkt, 1), 0);
    assert_int_equal(b.lost, -3);
    assert_int_equal(b.fraction, 255);
    assert_int_equal(b.ext_seq, 70000);
    assert_int_equal(b.dlsr, 7);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(pkt.type, RTCP_RR);
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(rtcp_cname_parse(&name, &pkt), 0);
    assert_true(slice_eq(name, SLICE("34020000002000000001@10.0.0.6")));
    assert_true(rtcp_next(&pkt, &p, &n));
    assert_int_equal(pkt.type, RTCP_BYE);
    assert_true(pkt.has_ssrc);
    assert_int_equal(pkt.ssrc, 4);
    assert_int_equal(n, 0);
}

/* Names of every length fill their chunk to a word. */
static void names(void **state)
{
    static char text[RTCP_MAX_CNAME + 1];
    uint8_t buf[512];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len <= RTCP_MAX_CNAME; len++) {
        struct writer w = writer_of(buf, sizeof(buf));
        struct slice in, name;
        const uint8_t *p;
        struct rtcp_packet pkt;

        rtcp_sdes_write(&w, 1, slice_of(text, len));
        assert_int_equal(w.err, 0);
        in = guarded(writer_slice(&w));
        p = (const uint8_t *)in.p;
        assert_true(rtcp_next(&pkt, &p, &in.n));
        assert_int_equal(in.n, 0);
        assert_int_equal(rtcp_cname_parse(&name, &pkt), 0);
        assert_int_equal(name.n, len);
    }
}

/* A prefix gives a prefix of the packets, and says that something is left. */
static void prefixes(void **state)
{
    uint8_t buf[512];
    struct slice all = compound(buf, sizeof(buf));

    (void)state;
    for (size_t n = 0; n < all.n; n++) {
        struct slice in = guarded(slice_head(all, n));
        const uint8_t *p = (const uint8_t *)in.p;
        struct rtcp_packet pkt;
        struct rtcp_sr sr;
        struct rtcp_block b;
        struct slice name;
        size_t count = 0;

        while (rtcp_next(&pkt, &p, &in.n)) {
            count++;
            rtcp_sr_parse(&sr, &pkt);
            for (unsigned i = 0; i < 33; i++)
                rtcp_block_parse(&b, &pkt, i);
            rtcp_cname_parse(&name, &pkt);
        }
        assert_true(count < 4);
        assert_true(p + in.n == (const uint8_t *)in.p + n);
    }
}

static void odd_packets(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool ok;
        size_t body;
    } cases[] = {
        { "version 1", S("\x40\xc8\0\0"), false, 0 },
        { "RTP", S("\x80\x60\0\0"), false, 0 },
        { "length past the end", S("\x80\xc8\0\1"), false, 0 },
        { "no body", S("\x80\xcb\0\0"), true, 0 },
        { "padding", S("\xa1\xcb\0\2\0\0\0\1\0\0\0\4"), true, 4 },
        { "padding too large", S("\xa1\xcb\0\2\0\0\0\1\0\0\0\x20"), true, 8 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = guarded(cases[i].in);
        const uint8_t *p = (const uint8_t *)in.p;
        struct rtcp_packet pkt = { 0 };

        if (rtcp_next(&pkt, &p, &in.n) != cases[i].ok ||
            pkt.n != cases[i].body)
            fail_msg("%s", cases[i].name);
    }
}

static void refused(void **state)
{
    uint8_t buf[2048];
    static char name[RTCP_MAX_CNAME + 1];
    struct rtcp_block b[40] = { { 0 } };
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    rtcp_rr_write(&w, 1, b, RTCP_MAX_BLOCKS + 1);
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, sizeof(buf));
    rtcp_sdes_write(&w, 1, slice_of(name, sizeof(name)));
    assert_int_equal(w.err, GB_ERANGE);
    w = writer_of(buf, 27);
    rtcp_sr_write(&w, &sr_value, NULL, 0);
    assert_int_equal(w.err, GB_ENOMEM);
}

static void clocks(void **state)
{
    static const int64_t ms[] = { 0, 1, 999, 1000, 1711929600123,
                                  2085978495999 };

    (void)state;
    for (size_t i = 0; i < COUNT(ms); i++)
        assert_true(rtcp_utc_ms(rtcp_ntp(ms[i])) == ms[i]);
    assert_true(rtcp_ntp(1500) == (2208988801ull << 32 | 0x80000000u));
    assert_true(rtcp_ntp(-5) == 0 && rtcp_utc_ms(5) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_written), cmocka_unit_test(vectors_parsed),
        cmocka_unit_test(seen_compounds),  cmocka_unit_test(write_and_parse),
        cmocka_unit_test(names),           cmocka_unit_test(prefixes),
        cmocka_unit_test(odd_packets),     cmocka_unit_test(refused),
        cmocka_unit_test(clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
