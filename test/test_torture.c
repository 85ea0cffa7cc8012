/* Every message of test/data/sip/torture alone: whether it is taken, and what of
 * it is read; the rest of that is in the golden dumps beside them. */
#include "test/torture.h"

#include "sip/msg.h"
#include "sip/value.h"

static struct sip_msg m;

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice in = torture_load(c->name);
        int err = sip_msg_parse(&m, guarded(in), SIP_DATAGRAM, NULL);

        torture_let_go(in);
        if (err != c->err || m.reject != c->reject)
            fail_msg("%s: %s, %u", c->name, gb_strerror(err), m.reject);
    }
}

static void every_file_has_a_line(void **state)
{
    (void)state;
    assert_int_equal(torture_n_cases, torture_n_files());
}

/* Parses a file that must be right; its bytes live until the next call. */
static void take(const char *name)
{
    static struct slice held;

    torture_let_go(held);
    held = torture_load(name);
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
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice in = torture_load(c->name);
        int udp = sip_msg_parse(&m, in, SIP_DATAGRAM, NULL);
        bool by_end = (m.odd & (SIP_ODD_CLEN_LARGE | SIP_ODD_CLEN_SMALL |
                                SIP_ODD_TRAILING | SIP_ODD_NO_CLEN)) != 0;
        int tcp = sip_msg_parse(&m, guarded(in), SIP_STREAM, NULL);

        if (udp != tcp && !by_end)
            fail_msg("%s: %s", c->name, gb_strerror(tcp));
        torture_let_go(in);
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
