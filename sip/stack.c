/* The stack's life, its queues, and the two ways in: bytes and time. */
#include "sip/stack_impl.h"

#include "base/prefetch.h"

#include <assert.h>

#define RING_MIN 16
#define RING_KEEP 1024 /* elements; a larger ring is given back when empty */

/* ---- queues ------------------------------------------------------------ */

static void *ring_at(const struct ring *r, uint32_t i)
{
    return r->p + ((r->head + i) & (r->cap - 1)) * r->size;
}

static int ring_room(struct ring *r, const struct gb_alloc *alloc, uint32_t n)
{
    uint32_t cap = r->cap ? r->cap : RING_MIN;
    char *p;

    if (r->cap - r->n >= n)
        return 0;
    while (cap - r->n < n) {
        if (cap > UINT32_MAX / 4)
            return GB_ENOMEM;
        cap *= 2;
    }
    p = gb_get(alloc, cap * r->size);
    if (!p)
        return GB_ENOMEM;
    for (uint32_t i = 0; i < r->n; i++)
        memcpy(p + i * r->size, ring_at(r, i), r->size);
    gb_put(alloc, r->p);
    r->p = p;
    r->cap = cap;
    r->head = 0;
    return 0;
}

static void *ring_push(struct ring *r)
{
    assert(r->n < r->cap);
    return ring_at(r, r->n++);
}

static bool ring_pop(struct ring *r, const struct gb_alloc *alloc, void *out)
{
    if (r->n == 0)
        return false;
    memcpy(out, ring_at(r, 0), r->size);
    r->head = (r->head + 1) & (r->cap - 1);
    if (--r->n == 0 && r->cap > RING_KEEP) {
        gb_put(alloc, r->p);
        *r = (struct ring){ .size = r->size };
    }
    return true;
}

int stk_room(struct sip_stack *s)
{
    int err = ring_room(&s->events, s->alloc, STK_ROOM);

    return err ? err : ring_room(&s->outs, s->alloc, STK_ROOM);
}

void stk_send(struct sip_stack *s, struct blob *b, const struct sip_peer *peer,
              uint64_t trans)
{
    struct out_entry *e = ring_push(&s->outs);

    *e = (struct out_entry){ .blob = blob_ref(b), .peer = *peer,
                             .trans = trans };
}

/* More room behind what is there; entries know their place by offset. */
static int grow_out(struct sip_stack *s)
{
    size_t n = s->out_cap ? s->out_cap * 2 : STK_FIRST_OUT;
    char *p = n <= UINT32_MAX / 2 ? gb_get(s->alloc, n) : NULL;

    if (!p)
        return GB_ENOMEM;
    if (s->out)
        memcpy(p, s->out, s->out_n);
    gb_put(s->alloc, s->out);
    s->out = p;
    s->out_cap = n;
    return 0;
}

/* All that was in it has been sent. */
static void reset_out(struct sip_stack *s)
{
    s->out_n = 0;
    if (s->out_cap <= STK_KEEP_OUT)
        return;
    gb_put(s->alloc, s->out);
    s->out = NULL;
    s->out_cap = 0;
}

int stk_put(struct sip_stack *s, stk_write_fn *write, const void *parts,
            const struct sip_peer *peer, struct slice *out)
{
    struct out_entry *e;

    if (s->outs.n == 0)
        reset_out(s);
    for (;;) {
        size_t left = s->out_cap - s->out_n;
        struct writer w = writer_of(s->out ? s->out + s->out_n : NULL,
                                    left < STK_MAX_MESSAGE ? left
                                                           : STK_MAX_MESSAGE);
        int err = s->out ? write(&w, parts) : GB_ENOMEM;

        if (!err) {
            e = ring_push(&s->outs);
            *e = (struct out_entry){ .off = (uint32_t)s->out_n,
                                     .n = (uint32_t)w.len, .peer = *peer };
            s->out_n += w.len;
            if (out)
                *out = writer_slice(&w);
            return 0;
        }
        if (err != GB_ENOMEM)
            return err;
        if (w.cap == STK_MAX_MESSAGE)
            return GB_ELIMIT;
        err = grow_out(s);
        if (err)
            return err;
    }
}

void stk_put_answers(struct sip_stack *s, const struct sip_msg *m,
                     unsigned status)
{
    struct out_entry *e = ring_at(&s->outs, s->outs.n - 1);

    e->status = (uint16_t)status;
    e->method = (uint8_t)m->cseq.method;
}

struct sip_event *stk_event(struct sip_stack *s, enum sip_event_kind kind,
                            const struct sip_peer *from,
                            const struct sip_msg *m)
{
    struct sip_event *ev = ring_push(&s->events);

    *ev = (struct sip_event){ .kind = kind, .msg = m };
    if (from)
        ev->peer = *from;
    if (m)
        s->n_msg_events++;
    return ev;
}

struct sip_event *stk_newest_event(struct sip_stack *s)
{
    return ring_at(&s->events, s->events.n - 1);
}

/* What the layer above has not seen yet of a dialog or a subscription. */
static void drop_events(struct sip_stack *s, uint64_t dialog, uint64_t sub,
                        uint64_t now_ms)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->events.n; i++) {
        struct sip_event ev;
        struct trans *t;

        memcpy(&ev, ring_at(&s->events, i), sizeof(ev));
        if (sub ? ev.subscription != sub : ev.dialog != dialog) {
            memcpy(ring_at(&s->events, kept++), &ev, sizeof(ev));
            continue;
        }
        s->n_msg_events -= ev.msg != NULL;
        t = stk_trans_find(s, ev.transaction);
        if ((ev.kind == SIP_EV_REQUEST || ev.kind == SIP_EV_NOTIFY) && t &&
            t->m.kind == SIP_NIST && !ring_room(&s->outs, s->alloc, STK_ROOM))
            stk_answer(s, t, 481, now_ms);
    }
    s->events.n = kept;
}

void stk_drop_events(struct sip_stack *s, uint64_t dialog, uint64_t now_ms)
{
    drop_events(s, dialog, 0, now_ms);
}

void stk_drop_sub_events(struct sip_stack *s, uint64_t sub, uint64_t now_ms)
{
    drop_events(s, 0, sub, now_ms);
}

/* Who asks for the next event has answered the one before, or will later. */
bool sip_stack_event(struct sip_stack *s, struct sip_event *ev)
{
    if (s->pend.told)
        stk_turn_over(s);
    if (!ring_pop(&s->events, s->alloc, ev))
        return false;
    s->n_msg_events -= ev->msg != NULL;
    if ((ev->kind == SIP_EV_REQUEST || ev->kind == SIP_EV_NOTIFY) &&
        ev->transaction == s->pend.t.id)
        s->pend.told = s->pend.on;
    return true;
}

bool sip_stack_output(struct sip_stack *s, struct sip_out *out)
{
    struct out_entry e;
    struct recent *r;

    blob_unref(s, &s->last_out);
    stk_turn_over(s);
    if (!ring_pop(&s->outs, s->alloc, &e))
        return false;
    s->last_out = e.blob;
    s->count.sent++;
    r = &s->recent[s->n_recent++ % STK_RECENT];
    *r = (struct recent){ e.peer, e.trans };
    *out = (struct sip_out){ e.peer, e.blob ? blob_slice(e.blob)
                                            : slice_of(s->out + e.off, e.n) };
    if (e.status)
        sip_tally_add(&s->tally, SIP_TALLY_OUT, e.method, e.status);
    else
        sip_tally_written(&s->tally, out->bytes);
    return true;
}

/* ---- time -------------------------------------------------------------- */

uint64_t sip_stack_deadline(const struct sip_stack *s)
{
    uint64_t at_ms = heap_first_at(&s->timers_due);

    if (stk_done_deadline(s) < at_ms)
        at_ms = stk_done_deadline(s);
    return at_ms < s->stalled_ms ? s->stalled_ms : at_ms;
}

static void trans_tick(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    if (is_client(t))
        stk_client_tick(s, client(t), now_ms);
    else
        stk_server_tick(s, t, now_ms);
}

static void next_ahead(const struct sip_stack *s)
{
    const struct heap_node *n = heap_first(&s->timers_due);

    if (n && n->tag == STK_TRANS)
        prefetch_range(container_of(n, struct trans, timer),
                       sizeof(struct trans));
}

/* An event that cannot be queued must not be lost: without memory the timers
 * wait, all of them in their order. */
void sip_stack_tick(struct sip_stack *s, uint64_t now_ms)
{
    stk_turn_over(s);
    s->answered = 0;
    stk_done_tick(s, now_ms);
    s->stalled_ms = 0;
    while (heap_first_at(&s->timers_due) <= now_ms) {
        struct heap_node *n = heap_first(&s->timers_due);

        if (stk_room(s)) {
            s->stalled_ms = now_ms + STK_STALL_MS;
            return;
        }
        if (n->tag == STK_TRANS)
            trans_tick(s, container_of(n, struct trans, timer), now_ms);
        else if (n->tag == STK_CALL)
            stk_call_tick(s, container_of(n, struct call, timer), now_ms);
        else
            stk_sub_tick(s, container_of(n, struct sub, timer), now_ms);
    }
    next_ahead(s);
}

void stk_broken(struct sip_stack *s, struct trans *t)
{
    t->broken = true;
    heap_set(&s->timers_due, &t->timer, 0);
}

void sip_stack_closed(struct sip_stack *s, uint64_t connection, uint64_t now_ms)
{
    struct list *p, *tmp, *all;

    stk_turn_over(s);
    all = stk_conn_trans(s, connection);
    if (!all)
        return;
    LIST_EACH(p, tmp, all)
        stk_broken(s, container_of(p, struct trans, on_conn));
    sip_stack_tick(s, now_ms);
}

static bool same_way(const struct sip_peer *a, const struct sip_peer *b)
{
    return a->transport == b->transport && a->listener == b->listener &&
           a->connection == b->connection && gb_addr_eq(&a->remote, &b->remote);
}

/* The edge sends in batches; the failed one is among the latest. */
void sip_stack_send_failed(struct sip_stack *s, const struct sip_peer *peer,
                           uint64_t now_ms)
{
    for (unsigned i = 0; i < STK_RECENT; i++) {
        struct recent *r = &s->recent[i];
        struct trans *t = stk_trans_find(s, r->trans);

        if (!t || !same_way(&r->peer, peer))
            continue;
        r->trans = 0;
        stk_broken(s, t);
    }
    sip_stack_tick(s, now_ms);
}

/* ---- bytes ------------------------------------------------------------- */

/* bytes into r, with what the first look-up goes by. */
static void read_into(struct sip_stack *s, struct reading *r,
                      enum sip_carrier carrier, struct slice bytes)
{
    r->diag = (struct gb_diag){ 0, NULL };
    r->err = sip_msg_parse(&r->msg, bytes, carrier, &r->diag);
    r->has_key = !r->err && r->msg.is_request &&
                 r->msg.method != SIP_METHOD_ACK;
    if (r->has_key)
        stk_server_key(s, &r->key, &r->msg, r->msg.method);
}

/* The one that s->msg is not in. */
static struct reading *other_reading(struct sip_stack *s)
{
    return &s->read[s->msg == &s->read[0].msg];
}

const struct sip_msg *sip_stack_ahead(struct sip_stack *s, struct slice bytes)
{
    struct reading *r = other_reading(s);

    r->ahead = bytes;
    if (bytes.n == 0)
        return NULL;
    read_into(s, r, SIP_DATAGRAM, bytes);
    if (r->has_key)
        stk_done_ahead(s, &r->key);
    return r->err ? NULL : &r->msg;
}

/* Whether r is that of these bytes; it counts once. */
static bool was_ahead(struct reading *r, enum sip_carrier carrier,
                      struct slice bytes)
{
    struct slice ahead = r->ahead;

    r->ahead = slice_of(NULL, 0);
    return carrier == SIP_DATAGRAM && ahead.n && ahead.p == bytes.p &&
           ahead.n == bytes.n;
}

/* s->msg, as r has it: to whom it belongs. */
static int on_message(struct sip_stack *s, const struct sip_peer *from,
                      const struct reading *r, uint64_t now_ms)
{
    if (r->err == GB_ENOENT)
        return 0;
    s->count.received++;
    if (r->err) {
        s->count.bad++;
        if (s->msg->is_request)
            stk_on_malformed(s, from, s->msg);
        else
            stk_on_odd_response(s, from, s->msg, now_ms);
        stk_event(s, SIP_EV_BAD, from, NULL)->diag = r->diag;
        return r->err;
    }
    s->is_read = true;
    sip_tally_add(&s->tally, SIP_TALLY_IN, s->msg->cseq.method,
                  s->msg->is_request ? 0 : s->msg->status);
    if (r->has_key)
        s->key = r->key;
    if (s->msg->is_request)
        stk_on_request(s, from, s->msg, now_ms);
    else
        stk_on_response(s, from, s->msg, now_ms);
    return 0;
}

int sip_stack_input(struct sip_stack *s, const struct sip_peer *from,
                    struct slice bytes, uint64_t now_ms)
{
    enum sip_carrier carrier =
        from->transport == SIP_UDP ? SIP_DATAGRAM : SIP_STREAM;
    struct reading *r = other_reading(s);
    bool is_read = was_ahead(r, carrier, bytes);
    int err;

    s->is_read = false;
    if (s->n_msg_events)
        return GB_ESTATE; /* they would lose their message */
    stk_turn_over(s);
    s->answered = 0;
    err = stk_room(s);
    if (err) {
        s->count.dropped++;
        return err;
    }
    if (!is_read)
        read_into(s, r, carrier, bytes);
    s->msg = &r->msg;
    return on_message(s, from, r, now_ms);
}

const struct sip_msg *sip_stack_message(const struct sip_stack *s)
{
    return s->is_read ? s->msg : NULL;
}

/* ---- life -------------------------------------------------------------- */

uint64_t stk_random(struct sip_stack *s)
{
    uint64_t n = ++s->n_tokens;

    return map_hash(s->token_seed, slice_of((const char *)&n, sizeof(n)));
}

void stk_hex(char out[static STK_TAG], uint64_t v)
{
    for (unsigned i = 0; i < STK_TAG; i += 2, v <<= 8) {
        out[i] = "0123456789abcdef"[v >> 60];
        out[i + 1] = "0123456789abcdef"[v >> 56 & 15];
    }
}

void sip_stack_token(struct sip_stack *s, char out[static 16])
{
    stk_hex(out, stk_random(s));
}

void sip_stack_counters(const struct sip_stack *s, struct sip_counters *out)
{
    *out = s->count;
    out->transactions = (uint32_t)(s->trans_ids.n - s->pend.on + s->dones.n);
    out->dialogs = s->n_calls;
    out->subscriptions = s->n_subs;
    out->memory = s->pool.used_bytes + s->dones.used_bytes;
}

const struct sip_tally *sip_stack_tally(const struct sip_stack *s)
{
    return &s->tally;
}

static int init_tables(struct sip_stack *s)
{
    struct map *maps[] = { &s->by_call, &s->by_call_id, &s->by_sub,
                           &s->conns };
    int err = 0;

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && !err; i++) {
        uint64_t seed[2] = { stk_random(s), stk_random(s) };

        err = map_init(maps[i], s->alloc, seed);
    }
    return err;
}

/* The texts of the configuration, in one piece. */
static int copy_texts(struct sip_stack *s, const struct sip_stack_config *cfg)
{
    struct slice from[] = { slice_str(cfg->user_agent),
                            cfg->register_extra.name,
                            cfg->register_extra.value };
    struct slice *to[] = { &s->user_agent, &s->register_extra.name,
                           &s->register_extra.value };
    size_t n = from[0].n + from[1].n + from[2].n;

    if (!n)
        return 0;
    s->texts = gb_get(s->alloc, n);
    if (!s->texts)
        return GB_ENOMEM;
    n = 0;
    for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        *to[i] = slice_of(s->texts + n, from[i].n);
        if (from[i].n)
            memcpy(s->texts + n, from[i].p, from[i].n);
        n += from[i].n;
    }
    return 0;
}

int sip_stack_new(struct sip_stack **out, const struct sip_stack_config *cfg)
{
    struct sip_stack *s = gb_get(cfg->alloc, sizeof(*s));
    int err;

    if (!s)
        return GB_ENOMEM;
    s->alloc = cfg->alloc;
    s->msg = &s->read[0].msg;
    memcpy(s->token_seed, cfg->seed, 16);
    memcpy(s->key_seed, cfg->seed + 16, 16);
    s->timers.t1_ms = cfg->t1_ms ? cfg->t1_ms : SIP_T1_MS;
    s->timers.t2_ms = cfg->t2_ms ? cfg->t2_ms : SIP_T2_MS;
    s->timers.t4_ms = cfg->t4_ms ? cfg->t4_ms : SIP_T4_MS;
    s->max_trans = cfg->max_transactions ? cfg->max_transactions
                                         : STK_MAX_TRANSACTIONS;
    s->max_calls = cfg->max_dialogs ? cfg->max_dialogs : STK_MAX_DIALOGS;
    s->ignore_require = cfg->ignore_require;
    s->reply_by_via = cfg->reply_by_via;
    s->obey_retry_after = cfg->obey_retry_after;
    s->large_bytes = cfg->large_bytes;
    s->events.size = sizeof(struct sip_event);
    s->outs.size = sizeof(struct out_entry);
    list_init(&s->finished);
    pool_init(&s->pool, s->alloc);
    heap_init(&s->timers_due, s->alloc);
    idmap_init(&s->trans_ids, s->alloc, s->max_trans + 1); /* the pending */
    idmap_init(&s->call_ids, s->alloc, s->max_calls);
    s->max_subs = cfg->max_subscriptions ? cfg->max_subscriptions
                                         : STK_MAX_SUBS;
    idmap_init(&s->sub_ids, s->alloc, s->max_subs);
    s->next_cseq = (uint32_t)stk_random(s) & 0xffff;
    err = init_tables(s);
    if (!err)
        err = copy_texts(s, cfg);
    s->arena = err ? NULL : gb_get(s->alloc, STK_ARENA);
    if (!err && !s->arena)
        err = GB_ENOMEM;
    if (err) {
        sip_stack_free(s);
        return err;
    }
    *out = s;
    return 0;
}

static void free_objects(struct sip_stack *s)
{
    struct heap_node *n;
    struct map_walk w = { 0 };
    struct map_node *m;
    uint32_t pos = 0;
    struct trans *t;

    stk_forget_pending(s);
    while ((t = idmap_walk_next(&s->trans_ids, &pos)))
        stk_trans_free(s, t);
    while ((m = s->by_call_id.n ? map_walk_next(&s->by_call_id, &w) : NULL))
        stk_call_free(s, container_of(m, struct call, by_call_id));
    w = (struct map_walk){ 0 };
    while ((m = s->by_sub.n ? map_walk_next(&s->by_sub, &w) : NULL))
        stk_sub_free(s, container_of(m, struct sub, by_call_id));
    n = heap_first(&s->timers_due);
    assert(!n);
    (void)n;
}

void sip_stack_free(struct sip_stack *s)
{
    struct out_entry e;

    if (!s)
        return;
    free_objects(s);
    while (ring_pop(&s->outs, s->alloc, &e))
        blob_unref(s, &e.blob);
    blob_unref(s, &s->last_out);
    gb_put(s->alloc, s->outs.p);
    gb_put(s->alloc, s->events.p);
    stk_table_fini(s, &s->by_key);
    stk_table_fini(s, &s->by_merge);
    stk_done_fini(s);
    map_fini(&s->by_call);
    map_fini(&s->by_call_id);
    map_fini(&s->by_sub);
    map_fini(&s->conns);
    idmap_fini(&s->trans_ids);
    idmap_fini(&s->call_ids);
    idmap_fini(&s->sub_ids);
    heap_fini(&s->timers_due);
    pool_fini(&s->pool);
    gb_put(s->alloc, s->known);
    gb_put(s->alloc, s->scratch);
    gb_put(s->alloc, s->out);
    gb_put(s->alloc, s->arena);
    gb_put(s->alloc, s->texts);
    gb_put(s->alloc, s);
}
