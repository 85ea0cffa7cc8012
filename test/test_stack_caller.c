/* sip/stack as a client of INVITE: ACK, CANCEL, forks, early dialogs. The test
 * is the peer and writes its answers by hand. */
#include "test/byhand.h"

#include <stdio.h>

static void invite_times(void **state)
{
    static const uint64_t want[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
    struct pair p;
    struct sip_request r;
    uint64_t start_ms;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    start_ms = p.now_ms;
    hand_call(&p, &r);
    pair_settle(&p, 40000);
    assert_int_equal(p.n_sent, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        assert_int_equal(p.sent[i].at_ms - start_ms, want[i]);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_fini(&p);
}

/* R10: refused; the ACK has the INVITE's branch and the answer's To, once for
 * each repeat of the answer. */
static void refused(void **state)
{
    static const struct hand_ans busy = { .status = 486, .to_tag = "b" };
    struct pair p;
    struct sip_request r;
    const struct pair_sent *inv, *ack;
    uint64_t dialog;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    dialog = hand_call(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    hand_answer(&p, inv, &busy);
    ack = pair_find(&p, 0, "ACK", 0);
    pair_expect_start(ack, "ACK sip:" HAND_ID "@192.0.2.2:5060 SIP/2.0\r\n");
    assert_true(slice_eq(pair_header(ack->bytes, "Via"),
                         pair_header(inv->bytes, "Via")));
    expect_slice(pair_header(ack->bytes, "To"),
                 "<sip:" HAND_ID "@3402000000>;tag=b");
    hand_answer(&p, inv, &busy);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 486), 1);
    assert_true(pair_event(&p, 0, SIP_EV_RESPONSE, 486, 0)->ev.dialog ==
                dialog);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    hand_end(&p, dialog); /* stale: nothing */
    pair_run(&p, p.now_ms + 32000); /* D */
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
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
        struct hand_ans a = hand_ok;
        struct sip_request r;
        uint64_t dialog;
        struct pair p;

        a.status = cases[i].status;
        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        hand_answer(&p, pair_find(&p, 0, "INVITE", 0), &a);
        r = hand_message(&p);
        hand_send(&p, &r);
        hand_answer(&p, pair_find(&p, 0, "MESSAGE", 0), &a);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, a.status) != 2 ||
            pair_count(&p, 0, "ACK") != cases[i].acks ||
            pair_counters(&p, 0).dialogs != cases[i].dialogs)
            fail_msg("%u", a.status);
        hand_end(&p, dialog);
        assert_int_equal(pair_count(&p, 0, "BYE"), cases[i].byes);
        assert_int_equal(pair_count(&p, 0, "CANCEL"), a.status < 200);
        pair_settle(&p, 200000);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        pair_fini(&p);
    }
}

/* R11: accepted; ACK to the Contact, To as received, the same for repeats. */
static void accepted(void **state)
{
    static const struct hand_ans nvr = {
        .status = 200,
        .to_tag = "t1",
        .to = "\"NVR\" <sip:" HAND_ID "@192.0.2.2:80>",
        .contact = "<sip:nvr@10.0.0.9:5060>;q=1",
        .body = "v=0\r\n"
    };
    struct pair p;
    struct sip_request r;
    const struct pair_sent *inv, *ack, *bye;
    uint64_t dialog;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    dialog = hand_call(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    hand_answer(&p, inv, &(struct hand_ans){ .status = 100 });
    hand_answer(&p, inv,
                &(struct hand_ans){ .status = 101, .to_tag = "early" });
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 2);
    hand_answer(&p, inv, &nvr);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_string_equal(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->body,
                        "v=0\r\n");
    ack = pair_find(&p, 0, "ACK", 0);
    pair_expect_start(ack, "ACK sip:nvr@10.0.0.9:5060 SIP/2.0\r\n");
    expect_slice(pair_header(ack->bytes, "To"),
                 "\"NVR\" <sip:" HAND_ID "@192.0.2.2:80>;tag=t1");
    assert_false(slice_eq(pair_header(ack->bytes, "Via"),
                          pair_header(inv->bytes, "Via")));
    assert_int_equal(ack->peer.remote.ip[3], 2); /* not to 10.0.0.9 */
    for (int i = 0; i < 3; i++)
        hand_answer(&p, inv, &nvr);
    assert_int_equal(pair_count(&p, 0, "ACK"), 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(slice_eq(pair_find(&p, 0, "ACK", i)->bytes, ack->bytes));
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    hand_end(&p, dialog);
    bye = pair_find(&p, 0, "BYE", 0);
    pair_expect_start(bye, "BYE sip:nvr@10.0.0.9:5060 SIP/2.0\r\n");
    expect_slice(pair_header(bye->bytes, "To"),
                 "\"NVR\" <sip:" HAND_ID "@192.0.2.2:80>;tag=t1");
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    hand_answer(&p, inv, &nvr); /* a late repeat: ACK, and no second BYE */
    assert_int_equal(pair_count(&p, 0, "ACK"), 5);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    hand_answer(&p, bye, &(struct hand_ans){ .status = 200 });
    pair_settle(&p, 40000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(p.n_seen, 3); /* the BYE is nobody's business */
    pair_fini(&p);
}

/* Where requests go when the Contact is of no use */
static void targets(void **state)
{
    static const struct {
        const char *contact, *want;
    } cases[] = {
        { "<sip:" HAND_ID "@10.0.0.9:5060>", "sip:" HAND_ID "@10.0.0.9:5060" },
        { "sip:" HAND_ID "@10.0.0.9:5060;tag=zz",
          "sip:" HAND_ID "@10.0.0.9:5060" },
        { "<sip:" HAND_ID "@0.0.0.0:5060>", "sip:" HAND_ID "@192.0.2.2:5060" },
        { "<sip:10.0.0.9:5060>", "sip:" HAND_ID "@192.0.2.2:5060" },
        { NULL, "sip:" HAND_ID "@192.0.2.2:5060" },
        { "<tel:123>", "sip:" HAND_ID "@192.0.2.2:5060" },
        { "rubbish", "sip:" HAND_ID "@192.0.2.2:5060" },
        { "<sip:a@[::]>", "sip:" HAND_ID "@192.0.2.2:5060" },
        { "<sip:a@[2001:db8::9]:99>", "sip:a@[2001:db8::9]:99" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_ans a = hand_ok;
        struct pair p;
        struct sip_request r;
        char want[128];

        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        hand_call(&p, &r);
        a.contact = cases[i].contact;
        hand_answer(&p, &p.sent[0], &a);
        snprintf(want, sizeof(want), "ACK %s SIP/2.0\r\n", cases[i].want);
        pair_expect_start(pair_find(&p, 0, "ACK", 0), want);
        pair_fini(&p);
    }
}

static void expect_routed(const struct pair_sent *got, const char *method,
                          const char *uri, const char *const *route)
{
    struct slice rest = got->bytes;
    char want[128];

    snprintf(want, sizeof(want), "%s %s SIP/2.0\r\n", method, uri);
    pair_expect_start(got, want);
    for (; *route; route++) {
        rest = slice_from(rest, slice_find_slice(rest, SLICE("Route: ")));
        rest = slice_from(rest, 7);
        expect_slice(slice_head(rest, slice_find(rest, '\r')), *route);
    }
    assert_int_equal(slice_find_slice(rest, SLICE("Route: ")), rest.n);
}

/* R21, R22: the same way for all in the dialog, the ACK of a re-INVITE too. */
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
        struct sip_request again = { .method = SIP_METHOD_INVITE,
                                     .expires = -1 };
        const char *uri = cases[i].uri, *const *route = cases[i].route;
        struct hand_ans a = hand_ok;
        struct pair p;
        struct sip_request r;
        uint64_t dialog, id;

        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        a.more = cases[i].record_route;
        hand_answer(&p, &p.sent[0], &a);
        expect_routed(pair_find(&p, 0, "ACK", 0), "ACK", uri, route);
        assert_int_equal(sip_stack_request_in(p.stack[0], dialog, &again,
                                              p.now_ms, &id), 0);
        pair_pump(&p);
        expect_routed(pair_find(&p, 0, "INVITE", 1), "INVITE", uri, route);
        a.more = a.to_tag = a.contact = NULL;
        hand_answer(&p, pair_find(&p, 0, "INVITE", 1), &a);
        expect_routed(pair_find(&p, 0, "ACK", 1), "ACK", uri, route);
        hand_end(&p, dialog);
        expect_routed(pair_find(&p, 0, "BYE", 0), "BYE", uri, route);
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
    r = hand_invite(&p);
    r.extra = auth;
    r.n_extra = 1;
    hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &hand_ok);
    expect_slice(pair_header(pair_find(&p, 0, "ACK", 0)->bytes,
                             "Authorization"), "Digest username=\"u\"");
    pair_fini(&p);
}

/* ---- answers with a fault ---------------------------------------------- */

/* `text` with `old` replaced; valid until the next call. */
static struct slice changed(struct slice text, const char *old, const char *new)
{
    static char buf[4096];
    struct writer w = writer_of(buf, sizeof(buf));
    size_t at = slice_find_slice(text, slice_str(old));

    assert_true(at < text.n);
    writer_slice_put(&w, slice_head(text, at));
    writer_str(&w, new);
    writer_slice_put(&w, slice_from(text, at + strlen(old)));
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

/* A device that says 200 sends, whatever is wrong with its answer: it gets its
 * ACK and, when nobody wants it any more, its BYE. */
static void odd_200s(void **state)
{
    static const struct {
        const char *name, *old, *new;
        bool late; /* behind our CANCEL */
    } cases[] = {
        { "no CSeq", "CSeq:", "X-CSeq:", false },
        { "no CSeq, late", "CSeq:", "X-CSeq:", true },
        { "Content-Length too large", "Length: 5", "Length: 50", false },
        { "Content-Length is none", "Length: 5", "Length: five", false },
        { "Content-Length twice", "Content-Length: 5", "l: 5\r\nl: 5", false },
        { "Max-Forwards", "Contact:", "Max-Forwards: 999\r\nContact:", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pair_sent *inv;
        struct sip_request r;
        struct slice odd;
        uint64_t dialog;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        inv = pair_find(&p, 0, "INVITE", 0);
        hand_answer(&p, inv, &(struct hand_ans){ .status = 100 });
        if (cases[i].late)
            hand_end(&p, dialog);
        odd = changed(hand_answer_text(inv, &hand_ok), cases[i].old,
                      cases[i].new);
        for (int n = 0; n < 3; n++) /* it repeats it until the ACK comes */
            pair_inject_from(&p, 0, &inv->peer, odd);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, 200) != !cases[i].late ||
            pair_count(&p, 0, "ACK sip:nvr@10.0.0.9:5060") != 3)
            fail_msg("%s: %zu events, %zu ACKs", cases[i].name,
                     pair_events(&p, 0, SIP_EV_RESPONSE, 200),
                     pair_count(&p, 0, "ACK"));
        hand_end(&p, dialog);
        assert_int_equal(pair_count(&p, 0, "BYE sip:nvr@10.0.0.9:5060"), 1);
        assert_true(pair_counters(&p, 0).dialogs == 0);
        pair_fini(&p);
    }
}

/* What could be the answer to something else makes no dialog. */
static void odd_answers_that_say_nothing(void **state)
{
    static const struct {
        const char *name, *old, *new;
        const char *body;
        bool late;
    } cases[] = {
        { "another branch", "z9hG4bK", "z9hG4bKx", "v=0\r\n", false },
        { "another call", "Call-ID: ", "Call-ID: x", "v=0\r\n", false },
        { "no To", "To:", "X-To:", "v=0\r\n", false },
        { "may answer the CANCEL", "CSeq:", "X-CSeq:", "", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_ans a = hand_ok;
        const struct pair_sent *inv;
        struct sip_request r;
        uint64_t dialog;
        struct pair p;
        char text[4096];
        struct slice odd;

        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        inv = pair_find(&p, 0, "INVITE", 0);
        hand_answer(&p, inv, &(struct hand_ans){ .status = 100 });
        if (cases[i].late)
            hand_end(&p, dialog);
        a.body = cases[i].body;
        odd = changed(hand_answer_text(inv, &a), cases[i].old, cases[i].new);
        odd = slice_of(memcpy(text, odd.p, odd.n), odd.n);
        if (!cases[i].late)
            odd = changed(odd, "CSeq:", "X-CSeq:");
        pair_inject_from(&p, 0, &inv->peer, odd);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, 200) ||
            pair_count(&p, 0, "ACK"))
            fail_msg("%s", cases[i].name);
        pair_fini(&p);
    }
}

/* ---- forks ------------------------------------------------------------- */

static void surplus_fork(void **state)
{
    struct hand_ans second = hand_ok;
    struct pair p;
    struct sip_request r;
    const struct pair_sent *bye;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &hand_ok);
    second.to_tag = "t2";
    second.contact = "<sip:other@10.0.0.8>";
    for (int i = 0; i < 3; i++)
        hand_answer(&p, &p.sent[0], &second);
    assert_int_equal(pair_count(&p, 0, "ACK sip:other@10.0.0.8"), 3);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    bye = pair_find(&p, 0, "BYE sip:other@10.0.0.8", 0);
    assert_non_null(bye);
    expect_slice(pair_header(bye->bytes, "To"),
                 "<sip:" HAND_ID "@3402000000>;tag=t2");
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    pair_fini(&p);
}

/* A device that makes a new tag for each repeat is one device. */
static void changing_tags(void **state)
{
    struct hand_ans again = hand_ok;
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &hand_ok);
    again.to_tag = "t2";
    hand_answer(&p, &p.sent[0], &again);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    expect_slice(pair_header(pair_find(&p, 0, "ACK", 1)->bytes, "To"),
                 "<sip:" HAND_ID "@3402000000>;tag=t2");
    pair_fini(&p);
}

static void many_forks_have_a_limit(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    hand_call(&p, &r);
    for (unsigned i = 0; i < 100; i++) {
        struct hand_ans a = hand_ok;
        char tag[16], contact[32];

        snprintf(tag, sizeof(tag), "t%u", i);
        snprintf(contact, sizeof(contact), "<sip:u%u@h>", i);
        a.to_tag = tag;
        a.contact = contact;
        hand_answer(&p, &p.sent[0], &a);
    }
    assert_int_equal(pair_count(&p, 0, "BYE"), 7);
    assert_int_equal(pair_counters(&p, 0).dropped, 92);
    pair_fini(&p);
}

/* The BYE for a fork finds no room: the INVITE's own transaction, finished but
 * in use, is not thrown out for it. */
static void fork_in_a_full_table(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 1 };
    struct hand_ans second = hand_ok;
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r = hand_invite(&p);
    hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &hand_ok);
    second.to_tag = "t2";
    second.contact = "<sip:other@10.0.0.8>";
    for (int i = 0; i < 2; i++)
        hand_answer(&p, &p.sent[0], &second);
    assert_int_equal(pair_count(&p, 0, "ACK"), 3);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    assert_int_equal(pair_counters(&p, 0).transactions, 1);
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
    r = hand_invite(&p);
    r.cseq = 9;
    dialog = hand_call(&p, &r);
    inv = pair_find(&p, 0, "INVITE", 0);
    hand_end(&p, dialog);
    assert_int_equal(p.n_sent, 1); /* not before a provisional answer */
    hand_answer(&p, inv, &(struct hand_ans){ .status = 100 });
    cancel = pair_find(&p, 0, "CANCEL", 0);
    pair_expect_start(cancel,
                      "CANCEL sip:" HAND_ID "@192.0.2.2:5060 SIP/2.0\r\n");
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(slice_eq(pair_header(inv->bytes, same[i]),
                             pair_header(cancel->bytes, same[i])));
    expect_slice(pair_header(cancel->bytes, "CSeq"), "9 CANCEL");
    hand_answer(&p, inv, &(struct hand_ans){ .status = 180, .to_tag = "x" });
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    hand_answer(&p, cancel, &(struct hand_ans){ .status = 200 });
    hand_answer(&p, inv, &(struct hand_ans){ .status = 487, .to_tag = "x" });
    assert_int_equal(pair_count(&p, 0, "ACK"), 1);
    n = p.n_seen;
    assert_int_equal(n, 0); /* the handle was gone before */
    pair_settle(&p, 60000);
    assert_int_equal(p.n_seen, 0);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
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
    r = hand_invite(&p);
    dialog = hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &(struct hand_ans){ .status = 100 });
    hand_end(&p, dialog);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    hand_answer(&p, &p.sent[0], &hand_ok);
    hand_answer(&p, &p.sent[0], &hand_ok);
    assert_int_equal(pair_count(&p, 0, "ACK"), 2);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 0);
    pair_settle(&p, 80000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_fini(&p);
}

/* The same, and the 487 overtakes the 200 or comes in place of it first: what
 * streams is ended, once, as long as the transaction is remembered. */
static void cancelled_and_accepted(void **state)
{
    static const struct {
        struct pair_wire wire;
        uint64_t later_ms;
    } cases[] = { { { 0 }, 0 },           { { 0 }, 5000 },
                  { { 0 }, 31000 },       { { .tcp = true }, 0 },
                  { { .tcp = true }, 31000 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hand_ans cancelled = { .status = 487, .to_tag = "x" };
        struct pair p;
        struct sip_request r;
        uint64_t dialog;

        pair_init(&p, &cases[i].wire, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        hand_answer(&p, &p.sent[0], &(struct hand_ans){ .status = 100 });
        hand_end(&p, dialog);
        hand_answer(&p, &p.sent[0], &cancelled);
        pair_run(&p, p.now_ms + cases[i].later_ms);
        hand_answer(&p, &p.sent[0], &hand_ok);
        assert_int_equal(pair_count(&p, 0, "ACK"), 2);
        assert_int_equal(pair_count(&p, 0, "BYE"), 1);
        hand_answer(&p, &p.sent[0], &hand_ok);
        hand_answer(&p, &p.sent[0], &cancelled);
        assert_int_equal(pair_count(&p, 0, "ACK"), 4);
        assert_int_equal(pair_count(&p, 0, "BYE"), 1);
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
        pair_settle(&p, 80000);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).dialogs, 0);
        pair_fini(&p);
    }
}

/* Accepted, and refused all the same: mostly the answer to our CANCEL. The refusal
 * gets its ACK each time, under its branch and To, and changes nothing. */
static void accepted_and_refused(void **state)
{
    static const struct {
        struct pair_wire wire;
        bool cancel;
        unsigned status;
    } cases[] = { { { 0 }, true, 487 },          { { 0 }, false, 487 },
                  { { 0 }, false, 603 },         { { .tcp = true }, true, 487 },
                  { { .tcp = true }, false, 302 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hand_ans refusal = { .status = cases[i].status,
                                          .to_tag = "other" };
        struct pair p;
        struct sip_request r;
        const struct pair_sent *ack;
        uint64_t dialog;

        pair_init(&p, &cases[i].wire, NULL, true);
        r = hand_invite(&p);
        dialog = hand_call(&p, &r);
        hand_answer(&p, &p.sent[0], &(struct hand_ans){ .status = 100 });
        if (cases[i].cancel)
            hand_end(&p, dialog);
        hand_answer(&p, &p.sent[0], &hand_ok);
        assert_int_equal(pair_count(&p, 0, "ACK"), 1);
        hand_answer(&p, &p.sent[0], &refusal);
        hand_answer(&p, &p.sent[0], &refusal);
        assert_int_equal(pair_count(&p, 0, "ACK"), 3);
        ack = pair_find(&p, 0, "ACK", 1);
        assert_true(slice_eq(pair_header(ack->bytes, "Via"),
                             pair_header(p.sent[0].bytes, "Via")));
        assert_true(slice_find_slice(pair_header(ack->bytes, "To"),
                                     SLICE(";tag=other")) <
                    pair_header(ack->bytes, "To").n);
        assert_int_equal(pair_count(&p, 0, "BYE"), cases[i].cancel);
        pair_expect(&p, 0, SIP_EV_RESPONSE, cases[i].status, 0);
        hand_answer(&p, &p.sent[0], &hand_ok);
        assert_int_equal(pair_count(&p, 0, "ACK"), 4);
        if (!cases[i].cancel)
            hand_end(&p, dialog);
        assert_int_equal(pair_count(&p, 0, "BYE"), 1);
        pair_settle(&p, 80000);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).dialogs, 0);
        pair_fini(&p);
    }
}

/* Refused, and accepted all the same. */
static void refused_and_accepted(void **state)
{
    static const struct pair_wire wires[] = { { 0 }, { .tcp = true } };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++) {
        struct pair p;
        struct sip_request r;

        pair_init(&p, &wires[i], NULL, true);
        r = hand_invite(&p);
        hand_call(&p, &r);
        hand_answer(&p, &p.sent[0],
                    &(struct hand_ans){ .status = 486, .to_tag = "x" });
        hand_answer(&p, &p.sent[0], &hand_ok);
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
        assert_int_equal(pair_count(&p, 0, "ACK"), 2);
        assert_int_equal(pair_count(&p, 0, "BYE"), 1);
        pair_fini(&p);
    }
}

/* A table full of INVITEs that nobody wants any more has no room for their CANCELs:
 * they end as if those had been lost. */
static void no_room_for_the_cancel(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 2 };
    struct pair p;
    struct sip_request r;
    uint64_t dialog[2];

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    for (unsigned i = 0; i < 2; i++) {
        r = hand_invite(&p);
        dialog[i] = hand_call(&p, &r);
        hand_answer(&p, &p.sent[i], &(struct hand_ans){ .status = 100 });
    }
    for (unsigned i = 0; i < 2; i++)
        hand_end(&p, dialog[i]);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 0);
    pair_run(&p, p.now_ms + 30000);
    assert_int_equal(pair_counters(&p, 0).transactions, 2);
    pair_settle(&p, 80000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    pair_fini(&p);
}

static void cancel_without_effect(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t dialog, start_ms;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    dialog = hand_call(&p, &r);
    hand_answer(&p, &p.sent[0],
                &(struct hand_ans){ .status = 180, .to_tag = "x" });
    hand_end(&p, dialog);
    start_ms = p.now_ms;
    pair_settle(&p, 80000); /* given up 64*T1 after the CANCEL */
    assert_int_equal(p.now_ms - start_ms, 32000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
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
    r = hand_invite(&p);
    r.timeout_ms = 10000;
    dialog = hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &(struct hand_ans){ .status = 100 });
    pair_run(&p, p.now_ms + 9999);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_run(&p, p.now_ms + 1);
    ev = pair_event(&p, 0, SIP_EV_FAILED, 408, 0);
    assert_non_null(ev);
    assert_true(ev->ev.dialog == dialog);
    assert_true(ev->ev.user == 42);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    hand_answer(&p, &p.sent[0], &hand_ok); /* late */
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
    r = hand_invite(&p);
    r.timeout_ms = 10000;
    hand_call(&p, &r);
    hand_answer(&p, &p.sent[0], &hand_ok);
    pair_settle(&p, 60000);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    pair_fini(&p);
}

/* ---- early dialogs (R39) ------------------------------------------------ */

/* An answer to the INVITE from one of the forks. */
static struct slice ringing(const struct pair *p, unsigned status,
                            const char *tag)
{
    char contact[40];
    const struct hand_ans a = { .status = status, .to_tag = tag,
                                .contact = contact };

    snprintf(contact, sizeof(contact), "<sip:%s@192.0.2.2>", tag);
    return hand_answer_text(pair_find(p, 0, "INVITE", 0), &a);
}

static void early(void **state)
{
    struct sip_request r, info;
    uint64_t dialog, id;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    r.cseq = 5;
    dialog = hand_call(&p, &r);
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
    pair_inject(&p, 0, hand_challenge(pair_find(&p, 0, "INFO", 0), 481, ""));
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_inject(&p, 0, ringing(&p, 200, "b")); /* the fork answers */
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    hand_end(&p, dialog);
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
    r = hand_invite(&p);
    hand_call(&p, &r);
    pair_inject(&p, 0, ringing(&p, 180, "a"));
    pair_inject(&p, 0, ringing(&p, 486, "b"));
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_settle(&p, 100000);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invite_times),
        cmocka_unit_test(refused),
        cmocka_unit_test(unknown_statuses),
        cmocka_unit_test(accepted),
        cmocka_unit_test(targets),
        cmocka_unit_test(route_sets),
        cmocka_unit_test(credentials_in_ack),
        cmocka_unit_test(odd_200s),
        cmocka_unit_test(odd_answers_that_say_nothing),
        cmocka_unit_test(surplus_fork),
        cmocka_unit_test(changing_tags),
        cmocka_unit_test(many_forks_have_a_limit),
        cmocka_unit_test(fork_in_a_full_table),
        cmocka_unit_test(cancel_rules),
        cmocka_unit_test(cancel_crossed_by_200),
        cmocka_unit_test(cancelled_and_accepted),
        cmocka_unit_test(accepted_and_refused),
        cmocka_unit_test(refused_and_accepted),
        cmocka_unit_test(no_room_for_the_cancel),
        cmocka_unit_test(cancel_without_effect),
        cmocka_unit_test(invite_own_timeout),
        cmocka_unit_test(timeout_ends_with_the_answer),
        cmocka_unit_test(early),
        cmocka_unit_test(early_and_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
