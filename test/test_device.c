/* DeviceInfo and DeviceStatus: the standard's bytes, editions, deviations. */
#include "test/support.h"

#include "manscdp/device.h"

#include <stdlib.h>

static char memory[1 << 20];

static int parse(struct manscdp_msg *m, struct slice in)
{
    static struct arena a;

    a = arena_of(memory, sizeof(memory));
    return manscdp_msg_parse(m, &a, in, NULL, NULL);
}

static void example_status_to_the_byte(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    static const struct manscdp_alarm_device alarm[] = {
        { S("34020000001340000001"), MANSCDP_ONDUTY }
    };
    const struct manscdp_device_status s = {
        .sn = 17,
        .device_id = SLICE("34020000001180000001"),
        .result = MANSCDP_OK,
        .online = MANSCDP_ON,
        .status = MANSCDP_OK,
        .encode = MANSCDP_ON,
        .record = MANSCDP_OFF,
        .device_time = SLICE("2023-08-09T07:38:35"),
        .alarm = alarm,
        .n_alarms = 1,
    };
    struct slice want = read_file("test/data/manscdp/"
                                  "example-device-status.xml");
    struct manscdp_device_status got;
    struct manscdp_msg m;
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_device_status_encode(&w, &d, &s), 0);
    if (!slice_eq(writer_slice(&w), want))
        fail_msg("got\n%.*s", SLICE_ARG(writer_slice(&w)));
    assert_int_equal(parse(&m, guarded(want)), 0);
    assert_int_equal(manscdp_device_status_decode(&got, &m), 0);
    assert_int_equal(got.online, MANSCDP_ON);
    assert_int_equal(got.encode, MANSCDP_ON);
    assert_int_equal(got.record, MANSCDP_OFF);
    assert_int_equal(got.n_alarms, 1);
    assert_int_equal(got.alarm[0].duty, MANSCDP_ONDUTY);
    assert_true(slice_eq(got.alarm[0].device_id, alarm[0].device_id));
    assert_true(slice_eq(got.device_time, s.device_time));
    free((void *)(uintptr_t)want.p);
}

static void status_wordings(void **state)
{
#define R(rest) S("<Response CmdType='DeviceStatus' SN='1'>" rest "</Response>")
    static const struct {
        const char *name;
        struct slice in;
        enum manscdp_result result;
        enum manscdp_tristate online;
        enum manscdp_result status;
        size_t n_alarms;
        enum manscdp_duty duty;
    } cases[] = {
        { "nothing", R(""), MANSCDP_ABSENT, MANSCDP_UNKNOWN, MANSCDP_ABSENT,
          0, 0 },
        { "no Result", R("<Online>ONLINE</Online>"), MANSCDP_OK, MANSCDP_ON,
          MANSCDP_ABSENT, 0, 0 },
        { "OFFILE", R("<Result>OK</Result><Online>OFFILE</Online>"),
          MANSCDP_OK, MANSCDP_OFF, MANSCDP_ABSENT, 0, 0 },
        { "ON", R("<Online>ON</Online><Status>ERROR</Status>"), MANSCDP_OK,
          MANSCDP_ON, MANSCDP_ERROR, 0, 0 },
        { "lower case", R("<Online>offline</Online><Status>ok</Status>"),
          MANSCDP_OK, MANSCDP_OFF, MANSCDP_OK, 0, 0 },
        { "failed", R("<Result>Error</Result>"), MANSCDP_ERROR,
          MANSCDP_UNKNOWN, MANSCDP_ABSENT, 0, 0 },
        { "empty alarm list of Hikvision",
          R("<Online>ONLINE</Online><Alarmstatus Num=\"0\">\n </Alarmstatus>"
            "<Encode>ON</Encode>"),
          MANSCDP_OK, MANSCDP_ON, MANSCDP_ABSENT, 0, 0 },
        { "2011 wording",
          R("<Alarmstatus Num='1'><Item><DeviceID>1</DeviceID>"
            "<Status>OFFDUTY</Status></Item></Alarmstatus>"),
          MANSCDP_ABSENT, MANSCDP_UNKNOWN, MANSCDP_ABSENT, 1,
          MANSCDP_OFFDUTY },
        { "2014 wording",
          R("<AlarmStatus num='1'><Item><DeviceID>1</DeviceID>"
            "<StatusDutyStatus>alarm</StatusDutyStatus></Item>"
            "<Item><DutyStatus>ONDUTY</DutyStatus></Item></AlarmStatus>"),
          MANSCDP_ABSENT, MANSCDP_UNKNOWN, MANSCDP_ABSENT, 1,
          MANSCDP_DUTY_ALARM },
    };
#undef R

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_device_status s;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_device_status_decode(&s, &m), 0);
        if (s.result != cases[i].result || s.online != cases[i].online ||
            s.status != cases[i].status || s.n_alarms != cases[i].n_alarms ||
            (s.n_alarms && s.alarm[0].duty != cases[i].duty))
            fail_msg("%s", cases[i].name);
    }
}

static void status_of_each_edition(void **state)
{
    static const struct {
        enum manscdp_edition edition;
        size_t n_alarms;
        const char *part; /* NULL: no list at all */
    } cases[] = {
        { MANSCDP_2011, 0, "\r\n<Alarmstatus Num=\"0\"></Alarmstatus>\r\n" },
        { MANSCDP_2011, 1, "<Status>ALARM</Status></Item>" },
        { MANSCDP_2014, 0, NULL },
        { MANSCDP_2014, 1, "<StatusDutyStatus>ALARM</StatusDutyStatus>" },
        { MANSCDP_2016, 1, "<Alarmstatus num=\"1\"><Item>" },
        { MANSCDP_2022, 1, "<Alarmstatus Num=\"1\"><Item>" },
    };
    static const struct manscdp_alarm_device alarm[] = {
        { S("34020000001340000001"), MANSCDP_DUTY_ALARM }
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_dialect d = { cases[i].edition, MANSCDP_GB2312 };
        const struct manscdp_device_status s = {
            .sn = 1,
            .device_id = SLICE("1"),
            .online = MANSCDP_OFF,
            .status = MANSCDP_ERROR,
            .reason = SLICE("disk & fan"),
            .alarm = alarm,
            .n_alarms = cases[i].n_alarms,
        };
        struct manscdp_device_status back;
        struct manscdp_msg m;
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));
        struct slice part = slice_str(cases[i].part ? cases[i].part
                                                    : "Alarmstatus");
        bool found;

        assert_int_equal(manscdp_device_status_encode(&w, &d, &s), 0);
        found = slice_find_slice(writer_slice(&w), part) < w.len;
        if (found != (cases[i].part != NULL))
            fail_msg("case %zu: %.*s", i, SLICE_ARG(writer_slice(&w)));
        assert_int_equal(parse(&m, writer_slice(&w)), 0);
        assert_int_equal(manscdp_device_status_decode(&back, &m), 0);
        assert_int_equal(back.n_alarms, s.n_alarms);
        assert_true(!s.n_alarms || back.alarm[0].duty == MANSCDP_DUTY_ALARM);
        assert_int_equal(back.online, MANSCDP_OFF);
        assert_int_equal(back.status, MANSCDP_ERROR);
        assert_true(slice_eq(back.reason, s.reason));
    }
}

static void info_of_each_edition(void **state)
{
#define BEGIN                                                                  \
    "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Response>\r\n"            \
    "<CmdType>DeviceInfo</CmdType>\r\n<SN>5</SN>\r\n<DeviceID>1</DeviceID>\r\n"
#define MAKER                                                                  \
    "<Manufacturer>Acme</Manufacturer>\r\n<Model>N1</Model>\r\n"               \
    "<Firmware>V1</Firmware>\r\n"
#define NAME "<DeviceName>\xb4\xf3</DeviceName>\r\n"
#define RESULT "<Result>OK</Result>\r\n"
#define OLD "<MaxCamera>8</MaxCamera>\r\n<MaxAlarm>2</MaxAlarm>\r\n"
#define TYPE "<DeviceType>NVR</DeviceType>\r\n"
#define END "<Channel>4</Channel>\r\n</Response>\r\n"
    static const char *const want[] = {
        [MANSCDP_2011] = BEGIN RESULT TYPE MAKER OLD END,
        [MANSCDP_2014] = BEGIN NAME RESULT TYPE MAKER OLD END,
        [MANSCDP_2016] = BEGIN NAME RESULT TYPE MAKER OLD END,
        [MANSCDP_2022] = BEGIN NAME RESULT MAKER END,
    };
    const struct manscdp_device_info i = {
        .sn = 5,
        .device_id = SLICE("1"),
        .result = MANSCDP_OK,
        .device_name = SLICE("\xe5\xa4\xa7"),
        .device_type = SLICE("NVR"),
        .manufacturer = SLICE("Acme"),
        .model = SLICE("N1"),
        .firmware = SLICE("V1"),
        .max_camera = SLICE("8"),
        .max_alarm = SLICE("2"),
        .channel = SLICE("4"),
    };

    (void)state;
    for (unsigned e = 0; e < MANSCDP_EDITION_COUNT; e++) {
        struct manscdp_dialect d = { e, MANSCDP_GB2312 };
        struct manscdp_device_info back;
        struct manscdp_msg m;
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));

        assert_int_equal(manscdp_device_info_encode(&w, &d, &i), 0);
        if (!slice_eq(writer_slice(&w), slice_str(want[e])))
            fail_msg("edition %u: %.*s", e, SLICE_ARG(writer_slice(&w)));
        assert_int_equal(parse(&m, guarded(writer_slice(&w))), 0);
        assert_int_equal(manscdp_device_info_decode(&back, &m), 0);
        assert_int_equal(back.n_channels, 4);
        assert_int_equal(back.result, MANSCDP_OK);
        assert_true(slice_eq(back.firmware, i.firmware));
        assert_true(e == MANSCDP_2011 ||
                    slice_eq(back.device_name, i.device_name));
    }
}

static void info_deviations(void **state)
{
    struct manscdp_device_info i;
    struct manscdp_device_status s;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, SLICE("<Response CmdType='DeviceInfo'>"
                                     "<Channel>many</Channel>"
                                     "<Result/></Response>")), 0);
    assert_int_equal(manscdp_device_info_decode(&i, &m), 0);
    assert_int_equal(i.n_channels, 0);
    assert_int_equal(i.result, MANSCDP_OK);
    assert_int_equal(parse(&m, SLICE("<Response CmdType='DeviceInfo'>"
                                     "<Result>ERROR</Result></Response>")),
                     0);
    assert_int_equal(manscdp_device_info_decode(&i, &m), 0);
    assert_int_equal(i.result, MANSCDP_ERROR);
    assert_int_equal(manscdp_device_status_decode(&s, &m), GB_ESYNTAX);
    m.root = MANSCDP_QUERY;
    assert_int_equal(manscdp_device_info_decode(&i, &m), GB_ESYNTAX);
}

static void status_without_room(void **state)
{
    struct slice in = SLICE("<Response CmdType='DeviceStatus'><Alarmstatus>"
                            "<Item><DeviceID>1</DeviceID></Item>"
                            "</Alarmstatus></Response>");
    struct manscdp_device_status s;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, in), 0);
    m.arena->used = m.arena->cap;
    assert_int_equal(manscdp_device_status_decode(&s, &m), GB_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_status_to_the_byte),
        cmocka_unit_test(status_wordings),
        cmocka_unit_test(status_of_each_edition),
        cmocka_unit_test(info_of_each_edition),
        cmocka_unit_test(info_deviations),
        cmocka_unit_test(status_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
