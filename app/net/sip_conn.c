/* Connections of TCP and TLS: accepted and made, what comes and goes on them,
 * and what strangers may hold. The pump that they feed is in sip_edge.c. */
#include "app/net/log.h"
#include "app/net/noted.h"
#include "app/net/sip_edge_int.h"
#include "app/net/sockaddr.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define SIP_EDGE_PROBE_S 15      /* between the kernel's keep-alive probes */
#define SIP_EDGE_TLS_LOG_MS 1000 /* at most one line about TLS in this time */
#define SIP_EDGE_FIRST_BUF 4096
#define QUIET_AT_ONCE 64 /* connections, a sweep */

struct write_req {
    uv_write_t req;
    size_t n;
    char bytes[];
};

/* ---- strangers ------------------------------------------------------------- */

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
    c->asked_ms = uv_now(c->edge->o.loop);
    list_remove(&c->stranger);
    sources_leave(&c->edge->sources, c->source);
    c->source = NULL;
    c->edge->n.strangers--;
    c->edge->n.strangers_bytes -= c->held;
}

/* Nobody is registered over it any more: else whoever unregisters on each of
 * many connections would keep them all. */
static void distrust(struct connection *c, uint64_t now_ms)
{
    struct sip_edge *e = c->edge;

    c->source = sources_enter(&e->sources, &c->peer.remote);
    if (!c->source) {
        sip_conn_close(c);
        return;
    }
    c->trusted = false;
    c->moved_ms = now_ms;
    list_push_back(&e->strangers, &c->stranger);
    e->n.strangers++;
    e->n.strangers_bytes += c->held;
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
    sip_conn_close(c);
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
        sip_conn_close(c);
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
        sip_conn_close(c);
        return false;
    }
    w->n = s.n;
    c->queued += sizeof(*w) + s.n;
    hold(c, sizeof(*w) + s.n);
    memcpy(w->bytes, s.p, s.n);
    b = uv_buf_init(w->bytes, (unsigned)s.n);
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written)) {
        forget_write(c, w);
        sip_conn_close(c);
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

bool sip_conn_send(struct connection *c, struct slice s)
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
        sip_conn_close(c);
    }
    return false;
}
/* ---- a connection's life ------------------------------------------------------ */

static void on_conn_closed(uv_handle_t *h)
{
    struct connection *c = h->data;
    struct sip_edge *e = c->edge;

    tls_free(c->tls);
    free(c->buf);
    free(c);
    sip_edge_handle_closed(e);
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

void sip_conn_close(struct connection *c)
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
    if (sip_conn_send(c, SLICE("\r\n")))
        c->ponged = c->queued > 0;
}

static void take_message(struct connection *c, struct slice bytes)
{
    c->spoke = true;
    c->moved_ms = uv_now(c->edge->o.loop);
    sip_edge_input(c->edge, &c->peer, bytes, slice_of(NULL, 0));
}

/* That much of c->buf is done with. */
static void consume(struct connection *c, size_t used)
{
    if (used) {
        memmove(c->buf, c->buf + used, c->len - used);
        c->len -= used;
        c->quiet_len = 0;
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
            take_message(c, cut.bytes);
        } else if (err == 0) {
            pinged = true;
        } else if (err != GB_EAGAIN) {
            if (cut.bytes.n)
                sip_edge_input(c->edge, &c->peer, cut.bytes, slice_of(NULL, 0));
            sip_edge_drain_output(c->edge, uv_now(c->edge->o.loop));
            noted_bad(NOTED_SIP_TCP, &c->peer.remote,
                      "where a message ends cannot be told");
            c->edge->n.cut++;
            sip_conn_close(c);
            return;
        }
        used += cut.used;
        if (err == GB_EAGAIN)
            break;
    }
    if (pinged)
        answer_ping(c);
    consume(c, used);
}

/* Of a device: its Content-Length says that more is to come, and nothing does. */
static bool is_quiet(const struct connection *c, uint64_t now_ms)
{
    return c->trusted && c->len && c->len != c->quiet_len &&
           now_ms - c->since_ms > SIP_EDGE_QUIET_MS;
}

static void take_quiet(struct sip_edge *e, uint64_t id)
{
    struct connection *c = idmap_find(&e->by_id, id);
    struct sip_cut cut;

    if (!c)
        return;
    c->quiet_len = c->len;
    if (sip_frame_quiet(&c->frame, slice_of((const char *)c->buf, c->len),
                        &cut))
        return;
    take_message(c, cut.bytes);
    consume(c, cut.used);
    take_messages(c); /* those that were counted for it */
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
        sip_conn_close(c);
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
    sip_conn_close(c);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct connection *c = s->data;

    if (n < 0) {
        sip_conn_close(c);
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
    sockaddr_local(&c->tcp, &c->peer.local);
    sockaddr_peer(&c->tcp, &c->peer.remote);
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

void sip_conn_on_accept(uv_stream_t *server, int status)
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
        sip_conn_close(c);
        return;
    }
    read_addresses(c);
    c->source = sources_enter(&l->edge->sources, &c->peer.remote);
    if (!c->source) {
        l->edge->n.refused++;
        sip_conn_close(c);
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
        sip_conn_close(c);
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
        sip_conn_close(c);
        return UV_ENOMEM;
    }
    if (local)
        bind_local(c, local);
    sockaddr_of(&ss, remote, false);
    err = uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&ss,
                         on_connected);
    if (err) {
        sip_conn_close(c);
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
struct connection *sip_conn_dial(struct sip_edge *e, const struct sip_peer *to)
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
        sip_conn_close(c);
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
    sip_conn_send(c, SLICE("\r\n"));
}

/* A connection for large requests that does not come up, or has been idle for
 * long: no fault of the peer's. */
static bool is_dialled_out(const struct connection *c, uint64_t now_ms)
{
    return !list_is_empty(&c->dialled) &&
           now_ms - c->moved_ms >
               (c->up ? SIP_EDGE_DIAL_IDLE_MS : SIP_EDGE_DIAL_MS);
}

/* As often as a stranger would have to show itself. */
static bool is_forsaken(struct connection *c, uint64_t now_ms)
{
    const struct sip_edge_config *o = &c->edge->o;

    if (!c->trusted || c->ours || !o->is_bound ||
        now_ms - c->asked_ms <= o->strangers_idle_ms)
        return false;
    c->asked_ms = now_ms;
    return !o->is_bound(o->ctx, &c->peer);
}

void sip_conn_on_sweep(uv_timer_t *t)
{
    struct sip_edge *e = t->data;
    uint64_t now_ms = uv_now(e->o.loop), quiet[QUIET_AT_ONCE];
    struct list *n, *tmp;
    size_t n_quiet = 0;

    LIST_EACH(n, tmp, &e->connections) {
        struct connection *c = container_of(n, struct connection, node);

        if (n_quiet < QUIET_AT_ONCE && is_quiet(c, now_ms))
            quiet[n_quiet++] = c->id;
        if (is_dialled_out(c, now_ms)) {
            sip_conn_close(c);
        } else if (is_forsaken(c, now_ms)) {
            distrust(c, now_ms);
        } else if (!c->trusted &&
                   now_ms - c->moved_ms > e->o.strangers_idle_ms) {
            cut_stranger(c);
        } else if (is_stalled(c, now_ms)) {
            e->n.cut++;
            sip_conn_close(c);
        } else if (e->o.keep_open_ms && c->trusted && list_is_empty(&c->dialled)) {
            keep_open(c, now_ms);
        }
    }
    for (size_t i = 0; i < n_quiet; i++) /* a message may end any connection */
        take_quiet(e, quiet[i]);
}
