/* PTZCmd: the standard's bytes, both ways, and what is refused. */
#include "test/support.h"

#include "manscdp/ptz.h"

#define SPEED 0x32

static const struct {
    const char *name, *hex;
    struct manscdp_ptz c;
} examples[] = {
#define C(n, h, ...)                                                           \
    {                                                                          \
        n, h,                                                                  \
        {                                                                      \
            .address = 1, .op = MANSCDP_PTZ_##__VA_ARGS__                      \
        }                                                                      \
    }
    C("stop", "A50F0100000000B5", MOVE),
    C("right", "A50F0101320000E8", MOVE, .pan = 1, .pan_speed = SPEED),
    C("left", "A50F0102320000E9", MOVE, .pan = -1, .pan_speed = SPEED),
    C("up", "A50F0108003200EF", MOVE, .tilt = 1, .tilt_speed = SPEED),
    C("down", "A50F0104003200EB", MOVE, .tilt = -1, .tilt_speed = SPEED),
    C("up-left", "A50F010A32320023", MOVE, .pan = -1, .tilt = 1,
      .pan_speed = SPEED, .tilt_speed = SPEED),
    C("up-right", "A50F010932320022", MOVE, .pan = 1, .tilt = 1,
      .pan_speed = SPEED, .tilt_speed = SPEED),
    C("down-left", "A50F01063232001F", MOVE, .pan = -1, .tilt = -1,
      .pan_speed = SPEED, .tilt_speed = SPEED),
    C("down-right", "A50F01053232001E", MOVE, .pan = 1, .tilt = -1,
      .pan_speed = SPEED, .tilt_speed = SPEED),
    C("zoom in", "A50F011000005015", MOVE, .zoom = 1, .zoom_speed = 5),
    C("zoom out", "A50F012000005025", MOVE, .zoom = -1, .zoom_speed = 5),
    C("right, up, zoom out", "A50F012932325092", MOVE, .pan = 1, .tilt = 1,
      .zoom = -1, .pan_speed = SPEED, .tilt_speed = SPEED, .zoom_speed = 5),
    C("focus far", "A50F014132000028", LENS, .focus = 1,
      .focus_speed = SPEED),
    C("focus near", "A50F014232000029", LENS, .focus = -1,
      .focus_speed = SPEED),
    C("iris open", "A50F01440032002B", LENS, .iris = 1, .iris_speed = SPEED),
    C("iris close", "A50F01480032002F", LENS, .iris = -1,
      .iris_speed = SPEED),
    C("lens stop", "A50F0140000000F5", LENS),
    C("iris close, focus far", "A50F01492030004E", LENS, .iris = -1,
      .focus = 1, .focus_speed = 0x20, .iris_speed = 0x30),
    C("left, fast", "A50F0102FA0000B1", MOVE, .pan = -1, .pan_speed = 0xfa),
    C("up, fast", "A50F010800FA00B7", MOVE, .tilt = 1, .tilt_speed = 0xfa),
    C("set preset 1", "A50F018100010037", PRESET_SET, .preset = 1),
    C("call preset 1", "A50F018200010038", PRESET_CALL, .preset = 1),
    C("delete preset 1", "A50F018300010039", PRESET_DELETE, .preset = 1),
    C("call preset 255", "A50F018200FF0036", PRESET_CALL, .preset = 255),
    C("add a point", "A50F01840103003D", CRUISE_ADD, .group = 1, .preset = 3),
    C("delete a point", "A50F01850103003E", CRUISE_DELETE, .group = 1,
      .preset = 3),
    C("delete a group", "A50F01850100003B", CRUISE_DELETE, .group = 1),
    C("speed 5", "A50F018601050041", CRUISE_SPEED, .group = 1, .value = 5),
    C("speed 300", "A50F0186012C1078", CRUISE_SPEED, .group = 1,
      .value = 300),
    C("dwell 30", "A50F0187011E005B", CRUISE_DWELL, .group = 1, .value = 30),
    C("dwell 600", "A50F0187015820B5", CRUISE_DWELL, .group = 1,
      .value = 600),
    C("start a group", "A50F01880100003E", CRUISE_START, .group = 1),
    C("scan", "A50F01890100003F", SCAN_START, .group = 1),
    C("scan's left", "A50F018901010040", SCAN_LEFT, .group = 1),
    C("scan's right", "A50F018901020041", SCAN_RIGHT, .group = 1),
    C("scan's speed", "A50F018A01050045", SCAN_SPEED, .group = 1, .value = 5),
    C("wiper on", "A50F018C01000042", AUX_ON, .group = 1),
    C("wiper off", "A50F018D01000043", AUX_OFF, .group = 1),
#undef C
};

static bool same(const struct manscdp_ptz *a, const struct manscdp_ptz *b)
{
    return a->op == b->op && a->address == b->address && a->pan == b->pan &&
           a->tilt == b->tilt && a->zoom == b->zoom && a->focus == b->focus &&
           a->iris == b->iris && a->pan_speed == b->pan_speed &&
           a->tilt_speed == b->tilt_speed && a->zoom_speed == b->zoom_speed &&
           a->focus_speed == b->focus_speed &&
           a->iris_speed == b->iris_speed && a->group == b->group &&
           a->preset == b->preset && a->value == b->value;
}

static void examples_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct slice hex = slice_str(examples[i].hex);
        struct manscdp_ptz got;
        char text[16];
        struct writer w = writer_of(text, sizeof(text));

        if (manscdp_ptz_parse(&got, guarded(hex), NULL) ||
            !same(&got, &examples[i].c))
            fail_msg("%s: read wrong", examples[i].name);
        if (manscdp_ptz_write(&w, &examples[i].c) ||
            !slice_eq(writer_slice(&w), hex))
            fail_msg("%s: wrote %.*s", examples[i].name,
                     SLICE_ARG(writer_slice(&w)));
    }
}

static void there_and_back(const struct manscdp_ptz *c)
{
    struct manscdp_ptz back;
    char text[16];
    struct writer w = writer_of(text, sizeof(text));

    assert_int_equal(manscdp_ptz_write(&w, c), 0);
    assert_int_equal(manscdp_ptz_parse(&back, writer_slice(&w), NULL), 0);
    if (!same(c, &back))
        fail_msg("%s: %.*s", manscdp_ptz_name(c->op),
                 SLICE_ARG(writer_slice(&w)));
}

static void all_movements(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 27 * 256; i++) {
        struct manscdp_ptz m = { .op = MANSCDP_PTZ_MOVE },
                           l = { .op = MANSCDP_PTZ_LENS };

        m.pan = l.focus = (int8_t)(i % 3 - 1);
        m.tilt = l.iris = (int8_t)(i / 3 % 3 - 1);
        m.zoom = (int8_t)(i / 9 % 3 - 1);
        m.pan_speed = l.focus_speed = (uint8_t)(i / 27);
        m.tilt_speed = l.iris_speed = (uint8_t)~(i / 27);
        m.zoom_speed = i / 27 & 15;
        there_and_back(&m);
        there_and_back(&l);
    }
}

static void all_values(void **state)
{
    (void)state;
    for (unsigned op = MANSCDP_PTZ_PRESET_SET; op < MANSCDP_PTZ_OP_COUNT; op++)
        for (unsigned i = 0; i <= MANSCDP_PTZ_VALUE_MAX; i++) {
            struct manscdp_ptz c = { .op = op, .address = (uint16_t)i };

            if (op > MANSCDP_PTZ_PRESET_DELETE)
                c.group = (uint8_t)~i;
            if (op <= MANSCDP_PTZ_CRUISE_DELETE)
                c.preset = (uint8_t)(i % 255 + 1);
            if (op == MANSCDP_PTZ_CRUISE_SPEED ||
                op == MANSCDP_PTZ_CRUISE_DWELL || op == MANSCDP_PTZ_SCAN_SPEED)
                c.value = (uint16_t)i;
            there_and_back(&c);
        }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *name;
        struct slice hex;
        int err;
    } cases[] = {
        { "captured, address 4D", S("a50f4d0190000092"), 0 },
        { "captured stop", S("a50f4d0000000001"), 0 },
        { "blanks", S(" A5 0F 01 00 00 00 00 B5 "), 0 },
        { "another check nibble", S("A5000100000000A6"), 0 },
        { "wrong sum", S("A50F0100000000B6"), GB_ESYNTAX },
        { "wrong start", S("A60F0100000000B6"), GB_ESYNTAX },
        { "short", S("A50F0100000000B"), GB_ESYNTAX },
        { "long", S("A50F0100000000B50"), GB_ESYNTAX },
        { "no hex", S("A50F010000000G00"), GB_ESYNTAX },
        { "empty", S(""), GB_ESYNTAX },
        { "left and right", S("A50F0103320000EA"), GB_ESYNTAX },
        { "up and down", S("A50F010C003200F3"), GB_ESYNTAX },
        { "in and out", S("A50F013000005035"), GB_ESYNTAX },
        { "far and near", S("A50F01433200002A"), GB_ESYNTAX },
        { "preset 0", S("A50F018200000037"), GB_ERANGE },
        { "unknown 50", S("A50F015000000005"), GB_EUNSUPPORTED },
        { "unknown 8B", S("A50F018B00000040"), GB_EUNSUPPORTED },
        { "scan 3", S("A50F018901030042"), GB_EUNSUPPORTED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_ptz got;
        struct gb_diag diag = { 0 };
        int err = manscdp_ptz_parse(&got, guarded(cases[i].hex), &diag);

        if (err != cases[i].err || !!err != !!diag.why)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static void every_prefix(void **state)
{
    struct slice hex = SLICE("A50F012932325092");
    struct manscdp_ptz got;

    (void)state;
    for (size_t n = 0; n < hex.n; n++)
        assert_int_equal(
            manscdp_ptz_parse(&got, guarded(slice_head(hex, n)), NULL),
            GB_ESYNTAX);
}

static void what_cannot_be_written(void **state)
{
    static const struct manscdp_ptz cases[] = {
        { .op = MANSCDP_PTZ_OP_COUNT },
        { .op = MANSCDP_PTZ_PRESET_SET },
        { .op = MANSCDP_PTZ_MOVE, .address = 0x1000 },
        { .op = MANSCDP_PTZ_MOVE, .zoom = 1, .zoom_speed = 16 },
        { .op = MANSCDP_PTZ_CRUISE_DWELL, .value = 0x1000 },
    };
    char text[16];
    struct writer w;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        w = writer_of(text, sizeof(text));
        assert_int_equal(manscdp_ptz_write(&w, &cases[i]), GB_ERANGE);
        assert_int_equal(w.len, 0);
    }
    w = writer_of(text, 15);
    assert_int_equal(manscdp_ptz_write(&w, &examples[0].c), GB_ENOMEM);
}

static void names(void **state)
{
    enum manscdp_ptz_op op;

    (void)state;
    for (unsigned i = 0; i < MANSCDP_PTZ_OP_COUNT; i++) {
        assert_true(manscdp_ptz_by_name(slice_str(manscdp_ptz_name(i)), &op));
        assert_int_equal(op, i);
    }
    assert_null(manscdp_ptz_name(MANSCDP_PTZ_OP_COUNT));
    assert_false(manscdp_ptz_by_name(SLICE("dance"), &op));
    assert_true(manscdp_ptz_is_stop(&examples[0].c));
    assert_false(manscdp_ptz_is_stop(&examples[1].c));
    assert_false(manscdp_ptz_is_stop(
        &(struct manscdp_ptz){ .op = MANSCDP_PTZ_PRESET_CALL, .preset = 1 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_both_ways),
        cmocka_unit_test(all_movements),
        cmocka_unit_test(all_values),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(what_cannot_be_written),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
