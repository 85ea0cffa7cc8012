/* sip/stack: a dialog that is over takes with it what is open in it. Side 0
 * calls; side 1 answers its INFO with 481 (RFC 3261 §12.2.1.2). */
#include "test/pair.h"

#define ID "34020000001320000001"

static uint64_t dialog[2];
static unsigned n_invites[2];

/* The first INVITE is accepted, later ones wait. */
static void on_event(struct pair *p, int side, const struct sip_event *ev)
{
    struct sip_response r = { .status = 200, .expires = -1,
                              .contact = SLICE("sip:" ID "@192.0.2.2:5060"),
                              .content_type = SLICE("application/sdp"),
                              .body = SLICE("v=0\r\n") };

    if (ev->kind != SIP_EV_REQUEST)
        return;
    if (ev->msg->method == SIP_METHOD_INFO) {
        r = (struct sip_response){ .status = 481, .expires = -1 };
    } else {
        if (n_invites[side]++ || side == 0)
            return;
        dialog[1] = ev->dialog;
    }
    assert_int_equal(sip_stack_respond(p->stack[side], ev->transaction, &r,
                                       p->now_ms), 0);
}

static struct sip_request request(const struct pair *p, int side,
                                  enum sip_method method)
{
    struct sip_request r = {
        .method = method,
        .peer = pair_peer(p, side),
        .contact = side ? SLICE("sip:" ID "@192.0.2.2:5060")
                        : SLICE("sip:34020000002000000001@192.0.2.1:5060"),
        .expires = -1,
    };

    if (method == SIP_METHOD_INVITE) {
        r.content_type = SLICE("application/sdp");
        r.body = SLICE("v=0\r\n");
    }
    return r;
}

static void call(struct pair *p)
{
    struct sip_request r;

    pair_init(p, NULL, NULL, false);
    p->on_event = on_event;
    n_invites[0] = n_invites[1] = 0;
    r = request(p, 0, SIP_METHOD_INVITE);
    r.uri = SLICE("sip:" ID "@192.0.2.2:5060");
    r.from = SLICE("sip:34020000002000000001@3402000000");
    r.to = SLICE("sip:" ID "@3402000000");
    assert_int_equal(sip_stack_invite(p->stack[0], &r, p->now_ms, &dialog[0]),
                     0);
    pair_pump(p);
    pair_run(p, p->now_ms + 100);
    assert_int_equal(pair_count(p, 0, "ACK"), 1);
}

static void send_in(struct pair *p, int side, enum sip_method method)
{
    struct sip_request r = request(p, side, method);
    uint64_t id;

    assert_int_equal(sip_stack_request_in(p->stack[side], dialog[side], &r,
                                          p->now_ms, &id), 0);
    pair_pump(p);
    pair_run(p, p->now_ms + 300);
}

static void our_invite_is_cancelled(void **state)
{
    struct pair p;

    (void)state;
    call(&p);
    send_in(&p, 0, SIP_METHOD_INVITE);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 0);
    send_in(&p, 0, SIP_METHOD_INFO);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 481), 1);
    assert_int_equal(pair_count(&p, 0, "CANCEL"), 1);
    assert_int_equal(pair_count(&p, 1, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 487), 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_FAILED, 0), 0);
    pair_fini(&p);
}

static void their_invite_is_answered(void **state)
{
    struct pair p;

    (void)state;
    call(&p);
    send_in(&p, 1, SIP_METHOD_INVITE);
    assert_int_equal(n_invites[0], 1);
    send_in(&p, 0, SIP_METHOD_INFO);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 481), 1);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 1, SIP_EV_RESPONSE, 487), 1);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_invite_is_cancelled),
        cmocka_unit_test(their_invite_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
