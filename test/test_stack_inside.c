/* sip/stack_call.c: what is asked in a dialog that stands, by ours and by devices */
#include "test/call_world.h"

static void reinvite(void **state)
{
    struct script s = { .answer = 200 };
    struct sip_dialog_state d;
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    assert_int_equal(info(&p, 0, SIP_METHOD_INVITE), 0);
    assert_int_equal(info(&p, 0, SIP_METHOD_INVITE), GB_ESTATE);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 2);
    pair_expect(&p, 1, SIP_EV_ACKED, 0, 2);
    assert_int_equal(pair_counters(&p, 1).dialogs, 1);
    sip_stack_dialog_state(p.stack[1], s.dialog, &d); /* target refreshed */
    assert_true(slice_eq(d.target, SLICE("sip:platform@192.0.2.1:5061")));
    s.answer = 488; /* R38: a refused one changes nothing */
    assert_int_equal(info(&p, 1, SIP_METHOD_INVITE), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_RESPONSE, 488, 1);
    sip_stack_dialog_state(p.stack[0], s.dialog0, &d);
    assert_true(slice_eq(d.target, SLICE("sip:dev@192.0.2.2:5060")));
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    hang_up(&p, 0);
    finish(&p);
}

/* R37 */
static void glare(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    assert_int_equal(info(&p, 0, SIP_METHOD_INVITE), 0);
    assert_int_equal(info(&p, 1, SIP_METHOD_INVITE), 0);
    pair_run(&p, p.now_ms + 1000);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 491, 1);
    pair_expect(&p, 1, SIP_EV_RESPONSE, 491, 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    assert_int_equal(info(&p, 0, SIP_METHOD_INVITE), 0); /* later it works */
    pair_run(&p, p.now_ms + 1000);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 2);
    hang_up(&p, 1);
    finish(&p);
}

static void cancelled_reinvite_keeps_the_dialog(void **state)
{
    struct script s = { .answer = 200 };
    struct sip_request r = { .method = SIP_METHOD_INVITE,
                             .expires = -1,
                             .timeout_ms = 3000 };
    uint64_t id;
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    s.answer = 0;
    assert_int_equal(sip_stack_request_in(p.stack[0], s.dialog0, &r, p.now_ms,
                                          &id), 0);
    pair_run(&p, p.now_ms + 4000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 1, SIP_EV_CANCELLED, 0, 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    assert_int_equal(pair_counters(&p, 1).dialogs, 1);
    assert_int_equal(info(&p, 1, SIP_METHOD_INFO), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_RESPONSE, 200, 1);
    hang_up(&p, 1);
    finish(&p);
}

/* R36: BYE while a re-INVITE is open on the other side */
static void bye_terminates_open_invite(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    s.answer = 0;
    info(&p, 0, SIP_METHOD_INVITE);
    pair_run(&p, p.now_ms + 100);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 1000);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 487"), 1);
    pair_expect(&p, 1, SIP_EV_ENDED, 200, 1);
    finish(&p);
}

/* R25: the peer has forgotten the dialog. */
static void unknown_to_the_peer(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    s.lose = SIP_METHOD_BYE;
    s.lose_n = 100;
    hang_up(&p, 1);
    pair_run(&p, p.now_ms + 40000);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    s.lose_n = 0;
    assert_int_equal(info(&p, 0, SIP_METHOD_INFO), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 481, 1);
    pair_expect(&p, 0, SIP_EV_ENDED, 481, 1);
    assert_int_equal(info(&p, 0, SIP_METHOD_INFO), GB_ENOENT);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    hang_up(&p, 0); /* its media may go on */
    pair_run(&p, p.now_ms + 40000);
    pair_expect(&p, 0, SIP_EV_ENDED, 481, 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    finish(&p);
}

static void refuses_info(struct pair *p, int side, const struct sip_event *ev)
{
    if (ev->kind == SIP_EV_REQUEST && ev->msg->method == SIP_METHOD_INFO)
        respond(p, side, ev->transaction, 481, false);
    else
        on_event(p, side, ev);
}

/* It says so of a control, and goes on: that a file has ended (MediaStatus) it says
 * inside the dialog, and it counts. */
static void unknown_for_a_control(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    p.on_event = refuses_info;
    assert_int_equal(info(&p, 0, SIP_METHOD_INFO), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_ENDED, 481, 1);
    assert_int_equal(info(&p, 1, SIP_METHOD_MESSAGE), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_RESPONSE, 200, 1);
    assert_int_equal(info(&p, 1, SIP_METHOD_INVITE), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 1, SIP_EV_RESPONSE, 481, 1);
    hang_up(&p, 0);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    hang_up(&p, 1);
    finish(&p);
}

static void info_unanswered_keeps_the_dialog(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;

    (void)state;
    begin_call(&p, &s, &wire);
    s.lose = SIP_METHOD_INFO;
    s.lose_n = 100;
    info(&p, 0, SIP_METHOD_INFO);
    pair_run(&p, p.now_ms + 40000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 0, SIP_EV_ENDED, 0, 0);
    hang_up(&p, 0);
    finish(&p);
}

/* The end of a dialog silences what is open inside it. */
static void silence_after_the_end(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;
    size_t n;

    (void)state;
    begin_call(&p, &s, &wire);
    info(&p, 0, SIP_METHOD_INFO);
    hang_up(&p, 0);
    n = p.n_seen;
    pair_run(&p, p.now_ms + 40000);
    for (size_t i = n; i < p.n_seen; i++)
        assert_int_equal(p.seen[i].side, 1);
    finish(&p);
}

static void wrong_calls(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    call(&p);
    assert_int_equal(info(&p, 0, SIP_METHOD_INFO), GB_ESTATE);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(info(&p, 1, SIP_METHOD_INFO), GB_ESTATE);
    respond(&p, 1, s.transaction, 200, true);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(info(&p, 0, SIP_METHOD_BYE), GB_ESYNTAX);
    assert_int_equal(info(&p, 0, SIP_METHOD_ACK), GB_ESYNTAX);
    sip_stack_end(p.stack[0], 0, p.now_ms);
    sip_stack_end(p.stack[0], s.dialog0 + 1, p.now_ms);
    sip_stack_move(p.stack[0], 0, &(struct sip_peer){ 0 });
    sip_stack_set_user(p.stack[0], 0, 1);
    hang_up(&p, 0);
    hang_up(&p, 0);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    finish(&p);
}

/* ---- requests as devices write them ------------------------------------ */

/* A request of the device, by hand, in the dialog of side 0. */
static void device_says(struct pair *p, const char *method, const char *to_tag,
                        const char *from_tag, unsigned cseq, int ip)
{
    static unsigned branch;
    const struct pair_sent *inv = pair_find(p, 0, "INVITE", 0);
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));
    struct sip_peer from = pair_peer(p, 0);

    writer_f(&w, "%s sip:whoever@x SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKdev%u\r\n"
             "From: <sip:ch@dom>%s%s\r\nTo: <sip:platform@dom>%s%s\r\n"
             "Call-ID: ", method, ++branch, *from_tag ? ";tag=" : "", from_tag,
             *to_tag ? ";tag=" : "", to_tag);
    writer_slice_put(&w, pair_header(inv->bytes, "Call-ID"));
    writer_f(&w, "\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n", cseq, method);
    from.remote.ip[3] = (uint8_t)ip;
    pair_inject_from(p, 0, &from, writer_slice(&w));
}

static void requests_without_to_tag(void **state)
{
    static const struct {
        const char *name, *method, *to_tag, *from_tag;
        int ip;
        bool ends, reported;
        unsigned status; /* of our answer */
    } cases[] = {
        { "BYE as it should be", "BYE", "us", "dev", 2, true, false, 200 },
        { "BYE without To tag", "BYE", "", "dev", 2, true, false, 200 },
        { "BYE without any tag", "BYE", "", "", 2, true, false, 200 },
        { "BYE with a wrong To tag", "BYE", "xx", "dev", 2, false, false, 200 },
        { "BYE with a wrong From tag", "BYE", "", "xx", 2, false, false, 200 },
        { "BYE from elsewhere", "BYE", "", "dev", 66, false, false, 200 },
        { "INFO without To tag", "INFO", "", "dev", 2, false, true, 0 },
        { "INFO with a wrong To tag", "INFO", "xx", "dev", 2, false, false,
          481 },
        { "BYE with both tags from elsewhere", "BYE", "us", "dev", 66, false,
          false, 200 },
        { "INFO with both tags from elsewhere", "INFO", "us", "dev", 66, false,
          false, 481 },
        { "OPTIONS in the dialog", "OPTIONS", "us", "dev", 2, false, false,
          200 },
        { "UPDATE in the dialog", "UPDATE", "us", "dev", 2, false, false, 405 },
        { "ACK of nothing", "ACK", "us", "dev", 2, false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = { 0 };
        struct pair p;
        struct sip_request r;
        const struct pair_sent *inv;
        char buf[1024];
        struct writer w = writer_of(buf, sizeof(buf));
        size_t before;

        pair_init(&p, NULL, NULL, true);
        p.ctx = &s;
        r = invite(&p, 0);
        r.from_tag = SLICE("us");
        sip_stack_invite(p.stack[0], &r, p.now_ms, &s.dialog0);
        pair_pump(&p);
        inv = pair_find(&p, 0, "INVITE", 0);
        writer_str(&w, "SIP/2.0 200 OK\r\nVia: ");
        writer_slice_put(&w, pair_header(inv->bytes, "Via"));
        writer_str(&w, "\r\nFrom: <sip:platform@dom>;tag=us\r\n"
                       "To: <sip:ch@dom>;tag=dev\r\nCall-ID: ");
        writer_slice_put(&w, pair_header(inv->bytes, "Call-ID"));
        writer_str(&w, "\r\nCSeq: ");
        writer_slice_put(&w, pair_header(inv->bytes, "CSeq"));
        writer_str(&w, "\r\n\r\n");
        assert_int_equal(pair_inject(&p, 0, writer_slice(&w)), 0);
        before = p.n_sent;
        device_says(&p, cases[i].method, cases[i].to_tag, cases[i].from_tag, 1,
                    cases[i].ip);
        if (pair_events(&p, 0, SIP_EV_ENDED, 200) != cases[i].ends ||
            pair_events(&p, 0, SIP_EV_REQUEST, 0) != cases[i].reported ||
            p.n_sent - before != (cases[i].status != 0))
            fail_msg("%s", cases[i].name);
        if (cases[i].status)
            assert_int_equal(atoi(p.sent[before].bytes.p + 8),
                             cases[i].status);
        if (cases[i].reported)
            assert_true(pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.dialog ==
                        s.dialog0);
        pair_fini(&p);
    }
}

/* R24 */
static void old_sequence_number(void **state)
{
    struct script s = { .answer = 200 };
    struct pair p;
    const struct pair_sent *ok;
    char us[64], dev[64];

    (void)state;
    begin_call(&p, &s, &wire);
    ok = pair_find(&p, 1, "SIP/2.0 200", 0);
    slice_copy(us, sizeof(us),
               slice_from(pair_header(ok->bytes, "From"),
                          strlen("<sip:platform@dom>;tag=")));
    slice_copy(dev, sizeof(dev), slice_from(pair_header(ok->bytes, "To"),
                                            strlen("<sip:ch@dom>;tag=")));
    device_says(&p, "INFO", us, dev, 10, 2);
    device_says(&p, "INFO", us, dev, 12, 2);
    device_says(&p, "INFO", us, dev, 11, 2);
    pair_expect(&p, 0, SIP_EV_REQUEST, 0, 2);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 500"), 1);
    device_says(&p, "BYE", us, dev, 1, 2); /* R24: this too */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 500"), 2);
    pair_expect(&p, 0, SIP_EV_ENDED, 200, 0);
    device_says(&p, "BYE", us, dev, 12, 2);
    pair_expect(&p, 0, SIP_EV_ENDED, 200, 1);
    hang_up(&p, 1);
    finish(&p);
}

/* ---- memory ------------------------------------------------------------ */

/* The n-th allocation of the device and all later ones fail for ten seconds;
 * whatever becomes of the call, nothing is left of it. */
static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 30; n++)
        for (int side = 0; side < 2; side++) {
            struct script s = { .answer = 200 };
            struct pair p;

            start(&p, &s, &wire);
            p.mem[side].fail_at = p.mem[side].calls + 1 + n;
            if (side == 1 || n > 12)
                call(&p);
            pair_run(&p, p.now_ms + 2000);
            if (s.dialog0)
                hang_up(&p, (int)(n & 1));
            pair_run(&p, p.now_ms + 8000);
            p.mem[side].fail_at = 0;
            pair_run(&p, p.now_ms + 1000);
            if (s.dialog0)
                hang_up(&p, 0);
            if (s.dialog)
                hang_up(&p, 1);
            finish(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reinvite),
        cmocka_unit_test(glare),
        cmocka_unit_test(cancelled_reinvite_keeps_the_dialog),
        cmocka_unit_test(bye_terminates_open_invite),
        cmocka_unit_test(unknown_to_the_peer),
        cmocka_unit_test(unknown_for_a_control),
        cmocka_unit_test(info_unanswered_keeps_the_dialog),
        cmocka_unit_test(silence_after_the_end),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(requests_without_to_tag),
        cmocka_unit_test(old_sequence_number),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
