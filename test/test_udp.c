/* The UDP socket: our own address of each datagram, datagrams written in place,
 * batches. */
#include "test/support.h"

#include "app/net/udp.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <string.h>
#include <unistd.h>

static uv_loop_t loop;
static struct gb_addr seen_local, seen_remote;
static unsigned packets, bytes;

static void on_packets(void *ctx, struct udp_socket *u,
                       const struct udp_packet *pkt, size_t n)
{
    const bool *echo = ctx;

    for (size_t i = 0; i < n; i++) {
        packets++;
        bytes += (unsigned)pkt[i].n;
        seen_local = *pkt[i].local;
        seen_remote = *pkt[i].remote;
        if (*echo)
            udp_send(u, pkt[i].local, pkt[i].remote, pkt[i].p, pkt[i].n);
    }
    udp_flush(u);
}

static struct gb_addr address(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(text)), 0);
    return a;
}

static struct udp_socket *open_at(const char *ip, const bool *echo,
                                  struct gb_addr *at)
{
    struct udp_options o = { .bind = address(ip), .on_packets = on_packets,
                             .rcvbuf_bytes = 65536,
                             .ctx = (void *)(uintptr_t)echo };
    struct udp_socket *u;

    assert_int_equal(udp_open(&u, &loop, &o), 0);
    udp_address(u, at);
    return u;
}

static void run_until(unsigned n)
{
    for (unsigned i = 0; packets < n && i < 1000; i++)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(packets, n);
}

static void find_poll(uv_handle_t *h, void *arg)
{
    uv_os_fd_t *fd = arg;

    if (uv_handle_get_type(h) == UV_POLL)
        assert_int_equal(uv_fileno(h, fd), 0);
}

static int bound_to(struct sockaddr_in *in)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof(*in);

    assert_int_equal(bind(fd, (struct sockaddr *)in, sizeof(*in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)in, &len), 0);
    return fd;
}

/* An error that the kernel keeps for the socket does not make it deaf. */
static void hears_after_an_error(void **state)
{
    static const bool no = false;
    struct sockaddr_in in = { .sin_family = AF_INET }, to = in;
    uv_os_fd_t fd = -1;
    struct udp_socket *u;
    struct gb_addr at;
    int peer;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    u = open_at("127.0.0.1", &no, &at);
    uv_walk(&loop, find_poll, &fd);
    in.sin_addr.s_addr = to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(at.port);
    close(bound_to(&in));
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(send(fd, "x", 1, 0), 1); /* port unreachable */
    uv_run(&loop, UV_RUN_NOWAIT);
    peer = bound_to(&in);
    packets = 0;
    assert_int_equal(sendto(peer, "hello", 5, 0, (struct sockaddr *)&to,
                            sizeof(to)), 5);
    for (unsigned i = 0; packets == 0 && i < 100; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(packets, 1);
    close(peer);
    udp_close(u);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Whatever it is bound to, the answer comes from where the question went. */
static void local_address(void **state)
{
    static const struct {
        const char *bind, *client, *to;
    } cases[] = {
        { "0.0.0.0", "127.0.0.1", "127.0.0.2" },
        { "0.0.0.0", "127.0.0.3", "127.0.0.1" },
        { "127.0.0.2", "127.0.0.1", "127.0.0.2" },
        { "::", "127.0.0.1", "127.0.0.5" }, /* mapped */
        { "::", "::1", "::1" },
        { "::1", "::1", "::1" },
    };
    static const bool yes = true, no = false;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_addr at, from, to = address(cases[i].to);
        struct udp_socket *server, *client;

        assert_int_equal(uv_loop_init(&loop), 0);
        server = open_at(cases[i].bind, &yes, &at);
        client = open_at(cases[i].client, &no, &from);
        to.port = at.port;
        packets = 0;
        udp_send(client, NULL, &to, "hello", 5);
        udp_flush(client);
        run_until(1);
        if (!gb_addr_eq(&seen_local, &to) || !gb_addr_eq(&seen_remote, &from))
            fail_msg("%s: wrong address", cases[i].bind);
        run_until(2);
        if (!gb_addr_eq(&seen_local, &from) || !gb_addr_eq(&seen_remote, &to))
            fail_msg("%s: answered from elsewhere", cases[i].bind);
        udp_close(server);
        udp_close(client);
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

static void written_in_place(void **state)
{
    static const bool no = false;
    struct gb_addr at, from;
    struct udp_socket *server, *client;
    uint32_t dropped, errors;
    unsigned sum = 0;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    server = open_at("127.0.0.1", &no, &at);
    client = open_at("127.0.0.1", &no, &from);
    packets = bytes = 0;
    assert_null(udp_reserve(client, UDP_SEND_BYTES + 1));
    udp_counters(client, &dropped, &errors);
    assert_int_equal(errors, 1);
    for (unsigned n = 1; n <= 3 * UDP_SEND_BATCH; n++) {
        uint8_t *room = udp_reserve(client, 1000);

        assert_non_null(room);
        memset(room, (int)n, 1000);
        if (n % 3 == 0) /* not sent: the room is given to the next */
            continue;
        udp_commit(client, NULL, &at, n);
        sum += n;
    }
    udp_flush(client);
    run_until(2 * UDP_SEND_BATCH);
    assert_int_equal(bytes, sum);
    udp_close(server);
    udp_close(client);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- what the kernel joins ---- */

#define ROOM 2000

static uint8_t rooms[UDP_BATCH][ROOM], mores[UDP_BATCH][UDP_JOINED];
static unsigned settled, batches;
static uint8_t expected; /* first byte of the next datagram */
static size_t sizes[2000], n_sizes;

static size_t give_rooms(void *ctx, struct udp_room *room)
{
    (void)ctx;
    *room = (struct udp_room){ rooms[0], ROOM, ROOM, rooms };
    return UDP_BATCH;
}

static size_t give_mores(void *ctx, size_t n, const struct udp_more **more)
{
    static struct udp_more all[UDP_BATCH];

    (void)ctx;
    for (size_t i = 0; i < UDP_BATCH; i++)
        all[i] = (struct udp_more){ mores[i], mores[i] };
    *more = all;
    return n;
}

static uint8_t *leave(void *ctx, uint8_t *p, size_t n, void **buf)
{
    (void)ctx;
    assert_true(n > ROOM && n <= UDP_JOINED);
    assert_ptr_equal(*buf, p);
    settled++;
    return p;
}

static void count_batch(void *ctx, size_t used)
{
    (void)ctx;
    (void)used;
    batches++;
}

/* Each datagram is of one value, which counts up. */
static void check(void *ctx, struct udp_socket *u, const struct udp_packet *pkt,
                  size_t n)
{
    (void)ctx;
    (void)u;
    assert_in_range(n, 1, UDP_BATCH);
    for (size_t i = 0; i < n; i++) {
        assert_false(pkt[i].truncated);
        assert_true(n_sizes < COUNT(sizes));
        sizes[n_sizes++] = pkt[i].n;
        for (size_t k = 0; k < pkt[i].n; k++)
            assert_int_equal(pkt[i].p[k], expected);
        expected++;
        packets++;
    }
}

static void joined(void **state)
{
    static const struct {
        const char *name;
        size_t each, n; /* of all bytes */
    } cases[] = {
        { "one, short", 1400, 100 },    { "two in one room", 700, 1400 },
        { "just in a room", 1000, ROOM }, { "a byte more", 1000, ROOM + 1 },
        { "the split is inside", 1400, 14000 },
        { "a short last one", 1400, 14001 },
        { "many", 1400, 60200 },        { "more than a batch", 600, 36000 },
    };
    static uint8_t b[65000];
    struct udp_options o = {
        .bind = address("127.0.0.1"), .on_packets = check,
        .source = { give_rooms, count_batch, NULL, give_mores, leave },
    };
    struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
    struct udp_socket *u;
    struct gb_addr at;
    int fd;

    (void)state;
    from.sin_addr.s_addr = to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(udp_open(&u, &loop, &o), 0);
    udp_address(u, &at);
    to.sin_port = htons(at.port);
    fd = bound_to(&from);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char ctrl[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
        struct iovec iov = { b, cases[i].n };
        struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to),
                            .msg_iov = &iov, .msg_iovlen = 1,
                            .msg_control = ctrl,
                            .msg_controllen = sizeof(ctrl) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        uint16_t each = (uint16_t)cases[i].each;
        size_t want = (cases[i].n + each - 1) / each;

        for (size_t k = 0; k < cases[i].n; k++)
            b[k] = (uint8_t)(expected + k / each);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = 103; /* UDP_SEGMENT */
        c->cmsg_len = CMSG_LEN(sizeof(each));
        memcpy(CMSG_DATA(c), &each, sizeof(each));
        packets = 0;
        n_sizes = 0;
        assert_int_equal(sendmsg(fd, &m, 0), cases[i].n);
        run_until((unsigned)want);
        for (size_t k = 0; k < want; k++)
            if (sizes[k] != (k + 1 < want ? each : cases[i].n - k * each))
                fail_msg("%s: datagram %zu has %zu bytes", cases[i].name, k,
                         sizes[k]);
    }
    assert_int_equal(settled > 0, udp_joins(u)); /* else each had a room */
    close(fd);
    udp_close(u);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_after_an_error),
        cmocka_unit_test(local_address),
        cmocka_unit_test(written_in_place),
        cmocka_unit_test(joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
