/* Connections to the SIP edge that nobody has registered over: what they may hold,
 * how long they stay, and who makes room. */
#include "test/sip_edge_world.h"

/* The head of a message whose body is to come. */
static size_t open_message(char *buf, size_t size)
{
    int n = snprintf(buf, size,
                     "MESSAGE sip:a@127.0.0.1 SIP/2.0\r\n"
                     "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKlong\r\n"
                     "From: <sip:b@127.0.0.1>;tag=1\r\n"
                     "To: <sip:a@127.0.0.1>\r\nCall-ID: long\r\n"
                     "CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 200000\r\n\r\n");

    return (size_t)n;
}

/* A body that a registered device may send is too much from a stranger. */
static void one_stranger_holds_little(void **state)
{
    static char body[200000];
    char head[512];
    size_t n = open_message(head, sizeof(head));

    (void)state;
    memset(body, 'x', sizeof(body));
    for (int trusted = 0; trusted < 2; trusted++) {
        int fd;

        begin(0, 0);
        fd = plain(0);
        say(fd, options, sizeof(options) - 1);
        assert_true(reaches(&requests, 1, 5000));
        assert_int_equal(of_server().strangers, 1);
        if (trusted) {
            sip_edge_trust(server, last_peer.connection);
            sip_edge_trust(server, last_peer.connection);
            assert_int_equal(of_server().strangers, 0);
        }
        say(fd, head, n);
        say(fd, body, sizeof(body));
        if (trusted)
            assert_true(reaches(&requests, 2, 5000));
        else
            expect_connections(0);
        assert_int_equal(requests, 1 + (unsigned)trusted);
        assert_int_equal(of_server().strangers_bytes, 0);
        assert_int_equal(of_server().cut, !trusted);
        close(fd);
        finish();
    }
}

/* Whoever has spoken and is not registered, or no longer, may not stay. */
static void idle_strangers_go(void **state)
{
    int known, stranger;
    uint64_t id;
    char buf[16];

    (void)state;
    strangers_idle_ms = 200;
    begin(0, 0);
    strangers_idle_ms = 0;
    known = plain(0);
    say(known, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    id = last_peer.connection;
    sip_edge_trust(server, id);
    stranger = plain(0);
    say(stranger, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 2, 5000));
    expect_end(stranger);
    expect_connections(1);
    assert_int_equal(of_server().strangers_cut, 1);
    while (read(known, buf, sizeof(buf)) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    unregistered = id;
    expect_end(known);
    expect_connections(0);
    assert_int_equal(of_server().strangers_cut, 2);
    unregistered = 0;
    close(known);
    close(stranger);
    finish();
}

/* All of them together: the one that holds most makes room, and whoever is
 * registered is left alone. */
static void strangers_share_their_memory(void **state)
{
    static char body[60000];
    char head[512], buf[16];
    size_t n = open_message(head, sizeof(head));
    int fd[6], known;

    (void)state;
    strangers_bytes = 256u << 10;
    begin(0, 0);
    strangers_bytes = 0;
    memset(body, 'x', sizeof(body));
    known = plain(0);
    say(known, options, sizeof(options) - 1);
    assert_true(reaches(&requests, 1, 5000));
    sip_edge_trust(server, last_peer.connection);
    say(known, head, n);
    say(known, body, sizeof(body));
    for (size_t i = 0; i < COUNT(fd); i++) {
        fd[i] = plain(0);
        if (i < 4)
            expect_connections((uint32_t)i + 2);
        say(fd[i], head, n);
        say(fd[i], body, sizeof(body));
        pass(100);
        assert_true(of_server().strangers_bytes <= 256u << 10);
    }
    assert_true(of_server().strangers_cut >= 2);
    assert_int_equal(of_server().cut, 0);
    expect_end(fd[0]); /* the oldest of equals */
    assert_int_equal(of_server().strangers, of_server().connections - 1);
    pass(50);
    while (read(known, buf, sizeof(buf)) > 0)
        continue; /* its 200 */
    assert_int_equal(errno, EAGAIN); /* still open */
    close(known);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    expect_connections(0);
    assert_int_equal(of_server().strangers_bytes, 0);
    assert_int_equal(of_server().strangers, 0);
    finish();
}

/* A full table is full of those who have registered: of the others the oldest
 * makes room. */
static void connections_are_limited(void **state)
{
    struct sip_edge_counters n;
    int fd[4];

    (void)state;
    begin(0, 3);
    for (size_t i = 0; i < COUNT(fd); i++) {
        fd[i] = plain(i % (1 + GB_TLS)); /* both kinds count */
        expect_connections(i < 3 ? (uint32_t)i + 1 : 3);
    }
    expect_end(fd[0]);
    for (size_t i = 1; i < COUNT(fd); i++)
        expect_open(fd[i]);
    sip_edge_counters(server, &n);
    assert_int_equal(n.connections, 3);
    assert_int_equal(n.strangers_cut, 1);
    assert_int_equal(n.refused, 0);
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    expect_connections(0);
    finish();
}

/* A connection that somebody has registered over. */
static int trusted(void)
{
    unsigned before = requests;
    int fd = plain(0);

    say(fd, options, sizeof(options) - 1);
    assert_true(reaches(&requests, before + 1, 5000));
    sip_edge_trust(server, last_peer.connection);
    return fd;
}

static void no_room_is_made_among_the_known(void **state)
{
    int fd[3];

    (void)state;
    begin(0, 2);
    fd[0] = trusted();
    fd[1] = trusted();
    fd[2] = plain(0);
    expect_end(fd[2]);
    expect_open(fd[0]);
    expect_open(fd[1]);
    assert_int_equal(of_server().refused, 1);
    assert_int_equal(of_server().strangers_cut, 0);
    close(fd[0]);
    expect_connections(1);
    close(fd[2]);
    fd[2] = plain(0); /* room again */
    expect_connections(2);
    close(fd[1]);
    close(fd[2]);
    finish();
}

/* One host does not get the whole table, and who registers is not counted. */
static void strangers_of_one_source(void **state)
{
    int fd[4];

    (void)state;
    strangers_per_source = 2;
    begin(0, 0);
    strangers_per_source = 0;
    fd[0] = trusted();
    fd[1] = plain(0);
    fd[2] = plain(0);
    expect_connections(3);
    fd[3] = plain(0);
    expect_end(fd[3]);
    assert_int_equal(of_server().refused, 1);
    assert_int_equal(of_server().strangers, 2);
    expect_open(fd[1]);
    close(fd[1]);
    expect_connections(2);
    close(fd[3]);
    fd[3] = trusted();
    expect_open(fd[2]);
    for (size_t i = 0; i < COUNT(fd); i++)
        if (i != 1)
            close(fd[i]);
    finish();
}

/* Nobody keeps a place by empty lines. */
static void strangers_do_not_live_by_pings(void **state)
{
    (void)state;
    for (int spoke = 0; spoke < 2; spoke++) {
        char buf[1000];
        ssize_t n = -1;
        int fd;

        strangers_idle_ms = 300;
        begin(0, 0);
        strangers_idle_ms = 0;
        fd = plain(0);
        if (spoke)
            say(fd, options, sizeof(options) - 1);
        for (unsigned i = 0; n && i < 100; i++) {
            if (write(fd, "\r\n\r\n", 4) < 0)
                break;
            pass(50);
            do
                n = read(fd, buf, sizeof(buf));
            while (n > 0);
        }
        assert_int_equal(of_server().connections, 0);
        assert_int_equal(of_server().strangers_cut, 1);
        close(fd);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stranger_holds_little),
        cmocka_unit_test(idle_strangers_go),
        cmocka_unit_test(strangers_share_their_memory),
        cmocka_unit_test(connections_are_limited),
        cmocka_unit_test(no_room_is_made_among_the_known),
        cmocka_unit_test(strangers_of_one_source),
        cmocka_unit_test(strangers_do_not_live_by_pings),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
