#include "test/support.h"

#include "app/net/sockaddr.h"

#include <netinet/in.h>

static struct gb_addr address(const char *text)
{
    struct gb_addr a = { 0 };

    if (*text)
        assert_int_equal(gb_addr_parse(&a, slice_str(text), 0), 0);
    return a;
}

/* There and back; on a socket of both families IPv4 is mapped. */
static void there_and_back(void **state)
{
    static const struct {
        const char *addr;
        bool v6;
        int family;
        const char *back; /* NULL: the same */
    } cases[] = {
        { "192.0.2.7:5060", false, AF_INET, NULL },
        { "192.0.2.7:5060", true, AF_INET6, NULL },
        { "0.0.0.0:65535", false, AF_INET, NULL },
        { "[2001:db8::7]:5060", false, AF_INET6, NULL },
        { "[2001:db8::7]:5060", true, AF_INET6, NULL },
        { "", false, AF_INET, "0.0.0.0" },
        { "", true, AF_INET6, "[::]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_addr a = address(cases[i].addr), back;
        struct sockaddr_storage ss;
        socklen_t len = sockaddr_of(&ss, &a, cases[i].v6);
        char text[GB_ADDR_TEXT_MAX];

        assert_int_equal(ss.ss_family, cases[i].family);
        assert_int_equal(len, cases[i].family == AF_INET
                                  ? sizeof(struct sockaddr_in)
                                  : sizeof(struct sockaddr_in6));
        sockaddr_read(&back, (struct sockaddr *)&ss);
        gb_addr_text(&back, text);
        if (strcmp(text, cases[i].back ? cases[i].back : cases[i].addr) != 0)
            fail_msg("%s: %s", cases[i].addr, text);
    }
}

static void of_another_family(void **state)
{
    const struct sockaddr sa = { .sa_family = AF_UNIX };
    struct gb_addr a = address("192.0.2.7:5060");

    (void)state;
    sockaddr_read(&a, &sa);
    assert_int_equal(a.family, GB_NO_ADDR);
    assert_int_equal(a.port, 0);
}

/* On loopback each address is reached from itself, whatever the port. */
static void the_way_there(void **state)
{
    static const uint16_t ports[] = { 5060, 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(ports); i++) {
        struct gb_addr local = { 0 }, remote = { GB_IPV4, { 127, 0, 0, 1 },
                                                 ports[i] };

        assert_int_equal(sockaddr_route(&local, &remote), 0);
        assert_true(gb_addr_ip_eq(&local, &remote));
        assert_true(local.port != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(of_another_family),
        cmocka_unit_test(the_way_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
