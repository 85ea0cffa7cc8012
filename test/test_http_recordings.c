/* What a device has recorded, over the API: one list out of many messages. */
#include "test/http_fixture.h"

#define RECORDINGS "/api/v1/devices/" D1 "/channels/" C1 "/recordings"
#define RANGE "?start=2023-11-15T06:00:00&end=1700010000"
#define ITEM(start, end, path)                                                 \
    "{\"StartTime\":\"" start "\",\"EndTime\":\"" end "\",\"Name\":\"n\","     \
    "\"Type\":\"time\",\"FilePath\":\"" path "\",\"FileSize\":\"1048576\"}"

static struct platform_command answered(const char *json)
{
    return (struct platform_command){
        .device = SLICE(D1), .cmd = SLICE("RecordInfo"),
        .state = PLATFORM_COMMAND_ANSWERED, .is_final = true,
        .answer = slice_str(json),
    };
}

/* The device has said so; the answer's status. */
static unsigned ask_and_hear(const struct platform_command *k)
{
    struct platform_command waiting = { .device = SLICE(D1),
                                        .cmd = SLICE("RecordInfo"),
                                        .state = PLATFORM_COMMAND_SENT };
    struct platform_action act = { .kind = PLATFORM_COMMAND_CHANGED };

    fake.command = &waiting;
    assert_int_equal(ask("GET", RECORDINGS RANGE, TOKEN, ""), 0);
    fake.command = k;
    act.command = fake.n_commands;
    http_on_action(fx.app, &act);
    http_app_tick(fx.app);
    return fx.last.status;
}

static void one_list(void **state)
{
    const struct platform_command k = answered(
        "{\"SumNum\":4,\"RecordList\":["
        ITEM("2023-11-15T07:00:00", "2023-11-15T07:29:59", "/b") ","
        ITEM("2023-11-15T06:00:00", "2023-11-15T06:29:59", "/a") "]},"
        "{\"SumNum\":4,\"RecordList\":["
        ITEM("2023-11-15T06:00:00", "2023-11-15T06:29:59", "/a") ","
        ITEM("2023-11-15T08:00:00Z", "2023-11-15T08:29:59Z", "/c") "]}");
    json_t *j, *items;

    (void)state;
    assert_int_equal(ask_and_hear(&k), 200);
    assert_true(text_has(fake.order, "RecordInfo"));
    j = body();
    expect_schema(j, "Recordings");
    items = json_object_get(j, "items");
    assert_int_equal(json_array_size(items), 3); /* one was told twice */
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(items, 0), "start")),
        "2023-11-14T22:00:00.000Z"); /* server.timezone is +08:00 */
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(items, 2), "start")),
        "2023-11-15T08:00:00.000Z");
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(items, 1), "bytes")),
        1048576);
    assert_true(json_is_true(json_object_get(j, "complete")));
    json_decref(j);
}

static void not_all_of_it(void **state)
{
    struct platform_command k = answered(
        "{\"RecordList\":["
        ITEM("2023-11-15T07:00:00", "2023-11-15T07:29:59", "/b") "]}");
    static const char *const odd[] = {
        "{\"RecordList\":[" ITEM("yesterday", "2023-11-15T07:29:59", "/b") "]}",
        "{\"RecordList\":[" ITEM("2023-11-15T07:29:59", "2023-11-15T07:00:00",
                                 "/b") "]}",
        "{\"RecordList\":[7]}",
    };

    (void)state;
    k.partial = true;
    assert_int_equal(ask_and_hear(&k), 200);
    assert_true(body_has("\"complete\":false"));
    assert_true(body_has("\"total\":1"));
    for (size_t i = 0; i < COUNT(odd); i++) {
        k = answered(odd[i]);
        assert_int_equal(ask_and_hear(&k), 200);
        assert_true(body_has("\"complete\":false"));
        assert_true(body_has("\"total\":0"));
    }
    k = answered("{\"SumNum\":0}");
    assert_int_equal(ask_and_hear(&k), 200);
    assert_true(body_has("\"complete\":true"));
    assert_true(body_has("\"items\":[]"));
}

static void no_answer(void **state)
{
    struct platform_command k = { .state = PLATFORM_COMMAND_REFUSED,
                                  .is_final = true,
                                  .evidence = SLICE("404 Not Found") };

    (void)state;
    assert_int_equal(ask_and_hear(&k), 502);
    assert_true(body_has("404 Not Found"));
    k.state = PLATFORM_COMMAND_SILENT;
    assert_int_equal(ask_and_hear(&k), 504);
    /* and while it still thinks */
    k = (struct platform_command){ .state = PLATFORM_COMMAND_ARRIVED };
    fake.command = &k;
    assert_int_equal(ask("GET", RECORDINGS RANGE "&wait=3", TOKEN, ""), 0);
    fx.now.mono_ms += 3000;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 504);
}

static void bad_questions(void **state)
{
    static const char *const bad[] = {
        "", "?start=1", "?end=1", "?start=x&end=1", "?start=1&end=x",
        RANGE "&type=some", RANGE "&wait=61",
    };
    const struct platform_command k = answered("{}");

    (void)state;
    fake.command = &k;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char target[300];

        snprintf(target, sizeof(target), RECORDINGS "%s", bad[i]);
        if (ask("GET", target, TOKEN, "") != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    }
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(one_list),
        APP(not_all_of_it),
        APP(no_answer),
        APP(bad_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
