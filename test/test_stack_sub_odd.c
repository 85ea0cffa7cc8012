/* sip/stack: subscriptions of peers that are sloppy, limits, misuse, no memory,
 * and a storm. Where the peer must misbehave the test is it. */
#include "test/byhand.h"
#include "test/subpair.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- sloppy peers ------------------------------------------------------ */

/* What a device writes: the answer and NOTIFYs to the SUBSCRIBE that side 0 has
 * sent. Headers of a NOTIFY are NULL when they are to be left out. */
static struct slice reply(const struct pair *p, const char *status,
                          const char *more)
{
    static char text[2048];
    struct writer w = writer_of(text, sizeof(text));
    struct slice sent = p->sent[0].bytes;

    writer_f(&w, "SIP/2.0 %s\r\nVia: ", status);
    writer_slice_put(&w, pair_header(sent, "Via"));
    writer_str(&w, "\r\nFrom: ");
    writer_slice_put(&w, pair_header(sent, "From"));
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, pair_header(sent, "To"));
    writer_str(&w, ";tag=dev\r\nCall-ID: ");
    writer_slice_put(&w, pair_header(sent, "Call-ID"));
    writer_str(&w, "\r\nCSeq: ");
    writer_slice_put(&w, pair_header(sent, "CSeq"));
    writer_f(&w, "\r\n%sContent-Length: 0\r\n\r\n", more);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

struct device_notify {
    const char *name, *tag, *event, *state;
    unsigned cseq;
    bool ours; /* reported as SIP_EV_NOTIFY; else as any request */
    unsigned refused;
};

static struct slice write_notify(const struct pair *p,
                                 const struct device_notify *n)
{
    static char text[2048];
    struct writer w = writer_of(text, sizeof(text));
    struct slice sent = p->sent[0].bytes;
    static unsigned branch;

    writer_f(&w, "NOTIFY sip:platform@192.0.2.1 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKn%u\r\n"
                 "From: <sip:dev@dom>;tag=%s\r\nTo: ",
             branch++, n->tag);
    writer_slice_put(&w, pair_header(sent, "From"));
    writer_str(&w, "\r\nCall-ID: ");
    writer_slice_put(&w, pair_header(sent, "Call-ID"));
    writer_f(&w, "\r\nCSeq: %u NOTIFY\r\n", n->cseq);
    if (n->event)
        writer_f(&w, "Event: %s\r\n", n->event);
    if (n->state)
        writer_f(&w, "Subscription-State: %s\r\n", n->state);
    writer_str(&w, "Content-Length: 0\r\n\r\n");
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void sloppy_notifies(void **state)
{
    static const struct device_notify cases[] = {
        { "proper", "dev", "Catalog;id=1001", "active;expires=100", 1, true,
          0 },
        { "no id", "dev", "catalog", "active", 2, true, 0 },
        { "no Event", "dev", NULL, "active", 3, true, 0 },
        { "no state", "dev", "Catalog", NULL, 4, true, 0 },
        { "unknown state", "dev", "Catalog", "dozing", 5, true, 0 },
        { "unreadable state", "dev", "Catalog", "<>", 6, true, 0 },
        { "same number", "dev", "Catalog;id=1001", "pending", 6, true, 0 },
        { "older", "dev", "Catalog;id=1001", "active", 3, false, 500 },
        { "another id", "dev", "Catalog;id=7", "active", 7, false, 0 },
        { "another package", "dev", "presence", "active", 8, false, 0 },
        { "no package", "dev", "id=1001", "active", 9, false, 0 },
        { "a fork", "fork", "Catalog;id=1001", "active", 1, false, 0 },
    };
    struct sub_script s = { 0 };
    size_t ours = 0, foreign = 0;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_inject(&p, 0, reply(&p, "202 Accepted", "Expires: 900\r\n"));
    assert_int_equal(
        pair_event(&p, 0, SIP_EV_RESPONSE, 202, 0)->ev.sub.expires_s,
        600); /* never more than asked */
    for (size_t i = 0; i < COUNT(cases); i++) {
        p.now_ms++;
        pair_inject(&p, 0, write_notify(&p, &cases[i]));
        ours += cases[i].ours;
        foreign += !cases[i].ours && !cases[i].refused;
        if (pair_events(&p, 0, SIP_EV_NOTIFY, 0) != ours ||
            pair_events(&p, 0, SIP_EV_REQUEST, 0) != foreign)
            fail_msg("%s", cases[i].name);
    }
    assert_int_equal(pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0)->ev.sub.expires_s,
                     100); /* the shorter one holds */
    assert_int_equal(pair_event(&p, 0, SIP_EV_NOTIFY, 0, 3)->ev.sub.state,
                     SIP_SUB_ACTIVE);
    assert_int_equal(pair_event(&p, 0, SIP_EV_NOTIFY, 0, 4)->ev.sub.state,
                     SIP_SUB_OTHER);
    pair_run(&p, p.now_ms + 100000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, 1);
    sub_finish(&p);
}

/* Less than SIP_NOTIFY_SHORTEST_S shortens nothing, unless that is all there was. */
static void too_short_notifies(void **state)
{
    static const struct {
        unsigned granted_s;
        const char *state;
        unsigned left_s;
        bool not_shortened;
    } cases[] = {
        { 600, "active;expires=1", 600, true },
        { 600, "pending;expires=0", 600, true },
        { 600, "active;expires=59", 600, true },
        { 90, "active;expires=59", 90, false }, /* it counts as it may */
        { 600, "active;expires=60", 60, false },
        { 600, "active;expires=601", 600, false },
        { 600, "active", 600, false },
        { 50, "active;expires=9", 50, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct device_notify n = { "", "dev", "Catalog", cases[i].state,
                                         1, true, 0 };
        struct sub_script s = { 0 };
        struct sip_sub_view view;
        char granted[32];
        struct pair p;

        sub_start_with(&p, &s, &sub_wire, NULL, true);
        assert_int_equal(sub_subscribe(&p, 600), 0);
        snprintf(granted, sizeof(granted), "Expires: %u\r\n",
                 cases[i].granted_s);
        pair_inject(&p, 0, reply(&p, "200 OK", granted));
        pair_inject(&p, 0, write_notify(&p, &n));
        view = pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0)->ev.sub;
        if (view.expires_s != cases[i].left_s ||
            view.not_shortened != cases[i].not_shortened)
            fail_msg("%s: %u s left", cases[i].state, view.expires_s);
        pair_run(&p, p.now_ms + 1000 * (uint64_t)cases[i].left_s);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, 1);
        sub_finish(&p);
    }
}

/* One that has overtaken a 200 which grants little is no fault: nothing had been
 * granted before. */
static void a_short_notify_before_the_answer(void **state)
{
    const struct device_notify n = { "", "dev", "Catalog", "active;expires=30",
                                     1, true, 0 };
    struct sub_script s = { 0 };
    struct sip_sub_view view;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    pair_inject(&p, 0, write_notify(&p, &n));
    view = pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0)->ev.sub;
    assert_int_equal(view.expires_s, 600);
    assert_false(view.not_shortened);
    pair_inject(&p, 0, reply(&p, "200 OK", "Expires: 30\r\n"));
    assert_int_equal(pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s,
                     30);
    pair_run(&p, p.now_ms + 30000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, 1);
    sub_finish(&p);
}

/* Tags can be overheard: only the address that we asked may notify. */
static void notify_from_elsewhere(void **state)
{
    static const struct device_notify n = { "proper", "dev", "Catalog",
                                            "active", 1, true, 0 };
    struct sub_script s = { 0 };
    struct sip_peer other;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    other = pair_peer(&p, 0);
    other.remote.ip[3] = 99;
    pair_inject_from(&p, 0, &other, write_notify(&p, &n));
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 0);
    pair_expect(&p, 0, SIP_EV_REQUEST, 0, 1);
    sip_stack_move_subscription(p.stack[0], s.sub[0], &other);
    p.now_ms += 40000;
    pair_inject_from(&p, 0, &other, write_notify(&p, &n));
    sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
    pair_settle(&p, 100000);
    sub_finish(&p);
}

static void refresh_challenged(struct pair *p, uint64_t *sub, bool answers)
{
    struct sip_subscribe q = sub_request(p, 600);
    size_t n = p->n_sent;

    q.r.username = SLICE("me");
    q.r.password = SLICE("secret");
    assert_int_equal(sip_stack_subscribe(p->stack[0], &q, p->now_ms, sub), 0);
    pair_pump(p);
    assert_int_equal(p->n_sent, n + 1);
    pair_inject(p, 0,
                hand_challenge(&p->sent[n], 401,
                               "WWW-Authenticate: Digest realm=\"dom\", "
                               "nonce=\"n1\"\r\n"));
    assert_int_equal(p->n_sent, n + 1 + answers);
}

/* What answers a challenge is for the peer that it was given for, and not for
 * where the subscription has been moved to. */
static void a_login_stays_with_its_peer(void **state)
{
    struct hand_ans ok = hand_ok;
    struct sub_script s = { 0 };
    struct sip_peer other;
    struct pair p;

    (void)state;
    ok.more = "Expires: 600\r\n";
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    hand_answer(&p, &p.sent[0], &ok);
    refresh_challenged(&p, &s.sub[0], true);
    hand_answer(&p, &p.sent[p.n_sent - 1], &ok);
    other = pair_peer(&p, 0);
    other.remote.ip[3] = 99;
    sip_stack_move_subscription(p.stack[0], s.sub[0], &other);
    refresh_challenged(&p, &s.sub[0], false);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 401, 1);
    sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
    pair_settle(&p, 100000);
    sub_finish(&p);
}

/* An Event that has no package is compared as text. */
static void event_without_package(void **state)
{
    static const struct device_notify same = { "", "dev", "id=7", "active", 1,
                                               true, 0 };
    static const struct device_notify other = { "", "dev", "Catalog",
                                                "active", 2, true, 0 };
    struct sub_script s = { 0 };
    struct sip_subscribe q;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    q = sub_request(&p, 600);
    q.event = SLICE("id=7");
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &s.sub[0]),
                     0);
    pair_pump(&p);
    pair_inject(&p, 0, reply(&p, "200 OK", ""));
    assert_int_equal(
        pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s,
        600); /* no Expires: as asked */
    pair_inject(&p, 0, write_notify(&p, &same));
    pair_inject(&p, 0, write_notify(&p, &other));
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 1);
    pair_expect(&p, 0, SIP_EV_REQUEST, 0, 1);
    sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
    sub_finish(&p);
}

/* The 200 grants nothing: the NOTIFY that ends it may still come. */
static void granted_nothing(void **state)
{
    static const struct device_notify last = { "", "dev", "Catalog",
                                               "terminated;reason=rejected", 1,
                                               true, 0 };

    (void)state;
    for (int comes = 0; comes < 2; comes++) {
        struct sub_script s = { 0 };
        struct pair p;

        sub_start_with(&p, &s, &sub_wire, NULL, true);
        assert_int_equal(sub_subscribe(&p, 600), 0);
        pair_inject(&p, 0, reply(&p, "200 OK", "Expires: 0\r\n"));
        assert_int_equal(
            pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s, 0);
        if (comes)
            pair_inject(&p, 0, write_notify(&p, &last));
        pair_run(&p, p.now_ms + 33000);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, comes ? 200 : 408, 1);
        sub_finish(&p);
    }
}

/* A hidden one answers what still comes in. */
static void notify_after_the_end(void **state)
{
    static const struct device_notify more = { "", "dev", "Catalog", "active",
                                               1, true, 0 };
    static const struct device_notify last = { "", "dev", "Catalog",
                                               "terminated", 2, true, 0 };
    struct sub_script s = { 0 };
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    assert_int_equal(sub_subscribe(&p, 0), 0);
    pair_inject(&p, 0, write_notify(&p, &more));
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 1);
    assert_int_equal(pair_count(&p, 0, "SUBSCRIBE"), 2);
    pair_inject(&p, 0, write_notify(&p, &last));
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 2);
    assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
    assert_int_equal(p.n_seen, 0);
    sub_finish(&p);
}

/* ---- sloppy subscribers ------------------------------------------------ */

static struct slice write_subscribe(const char *branch, const char *to_tag,
                                    const char *cseq, const char *more)
{
    static char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, "SUBSCRIBE sip:dev@192.0.2.2 SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%s\r\n"
                 "From: <sip:up@dom>;tag=up\r\nTo: <sip:dev@dom>%s\r\n"
                 "Call-ID: c1\r\nCSeq: %s SUBSCRIBE\r\n%s"
                 "Content-Length: 0\r\n\r\n",
             branch, to_tag, cseq, more);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

/* Side 1 is a notifier; the test writes what it gets. */
static void refresh_without_to_tag(void **state)
{
    struct sub_script s = { .grants_s = 100 };
    struct slice tag;
    uint64_t first;
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    s.lose = "";
    s.lose_from = 1;
    s.lose_n = 100000; /* side 0 knows nothing of all this */
    pair_inject(&p, 1, write_subscribe("a", "", "9", "Event: presence\r\n"));
    first = s.sub[1];
    tag = sub_header(&p, 1, "SIP/2.0 200", 0, "To");
    expect_slice(sub_header(&p, 1, "SIP/2.0 200", 0, "Expires"),
                 "100"); /* none asked */
    pair_inject(&p, 1, write_subscribe("b", "", "9", "Expires: 50\r\n"));
    assert_true(s.sub[1] == first);
    assert_true(slice_eq(sub_header(&p, 1, "SIP/2.0 200", 1, "To"), tag));
    expect_slice(sub_header(&p, 1, "SIP/2.0 200", 1, "Expires"), "50");
    assert_int_equal(pair_counters(&p, 1).subscriptions, 1);
    pair_inject(&p, 1, write_subscribe("c", ";tag=wrong", "10", ""));
    assert_int_equal(pair_counters(&p, 1).subscriptions,
                     1); /* accept: ENOENT */
    pair_inject(&p, 1, write_subscribe("d", "", "9", "Expires: 0\r\n"));
    assert_int_equal(pair_counters(&p, 1).subscriptions, 0);
    expect_slice(sub_header(&p, 1, "NOTIFY", 0, "Event"), "presence");
    s.lose_n = 0;
    sub_finish(&p);
}

/* A fetch: one NOTIFY and over (RFC 6665 §4.4.3). */
static void asked_for_no_time(void **state)
{
    struct sub_script s = { 0 };
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    pair_inject(&p, 1, write_subscribe("a", "", "1", "Expires: 0\r\n"));
    assert_true(s.sub[1] == 0);
    expect_slice(sub_header(&p, 1, "SIP/2.0 200", 0, "Expires"), "0");
    expect_slice(sub_header(&p, 1, "NOTIFY", 0, "Subscription-State"),
                 "terminated;reason=timeout");
    assert_true(sub_header(&p, 1, "NOTIFY", 0, "Event").n == 0);
    sub_finish(&p);
}

/* ---- limits and misuse ------------------------------------------------- */

static void limits(void **state)
{
    const struct sip_stack_config cfg = { .max_subscriptions = 2 };
    struct sub_script s = { .mute = true };
    struct sip_subscribe q;
    uint64_t id;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, &cfg, false);
    for (int i = 0; i < 3; i++) {
        q = sub_request(&p, 100);
        id = 0;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                         i < 2 ? 0 : GB_ELIMIT);
    }
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(pair_counters(&p, 0).subscriptions, 2);
    assert_int_equal(pair_counters(&p, 1).subscriptions, 2);
    sub_finish(&p);
}

/* One Call-ID makes no more than STK_MAX_SAME_CALL of them. */
static void same_call_id(void **state)
{
    struct sub_script s = { .mute = true };
    struct sip_subscribe q;
    uint64_t id;
    int err = 0;
    unsigned n = 0;
    struct pair p;

    (void)state;
    sub_start_with(&p, &s, &sub_wire, NULL, true);
    while (!err && n < 100) {
        char tag[8];

        snprintf(tag, sizeof(tag), "t%u", n);
        q = sub_request(&p, 10);
        q.r.call_id = SLICE("same");
        q.r.from_tag = slice_str(tag);
        id = 0;
        err = sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id);
        n += !err;
    }
    assert_int_equal(err, GB_ELIMIT);
    assert_int_equal(n, 16);
    sub_finish(&p);
}

static void misuse(void **state)
{
    struct sub_script s = { 0 };
    struct sip_response r = { .status = 200, .expires = 60 };
    struct sip_notify n = { .state = SIP_SUB_TERMINATED,
                            .reason = SLICE("a b") };
    struct sip_subscribe q;
    struct sip_peer to;
    uint64_t id = 0, none = 12345;
    struct pair p;

    (void)state;
    sub_up(&p, &s, &sub_wire);
    q = sub_request(&p, -1);
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                     GB_ESYNTAX);
    q = sub_request(&p, 60);
    q.r.n_extra = 9;
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                     GB_ESYNTAX);
    q = sub_request(&p, 60);
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &none),
                     GB_ENOENT);
    id = s.sub[1];
    assert_int_equal(sip_stack_subscribe(p.stack[1], &q, p.now_ms, &id),
                     GB_ESTATE); /* the peer holds it */
    assert_int_equal(sip_stack_notify(p.stack[0], s.sub[0], &n, p.now_ms),
                     GB_ESTATE); /* we hold it */
    assert_int_equal(sip_stack_notify(p.stack[1], s.sub[1], &n, p.now_ms),
                     GB_ESYNTAX);
    n.state = SIP_SUB_OTHER;
    n.reason.n = 0;
    assert_int_equal(sip_stack_notify(p.stack[1], s.sub[1], &n, p.now_ms),
                     GB_ESYNTAX);
    assert_int_equal(sip_stack_accept(p.stack[1], 99, &r, 0, p.now_ms, &id),
                     GB_ENOENT);
    to = pair_peer(&p, 0);
    sip_stack_move_subscription(p.stack[0], none, &to);
    to.remote.port = 7777;
    sip_stack_move_subscription(p.stack[0], s.sub[0], &to);
    assert_int_equal(sub_subscribe(&p, 600), 0);
    assert_int_equal(pair_find(&p, 0, "SUBSCRIBE", 1)->peer.remote.port, 7777);
    sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
    sub_finish(&p);
}

static void accept_later_or_wrong(void **state)
{
    struct sip_response r = { .status = 404, .expires = 60 };
    struct sip_peer from;
    struct sip_event ev;
    struct sip_out out;
    struct sub_script s = { 0 };
    uint64_t id;
    struct pair p;

    (void)state;
    sub_start(&p, &s, &sub_wire);
    from = pair_peer(&p, 1);
    assert_int_equal(sip_stack_input(p.stack[1], &from,
                                     write_subscribe("a", "", "1", ""),
                                     p.now_ms), 0);
    assert_true(sip_stack_event(p.stack[1], &ev));
    assert_int_equal(sip_stack_accept(p.stack[1], ev.transaction, &r, 0,
                                      p.now_ms, &id), GB_ERANGE);
    r.status = 200;
    r.expires = -1;
    assert_int_equal(sip_stack_accept(p.stack[1], ev.transaction, &r, 0,
                                      p.now_ms, &id), GB_ERANGE);
    r.expires = 60;
    r.n_extra = 9;
    assert_int_equal(sip_stack_accept(p.stack[1], ev.transaction, &r, 0,
                                      p.now_ms, &id), GB_ERANGE);
    r.n_extra = 0;
    while (sip_stack_output(p.stack[1], &out)) {
    }
    assert_int_equal(sip_stack_accept(p.stack[1], ev.transaction, &r, 0,
                                      p.now_ms, &id), GB_ESTATE);
    sub_answer(&p, 1, ev.transaction, 500);
    pair_pump(&p);
    sub_finish(&p);
}

/* ---- trouble ----------------------------------------------------------- */

/* Every way, the n-th allocation failing and all later ones for a while. */
static void without_memory(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++)
        for (unsigned long n = 0; n < 30; n++)
            for (int late = 0; late < 2; late++) {
                struct sub_script s = { 0 };
                struct pair p;
                int err = 0;

                sub_start(&p, &s, &sub_wire);
                if (!late)
                    p.mem[side].fail_at = p.mem[side].calls + 1 + n;
                err = sub_subscribe(&p, 60);
                assert_true(err == 0 || err == GB_ENOMEM);
                pair_run(&p, p.now_ms + 100);
                if (late)
                    p.mem[side].fail_at = p.mem[side].calls + 1 + n;
                sub_notify(&p, SIP_SUB_ACTIVE, "", "x");
                pair_run(&p, p.now_ms + 100);
                if (s.sub[0])
                    sub_subscribe(&p, 60);
                pair_run(&p, p.now_ms + 100);
                if (n % 2 && s.sub[0])
                    sub_subscribe(&p, 0);
                if (n % 3 == 0)
                    sub_notify(&p, SIP_SUB_TERMINATED, "", "");
                pair_run(&p, p.now_ms + 2000);
                p.mem[side].fail_at = 0;
                sub_finish(&p);
            }
}

/* A thousand of them over a bad wire: every one of ours is told once that it is
 * over, and nothing stays. */
static void storm(void **state)
{
    static const struct pair_wire bad = { .loss = 20, .repeat = 10,
                                          .delay_ms = 30, .jitter_ms = 60 };
    struct sub_script s = { .grants_s = 40 };
    uint64_t id[1000];
    struct pair p;

    (void)state;
    sub_start(&p, &s, &bad);
    for (size_t i = 0; i < COUNT(id); i++) {
        struct sip_subscribe q = sub_request(&p, 30 + (int64_t)i % 20);

        q.r.user = i + 1;
        id[i] = 0;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id[i]),
                         0);
        pair_run(&p, p.now_ms + 5);
        if (i > 500 && id[i - 500] && i % 3 == 0) {
            q = sub_request(&p, 0);
            sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id[i - 500]);
        }
    }
    pair_settle(&p, 4000000);
    for (size_t i = 0; i < COUNT(id); i++) {
        size_t ends = 0;

        for (size_t k = 0; k < p.n_seen; k++)
            ends += p.seen[k].side == 0 && p.seen[k].ev.user == i + 1 &&
                    (p.seen[k].ev.kind == SIP_EV_UNSUBSCRIBED ||
                     p.seen[k].ev.kind == SIP_EV_FAILED);
        if (ends != (id[i] != 0))
            fail_msg("subscription %zu ended %zu times", i, ends);
    }
    sub_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sloppy_notifies),
        cmocka_unit_test(too_short_notifies),
        cmocka_unit_test(a_short_notify_before_the_answer),
        cmocka_unit_test(notify_from_elsewhere),
        cmocka_unit_test(a_login_stays_with_its_peer),
        cmocka_unit_test(event_without_package),
        cmocka_unit_test(granted_nothing),
        cmocka_unit_test(notify_after_the_end),
        cmocka_unit_test(refresh_without_to_tag),
        cmocka_unit_test(asked_for_no_time),
        cmocka_unit_test(limits),
        cmocka_unit_test(same_call_id),
        cmocka_unit_test(misuse),
        cmocka_unit_test(accept_later_or_wrong),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(storm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
