#include "app/daemon.h"

#include "app/http/server.h"
#include "app/http/viewer.h"
#include "app/net/hook_client.h"
#include "app/net/log.h"
#include "app/net/mailbox.h"
#include "app/net/noted.h"
#include "app/net/sip_edge.h"
#include "app/net/sockaddr.h"
#include "app/net/tls.h"
#include "app/store/store.h"
#include "app/trace/ring.h"
#include "sip/digest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define DAEMON_STEP_MS 9000 /* before HTTP_LIVE_WAIT_MS: an API call that waits
                               hears the evidence, not a mere time-out */
#define DAEMON_FIRST_KEY_MS 60000 /* smart codecs have one key frame a minute */
#define DAEMON_CATALOG_S 600     /* subscribe.catalog: true */
#define DAEMON_REPORTS_S 3600    /* subscribe.alarm, .position: true */

/* No list of the configuration is cut. */
_Static_assert(HOOK_DENY_MAX >= CONFIG_MAX_ITEMS, "webhooks.deny");

struct daemon {
    const struct config *config;
    const struct secrets *secrets;
    uv_loop_t loop;
    struct sip_stack *sip;
    struct gb_time now;   /* see now_of */
    struct platform *platform;
    struct store *store;
    struct mailbox box; /* answers of the store */
    uint64_t asked_commits; /* http_app_commits when the store was asked last */
    struct trace *trace; /* NULL: none */
    struct sip_edge *edge;
    struct tls_ctx *tls; /* NULL: nothing listens with it */
    struct media_net *media;
    struct http_app *app;
    struct http_server *server;
    struct viewer_hooks viewer_hooks;
    struct hooks *hooks;        /* webhooks */
    struct hook_client *caller; /* of them */
    struct tls_ctx *caller_tls; /* NULL: no https */
    char firmware_dir[1100];    /* "": uploads are off */
    uv_signal_t signals[3];
    uv_timer_t drain;
    bool draining, closing;
    uint64_t drain_until_ms;
    void (*reload)(void *ctx);
    void *reload_ctx;
    const char *password; /* of devices */
    char realm[64];
    struct gb_addr sip_addr, http_addr;
    struct http_net proxies[CONFIG_MAX_ITEMS];
    size_t n_proxies;
};

/* Asked for each message; the loop's clock stands still in between. */
static struct gb_time now_of(struct daemon *d)
{
    struct timeval tv;

    if (d->now.utc_ms && d->now.mono_ms == uv_now(&d->loop))
        return d->now;
    gettimeofday(&tv, NULL);
    d->now = (struct gb_time){
        .mono_ms = uv_now(&d->loop),
        .utc_ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000,
    };
    return d->now;
}

/* ---- platform: outputs ------------------------------------------------------- */

static void store_device(struct daemon *d, struct slice id)
{
    struct platform_device dev;
    char buf[PLATFORM_SAVED_MAX];

    if (!platform_device_save(d->platform, id, buf, &dev))
        return;
    store_put_device(d->store, &dev);
    if (dev.online)
        sip_edge_trust(d->edge, dev.peer.connection);
}

/* "device/3402…": whose a sealed password is. */
static struct slice owner(const char *kind, struct slice name,
                          char buf[static 128])
{
    int n = snprintf(buf, 128, "%s/%.*s", kind, SLICE_ARG(name));

    return slice_of(buf, n < 128 ? (size_t)n : 127);
}

static void store_settings(struct daemon *d, struct slice id)
{
    struct platform_settings s;
    char sealed[SECRETS_SEALED_MAX], who[128];

    if (!platform_device_settings(d->platform, id, &s))
        return;
    secrets_seal(d->secrets, owner("device", id, who), s.password, sealed);
    s.password = slice_str(sealed);
    store_put_settings(d->store, id, &s);
}

static void store_group(struct daemon *d, struct slice name)
{
    char sealed[SECRETS_SEALED_MAX], who[128];
    struct platform_group g;

    if (!platform_group_view(d->platform, name, &g))
        return;
    secrets_seal(d->secrets, owner("group", name, who),
                 platform_group_password(d->platform, name), sealed);
    store_put_group(d->store, name, slice_str(sealed), &g.subscribe);
}

static void store_channel(struct daemon *d, const struct platform_action *a)
{
    struct platform_channel ch;

    if (platform_channel_view(d->platform, a->device, a->channel, &ch))
        store_put_channel(d->store, &ch);
    if (a->text.n)
        store_put_detail(d->store, a->device, a->channel, a->text);
}

static void store_command(struct daemon *d, uint64_t id)
{
    struct platform_command c;

    if (platform_command_view(d->platform, id, &c) && c.is_final)
        store_put_command(d->store, &c);
}

static void log_alarm(const struct platform_alarm *al)
{
    struct log_quoted channel, method, type, text;

    log_f(LOG_INFO, "msg=alarm device=%.*s channel=%s method=%s type=%s text=%s",
          SLICE_ARG(al->device), log_word(&channel, al->channel),
          log_word(&method, al->method), log_word(&type, al->type),
          log_quote(&text, al->description));
}

static enum log_level level_of(enum platform_level l)
{
    return l == PLATFORM_ERROR  ? LOG_ERROR
           : l == PLATFORM_WARN ? LOG_WARN
           : l == PLATFORM_INFO ? LOG_INFO : LOG_DEBUG;
}

static void on_action(struct daemon *d, const struct platform_action *a)
{
    struct platform_session s;
    struct platform_upgrade u;

    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_CLOSE:
        if (!d->closing) /* the media loops end by themselves */
            media_net_order(d->media, a);
        break;
    case PLATFORM_DO_DISCONNECT:
        sip_edge_disconnect(d->edge, a->connection);
        break;
    case PLATFORM_DEVICE_CHANGED:
        store_device(d, a->device);
        if (a->flags & PLATFORM_CHANGED_SETTINGS)
            store_settings(d, a->device);
        break;
    case PLATFORM_UPGRADE_CHANGED:
        if (platform_upgrade_view(d->platform, a->text, &u))
            store_put_upgrade(d->store, &u);
        break;
    case PLATFORM_GROUP_CHANGED:
        store_group(d, a->text);
        break;
    case PLATFORM_GROUP_REMOVED:
        store_remove_group(d->store, a->text);
        break;
    case PLATFORM_DEVICE_REMOVED:
        store_remove_device(d->store, a->device);
        break;
    case PLATFORM_CHANNEL_CHANGED:
        store_channel(d, a);
        break;
    case PLATFORM_CHANNEL_REMOVED:
        store_remove_channel(d->store, a->device, a->channel);
        break;
    case PLATFORM_CATALOG_DONE:
        log_f(LOG_INFO, "msg=catalog device=%.*s complete=%d",
              SLICE_ARG(a->device), !(a->flags & PLATFORM_CATALOG_PARTIAL));
        break;
    case PLATFORM_COMMAND_CHANGED:
        store_command(d, a->command);
        break;
    case PLATFORM_POSITION:
        store_add_position(d->store, a->position);
        break;
    case PLATFORM_PTZ_MOVED:
    case PLATFORM_SESSION_CHANGED:
        break; /* http_on_action tells those who wait */
    case PLATFORM_SESSION_GONE:
        if (!d->closing &&
            platform_session_view(d->platform, a->session, &s))
            media_net_forget(d->media, a->session, s.loop);
        break;
    case PLATFORM_DIALOG_OPENED:
        store_put_dialog(d->store, a->dialog_key, &a->dialog, &a->peer);
        break;
    case PLATFORM_DIALOG_CLOSED:
        store_remove_dialog(d->store, a->dialog_key);
        break;
    case PLATFORM_ALARM:
        log_alarm(a->alarm);
        store_add_alarm(d->store, a->alarm);
        break;
    case PLATFORM_LOG:
        log_f(level_of(a->level), "%.*s", SLICE_ARG(a->text));
        break;
    }
    if (!d->closing)
        http_on_action(d->app, a);
}

static void run_actions(struct daemon *d)
{
    struct platform_action a;

    while (platform_action(d->platform, &a))
        on_action(d, &a);
}

/* ---- platform: inputs --------------------------------------------------------- */

static void on_sip_event(void *ctx, const struct sip_event *ev)
{
    struct daemon *d = ctx;

    if (ev->kind == SIP_EV_BAD)
        noted_bad(NOTED_SIP, &ev->peer.remote, ev->diag.why);
    if (ev->kind == SIP_EV_BAD && d->trace)
        trace_bad(d->trace, &ev->peer, ev->diag.why, now_of(d));
    platform_sip(d->platform, ev, now_of(d));
}

static void on_ahead(void *ctx, const struct slice *bytes, size_t n)
{
    const struct daemon *d = ctx;

    platform_ahead(d->platform, bytes, n);
}

static bool on_admits(void *ctx, struct sip_peer *from,
                      struct slice bytes)
{
    struct daemon *d = ctx;

    return platform_admits(d->platform, from, bytes, now_of(d));
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
        platform_tick(d->platform, now_of(d));
    run_actions(d);
    ask_commits(d);
    return platform_deadline(d->platform);
}

static void on_connection(void *ctx, uint64_t connection, bool up,
                          const struct gb_addr *local)
{
    struct daemon *d = ctx;

    (void)local;
    if (!up)
        platform_closed(d->platform, connection, now_of(d));
}

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, const struct sip_msg *m)
{
    struct daemon *d = ctx;

    if (m)
        trace_put_read(d->trace, peer, m, now_of(d));
    else
        trace_put(d->trace, out ? TRACE_OUT : TRACE_IN, peer, bytes, now_of(d));
    if (!d->closing)
        http_on_trace(d->app);
}

static void on_media_event(void *ctx, const struct platform_media_event *ev)
{
    struct daemon *d = ctx;

    if (d->closing)
        return;
    platform_media(d->platform, ev, now_of(d));
    sip_edge_touch(d->edge);
}

static void on_viewer_gone(void *ctx, const struct http_handover *h)
{
    struct daemon *d = ctx;

    if (d->closing)
        return;
    http_server_viewer_gone(d->server, h->place);
    platform_session_release(d->platform, h->session, now_of(d));
    sip_edge_touch(d->edge);
}

/* ---- questions to the store --------------------------------------------------- */

static const enum store_list list_of[] = {
    [HTTP_HISTORY_ALARMS] = STORE_LIST_ALARMS,
    [HTTP_HISTORY_POSITIONS] = STORE_LIST_POSITIONS,
    [HTTP_HISTORY_ITEM] = STORE_LIST_DETAIL,
    [HTTP_HISTORY_COMMANDS] = STORE_LIST_COMMANDS,
    [HTTP_HISTORY_COMMAND] = STORE_LIST_COMMAND,
};

static double degrees(const struct store_rows *r, size_t i, size_t column)
{
    double v = 0;

    slice_double(store_rows_text(r, i, column), &v);
    return v;
}

static struct platform_alarm alarm_of(const struct store_rows *r, size_t i)
{
    return (struct platform_alarm){
        .id = (uint64_t)store_rows_i64(r, i, 0),
        .device = store_rows_text(r, i, 1),
        .channel = store_rows_text(r, i, 2),
        .priority = store_rows_text(r, i, 3),
        .method = store_rows_text(r, i, 4),
        .type = store_rows_text(r, i, 5),
        .time = store_rows_text(r, i, 6),
        .description = store_rows_text(r, i, 7),
        .has_position = !store_rows_is_null(r, i, 8),
        .longitude = degrees(r, i, 8),
        .latitude = degrees(r, i, 9),
        .received_utc_ms = store_rows_i64(r, i, 10),
    };
}

static struct platform_position position_of(const struct store_rows *r,
                                            size_t i)
{
    return (struct platform_position){
        .device = store_rows_text(r, i, 1),
        .channel = store_rows_text(r, i, 2),
        .time = store_rows_text(r, i, 3),
        .longitude = degrees(r, i, 4),
        .latitude = degrees(r, i, 5),
        .speed = store_rows_text(r, i, 6),
        .direction = store_rows_text(r, i, 7),
        .altitude = store_rows_text(r, i, 8),
        .received_utc_ms = store_rows_i64(r, i, 9),
    };
}

static struct platform_command command_of(const struct store_rows *r, size_t i)
{
    int64_t flags = store_rows_i64(r, i, 13);

    return (struct platform_command){
        .id = (uint64_t)store_rows_i64(r, i, 0),
        .device = store_rows_text(r, i, 1),
        .target = store_rows_text(r, i, 2),
        .cmd = store_rows_text(r, i, 3),
        .sub = store_rows_text(r, i, 4),
        .state = platform_command_state_by_name(store_rows_text(r, i, 5)),
        .is_final = true,
        .evidence = store_rows_text(r, i, 6),
        .asked_utc_ms = store_rows_i64(r, i, 7),
        .sent_utc_ms = store_rows_i64(r, i, 8),
        .arrived_utc_ms = store_rows_i64(r, i, 9),
        .answered_utc_ms = store_rows_i64(r, i, 10),
        .tries = (unsigned)store_rows_i64(r, i, 11),
        .sip_status = (unsigned)store_rows_i64(r, i, 12),
        .late = (flags & STORE_LATE) != 0,
        .partial = (flags & STORE_PARTIAL) != 0,
        .cut = (flags & STORE_CUT) != 0,
        .sn = (uint32_t)store_rows_i64(r, i, 14),
        .messages = (unsigned)store_rows_i64(r, i, 15),
        .have = (uint32_t)store_rows_i64(r, i, 16),
        .sum = (uint32_t)store_rows_i64(r, i, 17),
        .answer = store_rows_text(r, i, 18),
    };
}

/* Rows as the application takes them, in one block; *rows NULL: no memory, or
 * there are none. */
static void read_rows(const struct store_rows *r, struct http_told *t,
                      void **rows)
{
    struct platform_alarm *a = NULL;
    struct platform_position *p = NULL;
    struct platform_command *c = NULL;

    switch ((enum store_list)r->list) {
    case STORE_LIST_ALARMS:
        *rows = a = calloc(r->n, sizeof(*a));
        for (size_t i = 0; a && i < r->n; i++)
            a[i] = alarm_of(r, i);
        break;
    case STORE_LIST_POSITIONS:
        *rows = p = calloc(r->n, sizeof(*p));
        for (size_t i = 0; p && i < r->n; i++)
            p[i] = position_of(r, i);
        break;
    case STORE_LIST_COMMANDS:
    case STORE_LIST_COMMAND:
        *rows = c = calloc(r->n, sizeof(*c));
        for (size_t i = 0; c && i < r->n; i++)
            c[i] = command_of(r, i);
        break;
    case STORE_LIST_DETAIL:
    case STORE_LISTS:
        return;
    }
    if (!*rows)
        t->err = GB_ENOMEM;
    t->n = *rows ? r->n : 0;
    t->alarms = a;
    t->positions = p;
    t->commands = c;
}

/* On the main loop. */
static void on_told(struct mail *m)
{
    struct store_rows *r = container_of(m, struct store_rows, mail);
    struct daemon *d = r->ctx;
    void *rows = NULL;
    struct http_told t = {
        .request = r->tag, .err = r->err, .total = r->total, .more = r->more,
        .last = r->n ? (uint64_t)store_rows_i64(r, r->n - 1, 0) : 0,
        .detail = store_rows_text(r, 0, 0),
    };

    if (r->n)
        read_rows(r, &t, &rows);
    if (!d->closing)
        http_app_told(d->app, &t);
    free(rows);
    store_rows_free(r);
}

/* On the store's thread. */
static void on_rows(struct store_rows *r)
{
    struct daemon *d = r->ctx;

    r->mail.deliver = on_told;
    if (!mailbox_send(&d->box, &r->mail, true))
        store_rows_free(r);
}

static int http_ask_store(void *ctx, const struct http_ask *q)
{
    struct daemon *d = ctx;
    const struct store_ask ask = {
        .list = list_of[q->list], .device = q->device, .channel = q->channel,
        .method = q->method, .type = q->type, .priority = q->priority,
        .cmd = q->cmd, .state = q->state, .from_utc_ms = q->from_utc_ms, .to_utc_ms = q->to_utc_ms,
        .before = q->before, .limit = q->limit, .ctx = d, .tag = q->request,
        .done = on_rows,
    };

    return store_ask(d->store, &ask);
}

/* ---- the HTTP application's wishes ---------------------------------------------- */

static struct gb_time http_now(void *ctx)
{
    return now_of(ctx);
}

static void http_random(void *ctx, void *p, size_t n)
{
    (void)ctx;
    secrets_random(p, n);
}

static void http_touched(void *ctx)
{
    struct daemon *d = ctx;

    sip_edge_touch(d->edge);
}

static int http_on_media(void *ctx, struct http_handover *h)
{
    struct daemon *d = ctx;

    return viewer_start(d->media, &d->viewer_hooks, h);
}

static const char *http_not_ready(void *ctx)
{
    struct daemon *d = ctx;

    return d->draining ? "draining" : NULL;
}

static void http_log(void *ctx, enum platform_level level, const char *line)
{
    (void)ctx;
    log_f(level_of(level), "%s", line);
}

/* Requests have no code: an empty label is none. */
static void metrics_messages(const struct daemon *d, struct buf *out)
{
    struct sip_tally_row row;
    size_t k = 0;

    buf_f(out, "# TYPE gb28181_sip_messages_total counter\n");
    while (sip_tally_next(sip_stack_tally(d->sip), &k, &row)) {
        char code[12] = "";

        if (row.status)
            snprintf(code, sizeof(code), "%u", row.status);
        buf_f(out, "gb28181_sip_messages_total{method=\"%.*s\","
                   "direction=\"%s\",code=\"%s\"} %llu\n",
              row.method == SIP_METHOD_OTHER
                  ? 5 : (int)sip_method_name(row.method).n,
              row.method == SIP_METHOD_OTHER
                  ? "other" : sip_method_name(row.method).p,
              row.way == SIP_TALLY_IN ? "in" : "out", code,
              (unsigned long long)row.n);
    }
}

static void http_hooks_due(void *ctx)
{
    struct daemon *d = ctx;

    if (!d->closing)
        hook_client_touch(d->caller);
}

static void http_hook_changed(void *ctx, struct slice name)
{
    struct daemon *d = ctx;
    char sealed[SECRETS_SEALED_MAX], who[128];
    struct hook_view v;

    if (hooks_view(d->hooks, name, now_of(d), &v)) {
        struct store_hook h = { .name = name, .url = v.url, .kinds = v.kinds,
                                .off = v.off };

        secrets_seal(d->secrets, owner("hook", name, who), v.secret, sealed);
        h.sealed = slice_str(sealed);
        store_put_hook(d->store, &h);
    } else {
        store_remove_hook(d->store, name);
    }
    http_hooks_due(d);
}

static void on_unlinked(uv_fs_t *req)
{
    uv_fs_req_cleanup(req);
    free(req);
}

static void http_file_remove(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    char path[1200];
    uv_fs_t *req = malloc(sizeof(*req));

    snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, name);
    if (!req || uv_fs_unlink(&d->loop, req, path, on_unlinked)) {
        log_f(LOG_ERROR, "msg=\"a firmware file is not deleted\" "
                         "file=\"%s\"", path);
        free(req);
    }
}

/* One metric of each listener; they are kept with the trace. */
static void metrics_listeners(const struct daemon *d, struct buf *out,
                              const char *name, bool bad)
{
    char addr[GB_ADDR_TEXT_MAX];

    if (!d->trace)
        return;
    buf_f(out, "# TYPE %s counter\n", name);
    for (size_t i = 0; i < TRACE_LISTENERS; i++) {
        struct gb_addr at = sip_edge_addr(d->edge, i);
        const struct trace_listener *l = trace_listener(d->trace, i);

        if (at.family != GB_NO_ADDR && l)
            buf_f(out, "%s{listener=\"%s\"} %llu\n", name,
                  gb_addr_text(&at, addr),
                  (unsigned long long)(bad ? l->bad : l->received));
    }
}

static void http_metrics(void *ctx, struct buf *out)
{
    struct daemon *d = ctx;
    struct sip_edge_counters e;
    struct media_net_counters m;
    struct store_counters st;

    sip_edge_counters(d->edge, &e);
    media_net_counters(d->media, &m);
    store_counters(d->store, &st);
#define ROW(name, type, value)                                                 \
    buf_f(out, "# TYPE gb28181_" name " " type "\ngb28181_" name " %llu\n",    \
          (unsigned long long)(value))
    ROW("sip_datagrams_total", "counter", e.datagrams);
    ROW("sip_not_admitted_total", "counter", e.not_admitted);
    ROW("sip_malformed_total", "counter", e.bad);
    ROW("sip_connections", "gauge", e.connections);
    ROW("sip_connections_cut_total", "counter", e.cut);
    ROW("sip_strangers", "gauge", e.strangers);
    ROW("sip_strangers_bytes", "gauge", e.strangers_bytes);
    ROW("sip_strangers_cut_total", "counter", e.strangers_cut);
    ROW("sip_dialled_total", "counter", e.dialled);
    ROW("sip_tls_failed_total", "counter", e.tls_failed);
    ROW("sip_kernel_drops_total", "counter", e.dropped);
    ROW("rtp_invalid_total", "counter", m.invalid);
    ROW("streams", "gauge", m.streams);
    ROW("viewers", "gauge", m.viewers);
    ROW("store_queued", "gauge", st.queued);
    ROW("store_errors_total", "counter", st.errors);
    ROW("store_dropped_total", "counter", st.dropped);
#undef ROW
    metrics_messages(d, out);
    metrics_listeners(d, out, "gb28181_sip_listener_messages_total", false);
    metrics_listeners(d, out, "gb28181_sip_listener_malformed_total", true);
}

static size_t http_addresses(void *ctx, struct gb_addr *out, size_t cap)
{
    uv_interface_address_t *list;
    size_t n = 0;
    int count;

    (void)ctx;
    if (uv_interface_addresses(&list, &count))
        return 0;
    for (int i = 0; i < count && n < cap; i++) {
        struct gb_addr a;

        sockaddr_read(&a, (struct sockaddr *)&list[i].address);
        if (list[i].is_internal || (a.family == GB_IPV6 && a.ip[0] == 0xfe))
            continue;
        a.port = 0;
        out[n++] = a;
    }
    uv_free_interface_addresses(list, count);
    return n;
}

static size_t http_listeners(void *ctx, struct gb_addr *out, size_t cap)
{
    struct daemon *d = ctx;
    size_t n = 0;

    while (n < cap && sip_edge_addr(d->edge, n).family != GB_NO_ADDR) {
        out[n] = sip_edge_addr(d->edge, n);
        n++;
    }
    return n;
}

/* ---- starting ---------------------------------------------------------------------- */

static int fail(char why[static 512], int err, const char *what,
                const char *text)
{
    snprintf(why, 512, "%.200s: %.300s", what, text);
    return err;
}

/* A port that could not be opened; err is libuv's. */
static int fail_port(char why[static 512], int err, const char *what,
                     const char *key, const struct gb_addr *addr)
{
    char text[GB_ADDR_TEXT_MAX];

    snprintf(why, 512, "%s %s: %s%s (setting %s)", what,
             gb_addr_text(addr, text), uv_strerror(err),
             err == UV_EADDRINUSE
                 ? "; another program holds it, see `ss -lntup`"
             : err == UV_EADDRNOTAVAIL
                 ? "; this machine has no such address" : "", key);
    return err;
}

static int start_sip(struct daemon *d, char why[static 512])
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "gb28181d/" GB_VERSION,
                                   .obey_retry_after = true,
                                   .large_bytes = config_number(
                                       d->config, CONFIG_SIP_UDP_MAX),
                                   .register_extra = { SLICE("X-GB-Ver"),
                                                       SLICE("3.0") } };
    int err;

    secrets_random(sc.seed, sizeof(sc.seed));
    err = sip_stack_new(&d->sip, &sc);
    return err ? fail(why, err, "SIP stack", gb_strerror(err)) : 0;
}

/* The device that an id in a message belongs to, if it is known. */
static bool trace_owner(void *ctx, struct slice id, struct slice *device)
{
    struct daemon *d = ctx;

    *device = id;
    return platform_has_device(d->platform, id) ||
           platform_channel_owner(d->platform, id, device);
}

static int start_trace(struct daemon *d, char why[static 512])
{
    const struct trace_config tc = {
        .alloc = &gb_alloc_heap,
        .memory_bytes = (size_t)config_number(d->config, CONFIG_TRACE_MEMORY)
                        << 20,
        .id = config_text(d->config, CONFIG_SERVER_ID),
        .owner = trace_owner, .ctx = d,
    };
    int err = tc.memory_bytes ? trace_new(&d->trace, &tc) : 0;

    return err ? fail(why, err, "trace", gb_strerror(err)) : 0;
}

static size_t read_advertise(const struct config *c,
                             struct platform_advertise out[CONFIG_MAX_ITEMS])
{
    size_t n = config_n(c, CONFIG_NET_ADVERTISE);

    for (size_t i = 0; i < n; i++)
        config_net(c, CONFIG_NET_ADVERTISE, i, &out[i].net,
                   &out[i].bits, &out[i].address);
    return n;
}

static unsigned media_threads(const struct config *c)
{
    unsigned n = config_number(c, CONFIG_MEDIA_THREADS);

    return n ? n : uv_available_parallelism();
}

/* What the platform may be told anew while it runs. */
static void read_policy(const struct config *c, struct platform_config *p,
                        struct platform_advertise adv[CONFIG_MAX_ITEMS])
{
    struct slice date = slice_str(config_text(c, CONFIG_SIP_DATE));

    p->auto_enrol = config_bool(c, CONFIG_SIP_AUTO_ENROL);
    p->date = slice_eq(date, SLICE("off"))   ? PLATFORM_DATE_OFF
              : slice_eq(date, SLICE("utc")) ? PLATFORM_DATE_UTC
                                             : PLATFORM_DATE_LOCAL;
    p->timezone_min = config_zone_min(c, CONFIG_SERVER_ZONE);
    p->quiet = !log_wants(LOG_INFO);
    p->idle_stop_s = config_number(c, CONFIG_MEDIA_IDLE);
    p->ptz_hold_ms = config_number(c, CONFIG_PTZ_HOLD) * 1000;
    p->reset_alarms = config_bool(c, CONFIG_ALARM_RESET);
    p->subscribe_s[PLATFORM_SUBSCRIBE_CATALOG] =
        config_period(c, CONFIG_SUB_CATALOG, DAEMON_CATALOG_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_ALARM] =
        config_period(c, CONFIG_SUB_ALARM, DAEMON_REPORTS_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_POSITION] =
        config_period(c, CONFIG_SUB_POSITION, DAEMON_REPORTS_S);
    p->subscribe_s[PLATFORM_SUBSCRIBE_PTZ] =
        config_period(c, CONFIG_SUB_PTZ, DAEMON_REPORTS_S);
    p->rate_per_s = config_number(c, CONFIG_LIMIT_RATE);
    p->rate_burst = 5 * p->rate_per_s;
    p->advertise = adv;
    p->n_advertise = read_advertise(c, adv);
    config_addr(c, CONFIG_MEDIA_ADDRESS, 0, &p->media_address);
}

/* Lists of the configuration as the platform takes them, which copies. */
struct admission {
    struct platform_net allow[CONFIG_MAX_ITEMS], deny[CONFIG_MAX_ITEMS];
    const char *allow_ids[CONFIG_MAX_ITEMS], *deny_ids[CONFIG_MAX_ITEMS];
    struct platform_redirect redirect[CONFIG_MAX_ITEMS];
    char prefix[CONFIG_MAX_ITEMS][CONFIG_PREFIX_MAX];
};

static size_t read_nets(const struct config *c, enum config_key k,
                        struct platform_net *out)
{
    size_t n = config_n(c, k);

    for (size_t i = 0; i < n; i++)
        config_net(c, k, i, &out[i].net, &out[i].bits, NULL);
    return n;
}

static size_t read_ids(const struct config *c, enum config_key k,
                       const char **out)
{
    size_t n = config_n(c, k);

    for (size_t i = 0; i < n; i++)
        out[i] = config_item(c, k, i);
    return n;
}

static unsigned read_digests(const struct config *c)
{
    unsigned bits = 0;

    for (size_t i = 0; i < config_n(c, CONFIG_SIP_DIGEST); i++)
        bits |= 1u << sip_digest_by_word(
                    slice_str(config_item(c, CONFIG_SIP_DIGEST, i)));
    return bits;
}

static void read_admission(const struct config *c, struct admission *a,
                           struct platform_config *pc)
{
    pc->digest = read_digests(c);
    pc->offer_qop = config_bool(c, CONFIG_SIP_QOP);
    pc->strangers_per_s = config_number(c, CONFIG_LIMIT_STRANGERS);
    pc->registers_per_s = config_number(c, CONFIG_LIMIT_REGISTERS);
    pc->ban_failures = config_number(c, CONFIG_LIMIT_BAN_FAILURES);
    pc->ban_s = config_number(c, CONFIG_LIMIT_BAN);
    pc->max_pending = config_number(c, CONFIG_LIMIT_PENDING);
    pc->allow = a->allow;
    pc->n_allow = read_nets(c, CONFIG_SIP_ALLOW, a->allow);
    pc->deny = a->deny;
    pc->n_deny = read_nets(c, CONFIG_SIP_DENY, a->deny);
    pc->allow_ids = a->allow_ids;
    pc->n_allow_ids = read_ids(c, CONFIG_SIP_ALLOW_IDS, a->allow_ids);
    pc->deny_ids = a->deny_ids;
    pc->n_deny_ids = read_ids(c, CONFIG_SIP_DENY_IDS, a->deny_ids);
    pc->redirect = a->redirect;
    for (size_t i = 0; config_redirect(c, CONFIG_SIP_REDIRECT, i, a->prefix[i],
                                       &a->redirect[i].target); i++) {
        a->redirect[i].prefix = a->prefix[i];
        pc->n_redirect = i + 1;
    }
}

/* How much history is kept. */
static void set_retention(struct daemon *d, const struct config *c)
{
    const struct store_retention keep = {
        .rows = { [STORE_ALARMS] = config_number(c, CONFIG_KEEP_ALARMS),
                  [STORE_POSITIONS] = config_number(c, CONFIG_KEEP_POSITIONS),
                  [STORE_COMMANDS] = config_number(c, CONFIG_KEEP_COMMANDS) },
        .days = {
            [STORE_ALARMS] = config_number(c, CONFIG_KEEP_ALARM_DAYS),
            [STORE_POSITIONS] = config_number(c, CONFIG_KEEP_POSITION_DAYS),
            [STORE_COMMANDS] = config_number(c, CONFIG_KEEP_COMMAND_DAYS) },
    };

    store_retain(d->store, &keep);
}

static unsigned kinds_of(struct slice words)
{
    unsigned kinds = 0;
    struct slice one;

    while (words.n) {
        slice_cut(&words, '+', &one);
        kinds |= 1u << hooks_kind_by_name(one);
    }
    return kinds;
}

/* Those of webhooks.to, named by their place in it. */
static void set_hooks(struct daemon *d, const struct config *c)
{
    struct hook_net deny[CONFIG_MAX_ITEMS];
    struct slice url, secret, kinds;
    size_t n = 0;

    hooks_mark(d->hooks);
    for (size_t i = 0; config_hook(c, CONFIG_HOOKS_TO, i, &url, &secret,
                                   &kinds); i++) {
        char name[24];
        struct hook_settings s = { .url = url, .secret = secret, .fixed = true,
                                   .kinds = kinds_of(kinds) };
        int err;

        snprintf(name, sizeof(name), "config-%zu", i + 1);
        s.name = slice_str(name);
        err = hooks_set(d->hooks, &s, now_of(d));
        if (err)
            log_f(LOG_ERROR, "msg=\"a webhook of the configuration is not "
                             "called\" hook=%s why=\"%s\"", name,
                  err == GB_EUNSUPPORTED
                      ? "https needs a build with TLS and the file webhooks.ca"
                      : gb_strerror(err));
    }
    hooks_sweep(d->hooks);
    while (n < config_n(c, CONFIG_HOOKS_DENY)) {
        config_net(c, CONFIG_HOOKS_DENY, n, &deny[n].net, &deny[n].bits, NULL);
        n++;
    }
    hook_client_deny(d->caller, deny, n);
    hook_client_touch(d->caller);
}

void daemon_reload(struct daemon *d, const struct config *c)
{
    struct platform_advertise adv[CONFIG_MAX_ITEMS];
    struct platform_config pc = { 0 };
    struct admission lists;

    read_policy(c, &pc, adv);
    read_admission(c, &lists, &pc);
    set_retention(d, c);
    set_hooks(d, c);
    if (platform_reload(d->platform, &pc))
        log_f(LOG_ERROR, "msg=\"lists are not all taken over\" "
                         "why=\"no memory\"");
}

static int start_platform(struct daemon *d, char why[static 512])
{
    struct platform_advertise adv[CONFIG_MAX_ITEMS];
    struct admission lists;
    const struct config *c = d->config;
    struct platform_config pc = {
        .alloc = &gb_alloc_heap,
        .sip = d->sip,
        .id = config_text(c, CONFIG_SERVER_ID),
        .realm = d->realm,
        .password = d->password,
        .keep_open_ms = 1000 * config_number(c, CONFIG_SIP_KEEP_OPEN),
        .answer_ms = DAEMON_STEP_MS,
        .media_ms = DAEMON_STEP_MS,
        .program_ms = DAEMON_STEP_MS,
        .first_key_ms = DAEMON_FIRST_KEY_MS,
        .max_devices = config_number(c, CONFIG_LIMIT_DEVICES),
        .max_channels = config_number(c, CONFIG_LIMIT_CHANNELS),
        .max_device_channels = config_number(c, CONFIG_LIMIT_OF_DEVICE),
        .max_sessions = config_number(c, CONFIG_LIMIT_SESSIONS),
        .media_loops = media_threads(c),
    };
    int err;

    read_policy(c, &pc, adv);
    read_admission(c, &lists, &pc);
    config_ports(c, CONFIG_MEDIA_PORTS, &pc.port_min, &pc.port_max);
    secrets_random(pc.seed, sizeof(pc.seed));
    err = platform_new(&d->platform, &pc, now_of(d));
    return err ? fail(why, err, "platform", gb_strerror(err)) : 0;
}

static void on_saved_device(void *ctx, const struct platform_saved_device *s)
{
    struct daemon *d = ctx;

    platform_restore_device(d->platform, s, now_of(d));
}

/* A password that does not open with this key is gone; who it was for must be
 * told a new one, and is not let in with another meanwhile. */
static bool unseal(struct daemon *d, const char *kind, struct slice name,
                   struct slice sealed, char buf[static SECRETS_PLAIN_MAX],
                   struct slice *plain)
{
    char who[128];

    if (secrets_unseal(d->secrets, owner(kind, name, who), sealed, buf, plain))
        return true;
    log_f(LOG_ERROR, "msg=\"a stored password cannot be opened: was the "
                     "installation-key replaced? set it again\" %s=%.*s",
          kind, SLICE_ARG(name));
    for (size_t i = 0; i < SECRETS_PLAIN_MAX; i += 8)
        secrets_random(buf + i, 8);
    for (size_t i = 0; i < SECRETS_PLAIN_MAX; i++)
        buf[i] = (char)('a' + (unsigned char)buf[i] % 26);
    *plain = slice_of(buf, SECRETS_PLAIN_MAX);
    return false;
}

static void on_saved_group(void *ctx, struct slice name, struct slice sealed,
                           const struct platform_policy *subscribe)
{
    struct daemon *d = ctx;
    char buf[SECRETS_PLAIN_MAX];
    struct slice plain;

    unseal(d, "group", name, sealed, buf, &plain);
    platform_restore_group(d->platform, name, plain, subscribe, now_of(d));
}

static void on_saved_settings(void *ctx, struct slice id,
                              const struct platform_settings *saved)
{
    struct daemon *d = ctx;
    struct platform_settings s = *saved;
    char buf[SECRETS_PLAIN_MAX];

    unseal(d, "device", id, saved->password, buf, &s.password);
    platform_restore_settings(d->platform, id, &s, now_of(d));
}

static void on_saved_channel(void *ctx, const struct platform_channel *c)
{
    struct daemon *d = ctx;

    platform_restore_channel(d->platform, c);
}

static void on_saved_dialog(void *ctx, uint64_t key,
                            const struct sip_dialog_state *s,
                            const struct sip_peer *peer)
{
    struct daemon *d = ctx;

    platform_restore_dialog(d->platform, key, s, peer, now_of(d));
}

static void on_saved_ids(void *ctx, uint64_t alarm, uint64_t command)
{
    struct daemon *d = ctx;

    platform_restore_ids(d->platform, alarm, command);
}

static void on_saved_hook(void *ctx, const struct store_hook *h)
{
    struct daemon *d = ctx;
    char buf[SECRETS_PLAIN_MAX];
    struct hook_settings s = { .name = h->name, .url = h->url,
                               .kinds = h->kinds, .off = h->off };
    int err;

    if (!unseal(d, "hook", h->name, h->sealed, buf, &s.secret))
        s.off = true; /* what it signed nobody would believe */
    err = hooks_set(d->hooks, &s, now_of(d));
    if (err)
        log_f(LOG_ERROR, "msg=\"a stored webhook is not called\" hook=%.*s "
                         "why=\"%s\"", SLICE_ARG(h->name), gb_strerror(err));
}

/* https is for whoever can check certificates. */
static int start_hooks(struct daemon *d, char why[static 512])
{
    const char *ca = config_text(d->config, CONFIG_HOOKS_CA);
    struct hooks_config hc = { .alloc = &gb_alloc_heap,
                               .boot = (uint64_t)now_of(d).utc_ms,
                               .agent = "gb28181d/" GB_VERSION };
    struct hook_client_config cc = { .loop = &d->loop, .now = http_now,
                                     .log = http_log, .ctx = d };
    char text[TLS_WHY_MAX];
    int err;

    if (*ca && access(ca, R_OK) == 0 &&
        tls_ctx_client(&d->caller_tls, ca, text))
        log_f(LOG_WARN, "msg=\"no webhooks over https\" why=\"%s\"", text);
    hc.tls = d->caller_tls != NULL;
    secrets_random(hc.seed, sizeof(hc.seed));
    err = hooks_new(&d->hooks, &hc);
    cc.hooks = d->hooks;
    cc.tls = d->caller_tls;
    if (!err)
        err = hook_client_new(&d->caller, &cc);
    return err ? fail(why, err, "webhooks", gb_strerror(err)) : 0;
}

static void on_saved_upgrade(void *ctx, const struct platform_upgrade *u)
{
    struct daemon *d = ctx;

    platform_restore_upgrade(d->platform, u, now_of(d));
}

static bool is_sha256(const char *name)
{
    struct slice s = slice_str(name);

    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return s.n == 64;
}

/* What lies in the directory: whole files are told, parts of uploads that a
 * stop has cut off are deleted. Once, before anybody is served. */
static void read_firmware(struct daemon *d)
{
    uv_dirent_t e;
    uv_fs_t list;
    int n = uv_fs_scandir(NULL, &list, d->firmware_dir, 0, NULL);

    while (n >= 0 && uv_fs_scandir_next(&list, &e) != UV_EOF) {
        char path[1200];
        uv_fs_t st;

        snprintf(path, sizeof(path), "%s/%s", d->firmware_dir, e.name);
        if (slice_has_prefix(slice_str(e.name), SLICE(HTTP_FILE_PART)))
            unlink(path);
        if (is_sha256(e.name) && uv_fs_stat(NULL, &st, path, NULL) == 0) {
            http_app_firmware(d->app, e.name, st.statbuf.st_size,
                              st.statbuf.st_mtim.tv_sec * 1000ll);
            uv_fs_req_cleanup(&st);
        }
    }
    uv_fs_req_cleanup(&list);
}

static int make_firmware_dir(struct daemon *d, char why[static 512])
{
    uv_fs_t req;
    int err;

    if (config_number(d->config, CONFIG_FIRMWARE_MAX) == 0)
        return 0;
    snprintf(d->firmware_dir, sizeof(d->firmware_dir), "%s/firmware",
             d->secrets->dir);
    err = uv_fs_mkdir(NULL, &req, d->firmware_dir, 0700, NULL);
    uv_fs_req_cleanup(&req);
    return err && err != UV_EEXIST
               ? fail(why, GB_EIO, "DATA/firmware", uv_strerror(err))
               : 0;
}

static int start_store(struct daemon *d, char why[static 512])
{
    struct store_loader load = {
        .on_device = on_saved_device, .on_channel = on_saved_channel,
        .on_dialog = on_saved_dialog, .on_group = on_saved_group,
        .on_settings = on_saved_settings, .on_ids = on_saved_ids,
        .on_hook = on_saved_hook, .on_upgrade = on_saved_upgrade, .ctx = d,
    };
    char text[256] = "";
    bool moved = false;
    int err = store_open(&d->store, d->secrets->dir, &load, text, &moved);

    if (moved)
        log_f(LOG_ERROR, "msg=\"store was damaged and has been moved aside\" "
                         "why=\"%s\"", text);
    if (!GB_SQLITE)
        log_f(LOG_WARN, "msg=\"built without SQLite: of alarms the last %u and "
                        "of commands the last %u are kept, in memory; "
                        "positions and the rest of catalog items are not\"",
              HTTP_ALARMS_MAX, PLATFORM_COMMANDS_MAX);
    if (!err) {
        set_retention(d, d->config);
        set_hooks(d, d->config);
    }
    return err ? fail(why, err, "store", text) : 0;
}

/* Our own certificate, for the addresses that a device may know us by. */
static int make_certificate(struct daemon *d, const char *cert,
                            const char *key, char why[static TLS_WHY_MAX])
{
    struct gb_addr addr[HTTP_ADDRESSES_MAX + 2 + SIP_EDGE_MAX_LISTEN];
    size_t n = http_addresses(d, addr, HTTP_ADDRESSES_MAX);
    int err;

    gb_addr_parse_ip(&addr[n++], SLICE("127.0.0.1"));
    gb_addr_parse_ip(&addr[n++], SLICE("::1"));
    for (size_t i = 0; i < SIP_EDGE_MAX_LISTEN; i++)
        n += config_addr(d->config, CONFIG_SIP_TLS_LISTEN, i, &addr[n]);
    err = tls_make_certificate(cert, key,
                               config_text(d->config, CONFIG_SERVER_ID), addr,
                               n, why);
    if (!err)
        log_f(LOG_INFO, "msg=\"certificate made\" file=\"%s\"", cert);
    return err;
}

static int start_tls(struct daemon *d, char why[static 512])
{
    const char *cert = config_text(d->config, CONFIG_TLS_CERT);
    const char *key = config_text(d->config, CONFIG_TLS_KEY);
    char own_cert[1100], own_key[1100], text[TLS_WHY_MAX];
    int err = 0;

    if (config_n(d->config, CONFIG_SIP_TLS_LISTEN) == 0)
        return 0;
    if (!*cert) {
        snprintf(own_cert, sizeof(own_cert), "%s/tls.crt", d->secrets->dir);
        snprintf(own_key, sizeof(own_key), "%s/tls.key", d->secrets->dir);
        cert = own_cert;
        key = own_key;
        /* one without the other is somebody's mistake, and told below */
        if (access(cert, F_OK) != 0 && access(key, F_OK) != 0)
            err = make_certificate(d, cert, key, text);
    }
    if (!err)
        err = tls_ctx_server(&d->tls, cert, key, text);
    return err ? fail(why, err, "sip.tls_listen", text) : 0;
}

static size_t read_listen(struct daemon *d, enum config_key k,
                          struct gb_addr out[SIP_EDGE_MAX_LISTEN])
{
    size_t n = 0;

    while (n < SIP_EDGE_MAX_LISTEN && config_addr(d->config, k, n, &out[n]))
        n++;
    return n;
}

static int start_edge(struct daemon *d, char why[static 512])
{
    struct gb_addr listen[SIP_EDGE_MAX_LISTEN], secure[SIP_EDGE_MAX_LISTEN];
    struct sip_edge_config ec = {
        .loop = &d->loop, .stack = d->sip, .listen = listen,
        .tls_listen = secure, .tls_server = d->tls,
        .keep_open_ms = 1000 * config_number(d->config, CONFIG_SIP_KEEP_OPEN),
        .max_connections = config_number(d->config, CONFIG_LIMIT_SIP_TCP),
        .strangers_bytes = config_number(d->config, CONFIG_LIMIT_SIP_STRANGERS)
                           << 20,
        .ahead = on_ahead, .admits = on_admits, .on_event = on_sip_event,
        .on_turn = on_turn,
        .on_connection = on_connection,
        .on_message = d->trace ? on_message : NULL,
        .ctx = d,
    };
    size_t failed = 0;
    int err;

    ec.n_listen = read_listen(d, CONFIG_SIP_LISTEN, listen);
    ec.n_tls = read_listen(d, CONFIG_SIP_TLS_LISTEN, secure);
    if (ec.n_listen == 0)
        return fail(why, GB_ESYNTAX, "SIP port", "sip.listen is empty");
    err = sip_edge_new(&d->edge, &ec, &failed);
    if (err && failed < ec.n_listen)
        return fail_port(why, err, "SIP port", "sip.listen", &listen[failed]);
    if (err)
        return fail_port(why, err, "SIP port", "sip.tls_listen",
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

static int start_media(struct daemon *d, char why[static 512])
{
    struct media_net_config mc = { .main = &d->loop,
                                   .loops = media_threads(d->config),
                                   .any_source = config_bool(
                                       d->config, CONFIG_MEDIA_ANY),
                                   .on_event = on_media_event, .ctx = d };
    int err = media_net_new(&d->media, &mc);

    d->viewer_hooks = (struct viewer_hooks){ .on_gone = on_viewer_gone,
                                             .ctx = d };
    return err ? fail(why, err, "media threads", "cannot start") : 0;
}

static size_t read_proxies(struct daemon *d)
{
    size_t n = config_n(d->config, CONFIG_HTTP_PROXIES);

    for (size_t i = 0; i < n; i++)
        config_net(d->config, CONFIG_HTTP_PROXIES, i, &d->proxies[i].net,
                   &d->proxies[i].bits, NULL);
    return n;
}

static int start_app(struct daemon *d, char why[static 512])
{
    struct http_app_config hc = {
        .alloc = &gb_alloc_heap, .platform = d->platform, .sip = d->sip,
        .trace = d->trace, .listeners = http_listeners,
        .ctx = d, .now = http_now, .random = http_random,
        .touched = http_touched, .on_media = http_on_media,
        .ask = GB_SQLITE ? http_ask_store : NULL, .commits = true,
        .hooks = d->hooks, .hooks_due = http_hooks_due,
        .hook_changed = http_hook_changed,
        .firmware_max = (uint64_t)config_number(d->config,
                                                CONFIG_FIRMWARE_MAX) << 20,
        .file_remove = http_file_remove,
        .not_ready = http_not_ready, .metrics = http_metrics,
        .addresses = http_addresses, .log = http_log,
        .auth = config_bool(d->config, CONFIG_HTTP_AUTH),
        .admin_token = d->secrets->admin_token,
        .admin_password_hash = d->secrets->admin_hash,
        .public_url = config_text(d->config, CONFIG_HTTP_PUBLIC),
        .trusted_proxies = d->proxies, .n_trusted_proxies = d->n_proxies,
        .version = GB_VERSION,
        .server_id = config_text(d->config, CONFIG_SERVER_ID),
        .realm = d->realm, .device_password = d->password,
        .formats = 1u << HTTP_FORMAT_FLV | 1u << HTTP_FORMAT_FMP4 |
                   1u << HTTP_FORMAT_TS |
                   1u << HTTP_FORMAT_FRAME | 1u << HTTP_FORMAT_MSE,
    };
    struct gb_addr sip;
    int err;

    if (config_addr(d->config, CONFIG_SIP_LISTEN, 0, &sip))
        hc.sip_port = sip.port;
    if (config_addr(d->config, CONFIG_HTTP_LISTEN, 0, &sip))
        hc.http_port = sip.port;
    memcpy(hc.key, d->secrets->key, sizeof(hc.key));
    err = make_firmware_dir(d, why);
    if (err)
        return err;
    err = http_app_new(&d->app, &hc);
    if (!err && *d->firmware_dir)
        read_firmware(d);
    return err ? fail(why, err, "HTTP application", gb_strerror(err)) : 0;
}

static int start_server(struct daemon *d, char why[static 512])
{
    struct gb_addr listen[HTTP_LISTENERS_MAX];
    struct http_server_config sc = {
        .loop = &d->loop, .alloc = &gb_alloc_heap, .app = d->app,
        .listen = listen,
        .max_conns = config_number(d->config, CONFIG_LIMIT_HTTP),
        .trusted_proxies = d->proxies, .n_trusted_proxies = d->n_proxies,
        .file_dir = *d->firmware_dir ? d->firmware_dir : NULL,
    };
    size_t failed = 0;
    int err;

    while (sc.n_listen < HTTP_LISTENERS_MAX &&
           config_addr(d->config, CONFIG_HTTP_LISTEN, sc.n_listen,
                       &listen[sc.n_listen]))
        sc.n_listen++;
    if (sc.n_listen == 0)
        return fail(why, GB_ESYNTAX, "HTTP port", "http.listen is empty");
    err = http_server_new(&d->server, &sc, &failed);
    if (err)
        return fail_port(why, err, "HTTP port", "http.listen", &listen[failed]);
    d->http_addr = http_server_addr(d->server, 0);
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

static void on_signal(uv_signal_t *s, int number);

int daemon_new(struct daemon **out, const struct config *c,
               const struct secrets *s, char why[static 512])
{
    static const int numbers[3] = { SIGTERM, SIGINT, SIGHUP };
    struct daemon *d = calloc(1, sizeof(*d));
    int err;

    if (!d || uv_loop_init(&d->loop))
        return fail(why, GB_ENOMEM, "start", "no memory");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit refuses a write, and ends nobody */
    d->config = c;
    d->secrets = s;
    read_identity(d);
    d->n_proxies = read_proxies(d);
    err = start_sip(d, why);
    if (!err)
        err = start_trace(d, why);
    if (!err)
        err = start_platform(d, why);
    if (!err)
        err = start_hooks(d, why);
    if (!err)
        err = start_store(d, why);
    if (!err && mailbox_init(&d->box, &d->loop))
        err = fail(why, GB_ENOMEM, "start", "no memory");
    if (!err)
        err = start_app(d, why);
    if (!err)
        err = start_tls(d, why);
    if (!err)
        err = start_edge(d, why);
    if (!err)
        err = start_server(d, why);
    if (!err)
        err = start_media(d, why);
    if (err)
        return err; /* the process ends: nothing is worth undoing */
    uv_timer_init(&d->loop, &d->drain);
    d->drain.data = d;
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
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

    sip_edge_close(d->edge, NULL, NULL);
    hook_client_close(d->caller, NULL, NULL);
    store_end_asks(d->store); /* nothing is sent to the box from now on */
    mailbox_close(&d->box, NULL, NULL);
    uv_close((uv_handle_t *)&d->drain, NULL);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&d->signals[i], NULL);
}

static void on_server_closed(void *ctx)
{
    struct daemon *d = ctx;

    media_net_close(d->media, on_media_closed, d);
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

    if (!platform_is_drained(d->platform) &&
        uv_now(&d->loop) < d->drain_until_ms)
        return;
    uv_timer_stop(t);
    run_actions(d);
    store_open_commands(d);
    d->closing = true;
    http_server_close(d->server, on_server_closed, d);
}

static void on_signal(uv_signal_t *s, int number)
{
    struct daemon *d = s->data;

    if (number == SIGHUP) {
        d->reload(d->reload_ctx);
        return;
    }
    if (d->draining) {
        d->drain_until_ms = 0; /* a second time: now */
        return;
    }
    d->draining = true;
    log_f(LOG_INFO, "msg=\"draining\"");
    platform_drain(d->platform, now_of(d));
    sip_edge_touch(d->edge);
    d->drain_until_ms = uv_now(&d->loop) + DAEMON_DRAIN_MS;
    uv_timer_start(&d->drain, on_drain, 20, 20);
}

void daemon_run(struct daemon *d, void (*reload)(void *ctx), void *ctx)
{
    d->reload = reload;
    d->reload_ctx = ctx;
    uv_run(&d->loop, UV_RUN_DEFAULT);
    log_f(LOG_INFO, "msg=\"stopped\"");
}

void daemon_free(struct daemon *d)
{
    store_close(d->store);
    http_app_free(d->app);
    hooks_free(d->hooks);
    tls_ctx_free(d->caller_tls);
    platform_free(d->platform);
    sip_stack_free(d->sip);
    tls_ctx_free(d->tls);
    trace_free(d->trace);
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
    size_t n = http_addresses(NULL, a, HTTP_ADDRESSES_MAX);

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

void daemon_banner(const struct daemon *d)
{
    const struct secrets *s = d->secrets;
    struct gb_addr tls;

    printf("gb28181d %s\n\n", GB_VERSION);
    printf("  page              ");
    print_hosts(d, "http://%s/%s", d->http_addr.port);
    if (s->new_admin_password[0])
        printf("  admin password    %s   (shown this once)\n",
               s->new_admin_password);
    printf("  API token         in %s/admin-token\n\n", s->dir);
    printf("In the camera's GB28181 / platform access page:\n");
    printf("  SIP server ID     %s\n", config_text(d->config,
                                                   CONFIG_SERVER_ID));
    printf("  SIP domain        %s\n", d->realm);
    printf("  SIP server IP     ");
    print_hosts(d, NULL, d->sip_addr.port);
    printf("  SIP server port   %u   (UDP or TCP)\n", d->sip_addr.port);
    if (config_addr(d->config, CONFIG_SIP_TLS_LISTEN, 0, &tls))
        printf("  over TLS          %u\n", tls.port);
    if (s->first_start)
        printf("  password          %s\n\n", d->password);
    else
        printf("  password          in %s/device-password\n\n", s->dir);
    fflush(stdout);
}
