/* app/secrets: the data directory: made once, kept, locked, and readable by
 * nobody else */
#include "test/support.h"

#include "app/folder.h"
#include "app/http/auth.h"
#include "app/secrets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[] = "/tmp/gb28181d-secrets-XXXXXX", dir[64], why[512];

static int setup(void **state)
{
    (void)state;
    memcpy(base + strlen(base) - 6, "XXXXXX", 6);
    if (!mkdtemp(base))
        return -1;
    snprintf(dir, sizeof(dir), "%s/data", base);
    return 0;
}

static int teardown(void **state)
{
    char path[512];
    struct dirent *e;
    DIR *d = opendir(dir);

    (void)state;
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
    rmdir(base);
    return 0;
}

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void made_once(void **state)
{
    static const char *const names[] = { "device-password", "admin-token",
                                         "admin-password.hash",
                                         "installation-key", "lock" };
    struct secrets a, b;
    struct stat st;

    (void)state;
    if (secrets_open(&a, dir, why))
        fail_msg("%s", why);
    assert_true(a.first_start);
    assert_int_equal(strlen(a.device_password), 12);
    assert_int_equal(strlen(a.admin_token), 40);
    assert_true(http_password_verify(slice_str(a.admin_hash),
                                     slice_str(a.new_admin_password)));
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    secrets_close(&a);
    assert_int_equal(secrets_open(&b, dir, why), 0);
    assert_false(b.first_start);
    assert_string_equal(b.new_admin_password, ""); /* shown once */
    assert_string_equal(b.device_password, a.device_password);
    assert_string_equal(b.admin_token, a.admin_token);
    assert_string_equal(b.admin_hash, a.admin_hash);
    assert_memory_equal(b.key, a.key, sizeof(a.key));
    secrets_close(&b);
}

static void one_process_a_directory(void **state)
{
    struct secrets a, b;

    (void)state;
    assert_int_equal(secrets_open(&a, dir, why), 0);
    assert_int_equal(secrets_open(&b, dir, why), GB_EEXIST);
    assert_non_null(strstr(why, "another gb28181d"));
    secrets_close(&a);
    assert_int_equal(secrets_open(&b, dir, why), 0);
    secrets_close(&b);
    secrets_close(&b); /* harmless */
}

/* What an operator has written himself is taken, without the line end. */
static void set_by_hand(void **state)
{
    struct secrets s;

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    put("device-password", "12345678 \r\n");
    assert_int_equal(secrets_open(&s, dir, why), 0);
    assert_string_equal(s.device_password, "12345678");
    assert_int_equal(strlen(s.admin_token), 40);
    secrets_close(&s);
    put("admin-token", "\n"); /* there, and none: it is not made anew */
    assert_int_equal(secrets_open(&s, dir, why), GB_EIO);
    assert_non_null(strstr(why, "admin-token: is empty"));
}

static void damaged_key(void **state)
{
    static const char *const keys[] = { "00", "zz", NULL };
    char text[80];

    (void)state;
    assert_int_equal(mkdir(dir, 0700), 0);
    memset(text, '0', 64);
    text[63] = 'g';
    text[64] = '\0';
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct secrets s;

        put("installation-key", keys[i] ? keys[i] : text);
        assert_int_equal(secrets_open(&s, dir, why), GB_EIO);
        assert_non_null(strstr(why, "/installation-key: "));
        assert_non_null(strstr(why, "put it back from a backup"));
    }
}

/* A start that failed has shown no password; the one that was shown stays. */
static void a_password_that_nobody_was_told(void **state)
{
    struct secrets a, b;
    char first[SECRETS_TEXT_MAX];

    (void)state;
    assert_int_equal(secrets_open(&a, dir, why), 0);
    snprintf(first, sizeof(first), "%s", a.new_admin_password);
    secrets_forget_untold(&a);
    secrets_close(&a);
    assert_int_equal(secrets_open(&b, dir, why), 0);
    assert_true(b.new_admin_password[0]);
    assert_string_not_equal(b.new_admin_password, first);
    assert_string_equal(b.device_password, a.device_password);
    secrets_close(&b);
    assert_int_equal(secrets_open(&b, dir, why), 0);
    assert_string_equal(b.new_admin_password, "");
    secrets_forget_untold(&b); /* it was shown long ago */
    secrets_close(&b);
    assert_int_equal(secrets_open(&b, dir, why), 0);
    assert_string_equal(b.new_admin_password, "");
    secrets_close(&b);
}

static void places_that_do_not_do(void **state)
{
    char long_path[2000];
    struct secrets s;

    (void)state;
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(secrets_open(&s, long_path, why), GB_EIO);
    assert_non_null(strstr(why, "too long"));
    assert_int_equal(secrets_open(&s, "/no/such/place", why), GB_EIO);
    assert_non_null(strstr(why, "cannot be made"));
    assert_non_null(strstr(why, "directory above it is missing"));
    assert_int_equal(secrets_open(&s, "/dev/null", why), GB_EIO);
    assert_string_equal(why, "/dev/null: a file is where a directory has to be: "
                             "move it away, or name another directory "
                             "(server.data)");
    assert_int_equal(secrets_open(&s, "/dev/null/data", why), GB_EIO);
    assert_non_null(strstr(why, "something above it is a file"));
    if (access("/proc/self", W_OK)) { /* of root it is known when a file is made */
        assert_int_equal(secrets_open(&s, "/proc/self", why), GB_EIO);
        assert_non_null(strstr(why, "cannot be written into"));
    }
}

/* One that is only read from. */
static void a_folder_of_others(void **state)
{
    (void)state;
    assert_int_equal(folder_look("/", "map.tiles", why), 0);
    assert_int_equal(folder_look("/no/such/place", "map.tiles", why), GB_ENOENT);
    assert_string_equal(why, "/no/such/place: there is no such directory: see to "
                             "it, or name another one (map.tiles)");
    assert_int_equal(folder_look("/dev/null", "map.tiles", why), GB_ENOENT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(made_once),   T(one_process_a_directory), T(set_by_hand),
        T(damaged_key), T(a_password_that_nobody_was_told),
        T(places_that_do_not_do), T(a_folder_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
