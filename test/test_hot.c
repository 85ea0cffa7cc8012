/* manscdp/plain, manscdp/item: what is read from the bytes is what the general
 * reader and the tree give, for bodies as devices send them and for whatever
 * else can be made of the same pieces. */
#include "test/support.h"

#include <stdlib.h>

#include "base/writer.h"
#include "manscdp/catalog.h"
#include "manscdp/notify.h"

#define ROUNDS 20000
#define TEXT_MAX (1u << 20)

static char mem[1 << 21], text[2][TEXT_MAX], body[1 << 16];

static const struct xml_limits hot = { 0, 0, 0, false, false },
                               tree = { .tree = true },
                               general = { .general = true };

static void put(struct writer *w, const char *name, struct slice value)
{
    writer_f(w, "%s=\"%.*s\"\n", name, SLICE_ARG(value));
}

static void put_item(struct writer *w, const struct manscdp_item *it)
{
    size_t n;
    const struct manscdp_item_field *f = manscdp_item_fields(&n);

    writer_f(w, "item event=%d\n", (int)it->event);
    for (size_t i = 0; i < n; i++)
        if (manscdp_item_get(it, &f[i]).n)
            put(w, f[i].member, manscdp_item_get(it, &f[i]));
    for (size_t i = 0; i < it->n_extras; i++) {
        put(w, "path", it->extra[i].path);
        put(w, "value", it->extra[i].value);
    }
}

static void put_structs(struct writer *w, const struct manscdp_msg *m)
{
    struct manscdp_keepalive k;
    struct manscdp_catalog c;
    struct manscdp_alarm a;
    struct manscdp_item it;

    if (!manscdp_keepalive_decode(&k, m)) {
        writer_f(w, "status=%d\n", (int)k.status);
        for (size_t i = 0; i < k.n_faulty; i++)
            put(w, "faulty", k.faulty[i]);
    }
    if (!manscdp_alarm_decode(&a, m)) {
        put(w, "method", a.method);
        put(w, "time", a.time);
        put(w, "description", a.description);
        put(w, "type", a.alarm_type);
        put(w, "extension", a.extension);
    }
    if (!manscdp_catalog_decode(&c, m)) {
        writer_f(w, "sum=%d,%u items=%u broken=%u notify=%d\n", c.has_sum_num,
                 c.sum_num, c.n_items, c.n_broken, c.is_notify);
        put(w, "status", c.status);
        while (manscdp_catalog_next(&c, &it, m->arena))
            put_item(w, &it);
    }
}

/* All that a body says, as text. *listed: its items came from the bytes. */
static struct slice view(unsigned slot, struct slice in,
                         const struct xml_limits *way, bool *listed)
{
    struct writer w = writer_of(text[slot], TEXT_MAX);
    struct arena a = arena_of(mem, sizeof(mem));
    struct manscdp_msg m;
    int err = manscdp_msg_parse(&m, &a, guarded(in), way, NULL);

    *listed = !err && m.doc.listed;
    if (err) {
        writer_f(&w, "error %s\n", gb_strerror(err));
        return writer_slice(&w);
    }
    writer_f(&w, "root=%d cmd=%d sn=%d,%u charset=%d repaired=%d salvaged=%d\n",
             (int)m.root, (int)m.cmd, m.has_sn, m.sn, (int)m.doc.charset,
             m.doc.repaired, m.doc.salvaged);
    put(&w, "cmd", m.cmd_name);
    put(&w, "device", m.device_id);
    put_structs(&w, &m);
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static bool check(struct slice in)
{
    bool listed, never;
    struct slice want = view(0, in, &general, &never), got;

    assert_false(never);
    got = view(1, in, &tree, &never);
    assert_false(never);
    if (!slice_eq(got, want))
        fail_msg("tree\n%.*s\n%.*s\n%.*s", SLICE_ARG(in), SLICE_ARG(got),
                 SLICE_ARG(want));
    got = view(1, in, &hot, &listed);
    if (!slice_eq(got, want))
        fail_msg("hot\n%.*s\n%.*s\n%.*s", SLICE_ARG(in), SLICE_ARG(got),
                 SLICE_ARG(want));
    return listed;
}

static void capture(void *ctx, const char *path, struct slice bytes)
{
    (void)path;
    *(unsigned *)ctx += check(bytes);
    for (size_t n = 0; n < bytes.n; n += 1 + n / 64)
        check(slice_head(bytes, n));
}

static void captures(void **state)
{
    unsigned n_listed = 0;

    (void)state;
    each_file("test/data/manscdp", ".xml", capture, &n_listed);
    assert_in_range(n_listed, 6, 100);
}

#define HEAD "<Response><CmdType>Catalog</CmdType><SumNum>1</SumNum>"
#define LIST(items) HEAD "<DeviceList Num=\"1\">" items "</DeviceList></Response>"
#define GB_NAME "\xb1\xb1\xc3\xc5\xc8\xeb\xbf\xda"  /* GB 2312 */
#define U8_NAME "\xe5\x8c\x97\xe9\x97\xa8"          /* UTF-8 */

/* What goes from the bytes, and what does not but is read all the same. */
static const struct {
    const char *name;
    struct slice in;
    bool listed;
} cases[] = {
    { "plain", S(LIST("<Item><DeviceID>1</DeviceID></Item>")), true },
    { "no item", S(LIST("")), false },
    { "blank list", S(LIST("\r\n")), false },
    { "lines", S(LIST("\r\n<Item>\r\n<Name>x</Name>\r\n</Item>\r\n")),
      true },
    { "declared GB2312, sent as GB2312",
      S("<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n" LIST(
          "<Item><Name>" GB_NAME "</Name></Item>")), true },
    { "declared GB2312, sent as UTF-8",
      S("<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n" LIST(
          "<Item><Name>" U8_NAME "</Name></Item>")), true },
    { "byte order mark",
      S("\xef\xbb\xbf" LIST("<Item><Name>x</Name></Item>")), true },
    { "byte order mark in a text",
      S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" LIST(
          "<Item><Name>a\xef\xbb\xbf" "b\xe5\x8c\x97</Name></Item>")),
      false },
    { "byte order mark in a text that is declared GB2312",
      S("<?xml version=\"1.0\" encoding=\"GB2312\"?>" LIST(
          "<Item><Name>a\xef\xbb\xbf" "b</Name><Address>" GB_NAME
          "</Address></Item>")), false },
    { "byte order mark in GB 18030",
      S(LIST("<Item><Name>a\x84\x31\x95\x33" "b" GB_NAME
             "</Name></Item>")), false },
    { "one name of another origin",
      S(LIST("<Item><Name>" GB_NAME "</Name><Address>" U8_NAME
             "</Address></Item>")), true },
    { "GB name that is cut", S(LIST("<Item><Name>" GB_NAME
                                    "\xb1</Name></Item>")), true },
    { "UTF-8 name that is cut", S(LIST("<Item><Name>" U8_NAME
                                       "\xe5\x8c</Name></Item>")), false },
    { "a long text", S(LIST("<Item><Name>0123456789012345678901234567890123"
                            "456789</Name></Item>")), true },
    { "blanks around", S(LIST("<Item><Name> x </Name></Item>")), true },
    { "a line end inside", S(LIST("<Item><Name>a\nb</Name></Item>")),
      false },
    { "reference", S(LIST("<Item><Name>a&amp;b</Name></Item>")), false },
    { "bare &", S(LIST("<Item><Name>a&b</Name></Item>")), false },
    { "> in text", S(LIST("<Item><Name>a>b</Name></Item>")), false },
    { "CDATA", S(LIST("<Item><Name><![CDATA[x]]></Name></Item>")), false },
    { "comment", S(LIST("<Item><!-- x --><Name>x</Name></Item>")), false },
    { "attribute of an Item", S(LIST("<Item Num=\"1\"><Name>x</Name>"
                                     "</Item>")), false },
    { "attribute of a field", S(LIST("<Item><Name a=\"1\">x</Name></Item>")),
      false },
    { "unknown", S(LIST("<Item><StreamNum>2</StreamNum></Item>")), true },
    { "unknown, nested", S(LIST("<Item><A><B>2</B></A></Item>")), false },
    { "self-closed", S(LIST("<Item><Block/><Name>x</Name></Item>")), true },
    { "self-closed event", S(LIST("<Item><Event/></Item>")), false },
    { "the same twice", S(LIST("<Item><Name></Name><Name>a</Name>"
                               "<Name>b</Name></Item>")), true },
    { "Info", S(LIST("<Item><Info><PTZType>1</PTZType><Zoom>2</Zoom></Info>"
                     "<PTZType>3</PTZType></Item>")), true },
    { "Info twice", S(LIST("<Item><Info><PTZType>1</PTZType></Info><Info>"
                           "<RoomType>1</RoomType></Info></Item>")), true },
    { "Info with text", S(LIST("<Item><Info>x</Info></Item>")), false },
    { "Info that stays open", S(LIST("<Item><Info></Item>")), false },
    { "lower case", S(LIST("<Item><name>x</name></Item>")), true },
    { "ITEM", S(LIST("<ITEM><Name>x</Name></ITEM>")), false },
    { "an Item and an ITEM", S(LIST("<Item><Name>x</Name></Item><ITEM>"
                                    "<Name>y</Name></ITEM>")), false },
    { "end tag of another name", S(LIST("<Item><Name>x</Nome></Item>")),
      false },
    { "group ids", S(LIST("<Item><BusinessGroupID>1</BusinessGroupID>"
                          "</Item>")), true },
    { "list before CmdType",
      S("<Response><DeviceList><Item><Name>x</Name></Item></DeviceList>"
        "<CmdType>Catalog</CmdType></Response>"), false },
    { "list of an alarm",
      S("<Notify><CmdType>Alarm</CmdType><DeviceList><Item/></DeviceList>"
        "</Notify>"), false },
    { "second list", S(HEAD "<DeviceList/><DeviceList><Item><Name>x</Name>"
                            "</Item></DeviceList></Response>"), false },
    { "list deeper before", S(HEAD "<X><DeviceList><Item/></DeviceList></X>"
                              "<DeviceList><Item/></DeviceList>"
                              "</Response>"), false },
    { "operate type",
      S("<Notify><CmdType>Catalog</CmdType><DeviceList><Item><OperateType>"
        "ADD</OperateType></Item><Item><OperateType>x</OperateType></Item>"
        "</DeviceList></Notify>"), true },
    { "event", S(LIST("<Item><Event>DEL</Event></Item>")), true },
    { "garbage behind", S(LIST("<Item/>") "x"), false },
};

static void takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (check(cases[i].in) != cases[i].listed)
            fail_msg("%s: %s from the bytes", cases[i].name,
                     cases[i].listed ? "not" : "all");
}

/* ---- pieces in a row ---- */

static const char *const names[] = {
    "DeviceID", "Name", "Manufacturer", "Owner", "Address", "Status", "Event",
    "StreamNum", "PTZType", "BusinessGroupID", "OperateType", "name", "A",
    "PhotoelectricImagingType", "SVCSpaceSupportMode", "Info",
    "AnElementWithANameThatIsLongerThanAny",
};

static const char *const values[] = {
    "", "x", "34020000001320000001", "ON", "DEL", GB_NAME, U8_NAME,
    GB_NAME " 1.107", "0123456789abcdef", "0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdefX", " x", "x ", "a&amp;b", "a&b", "a>b",
    "a<b", "\r\n", "a\nb", "\xb1", "\xe5\x8c", "\x81\x30\x81\x30", "\x7f",
    "<![CDATA[x]]>", "<b>1</b>", "\xb1<", "rtsp://a:b@c/?d=e&f=g",
};

static unsigned pick(uint64_t *seed, size_t n)
{
    return (unsigned)((test_random(seed) >> 30) % n);
}

/* Mostly what is plain: the odd ones are at the end of each table. */
static const char *one_of(uint64_t *seed, const char *const *all, size_t n)
{
    return all[pick(seed, 16) ? pick(seed, n * 2 / 5) : pick(seed, n)];
}

static void put_leaf(struct writer *w, uint64_t *seed)
{
    const char *name = one_of(seed, names, COUNT(names));

    switch (pick(seed, 60)) {
    case 0:
        writer_f(w, "<%s/>", name);
        return;
    case 1:
        writer_f(w, "<%s a=\"1\">x</%s>", name, name);
        return;
    case 2:
        writer_f(w, "<!-- x --><%s>x</%s >", name, name);
        return;
    default:
        writer_f(w, "<%s>%s</%s>", name, one_of(seed, values, COUNT(values)),
                 name);
    }
}

/* shape: how a device writes its items; now and then one differs. */
static void put_any_item(struct writer *w, uint64_t shape, uint64_t *seed)
{
    uint64_t own = pick(seed, 5) ? shape : test_random(seed);
    const char *gap = pick(&shape, 2) ? "" : "\r\n";
    unsigned n = pick(&own, 9);

    writer_f(w, "<Item>%s", gap);
    for (unsigned i = 0; i < n; i++) {
        bool opens = pick(&own, 6) == 0;
        bool closes = pick(seed, 40) ? opens : !opens;

        if (opens)
            writer_f(w, "<Info>%s", gap);
        put_leaf(w, pick(seed, 30) ? &own : seed);
        writer_str(w, gap);
        if (closes)
            writer_f(w, "</Info>%s", gap);
    }
    writer_f(w, "</Item>%s", gap);
}

static struct slice any_body(uint64_t *seed)
{
    static const char *const roots[] = { "Response", "Notify", "Query" };
    static const char *const cmds[] = { "Catalog", "Catalog", "Catalog",
                                        "Catalog", "Catalog", "Keepalive",
                                        "Alarm", "MobilePosition" };
    struct writer w = writer_of(body, sizeof(body));
    const char *root = roots[pick(seed, COUNT(roots))];
    uint64_t shape = test_random(seed);
    unsigned n = pick(seed, 6);

    if (pick(seed, 2))
        writer_str(&w, "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n");
    writer_f(&w, "<%s><CmdType>%s</CmdType><SN>%u</SN>", root,
             cmds[pick(seed, COUNT(cmds))], pick(seed, 100));
    for (unsigned i = pick(seed, 4); i; i--)
        put_leaf(&w, seed);
    writer_f(&w, "<DeviceList Num=\"%u\">", n);
    for (unsigned i = 0; i < n; i++)
        put_any_item(&w, shape, seed);
    writer_f(&w, "</DeviceList></%s>\r\n", root);
    assert_int_equal(w.err, 0);
    if (pick(seed, 6) == 0)
        body[pick(seed, w.len)] = "<>&/ \r\n\0\x80\xff\"I"[pick(seed, 12)];
    return slice_head(writer_slice(&w), pick(seed, 20) ? w.len
                                                       : pick(seed, w.len));
}

static void pieces(void **state)
{
    uint64_t seed = 11;
    unsigned n_listed = 0;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++)
        n_listed += check(any_body(&seed));
    assert_in_range(n_listed, ROUNDS / 8, ROUNDS);
}

/* With too little room, the same or no answer at all. */
static void every_arena_size(void **state)
{
    static const char in[] = LIST("<Item><DeviceID>1</DeviceID><Name>" GB_NAME
                                  "</Name><Info><Zoom>1</Zoom></Info></Item>"
                                  "<Item><Name>x</Name></Item>");
    unsigned n_good = 0;

    (void)state;
    for (size_t cap = 0; cap < 8192; cap += 8) {
        struct arena a = arena_of(mem, cap);
        struct manscdp_catalog c;
        struct manscdp_item it;
        struct manscdp_msg m;
        int err = manscdp_msg_parse(&m, &a, guarded(slice_str(in)), NULL,
                                    NULL);

        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            assert_int_equal(a.used, 0);
            continue;
        }
        n_good++;
        assert_int_equal(manscdp_catalog_decode(&c, &m), 0);
        assert_int_equal(c.n_items, 2);
        assert_true(manscdp_catalog_next(&c, &it, &a));
        assert_true(slice_eq(it.id, SLICE("1")));
        assert_int_equal(it.name.n, 12);
    }
    assert_in_range(n_good, 400, 1023);
}

/* Many tags, more than are remembered, and more extras than are kept. */
static void rich_items(void **state)
{
    struct writer w = writer_of(body, sizeof(body));

    (void)state;
    writer_str(&w, HEAD "<DeviceList>");
    for (unsigned k = 0; k < 3; k++) {
        writer_str(&w, "<Item><DeviceID>1</DeviceID>");
        for (unsigned i = 0; i < 100; i++)
            writer_f(&w, "<E%u>%u</E%u>", i, i + k, i);
        writer_str(&w, "<Name>n</Name></Item>");
    }
    writer_str(&w, "</DeviceList></Response>");
    check(writer_slice(&w));
    w = writer_of(body, sizeof(body));
    writer_str(&w, HEAD "<DeviceList><Item>");
    for (unsigned i = 0; i < MANSCDP_MAX_EXTRAS + 2; i++)
        writer_str(&w, "<E>x</E>");
    writer_str(&w, "<Name>n</Name></Item></DeviceList></Response>");
    check(writer_slice(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures),
        cmocka_unit_test(takes),
        cmocka_unit_test(pieces),
        cmocka_unit_test(every_arena_size),
        cmocka_unit_test(rich_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
