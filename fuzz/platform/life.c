/* A platform's life: it begins, another process goes on from what was stored, time
 * passes, and in the end nothing is left. */
#include "fuzz/platform/world.h"

#include "app/platform/chinese.h"
#include "fuzz/memory.h"

#include <string.h>

struct run run;

void know(struct ids *k, uint64_t id)
{
    if (id)
        k->id[k->n++ % MAX_KNOWN] = id;
}

uint64_t pick(const struct ids *k, unsigned i)
{
    size_t have = k->n < MAX_KNOWN ? k->n : MAX_KNOWN;

    return have ? k->id[(k->n - 1 - i % have) % MAX_KNOWN] : 0;
}

void read_all(struct slice s)
{
    memory_read(s.p, s.n);
}

/* What people read, they can read in Chinese. */
void read_words(struct slice s)
{
    char text[CHINESE_MAX];
    struct writer w = writer_of(text, sizeof(text));

    read_all(s);
    require(!s.n || (chinese_write(&w, s) && !w.err));
}

/* ---- another process ---------------------------------------------------------- */

void share(void)
{
    platform_share_port(run.p, run.shares ? SHARED_PORT : 0, run.shares == 2);
}

static bool begin(void)
{
    struct sip_stack_config sc = {
        .alloc = &memory_alloc, .user_agent = "gb28181d", .max_transactions = 48,
        .max_dialogs = 8, .max_subscriptions = 6,
        .obey_retry_after = run.how & 1, .large_bytes = run.how & 2 ? 1300 : 0,
    };
    struct platform_config pc = {
        .alloc = &memory_alloc, .id = SAYS_SERVER, .realm = SAYS_REALM,
        .password = PASSWORD, .auto_enrol = true, .offer_qop = false,
        .timezone_min = 0, .keep_open_ms = run.how & 4 ? 20000 : 0,
        .reset_alarms = run.how & 8, .port_min = 30000, .port_max = 30009,
        .max_devices = 3, .max_channels = 8, .max_sessions = 4,
        .max_pending = 2,
    };

    if (run.how & 16)
        for (size_t i = 0; i < COUNT_OF(pc.subscribe_s); i++)
            pc.subscribe_s[i] = 600;
    sc.seed[0] = pc.seed[0] = ++run.lives;
    if (sip_stack_new(&run.sip, &sc))
        return false;
    pc.sip = run.sip;
    if (!platform_new(&run.p, &pc, run.now)) {
        share();
        return true;
    }
    sip_stack_free(run.sip);
    return false;
}

static void restore_devices(const struct platform *old)
{
    static char buf[PLATFORM_SAVED_MAX];
    struct platform_device d = { .id = { "", 0 } };
    struct platform_settings set;

    while (platform_device_next(old, d.id, &d)) {
        struct platform_saved_device s;

        require(platform_device_save(old, d.id, buf, &d));
        s = (struct platform_saved_device){
            d.id, d.name, d.manufacturer, d.model, d.firmware, d.user_agent,
            d.edition, d.charset, d.peer, d.registered_utc_ms,
            d.expires_utc_ms, d.keepalive_utc_ms, d.history, d.profile,
        };
        require(!platform_restore_device(run.p, &s, run.now));
        if (platform_device_settings(old, d.id, &set))
            require(!platform_restore_settings(run.p, d.id, &set, run.now));
    }
}

static void restore_channels(const struct platform *old)
{
    struct platform_device d = { .id = { "", 0 } };

    while (platform_device_next(old, d.id, &d)) {
        struct platform_channel c = { .id = { "", 0 } };

        while (platform_channel_next(old, d.id, c.id, &c))
            require(!platform_restore_channel(run.p, &c));
    }
}

static void restore_rest(const struct platform *old)
{
    static char buf[PLATFORM_DOWNLOAD_SAVED_MAX];
    struct platform_download d;
    struct platform_upgrade u;

    for (size_t i = 0; platform_upgrade_at(old, i, &u); i++)
        require(!platform_restore_upgrade(run.p, &u, run.now));
    for (size_t i = 0; platform_download_at(old, i, &d); i++)
        if (platform_download_save(old, d.id, buf, sizeof(buf), &d))
            require(!platform_restore_download(run.p, &d, run.now));
    for (size_t i = 0; i < MAX_STORED; i++)
        if (run.stored[i].key)
            require(!platform_restore_dialog(run.p, run.stored[i].key,
                                             &run.stored[i].state,
                                             &run.stored[i].peer, run.now));
}

void restart(void)
{
    struct platform *old = run.p;
    struct sip_stack *old_sip = run.sip;
    struct platform_group g = { .name = { "", 0 } };

    memory.fail_in = 0;
    require(begin());
    while (platform_group_next(old, g.name, &g))
        require(!platform_restore_group(run.p, g.name,
                                        platform_group_password(old, g.name),
                                        &g.subscribe, run.now));
    restore_devices(old);
    restore_channels(old);
    restore_rest(old);
    platform_free(old);
    sip_stack_free(old_sip);
    memset(run.stream, 0, sizeof(run.stream));
    run.filed = run.dropped = 0;
    if (run.device.connection)
        run.device.connection = ++run.connections;
    pump();
}

/* ---- time ---------------------------------------------------------------------- */

/* Of the stack, the platform, and who else lives here. */
static uint64_t deadline(void)
{
    uint64_t sip = sip_stack_deadline(run.sip);
    uint64_t own = platform_deadline(run.p);
    uint64_t at = sip < own ? sip : own;
    uint64_t guest = run.guest ? run.guest->deadline() : at;

    return guest < at ? guest : at;
}

/* No command is open beyond its end. */
static void commands_end(void)
{
    struct platform_command c;

    for (unsigned i = 0; i < MAX_KNOWN; i++)
        if (platform_command_view(run.p, pick(&run.commands, i), &c))
            require(c.is_final || c.ends_ms > run.now.mono_ms);
}

void pass(uint64_t ms)
{
    uint64_t until = run.now.mono_ms + ms;

    for (unsigned n = 0;; n++) {
        uint64_t at = deadline();

        require(n < MAX_ROUNDS);
        if (at > until)
            at = until;
        if (at > run.now.mono_ms) {
            run.now.utc_ms += (int64_t)(at - run.now.mono_ms);
            run.now.mono_ms = at;
        }
        sip_stack_tick(run.sip, run.now.mono_ms);
        platform_tick(run.p, run.now);
        if (run.guest)
            run.guest->tick();
        pump();
        close_streams();
        if (at == until && deadline() > until)
            break;
    }
    turn();
    commands_end();
}

/* ---- a script ----------------------------------------------------------------- */

void script(const uint8_t *p, size_t n, unsigned max_steps, step_fn *step)
{
    for (unsigned steps = 0; n >= 3 && steps < max_steps; steps++) {
        size_t len = p[2] < n - 3 ? p[2] : n - 3;
        size_t numbers = len < 8 ? len : 8;
        uint8_t v[8] = { 0 };

        memcpy(v, p + 3, numbers);
        step(p[0], p[1], v,
             slice_of((const char *)p + 3 + numbers, len - numbers));
        p += 3 + len;
        n -= 3 + len;
    }
}

/* ---- its two ends ---------------------------------------------------------------- */

/* The device is there, with the password that people have for it, and does as it is
 * told; what it had to be told is. */
static void calm_down(void)
{
    static const uint8_t v[8] = { 0 };
    static const struct platform_settings right = {
        .set = PLATFORM_SET_PASSWORD, .password = SLICE_INIT(PASSWORD),
    };

    memory.fail_in = 0;
    run.refuse_ports = 0;
    run.slow_edge = false;
    run.obliging = true;
    run.n_obliged = run.n_asked;
    if (run.device.connection)
        closed(run.device.connection);
    run.device.transport = SIP_UDP;
    run.device.connection = 0;
    platform_device_set(run.p, SLICE(SAYS_DEVICE), &right, run.now);
    pump();
    enrol(0, v);
    pass(60000);
}

void drain(void)
{
    struct platform_counters c;
    struct platform_device d;
    bool there;

    calm_down();
    there = platform_device_view(run.p, SLICE(SAYS_DEVICE), &d) && d.online &&
            gb_addr_eq(&d.peer.remote, &run.device.remote);
    platform_drain(run.p, run.now);
    pump();
    for (unsigned i = 0; i < 40 && !platform_is_drained(run.p); i++)
        pass(10000);
    require(platform_is_drained(run.p));
    platform_counters(run.p, &c);
    require(!c.sessions && !c.voices && !c.ssrcs_lent && !c.ports_lent);
    for (size_t i = 0; i < MAX_STREAMS; i++)
        require(!run.stream[i].session);
    require(!any_stored() || !there);
}

bool birth(const uint8_t *how)
{
    static const uint8_t v[8] = { 0 };

    memset(&run, 0, sizeof(run));
    memory_begin(0);
    run.now = (struct gb_time){ 1000, UTC };
    run.device = (struct sip_peer){
        .local = { .family = GB_IPV4, .ip = { 192, 168, 1, 2 }, .port = 5060 },
        .remote = { .family = GB_IPV4, .ip = { 192, 168, 1, 10 },
                    .port = 5060 },
    };
    run.stranger = run.device;
    run.stranger.remote.ip[3] = 66;
    if (how[0] & 128) {
        run.device.transport = SIP_TCP;
        run.device.connection = ++run.connections;
    }
    run.obliging = how[0] & 64;
    run.how = how[0];
    memory.fail_in = how[1];
    if (!begin())
        return false;
    memory.fail_in = how[2];
    if (!(how[0] & 32))
        enrol(0, v);
    return true;
}

void death(void)
{
    platform_free(run.p);
    sip_stack_free(run.sip);
}
