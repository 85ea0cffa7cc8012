#include "ps/demux.h"

#include "ps/dump.h"
#include "ps/mux.h"
#include "ps/pes.h"
#include "test/ps_record.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

/* Places in the key frame packet of the reference session. */
#define SYSTEM_AT 14
#define MAP_AT 32
#define PES_AT 56
#define ES_AT 70

/* A stream being put together. */
static struct writer out;
static char out_bytes[1 << 20];

static void begin(void)
{
    out = writer_of(out_bytes, sizeof(out_bytes));
}

static void put(struct slice s)
{
    writer_slice_put(&out, s);
}

#define PUT(lit) put(SLICE(lit))

static struct slice done(void)
{
    assert_int_equal(out.err, 0);
    return writer_slice(&out);
}

static struct slice part(struct slice s, size_t from, size_t to)
{
    return slice_head(slice_from(s, from), to - from);
}

static void put_pes(uint8_t id, struct slice es, uint64_t pts)
{
    ps_pes_encode(&out, id, es.n, false, pts ? &pts : NULL);
    put(es);
}

static void put_pack(void)
{
    ps_pack_encode(&out, 86400, 6106);
}

static struct slice key_es(void)
{
    return slice_from(ps_vector[0], ES_AT);
}

static struct slice p_es(void)
{
    return slice_from(ps_vector[2], 28);
}

/* Demuxes in steps of n; the text is valid until the next call. */
static struct ps_recorder rec;
static struct ps_counters count;

static const char *run(struct slice bytes, size_t n, bool packets,
                       const struct ps_options *opt)
{
    struct ps_demux *d;

    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, opt);
    ps_feed_steps(d, &rec, bytes, n, packets);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    assert_int_equal(rec.text.err, 0);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

static void expect(const char *name, size_t cut, const char *got,
                   const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s, cut %zu:\n--- got\n%s--- want\n%s", name, cut, got,
                 want);
}

/* Whole, and cut into pieces of every size up to 40, as a file and as
 * packets: always the same. */
static void expect_any_cut(const char *name, struct slice bytes,
                           const struct ps_options *opt, const char *want)
{
    for (size_t n = 0; n <= 40; n++)
        expect(name, n, run(bytes, n, false, opt), want);
    for (size_t n = 0; n <= 40; n++)
        expect(name, n, run(bytes, n, true, opt), want);
}

static void reference_session(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    expect_any_cut("session", done(), NULL, ps_vector_text);
    assert_int_equal(count.packs, 3);
    assert_int_equal(count.psms, 1);
    assert_int_equal(count.pes, 3);
    assert_int_equal(count.aus, 3);
    assert_int_equal(count.keys, 1);
    assert_int_equal(count.bytes, done().n);
    assert_int_equal(count.skipped_bytes + count.resyncs + count.corrupt_aus +
                         count.dropped_aus + count.bad_headers,
                     0);
}

static void every_cut_in_two(void **state)
{
    struct slice all;

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    all = done();
    for (size_t i = 0; i <= all.n; i++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        ps_demux_feed(d, (const uint8_t *)all.p, i, &(struct ps_feed){ 0 });
        ps_feed_steps(d, &rec, guarded(slice_from(all, i)), 0, false);
        ps_demux_free(d);
        rec.buf[rec.text.len] = 0;
        expect("cut in two", i, rec.buf, ps_vector_text);
    }
}

/* --- the derived robustness tests, by their letters --- */

static void put_rest(void)
{
    put(ps_vector[1]);
    put(ps_vector[2]);
}

static void b_private_stream_with_start_codes(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    PUT("\0\0\1\xbd\0\x08\0\0\1\xba\0\0\1\xe0");
    put(slice_from(ps_vector[0], PES_AT));
    put_rest();
    expect_any_cut("private stream", done(), NULL, ps_vector_text);
}

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

static void d_split_pes(void **state)
{
    size_t n = key_es().n, m = p_es().n;

    (void)state;
    for (size_t at = 1; at < n; at++) {
        begin();
        put(part(ps_vector[0], 0, PES_AT));
        put_pes(0xe0, part(key_es(), 0, at), 90000);
        put_pes(0xe0, part(key_es(), at, n), 0);
        put_rest();
        expect_any_cut("key frame split", done(), NULL, ps_vector_text);
    }
    for (size_t at = 1; at < m; at++) {
        begin();
        put(ps_vector[0]);
        put(ps_vector[1]);
        put_pack();
        put_pes(0xe0, part(p_es(), 0, at), 93600);
        put_pes(0xe0, part(p_es(), at, m), 0);
        expect_any_cut("P frame split", done(), NULL, ps_vector_text);
    }
}

static void put_nal_pes(bool packs, uint64_t pts)
{
    static const size_t at[] = { 0, 27, 36, 59 };

    for (size_t i = 0; i < 3; i++) {
        if (packs)
            put_pack();
        put_pes(0xe0, part(key_es(), at[i], at[i + 1]), i ? pts : 90000);
    }
}

static void e_pes_per_nal(void **state)
{
    static const struct {
        const char *name;
        bool packs;
        uint64_t pts;
    } cases[] = {
        { "PTS in the first", false, 0 },
        { "PTS in all", false, 90000 },
        { "a pack header before each", true, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        put(part(ps_vector[0], 0, PES_AT));
        put_nal_pes(cases[i].packs, cases[i].pts);
        put_rest();
        expect_any_cut(cases[i].name, done(), NULL, ps_vector_text);
    }
}

static void e_pes_per_byte(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    for (size_t i = 0; i < key_es().n; i++)
        put_pes(0xe0, part(key_es(), i, i + 1), i ? 0 : 90000);
    put(ps_vector[1]);
    for (size_t i = 0; i < p_es().n; i++)
        put_pes(0xe0, part(p_es(), i, i + 1), i ? 0 : 93600);
    expect_any_cut("a PES a byte", done(), NULL, ps_vector_text);
}

static void f_map_with_reversed_crc(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT - 4));
    PUT("\x16\x7f\x28\xb9");
    put(slice_from(ps_vector[0], PES_AT));
    put_rest();
    expect_any_cut("reversed CRC", done(), NULL, ps_vector_text);
}

/* Without a map the audio is not known by its 16 bytes; SDP tells. */
static void g_no_map(void **state)
{
    static const struct ps_options sdp = { .audio_hint = PS_CODEC_G711A };

    (void)state;
    begin();
    put(part(ps_vector[0], 0, MAP_AT));
    put(slice_from(ps_vector[0], PES_AT));
    put_rest();
    expect_any_cut("no map", done(), &sdp, ps_vector_text);
    run(done(), 0, false, NULL);
    assert_non_null(strstr(rec.buf, "au c0 unknown pts=90000 16 bytes"));
    assert_non_null(strstr(rec.buf, "au e0 h264 key pts=90000 nals 7:23"));
}

static void h_bare_pack_header(void **state)
{
    (void)state;
    begin();
    PUT("\0\0\1\xba");
    put(slice_from(ps_vector[0], 14));
    put_rest();
    expect_any_cut("bare pack header", done(), NULL, ps_vector_text);
    begin();
    for (size_t i = 0; i < 3; i++) {
        PUT("\0\0\1\xba");
        put(slice_from(ps_vector[i], 14));
    }
    expect_any_cut("bare pack headers", done(), NULL, ps_vector_text);
}

static void i_stuffing_with_a_start_code(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, 13));
    PUT("\xfe\xff\xff\0\0\1\xba");
    put(slice_from(ps_vector[0], 14));
    put_rest();
    expect_any_cut("pack stuffing", done(), NULL, ps_vector_text);
}

static void k_trailing_zeros(void **state)
{
    uint64_t pts = 90000;

    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    ps_pes_encode(&out, 0xe0, key_es().n + 3, true, &pts);
    put(key_es());
    PUT("\0\0\0");
    put_rest();
    expect_any_cut("trailing zeros", done(), NULL, ps_vector_text);
    /* before a short start code, which is not made longer by them: the time is
     * that of the PES it begins */
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    ps_pes_encode(&out, 0xe0, key_es().n + 3, true, &pts);
    put(key_es());
    PUT("\0\0\0");
    put(ps_vector[1]);
    put_pack();
    put_pes(0xe0, slice_from(p_es(), 1), 93600);
    expect_any_cut("zeros, short start code", done(), NULL, ps_vector_text);
    begin();
    put(ps_vector[0]);
    PUT("\0\0\0\0\0\0\0\0"); /* between the elements, up to eight */
    put(ps_vector[1]);
    PUT("\xff\xff\xff\xff");
    put(ps_vector[2]);
    expect_any_cut("filled gaps", done(), NULL, ps_vector_text);
}

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

/* --- forms --- */

static void mpeg1_audio_in_mpeg2_pack(void **state)
{
    static const char zero[160];

    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT)); /* pack, map */
    PUT("\0\0\1\xc0\0\xaa\x37\x4f\xfd\x4c\x85\x17\x4f\xfd\x4c\x85");
    writer_bytes(&out, zero, sizeof(zero));
    expect_any_cut("MPEG-1 PES", done(), NULL,
                   "au c0 g711a pts=3556714050 dts=3556714050 160 bytes "
                   "crc=39351faa\n");
}

static void mpeg1_stream(void **state)
{
    (void)state;
    begin();
    PUT("\0\0\1\xba\x21\x00\x05\xbf\x21\x80\x00\x01");
    put(part(ps_vector[0], SYSTEM_AT, PES_AT));
    PUT("\0\0\1\xe0\0\x43\xff\x60\x20\x21\x00\x05\xbf\x21");
    put(key_es());
    put_rest();
    expect_any_cut("MPEG-1 stream", done(), NULL, ps_vector_text);
}

static void imkh_file_header(void **state)
{
    static const char head[40] = "IMKH\1\1\0\0\0\0\1\xba\0\0\1\xba";

    (void)state;
    begin();
    writer_bytes(&out, head, sizeof(head));
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    expect_any_cut("IMKH", done(), NULL, ps_vector_text);
    assert_int_equal(count.skipped_bytes, 0);
}

static void short_map_length(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, MAP_AT));
    PUT("\0\0\1\xbc\0\x18\xe1\xff\0\0\0\x08\x1b\xe0\0\x06\x0a\x04"
        "eng\0\x90\xc0\0\0\x2e\xb9\x0f\x3d");
    put(slice_from(ps_vector[0], PES_AT));
    put_rest();
    expect_any_cut("short map", done(), NULL, ps_vector_text);
}

static void header_length_in_the_wrong_byte(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT + 6));
    PUT("\x84\x80\xf0\x05\x21\x00\x05\xbf\x21"); /* 240 bytes of header */
    put(key_es());
    out_bytes[PES_AT + 5] = 0x44;
    put_rest();
    run(done(), 0, false, NULL);
    assert_int_equal(count.bad_headers, 1);
    expect_any_cut("length one byte early", done(), NULL,
                   "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
                   "au e0 h264 key nals 7:23 8:5 5:19 crc=6343830c\n"
                   "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n");
}

static void parameter_sets_in_a_pack_of_their_own(void **state)
{
    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    put_pes(0xe0, part(key_es(), 0, 36), 86400);
    put_pack();
    put_pes(0xe0, slice_from(key_es(), 36), 90000);
    put_rest();
    expect_any_cut("SPS and PPS wait", done(), NULL, ps_vector_text);
}

static void several_units_in_one_pes(void **state)
{
    uint64_t pts = 90000;

    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    ps_pes_encode(&out, 0xe0, key_es().n + 2 * p_es().n, true, &pts);
    put(key_es());
    put(p_es());
    put(slice_head(p_es(), 7));
    put_pack(); /* no header: inside the payload of the PES */
    out.len -= 14;
    put(slice_from(p_es(), 7));
    put(ps_vector[2]);
    expect_any_cut("three in one", done(), NULL,
                   "au e0 h264 key pts=90000 nals 7:23 8:5 5:19 crc=6343830c\n"
                   "au e0 h264 nals 1:6 crc=6e625c11\n"
                   "au e0 h264 nals 1:6 crc=6e625c11\n"
                   "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n");
}

static void slices_of_one_picture(void **state)
{
    static const char want[] =
        "au e0 h264 pts=93600 nals 1:6 1:4 1:4 crc=cf1ae798\n"
        "au e0 h264 pts=97200 nals 6:3 1:6 crc=";

    (void)state;
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    put_pes(0xe0, p_es(), 93600);
    put_pes(0xe0, SLICE("\0\0\1\x41\x46\x11\x22"), 0);
    put_pes(0xe0, SLICE("\0\0\0\1\x41\x43\x11\x22"), 93600);
    put_pes(0xe0, SLICE("\0\0\0\1\x06\x05\x80\0\0\0\1\x41\x9a\1\2\3\4"),
            97200);
    for (size_t n = 0; n < 30; n++)
        if (memcmp(run(done(), n, false, NULL), want,
                   sizeof(want) - 1) != 0)
            fail_msg("cut %zu: %s", n, rec.buf);
}

static void encrypted_payload(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    out_bytes[PES_AT + 6] = (char)0x94; /* scrambling_control 01 */
    expect_any_cut("scrambled key frame", done(), NULL,
                   "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
                   "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n");
    assert_int_equal(count.encrypted, 1);
}

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

/* A packet that begins with a pack header and a start code behind it is
 * believed while a video PES claims to go on. */
static void packet_against_length(void **state)
{
    struct ps_demux *d;

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(ps_vector[0]);
    out_bytes[PES_AT + 4] = 0x40; /* 16 KB are claimed */
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ .packet = true });
    for (size_t i = 1; i < 3; i++)
        ps_demux_feed(d, (const uint8_t *)ps_vector[i].p, ps_vector[i].n,
                      &(struct ps_feed){ .packet = true });
    ps_demux_flush(d, true);
    ps_demux_free(d);
    rec.buf[rec.text.len] = 0;
    expect("guard", 0, rec.buf,
           "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
           "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n");
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

/* --- codecs --- */

#define H265_VPS "\0\0\0\1\x40\1\x0c\1\xff\xff\1\x60\0\0\3\0\x90\0\0\3\0\0"    \
                 "\3\0\x1e\x92\x80\x90"
#define H265_SPS "\0\0\0\1\x42\1\1\1\x60\0\0\3\0\x90\0\0\3\0\0\3\0\x1e\xa0"    \
                 "\x20\x81\5\x96\x4a\x92\x4c\xaf\1\x68\x08\0\0\3\0\x08\0\0\3"  \
                 "\0\xc8\x40"
#define H265_PPS "\0\0\0\1\x44\1\xc1\x72\xb4\x22\x40"
#define H265_IDR "\0\0\0\1\x28\1\xaf\x1d\x80\xf7\1\x5b\xff\xf2\x4e\xfe\xcc\xf0"
#define H265_P   "\0\0\0\1\2\1\xd0\x09\x7e\x10\xc6\x3b\xfa\x84"
#define H265_KEY_LINE "au e0 h265 key pts=%d nals 32:24 33:41 34:7 20:14 "

static void h265_whatever_the_map_says(void **state)
{
    static const struct {
        const char *name;
        uint8_t type; /* 0: no map */
        enum ps_codec hint;
    } cases[] = {
        { "map says H.265", 0x24, 0 },
        { "map says H.264", 0x1b, 0 },
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
static void no_codec_from_slices(void **state)
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

/* --- limits --- */

static void unit_too_large(void **state)
{
    static uint8_t block[60000];
    struct ps_demux *d;

    (void)state;
    memset(block, 0x55, sizeof(block));
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(ps_vector[0]);
    for (unsigned i = 0; i < PS_MAX_AU_BYTES / sizeof(block) + 2; i++) {
        ps_pes_encode(&out, 0xe0, sizeof(block), false, NULL);
        ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                      &(struct ps_feed){ 0 });
        ps_demux_feed(d, block, sizeof(block), &(struct ps_feed){ 0 });
        begin();
    }
    ps_demux_counters(d, &count);
    assert_int_equal(count.dropped_aus, 1);
    assert_int_equal(count.resyncs, 1);
    ps_feed_steps(d, &rec, ps_vector[0], 0, false);
    rec.buf[rec.text.len] = 0;
    assert_non_null(strstr(rec.buf, "key pts=90000 nals 7:23 8:5 5:19"));
    ps_demux_free(d);
}

static void too_many_pieces(void **state)
{
    struct ps_demux *d;
    uint8_t one = 0x55;

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(ps_vector[0]);
    ps_pes_encode(&out, 0xe0, 60000, false, NULL);
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ 0 });
    for (unsigned i = 0; i < PS_MAX_PIECES; i++)
        ps_demux_feed(d, &one, 1, &(struct ps_feed){ 0 });
    ps_demux_counters(d, &count);
    assert_int_equal(count.dropped_aus, 1);
    ps_feed_steps(d, &rec, ps_vector[0], 0, false);
    assert_int_equal(rec.n_aus, 1);
    ps_demux_free(d);
}

static void too_many_nal_units(void **state)
{
    (void)state;
    begin();
    put(ps_vector[0]);
    for (unsigned i = 0; i < PS_MAX_NALS; i++)
        put_pes(0xe0, SLICE("\0\0\1\x65\x40\x11\x22"), 0);
    put(ps_vector[2]);
    run(done(), 0, false, NULL);
    assert_int_equal(count.dropped_aus, 1);
    assert_int_equal(count.aus, 1);
}

static void too_many_streams(void **state)
{
    (void)state;
    begin();
    put_pack();
    for (unsigned i = 0; i < 20; i++)
        put_pes((uint8_t)(0xc0 + i), SLICE("\xd5\xd5"), 90000);
    put(ps_vector[0]);
    run(done(), 0, false, NULL);
    assert_int_equal(count.aus, PS_MAX_STREAMS);
    assert_null(strstr(rec.buf, "au c8"));
}

/* A map may announce what never comes; it takes nobody's place. */
static void map_of_ghosts(void **state)
{
    (void)state;
    begin();
    put_pack();
    PUT("\0\0\1\xbc\0\x2a\xe1\xff\0\0\0\x20"
        "\x1b\xe8\0\0\x1b\xe9\0\0\x1b\xea\0\0\x1b\xeb\0\0"
        "\x1b\xec\0\0\x1b\xed\0\0\x1b\xee\0\0\x1b\xef\0\0\0\0\0\0");
    put(ps_vector[0]);
    put_rest();
    expect_any_cut("ghosts", done(), NULL, ps_vector_text);
}

/* The n-th allocation and all later ones fail: nothing leaks, nothing dies,
 * every hold is released. */
static void out_of_memory(void **state)
{
    struct failing_alloc f;
    struct ps_demux *d;
    unsigned long n = 0;
    size_t aus;

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    do {
        int err;

        failing_alloc_init(&f, ++n);
        ps_recorder_init(&rec);
        err = ps_demux_new(&d, &f.alloc, &rec.hooks, NULL);
        aus = 0;
        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            continue;
        }
        ps_feed_steps(d, &rec, done(), 7, false);
        aus = rec.n_aus;
        ps_demux_free(d);
        assert_int_equal(f.live, 0);
    } while (aus != 3);
    assert_in_range(n, 5, 20);
}

/* A demuxer that is freed in the middle gives back what it holds. */
static void free_releases(void **state)
{
    struct slice all;

    (void)state;
    begin();
    put(ps_vector[0]);
    all = done();
    for (size_t i = 1; i < all.n; i++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        for (size_t k = 0; k < i; k++)
            ps_feed_one(d, &rec, part(all, k, k + 1), false);
        if (i > ES_AT + 1)
            assert_true(rec.held > 0);
        ps_demux_free(d);
        assert_int_equal(rec.held, 0);
    }
}

/* --- heads_only --- */

static void heads_only(void **state)
{
    static const struct ps_options opt = { .heads_only = true };

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    expect_any_cut("session", done(), &opt, ps_vector_text);
    begin();
    put(part(ps_vector[0], 0, PES_AT));
    put_nal_pes(true, 0);
    put_rest();
    expect_any_cut("PES per NAL unit", done(), &opt, ps_vector_text);
    begin();
    put(ps_vector[0]);
    put_pes(0xe0, SLICE("\x11\x22\0\0\1\x65\x40\x11\x22"), 0);
    put_pes(0xe0, SLICE("\0\0\1\x65\x40\x11\x22\0\0\1\x67\x11\x22"), 0);
    put_rest();
    run(done(), 0, false, &opt);
    assert_non_null(strstr(rec.buf, "key pts=90000 nals 7:23 8:5 5:28 5:10"));
    assert_non_null(strstr(rec.buf, "h264 pts=93600 nals 1:6 "));
}

/* --- mux and back --- */

static size_t random_frame(uint64_t *seed, char *p, bool is_key)
{
    static const char sets[] = "\0\0\0\1\x67\x42\0\x0a\xf8\x41\xa2"
                               "\0\0\0\1\x68\xce\x38\x80";
    size_t n = 0, body;

    if (is_key) {
        memcpy(p, sets, sizeof(sets) - 1);
        n = sizeof(sets) - 1;
    }
    memcpy(p + n, is_key ? "\0\0\0\1\x65\x88" : "\0\0\0\1\x41\x9a", 6);
    n += 6;
    body = test_random(seed) % (is_key ? 140000 : 3000);
    for (size_t i = 0; i < body; i++) {
        char c = (char)test_random(seed);

        if (test_random(seed) % 4 == 0)
            c = 0;
        if (p[n - 1] == 0 && p[n - 2] == 0 && (unsigned char)c <= 3)
            p[n++] = 3;
        p[n++] = c;
    }
    p[n++] = (char)0x80;
    return n;
}

/* One line a unit, as mux_and_back writes them. */
static void on_muxed(void *ctx, const struct ps_au *au)
{
    struct writer *w = ctx;
    static char joined[400000];
    size_t n = 0;

    for (size_t i = 0; i < au->n_pieces; i++) {
        memcpy(joined + n, au->piece[i].p, au->piece[i].n);
        n += au->piece[i].n;
    }
    writer_f(w, "%02x %llu %zu %08x\n", au->stream_id,
             (unsigned long long)au->pts90k, n, ps_crc32(joined, n));
}

/* Video and audio lines apart: video waits for its successor. */
static void sort_lines(struct slice text, struct writer *w)
{
    static const char *const ids[] = { "e0", "c0" };

    for (size_t i = 0; i < COUNT(ids); i++) {
        struct slice rest = text, line;

        while (rest.n) {
            slice_cut(&rest, '\n', &line);
            if (slice_has_prefix(line, slice_str(ids[i]))) {
                writer_slice_put(w, line);
                writer_char(w, '\n');
            }
        }
    }
}

static void expect_muxed(struct slice stream, size_t cut, struct slice want)
{
    static char text[1 << 16], a[1 << 16], b[1 << 16];
    struct writer w = writer_of(text, sizeof(text));
    struct writer wa = writer_of(a, sizeof(a)), wb = writer_of(b, sizeof(b));
    struct ps_hooks hooks = { .on_au = on_muxed, .ctx = &w };
    struct ps_demux *d;

    assert_int_equal(ps_demux_new(&d, &gb_alloc_heap, &hooks, NULL), 0);
    while (stream.n) {
        struct slice s = slice_head(stream, cut ? cut : stream.n);

        ps_demux_feed(d, (const uint8_t *)s.p, s.n, &(struct ps_feed){ 0 });
        stream = slice_from(stream, s.n);
    }
    ps_demux_flush(d, true);
    ps_demux_free(d);
    sort_lines(writer_slice(&w), &wa);
    sort_lines(want, &wb);
    if (!slice_eq(writer_slice(&wa), writer_slice(&wb)))
        fail_msg("cut %zu:\n--- got\n%.*s--- want\n%.*s", cut,
                 (int)wa.len, a, (int)wb.len, b);
}

static void mux_and_back(void **state)
{
    static char frame[400000], text[1 << 16];
    uint64_t seed = 20240501;

    (void)state;
    for (int round = 0; round < 6; round++) {
        struct writer want = writer_of(text, sizeof(text) - 1);
        static const size_t cuts[] = { 0, 1400, 31, 188, 77, 65536 };
        struct ps_mux m;
        uint64_t pts = 0x1fffffff0ull - 7200; /* over the 33-bit wrap */

        assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A,
                                     4000000), 0);
        begin();
        for (int i = 0; i < 12; i++, pts += 3600) {
            size_t n = random_frame(&seed, frame, i % 6 == 0);
            size_t before = out.len;

            ps_mux_video(&m, &out, slice_of(frame, n), pts, i % 6 == 0);
            assert_true(out.len - before <= ps_mux_bound(n));
            writer_f(&want, "e0 %llu %zu %08x\n",
                     (unsigned long long)(pts & PS_TIME_MASK), n,
                     ps_crc32(frame, n));
            n = 1 + test_random(&seed) % 700;
            ps_mux_audio(&m, &out, slice_of(frame, n), pts + 1);
            writer_f(&want, "c0 %llu %zu %08x\n",
                     (unsigned long long)((pts + 1) & PS_TIME_MASK), n,
                     ps_crc32(frame, n));
        }
        expect_muxed(done(), cuts[round], writer_slice(&want));
    }
}

/* test/data/ps/NAME.ps as text: NAME.expect */
static void dump_file(void *ctx, const char *path, struct slice bytes)
{
    static char text[1 << 16];
    struct writer w = writer_of(text, sizeof(text));
    char expect_path[256];
    struct writer name = writer_of(expect_path, sizeof(expect_path));

    (void)ctx;
    ps_dump(&w, bytes, &gb_alloc_heap);
    assert_int_equal(w.err, 0);
    writer_slice_put(&name, slice_head(slice_str(path), strlen(path) - 2));
    writer_bytes(&name, "expect", 7);
    assert_int_equal(name.err, 0);
    expect_golden(expect_path, writer_slice(&w));
}

enum damage { ZERO, ONES, FLIPPED, MISSING, TWICE, CODE, DAMAGES };

static void put_damaged(struct slice session, size_t at, enum damage kind)
{
    put(slice_head(session, at));
    if (kind == TWICE)
        put(part(session, at, at + 1));
    if (kind == CODE)
        PUT("\0\0\1\xbb");
    if (kind == ZERO || kind == ONES || kind == FLIPPED)
        writer_char(&out, kind == ZERO   ? '\0'
                          : kind == ONES ? (char)0xff
                                         : (char)~session.p[at]);
    put(slice_from(session, at + (kind != TWICE && kind != CODE)));
}

/* Is the last of the sessions behind the damage whole? */
static bool comes_back(struct slice session, size_t at, enum damage kind,
                       unsigned behind)
{
    const char *got;
    size_t len, want = strlen(ps_vector_text);

    begin();
    put_damaged(session, at, kind);
    while (behind--)
        put(session);
    got = run(done(), 1400, false, NULL);
    len = strlen(got);
    return len >= want && !strcmp(got + len - want, ps_vector_text);
}

/* Field-note 17.1: a byte that is wrong, missing or too much, anywhere in a
 * session. Nothing stops, nothing stays held, and it ends at the next pack, or
 * behind what a damaged length names, 64 KiB at most. */
static void note_17_1_damage_ends_by_itself(void **state)
{
    char good[512];
    struct slice session;
    unsigned far = 0, n = 0;

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    session = slice_of(good, done().n);
    assert_true(slice_copy(good, sizeof(good), done()));
    for (size_t at = 0; at < session.n; at++)
        for (unsigned kind = 0; kind < DAMAGES; kind++, n++) {
            if (comes_back(session, at, (enum damage)kind, 2))
                continue;
            far++;
            if (!comes_back(session, at, (enum damage)kind,
                            (unsigned)(65536 / session.n) + 2))
                fail_msg("damage %u at %zu", kind, at);
        }
    assert_true(far < n / 10);
}

static void golden_dumps(void **state)
{
    struct failing_alloc f;
    char text[4096];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    each_file("test/data/ps", ".ps", dump_file, NULL);
    failing_alloc_init(&f, 1);
    ps_dump(&w, ps_vector[0], &f.alloc);
    assert_int_equal(w.err, GB_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_session),
        cmocka_unit_test(every_cut_in_two),
        cmocka_unit_test(b_private_stream_with_start_codes),
        cmocka_unit_test(c_unbounded_pes),
        cmocka_unit_test(c_unbounded_pes_ends),
        cmocka_unit_test(c_unbounded_pes_with_impostors),
        cmocka_unit_test(d_split_pes),
        cmocka_unit_test(e_pes_per_nal),
        cmocka_unit_test(e_pes_per_byte),
        cmocka_unit_test(f_map_with_reversed_crc),
        cmocka_unit_test(g_no_map),
        cmocka_unit_test(h_bare_pack_header),
        cmocka_unit_test(i_stuffing_with_a_start_code),
        cmocka_unit_test(k_trailing_zeros),
        cmocka_unit_test(loss),
        cmocka_unit_test(loss_between_frames),
        cmocka_unit_test(deliver_corrupt),
        cmocka_unit_test(mpeg1_audio_in_mpeg2_pack),
        cmocka_unit_test(mpeg1_stream),
        cmocka_unit_test(imkh_file_header),
        cmocka_unit_test(short_map_length),
        cmocka_unit_test(header_length_in_the_wrong_byte),
        cmocka_unit_test(parameter_sets_in_a_pack_of_their_own),
        cmocka_unit_test(several_units_in_one_pes),
        cmocka_unit_test(slices_of_one_picture),
        cmocka_unit_test(encrypted_payload),
        cmocka_unit_test(joined_in_the_middle),
        cmocka_unit_test(joined_between_slices),
        cmocka_unit_test(lost_structure),
        cmocka_unit_test(packet_against_length),
        cmocka_unit_test(stream_without_packs),
        cmocka_unit_test(h265_whatever_the_map_says),
        cmocka_unit_test(no_codec_from_slices),
        cmocka_unit_test(stream_events),
        cmocka_unit_test(audio_codecs),
        cmocka_unit_test(mpa_by_its_frames),
        cmocka_unit_test(key_frames_without_idr),
        cmocka_unit_test(field_pairs),
        cmocka_unit_test(new_time_inside_a_start_code),
        cmocka_unit_test(private_stream_changes_its_kind),
        cmocka_unit_test(flush_delivers_what_is_whole),
        cmocka_unit_test(marker_saves_a_frame_of_delay),
        cmocka_unit_test(unit_too_large),
        cmocka_unit_test(too_many_pieces),
        cmocka_unit_test(too_many_nal_units),
        cmocka_unit_test(too_many_streams),
        cmocka_unit_test(map_of_ghosts),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(free_releases),
        cmocka_unit_test(heads_only),
        cmocka_unit_test(mux_and_back),
        cmocka_unit_test(note_17_1_damage_ends_by_itself),
        cmocka_unit_test(golden_dumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
