/* Every message of test/data/sip/torture through a whole stack: as a datagram,
 * and over a stream that is cut at every byte. The layer above answers 200 to
 * what it is told of, so what comes back else is the stack's own judgement. */
#include "test/torture.h"

#include "sip/stack.h"

static struct sip_stack *stack;

static const struct sip_peer *peer(bool tcp)
{
    static struct sip_peer p = {
        .local = { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
        .remote = { .family = GB_IPV4, .ip = { 192, 0, 2, 9 }, .port = 5060 },
    };

    p.transport = tcp ? SIP_TCP : SIP_UDP;
    p.connection = tcp ? 3 : 0;
    return &p;
}

static void turn(bool tcp, struct slice bytes, struct torture_answers *a)
{
    struct sip_response ok = { .status = 200, .expires = -1 };
    struct sip_event ev;
    struct sip_out out;

    sip_stack_input(stack, peer(tcp), bytes, 1);
    while (sip_stack_event(stack, &ev))
        if (ev.kind == SIP_EV_REQUEST)
            assert_int_equal(sip_stack_respond_stateless(
                stack, ev.transaction, &ok, 1), 0);
    while (sip_stack_output(stack, &out)) {
        assert_int_equal(out.peer.remote.port, 5060);
        torture_note(a, out.bytes);
    }
}

static void over_stream(struct slice bytes, struct torture_answers *a)
{
    turn(true, bytes, a);
}

static void start(void)
{
    struct sip_stack_config cfg = { .alloc = &gb_alloc_heap };

    assert_int_equal(sip_stack_new(&stack, &cfg), 0);
}

/* Nobody was let in: nothing stays. */
static void stop(void)
{
    struct sip_counters c;

    sip_stack_counters(stack, &c);
    assert_int_equal(c.transactions, 0);
    assert_int_equal(c.dialogs, 0);
    assert_int_equal(c.memory, 0);
    sip_stack_free(stack);
}

static void as_datagrams(void **state)
{
    (void)state;
    start();
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice in = torture_load(c->name);

        for (int again = 0; again < 2; again++) {
            struct torture_answers a = { .n = 0 };

            if (again)
                sip_stack_ahead(stack, guarded(in));
            turn(false, guarded(in), &a);
            torture_expect_datagram(c->name, &c->stack, &a);
        }
        torture_let_go(in);
    }
    stop();
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    start();
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice in = torture_load(c->name);

        for (size_t at = 0; at <= in.n; at++) {
            struct torture_answers a = { .n = 0 };

            torture_stream(in, at, over_stream, &a);
            torture_expect_stream(c->name, &c->stack, at, &a);
        }
        torture_let_go(in);
    }
    stop();
}

/* bext01: what is asked for and not there is named. */
static void refusals_say_why(void **state)
{
    static const struct {
        const char *name;
        struct slice line;
    } lines[] = {
        { "bext01", S("\r\nUnsupported: nothingSupportsThis\r\n"
                      "Unsupported: nothingSupportsThisEither\r\n") },
        { "invut", S("\r\nAccept: application/sdp, ") },
        { "intmeth", S("\r\nAllow: INVITE, ") },
        { "zeromf", S("\r\nAllow: INVITE, ") }, /* OPTIONS, 200 */
    };

    (void)state;
    start();
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct sip_response ok = { .status = 200, .expires = -1 };
        struct slice in = torture_load(lines[i].name);
        struct sip_event ev;
        struct sip_out out;

        assert_int_equal(sip_stack_input(stack, peer(false), in, 1), 0);
        while (sip_stack_event(stack, &ev))
            sip_stack_respond_stateless(stack, ev.transaction, &ok, 1);
        assert_true(sip_stack_output(stack, &out));
        if (slice_find_slice(out.bytes, lines[i].line) == out.bytes.n)
            fail_msg("%s: %.*s", lines[i].name, SLICE_ARG(out.bytes));
        assert_false(sip_stack_output(stack, &out));
        torture_let_go(in);
    }
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_datagrams),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(refusals_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
