/* app/platform/alarms: the names of methods and types, and that they say the
 * same as the codec's */
#include "app/platform/alarms.h"
#include "manscdp/notify.h"
#include "test/support.h"

#include <stdio.h>

static void names(void **state)
{
    static const struct {
        struct slice method, type;
        const char *method_en, *type_en, *type_zh;
    } cases[] = {
        { S("5"), S("2"), "video", "motion", "运动目标检测报警" },
        { S(" 5 "), S(" 06 "), "video", "intrusion", "入侵检测报警" },
        { S("6"), S("1"), "fault", "disk failure", "存储设备磁盘故障报警" },
        { S("2/5"), S("1"), "device", "video loss", "视频丢失报警" },
        { S("25"), S("5"), "device", "low temperature", "设备低温报警" },
        { S("2"), S(""), "device", "", "" },
        { S("2"), S("0"), "device", "", "" },
        { S("5"), S("14"), "video", "", "" },
        { S("5"), S("258"), "video", "", "" },
        { S("0"), S("1"), "", "", "" },
        { S("8"), S("1"), "", "", "" },
        { S(""), S(""), "", "", "" },
        { S("x"), S("y"), "", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct alarm_name m = alarm_method_name(guarded(cases[i].method));
        struct alarm_name t = alarm_type_name(guarded(cases[i].method),
                                              guarded(cases[i].type));

        assert_string_equal(m.en, cases[i].method_en);
        assert_string_equal(t.en, cases[i].type_en);
        assert_string_equal(t.zh, cases[i].type_zh);
        assert_true((*m.en == 0) == (*m.zh == 0));
    }
}

static void as_the_codec(void **state)
{
    (void)state;
    for (uint32_t m = 0; m < 10; m++) {
        for (uint32_t t = 1; t < 20; t++) {
            char a[8], b[8];
            const char *want = manscdp_alarm_type_name(m, t);

            snprintf(a, sizeof(a), "%u", (unsigned)m);
            snprintf(b, sizeof(b), "%u", (unsigned)t);
            assert_string_equal(alarm_type_name(slice_str(a), slice_str(b)).en,
                                want ? want : "");
        }
    }
}

static void events(void **state)
{
    static const struct {
        struct slice method, type, event;
        const char *en, *zh;
    } cases[] = {
        { S("5"), S("6"), S("1"), "enters the area", "进入区域" },
        { S(" 5 "), S("6"), S(" 2"), "leaves the area", "离开区域" },
        { S("5"), S("6"), S("3"), "", "" },
        { S("5"), S("6"), S("0"), "", "" },
        { S("5"), S("6"), S(""), "", "" },
        { S("5"), S("2"), S("1"), "", "" }, /* Dahua: of motion */
        { S("2"), S("6"), S("1"), "", "" },
        { S("5"), S("x"), S("y"), "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct alarm_name e = alarm_event_name(guarded(cases[i].method),
                                               guarded(cases[i].type),
                                               guarded(cases[i].event));

        assert_string_equal(e.en, cases[i].en);
        assert_string_equal(e.zh, cases[i].zh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(as_the_codec),
        cmocka_unit_test(events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
