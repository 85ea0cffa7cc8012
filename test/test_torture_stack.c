/* Every message of test/data/sip/torture through a whole stack: as a datagram,
 * and over a stream that is cut at every byte. The layer above answers 200 to
 * what it is told of, so what comes back else is the stack's own judgement. */
#include "test/torture.h"

#include "sip/stack.h"

static const struct torture_case cases[] = {
    { "wsinv", 481, 481, 0 },
    { "wsinv-lf", 481, 481, 0 },
    { "intmeth", 501, 501, 0 },
    { "esc01", 200, 200, 0 },
    { "escnull", 200, 200, 0 },
    { "esc02", 501, 501, 0 },
    { "lwsdisp", 200, 200, 0 },
    { "longreq", 200, 200, 0 },
    { "dblreq", 200, 200, 200 }, /* trailing octets */
    { "semiuri", 200, 200, 0 },
    { "transports", 200, 200, 0 },
    { "mpart01", 200, 200, 0 },
    { "mpart-xml", 200, 200, 0 },
    { "unreason", 0, 0, 0 },
    { "noreason", 0, 0, 0 },
    { "noreason-nosp", 0, 0, 0 },
    { "badinv01", 200, 200, 0 },
    { "clerr", 400, 0, 0 }, /* a stream waits for the rest */
    { "clerr-xml-closed", 200, 0, 0 },
    { "clerr-xml-open", 400, 0, 0 },
    { "clsmall-xml", 200, 200, 0 },
    { "clsmall-text", 200, 200, 0 },
    { "clspaces", 200, 200, 0 },
    { "nolength-udp", 200, 200, 0 },
    { "ncl", 400, 400, 0 },
    { "scalar02", 400, 400, 0 },
    { "scalar02-maxfwd", 400, 400, 0 },
    { "scalar02-expires", 200, 200, 0 },
    { "scalarlg", 0, 0, 0 },
    { "quotbal", 400, 400, 0 },
    { "ltgtruri", 200, 200, 0 },
    { "lwsruri", 400, 400, 0 },
    { "lwsstart", 200, 200, 0 },
    { "trws", 200, 200, 0 },
    { "escruri", 400, 400, 0 },
    { "baddate", 200, 200, 0 },
    { "regbadct", 200, 200, 0 }, /* the registrar refuses its Contact */
    { "badaspec", 200, 200, 0 },
    { "baddn", 200, 200, 0 },
    { "badvers", 505, 505, 0 },
    { "lowvers", 200, 200, 0 },
    { "mismatch01", 400, 400, 0 },
    { "mismatch02", 400, 400, 0 },
    { "bigcode", 0, 0, 0 },
    { "badbranch", 200, 200, 0 },
    { "insuf", 400, 400, 0 },
    { "insuf-novia", 0, 0, 0 },
    { "unkscm", 416, 416, 0 },
    { "novelsc", 416, 416, 0 },
    { "unksm2", 400, 400, 0 },
    { "bext01", 420, 420, 0 },
    { "invut", 415, 415, 0 }, /* not SDP */
    { "regaut01", 200, 200, 0 },
    { "multi01", 400, 400, 0 },
    { "twice-cseq", 400, 400, 0 },
    { "twice-call-id", 400, 400, 0 },
    { "twice-to", 400, 400, 0 },
    { "twice-from", 400, 400, 0 },
    { "twice-max-forwards", 400, 400, 0 },
    { "mcl01", 400, 400, 0 },
    { "mcl01-equal", 400, 400, 0 },
    { "bcast", 0, 0, 0 },
    { "zeromf", 200, 200, 0 },
    { "cparam01", 200, 200, 0 },
    { "cparam02", 200, 200, 0 },
    { "regescrt", 200, 200, 0 },
    { "sdp01", 406, 406, 0 }, /* accepts no SDP */
    { "inv2543", 200, 400, 0 }, /* no Content-Length: 400, then close */
    { "ipv6-good", 200, 200, 0 },
    { "ipv6-bad", 400, 400, 0 },
    { "port-ambiguous", 200, 200, 0 },
    { "port-unambiguous", 200, 200, 0 },
    { "via-received-param-with-delim", 200, 200, 0 },
    { "via-received-param-no-delim", 200, 200, 0 },
    { "ipv6-in-sdp", 200, 200, 0 },
    { "mult-ip-in-header", 200, 200, 0 }, /* BYE of nothing: see stack_refuse.c */
    { "mult-ip-in-sdp", 200, 200, 0 },
    { "ipv4-mapped-ipv6", 200, 200, 0 },
    { "ipv6-bug-abnf-3-colons", 400, 400, 0 },
    { "ipv6-correct-abnf-2-colons", 200, 200, 0 },
    { "ipv6-any", 200, 200, 0 },
    { "ipv6-loopback", 200, 200, 0 },
    { "ipv6-upper", 200, 200, 0 },
    { "ipv6-zone", 400, 400, 0 },
    { "ipv6-nine-groups", 400, 400, 0 },
    { "ipv6-two-gaps", 400, 400, 0 },
    { "ipv6-five-digits", 400, 400, 0 },
    { "ipv6-no-bracket", 400, 400, 0 },
    { "ipv6-empty-port", 400, 400, 0 },
    { "ipv6-port-zero", 400, 400, 0 },
    { "ipv6-port-large", 400, 400, 0 },
    { "ipv6-port-letter", 400, 400, 0 },
    { "fold-first", 400, 400, 0 },
    { "bare-cr", 400, 400, 0 },
    { "nocolon", 400, 400, 0 },
    { "toomany", 513, 513, 0 },
    { "uritoolong", 414, 414, 0 },
    { "bodytoolarge", 413, 413, 0 },
    { "ack-broken", 0, 0, 0 },
    { "star-to", 400, 400, 0 },
    { "leading-crlf", 200, 200, 0 },
    { "http", 0, 0, 0 },
    { "keepalive", 0, 0, 0 },
    { "wvp-branch", 200, 200, 0 },
    { "nospace", 200, 200, 0 },
};

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
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = torture_load(cases[i].name);

        for (int again = 0; again < 2; again++) {
            struct torture_answers a = { .n = 0 };

            if (again)
                sip_stack_ahead(stack, guarded(in));
            turn(false, guarded(in), &a);
            torture_expect_datagram(&cases[i], &a);
        }
        torture_let_go(in);
    }
    stop();
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = torture_load(cases[i].name);

        for (size_t at = 0; at <= in.n; at++) {
            struct torture_answers a = { .n = 0 };

            torture_stream(in, at, over_stream, &a);
            torture_expect_stream(&cases[i], at, &a);
        }
        torture_let_go(in);
    }
    stop();
}

static void every_file_has_a_line(void **state)
{
    (void)state;
    torture_count(COUNT(cases));
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
        cmocka_unit_test(every_file_has_a_line),
        cmocka_unit_test(refusals_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
