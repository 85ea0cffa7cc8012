/* test/sip_edge_world.h - the SIP edge of a server and of a client in one loop over
 * loopback, and plain sockets that talk to the server */
#ifndef TEST_SIP_EDGE_WORLD_H
#define TEST_SIP_EDGE_WORLD_H

#include "test/support.h"

#include "app/net/sip_edge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static uv_loop_t loop;
static struct sip_stack *server_sip, *client_sip;
static struct sip_edge *server, *client;
static struct tls_ctx *server_tls, *client_tls;
static char dir[] = "/tmp/gb-test-edge-XXXXXX", cert[64], key[64];

static unsigned requests, answers, failures, n_up, n_down, closed;
static struct sip_peer last_peer;
static char last_via[128];

static inline void on_server_event(void *ctx, const struct sip_event *ev)
{
    const struct sip_response r = { .status = 200, .expires = -1 };

    (void)ctx;
    if (ev->kind != SIP_EV_REQUEST)
        return;
    requests++;
    last_peer = ev->peer;
    slice_copy(last_via, sizeof(last_via), ev->msg->via.text);
    sip_stack_respond(server_sip, ev->transaction, &r, uv_now(&loop));
}

static inline void on_client_event(void *ctx, const struct sip_event *ev)
{
    (void)ctx;
    answers += ev->kind == SIP_EV_RESPONSE && ev->status == 200;
    failures += ev->kind == SIP_EV_FAILED;
}

static inline uint64_t on_turn(void *ctx, uint64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
    return GB_NEVER;
}

static struct gb_addr client_local;
/* of the next server; 0: the default */
static uint32_t strangers_bytes, strangers_idle_ms, strangers_per_source;
static unsigned asked; /* whether a ping is admitted */
static bool deaf_to_pings;

static inline bool admits(void *ctx, struct sip_peer *from, struct slice bytes)
{
    bool ping = slice_eq(bytes, SLICE("\r\n\r\n"));

    (void)ctx;
    (void)from;
    asked += ping;
    return !(ping && deaf_to_pings) &&
           slice_find_slice(bytes, SLICE("kept-out")) == bytes.n;
}

static uint64_t unregistered; /* over this connection */

static inline bool is_bound(void *ctx, const struct sip_peer *peer)
{
    (void)ctx;
    return peer->connection != unregistered;
}

static inline void on_connection(void *ctx, uint64_t connection, bool is_up,
                                 const struct gb_addr *local)
{
    (void)ctx;
    (void)connection;
    n_up += is_up;
    n_down += !is_up;
    if (is_up)
        client_local = *local;
}

static inline void begin(uint32_t keep_open_ms, uint32_t max_connections)
{
    static struct gb_addr at[1];
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap, .seed = { 1 },
                                   .large_bytes = 1300 };
    struct sip_edge_config c = {
        .loop = &loop, .listen = at, .n_listen = 1, .on_turn = on_turn,
        .max_connections = max_connections,
    };
    int err = 0;

    gb_addr_parse_ip(&at[0], SLICE("127.0.0.1"));
    requests = answers = failures = n_up = n_down = closed = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(sip_stack_new(&server_sip, &sc), 0);
    sc.seed[0] = 2;
    assert_int_equal(sip_stack_new(&client_sip, &sc), 0);
    c.stack = client_sip;
    c.no_tcp = true;
    c.on_event = on_client_event;
    c.on_connection = on_connection;
    c.tls_client = client_tls;
    c.tls_name = "127.0.0.1";
    assert_int_equal(sip_edge_new(&client, &c, NULL), 0);
    c.stack = server_sip;
    c.no_tcp = false;
    c.on_event = on_server_event;
    c.admits = admits;
    c.is_bound = is_bound;
    c.on_connection = NULL;
    c.keep_open_ms = keep_open_ms;
    c.strangers_bytes = strangers_bytes;
    c.strangers_idle_ms = strangers_idle_ms;
    c.strangers_per_source = strangers_per_source;
#if GB_TLS
    c.tls_listen = at;
    c.n_tls = 1;
    c.tls_server = server_tls;
#endif
    for (unsigned i = 0; i < 20; i++) { /* another process may have the TCP
                                           port of the same number */
        err = sip_edge_new(&server, &c, NULL);
        if (err != UV_EADDRINUSE)
            break;
    }
    assert_int_equal(err, 0);
}

static inline void on_closed(void *ctx)
{
    (void)ctx;
    closed++;
}

static inline void finish(void)
{
    sip_edge_close(client, on_closed, NULL);
    sip_edge_close(server, on_closed, NULL);
    while (closed < 2)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(uv_loop_close(&loop), 0);
    sip_stack_free(client_sip);
    sip_stack_free(server_sip);
}

static inline void on_tick(uv_timer_t *t)
{
    (void)t; /* the loop wakes up and looks at the condition */
}

/* Runs until *what is at least n; false after ms. */
static inline bool reaches(const unsigned *what, unsigned n, uint64_t ms)
{
    uv_timer_t tick;
    uint64_t end;

    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    uv_update_time(&loop);
    end = uv_now(&loop) + ms;
    while (*what < n && uv_now(&loop) < end)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return *what >= n;
}

static inline void pass(uint64_t ms)
{
    static const unsigned never;

    reaches(&never, 1, ms);
}

static inline void ask(uint8_t transport, uint64_t connection)
{
    uint64_t ignored;
    struct sip_request r = {
        .method = SIP_METHOD_OPTIONS, .uri = SLICE("sip:a@127.0.0.1"),
        .from = SLICE("sip:b@127.0.0.1"), .to = SLICE("sip:a@127.0.0.1"),
        .expires = -1,
        .peer = { .transport = transport, .connection = connection,
                  .local = client_local,
                  .remote = sip_edge_addr(server, 0) },
    };

    if (transport == SIP_UDP)
        r.peer.local = sip_edge_addr(client, 0);
    assert_int_equal(sip_stack_request(client_sip, &r, uv_now(&loop), &ignored),
                     0);
    sip_edge_touch(client);
}

/* A blocking connection of ours to a listener; reads do not block. */
static inline int plain(size_t listener)
{
    struct gb_addr a = sip_edge_addr(server, listener);
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(a.port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memcpy(&in.sin_addr, a.ip, 4);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Reads n bytes, however late the machine is. */
static inline void expect_bytes(int fd, char *buf, size_t n)
{
    size_t had = 0;

    for (unsigned i = 0; had < n && i < 1000; i++) {
        ssize_t got = read(fd, buf + had, n - had);

        if (got > 0)
            had += (size_t)got;
        else if (got == 0)
            break;
        else
            pass(10);
    }
    assert_int_equal(had, n);
}

/* The server closes it, after whatever it had to say. */
static inline void expect_end(int fd)
{
    char buf[100];
    ssize_t n = -1;

    for (unsigned i = 0; i < 2000; i++) {
        n = read(fd, buf, sizeof(buf));
        if (n == 0)
            break;
        if (n < 0)
            pass(10);
    }
    assert_int_equal(n, 0);
}

/* It stays open, whatever is there to read. */
static inline void expect_open(int fd)
{
    char buf[100];

    pass(50);
    while (read(fd, buf, sizeof(buf)) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
}

static inline void expect_connections(uint32_t n)
{
    struct sip_edge_counters c;

    for (unsigned i = 0; i < 1000; i++) {
        sip_edge_counters(server, &c);
        if (c.connections == n)
            return;
        pass(10);
    }
    assert_int_equal(c.connections, n);
}

static const char options[] =
    "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKplain\r\n"
    "From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\n"
    "Call-ID: plain\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
    "Content-Length: 0\r\n\r\n";

static inline struct sip_edge_counters of_server(void)
{
    struct sip_edge_counters n;

    sip_edge_counters(server, &n);
    return n;
}

static inline void say(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno != EAGAIN)
            return; /* it has been closed: what we wait for */
        if (put <= 0) {
            pass(5);
            continue;
        }
        p += put;
        n -= (size_t)put;
    }
}

static inline int world_setup(void **state)
{
#if GB_TLS
    char why[TLS_WHY_MAX];
    struct gb_addr a;

    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/tls.crt", dir);
    snprintf(key, sizeof(key), "%s/tls.key", dir);
    gb_addr_parse_ip(&a, SLICE("127.0.0.1"));
    assert_int_equal(tls_make_certificate(cert, key, "server", &a, 1, why), 0);
    assert_int_equal(tls_ctx_server(&server_tls, cert, key, why), 0);
    assert_int_equal(tls_ctx_client(&client_tls, cert, why), 0);
#endif
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as the daemon has it: a peer that is cut writes on */
    return 0;
}

static inline int world_teardown(void **state)
{
    (void)state;
    tls_ctx_free(server_tls);
    tls_ctx_free(client_tls);
    unlink(cert);
    unlink(key);
    rmdir(dir);
    return 0;
}
#endif
