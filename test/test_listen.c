/* All the sockets that a server listens on, on loopback. */
#include "test/support.h"

#include "app/net/listen.h"
#include "app/net/sockaddr.h"

#include <sys/socket.h>
#include <unistd.h>

static uv_loop_t loop;
static struct listen_set set;
static uv_tcp_t accepted;
static unsigned without_room, heard, closed;

static bool on_connection(void *ctx, uv_stream_t *h)
{
    assert_ptr_equal(ctx, &set);
    heard++;
    if (without_room) {
        without_room--;
        return false;
    }
    uv_tcp_init(&loop, &accepted);
    assert_int_equal(uv_accept(h, (uv_stream_t *)&accepted), 0);
    return true;
}

static void on_closed(void *ctx)
{
    assert_ptr_equal(ctx, &set);
    closed++;
}

static const struct listen_hooks hooks = { on_connection, on_closed, &set };

static struct gb_addr address(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(text)), 0);
    return a;
}

static int open_set(const struct gb_alloc *alloc, const struct gb_addr *a,
                    size_t n, size_t *failed)
{
    memset(&set, 0, sizeof(set));
    without_room = heard = closed = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    return listen_set_open(&set, &loop, alloc, &hooks, a, n, failed);
}

static void close_set(void)
{
    listen_set_close(&set);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int connected(struct gb_addr a)
{
    struct sockaddr_storage ss;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    sockaddr_of(&ss, &a, false);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss,
                             sizeof(struct sockaddr_in)), 0);
    return fd;
}

static void each_address_is_heard(void **state)
{
    struct gb_addr a[2] = { address("127.0.0.1"), address("127.0.0.2") };
    int fd[2];
    char c;

    (void)state;
    assert_int_equal(open_set(&gb_alloc_heap, a, 2, NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        struct gb_addr at = listen_set_addr(&set, i);

        assert_int_not_equal(at.port, 0);
        assert_true(gb_addr_ip_eq(&at, &a[i]));
    }
    assert_int_equal(listen_set_addr(&set, 2).port, 0);
    assert_int_equal(listen_set_addr(&set, LISTEN_MAX).port, 0);
    without_room = 1; /* for the first: it is closed */
    fd[0] = connected(listen_set_addr(&set, 0));
    while (heard < 1)
        uv_run(&loop, UV_RUN_ONCE);
    fd[1] = connected(listen_set_addr(&set, 1));
    while (heard < 2)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(recv(fd[0], &c, 1, 0), 0);
    uv_close((uv_handle_t *)&accepted, NULL);
    close_set();
    close(fd[0]);
    close(fd[1]);
}

static void one_that_is_taken(void **state)
{
    struct gb_addr a[2] = { address("127.0.0.1") };
    struct listen_set other = { 0 };
    size_t failed = 7;

    (void)state;
    assert_int_equal(open_set(&gb_alloc_heap, a, 1, &failed), 0);
    assert_int_equal(failed, 7);
    a[1] = listen_set_addr(&set, 0);
    assert_int_equal(listen_set_open(&other, &loop, &gb_alloc_heap, &hooks, a,
                                     2, &failed), UV_EADDRINUSE);
    assert_int_equal(failed, 1);
    listen_set_close(&other);
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(closed, 1);
    closed = 0;
    close_set();
}

static void too_many_and_none(void **state)
{
    struct gb_addr a[LISTEN_MAX + 1] = { { 0 } };

    (void)state;
    assert_int_equal(open_set(&gb_alloc_heap, a, LISTEN_MAX + 1, NULL),
                     GB_ELIMIT);
    close_set();
    assert_int_equal(open_set(&gb_alloc_heap, a, 0, NULL), 0);
    close_set();
}

static void no_memory(void **state)
{
    struct gb_addr a[2] = { address("127.0.0.1"), address("127.0.0.1") };
    int err = GB_ENOMEM;

    (void)state;
    for (unsigned long at = 1; err; at++) {
        struct failing_alloc f;

        failing_alloc_init(&f, at);
        err = open_set(&f.alloc, a, 2, NULL);
        assert_true(err == 0 || err == GB_ENOMEM);
        close_set();
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_is_heard),
        cmocka_unit_test(one_that_is_taken),
        cmocka_unit_test(too_many_and_none),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
