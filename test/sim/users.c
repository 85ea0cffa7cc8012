/* People who use the API, and what befalls everybody. */
#include "test/sim/world.h"

#include "manscdp/ptz.h"

/* Every call is answered: with one of the errors that its contract names. */
void users_called(struct world *w, int err)
{
    w->calls++;
    if (!err)
        return;
    w->refused_calls++;
    if (err == GB_ENOENT || err == GB_ESTATE || err == GB_ELIMIT ||
        err == GB_EAGAIN || err == GB_EUNSUPPORTED || err == GB_EBUSY ||
        (err == GB_ENOMEM && world_may_lack_memory(w)))
        return;
    world_fail(w, "a call ends with %s", gb_strerror(err));
}

static struct unit *any(struct world *w)
{
    return &w->unit[world_random(w, w->n)];
}

static struct slice any_channel(struct world *w, const struct unit *u)
{
    return slice_str(u->channel_id[world_random(w, u->n_channels)]);
}

static enum platform_transport any_transport(struct world *w)
{
    return (enum platform_transport)world_random(w, 4);
}

/* ---- sessions ---- */

static struct hold *free_hold(struct world *w)
{
    for (unsigned i = 0; i < WORLD_HOLDS; i++)
        if (!w->hold[i].session)
            return &w->hold[i];
    return NULL;
}

static void watch(struct world *w, uint64_t session)
{
    struct hold *h = free_hold(w);

    if (world_chance(w, 50))
        return; /* asked, and went away */
    h->session = session;
    h->until_ms = w->mono_ms + 1000 + world_random(w, 240000);
    platform_session_hold(w->p, session, world_now(w));
}

static void live(struct world *w)
{
    struct unit *u = any(w);
    struct platform_session s;
    const struct platform_live req = {
        .device = world_chance(w, 900) ? slice_str(u->id) : slice_of("", 0),
        .channel = any_channel(w, u), .stream = (unsigned)world_random(w, 2),
        .transport = any_transport(w),
    };
    int err;

    if (!free_hold(w))
        return;
    err = platform_live_start(w->p, &req, world_now(w), &s);
    users_called(w, err);
    if (!err)
        watch(w, s.id);
}

static void playback(struct world *w)
{
    struct unit *u = any(w);
    struct platform_session s;
    uint64_t start = (uint64_t)world_field_now(w).utc_ms / 1000 - 7200;
    const struct platform_recording req = {
        .device = slice_str(u->id), .channel = any_channel(w, u),
        .kind = world_chance(w, 700) ? PLATFORM_PLAYBACK : PLATFORM_DOWNLOAD,
        .transport = any_transport(w), .start_s = start,
        .stop_s = start + 10 + world_random(w, 120),
    };
    int err;

    if (!free_hold(w))
        return;
    err = platform_playback_start(w->p, &req, world_now(w), &s);
    users_called(w, err);
    if (!err)
        watch(w, s.id);
}

static struct hold *any_hold(struct world *w)
{
    unsigned first = (unsigned)world_random(w, WORLD_HOLDS);

    for (unsigned i = 0; i < WORLD_HOLDS; i++)
        if (w->hold[(first + i) % WORLD_HOLDS].session)
            return &w->hold[(first + i) % WORLD_HOLDS];
    return NULL;
}

static void control(struct world *w)
{
    const struct platform_control c = {
        .kind = (enum platform_control_kind)world_random(w, PLATFORM_CONTROLS),
        .position_ms = (int64_t)world_random(w, 10000),
        .scale_milli = 1000 << world_random(w, 3),
    };
    struct hold *h = any_hold(w);
    uint32_t number;

    if (h)
        users_called(w, platform_session_control(w->p, h->session, &c, world_now(w),
                                           &number));
}

static void stop(struct world *w)
{
    struct hold *h = any_hold(w);

    if (h)
        platform_session_stop(w->p, h->session, world_now(w));
}

static void release(struct world *w, struct hold *h)
{
    if (w->server)
        platform_session_release(w->p, h->session, world_now(w));
    h->session = 0;
}

/* ---- questions and orders ---- */

static void ptz(struct world *w)
{
    struct unit *u = any(w);
    struct platform_ptz r = {
        .device = slice_str(u->id), .channel = any_channel(w, u),
        .command = { .op = MANSCDP_PTZ_MOVE, .address = MANSCDP_PTZ_ADDRESS,
                     .pan = (int8_t)(1 - (int)world_random(w, 3)),
                     .tilt = 1, .pan_speed = 100, .tilt_speed = 100 },
    };
    uint64_t id;

    if (world_chance(w, 300))
        users_called(w, platform_ptz_stop(w->p, r.device, r.channel, world_now(w),
                                    &id));
    else
        users_called(w, platform_ptz(w->p, &r, world_now(w), &id));
}

static void ask(struct world *w)
{
    struct unit *u = any(w);
    const struct platform_order o = { .device = slice_str(u->id),
                                      .root = MANSCDP_QUERY,
                                      .cmd = MANSCDP_CMD_DEVICE_STATUS };
    uint64_t id;

    if (world_chance(w, 500))
        users_called(w, platform_command_refresh(w->p, o.device, world_now(w), &id));
    else
        users_called(w, platform_command_send(w->p, &o, world_now(w), &id));
}

static void records(struct world *w)
{
    struct unit *u = any(w);
    uint64_t now_s = (uint64_t)world_field_now(w).utc_ms / 1000;
    const struct platform_records_ask q = {
        .device = slice_str(u->id), .channel = any_channel(w, u),
        .start_s = now_s - 86400, .stop_s = now_s,
    };
    uint64_t id;

    users_called(w, platform_records_start(w->p, &q, world_now(w), &id));
}

static void remove_device(struct world *w)
{
    int err = platform_device_remove(w->p, slice_str(any(w)->id), world_now(w));

    users_called(w, err);
    w->removed += !err;
}

static void set(struct world *w)
{
    struct unit *u = any(w);
    const struct slice name = world_chance(w, 500) ? SLICE("north")
                                                   : SLICE("south");
    struct platform_settings s = { .set = PLATFORM_SET_GROUP, .group = name };
    const struct slice password = SLICE(WORLD_PASSWORD);
    int err;

    if (world_chance(w, 100)) {
        users_called(w, platform_group_remove(w->p, name, world_now(w)));
        return;
    }
    err = platform_group_set(w->p, name, &password, world_now(w));
    users_called(w, err);
    if (!err)
        users_called(w, platform_device_set(w->p, slice_str(u->id), &s,
                                      world_now(w)));
}

static void tell(struct world *w)
{
    uint32_t i = (uint32_t)world_random(w, w->n);
    struct device *d = fleet_device(w->fleet, i);

    if (world_chance(w, 500))
        device_alarm(d, 0, world_field_now(w));
    else
        device_set_channel(d, 0, world_chance(w, 800), world_field_now(w));
    fleet_touch(w->fleet, i);
}

void users_act(struct world *w)
{
    static void (*const acts[])(struct world *) = {
        live, live, live, live, playback, control, stop, ptz, ptz, ask, ask,
        records, tell, tell, set,
    };

    w->users_ms = w->mono_ms + 1 + world_random(w, 20000);
    if (!w->server || w->draining)
        return;
    for (unsigned i = 0; i < WORLD_HOLDS; i++)
        if (w->hold[i].session && w->hold[i].until_ms <= w->mono_ms)
            release(w, &w->hold[i]);
    if (world_chance(w, 10))
        remove_device(w);
    else
        acts[world_random(w, sizeof(acts) / sizeof(acts[0]))](w);
}

void users_leave(struct world *w)
{
    for (unsigned i = 0; i < WORLD_HOLDS; i++)
        if (w->hold[i].session)
            release(w, &w->hold[i]);
}

/* ---- what befalls them ---- */

/* Longer than a request waits for its answer (RFC 3261 §17.1.2.2): nothing of
 * the life before is heard of again, unless a calm mends everything at once. */
#define BOOT_MS 40000

static void mend_lines(struct world *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        struct unit *u = &w->unit[i];

        if (u->up_ms > w->mono_ms && !w->calm)
            continue;
        u->down_ms = u->up_ms = GB_NEVER;
        if (u->is_off)
            world_switch_on(w, i);
    }
}

static void cut_line(struct world *w)
{
    struct unit *u = any(w);

    if (u->down_ms != GB_NEVER)
        return;
    u->down_ms = w->mono_ms;
    u->up_ms = w->mono_ms + world_random(w, 3600000);
    wire_cut(w, (uint32_t)(u - w->unit), world_random(w, 1800000));
}

/* Everything behind one router, or all there is; half of the time what is
 * behind it goes off as well. */
static void power_cut(struct world *w)
{
    uint32_t first = (uint32_t)world_random(w, w->n);
    uint32_t n = world_chance(w, 50) ? w->n : 1 + w->n / 20;
    bool off = world_chance(w, 500);

    for (uint32_t i = first; i < first + n; i++) {
        if (off)
            world_switch_off(w, i % w->n, BOOT_MS + world_random(w, BOOT_MS));
        else
            wire_cut(w, i % w->n, world_random(w, 60000));
    }
}

static void step_clock(struct world *w)
{
    int64_t ms = (int64_t)world_random(w, world_chance(w, 100) ? 86400000 * 3
                                                               : 120000);

    w->utc_step_ms = world_chance(w, 500) ? ms : -ms;
    w->steps++;
}

static void other_addresses(struct world *w)
{
    struct platform_config c = w->config;
    struct platform_advertise a = { .bits = 8 };

    if (!w->server || gb_addr_parse_ip(&a.net, SLICE("10.0.0.0")) ||
        gb_addr_parse_ip(&a.address, SLICE("10.255.0.1")))
        return;
    c.advertise = &a;
    c.n_advertise = world_chance(w, 500);
    platform_reload(w->p, &c);
}

void chaos_act(struct world *w)
{
    uint32_t i = (uint32_t)world_random(w, w->n);

    w->chaos_ms = w->mono_ms + 1 + world_random(w, 60000);
    mend_lines(w);
    switch (world_random(w, 40)) {
    case 0 ... 8:
        cut_line(w);
        break;
    case 9 ... 11:
        world_switch_off(w, i, BOOT_MS + world_random(w, BOOT_MS));
        break;
    case 12 ... 23:
        wire_rebind(w, i, world_chance(w, 300));
        break;
    case 24 ... 33:
        wire_cut(w, i, world_random(w, 10000));
        break;
    case 34:
        step_clock(w);
        break;
    case 35:
        if (world_chance(w, 300))
            power_cut(w);
        break;
    case 36:
        w->full_until_ms = w->mono_ms + world_random(w, 600000);
        w->fulls++;
        break;
    case 37:
        other_addresses(w);
        break;
    case 38:
        if (w->server && world_chance(w, 250)) {
            server_crash(w, world_random(w, 120000), false);
            w->crashes++;
        }
        break;
    case 39:
        strangers_act(w);
        break;
    default:
        break;
    }
    if (w->calm)
        mend_lines(w);
}
