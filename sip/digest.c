#include "sip/digest.h"

#include "base/scan.h"
#include "base/siphash.h"
#include "sip/param.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <nettle/sm3.h>
#include <stddef.h>

#define HASH_GATHER 256 /* bytes */

static const struct {
    struct slice name;
    bool sess;
} algs[SIP_DIGEST_COUNT] = {
    [SIP_DIGEST_OTHER] = { { NULL, 0 }, false },
#define X(id, name, sess) [SIP_DIGEST_##id] = { SLICE_INIT(name), sess },
    SIP_DIGEST_MAP(X)
#undef X
};

/* One of the four hashes, fed with pieces of text. */
struct hash {
    enum sip_digest_alg alg;
    union {
        struct md5_ctx md5;
        struct sha256_ctx sha256;
        struct sm3_ctx sm3;
        struct sha512_256_ctx sha512_256;
    } u;
    char text[HASH_GATHER];
    size_t n; /* bytes in text */
};

static void hash_init(struct hash *h, enum sip_digest_alg alg)
{
    h->alg = alg;
    h->n = 0;
    switch (alg) {
    case SIP_DIGEST_SHA256:
    case SIP_DIGEST_SHA256_SESS:
        sha256_init(&h->u.sha256);
        break;
    case SIP_DIGEST_SM3:
    case SIP_DIGEST_SM3_SESS:
        sm3_init(&h->u.sm3);
        break;
    case SIP_DIGEST_SHA512_256:
    case SIP_DIGEST_SHA512_256_SESS:
        sha512_256_init(&h->u.sha512_256);
        break;
    case SIP_DIGEST_OTHER:
    case SIP_DIGEST_MD5:
    case SIP_DIGEST_MD5_SESS:
    case SIP_DIGEST_COUNT:
        md5_init(&h->u.md5);
        break;
    }
}

static void hash_put(struct hash *h, struct slice s)
{
    const uint8_t *p = (const uint8_t *)s.p;

    if (s.n == 0)
        return;
    switch (h->alg) {
    case SIP_DIGEST_SHA256:
    case SIP_DIGEST_SHA256_SESS:
        sha256_update(&h->u.sha256, s.n, p);
        break;
    case SIP_DIGEST_SM3:
    case SIP_DIGEST_SM3_SESS:
        sm3_update(&h->u.sm3, s.n, p);
        break;
    case SIP_DIGEST_SHA512_256:
    case SIP_DIGEST_SHA512_256_SESS:
        sha512_256_update(&h->u.sha512_256, s.n, p);
        break;
    case SIP_DIGEST_OTHER:
    case SIP_DIGEST_MD5:
    case SIP_DIGEST_MD5_SESS:
    case SIP_DIGEST_COUNT:
        md5_update(&h->u.md5, s.n, p);
        break;
    }
}

/* Eight digits of four bytes at once, each digit in a byte of x: the first one
 * in the lowest. */
static void hex_of_four(const uint8_t raw[static 4], char out[static 8])
{
    const uint64_t low = 0x000f000f000f000f;
    uint64_t x = (uint32_t)raw[0] | (uint32_t)raw[1] << 8 |
                 (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
    uint64_t letter;

    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x >> 4 & low) | (x & low) << 8;
    letter = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    x += 0x3030303030303030 + letter * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(out, &x, sizeof(x));
}

static void hex_of(const uint8_t *raw, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (; n >= 4; n -= 4, raw += 4, out += 8)
        hex_of_four(raw, out);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
}

/* Number of hex digits. */
static size_t hash_hex(struct hash *h, char out[static SIP_DIGEST_HEX])
{
    uint8_t raw[32];
    size_t n = 32;

    switch (h->alg) {
    case SIP_DIGEST_SHA256:
    case SIP_DIGEST_SHA256_SESS:
        sha256_digest(&h->u.sha256, sizeof(raw), raw);
        break;
    case SIP_DIGEST_SM3:
    case SIP_DIGEST_SM3_SESS:
        sm3_digest(&h->u.sm3, sizeof(raw), raw);
        break;
    case SIP_DIGEST_SHA512_256:
    case SIP_DIGEST_SHA512_256_SESS:
        sha512_256_digest(&h->u.sha512_256, sizeof(raw), raw);
        break;
    case SIP_DIGEST_OTHER:
    case SIP_DIGEST_MD5:
    case SIP_DIGEST_MD5_SESS:
    case SIP_DIGEST_COUNT:
        n = MD5_DIGEST_SIZE;
        md5_digest(&h->u.md5, n, raw);
        break;
    }
    hex_of(raw, n, out);
    return 2 * n;
}

static void flush(struct hash *h)
{
    hash_put(h, slice_of(h->text, h->n));
    h->n = 0;
}

/* Short pieces are gathered: hashes like few long ones. */
static void gather(struct hash *h, struct slice s)
{
    if (s.n > sizeof(h->text) - h->n)
        flush(h);
    if (s.n > sizeof(h->text)) {
        hash_put(h, s);
    } else if (s.n) {
        memcpy(h->text + h->n, s.p, s.n);
        h->n += s.n;
    }
}

/* H(p[0] ":" p[1] ":" ...) in hex. */
static size_t hash_joined(enum sip_digest_alg alg, const struct slice *p,
                          size_t n, char out[static SIP_DIGEST_HEX])
{
    struct hash h;

    hash_init(&h, alg);
    for (size_t i = 0; i < n; i++) {
        if (i)
            gather(&h, SLICE(":"));
        gather(&h, p[i]);
    }
    flush(&h);
    return hash_hex(&h, out);
}

static size_t hex_length(enum sip_digest_alg alg)
{
    return alg == SIP_DIGEST_MD5 || alg == SIP_DIGEST_MD5_SESS ? 32 : 64;
}

bool sip_digest_is_sess(enum sip_digest_alg alg)
{
    return algs[alg].sess;
}

enum sip_digest_alg sip_digest_lookup(struct slice name)
{
    for (unsigned i = SIP_DIGEST_OTHER + 1; i < SIP_DIGEST_COUNT; i++)
        if (slice_ieq(name, algs[i].name))
            return (enum sip_digest_alg)i;
    return SIP_DIGEST_OTHER;
}

/* The next character that counts, small; 0: the end. */
static char next_letter(struct slice *s)
{
    while (s->n && *s->p == '-')
        *s = slice_from(*s, 1);
    if (s->n == 0)
        return '\0';
    *s = slice_from(*s, 1);
    return ascii_lower(s->p[-1]);
}

enum sip_digest_alg sip_digest_by_word(struct slice word)
{
    for (unsigned i = SIP_DIGEST_OTHER + 1; i < SIP_DIGEST_COUNT; i++) {
        struct slice a = word, b = algs[i].name;
        char x, y;

        do {
            x = next_letter(&a);
            y = next_letter(&b);
        } while (x && x == y);
        if (x == y)
            return (enum sip_digest_alg)i;
    }
    return SIP_DIGEST_OTHER;
}

struct slice sip_digest_name(enum sip_digest_alg alg)
{
    return algs[alg].name;
}

/* ---- reading -------------------------------------------------------------- */

/* "Digest" and a blank, any case; *params is what follows. */
static bool is_digest(struct slice value, struct slice *params)
{
    struct slice v = slice_trim(value);

    if (!slice_has_iprefix(v, SLICE("Digest")) || v.n < 7 ||
        !ascii_is_space(v.p[6]))
        return false;
    *params = slice_from(v, 7);
    return true;
}

static enum sip_digest_alg alg_of(struct slice algorithm)
{
    return algorithm.n ? sip_digest_lookup(algorithm) : SIP_DIGEST_MD5;
}

/* Where a parameter that counts is kept; NULL: it does not count. */
static struct slice *credential(struct sip_credentials *c, struct slice name)
{
    static const struct {
        struct slice name;
        size_t at;
    } known[] = {
#define KNOWN(id) { SLICE_INIT(#id), offsetof(struct sip_credentials, id) }
        KNOWN(username), KNOWN(realm),  KNOWN(nonce), KNOWN(uri),
        KNOWN(response), KNOWN(cnonce), KNOWN(nc),    KNOWN(qop),
        KNOWN(opaque),   KNOWN(algorithm),
#undef KNOWN
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (name.n == known[i].name.n &&
            ascii_lower(*name.p) == *known[i].name.p &&
            slice_ieq(name, known[i].name))
            return (struct slice *)(void *)((char *)c + known[i].at);
    return NULL;
}

int sip_credentials_parse(struct sip_credentials *out, struct slice value)
{
    struct sip_credentials c = { 0 };
    struct slice rest, *to;
    struct sip_param p;

    if (!is_digest(value, &rest))
        return GB_EUNSUPPORTED;
    while (sip_param_next(&rest, ',', &p)) {
        to = credential(&c, p.name);
        if (to && to->p)
            return GB_ESYNTAX;
        if (to)
            *to = p.value;
    }
    if (c.username.n == 0 || c.nonce.n == 0 || c.uri.n == 0 ||
        c.response.n == 0)
        return GB_ESYNTAX;
    c.alg = alg_of(c.algorithm);
    *out = c;
    return 0;
}

static void read_qop(struct sip_challenge *c, struct slice value)
{
    struct slice elem;
    bool any = false;

    while (sip_list_cut(&value, &elem)) {
        any = true;
        c->qop_auth |= slice_ieq(elem, SLICE("auth"));
    }
    c->qop_other = any && !c->qop_auth;
}

int sip_challenge_parse(struct sip_challenge *out, struct slice value)
{
    struct sip_challenge c = { 0 };
    struct slice rest;
    struct sip_param p;

    if (!is_digest(value, &rest))
        return GB_EUNSUPPORTED;
    while (sip_param_next(&rest, ',', &p)) {
        if (slice_ieq(p.name, SLICE("realm")))
            c.realm = p.value;
        else if (slice_ieq(p.name, SLICE("nonce")))
            c.nonce = p.value;
        else if (slice_ieq(p.name, SLICE("opaque")))
            c.opaque = p.value;
        else if (slice_ieq(p.name, SLICE("algorithm")))
            c.algorithm = p.value;
        else if (slice_ieq(p.name, SLICE("stale")))
            c.stale = slice_ieq(p.value, SLICE("true"));
        else if (slice_ieq(p.name, SLICE("qop")))
            read_qop(&c, p.value);
    }
    if (c.realm.p == NULL || c.nonce.n == 0)
        return GB_ESYNTAX;
    c.alg = alg_of(c.algorithm);
    *out = c;
    return 0;
}

int sip_challenge_pick(struct sip_challenge *out, const struct sip_msg *m,
                       enum sip_hdr id)
{
    const struct sip_field *f;
    int err = GB_ENOENT;

    for (f = sip_msg_field(m, id); f; f = sip_field_next(m, f)) {
        struct sip_challenge c;

        err = sip_challenge_parse(&c, f->value);
        if (!err && (c.alg == SIP_DIGEST_OTHER || c.qop_other))
            err = GB_EUNSUPPORTED;
        if (!err) {
            *out = c;
            return 0;
        }
    }
    return err;
}

void sip_auth_info_parse(struct sip_auth_info *out, struct slice value)
{
    struct sip_auth_info i = { 0 };
    struct sip_param p;

    while (sip_param_next(&value, ',', &p)) {
        if (slice_ieq(p.name, SLICE("nextnonce")))
            i.nextnonce = p.value;
        else if (slice_ieq(p.name, SLICE("qop")))
            i.qop = p.value;
        else if (slice_ieq(p.name, SLICE("rspauth")))
            i.rspauth = p.value;
        else if (slice_ieq(p.name, SLICE("cnonce")))
            i.cnonce = p.value;
        else if (slice_ieq(p.name, SLICE("nc")))
            i.nc = p.value;
    }
    *out = i;
}

/* ---- computing ------------------------------------------------------------- */

void sip_ha1_make(struct sip_ha1 *out, enum sip_digest_alg alg,
                  struct slice username, struct slice realm,
                  struct slice password)
{
    struct slice parts[] = { username, realm, password };

    out->n = (uint8_t)hash_joined(alg, parts, 3, out->hex);
}

void sip_ha1_pack(uint8_t *raw, const struct sip_ha1 *ha1)
{
    for (size_t i = 0; i < ha1->n / 2u; i++)
        raw[i] = (uint8_t)((ascii_hex(ha1->hex[2 * i]) & 15) << 4 |
                           (ascii_hex(ha1->hex[2 * i + 1]) & 15));
}

void sip_ha1_unpack(struct sip_ha1 *out, enum sip_digest_alg alg,
                    const uint8_t *raw)
{
    out->n = (uint8_t)hex_length(alg);
    hex_of(raw, out->n / 2u, out->hex);
}

void sip_ha2_make(struct sip_ha2 *out, enum sip_digest_alg alg,
                  struct slice method, struct slice uri)
{
    struct slice parts[] = { method, uri };

    out->n = (uint8_t)hash_joined(alg, parts, 2, out->hex);
}

/* Can there be a response to these? */
static bool is_computable(const struct sip_credentials *c,
                          const struct sip_ha1 *ha1)
{
    bool qop = c->qop.n != 0;

    return c->alg != SIP_DIGEST_OTHER && ha1->n == hex_length(c->alg) &&
           !(qop && (!slice_ieq(c->qop, SLICE("auth")) || c->nc.n == 0)) &&
           !((qop || algs[c->alg].sess) && c->cnonce.n == 0);
}

/* The rest of it; number of hex digits. */
static size_t compute(const struct sip_credentials *c,
                      const struct sip_ha1 *ha1, const struct sip_ha2 *ha2,
                      char out[static SIP_DIGEST_HEX])
{
    struct slice a1 = { ha1->hex, ha1->n }, a2 = { ha2->hex, ha2->n };
    char hex[SIP_DIGEST_HEX];

    if (algs[c->alg].sess) {
        struct slice sess[] = { a1, c->nonce, c->cnonce };

        a1 = slice_of(hex, hash_joined(c->alg, sess, 3, hex));
    }
    if (c->qop.n) {
        struct slice with[] = { a1,        c->nonce, c->nc,
                                c->cnonce, c->qop,   a2 };

        return hash_joined(c->alg, with, 6, out);
    } else {
        struct slice without[] = { a1, c->nonce, a2 };

        return hash_joined(c->alg, without, 3, out);
    }
}

size_t sip_digest_compute(const struct sip_credentials *c, struct slice method,
                          const struct sip_ha1 *ha1,
                          char out[static SIP_DIGEST_HEX])
{
    struct sip_ha2 ha2;

    if (!is_computable(c, ha1))
        return 0;
    sip_ha2_make(&ha2, c->alg, method, c->uri);
    return compute(c, ha1, &ha2, out);
}

/* Eight octets at a time, the last ones looked at twice. */
bool sip_secret_eq(struct slice a, struct slice b)
{
    uint64_t diff = 0;
    size_t i = 0;

    if (a.n != b.n)
        return false;
    for (; i + 8 <= a.n; i += 8)
        diff |= siphash_word(a.p + i) ^ siphash_word(b.p + i);
    for (; i < a.n; i++)
        diff |= (uint64_t)(a.p[i] ^ b.p[i]) & 0xff;
    __asm__("" : "+r"(diff)); /* no early way out */
    return diff == 0;
}

bool sip_digest_check(const struct sip_credentials *c, struct slice method,
                      const struct sip_ha1 *ha1)
{
    struct sip_ha2 ha2;

    if (!is_computable(c, ha1))
        return false;
    sip_ha2_make(&ha2, c->alg, method, c->uri);
    return sip_digest_check_ha2(c, ha1, &ha2);
}

bool sip_digest_check_ha2(const struct sip_credentials *c,
                          const struct sip_ha1 *ha1, const struct sip_ha2 *ha2)
{
    char want[SIP_DIGEST_HEX], got[SIP_DIGEST_HEX];
    size_t n;

    if (!is_computable(c, ha1) || ha2->n != ha1->n)
        return false;
    n = compute(c, ha1, ha2, want);
    if (c->response.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        got[i] = ascii_lower(c->response.p[i]);
    return sip_secret_eq(slice_of(want, n), slice_of(got, n));
}

/* ---- nonces ------------------------------------------------------------------ */

#define NONCE_TIME 8 /* hex digits of the time, seconds modulo 2^32 */
#define NONCE_SALT 4 /* hex digits */
#define NONCE_PROOF ((SIP_NONCE_LEN - NONCE_TIME - NONCE_SALT) / 2)

void sip_nonce_key_init(struct sip_nonce_key *k,
                        const uint8_t key[static SIP_NONCE_KEY])
{
    for (size_t i = 0; i < 2; i++)
        k->k[i] = siphash_word((const char *)key + 8 * i);
}

/* Of 128 bits those that fit. */
static void write_proof(uint8_t out[static NONCE_PROOF],
                  const struct sip_nonce_key *key, const uint8_t *stamp,
                  size_t n, struct slice whom)
{
    char text[(NONCE_TIME + NONCE_SALT) / 2 + SIP_NONCE_WHOM];
    struct slice all = { text, n };
    uint64_t h[2];

    whom = slice_head(whom, SIP_NONCE_WHOM);
    memcpy(text, stamp, n);
    if (whom.n)
        memcpy(text + n, whom.p, whom.n);
    all.n += whom.n;
    siphash_128(key->k, all, 2, 4, h);
    memcpy(out, h, NONCE_PROOF);
}

static void nonce_of_stamp(char out[static SIP_NONCE_LEN],
                           const struct sip_nonce_key *key, struct slice whom,
                           uint64_t stamp)
{
    uint8_t time[(NONCE_TIME + NONCE_SALT) / 2];
    uint8_t proof[NONCE_PROOF];

    for (size_t i = 0; i < sizeof(time); i++)
        time[i] = (uint8_t)(stamp >> 8 * (sizeof(time) - 1 - i));
    write_proof(proof, key, time, sizeof(time), whom);
    hex_of(time, sizeof(time), out);
    hex_of(proof, sizeof(proof), out + NONCE_TIME + NONCE_SALT);
}

void sip_nonce_make(char out[static SIP_NONCE_LEN],
                    const struct sip_nonce_key *key, struct slice whom,
                    uint64_t now_s, uint16_t salt)
{
    nonce_of_stamp(out, key, whom, (uint64_t)(uint32_t)now_s << 16 | salt);
}

/* The whole of s as hex digits of either case. */
static bool read_hex(struct slice s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        int digit = ascii_hex(s.p[i]);

        if (digit < 0)
            return false;
        v = v << 4 | (uint64_t)digit;
    }
    *out = v;
    return true;
}

bool sip_nc_parse(struct slice nc, uint32_t *v)
{
    uint64_t n;

    if (nc.n != 8 || !read_hex(nc, &n) || n == 0)
        return false;
    *v = (uint32_t)n;
    return true;
}

enum sip_nonce_state sip_nonce_check(struct slice nonce,
                                     const struct sip_nonce_key *key,
                                     struct slice whom, uint64_t now_s,
                                     uint32_t max_age_s, uint64_t *stamp)
{
    char want[SIP_NONCE_LEN];
    uint64_t v;

    if (nonce.n != SIP_NONCE_LEN ||
        !read_hex(slice_head(nonce, NONCE_TIME + NONCE_SALT), &v))
        return SIP_NONCE_FOREIGN;
    nonce_of_stamp(want, key, whom, v);
    if (!sip_secret_eq(nonce, slice_of(want, sizeof(want))))
        return SIP_NONCE_FOREIGN;
    if (stamp)
        *stamp = v;
    return (uint32_t)now_s - (uint32_t)(v >> 16) <= max_age_s
               ? SIP_NONCE_GOOD : SIP_NONCE_STALE;
}

/* ---- writing ------------------------------------------------------------------ */

static bool is_plain(struct slice s)
{
    return scan_char(s.p, s.n, '"') == s.n && scan_char(s.p, s.n, '\\') == s.n &&
           writer_safe_run(s) == s.n;
}

/* name="value", backslashes as they are; a value that came from outside
 * cannot end the string. */
static void put_quoted(struct writer *w, const char *name, struct slice value)
{
    writer_str(w, name);
    writer_str(w, "=\"");
    if (is_plain(value)) {
        writer_slice_put(w, value);
        writer_char(w, '"');
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        bool pair;

        if (c == '"' || (c == '\\' && i + 1 == value.n)) {
            if (!w->err)
                w->err = GB_ESYNTAX;
            return;
        }
        pair = c == '\\';
        if (pair)
            c = value.p[++i];
        if (c == '\r' || c == '\n' || c == '\0')
            continue;
        if (pair)
            writer_char(w, '\\');
        writer_char(w, c);
    }
    writer_char(w, '"');
}

void sip_challenge_write(struct writer *w, enum sip_digest_alg alg,
                         struct slice realm, struct slice nonce, bool qop_auth,
                         bool stale)
{
    writer_str(w, "Digest ");
    put_quoted(w, "realm", realm);
    writer_str(w, ", ");
    put_quoted(w, "nonce", nonce);
    if (stale)
        writer_str(w, ", stale=true");
    writer_str(w, ", algorithm=");
    writer_slice_put(w, sip_digest_name(alg));
    if (qop_auth)
        writer_str(w, ", qop=\"auth\"");
}

static void put_nc(char out[static 8], uint32_t nc)
{
    uint8_t raw[4] = { (uint8_t)(nc >> 24), (uint8_t)(nc >> 16),
                       (uint8_t)(nc >> 8), (uint8_t)nc };

    hex_of(raw, sizeof(raw), out);
}

static void put_answer(struct writer *w, const struct sip_challenge *c,
                       const struct sip_credentials *r)
{
    writer_str(w, "Digest ");
    put_quoted(w, "username", r->username);
    writer_str(w, ", ");
    put_quoted(w, "realm", r->realm);
    writer_str(w, ", ");
    put_quoted(w, "nonce", r->nonce);
    writer_str(w, ", ");
    put_quoted(w, "uri", r->uri);
    writer_str(w, ", ");
    put_quoted(w, "response", r->response);
    writer_str(w, ", algorithm=");
    writer_slice_put(w, sip_digest_name(r->alg));
    if (c->opaque.p) {
        writer_str(w, ", ");
        put_quoted(w, "opaque", c->opaque);
    }
    if (r->cnonce.n) {
        writer_str(w, ", ");
        put_quoted(w, "cnonce", r->cnonce);
    }
    if (r->qop.n) {
        writer_str(w, ", qop=auth, nc=");
        writer_slice_put(w, r->nc);
    }
}

/* What answers c, all but the response; texts of nc live in the caller's. */
static struct sip_credentials credentials_of(const struct sip_challenge *c,
                                             const struct sip_answer *a,
                                             char nc[static 8])
{
    struct sip_credentials r = {
        .alg = c->alg,
        .username = a->username,
        .realm = c->realm,
        .nonce = c->nonce,
        .uri = a->uri,
    };

    if (c->qop_auth) {
        put_nc(nc, a->nc);
        r.nc = slice_of(nc, 8);
        r.qop = SLICE("auth");
    }
    if (c->qop_auth || algs[c->alg].sess)
        r.cnonce = a->cnonce;
    return r;
}

int sip_answer_write(struct writer *w, const struct sip_challenge *c,
                     const struct sip_answer *a)
{
    char nc[8], response[SIP_DIGEST_HEX];
    struct sip_credentials r;
    struct sip_ha1 ha1;

    if (c->alg == SIP_DIGEST_OTHER || c->qop_other)
        return GB_EUNSUPPORTED;
    r = credentials_of(c, a, nc);
    sip_ha1_make(&ha1, c->alg, a->username, c->realm, a->password);
    r.response = slice_of(response, sip_digest_compute(&r, a->method, &ha1,
                                                       response));
    if (r.response.n == 0 && !w->err)
        w->err = GB_ESYNTAX;
    if (!w->err)
        put_answer(w, c, &r);
    return w->err;
}

int sip_auth_info_write(struct writer *w, const struct sip_credentials *c,
                        const struct sip_ha1 *ha1, struct slice nextnonce)
{
    char proof[SIP_DIGEST_HEX];
    size_t n = c->qop.n ? sip_digest_compute(c, SLICE(""), ha1, proof) : 0;

    if (n == 0 && !w->err)
        w->err = GB_ESYNTAX;
    if (w->err)
        return w->err;
    if (nextnonce.n) {
        put_quoted(w, "nextnonce", nextnonce);
        writer_str(w, ", ");
    }
    writer_str(w, "qop=auth, ");
    put_quoted(w, "rspauth", slice_of(proof, n));
    writer_str(w, ", ");
    put_quoted(w, "cnonce", c->cnonce);
    writer_str(w, ", nc=");
    writer_slice_put(w, c->nc);
    return w->err;
}

bool sip_auth_info_check(const struct sip_auth_info *i,
                         const struct sip_challenge *c,
                         const struct sip_answer *a)
{
    char nc[8];
    struct sip_credentials r;
    struct sip_ha1 ha1;

    if (i->rspauth.n == 0)
        return true;
    if (c->alg == SIP_DIGEST_OTHER || c->qop_other)
        return false;
    r = credentials_of(c, a, nc);
    r.response = i->rspauth;
    sip_ha1_make(&ha1, c->alg, a->username, c->realm, a->password);
    /* the response of the server has no method in it (§3.5) */
    return sip_digest_check(&r, SLICE(""), &ha1);
}
