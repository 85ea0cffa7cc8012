/* tools/gbcam.c - simulated GB/T 28181 cameras: command line and sockets
 *
 * The device role is app/device; this joins it to libuv. All devices share one
 * UDP socket for SIP (or one TCP or TLS connection each) and one for media. */
#include "app/device/fleet.h"
#include "app/device/sender.h"
#include "app/net/log.h"
#include "app/net/sip_edge.h"
#include "app/net/sockaddr.h"
#include "app/net/tls.h"
#include "app/net/udp.h"
#include "base/list.h"
#include "manscdp/preset.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#define GBCAM_QUEUE_BYTES (4u << 20) /* unsent on one media connection */
#define GBCAM_CONNECT_TRIES 5
#define GBCAM_STAGGER_MS 2           /* between the first REGISTERs of a fleet */

extern const char clip_begin[], clip_end[]; /* the built-in clip */

/* What the command line says. */
struct options {
    char server_id[DEVICE_ID_MAX + 1], host[256];
    uint16_t port;
    const char *id, *password, *name, *media, *local, *ca;
    enum sip_transport transport;
    bool no_audio, quiet;
    uint32_t devices, channels, keepalive_s, expires_s, retry_s, items, fps;
    uint32_t preset_items, records;
    uint32_t position_s, offer_s, alarm_method, alarm_type;
    double longitude, latitude;
    uint32_t alarm_s, flap_s, seconds, sessions, rate;
    struct manscdp_dialect dialect;
    struct device_faults faults;
    struct sender_faults damage;
};

struct camera; /* what main keeps for each device */

struct stream {
    struct gbcam *cam;
    uint32_t device, session;
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
    bool closing;
};

struct camera {
    char id[DEVICE_ID_MAX + 1];
    struct device_channel *channel;
    char (*channel_id)[DEVICE_ID_MAX + 1];
    char (*channel_name)[32];
    struct stream *stream[DEVICE_MAX_SESSIONS];
    uint64_t connection;
    uint64_t alarm_ms, flap_ms, position_ms, offer_ms;
    bool off; /* its first channel */
};

struct gbcam {
    struct options o;
    uv_loop_t loop;
    struct sip_stack *sip;
    struct sip_edge *edge;
    struct tls_ctx *tls; /* with --transport tls */
    struct fleet *fleet;
    struct camera *camera;
    struct udp_socket *media;
    struct clip clip;
    struct gb_addr server, local;
    struct list sending;
    uv_timer_t pace, second;
    uv_signal_t signals[3];
    uint32_t added, online, streams;
    uint64_t packets, started_ms, stop_ms;
    bool stopping, closed;
};

static struct gb_time now_of(struct gbcam *g)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);
    return (struct gb_time){
        .mono_ms = uv_now(&g->loop),
        .utc_ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000,
    };
}

/* ---- streams ------------------------------------------------------------------ */

static void on_stream_handle_closed(uv_handle_t *h)
{
    struct stream *s = h->data;

    if (--s->open_handles == 0)
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
    uint32_t device = s->device, session = s->session;

    stream_close(s);
    device_media_lost(fleet_device(g->fleet, device), session, now_of(g));
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
    if (status && !s->closing)
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

static void send_udp(struct stream *s, const struct sender_packet *p)
{
    uint8_t bytes[2048];

    if (p->head_len + p->n > sizeof(bytes))
        return;
    memcpy(bytes, p->head, p->head_len);
    memcpy(bytes + p->head_len, p->payload, p->n);
    udp_send(s->cam->media, NULL, &s->remote, bytes, p->head_len + p->n);
}

static void try_connect(struct stream *s);

static void pace_stream(struct stream *s, uint64_t now_ms)
{
    struct sender_packet p;

    if (s->transport == DEVICE_TCP_CONNECT && !s->tcp_open &&
        now_ms >= s->retry_ms)
        try_connect(s);
    if (s->transport != DEVICE_UDP && !s->tcp_up)
        return;
    while (!s->closing && s->sender && sender_next(s->sender, &p, now_ms)) {
        s->cam->packets++;
        if (s->transport == DEVICE_UDP)
            send_udp(s, &p);
        else
            send_tcp(s, &p);
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
    int len = sizeof(ss), err;

    any.port = 0;
    uv_tcp_init(&s->cam->loop, &s->listener);
    s->listener.data = s;
    s->listening = true;
    s->open_handles++;
    sockaddr_of(&ss, &any, false);
    err = uv_tcp_bind(&s->listener, (struct sockaddr *)&ss, 0);
    if (!err)
        err = uv_listen((uv_stream_t *)&s->listener, 4, on_accept);
    if (!err)
        err = uv_tcp_getsockname(&s->listener, (struct sockaddr *)&ss, &len);
    if (!err) {
        struct gb_addr bound;

        sockaddr_read(&bound, (struct sockaddr *)&ss);
        local->port = bound.port;
    }
    return err;
}

/* ---- actions of the devices ---------------------------------------------------------- */

static void do_open(struct gbcam *g, uint32_t device,
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
    device_media_opened(fleet_device(g->fleet, device), a->session, &local,
                        now_of(g));
    fleet_touch(g->fleet, device);
}

static void do_start(struct gbcam *g, uint32_t device,
                     const struct device_action *a)
{
    struct stream *s = g->camera[device].stream[a->session];
    struct sender_options o = {
        .alloc = &gb_alloc_heap, .clip = &g->clip, .audio = !g->o.no_audio,
        .tcp = a->transport != DEVICE_UDP, .ssrc = a->ssrc, .pt = a->pt,
        .seed = a->ssrc + 1, .faults = g->o.damage,
    };

    if (!s || s->sender)
        return;
    if (sender_new(&s->sender, &o, uv_now(&g->loop))) {
        stream_lost(s);
        return;
    }
    say_stream(s, "stream begins");
    stream_run(s);
}

static void on_state(struct gbcam *g, uint32_t device,
                     const struct device_action *a)
{
    const struct device *d = fleet_device(g->fleet, device);

    if (!g->o.quiet)
        log_f(device_is_online(d) || a->status == 200 ? LOG_INFO : LOG_WARN,
              "msg=\"%s\" device=%s status=%u", a->text, device_id(d),
              a->status);
}

static void on_done(struct gbcam *g, uint32_t device,
                    const struct device_action *a)
{
    if (!g->o.quiet)
        log_f(LOG_INFO, "msg=\"%s\" device=%s order=%s",
              a->status ? "order carried out" : "order not carried out",
              device_id(fleet_device(g->fleet, device)), a->text);
}

static void connect_sip(struct gbcam *g, uint64_t *connection)
{
    if (g->tls)
        sip_edge_connect_tls(g->edge, &g->server, connection);
    else
        sip_edge_connect(g->edge, &g->server, connection);
}

static void on_action(struct gbcam *g, uint32_t device,
                      const struct device_action *a)
{
    struct camera *c = &g->camera[device];

    switch (a->kind) {
    case DEVICE_DO_CONNECT:
        if (!c->connection && !g->stopping)
            connect_sip(g, &c->connection);
        break;
    case DEVICE_DO_DISCONNECT: {
        uint64_t old = c->connection;

        c->connection = 0; /* on_connection knows it no more */
        sip_edge_disconnect(g->edge, old);
        break;
    }
    case DEVICE_DO_OPEN:
        do_open(g, device, a);
        break;
    case DEVICE_DO_START:
        do_start(g, device, a);
        break;
    case DEVICE_DO_STOP:
        if (c->stream[a->session])
            stream_close(c->stream[a->session]);
        break;
    case DEVICE_STATE:
        on_state(g, device, a);
        break;
    case DEVICE_DONE:
        on_done(g, device, a);
        break;
    }
}

static uint64_t on_turn(void *ctx, uint64_t now_ms)
{
    struct gbcam *g = ctx;
    struct device_action a;
    uint32_t device;

    if (fleet_deadline(g->fleet) <= now_ms)
        fleet_tick(g->fleet, now_of(g));
    while (fleet_action(g->fleet, &device, &a))
        on_action(g, device, &a);
    return fleet_deadline(g->fleet);
}

static void on_sip_event(void *ctx, const struct sip_event *ev)
{
    struct gbcam *g = ctx;

    fleet_sip(g->fleet, g->sip, ev, now_of(g));
}

static void on_connection(void *ctx, uint64_t connection, bool up,
                          const struct gb_addr *local)
{
    struct gbcam *g = ctx;

    for (uint32_t i = 0; i < g->added; i++) {
        struct device *d = fleet_device(g->fleet, i);

        if (g->camera[i].connection != connection)
            continue;
        if (up) {
            device_connected(d, connection, local, now_of(g));
        } else {
            g->camera[i].connection = 0;
            device_disconnected(d, now_of(g));
        }
        fleet_touch(g->fleet, i);
        return;
    }
}

/* ---- devices --------------------------------------------------------------------------- */

/* base with its last six digits raised by n, and its type when one is given. */
static void make_id(char out[DEVICE_ID_MAX + 1], const char *base,
                    const char *type, uint32_t n)
{
    uint32_t serial = 0;

    memcpy(out, base, DEVICE_ID_MAX + 1);
    slice_u32(slice_of(base + 14, 6), 999999, &serial);
    if (type) {
        memcpy(out + 10, type, 3);
        serial = 0;
    }
    snprintf(out + 14, 7, "%06u", (serial + n) % 1000000);
}

static bool name_channels(struct gbcam *g, struct camera *c, uint32_t device)
{
    uint32_t n = g->o.channels;

    c->channel = calloc(n, sizeof(*c->channel));
    c->channel_id = calloc(n, sizeof(*c->channel_id));
    c->channel_name = calloc(n, sizeof(*c->channel_name));
    if (!c->channel || !c->channel_id || !c->channel_name)
        return false;
    for (uint32_t k = 0; k < n; k++) {
        make_id(c->channel_id[k], g->o.id, "131", device * n + k + 1);
        snprintf(c->channel_name[k], sizeof(c->channel_name[k]),
                 "大门 %u-%u", device + 1, k + 1);
        c->channel[k].id = c->channel_id[k];
        c->channel[k].name = c->channel_name[k];
    }
    return true;
}

static int add_device(struct gbcam *g, uint32_t i, struct gb_time now)
{
    struct camera *c = &g->camera[i];
    uint32_t index;
    struct device_config dc = {
        .alloc = &gb_alloc_heap, .sip = g->sip, .id = c->id,
        .password = g->o.password, .name = g->o.name,
        .manufacturer = "gbcam", .model = "GBCAM-1", .firmware = GB_VERSION,
        .server_id = g->o.server_id, .realm = g->o.server_id,
        .n_channels = g->o.channels, .expires_s = g->o.expires_s,
        .keepalive_s = g->o.keepalive_s, .retry_ms = g->o.retry_s * 1000,
        .items_per_message = g->o.items,
        .presets_per_message = g->o.preset_items, .records = g->o.records,
        .alarm_method = (uint8_t)g->o.alarm_method,
        .alarm_type = (uint8_t)g->o.alarm_type,
        .longitude = g->o.longitude, .latitude = g->o.latitude,
        .max_sessions = g->o.sessions,
        .dialect = g->o.dialect, .faults = g->o.faults, .timezone_min = 480,
        .server = { .transport = (uint8_t)g->o.transport,
                    .remote = g->server },
    };
    static char realm[11];

    memcpy(realm, g->o.server_id, 10);
    dc.realm = realm;
    make_id(c->id, g->o.id, NULL, i);
    if (!name_channels(g, c, i))
        return GB_ENOMEM;
    dc.channel = c->channel;
    if (g->o.transport == SIP_UDP) {
        struct gb_addr bound = sip_edge_addr(g->edge, 0);

        dc.server.local = g->local;
        dc.server.local.port = bound.port;
    }
    c->alarm_ms = now.mono_ms + 1000 * g->o.alarm_s;
    c->flap_ms = now.mono_ms + 1000 * g->o.flap_s;
    c->position_ms = c->offer_ms = now.mono_ms;
    return fleet_add(g->fleet, &dc, now, &index);
}

/* One thing that a device does every so many seconds. */
typedef void habit_fn(struct gbcam *g, uint32_t device, struct gb_time now);

static void alarm_habit(struct gbcam *g, uint32_t device, struct gb_time now)
{
    device_alarm(fleet_device(g->fleet, device), 0, now);
}

static void flap_habit(struct gbcam *g, uint32_t device, struct gb_time now)
{
    struct camera *c = &g->camera[device];

    c->off = !c->off;
    device_set_channel(fleet_device(g->fleet, device), 0, !c->off, now);
}

static void position_habit(struct gbcam *g, uint32_t device,
                           struct gb_time now)
{
    device_report_position(fleet_device(g->fleet, device), now);
}

static void offer_habit(struct gbcam *g, uint32_t device, struct gb_time now)
{
    device_offer_video(fleet_device(g->fleet, device), now);
}

/* Of every device whose time has come; every_s 0: never. */
static void keep_habit(struct gbcam *g, habit_fn *fn, uint32_t every_s,
                       size_t off_at, struct gb_time now)
{
    for (uint32_t i = 0; every_s && i < g->added; i++) {
        uint64_t *at_ms =
            (uint64_t *)(void *)((char *)&g->camera[i] + off_at);

        if (now.mono_ms < *at_ms)
            continue;
        *at_ms = now.mono_ms + 1000ull * every_s;
        fn(g, i, now);
        fleet_touch(g->fleet, i);
    }
}

static void on_second(uv_timer_t *t)
{
    struct gbcam *g = t->data;
    struct gb_time now = now_of(g);
    uint32_t most = g->o.rate ? g->o.rate : 1000 / GBCAM_STAGGER_MS;

    /* the timer fires ten times a second */
    for (uint32_t i = 0; i < (most + 9) / 10 && g->added < g->o.devices; i++)
        if (add_device(g, g->added, now) == 0)
            g->added++;
    keep_habit(g, alarm_habit, g->o.alarm_s, offsetof(struct camera, alarm_ms),
               now);
    keep_habit(g, flap_habit, g->o.flap_s, offsetof(struct camera, flap_ms),
               now);
    keep_habit(g, position_habit, g->o.position_s,
               offsetof(struct camera, position_ms), now);
    keep_habit(g, offer_habit, g->o.offer_s, offsetof(struct camera, offer_ms),
               now);
    if (g->o.seconds && now.mono_ms - g->started_ms >= 1000 * g->o.seconds)
        raise(SIGTERM);
    sip_edge_touch(g->edge);
}

/* ---- the end ----------------------------------------------------------------------------- */

static bool all_stopped(const struct gbcam *g)
{
    for (uint32_t i = 0; i < g->added; i++)
        if (!device_is_stopped(fleet_device(g->fleet, i)))
            return false;
    return true;
}

static void on_stopping(uv_timer_t *t)
{
    struct gbcam *g = t->data;

    if (!all_stopped(g) && uv_now(&g->loop) < g->stop_ms)
        return;
    if (g->closed)
        return;
    g->closed = true;
    sip_edge_close(g->edge, NULL, NULL);
    udp_close(g->media);
    uv_close((uv_handle_t *)&g->pace, NULL);
    uv_close((uv_handle_t *)&g->second, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
}

static void alarm_all(struct gbcam *g)
{
    for (uint32_t i = 0; i < g->added; i++) {
        device_alarm(fleet_device(g->fleet, i), 0, now_of(g));
        fleet_touch(g->fleet, i);
    }
    sip_edge_touch(g->edge);
}

static void on_signal(uv_signal_t *s, int number)
{
    struct gbcam *g = s->data;

    if (number == SIGUSR1) {
        alarm_all(g);
        return;
    }
    if (g->stopping) {
        g->stop_ms = 0;
        return;
    }
    g->stopping = true;
    g->stop_ms = uv_now(&g->loop) + 3000;
    for (uint32_t i = 0; i < g->added; i++) {
        device_stop(fleet_device(g->fleet, i), now_of(g));
        fleet_touch(g->fleet, i);
    }
    sip_edge_touch(g->edge);
    uv_timer_start(&g->second, on_stopping, 20, 20);
}

/* ---- command line --------------------------------------------------------------------------- */

static const char usage[] =
    "usage: gbcam [options]\n"
    "\n"
    "Simulated GB/T 28181 cameras: register, keep alive, list channels, answer\n"
    "INVITE over UDP and TCP, and stream a looped clip with a running clock and a\n"
    "tone.\n"
    "\n"
    "  --server sip:ID@HOST:PORT  platform (sip:34020000002000000001@127.0.0.1:5060)\n"
    "  --id ID            20-digit id of the first device (34020000001180000001)\n"
    "  --password P       device password, or @FILE with it in one line\n"
    "  --transport T      signalling over udp (default), tcp or tls\n"
    "  --ca FILE          over tls: the certificates that are trusted, PEM; without\n"
    "                     it whoever answers is believed\n"
    "  --devices N        devices, ids counting up (1)\n"
    "  --channels N       channels of each device (1)\n"
    "  --rate N           devices added a second (500)\n"
    "  --name TEXT        device name (gbcam)\n"
    "  --media FILE       Annex B file, H.264 or H.265 (built-in clip)\n"
    "  --fps N            pictures a second of the file (25)\n"
    "  --no-audio         no G.711A tone\n"
    "  --local ADDRESS    address to use and to announce\n"
    "  --keepalive S, --expires S, --retry S   timers (60, 3600, 60)\n"
    "  --alarm S          an alarm every S seconds; SIGUSR1: one now\n"
    "  --alarm-kind M/T   their method and type (5/2: motion)\n"
    "  --position S       say where it is every S seconds, unless subscribed\n"
    "  --at LON,LAT       where it drives around (118.376451,31.326319)\n"
    "  --offer-video S    VideoUploadNotify every S seconds\n"
    "  --flap S           the first channel goes off or on every S seconds\n"
    "  --seconds S        stop after S seconds\n"
    "  --sessions N       streams a device sends at most, then 486 (16)\n"
    "  --charset C        gb2312 (default), gb18030 or utf-8\n"
    "  --edition E        1.0, 1.1, 2.0 (default) or 3.0\n"
    "  --items N          catalog items and recordings in one message (1)\n"
    "  --preset-items N   presets and cruise tracks in one message (all)\n"
    "  --records N        half hours that each camera has recorded (48)\n"
    "  --loss P, --duplicate P, --reorder P   percent of the RTP packets\n"
    "  --fault NAME       a deviation, may be repeated: no-y other-y wrong-ssrc\n"
    "                     zero-ssrc udp-answer lf-only silent deaf bye-early\n"
    "                     dup-catalog short-catalog no-psm psm-once length0\n"
    "                     extension pts-wrap mute says-error wrong-sn wrong-id\n"
    "                     dup-list short-list own-sum one-config home-alias\n"
    "                     no-result other-edition false-charset also-answers\n"
    "                     no-subscribe no-notify alarm-message alarm-twice\n"
    "                     guard-first attributes no-sum nested-status\n"
    "                     self-parent no-parent raw-ampersand bad-item\n"
    "                     upgrade-fails\n"
    "  --refuse STATUS    answer every INVITE with this status\n"
    "  --refuse-message STATUS   answer every MESSAGE with this status\n"
    "  --late MS          carry out and answer commands so late\n"
    "  --quiet            say nothing of single devices\n"
    "  --version, --help\n";

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "gbcam: %s: %s\n", what, value);
    return EX_USAGE;
}

/* "sip:ID@HOST:PORT"; the port may be absent. */
static int parse_server(struct options *o, const char *text)
{
    struct slice s = slice_str(text), id, host;
    uint32_t port = 5060;

    if (slice_has_iprefix(s, SLICE("sip:")))
        s = slice_from(s, 4);
    if (!slice_cut(&s, '@', &id) || id.n != DEVICE_ID_MAX)
        return bad("--server needs sip:ID@HOST:PORT with a 20-digit id", text);
    slice_copy(o->server_id, sizeof(o->server_id), id);
    if (s.n && s.p[0] == '[') {
        size_t end = slice_find(s, ']');

        host = slice_of(s.p + 1, end > 1 ? end - 1 : 0);
        s = slice_from(s, end + 1);
        if (s.n)
            s = slice_from(s, 1);
    } else {
        slice_cut(&s, ':', &host);
    }
    if (s.n && !slice_u32(s, 65535, &port))
        return bad("--server: bad port", text);
    o->port = (uint16_t)port;
    return slice_copy(o->host, sizeof(o->host), host) && host.n
               ? 0 : bad("--server: bad host", text);
}

static int parse_fault(struct options *o, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        { "no-y", &o->faults.no_y },
        { "other-y", &o->faults.other_y },
        { "wrong-ssrc", &o->faults.wrong_ssrc },
        { "zero-ssrc", &o->faults.zero_ssrc },
        { "udp-answer", &o->faults.udp_answer },
        { "lf-only", &o->faults.lf_only },
        { "silent", &o->faults.silent },
        { "deaf", &o->faults.deaf },
        { "bye-early", &o->faults.bye_early },
        { "dup-catalog", &o->faults.dup_catalog },
        { "short-catalog", &o->faults.short_catalog },
        { "mute", &o->faults.mute },
        { "says-error", &o->faults.says_error },
        { "wrong-sn", &o->faults.wrong_sn },
        { "wrong-id", &o->faults.wrong_id },
        { "dup-list", &o->faults.dup_list },
        { "short-list", &o->faults.short_list },
        { "own-sum", &o->faults.own_sum },
        { "one-config", &o->faults.one_config },
        { "home-alias", &o->faults.home_alias },
        { "no-result", &o->faults.no_result },
        { "other-edition", &o->faults.other_edition },
        { "false-charset", &o->faults.false_charset },
        { "also-answers", &o->faults.also_answers },
        { "attributes", &o->faults.attributes },
        { "no-sum", &o->faults.no_sum },
        { "upgrade-fails", &o->faults.upgrade_fails },
        { "nested-status", &o->faults.nested_status },
        { "self-parent", &o->faults.self_parent },
        { "no-parent", &o->faults.no_parent },
        { "raw-ampersand", &o->faults.raw_ampersand },
        { "bad-item", &o->faults.bad_item },
        { "no-subscribe", &o->faults.no_subscribe },
        { "no-notify", &o->faults.no_notify },
        { "alarm-message", &o->faults.alarm_message },
        { "alarm-twice", &o->faults.alarm_twice },
        { "guard-first", &o->faults.guard_first },
        { "no-psm", &o->damage.no_psm },
        { "psm-once", &o->damage.psm_once },
        { "length0", &o->damage.length0 },
        { "extension", &o->damage.extension },
    };

    if (slice_eq(slice_str(name), SLICE("pts-wrap"))) {
        o->damage.start_pts90k = (1ull << 33) - 450000; /* 5 s before it */
        return 0;
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (slice_eq(slice_str(name), slice_str(flags[i].name))) {
            *flags[i].flag = true;
            return 0;
        }
    }
    return bad("no such fault", name);
}

/* "1.5" percent as hundredths of a percent. */
static int parse_percent(uint32_t *out, const char *text)
{
    double v;

    if (!slice_double(slice_str(text), &v) || v < 0 || v > 100)
        return bad("not a percentage", text);
    *out = (uint32_t)(v * 100 + 0.5);
    return 0;
}

static int parse_number(uint32_t *out, const char *text, uint32_t max)
{
    return slice_u32(slice_str(text), max, out) ? 0
                                                : bad("not a number", text);
}

enum opt {
    OPT_SERVER = 256, OPT_ID, OPT_PASSWORD, OPT_TRANSPORT, OPT_DEVICES,
    OPT_CHANNELS, OPT_RATE, OPT_NAME, OPT_MEDIA, OPT_FPS, OPT_NO_AUDIO,
    OPT_LOCAL, OPT_KEEPALIVE, OPT_EXPIRES, OPT_RETRY, OPT_ALARM, OPT_FLAP,
    OPT_SECONDS,
    OPT_CA, OPT_SESSIONS, OPT_CHARSET, OPT_EDITION, OPT_ITEMS, OPT_LOSS,
    OPT_DUPLICATE, OPT_REORDER, OPT_FAULT, OPT_REFUSE, OPT_QUIET, OPT_VERSION,
    OPT_ALARM_KIND, OPT_POSITION, OPT_AT, OPT_OFFER_VIDEO,
    OPT_PRESET_ITEMS, OPT_RECORDS, OPT_REFUSE_MESSAGE, OPT_LATE,
};

static const struct option longs[] = {
    { "server", required_argument, NULL, OPT_SERVER },
    { "id", required_argument, NULL, OPT_ID },
    { "password", required_argument, NULL, OPT_PASSWORD },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "ca", required_argument, NULL, OPT_CA },
    { "devices", required_argument, NULL, OPT_DEVICES },
    { "channels", required_argument, NULL, OPT_CHANNELS },
    { "rate", required_argument, NULL, OPT_RATE },
    { "name", required_argument, NULL, OPT_NAME },
    { "media", required_argument, NULL, OPT_MEDIA },
    { "fps", required_argument, NULL, OPT_FPS },
    { "no-audio", no_argument, NULL, OPT_NO_AUDIO },
    { "local", required_argument, NULL, OPT_LOCAL },
    { "keepalive", required_argument, NULL, OPT_KEEPALIVE },
    { "expires", required_argument, NULL, OPT_EXPIRES },
    { "retry", required_argument, NULL, OPT_RETRY },
    { "alarm", required_argument, NULL, OPT_ALARM },
    { "flap", required_argument, NULL, OPT_FLAP },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "sessions", required_argument, NULL, OPT_SESSIONS },
    { "charset", required_argument, NULL, OPT_CHARSET },
    { "edition", required_argument, NULL, OPT_EDITION },
    { "items", required_argument, NULL, OPT_ITEMS },
    { "loss", required_argument, NULL, OPT_LOSS },
    { "duplicate", required_argument, NULL, OPT_DUPLICATE },
    { "reorder", required_argument, NULL, OPT_REORDER },
    { "fault", required_argument, NULL, OPT_FAULT },
    { "refuse", required_argument, NULL, OPT_REFUSE },
    { "alarm-kind", required_argument, NULL, OPT_ALARM_KIND },
    { "position", required_argument, NULL, OPT_POSITION },
    { "at", required_argument, NULL, OPT_AT },
    { "offer-video", required_argument, NULL, OPT_OFFER_VIDEO },
    { "preset-items", required_argument, NULL, OPT_PRESET_ITEMS },
    { "records", required_argument, NULL, OPT_RECORDS },
    { "refuse-message", required_argument, NULL, OPT_REFUSE_MESSAGE },
    { "late", required_argument, NULL, OPT_LATE },
    { "quiet", no_argument, NULL, OPT_QUIET },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int parse_transport(struct options *o, const char *arg)
{
    static const char *const names[] = { [SIP_UDP] = "udp", [SIP_TCP] = "tcp",
                                         [SIP_TLS] = "tls" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!slice_eq(slice_str(arg), slice_str(names[i])))
            continue;
        o->transport = (enum sip_transport)i;
        return 0;
    }
    return bad("--transport", arg);
}

/* "5/2", or the method alone. */
static int parse_kind(struct options *o, const char *arg)
{
    struct slice s = slice_str(arg), method;

    slice_cut(&s, '/', &method);
    return slice_u32(method, 7, &o->alarm_method) && o->alarm_method &&
                   (!s.n || slice_u32(s, 255, &o->alarm_type))
               ? 0 : bad("--alarm-kind needs METHOD/TYPE", arg);
}

static int parse_place(struct options *o, const char *arg)
{
    struct slice s = slice_str(arg), east;

    slice_cut(&s, ',', &east);
    return slice_double(east, &o->longitude) && slice_double(s, &o->latitude)
               ? 0 : bad("--at needs LONGITUDE,LATITUDE", arg);
}

static int parse_text_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_SERVER:
        return parse_server(o, arg);
    case OPT_ID:
        o->id = arg;
        return strlen(arg) == DEVICE_ID_MAX
                   ? 0 : bad("--id needs 20 digits", arg);
    case OPT_PASSWORD:
        o->password = arg;
        return 0;
    case OPT_TRANSPORT:
        return parse_transport(o, arg);
    case OPT_CA:
        o->ca = arg;
        return 0;
    case OPT_NAME:
        o->name = arg;
        return 0;
    case OPT_MEDIA:
        o->media = arg;
        return 0;
    case OPT_LOCAL:
        o->local = arg;
        return 0;
    case OPT_CHARSET:
        return manscdp_charset_by_name(slice_str(arg), &o->dialect.charset)
                   ? 0 : bad("--charset", arg);
    case OPT_EDITION:
        return manscdp_edition_by_ver(slice_str(arg), &o->dialect.edition)
                   ? 0 : bad("--edition", arg);
    case OPT_ALARM_KIND:
        return parse_kind(o, arg);
    case OPT_AT:
        return parse_place(o, arg);
    case OPT_FAULT:
        return parse_fault(o, arg);
    case OPT_LOSS:
        return parse_percent(&o->damage.loss, arg);
    case OPT_DUPLICATE:
        return parse_percent(&o->damage.duplicate, arg);
    case OPT_REORDER:
        return parse_percent(&o->damage.reorder, arg);
    case OPT_NO_AUDIO:
        o->no_audio = true;
        return 0;
    case OPT_QUIET:
        o->quiet = true;
        return 0;
    default:
        return -1;
    }
}

static int parse_number_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_DEVICES:
        return parse_number(&o->devices, arg, FLEET_MAX_DEVICES);
    case OPT_CHANNELS:
        return parse_number(&o->channels, arg, 10000);
    case OPT_RATE:
        return parse_number(&o->rate, arg, 100000);
    case OPT_FPS:
        return parse_number(&o->fps, arg, 240);
    case OPT_KEEPALIVE:
        return parse_number(&o->keepalive_s, arg, 86400);
    case OPT_EXPIRES:
        return parse_number(&o->expires_s, arg, 604800);
    case OPT_RETRY:
        return parse_number(&o->retry_s, arg, 86400);
    case OPT_FLAP:
        return parse_number(&o->flap_s, arg, 86400);
    case OPT_ALARM:
        return parse_number(&o->alarm_s, arg, 86400);
    case OPT_SECONDS:
        return parse_number(&o->seconds, arg, 1u << 30);
    case OPT_SESSIONS:
        return parse_number(&o->sessions, arg, DEVICE_MAX_SESSIONS);
    case OPT_ITEMS:
        return parse_number(&o->items, arg, 1000);
    case OPT_REFUSE:
        return parse_number(&o->faults.refuse, arg, 699);
    case OPT_POSITION:
        return parse_number(&o->position_s, arg, 86400);
    case OPT_OFFER_VIDEO:
        return parse_number(&o->offer_s, arg, 86400);
    case OPT_PRESET_ITEMS:
        return parse_number(&o->preset_items, arg, MANSCDP_MAX_PRESETS);
    case OPT_RECORDS:
        return parse_number(&o->records, arg, 100000);
    case OPT_REFUSE_MESSAGE:
        return parse_number(&o->faults.refuse_message, arg, 699);
    case OPT_LATE:
        return parse_number(&o->faults.late_ms, arg, 600000);
    default:
        return EX_USAGE;
    }
}

static int parse_options(int argc, char **argv, struct options *o)
{
    int c, err;

    *o = (struct options){
        .server_id = "34020000002000000001", .host = "127.0.0.1", .port = 5060,
        .id = "34020000001180000001", .password = "12345678", .name = "gbcam",
        .devices = 1, .channels = 1, .fps = 25,
        .dialect = { .edition = MANSCDP_2016, .charset = MANSCDP_GB2312 },
    };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == OPT_VERSION) {
            printf("%s", c == 'h' ? usage : "gbcam " GB_VERSION "\n");
            exit(EX_OK);
        }
        if (c == '?') {
            fputs(usage, stderr);
            return EX_USAGE;
        }
        err = parse_text_option(o, c, optarg);
        if (err < 0)
            err = parse_number_option(o, c, optarg);
        if (err)
            return err;
    }
    return optind < argc ? bad("unexpected", argv[optind]) : 0;
}

/* ---- start ------------------------------------------------------------------------------------- */

static bool read_whole(const char *path, struct slice *out)
{
    FILE *f = fopen(path, "rb");
    char *p = NULL;
    long n = -1;

    if (f && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
        rewind(f);
        p = malloc((size_t)n + 1);
        if (p && fread(p, 1, (size_t)n, f) != (size_t)n)
            n = -1;
    }
    if (f)
        fclose(f);
    *out = slice_of(p, n > 0 ? (size_t)n : 0);
    return p && n >= 0;
}

static int load_clip(struct gbcam *g)
{
    struct slice bytes = slice_of(clip_begin,
                                  (size_t)(clip_end - clip_begin));
    int err;

    if (g->o.media && !read_whole(g->o.media, &bytes)) {
        fprintf(stderr, "gbcam: %s: %s\n", g->o.media, strerror(errno));
        return EX_NOINPUT;
    }
    err = clip_init(&g->clip, &gb_alloc_heap, bytes, g->o.fps);
    if (err) {
        fprintf(stderr, "gbcam: %s: no Annex B H.264 or H.265 file that begins "
                        "with a key frame (%s)\n",
                g->o.media ? g->o.media : "built-in clip", gb_strerror(err));
        return EX_DATAERR;
    }
    return 0;
}

static int read_password(struct gbcam *g)
{
    struct slice bytes;

    if (g->o.password[0] != '@')
        return 0;
    if (!read_whole(g->o.password + 1, &bytes) || bytes.n == 0) {
        fprintf(stderr, "gbcam: %s: no password in it\n", g->o.password + 1);
        return EX_NOINPUT;
    }
    bytes = slice_trim(bytes);
    ((char *)(uintptr_t)bytes.p)[bytes.n] = '\0';
    g->o.password = bytes.p;
    return 0;
}

static int resolve(struct gbcam *g)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list;
    int err = getaddrinfo(g->o.host, NULL, &hints, &list);

    if (err) {
        fprintf(stderr, "gbcam: %s: %s\n", g->o.host, gai_strerror(err));
        return EX_NOHOST;
    }
    sockaddr_read(&g->server, list->ai_addr);
    g->server.port = g->o.port;
    freeaddrinfo(list);
    if (g->o.local ? gb_addr_parse_ip(&g->local, slice_str(g->o.local))
                   : sockaddr_route(&g->local, &g->server)) {
        fprintf(stderr, "gbcam: no local address to reach %s\n", g->o.host);
        return EX_NOHOST;
    }
    g->local.port = 0;
    return 0;
}

static void on_media_packets(void *ctx, struct udp_socket *u,
                             const struct udp_packet *pkt, size_t n)
{
    (void)ctx; /* receiver reports: nothing depends on them */
    (void)u;
    (void)pkt;
    (void)n;
}

static int start_tls(struct gbcam *g)
{
    char why[TLS_WHY_MAX];

    if (g->o.transport != SIP_TLS ||
        tls_ctx_client(&g->tls, g->o.ca, why) == 0)
        return 0;
    fprintf(stderr, "gbcam: %s\n", why);
    return EX_CONFIG;
}

static int start(struct gbcam *g)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "gbcam/" GB_VERSION };
    struct sip_edge_config ec = {
        .loop = &g->loop, .listen = &g->local, .n_listen = 1, .no_tcp = true,
        .max_connections = g->o.devices + 16, .on_event = on_sip_event,
        .on_turn = on_turn, .on_connection = on_connection, .ctx = g,
        .tls_client = g->tls, .tls_name = g->o.host,
    };
    struct udp_options mo = { .bind = g->local, .v6only = true,
                              .on_packets = on_media_packets, .ctx = g };

    if (getrandom(sc.seed, sizeof(sc.seed), 0) != (ssize_t)sizeof(sc.seed) ||
        sip_stack_new(&g->sip, &sc) ||
        fleet_new(&g->fleet, &gb_alloc_heap, g->o.devices ? g->o.devices : 1))
        return EX_OSERR;
    ec.stack = g->sip;
    g->camera = calloc(g->o.devices ? g->o.devices : 1, sizeof(*g->camera));
    if (!g->camera || sip_edge_new(&g->edge, &ec, NULL) ||
        udp_open(&g->media, &g->loop, &mo)) {
        fprintf(stderr, "gbcam: no socket\n");
        return EX_OSERR;
    }
    uv_timer_init(&g->loop, &g->pace);
    uv_timer_init(&g->loop, &g->second);
    g->pace.data = g->second.data = g;
    uv_timer_start(&g->second, on_second, 0, 100);
    for (int i = 0; i < 3; i++) {
        static const int numbers[3] = { SIGTERM, SIGINT, SIGUSR1 };

        uv_signal_init(&g->loop, &g->signals[i]);
        g->signals[i].data = g;
        uv_signal_start(&g->signals[i], on_signal, numbers[i]);
    }
    g->started_ms = uv_now(&g->loop);
    return 0;
}

static void finish(struct gbcam *g)
{
    for (uint32_t i = 0; i < g->added; i++) {
        free(g->camera[i].channel);
        free(g->camera[i].channel_id);
        free(g->camera[i].channel_name);
    }
    fleet_free(g->fleet);
    sip_stack_free(g->sip);
    tls_ctx_free(g->tls);
    clip_fini(&g->clip);
    free(g->camera);
    uv_loop_close(&g->loop);
}

int main(int argc, char **argv)
{
    static struct gbcam g;
    int rc = parse_options(argc, argv, &g.o);

    signal(SIGPIPE, SIG_IGN);
    list_init(&g.sending);
    if (!rc)
        rc = read_password(&g);
    if (!rc)
        rc = load_clip(&g);
    if (!rc)
        rc = resolve(&g);
    if (!rc && uv_loop_init(&g.loop))
        rc = EX_OSERR;
    if (!rc)
        rc = start_tls(&g);
    if (!rc)
        rc = start(&g);
    if (rc)
        return rc;
    uv_run(&g.loop, UV_RUN_DEFAULT);
    finish(&g);
    return 0;
}
