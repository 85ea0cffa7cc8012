/* Blocks of bytes cut into packets, and put together again. */
#include "test/support.h"

#include "rtp/pack.h"
#include "rtp/tcpframe.h"
#include "test/rtpvec.h"

#include <stdlib.h>

/* The packets of test/rtpvec.h are what a sender makes of their payloads. */
static void vectors(void **state)
{
    uint8_t buf[512];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtp_packer p;
    static const uint32_t ts[3] = { 90000, 90000, 93600 };
    size_t off = 0;

    (void)state;
    assert_int_equal(rtp_packer_init(&p, VEC_SSRC, 96, 0, true, 0), 0);
    for (unsigned i = 0; i < 3; i++)
        rtp_pack_write(&p, &w,
                       rtp_pack_begin(vec_packets[i].p + 12,
                                      vec_packets[i].n - 12u, ts[i], true));
    assert_int_equal(w.err, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(buf[off] << 8 | buf[off + 1], vec_packets[i].n);
        assert_memory_equal(buf + off + 2, vec_packets[i].p,
                            vec_packets[i].n);
        off += 2u + vec_packets[i].n;
    }
    assert_int_equal(off, w.len);
    assert_int_equal(p.packets, 3);
    assert_int_equal(p.octets, 211);
    assert_int_equal(p.seq, 3);
}

static void cut_and_join(void **state)
{
    static const size_t sizes[] = { 1, 1399, 1400, 1401, 2800, 4199, 100000 };
    uint8_t *block = malloc(100000), *back = malloc(100000);

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        block[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct rtp_block b = rtp_pack_begin(block, sizes[i], 3600, i & 1);
        struct rtp_packer p;
        struct rtp_piece piece;
        size_t len = 0, count = 0, want;

        rtp_packer_init(&p, 5, 96, 65535, false, 0);
        want = rtp_pack_count(&p, sizes[i]);
        while (rtp_pack_next(&p, &b, &piece)) {
            uint8_t whole[12 + RTP_PACK_PAYLOAD];
            struct rtp_packet pkt;

            assert_int_equal(piece.head_len, 12);
            assert_true(piece.n > 0 && piece.n <= RTP_PACK_PAYLOAD);
            memcpy(whole, piece.head, 12);
            memcpy(whole + 12, piece.payload, piece.n);
            assert_int_equal(rtp_packet_parse(&pkt, whole, 12 + piece.n), 0);
            assert_int_equal(pkt.seq, (uint16_t)(65535 + count));
            assert_int_equal(pkt.ts, 3600);
            assert_int_equal(pkt.ssrc, 5);
            count++;
            assert_int_equal(pkt.marker, (i & 1) && count == want);
            assert_int_equal(piece.last, count == want);
            memcpy(back + len, pkt.payload, pkt.payload_len);
            len += pkt.payload_len;
        }
        assert_int_equal(count, want);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(back, block, len);
    }
    free(block);
    free(back);
}

static void nothing(void **state)
{
    struct rtp_block b = rtp_pack_begin(NULL, 0, 1, true);
    struct rtp_piece piece;
    struct rtp_packer p;

    (void)state;
    rtp_packer_init(&p, 5, 96, 7, true, 0);
    assert_int_equal(rtp_pack_count(&p, 0), 0);
    assert_false(rtp_pack_next(&p, &b, &piece));
    assert_int_equal(p.seq, 7);
}

/* Room that is short by one byte: nothing is written, nothing is counted. */
static void no_room(void **state)
{
    static uint8_t block[3000], buf[3042];
    struct writer w = writer_of(buf, sizeof(buf) - 1);
    struct rtp_packer p;

    (void)state;
    rtp_packer_init(&p, 5, 96, 7, true, 0);
    rtp_pack_write(&p, &w, rtp_pack_begin(block, sizeof(block), 1, true));
    assert_int_equal(w.err, GB_ENOMEM);
    assert_int_equal(w.len, 0);
    assert_true(p.seq == 7 && p.packets == 0 && p.octets == 0);
    w = writer_of(buf, sizeof(buf));
    rtp_pack_write(&p, &w, rtp_pack_begin(block, sizeof(block), 1, true));
    assert_int_equal(w.err, 0);
    assert_int_equal(w.len, sizeof(buf));
    assert_int_equal(p.packets, 3);
}

static void ranges(void **state)
{
    struct rtp_packer p;

    (void)state;
    assert_int_equal(rtp_packer_init(&p, 1, 128, 0, true, 0), GB_ERANGE);
    assert_int_equal(
        rtp_packer_init(&p, 1, 96, 0, true, RTP_PACK_MAX_PAYLOAD + 1),
        GB_ERANGE);
    assert_int_equal(
        rtp_packer_init(&p, 1, 96, 0, true, RTP_PACK_MAX_PAYLOAD), 0);
}

/* Sender and receiver of our own: the framing takes what the packer makes. */
static void through_tcp(void **state)
{
    static uint8_t block[9000], buf[16384];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtp_tcpframe f;
    struct rtp_packer p;
    struct rtp_frame frame;
    size_t len = 0, i = 0;

    (void)state;
    for (size_t k = 0; k < sizeof(block); k++)
        block[k] = (uint8_t)(k >> 3);
    rtp_packer_init(&p, VEC_SSRC, 96, 0, true, 0);
    rtp_pack_write(&p, &w, rtp_pack_begin(block, sizeof(block), 1, true));
    rtp_tcpframe_init(&f, NULL);
    while (rtp_tcpframe_next(&f, buf, w.len, sizeof(buf), &frame) == 0) {
        assert_memory_equal(frame.p + 12, block + len, frame.n - 12);
        len += frame.n - 12;
        i++;
    }
    assert_int_equal(i, p.packets);
    assert_int_equal(len, sizeof(block));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(cut_and_join),
        cmocka_unit_test(nothing), cmocka_unit_test(no_room),
        cmocka_unit_test(ranges),  cmocka_unit_test(through_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
