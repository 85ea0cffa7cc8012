#include "app/http/conn.h"

#include "app/net/noted.h"
#include "base/head.h"

static void next_request(struct conn *c);
static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf);

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

void conn_drop_output(struct conn *c)
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

    conn_drop_output(c);
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
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): c has a server */
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
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): c has a server */
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

void conn_read_on(struct conn *c)
{
    if (!c->reading && c->state != CONN_CLOSED &&
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0)
        c->reading = true;
}

void conn_read_off(struct conn *c)
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
    conn_drop_output(c);
    buf_fini(&c->in);
    release_body(c);
    conn_deadline(c, HTTP_LINGER_MS);
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown))
        conn_close(c);
    else
        conn_read_on(c);
}

static void written(struct conn *c)
{
    conn_drop_output(c);
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

void conn_write_bufs(struct conn *c, const uv_buf_t *bufs, unsigned n)
{
    c->write.data = c;
    c->writing = true;
    c->write_queue = SIZE_MAX;
    conn_deadline(c, c->server->cfg.write_timeout_ms);
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, bufs, n, on_write)) {
        c->writing = false;
        conn_close(c);
    }
}

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
    conn_write_bufs(c, bufs, n);
}

/* ---- requests ----------------------------------------------------------------------------- */

const struct http_head *conn_head_again(struct conn *c)
{
    struct http_fault fault;
    long n = http_head_parse_max(&c->server->head, buf_view(&c->in),
                                 HTTP_UPLOAD_MAX, &fault);

    return n > 0 ? &c->server->head : NULL;
}

static void bad_request(struct conn *c, const struct http_fault *f)
{
    c->server->n.bad_requests++;
    noted_bad(NOTED_HTTP, &c->remote, f->why);
    conn_problem(c, f->status, f->why);
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
    conn_deadline(c, s->cfg.pending_timeout_ms);
    if (idmap_add(&s->requests, c, &c->request)) {
        c->request = 0;
        conn_refuse(c, 503, "too many requests at once");
        return;
    }
    req.id = c->request;
    req.client = c->client;
    http_response_init(&r, s->cfg.alloc);
    http_app_request(s->cfg.app, &req, &r);
    c->who = r.who;
    c->shared = r.shared;
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

    conn_deadline(c, c->server->cfg.body_timeout_ms);
    if (have == 0) {
        conn_read_on(c);
        return;
    }
    conn_read_off(c);
    n = conn_file_take(c, slice_of(c->in.p + c->head_len, have));
    if (n == 0 || c->state == CONN_CLOSED)
        return;
    memmove(c->in.p + c->head_len, c->in.p + c->head_len + n, have - n);
    c->in.len -= n;
}

void conn_received(struct conn *c, const struct http_received *got)
{
    const struct http_head *head = conn_head_again(c);

    if (head)
        dispatch(c, head, got);
    else
        conn_close(c);
}

static void too_long(struct conn *c)
{
    bad_request(c, &(struct http_fault){ .status = 413,
                                         .why = "body is too long" });
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
        conn_read_off(c);
        conn_deadline(c, c->server->cfg.body_timeout_ms);
        if (head->expect_continue)
            send_continue(c);
        if (c->state != CONN_CLOSED &&
            !conn_file_receive(c, head->content_length))
            conn_problem(c, 503, "too many files are being sent");
    } else if (kind == HTTP_BODY_REFUSED) {
        c->keep_alive = false;
        conn_read_off(c);
        conn_reply(c, &r);
    } else if (head->content_length > (kind == HTTP_BODY_PICTURE
                                           ? HTTP_PICTURE_MAX
                                           : HTTP_BODY_MAX)) {
        kind = HTTP_BODY_REFUSED;
        too_long(c);
    } else if (head->chunked) {
        c->body_max = kind == HTTP_BODY_PICTURE ? HTTP_PICTURE_MAX
                                                : HTTP_BODY_MAX;
    }
    if (kind != HTTP_BODY_REFUSED || r.body.p)
        http_response_fini(&r);
    return kind != HTTP_BODY_USUAL && kind != HTTP_BODY_PICTURE;
}

/* A body of n bytes must have room; larger ones share a budget, since nobody
 * has shown credentials yet. false: it has been answered that there is none. */
static bool reserve_body(struct conn *c, size_t n)
{
    struct http_server *s = c->server;

    if (n <= HTTP_HEAD_MAX || n <= c->reserved)
        return true;
    if (n - c->reserved > s->bodies_left) {
        bad_request(c, &(struct http_fault){ .status = 503,
                                             .why = "too many bodies" });
        return false;
    }
    s->bodies_left -= n - c->reserved;
    c->reserved = n;
    return true;
}

/* What has come of a body in chunks is decoded where it lies. true: it is whole,
 * and what is behind it follows it. */
static bool take_chunks(struct conn *c)
{
    char *p = c->in.p + c->head_len + c->body_len;
    size_t n = c->in.len - c->head_len - c->body_len, n_body;
    long took = chunked_decode(&c->chunked, p, n, &n_body);

    if (took < 0) {
        bad_request(c, &(struct http_fault){ .status = 400,
                                             .why = "bad chunk of the body" });
        return false;
    }
    memmove(p + n_body, p + took, n - (size_t)took);
    c->in.len -= (size_t)took - n_body;
    c->body_len += n_body;
    if (c->body_len > c->body_max) {
        too_long(c);
        return false;
    }
    return reserve_body(c, c->body_len) && c->chunked.state == CHUNKED_DONE;
}

static bool body_is_whole(struct conn *c)
{
    return c->body_max ? take_chunks(c)
                       : c->in.len >= c->head_len + c->body_len;
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
    if ((head->content_length || head->chunked) && begin_upload(c, head))
        return;
    c->body_len = (size_t)head->content_length;
    if (!reserve_body(c, c->body_len))
        return;
    c->state = CONN_BODY;
    conn_deadline(c, c->server->cfg.body_timeout_ms);
    if (body_is_whole(c))
        dispatch(c, head, NULL);
    else if (c->state == CONN_BODY && head->expect_continue)
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
            conn_deadline(c, c->server->cfg.head_timeout_ms);
        if (head_may_be_whole(c))
            take_head(c);
    } else if (c->state == CONN_BODY && body_is_whole(c)) {
        const struct http_head *head = conn_head_again(c);

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
    c->head_len = c->body_len = c->body_max = c->scanned = 0;
    c->chunked = (struct chunked){ 0 };
    c->head_only = c->shared = false;
    c->state = CONN_HEAD;
    if (c->server->closing) {
        conn_close(c);
        return;
    }
    conn_deadline(c, c->server->cfg.idle_timeout_ms);
    conn_read_on(c);
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

void conn_start(struct conn *c)
{
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, 60);
    c->state = CONN_HEAD;
    conn_deadline(c, c->server->cfg.head_timeout_ms);
    conn_read_on(c);
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
    conn_read_off(c);
    conn_refuse(c, 504, "no answer came in time");
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
        conn_problem(c, 408, "the request did not arrive in time");
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
        conn_deadline(c, c->server->cfg.write_timeout_ms);
    } else if (now_ms >= c->deadline_ms) {
        time_out(c);
    } else if (c->state == CONN_EVENTS && !c->writing &&
               now_ms >= c->ping_ms) {
        c->ping_ms = now_ms + HTTP_PING_MS;
        buf_str(&c->out, ":\n\n");
        conn_write(c, (struct slice){ 0 });
    }
}
