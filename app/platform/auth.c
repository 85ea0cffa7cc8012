#include "app/platform/auth.h"
#include "app/platform/settings.h"

#include "app/platform/core.h"

#include "base/writer.h"

#define NONCE_FOR_MAX (PLATFORM_ID_MAX + sizeof(((struct gb_addr *)0)->ip))

_Static_assert(NONCE_FOR_MAX <= SIP_NONCE_WHOM, "all of it counts");

/* ---- nonces ---- */

/* A nonce is good for one device at one address: a REGISTER overheard is no
 * use elsewhere. */
static struct slice nonce_for(const struct auth *a,
                              char buf[static NONCE_FOR_MAX])
{
    struct writer w = writer_of(buf, NONCE_FOR_MAX);

    writer_bytes(&w, a->source->ip, sizeof(a->source->ip));
    writer_slice_put(&w, a->id);
    return writer_slice(&w);
}

/* Of the clock that nobody sets: where the other one was set back, every new
 * nonce would be older than those that devices have used, and none would come in
 * again before it has caught up. Never 0, which stands for no nonce at all. */
static uint64_t now_s(const struct platform *p)
{
    return p->now.mono_ms / 1000 + 1;
}

static void make_nonce(struct platform *p, const struct auth *a,
                       char out[static SIP_NONCE_LEN])
{
    char who[NONCE_FOR_MAX];
    uint64_t s = now_s(p);

    if (s != p->nonce_s)
        p->nonce_salt = 0;
    p->nonce_s = s;
    sip_nonce_make(out, &p->nonce_key, nonce_for(a, who), s, p->nonce_salt++);
}

unsigned auth_offer(const struct platform *p, const struct device *d)
{
    return d && d->digest ? d->digest : p->cfg.digest;
}

size_t auth_challenge(struct platform *p, const struct auth *a, bool qop,
                      bool stale, char buf[static AUTH_CHALLENGES_TEXT],
                      struct slice value[static AUTH_MAX_CHALLENGES])
{
    unsigned offer = auth_offer(p, a->device);
    struct writer w = writer_of(buf, AUTH_CHALLENGES_TEXT);
    char nonce[SIP_NONCE_LEN];
    size_t n = 0;

    make_nonce(p, a, nonce);
    for (unsigned alg = SIP_DIGEST_COUNT - 1; alg > SIP_DIGEST_OTHER; alg--) {
        size_t at = w.len;

        if (!(offer & 1u << alg))
            continue;
        sip_challenge_write(&w, (enum sip_digest_alg)alg, p->realm,
                            slice_of(nonce, sizeof(nonce)), qop, stale);
        if (w.err)
            break;
        value[n++] = slice_of(buf + at, w.len - at);
    }
    return n;
}

static struct slice next_nonce(struct platform *p, const struct auth *a,
                               uint32_t expires_s,
                               char buf[static SIP_NONCE_LEN])
{
    uint32_t age_s = (uint32_t)now_s(p) - (uint32_t)(a->stamp >> 16);

    if (expires_s > SIP_NONCE_MAX_AGE_S ||
        age_s + expires_s <= SIP_NONCE_MAX_AGE_S)
        return slice_of(NULL, 0);
    make_nonce(p, a, buf);
    return slice_of(buf, SIP_NONCE_LEN);
}

struct slice auth_info(struct platform *p, const struct auth *a,
                       uint32_t expires_s, char buf[static AUTH_INFO_TEXT])
{
    struct writer w = writer_of(buf, AUTH_INFO_TEXT);
    char nonce[SIP_NONCE_LEN];

    if (!p->cfg.offer_qop || a->c.qop.n == 0 ||
        sip_auth_info_write(&w, &a->c, &a->ha1,
                            next_nonce(p, a, expires_s, nonce)))
        return slice_of(NULL, 0);
    return writer_slice(&w);
}

/* ---- checking ---- */

struct slice auth_password(const struct platform *p, const struct device *d)
{
    struct slice own = { NULL, 0 };

    if (d)
        own = device_rare(d)->password.n ? device_rare(d)->password
                                         : group_password(d);
    return own.n ? own : p->password;
}

static bool is_right(const struct sip_credentials *c, struct slice realm,
                     struct slice username, struct slice password)
{
    struct sip_ha1 ha1;

    sip_ha1_make(&ha1, c->alg, username, realm, password);
    return sip_digest_check(c, SLICE("REGISTER"), &ha1);
}

void auth_forget(struct device *d)
{
    d->proven_alg = SIP_DIGEST_OTHER;
    d->has_proven = false;
    memset(d->ha1, 0, sizeof(d->ha1));
}

/* MD5 for MD5-sess, and so on: one HA1 for both. */
static uint8_t base_of(enum sip_digest_alg alg)
{
    return (uint8_t)((alg - 1) & ~1u) + 1;
}

/* Offered, or the -sess variant of what was: no weaker, and devices use it
 * unasked (§3.2). Anything else would be a downgrade (RFC 8760 §2.4). */
static bool is_offered(unsigned offer, enum sip_digest_alg alg)
{
    return alg != SIP_DIGEST_OTHER &&
           offer & (1u << alg | 1u << base_of(alg));
}

/* Of REGISTER and the uri that these credentials name: mostly the one that the
 * last ones named. */
static const struct sip_ha2 *ha2_of(struct platform *p,
                                    const struct sip_credentials *c,
                                    struct sip_ha2 *own)
{
    if (p->asked.alg == base_of(c->alg) &&
        slice_eq(c->uri, slice_of(p->asked.uri, p->asked.uri_n)))
        return &p->asked.ha2;
    sip_ha2_make(own, c->alg, SLICE("REGISTER"), c->uri);
    if (c->uri.n > sizeof(p->asked.uri))
        return own;
    p->asked.ha2 = *own;
    p->asked.alg = base_of(c->alg);
    p->asked.uri_n = (uint8_t)c->uri.n;
    memcpy(p->asked.uri, c->uri.p, c->uri.n);
    return own;
}

static void keep_ha1(struct device *d, const struct auth *a)
{
    d->proven_alg = base_of(a->c.alg) & 7u;
    if (d->proven_alg == SIP_DIGEST_MD5)
        sip_ha1_pack(d->ha1, &a->ha1);
}

/* With the HA1 that the device keeps; a stranger's is made each time, and that
 * of a device too when its response is wrong, so that the time does not tell
 * who is known here (RFC 8760, R68 of our list). */
static bool checks(struct platform *p, struct auth *a)
{
    struct device *d = a->device;
    struct sip_ha2 own;
    const struct sip_ha2 *ha2 = ha2_of(p, &a->c, &own);
    bool kept = d && d->proven_alg == SIP_DIGEST_MD5 &&
                base_of(a->c.alg) == SIP_DIGEST_MD5;
    struct sip_ha1 ha1;

    if (kept) {
        sip_ha1_unpack(&a->ha1, a->c.alg, d->ha1);
        if (sip_digest_check_ha2(&a->c, &a->ha1, ha2))
            return true;
    }
    sip_ha1_make(&ha1, a->c.alg, a->id, p->realm, auth_password(p, d));
    if (kept)
        return false;
    if (!sip_digest_check_ha2(&a->c, &ha1, ha2))
        return false;
    a->ha1 = ha1;
    if (d)
        keep_ha1(d, a);
    return true;
}

/* Seen before, or older than what was seen (RFC 7616 §5.12); without qop there
 * is no nc to tell by. */
static bool is_repeated(const struct auth *a)
{
    const struct device *d = a->device;

    if (!d || a->stamp > d->nonce_stamp)
        return false;
    return a->stamp < d->nonce_stamp || a->nc <= d->nonce_nc;
}

/* Why these credentials cannot be checked at all; NULL: they can. */
static const char *flaw_of(const struct platform *p, struct auth *a,
                           struct slice value)
{
    int err = sip_credentials_parse(&a->c, value);

    if (err == GB_ESYNTAX)
        return "its digest is incomplete: user name, nonce, uri and response "
               "have to be in it, each once";
    if (err)
        return "it answers the challenge with something else than a digest: "
               "let it register with a password";
    if (!is_offered(auth_offer(p, a->device), a->c.alg))
        return "its digest uses an algorithm that it was not offered: set the "
               "device to MD5, or add it to sip.digest";
    if (a->c.qop.n && !slice_ieq(a->c.qop, SLICE("auth")))
        return "its digest uses another qop than auth";
    if (a->c.realm.p && !slice_eq(a->c.realm, p->realm)) /* left out: ours */
        return "its digest was made for another SIP domain: set that of this "
               "platform in the device";
    return NULL;
}

static enum auth_proof prove(struct platform *p, struct auth *a)
{
    char who[NONCE_FOR_MAX];
    struct slice value = sip_msg_value(a->m, SIP_HDR_AUTHORIZATION);
    enum sip_nonce_state nonce;
    bool right;

    a->has_credentials = value.n > 0;
    a->flaw = value.n ? flaw_of(p, a, value) : NULL;
    if (value.n == 0 || a->flaw)
        return AUTH_NONE;
    nonce = sip_nonce_check(a->c.nonce, &p->nonce_key, nonce_for(a, who),
                            now_s(p), SIP_NONCE_MAX_AGE_S, &a->stamp);
    if (nonce != SIP_NONCE_GOOD && !guard_may_guess(p, a->source))
        return AUTH_NONE;
    if (!sip_nc_parse(a->c.nc, &a->nc))
        a->nc = 0;
    right = checks(p, a); /* always, whatever the name */
    right = right && slice_eq(a->c.username, a->id);
    if (nonce != SIP_NONCE_GOOD) {
        if (!right)
            guard_guessed(p, a->source);
        return right ? AUTH_STALE : AUTH_NONE;
    }
    if (!right)
        return AUTH_WRONG;
    a->is_reused = is_repeated(a);
    return a->is_reused && a->c.qop.n ? AUTH_STALE : AUTH_RIGHT;
}

void auth_prove(struct platform *p, struct auth *a)
{
    a->has_credentials = a->is_reused = false;
    a->stamp = 0;
    a->nc = 0;
    a->proof = prove(p, a);
}

void auth_used(struct device *d, const struct auth *a)
{
    if (a->stamp < d->nonce_stamp)
        return;
    d->nonce_stamp = a->stamp;
    d->nonce_nc = a->nc;
}

const char *auth_why(const struct platform *p, const struct auth *a)
{
    struct slice password = auth_password(p, a->device);
    struct sip_credentials other = a->c;
    bool by_user, by_id, by_uri, by_global;

    other.uri = a->m->uri.text;
    by_user = is_right(&a->c, p->realm, a->c.username, password);
    by_id = is_right(&a->c, p->realm, a->id, password);
    by_uri = is_right(&other, p->realm, a->id, password);
    by_global = is_right(&a->c, p->realm, a->id, p->password);
    if (by_user)
        return "the password is right, but the digest user name is not the "
               "device id: set the SIP user name of the device to its id";
    if (by_id)
        return "the digest was made with the device id, but another user "
               "name was sent";
    if (by_uri)
        return "the password is right, but the digest was made with the "
               "Request-URI and another uri was sent";
    if (by_global)
        return "the device has the platform's password, but one of its own "
               "or of its group is set for it here";
    return "the password set in the device is not the one of this platform";
}
