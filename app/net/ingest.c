#include "app/net/ingest.h"

#include "app/net/log.h"
#include "app/net/noted.h"
#include "app/net/refusal.h"
#include "app/net/sockaddr.h"
#include "rtp/tcpframe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEND_MAX 2048     /* bytes of a packet that we send */
#define TCP_READ_MIN 4096 /* less room than this: on to another slab */

/* One media connection, accepted or made by us. */
struct conn {
    struct ingest *in; /* NULL: closing without its ingest */
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct gb_addr remote;
    struct rtp_tcpframe frame;
    struct slab *slab;
    size_t len;
    uint64_t since_ms, last_ms; /* last_ms 0: nothing valid yet */
    bool up, closing;
    bool stranger; /* accepted from an address that is not plausible */
    bool reports;  /* it sends RTCP, so it gets ours: some end a stream that
                      nobody reports on (field-note 6.1) */
    size_t rest_len, rest_off; /* of a packet that went out in part */
    uint8_t rest[SEND_MAX];
};

struct ingest {
    struct ingest_options o;
    struct receiver *rx; /* made with the first packet */
    struct udp_socket *rtp, *rtcp;
    uv_timer_t life; /* never started: its closing ends the ingest, later */
    uv_tcp_t listener;
    struct refusal refusal;
    bool listening, freed;
    struct conn *conn;
    struct conn *newcomer; /* accepted while conn was alive: it may win yet */
    unsigned open_handles;
    struct intake intake;
    /* what the answer said, kept until there is a receiver */
    bool answered, has_ssrc;
    uint32_t ssrc;
    struct gb_addr allow, target;
    struct gb_addr learnt; /* of a stranger whose connection was taken */
    enum ps_codec video, audio;
    /* TCP active */
    unsigned attempts;
    uint64_t connect_ms; /* of the next attempt, or when this one is given up */
    uint64_t lost_ms;    /* the connection was lost: 0 not */
    bool connected_once, ended;
    bool speaks; /* it sends as well, and maybe nothing comes */
    /* RTCP */
    struct gb_addr rtcp_from;
    uint64_t rtcp_ms;
    struct receiver_counters told; /* up to here, faults have been noted */
    uint64_t told_cut;
};

/* ---- packets ----------------------------------------------------------------- */

static void say(struct ingest *in, enum platform_media_kind kind, int err,
                const char *text)
{
    if (!in->freed)
        in->o.on_event(in->o.ctx, kind, err, text);
}

static void on_receiver(void *ctx, enum receiver_event ev)
{
    struct ingest *in = ctx;
    char text[96];

    switch (ev) {
    case RECEIVER_PACKET:
        say(in, PLATFORM_MEDIA_PACKET, 0, NULL);
        break;
    case RECEIVER_PROGRAM:
        say(in, PLATFORM_MEDIA_PROGRAM, 0, NULL);
        break;
    case RECEIVER_CODEC:
        say(in, PLATFORM_MEDIA_CODEC, 0, NULL);
        break;
    case RECEIVER_ENCRYPTED:
        say(in, PLATFORM_MEDIA_ALIVE, 0,
            "the stream is encrypted (marked as scrambled by the device); "
            "turn stream encryption off in it");
        break;
    case RECEIVER_UNKNOWN:
        if (receiver_kind(in->rx) == RTP_KIND_UNKNOWN)
            snprintf(text, sizeof(text), "payload is not a program stream, "
                                         "nor anything else that is known");
        else
            snprintf(text, sizeof(text),
                     "payload is not a program stream: it looks like %s",
                     rtp_kind_name(receiver_kind(in->rx)));
        say(in, PLATFORM_MEDIA_ALIVE, 0, text);
        break;
    }
}

static void tell_receiver(struct ingest *in)
{
    receiver_answer(in->rx, in->has_ssrc, in->ssrc, in->video, in->audio);
    if (in->o.any_source)
        return;
    receiver_allow(in->rx, &in->learnt);
    receiver_allow(in->rx, &in->allow);
    receiver_allow(in->rx, &in->o.peer);
}

/* May media come from there? */
static bool is_plausible(const struct ingest *in, const struct gb_addr *from)
{
    return in->o.any_source || in->o.peer.family == GB_NO_ADDR ||
           gb_addr_ip_eq(from, &in->o.peer) ||
           (in->allow.family != GB_NO_ADDR && gb_addr_ip_eq(from, &in->allow));
}

static struct receiver *receiver(struct ingest *in, bool tcp)
{
    struct receiver_options o = { .tcp = tcp, .has_ssrc = in->has_ssrc,
                                  .ssrc = in->ssrc, .on_event = on_receiver,
                                  .ctx = in };

    if (!in->rx && receiver_new(&in->rx, in->o.hub, &o) == 0)
        tell_receiver(in);
    return in->rx;
}

/* Our reports go where theirs come from, if that is who sends the media. */
static void on_rtcp_bytes(struct ingest *in, const struct gb_addr *from)
{
    if (in->rx && receiver_source(in->rx)->locked &&
        gb_addr_ip_eq(from, &receiver_source(in->rx)->from))
        in->rtcp_from = *from;
}

/* A datagram that was cut: by its header and sender of the stream? */
static bool may_be_ours(const struct ingest *in, const struct udp_packet *pkt)
{
    const struct rtp_source *src = in->rx ? receiver_source(in->rx) : NULL;
    uint32_t ssrc;

    if (rtp_classify(pkt->p, pkt->n) != RTP_CLASS_RTP)
        return false;
    ssrc = (uint32_t)pkt->p[8] << 24 | (uint32_t)pkt->p[9] << 16 |
           (uint32_t)pkt->p[10] << 8 | pkt->p[11];
    if (src && src->locked && ssrc == src->ssrc &&
        gb_addr_ip_eq(&pkt->remote, &src->from))
        return true;
    return is_plausible(in, &pkt->remote) &&
           (!in->has_ssrc || ssrc == in->ssrc);
}

/* A packet of the session, as evidence. */
static void keep_header(struct ingest *in, const uint8_t *p, size_t n,
                        bool tcp, uint64_t now_ms)
{
    if (in->o.headers)
        rtplog_put(in->o.headers, p, n, tcp,
                   in->o.utc_base_ms + (int64_t)now_ms);
}

static void take_datagram(struct ingest *in, const struct udp_packet *pkt,
                          uint64_t now_ms)
{
    struct receiver *rx;

    if (rtp_classify(pkt->p, pkt->n) == RTP_CLASS_RTCP) {
        on_rtcp_bytes(in, &pkt->remote);
        return;
    }
    rx = receiver(in, false);
    if (rx && receiver_packet(rx, pkt->p, pkt->n, pkt->buf, &pkt->remote,
                              now_ms)) {
        keep_header(in, pkt->p, pkt->n, false, now_ms);
        intake_saw(&in->intake, pkt->n, now_ms);
    }
}

/* Larger datagrams of the stream get larger slots, for as long as they come: a
 * slab has few of them. A stranger's do not. */
static void on_rtp(void *ctx, struct udp_socket *u,
                   const struct udp_packet *pkt, size_t n)
{
    struct ingest *in = ctx;
    uint64_t now_ms = uv_now(in->o.loop);

    (void)u;
    if (!intake_batch(&in->intake, n) || in->freed)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!pkt[i].truncated)
            take_datagram(in, &pkt[i], now_ms);
        else if (may_be_ours(in, &pkt[i])) /* one is lost */
            intake_grow(&in->intake, pkt[i].n, now_ms);
    }
}

static void on_rtcp(void *ctx, struct udp_socket *u,
                    const struct udp_packet *pkt, size_t n)
{
    struct ingest *in = ctx;

    (void)u;
    for (size_t i = 0; !in->freed && i < n; i++)
        if (rtp_classify(pkt[i].p, pkt[i].n) == RTP_CLASS_RTCP)
            on_rtcp_bytes(in, &pkt[i].remote);
}

/* ---- TCP ------------------------------------------------------------------------ */

static void handle_closed(struct ingest *in)
{
    void (*on_freed)(void *) = in->o.on_freed;
    void *ctx = in->o.ctx;

    if (--in->open_handles || !in->freed)
        return;
    receiver_free(in->rx);
    free(in);
    if (on_freed)
        on_freed(ctx);
}

static void on_conn_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    struct ingest *in = c->in;

    slab_unref(c->slab);
    free(c);
    handle_closed(in);
}

static void conn_close(struct conn *c)
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

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct conn *c = h->data;

    (void)suggested;
    if (c->slab)
        *b = uv_buf_init((char *)c->slab->bytes + c->len,
                         (unsigned)(SLAB_BYTES - c->len));
    else
        *b = uv_buf_init(NULL, 0);
}

/* Room for another read: what is unfinished moves to the front of a fresh
 * slab, the old one stays with those who hold its packets. */
static bool make_room(struct conn *c)
{
    size_t done = rtp_tcpframe_done(&c->frame), left = c->len - done;
    struct slab *s;

    if (SLAB_BYTES - c->len >= TCP_READ_MIN && c->len < SLAB_BYTES / 2)
        return true;
    if (SLAB_BYTES - done >= rtp_tcpframe_need(&c->frame) &&
        SLAB_BYTES - c->len >= TCP_READ_MIN)
        return true;
    if (c->slab->refs == 1) {
        memmove(c->slab->bytes, c->slab->bytes + done, left);
    } else {
        s = slab_get(&c->in->o.pool->slabs);
        if (!s)
            return false;
        memcpy(s->bytes, c->slab->bytes + done, left);
        slab_unref(c->slab);
        c->slab = s;
    }
    rtp_tcpframe_shift(&c->frame, done);
    c->len = left;
    return SLAB_BYTES - c->len > 0;
}

static void use_frame(struct conn *c, const struct rtp_frame *f,
                      uint64_t now_ms)
{
    struct ingest *in = c->in;
    struct receiver *rx;

    if (f->kind == RTP_FRAME_RTCP) {
        c->reports = true;
        return;
    }
    rx = receiver(in, true);
    if (!rx)
        return;
    if (f->gap)
        receiver_gap(rx);
    if (f->kind == RTP_FRAME_PS) {
        receiver_bare(rx, f->p, f->n, c->slab, now_ms);
        c->last_ms = now_ms;
    } else if (receiver_packet(rx, f->p, f->n, c->slab, &c->remote, now_ms)) {
        keep_header(in, f->p, f->n, true, now_ms);
        c->last_ms = now_ms;
    }
}

static void conn_lost(struct conn *c, int err, const char *text)
{
    struct ingest *in = c->in;
    bool current = in->conn == c;

    conn_close(c);
    if (!current || in->freed)
        return;
    if (in->rx)
        receiver_end(in->rx, uv_now(in->o.loop));
    if (in->o.transport == PLATFORM_TCP_ACTIVE || !in->connected_once) {
        in->ended = true;
        say(in, PLATFORM_MEDIA_ENDED, err, text);
    } else {
        in->lost_ms = uv_now(in->o.loop); /* it may come back */
    }
}

static void judge_newcomer(struct conn *c);

static void take_frames(struct conn *c)
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
    else if (!make_room(c))
        conn_lost(c, GB_ENOMEM, "no memory for received bytes");
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct conn *c = s->data;

    (void)b;
    if (n < 0) {
        conn_lost(c, (int)n, n == UV_EOF ? "device closed the connection"
                                         : uv_strerror((int)n));
        return;
    }
    c->len += (size_t)n;
    if (c == c->in->newcomer)
        judge_newcomer(c);
    else
        take_frames(c);
}

static struct conn *conn_new(struct ingest *in)
{
    struct conn *c = calloc(1, sizeof(*c));
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

static void conn_remote(struct conn *c)
{
    struct sockaddr_storage ss;
    int len = sizeof(ss);

    if (!uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len))
        sockaddr_read(&c->remote, (struct sockaddr *)&ss);
}

static void conn_read(struct conn *c)
{
    int rcvbuf = 1 << 20;

    conn_remote(c);
    uv_tcp_keepalive(&c->tcp, 1, 30);
    uv_recv_buffer_size((uv_handle_t *)&c->tcp, &rcvbuf);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static void conn_start(struct conn *c)
{
    struct ingest *in = c->in;

    conn_read(c);
    c->up = true;
    in->conn = c;
    in->lost_ms = 0;
    in->connected_once = true;
    say(in, PLATFORM_MEDIA_CONNECTED, 0, NULL);
}

/* ---- a second connection ----
 *
 * From a plausible address it wins over one that has carried nothing yet, has
 * fallen silent, or is a stranger's. A stranger's own is never taken at once:
 * it has to carry the agreed SSRC and to outlast what is there. */

static bool silent(const struct conn *c, uint64_t now_ms)
{
    uint64_t last_ms = c->last_ms ? c->last_ms : c->since_ms;

    return now_ms - last_ms >= INGEST_TAKEOVER_MS;
}

/* May another one take the place of the connection we have? */
static bool may_replace(struct ingest *in, uint64_t now_ms)
{
    struct conn *old = in->conn;

    return !old || old->stranger || old->last_ms == 0 || silent(old, now_ms);
}

/* The SSRC of the first packet, in the usual framings: 0 or GB_EAGAIN. */
static int first_ssrc(const struct conn *c, uint32_t *ssrc)
{
    const uint8_t *p = c->slab->bytes;
    size_t off = c->len && p[0] == '$' ? 12 : 10;

    if (c->len < off + 4)
        return GB_EAGAIN;
    p += off;
    *ssrc = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
            p[3];
    return 0;
}

static bool is_right(const struct conn *c)
{
    uint32_t ssrc;

    return c->in->has_ssrc && !first_ssrc(c, &ssrc) && ssrc == c->in->ssrc;
}

static bool stranger_wins(struct conn *c, uint64_t now_ms)
{
    struct ingest *in = c->in;

    return is_right(c) && now_ms - c->since_ms >= RTP_SOURCE_ELSEWHERE_MS &&
           (!in->conn || silent(in->conn, now_ms));
}

/* What it has sent so far is kept. */
static void take_over(struct conn *c)
{
    struct ingest *in = c->in;

    if (in->newcomer == c)
        in->newcomer = NULL;
    if (c->stranger) {
        in->learnt = c->remote;
        if (in->rx)
            tell_receiver(in);
    }
    if (in->conn) {
        if (in->rx)
            receiver_gap(in->rx);
        conn_close(in->conn);
    }
    conn_start(c);
    if (c->len)
        take_frames(c);
}

/* It carries the SSRC that was agreed, and the old one something else: that
 * was not the device. Else the old one would have to fall silent. */
static void judge_newcomer(struct conn *c)
{
    struct ingest *in = c->in;
    uint32_t ssrc;

    if (first_ssrc(c, &ssrc))
        return;
    uv_read_stop((uv_stream_t *)&c->tcp);
    if (!c->stranger && is_right(c) && in->rx && receiver_source(in->rx)->ssrc != in->ssrc)
        take_over(c);
}

static void tick_newcomer(struct ingest *in, uint64_t now_ms)
{
    struct conn *c = in->newcomer;

    if (!c)
        return;
    if (c->stranger ? stranger_wins(c, now_ms) : may_replace(in, now_ms))
        take_over(c);
    else if (now_ms - c->since_ms >= INGEST_FIRST_MS)
        conn_close(c);
}

/* One newcomer can wait. A stranger does not drive the device out, nor anybody
 * one of his kind that has shown the agreed SSRC. */
static void wait_as_newcomer(struct conn *c)
{
    struct ingest *in = c->in;
    struct conn *old = in->newcomer;

    if (old && (old->stranger != c->stranger ? c->stranger : is_right(old))) {
        conn_close(c);
        return;
    }
    if (old)
        conn_close(old);
    in->newcomer = c;
    conn_read(c);
}

/* Whose connection it is: the session's at once, or one that waits. */
static void place(struct conn *c)
{
    struct ingest *in = c->in;

    conn_remote(c);
    c->stranger = !is_plausible(in, &c->remote);
    if (!c->stranger && may_replace(in, uv_now(in->o.loop)))
        take_over(c);
    else
        wait_as_newcomer(c);
}

void ingest_connection(struct ingest *in, int fd, const uint8_t *head,
                       size_t n)
{
    struct conn *c = in->freed || in->o.transport == PLATFORM_TCP_ACTIVE
                         ? NULL
                         : conn_new(in);

    if (!c) {
        close(fd);
        return;
    }
    if (uv_tcp_open(&c->tcp, fd)) {
        close(fd);
        conn_close(c);
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
    struct conn *c;

    if (status || in->freed)
        return;
    c = conn_new(in);
    if (!c) { /* it may come again, when there is memory */
        in->open_handles += refusal_take(&in->refusal, server);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&c->tcp)) {
        conn_close(c);
        return;
    }
    place(c);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct conn *c = req->handle->data;
    struct ingest *in = c->in;

    if (c->closing)
        return;
    if (status == 0) {
        conn_start(c);
        return;
    }
    conn_close(c);
    in->connect_ms = uv_now(in->o.loop) + INGEST_RETRY_MS;
    if (in->attempts >= INGEST_ATTEMPTS && !in->ended) {
        char text[128], addr[GB_ADDR_TEXT_MAX];

        in->ended = true;
        snprintf(text, sizeof(text), "connecting to %s: %s (%u attempts)",
                 gb_addr_text(&in->target, addr), uv_strerror(status),
                 in->attempts);
        say(in, PLATFORM_MEDIA_ENDED, status, text);
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
    struct conn *c = conn_new(in);
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

/* ---- orders and time ---------------------------------------------------------- */

void ingest_answer(struct ingest *in, const struct platform_action *a)
{
    in->answered = true;
    in->has_ssrc = !a->ssrc_any;
    in->ssrc = a->ssrc;
    in->video = a->video_hint;
    in->audio = a->audio_hint;
    in->target = a->remote;
    in->allow = a->remote;
    if (in->rx)
        tell_receiver(in);
    if (in->conn && in->has_ssrc)
        rtp_tcpframe_expect(&in->conn->frame, in->ssrc);
    if (in->conn && is_plausible(in, &in->conn->remote))
        in->conn->stranger = false;
    if (in->newcomer && in->has_ssrc)
        rtp_tcpframe_expect(&in->newcomer->frame, in->ssrc);
    if (in->newcomer) {
        in->newcomer->stranger = !is_plausible(in, &in->newcomer->remote);
        judge_newcomer(in->newcomer);
    }
    if (in->o.transport == PLATFORM_TCP_ACTIVE && !in->conn) {
        in->attempts = 0;
        in->ended = false;
        try_connect(in);
    }
}

static struct udp_socket *report_socket(const struct ingest *in)
{
    return in->o.shared ? in->o.rtcp : in->rtcp;
}

static void send_udp_report(struct ingest *in, struct slice report)
{
    const struct rtp_source *src = receiver_source(in->rx);
    struct gb_addr to = in->rtcp_from;

    if (!report_socket(in))
        return;
    if (!gb_addr_ip_eq(&to, &src->from)) { /* none, or it has moved */
        to = src->from;
        to.port++;
    }
    udp_send(report_socket(in), NULL, &to, report.p, report.n);
    udp_flush(report_socket(in));
}

/* In the framing of the connection; one that cannot take these few bytes at once
 * gets no more of them, as half a frame would spoil what follows. */
static void send_tcp_report(struct conn *c, struct slice report)
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

static void send_report(struct ingest *in, uint64_t now_ms)
{
    const struct rtp_source *src = receiver_source(in->rx);
    struct rtcp_block block;
    uint8_t bytes[128];
    struct writer w = writer_of(bytes, sizeof(bytes));

    in->rtcp_ms = now_ms + INGEST_RTCP_MS;
    if (!receiver_report(in->rx, &block))
        return;
    rtcp_rr_write(&w, src->ssrc + 1, &block, 1);
    rtcp_sdes_write(&w, src->ssrc + 1, SLICE("gb28181d"));
    if (w.err)
        return;
    if (!in->conn)
        send_udp_report(in, writer_slice(&w));
    else if (in->conn->reports)
        send_tcp_report(in->conn, writer_slice(&w));
}

/* ---- sending ---- */

/* What is left of a packet goes first. false: it is still in the way. */
static bool send_rest(struct conn *c)
{
    uv_buf_t b = uv_buf_init((char *)c->rest + c->rest_off,
                             (unsigned)(c->rest_len - c->rest_off));
    int n = b.len ? uv_try_write((uv_stream_t *)&c->tcp, &b, 1) : 0;

    c->rest_off += n > 0 ? (size_t)n : 0;
    return c->rest_off == c->rest_len;
}

static void send_over_tcp(struct conn *c, struct slice packet)
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

void ingest_speaks(struct ingest *in)
{
    in->speaks = true;
}

void ingest_send(struct ingest *in, struct slice packet)
{
    const struct rtp_source *src = in->rx ? receiver_source(in->rx) : NULL;

    if (in->o.transport != PLATFORM_UDP) {
        if (in->conn)
            send_over_tcp(in->conn, packet);
        return;
    }
    if (!in->rtp || in->target.family == GB_NO_ADDR)
        return;
    udp_send(in->rtp, NULL, src && src->locked ? &src->from : &in->target,
             packet.p, packet.n);
    udp_flush(in->rtp);
}

static void tick_connection(struct ingest *in, uint64_t now_ms)
{
    struct conn *c = in->conn;

    if (in->lost_ms && now_ms - in->lost_ms >= INGEST_RECONNECT_MS &&
        !in->ended) {
        in->ended = true;
        say(in, PLATFORM_MEDIA_ENDED, UV_EOF,
            "device closed the media connection and did not come back");
    }
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

void ingest_tick(struct ingest *in, uint64_t now_ms)
{
    tick_newcomer(in, now_ms);
    tick_connection(in, now_ms);
    intake_tick(&in->intake, now_ms);
    if (!in->rx)
        return;
    receiver_tick(in->rx, now_ms);
    if (now_ms >= in->rtcp_ms && receiver_last_ms(in->rx) &&
        now_ms - receiver_last_ms(in->rx) < INGEST_RTCP_MS)
        send_report(in, now_ms);
}

/* ---- life ------------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *h)
{
    handle_closed(h->data);
}

static int open_udp(struct ingest *in, struct gb_addr addr, const char **what)
{
    struct udp_options o = {
        .bind = addr, .v6only = true, .no_local = true,
        .rcvbuf_bytes = INGEST_RCVBUF,
        .on_packets = on_rtp, .ctx = in,
        .source = intake_source(&in->intake),
    };
    int err = udp_open(&in->rtp, in->o.loop, &o);

    *what = "RTP port";
    if (err)
        return err;
    o = (struct udp_options){ .v6only = true, .no_local = true,
                              .on_packets = on_rtcp, .ctx = in };
    o.bind = addr;
    o.bind.port++;
    *what = "RTCP port";
    return udp_open(&in->rtcp, in->o.loop, &o);
}

static void on_refused(void *ctx)
{
    handle_closed(ctx);
}

static int open_listener(struct ingest *in, struct gb_addr addr,
                         const char **what)
{
    struct sockaddr_storage ss;
    int err = uv_tcp_init(in->o.loop, &in->listener);

    *what = "TCP media port";
    if (err)
        return err;
    in->listener.data = in;
    in->refusal.on_done = on_refused;
    in->refusal.ctx = in;
    in->listening = true;
    in->open_handles++;
    sockaddr_of(&ss, &addr, false);
    err = uv_tcp_bind(&in->listener, (struct sockaddr *)&ss,
                      addr.family == GB_IPV6 ? UV_TCP_IPV6ONLY : 0);
    if (!err)
        err = uv_listen((uv_stream_t *)&in->listener, 4, on_accept);
    return err;
}

int ingest_new(struct ingest **out, const struct ingest_options *o,
               const char **what)
{
    struct ingest *in = calloc(1, sizeof(*in));
    struct gb_addr any = { .family = o->peer.family == GB_IPV6 ? GB_IPV6
                                                              : GB_IPV4,
                           .port = o->port };
    int err = 0;

    *what = "memory";
    if (!in)
        return GB_ENOMEM;
    in->o = *o;
    intake_init(&in->intake, o->pool, o->loop);
    in->has_ssrc = o->has_ssrc;
    in->ssrc = o->ssrc;
    uv_timer_init(o->loop, &in->life);
    in->life.data = in;
    in->open_handles = 1;
    if (o->transport != PLATFORM_TCP_ACTIVE && !o->shared) {
        err = open_udp(in, any, what);
        if (!err)
            err = open_listener(in, any, what);
    }
    if (err) {
        in->o.on_freed = NULL;
        ingest_free(in);
        return err;
    }
    *out = in;
    return 0;
}

void ingest_free(struct ingest *in)
{
    in->freed = true;
    udp_close(in->rtp);
    udp_close(in->rtcp);
    in->rtp = in->rtcp = NULL;
    if (in->conn)
        conn_close(in->conn);
    if (in->newcomer)
        conn_close(in->newcomer);
    if (in->listening)
        uv_close((uv_handle_t *)&in->listener, on_handle_closed);
    receiver_free(in->rx); /* gives the slabs back */
    in->rx = NULL;
    uv_close((uv_handle_t *)&in->life, on_handle_closed);
}

/* What got worse since the last look; an address may be all we know. */
static void note_faults(struct ingest *in, const struct receiver_counters *c,
                        const struct gb_addr *from)
{
    uint64_t cut = in->conn ? in->conn->frame.resyncs : 0;

    if (c->invalid > in->told.invalid)
        noted_bad(NOTED_RTP, from, "not RTP, or a broken header");
    if (c->foreign > in->told.foreign)
        noted_bad(NOTED_RTP_SSRC, from, "SSRC or address was not agreed");
    if (c->corrupt + c->resyncs > in->told.corrupt + in->told.resyncs)
        noted_bad(NOTED_PS, from, c->lost > in->told.lost
                                      ? "packets were lost"
                                      : "the device sends it broken");
    if (cut > in->told_cut)
        noted_bad(NOTED_RTP_TCP, from, "bytes between two packets");
    in->told = *c;
    in->told_cut = cut;
}

void ingest_fill(struct ingest *in, struct platform_media_event *ev)
{
    struct receiver_counters c;

    if (in->conn)
        ev->from = in->conn->remote;
    if (!in->rx)
        return;
    if (receiver_source(in->rx)->locked) {
        ev->from = receiver_source(in->rx)->from;
        ev->ssrc = receiver_source(in->rx)->ssrc;
    }
    receiver_codecs(in->rx, &ev->video, &ev->audio);
    receiver_counters(in->rx, &c);
    note_faults(in, &c, &ev->from);
    ev->packets = c.packets;
    ev->bytes = c.bytes;
    ev->lost = c.lost;
    ev->foreign = c.foreign;
    ev->unknown_bytes = c.unknown_bytes;
}

bool ingest_waits(const struct ingest *in, uint64_t now_ms)
{
    uint64_t last_ms = in->rx ? receiver_last_ms(in->rx) : 0;

    return last_ms == 0 || now_ms - last_ms >= RTP_SOURCE_SILENCE_MS;
}

void ingest_datagram(struct ingest *in, const struct udp_packet *pkt)
{
    if (!in->freed)
        take_datagram(in, pkt, uv_now(in->o.loop));
}

bool ingest_may_send(const struct ingest *in, const struct udp_packet *pkt)
{
    return !in->freed && may_be_ours(in, pkt);
}

void ingest_rtcp(struct ingest *in, const struct gb_addr *from)
{
    if (!in->freed)
        on_rtcp_bytes(in, from);
}

void ingest_counters(const struct ingest *in, struct receiver_counters *out)
{
    *out = (struct receiver_counters){ 0 };
    if (in->rx)
        receiver_counters(in->rx, out);
}
