/* app/secrets: what is sealed opens for its owner alone; what cannot be read is
 * not made anew */
#include "test/support.h"

#include "app/secrets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- the directory ---- */

static const char *const files[] = { "installation-key", "device-password",
                                     "admin-token", "admin-password.hash" };

struct dir {
    char path[64];
};

static struct dir make_dir(void)
{
    struct dir d = { "/tmp/gb-test-secrets-XXXXXX" };

    assert_non_null(mkdtemp(d.path));
    return d;
}

static void file_at(const struct dir *d, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", d->path, name);
}

static void put_file(const struct dir *d, const char *name, struct slice text)
{
    char path[128];
    FILE *f;

    file_at(d, name, path);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

static void let_go_of(const struct dir *d)
{
    char path[128];

    for (size_t i = 0; i < COUNT(files); i++) {
        file_at(d, files[i], path);
        if (unlink(path) != 0)
            rmdir(path);
    }
    file_at(d, "lock", path);
    if (unlink(path) != 0)
        rmdir(path);
    assert_int_equal(rmdir(d->path), 0); /* and nothing else is left there */
}

static void opens_and_opens_again(void **state)
{
    struct dir d = make_dir();
    struct secrets s, again, other;
    char why[WHY_MAX];

    (void)state;
    assert_int_equal(secrets_open(&s, d.path, why), 0);
    assert_true(s.first_start);
    assert_int_equal(strlen(s.new_admin_password), 16);
    assert_int_equal(secrets_open(&other, d.path, why), GB_EEXIST);
    assert_non_null(strstr(why, "another gb28181d"));
    secrets_close(&s);
    assert_int_equal(secrets_open(&again, d.path, why), 0);
    assert_false(again.first_start);
    assert_memory_equal(again.key, s.key, sizeof(s.key));
    assert_string_equal(again.device_password, s.device_password);
    assert_string_equal(again.admin_token, s.admin_token);
    assert_string_equal(again.admin_hash, s.admin_hash);
    secrets_close(&again);
    let_go_of(&d);
}

/* Whatever is wrong with one of them: it is named, and stays as it is. */
static void damaged_is_not_replaced(void **state)
{
    static char long_text[SECRETS_TEXT_MAX + 1];
    static const struct {
        const char *name;
        struct slice text;
        const char *why;
    } cases[] = {
        { "installation-key", S(""), "is empty" },
        { "installation-key", S("00ff\n"), "64 hexadecimal" },
        { "device-password", S(""), "is empty" },
        { "device-password", S(" \n\n"), "is empty" },
        { "device-password", S("one\ntwo\n"), "not one line" },
        { "device-password", { long_text, sizeof(long_text) }, "too long" },
        { "admin-token", S("\n"), "is empty" },
        { "admin-token", S("a\0b"), "not one line" },
        { "admin-password.hash", S(""), "is empty" },
        { "admin-password.hash", S("secret\n"), "no hash" },
    };

    (void)state;
    memset(long_text, 'a', sizeof(long_text));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dir d = make_dir();
        struct secrets s;
        char why[WHY_MAX], path[128];
        struct slice left;

        assert_int_equal(secrets_open(&s, d.path, why), 0);
        secrets_close(&s);
        put_file(&d, cases[i].name, cases[i].text);
        assert_int_equal(secrets_open(&s, d.path, why), GB_EIO);
        file_at(&d, cases[i].name, path);
        if (!strstr(why, path) || !strstr(why, cases[i].why) ||
            !strstr(why, "remove it"))
            fail_msg("%s: %s", cases[i].name, why);
        left = read_file(path);
        assert_true(slice_eq(left, cases[i].text));
        free((void *)(uintptr_t)left.p);
        let_go_of(&d);
    }
}

/* A directory in its place stands for every fault of the file system. */
static void unreadable_is_not_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i <= COUNT(files); i++) {
        const char *name = i < COUNT(files) ? files[i] : "lock";
        struct dir d = make_dir();
        char why[WHY_MAX], path[128];
        struct secrets s;
        struct stat st;

        file_at(&d, name, path);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(secrets_open(&s, d.path, why), GB_EIO);
        if (!strstr(why, path) || !strstr(why, "s a directory"))
            fail_msg("%s: %s", name, why);
        assert_true(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
        let_go_of(&d);
    }
}

/* The process has no descriptor left: what exists is what it was. */
static void too_many_open_files(void **state)
{
    struct dir d = make_dir();
    struct secrets s, after;
    struct rlimit was, few;
    char why[WHY_MAX];
    int next, err;

    (void)state;
    assert_int_equal(secrets_open(&s, d.path, why), 0);
    secrets_close(&s);
    next = dup(0);
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    few = was;
    few.rlim_cur = (rlim_t)next + 2; /* the directory and the lock */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    err = secrets_open(&after, d.path, why);
    setrlimit(RLIMIT_NOFILE, &was);
    assert_int_equal(err, GB_EIO);
    assert_non_null(strstr(why, "installation-key: cannot be opened: Too many"));
    assert_int_equal(secrets_open(&after, d.path, why), 0);
    assert_memory_equal(after.key, s.key, sizeof(s.key));
    assert_string_equal(after.admin_token, s.admin_token);
    secrets_close(&after);
    let_go_of(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_unseals),
        cmocka_unit_test(notices_changes),
        cmocka_unit_test(opens_and_opens_again),
        cmocka_unit_test(damaged_is_not_replaced),
        cmocka_unit_test(unreadable_is_not_replaced),
        cmocka_unit_test(too_many_open_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
