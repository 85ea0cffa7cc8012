#include "app/net/shared.h"

#include "app/net/listen.h"
#include "app/net/refusal.h"
#include "app/net/sockaddr.h"
#include "base/bytes.h"
#include "rtp/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAMILIES 2
#define CACHE_BITS 10
#define CACHE (1u << CACHE_BITS) /* SSRCs whose session is remembered */
#define BACKLOG 64

/* A connection whose session is not known yet. */
struct pending {
    struct shared *s;
    struct list node;
    uv_tcp_t tcp;
    struct gb_addr remote;
    bool stranger, closing;
    uint64_t since_ms, valid_ms; /* valid_ms: the first packet is there; 0 not */
    size_t n;
    uint8_t head[SHARED_HEAD];
};

struct listener {
    struct shared *s;
    uv_tcp_t tcp;
    struct refusal refusal;
    bool open;
};

struct shared {
    struct shared_options o;
    struct udp_socket *rtp[FAMILIES], *rtcp[FAMILIES];
    struct intake intake[FAMILIES];
    struct listener listener[FAMILIES];
    uv_timer_t timer; /* runs while connections wait */
    struct list pending;
    unsigned n_pending, n_strangers, open_handles;
    bool closing;
    /* by SSRC, direct: what owners_find said of sessions of this loop */
    struct {
        uint32_t ssrc;
        struct ingest *in; /* NULL: free */
    } cache[CACHE];
};

/* ---- datagrams ---- */

/* Neighbours go to different places, whatever the number of loops. */
static size_t place_of(uint32_t ssrc)
{
    return (uint32_t)(ssrc * 2654435761u) >> (32 - CACHE_BITS);
}

static struct ingest *mine(struct shared *s, uint32_t ssrc,
                           const struct owner *who, bool remember)
{
    struct ingest *in = s->o.find(s->o.ctx, who->session);
    size_t i = place_of(ssrc);

    if (in && remember) {
        s->cache[i].ssrc = ssrc;
        s->cache[i].in = in;
    }
    return in;
}

static struct ingest *cached(const struct shared *s, uint32_t ssrc)
{
    size_t i = place_of(ssrc);

    return s->cache[i].ssrc == ssrc ? s->cache[i].in : NULL;
}

static void take(struct shared *s, struct ingest *in, struct intake *intake,
                 const struct udp_packet *pkt)
{
    uint64_t now_ms = uv_now(s->o.loop);

    if (!pkt->truncated) {
        ingest_datagram(in, pkt);
        intake_saw(intake, pkt->n, now_ms);
    } else if (ingest_may_send(in, pkt)) {
        intake_grow(intake, pkt->n, now_ms);
    }
}

static void goes_on(struct shared *s, const struct owner *who,
                    const struct gb_addr *from)
{
    if (who->session)
        s->o.after(s->o.ctx, who->session, from);
}

/* The session of an SSRC; NULL: it is no session of this loop, and what could be
 * done has been done. */
static struct ingest *session_of(struct shared *s, uint32_t ssrc,
                                 const struct udp_packet *pkt, bool adopts)
{
    uint64_t now_ms = uv_now(s->o.loop);
    struct ingest *in = cached(s, ssrc);
    enum owners_verdict v;
    struct owner who;

    if (in)
        return in;
    v = owners_find(s->o.owners, ssrc, now_ms, &who);
    if (v == OWNERS_HIS && who.loop == s->o.index)
        return mine(s, ssrc, &who, true);
    if (v == OWNERS_NOBODY && adopts)
        v = owners_find_from(s->o.owners, ssrc, pkt->remote, now_ms, &who);
    if (v == OWNERS_HIS && who.loop == s->o.index)
        return mine(s, ssrc, &who, false);
    if (v == OWNERS_HIS && !pkt->truncated &&
        s->o.pass(s->o.ctx, &who, pkt))
        atomic_fetch_add(&s->o.counters->passed, 1);
    else if (v == OWNERS_RESTS)
        atomic_fetch_add(&s->o.counters->resting, 1);
    else
        atomic_fetch_add(&s->o.counters->unknown, 1);
    if (v == OWNERS_RESTS)
        goes_on(s, &who, pkt->remote);
    return NULL;
}

static void on_packet(struct shared *s, struct intake *intake,
                      const struct udp_packet *pkt)
{
    bool rtcp = rtp_classify(pkt->p, pkt->n) == RTP_CLASS_RTCP;
    struct ingest *in;

    if (rtp_classify(pkt->p, pkt->n) == RTP_CLASS_NONE) {
        atomic_fetch_add(&s->o.counters->unknown, 1);
        return;
    }
    in = session_of(s, bytes_be32_at(pkt->p + (rtcp ? 4 : 8)), pkt, !rtcp);
    if (!in)
        return;
    if (rtcp)
        ingest_rtcp(in, pkt->remote);
    else
        take(s, in, intake, pkt);
}

static void on_rtp(void *ctx, struct udp_socket *u,
                   const struct udp_packet *pkt, size_t n)
{
    struct shared *s = ctx;
    struct intake *intake = &s->intake[u == s->rtp[1]];

    if (!intake_batch(intake, n))
        return;
    for (size_t i = 0; !s->closing && i < n; i++)
        on_packet(s, intake, &pkt[i]);
}

static void on_rtcp(void *ctx, struct udp_socket *u,
                    const struct udp_packet *pkt, size_t n)
{
    struct shared *s = ctx;

    (void)u;
    for (size_t i = 0; !s->closing && i < n; i++)
        if (rtp_classify(pkt[i].p, pkt[i].n) == RTP_CLASS_RTCP)
            on_packet(s, &s->intake[0], &pkt[i]);
}

void shared_take(struct shared *s, struct ingest *in,
                 const struct gb_addr *from, const uint8_t *p, size_t n)
{
    struct udp_packet pkt = { .remote = from, .n = n };
    struct slab *slab;

    if (rtp_classify(p, n) == RTP_CLASS_RTCP) {
        ingest_rtcp(in, from);
        return;
    }
    pkt.p = ingest_pool_room(s->o.pool, n, &slab);
    if (!pkt.p)
        return;
    memcpy(pkt.p, p, n);
    pkt.buf = slab;
    ingest_datagram(in, &pkt);
}

void shared_changed(struct shared *s)
{
    memset(s->cache, 0, sizeof(s->cache));
}

/* ---- connections ---- */

static void handle_closed(struct shared *s)
{
    void (*on_closed)(void *) = s->o.on_closed;
    void *ctx = s->o.ctx;

    if (--s->open_handles || !s->closing)
        return;
    free(s);
    if (on_closed)
        on_closed(ctx);
}

static void on_pending_closed(uv_handle_t *h)
{
    struct pending *c = h->data;
    struct shared *s = c->s;

    free(c);
    handle_closed(s);
}

static void pending_close(struct pending *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->s->n_pending--;
    c->s->n_strangers -= c->stranger;
    list_remove(&c->node);
    uv_close((uv_handle_t *)&c->tcp, on_pending_closed);
}

/* It is somebody else's from now on, or nobody's. */
static void pending_give(struct pending *c, const struct owner *to)
{
    struct shared *s = c->s;
    uv_os_fd_t fd;
    int copy = -1;

    if (!uv_fileno((uv_handle_t *)&c->tcp, &fd))
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
        s->o.pass_connection(s->o.ctx, to, copy, c->head, c->n);
    pending_close(c);
}

static void pending_refuse(struct pending *c)
{
    atomic_fetch_add(&c->s->o.counters->refused, 1);
    pending_close(c);
}

static bool is_rtp(const struct pending *c, size_t off)
{
    return c->n >= off + 12 && rtp_classify(c->head + off, 12) ==
                                   RTP_CLASS_RTP;
}

/* Where the first RTP packet may begin (media over TCP has several framings:
 * a length, '$' and channel before it, 256 bytes of a vendor's, nothing).
 * Fills off, at most 4; how many. */
static size_t starts(const struct pending *c, size_t off[4])
{
    size_t n = 0;

    if (is_rtp(c, 2))
        off[n++] = 2;
    if (c->n && c->head[0] == '$' && is_rtp(c, 4))
        off[n++] = 4;
    if (c->n > 256 && c->head[256] == '$' && is_rtp(c, 260))
        off[n++] = 260;
    if (is_rtp(c, 0))
        off[n++] = 0;
    return n;
}

static bool is_bare_ps(const struct pending *c)
{
    return c->n >= 4 && bytes_be32_at(c->head) == 0x000001ba;
}

/* Looks again whose it is; true: done with it. */
static bool place(struct pending *c, uint64_t now_ms)
{
    struct shared *s = c->s;
    size_t off[4], n = starts(c, off);
    bool late = c->valid_ms && now_ms - c->valid_ms >= SHARED_UNKNOWN_MS;
    struct owner who;

    if ((n || is_bare_ps(c)) && !c->valid_ms)
        c->valid_ms = now_ms;
    for (size_t i = 0; i < n; i++) {
        uint32_t ssrc = bytes_be32_at(c->head + off[i] + 8);

        switch (owners_find(s->o.owners, ssrc, now_ms, &who)) {
        case OWNERS_HIS:
            pending_give(c, &who);
            return true;
        case OWNERS_RESTS:
            goes_on(s, &who, &c->remote);
            pending_refuse(c);
            return true;
        case OWNERS_NOBODY:
        case OWNERS_SEVERAL:
            break;
        }
    }
    if (c->valid_ms && (late || is_bare_ps(c)) &&
        owners_guess(s->o.owners, &c->remote, now_ms, &who) == OWNERS_HIS) {
        pending_give(c, &who);
        return true;
    }
    if (late || now_ms - c->since_ms >= SHARED_FIRST_MS ||
        (c->n == SHARED_HEAD && !c->valid_ms)) {
        pending_refuse(c);
        return true;
    }
    return false;
}

static void on_timer(uv_timer_t *t)
{
    struct shared *s = t->data;
    uint64_t now_ms = uv_now(s->o.loop);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &s->pending)
        place(container_of(n, struct pending, node), now_ms);
    if (list_is_empty(&s->pending))
        uv_timer_stop(t);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct pending *c = h->data;

    (void)suggested;
    *b = uv_buf_init((char *)c->head + c->n, (unsigned)(SHARED_HEAD - c->n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct pending *c = stream->data;

    (void)b;
    if (n < 0) {
        pending_refuse(c);
        return;
    }
    c->n += (size_t)n;
    if (!place(c, uv_now(c->s->o.loop)) && c->n == SHARED_HEAD)
        uv_read_stop(stream); /* the rest waits in the kernel */
}

/* Nobody expects media from there: of those the oldest makes room. */
static void make_room(struct shared *s)
{
    struct list *n, *tmp;

    if (s->n_strangers <= SHARED_STRANGERS_MAX)
        return;
    LIST_EACH(n, tmp, &s->pending) {
        struct pending *c = container_of(n, struct pending, node);

        if (!c->stranger)
            continue;
        pending_refuse(c);
        return;
    }
}

static void begin(struct pending *c)
{
    struct shared *s = c->s;

    sockaddr_peer(&c->tcp, &c->remote);
    c->stranger = !owners_knows(s->o.owners, &c->remote);
    s->n_strangers += c->stranger;
    if (s->n_pending > SHARED_PENDING_MAX) {
        pending_refuse(c);
        return;
    }
    make_room(s);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (!uv_is_active((uv_handle_t *)&s->timer))
        uv_timer_start(&s->timer, on_timer, SHARED_TICK_MS, SHARED_TICK_MS);
}

static void on_accept(uv_stream_t *server, int status)
{
    struct listener *l = server->data;
    struct shared *s = l->s;
    struct pending *c;

    if (status || s->closing)
        return;
    c = calloc(1, sizeof(*c));
    if (!c) {
        s->open_handles += refusal_take(&l->refusal, server);
        return;
    }
    uv_tcp_init(s->o.loop, &c->tcp); /* without a socket: cannot fail */
    c->s = s;
    c->tcp.data = c;
    c->since_ms = uv_now(s->o.loop);
    s->open_handles++;
    s->n_pending++;
    list_push_back(&s->pending, &c->node);
    if (uv_accept(server, (uv_stream_t *)&c->tcp))
        pending_close(c);
    else
        begin(c);
}

/* ---- life ---- */

static struct gb_addr any_of(unsigned family, uint16_t port)
{
    return (struct gb_addr){ .family = family ? GB_IPV6 : GB_IPV4,
                             .port = port };
}

static void on_handle_closed(uv_handle_t *h)
{
    handle_closed(h->data);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    handle_closed(l->s);
}

static void on_refused(void *ctx)
{
    handle_closed(ctx);
}

static int open_udp(struct shared *s, unsigned f, const char **what)
{
    struct udp_options o = {
        .bind = any_of(f, s->o.port), .v6only = true, .reuse = true,
        .no_local = true,
        .rcvbuf_bytes = SHARED_RCVBUF, .on_packets = on_rtp, .ctx = s,
    };
    int err;

    *what = "shared RTP port";
    intake_init(&s->intake[f], s->o.pool, s->o.loop);
    o.source = intake_source(&s->intake[f]);
    err = udp_open(&s->rtp[f], s->o.loop, &o);
    if (err)
        return err;
    o = (struct udp_options){ .bind = any_of(f, (uint16_t)(s->o.port + 1)),
                              .v6only = true, .reuse = true,
                              .on_packets = on_rtcp, .ctx = s };
    *what = "shared RTCP port";
    return udp_open(&s->rtcp[f], s->o.loop, &o);
}

static int open_listener(struct shared *s, unsigned f, const char **what)
{
    struct listener *l = &s->listener[f];
    struct gb_addr any = any_of(f, s->o.port);

    *what = "shared TCP media port";
    uv_tcp_init(s->o.loop, &l->tcp);
    l->s = s;
    l->tcp.data = l;
    l->refusal.on_done = on_refused;
    l->refusal.ctx = s;
    l->open = true;
    s->open_handles++;
    return listen_on(&l->tcp, &any, BACKLOG, on_accept);
}

/* A host may have no IPv6. */
static bool is_no_family(unsigned f, int err)
{
    return f == 1 && (err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL);
}

static int open_family(struct shared *s, unsigned f, const char **what)
{
    int err = open_udp(s, f, what);

    if (!err && s->o.listen)
        err = open_listener(s, f, what);
    return is_no_family(f, err) ? 0 : err;
}

int shared_new(struct shared **out, const struct shared_options *o,
               const char **what)
{
    struct shared *s = calloc(1, sizeof(*s));
    int err = 0;

    *what = "memory";
    if (!s)
        return GB_ENOMEM;
    s->o = *o;
    list_init(&s->pending);
    uv_timer_init(o->loop, &s->timer);
    s->timer.data = s;
    s->open_handles = 1;
    for (unsigned f = 0; !err && f < FAMILIES; f++)
        err = open_family(s, f, what);
    if (err) {
        s->o.on_closed = NULL;
        shared_close(s);
        return err;
    }
    *out = s;
    return 0;
}

void shared_steer(struct shared *s, unsigned n)
{
    for (unsigned f = 0; n > 1 && f < FAMILIES; f++) {
        if (s->rtp[f])
            udp_steer(s->rtp[f], n);
        if (s->rtcp[f])
            udp_steer(s->rtcp[f], n);
    }
}

void shared_close(struct shared *s)
{
    if (!s || s->closing)
        return;
    s->closing = true;
    for (unsigned f = 0; f < FAMILIES; f++) {
        udp_close(s->rtp[f]);
        udp_close(s->rtcp[f]);
        if (s->listener[f].open)
            uv_close((uv_handle_t *)&s->listener[f].tcp, on_listener_closed);
    }
    while (!list_is_empty(&s->pending))
        pending_close(container_of(s->pending.next, struct pending, node));
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

/* Bound alone, without SO_REUSEPORT: nobody else has it. */
static int probe(const struct gb_addr *at)
{
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_of(&ss, at, false);
    int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    int err = 0;

    if (fd < 0)
        return -errno;
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&ss, len) != 0)
        err = -errno;
    close(fd);
    return err;
}

int shared_probe(uint16_t port)
{
    for (unsigned i = 0; i < 2 * FAMILIES; i++) {
        struct gb_addr at = any_of(i / 2, (uint16_t)(port + i % 2));
        int err = probe(&at);

        if (err && !is_no_family(i / 2, err))
            return err;
    }
    return 0;
}

struct udp_socket *shared_rtcp(const struct shared *s, uint8_t family)
{
    return s->rtcp[family == GB_IPV6];
}

uint64_t shared_kernel_drops(const struct shared *s)
{
    uint64_t sum = 0;

    for (unsigned f = 0; f < FAMILIES; f++) {
        uint32_t dropped, errors;

        if (!s->rtp[f])
            continue;
        udp_counters(s->rtp[f], &dropped, &errors);
        sum += dropped;
    }
    return sum;
}

void shared_tick(struct shared *s, uint64_t now_ms)
{
    for (unsigned f = 0; f < FAMILIES; f++)
        intake_tick(&s->intake[f], now_ms);
}
