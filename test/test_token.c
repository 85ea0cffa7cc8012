/* What is kept of an API token: it tells the token from others, and lets Digest
 * be checked with the installation's key alone. */
#include "test/support.h"

#include "app/http/token.h"

static const uint8_t key[32] = { 1, 2, 3 }, other_key[32] = { 1, 2, 4 };

static void write_secret(char out[static TOKEN_SECRET_MAX + 1],
                         const char *name, const char *realm)
{
    token_secret_write(out, SLICE("abc"), slice_str(name), realm, key);
}

static bool is(const char *secret, const char *token)
{
    char hash[TOKEN_HASH];

    token_hash(hash, slice_str(token));
    return token_is(guarded(slice_str(secret)), hash);
}

static void hashes(void **state)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223"
                              "b00361a396177a9cb410ff61f20015ad";
    char plain[TOKEN_SECRET_MAX + 1], sealed[TOKEN_SECRET_MAX + 1];

    (void)state;
    write_secret(plain, "ci", NULL);
    assert_string_equal(plain, abc);
    write_secret(sealed, "ci", "realm");
    assert_int_equal(strlen(sealed), TOKEN_SECRET_MAX);
    assert_memory_equal(sealed, abc, TOKEN_HASH);
    assert_true(is(plain, "abc"));
    assert_true(is(sealed, "abc"));
    assert_false(is(sealed, "abd"));
    assert_false(is(sealed, sealed));
    for (size_t n = 0; n < TOKEN_HASH; n++) { /* every prefix */
        char cut[TOKEN_SECRET_MAX + 1];

        slice_copy(cut, sizeof(cut), slice_head(slice_str(sealed), n));
        assert_false(is(cut, "abc"));
    }
    plain[TOKEN_HASH - 1] = 'e';
    assert_false(is(plain, "abc"));
}

static void digest(void **state)
{
    char s[TOKEN_SECRET_MAX + 1], other[TOKEN_SECRET_MAX + 1];
    struct sip_ha1 want, got;
    struct slice secret;

    (void)state;
    sip_ha1_make(&want, SIP_DIGEST_MD5, SLICE("ci"), SLICE("realm"),
                 SLICE("abc"));
    write_secret(s, "ci", "realm");
    secret = slice_str(s);
    assert_true(slice_find_slice(secret, slice_of(want.hex, want.n)) ==
                secret.n); /* not as it is */
    assert_true(token_ha1(&got, guarded(secret), SLICE("ci"), key));
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.hex, want.hex, want.n);
    assert_true(token_ha1(&got, secret, SLICE("cj"), key));
    assert_memory_not_equal(got.hex, want.hex, want.n);
    assert_true(token_ha1(&got, secret, SLICE("ci"), other_key));
    assert_memory_not_equal(got.hex, want.hex, want.n);
    for (size_t n = 0; n < secret.n; n++)
        assert_false(token_ha1(&got, guarded(slice_head(secret, n)),
                               SLICE("ci"), key));
    write_secret(other, "cj", "realm"); /* no two have the same mask */
    assert_memory_not_equal(other + TOKEN_HASH, s + TOKEN_HASH, 33);
    s[TOKEN_SECRET_MAX - 1] = 'x';
    assert_false(token_ha1(&got, secret, SLICE("ci"), key));
    write_secret(s, "ci", NULL);
    assert_false(token_ha1(&got, slice_str(s), SLICE("ci"), key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),
        cmocka_unit_test(digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
