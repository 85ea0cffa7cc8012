/* sip/stack: requests that look like a part of something and are none: another
 * event under the same Call-ID, CANCEL and ACK from another address. The test
 * is the peer and writes its requests by hand. */
#include "test/pair.h"

#include <stdio.h>

#define ID "34020000002000000001"

static uint64_t subscription[4], invite;
static unsigned n_subscribed;
static struct sip_peer peer;

static void on_event(struct pair *p, int side, const struct sip_event *ev)
{
    struct sip_response ok = { .status = 200, .expires = 600 };

    if (ev->kind != SIP_EV_REQUEST)
        return;
    if (ev->msg->method == SIP_METHOD_INVITE)
        invite = ev->transaction;
    else if (ev->msg->method == SIP_METHOD_SUBSCRIBE)
        assert_int_equal(sip_stack_accept(p->stack[side], ev->transaction, &ok,
                                          0, p->now_ms,
                                          &subscription[n_subscribed++]), 0);
}

static void begin(struct pair *p)
{
    pair_init(p, NULL, NULL, true);
    p->on_event = on_event;
    peer = pair_peer(p, 0);
    n_subscribed = 0;
    invite = 0;
}

static struct sip_counters counters(const struct pair *p)
{
    struct sip_counters c;

    sip_stack_counters(p->stack[0], &c);
    return c;
}

static void inject(struct pair *p, const struct sip_peer *from,
                   const char *method, const char *branch, unsigned cseq,
                   const char *to_tag, const char *more)
{
    char text[1024];
    int n = snprintf(text, sizeof(text),
                     "%s sip:" ID "@192.0.2.1 SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK%s\r\n"
                     "From: <sip:up@192.0.2.2>;tag=t1\r\n"
                     "To: <sip:" ID "@192.0.2.1>%s%s\r\nCall-ID: same\r\n"
                     "CSeq: %u %s\r\nContact: <sip:up@192.0.2.2>\r\n"
                     "Max-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
                     method, branch, to_tag ? ";tag=" : "",
                     to_tag ? to_tag : "", cseq, method, more);

    assert_int_equal(pair_inject_from(p, 0, from, slice_of(text, (size_t)n)),
                     0);
}

static struct sip_peer elsewhere(void)
{
    struct sip_peer p = peer;

    p.remote.ip[3] = 66;
    return p;
}

/* Subscribers forget the To tag of a refresh, but what they ask for is another
 * subscription when it is another event. */
static void another_event_is_no_refresh(void **state)
{
    static const struct {
        const char *event;
        unsigned subscriptions;
    } cases[] = {
        { "Event: Catalog\r\n", 1 },
        { "Event: Alarm\r\n", 2 },
        { "Event: Catalog\r\n", 2 },
        { "Event: Catalog;id=7\r\n", 2 },
        { "Event: alarm\r\n", 2 },
        { "Event: MobilePosition\r\n", 3 },
    };
    struct pair p;

    (void)state;
    begin(&p);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char branch[8];

        snprintf(branch, sizeof(branch), "b%zu", i);
        n_subscribed = 0;
        inject(&p, &peer, "SUBSCRIBE", branch, (unsigned)i + 1, NULL,
               cases[i].event);
        assert_int_equal(n_subscribed, 1);
        if (counters(&p).subscriptions != cases[i].subscriptions)
            fail_msg("%zu: %s gives %u", i, cases[i].event,
                     counters(&p).subscriptions);
    }
    pair_fini(&p);
}

static void cancel_from_elsewhere(void **state)
{
    struct sip_peer stranger;
    struct pair p;

    (void)state;
    begin(&p);
    stranger = elsewhere();
    inject(&p, &peer, "INVITE", "inv", 1, NULL, "");
    assert_true(invite);
    inject(&p, &stranger, "CANCEL", "inv", 1, NULL, "");
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 481"), 1);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 0);
    stranger = peer; /* the same host: a NAT gives it another port */
    stranger.remote.port++;
    inject(&p, &stranger, "CANCEL", "inv", 1, NULL, "");
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    pair_fini(&p);
}

/* It would keep the answer from the one who waits for it. */
static void ack_from_elsewhere(void **state)
{
    const struct sip_response busy = { .status = 486, .expires = -1 };
    struct sip_peer stranger;
    char tag[64] = "";
    struct slice to;
    struct pair p;

    (void)state;
    begin(&p);
    stranger = elsewhere();
    inject(&p, &peer, "INVITE", "inv", 1, NULL, "");
    assert_int_equal(sip_stack_respond(p.stack[0], invite, &busy, p.now_ms), 0);
    pair_pump(&p);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 1);
    to = pair_header(pair_find(&p, 0, "SIP/2.0 486", 0)->bytes, "To");
    to = slice_from(to, slice_find_slice(to, SLICE("tag=")) + 4);
    assert_true(slice_copy(tag, sizeof(tag), to));
    inject(&p, &stranger, "ACK", "inv", 1, tag, "");
    pair_run(&p, p.now_ms + 600);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 2);
    inject(&p, &peer, "ACK", "inv", 1, tag, "");
    pair_run(&p, p.now_ms + 4000);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 2);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_event_is_no_refresh),
        cmocka_unit_test(cancel_from_elsewhere),
        cmocka_unit_test(ack_from_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
