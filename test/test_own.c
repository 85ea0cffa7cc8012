#include "test/support.h"

#include "app/net/gather.h"
#include "app/net/own.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static struct own own;
static int fd[2];

static int setup(void **state)
{
    (void)state;
    own = (struct own){ 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd),
                     0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    own_fini(&own);
    close(fd[0]);
    return close(fd[1]);
}

static bool put(const char *text)
{
    struct writer w = own_writer(&own);

    writer_str(&w, text);
    return own_take(&own, &w);
}

/* Fills the socket with one byte again and again. */
static void fill(void)
{
    static const char junk[4096];

    while (write(fd[0], junk, sizeof(junk)) > 0)
        continue;
    while (write(fd[0], junk, 1) > 0)
        continue;
}

static void goes_in_order(void **state)
{
    char got[16] = "";
    size_t sent;

    (void)state;
    assert_false(own_is_pending(&own));
    assert_true(put("one "));
    assert_true(put("two"));
    assert_true(own_is_pending(&own));
    assert_int_equal(own_room(&own), OWN_MAX - 7);
    assert_int_equal(own_write(&own, fd[0], &sent), 1);
    assert_int_equal(sent, 7);
    assert_false(own_is_pending(&own));
    assert_null(own.p); /* nothing waits: no memory is held */
    assert_int_equal(read(fd[1], got, sizeof(got)), 7);
    assert_string_equal(got, "one two");
}

/* What does not fit is left out whole, and what waited still does. */
static void what_does_not_fit(void **state)
{
    static char long_[OWN_MAX];

    (void)state;
    memset(long_, 'x', sizeof(long_) - 1);
    assert_true(put("1"));
    assert_true(put(long_));
    assert_int_equal(own_room(&own), 0);
    assert_false(put("2"));
    assert_int_equal(own.len, OWN_MAX);
    own_fini(&own);
    assert_int_equal(own_room(&own), OWN_MAX);
    assert_true(put("2"));
}

/* A part has gone: the room of that part is there for what follows. */
static void a_part_goes(void **state)
{
    static char text[OWN_MAX], got[8192];
    size_t sent, sum = 0;
    ssize_t n;

    (void)state;
    memset(text, 'y', sizeof(text) - 1);
    text[0] = 'a';
    fill();
    assert_true(put(text));
    assert_int_equal(own_write(&own, fd[0], &sent), 0);
    assert_int_equal(sent, 0);
    own.off = 100; /* as if the socket had taken so many */
    assert_int_equal(own_room(&own), 101);
    assert_true(put("z"));
    assert_int_equal(own.len, OWN_MAX - 100);
    assert_int_equal(own.off, 0);
    while ((n = read(fd[1], got, sizeof(got))) > 0)
        continue;
    while (own_is_pending(&own)) {
        assert_true(own_write(&own, fd[0], &sent) >= 0);
        n = read(fd[1], got, sizeof(got));
        assert_true(n > 0);
        sum += (size_t)n;
    }
    assert_int_equal(sum, OWN_MAX - 100);
    assert_int_equal(got[n - 1], 'z');
    assert_int_equal(got[n - 2], 'y');
}

static void a_peer_that_is_gone(void **state)
{
    size_t sent;

    (void)state;
    assert_true(put("text"));
    shutdown(fd[0], SHUT_WR);
    assert_int_equal(own_write(&own, fd[0], &sent), -1);
    assert_int_equal(sent, 0);
    assert_true(own_is_pending(&own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
