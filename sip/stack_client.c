/* Requests of ours: sending, answers, ACK and CANCEL, forks, giving up. */
#include "sip/stack_impl.h"

/* ---- sending ----------------------------------------------------------- */

static const struct slice transport_names[] = {
    [SIP_UDP] = SLICE_INIT("UDP"),
    [SIP_TCP] = SLICE_INIT("TCP"),
    [SIP_TLS] = SLICE_INIT("TLS"),
};

static int write_request(struct writer *w, const void *parts)
{
    return sip_request_build(w, parts);
}

static int write_cancel(struct writer *w, const void *invite)
{
    return sip_cancel_build(w, invite);
}

void stk_branch_write(char out[static STK_BRANCH], uint64_t v)
{
    memcpy(out, SIP_COOKIE, sizeof(SIP_COOKIE) - 1);
    stk_hex(out + sizeof(SIP_COOKIE) - 1, v);
}

/* The transaction of bytes that are written already; takes b on success. */
int stk_trans_of(struct sip_stack *s, struct trans **out, struct blob *b,
                 const struct sip_request_parts *p,
                 const struct client_opts *o)
{
    struct slice method = sip_method_name(p->method);
    struct stk_key by_branch, by_call;
    int err;

    stk_branch_key(s, &by_branch, p->branch, method);
    stk_call_key(s, &by_call, p->call_id, p->cseq, method);
    err = stk_trans_new(s, out,
                        p->method == SIP_METHOD_INVITE ? SIP_ICT : SIP_NICT,
                        &by_branch, o->peer);
    if (err)
        return err;
    stk_trans_index_call(s, client(*out), &by_call);
    (*out)->out = b;
    (*out)->method = (uint8_t)p->method;
    (*out)->cseq = p->cseq;
    (*out)->dialog = o->dialog;
    client(*out)->sub = o->sub;
    (*out)->user = o->user;
    (*out)->silent = o->silent;
    return 0;
}

static void set_give_up(struct sip_stack *s, struct trans *t,
                        uint32_t timeout_ms, uint64_t now_ms)
{
    uint64_t longest_ms = 64 * (uint64_t)s->timers.t1_ms;

    if (t->m.kind == SIP_ICT || (timeout_ms && timeout_ms < longest_ms))
        client(t)->give_up_ms = now_ms + (timeout_ms ? timeout_ms : longest_ms);
}

struct client_opts stk_client_opts(const struct sip_request *r)
{
    return (struct client_opts){ .peer = &r->peer,
                                 .user = r->user,
                                 .timeout_ms = r->timeout_ms,
                                 .login = { r->username, r->password } };
}

int stk_client_new(struct sip_stack *s, struct sip_request_parts *p,
                   const struct client_opts *o, uint64_t now_ms,
                   struct trans **out)
{
    char branch[STK_BRANCH], login[STK_ANSWER];
    enum stk_unasked unasked = stk_known_bring(s, p, o, login);
    uint64_t random = stk_random(s);
    struct client_opts via = *o;
    struct sip_peer over;
    struct blob *b;
    bool large;
    int err;

    stk_branch_write(branch, random);
    p->branch = slice_of(branch, sizeof(branch));
    p->transport = transport_names[o->peer->transport];
    p->sent_by = &o->peer->local;
    p->user_agent = s->user_agent;
    b = stk_write(s, write_request, p, &err);
    if (err)
        return err;
    large = stk_large(s, b, o->peer, &over, now_ms);
    if (large)
        via.peer = &over;
    err = stk_trans_of(s, out, b, p, &via);
    if (err) {
        blob_unref(s, &b);
        return err;
    }
    client(*out)->large = large;
    client(*out)->branch = random;
    client(*out)->unasked = (uint8_t)unasked;
    set_give_up(s, *out, o->timeout_ms, now_ms);
    err = stk_keep_secret(s, *out, o->login.username, o->login.password);
    if (err)
        stk_trans_free(s, *out);
    return err;
}

void stk_client_start(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    sip_trans_start(&t->m, t->m.kind, t->peer.transport != SIP_UDP, &s->timers,
                    now_ms);
    stk_send(s, t->out, &t->peer, t->id);
    stk_trans_settle(s, t);
}

void stk_request_parts(struct sip_request_parts *p,
                       const struct sip_request *r)
{
    *p = (struct sip_request_parts){
        .method = r->method,
        .uri = r->uri,
        .from = r->from,
        .to = r->to,
        .from_tag = r->from_tag,
        .to_tag = r->to_tag,
        .call_id = r->call_id,
        .cseq = r->cseq,
        .contact = r->contact,
        .expires = r->expires,
        .subject = r->subject,
        .max_forwards = r->max_forwards,
        .extra = r->extra,
        .n_extra = r->n_extra,
        .content_type = r->content_type,
        .body = r->body,
    };
}

void stk_fill_fresh(struct sip_stack *s, struct sip_request_parts *p,
                    struct stk_fresh *f)
{
    if (!p->call_id.n) {
        sip_stack_token(s, f->call_id);
        p->call_id = slice_of(f->call_id, STK_TAG);
    }
    if (!p->from_tag.n) {
        sip_stack_token(s, f->tag);
        p->from_tag = slice_of(f->tag, STK_TAG);
    }
    if (!p->cseq) {
        s->next_cseq = s->next_cseq % SIP_CSEQ_MAX + 1;
        p->cseq = s->next_cseq;
    }
}

static bool is_plain(enum sip_method m)
{
    return m != SIP_METHOD_OTHER && m < SIP_METHOD_COUNT &&
           m != SIP_METHOD_INVITE && m != SIP_METHOD_ACK &&
           m != SIP_METHOD_CANCEL;
}

int sip_stack_request(struct sip_stack *s, const struct sip_request *r,
                      uint64_t now_ms, uint64_t *transaction)
{
    struct client_opts o = stk_client_opts(r);
    struct sip_request_parts p;
    struct stk_fresh f;
    struct trans *t;
    int err = stk_room(s);

    if (err || !is_plain(r->method))
        return err ? err : GB_ESYNTAX;
    if (stk_is_busy(s, &r->peer, now_ms))
        return GB_EBUSY;
    stk_request_parts(&p, r);
    stk_fill_fresh(s, &p, &f);
    err = stk_client_new(s, &p, &o, now_ms, &t);
    if (err)
        return err;
    *transaction = t->id;
    stk_client_start(s, t, now_ms);
    return 0;
}

/* A request of ours, parsed: for its ACK, its CANCEL, its dialog. Of one that is
 * answered, and no INVITE, there is nothing left. */
int stk_read_back(struct sip_stack *s, const struct trans *t)
{
    if (!t->out)
        return GB_ENOENT;
    return sip_msg_parse(&s->aux, blob_slice(t->out), SIP_STREAM, NULL);
}

int sip_stack_invite(struct sip_stack *s, const struct sip_request *r,
                     uint64_t now_ms, uint64_t *dialog)
{
    struct client_opts o = stk_client_opts(r);
    struct sip_request_parts p;
    struct sip_dialog d;
    struct stk_fresh f;
    struct trans *t;
    struct call *c;
    int err = stk_room(s);

    if (!err && stk_is_busy(s, &r->peer, now_ms))
        err = GB_EBUSY;
    if (err)
        return err;
    stk_request_parts(&p, r);
    p.method = SIP_METHOD_INVITE;
    p.to_tag = (struct slice){ NULL, 0 };
    stk_fill_fresh(s, &p, &f);
    err = stk_client_new(s, &p, &o, now_ms, &t);
    if (err)
        return err;
    if (stk_read_back(s, t))
        err = GB_ESYNTAX;
    if (!err) {
        sip_dialog_of_invite(&d, &s->aux);
        err = stk_call_new(s, &c, &d, &r->peer);
    }
    if (err) {
        stk_trans_free(s, t);
        return err;
    }
    c->caller = true;
    c->user = r->user;
    c->own_invite = t->id;
    t->dialog = *dialog = c->id;
    stk_client_start(s, t, now_ms);
    return 0;
}

static int may_send_in(const struct call *c, enum sip_method m)
{
    bool early = c->state == CALL_CALLING && c->early;

    if (c->state != CALL_CONFIRMED && !early)
        return GB_ESTATE;
    if (m == SIP_METHOD_INVITE) /* RFC 3261 §14.1: one at a time */
        return c->own_invite || c->peer_invite || c->ok ? GB_ESTATE : 0;
    return is_plain(m) && m != SIP_METHOD_BYE ? 0 : GB_ESYNTAX;
}

/* What the layer above says goes before what the dialog knows. */
static void override(struct sip_request_parts *p, const struct sip_request *r,
                     const struct sip_dialog *d)
{
    if (r->uri.n)
        p->uri = r->uri;
    if (r->from.n) {
        p->from_raw = (struct slice){ NULL, 0 };
        p->from_tag = r->from_tag.n ? r->from_tag : d->local_tag;
    }
    if (r->to.n) {
        p->to_raw = (struct slice){ NULL, 0 };
        p->to_tag = r->to_tag.n ? r->to_tag : d->remote_tag;
    }
    if (r->call_id.n)
        p->call_id = r->call_id;
    p->cseq = r->cseq ? r->cseq : d->local_cseq % SIP_CSEQ_MAX + 1;
}

int sip_stack_request_in(struct sip_stack *s, uint64_t dialog,
                         const struct sip_request *r, uint64_t now_ms,
                         uint64_t *transaction)
{
    struct call *c = stk_call_find(s, dialog);
    struct client_opts o = stk_client_opts(r);
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct arena scratch = stk_arena(s);
    struct sip_request_parts p;
    struct trans *t;
    int err = c && !c->unknown ? may_send_in(c, r->method) : GB_ENOENT;

    if (!err)
        err = stk_room(s);
    if (err)
        return err;
    o.dialog = dialog;
    if (r->peer.remote.family == GB_NO_ADDR)
        o.peer = &c->peer;
    stk_request_parts(&p, r);
    err = sip_dialog_fill(&c->d, &p, routes, &scratch);
    if (err)
        return err;
    override(&p, r, &c->d);
    err = stk_client_new(s, &p, &o, now_ms, &t);
    if (err)
        return err;
    c->d.local_cseq = p.cseq;
    if (r->method == SIP_METHOD_INVITE) {
        c->own_invite = t->id;
        client(t)->fork[0] = stk_tag_hash(s, c->d.remote_tag);
        client(t)->n_forks = 1;
    }
    *transaction = t->id;
    stk_client_start(s, t, now_ms);
    return 0;
}

int stk_bye(struct sip_stack *s, const struct sip_dialog *d,
            const struct sip_peer *peer, struct arena *scratch, uint64_t now_ms)
{
    struct client_opts o = { .peer = peer, .silent = true };
    struct sip_request_parts p = { .method = SIP_METHOD_BYE, .expires = -1 };
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct trans *t;
    int err = sip_dialog_fill(d, &p, routes, scratch);

    if (err)
        return err;
    p.cseq = d->local_cseq % SIP_CSEQ_MAX + 1;
    err = stk_client_new(s, &p, &o, now_ms, &t);
    if (!err)
        stk_client_start(s, t, now_ms);
    return err;
}

int sip_stack_bye_orphan(struct sip_stack *s, const struct sip_dialog_state *d,
                         const struct sip_peer *peer,
                         const struct sip_login *login, uint64_t user,
                         uint64_t now_ms)
{
    struct client_opts o = { .peer = peer, .user = user };
    struct sip_request_parts p = {
        .method = SIP_METHOD_BYE,
        .uri = d->target,
        .from = d->local_uri,
        .from_tag = d->local_tag,
        .to = d->remote_uri,
        .to_tag = d->remote_tag,
        .call_id = d->call_id,
        .cseq = d->local_cseq % SIP_CSEQ_MAX + 1,
        .expires = -1,
    };
    struct trans *t;
    int err = stk_room(s);

    if (login)
        o.login = *login;
    if (!err)
        err = stk_client_new(s, &p, &o, now_ms, &t);
    if (!err)
        stk_client_start(s, t, now_ms);
    return err;
}

/* ---- CANCEL (RFC 3261 §9.1) -------------------------------------------- */

static void send_cancel(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    struct client_opts o = { .peer = &t->peer, .silent = true };
    struct sip_request_parts p = { .method = SIP_METHOD_CANCEL };
    struct trans *cancel;
    struct blob *b;
    int err = stk_read_back(s, t);

    if (!err) {
        b = stk_write(s, write_cancel, &s->aux, &err);
        p.branch = s->aux.via.branch;
        p.call_id = s->aux.call_id;
        p.cseq = s->aux.cseq.number;
    }
    if (!err) {
        err = stk_trans_of(s, &cancel, b, &p, &o);
        if (err)
            blob_unref(s, &b);
    }
    if (err) { /* no memory: try again, for as long as an answer to the CANCEL
                  would be waited for */
        if (t->m.end_ms == GB_NEVER)
            sip_trans_input(&t->m, SIP_TE_CANCEL, &s->timers, now_ms);
        client(t)->give_up_ms = now_ms + STK_STALL_MS;
        return;
    }
    stk_client_start(s, cancel, now_ms);
    t->cancelled = true;
    client(t)->give_up_ms = GB_NEVER;
    sip_trans_input(&t->m, SIP_TE_CANCEL, &s->timers, now_ms);
}

/* Not before a provisional answer, not after a final one. */
static void cancel_if_due(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    if (t->timed_cancel && !t->cancelled && t->m.state == SIP_TS_PROCEEDING)
        send_cancel(s, t, now_ms);
}

void stk_invite_abandon(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    t->orphan = t->silent = t->timed_cancel = true;
    t->dialog = 0;
    client(t)->give_up_ms = GB_NEVER;
    if (t->m.state == SIP_TS_TRYING) /* repeats would only begin what nobody
                                         wants any more */
        t->m.retry_ms = GB_NEVER;
    list_remove(&t->finished);
    cancel_if_due(s, t, now_ms);
    stk_trans_settle(s, t);
}

/* ---- answers ----------------------------------------------------------- */

/* The dialog of a transaction of ours, if it still is one. */
static struct call *call_of(const struct sip_stack *s, const struct trans *t)
{
    struct call *c = stk_call_find(s, t->dialog);

    return c && !c->unknown ? c : NULL;
}

/* A transaction inside a dialog that is over has nobody to tell: the end of
 * the dialog told it. */
static bool is_silent(const struct sip_stack *s, const struct trans *t)
{
    uint64_t sub = container_of(t, const struct ctrans, t)->sub;
    const struct sub *b = stk_sub_find(s, sub);

    return t->silent || (t->dialog && !call_of(s, t)) ||
           (sub && (!b || b->hidden));
}

struct sip_event *stk_tell(struct sip_stack *s, const struct trans *t,
                           enum sip_event_kind kind, unsigned status,
                           const struct sip_peer *from, const struct sip_msg *m)
{
    struct sip_event *ev;

    if (is_silent(s, t))
        return NULL;
    ev = stk_event(s, kind, from, m);
    ev->transaction = t->id;
    ev->dialog = t->dialog;
    ev->subscription = container_of(t, const struct ctrans, t)->sub;
    ev->user = t->user;
    ev->status = status;
    return ev;
}

/* No final answer will come: tells it and ends the dialog it should open. */
static void failed(struct sip_stack *s, struct trans *t, unsigned status)
{
    struct call *c = call_of(s, t);

    stk_tell(s, t, SIP_EV_FAILED, status, &t->peer, NULL);
    if (client(t)->sub)
        stk_sub_failed(s, t);
    if (!c || c->own_invite != t->id)
        return;
    c->own_invite = 0;
    if (c->state == CALL_CALLING)
        stk_call_free(s, c);
}

/* 300 to 699, or any final answer to another method. A 481 or 408 inside a
 * dialog ends it (§12.2.1.2). */
static void on_final(struct sip_stack *s, struct trans *t,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms)
{
    struct call *c = call_of(s, t);
    bool invite = c && c->own_invite == t->id;

    client(t)->give_up_ms = GB_NEVER;
    stk_tell(s, t, SIP_EV_RESPONSE, m->status, from, m);
    if (!c)
        return;
    if (invite)
        c->own_invite = 0;
    if (c->state != CALL_CONFIRMED) { /* early ones end with their INVITE */
        if (invite)
            stk_call_free(s, c);
    } else if (m->status == 481 || m->status == 408)
        stk_call_unknown(s, c, m->status, from, m, now_ms);
}

static struct sip_extra credentials(const struct sip_msg *invite,
                                    enum sip_hdr id)
{
    return (struct sip_extra){ sip_hdr_name(id), sip_msg_value(invite, id) };
}

/* §13.2.2.4. The branch follows from the INVITE's and the To tag, so that the
 * ACK of a repeated 2xx is the same bytes and need not be kept. */
static void send_ack_2xx(struct sip_stack *s, struct ctrans *c,
                         const struct sip_dialog *d,
                         const struct sip_peer *peer, struct arena *scratch)
{
    uint64_t seed[2] = { s->token_seed[0], c->branch };
    struct sip_request_parts p = { .method = SIP_METHOD_ACK,
                                   .cseq = c->t.cseq,
                                   .expires = -1,
                                   .transport = transport_names[peer->transport],
                                   .sent_by = &peer->local,
                                   .user_agent = s->user_agent };
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct sip_extra extra[2];
    char branch[STK_BRANCH];
    struct blob *b = NULL;
    int err = sip_dialog_fill(d, &p, routes, scratch);

    stk_branch_write(branch, map_hash(seed, d->remote_tag));
    p.branch = slice_of(branch, sizeof(branch));
    p.extra = extra;
    if (sip_msg_has(&s->aux, SIP_HDR_AUTHORIZATION))
        extra[p.n_extra++] = credentials(&s->aux, SIP_HDR_AUTHORIZATION);
    if (sip_msg_has(&s->aux, SIP_HDR_PROXY_AUTHORIZATION))
        extra[p.n_extra++] = credentials(&s->aux, SIP_HDR_PROXY_AUTHORIZATION);
    if (!err)
        b = stk_write(s, write_request, &p, &err);
    if (err) {
        s->count.dropped++; /* the 2xx will come again */
        return;
    }
    stk_send(s, b, peer, 0);
    blob_unref(s, &b);
}

static bool seen_tag(const struct ctrans *c, uint64_t tag)
{
    for (unsigned i = 0; i < c->n_forks; i++)
        if (c->fork[i] == tag)
            return true;
    return false;
}

static uint64_t answer_hash(const struct sip_stack *s,
                            const struct sip_dialog *d, struct slice body)
{
    struct stk_text t;
    struct stk_key k;

    key_start(&t, "AN");
    key_add(s, &t, d->target);
    key_add(s, &t, body);
    key_end(s, &t, &k);
    return k.h[0];
}

/* A 1xx with a tag makes an early dialog (§12.1); of several forks the first
 * one is spoken to. Without memory there is none. */
static void make_early(struct sip_stack *s, struct trans *t,
                       const struct sip_msg *m)
{
    struct arena scratch = stk_arena(s);
    struct call *c = call_of(s, t);
    struct sip_dialog d;

    if (t->m.kind != SIP_ICT || m->status == 100 || !m->to.tag.n || !c ||
        c->own_invite != t->id || c->state != CALL_CALLING || c->early)
        return;
    c->early = !stk_read_back(s, t) &&
               !sip_dialog_of_response(&d, &s->aux, m, &scratch) &&
               !stk_call_update(s, c, &d);
}

/* The 2xx that the layer above waits for; d has the number of the INVITE, and
 * requests may have gone out in the early dialog since. */
static int establish(struct sip_stack *s, struct trans *t, struct call *c,
                     const struct sip_dialog *d, const struct sip_peer *from,
                     const struct sip_msg *m)
{
    uint32_t cseq = c->d.local_cseq;
    int err = c->state == CALL_CONFIRMED ? stk_call_retarget(s, c, d->target)
                                         : stk_call_update(s, c, d);

    if (err)
        return err;
    c->d.local_cseq = cseq;
    c->state = CALL_CONFIRMED;
    c->own_invite = 0;
    client(t)->give_up_ms = GB_NEVER;
    stk_tell(s, t, SIP_EV_RESPONSE, m->status, from, m);
    return 0;
}

/* A 2xx to an INVITE: the first makes the dialog; a repeat is acknowledged
 * again; one with another To tag is a fork nobody wants, acknowledged and
 * ended. The same Contact and body under another tag is no fork but a device
 * that changes its tag with each repeat: a BYE would end the stream. */
static void on_2xx(struct sip_stack *s, struct trans *t,
                   const struct sip_peer *from, const struct sip_msg *m,
                   uint64_t now_ms)
{
    struct ctrans *ct = client(t);
    struct arena scratch = stk_arena(s);
    uint64_t tag = stk_tag_hash(s, m->to.tag), answer;
    struct call *c = call_of(s, t);
    bool wanted = c && c->own_invite == t->id;
    bool seen = seen_tag(ct, tag), again;
    struct slice contact;
    struct sip_dialog d;

    if (stk_read_back(s, t) ||
        sip_dialog_of_response(&d, &s->aux, m, &scratch) ||
        (!seen && ct->n_forks == STK_MAX_FORKS)) {
        s->count.dropped++;
        return;
    }
    again = c && s->aux.to.tag.n;
    if (again && !sip_dialog_contact(m, &contact))
        d.target = c->d.target;
    if (wanted && establish(s, t, c, &d, from, m)) {
        s->count.dropped++;
        return;
    }
    if (again) /* a strict route is in the Request-URI of our re-INVITE */
        d.routes = c->d.routes;
    if (!seen)
        ct->fork[ct->n_forks++] = tag;
    send_ack_2xx(s, ct, &d, c ? &c->peer : &t->peer, &scratch);
    answer = answer_hash(s, &d, m->body);
    if (wanted) {
        ct->answer = answer;
        return;
    }
    if (seen || answer == ct->answer) {
        s->count.absorbed++;
        return;
    }
    if (!ct->answer)
        ct->answer = answer;
    if (stk_bye(s, &d, &t->peer, &scratch, now_ms)) {
        ct->n_forks--; /* its next repeat tries again */
        s->count.dropped++;
    }
}

/* A 2xx behind a refusal, mostly that of a CANCEL: the device sends, and nobody
 * wants it. An INVITE that goes on with a password has a dialog still: its 2xx is
 * to come. */
static void on_late_2xx(struct sip_stack *s, struct trans *t,
                        const struct sip_peer *from, const struct sip_msg *m,
                        uint64_t now_ms)
{
    if (m->cseq.number != t->cseq || call_of(s, t)) {
        s->count.dropped++;
        return;
    }
    on_2xx(s, t, from, m, now_ms);
}

/* §17.1.1.3: to every 300-699, as often as it comes */
struct ack_parts {
    const struct sip_msg *invite;
    struct slice to;
};

static int write_ack(struct writer *w, const void *parts)
{
    const struct ack_parts *p = parts;

    return sip_ack_build(w, p->invite, p->to);
}

static void send_ack(struct sip_stack *s, struct trans *t,
                     const struct sip_msg *m)
{
    struct ack_parts p = { &s->aux, m->to.text };
    struct blob *b = NULL;
    int err = stk_read_back(s, t);

    if (!err)
        b = stk_write(s, write_ack, &p, &err);
    if (err) {
        s->count.dropped++;
        return;
    }
    stk_send(s, b, &t->peer, t->id);
    blob_unref(s, &b);
}

static void pass_up(struct sip_stack *s, struct trans *t,
                    const struct sip_peer *from, const struct sip_msg *m,
                    uint64_t now_ms)
{
    if (m->status == 503)
        stk_note_busy(s, &t->peer, m, now_ms);
    if (client(t)->secret && m->status >= 200 && stk_log_in(s, t, m, now_ms))
        return;
    if (m->status < 200) {
        make_early(s, t, m);
        stk_tell(s, t, SIP_EV_RESPONSE, m->status, from, m);
        cancel_if_due(s, t, now_ms);
    } else if (t->m.kind == SIP_ICT && m->status < 300) {
        on_2xx(s, t, from, m, now_ms);
    } else if (client(t)->sub) {
        client(t)->give_up_ms = GB_NEVER;
        stk_sub_answered(s, t, from, m, now_ms);
    } else {
        on_final(s, t, from, m, now_ms);
    }
}

static bool is_2xx(const struct sip_msg *m)
{
    return m->status >= 200 && m->status < 300;
}

static bool is_2xx_to_invite(const struct sip_msg *m)
{
    return is_2xx(m) && m->cseq.method == SIP_METHOD_INVITE;
}

/* By Call-ID and CSeq, which must be ours too, where the branch does not tell:
 * small firmware forgets it, or writes it in capitals. A 2xx to an INVITE that
 * has another branch is the core's by its dialog (§13.2.2.4, §18.1.2): without
 * it the device would send, and never hear the BYE. */
static struct trans *match_by_call(struct sip_stack *s, const struct sip_msg *m,
                                   bool has_via)
{
    struct slice branch = m->via.branch;
    struct ctrans *c;
    struct stk_key k;

    stk_call_key(s, &k, m->call_id, m->cseq.number, m->cseq.method_name);
    c = stk_trans_by_call(s, &k);
    if (!c || !has_via || !branch.n)
        return c ? &c->t : NULL;
    if (stk_read_back(s, &c->t))
        return NULL;
    return slice_ieq(branch, s->aux.via.branch) ||
                   (is_2xx_to_invite(m) &&
                    slice_eq(m->from.tag, s->aux.from.tag))
               ? &c->t
               : NULL;
}

/* By branch and CSeq method (§17.1.3). The sent-by is not compared: a branch of
 * ours cannot be guessed, and NAT helpers rewrite addresses. */
static struct trans *match(struct sip_stack *s, const struct sip_msg *m)
{
    struct sip_walk vias = sip_msg_walk(m, SIP_HDR_VIA);
    struct stk_key k;
    struct slice via;
    struct trans *t;

    if (!sip_walk_next(&vias, &via))
        return match_by_call(s, m, false);
    if (sip_walk_next(&vias, &via))
        return NULL; /* §8.1.3.3: meant for somebody else */
    stk_branch_key(s, &k, m->via.branch, m->cseq.method_name);
    t = stk_trans_by_key(s, &k);
    if (!t)
        return match_by_call(s, m, true);
    return is_client(t) ? t : NULL;
}

/* A refusal behind a 2xx, mostly of a device that had accepted when our CANCEL came
 * and answers that, too. No figure has it, a proxy would never send it on (§16.7);
 * but without an ACK the device repeats it for 64*T1. */
static bool is_late_refusal(const struct trans *t, const struct sip_msg *m)
{
    return t->m.kind == SIP_ICT && t->m.state == SIP_TS_ACCEPTED &&
           m->status >= 300;
}

/* Timer D is nothing over TCP. A refused INVITE whose dialog is over is remembered
 * as over UDP: see on_late_2xx. */
static void remember_refused(const struct sip_stack *s, struct trans *t,
                             unsigned acts, uint64_t now_ms)
{
    if (!(acts & SIP_TA_ACK) || !(acts & SIP_TA_FREE) || call_of(s, t))
        return;
    t->m.state = SIP_TS_COMPLETED;
    t->m.end_ms = now_ms + SIP_TIMER_D_MS;
}

void stk_on_response(struct sip_stack *s, const struct sip_peer *from,
                     const struct sip_msg *m, uint64_t now_ms)
{
    struct trans *t = match(s, m);
    unsigned acts;

    if (!t) {
        s->count.stray_responses++;
        return;
    }
    list_remove(&t->finished); /* a BYE may need room in the table */
    if (t->m.kind == SIP_ICT && t->m.state == SIP_TS_COMPLETED && is_2xx(m)) {
        on_late_2xx(s, t, from, m, now_ms);
        stk_trans_settle(s, t);
        return;
    }
    if (is_late_refusal(t, m)) {
        s->count.absorbed++;
        send_ack(s, t, m);
        stk_trans_settle(s, t);
        return;
    }
    acts = sip_trans_input(&t->m,
                           m->status < 200   ? SIP_TE_1XX
                           : m->status < 300 ? SIP_TE_2XX
                                             : SIP_TE_FINAL,
                           &s->timers, now_ms);
    if (!(acts & SIP_TA_PASS))
        s->count.absorbed++;
    if (acts & SIP_TA_ACK)
        send_ack(s, t, m);
    if (acts & SIP_TA_PASS)
        pass_up(s, t, from, m, now_ms);
    remember_refused(s, t, acts, now_ms);
    stk_trans_settle(s, t);
}

/* The INVITE of a 2xx, by its number, or by its branch where it has none. The 200
 * to a CANCEL has that branch, too. */
static struct trans *match_invite(struct sip_stack *s, const struct sip_msg *m)
{
    struct slice invite = sip_method_name(SIP_METHOD_INVITE);
    bool numbered = m->cseq.method_name.n > 0;
    struct ctrans *c;
    struct trans *t;
    struct stk_key k;

    if (numbered) {
        stk_call_key(s, &k, m->call_id, m->cseq.number, invite);
        c = stk_trans_by_call(s, &k);
        t = c ? &c->t : NULL;
    } else {
        stk_branch_key(s, &k, m->via.branch, invite);
        t = stk_trans_by_key(s, &k);
    }
    return t && is_client(t) && (numbered || !t->cancelled || m->body.n) ? t
                                                                         : NULL;
}

/* Dropped, but for a 2xx to an INVITE of ours: without an ACK and, in the end, a
 * BYE the device would send for ever. */
void stk_on_odd_response(struct sip_stack *s, const struct sip_peer *from,
                         struct sip_msg *m, uint64_t now_ms)
{
    bool may_be = is_2xx(m) && (!m->cseq.method_name.n || is_2xx_to_invite(m));
    struct trans *t = may_be && m->to.text.n ? match_invite(s, m) : NULL;

    if (!t || stk_read_back(s, t) || !slice_eq(m->call_id, s->aux.call_id) ||
        !slice_eq(m->from.tag, s->aux.from.tag))
        return;
    m->cseq = s->aux.cseq;
    m->odd |= SIP_ODD_FAULT;
    stk_on_response(s, from, m, now_ms);
}

/* ---- time -------------------------------------------------------------- */

static void give_up(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    if (t->m.kind == SIP_NICT) {
        failed(s, t, 408);
        stk_trans_free(s, t);
        return;
    }
    client(t)->give_up_ms = GB_NEVER;
    if (!t->orphan)
        failed(s, t, 408);
    stk_invite_abandon(s, t, now_ms);
}

void stk_client_tick(struct sip_stack *s, struct ctrans *c, uint64_t now_ms)
{
    struct trans *t = &c->t;
    bool open = t->m.state < SIP_TS_COMPLETED;
    unsigned acts;

    if (t->broken) {
        t->broken = false;
        if (stk_large_back(s, t, now_ms))
            return;
        acts = sip_trans_input(&t->m, SIP_TE_IO_ERROR, &s->timers, now_ms);
    } else if (sip_trans_deadline(&t->m) > now_ms) {
        give_up(s, t, now_ms);
        return;
    } else {
        acts = sip_trans_tick(&t->m, &s->timers, now_ms);
    }
    if (acts & SIP_TA_RESEND) {
        s->count.retransmitted++;
        stk_send(s, t->out, &t->peer, t->id);
    }
    if (open && (acts & SIP_TA_TIMED_OUT))
        failed(s, t, 408);
    if (open && (acts & SIP_TA_BROKEN))
        failed(s, t, 503);
    stk_trans_settle(s, t);
}
