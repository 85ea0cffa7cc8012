/* Tokens, passwords, sessions, signatures. */
#include "test/support.h"

#include "app/http/auth.h"

#include <stdio.h>

static void bearer(void **state)
{
    struct http_auth *a;

    (void)state;
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("secret")), 0);
    assert_true(http_auth_bearer(a, SLICE("secret")));
    assert_false(http_auth_bearer(a, SLICE("secre")));
    assert_false(http_auth_bearer(a, SLICE("secrets")));
    assert_false(http_auth_bearer(a, SLICE("Secret")));
    assert_false(http_auth_bearer(a, SLICE("")));
    http_auth_free(a);
    /* No token: nothing opens it, not even nothing. */
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("")), 0);
    assert_false(http_auth_bearer(a, SLICE("")));
    http_auth_free(a);
}

static void passwords(void **state)
{
    static const uint8_t salt[16] = "0123456789abcde";
    char hash[HTTP_PASSWORD_HASH_MAX], other[HTTP_PASSWORD_HASH_MAX];
    struct slice h;

    (void)state;
    http_password_hash(hash, SLICE("pass"), salt, 1000);
    h = slice_str(hash);
    assert_true(http_password_verify(h, SLICE("pass")));
    assert_false(http_password_verify(h, SLICE("Pass")));
    assert_false(http_password_verify(h, SLICE("pass ")));
    assert_false(http_password_verify(h, SLICE("")));
    for (size_t n = 0; n < h.n; n++)
        assert_false(http_password_verify(guarded(slice_head(h, n)),
                                          SLICE("pass")));
    /* Any byte of it matters, in its one spelling. */
    for (size_t i = 0; i < h.n; i++) {
        memcpy(other, hash, sizeof(other));
        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_false(http_password_verify(slice_str(other), SLICE("pass")));
    }
    assert_false(http_password_verify(
        SLICE("pbkdf2-sha256$99999999$AAAAAAAAAAAAAAAAAAAAAA$"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), SLICE("pass")));
}

/* A hash computed with Python's hashlib, salt 00 01 … 0f. */
static void password_vector(void **state)
{
    (void)state;
    assert_true(http_password_verify(
        SLICE("pbkdf2-sha256$4096$AAECAwQFBgcICQoLDA0ODw$"
              "h1CtcwHvGyuAss6N7dxLICr03swV1Dw5yfzSy3Tfuc4"), SLICE("correct horse")));
}

/* Kept for WVP's login: the password and its MD5 are both right, and neither is
 * for the other kind of hash. */
static void passwords_by_md5(void **state)
{
    static const uint8_t salt[16] = { 5 };
    char of_md5[HTTP_PASSWORD_HASH_MAX], plain[HTTP_PASSWORD_HASH_MAX];
    struct slice md5 = SLICE("0d107d09f5bbe40cade3de5c71e9e9b7"); /* letmein */
    struct http_password_job job = { .checks = true, .makes = true,
                                     .make_md5 = true, .rounds = 10 };

    (void)state;
    http_password_hash_md5(of_md5, SLICE("letmein"), salt, 10);
    http_password_hash(plain, SLICE("letmein"), salt, 10);
    assert_true(http_password_is_hash(slice_str(of_md5)));
    assert_true(http_password_verify(slice_str(of_md5), SLICE("letmein")));
    assert_false(http_password_verify(slice_str(of_md5), md5));
    assert_true(http_password_verify_md5(slice_str(of_md5), guarded(md5)));
    assert_false(http_password_verify_md5(slice_str(plain), md5));
    assert_false(http_password_verify_md5(slice_str(plain), SLICE("letmein")));
    assert_false(http_password_verify_md5(slice_str(of_md5),
                                          slice_head(md5, 31)));
    slice_copy(job.hash, sizeof(job.hash), slice_str(plain));
    slice_copy(job.password, sizeof(job.password), SLICE("letmein"));
    job.n_password = 7;
    slice_copy(job.fresh, sizeof(job.fresh), SLICE("another one"));
    job.n_fresh = 11;
    http_password_job_run(&job);
    assert_true(job.ok);
    assert_true(http_password_verify(slice_str(job.made),
                                     SLICE("another one")));
    assert_true(slice_has_prefix(slice_str(job.made),
                                 SLICE("pbkdf2-sha256-md5$")));
}

/* With a mark and without. */
static void signatures_of(uint64_t whose)
{
    static const uint8_t key[32] = { 1, 2, 3 }, key2[32] = { 1, 2, 4 };
    char text[HTTP_SIGNATURE_MAX], bad[HTTP_SIGNATURE_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct slice scope = SLICE("/live/d/c"), sig;
    uint64_t mark = 99;

    http_sign(&w, key, scope, 1000, whose);
    assert_int_equal(w.err, 0);
    sig = writer_slice(&w);
    assert_true(http_sign_verify(key, scope, sig, 999, &mark));
    assert_true(mark == whose);
    assert_false(http_sign_verify(key, scope, sig, 1000, &mark)); /* expired */
    assert_false(http_sign_verify(key2, scope, sig, 999, &mark));
    assert_false(http_sign_verify(key, SLICE("/live/d/c2"), sig, 999, &mark));
    assert_false(http_sign_verify(key, SLICE("/live/d"), sig, 999, &mark));
    for (size_t n = 0; n < sig.n; n++)
        assert_false(http_sign_verify(key, scope,
                                      guarded(slice_head(sig, n)), 999, &mark));
    for (size_t i = 0; i < sig.n; i++) {
        memcpy(bad, text, sizeof(bad));
        bad[i] = bad[i] == '7' ? '8' : '7';
        assert_false(http_sign_verify(key, scope, slice_of(bad, sig.n), 999,
                                      &mark));
    }
    assert_false(http_sign_verify(key, scope,
                                  SLICE("99999999999999999999."
                                        "AAAAAAAAAAAAAAAAAAAAAA"), 999, &mark));
}

static void signatures(void **state)
{
    static const uint64_t marks[] = { 0, 1, 0x123456789abcdef0, UINT64_MAX };
    static const uint8_t key[32] = { 1 };
    static const char *const strange[] = {
        "1000..AAAAAAAAAAAAAAAAAAAAAA", "1000.0.AAAAAAAAAAAAAAAAAAAAAA",
        "1000.0f.AAAAAAAAAAAAAAAAAAAAAA", "1000.F.AAAAAAAAAAAAAAAAAAAAAA",
        "1000.g.AAAAAAAAAAAAAAAAAAAAAA", "1000.1.1.AAAAAAAAAAAAAAAAAAAAAA",
        "1000.10000000000000000.AAAAAAAAAAAAAAAAAAAAAA",
    };
    uint64_t mark;

    (void)state;
    for (size_t i = 0; i < COUNT(marks); i++)
        signatures_of(marks[i]);
    for (size_t i = 0; i < COUNT(strange); i++)
        assert_false(http_sign_verify(key, SLICE("/"), slice_str(strange[i]),
                                      999, &mark));
}

static void open_for(struct http_auth *a, uint64_t who, unsigned seed,
                     uint64_t now, char cookie[static HTTP_SESSION_TEXT + 1])
{
    uint8_t random[32] = { (uint8_t)seed, (uint8_t)(seed >> 8) };

    http_auth_open(a, who, random, now, cookie);
}

static void open_session(struct http_auth *a, unsigned seed, uint64_t now,
                         char cookie[static HTTP_SESSION_TEXT + 1])
{
    open_for(a, 7, seed, now, cookie);
}

static void sessions(void **state)
{
    char one[HTTP_SESSION_TEXT + 1], two[HTTP_SESSION_TEXT + 1];
    uint64_t idle = HTTP_SESSION_IDLE_S * 1000ull, now = 5000;
    struct http_auth *a;

    (void)state;
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("t")), 0);
    open_session(a, 1, now, one);
    open_session(a, 2, now, two);
    assert_int_equal(strlen(one), HTTP_SESSION_TEXT);
    assert_int_equal(http_auth_session(a, slice_str(one), now),
                     7);
    assert_int_equal(http_auth_session_count(a, now), 2);
    assert_int_equal(http_auth_session(a, SLICE(""), now), 0);
    assert_int_equal(http_auth_session(a, slice_of(one, 42), now),
                     0);

    http_auth_close(a, slice_str(two));
    assert_int_equal(http_auth_session(a, slice_str(two), now),
                     0);

    /* Use keeps it, up to its whole life. */
    for (; now + idle - 1 < 5000 + HTTP_SESSION_LIFE_S * 1000ull;
         now += idle - 1)
        assert_int_equal(http_auth_session(a, slice_str(one), now),
                         7);
    assert_int_equal(http_auth_session(a, slice_str(one),
                                       5000 + HTTP_SESSION_LIFE_S * 1000ull),
                     0);

    open_session(a, 3, 0, one);
    assert_int_equal(http_auth_session(a, slice_str(one), idle),
                     0);
    http_auth_free(a);
}

/* One user cannot end the sessions of others by opening many. */
static void sessions_of_one(void **state)
{
    static char cookie[HTTP_SESSIONS_EACH + 1][HTTP_SESSION_TEXT + 1];
    char other[HTTP_SESSION_TEXT + 1];
    struct http_auth *a;

    (void)state;
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("t")), 0);
    open_for(a, 8, 5000, 0, other); /* the longest unused of all */
    for (unsigned i = 0; i <= HTTP_SESSIONS_EACH; i++)
        open_session(a, i, i + 1, cookie[i]);
    assert_int_equal(http_auth_session_count(a, 100), HTTP_SESSIONS_EACH + 1);
    assert_int_equal(http_auth_session(a, slice_str(cookie[0]), 100), 0);
    assert_int_equal(http_auth_session(a, slice_str(cookie[1]), 100), 7);
    for (unsigned i = 0; i < 10 * HTTP_SESSIONS_MAX; i++)
        open_session(a, 100 + i, 200 + i, cookie[0]);
    assert_int_equal(http_auth_session(a, slice_str(other), 2000), 8);
    http_auth_free(a);
}

/* The one unused for longest makes room. */
static void session_limit(void **state)
{
    static char cookie[HTTP_SESSIONS_MAX + 1][HTTP_SESSION_TEXT + 1];
    struct http_auth *a;

    (void)state;
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("t")), 0);
    for (unsigned i = 0; i < HTTP_SESSIONS_MAX; i++)
        open_for(a, 7 + i / 8, i, i, cookie[i]);
    assert_int_equal(http_auth_session(a, slice_str(cookie[0]), 1000),
                     7);
    open_for(a, 99, 999, 1001, cookie[HTTP_SESSIONS_MAX]);
    assert_int_equal(http_auth_session_count(a, 1001), HTTP_SESSIONS_MAX);
    assert_int_equal(http_auth_session(a, slice_str(cookie[1]), 1002),
                     0);
    assert_int_equal(http_auth_session(a, slice_str(cookie[0]), 1002),
                     7);
    http_auth_free(a);
}

static struct gb_addr addr(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(text)), 0);
    return a;
}

static void login_limit(void **state)
{
    struct gb_addr one = addr("192.0.2.1"), two = addr("192.0.2.2");
    struct gb_addr v6 = addr("2001:db8::1"), v6b = addr("2001:db8::2:1");
    struct gb_addr v6c = addr("2001:db8:0:1::1");
    struct http_auth *a;

    (void)state;
    assert_int_equal(http_auth_new(&a, &gb_alloc_heap, SLICE("t")), 0);
    for (int i = 0; i < HTTP_LOGIN_FAILURES; i++) {
        assert_int_equal(http_auth_login_wait(a, &one, 1000), 0);
        http_auth_login_try(a, &one, 1000);
        http_auth_login_try(a, &v6, 1000);
    }
    assert_int_equal(http_auth_login_wait(a, &one, 1000),
                     HTTP_LOGIN_WINDOW_S);
    assert_int_equal(http_auth_login_wait(a, &one, 60999), 1);
    assert_int_equal(http_auth_login_wait(a, &one, 61000), 0);
    assert_int_equal(http_auth_login_wait(a, &two, 1000), 0);
    assert_true(http_auth_login_wait(a, &v6b, 1000) > 0); /* same /64 */
    assert_int_equal(http_auth_login_wait(a, &v6c, 1000), 0);

    /* A right password takes back its own try; those at others' stay. */
    for (int i = 1; i < HTTP_LOGIN_FAILURES; i++) {
        assert_int_equal(http_auth_login_wait(a, &two, 1000), 0);
        http_auth_login_try(a, &two, 1000);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(http_auth_login_wait(a, &two, 1000), 0);
        http_auth_login_try(a, &two, 1000);
        http_auth_login_ok(a, &two, 1000);
    }
    http_auth_login_try(a, &two, 1000);
    assert_true(http_auth_login_wait(a, &two, 1000) > 0);

    /* More sources than slots: bounded, and the newest are counted. */
    for (unsigned i = 0; i < 4 * HTTP_LOGIN_SOURCES_MAX; i++) {
        struct gb_addr s = one;

        s.ip[2] = (uint8_t)(i >> 8);
        s.ip[3] = (uint8_t)i;
        for (int k = 0; k < HTTP_LOGIN_FAILURES; k++)
            http_auth_login_try(a, &s, 2000 + i);
        assert_true(http_auth_login_wait(a, &s, 2000 + i) > 0);
    }
    http_auth_free(a);
}

static void no_memory(void **state)
{
    struct failing_alloc f;
    struct http_auth *a;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_int_equal(http_auth_new(&a, &f.alloc, SLICE("t")), GB_ENOMEM);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bearer),
        cmocka_unit_test(passwords_by_md5),        cmocka_unit_test(passwords),
        cmocka_unit_test(password_vector), cmocka_unit_test(signatures),
        cmocka_unit_test(sessions),      cmocka_unit_test(session_limit),
        cmocka_unit_test(sessions_of_one),
        cmocka_unit_test(login_limit),   cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
