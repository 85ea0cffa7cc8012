#include "app/trace/ring.h"

#include "app/trace/glance.h"
#include "base/prefetch.h"

#include <assert.h>

#define BUCKETS_PER_BLOCK 64 /* at most; a block has about 80 messages */
#define FOLD_WAYS 3          /* devices of a bucket whose keepalives are known */
#define STRANGERS_SHARE 8    /* one part in so many */
#define LANE_BIT 63
#define ROOM_AHEAD 512       /* bytes of the next record that are asked for early:
                                the rest is asked for by the processor itself */

enum { KNOWN, STRANGERS, LANES };

/* A position in a lane: number of the block from 1, and offset; 0: none. */
typedef uint64_t pos_t;

struct record {
    uint64_t seq;
    pos_t prev, prev_device, prev_call; /* older ones */
    pos_t answer;        /* of a keepalive: its 200 */
    uint64_t mono_ms;
    int64_t utc_ms, last_utc_ms;
    uint32_t count;
    uint32_t device_hash, call_hash;
    uint32_t last_call;  /* of a keepalive: Call-ID of the last one */
    uint32_t size;       /* of the record, a multiple of 8 */
    uint32_t len, n;     /* of the message; bytes kept */
    uint32_t cseq;
    struct gb_addr local, remote;
    uint16_t listener, status;
    uint16_t method_off, method_n, reason_off, reason_n, call_off, call_n,
        branch_off, branch_n; /* into bytes */
    uint8_t transport, dir, method;
    bool keepalive, refused;
    uint8_t device_n;
    char device[TRACE_ID_MAX];
    char bytes[];
};

struct block {
    uint32_t used;
    _Alignas(8) char bytes[TRACE_BLOCK];
};

/* The devices whose hash leads to one bucket. */
struct device_bucket {
    pos_t newest;
    pos_t keepalive[FOLD_WAYS];  /* the last one of a device, newest first */
    uint32_t whose[FOLD_WAYS];   /* hash of that device */
};

struct lane {
    struct block **block; /* n of them, NULL until needed */
    uint32_t n;
    uint64_t head;        /* number of the block that is filled; 0: none */
    pos_t newest;
    struct device_bucket *by_device;
    pos_t *by_call;             /* newest of each bucket */
    uint32_t n_buckets;         /* a power of two */
};

struct trace {
    struct trace_config cfg;
    struct slice id;
    uint64_t seq;
    struct lane lane[LANES];
    struct trace_listener listener[TRACE_LISTENERS];
    struct trace_counters counters;
};

_Static_assert(sizeof(struct record) + TRACE_MESSAGE_MAX + 8 <= TRACE_BLOCK,
               "the largest message fits into a block");

/* ---- life ---- */

static void lane_fini(struct lane *l, const struct gb_alloc *alloc)
{
    for (uint32_t i = 0; l->block && i < l->n; i++)
        gb_put(alloc, l->block[i]);
    gb_put(alloc, l->block);
    gb_put(alloc, l->by_device);
    gb_put(alloc, l->by_call);
}

static int lane_init(struct lane *l, size_t n, const struct gb_alloc *alloc)
{
    l->n = (uint32_t)n;
    l->n_buckets = 64;
    while (l->n_buckets * 2 <= l->n * BUCKETS_PER_BLOCK)
        l->n_buckets *= 2;
    l->block = gb_get(alloc, n * sizeof(*l->block));
    return l->block ? 0 : GB_ENOMEM;
}

int trace_new(struct trace **out, const struct trace_config *cfg)
{
    struct trace *t = gb_get(cfg->alloc, sizeof(*t));
    size_t bytes = cfg->memory_bytes, n, few;
    int err;

    if (!t)
        return GB_ENOMEM;
    t->cfg = *cfg;
    t->id = slice_str(cfg->id);
    if (bytes < TRACE_MEMORY_MIN)
        bytes = TRACE_MEMORY_MIN;
    n = bytes / (sizeof(struct block) +
                 BUCKETS_PER_BLOCK * (sizeof(struct device_bucket) +
                                      sizeof(pos_t)));
    few = n / STRANGERS_SHARE;
    err = lane_init(&t->lane[KNOWN], n - few, cfg->alloc);
    if (!err)
        err = lane_init(&t->lane[STRANGERS], few, cfg->alloc);
    if (err) {
        trace_free(t);
        return err;
    }
    *out = t;
    return 0;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < LANES; i++)
        lane_fini(&t->lane[i], t->cfg.alloc);
    gb_put(t->cfg.alloc, t);
}

/* ---- places ---- */

static struct record *at(const struct lane *l, pos_t pos)
{
    uint64_t number = pos >> 16;
    struct block *b;

    if (number == 0 || l->head - number >= l->n)
        return NULL;
    b = l->block[(number - 1) % l->n];
    return (struct record *)(void *)(b->bytes + (pos & 0xffff));
}

static bool buckets_make(struct trace *t, struct lane *l)
{
    size_t device_bytes = l->n_buckets * sizeof(*l->by_device);
    size_t call_bytes = l->n_buckets * sizeof(*l->by_call);

    if (!l->by_device)
        l->by_device = gb_get(t->cfg.alloc, device_bytes);
    if (!l->by_call)
        l->by_call = gb_get(t->cfg.alloc, call_bytes);
    if (!l->by_device || !l->by_call)
        return false;
    t->counters.memory += device_bytes + call_bytes;
    return true;
}

/* Goes on to the next block: a new one in the first round, then the oldest.
 * When there is no memory for a new one the ring stays as long as it is. */
static bool next_block(struct trace *t, struct lane *l)
{
    struct block **b = &l->block[l->head % l->n];

    if (l->head == 0 && !(l->by_device && l->by_call) && !buckets_make(t, l))
        return false;
    if (!*b) {
        *b = gb_get(t->cfg.alloc, sizeof(**b));
        if (*b) {
            t->counters.memory += sizeof(**b);
        } else {
            if (l->head == 0)
                return false;
            l->n = (uint32_t)l->head;
            b = &l->block[0];
        }
    }
    (*b)->used = 0;
    l->head++;
    return true;
}

static struct record *record_new(struct trace *t, struct lane *l, size_t n,
                                 pos_t *pos)
{
    uint32_t size = (uint32_t)((sizeof(struct record) + n + 7) & ~(size_t)7);
    struct block *b = l->head ? l->block[(l->head - 1) % l->n] : NULL;

    if (!b || b->used + size > TRACE_BLOCK) {
        if (!next_block(t, l))
            return NULL;
        b = l->block[(l->head - 1) % l->n];
    }
    *pos = l->head << 16 | b->used;
    b->used += size;
    if (b->used + ROOM_AHEAD <= TRACE_BLOCK) /* of the next one */
        prefetch_room(b->bytes + b->used, ROOM_AHEAD);
    return at(l, *pos);
}

/* ---- keys ---- */

static uint32_t hash(struct slice s)
{
    uint64_t h = s.n * UINT64_C(0x9e3779b97f4a7c15), v;

    for (; s.n >= 8; s = slice_from(s, 8)) {
        memcpy(&v, s.p, 8);
        h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    v = 0;
    if (s.n)
        memcpy(&v, s.p, s.n);
    h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(h >> 32);
}

/* The id of the other side. */
static struct slice party_of(const struct trace *t,
                             const struct trace_glance *g)
{
    struct slice id = g->from_user;

    if (slice_eq(id, t->id))
        id = slice_eq(g->to_user, t->id) ? slice_of(NULL, 0) : g->to_user;
    return slice_head(id, TRACE_ID_MAX);
}

static struct lane *lane_of(struct trace *t, const struct trace_glance *g,
                            struct slice *device)
{
    struct slice owner;

    *device = party_of(t, g);
    if (!t->cfg.owner)
        return &t->lane[KNOWN];
    if (device->n && t->cfg.owner(t->cfg.ctx, *device, &owner)) {
        *device = slice_head(owner, TRACE_ID_MAX);
        return &t->lane[KNOWN];
    }
    return &t->lane[STRANGERS];
}

/* ---- putting ---- */

static struct device_bucket *device_bucket(const struct lane *l,
                                           uint32_t device_hash)
{
    return &l->by_device[device_hash & (l->n_buckets - 1)];
}

static pos_t *call_bucket(const struct lane *l, uint32_t call_hash)
{
    return &l->by_call[call_hash & (l->n_buckets - 1)];
}

/* The last keepalive of a device, if it is still there. */
static struct record *keepalive_of(const struct lane *l, struct slice device,
                                   uint32_t device_hash)
{
    const struct device_bucket *b;
    struct record *r;

    if (!l->by_device)
        return NULL;
    b = device_bucket(l, device_hash);
    for (size_t i = 0; i < FOLD_WAYS; i++) {
        if (b->whose[i] != device_hash)
            continue;
        r = at(l, b->keepalive[i]);
        if (r && slice_eq(slice_of(r->device, r->device_n), device))
            return r;
    }
    return NULL;
}

/* It goes to the front; the oldest of other devices makes room. */
static void keepalive_is(struct device_bucket *b, uint32_t device_hash,
                         pos_t pos)
{
    size_t i = 0;

    while (i < FOLD_WAYS - 1 && b->whose[i] != device_hash)
        i++;
    for (; i > 0; i--) {
        b->keepalive[i] = b->keepalive[i - 1];
        b->whose[i] = b->whose[i - 1];
    }
    b->keepalive[0] = pos;
    b->whose[0] = device_hash;
}

static void count_up(struct trace *t, struct record *r, struct gb_time now)
{
    r->count++;
    r->last_utc_ms = now.utc_ms;
    t->counters.folded++;
}

/* Another keepalive from the same place, the one before was not refused. */
static bool fold_keepalive(struct trace *t, struct record *k,
                           const struct sip_peer *peer, uint32_t call_hash,
                           struct gb_time now)
{
    if (!k || k->refused || k->transport != peer->transport ||
        !gb_addr_eq(&k->remote, &peer->remote))
        return false;
    k->last_call = call_hash;
    count_up(t, k, now);
    return true;
}

/* The answer to a keepalive that was folded; *k becomes NULL when this answer
 * belongs to another message. */
static bool fold_answer(struct trace *t, struct lane *l, struct record **k,
                        const struct trace_glance *g, uint32_t call_hash,
                        struct gb_time now)
{
    struct record *answer;

    if (!*k || (*k)->last_call != call_hash) {
        *k = NULL;
        return false;
    }
    if (g->status != 200) {
        (*k)->refused |= g->status > 200;
        *k = NULL;
        return false;
    }
    answer = at(l, (*k)->answer);
    if (!answer || (*k)->count == 1)
        return false;
    count_up(t, answer, now);
    return true;
}

static void put_span(uint16_t *off, uint16_t *n, struct slice part,
                     struct slice all)
{
    size_t o = part.n ? (size_t)(part.p - all.p) : 0;

    if (part.n == 0 || o + part.n > TRACE_MESSAGE_MAX)
        o = part.n = 0;
    *off = (uint16_t)o;
    *n = (uint16_t)part.n;
}

/* All that is not set yet: the memory may have been used before. */
static void record_fill(struct record *r, const struct trace_glance *g,
                        const struct sip_peer *peer, struct slice device,
                        struct slice bytes)
{
    r->answer = 0;
    r->refused = false;
    r->local = peer->local;
    r->remote = peer->remote;
    r->transport = peer->transport;
    r->listener = peer->listener;
    r->status = (uint16_t)g->status;
    r->method = (uint8_t)g->method;
    r->cseq = g->cseq;
    r->device_n = (uint8_t)device.n;
    if (device.n)
        memcpy(r->device, device.p, device.n);
    r->len = (uint32_t)bytes.n;
    bytes = slice_head(bytes, TRACE_MESSAGE_MAX);
    r->n = (uint32_t)bytes.n;
    if (bytes.n)
        memcpy(r->bytes, bytes.p, bytes.n);
    put_span(&r->method_off, &r->method_n, g->method_name, bytes);
    put_span(&r->reason_off, &r->reason_n, g->reason, bytes);
    put_span(&r->call_off, &r->call_n, g->call_id, bytes);
    put_span(&r->branch_off, &r->branch_n, g->branch, bytes);
}

static void chain(struct lane *l, struct record *r, pos_t pos)
{
    struct device_bucket *device = device_bucket(l, r->device_hash);
    pos_t *call = call_bucket(l, r->call_hash);

    r->prev = l->newest;
    r->prev_device = device->newest;
    r->prev_call = *call;
    l->newest = device->newest = *call = pos;
    if (r->keepalive)
        keepalive_is(device, r->device_hash, pos);
}

static void listener_saw(struct trace *t, const struct sip_peer *peer,
                         struct gb_time now)
{
    struct trace_listener *l;

    if (peer->listener >= TRACE_LISTENERS)
        return;
    l = &t->listener[peer->listener];
    l->received++;
    l->last_utc_ms = now.utc_ms;
    l->last_from = peer->remote;
}

/* Keeps what g is the glance of. */
static void put(struct trace *t, enum trace_dir dir,
                const struct sip_peer *peer, struct slice bytes,
                const struct trace_glance *g, struct gb_time now)
{
    struct record *r, *k = NULL;
    uint32_t device_hash, call_hash;
    struct slice device;
    struct lane *l;
    bool keepalive;
    pos_t pos;

    l = lane_of(t, g, &device);
    device_hash = hash(device);
    call_hash = hash(g->call_id);
    if (l->head) { /* chain() will want them */
        prefetch(device_bucket(l, device_hash));
        prefetch(call_bucket(l, call_hash));
    }
    keepalive = dir == TRACE_IN && trace_is_keepalive(g, bytes);
    if (keepalive || (dir == TRACE_OUT && g->status &&
                      g->method == SIP_METHOD_MESSAGE))
        k = keepalive_of(l, device, device_hash);
    if (keepalive && fold_keepalive(t, k, peer, call_hash, now))
        return;
    if (!keepalive && fold_answer(t, l, &k, g, call_hash, now))
        return;
    r = record_new(t, l, bytes.n < TRACE_MESSAGE_MAX ? bytes.n
                                                     : TRACE_MESSAGE_MAX, &pos);
    if (!r) {
        t->counters.dropped++;
        return;
    }
    r->seq = ++t->seq;
    r->mono_ms = now.mono_ms;
    r->utc_ms = r->last_utc_ms = now.utc_ms;
    r->count = 1;
    r->device_hash = device_hash;
    r->call_hash = r->last_call = call_hash;
    r->dir = (uint8_t)dir;
    r->keepalive = keepalive;
    record_fill(r, g, peer, device, bytes);
    chain(l, r, pos);
    if (k && !keepalive)
        k->answer = pos;
}

void trace_put(struct trace *t, enum trace_dir dir,
               const struct sip_peer *peer, struct slice bytes,
               struct gb_time now)
{
    struct trace_glance g;

    t->counters.messages++;
    if (dir == TRACE_IN)
        listener_saw(t, peer, now);
    if (bytes.n < SIP_MIN_MESSAGE)
        return; /* a keep-alive */
    trace_glance(&g, bytes);
    put(t, dir, peer, bytes, &g, now);
}

void trace_ahead(const struct trace *t, const struct sip_msg *m)
{
    const struct lane *l = &t->lane[KNOWN]; /* mostly */

    if (!l->head)
        return;
    prefetch(device_bucket(l, hash(slice_head(m->from.uri.user,
                                              TRACE_ID_MAX))));
    prefetch(call_bucket(l, hash(m->call_id)));
}

void trace_put_read(struct trace *t, const struct sip_peer *peer,
                    const struct sip_msg *m, struct gb_time now)
{
    struct trace_glance g;

    t->counters.messages++;
    listener_saw(t, peer, now);
    trace_glance_of(&g, m);
    put(t, TRACE_IN, peer, m->bytes, &g, now);
}

void trace_bad(struct trace *t, const struct sip_peer *peer, const char *why,
               struct gb_time now)
{
    struct trace_listener *l;

    if (peer->listener >= TRACE_LISTENERS)
        return;
    l = &t->listener[peer->listener];
    l->bad++;
    l->bad_utc_ms = now.utc_ms;
    l->bad_from = peer->remote;
    l->bad_why = why;
}

/* ---- finding ---- */

/* One lane, newest first, by the chain that a query can use. */
struct walk {
    const struct lane *lane;
    const struct trace_query *q;
    uint32_t device_hash, call_hash;
    pos_t pos, next;
    const struct record *r; /* at pos; NULL: the end */
};

static bool fits(const struct walk *w, const struct record *r)
{
    const struct trace_query *q = w->q;

    if (q->device.n &&
        !slice_eq(q->device, slice_of(r->device, r->device_n)))
        return false;
    if (q->call_id.n && !slice_eq(q->call_id, slice_of(r->bytes + r->call_off,
                                                       r->call_n)))
        return false;
    return r->last_utc_ms >= q->since_utc_ms;
}

static void walk_next(struct walk *w)
{
    for (;;) {
        w->pos = w->next;
        w->r = at(w->lane, w->pos);
        if (!w->r || w->r->seq <= w->q->after) {
            w->r = NULL;
            return;
        }
        w->next = w->q->call_id.n  ? w->r->prev_call
                  : w->q->device.n ? w->r->prev_device
                                   : w->r->prev;
        if (fits(w, w->r))
            return;
    }
}

static void walk_begin(struct walk *w, const struct lane *l,
                       const struct trace_query *q)
{
    *w = (struct walk){ .lane = l, .q = q };
    if (l->newest == 0)
        return;
    w->next = q->call_id.n  ? *call_bucket(l, hash(q->call_id))
              : q->device.n ? device_bucket(l, hash(q->device))->newest
                            : l->newest;
    walk_next(w);
}

/* Both lanes as one, newest first. 0: the end. */
static uint64_t both_next(struct walk w[LANES])
{
    unsigned i = w[KNOWN].r && (!w[STRANGERS].r ||
                                w[KNOWN].r->seq > w[STRANGERS].r->seq)
                     ? KNOWN : STRANGERS;
    uint64_t pos;

    if (!w[i].r)
        return 0;
    pos = w[i].pos | (uint64_t)i << LANE_BIT;
    walk_next(&w[i]);
    return pos;
}

static void both_begin(const struct trace *t, const struct trace_query *q,
                       struct walk w[LANES])
{
    for (unsigned i = 0; i < LANES; i++)
        walk_begin(&w[i], &t->lane[i], q);
}

size_t trace_find(const struct trace *t, const struct trace_query *q,
                  uint64_t *pos, size_t cap, size_t *total)
{
    struct walk w[LANES];
    size_t all = 0, n, skip;

    both_begin(t, q, w);
    while ((!q->oldest && !total ? all < cap : true) && both_next(w))
        all++;
    n = all < cap ? all : cap;
    skip = q->oldest ? all - n : 0;
    both_begin(t, q, w);
    for (size_t i = 0; i < skip; i++)
        both_next(w);
    for (size_t i = n; i-- > 0;)
        pos[i] = both_next(w);
    if (total)
        *total = all;
    return n;
}

bool trace_get(const struct trace *t, uint64_t pos, struct trace_item *out)
{
    const struct lane *l = &t->lane[pos >> LANE_BIT];
    const struct record *r = at(l, pos & ~(UINT64_C(1) << LANE_BIT));

    if (!r)
        return false;
    *out = (struct trace_item){
        .seq = r->seq,
        .time = { r->mono_ms, r->utc_ms },
        .last_utc_ms = r->last_utc_ms,
        .count = r->count,
        .dir = (enum trace_dir)r->dir,
        .peer = { .transport = r->transport,
                  .listener = r->listener,
                  .local = r->local,
                  .remote = r->remote },
        .known = l == &t->lane[KNOWN],
        .device = slice_of(r->device, r->device_n),
        .method = slice_of(r->bytes + r->method_off, r->method_n),
        .status = r->status,
        .reason = slice_of(r->bytes + r->reason_off, r->reason_n),
        .call_id = slice_of(r->bytes + r->call_off, r->call_n),
        .branch = slice_of(r->bytes + r->branch_off, r->branch_n),
        .cseq = r->cseq,
        .bytes = slice_of(r->bytes, r->n),
        .len = r->len,
    };
    return true;
}

uint64_t trace_last(const struct trace *t)
{
    return t->seq;
}

const struct trace_listener *trace_listener(const struct trace *t, size_t i)
{
    return i < TRACE_LISTENERS ? &t->listener[i] : NULL;
}

void trace_counters(const struct trace *t, struct trace_counters *out)
{
    *out = t->counters;
}
