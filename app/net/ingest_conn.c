/* The media connections of an ingest: accepted, handed over or made by us. */
#include "app/net/ingest_int.h"

#include "app/net/listen.h"
#include "app/net/sockaddr.h"
#include "base/bytes.h"
#include "base/prefetch.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4         /* the device, its second try, and strangers */
#define TCP_READ_MIN 4096 /* less room than this: on to another slab */

static void on_conn_closed(uv_handle_t *h)
{
    struct media_conn *c = h->data;
    struct ingest *in = c->in;

    slab_unref(c->slab);
    free(c);
    ingest_handle_closed(in);
}

void media_conn_close(struct media_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->in->conn == c)
        c->in->conn = NULL;
    if (c->in->newcomer == c)
        c->in->newcomer = NULL;
    uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
}

/* With room for so much and a read. A stream that fills what it is read into is
 * behind, or faster than the world: one large read costs less than four. */
static struct slab *slab_for(struct media_conn *c, size_t n)
{
    struct ingest_pool *pool = c->in->o.pool;
    bool large = n > SLAB_BYTES - TCP_READ_MIN;
    struct slab *s = c->hasty || large ? slab_get(&pool->large) : NULL;

    return s || large ? s : slab_get(&pool->slabs);
}

static size_t room_in(const struct slab *s, size_t len)
{
    return s->pool->bytes - len;
}

/* Between two reads a connection has a slab only while somebody holds a packet
 * in it. So all connections of a loop are read into a few slabs, which stay in
 * the caches. */
static bool take_slab(struct media_conn *c)
{
    if (c->slab)
        return true;
    c->slab = slab_for(c, c->len);
    if (!c->slab)
        return false;
    memcpy(c->slab->bytes, c->tail, c->len);
    return true;
}

static bool put_slab(struct media_conn *c)
{
    size_t done = rtp_tcpframe_done(&c->frame), left = c->len - done;
    bool scarce = c->in->o.pool->slabs.n_live > SLAB_POOL_MAX / 2;

    if (c->slab->refs > 1 || left > sizeof(c->tail) || scarce)
        return false; /* who has one keeps it */
    memcpy(c->tail, c->slab->bytes + done, left);
    rtp_tcpframe_shift(&c->frame, done);
    c->len = left;
    slab_unref(c->slab);
    c->slab = NULL;
    return true;
}

/* Among many streams the state of one lies in far memory. It comes while its
 * bytes are being read, which takes longer. */
static void prefetch_stream(const struct media_conn *c)
{
    const struct ingest *in = c->in;

    prefetch_range(c->tail, c->slab ? 0 : c->len);
    prefetch_room(&c->remote, offsetof(struct media_conn, rest) -
                                  offsetof(struct media_conn, remote));
    if (in->rx)
        receiver_prefetch(in->rx);
    if (in->o.headers)
        rtplog_prefetch(in->o.headers);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct media_conn *c = h->data;

    (void)suggested;
    prefetch_stream(c);
    if (take_slab(c))
        *b = uv_buf_init((char *)c->slab->bytes + c->len,
                         (unsigned)room_in(c->slab, c->len));
    else
        *b = uv_buf_init(NULL, 0);
}

/* Room for another read: what is unfinished moves to the front of a fresh
 * slab, the old one stays with those who hold its packets. */
static bool make_room(struct media_conn *c)
{
    size_t done = rtp_tcpframe_done(&c->frame), left = c->len - done;
    struct slab *s;

    if (room_in(c->slab, c->len) >= TCP_READ_MIN &&
        (c->len < SLAB_BYTES / 2 ||
         room_in(c->slab, done) >= rtp_tcpframe_need(&c->frame)))
        return true;
    if (c->slab->refs == 1) {
        memmove(c->slab->bytes, c->slab->bytes + done, left);
    } else {
        s = slab_for(c, left);
        if (!s)
            return false;
        memcpy(s->bytes, c->slab->bytes + done, left);
        slab_unref(c->slab);
        c->slab = s;
    }
    rtp_tcpframe_shift(&c->frame, done);
    c->len = left;
    return room_in(c->slab, c->len) > 0;
}

static void use_frame(struct media_conn *c, const struct rtp_frame *f,
                      uint64_t now_ms)
{
    struct ingest *in = c->in;
    struct receiver *rx;

    if (f->kind == RTP_FRAME_RTCP) {
        c->reports = true;
        return;
    }
    rx = in->rx ? in->rx : ingest_receiver(in, true);
    if (!rx)
        return;
    if (f->gap)
        receiver_gap(rx);
    if (f->kind == RTP_FRAME_PS) {
        receiver_bare(rx, f->p, f->n, c->slab, now_ms);
        c->last_ms = now_ms;
    } else if (receiver_packet(rx, f->p, f->n, c->slab, &c->remote, now_ms)) {
        ingest_keep_header(in, f->p, f->n, true, now_ms);
        c->last_ms = now_ms;
    }
}

static void conn_lost(struct media_conn *c, int err, const char *text)
{
    struct ingest *in = c->in;
    bool current = in->conn == c;

    media_conn_close(c);
    if (!current || in->freed)
        return;
    if (in->rx)
        receiver_end(in->rx, uv_now(in->o.loop));
    if (in->o.transport == PLATFORM_TCP_ACTIVE || !in->connected_once) {
        in->ended = true;
        ingest_say(in, PLATFORM_MEDIA_ENDED, err, text);
    } else {
        in->lost_ms = uv_now(in->o.loop); /* it may come back */
        in->lost_err = err;
        in->lost_text = text;
    }
}

/* It did not come back. That we closed it ourselves is not told as its doing. */
static void say_lost(struct ingest *in)
{
    char text[128];

    in->ended = true;
    snprintf(text, sizeof(text), "%s; no other connection came",
             in->lost_text);
    ingest_say(in, PLATFORM_MEDIA_ENDED, in->lost_err,
               in->lost_err == UV_EOF ? "device closed the media connection "
                                        "and did not come back"
                                      : text);
}

static void judge_newcomer(struct media_conn *c);

static void take_frames(struct media_conn *c)
{
    uint64_t now_ms = uv_now(c->in->o.loop);
    struct rtp_frame f;
    int err = 0;

    while (!c->closing && (err = rtp_tcpframe_next(&c->frame, c->slab->bytes,
                                                   c->len, SLAB_BYTES, &f)) == 0)
        use_frame(c, &f, now_ms);
    if (c->closing)
        return;
    if (err != GB_EAGAIN)
        conn_lost(c, err, err == GB_ELIMIT
                              ? "RTP framing was lost and not found again"
                              : "bytes on the connection are no media");
    else if (!put_slab(c) && !make_room(c))
        conn_lost(c, GB_ENOMEM, "no memory for received bytes");
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct media_conn *c = s->data;

    if (n < 0) {
        conn_lost(c, (int)n,
                  n == UV_EOF       ? "device closed the connection"
                  : n == UV_ENOBUFS ? "no memory for received bytes"
                                    : uv_strerror((int)n));
        return;
    }
    c->len += (size_t)n;
    c->hasty = (size_t)n == b->len || (c->hasty && (size_t)n > SLAB_BYTES / 2);
    if (c == c->in->newcomer)
        judge_newcomer(c);
    else
        take_frames(c);
}

static struct media_conn *conn_new(struct ingest *in)
{
    struct media_conn *c = calloc(1, sizeof(*c));
    struct rtp_tcpframe_options o = { .has_ssrc = in->has_ssrc,
                                      .ssrc = in->ssrc };

    if (!c)
        return NULL;
    c->slab = slab_get(&in->o.pool->slabs);
    if (!c->slab || uv_tcp_init(in->o.loop, &c->tcp)) {
        slab_unref(c->slab);
        free(c);
        return NULL;
    }
    c->in = in;
    c->tcp.data = c;
    c->since_ms = uv_now(in->o.loop);
    rtp_tcpframe_init(&c->frame, &o);
    in->open_handles++;
    return c;
}

static void conn_read(struct media_conn *c)
{
    int rcvbuf = 1 << 20;

    sockaddr_peer(&c->tcp, &c->remote);
    uv_tcp_keepalive(&c->tcp, 1, 30);
    uv_recv_buffer_size((uv_handle_t *)&c->tcp, &rcvbuf);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void conn_start(struct media_conn *c)
{
    struct ingest *in = c->in;

    conn_read(c);
    c->up = true;
    in->conn = c;
    in->lost_ms = 0;
    in->connected_once = true;
    ingest_say(in, PLATFORM_MEDIA_CONNECTED, 0, NULL);
}

/* ---- a second connection ----
 *
 * From a plausible address it wins over one that has carried nothing yet, has
 * fallen silent, or is a stranger's. A stranger's own is never taken at once:
 * it has to carry the agreed SSRC and to outlast what is there. */

static bool silent(const struct media_conn *c, uint64_t now_ms)
{
    uint64_t last_ms = c->last_ms ? c->last_ms : c->since_ms;

    return now_ms - last_ms >= INGEST_TAKEOVER_MS;
}

/* May another one take the place of the connection we have? */
static bool may_replace(struct ingest *in, uint64_t now_ms)
{
    struct media_conn *old = in->conn;

    return !old || old->stranger || old->last_ms == 0 || silent(old, now_ms);
}

/* The SSRC of the first packet, in the usual framings: 0 or GB_EAGAIN. */
static int first_ssrc(const struct media_conn *c, uint32_t *ssrc)
{
    const uint8_t *p = c->slab->bytes;
    size_t off = c->len && p[0] == '$' ? 12 : 10;

    if (c->len < off + 4)
        return GB_EAGAIN;
    *ssrc = bytes_be32_at(p + off);
    return 0;
}

static bool is_right(const struct media_conn *c)
{
    uint32_t ssrc;

    return c->in->has_ssrc && !first_ssrc(c, &ssrc) && ssrc == c->in->ssrc;
}

static bool stranger_wins(struct media_conn *c, uint64_t now_ms)
{
    struct ingest *in = c->in;

    return is_right(c) && now_ms - c->since_ms >= RTP_SOURCE_ELSEWHERE_MS &&
           (!in->conn || silent(in->conn, now_ms));
}

/* What it has sent so far is kept. */
static void take_over(struct media_conn *c)
{
    struct ingest *in = c->in;

    if (in->newcomer == c)
        in->newcomer = NULL;
    if (c->stranger) {
        in->learnt = c->remote;
        if (in->rx)
            ingest_tell(in);
    }
    if (in->conn) {
        if (in->rx)
            receiver_gap(in->rx);
        media_conn_close(in->conn);
    }
    conn_start(c);
    if (c->len)
        take_frames(c);
}

/* It carries the SSRC that was agreed, and the old one something else: that
 * was not the device. Else the old one would have to fall silent. */
static void judge_newcomer(struct media_conn *c)
{
    struct ingest *in = c->in;
    uint32_t ssrc;

    if (first_ssrc(c, &ssrc))
        return;
    uv_read_stop((uv_stream_t *)&c->tcp);
    if (!c->stranger && is_right(c) && in->rx &&
        receiver_source(in->rx)->ssrc != in->ssrc)
        take_over(c);
}

static void tick_newcomer(struct ingest *in, uint64_t now_ms)
{
    struct media_conn *c = in->newcomer;

    if (!c)
        return;
    if (c->stranger ? stranger_wins(c, now_ms) : may_replace(in, now_ms))
        take_over(c);
    else if (now_ms - c->since_ms >= INGEST_FIRST_MS)
        media_conn_close(c);
}

/* One newcomer can wait. A stranger does not drive the device out, nor anybody
 * one of his kind that has shown the agreed SSRC. */
static void wait_as_newcomer(struct media_conn *c)
{
    struct ingest *in = c->in;
    struct media_conn *old = in->newcomer;

    if (old && (old->stranger != c->stranger ? c->stranger : is_right(old))) {
        media_conn_close(c);
        return;
    }
    if (old)
        media_conn_close(old);
    in->newcomer = c;
    conn_read(c);
}

/* Whose connection it is: the session's at once, or one that waits. */
static void place(struct media_conn *c)
{
    struct ingest *in = c->in;

    sockaddr_peer(&c->tcp, &c->remote);
    c->stranger = !ingest_is_plausible(in, &c->remote);
    if (!c->stranger && may_replace(in, uv_now(in->o.loop)))
        take_over(c);
    else
        wait_as_newcomer(c);
}

void ingest_connection(struct ingest *in, int fd, const uint8_t *head,
                       size_t n)
{
    struct media_conn *c = in->freed || in->o.transport == PLATFORM_TCP_ACTIVE
                         ? NULL
                         : conn_new(in);

    if (!c) {
        close(fd);
        return;
    }
    if (uv_tcp_open(&c->tcp, fd)) {
        close(fd);
        media_conn_close(c);
        return;
    }
    memcpy(c->slab->bytes, head, n);
    c->len = n;
    place(c);
    if (in->newcomer == c && c->len)
        judge_newcomer(c);
}

static void on_accept(uv_stream_t *server, int status)
{
    struct ingest *in = server->data;
    struct media_conn *c;

    if (status || in->freed)
        return;
    c = conn_new(in);
    if (!c) { /* it may come again, when there is memory */
        in->open_handles += refusal_take(&in->refusal, server);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&c->tcp)) {
        media_conn_close(c);
        return;
    }
    place(c);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct media_conn *c = req->handle->data;
    struct ingest *in = c->in;

    if (c->closing)
        return;
    if (status == 0) {
        conn_start(c);
        return;
    }
    media_conn_close(c);
    in->connect_ms = uv_now(in->o.loop) + INGEST_RETRY_MS;
    if (in->attempts >= INGEST_ATTEMPTS && !in->ended) {
        char text[128], addr[GB_ADDR_TEXT_MAX];

        in->ended = true;
        snprintf(text, sizeof(text), "connecting to %s: %s (%u attempts)",
                 gb_addr_text(&in->target, addr), uv_strerror(status),
                 in->attempts);
        ingest_say(in, PLATFORM_MEDIA_ENDED, status, text);
    }
}

/* Where the answer says; every second time at the address that its signalling
 * comes from. The one in an SDP may be of a LAN of its own. */
static struct gb_addr next_target(const struct ingest *in)
{
    struct gb_addr a = in->o.peer;

    if (in->attempts % 2 || a.family != in->target.family ||
        gb_addr_ip_eq(&a, &in->target))
        return in->target;
    a.port = in->target.port;
    return a;
}

static void try_connect(struct ingest *in)
{
    struct sockaddr_storage ss;
    struct gb_addr to;
    struct media_conn *c = conn_new(in);
    int err;

    in->attempts++;
    in->connect_ms = uv_now(in->o.loop) + INGEST_CONNECT_MS;
    if (!c)
        return;
    in->conn = c;
    to = next_target(in);
    sockaddr_of(&ss, &to, false);
    err = uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&ss,
                         on_connected);
    if (err) {
        c->connect.handle = (uv_stream_t *)&c->tcp;
        on_connected(&c->connect, err);
    }
}

/* In the framing of the connection; one that cannot take these few bytes at once
 * gets no more of them, as half a frame would spoil what follows. */
void media_conn_report(struct media_conn *c, struct slice report)
{
    uint8_t head[4] = { '$', 1, (uint8_t)(report.n >> 8), (uint8_t)report.n };
    size_t skip = c->frame.mode == RTP_FRAMING_LENGTH ? 2 : 0;
    uv_buf_t b[2] = { uv_buf_init((char *)head + skip,
                                  (unsigned)(sizeof(head) - skip)),
                      uv_buf_init((char *)report.p, (unsigned)report.n) };

    if (skip == 0 && c->frame.mode != RTP_FRAMING_DOLLAR)
        return;
    if (uv_try_write((uv_stream_t *)&c->tcp, b, 2) !=
        (int)(sizeof(head) - skip + report.n))
        c->reports = false;
}

/* ---- sending ---- */

/* What is left of a packet goes first. false: it is still in the way. */
static bool send_rest(struct media_conn *c)
{
    uv_buf_t b = uv_buf_init((char *)c->rest + c->rest_off,
                             (unsigned)(c->rest_len - c->rest_off));
    int n = b.len ? uv_try_write((uv_stream_t *)&c->tcp, &b, 1) : 0;

    c->rest_off += n > 0 ? (size_t)n : 0;
    return c->rest_off == c->rest_len;
}

void media_conn_send(struct media_conn *c, struct slice packet)
{
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)packet.p, (unsigned)packet.n);
    int n;

    if (!c->up || c->closing || packet.n > SEND_MAX || !send_rest(c))
        return;
    n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    if (n < 0 || (size_t)n == packet.n)
        return; /* an error is the reader's to find */
    c->rest_off = 0;
    c->rest_len = packet.n - (size_t)n;
    memcpy(c->rest, packet.p + n, c->rest_len);
}

static void tick_current(struct ingest *in, uint64_t now_ms)
{
    struct media_conn *c = in->conn;

    if (in->lost_ms && now_ms - in->lost_ms >= INGEST_RECONNECT_MS &&
        !in->ended)
        say_lost(in);
    if (c && c->up && c->last_ms == 0 && !in->speaks &&
        now_ms - c->since_ms >= INGEST_FIRST_MS)
        conn_lost(c, GB_ESTATE, "connection carried no valid RTP packet");
    if (in->o.transport != PLATFORM_TCP_ACTIVE || !in->answered || in->ended)
        return;
    if (c && !c->up && now_ms >= in->connect_ms) {
        c->connect.handle = (uv_stream_t *)&c->tcp;
        on_connected(&c->connect, UV_ETIMEDOUT);
    } else if (!c && now_ms >= in->connect_ms &&
               in->attempts < INGEST_ATTEMPTS) {
        try_connect(in);
    }
}

static void on_refused(void *ctx)
{
    ingest_handle_closed(ctx);
}

int ingest_listen(struct ingest *in, struct gb_addr addr, const char **what)
{
    int err = uv_tcp_init(in->o.loop, &in->listener);

    *what = "TCP media port";
    if (err)
        return err;
    in->listener.data = in;
    in->refusal.on_done = on_refused;
    in->refusal.ctx = in;
    in->listening = true;
    in->open_handles++;
    return listen_on(&in->listener, &addr, BACKLOG, on_accept);
}

/* ---- orders and time ---------------------------------------------------------- */

void ingest_conn_answer(struct ingest *in)
{
    struct media_conn *c = in->conn, *newcomer = in->newcomer;

    if (c && in->has_ssrc)
        rtp_tcpframe_expect(&c->frame, in->ssrc);
    if (c && ingest_is_plausible(in, &c->remote))
        c->stranger = false;
    if (newcomer) {
        if (in->has_ssrc)
            rtp_tcpframe_expect(&newcomer->frame, in->ssrc);
        newcomer->stranger = !ingest_is_plausible(in, &newcomer->remote);
        judge_newcomer(newcomer);
    }
    in->lost_ms = 0; /* of an earlier answer: this one has time of its own */
    in->ended = false;
    if (in->o.transport == PLATFORM_TCP_ACTIVE && !in->conn) {
        in->attempts = 0;
        try_connect(in);
    }
}

void ingest_tick_connections(struct ingest *in, uint64_t now_ms)
{
    tick_newcomer(in, now_ms);
    tick_current(in, now_ms);
}
