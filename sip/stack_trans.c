/* Transactions of the stack: their keys, their table, their memory. */
#include "sip/stack_impl.h"

#include <assert.h>

/* ---- bytes ------------------------------------------------------------- */

static struct blob *blob_new(struct sip_stack *s, size_t n)
{
    struct blob *b = pool_get(&s->pool, sizeof(*b) + n);

    if (b)
        *b = (struct blob){ .refs = 1, .n = (uint32_t)n };
    return b;
}

struct blob *blob_of(struct sip_stack *s, struct slice a, struct slice b)
{
    struct blob *out = blob_new(s, a.n + b.n);

    if (!out)
        return NULL;
    if (a.n)
        memcpy(out->p, a.p, a.n);
    if (b.n)
        memcpy(out->p + a.n, b.p, b.n);
    return out;
}

struct blob *blob_ref(struct blob *b)
{
    b->refs++;
    return b;
}

void blob_unref(struct sip_stack *s, struct blob **b)
{
    if (*b && --(*b)->refs == 0)
        pool_put(&s->pool, *b, sizeof(**b) + (*b)->n);
    *b = NULL;
}

static int grow_scratch(struct sip_stack *s)
{
    size_t n = s->scratch_n ? s->scratch_n * 2 : STK_FIRST_SCRATCH;
    char *p;

    if (s->scratch_n >= STK_MAX_MESSAGE)
        return GB_ELIMIT;
    p = gb_get(s->alloc, n);
    if (!p)
        return GB_ENOMEM;
    gb_put(s->alloc, s->scratch);
    s->scratch = p;
    s->scratch_n = n;
    return 0;
}

struct blob *stk_write(struct sip_stack *s, stk_write_fn *write,
                       const void *parts, int *err)
{
    struct blob *b;

    for (;;) {
        struct writer w = writer_of(s->scratch, s->scratch_n);

        *err = s->scratch ? write(&w, parts) : GB_ENOMEM;
        if (!*err) {
            b = blob_of(s, writer_slice(&w), (struct slice){ NULL, 0 });
            *err = b ? 0 : GB_ENOMEM;
            return b;
        }
        if (*err != GB_ENOMEM)
            return NULL;
        *err = grow_scratch(s);
        if (*err)
            return NULL;
    }
}

/* ---- keys -------------------------------------------------------------- */

void key_start(struct stk_key *k, const char *kind)
{
    *k = (struct stk_key){ { (uint64_t)kind[0], (uint64_t)kind[1] } };
}

/* Each part is hashed under what came before it, so parts cannot flow into
 * one another. */
void key_add(const struct sip_stack *s, struct stk_key *k, struct slice part)
{
    uint64_t seed[2] = { s->key_seed[0] ^ k->h[0], s->key_seed[1] ^ k->h[1] };

    k->h[0] = map_hash(seed, part);
    seed[0] = ~seed[0];
    k->h[1] = map_hash(seed, part);
}

void key_add_num(const struct sip_stack *s, struct stk_key *k, uint64_t n)
{
    char b[8];

    for (unsigned i = 0; i < 8; i++)
        b[i] = (char)(n >> (8 * i));
    key_add(s, k, slice_of(b, sizeof(b)));
}

static void key_add_lower(const struct sip_stack *s, struct stk_key *k,
                          struct slice part)
{
    char b[64];
    size_t n;

    do {
        n = part.n < sizeof(b) ? part.n : sizeof(b);
        for (size_t i = 0; i < n; i++)
            b[i] = ascii_lower(part.p[i]);
        key_add(s, k, slice_of(b, n));
        part = slice_from(part, n);
    } while (part.n);
}

uint64_t stk_tag_hash(const struct sip_stack *s, struct slice tag)
{
    return map_hash(s->key_seed, tag);
}

/* Call-ID and CSeq are in the key too: some devices use one branch for ever
 * (GB/T 28181 practice). A branch without the cookie names nothing; then the
 * tuple of RFC 2543 does, without the To tag for INVITE, because its ACK has
 * another one. */
void stk_server_key(const struct sip_stack *s, struct stk_key *k,
                    const struct sip_msg *m, enum sip_method method)
{
    bool tls = slice_ieq(m->via.transport, SLICE("TLS"));

    if (sip_via_has_cookie(&m->via)) {
        key_start(k, "S3");
        key_add(s, k, slice_from(m->via.branch, sizeof(SIP_COOKIE) - 1));
        key_add_lower(s, k, m->via.host);
        key_add_num(s, k, m->via.port ? m->via.port : tls ? 5061 : 5060);
    } else {
        key_start(k, "S2");
        key_add(s, k, m->uri.text);
        key_add(s, k, m->from.tag);
        key_add(s, k, m->via.text);
        if (method != SIP_METHOD_INVITE)
            key_add(s, k, m->to.tag);
    }
    key_add(s, k, m->call_id);
    key_add_num(s, k, m->cseq.number);
    if (method != SIP_METHOD_OTHER)
        key_add(s, k, sip_method_name(method));
    else
        key_add(s, k, m->method_name);
}

void stk_branch_key(const struct sip_stack *s, struct stk_key *k,
                    struct slice branch, struct slice method)
{
    key_start(k, "CB");
    key_add(s, k, branch);
    key_add(s, k, method);
}

void stk_call_key(const struct sip_stack *s, struct stk_key *k,
                  struct slice call_id, uint32_t cseq, struct slice method)
{
    key_start(k, "CC");
    key_add(s, k, call_id);
    key_add_num(s, k, cseq);
    key_add(s, k, method);
}

static struct slice key_slice(const struct stk_key *k)
{
    return slice_of((const char *)k->h, sizeof(k->h));
}

/* ---- the table --------------------------------------------------------- */

struct trans *stk_trans_find(const struct sip_stack *s, uint64_t id)
{
    return idmap_find(&s->trans_ids, id);
}

struct trans *stk_trans_by_key(const struct sip_stack *s,
                               const struct stk_key *k)
{
    struct map_node *n = map_find(&s->by_key, key_slice(k));

    return n ? container_of(n, struct trans, by_key) : NULL;
}

struct ctrans *stk_trans_by_call(const struct sip_stack *s,
                                 const struct stk_key *k)
{
    struct map_node *n = map_find(&s->by_call, key_slice(k));

    return n ? container_of(n, struct ctrans, by_call) : NULL;
}

void stk_trans_index_call(struct sip_stack *s, struct ctrans *c,
                          const struct stk_key *k)
{
    c->call_key = *k;
    map_insert(&s->by_call, &c->by_call, key_slice(&c->call_key));
}

static struct slice conn_key(const uint64_t *id)
{
    return slice_of((const char *)id, sizeof(*id));
}

static struct conn *conn_get(struct sip_stack *s, uint64_t id)
{
    struct map_node *n = map_find(&s->conns, conn_key(&id));
    struct conn *c;

    if (n)
        return container_of(n, struct conn, by_id);
    c = pool_get(&s->pool, sizeof(*c));
    if (!c)
        return NULL;
    *c = (struct conn){ .id = id };
    list_init(&c->trans);
    map_insert(&s->conns, &c->by_id, conn_key(&c->id));
    return c;
}

static void conn_leave(struct sip_stack *s, struct trans *t)
{
    struct map_node *n;
    struct conn *c;

    list_remove(&t->on_conn);
    if (t->peer.transport == SIP_UDP)
        return;
    n = map_find(&s->conns, conn_key(&t->peer.connection));
    c = n ? container_of(n, struct conn, by_id) : NULL;
    if (c && list_is_empty(&c->trans)) {
        map_remove(&s->conns, &c->by_id);
        pool_put(&s->pool, c, sizeof(*c));
    }
}

static size_t trans_size(enum sip_trans_kind kind)
{
    return kind == SIP_ICT || kind == SIP_NICT ? sizeof(struct ctrans)
                                               : sizeof(struct trans);
}

static int make_room(struct sip_stack *s)
{
    if (s->trans_ids.n >= s->max_trans) {
        if (list_is_empty(&s->finished))
            return GB_ELIMIT;
        stk_trans_free(s, container_of(s->finished.next, struct trans,
                                       finished));
    }
    return heap_reserve(&s->timers_due, s->trans_ids.n + s->n_calls + 1);
}

int stk_trans_new(struct sip_stack *s, struct trans **out,
                  enum sip_trans_kind kind, const struct stk_key *key,
                  const struct sip_peer *peer)
{
    int err = make_room(s);
    struct conn *conn = NULL;
    struct trans *t;

    if (err)
        return err;
    t = pool_get(&s->pool, trans_size(kind));
    if (!t)
        return GB_ENOMEM;
    memset(t, 0, trans_size(kind));
    t->m.kind = (uint8_t)kind;
    t->peer = *peer;
    t->key = *key;
    t->timer.tag = STK_TRANS;
    list_init(&t->finished);
    list_init(&t->on_conn);
    err = idmap_add(&s->trans_ids, t, &t->id);
    if (!err && peer->transport != SIP_UDP) {
        conn = conn_get(s, peer->connection);
        err = conn ? 0 : GB_ENOMEM;
    }
    if (err) {
        idmap_remove(&s->trans_ids, t->id);
        pool_put(&s->pool, t, trans_size(kind));
        return err;
    }
    if (conn)
        list_push_back(&conn->trans, &t->on_conn);
    map_insert(&s->by_key, &t->by_key, key_slice(&t->key));
    if (is_client(t))
        client(t)->give_up_ms = GB_NEVER;
    *out = t;
    return 0;
}

void stk_trans_free(struct sip_stack *s, struct trans *t)
{
    if (is_client(t) && client(t)->by_call.key.n)
        map_remove(&s->by_call, &client(t)->by_call);
    map_remove(&s->by_key, &t->by_key);
    heap_remove(&s->timers_due, &t->timer);
    list_remove(&t->finished);
    conn_leave(s, t);
    idmap_remove(&s->trans_ids, t->id);
    blob_unref(s, &t->out);
    blob_unref(s, &t->echo);
    pool_put(&s->pool, t, trans_size(t->m.kind));
}

/* What a finished transaction needs no more goes back at once. */
static void slim(struct sip_stack *s, struct trans *t)
{
    blob_unref(s, &t->echo);
    switch ((enum sip_trans_kind)t->m.kind) {
    case SIP_ICT: /* its ACK is made from the INVITE */
    case SIP_NIST:
        break;
    case SIP_NICT:
        blob_unref(s, &t->out);
        break;
    case SIP_IST:
        if (t->m.state != SIP_TS_COMPLETED)
            blob_unref(s, &t->out);
        break;
    case SIP_TRANS_KINDS:
        assert(false);
        break;
    }
}

void stk_trans_settle(struct sip_stack *s, struct trans *t)
{
    uint64_t at_ms = sip_trans_deadline(&t->m);

    if (t->m.state == SIP_TS_ENDED) {
        stk_trans_free(s, t);
        return;
    }
    if (is_client(t) && client(t)->give_up_ms < at_ms)
        at_ms = client(t)->give_up_ms;
    heap_set(&s->timers_due, &t->timer, t->broken ? 0 : at_ms);
    if (sip_trans_is_finished(&t->m)) {
        slim(s, t);
        if (list_is_empty(&t->finished))
            list_push_back(&s->finished, &t->finished);
    }
}
