/* Subscriptions that the platform has to this device: catalog and alarms. One
 * dialog each; the NOTIFYs of one go one after
 * the other, and what happens meanwhile is kept as a bit for each channel. */
#include "app/device/device_impl.h"

#include "manscdp/catalog.h"
#include "manscdp/notify.h"
#include "manscdp/time.h"
#include "sip/value.h"

#define GRANTS_S 86400u
#define SCRATCH_BYTES 16384
#define BODY_BYTES 4096

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

/* The package is told by the body, not by Event (§8.1). */
static enum manscdp_cmd cmd_of(struct device *d, const struct sip_event *ev,
                               uint32_t *sn)
{
    enum manscdp_cmd cmd = MANSCDP_CMD_OTHER;
    char *scratch = gb_get(d->c.alloc, SCRATCH_BYTES);
    struct manscdp_msg m;
    struct arena arena;

    if (!scratch)
        return cmd;
    arena = arena_of(scratch, SCRATCH_BYTES);
    if (!manscdp_msg_parse(&m, &arena, ev->msg->body, NULL, NULL)) {
        cmd = m.cmd;
        *sn = m.sn;
    }
    gb_put(d->c.alloc, scratch);
    return cmd;
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
        notify(d, w, slice_of(NULL, 0), now); /* all is well */
}

void device_on_subscribe(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    struct device_watch *w = find(d, ev->subscription);
    uint32_t sn = 0;
    enum manscdp_cmd cmd = cmd_of(d, ev, &sn);

    if (!w && cmd != MANSCDP_CMD_CATALOG && cmd != MANSCDP_CMD_ALARM) {
        refuse_event(d, ev, now);
        return;
    }
    if (!w) { /* one of each kind: a new one takes the place of the old */
        w = of_cmd(d, cmd);
        if (w)
            sip_stack_forget(d->c.sip, w->id, now.mono_ms);
        else
            w = unused(d);
        *w = (struct device_watch){ .cmd = cmd };
    }
    if (sn)
        w->sn = sn;
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

bool device_watch_alarm(struct device *d, struct slice body,
                        struct gb_time now)
{
    struct device_watch *w = of_cmd(d, MANSCDP_CMD_ALARM);

    if (!w || notify(d, w, body, now))
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
