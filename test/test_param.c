/* sip/param: parameters and comma-joined lists */
#include "test/support.h"

#include "base/writer.h"
#include "sip/param.h"

static void params(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        char sep;
        const char *want; /* name[=value][q]| ... */
    } cases[] = {
        { "plain", S("a=b;c;d=e"), ';', "a=b|c|d=e|" },
        { "blanks", S(" a = b ; c ;\r\n d= e "), ';', "a=b|c|d=e|" },
        { "empty ones", S(";;a=b; ;;"), ';', "a=b|" },
        { "empty value", S("a=;b"), ';', "a=|b|" },
        { "quoted", S("a=\"b;c\";d"), ';', "a=b;cq|d|" },
        { "escaped quote", S("a=\"b\\\";c\";d"), ';', "a=b\\\";cq|d|" },
        { "escaped backslash", S("a=\"b\\\\\";d"), ';', "a=b\\\\q|d|" },
        { "quote never ends", S("a=\"b;d"), ';', "a=b;dq|" },
        { "lone quote", S("a=\""), ';', "a=q|" },
        { "empty quotes", S("a=\"\";b"), ';', "a=q|b|" },
        { "quote inside", S("a=x\"y;z\";b"), ';', "a=x\"y;z\"|b|" },
        { "commas", S("realm=\"a,b\", nonce=c,opaque = \"\""), ',',
          "realm=a,bq|nonce=c|opaque=q|" },
        { "base64 value", S("a=b==;c"), ';', "a=b==|c|" },
        { "IPv6", S("received=2001:db8::1;x=[::1]"), ';',
          "received=2001:db8::1|x=[::1]|" },
        { "nothing", S(""), ';', "" },
        { "white space", S(" \r\n\t"), ';', "" },
        { "no name", S("=x;b"), ';', "=x|b|" },
    };
    char buf[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = guarded(cases[i].in);
        struct writer w = writer_of(buf, sizeof(buf));
        struct sip_param p;

        while (sip_param_next(&rest, cases[i].sep, &p)) {
            writer_slice_put(&w, p.name);
            if (p.has_value)
                writer_char(&w, '=');
            writer_slice_put(&w, p.value);
            writer_str(&w, p.quoted ? "q|" : "|");
        }
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(writer_slice(&w)));
    }
}

static void find(void **state)
{
    struct slice in = SLICE("lr;Transport=tcp;x=\"tag=no\";TAG=yes;tag=2");
    struct sip_param p;

    (void)state;
    assert_true(sip_param_find(in, SLICE("tag"), &p));
    assert_true(slice_eq(p.value, SLICE("yes")));
    assert_true(sip_param_find(in, SLICE("lr"), &p));
    assert_false(p.has_value);
    assert_false(sip_param_find(in, SLICE("ttl"), &p));
}

static void lists(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        const char *want;
    } cases[] = {
        { "one", S(" a "), "a|" },
        { "three", S("a,b , c"), "a|b|c|" },
        { "folded", S("a,\r\n b"), "a|b|" },
        { "empty elements", S(",,a,, ,;,b,"), "a|b|" },
        { "quotes", S("\"a,b\" <x>,c"), "\"a,b\" <x>|c|" },
        { "brackets", S("<sip:a,b>;q=1,<c>"), "<sip:a,b>;q=1|<c>|" },
        { "quote in brackets", S("<a\",\">,b"), "<a\",\">|b|" },
        { "bracket in quotes", S("\"<\" <a>,b"), "\"<\" <a>|b|" },
        { "quote never ends", S("a,\"b,c"), "a|\"b,c|" },
        { "bracket never ends", S("a,<b,c"), "a|<b,c|" },
        { "nothing", S(""), "" },
        { "hollow", S(" ;; "), "" },
    };
    char buf[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = guarded(cases[i].in), elem;
        struct writer w = writer_of(buf, sizeof(buf));

        while (sip_list_cut(&rest, &elem)) {
            writer_slice_put(&w, elem);
            writer_char(&w, '|');
        }
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(writer_slice(&w)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params),
        cmocka_unit_test(find),
        cmocka_unit_test(lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
