/* base/addr */
#include "test/support.h"

#include "base/addr.h"

static void texts(void **state)
{
    static const struct {
        const char *name;
        struct slice in, out; /* out empty: refused */
    } cases[] = {
        { "v4", S("192.0.2.1"), S("192.0.2.1:5060") },
        { "v4 with port", S("192.0.2.1:7000"), S("192.0.2.1:7000") },
        { "v6", S("[2001:db8::1]"), S("[2001:db8::1]:5060") },
        { "v6 with port", S("[2001:DB8:0:0::1]:7"), S("[2001:db8::1]:7") },
        { "all zero", S("[::]"), S("[::]:5060") },
        { "loopback", S("[::1]"), S("[::1]:5060") },
        { "trailing gap", S("[1::]"), S("[1::]:5060") },
        { "longest run", S("[1:0:0:2:0:0:0:3]"), S("[1:0:0:2::3]:5060") },
        { "first run on a tie", S("[1:0:0:2:3:0:0:4]"),
          S("[1::2:3:0:0:4]:5060") },
        { "one zero group stays", S("[1:0:2:3:4:5:6:7]"),
          S("[1:0:2:3:4:5:6:7]:5060") },
        { "mapped folds to v4", S("[::ffff:192.0.2.9]:5070"),
          S("192.0.2.9:5070") },
        { "mapped in hex", S("[::ffff:c000:209]"), S("192.0.2.9:5060") },
        { "port in the brackets", S("[2001:db8::9:5070]"),
          S("[2001:db8::9:5070]:5060") },
        { "v4 in brackets", S("[192.0.2.1]"), S("") },
        { "three colons", S("[2001:db8:::1]"), S("") },
        { "two gaps", S("[1::2::3]"), S("") },
        { "nine groups", S("[1:2:3:4:5:6:7:8:9]"), S("") },
        { "seven groups", S("[1:2:3:4:5:6:7]"), S("") },
        { "five digits", S("[12345::]"), S("") },
        { "zone id", S("[fe80::1%eth0]"), S("") },
        { "no bracket", S("[::1"), S("") },
        { "no port behind colon", S("[::1]:"), S("") },
        { "port 0", S("[::1]:0"), S("") },
        { "port too large", S("192.0.2.1:65536"), S("") },
        { "port with letters", S("192.0.2.1:5060x"), S("") },
        { "octet too large", S("192.0.2.256"), S("") },
        { "three octets", S("192.0.2"), S("") },
        { "five octets", S("192.0.2.1.1"), S("") },
        { "a name", S("example.com"), S("") },
        { "empty", S(""), S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_addr a;
        char buf[GB_ADDR_TEXT_MAX];
        int err = gb_addr_parse(&a, guarded(cases[i].in), 5060);

        if (!err != (cases[i].out.n > 0) ||
            (!err && !slice_eq(slice_str(gb_addr_text(&a, buf)), cases[i].out)))
            fail_msg("%s: %s", cases[i].name, err ? gb_strerror(err) : buf);
    }
}

static struct gb_addr ip(const char *s)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(s)), 0);
    return a;
}

static void kinds(void **state)
{
    static const struct {
        const char *ip;
        bool private, loopback, any;
    } cases[] = {
        { "10.1.2.3", true, false, false },
        { "9.255.255.255", false, false, false },
        { "11.0.0.0", false, false, false },
        { "172.15.255.255", false, false, false },
        { "172.16.0.0", true, false, false },
        { "172.31.0.1", true, false, false },
        { "172.32.0.1", false, false, false },
        { "192.168.0.1", true, false, false },
        { "192.169.0.1", false, false, false },
        { "100.63.255.255", false, false, false },
        { "100.64.0.1", true, false, false },
        { "100.127.255.255", true, false, false },
        { "100.128.0.0", false, false, false },
        { "169.253.255.255", false, false, false },
        { "169.254.1.1", true, false, false },
        { "169.255.0.0", false, false, false },
        { "127.0.0.1", true, true, false },
        { "8.8.8.8", false, false, false },
        { "0.0.0.0", false, false, true },
        { "::", false, false, true },
        { "::1", true, true, false },
        { "fd00::1", true, false, false },
        { "fe80::1", true, false, false },
        { "febf::1", true, false, false },
        { "fec0::1", false, false, false },
        { "2001:db8::1", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gb_addr a = ip(cases[i].ip);

        if (gb_addr_is_private(&a) != cases[i].private ||
            gb_addr_is_loopback(&a) != cases[i].loopback ||
            gb_addr_is_any(&a) != cases[i].any)
            fail_msg("%s", cases[i].ip);
    }
}

static void nets(void **state)
{
    struct gb_addr net = ip("192.0.2.128"), a = ip("192.0.2.200");
    struct gb_addr six = ip("2001:db8::1");

    (void)state;
    assert_true(gb_addr_in_net(&a, &net, 25));
    assert_false(gb_addr_in_net(&a, &net, 26));
    assert_true(gb_addr_in_net(&a, &net, 0));
    assert_false(gb_addr_in_net(&a, &net, 33));
    assert_false(gb_addr_in_net(&six, &net, 0));
    assert_true(gb_addr_in_net(&six, &six, 128));
    assert_false(gb_addr_eq(&a, &net));
    a.port = 1;
    net = a;
    net.port = 2;
    assert_true(gb_addr_ip_eq(&a, &net));
    assert_false(gb_addr_eq(&a, &net));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(kinds),
        cmocka_unit_test(nets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
