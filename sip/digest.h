/* sip/digest.h - Digest authentication, both sides (RFC 2617, 7616, 8760,
 * GB/T 28181-2022 §9.1)
 *
 * Values of credentials are taken verbatim. Nonces of ours carry their own
 * proof (time and HMAC), so a challenge needs no state. */
#ifndef SIP_DIGEST_H
#define SIP_DIGEST_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"
#include "sip/msg.h"

/* Weaker before stronger. */
/*    id           name in messages, of the underlying hash */
#define SIP_DIGEST_MAP(X)                                                      \
    X(MD5,         "MD5",          false)                                      \
    X(MD5_SESS,    "MD5-sess",     true)                                       \
    X(SHA256,      "SHA-256",      false)                                      \
    X(SHA256_SESS, "SHA-256-sess", true)                                       \
    X(SM3,         "SM3",          false)                                      \
    X(SM3_SESS,    "SM3-sess",     true)                                       \
    X(SHA512_256,  "SHA-512-256",  false)                                      \
    X(SHA512_256_SESS, "SHA-512-256-sess", true)

enum sip_digest_alg {
    SIP_DIGEST_OTHER, /* unknown: cannot be answered or checked */
#define X(id, name, sess) SIP_DIGEST_##id,
    SIP_DIGEST_MAP(X)
#undef X
    SIP_DIGEST_COUNT
};

#define SIP_DIGEST_HEX 64   /* most hex digits of any algorithm */

/* H(username:realm:password) in lower-case hex: what a server may keep in
 * place of the password. Valid for one hash, with and without -sess. */
struct sip_ha1 {
    char hex[SIP_DIGEST_HEX];
    uint8_t n; /* 32 or 64 */
};

/* H(method:uri) in lower-case hex: the same for all who ask for one thing. */
struct sip_ha2 {
    char hex[SIP_DIGEST_HEX];
    uint8_t n; /* 32 or 64 */
};

/* "Authorization" or "Proxy-Authorization". Empty slices: absent. */
struct sip_credentials {
    enum sip_digest_alg alg; /* MD5 when algorithm is absent */
    struct slice username, realm, nonce, uri, response, cnonce, nc, qop,
        opaque, algorithm;
};

/* "WWW-Authenticate" or "Proxy-Authenticate". */
struct sip_challenge {
    enum sip_digest_alg alg;
    struct slice realm, nonce, opaque, algorithm;
    bool qop_auth;  /* qop lists auth */
    bool qop_other; /* qop is there without auth: cannot be answered */
    bool stale;
};

bool sip_digest_is_sess(enum sip_digest_alg alg);
enum sip_digest_alg sip_digest_lookup(struct slice name); /* any case */
struct slice sip_digest_name(enum sip_digest_alg alg);    /* static */
/* As people write it: any case, hyphens left out or not ("sha256"). */
enum sip_digest_alg sip_digest_by_word(struct slice word);

/* Parses leniently: parameters quoted or not, any order and case. 0, or
 * GB_EUNSUPPORTED (another scheme than Digest), GB_ESYNTAX (username, nonce,
 * uri or response is missing; a parameter that counts comes twice). *out
 * borrows from value, written only on 0. */
int sip_credentials_parse(struct sip_credentials *out, struct slice value);

/* 0, GB_EUNSUPPORTED, GB_ESYNTAX (realm or nonce is missing). */
int sip_challenge_parse(struct sip_challenge *out, struct slice value);

/* The first challenge of a message that can be answered: one header field
 * each, the server's favourite first (RFC 8760 §2.4). id: WWW_AUTHENTICATE or
 * PROXY_AUTHENTICATE. 0; else what was wrong with the last one, GB_ENOENT when
 * there is none. */
int sip_challenge_pick(struct sip_challenge *out, const struct sip_msg *m,
                       enum sip_hdr id);

/* alg must not be OTHER. */
void sip_ha1_make(struct sip_ha1 *out, enum sip_digest_alg alg,
                  struct slice username, struct slice realm,
                  struct slice password);

/* Bytes in place of twice as many digits: 16 of MD5, 32 of the others, which
 * raw must have room for. alg: whose HA1 it is. */
#define SIP_HA1_MD5_RAW 16
#define SIP_HA1_RAW (SIP_DIGEST_HEX / 2)
void sip_ha1_pack(uint8_t *raw, const struct sip_ha1 *ha1);
void sip_ha1_unpack(struct sip_ha1 *out, enum sip_digest_alg alg,
                    const uint8_t *raw);

/* The response for these credentials: uri, nonce, nc, cnonce, qop and alg are
 * taken from c. Returns the number of hex digits in out, not terminated; 0
 * when c cannot be computed (algorithm OTHER, qop other than auth, qop or -sess
 * without cnonce or nc, an HA1 of another hash). */
size_t sip_digest_compute(const struct sip_credentials *c, struct slice method,
                          const struct sip_ha1 *ha1,
                          char out[static SIP_DIGEST_HEX]);

/* alg must not be OTHER. */
void sip_ha2_make(struct sip_ha2 *out, enum sip_digest_alg alg,
                  struct slice method, struct slice uri);

/* Whether c->response is right; takes the same time whatever the difference.
 * Says nothing of nonce, realm or username: see sip_nonce_check. */
bool sip_digest_check(const struct sip_credentials *c, struct slice method,
                      const struct sip_ha1 *ha1);

/* The same with an HA2 that was made before, of this method, c->uri and an
 * algorithm with the hash of c->alg. */
bool sip_digest_check_ha2(const struct sip_credentials *c,
                          const struct sip_ha1 *ha1,
                          const struct sip_ha2 *ha2);

/* Compares secrets: time depends on lengths only. */
bool sip_secret_eq(struct slice a, struct slice b);

/* ---- nonces that prove themselves ---- */

#define SIP_NONCE_KEY 16  /* bytes, random, secret */
#define SIP_NONCE_LEN 32  /* characters: 8 hex of time, 4 of salt, 20 of proof:
                             80 bits of SipHash-2-4 */
#define SIP_NONCE_WHOM 64 /* bytes that tell whom a nonce is for */
#define SIP_NONCE_MAX_AGE_S 300 /* a fair value for max_age_s */

struct sip_nonce_key {
    uint64_t k[2];
};
void sip_nonce_key_init(struct sip_nonce_key *k,
                        const uint8_t key[static SIP_NONCE_KEY]);

enum sip_nonce_state {
    SIP_NONCE_GOOD,
    SIP_NONCE_STALE,   /* ours, for this device, but too old */
    SIP_NONCE_FOREIGN, /* never given to this device */
};

/* whom: at most SIP_NONCE_WHOM bytes, those behind count for nothing.
 * now_s: seconds of any clock that goes on over a restart (UTC). salt: counts
 * the nonces of one second, so that no two are equal. */
void sip_nonce_make(char out[static SIP_NONCE_LEN],
                    const struct sip_nonce_key *key, struct slice whom,
                    uint64_t now_s, uint16_t salt);

/* A nonce from the future (the clock was set back) is stale too. *stamp (may
 * be NULL) is written unless it is foreign: larger for one made later. */
enum sip_nonce_state sip_nonce_check(struct slice nonce,
                                     const struct sip_nonce_key *key,
                                     struct slice whom, uint64_t now_s,
                                     uint32_t max_age_s, uint64_t *stamp);

/* The 8 hex digits of nc. false: they are not (0 is not either). */
bool sip_nc_parse(struct slice nc, uint32_t *v);

/* Appends a challenge value: `Digest realm="…", nonce="…"[, stale=true],
 * algorithm=MD5[, qop="auth"]`. */
void sip_challenge_write(struct writer *w, enum sip_digest_alg alg,
                         struct slice realm, struct slice nonce, bool qop_auth,
                         bool stale);

/* ---- client ---- */

struct sip_answer {
    struct slice username, password, method, uri;
    struct slice cnonce; /* fresh and random; used when the challenge asks for
                            qop or -sess */
    uint32_t nc;         /* uses of this nonce, from 1 */
};

/* Appends the value of (Proxy-)Authorization that answers c, `opaque` echoed.
 * 0, GB_EUNSUPPORTED (algorithm or qop), or w->err. */
int sip_answer_write(struct writer *w, const struct sip_challenge *c,
                     const struct sip_answer *a);

/* "Authentication-Info" (RFC 7616 §3.5). Empty slices: absent. */
struct sip_auth_info {
    struct slice nextnonce, qop, rspauth, cnonce, nc;
};

/* *out borrows from value. Never fails: what is missing is empty. */
void sip_auth_info_parse(struct sip_auth_info *out, struct slice value);

/* Appends the value that answers right credentials with qop: the proof that we
 * know the password as well. nextnonce: for the next request, with nc 1; empty:
 * they go on with theirs. 0, or w->err (GB_ESYNTAX: not to be computed, or a
 * cnonce that cannot be quoted). */
int sip_auth_info_write(struct writer *w, const struct sip_credentials *c,
                        const struct sip_ha1 *ha1, struct slice nextnonce);

/* Did the server prove that it knows the password? c and a: what was answered.
 * True as well when rspauth is absent: few servers send it. */
bool sip_auth_info_check(const struct sip_auth_info *i,
                         const struct sip_challenge *c,
                         const struct sip_answer *a);
#endif
