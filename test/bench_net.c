/* What a packet of media costs from its socket on until its payload is known to be
 * the next one of its session: UDP, UDP that the kernel joins, TCP. (What becomes of
 * the payload is in the figures of ps and live.) The packets of a camera of 4
 * Mbit/s with sound are sent to ourselves in bursts; only receiving is timed. The
 * limit gets the same ones by recvmmsg or by large reads, and looks for the next
 * length at most.
 *
 *     bench_net [NAME]       figures rtp.udp rtp.udp_gro rtp.tcp, or one of them;
 *                            thread CPU time */
#include "app/net/ingest.h"
#include "rtp/pack.h"
#include "test/bench/measure.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSRC 100000001u
#define PICTURE 20000          /* bytes */
#define SOUND 340
#define TYPE 18 /* G.729: known, and read by nobody: it ends in the receiver */
#define PICTURES 8             /* of one burst */
#define BURST_BYTES (1u << 20)
#define BURST_PACKETS 512
#define SAMPLE_NS 4e6          /* of CPU, at least */
#define COOL_BYTES (8u << 20)
#define LIMIT_BATCH 64
#define LIMIT_READ (256u << 10)

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

enum way { UDP, JOINED, TCP };

/* One burst: packets behind their lengths of two bytes, one after another. */
static uint8_t burst[BURST_BYTES];
static uint8_t *packet[BURST_PACKETS];
static size_t burst_len, n_packets;
static bool ends_here[BURST_PACKETS]; /* the last one of a picture or sound */

static struct rtp_packer packer;
static uint32_t ts;

static size_t len_of(const uint8_t *p)
{
    return (size_t)p[-2] << 8 | p[-1];
}

/* ---- what is sent ----------------------------------------------------------- */

/* n bytes of media as packets, appended to out. */
static void pack(struct writer *out, size_t n)
{
    static const char media[PICTURE];

    rtp_pack_write(&packer, out, rtp_pack_begin(media, n, ts, true));
    if (out->err)
        bench_fail("a burst is too long");
}

static void make_burst(void)
{
    struct writer out = writer_of(burst, sizeof(burst));
    size_t ends[2 * PICTURES], n_ends = 0;

    for (unsigned i = 0; i < PICTURES; i++, ts += 3600) {
        pack(&out, PICTURE);
        ends[n_ends++] = out.len;
        pack(&out, SOUND);
        ends[n_ends++] = out.len;
    }
    burst_len = out.len;
    n_packets = n_ends = 0;
    for (size_t at = 0; at < burst_len; n_packets++) {
        packet[n_packets] = burst + at + 2;
        at += 2 + len_of(packet[n_packets]);
        ends_here[n_packets] = at == ends[n_ends];
        n_ends += ends_here[n_packets];
    }
}

static void send_apart(int fd)
{
    static struct mmsghdr m[BURST_PACKETS];
    static struct iovec iov[BURST_PACKETS];

    for (size_t i = 0; i < n_packets; i++) {
        iov[i] = (struct iovec){ packet[i], len_of(packet[i]) };
        m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
    }
    if (sendmmsg(fd, m, (unsigned)n_packets, 0) != (int)n_packets)
        bench_fail("datagrams cannot be sent");
}

/* The packets of a picture in one send: all as long as the first, the last one
 * shorter. */
static void send_joined(int fd)
{
    for (size_t i = 0, from = 0; i < n_packets; i++) {
        struct iovec iov[BURST_PACKETS];
        char ctrl[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
        uint16_t each = (uint16_t)len_of(packet[from]);
        struct msghdr m = { .msg_iov = iov, .msg_control = ctrl,
                            .msg_controllen = sizeof(ctrl) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        if (!ends_here[i])
            continue;
        for (; from <= i; from++)
            iov[m.msg_iovlen++] =
                (struct iovec){ packet[from], len_of(packet[from]) };
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(each));
        memcpy(CMSG_DATA(c), &each, sizeof(each));
        if (sendmsg(fd, &m, 0) < 0)
            bench_fail("joined datagrams cannot be sent");
    }
}

/* How much of it the connection takes now. */
static size_t send_stream(int fd, size_t from)
{
    ssize_t n = send(fd, burst + from, burst_len - from,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        bench_fail("the connection is gone");
    return n > 0 ? (size_t)n : 0;
}

/* ---- who receives ----------------------------------------------------------- */

/* Two ends, and what takes at least so many packets as are there; how many. Ours
 * are counted apart, outside the time that is measured. */
struct side {
    int tx;
    size_t (*take)(struct side *s);
    size_t (*count)(struct side *s);
    /* ours */
    uv_loop_t loop;
    struct ingest_pool pool;
    struct hub *hub;
    struct ingest *in;
    uint64_t seen;
    /* the limit */
    int rx;
    enum way way;
    size_t have;
    uint8_t *bytes;
};

static void on_event(void *ctx, enum platform_media_kind kind, int err,
                     const char *text)
{
    (void)ctx;
    (void)err;
    if (kind == PLATFORM_MEDIA_ENDED)
        bench_fail(text ? text : "the stream has ended");
}

static size_t take_ours(struct side *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
    return 0;
}

static size_t count_ours(struct side *s)
{
    struct receiver_counters c;
    uint64_t before = s->seen;

    ingest_counters(s->in, &c);
    s->seen = c.packets;
    return (size_t)(c.packets - before);
}

static size_t take_datagrams(struct side *s)
{
    static struct mmsghdr m[LIMIT_BATCH];
    static struct iovec iov[LIMIT_BATCH];
    static char ctrl[LIMIT_BATCH][64];
    size_t each = s->way == JOINED ? 65536 : 2048, sum = 0;
    int n;

    for (size_t i = 0; i < LIMIT_BATCH; i++) {
        iov[i] = (struct iovec){ s->bytes + i * each, each };
        m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
        if (s->way == JOINED) {
            m[i].msg_hdr.msg_control = ctrl[i];
            m[i].msg_hdr.msg_controllen = sizeof(ctrl[i]);
        }
    }
    n = recvmmsg(s->rx, m, LIMIT_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct cmsghdr *c = s->way == JOINED ? CMSG_FIRSTHDR(&m[i].msg_hdr)
                                             : NULL;
        int bytes = (int)m[i].msg_len;

        if (c && c->cmsg_type == UDP_GRO)
            memcpy(&bytes, CMSG_DATA(c), sizeof(bytes));
        sum += (m[i].msg_len + (size_t)bytes - 1) / (size_t)bytes;
    }
    return sum;
}

static size_t take_stream(struct side *s)
{
    ssize_t n = recv(s->rx, s->bytes + s->have, LIMIT_READ, MSG_DONTWAIT);
    size_t at = 0, sum = 0;

    s->have += n > 0 ? (size_t)n : 0;
    while (s->have - at >= 2) {
        size_t k = len_of(s->bytes + at + 2);

        if (s->have - at < 2 + k)
            break;
        at += 2 + k;
        sum++;
    }
    memmove(s->bytes, s->bytes + at, s->have - at);
    s->have -= at;
    return sum;
}

static struct sockaddr_in here(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int connected(enum way way, uint16_t port)
{
    struct sockaddr_in a = here(port);
    int fd = socket(AF_INET, way == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
    int large = 4 << 20;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
        bench_fail("cannot connect");
    return fd;
}

static void open_limit(struct side *s, enum way way)
{
    struct sockaddr_in a = here(0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, way == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
    int large = INGEST_RCVBUF, on = 1;

    *s = (struct side){ .way = way, .rx = fd };
    s->take = way == TCP ? take_stream : take_datagrams;
    s->bytes = malloc(LIMIT_BATCH * 65536u);
    if (way != TCP &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
    if (way == JOINED)
        setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
    if (!s->bytes || fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
        (way == TCP && listen(fd, 1)) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        bench_fail("no port");
    s->tx = connected(way, ntohs(a.sin_port));
    if (way == TCP) {
        s->rx = accept(fd, NULL, NULL);
        close(fd);
    }
}

static void open_ours(struct side *s, enum way way)
{
    struct hub_hooks hooks = { 0 };
    struct ingest_options o = { .transport = way == TCP ? PLATFORM_TCP_PASSIVE
                                                        : PLATFORM_UDP,
                                .any_source = true, .has_ssrc = true,
                                .ssrc = SSRC, .on_event = on_event };
    const char *what;
    int err = -1;

    *s = (struct side){ .take = take_ours, .count = count_ours, .rx = -1,
                        .way = way };
    if (uv_loop_init(&s->loop) || hub_new(&s->hub, &gb_alloc_heap, &hooks, NULL))
        bench_fail("no memory");
    ingest_pool_init(&s->pool);
    o.loop = &s->loop;
    o.pool = &s->pool;
    o.hub = s->hub;
    for (unsigned i = 0; err && i < 500; i++) {
        o.port = (uint16_t)(21000 + ((unsigned)getpid() * 7 + i * 61) % 5500 * 2);
        err = ingest_new(&s->in, &o, &what);
        uv_run(&s->loop, UV_RUN_NOWAIT);
    }
    if (err)
        bench_fail("no port");
    s->tx = connected(way, o.port);
}

static void close_side(struct side *s)
{
    close(s->tx);
    free(s->bytes);
    if (!s->in) {
        close(s->rx);
        return;
    }
    ingest_free(s->in);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    hub_free(s->hub);
    ingest_pool_fini(&s->pool);
    if (uv_loop_close(&s->loop))
        bench_fail("something is left open");
}

/* ---- figures ------------------------------------------------------------------ */

/* What a camera sends comes from the network, and meanwhile the loop has served
 * others: neither the packets nor what we keep of the session are in a cache
 * close by. */
static void cool(void)
{
    static uint8_t other[COOL_BYTES];

    for (size_t i = 0; i < sizeof(other); i += 64)
        other[i]++;
}

/* One burst; CPU of receiving it. */
static double one(struct side *s)
{
    size_t sent = 0, got = 0;
    double ns = 0;

    make_burst();
    if (s->way == UDP)
        send_apart(s->tx);
    else if (s->way == JOINED)
        send_joined(s->tx);
    cool();
    for (unsigned i = 0; got < n_packets; i++) {
        double from;

        if (s->way == TCP && sent < burst_len)
            sent += send_stream(s->tx, sent);
        from = bench_cpu_ns();
        got += s->take(s);
        ns += bench_cpu_ns() - from;
        if (s->count)
            got += s->count(s);
        if (i == 1000)
            bench_fail("packets were lost");
    }
    return ns;
}

/* ns a packet. */
static double sample(struct side *s)
{
    double ns = 0, n = 0;

    /* each goes on counting where it has stopped */
    while (ns < SAMPLE_NS) {
        ns += one(s);
        n += (double)n_packets;
    }
    return ns / n;
}

static void begin_stream(void)
{
    ts = 0;
    if (rtp_packer_init(&packer, SSRC, TYPE, 0, true, 0))
        bench_fail("no stream");
}

static void compare(const char *name, enum way way)
{
    static struct bench_result r;
    struct side ours, limit;

    begin_stream();
    open_ours(&ours, way);
    open_limit(&limit, way);
    one(&ours);
    sample(&ours);
    for (unsigned i = 0; i < BENCH_SAMPLES; i++) {
        double before = sample(&limit), after;

        r.ns[i] = sample(&ours);
        after = sample(&limit);
        r.limit_ns[i] = (before + after) / 2;
        r.x[i] = r.ns[i] / r.limit_ns[i];
    }
    close_side(&ours);
    close_side(&limit);
    bench_print_result(name, &r);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "rtp.udp", "rtp.udp_gro", "rtp.tcp" };

    for (int way = UDP; way <= TCP; way++)
        if (argc < 2 || strcmp(argv[1], names[way]) == 0)
            compare(names[way], (enum way)way);
    return 0;
}
