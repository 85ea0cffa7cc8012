#include "app/net/hook_client.h"

#include "app/net/sockaddr.h"
#include "app/platform/hooks_answer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

struct link;

/* A connection; lives until its uv_close. */
struct conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct hook_client *client;
    struct link *link; /* NULL: given up, closing */
    struct tls *tls;
    bool up;           /* the request may be sent */
    bool used;         /* has brought an answer before */
    bool heard;        /* bytes of this answer have come */
    char *in;          /* an answer's head that is not complete */
    size_t len;
    uint64_t drain;    /* bytes of a body to be read past */
};

/* One hook's way out: by its slot. */
struct link {
    struct hook_client *client;
    uint64_t call;     /* under way; 0: none */
    char host[256];
    uint16_t port;
    bool secure;
    char *request;     /* head and body; own memory */
    size_t request_len;
    bool waits;        /* until its name can be looked up */
    struct conn *conn; /* NULL: none */
    uint64_t due_ms;   /* of the call, or of idleness; GB_NEVER */
};

struct lookup {
    uv_getaddrinfo_t req;
    struct hook_client *client;
    unsigned slot;
    uint64_t call;
};

struct send {
    uv_write_t req;
    struct conn *conn;
    size_t n;
    char bytes[];
};

struct hook_client {
    struct hook_client_config o;
    uv_timer_t timer;
    struct link link[HOOKS_MAX];
    struct hook_net deny[HOOK_DENY_MAX];
    size_t n_deny;
    bool looking;          /* one look-up at a time */
    bool closing;
    unsigned open_handles; /* timer, connections, look-ups */
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    char scratch[16384], plain[16384];
};

static void begin(struct link *l);
static void arm(struct hook_client *c);

/* ---- handles ------------------------------------------------------------- */

static void handle_closed(struct hook_client *c)
{
    void (*on_closed)(void *ctx) = c->on_closed;
    void *ctx = c->closed_ctx;

    if (--c->open_handles)
        return;
    free(c);
    if (on_closed)
        on_closed(ctx);
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *k = h->data;
    struct hook_client *c = k->client;

    tls_free(k->tls);
    free(k->in);
    free(k);
    handle_closed(c);
}

static void conn_close(struct conn *k)
{
    if (!k)
        return;
    if (k->link)
        k->link->conn = NULL;
    k->link = NULL;
    if (!uv_is_closing((uv_handle_t *)&k->tcp))
        uv_close((uv_handle_t *)&k->tcp, on_conn_closed);
}

/* ---- the end of a call ---------------------------------------------------- */

static void tell(struct link *l, const struct hooks_result *r)
{
    struct hook_client *c = l->client;
    uint64_t call = l->call;

    l->call = 0;
    l->waits = false;
    l->due_ms = l->conn ? uv_now(c->o.loop) + HOOK_IDLE_MS : GB_NEVER;
    free(l->request);
    l->request = NULL;
    hooks_result(c->o.hooks, call, r, c->o.now(c->o.ctx));
    hook_client_touch(c);
}

static void fail(struct link *l, const char *why)
{
    const struct hooks_result r = { .why = why };

    conn_close(l->conn);
    if (l->call)
        tell(l, &r);
}

/* Its connection broke. One that had been idle may have been closed by the
 * other side while the request was on its way: once more, on a new one. */
static void broken(struct conn *k, const char *why)
{
    struct link *l = k->link;
    bool again = l && l->call && k->used && !k->heard;

    conn_close(k);
    if (again)
        begin(l);
    else if (l)
        fail(l, why);
}

/* ---- sending -------------------------------------------------------------- */

static void on_sent(uv_write_t *req, int status)
{
    struct send *s = req->data;
    struct conn *k = s->conn;

    free(s);
    if (status < 0 && k->link)
        broken(k, uv_strerror(status));
}

static bool send_raw(struct conn *k, struct slice bytes)
{
    struct send *s = malloc(sizeof(*s) + bytes.n);
    uv_buf_t buf;

    if (!s)
        return false;
    s->conn = k;
    s->req.data = s;
    memcpy(s->bytes, bytes.p, bytes.n);
    buf = uv_buf_init(s->bytes, (unsigned)bytes.n);
    if (uv_write(&s->req, (uv_stream_t *)&k->tcp, &buf, 1, on_sent) == 0)
        return true;
    free(s);
    return false;
}

static bool flush_tls(struct conn *k)
{
    struct slice out = tls_output(k->tls);
    bool good = out.n == 0 || send_raw(k, out);

    tls_sent(k->tls, out.n);
    return good;
}

static void send_request(struct conn *k)
{
    struct link *l = k->link;
    struct slice request = { l->request, l->request_len };
    bool good;

    k->heard = false;
    k->len = 0;
    if (k->tls)
        good = tls_encrypt(k->tls, request) == 0 && flush_tls(k);
    else
        good = send_raw(k, request);
    if (!good)
        fail(l, "no memory, or the event is too large");
}

/* ---- the answer ------------------------------------------------------------ */

/* What comes behind an answer: the rest of its body. More than that, and the
 * connection is not worth keeping. */
static void past_body(struct conn *k, size_t n)
{
    if (n > k->drain)
        conn_close(k);
    else
        k->drain -= n;
}

static void answered(struct conn *k, const struct hooks_answer *a, size_t rest)
{
    const struct hooks_result r = { .status = a->status,
                                    .retry_after_s = a->retry_after_s };
    struct link *l = k->link;

    k->used = true;
    k->len = 0;
    k->drain = a->length;
    if (!a->keeps || a->length > HOOK_DRAIN_MAX)
        conn_close(k);
    else
        past_body(k, rest);
    tell(l, &r);
}

/* Whole heads at the front of k->in; interim ones are skipped. */
static void read_answer(struct conn *k)
{
    struct hooks_answer a;
    long n;

    while ((n = hooks_answer_parse(&a, slice_of(k->in, k->len))) > 0) {
        if (a.status >= 200) {
            answered(k, &a, k->len - (size_t)n);
            return;
        }
        k->len -= (size_t)n;
        memmove(k->in, k->in + n, k->len);
    }
    if (n != GB_EAGAIN)
        fail(k->link, "the answer is no HTTP");
}

static void input(struct conn *k, struct slice s)
{
    if (!k->link)
        return;
    if (!k->link->call) { /* between calls: the end of a body, or nonsense */
        past_body(k, s.n);
        return;
    }
    k->heard = true;
    if (!k->in)
        k->in = malloc(2 * HOOKS_ANSWER_HEAD_MAX);
    if (!k->in || s.n > 2 * HOOKS_ANSWER_HEAD_MAX - k->len) {
        fail(k->link, "the head of the answer is too long");
        return;
    }
    memcpy(k->in + k->len, s.p, s.n);
    k->len += s.n;
    read_answer(k);
}

static void tls_broken(struct conn *k)
{
    char why[TLS_WHY_MAX], short_why[HOOKS_WHY_MAX];

    tls_error_text(k->tls, k->link->host, why);
    slice_copy(short_why, sizeof(short_why), slice_str(why));
    for (char *p = short_why; *p; p++)
        if (*p == '"' || (unsigned char)*p < 0x20)
            *p = '\'';
    flush_tls(k);
    broken(k, short_why);
}

static void input_tls(struct conn *k, struct slice in)
{
    struct hook_client *c = k->client;
    bool was_up = tls_is_up(k->tls);
    size_t n;
    int err;

    do {
        err = tls_decrypt(k->tls, &in, c->plain, sizeof(c->plain), &n);
        if (!was_up && tls_is_up(k->tls)) {
            was_up = k->up = true;
            if (k->link && k->link->call)
                send_request(k);
        }
        if (n)
            input(k, slice_of(c->plain, n));
    } while (!err && k->link && n == sizeof(c->plain));
    if (!k->link)
        return;
    if (err == GB_ENOENT)
        broken(k, "the connection was closed before an answer");
    else if (err)
        tls_broken(k);
    else if (!flush_tls(k))
        fail(k->link, "no memory");
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct conn *k = h->data;

    (void)hint;
    *buf = uv_buf_init(k->client->scratch, sizeof(k->client->scratch));
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct conn *k = h->data;

    if (!k->link || n == 0)
        return;
    if (n < 0)
        broken(k, n == UV_EOF ? "the connection was closed before an answer"
                              : uv_strerror((int)n));
    else if (k->tls)
        input_tls(k, slice_of(buf->base, (size_t)n));
    else
        input(k, slice_of(buf->base, (size_t)n));
}

/* ---- connecting ------------------------------------------------------------- */

/* false: it has been told why not. */
static bool begin_tls(struct conn *k)
{
    const struct hook_client_config *o = &k->client->o;
    struct tls_ctx *ctx = o->tls ? o->tls(o->ctx) : NULL;

    if (!ctx)
        fail(k->link, "TLS cannot be begun: no certificates to check with");
    else if (tls_new(&k->tls, ctx, k->link->host))
        fail(k->link, "TLS cannot be begun: no memory, or a bad host name");
    else
        return true;
    return false;
}

static void on_connect(uv_connect_t *req, int status)
{
    struct conn *k = req->data;
    struct link *l = k->link;

    if (!l)
        return;
    if (status < 0) {
        fail(l, uv_strerror(status));
        return;
    }
    if (l->secure && !begin_tls(k))
        return;
    uv_read_start((uv_stream_t *)&k->tcp, on_alloc, on_read);
    k->up = !k->tls;
    if (k->tls && !flush_tls(k))
        fail(l, "no memory");
    else if (k->up && l->call)
        send_request(k);
}

/* 0.0.0.0, broadcast, multicast, and what the configuration denies. */
static bool is_denied(const struct hook_client *c, const struct gb_addr *a)
{
    if (gb_addr_is_any(a) || a->ip[0] >= (a->family == GB_IPV4 ? 224 : 255))
        return true;
    for (size_t i = 0; i < c->n_deny; i++)
        if (gb_addr_in_net(a, &c->deny[i].net, c->deny[i].bits))
            return true;
    return false;
}

static struct conn *conn_new(struct link *l)
{
    struct conn *k = calloc(1, sizeof(*k));

    if (!k || uv_tcp_init(l->client->o.loop, &k->tcp)) {
        free(k);
        return NULL;
    }
    k->tcp.data = k->connect.data = k;
    k->client = l->client;
    k->link = l;
    l->conn = k;
    l->client->open_handles++;
    uv_tcp_nodelay(&k->tcp, 1);
    return k;
}

static void connect_to(struct link *l, const struct gb_addr *at)
{
    struct sockaddr_storage ss;
    struct conn *k;
    int err;

    if (is_denied(l->client, at)) {
        fail(l, "its address is in webhooks.deny, or none that is called");
        return;
    }
    k = conn_new(l);
    if (!k) {
        fail(l, "no memory");
        return;
    }
    sockaddr_of(&ss, at, false);
    err = uv_tcp_connect(&k->connect, &k->tcp, (const struct sockaddr *)&ss,
                         on_connect);
    if (err)
        fail(l, uv_strerror(err));
}

/* ---- names ------------------------------------------------------------------- */

static void look_up_next(struct hook_client *c)
{
    for (unsigned i = 0; i < HOOKS_MAX && !c->looking && !c->closing; i++)
        if (c->link[i].waits && c->link[i].call)
            begin(&c->link[i]);
}

static void on_names(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct lookup *u = req->data;
    struct hook_client *c = u->client;
    struct link *l = &c->link[u->slot];
    struct gb_addr at = { 0 };
    bool stale = c->closing || l->call != u->call;

    free(u);
    c->looking = false;
    if (!stale) {
        for (struct addrinfo *a = list; a && at.family == GB_NO_ADDR;
             a = a->ai_next)
            if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
                sockaddr_read(&at, a->ai_addr);
        at.port = l->port;
        if (status < 0)
            fail(l, sockaddr_no_name(status));
        else
            connect_to(l, &at);
    }
    uv_freeaddrinfo(list);
    look_up_next(c);
    handle_closed(c);
}

static void look_up(struct link *l)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_ADDRCONFIG };
    struct hook_client *c = l->client;
    struct lookup *u;

    if (c->looking) {
        l->waits = true;
        return;
    }
    u = calloc(1, sizeof(*u));
    if (!u) {
        fail(l, "no memory");
        return;
    }
    u->client = c;
    u->slot = (unsigned)(l - c->link);
    u->call = l->call;
    u->req.data = u;
    if (uv_getaddrinfo(c->o.loop, &u->req, on_names, l->host, NULL, &hints)) {
        free(u);
        fail(l, "the name cannot be looked up");
        return;
    }
    c->looking = true;
    c->open_handles++;
}

/* A new connection for the call under way. */
static void begin(struct link *l)
{
    struct gb_addr at;

    l->waits = false;
    if (gb_addr_parse_ip(&at, slice_str(l->host)) == 0) {
        at.port = l->port;
        connect_to(l, &at);
    } else {
        look_up(l);
    }
}

/* ---- calls ------------------------------------------------------------------- */

static bool take_call(struct link *l, const struct hooks_call *k)
{
    char host[sizeof(l->host)];

    l->call = k->id;
    l->request = malloc(k->head.n + k->body.n + 1);
    if (!l->request)
        return false;
    memcpy(l->request, k->head.p, k->head.n);
    if (k->body.n)
        memcpy(l->request + k->head.n, k->body.p, k->body.n);
    l->request_len = k->head.n + k->body.n;
    slice_copy(host, sizeof(host), k->host);
    if (l->conn && (l->port != k->port || l->secure != k->secure ||
                    !slice_eq(slice_str(l->host), slice_str(host)) ||
                    l->conn->drain || !l->conn->up))
        conn_close(l->conn);
    slice_copy(l->host, sizeof(l->host), slice_str(host));
    l->port = k->port;
    l->secure = k->secure;
    return true;
}

static void start(struct hook_client *c, const struct hooks_call *k)
{
    struct link *l = &c->link[k->slot];
    uint32_t call_ms = c->o.call_ms ? c->o.call_ms : HOOKS_CALL_MS;

    if (l->call) { /* of a hook that was removed */
        free(l->request);
        l->request = NULL;
        conn_close(l->conn);
    }
    l->due_ms = uv_now(c->o.loop) + call_ms;
    if (!take_call(l, k))
        fail(l, "no memory");
    else if (l->conn)
        send_request(l->conn);
    else
        begin(l);
}

static void say_lines(struct hook_client *c)
{
    char line[HOOKS_LINE_MAX];
    enum platform_level level;

    while (hooks_line(c->o.hooks, &level, line))
        if (c->o.log)
            c->o.log(c->o.ctx, level, line);
}

static void on_timer(uv_timer_t *t)
{
    struct hook_client *c = t->data;
    uint64_t now = uv_now(c->o.loop);
    struct hooks_call k;

    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        struct link *l = &c->link[i];

        if (l->due_ms <= now)
            fail(l, "no answer in time"); /* or it was idle, without a call */
        if (!l->call && !l->conn)
            l->due_ms = GB_NEVER;
    }
    while (hooks_call(c->o.hooks, c->o.now(c->o.ctx), &k))
        start(c, &k);
    say_lines(c);
    arm(c);
}

static void arm(struct hook_client *c)
{
    uint64_t at = hooks_deadline(c->o.hooks), now = uv_now(c->o.loop);

    if (c->closing)
        return;
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (c->link[i].due_ms < at)
            at = c->link[i].due_ms;
    if (at == GB_NEVER)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
}

void hook_client_touch(struct hook_client *c)
{
    if (!c->closing)
        uv_timer_start(&c->timer, on_timer, 0, 0);
}

/* ---- life -------------------------------------------------------------------- */

int hook_client_new(struct hook_client **out,
                    const struct hook_client_config *cfg)
{
    struct hook_client *c = calloc(1, sizeof(*c));

    if (!c)
        return GB_ENOMEM;
    c->o = *cfg;
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        c->link[i].client = c;
        c->link[i].due_ms = GB_NEVER;
    }
    uv_timer_init(cfg->loop, &c->timer);
    c->timer.data = c;
    c->open_handles = 1;
    *out = c;
    return 0;
}

void hook_client_deny(struct hook_client *c, const struct hook_net *nets,
                      size_t n)
{
    c->n_deny = n < HOOK_DENY_MAX ? n : HOOK_DENY_MAX;
    if (c->n_deny)
        memcpy(c->deny, nets, c->n_deny * sizeof(*nets));
}

static void on_timer_closed(uv_handle_t *h)
{
    handle_closed(h->data);
}

void hook_client_close(struct hook_client *c, void (*on_closed)(void *ctx),
                       void *ctx)
{
    hooks_end(c->o.hooks);
    say_lines(c);
    c->closing = true;
    c->on_closed = on_closed;
    c->closed_ctx = ctx;
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        conn_close(c->link[i].conn);
        free(c->link[i].request);
        c->link[i].request = NULL;
        c->link[i].call = 0;
    }
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}
