/* Bodies made of tables: the standard's bytes, deviations, cuts and failing memory;
 * the order of elements is test_body_order.c's. */
#include "test/body_world.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n"

/* ---- the standard's examples ------------------------------------------------ */

static void examples_to_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct manscdp_dialect d = { examples[i].edition, MANSCDP_GB2312 };
        struct slice in = example(examples[i].name), got;
        struct writer w = writer_of(text, sizeof(text));
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(in)), 0);
        assert_int_equal(manscdp_body_decode(body_of(&m), &value, &m), 0);
        assert_int_equal(manscdp_body_encode(&w, &d, body_of(&m), &value), 0);
        got = writer_slice(&w);
        if (slice_has_prefix(got, SLICE(DECLARATION)) &&
            !slice_has_prefix(in, SLICE("<?xml")))
            got = slice_from(got, sizeof(DECLARATION) - 1);
        if (!slice_eq(got, in))
            fail_msg("%s: got\n%.*s", examples[i].name, SLICE_ARG(got));
        free((void *)(uintptr_t)in.p);
    }
}

/* The element of a command counts in its own form alone. */
static void commands_in_their_form(void **state)
{
    static const struct {
        const char *element;
        const struct manscdp_body *want;
    } cases[] = {
        { "<PTZCmd>A50F0100000000B5</PTZCmd>", &manscdp_control_ptz_body },
        { "<PTZCmd><x/></PTZCmd>", NULL },
        { "<PTZCmd/>", NULL },
        { "<PTZCmd/><PTZCmd>A5</PTZCmd>", &manscdp_control_ptz_body },
        { "<HomePosition>1</HomePosition>", NULL },
        { "<HomePosition><Enabled>0</Enabled></HomePosition>",
          &manscdp_control_home_body },
        { "<PTZCmd><x/></PTZCmd><GuardCmd>SetGuard</GuardCmd>",
          &manscdp_control_guard_body },
        { "<IFameCmd>Send</IFameCmd>", &manscdp_control_iframe_body },
        { "<DragZoomIn/>", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char in[300];
        struct manscdp_msg m;

        snprintf(in, sizeof(in),
                 "<Control><CmdType>DeviceControl</CmdType><SN>1</SN>%s"
                 "</Control>",
                 cases[i].element);
        assert_int_equal(parse(&m, guarded(slice_str(in))), 0);
        if (manscdp_body_of(&m) != cases[i].want)
            fail_msg("%s", cases[i].element);
        if (!cases[i].want)
            assert_int_equal(
                manscdp_body_decode(&manscdp_control_ptz_body, &value, &m),
                GB_ESYNTAX);
    }
}

/* Each body is found again by its row, in each spelling; members that are
 * taken out one by one and put back make the same bytes. */
static void members_by_their_rows(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_UTF8 };
    size_t n;
    const struct manscdp_body *const *b = manscdp_bodies(&n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(manscdp_body_for(b[i]->root, b[i]->cmd, b[i]->sub),
                         b[i]);
    assert_ptr_equal(manscdp_body_for(MANSCDP_CONTROL,
                                      MANSCDP_CMD_DEVICE_CONTROL,
                                      SLICE("ifamecmd")),
                     &manscdp_control_iframe_body);
    assert_null(manscdp_body_for(MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL,
                                 SLICE("StreamNumber")));
    assert_null(manscdp_body_for(MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL,
                                 SLICE("")));
    assert_null(manscdp_body_for(MANSCDP_QUERY, MANSCDP_CMD_DEVICE_STATUS,
                                 SLICE("")));
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct slice in = example(examples[i].name);
        static char copy[sizeof(value)], again[1 << 16];
        struct writer w = writer_of(text, sizeof(text));
        struct writer w2 = writer_of(again, sizeof(again));
        struct manscdp_msg m;
        const struct manscdp_body *body;

        assert_int_equal(parse(&m, in), 0);
        body = body_of(&m);
        assert_int_equal(manscdp_body_decode(body, &value, &m), 0);
        memset(copy, 0, sizeof(copy));
        memcpy(copy, &value, sizeof(struct manscdp_head));
        for (size_t k = 0; k < body->shape->n; k++) {
            struct manscdp_value v;

            manscdp_field_get(&v, &body->shape->field[k], &value);
            manscdp_field_set(copy, &body->shape->field[k], &v);
        }
        assert_int_equal(manscdp_body_encode(&w, &d, body, &value),
                         manscdp_body_encode(&w2, &d, body, copy));
        assert_true(slice_eq(writer_slice(&w), writer_slice(&w2)));
        free((void *)(uintptr_t)in.p);
    }
}

static void results_alone(void **state)
{
    static const struct {
        const char *name;
        enum manscdp_cmd cmd;
        uint32_t sn;
    } cases[] = {
        { "control-response", MANSCDP_CMD_DEVICE_CONTROL, 11 },
        { "broadcast-response", MANSCDP_CMD_BROADCAST, 992 },
    };
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = example(cases[i].name);
        struct writer w = writer_of(text, sizeof(text));
        struct manscdp_response r;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(in)), 0);
        assert_int_equal(manscdp_response_decode(&r, &m), 0);
        assert_int_equal(r.cmd, cases[i].cmd);
        assert_int_equal(r.sn, cases[i].sn);
        assert_int_equal(manscdp_response_encode(&w, &d, &r), 0);
        assert_true(slice_eq(
            slice_from(writer_slice(&w), sizeof(DECLARATION) - 1), in));
        free((void *)(uintptr_t)in.p);
    }
}

static void no_prefix_is_a_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct slice in = example(examples[i].name);
        size_t end = in.n, end_tag;

        while (in.p[end - 1] != '>')
            end--;
        for (end_tag = end - 1; in.p[end_tag] != '/';)
            end_tag--; /* of the root: what lies before it is all there is */
        for (size_t n = 0; n < end; n++) {
            struct slice cut = guarded(slice_head(in, n));
            struct manscdp_msg m;
            const struct manscdp_body *b;

            if (parse(&m, cut))
                continue;
            assert_true(n > end_tag ? m.doc.repaired
                                    : m.doc.salvaged); /* told as broken */
            b = manscdp_body_of(&m);
            if (b)
                assert_int_equal(manscdp_body_decode(b, &value, &m), 0);
        }
        free((void *)(uintptr_t)in.p);
    }
}

static void memory_fails(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct slice in = example(examples[i].name);
        const struct manscdp_body *b;
        struct manscdp_msg m;
        size_t used, cap;
        struct writer w;
        int err;

        assert_int_equal(parse(&m, in), 0);
        b = body_of(&m);
        used = m.arena->used;
        for (cap = used; cap < used + 65536; cap += 8) {
            m.arena->used = used;
            m.arena->cap = cap;
            err = manscdp_body_decode(b, &value, &m);
            if (!err)
                break;
            assert_int_equal(err, GB_ENOMEM);
        }
        assert_true(cap < used + 65536);
        w = writer_of(text, sizeof(text));
        err = manscdp_body_encode(&w, &d, b, &value);
        for (size_t room = 0; !err && room < w.len; room += 7) {
            struct writer small = writer_of(text, room);

            assert_int_equal(manscdp_body_encode(&small, &d, b, &value),
                             GB_ENOMEM);
        }
        free((void *)(uintptr_t)in.p);
    }
}

/* ---- what devices do --------------------------------------------------------- */

#define ANSWER(rest)                                                           \
    S("<Response><CmdType>ConfigDownload</CmdType><SN>1</SN>"                  \
      "<DeviceID>34</DeviceID>" rest "</Response>")

static void config_by_another_name(void **state)
{
    static const struct {
        const char *name;
        struct slice in, type;
        bool has;
    } cases[] = {
        { "as it should", ANSWER("<Result>OK</Result><BasicParam><Name>n"
                                 "</Name></BasicParam>"),
          S("BasicParam"), true },
        { "another name", ANSWER("<Result>OK</Result><Basic><Name>n</Name>"
                                 "</Basic>"),
          S("BasicParam"), true },
        { "nested", ANSWER("<Config><BasicParam><Name>n</Name></BasicParam>"
                           "</Config>"),
          S("BasicParam"), true },
        { "not asked", ANSWER("<Basic><Name>n</Name></Basic>"), S(""),
          false },
        { "refused", ANSWER("<Result>ERROR</Result>"), S("BasicParam"),
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_config_answer a;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(
            manscdp_config_answer_decode_as(&a, &m, cases[i].type), 0);
        if ((a.basic_param != NULL) != cases[i].has ||
            (a.basic_param && !slice_eq(a.basic_param->name, SLICE("n"))) ||
            (a.basic_param && a.result != MANSCDP_OK))
            fail_msg("%s", cases[i].name);
    }
}

static void no_password_out_of_an_answer(void **state)
{
    struct slice in = (struct slice)ANSWER(
        "<BasicParam><Name>n</Name><Password>secret</Password></BasicParam>");
    struct manscdp_config_answer a;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(parse(&m, in), 0);
    assert_int_equal(manscdp_config_answer_decode(&a, &m), 0);
    assert_int_equal(a.basic_param->password.n, 0);
}

static void numbers_as_devices_write_them(void **state)
{
#define HOME(v)                                                                \
    S("<Control><CmdType>DeviceControl</CmdType><SN>1</SN>"                    \
      "<DeviceID>34</DeviceID><HomePosition><Enabled>" v "</Enabled>"          \
      "</HomePosition></Control>")
    static const struct {
        struct slice in;
        bool has, good;
        uint32_t v;
    } cases[] = {
        { HOME("1"), true, true, 1 },     { HOME("1.0"), true, true, 1 },
        { HOME("True"), true, true, 1 },  { HOME("OFF"), true, true, 0 },
        { HOME("-1"), false, false, 0 },  { HOME("on!"), false, false, 0 },
        { HOME("2"), true, false, 2 },    { HOME(" 0 "), true, true, 0 },
        { HOME("4294967296"), false, false, 0 },
    };
#undef HOME
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_control_home c;
        struct manscdp_msg m;
        struct slice fault;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_control_home_decode(&c, &m), 0);
        assert_int_equal(c.home->enabled.has, cases[i].has);
        assert_int_equal(c.home->enabled.v, cases[i].v);
        fault = manscdp_body_fault(&d, &manscdp_control_home_body, &c);
        assert_true(slice_eq(fault, cases[i].good ? slice_of(NULL, 0)
                                                  : SLICE("Enabled")));
    }
}

static void what_is_not_written(void **state)
{
    static const struct manscdp_dialect old = { MANSCDP_2011, MANSCDP_GB2312 };
    static const struct manscdp_dialect new = { MANSCDP_2022, MANSCDP_GB2312 };
    struct manscdp_control_iframe frame = { .send = 1 };
    struct manscdp_config_set set = { 0 };
    struct manscdp_snapshot snap = {
        .number = { true, 11 }, .interval_s = { true, 1 },
        .url = SLICE("http://a/"), .session = SLICE(SESSION),
    };
    struct manscdp_control_upgrade none = { 0 };
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_control_iframe_encode(&w, &old, &frame),
                     GB_EUNSUPPORTED);
    assert_int_equal(w.len, 0);
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_control_upgrade_encode(&w, &new, &none),
                     GB_ERANGE);
    set.snapshot = &snap;
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_config_set_encode(&w, &new, &set), GB_ERANGE);
    assert_int_equal(w.len, 0);
    snap.number.v = 10;
    snap.session = SLICE("too short");
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_config_set_encode(&w, &new, &set), GB_ERANGE);
    snap.session = SLICE(SESSION);
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_config_set_encode(&w, &new, &set), 0);
}

static void empty_lists(void **state)
{
    static const struct {
        enum manscdp_edition edition;
        bool written;
    } cases[] = { { MANSCDP_2011, true }, { MANSCDP_2014, false },
                  { MANSCDP_2016, false }, { MANSCDP_2022, false } };
    const struct manscdp_record_answer a = {
        .head = { .sn = 1, .device_id = SLICE("34") },
        .sum_num = { true, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_dialect d = { cases[i].edition, MANSCDP_GB2312 };
        struct writer w = writer_of(text, sizeof(text));
        bool found;

        assert_int_equal(manscdp_record_answer_encode(&w, &d, &a), 0);
        found = slice_find_slice(writer_slice(&w),
                                 SLICE("<RecordList Num=\"0\">")) < w.len;
        assert_int_equal(found, cases[i].written);
    }
}

static void methods_and_extensions(void **state)
{
    struct slice in = SLICE(
        "<Control><CmdType>DeviceControl</CmdType><SN>1</SN><DeviceID>34"
        "</DeviceID><AlarmCmd>ResetAlarm</AlarmCmd><Info><AlarmMethod>2/5"
        "</AlarmMethod></Info><Info>vendor</Info></Control>");
    static const struct manscdp_dialect old = { MANSCDP_2016, MANSCDP_GB2312 };
    static const struct manscdp_dialect new = { MANSCDP_2022, MANSCDP_GB2312 };
    struct manscdp_control_alarm c;
    struct manscdp_msg m;
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(parse(&m, in), 0);
    assert_int_equal(manscdp_control_alarm_decode(&c, &m), 0);
    assert_int_equal(c.head.n_extra, 1);
    assert_int_equal(manscdp_control_alarm_encode(&w, &old, &c), 0);
    assert_true(slice_find_slice(writer_slice(&w), SLICE(">25<")) < w.len);
    assert_true(slice_find_slice(writer_slice(&w),
                                 SLICE("<Info>vendor</Info>")) < w.len);
    w = writer_of(text, sizeof(text));
    assert_int_equal(manscdp_control_alarm_encode(&w, &new, &c), 0);
    assert_true(slice_find_slice(writer_slice(&w), SLICE(">2/5<")) < w.len);
    assert_true(slice_find_slice(writer_slice(&w),
                                 SLICE("<ExtraInfo>vendor<")) < w.len);
    assert_true(manscdp_methods_have(SLICE("25"), 5));
    assert_true(manscdp_methods_have(SLICE("2/5"), 2));
    assert_false(manscdp_methods_have(SLICE("2/5"), 4));
    assert_true(manscdp_methods_have(SLICE("0"), 4));
    assert_true(manscdp_methods_have(SLICE(""), 4));
}

/* What would be written as an empty element, and so read as none, is left out:
 * what was written is written the same again. */
static void texts_without_anything(void **state)
{
    static const struct {
        struct slice method, type, want;
    } cases[] = {
        { S("2"), S("1"), S("<AlarmMethod>2</AlarmMethod>\r\n"
                            "<AlarmType>1</AlarmType>\r\n") },
        { S("??"), S("1"), S("<AlarmType>1</AlarmType>\r\n") },
        { S("/"), S("\1\x1f"), S("") },
        { S("2"), S(" \1 "), S("<AlarmMethod>2</AlarmMethod>\r\n") },
    };
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_alarm_query q = {
            .head = { .sn = 1, .device_id = SLICE("34") },
            .method = cases[i].method, .type = cases[i].type,
        };
        char again[1024];
        struct writer w = writer_of(text, sizeof(text));
        struct writer w2 = writer_of(again, sizeof(again));
        struct slice got;
        struct manscdp_msg m;

        assert_int_equal(manscdp_alarm_query_encode(&w, &d, &q), 0);
        got = writer_slice(&w);
        assert_int_equal(parse(&m, got), 0);
        assert_int_equal(manscdp_alarm_query_decode(&q, &m), 0);
        assert_int_equal(manscdp_alarm_query_encode(&w2, &d, &q), 0);
        assert_true(slice_eq(writer_slice(&w2), got));
        got = slice_from(got, slice_find_slice(got, SLICE("</DeviceID>\r\n")));
        got = slice_from(got, sizeof("</DeviceID>\r\n") - 1);
        if (!slice_eq(slice_head(got, slice_find_slice(got, SLICE("</Query>"))),
                      cases[i].want))
            fail_msg("%zu: %.*s", i, SLICE_ARG(got));
    }
}

static void which_control(void **state)
{
    static const struct {
        struct slice in;
        const char *sub; /* NULL: none */
    } cases[] = {
        { S("<Control CmdType='DeviceControl'><IFameCmd>Send</IFameCmd>"
            "</Control>"), "IFameCmd" },
        { S("<Control CmdType='DeviceControl'><Info/><ptzcmd>A5</ptzcmd>"
            "</Control>"), "PTZCmd" },
        { S("<Control CmdType='DeviceControl'><Dance>1</Dance></Control>"),
          NULL },
        { S("<Query CmdType='DeviceControl'><PTZCmd>1</PTZCmd></Query>"),
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct manscdp_row *row;
        struct manscdp_msg m;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        row = manscdp_control_row(&m);
        assert_int_equal(row != NULL, cases[i].sub != NULL);
        if (row)
            assert_string_equal(row->sub.p, cases[i].sub);
    }
}

static void none_of_the_table(void **state)
{
#define IN(root, cmd, rest)                                                    \
    S("<" root "><CmdType>" cmd "</CmdType><SN>1</SN><DeviceID>34</DeviceID>"  \
      rest "</" root ">")
    static const struct slice in[] = {
        IN("Control", "DeviceControl", ""),
        IN("Control", "DeviceControl", "<PTZCmd><x>1</x></PTZCmd>"),
        IN("Control", "DeviceControl", "<DragZoomIn>1</DragZoomIn>"),
        IN("Query", "Catalog", ""),
        IN("Response", "Nothing", ""),
    };
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    const struct manscdp_control_ptz empty = { .head = { .sn = 1 } };
    struct writer w = writer_of(text, sizeof(text));
    struct manscdp_presets presets;
    struct manscdp_msg m;

    (void)state;
    assert_int_equal(manscdp_control_ptz_encode(&w, &d, &empty), GB_ERANGE);
    for (size_t i = 0; i < COUNT(in); i++) {
        assert_int_equal(parse(&m, guarded(in[i])), 0);
        if (manscdp_body_of(&m))
            fail_msg("%zu is something", i);
        assert_int_equal(manscdp_presets_decode(&presets, &m), GB_ESYNTAX);
    }
}

/* What an edition demands, or forbids by its range. */
static void faults_by_name(void **state)
{
    static const struct {
        struct slice in;
        enum manscdp_edition edition;
        const char *fault;
    } cases[] = {
        { IN("Query", "RecordInfo", ""), MANSCDP_2011, "" },
        { IN("Query", "RecordInfo", ""), MANSCDP_2016, "" },
        { IN("Control", "DeviceControl",
             "<HomePosition><ResetTime>1</ResetTime></HomePosition>"),
          MANSCDP_2022, "Enabled" },
        { IN("Control", "DeviceControl", "<TeleBoot>maybe</TeleBoot>"),
          MANSCDP_2022, "TeleBoot" },
        { IN("Control", "DeviceControl",
             "<DragZoomIn><Length>1</Length></DragZoomIn>"),
          MANSCDP_2016, "Width" },
        { IN("Control", "DeviceConfig",
             "<BasicParam><Expiration>60</Expiration></BasicParam>"),
          MANSCDP_2022, "Expiration" },
        { IN("Response", "ConfigDownload",
             "<Result>OK</Result><BasicParam><Name>a</Name></BasicParam>"),
          MANSCDP_2016, "Expiration" },
        { IN("Notify", "UploadSnapShotFinished",
             "<SessionID>short</SessionID>"), MANSCDP_2022, "SessionID" },
        { IN("Notify", "MobilePosition", "<Time>x</Time>"), MANSCDP_2016,
          "Longitude" },
        { IN("Notify", "PTZPosition", "<Pan>10deg</Pan><Tilt>NaN</Tilt>"),
          MANSCDP_2022, "" },
    };
#undef IN

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_dialect d = { cases[i].edition, MANSCDP_GB2312 };
        struct manscdp_msg m;
        struct slice fault;

        assert_int_equal(parse(&m, guarded(cases[i].in)), 0);
        assert_int_equal(manscdp_body_decode(body_of(&m), &value, &m), 0);
        fault = manscdp_body_fault(&d, body_of(&m), &value);
        if (!slice_eq(fault, slice_str(cases[i].fault)))
            fail_msg("%zu: %.*s", i, SLICE_ARG(fault));
    }
}

/* What one says stays, what it does not is another's. */
static void filling_up(void **state)
{
    static struct manscdp_basic_param one = { .name = S("a") };
    static struct manscdp_basic_param other = {
        .name = S("b"), .heartbeats = { true, 3 }
    };
    static const struct manscdp_osd_text line = { .text = S("t") };
    static struct manscdp_osd osd = { .text = &line, .n_text = 1 };
    struct manscdp_config_answer out = { .basic_param = &one };
    const struct manscdp_config_answer from = {
        .result = MANSCDP_ERROR, .basic_param = &other, .osd = &osd,
        .frame_mirror = { true, 2 },
    };

    (void)state;
    manscdp_shape_fill(manscdp_config_answer_body.shape, &out, &from);
    assert_int_equal(out.result, MANSCDP_ERROR);
    assert_true(slice_eq(one.name, SLICE("a")));
    assert_int_equal(one.heartbeats.v, 3);
    assert_ptr_equal(out.osd, &osd);
    assert_int_equal(out.frame_mirror.v, 2);
    manscdp_shape_fill(manscdp_config_answer_body.shape, &out, &from);
    assert_int_equal(out.osd->n_text, 1);
}

static void keys_of_records(void **state)
{
    const struct manscdp_record_item r = {
        .device_id = SLICE("34"), .start_time = SLICE("a"),
        .end_time = SLICE("b"), .type = SLICE("time"),
    };
    char key[64];
    struct writer w = writer_of(key, sizeof(key));

    (void)state;
    manscdp_record_key(&w, &r);
    assert_true(slice_eq(writer_slice(&w), SLICE("34|a|b||time")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_to_the_byte),
        cmocka_unit_test(commands_in_their_form),
        cmocka_unit_test(members_by_their_rows),
        cmocka_unit_test(results_alone),
        cmocka_unit_test(no_prefix_is_a_whole),
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(config_by_another_name),
        cmocka_unit_test(no_password_out_of_an_answer),
        cmocka_unit_test(numbers_as_devices_write_them),
        cmocka_unit_test(what_is_not_written),
        cmocka_unit_test(empty_lists),
        cmocka_unit_test(methods_and_extensions),
        cmocka_unit_test(texts_without_anything),
        cmocka_unit_test(which_control),
        cmocka_unit_test(none_of_the_table),
        cmocka_unit_test(faults_by_name),
        cmocka_unit_test(filling_up),
        cmocka_unit_test(keys_of_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
