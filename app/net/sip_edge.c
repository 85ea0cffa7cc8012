#include "app/net/sip_edge.h"

#include "app/net/log.h"
#include "app/net/noted.h"
#include "app/net/refusal.h"
#include "app/net/sockaddr.h"
#include "app/net/sources.h"
#include "app/net/udp.h"
#include "base/idmap.h"
#include "base/list.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define SIP_EDGE_MAX_CONNECTIONS 20000
#define SIP_EDGE_SWEEP_MS 1000
#define SIP_EDGE_PROBE_S 15      /* between the kernel's keep-alive probes */
#define SIP_EDGE_TLS_LOG_MS 1000 /* at most one line about TLS in this time */
#define SIP_EDGE_FIRST_BUF 4096

struct listener {
    struct sip_edge *edge;
    struct udp_socket *udp; /* NULL: TLS */
    uv_tcp_t tcp;
    struct refusal refusal;
    bool tcp_open, tls;
    uint16_t index;
    struct gb_addr addr;
};

struct connection {
    struct sip_edge *edge;
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct list node;
    struct list stranger; /* in edge.strangers, or alone */
    struct list dialled;  /* in edge.dialled, or alone */
    struct source *source; /* NULL: not counted, no stranger */
    uint64_t id;
    struct sip_peer peer;
    struct tls *tls; /* NULL: plain TCP */
    bool up, ours, closing, spoke, trusted;
    bool ponged;   /* and it is still queued: one is enough */
    size_t held;   /* bytes received and not sent yet: cap and queued */
    size_t queued; /* for writes that are not done, with their requests */
    uint64_t since_ms; /* of the first byte of an unfinished message */
    uint64_t moved_ms; /* something was sent or received last; of a stranger: a
                          whole message */
    struct sip_frame frame;
    uint8_t *buf;
    size_t len, cap;
};

struct sip_edge {
    struct sip_edge_config o;
    struct listener listener[SIP_EDGE_MAX_LISTEN];
    size_t n_listeners;
    uv_timer_t timer, sweep;
    uv_prepare_t prepare;
    bool touched, closing;
    struct idmap by_id;
    struct list connections;
    struct list strangers; /* the oldest first */
    struct list dialled;   /* those for large requests */
    struct sources sources; /* of strangers */
    unsigned open_handles;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct sip_edge_counters n;
    uint64_t tls_told_ms, tls_untold; /* the last line about TLS; since then */
    uint8_t read_buf[SIP_EDGE_READ_BYTES];
    uint8_t plain_buf[TLS_RECORD_MAX];
};

static void conn_close(struct connection *c);
static struct connection *dial(struct sip_edge *e, const struct sip_peer *to);

/* ---- the pump ------------------------------------------------------------ */

static void drain_events(struct sip_edge *e)
{
    struct sip_event ev;

    while (sip_stack_event(e->o.stack, &ev))
        e->o.on_event(e->o.ctx, &ev);
}

struct write_req {
    uv_write_t req;
    size_t n;
    char bytes[];
};

/* ---- strangers ---- */

static void hold(struct connection *c, size_t n)
{
    c->held += n;
    if (!c->trusted)
        c->edge->n.strangers_bytes += n;
}

static void let_go(struct connection *c, size_t n)
{
    c->held -= n;
    if (!c->trusted)
        c->edge->n.strangers_bytes -= n;
}

static void trust(struct connection *c)
{
    if (c->trusted)
        return;
    c->trusted = true;
    list_remove(&c->stranger);
    sources_leave(&c->edge->sources, c->source);
    c->source = NULL;
    c->edge->n.strangers--;
    c->edge->n.strangers_bytes -= c->held;
}

void sip_edge_trust(struct sip_edge *e, uint64_t connection)
{
    struct connection *c = idmap_find(&e->by_id, connection);

    if (c)
        trust(c);
}

static void cut_stranger(struct connection *c)
{
    c->edge->n.strangers_cut++;
    conn_close(c);
}

/* The oldest of those that hold most goes, until the rest fits. */
static void make_room(struct sip_edge *e)
{
    while (e->n.strangers_bytes > e->o.strangers_bytes) {
        struct connection *most = NULL;
        struct list *n, *tmp;

        LIST_EACH(n, tmp, &e->strangers) {
            struct connection *c = container_of(n, struct connection, stranger);

            if (!most || c->held > most->held)
                most = c;
        }
        assert(most);
        cut_stranger(most);
    }
}

/* When the table is full. */
static void cut_oldest_stranger(struct sip_edge *e)
{
    if (!list_is_empty(&e->strangers))
        cut_stranger(container_of(e->strangers.next, struct connection,
                                  stranger));
}

/* Something came or goes that shows life. Strangers live by whole messages:
 * empty lines and single bytes would keep their place for ever. */
static void moved(struct connection *c)
{
    if (c->trusted)
        c->moved_ms = uv_now(c->edge->o.loop);
}

static size_t room_for(const struct connection *c, size_t trusted)
{
    return c->trusted ? trusted : SIP_EDGE_STRANGER_BUF;
}

static void forget_write(struct connection *c, struct write_req *w)
{
    c->queued -= sizeof(*w) + w->n;
    let_go(c, sizeof(*w) + w->n);
    free(w);
}

static void on_written(uv_write_t *req, int status)
{
    struct connection *c = req->handle->data;
    struct write_req *w = container_of(req, struct write_req, req);

    forget_write(c, w);
    if (c->queued == 0)
        c->ponged = false;
    if (status && !c->closing)
        conn_close(c);
}

static bool conn_write(struct connection *c, struct slice s)
{
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)s.p, (unsigned)s.n);
    struct write_req *w;
    int sent = 0;

    moved(c);
    if (c->up && uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) == 0)
        sent = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    if (sent == (int)s.n)
        return true;
    if (sent < 0)
        sent = 0; /* UV_EAGAIN; a real error shows at the write below */
    s = slice_from(s, (size_t)sent);
    w = malloc(sizeof(*w) + s.n);
    if (!w || c->queued + sizeof(*w) + s.n >
                  room_for(c, SIP_EDGE_QUEUE_BYTES)) {
        free(w);
        c->edge->n.cut++;
        conn_close(c);
        return false;
    }
    w->n = s.n;
    c->queued += sizeof(*w) + s.n;
    hold(c, sizeof(*w) + s.n);
    memcpy(w->bytes, s.p, s.n);
    b = uv_buf_init(w->bytes, (unsigned)s.n);
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written)) {
        forget_write(c, w);
        conn_close(c);
        return false;
    }
    return true;
}

static bool flush_tls(struct connection *c)
{
    struct slice out = tls_output(c->tls);

    if (out.n && !conn_write(c, out))
        return false;
    tls_sent(c->tls, out.n);
    return true;
}

static bool conn_send(struct connection *c, struct slice s)
{
    int err;

    if (c->closing)
        return false;
    if (!c->tls)
        return conn_write(c, s);
    err = tls_encrypt(c->tls, s);
    if (err == 0)
        return flush_tls(c);
    if (err != GB_ESTATE) {
        c->edge->n.cut++;
        conn_close(c);
    }
    return false;
}

static void send_one(struct sip_edge *e, const struct sip_out *out,
                     uint64_t now_ms)
{
    const struct sip_peer *p = &out->peer;
    struct connection *c;

    if (e->o.on_message)
        e->o.on_message(e->o.ctx, true, p, out->bytes, NULL);
    if (p->transport == SIP_UDP) {
        if (p->listener < e->n_listeners && e->listener[p->listener].udp)
            udp_send(e->listener[p->listener].udp, &p->local, &p->remote,
                     out->bytes.p, out->bytes.n);
        return;
    }
    c = p->dial && !p->connection ? dial(e, p)
                                  : idmap_find(&e->by_id, p->connection);
    if (!c || !conn_send(c, out->bytes)) {
        struct sip_peer peer = *p;

        sip_stack_send_failed(e->o.stack, &peer, now_ms);
    } else if (p->dial && !p->connection) {
        sip_stack_dialled(e->o.stack, p, c->id);
    }
}

static void drain_output(struct sip_edge *e, uint64_t now_ms)
{
    struct sip_out out;

    while (sip_stack_output(e->o.stack, &out))
        send_one(e, &out, now_ms);
}

static void on_timer(uv_timer_t *t);

static void pump(struct sip_edge *e)
{
    uint64_t now_ms = uv_now(e->o.loop), owner_ms, at_ms;

    e->touched = false;
    sip_stack_tick(e->o.stack, now_ms);
    drain_events(e);
    owner_ms = e->o.on_turn(e->o.ctx, now_ms);
    drain_events(e);
    drain_output(e, now_ms);
    for (size_t i = 0; i < e->n_listeners; i++)
        if (e->listener[i].udp)
            udp_flush(e->listener[i].udp);
    at_ms = sip_stack_deadline(e->o.stack);
    if (owner_ms < at_ms)
        at_ms = owner_ms;
    if (at_ms == GB_NEVER)
        uv_timer_stop(&e->timer);
    else
        uv_timer_start(&e->timer, on_timer,
                       at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void on_timer(uv_timer_t *t)
{
    struct sip_edge *e = t->data;

    e->touched = true; /* the prepare phase of this turn pumps */
}

static void on_prepare(uv_prepare_t *p)
{
    struct sip_edge *e = p->data;

    for (int i = 0; e->touched && !e->closing && i < 8; i++)
        pump(e);
}

void sip_edge_touch(struct sip_edge *e)
{
    e->touched = true;
}

static void input(struct sip_edge *e, struct sip_peer *from,
                  struct slice bytes)
{
    int err;

    e->n.messages++;
    e->touched = true;
    if (e->o.admits && !e->o.admits(e->o.ctx, from, bytes)) {
        e->n.not_admitted++;
        return;
    }
    err = sip_stack_input(e->o.stack, from, bytes, uv_now(e->o.loop));
    if (e->o.on_message)
        e->o.on_message(e->o.ctx, false, from, bytes,
                        sip_stack_message(e->o.stack));
    if (err) {
        e->n.bad++;
        if (e->o.on_bad)
            e->o.on_bad(e->o.ctx, from, bytes, err);
    }
    drain_events(e);
}

static void on_packets(void *ctx, struct udp_socket *u,
                       const struct udp_packet *pkt, size_t n)
{
    struct listener *l = ctx;
    const struct sip_edge_config *o = &l->edge->o;
    struct slice bytes[UDP_BATCH];

    (void)u;
    for (size_t i = 0; i < n; i++)
        bytes[i] = slice_of((const char *)pkt[i].p, pkt[i].n);
    if (o->ahead && n)
        o->ahead(o->ctx, bytes, n);
    for (size_t i = 0; i < n; i++) {
        struct sip_peer from = { .transport = SIP_UDP, .listener = l->index,
                                 .local = pkt[i].local,
                                 .remote = pkt[i].remote };

        l->edge->n.datagrams++;
        input(l->edge, &from, bytes[i]);
    }
}

/* ---- TCP and TLS ----------------------------------------------------------- */

static void handle_closed(struct sip_edge *e)
{
    if (--e->open_handles == 0 && e->closing) {
        void (*done)(void *) = e->on_closed;
        void *ctx = e->closed_ctx;

        sources_fini(&e->sources);
        idmap_fini(&e->by_id);
        free(e);
        if (done)
            done(ctx);
    }
}

static void on_conn_closed(uv_handle_t *h)
{
    struct connection *c = h->data;
    struct sip_edge *e = c->edge;

    tls_free(c->tls);
    free(c->buf);
    free(c);
    handle_closed(e);
}

/* As far as the socket takes it: nobody waits for a good-bye. */
static void say_bye(struct connection *c)
{
    struct slice out;
    uv_buf_t b;

    tls_bye(c->tls);
    out = tls_output(c->tls);
    b = uv_buf_init((char *)(uintptr_t)out.p, (unsigned)out.n);
    if (out.n && c->up &&
        uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) == 0)
        uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
}

static void conn_close(struct connection *c)
{
    struct sip_edge *e = c->edge;

    if (c->closing)
        return;
    c->closing = true;
    if (c->tls)
        say_bye(c);
    list_remove(&c->node);
    list_remove(&c->dialled);
    idmap_remove(&e->by_id, c->id);
    e->n.connections--;
    trust(c); /* it counts no more */
    uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
    if (e->closing)
        return;
    sip_stack_closed(e->o.stack, c->id, uv_now(e->o.loop));
    if (e->o.on_connection)
        e->o.on_connection(e->o.ctx, c->id, false, &c->peer.local);
    e->touched = true;
}

/* RFC 5626 §4.4.1. However many pings came at once and are not answered yet,
 * one answer says it all; and a stranger pays for it as for any message. */
static void answer_ping(struct connection *c)
{
    const struct sip_edge_config *o = &c->edge->o;

    if (c->closing || c->ponged ||
        (o->admits && !o->admits(o->ctx, &c->peer, SLICE("\r\n\r\n"))))
        return;
    if (conn_send(c, SLICE("\r\n")))
        c->ponged = c->queued > 0;
}

/* Takes whole messages out of c->buf. */
static void take_messages(struct connection *c)
{
    bool pinged = false;
    size_t used = 0;

    while (!c->closing) {
        struct sip_cut cut = { 0 };
        struct slice rest = slice_of((const char *)c->buf + used,
                                     c->len - used);
        int err = sip_frame_next(&c->frame, rest, &cut);

        if (err == 0 && cut.kind == SIP_CUT_MESSAGE) {
            c->spoke = true;
            c->moved_ms = uv_now(c->edge->o.loop);
            input(c->edge, &c->peer, cut.bytes);
        } else if (err == 0) {
            pinged = true;
        } else if (err != GB_EAGAIN) {
            if (cut.bytes.n)
                input(c->edge, &c->peer, cut.bytes);
            drain_output(c->edge, uv_now(c->edge->o.loop));
            noted_bad(NOTED_SIP_TCP, &c->peer.remote,
                      "where a message ends cannot be told");
            c->edge->n.cut++;
            conn_close(c);
            return;
        }
        used += cut.used;
        if (err == GB_EAGAIN)
            break;
    }
    if (pinged)
        answer_ping(c);
    if (used) {
        memmove(c->buf, c->buf + used, c->len - used);
        c->len -= used;
        if (c->spoke) /* else the time for the first message goes on */
            c->since_ms = uv_now(c->edge->o.loop);
    }
    if (c->len == 0 && c->cap > SIP_EDGE_FIRST_BUF) {
        let_go(c, c->cap);
        free(c->buf); /* an idle connection keeps nothing */
        c->buf = NULL;
        c->cap = 0;
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct connection *c = h->data;

    (void)suggested;
    *b = uv_buf_init((char *)c->edge->read_buf, SIP_EDGE_READ_BYTES);
}

static bool conn_room(struct connection *c, size_t n)
{
    size_t cap = c->cap ? c->cap : SIP_EDGE_FIRST_BUF;
    uint8_t *buf;

    if (n > room_for(c, SIP_FRAME_MAX + SIP_EDGE_READ_BYTES) - c->len)
        return false;
    while (cap < c->len + n)
        cap *= 2;
    if (cap == c->cap)
        return true;
    buf = realloc(c->buf, cap);
    if (!buf)
        return false;
    hold(c, cap - c->cap);
    c->buf = buf;
    c->cap = cap;
    make_room(c->edge);
    return !c->closing;
}

static void on_plain(struct connection *c, const void *p, size_t n)
{
    if (!conn_room(c, n)) {
        c->edge->n.cut += !c->closing;
        conn_close(c);
        return;
    }
    if (c->len == 0 && c->spoke)
        c->since_ms = uv_now(c->edge->o.loop);
    memcpy(c->buf + c->len, p, n);
    c->len += n;
    take_messages(c);
}

/* One line, and the next ones counted: anybody can cause them. */
static void tell_tls(struct connection *c)
{
    struct sip_edge *e = c->edge;
    uint64_t now_ms = uv_now(e->o.loop);
    char addr[GB_ADDR_TEXT_MAX], why[TLS_WHY_MAX];
    struct log_quoted q;

    e->n.tls_failed++;
    if (e->tls_told_ms && now_ms - e->tls_told_ms < SIP_EDGE_TLS_LOG_MS) {
        e->tls_untold++;
        return;
    }
    tls_error_text(c->tls, gb_addr_text(&c->peer.remote, addr), why);
    log_f(LOG_WARN, "msg=\"TLS connection ended\" peer=%s why=%s untold=%llu",
          addr, log_quote(&q, slice_str(why)),
          (unsigned long long)e->tls_untold);
    e->tls_told_ms = now_ms ? now_ms : 1;
    e->tls_untold = 0;
}

static void tell_up(struct connection *c)
{
    struct sip_edge *e = c->edge;

    if (!c->ours)
        return;
    c->spoke = true; /* we speak first */
    if (e->o.on_connection)
        e->o.on_connection(e->o.ctx, c->id, true, &c->peer.local);
    e->touched = true;
}

static void on_cipher(struct connection *c, struct slice in)
{
    struct sip_edge *e = c->edge;
    bool was_up = tls_is_up(c->tls);
    size_t n;
    int err;

    do {
        err = tls_decrypt(c->tls, &in, e->plain_buf, sizeof(e->plain_buf), &n);
        if (!was_up && tls_is_up(c->tls)) {
            was_up = true;
            c->since_ms = uv_now(e->o.loop);
            tell_up(c);
        }
        if (n)
            on_plain(c, e->plain_buf, n);
    } while (!c->closing && !err && n == sizeof(e->plain_buf));
    if (c->closing || (err == 0 && flush_tls(c)))
        return;
    if (err && err != GB_ENOENT && !c->closing) {
        tell_tls(c);
        e->n.cut++;
    }
    conn_close(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct connection *c = s->data;

    if (n < 0) {
        conn_close(c);
        return;
    }
    if (n == 0)
        return;
    moved(c);
    if (c->tls)
        on_cipher(c, slice_of(b->base, (size_t)n));
    else
        on_plain(c, b->base, (size_t)n);
}

static void read_addresses(struct connection *c)
{
    struct sockaddr_storage ss;
    int len = sizeof(ss);

    if (!uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&ss, &len))
        sockaddr_read(&c->peer.local, (struct sockaddr *)&ss);
    len = sizeof(ss);
    if (!uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len))
        sockaddr_read(&c->peer.remote, (struct sockaddr *)&ss);
}

/* A connection whose handle is initialised and which is in the tables; NULL
 * when there is no room. */
static struct connection *conn_new(struct sip_edge *e)
{
    struct connection *c = calloc(1, sizeof(*c));

    if (!c || uv_tcp_init(e->o.loop, &c->tcp)) {
        free(c);
        return NULL;
    }
    c->edge = e;
    c->tcp.data = c;
    e->open_handles++;
    list_init(&c->node);
    list_init(&c->stranger);
    list_init(&c->dialled);
    sip_frame_init(&c->frame);
    c->peer.transport = SIP_TCP;
    c->since_ms = c->moved_ms = uv_now(e->o.loop);
    if (e->n.connections >= e->o.max_connections)
        cut_oldest_stranger(e);
    if (idmap_add(&e->by_id, c, &c->id)) {
        c->closing = true;
        uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
        return NULL;
    }
    c->peer.connection = c->id;
    list_push_back(&e->connections, &c->node);
    list_push_back(&e->strangers, &c->stranger);
    e->n.connections++;
    e->n.strangers++;
    return c;
}

/* A peer that vanished without a word is gone after SIP_EDGE_DEAD_MS, whether
 * we had something to tell it (the user timeout) or not (the probes). */
static void watch_peer(struct connection *c)
{
    int on = 1, idle = 60, every = SIP_EDGE_PROBE_S, dead = SIP_EDGE_DEAD_MS;
    int count = SIP_EDGE_DEAD_MS / 1000 / SIP_EDGE_PROBE_S;
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&c->tcp, &fd))
        return;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
}

static void conn_start(struct connection *c)
{
    c->up = true;
    watch_peer(c);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static bool conn_secure(struct connection *c, struct tls_ctx *ctx,
                        const char *name)
{
    c->peer.transport = SIP_TLS;
    return tls_new(&c->tls, ctx, name) == 0;
}

static void on_accept(uv_stream_t *server, int status)
{
    struct listener *l = server->data;
    struct connection *c;

    if (status)
        return;
    c = conn_new(l->edge);
    if (!c) {
        l->edge->n.refused++;
        l->edge->open_handles += refusal_take(&l->refusal, server);
        return;
    }
    c->peer.listener = l->index;
    if (uv_accept(server, (uv_stream_t *)&c->tcp) ||
        (l->tls && !conn_secure(c, l->edge->o.tls_server, NULL))) {
        conn_close(c);
        return;
    }
    read_addresses(c);
    c->source = sources_enter(&l->edge->sources, &c->peer.remote);
    if (!c->source) {
        l->edge->n.refused++;
        conn_close(c);
        return;
    }
    l->edge->n.accepted++;
    conn_start(c);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct connection *c = req->handle->data;

    if (c->closing)
        return;
    if (status) {
        conn_close(c);
        return;
    }
    read_addresses(c);
    conn_start(c);
    if (c->tls)
        flush_tls(c); /* its first bytes; tell_up comes with the last */
    else
        tell_up(c);
}

/* From this address of ours, if it is a real one; a failure shows when it
 * connects. */
static void bind_local(struct connection *c, const struct gb_addr *local)
{
    struct gb_addr from = *local;
    struct sockaddr_storage ss;

    if (from.family != c->peer.remote.family || gb_addr_is_any(&from))
        return;
    from.port = 0;
    sockaddr_of(&ss, &from, false);
    uv_tcp_bind(&c->tcp, (struct sockaddr *)&ss, 0);
}

static int connect_to(struct sip_edge *e, const struct gb_addr *remote,
                      const struct gb_addr *local, bool tls,
                      uint64_t *connection)
{
    struct connection *c = conn_new(e);
    struct sockaddr_storage ss;
    int err;

    if (!c)
        return UV_ENOBUFS;
    c->ours = true;
    trust(c);
    c->peer.remote = *remote;
    if (tls && !conn_secure(c, e->o.tls_client, e->o.tls_name)) {
        conn_close(c);
        return UV_ENOMEM;
    }
    if (local)
        bind_local(c, local);
    sockaddr_of(&ss, remote, false);
    err = uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&ss,
                         on_connected);
    if (err) {
        conn_close(c);
        return err;
    }
    *connection = c->id;
    return 0;
}

int sip_edge_connect(struct sip_edge *e, const struct gb_addr *remote,
                     uint64_t *connection)
{
    return connect_to(e, remote, NULL, false, connection);
}

int sip_edge_connect_tls(struct sip_edge *e, const struct gb_addr *remote,
                         uint64_t *connection)
{
    return connect_to(e, remote, NULL, true, connection);
}

/* The one that was opened for an earlier large request, or a new one; NULL: not
 * even begun. */
static struct connection *dial(struct sip_edge *e, const struct sip_peer *to)
{
    struct connection *c;
    struct list *n, *tmp;
    uint64_t id;

    LIST_EACH(n, tmp, &e->dialled) {
        c = container_of(n, struct connection, dialled);
        if (gb_addr_eq(&c->peer.remote, &to->remote))
            return c;
    }
    if (connect_to(e, &to->remote, &to->local, false, &id))
        return NULL;
    c = idmap_find(&e->by_id, id);
    c->peer.listener = to->listener;
    list_push_back(&e->dialled, &c->dialled);
    e->n.dialled++;
    return c;
}

void sip_edge_disconnect(struct sip_edge *e, uint64_t connection)
{
    struct connection *c = idmap_find(&e->by_id, connection);

    if (c)
        conn_close(c);
}

/* Half messages, half handshakes, and connections that never said anything. */
static bool is_stalled(const struct connection *c, uint64_t now_ms)
{
    uint64_t limit_ms = c->tls && !tls_is_up(c->tls) ? SIP_EDGE_HANDSHAKE_MS
                                                     : SIP_EDGE_STALL_MS;

    return (c->len || !c->spoke) && now_ms - c->since_ms > limit_ms;
}

/* An empty line: a NAT on the way sees traffic, RFC 3261 §7.5 has the peer
 * ignore it, and the kernel notices a peer that does not confirm it. The
 * moments of connections that began together are spread over a fifth. */
static void keep_open(struct connection *c, uint64_t now_ms)
{
    struct sip_edge *e = c->edge;
    uint64_t every_ms = e->o.keep_open_ms;
    uint64_t spread_ms = (c->id * 0x9e3779b97f4a7c15u >> 40) % (every_ms / 5 + 1);

    if (!c->spoke || !c->up || c->len ||
        now_ms - c->moved_ms + spread_ms < every_ms)
        return;
    e->n.kept_open++;
    conn_send(c, SLICE("\r\n"));
}

/* A connection for large requests that does not come up, or has been idle for
 * long: no fault of the peer's. */
static bool is_dialled_out(const struct connection *c, uint64_t now_ms)
{
    return !list_is_empty(&c->dialled) &&
           now_ms - c->moved_ms >
               (c->up ? SIP_EDGE_DIAL_IDLE_MS : SIP_EDGE_DIAL_MS);
}

static void on_sweep(uv_timer_t *t)
{
    struct sip_edge *e = t->data;
    uint64_t now_ms = uv_now(e->o.loop);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &e->connections) {
        struct connection *c = container_of(n, struct connection, node);

        if (is_dialled_out(c, now_ms)) {
            conn_close(c);
        } else if (!c->trusted &&
                   now_ms - c->moved_ms > e->o.strangers_idle_ms) {
            cut_stranger(c);
        } else if (is_stalled(c, now_ms)) {
            e->n.cut++;
            conn_close(c);
        } else if (e->o.keep_open_ms && c->trusted && list_is_empty(&c->dialled)) {
            keep_open(c, now_ms);
        }
    }
}

/* ---- life ------------------------------------------------------------------ */

static void on_tcp_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    handle_closed(l->edge);
}

static void on_refused(void *ctx)
{
    handle_closed(ctx);
}

static int listen_tcp(struct listener *l)
{
    struct sip_edge *e = l->edge;
    struct sockaddr_storage ss;
    int err = uv_tcp_init(e->o.loop, &l->tcp);

    if (err)
        return err;
    l->tcp.data = l;
    l->refusal.on_done = on_refused;
    l->refusal.ctx = e;
    l->tcp_open = true;
    e->open_handles++;
    sockaddr_of(&ss, &l->addr, false);
    err = uv_tcp_bind(&l->tcp, (struct sockaddr *)&ss,
                      l->addr.family == GB_IPV6 ? UV_TCP_IPV6ONLY : 0);
    if (!err)
        err = uv_listen((uv_stream_t *)&l->tcp, 512, on_accept);
    return err;
}

static int open_tls_listener(struct sip_edge *e, const struct gb_addr *addr)
{
    struct listener *l = &e->listener[e->n_listeners];
    struct sockaddr_storage ss;
    int len = sizeof(ss), err;

    l->edge = e;
    l->index = (uint16_t)e->n_listeners++;
    l->tls = true;
    l->addr = *addr;
    err = listen_tcp(l);
    if (!err)
        err = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&ss, &len);
    if (!err)
        sockaddr_read(&l->addr, (struct sockaddr *)&ss);
    return err;
}

static int open_listener(struct sip_edge *e, const struct gb_addr *addr)
{
    struct listener *l = &e->listener[e->n_listeners];
    struct udp_options o = { .bind = *addr, .v6only = true,
                             .rcvbuf_bytes = SIP_EDGE_RCVBUF,
                             .on_packets = on_packets, .ctx = l };
    int err;

    l->edge = e;
    l->index = (uint16_t)e->n_listeners;
    err = udp_open(&l->udp, e->o.loop, &o);
    if (err)
        return err;
    e->n_listeners++;
    udp_address(l->udp, &l->addr);
    return e->o.no_tcp ? 0 : listen_tcp(l);
}

static void on_edge_handle_closed(uv_handle_t *h)
{
    handle_closed(h->data);
}

int sip_edge_new(struct sip_edge **out, const struct sip_edge_config *cfg,
                 size_t *failed)
{
    struct sip_edge *e = calloc(1, sizeof(*e));
    int err = 0;

    if (!e)
        return UV_ENOMEM;
    e->o = *cfg;
    if (!e->o.strangers_bytes)
        e->o.strangers_bytes = SIP_EDGE_STRANGERS_BYTES;
    if (!e->o.strangers_idle_ms)
        e->o.strangers_idle_ms = SIP_EDGE_STRANGER_IDLE_MS;
    if (!e->o.strangers_per_source)
        e->o.strangers_per_source = SIP_EDGE_STRANGERS_PER_SOURCE;
    if (!e->o.max_connections)
        e->o.max_connections = SIP_EDGE_MAX_CONNECTIONS;
    err = sources_init(&e->sources, e->o.strangers_per_source);
    if (err) {
        free(e);
        return UV_ENOMEM;
    }
    list_init(&e->connections);
    list_init(&e->strangers);
    list_init(&e->dialled);
    idmap_init(&e->by_id, &gb_alloc_heap, e->o.max_connections);
    uv_timer_init(cfg->loop, &e->timer);
    uv_timer_init(cfg->loop, &e->sweep);
    uv_prepare_init(cfg->loop, &e->prepare);
    e->timer.data = e->sweep.data = e->prepare.data = e;
    e->open_handles = 3;
    uv_prepare_start(&e->prepare, on_prepare);
    uv_timer_start(&e->sweep, on_sweep, SIP_EDGE_SWEEP_MS, SIP_EDGE_SWEEP_MS);
    for (size_t i = 0; !err && i < cfg->n_listen + cfg->n_tls; i++) {
        if (failed)
            *failed = i;
        if (i >= SIP_EDGE_MAX_LISTEN)
            err = UV_ENOBUFS;
        else if (i < cfg->n_listen)
            err = open_listener(e, &cfg->listen[i]);
        else
            err = open_tls_listener(e, &cfg->tls_listen[i - cfg->n_listen]);
    }
    if (err) {
        sip_edge_close(e, NULL, NULL);
        return err;
    }
    e->touched = true;
    *out = e;
    return 0;
}

void sip_edge_close(struct sip_edge *e, void (*on_closed)(void *ctx), void *ctx)
{
    struct list *n, *tmp;

    if (e->closing)
        return;
    drain_output(e, uv_now(e->o.loop));
    e->closing = true;
    e->on_closed = on_closed;
    e->closed_ctx = ctx;
    LIST_EACH(n, tmp, &e->connections)
        conn_close(container_of(n, struct connection, node));
    for (size_t i = 0; i < e->n_listeners; i++) {
        udp_close(e->listener[i].udp);
        if (e->listener[i].tcp_open)
            uv_close((uv_handle_t *)&e->listener[i].tcp,
                     on_tcp_listener_closed);
    }
    uv_close((uv_handle_t *)&e->timer, on_edge_handle_closed);
    uv_close((uv_handle_t *)&e->sweep, on_edge_handle_closed);
    uv_close((uv_handle_t *)&e->prepare, on_edge_handle_closed);
}

void sip_edge_set_tls(struct sip_edge *e, struct tls_ctx *server)
{
    e->o.tls_server = server;
}

struct gb_addr sip_edge_addr(const struct sip_edge *e, size_t i)
{
    return i < e->n_listeners ? e->listener[i].addr : (struct gb_addr){ 0 };
}

void sip_edge_counters(const struct sip_edge *e, struct sip_edge_counters *out)
{
    *out = e->n;
    out->dropped = out->send_errors = 0;
    for (size_t i = 0; i < e->n_listeners; i++) {
        uint32_t dropped, errors;

        if (!e->listener[i].udp)
            continue;
        udp_counters(e->listener[i].udp, &dropped, &errors);
        out->dropped += dropped;
        out->send_errors += errors;
    }
}
