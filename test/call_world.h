/* test/call_world.h - a call between two stacks: side 0 is the platform and calls,
 * side 1 is the device */
#ifndef TEST_CALL_WORLD_H
#define TEST_CALL_WORLD_H

#include "test/pair.h"

#include <stdio.h>
#include <stdlib.h>

/* What side 1 does with an INVITE. */
struct script {
    unsigned answer; /* 0: leave it open */
    bool contact;
    uint64_t dialog, transaction; /* of the last INVITE, on side 1 */
    uint64_t dialog0;             /* on side 0 */
    enum sip_method lose;         /* our wire loses this method or ... */
    unsigned lose_status;         /* ... this status ... */
    unsigned lose_n;              /* ... so often */
};

static inline void respond(struct pair *p, int side, uint64_t transaction,
                           unsigned status, bool contact)
{
    struct sip_response r = { .status = status, .expires = -1 };

    if (status < 300) {
        r.body = SLICE("v=0\r\n");
        r.content_type = SLICE("application/sdp");
    }
    if (contact)
        r.contact = SLICE("sip:dev@192.0.2.2:5060");
    sip_stack_respond(p->stack[side], transaction, &r, p->now_ms);
}

static inline void on_event(struct pair *p, int side,
                            const struct sip_event *ev)
{
    struct script *s = p->ctx;

    if (ev->kind != SIP_EV_REQUEST)
        return;
    if (ev->msg->method != SIP_METHOD_INVITE) {
        respond(p, side, ev->transaction, 200, false);
        return;
    }
    if (side == 1) {
        s->dialog = ev->dialog;
        s->transaction = ev->transaction;
    }
    if (s->answer)
        respond(p, side, ev->transaction, s->answer, s->contact);
}

static inline enum pair_fate fate(void *ctx, int from, struct slice bytes)
{
    struct script *s = ctx;
    char start[24] = "";

    (void)from;
    if (!s->lose_n)
        return PAIR_PASS;
    if (s->lose_status)
        snprintf(start, sizeof(start), "SIP/2.0 %u", s->lose_status);
    else
        slice_copy(start, sizeof(start), sip_method_name(s->lose));
    if (!slice_has_prefix(bytes, slice_str(start)))
        return PAIR_PASS;
    s->lose_n--;
    return PAIR_LOSE;
}

static const struct pair_wire wire = { .delay_ms = 10 };
static const struct pair_wire tcp = { .delay_ms = 10, .tcp = true };

static inline void start(struct pair *p, struct script *s,
                         const struct pair_wire *w)
{
    pair_init(p, w, NULL, false);
    p->on_event = on_event;
    p->fate = fate;
    p->ctx = s;
    s->contact = true;
}

static inline struct sip_request invite(const struct pair *p, int side)
{
    return (struct sip_request){
        .method = SIP_METHOD_INVITE,
        .peer = pair_peer(p, side),
        .uri = SLICE("sip:ch@192.0.2.2:5060"),
        .from = SLICE("sip:platform@dom"),
        .to = SLICE("sip:ch@dom"),
        .contact = SLICE("sip:platform@192.0.2.1:5060"),
        .content_type = SLICE("application/sdp"),
        .body = SLICE("v=0\r\n"),
        .expires = -1,
        .user = 42,
    };
}

static inline void call(struct pair *p)
{
    struct script *s = p->ctx;
    struct sip_request r = invite(p, 0);

    assert_int_equal(sip_stack_invite(p->stack[0], &r, p->now_ms, &s->dialog0),
                     0);
    pair_pump(p);
}

/* A call, and what it brings within 100 ms. */
static inline void begin_call(struct pair *p, struct script *s,
                              const struct pair_wire *w)
{
    start(p, s, w);
    call(p);
    pair_run(p, p->now_ms + 100);
}

static inline void hang_up(struct pair *p, int side)
{
    struct script *s = p->ctx;

    sip_stack_end(p->stack[side], side ? s->dialog : s->dialog0, p->now_ms);
    pair_pump(p);
}

static inline int info(struct pair *p, int side, enum sip_method m)
{
    struct script *s = p->ctx;
    struct sip_request r = { .method = m, .expires = -1, .user = 7 };
    uint64_t id;
    int err;

    if (m == SIP_METHOD_INVITE)
        r.contact = side ? SLICE("sip:dev@192.0.2.2:5061")
                         : SLICE("sip:platform@192.0.2.1:5061");
    err = sip_stack_request_in(p->stack[side], side ? s->dialog : s->dialog0,
                               &r, p->now_ms, &id);
    pair_pump(p);
    return err;
}

/* Nothing is left on either side. */
static inline void finish(struct pair *p)
{
    pair_settle(p, 400000);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(pair_counters(p, side).dialogs, 0);
        assert_int_equal(pair_counters(p, side).transactions, 0);
        assert_int_equal(pair_counters(p, side).memory, 0);
    }
    pair_fini(p);
}
#endif
