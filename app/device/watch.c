/* Subscriptions that the platform has to this device: catalog, alarms, where it
 * is and where it looks. One dialog each; the NOTIFYs of one go one after the
 * other, and what happens to channels meanwhile is kept as a bit for each. */
#include "app/device/device_impl.h"

#include "manscdp/catalog.h"
#include "manscdp/filter.h"
#include "manscdp/preset.h"
#include "sip/value.h"

#define GRANTS_S 86400u
#define SCRATCH_BYTES 16384
#define BODY_BYTES 4096
#define LOOK_MS 500 /* how often a camera that may move is looked at */

static struct device_watch *find(struct device *d, uint64_t id)
{
    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++)
        if (id && d->watch[i].id == id)
            return &d->watch[i];
    return NULL;
}

static struct device_watch *of_cmd(struct device *d, enum manscdp_cmd cmd)
{
    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++)
        if (d->watch[i].id && d->watch[i].cmd == cmd)
            return &d->watch[i];
    return NULL;
}

static struct device_watch *unused(struct device *d)
{
    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++)
        if (!d->watch[i].id)
            return &d->watch[i];
    return NULL;
}

static int notify(struct device *d, struct device_watch *w, struct slice body,
                  struct gb_time now)
{
    struct sip_notify n = { .state = SIP_SUB_ACTIVE, .body = body };

    if (d->c.faults.no_notify)
        return 0;
    if (body.n)
        n.content_type = SLICE(SIP_TYPE_MANSCDP);
    return sip_stack_notify(d->c.sip, w->id, &n, now.mono_ms);
}

/* ---- SUBSCRIBE --------------------------------------------------------- */

static void refuse_event(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    const struct sip_extra allow = { SLICE("Allow-Events"),
                                     SLICE("Catalog, presence") };
    const struct sip_response r = {
        .status = 489, .expires = -1, .extra = &allow, .n_extra = 1
    };

    sip_stack_respond(d->c.sip, ev->transaction, &r, now.mono_ms);
}

static bool read_filter(struct device_watch *w, const struct manscdp_msg *m)
{
    struct manscdp_position_query p;
    struct manscdp_alarm_query a;

    switch (w->cmd) {
    case MANSCDP_CMD_CATALOG:
        return true;
    case MANSCDP_CMD_ALARM:
        if (manscdp_alarm_query_decode(&a, m))
            return false;
        w->is_deaf = !device_priority_is_asked(a.end_priority);
        return slice_copy(w->methods, sizeof(w->methods), a.method);
    case MANSCDP_CMD_MOBILE_POSITION:
        if (manscdp_position_query_decode(&p, m))
            return false;
        w->interval_ms = p.interval.has && p.interval.v
                             ? p.interval.v
                             : MANSCDP_POSITION_INTERVAL_S;
        w->interval_ms = w->interval_ms < 86400 ? w->interval_ms * 1000
                                                : 86400000;
        return true;
    case MANSCDP_CMD_PTZ_POSITION:
        w->interval_ms = LOOK_MS;
        return true;
    default:
        return false;
    }
}

/* What is subscribed to is told by the body, not by Event. false: it is
 * nothing that the device reports. */
static bool read_subscribe(struct device *d, const struct sip_event *ev,
                           struct device_watch *w)
{
    char *scratch = gb_get(d->c.alloc, SCRATCH_BYTES);
    struct arena arena = arena_of(scratch, SCRATCH_BYTES);
    const struct manscdp_row *row;
    struct manscdp_msg m;
    bool good = scratch && !d->c.faults.no_subscribe &&
                !manscdp_msg_parse(&m, &arena, ev->msg->body, NULL, NULL);

    if (good) {
        row = manscdp_row_find(MANSCDP_QUERY, m.cmd, SLICE(""));
        w->cmd = m.cmd;
        w->sn = m.sn;
        w->target = device_target_of(d, m.device_id);
        good = row && row->editions >> d->c.dialect.edition & 1 &&
               row->carriers & MANSCDP_BY_SUBSCRIBE && read_filter(w, &m);
    }
    gb_put(d->c.alloc, scratch);
    return good;
}

/* What follows a SUBSCRIBE at once: where it is, or that all is well. */
static void tell_first(struct device *d, struct device_watch *w,
                       struct gb_time now)
{
    if (w->next_ms == GB_NEVER)
        notify(d, w, slice_of(NULL, 0), now);
    else
        device_tick_watches(d, now);
}

static void accept(struct device *d, struct device_watch *w,
                   const struct sip_event *ev, struct gb_time now)
{
    char contact[128];
    struct sip_response r = { .status = 200, .expires = GRANTS_S };
    uint64_t id = 0;

    device_contact(d, contact, sizeof(contact));
    r.contact = slice_str(contact);
    if (sip_stack_accept(d->c.sip, ev->transaction, &r, device_user(d, FOR_WATCH),
                         now.mono_ms, &id)) {
        device_respond(d, ev->transaction, ev->msg->to.tag.n ? 481 : 500, now);
        return;
    }
    w->id = id;
    if (id)
        tell_first(d, w, now);
}

/* One of each kind: a new one takes the place of the old. */
static struct device_watch *place_for(struct device *d, enum manscdp_cmd cmd,
                                      struct gb_time now)
{
    struct device_watch *w = of_cmd(d, cmd);

    if (w)
        sip_stack_forget(d->c.sip, w->id, now.mono_ms);
    return w ? w : unused(d);
}

void device_on_subscribe(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    struct device_watch *w = find(d, ev->subscription), asked = { 0 };
    bool good = read_subscribe(d, ev, &asked);

    if (!w && !good) {
        refuse_event(d, ev, now);
        return;
    }
    asked.next_ms = asked.interval_ms ? now.mono_ms : GB_NEVER;
    if (!w)
        w = place_for(d, asked.cmd, now);
    else if (good && asked.cmd == w->cmd)
        asked.id = w->id; /* refreshed, perhaps with another filter */
    else
        asked = *w; /* refreshed, or ended, without a body */
    if (!asked.sn)
        asked.sn = w->sn;
    *w = asked;
    accept(d, w, ev, now);
}

/* ---- NOTIFY ------------------------------------------------------------ */

/* The next channel whose state the platform does not know yet. */
static void send_change(struct device *d, struct device_watch *w,
                        struct gb_time now)
{
    char buf[BODY_BYTES];
    struct writer out = writer_of(buf, sizeof(buf));
    struct manscdp_catalog cat = { .sn = w->sn, .sum_num = 1,
                                   .device_id = slice_str(d->c.id),
                                   .is_notify = true };
    struct manscdp_item it = { 0 };
    struct xml_out x;
    size_t i = 0;

    while (i < d->c.n_channels && !(d->channel_state[i] & CHANNEL_CHANGED))
        i++;
    if (i == d->c.n_channels)
        return;
    it.id = slice_str(d->c.channel[i].id);
    it.event = d->channel_state[i] & CHANNEL_OFF ? MANSCDP_EVENT_OFF
                                                 : MANSCDP_EVENT_ON;
    manscdp_catalog_put_begin(&x, &out, &d->c.dialect, &cat, 1);
    manscdp_catalog_put_item(&x, &d->c.dialect, &it, true);
    manscdp_catalog_put_end(&x, &d->c.dialect, &cat, 1);
    if (!out.err && !notify(d, w, writer_slice(&out), now)) {
        d->channel_state[i] &= (uint8_t)~CHANNEL_CHANGED;
        d->n.notifies++;
    }
}

void device_on_watch(struct device *d, const struct sip_event *ev,
                     struct gb_time now)
{
    struct device_watch *w = find(d, ev->subscription);

    if (!w)
        return;
    if (ev->kind == SIP_EV_UNSUBSCRIBED)
        w->id = 0;
    else if (w->cmd == MANSCDP_CMD_CATALOG && d->channel_state)
        send_change(d, w, now);
}

int device_set_channel(struct device *d, size_t channel, bool on,
                       struct gb_time now)
{
    struct device_watch *w = of_cmd(d, MANSCDP_CMD_CATALOG);
    uint8_t state = on ? 0 : CHANNEL_OFF;

    if (channel >= d->c.n_channels)
        return GB_ENOENT;
    if (!d->channel_state) {
        d->channel_state = gb_get(d->c.alloc, d->c.n_channels);
        if (!d->channel_state)
            return GB_ENOMEM;
    }
    if ((d->channel_state[channel] & CHANNEL_OFF) == state)
        return 0;
    d->channel_state[channel] = (uint8_t)(state | (w ? CHANNEL_CHANGED : 0));
    if (w)
        send_change(d, w, now);
    return 0;
}

static bool is_about(const struct device *d, const struct device_watch *w,
                     size_t target)
{
    return w->target == d->c.n_channels || w->target == target;
}

bool device_watch_alarm(struct device *d, const struct device_past_alarm *a,
                        struct slice body, struct gb_time now)
{
    struct device_watch *w = of_cmd(d, MANSCDP_CMD_ALARM);

    if (!w || w->is_deaf || !is_about(d, w, a->channel) ||
        !manscdp_methods_have(slice_str(w->methods), a->method) ||
        notify(d, w, body, now))
        return false; /* nobody is subscribed, or the one before is open */
    d->n.notifies++;
    return true;
}

void device_forget_watches(struct device *d, struct gb_time now)
{
    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++) {
        sip_stack_forget(d->c.sip, d->watch[i].id, now.mono_ms);
        d->watch[i].id = 0;
    }
}

bool device_is_watched(struct device *d, enum manscdp_cmd cmd)
{
    return of_cmd(d, cmd) != NULL;
}

/* ---- time ---------------------------------------------------------------- */

static bool is_elsewhere(const struct device_place *a,
                         const struct device_place *b)
{
    const double moved[] = { a->pan - b->pan, a->tilt - b->tilt,
                             a->zoom - b->zoom };

    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
        if (moved[i] >= 0.01 || moved[i] <= -0.01)
            return true;
    return false;
}

/* Where it looks, when that has changed; at first it is told as it is. */
static void tell_look(struct device *d, struct device_watch *w,
                      struct gb_time now)
{
    const struct manscdp_head head = {
        .sn = w->sn,
        .device_id = slice_str(w->target < d->c.n_channels
                                   ? d->c.channel[w->target].id
                                   : d->c.id),
    };
    const struct device_target *t = device_model_find(&d->model, w->target);
    static const struct device_ptz untouched;
    struct device_place at = device_ptz_place(t ? &t->ptz : &untouched,
                                              now.mono_ms);
    char buf[1024];
    struct writer out = writer_of(buf, sizeof(buf));

    if (!is_elsewhere(&at, &w->told))
        return;
    device_write_look(d, &out, &manscdp_ptz_notify_body, &head, w->target,
                      now.mono_ms);
    if (out.err || notify(d, w, writer_slice(&out), now))
        return; /* the one before is open: at the next look */
    w->told = at;
    d->n.notifies++;
}

static void tell_position(struct device *d, struct device_watch *w,
                          struct gb_time now)
{
    char buf[1024];
    struct writer out = writer_of(buf, sizeof(buf));

    device_write_position(d, &out, w->sn, w->target, now);
    if (!out.err && !notify(d, w, writer_slice(&out), now))
        d->n.notifies++;
}

void device_tick_watches(struct device *d, struct gb_time now)
{
    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++) {
        struct device_watch *w = &d->watch[i];

        if (!w->id || now.mono_ms < w->next_ms)
            continue;
        w->next_ms = now.mono_ms + w->interval_ms;
        if (w->cmd == MANSCDP_CMD_PTZ_POSITION)
            tell_look(d, w, now);
        else
            tell_position(d, w, now);
    }
}

uint64_t device_watches_deadline(const struct device *d)
{
    uint64_t at_ms = GB_NEVER;

    for (unsigned i = 0; i < DEVICE_MAX_WATCHES; i++)
        if (d->watch[i].id && d->watch[i].next_ms < at_ms)
            at_ms = d->watch[i].next_ms;
    return at_ms;
}
