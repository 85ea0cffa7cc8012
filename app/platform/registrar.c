/* REGISTER (GB/T 28181-2022 9.1). The checks come in a fixed order;
 * nothing is kept of a device before it has proven the password. */
#include "app/platform/registrar.h"

#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/nat.h"
#include "app/platform/takeover.h"
#include "app/platform/way.h"

#include "base/writer.h"
#include "sip/value.h"

#define MAX_EXTRA (AUTH_MAX_CHALLENGES + 2)
#define LOST_ANSWERS 5   /* challenges in a row without an answer */
#define PLAIN_FAILURES 3 /* wrong passwords: perhaps it cannot do qop */
#define CLOCK_OFF_MS 60000 /* a device's clock, from ours */
#define TURNS_MS 600000    /* back so soon, it has not merely moved */

/* One REGISTER on its way through the checks. */
struct attempt {
    const struct sip_event *ev;
    const struct sip_msg *m;
    char id_text[PLATFORM_ID_MAX];
    struct slice id;       /* empty: From names none */
    struct device *device; /* NULL: unknown */
    bool is_ours;          /* comes from where the device is bound */
    bool is_exact;         /* from that very port or connection */
    struct attempts *row;
    struct slice user_agent;
    struct sip_addr contact;
    bool has_contact, is_star, has_expires;
    uint32_t expires_s;
    uint32_t call_id_hash;
    struct auth auth;
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

/* Every answer to a REGISTER tells our version (GB/T 28181-2022 Annex I). */
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

static void retry_later(struct platform *p, const struct attempt *a,
                        uint64_t in_s, uint64_t *counter)
{
    struct sip_extra extra[MAX_EXTRA];
    const struct sip_response r = { .status = 503, .expires = -1 };
    char text[24];
    struct writer w = writer_of(text, sizeof(text));

    writer_u64(&w, in_s);
    extra[0] = (struct sip_extra){ SLICE("Retry-After"), writer_slice(&w) };
    if (counter)
        (*counter)++;
    p->counters.register_refused++;
    answer(p, a, r, extra, 1, true);
}

static uint64_t some_seconds(struct platform *p)
{
    return platform_random_in(p, 5, 30);
}

static void challenge(struct platform *p, const struct attempt *a)
{
    struct sip_extra extra[MAX_EXTRA];
    const struct sip_response r = { .status = 401, .expires = -1 };
    struct slice value[AUTH_MAX_CHALLENGES];
    char text[AUTH_CHALLENGES_TEXT];
    bool qop = p->cfg.offer_qop && a->row->failures < PLAIN_FAILURES;
    size_t n = auth_challenge(p, &a->auth, qop, a->auth.proof == AUTH_STALE,
                              text, value);

    for (size_t i = 0; i < n; i++)
        extra[i] = (struct sip_extra){ SLICE("WWW-Authenticate"), value[i] };
    p->counters.challenges++;
    answer(p, a, r, extra, n, true);
}

/* ---- what a person should know ---- */

/* A literal address in a host part; false: a name, or nothing. */
static bool host_addr(struct slice host, struct gb_addr *out)
{
    return host.n && gb_addr_parse_ip(out, host) == 0 &&
           !gb_addr_is_any(out) && !gb_addr_is_loopback(out);
}

/* A device behind a NAT writes its private address everywhere. Where some
 * places have the public one instead, something on the way has rewritten them,
 * and such things break signalling later (field-note 1.18). */
static bool is_rewritten(const struct attempt *a)
{
    struct gb_addr source = a->ev->peer.remote, at;
    struct slice call_id = a->m->call_id, head;
    struct slice host[3] = { a->m->via.host };
    bool hidden = false, shown = false;

    if (gb_addr_is_private(&source))
        return false;
    if (a->has_contact)
        host[1] = a->contact.uri.host;
    if (slice_cut(&call_id, '@', &head))
        host[2] = call_id;
    for (size_t i = 0; i < 3; i++) {
        if (!host_addr(host[i], &at))
            continue;
        hidden |= gb_addr_is_private(&at);
        shown |= gb_addr_ip_eq(&at, &source);
    }
    return hidden && shown;
}

/* Keeps why it is not let in, and what may help: in the list of unknown ids, or
 * for the doctor of a device. */
static void note_pending(struct platform *p, const struct attempt *a,
                         const char *why)
{
    const struct device *at = device_at(p, &a->ev->peer.remote);
    char text[PENDING_REASON];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, why);
    if (is_rewritten(a))
        writer_str(&w, "; SIP ALG suspected: try another SIP port, or TCP");
    if (at && at != a->device && !device_at_next(at))
        writer_f(&w, "; the device at this address is known as %s", at->id);
    w.err = 0; /* what did not fit is left out */
    pending_note(p, a->id, a->user_agent, &a->ev->peer, writer_slice(&w));
}

static void log_refused(struct platform *p, const struct attempt *a,
                        const char *msg, const char *why)
{
    const struct sip_credentials *c = &a->auth.c;
    char id[LOG_TEXT_MAX], user[LOG_TEXT_MAX], uri[LOG_TEXT_MAX],
        realm[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];

    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"%s\" device=\"%s\" peer=%s why=\"%s\" "
                      "username=\"%s\" uri=\"%s\" realm=\"%s\"",
                      msg, log_text(a->id, id),
                      gb_addr_text(&a->ev->peer.remote, addr), why,
                      log_text(c->username, user), log_text(c->uri, uri),
                      log_text(c->realm, realm));
}

/* It has answered, and nothing can be made of it. An old nonce alone is what
 * devices begin a refresh with: no fault. */
static void count_useless(struct platform *p, struct attempt *a)
{
    const char *flaw = a->auth.flaw;

    a->row->challenges = 0;
    if (flaw)
        log_refused(p, a, "credentials are of no use", flaw);
    if (flaw || !a->device)
        note_pending(p, a,
                     flaw ? flaw
                          : "it answered an old challenge, or that of "
                            "another server, and was asked again");
}

/* It is asked again and again and never answers: our answers do not arrive
 * (field-note 1.19). */
static void count_challenge(struct platform *p, struct attempt *a)
{
    const char *why = "was asked for its password and has not answered yet";
    char id[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];

    if (a->row->challenges < UINT16_MAX)
        a->row->challenges++;
    if (a->row->challenges >= LOST_ANSWERS)
        why = "was challenged again and again and never answers: our answers "
              "do not seem to reach it, try SIP over TCP";
    if (a->row->challenges == LOST_ANSWERS) {
        platform_log_peer(p, PLATFORM_WARN,
                          "msg=\"challenges are not answered\" device=\"%s\" "
                          "peer=%s n=%u why=\"our answers do not seem to reach "
                          "it, try SIP over TCP\"",
                          log_text(a->id, id),
                          gb_addr_text(&a->ev->peer.remote, addr),
                          LOST_ANSWERS);
    }
    if (!a->device || a->row->challenges >= LOST_ANSWERS)
        note_pending(p, a, why);
}

static void wrong_password(struct platform *p, const struct attempt *a)
{
    char addr[GB_ADDR_TEXT_MAX];
    const char *why = auth_why(p, &a->auth);
    uint32_t ban_s;

    log_refused(p, a, "registration refused", why);
    note_pending(p, a, why);
    if (a->row->failures < UINT16_MAX)
        a->row->failures++;
    a->row->challenges = 0;
    a->row->until_ms = p->now.mono_ms + guard_back_off_ms(a->row);
    ban_s = guard_failed(p, &a->ev->peer.remote);
    if (ban_s)
        platform_log_peer(p, PLATFORM_WARN,
                          "msg=\"source banned\" peer=%s seconds=%u",
                          gb_addr_text(&a->ev->peer.remote, addr), ban_s);
    refuse(p, a, 403);
}

/* ---- success ---- */

/* A new device is not bound yet: where it sends from is in the request. */
static void deviates(struct platform *p, const struct attempt *a,
                     enum deviation v, struct slice detail)
{
    device_deviation_of(p, a->device, v, detail, &a->ev->peer.remote);
}

static uint32_t granted(struct platform *p, const struct attempt *a)
{
    if (a->expires_s < p->cfg.expires_min_s) {
        deviates(p, a, DEVIATION_SHORT_EXPIRES, slice_of(NULL, 0));
        return p->cfg.expires_min_s;
    }
    if (a->expires_s > p->cfg.expires_max_s) {
        deviates(p, a, DEVIATION_LONG_EXPIRES, slice_of(NULL, 0));
        return p->cfg.expires_max_s;
    }
    return a->expires_s;
}

/* Of this millisecond: all that came in one batch get the same text. */
static struct slice date_text(struct platform *p, int zone_s)
{
    struct writer w = writer_of(p->date.text, sizeof(p->date.text));

    if (!p->date.n || p->date.utc_ms != p->now.utc_ms ||
        p->date.zone_s != zone_s) {
        sip_date_write(&w, p->now.utc_ms, zone_s);
        p->date.utc_ms = p->now.utc_ms;
        p->date.zone_s = zone_s;
        p->date.n = (uint8_t)w.len;
    }
    return slice_of(p->date.text, p->date.n);
}

static void welcome(struct platform *p, const struct attempt *a,
                    uint32_t expires_s)
{
    struct sip_extra extra[MAX_EXTRA];
    struct sip_response r = { .status = 200, .expires = expires_s };
    char info[AUTH_INFO_TEXT];
    struct slice proof = auth_info(p, &a->auth, expires_s, info);
    enum platform_date policy =
        a->device && a->device->date
            ? (enum platform_date)(a->device->date - 1) : p->cfg.date;
    size_t n = 0;

    if (expires_s && a->has_contact)
        r.contact = a->contact.uri.text;
    if (policy != PLATFORM_DATE_OFF && clock_is_set(p)) {
        int zone_s = policy == PLATFORM_DATE_LOCAL ? p->cfg.timezone_min * 60
                                                   : 0;

        extra[n++] = (struct sip_extra){ SLICE("Date"),
                                         date_text(p, zone_s) };
    }
    if (proof.n)
        extra[n++] = (struct sip_extra){ SLICE("Authentication-Info"), proof };
    answer(p, a, r, extra, n, false);
}

/* What tells a late REGISTER from a new one. */
static void remember(const struct attempt *a)
{
    struct device *d = a->device;

    auth_used(d, &a->auth);
    d->call_id_hash = a->call_id_hash;
    d->cseq = a->m->cseq.number;
}

static void unregister(struct platform *p, const struct attempt *a)
{
    struct device *d = a->device;

    welcome(p, a, 0);
    if (!d)
        return;
    remember(a);
    device_offline(p, d, "unregistered");
    device_unbind(p, d);
    device_arm(p, d);
    device_changed(p, d, PLATFORM_CHANGED_BINDING);
}

static void learn_version(struct platform *p, struct device *d,
                          const struct attempt *a)
{
    struct slice ver = sip_msg_value(a->m, SIP_HDR_X_GB_VER);
    enum manscdp_edition e = MANSCDP_2016;

    d->edition_known = manscdp_edition_by_ver(ver, &e);
    if (!d->edition_known && ver.n) {
        d->edition_known = manscdp_edition_by_odd_ver(ver, &e);
        deviates(p, a, DEVIATION_ODD_VERSION, ver);
    }
    if (d->edition_set)
        e = (enum manscdp_edition)(d->edition_set - 1);
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
static bool is_new(const struct device *d, const struct attempt *a)
{
    return !d->bound || !a->is_ours ||
           a->ev->peer.connection != d->peer.connection ||
           d->call_id_hash != a->call_id_hash;
}

/* A refresh moves the end of the binding and nothing else. The owner, who stores
 * it, is told when that end is far from the one it knows; platform_restore_device
 * makes up for the rest. */
static bool is_worth_telling(const struct device *d, uint32_t expires_s)
{
    int64_t lag_ms = expires_s * 1000ll / DEVICE_EXPIRES_LAG;
    int64_t off_ms = d->expires_utc_ms - d->told_expires_utc_ms;

    if (lag_ms > DEVICE_EXPIRES_LAG_MS)
        lag_ms = DEVICE_EXPIRES_LAG_MS;
    return off_ms > lag_ms || off_ms < 0;
}

/* One that tells its time, and has had ours (GB/T 28181-2022 9.10): what it records
 * would be looked for at another time. */
static void look_at_clock(struct platform *p, struct device *d,
                          const struct attempt *a)
{
    struct slice date = sip_msg_value(a->m, SIP_HDR_DATE);
    int64_t utc_ms;

    if (!date.n || sip_date_parse(date, p->cfg.timezone_min * 60, &utc_ms))
        return;
    clock_note(p, d, utc_ms, PLATFORM_CLOCK_REGISTER);
    if ((utc_ms > p->now.utc_ms + CLOCK_OFF_MS ||
         utc_ms < p->now.utc_ms - CLOCK_OFF_MS))
        device_deviation(p, d, DEVIATION_CLOCK_OFF, date);
}

/* Back where it was a while ago, though it was alive elsewhere until now: each of two
 * takes the id from the other. With one Call-ID it is one, of two ways. */
static void look_at_turns(struct platform *p, struct device *d,
                          const struct attempt *a)
{
    const struct gb_addr *to = &a->ev->peer.remote;
    struct rare *r;
    char text[GB_ADDR_TEXT_MAX];

    if (!d->bound || !d->online || gb_addr_ip_eq(&d->peer.remote, to) ||
        d->call_id_hash == a->call_id_hash)
        return;
    r = device_rare_own(p, d);
    if (!r)
        return;
    if (gb_addr_ip_eq(&r->was, to) && p->now.mono_ms - r->was_ms < TURNS_MS)
        deviates(p, a, DEVIATION_TAKES_TURNS,
                 slice_str(gb_addr_text(&d->peer.remote, text)));
    r->was = d->peer.remote;
    r->was_ms = p->now.mono_ms;
}

static void accept(struct platform *p, const struct attempt *a)
{
    struct device *d = a->device;
    const struct sip_peer *peer = &a->ev->peer;
    uint32_t expires_s = granted(p, a);
    bool fresh = is_new(d, a), was_online = d->online, direct;
    bool proves = !a->auth.is_reused; /* that one may be overheard */

    welcome(p, a, expires_s);
    p->counters.registers++;
    pending_forget(p, a->id);
    if (!a->has_contact)
        deviates(p, a, DEVIATION_NO_CONTACT, slice_of(NULL, 0));
    if (!a->has_expires)
        deviates(p, a, DEVIATION_NO_EXPIRES, slice_of(NULL, 0));
    if (fresh && is_rewritten(a))
        deviates(p, a, DEVIATION_SIP_ALG, a->m->via.host);
    if (!fresh && a->m->cseq.number <= d->cseq)
        deviates(p, a, DEVIATION_CSEQ_REPEATED, slice_of(NULL, 0));
    if (!fresh)
        look_at_clock(p, d, a);
    look_at_turns(p, d, a);
    remember(a);
    direct = way_learn(p, d, a->has_contact ? &a->contact : NULL, peer);
    if (!d->bound || peer->connection != d->peer.connection ||
        peer->transport != d->peer.transport ||
        peer->listener != d->peer.listener ||
        !gb_addr_eq(&peer->remote, &d->peer.remote) ||
        !gb_addr_eq(&peer->local, &d->peer.local))
        device_bind(p, d, peer, proves);
    if (proves && !d->has_proven) {
        d->has_proven = true;
        dialogs_end_due(p, d); /* some wait for a password */
    }
    d->peer.dial = direct; /* nobody may connect to what a NAT hides */
    if (fresh || !d->registered_utc_ms)
        d->registered_utc_ms = p->now.utc_ms;
    d->expires_ms = p->now.mono_ms + expires_s * 1000ull;
    d->is_restored = false;
    d->expires_utc_ms = p->now.utc_ms + (int64_t)expires_s * 1000;
    learn_version(p, d, a);
    if (fresh || is_worth_telling(d, expires_s)) {
        d->told_expires_utc_ms = d->expires_utc_ms;
        device_changed(p, d, PLATFORM_CHANGED_BINDING);
    }
    device_online(p, d, "registered", fresh || !d->online);
    if (fresh && was_online)
        sessions_of_device_anew(p, d);
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
            retry_later(p, a, some_seconds(p), NULL);
            return;
        }
        device_changed(p, a->device, PLATFORM_CHANGED_INFO);
        if (!p->cfg.quiet)
            platform_log(p, PLATFORM_INFO,
                         "msg=\"device enrolled\" device=%s peer=%s",
                         a->device->id,
                         gb_addr_text(&a->ev->peer.remote, addr));
    }
    accept(p, a);
}

/* What is bound, and nothing changes (RFC 3261 §10.3 step 6). */
static void tell_binding(struct platform *p, const struct attempt *a)
{
    struct sip_extra extra[MAX_EXTRA];
    struct sip_response r = { .status = 200, .expires = -1 };
    const struct device *d = a->device;
    char contact[PLATFORM_ID_MAX + GB_ADDR_TEXT_MAX + 8],
        addr[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(contact, sizeof(contact));

    if (d && d->bound) {
        writer_f(&w, "sip:%s@%s", d->id, gb_addr_text(&d->peer.remote, addr));
        r.contact = writer_slice(&w);
        r.expires = d->expires_ms > p->now.mono_ms
                        ? (int64_t)((d->expires_ms - p->now.mono_ms) / 1000)
                        : 0;
    }
    answer(p, a, r, extra, 0, false);
}

/* ---- redirection (GB/T 28181-2022 9.1) ---- */

/* The server that a first registration is to go to; NULL: it stays here. */
static const char *elsewhere(const struct platform *p, const struct attempt *a)
{
    if (a->device && a->device->bound)
        return NULL;
    for (size_t i = 0; i < p->cfg.n_redirect; i++)
        if (slice_has_prefix(a->id, slice_str(p->cfg.redirect[i].prefix)))
            return p->cfg.redirect[i].target;
    return NULL;
}

static void redirect(struct platform *p, const struct attempt *a,
                     const char *target)
{
    struct sip_extra extra[MAX_EXTRA];
    struct sip_response r = { .status = 302 };
    char uri[160], id[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(uri, sizeof(uri));

    writer_f(&w, "sip:%s", target);
    r.contact = writer_slice(&w);
    r.expires = a->expires_s > p->cfg.expires_max_s ? p->cfg.expires_max_s
                                                    : a->expires_s;
    p->counters.redirected++;
    platform_log_peer(p, PLATFORM_INFO,
                      "msg=\"device redirected\" device=\"%s\" peer=%s to=%s",
                      log_text(a->id, id),
                      gb_addr_text(&a->ev->peer.remote, addr), target);
    answer(p, a, r, extra, 0, true);
}

/* ---- the request ---- */

static bool is_exact(const struct device *d, const struct sip_peer *from)
{
    return d && d->bound && from->transport == d->peer.transport &&
           (from->transport == SIP_UDP
                ? gb_addr_eq(&from->remote, &d->peer.remote)
                : from->connection == d->peer.connection);
}

/* Whoever is bound is let in without being counted; what it asks for ids that
 * are not bound there is counted as that of any stranger. */
static bool is_paid_for(struct platform *p, const struct attempt *a)
{
    return a->is_exact || !device_bound_to(p, &a->ev->peer) ||
           guard_allows(p, &a->ev->peer.remote);
}

/* Whom it names cannot be let in, whatever its password is; NULL: it can. */
static const char *wrong_name(const struct platform *p, const struct attempt *a)
{
    char to[PLATFORM_ID_MAX];
    struct slice to_id;

    if (!admit_is_id(a->id))
        return "its id does not have 20 digits: correct it in the device";
    if (slice_eq(a->id, p->id))
        return "it uses the id of this platform: give the device one of its "
               "own";
    if (!sip_uri_user(&a->m->to.uri, to, sizeof(to), &to_id) ||
        !slice_eq(a->id, to_id))
        return "To of its REGISTER names another id than From";
    return NULL;
}

/* Who is it? 0, or the status that refuses it. */
static unsigned identify(struct platform *p, struct attempt *a)
{
    const char *why = a->id.n ? wrong_name(p, a) : NULL;
    bool moved;

    if (why) {
        log_refused(p, a, "registration refused", why);
        note_pending(p, a, why);
    }
    if (why || !a->id.n)
        return 403;
    a->device = device_find(p, a->id);
    a->is_ours =
        a->device && device_admits(a->device, &a->ev->peer, &moved);
    a->is_exact = is_exact(a->device, &a->ev->peer);
    if (!is_paid_for(p, a))
        return 503;
    if (admit_id_allowed(p, a->id))
        return 0;
    pending_note(p, a->id, sip_msg_value(a->m, SIP_HDR_USER_AGENT),
                 &a->ev->peer, SLICE("sip.allow_ids and sip.deny_ids keep it "
                                     "out"));
    return 403;
}

/* All Contacts are usable, or none is looked at: 0 or 400 (RFC 3261 §10.3).
 * Which one it names does not matter, since we answer to where it is. */
static unsigned read_contacts(struct attempt *a)
{
    struct sip_walk k = sip_msg_walk(a->m, SIP_HDR_CONTACT);
    struct sip_addr c;
    struct slice elem;
    unsigned q, n = 0;

    for (; sip_walk_next(&k, &elem); n++) {
        if (sip_addr_parse(&c, elem, NULL) || !sip_contact_q(&c, &q))
            return 400;
        a->is_star |= c.is_star;
        if (n == 0)
            a->contact = c;
    }
    a->has_contact = n > 0 && !a->is_star;
    return a->is_star && n > 1 ? 400 : 0;
}

static unsigned read_request(struct attempt *a)
{
    unsigned status = read_contacts(a);
    int64_t s = sip_msg_expires(a->m, a->has_contact ? &a->contact : NULL);

    a->has_expires = s >= 0;
    if (s < 0)
        s = SIP_EXPIRES_DEFAULT;
    a->expires_s = s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
    if (a->is_star && (!a->has_expires || a->expires_s))
        status = 400; /* "*" is for Expires 0 alone */
    return status;
}

/* Overtaken on the way by one that came later: of the same registration, with
 * an older nonce, or the same one and a lower CSeq. A device that starts anew
 * with old numbers has a new nonce, and is no such case. */
static bool is_late(const struct attempt *a)
{
    const struct device *d = a->device;

    return d && d->call_id_hash == a->call_id_hash &&
           (a->auth.stamp < d->nonce_stamp ||
            (a->auth.stamp == d->nonce_stamp && a->m->cseq.number < d->cseq));
}

/* All that it does is to move the end of the binding: its device can have meant
 * nothing else, and whoever overheard it gains nothing (§3.2: a device may send
 * its old Authorization with a refresh). */
static bool is_mere_refresh(const struct attempt *a)
{
    return a->is_exact && a->expires_s &&
           a->device->call_id_hash == a->call_id_hash &&
           a->m->cseq.number >= a->device->cseq;
}

static void proven(struct platform *p, struct attempt *a)
{
    const char *target;

    /* its question and this one; only this one when the response is used
     * again; a bound peer was not counted */
    guard_proved(p, &a->ev->peer.remote,
                 a->is_exact                                        ? 0
                 : a->device && a->auth.stamp <= a->device->nonce_stamp ? 1
                                                                        : 2);
    a->row->failures = a->row->challenges = 0;
    if (!a->device && !p->cfg.auto_enrol) {
        note_pending(p, a, "not enrolled; its password is right");
        refuse(p, a, 403);
    } else if (is_late(a)) {
        refuse(p, a, 500);
    } else if (!a->has_contact && !a->is_star && !a->has_expires) {
        tell_binding(p, a);
    } else if (a->expires_s == 0) {
        unregister(p, a);
    } else if ((target = elsewhere(p, a))) {
        redirect(p, a, target);
    } else {
        enrol_and_accept(p, a);
    }
}

static void unproven(struct platform *p, struct attempt *a)
{
    if (a->auth.proof == AUTH_WRONG) {
        wrong_password(p, a);
        return;
    }
    if (a->auth.has_credentials)
        count_useless(p, a);
    else
        count_challenge(p, a);
    if (!a->is_exact && !bucket_take(&p->registers, p->cfg.registers_per_s,
                                     p->cfg.registers_per_s, p->now.mono_ms))
        retry_later(p, a, some_seconds(p), &p->counters.shed);
    else
        challenge(p, a);
}

void registrar_request(struct platform *p, const struct sip_event *ev)
{
    struct attempt a = { .ev = ev, .m = ev->msg };
    uint64_t now = p->now.mono_ms, row_key = 0;
    unsigned status;

    if (platform_user(&a.m->from.uri, a.id_text, &a.id))
        row_key = guard_ahead(p, a.id, &ev->peer.remote);
    else
        a.id.n = 0;
    status = read_request(&a);
    a.user_agent = sip_msg_value(a.m, SIP_HDR_USER_AGENT);
    if (!status)
        status = identify(p, &a);
    if (!status && !a.is_ours && guard_is_banned(p, &ev->peer.remote))
        status = 403; /* over the connection of another device */
    if (status == 503) {
        retry_later(p, &a, some_seconds(p), &p->counters.shed);
        return;
    }
    if (status) {
        refuse(p, &a, status);
        return;
    }
    a.row = guard_attempts(p, row_key);
    if (!a.is_exact && a.row->until_ms > now) {
        retry_later(p, &a, (a.row->until_ms - now) / 1000 + 1,
                    &p->counters.backed_off);
        return;
    }
    a.auth = (struct auth){ .m = a.m, .source = &ev->peer.remote, .id = a.id,
                            .device = a.device };
    a.call_id_hash = (uint32_t)map_hash(p->seed, a.m->call_id);
    auth_prove(p, &a.auth);
    if (a.auth.is_reused && !is_late(&a) && !is_mere_refresh(&a))
        a.auth.proof = AUTH_STALE;
    if (a.auth.proof == AUTH_RIGHT)
        proven(p, &a);
    else
        unproven(p, &a);
}
