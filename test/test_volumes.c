/* Several disks of recordings: where the next file goes, and what is said of a
 * disk that is full, fails, hangs, goes and comes back. */
#include "app/net/volumes.h"

#include "base/err.h"
#include "test/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uv_loop_t loop;
static struct volumes *v;
static char dir[3][64];
static uint64_t now_ms;

static void begin(uint64_t keep)
{
    char all[256];

    for (unsigned i = 0; i < 3; i++) {
        slice_copy(dir[i], sizeof(dir[i]), SLICE("/tmp/gb28181d-vol-XXXXXX"));
        assert_non_null(mkdtemp(dir[i]));
    }
    snprintf(all, sizeof(all), "%s, %s ,%s", dir[0], dir[1], dir[2]);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(volumes_new(&v, slice_str(all)), 0);
    assert_int_equal(volumes_count(v), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(volumes_dir(v, i), dir[i]);
    volumes_keep(v, keep);
    now_ms = 1000;
}

static void finish(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    volumes_free(v);
    assert_int_equal(uv_loop_close(&loop), 0);
    for (unsigned i = 0; i < 3; i++)
        rmdir(dir[i]);
}

/* A look at each that has come back. Does something have to go? */
static bool look(void)
{
    bool first = volumes_turn(v, &loop, now_ms);

    uv_run(&loop, UV_RUN_DEFAULT);
    now_ms += VOLUMES_ASK_MS;
    return volumes_turn(v, &loop, now_ms - VOLUMES_ASK_MS) || first;
}

static enum volume_state state_of(unsigned i)
{
    struct volume_view view;

    volumes_view(v, i, &view);
    return view.state;
}

static void expect_news(unsigned i, enum volume_state state)
{
    enum volume_state s;
    unsigned k;

    assert_true(volumes_news(v, &k, &s));
    assert_int_equal(k, i);
    assert_int_equal(s, state);
    assert_false(volumes_news(v, &k, &s));
}

static void lists(void **state)
{
    char text[3000];

    (void)state;
    assert_int_equal(volumes_new(&v, SLICE("")), GB_ESYNTAX);
    assert_int_equal(volumes_new(&v, SLICE("/a,")), GB_ESYNTAX);
    assert_int_equal(volumes_new(&v, SLICE("/a,,/b")), GB_ESYNTAX);
    assert_int_equal(volumes_new(&v, SLICE("1,2,3,4,5,6,7,8,9")), GB_ERANGE);
    memset(text, 'a', sizeof(text));
    assert_int_equal(volumes_new(&v, slice_of(text, VOLUME_DIR_MAX + 1)),
                     GB_ERANGE);
    assert_int_equal(volumes_new(&v, slice_of(text, VOLUME_DIR_MAX)), 0);
    volumes_free(v);
    assert_int_equal(volumes_new(&v, SLICE("1,2,3,4,5,6,7,8")), 0);
    assert_int_equal(volumes_count(v), VOLUMES_MAX);
    assert_string_equal(volumes_dir(v, 7), "8");
    assert_string_equal(volumes_dir(v, 8), "1");
    assert_ptr_equal(volumes_disk(v, 255), volumes_disk(v, 0));
    volumes_free(v);
    volumes_free(NULL);
}

static void one_that_fails(void **state)
{
    enum volume_state s;
    unsigned first, k;

    (void)state;
    begin(0);
    assert_false(look());
    assert_false(volumes_news(v, &k, &s));
    first = volumes_pick(v);
    volumes_failed(v, first, EIO);
    expect_news(first, VOLUME_GONE);
    assert_int_not_equal(volumes_pick(v), first);
    /* that it can be looked at does not mean that it works */
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(state_of(first), VOLUME_GONE);
        look();
    }
    look();
    expect_news(first, VOLUME_GOOD);
    volumes_failed(v, first, ENOSPC);
    expect_news(first, VOLUME_FULL);
    for (unsigned i = 0; i < 6; i++)
        assert_false(look()); /* others have room */
    expect_news(first, VOLUME_GOOD);
    volumes_failed(v, first, 0);
    volumes_failed(v, VOLUMES_MAX, EIO);
    assert_false(volumes_news(v, &k, &s));
    finish();
}

static void one_that_is_not_there(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(rmdir(dir[1]), 0);
    assert_false(look());
    expect_news(1, VOLUME_GONE);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_not_equal(volumes_pick(v), 1);
        volumes_failed(v, volumes_pick(v), EIO);
    }
    assert_int_equal(volumes_pick(v), 0); /* all are gone: any */
    assert_false(look());
    assert_int_equal(mkdir(dir[1], 0700), 0);
    look();
    assert_int_equal(state_of(1), VOLUME_GOOD);
    assert_int_equal(volumes_pick(v), 1);
    finish();
}

/* More is to stay free than there is: the oldest have to go, once for each look. */
static void all_full(void **state)
{
    (void)state;
    begin(UINT64_MAX);
    assert_true(look());
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(state_of(i), VOLUME_FULL);
    assert_false(volumes_turn(v, &loop, now_ms - VOLUMES_ASK_MS));
    assert_true(look());
    volumes_failed(v, 0, EIO);
    assert_true(look()); /* the others still are */
    assert_int_not_equal(volumes_pick(v), 0);
    volumes_keep(v, 0);
    assert_false(look());
    finish();
}

static uv_sem_t gate;

static void hang(struct disk_job *j)
{
    (void)j;
    uv_sem_wait(&gate);
}

static void hung(struct disk_job *j)
{
    (void)j;
}

static void one_that_hangs(void **state)
{
    static struct disk_job stuck[DISK_LOOKERS];

    (void)state;
    begin(0);
    look();
    assert_int_equal(uv_sem_init(&gate, 0), 0);
    for (unsigned i = 0; i < DISK_LOOKERS; i++) {
        stuck[i] = (struct disk_job){ .work = hang, .done = hung };
        disk_run(volumes_disk(v, 2), &loop, DISK_LOOK, &stuck[i]);
    }
    volumes_turn(v, &loop, now_ms += VOLUMES_ASK_MS);
    for (unsigned i = 0; i < 2 || disk_waiting(volumes_disk(v, 0), DISK_LOOK) ||
                         disk_waiting(volumes_disk(v, 1), DISK_LOOK); i++) {
        usleep(1000);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    volumes_turn(v, &loop, now_ms += VOLUMES_HANGS_MS);
    assert_int_equal(state_of(2), VOLUME_GOOD);
    volumes_turn(v, &loop, ++now_ms);
    expect_news(2, VOLUME_GONE);
    assert_int_not_equal(volumes_pick(v), 2);
    for (unsigned i = 0; i < DISK_LOOKERS; i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    expect_news(2, VOLUME_GOOD);
    volumes_close(v);
    now_ms += VOLUMES_ASK_MS;
    volumes_turn(v, &loop, now_ms);
    assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 0); /* none is asked */
    finish();
    uv_sem_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(one_that_fails),
        cmocka_unit_test(one_that_is_not_there),
        cmocka_unit_test(all_full),
        cmocka_unit_test(one_that_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
