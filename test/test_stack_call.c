/* sip/stack_call.c: dialogs from INVITE to BYE, both sides, every way they end */
#include "test/call_world.h"

/* ---- the good life ----------------------------------------------------- */

static void from_invite_to_bye(void **state)
{
    const struct pair_wire *wires[] = { &wire, &tcp };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++)
        for (int who = 0; who < 2; who++) {
            struct script s = { .answer = 200 };
            struct pair p;

            start(&p, &s, wires[i]);
            call(&p);
            pair_run(&p, p.now_ms + 100);
            pair_expect(&p, 0, SIP_EV_RESPONSE, 100, 0); /* answered at once */
            pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
            pair_expect(&p, 1, SIP_EV_ACKED, 0, 1);
            assert_true(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.user ==
                        42);
            sip_stack_set_user(p.stack[1], s.dialog, 99);
            assert_int_equal(info(&p, 0, SIP_METHOD_INFO), 0);
            assert_int_equal(info(&p, 1, SIP_METHOD_MESSAGE), 0);
            pair_run(&p, p.now_ms + 100);
            pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 2);
            pair_expect(&p, 1, SIP_EV_RESPONSE, 200, 1);
            assert_true(pair_event(&p, 1, SIP_EV_REQUEST, 0, 1)->ev.dialog ==
                        s.dialog);
            assert_true(pair_event(&p, 1, SIP_EV_REQUEST, 0, 1)->ev.user == 99);
            hang_up(&p, who);
            pair_run(&p, p.now_ms + 100);
            pair_expect(&p, !who, SIP_EV_ENDED, 200, 1);
            pair_expect(&p, who, SIP_EV_ENDED, 0, 0);
            assert_int_equal(pair_count(&p, 0, "ACK"), 1);
            assert_int_equal(pair_count(&p, who, "BYE"), 1);
            finish(&p);
        }
}

static bool leave(struct pair *p, uint64_t dialog)
{
    struct sip_request r = { .user = 55 };

    return sip_stack_leave(p->stack[0], dialog, &r, p->now_ms);
}

/* The BYE whose end is told: by its answer, or by none. What is not confirmed
 * is ended as ever, and nothing is told. */
static void leaves(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct script s = { .answer = 200 };
        struct pair p;

        start(&p, &s, &wire);
        assert_false(leave(&p, 4711));
        call(&p);
        assert_false(s.dialog0 == 0);
        pair_run(&p, p.now_ms + 100);
        s.lose = SIP_METHOD_BYE;
        s.lose_n = lost ? 100 : 1;
        assert_true(leave(&p, s.dialog0));
        assert_false(leave(&p, s.dialog0));
        pair_pump(&p);
        pair_run(&p, p.now_ms + 40000);
        pair_expect(&p, 0, SIP_EV_ENDED, 0, 0);
        if (lost) {
            pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
            assert_true(pair_event(&p, 0, SIP_EV_FAILED, 408, 0)->ev.user ==
                        55);
            s.lose_n = 0;
            sip_stack_end(p.stack[1], s.dialog, p.now_ms);
            pair_pump(&p);
        } else {
            pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 2);
            assert_true(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 1)->ev.user ==
                        55);
            pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
            assert_int_equal(pair_count(&p, 0, "BYE"), 2);
        }
        finish(&p);
    }
}

static void leaves_before_the_answer(void **state)
{
    struct script s = { .answer = 0 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    assert_false(leave(&p, s.dialog0));
    pair_pump(&p);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    finish(&p);
}

/* INVITE n, ACK n, INFO n+1, n+2, BYE last + 1 */
static void sequence_numbers(void **state)
{
    struct script s = { .answer = 200 };
    static const struct {
        const char *start, *want;
    } cases[] = { { "INVITE", "70 INVITE" }, { "ACK", "70 ACK" },
                  { "INFO", "71 INFO" },     { "MESSAGE", "72 MESSAGE" },
                  { "BYE", "73 BYE" } };
    struct sip_request r;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    r = invite(&p, 0);
    r.cseq = 70;
    assert_int_equal(sip_stack_invite(p.stack[0], &r, p.now_ms, &s.dialog0), 0);
    pair_run(&p, p.now_ms + 100);
    info(&p, 0, SIP_METHOD_INFO);
    info(&p, 0, SIP_METHOD_MESSAGE);
    hang_up(&p, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pair_sent *m = pair_find(&p, 0, cases[i].start, 0);

        assert_non_null(m);
        assert_true(slice_eq(pair_header(m->bytes, "CSeq"),
                             slice_str(cases[i].want)));
    }
    finish(&p);
}

static void moved_peer(void **state)
{
    struct script s = { .answer = 200 };
    struct sip_peer to;
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    to = pair_peer(&p, 0);
    to.remote.port = 7777;
    sip_stack_move(p.stack[0], s.dialog0, &to);
    hang_up(&p, 0);
    assert_int_equal(pair_find(&p, 0, "BYE", 0)->peer.remote.port, 7777);
    finish(&p);
}

static void across_a_restart(void **state)
{
    struct script s = { .answer = 200 };
    struct sip_dialog_state d;
    struct sip_peer peer;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    assert_int_equal(sip_stack_dialog_state(p.stack[0], 1, &d), GB_ENOENT);
    call(&p);
    assert_int_equal(sip_stack_dialog_state(p.stack[0], s.dialog0, &d),
                     GB_ESTATE);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(sip_stack_dialog_state(p.stack[0], s.dialog0, &d), 0);
    assert_true(slice_eq(d.local_uri, SLICE("sip:platform@dom")));
    assert_true(slice_eq(d.target, SLICE("sip:dev@192.0.2.2:5060")));
    peer = pair_peer(&p, 0);
    assert_int_equal(sip_stack_bye_orphan(p.stack[0], &d, &peer, NULL, 55,
                                          p.now_ms),
                     0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 2);
    assert_true(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 1)->ev.user == 55);
    hang_up(&p, 0); /* the BYE is answered 200 though nothing is there */
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 200"), 3);
    finish(&p);
}

/* ---- our 2xx and its ACK (R12, R13) ------------------------------------ */

static void lost_ack(void **state)
{
    static const uint64_t want[] = { 0,     500,   1500,  3500,  7500, 11500,
                                     15500, 19500, 23500, 27500, 31500 };
    const struct pair_wire *wires[] = { &wire, &tcp };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++) {
        struct script s = { .answer = 200,
                            .lose = SIP_METHOD_ACK,
                            .lose_n = 1000 };
        const struct pair_seen *ended;
        uint64_t from_ms;
        struct pair p;

        start(&p, &s, wires[i]);
        call(&p);
        pair_run(&p, p.now_ms + 31900);
        assert_int_equal(pair_count(&p, 1, "SIP/2.0 200"), COUNT(want));
        from_ms = pair_find(&p, 1, "SIP/2.0 200", 0)->at_ms;
        for (size_t k = 0; k < COUNT(want); k++)
            assert_int_equal(
                pair_find(&p, 1, "SIP/2.0 200", k)->at_ms - from_ms, want[k]);
        assert_int_equal(pair_count(&p, 0, "ACK"), COUNT(want));
        pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
        pair_run(&p, p.now_ms + 1000);
        ended = pair_event(&p, 1, SIP_EV_ENDED, 408, 0);
        assert_non_null(ended);
        assert_int_equal(ended->at_ms - from_ms, 32000);
        assert_int_equal(pair_count(&p, 1, "BYE"), 1);
        pair_expect(&p, 0, SIP_EV_ENDED, 200, 1);
        finish(&p);
    }
}

static void ack_stops_repeats(void **state)
{
    struct script s = { .answer = 200, .lose = SIP_METHOD_ACK, .lose_n = 2 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    call(&p);
    pair_run(&p, p.now_ms + 20000);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 200"), 3);
    pair_expect(&p, 1, SIP_EV_ACKED, 0, 1);
    hang_up(&p, 1);
    finish(&p);
}

static void lost_200(void **state)
{
    struct script s = { .answer = 200, .lose_status = 200, .lose_n = 3 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    call(&p);
    pair_run(&p, p.now_ms + 20000);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
    pair_expect(&p, 1, SIP_EV_REQUEST, 0, 1);
    pair_expect(&p, 1, SIP_EV_ACKED, 0, 1);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 200"), 4);
    hang_up(&p, 0);
    finish(&p);
}

/* §15: no BYE of the callee's before the ACK */
static void callee_ends_before_the_ack(void **state)
{
    struct script s = { .answer = 200, .lose = SIP_METHOD_ACK, .lose_n = 1 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    hang_up(&p, 1);
    pair_run(&p, p.now_ms + 300);
    assert_int_equal(pair_count(&p, 1, "BYE"), 0);
    pair_run(&p, p.now_ms + 1000); /* the 200 again, its ACK, the BYE */
    assert_int_equal(pair_count(&p, 1, "BYE"), 1);
    pair_expect(&p, 1, SIP_EV_ACKED, 0, 0);
    pair_expect(&p, 0, SIP_EV_ENDED, 200, 1);
    finish(&p);
}

/* R36: a BYE before the ACK arrives is legal. */
static void bye_before_ack(void **state)
{
    struct script s = { .answer = 200, .lose = SIP_METHOD_ACK, .lose_n = 1000 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
    pair_run(&p, p.now_ms + 20000);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 200"), 2); /* INVITE, BYE */
    finish(&p);
}

/* ---- ends before the answer -------------------------------------------- */

static void caller_cancels(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_CANCELLED, 0, 1);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 487"), 1);
    assert_int_equal(pair_count(&p, 0, "ACK"), 1);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 487, 0);
    finish(&p);
}

/* The CANCEL and the 200 cross on the wire. */
static void cancel_and_200_cross(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    respond(&p, 1, s.transaction, 200, true);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 1000);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    pair_expect(&p, 1, SIP_EV_CANCELLED, 0, 0);
    pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 487"), 0);
    finish(&p);
}

static void callee_ends_unanswered(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    hang_up(&p, 1);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 480, 1);
    pair_expect(&p, 1, SIP_EV_ENDED, 0, 0);
    finish(&p);
}

/* No memory for the 480: the handle is gone all the same, and the CANCEL that
 * comes for its INVITE tells nobody of it. */
static void cancel_of_a_dialog_that_is_gone(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    p.mem[1].fail_at = 1;
    hang_up(&p, 1);
    p.mem[1].fail_at = 0;
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 480"), 0);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 1000);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 487"), 1);
    pair_expect(&p, 1, SIP_EV_CANCELLED, 0, 0);
    finish(&p);
}

/* More is queued than there is memory for: the BYE comes when there is some. */
static void ends_without_room(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    for (unsigned i = 0; i < 12; i++) { /* of 16, and one step makes up to 6 */
        struct sip_request r = invite(&p, 0);
        uint64_t id;

        r.method = SIP_METHOD_MESSAGE;
        assert_int_equal(sip_stack_request(p.stack[0], &r, p.now_ms, &id), 0);
    }
    p.mem[0].fail_at = 1;
    sip_stack_end(p.stack[0], s.dialog0, p.now_ms);
    p.mem[0].fail_at = 0;
    assert_int_equal(info(&p, 0, SIP_METHOD_INFO), GB_ENOENT);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    pair_run(&p, p.now_ms + 900);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    pair_run(&p, p.now_ms + 1000);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
    pair_expect(&p, 0, SIP_EV_ENDED, 0, 0);
    finish(&p);
}

/* The layer above ends it instead of answering, and the 480 finds no memory:
 * nothing stays, and the next copy of the INVITE is a new one. */
static void end_before_it_began(struct pair *p, int side,
                                const struct sip_event *ev)
{
    if (side == 0 || ev->kind != SIP_EV_REQUEST)
        return;
    p->mem[1].fail_at = 1;
    sip_stack_end(p->stack[1], ev->dialog, p->now_ms);
    p->mem[1].fail_at = 0;
    p->on_event = on_event;
}

static void ends_before_it_began_without_memory(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    p.on_event = end_before_it_began;
    call(&p);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(p.n_sent, 1); /* the INVITE */
    assert_int_equal(pair_counters(&p, 1).dialogs, 0);
    assert_int_equal(pair_counters(&p, 1).transactions, 0);
    pair_run(&p, p.now_ms + 500);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
    hang_up(&p, 0);
    finish(&p);
}

/* The same of a re-INVITE, and memory is short for longer: as if the network had
 * lost it, and time goes on. */
static void end_and_stay_short(struct pair *p, int side,
                               const struct sip_event *ev)
{
    if (side == 0 || ev->kind != SIP_EV_REQUEST)
        return;
    p->mem[1].fail_at = 1;
    sip_stack_end(p->stack[1], ev->dialog, p->now_ms);
    p->on_event = on_event;
}

static void ends_in_a_reinvite_without_memory(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    p.on_event = end_and_stay_short;
    assert_int_equal(info(&p, 0, SIP_METHOD_INVITE), 0);
    pair_run(&p, p.now_ms + 100);
    p.mem[1].fail_at = 0;
    assert_int_equal(pair_counters(&p, 1).transactions, 1); /* the first */
    pair_run(&p, p.now_ms + 2000); /* the next copy finds no dialog */
    pair_expect(&p, 0, SIP_EV_ENDED, 481, 1);
    assert_int_equal(pair_counters(&p, 1).dialogs, 0);
    finish(&p);
}

/* R39: the callee speaks before it answers, and so does another fork. */
static void asked_in_an_early_dialog(void **state)
{
    struct slice asks[2] = { { NULL, 0 }, SLICE_INIT("<sip:x@dom>;tag=fork") };
    struct script s = { .answer = 180 };
    const struct pair_sent *ringing;
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    ringing = pair_find(&p, 1, "SIP/2.0 180", 0);
    assert_non_null(ringing);
    asks[0] = pair_header(ringing->bytes, "To");
    for (unsigned i = 0; i < COUNT(asks); i++) {
        char buf[700];
        struct writer w = writer_of(buf, sizeof(buf));

        writer_f(&w, "INFO sip:platform@192.0.2.1:5060 SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKe%u\r\nFrom: ",
                 i);
        writer_slice_put(&w, asks[i]);
        writer_str(&w, "\r\nTo: ");
        writer_slice_put(&w, pair_header(ringing->bytes, "From"));
        writer_str(&w, "\r\nCall-ID: ");
        writer_slice_put(&w, pair_header(ringing->bytes, "Call-ID"));
        writer_f(&w, "\r\nCSeq: %u INFO\r\nContent-Length: 0\r\n\r\n", 8 + i);
        assert_int_equal(pair_inject(&p, 0, writer_slice(&w)), 0);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 1 + i);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 481"), 0);
    }
    hang_up(&p, 0);
    finish(&p);
}

/* Two dialogs have its Call-ID and From tag: a BYE without a To tag ends
 * neither. */
static void bye_that_names_two_dialogs(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;
    char buf[700];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    p.on_event = on_event;
    p.ctx = &s;
    s.contact = true;
    for (unsigned i = 0; i < 3; i++) {
        const char *method = i < 2 ? "INVITE" : "BYE";
        int n = snprintf(buf, sizeof(buf),
                         "%s sip:platform@192.0.2.1 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb%u\r\n"
                         "From: <sip:dev@dom>;tag=dev\r\n"
                         "To: <sip:platform@dom>\r\nCall-ID: both\r\n"
                         "CSeq: %u %s\r\nContact: <sip:dev@192.0.2.2>\r\n"
                         "Content-Length: 0\r\n\r\n",
                         method, i, 1 + i, method);

        assert_int_equal(pair_inject(&p, 0, slice_of(buf, (size_t)n)), 0);
    }
    assert_int_equal(pair_counters(&p, 0).dialogs, 2);
    pair_expect(&p, 0, SIP_EV_ENDED, 0, 0);
    pair_settle(&p, 400000);
    pair_fini(&p);
}

static void silent_device(void **state)
{
    struct script s = { 0 };
    struct sip_request r;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    r = invite(&p, 0);
    r.timeout_ms = 10000;
    assert_int_equal(sip_stack_invite(p.stack[0], &r, p.now_ms, &s.dialog0), 0);
    pair_run(&p, p.now_ms + 9990);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 1, SIP_EV_CANCELLED, 0, 1);
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_invite_to_bye),
        cmocka_unit_test(leaves),
        cmocka_unit_test(leaves_before_the_answer),
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(moved_peer),
        cmocka_unit_test(across_a_restart),
        cmocka_unit_test(lost_ack),
        cmocka_unit_test(ack_stops_repeats),
        cmocka_unit_test(lost_200),
        cmocka_unit_test(callee_ends_before_the_ack),
        cmocka_unit_test(bye_before_ack),
        cmocka_unit_test(caller_cancels),
        cmocka_unit_test(cancel_and_200_cross),
        cmocka_unit_test(callee_ends_unanswered),
        cmocka_unit_test(cancel_of_a_dialog_that_is_gone),
        cmocka_unit_test(ends_without_room),
        cmocka_unit_test(ends_before_it_began_without_memory),
        cmocka_unit_test(ends_in_a_reinvite_without_memory),
        cmocka_unit_test(asked_in_an_early_dialog),
        cmocka_unit_test(bye_that_names_two_dialogs),
        cmocka_unit_test(silent_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
