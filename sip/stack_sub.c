/* Subscriptions (RFC 6665): as the one who asks, and as the one who notifies.
 *
 * They are dialogs of their own, beside those of INVITE: found by Call-ID and
 * tags, with one deadline each. Either side has one request open at most. */
#include "sip/stack_impl.h"

#include "sip/value.h"

#include <assert.h>

#define MAX_EXTRA 8     /* further headers of the layer above */
#define STATE_BYTES 128 /* a Subscription-State value of ours */

/* ---- the table --------------------------------------------------------- */

static void sub_key(const struct sip_stack *s, struct stk_key *k,
                    struct slice call_id)
{
    struct stk_text t;

    key_start(&t, "SU");
    key_add(s, &t, call_id);
    key_end(s, &t, k);
}

static struct sub *of_node(struct map_node *n)
{
    return n ? container_of(n, struct sub, by_call_id) : NULL;
}

struct sub *stk_sub_find(const struct sip_stack *s, uint64_t id)
{
    return idmap_find(&s->sub_ids, id);
}

/* For the layer above, which has given up the hidden ones. */
static struct sub *find_open(const struct sip_stack *s, uint64_t id)
{
    struct sub *b = stk_sub_find(s, id);

    return b && !b->hidden ? b : NULL;
}

static struct slice event_of(const struct sub *b)
{
    return slice_head(blob_slice(b->text), b->event_n);
}

static struct slice contact_of(const struct sub *b)
{
    return slice_from(blob_slice(b->text), b->event_n);
}

/* The package must be the same, and the id where both have one: devices leave
 * the id, or the whole header, out of their NOTIFY. What is no Event value at
 * all ("id=1984") must be the same text. */
static bool same_event(const struct sub *b, const struct sip_msg *m)
{
    struct slice value = sip_msg_value(m, SIP_HDR_EVENT);
    struct sip_event_value ours, theirs;

    if (!value.n)
        return true;
    if (sip_event_parse(&ours, event_of(b)) ||
        sip_event_parse(&theirs, value))
        return slice_eq(slice_trim(event_of(b)), slice_trim(value));
    return slice_ieq(ours.package, theirs.package) &&
           (!ours.id.n || !theirs.id.n || slice_eq(ours.id, theirs.id));
}

/* Subscribers forget the To tag of their refresh. */
static bool fits(const struct sub *b, const struct sip_peer *from,
                 const struct sip_msg *m)
{
    if (b->notifier != (m->method == SIP_METHOD_SUBSCRIBE) ||
        !gb_addr_ip_eq(&b->peer.remote, &from->remote))
        return false;
    if (!same_event(b, m))
        return false;
    if (b->notifier && !m->to.tag.n)
        return m->from.tag.n && slice_eq(m->from.tag, b->d.remote_tag);
    return m->to.tag.n && sip_dialog_has_tags(&b->d, m);
}

struct sub *stk_sub_match(const struct sip_stack *s,
                          const struct sip_peer *from, const struct sip_msg *m)
{
    struct stk_key k;
    struct sub *b;

    if (!s->n_subs || (m->method != SIP_METHOD_SUBSCRIBE &&
                       m->method != SIP_METHOD_NOTIFY))
        return NULL;
    sub_key(s, &k, m->call_id);
    for (b = of_node(map_find(&s->by_sub, key_slice(&k))); b;
         b = of_node(map_find_next(&b->by_call_id)))
        if (fits(b, from, m))
            return b;
    return NULL;
}

/* Who chooses Call-IDs must not make long chains of them. */
static bool is_crowded(const struct sip_stack *s, struct slice call_id)
{
    struct stk_key k;
    unsigned n = 0;

    sub_key(s, &k, call_id);
    for (struct map_node *p = map_find(&s->by_sub, key_slice(&k)); p;
         p = map_find_next(p))
        n++;
    return n >= STK_MAX_SAME_CALL;
}

void stk_sub_free(struct sip_stack *s, struct sub *b)
{
    heap_remove(&s->timers_due, &b->timer);
    map_remove(&s->by_sub, &b->by_call_id);
    idmap_remove(&s->sub_ids, b->id);
    blob_unref(s, &b->text);
    pool_put(&s->pool, b->mem, b->mem_n);
    pool_put(&s->pool, b, sizeof(*b));
    assert(s->n_subs > 0);
    s->n_subs--;
}

static int sub_new(struct sip_stack *s, struct sub **out,
                   const struct sip_dialog *d, struct slice event,
                   struct slice contact)
{
    struct sub *b;
    int err;

    if (s->n_subs >= s->max_subs || is_crowded(s, d->call_id))
        return GB_ELIMIT;
    err = heap_reserve(&s->timers_due,
                       s->trans_ids.n + s->n_calls + s->n_subs + 1);
    if (err)
        return err;
    b = pool_get(&s->pool, sizeof(*b));
    if (!b)
        return GB_ENOMEM;
    memset(b, 0, sizeof(*b));
    b->mem_n = sip_dialog_size(d);
    b->mem = stk_copy_dialog(s, &b->d, d);
    b->text = b->mem ? blob_of(s, event, contact) : NULL;
    err = b->text ? idmap_add(&s->sub_ids, b, &b->id) : GB_ENOMEM;
    if (err) {
        blob_unref(s, &b->text);
        pool_put(&s->pool, b->mem, b->mem_n);
        pool_put(&s->pool, b, sizeof(*b));
        return err;
    }
    b->event_n = (uint32_t)event.n;
    b->timer.tag = STK_SUB;
    b->end_ms = b->n_ms = GB_NEVER;
    sub_key(s, &b->key, d->call_id);
    map_insert(&s->by_sub, &b->by_call_id, key_slice(&b->key));
    s->n_subs++;
    *out = b;
    return 0;
}

static int sub_update(struct sip_stack *s, struct sub *b,
                      const struct sip_dialog *d)
{
    return stk_renew_dialog(s, &b->d, &b->mem, &b->mem_n, d);
}

/* Each request and answer inside may name a new target (RFC 3261 §12.2); without
 * memory the old one serves. */
static void retarget(struct sip_stack *s, struct sub *b,
                     const struct sip_msg *m)
{
    struct sip_dialog d = b->d;

    if (sip_dialog_contact(m, &d.target) && !slice_eq(d.target, b->d.target))
        (void)sub_update(s, b, &d);
}

/* ---- time -------------------------------------------------------------- */

static void set_timer(struct sip_stack *s, struct sub *b)
{
    heap_set(&s->timers_due, &b->timer,
             b->n_ms < b->end_ms ? b->n_ms : b->end_ms);
}

static uint64_t timer_n(const struct sip_stack *s, uint64_t now_ms)
{
    return now_ms + 64 * (uint64_t)s->timers.t1_ms;
}

/* Granted no time: the NOTIFY that says so may still be on its way. */
static void grant(struct sip_stack *s, struct sub *b, int64_t expires_s,
                  uint64_t now_ms)
{
    b->end_ms = expires_s > 0 ? now_ms + (uint64_t)expires_s * 1000
                              : timer_n(s, now_ms);
}

static uint32_t left_s(const struct sub *b, uint64_t now_ms)
{
    return b->end_ms == GB_NEVER || b->end_ms <= now_ms
               ? 0
               : (uint32_t)((b->end_ms - now_ms) / 1000);
}

/* ---- events ------------------------------------------------------------ */

static enum sip_sub_reason reason_of(struct slice text)
{
    static const struct {
        struct slice text;
        enum sip_sub_reason reason;
    } known[] = {
        { SLICE_INIT("deactivated"), SIP_REASON_DEACTIVATED },
        { SLICE_INIT("timeout"), SIP_REASON_TIMEOUT },
        { SLICE_INIT("probation"), SIP_REASON_PROBATION },
        { SLICE_INIT("giveup"), SIP_REASON_GIVEUP },
        { SLICE_INIT("rejected"), SIP_REASON_REJECTED },
        { SLICE_INIT("noresource"), SIP_REASON_NORESOURCE },
        { SLICE_INIT("invariant"), SIP_REASON_INVARIANT },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_ieq(text, known[i].text))
            return known[i].reason;
    return text.n ? SIP_REASON_OTHER : SIP_REASON_NONE;
}

enum sip_again sip_sub_again(struct slice reason)
{
    switch (reason_of(reason)) {
    case SIP_REASON_PROBATION:
    case SIP_REASON_GIVEUP:
        return SIP_AGAIN_LATER;
    case SIP_REASON_REJECTED:
    case SIP_REASON_NORESOURCE:
    case SIP_REASON_INVARIANT:
        return SIP_AGAIN_NEVER;
    case SIP_REASON_NONE:
    case SIP_REASON_OTHER:
    case SIP_REASON_DEACTIVATED:
    case SIP_REASON_TIMEOUT:
        break;
    }
    return SIP_AGAIN_NOW;
}

/* Reads Subscription-State; absent or unreadable means active. */
static struct sip_subscription_state state_of(const struct sip_msg *m)
{
    struct slice value = sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE);
    struct sip_subscription_state st = { .state = SIP_SUB_ACTIVE,
                                         .expires = -1,
                                         .retry_after = -1 };
    struct sip_subscription_state got;

    if (value.n && !sip_subscription_state_parse(&got, value))
        st = got;
    return st;
}

static struct sip_sub_view view_of(const struct sub *b,
                                   const struct sip_subscription_state *st,
                                   uint64_t now_ms)
{
    return (struct sip_sub_view){
        .state = (uint8_t)st->state,
        .again = (uint8_t)sip_sub_again(st->reason),
        .reason = (uint8_t)reason_of(st->reason),
        .expires_s = left_s(b, now_ms),
        .retry_after_s = st->retry_after > 0 ? (uint32_t)st->retry_after : 0,
    };
}

/* Over: told once, and gone. */
static void ended(struct sip_stack *s, struct sub *b, unsigned status,
                  const struct sip_sub_view *view)
{
    if (!b->hidden) {
        struct sip_event *ev = stk_event(s, SIP_EV_UNSUBSCRIBED, &b->peer,
                                         NULL);

        ev->subscription = b->id;
        ev->user = b->user;
        ev->status = status;
        ev->sub = view ? *view
                       : (struct sip_sub_view){ .state = SIP_SUB_TERMINATED };
    }
    stk_sub_free(s, b);
}

/* RFC 6665 §4.1.2.2 and §4.2.2: the answers that end a subscription. */
static bool is_deadly(unsigned status)
{
    return status == 404 || status == 405 || status == 410 || status == 416 ||
           (status >= 480 && status <= 485) || status == 489 ||
           status == 501 || status == 604;
}

/* ---- requests of ours -------------------------------------------------- */

/* Event first, then what the layer above has. */
static size_t put_extra(struct sip_extra *out, struct slice event,
                        const struct sip_extra *extra, size_t n_extra)
{
    size_t n = 0;

    if (event.n)
        out[n++] = (struct sip_extra){ SLICE_INIT("Event"), event };
    for (size_t i = 0; i < n_extra; i++)
        out[n++] = extra[i];
    return n;
}

static int send_in(struct sip_stack *s, struct sub *b,
                   struct sip_request_parts *p, const struct client_opts *opts,
                   uint64_t now_ms)
{
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct arena scratch = stk_arena(s);
    struct client_opts o = *opts;
    struct trans *t;
    int err = sip_dialog_fill(&b->d, p, routes, &scratch);

    if (err)
        return err;
    o.peer = &b->peer;
    o.sub = b->id;
    p->cseq = b->d.local_cseq % SIP_CSEQ_MAX + 1;
    if (!p->contact.n)
        p->contact = contact_of(b);
    err = stk_client_new(s, p, &o, now_ms, &t);
    if (err)
        return err;
    b->d.local_cseq = p->cseq;
    b->open = t->id;
    stk_client_start(s, t, now_ms);
    return 0;
}

static int subscribe_first(struct sip_stack *s, const struct sip_subscribe *q,
                           uint64_t now_ms, uint64_t *subscription)
{
    struct client_opts o = stk_client_opts(&q->r);
    struct sip_extra extra[MAX_EXTRA + 1];
    struct sip_request_parts p;
    struct sip_dialog d;
    struct stk_fresh f;
    struct trans *t;
    struct sub *b;
    int err;

    if (stk_is_busy(s, &q->r.peer, now_ms))
        return GB_EBUSY;
    stk_request_parts(&p, &q->r);
    p.method = SIP_METHOD_SUBSCRIBE;
    p.to_tag = (struct slice){ NULL, 0 };
    p.n_extra = put_extra(extra, q->event, q->r.extra, q->r.n_extra);
    p.extra = extra;
    stk_fill_fresh(s, &p, &f);
    err = stk_client_new(s, &p, &o, now_ms, &t);
    if (err)
        return err;
    if (stk_read_back(s, t))
        err = GB_ESYNTAX;
    if (!err) {
        sip_dialog_of_invite(&d, &s->aux);
        err = sub_new(s, &b, &d, q->event, q->r.contact);
    }
    if (err) {
        stk_trans_free(s, t);
        return err;
    }
    b->peer = q->r.peer;
    b->user = q->r.user;
    b->asked_s = (uint32_t)q->r.expires;
    b->loose = q->loose;
    b->open = t->id;
    b->n_ms = timer_n(s, now_ms);
    set_timer(s, b);
    client(t)->sub = *subscription = b->id;
    stk_client_start(s, t, now_ms);
    return 0;
}

static int subscribe_again(struct sip_stack *s, struct sub *b,
                           const struct sip_request *r, uint64_t now_ms)
{
    struct client_opts o = stk_client_opts(r);
    struct sip_extra extra[MAX_EXTRA + 1];
    struct sip_request_parts p;
    int err;

    /* Credentials are for the peer that they were meant for, and no other that
     * the subscription has been moved to since. */
    if (!gb_addr_eq(&r->peer.remote, &b->peer.remote))
        o.login = (struct sip_login){ .username = { 0 } };
    stk_request_parts(&p, r);
    p.method = SIP_METHOD_SUBSCRIBE;
    p.n_extra = put_extra(extra, event_of(b), r->extra, r->n_extra);
    p.extra = extra;
    err = send_in(s, b, &p, &o, now_ms);
    if (err)
        return err;
    b->asked_s = (uint32_t)r->expires;
    b->n_ms = timer_n(s, now_ms);
    set_timer(s, b);
    return 0;
}

/* The handle is gone; the last SUBSCRIBE goes out when there is a dialog. A peer
 * that does not hear of it finds out when the time is over. */
static int unsubscribe(struct sip_stack *s, struct sub *b,
                       const struct sip_request *r, uint64_t now_ms)
{
    int err = 0;

    stk_drop_sub_events(s, b->id, now_ms);
    b->hidden = true;
    b->n_ms = timer_n(s, now_ms);
    set_timer(s, b);
    if (!b->confirmed)
        return 0;
    err = stk_room(s);
    if (!err)
        err = subscribe_again(s, b, r, now_ms);
    if (err)
        stk_sub_free(s, b);
    return err;
}

int sip_stack_subscribe(struct sip_stack *s, const struct sip_subscribe *q,
                        uint64_t now_ms, uint64_t *subscription)
{
    struct sub *b;
    int err;

    if (q->r.n_extra > MAX_EXTRA || q->r.expires < 0 ||
        q->r.expires > UINT32_MAX)
        return GB_ESYNTAX;
    err = stk_room(s);
    if (!*subscription)
        return err ? err : subscribe_first(s, q, now_ms, subscription);
    b = find_open(s, *subscription);
    if (!b)
        return GB_ENOENT;
    if (b->notifier)
        return GB_ESTATE;
    if (q->r.expires == 0) {
        *subscription = 0;
        return unsubscribe(s, b, &q->r, now_ms);
    }
    if (b->open || !b->confirmed)
        return GB_ESTATE;
    b->user = q->r.user;
    return err ? err : subscribe_again(s, b, &q->r, now_ms);
}

void sip_stack_forget(struct sip_stack *s, uint64_t subscription,
                      uint64_t now_ms)
{
    struct sub *b = find_open(s, subscription);

    if (!b)
        return;
    stk_drop_sub_events(s, subscription, now_ms);
    stk_sub_free(s, b);
}

void sip_stack_move_subscription(struct sip_stack *s, uint64_t subscription,
                                 const struct sip_peer *peer)
{
    struct sub *b = find_open(s, subscription);

    if (b)
        b->peer = *peer;
}

/* ---- their answers ----------------------------------------------------- */

/* A hidden one whose dialog has just come to be. */
static void send_end(struct sip_stack *s, struct sub *b, uint64_t now_ms)
{
    const struct sip_request r = { .expires = 0 };

    if (subscribe_again(s, b, &r, now_ms)) {
        s->count.dropped++;
        stk_sub_free(s, b);
    }
}

static int confirm(struct sip_stack *s, struct sub *b, struct trans *t,
                   const struct sip_msg *m)
{
    struct arena scratch = stk_arena(s);
    struct sip_dialog d;
    int err = stk_read_back(s, t);

    if (!err)
        err = sip_dialog_of_response(&d, &s->aux, m, &scratch);
    if (!err)
        err = sub_update(s, b, &d);
    b->confirmed = !err;
    return err;
}

static void accepted(struct sip_stack *s, struct sub *b, struct trans *t,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms)
{
    const struct sip_subscription_state st = { .state = SIP_SUB_ACTIVE };
    int64_t expires_s = sip_msg_expires(m, NULL);
    bool fresh = !b->confirmed;
    struct sip_event *ev;

    if (fresh && confirm(s, b, t, m)) { /* no memory: it would come to nothing */
        stk_tell(s, t, SIP_EV_FAILED, 503, from, NULL);
        stk_sub_free(s, b);
        return;
    }
    retarget(s, b, m);
    if (b->hidden) {
        if (fresh)
            send_end(s, b, now_ms);
        return;
    }
    if (expires_s < 0 || expires_s > b->asked_s)
        expires_s = b->asked_s;
    grant(s, b, expires_s, now_ms);
    if (b->loose)
        b->n_ms = GB_NEVER;
    set_timer(s, b);
    ev = stk_tell(s, t, SIP_EV_RESPONSE, m->status, from, m);
    ev->sub = view_of(b, &st, now_ms);
    ev->sub.expires_s = (uint32_t)expires_s;
}

void stk_sub_answered(struct sip_stack *s, struct trans *t,
                      const struct sip_peer *from, const struct sip_msg *m,
                      uint64_t now_ms)
{
    struct sub *b = stk_sub_find(s, client(t)->sub);

    if (!b)
        return;
    if (b->open == t->id)
        b->open = 0;
    if (m->status < 300 && !b->notifier) {
        accepted(s, b, t, from, m, now_ms);
        return;
    }
    stk_tell(s, t, SIP_EV_RESPONSE, m->status, from, m);
    if (!b->notifier && (!b->confirmed || b->hidden)) {
        stk_sub_free(s, b);
    } else if (is_deadly(m->status)) {
        ended(s, b, m->status, NULL);
    } else if (!b->notifier) { /* the time that it had still counts */
        b->n_ms = GB_NEVER;
        set_timer(s, b);
    }
}

void stk_sub_failed(struct sip_stack *s, struct trans *t)
{
    struct sub *b = stk_sub_find(s, client(t)->sub);

    if (!b || b->open != t->id)
        return;
    b->open = 0;
    if (b->notifier)
        return;
    if (!b->confirmed || b->hidden) {
        stk_sub_free(s, b);
        return;
    }
    b->n_ms = GB_NEVER;
    set_timer(s, b);
}

/* ---- NOTIFY comes in --------------------------------------------------- */

/* It has overtaken the 200 (§4.1.2.4), or that is lost. */
static int confirm_by_notify(struct sip_stack *s, struct sub *b,
                             const struct sip_peer *from,
                             const struct sip_msg *m)
{
    struct arena scratch = stk_arena(s);
    uint32_t cseq = b->d.local_cseq;
    struct sip_dialog d;
    int err = sip_dialog_of_request(&d, m, b->d.local_tag, &from->remote,
                                    &scratch);

    d.local_cseq = cseq;
    if (!err)
        err = sub_update(s, b, &d);
    b->confirmed = !err;
    return err;
}

static void on_hidden_notify(struct sip_stack *s, struct sub *b, bool fresh,
                             bool over, const struct sip_peer *from,
                             const struct sip_msg *m, uint64_t now_ms)
{
    stk_refuse(s, from, m, 200);
    if (over)
        stk_sub_free(s, b);
    else if (fresh)
        send_end(s, b, now_ms);
}

/* The time that a NOTIFY leaves; false: so much less than there is that it is not
 * believed. Clocks that count in seconds may differ a little. */
static bool shorten(struct sip_stack *s, struct sub *b,
                    const struct sip_subscription_state *st, uint64_t now_ms)
{
    uint32_t left = left_s(b, now_ms);

    if (st->expires < 0 || st->expires >= left)
        return true;
    if (st->expires >= SIP_NOTIFY_SHORTEST_S)
        grant(s, b, st->expires, now_ms);
    else if (st->state != SIP_SUB_TERMINATED)
        return left - st->expires < SIP_NOTIFY_SHORTEST_S;
    return true;
}

static void on_notify(struct sip_stack *s, struct sub *b,
                      const struct sip_peer *from, const struct sip_msg *m,
                      uint64_t now_ms)
{
    struct sip_subscription_state st = state_of(m);
    bool fresh = !b->confirmed, over = st.state == SIP_SUB_TERMINATED;
    bool not_shortened;
    struct sip_sub_view view;
    struct sip_event *ev;

    if (fresh && confirm_by_notify(s, b, from, m)) {
        s->count.dropped++;
        return; /* it will come again */
    }
    if (b->hidden) {
        on_hidden_notify(s, b, fresh, over, from, m, now_ms);
        return;
    }
    ev = stk_report(s, from, m, now_ms);
    if (!ev)
        return;
    retarget(s, b, m);
    if (fresh && b->end_ms == GB_NEVER)
        grant(s, b, b->asked_s, now_ms);
    /* before the 200 there is nothing to shorten */
    not_shortened = !shorten(s, b, &st, now_ms) && !fresh;
    b->n_ms = GB_NEVER;
    set_timer(s, b);
    view = view_of(b, &st, now_ms);
    view.not_shortened = not_shortened;
    ev->kind = SIP_EV_NOTIFY;
    ev->subscription = b->id;
    ev->user = b->user;
    ev->sub = view;
    if (over)
        ended(s, b, 200, &view);
}

/* ---- SUBSCRIBE comes in ------------------------------------------------ */

/* A refresh: sip_stack_accept finds the subscription by pend_sub, and an answer
 * to one without a To tag carries the tag of the first. */
static void on_refresh(struct sip_stack *s, struct sub *b,
                       const struct sip_peer *from, const struct sip_msg *m,
                       uint64_t now_ms)
{
    struct sip_event *ev = stk_report(s, from, m, now_ms);

    if (!ev)
        return;
    ev->subscription = b->id;
    ev->user = b->user;
    s->pend_sub = b->id;
    if (!m->to.tag.n)
        s->pend.t.to_tag = b->tag;
}

void stk_sub_request(struct sip_stack *s, struct sub *b,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms)
{
    if (m->to.tag.n && !sip_dialog_take_cseq(&b->d, m->cseq.number))
        stk_refuse(s, from, m, 500);
    else if (b->notifier)
        on_refresh(s, b, from, m, now_ms);
    else
        on_notify(s, b, from, m, now_ms);
}

/* ---- as the notifier --------------------------------------------------- */

static int write_state(char *text, size_t cap, const struct sip_notify *n,
                       const struct sub *b, uint64_t now_ms,
                       struct slice *value)
{
    struct writer w = writer_of(text, cap);

    if (n->reason.n && !sip_is_token(n->reason))
        return GB_ESYNTAX;
    switch ((enum sip_substate)n->state) {
    case SIP_SUB_ACTIVE:
    case SIP_SUB_PENDING:
        writer_str(&w, n->state == SIP_SUB_ACTIVE ? "active;expires="
                                                  : "pending;expires=");
        writer_u64(&w, left_s(b, now_ms));
        break;
    case SIP_SUB_TERMINATED:
        writer_str(&w, "terminated");
        if (n->reason.n) {
            writer_str(&w, ";reason=");
            writer_slice_put(&w, n->reason);
        }
        if (n->retry_after_s) {
            writer_str(&w, ";retry-after=");
            writer_u64(&w, n->retry_after_s);
        }
        break;
    case SIP_SUB_OTHER:
        return GB_ESYNTAX;
    }
    *value = writer_slice(&w);
    return w.err ? GB_ESYNTAX : 0;
}

static int notify(struct sip_stack *s, struct sub *b,
                  const struct sip_notify *n, uint64_t now_ms)
{
    struct client_opts o = { .user = b->user,
                             .silent = n->state == SIP_SUB_TERMINATED };
    struct sip_request_parts p = { .method = SIP_METHOD_NOTIFY,
                                   .expires = -1,
                                   .content_type = n->content_type,
                                   .body = n->body };
    struct sip_extra state = { SLICE_INIT("Subscription-State"),
                               { NULL, 0 } };
    struct sip_extra extra[2];
    char text[STATE_BYTES];
    int err = write_state(text, sizeof(text), n, b, now_ms, &state.value);

    if (err)
        return err;
    p.n_extra = put_extra(extra, event_of(b), &state, 1);
    p.extra = extra;
    return send_in(s, b, &p, &o, now_ms);
}

int sip_stack_notify(struct sip_stack *s, uint64_t subscription,
                     const struct sip_notify *n, uint64_t now_ms)
{
    bool last = n->state == SIP_SUB_TERMINATED;
    struct sub *b = find_open(s, subscription);
    int err;

    if (!b)
        return GB_ENOENT;
    if (!b->notifier || (b->open && !last))
        return GB_ESTATE;
    err = stk_room(s);
    if (!err)
        err = notify(s, b, n, now_ms);
    if (err || !last)
        return err;
    stk_drop_sub_events(s, subscription, now_ms);
    stk_sub_free(s, b);
    return 0;
}

/* The last word to a subscriber whose time is over. */
static void notify_timeout(struct sip_stack *s, struct sub *b, uint64_t now_ms)
{
    const struct sip_notify n = { .state = SIP_SUB_TERMINATED,
                                  .reason = SLICE("timeout") };

    if (notify(s, b, &n, now_ms))
        s->count.dropped++;
}

/* The subscription that the pending SUBSCRIBE asks for. */
static int sub_of_pending(struct sip_stack *s, const struct sip_response *r,
                          uint64_t user, struct sub **out)
{
    struct arena scratch = stk_arena(s);
    struct sip_dialog d;
    char tag[STK_TAG];
    int err;

    stk_hex(tag, s->pend.t.to_tag);
    err = sip_dialog_of_request(&d, s->msg, slice_of(tag, sizeof(tag)),
                                &s->pend.from.remote, &scratch);
    if (!err)
        err = sub_new(s, out, &d, sip_msg_value(s->msg, SIP_HDR_EVENT),
                      r->contact);
    if (err)
        return err;
    (*out)->notifier = (*out)->confirmed = true;
    (*out)->peer = s->pend.from;
    (*out)->tag = s->pend.t.to_tag;
    (*out)->user = user;
    return 0;
}

static int accept_sub(struct sip_stack *s, struct sub *b,
                      const struct sip_response *r, uint64_t now_ms,
                      uint64_t *subscription)
{
    int64_t asked_s = sip_msg_expires(s->msg, NULL);
    struct sip_extra extra[MAX_EXTRA + 1];
    struct sip_response a = *r;
    int err;

    if (asked_s >= 0 && asked_s < a.expires)
        a.expires = asked_s;
    a.n_extra = put_extra(extra, sip_msg_value(s->msg, SIP_HDR_EVENT),
                          r->extra, r->n_extra);
    a.extra = extra;
    err = sip_stack_respond(s, s->pend.t.id, &a, now_ms);
    if (err)
        return err;
    retarget(s, b, s->msg);
    b->asked_s = (uint32_t)a.expires;
    b->end_ms = now_ms + (uint64_t)a.expires * 1000;
    set_timer(s, b);
    *subscription = b->id;
    if (a.expires == 0) {
        *subscription = 0;
        notify_timeout(s, b, now_ms);
        stk_sub_free(s, b);
    }
    return 0;
}

int sip_stack_accept(struct sip_stack *s, uint64_t transaction,
                     const struct sip_response *r, uint64_t user,
                     uint64_t now_ms, uint64_t *subscription)
{
    bool pending = s->pend.on && s->pend.t.id == transaction;
    struct sub *b, *fresh = NULL;
    int err;

    if (!pending || s->msg->method != SIP_METHOD_SUBSCRIBE)
        return stk_trans_find(s, transaction) ? GB_ESTATE : GB_ENOENT;
    if (r->status / 100 != 2 || r->expires < 0 || r->expires > UINT32_MAX ||
        r->n_extra > MAX_EXTRA)
        return GB_ERANGE;
    err = stk_room(s);
    if (err)
        return err;
    b = find_open(s, s->pend_sub);
    if (!b && s->msg->to.tag.n)
        return GB_ENOENT;
    if (!b) {
        err = sub_of_pending(s, r, user, &fresh);
        b = fresh;
    }
    if (!err)
        err = accept_sub(s, b, r, now_ms, subscription);
    if (err && fresh)
        stk_sub_free(s, fresh);
    return err;
}

/* While our SUBSCRIBE is open its transaction decides, which is as old. */
void stk_sub_tick(struct sip_stack *s, struct sub *b, uint64_t now_ms)
{
    if (!b->notifier && b->open && b->end_ms > now_ms && !b->hidden) {
        b->n_ms = GB_NEVER;
        set_timer(s, b);
        return;
    }
    if (b->notifier)
        notify_timeout(s, b, now_ms);
    ended(s, b, 408, NULL);
}
