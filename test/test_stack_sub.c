/* sip/stack: subscriptions, both sides, every way they end. Two stacks: side 0
 * subscribes, side 1 notifies; where the peer must misbehave the test is it. */
#include "test/pair.h"

#include "sip/value.h"

#include <stdio.h>
#include <stdlib.h>

/* What the two layers above do, and what the wire loses. */
struct script {
    unsigned answer;       /* to a SUBSCRIBE; 200: sip_stack_accept */
    uint32_t grants_s;     /* the most that is granted */
    unsigned notify_answer; /* of side 0 to a NOTIFY */
    bool mute;             /* side 1 sends no NOTIFY by itself */
    uint64_t sub[2];       /* the handles */
    const char *lose;      /* what begins so ... */
    unsigned lose_n;       /* ... is lost so often */
    int lose_from;
};

static const struct pair_wire wire = { .delay_ms = 10 };
static const struct pair_wire tcp = { .delay_ms = 10, .tcp = true };

static void answer(struct pair *p, int side, uint64_t transaction,
                   unsigned status)
{
    struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(p->stack[side], transaction, &r, p->now_ms);
}

static int notify(struct pair *p, enum sip_substate state, const char *reason,
                  const char *body)
{
    struct script *s = p->ctx;
    struct sip_notify n = { .state = (uint8_t)state,
                            .reason = slice_str(reason),
                            .body = slice_str(body) };
    int err = sip_stack_notify(p->stack[1], s->sub[1], &n, p->now_ms);

    pair_pump(p);
    return err;
}

static void on_subscribe(struct pair *p, const struct sip_event *ev)
{
    struct script *s = p->ctx;
    struct sip_response r = { .status = s->answer,
                              .expires = s->grants_s,
                              .contact = SLICE("sip:dev@192.0.2.2:5060") };
    struct sip_notify n = { .state = SIP_SUB_ACTIVE, .body = SLICE("now") };
    uint64_t sub = 0;

    if (s->answer / 100 != 2) {
        answer(p, 1, ev->transaction, s->answer);
        return;
    }
    if (sip_stack_accept(p->stack[1], ev->transaction, &r, 7, p->now_ms, &sub))
        return;
    if (ev->subscription && sub)
        assert_true(ev->subscription == sub);
    s->sub[1] = sub;
    if (sub && !s->mute)
        sip_stack_notify(p->stack[1], sub, &n, p->now_ms);
}

static void on_event(struct pair *p, int side, const struct sip_event *ev)
{
    struct script *s = p->ctx;

    if (ev->kind == SIP_EV_NOTIFY)
        answer(p, side, ev->transaction, s->notify_answer);
    else if (ev->kind == SIP_EV_REQUEST &&
             ev->msg->method == SIP_METHOD_SUBSCRIBE)
        on_subscribe(p, ev);
    else if (ev->kind == SIP_EV_REQUEST)
        answer(p, side, ev->transaction, 481);
}

static enum pair_fate fate(void *ctx, int from, struct slice bytes)
{
    struct script *s = ctx;

    if (!s->lose_n || from != s->lose_from ||
        !slice_has_prefix(bytes, slice_str(s->lose)))
        return PAIR_PASS;
    s->lose_n--;
    return PAIR_LOSE;
}

static void start_with(struct pair *p, struct script *s,
                       const struct pair_wire *w,
                       const struct sip_stack_config *cfg, bool one)
{
    pair_init(p, w, cfg, one);
    p->on_event = on_event;
    p->fate = fate;
    p->ctx = s;
    if (!s->answer)
        s->answer = 200;
    if (!s->notify_answer)
        s->notify_answer = 200;
    if (!s->grants_s)
        s->grants_s = 3600;
}

static void start(struct pair *p, struct script *s, const struct pair_wire *w)
{
    start_with(p, s, w, NULL, false);
}

static struct sip_subscribe request(const struct pair *p, int64_t expires_s)
{
    return (struct sip_subscribe){
        .r = { .peer = pair_peer(p, 0),
               .uri = SLICE("sip:dev@192.0.2.2:5060"),
               .from = SLICE("sip:platform@dom"),
               .to = SLICE("sip:dev@dom"),
               .contact = SLICE("sip:platform@192.0.2.1:5060"),
               .body = SLICE("query"),
               .expires = expires_s,
               .user = 42 },
        .event = SLICE("Catalog;id=1001"),
    };
}

static int subscribe(struct pair *p, int64_t expires_s)
{
    struct script *s = p->ctx;
    struct sip_subscribe q = request(p, expires_s);
    int err = sip_stack_subscribe(p->stack[0], &q, p->now_ms, &s->sub[0]);

    pair_pump(p);
    return err;
}

/* A subscription that is up, its first NOTIFY answered. */
static void up(struct pair *p, struct script *s, const struct pair_wire *w)
{
    start(p, s, w);
    assert_int_equal(subscribe(p, 600), 0);
    pair_run(p, p->now_ms + 100);
}

static void finish(struct pair *p)
{
    pair_settle(p, 4000000);
    for (int side = 0; side < 2; side++) {
        if (!p->stack[side])
            continue;
        assert_int_equal(pair_counters(p, side).subscriptions, 0);
        assert_int_equal(pair_counters(p, side).transactions, 0);
        assert_int_equal(pair_counters(p, side).memory, 0);
    }
    pair_fini(p);
}

static struct slice header(const struct pair *p, int side, const char *start,
                           size_t n, const char *name)
{
    const struct pair_sent *m = pair_find(p, side, start, n);

    if (!m)
        fail_msg("side %d sent no %s number %zu", side, start, n);
    return pair_header(m->bytes, name);
}

/* ---- the good life ----------------------------------------------------- */

static void from_subscribe_to_end(void **state)
{
    const struct pair_wire *wires[] = { &wire, &tcp };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++) {
        struct script s = { 0 };
        const struct pair_seen *seen;
        struct pair p;

        up(&p, &s, wires[i]);
        seen = pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0);
        assert_non_null(seen);
        assert_true(seen->ev.subscription == s.sub[0] && seen->ev.user == 42);
        assert_int_equal(seen->ev.sub.expires_s, 600);
        seen = pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0);
        assert_non_null(seen);
        assert_true(seen->ev.subscription == s.sub[0] && seen->ev.user == 42);
        assert_int_equal(seen->ev.sub.state, SIP_SUB_ACTIVE);
        assert_in_range(seen->ev.sub.expires_s, 599, 600);
        assert_string_equal(seen->body, "now");
        assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "change"), 0);
        pair_run(&p, p.now_ms + 300000);
        assert_int_equal(subscribe(&p, 600), 0);
        pair_run(&p, p.now_ms + 400000); /* the first would be over by now */
        pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 3);
        pair_expect(&p, 1, SIP_EV_RESPONSE, 200, 3);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        assert_int_equal(subscribe(&p, 0), 0);
        assert_true(s.sub[0] == 0);
        pair_run(&p, p.now_ms + 100);
        assert_true(s.sub[1] == 0); /* accept: it is over */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
        expect_slice(header(&p, 1, "NOTIFY", 3, "Subscription-State"),
                     "terminated;reason=timeout");
        finish(&p);
    }
}

/* One dialog: Call-ID, tags, rising CSeq, targets from Contact, the Event of the
 * first everywhere. */
static void requests_of_one_dialog(void **state)
{
    struct script s = { 0 };
    struct slice call_id, event = SLICE("Catalog;id=1001");
    struct pair p;

    (void)state;
    up(&p, &s, &wire);
    assert_int_equal(subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(subscribe(&p, 0), 0);
    pair_run(&p, p.now_ms + 100);
    call_id = header(&p, 0, "SUBSCRIBE", 0, "Call-ID");
    for (size_t i = 0; i < 3; i++) {
        char cseq[32];
        struct slice first = header(&p, 0, "SUBSCRIBE", 0, "CSeq"), n;
        uint32_t number;

        slice_cut(&first, ' ', &n);
        assert_true(slice_u32(n, UINT32_MAX, &number));
        snprintf(cseq, sizeof(cseq), "%u SUBSCRIBE", number + (unsigned)i);
        expect_slice(header(&p, 0, "SUBSCRIBE", i, "CSeq"), cseq);
        snprintf(cseq, sizeof(cseq), "%zu NOTIFY", i + 1);
        expect_slice(header(&p, 1, "NOTIFY", i, "CSeq"), cseq);
        assert_true(slice_eq(header(&p, 0, "SUBSCRIBE", i, "Call-ID"),
                             call_id));
        assert_true(slice_eq(header(&p, 1, "NOTIFY", i, "Call-ID"), call_id));
        assert_true(slice_eq(header(&p, 0, "SUBSCRIBE", i, "Event"), event));
        assert_true(slice_eq(header(&p, 1, "NOTIFY", i, "Event"), event));
        assert_true(slice_eq(header(&p, 1, "SIP/2.0 200", i, "Event"), event));
        expect_slice(header(&p, 1, "NOTIFY", i, "Contact"),
                     "<sip:dev@192.0.2.2:5060>");
        assert_true(slice_eq(header(&p, 1, "NOTIFY", i, "To"),
                             header(&p, 0, "SUBSCRIBE", i, "From")));
        if (i)
            assert_true(slice_eq(header(&p, 0, "SUBSCRIBE", i, "To"),
                                 header(&p, 1, "NOTIFY", 0, "From")));
    }
    assert_true(slice_has_prefix(
        pair_find(&p, 1, "NOTIFY", 0)->bytes,
        SLICE("NOTIFY sip:platform@192.0.2.1:5060 SIP/2.0\r\n")));
    finish(&p);
}

/* R58: the 200 is lost; the NOTIFY makes the dialog, the refresh has its tag. */
static void notify_before_the_answer(void **state)
{
    struct script s = { .lose = "SIP/2.0 200", .lose_n = 1, .lose_from = 1 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    assert_int_equal(subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 0);
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 1);
    assert_int_equal(pair_event(&p, 0, SIP_EV_NOTIFY, 0, 0)->ev.sub.expires_s,
                     600); /* what the NOTIFY says */
    assert_int_equal(subscribe(&p, 600), GB_ESTATE); /* not answered yet */
    pair_run(&p, p.now_ms + 1000);
    pair_expect(&p, 0, SIP_EV_RESPONSE, 200, 1);
    assert_int_equal(subscribe(&p, 0), 0);
    pair_run(&p, p.now_ms + 100);
    assert_true(slice_eq(header(&p, 0, "SUBSCRIBE", 2, "To"),
                         header(&p, 1, "NOTIFY", 0, "From")));
    finish(&p);
}

/* ---- time -------------------------------------------------------------- */

static void granted_time(void **state)
{
    static const struct {
        const char *name;
        int64_t asked;
        uint32_t grants;
        uint32_t want;
    } cases[] = {
        { "as asked", 600, 3600, 600 },
        { "shorter", 600, 60, 60 },
        { "the longest there is", UINT32_MAX, UINT32_MAX, UINT32_MAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = { .grants_s = cases[i].grants };
        char want[16];
        struct pair p;

        start(&p, &s, &wire);
        assert_int_equal(subscribe(&p, cases[i].asked), 0);
        pair_run(&p, p.now_ms + 100);
        snprintf(want, sizeof(want), "%u", cases[i].want);
        expect_slice(header(&p, 1, "SIP/2.0 200", 0, "Expires"), want);
        if (pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s !=
            cases[i].want)
            fail_msg("%s", cases[i].name);
        assert_int_equal(subscribe(&p, 0), 0);
        finish(&p);
    }
}

/* Nobody refreshes: both sides end it, the notifier with a last NOTIFY that
 * comes too late for the subscriber. */
static void time_is_over(void **state)
{
    struct script s = { 0 };
    const struct pair_seen *seen;
    uint64_t from_ms;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    from_ms = p.now_ms;
    assert_int_equal(subscribe(&p, 60), 0);
    pair_run(&p, p.now_ms + 70000);
    expect_slice(header(&p, 1, "NOTIFY", 1, "Subscription-State"),
                 "terminated;reason=timeout");
    pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 408, 1);
    seen = pair_event(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    assert_non_null(seen);
    assert_true(seen->ev.user == 42 && seen->ev.subscription == s.sub[0]);
    assert_in_range(seen->at_ms - from_ms, 59000, 60100);
    assert_int_equal(subscribe(&p, 60), GB_ENOENT);
    assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", ""), GB_ENOENT);
    finish(&p);
}

/* R57: no NOTIFY within 64*T1; but a loose subscription lives on its 200. */
static void timer_n(void **state)
{
    (void)state;
    for (int loose = 0; loose < 2; loose++) {
        struct script s = { .mute = true };
        struct sip_subscribe q;
        struct pair p;

        start(&p, &s, &wire);
        q = request(&p, 600);
        q.loose = loose;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                             &s.sub[0]), 0);
        pair_run(&p, p.now_ms + 31990);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        pair_run(&p, p.now_ms + 20);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, loose ? 0 : 1);
        finish(&p);
    }
}

/* The refresh is accepted, and again no NOTIFY comes. */
static void timer_n_of_a_refresh(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    up(&p, &s, &wire);
    s.mute = true;
    assert_int_equal(subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 33000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 408, 1);
    finish(&p);
}

/* ---- refused ----------------------------------------------------------- */

static void first_is_refused(void **state)
{
    static const unsigned statuses[] = { 400, 403, 404, 423, 481, 489, 500,
                                         503, 603 };

    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct script s = { .answer = statuses[i] };
        struct pair p;

        up(&p, &s, &wire);
        pair_expect(&p, 0, SIP_EV_RESPONSE, statuses[i], 1);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
        assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
        finish(&p);
    }
}

static void first_is_lost(void **state)
{
    struct script s = { .lose = "SUBSCRIBE", .lose_n = 1000 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    assert_int_equal(subscribe(&p, 600), 0);
    pair_run(&p, p.now_ms + 33000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    finish(&p);
}

/* R59 */
static void refresh_is_refused(void **state)
{
    static const struct {
        unsigned status;
        bool over;
    } cases[] = { { 404, true },  { 405, true },  { 410, true },
                  { 416, true },  { 480, true },  { 481, true },
                  { 482, true },  { 483, true },  { 484, true },
                  { 485, true },  { 489, true },  { 501, true },
                  { 604, true },  { 400, false }, { 403, false },
                  { 486, false }, { 500, false }, { 503, false },
                  { 603, false }, { 408, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = { 0 };
        struct pair p;

        up(&p, &s, &wire);
        s.answer = cases[i].status;
        assert_int_equal(subscribe(&p, 600), 0);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 0, SIP_EV_RESPONSE, cases[i].status, 1);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, cases[i].status, cases[i].over);
        pair_run(&p, p.now_ms + 590000); /* the old time holds ... */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, cases[i].over);
        pair_run(&p, p.now_ms + 20000); /* ... and ends */
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 1);
        finish(&p);
    }
}

static void refresh_is_lost(void **state)
{
    struct script s = { .lose = "SUBSCRIBE" };
    struct pair p;

    (void)state;
    up(&p, &s, &wire);
    s.lose_n = 1000;
    assert_int_equal(subscribe(&p, 600), 0);
    assert_int_equal(subscribe(&p, 600), GB_ESTATE);
    pair_run(&p, p.now_ms + 40000);
    pair_expect(&p, 0, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    s.lose_n = 0;
    assert_int_equal(subscribe(&p, 600), 0); /* and once more */
    pair_run(&p, p.now_ms + 590000);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 0, 0);
    finish(&p);
}

/* ---- ended by the notifier --------------------------------------------- */

static void terminated(void **state)
{
    static const struct {
        const char *reason;
        enum sip_again again;
    } cases[] = { { "deactivated", SIP_AGAIN_NOW },
                  { "timeout", SIP_AGAIN_NOW },
                  { "", SIP_AGAIN_NOW },
                  { "fullmoon", SIP_AGAIN_NOW },
                  { "probation", SIP_AGAIN_LATER },
                  { "GiveUp", SIP_AGAIN_LATER },
                  { "rejected", SIP_AGAIN_NEVER },
                  { "noresource", SIP_AGAIN_NEVER },
                  { "invariant", SIP_AGAIN_NEVER } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = { 0 };
        struct sip_notify n = { .state = SIP_SUB_TERMINATED,
                                .reason = slice_str(cases[i].reason),
                                .retry_after_s = 30 };
        const struct pair_seen *seen;
        struct pair p;

        up(&p, &s, &wire);
        assert_int_equal(sip_stack_notify(p.stack[1], s.sub[1], &n, p.now_ms),
                         0);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 2);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
        seen = pair_event(&p, 0, SIP_EV_UNSUBSCRIBED, 200, 0);
        assert_non_null(seen);
        if (seen->ev.sub.again != cases[i].again ||
            seen->ev.sub.retry_after_s != 30)
            fail_msg("%s: %u after %u s", cases[i].reason, seen->ev.sub.again,
                     seen->ev.sub.retry_after_s);
        assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
        finish(&p);
    }
}

static void notify_is_refused(void **state)
{
    static const struct {
        unsigned status;
        bool over;
    } cases[] = { { 481, true }, { 489, true }, { 500, false },
                  { 503, false }, { 400, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = { 0 };
        struct pair p;

        up(&p, &s, &wire);
        s.notify_answer = cases[i].status;
        assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "x"), 0);
        assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "y"), GB_ESTATE);
        pair_run(&p, p.now_ms + 100);
        pair_expect(&p, 1, SIP_EV_RESPONSE, cases[i].status, 1);
        pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, cases[i].status, cases[i].over);
        finish(&p);
    }
}

static void notify_is_lost(void **state)
{
    struct script s = { .lose = "NOTIFY", .lose_from = 1 };
    struct pair p;

    (void)state;
    up(&p, &s, &wire);
    s.lose_n = 1000;
    assert_int_equal(notify(&p, SIP_SUB_PENDING, "", "x"), 0);
    pair_run(&p, p.now_ms + 33000);
    expect_slice(header(&p, 1, "NOTIFY", 1, "Subscription-State"),
                 "pending;expires=599");
    pair_expect(&p, 1, SIP_EV_FAILED, 408, 1);
    pair_expect(&p, 1, SIP_EV_UNSUBSCRIBED, 0, 0);
    s.lose_n = 0;
    assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "again"), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_NOTIFY, 0, 2);
    /* the last word may overtake the one that is open */
    assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "open"), 0);
    assert_int_equal(notify(&p, SIP_SUB_TERMINATED, "noresource", ""), 0);
    pair_run(&p, p.now_ms + 100);
    pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, 200, 1);
    finish(&p);
}

/* ---- ended before it began --------------------------------------------- */

/* The handle is given back while the SUBSCRIBE is open: it is ended when its
 * dialog is there, whatever makes it, and no event names it. */
static void ended_while_open(void **state)
{
    static const char *const lost[] = { NULL, "SIP/2.0 200", "NOTIFY" };

    (void)state;
    for (size_t i = 0; i < COUNT(lost); i++) {
        struct script s = { .lose = lost[i], .lose_from = 1 };
        struct pair p;

        s.lose_n = lost[i] != NULL;
        start(&p, &s, &wire);
        assert_int_equal(subscribe(&p, 600), 0);
        assert_int_equal(subscribe(&p, 0), 0);
        pair_run(&p, p.now_ms + 2000);
        for (size_t k = 0; k < p.n_seen; k++)
            assert_true(p.seen[k].side == 1 || !p.seen[k].ev.subscription);
        expect_slice(header(&p, 0, "SUBSCRIBE", 1, "Expires"), "0");
        pair_settle(&p, 40000);
        assert_int_equal(pair_counters(&p, 1).subscriptions, 0);
        finish(&p);
    }
}

static void ended_and_unheard(void **state)
{
    struct script s = { .lose = "SUBSCRIBE" };
    struct pair p;

    (void)state;
    up(&p, &s, &wire); /* once up ... */
    s.lose_n = 1000;
    assert_int_equal(subscribe(&p, 0), 0);
    pair_settle(&p, 700000);
    pair_expect(&p, 0, SIP_EV_FAILED, 0, 0);
    finish(&p);

    start(&p, &s, &wire); /* ... and once not even begun */
    assert_int_equal(subscribe(&p, 600), 0);
    assert_int_equal(subscribe(&p, 0), 0);
    pair_settle(&p, 40000);
    pair_expect(&p, 0, SIP_EV_FAILED, 0, 0);
    finish(&p);
}

/* A NOTIFY is queued when the handle is given back. */
static void ended_with_events_queued(void **state)
{
    (void)state;
    for (int forget = 0; forget < 2; forget++) {
        struct script s = { 0 };
        struct sip_peer from;
        struct slice bytes;
        struct sip_event ev;
        struct sip_out out;
        struct pair p;

        up(&p, &s, &wire);
        s.lose = "NOTIFY";
        s.lose_from = 1;
        s.lose_n = 1;
        assert_int_equal(notify(&p, SIP_SUB_ACTIVE, "", "late"), 0);
        bytes = pair_find(&p, 1, "NOTIFY", 1)->bytes;
        from = pair_peer(&p, 0);
        assert_int_equal(sip_stack_input(p.stack[0], &from, bytes, p.now_ms),
                         0);
        if (forget) {
            sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
            sip_stack_forget(p.stack[0], s.sub[0], p.now_ms); /* stale */
        } else {
            struct sip_subscribe q = request(&p, 0);

            assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms,
                                                 &s.sub[0]), 0);
        }
        assert_false(sip_stack_event(p.stack[0], &ev));
        assert_true(sip_stack_output(p.stack[0], &out));
        assert_true(slice_has_prefix(out.bytes, SLICE("SIP/2.0 481")));
        pair_run(&p, p.now_ms + 1000); /* the device gives up as well */
        finish(&p);
    }
}

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
    struct script s = { 0 };
    size_t ours = 0, foreign = 0;
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, NULL, true);
    assert_int_equal(subscribe(&p, 600), 0);
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
    finish(&p);
}

/* Tags can be overheard: only the address that we asked may notify. */
static void notify_from_elsewhere(void **state)
{
    static const struct device_notify n = { "proper", "dev", "Catalog",
                                            "active", 1, true, 0 };
    struct script s = { 0 };
    struct sip_peer other;
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, NULL, true);
    assert_int_equal(subscribe(&p, 600), 0);
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
    finish(&p);
}

/* An Event that has no package is compared as text. */
static void event_without_package(void **state)
{
    static const struct device_notify same = { "", "dev", "id=7", "active", 1,
                                               true, 0 };
    static const struct device_notify other = { "", "dev", "Catalog",
                                                "active", 2, true, 0 };
    struct script s = { 0 };
    struct sip_subscribe q;
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, NULL, true);
    q = request(&p, 600);
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
    finish(&p);
}

/* The 200 grants nothing: the NOTIFY that ends it may still come. */
static void granted_nothing(void **state)
{
    static const struct device_notify last = { "", "dev", "Catalog",
                                               "terminated;reason=rejected", 1,
                                               true, 0 };

    (void)state;
    for (int comes = 0; comes < 2; comes++) {
        struct script s = { 0 };
        struct pair p;

        start_with(&p, &s, &wire, NULL, true);
        assert_int_equal(subscribe(&p, 600), 0);
        pair_inject(&p, 0, reply(&p, "200 OK", "Expires: 0\r\n"));
        assert_int_equal(
            pair_event(&p, 0, SIP_EV_RESPONSE, 200, 0)->ev.sub.expires_s, 0);
        if (comes)
            pair_inject(&p, 0, write_notify(&p, &last));
        pair_run(&p, p.now_ms + 33000);
        pair_expect(&p, 0, SIP_EV_UNSUBSCRIBED, comes ? 200 : 408, 1);
        finish(&p);
    }
}

/* A hidden one answers what still comes in. */
static void notify_after_the_end(void **state)
{
    static const struct device_notify more = { "", "dev", "Catalog", "active",
                                               1, true, 0 };
    static const struct device_notify last = { "", "dev", "Catalog",
                                               "terminated", 2, true, 0 };
    struct script s = { 0 };
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, NULL, true);
    assert_int_equal(subscribe(&p, 600), 0);
    assert_int_equal(subscribe(&p, 0), 0);
    pair_inject(&p, 0, write_notify(&p, &more));
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 1);
    assert_int_equal(pair_count(&p, 0, "SUBSCRIBE"), 2);
    pair_inject(&p, 0, write_notify(&p, &last));
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 2);
    assert_int_equal(pair_counters(&p, 0).subscriptions, 0);
    assert_int_equal(p.n_seen, 0);
    finish(&p);
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
    struct script s = { .grants_s = 100 };
    struct slice tag;
    uint64_t first;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    s.lose = "";
    s.lose_from = 1;
    s.lose_n = 100000; /* side 0 knows nothing of all this */
    pair_inject(&p, 1, write_subscribe("a", "", "9", "Event: presence\r\n"));
    first = s.sub[1];
    tag = header(&p, 1, "SIP/2.0 200", 0, "To");
    expect_slice(header(&p, 1, "SIP/2.0 200", 0, "Expires"),
                 "100"); /* none asked */
    pair_inject(&p, 1, write_subscribe("b", "", "9", "Expires: 50\r\n"));
    assert_true(s.sub[1] == first);
    assert_true(slice_eq(header(&p, 1, "SIP/2.0 200", 1, "To"), tag));
    expect_slice(header(&p, 1, "SIP/2.0 200", 1, "Expires"), "50");
    assert_int_equal(pair_counters(&p, 1).subscriptions, 1);
    pair_inject(&p, 1, write_subscribe("c", ";tag=wrong", "10", ""));
    assert_int_equal(pair_counters(&p, 1).subscriptions,
                     1); /* accept: ENOENT */
    pair_inject(&p, 1, write_subscribe("d", "", "9", "Expires: 0\r\n"));
    assert_int_equal(pair_counters(&p, 1).subscriptions, 0);
    expect_slice(header(&p, 1, "NOTIFY", 0, "Event"), "presence");
    s.lose_n = 0;
    finish(&p);
}

/* A fetch: one NOTIFY and over (RFC 6665 §4.4.3). */
static void asked_for_no_time(void **state)
{
    struct script s = { 0 };
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
    pair_inject(&p, 1, write_subscribe("a", "", "1", "Expires: 0\r\n"));
    assert_true(s.sub[1] == 0);
    expect_slice(header(&p, 1, "SIP/2.0 200", 0, "Expires"), "0");
    expect_slice(header(&p, 1, "NOTIFY", 0, "Subscription-State"),
                 "terminated;reason=timeout");
    assert_true(header(&p, 1, "NOTIFY", 0, "Event").n == 0);
    finish(&p);
}

/* ---- limits and misuse ------------------------------------------------- */

static void limits(void **state)
{
    const struct sip_stack_config cfg = { .max_subscriptions = 2 };
    struct script s = { .mute = true };
    struct sip_subscribe q;
    uint64_t id;
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, &cfg, false);
    for (int i = 0; i < 3; i++) {
        q = request(&p, 100);
        id = 0;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                         i < 2 ? 0 : GB_ELIMIT);
    }
    pair_run(&p, p.now_ms + 100);
    assert_int_equal(pair_counters(&p, 0).subscriptions, 2);
    assert_int_equal(pair_counters(&p, 1).subscriptions, 2);
    finish(&p);
}

/* One Call-ID makes no more than STK_MAX_SAME_CALL of them. */
static void same_call_id(void **state)
{
    struct script s = { .mute = true };
    struct sip_subscribe q;
    uint64_t id;
    int err = 0;
    unsigned n = 0;
    struct pair p;

    (void)state;
    start_with(&p, &s, &wire, NULL, true);
    while (!err && n < 100) {
        char tag[8];

        snprintf(tag, sizeof(tag), "t%u", n);
        q = request(&p, 10);
        q.r.call_id = SLICE("same");
        q.r.from_tag = slice_str(tag);
        id = 0;
        err = sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id);
        n += !err;
    }
    assert_int_equal(err, GB_ELIMIT);
    assert_int_equal(n, 16);
    finish(&p);
}

static void misuse(void **state)
{
    struct script s = { 0 };
    struct sip_response r = { .status = 200, .expires = 60 };
    struct sip_notify n = { .state = SIP_SUB_TERMINATED,
                            .reason = SLICE("a b") };
    struct sip_subscribe q;
    struct sip_peer to;
    uint64_t id = 0, none = 12345;
    struct pair p;

    (void)state;
    up(&p, &s, &wire);
    q = request(&p, -1);
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                     GB_ESYNTAX);
    q = request(&p, 60);
    q.r.n_extra = 9;
    assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id),
                     GB_ESYNTAX);
    q = request(&p, 60);
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
    assert_int_equal(subscribe(&p, 600), 0);
    assert_int_equal(pair_find(&p, 0, "SUBSCRIBE", 1)->peer.remote.port, 7777);
    sip_stack_forget(p.stack[0], s.sub[0], p.now_ms);
    finish(&p);
}

static void accept_later_or_wrong(void **state)
{
    struct sip_response r = { .status = 404, .expires = 60 };
    struct sip_peer from;
    struct sip_event ev;
    struct sip_out out;
    struct script s = { 0 };
    uint64_t id;
    struct pair p;

    (void)state;
    start(&p, &s, &wire);
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
    answer(&p, 1, ev.transaction, 500);
    pair_pump(&p);
    finish(&p);
}

/* ---- trouble ----------------------------------------------------------- */

/* Every way, the n-th allocation failing and all later ones for a while. */
static void without_memory(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++)
        for (unsigned long n = 0; n < 30; n++)
            for (int late = 0; late < 2; late++) {
                struct script s = { 0 };
                struct pair p;
                int err = 0;

                start(&p, &s, &wire);
                if (!late)
                    p.mem[side].fail_at = p.mem[side].calls + 1 + n;
                err = subscribe(&p, 60);
                assert_true(err == 0 || err == GB_ENOMEM);
                pair_run(&p, p.now_ms + 100);
                if (late)
                    p.mem[side].fail_at = p.mem[side].calls + 1 + n;
                notify(&p, SIP_SUB_ACTIVE, "", "x");
                pair_run(&p, p.now_ms + 100);
                if (s.sub[0])
                    subscribe(&p, 60);
                pair_run(&p, p.now_ms + 100);
                if (n % 2 && s.sub[0])
                    subscribe(&p, 0);
                if (n % 3 == 0)
                    notify(&p, SIP_SUB_TERMINATED, "", "");
                pair_run(&p, p.now_ms + 2000);
                p.mem[side].fail_at = 0;
                finish(&p);
            }
}

/* A thousand of them over a bad wire: every one of ours is told once that it is
 * over, and nothing stays. */
static void storm(void **state)
{
    static const struct pair_wire bad = { .loss = 20, .repeat = 10,
                                          .delay_ms = 30, .jitter_ms = 60 };
    struct script s = { .grants_s = 40 };
    uint64_t id[1000];
    struct pair p;

    (void)state;
    start(&p, &s, &bad);
    for (size_t i = 0; i < COUNT(id); i++) {
        struct sip_subscribe q = request(&p, 30 + (int64_t)i % 20);

        q.r.user = i + 1;
        id[i] = 0;
        assert_int_equal(sip_stack_subscribe(p.stack[0], &q, p.now_ms, &id[i]),
                         0);
        pair_run(&p, p.now_ms + 5);
        if (i > 500 && id[i - 500] && i % 3 == 0) {
            q = request(&p, 0);
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
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_subscribe_to_end),
        cmocka_unit_test(requests_of_one_dialog),
        cmocka_unit_test(notify_before_the_answer),
        cmocka_unit_test(granted_time),
        cmocka_unit_test(time_is_over),
        cmocka_unit_test(timer_n),
        cmocka_unit_test(timer_n_of_a_refresh),
        cmocka_unit_test(first_is_refused),
        cmocka_unit_test(first_is_lost),
        cmocka_unit_test(refresh_is_refused),
        cmocka_unit_test(refresh_is_lost),
        cmocka_unit_test(terminated),
        cmocka_unit_test(notify_is_refused),
        cmocka_unit_test(notify_is_lost),
        cmocka_unit_test(ended_while_open),
        cmocka_unit_test(ended_and_unheard),
        cmocka_unit_test(ended_with_events_queued),
        cmocka_unit_test(sloppy_notifies),
        cmocka_unit_test(notify_from_elsewhere),
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
