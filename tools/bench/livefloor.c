/* tools/bench/livefloor.c - the floor under a live media server: RTP over TCP
 * in, the program stream hopped over, units counted; what has come is written
 * on to every viewer as it is. No checks, no loss, no container, no queue: a
 * viewer that is slow misses bytes.
 *
 *     livefloor FILE.h264 STREAMS SECONDS [MERGE_MS]     on 127.0.0.1
 *
 * FILE: Annex B, one slice a picture, 25 a second; a child plays it to itself
 * over STREAMS connections with G.711A beside it. MERGE_MS: bytes for viewers
 * are gathered for so long. Prints the port for viewers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "ps/mux.h"
#include "rtp/pack.h"
#include "test/bench/limit_ps.h"
#include "test/bench/measure.h"
#include "test/bench/pictures.h"

#define READ_BYTES (256u << 10)
#define TAIL_BYTES 70000u /* an unfinished packet in front of a read */
#define MERGE_BYTES (4u << 20)
#define MAX_STREAMS 1024
#define MAX_VIEWERS 1024
#define FRAME_NS 40000000ull
#define AUDIO_BYTES 320

struct camera {
    uv_tcp_t tcp;
    struct limit_ps ps;
    uint8_t tail[TAIL_BYTES];
    size_t n_tail;
};

static uint8_t bytes[READ_BYTES + TAIL_BYTES], merged[MERGE_BYTES];
static uint64_t units, merged_ms;
static size_t n_merged;
static uint32_t merge_ms;
static unsigned n_viewers;
static uv_stream_t *viewer[MAX_VIEWERS];

/* ---- the camera: a child ------------------------------------------------------- */

static int dial(uint16_t port)
{
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    uv_ip4_addr("127.0.0.1", port, &to);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        _exit(1);
    return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
    for (ssize_t k; n; p += k, n -= (size_t)k) {
        k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            _exit(0);
    }
}

/* One picture and its sound as packets, appended to out. */
static void make(struct ps_mux *mux, struct rtp_packer *rtp, struct writer *ps,
                 struct writer *out, struct slice picture, bool key,
                 uint32_t ts)
{
    static const char silence[AUDIO_BYTES];

    ps->len = out->len = 0;
    ps_mux_video(mux, ps, picture, ts, key);
    rtp_pack_write(rtp, out, rtp_pack_begin(ps->p, ps->len, ts, true));
    ps->len = 0;
    ps_mux_audio(mux, ps, slice_of(silence, sizeof(silence)), ts);
    rtp_pack_write(rtp, out, rtp_pack_begin(ps->p, ps->len, ts, true));
    if (ps->err || out->err)
        _exit(1);
}

static void play(const char *path, unsigned streams, uint16_t port)
{
    struct writer ps = writer_of(malloc(MERGE_BYTES), MERGE_BYTES);
    struct writer out = writer_of(malloc(MERGE_BYTES), MERGE_BYTES);
    struct rtp_packer rtp;
    struct ps_mux mux;
    struct timespec due;
    int fd[MAX_STREAMS];
    uint32_t ts = 0;
    size_t n;
    uint8_t *p = bench_load(path, &n);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < streams; i++)
        fd[i] = dial(port);
    if (!ps.p || !out.p || rtp_packer_init(&rtp, 1, 96, 0, true, 0) ||
        ps_mux_init(&mux, PS_CODEC_H264, PS_CODEC_G711A, 8000000))
        _exit(1);
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (size_t at = 0;; ts += 3600) {
        bool key;
        size_t k = bench_picture(p + at, n - at, &key);
        uint64_t ns = (uint64_t)due.tv_nsec + FRAME_NS;

        make(&mux, &rtp, &ps, &out, slice_of((char *)p + at, k), key, ts);
        for (unsigned i = 0; i < streams; i++)
            send_all(fd[i], out.p, out.len);
        at = at + k < n ? at + k : 0;
        due.tv_sec += (time_t)(ns / 1000000000u);
        due.tv_nsec = (long)(ns % 1000000000u);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}

/* ---- the floor ------------------------------------------------------------------ */

static void on_unit(void *ctx, const struct ps_piece *piece, size_t n)
{
    (void)ctx;
    (void)piece;
    units += n != 0;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct camera *c = h->data;

    (void)suggested;
    memcpy(bytes, c->tail, c->n_tail);
    *b = uv_buf_init((char *)bytes + c->n_tail, READ_BYTES);
}

/* At once, or when enough time has passed. */
static void pass_on(uv_loop_t *loop, size_t n)
{
    uv_buf_t b = uv_buf_init((char *)bytes, (unsigned)n);

    if (!n_viewers)
        return;
    if (merge_ms) {
        if (n <= MERGE_BYTES - n_merged) {
            memcpy(merged + n_merged, bytes, n);
            n_merged += n;
        }
        if (uv_now(loop) - merged_ms < merge_ms)
            return;
        b = uv_buf_init((char *)merged, (unsigned)n_merged);
        merged_ms = uv_now(loop);
        n_merged = 0;
    }
    for (unsigned i = 0; i < n_viewers; i++)
        uv_try_write(viewer[i], &b, 1);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct camera *c = s->data;
    size_t have = c->n_tail + (size_t)(n > 0 ? n : 0), at = 0;

    (void)b;
    if (n < 0) {
        uv_read_stop(s);
        return;
    }
    while (have - at >= RTP_PACK_HEAD) {
        size_t k = (size_t)bytes[at] << 8 | bytes[at + 1];

        if (have - at < 2 + k)
            break;
        if (limit_ps_feed(&c->ps, bytes + at + RTP_PACK_HEAD,
                          k - RTP_HEADER_BYTES))
            bench_fail("the floor does not read this");
        at += 2 + k;
    }
    pass_on(s->loop, at);
    limit_ps_flush(&c->ps); /* its pieces lie in the shared buffer */
    c->n_tail = have - at;
    memcpy(c->tail, bytes + at, c->n_tail);
}

static void on_camera(uv_stream_t *server, int status)
{
    struct camera *c = calloc(1, sizeof(*c));

    if (status || !c)
        bench_fail("a camera cannot connect");
    limit_ps_init(&c->ps, on_unit, c);
    uv_tcp_init(server->loop, &c->tcp);
    c->tcp.data = c;
    if (uv_accept(server, (uv_stream_t *)&c->tcp) ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read))
        bench_fail("a camera cannot connect");
}

static void on_request(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    static char sink[4096];

    (void)h;
    (void)suggested;
    *b = uv_buf_init(sink, sizeof(sink));
}

static void on_viewer_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    (void)b;
    if (n >= 0)
        return;
    uv_read_stop(s);
    for (unsigned i = 0; i < n_viewers; i++)
        if (viewer[i] == s)
            viewer[i] = viewer[--n_viewers];
}

static void on_viewer(uv_stream_t *server, int status)
{
    uv_tcp_t *t = malloc(sizeof(*t));

    if (status || !t || n_viewers == MAX_VIEWERS)
        bench_fail("a viewer cannot connect");
    uv_tcp_init(server->loop, t);
    if (uv_accept(server, (uv_stream_t *)t))
        bench_fail("a viewer cannot connect");
    uv_tcp_nodelay(t, 1);
    viewer[n_viewers++] = (uv_stream_t *)t;
    uv_read_start((uv_stream_t *)t, on_request, on_viewer_read);
}

static uint16_t listen_on(uv_loop_t *loop, uv_tcp_t *t, uv_connection_cb cb)
{
    struct sockaddr_in at;
    int len = sizeof(at);

    uv_ip4_addr("127.0.0.1", 0, &at);
    if (uv_tcp_init(loop, t) || uv_tcp_bind(t, (struct sockaddr *)&at, 0) ||
        uv_listen((uv_stream_t *)t, MAX_STREAMS, cb) ||
        uv_tcp_getsockname(t, (struct sockaddr *)&at, &len))
        bench_fail("no port");
    return ntohs(at.sin_port);
}

static void on_over(uv_timer_t *t)
{
    uv_stop(t->loop);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uint32_t streams, seconds;
    uint16_t cameras, viewers;
    uv_tcp_t in, out;
    uv_timer_t over;
    pid_t child;

    if (argc < 4 || !slice_u32(slice_str(argv[2]), MAX_STREAMS, &streams) ||
        !slice_u32(slice_str(argv[3]), 300, &seconds) || !streams ||
        (argc > 4 && !slice_u32(slice_str(argv[4]), 1000, &merge_ms))) {
        fprintf(stderr, "usage: livefloor FILE.h264 STREAMS SECONDS "
                        "[MERGE_MS]\n");
        return EX_USAGE;
    }
    cameras = listen_on(loop, &in, on_camera);
    viewers = listen_on(loop, &out, on_viewer);
    child = fork();
    if (child == 0)
        play(argv[1], streams, cameras);
    printf("%u\n", viewers);
    fflush(stdout);
    uv_timer_init(loop, &over);
    uv_timer_start(&over, on_over, seconds * 1000, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    kill(child, SIGKILL);
    fprintf(stderr, "livefloor: %llu units\n", (unsigned long long)units);
    return 0;
}
