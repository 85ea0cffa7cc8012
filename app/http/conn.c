#include "app/http/conn.h"

#include "app/http/problem.h"
#include "app/http/ws.h"
#include "app/net/noted.h"
#include "app/net/sockaddr.h"
#include "base/head.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16384 /* bytes of events that one write gathers */

static void next_request(struct conn *c);
static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf);

static uint64_t now_of(const struct conn *c)
{
    return uv_now(c->server->cfg.loop);
}

static void set_deadline(struct conn *c, uint32_t after_ms)
{
    c->deadline_ms = now_of(c) + after_ms;
}

/* ---- life --------------------------------------------------------------------- */

struct conn *conn_new(struct http_server *s)
{
    struct conn *c = gb_get(s->cfg.alloc, sizeof(*c));

    if (!c)
        return NULL;
    c->server = s;
    if (uv_tcp_init(s->cfg.loop, &c->tcp)) {
        gb_put(s->cfg.alloc, c);
        return NULL;
    }
    c->tcp.data = c;
    c->deadline_ms = GB_NEVER;
    buf_init(&c->in, s->cfg.alloc,
             HTTP_HEAD_MAX + HTTP_PICTURE_MAX + 2 * HTTP_UNREAD_MAX);
    buf_init(&c->out, s->cfg.alloc, HTTP_HEAD_MAX * 2);
    buf_init(&c->fields, s->cfg.alloc, 0);
    buf_init(&c->body, s->cfg.alloc, 0);
    list_init(&c->event_node);
    list_push_back(&s->conns, &c->node);
    s->open_handles++;
    c->client = ++s->n_clients;
    s->n.connections++;
    return c;
}

static void drop_output(struct conn *c)
{
    buf_fini(&c->out);
    buf_fini(&c->fields);
    buf_fini(&c->body);
    hls_part_unref(c->part);
    c->part = NULL;
}

static void on_close(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct http_server *s = c->server;

    drop_output(c);
    buf_fini(&c->in);
    gb_put(s->cfg.alloc, c);
    server_handle_closed(s);
}

static void release_body(struct conn *c)
{
    c->server->bodies_left += c->reserved;
    c->reserved = 0;
}

void conn_close(struct conn *c)
{
    struct http_server *s = c->server;
    uint64_t request = c->request;

    if (c->state == CONN_CLOSED)
        return;
    if (c->state == CONN_EVENTS)
        s->n.event_streams--;
    if (c->state == CONN_EVENTS && !c->trace.on && !c->log.on)
        http_app_event_leave(s->cfg.app);
    c->state = CONN_CLOSED;
    c->request = 0;
    conn_file_drop(c);
    conn_talk_drop(c);
    release_body(c);
    list_remove(&c->event_node);
    server_forget(s, c);
    uv_close((uv_handle_t *)&c->tcp, on_close);
    http_app_closed(s->cfg.app, c->client);
    if (request) {
        idmap_remove(&s->requests, request);
        http_app_gone(s->cfg.app, request);
        server_arm(s);
    }
}

/* ---- the socket's side: TLS would sit here --------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct conn *c = h->data;

    (void)hint;
    *buf = uv_buf_init(c->server->scratch, sizeof(c->server->scratch));
}

static void read_on(struct conn *c)
{
    if (!c->reading && c->state != CONN_CLOSED &&
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0)
        c->reading = true;
}

static void read_off(struct conn *c)
{
    if (c->reading)
        uv_read_stop((uv_stream_t *)&c->tcp);
    c->reading = false;
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)req;
    (void)status;
}

/* Our last byte is written. Closing at once would reset the connection while
 * the client still sends, and it might never see the answer. */
static void linger(struct conn *c)
{
    c->state = CONN_LINGER;
    drop_output(c);
    buf_fini(&c->in);
    release_body(c);
    set_deadline(c, HTTP_LINGER_MS);
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown))
        conn_close(c);
    else
        read_on(c);
}

static void written(struct conn *c)
{
    drop_output(c);
    if (c->state == CONN_WRITING && conn_file_more(c))
        return;
    if (c->state == CONN_CLOSED)
        return;
    if (c->state == CONN_EVENTS) {
        c->deadline_ms = GB_NEVER;
        conn_pump_events(c);
    } else if (c->state == CONN_TALK) {
        if (!conn_talk_pump(c)) {
            conn_talk_drop(c);
            linger(c);
        }
    } else if (c->state == CONN_WRITING && c->keep_alive) {
        next_request(c);
    } else if (c->state == CONN_WRITING) {
        linger(c);
    }
}

static void on_write(uv_write_t *req, int status)
{
    struct conn *c = req->data;

    c->writing = false;
    if (c->state == CONN_CLOSED)
        return; /* on_close frees */
    if (status)
        conn_close(c);
    else
        written(c);
}

/* Sends out, fields and body (or fixed, which outlives the write). */
void conn_write(struct conn *c, struct slice fixed)
{
    const struct buf *parts[] = { &c->out, &c->fields, &c->body };
    uv_buf_t bufs[4];
    unsigned n = 0;

    for (size_t i = 0; i < 3; i++) {
        if (parts[i] == &c->fields && c->fields.len == 0)
            continue;
        if (parts[i]->len)
            bufs[n++] = uv_buf_init(parts[i]->p, (unsigned)parts[i]->len);
    }
    if (fixed.n)
        bufs[n++] = uv_buf_init((char *)(uintptr_t)fixed.p,
                                (unsigned)fixed.n);
    c->write.data = c;
    c->writing = true;
    c->write_queue = SIZE_MAX;
    set_deadline(c, c->server->cfg.write_timeout_ms);
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, bufs, n, on_write)) {
        c->writing = false;
        conn_close(c);
    }
}

/* ---- answers ------------------------------------------------------------------------- */

static bool has_field(const struct buf *fields, const char *name)
{
    struct slice rest = buf_view(fields), line;

    while (rest.n) {
        slice_cut(&rest, '\n', &line);
        if (slice_has_iprefix(line, slice_str(name)))
            return true;
    }
    return false;
}

static void put_date(struct buf *out)
{
    char text[64];
    time_t t = time(NULL);
    struct tm tm;

    if (gmtime_r(&t, &tm) &&
        strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                 &tm))
        buf_str(out, text);
}

static void put_status(struct conn *c, unsigned status)
{
    buf_f(&c->out, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
    put_date(&c->out);
}

/* The head of an answer with a body of len bytes; fields are in c->fields and
 * go out behind it, so the empty line is theirs. */
static void put_head(struct conn *c, const struct http_response *r, size_t len)
{
    put_status(c, r->status);
    if (r->type) {
        buf_str(&c->out, "Content-Type: ");
        buf_str(&c->out, r->type);
        buf_str(&c->out, "\r\nX-Content-Type-Options: nosniff\r\n");
    }
    if (!has_field(&c->fields, "Cache-Control:"))
        buf_str(&c->out, "Cache-Control: no-store\r\n");
    if (r->status != 204 && r->status != 304 && !(c->head_only && len == 0))
        buf_f(&c->out, "Content-Length: %zu\r\n", len);
    buf_str(&c->out, c->keep_alive ? "Connection: keep-alive\r\n"
                                   : "Connection: close\r\n");
    buf_bytes(&c->fields, "\r\n", 2);
}

/* Takes the buffers of r. */
static void take(struct conn *c, struct http_response *r)
{
    drop_output(c);
    c->fields = r->fields;
    c->body = r->body;
    buf_init(&r->fields, c->server->cfg.alloc, 0);
    buf_init(&r->body, c->server->cfg.alloc, 0);
}

static void answer_body(struct conn *c, struct http_response *r)
{
    struct slice fixed = r->fixed;
    size_t len;

    take(c, r);
    len = fixed.n ? fixed.n : c->body.len;
    put_head(c, r, len);
    if (c->head_only || r->status == 304 || r->status == 204) {
        buf_fini(&c->body);
        fixed = (struct slice){ 0 };
    }
    c->state = CONN_WRITING;
    if (c->out.err || c->fields.err || c->body.err)
        conn_close(c);
    else
        conn_write(c, fixed);
}

void conn_file_head(struct conn *c, const char *type, uint64_t size)
{
    const struct http_response r = { .status = 200, .type = type };

    put_head(c, &r, (size_t)size);
}

static void answer_file(struct conn *c, struct http_response *r)
{
    struct http_file what = r->file;

    take(c, r);
    if (!what.whole)
        put_head(c, r, (size_t)what.n);
    c->state = CONN_WRITING;
    if (c->out.err || c->fields.err)
        conn_close(c);
    else if (!what.whole && (c->head_only || what.n == 0))
        conn_write(c, (struct slice){ 0 });
    else if (conn_file_send(c, &what))
        r->file.cuts = NULL;
    else
        conn_problem(c, 503, "too many files are being sent");
}

/* Head and part in one write; its pieces are shared by all who want it. */
static void write_part(struct conn *c)
{
    size_t max = 2 + c->part->n_chunks * MEDIA_CHUNK_IOVS, n = 2;
    struct media_iov *iov = gb_get(c->server->cfg.alloc, max * sizeof(*iov));

    _Static_assert(sizeof(*iov) == sizeof(uv_buf_t), "both are struct iovec");
    if (!iov) {
        conn_close(c);
        return;
    }
    iov[0] = (struct media_iov){ c->out.p, c->out.len };
    iov[1] = (struct media_iov){ c->fields.p, c->fields.len };
    n += hls_part_iov(c->part, iov + 2, max - 2);
    c->write.data = c;
    c->writing = true;
    c->write_queue = SIZE_MAX;
    set_deadline(c, c->server->cfg.write_timeout_ms);
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, (uv_buf_t *)iov,
                 (unsigned)n, on_write)) { /* which copies iov */
        c->writing = false;
        conn_close(c);
    }
    gb_put(c->server->cfg.alloc, iov);
}

static void answer_part(struct conn *c, struct http_response *r)
{
    take(c, r);
    c->part = r->part;
    c->part_until_ms = now_of(c) + HTTP_PART_TIMEOUT_MS;
    r->part = NULL;
    put_head(c, r, c->part->bytes);
    c->state = CONN_WRITING;
    if (c->out.err || c->fields.err)
        conn_close(c);
    else if (c->head_only)
        conn_write(c, (struct slice){ 0 });
    else
        write_part(c);
}

static void answer_problem(struct conn *c, unsigned status, const char *why)
{
    const struct http_problem p = { .status = status, .detail = why };
    struct http_response r;

    http_response_init(&r, c->server->cfg.alloc);
    r.status = status;
    r.type = HTTP_PROBLEM_TYPE;
    http_problem_write(&r.body, &p);
    if (status == 426)
        buf_str(&r.fields, "Sec-WebSocket-Version: 13\r\n"
                           "Upgrade: websocket\r\n");
    answer_body(c, &r);
    http_response_fini(&r);
}

void conn_problem(struct conn *c, unsigned status, const char *why)
{
    c->keep_alive = false;
    read_off(c);
    answer_problem(c, status, why);
}

/* Reads the head of the current request again: its slices do not outlive the
 * call that found it. */
static const struct http_head *head_again(struct conn *c)
{
    struct http_fault fault;
    long n = http_head_parse_max(&c->server->head, buf_view(&c->in),
                                 HTTP_UPLOAD_MAX, &fault);

    return n > 0 ? &c->server->head : NULL;
}

static void put_ws_head(struct conn *c)
{
    const struct http_head *h = head_again(c);
    char accept[WS_ACCEPT_LEN + 1], text[HTTP_STREAM_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text));

    if (!h)
        return;
    ws_accept(http_head_get(h, HTTP_HDR_SEC_WEBSOCKET_KEY), accept);
    http_stream_ws_head_write(&w, accept);
    buf_slice(&c->out, writer_slice(&w));
}

/* The WebSocket opens, tells why it will not do, and closes. */
static void answer_ws_text(struct conn *c, struct http_response *r)
{
    uint8_t head[WS_HEADER_MAX];
    char text[WS_CONTROL_MAX + WS_HEADER_MAX];
    struct writer w = writer_of(text, sizeof(text));

    take(c, r);
    buf_fini(&c->fields);
    put_ws_head(c);
    buf_bytes(&c->out, head, ws_header(head, WS_TEXT, c->body.len));
    ws_close_write(&w, WS_CLOSE_ERROR, SLICE("no live media"));
    buf_slice(&c->body, writer_slice(&w));
    c->keep_alive = false;
    c->state = CONN_WRITING;
    if (c->out.err || c->body.err)
        conn_close(c);
    else
        conn_write(c, (struct slice){ 0 });
}

/* What came behind the request is the first of the sound. */
static void answer_talk(struct conn *c)
{
    struct buf ahead = c->in;
    size_t done = c->head_len + c->body_len;

    c->keep_alive = false;
    drop_output(c);
    put_ws_head(c);
    buf_init(&c->in, c->server->cfg.alloc, 0);
    c->state = CONN_TALK;
    if (c->out.err || !conn_talk_new(c)) {
        conn_close(c);
    } else {
        conn_write(c, (struct slice){ 0 });
        if (c->state == CONN_TALK && ahead.len > done)
            conn_talk_input(c, ahead.p + done, ahead.len - done);
        read_on(c);
    }
    buf_fini(&ahead);
}

static void answer_events(struct conn *c, struct http_response *r)
{
    struct http_server *s = c->server;

    if (s->n.event_streams == HTTP_EVENT_STREAMS_MAX) {
        answer_problem(c, 503, "too many event streams");
        return;
    }
    c->keep_alive = false;
    put_status(c, 200);
    buf_str(&c->out, "Content-Type: text/event-stream\r\n"
                     "Cache-Control: no-store\r\n"
                     "X-Accel-Buffering: no\r\n"
                     "Connection: close\r\n\r\n"
                     "retry: 3000\n\n");
    c->state = CONN_EVENTS;
    s->n.event_streams++;
    list_push_back(&s->streams, &c->event_node);
    c->event_seq = r->event_seq;
    c->trace = r->trace;
    c->log = r->log;
    if (!c->trace.on && !c->log.on)
        http_app_event_join(s->cfg.app);
    c->ping_ms = now_of(c) + HTTP_PING_MS;
    buf_fini(&c->in);
    if (c->out.err)
        conn_close(c);
    else
        conn_write(c, (struct slice){ 0 });
    read_on(c); /* to notice that the client goes */
}

static bool next_event(struct conn *c)
{
    struct http_app *a = c->server->cfg.app;

    if (c->log.on)
        return http_app_log_next(a, &c->log, &c->event_seq, &c->out);
    return c->trace.on
               ? http_app_trace_next(a, &c->trace, &c->event_seq, &c->out)
               : http_app_event_next(a, c->who, &c->event_seq, &c->out);
}

void conn_pump_events(struct conn *c)
{
    if (c->writing || c->state != CONN_EVENTS)
        return;
    if (!http_app_who_is_there(c->server->cfg.app, c->who)) {
        conn_close(c);
        return;
    }
    c->out.max = HTTP_RESPONSE_MAX;
    while (c->out.len < EVENTS_AT_ONCE && next_event(c))
        ;
    if (c->out.len == 0)
        return;
    c->ping_ms = now_of(c) + HTTP_PING_MS;
    if (c->out.err)
        conn_close(c);
    else
        conn_write(c, (struct slice){ 0 });
}

/* ---- handing over ---------------------------------------------------------------------- */

void conn_local(struct conn *c, struct gb_addr *out)
{
    *out = c->local;
    if (!c->secure)
        sockaddr_local(&c->tcp, out);
}

/* Fills h from the connection and its request: fd and unread are new. */
static int make_handover(struct conn *c, const struct http_media *m,
                         struct http_handover *h)
{
    const struct http_head *head = head_again(c);
    struct slice rest = slice_from(buf_view(&c->in),
                                   c->head_len + c->body_len);
    uv_os_fd_t fd;

    *h = (struct http_handover){ .fd = -1,
                                 .place = c->source,
                                 .remote = c->remote,
                                 .session = m->session,
                                 .who = c->who,
                                 .loop = m->loop,
                                 .format = m->format,
                                 .stream = m->stream,
                                 .enhanced = m->enhanced,
                                 .g711 = m->g711,
                                 .no_audio = m->no_audio,
                                 .finite = m->finite,
                                 .delay_ms = m->delay_ms,
                                 .websocket = m->websocket,
                                 .minor = c->minor };
    memcpy(h->device, m->device, sizeof(h->device));
    memcpy(h->channel, m->channel, sizeof(h->channel));
    conn_local(c, &h->local);
    if (m->websocket && head)
        ws_accept(http_head_get(head, HTTP_HDR_SEC_WEBSOCKET_KEY), h->accept);
    if (rest.n) {
        h->unread = malloc(rest.n);
        if (!h->unread)
            return GB_ENOMEM;
        memcpy(h->unread, rest.p, rest.n);
        h->n_unread = rest.n;
    }
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd))
        return GB_EIO;
    h->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return h->fd < 0 ? GB_EIO : 0;
}

/* libuv cannot move a handle to another loop: the socket goes on in a duplicate
 * of its descriptor, this handle is closed. */
static void answer_media(struct conn *c, struct http_response *r)
{
    struct http_server *s = c->server;
    struct http_handover h;
    int err;

    read_off(c);
    if (!http_app_who_is_there(s->cfg.app, c->who)) {
        http_app_media_lost(s->cfg.app, &r->media);
        answer_problem(c, 401, "who asked has been removed or changed");
        return;
    }
    err = make_handover(c, &r->media, &h);
    if (err)
        http_app_media_lost(s->cfg.app, &r->media);
    else
        err = http_app_handover(s->cfg.app, &h);
    if (err) {
        free(h.unread);
        if (h.fd >= 0)
            close(h.fd);
        answer_problem(c, 503, "the media side takes no more viewers");
        return;
    }
    server_handed_over(s, c);
    conn_close(c);
}

static void reply(struct conn *c, struct http_response *r)
{
    switch (r->kind) {
    case HTTP_REPLY_BODY:
        answer_body(c, r);
        break;
    case HTTP_REPLY_LATER:
        break;
    case HTTP_REPLY_EVENTS:
        answer_events(c, r);
        break;
    case HTTP_REPLY_FILE:
        answer_file(c, r);
        break;
    case HTTP_REPLY_PART:
        answer_part(c, r);
        break;
    case HTTP_REPLY_MEDIA:
        answer_media(c, r);
        break;
    case HTTP_REPLY_WS_TEXT:
        answer_ws_text(c, r);
        break;
    case HTTP_REPLY_TALK:
        answer_talk(c);
        break;
    }
    http_response_fini(r);
}

void conn_answer(struct conn *c, struct http_response *r)
{
    idmap_remove(&c->server->requests, c->request);
    c->request = 0;
    read_off(c); /* what comes meanwhile waits in the kernel */
    reply(c, r);
}

/* ---- requests ----------------------------------------------------------------------------- */

static void bad_request(struct conn *c, const struct http_fault *f)
{
    c->server->n.bad_requests++;
    noted_bad(NOTED_HTTP, &c->remote, f->why);
    c->keep_alive = false;
    read_off(c);
    answer_problem(c, f->status, f->why);
}

/* file: what its body has become, or NULL. */
static void dispatch(struct conn *c, const struct http_head *head,
                     const struct http_received *file)
{
    struct http_server *s = c->server;
    struct http_request req = {
        .head = head,
        .body = slice_of(c->in.p + c->head_len, c->body_len),
        .remote = c->remote,
        .secure = c->secure,
        .file = file,
    };
    struct http_response r;

    s->n.requests++;
    c->head_only = head->method == HTTP_HEAD;
    c->keep_alive = head->keep_alive && !s->closing;
    c->minor = head->minor;
    c->state = CONN_PENDING;
    set_deadline(c, s->cfg.pending_timeout_ms);
    if (idmap_add(&s->requests, c, &c->request)) {
        c->request = 0;
        answer_problem(c, 503, "too many requests at once");
        return;
    }
    req.id = c->request;
    req.client = c->client;
    http_response_init(&r, s->cfg.alloc);
    http_app_request(s->cfg.app, &req, &r);
    c->who = r.who;
    server_arm(s);
    if (c->state == CONN_CLOSED || r.kind == HTTP_REPLY_LATER) {
        http_response_fini(&r);
        return;
    }
    conn_answer(c, &r);
}

static void send_continue(struct conn *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)line, sizeof(line) - 1);

    /* The socket has room for these 25 bytes, or the client is strange. */
    if (uv_try_write((uv_stream_t *)&c->tcp, &buf, 1) !=
        (int)sizeof(line) - 1)
        conn_close(c);
}

/* ---- uploads --------------------------------------------------------------- */

/* What has come of it so far; then the socket. */
void conn_upload_next(struct conn *c)
{
    size_t have = c->in.len - c->head_len, n;

    set_deadline(c, c->server->cfg.body_timeout_ms);
    if (have == 0) {
        read_on(c);
        return;
    }
    read_off(c);
    n = conn_file_take(c, slice_of(c->in.p + c->head_len, have));
    if (n == 0 || c->state == CONN_CLOSED)
        return;
    memmove(c->in.p + c->head_len, c->in.p + c->head_len + n, have - n);
    c->in.len -= n;
}

void conn_received(struct conn *c, const struct http_received *got)
{
    const struct http_head *head = head_again(c);

    if (head)
        dispatch(c, head, got);
    else
        conn_close(c);
}

/* true: this request's body is no usual one. */
static bool begin_upload(struct conn *c, const struct http_head *head)
{
    const struct http_request req = { .head = head, .remote = c->remote,
                                      .secure = c->secure };
    struct http_response r;
    enum http_body_kind kind;

    http_response_init(&r, c->server->cfg.alloc);
    kind = http_app_body(c->server->cfg.app, &req, &r);
    c->minor = head->minor;
    c->head_only = false;
    if (kind == HTTP_BODY_FILE) {
        c->state = CONN_UPLOAD;
        c->body_len = 0; /* none of it stays in c->in */
        read_off(c);
        set_deadline(c, c->server->cfg.body_timeout_ms);
        if (head->expect_continue)
            send_continue(c);
        if (c->state != CONN_CLOSED &&
            !conn_file_receive(c, head->content_length))
            conn_problem(c, 503, "too many files are being sent");
    } else if (kind == HTTP_BODY_REFUSED) {
        c->keep_alive = false;
        read_off(c);
        reply(c, &r);
    } else if (head->content_length > (kind == HTTP_BODY_PICTURE
                                           ? HTTP_PICTURE_MAX
                                           : HTTP_BODY_MAX)) {
        kind = HTTP_BODY_REFUSED;
        bad_request(c, &(struct http_fault){ .status = 413,
                                             .why = "body is too long" });
    }
    if (kind != HTTP_BODY_REFUSED || r.body.p)
        http_response_fini(&r);
    return kind != HTTP_BODY_USUAL && kind != HTTP_BODY_PICTURE;
}

/* A body that comes must have room; larger ones share a budget, since nobody
 * has shown credentials yet. */
static bool reserve_body(struct conn *c, const struct http_head *head)
{
    size_t n = (size_t)head->content_length;
    struct http_server *s = c->server;

    c->body_len = n;
    if (n <= HTTP_HEAD_MAX)
        return true;
    if (n > s->bodies_left)
        return false;
    s->bodies_left -= n;
    c->reserved = n;
    return true;
}

static void take_head(struct conn *c)
{
    struct http_head *head = &c->server->head;
    struct http_fault fault;
    long n = http_head_parse_max(head, buf_view(&c->in), HTTP_UPLOAD_MAX,
                                 &fault);

    if (n == GB_EAGAIN)
        return;
    if (n < 0) {
        bad_request(c, &fault);
        return;
    }
    c->head_len = (size_t)n;
    if (head->content_length && begin_upload(c, head))
        return;
    if (!reserve_body(c, head)) {
        bad_request(c, &(struct http_fault){ .status = 503,
                                             .why = "too many bodies" });
        return;
    }
    if (c->in.len >= c->head_len + c->body_len) {
        dispatch(c, head, NULL);
        return;
    }
    c->state = CONN_BODY;
    set_deadline(c, c->server->cfg.body_timeout_ms);
    if (head->expect_continue)
        send_continue(c);
}

/* Is it worth parsing? Sent byte by byte, a head would be scanned a thousand
 * times over. */
static bool head_may_be_whole(struct conn *c)
{
    size_t from = c->scanned > 3 ? c->scanned - 3 : 0;

    c->scanned = c->in.len;
    return head_find_end(buf_view(&c->in), from) != 0 ||
           c->in.len >= HTTP_HEAD_MAX;
}

/* Empty lines before a request are skipped (RFC 9112 §2.2), and are no head. */
static void skip_empty_lines(struct conn *c)
{
    size_t n = 0;

    while (n < c->in.len && (c->in.p[n] == '\r' || c->in.p[n] == '\n'))
        n++;
    if (n && n < c->in.len)
        memmove(c->in.p, c->in.p + n, c->in.len - n);
    c->in.len -= n;
}

static void process(struct conn *c)
{
    if (c->state == CONN_HEAD) {
        if (c->scanned == 0)
            skip_empty_lines(c);
        if (c->in.len == 0)
            return;
        if (server_take_tls(c->server, c))
            return;
        if ((uint8_t)c->in.p[0] <= ' ' || (uint8_t)c->in.p[0] >= 0x7f) {
            bad_request(c, &(struct http_fault){ .status = 400,
                                                 .why = "this is not HTTP" });
            return;
        }
        if (c->scanned == 0)
            set_deadline(c, c->server->cfg.head_timeout_ms);
        if (head_may_be_whole(c))
            take_head(c);
    } else if (c->state == CONN_BODY &&
               c->in.len >= c->head_len + c->body_len) {
        const struct http_head *head = head_again(c);

        if (head)
            dispatch(c, head, NULL);
        else
            conn_close(c);
    }
}

/* The answer is out: forget its request, go on with what came behind it. */
static void next_request(struct conn *c)
{
    size_t done = c->head_len + c->body_len;

    release_body(c);
    if (done < c->in.len)
        memmove(c->in.p, c->in.p + done, c->in.len - done);
    c->in.len -= done < c->in.len ? done : c->in.len;
    if (c->in.len == 0)
        buf_fini(&c->in);
    c->head_len = c->body_len = c->scanned = 0;
    c->state = CONN_HEAD;
    if (c->server->closing) {
        conn_close(c);
        return;
    }
    set_deadline(c, c->server->cfg.idle_timeout_ms);
    read_on(c);
    process(c);
}

/* Plain bytes from the client; they may be changed. */
static void conn_input(struct conn *c, char *p, size_t n)
{
    if (c->state == CONN_TALK) {
        conn_talk_input(c, p, n);
        return;
    }
    if (c->state == CONN_LINGER || c->state == CONN_EVENTS)
        return; /* nothing is expected */
    buf_bytes(&c->in, p, n);
    if (!c->in.err && c->state == CONN_UPLOAD) {
        conn_upload_next(c);
        return;
    }
    if (c->in.err ||
        (c->state == CONN_PENDING &&
         c->in.len - c->head_len - c->body_len > HTTP_UNREAD_MAX))
        conn_close(c);
    else
        process(c);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = h->data;

    if (n > 0)
        conn_input(c, buf->base, (size_t)n);
    else if (n < 0)
        conn_close(c); /* the end, or an error: either way it has gone */
}

void conn_start(struct conn *c, struct slice unread)
{
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, 60);
    c->state = CONN_HEAD;
    set_deadline(c, c->server->cfg.head_timeout_ms);
    read_on(c);
    if (unread.n)
        conn_input(c, (char *)(uintptr_t)unread.p, unread.n);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Whoever should have answered forgot, or had no memory for it. */
static void give_up(struct conn *c)
{
    struct http_server *s = c->server;
    uint64_t request = c->request;

    idmap_remove(&s->requests, request);
    c->request = 0;
    http_app_gone(s->cfg.app, request);
    server_arm(s);
    read_off(c);
    answer_problem(c, 504, "no answer came in time");
}

static void time_out(struct conn *c)
{
    c->server->n.timed_out++;
    if (c->state == CONN_PENDING && c->request) {
        give_up(c);
        return;
    }
    if (c->state == CONN_UPLOAD)
        conn_file_drop(c);
    if ((c->state == CONN_HEAD && c->in.len) || c->state == CONN_BODY ||
        c->state == CONN_UPLOAD) {
        c->keep_alive = false;
        read_off(c);
        answer_problem(c, 408, "the request did not arrive in time");
        return;
    }
    conn_close(c);
}

void conn_sweep(struct conn *c, uint64_t now_ms)
{
    size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);

    if ((c->state == CONN_TALK || c->state == CONN_EVENTS ||
         (c->state == CONN_WRITING && (c->file || c->part))) &&
        !http_app_who_is_there(c->server->cfg.app, c->who))
        conn_close(c); /* removed, or changed: what he may is another thing */
    if (c->state == CONN_TALK)
        conn_talk_sweep(c, now_ms);
    if (c->state == CONN_CLOSED)
        return;
    if (c->writing && queue < c->write_queue &&
        (!c->part || now_ms < c->part_until_ms)) {
        c->write_queue = queue; /* slow, but it moves */
        set_deadline(c, c->server->cfg.write_timeout_ms);
    } else if (now_ms >= c->deadline_ms) {
        time_out(c);
    } else if (c->state == CONN_EVENTS && !c->writing &&
               now_ms >= c->ping_ms) {
        c->ping_ms = now_ms + HTTP_PING_MS;
        buf_str(&c->out, ":\n\n");
        conn_write(c, (struct slice){ 0 });
    }
}
