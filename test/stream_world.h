/* test/stream_world.h - a media loop with one session, and the device that sends it
 * pictures over loopback */
#ifndef TEST_STREAM_WORLD_H
#define TEST_STREAM_WORLD_H

#include "app/net/media.h"
#include "ps/mux.h"
#include "test/media.h"
#include "test/support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSION 7
#define STEP90K 36000 /* between two pictures: 400 ms of the stream */

static uv_loop_t loop;
static struct media_net *net;
static bool net_closed;
static int fd; /* the device's */
static uint64_t packets; /* that the platform has heard of */
static unsigned opened, n_said; /* said: recordings, to their end */
static struct voice_counters spoken;
/* what goes out */
static struct ps_mux ps;
static uint64_t pts90k;
static uint16_t seq;

static inline void on_event(void *ctx, const struct platform_media_event *ev)
{
    (void)ctx;
    opened += ev->kind == PLATFORM_MEDIA_OPENED;
    if (ev->kind == PLATFORM_MEDIA_REFUSED)
        opened = 100;
    if (ev->packets)
        packets = ev->packets;
    n_said += ev->kind == PLATFORM_MEDIA_SAID;
    if (ev->said.packets)
        spoken = ev->said;
}

static inline void on_net_closed(void *ctx)
{
    (void)ctx;
    net_closed = true;
}

/* A few milliseconds of all loops. */
static inline void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
    usleep(2000);
}

#define WAIT_FOR(what)                                                         \
    for (unsigned wait_i = 0; !(what) && wait_i < 5000; wait_i++)              \
        turn();                                                                \
    assert_true(what)

static inline void order(enum platform_action_kind kind, uint16_t port)
{
    struct platform_action a = { .kind = kind, .session = SESSION,
                                 .history_ms = -1, .port = port,
                                 .transport = PLATFORM_UDP };

    assert_int_equal(gb_addr_parse_ip(&a.remote, SLICE("127.0.0.1")), 0);
    media_net_order(net, &a, NULL);
}

static inline uint16_t open_session(void)
{
    for (unsigned i = 0; i < 200; i++) {
        uint16_t port = test_port(i);

        opened = 0;
        order(PLATFORM_DO_OPEN, port);
        WAIT_FOR(opened);
        if (opened != 1)
            continue;
        order(PLATFORM_DO_ANSWER, port);
        return port;
    }
    fail_msg("no port is free");
    return 0;
}

static inline void connect_device(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(ps_mux_init(&ps, PS_CODEC_H264, PS_CODEC_UNKNOWN,
                                 8000000), 0);
    pts90k = 90000;
    seq = 0;
}

static inline void stream_begin(void)
{
    const struct media_net_config mc = { .main = &loop, .loops = 1,
                                         .on_event = on_event };

    packets = n_said = 0;
    spoken = (struct voice_counters){ 0 };
    net_closed = false;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(media_net_new(&net, &mc, NULL), 0);
}

/* The media loop ends, and whatever that leads to. */
static inline void stream_stop(void)
{
    media_net_close(net, on_net_closed, NULL);
    WAIT_FOR(net_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static inline void stream_end(void)
{
    assert_int_equal(uv_loop_close(&loop), 0);
    close(fd);
}

static inline void send_packet(const char *p, size_t n, bool last)
{
    char b[12 + 1400] = { (char)0x80, (char)(last ? 0xe0 : 0x60) };
    struct writer w = writer_of(b + 2, 10);

    writer_be16(&w, ++seq);
    writer_be32(&w, (uint32_t)pts90k);
    writer_be32(&w, 0x01020304);
    memcpy(b + 12, p, n);
    assert_int_equal(send(fd, b, 12 + n, 0), 12 + n);
}

static inline void send_picture(bool key)
{
    static const char idr[] = "\0\0\0\1" AU_SPS "\0\0\0\1" AU_PPS
                              "\0\0\0\1" AU_IDR;
    static const char p[] = "\0\0\0\1" AU_P;
    struct slice es = key ? slice_of(idr, sizeof(idr) - 1)
                          : slice_of(p, sizeof(p) - 1);
    char bytes[4000];
    struct writer w = writer_of(bytes, sizeof(bytes));

    ps_mux_video(&ps, &w, es, pts90k, key);
    assert_int_equal(w.err, 0);
    for (size_t at = 0, n; at < w.len; at += n) {
        n = w.len - at < 1400 ? w.len - at : 1400;
        send_packet(bytes + at, n, at + n == w.len);
    }
    pts90k += STEP90K;
}

static inline void send_gops(unsigned n)
{
    for (unsigned i = 0; i < 5 * n; i++) {
        send_picture(i % 5 == 0);
        turn();
    }
}

/* What takes the stream begins and goes on with what comes: more of it, however
 * late the threads are. */
#define SEND_UNTIL(what)                                                       \
    for (unsigned send_i = 0; !(what) && send_i < 500; send_i++)               \
        send_gops(1);                                                          \
    assert_true(what)
#endif
