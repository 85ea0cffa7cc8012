/* test/http_net.h - the fixture's application behind the real server, over
 * loopback, and clients of it */
#ifndef TEST_HTTP_NET_H
#define TEST_HTTP_NET_H

#include "test/guarded_loop.h"
#include "test/http_fixture.h"

#include "app/http/server.h"


struct client {
    uv_tcp_t tcp;
    uv_connect_t connect;
    char text[600000]; /* what arrived, with a NUL */
    size_t len;
    bool connected, ended, closed;
};

static struct {
    struct http_server *server;
    struct gb_addr addr;
    bool closed;
} net;

static inline void net_begin(void)
{
    memset(&net, 0, sizeof(net));
    loop_begin();
}

/* The server, of the fixture's application as it is now. */
static inline void net_serve(const struct http_server_config *limits)
{
    struct http_server_config cfg = *limits;
    struct gb_addr any = { GB_IPV4, { 127, 0, 0, 1 }, 0 };

    cfg.loop = &loop.uv;
    cfg.alloc = &fx.mem.alloc;
    cfg.app = fx.app;
    cfg.listen = &any;
    cfg.n_listen = 1;
    assert_int_equal(http_server_new(&net.server, &cfg, NULL), 0);
    net.addr = http_server_addr(net.server, 0);
    assert_true(net.addr.port != 0);
}

static inline void on_server_closed(void *ctx)
{
    (void)ctx;
    net.closed = true;
}

static inline void net_end(void)
{
    http_server_close(net.server, on_server_closed, NULL);
    loop_drain(&net.closed);
    assert_true(net.closed);
    assert_int_equal(loop_end(), 0);
}

/* ---- a client --------------------------------------------------------------- */

static inline void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct client *c = h->data;

    (void)hint;
    *buf = uv_buf_init(c->text + c->len,
                       (unsigned)(sizeof(c->text) - c->len - 1));
}

static inline void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = h->data;

    (void)buf;
    if (n < 0) {
        c->ended = true;
        uv_read_stop(h);
        return;
    }
    c->len += (size_t)n;
    c->text[c->len] = '\0';
}

static inline void on_connect(uv_connect_t *req, int status)
{
    struct client *c = req->data;

    assert_int_equal(status, 0);
    c->connected = true;
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static inline struct client *dial(void)
{
    struct client *c = calloc(1, sizeof(*c));
    struct sockaddr_in sa;

    assert_non_null(c);
    assert_int_equal(uv_ip4_addr("127.0.0.1", net.addr.port, &sa), 0);
    uv_tcp_init(&loop.uv, &c->tcp);
    uv_tcp_nodelay(&c->tcp, 1);
    c->tcp.data = c->connect.data = c;
    assert_int_equal(uv_tcp_connect(&c->connect, &c->tcp,
                                    (const struct sockaddr *)&sa, on_connect),
                     0);
    RUN_UNTIL(c->connected);
    return c;
}

/* false: the server has closed. */
static inline bool send_bytes(struct client *c, struct slice s)
{
    while (s.n && !loop.late) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)s.p, (unsigned)s.n);
        int n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);

        if (n == UV_EAGAIN) {
            uv_run(&loop.uv, UV_RUN_NOWAIT);
            continue;
        }
        if (n <= 0)
            return false;
        s = slice_from(s, (size_t)n);
    }
    return true;
}

static inline void on_client_closed(uv_handle_t *h)
{
    struct client *c = h->data;

    c->closed = true;
}

static inline void hang_up(struct client *c)
{
    uv_close((uv_handle_t *)&c->tcp, on_client_closed);
    RUN_UNTIL(c->closed);
    free(c);
}
#endif
