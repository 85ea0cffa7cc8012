/* Where the requests to a device go: to where it sends from, since nothing else
 * comes through a NAT. Their Request-URI is the Contact of its REGISTER, by
 * which a device, or a proxy before it, knows itself (RFC 3261 §10.3, §16.5).
 *
 * Over UDP a few devices send from one port and listen on another: when
 * requests are not answered, those that follow go to the Contact. */
#include "app/platform/way.h"

#include "app/platform/core.h"

#define WAY_UNANSWERED 3 /* requests in a row, until the other way is tried */

static const struct gb_addr *contact_of(const struct device *d)
{
    return &device_rare(d)->contact;
}

static void keep(struct platform *p, struct device *d,
                 const struct gb_addr *contact)
{
    struct rare *r = d->rare;

    if (gb_addr_eq(contact, contact_of(d)))
        return;
    if (!r)
        r = device_rare_own(p, d);
    if (!r)
        return; /* the Request-URI is where it sends from */
    r->contact = *contact;
    r->by_contact = false;
    r->unanswered = 0;
    device_changed(p, d, PLATFORM_CHANGED_PROFILE);
}

bool way_learn(struct platform *p, struct device *d,
               const struct sip_addr *contact, const struct sip_peer *peer)
{
    const struct gb_addr none = { .family = GB_NO_ADDR };
    struct gb_addr own;
    bool known = contact && !contact->is_star &&
                 sip_uri_addr(&contact->uri, 5060, &own) == 0 &&
                 !gb_addr_is_any(&own);
    bool same = known && gb_addr_eq(&own, &peer->remote);
    /* the port of a connection is no place to reach it at */
    bool other = known && !same && (peer->transport == SIP_UDP ||
                                    !gb_addr_ip_eq(&own, &peer->remote));

    if (other || d->behind_nat) /* far memory otherwise */
        keep(p, d, other ? &own : &none);
    d->behind_nat = known && !same;
    return same;
}

const struct gb_addr *way_uri(const struct device *d)
{
    const struct gb_addr *contact = contact_of(d);

    return contact->family ? contact : &d->peer.remote;
}

struct sip_peer way_of(const struct device *d)
{
    struct sip_peer to = d->peer;

    if (device_rare(d)->by_contact && to.transport == SIP_UDP)
        to.remote = *contact_of(d);
    return to;
}

bool way_is_there(const struct device *d)
{
    return d->bound && (d->peer.transport == SIP_UDP || d->peer.connection);
}

bool way_is_another(const struct device *d, const struct sip_peer *failed)
{
    return way_is_there(d) && (d->peer.transport != failed->transport ||
                               d->peer.connection != failed->connection);
}

/* Another address than its own is none to try: behind a NAT it is nobody's, or
 * somebody else's. */
void way_silent(struct platform *p, struct device *d, const struct gb_addr *to)
{
    struct sip_peer way = way_of(d);
    struct rare *r = d->rare;
    char addr[GB_ADDR_TEXT_MAX];

    if (!r || !d->bound || d->peer.transport != SIP_UDP ||
        !gb_addr_eq(to, &way.remote) || ++r->unanswered < WAY_UNANSWERED)
        return;
    r->unanswered = 0;
    if (!gb_addr_ip_eq(&r->contact, &d->peer.remote))
        return;
    r->by_contact = !r->by_contact;
    way = way_of(d);
    platform_log(p, PLATFORM_INFO,
                 "msg=\"%d requests in a row were not answered: the next go to "
                 "its %s\" device=%s peer=%s",
                 WAY_UNANSWERED, r->by_contact ? "Contact" : "source", d->id,
                 gb_addr_text(&way.remote, addr));
}

void way_note(struct platform *p, struct device *d, const struct sip_event *ev)
{
    struct rare *r = d->rare;

    if (ev->kind == SIP_EV_RESPONSE && (ev->status == 401 || ev->status == 407))
        device_deviation(p, d, DEVIATION_ASKS_US, slice_of(NULL, 0));
    if (!r)
        return;
    if (ev->kind == SIP_EV_FAILED && ev->status == 408)
        way_silent(p, d, &ev->peer.remote);
    if (ev->kind != SIP_EV_RESPONSE)
        return;
    r->unanswered = 0;
    if (r->by_contact && gb_addr_eq(&ev->peer.remote, &r->contact))
        device_deviation(p, d, DEVIATION_DEAF_PORT, slice_of(NULL, 0));
}
