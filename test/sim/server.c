/* The platform's life: it starts, does what it is told, crashes. */
#include "test/sim/world.h"

#include <stdio.h>
#include <string.h>

#define START_AGAIN_MS 1000

static bool start(struct world *w)
{
    struct sip_stack_config sc = { .alloc = &w->memory.alloc,
                                   .user_agent = "gb28181d" };
    struct platform_config *pc = &w->config;

    for (size_t i = 0; i < sizeof(sc.seed); i++) {
        sc.seed[i] = (uint8_t)world_random(w, 256);
        pc->seed[i] = (uint8_t)world_random(w, 256);
    }
    if (sip_stack_new(&w->server, &sc)) {
        w->server = NULL;
        return false;
    }
    pc->sip = w->server;
    if (!platform_new(&w->p, pc, world_now(w)) && disk_open(w))
        return true;
    platform_free(w->p);
    sip_stack_free(w->server);
    w->p = NULL;
    w->server = NULL;
    return false;
}

void server_start(struct world *w)
{
    unsigned one_in = w->memory.one_in;

    w->memory.one_in = 0; /* with a thousand devices no start would succeed */
    w->draining = false;
    if (start(w)) {
        world_pump(w);
    } else {
        if (!world_may_lack_memory(w))
            world_fail(w, "it does not start");
        if (w->memory.live)
            world_fail(w, "%zu bytes are left of a start", w->memory.live);
        w->failed_starts++;
        w->up_ms = w->mono_ms + START_AGAIN_MS;
    }
    w->memory.one_in = one_in;
}

void server_crash(struct world *w, uint64_t down_ms, bool in_order)
{
    struct platform_counters c;

    platform_counters(w->p, &c);
    w->shed += c.shed;
    disk_close(w, !in_order);
    platform_free(w->p);
    sip_stack_free(w->server);
    w->p = NULL;
    w->server = NULL;
    w->up_ms = w->mono_ms + down_ms;
    media_forget(w);
    check_forget(w);
    if (w->memory.live)
        world_fail(w, "%zu bytes are left of the platform", w->memory.live);
    for (uint32_t i = 0; i < w->n; i++)
        wire_cut(w, i, 0);
}

static void print_line(const struct world *w, const struct platform_action *a)
{
    if (w->opt.verbose)
        printf("%12.3f %.*s\n", (double)w->mono_ms / 1000, SLICE_ARG(a->text));
}

static void on_action(struct world *w, const struct platform_action *a)
{
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        media_order(w, a);
        break;
    case PLATFORM_DO_DISCONNECT:
        wire_close(w, a->connection);
        break;
    case PLATFORM_DEVICE_CHANGED:
    case PLATFORM_DEVICE_REMOVED:
    case PLATFORM_CHANNEL_CHANGED:
    case PLATFORM_CHANNEL_REMOVED:
    case PLATFORM_GROUP_CHANGED:
    case PLATFORM_GROUP_REMOVED:
    case PLATFORM_DIALOG_OPENED:
    case PLATFORM_DIALOG_CLOSED:
        disk_note(w, a);
        break;
    case PLATFORM_SESSION_CHANGED:
        check_session_changed(w, a->session);
        break;
    case PLATFORM_SESSION_GONE:
        check_session_gone(w, a->session);
        break;
    case PLATFORM_CATALOG_DONE:
        check_listed(w, a->device);
        break;
    case PLATFORM_ALARM:
        w->alarms++;
        break;
    case PLATFORM_LOG:
        print_line(w, a);
        break;
    default:
        break;
    }
}

void server_pump(struct world *w)
{
    struct sip_event ev;
    struct sip_out out;
    struct platform_action a;

    while (w->server && sip_stack_event(w->server, &ev))
        platform_sip(w->p, &ev, world_now(w));
    while (w->server && platform_action(w->p, &a))
        on_action(w, &a);
    while (w->server && sip_stack_output(w->server, &out)) {
        if (slice_has_prefix(out.bytes, SLICE("SIP/2.0 503")) &&
            slice_find_slice(out.bytes, SLICE(" MESSAGE\r\n")) < out.bytes.n &&
            !world_may_lack_memory(w))
            world_fail(w, "a MESSAGE is shed");
        wire_put(w, false, &out);
    }
}
