/* Sockets of the streams: RTP over the UDP socket that all devices share, or
 * over a TCP connection of each. */
#include "tools/cam/cam.h"

#include "app/net/log.h"
#include "app/net/sockaddr.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define GBCAM_QUEUE_BYTES (4u << 20) /* unsent on one media connection */
#define GBCAM_CONNECT_TRIES 5
#define GBCAM_FAULT_MS 3000 /* of what faults do again and again */

struct stream {
    struct gbcam *cam;
    uint32_t device, session, life;
    enum device_transport transport;
    struct gb_addr remote;
    struct sender *sender;
    struct list node; /* of those that send */
    bool active;
    uv_tcp_t tcp, listener;
    bool tcp_open, tcp_up, listening, wanted; /* wanted: START has come */
    uv_connect_t connect;
    unsigned tries, open_handles;
    uint64_t retry_ms;
    uint64_t up_ms;   /* since when the connection is there */
    uint64_t until_ms; /* it goes on without a session; 0: it has one */
    bool over;    /* all of a recording is sent, and that was told */
    bool closing;
};

static void on_stream_handle_closed(uv_handle_t *h)
{
    struct stream *s = h->data;

    if (--s->open_handles == 0 && s->closing)
        free(s);
}

static void close_handle(uv_tcp_t *tcp, bool *open)
{
    if (*open && !uv_is_closing((uv_handle_t *)tcp))
        uv_close((uv_handle_t *)tcp, on_stream_handle_closed);
    *open = false;
}

static void say_stream(const struct stream *s, const char *what)
{
    if (!s->cam->o.quiet)
        log_f(LOG_INFO, "msg=\"%s\" device=%s stream=%u", what,
              device_id(fleet_device(s->cam->fleet, s->device)), s->session);
}

static void stream_close(struct stream *s)
{
    struct gbcam *g = s->cam;

    if (s->closing)
        return;
    s->closing = true;
    if (g->camera[s->device].stream[s->session] == s)
        g->camera[s->device].stream[s->session] = NULL;
    list_remove(&s->node);
    if (s->active)
        g->streams--;
    if (s->sender)
        say_stream(s, "stream ends");
    sender_free(s->sender);
    s->sender = NULL;
    close_handle(&s->tcp, &s->tcp_open);
    close_handle(&s->listener, &s->listening);
    if (s->open_handles == 0)
        free(s);
}

static void stream_lost(struct stream *s)
{
    struct gbcam *g = s->cam;
    uint32_t device = s->device, session = s->session, life = s->life;
    bool alone = s->until_ms != 0;

    stream_close(s);
    if (alone)
        return;
    device_media_lost(fleet_device(g->fleet, device), session, life, cam_now(g));
    fleet_touch(g->fleet, device);
    sip_edge_touch(g->edge);
}

struct packet_write {
    uv_write_t req;
    char bytes[];
};

static void on_written(uv_write_t *req, int status)
{
    struct stream *s = req->handle->data;

    free(container_of(req, struct packet_write, req));
    if (status && status != UV_ECANCELED && !s->closing)
        stream_lost(s);
}

/* A packet goes whole or not at all: framing is never broken by us. */
static void send_tcp(struct stream *s, const struct sender_packet *p)
{
    size_t n = p->head_len + p->n;
    struct packet_write *w;
    uv_buf_t b;

    if (uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp) + n >
        GBCAM_QUEUE_BYTES)
        return;
    w = malloc(sizeof(*w) + n);
    if (!w)
        return;
    memcpy(w->bytes, p->head, p->head_len);
    memcpy(w->bytes + p->head_len, p->payload, p->n);
    b = uv_buf_init(w->bytes, (unsigned)n);
    if (uv_write(&w->req, (uv_stream_t *)&s->tcp, &b, 1, on_written))
        free(w);
}

/* The socket that the answer has named, or not. */
static struct udp_socket *socket_of(const struct stream *s)
{
    struct gbcam *g = s->cam;
    const struct link_faults *f = &g->o.faults.link;
    bool moved = uv_now(&g->loop) / GBCAM_FAULT_MS % 2;

    return f->other_port || (f->port_moves && moved) ? g->spare : g->media;
}

static void send_udp(struct stream *s, const struct sender_packet *p)
{
    uint8_t bytes[2048];

    if (p->head_len + p->n > sizeof(bytes))
        return;
    memcpy(bytes, p->head, p->head_len);
    memcpy(bytes + p->head_len, p->payload, p->n);
    udp_send(socket_of(s), NULL, &s->remote, bytes, p->head_len + p->n);
}

static void try_connect(struct stream *s);

/* Not for good: it connects anew. */
static void hang_up(struct stream *s, uint64_t now_ms)
{
    close_handle(&s->tcp, &s->tcp_open);
    s->tcp_up = false;
    s->tries = 0;
    s->retry_ms = now_ms + 100;
}

/* The packets of a picture leave together. */
static void cork(struct stream *s, bool on)
{
    int value = on;
    uv_os_fd_t fd;

    if (!s->closing && s->tcp_up &&
        uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

/* --stamps: when the last packet of a picture, or of sound, has left. */
static void stamp(struct gbcam *g)
{
    if (!g->stamps)
        return;
    udp_flush(g->media);
    fprintf(g->stamps, "%llu\n", (unsigned long long)uv_hrtime());
    fflush(g->stamps);
}

static void pace_stream(struct stream *s, uint64_t now_ms)
{
    struct sender_packet p;
    unsigned n = 0;

    if (s->until_ms && now_ms >= s->until_ms) {
        stream_close(s);
        return;
    }
    if (s->tcp_up && s->transport == DEVICE_TCP_CONNECT &&
        s->cam->o.faults.link.reconnect &&
        now_ms - s->up_ms >= GBCAM_FAULT_MS)
        hang_up(s, now_ms);
    if (s->transport == DEVICE_TCP_CONNECT && !s->tcp_open &&
        now_ms >= s->retry_ms)
        try_connect(s);
    if (s->transport != DEVICE_UDP && !s->tcp_up)
        return;
    while (!s->closing && s->sender && sender_next(s->sender, &p, now_ms)) {
        s->cam->packets++;
        if (!n++ && s->transport != DEVICE_UDP)
            cork(s, true);
        if (s->transport == DEVICE_UDP)
            send_udp(s, &p);
        else
            send_tcp(s, &p);
    }
    if (n && s->transport != DEVICE_UDP)
        cork(s, false);
    if (n)
        stamp(s->cam);
    if (!s->closing && !s->until_ms && s->sender && !s->over &&
        sender_is_over(s->sender)) {
        s->over = true;
        device_media_over(fleet_device(s->cam->fleet, s->device), s->session,
                          s->life, cam_now(s->cam));
        fleet_touch(s->cam->fleet, s->device);
        sip_edge_touch(s->cam->edge);
    }
}

static void on_pace(uv_timer_t *t)
{
    struct gbcam *g = t->data;
    uint64_t now_ms = uv_now(&g->loop);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &g->sending)
        pace_stream(container_of(n, struct stream, node), now_ms);
    udp_flush(g->media);
    udp_flush(g->spare);
    if (list_is_empty(&g->sending))
        uv_timer_stop(&g->pace);
}

static void stream_run(struct stream *s)
{
    struct gbcam *g = s->cam;

    if (s->active)
        return;
    s->active = true;
    g->streams++;
    list_push_back(&g->sending, &s->node);
    if (!uv_is_active((uv_handle_t *)&g->pace))
        uv_timer_start(&g->pace, on_pace, 0, 1);
}

static void on_drop(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = h->data;

    (void)b; /* RTCP of the receiver */
    if (n < 0 && !s->closing)
        stream_lost(s);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    static char sink[65536];

    (void)h;
    (void)suggested;
    *b = uv_buf_init(sink, sizeof(sink));
}

static void tcp_ready(struct stream *s)
{
    s->tcp_up = true;
    s->up_ms = uv_now(&s->cam->loop);
    uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_drop);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct stream *s = req->handle->data;

    if (s->closing)
        return;
    if (status == 0) {
        tcp_ready(s);
        return;
    }
    close_handle(&s->tcp, &s->tcp_open);
    s->retry_ms = uv_now(&s->cam->loop) + 1000;
    if (s->tries >= GBCAM_CONNECT_TRIES)
        stream_lost(s);
}

static void try_connect(struct stream *s)
{
    struct sockaddr_storage ss;

    if (s->cam->o.faults.link.no_connect)
        return;
    s->tries++;
    uv_tcp_init(&s->cam->loop, &s->tcp);
    s->tcp.data = s;
    s->tcp_open = true;
    s->open_handles++;
    sockaddr_of(&ss, &s->remote, false);
    if (uv_tcp_connect(&s->connect, &s->tcp, (struct sockaddr *)&ss,
                       on_connected)) {
        close_handle(&s->tcp, &s->tcp_open);
        s->retry_ms = uv_now(&s->cam->loop) + 1000;
    }
}

static void on_accept(uv_stream_t *server, int status)
{
    struct stream *s = server->data;

    if (status || s->tcp_open || s->closing)
        return;
    uv_tcp_init(&s->cam->loop, &s->tcp);
    s->tcp.data = s;
    s->tcp_open = true;
    s->open_handles++;
    if (uv_accept(server, (uv_stream_t *)&s->tcp))
        close_handle(&s->tcp, &s->tcp_open);
    else
        tcp_ready(s);
}

static int listen_media(struct stream *s, struct gb_addr *local)
{
    struct sockaddr_storage ss;
    struct gb_addr any = s->cam->local;
    int err;

    any.port = 0;
    uv_tcp_init(&s->cam->loop, &s->listener);
    s->listener.data = s;
    s->listening = true;
    s->open_handles++;
    sockaddr_of(&ss, &any, false);
    err = uv_tcp_bind(&s->listener, (struct sockaddr *)&ss, 0);
    if (!err && !s->cam->o.faults.link.listen_late &&
        !s->cam->o.faults.link.no_connect)
        err = uv_listen((uv_stream_t *)&s->listener, 4, on_accept);
    if (!err)
        err = sockaddr_local(&s->listener, &any);
    if (!err)
        local->port = any.port;
    return err;
}

void stream_open(struct gbcam *g, uint32_t device,
                 const struct device_action *a)
{
    struct stream *s = calloc(1, sizeof(*s));
    struct gb_addr local = g->local;
    struct gb_addr media;

    udp_address(g->media, &media);
    local.port = media.port;
    if (s) {
        s->cam = g;
        s->device = device;
        s->session = a->session;
        s->life = a->life;
        s->transport = a->transport;
        s->remote = a->remote;
        list_init(&s->node);
        g->camera[device].stream[a->session] = s;
        if (a->transport == DEVICE_TCP_LISTEN && listen_media(s, &local)) {
            stream_close(s);
            s = NULL;
        }
    }
    if (!s)
        local.family = GB_NO_ADDR;
    device_media_opened(fleet_device(g->fleet, device), a->session, a->life,
                        &local, cam_now(g));
    fleet_touch(g->fleet, device);
}

void stream_start(struct gbcam *g, uint32_t device,
                  const struct device_action *a)
{
    struct stream *s = g->camera[device].stream[a->session];
    struct sender_options o = {
        .alloc = &gb_alloc_heap, .clip = &g->clips.stream[a->stream != 0],
        .other = &g->clips.stream[a->stream == 0], .sound = &g->clips.sound,
        .tcp = a->transport != DEVICE_UDP, .ssrc = a->ssrc, .pt = a->pt,
        .seed = a->ssrc + 1, .faults = g->o.faults.sender,
        .start_s = a->start_s, .length_ms = a->length_ms,
        .scale_milli = (uint32_t)a->scale_milli,
    };

    if (!s || s->sender)
        return;
    if (sender_new(&s->sender, &o, uv_now(&g->loop))) {
        stream_lost(s);
        return;
    }
    if (s->listening && g->o.faults.link.listen_late &&
        !g->o.faults.link.no_connect &&
        uv_listen((uv_stream_t *)&s->listener, 4, on_accept)) {
        stream_lost(s);
        return;
    }
    say_stream(s, "stream begins");
    stream_run(s);
}

void stream_pace(struct gbcam *g, uint32_t device,
                 const struct device_action *a)
{
    struct stream *s = g->camera[device].stream[a->session];
    uint64_t now_ms = uv_now(&g->loop);

    if (!s || !s->sender)
        return;
    s->over = false;
    if (a->paused)
        sender_pause(s->sender, now_ms);
    else
        sender_pace(s->sender, a->scale_milli, a->position_ms, now_ms);
}

void stream_key(struct gbcam *g, uint32_t device,
                const struct device_action *a)
{
    struct stream *s = g->camera[device].stream[a->session];

    if (s && s->sender)
        sender_key(s->sender);
}

void stream_stop(struct gbcam *g, uint32_t device, uint32_t session)
{
    struct stream *s = g->camera[device].stream[session];

    if (s && s->active && g->o.faults.link.keeps_on && !g->stopping) {
        g->camera[device].stream[session] = NULL;
        s->until_ms = uv_now(&g->loop) + GBCAM_FAULT_MS;
    } else if (s) {
        stream_close(s);
    }
}
