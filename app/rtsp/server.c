#include "app/rtsp/server.h"

#include "app/net/listen.h"
#include "app/net/sockaddr.h"
#include "app/net/sources.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define REASON_MAX 256 /* bytes of why a stream cannot be watched */
#define CLOSE_MS 1000 /* for a last answer to be read */

struct rtsp_server {
    struct rtsp_server_config cfg;
    struct rtsp_auth auth;
    struct rtsp_viewer_hooks hooks;
    struct listen_set listen;
    struct list conns;
    struct sources sources; /* places: a connection, then the viewer */
    uint32_t n_places;
    unsigned open_handles;
    bool closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct rtsp_server_counters n;
};

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer; /* the request, the picture, or a due outcome */
    uv_write_t write;
    struct rtsp_server *server;
    struct list node;
    struct source *place; /* NULL: the viewer has it */
    struct gb_addr local, remote;
    bool secure;          /* over TLS: the relay's end of it */
    unsigned open_handles;
    bool closed, writing, ending;
    struct rtsp_session s;
    struct rtsp_reader in;
    struct slice pending; /* the request that names a stream, in `in` */
    char device[RTSP_ID_MAX + 1], channel[RTSP_ID_MAX + 1];
    unsigned stream;
    uint64_t session;     /* held; 0: none */
    uint64_t who;         /* the account that it is for; 0: none */
    bool due;             /* the outcome is known */
    unsigned status;
    char reason[REASON_MAX];
    size_t n_out;
    char out[RTSP_ANSWER_MAX];
};

static void serve(struct conn *c);
static void conn_adopt(struct rtsp_server *s, const struct rtsp_handover *h);

static struct gb_time now_of(const struct rtsp_server *s)
{
    return s->cfg.now(s->cfg.ctx);
}

/* ---- the end ------------------------------------------------------------ */

static void handle_closed(struct rtsp_server *s)
{
    if (--s->open_handles == 0 && s->closing && s->on_closed)
        s->on_closed(s->closed_ctx);
}

static void leave(struct rtsp_server *s, struct source *place)
{
    s->n_places -= place != NULL;
    sources_leave(&s->sources, place);
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct rtsp_server *s = c->server;

    if (--c->open_handles)
        return;
    free(c);
    handle_closed(s);
}

static void release(struct rtsp_server *s, uint64_t session)
{
    platform_session_release(s->cfg.platform, session, now_of(s));
    s->cfg.touched(s->cfg.ctx);
}

static void conn_close(struct conn *c)
{
    if (c->closed)
        return;
    c->closed = true;
    list_remove(&c->node);
    c->server->n.connections--;
    if (c->session)
        release(c->server, c->session);
    leave(c->server, c->place);
    uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
    uv_close((uv_handle_t *)&c->timer, on_conn_closed);
}

/* ---- writing ------------------------------------------------------------ */

static void on_late(uv_timer_t *t)
{
    conn_close(t->data);
}

static void on_written(uv_write_t *w, int status)
{
    struct conn *c = w->data;

    c->writing = false;
    if (c->closed)
        return;
    if (status) {
        conn_close(c);
        return;
    }
    if (c->ending) { /* the peer closes, or the timer does */
        uv_timer_start(&c->timer, on_late, CLOSE_MS, 0);
        return;
    }
    serve(c);
}

static struct writer out_writer(struct conn *c)
{
    return writer_of(c->out, sizeof(c->out));
}

static void send_out(struct conn *c, const struct writer *w)
{
    uv_buf_t b = uv_buf_init(c->out, (unsigned)w->len);

    if (w->err || w->len == 0) {
        conn_close(c);
        return;
    }
    c->write.data = c;
    c->writing = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written)) {
        c->writing = false;
        conn_close(c);
    }
}

/* An answer that is owed, then the next request. */
static void fail(struct conn *c, unsigned status, struct slice reason,
                 struct slice extra)
{
    struct writer w = out_writer(c);

    c->pending = (struct slice){ 0 };
    uv_timer_start(&c->timer, on_late, c->server->cfg.request_ms, 0);
    rtsp_session_failed(&c->s, status, reason, extra, &w);
    send_out(c, &w);
}

/* ---- what became of a session ------------------------------------------- */

/* 502: the device said no or did wrong. 504: it did not do it in time. */
static unsigned status_of(const struct platform_session *s)
{
    if (s->step == PLATFORM_STEP_DEVICE)
        return 404;
    return platform_step_is_late(s->step, s->sip_status) ? 504 : 502;
}

static void describe(struct conn *c, unsigned status, const char *what,
                     const struct platform_session *s)
{
    struct writer w = writer_of(c->reason, sizeof(c->reason) - 1);

    c->due = true;
    c->status = status;
    writer_str(&w, what);
    if (s->evidence.n) {
        writer_str(&w, ": ");
        writer_slice_put(&w, slice_head(s->evidence, 160));
    }
    c->reason[w.len] = '\0';
}

/* Is it known what became of it? */
static void judge(struct conn *c, const struct platform_session *s)
{
    switch (s->state) {
    case PLATFORM_STARTING:
        return;
    case PLATFORM_PLAYING:
        c->due = true;
        c->status = 200;
        return;
    case PLATFORM_STOPPING:
        describe(c, 404, "the session was stopped", s);
        return;
    case PLATFORM_FAILED:
        describe(c, status_of(s), platform_step_text(s->step), s);
        return;
    }
}

/* The link behind the last good one is the broken one. */
static void judge_late(struct conn *c)
{
    struct platform_session s = { .step = PLATFORM_STEP_DEVICE };

    platform_session_view(c->server->cfg.platform, c->session, &s);
    if (s.step < PLATFORM_STEP_PLAYING)
        s.step++;
    describe(c, 504, platform_step_text(s.step), &s);
}

/* ---- handing over ------------------------------------------------------- */

static int make_handover(struct conn *c, struct rtsp_handover *h)
{
    struct slice rest = rtsp_reader_rest(&c->in);
    size_t n = (size_t)(rest.p - c->pending.p) + rest.n;
    uv_os_fd_t fd;

    *h = (struct rtsp_handover){ .fd = -1,
                                 .place = c->place,
                                 .local = c->local,
                                 .remote = c->remote,
                                 .secure = c->secure,
                                 .session = c->session,
                                 .who = c->who,
                                 .stream = c->stream };
    memcpy(h->device, c->device, sizeof(h->device));
    memcpy(h->channel, c->channel, sizeof(h->channel));
    h->unread = malloc(n);
    if (!h->unread)
        return GB_ENOMEM;
    memcpy(h->unread, c->pending.p, n);
    h->n_unread = n;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd))
        return GB_EIO;
    h->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return h->fd < 0 ? GB_EIO : 0;
}

/* The session is not to be had: its hold goes back. */
static void give_up(struct conn *c, unsigned status, const char *why)
{
    uint64_t session = c->session;

    c->session = 0;
    release(c->server, session);
    fail(c, status, slice_str(why), (struct slice){ 0 });
}

/* libuv cannot move a handle: the socket goes on in a duplicate of its
 * descriptor, this handle is closed. */
static void hand_over(struct conn *c)
{
    struct rtsp_server *s = c->server;
    struct platform_session view;
    struct rtsp_handover h;
    int err;

    if (!platform_session_view(s->cfg.platform, c->session, &view)) {
        give_up(c, 404, "the session was stopped");
        return;
    }
    err = make_handover(c, &h);
    h.loop = view.loop;
    if (!err)
        err = rtsp_viewer_start(s->cfg.media, &s->hooks, &h);
    if (err) {
        free(h.unread);
        if (h.fd >= 0)
            close(h.fd);
        give_up(c, 503, "no room for another viewer");
        return;
    }
    s->n.handed_over++;
    s->n.viewers++;
    c->place = NULL; /* the viewer's now, and the hold on the session */
    c->session = 0;
    conn_close(c);
}

static void on_viewer_gone(void *ctx, const struct rtsp_handover *h)
{
    struct rtsp_server *s = ctx;

    s->n.viewers--;
    if (!s->closing)
        release(s, h->session);
    if (h->fd >= 0 && !s->closing) {
        conn_adopt(s, h);
        return;
    }
    if (h->fd >= 0)
        close(h->fd);
    free(h->unread);
    leave(s, h->place);
}

/* Out of the timer: the platform may be called here. */
static void finish(struct conn *c)
{
    if (c->status == 200)
        hand_over(c);
    else
        give_up(c, c->status, c->reason);
}

static void on_due(uv_timer_t *t)
{
    struct conn *c = t->data;

    if (!c->due)
        judge_late(c);
    finish(c);
}

void rtsp_server_dismiss(struct rtsp_server *s, uint64_t who)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &s->conns) {
        struct conn *c = container_of(n, struct conn, node);

        if (who && c->who == who)
            conn_close(c);
    }
}

void rtsp_server_on_session(struct rtsp_server *s, uint64_t session, bool gone)
{
    struct platform_session view;
    struct list *n, *tmp;

    if (!platform_session_view(s->cfg.platform, session, &view))
        return;
    if (gone && view.state != PLATFORM_FAILED)
        view.state = PLATFORM_STOPPING;
    LIST_EACH(n, tmp, &s->conns) {
        struct conn *c = container_of(n, struct conn, node);

        if (c->session != session || c->due)
            continue;
        judge(c, &view);
        if (c->due)
            uv_timer_start(&c->timer, on_due, 0, 0);
    }
}

/* ---- who may ------------------------------------------------------------ */

static void challenge(struct conn *c, bool stale)
{
    struct rtsp_server *s = c->server;
    char text[512];
    struct writer w = writer_of(text, sizeof(text));

    rtsp_auth_challenge(&s->auth, &c->remote,
                        now_of(s).utc_ms / 1000, stale, &w);
    fail(c, 401, (struct slice){ 0 }, writer_slice(&w));
}

/* false: it has been answered. */
static bool may_watch(struct conn *c, const struct rtsp_request *r,
                      struct slice device, const struct rtsp_url *u)
{
    struct rtsp_server *s = c->server;
    const struct gb_addr *from = &c->remote;
    uint32_t wait_s;

    c->who = 0;
    if (!s->cfg.auth)
        return true;
    if (u->signature.n &&
        s->cfg.is_signed(s->cfg.ctx, device, u->channel, u->signature,
                         &c->who))
        return true;
    wait_s = r->authorization.n ? s->cfg.wait_s(s->cfg.ctx, from) : 0;
    if (wait_s) { /* too many wrong passwords: not even looked at */
        char text[64];
        struct writer w = writer_of(text, sizeof(text));

        writer_f(&w, "Retry-After: %u\r\n", (unsigned)wait_s);
        fail(c, 403, SLICE("too many wrong passwords from this address"),
             writer_slice(&w));
        return false;
    }
    switch (rtsp_auth_check(&s->auth, r->method_name, r->url,
                            r->authorization, from,
                            now_of(s).utc_ms / 1000, &c->who)) {
    case RTSP_PROOF_RIGHT:
        return true;
    case RTSP_PROOF_WRONG:
        s->cfg.failed(s->cfg.ctx, from);
        challenge(c, false);
        return false;
    case RTSP_PROOF_STALE:
        challenge(c, true);
        return false;
    case RTSP_PROOF_NONE:
        break;
    }
    challenge(c, false);
    return false;
}

/* What an account does not see looks like what is not there. */
static bool sees(struct conn *c, struct slice device)
{
    const struct rtsp_server_config *cfg = &c->server->cfg;
    struct platform_session view;
    uint64_t id;

    if (!c->who)
        return true;
    if (slice_eq(device, SLICE(RTSP_SESSION))) {
        if (!slice_u64(slice_str(c->channel), UINT64_MAX, &id) ||
            !platform_session_view(cfg->platform, id, &view))
            return true; /* there is none */
        device = view.device;
    }
    return cfg->sees && cfg->sees(cfg->ctx, c->who, device);
}

/* ---- requests ----------------------------------------------------------- */

static void start_failed(struct conn *c, int err,
                         const struct platform_session *s)
{
    struct writer w = writer_of(c->reason, sizeof(c->reason) - 1);

    writer_str(&w, err == GB_ENOENT  ? "no such device, channel or session"
                   : err == GB_ESTATE ? "the device is offline"
                   : err == GB_ELIMIT || err == GB_ENOMEM
                       ? "no room for another session"
                       : platform_step_text(s->step));
    fail(c, err == GB_ENOENT || err == GB_ESTATE ? 404
            : err == GB_ELIMIT || err == GB_ENOMEM ? 503 : 502,
         writer_slice(&w), (struct slice){ 0 });
}

/* /session/ID, of a playback, for one: it runs already. */
static int find_session(struct conn *c, struct platform_session *view)
{
    struct rtsp_server *s = c->server;
    uint64_t id;

    if (!slice_u64(slice_str(c->channel), UINT64_MAX, &id) ||
        !platform_session_view(s->cfg.platform, id, view))
        return GB_ENOENT;
    return 0;
}

static int find_live(struct conn *c, struct platform_session *view)
{
    struct rtsp_server *s = c->server;
    struct platform_live req = { .device = slice_str(c->device),
                                 .channel = slice_str(c->channel),
                                 .stream = c->stream };
    int err = platform_live_start(s->cfg.platform, &req, now_of(s), view);

    s->cfg.touched(s->cfg.ctx);
    return err;
}

/* The stream of u: found or started, then waited for. */
static void open_stream(struct conn *c, const struct rtsp_item *item,
                        const struct rtsp_url *u)
{
    struct rtsp_server *s = c->server;
    struct platform_session view = { 0 };
    struct slice device = u->device;
    int err;

    c->pending = item->whole;
    if (device.n == 0 &&
        !platform_channel_owner(s->cfg.platform, u->channel, &device))
        device = (struct slice){ 0 };
    /* who may not watch is not told what there is */
    if (!may_watch(c, &item->request, device, u))
        return;
    if (device.n == 0) {
        start_failed(c, GB_ENOENT, &view);
        return;
    }
    slice_copy(c->device, sizeof(c->device), device);
    slice_copy(c->channel, sizeof(c->channel), u->channel);
    c->stream = u->stream;
    err = !sees(c, device)                        ? GB_ENOENT
          : slice_eq(device, SLICE(RTSP_SESSION)) ? find_session(c, &view)
                                                  : find_live(c, &view);
    if (err) {
        start_failed(c, err, &view);
        return;
    }
    platform_session_hold(s->cfg.platform, view.id, now_of(s));
    c->session = view.id;
    c->due = false;
    judge(c, &view);
    uv_timer_start(&c->timer, on_due,
                   c->due ? 0 : s->cfg.wait_ms + view.longer_ms, 0);
}

static void take_request(struct conn *c, const struct rtsp_item *item)
{
    struct writer w = out_writer(c);
    struct rtsp_url url;
    enum rtsp_effect e;

    c->server->n.requests++;
    e = rtsp_session_request(&c->s, &item->request, &url, &w,
                             uv_now(c->server->cfg.loop));
    if (e == RTSP_DO_OPEN) {
        open_stream(c, item, &url);
        return;
    }
    c->ending = !item->request.is_framed;
    send_out(c, &w);
}

/* Requests one after another, each when the last is answered. */
static void serve(struct conn *c)
{
    while (!c->closed && !c->writing && !c->s.owed && !c->ending) {
        struct rtsp_item item;
        int err = rtsp_reader_next(&c->in, &item);

        if (err == GB_EAGAIN)
            return;
        if (err) {
            struct writer w = out_writer(c);

            rtsp_answer(&w, 413, (struct slice){ 0 }, (struct slice){ 0 });
            c->ending = true;
            send_out(c, &w);
        } else if (item.kind == RTSP_ITEM_REQUEST) {
            take_request(c, &item);
        }
    }
}

/* ---- connections -------------------------------------------------------- */

/* Bytes that wait for a picture stay where the request is, which must not
 * move: no more than there is room for. */
static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct conn *c = h->data;
    char *p;
    size_t n;

    (void)hint;
    if (c->s.owed) {
        p = c->in.buf + c->in.n;
        n = sizeof(c->in.buf) - c->in.n;
    } else {
        n = rtsp_reader_room(&c->in, &p);
    }
    *buf = uv_buf_init(p, (unsigned)n);
}

/* It speaks TLS: the relay takes its socket, and what that gives in its stead
 * goes on in c's place. */
static bool take_tls(struct conn *c)
{
    struct rtsp_server *s = c->server;
    struct rtsp_handover h = { .place = c->place, .local = c->local,
                               .remote = c->remote, .secure = true };

    if (c->secure || !tls_relay_takes(s->cfg.tls, &c->tcp,
                                      rtsp_reader_rest(&c->in), &h.fd))
        return false;
    c->place = NULL;
    conn_adopt(s, &h);
    return true;
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = h->data;

    (void)buf;
    if (c->closed || n == 0)
        return;
    if (n < 0) { /* UV_ENOBUFS: sends ahead more than there is room for */
        conn_close(c);
        return;
    }
    rtsp_reader_added(&c->in, (size_t)n);
    if (take_tls(c))
        conn_close(c);
    else
        serve(c);
}

/* One more of its source; NULL: there is no room. */
static struct source *enter(struct rtsp_server *s, const struct gb_addr *from)
{
    struct source *place = s->n_places < s->cfg.max_conns
                               ? sources_enter(&s->sources, from)
                               : NULL;

    s->n_places += place != NULL;
    return place;
}

static struct conn *conn_new(struct rtsp_server *s)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    if (uv_tcp_init(s->cfg.loop, &c->tcp)) {
        free(c);
        return NULL;
    }
    uv_timer_init(s->cfg.loop, &c->timer);
    c->server = s;
    c->tcp.data = c->timer.data = c;
    c->open_handles = 2;
    s->open_handles++;
    s->n.connections++;
    list_push_back(&s->conns, &c->node);
    rtsp_session_init(&c->s, uv_now(s->cfg.loop));
    return c;
}

static void conn_start(struct conn *c)
{
    uv_timer_start(&c->timer, on_late, c->server->cfg.request_ms, 0);
    if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read))
        conn_close(c);
    else
        serve(c);
}

/* A connection comes back from a media loop, its place with it. */
static void conn_adopt(struct rtsp_server *s, const struct rtsp_handover *h)
{
    struct conn *c = conn_new(s);
    char *p;

    if (!c || uv_tcp_open(&c->tcp, h->fd)) {
        close(h->fd);
        leave(s, h->place);
        if (c)
            conn_close(c);
    } else {
        c->place = h->place;
        c->local = h->local;
        c->remote = h->remote;
        c->secure = h->secure;
        if (h->n_unread && h->n_unread <= rtsp_reader_room(&c->in, &p)) {
            memcpy(p, h->unread, h->n_unread);
            rtsp_reader_added(&c->in, h->n_unread);
        }
        conn_start(c);
    }
    free(h->unread);
}

static void begin(struct rtsp_server *s, struct conn *c)
{
    sockaddr_peer(&c->tcp, &c->remote);
    sockaddr_local(&c->tcp, &c->local);
    c->place = enter(s, &c->remote);
    if (!c->place) {
        s->n.refused++;
        conn_close(c);
        return;
    }
    s->n.accepted++;
    conn_start(c);
}

static bool on_connection(void *ctx, uv_stream_t *h)
{
    struct rtsp_server *s = ctx;
    struct conn *c = conn_new(s);

    if (!c)
        return false;
    if (uv_accept(h, (uv_stream_t *)&c->tcp))
        conn_close(c);
    else
        begin(s, c);
    return true;
}

/* ---- start and end ------------------------------------------------------ */

static void on_listen_closed(void *ctx)
{
    handle_closed(ctx);
}

static void defaults(struct rtsp_server_config *c)
{
    c->max_conns = c->max_conns ? c->max_conns : RTSP_CONNS_MAX;
    c->max_per_source =
        c->max_per_source ? c->max_per_source : RTSP_CONNS_PER_SOURCE;
    c->request_ms = c->request_ms ? c->request_ms : RTSP_REQUEST_MS;
    c->wait_ms = c->wait_ms ? c->wait_ms : RTSP_LIVE_WAIT_MS;
}

static void free_self(void *ctx)
{
    rtsp_server_free(ctx);
}

int rtsp_server_new(struct rtsp_server **out,
                    const struct rtsp_server_config *cfg, size_t *failed)
{
    struct rtsp_server *s = calloc(1, sizeof(*s));
    struct listen_hooks hooks = { on_connection, on_listen_closed, s };
    int err;

    if (!s)
        return GB_ENOMEM;
    s->cfg = *cfg;
    defaults(&s->cfg);
    s->hooks = cfg->hooks;
    s->hooks.on_gone = on_viewer_gone;
    s->hooks.ctx = s;
    s->auth.token = slice_str(cfg->token);
    s->auth.by_token = cfg->by_token;
    s->auth.by_name = cfg->by_name;
    s->auth.ctx = cfg->ctx;
    sip_nonce_key_init(&s->auth.key, cfg->nonce_key);
    list_init(&s->conns);
    err = sources_init(&s->sources, s->cfg.max_per_source);
    if (err) {
        free(s);
        return err;
    }
    s->open_handles = 1; /* the listeners */
    err = listen_set_open(&s->listen, s->cfg.loop, &gb_alloc_heap, &hooks,
                          s->cfg.listen, s->cfg.n_listen, failed);
    s->cfg.listen = NULL; /* borrowed during this call only */
    if (err)
        rtsp_server_close(s, free_self, s);
    else
        *out = s;
    return err;
}

struct gb_addr rtsp_server_addr(const struct rtsp_server *s, size_t i)
{
    return listen_set_addr(&s->listen, i);
}

void rtsp_server_close(struct rtsp_server *s, void (*on_closed)(void *ctx),
                       void *ctx)
{
    struct list *n, *tmp;

    s->on_closed = on_closed;
    s->closed_ctx = ctx;
    s->open_handles++; /* ours, until the end of this function */
    LIST_EACH(n, tmp, &s->conns)
        conn_close(container_of(n, struct conn, node));
    s->closing = true;
    listen_set_close(&s->listen);
    handle_closed(s);
}

void rtsp_server_free(struct rtsp_server *s)
{
    if (!s)
        return;
    sources_fini(&s->sources);
    free(s);
}

void rtsp_server_counters(const struct rtsp_server *s,
                          struct rtsp_server_counters *out)
{
    *out = s->n;
}
