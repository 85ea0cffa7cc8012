#include "app/device/device_impl.h"

#include "manscdp/catalog.h"
#include "manscdp/device.h"
#include "manscdp/notify.h"
#include "manscdp/time.h"
#include "sip/value.h"

#include <stdio.h>

#define SCRATCH_BYTES 65536
#define BODY_BYTES 32768

uint64_t device_user(const struct device *d, enum purpose p)
{
    return d->c.user << 8 | (uint64_t)p;
}

void device_push(struct device *d, const struct device_action *a)
{
    /* a full ring drops states, never orders: there are at most three orders
     * for each session */
    if (d->n_actions == DEVICE_MAX_ACTIONS)
        return;
    d->action[(d->first_action + d->n_actions++) % DEVICE_MAX_ACTIONS] = *a;
}

bool device_action(struct device *d, struct device_action *out)
{
    if (d->n_actions == 0)
        return false;
    *out = d->action[d->first_action];
    d->first_action = (d->first_action + 1) % DEVICE_MAX_ACTIONS;
    d->n_actions--;
    return true;
}

/* ---- requests -------------------------------------------------------------- */

/* Request-URI, From and To from a device to its platform. */
void device_request(struct device *d, struct sip_request *r,
                    struct device_request_text *t, enum sip_method method)
{
    char addr[GB_ADDR_TEXT_MAX];
    bool own_aor = method == SIP_METHOD_REGISTER;

    *r = (struct sip_request){ .method = method, .peer = d->c.server,
                               .expires = -1 };
    snprintf(t->uri, sizeof(t->uri), "sip:%s@%s", d->c.server_id,
             gb_addr_text(&d->c.server.remote, addr));
    snprintf(t->from, sizeof(t->from), "sip:%s@%s", d->c.id, d->c.realm);
    snprintf(t->to, sizeof(t->to), "sip:%s@%s",
             own_aor ? d->c.id : d->c.server_id, d->c.realm);
    device_contact(d, t->contact, sizeof(t->contact));
    r->uri = slice_str(t->uri);
    r->from = slice_str(t->from);
    r->to = slice_str(t->to);
}

void device_contact(const struct device *d, char *out, size_t cap)
{
    static const char *const param[] = { [SIP_UDP] = "",
                                         [SIP_TCP] = ";transport=tcp",
                                         [SIP_TLS] = ";transport=tls" };
    char addr[GB_ADDR_TEXT_MAX];

    snprintf(out, cap, "sip:%s@%s%s", d->c.id,
             gb_addr_text(&d->c.server.local, addr),
             param[d->c.server.transport]);
}

/* ---- messages ----------------------------------------------------------------- */

/* Some devices end lines with LF alone. */
static void strip_cr(struct writer *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->len; i++)
        if (w->p[i] != '\r')
            w->p[n++] = w->p[i];
    w->len = n;
}

static int send_message(struct device *d, struct writer *body, enum purpose p,
                        struct gb_time now)
{
    struct device_request_text t;
    struct sip_request r;
    uint64_t id;

    if (body->err)
        return body->err;
    if (d->c.faults.lf_only)
        strip_cr(body);
    device_request(d, &r, &t, SIP_METHOD_MESSAGE);
    r.content_type = SLICE(SIP_TYPE_MANSCDP);
    r.body = writer_slice(body);
    r.user = device_user(d, p);
    return sip_stack_request(d->c.sip, &r, now.mono_ms, &id);
}

static void send_keepalive(struct device *d, struct gb_time now)
{
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));
    struct manscdp_keepalive k = { .sn = ++d->sn,
                                   .device_id = slice_str(d->c.id) };

    d->keepalive_ms = now.mono_ms + 1000 * d->c.keepalive_s;
    d->n.keepalives++;
    manscdp_keepalive_encode(&w, &d->c.dialect, &k);
    send_message(d, &w, FOR_KEEPALIVE, now);
}

static void on_keepalive_answer(struct device *d, const struct sip_event *ev,
                                struct gb_time now)
{
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 300) {
        d->misses = 0;
        return;
    }
    d->n.missed++;
    if (ev->kind == SIP_EV_RESPONSE && d->state == DEVICE_ONLINE)
        device_go_offline(d, now, 0, "keepalive refused", ev->status);
    else if (++d->misses >= DEVICE_MISSES && d->state == DEVICE_ONLINE)
        device_go_offline(d, now, 0, "keepalives not answered", ev->status);
}

int device_alarm(struct device *d, size_t channel, struct gb_time now)
{
    char buf[1024], when[40];
    struct writer w = writer_of(buf, sizeof(buf));
    struct writer tw = writer_of(when, sizeof(when));
    struct manscdp_alarm a = {
        .sn = ++d->sn, .priority = SLICE("4"), .method = SLICE("5"),
        .alarm_type = SLICE("2"), .description = SLICE("motion"),
    };

    if (d->state != DEVICE_ONLINE)
        return GB_ESTATE;
    if (channel >= d->c.n_channels)
        return GB_ENOENT;
    manscdp_time_write(&tw, now.utc_ms, d->c.timezone_min);
    a.device_id = slice_str(d->c.channel[channel].id);
    a.time = writer_slice(&tw);
    manscdp_alarm_encode(&w, &d->c.dialect, &a);
    d->n.alarms++;
    if (!w.err && device_watch_alarm(d, writer_slice(&w), now))
        return 0;
    return send_message(d, &w, FOR_OTHER, now);
}

/* ---- queries --------------------------------------------------------------------- */

static void send_page(struct device *d, struct gb_time now)
{
    char buf[BODY_BYTES];
    struct writer w = writer_of(buf, sizeof(buf));
    size_t left = d->c.n_channels - d->page.next;
    size_t n = left < d->c.items_per_message ? left : d->c.items_per_message;
    uint32_t sum = (uint32_t)d->c.n_channels + d->c.faults.short_catalog;
    struct manscdp_catalog cat = { .sn = d->page.sn, .sum_num = sum,
                                   .device_id = slice_str(d->c.id) };
    struct xml_out x;

    manscdp_catalog_put_begin(&x, &w, &d->c.dialect, &cat, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct device_channel *ch = &d->c.channel[d->page.next + i];
        struct manscdp_item it = {
            .id = slice_str(ch->id), .name = slice_str(ch->name),
            .manufacturer = slice_str(d->c.manufacturer),
            .model = slice_str(d->c.model), .owner = SLICE("0"),
            .civil_code = slice_head(slice_str(d->c.id), 6),
            .address = SLICE("gbcam"), .parental = SLICE("0"),
            .parent_id = slice_str(d->c.id), .register_way = SLICE("1"),
            .secrecy = SLICE("0"), .status = SLICE("ON"),
            .ptz_type = SLICE("3"),
        };

        if (d->channel_state &&
            d->channel_state[d->page.next + i] & CHANNEL_OFF)
            it.status = SLICE("OFF");

        manscdp_catalog_put_item(&x, &d->c.dialect, &it, false);
    }
    manscdp_catalog_put_end(&x, &d->c.dialect, &cat, (uint32_t)n);
    if (send_message(d, &w, FOR_PAGE, now)) {
        d->page.active = false;
        return;
    }
    if (d->c.faults.dup_catalog)
        send_message(d, &w, FOR_OTHER, now);
    d->page.next += n;
}

/* Pages go one after the other: the 200 to one calls for the next. */
static void on_page_answer(struct device *d, const struct sip_event *ev,
                           struct gb_time now)
{
    if (!d->page.active || (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    if (ev->kind != SIP_EV_RESPONSE || ev->status >= 300 ||
        d->page.next >= d->c.n_channels)
        d->page.active = false;
    else
        send_page(d, now);
}

static int on_catalog_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;

    d->page.active = true;
    d->page.sn = m->sn;
    d->page.next = 0;
    send_page(d, d->now);
    return 0;
}

static int on_info_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    char buf[2048], count[16];
    struct writer w = writer_of(buf, sizeof(buf));
    struct manscdp_device_info info = {
        .sn = m->sn, .device_id = m->device_id, .result = MANSCDP_OK,
        .device_name = slice_str(d->c.name), .device_type = SLICE("IPC"),
        .manufacturer = slice_str(d->c.manufacturer),
        .model = slice_str(d->c.model), .firmware = slice_str(d->c.firmware),
    };

    snprintf(count, sizeof(count), "%zu", d->c.n_channels);
    info.channel = slice_str(count);
    manscdp_device_info_encode(&w, &d->c.dialect, &info);
    return send_message(d, &w, FOR_OTHER, d->now);
}

static int on_status_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    char buf[2048], when[40];
    struct writer w = writer_of(buf, sizeof(buf));
    struct writer tw = writer_of(when, sizeof(when));
    struct manscdp_device_status st = {
        .sn = m->sn, .device_id = m->device_id, .result = MANSCDP_OK,
        .online = MANSCDP_ON, .status = MANSCDP_OK, .encode = MANSCDP_ON,
        .record = MANSCDP_OFF,
    };

    manscdp_time_write(&tw, d->now.utc_ms, d->c.timezone_min);
    st.device_time = writer_slice(&tw);
    manscdp_device_status_encode(&w, &d->c.dialect, &st);
    return send_message(d, &w, FOR_OTHER, d->now);
}

static int on_response(void *ctx, const struct manscdp_msg *m)
{
    (void)ctx;
    (void)m; /* the platform confirms an alarm: nothing is left to do */
    return 0;
}

static const struct manscdp_handler handlers[] = {
    { MANSCDP_QUERY, MANSCDP_CMD_CATALOG, on_catalog_query },
    { MANSCDP_QUERY, MANSCDP_CMD_DEVICE_INFO, on_info_query },
    { MANSCDP_QUERY, MANSCDP_CMD_DEVICE_STATUS, on_status_query },
    { MANSCDP_RESPONSE, MANSCDP_CMD_ALARM, on_response },
};

void device_respond(struct device *d, uint64_t transaction, unsigned status,
                    struct gb_time now)
{
    struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(d->c.sip, transaction, &r, now.mono_ms);
}

static void on_message(struct device *d, const struct sip_event *ev,
                       struct gb_time now)
{
    struct manscdp_msg m;
    struct arena arena;
    char *scratch;
    int err;

    if (sip_msg_content(ev->msg) != SIP_CONTENT_MANSCDP) {
        device_respond(d, ev->transaction, 415, now);
        return;
    }
    scratch = gb_get(d->c.alloc, SCRATCH_BYTES);
    if (!scratch) {
        device_respond(d, ev->transaction, 500, now);
        return;
    }
    arena = arena_of(scratch, SCRATCH_BYTES);
    err = manscdp_msg_parse(&m, &arena, ev->msg->body, NULL, NULL);
    device_respond(d, ev->transaction, err ? 400 : 200, now);
    d->now = now;
    d->n.queries++;
    if (!err)
        manscdp_dispatch(handlers, sizeof(handlers) / sizeof(handlers[0]), d,
                         &m);
    gb_put(d->c.alloc, scratch);
}

/* ---- events and time ---------------------------------------------------------------- */

static void on_request(struct device *d, const struct sip_event *ev,
                       struct gb_time now)
{
    switch (ev->msg->method) {
    case SIP_METHOD_MESSAGE:
        on_message(d, ev, now);
        break;
    case SIP_METHOD_INVITE:
        device_on_invite(d, ev, now);
        break;
    case SIP_METHOD_SUBSCRIBE:
        device_on_subscribe(d, ev, now);
        break;
    case SIP_METHOD_OPTIONS:
    case SIP_METHOD_INFO:
        device_respond(d, ev->transaction, 200, now);
        break;
    default:
        device_respond(d, ev->transaction, 501, now);
        break;
    }
}

static void on_answer(struct device *d, const struct sip_event *ev,
                      struct gb_time now)
{
    switch ((enum purpose)(ev->user & 0xff)) {
    case FOR_REGISTER:
        device_on_register(d, ev, now);
        break;
    case FOR_KEEPALIVE:
        on_keepalive_answer(d, ev, now);
        break;
    case FOR_PAGE:
        on_page_answer(d, ev, now);
        break;
    case FOR_WATCH:
        device_on_watch(d, ev, now);
        break;
    case FOR_OTHER:
        break;
    }
}

void device_sip(struct device *d, const struct sip_event *ev, struct gb_time now)
{
    switch (ev->kind) {
    case SIP_EV_REQUEST:
        on_request(d, ev, now);
        break;
    case SIP_EV_RESPONSE:
    case SIP_EV_FAILED:
    case SIP_EV_UNSUBSCRIBED:
        on_answer(d, ev, now);
        break;
    case SIP_EV_ACKED:
    case SIP_EV_CANCELLED:
    case SIP_EV_ENDED:
        device_on_dialog(d, ev, now);
        break;
    case SIP_EV_NOTIFY: /* it subscribes to nothing */
    case SIP_EV_BAD:
        break;
    }
}

void device_tick(struct device *d, struct gb_time now)
{
    if (now.mono_ms >= d->register_ms && d->state != DEVICE_STOPPED)
        device_register(d, now);
    if (now.mono_ms >= d->keepalive_ms && d->state == DEVICE_ONLINE)
        send_keepalive(d, now);
    device_tick_sessions(d, now);
}

uint64_t device_deadline(const struct device *d)
{
    uint64_t at = d->register_ms < d->keepalive_ms ? d->register_ms
                                                   : d->keepalive_ms;
    uint64_t sessions = device_sessions_deadline(d);

    return at < sessions ? at : sessions;
}

void device_connected(struct device *d, uint64_t connection,
                      const struct gb_addr *local, struct gb_time now)
{
    d->c.server.connection = connection;
    d->c.server.local = *local;
    if (d->state == DEVICE_OFFLINE)
        device_register(d, now);
}

void device_disconnected(struct device *d, struct gb_time now)
{
    d->c.server.connection = 0;
    if (d->state == DEVICE_STOPPING || d->state == DEVICE_STOPPED)
        d->state = DEVICE_STOPPED;
    else
        device_go_offline(d, now, device_back_off(d), "connection lost", 0);
}

void device_stop(struct device *d, struct gb_time now)
{
    bool registered = d->state == DEVICE_ONLINE;

    device_end_sessions(d, now);
    device_forget_watches(d, now);
    d->register_ms = d->keepalive_ms = GB_NEVER;
    d->state = registered ? DEVICE_STOPPING : DEVICE_STOPPED;
    if (registered)
        device_register(d, now);
}

int device_new(struct device **out, const struct device_config *cfg,
               struct gb_time now)
{
    struct device *d = gb_get(cfg->alloc, sizeof(*d));

    if (!d)
        return GB_ENOMEM;
    d->c = *cfg;
    if (!d->c.expires_s)
        d->c.expires_s = 3600;
    if (!d->c.keepalive_s)
        d->c.keepalive_s = 60;
    if (!d->c.retry_ms)
        d->c.retry_ms = DEVICE_RETRY_MS;
    if (!d->c.items_per_message)
        d->c.items_per_message = 1;
    if (!d->c.max_sessions || d->c.max_sessions > DEVICE_MAX_SESSIONS)
        d->c.max_sessions = DEVICE_MAX_SESSIONS;
    d->register_ms = now.mono_ms;
    d->keepalive_ms = GB_NEVER;
    *out = d;
    return 0;
}

void device_free(struct device *d)
{
    if (!d)
        return;
    gb_put(d->c.alloc, d->session);
    gb_put(d->c.alloc, d->channel_state);
    gb_put(d->c.alloc, d);
}

bool device_is_online(const struct device *d)
{
    return d->state == DEVICE_ONLINE;
}

bool device_is_stopped(const struct device *d)
{
    return d->state == DEVICE_STOPPED;
}

const char *device_id(const struct device *d)
{
    return d->c.id;
}

const struct device_counters *device_counters(const struct device *d)
{
    return &d->n;
}
