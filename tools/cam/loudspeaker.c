/* The sockets of a loudspeaker: what comes is measured and told, a line for each
 * half second in which somebody speaks; in a talk the camera's tone goes back. */
#include "tools/cam/cam.h"

#include "app/device/ear.h"
#include "app/media/g711.h"
#include "app/media/voice.h"
#include "app/net/log.h"
#include "app/net/sockaddr.h"
#include "rtp/packet.h"
#include "rtp/tcpframe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TRIES 5
#define RETRY_MS 1000
#define TICK_MS 10
#define TONE_SAMPLES 320 /* 40 ms */
#define TONE_PERIOD 20   /* samples: 400 Hz */
#define BUFFER_BYTES RTP_TCPFRAME_CAP

struct loudspeaker {
    struct gbcam *cam;
    uint32_t device, life;
    struct device_action a; /* of the START */
    enum device_transport transport;
    struct udp_socket *udp;
    uv_tcp_t tcp, listener;
    uv_connect_t connect;
    uv_timer_t tick;
    bool tcp_open, listening, up, started, closing;
    unsigned tries, open_handles;
    uint64_t retry_ms, last_ms, longest_ms; /* between two packets */
    struct rtp_tcpframe frame;
    size_t len;
    struct ear ear;
    struct voice *tone;     /* of a talk */
    unsigned beat;          /* of the tone, samples */
    uint8_t bytes[BUFFER_BYTES];
};

static const char *transport_name(enum device_transport t)
{
    static const char *const names[] = { [DEVICE_UDP] = "udp",
                                         [DEVICE_TCP_CONNECT] = "tcp-connect",
                                         [DEVICE_TCP_LISTEN] = "tcp-listen" };

    return names[t];
}

static void tell(const struct loudspeaker *l, const char *what,
                 const struct ear_heard *h)
{
    const struct ear *e = &l->ear;
    char measured[64] = "";

    if (h)
        snprintf(measured, sizeof(measured), " hz=%.1f dbfs=%.2f", h->hz,
                 10 * log10(2 * h->mean_square / 32768 / 32768));
    log_f(LOG_INFO, "msg=\"%s\" device=%s talk=%d transport=%s codec=%s ps=%d "
                    "packets=%llu packet_ms=%u lost=%llu jumps=%llu bad=%llu "
                    "markers=%llu longest_ms=%llu%s",
          what, device_id(fleet_device(l->cam->fleet, l->device)),
          l->a.is_talk, transport_name(l->transport),
          e->ulaw ? "PCMU" : "PCMA", e->ps, (unsigned long long)e->packets,
          e->packet_ms, (unsigned long long)e->lost,
          (unsigned long long)e->jumps, (unsigned long long)e->bad,
          (unsigned long long)e->markers, (unsigned long long)l->longest_ms,
          measured);
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *h)
{
    struct loudspeaker *l = h->data;

    if (--l->open_handles == 0 && l->closing)
        free(l);
}

static void close_tcp(uv_tcp_t *tcp, bool *open)
{
    if (*open && !uv_is_closing((uv_handle_t *)tcp))
        uv_close((uv_handle_t *)tcp, on_closed);
    *open = false;
}

static void close_all(struct loudspeaker *l)
{
    if (l->closing)
        return;
    l->closing = true;
    l->cam->camera[l->device].loudspeaker = NULL;
    if (l->started)
        tell(l, "voice ends", NULL);
    voice_free(l->tone);
    l->tone = NULL;
    udp_close(l->udp);
    l->udp = NULL;
    close_tcp(&l->tcp, &l->tcp_open);
    close_tcp(&l->listener, &l->listening);
    uv_close((uv_handle_t *)&l->tick, on_closed);
}

static void lost(struct loudspeaker *l)
{
    struct gbcam *g = l->cam;
    uint32_t device = l->device, life = l->life;

    close_all(l);
    device_media_lost(fleet_device(g->fleet, device), DEVICE_VOICE, life,
                      cam_now(g));
    fleet_touch(g->fleet, device);
    sip_edge_touch(g->edge);
}

/* ---- hearing ---- */

static void hear(struct loudspeaker *l, const uint8_t *p, size_t n)
{
    uint64_t now_ms = uv_hrtime() / 1000000;
    struct ear_heard h;

    if (rtp_classify(p, n) != RTP_CLASS_RTP)
        return;
    if (l->last_ms && now_ms - l->last_ms > l->longest_ms)
        l->longest_ms = now_ms - l->last_ms;
    l->last_ms = now_ms;
    if (ear_packet(&l->ear, slice_of((const char *)p, n), &h))
        tell(l, "voice heard", &h);
}

static void on_udp(void *ctx, struct udp_socket *u,
                   const struct udp_packet *pkt, size_t n)
{
    struct loudspeaker *l = ctx;

    (void)u;
    for (size_t i = 0; i < n && !l->closing; i++)
        hear(l, pkt[i].p, pkt[i].n);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct loudspeaker *l = h->data;

    (void)suggested;
    *b = uv_buf_init((char *)l->bytes + l->len,
                     (unsigned)(sizeof(l->bytes) - l->len));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct loudspeaker *l = s->data;
    struct rtp_frame f;
    size_t done;
    int err;

    (void)b;
    if (l->closing)
        return;
    if (n < 0) {
        lost(l);
        return;
    }
    l->len += (size_t)n;
    while ((err = rtp_tcpframe_next(&l->frame, l->bytes, l->len,
                                    sizeof(l->bytes), &f)) == 0)
        if (f.kind == RTP_FRAME_RTP)
            hear(l, f.p, f.n);
    if (err != GB_EAGAIN) {
        lost(l);
        return;
    }
    done = rtp_tcpframe_done(&l->frame);
    memmove(l->bytes, l->bytes + done, l->len - done);
    l->len -= done;
    rtp_tcpframe_shift(&l->frame, done);
}

static void tcp_ready(struct loudspeaker *l)
{
    l->up = true;
    rtp_tcpframe_init(&l->frame, NULL);
    uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read);
}

/* ---- connections ---- */

static void on_connected(uv_connect_t *req, int status)
{
    struct loudspeaker *l = req->handle->data;

    if (l->closing)
        return;
    if (status == 0) {
        tcp_ready(l);
        return;
    }
    close_tcp(&l->tcp, &l->tcp_open);
    l->retry_ms = uv_now(&l->cam->loop) + RETRY_MS;
    if (l->tries >= CONNECT_TRIES)
        lost(l);
}

static void try_connect(struct loudspeaker *l)
{
    struct sockaddr_storage ss;

    l->tries++;
    uv_tcp_init(&l->cam->loop, &l->tcp);
    l->tcp.data = l;
    l->tcp_open = true;
    l->open_handles++;
    sockaddr_of(&ss, &l->a.remote, false);
    if (uv_tcp_connect(&l->connect, &l->tcp, (struct sockaddr *)&ss,
                       on_connected)) {
        close_tcp(&l->tcp, &l->tcp_open);
        l->retry_ms = uv_now(&l->cam->loop) + RETRY_MS;
    }
}

static void on_accept(uv_stream_t *server, int status)
{
    struct loudspeaker *l = server->data;

    if (status || l->tcp_open || l->closing)
        return;
    uv_tcp_init(&l->cam->loop, &l->tcp);
    l->tcp.data = l;
    l->tcp_open = true;
    l->open_handles++;
    if (uv_accept(server, (uv_stream_t *)&l->tcp))
        close_tcp(&l->tcp, &l->tcp_open);
    else
        tcp_ready(l);
}

static int listen_for(struct loudspeaker *l, struct gb_addr *local)
{
    struct sockaddr_storage ss;
    struct gb_addr any = *local;
    int err;

    any.port = 0;
    uv_tcp_init(&l->cam->loop, &l->listener);
    l->listener.data = l;
    l->listening = true;
    l->open_handles++;
    sockaddr_of(&ss, &any, false);
    err = uv_tcp_bind(&l->listener, (struct sockaddr *)&ss, 0);
    if (!err)
        err = uv_listen((uv_stream_t *)&l->listener, 4, on_accept);
    if (!err)
        err = sockaddr_local(&l->listener, &any);
    local->port = any.port;
    return err;
}

static int open_socket(struct loudspeaker *l, struct gb_addr *local)
{
    struct udp_options o = { .bind = *local, .v6only = true,
                             .on_packets = on_udp, .ctx = l };
    struct gb_addr bound;
    int err;

    if (l->transport == DEVICE_TCP_LISTEN)
        return listen_for(l, local);
    o.bind.port = 0;
    if (l->transport == DEVICE_TCP_CONNECT)
        return 0;
    err = udp_open(&l->udp, &l->cam->loop, &o);
    if (!err) {
        udp_address(l->udp, &bound);
        local->port = bound.port;
    }
    return err;
}

/* ---- the camera's own sound, in a talk ---- */

static void send_tone(struct loudspeaker *l, uint64_t now_ms)
{
    struct slice packet;
    int16_t pcm[TONE_SAMPLES];
    uv_buf_t b;

    while (l->tone && voice_deadline(l->tone) <= now_ms) {
        for (size_t i = 0; i < TONE_SAMPLES; i++)
            pcm[i] = (int16_t)((l->beat++ % TONE_PERIOD < TONE_PERIOD / 2 ? 1
                                                            : -1) * 4000);
        voice_feed(l->tone, pcm, TONE_SAMPLES);
        if (!voice_next(l->tone, &packet, now_ms))
            break;
        b = uv_buf_init((char *)(uintptr_t)packet.p, (unsigned)packet.n);
        if (l->udp)
            udp_send(l->udp, NULL, &l->a.remote, packet.p, packet.n);
        else if (l->up)
            uv_try_write((uv_stream_t *)&l->tcp, &b, 1);
    }
    if (l->udp)
        udp_flush(l->udp);
}

static void on_tick(uv_timer_t *t)
{
    struct loudspeaker *l = t->data;
    uint64_t now_ms = uv_now(&l->cam->loop);

    if (l->closing)
        return;
    if (l->started && l->transport == DEVICE_TCP_CONNECT && !l->tcp_open &&
        now_ms >= l->retry_ms)
        try_connect(l);
    send_tone(l, now_ms);
}

/* ---- orders ---- */

void loudspeaker_open(struct gbcam *g, uint32_t device,
                      const struct device_action *a)
{
    struct loudspeaker *l = calloc(1, sizeof(*l));
    struct gb_addr local = g->local;

    if (l) {
        l->cam = g;
        l->device = device;
        l->life = a->life;
        l->transport = a->transport;
        l->a = *a;
        uv_timer_init(&g->loop, &l->tick);
        l->tick.data = l;
        l->open_handles = 1;
        g->camera[device].loudspeaker = l;
        if (open_socket(l, &local)) {
            close_all(l);
            l = NULL;
        }
    }
    if (!l)
        local.family = GB_NO_ADDR;
    device_media_opened(fleet_device(g->fleet, device), DEVICE_VOICE, a->life,
                        &local, cam_now(g));
    fleet_touch(g->fleet, device);
}

void loudspeaker_start(struct gbcam *g, uint32_t device,
                       const struct device_action *a)
{
    struct loudspeaker *l = g->camera[device].loudspeaker;
    struct voice_options o = { .alloc = &gb_alloc_heap, .ulaw = a->is_ulaw,
                               .framed = a->transport != DEVICE_UDP,
                               .pt = a->pt, .ssrc = a->ssrc,
                               .packet_ms = 40 };

    if (!l || l->started)
        return;
    l->a = *a;
    l->started = true;
    ear_init(&l->ear, a->is_ps, a->is_ulaw);
    if (a->is_talk && voice_new(&l->tone, &o, uv_now(&g->loop)))
        l->tone = NULL;
    uv_timer_start(&l->tick, on_tick, 0, TICK_MS);
    tell(l, "voice begins", NULL);
}

void loudspeaker_stop(struct gbcam *g, uint32_t device)
{
    struct loudspeaker *l = g->camera[device].loudspeaker;

    if (l)
        close_all(l);
}
