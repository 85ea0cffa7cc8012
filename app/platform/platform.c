#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/doctor.h"
#include "app/platform/messages.h"
#include "app/platform/nat.h"
#include "app/platform/registrar.h"
#include "app/platform/settings.h"
#include "app/platform/voice.h"
#include "app/platform/voices.h"
#include "app/platform/way.h"

#include "base/prefetch.h"
#include "base/writer.h"

#include <assert.h>

/* ---- small tools ---- */

/* splitmix64: jitter and order, nothing that must be kept secret. */
uint64_t platform_random(struct platform *p)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t platform_random_in(struct platform *p, uint64_t from, uint64_t to)
{
    return from + platform_random(p) % (to - from);
}

uint32_t platform_next_sn(struct platform *p)
{
    /* some devices store six digits */
    p->sn = p->sn >= 999999 ? 1 : p->sn + 1;
    return p->sn;
}

struct slice platform_copy(struct platform *p, struct slice s)
{
    char *c = s.n ? gb_get(p->alloc, s.n + 1) : NULL;

    if (!c)
        return slice_of(NULL, 0);
    memcpy(c, s.p, s.n);
    return slice_of(c, s.n);
}

/* ---- making and freeing ---- */

static void set_defaults(struct platform_config *c)
{
#define DEFAULT(field, value)                                                  \
    if (!c->field)                                                             \
    c->field = (value)
    DEFAULT(expires_min_s, 60);
    DEFAULT(expires_max_s, 604800);
    DEFAULT(keepalive_s, 60);
    DEFAULT(keepalive_count, 3);
    DEFAULT(idle_stop_s, 30);
    DEFAULT(ptz_hold_ms, 5000);
    DEFAULT(answer_ms, 10000);
    DEFAULT(media_ms, 10000);
    DEFAULT(silence_ms, 15000);
    DEFAULT(program_ms, 10000);
    DEFAULT(first_key_ms, 10000);
    DEFAULT(port_min, 30002);
    DEFAULT(port_max, 30999);
    DEFAULT(max_devices, 20000);
    DEFAULT(max_channels, 200000);
    DEFAULT(max_device_channels, 100000);
    DEFAULT(max_sessions, 4000);
    DEFAULT(max_pending, 256);
    DEFAULT(media_loops, 1);
    DEFAULT(rate_per_s, 20);
    DEFAULT(rate_burst, 100);
    DEFAULT(strangers_per_s, 5000);
    DEFAULT(registers_per_s, 1000);
    DEFAULT(digest, 1u << SIP_DIGEST_MD5);
    DEFAULT(ban_failures, 20);
    DEFAULT(ban_s, 60);
#undef DEFAULT
}

static int copy_strings(struct platform *p)
{
    struct slice id = slice_str(p->cfg.id), realm = slice_str(p->cfg.realm),
                 password = slice_str(p->cfg.password);
    char *s;

    if (id.n == 0 || id.n >= PLATFORM_ID_MAX || realm.n == 0 ||
        realm.n > 128 || password.n == 0)
        return GB_ESYNTAX; /* an open platform is no mode of this one */
    s = p->strings = gb_get(p->alloc, id.n + realm.n + password.n + 3);
    if (!s)
        return GB_ENOMEM;
    p->id = slice_of(memcpy(s, id.p, id.n), id.n);
    p->realm = slice_of(memcpy(s + id.n + 1, realm.p, realm.n), realm.n);
    p->password = slice_of(
        memcpy(s + id.n + realm.n + 2, password.p, password.n), password.n);
    p->cfg.id = p->id.p;
    p->cfg.realm = p->realm.p;
    p->cfg.password = p->password.p;
    return 0;
}

static int copy_advertise(struct platform *p, const struct platform_config *cfg)
{
    struct platform_advertise *a = NULL;

    if (cfg->n_advertise) {
        a = gb_get(p->alloc, cfg->n_advertise * sizeof(*a));
        if (!a)
            return GB_ENOMEM;
        memcpy(a, cfg->advertise, cfg->n_advertise * sizeof(*a));
    }
    p->cfg.advertise = a;
    p->cfg.n_advertise = cfg->n_advertise;
    return 0;
}

/* Appends a copy to *at, with its NUL. */
static const char *put_text(char **at, const char *text)
{
    struct slice s = slice_str(text);
    char *to = *at;

    if (s.n)
        memcpy(to, s.p, s.n);
    *at = to + s.n + 1;
    return to;
}

static size_t texts_len(const char *const *list, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        len += slice_str(list[i]).n + 1;
    return len;
}

/* One block for all lists: what has pointers, the networks, the texts. */
static int copy_lists(struct platform *p, const struct platform_config *c)
{
    size_t n_ids = c->n_allow_ids + c->n_deny_ids, n_text;
    size_t n_nets = c->n_allow + c->n_deny;
    struct platform_redirect *to;
    struct platform_net *net;
    const char **id;
    char *text;

    n_text = texts_len(c->allow_ids, c->n_allow_ids) +
             texts_len(c->deny_ids, c->n_deny_ids);
    for (size_t i = 0; i < c->n_redirect; i++)
        n_text += slice_str(c->redirect[i].prefix).n +
                  slice_str(c->redirect[i].target).n + 2;
    to = gb_get(p->alloc, c->n_redirect * sizeof(*to) +
                                         n_ids * sizeof(*id) +
                                         n_nets * sizeof(*net) + n_text + 1);
    if (!to)
        return GB_ENOMEM;
    gb_put(p->alloc, p->lists);
    p->lists = to;
    id = (const char **)(void *)(to + c->n_redirect);
    net = (struct platform_net *)(void *)(id + n_ids);
    text = (char *)(net + n_nets);
    p->cfg.redirect = to;
    p->cfg.allow_ids = id;
    p->cfg.deny_ids = id + c->n_allow_ids;
    p->cfg.allow = net;
    p->cfg.deny = net + c->n_allow;
    for (size_t i = 0; i < c->n_redirect; i++) {
        to[i].prefix = put_text(&text, c->redirect[i].prefix);
        to[i].target = put_text(&text, c->redirect[i].target);
    }
    for (size_t i = 0; i < c->n_allow_ids; i++)
        *id++ = put_text(&text, c->allow_ids[i]);
    for (size_t i = 0; i < c->n_deny_ids; i++)
        *id++ = put_text(&text, c->deny_ids[i]);
    for (size_t i = 0; i < c->n_allow; i++)
        *net++ = c->allow[i];
    for (size_t i = 0; i < c->n_deny; i++)
        *net++ = c->deny[i];
    p->cfg.n_redirect = c->n_redirect;
    p->cfg.n_allow_ids = c->n_allow_ids;
    p->cfg.n_deny_ids = c->n_deny_ids;
    p->cfg.n_allow = c->n_allow;
    p->cfg.n_deny = c->n_deny;
    return 0;
}

static int tables_init(struct platform *p)
{
    struct manscdp_assembly_limits limits = {
        .max_open = p->cfg.max_devices,
    };
    int err = map_init_load(&p->devices, p->alloc, p->seed, MAP_EVEN);

    if (!err)
        err = map_init(&p->peers, p->alloc, p->seed);
    if (!err)
        err = map_init(&p->sites, p->alloc, p->seed);
    if (!err)
        err = map_init(&p->channels, p->alloc, p->seed);
    if (!err)
        err = intern_init(&p->texts, p->alloc, p->seed);
    if (!err)
        err = port_pool_init(&p->ports, p->alloc, p->cfg.port_min,
                             p->cfg.port_max);
    if (!err)
        err = ssrc_pool_init(&p->ssrcs, p->alloc, p->id,
                             (uint32_t)platform_random(p));
    if (!err)
        err = guard_init(p);
    if (err)
        return err;
    p->arena = gb_get(p->alloc, PLATFORM_ARENA);
    p->assemblies = manscdp_assemblies_new(p->alloc, p->seed, &limits);
    if (!p->arena || !p->assemblies)
        return GB_ENOMEM;
    err = duty_init(p);
    return err ? err : channel_sets_init(p);
}

static void seeds(struct platform *p, const uint8_t seed[static 32])
{
    sip_nonce_key_init(&p->nonce_key, seed);
    memcpy(p->seed, seed, sizeof(p->seed));
    memcpy(&p->random, seed + 16, sizeof(p->random));
    /* what leaves the process must not tell the key of the nonces */
    p->seed[0] = map_hash(p->seed, SLICE("hash"));
    p->seed[1] = map_hash(p->seed, SLICE("tables"));
    p->random = map_hash(p->seed, slice_of((const char *)seed, 32));
}

static void lists_init(struct platform *p)
{
    list_init(&p->dirty_devices);
    list_init(&p->dirty_channels);
    list_init(&p->done_devices);
    list_init(&p->dirty_sessions);
    list_init(&p->queue);
    list_init(&p->kept_dialogs);
    list_init(&p->trials);
    list_init(&p->groups);
    list_init(&p->gone_groups);
    list_init(&p->closed_dialogs);
    list_init(&p->answered_dialogs);
    list_init(&p->sessions);
    list_init(&p->voices);
    list_init(&p->dirty_voices);
    commands_init(&p->commands);
    ptz_init(&p->moves);
    upgrades_init(&p->upgrades);
    records_init(&p->records);
    downloads_init(&p->downloads);
}

int platform_new(struct platform **out, const struct platform_config *cfg,
                 struct gb_time now)
{
    const struct gb_alloc *alloc = cfg->alloc ? cfg->alloc : &gb_alloc_heap;
    struct platform *p = gb_get(alloc, sizeof(*p));
    int err;

    *out = NULL;
    if (!p)
        return GB_ENOMEM;
    p->alloc = alloc;
    p->sip = cfg->sip;
    p->now = now;
    p->began_ms = now.mono_ms;
    p->cfg = *cfg;
    set_defaults(&p->cfg);
    lists_init(p);
    idmap_init(&p->handles, alloc, p->cfg.max_devices + 2 * p->cfg.max_sessions +
                                       PLATFORM_MAX_DIALOGS_KEPT +
                                       PLATFORM_COMMANDS_OPEN +
                                       PLATFORM_VOICES_MAX + 1);
    seeds(p, cfg->seed);
    p->sn = (uint32_t)platform_random_in(p, 1, 900000);
    p->cfg.advertise = NULL; /* the caller's until it is copied */
    err = copy_strings(p);
    if (!err)
        err = copy_advertise(p, cfg);
    if (!err)
        err = copy_lists(p, cfg);
    if (!err)
        err = tables_init(p);
    if (err) {
        platform_free(p);
        return err;
    }
    if (!clock_is_set(p))
        platform_log(p, PLATFORM_WARN,
                     "msg=\"the clock of this server was never set: what is "
                     "recorded gets a wrong time, and devices are told none, "
                     "until it is\" try=\"NTP, or a battery\"");
    *out = p;
    return 0;
}

/* Devices that the lists keep out now; they are told when they next ask. */
static void unbind_denied(struct platform *p)
{
    for (size_t i = 0; i < p->n_devices; i++) {
        struct device *d = p->by_id[i];

        if (!d->bound || (admit_net_allowed(p, &d->peer.remote) &&
                          admit_id_allowed(p, device_id(d))))
            continue;
        sessions_of_device_end(p, d, "kept out by the configuration");
        device_offline(p, d, "kept out by the configuration");
        device_unbind(p, d);
        device_arm(p, d);
        device_changed(p, d, PLATFORM_CHANGED_BINDING);
    }
}

void platform_share_port(struct platform *p, uint16_t port, bool always)
{
    p->shared_port = port;
    p->share_always = always;
}

int platform_timezone_min(const struct platform *p)
{
    return p->cfg.timezone_min;
}

int platform_reload(struct platform *p, const struct platform_config *cfg)
{
    const struct platform_advertise *old = p->cfg.advertise;
    int err = copy_lists(p, cfg);

    if (err)
        return err;
    unbind_denied(p);
    p->cfg.digest = cfg->digest;
    p->cfg.offer_qop = cfg->offer_qop;

    p->cfg.auto_enrol = cfg->auto_enrol;
    p->cfg.date = cfg->date;
    p->cfg.timezone_min = cfg->timezone_min;
    p->cfg.quiet = cfg->quiet;
    p->cfg.trust_clocks = cfg->trust_clocks;
    p->cfg.download_bytes = cfg->download_bytes;
    p->cfg.idle_stop_s = cfg->idle_stop_s;
    p->cfg.ptz_hold_ms = cfg->ptz_hold_ms;
    p->cfg.reset_alarms = cfg->reset_alarms;
    memcpy(p->cfg.subscribe_s, cfg->subscribe_s, sizeof(p->cfg.subscribe_s));
    for (size_t i = 0; i < p->n_devices; i++)
        subscriptions_policy(p, p->by_id[i]);
    p->cfg.rate_per_s = cfg->rate_per_s;
    p->cfg.rate_burst = cfg->rate_burst;
    set_defaults(&p->cfg);
    p->cfg.media_address = cfg->media_address;
    err = copy_advertise(p, cfg);
    if (!err)
        gb_put(p->alloc, (void *)(uintptr_t)old);
    return err;
}

void platform_free(struct platform *p)
{
    const struct gb_alloc *alloc;
    struct handle *h;
    uint32_t pos = 0;

    if (!p)
        return;
    alloc = p->alloc;
    platform_actions_fini(p);
    while ((h = idmap_walk_next(&p->handles, &pos)))
        if (h->kind == HANDLE_SESSION)
            session_free(p, container_of(h, struct session, handle));
    if (p->voices.next)
        voices_fini(p);
    while (p->n_devices)
        device_delete(p, p->by_id[p->n_devices - 1]);
    history_causes_fini(&p->causes, alloc);
    doctor_forget(p, slice_of(NULL, 0));
    dialogs_fini(p);
    commands_fini(p);
    ptz_fini(p);
    duty_fini(p);
    channel_sets_fini(p);
    upgrades_fini(p);
    records_fini(p);
    downloads_fini(p);
    settings_fini(p);
    guard_fini(p);
    manscdp_assemblies_free(p->assemblies);
    gb_put(alloc, p->arena);
    gb_put(alloc, p->by_id);
    port_pool_fini(&p->ports);
    ssrc_pool_fini(&p->ssrcs);
    if (p->devices.alloc)
        map_fini(&p->devices);
    if (p->peers.alloc)
        map_fini(&p->peers);
    if (p->sites.alloc)
        map_fini(&p->sites);
    if (p->channels.alloc)
        map_fini(&p->channels);
    intern_fini(&p->texts);
    idmap_fini(&p->handles);
    gb_put(alloc, (void *)(uintptr_t)p->cfg.advertise);
    gb_put(alloc, p->lists);
    if (p->strings)
        memset(p->strings, 0, p->id.n + p->realm.n + p->password.n + 2);
    gb_put(alloc, p->strings);
    gb_put(alloc, p);
}

/* ---- inputs ---- */

void platform_respond(struct platform *p, const struct sip_event *ev,
                      unsigned status)
{
    const struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(p->sip, ev->transaction, &r, p->now.mono_ms);
}

static void on_device_event(struct platform *p, struct device *d,
                            const struct sip_event *ev)
{
    bool final = ev->kind == SIP_EV_FAILED || ev->status >= 200;
    struct rare *rare = d->rare;

    way_note(p, d, ev);
    if (ev->kind == SIP_EV_RESPONSE && d->bound &&
        gb_addr_ip_eq(&ev->peer.remote, &d->peer.remote))
        device_alive(p, d);
    if (ev->kind == SIP_EV_RESPONSE && d->bound &&
        gb_addr_eq(&ev->peer.remote, &d->peer.remote))
        nat_heard(p, d);
    if (ev->subscription)
        subscriptions_on_event(p, d, ev);
    if (!final)
        return;
    if (rare && rare->probe_transaction &&
        ev->transaction == rare->probe_transaction) {
        rare->probe_transaction = 0;
        if (ev->kind == SIP_EV_RESPONSE && d->bound &&
            gb_addr_eq(&ev->peer.remote, &rare->probe.remote))
            device_bind(p, d, &rare->probe, false);
    }
    if (ev->transaction == device_query(d)->transaction && ev->transaction)
        query_on_response(p, d, ev->status);
}

static void on_answer(struct platform *p, const struct sip_event *ev)
{
    struct handle *h = idmap_find(&p->handles, ev->user);

    if (!h)
        return; /* of something that is over: a BYE, an old query */
    switch ((enum handle_kind)h->kind) {
    case HANDLE_SESSION:
        session_on_sip(p, container_of(h, struct session, handle), ev);
        break;
    case HANDLE_DEVICE:
        on_device_event(p, container_of(h, struct device, handle), ev);
        break;
    case HANDLE_DIALOG:
        dialog_on_bye(p, container_of(h, struct kept_dialog, handle), ev);
        break;
    case HANDLE_COMMAND:
        command_on_sip(p, h->id, ev);
        break;
    case HANDLE_VOICE:
        voice_on_sip(p, h, ev);
        break;
    }
}

void platform_sip(struct platform *p, const struct sip_event *ev,
                  struct gb_time now)
{
    clock_at(p, now);
    switch (ev->kind) {
    case SIP_EV_REQUEST:
        if (ev->msg->method == SIP_METHOD_REGISTER)
            registrar_request(p, ev);
        else
            messages_request(p, ev);
        break;
    case SIP_EV_NOTIFY:
        messages_request(p, ev);
        break;
    case SIP_EV_RESPONSE:
    case SIP_EV_FAILED:
    case SIP_EV_ENDED:
    case SIP_EV_UNSUBSCRIBED:
        on_answer(p, ev);
        break;
    case SIP_EV_CANCELLED:
    case SIP_EV_ACKED:
        on_answer(p, ev);
        break;
    case SIP_EV_REFUSED:
        messages_refused(p, ev);
        break;
    case SIP_EV_BAD: /* the edge counts and tells it */
        break;
    }
    query_events(p);
}

void platform_closed(struct platform *p, uint64_t connection,
                     struct gb_time now)
{
    struct device *d;

    clock_at(p, now);
    while (connection && (d = device_lost(p, connection))) {
        device_offline(p, d, "connection lost");
        device_changed(p, d, PLATFORM_CHANGED_BINDING);
    }
}

/* The next tick is mostly that of a device, which lies in far memory. */
static void next_ahead(const struct platform *p)
{
    struct timerq_node *n = p->timers.root;

    if (n && timerq_kind(n) == TIMER_LIFE)
        prefetch_range(container_of(n, struct device, life_timer), DEVICE_NEAR);
}

void platform_tick(struct platform *p, struct gb_time now)
{
    struct timerq_node *n;

    clock_at(p, now);
    while ((n = timerq_pop(&p->timers, now.mono_ms))) {
        switch ((enum timer_kind)timerq_kind(n)) {
        case TIMER_LIFE:
            device_on_timer(p, container_of(n, struct device, life_timer));
            break;
        case TIMER_QUERY:
            query_on_timer(p, container_of(n, struct query, timer)->device);
            break;
        case TIMER_SESSION:
            session_on_timer(p, container_of(n, struct session, timer));
            break;
        case TIMER_SUBSCRIPTIONS:
            subscriptions_on_timer(
                p, container_of(n, struct device_subscriptions, timer));
            break;
        case TIMER_COMMAND:
            command_on_timer(p, n);
            break;
        case TIMER_PTZ:
            ptz_on_timer(p, n);
            break;
        case TIMER_UPGRADE:
            upgrade_on_timer(p, n);
            break;
        case TIMER_RECORDS:
            records_on_timer(p, n);
            break;
        case TIMER_DOWNLOAD:
            download_on_timer(p, n);
            break;
        case TIMER_VOICE:
            voice_on_timer(p, n);
            break;
        case TIMER_DIALOG:
            dialog_on_timer(p, n);
            break;
        }
    }
    manscdp_assembly_tick(p->assemblies, now.mono_ms);
    query_events(p);
    admit_summary(p);
    next_ahead(p);
}

uint64_t platform_deadline(const struct platform *p)
{
    uint64_t a = timerq_next(&p->timers);
    uint64_t b = manscdp_assembly_deadline(p->assemblies);
    uint64_t c = p->summary.n ? p->summary.due_ms : GB_NEVER;

    a = a < b ? a : b;
    return a < c ? a : c;
}

/* ---- the whole ---- */

void platform_drain(struct platform *p, struct gb_time now)
{
    struct handle *h;
    uint32_t pos = 0;

    clock_at(p, now);
    p->draining = true;
    while ((h = idmap_walk_next(&p->handles, &pos)))
        if (h->kind == HANDLE_SESSION)
            session_stop(p, container_of(h, struct session, handle));
    voices_end(p, "this server is stopping");
}

bool platform_is_drained(const struct platform *p)
{
    return p->draining && p->n_sessions == 0 && p->n_voices == 0 &&
           p->n_byes == 0;
}

void platform_counters(const struct platform *p, struct platform_counters *out)
{
    *out = p->counters;
    out->devices = (uint32_t)p->n_devices;
    out->online = (uint32_t)p->n_online;
    out->channels = (uint32_t)p->channels.n;
    out->sessions = (uint32_t)p->n_sessions;
    out->ports_lent = rest_pool_lent(&p->ports.rest);
    out->ports_resting = rest_pool_resting(&p->ports.rest, p->now.mono_ms);
    out->ssrcs_lent = rest_pool_lent(&p->ssrcs.rest);
    out->commands = (uint32_t)p->commands.n_open;
    out->voices = (uint32_t)p->n_voices;
    out->queries = (uint32_t)manscdp_assembly_count(p->assemblies);
}
