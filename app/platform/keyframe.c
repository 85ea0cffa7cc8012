/* Key frames that are asked for (IFrameCmd, GB/T 28181-2022 A.2.3): a viewer
 * waits for one, or a session for its first.
 *
 * What counts is whether one has come, not what was answered: a refusal, a
 * silence and a 200 without consequence are the same here. The first order is
 * spelt as the device's edition has it, behind one in vain both spellings go
 * out; then it is remembered that this device does not heed them, and it is left
 * in peace but for one order a session, and now and then. */
#include "app/platform/keyframe.h"

#include "app/platform/core.h"

#include "manscdp/control.h"

#define PLATFORM_KEY_EVERY_MS 2000    /* between two orders to one channel */
#define PLATFORM_KEY_COMES_MS 2500    /* from the order to news of the key frame */
#define PLATFORM_KEY_PEACE_MS 600000  /* the same to one that does not heed them */
#define PLATFORM_KEY_VAIN 2           /* orders in a row that change nothing */

static bool send(struct platform *p, const struct session *s,
                 enum manscdp_edition edition)
{
    struct manscdp_control_iframe body = { .send = 1 };
    const struct platform_order o = {
        .device = session_device(s),
        .target = session_channel(s),
        .root = MANSCDP_CONTROL,
        .cmd = MANSCDP_CMD_DEVICE_CONTROL,
        .body = &manscdp_control_iframe_body,
        .in = &body,
        .edition = 1 + (unsigned)edition,
    };
    uint64_t id;

    return !command_is_open(p, o.device, o.target,
                            edition == MANSCDP_2022 ? SLICE("IFrameCmd")
                                                    : SLICE("IFameCmd")) &&
           !platform_command_send(p, &o, p->now, &id);
}

/* Editions before 2016 have no such order, and their devices often know it. */
static enum manscdp_edition edition_of(const struct device *d)
{
    return device_dialect(d).edition == MANSCDP_2022 ? MANSCDP_2022
                                                     : MANSCDP_2016;
}

static void order(struct platform *p, struct session *s)
{
    enum manscdp_edition e = edition_of(s->device);
    bool both = s->key.in_vain > 0;

    send(p, s, e);
    if (both)
        send(p, s, e == MANSCDP_2022 ? MANSCDP_2016 : MANSCDP_2022);
    s->key.asked_ms = p->now.mono_ms;
    s->key.awaited = true;
}

/* The newest order for this channel, of whichever of its streams: it names
 * none. */
static uint64_t last_order_ms(const struct session *s)
{
    const struct list *n, *all = &s->device->sessions;
    uint64_t last_ms = 0;

    for (n = all->next; n != all; n = n->next) {
        const struct session *o = container_of(n, struct session, in_device);

        if (o->key.asked_ms > last_ms &&
            slice_eq(session_channel(o), session_channel(s)))
            last_ms = o->key.asked_ms;
    }
    return last_ms;
}

/* What has come of the last order. */
static void judge(struct platform *p, struct session *s, bool came)
{
    s->key.awaited = false;
    if (came) {
        s->key.in_vain = 0;
        if (s->device->about)
            s->device->about->noted &= ~(1ull << DEVIATION_KEY_IGNORED);
        return;
    }
    if (s->key.in_vain < PLATFORM_KEY_VAIN)
        s->key.in_vain++;
    if (s->key.in_vain == PLATFORM_KEY_VAIN)
        device_deviation(p, s->device, DEVIATION_KEY_IGNORED,
                         session_channel(s));
}

static uint64_t pause_ms(const struct session *s)
{
    return device_has_noted(s->device, DEVIATION_KEY_IGNORED)
               ? PLATFORM_KEY_PEACE_MS
               : PLATFORM_KEY_EVERY_MS;
}

void keyframe_count(struct platform *p, struct session *s, uint64_t keys)
{
    if (s->key.awaited && s->device && keys > s->key.seen)
        judge(p, s, p->now.mono_ms - s->key.asked_ms <= PLATFORM_KEY_COMES_MS);
    s->key.seen = keys;
}

void keyframe_want(struct platform *p, struct session *s)
{
    uint64_t now = p->now.mono_ms, last_ms;

    if (s->kind != PLATFORM_LIVE || s->phase != PHASE_MEDIA || !s->device ||
        !s->device->online)
        return;
    if (s->key.awaited) {
        if (now - s->key.asked_ms < PLATFORM_KEY_COMES_MS)
            return;
        judge(p, s, false);
    }
    last_ms = last_order_ms(s);
    if (!last_ms || now - last_ms >= pause_ms(s))
        order(p, s);
}
