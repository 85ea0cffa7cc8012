/* Requests of peers: repeats, dialogs, and who is to be answered.
 *
 * A request that the layer above must see becomes `pending`: it has ids and an
 * event, and nothing on the heap. Answered in its turn, it leaves by one of two
 * doors: forgotten (stateless), or as a struct done that absorbs its repeats.
 * Otherwise its turn ends (stk_turn_over) and it becomes a transaction. */
#include "sip/stack_impl.h"

#include <assert.h>

#define RETRY_AFTER_S "2" /* for a second INVITE, 0 to 10 (RFC 3261 §14.2) */

/* ---- the pending request ----------------------------------------------- */

struct echo_parts {
    const struct sip_msg *m;
    const struct gb_addr *source;
    struct slice to_tag;
    size_t *echo_n; /* where Record-Route begins; NULL: leave it out */
};

static int write_echo(struct writer *w, const void *parts)
{
    const struct echo_parts *p = parts;

    sip_echo_write(w, p->m, p->source, p->to_tag);
    if (p->echo_n) {
        *p->echo_n = w->len;
        sip_record_route_write(w, p->m);
    }
    return w->err;
}

/* The layer above is told of m; c: the dialog that it is in, or NULL. NULL:
 * dropped, the request will come again. */
static struct trans *pend(struct sip_stack *s, enum sip_trans_kind kind,
                          const struct sip_peer *from, const struct sip_msg *m,
                          const struct call *c, uint64_t now_ms)
{
    struct pending *p = &s->pend;
    struct sip_event *ev;

    assert(!p->on);
    p->t = (struct trans){
        .m.kind = (uint8_t)kind,
        .by_key.key = s->key,
        .peer = stk_reply_peer(s, from, m),
        .source = from->remote,
        .dialog = c ? c->id : 0,
        .to_tag = stk_tag_of_key(s, &s->key),
        .cseq = m->cseq.number,
        .method = (uint8_t)m->method,
        .own_to_tag = m->to.tag.n == 0,
        .cookie = sip_via_has_cookie(&m->via),
    };
    if (idmap_add(&s->trans_ids, &p->t, &p->t.id)) {
        s->count.dropped++;
        return NULL;
    }
    p->on = true;
    p->told = p->opens = false;
    p->from = *from;
    p->now_ms = now_ms;
    ev = stk_event(s, SIP_EV_REQUEST, from, m);
    ev->transaction = p->t.id;
    ev->dialog = p->t.dialog;
    ev->user = c ? c->user : 0;
    return &p->t;
}

struct sip_event *stk_report(struct sip_stack *s, const struct sip_peer *from,
                             const struct sip_msg *m, uint64_t now_ms)
{
    return pend(s, SIP_NIST, from, m, NULL, now_ms) ? stk_newest_event(s)
                                                    : NULL;
}

void stk_forget_pending(struct sip_stack *s)
{
    struct pending *p = &s->pend;
    struct call *c;

    if (!p->on)
        return;
    p->on = p->told = false;
    idmap_remove(&s->trans_ids, p->t.id);
    if (p->opens) {
        idmap_remove(&s->call_ids, p->call.id);
        return;
    }
    c = stk_call_find(s, p->t.dialog);
    if (c && c->peer_invite == p->t.id)
        c->peer_invite = 0;
}

/* The dialog that the pending INVITE opens, all but its id. */
static int open_dialog(struct sip_stack *s, struct call **c)
{
    const struct pending *p = &s->pend;
    struct arena scratch = stk_arena(s);
    struct sip_dialog d;
    char tag[STK_TAG];
    int err;

    stk_hex(tag, p->t.to_tag);
    err = sip_dialog_of_request(&d, s->msg, slice_of(tag, sizeof(tag)),
                                &p->from.remote, &scratch);
    return err ? err : stk_call_adopt(s, c, &d, &p->call);
}

static struct blob *copy_echo(struct sip_stack *s, uint32_t *echo_n, int *err)
{
    const struct pending *p = &s->pend;
    char tag[STK_TAG];
    size_t n = 0;
    struct echo_parts parts = { s->msg, &p->from.remote,
                                { tag, sizeof(tag) }, &n };
    struct blob *b;

    stk_hex(tag, p->t.to_tag);
    b = stk_write(s, write_echo, &parts, err);
    *echo_n = (uint32_t)n;
    return b;
}

static void start_trans(struct sip_stack *s, struct trans *t, struct call *c)
{
    const struct pending *p = &s->pend;
    struct slice target;

    sip_trans_start(&t->m, t->m.kind, p->from.transport != SIP_UDP, &s->timers,
                    p->now_ms);
    stk_trans_settle(s, t);
    if (t->own_to_tag)
        stk_trans_list(s, t, s->msg);
    if (c) {
        idmap_replace(&s->call_ids, c->id, c);
        c->state = CALL_CALLED;
        c->peer_invite = t->id;
        return;
    }
    c = t->m.kind == SIP_IST ? stk_call_find(s, t->dialog) : NULL;
    if (c && sip_dialog_contact(s->msg, &target)) {
        blob_unref(s, &c->next_target);
        c->next_target = blob_of(s, target, slice_of(NULL, 0));
    }
}

/* The pending request becomes a transaction, and an INVITE that is not to be
 * refused a dialog. On an error nothing has changed. */
static int settle_down(struct sip_stack *s, bool refused, struct trans **out)
{
    struct pending *p = &s->pend;
    uint32_t echo_n = 0;
    struct call *c = NULL;
    struct trans *t;
    int err;
    struct blob *echo = copy_echo(s, &echo_n, &err);

    if (!err && p->opens && !refused)
        err = open_dialog(s, &c);
    if (!err)
        err = stk_trans_adopt(s, &t, &p->t);
    if (err) {
        if (c) {
            c->hidden = true; /* the id is not its own yet */
            stk_call_free(s, c);
        }
        blob_unref(s, &echo);
        return err;
    }
    p->on = p->told = false;
    if (p->opens && refused) {
        idmap_remove(&s->call_ids, p->call.id);
        t->dialog = 0;
    }
    t->echo = echo;
    t->echo_n = echo_n;
    start_trans(s, t, c);
    *out = t;
    return 0;
}

/* No memory: as if the network had lost the request, but the layer above has
 * heard of its dialog. */
static void lose_pending(struct sip_stack *s)
{
    struct pending *p = &s->pend;
    struct sip_event *ev;

    s->count.dropped++;
    if (p->opens && !stk_room(s)) {
        ev = stk_event(s, SIP_EV_ENDED, &p->from, NULL);
        ev->dialog = p->call.id;
        ev->user = p->call.user;
        ev->status = 503;
    }
    stk_forget_pending(s);
}

void stk_turn_over(struct sip_stack *s)
{
    struct trans *t;

    if (!s->pend.on)
        return;
    if (stk_room(s) || settle_down(s, false, &t))
        lose_pending(s);
    else if (t->m.kind == SIP_IST)
        stk_send_trying(s, t);
}

/* ---- answering --------------------------------------------------------- */

/* The answer that is on its way to become t's last one. */
static void put_answer(struct sip_stack *s, struct trans *t, struct blob *b,
                       unsigned status, uint64_t now_ms)
{
    enum sip_trans_event ev = status < 200   ? SIP_TE_1XX
                              : status < 300 ? SIP_TE_2XX
                                             : SIP_TE_FINAL;

    blob_unref(s, &t->out);
    t->out = b;
    if (sip_trans_input(&t->m, ev, &s->timers, now_ms) & SIP_TA_SEND)
        stk_send(s, b, &t->peer, t->id);
}

/* What a final answer to an INVITE means for its dialog. */
static void after_invite(struct sip_stack *s, struct trans *t, unsigned status,
                         uint64_t now_ms)
{
    struct call *c = stk_call_find(s, t->dialog);

    if (!c || c->peer_invite != t->id)
        return;
    c->peer_invite = 0;
    if (status < 300) {
        if (c->next_target)
            stk_call_retarget(s, c, blob_slice(c->next_target));
        stk_call_sent_ok(s, c, t->out, t->cseq, now_ms);
    }
    blob_unref(s, &c->next_target);
    if (status >= 300 && c->state == CALL_CALLED)
        stk_call_free(s, c);
}

/* A request that is no INVITE has its final answer. */
static void after_other(struct sip_stack *s, struct trans *t, struct making *k,
                        uint64_t now_ms)
{
    struct stk_key key = t->by_key.key;
    uint64_t tag = t->to_tag;
    struct gb_addr source = t->source;
    bool repeats = t->peer.transport == SIP_UDP;
    struct blob *b = blob_ref(t->out); /* first and tail point into it */

    s->answered = t->id;
    stk_trans_free(s, t);
    if (repeats)
        stk_make_end(s, k, &key, tag, &source, now_ms);
    blob_unref(s, &b);
}

static int respond(struct sip_stack *s, struct trans *t,
                   const struct sip_response *r, uint64_t now_ms)
{
    struct making k;
    struct blob *b;
    int err;

    if (t->m.state >= SIP_TS_COMPLETED)
        return t->cancelled ? GB_ENOENT : GB_ESTATE;
    b = stk_build_for(s, t, r, &k, &err);
    if (err)
        return err;
    put_answer(s, t, b, r->status, now_ms);
    if (t->m.kind == SIP_NIST && r->status >= 200) {
        after_other(s, t, &k, now_ms);
        return 0;
    }
    if (t->m.kind == SIP_IST && r->status >= 200)
        after_invite(s, t, r->status, now_ms);
    stk_trans_settle(s, t);
    return 0;
}

static int respond_pending(struct sip_stack *s, const struct sip_response *r,
                           uint64_t now_ms)
{
    struct trans *t = &s->pend.t;
    int err;

    if (t->m.kind == SIP_NIST && r->status >= 200) {
        err = stk_answer_last(s, &s->pend.from, s->msg, r, t->to_tag, now_ms);
        if (err)
            return err;
        s->answered = t->id;
        stk_forget_pending(s);
        return 0;
    }
    err = settle_down(s, r->status >= 300, &t);
    return err ? err : respond(s, t, r, now_ms);
}

static bool is_pending(const struct sip_stack *s, const struct trans *t)
{
    return s->pend.on && t == &s->pend.t;
}

int stk_answer(struct sip_stack *s, struct trans *t, unsigned status,
               uint64_t now_ms)
{
    struct sip_response r = { .status = status, .expires = -1 };

    return is_pending(s, t) ? respond_pending(s, &r, now_ms)
                            : respond(s, t, &r, now_ms);
}

static struct trans *server_find(const struct sip_stack *s, uint64_t id)
{
    struct trans *t = stk_trans_find(s, id);

    return t && !is_client(t) ? t : NULL;
}

int sip_stack_respond(struct sip_stack *s, uint64_t transaction,
                      const struct sip_response *r, uint64_t now_ms)
{
    struct trans *t = server_find(s, transaction);
    int err;

    if (!t)
        return transaction && transaction == s->answered ? GB_ESTATE
                                                         : GB_ENOENT;
    if (r->status < 100 || r->status > 699)
        return GB_ERANGE;
    err = stk_room(s);
    if (err)
        return err;
    return is_pending(s, t) ? respond_pending(s, r, now_ms)
                            : respond(s, t, r, now_ms);
}

/* The dialog that t was to open or change. */
static void leave_dialog(struct sip_stack *s, const struct trans *t)
{
    struct call *c = stk_call_find(s, t->dialog);

    if (t->method != SIP_METHOD_INVITE || !c)
        return;
    c->peer_invite = 0;
    blob_unref(s, &c->next_target);
    if (c->state == CALL_CALLED)
        stk_call_free(s, c);
}

static int respond_late(struct sip_stack *s, struct trans *t,
                        const struct sip_response *r)
{
    struct making k;
    struct blob *b;
    int err;

    if (t->m.state >= SIP_TS_COMPLETED)
        return GB_ENOENT;
    b = stk_build_for(s, t, r, &k, &err);
    if (err)
        return err;
    stk_send(s, b, &t->peer, 0);
    blob_unref(s, &b);
    leave_dialog(s, t);
    stk_trans_free(s, t);
    return 0;
}

int sip_stack_respond_stateless(struct sip_stack *s, uint64_t transaction,
                                const struct sip_response *r, uint64_t now_ms)
{
    struct trans *t = server_find(s, transaction);
    int err;

    (void)now_ms;
    if (!t)
        return GB_ENOENT;
    if (r->status < 200 || r->status > 699)
        return GB_ERANGE;
    err = stk_room(s);
    if (err)
        return err;
    if (!is_pending(s, t))
        return respond_late(s, t, r);
    err = stk_reply(s, &s->pend.from, s->msg, r);
    if (!err)
        stk_forget_pending(s);
    return err;
}

static int their_to_tag(const struct trans *t, struct slice *tag)
{
    struct slice echo = blob_slice(t->echo), line = { NULL, 0 };
    struct sip_addr to;

    while (echo.n && !slice_has_prefix(line, SLICE("To: "))) {
        size_t n = slice_find(echo, '\r');

        line = slice_head(echo, n);
        echo = slice_from(echo, n + 2);
    }
    if (sip_addr_parse(&to, slice_from(line, 4), NULL))
        return GB_ENOENT;
    *tag = to.tag;
    return 0;
}

int sip_stack_to_tag(struct sip_stack *s, uint64_t transaction,
                     struct slice *tag)
{
    struct trans *t = server_find(s, transaction);

    if (!t || (!is_pending(s, t) && !t->echo))
        return GB_ENOENT;
    if (!t->own_to_tag && !is_pending(s, t))
        return their_to_tag(t, tag);
    stk_hex(s->tag, t->to_tag);
    *tag = t->own_to_tag ? slice_of(s->tag, STK_TAG) : s->msg->to.tag;
    return 0;
}

/* ---- repeats, ACK, CANCEL ---------------------------------------------- */

static void on_repeat(struct sip_stack *s, struct trans *t,
                      const struct sip_peer *from, uint64_t now_ms)
{
    unsigned acts = sip_trans_input(&t->m, SIP_TE_REQUEST, &s->timers, now_ms);

    s->count.absorbed++;
    if (!gb_addr_ip_eq(&t->source, &from->remote))
        return; /* a stranger neither gets nor moves the answer */
    if (t->peer.transport == SIP_UDP && from->transport == SIP_UDP &&
        gb_addr_eq(&t->peer.remote, &t->source))
        t->peer.remote = t->source = from->remote; /* NAT has moved it */
    if ((acts & SIP_TA_RESEND) && t->out) {
        s->count.retransmitted++;
        stk_send(s, t->out, &t->peer, t->id);
    }
}

static struct trans *find_invite(const struct sip_stack *s,
                                 const struct sip_msg *m)
{
    struct stk_key k;
    struct trans *t;

    stk_server_key(s, &k, m, SIP_METHOD_INVITE);
    t = stk_trans_by_key(s, &k);
    return t && t->m.kind == SIP_IST ? t : NULL;
}

/* RFC 2543 matching has no branch to tell the ACK of a refusal by: its To tag
 * must be that of our answer (§17.2.3). */
static bool is_ack_of(const struct trans *t, const struct sip_msg *m)
{
    char tag[STK_TAG];

    if (t->cookie || !t->own_to_tag)
        return true;
    stk_hex(tag, t->to_tag);
    return slice_eq(m->to.tag, slice_of(tag, sizeof(tag)));
}

static void on_ack(struct sip_stack *s, const struct sip_peer *from,
                   const struct sip_msg *m, uint64_t now_ms)
{
    struct trans *t = find_invite(s, m);
    struct call *c;

    if (t && is_ack_of(t, m) && gb_addr_ip_eq(&t->source, &from->remote)) {
        unsigned acts = sip_trans_input(&t->m, SIP_TE_ACK, &s->timers, now_ms);

        if (!(acts & SIP_TA_PASS)) {
            stk_trans_settle(s, t);
            return;
        }
    }
    c = stk_call_match(s, from, m);
    if (c)
        stk_call_on_ack(s, c, from, m, now_ms);
    else
        s->count.dropped++;
}

/* The INVITE's transaction waits no more: 487 or so, and its dialog with it.
 * Without memory for that its guard timer does it soon. */
static bool terminate_invite(struct sip_stack *s, struct trans *t,
                             unsigned status, uint64_t now_ms)
{
    uint64_t id = t->id;
    int err;

    if (t->m.state >= SIP_TS_COMPLETED)
        return false;
    err = stk_answer(s, t, status, now_ms);
    if (err && is_pending(s, t)) { /* as if the network had lost it */
        stk_forget_pending(s);
        return false;
    }
    t = stk_trans_find(s, id); /* no longer where it was pending */
    if (err && t) {
        t->m.end_ms = now_ms + STK_STALL_MS;
        stk_trans_settle(s, t);
    } else if (t) {
        t->cancelled = true;
    }
    return !err;
}

void stk_end_invites(struct sip_stack *s, uint64_t own, uint64_t peers,
                     unsigned status, uint64_t now_ms)
{
    struct trans *t = stk_trans_find(s, peers);

    if (t)
        terminate_invite(s, t, status, now_ms);
    t = stk_trans_find(s, own);
    if (t)
        stk_invite_abandon(s, t, now_ms);
}

/* §9.2: 200 in any case where the INVITE is known, under its To tag; 487 if it
 * is still open. */
static void on_cancel(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m, uint64_t now_ms)
{
    struct sip_response ok = { .status = 200, .expires = -1 };
    struct trans *invite = find_invite(s, m);
    uint64_t user = 0, dialog, id;
    struct sip_event *ev;
    struct call *c;

    if (!invite || !gb_addr_ip_eq(&invite->source, &from->remote)) {
        stk_refuse(s, from, m, 481); /* a stranger learns and ends nothing */
        return;
    }
    id = invite->id;
    dialog = invite->dialog;
    c = stk_call_find(s, dialog);
    if (c)
        user = c->user;
    if (stk_answer_last(s, from, m, &ok, invite->to_tag, now_ms)) {
        s->count.dropped++;
        return;
    }
    if (!terminate_invite(s, invite, 487, now_ms))
        return;
    if (dialog && !c) /* ended when there was no memory for its 480 */
        return;
    ev = stk_event(s, SIP_EV_CANCELLED, from, m);
    ev->transaction = id;
    ev->dialog = dialog;
    ev->user = user;
}

/* ---- INVITE ------------------------------------------------------------ */

/* It gets the id of a dialog; the dialog comes with the transaction. */
static void on_invite(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m, uint64_t now_ms)
{
    struct pending *p = &s->pend;
    uint64_t id;

    if (stk_call_count(s, m->call_id) >= STK_MAX_SAME_CALL) {
        stk_refuse(s, from, m, 482);
        return;
    }
    if (s->n_calls >= s->max_calls) {
        stk_refuse(s, from, m, 503);
        return;
    }
    p->call = (struct call){ .peer = *from, .state = CALL_CALLED };
    if (idmap_add(&s->call_ids, &p->call, &id)) {
        s->count.dropped++;
        return;
    }
    p->call.id = id;
    if (!pend(s, SIP_IST, from, m, &p->call, now_ms)) {
        idmap_remove(&s->call_ids, id);
        return;
    }
    p->opens = true;
}

/* §14.2: glare, and one at a time */
static void on_reinvite(struct sip_stack *s, struct call *c,
                        const struct sip_peer *from, const struct sip_msg *m,
                        uint64_t now_ms)
{
    static const struct sip_extra later = { SLICE_INIT("Retry-After"),
                                            SLICE_INIT(RETRY_AFTER_S) };
    struct trans *t;

    if (c->own_invite) {
        stk_refuse(s, from, m, 491);
        return;
    }
    if (c->peer_invite) {
        stk_refuse_with(s, from, m, 500, &later, 1);
        return;
    }
    t = pend(s, SIP_IST, from, m, c, now_ms);
    if (t)
        c->peer_invite = t->id;
}

/* ---- inside a dialog --------------------------------------------------- */

/* §15: over at once, whatever is open. */
static void on_bye(struct sip_stack *s, struct call *c,
                   const struct sip_peer *from, const struct sip_msg *m,
                   uint64_t now_ms)
{
    struct sip_response ok = { .status = 200, .expires = -1 };

    if (stk_answer_last(s, from, m, &ok, stk_tag_of_key(s, &s->key), now_ms)) {
        s->count.dropped++;
        return; /* it will come again */
    }
    stk_call_over(s, c, 200, from, m, now_ms);
}

static void in_dialog(struct sip_stack *s, struct call *c,
                      const struct sip_peer *from, const struct sip_msg *m,
                      uint64_t now_ms)
{
    if (c->hidden && m->method != SIP_METHOD_BYE)
        stk_refuse(s, from, m, 481);
    else if (!sip_dialog_take_cseq(&c->d, m->cseq.number))
        stk_refuse(s, from, m, 500);
    else if (m->method == SIP_METHOD_BYE)
        on_bye(s, c, from, m, now_ms);
    else if (m->method == SIP_METHOD_INVITE)
        on_reinvite(s, c, from, m, now_ms);
    else if (m->method == SIP_METHOD_OPTIONS)
        stk_refuse(s, from, m, 200);
    else
        pend(s, SIP_NIST, from, m, c, now_ms);
}

/* ---- the way in -------------------------------------------------------- */

/* Of all but ACK s->key is the key. */
void stk_on_request(struct sip_stack *s, const struct sip_peer *from,
                    struct sip_msg *m, uint64_t now_ms)
{
    struct done *d;
    struct trans *t;
    struct call *c;
    struct sub *b;

    if (m->method == SIP_METHOD_ACK) {
        on_ack(s, from, m, now_ms);
        return;
    }
    d = stk_done_find(s, &s->key);
    t = d ? NULL : stk_trans_by_key(s, &s->key);
    if (d) {
        stk_answer_again(s, d, from, m);
    } else if (t) {
        on_repeat(s, t, from, now_ms);
    } else if (m->method == SIP_METHOD_CANCEL) {
        on_cancel(s, from, m, now_ms);
    } else {
        c = stk_call_match(s, from, m);
        if (c && c->unknown && m->method != SIP_METHOD_BYE)
            c = NULL; /* as its peer has it */
        if (stk_refused(s, c, from, m))
            return;
        s->pend_sub = 0;
        if ((b = stk_sub_match(s, from, m)))
            stk_sub_request(s, b, from, m, now_ms);
        else if (c)
            in_dialog(s, c, from, m, now_ms);
        else if (m->method == SIP_METHOD_INVITE)
            on_invite(s, from, m, now_ms);
        else
            pend(s, SIP_NIST, from, m, NULL, now_ms);
    }
}

/* ---- time -------------------------------------------------------------- */

/* An INVITE that was never answered, or can be no more. */
static void lost_invite(struct sip_stack *s, struct trans *t, unsigned status)
{
    struct call *c = stk_call_find(s, t->dialog);

    if (!c || c->peer_invite != t->id)
        return;
    c->peer_invite = 0;
    blob_unref(s, &c->next_target);
    if (c->state == CALL_CALLED)
        stk_call_ended(s, c, status, &t->peer, NULL);
}

static void answer_late(struct sip_stack *s, struct trans *t)
{
    struct sip_response r = { .status = 408, .expires = -1 };
    struct making k;
    int err;
    struct blob *b = stk_build_for(s, t, &r, &k, &err);

    if (!err)
        stk_send(s, b, &t->peer, 0);
    blob_unref(s, &b);
}

void stk_server_tick(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    bool open = t->m.state < SIP_TS_COMPLETED && t->m.kind == SIP_IST;
    unsigned acts;

    if (t->broken) {
        t->broken = false;
        acts = sip_trans_input(&t->m, SIP_TE_IO_ERROR, &s->timers, now_ms);
    } else {
        acts = sip_trans_tick(&t->m, &s->timers, now_ms);
    }
    if ((acts & SIP_TA_RESEND) && t->out) {
        s->count.retransmitted++;
        stk_send(s, t->out, &t->peer, t->id);
    }
    if (open && (acts & SIP_TA_TIMED_OUT)) {
        answer_late(s, t);
        lost_invite(s, t, 408);
    }
    if (open && (acts & SIP_TA_BROKEN))
        lost_invite(s, t, 503);
    stk_trans_settle(s, t);
}
