/* Where a channel is pushed to, over the API */
#include "test/http_settings.h"

#define PUSH "/api/v1/devices/" D1 "/channels/" C1 "/push"

static struct pushes *table;

static void with_pushes(void)
{
    struct http_app_config cfg = settings_config();

    assert_int_equal(pushes_new(&table, &fx.mem.alloc, NULL, false), 0);
    cfg.pushes = table;
    cfg.push_changed = settings_changed;
    fx_open(&cfg);
}

static void push_urls(void **state)
{
    static const struct setting cases[] = {
        { "GET", PUSH, "", 200, "\"items\":[]", false },
        { "PUT", PUSH, "{\"urls\":[\"rtsp://u:pw@h/x\"]}", 200,
          "\"url\":\"rtsp://u:***@h/x\",\"state\":\"waiting\"", true },
        { "PUT", PUSH, "{\"urls\":[\"rtsp://u:***@h/x\",\"rtmp://h/a/k\"],"
                       "\"stream\":\"main\"}", 200, "rtmp://h/a/k", true },
        { "GET", PUSH, "", 200, "\"stream\":\"main\"", false },
        { "GET", "/api/v1/pushes", "", 200, "rtmp://h/a/k", false },
        { "PUT", PUSH, "{\"urls\":[\"rtmps://h/a/k\"]}", 400, "no-tls", false },
        { "PUT", PUSH, "{\"urls\":[\"rtmp://h/a\"]}", 400, "bad-value", false },
        { "PUT", PUSH, "{\"urls\":[1]}", 400, "bad-value", false },
        { "PUT", PUSH, "{\"urls\":\"rtsp://h/x\"}", 400, "bad-value", false },
        { "PUT", PUSH, "{}", 400, "bad-value", false },
        { "PUT", PUSH, "[]", 400, "bad-value", false },
        { "PUT", PUSH, "", 400, "bad-value", false },
        { "PUT", PUSH, "{\"urls\":[],\"colour\":1}", 400, "bad-value", false },
        { "PUT", PUSH, "{\"urls\":[],\"stream\":\"third\"}", 400, "bad-value",
          false },
        { "PUT", PUSH, "{\"urls\":[\"rtsp://h/1\",\"rtsp://h/2\","
                       "\"rtsp://h/3\",\"rtsp://h/4\",\"rtsp://h/5\"]}", 400,
          "bad-value", false },
        { "PUT", "/api/v1/devices/" D1 "/channels/9/push", "{\"urls\":[]}",
          404, "channel-unknown", false },
        { "DELETE", PUSH, "", 204, NULL, true },
        { "GET", PUSH, "", 200, "\"items\":[]", false },
    };

    (void)state;
    with_pushes();
    settings_run(cases, COUNT(cases), "pw@");
    pushes_free(table);
}

static void channel_and_events(void **state)
{
    struct push_view v;
    struct pushes_walk at = { 0 };

    (void)state;
    with_pushes();
    assert_int_equal(ask("PUT", PUSH, TOKEN,
                         "{\"urls\":[\"rtmp://h/a/key\"]}"), 200);
    assert_int_equal(get("/api/v1/devices/" D1 "/channels/" C1), 200);
    assert_true(body_has("\"push\":[\"waiting\"]"));
    assert_true(pushes_next(table, SLICE(D1), SLICE(C1), &at, &v));
    http_app_event_join(fx.app);
    http_app_push(fx.app, &v);
    {
        struct buf b;
        uint64_t seq = 0;

        buf_init(&b, &gb_alloc_heap, 65536);
        assert_true(http_app_event_next(fx.app, 0, &seq, &b));
        /* viewers hear of it, too: not of its key */
        assert_true(slice_find_slice(buf_view(&b), SLICE("event: push")) <
                    buf_view(&b).n);
        assert_int_equal(slice_find_slice(buf_view(&b), SLICE("key")),
                         buf_view(&b).n);
        buf_fini(&b);
    }
    http_app_event_leave(fx.app);
    pushes_free(table);
}

/* The password of a URL is part of what is set, though it is not shown. */
static void changed_meanwhile(void **state)
{
    char fields[256], tag[TAG_BYTES];

    (void)state;
    with_pushes();
    second_of_two(PUSH, "{\"urls\":[\"rtsp://u:pw@h/x\"]}", "PUT",
                  "{\"urls\":[\"rtsp://u:other@h/x\"]}");
    second_of_two(PUSH, "{\"urls\":[\"rtsp://u:pw@h/x\"]}", "PUT",
                  "{\"urls\":[\"rtsp://u:***@h/x\"],\"stream\":\"sub\"}");
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    second_of_two(PUSH, "{\"urls\":[\"rtmp://h/a/k\"]}", "DELETE", "");
    assert_int_equal(ask("DELETE", PUSH, fields, ""), 412);
    assert_int_equal(ask("DELETE", PUSH, TOKEN, ""), 204);
    pushes_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(push_urls, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(channel_and_events, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(changed_meanwhile, fx_setup,
                                        fx_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
