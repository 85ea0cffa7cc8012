/* What a connection answers: heads and bodies, files, events, WebSockets, and the
 * socket itself to whoever has the media. */
#include "app/http/conn.h"

#include "app/http/problem.h"
#include "app/http/ws.h"
#include "app/net/sockaddr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16384 /* bytes of events that one write gathers */

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

static void put_status(struct conn *c, unsigned status)
{
    char date[HTTP_DATE_LEN];
    struct writer w = writer_of(date, sizeof(date));

    http_date_write(&w, (int64_t)time(NULL) * 1000);
    buf_f(&c->out, "HTTP/1.1 %u %s\r\nDate: %.*s\r\n", status,
          http_reason(status), SLICE_ARG(writer_slice(&w)));
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
    if (c->shared)
        buf_str(&c->out, "Access-Control-Allow-Origin: *\r\n"
                         "Access-Control-Expose-Headers: Content-Range\r\n");
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
    conn_drop_output(c);
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
    conn_write_bufs(c, (uv_buf_t *)iov, (unsigned)n); /* which copies iov */
    gb_put(c->server->cfg.alloc, iov);
}

static void answer_part(struct conn *c, struct http_response *r)
{
    take(c, r);
    c->part = r->part;
    c->part_until_ms = conn_now(c) + HTTP_PART_TIMEOUT_MS;
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

void conn_refuse(struct conn *c, unsigned status, const char *why)
{
    const struct http_problem p = { .status = status, .detail = why };
    struct http_response r;

    http_response_init(&r, c->server->cfg.alloc);
    r.status = status;
    r.type = HTTP_PROBLEM_TYPE;
    http_problem_write(&r.body, &p);
    if (status == 401)
        buf_str(&r.fields, "WWW-Authenticate: " HTTP_CHALLENGE "\r\n");
    if (status == 426)
        buf_str(&r.fields, "Sec-WebSocket-Version: 13\r\n"
                           "Upgrade: websocket\r\n");
    answer_body(c, &r);
    http_response_fini(&r);
}

void conn_problem(struct conn *c, unsigned status, const char *why)
{
    c->keep_alive = false;
    conn_read_off(c);
    conn_refuse(c, status, why);
}

static void put_ws_head(struct conn *c)
{
    const struct http_head *h = conn_head_again(c);
    char accept[WS_ACCEPT_LEN + 1], text[HTTP_STREAM_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text));

    if (!h)
        return;
    ws_accept(http_head_get(h, HTTP_HDR_SEC_WEBSOCKET_KEY), accept);
    http_stream_ws_head_write(&w, accept, http_head_ws_protocol(h));
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
    conn_drop_output(c);
    put_ws_head(c);
    buf_init(&c->in, c->server->cfg.alloc, 0);
    c->state = CONN_TALK;
    if (c->out.err || !conn_talk_new(c)) {
        conn_close(c);
    } else {
        conn_write(c, (struct slice){ 0 });
        if (c->state == CONN_TALK && ahead.len > done)
            conn_talk_input(c, ahead.p + done, ahead.len - done);
        conn_read_on(c);
    }
    buf_fini(&ahead);
}

static void answer_events(struct conn *c, struct http_response *r)
{
    struct http_server *s = c->server;

    if (s->n.event_streams == HTTP_EVENT_STREAMS_MAX) {
        conn_refuse(c, 503, "too many event streams");
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
    c->ping_ms = conn_now(c) + HTTP_PING_MS;
    buf_fini(&c->in);
    if (c->out.err)
        conn_close(c);
    else
        conn_write(c, (struct slice){ 0 });
    conn_read_on(c); /* to notice that the client goes */
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
    c->ping_ms = conn_now(c) + HTTP_PING_MS;
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
    const struct http_head *head = conn_head_again(c);
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
    if (m->websocket && head) {
        ws_accept(http_head_get(head, HTTP_HDR_SEC_WEBSOCKET_KEY), h->accept);
        slice_copy(h->protocol, sizeof(h->protocol),
                   http_head_ws_protocol(head));
    }
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

    conn_read_off(c);
    if (!http_app_who_is_there(s->cfg.app, c->who)) {
        http_app_media_lost(s->cfg.app, &r->media);
        conn_refuse(c, 401, "who asked has been removed or changed");
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
        conn_refuse(c, 503, "the media side takes no more viewers");
        return;
    }
    server_handed_over(s, c);
    conn_close(c);
}

void conn_reply(struct conn *c, struct http_response *r)
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
    conn_read_off(c); /* what comes meanwhile waits in the kernel */
    conn_reply(c, r);
}
