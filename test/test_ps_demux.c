/* ps/demux: the session of the standard, forms that streams have in the field,
 * and back from the muxer. */
#include "test/ps_script.h"

#include <stdio.h>
#include <stdlib.h>

#include "ps/dump.h"
#include "ps/mux.h"

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

static void note_8_5_header_length_in_the_wrong_byte(void **state)
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

/* As MPEG muxers cut: PES of one size, and the time of one that begins inside
 * a picture is that of the next. */
static void time_of_the_next_picture(void **state)
{
    static const char want[] = "au e0 h264 pts=93600 nals 1:8 1:4 crc=";

    (void)state;
    begin();
    put(ps_vector[0]);
    put_pack();
    put_pes(0xe0, p_es(), 93600);
    put_pes(0xe0,
            SLICE("\x11\x22\0\0\1\x41\x46\x11\x22"
                  "\0\0\0\1\x41\x9a\1\2\3\4"),
            97200);
    for (size_t n = 0; n < 30; n++)
        if (!strstr(run(done(), n, false, NULL), want) ||
            !strstr(rec.buf, "au e0 h264 pts=97200 nals 1:6 crc="))
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
    body = (size_t)(test_random(seed) % (is_key ? 140000 : 3000));
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
            n = 1 + (size_t)(test_random(&seed) % 700);
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

/* What the captures do not have: two times and scrambling, an end, and elements
 * that are cut. */
static void dump_of_seldom_elements(void **state)
{
    static const char bytes[] =
        "\0\0\1\xe0\0\x0f\x90\xc0\x0a\x31\0\1\x0e\x11\x11\0\1\x07\x09xy"
        "\0\0\1\xb9"
        "\0\0\1\xe0\0\3\x80\x80\x05"
        "\0\0\1\xba\x44";
    static const char want[] =
        "00000000 pes e0 length 15 header 19 pts 1800 dts 900 scrambled 1\n"
        "00000015 end\n"
        "00000019 broken e0\n"
        "0000001d skip 5\n"
        "00000022 broken ba\n"
        "00000026 skip 1\n"
        "stream e0 type 00 unknown by nothing\n"
        "stream e0 type 00 unknown by nothing encrypted\n"
        "packs 0 maps 0 pes 2 units 0 keys 0\n"
        "skipped 0 resyncs 0 corrupt 0 bad-headers 1 encrypted 1\n";
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    ps_dump(&w, slice_of(bytes, sizeof(bytes) - 1), &gb_alloc_heap);
    assert_int_equal(w.err, 0);
    if (!slice_eq(writer_slice(&w), slice_str(want)))
        fail_msg("%.*s", SLICE_ARG(writer_slice(&w)));
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
        cmocka_unit_test(d_split_pes),
        cmocka_unit_test(e_pes_per_nal),
        cmocka_unit_test(e_pes_per_byte),
        cmocka_unit_test(f_map_with_reversed_crc),
        cmocka_unit_test(g_no_map),
        cmocka_unit_test(h_bare_pack_header),
        cmocka_unit_test(i_stuffing_with_a_start_code),
        cmocka_unit_test(k_trailing_zeros),
        cmocka_unit_test(mpeg1_audio_in_mpeg2_pack),
        cmocka_unit_test(mpeg1_stream),
        cmocka_unit_test(imkh_file_header),
        cmocka_unit_test(short_map_length),
        cmocka_unit_test(note_8_5_header_length_in_the_wrong_byte),
        cmocka_unit_test(parameter_sets_in_a_pack_of_their_own),
        cmocka_unit_test(several_units_in_one_pes),
        cmocka_unit_test(slices_of_one_picture),
        cmocka_unit_test(time_of_the_next_picture),
        cmocka_unit_test(encrypted_payload),
        cmocka_unit_test(heads_only),
        cmocka_unit_test(mux_and_back),
        cmocka_unit_test(dump_of_seldom_elements),
        cmocka_unit_test(golden_dumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
