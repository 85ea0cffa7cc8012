/* The SIP edge over real sockets on loopback: every transport, TLS from end to end,
 * pings, and requests that are too large for UDP. Who may connect at all and for how
 * long: test_sip_strangers.c. */
#include "test/sip_edge_world.h"

#define KEEP_OPEN_MS 1500

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

/* Neither a message nor a bad one; the one behind it in a batch is read. What
 * only looks like it is bad. */
static void stun_keeps_a_way_open(void **state)
{
    static const char stun[20] = "\0\1\0\0\x21\x12\xa4\x42" "abcdefghijkl";
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct sip_edge_counters n;
    char other[sizeof(stun)];

    (void)state;
    begin(0, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(sip_edge_addr(server, 0).port);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send(fd, stun, sizeof(stun), 0), sizeof(stun));
    say_datagram(fd, "one", "let-in");
    assert_int_equal(send(fd, stun, sizeof(stun), 0), sizeof(stun));
    say_datagram(fd, "two", "let-in");
    assert_true(reaches(&requests, 2, 5000));
    sip_edge_counters(server, &n);
    assert_int_equal(n.datagrams, 4);
    assert_int_equal(n.messages, 2);
    assert_int_equal(n.bad, 0);

    memcpy(other, stun, sizeof(other));
    other[7] = 'C';
    assert_int_equal(send(fd, other, sizeof(other), 0), sizeof(other));
    assert_int_equal(send(fd, stun, sizeof(stun) - 1, 0), sizeof(stun) - 1);
    say_datagram(fd, "three", "let-in");
    assert_true(reaches(&requests, 3, 5000));
    sip_edge_counters(server, &n);
    assert_int_equal(n.bad, 2);
    close(fd);
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

/* A device whose Content-Length is more than what it sends is answered all the
 * same; a stranger is not. */
static void more_counted_than_sent(void **state)
{
    static const char message[] =
        "MESSAGE sip:a@127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKlong\r\n"
        "From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\n"
        "Call-ID: long\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
        "Content-Type: Application/MANSCDP+xml\r\nContent-Length: 30\r\n\r\n"
        "<Notify></Notify>";
    int fd;

    (void)state;
    begin(0, 0);
    fd = plain(0);
    say(fd, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    say(fd, message, sizeof(message) - 1);
    assert_false(reaches(&requests, 2, 2500));
    sip_edge_trust(server, last_peer.connection);
    assert_true(reaches(&requests, 2, 5000));
    assert_true(slice_find_slice(slice_str(last_via), SLICE("z9hG4bKlong")) <
                strlen(last_via));
    say(fd, "\r\n", 2); /* late, and counted for it */
    say(fd, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 3, 5000));
    close(fd);
    finish();
}

/* It counts those that come behind it, too, and then nothing comes. */
static void more_counted_than_two_messages(void **state)
{
    static const char message[] =
        "MESSAGE sip:a@127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKlong\r\n"
        "From: <sip:b@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\n"
        "Call-ID: long\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
        "Content-Type: Application/MANSCDP+xml\r\nContent-Length: 3000\r\n\r\n"
        "<Notify></Notify>\r\n";
    char buf[4000];
    int fd;

    (void)state;
    begin(KEEP_OPEN_MS, 0);
    fd = plain(0);
    say(fd, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    sip_edge_trust(server, last_peer.connection);
    say(fd, message, sizeof(message) - 1);
    say(fd, options, sizeof(options) - 1);
    say(fd, "\r\n", 2); /* half a ping: no message that has begun */
    assert_true(reaches(&requests, 3, 5000));
    pass(50);
    while (read(fd, buf, sizeof(buf)) > 0)
        ;
    expect_bytes(fd, buf, 2); /* it is idle, and kept open */
    assert_memory_equal(buf, "\r\n", 2);
    close(fd);
    finish();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_every_transport),
        cmocka_unit_test(kept_out_of_a_batch),
        cmocka_unit_test(stun_keeps_a_way_open),
        cmocka_unit_test(pings),
        cmocka_unit_test(more_counted_than_sent),
        cmocka_unit_test(more_counted_than_two_messages),
        cmocka_unit_test(many_pings),
        cmocka_unit_test(large_requests),
        cmocka_unit_test(large_to_a_deaf_port),
#if GB_TLS
        cmocka_unit_test(plain_text_on_the_tls_port),
        cmocka_unit_test(another_certificate),
        cmocka_unit_test(half_handshake),
#endif
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
