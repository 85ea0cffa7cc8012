/* Video in RTP without a program stream: known by its bytes, by the answer. */
#include "test/receiver_world.h"

#include "ps/annexb.h"

static uint8_t raw_pt = 98;

/* One NAL unit as RFC 6184 has it, in fragments where it is long. */
static void give_nal(struct slice nal, bool last, unsigned drop_each)
{
    enum { PART = 1000 };
    uint8_t head = (uint8_t)nal.p[0];
    bool cut = nal.n > PART;
    size_t at = cut ? 1 : 0;

    for (; at < nal.n; w.seq++) {
        size_t n = nal.n - at < PART ? nal.n - at : PART;
        bool end = at + n == nal.n;
        uint8_t p[MAX_PACKET] = { 0x80, (uint8_t)((last && end) << 7 | raw_pt),
                                  (uint8_t)(w.seq >> 8), (uint8_t)w.seq };
        struct writer wr = writer_of(p + 4, sizeof(p) - 4);

        writer_be32(&wr, w.ts);
        writer_be32(&wr, SSRC);
        if (cut) {
            writer_char(&wr, (char)((head & 0xe0) | 28));
            writer_char(&wr, (char)((at == 1) << 7 | end << 6 | (head & 31)));
        }
        writer_bytes(&wr, nal.p + at, n);
        if (!drop_each || w.seq % drop_each != 30)
            give(p, 4 + wr.len);
        at += n;
    }
}

/* Pictures of the clip without a program stream around them. */
static void give_raw(unsigned drop_each)
{
    struct slice file = read_file("test/data/clip/clock.h264"), rest = file;
    struct slice nal, next;
    bool more = ps_annexb_next(&rest, &nal);

    for (; more; nal = next) {
        bool vcl = ps_nal_is_vcl(PS_CODEC_H264, (uint8_t)nal.p[0] & 31);

        more = ps_annexb_next(&rest, &next);
        vcl = vcl && (!more || ps_nal_begins_au(PS_CODEC_H264,
                                                (const uint8_t *)next.p, 3));
        give_nal(nal, vcl, drop_each);
        if (!vcl)
            continue;
        w.ts += 3600;
        w.now_ms += 40;
        receiver_tick(w.rx, w.now_ms);
    }
    free((void *)(uintptr_t)file.p);
}

/* A camera that sends H.264 as it is, in spite of what was asked for: it is put into
 * the program stream that it should be. */
static void video_without_a_program_stream(void **state)
{
    struct receiver_counters n;
    struct hub_stats st;
    uint64_t all;

    (void)state;
    open_world(false, true);
    give_raw(0);
    receiver_end(w.rx, w.now_ms);
    hub_stats(w.hub, w.now_ms, &st);
    all = st.frames;
    assert_true(all >= 50);
    assert_int_equal(st.width, 640);
    assert_int_equal(st.dropped + w.said[RECEIVER_UNKNOWN], 0);
    assert_true(hub_has_program(w.hub));
    assert_int_equal(receiver_kind(w.rx), RTP_KIND_H264);
    receiver_counters(w.rx, &n);
    assert_int_equal(n.corrupt + n.resyncs + n.unknown_bytes, 0);
    close_world();
    open_world(false, true);
    give_raw(40);
    receiver_end(w.rx, w.now_ms);
    hub_stats(w.hub, w.now_ms, &st);
    receiver_counters(w.rx, &n);
    assert_true(n.lost > 2);
    assert_in_range(st.frames, all - n.lost, all - 1);
    close_world();
}

/* The standard's table calls 99 SVAC, whose units look like any; the rtpmap of the
 * answer is believed before it, and no matter whether media came first. */
static void video_of_the_type_that_the_answer_names(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct hub_stats st;

        open_world(false, true);
        raw_pt = 99;
        if (late)
            give_raw(0);
        assert_int_equal(w.said[RECEIVER_CODEC], 0);
        receiver_answer(w.rx, true, SSRC, PS_CODEC_H264, PS_CODEC_UNKNOWN);
        give_raw(0);
        receiver_end(w.rx, w.now_ms);
        hub_stats(w.hub, w.now_ms, &st);
        assert_true(st.frames >= 50);
        assert_int_equal(receiver_kind(w.rx), RTP_KIND_H264);
        close_world();
        raw_pt = 98;
    }
}

/* The table's word held for want of a better one; what was begun with it ends. */
static void the_answer_takes_back_what_was_assumed(void **state)
{
    static const uint8_t slice[] = { 0x41, 0x9a, 0x38, 1, 2 };
    uint8_t p[MAX_PACKET];
    struct hub_stats st;

    (void)state;
    open_world(false, true);
    raw_pt = 100; /* H.265 */
    for (unsigned i = 0; i < RTP_KIND_PACKETS + 2; i++, w.ts += 3600)
        give(p, rtp(p, raw_pt, SSRC, slice, sizeof(slice)));
    assert_int_equal(receiver_kind(w.rx), RTP_KIND_H265);
    receiver_answer(w.rx, true, SSRC, PS_CODEC_H264, PS_CODEC_UNKNOWN);
    give_raw(0);
    receiver_end(w.rx, w.now_ms);
    hub_stats(w.hub, w.now_ms, &st);
    assert_int_equal(st.video, PS_CODEC_H264);
    assert_true(st.frames >= 50);
    close_world();
    open_world(false, true);
    receiver_answer(w.rx, true, SSRC, PS_CODEC_MPEG4, PS_CODEC_UNKNOWN);
    for (unsigned i = 0; i < RTP_KIND_PACKETS + 2; i++, w.ts += 3600)
        give(p, rtp(p, raw_pt, SSRC, slice, sizeof(slice)));
    assert_int_equal(receiver_kind(w.rx), RTP_KIND_MPEG4);
    close_world();
    raw_pt = 98;
}

/* One picture of so many bytes; lose: that packet of it. */
static void give_large(size_t bytes, bool key, unsigned lose)
{
    char *nal = malloc(bytes);

    assert_non_null(nal);
    memset(nal, 0x5a, bytes);
    nal[0] = key ? 0x65 : 0x41;
    nal[1] = (char)0x88;
    if (key) {
        give_nal(SLICE("\x67\x42\xc0\x0a\xd9\x04\x7b\x01\x10"), false, 0);
        give_nal(SLICE("\x68\xcb\x83\xcb\x20"), false, 0);
    }
    if (lose)
        w.seq = (uint16_t)(30 - lose);
    give_nal(slice_of(nal, bytes), true, lose ? 60000 : 0);
    free(nal);
    w.ts += 3600;
    w.now_ms += 40;
    receiver_tick(w.rx, w.now_ms);
}

/* A picture is passed on in parts, and is one, or none where a part is missing. */
static void large_video_without_a_program_stream(void **state)
{
    enum { BYTES = 700000 };

    (void)state;
    for (unsigned lose = 0; lose <= 600; lose += 300) {
        struct receiver_counters n;
        struct hub_stats st;
        unsigned i;

        open_world(false, true);
        w.seq = lose ? (uint16_t)(30 - lose - 2) : 0;
        give_large(BYTES, true, lose);
        assert_true(lose || w.pool.n_live < 16);
        for (i = 0; i < 3; i++)
            give_large(300, false, 0);
        w.now_ms += 3000;
        receiver_tick(w.rx, w.now_ms);
        receiver_end(w.rx, w.now_ms);
        hub_stats(w.hub, w.now_ms, &st);
        receiver_counters(w.rx, &n);
        assert_int_equal(n.lost, lose ? 1 : 0);
        assert_int_equal(n.corrupt, lose ? 1 : 0);
        assert_int_equal(st.keys, lose ? 0 : 1);
        close_world();
    }
}

/* Thousands of tiny units, of one picture and of many, hold few slabs: they are of
 * all sessions. */
static void tiny_video_without_a_program_stream(void **state)
{
    (void)state;
    open_world(false, true);
    give_large(2000, true, 0);
    for (unsigned i = 0; i < 6000; i++) {
        give_nal(i < 3000 ? SLICE("\x41\x5a\x38") : SLICE("\x41\x9a\x38"), true,
                 0);
        w.ts += i >= 3000;
        w.now_ms++;
        assert_true(w.pool.n_live < 40);
    }
    receiver_end(w.rx, w.now_ms);
    close_world();
}

/* A program stream is not given up for what looks like video beside it, whichever
 * comes first; nor for what its middle looks like where it is joined. */
static void what_only_looks_like_video(void **state)
{
    static const uint8_t like_pps[] = { 0x68, 0xcb, 0x83, 0xcb, 0x20 };
    static const uint8_t pts[] = { 112, 112, 96 };

    (void)state;
    for (unsigned i = 0; i < COUNT(pts); i++) {
        struct receiver_counters n;
        struct hub_stats st;
        uint8_t bytes[MAX_PACKET];

        open_world(true, true);
        if (i == 1)
            stream(false, 1, 0);
        give(bytes, rtp(bytes, pts[i], SSRC, like_pps, sizeof(like_pps)));
        w.n_order = 0;
        for (unsigned k = 0; k < 2; k++) {
            stream(false, 1, 0);
            if (i != 2)
                give(bytes, rtp(bytes, pts[i], SSRC, like_pps,
                                sizeof(like_pps)));
        }
        assert_int_equal(receiver_kind(w.rx),
                         i == 2 ? RTP_KIND_PS : RTP_KIND_H264);
        receiver_end(w.rx, w.now_ms);
        hub_stats(w.hub, w.now_ms, &st);
        receiver_counters(w.rx, &n);
        assert_int_equal(n.corrupt, 0);
        assert_int_equal(st.width, 640);
        assert_int_equal(st.frames, i == 1 ? 75 : 50);
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video_without_a_program_stream),
        cmocka_unit_test(video_of_the_type_that_the_answer_names),
        cmocka_unit_test(the_answer_takes_back_what_was_assumed),
        cmocka_unit_test(large_video_without_a_program_stream),
        cmocka_unit_test(tiny_video_without_a_program_stream),
        cmocka_unit_test(what_only_looks_like_video),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
