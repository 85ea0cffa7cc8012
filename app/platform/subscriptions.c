#include "app/platform/core.h"
#include "app/platform/outgoing.h"
#include "app/platform/settings.h"
#include "app/platform/way.h"

#include "base/writer.h"
#include "manscdp/catalog.h"
#include "manscdp/control.h"
#include "sip/value.h"

#define REFRESH_PERCENT 80
#define NOT_OFTENER_MS 30000   /* than this: any SUBSCRIBE to one device, but for
                                  the refresh of a short one, and one behind a
                                  NOTIFY that wants it at once */
#define LATER_MS 300000        /* after a failure; twice as long each time ... */
#define LATEST_MS 3600000      /* ... up to this */
#define REFUSED_MS 86400000    /* a device that knows no subscriptions */
#define MAX_SILENT 3           /* unanswered ones mean the same */
#define MAX_ASK_S 86400
#define SHORTEST_S 5           /* that is kept up: refreshed at its own pace */
#define POSITION_INTERVAL_S 5  /* GB/T 28181-2016 A.2.4 */
#define ARMED_S 3600           /* alarms of a device that is armed */
#define GUARD_BEHIND_MS 3000   /* SetGuard after the subscriptions */
#define GUARD_AGAIN_MS 10000
#define POLL_MIN_MS 900000      /* the catalog of a device that reports no
                                   changes: asked for, twice as rarely each
                                   time that there is nothing new ... */
#define POLL_MAX_MS 14400000    /* ... down to this */
#define SUBSCRIBE_MS 10000     /* for the answer */
#define CALM_MS 30000          /* after a flood, the whole catalog */

static const enum manscdp_cmd cmd_of[PLATFORM_SUBSCRIPTION_KINDS] = {
    [PLATFORM_SUBSCRIBE_CATALOG] = MANSCDP_CMD_CATALOG,
    [PLATFORM_SUBSCRIBE_ALARM] = MANSCDP_CMD_ALARM,
    [PLATFORM_SUBSCRIBE_POSITION] = MANSCDP_CMD_MOBILE_POSITION,
    [PLATFORM_SUBSCRIBE_PTZ] = MANSCDP_CMD_PTZ_POSITION,
};

const char *platform_subscription_name(enum platform_subscription_kind k)
{
    static const char *const names[PLATFORM_SUBSCRIPTION_KINDS] = {
        "catalog", "alarm", "position", "ptz"
    };

    return names[k];
}

const char *platform_subscription_state_name(enum platform_subscription_state s)
{
    static const char *const names[] = { "none", "waiting", "asking", "active",
                                         "refused" };

    return names[s];
}

/* ---- time -------------------------------------------------------------- */

static void arm(struct platform *p, struct device_subscriptions *t)
{
    uint64_t at_ms = t->guard_at_ms < t->poll_at_ms ? t->guard_at_ms
                                                    : t->poll_at_ms;

    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (t->of[k].at_ms < at_ms)
            at_ms = t->of[k].at_ms;
    timerq_set(&p->timers, &t->timer, at_ms);
}

/* Never sooner than NOT_OFTENER_MS after the last one. */
static uint64_t not_before(const struct device_subscription *u, uint64_t at_ms)
{
    uint64_t first_ms = u->asked_ms ? u->asked_ms + NOT_OFTENER_MS : 0;

    return at_ms > first_ms ? at_ms : first_ms;
}

static void put_off(struct platform *p, struct device_subscription *u,
                    uint64_t ms)
{
    u->id = 0;
    u->expires_utc_ms = 0;
    u->state = PLATFORM_SUBSCRIPTION_WAITING;
    u->at_ms = not_before(u, p->now.mono_ms + ms);
}

/* Changes that are not reported are looked for (field-note 13.1). */
static void poll_later(struct platform *p, struct device_subscriptions *t)
{
    bool news;

    t->poll_at_ms = GB_NEVER;
    if (t->of[PLATFORM_SUBSCRIBE_CATALOG].state !=
        PLATFORM_SUBSCRIPTION_REFUSED)
        return;
    news = query_news(t->device); /* that of the first catalog too */
    if (!t->poll_ms || news)
        t->poll_ms = POLL_MIN_MS;
    else if (t->poll_ms < POLL_MAX_MS)
        t->poll_ms *= 2;
    t->poll_at_ms = p->now.mono_ms + t->poll_ms +
                    platform_random_in(p, 0, t->poll_ms / 10);
}

static void poll(struct platform *p, struct device_subscriptions *t)
{
    if (t->poll_at_ms > p->now.mono_ms)
        return;
    t->poll_at_ms = GB_NEVER;
    if (t->of[PLATFORM_SUBSCRIBE_CATALOG].state !=
        PLATFORM_SUBSCRIPTION_REFUSED)
        return;
    t->poll_at_ms = p->now.mono_ms + POLL_MAX_MS; /* if it is not answered */
    query_want(p, t->device, QUERY_CATALOG, 0);
}

void subscriptions_polled(struct platform *p, struct device *d)
{
    if (!d->subscriptions)
        return;
    poll_later(p, d->subscriptions);
    arm(p, d->subscriptions);
}

static void refuse(struct platform *p, struct device *d,
                   struct device_subscription *u)
{
    unsigned k = (unsigned)(u - d->subscriptions->of);

    put_off(p, u, REFUSED_MS);
    u->state = PLATFORM_SUBSCRIPTION_REFUSED;
    u->failures = 0;
    if (k == PLATFORM_SUBSCRIBE_CATALOG)
        poll_later(p, d->subscriptions);
    platform_log_peer(p, PLATFORM_INFO,
                      "msg=\"subscription refused\" device=%s kind=%s "
                      "status=%u why=\"%s\" again_s=%u",
                      d->id, platform_subscription_name(k), u->status,
                      u->why ? u->why : "", REFUSED_MS / 1000);
}

static void later(struct platform *p, struct device_subscription *u,
                  uint32_t retry_after_s)
{
    uint64_t ms = (uint64_t)LATER_MS << (u->failures < 4 ? u->failures : 4);

    if (retry_after_s)
        ms = (uint64_t)retry_after_s * 1000;
    if (ms > LATEST_MS)
        ms = LATEST_MS;
    if (u->failures < UINT8_MAX)
        u->failures++;
    put_off(p, u, ms + platform_random_in(p, 0, ms / 10 + 1));
}

/* ---- asking ------------------------------------------------------------ */

static int write_body(struct platform *p, const struct device *d, unsigned k,
                      struct writer *w)
{
    struct manscdp_dialect dialect = device_dialect(d);
    struct xml_out x;

    manscdp_put_begin(&x, w, &dialect, MANSCDP_QUERY, cmd_of[k],
                      platform_next_sn(p), device_id(d));
    switch ((enum platform_subscription_kind)k) {
    case PLATFORM_SUBSCRIBE_ALARM: /* all of them */
        xml_put(&x, "StartAlarmPriority", SLICE("0"));
        xml_put(&x, "EndAlarmPriority", SLICE("0"));
        xml_put(&x, "AlarmMethod", SLICE("0"));
        break;
    case PLATFORM_SUBSCRIBE_POSITION:
        xml_put_u32(&x, "Interval", POSITION_INTERVAL_S);
        break;
    case PLATFORM_SUBSCRIBE_CATALOG:
    case PLATFORM_SUBSCRIBE_PTZ:
    case PLATFORM_SUBSCRIPTION_KINDS:
        break;
    }
    manscdp_put_end(&x, MANSCDP_QUERY);
    return w->err;
}

/* "Catalog;id=n" for the catalog, "presence" for the others; a device that
 * answers 489 gets the other form. */
static struct slice event_of(const struct device *d, unsigned k,
                             char *text, size_t cap)
{
    struct writer w = writer_of(text, cap);
    bool plain = (k == PLATFORM_SUBSCRIBE_CATALOG) ==
                 d->subscriptions->of[k].other_event;

    if (plain)
        return SLICE("presence");
    writer_str(&w, manscdp_cmd_name(cmd_of[k]));
    writer_f(&w, ";id=%u", (unsigned)(1000 + k));
    return writer_slice(&w);
}

static int subscribe(struct platform *p, struct device *d, unsigned k,
                     uint32_t expires_s)
{
    struct device_subscription *u = &d->subscriptions->of[k];
    struct outgoing o;
    struct sip_subscribe q = { .loose = true }; /* many never send a NOTIFY */
    char body[512], event[64];
    struct writer w = writer_of(body, sizeof(body));
    int err = write_body(p, d, k, &w);

    if (!err)
        err = outgoing_init(&o, p, d, device_id(d), SIP_METHOD_SUBSCRIBE);
    if (err)
        return err;
    u->login = outgoing_has_login(d);
    q.r = o.r;
    q.r.expires = expires_s;
    q.r.content_type = SLICE(SIP_TYPE_MANSCDP);
    q.r.body = writer_slice(&w);
    q.r.user = d->handle.id;
    q.r.timeout_ms = SUBSCRIBE_MS;
    q.event = event_of(d, k, event, sizeof(event));
    return sip_stack_subscribe(p->sip, &q, p->now.mono_ms, &u->id);
}

static void ask(struct platform *p, struct device *d, unsigned k)
{
    struct device_subscription *u = &d->subscriptions->of[k];
    int err = subscribe(p, d, k, u->asks_s);

    u->asked_ms = p->now.mono_ms ? p->now.mono_ms : 1;
    u->at_ms = GB_NEVER;
    if (u->state != PLATFORM_SUBSCRIPTION_ACTIVE)
        u->state = PLATFORM_SUBSCRIPTION_ASKING;
    if (!err)
        return;
    sip_stack_forget(p->sip, u->id, p->now.mono_ms);
    later(p, u, 0);
}

/* Visible among the commands; tried again while those are full. */
static void set_guard(struct platform *p, struct device_subscriptions *t)
{
    struct manscdp_control_guard guard = { .guard = MANSCDP_GUARD_SET };
    const struct platform_order o = { .device = device_id(t->device),
                                      .root = MANSCDP_CONTROL,
                                      .cmd = MANSCDP_CMD_DEVICE_CONTROL,
                                      .body = &manscdp_control_guard_body,
                                      .in = &guard };
    uint64_t id;
    int err = platform_command_send(p, &o, p->now, &id);

    t->guard_at_ms = GB_NEVER;
    if (err == GB_ELIMIT || err == GB_ENOMEM)
        t->guard_at_ms = p->now.mono_ms + GUARD_AGAIN_MS;
}

void subscriptions_on_timer(struct platform *p, struct device_subscriptions *t)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        struct device_subscription *u = &t->of[k];

        if (u->at_ms > p->now.mono_ms)
            continue;
        u->at_ms = GB_NEVER;
        if (t->device->online)
            ask(p, t->device, k);
        else /* its day is over: when it is back */
            u->state = PLATFORM_SUBSCRIPTION_NONE;
    }
    if (t->guard_at_ms <= p->now.mono_ms)
        set_guard(p, t);
    poll(p, t);
    arm(p, t);
}

/* ---- life with the device ---------------------------------------------- */

static struct device_subscriptions *make(struct platform *p, struct device *d)
{
    struct device_subscriptions *t = gb_get(p->alloc, sizeof(*t));

    if (!t)
        return NULL; /* tried again at its next registration */
    t->device = d;
    timerq_node_init(&t->timer, TIMER_SUBSCRIPTIONS);
    t->guard_at_ms = t->poll_at_ms = GB_NEVER;
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        t->of[k].at_ms = GB_NEVER;
    d->subscriptions = t;
    return t;
}

/* Seconds to ask for, 0: not wanted. Alarms of what is armed always are. */
static uint32_t wanted_s(const struct platform *p, const struct device *d,
                         unsigned k)
{
    const struct platform_policy *of_group = group_policy(d);
    uint32_t s = device_rare(d)->subscribe.s[k];

    if (!s && of_group)
        s = of_group->s[k];
    if (!s)
        s = p->cfg.subscribe_s[k];
    else if (s == PLATFORM_SUBSCRIBE_NEVER)
        s = 0;
    if (k == PLATFORM_SUBSCRIBE_PTZ && d->edition != MANSCDP_2022)
        return 0; /* it would not know the CmdType */
    return !s && k == PLATFORM_SUBSCRIBE_ALARM && d->arms ? ARMED_S : s;
}

static bool wants_any(const struct platform *p, const struct device *d)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (wanted_s(p, d, k))
            return true;
    return false;
}

/* In their dialogs, as far as it knows them still: otherwise it would report
 * everything twice once it is asked anew. */
static void end_all(struct platform *p, struct device *d)
{
    for (unsigned k = 0; d->subscriptions && k < PLATFORM_SUBSCRIPTION_KINDS;
         k++)
        if (d->subscriptions->of[k].id && d->bound)
            (void)subscribe(p, d, k, 0);
}

void subscriptions_begin(struct platform *p, struct device *d)
{
    struct device_subscriptions *t = d->subscriptions;

    if (!t && (!wants_any(p, d) || !(t = make(p, d))))
        return;
    end_all(p, d);
    subscriptions_stop(p, d);
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        struct device_subscription *u = &t->of[k];

        if (!u->longer)
            u->asks_s = wanted_s(p, d, k);
        if (!wanted_s(p, d, k))
            u->asks_s = 0;
        if (!u->asks_s || u->state == PLATFORM_SUBSCRIPTION_REFUSED)
            continue;
        u->failures = 0;
        u->asked_ms = 0;
        put_off(p, u, query_jitter(p));
    }
    if (d->arms)
        t->guard_at_ms = p->now.mono_ms + query_jitter(p) + GUARD_BEHIND_MS;
    poll_later(p, t);
    arm(p, t);
}

/* What it reports and nobody wants is ended in its dialog. */
static void end_one(struct platform *p, struct device *d, unsigned k)
{
    struct device_subscription *u = &d->subscriptions->of[k];

    if (u->id && d->bound)
        (void)subscribe(p, d, k, 0);
    sip_stack_forget(p->sip, u->id, p->now.mono_ms);
    u->id = 0;
    u->expires_utc_ms = 0;
    u->asks_s = 0;
    u->state = PLATFORM_SUBSCRIPTION_NONE;
    u->at_ms = GB_NEVER;
}

static void follow_policy(struct platform *p, struct device *d, unsigned k)
{
    struct device_subscription *u = &d->subscriptions->of[k];
    uint32_t want = wanted_s(p, d, k);

    if (want == u->asks_s || (want && u->longer))
        return;
    if (!want) {
        end_one(p, d, k);
        return;
    }
    u->asks_s = want;
    u->failures = 0;
    if (u->state == PLATFORM_SUBSCRIPTION_ACTIVE)
        u->at_ms = not_before(u, p->now.mono_ms + query_jitter(p));
    else if (u->state == PLATFORM_SUBSCRIPTION_NONE)
        put_off(p, u, query_jitter(p));
}

void subscriptions_policy(struct platform *p, struct device *d)
{
    struct device_subscriptions *t = d->subscriptions;

    if (!d->online || (!t && (!wants_any(p, d) || !(t = make(p, d)))))
        return; /* at its next registration */
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        follow_policy(p, d, k);
    arm(p, t);
}

void subscriptions_guard(struct platform *p, struct device *d)
{
    struct device_subscriptions *t = d->subscriptions;

    if (!d->online || (!t && !(t = make(p, d))))
        return; /* at its next registration */
    t->guard_at_ms = p->now.mono_ms;
    arm(p, t);
}

/* What was refused stays refused for its day, whatever the device does. */
void subscriptions_stop(struct platform *p, struct device *d)
{
    struct device_subscriptions *t = d->subscriptions;

    if (!t)
        return;
    t->guard_at_ms = t->poll_at_ms = GB_NEVER;
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        struct device_subscription *u = &t->of[k];
        bool refused = u->state == PLATFORM_SUBSCRIPTION_REFUSED &&
                       u->at_ms > p->now.mono_ms;

        sip_stack_forget(p->sip, u->id, p->now.mono_ms);
        u->id = 0;
        u->expires_utc_ms = 0;
        if (refused)
            continue;
        u->state = PLATFORM_SUBSCRIPTION_NONE;
        u->at_ms = GB_NEVER;
    }
    arm(p, t);
}

void subscriptions_end(struct platform *p, struct device *d)
{
    end_all(p, d);
    subscriptions_fini(p, d);
}

void subscriptions_fini(struct platform *p, struct device *d)
{
    if (!d->subscriptions)
        return;
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        sip_stack_forget(p->sip, d->subscriptions->of[k].id, p->now.mono_ms);
    timerq_stop(&p->timers, &d->subscriptions->timer);
    gb_put(p->alloc, d->subscriptions);
    d->subscriptions = NULL;
}

void subscriptions_move(struct platform *p, struct device *d)
{
    const struct sip_peer way = way_of(d);

    for (unsigned k = 0; d->subscriptions && k < PLATFORM_SUBSCRIPTION_KINDS;
         k++)
        sip_stack_move_subscription(p->sip, d->subscriptions->of[k].id, &way);
}

/* ---- what comes back --------------------------------------------------- */

static struct device_subscription *find(struct device *d, uint64_t id)
{
    struct device_subscriptions *t = d->subscriptions;

    for (unsigned k = 0; t && id && k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (t->of[k].id == id)
            return &t->of[k];
    return NULL;
}

static void granted(struct platform *p, struct device_subscription *u,
                    uint32_t expires_s)
{
    uint64_t ms = (uint64_t)expires_s * 1000;

    u->state = PLATFORM_SUBSCRIPTION_ACTIVE;
    u->failures = 0;
    u->why = NULL;
    u->expires_utc_ms = p->now.utc_ms + (int64_t)ms;
    u->at_ms = p->now.mono_ms + ms / 100 * REFRESH_PERCENT;
}

/* It does not know, or does not want, what was asked for. */
static bool is_refusal(unsigned status)
{
    switch (status) {
    case 400:
    case 403:
    case 404:
    case 405:
    case 406:
    case 415:
    case 489:
    case 501:
    case 603:
        return true;
    default:
        return false;
    }
}

static bool take_min_expires(struct device_subscription *u,
                             const struct sip_msg *m)
{
    uint32_t min_s;

    if (u->longer || !m ||
        !sip_seconds_parse(sip_msg_value(m, SIP_HDR_MIN_EXPIRES), &min_s) ||
        min_s <= u->asks_s || min_s > MAX_ASK_S)
        return false;
    u->asks_s = min_s;
    u->longer = true;
    return true;
}

static uint32_t retry_after_s(const struct sip_event *ev)
{
    uint32_t s;

    if (!ev->msg ||
        !sip_retry_after_parse(sip_msg_value(ev->msg, SIP_HDR_RETRY_AFTER), &s))
        return 0;
    return s;
}

/* The first SUBSCRIBE has failed; the stack has forgotten it. */
static void not_accepted(struct platform *p, struct device *d,
                         struct device_subscription *u,
                         const struct sip_event *ev)
{
    bool silent = ev->kind == SIP_EV_FAILED && ev->status == 408;

    u->id = 0;
    if (ev->status == 489 && !u->other_event) {
        u->other_event = true;
        put_off(p, u, 0);
    } else if (outgoing_wants_login(d, u->login, ev->status)) {
        put_off(p, u, 0);
    } else if (ev->status == 423 && take_min_expires(u, ev->msg)) {
        put_off(p, u, 0);
    } else if (is_refusal(ev->status) ||
               (silent && u->failures + 1 >= MAX_SILENT)) {
        u->why = silent ? "the device never answered" : NULL;
        refuse(p, d, u);
    } else {
        later(p, u, retry_after_s(ev));
    }
}

/* The refresh has failed. Without an answer the dialog is given up;
 * otherwise it is tried again inside the time that is left. */
static void not_refreshed(struct platform *p, struct device_subscription *u,
                          const struct sip_event *ev)
{
    if (ev->kind == SIP_EV_FAILED) {
        sip_stack_forget(p->sip, u->id, p->now.mono_ms);
        put_off(p, u, 0);
        return;
    }
    u->at_ms = not_before(u, p->now.mono_ms +
                                 1000 * (uint64_t)retry_after_s(ev));
}

/* Why the device has ended it, from its Subscription-State. */
static const char *reason_text(enum sip_sub_reason r)
{
    switch (r) {
    case SIP_REASON_NONE:
        return "the device ended it without a reason";
    case SIP_REASON_OTHER:
        return "the device ended it for a reason of its own";
    case SIP_REASON_DEACTIVATED:
        return "the device ended it and wants to be asked anew (deactivated)";
    case SIP_REASON_TIMEOUT:
        return "the device ended it because its time was over (timeout)";
    case SIP_REASON_PROBATION:
        return "the device ended it for now (probation)";
    case SIP_REASON_GIVEUP:
        return "the device ended it: it was not allowed in time (giveup)";
    case SIP_REASON_REJECTED:
        return "the device ended it: it does not allow this platform to "
               "subscribe (rejected)";
    case SIP_REASON_NORESOURCE:
        return "the device ended it: what was asked for is not there any "
               "more (noresource)";
    case SIP_REASON_INVARIANT:
        return "the device ended it: what was asked for never changes "
               "(invariant)";
    }
    return NULL;
}

/* RFC 6665 §4.1.3; one that ends again as soon as it is there waits for its turn. */
static void ask_at_once(struct platform *p, struct device_subscription *u)
{
    bool young = p->now.mono_ms < u->asked_ms + NOT_OFTENER_MS;

    put_off(p, u, 0);
    if (young && !u->hurried)
        u->at_ms = p->now.mono_ms;
    u->hurried = young;
}

static void on_unsubscribed(struct platform *p, struct device *d,
                            struct device_subscription *u,
                            const struct sip_event *ev)
{
    u->id = 0;
    if (ev->status == 200)
        u->why = reason_text(ev->sub.reason);
    if (ev->status != 200)
        put_off(p, u, 0);
    else if (ev->sub.again == SIP_AGAIN_NOW)
        ask_at_once(p, u);
    else if (ev->sub.again == SIP_AGAIN_LATER)
        later(p, u, ev->sub.retry_after_s);
    else
        refuse(p, d, u);
}

/* Before 2022 a 200 has a Response in its body, which may refuse. */
static bool says_error(struct platform *p, const struct sip_event *ev)
{
    struct arena a = arena_of(p->arena, PLATFORM_ARENA);
    struct manscdp_msg m;

    return ev->msg && ev->msg->body.n &&
           manscdp_msg_parse(&m, &a, ev->msg->body, NULL, NULL) == 0 &&
           m.root == MANSCDP_RESPONSE &&
           manscdp_result_parse(xml_text(m.doc.root, SLICE("Result"))) ==
               MANSCDP_ERROR;
}

/* Why a 200 accepts nothing; NULL: it does. No time, or hardly any, is none that
 * could be kept up (RFC 6665 §4.1.2.1: the 200 says what it is). */
static const char *refused_by_200(struct platform *p,
                                  const struct sip_event *ev)
{
    if (says_error(p, ev))
        return "the device answered 200, and ERROR in its body";
    if (!ev->sub.expires_s)
        return "the device answered 200, and Expires: 0: it grants no time";
    if (ev->sub.expires_s < SHORTEST_S)
        return "the device grants so little time that it is over before it "
               "can be asked again";
    return NULL;
}

/* first: in a dialog that was, it is the end of that one. */
static void on_accepted(struct platform *p, struct device *d,
                        struct device_subscription *u,
                        const struct sip_event *ev, bool first)
{
    const char *why = refused_by_200(p, ev);

    if (!why) {
        granted(p, u, ev->sub.expires_s);
        return;
    }
    sip_stack_forget(p->sip, u->id, p->now.mono_ms);
    u->id = 0;
    u->why = why;
    if (first || says_error(p, ev))
        refuse(p, d, u);
    else
        put_off(p, u, 0);
}

void subscriptions_on_event(struct platform *p, struct device *d,
                            const struct sip_event *ev)
{
    struct device_subscription *u = find(d, ev->subscription);
    bool first;

    if (!u || (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    u->status = (uint16_t)ev->status;
    first = u->state == PLATFORM_SUBSCRIPTION_ASKING;
    if (ev->kind == SIP_EV_UNSUBSCRIBED)
        on_unsubscribed(p, d, u, ev);
    else if (ev->kind == SIP_EV_RESPONSE && ev->status < 300)
        on_accepted(p, d, u, ev, first);
    else if (first)
        not_accepted(p, d, u, ev);
    else
        not_refreshed(p, u, ev);
    arm(p, d->subscriptions);
}

static bool is_within_rate(struct platform *p, struct device_subscriptions *t)
{
    if (p->now.mono_ms - t->window_ms >= PLATFORM_NOTIFY_WINDOW_MS) {
        t->window_ms = p->now.mono_ms;
        t->in_window = 0;
    }
    return t->in_window++ < PLATFORM_NOTIFY_MAX;
}

bool subscriptions_admit(struct platform *p, struct device *d,
                         const struct sip_event *ev)
{
    struct device_subscription *u = find(d, ev->subscription);
    bool good = u ? is_within_rate(p, d->subscriptions)
                  : bucket_take(&p->stray_notifies, PLATFORM_STRAY_RATE,
                                PLATFORM_STRAY_BURST, p->now.mono_ms);

    if (good)
        return true;
    p->counters.notify_floods++;
    device_deviation(p, d, DEVIATION_NOTIFY_FLOOD, slice_of(NULL, 0));
    if (!u || u == &d->subscriptions->of[PLATFORM_SUBSCRIBE_CATALOG])
        query_want(p, d, QUERY_CATALOG, CALM_MS);
    return false;
}

/* Says that it lives, and may shorten its time. */
void subscriptions_on_notify(struct platform *p, struct device *d,
                             const struct sip_event *ev)
{
    struct device_subscription *u = find(d, ev->subscription);
    int64_t end_utc_ms = p->now.utc_ms + (int64_t)ev->sub.expires_s * 1000;

    if (!u)
        return;
    u->notifies++;
    if (ev->sub.not_shortened)
        device_deviation(p, d, DEVIATION_NOTIFY_SHORT,
                         sip_msg_value(ev->msg, SIP_HDR_SUBSCRIPTION_STATE));
    if (u->state == PLATFORM_SUBSCRIPTION_ACTIVE &&
        end_utc_ms + 2000 < u->expires_utc_ms) {
        granted(p, u, ev->sub.expires_s);
        u->at_ms = not_before(u, u->at_ms);
    }
    arm(p, d->subscriptions);
}

/* ---- for the API ------------------------------------------------------- */

size_t platform_subscriptions_of(
    const struct platform *p, struct slice device,
    struct platform_subscription out[static PLATFORM_SUBSCRIPTION_KINDS])
{
    const struct device *d = device_find(p, device);
    size_t n = 0;

    for (unsigned k = 0; d && d->subscriptions &&
                         k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        const struct device_subscription *u = &d->subscriptions->of[k];

        if (!u->asks_s)
            continue;
        out[n++] = (struct platform_subscription){
            .device = device_id(d),
            .kind = k,
            .state = u->state,
            .status = u->status,
            .reason = u->why ? u->why : "",
            .notifies = u->notifies,
            .expires_utc_ms = u->expires_utc_ms,
            .next_utc_ms = u->at_ms == GB_NEVER
                               ? 0
                               : p->now.utc_ms +
                                     (int64_t)(u->at_ms - p->now.mono_ms),
        };
    }
    return n;
}
