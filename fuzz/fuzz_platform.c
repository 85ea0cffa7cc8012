/* The input is a script against the whole platform: a device that registers and
 * says anything at any time, strangers, people with the API, the media edge, time,
 * memory that runs out. Each step: what, argument, eight numbers at most and a text
 * (their length is a byte).
 *
 * Properties: all that is sent can be parsed; no order for a session that is not
 * open, no port twice; nothing spins; no command is open beyond its end; a
 * stranger changes nothing; when all is ended and time has passed no session,
 * port or dialog is left, nothing leaks. */
#include "app/platform/chinese.h"
#include "fuzz/memory.h"
#include "fuzz/platform/world.h"

#include <string.h>

#define MAX_STEPS 40

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
    if (!platform_new(&run.p, &pc, run.now))
        return true;
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

/* The process is gone without a word; another one starts from what is stored. */
static void restart(void)
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

/* ---- time, trouble ------------------------------------------------------------ */

/* No command is open beyond its end. */
static void commands_end(void)
{
    struct platform_command c;

    for (unsigned i = 0; i < MAX_KNOWN; i++)
        if (platform_command_view(run.p, pick(&run.commands, i), &c))
            require(c.is_final || c.ends_ms > run.now.mono_ms);
}

static void pass(uint64_t ms)
{
    uint64_t until = run.now.mono_ms + ms;

    for (unsigned n = 0;; n++) {
        uint64_t sip = sip_stack_deadline(run.sip);
        uint64_t own = platform_deadline(run.p);
        uint64_t at = sip < own ? sip : own;

        require(n < MAX_ROUNDS);
        if (at > until)
            at = until;
        if (at > run.now.mono_ms) {
            run.now.utc_ms += (int64_t)(at - run.now.mono_ms);
            run.now.mono_ms = at;
        }
        sip_stack_tick(run.sip, run.now.mono_ms);
        platform_tick(run.p, run.now);
        pump();
        close_streams();
        if (at == until && sip_stack_deadline(run.sip) > until &&
            platform_deadline(run.p) > until)
            break;
    }
    turn();
    commands_end();
}

static void pass_some(unsigned arg)
{
    static const uint32_t ms[] = { 1,     100,   500,   1000,   4000,   10000,
                                   11000, 16000, 32000, 60000, 130000, 3600000 };

    pass(ms[arg % COUNT_OF(ms)]);
}

static void trouble(unsigned arg, const uint8_t *v)
{
    switch (arg % 10) {
    case 0:
        memory.fail_in = v[0] ? 1u + v[1] : 0;
        break;
    case 1:
        run.refuse_ports = v[0] % 4;
        break;
    case 2:
        run.obliging = v[0] & 1;
        break;
    case 3:
        run.slow_edge = v[0] & 1;
        break;
    case 4:
        if (run.device.connection) {
            closed(run.device.connection);
            run.device.connection = ++run.connections;
        }
        break;
    case 5: /* it goes on over the other one */
        run.device.transport = run.device.connection ? SIP_UDP : SIP_TCP;
        run.device.connection = run.device.connection ? 0 : ++run.connections;
        break;
    case 6:
        run.now.utc_ms += 3600000 * ((int64_t)v[0] - 128);
        break;
    case 7:
        platform_drain(run.p, run.now);
        break;
    case 8:
        restart();
        break;
    default:
        ask_doctor(v);
        break;
    }
    pump();
}

static void media_step(unsigned arg, const uint8_t *v)
{
    static const enum platform_media_kind kinds[] = {
        PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
        PLATFORM_MEDIA_CODEC, PLATFORM_MEDIA_KEY, PLATFORM_MEDIA_SOUND,
        PLATFORM_MEDIA_ALIVE, PLATFORM_MEDIA_WANT_KEY, PLATFORM_MEDIA_ENDED,
        PLATFORM_MEDIA_SAID, PLATFORM_MEDIA_AFTER,
    };
    const struct stream *m = &run.stream[v[7] % MAX_STREAMS];

    if (m->session && !m->closing)
        media(m->session, kinds[arg % COUNT_OF(kinds)], v);
    pump();
}

/* ---- a script ----------------------------------------------------------------- */

static void said(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    static const unsigned status[] = {
        200, 100, 180, 183, 202, 302, 400, 401, 403, 404, 407,
        408, 415, 423, 480, 481, 486, 487, 488, 491, 500, 503, 603, 699,
    };
    static const char *const states[] = {
        "Event: Catalog\r\nSubscription-State: active;expires=600\r\n",
        "Event: presence\r\nSubscription-State: pending\r\n",
        "Event: Catalog\r\nSubscription-State: terminated;reason=timeout\r\n",
        "Event: presence\r\n",
        "Event: PTZPosition\r\nSubscription-State: active;expires=1\r\n",
    };

    if (what == 0)
        answer(arg & 3, status[(arg >> 2) % COUNT_OF(status)], v[4],
               v[5] ? 5 * v[5] : -1, v, more);
    else if (what == 1)
        message("MESSAGE", arg, v, "", more);
    else
        message("NOTIFY", arg | 32, v, states[v[7] / 8 % COUNT_OF(states)],
                more);
}

static void step(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    switch (what % 12) {
    case 0:
    case 1:
    case 2:
        said(what % 12, arg, v, more);
        break;
    case 3:
        heard(arg & 1, more);
        break;
    case 4:
        in_call(arg, v, more);
        break;
    case 5:
        call(arg, v, more);
        break;
    case 6:
        enrol(arg, v);
        break;
    case 7:
        pass_some(arg);
        break;
    case 8:
    case 9:
        people(arg, v);
        break;
    case 10:
        media_step(arg, v);
        break;
    default:
        trouble(arg, v);
        break;
    }
}

/* The device is there, and does as it is told; what it had to be told is. */
static void calm_down(void)
{
    static const uint8_t v[8] = { 0 };

    memory.fail_in = 0;
    run.refuse_ports = 0;
    run.slow_edge = false;
    run.obliging = true;
    run.n_obliged = run.n_asked;
    if (run.device.connection)
        closed(run.device.connection);
    run.device.transport = SIP_UDP;
    run.device.connection = 0;
    pump();
    enrol(0, v);
    pass(60000);
}

/* All is ended, and nothing is left. */
static void end(void)
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
    platform_free(run.p);
    sip_stack_free(run.sip);
}

static void script(const uint8_t *p, size_t n)
{
    for (unsigned steps = 0; n >= 3 && steps < MAX_STEPS; steps++) {
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t v[8] = { 0 };

    if (size < 3)
        return 0;
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
    if (data[0] & 128) {
        run.device.transport = SIP_TCP;
        run.device.connection = ++run.connections;
    }
    run.obliging = data[0] & 64;
    run.how = data[0];
    memory.fail_in = data[1];
    if (begin()) {
        memory.fail_in = data[2];
        if (!(data[0] & 32))
            enrol(0, v);
        script(data + 3, size - 3);
        end();
    }
    memory_end();
    return 0;
}
