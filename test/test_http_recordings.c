/* What a device has recorded, over the API: as a list, as a timeline. */
#include "test/http_fixture.h"

#define CHANNEL_PATH "/api/v1/devices/" D1 "/channels/" C1
#define RECORDINGS CHANNEL_PATH "/recordings"
#define TIMELINE CHANNEL_PATH "/timeline"
#define RANGE "?start=2023-11-15T06:00:00&end=1700010000"
#define START INT64_C(1699999200) /* that, of +08:00 */

static void have(size_t n)
{
    for (size_t i = 0; i < n; i++)
        fake.record[i] = (struct platform_record){
            .start_utc_ms = (START + (int64_t)i * 1800) * 1000,
            .end_utc_ms = (START + (int64_t)i * 1800 + 1799) * 1000,
            .name = SLICE("n"), .type = SLICE("time"), .path = SLICE("/a"),
            .bytes = 1048576,
        };
    fake.records = (struct platform_records){
        .n = n, .is_final = true, .complete = true,
        .state = PLATFORM_COMMAND_ANSWERED, .command = 5,
    };
}

/* The platform tells of it. */
static void news(void)
{
    const struct platform_action act = { .kind = PLATFORM_RECORDS_CHANGED,
                                         .records = fake.records.id };

    http_on_action(fx.app, &act);
    http_app_tick(fx.app);
}

static void one_list(void **state)
{
    json_t *j, *items;

    (void)state;
    have(3);
    fake.records.is_final = false;
    assert_int_equal(ask("GET", RECORDINGS RANGE, TOKEN, ""), 0);
    assert_int_equal(fake.records_ask.start_s, START);
    assert_int_equal(fake.records_ask.stop_s, 1700010000);
    assert_string_equal(fake.records_type, "all");
    news(); /* not over yet */
    fake.records.is_final = true;
    news();
    assert_int_equal(fx.last.status, 200);
    j = body();
    expect_schema(j, "Recordings");
    items = json_object_get(j, "items");
    assert_int_equal(json_array_size(items), 3);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(items, 0), "start")),
        "2023-11-14T22:00:00.000Z");
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(items, 1), "bytes")),
        1048576);
    assert_true(json_is_true(json_object_get(j, "complete")));
    json_decref(j);
}

static void in_pages(void **state)
{
    (void)state;
    have(5);
    assert_int_equal(get(RECORDINGS RANGE "&limit=2"), 200);
    assert_true(body_has("\"next\":\"2\""));
    assert_true(body_has("\"total\":5"));
    assert_int_equal(get(RECORDINGS RANGE "&limit=2&cursor=4"), 200);
    assert_true(body_has("\"next\":null"));
    assert_true(body_has("2023-11-15T00:00:00.000Z"));
    assert_int_equal(get(RECORDINGS RANGE "&cursor=9"), 200);
    assert_true(body_has("\"items\":[]"));
}

/* What has come is told when the time is over, and that it is not all. */
static void first_page_at_once(void **state)
{
    (void)state;
    have(2);
    fake.records.is_final = fake.records.complete = false;
    fake.records.state = PLATFORM_COMMAND_ARRIVED;
    assert_int_equal(get(RECORDINGS RANGE "&wait=0"), 200);
    assert_true(body_has("\"complete\":false"));
    assert_true(body_has("\"total\":2"));
    assert_int_equal(ask("GET", RECORDINGS RANGE "&wait=3", TOKEN, ""), 0);
    assert_true(http_app_deadline(fx.app) == fx.now.mono_ms + 3000);
    fx.now.mono_ms += 3000;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"complete\":false"));
}

static void no_answer(void **state)
{
    static const struct {
        int err;
        unsigned status;
    } cases[] = {
        { GB_ENOENT, 404 }, { GB_ESTATE, 409 }, { GB_ERANGE, 400 },
        { GB_ESYNTAX, 400 }, { GB_ELIMIT, 503 },
    };

    (void)state;
    have(0);
    assert_int_equal(get(RECORDINGS RANGE), 200);
    assert_true(body_has("\"items\":[]"));
    fake.records.evidence = SLICE("the device stopped in the middle");
    assert_int_equal(get(RECORDINGS RANGE), 200);
    assert_true(body_has("\"evidence_zh\":\"\xe8\xae\xbe\xe5\xa4\x87")); /* 设备 */
    fake.records.state = PLATFORM_COMMAND_REFUSED;
    fake.records.evidence = SLICE("404 Not Found");
    assert_int_equal(get(RECORDINGS RANGE), 502);
    assert_true(body_has("404 Not Found"));
    fake.records.state = PLATFORM_COMMAND_SILENT;
    assert_int_equal(get(RECORDINGS RANGE), 504);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.records_err = cases[i].err;
        assert_int_equal(get(RECORDINGS RANGE), cases[i].status);
    }
}

static void bad_questions(void **state)
{
    static const char *const bad[] = {
        "", "?start=1", "?end=1", "?start=&end=1", "?start=x&end=1", "?start=1&end=x",
        "?start=0&end=1", RANGE "&type=some", RANGE "&wait=61",
        RANGE "&limit=0", RANGE "&limit=10001", RANGE "&cursor=x",
    };

    (void)state;
    have(1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        char target[300];

        snprintf(target, sizeof(target), RECORDINGS "%s", bad[i]);
        if (ask("GET", target, TOKEN, "") != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    }
}

static void the_client_goes(void **state)
{
    (void)state;
    have(1);
    fake.records.is_final = false;
    assert_int_equal(ask("GET", RECORDINGS RANGE, TOKEN, ""), 0);
    http_app_gone(fx.app, fx.next_request);
    fake.records.is_final = true;
    fx.last.status = 0;
    news();
    assert_int_equal(fx.last.status, 0);
    fake.records.is_final = false;
    assert_int_equal(ask("GET", RECORDINGS RANGE, TOKEN, ""), 0);
    /* and the application ends while one waits */
}

/* ---- the timeline ---- */

static size_t recorded(void *ctx, struct slice device, struct slice channel,
                       int64_t from, int64_t to, struct http_span *out,
                       size_t cap)
{
    (void)ctx;
    (void)device;
    (void)channel;
    (void)to;
    assert_true(cap > 1);
    out[0] = (struct http_span){ from + 5400000, from + 7200000 };
    return 1;
}

static void a_timeline(void **state)
{
    struct http_app_config cfg = fx_config();
    json_t *j;

    (void)state;
    http_app_free(fx.app);
    cfg.recorded = recorded;
    fx_open(&cfg);
    have(4);
    fake.record[2].start_utc_ms += 600000; /* ten minutes are missing */
    fake.record[2].end_utc_ms -= 60000;
    fake.records.n = 3;
    assert_int_equal(get(TIMELINE RANGE), 200);
    j = body();
    expect_schema(j, "Timeline");
    json_decref(j);
    /* two half hours that adjoin, what follows, and ours */
    assert_true(body_has("{\"start\":\"2023-11-14T22:00:00.000Z\","
                         "\"end\":\"2023-11-14T22:59:59.000Z\","
                         "\"source\":\"device\"}"));
    assert_true(body_has("{\"start\":\"2023-11-14T23:30:00.000Z\","
                         "\"end\":\"2023-11-15T00:00:00.000Z\","
                         "\"source\":\"server\"}"));
    assert_true(body_has("\"gaps\":[{\"start\":\"2023-11-14T22:59:59.000Z\","
                         "\"end\":\"2023-11-14T23:10:00.000Z\"},"
                         "{\"start\":\"2023-11-14T23:28:59.000Z\","
                         "\"end\":\"2023-11-14T23:30:00.000Z\"},"
                         "{\"start\":\"2023-11-15T00:00:00.000Z\","
                         "\"end\":\"2023-11-15T01:00:00.000Z\"}]"));
    /* ours is told though the device says nothing */
    fake.records.n = 0;
    fake.records.state = PLATFORM_COMMAND_SILENT;
    fake.records.complete = false;
    assert_int_equal(get(TIMELINE RANGE), 200);
    assert_true(body_has("\"source\":\"server\""));
    assert_true(body_has("\"complete\":false"));
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(one_list),
        APP(in_pages),
        APP(first_page_at_once),
        APP(no_answer),
        APP(bad_questions),
        APP(the_client_goes),
        APP(a_timeline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
