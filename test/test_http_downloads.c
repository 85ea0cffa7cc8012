/* Downloads over the API. */
#include "test/http_fixture.h"

#define DOWNLOAD "/api/v1/devices/" D1 "/channels/" C1 "/download"
#define RANGE "\"start\":\"2023-11-14T22:13:20Z\",\"end\":1700000600"
#define ONE "/api/v1/downloads/1700000000000"

static void begin(void)
{
    assert_int_equal(ask("POST", DOWNLOAD, TOKEN, "{" RANGE "}"), 201);
}

static void starts(void **state)
{
    json_t *j;

    (void)state;
    assert_int_equal(ask("POST", DOWNLOAD, TOKEN,
                         "{" RANGE ",\"format\":\"ps\",\"speed\":8,"
                         "\"transport\":\"tcp-active\"}"), 201);
    assert_int_equal(fake.download_order.start_s, 1700000000);
    assert_int_equal(fake.download_order.stop_s, 1700000600);
    assert_int_equal(fake.download_order.format, PLATFORM_FILE_PS);
    assert_int_equal(fake.download_order.speed, 8);
    assert_int_equal(fake.download_order.transport, PLATFORM_TCP_ACTIVE);
    j = body();
    expect_schema(j, "Download");
    json_decref(j);
    assert_true(body_has("\"state\":\"queued\""));
    assert_true(body_has("\"id\":\"1700000000000\""));
    assert_false(body_has("\"file\""));
    begin();
    assert_int_equal(fake.download_order.format, PLATFORM_FILE_MP4);
    assert_int_equal(get("/api/v1/downloads"), 200);
    assert_true(body_has("\"total\":2"));
    assert_int_equal(get(ONE), 200);
    assert_int_equal(get("/api/v1/downloads/5"), 404);
    assert_int_equal(get("/api/v1/downloads/x"), 404);
}

static void bad_orders(void **state)
{
    static const char *const bad[] = {
        "", "[]", "{}", "{\"start\":1}",
        "{" RANGE ",\"format\":\"avi\"}", "{" RANGE ",\"format\":1}",
        "{" RANGE ",\"speed\":0}", "{" RANGE ",\"speed\":257}",
        "{" RANGE ",\"speed\":\"4\"}", "{" RANGE ",\"transport\":\"x\"}",
    };
    static const struct {
        int err;
        unsigned status;
    } cases[] = {
        { GB_ENOENT, 404 }, { GB_ERANGE, 400 }, { GB_ESYNTAX, 400 },
        { GB_ELIMIT, 503 }, { GB_ENOMEM, 503 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ask("POST", DOWNLOAD, TOKEN, bad[i]) != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.download_err = cases[i].err;
        assert_int_equal(ask("POST", DOWNLOAD, TOKEN, "{" RANGE "}"),
                         cases[i].status);
    }
    assert_int_equal(ask("POST", DOWNLOAD, "", "{" RANGE "}"), 401);
}

static void progress(void **state)
{
    struct platform_download *d = &fake.download[0];

    (void)state;
    begin();
    d->state = PLATFORM_DOWNLOAD_RUNNING;
    d->covered_ms = 150000;
    d->session = 9;
    d->received_bytes = 5;
    d->filesize_bytes = 20;
    fake.gap[0] = (struct platform_download_gap){ 1700000000000, 1700000005000,
                                                  PLATFORM_GAP_NOT_RECORDED };
    fake.n_gaps = 1;
    assert_int_equal(get(ONE), 200);
    assert_true(body_has("\"percent\":25"));
    assert_true(body_has("\"announced_bytes\":20"));
    assert_true(body_has("\"session\":\"9\""));
    assert_true(body_has("\"gaps\":[{\"start\":\"2023-11-14T22:13:20.000Z\","
                         "\"end\":\"2023-11-14T22:13:25.000Z\","
                         "\"why\":\"not recorded\"}]"));
    d->state = PLATFORM_DOWNLOAD_DONE;
    d->is_final = d->has_file = true;
    assert_int_equal(get(ONE), 200);
    assert_true(body_has("\"percent\":100"));
    assert_true(body_has("\"file\":\"http://nvr:28181" ONE "/file?t="));
}

static void its_file(void **state)
{
    struct platform_download *d = &fake.download[0];
    char url[512];

    (void)state;
    begin();
    assert_int_equal(get(ONE "/file"), 409);
    d->is_final = true;
    assert_int_equal(get(ONE "/file"), 409);
    d->has_file = true;
    d->state = PLATFORM_DOWNLOAD_DONE;
    d->mark.bytes = 1000;
    assert_int_equal(get(ONE "/file"), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_FILE);
    assert_int_equal(ask("GET", ONE "/file", TOKEN "Range: bytes=10-19\r\n",
                         ""), 206);
    assert_non_null(strstr(fx.last.fields, "Content-Disposition: "));
    assert_int_equal(ask("GET", ONE "/file", TOKEN "Range: bytes=1000-\r\n",
                         ""), 416);
    assert_null(strstr(fx.last.fields, "Content-Disposition: "));
    assert_non_null(strstr(fx.last.fields, "Accept-Ranges: bytes"));
    assert_non_null(strstr(fx.last.fields, "Content-Range: bytes */1000\r\n"));
    /* the link needs no token, and is good for this one alone */
    assert_int_equal(get(ONE), 200);
    url_of("file", url);
    assert_int_equal(ask("GET", url, "", ""), 200);
    begin();
    fake.download[1].has_file = true;
    memcpy(strstr(url, "1700000000000"), "1700000000001", 13);
    assert_int_equal(ask("GET", url, "", ""), 401);
    assert_int_equal(ask("GET", ONE "/file", "", ""), 401);
}

static void cancels(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ask("DELETE", ONE, TOKEN, ""), 204);
    assert_true(fake.cancelled == 1700000000000);
    assert_int_equal(ask("DELETE", "/api/v1/downloads/7", TOKEN, ""), 404);
}

static void events(void **state)
{
    struct platform_action act = { .kind = PLATFORM_DOWNLOAD_CHANGED,
                                   .download = 1700000000000 };
    struct buf b;
    uint64_t seq = 0;

    (void)state;
    begin();
    http_app_event_join(fx.app);
    http_on_action(fx.app, &act);
    buf_init(&b, &fx.mem.alloc, 65536);
    assert_true(http_app_event_next(fx.app, 0, &seq, &b));
    assert_true(text_has(b.p, "event: download"));
    assert_true(text_has(b.p, "\"state\":\"queued\""));
    buf_fini(&b);
    fake.n_downloads = 0;
    act.kind = PLATFORM_DOWNLOAD_GONE;
    http_on_action(fx.app, &act);
    buf_init(&b, &fx.mem.alloc, 65536);
    assert_true(http_app_event_next(fx.app, 0, &seq, &b));
    assert_true(text_has(b.p, "\"removed\":true"));
    buf_fini(&b);
}

static void switched_off(void **state)
{
    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    cfg.download_dir = NULL;
    fx_open(&cfg);
    assert_int_equal(ask("POST", DOWNLOAD, TOKEN, "{" RANGE "}"), 501);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(starts),
        APP(bad_orders),
        APP(progress),
        APP(its_file),
        APP(cancels),
        APP(events),
        APP(switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
