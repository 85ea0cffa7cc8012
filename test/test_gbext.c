/* The words that GB/T 28181 adds to SDP. */
#include "test/support.h"

#include "sdp/gbext.h"

static void ssrc_read(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool ok;
        uint32_t v;
    } cases[] = {
        { "live", S("0200005549"), true, 0x0bebd7ad },
        { "history", S("1200005549"), true, 0x4786a1ad },
        { "nine digits", S("501000001"), true, 501000001 },
        { "short", S("001"), true, 1 },
        { "blanks", S(" 0200004321 "), true, 0x0bebd2e1 },
        { "placeholder", S("0999999999"), true, 999999999 },
        { "largest", S("4294967295"), true, 4294967295u },
        { "too large", S("4294967296"), false, 0 },
        { "longer", S("00000000000000000000001"), true, 1 },
        { "wraps 64 bits", S("18446744073709551617"), false, 0 },
        { "hex", S("0x0bebd7ad"), false, 0 },
        { "null", S("null"), false, 0 },
        { "minus", S("-1"), false, 0 },
        { "empty", S(""), false, 0 },
        { "blank inside", S("02000 05549"), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t v = 0;

        if (sdp_ssrc_parse(&v, guarded(cases[i].in)) != cases[i].ok ||
            v != cases[i].v)
            fail_msg("%s: %u", cases[i].name, v);
    }
}

static void ssrc_written(void **state)
{
    static const uint32_t in[] = { 0, 1, 200005549, 1999999999, 4294967295u };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        char buf[SDP_SSRC_DIGITS];
        struct writer w = writer_of(buf, sizeof(buf));
        uint32_t back = ~in[i];

        sdp_ssrc_write(&w, in[i]);
        assert_int_equal(w.err, 0);
        assert_int_equal(w.len, SDP_SSRC_DIGITS);
        assert_true(sdp_ssrc_parse(&back, guarded(writer_slice(&w))));
        assert_true(back == in[i]);
    }
}

static void ssrc_made(void **state)
{
    static const struct {
        const char *name;
        struct slice code;
        bool history;
        unsigned serial;
        int err;
        uint32_t v;
    } cases[] = {
        { "live", S("34020000002000000001"), false, 4321, 0, 200004321 },
        { "history", S("34020000002000000001"), true, 5549, 0, 1200005549 },
        { "other domain", S("13010000002000000001"), false, 0, 0, 100000000 },
        { "realm only", S("3402000000"), false, 9999, 0, 200009999 },
        { "largest", S("000999990000"), true, 9999, 0, 1999999999 },
        { "serial", S("34020000002000000001"), true, 10000, GB_ERANGE, 0 },
        { "short code", S("3402000"), false, 1, GB_ESYNTAX, 0 },
        { "letters", S("340abcde0"), false, 1, GB_ESYNTAX, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t v = 0;
        int err = sdp_ssrc_make(&v, guarded(cases[i].code), cases[i].history,
                                cases[i].serial);

        if (err != cases[i].err || v != cases[i].v)
            fail_msg("%s: %u %s", cases[i].name, v, gb_strerror(err));
    }
}

static void operations(void **state)
{
    static const struct {
        struct slice in;
        enum sdp_operation want;
    } cases[] = {
        { S("Play"), SDP_PLAY },         { S("Playback"), SDP_PLAYBACK },
        { S("PlayBack"), SDP_PLAYBACK }, { S("DOWNLOAD"), SDP_DOWNLOAD },
        { S("Talk"), SDP_TALK },         { S("Broadcast"), SDP_PLAY },
        { S(""), SDP_PLAY },             { S("Embedded Net DVR"), SDP_PLAY },
        { S("Playbac"), SDP_PLAY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(sdp_operation_parse(guarded(cases[i].in)),
                         cases[i].want);
    for (unsigned i = 0; i < SDP_OPERATION_COUNT; i++)
        assert_int_equal(
            sdp_operation_parse(sdp_operation_name((enum sdp_operation)i)),
            (int)i);
}

static void uris(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        struct slice code, path;
        bool http;
        unsigned type;
    } cases[] = {
        { "all", S("34020000001310000007:0"), 0, S("34020000001310000007"),
          S(""), false, 0 },
        { "alarm", S("34020000001310000007:2"), 0, S("34020000001310000007"),
          S(""), false, 2 },
        { "255 is all", S("34020000001310000007:255"), 0,
          S("34020000001310000007"), S(""), false, 0 },
        { "no type", S("34020000001310000007"), 0, S("34020000001310000007"),
          S(""), false, 0 },
        { "long form", S("http://34020000002130000001/a/b/c.ps"), 0,
          S("34020000002130000001"), S("/a/b/c.ps"), true, 0 },
        { "long without path", S("HTTP://34020000002130000001"), 0,
          S("34020000002130000001"), S(""), true, 0 },
        { "empty", S(""), GB_ESYNTAX, S(""), S(""), false, 0 },
        { "no code", S(":0"), GB_ESYNTAX, S(""), S(""), false, 0 },
        { "no host", S("http:///x"), GB_ESYNTAX, S(""), S(""), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sdp_uri u = { 0 };
        int err = sdp_uri_parse(&u, guarded(cases[i].in));

        if (err != cases[i].err ||
            (!err && (!slice_eq(u.code, cases[i].code) ||
                      !slice_eq(u.path, cases[i].path) ||
                      u.is_http != cases[i].http || u.type != cases[i].type)))
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static void f_lines(void **state)
{
    static const struct {
        const char *name;
        struct slice in, out; /* out: as we write it; empty: refused */
    } cases[] = {
        { "video", S("v/2/6/25/1/4096a///"), S("v/2/6/25/1/4096a///") },
        { "audio", S("v/////a/1/8/1"), S("v/////a/1/8/1") },
        { "both", S("v/5/2560x1440/25/2/8192a/6/8/3"),
          S("v/5/2560x1440/25/2/8192a/6/8/3") },
        { "blank between", S("v/2/6/25/1/4096 a/1/8/1"),
          S("v/2/6/25/1/4096a/1/8/1") },
        { "zeros", S("v/0/0/0/0/0a/0/0/0"), S("v//0///a///") },
        { "empty", S(""), S("v/////a///") },
        { "too few slashes", S("v/a/1/8/1"), S("v/////a/1/8/1") },
        { "v alone", S("v"), S("v/////a///") },
        { "too large", S("v/2/6/25/1/100001a///"), S("v/2/6/25/1/a///") },
        { "words", S("v/x/y/z/q/ra/s/t/u"), S("v//y///a///") },
        { "other", S("x/2/6"), S("") },
        { "no slash", S("v2"), S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[128];
        struct writer w = writer_of(buf, sizeof(buf));
        struct sdp_f f;
        int err = sdp_f_parse(&f, guarded(cases[i].in));

        if (!err)
            sdp_f_write(&w, &f);
        if (err != (cases[i].out.n ? 0 : GB_ESYNTAX) || w.err ||
            !slice_eq(writer_slice(&w), cases[i].out))
            fail_msg("%s: \"%.*s\"", cases[i].name,
                     SLICE_ARG(writer_slice(&w)));
    }
}

static void setups(void **state)
{
    (void)state;
    assert_int_equal(sdp_setup_opposite(SDP_ACTIVE), SDP_PASSIVE);
    assert_int_equal(sdp_setup_opposite(SDP_PASSIVE), SDP_ACTIVE);
    assert_int_equal(sdp_setup_opposite(SDP_ACTPASS), SDP_ACTIVE);
    assert_int_equal(sdp_setup_opposite(SDP_SETUP_NONE), SDP_SETUP_NONE);
    assert_true(slice_eq(sdp_setup_name(SDP_PASSIVE), SLICE("passive")));
}

static void selection(void **state)
{
    struct sdp_select s = SDP_SELECT_NONE;

    (void)state;
    assert_int_equal(sdp_selected_stream(&s), 0);
    s.mode = SDP_MODE_SUB;
    assert_int_equal(sdp_selected_stream(&s), 1);
    s.stream = 0;
    assert_int_equal(sdp_selected_stream(&s), 0);
    s.streamprofile = 1;
    assert_int_equal(sdp_selected_stream(&s), 1);
    s.streamnumber = 2;
    assert_int_equal(sdp_selected_stream(&s), 2);
    s = sdp_select_make(1, true);
    assert_int_equal(s.streamnumber, 1);
    assert_int_equal(s.streamprofile, -1);
    s = sdp_select_make(1000000, false);
    assert_int_equal(s.streamprofile, SDP_MAX_STREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssrc_read),  cmocka_unit_test(ssrc_written),
        cmocka_unit_test(ssrc_made),  cmocka_unit_test(operations),
        cmocka_unit_test(uris),       cmocka_unit_test(f_lines),
        cmocka_unit_test(setups),     cmocka_unit_test(selection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
