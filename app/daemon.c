#include "app/daemon_int.h"

#include "app/net/exec.h"
#include "app/net/jpeg.h"
#include "app/net/listen.h"
#include "app/net/noted.h"
#include "app/net/random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>
/* Asked for each message; the loop's clock stands still in between. */
struct gb_time daemon_now(struct daemon *d)
{
    struct timeval tv;

    if (d->now.utc_ms && d->now.mono_ms == uv_now(&d->loop))
        return d->now;
    uv_update_time(&d->loop); /* both clocks of one moment, see clock_at */
    gettimeofday(&tv, NULL);
    d->now = (struct gb_time){
        .mono_ms = uv_now(&d->loop),
        .utc_ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000,
    };
    return d->now;
}

/* ---- platform: inputs --------------------------------------------------------- */

static void on_sip_event(void *ctx, const struct sip_event *ev)
{
    struct daemon *d = ctx;

    if (ev->kind == SIP_EV_BAD)
        noted_bad(NOTED_SIP, &ev->peer.remote, ev->diag.why);
    if (ev->kind == SIP_EV_BAD && d->trace)
        trace_bad(d->trace, &ev->peer, ev->diag.why, daemon_now(d));
    platform_sip(d->platform, ev, daemon_now(d));
}

static void on_ahead(void *ctx, const struct slice *bytes, size_t n)
{
    const struct daemon *d = ctx;

    platform_ahead(d->platform, bytes, n);
}

static void on_next(void *ctx, const struct sip_msg *m)
{
    const struct daemon *d = ctx;

    if (d->trace)
        trace_ahead(d->trace, m);
}

static bool on_admits(void *ctx, struct sip_peer *from,
                      struct slice bytes)
{
    struct daemon *d = ctx;

    return platform_admits(d->platform, from, bytes, daemon_now(d));
}

static bool on_is_bound(void *ctx, const struct sip_peer *peer)
{
    struct daemon *d = ctx;

    return platform_has_bound(d->platform, peer);
}

/* On the main loop. */
static void on_committed(struct mail *m)
{
    struct store_rows *r = container_of(m, struct store_rows, mail);
    struct daemon *d = r->ctx;

    if (!d->closing)
        http_app_committed(d->app, r->tag, r->err);
    store_rows_free(r);
}

/* On the store's thread. */
static void on_commit(struct store_rows *r)
{
    struct daemon *d = r->ctx;

    r->mail.deliver = on_committed;
    if (!mailbox_send(&d->box, &r->mail, true))
        store_rows_free(r);
}

/* The actions of this turn are queued: when they are on the disk, those who
 * set something may know. */
static void ask_commits(struct daemon *d)
{
    const struct store_ask ask = { .list = STORE_NO_LIST, .ctx = d,
                                   .tag = http_app_commits(d->app),
                                   .done = on_commit };
    int err;

    if (ask.tag == d->asked_commits)
        return;
    d->asked_commits = ask.tag;
    err = store_ask(d->store, &ask);
    if (err)
        http_app_committed(d->app, ask.tag, err);
}

static uint64_t on_turn(void *ctx, uint64_t now_ms)
{
    struct daemon *d = ctx;

    if (platform_deadline(d->platform) <= now_ms)
        platform_tick(d->platform, daemon_now(d));
    daemon_run_actions(d);
    ask_commits(d);
    return platform_deadline(d->platform);
}

static void on_connection(void *ctx, uint64_t connection, bool up,
                          const struct gb_addr *local)
{
    struct daemon *d = ctx;

    (void)local;
    if (!up)
        platform_closed(d->platform, connection, daemon_now(d));
}

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, const struct sip_msg *m)
{
    struct daemon *d = ctx;

    if (m)
        trace_put_read(d->trace, peer, m, daemon_now(d));
    else
        trace_put(d->trace, out ? TRACE_OUT : TRACE_IN, peer, bytes, daemon_now(d));
    if (!d->closing)
        http_on_trace(d->app);
}

static void on_media_event(void *ctx, const struct platform_media_event *ev)
{
    struct daemon *d = ctx;

    if (d->closing)
        return;
    platform_media(d->platform, ev, daemon_now(d));
    sip_edge_touch(d->edge);
}

static void on_viewer_gone(void *ctx, const struct http_handover *h)
{
    struct daemon *d = ctx;

    if (d->closing)
        return;
    http_server_viewer_gone(d->server, h->place);
    platform_session_release(d->platform, h->session, daemon_now(d));
    sip_edge_touch(d->edge);
}

/* ---- starting ---------------------------------------------------------------------- */

int daemon_fail(char why[static WHY_MAX], int err, const char *what,
                const char *text)
{
    snprintf(why, WHY_MAX, "%.200s: %.300s", what, text);
    return err;
}

/* A port that could not be opened; err is libuv's. */
int daemon_fail_port(char why[static WHY_MAX], int err, const char *what,
                     const char *key, const struct gb_addr *addr)
{
    char text[GB_ADDR_TEXT_MAX];

    snprintf(why, WHY_MAX, "%s %s: %s%s (setting %s)", what,
             gb_addr_text(addr, text), uv_strerror(err),
             err == UV_EADDRINUSE
                 ? "; another program holds it, see `ss -lntup`"
             : err == UV_EADDRNOTAVAIL
                 ? "; this machine has no such address" : "", key);
    return err;
}

static int start_sip(struct daemon *d, char why[static WHY_MAX])
{
    struct sip_stack_config sc = { .user_agent = "gb28181d/" GB_VERSION,
                                   .obey_retry_after = true,
                                   .large_bytes = config_number(
                                       d->config, CONFIG_SIP_UDP_MAX),
                                   .register_extra = { SLICE("X-GB-Ver"),
                                                       SLICE("3.0") } };
    int err = blocks_new(&d->blocks, 0);

    if (err)
        return daemon_fail(why, err, "SIP stack", gb_strerror(err));
    sc.alloc = blocks_alloc(d->blocks);
    random_bytes(sc.seed, sizeof(sc.seed));
    err = sip_stack_new(&d->sip, &sc);
    return err ? daemon_fail(why, err, "SIP stack", gb_strerror(err)) : 0;
}

/* The device that an id in a message belongs to, if it is known. */
static bool trace_owner(void *ctx, struct slice id, struct slice *device)
{
    struct daemon *d = ctx;

    *device = id;
    return platform_has_device(d->platform, id) ||
           platform_channel_owner(d->platform, id, device);
}

static int start_trace(struct daemon *d, char why[static WHY_MAX])
{
    const struct trace_config tc = {
        .alloc = &gb_alloc_heap,
        .memory_bytes = (size_t)config_number(d->config, CONFIG_TRACE_MEMORY)
                        << 20,
        .id = config_text(d->config, CONFIG_SERVER_ID),
        .owner = trace_owner, .ctx = d,
    };
    int err = tc.memory_bytes ? trace_new(&d->trace, &tc) : 0;

    if (!err && d->trace && !(d->headers = rtplogs_new()))
        err = GB_ENOMEM;
    return err ? daemon_fail(why, err, "trace", gb_strerror(err)) : 0;
}

unsigned daemon_media_threads(const struct config *c)
{
    return media_net_loops(config_number(c, CONFIG_MEDIA_THREADS),
                           uv_available_parallelism());
}

/* https is for whoever can check certificates. */
static int start_hooks(struct daemon *d, char why[static WHY_MAX])
{
    struct hooks_config hc = { .alloc = &gb_alloc_heap,
                               .boot = (uint64_t)daemon_now(d).utc_ms,
                               .agent = "gb28181d/" GB_VERSION };
    struct hook_client_config cc = { .loop = &d->loop, .now = daemon_http_now,
                                     .log = daemon_log, .ctx = d };
    int err;

    hc.tls = daemon_checks_certificates(d, CONFIG_HOOKS_CA);
    random_bytes(hc.seed, sizeof(hc.seed));
    err = hooks_new(&d->hooks, &hc);
    cc.hooks = d->hooks;
    cc.tls = daemon_caller_tls;
    if (!err)
        err = hook_client_new(&d->caller, &cc);
    return err ? daemon_fail(why, err, "webhooks", gb_strerror(err)) : 0;
}

static size_t read_listen(struct daemon *d, enum config_key k,
                          struct gb_addr out[SIP_EDGE_MAX_LISTEN])
{
    size_t n = 0;

    while (n < SIP_EDGE_MAX_LISTEN && config_addr(d->config, k, n, &out[n]))
        n++;
    return n;
}

static int start_edge(struct daemon *d, char why[static WHY_MAX])
{
    struct gb_addr listen[SIP_EDGE_MAX_LISTEN], secure[SIP_EDGE_MAX_LISTEN];
    struct sip_edge_config ec = {
        .loop = &d->loop, .stack = d->sip, .listen = listen,
        .tls_listen = secure, .tls_server = d->tls,
        .keep_open_ms = 1000 * config_number(d->config, CONFIG_SIP_KEEP_OPEN),
        .max_connections = config_number(d->config, CONFIG_LIMIT_SIP_TCP),
        .strangers_bytes = config_number(d->config, CONFIG_LIMIT_SIP_STRANGERS)
                           << 20,
        .ahead = on_ahead, .on_next = on_next, .admits = on_admits,
        .on_event = on_sip_event,
        .is_bound = on_is_bound, .on_turn = on_turn,
        .on_connection = on_connection,
        .on_message = d->trace ? on_message : NULL,
        .ctx = d,
    };
    size_t failed = 0;
    int err;

    ec.n_listen = read_listen(d, CONFIG_SIP_LISTEN, listen);
    ec.n_tls = read_listen(d, CONFIG_SIP_TLS_LISTEN, secure);
    if (ec.n_listen == 0)
        return daemon_fail(why, GB_ESYNTAX, "SIP port", "sip.listen is empty");
    err = sip_edge_new(&d->edge, &ec, &failed);
    if (err && failed < ec.n_listen)
        return daemon_fail_port(why, err, "SIP port", "sip.listen",
                                &listen[failed]);
    if (err)
        return daemon_fail_port(why, err, "SIP port", "sip.tls_listen",
                                &secure[failed - ec.n_listen]);
    for (size_t i = 0; i < ec.n_tls; i++) {
        struct gb_addr at = sip_edge_addr(d->edge, ec.n_listen + i);
        char addr[GB_ADDR_TEXT_MAX];

        log_f(LOG_INFO, "msg=\"SIP over TLS\" listen=%s",
              gb_addr_text(&at, addr));
    }
    d->sip_addr = sip_edge_addr(d->edge, 0);
    return 0;
}

/* The port of all sessions, unless each is to have its own. */
static uint16_t shared_port(const struct config *c)
{
    uint32_t port = config_number(c, CONFIG_MEDIA_SHARED);

    if (!strcmp(config_text(c, CONFIG_MEDIA_MODE), "dedicated"))
        return 0;
    return config_shared_fits(c) ? (uint16_t)port : 0;
}

static int start_media(struct daemon *d, char why[static WHY_MAX])
{
    bool always = !strcmp(config_text(d->config, CONFIG_MEDIA_MODE), "shared");
    struct media_net_config mc = { .main = &d->loop,
                                   .loops = daemon_media_threads(d->config),
                                   .any_source = config_bool(
                                       d->config, CONFIG_MEDIA_ANY),
                                   .shared_port = shared_port(d->config),
                                   .shared_needed = always,
                                   .on_event = on_media_event, .ctx = d };
    struct gb_addr at = { .family = GB_IPV4, .port = mc.shared_port };
    const char *what;
    int err = media_net_new(&d->media, &mc, &what);

    d->viewer_hooks = (struct viewer_hooks){ .on_gone = on_viewer_gone,
                                             .ctx = d };
    if (err && what)
        return daemon_fail_port(why, err, what, "media.shared_port", &at);
    if (err)
        return daemon_fail(why, err, "media threads",
                           err == GB_ENOMEM ? gb_strerror(err) : uv_strerror(err));
    platform_share_port(d->platform, media_net_shared_port(d->media), always);
    return 0;
}

static size_t read_proxies(struct daemon *d)
{
    size_t n = config_n(d->config, CONFIG_HTTP_PROXIES);

    for (size_t i = 0; i < n; i++)
        config_net(d->config, CONFIG_HTTP_PROXIES, i, &d->proxies[i].net,
                   &d->proxies[i].bits, NULL);
    return n;
}

static int start_server(struct daemon *d, char why[static WHY_MAX])
{
    struct gb_addr listen[LISTEN_MAX];
    struct http_server_config sc = {
        .loop = &d->loop, .alloc = &gb_alloc_heap, .app = d->app,
        .listen = listen,
        .max_conns = config_number(d->config, CONFIG_LIMIT_HTTP),
        .trusted_proxies = d->proxies, .n_trusted_proxies = d->n_proxies,
        .tls = d->relay,
        .file_dir = *d->firmware_dir ? d->firmware_dir : NULL,
    };
    size_t failed = 0;
    int err;

    while (sc.n_listen < LISTEN_MAX &&
           config_addr(d->config, CONFIG_HTTP_LISTEN, sc.n_listen,
                       &listen[sc.n_listen]))
        sc.n_listen++;
    if (sc.n_listen == 0)
        return daemon_fail(why, GB_ESYNTAX, "HTTP port", "http.listen is empty");
    err = http_server_new(&d->server, &sc, &failed);
    if (err)
        return daemon_fail_port(why, err, "HTTP port", "http.listen",
                                &listen[failed]);
    d->http_addr = http_server_addr(d->server, 0);
    return 0;
}

/* On the thread that has something to say. */
static void on_logged(void *ctx, enum log_level level, int64_t utc_ms,
                      struct slice text)
{
    logring_put(ctx, level, utc_ms, text);
}

/* A line of another thread is told with the next turn, which a timer begins. */
static void on_log_check(uv_check_t *h)
{
    struct daemon *d = h->data;
    uint64_t last = logring_last(d->log);

    if (last == d->log_told || d->closing)
        return;
    d->log_told = last;
    http_on_log(d->app);
}

static int start_log(struct daemon *d, char why[static WHY_MAX])
{
    int err = logring_new(&d->log);

    if (err)
        return daemon_fail(why, err, "log", gb_strerror(err));
    log_listen(on_logged, d->log);
    uv_check_init(&d->loop, &d->log_check);
    d->log_check.data = d;
    uv_check_start(&d->log_check, on_log_check);
    uv_unref((uv_handle_t *)&d->log_check);
    return 0;
}

/* The realm and password after defaults. */
static void read_identity(struct daemon *d)
{
    const char *realm = config_text(d->config, CONFIG_SERVER_REALM);
    const char *password = config_text(d->config, CONFIG_SIP_PASSWORD);

    if (*realm)
        slice_copy(d->realm, sizeof(d->realm), slice_str(realm));
    else
        slice_copy(d->realm, sizeof(d->realm),
                   slice_head(slice_str(config_text(d->config,
                                                    CONFIG_SERVER_ID)), 10));
    d->password = *password ? password : d->secrets->device_password;
}

static int load_store(struct daemon *d, char why[static WHY_MAX])
{
    int err = daemon_load(d, why);

    if (err)
        return err;
    daemon_set_retention(d, d->config);
    daemon_set_hooks(d, d->config);
    return 0;
}

static int start_file_disk(struct daemon *d, char why[static WHY_MAX])
{
    if (mailbox_init(&d->box, &d->loop) || disk_new(&d->file_disk))
        return daemon_fail(why, GB_ENOMEM, "start", "no memory");
    return 0;
}

/* Each needs those before it. */
static int (*const steps[])(struct daemon *d, char why[static WHY_MAX]) = {
    start_log, start_sip, start_trace, daemon_start_platform, start_hooks,
    load_store, start_file_disk, daemon_start_jpeg, daemon_start_exec,
    daemon_start_mqtt, daemon_start_app, daemon_start_tls, start_edge,
    start_server, start_media, daemon_start_saves, daemon_start_rolls,
    daemon_start_rtsp,
};

static void on_signal(uv_signal_t *s, int number);

static void watch_signals(struct daemon *d)
{
    static const int numbers[3] = { SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
}

int daemon_new(struct daemon **out, const struct config *c,
               const struct secrets *s, char why[static WHY_MAX])
{
    struct daemon *d = calloc(1, sizeof(*d));

    if (!d || uv_loop_init(&d->loop))
        return daemon_fail(why, GB_ENOMEM, "start", "no memory");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit refuses a write, and ends nobody */
    d->config = c;
    d->secrets = s;
    read_identity(d);
    d->n_proxies = read_proxies(d);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int err = steps[i](d, why);

        if (err)
            return err; /* the process ends: nothing is worth undoing */
    }
    daemon_start_pushes(d);
    uv_timer_init(&d->loop, &d->drain);
    d->drain.data = d;
    daemon_watch(d);
    d->started_utc_ms = daemon_now(d).utc_ms;
    daemon_ask_disks(d);
    watch_signals(d);
    if (!config_bool(c, CONFIG_HTTP_AUTH))
        log_f(LOG_WARN, "msg=\"http.auth is false: everybody who reaches the "
                        "HTTP port is admin\"");
    *out = d;
    return 0;
}

/* ---- ending ------------------------------------------------------------------------ */

static void on_media_closed(void *ctx)
{
    struct daemon *d = ctx;

    jpegs_close(d->jpegs);
    execs_close(d->execs);
    daemon_close_mqtt(d);
    d->execs = NULL;
    sip_edge_close(d->edge, NULL, NULL);
    hook_client_close(d->caller, NULL, NULL);
    store_end_asks(d->store); /* nothing is sent to the box from now on */
    mailbox_close(&d->box, NULL, NULL);
    uv_close((uv_handle_t *)&d->drain, NULL);
    uv_close((uv_handle_t *)&d->in_time, NULL);
    uv_close((uv_handle_t *)&d->log_check, NULL);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&d->signals[i], NULL);
}

static void on_rtsp_closed(void *ctx)
{
    struct daemon *d = ctx;

    media_net_close(d->media, on_media_closed, d);
}

static void on_server_closed(void *ctx)
{
    struct daemon *d = ctx;

    if (d->rtsp)
        rtsp_server_close(d->rtsp, on_rtsp_closed, d);
    else
        on_rtsp_closed(d);
}

/* What was asked and is not answered yet: the next process knows at least that
 * it was asked. */
static void store_open_commands(struct daemon *d)
{
    struct platform_command c;

    for (uint64_t id = 0; platform_command_before(d->platform, id, &c);
         id = c.id) {
        if (c.is_final)
            continue;
        if (!c.evidence.n)
            c.evidence = SLICE("gb28181d was stopped while it waited");
        store_put_command(d->store, &c);
    }
}

static void on_drain(uv_timer_t *t)
{
    struct daemon *d = t->data;

    daemon_run_actions(d); /* what happens now is told to webhooks, too */
    if ((!platform_is_drained(d->platform) || hooks_is_moving(d->hooks)) &&
        uv_now(&d->loop) < d->drain_until_ms)
        return;
    uv_timer_stop(t);
    store_open_commands(d);
    daemon_close_pushes(d);
    daemon_close_rolls(d);
    d->closing = true;
    http_server_close(d->server, on_server_closed, d);
}

static void on_signal(uv_signal_t *s, int number)
{
    struct daemon *d = s->data;

    if (number == SIGHUP) {
        daemon_reload_tls(d);
        d->reload(d->reload_ctx);
        return;
    }
    if (d->draining) {
        d->drain_until_ms = 0; /* a second time: now */
        return;
    }
    d->draining = true;
    daemon_watch_end();
    log_f(LOG_INFO, "msg=\"draining\"");
    platform_drain(d->platform, daemon_now(d));
    sip_edge_touch(d->edge);
    d->drain_until_ms = uv_now(&d->loop) + DAEMON_DRAIN_MS;
    uv_timer_start(&d->drain, on_drain, 20, 20);
}

void daemon_run(struct daemon *d, void (*reload)(void *ctx),
                void (*take_over)(void *ctx, struct config *c), void *ctx)
{
    d->reload = reload;
    d->take_over = take_over;
    d->reload_ctx = ctx;
    uv_run(&d->loop, UV_RUN_DEFAULT);
    log_f(LOG_INFO, "msg=\"stopped\"");
}

void daemon_free(struct daemon *d)
{
    store_close(d->store);
    saves_free(d->saves);
    daemon_free_rolls(d);
    disk_free(d->file_disk);
    rtsp_server_free(d->rtsp);
    http_app_free(d->app);
    accounts_free(d->accounts);
    hooks_free(d->hooks);
    pushes_free(d->pushes);
    rules_free(d->rules);
    tls_ctx_free(d->caller_tls);
    tls_ctx_free(d->push_tls);
    tls_relay_free(d->relay);
    platform_free(d->platform);
    sip_stack_free(d->sip);
    blocks_free(d->blocks);
    tls_ctx_free(d->tls);
    trace_free(d->trace);
    rtplogs_free(d->headers);
    log_listen(NULL, NULL); /* no thread is left that would log */
    logring_free(d->log);
    uv_loop_close(&d->loop);
    free(d);
}

/* ---- what a person needs ---------------------------------------------------------- */

/* fmt NULL: the addresses alone, as one types them into a field. */
static void print_hosts(const struct daemon *d, const char *fmt, uint16_t port)
{
    struct gb_addr a[HTTP_ADDRESSES_MAX];
    const struct gb_addr *bound = port == d->sip_addr.port ? &d->sip_addr
                                                           : &d->http_addr;
    size_t n = daemon_addresses(NULL, a, HTTP_ADDRESSES_MAX);

    if (!gb_addr_is_any(bound)) {
        a[0] = *bound;
        n = 1;
    } else if (n == 0) {
        gb_addr_parse_ip(&a[0], SLICE("127.0.0.1"));
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        char text[GB_ADDR_TEXT_MAX];
        struct writer w = writer_of(text, sizeof(text) - 1);

        a[i].port = port;
        if (fmt)
            gb_addr_write(&w, &a[i]);
        else
            gb_addr_write_ip(&w, &a[i]);
        text[w.len] = '\0';
        printf(fmt ? fmt : "%s%s", text, i + 1 < n ? ", " : "\n");
    }
}

/* Names are as wide in both languages, so that what is behind them is a column. */
#define BANNER_MAP(X)                                                          \
    X(PAGE,     "  page              ", "  管理页面          ")                \
    X(ADMIN,    "  admin password    ", "  管理员密码        ")                \
    X(ONCE,     "(shown this once)", "（仅显示这一次）")                       \
    X(TOKEN,    "  API token         ", "  API 令牌          ")                \
    X(IN,       "in ", "位于 ")                                                \
    X(CAMERA,   "In the camera's GB28181 / platform access page:",             \
                "在摄像机的 GB28181（平台接入）页面填写：")                    \
    X(ID,       "  SIP server ID     ", "  SIP 服务器编号    ")                \
    X(DOMAIN,   "  SIP domain        ", "  SIP 域            ")                \
    X(IP,       "  SIP server IP     ", "  SIP 服务器地址    ")                \
    X(PORT,     "  SIP server port   ", "  SIP 服务器端口    ")                \
    X(EITHER,   "(UDP or TCP)", "（UDP 或 TCP）")                              \
    X(TLS,      "  over TLS          ", "  TLS 端口          ")                \
    X(PASSWORD, "  password          ", "  密码              ")

enum banner_word {
#define X(id, en, zh) BANNER_##id,
    BANNER_MAP(X)
#undef X
    BANNER_WORDS
};

static const struct {
    const char *english, *chinese;
} banner[] = {
#define X(id, en, zh) { en, zh },
    BANNER_MAP(X)
#undef X
};

void daemon_banner(const struct daemon *d, bool chinese)
{
    const struct secrets *s = d->secrets;
    const char *say[BANNER_WORDS];
    struct gb_addr tls;

    for (size_t i = 0; i < BANNER_WORDS; i++)
        say[i] = chinese ? banner[i].chinese : banner[i].english;
    printf("gb28181d %s\n\n", GB_VERSION);
    printf("%s", say[BANNER_PAGE]);
    print_hosts(d, "http://%s/%s", d->http_addr.port);
    if (d->relay) {
        printf("                    ");
        print_hosts(d, "https://%s/%s", d->http_addr.port);
    }
    if (s->new_admin_password[0])
        printf("%s%s   %s\n", say[BANNER_ADMIN], s->new_admin_password,
               say[BANNER_ONCE]);
    printf("%s%s%s/admin-token\n\n", say[BANNER_TOKEN], say[BANNER_IN], s->dir);
    printf("%s\n", say[BANNER_CAMERA]);
    printf("%s%s\n", say[BANNER_ID], config_text(d->config, CONFIG_SERVER_ID));
    printf("%s%s\n", say[BANNER_DOMAIN], d->realm);
    printf("%s", say[BANNER_IP]);
    print_hosts(d, NULL, d->sip_addr.port);
    printf("%s%u   %s\n", say[BANNER_PORT], d->sip_addr.port, say[BANNER_EITHER]);
    if (config_addr(d->config, CONFIG_SIP_TLS_LISTEN, 0, &tls))
        printf("%s%u\n", say[BANNER_TLS], tls.port);
    if (s->first_start)
        printf("%s%s\n\n", say[BANNER_PASSWORD], d->password);
    else if (d->password != s->device_password)
        printf("%s%ssip.password\n\n", say[BANNER_PASSWORD], say[BANNER_IN]);
    else
        printf("%s%s%s/device-password\n\n", say[BANNER_PASSWORD],
               say[BANNER_IN], s->dir);
    fflush(stdout);
}
