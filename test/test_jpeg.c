/* Pictures by another program: scripts in place of ffmpeg that do well, fail, say
 * too much, take too long, or are not there. Real processes, short times. */
#include "app/net/jpeg.h"

#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <unistd.h>

#define TIME_MS 60000 /* of programs that end */
#define SHORT_MS 400  /* of those that do not */

static char dir[] = "/tmp/gb-test-jpeg-XXXXXX", script[64];
static uv_loop_t loop;
static unsigned done;
static struct jpeg_job *last;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    assert_non_null(mkdtemp(dir));
    snprintf(script, sizeof(script), "%s/ffmpeg", dir);
    return uv_loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    unlink(script);
    rmdir(dir);
    return uv_loop_close(&loop);
}

static void on_done(void *ctx, struct jpeg_job *job)
{
    (void)ctx;
    done++;
    jpeg_job_free(last);
    last = job;
}

static struct jpeg_job *job_new(size_t n)
{
    struct jpeg_job *job = calloc(1, sizeof(*job));

    job->frame = calloc(1, n);
    job->n_frame = n;
    job->on_done = on_done;
    return job;
}

/* One job through a program, at most time_ms; its err. */
static int run_for(uint32_t time_ms, const char *text, const char *program,
                   size_t frame)
{
    struct jpegs *j;
    unsigned before = done;

    if (text)
        write_script(script, text);
    assert_int_equal(jpegs_new(&j, &loop, program, time_ms), 0);
    assert_int_equal(jpegs_take(j, job_new(frame)), 0);
    assert_int_equal(done, before); /* not inside */
    while (done == before)
        uv_run(&loop, UV_RUN_ONCE);
    jpegs_close(j);
    uv_run(&loop, UV_RUN_DEFAULT);
    return last->err;
}

static int run(const char *text, const char *program, size_t frame)
{
    return run_for(TIME_MS, text, program, frame);
}

static void outcomes(void **state)
{
    static const struct {
        const char *name, *text;
        size_t frame;
        int err;
        const char *why;
    } cases[] = {
        { "well", "cat >/dev/null; printf '\\377\\330ok\\377\\331'", 100, 0, "" },
        { "a long frame", "n=$(wc -c); printf '\\377\\330'; echo $n", 500000, 0,
          "" },
        { "its input has an end", "cat >/dev/null; printf '\\377\\330xx'", 1, 0,
          "" },
        { "reads nothing", "printf '\\377\\330xx'", 500000, 0, "" },
        { "fails", "cat >/dev/null; echo 'no \"codec\"' >&2; exit 1", 100, GB_EIO,
          "no  codec  " },
        { "fails in silence", "exit 3", 100, GB_EIO, "failed" },
        { "no picture", "cat", 100, GB_EIO, "no JPEG" },
        { "nothing", "cat >/dev/null", 100, GB_EIO, "no JPEG" },
        { "too long", "sleep 20", 100, GB_EIO, "takes too long" },
        { "its child goes on", "sleep 2 & exec sleep 20", 100, GB_EIO,
          "takes too long" },
        { "too much", "exec yes", 100, GB_EIO, "too much" },
        { "says too much",
          "head -c 100000 /dev/zero | tr '\\0' e >&2; exit 1", 100, GB_EIO,
          "eeee" },
        { "killed", "kill -9 $$", 100, GB_EIO, "failed" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool is_long = !strcmp(cases[i].why, "takes too long");
        int err = run_for(is_long ? SHORT_MS : TIME_MS, cases[i].text, script,
                          cases[i].frame);

        if (err != cases[i].err || !strstr(last->why, cases[i].why))
            fail_msg("%s: %d %s", cases[i].name, err, last->why);
    }
    run("n=$(wc -c); printf '\\377\\330'; echo $n", script, 500000);
    assert_int_equal(last->n_picture, 9);
    assert_memory_equal(last->picture + 2, "500000\n", 7);
}

/* Nothing of ours is told to it, and it gets no other descriptor. */
static void what_it_gets(void **state)
{
    (void)state;
    setenv("GB28181D_SIP_PASSWORD", "secret", 1);
    assert_int_equal(run("cat >/dev/null; printf '\\377\\330'; env; "
                         "ls /proc/$$/fd | wc -l", script, 10), 0);
    assert_true(slice_find_slice(slice_of(last->picture, last->n_picture),
                                 SLICE("secret")) == last->n_picture);
    unsetenv("GB28181D_SIP_PASSWORD");
}

static void not_there(void **state)
{
    static char long_path[2000];

    (void)state;
    assert_int_equal(run(NULL, "/nonexistent/ffmpeg", 10), GB_EIO);
    assert_true(last->why[0] != '\0');
    memset(long_path, 'a', sizeof(long_path) - 1);
    assert_int_equal(jpegs_new(&(struct jpegs *){ NULL }, &loop, long_path, 0),
                     GB_ELIMIT);
}

/* So many wait; at the end all are told. */
static void limits(void **state)
{
    struct jpeg_job *one;
    struct jpegs *j;

    (void)state;
    write_script(script, "exec sleep 20");
    assert_int_equal(jpegs_new(&j, &loop, script, 60000), 0);
    for (unsigned i = 0; i < JPEG_RUNS_MAX + JPEG_WAITING_MAX; i++)
        assert_int_equal(jpegs_take(j, job_new(10)), 0);
    one = job_new(10);
    assert_int_equal(jpegs_take(j, one), GB_ELIMIT);
    jpeg_job_free(one);
    done = 0;
    jpegs_close(j);
    assert_int_equal(done, JPEG_WAITING_MAX);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done, JPEG_WAITING_MAX + JPEG_RUNS_MAX);
    assert_int_equal(last->err, GB_ESTATE);
    jpegs_close(NULL);
    jpeg_job_free(last);
    last = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(what_it_gets),
        cmocka_unit_test(not_there),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
