/* sip/xmlend: the end of an XML body */
#include "test/support.h"

#include "sip/xmlend.h"

static void ends(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t end;
    } cases[] = {
        { "plain", S("<a></a>"), 7 },
        { "text behind", S("<a>x</a>\r\n"), 8 },
        { "declaration", S("<?xml version=\"1.0\" ?>\n<a></a>"), 30 },
        { "byte order mark", S("\xef\xbb\xbf<a></a>"), 10 },
        { "comment", S("<!-- <b></a> --><a></a>"), 23 },
        { "attributes", S("<a b='c'>d</a>"), 14 },
        { "blank in the end tag", S("<a></a \n>"), 9 },
        { "longer name first", S("<a><ab></ab></a>"), 16 },
        { "prefix of the name", S("<ab><a></a></ab>"), 16 },
        { "empty element", S("<a b='c'/>"), 10 },
        { "two roots", S("<a></a><a></a>"), 7 },
        { "GB2312 text", S("<a>\xc9\xe3\xcf\xf1</a>"), 11 },
        { "open", S("<a><b></b>"), 0 },
        { "half an end tag", S("<a></a"), 0 },
        { "other case", S("<a></A>"), 0 },
        { "no XML", S("v=0"), 0 },
        { "nothing", S(""), 0 },
        { "only a declaration", S("<?xml ?>"), 0 },
        { "no name", S("<></>"), 0 },
        { "end first", S("</a>"), 0 },
        { "markup declaration", S("<!DOCTYPE a><a></a>"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = guarded(cases[i].in);
        size_t from = 0, end = 0, n;

        if (sip_xml_end(in) != cases[i].end)
            fail_msg("%s: %zu", cases[i].name, sip_xml_end(in));
        for (n = 0; n <= in.n && !end; n++) /* as it grows */
            end = sip_xml_end_from(guarded(slice_head(cases[i].in, n)),
                                   &from);
        if (end != cases[i].end || (end && n != end + 1))
            fail_msg("%s, byte by byte: %zu", cases[i].name, end);
    }
}

/* More white space than SIP_XML_BLANKS in an end tag makes it none. */
static void many_blanks(void **state)
{
    char text[256] = "<a></a";

    (void)state;
    memset(text + 6, ' ', SIP_XML_BLANKS - 1);
    text[6 + SIP_XML_BLANKS - 1] = '>';
    assert_int_equal(sip_xml_end(slice_of(text, 6 + SIP_XML_BLANKS)),
                     6 + SIP_XML_BLANKS);
    memset(text + 6, ' ', SIP_XML_BLANKS + 1);
    text[6 + SIP_XML_BLANKS + 1] = '>';
    assert_int_equal(sip_xml_end(slice_of(text, sizeof(text))), 0);
}

/* No root element within SIP_XML_PROLOG: what stands there is not taken for
 * one, whatever it is. */
static void long_prolog(void **state)
{
    static const char *const there[] = { "></a>", "/></a>", "<a></a>",
                                         "a></></a>" };
    char text[SIP_XML_PROLOG + 16];

    (void)state;
    for (size_t i = 0; i < COUNT(there); i++)
        for (size_t back = 0; back < 2; back++) {
            size_t from = 0, n = SIP_XML_PROLOG - back;

            memset(text, ' ', n);
            memcpy(text, "<!--", 4);
            memcpy(text + n, there[i], strlen(there[i]));
            n += strlen(there[i]);
            assert_int_equal(sip_xml_end_from(slice_of(text, n), &from), 0);
            assert_int_equal(from, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(many_blanks),
        cmocka_unit_test(long_prolog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
