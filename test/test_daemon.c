/* The parts joined: what a start makes of the data directory, what keeps it from
 * starting, and what signals do. Ports on loopback, a directory of its own. */
#include "test/daemon_world.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static unsigned reloads;

/* ---- a start ------------------------------------------------------------------------ */

static void on_reload(void *ctx)
{
    (void)ctx;
    reloads++;
}

/* Its folders are made; of what lies there, parts of downloads and uploads that are
 * nobody's go. SIGHUP is a reload, SIGTERM the end. */
static void starts_and_ends(void **state)
{
    char why[WHY_MAX] = "";
    struct daemon *d;

    (void)state;
    make_folder("downloads");
    make_folder("firmware");
    make_file("downloads/12.mp4.part");
    make_file("downloads/notes.txt");
    make_file("firmware/.part-1");
    make_file("firmware/notes.txt");
    if (daemon_new(&d, &config, &secrets, why))
        fail_msg("%s", why);
    assert_true(is_there("snapshots"));
    assert_true(is_there("gb28181d.db") == GB_SQLITE);
    assert_true(is_there("recordings") == GB_SQLITE);
    assert_false(is_there("downloads/12.mp4.part"));
    assert_true(is_there("downloads/notes.txt"));
    assert_false(is_there("firmware/.part-1"));
    assert_true(is_there("firmware/notes.txt"));
    reloads = 0;
    raise(SIGHUP);
    raise(SIGTERM);
    daemon_run(d, on_reload, take_over, d);
    assert_int_equal(reloads, 1);
    daemon_free(d);
}

/* What is switched off has no folder. */
static void without_folders(void **state)
{
    char why[WHY_MAX] = "";
    struct daemon *d;

    (void)state;
    set("download.max_gib=0");
    set("firmware.max_mib=0");
    set("snapshot.max_mib=0");
    if (daemon_new(&d, &config, &secrets, why))
        fail_msg("%s", why);
    assert_false(is_there("downloads"));
    assert_false(is_there("firmware"));
    assert_false(is_there("snapshots"));
    raise(SIGINT);
    daemon_run(d, on_reload, take_over, d);
    daemon_free(d);
}

/* ---- what keeps it from starting ----------------------------------------------------- */

/* In a child, since nothing is undone of a start that fails. */
static void expect_failure(const char *part)
{
    char why[WHY_MAX] = "";
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct daemon *d;
        int err = daemon_new(&d, &config, &secrets, why);

        if (write(ends[1], why, strlen(why)) < 0)
            err = 0;
        _exit(err == 0);
    }
    close(ends[1]);
    waitpid(pid, &status, 0);
    if (read(ends[0], why, sizeof(why) - 1) < 0 || status)
        fail_msg("it started, or died: %d", status);
    close(ends[0]);
    if (!text_has(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static int take_port(int type, uint16_t *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, type, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 1), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

/* Which port of which setting, and how to find who has it. */
static void ports_that_others_have(void **state)
{
    static const struct {
        const char *key, *what;
        int type;
    } cases[] = {
        { "sip.listen", "SIP port 127.0.0.1:%u", SOCK_DGRAM },
        { "http.listen", "HTTP port 127.0.0.1:%u", SOCK_STREAM },
        { "rtsp.listen", "RTSP port 127.0.0.1:%u", SOCK_STREAM },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char want[100];
        uint16_t port;
        int fd = take_port(cases[i].type, &port);

        listen_at(cases[i].key, port);
        snprintf(want, sizeof(want), cases[i].what, port);
        expect_failure(want);
        expect_failure("see `ss -lntup`");
        expect_failure(cases[i].key);
        listen_at(cases[i].key, test_port((unsigned)i));
        close(fd);
    }
}

/* Files and programs that are named, and are not there. */
static void what_is_named_has_to_be_there(void **state)
{
    static const struct {
        const char *set, *unset, *why; /* unset NULL: the next ones fail before that */
    } cases[] = {
        { "snapshot.ffmpeg=/no/such/program", "snapshot.ffmpeg=",
          "snapshot.ffmpeg: /no/such/program: No such file" },
        { "exec.run=all /no/such/program", "exec.run=",
          "/no/such/program: No such file" },
        { "http.listen=", NULL, "http.listen is empty" },
        { "sip.listen=", NULL, "sip.listen is empty" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        set(cases[i].set);
        expect_failure(cases[i].why);
        if (cases[i].unset)
            set(cases[i].unset);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(starts_and_ends), T(without_folders), T(ports_that_others_have),
        T(what_is_named_has_to_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
