/* sip/stack as a client: requests, INVITE, ACK, CANCEL, forks, time. The test
 * is the peer and writes its answers by hand. */
#include "test/pair.h"

#include "sip/digest.h"

#include <stdio.h>
#include <stdlib.h>

#define ID "34020000001320000001"

static char text_buf[8192];

/* An answer to a request that the stack sent; `more` are whole lines. */
struct ans {
    unsigned status;
    const char *to_tag;  /* NULL: none */
    const char *contact; /* value; NULL: none */
    const char *more, *body;
    const char *to;      /* NULL: as in the request */
    bool no_via;
};

static struct slice write_answer(const struct pair_sent *req,
                                 const struct ans *a)
{
    struct writer w = writer_of(text_buf, sizeof(text_buf));
    struct slice to = a->to ? slice_str(a->to)
                            : pair_header(req->bytes, "To");

    writer_f(&w, "SIP/2.0 %u Whatever\r\n", a->status);
    if (!a->no_via) {
        writer_str(&w, "Via: ");
        writer_slice_put(&w, pair_header(req->bytes, "Via"));
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "From: ");
    writer_slice_put(&w, pair_header(req->bytes, "From"));
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, to);
    if (a->to_tag)
        writer_f(&w, ";tag=%s", a->to_tag);
    writer_str(&w, "\r\nCall-ID: ");
    writer_slice_put(&w, pair_header(req->bytes, "Call-ID"));
    writer_str(&w, "\r\nCSeq: ");
    writer_slice_put(&w, pair_header(req->bytes, "CSeq"));
    writer_str(&w, "\r\n");
    if (a->contact)
        writer_f(&w, "Contact: %s\r\n", a->contact);
    writer_f(&w, "%sContent-Length: %zu\r\n\r\n%s", a->more ? a->more : "",
             a->body ? strlen(a->body) : 0, a->body ? a->body : "");
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void answer(struct pair *p, const struct pair_sent *req,
                   const struct ans *a)
{
    assert_non_null(req);
    assert_int_equal(pair_inject(p, 0, write_answer(req, a)), 0);
}

static struct sip_request message(const struct pair *p)
{
    return (struct sip_request){
        .method = SIP_METHOD_MESSAGE,
        .peer = pair_peer(p, 0),
        .uri = SLICE("sip:" ID "@192.0.2.2:5060"),
        .from = SLICE("sip:34020000002000000001@3402000000"),
        .to = SLICE("sip:" ID "@3402000000"),
        .content_type = SLICE("Application/MANSCDP+xml"),
        .body = SLICE("<Query/>"),
        .expires = -1,
        .user = 42,
    };
}

static struct sip_request invite(const struct pair *p)
{
    struct sip_request r = message(p);

    r.method = SIP_METHOD_INVITE;
    r.contact = SLICE("sip:34020000002000000001@192.0.2.1:5060");
    r.subject = SLICE(ID ":0,34020000002000000001:0");
    r.content_type = SLICE("application/sdp");
    r.body = SLICE("v=0\r\n");
    return r;
}

static uint64_t send_request(struct pair *p, const struct sip_request *r)
{
    uint64_t id = 0;

    assert_int_equal(sip_stack_request(p->stack[0], r, p->now_ms, &id), 0);
    assert_true(id != 0);
    pair_pump(p);
    return id;
}

static uint64_t send_invite(struct pair *p, const struct sip_request *r)
{
    uint64_t id = 0;

    assert_int_equal(sip_stack_invite(p->stack[0], r, p->now_ms, &id), 0);
    assert_true(id != 0);
    pair_pump(p);
    return id;
}

static void end(struct pair *p, uint64_t dialog)
{
    sip_stack_end(p->stack[0], dialog, p->now_ms);
    pair_pump(p);
}

static struct sip_counters counters(const struct pair *p)
{
    struct sip_counters c;

    sip_stack_counters(p->stack[0], &c);
    return c;
}

static void expect_slice(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static void expect_start(const struct pair_sent *m, const char *want)
{
    assert_non_null(m);
    if (!slice_has_prefix(m->bytes, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", (int)slice_find(m->bytes, '\r'),
                 m->bytes.p, want);
}

static const struct ans ok = { .status = 200,
                               .to_tag = "t1",
                               .contact = "<sip:nvr@10.0.0.9:5060>",
                               .body = "v=0\r\n" };

/* ---- other than INVITE ------------------------------------------------- */

static void message_answered(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t id;
    const struct pair_seen *ev;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    id = send_request(&p, &r);
    expect_start(pair_find(&p, 0, "MESSAGE", 0),
                 "MESSAGE sip:" ID "@192.0.2.2:5060 SIP/2.0\r\n");
    answer(&p, pair_find(&p, 0, "MESSAGE", 0), &ok);
    ev = pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0);
    assert_non_null(ev);
    assert_true(ev->ev.transaction == id);
    assert_true(ev->ev.user == 42);
    answer(&p, pair_find(&p, 0, "MESSAGE", 0), &ok); /* absorbed */
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
    assert_int_equal(counters(&p).absorbed, 1);
    pair_run(&p, p.now_ms + 5000); /* K */
    assert_int_equal(counters(&p).transactions, 0);
    answer(&p, pair_find(&p, 0, "MESSAGE", 0), &ok);
    assert_int_equal(counters(&p).stray_responses, 1);
    pair_fini(&p);
}

/* RFC 3261 §8.1.1.7: the cookie, and no branch twice. */
static void note_1_8_every_branch_has_the_cookie(void **state)
{
    struct slice branch[200];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    for (size_t i = 0; i < COUNT(branch); i++) {
        struct sip_request r = i % 2 ? message(&p) : invite(&p);
        struct slice via;
        size_t at;

        if (i % 2)
            send_request(&p, &r);
        else
            send_invite(&p, &r);
        via = pair_header(p.sent[i].bytes, "Via");
        at = slice_find_slice(via, SLICE(";branch=z9hG4bK"));
        assert_true(at + 20 < via.n);
        branch[i] = slice_from(via, at);
        for (size_t k = 0; k < i; k++)
            assert_false(slice_eq(branch[i], branch[k]));
    }
    pair_fini(&p);
}

static void message_times(void **state)
{
    static const uint64_t want[] = { 0,     500,   1500,  3500,  7500, 11500,
                                     15500, 19500, 23500, 27500, 31500 };
    struct pair p;
    struct sip_request r;
    const struct pair_seen *ev;
    uint64_t start_ms;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    start_ms = p.now_ms;
    send_request(&p, &r);
    pair_settle(&p, 40000);
    assert_int_equal(p.n_sent, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(p.sent[i].at_ms - start_ms, want[i]);
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
    }
    ev = pair_event(&p, 0, SIP_EV_FAILED, 408, 0);
    assert_non_null(ev);
    assert_int_equal(ev->at_ms - start_ms, 32000);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(counters(&p).retransmitted, 10);
    pair_fini(&p);
}

static void message_own_timeout(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    r.timeout_ms = 5000;
    send_request(&p, &r);
    pair_run(&p, p.now_ms + 4999);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
    /* answered in time: the timeout is over too */
    send_request(&p, &r);
    answer(&p, pair_find(&p, 0, "MESSAGE", 4), &ok);
    pair_settle(&p, 40000);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 1);
    pair_fini(&p);
}

static void over_tcp(void **state)
{
    static const struct pair_wire tcp = { .tcp = true };
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    r = message(&p);
    send_request(&p, &r);
    assert_true(slice_has_prefix(pair_header(p.sent[0].bytes, "Via"),
                                 SLICE("SIP/2.0/TCP 192.0.2.1:5060;rport")));
    answer(&p, &p.sent[0], &ok);
    assert_int_equal(counters(&p).transactions, 0);
    send_request(&p, &r);
    pair_settle(&p, 40000);
    assert_int_equal(p.n_sent, 2); /* not repeated */
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    pair_fini(&p);
}

static void connection_lost(void **state)
{
    static const struct pair_wire tcp = { .tcp = true };
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    r = message(&p);
    for (int i = 0; i < 5; i++)
        send_request(&p, &r);
    r = invite(&p);
    send_invite(&p, &r);
    sip_stack_closed(p.stack[0], 76, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    sip_stack_closed(p.stack[0], 77, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 503), 6);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(counters(&p).dialogs, 0);
    sip_stack_closed(p.stack[0], 77, p.now_ms);
    assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
    pair_fini(&p);
}

static void could_not_be_sent(void **state)
{
    struct pair p;
    struct sip_request r;
    struct sip_peer other;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    send_request(&p, &r);
    other = r.peer;
    other.remote.port = 1;
    sip_stack_send_failed(p.stack[0], &other, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    sip_stack_send_failed(p.stack[0], &r.peer, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 503), 1);
    sip_stack_send_failed(p.stack[0], &r.peer, p.now_ms);
    pair_fini(&p);
}

/* R3 and field-note 5.3 */
static void which_answers_match(void **state)
{
    static const struct {
        const char *name;
        struct ans a;
        const char *from, *to; /* text replaced in the answer */
        bool matches;
    } cases[] = {
        { "as it should be", { .status = 200 }, NULL, NULL, true },
        { "no Via at all", { .status = 200, .no_via = true }, NULL, NULL,
          true },
        { "no Via, other Call-ID", { .status = 200, .no_via = true },
          "Call-ID: ", "Call-ID: x", false },
        { "two Vias", { .status = 200, .more = "Via: SIP/2.0/UDP "
                        "255.255.255.255;branch=z9hG4bK9\r\n" }, NULL, NULL,
          false },
        { "other branch", { .status = 200 }, "branch=z9hG4bK",
          "branch=z9hG4bKz", false },
        { "other CSeq method", { .status = 200 }, " MESSAGE", " OPTIONS",
          false },
        { "rewritten sent-by", { .status = 200 }, "UDP 192.0.2.1", "UDP 9.9.9.9",
          true },
        { "tag appears", { .status = 200, .to_tag = "x" }, NULL, NULL, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair p;
        struct sip_request r;
        struct slice a;
        char changed[4096];

        pair_init(&p, NULL, NULL, true);
        r = message(&p);
        send_request(&p, &r);
        a = write_answer(&p.sent[0], &cases[i].a);
        if (cases[i].from) {
            size_t at = slice_find_slice(a, slice_str(cases[i].from));
            struct writer w = writer_of(changed, sizeof(changed));

            assert_true(at < a.n);
            writer_slice_put(&w, slice_head(a, at));
            writer_str(&w, cases[i].to);
            writer_slice_put(&w, slice_from(a, at + strlen(cases[i].from)));
            a = writer_slice(&w);
        }
        pair_inject(&p, 0, a);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, 0) != cases[i].matches)
            fail_msg("%s", cases[i].name);
        assert_int_equal(counters(&p).stray_responses, !cases[i].matches);
        pair_fini(&p);
    }
}

static void what_is_not_sent(void **state)
{
    static const struct {
        const char *name;
        enum sip_method method;
        struct slice uri;
        int err;
    } cases[] = {
        { "ACK", SIP_METHOD_ACK, S("sip:a@b"), GB_ESYNTAX },
        { "CANCEL", SIP_METHOD_CANCEL, S("sip:a@b"), GB_ESYNTAX },
        { "INVITE", SIP_METHOD_INVITE, S("sip:a@b"), GB_ESYNTAX },
        { "OTHER", SIP_METHOD_OTHER, S("sip:a@b"), GB_ESYNTAX },
        { "blank in the URI", SIP_METHOD_MESSAGE, S("sip:a b@c"), GB_ESYNTAX },
        { "no URI", SIP_METHOD_MESSAGE, S(""), GB_ESYNTAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair p;
        struct sip_request r;
        uint64_t id;

        pair_init(&p, NULL, NULL, true);
        r = message(&p);
        r.method = cases[i].method;
        r.uri = cases[i].uri;
        if (sip_stack_request(p.stack[0], &r, 1, &id) != cases[i].err)
            fail_msg("%s", cases[i].name);
        pair_pump(&p);
        assert_int_equal(p.n_sent, 0);
        assert_int_equal(counters(&p).transactions, 0);
        pair_fini(&p);
    }
}

static void own_ids(void **state)
{
    struct pair p;
    struct sip_request r;
    struct slice a;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    send_request(&p, &r);
    send_request(&p, &r);
    assert_false(slice_eq(pair_header(p.sent[0].bytes, "Call-ID"),
                          pair_header(p.sent[1].bytes, "Call-ID")));
    assert_false(slice_eq(pair_header(p.sent[0].bytes, "Via"),
                          pair_header(p.sent[1].bytes, "Via")));
    r.call_id = SLICE("mine");
    r.from_tag = SLICE("ft");
    r.to_tag = SLICE("tt");
    r.cseq = 77;
    send_request(&p, &r);
    a = p.sent[2].bytes;
    expect_slice(pair_header(a, "Call-ID"), "mine");
    expect_slice(pair_header(a, "CSeq"), "77 MESSAGE");
    expect_slice(pair_header(a, "From"),
                 "<sip:34020000002000000001@3402000000>;tag=ft");
    expect_slice(pair_header(a, "To"), "<sip:" ID "@3402000000>;tag=tt");
    pair_fini(&p);
}

/* ---- INVITE ------------------------------------------------------------ */

static void invite_times(void **state)
{
    static const uint64_t want[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
    struct pair p;
    struct sip_request r;
    uint64_t start_ms;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    start_ms = p.now_ms;
    send_invite(&p, &r);
    pair_settle(&p, 40000);
    assert_int_equal(p.n_sent, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(p.sent[i].at_ms - start_ms, want[i]);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    assert_int_equal(counters(&p).dialogs, 0);
    pair_fini(&p);
}

/* R10: refused; the ACK has the INVITE's branch and the answer's To, once for
 * each repeat of the answer. */
static void refused(void **state)
{
    static const struct ans busy = { .status = 486, .to_tag = "b" };
    struct pair p;
    struct sip_request r;
    const struct pair_sent *inv, *ack;
    uint64_t dialog;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    dialog = send_invite(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    answer(&p, inv, &busy);
    ack = pair_find(&p, 0, "ACK", 0);
    expect_start(ack, "ACK sip:" ID "@192.0.2.2:5060 SIP/2.0\r\n");
    assert_true(slice_eq(pair_header(ack->bytes, "Via"),
                         pair_header(inv->bytes, "Via")));
    expect_slice(pair_header(ack->bytes, "To"),
                 "<sip:" ID "@3402000000>;tag=b");
    answer(&p, inv, &busy);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 486), 1);
    assert_true(pair_event(&p, 0, SIP_EV_RESPONSE, 486, 0)->ev.dialog ==
                dialog);
    assert_int_equal(counters(&p).dialogs, 0);
    end(&p, dialog); /* stale: nothing */
    pair_run(&p, p.now_ms + 32000); /* D */
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(p.n_sent, 3);
    pair_fini(&p);
}

/* R40: a status that nobody has heard of is read by its class; its words mean
 * nothing. */
static void unknown_statuses(void **state)
{
    static const struct {
        unsigned status;
        size_t acks, dialogs, byes; /* of an INVITE; BYE once it is ended */
    } cases[] = { { 199, 0, 1, 0 }, { 299, 1, 1, 1 }, { 399, 1, 0, 0 },
                  { 499, 1, 0, 0 }, { 599, 1, 0, 0 }, { 699, 1, 0, 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ans a = ok;
        struct sip_request r;
        uint64_t dialog;
        struct pair p;

        a.status = cases[i].status;
        pair_init(&p, NULL, NULL, true);
        r = invite(&p);
        dialog = send_invite(&p, &r);
        answer(&p, pair_find(&p, 0, "INVITE", 0), &a);
        r = message(&p);
        send_request(&p, &r);
        answer(&p, pair_find(&p, 0, "MESSAGE", 0), &a);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, a.status) != 2 ||
            pair_count(&p, 0, "ACK") != cases[i].acks ||
            counters(&p).dialogs != cases[i].dialogs)
            fail_msg("%u", a.status);
        end(&p, dialog);
        assert_int_equal(pair_count(&p, 0, "BYE"), cases[i].byes);
        assert_int_equal(pair_count(&p, 0, "CANCEL"), a.status < 200);
        pair_settle(&p, 200000);
        assert_int_equal(counters(&p).transactions, 0);
        pair_fini(&p);
    }
}

/* R60: no dialog, no Contact, and each its own though a Call-ID be shared. */
static void messages_are_independent(void **state)
{
    struct sip_request r;
    uint64_t first, second;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = message(&p);
    r.call_id = SLICE("the same");
    r.cseq = 7;
    first = send_request(&p, &r);
    second = send_request(&p, &r);
    assert_int_equal(pair_header(p.sent[0].bytes, "Contact").n, 0);
    answer(&p, &p.sent[1], &ok);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_true(p.seen[0].ev.transaction == second && p.seen[0].ev.dialog == 0);
    answer(&p, &p.sent[0], &ok);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 2);
    assert_true(p.seen[1].ev.transaction == first);
    assert_int_equal(counters(&p).dialogs, 0);
    pair_fini(&p);
}

/* R11: accepted; ACK to the Contact, To as received, the same for repeats. */
static void accepted(void **state)
{
    static const struct ans nvr = { .status = 200,
                                    .to_tag = "t1",
                                    .to = "\"NVR\" <sip:" ID "@192.0.2.2:80>",
                                    .contact = "<sip:nvr@10.0.0.9:5060>;q=1",
                                    .body = "v=0\r\n" };
    struct pair p;
    struct sip_request r;
    const struct pair_sent *inv, *ack, *bye;
    uint64_t dialog;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    dialog = send_invite(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    answer(&p, inv, &(struct ans){ .status = 100 });
    answer(&p, inv, &(struct ans){ .status = 101, .to_tag = "early" });
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 2);
    answer(&p, inv, &nvr);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_string_equal(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->body,
                        "v=0\r\n");
    ack = pair_find(&p, 0, "ACK", 0);
    expect_start(ack, "ACK sip:nvr@10.0.0.9:5060 SIP/2.0\r\n");
    expect_slice(pair_header(ack->bytes, "To"),
                 "\"NVR\" <sip:" ID "@192.0.2.2:80>;tag=t1");
    assert_false(slice_eq(pair_header(ack->bytes, "Via"),
                          pair_header(inv->bytes, "Via")));
    assert_int_equal(ack->peer.remote.ip[3], 2); /* not to 10.0.0.9 */
    for (int i = 0; i < 3; i++)
        answer(&p, inv, &nvr);
    assert_int_equal(pair_count(&p, 0, "ACK"), 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(slice_eq(pair_find(&p, 0, "ACK", i)->bytes, ack->bytes));
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    end(&p, dialog);
    bye = pair_find(&p, 0, "BYE", 0);
    expect_start(bye, "BYE sip:nvr@10.0.0.9:5060 SIP/2.0\r\n");
    expect_slice(pair_header(bye->bytes, "To"),
                 "\"NVR\" <sip:" ID "@192.0.2.2:80>;tag=t1");
    assert_int_equal(counters(&p).dialogs, 0);
    answer(&p, inv, &nvr); /* a late repeat: ACK, and no second BYE */
    assert_int_equal(pair_count(&p, 0, "ACK"), 5);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    answer(&p, bye, &(struct ans){ .status = 200 });
    pair_settle(&p, 40000);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(p.n_seen, 3); /* the BYE is nobody's business */
    pair_fini(&p);
}

/* Where requests go when the Contact is of no use */
static void targets(void **state)
{
    static const struct {
        const char *contact, *want;
    } cases[] = {
        { "<sip:" ID "@10.0.0.9:5060>", "sip:" ID "@10.0.0.9:5060" },
        { "sip:" ID "@10.0.0.9:5060;tag=zz", "sip:" ID "@10.0.0.9:5060" },
        { "<sip:" ID "@0.0.0.0:5060>", "sip:" ID "@192.0.2.2:5060" },
        { "<sip:10.0.0.9:5060>", "sip:" ID "@192.0.2.2:5060" },
        { NULL, "sip:" ID "@192.0.2.2:5060" },
        { "<tel:123>", "sip:" ID "@192.0.2.2:5060" },
        { "rubbish", "sip:" ID "@192.0.2.2:5060" },
        { "<sip:a@[::]>", "sip:" ID "@192.0.2.2:5060" },
        { "<sip:a@[2001:db8::9]:99>", "sip:a@[2001:db8::9]:99" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ans a = ok;
        struct pair p;
        struct sip_request r;
        char want[128];

        pair_init(&p, NULL, NULL, true);
        r = invite(&p);
        send_invite(&p, &r);
        a.contact = cases[i].contact;
        answer(&p, &p.sent[0], &a);
        snprintf(want, sizeof(want), "ACK %s SIP/2.0\r\n", cases[i].want);
        expect_start(pair_find(&p, 0, "ACK", 0), want);
        pair_fini(&p);
    }
}

/* R21, R22 */
static void route_sets(void **state)
{
    static const struct {
        const char *name, *record_route, *uri, *route[3];
    } cases[] = {
        { "two loose, reversed",
          "Record-Route: <sip:p2;lr>, <sip:p1;lr=on>\r\n",
          "sip:nvr@10.0.0.9:5060", { "<sip:p1;lr=on>", "<sip:p2;lr>", NULL } },
        { "strict first", "Record-Route: <sip:p2;lr>\r\n"
          "Record-Route: <sip:p1>\r\n", "sip:p1",
          { "<sip:p2;lr>", "<sip:nvr@10.0.0.9:5060>", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ans a = ok;
        struct pair p;
        struct sip_request r;
        struct slice rest;
        char want[128];
        uint64_t dialog;
        const struct pair_sent *bye;

        pair_init(&p, NULL, NULL, true);
        r = invite(&p);
        dialog = send_invite(&p, &r);
        a.more = cases[i].record_route;
        answer(&p, &p.sent[0], &a);
        end(&p, dialog);
        snprintf(want, sizeof(want), "ACK %s SIP/2.0\r\n", cases[i].uri);
        expect_start(pair_find(&p, 0, "ACK", 0), want);
        bye = pair_find(&p, 0, "BYE", 0);
        snprintf(want, sizeof(want), "BYE %s SIP/2.0\r\n", cases[i].uri);
        expect_start(bye, want);
        rest = bye->bytes;
        for (size_t k = 0; cases[i].route[k]; k++) {
            rest = slice_from(rest, slice_find_slice(rest, SLICE("Route: ")));
            rest = slice_from(rest, 7);
            expect_slice(slice_head(rest, slice_find(rest, '\r')),
                         cases[i].route[k]);
        }
        pair_fini(&p);
    }
}

static void credentials_in_ack(void **state)
{
    static const struct sip_extra auth[] = {
        { S("Authorization"), S("Digest username=\"u\"") },
    };
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.extra = auth;
    r.n_extra = 1;
    send_invite(&p, &r);
    answer(&p, &p.sent[0], &ok);
    expect_slice(pair_header(pair_find(&p, 0, "ACK", 0)->bytes,
                             "Authorization"), "Digest username=\"u\"");
    pair_fini(&p);
}

/* ---- forks ------------------------------------------------------------- */

static void surplus_fork(void **state)
{
    struct ans second = ok;
    struct pair p;
    struct sip_request r;
    const struct pair_sent *bye;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    send_invite(&p, &r);
    answer(&p, &p.sent[0], &ok);
    second.to_tag = "t2";
    second.contact = "<sip:other@10.0.0.8>";
    for (int i = 0; i < 3; i++)
        answer(&p, &p.sent[0], &second);
    assert_int_equal(pair_count(&p, 0, "ACK sip:other@10.0.0.8"), 3);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    bye = pair_find(&p, 0, "BYE sip:other@10.0.0.8", 0);
    assert_non_null(bye);
    expect_slice(pair_header(bye->bytes, "To"),
                 "<sip:" ID "@3402000000>;tag=t2");
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
    assert_int_equal(counters(&p).dialogs, 1);
    pair_fini(&p);
}

/* A device that makes a new tag for each repeat is one device. */
static void changing_tags(void **state)
{
    struct ans again = ok;
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    send_invite(&p, &r);
    answer(&p, &p.sent[0], &ok);
    again.to_tag = "t2";
    answer(&p, &p.sent[0], &again);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    expect_slice(pair_header(pair_find(&p, 0, "ACK", 1)->bytes, "To"),
                 "<sip:" ID "@3402000000>;tag=t2");
    pair_fini(&p);
}

static void many_forks_have_a_limit(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    send_invite(&p, &r);
    for (unsigned i = 0; i < 100; i++) {
        struct ans a = ok;
        char tag[16], contact[32];

        snprintf(tag, sizeof(tag), "t%u", i);
        snprintf(contact, sizeof(contact), "<sip:u%u@h>", i);
        a.to_tag = tag;
        a.contact = contact;
        answer(&p, &p.sent[0], &a);
    }
    assert_int_equal(pair_count(&p, 0, "BYE"), 7);
    assert_int_equal(counters(&p).dropped, 92);
    pair_fini(&p);
}

/* The BYE for a fork finds no room: the INVITE's own transaction, finished but
 * in use, is not thrown out for it. */
static void fork_in_a_full_table(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 1 };
    struct ans second = ok;
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r = invite(&p);
    send_invite(&p, &r);
    answer(&p, &p.sent[0], &ok);
    second.to_tag = "t2";
    second.contact = "<sip:other@10.0.0.8>";
    for (int i = 0; i < 2; i++)
        answer(&p, &p.sent[0], &second);
    assert_int_equal(pair_count(&p, 0, "ACK"), 3);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    assert_int_equal(counters(&p).transactions, 1);
    pair_fini(&p);
}

/* ---- CANCEL ------------------------------------------------------------ */

/* R7: same Request-URI, Via, From, To, Call-ID, CSeq number; one Via. */
static void cancel_rules(void **state)
{
    static const char *const same[] = { "Via", "From", "To", "Call-ID" };
    struct pair p;
    struct sip_request r;
    const struct pair_sent *inv, *cancel;
    uint64_t dialog;
    size_t n;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.cseq = 9;
    dialog = send_invite(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    end(&p, dialog);
    assert_int_equal(p.n_sent, 1); /* not before a provisional answer */
    answer(&p, inv, &(struct ans){ .status = 100 });
    cancel = pair_find(&p, 0, "CANCEL", 0);
    expect_start(cancel, "CANCEL sip:" ID "@192.0.2.2:5060 SIP/2.0\r\n");
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(slice_eq(pair_header(inv->bytes, same[i]),
                             pair_header(cancel->bytes, same[i])));
    expect_slice(pair_header(cancel->bytes, "CSeq"), "9 CANCEL");
    answer(&p, inv, &(struct ans){ .status = 180, .to_tag = "x" });
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    answer(&p, cancel, &(struct ans){ .status = 200 });
    answer(&p, inv, &(struct ans){ .status = 487, .to_tag = "x" });
    assert_int_equal(pair_count(&p, 0, "ACK"), 1);
    n = p.n_seen;
    assert_int_equal(n, 0); /* the handle was gone before */
    pair_settle(&p, 60000);
    assert_int_equal(p.n_seen, 0);
    assert_int_equal(counters(&p).transactions, 0);
    pair_fini(&p);
}

/* R9 */
static void cancel_crossed_by_200(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t dialog;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    dialog = send_invite(&p, &r);
    answer(&p, &p.sent[0], &(struct ans){ .status = 100 });
    end(&p, dialog);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    answer(&p, &p.sent[0], &ok);
    answer(&p, &p.sent[0], &ok);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 0);
    pair_settle(&p, 80000);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(counters(&p).dialogs, 0);
    pair_fini(&p);
}

static void cancel_without_effect(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t dialog, start_ms;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    dialog = send_invite(&p, &r);
    answer(&p, &p.sent[0], &(struct ans){ .status = 180, .to_tag = "x" });
    end(&p, dialog);
    start_ms = p.now_ms;
    pair_settle(&p, 80000); /* given up 64*T1 after the CANCEL */
    assert_int_equal(p.now_ms - start_ms, 32000);
    assert_int_equal(counters(&p).transactions, 0);
    pair_fini(&p);
}

static void invite_own_timeout(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t dialog;
    const struct pair_seen *ev;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.timeout_ms = 10000;
    dialog = send_invite(&p, &r);
    answer(&p, &p.sent[0], &(struct ans){ .status = 100 });
    pair_run(&p, p.now_ms + 9999);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_run(&p, p.now_ms + 1);
    ev = pair_event(&p, 0, SIP_EV_FAILED, 408, 0);
    assert_non_null(ev);
    assert_true(ev->ev.dialog == dialog);
    assert_true(ev->ev.user == 42);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    assert_int_equal(counters(&p).dialogs, 0);
    answer(&p, &p.sent[0], &ok); /* late */
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 1);
    pair_fini(&p);
}

/* Accepted in time: the timeout of the INVITE is no timeout of the call. */
static void timeout_ends_with_the_answer(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.timeout_ms = 10000;
    send_invite(&p, &r);
    answer(&p, &p.sent[0], &ok);
    pair_settle(&p, 60000);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    assert_int_equal(counters(&p).dialogs, 1);
    pair_fini(&p);
}

/* ---- memory ------------------------------------------------------------ */

/* A whole call with the n-th allocation failing and all later ones, until the
 * call succeeds; memory comes back before the end. */
static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 40; n++) {
        struct pair p;
        struct sip_request r;
        uint64_t dialog = 0, id;
        int err;

        pair_init(&p, NULL, NULL, true);
        p.mem[0].fail_at = p.mem[0].calls + n;
        r = invite(&p);
        r.timeout_ms = 2000;
        err = sip_stack_invite(p.stack[0], &r, p.now_ms, &dialog);
        assert_true(err == 0 || err == GB_ENOMEM);
        pair_pump(&p);
        if (!err) {
            if (n % 2)
                pair_inject(&p, 0, write_answer(&p.sent[0], &ok));
            r = message(&p);
            sip_stack_request(p.stack[0], &r, p.now_ms, &id);
            r.method = SIP_METHOD_INFO;
            sip_stack_request_in(p.stack[0], dialog, &r, p.now_ms, &id);
            if (n % 3)
                end(&p, dialog);
            pair_run(&p, p.now_ms + 2500);
        }
        p.mem[0].fail_at = 0;
        pair_settle(&p, 200000);
        if (err)
            assert_int_equal(counters(&p).dialogs, 0);
        assert_int_equal(counters(&p).transactions, 0);
        if (n % 2 == 0 || n % 3)
            assert_int_equal(counters(&p).dialogs, 0);
        pair_fini(&p);
    }
}

/* Field-note 16.5: failed transactions leave nothing. `make bench` runs a
 * million; a unit test is content with fewer. */
static void many_failures_flat_memory(void **state)
{
    struct pair p;
    struct sip_request r;
    unsigned long live = 0;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    p.quiet = true;
    r = message(&p);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 1000; i++)
            send_request(&p, &r);
        assert_int_equal(counters(&p).transactions, 1000);
        pair_settle(&p, 40000);
        assert_int_equal(counters(&p).transactions, 0);
        assert_int_equal(counters(&p).memory, 0);
        if (round == 2)
            live = p.mem[0].live;
        if (round > 2)
            assert_int_equal(p.mem[0].live, live);
    }
    pair_fini(&p);
}

static void table_is_full(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 4, .max_dialogs = 2 };
    struct pair p;
    struct sip_request r;
    uint64_t id;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r = invite(&p);
    send_invite(&p, &r);
    send_invite(&p, &r);
    assert_int_equal(sip_stack_invite(p.stack[0], &r, 1, &id), GB_ELIMIT);
    assert_int_equal(counters(&p).transactions, 2);
    r = message(&p);
    send_request(&p, &r);
    send_request(&p, &r);
    assert_int_equal(sip_stack_request(p.stack[0], &r, 1, &id), GB_ELIMIT);
    answer(&p, pair_find(&p, 0, "MESSAGE", 0), &ok); /* finished: may go */
    send_request(&p, &r);
    assert_int_equal(counters(&p).transactions, 4);
    pair_fini(&p);
}

/* ---- challenges (R54, R63) ---------------------------------------------- */

#define CHALLENGE(nonce, more)                                                 \
    "WWW-Authenticate: Digest realm=\"dom\", nonce=\"" nonce "\"" more "\r\n"

static struct slice challenge(const struct pair_sent *to, unsigned status,
                              const char *lines)
{
    static char text[2048];
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, "SIP/2.0 %u X\r\nVia: ", status);
    writer_slice_put(&w, pair_header(to->bytes, "Via"));
    writer_str(&w, "\r\nFrom: ");
    writer_slice_put(&w, pair_header(to->bytes, "From"));
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, pair_header(to->bytes, "To"));
    writer_f(&w, "%s\r\nCall-ID: ",
             slice_find_slice(pair_header(to->bytes, "To"), SLICE(";tag=")) <
                     pair_header(to->bytes, "To").n
                 ? "" : ";tag=srv");
    writer_slice_put(&w, pair_header(to->bytes, "Call-ID"));
    writer_str(&w, "\r\nCSeq: ");
    writer_slice_put(&w, pair_header(to->bytes, "CSeq"));
    writer_f(&w, "\r\n%sContent-Length: 0\r\n\r\n", lines);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void expect_logged_in(const struct pair_sent *first,
                             const struct pair_sent *second, bool proxy)
{
    static const char *const same[] = { "From", "Call-ID", "To", "Contact",
                                        "Content-Length" };
    struct slice a = pair_header(first->bytes, "CSeq"),
                 b = pair_header(second->bytes, "CSeq"), na, nb, auth;
    struct sip_credentials c;
    struct sip_ha1 ha1;
    uint32_t va = 0, vb = 0;

    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(slice_eq(pair_header(first->bytes, same[i]),
                             pair_header(second->bytes, same[i])));
    assert_false(slice_eq(pair_header(first->bytes, "Via"),
                          pair_header(second->bytes, "Via")));
    assert_true(slice_cut(&a, ' ', &na) && slice_cut(&b, ' ', &nb));
    assert_true(slice_u32(na, UINT32_MAX, &va) &&
                slice_u32(nb, UINT32_MAX, &vb) && slice_eq(a, b));
    assert_int_equal(vb, va + 1);
    auth = pair_header(second->bytes,
                       proxy ? "Proxy-Authorization" : "Authorization");
    assert_int_equal(sip_credentials_parse(&c, auth), 0);
    assert_true(slice_eq(c.username, SLICE("me")));
    sip_ha1_make(&ha1, c.alg, SLICE("me"), SLICE("dom"), SLICE("secret"));
    assert_true(sip_digest_check(&c, a, &ha1));
}

static void challenged(void **state)
{
    static const struct pair_wire tcp = { .tcp = true };

    (void)state;
    for (int proxy = 0; proxy < 2; proxy++)
        for (int stream = 0; stream < 2; stream++) {
            struct sip_request r;
            uint64_t id;
            struct pair p;

            pair_init(&p, stream ? &tcp : NULL, NULL, true);
            r = message(&p);
            r.username = SLICE("me");
            r.password = SLICE("secret");
            id = send_request(&p, &r);
            pair_inject(&p, 0,
                        challenge(&p.sent[0], proxy ? 407 : 401,
                                  proxy ? "Proxy-Authenticate: Digest realm="
                                          "\"dom\", nonce=\"n1\", "
                                          "qop=\"auth\"\r\n"
                                        : CHALLENGE("n1", "")));
            assert_int_equal(p.n_sent, 2);
            assert_int_equal(p.n_seen, 0);
            expect_logged_in(&p.sent[0], &p.sent[1], proxy);
            pair_inject(&p, 0, challenge(&p.sent[1], 200, ""));
            assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
            assert_true(p.seen[0].ev.transaction == id &&
                        p.seen[0].ev.user == 42);
            pair_settle(&p, 100000);
            assert_int_equal(counters(&p).memory, 0);
            pair_fini(&p);
        }
}

/* A second challenge counts only if the nonce was stale, and once. */
static void challenged_again(void **state)
{
    static const struct {
        const char *name, *second;
        size_t sent;
    } cases[] = {
        { "wrong password", CHALLENGE("n2", ""), 2 },
        { "stale", CHALLENGE("n2", ", stale=true"), 3 },
        { "not to be answered", "WWW-Authenticate: Basic realm=\"x\"\r\n", 2 },
        { "nothing", "", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_request r;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = message(&p);
        r.username = SLICE("me");
        r.password = SLICE("secret");
        send_request(&p, &r);
        pair_inject(&p, 0, challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
        pair_inject(&p, 0, challenge(&p.sent[1], 401, cases[i].second));
        if (p.n_sent != cases[i].sent)
            fail_msg("%s: %zu sent", cases[i].name, p.n_sent);
        if (p.n_sent == 3) {
            assert_true(slice_find_slice(p.sent[2].bytes, SLICE("n1")) ==
                        p.sent[2].bytes.n);
            pair_inject(&p, 0, challenge(&p.sent[2], 401, cases[i].second));
        }
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 401), 1);
        assert_int_equal(p.n_sent, cases[i].sent);
        pair_settle(&p, 100000);
        assert_int_equal(counters(&p).memory, 0);
        pair_fini(&p);
    }
}

/* The ACK of the refusal goes out, the dialog counts on, BYE is behind it. */
static void challenged_invite(void **state)
{
    struct sip_request r;
    uint64_t dialog;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.cseq = 10;
    r.username = SLICE("me");
    r.password = SLICE("secret");
    dialog = send_invite(&p, &r);
    pair_inject(&p, 0, challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "ACK"), 1);
    assert_int_equal(pair_count(&p, 0, "INVITE"), 2);
    expect_logged_in(pair_find(&p, 0, "INVITE", 0),
                     pair_find(&p, 0, "INVITE", 1), false);
    pair_inject(&p, 0, challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "ACK"), 2); /* a repeat */
    assert_int_equal(pair_count(&p, 0, "INVITE"), 2);
    pair_inject(&p, 0, challenge(pair_find(&p, 0, "INVITE", 1), 200,
                                 "Contact: <sip:dev@192.0.2.2>\r\n"));
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_true(p.seen[0].ev.dialog == dialog);
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "ACK", 2)->bytes,
                                     "CSeq"), SLICE("11 ACK")));
    end(&p, dialog);
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "BYE", 0)->bytes,
                                     "CSeq"), SLICE("12 BYE")));
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* Given up while the challenge is under way: it is not answered. */
static void challenged_too_late(void **state)
{
    struct sip_request r;
    uint64_t dialog;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.username = SLICE("me");
    dialog = send_invite(&p, &r);
    end(&p, dialog);
    pair_inject(&p, 0, challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "INVITE"), 1);
    pair_settle(&p, 100000);
    assert_int_equal(counters(&p).memory, 0);
    pair_fini(&p);
}

static void challenged_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        struct sip_request r;
        uint64_t id;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = message(&p);
        r.username = SLICE("me");
        p.mem[0].fail_at = n % 2 ? 0 : p.mem[0].calls + n / 2;
        if (!sip_stack_request(p.stack[0], &r, p.now_ms, &id)) {
            pair_pump(&p);
            p.mem[0].fail_at = p.mem[0].calls + n;
            pair_inject(&p, 0, challenge(&p.sent[0], 401,
                                         CHALLENGE("n1", "")));
            p.mem[0].fail_at = 0;
        }
        p.mem[0].fail_at = 0;
        pair_settle(&p, 100000);
        assert_int_equal(counters(&p).memory, 0);
        pair_fini(&p);
    }
}

/* ---- peers that are left alone (R53) ------------------------------------ */

static void left_alone(void **state)
{
    static const struct {
        const char *name, *lines;
        unsigned status;
        uint32_t busy_s;
    } cases[] = {
        { "said so", "Retry-After: 30\r\n", 503, 30 },
        { "with a comment", "Retry-After: 30 (soon);duration=9\r\n", 503, 30 },
        { "for ever", "Retry-After: 99999999999999999999999\r\n", 503, 600 },
        { "only 503", "", 503, 0 },
        { "another status", "Retry-After: 30\r\n", 486, 0 },
    };
    const struct sip_stack_config cfg = { .obey_retry_after = true };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_subscribe q = { .event = SLICE("presence") };
        struct sip_request r;
        uint64_t id = 0, dialog;
        struct pair p;

        pair_init(&p, NULL, &cfg, true);
        r = message(&p);
        send_request(&p, &r);
        pair_inject(&p, 0, challenge(&p.sent[0], cases[i].status,
                                     cases[i].lines));
        if (sip_stack_busy_s(p.stack[0], &r.peer, p.now_ms) !=
            cases[i].busy_s)
            fail_msg("%s", cases[i].name);
        if (cases[i].busy_s) {
            assert_int_equal(sip_stack_request(p.stack[0], &r, p.now_ms, &id),
                             GB_EBUSY);
            r = invite(&p);
            assert_int_equal(sip_stack_invite(p.stack[0], &r, p.now_ms,
                                              &dialog), GB_EBUSY);
            q.r = r;
            q.r.expires = 60;
            assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                                 &id), GB_EBUSY);
            r.peer.remote.port++; /* another peer */
            send_invite(&p, &r);
            r = message(&p);
        }
        pair_run(&p, p.now_ms + 1000 * cases[i].busy_s);
        send_request(&p, &r);
        pair_settle(&p, 200000);
        pair_fini(&p);
    }
}

/* More peers than are remembered: the one that is over first is forgotten. */
static void many_left_alone(void **state)
{
    const struct sip_stack_config cfg = { .obey_retry_after = true };
    struct sip_request r;
    unsigned busy = 0;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r = message(&p);
    for (unsigned i = 0; i < 100; i++) {
        char line[40];

        snprintf(line, sizeof(line), "Retry-After: %u\r\n", 100 + i);
        r.peer.remote.port = (uint16_t)(1000 + i);
        send_request(&p, &r);
        pair_inject_from(&p, 0, &r.peer,
                         challenge(&p.sent[p.n_sent - 1], 503, line));
    }
    for (unsigned i = 0; i < 100; i++) {
        r.peer.remote.port = (uint16_t)(1000 + i);
        busy += sip_stack_busy_s(p.stack[0], &r.peer, p.now_ms) > 0;
    }
    assert_int_equal(busy, 64);
    pair_settle(&p, 200000);
    pair_fini(&p);
}

/* R37: 2.1 to 4 s for the owner, 0 to 2 s for the other, in steps of 10 ms. */
static void glare_times(void **state)
{
    uint32_t most[2] = { 0, 0 }, least[2] = { 9999, 9999 };
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    for (int i = 0; i < 4000; i++) {
        uint32_t ms = sip_stack_glare_ms(p.stack[0], i % 2);

        assert_int_equal(ms % 10, 0);
        most[i % 2] = ms > most[i % 2] ? ms : most[i % 2];
        least[i % 2] = ms < least[i % 2] ? ms : least[i % 2];
    }
    assert_int_equal(least[0], 0);
    assert_int_equal(most[0], 2000);
    assert_int_equal(least[1], 2100);
    assert_int_equal(most[1], 4000);
    pair_fini(&p);
}

/* R6 */
static void hops(void **state)
{
    static const struct {
        int in;
        bool passes;
        const char *out;
    } cases[] = { { -1, true, "70" },  { 0, false, NULL }, { 1, true, "0" },
                  { 2, true, "1" },    { 70, true, "69" }, { 255, true, "254" } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_msg m = { .max_forwards = cases[i].in };
        struct sip_request r;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = message(&p);
        assert_int_equal(sip_stack_hops(&m, &r.max_forwards), cases[i].passes);
        if (cases[i].passes) {
            send_request(&p, &r);
            assert_true(slice_eq(pair_header(p.sent[0].bytes, "Max-Forwards"),
                                 slice_str(cases[i].out)));
        }
        pair_settle(&p, 100000);
        pair_fini(&p);
    }
}

/* ---- early dialogs (R39) ------------------------------------------------ */

static struct slice ringing(const struct pair *p, unsigned status,
                            const char *tag)
{
    static char text[2048];
    const struct pair_sent *to = pair_find(p, 0, "INVITE", 0);
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, "SIP/2.0 %u X\r\nVia: ", status);
    writer_slice_put(&w, pair_header(to->bytes, "Via"));
    writer_str(&w, "\r\nFrom: ");
    writer_slice_put(&w, pair_header(to->bytes, "From"));
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, pair_header(to->bytes, "To"));
    writer_f(&w, ";tag=%s\r\nCall-ID: ", tag);
    writer_slice_put(&w, pair_header(to->bytes, "Call-ID"));
    writer_str(&w, "\r\nCSeq: ");
    writer_slice_put(&w, pair_header(to->bytes, "CSeq"));
    writer_f(&w, "\r\nContact: <sip:%s@192.0.2.2>\r\n"
                 "Content-Length: 0\r\n\r\n", tag);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void early(void **state)
{
    struct sip_request r, info;
    uint64_t dialog, id;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    r.cseq = 5;
    dialog = send_invite(&p, &r);
    info = (struct sip_request){ .method = SIP_METHOD_INFO, .expires = -1 };
    assert_int_equal(sip_stack_request_in(p.stack[0], dialog, &info, p.now_ms,
                                          &id), GB_ESTATE);
    pair_inject(&p, 0, ringing(&p, 180, "a"));
    pair_inject(&p, 0, ringing(&p, 183, "b")); /* a fork */
    assert_int_equal(sip_stack_request_in(p.stack[0], dialog, &info, p.now_ms,
                                          &id), 0);
    pair_pump(&p);
    assert_true(slice_has_prefix(pair_find(&p, 0, "INFO", 0)->bytes,
                                 SLICE("INFO sip:a@192.0.2.2")));
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "INFO", 0)->bytes,
                                     "CSeq"), SLICE("6 INFO")));
    info.method = SIP_METHOD_INVITE;
    assert_int_equal(sip_stack_request_in(p.stack[0], dialog, &info, p.now_ms,
                                          &id), GB_ESTATE);
    /* a 481 to it ends nothing: the INVITE is open */
    pair_inject(&p, 0, challenge(pair_find(&p, 0, "INFO", 0), 481, ""));
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_inject(&p, 0, ringing(&p, 200, "b")); /* the fork answers */
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    end(&p, dialog);
    assert_true(slice_has_prefix(pair_find(&p, 0, "BYE", 0)->bytes,
                                 SLICE("BYE sip:b@192.0.2.2")));
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "BYE", 0)->bytes,
                                     "CSeq"), SLICE("7 BYE")));
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* A final refusal ends the early ones, whoever sends it. */
static void early_and_refused(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = invite(&p);
    send_invite(&p, &r);
    pair_inject(&p, 0, ringing(&p, 180, "a"));
    pair_inject(&p, 0, ringing(&p, 486, "b"));
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_settle(&p, 100000);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_answered),
        cmocka_unit_test(note_1_8_every_branch_has_the_cookie),
        cmocka_unit_test(message_times),
        cmocka_unit_test(message_own_timeout),
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(connection_lost),
        cmocka_unit_test(could_not_be_sent),
        cmocka_unit_test(which_answers_match),
        cmocka_unit_test(what_is_not_sent),
        cmocka_unit_test(own_ids),
        cmocka_unit_test(invite_times),
        cmocka_unit_test(refused),
        cmocka_unit_test(unknown_statuses),
        cmocka_unit_test(messages_are_independent),
        cmocka_unit_test(accepted),
        cmocka_unit_test(targets),
        cmocka_unit_test(route_sets),
        cmocka_unit_test(credentials_in_ack),
        cmocka_unit_test(surplus_fork),
        cmocka_unit_test(changing_tags),
        cmocka_unit_test(many_forks_have_a_limit),
        cmocka_unit_test(fork_in_a_full_table),
        cmocka_unit_test(cancel_rules),
        cmocka_unit_test(cancel_crossed_by_200),
        cmocka_unit_test(cancel_without_effect),
        cmocka_unit_test(invite_own_timeout),
        cmocka_unit_test(timeout_ends_with_the_answer),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(many_failures_flat_memory),
        cmocka_unit_test(table_is_full),
        cmocka_unit_test(challenged),
        cmocka_unit_test(challenged_again),
        cmocka_unit_test(challenged_invite),
        cmocka_unit_test(challenged_too_late),
        cmocka_unit_test(challenged_without_memory),
        cmocka_unit_test(left_alone),
        cmocka_unit_test(many_left_alone),
        cmocka_unit_test(glare_times),
        cmocka_unit_test(hops),
        cmocka_unit_test(early),
        cmocka_unit_test(early_and_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
