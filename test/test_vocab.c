/* sip/vocab: the tables against their look-ups */
#include "test/support.h"

#include "base/writer.h"
#include "sip/vocab.h"

static void methods(void **state)
{
    (void)state;
    for (unsigned i = 1; i < SIP_METHOD_COUNT; i++) {
        struct slice name = sip_method_name((enum sip_method)i);
        char low[16];

        assert_int_equal(sip_method_lookup(guarded(name)), i);
        for (size_t k = 0; k < name.n; k++)
            low[k] = ascii_lower(name.p[k]);
        assert_int_equal(sip_method_lookup(slice_of(low, name.n)),
                         SIP_METHOD_OTHER);
        assert_int_equal(sip_method_lookup(slice_head(name, name.n - 1)),
                         SIP_METHOD_OTHER);
    }
    assert_int_equal(sip_method_lookup(SLICE("")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_lookup(SLICE("BYTE")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_lookup(SLICE("RXXXXXXR")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_name(SIP_METHOD_OTHER).n, 0);
}

/* Every octet of every name, changed to every other value, is another name,
 * unless only its case changed. */
static void headers(void **state)
{
    (void)state;
    for (unsigned i = 1; i < SIP_HDR_COUNT; i++) {
        struct slice name = sip_hdr_name((enum sip_hdr)i);
        char text[32];

        assert_true(name.n < sizeof(text) && sip_is_token(name));
        assert_int_equal(sip_hdr_lookup(guarded(name)), i);
        for (size_t k = 0; k < name.n; k++) {
            for (unsigned c = 0; c < 256; c++) {
                enum sip_hdr got;
                struct slice s = slice_of(text, name.n);
                bool same;

                memcpy(text, name.p, name.n);
                text[k] = (char)c;
                same = slice_ieq(s, name);
                got = sip_hdr_lookup(s);
                if (same != (got == i))
                    fail_msg("%.*s at %zu: %u gives %u", SLICE_ARG(name), k,
                             c, got);
            }
        }
    }
    assert_int_equal(sip_hdr_lookup(SLICE("")), SIP_HDR_OTHER);
    assert_int_equal(sip_hdr_lookup(SLICE("X-Unknown")), SIP_HDR_OTHER);
    assert_int_equal(sip_hdr_name(SIP_HDR_OTHER).n, 0);
    assert_int_equal(sip_hdr_kind(SIP_HDR_OTHER), SIP_LINE);
}

/* Names at the start of a line, in any case, with every octet changed; only a
 * long one of less than a block with its colon behind it is taken. */
static void lines(void **state)
{
    (void)state;
    for (unsigned i = 1; i < SIP_HDR_COUNT; i++) {
        struct slice name = sip_hdr_name((enum sip_hdr)i);
        char text[64];
        enum sip_hdr id;
        size_t n;

        for (size_t k = 0; k <= name.n; k++) {
            for (unsigned c = 0; c < 256; c++) {
                size_t end;
                bool want, got;

                if (c < ' ') /* no line of a plain block has CR in it */
                    continue;
                memset(text, 'x', sizeof(text));
                memcpy(text, name.p, name.n);
                text[name.n] = ':';
                text[k] = (char)c;
                end = slice_find(slice_of(text, SIP_HDR_LINE), ':');
                want = end > 1 && end < SIP_HDR_LINE &&
                       sip_hdr_lookup(slice_of(text, end)) != SIP_HDR_OTHER;
                got = sip_hdr_of_line(guarded(slice_of(text, 16)).p, &id, &n);
                if (got != want ||
                    (got && (n != end ||
                             id != sip_hdr_lookup(slice_of(text, end)))))
                    fail_msg("%.*s at %zu: %u", SLICE_ARG(name), k, c);
            }
        }
    }
}

/* R49: the compact names of the register. */
static void compact_names(void **state)
{
    static const struct {
        char brief;
        struct slice name;
    } want[] = {
        { 'a', S("Accept-Contact") },      { 'b', S("Referred-By") },
        { 'c', S("Content-Type") },        { 'd', S("Request-Disposition") },
        { 'e', S("Content-Encoding") },    { 'f', S("From") },
        { 'i', S("Call-ID") },             { 'j', S("Reject-Contact") },
        { 'k', S("Supported") },           { 'l', S("Content-Length") },
        { 'm', S("Contact") },             { 'n', S("Identity-Info") },
        { 'o', S("Event") },               { 'r', S("Refer-To") },
        { 's', S("Subject") },             { 't', S("To") },
        { 'u', S("Allow-Events") },        { 'v', S("Via") },
        { 'x', S("Session-Expires") },     { 'y', S("Identity") },
    };
    unsigned found = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        char up = (char)(want[i].brief - 'a' + 'A');
        enum sip_hdr h = sip_hdr_lookup(slice_of(&want[i].brief, 1));

        assert_true(slice_eq(sip_hdr_name(h), want[i].name));
        assert_int_equal(sip_hdr_lookup(slice_of(&up, 1)), h);
        assert_int_equal(sip_hdr_brief(h), want[i].brief);
    }
    for (unsigned c = 0; c < 256; c++) {
        char one = (char)c;

        found += sip_hdr_lookup(slice_of(&one, 1)) != SIP_HDR_OTHER;
    }
    assert_int_equal(found, 2 * COUNT(want));
}

static void reasons(void **state)
{
    (void)state;
    assert_true(slice_eq(sip_reason(200), SLICE("OK")));
    assert_true(slice_eq(sip_reason(481),
                         SLICE("Call/Transaction Does Not Exist")));
    assert_true(slice_eq(sip_reason(199), SLICE("Session Progress")));
    assert_true(slice_eq(sip_reason(299), SLICE("OK")));
    assert_true(slice_eq(sip_reason(499), SLICE("Bad Request")));
    assert_true(slice_eq(sip_reason(699), SLICE("Busy Everywhere")));
    assert_true(slice_eq(sip_reason(99), SLICE("Unknown")));
    assert_true(slice_eq(sip_reason(700), SLICE("Unknown")));
    for (unsigned s = 0; s < 1000; s++)
        assert_true(sip_reason(s).n > 0);
}

static void tokens(void **state)
{
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                              "UVWXYZ0123456789-.!%*_+`'~";
    unsigned n = 0;

    (void)state;
    for (unsigned c = 0; c < 256; c++)
        n += sip_is_token_char((char)c);
    assert_int_equal(n, sizeof(all) - 1);
    assert_true(sip_is_token(slice_str(all)));
    assert_false(sip_is_token(SLICE("")));
    assert_false(sip_is_token(SLICE("a b")));
}

/* The fuzzers' dictionary comes from the tables. */
static void dictionary(void **state)
{
    static const char *const more[] = {
        "sip:", "sips:", "SIP/2.0", "SIP/2.0/UDP ", "SIP/2.0/TCP ",
        ";branch=z9hG4bK", ";rport", ";received=", ";tag=", ";lr", ";q=",
        ";expires=", ";transport=", ";maddr=", "\\x0d\\x0a", "\\x0d\\x0a ",
        "\\x0d\\x0a\\x0d\\x0a", "<?xml", "<Notify>", "</Notify>", "[::1]",
        "[::ffff:192.0.2.1]", "%00", "2147483648", "4294967296", "\\\"",
        "Application/MANSCDP+xml", "application/sdp", "Digest ",
    };
    static char text[8192];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    for (unsigned i = 1; i < SIP_METHOD_COUNT; i++) {
        struct slice s = sip_method_name((enum sip_method)i);

        writer_f(&w, "\"%.*s \"\n", SLICE_ARG(s));
    }
    for (unsigned i = 1; i < SIP_HDR_COUNT; i++) {
        struct slice s = sip_hdr_name((enum sip_hdr)i);

        writer_f(&w, "\"%.*s: \"\n", SLICE_ARG(s));
        if (sip_hdr_brief((enum sip_hdr)i))
            writer_f(&w, "\"\\x0d\\x0a%c:\"\n", sip_hdr_brief((enum sip_hdr)i));
    }
    for (size_t i = 0; i < COUNT(more); i++)
        writer_f(&w, "\"%s\"\n", more[i]);
    assert_int_equal(w.err, 0);
    expect_golden("fuzz/sip_msg.dict", writer_slice(&w));
    expect_golden("fuzz/sip_frame.dict", writer_slice(&w));
    expect_golden("fuzz/sip_value.dict", writer_slice(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(headers),
        cmocka_unit_test(lines),
        cmocka_unit_test(compact_names),
        cmocka_unit_test(reasons),
        cmocka_unit_test(tokens),
        cmocka_unit_test(dictionary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
