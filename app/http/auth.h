/* app/http/auth.h - who may: bearer token, password, cookie sessions, signed
 * media URLs
 *
 * No clock, no randomness of its own, no I/O. Secrets are compared in constant
 * time and kept as hashes where possible. */
#ifndef APP_HTTP_AUTH_H
#define APP_HTTP_AUTH_H

#include "app/http/router.h"
#include "base/addr.h"
#include "base/alloc.h"
#include "base/time.h"
#include "base/writer.h"

#define HTTP_SESSIONS_MAX 64          /* the longest unused goes first */
#define HTTP_SESSIONS_EACH 16         /* of one user; likewise, of his own */
#define HTTP_SESSION_IDLE_S (12 * 3600)
#define HTTP_SESSION_LIFE_S (7 * 86400)
#define HTTP_SESSION_TEXT 43          /* base64url of 32 bytes */
#define HTTP_LOGIN_SOURCES_MAX 256    /* sources whose failures are counted */
#define HTTP_LOGIN_FAILURES 5         /* within HTTP_LOGIN_WINDOW_S: 429 */
#define HTTP_LOGIN_WINDOW_S 60
#define HTTP_COOKIE "gb28181d"
#define HTTP_TOKEN_MAX 256
#define HTTP_PBKDF2_ROUNDS 100000
#define HTTP_PBKDF2_ROUNDS_MAX 10000000
#define HTTP_PASSWORD_MAX 256
#define HTTP_PASSWORD_HASH_MAX 128
#define HTTP_SIGNATURE_MAX 64         /* "EXPIRY.MARK.HMAC" */

/* ---- passwords ----------------------------------------------------------- */

/* "pbkdf2-sha256$ROUNDS$SALT$HASH" (base64url), with a NUL. */
#define HTTP_MD5_HEX 32
void http_password_hash(char out[static HTTP_PASSWORD_HASH_MAX],
                        struct slice password, const uint8_t salt[16],
                        uint32_t rounds);

/* Slow by design: never on the main loop. A malformed hash is false. */
/* Is it what http_password_hash writes? */
bool http_password_is_hash(struct slice hash);
bool http_password_verify(struct slice hash, struct slice password);
/* The same, made over the MD5 of the password in hex, as WVP's front-ends send it:
 * "pbkdf2-sha256-md5$…". http_password_verify takes the password itself for both
 * kinds; this takes the MD5, and is false for a hash of the first kind. */
void http_password_hash_md5(char out[static HTTP_PASSWORD_HASH_MAX],
                            struct slice password, const uint8_t salt[16],
                            uint32_t rounds);
bool http_password_verify_md5(struct slice hash, struct slice md5_hex);

/* The rounds of a hash; HTTP_PBKDF2_ROUNDS when it is none. */
uint32_t http_password_rounds(struct slice hash);

/* How many rounds take HTTP_PBKDF2_MS here, within HTTP_PBKDF2_ROUNDS and
 * HTTP_PBKDF2_ROUNDS_CAP; measured for a tenth of that. clock: ns, rising. */
#define HTTP_PBKDF2_MS 200
#define HTTP_PBKDF2_ROUNDS_CAP 2000000
uint32_t http_password_measure(uint64_t (*clock)(void));

/* One verification, one new hash, or both, on its way through the thread pool;
 * self-contained. */
struct http_app;
struct http_password_job {
    uint64_t request; /* the request that waits */
    bool checks, makes;
    bool is_md5;   /* what is to be checked is the MD5 of a password */
    bool make_md5; /* the new hash is to be of that kind */
    char hash[HTTP_PASSWORD_HASH_MAX]; /* to check against */
    char password[HTTP_PASSWORD_MAX];
    size_t n_password;
    char fresh[HTTP_PASSWORD_MAX]; /* to make a hash of, when that was right */
    size_t n_fresh;
    uint8_t salt[16];
    uint32_t rounds;
    struct gb_addr source;
    bool secure;
    bool ok;                           /* written by http_password_job_run */
    char made[HTTP_PASSWORD_HASH_MAX]; /* likewise */
    /* What follows on the loop's thread; the job goes then. */
    void (*done)(struct http_app *a, struct http_password_job *job);
};
void http_password_job_run(struct http_password_job *job);

/* ---- signed media URLs --------------------------------------------------- */

/* Appends "EXPIRY.HMAC": EXPIRY in seconds UTC, HMAC-SHA256 over scope, expiry
 * and mark, 128 bits of it as base64url. The scope is "/live/DEVICE/CHANNEL":
 * one signature serves every format of a channel. mark: of the account that it
 * is for, and ends with; it stands between the two, in hex. 0: of none. */
void http_sign(struct writer *w, const uint8_t key[static 32],
               struct slice scope, int64_t expires_s, uint64_t mark);

/* A signature without a mark at the beginning of text, behind which a camera may
 * have put a name for its file; text itself: there is none. */
struct slice http_sign_head(struct slice text);

/* The signature fits scope and has not expired; *mark is whose it is. */
bool http_sign_verify(const uint8_t key[static 32], struct slice scope,
                      struct slice signature, int64_t utc_s, uint64_t *mark);

/* ---- sessions of the page ------------------------------------------------ */

struct http_auth;
int http_auth_new(struct http_auth **out, const struct gb_alloc *alloc,
                  struct slice admin_token);
void http_auth_free(struct http_auth *a);

bool http_auth_bearer(const struct http_auth *a, struct slice token);

/* 0 when this source may try a password, else seconds to wait. A source is an
 * IPv4 address or an IPv6 /64. */
uint32_t http_auth_login_wait(const struct http_auth *a,
                              const struct gb_addr *source, uint64_t mono_ms);
/* A password is about to be checked: counted as a failure until it is known to
 * be right, so that attempts side by side do not slip through. */
void http_auth_login_try(struct http_auth *a, const struct gb_addr *source,
                         uint64_t mono_ms);
void http_auth_login_ok(struct http_auth *a, const struct gb_addr *source,
                        uint64_t mono_ms);

/* Opens a session of the account `who`; its cookie value from 32 random
 * bytes. */
void http_auth_open(struct http_auth *a, uint64_t who,
                    const uint8_t random[static 32], uint64_t mono_ms,
                    char cookie[static HTTP_SESSION_TEXT + 1]);
/* The account behind a cookie value, 0 if none; counts as use. Whether there is
 * still one of that id, the caller looks up. */
uint64_t http_auth_session(struct http_auth *a, struct slice cookie,
                           uint64_t mono_ms);
/* All of an account. */
void http_auth_close_all(struct http_auth *a, uint64_t who);
void http_auth_close(struct http_auth *a, struct slice cookie);
size_t http_auth_session_count(const struct http_auth *a, uint64_t mono_ms);
#endif
