/* sip/build: requests and responses, byte for byte, and nothing smuggled */
#include "test/support.h"

#include <stdlib.h>

#include "sip/build.h"
#include "sip/value.h"

static char buf[64 * 1024];
static struct sip_msg m;

static struct gb_addr addr_of(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(text), 0), 0);
    return a;
}

static void expect(const struct writer *w, const char *want)
{
    assert_int_equal(w->err, 0);
    if (!slice_eq(writer_slice(w), slice_str(want)))
        fail_msg("%.*s", SLICE_ARG(writer_slice(w)));
}

/* The first request of GB/T 28181's registration. */
static struct sip_request_parts register_parts(const struct gb_addr *local)
{
    static const struct sip_extra version = { S("X-GB-Ver"), S("3.0") };

    return (struct sip_request_parts){
        .method = SIP_METHOD_REGISTER,
        .uri = SLICE("sip:34020000002000000001@3402000000"),
        .transport = SLICE("UDP"),
        .sent_by = local,
        .branch = SLICE("z9hG4bK1371463273"),
        .from = SLICE("sip:34020000001320000001@3402000000"),
        .to = SLICE("sip:34020000001320000001@3402000000"),
        .from_tag = SLICE("2043466181"),
        .call_id = SLICE("1011047669@192.0.2.10"),
        .cseq = 1,
        .contact = SLICE("sip:34020000001320000001@192.0.2.10:5060"),
        .user_agent = SLICE("Example IPC"),
        .expires = 86400,
        .extra = &version,
        .n_extra = 1,
    };
}

static const char register_text[] =
    "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK1371463273\r\n"
    "From: <sip:34020000001320000001@3402000000>;tag=2043466181\r\n"
    "To: <sip:34020000001320000001@3402000000>\r\n"
    "Call-ID: 1011047669@192.0.2.10\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Contact: <sip:34020000001320000001@192.0.2.10:5060>\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: Example IPC\r\n"
    "Expires: 86400\r\n"
    "X-GB-Ver: 3.0\r\n"
    "Content-Length: 0\r\n\r\n";

static void requests(void **state)
{
    struct gb_addr local = addr_of("192.0.2.10:5060");
    struct sip_request_parts r = register_parts(&local);
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    assert_int_equal(sip_request_build(&w, &r), 0);
    expect(&w, register_text);
}

static void with_body(void **state)
{
    struct gb_addr local = addr_of("[2001:db8::10]:5060");
    struct sip_request_parts r = register_parts(&local);
    struct slice route[] = { S("<sip:p1;lr>"), S("<sip:p2;lr>") };
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    r.method = SIP_METHOD_INVITE;
    r.transport = SLICE("TCP");
    r.to_raw = SLICE("<sip:x@192.168.1.108:80>;tag=9");
    r.contact_raw = SLICE("<sip:y@z>;expires=5");
    r.route = route;
    r.n_route = 2;
    r.expires = -1;
    r.n_extra = 0;
    r.subject = SLICE("34020000001320000001:0200007686,34020000002000000001:0");
    r.content_type = SLICE(SIP_TYPE_SDP);
    r.body = SLICE("v=0\r\n");
    assert_int_equal(sip_request_build(&w, &r), 0);
    expect(&w,
           "INVITE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
           "Via: SIP/2.0/TCP [2001:db8::10]:5060;rport;"
           "branch=z9hG4bK1371463273\r\n"
           "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"
           "From: <sip:34020000001320000001@3402000000>;tag=2043466181\r\n"
           "To: <sip:x@192.168.1.108:80>;tag=9\r\n"
           "Call-ID: 1011047669@192.0.2.10\r\n"
           "CSeq: 1 INVITE\r\n"
           "Contact: <sip:y@z>;expires=5\r\n"
           "Max-Forwards: 70\r\n"
           "User-Agent: Example IPC\r\n"
           "Subject: 34020000001320000001:0200007686,"
           "34020000002000000001:0\r\n"
           "Content-Type: application/sdp\r\n"
           "Content-Length: 5\r\n\r\nv=0\r\n");
}

/* Whatever part carries a line end: it is refused or loses it. */
static void injection(void **state)
{
    static const struct slice evil = S("a\r\nX-Evil: 1\r\n\r\n\0b\nX-Evil: 2");
    struct gb_addr local = addr_of("192.0.2.10:5060");
    struct sip_extra extra[2] = { { S("X-A"), S("b") },
                                  { S("X-C"), S("d") } };
    struct sip_request_parts clean = register_parts(&local);
    struct slice *parts[16];
    struct sip_request_parts r = clean;
    size_t n = 0, refused = 0;

    (void)state;
    parts[n++] = &r.uri;
    parts[n++] = &r.transport;
    parts[n++] = &r.branch;
    parts[n++] = &r.from;
    parts[n++] = &r.to;
    parts[n++] = &r.from_tag;
    parts[n++] = &r.to_tag;
    parts[n++] = &r.from_raw;
    parts[n++] = &r.to_raw;
    parts[n++] = &r.call_id;
    parts[n++] = &r.contact;
    parts[n++] = &r.contact_raw;
    parts[n++] = &r.user_agent;
    parts[n++] = &r.subject;
    parts[n++] = &extra[0].name;
    parts[n++] = &extra[1].value;
    for (size_t i = 0; i < n; i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        struct slice saved;
        int err;

        r = clean;
        r.extra = extra;
        r.n_extra = 2;
        saved = *parts[i];
        *parts[i] = evil;
        err = sip_request_build(&w, &r);
        *parts[i] = saved;
        refused += err == GB_ESYNTAX;
        if (err)
            continue;
        (void)sip_msg_parse(&m, writer_slice(&w), SIP_STREAM, NULL);
        assert_int_equal(sip_msg_value_named(&m, SLICE("X-Evil")).n, 0);
        assert_int_equal(m.trailing, 0);
        assert_int_equal(slice_find(writer_slice(&w), '\0'), w.len);
    }
    assert_int_equal(refused, 9);
}

static void refused_parts(void **state)
{
    struct gb_addr local = addr_of("192.0.2.10:5060");
    struct sip_request_parts r = register_parts(&local);
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    r.cseq = SIP_CSEQ_MAX + 1u;
    assert_int_equal(sip_request_build(&w, &r), GB_ESYNTAX);
    r = register_parts(&local);
    r.call_id = SLICE("");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_request_build(&w, &r), GB_ESYNTAX);
    r = register_parts(&local);
    r.uri = SLICE("sip:a b@c");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_request_build(&w, &r), GB_ESYNTAX);
    r = register_parts(&local);
    r.method = SIP_METHOD_OTHER;
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_request_build(&w, &r), GB_ESYNTAX);
}

/* Every buffer that is too small says so; nothing is written past it. */
static void no_room(void **state)
{
    struct gb_addr local = addr_of("192.0.2.10:5060");
    struct sip_request_parts r = register_parts(&local);

    (void)state;
    for (size_t cap = 0; cap < sizeof(register_text) - 1; cap++) {
        struct slice room = guarded(slice_of(register_text, cap));
        struct writer w = writer_of((char *)(uintptr_t)room.p, cap);

        assert_int_equal(sip_request_build(&w, &r), GB_ENOMEM);
        assert_true(w.len <= cap);
    }
}

static void parse(const char *text)
{
    assert_int_equal(sip_msg_parse(&m, slice_str(text), SIP_DATAGRAM, NULL),
                     0);
}

static void responses(void **state)
{
    static const struct sip_extra extra[] = {
        { S("Date"), S("2023-08-09T07:38:35.123") },
        { S("X-GB-Ver"), S("3.0") },
    };
    struct gb_addr source = addr_of("192.0.2.10:5060");
    struct sip_response_parts p = { .status = 200, .expires = 86400 };
    char echo[1024];
    struct writer w = writer_of(echo, sizeof(echo));

    (void)state;
    parse(register_text);
    assert_int_equal(sip_echo_write(&w, &m, &source, SLICE("7d865e95")), 0);
    p.echo = writer_slice(&w);
    p.contact = SLICE("sip:34020000001320000001@192.0.2.10:5060");
    p.extra = extra;
    p.n_extra = COUNT(extra);
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_response_build(&w, &p), 0);
    expect(&w,
           "SIP/2.0 200 OK\r\n"
           "Via: SIP/2.0/UDP 192.0.2.10:5060;rport=5060;"
           "received=192.0.2.10;branch=z9hG4bK1371463273\r\n"
           "From: <sip:34020000001320000001@3402000000>;tag=2043466181\r\n"
           "To: <sip:34020000001320000001@3402000000>;tag=7d865e95\r\n"
           "Call-ID: 1011047669@192.0.2.10\r\n"
           "CSeq: 1 REGISTER\r\n"
           "Contact: <sip:34020000001320000001@192.0.2.10:5060>\r\n"
           "Expires: 86400\r\n"
           "Date: 2023-08-09T07:38:35.123\r\n"
           "X-GB-Ver: 3.0\r\n"
           "Content-Length: 0\r\n\r\n");
    p.status = 99;
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_response_build(&w, &p), GB_ERANGE);
    p.status = 404;
    p.reason = SLICE("Not\r\nX-Evil: 1");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_response_build(&w, &p), 0);
    assert_true(slice_has_prefix(writer_slice(&w),
                                 SLICE("SIP/2.0 404 NotX-Evil: 1\r\nVia")));
}

static void echo_keeps_all(void **state)
{
    struct gb_addr source = addr_of("192.0.2.99:6000");
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    parse("INVITE sip:a@b SIP/2.0\r\n"
          "v: SIP/2.0/UDP 10.0.0.1;rport;branch=1 , SIP/2.0/UDP b2;branch=2\r\n"
          "t:\r\n  sip:a@b ;tag=old\r\n"
          "VIA: SIP/2.0/TCP b3;branch=3,\r\n SIP/2.0/TCP b4;branch=4\r\n"
          "F: \"x\" <sip:c@d>\r\n"
          "Timestamp: 54\r\n"
          "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
          "i: 77\r\ncseq:5 INVITE\r\nRecord-Route: <sip:p3;lr>\r\n\r\n");
    assert_int_equal(sip_echo_write(&w, &m, &source, SLICE("new")), 0);
    expect(&w,
           "Via: SIP/2.0/UDP 10.0.0.1;rport=6000;received=192.0.2.99;"
           "branch=1, SIP/2.0/UDP b2;branch=2\r\n"
           "Via: SIP/2.0/TCP b3;branch=3, SIP/2.0/TCP b4;branch=4\r\n"
           "From: \"x\" <sip:c@d>\r\n"
           "To: sip:a@b ;tag=old\r\n"
           "Call-ID: 77\r\nCSeq: 5 INVITE\r\nTimestamp: 54\r\n");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_record_route_write(&w, &m), 0);
    expect(&w, "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
               "Record-Route: <sip:p3;lr>\r\n");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_echo_write(&w, &m, NULL, SLICE("new")), 0);
    assert_true(slice_has_prefix(writer_slice(&w),
        SLICE("Via: SIP/2.0/UDP 10.0.0.1;rport;branch=1 , SIP/2.0/UDP b2")));
}

/* A request with faults is answered from what it has. */
static void echo_of_a_bad_one(void **state)
{
    struct gb_addr source = addr_of("192.0.2.95:5060");
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    assert_true(sip_msg_parse(&m, SLICE(
        "INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n"
        "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKx\r\nTo: \"x <y>\r\n"
        "From:\r\n\r\n"), SIP_DATAGRAM, NULL) < 0);
    assert_int_equal(sip_echo_write(&w, &m, &source, SLICE("t")), 0);
    expect(&w, "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKx\r\n"
               "From: \r\nTo: \"x <y>\r\nCSeq: 1 INVITE\r\n");
}

static void ack_and_cancel(void **state)
{
    static const char invite[] =
        "INVITE sip:c@192.0.2.7:5060 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK77\r\n"
        "Route: <sip:p1;lr>\r\n"
        "From: <sip:a@b>;tag=1\r\nTo: <sip:c@b>\r\nCall-ID: x\r\n"
        "CSeq: 9 INVITE\r\nContact: <sip:a@192.0.2.1>\r\nMax-Forwards: 70\r\n"
        "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    parse(invite);
    assert_int_equal(sip_ack_build(&w, &m, SLICE("<sip:c@b>;tag=2")), 0);
    expect(&w,
           "ACK sip:c@192.0.2.7:5060 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK77\r\n"
           "Route: <sip:p1;lr>\r\n"
           "From: <sip:a@b>;tag=1\r\nTo: <sip:c@b>;tag=2\r\nCall-ID: x\r\n"
           "CSeq: 9 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_cancel_build(&w, &m), 0);
    expect(&w,
           "CANCEL sip:c@192.0.2.7:5060 SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK77\r\n"
           "Route: <sip:p1;lr>\r\n"
           "From: <sip:a@b>;tag=1\r\nTo: <sip:c@b>\r\nCall-ID: x\r\n"
           "CSeq: 9 CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
}

/* The answer to every request that parses, parses, and repeats its keys. */
static void answer_one(void *ctx, const char *path, struct slice bytes)
{
    static struct sip_msg back;
    static char echo[64 * 1024];
    struct gb_addr source = addr_of("192.0.2.200:7777");
    struct sip_response_parts p = { .status = 200, .expires = -1 };
    struct writer w = writer_of(echo, sizeof(echo));

    (void)ctx;
    if (sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL) || !m.is_request)
        return;
    assert_int_equal(sip_echo_write(&w, &m, &source, SLICE("T1")), 0);
    p.echo = writer_slice(&w);
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_response_build(&w, &p), 0);
    if (sip_msg_parse(&back, writer_slice(&w), SIP_STREAM, NULL))
        fail_msg("%s: %.*s", path, SLICE_ARG(writer_slice(&w)));
    assert_true(slice_eq(back.via.branch, m.via.branch));
    assert_true(slice_eq(back.from.tag, m.from.tag));
    assert_true(slice_eq(back.call_id, m.call_id));
    assert_int_equal(back.cseq.number, m.cseq.number);
    assert_true(slice_eq(back.to.tag, m.to.tag.n ? m.to.tag : SLICE("T1")));
    assert_true(slice_eq(back.via.received, SLICE("192.0.2.200")));
}

static void answers(void **state)
{
    (void)state;
    each_file("test/data/sip", ".sip", answer_one, NULL);
    each_file("test/data/sip/torture", ".sip", answer_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),       cmocka_unit_test(with_body),
        cmocka_unit_test(injection),      cmocka_unit_test(refused_parts),
        cmocka_unit_test(no_room),        cmocka_unit_test(responses),
        cmocka_unit_test(echo_keeps_all), cmocka_unit_test(echo_of_a_bad_one),
        cmocka_unit_test(ack_and_cancel), cmocka_unit_test(answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
