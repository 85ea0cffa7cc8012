/* sip/stack: limits of its tables, what it takes from the allocator, and what
 * becomes of it when there is none. The test is the peer. */
#include "test/byhand.h"

#include <stdio.h>

static void oldest_finished_go_first(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 10 };
    struct pair p;
    char call[16];
    struct hand_req r = hand_plain;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r.call_id = call;
    for (unsigned i = 0; i < 15; i++) {
        snprintf(call, sizeof(call), "c%u", i);
        hand_feed(&p, &r);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, i), 200);
        assert_true(pair_counters(&p, 0).transactions <= 10);
    }
    snprintf(call, sizeof(call), "c14"); /* still known */
    hand_feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 15);
    snprintf(call, sizeof(call), "c4"); /* gone */
    hand_feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 16);
    for (unsigned i = 20; i < 40; i++) { /* nobody answers: full */
        snprintf(call, sizeof(call), "c%u", i);
        hand_feed(&p, &r);
    }
    assert_int_equal(pair_counters(&p, 0).transactions, 10);
    assert_true(pair_counters(&p, 0).dropped > 0);
    pair_fini(&p);
}

static void dialogs_have_a_limit(void **state)
{
    struct sip_stack_config cfg = { .max_dialogs = 3 };
    struct hand_req inv = hand_plain;
    struct pair p;
    char call[16];

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    inv.method = "INVITE";
    inv.call_id = call;
    for (unsigned i = 0; i < 5; i++) {
        snprintf(call, sizeof(call), "c%u", i);
        hand_feed(&p, &inv);
    }
    assert_int_equal(pair_counters(&p, 0).dialogs, 3);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 503"), 2);
    pair_fini(&p);
}

/* One Call-ID with ever new From tags does not make a long chain. */
static void one_call_id_many_tags(void **state)
{
    struct hand_req inv = hand_plain;
    struct pair p;
    char from[64], via[64];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    inv.from = from;
    inv.via = via;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(from, sizeof(from), "<sip:a@b>;tag=%u", i);
        snprintf(via, sizeof(via), "SIP/2.0/UDP h;branch=z9hG4bK%u", i);
        hand_feed(&p, &inv);
    }
    assert_int_equal(pair_counters(&p, 0).dialogs, 16);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 482"), 24);
    pair_fini(&p);
}

/* The answer to the i-th of a stream of messages: some are remembered as a few
 * bytes, some whole, some as more than a block of memory holds. */
static struct sip_response nth_answer(unsigned i)
{
    static const struct sip_extra extra = { SLICE_INIT("Date"),
                                            SLICE_INIT("2026-11-28T09:00:00") };
    static char body[20000];
    struct sip_response r = { .status = 200, .expires = -1 };

    memset(body, 'x', sizeof(body));
    if (i % 3 == 0)
        r.extra = &extra;
    r.n_extra = i % 3 == 0;
    if (i % 7 == 0)
        r.reason = SLICE("Fine");
    if (i % 97 == 0) {
        r.content_type = SLICE("text/plain");
        r.body = slice_of(body, sizeof(body) - i % 13);
    }
    return r;
}

/* The i-th message comes in; the answer's bytes go to out. Returns whether it
 * was taken for a new one. */
static bool nth_message(struct pair *p, unsigned i, struct slice *out)
{
    struct sip_peer from = pair_peer(p, 0);
    struct sip_response r = nth_answer(i);
    struct hand_req q = hand_plain;
    struct sip_out sent;
    struct sip_event ev;
    char call[16];
    bool fresh;

    snprintf(call, sizeof(call), "c%08u", i);
    q.call_id = call;
    assert_int_equal(
        sip_stack_input(p->stack[0], &from, hand_text(&q), p->now_ms), 0);
    fresh = sip_stack_event(p->stack[0], &ev);
    if (fresh)
        assert_int_equal(sip_stack_respond(p->stack[0], ev.transaction, &r,
                                           p->now_ms), 0);
    assert_true(sip_stack_output(p->stack[0], &sent));
    *out = sent.bytes;
    return fresh;
}

/* As many as are remembered, whatever their size, in the order in which they
 * came; a repeat gets the answer of the first. */
static void finished_ones_are_a_queue(void **state)
{
    enum { LIMIT = 1000, N = 6000 };
    struct sip_stack_config cfg = { .max_transactions = LIMIT };
    static char first[24000];
    uint64_t seed = 5;
    struct slice out;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    p.quiet = true;
    for (unsigned i = 0; i < N; i++) {
        unsigned old = i < LIMIT ? 0 : i - LIMIT + 1;
        unsigned k = old + (unsigned)(test_random(&seed) % (i - old + 1));
        size_t n;

        p.now_ms += i % 2;
        assert_true(nth_message(&p, i, &out));
        assert_true(out.n <= sizeof(first));
        n = out.n;
        memcpy(first, out.p, n);
        assert_false(nth_message(&p, i, &out));
        assert_true(slice_eq(out, slice_of(first, n)));
        assert_false(nth_message(&p, k, &out));
        assert_int_equal(pair_counters(&p, 0).transactions,
                         i < LIMIT ? i + 1 : LIMIT);
    }
    assert_true(nth_message(&p, N - LIMIT - 1, &out)); /* forgotten */
    p.now_ms += 31999;
    sip_stack_tick(p.stack[0], p.now_ms);
    assert_true(pair_counters(&p, 0).transactions > 0);
    p.now_ms += 1;
    sip_stack_tick(p.stack[0], p.now_ms);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(pair_counters(&p, 0).memory, 0);
    assert_true(nth_message(&p, N - 1, &out));
    pair_fini(&p);
}

/* Without memory for it an answer goes out all the same, and is forgotten. */
static void finished_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        unsigned answered = 0;
        struct slice out;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        p.quiet = true;
        nth_message(&p, 9700, &out); /* the largest */
        for (unsigned i = 1; i < 600; i++) {
            assert_true(nth_message(&p, i, &out));
            if (i == 20) { /* all else has its memory by then */
                p.mem[0].calls = 0;
                p.mem[0].fail_at = n;
            }
            answered += slice_has_prefix(out, SLICE("SIP/2.0 200"));
        }
        assert_int_equal(answered, 599);
        assert_true(pair_counters(&p, 0).transactions < 599);
        p.mem[0].fail_at = 0;
        assert_true(nth_message(&p, 600, &out));
        assert_false(nth_message(&p, 600, &out));
        assert_false(nth_message(&p, 20, &out));
        pair_fini(&p);
    }
}

/* What the last input was read as, for whoever keeps it. */
static void the_message_at_hand(void **state)
{
    struct sip_peer from;
    struct sip_event ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    assert_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, hand_text(&hand_plain), 0);
    assert_non_null(sip_stack_message(p.stack[0]));
    assert_true(slice_eq(sip_stack_message(p.stack[0])->call_id,
                         slice_str(hand_plain.call_id)));
    assert_int_equal(sip_stack_input(p.stack[0], &from, SLICE("\r\n\r\n"), 0),
                     GB_ESTATE);
    assert_null(sip_stack_message(p.stack[0]));
    while (sip_stack_event(p.stack[0], &ev))
        ;
    sip_stack_input(p.stack[0], &from, hand_text(&hand_plain), 0);
    assert_non_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, SLICE("SIP/2.0 garbage\r\n\r\n"), 0);
    assert_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, SLICE("\r\n\r\n"), 0);
    assert_null(sip_stack_message(p.stack[0]));
    pair_fini(&p);
}

static void expect_event(struct sip_stack *s, enum sip_event_kind kind,
                         const char *call_id)
{
    struct sip_event ev;

    assert_true(sip_stack_event(s, &ev));
    assert_int_equal(ev.kind, kind);
    if (call_id)
        assert_true(slice_eq(ev.msg->call_id, slice_str(call_id)));
    while (sip_stack_event(s, &ev))
        ;
}

/* What is read ahead leaves the message at hand alone, and is forgotten where
 * something else comes. */
static void read_ahead(void **state)
{
    const struct slice nothing = { NULL, 0 };
    struct hand_req other = hand_plain;
    char first[1024], second[1024];
    struct slice one = hand_text(&hand_plain), two;
    struct sip_stack *s;
    struct sip_peer from;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    s = p.stack[0];
    from = pair_peer(&p, 0);
    memcpy(first, one.p, one.n);
    one.p = first;
    other.call_id = "another-call";
    two = hand_text(&other);
    memcpy(second, two.p, two.n);
    two.p = second;

    assert_int_equal(sip_stack_input(s, &from, one, 1), 0);
    sip_stack_ahead(s, two);
    assert_true(slice_eq(sip_stack_message(s)->call_id,
                         slice_str(hand_plain.call_id)));
    expect_event(s, SIP_EV_REQUEST, hand_plain.call_id);
    assert_int_equal(sip_stack_input(s, &from, two, 2), 0);
    expect_event(s, SIP_EV_REQUEST, "another-call");

    sip_stack_ahead(s, SLICE("OPTIONS sip:a SIP/2.0\r\n\r\n"));
    second[slice_find_slice(two, SLICE("another-call"))] = ' ';
    assert_int_equal(sip_stack_input(s, &from, two, 3), 0);
    expect_event(s, SIP_EV_REQUEST, "nother-call");

    sip_stack_ahead(s, two);
    sip_stack_ahead(s, nothing);
    second[slice_find_slice(two, SLICE("nother-call"))] = ' ';
    assert_int_equal(sip_stack_input(s, &from, two, 4), 0);
    expect_event(s, SIP_EV_REQUEST, "other-call");

    sip_stack_ahead(s, SLICE("SIP/2.0 garbage\r\n\r\n"));
    sip_stack_ahead(s, two);
    second[0] = ' ';
    sip_stack_ahead(s, two);
    assert_int_equal(sip_stack_input(s, &from, two, 5), GB_ESYNTAX);
    expect_event(s, SIP_EV_BAD, NULL);
    pair_fini(&p);
}

/* What was read ahead of an input that had to be refused is not taken for what lies
 * there later. */
static void refused_input_forgets(void **state)
{
    struct hand_req other = hand_plain;
    char text[1024];
    struct slice bytes;
    struct sip_peer from;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    other.call_id = "another-call";
    bytes = hand_text(&other);
    memcpy(text, bytes.p, bytes.n);
    bytes.p = text;
    assert_int_equal(sip_stack_input(p.stack[0], &from, hand_text(&hand_plain),
                                     1), 0);
    sip_stack_ahead(p.stack[0], bytes);
    assert_int_equal(sip_stack_input(p.stack[0], &from, bytes, 1), GB_ESTATE);
    text[slice_find_slice(bytes, SLICE("another-call"))] = ' ';
    expect_event(p.stack[0], SIP_EV_REQUEST, hand_plain.call_id);
    assert_int_equal(sip_stack_input(p.stack[0], &from, bytes, 1), 0);
    expect_event(p.stack[0], SIP_EV_REQUEST, "nother-call");
    pair_fini(&p);
}

/* A steady stream of messages asks nothing of the allocator. */
static void no_allocation_in_steady_state(void **state)
{
    struct pair p;
    char call[16];
    struct hand_req r = hand_plain;
    unsigned long calls = 0;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    p.quiet = true;
    r.call_id = call;
    for (unsigned i = 0; i < 3000; i++) {
        struct sip_event ev;
        struct sip_out out;
        struct sip_response ok = { .status = 200, .expires = -1 };
        struct sip_peer from = pair_peer(&p, 0);

        snprintf(call, sizeof(call), "c%08u", i);
        p.now_ms += 100;
        sip_stack_tick(p.stack[0], p.now_ms);
        assert_int_equal(sip_stack_input(p.stack[0], &from, hand_text(&r),
                                         p.now_ms), 0);
        assert_true(sip_stack_event(p.stack[0], &ev));
        assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &ok,
                                           p.now_ms), 0);
        while (sip_stack_output(p.stack[0], &out))
            assert_true(out.bytes.n > 100);
        if (i == 1500)
            calls = p.mem[0].calls;
    }
    assert_int_equal(p.mem[0].calls, calls);
    pair_fini(&p);
}

/* A finished MESSAGE keeps its answer and little else. */
static void size_of_a_finished_transaction(void **state)
{
    struct pair p;
    char call[16];
    struct hand_req r = hand_plain;
    struct sip_counters c;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r.call_id = call;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(call, sizeof(call), "c%08u", i);
        hand_feed(&p, &r);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, i), 200);
    }
    c = pair_counters(&p, 0);
    assert_int_equal(c.transactions, 100);
    if (c.memory / 100 > 80)
        fail_msg("%llu bytes", (unsigned long long)c.memory / 100);
    pair_fini(&p);
}

/* The n-th allocation fails and all later ones: no crash, no leak, and once
 * there is memory again the stack works. */
static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 60; n++) {
        struct sip_stack_config cfg = { 0 };
        struct sip_stack *s = NULL;
        struct failing_alloc mem;
        struct sip_peer from = { .remote = { .family = GB_IPV4, .port = 9 } };
        struct hand_req inv = hand_plain;
        struct sip_event ev;
        struct sip_out out;
        struct sip_response r = { .status = 200, .expires = -1 };
        int err;

        failing_alloc_init(&mem, n);
        cfg.alloc = &mem.alloc;
        err = sip_stack_new(&s, &cfg);
        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            assert_int_equal(mem.live, 0);
            continue;
        }
        inv.method = "INVITE";
        for (unsigned round = 0; round < 2; round++) {
            bool answered = false;

            err = sip_stack_input(s, &from, hand_text(&inv), 10 + round);
            assert_true(err == 0 || err == GB_ENOMEM);
            while (sip_stack_event(s, &ev)) {
                err = sip_stack_respond(s, ev.transaction, &r, 20);
                assert_true(err == 0 || err == GB_ENOMEM);
                if (err == GB_ENOMEM) {
                    mem.fail_at = 0;
                    assert_int_equal(sip_stack_respond(s, ev.transaction, &r,
                                                       21), 0);
                }
                answered = true;
            }
            while (sip_stack_output(s, &out))
                ;
            mem.fail_at = 0;
            if (answered)
                break;
        }
        sip_stack_tick(s, 40000);
        while (sip_stack_event(s, &ev))
            ;
        sip_stack_free(s);
        assert_int_equal(mem.live, 0);
    }
}

static void undrained_events(void **state)
{
    struct sip_peer from;
    struct sip_event ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    assert_int_equal(
        sip_stack_input(p.stack[0], &from, hand_text(&hand_plain), 1), 0);
    assert_int_equal(
        sip_stack_input(p.stack[0], &from, hand_text(&hand_plain), 1),
        GB_ESTATE);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(
        sip_stack_input(p.stack[0], &from, hand_text(&hand_plain), 1), 0);
    assert_false(sip_stack_event(p.stack[0], &ev));
    pair_fini(&p);
}

static void tokens(void **state)
{
    char a[16], b[16];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, false);
    sip_stack_token(p.stack[0], a);
    sip_stack_token(p.stack[0], b);
    assert_memory_not_equal(a, b, 16);
    sip_stack_token(p.stack[1], b);
    assert_memory_not_equal(a, b, 16);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oldest_finished_go_first),
        cmocka_unit_test(dialogs_have_a_limit),
        cmocka_unit_test(one_call_id_many_tags),
        cmocka_unit_test(finished_ones_are_a_queue),
        cmocka_unit_test(finished_without_memory),
        cmocka_unit_test(the_message_at_hand),
        cmocka_unit_test(read_ahead),
        cmocka_unit_test(refused_input_forgets),
        cmocka_unit_test(no_allocation_in_steady_state),
        cmocka_unit_test(size_of_a_finished_transaction),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(undrained_events),
        cmocka_unit_test(tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
