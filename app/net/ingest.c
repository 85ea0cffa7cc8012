#include "app/net/ingest_int.h"

#include "app/net/noted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- packets ----------------------------------------------------------------- */

void ingest_say(struct ingest *in, enum platform_media_kind kind, int err,
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
        ingest_say(in, PLATFORM_MEDIA_PACKET, 0, NULL);
        break;
    case RECEIVER_PROGRAM:
        ingest_say(in, PLATFORM_MEDIA_PROGRAM, 0, NULL);
        break;
    case RECEIVER_CODEC:
        ingest_say(in, PLATFORM_MEDIA_CODEC, 0, NULL);
        break;
    case RECEIVER_ENCRYPTED:
        ingest_say(in, PLATFORM_MEDIA_ALIVE, 0,
                   "the stream is encrypted (marked as scrambled by the device); "
                   "turn stream encryption off in it");
        break;
    case RECEIVER_NO_SETS:
        ingest_say(in, PLATFORM_MEDIA_ALIVE, 0,
                   "key frames come, but no parameter sets (SPS, PPS; VPS of "
                   "H.265) to decode them with");
        break;
    case RECEIVER_DAMAGED:
        ingest_say(in, PLATFORM_MEDIA_ALIVE, 0,
                   "pictures come, but none of them is whole");
        break;
    case RECEIVER_UNKNOWN:
        if (receiver_kind(in->rx) == RTP_KIND_UNKNOWN)
            snprintf(text, sizeof(text), "payload is not a program stream, "
                                         "nor anything else that is known");
        else
            snprintf(text, sizeof(text),
                     "payload is not a program stream: it looks like %s",
                     rtp_kind_name(receiver_kind(in->rx)));
        ingest_say(in, PLATFORM_MEDIA_ALIVE, 0, text);
        break;
    }
}

void ingest_tell(struct ingest *in)
{
    receiver_answer(in->rx, in->has_ssrc, in->ssrc, in->video, in->audio);
    if (in->o.any_source)
        return;
    receiver_allow(in->rx, &in->learnt);
    receiver_allow(in->rx, &in->allow);
    receiver_allow(in->rx, &in->o.peer);
}

/* May media come from there? */
bool ingest_is_plausible(const struct ingest *in, const struct gb_addr *from)
{
    return in->o.any_source || in->o.peer.family == GB_NO_ADDR ||
           gb_addr_ip_eq(from, &in->o.peer) ||
           (in->allow.family != GB_NO_ADDR && gb_addr_ip_eq(from, &in->allow));
}

struct receiver *ingest_receiver(struct ingest *in, bool tcp)
{
    struct receiver_options o = { .tcp = tcp, .has_ssrc = in->has_ssrc,
                                  .ssrc = in->ssrc, .on_event = on_receiver,
                                  .ctx = in };

    if (!in->rx && receiver_new(&in->rx, in->o.hub, &o) == 0)
        ingest_tell(in);
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
    ssrc = rtp_ssrc_of(pkt->p);
    if (src && src->locked && ssrc == src->ssrc &&
        gb_addr_ip_eq(pkt->remote, &src->from))
        return true;
    return ingest_is_plausible(in, pkt->remote) &&
           (!in->has_ssrc || ssrc == in->ssrc);
}

/* A packet of the session, as evidence. */
void ingest_keep_header(struct ingest *in, const uint8_t *p, size_t n,
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
        on_rtcp_bytes(in, pkt->remote);
        return;
    }
    rx = in->rx ? in->rx : ingest_receiver(in, false);
    if (rx && receiver_packet(rx, pkt->p, pkt->n, pkt->buf, pkt->remote,
                              now_ms)) {
        if (in->o.headers)
            ingest_keep_header(in, pkt->p, pkt->n, false, now_ms);
        if (pkt->n > INGEST_SLOT)
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
            on_rtcp_bytes(in, pkt[i].remote);
}

void ingest_handle_closed(struct ingest *in)
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

/* ---- orders and time ---------------------------------------------------------- */

void ingest_answer(struct ingest *in, const struct platform_action *a)
{
    in->answered = true;
    if (a->transport == PLATFORM_UDP && in->rtp)
        in->o.transport = PLATFORM_UDP; /* of both sockets that are open */
    in->has_ssrc = !a->ssrc_any;
    in->ssrc = a->ssrc;
    in->video = a->video_hint;
    in->audio = a->audio_hint;
    in->target = a->remote;
    in->allow = a->remote;
    if (in->rx)
        ingest_tell(in);
    ingest_conn_answer(in);
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
        media_conn_report(in->conn, writer_slice(&w));
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
            media_conn_send(in->conn, packet);
        return;
    }
    if (!in->rtp || in->target.family == GB_NO_ADDR)
        return;
    udp_send(in->rtp, NULL, src && src->locked ? &src->from : &in->target,
             packet.p, packet.n);
    udp_flush(in->rtp);
}

void ingest_tick_packets(struct ingest *in, uint64_t now_ms)
{
    if (in->rx)
        receiver_tick(in->rx, now_ms);
}

void ingest_tick(struct ingest *in, uint64_t now_ms)
{
    ingest_tick_connections(in, now_ms);
    intake_tick(&in->intake, now_ms);
    ingest_tick_packets(in, now_ms);
    if (in->rx && now_ms >= in->rtcp_ms && receiver_last_ms(in->rx) &&
        now_ms - receiver_last_ms(in->rx) < INGEST_RTCP_MS)
        send_report(in, now_ms);
}

/* ---- life ------------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *h)
{
    ingest_handle_closed(h->data);
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
            err = ingest_listen(in, any, what);
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
        media_conn_close(in->conn);
    if (in->newcomer)
        media_conn_close(in->newcomer);
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

uint16_t ingest_udp_port(const struct ingest *in)
{
    return in->rtp && !in->conn ? in->o.port : 0;
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
    if (in->rtp) {
        uint32_t dropped, errors;

        udp_counters(in->rtp, &dropped, &errors);
        out->kernel_drops = dropped;
    }
}
