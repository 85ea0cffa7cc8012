/* The SIP edge over real sockets on loopback: TLS from end to end, peers that
 * say nothing, connections kept open. */
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

#define KEEP_OPEN_MS 1500

static uv_loop_t loop;
static struct sip_stack *server_sip, *client_sip;
static struct sip_edge *server, *client;
static struct tls_ctx *server_tls, *client_tls;
static char dir[] = "/tmp/gb-test-edge-XXXXXX", cert[64], key[64];

static unsigned requests, answers, failures, n_up, n_down, closed;
static struct sip_peer last_peer;
static char last_via[128];

static void on_server_event(void *ctx, const struct sip_event *ev)
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

static void on_client_event(void *ctx, const struct sip_event *ev)
{
    (void)ctx;
    answers += ev->kind == SIP_EV_RESPONSE && ev->status == 200;
    failures += ev->kind == SIP_EV_FAILED;
}

static uint64_t on_turn(void *ctx, uint64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
    return GB_NEVER;
}

static struct gb_addr client_local;
static uint32_t strangers_bytes, strangers_idle_ms, strangers_per_source;
/* of the next server; 0: the default */
static unsigned asked; /* whether a ping is admitted */
static bool deaf_to_pings;

static bool admits(void *ctx, struct sip_peer *from, struct slice bytes)
{
    bool ping = slice_eq(bytes, SLICE("\r\n\r\n"));

    (void)ctx;
    (void)from;
    asked += ping;
    return !(ping && deaf_to_pings) &&
           slice_find_slice(bytes, SLICE("kept-out")) == bytes.n;
}

static uint64_t unregistered; /* over this connection */

static bool is_bound(void *ctx, const struct sip_peer *peer)
{
    (void)ctx;
    return peer->connection != unregistered;
}

static void on_connection(void *ctx, uint64_t connection, bool is_up,
                          const struct gb_addr *local)
{
    (void)ctx;
    (void)connection;
    n_up += is_up;
    n_down += !is_up;
    if (is_up)
        client_local = *local;
}

static void begin(uint32_t keep_open_ms, uint32_t max_connections)
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

static void on_closed(void *ctx)
{
    (void)ctx;
    closed++;
}

static void finish(void)
{
    sip_edge_close(client, on_closed, NULL);
    sip_edge_close(server, on_closed, NULL);
    while (closed < 2)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(uv_loop_close(&loop), 0);
    sip_stack_free(client_sip);
    sip_stack_free(server_sip);
}

static void on_tick(uv_timer_t *t)
{
    (void)t; /* the loop wakes up and looks at the condition */
}

/* Runs until *what is at least n; false after ms. */
static bool reaches(const unsigned *what, unsigned n, uint64_t ms)
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

static void pass(uint64_t ms)
{
    static const unsigned never;

    reaches(&never, 1, ms);
}

static void ask(uint8_t transport, uint64_t connection)
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
static int plain(size_t listener)
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
static void expect_bytes(int fd, char *buf, size_t n)
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
static void expect_end(int fd)
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
static void expect_open(int fd)
{
    char buf[100];

    pass(50);
    while (read(fd, buf, sizeof(buf)) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
}

static void expect_connections(uint32_t n)
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

/* ---- tests ---- */

static void over_every_transport(void **state)
{
    uint64_t connection;
    struct gb_addr at;

    (void)state;
    begin(0, 0);
    ask(SIP_UDP, 0);
    assert_true(reaches(&answers, 1, 5000));
    assert_int_equal(last_peer.transport, SIP_UDP);

    at = sip_edge_addr(server, 0);
    assert_int_equal(sip_edge_connect(client, &at, &connection), 0);
    assert_true(reaches(&n_up, 1, 5000));
    ask(SIP_TCP, connection);
    assert_true(reaches(&answers, 2, 5000));
    assert_int_equal(last_peer.transport, SIP_TCP);
    assert_true(slice_has_prefix(slice_str(last_via), SLICE("SIP/2.0/TCP ")));
#if GB_TLS
    at = sip_edge_addr(server, 1);
    assert_int_equal(sip_edge_connect_tls(client, &at, &connection), 0);
    ask(SIP_TLS, connection); /* too early: told, not lost in silence */
    assert_true(reaches(&failures, 1, 5000));
    assert_true(reaches(&n_up, 2, 5000));
    ask(SIP_TLS, connection);
    ask(SIP_TLS, connection);
    assert_true(reaches(&answers, 4, 5000));
    assert_int_equal(last_peer.transport, SIP_TLS);
    assert_int_equal(last_peer.listener, 1);
    assert_true(slice_has_prefix(slice_str(last_via), SLICE("SIP/2.0/TLS ")));
    sip_edge_disconnect(client, connection);
    assert_true(reaches(&n_down, 1, 5000));
#endif
    finish();
}

static void pings(void **state)
{
    char buf[2000];
    int fds[2];
    uint64_t since_ns;

    (void)state;
    begin(KEEP_OPEN_MS, 0);
    fds[0] = plain(0);
    fds[1] = plain(0); /* never says anything */
    assert_int_equal(write(fds[0], options, sizeof(options) - 1),
                     sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    sip_edge_trust(server, last_peer.connection); /* others are not kept open */
    sip_edge_trust(server, 0);
    expect_bytes(fds[0], buf, 12);
    assert_memory_equal(buf, "SIP/2.0 200 ", 12);
    pass(50);
    assert_true(read(fds[0], buf, sizeof(buf)) > 0); /* the rest of it */
    since_ns = uv_hrtime();
    assert_int_equal(write(fds[0], "\r\n\r\n", 4), 4); /* RFC 5626 */
    expect_bytes(fds[0], buf, 2);
    assert_memory_equal(buf, "\r\n", 2);
    expect_bytes(fds[0], buf, 2); /* idle for long enough */
    assert_memory_equal(buf, "\r\n", 2);
    assert_true(uv_hrtime() - since_ns >=
                (KEEP_OPEN_MS * 4 / 5 - 50) * 1000000ull);
    assert_int_equal(read(fds[1], buf, sizeof(buf)), -1);
    close(fds[0]);
    close(fds[1]);
    finish();
}

static struct sip_edge_counters of_server(void)
{
    struct sip_edge_counters n;

    sip_edge_counters(server, &n);
    return n;
}

static void say(int fd, const char *p, size_t n)
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

/* The head of a message whose body is to come. */
static size_t open_message(char *buf, size_t size)
{
    int n = snprintf(buf, size,
                     "MESSAGE sip:a@127.0.0.1 SIP/2.0\r\n"
                     "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKlong\r\n"
                     "From: <sip:b@127.0.0.1>;tag=1\r\n"
                     "To: <sip:a@127.0.0.1>\r\nCall-ID: long\r\n"
                     "CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 200000\r\n\r\n");

    return (size_t)n;
}

/* What is there to read on fd until nothing more comes. */
static size_t drained(int fd)
{
    char buf[4096];
    size_t all = 0;

    for (unsigned idle = 0; idle < 10;) {
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n > 0) {
            all += (size_t)n;
            idle = 0;
        } else {
            idle++;
            pass(10);
        }
    }
    return all;
}

/* Pings without end get an answer now and then, if any: each would cost a
 * system call, or memory where they are not read. */
static void many_pings(void **state)
{
    static char blank[64000];
    size_t got;
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(blank); i++)
        blank[i] = "\r\n"[i & 1];
    begin(0, 0);
    asked = 0;
    fd = plain(0);
    say(fd, blank, sizeof(blank));
    got = drained(fd);
    assert_true(got >= 2 && got < sizeof(blank) / 2 / 20);
    assert_int_equal(asked, got / 2); /* all are paid for */
    deaf_to_pings = true;
    say(fd, "\r\n\r\n", 4);
    assert_int_equal(drained(fd), 0);
    deaf_to_pings = false;
    say(fd, "\r\n\r\n", 4);
    assert_int_equal(drained(fd), 2);
    close(fd);
    finish();
}

/* A body that a registered device may send is too much from a stranger. */
static void one_stranger_holds_little(void **state)
{
    static char body[200000];
    char head[512];
    size_t n = open_message(head, sizeof(head));

    (void)state;
    memset(body, 'x', sizeof(body));
    for (int trusted = 0; trusted < 2; trusted++) {
        int fd;

        begin(0, 0);
        fd = plain(0);
        say(fd, options, sizeof(options) - 1);
        assert_true(reaches(&requests, 1, 5000));
        assert_int_equal(of_server().strangers, 1);
        if (trusted) {
            sip_edge_trust(server, last_peer.connection);
            sip_edge_trust(server, last_peer.connection);
            assert_int_equal(of_server().strangers, 0);
        }
        say(fd, head, n);
        say(fd, body, sizeof(body));
        if (trusted)
            assert_true(reaches(&requests, 2, 5000));
        else
            expect_connections(0);
        assert_int_equal(requests, 1 + (unsigned)trusted);
        assert_int_equal(of_server().strangers_bytes, 0);
        assert_int_equal(of_server().cut, !trusted);
        close(fd);
        finish();
    }
}

/* Whoever has spoken and is not registered, or no longer, may not stay. */
static void idle_strangers_go(void **state)
{
    int known, stranger;
    uint64_t id;
    char buf[16];

    (void)state;
    strangers_idle_ms = 200;
    begin(0, 0);
    strangers_idle_ms = 0;
    known = plain(0);
    say(known, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    id = last_peer.connection;
    sip_edge_trust(server, id);
    stranger = plain(0);
    say(stranger, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 2, 5000));
    expect_end(stranger);
    expect_connections(1);
    assert_int_equal(of_server().strangers_cut, 1);
    while (read(known, buf, sizeof(buf)) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    unregistered = id;
    expect_end(known);
    expect_connections(0);
    assert_int_equal(of_server().strangers_cut, 2);
    unregistered = 0;
    close(known);
    close(stranger);
    finish();
}

/* All of them together: the one that holds most makes room, and whoever is
 * registered is left alone. */
static void strangers_share_their_memory(void **state)
{
    static char body[60000];
    char head[512], buf[16];
    size_t n = open_message(head, sizeof(head));
    int fd[6], known;

    (void)state;
    strangers_bytes = 256u << 10;
    begin(0, 0);
    strangers_bytes = 0;
    memset(body, 'x', sizeof(body));
    known = plain(0);
    say(known, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    sip_edge_trust(server, last_peer.connection);
    say(known, head, n);
    say(known, body, sizeof(body));
    for (size_t i = 0; i < COUNT(fd); i++) {
        fd[i] = plain(0);
        if (i < 4)
            expect_connections((uint32_t)i + 2);
        say(fd[i], head, n);
        say(fd[i], body, sizeof(body));
        pass(100);
        assert_true(of_server().strangers_bytes <= 256u << 10);
    }
    assert_true(of_server().strangers_cut >= 2);
    assert_int_equal(of_server().cut, 0);
    expect_end(fd[0]); /* the oldest of equals */
    assert_int_equal(of_server().strangers, of_server().connections - 1);
    pass(50);
    while (read(known, buf, sizeof(buf)) > 0)
        continue; /* its 200 */
    assert_int_equal(errno, EAGAIN); /* still open */
    close(known);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    expect_connections(0);
    assert_int_equal(of_server().strangers_bytes, 0);
    assert_int_equal(of_server().strangers, 0);
    finish();
}

static uint64_t ask_large(const struct gb_addr *to, const char *body, size_t n)
{
    uint64_t id;
    const struct sip_request r = {
        .method = SIP_METHOD_MESSAGE, .uri = SLICE("sip:a@127.0.0.1"),
        .from = SLICE("sip:b@127.0.0.1"), .to = SLICE("sip:a@127.0.0.1"),
        .expires = -1, .content_type = SLICE("text/plain"),
        .body = slice_of(body, n),
        .peer = { .transport = SIP_UDP, .dial = true,
                  .local = sip_edge_addr(client, 0), .remote = *to },
    };

    assert_int_equal(sip_stack_request(client_sip, &r, uv_now(&loop), &id), 0);
    sip_edge_touch(client);
    return id;
}

/* RFC 3261 §18.1.1 over sockets: one connection for several, from the address
 * that the peer knows. */
static void large_requests(void **state)
{
    static char body[20000];
    struct sip_edge_counters n;
    struct gb_addr at;

    (void)state;
    begin(0, 0);
    memset(body, 'x', sizeof(body));
    at = sip_edge_addr(server, 0);
    for (unsigned i = 0; i < 3; i++)
        ask_large(&at, body, sizeof(body));
    assert_true(reaches(&answers, 3, 5000));
    assert_int_equal(last_peer.transport, SIP_TCP);
    assert_true(slice_has_prefix(slice_str(last_via), SLICE("SIP/2.0/TCP ")));
    ask_large(&at, body, sizeof(body));
    ask_large(&at, body, 10);
    assert_true(reaches(&answers, 5, 5000));
    sip_edge_counters(client, &n);
    assert_int_equal(n.dialled, 1);
    assert_int_equal(n.connections, 1);
    sip_edge_counters(server, &n);
    assert_int_equal(n.accepted, 1);
    assert_int_equal(n.datagrams, 1);
    assert_int_equal(failures, 0);
    finish();
}

/* Its peer has a UDP socket on this port and nothing that listens. */
static void large_to_a_deaf_port(void **state)
{
    static char body[20000], buf[65536];
    struct sip_edge_counters n;
    struct sip_counters c;
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct gb_addr at;
    ssize_t got = -1;

    (void)state;
    begin(0, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    gb_addr_parse_ip(&at, SLICE("127.0.0.1"));
    at.port = ntohs(in.sin_port);
    memset(body, 'x', sizeof(body));
    ask_large(&at, body, sizeof(body));
    for (unsigned i = 0; got < 0 && i < 1000; i++) {
        got = recv(fd, buf, sizeof(buf), 0);
        if (got < 0)
            pass(10);
    }
    assert_true(got > (ssize_t)sizeof(body));
    assert_true(slice_find_slice(slice_of(buf, (size_t)got),
                                 SLICE("\r\nVia: SIP/2.0/UDP ")) < (size_t)got);
    sip_edge_counters(client, &n);
    assert_int_equal(n.dialled, 1);
    assert_int_equal(n.connections, 0);
    sip_stack_counters(client_sip, &c);
    assert_int_equal(c.back_to_udp, 1);
    assert_int_equal(failures, 0);
    close(fd);
    finish();
}

/* A full table is full of those who have registered: of the others the oldest
 * makes room. */
static void connections_are_limited(void **state)
{
    struct sip_edge_counters n;
    int fd[4];

    (void)state;
    begin(0, 3);
    for (size_t i = 0; i < COUNT(fd); i++) {
        fd[i] = plain(i % (1 + GB_TLS)); /* both kinds count */
        expect_connections(i < 3 ? (uint32_t)i + 1 : 3);
    }
    expect_end(fd[0]);
    for (size_t i = 1; i < COUNT(fd); i++)
        expect_open(fd[i]);
    sip_edge_counters(server, &n);
    assert_int_equal(n.connections, 3);
    assert_int_equal(n.strangers_cut, 1);
    assert_int_equal(n.refused, 0);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    expect_connections(0);
    finish();
}

static void say_datagram(int fd, const char *branch, const char *agent)
{
    char text[600];
    int n = snprintf(text, sizeof(text),
                     "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%s\r\n"
                     "From: <sip:b@127.0.0.1>;tag=1\r\n"
                     "To: <sip:a@127.0.0.1>\r\nCall-ID: %s\r\n"
                     "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                     "User-Agent: %s\r\nContent-Length: 0\r\n\r\n",
                     branch, branch, agent);

    assert_int_equal(send(fd, text, (size_t)n, 0), n);
}

/* The second of a batch is read ahead, and is not let in then: the next one in its
 * place, as long, is another message. */
static void kept_out_of_a_batch(void **state)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET };

    (void)state;
    begin(0, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(sip_edge_addr(server, 0).port);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    say_datagram(fd, "one", "let-in");
    say_datagram(fd, "two", "kept-out-of-it");
    assert_true(reaches(&requests, 1, 5000));
    say_datagram(fd, "first", "kept-out");
    say_datagram(fd, "newer", "let-in-too");
    assert_true(reaches(&requests, 2, 5000));
    assert_true(slice_find_slice(slice_str(last_via), SLICE("z9hG4bKnewer")) <
                strlen(last_via));
    close(fd);
    finish();
}

/* A connection that somebody has registered over. */
static int trusted(void)
{
    unsigned before = requests;
    int fd = plain(0);

    say(fd, options, sizeof(options) - 1);
    assert_true(reaches(&requests, before + 1, 5000));
    sip_edge_trust(server, last_peer.connection);
    return fd;
}

static void no_room_is_made_among_the_known(void **state)
{
    int fd[3];

    (void)state;
    begin(0, 2);
    fd[0] = trusted();
    fd[1] = trusted();
    fd[2] = plain(0);
    expect_end(fd[2]);
    expect_open(fd[0]);
    expect_open(fd[1]);
    assert_int_equal(of_server().refused, 1);
    assert_int_equal(of_server().strangers_cut, 0);
    close(fd[0]);
    expect_connections(1);
    close(fd[2]);
    fd[2] = plain(0); /* room again */
    expect_connections(2);
    close(fd[1]);
    close(fd[2]);
    finish();
}

/* One host does not get the whole table, and who registers is not counted. */
static void strangers_of_one_source(void **state)
{
    int fd[4];

    (void)state;
    strangers_per_source = 2;
    begin(0, 0);
    strangers_per_source = 0;
    fd[0] = trusted();
    fd[1] = plain(0);
    fd[2] = plain(0);
    expect_connections(3);
    fd[3] = plain(0);
    expect_end(fd[3]);
    assert_int_equal(of_server().refused, 1);
    assert_int_equal(of_server().strangers, 2);
    expect_open(fd[1]);
    close(fd[1]);
    expect_connections(2);
    close(fd[3]);
    fd[3] = trusted();
    expect_open(fd[2]);
    for (size_t i = 0; i < COUNT(fd); i++)
        if (i != 1)
            close(fd[i]);
    finish();
}

/* Nobody keeps a place by empty lines. */
static void strangers_do_not_live_by_pings(void **state)
{
    (void)state;
    for (int spoke = 0; spoke < 2; spoke++) {
        char buf[1000];
        ssize_t n = -1;
        int fd;

        strangers_idle_ms = 300;
        begin(0, 0);
        strangers_idle_ms = 0;
        fd = plain(0);
        if (spoke)
            say(fd, options, sizeof(options) - 1);
        for (unsigned i = 0; n && i < 100; i++) {
            if (write(fd, "\r\n\r\n", 4) < 0)
                break;
            pass(50);
            do
                n = read(fd, buf, sizeof(buf));
            while (n > 0);
        }
        assert_int_equal(of_server().connections, 0);
        assert_int_equal(of_server().strangers_cut, 1);
        close(fd);
        finish();
    }
}

#if GB_TLS
static void plain_text_on_the_tls_port(void **state)
{
    struct sip_edge_counters n;
    int fd;

    (void)state;
    begin(0, 0);
    fd = plain(1);
    assert_int_equal(write(fd, options, sizeof(options) - 1),
                     sizeof(options) - 1);
    expect_end(fd); /* behind an alert */
    sip_edge_counters(server, &n);
    assert_int_equal(n.tls_failed, 1);
    assert_int_equal(n.connections, 0);
    assert_int_equal(requests, 0);
    close(fd);
    finish();
}

/* Another certificate is for who comes from now on; who is there stays. */
static void another_certificate(void **state)
{
    char other[80], other_key[80], why[TLS_WHY_MAX];
    struct tls_ctx *fresh;
    uint64_t one, two;
    struct gb_addr at, ip;

    (void)state;
    snprintf(other, sizeof(other), "%s/b.crt", dir);
    snprintf(other_key, sizeof(other_key), "%s/b.key", dir);
    gb_addr_parse_ip(&ip, SLICE("127.0.0.1"));
    assert_int_equal(tls_make_certificate(other, other_key, "b", &ip, 1, why),
                     0);
    assert_int_equal(tls_ctx_server(&fresh, other, other_key, why), 0);
    begin(0, 0);
    at = sip_edge_addr(server, 1);
    assert_int_equal(sip_edge_connect_tls(client, &at, &one), 0);
    assert_true(reaches(&n_up, 1, 5000));
    sip_edge_set_tls(server, fresh);
    assert_int_equal(sip_edge_connect_tls(client, &at, &two), 0);
    assert_true(reaches(&n_down, 1, 5000)); /* which the client does not know */
    assert_int_equal(n_up, 1);
    ask(SIP_TLS, one);
    assert_true(reaches(&answers, 1, 5000));
    finish();
    tls_ctx_free(fresh);
    unlink(other);
    unlink(other_key);
}

/* A peer that begins a handshake and stops is cut. */
static void half_handshake(void **state)
{
    struct sip_edge_counters n;
    uint64_t since_ns = uv_hrtime();
    int fd;

    (void)state;
    begin(0, 0);
    fd = plain(1);
    assert_int_equal(write(fd, "\x16\x03\x01\x02", 4), 4);
    expect_end(fd);
    assert_true(uv_hrtime() - since_ns >=
                (SIP_EDGE_HANDSHAKE_MS - 100) * 1000000ull);
    sip_edge_counters(server, &n);
    assert_int_equal(n.connections, 0);
    assert_int_equal(n.cut, 1);
    close(fd);
    finish();
}
#endif

static int setup(void **state)
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
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_ctx_free(server_tls);
    tls_ctx_free(client_tls);
    unlink(cert);
    unlink(key);
    rmdir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_every_transport),
        cmocka_unit_test(kept_out_of_a_batch),
        cmocka_unit_test(pings),
        cmocka_unit_test(many_pings),
        cmocka_unit_test(one_stranger_holds_little),
        cmocka_unit_test(idle_strangers_go),
        cmocka_unit_test(strangers_share_their_memory),
        cmocka_unit_test(large_requests),
        cmocka_unit_test(large_to_a_deaf_port),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(no_room_is_made_among_the_known),
        cmocka_unit_test(strangers_of_one_source),
        cmocka_unit_test(strangers_do_not_live_by_pings),
#if GB_TLS
        cmocka_unit_test(plain_text_on_the_tls_port),
        cmocka_unit_test(another_certificate),
        cmocka_unit_test(half_handshake),
#endif
    };

    signal(SIGPIPE, SIG_IGN); /* as the daemon has it: a peer that is cut writes on */
    return cmocka_run_group_tests(tests, setup, teardown);
}
