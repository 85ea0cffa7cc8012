/* The wire: loses, copies, delays; NATs that close. */
#include "test/sim_int.h"

#include <stdlib.h>

struct sim_packet {
    struct sim_packet *next;
    uint64_t at_ms, order;
    bool to_server;
    struct sip_peer peer; /* as the receiver sees it */
    size_t n;
    char bytes[];
};

void sim_wire_put(struct sim *s, bool to_server, const struct sip_out *out)
{
    unsigned copies = 1 + (test_random(&s->rnd) % 100 < s->opt.copy_percent);
    bool udp = out->peer.transport == SIP_UDP;

    if (!to_server && s->opt.on_message)
        s->opt.on_message(s->opt.message_ctx, true, &out->peer, out->bytes,
                          s->now);
    for (unsigned i = 0; i < (udp ? copies : 1); i++) {
        struct sim_packet *k, **at = &s->wire;

        if (udp && test_random(&s->rnd) % 100 < s->opt.loss_percent)
            continue;
        k = calloc(1, sizeof(*k) + out->bytes.n);
        assert_non_null(k);
        k->to_server = to_server;
        k->peer = out->peer;
        k->peer.local = out->peer.remote;
        k->peer.remote = out->peer.local;
        k->at_ms = s->now.mono_ms + s->opt.delay_ms;
        if (udp && s->opt.jitter_ms)
            k->at_ms += test_random(&s->rnd) % s->opt.jitter_ms;
        k->n = out->bytes.n;
        memcpy(k->bytes, out->bytes.p, k->n);
        while (*at && (*at)->at_ms <= k->at_ms)
            at = &(*at)->next;
        k->next = *at;
        *at = k;
    }
}

/* What it sends: the time in its NOTIFY as it counts it. */
static void falsify(const struct sim_device *d, char *bytes, size_t n)
{
    static const char expires[] = "active;expires=";
    size_t at = slice_find_slice(slice_of(bytes, n), slice_str(expires)) +
                sizeof(expires) - 1;

    if (!d->notify_short || at >= n)
        return;
    for (; at + 1 < n && bytes[at + 1] >= '0' && bytes[at + 1] <= '9'; at++)
        bytes[at] = '0';
    bytes[at] = '1';
}

struct sim_device *sim_by_addr(struct sim *s, const struct gb_addr *a)
{
    for (unsigned i = 0; i < s->n_devices; i++)
        if (gb_addr_eq(&s->device[i].addr, a) ||
            (s->device[i].listens.family &&
             gb_addr_eq(&s->device[i].listens, a)))
            return &s->device[i];
    return NULL;
}

bool sim_wire_get(struct sim *s)
{
    struct sim_packet *k = s->wire;
    struct sim_device *d;
    struct slice bytes;

    if (!k || k->at_ms > s->now.mono_ms)
        return false;
    s->wire = k->next;
    d = sim_by_addr(s, k->to_server ? &k->peer.remote : &k->peer.local);
    if (d && k->to_server)
        falsify(d, k->bytes, k->n);
    bytes = guarded(slice_of(k->bytes, k->n));
    if (d && k->to_server)
        d->nat_until_ms = s->now.mono_ms + d->nat_ms;
    if (d && (d->deaf || (d->listens.family && !k->to_server &&
                          !slice_has_prefix(bytes, SLICE("SIP/")) &&
                          !gb_addr_eq(&d->listens, &k->peer.local)))) {
        /* lost */
    } else if (d && d->nat_ms && s->now.mono_ms > d->nat_until_ms) {
        d->nat_drops++;
    } else if (k->to_server) {
        platform_ahead(s->p, &bytes, 1);
        if (platform_admits(s->p, &k->peer, bytes, s->now)) {
            if (s->opt.on_message)
                s->opt.on_message(s->opt.message_ctx, false, &k->peer, bytes,
                                  s->now);
            sip_stack_input(s->server, &k->peer, bytes, s->now.mono_ms);
        }
    } else if (d) {
        sip_stack_input(s->field, &k->peer, bytes, s->now.mono_ms);
    }
    free(k);
    return true;
}

uint64_t sim_wire_at(const struct sim *s)
{
    return s->wire ? s->wire->at_ms : GB_NEVER;
}

void sim_wire_free(struct sim *s)
{
    while (s->wire) {
        struct sim_packet *k = s->wire;

        s->wire = k->next;
        free(k);
    }
}
