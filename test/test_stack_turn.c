/* sip/stack_done.c, sip/stack_reply.c, sip/stack_server.c: requests that are
 * answered in their turn, before they cost a transaction, and large turns. The
 * test is the peer. */
#include "test/byhand.h"

#include <stdio.h>
#include <stdlib.h>

/* R4: whatever the answer had in it, a repeat brings the same bytes, and the
 * layer above hears nothing of it. */
static void repeats_are_rebuilt(void **state)
{
    static const struct sip_extra date[] = {
        { S("Date"), S("2026-01-02T03:04:05.678") },
        { S("X-GB-Ver"), S("3.0") },
    };
    static char lot[700];
    static const struct sip_extra large = { S("X-Much"),
                                            { lot, sizeof(lot) } };
    static const struct {
        const char *name, *method, *more, *to;
        struct hand_turn t;
        unsigned bytes; /* at most */
    } cases[] = {
        { "bare", "MESSAGE", "", NULL, { .r = { 200, .expires = -1 } }, 80 },
        { "refusal", "MESSAGE", "", NULL, { .r = { 400, .expires = -1 } }, 80 },
        { "granted", "REGISTER",
          "Contact: \"x\" <sip:a@192.0.2.2:5060;y=1>;expires=9\r\n", NULL,
          { .r = { 200, .expires = 3600, .extra = date, .n_extra = 2 },
            .contact = true }, 144 },
        { "unregistered", "REGISTER", "", NULL,
          { .r = { 200, .expires = 0, .extra = date, .n_extra = 2 } }, 144 },
        { "another contact", "REGISTER", "Contact: <sip:a@192.0.2.2>\r\n",
          NULL, { .r = { 302, .contact = S("sip:else@192.0.2.9"),
                         .expires = -1 } }, 320 },
        { "a body", "MESSAGE", "", NULL,
          { .r = { 200, .content_type = S("text/plain"), .body = S("hello"),
                   .expires = -1 } }, 320 },
        { "a reason", "MESSAGE", "", NULL,
          { .r = { 403, .reason = S("Go away"), .expires = -1 } }, 320 },
        { "much", "MESSAGE", "", NULL,
          { .r = { 200, .extra = &large, .n_extra = 1, .expires = -1 } },
          1024 },
        { "Record-Route", "SUBSCRIBE",
          "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nTimestamp: 4.5\r\n", NULL,
          { .r = { 200, .expires = 90 } }, 80 },
        { "Record-Route and a body", "SUBSCRIBE",
          "Record-Route: <sip:p1;lr>\r\n", NULL,
          { .r = { 200, .body = S("x"), .content_type = S("a/b"),
                   .expires = 90 } }, 320 },
        { "their tag", "MESSAGE", "", "<sip:a@b>;tag=t",
          { .r = { 200, .expires = -1 } }, 80 },
        { "folded", "MESSAGE", "", "<sip:a@b>\r\n ;x=y",
          { .r = { 200, .expires = -1 } }, 80 },
        { "completed", "OPTIONS", "", NULL, { .r = { 200, .expires = -1 } },
          80 },
        { "more Vias", "MESSAGE", "Via: SIP/2.0/UDP p;branch=z9hG4bKq, "
          "SIP/2.0/UDP q;branch=z9hG4bKr\r\n", NULL,
          { .r = { 200, .expires = -1 } }, 80 },
    };

    (void)state;
    memset(lot, 'm', sizeof(lot));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_turn t = cases[i].t;
        struct hand_req r = hand_plain;
        struct pair p;

        hand_turn_init(&p, &t, NULL);
        r.method = cases[i].method;
        r.more = cases[i].more;
        r.to = cases[i].to ? cases[i].to : r.to;
        for (int k = 0; k < 4; k++)
            hand_feed(&p, &r);
        if (t.err || t.second != GB_ESTATE)
            fail_msg("%s: %s, then %s", cases[i].name, gb_strerror(t.err),
                     gb_strerror(t.second));
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
        assert_int_equal(p.n_sent, 4);
        for (size_t k = 1; k < 4; k++)
            if (!slice_eq(p.sent[k].bytes, p.sent[0].bytes))
                fail_msg("%s: %.*s\n%.*s", cases[i].name,
                         SLICE_ARG(p.sent[0].bytes),
                         SLICE_ARG(p.sent[k].bytes));
        if (pair_counters(&p, 0).memory > cases[i].bytes)
            fail_msg("%s: %llu bytes", cases[i].name,
                     (unsigned long long)pair_counters(&p, 0).memory);
        pair_run(&p, p.now_ms + 31999); /* Timer J */
        assert_int_equal(pair_counters(&p, 0).transactions, 1);
        pair_run(&p, p.now_ms + 1);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

/* What was answered late leaves the same record, and the same bytes. */
static void answered_late_or_at_once(void **state)
{
    static const struct sip_extra x = { S("X-GB-Ver"), S("3.0") };
    struct hand_turn t = { .r = { 200, .extra = &x, .n_extra = 1,
                                  .expires = 60 } };
    struct hand_req r = hand_plain;
    struct pair p, late;

    (void)state;
    hand_turn_init(&p, &t, NULL);
    pair_init(&late, NULL, NULL, true);
    r.method = "SUBSCRIBE";
    r.more = "Record-Route: <sip:p1;lr>\r\n";
    for (int k = 0; k < 2; k++) {
        hand_feed(&p, &r);
        hand_feed(&late, &r);
        if (k == 0) {
            assert_true(pair_counters(&late, 0).memory > 200);
            assert_int_equal(sip_stack_respond(
                late.stack[0], late.seen[0].ev.transaction, &t.r, late.now_ms),
                0);
            pair_pump(&late);
        }
        assert_true(slice_eq(pair_last(&p)->bytes, pair_last(&late)->bytes));
        assert_int_equal(pair_counters(&late, 0).memory,
                         pair_counters(&p, 0).memory);
    }
    pair_fini(&p);
    pair_fini(&late);
}

/* Timer J is zero on a stream: nothing is kept. */
static void nothing_kept_on_a_stream(void **state)
{
    struct hand_turn t = { .r = { 200, .expires = -1 } };
    struct pair_wire tcp = { .tcp = true };
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    p.on_event = hand_in_turn;
    p.ctx = &t;
    hand_feed(&p, &hand_plain);
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_counters(&p, 0).memory, 0);
    pair_fini(&p);
}

/* A stranger's request that is refused in its turn: no 100, no dialog, no
 * transaction, no memory. */
static void refused_in_its_turn(void **state)
{
    static const char *const methods[] = { "INVITE", "REGISTER", "MESSAGE",
                                           "SUBSCRIBE", "OPTIONS" };
    struct hand_turn t = { .r = { 403, .expires = -1 }, .stateless = true };

    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct hand_req r = hand_plain;
        struct pair p;

        hand_turn_init(&p, &t, NULL);
        r.method = methods[i];
        for (int k = 0; k < 3; k++)
            hand_feed(&p, &r);
        assert_int_equal(p.n_sent, 3);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 403"), 3);
        assert_true(slice_eq(p.sent[2].bytes, p.sent[0].bytes));
        assert_int_equal(t.second, GB_ENOENT);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).dialogs, 0);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
        pair_fini(&p);
    }
}

/* Refused with a transaction, the INVITE is still not answered 100, and its
 * refusal is repeated until the ACK. */
static void invite_refused_in_its_turn(void **state)
{
    struct hand_turn t = { .r = { 488, .expires = -1 } };
    struct hand_req inv = hand_plain, ack;
    char to[200];
    struct pair p;

    (void)state;
    hand_turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 100"), 0);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(t.second, GB_ESTATE);
    pair_run(&p, p.now_ms + 1500);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 488"), 3);
    slice_copy(to, sizeof(to), pair_header(pair_last(&p)->bytes, "To"));
    ack = inv;
    ack.method = "ACK";
    ack.to = to;
    hand_feed(&p, &ack);
    pair_settle(&p, 60000);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 488"), 3);
    pair_fini(&p);
}

static void ended_in_its_turn(void **state)
{
    struct hand_turn t = { .end = true };
    struct hand_req inv = hand_plain;
    struct pair p;

    (void)state;
    hand_turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(pair_status(pair_last(&p)), 480);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_fini(&p);
}

static void provisional_in_its_turn(void **state)
{
    struct hand_turn t = { .r = { 180, .expires = -1 } };
    struct pair p;

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct hand_req r = hand_plain;

        hand_turn_init(&p, &t, NULL);
        r.method = k ? "MESSAGE" : "INVITE";
        hand_feed(&p, &r);
        assert_int_equal(t.second, 0); /* another 180 */
        hand_feed(&p, &r);                  /* the last 1xx again */
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 180"), 3);
        assert_int_equal(p.n_sent, 3);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        assert_int_equal(pair_status(pair_last(&p)), 200);
        assert_int_equal(pair_counters(&p, 0).dialogs, k ? 0 : 1);
        pair_fini(&p);
    }
}

/* The To tag while it is pending, a wrong status, a call that ends the turn. */
static void while_pending(void **state)
{
    struct sip_response r = { 99, .expires = -1 };
    struct hand_req q = hand_plain;
    struct sip_event ev;
    struct sip_out out;
    struct sip_peer from;
    struct slice tag;
    struct pair p;
    char want[40];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    sip_stack_input(p.stack[0], &from, hand_text(&q), 1);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev.transaction, &tag), 0);
    snprintf(want, sizeof(want), ";tag=%.*s", SLICE_ARG(tag));
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                     GB_ERANGE);
    assert_int_equal(sip_stack_respond_stateless(p.stack[0], ev.transaction,
                                                 &r, 1), GB_ERANGE);
    sip_stack_tick(p.stack[0], 2); /* its turn is over */
    assert_int_equal(pair_counters(&p, 0).transactions, 1);
    r.status = 200;
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 3), 0);
    assert_true(sip_stack_output(p.stack[0], &out));
    assert_true(slice_find_slice(out.bytes, slice_str(want)) < out.bytes.n);
    q.to = "<sip:a@b>;tag=theirs";
    q.cseq = "33";
    sip_stack_input(p.stack[0], &from, hand_text(&q), 3);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev.transaction, &tag), 0);
    expect_slice(tag, "theirs");
    sip_stack_closed(p.stack[0], 5, 4);
    sip_stack_send_failed(p.stack[0], &from, 4);
    assert_int_equal(pair_counters(&p, 0).transactions, 2);
    q.method = "INVITE"; /* one that is pending at the end */
    q.to = hand_plain.to;
    sip_stack_input(p.stack[0], &from, hand_text(&q), 3);
    pair_fini(&p);
}

/* Memory gives out between the event and the answer: whatever is lost, nothing
 * stays. */
static void pending_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 96; n++) {
        struct hand_turn t = { .r = { n & 4 ? 200 : 486, .expires = -1 } };
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = n & 1 ? "INVITE" : "MESSAGE";
        if (n & 2) { /* answered in its turn */
            p.on_event = hand_in_turn;
            p.ctx = &t;
        }
        p.mem[0].fail_at = p.mem[0].calls + 1 + n / 8;
        hand_feed(&p, &r);
        p.mem[0].fail_at = 0;
        hand_feed(&p, &r);
        pair_run(&p, p.now_ms + 400000);
        assert_true(p.n_sent > 0 || !(n & 1)); /* at last a 408 */
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).dialogs, 0);
        pair_fini(&p);
    }
}

/* ---- large turns ------------------------------------------------------- */

static size_t take_all(struct sip_stack *s, size_t *bytes)
{
    struct sip_out out;
    size_t n = 0;

    for (; sip_stack_output(s, &out); n++)
        *bytes += out.bytes.n;
    return n;
}

/* Answers of one turn may be many and large; what they needed goes back. */
static void a_large_turn(void **state)
{
    static char lot[20000];
    struct sip_response r = { .status = 200, .expires = -1,
                              .content_type = S("text/plain"),
                              .body = { lot, sizeof(lot) } };
    struct sip_peer from;
    struct hand_req q = hand_plain;
    struct sip_event ev;
    struct pair p;
    size_t bytes = 0;
    char cseq[16];

    (void)state;
    memset(lot, 'x', sizeof(lot));
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    q.cseq = cseq;
    for (unsigned i = 0; i < 30; i++) {
        snprintf(cseq, sizeof(cseq), "%u", i);
        sip_stack_input(p.stack[0], &from, hand_text(&q), 1);
        assert_true(sip_stack_event(p.stack[0], &ev));
        assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                         0);
    }
    assert_int_equal(take_all(p.stack[0], &bytes), 30);
    assert_true(bytes > 30 * sizeof(lot));
    q.method = "FETCH"; /* the stack's own, more than a queue keeps */
    bytes = 0;
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(cseq, sizeof(cseq), "%u", i);
        sip_stack_input(p.stack[0], &from, hand_text(&q), 1);
    }
    assert_int_equal(take_all(p.stack[0], &bytes), 1500);
    r.body.n = SIP_MAX_HEAD + SIP_MAX_BODY; /* never read that far */
    q.method = "MESSAGE";
    sip_stack_input(p.stack[0], &from, hand_text(&q), 1);
    assert_true(sip_stack_event(p.stack[0], &ev));
    r.body.p = calloc(1, r.body.n);
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                     GB_ELIMIT);
    free((void *)(uintptr_t)r.body.p);
    pair_fini(&p);
}

/* Long branches and Call-IDs make keys as short ones do. */
static void long_keys(void **state)
{
    static char via[900], call_id[900], other[900];
    struct hand_req r = hand_plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    snprintf(via, sizeof(via), "SIP/2.0/UDP h;branch=z9hG4bK%0600d", 7);
    snprintf(call_id, sizeof(call_id), "%0700d", 1);
    snprintf(other, sizeof(other), "%0700d", 2);
    r.via = via;
    r.call_id = call_id;
    hand_feed(&p, &r);
    hand_feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    r.call_id = other;
    hand_feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_rebuilt),
        cmocka_unit_test(answered_late_or_at_once),
        cmocka_unit_test(nothing_kept_on_a_stream),
        cmocka_unit_test(refused_in_its_turn),
        cmocka_unit_test(invite_refused_in_its_turn),
        cmocka_unit_test(ended_in_its_turn),
        cmocka_unit_test(provisional_in_its_turn),
        cmocka_unit_test(while_pending),
        cmocka_unit_test(pending_without_memory),
        cmocka_unit_test(a_large_turn),
        cmocka_unit_test(long_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
