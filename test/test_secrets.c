/* app/secrets: what is sealed opens for its owner alone */
#include "test/support.h"

#include "app/secrets.h"

#include <stdlib.h>

static const char who[] = "device/34020000001320000001";

static void seals_and_unseals(void **state)
{
    static const struct slice plain[] = {
        S(""), S("1"), S("12345678"), S("p\xc3\xa4ss w\xc3\xb6rd"),
        S("0123456789012345678901234567890123456789012345678901234567890123"),
    };
    struct secrets s = { .key = { 1, 2, 3 } }, other = { .key = { 9 } };

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        char sealed[SECRETS_SEALED_MAX], again[SECRETS_SEALED_MAX],
            buf[SECRETS_PLAIN_MAX];
        struct slice back;

        secrets_seal(&s, slice_str(who), plain[i], sealed);
        secrets_seal(&s, slice_str(who), plain[i], again);
        assert_true(secrets_unseal(&s, slice_str(who),
                                   guarded(slice_str(sealed)), buf, &back));
        assert_true(slice_eq(back, plain[i]));
        if (plain[i].n == 0) {
            assert_string_equal(sealed, "");
            continue;
        }
        assert_string_not_equal(sealed, again); /* a nonce each */
        assert_false(secrets_unseal(&s, SLICE("device/3402000000132000000"),
                                    slice_str(sealed), buf, &back));
        assert_int_equal(back.n, 0);
        assert_false(secrets_unseal(&other, slice_str(who), slice_str(sealed),
                                    buf, &back));
    }
}

/* Any changed digit, and any cut, is noticed. */
static void notices_changes(void **state)
{
    struct secrets s = { .key = { 1, 2, 3 } };
    char sealed[SECRETS_SEALED_MAX], buf[SECRETS_PLAIN_MAX];
    struct slice all, back;

    (void)state;
    secrets_seal(&s, slice_str(who), SLICE("12345678"), sealed);
    all = slice_str(sealed);
    for (size_t i = 0; i < all.n; i++) {
        char kept = sealed[i];

        sealed[i] = kept == '0' ? '1' : '0';
        assert_false(secrets_unseal(&s, slice_str(who), all, buf, &back));
        sealed[i] = 'x';
        assert_false(secrets_unseal(&s, slice_str(who), all, buf, &back));
        sealed[i] = kept;
    }
    for (size_t n = 1; n < all.n; n++)
        assert_false(secrets_unseal(&s, slice_str(who),
                                    guarded(slice_head(all, n)), buf, &back));
    assert_true(secrets_unseal(&s, slice_str(who), all, buf, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_unseals),
        cmocka_unit_test(notices_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
