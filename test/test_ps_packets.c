/* ps/demux.c: packets as most devices send them, which are put without a look
 * or handed out at once, and when they are looked at again */
#include "test/ps_script.h"

#define PACKET 150

/* What was put from `from` on, in steps of n (0: packets), the
 * last with the marker. */
static void feed_picture(struct ps_demux *d, size_t from, size_t n,
                         uint32_t rtp_ts)
{
    struct ps_place place;

    for (size_t at = from, k; at < out.len; at += k) {
        size_t step = n ? n : PACKET;

        k = step < out.len - at ? step : out.len - at;
        ps_demux_feed(d, (const uint8_t *)out_bytes + at, k,
                      &(struct ps_feed){ .rtp_ts = rtp_ts,
                                         .packet = !n,
                                         .marker = at + k == out.len });
    }
    ps_demux_place(d, &place);
    assert_int_equal(place.pack_off, from);
}

/* Pictures as most devices send them, each a pack of one PES in several
 * packets, the last with the marker: believed after ten. Then a PES that says
 * it has a time and has none, and a scrambled one. */
static const char *usual_packets(size_t n, struct ps_counters *c)
{
    static const struct ps_options opt = { .heads_only = true };
    char es[400] = "\0\0\0\1\x41\x9a";
    struct ps_demux *d;
    size_t from;

    ps_recorder_init(&rec);
    rec.plain = false;
    d = ps_recorder_demux(&rec, &opt);
    begin();
    put(ps_vector[0]);
    put(ps_vector[1]);
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ .rtp_ts = 1 });
    for (uint32_t i = 0; i < 30; i++) {
        from = out.len;
        memset(es + 6, 0x10 + (int)i, sizeof(es) - 6);
        put_pack();
        put_pes(0xe0, slice_of(es, sizeof(es) - i), 93600 + 3600 * i);
        feed_picture(d, from, n, 2 + i);
        if (rec.n_aus != 2 + i + (i >= 10))
            fail_msg("step %zu: picture %u: %zu units", n, i, rec.n_aus);
    }
    from = out.len;
    put_pack();
    PUT("\0\0\1\xe0\0\x0c\x80\x80\0\0\0\0\1\x41\x9a\x21\x43\x65");
    feed_picture(d, from, n, 40);
    from = out.len;
    put_pack();
    PUT("\0\0\1\xe0\0\x0c\x90\0\0\0\0\0\1\x41\x9a\x21\x43\x65");
    feed_picture(d, from, n, 41);
    ps_demux_flush(d, true);
    ps_demux_counters(d, c);
    assert_int_equal(c->encrypted, 1);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

static void usual_packets_with_marker(void **state)
{
    static char want[sizeof(rec.buf)];
    struct ps_counters a, b;

    (void)state;
    strcpy(want, usual_packets(1, &a));
    for (size_t n = 0; n < 200; n++) {
        expect("usual packets", n, usual_packets(n, &b), want);
        assert_memory_equal(&a, &b, sizeof(a));
    }
}

/* So much was fed: a PES is under way, and counts are of now. */
static void knows(const struct ps_demux *d, size_t fed)
{
    struct ps_counters c;
    struct ps_place place;

    ps_demux_counters(d, &c);
    ps_demux_place(d, &place);
    assert_int_equal(c.bytes, fed);
    assert_int_equal(place.parsed_off, fed);
}

static const struct ps_options heads = { .heads_only = true };

/* The reference key frame and sound, then ten pictures that end with the
 * marker: from then on it is believed. All of one RTP time. */
static struct ps_demux *believing(void)
{
    char es[400] = "\0\0\0\1\x41\x9a";
    struct ps_demux *d;

    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, &heads);
    begin();
    put(ps_vector[0]);
    put(ps_vector[1]);
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ 0 });
    for (uint32_t i = 0; i < 12; i++) {
        size_t from = out.len;

        memset(es + 6, 0x10 + (int)i, sizeof(es) - 6);
        put_pack();
        put_pes(0xe0, slice_of(es, sizeof(es)), 93600 + 3600 * i);
        feed_picture(d, from, 0, 0);
    }
    assert_int_equal(rec.n_aus, 14);
    return d;
}

/* A picture whose PES says it has claim bytes more than come. Without the
 * marker at its end when there is none. */
static void feed_liar(struct ps_demux *d, unsigned claim, bool marker)
{
    char es[400] = "\0\0\0\1\x41\x9a";
    size_t from = out.len, pes;

    memset(es + 6, 0x77, sizeof(es) - 6);
    put_pack();
    pes = out.len;
    put_pes(0xe0, slice_of(es, sizeof(es)), 180000);
    claim += (uint8_t)out_bytes[pes + 4] << 8 | (uint8_t)out_bytes[pes + 5];
    out_bytes[pes + 4] = (char)(claim >> 8);
    out_bytes[pes + 5] = (char)claim;
    for (size_t at = from, k; at < out.len; at += k) {
        k = PACKET < out.len - at ? PACKET : out.len - at;
        ps_demux_feed(d, (const uint8_t *)out_bytes + at, k,
                      &(struct ps_feed){ .packet = true,
                                         .marker = marker &&
                                                   at + k == out.len });
        knows(d, at + k);
    }
}

/* The marker in the midst of a PES: the pack header behind it is believed, and
 * the picture that follows is whole, as if it had never been trusted. */
static void marker_against_length(void **state)
{
    for (unsigned claim = 1; claim < 0x3000; claim = claim * 3 + 1) {
        struct ps_demux *d = believing();
        struct ps_counters c;

        (void)state;
        feed_liar(d, claim, true);
        put_pack();
        put_pes(0xe0, p_es(), 190000);
        feed_picture(d, out.len - 28 - p_es().n, 0, 0);
        ps_demux_flush(d, true);
        ps_demux_counters(d, &c);
        ps_demux_free(d);
        assert_int_equal(c.resyncs, 1);
        assert_int_equal(c.dropped_aus, 1);
        assert_int_equal(rec.n_aus, 15);
        assert_non_null(strstr(rec.buf, "pts=190000"));
    }
}

/* Without the marker the claim is believed to its end, once: the picture that
 * it swallows is lost with it, and the next is whole. */
static void length_without_a_marker(void **state)
{
    struct ps_demux *d = believing();

    (void)state;
    feed_liar(d, 600, false);
    for (uint64_t i = 0; i < 4; i++) {
        char es[400] = "\0\0\0\1\x41\x9a";
        size_t from = out.len;

        memset(es + 6, 0x55, sizeof(es) - 6);
        put_pack();
        put_pes(0xe0, slice_of(es, sizeof(es)), 190000 + 3600 * i);
        for (size_t at = from, k; at < out.len; at += k) {
            k = PACKET < out.len - at ? PACKET : out.len - at;
            ps_demux_feed(d, (const uint8_t *)out_bytes + at, k,
                          &(struct ps_feed){ .packet = true });
        }
    }
    ps_demux_flush(d, true);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    assert_null(strstr(rec.buf, "pts=180000"));
    assert_null(strstr(rec.buf, "pts=190000"));
    assert_non_null(strstr(rec.buf, "pts=197200"));
    assert_non_null(strstr(rec.buf, "pts=200800"));
    assert_int_equal(rec.held, 0);
}

/* Three pieces of sound in steps of n (0: each a packet), the second behind a
 * loss. */
static const char *sound(size_t n)
{
    static const char law[] = "\xd5\xd5\xd5\xd5\xd5\xd5\xd5\xd5";
    struct ps_demux *d;

    ps_recorder_init(&rec);
    rec.plain = false;
    d = ps_recorder_demux(&rec, &heads);
    for (size_t i = 0; i < 2; i++)
        ps_feed_one(d, &rec, ps_vector[i], true);
    for (uint32_t i = 0; i < 3; i++) {
        size_t before = rec.n_aus, k;
        struct ps_place place;

        begin();
        put_pack();
        put_pes(0xc0, SLICE(law), i < 2 ? 93600 + 3600 * i : 0);
        if (i == 1)
            ps_demux_gap(d);
        for (size_t at = 0; at < out.len; at += k) {
            k = n && n < out.len - at ? n : out.len - at;
            ps_feed_one(d, &rec, slice_of(out_bytes + at, k), !at);
        }
        assert_int_equal(rec.n_aus, before + 1 + (i == 1)); /* the picture */
        ps_demux_place(d, &place);
        assert_int_equal(place.pack_off, place.parsed_off - out.len);
    }
    ps_demux_flush(d, true);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    assert_int_equal(rec.held, 0);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

/* Sound in one packet is handed out at once, and is told the same as sound
 * that came in parts: times, places, losses. */
static void sound_in_one_packet(void **state)
{
    static char want[sizeof(rec.buf)];
    struct ps_counters c;

    (void)state;
    strcpy(want, sound(1));
    c = count;
    assert_non_null(strstr(want, "g711a pts=97200 rtp=0 discontinuity"));
    for (size_t n = 0; n < 40; n++) {
        expect("sound", n, sound(n), want);
        assert_memory_equal(&c, &count, sizeof(c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_packets_with_marker),
        cmocka_unit_test(marker_against_length),
        cmocka_unit_test(length_without_a_marker),
        cmocka_unit_test(sound_in_one_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
