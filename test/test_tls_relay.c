/* TLS in front of a plain server: bytes both ways, however they are cut, the
 * end of either side, what is no TLS, who takes nothing, and a certificate that
 * is made late or read again. */
#include "test/support.h"

#include "app/net/tls_relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#if GB_TLS

#define BIG 300000

static char dir[] = "/tmp/gb-test-relay-XXXXXX";
static char cert[64], key[64], why[TLS_WHY_MAX];
static struct tls_ctx *client, *server; /* server NULL: there is none */
static unsigned asked;

static void make(void)
{
    struct gb_addr ip;

    assert_int_equal(gb_addr_parse_ip(&ip, SLICE("127.0.0.1")), 0);
    assert_int_equal(tls_make_certificate(cert, key, "relay", &ip, 1, why), 0);
}

static struct tls_ctx *give(void *ctx)
{
    (void)ctx;
    asked++;
    return server;
}

static void open_relay(struct tls_relay **r, uint32_t stall_ms,
                       uint32_t rest_ms, uint32_t links_max)
{
    const struct tls_relay_config c = { .server = give,
                                        .stall_ms = stall_ms,
                                        .rest_ms = rest_ms,
                                        .links_max = links_max };

    asked = 0;
    assert_int_equal(tls_relay_new(r, &c), 0);
}

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/a.crt", dir);
    snprintf(key, sizeof(key), "%s/a.key", dir);
    make();
    assert_int_equal(tls_ctx_server(&server, cert, key, why), 0);
    return tls_ctx_client(&client, NULL, why);
}

static int teardown(void **state)
{
    (void)state;
    tls_ctx_free(client);
    tls_ctx_free(server);
    unlink(cert);
    unlink(key);
    return rmdir(dir);
}

/* One client: its TLS, its socket, and what the server got of it. */
struct end {
    struct tls *tls;
    int net, plain;
};

static void wait_in(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 10000), 1);
}

static void send_out(struct end *e, size_t at_once)
{
    struct slice out = tls_output(e->tls);

    while (out.n) {
        ssize_t n = send(e->net, out.p, out.n < at_once ? out.n : at_once, 0);

        assert_true(n > 0);
        tls_sent(e->tls, (size_t)n);
        out = tls_output(e->tls);
    }
}

/* Waits for bytes of the relay; n plain ones. The err of tls_decrypt, or
 * GB_ENOENT at the end of the socket. */
static int take_in(struct end *e, char *buf, size_t cap, size_t *n)
{
    char raw[4096];
    struct slice in;
    ssize_t got;

    *n = 0;
    wait_in(e->net);
    got = recv(e->net, raw, sizeof(raw), 0);
    if (got <= 0)
        return GB_ENOENT;
    in = slice_of(raw, (size_t)got);
    return tls_decrypt(e->tls, &in, buf, cap, n);
}

static void open_end(struct tls_relay *r, struct end *e, size_t at_once)
{
    char buf[256];
    int pair[2];
    size_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    e->net = pair[0];
    assert_int_equal(tls_new(&e->tls, client, NULL), 0);
    assert_int_equal(tls_relay_take(r, pair[1], slice_head(tls_output(e->tls),
                                                           at_once),
                                    &e->plain), 0);
    tls_sent(e->tls, at_once < tls_output(e->tls).n ? at_once
                                                    : tls_output(e->tls).n);
    while (!tls_is_up(e->tls)) {
        send_out(e, at_once);
        assert_int_equal(take_in(e, buf, sizeof(buf), &n), 0);
    }
    send_out(e, at_once);
}

static void close_end(struct end *e)
{
    tls_free(e->tls);
    close(e->net);
    close(e->plain);
}

static void read_all(int fd, char *buf, size_t want)
{
    while (want) {
        ssize_t n;

        wait_in(fd);
        n = recv(fd, buf, want, 0);
        assert_true(n > 0);
        buf += n;
        want -= (size_t)n;
    }
}

/* A question, and an answer that is longer than all buffers on the way. */
static void both_ways(void **state)
{
    static const size_t cuts[] = { 1, 7, 1000, 100000 };
    static char big[BIG], got[BIG];
    struct tls_relay *r;

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 31 >> 3);
    open_relay(&r, 0, 0, 0);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
        size_t sent = 0, have = 0, n;
        struct end e;

        open_end(r, &e, cuts[i]);
        assert_int_equal(tls_encrypt(e.tls, SLICE("GET /")), 0);
        send_out(&e, cuts[i]);
        read_all(e.plain, got, 5);
        assert_memory_equal(got, "GET /", 5);
        while (have < sizeof(big)) {
            ssize_t w = sent < sizeof(big)
                            ? send(e.plain, big + sent, sizeof(big) - sent,
                                   MSG_DONTWAIT)
                            : 0;

            sent += w > 0 ? (size_t)w : 0;
            assert_int_equal(take_in(&e, got + have, sizeof(got) - have, &n),
                             0);
            have += n;
        }
        assert_memory_equal(got, big, sizeof(big));
        close_end(&e);
    }
    tls_relay_free(r);
}

/* The server's end is heard with a close_notify, behind all that it sent. */
static void the_end_of_the_server(void **state)
{
    struct tls_relay *r;
    struct end e;
    char buf[64];
    size_t n, have = 0;
    int err;

    (void)state;
    open_relay(&r, 0, 0, 0);
    open_end(r, &e, 1000);
    assert_int_equal(send(e.plain, "last", 4, 0), 4);
    assert_int_equal(shutdown(e.plain, SHUT_WR), 0);
    do {
        err = take_in(&e, buf + have, sizeof(buf) - have, &n);
        have += n;
    } while (!err);
    assert_int_equal(err, GB_ENOENT);
    assert_int_equal(have, 4);
    close_end(&e);
    tls_relay_free(r);
}

static void the_end_of_the_client(void **state)
{
    struct tls_relay *r;
    struct end e;
    char byte;

    (void)state;
    open_relay(&r, 0, 0, 0);
    open_end(r, &e, 1000);
    close(e.net);
    wait_in(e.plain);
    assert_int_equal(recv(e.plain, &byte, 1, 0), 0);
    close(e.plain);
    tls_free(e.tls);
    tls_relay_free(r);
}

static void no_tls(void **state)
{
    struct tls_relay_counters n;
    struct tls_relay *r;
    int pair[2], plain;
    char buf[64];

    (void)state;
    open_relay(&r, 0, 0, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tls_relay_take(r, pair[1],
                                    SLICE("\x16\x03\x01\0\x05hello"),
                                    &plain), 0);
    wait_in(plain);
    assert_int_equal(recv(plain, buf, sizeof(buf), 0), 0);
    tls_relay_counters(r, &n);
    assert_int_equal(n.taken, 1);
    assert_int_equal(n.failed, 1);
    close(plain);
    close(pair[0]);
    tls_relay_free(r);
}

/* A record that never ends: the server has waited long enough. */
static void given_up(void **state)
{
    struct tls_relay *r;
    int pair[2], plain;
    char byte;

    (void)state;
    open_relay(&r, 0, 0, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tls_relay_take(r, pair[1], SLICE("\x16\x03\x01\x20"),
                                    &plain), 0);
    close(plain);
    wait_in(pair[0]);
    assert_int_equal(recv(pair[0], &byte, 1, 0), 0);
    close(pair[0]);
    tls_relay_free(r);
}

static uint32_t now_open(struct tls_relay *r)
{
    struct tls_relay_counters n;

    tls_relay_counters(r, &n);
    return n.connections;
}

/* An answer that nobody takes: when the server has given up, so does the relay,
 * though the client stays. One that is taken, but too slowly, ends too. */
static void nobody_reads(void **state)
{
    static const struct {
        uint32_t stall_ms, rest_ms;
        bool trickles;
    } cases[] = { { 600, 60000, false }, { 60000, 1500, true } };
    static char big[BIG];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tls_relay *r;
        struct end e;

        open_relay(&r, cases[i].stall_ms, cases[i].rest_ms, 0);
        open_end(r, &e, 1000);
        while (send(e.plain, big, sizeof(big), MSG_DONTWAIT) > 0)
            poll(NULL, 0, 10); /* until nothing more fits anywhere */
        assert_int_equal(now_open(r), 1);
        poll(NULL, 0, 1200); /* while the server is there it waits */
        assert_int_equal(now_open(r), 1);
        close(e.plain);
        for (int k = 0; now_open(r); k++) {
            char few[200];

            if (k == 200)
                fail_msg("case %zu: it stays", i);
            if (cases[i].trickles)
                assert_true(recv(e.net, few, sizeof(few), MSG_DONTWAIT));
            poll(NULL, 0, 50);
        }
        tls_free(e.tls);
        close(e.net);
        tls_relay_free(r);
    }
}

static void no_room(void **state)
{
    struct tls_relay *r;
    struct end e;
    int pair[2], plain;

    (void)state;
    open_relay(&r, 0, 0, 1);
    open_end(r, &e, 1000);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tls_relay_take(r, pair[1], SLICE("\x16"), &plain),
                     GB_ELIMIT);
    close_end(&e);
    while (now_open(r))
        poll(NULL, 0, 10);
    open_end(r, &e, 1000); /* there is room again */
    close_end(&e);
    close(pair[0]);
    close(pair[1]); /* it stayed ours */
    tls_relay_free(r);
}

/* Nothing is asked for before somebody comes; what is not there then may be
 * later. */
static void none_yet(void **state)
{
    struct tls_ctx *later = server;
    struct tls_relay *r;
    int pair[2], plain;
    struct end e;

    (void)state;
    server = NULL;
    open_relay(&r, 0, 0, 0);
    assert_int_equal(asked, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tls_relay_take(r, pair[1], SLICE("\x16"), &plain),
                     GB_EIO);
    assert_int_equal(asked, 1);
    close(pair[0]);
    close(pair[1]);
    server = later;
    open_end(r, &e, 1000);
    close_end(&e);
    tls_relay_free(r);
}

/* With connections open, those go on with the certificate they began with. */
static void read_again(void **state)
{
    struct tls_ctx *old = server;
    struct tls_relay *r;
    struct end one, two;
    char byte;

    (void)state;
    open_relay(&r, 0, 0, 0);
    open_end(r, &one, 1000);
    make();
    assert_int_equal(tls_ctx_server(&server, cert, key, why), 0);
    tls_ctx_free(old);
    open_end(r, &two, 1000);
    assert_int_equal(tls_encrypt(one.tls, SLICE("x")), 0);
    send_out(&one, 1000);
    read_all(one.plain, &byte, 1);
    assert_int_equal(byte, 'x');
    close_end(&one);
    tls_relay_free(r); /* two is open */
    close_end(&two);
}

static void nothing_happened(void **state)
{
    struct tls_relay *r;

    (void)state;
    tls_relay_free(NULL);
    open_relay(&r, 0, 0, 0);
    tls_relay_free(r);
    assert_int_equal(asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(the_end_of_the_server),
        cmocka_unit_test(the_end_of_the_client),
        cmocka_unit_test(no_tls),
        cmocka_unit_test(given_up),
        cmocka_unit_test(nobody_reads),
        cmocka_unit_test(no_room),
        cmocka_unit_test(none_yet),
        cmocka_unit_test(read_again),
        cmocka_unit_test(nothing_happened),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

#else

static struct tls_ctx *give(void *ctx)
{
    (void)ctx;
    return NULL;
}

static void there_is_none(void **state)
{
    const struct tls_relay_config c = { .server = give };
    struct tls_relay *r;
    int plain;

    (void)state;
    assert_int_equal(tls_relay_new(&r, &c), 0);
    assert_int_equal(tls_relay_take(r, 0, SLICE("\x16"), &plain), GB_EIO);
    tls_relay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(there_is_none) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
