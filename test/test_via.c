/* sip/via: parse, echo with received and rport, where the answer goes */
#include "test/support.h"

#include "sip/via.h"

static void parses(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        struct slice transport, host;
        uint16_t port;
        bool has_rport;
        uint16_t rport;
        struct slice branch, received;
    } cases[] = {
        { "camera", S("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK99"), 0,
          S("UDP"), S("192.0.2.1"), 5060, true, 0, S("z9hG4bK99"), S("") },
        { "other order", S("SIP/2.0/TCP gate;branch=z9hG4bK.8Rx;rport=77"), 0,
          S("TCP"), S("gate"), 0, true, 77, S("z9hG4bK.8Rx"), S("") },
        { "lower case", S("sip/2.0/udp 192.0.2.1"), 0, S("udp"),
          S("192.0.2.1"), 0, false, 0, S(""), S("") },
        { "blanks and folds",
          S("SIP /\r\n 2.0\t/ UDP\r\n  gate : 5061 ;\r\n branch = x ;rport "),
          0, S("UDP"), S("gate"), 5061, true, 0, S("x"), S("") },
        { "digits for a branch",
          S("SIP/2.0/UDP a;wlsscid=7;branch=1231335"), 0, S("UDP"), S("a"), 0,
          false, 0, S("1231335"), S("") },
        { "IPv6", S("SIP/2.0/UDP [2001:db8::1]:5070;branch=x"), 0, S("UDP"),
          S("[2001:db8::1]"), 5070, false, 0, S("x"), S("") },
        { "received IPv6", S("SIP/2.0/UDP a;received=2001:db8::1;branch=x"),
          0, S("UDP"), S("a"), 0, false, 0, S("x"), S("2001:db8::1") },
        { "received in brackets",
          S("SIP/2.0/UDP a;received=[2001:db8::1];branch=x"), 0, S("UDP"),
          S("a"), 0, false, 0, S("x"), S("2001:db8::1") },
        { "unknown transport", S("SIP/2.0/CARRIER-PIGEON a;branch=x"), 0,
          S("CARRIER-PIGEON"), S("a"), 0, false, 0, S("x"), S("") },
        { "empty parameters", S("SIP/2.0/UDP a;;;branch=x;"), 0, S("UDP"),
          S("a"), 0, false, 0, S("x"), S("") },
        { "first branch counts", S("SIP/2.0/UDP a;branch=x;branch=y"), 0,
          S("UDP"), S("a"), 0, false, 0, S("x"), S("") },
        { "other version", S("SIP/7.0/UDP a"), 0, S("UDP"), S("a"), 0, false,
          0, S(""), S("") },
        { "nothing", S(""), GB_ESYNTAX, S(""), S(""), 0, false, 0, S(""),
          S("") },
        { "other protocol", S("HTTP/1.1/TCP a"), GB_ESYNTAX, S(""), S(""), 0,
          false, 0, S(""), S("") },
        { "no host", S("SIP/2.0/UDP"), GB_ESYNTAX, S(""), S(""), 0, false, 0,
          S(""), S("") },
        { "no host but parameters", S("SIP/2.0/UDP ;branch=x"), GB_ESYNTAX,
          S(""), S(""), 0, false, 0, S(""), S("") },
        { "no transport", S("SIP/2.0/ a"), GB_ESYNTAX, S(""), S(""), 0, false,
          0, S(""), S("") },
        { "one slash", S("SIP/2.0 UDP a"), GB_ESYNTAX, S(""), S(""), 0, false,
          0, S(""), S("") },
        { "text behind", S("SIP/2.0/UDP a b"), GB_ESYNTAX, S(""), S(""), 0,
          false, 0, S(""), S("") },
        { "empty port", S("SIP/2.0/UDP a:;branch=x"), GB_ESYNTAX, S(""),
          S(""), 0, false, 0, S(""), S("") },
        { "port 0", S("SIP/2.0/UDP a:0"), GB_ERANGE, S(""), S(""), 0, false,
          0, S(""), S("") },
        { "port too large", S("SIP/2.0/UDP a:70000"), GB_ERANGE, S(""),
          S(""), 0, false, 0, S(""), S("") },
        { "bare IPv6", S("SIP/2.0/UDP 2001:db8::1;branch=x"), GB_ESYNTAX,
          S(""), S(""), 0, false, 0, S(""), S("") },
        { "no ]", S("SIP/2.0/UDP [2001:db8::1;branch=x"), GB_ESYNTAX, S(""),
          S(""), 0, false, 0, S(""), S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_via v = { 0 };
        int err = sip_via_parse(&v, guarded(cases[i].in), NULL);

        if (err != cases[i].err || !slice_eq(v.transport, cases[i].transport) ||
            !slice_eq(v.host, cases[i].host) || v.port != cases[i].port ||
            v.has_rport != cases[i].has_rport || v.rport != cases[i].rport ||
            !slice_eq(v.branch, cases[i].branch) ||
            !slice_eq(v.received, cases[i].received))
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static struct sip_via via_of(const char *text)
{
    struct sip_via v;

    if (sip_via_parse(&v, slice_str(text), NULL))
        fail_msg("%s", text);
    return v;
}

static void cookies(void **state)
{
    struct sip_via v = via_of("SIP/2.0/UDP a;branch=Z9HG4BKx");

    (void)state;
    assert_true(sip_via_has_cookie(&v));
    v = via_of("SIP/2.0/UDP a;branch=z9hG4bK");
    assert_false(sip_via_has_cookie(&v)); /* nothing behind it */
    v = via_of("SIP/2.0/UDP a;branch=1234567890");
    assert_false(sip_via_has_cookie(&v));
    v = via_of("SIP/2.0/UDP a");
    assert_false(sip_via_has_cookie(&v));
}

static struct gb_addr addr_of(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(text), 0), 0);
    return a;
}

/* RFC 3581 §4, R19. */
static void echoes(void **state)
{
    static const struct {
        const char *name, *in, *source, *want;
    } cases[] = {
        { "same address, no rport", "SIP/2.0/UDP 192.0.2.1:5060;branch=x",
          "192.0.2.1:6000", "SIP/2.0/UDP 192.0.2.1:5060;branch=x" },
        { "same address, rport", "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=x",
          "192.0.2.1:6000",
          "SIP/2.0/UDP 192.0.2.1:5060;rport=6000;received=192.0.2.1;branch=x"
        },
        { "behind NAT, no rport", "SIP/2.0/UDP 10.0.0.1:5060;branch=x",
          "192.0.2.1:6000",
          "SIP/2.0/UDP 10.0.0.1:5060;received=192.0.2.1;branch=x" },
        { "a name", "SIP/2.0/UDP gate;branch=x", "192.0.2.1:6000",
          "SIP/2.0/UDP gate;received=192.0.2.1;branch=x" },
        { "rport with a value, received forged",
          "SIP/2.0/UDP 10.0.0.1;rport=1;received=1.2.3.4;branch=x;y=\"a;b\"",
          "192.0.2.1:6000",
          "SIP/2.0/UDP 10.0.0.1;rport=6000;received=192.0.2.1;branch=x;"
          "y=\"a;b\"" },
        { "received forged alone", "SIP/2.0/UDP 192.0.2.1;received=1.2.3.4",
          "192.0.2.1:6000", "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1" },
        { "folds and empty parameters",
          "SIP / 2.0 /\r\n UDP 10.0.0.1 ;;\r\n branch = x ;;", "192.0.2.1:1",
          "SIP / 2.0 / UDP 10.0.0.1;received=192.0.2.1;branch = x" },
        { "IPv6", "SIP/2.0/UDP [2001:db8::1];rport", "[2001:db8::2]:7",
          "SIP/2.0/UDP [2001:db8::1];rport=7;received=2001:db8::2" },
        { "IPv6 written otherwise", "SIP/2.0/UDP [2001:DB8:0::1]:9",
          "[2001:db8::1]:7", "SIP/2.0/UDP [2001:DB8:0::1]:9" },
        { "mapped IPv4", "SIP/2.0/UDP [::ffff:192.0.2.1]", "192.0.2.1:7",
          "SIP/2.0/UDP [::ffff:192.0.2.1]" },
        { "ends in a semicolon", "SIP/2.0/UDP a;", "192.0.2.1:7",
          "SIP/2.0/UDP a;received=192.0.2.1" },
    };
    char buf[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_via v = via_of(cases[i].in);
        struct gb_addr source = addr_of(cases[i].source);
        struct writer w = writer_of(buf, sizeof(buf));

        sip_via_write_echo(&w, &v, &source);
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(writer_slice(&w)));
    }
}

static void reply_address(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "SIP/2.0/UDP 192.0.2.1", "192.0.2.1:5060" },
        { "SIP/2.0/TLS 192.0.2.1", "192.0.2.1:5061" },
        { "SIP/2.0/UDP 192.0.2.1:99", "192.0.2.1:99" },
        { "SIP/2.0/UDP gate:99;received=192.0.2.2", "192.0.2.2:99" },
        { "SIP/2.0/UDP gate:99;received=192.0.2.2;rport=7", "192.0.2.2:7" },
        { "SIP/2.0/UDP [2001:db8::1]:99", "[2001:db8::1]:99" },
    };
    struct sip_via v = via_of("SIP/2.0/UDP gate");
    struct gb_addr got;

    (void)state;
    assert_int_equal(sip_via_reply_addr(&v, &got), GB_ESYNTAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_addr want = addr_of(cases[i].want);

        v = via_of(cases[i].in);
        assert_int_equal(sip_via_reply_addr(&v, &got), 0);
        assert_true(gb_addr_eq(&got, &want));
    }
}

static void writes(void **state)
{
    struct gb_addr a = addr_of("[2001:db8::1]:5060");
    char buf[128];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    sip_via_write(&w, SLICE("TCP"), &a, SLICE("z9hG4bK7"));
    assert_true(slice_eq(writer_slice(&w),
                         SLICE("Via: SIP/2.0/TCP [2001:db8::1]:5060;rport;"
                               "branch=z9hG4bK7\r\n")));
}

/* R69 and the IPv6 forms: as a sent-by, with and without parameters. */
static void numbers(void **state)
{
    static const struct {
        struct slice in;
        int err;
        bool has_ttl;
        uint8_t ttl;
    } cases[] = {
        { S("SIP/2.0/UDP a;ttl=0"), 0, true, 0 },
        { S("SIP/2.0/UDP a;TTL=255;branch=x"), 0, true, 255 },
        { S("SIP/2.0/UDP a ; ttl = 016"), 0, true, 16 },
        { S("SIP/2.0/UDP a;ttl=256"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP a;ttl=-1"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP a;ttl=1x"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP a;ttl"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP [::]"), 0, false, 0 },
        { S("SIP/2.0/UDP [::1];rport"), 0, false, 0 },
        { S("SIP/2.0/UDP [2001:DB8::AB]:65535"), 0, false, 0 },
        { S("SIP/2.0/UDP [fe80::1%eth0]"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [1:2:3:4:5:6:7:8:9]"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [1::2::3]"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [12345::1]"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [::1"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [::1]:"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP [::1]:0"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP [::1]:65536"), GB_ERANGE, false, 0 },
        { S("SIP/2.0/UDP [::1]:5060x"), GB_ESYNTAX, false, 0 },
        { S("SIP/2.0/UDP []"), GB_ESYNTAX, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_via v = { 0 };
        int err = sip_via_parse(&v, guarded(cases[i].in), NULL);
        bool readable = !err || slice_find_slice(cases[i].in, SLICE("ttl")) <
                                    cases[i].in.n;

        if (err != cases[i].err || v.has_ttl != cases[i].has_ttl ||
            v.ttl != cases[i].ttl || (v.host.n != 0) != readable)
            fail_msg("%.*s: %s", SLICE_ARG(cases[i].in), gb_strerror(err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),      cmocka_unit_test(numbers),
        cmocka_unit_test(cookies),
        cmocka_unit_test(echoes),        cmocka_unit_test(reply_address),
        cmocka_unit_test(writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
