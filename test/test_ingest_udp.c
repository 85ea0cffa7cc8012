/* Media over UDP with strangers on the same ports. */
#include "test/ingest_world.h"

static uint16_t seq;

static void open_udp(bool any_source, bool apart)
{
    seq = 0;
    open_ingest(PLATFORM_UDP, any_source, apart);
}

/* at: 0 for any port. */
static int bound(const char *ip, uint16_t at)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(at) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof(a);

    getsockname(fd, (struct sockaddr *)&a, &len);
    return ntohs(a.sin_port);
}

static void send_to(int fd, uint16_t at, const void *p, size_t n)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(at) };

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(sendto(fd, p, n, 0, (struct sockaddr *)&a, sizeof(a)), n);
}

/* An RTP packet of n bytes whose sequence number is step behind the last. */
static void send_rtp(int fd, size_t n, unsigned step)
{
    uint8_t b[40000] = { 0x80, 96 };

    seq = (uint16_t)(seq + step);
    b[2] = (uint8_t)(seq >> 8);
    b[3] = (uint8_t)seq;
    for (unsigned k = 0; k < 4; k++)
        b[8 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    memcpy(b + 12, "\0\0\1\xba\x44", 5);
    send_to(fd, port, b, n);
}

static uint64_t packets(void)
{
    struct receiver_counters c;

    ingest_counters(in, &c);
    return c.packets;
}

/* Nobody but the device makes the slots larger, of which a slab has few. */
static void strangers_do_not_fill_memory(bool apart)
{
    static const uint8_t nothing[40000], rtp[40000] = { 0x80, 96 };
    static const size_t sizes[] = { 3000, 9000, 40000 };
    int device, stranger;
    unsigned most = 0;

    open_udp(false, apart);
    device = bound(DEVICE, 0);
    stranger = bound(STRANGER, 0);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        send_to(stranger, port, nothing, sizes[i]);
        turn(0);
        send_to(stranger, port, rtp, sizes[i]);
        turn(0);
    }
    send_rtp(device, 1400, 1);
    send_rtp(device, 1400, 2); /* a hole: what follows is kept */
    for (unsigned i = 0; i < 100; i++) {
        send_rtp(device, 1400, 1);
        uv_run(&loop, UV_RUN_NOWAIT);
        most = pool.slabs.n_live > most ? pool.slabs.n_live : most;
    }
    assert_true(packets() >= 100);
    assert_true(most < (apart ? 20 : 21 + UDP_BATCH));
    close(device);
    close(stranger);
    close_ingest();
}

static void strangers_apart(void **state)
{
    (void)state;
    strangers_do_not_fill_memory(true);
}

static void strangers_joined(void **state)
{
    (void)state;
    strangers_do_not_fill_memory(false);
}

/* The device's get room, one lost at each step, until they come no more. */
static void large_datagrams_of_the_device(void **state)
{
    int device;

    (void)state;
    open_udp(false, true);
    device = bound(DEVICE, 0);
    for (unsigned i = 0; i < 3; i++) {
        send_rtp(device, 5000, 1);
        turn(0);
    }
    assert_int_equal(packets(), 2);
    for (unsigned i = 0; i < 3; i++) {
        send_rtp(device, 40000, 1);
        turn(0);
    }
    assert_int_equal(packets(), 4);
    turn(INGEST_LARGE_MS);
    send_rtp(device, 5000, 1);
    turn(0);
    assert_int_equal(packets(), 4);
    send_rtp(device, 5000, 1);
    turn(0);
    assert_int_equal(packets(), 5);
    close(device);
    close_ingest();
}

/* In one batch with packets that are kept, the larger one does not move where
 * the next batch begins. */
static void slots_grow_within_a_batch(void **state)
{
    int device;

    (void)state;
    open_udp(false, true);
    device = bound(DEVICE, 0);
    send_rtp(device, 1400, 1);
    turn(0);
    for (unsigned i = 0; i < 20; i++)
        send_rtp(device, 1400, 2);
    send_rtp(device, 5000, 1);
    turn(0); /* looks at the pool */
    assert_int_equal(packets(), 21);
    for (unsigned i = 0; i < 20; i++)
        send_rtp(device, 5000, 1);
    turn(0);
    assert_int_equal(packets(), 41);
    close(device);
    close_ingest();
}

/* One send of several packets, which the kernel may keep together. */
static void send_joined(int fd, const uint8_t *p, size_t n, uint16_t each)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    char ctrl[CMSG_SPACE(sizeof(each))] = { 0 };
    struct iovec iov = { (void *)p, n };
    struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof(a),
                        .msg_iov = &iov, .msg_iovlen = 1,
                        .msg_control = ctrl, .msg_controllen = sizeof(ctrl) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = 103; /* UDP_SEGMENT */
    c->cmsg_len = CMSG_LEN(sizeof(each));
    memcpy(CMSG_DATA(c), &each, sizeof(each));
    assert_int_equal(sendmsg(fd, &m, 0), n);
}

/* Bundles of every size, some with a hole before them so that they are kept:
 * all packets come, none is lost, and the memory they hold stays small. */
static void joined_by_the_kernel(void **state)
{
    static uint8_t b[60000];
    uint64_t want = 0, rng = 5;
    unsigned most = 0;
    int device;

    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        open_udp(false, apart);
        device = bound(DEVICE, 0);
        want = 0;
        for (unsigned i = 0; i < 300; i++) {
            size_t each = 200 + test_random(&rng) % 1200, n = 0;
            size_t count = 1 + test_random(&rng) % 40;

            seq = (uint16_t)(seq + (i % 10 == 5)); /* a hole */
            for (size_t k = 0; k < count; k++) {
                uint8_t *p = b + n;

                memset(p, 0, each);
                seq++;
                p[0] = 0x80;
                p[1] = 96;
                p[2] = (uint8_t)(seq >> 8);
                p[3] = (uint8_t)seq;
                for (unsigned j = 0; j < 4; j++)
                    p[8 + j] = (uint8_t)(SSRC >> (24 - 8 * j));
                memcpy(p + 12, "\0\0\1\xba\x44", 5);
                n += k + 1 == count ? each - each / 3 : each;
            }
            want += count;
            send_joined(device, b, n, (uint16_t)each);
            uv_run(&loop, UV_RUN_NOWAIT);
            if (pool.slabs.n_live > most)
                most = pool.slabs.n_live;
            if (i % 10 == 8)
                turn(300); /* holes are given up */
        }
        turn(300);
        assert_int_equal(packets(), want);
        assert_true(most < 150);
        close(device);
        close_ingest();
    }
}

static bool got_report(int fd)
{
    uint8_t b[200];
    ssize_t n = recv(fd, b, sizeof(b), MSG_DONTWAIT);

    return n >= 8 && b[1] == 201;
}

/* Reports go to who sends the media, whoever else sends RTCP. */
static void reports_go_to_the_sender(void **state)
{
    static const uint8_t rr[8] = { 0x80, 201, 0, 1, 0, 0, 0, 7 };
    int device = -1, next = -1, other, stranger;

    (void)state;
    open_udp(true, true);
    stranger = bound(STRANGER, 0);
    other = bound(DEVICE, 0);
    while (next < 0) { /* two ports in a row */
        close(device);
        device = bound(DEVICE, 0);
        next = bound(DEVICE, (uint16_t)(port_of(device) + 1));
    }
    send_to(stranger, port, rr, sizeof(rr));
    send_to(stranger, (uint16_t)(port + 1), rr, sizeof(rr));
    send_rtp(device, 1400, 1);
    send_rtp(device, 1400, 1);
    turn(0);
    assert_true(got_report(next));
    send_to(stranger, (uint16_t)(port + 1), rr, sizeof(rr));
    send_to(other, (uint16_t)(port + 1), rr, sizeof(rr));
    send_to(stranger, port, rr, sizeof(rr));
    usleep(500000);
    send_rtp(device, 1400, 1);
    turn(INGEST_RTCP_MS - 400);
    assert_true(got_report(other));
    assert_false(got_report(stranger));
    close(stranger);
    close(other);
    close(device);
    close(next);
    close_ingest();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_apart),
        cmocka_unit_test(strangers_joined),
        cmocka_unit_test(joined_by_the_kernel),
        cmocka_unit_test(large_datagrams_of_the_device),
        cmocka_unit_test(slots_grow_within_a_batch),
        cmocka_unit_test(reports_go_to_the_sender),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
