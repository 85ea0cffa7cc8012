/* sip/uri: parse, parameters, escapes, comparison */
#include "test/support.h"

#include "sip/uri.h"

static const struct {
    const char *name;
    struct slice in;
    int err;
    enum sip_scheme scheme;
    struct slice user, host;
    uint16_t port;
    struct slice params, headers;
} parse_cases[] = {
    { "id at domain", S("sip:34020000001320000001@3402000000"), 0,
      SIP_SCHEME_SIP, S("34020000001320000001"), S("3402000000"), 0,
      S(""), S("") },
    { "port", S("sip:a@192.0.2.1:5060"), 0, SIP_SCHEME_SIP, S("a"),
      S("192.0.2.1"), 5060, S(""), S("") },
    { "no user", S("SIPS:gate.example"), 0, SIP_SCHEME_SIPS, S(""),
      S("gate.example"), 0, S(""), S("") },
    { "parameters", S("sip:a@b:1;lr;transport=tcp"), 0, SIP_SCHEME_SIP,
      S("a"), S("b"), 1, S("lr;transport=tcp"), S("") },
    { "headers", S("sip:a@b?x=y&z=1"), 0, SIP_SCHEME_SIP, S("a"), S("b"),
      0, S(""), S("x=y&z=1") },
    { "both", S("sip:b;p=1?x=y"), 0, SIP_SCHEME_SIP, S(""), S("b"), 0,
      S("p=1"), S("x=y") },
    { "semicolon in the user", S("sip:u;par=x%40y@b"), 0, SIP_SCHEME_SIP,
      S("u;par=x%40y"), S("b"), 0, S(""), S("") },
    { "slashes in the user", S("sip:a/b?c,d@e"), 0, SIP_SCHEME_SIP,
      S("a/b?c,d"), S("e"), 0, S(""), S("") },
    { "IPv6", S("sip:a@[2001:DB8::1]:5070;x"), 0, SIP_SCHEME_SIP, S("a"),
      S("[2001:DB8::1]"), 5070, S("x"), S("") },
    { "IPv6 any", S("sip:[::]"), 0, SIP_SCHEME_SIP, S(""), S("[::]"), 0,
      S(""), S("") },
    { "largest port", S("sip:a@b:65535"), 0, SIP_SCHEME_SIP, S("a"),
      S("b"), 65535, S(""), S("") },
    { "tel", S("tel:+86-139-0000(0000);ext=12;x"), 0, SIP_SCHEME_TEL,
      S(""), S(""), 0, S("ext=12;x"), S("") },
    { "tel, local", S("TEL:7*A#;phone-context=+86"), 0, SIP_SCHEME_TEL,
      S(""), S(""), 0, S("phone-context=+86"), S("") },
    { "tel, no digit", S("tel:+-"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "tel, no number", S("tel:;x=1"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "tel, letter", S("tel:+86a"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "tel, two +", S("tel:++86"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "tel, name", S("tel:nobody"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "odd scheme", S("soap.beep://192.0.2.1:3002"), 0, SIP_SCHEME_OTHER,
      S(""), S(""), 0, S(""), S("") },
    { "nothing", S(""), GB_ESYNTAX, 0, S(""), S(""), 0, S(""), S("") },
    { "no scheme", S("a@b"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "scheme alone", S("sip:"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "digit first", S("1sip:a@b"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "empty user", S("sip:@b"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "empty user with password", S("sip::x@b"), GB_ESYNTAX, 0, S(""),
      S(""), 0, S(""), S("") },
    { "empty host", S("sip:a@"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "empty host, port", S("sip:a@:5060"), GB_ESYNTAX, 0, S(""), S(""),
      0, S(""), S("") },
    { "two @", S("sip:a@b@c"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "escape in the host", S("sip:a@b%41"), GB_ESYNTAX, 0, S(""), S(""),
      0, S(""), S("") },
    { "blank", S("sip:a b@c"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "line feed", S("sip:a@b\n"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "NUL", S("sip:a\0@b"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "brackets", S("<sip:a@b>"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "quote", S("sip:a@b;x=\""), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "port 0", S("sip:a@b:0"), GB_ERANGE, 0, S(""), S(""), 0, S(""),
      S("") },
    { "port too large", S("sip:a@b:65536"), GB_ERANGE, 0, S(""), S(""),
      0, S(""), S("") },
    { "port wraps", S("sip:a@b:4294972356"), GB_ERANGE, 0, S(""), S(""),
      0, S(""), S("") },
    { "port with a letter", S("sip:a@b:5060x"), GB_ESYNTAX, 0, S(""),
      S(""), 0, S(""), S("") },
    { "empty port", S("sip:a@b:"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "IPv6 without brackets", S("sip:2001:db8::10"), GB_ESYNTAX, 0,
      S(""), S(""), 0, S(""), S("") },
    { "IPv6 with zone", S("sip:[fe80::1%eth0]"), GB_ESYNTAX, 0, S(""),
      S(""), 0, S(""), S("") },
    { "IPv6 nine groups", S("sip:[1:2:3:4:5:6:7:8:9]"), GB_ESYNTAX, 0,
      S(""), S(""), 0, S(""), S("") },
    { "IPv6 two ::", S("sip:[1::2::3]"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "IPv6 five digits", S("sip:[12345::1]"), GB_ESYNTAX, 0, S(""),
      S(""), 0, S(""), S("") },
    { "IPv6 three colons", S("sip:[2001:db8:::192.0.2.1]"), GB_ESYNTAX,
      0, S(""), S(""), 0, S(""), S("") },
    { "IPv6 no ]", S("sip:[2001:db8::1"), GB_ESYNTAX, 0, S(""), S(""), 0,
      S(""), S("") },
    { "IPv6 ]:", S("sip:[::1]:"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "IPv6 ]:0", S("sip:[::1]:0"), GB_ERANGE, 0, S(""), S(""), 0, S(""),
      S("") },
    { "IPv6 ]:65536", S("sip:[::1]:65536"), GB_ERANGE, 0, S(""), S(""),
      0, S(""), S("") },
    { "IPv6 ]:5060x", S("sip:[::1]:5060x"), GB_ESYNTAX, 0, S(""), S(""),
      0, S(""), S("") },
    { "IPv6 loopback", S("sip:[::1]"), 0, SIP_SCHEME_SIP, S(""),
      S("[::1]"), 0, S(""), S("") },
    { "IPv6 empty", S("sip:[]"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "IPv6 ]x", S("sip:[::1]x"), GB_ESYNTAX, 0, S(""), S(""), 0, S(""),
      S("") },
    { "IPv4 in brackets", S("sip:[192.0.2.1]"), GB_ESYNTAX, 0, S(""),
      S(""), 0, S(""), S("") },
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parse_cases); i++) {
        struct sip_uri u = { 0 };
        int err = sip_uri_parse(&u, guarded(parse_cases[i].in), NULL);

        if (err != parse_cases[i].err || u.scheme != parse_cases[i].scheme ||
            !slice_eq(u.user, parse_cases[i].user) ||
            !slice_eq(u.host, parse_cases[i].host) || u.port != parse_cases[i].port ||
            !slice_eq(u.params, parse_cases[i].params) ||
            !slice_eq(u.headers, parse_cases[i].headers))
            fail_msg("%s: %s", parse_cases[i].name, gb_strerror(err));
    }
}

static struct sip_uri uri_of(const char *text)
{
    struct sip_uri u;

    if (sip_uri_parse(&u, slice_str(text), NULL))
        fail_msg("%s", text);
    return u;
}

static void numbers(void **state)
{
    struct sip_uri u = uri_of("tel:+86-10-1234;ext=5");
    struct sip_param p;

    (void)state;
    assert_true(slice_eq(sip_uri_number(&u), SLICE("+86-10-1234")));
    assert_true(sip_uri_param(&u, SLICE("ext"), &p));
    assert_true(slice_eq(p.value, SLICE("5")));
    assert_false(sip_uri_is_sip(&u));
    u = uri_of("tel:7");
    assert_true(slice_eq(sip_uri_number(&u), SLICE("7")));
    u = uri_of("sip:7@h");
    assert_int_equal(sip_uri_number(&u).n, 0);
    assert_true(sip_uri_is_sip(&u));
}

static void escapes(void **state)
{
    struct sip_uri u = uri_of("sip:%63am%zz%2@gate;%6C%72;n%61me=v%25%34%31");
    struct sip_param p;
    struct slice s;
    char buf[16];

    (void)state;
    assert_true(sip_uri_user(&u, buf, sizeof(buf), &s));
    assert_true(slice_eq(s, SLICE("cam%zz%2")));
    assert_false(sip_uri_user(&u, buf, 3, &s));
    assert_true(sip_uri_is_loose(&u));
    assert_true(sip_uri_param(&u, SLICE("NAME"), &p));
    assert_true(sip_unescape(p.value, buf, sizeof(buf), &s));
    assert_true(slice_eq(s, SLICE("v%41"))); /* decoded once */
    u = uri_of("sip:%00%00@b");
    assert_true(sip_uri_user(&u, buf, sizeof(buf), &s));
    assert_int_equal(s.n, 2);
    u = uri_of("sip:lr@b;lr=on");
    assert_true(sip_uri_is_loose(&u));
    u = uri_of("sip:lr@b;lrx");
    assert_false(sip_uri_is_loose(&u));
}

/* RFC 3261 §19.1.4, its examples and R46. */
static void equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        { "sip:%61lice@atlanta.com;transport=TCP",
          "sip:alice@AtLanTa.CoM;Transport=tcp", true },
        { "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true },
        { "sip:carol@chicago.com", "sip:carol@chicago.com;security=on",
          true },
        { "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40b.com",
          "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40b.com",
          true },
        { "sip:a@b?subject=x&priority=y", "sip:a@b?priority=y&subject=x",
          true },
        { "SIP:ALICE@b", "sip:alice@b", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false },
        { "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp",
          false },
        { "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next",
          false },
        { "sip:carol@c.com;security=on", "sip:carol@c.com;security=off",
          false },
        { "sip:a@b;maddr=192.0.2.1", "sip:a@b", false },
        { "sip:a@b", "sip:a@b;user=phone", false },
        { "sip:a@b;ttl=1", "sip:a@b", false },
        { "sip:a@b;method=INVITE", "sip:a@b", false },
        { "sip:a@b", "sips:a@b", false },
        { "sip:a:x@b", "sip:a:X@b", false },
        { "sip:a%3Bb@c", "sip:a;b@c", false }, /* reserved */
        { "sip:a%2db@c", "sip:a-b@c", true },
        { "sip:[2001:DB8::1]", "sip:[2001:db8:0::1]", true },
        { "sip:[2001:db8::1]", "sip:[2001:db8::2]", false },
        { "sip:a@b;x=1;x=2", "sip:a@b;x=1", true },
        { "sip:a@b;x=1;x=2", "sip:a@b;x=2;x=1", false },
        { "tel:123", "tel:123", true },
        { "tel:123", "tel:124", false },
        { "tel:+86-10(1234)", "tel:+86.101234", true },
        { "tel:+861234", "tel:861234", false },
        { "tel:a1;phone-context=x;ext=2", "TEL:A1;EXT=2;phone-context=X",
          true },
        { "tel:1;ext=2", "tel:1", false },
        { "tel:12", "tel:123", false },
        { "tel:12", "sip:12@h", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_uri a = uri_of(cases[i].a), b = uri_of(cases[i].b);

        if (sip_uri_eq(&a, &b) != cases[i].equal ||
            sip_uri_eq(&b, &a) != cases[i].equal)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        assert_true(sip_uri_eq(&a, &a));
    }
}

static void addresses(void **state)
{
    struct sip_uri u = uri_of("sip:x@[::ffff:192.0.2.1]");
    struct gb_addr a, b;

    (void)state;
    assert_int_equal(sip_uri_addr(&u, 5060, &a), 0);
    assert_int_equal(gb_addr_parse(&b, SLICE("192.0.2.1:5060"), 0), 0);
    assert_true(gb_addr_eq(&a, &b));
    u = uri_of("sip:x@192.0.2.1:99");
    assert_int_equal(sip_uri_addr(&u, 5060, &a), 0);
    assert_int_equal(a.port, 99);
    u = uri_of("sip:x@gate");
    assert_int_equal(sip_uri_addr(&u, 5060, &a), GB_ESYNTAX);
}

/* Whatever the user, what is written parses to the same user. */
static void writes(void **state)
{
    uint64_t seed = 46;

    (void)state;
    for (unsigned k = 0; k < 2000; k++) {
        char user[12], text[64], back[12];
        struct writer w = writer_of(text, sizeof(text));
        struct slice in = { user, 1 + test_random(&seed) % 12 }, out;
        struct sip_uri u;

        for (size_t i = 0; i < in.n; i++)
            user[i] = (char)test_random(&seed);
        sip_uri_write(&w, in, SLICE("gate:5060"));
        assert_int_equal(w.err, 0);
        assert_int_equal(sip_uri_parse(&u, writer_slice(&w), NULL), 0);
        assert_true(sip_uri_user(&u, back, sizeof(back), &out));
        assert_true(slice_eq(in, out));
        assert_int_equal(u.port, 5060);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),    cmocka_unit_test(numbers),
        cmocka_unit_test(escapes),
        cmocka_unit_test(equality),  cmocka_unit_test(addresses),
        cmocka_unit_test(writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
