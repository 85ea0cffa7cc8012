#include "test/subpair.h"

#include "test/support.h"

const struct pair_wire sub_wire = { .delay_ms = 10 };
const struct pair_wire sub_tcp = { .delay_ms = 10, .tcp = true };

void sub_answer(struct pair *p, int side, uint64_t transaction,
                   unsigned status)
{
    struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(p->stack[side], transaction, &r, p->now_ms);
}

int sub_notify(struct pair *p, enum sip_substate state, const char *reason,
                  const char *body)
{
    struct sub_script *s = p->ctx;
    struct sip_notify n = { .state = (uint8_t)state,
                            .reason = slice_str(reason),
                            .body = slice_str(body) };
    int err = sip_stack_notify(p->stack[1], s->sub[1], &n, p->now_ms);

    pair_pump(p);
    return err;
}

static void on_subscribe(struct pair *p, const struct sip_event *ev)
{
    struct sub_script *s = p->ctx;
    struct sip_response r = { .status = s->answer,
                              .expires = s->grants_s,
                              .contact = SLICE("sip:dev@192.0.2.2:5060") };
    struct sip_notify n = { .state = SIP_SUB_ACTIVE, .body = SLICE("now") };
    uint64_t sub = 0;

    if (s->answer / 100 != 2) {
        sub_answer(p, 1, ev->transaction, s->answer);
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
    struct sub_script *s = p->ctx;

    if (ev->kind == SIP_EV_NOTIFY)
        sub_answer(p, side, ev->transaction, s->notify_answer);
    else if (ev->kind == SIP_EV_REQUEST &&
             ev->msg->method == SIP_METHOD_SUBSCRIBE)
        on_subscribe(p, ev);
    else if (ev->kind == SIP_EV_REQUEST)
        sub_answer(p, side, ev->transaction, 481);
}

static enum pair_fate fate(void *ctx, int from, struct slice bytes)
{
    struct sub_script *s = ctx;

    if (!s->lose_n || from != s->lose_from ||
        !slice_has_prefix(bytes, slice_str(s->lose)))
        return PAIR_PASS;
    s->lose_n--;
    return PAIR_LOSE;
}

void sub_start_with(struct pair *p, struct sub_script *s,
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

void sub_start(struct pair *p, struct sub_script *s, const struct pair_wire *w)
{
    sub_start_with(p, s, w, NULL, false);
}

struct sip_subscribe sub_request(const struct pair *p, int64_t expires_s)
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

int sub_subscribe(struct pair *p, int64_t expires_s)
{
    struct sub_script *s = p->ctx;
    struct sip_subscribe q = sub_request(p, expires_s);
    int err = sip_stack_subscribe(p->stack[0], &q, p->now_ms, &s->sub[0]);

    pair_pump(p);
    return err;
}

/* A subscription that is up, its first NOTIFY answered. */
void sub_up(struct pair *p, struct sub_script *s, const struct pair_wire *w)
{
    sub_start(p, s, w);
    assert_int_equal(sub_subscribe(p, 600), 0);
    pair_run(p, p->now_ms + 100);
}

void sub_finish(struct pair *p)
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

struct slice sub_header(const struct pair *p, int side, const char *start,
                           size_t n, const char *name)
{
    const struct pair_sent *m = pair_find(p, side, start, n);

    if (!m)
        fail_msg("side %d sent no %s number %zu", side, start, n);
    return pair_header(m->bytes, name);
}
