#include "test/support.h"

#include "sip/host.h"

/* What is taken, and what is left behind it. */
static void hosts(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        const char *host, *rest;
    } cases[] = {
        { "a name", S("nvr.example:5060"), 0, "nvr.example", ":5060" },
        { "IPv4", S("192.0.2.7;rport"), 0, "192.0.2.7", ";rport" },
        { "the end behind it", S("nvr"), 0, "nvr", "" },
        { "IPv6", S("[2001:db8::7]:5060"), 0, "[2001:db8::7]", ":5060" },
        { "IPv6 alone", S("[::1]"), 0, "[::1]", "" },
        { "nothing", S(""), 0, "", "" },
        { "no host", S(":5060"), 0, "", ":5060" },
        { "open brackets", S("[2001:db8::7"), GB_ESYNTAX, "", "" },
        { "one bracket", S("["), GB_ESYNTAX, "", "" },
        { "empty brackets", S("[]"), GB_ESYNTAX, "", "" },
        { "a name in brackets", S("[nvr]"), GB_ESYNTAX, "", "" },
        { "IPv4 in brackets", S("[192.0.2.7]"), GB_ESYNTAX, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = guarded(cases[i].in), host = { NULL, 0 };
        size_t at = 0;
        int err = sip_host_take(&host, in, &at);

        if (err != cases[i].err || (err && at))
            fail_msg("%s: %s, at %zu", cases[i].name, gb_strerror(err), at);
        if (err)
            continue;
        if (!slice_eq(host, slice_str(cases[i].host)) ||
            !slice_eq(slice_from(in, at), slice_str(cases[i].rest)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(host));
    }
}

static void ports(void **state)
{
    static const struct {
        struct slice in;
        int err;
        uint16_t port;
        size_t at;
    } cases[] = {
        { S("5060"), 0, 5060, 4 },
        { S("1;lr"), 0, 1, 1 },
        { S("65535"), 0, 65535, 5 },
        { S("065535 "), 0, 65535, 6 },
        { S("0"), GB_ERANGE, 7, 0 },
        { S("65536"), GB_ERANGE, 7, 0 },
        { S("4294972356"), GB_ERANGE, 7, 0 }, /* 5060 in 32 bits */
        { S(""), GB_ESYNTAX, 7, 0 },
        { S("+5060"), GB_ESYNTAX, 7, 0 },
        { S(" 5060"), GB_ESYNTAX, 7, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint16_t port = 7;
        size_t at = 0;
        int err = sip_port_take(&port, guarded(cases[i].in), &at);

        if (err != cases[i].err || port != cases[i].port || at != cases[i].at)
            fail_msg("\"%.*s\": %s, %u, at %zu", SLICE_ARG(cases[i].in),
                     gb_strerror(err), port, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
