/* Catalog: captures, the standard's examples to the byte, all editions. */
#include "test/support.h"

#include "manscdp/catalog.h"

#include <stdlib.h>

static char memory[1 << 20];
static char text[1 << 16];

static int parse(struct manscdp_msg *m, struct slice in)
{
    static struct arena a;

    a = arena_of(memory, sizeof(memory));
    return manscdp_msg_parse(m, &a, in, NULL, NULL);
}

/* The items of in; how many. */
static size_t items_of(struct slice in, struct manscdp_catalog *c,
                       struct manscdp_item *it, size_t max)
{
    struct manscdp_msg m;
    size_t n = 0;

    assert_int_equal(parse(&m, in), 0);
    assert_int_equal(manscdp_catalog_decode(c, &m), 0);
    while (n < max && manscdp_catalog_next(c, &it[n], m.arena))
        n++;
    return n;
}

static bool is(struct slice got, const char *want)
{
    return slice_eq(got, slice_str(want));
}

static void captured_item(void **state)
{
    struct slice in = read_file("test/data/manscdp/catalog-dahua-nvr-1of4.xml");
    struct manscdp_catalog c;
    struct manscdp_item it;
    double lon, lat;

    (void)state;
    assert_int_equal(items_of(guarded(in), &c, &it, 1), 1);
    assert_int_equal(c.sn, 1);
    assert_true(c.has_sum_num && !c.is_notify);
    assert_int_equal(c.sum_num, 4);
    assert_int_equal(c.n_items, 1);
    assert_null(c.next_item);
    assert_true(is(it.id, "34020000001310000001"));
    assert_true(is(it.name, "\xe5\xa4\xa7\xe5\x8d\x8e" "1.107"));
    assert_true(is(it.manufacturer, "General"));
    assert_true(is(it.model, "IPC-HFW4150D-V2"));
    assert_true(is(it.owner, "0"));
    assert_true(is(it.civil_code, "340200"));
    assert_true(is(it.parent_id, "34020000001180000001"));
    assert_true(is(it.ip_address, "192.168.1.107"));
    assert_int_equal(it.password.n, 0);
    assert_true(is(it.download_speed, "1/2/4/8"));
    assert_int_equal(manscdp_item_ptz_type(&it), 3);
    assert_true(manscdp_item_is_on(&it));
    assert_false(manscdp_item_is_parent(&it));
    assert_false(manscdp_item_position(&it, &lon, &lat));
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_CHANNEL);
    assert_int_equal(it.n_extras, 1);
    assert_true(is(it.extra[0].path, "StreamNum"));
    assert_true(is(it.extra[0].value, "2"));
    free((void *)(uintptr_t)in.p);
}

static void on_catalog_capture(void *ctx, const char *path, struct slice in)
{
    struct manscdp_catalog c;
    struct manscdp_item it[8];
    struct manscdp_msg m;
    unsigned *n = ctx;
    size_t n_items;

    assert_int_equal(parse(&m, guarded(in)), 0);
    if (m.cmd != MANSCDP_CMD_CATALOG || m.root != MANSCDP_RESPONSE)
        return;
    n_items = items_of(guarded(in), &c, it, 8);
    assert_int_equal(n_items, c.n_items);
    for (size_t i = 0; i < n_items; i++)
        if (!it[i].id.n || !it[i].name.n)
            fail_msg("%s: item %zu", path, i);
    (*n)++;
}

static void captured_catalogs(void **state)
{
    unsigned n = 0;

    (void)state;
    each_file("test/data/manscdp", ".xml", on_catalog_capture, &n);
    assert_true(n >= 6);
}

/* Comments gone, and the line ends inside an Item: we write it as the example
 * of a notification has it. */
static struct slice without_comments(struct slice s)
{
    static char buf[1 << 14];
    struct writer w = writer_of(buf, sizeof(buf));
    bool in_item = false;

    for (size_t i = 0; i < s.n; i++) {
        struct slice rest = slice_from(s, i);

        if (slice_has_prefix(rest, SLICE("<!--"))) {
            i += slice_find_slice(rest, SLICE("-->")) + 2;
            continue;
        }
        if (slice_has_prefix(rest, SLICE("<Item>")))
            in_item = true;
        if (slice_has_prefix(rest, SLICE("</Item>")))
            in_item = false;
        if (!in_item || (s.p[i] != '\r' && s.p[i] != '\n'))
            writer_char(&w, s.p[i]);
    }
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

#define DECLARATION "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n"

static void node_kinds_to_the_byte(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    static const enum manscdp_kind kinds[] = {
        MANSCDP_KIND_REGION, MANSCDP_KIND_SYSTEM, MANSCDP_KIND_GROUP,
        MANSCDP_KIND_ORG, MANSCDP_KIND_ORG, MANSCDP_KIND_CHANNEL,
    };
    struct slice in = read_file("test/data/manscdp/example-catalog-kinds.xml");
    struct writer w = writer_of(text, sizeof(text));
    struct slice want = without_comments(in);
    struct manscdp_catalog c;
    struct manscdp_item it[6];

    (void)state;
    assert_int_equal(items_of(guarded(in), &c, it, 6), 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(manscdp_item_kind(&it[i]), kinds[i]);
    assert_int_equal(manscdp_catalog_encode(&w, &d, &c, it, 6), 0);
    if (!slice_eq(slice_from(writer_slice(&w), sizeof(DECLARATION) - 1), want))
        fail_msg("got\n%.*s", SLICE_ARG(writer_slice(&w)));
    free((void *)(uintptr_t)in.p);
}

static void notification_to_the_byte(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    struct slice in = read_file("test/data/manscdp/"
                                "example-catalog-notify.xml");
    struct writer w = writer_of(text, sizeof(text));
    struct manscdp_catalog c;
    struct manscdp_item it[2];

    (void)state;
    assert_int_equal(items_of(guarded(in), &c, it, 2), 2);
    assert_true(c.is_notify);
    assert_int_equal(it[0].event, MANSCDP_EVENT_OFF);
    assert_int_equal(it[1].event, MANSCDP_EVENT_ADD);
    it[0].name = SLICE("not in a brief event");
    assert_int_equal(manscdp_catalog_encode(&w, &d, &c, it, 2), 0);
    if (!slice_eq(writer_slice(&w), in))
        fail_msg("got\n%.*s", SLICE_ARG(writer_slice(&w)));
    free((void *)(uintptr_t)in.p);
}

static void queries(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };
    const struct manscdp_catalog_query q = {
        .sn = 31,
        .device_id = SLICE("34020000001180000001"),
    };
    struct slice want = read_file("test/data/manscdp/"
                                  "example-catalog-query.xml");
    struct manscdp_catalog_query timed = q, got;
    struct writer w = writer_of(text, sizeof(text));
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(manscdp_catalog_query_encode(&w, &d, &q), 0);
    assert_int_equal(w.len, 144);
    assert_true(slice_eq(writer_slice(&w), want));
    timed.start_time = SLICE("2023-01-01T00:00:00");
    timed.end_time = SLICE("2023-08-09T07:38:35");
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_catalog_query_encode(&w, &d, &timed), 0);
    assert_int_equal(parse(&m, guarded(writer_slice(&w))), 0);
    assert_int_equal(manscdp_catalog_query_decode(&got, &m), 0);
    assert_int_equal(got.sn, 31);
    assert_true(slice_eq(got.device_id, q.device_id));
    assert_true(slice_eq(got.start_time, timed.start_time));
    assert_true(slice_eq(got.end_time, timed.end_time));
    m.root = MANSCDP_RESPONSE;
    assert_int_equal(manscdp_catalog_query_decode(&got, &m), GB_ESYNTAX);
    free((void *)(uintptr_t)want.p);
}

/* An item in which each field holds the name of its member. */
static struct manscdp_item full_item(void)
{
    struct manscdp_item it = { 0 };

#define X(member, element, place, editions) it.member = SLICE(#member);
    MANSCDP_ITEM_MAP(X)
#undef X
    return it;
}

/* What an edition defines is written, in order, and read back to its field;
 * what it does not define is not. */
static void note_4_14_every_field_of_every_edition(void **state)
{
    const struct manscdp_item it = full_item();
    const struct manscdp_catalog c = { .sn = 1, .device_id = SLICE("1"),
                                       .sum_num = 1 };
    size_t n_fields;
    const struct manscdp_item_field *f = manscdp_item_fields(&n_fields);

    (void)state;
    for (unsigned e = 0; e < MANSCDP_EDITION_COUNT; e++) {
        struct manscdp_dialect d = { e, MANSCDP_GB2312 };
        struct writer w = writer_of(text, sizeof(text));
        struct manscdp_catalog got;
        struct manscdp_item back;

        assert_int_equal(manscdp_catalog_encode(&w, &d, &c, &it, 1), 0);
        assert_int_equal(items_of(guarded(writer_slice(&w)), &got, &back, 1),
                         1);
        assert_int_equal(back.n_extras, 0);
        for (size_t i = 0; i < n_fields; i++) {
            struct slice v = manscdp_item_get(&back, &f[i]);
            bool group = slice_eq(f[i].element, SLICE("BusinessGroupID"));

            if (f[i].editions >> e & 1) {
                if (!is(v, f[i].member))
                    fail_msg("%s in edition %u: %.*s", f[i].member, e,
                             SLICE_ARG(v));
            } else if (v.n && !group) {
                fail_msg("%s is not of edition %u", f[i].member, e);
            }
        }
        assert_int_equal(slice_find_slice(writer_slice(&w),
                                          SLICE("Password")), w.len);
    }
}

static void group_moves_between_editions(void **state)
{
    static const struct manscdp_dialect d16 = { MANSCDP_2016, MANSCDP_UTF8 };
    static const struct manscdp_dialect d22 = { MANSCDP_2022, MANSCDP_UTF8 };
    const struct manscdp_catalog c = { .sn = 1, .sum_num = 1 };
    struct writer w = writer_of(text, sizeof(text));
    struct manscdp_catalog got;
    struct manscdp_item it = { .id = SLICE("1"),
                               .business_group_id = SLICE("215") };

    (void)state;
    assert_int_equal(manscdp_catalog_encode(&w, &d16, &c, &it, 1), 0);
    assert_true(slice_find_slice(writer_slice(&w),
                                 SLICE("<Info><BusinessGroupID>215")) < w.len);
    assert_int_equal(items_of(guarded(writer_slice(&w)), &got, &it, 1), 1);
    assert_true(is(it.business_group_id, "215"));
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_catalog_encode(&w, &d22, &c, &it, 1), 0);
    assert_true(slice_find_slice(writer_slice(&w),
                                 SLICE("</DeviceID><BusinessGroupID>215"))
                < w.len);
    assert_int_equal(slice_find_slice(writer_slice(&w), SLICE("<Info>")),
                     w.len);
}

#define RESPONSE(rest)                                                         \
    "<Response CmdType='Catalog' SN='3'><SumNum>1</SumNum><DeviceList "        \
    "Num='1'>" rest "</DeviceList></Response>"
#define NOTIFY(rest)                                                           \
    "<Notify CmdType='Catalog' SN='3'><DeviceList><Item><DeviceID>1"           \
    "</DeviceID>" rest "</Item></DeviceList></Notify>"

static void note_4_14_unknown_elements_are_kept(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_UTF8 };
    struct slice in = SLICE(RESPONSE(
        "<Item><DeviceID>1</DeviceID><Name/><name>n</name><ChannelID>7"
        "</ChannelID><PTZType>1</PTZType><Info>free<CameraType>2</CameraType>"
        "<A><B>3</B><C><D>4</D></C><E/></A></Info><Model>m<x>y</x></Model>"
        "</Item>"));
    static const char *const want[][2] = {
        { "ChannelID", "7" }, { "Info/CameraType", "2" }, { "Info/A/B", "3" },
        { "Info/A/C/D", "4" }, { "Info", "free" }, { "Model", "m" },
        { "Model/x", "y" },
    };
    struct writer w = writer_of(text, sizeof(text));
    struct xml_out x;
    struct manscdp_catalog c;
    struct manscdp_item it, back;

    (void)state;
    assert_int_equal(items_of(guarded(in), &c, &it, 1), 1);
    assert_true(is(it.name, "n"));
    assert_int_equal(manscdp_item_ptz_type(&it), 1);
    assert_int_equal(it.n_extras, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        if (!is(it.extra[i].path, want[i][0]) ||
            !is(it.extra[i].value, want[i][1]))
            fail_msg("extra %zu: %.*s", i, SLICE_ARG(it.extra[i].path));
    manscdp_catalog_put_begin(&x, &w, &d, &c, 1);
    manscdp_catalog_put_item(&x, &d, &it, true);
    manscdp_catalog_put_end(&x, &d, &c, 1);
    assert_int_equal(w.err, 0);
    assert_int_equal(items_of(guarded(writer_slice(&w)), &c, &back, 1), 1);
    assert_true(back.n_extras >= 5);
    assert_true(slice_find_slice(writer_slice(&w),
                                 SLICE("<A><C><D>4</D></C></A>")) < w.len);
}

static void events(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        enum manscdp_event want;
    } cases[] = {
        { "ON", S(NOTIFY("<Event>ON</Event>")), MANSCDP_EVENT_ON },
        { "lower case", S(NOTIFY("<Event>vlost</Event>")),
          MANSCDP_EVENT_VLOST },
        { "at the end", S(NOTIFY("<Name>x</Name><Event>DEL</Event>")),
          MANSCDP_EVENT_DEL },
        { "DEFECT", S(NOTIFY("<Event> DEFECT </Event>")),
          MANSCDP_EVENT_DEFECT },
        { "UPDATE", S(NOTIFY("<Event>Update</Event>")),
          MANSCDP_EVENT_UPDATE },
        { "none", S(NOTIFY("<Status>ON</Status>")), MANSCDP_EVENT_NONE },
        { "unknown", S(NOTIFY("<Event>HELLO</Event>")), MANSCDP_EVENT_NONE },
        { "OperateType of Hikvision",
          S(NOTIFY("<OperateType>ADD</OperateType>")), MANSCDP_EVENT_ADD },
        { "another OperateType", S(NOTIFY("<OperateType>MOD</OperateType>")),
          MANSCDP_EVENT_UPDATE },
        { "Event before OperateType",
          S(NOTIFY("<OperateType>ADD</OperateType><Event>OFF</Event>")),
          MANSCDP_EVENT_OFF },
        { "OperateType in an answer",
          S(RESPONSE("<Item><DeviceID>1</DeviceID>"
                     "<OperateType>ADD</OperateType></Item>")),
          MANSCDP_EVENT_NONE },
        { "2011: root Response",
          S(RESPONSE("<Item><DeviceID>1</DeviceID><Event>ON</Event></Item>")),
          MANSCDP_EVENT_ON },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_catalog c;
        struct manscdp_item it;

        assert_int_equal(items_of(guarded(cases[i].in), &c, &it, 1), 1);
        if (it.event != cases[i].want)
            fail_msg("%s: %d", cases[i].name, it.event);
    }
    assert_string_equal(manscdp_event_name(MANSCDP_EVENT_DEFECT), "DEFECT");
    assert_null(manscdp_event_name(MANSCDP_EVENT_NONE));
}

static void heads_of_messages(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool has_sum_num;
        uint32_t sum_num, n_items, n_broken;
    } cases[] = {
        { "empty", S("<Response CmdType='Catalog'><SumNum>0</SumNum>"
                     "</Response>"), true, 0, 0, 0 },
        { "no SumNum", S("<Response CmdType='Catalog'><DeviceList><Item/>"
                         "<Item/></DeviceList></Response>"), false, 0, 2, 0 },
        { "wrong Num", S("<Response CmdType='Catalog'><SumNum>9</SumNum>"
                         "<DeviceList Num='7'><Item/></DeviceList>"
                         "</Response>"), true, 9, 1, 0 },
        { "no list", S("<Response CmdType='Catalog'><Item/></Response>"),
          false, 0, 1, 0 },
        { "a broken one", S("<Response CmdType='Catalog'><SumNum>2</SumNum>"
                            "<DeviceList><Item><a></Item><Item/></DeviceList>"
                            "</Response>"), true, 2, 1, 1 },
        { "SumNum is no number",
          S("<Response CmdType='Catalog'><SumNum>x</SumNum></Response>"),
          false, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_catalog c;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_catalog_decode(&c, &m), 0);
        if (c.has_sum_num != cases[i].has_sum_num ||
            c.sum_num != cases[i].sum_num || c.n_items != cases[i].n_items ||
            c.n_broken != cases[i].n_broken)
            fail_msg("%s", cases[i].name);
    }
}

static void empty_lists(void **state)
{
    const struct manscdp_catalog c = { .sn = 1, .device_id = SLICE("1") };

    (void)state;
    for (unsigned e = 0; e < MANSCDP_EDITION_COUNT; e++) {
        struct manscdp_dialect d = { e, MANSCDP_GB2312 };
        struct writer w = writer_of(text, sizeof(text));
        bool list;

        assert_int_equal(manscdp_catalog_encode(&w, &d, &c, NULL, 0), 0);
        list = slice_find_slice(writer_slice(&w),
                                SLICE("<DeviceList Num=\"0\">")) < w.len;
        assert_int_equal(list, e == MANSCDP_2011);
        assert_true(slice_find_slice(writer_slice(&w),
                                     SLICE("<SumNum>0</SumNum>")) < w.len);
    }
}

static void statuses_and_kinds(void **state)
{
    static const struct {
        struct slice status;
        bool on;
    } cases[] = {
        { S("ON"), true },      { S("on"), true },     { S("ONLINE"), true },
        { S("OK"), true },      { S(""), true },       { S("OFF"), false },
        { S("OFFLINE"), false }, { S("ERROR"), false }, { S("VLOST"), false },
        { S("DEFECT"), false },
    };
    struct manscdp_item it = { .id = SLICE("34020000001330000001") };
    struct manscdp_extra extra = { SLICE("Info/X"), SLICE("1") };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_item s = { .status = guarded(cases[i].status) };

        assert_int_equal(manscdp_item_is_on(&s), cases[i].on);
    }
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_UNKNOWN);
    it.parental = SLICE("0");
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_CHANNEL);
    it.parental = SLICE("65535");
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_UNKNOWN);
    assert_false(manscdp_item_is_parent(&it));
    it.room_type = SLICE("1");
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_CHANNEL);
    it.room_type = SLICE("");
    it.extra = &extra;
    it.n_extras = 1;
    assert_int_equal(manscdp_item_kind(&it), MANSCDP_KIND_CHANNEL);
    it.parental = SLICE("1");
    assert_true(manscdp_item_is_parent(&it));
    it.ptz_type = SLICE("2/6");
    assert_int_equal(manscdp_item_ptz_type(&it), 2);
    it.ptz_type = SLICE("9");
    assert_int_equal(manscdp_item_ptz_type(&it), 0);
}

static void parents(void **state)
{
    struct slice rest = SLICE(" 1/ 22//3 /"), id;

    (void)state;
    assert_true(manscdp_parent_next(&rest, &id) && is(id, "1"));
    assert_true(manscdp_parent_next(&rest, &id) && is(id, "22"));
    assert_true(manscdp_parent_next(&rest, &id) && is(id, "3"));
    assert_false(manscdp_parent_next(&rest, &id));
    rest = SLICE("");
    assert_false(manscdp_parent_next(&rest, &id));
}

static void credentials_stay_at_home(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_UTF8 };
    const struct manscdp_catalog c = { .sn = 1, .sum_num = 1 };
    const struct manscdp_item it = {
        .id = SLICE("1"),
        .ip_address = SLICE("rtsp://admin:secret@192.0.2.1/"),
        .password = SLICE("secret"),
        .port = SLICE("554"),
    };
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_catalog_encode(&w, &d, &c, &it, 1), 0);
    assert_int_equal(slice_find_slice(writer_slice(&w), SLICE("secret")),
                     w.len);
    assert_true(slice_find_slice(writer_slice(&w), SLICE("554")) < w.len);
}

static void too_many_extras(void **state)
{
    struct writer w = writer_of(text, sizeof(text));
    struct manscdp_catalog c;
    struct manscdp_item it;

    (void)state;
    writer_str(&w, "<Response CmdType='Catalog'><DeviceList><Item>");
    for (unsigned i = 0; i < 2 * MANSCDP_MAX_EXTRAS; i++)
        writer_f(&w, "<x%u>1</x%u>", i, i);
    writer_str(&w, "<DeviceID>1</DeviceID></Item></DeviceList></Response>");
    assert_int_equal(w.err, 0);
    assert_int_equal(items_of(guarded(writer_slice(&w)), &c, &it, 1), 1);
    assert_int_equal(it.n_extras, MANSCDP_MAX_EXTRAS);
    assert_true(is(it.id, "1"));
}

static void extras_without_room(void **state)
{
    struct slice in = SLICE(RESPONSE("<Item><DeviceID>1</DeviceID><A>x</A>"
                                     "<B><C>y</C></B></Item>"));
    struct arena none = arena_of(memory, 0);
    struct manscdp_catalog c;
    struct manscdp_item it;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, in), 0);
    assert_int_equal(manscdp_catalog_decode(&c, &m), 0);
    assert_true(manscdp_catalog_next(&c, &it, &none));
    assert_int_equal(it.n_extras, 0);
    assert_true(is(it.id, "1"));
}

/* What MANSCDP_ARENA_FOR promises, for the captures and for a large list. */
static void on_arena_budget(void *ctx, const char *path, struct slice in)
{
    struct arena a = arena_of(memory, MANSCDP_ARENA_FOR(in.n));
    struct manscdp_catalog c;
    struct manscdp_item it;
    struct manscdp_msg m;

    (void)ctx;
    if (manscdp_msg_parse(&m, &a, in, NULL, NULL))
        fail_msg("%s: %zu bytes are not enough", path, a.cap);
    if (manscdp_catalog_decode(&c, &m) == 0)
        while (manscdp_catalog_next(&c, &it, &a))
            ;
    assert_true(a.used <= a.cap);
}

static void arena_budget(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    struct manscdp_catalog c = { .sn = 1, .sum_num = 20 };
    struct manscdp_item it[20];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    each_file("test/data/manscdp", ".xml", on_arena_budget, NULL);
    for (size_t i = 0; i < COUNT(it); i++) {
        it[i] = full_item();
        it[i].name = SLICE("\xe5\x8c\x97\xe9\x97\xa8\xe5\x85\xa5\xe5\x8f\xa3");
    }
    assert_int_equal(manscdp_catalog_encode(&w, &d, &c, it, COUNT(it)), 0);
    on_arena_budget(NULL, "a large list", writer_slice(&w));
}

static void something_else(void **state)
{
    struct manscdp_catalog c;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, SLICE("<Response CmdType='DeviceInfo'/>")), 0);
    assert_int_equal(manscdp_catalog_decode(&c, &m), GB_ESYNTAX);
    assert_int_equal(parse(&m, SLICE("<Query CmdType='Catalog'/>")), 0);
    assert_int_equal(manscdp_catalog_decode(&c, &m), GB_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_item),
        cmocka_unit_test(captured_catalogs),
        cmocka_unit_test(node_kinds_to_the_byte),
        cmocka_unit_test(notification_to_the_byte),
        cmocka_unit_test(queries),
        cmocka_unit_test(note_4_14_every_field_of_every_edition),
        cmocka_unit_test(group_moves_between_editions),
        cmocka_unit_test(note_4_14_unknown_elements_are_kept),
        cmocka_unit_test(events),
        cmocka_unit_test(heads_of_messages),
        cmocka_unit_test(empty_lists),
        cmocka_unit_test(statuses_and_kinds),
        cmocka_unit_test(parents),
        cmocka_unit_test(credentials_stay_at_home),
        cmocka_unit_test(too_many_extras),
        cmocka_unit_test(extras_without_room),
        cmocka_unit_test(arena_budget),
        cmocka_unit_test(something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
