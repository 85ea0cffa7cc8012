/* sip/stack_client.c: requests other than INVITE, what is left alone, time,
 * memory. The test is the peer and writes its answers by hand. */
#include "test/byhand.h"

#include <stdio.h>

static void message_answered(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t id;
    const struct pair_seen *ev;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_message(&p);
    id = hand_send(&p, &r);
    pair_expect_start(pair_find(&p, 0, "MESSAGE", 0),
                      "MESSAGE sip:" HAND_ID "@192.0.2.2:5060 SIP/2.0\r\n");
    hand_answer(&p, pair_find(&p, 0, "MESSAGE", 0), &hand_ok);
    ev = pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0);
    assert_non_null(ev);
    assert_true(ev->ev.transaction == id);
    assert_true(ev->ev.user == 42);
    hand_answer(&p, pair_find(&p, 0, "MESSAGE", 0), &hand_ok); /* absorbed */
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 0), 1);
    assert_int_equal(pair_counters(&p, 0).absorbed, 1);
    pair_run(&p, p.now_ms + 5000); /* K */
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    hand_answer(&p, pair_find(&p, 0, "MESSAGE", 0), &hand_ok);
    assert_int_equal(pair_counters(&p, 0).stray_responses, 1);
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
        struct sip_request r = i % 2 ? hand_message(&p) : hand_invite(&p);
        struct slice via;
        size_t at;

        if (i % 2)
            hand_send(&p, &r);
        else
            hand_call(&p, &r);
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
    r = hand_message(&p);
    start_ms = p.now_ms;
    hand_send(&p, &r);
    pair_settle(&p, 40000);
    assert_int_equal(p.n_sent, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(p.sent[i].at_ms - start_ms, want[i]);
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
    }
    ev = pair_event(&p, 0, SIP_EV_FAILED, 408, 0);
    assert_non_null(ev);
    assert_int_equal(ev->at_ms - start_ms, 32000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_counters(&p, 0).retransmitted, 10);
    pair_fini(&p);
}

static void message_own_timeout(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_message(&p);
    r.timeout_ms = 5000;
    hand_send(&p, &r);
    pair_run(&p, p.now_ms + 4999);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
    /* answered in time: the timeout is over too */
    hand_send(&p, &r);
    hand_answer(&p, pair_find(&p, 0, "MESSAGE", 4), &hand_ok);
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
    r = hand_message(&p);
    hand_send(&p, &r);
    assert_true(slice_has_prefix(pair_header(p.sent[0].bytes, "Via"),
                                 SLICE("SIP/2.0/TCP 192.0.2.1:5060;rport")));
    hand_answer(&p, &p.sent[0], &hand_ok);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    hand_send(&p, &r);
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
    r = hand_message(&p);
    for (int i = 0; i < 5; i++)
        hand_send(&p, &r);
    r = hand_invite(&p);
    hand_call(&p, &r);
    sip_stack_closed(p.stack[0], 76, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    sip_stack_closed(p.stack[0], 77, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 503), 6);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
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
    r = hand_message(&p);
    hand_send(&p, &r);
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

/* The text with another in place of one of its parts. */
static struct slice replaced(char out[static 4096], struct slice text,
                             const char *from, const char *to)
{
    size_t at = slice_find_slice(text, slice_str(from));
    struct writer w = writer_of(out, 4096);

    assert_true(at < text.n);
    writer_slice_put(&w, slice_head(text, at));
    writer_str(&w, to);
    writer_slice_put(&w, slice_from(text, at + strlen(from)));
    return writer_slice(&w);
}

/* R3 and field-note 5.3 */
static void which_answers_match(void **state)
{
    static const struct {
        const char *name;
        struct hand_ans a;
        const char *from, *to; /* text replaced in the answer */
        bool matches;
    } cases[] = {
        { "as it should be", { .status = 200 }, NULL, NULL, true },
        { "no Via at all",
          { .status = 200, .no_via = true },
          NULL,
          NULL,
          true },
        { "no Via, other Call-ID",
          { .status = 200, .no_via = true },
          "Call-ID: ",
          "Call-ID: x",
          false },
        { "two Vias",
          { .status = 200,
            .more = "Via: SIP/2.0/UDP "
                    "255.255.255.255;branch=z9hG4bK9\r\n" },
          NULL,
          NULL,
          false },
        { "other branch",
          { .status = 200 },
          "branch=z9hG4bK",
          "branch=z9hG4bKz",
          false },
        { "cookie in capitals",
          { .status = 200 },
          "branch=z9hG4bK",
          "branch=Z9HG4BK",
          true },
        { "no branch", { .status = 200 }, ";branch=", ";brunch=", true },
        { "other CSeq method",
          { .status = 200 },
          " MESSAGE",
          " OPTIONS",
          false },
        { "rewritten sent-by",
          { .status = 200 },
          "UDP 192.0.2.1",
          "UDP 9.9.9.9",
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
        r = hand_message(&p);
        hand_send(&p, &r);
        a = hand_answer_text(&p.sent[0], &cases[i].a);
        if (cases[i].from)
            a = replaced(changed, a, cases[i].from, cases[i].to);
        pair_inject(&p, 0, a);
        if (pair_events(&p, 0, SIP_EV_RESPONSE, 0) != cases[i].matches)
            fail_msg("%s", cases[i].name);
        assert_int_equal(pair_counters(&p, 0).stray_responses,
                         !cases[i].matches);
        pair_fini(&p);
    }
}

/* RFC 3261 §13.2.2.4: the dialog has it, else the device would send for ever. */
static void a_2xx_of_another_branch(void **state)
{
    static const struct {
        const char *name;
        struct hand_ans a;
        const char *from, *to;
        bool matches;
    } cases[] = {
        { "200", { .status = 200, .to_tag = "t" }, "branch=z9hG4bK",
          "branch=z9hG4bKz", true },
        { "no branch", { .status = 200, .to_tag = "t" }, "branch=", "b=",
          true },
        { "ringing", { .status = 180, .to_tag = "t" }, "branch=z9hG4bK",
          "branch=z9hG4bKz", false },
        { "a refusal", { .status = 486, .to_tag = "t" }, "branch=z9hG4bK",
          "branch=z9hG4bKz", false },
        { "of another caller", { .status = 200, .to_tag = "t" },
          "branch=z9hG4bK", "x=1\r\nFrom: <sip:a@b>;tag=q\r\nX: z9hG4bK",
          false },
        { "two Vias",
          { .status = 200, .to_tag = "t",
            .more = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\r\n" },
          "branch=z9hG4bK", "branch=z9hG4bKz", false },
        { "two Vias, the first ours",
          { .status = 200, .to_tag = "t",
            .more = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\r\n" },
          "branch=z9hG4bK", "branch=z9hG4bK", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair p;
        struct sip_request r;
        struct slice a;
        char changed[4096];

        pair_init(&p, NULL, NULL, true);
        r = hand_invite(&p);
        hand_call(&p, &r);
        a = replaced(changed, hand_answer_text(&p.sent[0], &cases[i].a),
                     cases[i].from, cases[i].to);
        pair_inject(&p, 0, a);
        if (!pair_find(&p, 0, "ACK", 0) == cases[i].matches)
            fail_msg("%s", cases[i].name);
        pair_fini(&p);
    }
}

/* Of a request that is answered nothing is left to compare with. */
static void another_branch_behind_the_answer(void **state)
{
    static const struct hand_ans ok = { .status = 200, .to_tag = "t" };
    struct sip_request r;
    struct pair p;
    char text[4096];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_message(&p);
    hand_send(&p, &r);
    hand_answer(&p, &p.sent[0], &ok);
    pair_inject(&p, 0, replaced(text, hand_answer_text(&p.sent[0], &ok),
                                "branch=z9hG4bK", "branch=z9hG4bKz"));
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_int_equal(pair_counters(&p, 0).stray_responses, 1);
    pair_fini(&p);
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
        r = hand_message(&p);
        r.method = cases[i].method;
        r.uri = cases[i].uri;
        if (sip_stack_request(p.stack[0], &r, 1, &id) != cases[i].err)
            fail_msg("%s", cases[i].name);
        pair_pump(&p);
        assert_int_equal(p.n_sent, 0);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
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
    r = hand_message(&p);
    hand_send(&p, &r);
    hand_send(&p, &r);
    assert_false(slice_eq(pair_header(p.sent[0].bytes, "Call-ID"),
                          pair_header(p.sent[1].bytes, "Call-ID")));
    assert_false(slice_eq(pair_header(p.sent[0].bytes, "Via"),
                          pair_header(p.sent[1].bytes, "Via")));
    r.call_id = SLICE("mine");
    r.from_tag = SLICE("ft");
    r.to_tag = SLICE("tt");
    r.cseq = 77;
    hand_send(&p, &r);
    a = p.sent[2].bytes;
    expect_slice(pair_header(a, "Call-ID"), "mine");
    expect_slice(pair_header(a, "CSeq"), "77 MESSAGE");
    expect_slice(pair_header(a, "From"),
                 "<sip:34020000002000000001@3402000000>;tag=ft");
    expect_slice(pair_header(a, "To"), "<sip:" HAND_ID "@3402000000>;tag=tt");
    pair_fini(&p);
}

/* R60: no dialog, no Contact, and each its own though a Call-ID be shared. */
static void messages_are_independent(void **state)
{
    struct sip_request r;
    uint64_t first, second;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_message(&p);
    r.call_id = SLICE("the same");
    r.cseq = 7;
    first = hand_send(&p, &r);
    second = hand_send(&p, &r);
    assert_int_equal(pair_header(p.sent[0].bytes, "Contact").n, 0);
    hand_answer(&p, &p.sent[1], &hand_ok);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_true(p.seen[0].ev.transaction == second && p.seen[0].ev.dialog == 0);
    hand_answer(&p, &p.sent[0], &hand_ok);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 2);
    assert_true(p.seen[1].ev.transaction == first);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_fini(&p);
}

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
        r = hand_invite(&p);
        r.timeout_ms = 2000;
        err = sip_stack_invite(p.stack[0], &r, p.now_ms, &dialog);
        assert_true(err == 0 || err == GB_ENOMEM);
        pair_pump(&p);
        if (!err) {
            if (n % 2)
                pair_inject(&p, 0, hand_answer_text(&p.sent[0], &hand_ok));
            r = hand_message(&p);
            sip_stack_request(p.stack[0], &r, p.now_ms, &id);
            r.method = SIP_METHOD_INFO;
            sip_stack_request_in(p.stack[0], dialog, &r, p.now_ms, &id);
            if (n % 3)
                hand_end(&p, dialog);
            pair_run(&p, p.now_ms + 2500);
        }
        p.mem[0].fail_at = 0;
        pair_settle(&p, 200000);
        if (err)
            assert_int_equal(pair_counters(&p, 0).dialogs, 0);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        if (n % 2 == 0 || n % 3)
            assert_int_equal(pair_counters(&p, 0).dialogs, 0);
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
    r = hand_message(&p);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 1000; i++)
            hand_send(&p, &r);
        assert_int_equal(pair_counters(&p, 0).transactions, 1000);
        pair_settle(&p, 40000);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
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
    r = hand_invite(&p);
    hand_call(&p, &r);
    hand_call(&p, &r);
    assert_int_equal(sip_stack_invite(p.stack[0], &r, 1, &id), GB_ELIMIT);
    assert_int_equal(pair_counters(&p, 0).transactions, 2);
    r = hand_message(&p);
    hand_send(&p, &r);
    hand_send(&p, &r);
    assert_int_equal(sip_stack_request(p.stack[0], &r, 1, &id), GB_ELIMIT);
    hand_answer(&p, pair_find(&p, 0, "MESSAGE", 0),
                &hand_ok); /* finished: may go */
    hand_send(&p, &r);
    assert_int_equal(pair_counters(&p, 0).transactions, 4);
    pair_fini(&p);
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
        r = hand_message(&p);
        hand_send(&p, &r);
        pair_inject(
            &p, 0, hand_challenge(&p.sent[0], cases[i].status, cases[i].lines));
        if (sip_stack_busy_s(p.stack[0], &r.peer, p.now_ms) !=
            cases[i].busy_s)
            fail_msg("%s", cases[i].name);
        if (cases[i].busy_s) {
            assert_int_equal(sip_stack_request(p.stack[0], &r, p.now_ms, &id),
                             GB_EBUSY);
            r = hand_invite(&p);
            assert_int_equal(sip_stack_invite(p.stack[0], &r, p.now_ms,
                                              &dialog), GB_EBUSY);
            q.r = r;
            q.r.expires = 60;
            assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                                 &id), GB_EBUSY);
            r.peer.remote.port++; /* another peer */
            hand_call(&p, &r);
            r = hand_message(&p);
        }
        pair_run(&p, p.now_ms + 1000 * cases[i].busy_s);
        hand_send(&p, &r);
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
    r = hand_message(&p);
    for (unsigned i = 0; i < 100; i++) {
        char line[40];

        snprintf(line, sizeof(line), "Retry-After: %u\r\n", 100 + i);
        r.peer.remote.port = (uint16_t)(1000 + i);
        hand_send(&p, &r);
        pair_inject_from(&p, 0, &r.peer,
                         hand_challenge(&p.sent[p.n_sent - 1], 503, line));
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
    } cases[] = {
        { -1, true, "70" }, { 0, false, NULL }, { 1, true, "0" },
        { 2, true, "1" },   { 70, true, "69" }, { 255, true, "254" }
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_msg m = { .max_forwards = cases[i].in };
        struct sip_request r;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = hand_message(&p);
        assert_int_equal(sip_stack_hops(&m, &r.max_forwards), cases[i].passes);
        if (cases[i].passes) {
            hand_send(&p, &r);
            assert_true(slice_eq(pair_header(p.sent[0].bytes, "Max-Forwards"),
                                 slice_str(cases[i].out)));
        }
        pair_settle(&p, 100000);
        pair_fini(&p);
    }
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
        cmocka_unit_test(a_2xx_of_another_branch),
        cmocka_unit_test(another_branch_behind_the_answer),
        cmocka_unit_test(what_is_not_sent),
        cmocka_unit_test(own_ids),
        cmocka_unit_test(messages_are_independent),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(many_failures_flat_memory),
        cmocka_unit_test(table_is_full),
        cmocka_unit_test(left_alone),
        cmocka_unit_test(many_left_alone),
        cmocka_unit_test(glare_times),
        cmocka_unit_test(hops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
