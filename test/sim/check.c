/* What must hold. */
#include "test/sim/world.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_BASE (48u << 20) /* of platform and stack, and for each device */
#define BYTES_DEVICE (48u << 10)
#define DOWN_MS (40 * 60000ull) /* a line cut so long: its device is offline */
#define OVER_MS 1000 /* for a session that is over: the edge confirms in 50 */
#define STARTING_MS 240000 /* two transports, and one wait for a keepalive */
#define ASKING_MS 180000 /* for a catalog: the query's, and some messages' */
#define LINGER_MS 30000  /* for stragglers of one that is complete */
#define DRAIN_MS 120000
#define ASK_MAX 64
#define BYTES_CACHES (16u << 20) /* commands with their answers, up to their limit */
#define LAG_MS 600000 /* of expiries in the store: DEVICE_EXPIRES_LAG_MS */

/* ---- what is told ---- */

static bool is_in(const struct waiting *l, uint64_t session)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->at[i].session == session)
            return true;
    return false;
}

static void enter(struct world *w, struct waiting *l, uint64_t session)
{
    if (is_in(l, session))
        return;
    if (l->n == WORLD_STREAMS)
        world_fail(w, "%u sessions start, or stay when they are over", l->n);
    l->at[l->n].session = session;
    l->at[l->n++].since_ms = w->mono_ms;
}

static void leave(struct waiting *l, uint64_t session)
{
    unsigned n = 0;

    for (unsigned i = 0; i < l->n; i++)
        if (l->at[i].session != session)
            l->at[n++] = l->at[i];
    l->n = n;
}

static void check_waiting(const struct world *w, const struct waiting *l,
                          uint64_t most_ms, const char *what)
{
    if (l->n && w->mono_ms - l->at[0].since_ms > most_ms)
        world_fail(w, "session %llu %s for %llu s",
                   (unsigned long long)l->at[0].session, what,
                   (unsigned long long)most_ms / 1000);
}

static bool is_over(const struct platform_session *s)
{
    return s->state == PLATFORM_STOPPING || s->state == PLATFORM_FAILED;
}

void check_session_changed(struct world *w, uint64_t session)
{
    struct platform_session s;

    if (!platform_session_view(w->p, session, &s))
        world_fail(w, "a session has changed that there is not");
    if (s.state == PLATFORM_STARTING)
        enter(w, &w->starting, session);
    else
        leave(&w->starting, session);
    if (is_over(&s))
        enter(w, &w->over, session);
}

void check_session_gone(struct world *w, uint64_t session)
{
    if (!is_in(&w->over, session))
        world_fail(w, "a session is gone and was not over");
    leave(&w->over, session);
}

void check_listed(struct world *w, struct slice device)
{
    uint32_t number;

    if (!slice_u32(slice_from(device, 14), UINT32_MAX, &number) ||
        number == 0 || number > w->n)
        world_fail(w, "a catalog of %.*s", SLICE_ARG(device));
    w->unit[number - 1].listed_ms = w->mono_ms;
}

void check_forget(struct world *w)
{
    w->starting.n = w->over.n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        w->unit[i].asked_ms = w->unit[i].listed_ms = GB_NEVER;
}

/* After every event. */
void check_cheap(struct world *w)
{
    check_waiting(w, &w->over, OVER_MS, "is over, and is not gone");
    check_waiting(w, &w->starting, STARTING_MS, "neither plays nor fails");
    if (w->memory.live > BYTES_BASE + (size_t)w->n * BYTES_DEVICE)
        world_fail(w, "the platform holds %zu bytes", w->memory.live);
}

/* ---- the whole state, whatever happens ---- */

static void check_streams(struct world *w, const struct platform_counters *c)
{
    struct platform_session s;
    unsigned n = 0;

    for (unsigned i = 0; i < WORLD_STREAMS; i++) {
        const struct stream *m = &w->stream[i];

        if (!m->session)
            continue;
        n++;
        if (!platform_session_view(w->p, m->session, &s))
            world_fail(w, "port %u is open for no session", m->port);
        if (s.port && s.port != m->port && !m->closing)
            world_fail(w, "port %u is open, the session has %u", m->port,
                       s.port);
    }
    if (n != w->open_streams || c->ports_lent < n)
        world_fail(w, "%u ports are open, %u lent", n, c->ports_lent);
}

static void check_sessions(struct world *w, const struct platform_counters *c)
{
    struct platform_session a = { .id = 0 }, b;
    size_t n = 0;

    for (; platform_session_next(w->p, a.id, &a); n++) {
        /* that of a removed device still has its port at the edge */
        if (!(is_over(&a) && is_in(&w->over, a.id)) &&
            !platform_has_device(w->p, a.device))
            world_fail(w, "a session of %.*s, which is gone",
                       SLICE_ARG(a.device));
        b.id = 0;
        for (size_t k = 0; a.ssrc && k < n; k++)
            if (platform_session_next(w->p, b.id, &b) && b.ssrc == a.ssrc)
                world_fail(w, "SSRC %u twice", a.ssrc);
    }
    if (n > w->config.max_sessions && w->config.max_sessions)
        world_fail(w, "%zu sessions", n);
    if (n != c->sessions)
        world_fail(w, "%zu sessions, %u counted", n, c->sessions);
}

/* A catalog is waited for, but not for ever. */
static void check_asked(struct world *w, uint32_t i,
                        const struct platform_device *v)
{
    struct unit *u = &w->unit[i];

    if (v->catalog != PLATFORM_CATALOG_RUNNING)
        u->asked_ms = GB_NEVER;
    else if (u->asked_ms == GB_NEVER)
        u->asked_ms = w->mono_ms;
    else if (w->mono_ms - u->asked_ms > ASKING_MS &&
             (u->listed_ms == GB_NEVER || u->listed_ms < u->asked_ms))
        world_fail(w, "the catalog of %s is waited for since %llu s", u->id,
                   (unsigned long long)(w->mono_ms - u->asked_ms) / 1000);
}

/* Those that are looked at next are brought near, as if they wrote. */
static void devices_ahead(struct world *w, uint32_t from)
{
    struct slice said[PLATFORM_AHEAD_MAX];
    uint32_t n = 0;

    while (n < PLATFORM_AHEAD_MAX && from + n < w->n) {
        said[n] = slice_str(w->unit[from + n].said);
        n++;
    }
    platform_ahead(w->p, said, n);
}

static void check_devices(struct world *w, const struct platform_counters *c)
{
    struct platform_device v;
    unsigned online = 0, n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct unit *u = &w->unit[i];

        if (i % PLATFORM_AHEAD_MAX == 0)
            devices_ahead(w, i);
        if (!platform_device_view(w->p, slice_str(u->id), &v))
            continue;
        n++;
        online += v.online;
        check_asked(w, i, &v);
        if (u->stranger)
            world_fail(w, "%s came in without the password", u->id);
        if (v.online && u->down_ms != GB_NEVER &&
            w->mono_ms - u->down_ms > DOWN_MS)
            world_fail(w, "%s is online, and cut off for %llu s", u->id,
                       (unsigned long long)(w->mono_ms - u->down_ms) / 1000);
    }
    if (n != c->devices || online != c->online)
        world_fail(w, "%u devices, %u online; counted %u and %u", n, online,
                   c->devices, c->online);
}

void check_whole(struct world *w)
{
    struct platform_counters c;

    if (!w->server)
        return;
    w->checks++;
    platform_counters(w->p, &c);
    check_streams(w, &c);
    check_sessions(w, &c);
    check_devices(w, &c);
}

/* ---- when all has been well for a while ---- */

static bool wants_in(const struct unit *u)
{
    return !u->stranger;
}

static void check_reached(struct world *w)
{
    struct platform_device v;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct unit *u = &w->unit[i];

        if (!wants_in(u))
            continue;
        if (!device_is_online(fleet_device(w->fleet, i)))
            world_fail(w, "%s is not let in", u->id);
        if (!platform_device_view(w->p, slice_str(u->id), &v) || !v.online)
            world_fail(w, "%s was accepted and is offline", u->id);
        if (u->transport == SIP_UDP && !gb_addr_eq(&v.peer.remote, &u->seen))
            world_fail(w, "%s is looked for at another address", u->id);
        if (u->transport != SIP_UDP && v.peer.connection != u->connection)
            world_fail(w, "%s is looked for on another connection", u->id);
    }
}

/* Devices whose catalog is asked for just now, which happens all the time, or
 * may still grow. */
static unsigned n_asked(const struct world *w)
{
    struct platform_device v;
    unsigned n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct unit *u = &w->unit[i];

        n += (platform_device_view(w->p, slice_str(u->id), &v) &&
              v.catalog == PLATFORM_CATALOG_RUNNING) ||
             (u->listed_ms != GB_NEVER &&
              w->mono_ms - u->listed_ms < LINGER_MS);
    }
    return n;
}

static void check_idle(struct world *w)
{
    struct platform_counters c;
    struct platform_session s;
    struct platform_command m;

    platform_counters(w->p, &c);
    if (platform_session_next(w->p, 0, &s))
        world_fail(w, "a session of %.*s is left: %s, %u consumers",
                   SLICE_ARG(s.channel), platform_step_name(s.step),
                   s.consumers);
    if (c.sessions || c.voices || c.ports_lent || c.ssrcs_lent ||
        w->open_streams)
        world_fail(w, "left: %u sessions, %u voices, %u ports, %u SSRCs",
                   c.sessions, c.voices, c.ports_lent, c.ssrcs_lent);
    for (uint64_t id = 0; platform_command_before(w->p, id, &m); id = m.id)
        if (!m.is_final)
            world_fail(w, "a command of %.*s was never answered: %.*s, %s",
                       SLICE_ARG(m.device), SLICE_ARG(m.cmd),
                       platform_command_state_name(m.state));
    if (c.commands || c.queries > n_asked(w))
        world_fail(w, "left: %u commands, %u queries of %u", c.commands,
                   c.queries, n_asked(w));
}

/* An order to some of them, all of whom must say that it has come. */
static void check_answers(struct world *w)
{
    uint64_t id[ASK_MAX];
    uint32_t who[ASK_MAX];
    size_t n = 0;

    while (n < ASK_MAX && n < w->n) {
        uint32_t i = (uint32_t)world_random(w, w->n);
        struct platform_order o = { .device = slice_str(w->unit[i].id),
                                    .root = MANSCDP_QUERY,
                                    .cmd = MANSCDP_CMD_DEVICE_STATUS };

        who[n] = i;
        id[n] = 0;
        if (wants_in(&w->unit[i]) &&
            platform_command_send(w->p, &o, world_now(w), &id[n]))
            world_fail(w, "%s cannot be asked", w->unit[i].id);
        n++;
    }
    world_pump(w);
    world_run(w, w->mono_ms + 180000);
    for (size_t k = 0; k < n; k++) {
        struct platform_command m;

        if (!id[k])
            continue;
        if (!platform_command_view(w->p, id[k], &m) || !m.is_final)
            world_fail(w, "%s has not answered, and is waited for",
                       w->unit[who[k]].id);
        if (m.state != PLATFORM_COMMAND_ANSWERED && !w->unit[who[k]].is_mute)
            world_fail(w, "%s: %s, %u, %.*s", w->unit[who[k]].id,
                       platform_command_state_name(m.state), m.sip_status,
                       SLICE_ARG(m.evidence));
    }
}

void check_calm(struct world *w)
{
    w->calms++;
    check_whole(w);
    check_reached(w);
    check_idle(w);
    check_answers(w);
    if (w->calms == 2)
        w->calm_bytes = w->memory.live;
    if (w->calms > 2 && w->memory.live > BYTES_CACHES + 2 * w->calm_bytes)
        world_fail(w, "%zu bytes, after the second calm %zu", w->memory.live,
                   w->calm_bytes);
}

/* ---- what the store keeps ---- */

struct saved {
    char id[PLATFORM_ID_MAX + 1];
    struct gb_addr remote;
    int64_t expires_utc_ms;
    size_t n_channels;
    char group[PLATFORM_GROUP_NAME_MAX + 1];
};

static struct saved saved_of(const struct platform_device *v)
{
    struct saved s;

    memset(&s, 0, sizeof(s));
    slice_copy(s.id, sizeof(s.id), v->id);
    s.remote = v->peer.remote;
    s.expires_utc_ms = v->expires_utc_ms;
    s.n_channels = v->n_channels;
    slice_copy(s.group, sizeof(s.group), v->group);
    return s;
}

static size_t save_all(struct world *w, struct saved *s)
{
    struct platform_device v = { .id = { "", 0 } };
    char after[PLATFORM_ID_MAX + 1] = "";
    size_t n = 0;

    while (platform_device_next(w->p, slice_str(after), &v)) {
        if (n == w->n)
            world_fail(w, "more devices than there are");
        s[n++] = saved_of(&v);
        slice_copy(after, sizeof(after), v.id);
    }
    return n;
}

static void compare(struct world *w, const struct saved *a,
                    const struct saved *b)
{
    if (strcmp(a->id, b->id))
        world_fail(w, "%s became %s in the store", a->id, b->id);
    if (a->n_channels != b->n_channels)
        world_fail(w, "%s had %zu channels, the store %zu", a->id,
                   a->n_channels, b->n_channels);
    if (strcmp(a->group, b->group))
        world_fail(w, "%s was of group %s, in the store of %s", a->id,
                   a->group, b->group);
    if (b->remote.family && !gb_addr_eq(&a->remote, &b->remote))
        world_fail(w, "the store has another address of %s", a->id);
    if (b->expires_utc_ms &&
        (b->expires_utc_ms > a->expires_utc_ms ||
         a->expires_utc_ms - b->expires_utc_ms > LAG_MS))
        world_fail(w, "the store has another expiry of %s", a->id);
}

void check_restart(struct world *w)
{
    struct saved *a = calloc(w->n, sizeof(*a)), *b = calloc(w->n, sizeof(*b));
    uint64_t until = w->mono_ms + DRAIN_MS;
    size_t n, m;

    if (!a || !b)
        abort();
    platform_drain(w->p, world_now(w));
    w->draining = true;
    world_pump(w);
    while (!platform_is_drained(w->p) && w->mono_ms < until)
        world_run(w, w->mono_ms + 100);
    if (!platform_is_drained(w->p))
        world_fail(w, "it does not drain");
    n = save_all(w, a);
    server_crash(w, 0, true);
    server_start(w);
    while (!w->server)
        world_run(w, w->up_ms);
    m = save_all(w, b);
    if (n != m)
        world_fail(w, "%zu devices, %zu in the store", n, m);
    for (size_t i = 0; i < n; i++)
        compare(w, &a[i], &b[i]);
    if (w->dialogs_loaded)
        world_fail(w, "%u dialogs are left in the store", w->dialogs_loaded);
    w->drains++;
    free(a);
    free(b);
}
