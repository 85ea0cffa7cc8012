/* ps/demux: which codec it is, where one may begin to look, when a unit is
 * whole. */
#include "test/ps_script.h"

#include <stdlib.h>

/* --- codecs --- */

#define H265_VPS "\0\0\0\1\x40\1\x0c\1\xff\xff\1\x60\0\0\3\0\x90\0\0\3\0\0"    \
                 "\3\0\x1e\x92\x80\x90"
#define H265_SPS "\0\0\0\1\x42\1\1\1\x60\0\0\3\0\x90\0\0\3\0\0\3\0\x1e\xa0"    \
                 "\x20\x81\5\x96\x4a\x92\x4c\xaf\1\x68\x08\0\0\3\0\x08\0\0\3"  \
                 "\0\xc8\x40"
#define H265_PPS "\0\0\0\1\x44\1\xc1\x72\xb4\x22\x40"
#define H265_IDR "\0\0\0\1\x28\1\xaf\x1d\x80\xf7\1\x5b\xff\xf2\x4e\xfe\xcc\xf0"
#define H265_P   "\0\0\0\1\2\1\xd0\x09\x7e\x10\xc6\x3b\xfa\x84"

static void h265_whatever_the_map_says(void **state)
{
    static const struct {
        const char *name;
        uint8_t type; /* 0: no map */
        enum ps_codec hint;
    } cases[] = {
        { "map says H.265", 0x24, 0 },
        { "map says H.264", 0x1b, 0 },
        { "map says MPEG-4", 0x10, 0 },
        { "map says SVAC", 0x80, 0 },
        { "no map", 0, 0 },
        { "SDP says H.264", 0, PS_CODEC_H264 },
    };
    static const char want[] =
        "au e0 h265 key pts=90000 nals 32:24 33:41 34:7 20:14 crc=51a5185e\n"
        "au e0 h265 pts=93600 nals 1:10 crc=001854d1\n"
        "au e0 h265 key pts=97200 nals 32:24 33:41 34:7 20:14 crc=51a5185e\n";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ps_options opt = { .video_hint = cases[i].hint };

        begin();
        for (int k = 0; k < 2; k++) {
            put_pack();
            if (cases[i].type) /* a map that flaps (Kedacom) */
                ps_map_encode(&out, k ? 0x1b : cases[i].type, 0);
            put_pes(0xe0, SLICE(H265_VPS H265_SPS H265_PPS H265_IDR),
                    90000 + (uint64_t)k * 7200);
            if (k)
                break;
            put_pack();
            put_pes(0xe0, SLICE(H265_P), 93600);
        }
        expect_any_cut(cases[i].name, done(), &opt, want);
    }
}

/* Slices alone never make a codec: 41 of H.264 looks like a VPS. */
static void note_8_6_no_codec_from_slices(void **state)
{
    (void)state;
    begin();
    for (uint64_t i = 1; i < 5; i++) {
        put_pack();
        put_pes(0xe0, SLICE("\0\0\0\1\x40\1\x9a\x22\0\0\1\x41\x9a\1"), i);
    }
    run(done(), 0, false, NULL);
    assert_null(strstr(rec.buf, "h26"));
    assert_int_equal(count.aus, 4);
}

/* What a map calls MPEG-4 or SVAC is H.264 with a whole set; without one its units
 * are those of the PES. */
static void note_8_6_h264_under_another_name(void **state)
{
    static const uint8_t types[] = { 0x10, 0x80 };
    static const struct slice own[] = {
        S("ab\0\0\1\xb0\1\0\0\1\x20\x86\0\0\1\xb6\x16"),
        S("ab\0\0\1\x5c\x42\0\0\1\x47\xd0\0\0\1\x48\xd0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        begin();
        for (uint64_t k = 0; k < 4; k++) {
            put_pack();
            ps_map_encode(&out, types[i], 0);
            put_pes(0xe0, k % 2 ? p_es() : key_es(), 3600 * (k + 1));
        }
        for (size_t n = 0; n <= 40; n++) {
            run(done(), n, true, NULL);
            assert_int_equal(count.aus, 4);
            assert_int_equal(count.keys, 2);
            assert_null(strstr(rec.buf, types[i] == 0x10 ? "mpeg4" : "svac"));
        }
        begin();
        for (uint64_t k = 0; k < 4; k++) {
            put_pack();
            ps_map_encode(&out, types[i], 0);
            put_pes(0xe0, own[i], 3600 * (k + 1));
            put_pes(0xe0, own[i], 0);
        }
        for (size_t n = 0; n <= 40; n++) {
            run(done(), n, true, NULL);
            assert_int_equal(count.aus, 4);
            assert_int_equal(count.skipped_bytes + count.corrupt_aus, 0);
            assert_null(strstr(rec.buf, "h264"));
        }
    }
}

static void stream_events(void **state)
{
    struct ps_demux *d;

    (void)state;
    ps_recorder_init(&rec);
    rec.streams = true;
    d = ps_recorder_demux(&rec, &(struct ps_options){
                                    .video_hint = PS_CODEC_H265 });
    begin();
    put_pack();
    put_pes(0xe0, SLICE(H265_P), 3600);
    put_pack();
    ps_map_encode(&out, 0x1b, 0x90);
    ps_map_encode(&out, 0x1b, 0x90);
    PUT("\0\0\1\xbc\0\x10\xe1\xff\0\2\x80\0\0\x08\x1b\xe0\0\0\0\0\0\0");
    put(ps_vector[0]);
    ps_feed_steps(d, &rec, done(), 0, false);
    assert_int_equal(ps_demux_stream(d, 0)->codec, PS_CODEC_H264);
    assert_int_equal(ps_demux_stream(d, 1)->stream_id, 0xc0);
    assert_null(ps_demux_stream(d, 2));
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    expect("events", 0, rec.buf,
           "stream e0 type 00 h265 from sdp\n"
           "au e0 h265 pts=3600 nals 1:10 crc=001854d1\n"
           "stream e0 type 1b h264 from psm\n"
           "stream c0 type 90 g711a from psm\n"
           "stream e0 type 1b h264 from psm encrypted\n"
           "au e0 h264 key pts=90000 nals 7:23 8:5 5:19 crc=6343830c\n");
}

static void audio_codecs(void **state)
{
    static char alaw[640], ulaw[640];
    static const struct {
        const char *name;
        uint8_t type;
        struct slice es;
        size_t n; /* PES */
        const char *want;
    } cases[] = {
        { "ADTS under 0x90", 0x90,
          S("\xff\xf1\x60\x40\x01\x1f\xfc\1\xff\xf1\x60\x40\x01\x3f\xfc\1\2"),
          1, "au c0 aac " },
        { "ADTS that does not chain", 0x90,
          S("\xff\xf1\x60\x40\x01\x1f\xfc\1\xff\xf1\x60\x40\x01\x5f\xfc\1\2"),
          1, "au c0 g711a " },
        { "ADTS without a map", 0, S("\xff\xf1\x60\x40\x01\x1f\xfc\1"), 1,
          "au c0 aac " },
        { "LOAS without a map", 0, S("\x56\xe0\2\1\2"), 1, "au c0 aac " },
        { "A-law by its silence", 0, { alaw, sizeof(alaw) }, 7,
          "au c0 g711a " },
        { "mu-law by its silence", 0, { ulaw, sizeof(ulaw) }, 7,
          "au c0 g711u " },
        { "G.711 under 0x0f", 0x0f, { ulaw, sizeof(ulaw) }, 20,
          "au c0 g711u " },
        { "AAC with AU headers", 0x1c, S("\0\x10\0\x18\1\2\3"), 30,
          "au c0 aac " },
        { "G.723.1 stays", 0x93, S("\xff\xf1\x60\x40\x01\x1f\xfc\1"), 30,
          "au c0 g723.1 " },
        { "MP2 without a map", 0,
          S("\xff\xf5\x14\xc0\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5"
            "\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08"),
          1, "au c0 unknown " }, /* 52 bytes are no whole frame */
    };

    (void)state;
    memset(alaw, 0xd5, sizeof(alaw));
    memset(ulaw, 0xff, sizeof(ulaw));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *last;

        begin();
        put_pack();
        if (cases[i].type)
            ps_map_encode(&out, 0, cases[i].type);
        for (size_t k = 0; k < cases[i].n; k++)
            put_pes(0xc0, cases[i].es, 90000);
        run(done(), 0, false, NULL);
        last = strrchr(rec.buf, 'u'); /* the last "au" */
        while (last > rec.buf && memcmp(last - 1, "au c0", 5) != 0)
            last--;
        if (memcmp(last - 1, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s: %s", cases[i].name, last - 1);
    }
}

static void mpa_by_its_frames(void **state)
{
    static char frame[2 * 144];

    (void)state;
    /* layer II, 48 kHz, 48 kbit/s: 144000 * 48 / 48000 = 144 bytes */
    memcpy(frame, "\xff\xfd\x24\xc0", 4);
    memcpy(frame + 144, "\xff\xfd\x24\xc0", 4);
    begin();
    put_pack();
    put_pes(0xc0, slice_of(frame, sizeof(frame)), 1);
    run(done(), 0, false, NULL);
    assert_memory_equal(rec.buf, "au c0 mpa pts=1 288 bytes", 25);
}

/* --- random access --- */

static void key_frames_without_idr(void **state)
{
    static const struct {
        const char *name;
        struct slice es;
        bool is_key;
    } cases[] = {
        { "SPS, PPS, I slice",
          S("\0\0\1\x67\x42\0\x0a\xf8\x41\xa2\0\0\1\x68\xce\x38\x80"
            "\0\0\1\x41\xb8\x11"), true },
        { "SPS, PPS, P slice",
          S("\0\0\1\x67\x42\0\x0a\xf8\x41\xa2\0\0\1\x68\xce\x38\x80"
            "\0\0\1\x41\x9a\x11"), false },
        { "I and P slice",
          S("\0\0\1\x67\x42\0\x0a\xf8\x41\xa2\0\0\1\x68\xce\x38\x80"
            "\0\0\1\x41\xb8\x11\0\0\1\x41\x46\x11"), false },
        { "recovery point",
          S("\0\0\1\x06\x05\2\xaa\xbb\x06\1\xc4\x80\0\0\1\x41\x9a\x11"),
          true },
        { "other SEI", S("\0\0\1\x06\x05\2\xaa\xbb\x80\0\0\1\x41\x9a\x11"),
          false },
        { "I slice alone", S("\0\0\1\x41\xb8\x11"), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        put_pack();
        ps_map_encode(&out, 0x1b, 0);
        put_pes(0xe0, cases[i].es, 90000);
        for (size_t n = 0; n < 9; n++) {
            run(done(), n, false, NULL);
            if ((strstr(rec.buf, " key ") != NULL) != cases[i].is_key ||
                count.aus != 1)
                fail_msg("%s: %s", cases[i].name, rec.buf);
        }
    }
}

/* Two fields are one unit, two frames are two. SPS: High, frame_num of 4
 * bits, POC type 0, frame_mbs_only_flag 0. */
static void field_pairs(void **state)
{
#define SPS_I "\0\0\0\1\x67\x64\0\x0d\xac\xe9\x92\0\0\0\1\x68\xee\x3c"
    static const struct {
        const char *name;
        struct slice second;
        const char *want;
    } cases[] = {
        /* first_mb 0, P, pps 0: 111; frame_num 0001; field; bottom */
        { "other parity", S("\0\0\1\x41\xe3\xc0\x11\x22"),
          "nals 7:7 8:3 1:5 1:5 " },
        { "same parity", S("\0\0\1\x41\xe3\x40\x11\x22"),
          "nals 7:7 8:3 1:5 crc" },
        { "other frame", S("\0\0\1\x41\xe5\xc0\x11\x22"),
          "nals 7:7 8:3 1:5 crc" },
        { "frame picture", S("\0\0\1\x41\xe4\x11\x11\x22"),
          "nals 7:7 8:3 1:5 crc" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        put_pack();
        ps_map_encode(&out, 0x1b, 0);
        put_pes(0xe0, SLICE(SPS_I "\0\0\1\x41\xe3\x40\x11\x22"), 90000);
        put_pes(0xe0, cases[i].second, 0);
        put_pes(0xe0, SLICE("\0\0\1\x41\xe7\x40\x11\x22"), 97200);
        for (size_t n = 0; n < 20; n++)
            if (!strstr(run(done(), n, false, NULL), cases[i].want))
                fail_msg("%s, cut %zu: %s", cases[i].name, n, rec.buf);
    }
}

/* Without a known codec a new time ends a unit in front of whatever its PES
 * holds; a start code that began in the old unit must not reach back. */
static void new_time_inside_a_start_code(void **state)
{
    static const struct slice ends[] = {
        S("\x11\x22\x33\x44\0"), S("\x11\x22\x33\x44\0\0"),
        S("\0\0\0\0"), S("\0\0"), S("\x11\0\0\1"), S("\x11\0\0\1\x65"),
        S("\x11\0\0\1\x65\x88\0\0"),
    };
    static const struct slice begins[] = {
        S("\1\x67\x42\0\x0a\xf8\x41\xa2\x11\x12\x13\x14"), S("\1"),
        S("\0\1\x65\x88\x84\x0b\xf2\x62"), S("\0\0\1\x65\x88\x84"),
        S("\x65\x88\x84\x0b\xf2"), S("\x88\0\0\1\x65\x88\x84\x0b"),
    };
    /* unknown, H.264, MPEG-4 part 2 */
    static const uint8_t types[] = { 0, 0x1b, 0x10 };

    (void)state;
    for (size_t i = 0; i < COUNT(ends) * COUNT(begins) * COUNT(types); i++) {
        struct slice end = ends[i % COUNT(ends)];
        struct slice next = begins[i / COUNT(ends) % COUNT(begins)];
        uint8_t type = types[i / COUNT(ends) / COUNT(begins)];

        begin();
        put_pack();
        if (type)
            ps_map_encode(&out, type, 0);
        put_pes(0xe0, end, 90000);
        put_pes(0xe0, next, 93600);
        put_pes(0xe0, end, 97200);
        PUT("\0\0\1\xe0\0\0\x80\x80\5\x21\0\7\x11\x11"); /* unbounded */
        put(next);
        put_pack();
        put_pes(0xe0, next, 0);
        for (size_t n = 0; n <= 40; n++) {
            struct ps_demux *d;

            run(done(), n, false, NULL); /* what comes out agrees in itself */
            ps_recorder_init(&rec);
            d = ps_recorder_demux(&rec, NULL);
            for (size_t at = 0; at < done().n; at += n + 1) {
                ps_feed_one(d, &rec, part(done(), at, at + n + 1 < done().n
                                                          ? at + n + 1
                                                          : done().n),
                            false);
                ps_demux_flush(d, false);
            }
            ps_demux_flush(d, true);
            assert_int_equal(rec.held, 0);
            ps_demux_free(d);
        }
    }
}

/* The map makes private data video, or audio again, in the middle. */
static void private_stream_changes_its_kind(void **state)
{
    (void)state;
    begin();
    put_pack();
    for (size_t i = 0; i < 6; i++) {
        PUT("\0\0\1\xbc\0\x0e\xe1\xff\0\0\0\4");
        put(i & 1 ? SLICE("\x90\xbd\0\0") : SLICE("\x10\xbd\0\0"));
        PUT("\0\0\0\0");
        put_pes(0xbd, SLICE("\x11\x22\0\0"), 90000 + 3600 * i);
        put_pes(0xbd, SLICE("\1\x67\x42\0\0\1\x65\0\0"), 91000 + 3600 * i);
    }
    for (size_t n = 0; n <= 40; n++)
        run(done(), n, false, NULL);
    assert_int_equal(count.psms, 6);
    assert_true(count.aus > 0);
}

/* --- time: flush, marker --- */

static void flush_delivers_what_is_whole(void **state)
{
    struct ps_demux *d;
    struct slice v = ps_vector[0];

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    ps_demux_feed(d, (const uint8_t *)v.p, v.n - 1, &(struct ps_feed){ 0 });
    ps_demux_flush(d, false);
    assert_int_equal(rec.n_aus, 0);
    ps_demux_feed(d, (const uint8_t *)v.p + v.n - 1, 1,
                  &(struct ps_feed){ 0 });
    assert_int_equal(rec.n_aus, 0);
    ps_demux_flush(d, false);
    assert_int_equal(rec.n_aus, 1);
    ps_demux_flush(d, true);
    assert_int_equal(rec.n_aus, 1);
    ps_demux_feed(d, (const uint8_t *)v.p, v.n - 1, &(struct ps_feed){ 0 });
    ps_demux_flush(d, true);
    assert_int_equal(rec.n_aus, 1);
    ps_demux_counters(d, &count);
    assert_int_equal(count.dropped_aus, 1);
    ps_demux_free(d);
}

/* A connection stalls behind a PES that ends within a picture. Each PES
 * is a packet, with markers or without: where all have one, it says nothing. */
static void stall_behind(const size_t *pes, size_t n_pes, size_t n_aus)
{
    for (int marker = 0; marker < 2; marker++) {
        const struct ps_feed feed = { .packet = true, .marker = marker };
        struct ps_demux *d;
        size_t at = 0;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        for (size_t i = 0; i < n_pes; at = pes[i++])
            ps_demux_feed(d, (const uint8_t *)out_bytes + at, pes[i] - at,
                          &feed);
        ps_demux_flush(d, false);
        assert_int_equal(rec.n_aus, n_aus);
        ps_demux_feed(d, (const uint8_t *)out_bytes + at, out.len - at, &feed);
        ps_demux_flush(d, true);
        assert_int_equal(rec.n_aus, n_aus + 1);
        ps_demux_counters(d, &count);
        assert_int_equal(count.corrupt_aus, 0);
        assert_int_equal(count.skipped_bytes, 0);
        ps_demux_free(d);
    }
}

/* PES of that length have gone on before. */
static void flush_waits_for_the_rest(void **state)
{
    struct slice key = key_es(), first = part(key, 0, 50);
    size_t pes[3];

    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    put_pes(0xe0, first, 90000);
    pes[0] = out.len;
    put_pes(0xe0, slice_from(key, 50), 0);
    pes[1] = out.len;
    put_pack();
    put_pes(0xe0, first, 93600);
    pes[2] = out.len;
    put_pes(0xe0, slice_from(key, 50), 0);
    stall_behind(pes, COUNT(pes), 1);
}

/* Pictures have begun within PES of that length. */
static void flush_waits_in_pes_of_one_size(void **state)
{
    static char es[512] = "\0\0\0\1\x41\x9a";
    struct slice two;
    size_t size = key_es().n, len = size + 18, pes[3];

    (void)state;
    memset(es + 6, 0x55, sizeof(es) - 6);
    memcpy(es + len, es, 6);
    two = slice_of(es, 2 * len);
    begin();
    put(ps_vector[0]);
    pes[0] = out.len;
    put_pes(0xe0, part(two, 0, size), 93600);
    pes[1] = out.len;
    put_pes(0xe0, part(two, size, 2 * size), 97200);
    pes[2] = out.len;
    put_pes(0xe0, slice_from(two, 2 * size), 0);
    stall_behind(pes, COUNT(pes), 2);
}

/* Slices in PES of their own, as many in each picture. */
static void flush_waits_for_slices(void **state)
{
    const struct slice first = SLICE("\0\0\0\1\x41\x9a\1\2\3"),
                       next = SLICE("\0\0\0\1\x41\x46\1\2\3");
    size_t pes[9];

    (void)state;
    begin();
    put(ps_vector[0]);
    pes[0] = out.len;
    for (size_t i = 1; i < COUNT(pes); i++) {
        put_pes(0xe0, i % 3 == 1 ? first : next, i % 3 == 1 ? 90000 + i : 0);
        pes[i] = out.len;
    }
    put_pes(0xe0, next, 0);
    stall_behind(pes, COUNT(pes), 3);
}

/* Nothing comes: that was all of them, or the marker said so. */
static void fewer_slices_wait_once(void **state)
{
    const struct slice first = SLICE("\0\0\0\1\x41\x9a\1\2\3"),
                       next = SLICE("\0\0\0\1\x41\x46\1\2\3");

    (void)state;
    for (int marker = 0; marker < 2; marker++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        ps_feed_one(d, &rec, ps_vector[0], false);
        for (uint64_t k = 1; k <= 3; k++) {
            begin();
            put_pack();
            put_pes(0xe0, first, 90000 + k * 3600);
            if (k < 3)
                put_pes(0xe0, next, 0);
            ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                          &(struct ps_feed){ .packet = true,
                                             .marker = marker });
            ps_demux_flush(d, false);
            assert_int_equal(rec.n_aus, k == 3 && !marker ? 3 : k + 1);
        }
        ps_demux_flush(d, false);
        assert_int_equal(rec.n_aus, 4);
        ps_demux_free(d);
    }
}

/* After ten frames that ended with the marker, it ends a frame; markers in
 * the middle of frames are never believed. */
static void marker_saves_a_frame_of_delay(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        begin();
        for (unsigned i = 0; i < 30; i++) {
            size_t from = out.len;

            put_pack();
            ps_map_encode(&out, 0x1b, 0);
            put_pes(0xe0, key_es(), 90000 + 3600 * i);
            ps_demux_feed(d, (const uint8_t *)out_bytes + from,
                          out.len - from, &(struct ps_feed){ .marker = true });
            from = out.len;
            if (twice) {
                put_pes(0xe0, SLICE("\0\0\1\x65\x40\x11\x22"), 0);
                ps_demux_feed(d, (const uint8_t *)out_bytes + from,
                              out.len - from,
                              &(struct ps_feed){ .marker = true });
            }
            if (rec.n_aus != (twice || i < 10 ? i : i + 1))
                fail_msg("%d: frame %u: %zu", twice, i, rec.n_aus);
        }
        ps_demux_free(d);
    }
}

/* A stream of which no more than the header of a PES has come has no room yet. */
static void fetched_before_there_is_anything(void **state)
{
    struct ps_demux *d;

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    ps_demux_prefetch(d);
    ps_feed_one(d, &rec, slice_head(ps_vector[0], ES_AT), false);
    assert_non_null(ps_demux_stream(d, 0));
    ps_demux_prefetch(d);
    ps_demux_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h265_whatever_the_map_says),
        cmocka_unit_test(note_8_6_no_codec_from_slices),
        cmocka_unit_test(note_8_6_h264_under_another_name),
        cmocka_unit_test(stream_events),
        cmocka_unit_test(audio_codecs),
        cmocka_unit_test(mpa_by_its_frames),
        cmocka_unit_test(key_frames_without_idr),
        cmocka_unit_test(field_pairs),
        cmocka_unit_test(new_time_inside_a_start_code),
        cmocka_unit_test(private_stream_changes_its_kind),
        cmocka_unit_test(flush_delivers_what_is_whole),
        cmocka_unit_test(flush_waits_for_the_rest),
        cmocka_unit_test(flush_waits_in_pes_of_one_size),
        cmocka_unit_test(flush_waits_for_slices),
        cmocka_unit_test(fewer_slices_wait_once),
        cmocka_unit_test(marker_saves_a_frame_of_delay),
        cmocka_unit_test(fetched_before_there_is_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
