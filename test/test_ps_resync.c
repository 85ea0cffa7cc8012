/* ps/resync.c: gaps, wrong lengths, PES without one, and back to the stream. */
#include "test/ps_script.h"

#include "ps/sync.h"

/* --- a gap --- */

/* One packet of the split key frame is lost: the frame is gone, a viewer that
 * waits for a key frame sees no P frame, and the audio is there. */
static void loss(void **state)
{
    static const char audio[] = "au c0 g711a pts=90000 16 bytes crc=";
    struct slice first = ps_vector[0];

    (void)state;
    for (size_t n = 1; n < first.n; n++) {
        for (size_t drop = 0; drop * n < first.n; drop++) {
            struct ps_demux *d;

            ps_recorder_init(&rec);
            rec.wait_key = true;
            d = ps_recorder_demux(&rec, &(struct ps_options){
                                            .audio_hint = PS_CODEC_G711A });
            for (size_t i = 0; i * n < first.n; i++) {
                struct slice s = slice_head(slice_from(first, i * n), n);

                if (i == drop)
                    ps_demux_gap(d);
                else
                    ps_demux_feed(d, (const uint8_t *)s.p, s.n,
                                  &(struct ps_feed){ .packet = true });
            }
            for (size_t i = 1; i < 3; i++)
                ps_demux_feed(d, (const uint8_t *)ps_vector[i].p,
                              ps_vector[i].n,
                              &(struct ps_feed){ .packet = true });
            ps_demux_flush(d, true);
            ps_demux_free(d);
            rec.buf[rec.text.len] = 0;
            if (memcmp(rec.buf, audio, sizeof(audio) - 1) != 0 ||
                strstr(rec.buf, " e0 "))
                fail_msg("packets of %zu, without %zu: %s", n, drop, rec.buf);
        }
    }
}

/* A gap between two frames costs neither. */
static void loss_between_frames(void **state)
{
    struct ps_demux *d;

    (void)state;
    ps_recorder_init(&rec);
    rec.plain = false;
    d = ps_recorder_demux(&rec, NULL);
    for (size_t i = 0; i < 3; i++) {
        ps_demux_feed(d, (const uint8_t *)ps_vector[i].p, ps_vector[i].n,
                      &(struct ps_feed){ .packet = true,
                                         .rtp_ts = 7 + (uint32_t)i });
        if (i == 1)
            ps_demux_gap(d);
    }
    ps_demux_flush(d, true);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    expect("gap", 0, rec.buf,
           "au c0 g711a pts=90000 rtp=8 16 bytes crc=bf3bfe61\n"
           "au e0 h264 key pts=90000 rtp=7 nals 7:23 8:5 5:19 59 bytes "
           "crc=6343830c\n"
           "au e0 h264 pts=93600 rtp=9 discontinuity nals 1:6 10 bytes "
           "crc=6e625c11\n");
}

/* Where pictures are cut into PES of one size, an end behind such a PES leaves a
 * part of one. */
static void an_end_inside_a_picture(void **state)
{
    struct slice key = part(key_es(), 0, 50);

    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct ps_counters c;
        struct ps_demux *d;
        struct slice all;

        begin();
        put(part(ps_vector[0], 0, PES_AT));
        put_pes(0xe0, key, 90000);
        put_pes(0xe0, part(key_es(), 50, key_es().n), 0);
        put_pack();
        put_pes(0xe0, key, 93600);
        if (whole)
            put_pes(0xe0, part(key_es(), 50, key_es().n), 0);
        all = done();
        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        ps_demux_feed(d, (const uint8_t *)all.p, all.n,
                      &(struct ps_feed){ 0 });
        ps_demux_flush(d, true);
        ps_demux_counters(d, &c);
        ps_demux_free(d);
        assert_int_equal(c.aus, 1 + whole);
        assert_int_equal(c.corrupt_aus, !whole);
    }
}

static void deliver_corrupt(void **state)
{
    static const struct ps_options opt = { .deliver_corrupt = true };
    struct ps_demux *d;

    (void)state;
    ps_recorder_init(&rec);
    rec.plain = false;
    d = ps_recorder_demux(&rec, &opt);
    ps_demux_feed(d, (const uint8_t *)ps_vector[0].p, ps_vector[0].n - 9,
                  &(struct ps_feed){ 0 });
    ps_demux_gap(d);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    if (!strstr(rec.buf, "key pts=90000 rtp=0 corrupt nals 7:23 8:5 5:10 "))
        fail_msg("%s", rec.buf);
    assert_int_equal(count.corrupt_aus, 1);
    assert_int_equal(count.dropped_aus, 0);
}

/* One packet of out, from offset at on. */
static void feed_packet(struct ps_demux *d, size_t at, bool marker)
{
    struct slice s = slice_from(done(), at);

    ps_demux_feed(d, (const uint8_t *)s.p, s.n,
                  &(struct ps_feed){ .packet = true, .marker = marker });
}

/* Pictures of two slices, each in a packet, the second with the marker: once
 * that is believed, a picture without it has lost something. */
static void loss_of_the_marker(void **state)
{
    static const struct slice second = S("\0\0\1\x41\x46\x11\x22");

    (void)state;
    for (size_t n = 1; n <= 12; n += 11) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        begin();
        put(ps_vector[0]);
        feed_packet(d, 0, true);
        for (size_t i = 1; i <= n; i++) {
            size_t at = out.len;

            put_pack();
            put_pes(0xe0, p_es(), 90000 + i * 3600);
            feed_packet(d, at, false);
            at = out.len;
            put_pes(0xe0, second, 0);
            if (i < n)
                feed_packet(d, at, true);
        }
        ps_demux_gap(d);
        ps_demux_counters(d, &count);
        ps_demux_free(d);
        assert_int_equal(count.corrupt_aus, n == 12);
        assert_int_equal(count.aus, n == 12 ? 12 : 2);
    }
}

/* The demuxer after a loss in front of bytes, fed as packets of n. */
static const char *run_behind_gap(struct slice before, struct slice behind)
{
    struct ps_demux *d;

    ps_recorder_init(&rec);
    rec.plain = false;
    d = ps_recorder_demux(&rec, NULL);
    ps_demux_feed(d, (const uint8_t *)before.p, before.n,
                  &(struct ps_feed){ .packet = true });
    ps_demux_gap(d);
    ps_demux_feed(d, (const uint8_t *)behind.p, behind.n,
                  &(struct ps_feed){ .packet = true });
    ps_demux_flush(d, true);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

/* A PES without a length, or with the largest one, which may be meant. */
static void put_open_pes(uint8_t length, struct slice es, uint64_t pts)
{
    size_t at = out.len + 4;

    put_pes(0xe0, es, pts);
    out_bytes[at] = out_bytes[at + 1] = (char)length;
}

/* A loss behind every byte of a picture, which is dropped; the one in front of
 * it is whole, also where no more than a part of a start code is there. */
static void loss_behind_every_byte(void **state)
{
    size_t at, start;

    (void)state;
    begin();
    put(ps_vector[0]);
    put(ps_vector[2]);
    start = out.len;
    put_pack();
    put_pes(0xe0, p_es(), 97200);
    at = out.len;
    put_pack();
    put_pes(0xe0, p_es(), 100800);
    for (size_t n = start; n < at; n++) {
        run_behind_gap(slice_head(done(), n), slice_from(done(), at));
        if (!strstr(rec.buf, "pts=93600") || strstr(rec.buf, "pts=97200") ||
            count.aus != 3)
            fail_msg("behind byte %zu: %s", n - start, rec.buf);
    }
}

/* Likewise, and the pictures are in PES without a length, from where it is sure that
 * the one in front has ended. */
static void loss_behind_every_byte_of_an_open_pes(void **state)
{
    size_t at, start;

    (void)state;
    begin();
    put(ps_vector[0]);
    put_pack();
    put_open_pes(0, p_es(), 93600);
    start = out.len;
    put_pack();
    put_open_pes(0, p_es(), 97200);
    at = out.len;
    put_pack();
    put_open_pes(0, p_es(), 100800);
    for (size_t n = start + PS_SYNC_BYTES; n < at; n++) {
        run_behind_gap(slice_head(done(), n), slice_from(done(), at));
        if (!strstr(rec.buf, "pts=93600") || strstr(rec.buf, "pts=97200") ||
            !strstr(rec.buf, "pts=100800"))
            fail_msg("behind byte %zu: %s", n - start, rec.buf);
    }
}

/* The rest of a picture, in packs that tell its time once more, is dropped; the
 * times are not those of the next one, which has its own. */
static void times_behind_a_gap(void **state)
{
    static const struct slice aud = S("\0\0\0\1\x09\xf0");
    size_t at;

    (void)state;
    for (int with_aud = 0; with_aud < 2; with_aud++) {
        begin();
        put(ps_vector[0]);
        put_rest();
        at = out.len;
        for (int i = 0; i < 2; i++) {
            put_pack();
            put_pes(0xe0, SLICE("\x11\x22\x33\x44"), 97200);
        }
        put_pack();
        if (with_aud)
            put_pes(0xe0, aud, 100800);
        put_pes(0xe0, p_es(), 100800);
        run_behind_gap(slice_head(done(), at), slice_from(done(), at));
        if (!strstr(rec.buf, "au e0 h264 pts=100800 rtp=0 discontinuity"))
            fail_msg("%d: %s", with_aud, rec.buf);
    }
}

/* Where no PES tells a length, one says nothing of how much of a picture is
 * missing: it is whole, unless pictures go on behind one. */
static void gap_without_lengths(void **state)
{
    size_t at, n = p_es().n;

    (void)state;
    for (int split = 0; split < 2; split++) {
        begin();
        put(part(ps_vector[0], 0, PES_AT));
        for (uint64_t i = 0; i < 5; i++) {
            if (i)
                put_pack();
            put_open_pes(0, i ? p_es() : key_es(), 90000 + i * 3600);
            if (split)
                put_open_pes(0, part(p_es(), n - 2, n), 0);
        }
        PUT("\0\0\1\xbe\0\x04\xff\xff\xff\xff"); /* ends it */
        at = out.len;
        put_pack();
        put_open_pes(0, p_es(), 108000);
        PUT("\0\0\1\xbe\0\x04\xff\xff\xff\xff"); /* ends it */
        run_behind_gap(slice_head(done(), at), slice_from(done(), at));
        assert_int_equal(count.corrupt_aus, split);
        assert_int_equal(count.aus, 6 - split);
    }
}

/* --- a wrong length --- */

static void lost_structure(void **state)
{
    (void)state;
    begin();
    put(ps_vector[0]);
    PUT("\x11\x22\0\0\1\x41\x11"); /* PES shorter than its payload */
    put(ps_vector[1]);
    put(ps_vector[2]);
    expect_any_cut("length too short", done(), NULL,
                   "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
                   "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n");
    assert_int_equal(count.resyncs, 1);
    assert_int_equal(count.skipped_bytes, 7);
    assert_int_equal(count.dropped_aus, 1);
}

/* Its length tells so many bytes less than it has. */
static void put_short_pes(uint8_t id, struct slice es, uint64_t pts,
                          unsigned less)
{
    size_t at = out.len;

    put_pes(id, es, pts);
    assert_true((uint8_t)out_bytes[at + 5] >= less);
    out_bytes[at + 5] = (char)(out_bytes[at + 5] - (int)less);
}

/* A key picture in two PES, sound, pictures that end with these bytes. */
static void put_short_lengths(struct slice end, unsigned less)
{
    char es[64];
    struct writer w = writer_of(es, sizeof(es));

    writer_slice_put(&w, p_es());
    writer_slice_put(&w, end);
    put(part(ps_vector[0], 0, PES_AT));
    put_short_pes(0xe0, slice_head(key_es(), 40), 90000, less);
    put_short_pes(0xe0, slice_from(key_es(), 40), 0, less);
    put(ps_vector[1]);
    for (unsigned i = 1; i <= 3; i++) {
        put_pack();
        put_short_pes(0xe0, writer_slice(&w), 90000 + i * 3600, less);
    }
    put(ps_vector[0]);
}

/* media 10.3: the next header is found behind the end that was told, and what
 * is in between belongs to the picture. */
static void length_short_by_a_few_bytes(void **state)
{
    static const struct ps_options heads = { .heads_only = true };
    static const struct slice ends[] = {
        S(""), S("\x55\x80"), S("\x80\0\0\3"), S("\xff\x80"),
        S("\x80\0\0\x40"), S("\x01\xba\xe0"),
    };
    static char want[sizeof(rec.buf)];

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(ends); i++)
        for (unsigned less = 1; less <= 3; less++) {
            const struct ps_options *opt = i % 2 ? &heads : NULL;

            begin();
            put_short_lengths(ends[i / 2], 0);
            memcpy(want, run(done(), 0, false, opt), sizeof(want));
            assert_int_equal(count.aus, 6);
            begin();
            put_short_lengths(ends[i / 2], less);
            expect_any_cut(opt ? "heads only" : "all", done(), opt, want);
            assert_int_equal(count.resyncs, 0);
            assert_int_equal(count.skipped_bytes, 0);
            assert_int_equal(count.bad_headers, 5);
        }
    begin();
    put_short_lengths(ends[1], 4); /* which is no few any more */
    run(done(), 0, false, NULL);
    assert_int_equal(count.resyncs, 4);
}

/* Lengths that never fit are believed no more: the pictures come whole. One
 * that does in between is of a device that knows how. */
static void lengths_that_are_always_wrong(void **state)
{
    static const int wrong[] = { -500, -4, 3, 14, 400, 20000 };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong) * 2; i++) {
        bool some = i % 2;
        char es[1400] = "\0\0\0\1\x41\x9a";
        struct ps_demux *d;

        memset(es + 6, 0x55, sizeof(es) - 6);
        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        ps_feed_one(d, &rec, ps_vector[0], true);
        for (unsigned k = 1; k <= 40; k++) {
            size_t at;

            begin();
            put_pack();
            at = out.len;
            put_pes(0xe0, slice_of(es, sizeof(es)), 90000 + k * 3600);
            if (k % 3 || !some) {
                unsigned len = (unsigned)(sizeof(es) + 8) +
                               (unsigned)wrong[i / 2];

                out_bytes[at + 4] = (char)(len >> 8);
                out_bytes[at + 5] = (char)len;
            }
            ps_feed_one(d, &rec, part(done(), 0, 700), true);
            ps_feed_one(d, &rec, slice_from(done(), 700), true);
        }
        ps_demux_flush(d, true);
        ps_demux_counters(d, &count);
        ps_demux_free(d);
        assert_int_equal(rec.held, 0);
        if (some)
            assert_true(count.resyncs >= 26);
        else
            assert_true(count.aus >= 1 + 40 - 5 && count.resyncs <= 5);
    }
}

/* Bytes of some pictures were lost unseen. Behind them the lengths are believed
 * again: a picture that its marker ends does not wait for the next one. */
static void lengths_that_were_wrong_for_a_while(void **state)
{
    enum { LOST_FROM = 5, LOST_TO = 10, PICTURES = 40 };
    static char es[1000] = "\0\0\0\1\x41\x9a";
    struct ps_demux *d;

    (void)state;
    memset(es + 6, 0x55, sizeof(es) - 6);
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    ps_feed_one(d, &rec, ps_vector[0], true);
    begin();
    for (unsigned k = 0; k < PICTURES; k++) {
        size_t from = out.len, before = rec.n_aus;

        put_pack();
        put_pes(0xe0, slice_of(es, sizeof(es)), 93600 + k * 3600);
        if (k >= LOST_FROM && k < LOST_TO)
            out.len -= sizeof(es) / 2;
        ps_demux_feed(d, (const uint8_t *)done().p + from, out.len - from,
                      &(struct ps_feed){ .packet = true, .marker = true });
        if (k == PICTURES - 1)
            assert_int_equal(rec.n_aus, before + 1);
    }
    assert_int_equal(rec.n_aus, 1 + PICTURES - (LOST_TO - LOST_FROM) + 1);
    ps_demux_free(d);
}

/* Of sound they are missing, but it plays on, and pictures do. */
static void length_of_sound_short(void **state)
{
    (void)state;
    for (size_t less = 1; less <= 3; less++) {
        begin();
        put(ps_vector[0]);
        put(ps_vector[1]);
        out_bytes[ps_vector[0].n + 14 + 5] -= (char)less;
        put(ps_vector[2]);
        run(done(), 0, true, NULL);
        assert_non_null(strstr(rec.buf, "key pts=90000 nals 7:23 8:5 5:19"));
        assert_non_null(strstr(rec.buf, "au c0 g711a pts=90000 1"));
        assert_non_null(strstr(rec.buf, "au e0 h264 pts=93600 nals 1:6"));
        assert_int_equal(count.resyncs, 0);
        assert_int_equal(count.skipped_bytes, less);
    }
}

/* A system header whose length is wrong, in every pack with a key picture. Too
 * short: the map is found behind it. Too long: it ends where the map begins. */
static void system_header_of_a_wrong_length(void **state)
{
    (void)state;
    for (int off = -2; off <= 2; off++) {
        begin();
        put(ps_vector[0]);
        put_rest();
        out_bytes[SYSTEM_AT + 5] = (char)(out_bytes[SYSTEM_AT + 5] + off);
        expect_any_cut("wrong length", done(), NULL, ps_vector_text);
        assert_int_equal(count.resyncs, off < 0);
        assert_int_equal(count.bad_headers, off > 0);
        assert_int_equal(count.psms, 1);
    }
}

/* The same in the midst of a key picture, of which each PES is in a pack of its
 * own, and the last one has system header and map: the picture is whole. */
static void system_header_inside_a_picture(void **state)
{
    const size_t map_at = SYSTEM_AT + 6 + (uint8_t)ps_vector[0].p[SYSTEM_AT + 5];
    struct slice es = key_es();
    static char want[sizeof(rec.buf)];

    (void)state;
    begin();
    put(ps_vector[0]);
    put_rest();
    put_pack();
    put_pes(0xe0, slice_head(es, es.n / 2), 97200);
    put_pack();
    PUT("\0\0\1\xbb\0\x10\x80\x04\xff\xff\xe0\x07\xc0\x0f\xe0\x20\0\xbd\1\0");
    put(part(ps_vector[0], map_at, PES_AT));
    put_pes(0xe0, slice_from(es, es.n / 2), 97200);
    memcpy(want, run(done(), 0, false, NULL), sizeof(want));
    assert_non_null(strstr(want, "au e0 h264 key pts=97200 nals 7:23 8:5 5:19 "
                                 "crc=6343830c\n"));
    expect_any_cut("inside", done(), NULL, want);
    assert_int_equal(count.resyncs, 0);
    assert_int_equal(count.skipped_bytes, 0);
    assert_int_equal(count.psms, 2);
}

/* Of sound that tells no length, seen when its long header has been gathered:
 * what came in it is fed again, all of it. */
static void long_header_refused(void **state)
{
    static char want[sizeof(rec.buf)];

    (void)state;
    begin();
    put(ps_vector[0]);
    PUT("\x11\x22\x33\x44\x55\0\0\1\xc0\0\0\x80\0\x7f");
    put_rest();
    put(ps_vector[0]);
    put_rest();
    memcpy(want, run(done(), 0, false, NULL), sizeof(want));
    assert_int_equal(count.aus, 5);
    assert_int_equal(count.resyncs, 1);
    for (size_t n = 1; n <= 160; n++)
        expect("long header", n, run(done(), n, false, NULL), want);
}

/* What is further off than a length can be wrong by is not believed: the key
 * picture is lost then. */
static void header_near_and_far(void **state)
{
    static const struct {
        size_t junk;
        bool key;
    } cases[] = { { 8, true }, { 31, true }, { 33, false }, { 60, false } };
    const size_t behind = SYSTEM_AT + 6 + (uint8_t)ps_vector[0].p[SYSTEM_AT + 5];
    char junk[64];

    (void)state;
    memset(junk, 0x55, sizeof(junk));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got;

        begin();
        put(slice_head(ps_vector[0], behind));
        writer_bytes(&out, junk, cases[i].junk);
        put(slice_from(ps_vector[0], behind));
        put_rest();
        got = run(done(), 0, false, NULL);
        if (!strstr(got, "key pts=90000") == cases[i].key)
            fail_msg("%zu bytes of junk", cases[i].junk);
        assert_int_equal(count.resyncs, 1);
    }
}

/* A packet that begins with a pack header and a start code behind it is
 * believed while an element claims to go on. */
static void packet_against_length(void **state)
{
#define KEY "au e0 h264 key pts=90000 nals 7:23 8:5 5:19 crc=6343830c\n"
#define SOUND "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
#define LAST "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n"
    static const struct {
        size_t packet, at; /* 16 KB are claimed there */
        const char *want;
    } cases[] = {
        { 0, PES_AT + 4, SOUND LAST },
        { 0, SYSTEM_AT + 4, /* over the map, too */
          "au c0 unknown pts=90000 16 bytes crc=bf3bfe61\n"
          "au e0 unknown pts=93600 10 bytes crc=8aa6264a\n" },
        { 1, 14 + 4, KEY LAST },
    };

    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        begin();
        for (size_t i = 0; i < 3; i++) {
            size_t at = out.len;

            put(ps_vector[i]);
            if (i == cases[k].packet)
                out_bytes[at + cases[k].at] = 0x40;
            feed_packet(d, at, false);
        }
        ps_demux_flush(d, true);
        ps_demux_free(d);
        rec.buf[rec.text.len] = 0;
        expect("guard", k, rec.buf, cases[k].want);
    }
#undef KEY
#undef SOUND
#undef LAST
}

/* --- the next pack --- */

static void joined_in_the_middle(void **state)
{
    (void)state;
    begin();
    PUT("\x12\x34\0\0\1\x41\xba\0\0\1\xba\1\2\3\0\0\1\xe0\x34\x34\0\0");
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    expect_any_cut("joined", done(), NULL, ps_vector_text);
    assert_int_equal(count.skipped_bytes, 22);
    assert_int_equal(count.resyncs, 0);
}

/* The tail of a frame in packs of its own is not taken for a frame. */
static void joined_between_slices(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    put_pes(0xe0, SLICE("\x11\x22\x33\x44\0\0\1\x41\x46\x11"), 0);
    put(slice_from(ps_vector[0], 0));
    put_rest();
    run(done(), 0, false, NULL);
    assert_non_null(strstr(rec.buf, "key pts=90000 nals 7:23 8:5 5:19"));
}

static void stream_without_packs(void **state)
{
    static char junk[300 << 10];

    (void)state;
    begin();
    put(slice_from(ps_vector[0], SYSTEM_AT));
    put(slice_from(ps_vector[1], 14));
    put(slice_from(ps_vector[2], 14));
    expect_any_cut("no packs", done(), NULL, ps_vector_text);
    begin();
    put(slice_from(ps_vector[0], SYSTEM_AT));
    memset(junk, 0x55, sizeof(junk));
    writer_bytes(&out, junk, sizeof(junk));
    put(slice_from(ps_vector[1], 14));
    run(done(), 0, false, NULL);
    assert_non_null(strstr(rec.buf, "au c0 g711a pts=90000 16 bytes"));
}

/* --- the end of a PES without a length --- */

static void c_unbounded_pes(void **state)
{
    static const char lengths[][2] = { { 0, 0 }, { (char)0xff, (char)0xff } };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        begin();
        put(part(ps_vector[0], 0, PES_AT + 4));
        writer_bytes(&out, lengths[i], 2);
        put(slice_from(ps_vector[0], PES_AT + 6));
        put_rest();
        expect_any_cut("length 0 or ffff", done(), NULL, ps_vector_text);
        out_bytes[done().n - 20] = lengths[i][0];
        out_bytes[done().n - 19] = lengths[i][1];
        expect_any_cut("and the last frame", done(), NULL, ps_vector_text);
    }
}

static void c_unbounded_pes_ends(void **state)
{
    /* each may follow an unbounded PES; none ends it by chance */
    static const struct {
        const char *name;
        struct slice next;
    } cases[] = {
        { "bare pack", S("\0\0\1\xba") },
        { "system header", S("\0\0\1\xbb\0\x09\x80\xcc\xf5\0\xe1\x7f\xe0\xe1"
                             "\x90") },
        { "padding", S("\0\0\1\xbe\0\x04\xff\xff\xff\xff") },
        { "private 2", S("\0\0\1\xbf\0\x04\0\0\1\xe0") },
        { "private 1", S("\0\0\1\xbd\0\x05\x80\0\0\0\1") },
        { "zeros", S("\0\0\0\0\1\xba") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        put(part(ps_vector[0], 0, PES_AT + 4));
        PUT("\0\0");
        put(slice_from(ps_vector[0], PES_AT + 6));
        put(cases[i].next);
        put(slice_from(ps_vector[1], 14));
        put(ps_vector[2]);
        expect_any_cut(cases[i].name, done(), NULL, ps_vector_text);
    }
}

/* The picture goes on in the next PES, wherever the first one is cut, be it
 * inside a start code or the head of a NAL unit; the end of both too. */
static void c_unbounded_pes_goes_on(void **state)
{
    size_t n = key_es().n;

    (void)state;
    for (size_t at = 1; at < 2 * n; at++) {
        bool both = at >= n; /* the rest has no length either */
        size_t cut = both ? at - n + 1 : at;
        uint8_t length = at % 2 ? 0xff : 0;

        if (cut == n)
            break;
        begin();
        put(part(ps_vector[0], 0, PES_AT));
        put_open_pes(length, part(key_es(), 0, cut), 90000);
        if (both)
            put_open_pes(length, part(key_es(), cut, n), 0);
        else
            put_pes(0xe0, part(key_es(), cut, n), 0);
        put_rest();
        expect_any_cut("goes on", done(), NULL, ps_vector_text);
    }
}

static void c_unbounded_pes_with_impostors(void **state)
{
    /* ids that H.264 cannot hold, but no header behind them */
    static const char want[] =
        "au e0 h264 key pts=90000 nals 7:23 8:5 5:19 ";
    static const struct slice impostors[] = {
        S("\0\0\1\xba\x12\x34\x56\x78"),
        S("\0\0\1\xe0\0\0\0\0\0\1\xc0\1\2\3"),
        S("\0\0\1\xbc\xff\xff\0\0\1\xba\0\0\0\0"),
        S("\0\0\1\xba\0\0\2"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(impostors); i++) {
        const char *first;

        begin();
        put(part(ps_vector[0], 0, PES_AT + 4));
        PUT("\0\0");
        put(slice_from(ps_vector[0], PES_AT + 6));
        put(impostors[i]);
        put_rest();
        first = run(done(), 0, false, NULL);
        if (!strstr(first, want) || count.aus != 3)
            fail_msg("impostor %zu: %s", i, first);
        for (size_t n = 1; n < 30; n++) {
            char all[4096];

            assert_true(slice_copy(all, sizeof(all),
                                   slice_str(run(done(), 0, false, NULL))));
            expect("impostor", n, run(done(), n, false, NULL), all);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss),
        cmocka_unit_test(loss_between_frames),
        cmocka_unit_test(an_end_inside_a_picture),
        cmocka_unit_test(deliver_corrupt),
        cmocka_unit_test(loss_of_the_marker),
        cmocka_unit_test(loss_behind_every_byte),
        cmocka_unit_test(loss_behind_every_byte_of_an_open_pes),
        cmocka_unit_test(times_behind_a_gap),
        cmocka_unit_test(gap_without_lengths),
        cmocka_unit_test(lost_structure),
        cmocka_unit_test(length_short_by_a_few_bytes),
        cmocka_unit_test(lengths_that_are_always_wrong),
        cmocka_unit_test(lengths_that_were_wrong_for_a_while),
        cmocka_unit_test(length_of_sound_short),
        cmocka_unit_test(system_header_of_a_wrong_length),
        cmocka_unit_test(system_header_inside_a_picture),
        cmocka_unit_test(long_header_refused),
        cmocka_unit_test(header_near_and_far),
        cmocka_unit_test(packet_against_length),
        cmocka_unit_test(joined_in_the_middle),
        cmocka_unit_test(joined_between_slices),
        cmocka_unit_test(stream_without_packs),
        cmocka_unit_test(c_unbounded_pes),
        cmocka_unit_test(c_unbounded_pes_ends),
        cmocka_unit_test(c_unbounded_pes_goes_on),
        cmocka_unit_test(c_unbounded_pes_with_impostors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
