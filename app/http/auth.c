#include "app/http/auth.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>

#define HASH_PREFIX "pbkdf2-sha256$"
#define MD5_PREFIX "pbkdf2-sha256-md5$"
#define SALT_LEN 16
#define SIGN_LEN 16 /* bytes of the HMAC that a URL carries */
#define SIGN_TEXT 22 /* the same as base64url */

_Static_assert(sizeof(MD5_PREFIX) + 8 + 1 + 22 + 1 + 43 + 1 <
                   HTTP_PASSWORD_HASH_MAX,
               "a hash fits");

/* Base64 of RFC 4648 §5 without padding, of at most 32 bytes. */
static void b64url(struct writer *w, const uint8_t *p, size_t n)
{
    char text[BASE64_ENCODE_RAW_LENGTH(32)];
    size_t len = (n * 4 + 2) / 3;

    base64_encode_raw(text, n, p);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    writer_bytes(w, text, len);
}

/* Exactly n bytes (at most 32), in their one spelling. */
static bool b64url_decode(struct slice text, uint8_t *out, size_t n)
{
    struct base64_decode_ctx ctx;
    uint8_t bytes[BASE64_DECODE_LENGTH(48)];
    char again[48];
    struct writer w = writer_of(again, sizeof(again));
    size_t len = sizeof(bytes);

    if (text.n != (n * 4 + 2) / 3 || n > 32)
        return false;
    base64url_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, bytes, text.n, text.p) || len != n)
        return false;
    b64url(&w, bytes, n);
    if (!slice_eq(writer_slice(&w), text))
        return false;
    memcpy(out, bytes, n);
    return true;
}

/* ---- passwords ------------------------------------------------------------ */

static void hash_write(char out[static HTTP_PASSWORD_HASH_MAX],
                       const char *prefix, struct slice password,
                       const uint8_t salt[16], uint32_t rounds)
{
    struct writer w = writer_of(out, HTTP_PASSWORD_HASH_MAX - 1);
    uint8_t key[SHA256_DIGEST_SIZE];

    pbkdf2_hmac_sha256(password.n, (const uint8_t *)password.p, rounds,
                       SALT_LEN, salt, sizeof(key), key);
    writer_f(&w, "%s%u$", prefix, (unsigned)rounds);
    b64url(&w, salt, SALT_LEN);
    writer_char(&w, '$');
    b64url(&w, key, sizeof(key));
    out[w.len] = '\0';
}

void http_password_hash(char out[static HTTP_PASSWORD_HASH_MAX],
                        struct slice password, const uint8_t salt[16],
                        uint32_t rounds)
{
    hash_write(out, HASH_PREFIX, password, salt, rounds);
}

static struct slice md5_hex(char out[static HTTP_MD5_HEX], struct slice s)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[MD5_DIGEST_SIZE];
    struct md5_ctx ctx;

    md5_init(&ctx);
    md5_update(&ctx, s.n, (const uint8_t *)s.p);
    md5_digest(&ctx, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    return slice_of(out, HTTP_MD5_HEX);
}

void http_password_hash_md5(char out[static HTTP_PASSWORD_HASH_MAX],
                            struct slice password, const uint8_t salt[16],
                            uint32_t rounds)
{
    char hex[HTTP_MD5_HEX];

    hash_write(out, MD5_PREFIX, md5_hex(hex, password), salt, rounds);
}

struct password_hash {
    uint32_t rounds;
    uint8_t salt[SALT_LEN], key[SHA256_DIGEST_SIZE];
    bool md5;
};

static bool hash_parse(struct password_hash *out, struct slice hash)
{
    struct slice rest = hash, text;

    out->md5 = slice_has_prefix(rest, SLICE(MD5_PREFIX));
    if (!out->md5 && !slice_has_prefix(rest, SLICE(HASH_PREFIX)))
        return false;
    rest = slice_from(rest, out->md5 ? sizeof(MD5_PREFIX) - 1
                                     : sizeof(HASH_PREFIX) - 1);
    return slice_cut(&rest, '$', &text) &&
           slice_u32(text, HTTP_PBKDF2_ROUNDS_MAX, &out->rounds) &&
           out->rounds != 0 && slice_cut(&rest, '$', &text) &&
           b64url_decode(text, out->salt, sizeof(out->salt)) &&
           b64url_decode(rest, out->key, sizeof(out->key));
}

bool http_password_is_hash(struct slice hash)
{
    struct password_hash h;

    return hash_parse(&h, hash);
}

static bool is_key(const struct password_hash *h, struct slice password)
{
    uint8_t got[SHA256_DIGEST_SIZE];

    pbkdf2_hmac_sha256(password.n, (const uint8_t *)password.p, h->rounds,
                       sizeof(h->salt), h->salt, sizeof(got), got);
    return memeql_sec(h->key, got, sizeof(got)) != 0;
}

bool http_password_verify(struct slice hash, struct slice password)
{
    char hex[HTTP_MD5_HEX];
    struct password_hash h;

    if (!hash_parse(&h, hash))
        return false;
    return is_key(&h, h.md5 ? md5_hex(hex, password) : password);
}

bool http_password_verify_md5(struct slice hash, struct slice md5)
{
    struct password_hash h;

    /* the same work for a hash of the other kind */
    return hash_parse(&h, hash) && is_key(&h, md5) && h.md5 &&
           md5.n == HTTP_MD5_HEX;
}

uint32_t http_password_rounds(struct slice hash)
{
    struct password_hash h;

    return hash_parse(&h, hash) ? h.rounds : HTTP_PBKDF2_ROUNDS;
}

uint32_t http_password_measure(uint64_t (*clock)(void))
{
    const uint64_t step = 2000, want_ns = HTTP_PBKDF2_MS * UINT64_C(1000000);
    static const uint8_t salt[SALT_LEN];
    uint64_t from = clock(), done = 0, took, rounds;
    uint8_t key[SHA256_DIGEST_SIZE];

    do {
        pbkdf2_hmac_sha256(1, (const uint8_t *)"x", (unsigned)step,
                           sizeof(salt), salt, sizeof(key), key);
        done += step;
        took = clock() - from;
    } while (took < want_ns / 10 && done < HTTP_PBKDF2_ROUNDS_CAP);
    rounds = done * want_ns / (took ? took : 1);
    if (rounds < HTTP_PBKDF2_ROUNDS)
        return HTTP_PBKDF2_ROUNDS;
    return rounds < HTTP_PBKDF2_ROUNDS_CAP ? (uint32_t)rounds
                                           : HTTP_PBKDF2_ROUNDS_CAP;
}

void http_password_job_run(struct http_password_job *job)
{
    struct slice given = slice_of(job->password, job->n_password);
    struct slice fresh = slice_of(job->fresh, job->n_fresh);

    job->ok = !job->checks ||
              (job->is_md5
                   ? http_password_verify_md5(slice_str(job->hash), given)
                   : http_password_verify(slice_str(job->hash), given));
    if (job->ok && job->makes && job->make_md5)
        http_password_hash_md5(job->made, fresh, job->salt, job->rounds);
    else if (job->ok && job->makes)
        http_password_hash(job->made, fresh, job->salt, job->rounds);
    memset(job->password, 0, sizeof(job->password));
    memset(job->fresh, 0, sizeof(job->fresh));
}

/* ---- signed media URLs ---------------------------------------------------- */

static void put_be64(uint8_t out[static 8], uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void sign(uint8_t out[SIGN_LEN], const uint8_t key[static 32],
                 struct slice scope, int64_t expires_s, uint64_t mark)
{
    struct hmac_sha256_ctx ctx;
    uint8_t rest[17] = { 0 };

    /* A NUL between the two: no scope has one. */
    put_be64(rest + 1, (uint64_t)expires_s);
    put_be64(rest + 9, mark);
    hmac_sha256_set_key(&ctx, 32, key);
    hmac_sha256_update(&ctx, scope.n, (const uint8_t *)scope.p);
    hmac_sha256_update(&ctx, mark ? 17 : 9, rest);
    hmac_sha256_digest(&ctx, SIGN_LEN, out);
}

void http_sign(struct writer *w, const uint8_t key[static 32],
               struct slice scope, int64_t expires_s, uint64_t mark)
{
    uint8_t mac[SIGN_LEN];

    sign(mac, key, scope, expires_s, mark);
    writer_i64(w, expires_s);
    writer_char(w, '.');
    if (mark)
        writer_f(w, "%llx.", (unsigned long long)mark);
    b64url(w, mac, sizeof(mac));
}

struct slice http_sign_head(struct slice text)
{
    return slice_head(text, slice_find(text, '.') + 1 + SIGN_TEXT);
}

/* As it is written: lower case, without zeros before it. */
static bool read_mark(struct slice text, uint64_t *mark)
{
    *mark = 0;
    if (text.n == 0 || text.n > 16 || text.p[0] == '0')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int digit = ascii_hex(text.p[i]);

        if (digit < 0 || (text.p[i] >= 'A' && text.p[i] <= 'F'))
            return false;
        *mark = *mark << 4 | (uint64_t)digit;
    }
    return true;
}

bool http_sign_verify(const uint8_t key[static 32], struct slice scope,
                      struct slice signature, int64_t utc_s, uint64_t *mark)
{
    uint8_t want[SIGN_LEN], got[SIGN_LEN];
    struct slice text;
    uint64_t expires_s;

    *mark = 0;
    if (!slice_cut(&signature, '.', &text) ||
        !slice_u64(text, INT64_MAX, &expires_s))
        return false;
    if (slice_find(signature, '.') < signature.n &&
        (!slice_cut(&signature, '.', &text) || !read_mark(text, mark)))
        return false;
    if (!b64url_decode(signature, got, sizeof(got)))
        return false;
    sign(want, key, scope, (int64_t)expires_s, *mark);
    return memeql_sec(want, got, sizeof(got)) && (int64_t)expires_s > utc_s;
}

/* ---- sessions of the page ------------------------------------------------- */

struct session {
    uint8_t hash[SHA256_DIGEST_SIZE]; /* of the cookie value */
    uint64_t who;                     /* an account; 0: free */
    uint64_t opened_ms, used_ms;
};

struct source {
    uint64_t key[2];
    uint64_t window_ms; /* when its first failure was */
    uint32_t failures;  /* 0: free */
};

struct http_auth {
    const struct gb_alloc *alloc;
    uint8_t token[SHA256_DIGEST_SIZE];
    bool has_token;
    struct session session[HTTP_SESSIONS_MAX];
    struct source source[HTTP_LOGIN_SOURCES_MAX];
};

static void digest(uint8_t out[static SHA256_DIGEST_SIZE], struct slice s)
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, s.n, (const uint8_t *)s.p);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, out);
}

int http_auth_new(struct http_auth **out, const struct gb_alloc *alloc,
                  struct slice admin_token)
{
    struct http_auth *a = gb_get(alloc, sizeof(*a));

    if (!a)
        return GB_ENOMEM;
    a->alloc = alloc;
    a->has_token = admin_token.n > 0;
    digest(a->token, admin_token);
    *out = a;
    return 0;
}

void http_auth_free(struct http_auth *a)
{
    if (a)
        gb_put(a->alloc, a);
}

bool http_auth_bearer(const struct http_auth *a, struct slice token)
{
    uint8_t got[SHA256_DIGEST_SIZE];

    if (!a->has_token || token.n == 0 || token.n > HTTP_TOKEN_MAX)
        return false;
    digest(got, token); /* so that not even the length shows in time */
    return memeql_sec(got, a->token, sizeof(got)) != 0;
}

static void source_key(uint64_t key[2], const struct gb_addr *addr)
{
    uint8_t ip[16] = { 0 };

    memcpy(ip, addr->ip, addr->family == GB_IPV6 ? 8 : 4);
    ip[15] = addr->family;
    memcpy(key, ip, sizeof(ip));
}

static bool is_fresh(const struct source *s, uint64_t mono_ms)
{
    return s->failures &&
           mono_ms - s->window_ms < HTTP_LOGIN_WINDOW_S * 1000u;
}

static const struct source *source_find(const struct http_auth *a,
                                        const struct gb_addr *addr,
                                        uint64_t mono_ms)
{
    uint64_t key[2];

    source_key(key, addr);
    for (size_t i = 0; i < HTTP_LOGIN_SOURCES_MAX; i++) {
        const struct source *s = &a->source[i];

        if (is_fresh(s, mono_ms) && s->key[0] == key[0] &&
            s->key[1] == key[1])
            return s;
    }
    return NULL;
}

uint32_t http_auth_login_wait(const struct http_auth *a,
                              const struct gb_addr *source, uint64_t mono_ms)
{
    const struct source *s = source_find(a, source, mono_ms);

    if (!s || s->failures < HTTP_LOGIN_FAILURES)
        return 0;
    return (uint32_t)((s->window_ms + HTTP_LOGIN_WINDOW_S * 1000u - mono_ms +
                       999) / 1000);
}

/* A slot for a new source: a free one, or the one that began first. */
static size_t source_slot(const struct http_auth *a, uint64_t mono_ms)
{
    size_t oldest = 0;

    for (size_t i = 0; i < HTTP_LOGIN_SOURCES_MAX; i++) {
        if (!is_fresh(&a->source[i], mono_ms))
            return i;
        if (a->source[i].window_ms < a->source[oldest].window_ms)
            oldest = i;
    }
    return oldest;
}

void http_auth_login_try(struct http_auth *a, const struct gb_addr *source,
                         uint64_t mono_ms)
{
    const struct source *found = source_find(a, source, mono_ms);
    size_t i = found ? (size_t)(found - a->source) : source_slot(a, mono_ms);
    struct source *s = &a->source[i];

    if (!found) {
        *s = (struct source){ .window_ms = mono_ms };
        source_key(s->key, source);
    }
    s->failures++;
}

void http_auth_login_ok(struct http_auth *a, const struct gb_addr *source,
                        uint64_t mono_ms)
{
    const struct source *found = source_find(a, source, mono_ms);

    /* its own try, and no other one: who knows one password could guess at
     * another without end */
    if (found)
        a->source[found - a->source].failures--;
}

static bool is_open(const struct session *s, uint64_t mono_ms)
{
    return s->who &&
           mono_ms - s->used_ms < HTTP_SESSION_IDLE_S * 1000ull &&
           mono_ms - s->opened_ms < HTTP_SESSION_LIFE_S * 1000ull;
}

/* Where a new session of this user goes: a free place; his longest unused one,
 * if he has enough; or that of all. */
static struct session *place_for(struct http_auth *a, uint64_t who,
                                 uint64_t mono_ms)
{
    struct session *free_one = NULL, *own = NULL, *any = NULL;
    size_t n_own = 0;

    for (size_t i = 0; i < HTTP_SESSIONS_MAX; i++) {
        struct session *s = &a->session[i];

        if (!is_open(s, mono_ms)) {
            free_one = free_one ? free_one : s;
            continue;
        }
        if (!any || s->used_ms < any->used_ms)
            any = s;
        if (s->who == who && (!own || s->used_ms < own->used_ms))
            own = s;
        n_own += s->who == who;
    }
    if (n_own >= HTTP_SESSIONS_EACH)
        return own;
    return free_one ? free_one : any;
}

void http_auth_open(struct http_auth *a, uint64_t who,
                    const uint8_t random[static 32], uint64_t mono_ms,
                    char cookie[static HTTP_SESSION_TEXT + 1])
{
    struct writer w = writer_of(cookie, HTTP_SESSION_TEXT);
    struct session *to = place_for(a, who, mono_ms);

    b64url(&w, random, 32);
    cookie[w.len] = '\0';
    *to = (struct session){ .who = who,
                            .opened_ms = mono_ms,
                            .used_ms = mono_ms };
    digest(to->hash, writer_slice(&w));
}

static struct session *session_find(struct http_auth *a, struct slice cookie,
                                    uint64_t mono_ms)
{
    uint8_t hash[SHA256_DIGEST_SIZE];

    if (cookie.n != HTTP_SESSION_TEXT)
        return NULL;
    digest(hash, cookie);
    for (size_t i = 0; i < HTTP_SESSIONS_MAX; i++)
        if (is_open(&a->session[i], mono_ms) &&
            memeql_sec(hash, a->session[i].hash, sizeof(hash)))
            return &a->session[i];
    return NULL;
}

uint64_t http_auth_session(struct http_auth *a, struct slice cookie,
                           uint64_t mono_ms)
{
    struct session *s = session_find(a, cookie, mono_ms);

    if (!s)
        return 0;
    s->used_ms = mono_ms;
    return s->who;
}

void http_auth_close_all(struct http_auth *a, uint64_t who)
{
    for (size_t i = 0; i < HTTP_SESSIONS_MAX; i++)
        if (who && a->session[i].who == who)
            a->session[i] = (struct session){ 0 };
}

void http_auth_close(struct http_auth *a, struct slice cookie)
{
    for (size_t i = 0; i < HTTP_SESSIONS_MAX; i++) {
        uint8_t hash[SHA256_DIGEST_SIZE];

        digest(hash, cookie);
        if (memeql_sec(hash, a->session[i].hash, sizeof(hash)))
            a->session[i] = (struct session){ 0 };
    }
}

size_t http_auth_session_count(const struct http_auth *a, uint64_t mono_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < HTTP_SESSIONS_MAX; i++)
        n += is_open(&a->session[i], mono_ms);
    return n;
}
