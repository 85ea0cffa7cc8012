/* sip/dialog: what messages make of a dialog, and what it makes of requests. */
#include "test/support.h"

#include "sip/dialog.h"

#include <stdio.h>
#include <stdlib.h>

static struct sip_msg invite, other;
static char memory[200000];

static void parse(struct sip_msg *m, struct slice bytes)
{
    struct gb_diag d = { 0, "?" };

    if (sip_msg_parse(m, bytes, SIP_DATAGRAM, &d))
        fail_msg("%s", d.why);
}

static const struct slice invite_text = S(
    "INVITE sip:ch@192.0.2.2:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    "From: <sip:us@dom>;tag=ours\r\nTo: <sip:ch@dom>\r\nCall-ID: c1\r\n"
    "CSeq: 5 INVITE\r\nContact: <sip:us@192.0.2.1>\r\n\r\n");

static void expect(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static struct slice response(const char *lines)
{
    static char buf[4096];
    int n = snprintf(buf, sizeof(buf),
                     "SIP/2.0 200 OK\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
                     "From: <sip:us@dom>;tag=ours\r\nCall-ID: c1\r\n"
                     "CSeq: 5 INVITE\r\n%s\r\n", lines);

    return slice_of(buf, (size_t)n);
}

static void caller(void **state)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct sip_dialog d;

    (void)state;
    parse(&invite, invite_text);
    sip_dialog_of_invite(&d, &invite);
    expect(d.target, "sip:ch@192.0.2.2:5060");
    assert_int_equal(d.remote_tag.n, 0);
    parse(&other, response("To: \"N\" <sip:ch@10.1.1.1:80>;tag=t;x=y\r\n"
                           "Contact: <sip:nvr@10.1.1.1>\r\n"
                           "Record-Route: <sip:c;lr>,<sip:b;lr>\r\n"
                           "Record-Route: <sip:a;lr>\r\n"));
    assert_int_equal(sip_dialog_of_response(&d, &invite, &other, &a), 0);
    expect(d.remote, "\"N\" <sip:ch@10.1.1.1:80>;tag=t;x=y");
    expect(d.remote_uri, "sip:ch@10.1.1.1:80");
    expect(d.remote_tag, "t");
    expect(d.local, "<sip:us@dom>;tag=ours");
    expect(d.local_tag, "ours");
    expect(d.target, "sip:nvr@10.1.1.1");
    expect(d.routes, "<sip:a;lr>, <sip:b;lr>, <sip:c;lr>");
    assert_int_equal(d.local_cseq, 5);
    assert_false(d.has_remote_cseq);
}

/* §12.2: a re-INVITE changes nothing but the target. */
static void caller_again(void **state)
{
    static const struct slice again = S(
        "INVITE sip:nvr@10.1.1.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\nRoute: <sip:a;lr>\r\n"
        "From: <sip:us@dom>;tag=ours\r\nTo: <sip:ch@dom>;tag=t\r\n"
        "Call-ID: c1\r\nCSeq: 6 INVITE\r\n\r\n");
    struct arena a = arena_of(memory, sizeof(memory));
    struct sip_dialog d;

    (void)state;
    parse(&invite, again);
    parse(&other, response("To: <sip:ch@elsewhere>;tag=t\r\n"
                           "Contact: <sip:new@10.1.1.2>\r\n"
                           "Record-Route: <sip:z;lr>\r\n"));
    assert_int_equal(sip_dialog_of_response(&d, &invite, &other, &a), 0);
    expect(d.remote, "<sip:ch@dom>;tag=t");
    expect(d.routes, "<sip:a;lr>");
    expect(d.target, "sip:new@10.1.1.2");
}

static void callee(void **state)
{
    static const struct gb_addr source = { .family = GB_IPV4,
                                           .ip = { 203, 0, 113, 7 },
                                           .port = 5090 };
    static const struct {
        const char *name;
        struct slice in;
        const char *local, *local_tag, *target, *routes;
    } cases[] = {
        { "new", S("INVITE sip:us@dom SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
                   "From: <sip:cam@dom>;tag=f\r\nTo: <sip:us@dom>\r\n"
                   "Call-ID: c\r\nCSeq: 3 INVITE\r\nContact: <sip:cam@h:1>\r\n"
                   "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>\r\n"
                   "\r\n"),
          "<sip:us@dom>;tag=mine", "mine", "sip:cam@h:1",
          "<sip:a;lr>, <sip:b;lr>" },
        { "without Contact",
          S("INVITE sip:us@dom SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
            "From: <sip:cam@dom>;tag=f\r\nTo: sip:us@dom\r\n"
            "Call-ID: c\r\nCSeq: 3 INVITE\r\n\r\n"),
          "sip:us@dom;tag=mine", "mine", "sip:cam@203.0.113.7:5090", "" },
        { "inside a dialog",
          S("INVITE sip:us@dom SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
            "From: <sip:cam@dom>;tag=f\r\nTo: <sip:us@dom>;tag=old\r\n"
            "Call-ID: c\r\nCSeq: 3 INVITE\r\nContact: <sip:cam@0.0.0.0>\r\n"
            "\r\n"),
          "<sip:us@dom>;tag=old", "old", "sip:cam@203.0.113.7:5090", "" },
        { "a Contact with a header part", /* no Request-URI: table 1 */
          S("INVITE sip:us@dom SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
            "From: <sip:cam@dom>;tag=f\r\nTo: <sip:us@dom>\r\n"
            "Call-ID: c\r\nCSeq: 3 INVITE\r\n"
            "Contact: <sip:cam@h:1;x=y?5060>\r\n\r\n"),
          "<sip:us@dom>;tag=mine", "mine", "sip:cam@h:1;x=y", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = arena_of(memory, sizeof(memory));
        struct sip_dialog d;

        parse(&invite, cases[i].in);
        assert_int_equal(sip_dialog_of_request(&d, &invite, SLICE("mine"),
                                               &source, &a), 0);
        expect(d.local, cases[i].local);
        expect(d.local_tag, cases[i].local_tag);
        expect(d.remote_tag, "f");
        expect(d.target, cases[i].target);
        expect(d.routes, cases[i].routes);
        assert_int_equal(d.remote_cseq, 3);
    }
}

/* Without room: GB_ENOMEM, for every size that is too small. */
static void scratch_too_small(void **state)
{
    static const struct gb_addr source = { .family = GB_IPV4, .port = 1 };
    size_t n = 0;
    int err;

    (void)state;
    parse(&invite, invite_text);
    parse(&other, response("To: <sip:a@b>;tag=t\r\n"
                           "Record-Route: <sip:c;lr>,<sip:b;lr>\r\n"));
    do {
        struct arena a = arena_of(memory, n++);
        struct sip_dialog d;

        err = sip_dialog_of_response(&d, &invite, &other, &a);
        assert_true(err == 0 || err == GB_ENOMEM);
    } while (err);
    assert_true(n > 20);
    n = 0;
    do {
        struct arena a = arena_of(memory, n++);
        struct sip_dialog d;

        err = sip_dialog_of_request(&d, &invite, SLICE("t"), &source, &a);
        assert_true(err == 0 || err == GB_ENOMEM);
    } while (err);
}

static void too_many_routes(void **state)
{
    struct arena a = arena_of(memory, sizeof(memory));
    char lines[2048];
    struct writer w = writer_of(lines, sizeof(lines));
    struct sip_dialog d;

    (void)state;
    writer_str(&w, "To: <sip:a@b>;tag=t\r\n");
    for (int i = 0; i < SIP_MAX_ROUTES + 1; i++)
        writer_f(&w, "Record-Route: <sip:p%d;lr>\r\n", i);
    writer_bytes(&w, "", 1);
    parse(&invite, invite_text);
    parse(&other, response(lines));
    assert_int_equal(sip_dialog_of_response(&d, &invite, &other, &a), 0);
    assert_int_equal(d.routes.n, 0);
}

static void copies(void **state)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct sip_dialog d, c;
    char *mem;
    size_t n;

    (void)state;
    parse(&invite, invite_text);
    parse(&other, response("To: <sip:a@b>;tag=t\r\nContact: <sip:x@y>\r\n"
                           "Record-Route: <sip:c;lr>\r\n"));
    assert_int_equal(sip_dialog_of_response(&d, &invite, &other, &a), 0);
    n = sip_dialog_size(&d);
    mem = malloc(n);
    sip_dialog_copy(&c, &d, mem);
    memset(memory, 'x', sizeof(memory));
    expect(c.routes, "<sip:c;lr>");
    expect(c.remote_uri, "sip:a@b");
    expect(c.target, "sip:x@y");
    assert_true(c.call_id.p >= mem && c.routes.p + c.routes.n <= mem + n);
    free(mem);
}

static void tags(void **state)
{
    static const struct {
        const char *name, *local, *remote, *to, *from;
        bool fits;
    } cases[] = {
        { "right", "l", "r", "l", "r", true },
        { "other To tag", "l", "r", "x", "r", false },
        { "other From tag", "l", "r", "l", "x", false },
        { "To tag in other case", "l", "r", "L", "r", false },
        { "no To tag", "l", "r", "", "r", true },
        { "no From tag", "l", "r", "l", "", true },
        { "peer's tag not known yet", "l", "", "l", "r", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_dialog d = { .local_tag = slice_str(cases[i].local),
                                .remote_tag = slice_str(cases[i].remote) };

        memset(&other, 0, sizeof(other));
        other.to.tag = slice_str(cases[i].to);
        other.from.tag = slice_str(cases[i].from);
        if (sip_dialog_has_tags(&d, &other) != cases[i].fits)
            fail_msg("%s", cases[i].name);
    }
}

static void cseq(void **state)
{
    struct sip_dialog d = { 0 };

    (void)state;
    assert_true(sip_dialog_take_cseq(&d, 7)); /* the first may be any */
    assert_true(sip_dialog_take_cseq(&d, 9)); /* gaps are fine */
    assert_false(sip_dialog_take_cseq(&d, 8));
    assert_true(sip_dialog_take_cseq(&d, 9)); /* a device that never counts */
    assert_int_equal(d.remote_cseq, 9);
}

/* §12.2.1.1 */
static void filled(void **state)
{
    static const struct {
        const char *name, *routes, *uri, *want[3];
    } cases[] = {
        { "none", "", "sip:t@h", { NULL } },
        { "loose", "<sip:a;lr>, <sip:b>", "sip:t@h",
          { "<sip:a;lr>", "<sip:b>", NULL } },
        { "strict", "<sip:a>, <sip:b;lr>", "sip:a",
          { "<sip:b;lr>", "<sip:t@h>", NULL } },
        { "of another scheme", "<sop:a>", "sip:t@h", { "<sop:a>", NULL } },
        { "strict alone", "<sip:a>", "sip:a", { "<sip:t@h>", NULL } },
        { "strict with a header part", "<sip:a?x=y>", "sip:a",
          { "<sip:t@h>", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = arena_of(memory, sizeof(memory));
        struct sip_dialog d = { .target = SLICE("sip:t@h"),
                                .routes = slice_str(cases[i].routes),
                                .local = SLICE("L"),
                                .remote = SLICE("R"),
                                .call_id = SLICE("C") };
        struct slice routes[SIP_MAX_ROUTES + 1];
        struct sip_request_parts p = { 0 };
        size_t n = 0;

        assert_int_equal(sip_dialog_fill(&d, &p, routes, &a), 0);
        expect(p.uri, cases[i].uri);
        expect(p.from_raw, "L");
        expect(p.to_raw, "R");
        expect(p.call_id, "C");
        while (cases[i].want[n])
            n++;
        assert_int_equal(p.n_route, n);
        for (size_t k = 0; k < n; k++)
            expect(p.route[k], cases[i].want[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caller),
        cmocka_unit_test(caller_again),
        cmocka_unit_test(callee),
        cmocka_unit_test(scratch_too_small),
        cmocka_unit_test(too_many_routes),
        cmocka_unit_test(copies),
        cmocka_unit_test(tags),
        cmocka_unit_test(cseq),
        cmocka_unit_test(filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
