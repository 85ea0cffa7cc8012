/* app/sandbox: what the filter refuses, and what goes on behind it. Each case
 * is a process of its own, since nothing is ever given back. */
#include "app/sandbox.h"
#include "test/support.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNSUPPORTED 77

/* In a child behind the filter; its exit status, 0: as it should be. */
static int behind(bool programs, int (*what)(void))
{
    char why[WHY_MAX];
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(sandbox_filter(programs, why) ? UNSUPPORTED : what());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int is_refused(long rc)
{
    return rc == -1 && errno == EPERM ? 0 : 1;
}

static int runs_a_program(void)
{
    static char *const argv[] = { (char *)"/bin/true", NULL };

    execv(argv[0], argv);
    return is_refused(-1);
}

static int runs_a_shell(void)
{
    return system("exit 0") == 0; /* by posix_spawn: a clone of its own */
}

static int forks(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return is_refused(pid);
}

static int traces(void)
{
    return is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int mounts(void)
{
    return is_refused(mount("none", "/nowhere", "tmpfs", 0, NULL));
}

static int takes_a_namespace(void)
{
    return is_refused(unshare(CLONE_NEWUSER));
}

static int loads_a_module(void)
{
    return is_refused(syscall(SYS_finit_module, -1, "", 0));
}

static int sets_the_clock(void)
{
    struct timespec t = { 0 };

    return is_refused(clock_settime((clockid_t)-1, &t)); /* else EINVAL */
}

static void *one(void *ctx)
{
    return ctx;
}

static int goes_on(void)
{
    pthread_t t;
    void *got = NULL;
    int here, fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || pthread_create(&t, NULL, one, &here) ||
        pthread_join(t, &got))
        return 1;
    return close(fd) || got != &here;
}

static void filter(void **state)
{
    static const struct {
        const char *name;
        int (*what)(void);
    } cases[] = {
        { "a program", runs_a_program },   { "a shell", runs_a_shell },
        { "fork", forks },                 { "ptrace", traces },
        { "mount", mounts },               { "unshare", takes_a_namespace },
        { "a module", loads_a_module },    { "the clock", sets_the_clock },
        { "threads and sockets", goes_on },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int rc = behind(false, cases[i].what);

        if (rc == UNSUPPORTED)
            skip();
        if (rc)
            fail_msg("%s: %d", cases[i].name, rc);
    }
}

static int runs_one(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
        _exit(1);
    }
    return pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
           WEXITSTATUS(status) != 5;
}

/* Where programs are run, all else is refused as it was. */
static void filter_with_programs(void **state)
{
    static const struct {
        const char *name;
        int (*what)(void);
    } cases[] = {
        { "a program", runs_one },  { "ptrace", traces },
        { "mount", mounts },        { "unshare", takes_a_namespace },
        { "a module", loads_a_module }, { "the clock", sets_the_clock },
        { "threads and sockets", goes_on },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int rc = behind(true, cases[i].what);

        if (rc == UNSUPPORTED)
            skip();
        if (rc)
            fail_msg("%s: %d", cases[i].name, rc);
    }
}

/* ---- another user ---- */

static int become_nobody(void)
{
    char dir[] = "/tmp/gb28181-sandbox-XXXXXX", why[WHY_MAX];
    const struct passwd *nobody = getpwnam("nobody");
    struct stat st;
    int rc = 0;

    if (!nobody || !mkdtemp(dir))
        return UNSUPPORTED;
    if (sandbox_become("nobody", dir, why))
        rc = 1;
    else if (geteuid() != nobody->pw_uid || getegid() != nobody->pw_gid ||
             getgroups(0, NULL) != 0)
        rc = 2;
    else if (setuid(0) == 0)
        rc = 3; /* there is a way back */
    else if (stat(dir, &st) || st.st_uid != nobody->pw_uid)
        rc = 4;
    else if (sandbox_become("nobody", dir, why))
        rc = 5; /* it is already */
    else if (sandbox_become("root", dir, why) != GB_ESTATE)
        rc = 6;
    rmdir(dir);
    return rc;
}

static void another_user(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid = fork();
    if (pid == 0)
        _exit(become_nobody());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNSUPPORTED)
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void nobody_of_that_name(void **state)
{
    char why[WHY_MAX] = "";

    (void)state;
    assert_int_equal(sandbox_become("no-such-user-here", "/nowhere", why),
                     GB_ENOENT);
    assert_non_null(strstr(why, "no-such-user-here"));
    assert_int_equal(sandbox_become("4000000000", "/nowhere", why),
                     GB_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter),
        cmocka_unit_test(filter_with_programs),
        cmocka_unit_test(another_user),
        cmocka_unit_test(nobody_of_that_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
