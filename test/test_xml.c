/* The XML reader (manscdp/xml.c, manscdp/repair.c): repair, salvage, limits; and the writer. */
#include "test/support.h"

#include "manscdp/xml.h"
#include "test/xmlview.h"

#include <stdlib.h>

static char memory[4 << 20];
static char view_bytes[1 << 16];

/* The tree of in as text, or the error's name. */
static struct slice view_of(struct slice in, const struct xml_limits *limits)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct writer w = writer_of(view_bytes, sizeof(view_bytes));
    struct xml_doc doc;
    struct gb_diag diag;
    int err = xml_parse(&doc, &a, in, limits, &diag);

    assert_int_equal(a.cap, sizeof(memory));
    if (err) {
        assert_true(diag.off <= in.n && diag.why);
        assert_int_equal(a.used, 0);
        writer_f(&w, "%s", gb_strerror(err));
    } else {
        xmlview_write(&w, &doc);
    }
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void trees(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        const char *want;
    } cases[] = {
        { "smallest", S("<a/>"), "charset US-ASCII\na\n" },
        { "text and attributes",
          S("<?xml version=\"1.0\"?>\r\n<a N=\"1\" m='x y' k=3 z>\r\n"
            "<b> Catalog </b><c/></a>\r\n"),
          "charset US-ASCII\na @N='1' @m='x y' @k='3' @z=''\n"
          "  b 'Catalog'\n  c\n" },
        { "declaration with blanks and a BOM",
          S("\xef\xbb\xbf  <?xml version=\"9\" standalone=\"yes\" ?>\n<a/>"),
          "charset UTF-8\na\n" },
        { "entities", S("<a>&lt;&amp;&#65;&#x4e2d;&quot;</a>"),
          "charset US-ASCII\na '<&A\xe4\xb8\xad\"'\n" },
        { "raw ampersand", S("<a>A & B &nbsp; &x;</a>"),
          "charset US-ASCII repaired\na 'A & B &nbsp; &x;'\n" },
        { "raw less-than", S("<a>1 < 2 <3 <\xe4\xb8\xad> <<b>x</b></a>"),
          "charset UTF-8 repaired\na '1 < 2 <3 <\xe4\xb8\xad> <'\n  b 'x'\n" },
        { "half a tag as text", S("<a>gate <b </a>"),
          "charset US-ASCII repaired\na 'gate <b'\n" },
        { "control characters", S("<a>x\x01y\0z\x1f</a>"),
          "charset US-ASCII repaired\na 'xyz'\n" },
        { "reference to a control character", S("<a>x&#1;y&#0;&#x110000;</a>"),
          "charset US-ASCII repaired\na 'x?y?"
          "?'\n" },
        { "garbage behind the root", S("<a/>\0\0\r\nfoo<b>"),
          "charset US-ASCII\na\n" },
        { "garbage before the root", S("\0\0 x<a/>"),
          "charset US-ASCII repaired\na\n" },
        { "end tag in another case", S("<Name>x</name>"),
          "charset US-ASCII repaired\nName 'x'\n" },
        { "prefixes of namespaces",
          S("<gb:a xmlns:gb=\"urn:x\"><gb:b>1</gb:b><c:/><:d/></a >"),
          "charset US-ASCII\na @xmlns:gb='urn:x'\n  b '1'\n  c:\n  d\n" },
        { "blank in an end tag", S("<a><b>x</ b></ a>"),
          "charset US-ASCII\na\n  b 'x'\n" },
        { "comment and CDATA", S("<a>x<!-- <b> -->y<![CDATA[<&]]></a>"),
          "charset US-ASCII\na 'xy<&'\n" },
        { "text around a child", S("<a>x<b/>y</a>"),
          "charset US-ASCII\na 'xy'\n  b\n" },
        { "raw ampersand in an attribute", S("<a t=\"x&y&lt;\"/>"),
          "charset US-ASCII repaired\na @t='x&y<'\n" },
        { "an attribute twice", S("<a n=\"1\" b=2 N=\"3\"/>"),
          "charset US-ASCII\na @n='1' @b='2'\n" },
        { "GBK declared UTF-8",
          S("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xb4\xf3</a>"),
          "charset GB18030\na '\xe5\xa4\xa7'\n" },
        { "UTF-8 declared GB2312",
          S("<?xml version=\"1.0\" encoding=\"GB2312\"?><a>\xe5\xa4\xa7</a>"),
          "charset UTF-8\na '\xe5\xa4\xa7'\n" },
        { "name cut in the middle of a character", S("<a>\xb4\xf3\xbb</a>"),
          "charset GB18030\na '\xe5\xa4\xa7'\n" },
        { "empty", S(""), "malformed input" },
        { "no XML", S("v=0\r\no=- 0 0 IN IP4 x\r\n"), "malformed input" },
        { "no end", S("<a><b>x</b>"), "malformed input" },
        { "the root's end tag is cut off", S("<Abc>\r\n<b>x</b>\r\n</aB"),
          "charset US-ASCII repaired\nAbc\n  b 'x'\n" },
        { "and nearly all of it", S("<a><b>x</b></"),
          "charset US-ASCII repaired\na\n  b 'x'\n" },
        { "but for its '>'", S("<a><b>x</b></a \r\n"),
          "charset US-ASCII repaired\na\n  b 'x'\n" },
        { "another one's", S("<a><b>x</b></b"), "malformed input" },
        { "more than its name", S("<a><b>x</b></ab"), "malformed input" },
        { "a value is cut off, too", S("<a><b>x</"), "malformed input" },
        { "crossed", S("<a><b></a></b>"), "malformed input" },
        { "DTD", S("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
          "malformed input" },
        { "entity definition inside", S("<a><!ENTITY b \"c\"></a>"),
          "malformed input" },
        { "DTD in front of items",
          S("<a><CmdType>Catalog</CmdType><Item><!doctype x></Item></a>"),
          "malformed input" },
        { "unclosed comment", S("<a><!-- </a>"), "malformed input" },
        { "unclosed CDATA", S("<a><![CDATA[ </a>"), "malformed input" },
        { "unclosed declaration", S("<?xml <a/>"), "malformed input" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice got = view_of(guarded(cases[i].in), NULL);

        if (!slice_eq(got, slice_str(cases[i].want)))
            fail_msg("%s: got\n%.*s", cases[i].name, SLICE_ARG(got));
    }
}

static void salvaged(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        const char *want;
    } cases[] = {
        { "a broken item costs itself alone",
          S("<R><CmdType>Catalog</CmdType><SumNum>3</SumNum>"
            "<DeviceList Num=\"3\"><Item><DeviceID>1</DeviceID></Item>"
            "<Item><DeviceID>2</DeviceID><Name>x</Nam></Item>"
            "<Item><DeviceID>3</DeviceID></Item></DeviceList></R>"),
          "charset US-ASCII repaired salvaged broken 1 at 102\n"
          "R\n  CmdType 'Catalog'\n  SumNum '3'\n  DeviceList\n"
          "    Item\n      DeviceID '1'\n    Item\n      DeviceID '3'\n" },
        { "an item without an end",
          S("<R><CmdType>Catalog</CmdType><L><Item><DeviceID>1</DeviceID>"
            "<Item><DeviceID>2</DeviceID></Item></L></R>"),
          "charset US-ASCII repaired salvaged broken 1 at 32\n"
          "R\n  CmdType 'Catalog'\n  L\n    Item\n      DeviceID '2'\n" },
        { "cut in the second item",
          S("<R CmdType=\"Catalog\"><L><Item><a>1</a></Item><Item><a>2<"),
          "charset US-ASCII repaired salvaged broken 1 at 45\n"
          "R @CmdType='Catalog'\n  L\n    Item\n      a '1'\n" },
        { "an offset in GBK text",
          S("<R><CmdType>x</CmdType><N>\xb4\xf3\xbb\xaa</N>"
            "<Item></x></Item></R>"),
          "charset GB18030 repaired salvaged broken 1 at 34\n"
          "R\n  CmdType 'x'\n"
          "  N '\xe5\xa4\xa7\xe5\x8d\x8e'\n  DeviceList\n" },
        { "no items, but an end", S("<R><CmdType>x</CmdType><b></R>"),
          "charset US-ASCII repaired salvaged\nR\n  CmdType 'x'\n" },
        { "no items and no end", S("<R><CmdType>x</CmdType>"),
          "malformed input" },
        { "items without a CmdType", S("<R><Item></R>"), "malformed input" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice got = view_of(guarded(cases[i].in), NULL);

        if (!slice_eq(got, slice_str(cases[i].want)))
            fail_msg("%s: got\n%.*s", cases[i].name, SLICE_ARG(got));
    }
}

/* n times begin, then end as often. */
static struct slice repeated(const char *begin, const char *end, unsigned n)
{
    static char text[1 << 20];
    struct writer w = writer_of(text, sizeof(text));

    for (unsigned i = 0; i < n; i++)
        writer_str(&w, begin);
    for (unsigned i = 0; i < n && end; i++)
        writer_str(&w, end);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static int parse(struct slice in, const struct xml_limits *limits)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct xml_doc doc;

    return xml_parse(&doc, &a, in, limits, NULL);
}

/* UTF-16: its tree is in the arena, and stays when the body is gone. */
static void wide_bodies(void **state)
{
    static const struct {
        struct slice in;
        int err;
        bool wide;
    } cases[] = {
        { S("\xff\xfe<\0a\0>\0\x27\x59<\0/\0a\0>\0"), 0, true },
        { S("\0<\0a\0>\x59\x27\0<\0/\0a\0>"), 0, true },
        { S("<a>\xe5\xa4\xa7</a>"), 0, false },
        { S("\xff\xfe"), GB_ESYNTAX, false },
        { S("<\0a\0"), GB_ESYNTAX, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = arena_of(memory, sizeof(memory));
        char body[64];
        struct slice in = { body, cases[i].in.n };
        struct xml_doc doc;
        int err;

        memcpy(body, cases[i].in.p, in.n);
        err = xml_parse(&doc, &a, in, NULL, NULL);
        if (err != cases[i].err)
            fail_msg("%zu: %s", i, gb_strerror(err));
        assert_int_equal(a.cap, sizeof(memory));
        assert_true(!err || a.used == 0);
        if (err)
            continue;
        assert_int_equal(doc.wide, cases[i].wide);
        assert_int_equal(doc.charset, MANSCDP_UTF8);
        if (cases[i].wide)
            memset(body, 'x', in.n);
        assert_true(slice_eq(doc.root->name, SLICE("a")));
        assert_true(slice_eq(doc.root->text, SLICE("\xe5\xa4\xa7")));
    }
}

static void limits_hold(void **state)
{
    struct xml_limits nodes = { .max_nodes = 3 };
    struct xml_limits bytes = { .max_bytes = 8 };
    struct xml_limits depth = { .max_depth = 2 };
    struct xml_limits wide = { .max_depth = 1000 };

    (void)state;
    assert_int_equal(parse(repeated("<a>", "</a>", 32), NULL), 0);
    assert_int_equal(parse(repeated("<a>", "</a>", 33), NULL), GB_ELIMIT);
    assert_int_equal(parse(repeated("<a>", "</a>", 33), &wide), GB_ELIMIT);
    assert_int_equal(parse(repeated("<a>", "</a>", 50000), NULL), GB_ELIMIT);
    assert_int_equal(parse(SLICE("<a><b/></a>"), &depth), 0);
    assert_int_equal(parse(SLICE("<a><b><c/></b></a>"), &depth), GB_ELIMIT);
    assert_int_equal(parse(SLICE("<a><b/><c/></a>"), &nodes), 0);
    assert_int_equal(parse(SLICE("<a><b/><c/><d/></a>"), &nodes), GB_ELIMIT);
    assert_int_equal(parse(SLICE("<a></a> "), &bytes), 0);
    assert_int_equal(parse(SLICE("<a></a>  "), &bytes), GB_ELIMIT);
}

/* What costs time must not cost its square: each of these is a megabyte. */
static void hostile_bodies_end_soon(void **state)
{
    static const char *const pieces[] = {
        "<", "<a ", "<a b=\"", "<?x", "<?x>", "<!", "<!--", "<![CDATA[", "&",
        "&#", "</a>", "<Item>", "<a><Item>", "\xb4", "<a b=c ", "]]>", "<a/>",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        unsigned n = (unsigned)((1 << 20) / strlen(pieces[i])) - 64;
        struct slice s = repeated(pieces[i], NULL, n);
        char *p = malloc(s.n + 40);
        struct writer w = writer_of(p, s.n + 40);

        parse(s, NULL);
        writer_str(&w, "<R><CmdType>x</CmdType><Item>");
        writer_slice_put(&w, s);
        assert_int_equal(w.err, 0);
        parse(writer_slice(&w), NULL);
        free(p);
    }
}

/* Every arena too small for it gives GB_ENOMEM and nothing else. */
static void every_arena_size(void **state)
{
    static const struct slice docs[] = {
        S("<a N=\"1\">x<b>\xb4\xf3</b>y<b/></a>"),
        S("<a><CmdType>x</CmdType><Item><b/></Item><Item></a>"),
        S("\xff\xfe<\0a\0>\0\x27\x59<\0/\0a\0>\0"),
        S("\0<\0a\0>\x59\x27\0&\0<\0/\0A\0>"),
    };

    (void)state;
    for (size_t d = 0; d < COUNT(docs); d++) {
        size_t cap = 0;
        int err;

        do {
            struct slice mem = guarded(slice_of(memory, cap));
            union {
                const char *c;
                char *p;
            } u = { mem.p };
            struct arena a = arena_of(u.p, cap);
            struct xml_doc doc;

            err = xml_parse(&doc, &a, docs[d], NULL, NULL);
            if (err && err != GB_ENOMEM)
                fail_msg("doc %zu, %zu bytes: %s", d, cap, gb_strerror(err));
            assert_true(err == 0 || a.used == 0);
            cap++;
        } while (err && cap < 4096);
        assert_int_equal(err, 0);
        assert_true(cap <= MANSCDP_ARENA_FOR(docs[d].n));
    }
}

static void on_capture(void *ctx, const char *path, struct slice bytes)
{
    unsigned *n = ctx;
    char expect[4096];
    struct writer w = writer_of(expect, sizeof(expect) - 1);
    struct slice got = view_of(guarded(bytes), NULL);

    writer_f(&w, "%s", path);
    w.len -= strlen(".xml");
    writer_str(&w, ".expect");
    assert_int_equal(w.err, 0);
    expect[w.len] = '\0';
    expect_golden(expect, got);
    (*n)++;
}

static void captures_look_as_expected(void **state)
{
    unsigned n = 0;

    (void)state;
    each_file("test/data/manscdp", ".xml", on_capture, &n);
    assert_true(n >= 14);
}

/* A prefix is refused, or mended into something with a root: whole when all but
 * the root's end tag is there, and two bytes of that. */
static void on_capture_prefix(void *ctx, const char *path, struct slice bytes)
{
    struct slice text = slice_trim(bytes);
    size_t end_tag = text.n - 1;
    struct xml_doc doc;

    while (text.p[end_tag] != '/')
        end_tag--;
    (void)ctx;
    for (size_t n = 0; n < text.n; n++) {
        struct arena a = arena_of(memory, sizeof(memory));
        int err = xml_parse(&doc, &a, guarded(slice_head(text, n)), NULL,
                            NULL);

        if (n > end_tag ? err || !doc.repaired
            : err       ? err != GB_ESYNTAX
                        : !doc.salvaged)
            fail_msg("%s, %zu bytes: %s", path, n, gb_strerror(err));
    }
}

static void every_prefix_of_a_capture(void **state)
{
    (void)state;
    each_file("test/data/manscdp", ".xml", on_capture_prefix, NULL);
}

/* Any one byte of a capture replaced: no crash, and no message of mxml. */
static void on_capture_damage(void *ctx, const char *path, struct slice bytes)
{
    static const char with[] = { '<', '>', '&', '"', '/', '\0', '\x80', '!' };
    uint64_t *seed = ctx;

    (void)path;
    for (size_t i = 0; i < bytes.n; i++) {
        char *p = malloc(bytes.n);

        memcpy(p, bytes.p, bytes.n);
        p[i] = with[test_random(seed) % COUNT(with)];
        parse(slice_of(p, bytes.n), NULL);
        free(p);
    }
}

static void every_byte_damaged(void **state)
{
    uint64_t seed = 7;

    (void)state;
    each_file("test/data/manscdp", ".xml", on_capture_damage, &seed);
}

static void look_ups(void **state)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct slice in = SLICE("<A CmdType=\"x\" SN=' 5 '><b/><B>1</B><c><d>2"
                            "</d></c><SN>6</SN><b>3</b></A>");
    const struct xml_node *b;
    struct xml_doc doc;

    (void)state;
    assert_int_equal(xml_parse(&doc, &a, in, NULL, NULL), 0);
    assert_true(slice_eq(xml_text(doc.root, SLICE("b")), SLICE("1")));
    b = xml_child(doc.root, SLICE("B"));
    assert_int_equal(b->text.n, 0);
    b = xml_next_same(xml_next_same(b));
    assert_true(slice_eq(b->text, SLICE("3")));
    assert_null(xml_next_same(b));
    assert_null(xml_child(doc.root, SLICE("d")));
    assert_true(slice_eq(xml_find(doc.root, SLICE("D"))->text, SLICE("2")));
    assert_null(xml_find(doc.root, SLICE("e")));
    assert_true(slice_eq(xml_attr(doc.root, SLICE("cmdtype")), SLICE("x")));
    assert_true(slice_eq(xml_text_or_attr(doc.root, SLICE("SN")),
                         SLICE("6")));
    assert_true(slice_eq(xml_attr(doc.root, SLICE("SN")), SLICE("5")));
    assert_true(slice_eq(xml_text_or_attr(doc.root, SLICE("CmdType")),
                         SLICE("x")));
    assert_int_equal(xml_text(NULL, SLICE("x")).n, 0);
    assert_null(xml_find(NULL, SLICE("x")));
}

static void write_all(struct xml_out *x)
{
    xml_put_declaration(x);
    xml_put_open(x, "R");
    xml_put(x, "a", SLICE("<&>\"'\xe5\xa4\xa7\x01\xf0\x9f\x98\x80"));
    xml_put_opt(x, "b", SLICE(""));
    xml_put(x, "c", SLICE(""));
    xml_put_inline(x, true);
    xml_put_open_num(x, "L", "Num", 2);
    xml_put_u32(x, "d", 4294967295u);
    xml_put_close(x, "L");
    xml_put_inline(x, false);
    xml_put_close(x, "R");
}

static void writing(void **state)
{
    static const struct {
        enum manscdp_charset charset;
        const char *want;
    } cases[] = {
#define DOC(name, a)                                                           \
    "<?xml version=\"1.0\" encoding=\"" name "\"?>\r\n<R>\r\n<a>&lt;&amp;&gt;" \
    "&quot;&apos;" a "</a>\r\n<c></c>\r\n<L Num=\"2\"><d>4294967295</d></L>"   \
    "\r\n</R>\r\n"
        { MANSCDP_GB2312, DOC("GB2312", "\xb4\xf3?") },
        { MANSCDP_GB18030, DOC("GB18030", "\xb4\xf3\x94\x39\xfc\x36") },
        { MANSCDP_UTF8, DOC("UTF-8", "\xe5\xa4\xa7\xf0\x9f\x98\x80") },
#undef DOC
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        struct writer w = writer_of(text, sizeof(text));
        struct xml_out x = { .w = &w, .charset = cases[i].charset };
        size_t len;

        write_all(&x);
        assert_int_equal(w.err, 0);
        if (!slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%zu: got\n%.*s", i, SLICE_ARG(writer_slice(&w)));
        len = w.len;
        for (size_t cap = 0; cap < len; cap++) {
            w = writer_of(text, cap);
            write_all(&x);
            assert_int_equal(w.err, GB_ENOMEM);
        }
    }
}

/* Every capture, and what is plain in different ways: the two readers agree.
 * Which of the inputs the plain one reads is told apart by mxml's allocations,
 * so here only the trees are compared. */
static void both_readers_agree(void **state)
{
    static const char *const docs[] = {
        "<Notify><CmdType>Keepalive</CmdType><SN>1</SN></Notify>",
        "  <?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<a/>\r\n",
        "<a x=\"1\" y=\" 2 \"><b/><c >t</c ></a>",
        "<a>text<b/></a>", "<a><b/>text</a>", "<a>one<b>two</b>three</a>",
        "<a x=\"1\" X=\"2\"/>", "<a x='1'/>", "<a x=1/>", "<a>&amp;</a>",
        "<a>a>b</a>", "<a><!-- c --><b/></a>", "<a><![CDATA[x]]></a>",
        "<A></a>", "<a>\x7f</a>", "<a>x\ny</a>", "<a>\xc3\xa9</a>",
        "<\xc3\xa9/>", "<a:b xmlns:a=\"u\"/>", "<a/>trailing", "<a/><b/>",
        "<a><b></a></b>", "<?xml?><a/>", "<a><b>1</b><b>2</b></a>",
        "<a>  <b>  padded  </b>  </a>",
    };
    struct xml_limits general = { .general = true };
    static char mem[2][1 << 16], text[2][1 << 15];

    (void)state;
    for (size_t i = 0; i < COUNT(docs); i++) {
        struct slice seen[2];
        int err[2];

        for (int g = 0; g < 2; g++) {
            struct arena a = arena_of(mem[g], sizeof(mem[g]));
            struct writer w = writer_of(text[g], sizeof(text[g]));
            struct xml_doc doc;

            err[g] = xml_parse(&doc, &a, guarded(slice_str(docs[i])),
                               g ? &general : NULL, NULL);
            if (!err[g])
                xmlview_write(&w, &doc);
            seen[g] = writer_slice(&w);
        }
        if (err[0] != err[1] || !slice_eq(seen[0], seen[1]))
            fail_msg("%s: %s / %s\n%.*s\n%.*s", docs[i], gb_strerror(err[0]),
                     gb_strerror(err[1]), SLICE_ARG(seen[0]),
                     SLICE_ARG(seen[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(salvaged),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(hostile_bodies_end_soon),
        cmocka_unit_test(wide_bodies),
        cmocka_unit_test(every_arena_size),
        cmocka_unit_test(captures_look_as_expected),
        cmocka_unit_test(every_prefix_of_a_capture),
        cmocka_unit_test(every_byte_damaged),
        cmocka_unit_test(look_ups),
        cmocka_unit_test(writing),
        cmocka_unit_test(both_readers_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
