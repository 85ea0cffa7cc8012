/* The messages of test/data/sip/torture (after RFC 4475 and RFC 5118, and our
 * own): one line says what a video platform does with each. What was read is
 * in the golden dumps beside them. */
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/msg.h"
#include "sip/value.h"

#define DIR "test/data/sip/torture/"

static struct sip_msg m;

static const struct torture {
    const char *name;
    int err;
    unsigned reject;
} cases[] = {
    { "wsinv", 0, 0 },
    { "wsinv-lf", 0, 0 },
    { "intmeth", 0, 0 },
    { "esc01", 0, 0 },
    { "escnull", 0, 0 },
    { "esc02", 0, 0 },
    { "lwsdisp", 0, 0 },
    { "longreq", 0, 0 },
    { "dblreq", 0, 0 },
    { "semiuri", 0, 0 },
    { "transports", 0, 0 },
    { "mpart01", 0, 0 },
    { "mpart-xml", 0, 0 },
    { "unreason", 0, 0 },
    { "noreason", 0, 0 },
    { "noreason-nosp", 0, 0 },
    { "badinv01", 0, 0 },
    { "clerr", GB_ERANGE, 400 },
    { "clerr-xml-closed", 0, 0 },
    { "clerr-xml-open", GB_ERANGE, 400 },
    { "clsmall-xml", 0, 0 },
    { "clsmall-text", 0, 0 },
    { "clspaces", 0, 0 },
    { "nolength-udp", 0, 0 },
    { "ncl", GB_ERANGE, 400 },
    { "scalar02", GB_ERANGE, 400 },
    { "scalar02-maxfwd", GB_ERANGE, 400 },
    { "scalar02-expires", 0, 0 },
    { "scalarlg", GB_ERANGE, 0 },
    { "quotbal", GB_ESYNTAX, 400 },
    { "ltgtruri", 0, 0 },
    { "lwsruri", GB_ESYNTAX, 400 },
    { "lwsstart", 0, 0 },
    { "trws", 0, 0 },
    { "escruri", GB_ESYNTAX, 400 },
    { "baddate", 0, 0 },
    { "regbadct", 0, 0 }, /* the Contact alone is wrong: see below */
    { "badaspec", 0, 0 },
    { "baddn", 0, 0 },
    { "badvers", GB_EUNSUPPORTED, 505 },
    { "lowvers", 0, 0 },
    { "mismatch01", GB_ESYNTAX, 400 },
    { "mismatch02", GB_ESYNTAX, 400 },
    { "bigcode", GB_ERANGE, 0 },
    { "badbranch", 0, 0 },
    { "insuf", GB_ESYNTAX, 400 },
    { "insuf-novia", GB_ESYNTAX, 0 },
    { "unkscm", GB_EUNSUPPORTED, 416 },
    { "novelsc", GB_EUNSUPPORTED, 416 },
    { "unksm2", GB_ESYNTAX, 400 },
    { "bext01", 0, 0 },
    { "invut", 0, 0 },
    { "regaut01", 0, 0 },
    { "multi01", GB_ESYNTAX, 400 },
    { "twice-cseq", GB_ESYNTAX, 400 },
    { "twice-call-id", GB_ESYNTAX, 400 },
    { "twice-to", GB_ESYNTAX, 400 },
    { "twice-from", GB_ESYNTAX, 400 },
    { "twice-max-forwards", GB_ESYNTAX, 400 },
    { "mcl01", GB_ESYNTAX, 400 },
    { "mcl01-equal", GB_ESYNTAX, 400 },
    { "bcast", 0, 0 },
    { "zeromf", 0, 0 },
    { "cparam01", 0, 0 },
    { "cparam02", 0, 0 },
    { "regescrt", 0, 0 },
    { "sdp01", 0, 0 },
    { "inv2543", 0, 0 },
    { "ipv6-good", 0, 0 },
    { "ipv6-bad", GB_ESYNTAX, 400 },
    { "port-ambiguous", 0, 0 },
    { "port-unambiguous", 0, 0 },
    { "via-received-param-with-delim", 0, 0 },
    { "via-received-param-no-delim", 0, 0 },
    { "ipv6-in-sdp", 0, 0 },
    { "mult-ip-in-header", 0, 0 },
    { "mult-ip-in-sdp", 0, 0 },
    { "ipv4-mapped-ipv6", 0, 0 },
    { "ipv6-bug-abnf-3-colons", GB_ESYNTAX, 400 },
    { "ipv6-correct-abnf-2-colons", 0, 0 },
    { "ipv6-any", 0, 0 },
    { "ipv6-loopback", 0, 0 },
    { "ipv6-upper", 0, 0 },
    { "ipv6-zone", GB_ESYNTAX, 400 },
    { "ipv6-nine-groups", GB_ESYNTAX, 400 },
    { "ipv6-two-gaps", GB_ESYNTAX, 400 },
    { "ipv6-five-digits", GB_ESYNTAX, 400 },
    { "ipv6-no-bracket", GB_ESYNTAX, 400 },
    { "ipv6-empty-port", GB_ESYNTAX, 400 },
    { "ipv6-port-zero", GB_ERANGE, 400 },
    { "ipv6-port-large", GB_ERANGE, 400 },
    { "ipv6-port-letter", GB_ESYNTAX, 400 },
    { "fold-first", GB_ESYNTAX, 400 },
    { "bare-cr", GB_ESYNTAX, 400 },
    { "nocolon", GB_ESYNTAX, 400 },
    { "toomany", GB_ELIMIT, 513 },
    { "uritoolong", GB_ELIMIT, 414 },
    { "bodytoolarge", GB_ELIMIT, 413 },
    { "ack-broken", GB_ESYNTAX, 0 },
    { "star-to", GB_ESYNTAX, 400 },
    { "leading-crlf", 0, 0 },
    { "http", GB_ESYNTAX, 0 },
    { "keepalive", GB_ENOENT, 0 },
    { "wvp-branch", 0, 0 },
    { "nospace", 0, 0 },
};

static struct slice load(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), DIR "%s.sip", name);
    return read_file(path);
}

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = load(cases[i].name);
        int err = sip_msg_parse(&m, guarded(in), SIP_DATAGRAM, NULL);

        free((void *)(uintptr_t)in.p);
        if (err != cases[i].err || m.reject != cases[i].reject)
            fail_msg("%s: %s, %u", cases[i].name, gb_strerror(err), m.reject);
    }
}

static void count_one(void *ctx, const char *path, struct slice bytes)
{
    (void)path;
    (void)bytes;
    ++*(size_t *)ctx;
}

static void every_file_has_a_line(void **state)
{
    size_t n = 0;

    (void)state;
    each_file(DIR, ".sip", count_one, &n);
    assert_int_equal(n, COUNT(cases));
}

/* Parses a file that must be right; its bytes live until the next call. */
static void take(const char *name)
{
    static struct slice held;

    free((void *)(uintptr_t)held.p);
    held = load(name);
    assert_int_equal(sip_msg_parse(&m, held, SIP_DATAGRAM, NULL), 0);
}

static size_t count_list(enum sip_hdr id)
{
    struct sip_walk k = sip_msg_walk(&m, id);
    struct slice elem;
    size_t n = 0;

    while (sip_walk_next(&k, &elem))
        n++;
    return n;
}

static void readings(void **state)
{
    struct sip_addr contact;
    struct sip_param p;
    unsigned q;

    (void)state;
    take("wsinv");
    assert_int_equal(count_list(SIP_HDR_VIA), 3);
    assert_int_equal(m.max_forwards, 68);
    assert_int_equal(m.cseq.number, 9);
    assert_true(sip_msg_has(&m, SIP_HDR_SUBJECT));
    assert_int_equal(sip_msg_value(&m, SIP_HDR_SUBJECT).n, 0);
    assert_int_equal(sip_msg_contact(&m, &contact), 0);
    assert_true(sip_contact_q(&contact, &q));
    assert_int_equal(q, 330);
    assert_true(slice_eq(m.from.tag, SLICE("31ff")));
    take("longreq");
    assert_int_equal(count_list(SIP_HDR_VIA), 34);
    take("dblreq");
    assert_int_equal(m.body.n, 0);
    assert_true(m.trailing > 300);
    take("esc02");
    assert_int_equal(m.method, SIP_METHOD_OTHER);
    assert_int_equal(count_list(SIP_HDR_CONTACT), 2);
    take("transports");
    assert_int_equal(count_list(SIP_HDR_VIA), 5);
    take("semiuri");
    assert_true(slice_eq(m.uri.user, SLICE("user;par=u%40example.net")));
    take("escnull");
    assert_int_equal(count_list(SIP_HDR_CONTACT), 2);
    take("port-ambiguous");
    assert_int_equal(m.uri.port, 0);
    take("port-unambiguous");
    assert_int_equal(m.uri.port, 5070);
    take("cparam01");
    assert_int_equal(sip_msg_contact(&m, &contact), 0);
    assert_int_equal(contact.uri.params.n, 0);
    assert_true(sip_addr_param(&contact, SLICE("unknownparam"), &p));
    take("cparam02");
    assert_int_equal(sip_msg_contact(&m, &contact), 0);
    assert_true(sip_uri_param(&contact.uri, SLICE("unknownparam"), &p));
    take("regbadct");
    assert_int_equal(sip_msg_contact(&m, &contact), GB_ESYNTAX);
    take("scalar02-expires");
    assert_int_equal(sip_msg_contact(&m, &contact), 0);
    assert_int_equal(sip_msg_expires(&m, NULL), UINT32_MAX);
    assert_int_equal(sip_msg_expires(&m, &contact), UINT32_MAX);
    take("inv2543");
    assert_int_equal(m.from.tag.n, 0);
    assert_false(sip_via_has_cookie(&m.via));
    take("badbranch");
    assert_false(sip_via_has_cookie(&m.via));
    take("mpart01");
    assert_int_equal(sip_msg_content(&m), SIP_CONTENT_MULTIPART);
    assert_int_equal(m.body.n, m.content_length);
    take("via-received-param-with-delim");
    assert_true(slice_eq(m.via.received, SLICE("2001:db8::9:255")));
    take("via-received-param-no-delim");
    assert_true(slice_eq(m.via.received, SLICE("2001:db8::9:255")));
}

/* As cut out of a stream all but those that need the end of a datagram give
 * the same verdict. */
static void on_a_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = load(cases[i].name);
        int udp = sip_msg_parse(&m, in, SIP_DATAGRAM, NULL);
        bool by_end = (m.odd & (SIP_ODD_CLEN_LARGE | SIP_ODD_CLEN_SMALL |
                                SIP_ODD_TRAILING | SIP_ODD_NO_CLEN)) != 0;
        int tcp = sip_msg_parse(&m, guarded(in), SIP_STREAM, NULL);

        if (udp != tcp && !by_end)
            fail_msg("%s: %s", cases[i].name, gb_strerror(tcp));
        free((void *)(uintptr_t)in.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(every_file_has_a_line),
        cmocka_unit_test(readings),
        cmocka_unit_test(on_a_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
