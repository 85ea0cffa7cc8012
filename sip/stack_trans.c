/* Transactions of the stack: their keys, their table, their memory. */
#include "sip/stack_impl.h"

#include "base/siphash.h"

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

static void shrink_scratch(struct sip_stack *s)
{
    if (s->scratch_n <= STK_KEEP_SCRATCH)
        return;
    gb_put(s->alloc, s->scratch);
    s->scratch = NULL;
    s->scratch_n = 0;
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
            shrink_scratch(s);
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

void key_start(struct stk_text *t, const char *kind)
{
    t->k = (struct stk_key){ { (uint64_t)kind[0], (uint64_t)kind[1] } };
    t->n = 0;
}

static void fold(const struct sip_stack *s, struct stk_text *t,
                 struct slice text)
{
    uint64_t seed[2] = { s->key_seed[0] ^ t->k.h[0],
                         s->key_seed[1] ^ t->k.h[1] };

    siphash_128(seed, text, 1, 3, t->k.h);
}

void key_end(const struct sip_stack *s, struct stk_text *t, struct stk_key *k)
{
    fold(s, t, slice_of(t->p, t->n));
    *k = t->k;
}

/* Room for n bytes; NULL: they are too many for any. */
static char *key_room(const struct sip_stack *s, struct stk_text *t, size_t n)
{
    char *p;

    if (n > sizeof(t->p) - t->n) {
        fold(s, t, slice_of(t->p, t->n));
        t->n = 0;
    }
    if (n > sizeof(t->p))
        return NULL;
    p = t->p + t->n;
    t->n += n;
    return p;
}

/* Numbers as this machine has them: keys never leave it. */
static void key_add_len(const struct sip_stack *s, struct stk_text *t, size_t n)
{
    uint32_t v = (uint32_t)n;

    memcpy(key_room(s, t, sizeof(v)), &v, sizeof(v));
}

void key_add(const struct sip_stack *s, struct stk_text *t, struct slice part)
{
    char *p;

    key_add_len(s, t, part.n);
    p = key_room(s, t, part.n);
    if (!p)
        fold(s, t, part);
    else if (part.n)
        memcpy(p, part.p, part.n);
}

void key_add_num(const struct sip_stack *s, struct stk_text *t, uint64_t n)
{
    memcpy(key_room(s, t, sizeof(n)), &n, sizeof(n));
}

static void key_add_lower(const struct sip_stack *s, struct stk_text *t,
                          struct slice part)
{
    key_add_len(s, t, part.n);
    while (part.n) {
        size_t n = part.n < 64 ? part.n : 64;
        char *p = key_room(s, t, n);

        for (size_t i = 0; i < n; i++)
            p[i] = ascii_lower(part.p[i]);
        part = slice_from(part, n);
    }
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
    struct stk_text t;

    if (sip_via_has_cookie(&m->via)) {
        key_start(&t, "S3");
        key_add(s, &t, slice_from(m->via.branch, sizeof(SIP_COOKIE) - 1));
        key_add_lower(s, &t, m->via.host);
        key_add_num(s, &t, m->via.port ? m->via.port : tls ? 5061 : 5060);
    } else {
        key_start(&t, "S2");
        key_add(s, &t, m->uri.text);
        key_add(s, &t, m->from.tag);
        key_add(s, &t, m->via.text);
        if (method != SIP_METHOD_INVITE)
            key_add(s, &t, m->to.tag);
    }
    key_add(s, &t, m->call_id);
    key_add_num(s, &t, (uint64_t)method << 32 | m->cseq.number);
    if (method == SIP_METHOD_OTHER)
        key_add(s, &t, m->method_name);
    key_end(s, &t, k);
}

void stk_merge_key(const struct sip_stack *s, struct stk_key *k,
                   const struct sip_msg *m)
{
    struct stk_text t;

    key_start(&t, "SM");
    key_add(s, &t, m->from.tag);
    key_add(s, &t, m->call_id);
    key_add_num(s, &t, (uint64_t)m->method << 32 | m->cseq.number);
    key_end(s, &t, k);
}

void stk_branch_key(const struct sip_stack *s, struct stk_key *k,
                    struct slice branch, struct slice method)
{
    struct stk_text t;

    key_start(&t, "CB");
    key_add(s, &t, branch);
    key_add(s, &t, method);
    key_end(s, &t, k);
}

void stk_call_key(const struct sip_stack *s, struct stk_key *k,
                  struct slice call_id, uint32_t cseq, struct slice method)
{
    struct stk_text t;

    key_start(&t, "CC");
    key_add(s, &t, call_id);
    key_add_num(s, &t, cseq);
    key_add(s, &t, method);
    key_end(s, &t, k);
}

/* ---- tables by key ----------------------------------------------------- */

#define TABLE_MIN 16

static struct stk_node **bucket_of(const struct stk_table *t,
                                   const struct stk_key *k)
{
    return &t->bucket[k->h[0] & (t->n_buckets - 1)];
}

static struct stk_node *table_find(const struct stk_table *t,
                                   const struct stk_key *k)
{
    struct stk_node *n = t->n ? *bucket_of(t, k) : NULL;

    while (n && (n->key.h[0] != k->h[0] || n->key.h[1] != k->h[1]))
        n = n->next;
    return n;
}

static void table_grow(struct sip_stack *s, struct stk_table *t)
{
    struct stk_table wide = {
        .n_buckets = t->n_buckets ? t->n_buckets * 2 : TABLE_MIN, .n = t->n
    };

    wide.bucket = gb_get(s->alloc, wide.n_buckets * sizeof(*wide.bucket));
    if (!wide.bucket)
        return;
    for (size_t i = 0; i < t->n_buckets; i++) {
        while (t->bucket[i]) {
            struct stk_node *n = t->bucket[i], **b = bucket_of(&wide, &n->key);

            t->bucket[i] = n->next;
            n->next = *b;
            *b = n;
        }
    }
    gb_put(s->alloc, t->bucket);
    *t = wide;
}

/* 0, or GB_ENOMEM: there is no table yet. */
static int table_room(struct sip_stack *s, struct stk_table *t)
{
    if (t->n >= t->n_buckets)
        table_grow(s, t);
    return t->n_buckets ? 0 : GB_ENOMEM;
}

/* Room was made. Of equal keys the newest is found. */
static void table_insert(struct stk_table *t, struct stk_node *n,
                         const struct stk_key *k)
{
    struct stk_node **b = bucket_of(t, k);

    n->key = *k;
    n->next = *b;
    *b = n;
    t->n++;
}

static void table_remove(struct stk_table *t, struct stk_node *n)
{
    struct stk_node **at = bucket_of(t, &n->key);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->n--;
}

void stk_table_fini(struct sip_stack *s, struct stk_table *t)
{
    gb_put(s->alloc, t->bucket);
    *t = (struct stk_table){ 0 };
}

/* ---- the table --------------------------------------------------------- */

struct trans *stk_trans_find(const struct sip_stack *s, uint64_t id)
{
    return idmap_find(&s->trans_ids, id);
}

struct trans *stk_trans_by_key(const struct sip_stack *s,
                               const struct stk_key *k)
{
    struct stk_node *n = table_find(&s->by_key, k);

    return n ? container_of(n, struct trans, by_key) : NULL;
}

/* Only requests that wait for their answer are in the table: mostly none. */
struct trans *stk_trans_merged(const struct sip_stack *s,
                               const struct sip_msg *m)
{
    struct stk_node *n;
    struct stk_key k;

    if (!s->by_merge.n)
        return NULL;
    stk_merge_key(s, &k, m);
    n = table_find(&s->by_merge, &k);
    return n ? container_of(n, struct trans, by_merge) : NULL;
}

void stk_trans_list(struct sip_stack *s, struct trans *t,
                    const struct sip_msg *m)
{
    struct stk_key k;

    if (table_room(s, &s->by_merge))
        return; /* a merged request is taken for a new one: no harm */
    stk_merge_key(s, &k, m);
    table_insert(&s->by_merge, &t->by_merge, &k);
    t->listed = true;
}

static void unlist(struct sip_stack *s, struct trans *t)
{
    if (t->listed)
        table_remove(&s->by_merge, &t->by_merge);
    t->listed = false;
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

struct list *stk_conn_trans(const struct sip_stack *s, uint64_t connection)
{
    struct map_node *n = map_find(&s->conns, conn_key(&connection));

    return n ? &container_of(n, struct conn, by_id)->trans : NULL;
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

int stk_trans_move(struct sip_stack *s, struct trans *t,
                   const struct sip_peer *peer)
{
    struct conn *conn = NULL;

    if (peer->transport != SIP_UDP) {
        conn = conn_get(s, peer->connection);
        if (!conn)
            return GB_ENOMEM;
    }
    conn_leave(s, t);
    t->peer = *peer;
    if (conn)
        list_push_back(&conn->trans, &t->on_conn);
    return 0;
}

static size_t trans_size(enum sip_trans_kind kind)
{
    return kind == SIP_ICT || kind == SIP_NICT ? sizeof(struct ctrans)
                                               : sizeof(struct trans);
}

static size_t n_alive(const struct sip_stack *s)
{
    return s->trans_ids.n - s->pend.on + s->dones.n;
}

bool stk_trans_room(struct sip_stack *s)
{
    return n_alive(s) < s->max_trans || stk_done_pop(s);
}

/* The pending request has a slot, but does not count. */
static int make_room(struct sip_stack *s)
{
    if (!stk_trans_room(s)) {
        if (list_is_empty(&s->finished))
            return GB_ELIMIT;
        stk_trans_free(s, container_of(s->finished.next, struct trans,
                                       finished));
    }
    return heap_reserve(&s->timers_due,
                        s->trans_ids.n + s->n_calls + s->n_subs + 1);
}

/* Puts t into the tables; it has its id. */
static int enlist(struct sip_stack *s, struct trans *t,
                  const struct stk_key *key)
{
    struct conn *conn = NULL;

    if (table_room(s, &s->by_key))
        return GB_ENOMEM;
    if (t->peer.transport != SIP_UDP) {
        conn = conn_get(s, t->peer.connection);
        if (!conn)
            return GB_ENOMEM;
    }
    t->timer.tag = STK_TRANS;
    list_init(&t->finished);
    list_init(&t->on_conn);
    if (conn)
        list_push_back(&conn->trans, &t->on_conn);
    table_insert(&s->by_key, &t->by_key, key);
    return 0;
}

int stk_trans_new(struct sip_stack *s, struct trans **out,
                  enum sip_trans_kind kind, const struct stk_key *key,
                  const struct sip_peer *peer)
{
    int err = make_room(s);
    struct trans *t;

    if (err)
        return err;
    t = pool_get(&s->pool, trans_size(kind));
    if (!t)
        return GB_ENOMEM;
    memset(t, 0, trans_size(kind));
    t->m.kind = (uint8_t)kind;
    t->peer = *peer;
    err = idmap_add(&s->trans_ids, t, &t->id);
    if (!err)
        err = enlist(s, t, key);
    if (err) {
        idmap_remove(&s->trans_ids, t->id);
        pool_put(&s->pool, t, trans_size(kind));
        return err;
    }
    if (is_client(t))
        client(t)->give_up_ms = GB_NEVER;
    *out = t;
    return 0;
}

int stk_trans_adopt(struct sip_stack *s, struct trans **out,
                    const struct trans *from)
{
    int err = make_room(s);
    struct trans *t;

    if (err)
        return err;
    t = pool_get(&s->pool, sizeof(*t));
    if (!t)
        return GB_ENOMEM;
    *t = *from;
    err = enlist(s, t, &from->by_key.key);
    if (err) {
        pool_put(&s->pool, t, sizeof(*t));
        return err;
    }
    idmap_replace(&s->trans_ids, t->id, t);
    *out = t;
    return 0;
}

void stk_trans_free(struct sip_stack *s, struct trans *t)
{
    if (is_client(t) && client(t)->by_call.key_len)
        map_remove(&s->by_call, &client(t)->by_call);
    table_remove(&s->by_key, &t->by_key);
    unlist(s, t);
    heap_remove(&s->timers_due, &t->timer);
    list_remove(&t->finished);
    conn_leave(s, t);
    idmap_remove(&s->trans_ids, t->id);
    blob_unref(s, &t->out);
    blob_unref(s, &t->echo);
    if (is_client(t))
        stk_drop_secret(s, client(t));
    pool_put(&s->pool, t, trans_size(t->m.kind));
}

/* What a finished transaction needs no more goes back at once. */
static void slim(struct sip_stack *s, struct trans *t)
{
    blob_unref(s, &t->echo);
    unlist(s, t);
    switch ((enum sip_trans_kind)t->m.kind) {
    case SIP_ICT: /* its ACK is made from the INVITE */
        break;
    case SIP_NICT:
    case SIP_NIST: /* finished, it lives on as a struct done */
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
