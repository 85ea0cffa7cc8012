/* sip/stack_sub.c: subscriptions, both sides, every way they end */
#include "test/subpair.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the good life ----------------------------------------------------- */

static void from_subscribe_to_end(void **state)
{
    const struct pair_wire *wires[] = { &sub_wire, &sub_tcp };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++) {
        struct sub_script s = { 0 };
        const struct pair_seen *seen;
        struct pair p;

        sub_up(&p, &s, wires[i]);
        seen = pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0);
        assert_non_null(seen);
        assert_true(seen->ev.subscription == s.sub[0] && seen->ev.user == 42);
        assert_int_equal(seen->ev.sub.expires_s, 600);
        seen = pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0);
        assert_non_null(seen);
        assert_true(seen->ev.subscription == s.sub[0] && seen->ev.user == 42);
        assert_int_equal(seen->ev.sub.state, SIP_SUB_ACTIVE);
        assert_in_range(seen->ev.sub.expires_s, 599, 600);
        assert_string_equal(seen->body, "now");
        assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "change"), 0);
        pair_run(&p, p.now_ms + 300000);
        assert_int_equal(sub_subscribe(&p, 600), 0);
        pair_run(&p, p.now_ms + 400000); /* the first would be over by now */
        pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 3);
        pair_expect(&p, 1, SIP_EV_RESPONSE, 200, 3);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        assert_int_equal(sub_subscribe(&p, 0), 0);
        assert_true(s.sub[0] == 0);
        pair_run(&p, p.now_ms + 100);
        assert_true(s.sub[1] == 0); /* accept: it is over */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
        expect_slice(sub_header(&p, 1, "NOTIFY", 3, "Subscription-State"),
                     "terminated;reason=timeout");
        sub_finish(&p);
    }
}

/* One dialog: Call-ID, tags, rising CSeq, targets from Contact, the Event of the
 * first everywhere. */
static void requests_of_one_dialog(void **state)
{
    struct sub_script s = { 0 };
    struct slice call_id, event = SLICE("Catalog;id=1001");
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(sub_subscribe(&p, 0), 0);
    pair_run(&p, p.now_ms + 100);
    call_id = sub_header(&p, 0, "SUBSCRIBE", 0, "Call-ID");
    for (size_t i = 0; i < 3; i++) {
        char cseq[32];
        struct slice first = sub_header(&p, 0, "SUBSCRIBE", 0, "CSeq"), n;
        uint32_t number;

        slice_cut(&first, ' ', &n);
        assert_true(slice_u32(n, UINT32_MAX, &number));
        snprintf(cseq, sizeof(cseq), "%u SUBSCRIBE", number + (unsigned)i);
        expect_slice(sub_header(&p, 0, "SUBSCRIBE", i, "CSeq"), cseq);
        snprintf(cseq, sizeof(cseq), "%zu NOTIFY", i + 1);
        expect_slice(sub_header(&p, 1, "NOTIFY", i, "CSeq"), cseq);
        assert_true(slice_eq(sub_header(&p, 0, "SUBSCRIBE", i, "Call-ID"),
                             call_id));
        assert_true(slice_eq(sub_header(&p, 1, "NOTIFY", i, "Call-ID"),
                             call_id));
        assert_true(slice_eq(sub_header(&p, 0, "SUBSCRIBE", i, "Event"),
                             event));
        assert_true(slice_eq(sub_header(&p, 1, "NOTIFY", i, "Event"), event));
        assert_true(slice_eq(sub_header(&p, 1, "SIP/2.0 200", i, "Event"),
                             event));
        expect_slice(sub_header(&p, 1, "NOTIFY", i, "Contact"),
                     "<sip:dev@192.0.2.2:5060>");
        assert_true(slice_eq(sub_header(&p, 1, "NOTIFY", i, "To"),
                             sub_header(&p, 0, "SUBSCRIBE", i, "From")));
        if (i)
            assert_true(slice_eq(sub_header(&p, 0, "SUBSCRIBE", i, "To"),
                                 sub_header(&p, 1, "NOTIFY", 0, "From")));
    }
    assert_true(slice_has_prefix(
        pair_find(&p, 1, "NOTIFY", 0)->bytes,
        SLICE("NOTIFY sip:platform@192.0.2.1:5060 SIP/2.0\r\n")));
    sub_finish(&p);
}

/* R58: the 200 is lost; the NOTIFY makes the dialog, the refresh has its tag. */
static void notify_before_the_answer(void **state)
{
    struct sub_script s = { .lose = "SIP/2.0 200", .lose_n = 1,
                            .lose_from = 1 };
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 0);
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 1);
    assert_int_equal(pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0)->ev.sub.expires_s,
                     600); /* what the NOTIFY says */
    assert_int_equal(sub_subscribe(&p, 600), GB_ESTATE); /* not answered yet */
    pair_run(&p, p.now_ms + 1000);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
    assert_int_equal(sub_subscribe(&p, 0), 0);
    pair_run(&p, p.now_ms + 100);
    assert_true(slice_eq(sub_header(&p, 0, "SUBSCRIBE", 2, "To"),
                         sub_header(&p, 1, "NOTIFY", 0, "From")));
    sub_finish(&p);
}

/* ---- time -------------------------------------------------------------- */

static void granted_time(void **state)
{
    static const struct {
        const char *name;
        int64_t asked;
        uint32_t grants;
        uint32_t want;
    } cases[] = {
        { "as asked", 600, 3600, 600 },
        { "shorter", 600, 60, 60 },
        { "the longest there is", UINT32_MAX, UINT32_MAX, UINT32_MAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sub_script s = { .grants_s = cases[i].grants };
        char want[16];
        struct pair p;

        sub_start(&p, &s, &sub_wire);
        assert_int_equal(sub_subscribe(&p, cases[i].asked), 0);
        pair_run(&p, p.now_ms + 100);
        snprintf(want, sizeof(want), "%u", cases[i].want);
        expect_slice(sub_header(&p, 1, "SIP/2.0 200", 0, "Expires"), want);
        if (pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s !=
            cases[i].want)
            fail_msg("%s", cases[i].name);
        assert_int_equal(sub_subscribe(&p, 0), 0);
        sub_finish(&p);
    }
}

/* Nobody refreshes: both sides end it, the notifier with a last NOTIFY that
 * comes too late for the subscriber. */
static void time_is_over(void **state)
{
    struct sub_script s = { 0 };
    const struct pair_seen *seen;
    uint64_t from_ms;
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    from_ms = p.now_ms;
    assert_int_equal(sub_subscribe(&p, 60), 0);
    pair_run(&p, p.now_ms + 70000);
    expect_slice(sub_header(&p, 1, "NOTIFY", 1, "Subscription-State"),
                 "terminated;reason=timeout");
    pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 408, 1);
    seen = pair_event(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    assert_non_null(seen);
    assert_true(seen->ev.user == 42 && seen->ev.subscription == s.sub[0]);
    assert_in_range(seen->at_ms - from_ms, 59000, 60100);
    assert_int_equal(sub_subscribe(&p, 60), GB_ENOENT);
    assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", ""), GB_ENOENT);
    sub_finish(&p);
}

/* R57: no NOTIFY within 64*T1; but a loose subscription lives on its 200. */
static void timer_n(void **state)
{
    (void)state;
    for (int loose = 0; loose < 2; loose++) {
        struct sub_script s = { .mute = true };
        struct sip_subscribe q;
        struct pair p;

        sub_start(&p, &s, &sub_wire);
        q = sub_request(&p, 600);
        q.loose = loose;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                             &s.sub[0]), 0);
        pair_run(&p, p.now_ms + 31990);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        pair_run(&p, p.now_ms + 20);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, loose ? 0 : 1);
        sub_finish(&p);
    }
}

/* The refresh is accepted, and again no NOTIFY comes. */
static void timer_n_of_a_refresh(void **state)
{
    struct sub_script s = { 0 };
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire);
    s.mute = true;
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 33000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, 1);
    sub_finish(&p);
}

/* ---- refused ----------------------------------------------------------- */

static void first_is_refused(void **state)
{
    static const unsigned statuses[] = { 400, 403, 404, 423, 481, 489, 500,
                                         503, 603 };

    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct sub_script s = { .answer = statuses[i] };
        struct pair p;

        sub_up(&p, &s, &sub_wire);
        pair_expect(&p, 0, SIP_EV_RESPONSE, statuses[i], 1);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
        sub_finish(&p);
    }
}

static void first_is_lost(void **state)
{
    struct sub_script s = { .lose = "SUBSCRIBE", .lose_n = 1000 };
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 33000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    sub_finish(&p);
}

/* R59 */
static void refresh_is_refused(void **state)
{
    static const struct {
        unsigned status;
        bool over;
    } cases[] = { { 404, true },  { 405, true },  { 410, true },
                  { 416, true },  { 480, true },  { 481, true },
                  { 482, true },  { 483, true },  { 484, true },
                  { 485, true },  { 489, true },  { 501, true },
                  { 604, true },  { 400, false }, { 403, false },
                  { 486, false }, { 500, false }, { 503, false },
                  { 603, false }, { 408, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sub_script s = { 0 };
        struct pair p;

        sub_up(&p, &s, &sub_wire);
        s.answer = cases[i].status;
        assert_int_equal(sub_subscribe(&p, 600), 0);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 0, SIP_EV_RESPONSE, cases[i].status, 1);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, cases[i].status, cases[i].over);
        pair_run(&p, p.now_ms + 590000); /* the old time holds ... */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, cases[i].over);
        pair_run(&p, p.now_ms + 20000); /* ... and ends */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 1);
        sub_finish(&p);
    }
}

static void refresh_is_lost(void **state)
{
    struct sub_script s = { .lose = "SUBSCRIBE" };
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire);
    s.lose_n = 1000;
    assert_int_equal(sub_subscribe(&p, 600), 0);
    assert_int_equal(sub_subscribe(&p, 600), GB_ESTATE);
    pair_run(&p, p.now_ms + 40000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    s.lose_n = 0;
    assert_int_equal(sub_subscribe(&p, 600), 0); /* and once more */
    pair_run(&p, p.now_ms + 590000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    sub_finish(&p);
}

/* ---- ended by the notifier --------------------------------------------- */

static void terminated(void **state)
{
    static const struct {
        const char *reason;
        enum sip_again again;
    } cases[] = { { "deactivated", SIP_AGAIN_NOW },
                  { "timeout", SIP_AGAIN_NOW },
                  { "", SIP_AGAIN_NOW },
                  { "fullmoon", SIP_AGAIN_NOW },
                  { "probation", SIP_AGAIN_LATER },
                  { "GiveUp", SIP_AGAIN_LATER },
                  { "rejected", SIP_AGAIN_NEVER },
                  { "noresource", SIP_AGAIN_NEVER },
                  { "invariant", SIP_AGAIN_NEVER } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sub_script s = { 0 };
        struct sip_notify n = { .state = SIP_SUB_TERMINATED,
                                .reason = slice_str(cases[i].reason),
                                .retry_after_s = 30 };
        const struct pair_seen *seen;
        struct pair p;

        sub_up(&p, &s, &sub_wire);
        assert_int_equal(sip_stack_notify(p.stack[1], s.sub[1], &n, p.now_ms),
                         0);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 2);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
        seen = pair_event(&p, 0, SIP_EV_UNSUBSCRIBED, 200, 0);
        assert_non_null(seen);
        if (seen->ev.sub.again != cases[i].again ||
            seen->ev.sub.retry_after_s != 30)
            fail_msg("%s: %u after %u s", cases[i].reason, seen->ev.sub.again,
                     seen->ev.sub.retry_after_s);
        assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
        sub_finish(&p);
    }
}

static void notify_is_refused(void **state)
{
    static const struct {
        unsigned status;
        bool over;
    } cases[] = { { 481, true }, { 489, true }, { 500, false },
                  { 503, false }, { 400, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sub_script s = { 0 };
        struct pair p;

        sub_up(&p, &s, &sub_wire);
        s.notify_answer = cases[i].status;
        assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "x"), 0);
        assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "y"), GB_ESTATE);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 1, SIP_EV_RESPONSE, cases[i].status, 1);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, cases[i].status, cases[i].over);
        sub_finish(&p);
    }
}

static void notify_is_lost(void **state)
{
    struct sub_script s = { .lose = "NOTIFY", .lose_from = 1 };
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire);
    s.lose_n = 1000;
    assert_int_equal(sub_notify(&p, SIP_SUB_PENDING, "", "x"), 0);
    pair_run(&p, p.now_ms + 33000);
    expect_slice(sub_header(&p, 1, "NOTIFY", 1, "Subscription-State"),
                 "pending;expires=599");
    pair_expect(&p, 1, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
    s.lose_n = 0;
    assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "again"), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 2);
    /* the last word may overtake the one that is open */
    assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "open"), 0);
    assert_int_equal(sub_notify(&p, SIP_SUB_TERMINATED, "noresource", ""), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 200, 1);
    sub_finish(&p);
}

/* ---- ended before it began --------------------------------------------- */

/* The handle is given back while the SUBSCRIBE is open: it is ended when its
 * dialog is there, whatever makes it, and no event names it. */
static void ended_while_open(void **state)
{
    static const char *const lost[] = { NULL, "SIP/2.0 200", "NOTIFY" };

    (void)state;
    for (size_t i = 0; i < COUNT(lost); i++) {
        struct sub_script s = { .lose = lost[i], .lose_from = 1 };
        struct pair p;

        s.lose_n = lost[i] != NULL;
        sub_start(&p, &s, &sub_wire);
        assert_int_equal(sub_subscribe(&p, 600), 0);
        assert_int_equal(sub_subscribe(&p, 0), 0);
        pair_run(&p, p.now_ms + 2000);
        for (size_t k = 0; k < p.n_seen; k++)
            assert_true(p.seen[k].side == 1 || !p.seen[k].ev.subscription);
        expect_slice(sub_header(&p, 0, "SUBSCRIBE", 1, "Expires"), "0");
        pair_settle(&p, 40000);
        assert_int_equal(pair_counters(&p, 1).subscriptions, 0);
        sub_finish(&p);
    }
}

static void ended_and_unheard(void **state)
{
    struct sub_script s = { .lose = "SUBSCRIBE" };
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire); /* once up ... */
    s.lose_n = 1000;
    assert_int_equal(sub_subscribe(&p, 0), 0);
    pair_settle(&p, 700000);
    pair_expect(&p, 0, SIP_EV_FAILED, 0, 0);
    sub_finish(&p);

    sub_start(&p, &s, &sub_wire); /* ... and once not even begun */
    assert_int_equal(sub_subscribe(&p, 600), 0);
    assert_int_equal(sub_subscribe(&p, 0), 0);
    pair_settle(&p, 40000);
    pair_expect(&p, 0, SIP_EV_FAILED, 0, 0);
    sub_finish(&p);
}

/* A NOTIFY is queued when the handle is given back. */
static void ended_with_events_queued(void **state)
{
    (void)state;
    for (int forget = 0; forget < 2; forget++) {
        struct sub_script s = { 0 };
        struct sip_peer from;
        struct slice bytes;
        struct sip_event ev;
        struct sip_out out;
        struct pair p;

        sub_up(&p, &s, &sub_wire);
        s.lose = "NOTIFY";
        s.lose_from = 1;
        s.lose_n = 1;
        assert_int_equal(sub_notify(&p, SIP_SUB_ACTIVE, "", "late"), 0);
        bytes = pair_find(&p, 1, "NOTIFY", 1)->bytes;
        from = pair_peer(&p, 0);
        assert_int_equal(sip_stack_input(p.stack[0], &from, bytes, p.now_ms),
                         0);
        if (forget) {
            sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
            sip_stack_forget(p.stack[0], s.sub[0], p.now_ms); /* stale */
        } else {
            struct sip_subscribe q = sub_request(&p, 0);

            assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                                 &s.sub[0]), 0);
        }
        assert_false(sip_stack_event(p.stack[0], &ev));
        assert_true(sip_stack_output(p.stack[0], &out));
        assert_true(slice_has_prefix(out.bytes, SLICE("SIP/2.0 481")));
        pair_run(&p, p.now_ms + 1000); /* the device gives up as well */
        sub_finish(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_subscribe_to_end),
        cmocka_unit_test(requests_of_one_dialog),
        cmocka_unit_test(notify_before_the_answer),
        cmocka_unit_test(granted_time),
        cmocka_unit_test(time_is_over),
        cmocka_unit_test(timer_n),
        cmocka_unit_test(timer_n_of_a_refresh),
        cmocka_unit_test(first_is_refused),
        cmocka_unit_test(first_is_lost),
        cmocka_unit_test(refresh_is_refused),
        cmocka_unit_test(refresh_is_lost),
        cmocka_unit_test(terminated),
        cmocka_unit_test(notify_is_refused),
        cmocka_unit_test(notify_is_lost),
        cmocka_unit_test(ended_while_open),
        cmocka_unit_test(ended_and_unheard),
        cmocka_unit_test(ended_with_events_queued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
