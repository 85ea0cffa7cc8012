#include "app/rtsp/auth.h"

#include <nettle/base64.h>

static struct slice whom_of(const struct gb_addr *from)
{
    return slice_of((const char *)from->ip, from->family == GB_IPV6 ? 16 : 4);
}

static enum rtsp_proof check_basic(const struct rtsp_auth *a,
                                   struct slice value, uint64_t *who)
{
    uint8_t text[BASE64_DECODE_LENGTH(RTSP_BASIC_MAX)];
    struct base64_decode_ctx ctx;
    size_t n = sizeof(text);
    struct slice pass, user;

    value = slice_trim(value);
    base64_decode_init(&ctx);
    if (value.n > RTSP_BASIC_MAX ||
        !base64_decode_update(&ctx, &n, text, value.n, value.p) ||
        !base64_decode_final(&ctx))
        return RTSP_PROOF_WRONG;
    pass = slice_of((const char *)text, n);
    if (!slice_cut(&pass, ':', &user))
        return RTSP_PROOF_WRONG;
    if (sip_secret_eq(pass, a->token))
        return RTSP_PROOF_RIGHT;
    *who = a->by_token ? a->by_token(a->ctx, pass) : 0;
    return *who ? RTSP_PROOF_RIGHT : RTSP_PROOF_WRONG;
}

/* With the token of the account of that name, or the installation's. */
static bool check_digest(const struct rtsp_auth *a,
                         const struct sip_credentials *c, struct slice method,
                         uint64_t *who)
{
    struct sip_ha1 ha1;

    *who = a->by_name ? a->by_name(a->ctx, c->username, &ha1) : 0;
    if (*who && sip_digest_check(c, method, &ha1))
        return true;
    *who = 0;
    sip_ha1_make(&ha1, c->alg, c->username, SLICE(RTSP_REALM), a->token);
    return sip_digest_check(c, method, &ha1);
}

static struct slice without_slash(struct slice s)
{
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

enum rtsp_proof rtsp_auth_check(const struct rtsp_auth *a, struct slice method,
                                struct slice url, struct slice value,
                                const struct gb_addr *from, int64_t utc_s,
                                uint64_t *who)
{
    struct sip_credentials c;
    enum sip_nonce_state nonce;

    *who = 0;
    if (a->token.n == 0 || value.n == 0)
        return RTSP_PROOF_NONE;
    if (slice_has_iprefix(value, SLICE("Basic ")))
        return check_basic(a, slice_from(value, 6), who);
    if (sip_credentials_parse(&c, value) || c.alg != SIP_DIGEST_MD5)
        return RTSP_PROOF_NONE;
    nonce = sip_nonce_check(c.nonce, &a->key, whom_of(from), (uint64_t)utc_s,
                            RTSP_NONCE_AGE_S, NULL);
    if (nonce == SIP_NONCE_FOREIGN)
        return RTSP_PROOF_NONE; /* of another run: it is asked again */
    if (!slice_eq(c.realm, SLICE(RTSP_REALM)) ||
        !slice_eq(without_slash(c.uri), without_slash(url)) ||
        !check_digest(a, &c, method, who))
        return RTSP_PROOF_WRONG;
    return nonce == SIP_NONCE_GOOD ? RTSP_PROOF_RIGHT : RTSP_PROOF_STALE;
}

void rtsp_auth_challenge(struct rtsp_auth *a, const struct gb_addr *from,
                         int64_t utc_s, bool stale, struct writer *w)
{
    char nonce[SIP_NONCE_LEN];

    sip_nonce_make(nonce, &a->key, whom_of(from), (uint64_t)utc_s, a->salt++);
    writer_str(w, "WWW-Authenticate: Digest realm=\"" RTSP_REALM "\", "
                  "nonce=\"");
    writer_bytes(w, nonce, sizeof(nonce));
    writer_str(w, stale ? "\", stale=true\r\n" : "\"\r\n");
    writer_str(w, "WWW-Authenticate: Basic realm=\"" RTSP_REALM "\"\r\n");
}
