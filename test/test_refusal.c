/* Connections that there is no room for, on loopback: each is closed, and the
 * listener hears the ones behind them. */
#include "test/support.h"

#include "app/net/refusal.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static uv_loop_t loop;
static uv_tcp_t listener, accepted;
static struct refusal refusal;
static unsigned no_room, heard, begun, done;

static void on_done(void *ctx)
{
    assert_ptr_equal(ctx, &refusal);
    done++;
}

static void on_connection(uv_stream_t *server, int status)
{
    assert_int_equal(status, 0);
    heard++;
    if (no_room) {
        no_room--;
        begun += refusal_take(&refusal, server);
        return;
    }
    uv_tcp_init(&loop, &accepted);
    assert_int_equal(uv_accept(server, (uv_stream_t *)&accepted), 0);
}

static int connected(void)
{
    struct sockaddr_in in;
    int len = sizeof(in), fd = socket(AF_INET, SOCK_STREAM, 0);

    uv_tcp_getsockname(&listener, (struct sockaddr *)&in, &len);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static void begin(unsigned without_room)
{
    struct sockaddr_in in = { .sin_family = AF_INET };

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    no_room = without_room;
    heard = begun = done = 0;
    refusal = (struct refusal){ .on_done = on_done, .ctx = &refusal };
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_tcp_init(&loop, &listener);
    assert_int_equal(uv_tcp_bind(&listener, (struct sockaddr *)&in, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 8, on_connection), 0);
}

static void turn(void)
{
    for (unsigned i = 0; i < 20; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static void the_next_one_is_heard(void **state)
{
    int fd[4];
    char c;

    (void)state;
    begin(3);
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = connected();
    turn();
    assert_int_equal(heard, 4);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(recv(fd[i], &c, 1, MSG_DONTWAIT), 0);
    assert_int_equal(recv(fd[3], &c, 1, MSG_DONTWAIT), -1);
    assert_true(begun >= 1);
    assert_int_equal(done, begun);
    uv_close((uv_handle_t *)&listener, NULL);
    uv_close((uv_handle_t *)&accepted, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
}

/* It ends with its listener. */
static void closed_on_the_way(void **state)
{
    int fd[3];

    (void)state;
    begin(3);
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = connected();
    for (unsigned i = 0; heard == 0 && i < 1000; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&listener, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done, begun);
    assert_int_equal(uv_loop_close(&loop), 0);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_one_is_heard),
        cmocka_unit_test(closed_on_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
