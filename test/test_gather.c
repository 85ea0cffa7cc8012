#include "test/support.h"

#include "app/net/gather.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* All pieces in their order, a full socket, and one that is gone. */
static void what_it_says(void **state)
{
    static char block[1 << 20];
    struct media_iov iov[GATHER_IOVS_MAX];
    char letters[GATHER_IOVS_MAX], got[GATHER_IOVS_MAX + 1];
    size_t sent = 1;
    int fd[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
    for (size_t i = 0; i < COUNT(iov); i++) {
        letters[i] = (char)('0' + i);
        iov[i] = (struct media_iov){ letters + i, 1 };
    }
    assert_int_equal(gather_write(fd[0], iov, COUNT(iov), &sent), 1);
    assert_int_equal(sent, COUNT(iov));
    assert_int_equal(read(fd[1], got, sizeof(got)), COUNT(iov));
    assert_memory_equal(got, letters, COUNT(iov));
    assert_int_equal(gather_write(fd[0], iov, 0, &sent), 1);
    assert_int_equal(sent, 0);
    iov[0] = (struct media_iov){ block, sizeof(block) };
    assert_int_equal(gather_write(fd[0], iov, 2, &sent), 0);
    assert_in_range(sent, 1, sizeof(block));
    while (gather_write(fd[0], iov, 1, &sent) == 0 && sent)
        continue;
    assert_int_equal(gather_write(fd[0], iov, 1, &sent), 0);
    assert_int_equal(sent, 0);
    close(fd[1]);
    assert_int_equal(gather_write(fd[0], iov, 1, &sent), -1);
    assert_int_equal(sent, 0);
    close(fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
