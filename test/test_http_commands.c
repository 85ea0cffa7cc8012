/* Commands over the API. */
#include "test/http_fixture.h"

#define COMMANDS "/api/v1/devices/" D1 "/commands"
#define STATUS "{\"cmd\":\"DeviceStatus\"}"

static void commands_ordered(void **state)
{
    static const struct {
        const char *path, *body;
        unsigned status;
        const char *order;
    } cases[] = {
        { COMMANDS, STATUS, 202, "DeviceStatus " },
        { COMMANDS,
          "{\"cmd\":\"ConfigDownload\",\"channel\":\"" C1 "\","
          "\"params\":{\"ConfigType\":\"BasicParam\"}}",
          202, "ConfigDownload " C1 " <ConfigType>BasicParam</ConfigType>" },
        { "/api/v1/devices/" D1 "/alarm-reset", "", 202,
          "DeviceControl " D1 " <AlarmCmd>ResetAlarm</AlarmCmd>" },
        { "/api/v1/devices/" D1 "/channels/" C1 "/alarm-reset",
          "{\"AlarmMethod\":\"2/5\"}", 202,
          "DeviceControl " C1 " <AlarmCmd>ResetAlarm</AlarmCmd>"
          "<Info><AlarmMethod>25</AlarmMethod></Info>" },
        { "/api/v1/devices/x/commands", STATUS, 404, NULL },
        { COMMANDS, "", 400, NULL },
        { COMMANDS, "[]", 400, NULL },
        { COMMANDS, "{}", 400, NULL },
        { COMMANDS, "{\"cmd\":7}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"A\"}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"more\":1}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"params\":[]}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"params\":{\"b\":1}}", 422,
          NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"channel\":null}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"edition\":\"2\"}", 400, NULL },
        { COMMANDS, "{\"cmd\":\"DeviceStatus\",\"extra\":[]}", 422, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask("POST", cases[i].path, TOKEN, cases[i].body);

        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, status, fx.last.body);
        if (cases[i].order)
            assert_string_equal(fake.order, cases[i].order);
    }
}

/* However long a name is that is refused, it is said why. */
static void long_names(void **state)
{
    static const char *const bodies[] = {
        "{\"cmd\":\"DeviceStatus\",\"params\":{\"%s\":1}}",
        "{\"cmd\":\"DeviceConfig\",\"params\":{\"%s\":1}}",
        "{\"cmd\":\"DeviceConfig\",\"params\":{\"BasicParam\":{\"%s\":1}}}",
        "{\"cmd\":\"DeviceStatus\",\"extra\":{\"%s\":{\"%s\":{\"%s\":[true]}}}}",
    };
    char name[1001], text[4096];

    (void)state;
    memset(name, 'A', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < COUNT(bodies); i++) {
        snprintf(text, sizeof(text), bodies[i], name, name, name);
        assert_in_range(ask("POST", COMMANDS, TOKEN, text), 400, 422);
        assert_true(body_has("\"detail\":\"") && body_has("\"detail_zh\":\""));
    }
}

static void the_platform_refuses(void **state)
{
    static const struct {
        int err;
        unsigned status;
    } cases[] = { { GB_ESTATE, 409 }, { GB_ELIMIT, 503 }, { GB_ESYNTAX, 400 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.set_err = cases[i].err;
        assert_int_equal(ask("POST", COMMANDS, TOKEN, STATUS),
                         cases[i].status);
    }
}

/* Newest first, by pages and filters. */
static void commands_listed(void **state)
{
    static const struct {
        const char *target, *body;
    } orders[] = {
        { COMMANDS, STATUS }, { COMMANDS, STATUS },
        { "/api/v1/devices/" D1 "/alarm-reset", "" },
        { "/api/v1/devices/" D1 "/channels/" C1 "/alarm-reset", "" },
    };
    json_t *j;

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++)
        assert_int_equal(ask("POST", orders[i].target, TOKEN, orders[i].body),
                         202);
    assert_int_equal(get("/api/v1/commands?limit=3"), 200);
    j = body();
    assert_string_equal(text_of(j, "next"), "2");
    assert_int_equal(number_of(j, "total"), 4);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?limit=3&cursor=2"), 200);
    j = body();
    assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?state=sent"), 200);
    j = body();
    assert_int_equal(number_of(j, "total"), 1);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?device=" D1), 200);
    j = body();
    assert_int_equal(number_of(j, "total"), 2);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands/9"), 404);
    assert_int_equal(get("/api/v1/commands/x"), 404);
    assert_int_equal(get("/api/v1/commands?cursor=x"), 400);
}

/* A device that is never heard to list its presets: each number can be set,
 * called and deleted all the same, and no other. */
static void note_11_3_presets_by_number(void **state)
{
    static const struct {
        const char *method, *tail;
        const char code; /* byte 4 of the command */
    } verbs[] = {
        { "PUT", "", '1' }, { "POST", "/call", '2' }, { "DELETE", "", '3' },
    };

    (void)state;
    for (unsigned n = 0; n <= 256; n++)
        for (size_t i = 0; i < COUNT(verbs); i++) {
            char target[200], want[16];

            snprintf(target, sizeof(target),
                     "/api/v1/devices/" D1 "/channels/" C1 "/presets/%u%s", n,
                     verbs[i].tail);
            assert_int_equal(ask(verbs[i].method, target, TOKEN, ""),
                             n >= 1 && n <= 255 ? 202 : 422);
            if (fx.last.status != 202)
                continue;
            snprintf(want, sizeof(want), "8%c00%02X", verbs[i].code, n);
            assert_memory_equal(fake.order + 6, want, 6);
        }
}

/* Each action wants what it uses and nothing else. */
static void note_11_11_each_action_has_its_fields(void **state)
{
    static const struct {
        const char *json;
        unsigned status;
    } cases[] = {
        { "{\"action\":\"stop\"}", 202 },
        { "{\"action\":\"stop\",\"speed\":1}", 202 },
        { "{\"action\":\"left\"}", 202 },
        { "{\"action\":\"preset_call\",\"preset\":1}", 202 },
        { "{\"action\":\"preset_call\"}", 422 },
        { "{\"action\":\"scan_start\"}", 422 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask("POST", "/api/v1/devices/" D1 "/channels/" C1
                              "/ptz", TOKEN, cases[i].json);

        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].json, status, fx.last.body);
    }
}

/* A movement that is bound to its connection ends with it, at once; unless it
 * was stopped, or somebody else has taken over since. */
static void movements_of_lost_clients(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/channels/" C1 "/ptz";
    static const char bound[] = "{\"action\":\"up\",\"bound\":true}";
    static const struct {
        const char *name, *then; /* asked by then_client behind the movement */
        uint64_t then_client, closes;
        bool is_stopped;
    } cases[] = {
        { "it is lost", NULL, 0, 1, true },
        { "another is lost", NULL, 0, 2, false },
        { "renewed", bound, 1, 1, true },
        { "stopped before", "{\"action\":\"stop\"}", 1, 1, false },
        { "taken over", bound, 2, 1, false },
        { "taken over, and lost then", bound, 2, 2, true },
        { "not bound any more", "{\"action\":\"down\"}", 1, 1, false },
        { "a preset changes nothing of it",
          "{\"action\":\"preset_set\",\"preset\":1}", 1, 1, true },
        { "asked wrongly", "{\"action\":\"up\",\"bound\":1}", 1, 1, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fx.client = 1;
        assert_int_equal(ask("POST", path, TOKEN, bound), 202);
        fx.client = cases[i].then_client;
        if (cases[i].then)
            ask("POST", path, TOKEN, cases[i].then);
        fake.order[0] = '\0';
        fx.touched = 0;
        http_app_closed(fx.app, cases[i].closes);
        if (cases[i].is_stopped != (strcmp(fake.order, "stop " C1) == 0) ||
            cases[i].is_stopped != (fx.touched == 1))
            fail_msg("%s: %s", cases[i].name, fake.order);
        fake.order[0] = '\0';
        http_app_closed(fx.app, cases[i].closes);
        assert_string_equal(fake.order, ""); /* once */
        http_app_closed(fx.app, 3 - cases[i].closes);
    }
    fx.client = 0; /* a connection that nobody knows binds nothing */
    assert_int_equal(ask("POST", path, TOKEN, bound), 202);
    fake.order[0] = '\0';
    http_app_closed(fx.app, 0);
    assert_string_equal(fake.order, "");
}

#define PTZ "/api/v1/devices/" D1 "/channels/" C1 "/ptz"
#define PRESET "/api/v1/devices/" D1 "/channels/" C1 "/presets"

static const struct {
    const char *method, *path, *body;
    unsigned status;
    const char *order; /* or what the problem says */
} ptz_cases[] = {
    { "POST", PTZ, "{\"action\":\"right\",\"speed\":50}", 202,
      "A50F0101320000E8 " C1 " " },
    { "POST", PTZ, "{\"action\":\"up_left\",\"speed\":50}", 202,
      "A50F010A32320023 " C1 " " },
    { "POST", PTZ, "{\"action\":\"move\",\"pan\":1,\"tilt\":1,"
                   "\"zoom\":-1,\"speed\":50,\"zoom_speed\":5}", 202,
      "A50F012932325092 " C1 " " },
    { "POST", PTZ, "{\"action\":\"zoom_in\",\"zoom_speed\":5}", 202,
      "A50F011000005015 " C1 " " },
    { "POST", PTZ, "{\"action\":\"zoom_out\",\"speed\":255}", 202,
      "A50F01200000F0C5 " C1 " " },
    { "POST", PTZ, "{\"action\":\"focus_far\",\"speed\":50}", 202,
      "A50F014132000028 " C1 " " },
    { "POST", PTZ, "{\"action\":\"iris_close\",\"speed\":50}", 202,
      "A50F01480032002F " C1 " " },
    { "POST", PTZ, "{\"action\":\"lens\",\"focus\":1,\"iris\":-1,"
                   "\"focus_speed\":32,\"iris_speed\":48}", 202,
      "A50F01492030004E " C1 " " },
    { "POST", PTZ, "{\"action\":\"stop\"}", 202, "stop " C1 },
    { "POST", PTZ, "{\"action\":\"stop\",\"speed\":5}", 202,
      "stop " C1 },
    { "POST", PTZ, "{\"action\":\"move\"}", 202,
      "A50F0100000000B5 " C1 " " },
    { "POST", PTZ, "{\"action\":\"preset_call\",\"preset\":255}", 202,
      "A50F018200FF0036 " C1 " " },
    { "POST", PTZ, "{\"action\":\"cruise_add\",\"group\":1,"
                   "\"preset\":3,\"name\":\"night\"}", 202,
      "A50F01840103003D " C1 " night" },
    { "POST", PTZ, "{\"action\":\"cruise_delete\",\"group\":1,"
                   "\"preset\":0}", 202, "A50F01850100003B " C1 " " },
    { "POST", PTZ, "{\"action\":\"cruise_speed\",\"group\":1,"
                   "\"value\":300}", 202, "A50F0186012C1078 " C1 " " },
    { "POST", PTZ, "{\"action\":\"cruise_dwell\",\"group\":1,"
                   "\"value\":600}", 202, "A50F0187015820B5 " C1 " " },
    { "POST", PTZ, "{\"action\":\"cruise_start\",\"group\":1}", 202,
      "A50F01880100003E " C1 " " },
    { "POST", PTZ, "{\"action\":\"scan_start\",\"group\":1}", 202,
      "A50F01890100003F " C1 " " },
    { "POST", PTZ, "{\"action\":\"scan_right\",\"group\":1}", 202,
      "A50F018901020041 " C1 " " },
    { "POST", PTZ, "{\"action\":\"scan_speed\",\"group\":1,"
                   "\"value\":5}", 202, "A50F018A01050045 " C1 " " },
    { "POST", PTZ, "{\"action\":\"wiper_on\"}", 202,
      "A50F018C01000042 " C1 " " },
    { "POST", PTZ, "{\"action\":\"aux_off\",\"group\":1}", 202,
      "A50F018D01000043 " C1 " " },
    { "PUT", PRESET "/1", "{\"name\":\"door\"}", 202,
      "A50F018100010037 " C1 " door" },
    { "PUT", PRESET "/1", "", 202, "A50F018100010037 " C1 " " },
    { "POST", PRESET "/1/call", "", 202, "A50F018200010038 " C1 " " },
    { "DELETE", PRESET "/1", "", 202, "A50F018300010039 " C1 " " },
    { "GET", PRESET, "", 202, "PresetQuery " C1 },
    { "GET", "/api/v1/devices/" D1 "/config", "", 202,
      "ConfigDownload " D1 " <ConfigType>BasicParam</ConfigType>" },
    { "GET", "/api/v1/devices/" D1 "/channels/" C1
      "/config?type=SVACDecodeConfig/VideoParamOpt", "", 202,
      "ConfigDownload " C1 " <ConfigType>SVACDecodeConfig/VideoParamOpt"
      "</ConfigType>" },
    { "PATCH", "/api/v1/devices/" D1 "/config",
      "{\"BasicParam\":{\"Name\":\"a\"}}", 202,
      "DeviceConfig " D1 " <BasicParam><Name>a</Name></BasicParam>" },
    { "POST", "/api/v1/devices/" D1 "/guard",
      "{\"GuardCmd\":\"SetGuard\"}", 202,
      "DeviceControl " D1 " <GuardCmd>SetGuard</GuardCmd>" },
    { "POST", "/api/v1/devices/" D1 "/channels/" C1 "/guard",
      "{\"GuardCmd\":\"ResetGuard\"}", 202,
      "DeviceControl " C1 " <GuardCmd>ResetGuard</GuardCmd>" },

    { "POST", PTZ, "", 400, "an object with an action" },
    { "POST", PTZ, "{}", 422, "action: one of stop, left, right, up, " },
    { "POST", PTZ, "{\"action\":\"jump\"}", 422, "action: one of" },
    { "POST", PTZ, "{\"action\":\"up\",\"sped\":1}", 400,
      "sped: allowed are action, speed, pan" },
    { "POST", PTZ, "{\"action\":\"up\",\"speed\":0}", 422,
      "speed: a whole number from 1 to 255 is wanted" },
    { "POST", PTZ, "{\"action\":\"up\",\"zoom_speed\":16}", 422,
      "zoom_speed: a whole number from 0 to 15 is wanted" },
    { "POST", PTZ, "{\"action\":\"up\",\"pan\":0.5}", 422, "pan: " },
    { "POST", PTZ, "{\"action\":\"preset_set\"}", 422,
      "preset is missing, 1 to 255" },
    { "POST", PTZ, "{\"action\":\"preset_set\",\"preset\":0}", 422,
      "preset: a whole number from 1 to 255" },
    { "POST", PTZ, "{\"action\":\"cruise_start\"}", 422,
      "group is missing, 0 to 255" },
    { "POST", PTZ, "{\"action\":\"scan_speed\",\"group\":1}", 422,
      "value is missing, 0 to 4095" },
    { "POST", PTZ, "{\"action\":\"up\",\"name\":1}", 422, "name: " },
    { "POST", PRESET "/0/call", "", 422, "preset: " },
    { "PUT", PRESET "/x", "", 422, "preset: " },
    { "PUT", PRESET "/1", "{\"nam\":\"x\"}", 400, "nam: allowed are name" },
    { "PUT", PRESET "/1", "[]", 400, "an object of name" },
    { "PATCH", "/api/v1/devices/" D1 "/config", "[]", 400, "an object" },
    { "PATCH", "/api/v1/devices/" D1 "/config", "", 422, "one type" },
    { "POST", "/api/v1/devices/" D1 "/guard", "", 422, "one of PTZCmd" },
    { "POST", "/api/v1/devices/x/channels/" C1 "/ptz",
      "{\"action\":\"up\"}", 404, "no such device" },
    { "GET", "/api/v1/devices/x/guard", "", 404, "no such device" },
    { "GET", "/api/v1/devices/" D1 "/guard", "", 200, "ONDUTY" },
};
#undef PTZ
#undef PRESET

/* Everything that PTZ can do, and what is refused. */
static void ptz(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ptz_cases); i++) {
        unsigned status = ask(ptz_cases[i].method, ptz_cases[i].path, TOKEN,
                              ptz_cases[i].body);

        if (status != ptz_cases[i].status)
            fail_msg("%s %s: %u %s", ptz_cases[i].path, ptz_cases[i].body, status,
                     fx.last.body);
        if (status == 202)
            assert_string_equal(fake.order, ptz_cases[i].order);
        else if (!body_has(ptz_cases[i].order))
            fail_msg("%s: %s", ptz_cases[i].body, fx.last.body);
    }
    list_of("/api/v1/devices/" D1 "/guard", "Guard");
}

/* ?wait=: the answer comes when the command is over, or the time. */
static void commands_waited_for(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/commands?wait=5";
    static const char status[] = "{\"cmd\":\"DeviceStatus\"}";
    struct platform_action act = { .kind = PLATFORM_COMMAND_CHANGED,
                                   .command = 1 };
    uint64_t request;

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/commands?wait=61",
                         TOKEN, status), 400);
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/channels/" C1
                                 "/ptz?wait=x", TOKEN,
                         "{\"action\":\"stop\"}"), 400);
    assert_int_equal(fake.n_commands, 0); /* nothing has been sent */
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    request = fx.last.request;
    assert_int_equal(http_app_deadline(fx.app), fx.now.mono_ms + 5000);
    http_on_action(fx.app, &act); /* changed, not over */
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 0);
    fake.commands_final = true;
    http_on_action(fx.app, &act);
    assert_int_equal(http_app_deadline(fx.app), 0);
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.request, request);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"final\":true") && body_has("\"Result\":\"OK\""));
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
    /* over at once: nothing to wait for */
    assert_int_equal(ask("POST", path, TOKEN, status), 202);
    /* it takes too long */
    fake.commands_final = false;
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    fx.now.mono_ms += 4999;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    fx.now.mono_ms += 1;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 2);
    assert_int_equal(fx.last.status, 202);
    /* the client goes, or the command is forgotten */
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    http_app_gone(fx.app, fx.last.request);
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    fake.n_commands = 0;
    fx.now.mono_ms += 5000;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 404);
    fake.n_commands = 1;
    assert_int_equal(ask("POST", path, TOKEN, status), 0); /* and the end */
}

static void command_event(void **state)
{
    const struct platform_action act = { .kind = PLATFORM_COMMAND_CHANGED,
                                         .command = 1 };
    struct buf b;
    uint64_t seq = http_events_last(fx.app->events);

    (void)state;
    buf_init(&b, &gb_alloc_heap, 65536);
    http_app_event_join(fx.app);
    fake.n_commands = 1;
    http_on_action(fx.app, &act);
    assert_true(http_app_event_next(fx.app, 0, &seq, &b));
    assert_true(slice_find_slice(buf_view(&b),
                                 SLICE("event: command\ndata: {\"id\":\"1\"")) <
                b.len);
    buf_fini(&b);
}

/* ---- what only the store knows ------------------------------------------ */

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(commands_ordered),
        APP(long_names),
        APP(the_platform_refuses),
        APP(commands_listed),
        APP(note_11_3_presets_by_number),
        APP(note_11_11_each_action_has_its_fields),
        APP(movements_of_lost_clients),
        APP(ptz),
        APP(commands_waited_for),
        APP(command_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
