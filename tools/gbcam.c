/* tools/gbcam.c - simulated GB/T 28181 cameras: the loop and its sockets
 *
 * The device role is app/device; this joins it to libuv. All devices share one
 * UDP socket for SIP (or one TCP or TLS connection each) and one for media. */
#include "tools/cam/cam.h"

#include "app/net/log.h"
#include "app/net/sockaddr.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sysexits.h>

#define GBCAM_STAGGER_MS 2 /* between the first REGISTERs of a fleet */

struct gb_time cam_now(struct gbcam *g)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);
    return (struct gb_time){
        .mono_ms = uv_now(&g->loop),
        .utc_ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000,
    };
}

/* ---- actions of the devices ---------------------------------------------------------- */

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

static void on_voice(struct gbcam *g, uint32_t device,
                     const struct device_action *a)
{
    if (a->kind == DEVICE_DO_OPEN)
        loudspeaker_open(g, device, a);
    else if (a->kind == DEVICE_DO_START)
        loudspeaker_start(g, device, a);
    else if (a->kind == DEVICE_DO_STOP)
        loudspeaker_stop(g, device);
}

static void on_action(struct gbcam *g, uint32_t device,
                      const struct device_action *a)
{
    struct camera *c = &g->camera[device];

    if (a->session == DEVICE_VOICE) {
        on_voice(g, device, a);
        return;
    }
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
        stream_open(g, device, a);
        break;
    case DEVICE_DO_START:
        stream_start(g, device, a);
        break;
    case DEVICE_DO_PACE:
        stream_pace(g, device, a);
        break;
    case DEVICE_DO_KEY:
        stream_key(g, device, a);
        break;
    case DEVICE_DO_STOP:
        stream_stop(g, device, a->session);
        break;
    case DEVICE_DO_UPLOAD:
        upload_pictures(g, device, a);
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
        fleet_tick(g->fleet, cam_now(g));
    while (fleet_action(g->fleet, &device, &a))
        on_action(g, device, &a);
    return fleet_deadline(g->fleet);
}

static void on_sip_event(void *ctx, const struct sip_event *ev)
{
    struct gbcam *g = ctx;

    fleet_sip(g->fleet, g->sip, ev, cam_now(g));
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
            device_connected(d, connection, local, cam_now(g));
        } else {
            g->camera[i].connection = 0;
            device_disconnected(d, cam_now(g));
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
        .dialect = g->o.dialect, .faults = g->o.faults.device,
        .voice_faults = g->o.faults.voice, .timezone_min = 480,
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
    struct gb_time now = cam_now(g);
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
    udp_close(g->spare);
    uv_close((uv_handle_t *)&g->pace, NULL);
    uv_close((uv_handle_t *)&g->second, NULL);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
}

static void alarm_all(struct gbcam *g)
{
    for (uint32_t i = 0; i < g->added; i++) {
        device_alarm(fleet_device(g->fleet, i), 0, cam_now(g));
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
        device_stop(fleet_device(g->fleet, i), cam_now(g));
        fleet_touch(g->fleet, i);
    }
    sip_edge_touch(g->edge);
    uv_timer_start(&g->second, on_stopping, 20, 20);
}

/* ---- start ------------------------------------------------------------------------------------- */

static int read_password(struct gbcam *g)
{
    struct slice bytes;

    if (g->o.password[0] != '@')
        return 0;
    if (!file_read(g->o.password + 1, &bytes) || bytes.n == 0) {
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
        udp_open(&g->media, &g->loop, &mo) ||
        udp_open(&g->spare, &g->loop, &mo)) {
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
    clips_free(&g->clips);
    if (g->stamps)
        fclose(g->stamps);
    free(g->camera);
    uv_loop_close(&g->loop);
}

int main(int argc, char **argv)
{
    static struct gbcam g;
    int rc = options_parse(argc, argv, &g.o);

    signal(SIGPIPE, SIG_IGN);
    list_init(&g.sending);
    if (!rc)
        rc = read_password(&g);
    if (!rc)
        rc = clips_load(&g.clips, &g.o);
    if (!rc && g.o.stamps && !(g.stamps = fopen(g.o.stamps, "w"))) {
        perror(g.o.stamps);
        rc = EX_CANTCREAT;
    }
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
