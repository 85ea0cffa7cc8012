/* The pump, sockets of UDP, listeners, and the life of it all. */
#include "app/net/sip_edge_int.h"

#include "app/net/listen.h"
#include "app/net/sockaddr.h"

#include <stdlib.h>

#define BACKLOG 512
#define SIP_EDGE_MAX_CONNECTIONS 20000
#define SIP_EDGE_SWEEP_MS 1000

/* ---- the pump ------------------------------------------------------------ */

static void drain_events(struct sip_edge *e)
{
    struct sip_event ev;

    while (sip_stack_event(e->o.stack, &ev))
        e->o.on_event(e->o.ctx, &ev);
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
    c = p->dial && !p->connection ? sip_conn_dial(e, p)
                                  : idmap_find(&e->by_id, p->connection);
    if (!c || !sip_conn_send(c, out->bytes)) {
        struct sip_peer peer = *p;

        sip_stack_send_failed(e->o.stack, &peer, now_ms);
    } else if (p->dial && !p->connection) {
        sip_stack_dialled(e->o.stack, p, c->id);
    }
}

void sip_edge_drain_output(struct sip_edge *e, uint64_t now_ms)
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
    sip_edge_drain_output(e, now_ms);
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

static void look_ahead(struct sip_edge *e, struct slice next)
{
    const struct sip_msg *m = sip_stack_ahead(e->o.stack, next);

    if (m && e->o.on_next)
        e->o.on_next(e->o.ctx, m);
}

/* STUN (RFC 5389 §6) on the port of SIP keeps a way through NATs open, as empty
 * lines do (RFC 5626 §3.5.2); eXosip 5.3 sends it every 17 s. Who registers
 * without outbound is owed no answer. */
static bool is_stun(struct slice bytes)
{
    static const char cookie[4] = { 0x21, 0x12, (char)0xa4, 0x42 };

    return bytes.n >= 20 && !((uint8_t)bytes.p[0] & 0xc0) &&
           !memcmp(bytes.p + 4, cookie, sizeof(cookie));
}

void sip_edge_input(struct sip_edge *e, struct sip_peer *from,
                    struct slice bytes, struct slice next)
{
    int err;

    if (from->transport == SIP_UDP && is_stun(bytes)) {
        sip_stack_ahead(e->o.stack, slice_of(NULL, 0));
        return;
    }
    e->n.messages++;
    e->touched = true;
    if (e->o.admits && !e->o.admits(e->o.ctx, from, bytes)) {
        e->n.not_admitted++;
        sip_stack_ahead(e->o.stack, slice_of(NULL, 0));
        return;
    }
    err = sip_stack_input(e->o.stack, from, bytes, uv_now(e->o.loop));
    look_ahead(e, next);
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
                                 .local = *pkt[i].local,
                                 .remote = *pkt[i].remote };

        l->edge->n.datagrams++;
        sip_edge_input(l->edge, &from, bytes[i],
                       i + 1 < n ? bytes[i + 1] : slice_of(NULL, 0));
    }
}

void sip_edge_handle_closed(struct sip_edge *e)
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

/* ---- life ------------------------------------------------------------------ */

static void on_tcp_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    sip_edge_handle_closed(l->edge);
}

static void on_refused(void *ctx)
{
    sip_edge_handle_closed(ctx);
}

static int listen_tcp(struct listener *l)
{
    struct sip_edge *e = l->edge;
    int err = uv_tcp_init(e->o.loop, &l->tcp);

    if (err)
        return err;
    l->tcp.data = l;
    l->refusal.on_done = on_refused;
    l->refusal.ctx = e;
    l->tcp_open = true;
    e->open_handles++;
    return listen_on(&l->tcp, &l->addr, BACKLOG, sip_conn_on_accept);
}

static int open_tls_listener(struct sip_edge *e, const struct gb_addr *addr)
{
    struct listener *l = &e->listener[e->n_listeners];
    int err;

    l->edge = e;
    l->index = (uint16_t)e->n_listeners++;
    l->tls = true;
    l->addr = *addr;
    err = listen_tcp(l);
    return err ? err : sockaddr_local(&l->tcp, &l->addr);
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
    sip_edge_handle_closed(h->data);
}

static void set_defaults(struct sip_edge_config *o)
{
    if (!o->strangers_bytes)
        o->strangers_bytes = SIP_EDGE_STRANGERS_BYTES;
    if (!o->strangers_idle_ms)
        o->strangers_idle_ms = SIP_EDGE_STRANGER_IDLE_MS;
    if (!o->strangers_per_source)
        o->strangers_per_source = SIP_EDGE_STRANGERS_PER_SOURCE;
    if (!o->max_connections)
        o->max_connections = SIP_EDGE_MAX_CONNECTIONS;
}

/* *failed is the one that could not be opened. */
static int open_listeners(struct sip_edge *e, size_t *failed)
{
    const struct sip_edge_config *o = &e->o;
    int err = 0;

    for (size_t i = 0; !err && i < o->n_listen + o->n_tls; i++) {
        if (failed)
            *failed = i;
        if (i >= SIP_EDGE_MAX_LISTEN)
            err = UV_ENOBUFS;
        else if (i < o->n_listen)
            err = open_listener(e, &o->listen[i]);
        else
            err = open_tls_listener(e, &o->tls_listen[i - o->n_listen]);
    }
    return err;
}

int sip_edge_new(struct sip_edge **out, const struct sip_edge_config *cfg,
                 size_t *failed)
{
    struct sip_edge *e = calloc(1, sizeof(*e));
    int err;

    if (!e)
        return UV_ENOMEM;
    e->o = *cfg;
    set_defaults(&e->o);
    if (sources_init(&e->sources, e->o.strangers_per_source)) {
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
    uv_timer_start(&e->sweep, sip_conn_on_sweep, SIP_EDGE_SWEEP_MS,
                   SIP_EDGE_SWEEP_MS);
    err = open_listeners(e, failed);
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
    sip_edge_drain_output(e, uv_now(e->o.loop));
    e->closing = true;
    e->on_closed = on_closed;
    e->closed_ctx = ctx;
    LIST_EACH(n, tmp, &e->connections)
        sip_conn_close(container_of(n, struct connection, node));
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
