/* Every message of test/data/sip/torture to a whole platform, from a device
 * that is registered (the one in its From, where that is an id): as a datagram,
 * and over a stream that is cut at every byte. */
#include "test/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/platform/platform.h"

#define APART_MS 40000 /* longer than any transaction lives */
#define CONNECTION 3
#define ANYBODY "34020000001320000099"

static const struct torture_case cases[] = {
    { "wsinv", 481, 481, 0 },
    { "wsinv-lf", 481, 481, 0 },
    { "intmeth", 501, 501, 0 },
    { "esc01", 403, 403, 0 }, /* escaped: no id */
    { "escnull", 403, 403, 0 }, /* likewise */
    { "esc02", 501, 501, 0 },
    { "lwsdisp", 200, 200, 0 },
    { "longreq", 404, 404, 0 },
    { "dblreq", 401, 401, 403 }, /* the INVITE behind is of nobody */
    { "semiuri", 200, 200, 0 },
    { "transports", 200, 200, 0 },
    { "mpart01", 415, 415, 0 }, /* no part that we read */
    { "mpart-xml", 200, 200, 0 },
    { "unreason", 0, 0, 0 },
    { "noreason", 0, 0, 0 },
    { "noreason-nosp", 0, 0, 0 },
    { "badinv01", 404, 404, 0 }, /* read; who is that? */
    { "clerr", 400, 0, 0 }, /* a stream waits for the rest */
    { "clerr-xml-closed", 200, 0, 0 }, /* likewise */
    { "clerr-xml-open", 400, 0, 0 }, /* likewise */
    { "clsmall-xml", 200, 400, 0 }, /* a stream ends where it says */
    { "clsmall-text", 415, 415, 0 }, /* not XML */
    { "clspaces", 200, 200, 0 },
    { "nolength-udp", 200, 200, 0 },
    { "ncl", 400, 400, 0 },
    { "scalar02", 400, 400, 0 },
    { "scalar02-maxfwd", 400, 400, 0 },
    { "scalar02-expires", 401, 401, 0 },
    { "scalarlg", 0, 0, 0 },
    { "quotbal", 400, 400, 0 },
    { "ltgtruri", 404, 404, 0 },
    { "lwsruri", 400, 400, 0 },
    { "lwsstart", 404, 404, 0 },
    { "trws", 200, 200, 0 },
    { "escruri", 400, 400, 0 },
    { "baddate", 200, 200, 0 },
    { "regbadct", 400, 400, 0 }, /* its Contact */
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
    { "regaut01", 401, 401, 0 },
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
    { "cparam01", 401, 401, 0 },
    { "cparam02", 401, 401, 0 },
    { "regescrt", 401, 401, 0 },
    { "sdp01", 406, 406, 0 }, /* accepts no SDP */
    { "inv2543", 404, 400, 0 }, /* no Content-Length */
    { "ipv6-good", 401, 401, 0 },
    { "ipv6-bad", 400, 400, 0 },
    { "port-ambiguous", 401, 401, 0 },
    { "port-unambiguous", 401, 401, 0 },
    { "via-received-param-with-delim", 200, 200, 0 }, /* BYE of nothing: see stack_refuse.c */
    { "via-received-param-no-delim", 200, 200, 0 },
    { "ipv6-in-sdp", 404, 404, 0 },
    { "mult-ip-in-header", 200, 200, 0 }, /* likewise */
    { "mult-ip-in-sdp", 404, 404, 0 },
    { "ipv4-mapped-ipv6", 404, 404, 0 },
    { "ipv6-bug-abnf-3-colons", 400, 400, 0 },
    { "ipv6-correct-abnf-2-colons", 200, 200, 0 },
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
};

static struct sip_stack *stack;
static struct platform *platform;
static struct gb_time now;
static bool tcp;

static struct sip_peer peer(void)
{
    struct sip_peer p = {
        .local = { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
        .remote = { .family = GB_IPV4, .ip = { 192, 0, 2, 9 }, .port = 5060 },
    };

    p.transport = tcp ? SIP_TCP : SIP_UDP;
    p.connection = tcp ? CONNECTION : 0;
    return p;
}

/* What comes out is an answer, or a question to the device. */
static void drain(struct torture_answers *a)
{
    struct platform_action action;
    struct sip_event ev;
    struct sip_out out;

    while (sip_stack_event(stack, &ev))
        platform_sip(platform, &ev, now);
    while (platform_action(platform, &action))
        continue;
    while (sip_stack_output(stack, &out)) {
        assert_int_equal(out.peer.remote.port, 5060);
        if (a && slice_has_prefix(out.bytes, SLICE("SIP/2.0 ")))
            torture_note(a, out.bytes);
        else
            torture_read(out.bytes);
    }
}

static void input(struct slice bytes, struct torture_answers *a)
{
    struct sip_peer from = peer();

    if (!platform_admits(platform, &from, bytes, now))
        return;
    sip_stack_input(stack, &from, bytes, now.mono_ms);
    drain(a);
}

static void pass(void)
{
    now.mono_ms += APART_MS;
    now.utc_ms += APART_MS;
    sip_stack_tick(stack, now.mono_ms);
    drain(NULL);
    platform_tick(platform, now);
    drain(NULL);
}

static bool is_id(struct slice user)
{
    for (size_t i = 0; i < user.n; i++)
        if (!ascii_is_digit(user.p[i]))
            return false;
    return user.n == 20;
}

/* Takes `in`; the result has `id` in the place of `part`, which lies in it. */
static struct slice put_id(struct slice in, struct slice part, struct slice id)
{
    size_t at = (size_t)(part.p - in.p), n = in.n - part.n + id.n;
    char *p = malloc(n);

    assert_non_null(p);
    memcpy(p, in.p, at);
    memcpy(p + at, id.p, id.n);
    memcpy(p + at + id.n, in.p + at + part.n, in.n - at - part.n);
    torture_let_go(in);
    return slice_of(p, n);
}

/* Takes the message and says whose it is. Names that are no ids of devices are
 * replaced by one in From, and in the To of a REGISTER: nothing is refused for
 * its name alone. Escaped ones, and those of a message that is not even read,
 * are its very point and stay. */
static struct slice spoken_by(struct slice in, struct slice *id)
{
    static struct sip_msg m;
    static char text[PLATFORM_ID_MAX];
    int err = sip_msg_parse(&m, in, SIP_DATAGRAM, NULL);
    struct slice from = m.from.uri.user, to = m.to.uri.user;

    *id = SLICE(ANYBODY);
    if (err || !m.is_request || !from.n || slice_find(from, '%') < from.n)
        return in;
    if (is_id(from)) {
        slice_copy(text, sizeof(text), from);
        *id = slice_of(text, from.n);
        return in;
    }
    if (m.method != SIP_METHOD_REGISTER || !to.n)
        return put_id(in, from, *id);
    if (to.p < from.p) { /* the later one first: it leaves the other in place */
        in = put_id(in, from, *id);
        sip_msg_parse(&m, in, SIP_DATAGRAM, NULL);
        return put_id(in, m.to.uri.user, *id);
    }
    in = put_id(in, to, *id);
    sip_msg_parse(&m, in, SIP_DATAGRAM, NULL);
    return put_id(in, m.from.uri.user, *id);
}

/* On a stream the first message of a restored device binds its connection. */
static void bind(struct slice id)
{
    char text[1024], body[256];
    int len = snprintf(body, sizeof(body),
                       "<Notify><CmdType>Keepalive</CmdType><SN>1</SN>"
                       "<DeviceID>%.*s</DeviceID><Status>OK</Status></Notify>",
                       SLICE_ARG(id));
    int n = snprintf(
        text, sizeof(text),
        "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bKbind\r\n"
        "From: <sip:%.*s@3402000000>;tag=1\r\n"
        "To: <sip:34020000002000000001@3402000000>\r\n"
        "Call-ID: bind\r\nCSeq: 1 MESSAGE\r\n"
        "Content-Type: Application/MANSCDP+xml\r\n"
        "Content-Length: %d\r\n\r\n%s",
        SLICE_ARG(id), len, body);
    struct torture_answers a = { .n = 0 };

    input(slice_of(text, (size_t)n), &a);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.status[0], 200);
}

static void start(struct slice id)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap, .seed = { 1 } };
    struct platform_config pc = { .id = "34020000002000000001",
                                  .realm = "3402000000",
                                  .password = "12345678",
                                  .auto_enrol = true,
                                  .rate_per_s = 1000000,
                                  .rate_burst = 1000000,
                                  .strangers_per_s = 1000000,
                                  .registers_per_s = 1000000 };
    struct platform_saved_device d = { .id = id, .peer = peer() };

    now = (struct gb_time){ 1000, 1700000000000 };
    assert_int_equal(sip_stack_new(&stack, &sc), 0);
    pc.sip = stack;
    assert_int_equal(platform_new(&platform, &pc, now), 0);
    d.expires_utc_ms = now.utc_ms + 600000000;
    assert_int_equal(platform_restore_device(platform, &d, now), 0);
    if (tcp)
        bind(id);
}

/* Nothing stays of any of them. */
static void stop(void)
{
    struct sip_counters c;

    pass();
    sip_stack_counters(stack, &c);
    assert_int_equal(c.dialogs, 0);
    platform_free(platform);
    sip_stack_free(stack);
}

static void as_datagrams(void **state)
{
    (void)state;
    tcp = false;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice id, in = spoken_by(torture_load(cases[i].name), &id);

        start(id);
        for (int again = 0; again < 2; again++) {
            struct torture_answers a = { .n = 0 };

            input(guarded(in), &a);
            torture_expect_datagram(&cases[i], &a);
            pass();
        }
        stop();
        torture_let_go(in);
    }
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    tcp = true;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice id, in = spoken_by(torture_load(cases[i].name), &id);

        start(id);
        for (size_t at = 0; at <= in.n; at++) {
            struct torture_answers a = { .n = 0 };

            torture_stream(in, at, input, &a);
            torture_expect_stream(&cases[i], at, &a);
            pass();
        }
        stop();
        torture_let_go(in);
    }
}

static void every_file_has_a_line(void **state)
{
    (void)state;
    torture_count(COUNT(cases));
}

/* From nobody that is known: nothing is accepted, nothing stays. That a BYE of
 * nothing is over needs no proof. */
static void from_strangers(void **state)
{
    (void)state;
    tcp = false;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice id, in = spoken_by(torture_load(cases[i].name), &id);
        struct torture_answers a = { .n = 0 };
        struct sip_counters c;

        start(SLICE("34020000001320000098"));
        input(guarded(in), &a);
        if (a.n > 1 || (a.status[0] / 100 == 2 &&
                        slice_find_slice(in, SLICE(" BYE\r\n")) == in.n))
            fail_msg("%s: %u", cases[i].name, a.status[0]);
        sip_stack_counters(stack, &c);
        assert_int_equal(c.transactions, 0);
        assert_int_equal(c.memory, 0);
        stop();
        torture_let_go(in);
    }
}

/* What we could read instead is told (RFC 3261 §8.2.3, §21.4.13). */
static void refusals_say_why(void **state)
{
    static const struct {
        const char *name;
        struct slice line;
    } lines[] = {
        { "mpart01", S("\r\nAccept: application/sdp, ") },
        { "invut", S("\r\nAccept: application/sdp, ") },
        { "intmeth", S("\r\nAllow: INVITE, ") },
        { "zeromf", S("\r\nAllow: INVITE, ") },
        { "regaut01", S("\r\nWWW-Authenticate: Digest ") },
        { "regbadct", S("\r\nX-GB-Ver: 3.0\r\n") },
    };

    (void)state;
    tcp = false;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct slice id, in = spoken_by(torture_load(lines[i].name), &id);
        struct sip_peer from;
        struct sip_event ev;
        struct sip_out out;

        start(id);
        from = peer();
        assert_int_equal(sip_stack_input(stack, &from, in, now.mono_ms), 0);
        while (sip_stack_event(stack, &ev))
            platform_sip(platform, &ev, now);
        assert_true(sip_stack_output(stack, &out));
        if (slice_find_slice(out.bytes, lines[i].line) == out.bytes.n)
            fail_msg("%s: %.*s", lines[i].name, SLICE_ARG(out.bytes));
        stop();
        torture_let_go(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_datagrams),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(every_file_has_a_line),
        cmocka_unit_test(from_strangers),
        cmocka_unit_test(refusals_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
