/* Dialogs: finding them, their 2xx and ACK, their end. */
#include "sip/stack_impl.h"

#include <assert.h>

#define BYE_RETRY_MS 1000 /* when there was no memory for it */

/* ---- the table --------------------------------------------------------- */

static void call_key(const struct sip_stack *s, struct stk_key *k,
                     struct slice call_id)
{
    struct stk_text t;

    key_start(&t, "DI");
    key_add(s, &t, call_id);
    key_end(s, &t, k);
}

static struct call *of_node(struct map_node *n)
{
    return n ? container_of(n, struct call, by_call_id) : NULL;
}

struct call *stk_call_find(const struct sip_stack *s, uint64_t id)
{
    return idmap_find(&s->call_ids, id);
}

unsigned stk_call_count(const struct sip_stack *s, struct slice call_id)
{
    struct stk_key k;
    unsigned n = 0;

    call_key(s, &k, call_id);
    for (struct map_node *p = map_find(&s->by_call_id, key_slice(&k)); p;
         p = map_find_next(p))
        n++;
    return n;
}

/* Tags can be overheard: a request inside a dialog comes from the address that
 * its peer is bound to. The port may move with a NAT, and a lost connection may
 * be replaced. */
static bool fits(const struct call *c, const struct sip_peer *from,
                 const struct sip_msg *m)
{
    struct sip_dialog any;

    if (!gb_addr_ip_eq(&c->peer.remote, &from->remote))
        return false;
    if (!c->early || c->state != CALL_CALLING)
        return sip_dialog_has_tags(&c->d, m);
    any = c->d; /* of any fork: only one will be confirmed */
    any.remote_tag.n = 0;
    return sip_dialog_has_tags(&any, m);
}

/* Some devices leave the To tag out of ACK, BYE and INFO. Over the dialog's own
 * way, Call-ID and From tag are enough if they name one dialog only. */
static bool fits_without_to_tag(const struct call *c,
                                const struct sip_peer *from,
                                const struct sip_msg *m)
{
    bool bound = from->transport == SIP_UDP
                     ? c->peer.transport == SIP_UDP
                     : c->peer.connection == from->connection;

    return bound && fits(c, from, m);
}

static bool may_lack_to_tag(enum sip_method m)
{
    return m == SIP_METHOD_ACK || m == SIP_METHOD_BYE || m == SIP_METHOD_INFO;
}

struct call *stk_call_match(const struct sip_stack *s,
                            const struct sip_peer *from,
                            const struct sip_msg *m)
{
    struct call *only = NULL;
    struct stk_key k;

    if (!m->to.tag.n && !may_lack_to_tag(m->method))
        return NULL;
    call_key(s, &k, m->call_id);
    for (struct map_node *p = map_find(&s->by_call_id, key_slice(&k)); p;
         p = map_find_next(p)) {
        struct call *c = of_node(p);

        if (m->to.tag.n) {
            if (fits(c, from, m))
                return c;
        } else if (fits_without_to_tag(c, from, m)) {
            if (only)
                return NULL;
            only = c;
        }
    }
    return only;
}

char *stk_copy_dialog(struct sip_stack *s, struct sip_dialog *out,
                      const struct sip_dialog *in)
{
    char *mem = pool_get(&s->pool, sip_dialog_size(in));

    if (mem)
        sip_dialog_copy(out, in, mem);
    return mem;
}

int stk_renew_dialog(struct sip_stack *s, struct sip_dialog *d, char **mem,
                     size_t *mem_n, const struct sip_dialog *in)
{
    struct sip_dialog copy;
    char *own = stk_copy_dialog(s, &copy, in);

    if (!own)
        return GB_ENOMEM;
    pool_put(&s->pool, *mem, *mem_n);
    *mem = own;
    *mem_n = sip_dialog_size(&copy);
    *d = copy;
    return 0;
}

/* In all tables but that of the ids. */
static int call_make(struct sip_stack *s, struct call **out,
                     const struct sip_dialog *d)
{
    struct call *c;
    int err;

    if (s->n_calls >= s->max_calls)
        return GB_ELIMIT;
    err = heap_reserve(&s->timers_due,
                       s->trans_ids.n + s->n_calls + s->n_subs + 1);
    if (err)
        return err;
    c = pool_get(&s->pool, sizeof(*c));
    if (!c)
        return GB_ENOMEM;
    memset(c, 0, sizeof(*c));
    c->mem_n = sip_dialog_size(d);
    c->mem = stk_copy_dialog(s, &c->d, d);
    if (!c->mem) {
        pool_put(&s->pool, c, sizeof(*c));
        return GB_ENOMEM;
    }
    c->timer.tag = STK_CALL;
    c->retry_ms = c->end_ms = GB_NEVER;
    call_key(s, &c->key, c->d.call_id);
    map_insert(&s->by_call_id, &c->by_call_id, key_slice(&c->key));
    s->n_calls++;
    *out = c;
    return 0;
}

int stk_call_new(struct sip_stack *s, struct call **out,
                 const struct sip_dialog *d, const struct sip_peer *peer)
{
    int err = call_make(s, out, d);

    if (err)
        return err;
    (*out)->peer = *peer;
    err = idmap_add(&s->call_ids, *out, &(*out)->id);
    if (err)
        stk_call_free(s, *out);
    return err;
}

int stk_call_adopt(struct sip_stack *s, struct call **out,
                   const struct sip_dialog *d, const struct call *from)
{
    int err = call_make(s, out, d);

    if (err)
        return err;
    (*out)->id = from->id;
    (*out)->user = from->user;
    (*out)->peer = from->peer;
    return 0;
}

int stk_call_update(struct sip_stack *s, struct call *c,
                    const struct sip_dialog *d)
{
    return stk_renew_dialog(s, &c->d, &c->mem, &c->mem_n, d);
}

int stk_call_retarget(struct sip_stack *s, struct call *c, struct slice target)
{
    struct sip_dialog d = c->d;

    if (slice_eq(d.target, target))
        return 0;
    d.target = target;
    return stk_call_update(s, c, &d);
}

void stk_call_free(struct sip_stack *s, struct call *c)
{
    heap_remove(&s->timers_due, &c->timer);
    map_remove(&s->by_call_id, &c->by_call_id);
    if (!c->hidden)
        idmap_remove(&s->call_ids, c->id);
    blob_unref(s, &c->ok);
    blob_unref(s, &c->next_target);
    pool_put(&s->pool, c->mem, c->mem_n);
    pool_put(&s->pool, c, sizeof(*c));
    assert(s->n_calls > 0);
    s->n_calls--;
}

/* ---- the end ----------------------------------------------------------- */

static void set_timer(struct sip_stack *s, struct call *c)
{
    heap_set(&s->timers_due, &c->timer,
             c->retry_ms < c->end_ms ? c->retry_ms : c->end_ms);
}

static void hide(struct sip_stack *s, struct call *c)
{
    if (!c->hidden)
        idmap_remove(&s->call_ids, c->id);
    c->hidden = true;
}

/* BYE, and gone. Without memory it stays, hidden, and tries again until the
 * peer would have given up too. */
static void leave(struct sip_stack *s, struct call *c, uint64_t now_ms)
{
    struct arena scratch = stk_arena(s);

    if (!stk_bye(s, &c->d, &c->peer, &scratch, now_ms)) {
        stk_call_free(s, c);
        return;
    }
    if (c->end_ms == GB_NEVER)
        c->end_ms = now_ms + 64 * (uint64_t)s->timers.t1_ms;
    hide(s, c);
    if (c->end_ms <= now_ms) {
        s->count.dropped++;
        stk_call_free(s, c);
        return;
    }
    c->retry_ms = now_ms + BYE_RETRY_MS;
    set_timer(s, c);
}

static void tell_ended(struct sip_stack *s, const struct call *c,
                       unsigned status, const struct sip_peer *peer,
                       const struct sip_msg *m)
{
    struct sip_event *ev;

    if (c->hidden || c->unknown)
        return;
    ev = stk_event(s, SIP_EV_ENDED, peer, m);
    ev->dialog = c->id;
    ev->user = c->user;
    ev->status = status;
}

void stk_call_ended(struct sip_stack *s, struct call *c, unsigned status,
                    const struct sip_peer *peer, const struct sip_msg *m)
{
    tell_ended(s, c, status, peer, m);
    stk_call_free(s, c);
}

void stk_call_unknown(struct sip_stack *s, struct call *c, unsigned status,
                      const struct sip_peer *peer, const struct sip_msg *m,
                      uint64_t now_ms)
{
    uint64_t own = c->own_invite, peers = c->peer_invite;

    tell_ended(s, c, status, peer, m);
    c->unknown = true;
    c->own_invite = c->peer_invite = 0;
    stk_end_invites(s, own, peers, 487, now_ms);
}

void stk_call_over(struct sip_stack *s, struct call *c, unsigned status,
                   const struct sip_peer *peer, const struct sip_msg *m,
                   uint64_t now_ms)
{
    stk_call_unknown(s, c, status, peer, m, now_ms);
    stk_call_free(s, c);
}

/* Does what the state of the dialog asks for; c is gone, or hidden and waiting
 * for its ACK. */
static void finish(struct sip_stack *s, struct call *c, uint64_t now_ms)
{
    uint64_t own = c->own_invite, peers = c->peer_invite;

    c->own_invite = c->peer_invite = 0;
    stk_end_invites(s, own, peers, c->state == CALL_CALLED ? 480 : 487, now_ms);
    if (c->state != CALL_CONFIRMED)
        stk_call_free(s, c);
    else if (c->ok) /* §15: no BYE before the ACK, or its time is over */
        hide(s, c);
    else
        leave(s, c, now_ms);
}

void sip_stack_end(struct sip_stack *s, uint64_t dialog, uint64_t now_ms)
{
    struct call *c = stk_call_find(s, dialog);

    if (!c)
        return;
    stk_drop_events(s, dialog, now_ms);
    if (s->pend.on && c == &s->pend.call) { /* refused before it began */
        if (stk_room(s) || stk_answer(s, &s->pend.t, 480, now_ms))
            stk_forget_pending(s);
        return;
    }
    if (!stk_room(s)) {
        finish(s, c, now_ms);
        return;
    }
    hide(s, c); /* no memory for a queue entry: the timer ends it */
    if (c->ok)
        return;
    c->end_ms = now_ms + 64 * (uint64_t)s->timers.t1_ms;
    c->retry_ms = now_ms + BYE_RETRY_MS;
    set_timer(s, c);
}

/* Nothing of the dialog is open: a BYE can go out now. */
static bool may_leave(const struct sip_stack *s, const struct call *c)
{
    return c->state == CALL_CONFIRMED && !c->ok && !c->hidden &&
           !stk_trans_find(s, c->own_invite) &&
           !stk_trans_find(s, c->peer_invite);
}

bool sip_stack_leave(struct sip_stack *s, uint64_t dialog,
                     struct sip_request *r, uint64_t now_ms)
{
    struct call *c = stk_call_find(s, dialog);
    struct client_opts o = { .user = r->user };
    struct sip_request_parts p = { .method = SIP_METHOD_BYE, .expires = -1 };
    struct slice routes[SIP_MAX_ROUTES + 1];
    struct arena scratch = stk_arena(s);
    struct trans *t = NULL;

    if (!c)
        return false;
    o.peer = &c->peer;
    if (!gb_addr_eq(&r->peer.remote, &c->peer.remote))
        r->username = r->password = slice_of(NULL, 0);
    o.login = (struct sip_login){ r->username, r->password };
    if (may_leave(s, c) && !stk_room(s) &&
        !sip_dialog_fill(&c->d, &p, routes, &scratch)) {
        p.cseq = c->d.local_cseq % SIP_CSEQ_MAX + 1;
        if (stk_client_new(s, &p, &o, now_ms, &t))
            t = NULL;
    }
    if (!t) {
        sip_stack_end(s, dialog, now_ms);
        return false;
    }
    stk_drop_events(s, dialog, now_ms);
    stk_client_start(s, t, now_ms);
    stk_call_free(s, c);
    return true;
}

void sip_stack_move(struct sip_stack *s, uint64_t dialog,
                    const struct sip_peer *peer)
{
    struct call *c = stk_call_find(s, dialog);

    if (c)
        c->peer = *peer;
}

void sip_stack_set_user(struct sip_stack *s, uint64_t dialog, uint64_t user)
{
    struct call *c = stk_call_find(s, dialog);

    if (c)
        c->user = user;
}

int sip_stack_dialog_state(const struct sip_stack *s, uint64_t dialog,
                           struct sip_dialog_state *out)
{
    const struct call *c = stk_call_find(s, dialog);

    if (!c)
        return GB_ENOENT;
    if (c->state != CALL_CONFIRMED)
        return GB_ESTATE;
    *out = (struct sip_dialog_state){
        .call_id = c->d.call_id,
        .local_uri = c->d.local_uri,
        .remote_uri = c->d.remote_uri,
        .local_tag = c->d.local_tag,
        .remote_tag = c->d.remote_tag,
        .target = c->d.target,
        .local_cseq = c->d.local_cseq,
    };
    return 0;
}

/* ---- our 2xx and its ACK (§13.3.1.4) ----------------------------------- */

void stk_call_sent_ok(struct sip_stack *s, struct call *c, struct blob *ok,
                      uint32_t cseq, uint64_t now_ms)
{
    blob_unref(s, &c->ok);
    c->ok = blob_ref(ok);
    c->ok_cseq = cseq;
    c->state = CALL_CONFIRMED;
    c->interval_ms = s->timers.t1_ms;
    c->retry_ms = now_ms + c->interval_ms;
    c->end_ms = now_ms + 64 * (uint64_t)s->timers.t1_ms;
    set_timer(s, c);
}

/* A late ACK of an earlier INVITE has a lower number; a higher one is a device
 * that counts its ACK. */
void stk_call_on_ack(struct sip_stack *s, struct call *c,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms)
{
    struct sip_event *ev;

    if (!c->ok || m->cseq.number < c->ok_cseq) {
        s->count.absorbed++;
        return;
    }
    blob_unref(s, &c->ok);
    c->retry_ms = c->end_ms = GB_NEVER;
    set_timer(s, c);
    if (c->hidden) {
        finish(s, c, now_ms);
        return;
    }
    if (c->unknown) /* its end was told */
        return;
    ev = stk_event(s, SIP_EV_ACKED, from, m);
    ev->dialog = c->id;
    ev->user = c->user;
}

void stk_call_tick(struct sip_stack *s, struct call *c, uint64_t now_ms)
{
    if (!c->ok) { /* hidden, its BYE still due */
        finish(s, c, now_ms);
        return;
    }
    if (c->end_ms <= now_ms) {
        tell_ended(s, c, 408, &c->peer, NULL);
        blob_unref(s, &c->ok);
        c->end_ms = GB_NEVER;
        finish(s, c, now_ms);
        return;
    }
    c->interval_ms *= 2;
    if (c->interval_ms > s->timers.t2_ms)
        c->interval_ms = s->timers.t2_ms;
    c->retry_ms = now_ms + c->interval_ms;
    set_timer(s, c);
    s->count.retransmitted++;
    stk_send(s, c->ok, &c->peer, 0);
}
