/* Whose TCP connection becomes the stream: real sockets on loopback, where
 * 127.0.0.1 is the device; time is handed to ingest_tick. */
#include "app/net/ingest.h"

#include "test/support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSRC 100000001u
#define DEVICE "127.0.0.1"
#define MEDIA "127.0.0.5" /* named by c= of the answer */
#define STRANGER "127.0.0.9"

static uv_loop_t loop;
static struct ingest_pool pool;
static struct hub *hub;
static struct ingest *in;
static uint16_t port;
static unsigned said[PLATFORM_MEDIA_CLOSED + 1];

static void on_event(void *ctx, enum platform_media_kind kind, int err,
                     const char *text)
{
    (void)ctx;
    (void)err;
    (void)text;
    said[kind]++;
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static struct gb_addr address(const char *ip, uint16_t at)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(ip)), 0);
    a.port = at;
    return a;
}

static void open_ingest(bool any_source)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    struct ingest_options o = { .loop = &loop, .pool = &pool,
                                .transport = PLATFORM_TCP_PASSIVE,
                                .peer = address(DEVICE, 5060),
                                .any_source = any_source, .has_ssrc = true,
                                .ssrc = SSRC, .on_event = on_event };
    const char *what;
    int err = -1;

    memset(said, 0, sizeof(said));
    assert_int_equal(uv_loop_init(&loop), 0);
    ingest_pool_init(&pool);
    assert_int_equal(hub_new(&hub, &gb_alloc_heap, &hooks, NULL), 0);
    o.hub = hub;
    for (unsigned i = 0; err && i < 200; i++) {
        port = (uint16_t)(21000 + ((unsigned)getpid() * 7 + i * 61) % 20000 * 2);
        o.port = port;
        err = ingest_new(&in, &o, &what);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(err, 0);
}

static void close_ingest(void)
{
    ingest_free(in);
    uv_run(&loop, UV_RUN_DEFAULT);
    hub_free(hub);
    ingest_pool_fini(&pool);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Whatever has arrived is seen; the clock is late_ms ahead of the loop's. */
static void turn(uint64_t late_ms)
{
    for (unsigned i = 0; i < 5; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    ingest_tick(in, uv_now(&loop) + late_ms);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static int connect_from(const char *ip)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, ip, &from.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET, DEVICE, &to.sin_addr), 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    turn(0);
    return fd;
}

/* n packets of this SSRC, each a pack header, framed by RFC 4571. */
static void send_packets(int fd, uint32_t ssrc, unsigned n)
{
    static uint16_t seq;

    for (unsigned i = 0; i < n; i++) {
        uint8_t b[2 + 12 + 14] = { 0, 26, 0x80, 96 };

        b[4] = (uint8_t)(++seq >> 8);
        b[5] = (uint8_t)seq;
        for (unsigned k = 0; k < 4; k++)
            b[10 + k] = (uint8_t)(ssrc >> (24 - 8 * k));
        memcpy(b + 14, "\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8", 14);
        assert_int_equal(send(fd, b, sizeof(b), MSG_NOSIGNAL), sizeof(b));
    }
    turn(0);
}

static bool is_closed(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

/* Whose packets are counted, and from where they are said to come. */
static void expect_source(const char *ip, uint64_t packets)
{
    struct platform_media_event ev = { 0 };
    struct gb_addr want = address(ip, 0);

    ingest_fill(in, &ev);
    assert_int_equal(ev.packets, packets);
    if (!gb_addr_ip_eq(&ev.from, &want)) {
        char text[GB_ADDR_TEXT_MAX];

        fail_msg("media of %s, not of %s", gb_addr_text(&ev.from, text), ip);
    }
}

static void answer(const char *media)
{
    struct platform_action a = { .kind = PLATFORM_DO_ANSWER, .ssrc = SSRC };

    if (media)
        a.remote = address(media, 15060);
    ingest_answer(in, &a);
}

/* A stranger that comes first, or between the device's connection and its
 * first packet, gets nothing. */
static void stranger_against_device(void **state)
{
    int early, late, device;

    (void)state;
    open_ingest(false);
    answer(NULL);
    early = connect_from(STRANGER);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    send_packets(early, 7, 3);
    device = connect_from(DEVICE);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    late = connect_from(STRANGER);
    send_packets(late, SSRC, 9);
    turn(0);
    send_packets(device, SSRC, 2);
    expect_source(DEVICE, 2);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    send_packets(device, SSRC, 1);
    expect_source(DEVICE, 3);
    assert_false(is_closed(device));
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    close(early);
    close(late);
    close(device);
    close_ingest();
}

/* The address of c= is as good as that of the registration, also when the
 * connection was there before the answer. */
static void named_by_the_answer(void **state)
{
    int device;

    (void)state;
    open_ingest(false);
    device = connect_from(MEDIA);
    send_packets(device, SSRC, 2);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    answer(MEDIA);
    turn(0);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    expect_source(MEDIA, 2);
    close(device);
    close_ingest();
}

/* From elsewhere: with the agreed SSRC, when nothing else comes, and later;
 * the device itself drives it out. */
static void media_from_elsewhere(void **state)
{
    int wrong, other, device;

    (void)state;
    open_ingest(false);
    answer(MEDIA);
    wrong = connect_from(STRANGER);
    send_packets(wrong, 7, 2);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    other = connect_from("127.0.0.10");
    send_packets(other, SSRC, 2);
    assert_true(is_closed(wrong));
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 0);
    turn(RTP_SOURCE_ELSEWHERE_MS + 100);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 1);
    expect_source("127.0.0.10", 2);
    device = connect_from(DEVICE);
    assert_int_equal(said[PLATFORM_MEDIA_CONNECTED], 2);
    assert_true(is_closed(other));
    close(wrong);
    close(other);
    close(device);
    close_ingest();
}

static void any_source(void **state)
{
    int fd;

    (void)state;
    open_ingest(true);
    answer(MEDIA);
    fd = connect_from(STRANGER);
    send_packets(fd, SSRC, 2);
    expect_source(STRANGER, 2);
    close(fd);
    close_ingest();
}

/* Every buffer is held by somebody: datagrams are read and dropped, the loop
 * does not spin, and goes on as soon as there are buffers. */
static void no_buffers(void **state)
{
    static struct slab *taken[SLAB_POOL_MAX];
    uint8_t b[12 + 14] = { 0x80, 96, 0, 1 };
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct sockaddr_in from = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    open_ingest(false);
    answer(NULL);
    to.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, DEVICE, &to.sin_addr), 1);
    from.sin_addr = to.sin_addr;
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    for (unsigned k = 0; k < 4; k++)
        b[8 + k] = (uint8_t)(SSRC >> (24 - 8 * k));
    memcpy(b + 12, "\0\0\1\xba\x44\0\x16\x8c\4\1\0\x5f\x6b\xf8", 14);
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_non_null(taken[i] = slab_get(&pool.slabs));
    assert_null(slab_get(&pool.slabs));
    for (unsigned i = 0; i < 40; i++, b[3]++)
        assert_int_equal(send(fd, b, sizeof(b), 0), sizeof(b));
    turn(0);
    assert_int_equal(pool.dropped, 40);
    assert_int_equal(said[PLATFORM_MEDIA_PACKET], 0);
    for (size_t i = 0; i < COUNT(taken); i++)
        slab_unref(taken[i]);
    assert_int_equal(send(fd, b, sizeof(b), 0), sizeof(b));
    turn(0);
    assert_int_equal(said[PLATFORM_MEDIA_PACKET], 1);
    expect_source(DEVICE, 1);
    close(fd);
    close_ingest();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stranger_against_device),
        cmocka_unit_test(named_by_the_answer),
        cmocka_unit_test(media_from_elsewhere),
        cmocka_unit_test(any_source),
        cmocka_unit_test(no_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
