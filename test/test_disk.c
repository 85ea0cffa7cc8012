/* Threads of a disk: what hangs there holds up neither the loop nor what has
 * nothing to do with it. */
#include "app/net/disk.h"

#include "base/err.h"
#include "test/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 1000

static uv_loop_t loop;
static struct disk *disk;
static uv_sem_t gate; /* jobs that hang wait for it */
static atomic_uint hanging;

struct task {
    struct disk_job job;
    unsigned worked, done, order;
    uv_thread_t thread;
};

static atomic_uint worked;
static unsigned n_done;

static void begin(void)
{
    atomic_store(&worked, 0);
    atomic_store(&hanging, 0);
    n_done = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_sem_init(&gate, 0), 0);
    assert_int_equal(disk_new(&disk), 0);
}

static void finish(void)
{
    uv_run(&loop, UV_RUN_DEFAULT); /* it ends when all is done */
    assert_int_equal(disk_waiting(disk, DISK_WRITE), 0);
    assert_int_equal(disk_waiting(disk, DISK_LOOK), 0);
    disk_free(disk);
    uv_sem_destroy(&gate);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void work(struct disk_job *j)
{
    struct task *t = container_of(j, struct task, job);

    t->worked++;
    t->order = atomic_fetch_add(&worked, 1);
    t->thread = uv_thread_self();
}

static void hang(struct disk_job *j)
{
    atomic_fetch_add(&hanging, 1);
    uv_sem_wait(&gate);
    work(j);
}

static void done(struct disk_job *j)
{
    struct task *t = container_of(j, struct task, job);

    assert_int_equal(t->worked, 1);
    t->done++;
    n_done++;
}

static void run(struct disk *d, enum disk_lane lane, struct task *t,
                void (*fn)(struct disk_job *j))
{
    *t = (struct task){ .job = { .work = fn, .done = done } };
    disk_run(d, &loop, lane, &t->job);
}

static void every_job_is_done_once(void **state)
{
    static struct task t[MANY];
    uv_thread_t here = uv_thread_self();

    (void)state;
    begin();
    for (unsigned i = 0; i < MANY; i++)
        run(disk, i % 3 ? DISK_WRITE : DISK_LOOK, &t[i], work);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_done, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(t[i].done, 1);
        assert_false(uv_thread_equal(&t[i].thread, &here));
    }
    finish();
}

/* A job runs again from its done, as whoever writes piece by piece does. */
static unsigned again;

static void once_more(struct disk_job *j)
{
    if (++again < 50)
        disk_run(disk, &loop, DISK_WRITE, j);
}

static void one_after_the_other(void **state)
{
    struct task t = { .job = { .work = work, .done = once_more } };

    (void)state;
    begin();
    again = 0;
    disk_run(disk, &loop, DISK_WRITE, &t.job);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(t.worked, 50);
    finish();
}

static unsigned ticks;

static void on_tick(uv_timer_t *timer)
{
    if (++ticks == 20)
        uv_close((uv_handle_t *)timer, NULL);
}

/* All threads that write hang: the loop turns, the other lane and the other disk
 * go on; what was begun is finished when the disk comes back. */
static void a_disk_that_hangs(void **state)
{
    static struct task stuck[3 * DISK_WRITERS], look, other;
    struct disk *second;
    uv_timer_t timer;

    (void)state;
    begin();
    assert_int_equal(disk_new(&second), 0);
    for (unsigned i = 0; i < COUNT(stuck); i++)
        run(disk, DISK_WRITE, &stuck[i], hang);
    while (atomic_load(&hanging) < DISK_WRITERS)
        uv_sleep(1);
    ticks = 0;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_tick, 1, 1);
    run(disk, DISK_LOOK, &look, work);
    run(second, DISK_WRITE, &other, work);
    while (ticks < 20 || n_done < 2)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(look.done + other.done, 2);
    assert_int_equal(n_done, 2);
    assert_int_equal(disk_waiting(disk, DISK_WRITE), COUNT(stuck));
    assert_int_equal(atomic_load(&hanging), DISK_WRITERS);
    for (unsigned i = 0; i < COUNT(stuck); i++)
        uv_sem_post(&gate);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(n_done, 2 + COUNT(stuck));
    disk_free(second);
    finish();
}

static void nothing_to_do(void **state)
{
    (void)state;
    begin();
    finish();
    disk_free(NULL);
}

/* ---- what is done there --------------------------------------------------------- */

static void directories_and_bytes(void **state)
{
    char root[] = "/tmp/gb28181d-disk-XXXXXX", path[200], got[8];
    struct stat st;
    size_t n;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(root));
    n = strlen(root);
    snprintf(path, sizeof(path), "%s/a/b/c.mp4", root);
    for (int i = 0; i < 2; i++) { /* the second time they are there */
        assert_int_equal(disk_make_dirs(path, n), 0);
        assert_int_equal(strlen(path), n + strlen("/a/b/c.mp4"));
    }
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(disk_write_all(fd, "12345678", 8, 4), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 12);
    assert_true(disk_read_at(&fd, 4, got, 8));
    assert_memory_equal(got, "12345678", 8);
    assert_false(disk_read_at(&fd, 5, got, 8));
    assert_false(disk_read_at(&fd, UINT64_MAX, got, 1));
    close(fd);
    assert_int_equal(disk_write_all(fd, "1", 1, 0), EBADF);
    fd = open("/dev/full", O_WRONLY);
    if (fd >= 0) {
        assert_int_equal(disk_error(disk_write_all(fd, "1", 1, 0)), GB_ELIMIT);
        close(fd);
    }
    snprintf(path + strlen(path), 20, "/d/e"); /* below a file */
    assert_int_equal(disk_make_dirs(path, n), ENOTDIR);
    assert_int_equal(disk_error(ENOTDIR), GB_EIO);
    assert_int_equal(disk_error(0), 0);
    assert_int_equal(disk_error(ENOENT), GB_ENOENT);
    path[n + strlen("/a/b/c.mp4")] = '\0';
    for (char *p = path; p; p = strrchr(path, '/')) {
        if (p != path)
            *p = '\0';
        if (strlen(path) < n || remove(path))
            break;
    }
    assert_int_not_equal(access(root, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_done_once),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(a_disk_that_hangs),
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(directories_and_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
