#include "app/recording.h"

#include "app/net/random.h"
#include "app/trace/capture.h"
#include "base/list.h"
#include "base/writer.h"
#include "sip/frame.h"

#include <stdlib.h>

#define DEFAULT_ID "34020000002000000001"

#define WAY (2 * (1 + sizeof(((struct gb_addr *)0)->ip) + 2))

/* One direction of a TCP connection. */
struct recording_stream {
    struct recording_stream *next;
    struct map_node node; /* by its two addresses */
    char way[WAY];
    uint64_t connection;
    uint32_t seq;
    bool begun;
    struct sip_frame frame;
    char *buf;
    size_t len, cap;
};

static struct recorded *recorded_new(struct recording *r)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 256;
        struct recorded *m = realloc(r->m, cap * sizeof(*m));

        if (!m) {
            r->no_memory = true;
            return NULL;
        }
        r->m = m;
        r->cap = cap;
    }
    r->m[r->n] = (struct recorded){ 0 };
    return &r->m[r->n++];
}

/* Which way: as the comment of our own exports says, else by who speaks to
 * whom. */
static bool is_inward(const struct recording *r, const struct trace_glance *g,
                      struct slice comment)
{
    bool by_us = slice_eq(g->from_user, slice_str(r->id));

    if (slice_has_prefix(comment, SLICE("in device=")))
        return true;
    if (slice_has_prefix(comment, SLICE("out device=")))
        return false;
    return g->status ? by_us : !by_us;
}

static void add_message(struct recording *r, const struct capture_packet *p,
                        struct slice bytes, char *owned, uint64_t connection)
{
    struct recorded *m;
    struct trace_glance g;

    if (bytes.n < SIP_MIN_MESSAGE ||
        (!trace_glance(&g, bytes) && p->comment.n == 0)) {
        free(owned);
        return; /* other traffic of the same file */
    }
    m = recorded_new(r);
    if (!m) {
        free(owned);
        return;
    }
    m->g = g;
    m->utc_ms = p->utc_us / 1000;
    m->bytes = bytes;
    m->owned = owned;
    m->in = is_inward(r, &g, p->comment);
    m->peer = (struct sip_peer){ .transport = p->tcp ? SIP_TCP : SIP_UDP,
                                 .connection = connection,
                                 .local = m->in ? p->dst : p->src,
                                 .remote = m->in ? p->src : p->dst };
}

static struct slice way_of(char out[static WAY], const struct gb_addr *src,
                           const struct gb_addr *dst)
{
    const struct gb_addr *end[2] = { src, dst };
    struct writer w = writer_of(out, WAY);

    for (size_t i = 0; i < 2; i++) {
        writer_char(&w, (char)end[i]->family);
        writer_bytes(&w, end[i]->ip, sizeof(end[i]->ip));
        writer_be16(&w, end[i]->port);
    }
    return writer_slice(&w);
}

static struct recording_stream *find_way(const struct recording *r,
                                         struct slice way)
{
    struct map_node *n = map_find(&r->by_way, way);

    return n ? container_of(n, struct recording_stream, node) : NULL;
}

static struct recording_stream *stream_of(struct recording *r,
                                          const struct capture_packet *p)
{
    char way[WAY], other[WAY];
    struct slice key = way_of(way, &p->src, &p->dst);
    struct recording_stream *s = find_way(r, key), *back;

    if (s)
        return s;
    back = find_way(r, way_of(other, &p->dst, &p->src));
    s = calloc(1, sizeof(*s));
    if (!s) {
        r->no_memory = true;
        return NULL;
    }
    memcpy(s->way, way, sizeof(way));
    map_insert(&r->by_way, &s->node, slice_of(s->way, key.n));
    s->connection = back ? back->connection : ++r->next_connection;
    sip_frame_init(&s->frame);
    s->next = r->streams;
    r->streams = s;
    return s;
}

/* What is new of a segment; false: nothing, or there is a hole before it. */
static struct slice in_order(struct recording *r, struct recording_stream *s,
                             const struct capture_packet *p)
{
    struct slice bytes = p->payload;
    uint32_t old = s->seq - p->seq;

    if (!s->begun) {
        s->begun = true;
    } else if (old && old < 0x80000000u) { /* a repetition */
        bytes = slice_from(bytes, old);
    } else if (old) {
        r->gaps++;
        s->len = 0;
        sip_frame_init(&s->frame);
    }
    if (bytes.n || !old)
        s->seq = p->seq + (uint32_t)(p->payload.n + p->missing);
    return bytes;
}

static bool stream_push(struct recording_stream *s, struct slice bytes)
{
    if (s->len + bytes.n > s->cap) {
        size_t cap = 2 * (s->len + bytes.n);
        char *buf = realloc(s->buf, cap);

        if (!buf)
            return false;
        s->buf = buf;
        s->cap = cap;
    }
    if (bytes.n)
        memcpy(s->buf + s->len, bytes.p, bytes.n);
    s->len += bytes.n;
    return true;
}

static void take_stream(struct recording *r, struct recording_stream *s,
                        const struct capture_packet *p)
{
    size_t used = 0;
    int err = 0;

    while (err == 0) {
        struct sip_cut cut = { 0 };

        err = sip_frame_next(&s->frame,
                             slice_of(s->buf + used, s->len - used), &cut);
        if (err == 0 && cut.kind == SIP_CUT_MESSAGE) {
            char *copy = malloc(cut.bytes.n);

            if (copy) {
                memcpy(copy, cut.bytes.p, cut.bytes.n);
                add_message(r, p, slice_of(copy, cut.bytes.n), copy,
                            s->connection);
            }
            r->no_memory |= !copy;
        }
        used += cut.used;
    }
    if (err != GB_EAGAIN) { /* no boundary any more */
        sip_frame_init(&s->frame);
        used = s->len;
        r->gaps++;
    }
    memmove(s->buf, s->buf + used, s->len - used);
    s->len -= used;
}

static void connection_ended(struct recording *r, const struct recording_stream *s,
                             const struct capture_packet *p)
{
    struct recorded *m = recorded_new(r);

    if (!m)
        return;
    m->utc_ms = p->utc_us / 1000;
    m->closed = m->in = true;
    m->peer.connection = s->connection;
}

static void tcp_packet(struct recording *r, const struct capture_packet *p)
{
    struct recording_stream *s = stream_of(r, p);
    struct slice bytes;

    if (!s)
        return;
    if (p->syn) { /* a new connection on the old ports */
        sip_frame_init(&s->frame);
        s->len = 0;
        s->begun = true;
        s->seq = p->seq + 1;
        return;
    }
    bytes = in_order(r, s, p);
    if (bytes.n && !stream_push(s, bytes))
        r->no_memory = true;
    else if (bytes.n)
        take_stream(r, s, p);
    if (p->fin)
        connection_ended(r, s, p);
}

/* To whom devices of the file register. */
static void find_id(struct recording *r, const char *id, struct slice file)
{
    struct capture_packet p;
    struct capture c;
    struct trace_glance g;

    if (id) {
        slice_copy(r->id, sizeof(r->id), slice_str(id));
        return;
    }
    slice_copy(r->id, sizeof(r->id), SLICE(DEFAULT_ID));
    if (capture_open(&c, file))
        return;
    while (capture_next(&c, &p) == 0) {
        struct slice user;

        if (!trace_glance(&g, p.payload) || g.status ||
            g.method != SIP_METHOD_REGISTER)
            continue;
        user = trace_user(g.uri);
        if (user.n == 20) {
            slice_copy(r->id, sizeof(r->id), user);
            return;
        }
    }
}

static void make_key(struct recorded *m)
{
    struct writer w = writer_of(m->key, sizeof(m->key));

    writer_f(&w, "%u ", m->g.cseq);
    writer_slice_put(&w, slice_head(m->g.method_name, 32));
    writer_char(&w, ' ');
    writer_slice_put(&w, slice_head(m->g.call_id, 200));
    m->key_n = (uint16_t)w.len;
}

static struct slice key_of(const struct recorded *m)
{
    return slice_of(m->key, m->key_n);
}

static struct recorded *by_key(const struct map *map, struct slice key)
{
    struct map_node *n = map_find(map, key);

    return n ? container_of(n, struct recorded, node) : NULL;
}

static struct slice call_key(const uint64_t *call)
{
    return slice_of((const char *)call, sizeof(*call));
}

static struct recorded *call_at(struct map_node *n, struct slice call_id)
{
    for (; n; n = map_find_next(n)) {
        struct recorded *m = container_of(n, struct recorded, by_call);

        if (slice_eq(m->g.call_id, call_id))
            return m;
    }
    return NULL;
}

struct recorded *recording_call(const struct recording *r, struct slice call_id)
{
    uint64_t call = map_hash(r->calls.seed, call_id);

    return call_at(map_find(&r->calls, call_key(&call)), call_id);
}

struct recorded *recording_call_next(const struct recorded *m)
{
    return call_at(map_find_next(&m->by_call), m->g.call_id);
}

/* Requests find their final answers; the first of a repeated one
 * counts. */
static void index_messages(struct recording *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct recorded *m = &r->m[i];
        struct map *map = m->g.status ? &r->answers : &r->requests;

        if (m->closed || m->g.method_name.n == 0 ||
            (m->g.status && m->g.status < 200))
            continue;
        make_key(m);
        if (!by_key(map, key_of(m)))
            map_insert(map, &m->node, key_of(m));
    }
    for (size_t i = r->n; i-- > 0;) {
        struct recorded *m = &r->m[i];

        if (m->closed || m->g.status)
            continue;
        if (m->key_n)
            m->answer = by_key(&r->answers, key_of(m));
        if (m->in)
            continue;
        m->call = map_hash(r->calls.seed, m->g.call_id);
        map_insert(&r->calls, &m->by_call, call_key(&m->call));
    }
}

static int read_capture(struct recording *r, struct slice file)
{
    struct capture_packet p;
    struct capture c;
    int err = capture_open(&c, file);

    while (!err && (err = capture_next(&c, &p)) == 0) {
        if (p.tcp)
            tcp_packet(r, &p);
        else if (p.missing)
            r->cut++;
        else
            add_message(r, &p, p.payload, NULL, 0);
    }
    if (r->no_memory)
        return GB_ENOMEM;
    /* what comes before a break is worth having */
    return r->n ? 0 : GB_ESYNTAX;
}

int recording_read(struct recording *r, const char *id, struct slice file)
{
    uint8_t seed[16]; /* devices have chosen the keys */
    int err;

    *r = (struct recording){ 0 };
    random_bytes(seed, sizeof(seed));
    err = map_init(&r->requests, &gb_alloc_heap, seed);
    if (!err)
        err = map_init(&r->answers, &gb_alloc_heap, seed);
    if (!err)
        err = map_init(&r->calls, &gb_alloc_heap, seed);
    if (!err)
        err = map_init(&r->by_way, &gb_alloc_heap, seed);
    find_id(r, id, file);
    if (!err)
        err = read_capture(r, file);
    if (!err)
        index_messages(r);
    return err;
}

void recording_free(struct recording *r)
{
    map_fini(&r->requests);
    map_fini(&r->answers);
    map_fini(&r->calls);
    map_fini(&r->by_way);
    for (size_t i = 0; i < r->n; i++) {
        free(r->m[i].owned);
        free(r->m[i].sent);
    }
    free(r->m);
    while (r->streams) {
        struct recording_stream *s = r->streams;

        r->streams = s->next;
        free(s->buf);
        free(s);
    }
    *r = (struct recording){ 0 };
}
