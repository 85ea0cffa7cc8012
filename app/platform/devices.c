/* The device table: who is known, bound and alive. Only
 * timers of the monotonic clock decide about states, and only the
 * functions of this file change them. */
#include "app/platform/devices.h"

#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/doctor.h"
#include "app/platform/nat.h"
#include "app/platform/outgoing.h"
#include "app/platform/settings.h"
#include "app/platform/takeover.h"
#include "app/platform/voices.h"

#include "base/writer.h"

#include <assert.h>
#include <stdlib.h>

#define WALK_FREE_MAX 64 /* channels that are no more work than their message */
#define WALK_RATE 1      /* walks a second through more of them, of one device */
#define WALK_BURST 10    /* at once */
#define LATE_MAX 256 /* devices behind the table in order */
#define RESTORED_MS 86400000 /* after a start, the store's word for an expiry is
                                not believed for so long */

/* ---- the table ---- */

uint32_t device_answer_ms(const struct platform *p, const struct device *d)
{
    if (device_is_system(d) && p->cfg.answer_ms < PLATFORM_SYSTEM_ANSWER_MS)
        return PLATFORM_SYSTEM_ANSWER_MS;
    return p->cfg.answer_ms;
}

struct device *device_find(const struct platform *p, struct slice id)
{
    struct map_node *n = map_find(&p->devices, id);

    return n ? container_of(n, struct device, by_id) : NULL;
}

static int by_id(const void *a, const void *b)
{
    const struct device *x = *(struct device *const *)a;
    const struct device *y = *(struct device *const *)b;

    return slice_cmp(device_id(x), device_id(y));
}

/* Where id is, or belongs, in the first n of the table, which are in order. */
static size_t place(const struct platform *p, struct slice id, size_t n)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (slice_cmp(device_id(p->by_id[mid]), id) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Each of those that came since to its place: from behind, so that all are moved
 * once. */
static void merge(struct platform *p, struct device **late, size_t n)
{
    size_t end = p->n_devices, sorted = p->n_sorted;

    while (n--) {
        size_t at = place(p, device_id(late[n]), sorted);

        memmove(p->by_id + at + n + 1, p->by_id + at,
                (sorted - at) * sizeof(*p->by_id));
        p->by_id[at + n] = late[n];
        sorted = at;
    }
    p->n_sorted = end;
}

void devices_sort(struct platform *p)
{
    struct device *late[LATE_MAX];
    size_t n = p->n_devices - p->n_sorted;

    if (n == 0)
        return;
    memcpy(late, p->by_id + p->n_sorted, n * sizeof(*late));
    qsort(late, n, sizeof(*late), by_id);
    merge(p, late, n);
}

static bool grow(struct platform *p)
{
    size_t cap = p->cap_devices ? p->cap_devices * 2 : 16;
    struct device **more;

    if (p->n_devices < p->cap_devices)
        return true;
    more = gb_get(p->alloc, cap * sizeof(*more));
    if (!more)
        return false;
    if (p->n_devices)
        memcpy(more, p->by_id, p->n_devices * sizeof(*more));
    gb_put(p->alloc, p->by_id);
    p->by_id = more;
    p->cap_devices = cap;
    return true;
}

/* A fleet mostly comes in its order. What does not is put in its place with
 * others, so that mass registration does not move the table for each. */
static void enter(struct platform *p, struct device *d)
{
    if (p->n_sorted == p->n_devices &&
        (p->n_devices == 0 || by_id(&p->by_id[p->n_devices - 1], &d) < 0))
        p->n_sorted++;
    p->by_id[p->n_devices++] = d;
    if (p->n_devices - p->n_sorted == LATE_MAX)
        devices_sort(p);
}

struct device *device_add(struct platform *p, struct slice id)
{
    struct device *d;

    assert(id.n && id.n < DEVICE_ID_MAX && !device_find(p, id));
    if (p->n_devices >= p->cfg.max_devices || !grow(p))
        return NULL;
    d = gb_get(p->alloc, sizeof(*d));
    if (!d)
        return NULL;
    d->handle.kind = HANDLE_DEVICE;
    if (idmap_add(&p->handles, &d->handle, &d->handle.id)) {
        gb_put(p->alloc, d);
        return NULL;
    }
    memcpy(d->id, id.p, id.n);
    list_init(&d->dirty);
    list_init(&d->sessions);
    timerq_node_init(&d->life_timer, TIMER_LIFE);
    d->edition = MANSCDP_2016; /* until X-GB-Ver says otherwise */
    d->reason = "never registered";
    map_insert(&p->devices, &d->by_id, slice_of(d->id, id.n));
    enter(p, d);
    return d;
}

/* Out of the tables; its memory stays. */
static void detach(struct platform *p, struct device *d)
{
    size_t at;

    devices_sort(p);
    at = place(p, device_id(d), p->n_devices);
    if (at == p->n_devices || p->by_id[at] != d)
        return;
    device_unbind(p, d);
    if (d->online)
        p->n_online--;
    d->online = false;
    timerq_stop(&p->timers, &d->life_timer);
    p->n_devices--;
    p->n_sorted--;
    memmove(p->by_id + at, p->by_id + at + 1,
            (p->n_devices - at) * sizeof(*p->by_id));
    map_remove(&p->devices, &d->by_id);
    idmap_remove(&p->handles, d->handle.id);
}

static void free_channels(struct platform *p, struct device *d)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->dirty_channels) {
        struct channel *c = container_of(n, struct channel, dirty);

        if (c->device == d && c->removed) {
            list_remove(n);
            channel_free(p, c);
        }
    }
    for (size_t i = 0; i < d->n_channels; i++) {
        channel_sets_forget(p, d->channels[i]);
        list_remove(&d->channels[i]->dirty);
        map_remove(&p->channels, &d->channels[i]->node);
        channel_free(p, d->channels[i]);
    }
    d->n_channels = 0;
}

void device_drop(struct platform *p, struct device *d)
{
    query_stop(p, d);
    duty_forget(p, device_id(d));
    sessions_of_device_end(p, d, "the device was removed");
    voices_of_device_end(p, d, "the device was removed", true);
    subscriptions_end(p, d);
    doctor_forget(p, device_id(d));
    while (!list_is_empty(&d->sessions)) {
        struct session *s =
            container_of(d->sessions.next, struct session, in_device);

        list_remove(&s->in_device);
        s->device = NULL;
    }
    free_channels(p, d);
    detach(p, d);
    list_remove(&d->dirty);
    d->changes = CHANGE_REMOVED;
    list_push_back(&p->dirty_devices, &d->dirty);
}

void device_delete(struct platform *p, struct device *d)
{
    query_free(p, d);
    subscriptions_fini(p, d);
    list_remove(&d->dirty);
    free_channels(p, d);
    detach(p, d);
    intern_drop(&p->texts, d->user_agent);
    for (unsigned i = DEVICE_NAME; d->about && i < DEVICE_TEXT_COUNT; i++)
        intern_drop(&p->texts, d->about->text[i - DEVICE_NAME]);
    if (d->about)
        gb_put(p->alloc, d->about->profile);
    gb_put(p->alloc, d->about);
    device_settings_fini(p, d);
    gb_put(p->alloc, d->history);
    gb_put(p->alloc, d->channels);
    gb_put(p->alloc, d);
}

struct about *device_about_own(struct platform *p, struct device *d)
{
    if (!d->about)
        d->about = gb_get(p->alloc, sizeof(*d->about));
    return d->about;
}

struct rare *device_rare_own(struct platform *p, struct device *d)
{
    if (!d->rare)
        d->rare = gb_get(p->alloc, sizeof(*d->rare));
    return d->rare;
}

bool device_walks(struct platform *p, struct device *d)
{
    struct rare *r;

    if (d->n_channels <= WALK_FREE_MAX)
        return true;
    r = device_rare_own(p, d);
    return r && bucket_take(&r->walks, WALK_RATE, WALK_BURST, p->now.mono_ms);
}

/* Where it is kept; NULL: no memory. */
static const struct interned **text_of(struct platform *p, struct device *d,
                                       enum device_text which)
{
    struct about *a;

    if (which == DEVICE_USER_AGENT)
        return &d->user_agent;
    a = device_about_own(p, d);
    return a ? &a->text[which - DEVICE_NAME] : NULL;
}

bool device_set_text(struct platform *p, struct device *d,
                     enum device_text which, struct slice s)
{
    const struct interned *x, **at;

    s = manscdp_text_cut(slice_trim(s), PLATFORM_TEXT_MAX);
    if (s.n == 0 || slice_eq(s, device_text(d, which)))
        return false;
    at = text_of(p, d, which);
    x = at ? intern_take(&p->texts, s) : NULL;
    if (!x)
        return false; /* the old one is better than none */
    intern_drop(&p->texts, *at);
    *at = x;
    return true;
}

/* ---- bindings ---- */

/* The one way in and out of the tables of bound peers and of sources. */
static void peer_lift(struct platform *p, struct device *d)
{
    if (d->at_peer)
        map_remove(&p->peers, &d->by_peer);
    d->at_peer = false;
}

static void source_lift(struct platform *p, struct device *d)
{
    if (d->at_source)
        map_remove(&p->sites, &d->by_source);
    d->at_source = false;
}

/* Bytes behind the address are zero: it is a key as it lies there. */
static void canonical(struct gb_addr *out, const struct gb_addr *a)
{
    memset(out, 0, sizeof(*out));
    out->family = a->family;
    memcpy(out->ip, a->ip, a->family == GB_IPV4 ? 4 : 16);
    out->port = a->port;
}

/* Empty: a stream without a connection is nowhere. An address is longer than
 * the id of a connection, so they never meet. peer->remote is canonical. */
static struct slice peer_key(const struct sip_peer *peer)
{
    if (peer->transport == SIP_UDP)
        return slice_of((const char *)&peer->remote, sizeof(peer->remote));
    return slice_of((const char *)&peer->connection,
                    peer->connection ? sizeof(peer->connection) : 0);
}

/* As gb_addr_site: it begins with the address. */
static struct slice source_key(const struct gb_addr *a)
{
    _Static_assert(offsetof(struct gb_addr, family) == 0 &&
                   offsetof(struct gb_addr, ip) == 1, "one behind the other");
    return slice_of((const char *)a, a->family == GB_IPV4 ? 5 : 9);
}

/* After d->peer has been set. */
static void place_bound(struct platform *p, struct device *d)
{
    struct gb_addr remote = d->peer.remote;

    canonical(&d->peer.remote, &remote);
    d->at_peer = peer_key(&d->peer).n > 0;
    if (d->at_peer)
        map_insert(&p->peers, &d->by_peer, peer_key(&d->peer));
    map_insert(&p->sites, &d->by_source, source_key(&d->peer.remote));
    d->at_source = true;
}

struct device *device_bound_to(const struct platform *p,
                               const struct sip_peer *peer)
{
    struct sip_peer like = { .transport = peer->transport,
                             .connection = peer->connection };
    struct map_node *at;

    canonical(&like.remote, &peer->remote);
    at = peer_key(&like).n ? map_find(&p->peers, peer_key(&like)) : NULL;
    return at ? container_of(at, struct device, by_peer) : NULL;
}

struct device *device_bound_next(const struct device *d)
{
    struct map_node *at = map_find_next(&d->by_peer);

    return at ? container_of(at, struct device, by_peer) : NULL;
}

bool platform_has_bound(const struct platform *p, const struct sip_peer *peer)
{
    return device_bound_to(p, peer) != NULL;
}

struct device *device_at(const struct platform *p, const struct gb_addr *source)
{
    struct map_node *at = map_find(&p->sites, source_key(source));

    return at ? container_of(at, struct device, by_source) : NULL;
}

struct device *device_at_next(const struct device *d)
{
    struct map_node *at = map_find_next(&d->by_source);

    return at ? container_of(at, struct device, by_source) : NULL;
}

/* It has come back on another connection: the old one is closed, unless it
 * carries another device. */
static void disconnect(struct platform *p, struct device *d, uint64_t old)
{
    const struct sip_peer peer = { .transport = SIP_TCP, .connection = old };

    if (device_bound_to(p, &peer))
        return;
    d->old_connection = old;
    device_changed(p, d, CHANGE_DISCONNECT);
}

static void forget_probe(struct device *d)
{
    if (d->rare)
        d->rare->probe_transaction = 0;
}

void device_bind(struct platform *p, struct device *d,
                 const struct sip_peer *peer, bool has_proven)
{
    uint64_t old = d->bound ? d->peer.connection : 0;

    if (d->peer.remote.family != GB_NO_ADDR &&
        !gb_addr_ip_eq(&d->peer.remote, &peer->remote))
        d->learnt = PLATFORM_AUTO; /* of another network */
    peer_lift(p, d);
    source_lift(p, d);
    d->peer = *peer;
    d->bound = true;
    d->has_proven = has_proven;
    forget_probe(d);
    place_bound(p, d);
    if (old && old != peer->connection)
        disconnect(p, d, old);
    sessions_of_device_move(p, d);
    voices_of_device_move(p, d);
    subscriptions_move(p, d);
    dialogs_end_due(p, d);
    device_changed(p, d, PLATFORM_CHANGED_BINDING);
}

void device_unbind(struct platform *p, struct device *d)
{
    peer_lift(p, d);
    source_lift(p, d);
    d->peer.connection = 0;
    d->bound = d->has_proven = false;
}

struct device *device_lost(struct platform *p, uint64_t connection)
{
    const struct sip_peer peer = { .transport = SIP_TCP,
                                   .connection = connection };
    struct device *d = device_bound_to(p, &peer);

    if (d) {
        peer_lift(p, d);
        d->peer.connection = 0;
        d->has_proven = false;
    }
    return d;
}

bool device_admits(const struct device *d, const struct sip_peer *from,
                   bool *moved)
{
    *moved = false;
    if (!d->bound || from->transport != d->peer.transport ||
        !gb_addr_ip_eq(&from->remote, &d->peer.remote))
        return false;
    if (from->transport == SIP_UDP) {
        *moved = from->remote.port != d->peer.remote.port;
        return true;
    }
    /* Inside the registration's expiry a connection that is gone, or that our
     * restart forgot, is replaced by the next one from that address, as a port
     * is over UDP: devices connect anew without registering. While it lives
     * nothing else is taken for it. */
    return from->connection == d->peer.connection || d->peer.connection == 0;
}

struct manscdp_dialect device_dialect(const struct device *d)
{
    return (struct manscdp_dialect){ d->edition, d->charset };
}

/* ---- life ---- */

/* interval x count of the configuration, or three of the longest gaps seen
 * lately when those are longer. */
static uint64_t patience_ms(const struct platform *p, const struct device *d)
{
    uint64_t set = 1000ull * p->cfg.keepalive_s * p->cfg.keepalive_count;
    uint64_t seen = 3ull * d->gap_ms;

    return (seen > set ? seen : set) + PLATFORM_SLACK_MS;
}

static uint64_t grace_ms(const struct platform *p)
{
    return 1000ull * p->cfg.keepalive_s;
}

/* When the binding ends. One that came out of the store may have been refreshed
 * without the store's knowledge, while the disk was full or the wall clock wrong:
 * as long as its device speaks it is taken for valid, for a while. */
static uint64_t ends_ms(const struct platform *p, const struct device *d)
{
    uint64_t longest = p->cfg.expires_max_s * 1000ull, heard;

    if (!d->is_restored || !d->online)
        return d->expires_ms + grace_ms(p);
    if (longest > RESTORED_MS)
        longest = RESTORED_MS;
    heard = d->alive_ms + patience_ms(p, d);
    if (heard > p->began_ms + longest)
        heard = p->began_ms + longest;
    return (heard > d->expires_ms ? heard : d->expires_ms) + grace_ms(p);
}

/* A timer that is due earlier stays: it looks around and is set anew. */
void device_arm(struct platform *p, struct device *d)
{
    uint64_t at = GB_NEVER;

    if (d->bound)
        at = ends_ms(p, d);
    if (d->online && d->alive_ms + patience_ms(p, d) < at)
        at = d->alive_ms + patience_ms(p, d);
    if (nat_due_ms(p, d) < at)
        at = nat_due_ms(p, d);
    if (query_due_ms(d) < at)
        at = query_due_ms(d);
    if (at == GB_NEVER || at < timerq_at_ms(&d->life_timer))
        timerq_set(&p->timers, &d->life_timer, at);
}

void device_on_timer(struct platform *p, struct device *d)
{
    uint64_t now = p->now.mono_ms;

    if (d->bound && now >= ends_ms(p, d)) {
        device_offline(p, d, "registration expired");
        device_unbind(p, d);
        device_changed(p, d, PLATFORM_CHANGED_BINDING);
    } else if (d->online && now >= d->alive_ms + patience_ms(p, d)) {
        device_offline(p, d, "keepalive lost");
    }
    nat_on_timer(p, d);
    dialogs_end_due(p, d);
    query_begin(p, d);
    profile_look(p, d);
    device_arm(p, d);
}

static void remember(struct platform *p, struct device *d, const char *cause)
{
    const struct history_change c = { p->now.utc_ms, d->online, cause };

    history_put(&d->history, &p->causes, p->alloc, &c);
}

void device_online(struct platform *p, struct device *d, const char *reason,
                   bool ask)
{
    char addr[GB_ADDR_TEXT_MAX];
    bool came = false;

    d->alive_ms = p->now.mono_ms;
    if (!d->online) {
        d->online = true;
        d->reason = reason;
        remember(p, d, reason);
        p->n_online++;
        device_changed(p, d, PLATFORM_CHANGED_STATE);
        if (!p->cfg.quiet)
            platform_log(p, PLATFORM_INFO,
                         "msg=\"device online\" device=%s peer=%s why=\"%s\"",
                         d->id, gb_addr_text(&d->peer.remote, addr), reason);
        came = true;
    }
    if (ask)
        query_want(p, d, QUERY_CATALOG | QUERY_INFO, query_jitter(p));
    else if (came)
        query_back(p, d);
    if (ask || came)
        subscriptions_begin(p, d);
    if (came) {
        sessions_of_device_back(p, d);
        downloads_on_device(p, d);
    }
    device_arm(p, d);
}

void device_offline(struct platform *p, struct device *d, const char *reason)
{
    if (!d->online)
        return;
    d->online = false;
    d->reason = reason;
    remember(p, d, reason);
    p->n_online--;
    forget_probe(d);
    d->keepalive_ms = 0;
    query_stop(p, d);
    subscriptions_stop(p, d);
    device_changed(p, d, PLATFORM_CHANGED_STATE);
    platform_log(p, PLATFORM_INFO,
                 "msg=\"device offline\" device=%s why=\"%s\"", d->id, reason);
    sessions_of_device_away(p, d, reason);
    voices_of_device_end(p, d, reason, false);
    device_arm(p, d);
}

/* No timer is touched: it looks at alive_ms when it fires. */
void device_alive(struct platform *p, struct device *d)
{
    d->alive_ms = p->now.mono_ms;
    if (!d->online)
        device_online(p, d, "sign of life inside its registration", false);
}

void device_keepalive(struct platform *p, struct device *d)
{
    uint64_t now = p->now.mono_ms, gap = now - d->keepalive_ms;

    p->counters.keepalives++;
    if (d->keepalive_ms && gap <= PLATFORM_GAP_MAX_MS) {
        /* up at once, down slowly: bursts after an outage teach nothing */
        if (gap > d->gap_ms)
            d->gap_ms = (uint32_t)gap;
        else
            d->gap_ms -= (d->gap_ms - (uint32_t)gap) / 8;
    }
    d->keepalive_ms = now ? now : 1;
    d->keepalive_utc_ms = p->now.utc_ms;
}

/* ---- views and the API ---- */

static void view(const struct platform *p, const struct device *d,
                 struct platform_device *out)
{
    const struct rare *rare = device_rare(d);
    const struct about *about = device_about(d);

    (void)p;
    *out = (struct platform_device){
        .id = device_id(d),
        .name = rare->given_name.n ? rare->given_name
                                   : device_text(d, DEVICE_NAME),
        .own_name = device_text(d, DEVICE_NAME),
        .manufacturer = device_text(d, DEVICE_MANUFACTURER),
        .model = device_text(d, DEVICE_MODEL),
        .firmware = device_text(d, DEVICE_FIRMWARE),
        .user_agent = device_text(d, DEVICE_USER_AGENT),
        .online = d->online,
        .state_reason = slice_str(d->reason),
        .peer = d->peer,
        .edition = slice_str(manscdp_edition_ver(d->edition)),
        .registered_utc_ms = d->registered_utc_ms,
        .keepalive_utc_ms = d->keepalive_utc_ms,
        .expires_utc_ms = d->expires_utc_ms,
        .n_channels = d->n_channels,
        .catalog = (enum platform_catalog)d->asked.catalog,
        .catalog_have = d->asked.have,
        .catalog_sum = d->asked.sum,
        .deviations = about->deviations,
        .media = d->media,
        .has_password = rare->password.n > 0,
        .ignore_require = d->ignores_require,
        .arm = d->arms,
        .date = d->date,
        .edition_set = d->edition_set,
        .digest = d->digest,
        .clock = { .from = (enum platform_clock_source)about->clock.from,
                   .drift_ms = about->clock.drift_ms,
                   .zone_min = about->clock.zone_min,
                   .drifts = about->clock.drifts },
    };
    out->subscribe = rare->subscribe;
    if (rare->group)
        out->group = group_name(rare->group);
    if (d->charset_known)
        out->charset = slice_str(manscdp_charset_name(d->charset));
}

bool platform_has_device(const struct platform *p, struct slice id)
{
    return device_find(p, id) != NULL;
}

bool platform_device_view(const struct platform *p, struct slice id,
                          struct platform_device *out)
{
    const struct device *d = device_find(p, id);

    if (!d)
        return false;
    view(p, d, out);
    return true;
}

/* Half of buf each; what does not fit, and it always should, is not kept. */
bool platform_device_save(const struct platform *p, struct slice id,
                          char buf[static PLATFORM_SAVED_MAX],
                          struct platform_device *out)
{
    const struct device *d = device_find(p, id);
    size_t half = PLATFORM_SAVED_MAX / 2;
    struct writer history = writer_of(buf, half);
    struct writer profile = writer_of(buf + half, half);

    if (!d)
        return false;
    view(p, d, out);
    history_write(&history, d->history, &p->causes);
    profile_write(&profile, d);
    out->history = slice_of(buf, history.err ? 0 : history.len);
    out->profile = slice_of(buf + half, profile.err ? 0 : profile.len);
    return true;
}

bool platform_device_next(const struct platform *p, struct slice after,
                          struct platform_device *out)
{
    size_t at;

    devices_sort((struct platform *)(uintptr_t)p); /* nobody sees that */
    at = after.n ? place(p, after, p->n_devices) : 0;
    if (at < p->n_devices && slice_eq(device_id(p->by_id[at]), after))
        at++;
    if (at >= p->n_devices)
        return false;
    view(p, p->by_id[at], out);
    return true;
}

_Static_assert(PLATFORM_CHANGES_MAX == HISTORY_MAX,
               "what is kept is what can be asked for");

bool platform_device_change(const struct platform *p, struct slice id, size_t i,
                            struct platform_change *out)
{
    const struct device *d = device_find(p, id);
    struct history_change c;

    if (!d || !history_at(d->history, &p->causes, i, &c))
        return false;
    *out = (struct platform_change){ c.utc_ms, c.online, c.cause };
    return true;
}

size_t platform_device_count(const struct platform *p, size_t *online)
{
    if (online)
        *online = p->n_online;
    return p->n_devices;
}

size_t platform_sip_bytes(const struct platform *p)
{
    size_t slots = p->devices.n_buckets + p->peers.n_buckets +
                   p->sites.n_buckets;

    return p->n_devices * DEVICE_SIP + slots * sizeof(*p->devices.bucket);
}

int platform_device_refresh(struct platform *p, struct slice id,
                            struct gb_time now)
{
    struct device *d = device_find(p, id);

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    if (!d->online)
        return GB_ESTATE;
    d->asked.tries = 0;
    query_want(p, d, QUERY_CATALOG | QUERY_INFO, 0);
    return 0;
}

int platform_device_remove(struct platform *p, struct slice id,
                           struct gb_time now)
{
    struct device *d = device_find(p, id);

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    device_drop(p, d);
    return 0;
}

bool platform_device_reaches(const struct platform *p, struct slice id,
                             struct gb_addr *out)
{
    const struct device *d = device_find(p, id);

    if (!d || !d->bound)
        return false;
    *out = platform_contact_addr(p, &d->peer);
    out->port = 0;
    return out->family != GB_NO_ADDR;
}

/* ---- across a restart ---- */

/* What is behind the restart goes on: it was online until then, as far as is
 * known. */
static void restore_learnt(struct platform *p, struct device *d,
                           const struct platform_saved_device *s)
{
    struct history_change last;

    history_read(&d->history, &p->causes, p->alloc, s->history);
    if (history_at(d->history, &p->causes, 0, &last) && last.online)
        remember(p, d, d->reason);
    profile_read(p, d, s->profile);
}

/* false: no memory. */
static bool restore_texts(struct platform *p, struct device *d,
                          const struct platform_saved_device *s)
{
    const struct slice text[DEVICE_TEXT_COUNT] = {
        [DEVICE_NAME] = s->name,         [DEVICE_MANUFACTURER] = s->manufacturer,
        [DEVICE_MODEL] = s->model,       [DEVICE_FIRMWARE] = s->firmware,
        [DEVICE_USER_AGENT] = s->user_agent,
    };

    for (unsigned i = 0; i < DEVICE_TEXT_COUNT; i++) {
        device_set_text(p, d, i, text[i]);
        if (manscdp_text_cut(slice_trim(text[i]), PLATFORM_TEXT_MAX).n &&
            !device_text(d, i).n)
            return false;
    }
    return true;
}

/* The wall clock may have been wrong: never longer than our maximum. */
static void restore_binding(struct platform *p, struct device *d,
                            const struct platform_saved_device *s)
{
    uint64_t left, most = p->cfg.expires_max_s * 1000ull;

    if (s->expires_utc_ms <= p->now.utc_ms || !s->peer.remote.family)
        return;
    left = (uint64_t)(s->expires_utc_ms - p->now.utc_ms) +
           DEVICE_EXPIRES_LAG_MS;
    d->bound = admit_net_allowed(p, &d->peer.remote) &&
               admit_id_allowed(p, s->id);
    d->expires_ms = p->now.mono_ms + (left < most ? left : most);
    d->is_restored = true;
    if (d->bound)
        place_bound(p, d);
}

int platform_restore_device(struct platform *p,
                            const struct platform_saved_device *s,
                            struct gb_time now)
{
    enum manscdp_edition edition;
    enum manscdp_charset charset;
    struct device *d;

    clock_at(p, now);
    if (!manscdp_devid_is_usable(s->id) || s->id.n >= DEVICE_ID_MAX ||
        s->peer.transport > SIP_TLS)
        return GB_ESYNTAX;
    if (device_find(p, s->id))
        return GB_EEXIST;
    d = device_add(p, s->id);
    if (!d)
        return p->n_devices >= p->cfg.max_devices ? GB_ELIMIT : GB_ENOMEM;
    if (!restore_texts(p, d, s)) {
        device_delete(p, d);
        return GB_ENOMEM;
    }
    if (manscdp_edition_by_ver(s->edition, &edition)) {
        d->edition = (uint8_t)edition;
        d->edition_known = true;
    }
    if (manscdp_charset_by_name(s->charset, &charset)) {
        d->charset = (uint8_t)charset;
        d->charset_known = true;
    }
    d->peer = s->peer;
    d->peer.connection = 0;
    d->registered_utc_ms = s->registered_utc_ms;
    d->keepalive_utc_ms = s->keepalive_utc_ms;
    d->expires_utc_ms = d->told_expires_utc_ms = s->expires_utc_ms;
    d->reason = "not heard of since the restart";
    /* its Contact is not stored: until it registers, a port that no device
     * listens on by itself stands for one */
    d->behind_nat = s->peer.remote.port != 5060;
    restore_learnt(p, d, s);
    restore_binding(p, d, s);
    device_arm(p, d);
    list_remove(&d->dirty); /* the store knows it already */
    d->changes = 0;
    return 0;
}
