/* A short life of a few devices: everything happens once, at its time. It is lived
 * again and again, and each time another allocation of the platform fails. */
#include "test/sim/world.h"

#include "manscdp/ptz.h"

#define STEP_MS 20000
#define SETTLE_MS 600000

static struct slice id_of(const struct world *w, uint32_t i)
{
    return slice_str(w->unit[i % w->n].id);
}

static struct slice channel_of(const struct world *w, uint32_t i)
{
    return slice_str(w->unit[i % w->n].channel_id[0]);
}

static void pass(struct world *w, uint64_t ms)
{
    world_pump(w);
    world_run(w, w->mono_ms + ms);
    check_whole(w);
}

/* Whatever can be asked of a session. */
static void watch(struct world *w, int err, const struct platform_session *s)
{
    const struct platform_control pause = { .kind = PLATFORM_CONTROL_PAUSE };
    uint32_t number;

    users_called(w, err);
    if (err)
        return;
    platform_session_hold(w->p, s->id, world_now(w));
    pass(w, 5000);
    if (s->kind != PLATFORM_LIVE)
        users_called(w, platform_session_control(w->p, s->id, &pause,
                                                 world_now(w), &number));
    pass(w, 5000);
    platform_session_release(w->p, s->id, world_now(w));
    platform_session_stop(w->p, s->id, world_now(w));
}

static void live(struct world *w, uint32_t i)
{
    struct platform_session s;
    const struct platform_live req = { .device = id_of(w, i),
                                       .channel = channel_of(w, i) };

    watch(w, platform_live_start(w->p, &req, world_now(w), &s), &s);
}

static void playback(struct world *w, uint32_t i)
{
    struct platform_session s;
    uint64_t start_s = (uint64_t)world_now(w).utc_ms / 1000 - 7200;
    const struct platform_recording req = {
        .device = id_of(w, i), .channel = channel_of(w, i),
        .kind = PLATFORM_PLAYBACK, .start_s = start_s, .stop_s = start_s + 60,
    };

    watch(w, platform_playback_start(w->p, &req, world_now(w), &s), &s);
}

static void orders(struct world *w, uint32_t i)
{
    const struct platform_order status = { .device = id_of(w, i),
                                           .root = MANSCDP_QUERY,
                                           .cmd = MANSCDP_CMD_DEVICE_STATUS };
    const struct platform_ptz move = {
        .device = id_of(w, i), .channel = channel_of(w, i),
        .command = { .op = MANSCDP_PTZ_MOVE, .address = MANSCDP_PTZ_ADDRESS,
                     .pan = 1, .pan_speed = 100 },
    };
    uint64_t now_s = (uint64_t)world_now(w).utc_ms / 1000, id;
    const struct platform_records_ask records = {
        .device = id_of(w, i), .channel = channel_of(w, i),
        .start_s = now_s - 86400, .stop_s = now_s,
    };

    users_called(w, platform_command_send(w->p, &status, world_now(w), &id));
    users_called(w, platform_ptz(w->p, &move, world_now(w), &id));
    users_called(w, platform_records_start(w->p, &records, world_now(w), &id));
    users_called(w, platform_command_refresh(w->p, id_of(w, i), world_now(w),
                                             &id));
}

static void group(struct world *w, uint32_t i)
{
    const struct slice password = SLICE(WORLD_PASSWORD), name = SLICE("north");
    const struct platform_settings in = { .set = PLATFORM_SET_GROUP |
                                                 PLATFORM_SET_NAME,
                                          .group = name,
                                          .name = SLICE("Gate") };

    users_called(w, platform_group_set(w->p, name, &password, world_now(w)));
    if (platform_group_password(w->p, name).n)
        users_called(w, platform_device_set(w->p, id_of(w, i), &in,
                                            world_now(w)));
}

static void tell(struct world *w, uint32_t i)
{
    struct device *d = fleet_device(w->fleet, i % w->n);

    device_alarm(d, 0, world_field_now(w));
    device_set_channel(d, 0, false, world_field_now(w));
    device_set_channel(d, 0, true, world_field_now(w));
    fleet_touch(w->fleet, i % w->n);
}

/* In the midst of a picture. */
static void crash(struct world *w, uint32_t i)
{
    struct platform_session s;
    const struct platform_live req = { .device = id_of(w, i),
                                       .channel = channel_of(w, i) };

    users_called(w, platform_live_start(w->p, &req, world_now(w), &s));
    pass(w, 5000);
    server_crash(w, 1000, false);
    w->crashes++;
    pass(w, STEP_MS);
}

/* No allocation fails here: it could be one of the check's own questions, whose
 * refusal says nothing. */
static void settle(struct world *w)
{
    uint64_t fail_at = w->memory.fail_at;

    w->memory.fail_at = 0;
    pass(w, SETTLE_MS);
    check_calm(w);
    if (fail_at && w->memory.calls >= fail_at && !w->memory.failed)
        w->memory.failed++;
    w->memory.fail_at = fail_at;
}

void life_run(struct world *w)
{
    static void (*const acts[])(struct world *, uint32_t) = {
        group, live, playback, orders, tell, crash,
    };

    for (uint32_t k = 0; k < sizeof(acts) / sizeof(acts[0]); k++) {
        for (uint32_t i = 0; i < w->n; i++)
            if (w->server)
                acts[k](w, i);
        pass(w, STEP_MS);
    }
    for (uint32_t i = 0; i < w->n; i++) {
        wire_rebind(w, i, true);
        wire_cut(w, i, 0);
    }
    pass(w, STEP_MS);
    if (w->server)
        users_called(w, platform_device_remove(w->p, id_of(w, 0),
                                               world_now(w)));
    pass(w, WORLD_CALM_MS - SETTLE_MS);
    settle(w);
    check_restart(w);
}
