/* Devices behind a NAT (field-notes 2.1, 2.2): their mapping is kept open, and
 * an INVITE that fell into a closed one waits for the next sign of life.
 *
 * A mapping closes after some 30 s to 5 min without traffic, which is less than
 * many devices leave between two keep-alives. TCP and TLS are kept open by the
 * edge, which sees the connection and not the device. */
#include "app/platform/nat.h"

#include "app/platform/core.h"
#include "app/platform/outgoing.h"
#include "app/platform/way.h"

#define OPEN_ANSWER_MS 2000 /* for the answer to an OPTIONS: two repeats */

/* Devices of a site come back together after an outage: their moments are
 * spread over a fifth of the interval, for each device always alike. */
static uint64_t spread_ms(const struct device *d, uint64_t every_ms)
{
    return (d->handle.id * 0x9e3779b97f4a7c15u >> 40) % (every_ms / 5 + 1);
}

uint64_t nat_due_ms(const struct platform *p, const struct device *d)
{
    uint64_t every_ms = p->cfg.keep_open_ms;
    uint64_t last_ms = d->alive_ms > d->opened_ms ? d->alive_ms : d->opened_ms;

    if (!d->online || !d->bound || !d->behind_nat || !every_ms ||
        d->peer.transport != SIP_UDP)
        return GB_NEVER;
    return last_ms + every_ms - spread_ms(d, every_ms);
}

void nat_on_timer(struct platform *p, struct device *d)
{
    struct outgoing o;
    uint64_t ignored;

    if (p->now.mono_ms < nat_due_ms(p, d))
        return;
    d->opened_ms = p->now.mono_ms;
    if (outgoing_init_at(&o, p, &d->peer, way_uri(d), device_id(d),
                         SIP_METHOD_OPTIONS))
        return;
    o.r.user = d->handle.id;
    o.r.timeout_ms = OPEN_ANSWER_MS;
    if (!sip_stack_request(p->sip, &o.r, p->now.mono_ms, &ignored))
        p->counters.kept_open++;
}

bool nat_holds(const struct session *s)
{
    const struct device *d = s->device;

    return d->behind_nat && d->peer.transport == SIP_UDP &&
           gb_addr_eq(&s->invited, &d->peer.remote) && s->sip_status == 0 &&
           !(s->tried & TRIED_HELD);
}

void nat_heard(struct platform *p, struct device *d)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions) {
        struct session *s = container_of(n, struct session, in_device);

        if (s->held)
            session_reinvite(p, s);
    }
}
