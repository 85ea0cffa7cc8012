/* sip/stack_large.c: requests larger than a datagram should be (RFC 3261
 * §18.1.1): over TCP, and back when nobody takes the connection. The test is the
 * peer and the edge. */
#include "test/byhand.h"

#include <stdlib.h>

#define LIMIT 1300
#define CONNECTION 9

static char padding[4000];

static const struct sip_stack_config config = { .large_bytes = LIMIT };

static void start(struct pair *p)
{
    pair_init(p, NULL, &config, true);
}

static struct sip_request request(const struct pair *p, size_t body)
{
    struct sip_request r = hand_message(p);

    memset(padding, 'x', sizeof(padding));
    r.body = slice_of(padding, body);
    r.peer.dial = true;
    return r;
}

static void answer(struct pair *p, const struct pair_sent *m, unsigned status)
{
    struct hand_ans a = hand_ok;

    a.status = status;
    a.contact = "<sip:" HAND_ID "@192.0.2.2:5060>";
    a.body = NULL;
    hand_answer(p, m, &a);
}

static const struct pair_sent *ask(struct pair *p, const struct sip_request *r)
{
    uint64_t id;

    assert_int_equal(sip_stack_request(p->stack[0], r, p->now_ms, &id), 0);
    pair_pump(p);
    return pair_last(p);
}

static const struct pair_sent *call(struct pair *p, uint64_t *dialog)
{
    struct sip_request r = request(p, 2000);

    r.contact = SLICE("sip:34020000002000000001@192.0.2.1:5060");
    r.content_type = SLICE("application/sdp");
    assert_int_equal(sip_stack_invite(p->stack[0], &r, p->now_ms, dialog), 0);
    pair_pump(p);
    return pair_last(p);
}

static void dialled(struct pair *p, const struct pair_sent *m, uint64_t id)
{
    sip_stack_dialled(p->stack[0], &m->peer, id);
    pair_pump(p);
}

static void closed(struct pair *p, uint64_t id)
{
    sip_stack_closed(p->stack[0], id, p->now_ms);
    pair_pump(p);
}

static bool is_over(const struct pair_sent *m, enum sip_transport t)
{
    return m->peer.transport == t &&
           slice_has_prefix(pair_header(m->bytes, "Via"),
                            t == SIP_TCP
                                ? SLICE("SIP/2.0/TCP 192.0.2.1:5060;")
                                : SLICE("SIP/2.0/UDP 192.0.2.1:5060;"));
}

/* ---- which go over TCP ------------------------------------------------- */

static void the_limit_is_exact(void **state)
{
    const struct pair_sent *m;
    struct sip_request r;
    struct pair p;
    size_t head;

    (void)state;
    start(&p);
    r = request(&p, 1000); /* four digits of Content-Length, as below */
    head = ask(&p, &r)->bytes.n - 1000;
    for (int more = 0; more < 2; more++) {
        /* a tag or a CSeq may have one digit more than another time */
        r.cseq = 7;
        r.body.n = LIMIT - head + (size_t)more;
        m = ask(&p, &r);
        r.body.n += LIMIT + (size_t)more - m->bytes.n;
        m = ask(&p, &r);
        assert_int_equal(m->bytes.n, LIMIT + more);
        assert_true(is_over(m, more ? SIP_TCP : SIP_UDP));
    }
    pair_fini(&p);
}

static void only_where_it_may(void **state)
{
    static const struct {
        const char *name;
        bool dial, tcp;
        uint32_t limit;
        enum sip_transport want;
    } cases[] = {
        { "large", true, false, LIMIT, SIP_TCP },
        { "behind a NAT", false, false, LIMIT, SIP_UDP },
        { "switched off", true, false, 0, SIP_UDP },
        { "over TCP already", true, true, LIMIT, SIP_TCP },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct pair_wire wire = { .tcp = cases[i].tcp };
        struct sip_stack_config c = { .large_bytes = cases[i].limit };
        const struct pair_sent *m;
        struct sip_request r;
        struct pair p;

        pair_init(&p, &wire, &c, true);
        r = request(&p, 2000);
        r.peer.dial = cases[i].dial;
        m = ask(&p, &r);
        if (!is_over(m, cases[i].want))
            fail_msg("%s", cases[i].name);
        assert_int_equal(m->peer.connection, cases[i].tcp ? 77 : 0);
        assert_int_equal(pair_counters(&p, 0).over_tcp,
                         cases[i].want == SIP_TCP && !cases[i].tcp);
        pair_fini(&p);
    }
}

static void note_17_6_large_requests_go_over_tcp(void **state)
{
    const struct pair_sent *m;
    struct sip_request r;
    struct pair p;

    (void)state;
    start(&p);
    r = request(&p, 2000);
    m = ask(&p, &r);
    assert_true(m->peer.dial);
    dialled(&p, m, CONNECTION);
    pair_run(&p, p.now_ms + 9000);
    assert_int_equal(p.n_sent, 1); /* TCP repeats by itself */
    answer(&p, m, 200);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    closed(&p, CONNECTION); /* nobody waits for it any more */
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(pair_counters(&p, 0).back_to_udp, 0);
    assert_int_equal(pair_counters(&p, 0).memory, 0);
    pair_fini(&p);
}

/* ---- and back ---------------------------------------------------------- */

/* The same message but for the name of the transport: a peer that has read it
 * already takes it for a repeat. */
static void expect_same(const struct pair_sent *tcp,
                        const struct pair_sent *udp)
{
    size_t n = tcp->bytes.n, differ = 0;

    assert_true(is_over(tcp, SIP_TCP) && is_over(udp, SIP_UDP));
    assert_int_equal(udp->bytes.n, n);
    for (size_t i = 0; i < n; i++)
        differ += tcp->bytes.p[i] != udp->bytes.p[i];
    assert_int_equal(differ, 2); /* TC, UD */
}

static void nobody_listens(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    for (int begun = 0; begun < 2; begun++) {
        start(&p);
        r = request(&p, 2000);
        ask(&p, &r);
        pair_run(&p, p.now_ms + 1000);
        if (begun) {
            dialled(&p, &p.sent[0], CONNECTION);
            closed(&p, CONNECTION);
        } else {
            struct sip_peer peer = p.sent[0].peer;

            sip_stack_send_failed(p.stack[0], &peer, p.now_ms);
            pair_pump(&p);
        }
        assert_int_equal(p.n_sent, 2);
        expect_same(&p.sent[0], &p.sent[1]);
        assert_int_equal(p.sent[1].peer.connection, 0);
        pair_run(&p, p.now_ms + 500); /* UDP again: it is repeated */
        assert_int_equal(p.n_sent, 3);
        answer(&p, &p.sent[1], 200);
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
        assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
        assert_int_equal(pair_counters(&p, 0).back_to_udp, 1);
        pair_settle(&p, 40000);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

static void it_is_remembered(void **state)
{
    struct pair p;
    struct sip_request r, other;
    uint64_t since_ms;

    (void)state;
    start(&p);
    r = other = request(&p, 2000);
    other.peer.remote.port = 5070;
    dialled(&p, ask(&p, &r), CONNECTION);
    closed(&p, CONNECTION);
    since_ms = p.now_ms;
    assert_true(is_over(pair_last(&p), SIP_UDP));
    assert_true(is_over(ask(&p, &r), SIP_UDP));
    assert_true(is_over(ask(&p, &other), SIP_TCP));
    pair_run(&p, since_ms + 599999);
    assert_true(is_over(ask(&p, &r), SIP_UDP));
    pair_run(&p, since_ms + 600000);
    assert_true(is_over(ask(&p, &r), SIP_TCP));
    pair_fini(&p);
}

/* More peers that refuse than places: the oldest is tried again. */
static void many_that_refuse(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    start(&p);
    r = request(&p, 2000);
    for (unsigned i = 0; i < 65; i++) {
        r.peer.remote.port = (uint16_t)(6000 + i);
        dialled(&p, ask(&p, &r), CONNECTION + i);
        pair_run(&p, p.now_ms + 1);
        closed(&p, CONNECTION + i);
    }
    assert_true(is_over(ask(&p, &r), SIP_UDP));
    r.peer.remote.port = 6001;
    assert_true(is_over(ask(&p, &r), SIP_UDP));
    r.peer.remote.port = 6000;
    assert_true(is_over(ask(&p, &r), SIP_TCP));
    pair_fini(&p);
}

static void only_its_own_connection(void **state)
{
    struct pair p;
    struct sip_request r;

    (void)state;
    start(&p);
    r = request(&p, 2000);
    ask(&p, &r);
    ask(&p, &r);
    r.peer.remote.port = 5070;
    ask(&p, &r);
    dialled(&p, &p.sent[0], CONNECTION);
    dialled(&p, &p.sent[2], CONNECTION + 1);
    closed(&p, CONNECTION);
    assert_int_equal(p.n_sent, 5); /* both of them */
    assert_int_equal(pair_counters(&p, 0).back_to_udp, 2);
    closed(&p, CONNECTION);
    closed(&p, 0);
    assert_int_equal(p.n_sent, 5);
    closed(&p, CONNECTION + 1);
    assert_int_equal(p.n_sent, 6);
    assert_int_equal(pair_last(&p)->peer.remote.port, 5070);
    pair_fini(&p);
}

/* The layer above waits no longer than it said, whichever way it goes. */
static void the_time_is_one(void **state)
{
    struct pair p;
    struct sip_request r;
    uint64_t since_ms;

    (void)state;
    start(&p);
    r = request(&p, 2000);
    r.timeout_ms = 5000;
    since_ms = p.now_ms;
    dialled(&p, ask(&p, &r), CONNECTION);
    pair_run(&p, since_ms + 3000);
    closed(&p, CONNECTION);
    pair_run(&p, since_ms + 4999);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_run(&p, since_ms + 5000);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 408), 1);
    pair_fini(&p);
}

/* Who says "busy" over TCP means the peer, not the way. */
static void busy_is_the_peer(void **state)
{
    struct sip_stack_config c = { .large_bytes = LIMIT,
                                  .obey_retry_after = true };
    struct hand_ans later = { .status = 503, .to_tag = "t1",
                              .more = "Retry-After: 30\r\n" };
    struct pair p;
    struct sip_request r;
    uint64_t id;

    (void)state;
    pair_init(&p, NULL, &c, true);
    r = request(&p, 2000);
    dialled(&p, ask(&p, &r), CONNECTION);
    answer(&p, pair_last(&p), 503); /* without a time: nothing */
    assert_int_equal(sip_stack_busy_s(p.stack[0], &r.peer, p.now_ms), 0);
    dialled(&p, ask(&p, &r), CONNECTION);
    hand_answer(&p, pair_last(&p), &later);
    assert_int_equal(sip_stack_busy_s(p.stack[0], &r.peer, p.now_ms), 30);
    r.body.n = 8;
    assert_int_equal(sip_stack_request(p.stack[0], &r, p.now_ms, &id),
                     GB_EBUSY);
    pair_fini(&p);
}

/* ---- INVITE ------------------------------------------------------------ */

static void invite_over_tcp(void **state)
{
    struct pair p;
    uint64_t dialog;

    (void)state;
    start(&p);
    dialled(&p, call(&p, &dialog), CONNECTION);
    answer(&p, &p.sent[0], 486);
    assert_int_equal(p.n_sent, 2); /* the ACK goes the same way */
    assert_true(is_over(&p.sent[1], SIP_TCP));
    assert_int_equal(p.sent[1].peer.connection, CONNECTION);

    dialled(&p, call(&p, &dialog), CONNECTION);
    answer(&p, &p.sent[2], 180);
    sip_stack_end(p.stack[0], dialog, p.now_ms);
    pair_pump(&p);
    assert_true(slice_has_prefix(pair_last(&p)->bytes, SLICE("CANCEL ")));
    assert_true(is_over(pair_last(&p), SIP_TCP));
    assert_int_equal(pair_last(&p)->peer.connection, CONNECTION);
    pair_fini(&p);
}

/* Small requests of the dialog stay on UDP, where the peer is registered. */
static void dialog_over_udp(void **state)
{
    struct pair p;
    uint64_t dialog;

    (void)state;
    for (int back = 0; back < 2; back++) {
        start(&p);
        dialled(&p, call(&p, &dialog), CONNECTION);
        if (back) {
            closed(&p, CONNECTION);
            assert_int_equal(p.n_sent, 2);
            expect_same(&p.sent[0], &p.sent[1]);
        }
        answer(&p, pair_last(&p), 200);
        assert_true(slice_has_prefix(pair_last(&p)->bytes, SLICE("ACK ")));
        assert_true(is_over(pair_last(&p), SIP_UDP));
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
        sip_stack_end(p.stack[0], dialog, p.now_ms);
        pair_pump(&p);
        assert_true(slice_has_prefix(pair_last(&p)->bytes, SLICE("BYE ")));
        assert_true(is_over(pair_last(&p), SIP_UDP));
        pair_fini(&p);
    }
}

/* It was heard: another try would ring twice. */
static void lost_after_ringing(void **state)
{
    struct pair p;
    uint64_t dialog;

    (void)state;
    start(&p);
    dialled(&p, call(&p, &dialog), CONNECTION);
    answer(&p, &p.sent[0], 100);
    closed(&p, CONNECTION);
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 503), 1);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    pair_fini(&p);
}

/* ---- memory ------------------------------------------------------------ */

static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 30; n++) {
        struct sip_request r;
        struct pair p;
        uint64_t id;
        int err;

        start(&p);
        p.mem[0].fail_at = p.mem[0].calls + n;
        r = request(&p, 2000);
        err = sip_stack_request(p.stack[0], &r, p.now_ms, &id);
        assert_true(err == 0 || err == GB_ENOMEM);
        pair_pump(&p);
        if (p.n_sent)
            dialled(&p, &p.sent[0], CONNECTION);
        closed(&p, CONNECTION);
        pair_run(&p, p.now_ms + 2000);
        p.mem[0].fail_at = 0;
        pair_settle(&p, 200000);
        if (!err) /* told once, whatever was short */
            assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 1);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(only_where_it_may),
        cmocka_unit_test(note_17_6_large_requests_go_over_tcp),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(it_is_remembered),
        cmocka_unit_test(many_that_refuse),
        cmocka_unit_test(only_its_own_connection),
        cmocka_unit_test(the_time_is_one),
        cmocka_unit_test(busy_is_the_peer),
        cmocka_unit_test(invite_over_tcp),
        cmocka_unit_test(dialog_over_udp),
        cmocka_unit_test(lost_after_ringing),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
