/* Requests of peers: repeats, refusals, dialogs, and our answers. */
#include "sip/stack_impl.h"

#include "sip/value.h"

#define ALLOWED "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, SUBSCRIBE, NOTIFY, "  \
                "REGISTER, OPTIONS"
#define MAX_UNSUPPORTED 8 /* option tags that a 420 names */
#define RETRY_AFTER_S "2" /* for a second INVITE, 0 to 10 (RFC 3261 §14.2) */

static const struct sip_extra allow = { SLICE_INIT("Allow"),
                                        SLICE_INIT(ALLOWED) };

/* ---- writing answers --------------------------------------------------- */

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

static int write_response(struct writer *w, const void *parts)
{
    return sip_response_build(w, parts);
}

static struct blob *build(struct sip_stack *s, struct slice echo,
                          struct slice record_route,
                          const struct sip_response *r, int *err)
{
    struct sip_response_parts p = {
        .status = r->status,
        .reason = r->reason,
        .echo = echo,
        .record_route = record_route,
        .contact = r->contact,
        .expires = r->expires,
        .extra = r->extra,
        .n_extra = r->n_extra,
        .server = s->user_agent,
        .content_type = r->content_type,
        .body = r->body,
    };

    return stk_write(s, write_response, &p, err);
}

/* Record-Route goes into what may make a dialog (§12.1.1). */
static struct blob *build_for(struct sip_stack *s, const struct trans *t,
                              const struct sip_response *r, int *err)
{
    struct slice all = blob_slice(t->echo);
    bool dialog = (t->method == SIP_METHOD_INVITE ||
                   t->method == SIP_METHOD_SUBSCRIBE) &&
                  r->status > 100 && r->status < 300;
    struct slice routes = slice_from(all, t->echo_n);

    return build(s, slice_head(all, t->echo_n),
                 dialog ? routes : slice_head(routes, 0), r, err);
}

static uint64_t tag_of_key(const struct sip_stack *s, const struct stk_key *k)
{
    uint64_t seed[2] = { s->token_seed[1], ~s->token_seed[0] };

    return map_hash(seed, slice_of((const char *)k->h, sizeof(k->h)));
}

/* Answers without a transaction; the same request gets the same bytes. */
static void reply(struct sip_stack *s, const struct sip_peer *from,
                  const struct sip_msg *m, const struct sip_response *r)
{
    char tag[STK_TAG];
    struct echo_parts p = { m, &from->remote, { tag, sizeof(tag) }, NULL };
    struct blob *echo, *out = NULL;
    int err;

    stk_hex(tag, tag_of_key(s, &s->key));
    echo = stk_write(s, write_echo, &p, &err);
    if (!err)
        out = build(s, blob_slice(echo), (struct slice){ NULL, 0 }, r, &err);
    if (!err)
        stk_send(s, out, from, 0);
    else
        s->count.dropped++;
    blob_unref(s, &echo);
    blob_unref(s, &out);
}

static void refuse(struct sip_stack *s, const struct sip_peer *from,
                   const struct sip_msg *m, unsigned status)
{
    struct sip_response r = { .status = status, .expires = -1 };

    reply(s, from, m, &r);
}

static void refuse_with(struct sip_stack *s, const struct sip_peer *from,
                        const struct sip_msg *m, unsigned status,
                        const struct sip_extra *extra, size_t n_extra)
{
    struct sip_response r = { .status = status,
                              .expires = -1,
                              .extra = extra,
                              .n_extra = n_extra };

    reply(s, from, m, &r);
}

void stk_on_malformed(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m)
{
    if (!m->is_request || !m->reject)
        return;
    stk_server_key(s, &s->key, m, m->method);
    refuse(s, from, m, m->reject);
}

/* ---- transactions ------------------------------------------------------ */

/* A transaction for m with what its answers repeat; tag: that of the dialog
 * (CANCEL answers under the INVITE's), 0: made from the key. NULL: dropped,
 * the request will come again. */
static struct trans *server_new(struct sip_stack *s, enum sip_trans_kind kind,
                                const struct sip_peer *from,
                                const struct sip_msg *m, uint64_t tag,
                                uint64_t now_ms)
{
    size_t echo_n = 0;
    struct echo_parts p = { m, &from->remote, { NULL, 0 }, &echo_n };
    char hex[STK_TAG];
    struct trans *t;
    int err;

    if (stk_trans_new(s, &t, kind, &s->key, from)) {
        s->count.dropped++;
        return NULL;
    }
    t->method = (uint8_t)m->method;
    t->cseq = m->cseq.number;
    t->cookie = sip_via_has_cookie(&m->via);
    t->own_to_tag = m->to.tag.n == 0;
    t->to_tag = tag ? tag : tag_of_key(s, &s->key);
    stk_hex(hex, t->to_tag);
    p.to_tag = slice_of(hex, sizeof(hex));
    t->echo = stk_write(s, write_echo, &p, &err);
    if (err) {
        stk_trans_free(s, t);
        s->count.dropped++;
        return NULL;
    }
    t->echo_n = (uint32_t)echo_n;
    sip_trans_start(&t->m, kind, from->transport != SIP_UDP, &s->timers,
                    now_ms);
    stk_trans_settle(s, t);
    return t;
}

static void tell_request(struct sip_stack *s, struct trans *t,
                         const struct call *c, const struct sip_peer *from,
                         const struct sip_msg *m)
{
    struct sip_event *ev = stk_event(s, SIP_EV_REQUEST, from, m);

    ev->transaction = t->id;
    if (c) {
        t->dialog = ev->dialog = c->id;
        ev->user = c->user;
    }
}

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

static int respond(struct sip_stack *s, struct trans *t,
                   const struct sip_response *r, uint64_t now_ms)
{
    struct blob *b;
    int err;

    if (t->m.state >= SIP_TS_COMPLETED)
        return t->cancelled ? GB_ENOENT : GB_ESTATE;
    b = build_for(s, t, r, &err);
    if (err)
        return err;
    put_answer(s, t, b, r->status, now_ms);
    if (t->m.kind == SIP_IST && r->status >= 200)
        after_invite(s, t, r->status, now_ms);
    stk_trans_settle(s, t);
    return 0;
}

int stk_answer(struct sip_stack *s, struct trans *t, unsigned status,
               uint64_t now_ms)
{
    struct sip_response r = { .status = status, .expires = -1 };

    return respond(s, t, &r, now_ms);
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
    int err = t ? stk_room(s) : GB_ENOENT;

    return err ? err : respond(s, t, r, now_ms);
}

int sip_stack_respond_stateless(struct sip_stack *s, uint64_t transaction,
                                const struct sip_response *r, uint64_t now_ms)
{
    struct trans *t = server_find(s, transaction);
    struct blob *b;
    int err;

    (void)now_ms;
    if (!t || t->m.state >= SIP_TS_COMPLETED)
        return GB_ENOENT;
    if (r->status < 200)
        return GB_ERANGE;
    err = stk_room(s);
    if (err)
        return err;
    b = build_for(s, t, r, &err);
    if (err)
        return err;
    stk_send(s, b, &t->peer, 0);
    blob_unref(s, &b);
    if (t->method == SIP_METHOD_INVITE) {
        struct call *c = stk_call_find(s, t->dialog);

        if (c && c->state == CALL_CALLED) {
            stk_call_free(s, c);
        } else if (c) {
            c->peer_invite = 0;
            blob_unref(s, &c->next_target);
        }
    }
    stk_trans_free(s, t);
    return 0;
}

int sip_stack_to_tag(struct sip_stack *s, uint64_t transaction,
                     struct slice *tag)
{
    struct trans *t = server_find(s, transaction);
    struct slice echo, line = { NULL, 0 };
    struct sip_addr to;

    if (!t || !t->echo)
        return GB_ENOENT;
    stk_hex(s->tag, t->to_tag);
    *tag = slice_of(s->tag, STK_TAG);
    if (t->own_to_tag)
        return 0;
    echo = blob_slice(t->echo);
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

/* ---- repeats, ACK, CANCEL ---------------------------------------------- */

static void on_repeat(struct sip_stack *s, struct trans *t,
                      const struct sip_peer *from, uint64_t now_ms)
{
    unsigned acts = sip_trans_input(&t->m, SIP_TE_REQUEST, &s->timers, now_ms);

    s->count.absorbed++;
    if (t->peer.transport == SIP_UDP && from->transport == SIP_UDP &&
        gb_addr_ip_eq(&t->peer.remote, &from->remote))
        t->peer.remote.port = from->remote.port; /* NAT has moved it */
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

    if (t && is_ack_of(t, m)) {
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

/* The INVITE's transaction waits no more: 487, and its dialog with it. Without
 * memory for that its guard timer does it soon. */
static bool terminate_invite(struct sip_stack *s, struct trans *t,
                             uint64_t now_ms)
{
    if (t->m.state >= SIP_TS_COMPLETED)
        return false;
    if (stk_answer(s, t, 487, now_ms)) {
        t->m.end_ms = now_ms + STK_STALL_MS;
        stk_trans_settle(s, t);
        return false;
    }
    t->cancelled = true;
    return true;
}

/* §9.2: 200 in any case where the INVITE is known; 487 if it is still open. */
static void on_cancel(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m, uint64_t now_ms)
{
    struct trans *invite = find_invite(s, m), *t;
    uint64_t user = 0, dialog;
    struct sip_event *ev;
    struct call *c;

    if (!invite) {
        refuse(s, from, m, 481);
        return;
    }
    dialog = invite->dialog;
    c = stk_call_find(s, dialog);
    if (c)
        user = c->user;
    list_remove(&invite->finished); /* stays while we make room for CANCEL */
    t = server_new(s, SIP_NIST, from, m, invite->to_tag, now_ms);
    if (t && !stk_answer(s, t, 200, now_ms) &&
        terminate_invite(s, invite, now_ms)) {
        ev = stk_event(s, SIP_EV_CANCELLED, from, m);
        ev->transaction = invite->id;
        ev->dialog = dialog;
        ev->user = user;
    }
    stk_trans_settle(s, invite);
}

/* ---- refusals (§8.2) --------------------------------------------------- */

static void refuse_extensions(struct sip_stack *s, const struct sip_peer *from,
                              const struct sip_msg *m)
{
    struct sip_extra extra[MAX_UNSUPPORTED];
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_REQUIRE);
    struct slice tag;
    size_t n = 0;

    while (n < MAX_UNSUPPORTED && sip_walk_next(&k, &tag))
        extra[n++] = (struct sip_extra){ SLICE_INIT("Unsupported"), tag };
    refuse_with(s, from, m, 420, extra, n);
}

/* What the layer above never sees. Require counts for INVITE alone: devices
 * write it into other requests without meaning. */
static bool refused(struct sip_stack *s, const struct sip_peer *from,
                    const struct sip_msg *m)
{
    static const struct sip_extra identity = { SLICE_INIT("Accept-Encoding"),
                                               SLICE_INIT("identity") };
    struct slice coding = sip_msg_value(m, SIP_HDR_CONTENT_ENCODING);

    switch (m->method) {
    case SIP_METHOD_OTHER:
        refuse_with(s, from, m, 501, &allow, 1);
        return true;
    case SIP_METHOD_UPDATE:
    case SIP_METHOD_REFER:
    case SIP_METHOD_PUBLISH:
        refuse_with(s, from, m, 405, &allow, 1);
        return true;
    case SIP_METHOD_PRACK: /* we never send a reliable 1xx (RFC 3262 §3) */
        refuse(s, from, m, 481);
        return true;
    case SIP_METHOD_INVITE:
        if (!sip_msg_has(m, SIP_HDR_REQUIRE))
            break;
        refuse_extensions(s, from, m);
        return true;
    case SIP_METHOD_ACK:
    case SIP_METHOD_BYE:
    case SIP_METHOD_CANCEL:
    case SIP_METHOD_REGISTER:
    case SIP_METHOD_OPTIONS:
    case SIP_METHOD_MESSAGE:
    case SIP_METHOD_INFO:
    case SIP_METHOD_SUBSCRIBE:
    case SIP_METHOD_NOTIFY:
    case SIP_METHOD_COUNT:
        break;
    }
    if (m->body.n && coding.n && !slice_ieq(coding, SLICE("identity"))) {
        refuse_with(s, from, m, 415, &identity, 1);
        return true;
    }
    return false;
}

/* ---- INVITE ------------------------------------------------------------ */

/* Signalling practice: the 100 goes out at once. */
static void send_trying(struct sip_stack *s, struct trans *t,
                        const struct sip_msg *m)
{
    struct echo_parts p = { m, &t->peer.remote, { NULL, 0 }, NULL };
    struct sip_response r = { .status = 100, .expires = -1 };
    struct blob *echo, *b = NULL;
    int err;

    echo = stk_write(s, write_echo, &p, &err);
    if (!err)
        b = build(s, blob_slice(echo), (struct slice){ NULL, 0 }, &r, &err);
    blob_unref(s, &echo);
    if (err)
        return; /* a repeat of the INVITE brings the real answer */
    t->out = b;
    stk_send(s, b, &t->peer, t->id);
}

static void on_invite(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m, uint64_t now_ms)
{
    struct arena scratch = stk_arena(s);
    char tag[STK_TAG];
    struct sip_dialog d;
    struct call *c;
    struct trans *t;
    int err;

    if (stk_call_count(s, m->call_id) >= STK_MAX_SAME_CALL) {
        refuse(s, from, m, 482);
        return;
    }
    t = server_new(s, SIP_IST, from, m, 0, now_ms);
    if (!t)
        return;
    stk_hex(tag, t->to_tag);
    err = sip_dialog_of_request(&d, m, slice_of(tag, sizeof(tag)),
                                &from->remote, &scratch);
    if (!err)
        err = stk_call_new(s, &c, &d, from);
    if (err) {
        stk_trans_free(s, t);
        s->count.dropped++;
        if (err == GB_ELIMIT)
            refuse(s, from, m, 503);
        return;
    }
    c->state = CALL_CALLED;
    c->peer_invite = t->id;
    send_trying(s, t, m);
    tell_request(s, t, c, from, m);
}

/* §14.2: glare, and one at a time */
static void on_reinvite(struct sip_stack *s, struct call *c,
                        const struct sip_peer *from, const struct sip_msg *m,
                        uint64_t now_ms)
{
    static const struct sip_extra later = { SLICE_INIT("Retry-After"),
                                            SLICE_INIT(RETRY_AFTER_S) };
    struct slice target;
    struct trans *t;

    if (c->own_invite) {
        refuse(s, from, m, 491);
        return;
    }
    if (c->peer_invite) {
        refuse_with(s, from, m, 500, &later, 1);
        return;
    }
    t = server_new(s, SIP_IST, from, m, 0, now_ms);
    if (!t)
        return;
    c->peer_invite = t->id;
    blob_unref(s, &c->next_target);
    if (sip_dialog_contact(m, &target))
        c->next_target = blob_of(s, target, (struct slice){ NULL, 0 });
    send_trying(s, t, m);
    tell_request(s, t, c, from, m);
}

/* ---- inside a dialog --------------------------------------------------- */

/* §15: over at once, whatever is open. */
static void on_bye(struct sip_stack *s, struct call *c,
                   const struct sip_peer *from, const struct sip_msg *m,
                   uint64_t now_ms)
{
    struct trans *t = server_new(s, SIP_NIST, from, m, 0, now_ms);
    struct trans *invite;
    uint64_t own = c->own_invite, peers = c->peer_invite;

    if (!t)
        return;
    stk_answer(s, t, 200, now_ms);
    c->own_invite = c->peer_invite = 0;
    stk_call_ended(s, c, 200, from, m);
    invite = stk_trans_find(s, peers);
    if (invite)
        terminate_invite(s, invite, now_ms);
    invite = stk_trans_find(s, own);
    if (invite)
        stk_invite_abandon(s, invite, now_ms);
}

static void answer_options(struct sip_stack *s, const struct sip_peer *from,
                           const struct sip_msg *m)
{
    static const struct sip_extra extra[] = {
        { SLICE_INIT("Allow"), SLICE_INIT(ALLOWED) },
        { SLICE_INIT("Accept"), SLICE_INIT("application/sdp, "
                                           "Application/MANSCDP+xml, "
                                           "Application/MANSRTSP") },
    };

    refuse_with(s, from, m, 200, extra, sizeof(extra) / sizeof(extra[0]));
}

static void in_dialog(struct sip_stack *s, struct call *c,
                      const struct sip_peer *from, const struct sip_msg *m,
                      uint64_t now_ms)
{
    struct trans *t;

    if (m->method == SIP_METHOD_BYE) {
        on_bye(s, c, from, m, now_ms);
        return;
    }
    if (c->hidden) {
        refuse(s, from, m, 481);
        return;
    }
    if (!sip_dialog_take_cseq(&c->d, m->cseq.number)) {
        refuse(s, from, m, 500);
        return;
    }
    if (m->method == SIP_METHOD_INVITE) {
        on_reinvite(s, c, from, m, now_ms);
        return;
    }
    if (m->method == SIP_METHOD_OPTIONS) {
        answer_options(s, from, m);
        return;
    }
    t = server_new(s, SIP_NIST, from, m, 0, now_ms);
    if (t)
        tell_request(s, t, c, from, m);
}

/* ---- the way in -------------------------------------------------------- */

/* Only dialogs of INVITE are known here. SUBSCRIBE, NOTIFY and MESSAGE with a
 * To tag may belong to one that the layer above keeps; it answers 481. */
static bool needs_our_dialog(enum sip_method m)
{
    return m == SIP_METHOD_INVITE || m == SIP_METHOD_INFO ||
           m == SIP_METHOD_OPTIONS;
}

void stk_on_request(struct sip_stack *s, const struct sip_peer *from,
                    const struct sip_msg *m, uint64_t now_ms)
{
    struct trans *t;
    struct call *c;

    if (m->method == SIP_METHOD_ACK) {
        on_ack(s, from, m, now_ms);
        return;
    }
    stk_server_key(s, &s->key, m, m->method);
    t = stk_trans_by_key(s, &s->key);
    if (t) {
        on_repeat(s, t, from, now_ms);
        return;
    }
    if (m->method == SIP_METHOD_CANCEL) {
        on_cancel(s, from, m, now_ms);
        return;
    }
    if (refused(s, from, m))
        return;
    c = stk_call_match(s, from, m);
    if (c)
        in_dialog(s, c, from, m, now_ms);
    else if (m->method == SIP_METHOD_BYE)
        refuse(s, from, m, 200); /* some stacks accept nothing else */
    else if (m->to.tag.n && needs_our_dialog(m->method))
        refuse(s, from, m, 481);
    else if (m->method == SIP_METHOD_INVITE)
        on_invite(s, from, m, now_ms);
    else if ((t = server_new(s, SIP_NIST, from, m, 0, now_ms)))
        tell_request(s, t, NULL, from, m);
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
    int err;
    struct blob *b = build_for(s, t, &r, &err);

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
