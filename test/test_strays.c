/* app/net/strays: every file that has the name of a recording is told once, of all
 * disks, and nothing else that lies there. */
#include "app/net/strays.h"

#include "app/net/rolls.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define T0 INT64_C(1700000000000)
#define MANY (3 * STRAYS_BATCH + 7)
#define MAX_TOLD 1000
#define TEN "1234567890"
#define LONG_NAME TEN TEN TEN TEN TEN TEN TEN

static uv_loop_t loop;
static struct volumes *volumes;
static struct strays *strays;
static char root[64], dir[2][80];
static struct {
    unsigned volume;
    char device[STRAYS_NAME_MAX + 1], channel[STRAYS_NAME_MAX + 1];
    int64_t begin_utc_ms;
    bool settled;
} told[MAX_TOLD];
static size_t n_told;

static void on_found(void *ctx, const struct stray *s)
{
    assert_null(ctx);
    assert_true(n_told < MAX_TOLD);
    told[n_told].volume = s->volume;
    slice_copy(told[n_told].device, sizeof(told[0].device), s->device);
    slice_copy(told[n_told].channel, sizeof(told[0].channel), s->channel);
    told[n_told].begin_utc_ms = s->begin_utc_ms;
    told[n_told++].settled = s->settled;
}

static void begin(void)
{
    char both[200];

    slice_copy(root, sizeof(root), SLICE("/tmp/gb28181d-strays-XXXXXX"));
    assert_non_null(mkdtemp(root));
    for (unsigned i = 0; i < 2; i++) {
        snprintf(dir[i], sizeof(dir[i]), "%s/%u", root, i);
        assert_int_equal(mkdir(dir[i], 0700), 0);
    }
    snprintf(both, sizeof(both), "%s,%s", dir[0], dir[1]);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(volumes_new(&volumes, slice_str(both)), 0);
    assert_int_equal(
        strays_new(&strays, &(struct strays_config){ .main = &loop,
                                                     .volumes = volumes,
                                                     .on_found = on_found }),
        0);
    n_told = 0;
}

static void finish(void)
{
    char command[100];

    strays_free(strays);
    volumes_free(volumes);
    assert_int_equal(uv_loop_close(&loop), 0);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}

/* A file at this place, last written so long ago. */
static void put(unsigned volume, const char *path, int age_s)
{
    char full[ROLLS_PATH_MAX];
    struct timeval at[2];
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", dir[volume], path);
    assert_int_equal(disk_make_dirs(full, strlen(dir[volume])), 0);
    f = fopen(full, "w");
    assert_non_null(f);
    fclose(f);
    gettimeofday(&at[0], NULL);
    at[0].tv_sec -= age_s;
    at[1] = at[0];
    assert_int_equal(utimes(full, at), 0);
}

static void put_recording(unsigned volume, const char *channel,
                          int64_t begin_utc_ms, int age_s)
{
    char path[ROLLS_PATH_MAX];

    assert_true(rolls_path(path, "", SLICE("34020000001180000001"),
                           slice_str(channel), begin_utc_ms));
    put(volume, path + 1, age_s);
}

/* In so many goes. */
static unsigned walk_all(void)
{
    unsigned n = 0;

    for (; strays_walk(strays); n++) {
        assert_true(strays_is_walking(strays));
        assert_true(strays_walk(strays)); /* once is enough */
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_false(strays_is_walking(strays));
    }
    return n;
}

static void all_are_told(void **state)
{
    bool seen[MANY] = { false };

    (void)state;
    begin();
    for (unsigned i = 0; i < MANY; i++)
        put_recording(0, "34020000001320000001",
                      T0 + i * INT64_C(600000), 1000);
    put_recording(1, "34020000001320000002", T0, 1000);
    assert_in_range(walk_all(), 5, 20);
    assert_int_equal(n_told, MANY + 1);
    for (unsigned i = 0; i < MANY; i++) {
        int64_t k = (told[i].begin_utc_ms - T0) / 600000;

        assert_int_equal(told[i].volume, 0);
        assert_string_equal(told[i].device, "34020000001180000001");
        assert_string_equal(told[i].channel, "34020000001320000001");
        assert_true(told[i].settled && k >= 0 && k < MANY && !seen[k]);
        seen[k] = true;
    }
    assert_int_equal(told[MANY].volume, 1);
    assert_string_equal(told[MANY].channel, "34020000001320000002");
    finish();
}

/* One that is being written, by a clock of today or of another time. */
static void what_is_written_now(void **state)
{
    static const struct {
        int age_s;
        bool settled;
    } cases[] = {
        { 0, false }, { STRAYS_SETTLED_S - 20, false },
        { STRAYS_SETTLED_S + 20, true }, { 86400 * 365, true },
        { -20, false }, { -86400 * 365, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        put_recording(0, "c", T0, cases[i].age_s);
        walk_all();
        assert_int_equal(n_told, 1);
        assert_true(told[0].settled == cases[i].settled);
        finish();
    }
}

static void others_are_left_alone(void **state)
{
    static const char *const other[] = {
        "1700000000000.mp4", "d/1700000000000.mp4", "d/c/1700000000000.mp4",
        "d/c/20231114/e/1700000000000.mp4", "d/c/20231115/1700000000000.mp4",
        "d/c/20231114/1700000000000.mp4~", "d/c/20231114/01700000000000.mp4",
        "d/c/20231114/1700000000000.MP4", "d/c/20231114/x.mp4",
        "d/c/20231114/.1700000000000.mp4", "d/c/20231114/1700000000000",
        "d/c/20231114/1700000000000.mp4.mp4",
        "d/c/20231114/99999999999999999999.mp4", "d/.c/20231114/1700000000000.mp4",
        LONG_NAME "/c/20231114/1700000000000.mp4",
    };
    char at[200], to[200];

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(other); i++)
        put(0, other[i], 1000);
    put(0, "real/c/20231114/1700000000000.mp4", 1000);
    snprintf(to, sizeof(to), "%s/real", dir[0]);
    snprintf(at, sizeof(at), "%s/link", dir[0]);
    assert_int_equal(symlink(to, at), 0);
    snprintf(at, sizeof(at), "%s/d/c/20231114/1700000001000.mp4", dir[0]);
    assert_int_equal(symlink("/etc/passwd", at), 0);
    snprintf(at, sizeof(at), "%s/d/c/20231114/1700000002000.mp4", dir[0]);
    assert_int_equal(mkdir(at, 0700), 0);
    walk_all();
    assert_int_equal(n_told, 1);
    assert_string_equal(told[0].device, "real");
    finish();
}

/* A disk that is not there, and an end in the midst of it. */
static void disks_that_are_not_there(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rmdir(dir[0]), 0);
    put_recording(1, "c", T0, 1000);
    walk_all();
    assert_int_equal(n_told, 1);
    assert_int_equal(told[0].volume, 1);
    finish();

    begin();
    for (unsigned i = 0; i < MANY; i++)
        put_recording(0, "c", T0 + i, 1000);
    assert_true(strays_walk(strays));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_told, STRAYS_BATCH);
    finish(); /* its directories are open */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_told),
        cmocka_unit_test(what_is_written_now),
        cmocka_unit_test(others_are_left_alone),
        cmocka_unit_test(disks_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
