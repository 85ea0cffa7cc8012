/* Requests to devices: addresses and URIs. */
#include "app/platform/outgoing.h"

#include "app/platform/auth.h"
#include "app/platform/core.h"
#include "app/platform/way.h"

#include "base/writer.h"
#include "sip/value.h"

/* Rules of network.advertise: the first that holds the peer. */
static bool advertised(const struct platform *p, const struct gb_addr *peer,
                       struct gb_addr *out)
{
    for (size_t i = 0; i < p->cfg.n_advertise; i++) {
        const struct platform_advertise *a = &p->cfg.advertise[i];

        if (gb_addr_in_net(peer, &a->net, a->bits)) {
            *out = a->address;
            return true;
        }
    }
    return false;
}

struct gb_addr platform_contact_addr(const struct platform *p,
                                     const struct sip_peer *peer)
{
    struct gb_addr a = peer->local;

    if (advertised(p, &peer->remote, &a))
        a.port = peer->local.port;
    return a;
}

struct gb_addr platform_media_addr(const struct platform *p,
                                   const struct sip_peer *peer)
{
    struct gb_addr a = p->cfg.media_address;

    if (a.family == GB_NO_ADDR && !advertised(p, &peer->remote, &a))
        a = peer->local;
    a.port = 0;
    return a;
}

/* Over TLS "sip:…;transport=tls" (RFC 2543, as devices write it themselves)
 * and no sips: URI: that would ask for TLS on every hop and for a sips Contact
 * (RFC 3261 §8.1.1.8, §26.2.2), which devices do not know. */
static struct slice uri(struct writer *w, struct slice user,
                        const struct gb_addr *host, uint8_t transport)
{
    static const char *const param[] = { [SIP_UDP] = "",
                                         [SIP_TCP] = ";transport=tcp",
                                         [SIP_TLS] = ";transport=tls" };
    size_t from = w->len;

    sip_uri_write(w, user, SLICE(""));
    gb_addr_write(w, host);
    writer_str(w, param[transport]);
    return slice_of(w->p + from, w->len - from);
}

static struct slice domain_uri(struct writer *w, struct slice user,
                               struct slice domain)
{
    size_t from = w->len;

    sip_uri_write(w, user, domain);
    return slice_of(w->p + from, w->len - from);
}

int outgoing_init_at(struct outgoing *o, const struct platform *p,
                     const struct sip_peer *peer, const struct gb_addr *host,
                     struct slice target, enum sip_method method)
{
    struct writer w = writer_of(o->text, sizeof(o->text));
    struct gb_addr contact = platform_contact_addr(p, peer);

    o->r = (struct sip_request){
        .method = method,
        .peer = *peer,
        .uri = uri(&w, target, host, peer->transport),
        .from = domain_uri(&w, p->id, p->realm),
        .to = domain_uri(&w, target, p->realm),
        .contact = uri(&w, p->id, &contact, peer->transport),
        .expires = -1,
    };
    return w.err;
}

/* Whoever challenges chooses the nonce, and can guess the password from the
 * answer at leisure: only who has shown to know it gets one, and only where it
 * has shown that. */
bool outgoing_has_login(const struct device *d)
{
    struct sip_peer to = way_of(d);

    return device_has_noted(d, DEVIATION_ASKS_US) && d->has_proven &&
           gb_addr_eq(&to.remote, &d->peer.remote);
}

bool outgoing_wants_login(const struct device *d, bool had, unsigned status)
{
    return (status == 401 || status == 407) && !had && outgoing_has_login(d);
}

const char *outgoing_login_hint(const struct device *d)
{
    return outgoing_has_login(d)
               ? "the device asks for a password, and not for the one that it "
                 "registers with: turn that off in the device"
               : "the device asks for a password, and gets it only where it "
                 "has registered from: let it register again, or turn that "
                 "off in the device";
}

void outgoing_log_in(const struct platform *p, const struct device *d,
                     struct sip_request *r)
{
    if (!outgoing_has_login(d))
        return;
    r->peer = d->peer;
    r->username = p->id;
    r->password = auth_password(p, d); /* both sides have it */
}

int outgoing_init(struct outgoing *o, const struct platform *p,
                  const struct device *d, struct slice target,
                  enum sip_method method)
{
    struct sip_peer to = way_of(d);
    int err = outgoing_init_at(o, p, &to, way_uri(d), target, method);

    if (!err)
        outgoing_log_in(p, d, &o->r);
    return err;
}

int device_message(struct platform *p, struct device *d, struct slice body,
                   uint64_t user, uint64_t *transaction)
{
    struct outgoing o;
    uint64_t ignored;
    int err = outgoing_init(&o, p, d, device_id(d), SIP_METHOD_MESSAGE);

    if (err)
        return err;
    o.r.contact = slice_of(NULL, 0);
    o.r.content_type = SLICE(SIP_TYPE_MANSCDP);
    o.r.body = body;
    o.r.user = user;
    o.r.timeout_ms = 10000;
    return sip_stack_request(p->sip, &o.r, p->now.mono_ms,
                             transaction ? transaction : &ignored);
}
