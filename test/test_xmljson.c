/* app/platform/xmljson: elements as JSON that a JSON reader takes */
#include "app/platform/xmljson.h"
#include "test/support.h"

#include <jansson.h>
#include <stdio.h>

static char memory[4 << 20];
static char out[1 << 20];

static const char *convert(struct slice xml)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct writer w = writer_of(out, sizeof(out) - 1);
    struct xml_doc doc;
    json_t *j;

    if (xml_parse(&doc, &a, xml, NULL, NULL))
        return "no XML";
    xmljson_write(&w, doc.root);
    if (w.err)
        return "too long";
    out[w.len] = '\0';
    j = json_loadb(out, w.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!j)
        fail_msg("no JSON: %s", out);
    json_decref(j);
    return out;
}

static void shapes(void **state)
{
    static const struct {
        struct slice xml;
        const char *want;
    } cases[] = {
        { S("<a/>"), "\"\"" },
        { S("<a> x </a>"), "\"x\"" },
        { S("<a><b>1</b><c><d>x</d></c><c/></a>"),
          "{\"b\":\"1\",\"c\":[{\"d\":\"x\"},\"\"]}" },
        { S("<a><b>1</b><c>2</c><b>3</b></a>"),
          "{\"b\":[\"1\",\"3\"],\"c\":\"2\"}" },
        { S("<a><b>\"\\&lt;&#9;门</b></a>"),
          "{\"b\":\"\\\"\\\\<\\u0009门\"}" },
        { S("<a n='1'><b m='2'>t</b></a>"), "{\"b\":\"t\"}" },
        { S("<a><b>1</b><Password>x</Password><c><WifiPASSWORD>y"
            "</WifiPASSWORD><d>2</d></c></a>"),
          "{\"b\":\"1\",\"c\":{\"d\":\"2\"}}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(convert(guarded(cases[i].xml)), cases[i].want);
}

/* Ten thousand names inside one element: some are left out, quickly. */
static void many_names(void **state)
{
    static char xml[400000];
    size_t n = 0;
    json_t *j;

    (void)state;
    n += (size_t)snprintf(xml, sizeof(xml), "<a>");
    for (unsigned i = 0; i < 10000; i++)
        n += (size_t)snprintf(xml + n, sizeof(xml) - n, "<n%u>1</n%u>", i, i);
    n += (size_t)snprintf(xml + n, sizeof(xml) - n, "</a>");
    j = json_loads(convert(slice_of(xml, n)), 0, NULL);
    assert_int_equal(json_object_size(j), XMLJSON_KEYS_MAX);
    json_decref(j);
}

/* Every shorter buffer is told. */
static void every_cut(void **state)
{
    static const struct slice xml =
        S("<a><b>1</b><c><d>x</d></c><c>\"</c></a>");
    struct arena a = arena_of(memory, sizeof(memory));
    struct xml_doc doc;
    size_t len;

    (void)state;
    len = strlen(convert(xml));
    assert_int_equal(xml_parse(&doc, &a, xml, NULL, NULL), 0);
    for (size_t cap = 0; cap <= len; cap++) {
        struct writer w = writer_of(out, cap);

        xmljson_write(&w, doc.root);
        assert_int_equal(w.err != 0, cap < len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(many_names),
        cmocka_unit_test(every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
