/* sip/value: Expires, Contact, Content-Type, Subject, Event, Date, routes */
#include "test/support.h"

#include "sip/value.h"

static struct sip_msg m;

#define MSG(more, body)                                                        \
    "REGISTER sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\n"       \
    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n"                 \
    "CSeq: 1 REGISTER\r\n" more "\r\n" body

static void parse(struct slice in)
{
    assert_int_equal(sip_msg_parse(&m, in, SIP_DATAGRAM, NULL), 0);
}

static void seconds(void **state)
{
    static const struct {
        struct slice in;
        bool ok;
        uint32_t s;
    } cases[] = {
        { S("3600"), true, 3600 },       { S(" 060 "), true, 60 },
        { S("0"), true, 0 },             { S("4294967295"), true, UINT32_MAX },
        { S("4294967296"), true, UINT32_MAX },
        { S("99999999999999999999999999"), true, UINT32_MAX },
        { S(""), false, 7 },             { S("-1"), false, 7 },
        { S("60s"), false, 7 },          { S("6 0"), false, 7 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t s = 7;

        assert_int_equal(sip_seconds_parse(guarded(cases[i].in), &s),
                         cases[i].ok);
        assert_int_equal(s, cases[i].s);
    }
}

/* R41 */
static void expiry(void **state)
{
    struct sip_addr c;

    (void)state;
    parse(SLICE(MSG("Contact: <sip:a@c>;expires=60\r\nExpires: 90\r\n", "")));
    assert_int_equal(sip_msg_contact(&m, &c), 0);
    assert_int_equal(sip_msg_expires(&m, &c), 60);
    assert_int_equal(sip_msg_expires(&m, NULL), 90);
    parse(SLICE(MSG("Contact: <sip:a@c>;expires=x\r\nExpires: y\r\n", "")));
    assert_int_equal(sip_msg_contact(&m, &c), 0);
    assert_int_equal(sip_msg_expires(&m, &c), SIP_EXPIRES_DEFAULT);
    assert_int_equal(sip_msg_expires(&m, NULL), SIP_EXPIRES_DEFAULT);
    parse(SLICE(MSG("", "")));
    assert_int_equal(sip_msg_contact(&m, &c), GB_ENOENT);
    assert_int_equal(sip_msg_expires(&m, NULL), -1);
}

/* R45 */
static void q_values(void **state)
{
    static const struct {
        struct slice in;
        bool ok;
        unsigned q;
    } cases[] = {
        { S("<sip:a@b>"), true, 1000 },     { S("<sip:a@b>;q=1"), true, 1000 },
        { S("<sip:a@b>;q=0"), true, 0 },    { S("<sip:a@b>;q=0.33"), true, 330 },
        { S("<sip:a@b>;q=0."), true, 0 },   { S("<sip:a@b>;q=1.000"), true, 1000 },
        { S("<sip:a@b>;q=0.125"), true, 125 },
        { S("<sip:a@b>;q=1.5"), false, 7 }, { S("<sip:a@b>;q=.5"), false, 7 },
        { S("<sip:a@b>;q=0.1234"), false, 7 },
        { S("<sip:a@b>;q="), false, 7 },    { S("<sip:a@b>;q=2"), false, 7 },
        { S("<sip:a@b>;q=0,5"), false, 7 }, { S("<sip:a@b>;q=0.x"), false, 7 },
        { S("<sip:a@b>;q=10"), false, 7 },  { S("<sip:a@b>;q=1.001"), false, 7 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_addr a;
        unsigned q = 7;

        assert_int_equal(sip_addr_parse(&a, cases[i].in, NULL), 0);
        if (sip_contact_q(&a, &q) != cases[i].ok || q != cases[i].q)
            fail_msg("%.*s: %u", SLICE_ARG(cases[i].in), q);
    }
}

static void contents(void **state)
{
    static const struct {
        struct slice in;
        enum sip_content want;
    } cases[] = {
        { S(MSG("c: Application/MANSCDP+xml\r\n", "<a/>")),
          SIP_CONTENT_MANSCDP },
        { S(MSG("c: APPLICATION/manscdp+XML;charset=gb2312\r\n", "<a/>")),
          SIP_CONTENT_MANSCDP },
        { S(MSG("c: Application/MANSCDP\r\n", "x")), SIP_CONTENT_MANSCDP },
        { S(MSG("c: text/xml\r\n", "x")), SIP_CONTENT_MANSCDP },
        { S(MSG("c: application/xml\r\n", "x")), SIP_CONTENT_MANSCDP },
        { S(MSG("c: APPLICATION/SDP\r\n", "x")), SIP_CONTENT_SDP },
        { S(MSG("c: Application / MANSRTSP\r\n", "x")),
          SIP_CONTENT_MANSRTSP },
        { S(MSG("c: Application/RTSP\r\n", "x")), SIP_CONTENT_MANSRTSP },
        { S(MSG("c: multipart/mixed;boundary=x\r\n", "x")),
          SIP_CONTENT_MULTIPART },
        { S(MSG("c: text/plain\r\n", "<a/>")), SIP_CONTENT_OTHER },
        { S(MSG("c: nonsense\r\n", "<a/>")), SIP_CONTENT_OTHER },
        { S(MSG("c: Application/MANSCDP+xml\r\n", "")), SIP_CONTENT_NONE },
        { S(MSG("", "")), SIP_CONTENT_NONE },
        { S(MSG("", "\r\n<?xml?>")), SIP_CONTENT_MANSCDP },
        { S(MSG("", "\xef\xbb\xbf<?xml?>")), SIP_CONTENT_MANSCDP },
        { S(MSG("", "\xff\xfe<\0")), SIP_CONTENT_MANSCDP },
        { S(MSG("", "\xfe\xff\0<")), SIP_CONTENT_MANSCDP },
        { S(MSG("", "\0<")), SIP_CONTENT_MANSCDP },
        { S(MSG("", "\xff\xfe v")), SIP_CONTENT_OTHER },
        { S(MSG("", "v=0\r\n")), SIP_CONTENT_SDP },
        { S(MSG("", "PLAY MANSRTSP/1.0\r\nCSeq: 1\r\n")),
          SIP_CONTENT_MANSRTSP },
        { S(MSG("", "PAUSE RTSP/1.0\r\n")), SIP_CONTENT_MANSRTSP },
        { S(MSG("", "hello")), SIP_CONTENT_OTHER },
        { S(MSG("c:\r\n", "v=0")), SIP_CONTENT_SDP },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        parse(cases[i].in);
        if (sip_msg_content(&m) != cases[i].want)
            fail_msg("case %zu: %u", i, sip_msg_content(&m));
    }
}

static void subjects(void **state)
{
    static const struct {
        struct slice in;
        struct slice part[4];
    } cases[] = {
        { S("34020000001320000001:0200007686,34020000002000000001:0"),
          { S("34020000001320000001"), S("0200007686"),
            S("34020000002000000001"), S("0") } },
        { S(" a : b , c : d "), { S("a"), S("b"), S("c"), S("d") } },
        { S("a:b"), { S("a"), S("b"), S(""), S("") } },
        { S("a,c"), { S("a"), S(""), S("c"), S("") } },
        { S("a:b:x,c:d:y,z"), { S("a"), S("b:x"), S("c"), S("d:y,z") } },
        { S(""), { S(""), S(""), S(""), S("") } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_subject s;

        sip_subject_parse(&s, guarded(cases[i].in));
        assert_true(slice_eq(s.sender, cases[i].part[0]));
        assert_true(slice_eq(s.sender_seq, cases[i].part[1]));
        assert_true(slice_eq(s.receiver, cases[i].part[2]));
        assert_true(slice_eq(s.receiver_seq, cases[i].part[3]));
        if (i == 0) {
            char buf[128];
            struct writer w = writer_of(buf, sizeof(buf));

            sip_subject_write(&w, &s);
            assert_true(slice_eq(writer_slice(&w), cases[0].in));
        }
    }
}

static void events(void **state)
{
    struct sip_event_value e;
    struct sip_subscription_state s;

    (void)state;
    assert_int_equal(sip_event_parse(&e, SLICE("Catalog; id = 42")), 0);
    assert_true(slice_eq(e.package, SLICE("Catalog")));
    assert_true(slice_eq(e.id, SLICE("42")));
    assert_int_equal(sip_event_parse(&e, SLICE("presence")), 0);
    assert_int_equal(e.id.n, 0);
    assert_int_equal(sip_event_parse(&e, SLICE("")), GB_ESYNTAX);
    assert_int_equal(sip_event_parse(&e, SLICE("a b")), GB_ESYNTAX);
    assert_int_equal(sip_subscription_state_parse(&s,
        SLICE("Active;expires=3600;retry-after=1")), 0);
    assert_int_equal(s.state, SIP_SUB_ACTIVE);
    assert_int_equal(s.expires, 3600);
    assert_int_equal(s.retry_after, 1);
    assert_int_equal(sip_subscription_state_parse(&s,
        SLICE("terminated ; reason=timeout")), 0);
    assert_int_equal(s.state, SIP_SUB_TERMINATED);
    assert_true(slice_eq(s.reason, SLICE("timeout")));
    assert_int_equal(s.expires, -1);
    assert_int_equal(sip_subscription_state_parse(&s, SLICE("pending")), 0);
    assert_int_equal(s.state, SIP_SUB_PENDING);
    assert_int_equal(sip_subscription_state_parse(&s, SLICE("waiting")), 0);
    assert_int_equal(s.state, SIP_SUB_OTHER);
    assert_int_equal(sip_subscription_state_parse(&s, SLICE(";x")),
                     GB_ESYNTAX);
}

static void dates(void **state)
{
    static const struct {
        struct slice in;
        int err;
        int64_t ms;
    } cases[] = {
        { S("2023-08-09T07:38:35.123"), 0, 1691537915123 },
        { S("2023-08-09T07:38:35"), 0, 1691537915000 },
        { S("2023-08-09 07:38:35.1"), 0, 1691537915100 },
        { S("2023-8-9T7:38:35"), 0, 1691537915000 },
        { S("2023-08-09T07:38"), 0, 1691537880000 },
        { S("2023-08-08T23:38:35Z"), 0, 1691537915000 },
        { S("2023-08-08T23:38:35.123456Z"), 0, 1691537915123 },
        { S("2023-08-09T01:38:35+02:00"), 0, 1691537915000 },
        { S("2023-08-08T18:38:35-0500"), 0, 1691537915000 },
        { S("Tue, 08 Aug 2023 23:38:35 GMT"), 0, 1691537915000 },
        { S("1970-01-01T08:00:00.000"), 0, 0 },
        { S("2024-02-29T08:00:00"), 0, 1709164800000 },
        { S("9999-12-31T23:59:59"), 0, 253402271999000 },
        { S("2023-02-29T08:00:00"), GB_ESYNTAX, 7 },
        { S("2023-13-01T08:00:00"), GB_ESYNTAX, 7 },
        { S("2023-00-01T08:00:00"), GB_ESYNTAX, 7 },
        { S("2023-01-32T08:00:00"), GB_ESYNTAX, 7 },
        { S("2023-01-00T08:00:00"), GB_ESYNTAX, 7 },
        { S("2023-01-01T24:00:00"), GB_ESYNTAX, 7 },
        { S("2023-01-01T08:60:00"), GB_ESYNTAX, 7 },
        { S("1969-12-31T23:59:59"), GB_ESYNTAX, 7 },
        { S("Fri, 01 Jan 2021 16:00:00 EST"), GB_ESYNTAX, 7 },
        { S("Fri, 01 Foo 2021 16:00:00 GMT"), GB_ESYNTAX, 7 },
        { S("2023-08-09"), GB_ESYNTAX, 7 },
        { S("2023-08-09T07:38:35x"), GB_ESYNTAX, 7 },
        { S("2023-08-09T07:38:35+99:00"), GB_ESYNTAX, 7 },
        { S("yesterday"), GB_ESYNTAX, 7 },
        { S(""), GB_ESYNTAX, 7 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = 7;
        int err = sip_date_parse(guarded(cases[i].in), SIP_BEIJING_S, &ms);

        if (err != cases[i].err || ms != cases[i].ms)
            fail_msg("%.*s: %s %lld", SLICE_ARG(cases[i].in),
                     gb_strerror(err), (long long)ms);
    }
}

/* Any moment, written and read. */
static void dates_both_ways(void **state)
{
    uint64_t seed = 2022;

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        int64_t ms = (int64_t)(test_random(&seed) % 253402271999000), back;
        char buf[32];
        struct writer w = writer_of(buf, sizeof(buf));

        sip_date_write(&w, ms, SIP_BEIJING_S);
        assert_int_equal(w.len, 23);
        assert_int_equal(sip_date_parse(writer_slice(&w), SIP_BEIJING_S,
                                        &back), 0);
        assert_int_equal(back, ms);
    }
}

static void routes(void **state)
{
    struct slice out[3];

    (void)state;
    parse(SLICE(MSG("Route: <sip:a;lr>, <sip:b;lr>\r\nRoute: <sip:c>\r\n",
                    "")));
    assert_int_equal(sip_msg_routes(&m, SIP_HDR_ROUTE, out, 3), 3);
    assert_true(slice_eq(out[0], SLICE("<sip:a;lr>")));
    assert_true(slice_eq(out[2], SLICE("<sip:c>")));
    assert_int_equal(sip_msg_routes(&m, SIP_HDR_ROUTE, out, 2), GB_ELIMIT);
    assert_int_equal(sip_msg_routes(&m, SIP_HDR_RECORD_ROUTE, out, 3), 0);
}

static void retry_after(void **state)
{
    uint32_t s = 7;

    (void)state;
    assert_true(sip_retry_after_parse(SLICE("120 (busy);duration=60"), &s));
    assert_int_equal(s, 120);
    assert_true(sip_retry_after_parse(SLICE("18;duration=3"), &s));
    assert_int_equal(s, 18);
    assert_true(sip_retry_after_parse(SLICE("949302838503028349304023988"),
                                      &s));
    assert_int_equal(s, UINT32_MAX);
    assert_false(sip_retry_after_parse(SLICE("soon"), &s));
    assert_false(sip_retry_after_parse(SLICE("12x"), &s));
    assert_false(sip_retry_after_parse(SLICE(""), &s));
}

static void retry_after_with_all(void **state)
{
    static const struct {
        struct slice in;
        int err;
        uint32_t after_s;
        int64_t duration_s;
        struct slice comment;
    } cases[] = {
        { S("18000;duration=3600"), 0, 18000, 3600, S("") },
        { S("120 (I'm in a meeting)"), 0, 120, -1, S("I'm in a meeting") },
        { S("7 (a (b;duration=1) \\) c) ; x ;Duration = 9"), 0, 7, 9,
          S("a (b;duration=1) \\) c") },
        { S("5(x)\r\n ;duration=4"), 0, 5, 4, S("x") },
        { S("5;duration=soon"), 0, 5, -1, S("") },
        { S("99999999999;duration=99999999999"), 0, UINT32_MAX, UINT32_MAX,
          S("") },
        { S("5 (open"), GB_ESYNTAX, 0, 0, S("") },
        { S("5 (a\\"), GB_ESYNTAX, 0, 0, S("") },
        { S("5 6"), GB_ESYNTAX, 0, 0, S("") },
        { S("x"), GB_ESYNTAX, 0, 0, S("") },
        { S(""), GB_ESYNTAX, 0, 0, S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_retry_after r = { 0 };
        int err = sip_retry_after_read(&r, guarded(cases[i].in));

        if (err != cases[i].err || r.after_s != cases[i].after_s ||
            r.duration_s != cases[i].duration_s ||
            !slice_eq(r.comment, cases[i].comment))
            fail_msg("%.*s", SLICE_ARG(cases[i].in));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds),     cmocka_unit_test(expiry),
        cmocka_unit_test(q_values),    cmocka_unit_test(contents),
        cmocka_unit_test(subjects),    cmocka_unit_test(events),
        cmocka_unit_test(dates),       cmocka_unit_test(dates_both_ways),
        cmocka_unit_test(routes),      cmocka_unit_test(retry_after),
        cmocka_unit_test(retry_after_with_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
