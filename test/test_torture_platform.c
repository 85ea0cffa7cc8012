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
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice id, in = spoken_by(torture_load(c->name), &id);

        start(id);
        for (int again = 0; again < 2; again++) {
            struct torture_answers a = { .n = 0 };

            input(guarded(in), &a);
            torture_expect_datagram(c->name, &c->platform, &a);
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
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice id, in = spoken_by(torture_load(c->name), &id);

        start(id);
        for (size_t at = 0; at <= in.n; at++) {
            struct torture_answers a = { .n = 0 };

            torture_stream(in, at, input, &a);
            torture_expect_stream(c->name, &c->platform, at, &a);
            pass();
        }
        stop();
        torture_let_go(in);
    }
}

/* From nobody that is known: nothing is accepted, nothing stays. That a BYE of
 * nothing is over needs no proof. */
static void from_strangers(void **state)
{
    (void)state;
    tcp = false;
    for (size_t i = 0; i < torture_n_cases; i++) {
        const struct torture_case *c = &torture_cases[i];
        struct slice id, in = spoken_by(torture_load(c->name), &id);
        struct torture_answers a = { .n = 0 };
        struct sip_counters left;

        start(SLICE("34020000001320000098"));
        input(guarded(in), &a);
        if (a.n > 1 || (a.status[0] / 100 == 2 &&
                        slice_find_slice(in, SLICE(" BYE\r\n")) == in.n))
            fail_msg("%s: %u", c->name, a.status[0]);
        sip_stack_counters(stack, &left);
        assert_int_equal(left.transactions, 0);
        assert_int_equal(left.memory, 0);
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
        cmocka_unit_test(from_strangers),
        cmocka_unit_test(refusals_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
