#include "app/device/device_impl.h"

#include "base/prefetch.h"
#include "manscdp/notify.h"
#include "sip/value.h"

#include <stdio.h>

#define SCRATCH_BYTES 65536
#define SMALL_BYTES 4096 /* enough for most bodies */

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
static void put_uri(char *out, size_t cap, const char *user, const char *host,
                    const char *params)
{
    struct writer w = writer_of(out, cap - 1);

    writer_str(&w, "sip:");
    writer_str(&w, user);
    writer_char(&w, '@');
    writer_str(&w, host);
    writer_str(&w, params);
    out[w.len] = '\0';
}

void device_request(struct device *d, struct sip_request *r,
                    struct device_request_text *t, enum sip_method method)
{
    char addr[GB_ADDR_TEXT_MAX];
    bool own_aor = method == SIP_METHOD_REGISTER;

    *r = (struct sip_request){ .method = method, .peer = d->c.server,
                               .expires = -1 };
    put_uri(t->uri, sizeof(t->uri), d->c.server_id,
            gb_addr_text(&d->c.server.remote, addr), "");
    put_uri(t->from, sizeof(t->from), d->c.id, d->c.realm, "");
    put_uri(t->to, sizeof(t->to), own_aor ? d->c.id : d->c.server_id,
            d->c.realm, "");
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

    put_uri(out, cap, d->c.id, gb_addr_text(&d->c.server.local, addr),
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

/* The first of old becomes new, if it is there and there is room. */
static void replace(struct writer *w, struct slice old, struct slice new)
{
    size_t at = slice_find_slice(writer_slice(w), old);
    size_t behind = at + old.n;

    if (behind > w->len || w->len - old.n + new.n > w->cap)
        return;
    memmove(w->p + at + new.n, w->p + behind, w->len - behind);
    memcpy(w->p + at, new.p, new.n);
    w->len += new.n - old.n;
}

/* What stands between two texts, the first of each; empty: they do not. */
static struct slice between(const struct writer *w, struct slice a,
                            struct slice b)
{
    size_t at = slice_find_slice(writer_slice(w), a);
    struct slice rest = slice_from(writer_slice(w), at + a.n);

    return at < w->len ? slice_head(rest, slice_find_slice(rest, b))
                       : slice_of(NULL, 0);
}

/* <Notify><CmdType>..</CmdType><SN>..</SN> as one element with attributes. */
static void put_attributes(struct writer *w)
{
    struct slice cmd = between(w, SLICE("<CmdType>"), SLICE("</CmdType>"));
    struct slice sn = between(w, SLICE("<SN>"), SLICE("</SN>"));
    char old[128], new[128];

    snprintf(old, sizeof(old),
             ">\r\n<CmdType>%.*s</CmdType>\r\n<SN>%.*s</SN>\r\n",
             SLICE_ARG(slice_head(cmd, 32)), SLICE_ARG(slice_head(sn, 10)));
    snprintf(new, sizeof(new), " CmdType=\"%.*s\" SN=\"%.*s\">\r\n",
             SLICE_ARG(slice_head(cmd, 32)), SLICE_ARG(slice_head(sn, 10)));
    replace(w, slice_str(old), slice_str(new));
}

/* Of every list but the catalog. */
static void drop_sum(struct writer *w)
{
    struct slice cmd = between(w, SLICE("<CmdType>"), SLICE("</CmdType>"));
    struct slice sum = between(w, SLICE("<SumNum>"), SLICE("</SumNum>"));
    char old[64];

    snprintf(old, sizeof(old), "<SumNum>%.*s</SumNum>\r\n",
             SLICE_ARG(slice_head(sum, 10)));
    if (!slice_eq(cmd, SLICE("Catalog")))
        replace(w, slice_str(old), SLICE(""));
}

/* What the device does wrong in every body. */
static void deviate(const struct device *d, struct writer *w)
{
    const struct device_faults *f = &d->c.faults;

    if (f->no_sum)
        drop_sum(w);
    if (f->attributes)
        put_attributes(w);
    if (f->nested_status)
        replace(w, SLICE("<Status>OK</Status>"),
                SLICE("<Info><Status>OK</Status></Info>"));
    if (f->raw_ampersand)
        replace(w, SLICE("<Name>"), SLICE("<Name>A & B "));

    if (f->false_charset)
        replace(w, SLICE("encoding=\"UTF-8\""), SLICE("encoding=\"GB2312\""));
    if (f->home_alias)
        replace(w, SLICE("<CmdType>HomePositionQuery<"),
                SLICE("<CmdType>HomePosition<"));
    if (f->no_result)
        replace(w, SLICE("<Result>OK</Result>\r\n"), SLICE(""));
    if (f->lf_only)
        strip_cr(w);
}

int device_send(struct device *d, struct writer *body, enum purpose p,
                struct gb_time now)
{
    struct device_request_text t;
    struct sip_request r;
    uint64_t id;

    if (body->err)
        return body->err;
    deviate(d, body);
    device_request(d, &r, &t, SIP_METHOD_MESSAGE);
    r.content_type = SLICE(SIP_TYPE_MANSCDP);
    r.body = writer_slice(body);
    r.user = device_user(d, p);
    return sip_stack_request(d->c.sip, &r, now.mono_ms, &id);
}

/* ---- how answers are written ------------------------------------------------- */

struct manscdp_dialect device_answer_dialect(const struct device *d)
{
    struct manscdp_dialect out = d->c.dialect;

    if (d->c.faults.false_charset)
        out.charset = MANSCDP_UTF8;
    if (d->c.faults.other_edition)
        out.edition = out.edition == MANSCDP_2022 ? MANSCDP_2016
                                                  : MANSCDP_2022;
    return out;
}

uint32_t device_answer_sn(const struct device *d, uint32_t sn)
{
    return d->c.faults.wrong_sn ? sn ^ 0x1000 : sn;
}

struct slice device_answer_id(const struct device *d, struct slice id)
{
    return d->c.faults.wrong_id || !id.n ? slice_str(d->c.id) : id;
}

size_t device_target_of(const struct device *d, struct slice id)
{
    if (!id.n || slice_eq(id, slice_str(d->c.id)))
        return d->c.n_channels;
    for (size_t i = 0; i < d->c.n_channels; i++)
        if (slice_eq(id, slice_str(d->c.channel[i].id)))
            return i;
    return DEVICE_NOBODY;
}

int device_encode(const struct device *d, struct writer *w,
                  const struct manscdp_body *b, const void *in)
{
    struct manscdp_dialect dialect = device_answer_dialect(d);
    size_t len = w->len;

    if (!manscdp_body_encode(w, &dialect, b, in) ||
        dialect.edition == d->c.dialect.edition)
        return w->err;
    w->err = 0; /* the other edition does not have it */
    w->len = len;
    dialect.edition = d->c.dialect.edition;
    return manscdp_body_encode(w, &dialect, b, in);
}

void device_done(struct device *d, const char *what, bool well)
{
    struct device_action a = { .kind = DEVICE_DONE, .text = what,
                               .status = well };

    device_push(d, &a);
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
    device_send(d, &w, FOR_KEEPALIVE, now);
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

static void remember(struct device *d, const struct device_past_alarm *a)
{
    struct device_gear *g = device_model_gear(&d->model, d->c.alloc);

    if (!g)
        return;
    if (g->n_alarms == DEVICE_ALARMS) {
        g->n_alarms--;
        memmove(g->alarm, g->alarm + 1, g->n_alarms * sizeof(*g->alarm));
    }
    g->alarm[g->n_alarms++] = *a;
}

/* It is not to be raised: see device_alarm. */
static bool is_held_back(struct device *d, const struct device_past_alarm *a)
{
    const struct device_target *own = device_model_find(&d->model, a->channel);
    const struct device_target *all =
        device_model_find(&d->model, d->c.n_channels);
    bool armed = (own && own->duty == MANSCDP_ONDUTY) ||
                 (all && all->duty == MANSCDP_ONDUTY &&
                  (!own || own->duty == MANSCDP_DUTY_UNKNOWN));

    return (d->c.faults.guard_first && !armed) ||
           (a->method == MANSCDP_ALARM_METHOD_DEVICE && own && own->latched);
}

static void raise(struct device *d, const struct device_past_alarm *a)
{
    struct device_target *t = device_model_make(&d->model, d->c.alloc,
                                                a->channel);

    if (t) {
        t->alarming = true;
        t->latched |= a->method == MANSCDP_ALARM_METHOD_DEVICE;
    }
    remember(d, a);
    d->n.alarms++;
}

int device_alarm(struct device *d, size_t channel, struct gb_time now)
{
    const struct device_past_alarm a = {
        .channel = channel, .utc_ms = now.utc_ms,
        .method = d->c.alarm_method ? d->c.alarm_method : 5,
        .type = d->c.alarm_method ? d->c.alarm_type : 2,
    };
    const struct device_faults *f = &d->c.faults;
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));

    if (channel >= d->c.n_channels)
        return d->state == DEVICE_ONLINE ? GB_ENOENT : GB_ESTATE;
    if (d->state != DEVICE_ONLINE || is_held_back(d, &a))
        return GB_ESTATE;
    device_write_alarm(d, &w, &a, ++d->sn);
    raise(d, &a);
    if (!w.err && !f->alarm_message &&
        device_watch_alarm(d, &a, writer_slice(&w), now) && !f->alarm_twice)
        return 0;
    return device_send(d, &w, FOR_OTHER, now);
}

void device_respond(struct device *d, uint64_t transaction, unsigned status,
                    struct gb_time now)
{
    struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(d->c.sip, transaction, &r, now.mono_ms);
}

/* The oldest go when too many wait. */
static void defer(struct device *d, struct slice body, uint64_t at_ms)
{
    struct device_deferred *q = gb_get(d->c.alloc, sizeof(*q) + body.n);
    struct device_deferred **last = &d->deferred;

    if (!q)
        return;
    *q = (struct device_deferred){ .at_ms = at_ms, .n = body.n };
    memcpy(q->body, body.p, body.n);
    while (*last)
        last = &(*last)->next;
    *last = q;
    if (++d->n_deferred <= DEVICE_MAX_DEFERRED)
        return;
    q = d->deferred;
    d->deferred = q->next;
    d->n_deferred--;
    gb_put(d->c.alloc, q);
}

/* The request that brought a body is answered (transaction 0: that was done)
 * before what the body says is done: now, or later with late_ms. */
static void take_body(struct device *d, struct slice body, uint64_t transaction,
                      struct gb_time now)
{
    char small[SMALL_BYTES], *large = NULL;
    struct arena arena = arena_of(small, sizeof(small));
    struct manscdp_msg m;
    int err = manscdp_msg_parse(&m, &arena, body, NULL, NULL);

    if (err == GB_ENOMEM) {
        large = gb_get(d->c.alloc, SCRATCH_BYTES);
        arena = arena_of(large, large ? SCRATCH_BYTES : 0);
        err = large ? manscdp_msg_parse(&m, &arena, body, NULL, NULL) : err;
    }
    if (transaction) {
        unsigned bad = err == GB_ENOMEM && !large ? 500 : 400;

        device_respond(d, transaction, err ? bad : 200, now);
        d->n.queries += !err;
    }
    d->now = now;
    if (!err && transaction && d->c.faults.late_ms)
        defer(d, body, now.mono_ms + d->c.faults.late_ms);
    else if (!err)
        device_command(d, &m);
    gb_put(d->c.alloc, large);
}

static void on_message(struct device *d, const struct sip_event *ev,
                       struct gb_time now)
{
    unsigned status = d->c.faults.refuse_message;

    if (!status && sip_msg_content(ev->msg) != SIP_CONTENT_MANSCDP)
        status = 415;
    if (status)
        device_respond(d, ev->transaction, status, now);
    else
        take_body(d, ev->msg->body, ev->transaction, now);
}

static void tick_deferred(struct device *d, struct gb_time now)
{
    while (d->deferred && d->deferred->at_ms <= now.mono_ms) {
        struct device_deferred *q = d->deferred;

        d->deferred = q->next;
        d->n_deferred--;
        if (d->state == DEVICE_ONLINE)
            take_body(d, slice_of(q->body, q->n), 0, now);
        gb_put(d->c.alloc, q);
    }
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
    case SIP_METHOD_INFO:
        device_on_control(d, ev, now);
        break;
    case SIP_METHOD_OPTIONS:
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
        device_on_list_answer(d, ev, now);
        break;
    case FOR_WATCH:
        device_on_watch(d, ev, now);
        break;
    case FOR_VOICE:
        device_voice_answer(d, ev, now);
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
    case SIP_EV_REFUSED:
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
    device_voice_tick(d, now);
    device_tick_jobs(d, now);
    device_tick_watches(d, now);
    tick_deferred(d, now);
}

void device_ahead(const struct device *d)
{
    prefetch_range(d, DEVICE_AWAKE);
}

uint64_t device_deadline(const struct device *d)
{
    const uint64_t at_ms[] = {
        d->register_ms, d->keepalive_ms, device_sessions_deadline(d),
        device_voice_deadline(d),
        device_jobs_deadline(d), device_watches_deadline(d),
        d->deferred ? d->deferred->at_ms : GB_NEVER,
    };
    uint64_t first_ms = GB_NEVER;

    for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++)
        if (at_ms[i] < first_ms)
            first_ms = at_ms[i];
    return first_ms;
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
    if (!d->c.records)
        d->c.records = 48;
    if (!d->c.max_sessions || d->c.max_sessions > DEVICE_MAX_SESSIONS)
        d->c.max_sessions = DEVICE_MAX_SESSIONS;
    d->register_ms = now.mono_ms;
    d->keepalive_ms = d->boot_ms = GB_NEVER;
    *out = d;
    return 0;
}

void device_free(struct device *d)
{
    if (!d)
        return;
    gb_put(d->c.alloc, d->session);
    gb_put(d->c.alloc, d->channel_state);
    device_model_fini(&d->model, d->c.alloc);
    while (d->deferred) {
        struct device_deferred *q = d->deferred;

        d->deferred = q->next;
        gb_put(d->c.alloc, q);
    }
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
