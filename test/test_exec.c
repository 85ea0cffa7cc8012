/* Programs that are run for events: rows, what they get, limits, and ends. Real
 * processes, short times. */
#include "app/net/exec.h"

#include "test/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_MS 400

static char dir[] = "/tmp/gb-test-exec-XXXXXX", script[64], result[64];
static char lines[4096];
static uv_loop_t loop;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(dir));
    snprintf(script, sizeof(script), "%s/program", dir);
    snprintf(result, sizeof(result), "%s/result", dir);
    return uv_loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    unlink(script);
    unlink(result);
    rmdir(dir);
    return uv_loop_close(&loop);
}

static void on_line(void *ctx, enum platform_level level, const char *line)
{
    size_t n = strlen(lines);

    (void)ctx, (void)level;
    snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static uint32_t time_ms; /* of a program; 0: as long as any machine needs */

static struct execs *begin(const char *row)
{
    const struct execs_config cfg = { .loop = &loop, .time_ms = time_ms,
                                      .log = on_line };
    struct execs *x;

    lines[0] = '\0';
    assert_int_equal(execs_new(&x, &cfg), 0);
    assert_int_equal(execs_set(x, &row, 1), 0);
    return x;
}

static struct execs_counters until_idle(struct execs *x)
{
    struct execs_counters n;

    do {
        uv_run(&loop, UV_RUN_ONCE);
        execs_count(x, &n);
    } while (n.running || n.waiting);
    return n;
}

static void end(struct execs *x)
{
    execs_close(x);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void rows(void **state)
{
    static const struct {
        const char *row;
        bool good;
        unsigned kinds;
    } cases[] = {
        { "alarm /bin/true", true, 1u << HOOKS_ALARM },
        { " alarm+device  /bin/true  a b ", true,
          1u << HOOKS_ALARM | 1u << HOOKS_DEVICE },
        { "all /bin/true", true, (1u << HOOKS_TEST) - 1 },
        { "alarm true", false, 0 },       { "alarm", false, 0 },
        { "alarm ", false, 0 },           { "", false, 0 },
        { "thing /bin/true", false, 0 },  { "test /bin/true", false, 0 },
        { "alarm+ /bin/true", false, 0 }, { "/bin/true alarm", false, 0 },
        { "alarm /b 2 3 4 5 6 7 8 9 a b c d e f g", true,
          1u << HOOKS_ALARM },
        { "alarm /b 2 3 4 5 6 7 8 9 a b c d e f g h", false, 0 },
    };
    static char row[EXEC_ROW_MAX + 2] = "all /";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned kinds = 0;
        struct slice command;

        if (exec_row_parse(guarded(slice_str(cases[i].row)), &kinds,
                           &command) != cases[i].good ||
            (cases[i].good && kinds != cases[i].kinds))
            fail_msg("%s: %x", cases[i].row, kinds);
    }
    memset(row + 5, 'a', EXEC_ROW_MAX + 1 - 5);
    assert_false(exec_row_parse(slice_str(row), &(unsigned){ 0 },
                                &(struct slice){ 0 }));
}

/* The document, the words, the kind; no shell, nothing of ours. */
static void what_it_gets(void **state)
{
    char row[200], want[400];
    struct execs_counters n;
    struct execs *x;
    struct slice got;

    (void)state;
    write_script(script, "{ echo \"$#|$1|$2|$GB28181D_EVENT|$GB28181D_SIP_PASSWORD\"; "
                 "cat; } > \"$3\"; echo thrown away");
    setenv("GB28181D_SIP_PASSWORD", "secret", 1);
    snprintf(row, sizeof(row), "alarm+device %s $(id)  ;rm %s", script, result);
    x = begin(row);
    unsetenv("GB28181D_SIP_PASSWORD");
    assert_true(execs_want(x, HOOKS_ALARM));
    assert_false(execs_want(x, HOOKS_SESSION));
    execs_event(x, HOOKS_SESSION, SLICE("{}"));
    execs_event(x, HOOKS_ALARM, SLICE("{\"event\":\"alarm\"}"));
    n = until_idle(x);
    assert_int_equal(n.runs, 1);
    assert_int_equal(n.failed, 0);
    snprintf(want, sizeof(want), "3|$(id)|;rm|alarm|\n{\"event\":\"alarm\"}");
    got = read_file(result);
    if (!slice_eq(got, slice_str(want)))
        fail_msg("%.*s", SLICE_ARG(got));
    free((void *)(uintptr_t)got.p);
    assert_string_equal(lines, "");
    end(x);
}

static void failures(void **state)
{
    static const struct {
        const char *text, *why;
        uint32_t time_ms;
    } cases[] = {
        { "echo 'no \"such\" thing' >&2; exit 3", "why=\"no  such  thing", 0 },
        { "sleep 20", "takes too long", TIME_MS },
        { "kill -9 $$", "failed", 0 },
    };
    char row[100];
    struct execs *x;

    (void)state;
    snprintf(row, sizeof(row), "all %s", script);
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_script(script, cases[i].text);
        time_ms = cases[i].time_ms;
        x = begin(row);
        time_ms = 0;
        execs_event(x, HOOKS_DEVICE, SLICE("{}"));
        assert_int_equal(until_idle(x).failed, 1);
        if (!strstr(lines, cases[i].why) || !strstr(lines, "event=device"))
            fail_msg("%s: %s", cases[i].text, lines);
        end(x);
    }
    x = begin("all /nonexistent/program");
    execs_event(x, HOOKS_DEVICE, SLICE("{}"));
    assert_int_equal(until_idle(x).failed, 1);
    end(x);
}

/* So many run, so many wait; the rest is counted, and said once. An end in the
 * middle leaves nothing. */
static void limits(void **state)
{
    struct execs_counters n;
    char row[100] = "";
    struct execs *x;

    (void)state;
    write_script(script, "exec sleep 20");
    snprintf(row, sizeof(row), "all %s", script);
    x = begin(row);
    for (unsigned i = 0; i < EXEC_RUNS_MAX + EXEC_WAITING_MAX + 5; i++)
        execs_event(x, HOOKS_DEVICE, SLICE("{}"));
    execs_count(x, &n);
    assert_int_equal(n.running, EXEC_RUNS_MAX);
    assert_int_equal(n.waiting, EXEC_WAITING_MAX);
    assert_int_equal(n.dropped, 5);
    assert_int_equal(text_count(lines, "too slow"), 1);
    end(x);
    x = begin(row);
    execs_event(x, HOOKS_DEVICE, slice_of(row, sizeof(row)));
    end(x);
    execs_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(what_it_gets),
        cmocka_unit_test(failures),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
