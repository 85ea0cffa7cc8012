#include "test/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_SLOWLY_MS 60000 /* in which all devices come for the first time */

/* xorshift64*: the same from the same seed, everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

/* ---- memory of the platform: counted, and refused at times ---- */

#define SMALL 1000 /* glibc keeps these at hand for malloc, and not for calloc */

struct block {
    size_t n;
    max_align_t bytes[];
};

static void *block_get(void *ctx, size_t n)
{
    struct world_alloc *m = ctx;
    struct block *b;

    m->calls++;
    if ((m->one_in && next_random(m->random) % m->one_in == 0) ||
        (m->fail_at && m->calls - m->fail_at < m->fail_n)) {
        m->failed++;
        return NULL;
    }
    b = n <= SMALL ? malloc(sizeof(*b) + n) : calloc(1, sizeof(*b) + n);
    if (!b)
        abort();
    if (n <= SMALL)
        memset(b->bytes, 0, n);
    b->n = n;
    m->live += n;
    if (m->live > m->peak)
        m->peak = m->live;
    return b->bytes;
}

static void block_put(void *ctx, void *p)
{
    struct world_alloc *m = ctx;
    struct block *b;

    if (!p)
        return;
    b = (struct block *)((char *)p - offsetof(struct block, bytes));
    m->live -= b->n;
    free(b);
}

/* ---- time and chance ---- */

struct gb_time world_field_now(const struct world *w)
{
    return (struct gb_time){ w->mono_ms, WORLD_UTC + (int64_t)w->mono_ms };
}

struct gb_time world_now(const struct world *w)
{
    struct gb_time now = world_field_now(w);

    now.utc_ms += w->utc_step_ms;
    return now;
}

uint64_t world_random(struct world *w, uint64_t n)
{
    return next_random(&w->rnd) % n;
}

bool world_chance(struct world *w, unsigned in_1000)
{
    return world_random(w, 1000) < in_1000;
}

void world_fail(const struct world *w, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fprintf(stderr, "fleet: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n  at day %.5f, event %llu%s\n  again: %s\n",
            (double)w->mono_ms / 86400000, (unsigned long long)w->events,
            w->calm ? ", in a calm" : "", w->opt.again);
    abort();
}

/* ---- devices ---- */

/* What devices say; how they send media is nothing here. */
static size_t n_faults(void)
{
    const struct fault *f;
    size_t n = 0;

    while ((f = fault_at(n)) && f->off < offsetof(struct faults, sender))
        n++;
    return n;
}

static void choose_faults(struct world *w, struct unit *u,
                          struct device_config *c)
{
    struct faults all = { 0 };
    unsigned n = world_chance(w, 500) ? 0 : 1 + (unsigned)world_random(w, 2);

    while (n--)
        *(bool *)((char *)&all + fault_at(world_random(w, n_faults()))->off) =
            true;
    c->faults = all.device;
    if (world_chance(w, 20))
        c->faults.late_ms = (unsigned)world_random(w, 20000);
    if (world_chance(w, 10))
        c->faults.refuse = 486;
    u->is_mute = c->faults.mute || c->faults.wrong_sn || c->faults.wrong_id ||
                 c->faults.says_error || c->faults.late_ms;
    if (world_chance(w, 200))
        u->twists = 1u << world_random(w, TWIST_COUNT);
}

static void address(struct world *w, struct unit *u, uint32_t i)
{
    u->own = (struct gb_addr){ .family = GB_IPV4,
                               .ip = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i },
                               .port = 5060 };
    u->seen = u->own;
    if (world_chance(w, 500))
        return;
    u->seen.ip[0] = 172;
    u->seen.ip[1] = 16;
    u->seen.ip[2] = (uint8_t)(i >> 12);
    u->seen.ip[3] = (uint8_t)(i >> 4);
    wire_rebind(w, i, false);
}

static void add_unit(struct world *w, uint32_t i)
{
    struct unit *u = &w->unit[i];
    struct device_config c = { .alloc = &gb_alloc_heap, .sip = w->field,
                               .manufacturer = "Acme", .model = "C1",
                               .firmware = "V1", .name = "Camera",
                               .server_id = WORLD_ID, .realm = WORLD_REALM,
                               .timezone_min = 480 };
    uint32_t index;

    snprintf(u->id, sizeof(u->id), "34020000001110%06u", i + 1);
    snprintf(u->said, sizeof(u->said), "\r\nFrom: <sip:%s", u->id);
    u->n_channels = 1 + (unsigned)world_random(w, WORLD_CHANNELS);
    for (unsigned k = 0; k < u->n_channels; k++) {
        snprintf(u->channel_id[k], sizeof(u->channel_id[k]),
                 "34020000001310%06u", i * WORLD_CHANNELS + k + 1);
        u->channel[k] = (struct device_channel){ u->channel_id[k], "Door" };
    }
    u->transport = world_chance(w, 300) ? SIP_TCP : SIP_UDP;
    u->down_ms = u->up_ms = u->asked_ms = u->listed_ms = GB_NEVER;
    u->stranger = world_chance(w, 10);
    address(w, u, i);
    choose_faults(w, u, &c);
    c.id = u->id;
    c.password = u->stranger ? "wrong" : WORLD_PASSWORD;
    c.channel = u->channel;
    c.n_channels = u->n_channels;
    c.expires_s = world_chance(w, 100) ? 300 : 3600;
    c.keepalive_s = world_chance(w, 800) ? 60 : 20 + (uint32_t)world_random(w, 100);
    c.dialect.edition = world_chance(w, 300) ? MANSCDP_2022 : MANSCDP_2016;
    c.server = (struct sip_peer){ .transport = u->transport, .local = u->own,
                                  .remote = w->server_addr };
    if (fleet_add(w->fleet, &c, world_field_now(w), &index) || index != i)
        world_fail(w, "no device");
    u->config = c;
}

/* What it would say of its calls and its registration on the way down is lost
 * like all it sends then. */
void world_switch_off(struct world *w, uint32_t unit, uint64_t ms)
{
    struct unit *u = &w->unit[unit];

    if (u->is_off)
        return;
    u->is_off = true;
    u->down_ms = w->mono_ms;
    u->up_ms = w->mono_ms + ms;
    wire_cut(w, unit, world_random(w, 1800000));
    device_stop(fleet_device(w->fleet, unit), world_field_now(w));
    fleet_touch(w->fleet, unit);
    w->reboots++;
}

void world_switch_on(struct world *w, uint32_t unit)
{
    struct unit *u = &w->unit[unit];

    u->is_off = false;
    if (u->transport == SIP_UDP) {
        u->own.port = u->own.port == 5060 ? 5061 : 5060;
        if (u->seen.ip[0] == 10)
            u->seen.port = u->own.port;
        else
            wire_rebind(w, unit, false);
        u->config.server.local = u->own;
    }
    if (fleet_restart(w->fleet, unit, &u->config, world_field_now(w)))
        world_fail(w, "%s does not start", u->id);
}

/* ---- making ---- */

static void make_field(struct world *w)
{
    struct sip_stack_config fc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "IP Camera" };

    for (size_t i = 0; i < sizeof(fc.seed); i++)
        fc.seed[i] = (uint8_t)world_random(w, 256);
    w->unit = calloc(w->n, sizeof(*w->unit));
    if (!w->unit || sip_stack_new(&w->field, &fc) ||
        fleet_new(&w->fleet, &gb_alloc_heap, w->n))
        abort();
}

void world_init(struct world *w, const struct world_options *opt)
{
    memset(w, 0, sizeof(*w));
    w->opt = *opt;
    w->rnd = opt->seed * 2654435761u + 1;
    w->n = opt->devices;
    w->mono_ms = 1000000;
    w->memory.alloc = (struct gb_alloc){ block_get, block_put, &w->memory };
    w->memory.random = &w->rnd;
    w->memory.fail_at = opt->fail_at;
    w->memory.fail_n = opt->fail_n;
    if (gb_addr_parse(&w->server_addr, SLICE("203.0.113.5:5060"), 0))
        abort();
    w->config = (struct platform_config){
        .alloc = &w->memory.alloc, .id = WORLD_ID, .realm = WORLD_REALM,
        .password = WORLD_PASSWORD, .auto_enrol = true,
        .quiet = !opt->verbose, .timezone_min = 480,
        .port_min = 30000, .port_max = 31000, .keep_open_ms = 25000 * (uint32_t)world_random(w, 2),
        .subscribe_s = { 3600, 3600, 0, 0 },
        .registers_per_s = 5 + opt->devices / 50, /* so that some are shed */
    };
    w->loss = (unsigned)world_random(w, 60);
    w->copies = (unsigned)world_random(w, 30);
    w->slow = (unsigned)world_random(w, 50);
    w->calm = opt->is_orderly;
    wire_init(w);
    make_field(w);
    server_start(w);
    for (uint32_t i = 0; i < w->n; i++) {
        world_run(w, w->mono_ms + UNITS_SLOWLY_MS / w->n);
        add_unit(w, i);
    }
    w->users_ms = w->chaos_ms = w->mono_ms;
}

void world_free(struct world *w)
{
    if (w->server)
        server_crash(w, 0, true);
    wire_free(w);
    fleet_free(w->fleet);
    sip_stack_free(w->field);
    free(w->unit);
}

/* ---- turns ---- */

static void field_action(struct world *w, uint32_t i,
                         const struct device_action *a)
{
    if (a->kind == DEVICE_DO_CONNECT)
        wire_connect(w, i);
    else if (a->kind == DEVICE_DO_DISCONNECT)
        wire_cut(w, i, 0);
    else
        media_device(w, i, a);
}

static void field_pump(struct world *w)
{
    struct device_action a;
    struct sip_event ev;
    struct sip_out out;
    uint32_t i;

    while (sip_stack_event(w->field, &ev))
        fleet_sip(w->fleet, w->field, &ev, world_field_now(w));
    while (fleet_action(w->fleet, &i, &a))
        field_action(w, i, &a);
    while (sip_stack_output(w->field, &out))
        wire_put(w, true, &out);
}

/* What the field has to say goes by the wire, so that nothing comes back. */
void world_pump(struct world *w)
{
    server_pump(w);
    field_pump(w);
}

static void sooner(uint64_t *at, uint64_t t)
{
    if (t < *at)
        *at = t;
}

static uint64_t wire_at(const struct world *w)
{
    uint64_t at = heap_first_at(&w->wire);

    return at == GB_NEVER ? at : at >> 20;
}

static uint64_t deadline(const struct world *w)
{
    uint64_t at = wire_at(w);

    sooner(&at, sip_stack_deadline(w->field));
    sooner(&at, fleet_deadline(w->fleet));
    sooner(&at, media_deadline(w));
    if (w->server) {
        sooner(&at, sip_stack_deadline(w->server));
        sooner(&at, platform_deadline(w->p));
        sooner(&at, w->commit_ms);
    } else {
        sooner(&at, w->up_ms);
    }
    if (!w->calm) {
        sooner(&at, w->users_ms ? w->users_ms : GB_NEVER);
        sooner(&at, w->chaos_ms ? w->chaos_ms : GB_NEVER);
    }
    return at;
}

static void server_tick(struct world *w)
{
    uint64_t now = w->mono_ms;

    if (!w->server) {
        if (w->up_ms <= now)
            server_start(w);
        return;
    }
    if (sip_stack_deadline(w->server) <= now)
        sip_stack_tick(w->server, now);
    if (platform_deadline(w->p) <= now)
        platform_tick(w->p, world_now(w));
    if (w->commit_ms <= now)
        disk_commit(w);
}

static void tick(struct world *w)
{
    uint64_t now = w->mono_ms;

    server_tick(w);
    if (sip_stack_deadline(w->field) <= now)
        sip_stack_tick(w->field, now);
    if (fleet_deadline(w->fleet) <= now)
        fleet_tick(w->fleet, world_field_now(w));
    if (media_deadline(w) <= now)
        media_tick(w);
    if (!w->calm && w->users_ms && w->users_ms <= now)
        users_act(w);
    if (!w->calm && w->chaos_ms && w->chaos_ms <= now)
        chaos_act(w);
    world_pump(w);
}

void world_run(struct world *w, uint64_t until_ms)
{
    uint64_t at;

    for (unsigned still = 0; (at = deadline(w)) <= until_ms; still++) {
        if (at > w->mono_ms) {
            w->mono_ms = at;
            still = 0;
        } else if (still > 200000) {
            world_fail(w, "time stands still");
        }
        if (wire_at(w) <= w->mono_ms)
            wire_get(w);
        else
            tick(w);
        w->events++;
        check_cheap(w);
        if (w->events % (1000 + 4 * w->n) == 0)
            check_whole(w);
    }
    w->mono_ms = until_ms;
}
