/* sip/stack as a server of INVITE: 100, refusals and their ACK, CANCEL, what is
 * never answered. The test is the peer. */
#include "test/byhand.h"

/* The layer above ends a dialog before it has taken out the events of it: the
 * request inside is answered 481, what is not about it stays. */
static void ended_with_a_request_queued(void **state)
{
    struct hand_turn t = { .r = { 200, .contact = S("sip:us@192.0.2.1"),
                             .expires = -1 } };
    struct hand_req inv = hand_plain, info;
    struct sip_peer from;
    struct sip_event ev;
    uint64_t dialog;
    char to[200];
    struct pair p;

    (void)state;
    hand_turn_init(&p, &t, NULL);
    from = pair_peer(&p, 0);
    inv.method = "INVITE";
    inv.more = "Contact: <sip:c@192.0.2.2>\r\n";
    hand_feed(&p, &inv);
    dialog = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.dialog;
    slice_copy(to, sizeof(to), pair_header(pair_last(&p)->bytes, "To"));
    info = inv;
    info.to = to;
    info.method = "ACK";
    hand_feed(&p, &info);
    info.method = "INFO";
    info.cseq = "21";
    sip_stack_input(p.stack[0], &from, hand_text(&info), p.now_ms);
    sip_stack_end(p.stack[0], dialog, p.now_ms);
    assert_false(sip_stack_event(p.stack[0], &ev));
    pair_pump(&p);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 481"), 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    pair_settle(&p, 60000);
    pair_fini(&p);
}

/* An INVITE over a connection that is lost before it is answered. */
static void connection_lost(void **state)
{
    struct pair_wire tcp = { .tcp = true };
    struct hand_req inv = hand_plain;
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    sip_stack_closed(p.stack[0], 77, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 503), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    pair_fini(&p);
}

static void invite_100_refused_acked(void **state)
{
    struct hand_req inv = hand_plain, ack;
    char to[200];
    struct slice tagged;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    assert_int_equal(pair_status(&p.sent[0]), 100);
    expect_slice(pair_header(p.sent[0].bytes, "To"), inv.to); /* no tag */
    hand_feed(&p, &inv);
    assert_int_equal(p.n_sent, 2); /* the 100 again */
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 486);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_run(&p, p.now_ms + 3500); /* G: 500, 1500, 3500 */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 4);
    hand_feed(&p, &inv);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 5);
    tagged = pair_header(pair_last(&p)->bytes, "To");
    slice_copy(to, sizeof(to), tagged);
    ack = inv;
    ack.method = "ACK";
    ack.to = to;
    hand_feed(&p, &ack);
    hand_feed(&p, &ack);
    pair_run(&p, p.now_ms + 4999);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 5);
    assert_int_equal(pair_counters(&p, 0).transactions, 1); /* I */
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ACKED, 0), 0);
    pair_fini(&p);
}

/* R2: without a branch the ACK of a refusal is known by our To tag. */
static void ack_without_cookie(void **state)
{
    struct hand_req inv = hand_plain, ack;
    char to[200];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    inv.via = "SIP/2.0/UDP 192.0.2.2:5060";
    hand_feed(&p, &inv);
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 404);
    ack = inv;
    ack.method = "ACK";
    ack.to = "<sip:34020000002000000001@3402000000>;tag=wrong";
    hand_feed(&p, &ack);
    pair_run(&p, p.now_ms + 500);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 404"), 2);
    slice_copy(to, sizeof(to), pair_header(pair_last(&p)->bytes, "To"));
    ack.to = to;
    hand_feed(&p, &ack);
    pair_run(&p, p.now_ms + 30000);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 404"), 2);
    pair_fini(&p);
}

static void cancel_before_and_after(void **state)
{
    struct hand_req inv = hand_plain, cancel;
    const struct pair_seen *ev;
    struct sip_response ok = { .status = 200, .expires = -1 };
    struct slice tag200, tag487;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    cancel = inv;
    cancel.method = "CANCEL";
    hand_feed(&p, &cancel);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 1);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_true(pair_event(&p, 0, SIP_EV_CANCELLED, 0, 0)->ev.dialog ==
                ev->ev.dialog);
    tag200 = pair_header(pair_find(&p, 0, "SIP/2.0 200", 0)->bytes, "To");
    tag487 = pair_header(pair_find(&p, 0, "SIP/2.0 487", 0)->bytes, "To");
    assert_true(slice_eq(tag200, tag487)); /* R8: the INVITE's tag */
    hand_feed(&p, &cancel); /* a repeat: the 200 again, nothing else */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 2);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &ok,
                                       p.now_ms), GB_ENOENT);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_settle(&p, 60000);

    inv.call_id = cancel.call_id = "second";
    hand_feed(&p, &inv);
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 1), 200);
    hand_feed(&p, &cancel); /* after the final answer: 200, no effect */
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    expect_slice(pair_header(pair_last(&p)->bytes, "CSeq"), "20 CANCEL");
    assert_int_equal(pair_status(pair_last(&p)), 200);
    pair_fini(&p);
}

/* R2, R8, R29: matched without a branch by all but the method; nothing but an
 * INVITE is cancelled; Require in it is not looked at. */
static void cancel_of_what(void **state)
{
    static const struct {
        const char *name;
        struct hand_req invite, cancel; /* over those of `plain` */
        unsigned status;
        bool ends;
    } cases[] = {
        { "the branch", { .method = "INVITE" }, { 0 }, 200, true },
        { "with Require", { .method = "INVITE" }, { .more = "Require: x\r\n" },
          200, true },
        { "another branch", { .method = "INVITE" },
          { .via = "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKb" }, 481,
          false },
        { "no branch", { .method = "INVITE", .via = "SIP/2.0/UDP h" }, { 0 },
          200, true },
        { "no branch, other From tag",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" },
          { .from = "<sip:a@b>;tag=x" }, 481, false },
        { "no branch, other Request-URI",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" },
          { .uri = "sip:other@3402000000" }, 481, false },
        { "no branch, other CSeq",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" }, { .cseq = "21" }, 481,
          false },
        { "a MESSAGE", { .method = "MESSAGE" }, { 0 }, 481, false },
        { "a SUBSCRIBE", { .method = "SUBSCRIBE" }, { 0 }, 481, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hand_req *a = &cases[i].invite, *b = &cases[i].cancel;
        struct hand_req inv = hand_plain, cancel;
        struct pair p;

        inv.method = a->method;
        inv.via = a->via ? a->via : inv.via;
        cancel = inv;
        cancel.method = "CANCEL";
        cancel.via = b->via ? b->via : cancel.via;
        cancel.from = b->from ? b->from : cancel.from;
        cancel.uri = b->uri ? b->uri : cancel.uri;
        cancel.cseq = b->cseq ? b->cseq : cancel.cseq;
        cancel.more = b->more ? b->more : cancel.more;
        pair_init(&p, NULL, NULL, true);
        hand_feed(&p, &inv);
        hand_feed(&p, &cancel);
        if (pair_count(&p, 0, cases[i].status == 200 ? "SIP/2.0 200"
                                                     : "SIP/2.0 481") != 1 ||
            pair_count(&p, 0, "SIP/2.0 487") != cases[i].ends ||
            pair_count(&p, 0, "SIP/2.0 4") !=
                (cases[i].status == 481) + (size_t)cases[i].ends ||
            pair_events(&p, 0, SIP_EV_CANCELLED, 0) != cases[i].ends)
            fail_msg("%s: %u", cases[i].name, pair_status(pair_last(&p)));
        pair_fini(&p);
    }
}

/* R37: an INVITE of the same dialog while one waits for its answer: 500, and
 * when to come again. */
static void second_invite_while_one_is_open(void **state)
{
    struct hand_turn t = { .r = { 200, .contact = S("sip:us@192.0.2.1"),
                             .expires = -1 } };
    struct hand_req inv = hand_plain, ack;
    uint32_t wait_s = 99;
    char to[200];
    struct pair p;

    (void)state;
    hand_turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    inv.more = "Contact: <sip:c@192.0.2.2>\r\n";
    hand_feed(&p, &inv);
    slice_copy(to, sizeof(to), pair_header(pair_last(&p)->bytes, "To"));
    inv.to = to;
    ack = inv;
    ack.method = "ACK";
    hand_feed(&p, &ack);
    p.on_event = NULL; /* nobody answers from now on */
    inv.cseq = "21";
    inv.via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKfirst";
    hand_feed(&p, &inv);
    inv.cseq = "22";
    inv.via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKsecond";
    hand_feed(&p, &inv);
    assert_int_equal(pair_status(pair_last(&p)), 500);
    assert_true(slice_u32(pair_header(pair_last(&p)->bytes, "Retry-After"), 10,
                          &wait_s));
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

static void invite_never_answered(void **state)
{
    struct hand_req inv = hand_plain;
    const struct pair_seen *ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    pair_run(&p, p.now_ms + 180000);
    assert_int_equal(pair_status(pair_last(&p)), 408);
    ev = pair_event(&p, 0, SIP_EV_ENDED, 408, 0);
    assert_non_null(ev);
    assert_true(ev->ev.dialog ==
                pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.dialog);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ended_with_a_request_queued),
        cmocka_unit_test(connection_lost),
        cmocka_unit_test(invite_100_refused_acked),
        cmocka_unit_test(ack_without_cookie),
        cmocka_unit_test(cancel_before_and_after),
        cmocka_unit_test(cancel_of_what),
        cmocka_unit_test(second_invite_while_one_is_open),
        cmocka_unit_test(invite_never_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
