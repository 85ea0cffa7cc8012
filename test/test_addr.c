/* sip/addr: From, To, Contact, Route */
#include "test/support.h"

#include "sip/addr.h"

static void parses(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        struct slice display, user, params, tag;
        bool bracketed;
    } cases[] = {
        { "name-addr", S("<sip:a@b>;tag=1"), 0, S(""), S("a"), S("tag=1"),
          S("1"), true },
        { "bare", S("sip:a@b;tag=1;x"), 0, S(""), S("a"), S("tag=1;x"),
          S("1"), false },
        { "quoted display", S("\"A \\\" <B>\" <sip:a@b>"), 0,
          S("A \\\" <B>"), S("a"), S(""), S(""), true },
        { "token display", S("A B<sip:a@b>"), 0, S("A B"), S("a"), S(""),
          S(""), true },
        { "display with comma", S("B, A <sip:a@b>;tag=4"), 0, S("B, A"),
          S("a"), S("tag=4"), S("4"), true },
        { "blanks inside", S("< sip:a@b >"), 0, S(""), S("a"), S(""), S(""),
          true },
        { "blanks outside", S(" <sip:a@b> ;\r\n tag = 7 "), 0, S(""), S("a"),
          S("\r\n tag = 7"), S("7"), true },
        { "URI parameters stay inside", S("<sip:a@b;tag=no>;TAG=yes"), 0,
          S(""), S("a"), S("TAG=yes"), S("yes"), true },
        { "quoted parameter", S("<sip:a@b>;i=\"<urn:x;tag=1>\";tag=2"), 0,
          S(""), S("a"), S("i=\"<urn:x;tag=1>\";tag=2"), S("2"), true },
        { "bare with quoted parameter", S("sip:a@b;i=\"<x>\""), 0, S(""),
          S("a"), S("i=\"<x>\""), S(""), false },
        { "surplus semicolons", S("<sip:a@b>;;;"), 0, S(""), S("a"), S(";;"),
          S(""), true },
        { "GBK display", S("\"\xc9\xe3\xcf\xf1\" <sip:a@b>"), 0,
          S("\xc9\xe3\xcf\xf1"), S("a"), S(""), S(""), true },
        { "nothing", S(""), GB_ESYNTAX, S(""), S(""), S(""), S(""), false },
        { "display never ends", S("\"Mr <sip:a@b>"), GB_ESYNTAX, S(""),
          S(""), S(""), S(""), false },
        { "only display", S("\"Mr\""), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "parameter never ends", S("<sip:a@b>;tag=1;x=\"y;z"), GB_ESYNTAX,
          S(""), S(""), S(""), S(""), false },
        { "parameter never ends inside", S("<sip:a@b>;x=y\";tag=1"),
          GB_ESYNTAX, S(""), S(""), S(""), S(""), false },
        { "no >", S("<sip:a@b;tag=1"), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "text behind", S("<sip:a@b> x"), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "two", S("<sip:a@b>,<sip:c@d>"), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "empty brackets", S("<>"), GB_ESYNTAX, S(""), S(""), S(""), S(""),
          false },
        { "bare with ?", S("sip:a@b?x=y"), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "bare with comma", S("sip:a,c@b"), GB_ESYNTAX, S(""), S(""), S(""),
          S(""), false },
        { "broken URI", S("<a@b>"), GB_ESYNTAX, S(""), S(""), S(""), S(""),
          false },
        { "port", S("<sip:a@b:0>"), GB_ERANGE, S(""), S(""), S(""), S(""),
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_addr a = { 0 };
        int err = sip_addr_parse(&a, guarded(cases[i].in), NULL);

        if (err != cases[i].err || !slice_eq(a.display, cases[i].display) ||
            !slice_eq(a.uri.user, cases[i].user) ||
            !slice_eq(a.params, cases[i].params) ||
            !slice_eq(a.tag, cases[i].tag) ||
            a.bracketed != cases[i].bracketed)
            fail_msg("%s: %s, params <%.*s>", cases[i].name, gb_strerror(err),
                     SLICE_ARG(a.params));
    }
}

static void star(void **state)
{
    struct sip_addr a;

    (void)state;
    assert_int_equal(sip_addr_parse(&a, SLICE(" * "), NULL), 0);
    assert_true(a.is_star);
    assert_int_equal(sip_addr_parse(&a, SLICE("**"), NULL), GB_ESYNTAX);
}

static void where_it_is_wrong(void **state)
{
    struct sip_addr a;
    struct gb_diag d = { 0 };

    (void)state;
    assert_int_equal(sip_addr_parse(&a, SLICE("\"x\" <sip:a b@c>"), &d),
                     GB_ESYNTAX);
    assert_int_equal(d.off, 10);
}

static void params(void **state)
{
    struct sip_addr a;
    struct sip_param p;

    (void)state;
    assert_int_equal(sip_addr_parse(&a, SLICE("<sip:a@b>;expires=60;q=0.5"),
                                    NULL), 0);
    assert_true(sip_addr_param(&a, SLICE("Expires"), &p));
    assert_true(slice_eq(p.value, SLICE("60")));
    assert_false(sip_addr_param(&a, SLICE("tag"), &p));
}

static void writes(void **state)
{
    static const struct {
        const char *name;
        struct slice uri, tag;
        int err;
        const char *want;
    } cases[] = {
        { "plain", S("sip:a@b"), S("x1"), 0, "<sip:a@b>;tag=x1" },
        { "no tag", S("sip:a@b;lr"), S(""), 0, "<sip:a@b;lr>" },
        { "no URI", S(""), S("x"), GB_ESYNTAX, "" },
        { "bracket", S("sip:a@b>"), S("x"), GB_ESYNTAX, "" },
        { "line", S("sip:a@b\r\nX: y"), S("x"), GB_ESYNTAX, "" },
        { "tag with line", S("sip:a@b"), S("x\r\nX: y"), GB_ESYNTAX, "" },
        { "tag with parameter", S("sip:a@b"), S("x;y"), GB_ESYNTAX, "" },
        { "tag with comma", S("sip:a@b"), S("x,y"), GB_ESYNTAX, "" },
        { "NUL", S("sip:a\0@b"), S("x"), GB_ESYNTAX, "" },
    };
    char buf[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));

        sip_addr_write(&w, cases[i].uri, cases[i].tag);
        if (w.err != cases[i].err ||
            !slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),            cmocka_unit_test(star),
        cmocka_unit_test(where_it_is_wrong), cmocka_unit_test(params),
        cmocka_unit_test(writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
