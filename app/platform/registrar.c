/* REGISTER (signalling reference §3). The order of checks is that of §3.3;
 * nothing is kept of a device before it has proven the password. */
#include "app/platform/core.h"

#include "base/writer.h"
#include "sip/value.h"

#define MAX_EXTRA 4
#define NONCE_FOR_MAX (PLATFORM_ID_MAX + GB_ADDR_TEXT_MAX)

/* One REGISTER on its way through the checks. */
struct attempt {
    const struct sip_event *ev;
    const struct sip_msg *m;
    char id_text[PLATFORM_ID_MAX];
    struct slice id;
    struct device *device; /* NULL: unknown */
    bool is_ours;          /* comes from where the device is bound */
    struct slice user_agent;
    struct sip_addr contact;
    bool has_contact, has_expires;
    uint32_t expires_s;
};

bool platform_user(const struct sip_uri *uri, char buf[static PLATFORM_ID_MAX],
                   struct slice *id)
{
    if (!sip_uri_user(uri, buf, PLATFORM_ID_MAX, id))
        return false;
    if (id->n == 0 || id->n >= PLATFORM_ID_MAX ||
        !manscdp_devid_is_usable(*id))
        return false;
    if (id->p != buf)
        memcpy(buf, id->p, id->n);
    id->p = buf;
    return true;
}

/* ---- answers ---- */

/* Every answer to a REGISTER tells our version (§2.8). */
static void answer(struct platform *p, const struct attempt *a,
                   struct sip_response r, struct sip_extra *extra, size_t n,
                   bool stateless)
{
    extra[n++] = (struct sip_extra){ SLICE("X-GB-Ver"),
                                     SLICE(PLATFORM_GB_VER) };
    r.extra = extra;
    r.n_extra = n;
    if (stateless)
        sip_stack_respond_stateless(p->sip, a->ev->transaction, &r,
                                    p->now.mono_ms);
    else
        sip_stack_respond(p->sip, a->ev->transaction, &r, p->now.mono_ms);
}

static void refuse(struct platform *p, const struct attempt *a, unsigned status)
{
    struct sip_extra extra[MAX_EXTRA];
    const struct sip_response r = { .status = status, .expires = -1 };

    p->counters.register_refused++;
    answer(p, a, r, extra, 0, true);
}

static void retry_later(struct platform *p, const struct attempt *a)
{
    struct sip_extra extra[MAX_EXTRA];
    const struct sip_response r = { .status = 503, .expires = -1 };
    char text[8];
    struct writer w = writer_of(text, sizeof(text));

    writer_u64(&w, platform_random_in(p, 5, 30));
    extra[0] = (struct sip_extra){ SLICE("Retry-After"), writer_slice(&w) };
    p->counters.register_refused++;
    answer(p, a, r, extra, 1, true);
}

/* A nonce is good for one device at one address: a REGISTER overheard is no
 * use elsewhere. */
static struct slice nonce_for(const struct attempt *a,
                              char buf[static NONCE_FOR_MAX])
{
    struct writer w = writer_of(buf, NONCE_FOR_MAX);

    writer_slice_put(&w, a->id);
    writer_char(&w, '@');
    gb_addr_write_ip(&w, &a->ev->peer.remote);
    return writer_slice(&w);
}

static void challenge(struct platform *p, const struct attempt *a, bool stale)
{
    struct sip_extra extra[MAX_EXTRA];
    const struct sip_response r = { .status = 401, .expires = -1 };
    char who[NONCE_FOR_MAX], nonce[SIP_NONCE_LEN], text[320];
    struct writer w = writer_of(text, sizeof(text));

    sip_nonce_make(nonce, p->nonce_key, nonce_for(a, who),
                   (uint64_t)p->now.utc_ms / 1000);
    sip_challenge_write(&w, SIP_DIGEST_MD5, p->realm,
                        slice_of(nonce, sizeof(nonce)), p->cfg.offer_qop,
                        stale);
    extra[0] = (struct sip_extra){ SLICE("WWW-Authenticate"),
                                   writer_slice(&w) };
    p->counters.challenges++;
    answer(p, a, r, extra, 1, true);
}

/* ---- credentials ---- */

enum proof {
    PROOF_NONE,  /* no credentials that we could check: challenge */
    PROOF_STALE, /* made for another nonce: challenge, no failure */
    PROOF_WRONG,
    PROOF_RIGHT,
};

static bool checks_for(const struct platform *p, const struct sip_credentials *c,
                       struct slice username)
{
    struct sip_ha1 ha1;

    sip_ha1_make(&ha1, c->alg, username, p->realm, p->password);
    return sip_digest_check(c, SLICE("REGISTER"), &ha1);
}

static enum proof prove(struct platform *p, const struct attempt *a,
                        struct sip_credentials *c)
{
    char who[NONCE_FOR_MAX];
    struct slice value = sip_msg_value(a->m, SIP_HDR_AUTHORIZATION);

    if (value.n == 0 || sip_credentials_parse(c, value) ||
        c->alg == SIP_DIGEST_OTHER)
        return PROOF_NONE;
    if (!slice_eq(c->realm, p->realm) ||
        sip_nonce_check(c->nonce, p->nonce_key, nonce_for(a, who),
                        (uint64_t)p->now.utc_ms / 1000,
                        SIP_NONCE_MAX_AGE_S) != SIP_NONCE_GOOD)
        return PROOF_STALE;
    if (!slice_eq(c->username, a->id) || !checks_for(p, c, a->id))
        return PROOF_WRONG;
    return PROOF_RIGHT;
}

/* Says what was wrong as far as one can see (field-note 1.2). */
static const char *why_wrong(const struct platform *p, const struct attempt *a,
                             const struct sip_credentials *c)
{
    if (checks_for(p, c, c->username))
        return "the password is right, but the digest user name is not the "
               "device id: set the SIP user name of the device to its id";
    if (checks_for(p, c, a->id))
        return "the digest was made with the device id, but another user "
               "name was sent";
    return "the password set in the device is not the one of this platform";
}

static void wrong_password(struct platform *p, const struct attempt *a,
                           const struct sip_credentials *c)
{
    char id[LOG_TEXT_MAX], user[LOG_TEXT_MAX], uri[LOG_TEXT_MAX],
        addr[GB_ADDR_TEXT_MAX];
    const char *why = why_wrong(p, a, c);

    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"registration refused\" device=\"%s\" peer=%s "
                      "why=\"%s\" username=\"%s\" uri=\"%s\"",
                      log_text(a->id, id),
                      gb_addr_text(&a->ev->peer.remote, addr), why,
                      log_text(c->username, user), log_text(c->uri, uri));
    if (!a->device)
        pending_note(p, a->id, a->user_agent, &a->ev->peer, why);
    if (guard_failed(p, &a->ev->peer.remote))
        platform_log_peer(p, PLATFORM_WARN,
                          "msg=\"source banned\" peer=%s seconds=%u",
                          addr, p->cfg.ban_s);
    refuse(p, a, 403);
}

/* ---- success ---- */

static uint32_t granted(struct platform *p, struct device *d,
                        const struct attempt *a)
{
    if (a->expires_s < p->cfg.expires_min_s) {
        device_deviation(p, d, DEVIATION_SHORT_EXPIRES, slice_of(NULL, 0));
        return p->cfg.expires_min_s;
    }
    if (a->expires_s > p->cfg.expires_max_s) {
        device_deviation(p, d, DEVIATION_LONG_EXPIRES, slice_of(NULL, 0));
        return p->cfg.expires_max_s;
    }
    return a->expires_s;
}

static void welcome(struct platform *p, const struct attempt *a,
                    uint32_t expires_s)
{
    struct sip_extra extra[MAX_EXTRA];
    struct sip_response r = { .status = 200, .expires = expires_s };
    char date[40];
    struct writer w = writer_of(date, sizeof(date));
    size_t n = 0;

    if (expires_s && a->has_contact)
        r.contact = a->contact.uri.text;
    if (p->cfg.date != PLATFORM_DATE_OFF) {
        int zone_s = p->cfg.date == PLATFORM_DATE_LOCAL
                         ? p->cfg.timezone_min * 60
                         : 0;

        sip_date_write(&w, p->now.utc_ms, zone_s);
        extra[n++] = (struct sip_extra){ SLICE("Date"), writer_slice(&w) };
    }
    answer(p, a, r, extra, n, false);
}

static void unregister(struct platform *p, const struct attempt *a)
{
    struct device *d = a->device;

    welcome(p, a, 0);
    if (!d)
        return;
    device_offline(p, d, "unregistered");
    device_unbind(p, d);
    device_arm(p, d);
    device_changed(p, d, PLATFORM_CHANGED_BINDING);
}

static void learn_version(struct platform *p, struct device *d,
                          const struct attempt *a)
{
    enum manscdp_edition e = MANSCDP_2016;

    d->edition_known = manscdp_edition_by_ver(
        sip_msg_value(a->m, SIP_HDR_X_GB_VER), &e);
    if (d->edition != e)
        device_changed(p, d, PLATFORM_CHANGED_INFO);
    d->edition = (uint8_t)e; /* ours is the newest: the minimum is theirs */
    if (!d->charset_known)
        d->charset = e == MANSCDP_2022 ? MANSCDP_GB18030 : MANSCDP_GB2312;
    if (device_set_text(p, d, DEVICE_USER_AGENT, a->user_agent))
        device_changed(p, d, PLATFORM_CHANGED_INFO);
}

/* Another place, another connection or another Call-ID: it has moved or has
 * started anew, and is asked again what it has. A refresh is none of these. */
static bool is_new(const struct platform *p, const struct device *d,
                   const struct attempt *a)
{
    return !d->bound || !a->is_ours ||
           a->ev->peer.connection != d->peer.connection ||
           d->call_id_hash != map_hash(p->seed, a->m->call_id);
}

static void accept(struct platform *p, const struct attempt *a)
{
    struct device *d = a->device;
    const struct sip_peer *peer = &a->ev->peer;
    uint32_t expires_s = granted(p, d, a);
    bool fresh = is_new(p, d, a);

    welcome(p, a, expires_s);
    p->counters.registers++;
    if (!a->has_contact)
        device_deviation(p, d, DEVIATION_NO_CONTACT, slice_of(NULL, 0));
    if (!a->has_expires)
        device_deviation(p, d, DEVIATION_NO_EXPIRES, slice_of(NULL, 0));
    d->call_id_hash = map_hash(p->seed, a->m->call_id);
    nat_learn(d, a->has_contact ? &a->contact : NULL, peer);
    if (!d->bound || peer->connection != d->peer.connection ||
        peer->transport != d->peer.transport ||
        peer->listener != d->peer.listener ||
        !gb_addr_eq(&peer->remote, &d->peer.remote) ||
        !gb_addr_eq(&peer->local, &d->peer.local))
        device_bind(p, d, peer);
    if (fresh || !d->registered_utc_ms) {
        d->registered_ms = p->now.mono_ms;
        d->registered_utc_ms = p->now.utc_ms;
    }
    d->expires_ms = p->now.mono_ms + expires_s * 1000ull;
    d->expires_utc_ms = p->now.utc_ms + (int64_t)expires_s * 1000;
    learn_version(p, d, a);
    device_changed(p, d, PLATFORM_CHANGED_BINDING);
    device_online(p, d, "registered", fresh);
    nat_heard(p, d);
}

static void enrol_and_accept(struct platform *p, struct attempt *a)
{
    char id[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];

    if (!a->device) {
        a->device = device_add(p, a->id);
        if (!a->device) {
            platform_log_peer(p, PLATFORM_ERROR,
                              "msg=\"no room for another device\" device=\"%s\""
                              " devices=%zu max=%u",
                              log_text(a->id, id), p->n_devices,
                              p->cfg.max_devices);
            retry_later(p, a);
            return;
        }
        pending_forget(p, a->id);
        device_changed(p, a->device, PLATFORM_CHANGED_INFO);
        platform_log(p, PLATFORM_INFO,
                     "msg=\"device enrolled\" device=%s peer=%s",
                     a->device->id, gb_addr_text(&a->ev->peer.remote, addr));
    }
    accept(p, a);
}

/* ---- the request ---- */

/* Who is it? 0, or the status that refuses it. */
static unsigned identify(struct platform *p, struct attempt *a)
{
    char to[PLATFORM_ID_MAX];
    struct slice to_id;
    bool moved;

    if (!platform_user(&a->m->from.uri, a->id_text, &a->id) ||
        !platform_user(&a->m->to.uri, to, &to_id) || !slice_eq(a->id, to_id))
        return 403;
    for (size_t i = 0; i < a->id.n; i++)
        if (!ascii_is_digit(a->id.p[i]))
            return 403; /* scanners use names and extensions */
    if (a->id.n < 18 || slice_eq(a->id, p->id))
        return 403;
    a->device = device_find(p, a->id);
    a->is_ours =
        a->device && device_admits(p, a->device, &a->ev->peer, &moved);
    return 0;
}

static void read_request(struct attempt *a)
{
    int64_t s;

    a->has_contact = sip_msg_contact(a->m, &a->contact) == 0;
    s = sip_msg_expires(a->m, a->has_contact ? &a->contact : NULL);
    if (a->has_contact && a->contact.is_star)
        a->has_contact = false; /* "*": unregister all, with Expires 0 */
    a->has_expires = s >= 0;
    if (s < 0)
        s = SIP_EXPIRES_DEFAULT;
    a->expires_s = s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
    a->user_agent = sip_msg_value(a->m, SIP_HDR_USER_AGENT);
}

void registrar_request(struct platform *p, const struct sip_event *ev)
{
    struct attempt a = { .ev = ev, .m = ev->msg };
    struct sip_credentials c;
    unsigned status = identify(p, &a);
    const struct gb_addr *source = &ev->peer.remote;
    enum proof proof;

    if (!a.is_ours && guard_is_banned(p, source)) {
        refuse(p, &a, 403);
        return;
    }
    if (status) {
        if (guard_allows(p, source))
            refuse(p, &a, status);
        else
            retry_later(p, &a);
        return;
    }
    read_request(&a);
    if (!a.device && !p->cfg.auto_enrol) {
        pending_note(p, a.id, a.user_agent, &ev->peer, "not enrolled");
        refuse(p, &a, 403);
        return;
    }
    proof = prove(p, &a, &c);
    if (proof == PROOF_RIGHT) {
        guard_proved(p, source);
        if (a.expires_s == 0)
            unregister(p, &a);
        else
            enrol_and_accept(p, &a);
        return;
    }
    if (!a.is_ours && !guard_allows(p, source)) {
        retry_later(p, &a);
        return;
    }
    if (proof == PROOF_WRONG) {
        wrong_password(p, &a, &c);
        return;
    }
    if (!a.device)
        pending_note(p, a.id, a.user_agent, &ev->peer,
                     "was asked for its password and has not answered yet");
    challenge(p, &a, proof == PROOF_STALE);
}
