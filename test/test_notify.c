/* Keepalive and Alarm: the standard's bytes, captures, deviations. */
#include "test/support.h"

#include "manscdp/notify.h"

#include <stdlib.h>

static char memory[1 << 20];

static int parse(struct manscdp_msg *m, struct slice in)
{
    static struct arena a;

    a = arena_of(memory, sizeof(memory));
    return manscdp_msg_parse(m, &a, in, NULL, NULL);
}

static void same_as_file(struct slice got, const char *path)
{
    struct slice want = read_file(path);

    if (!slice_eq(got, want))
        fail_msg("%s: got\n%.*s", path, SLICE_ARG(got));
    free((void *)(uintptr_t)want.p);
}

static void example_keepalive_to_the_byte(void **state)
{
    static const struct slice faulty[] = { S("34020000001310000003") };
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };
    const struct manscdp_keepalive k = {
        .sn = 43,
        .device_id = SLICE("34020000001180000001"),
        .faulty = faulty,
        .n_faulty = 1,
    };
    char text[512];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_keepalive_encode(&w, &d, &k), 0);
    assert_int_equal(w.len, 229); /* its Content-Length */
    same_as_file(writer_slice(&w), "test/data/manscdp/example-keepalive.xml");
}

static void keepalive_wordings(void **state)
{
#define K(rest) S("<Notify><CmdType>Keepalive</CmdType><SN>7</SN>"             \
                  "<DeviceID>1</DeviceID>" rest "</Notify>")
    static const struct {
        const char *name;
        struct slice in;
        enum manscdp_life status;
        size_t n_faulty;
    } cases[] = {
        { "plain", K("<Status>OK</Status>"), MANSCDP_LIFE_OK, 0 },
        { "absent", K(""), MANSCDP_LIFE_OK, 0 },
        { "empty", K("<Status/>"), MANSCDP_LIFE_OK, 0 },
        { "lower case", K("<Status>ok</Status>"), MANSCDP_LIFE_OK, 0 },
        { "ON", K("<Status>ON</Status>"), MANSCDP_LIFE_OK, 0 },
        { "unknown word", K("<Status>fine</Status>"), MANSCDP_LIFE_OK, 0 },
        { "error", K("<Status>Error</Status>"), MANSCDP_LIFE_ERROR, 0 },
        { "going", K("<Status>OFF</Status>"), MANSCDP_LIFE_OFF, 0 },
        { "inside Info", K("<Info><Status>ERROR</Status></Info>"),
          MANSCDP_LIFE_ERROR, 0 },
        { "empty Info", K("<Status>OK</Status><Info></Info>"),
          MANSCDP_LIFE_OK, 0 },
        { "faulty ones",
          K("<Status>OK</Status><Info><DeviceID>2</DeviceID><DeviceID/>"
            "<DeviceID>3</DeviceID></Info><Info><DeviceID>4</DeviceID>"
            "</Info>"),
          MANSCDP_LIFE_OK, 3 },
    };
#undef K

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_keepalive k;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_keepalive_decode(&k, &m), 0);
        if (k.status != cases[i].status || k.n_faulty != cases[i].n_faulty ||
            k.sn != 7 || !slice_eq(k.device_id, SLICE("1")))
            fail_msg("%s", cases[i].name);
        if (k.n_faulty == 3)
            assert_true(slice_eq(k.faulty[2], SLICE("4")));
    }
}

static void keepalive_of_something_else(void **state)
{
    struct manscdp_keepalive k;
    struct manscdp_alarm al;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, SLICE("<Notify CmdType='Catalog'/>")), 0);
    assert_int_equal(manscdp_keepalive_decode(&k, &m), GB_ESYNTAX);
    assert_int_equal(manscdp_alarm_decode(&al, &m), GB_ESYNTAX);
    assert_int_equal(parse(&m, SLICE("<Response CmdType='Keepalive'/>")), 0);
    assert_int_equal(manscdp_keepalive_decode(&k, &m), GB_ESYNTAX);
}

static void keepalive_without_room(void **state)
{
    struct slice in = SLICE("<Notify CmdType='Keepalive'><Info>"
                            "<DeviceID>2</DeviceID></Info></Notify>");
    struct manscdp_keepalive k;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, in), 0);
    m.arena->used = m.arena->cap;
    assert_int_equal(manscdp_keepalive_decode(&k, &m), GB_ENOMEM);
}

static void captured_keepalives(void **state)
{
    static const char *const paths[] = {
        "test/data/manscdp/keepalive-dahua-nvr-1.xml",
        "test/data/manscdp/keepalive-dahua-nvr-2.xml",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct slice in = read_file(paths[i]);
        struct manscdp_keepalive k;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(in)), 0);
        assert_int_equal(manscdp_keepalive_decode(&k, &m), 0);
        assert_int_equal(k.sn, 279 + i);
        assert_true(slice_eq(k.device_id, SLICE("34020000001180000001")));
        assert_int_equal(k.status, MANSCDP_LIFE_OK);
        free((void *)(uintptr_t)in.p);
    }
}

#define DECLARATION "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n"

static void example_alarm_to_the_byte(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };
    const struct manscdp_alarm a = {
        .sn = 9,
        .device_id = SLICE("34020000001310000001"),
        .priority = SLICE("1"),
        .method = SLICE("5"),
        .time = SLICE("2023-08-09T07:38:35"),
        .description = SLICE("motion"),
        .alarm_type = SLICE("6"),
        .event_type = SLICE("1"),
    };
    size_t n = sizeof(DECLARATION) - 1; /* the example leaves it out */
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_alarm_encode(&w, &d, &a), 0);
    assert_true(slice_has_prefix(writer_slice(&w), SLICE(DECLARATION)));
    same_as_file(slice_from(writer_slice(&w), n),
                 "test/data/manscdp/example-alarm.xml");
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_alarm_answer(&w, &d, &a, true), 0);
    same_as_file(slice_from(writer_slice(&w), n),
                 "test/data/manscdp/example-alarm-response.xml");
}

static void captured_alarm(void **state)
{
    struct slice in = read_file("test/data/manscdp/alarm-motion-dahua-nvr.xml");
    struct manscdp_alarm a;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, guarded(in)), 0);
    assert_int_equal(m.doc.charset, MANSCDP_GB18030);
    assert_int_equal(manscdp_alarm_decode(&a, &m), 0);
    assert_int_equal(a.sn, 9);
    assert_int_equal(a.priority_num, 1);
    assert_int_equal(a.method_num, MANSCDP_ALARM_METHOD_VIDEO);
    assert_int_equal(a.type_num, 2);
    assert_int_equal(a.event_num, 1);
    assert_true(slice_eq(a.extension, SLICE("11")));
    assert_true(slice_eq(a.description,
                         SLICE("\xe8\xa7\x86\xe9\xa2\x91\xe5\x8a\xa8"
                               "\xe6\xa3\x80")));
    assert_false(a.has_position);
    assert_string_equal(manscdp_alarm_type_name(a.method_num, a.type_num),
                        "motion");
    free((void *)(uintptr_t)in.p);
}

static void alarm_deviations(void **state)
{
#define A(rest)                                                                \
    S("<Notify CmdType='Alarm' SN='1' DeviceID='1'>" rest "</Notify>")
    static const struct {
        const char *name;
        struct slice in;
        uint32_t priority, method, type, event;
        bool has_position;
    } cases[] = {
        { "nothing", A(""), 0, 0, 0, 0, false },
        { "type at top level", A("<AlarmType>2</AlarmType>"), 0, 0, 2, 0,
          false },
        { "text Info and structured Info",
          A("<Info>x</Info><Info><AlarmType>6</AlarmType></Info>"), 0, 0, 6,
          0, false },
        { "event without its frame",
          A("<Info><EventType>2</EventType></Info>"), 0, 0, 0, 2, false },
        { "combination of methods", A("<AlarmMethod>2/5</AlarmMethod>"), 0, 2,
          0, 0, false },
        { "combination of 2016", A("<AlarmMethod>25</AlarmMethod>"), 0, 0, 0,
          0, false },
        { "priority 0", A("<AlarmPriority>0</AlarmPriority>"), 0, 0, 0, 0,
          false },
        { "a place",
          A("<Longitude>121.5</Longitude><Latitude>31.2</Latitude>"), 0, 0, 0,
          0, true },
    };
#undef A

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_alarm a;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_alarm_decode(&a, &m), 0);
        if (a.priority_num != cases[i].priority ||
            a.method_num != cases[i].method || a.type_num != cases[i].type ||
            a.event_num != cases[i].event ||
            a.has_position != cases[i].has_position)
            fail_msg("%s", cases[i].name);
    }
}

/* Elements of an edition, in order, and none that it does not know. */
static void alarm_of_each_edition(void **state)
{
    static const char *const tails[] = {
        [MANSCDP_2011] = "<Info>more</Info>\r\n</Notify>\r\n",
        [MANSCDP_2014] = "<Info>more</Info>\r\n</Notify>\r\n",
        [MANSCDP_2016] = "<Info><AlarmType>2</AlarmType></Info>\r\n"
                         "<Info>more</Info>\r\n</Notify>\r\n",
        [MANSCDP_2022] = "<Info><AlarmType>2</AlarmType></Info>\r\n"
                         "<ExtraInfo>more</ExtraInfo>\r\n</Notify>\r\n",
    };
    const struct manscdp_alarm a = {
        .sn = 1,
        .device_id = SLICE("1"),
        .priority = SLICE("4"),
        .method = SLICE("5"),
        .time = SLICE("2023-08-09T07:38:35"),
        .longitude = SLICE("121.5"),
        .latitude = SLICE("31.5"),
        .alarm_type = SLICE("2"),
        .extension = SLICE("more"),
    };

    (void)state;
    for (unsigned e = 0; e < MANSCDP_EDITION_COUNT; e++) {
        struct manscdp_dialect d = { e, MANSCDP_UTF8 };
        struct slice tail = slice_str(tails[e]), got;
        struct manscdp_alarm back;
        struct manscdp_msg m;
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));

        assert_int_equal(manscdp_alarm_encode(&w, &d, &a), 0);
        got = writer_slice(&w);
        assert_true(got.n > tail.n);
        if (!slice_eq(slice_from(got, got.n - tail.n), tail))
            fail_msg("edition %u: %.*s", e, SLICE_ARG(got));
        assert_int_equal(parse(&m, got), 0);
        assert_int_equal(manscdp_alarm_decode(&back, &m), 0);
        assert_true(back.has_position);
        assert_true(slice_eq(back.extension, a.extension));
    }
}

static void names_of_alarms(void **state)
{
    (void)state;
    assert_string_equal(manscdp_alarm_type_name(2, 0),
                        "alarm device triggered");
    assert_string_equal(manscdp_alarm_type_name(5, 13), "picture occluded");
    assert_string_equal(manscdp_alarm_type_name(6, 2), "fan failure");
    assert_null(manscdp_alarm_type_name(5, 0));
    assert_null(manscdp_alarm_type_name(5, 14));
    assert_null(manscdp_alarm_type_name(4, 1));
    assert_null(manscdp_alarm_type_name(7, 1));
    assert_string_equal(manscdp_alarm_method_name(5), "video");
    assert_null(manscdp_alarm_method_name(0));
    assert_null(manscdp_alarm_method_name(8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_keepalive_to_the_byte),
        cmocka_unit_test(keepalive_wordings),
        cmocka_unit_test(keepalive_of_something_else),
        cmocka_unit_test(keepalive_without_room),
        cmocka_unit_test(captured_keepalives),
        cmocka_unit_test(example_alarm_to_the_byte),
        cmocka_unit_test(captured_alarm),
        cmocka_unit_test(alarm_deviations),
        cmocka_unit_test(alarm_of_each_edition),
        cmocka_unit_test(names_of_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
