/* The daemon's log over HTTP: who may read it, what fits, and what comes. */
#include "test/http_fixture.h"

static struct logring *ring;

static int setup(void **state)
{
    struct http_app_config cfg;

    assert_int_equal(fx_setup(state), 0);
    http_app_free(fx.app); /* once more, with a log */
    assert_int_equal(logring_new(&ring), 0);
    cfg = fx_config();
    cfg.log_ring = ring;
    fx_open(&cfg);
    logring_put(ring, LOG_INFO, 1800000000000, SLICE("msg=one device=" D1));
    logring_put(ring, LOG_WARN, 1800000000001, SLICE("msg=\"two\" peer=x"));
    logring_put(ring, LOG_ERROR, 1800000000002, SLICE("msg=three"));
    logring_put(ring, LOG_DEBUG, 1800000000003, SLICE("msg=four peer=X"));
    return 0;
}

static int teardown(void **state)
{
    int err = fx_teardown(state);

    logring_free(ring);
    return err;
}

static void list_and_filters(void **state)
{
    static const struct list_case cases[] = {
        { "", 200, 4, "1", NULL, 4 },
        { "?limit=2", 200, 2, "3", NULL, 4 },
        { "?level=warn", 200, 2, "2", NULL, 2 },
        { "?level=error&limit=1", 200, 1, "3", NULL, 1 },
        { "?q=PEER%3Dx", 200, 2, "2", NULL, 2 },
        { "?q=peer&level=info", 200, 1, "2", NULL, 1 },
        { "?q=nobody", 200, 0, NULL, NULL, 0 },
        { "?limit=2&cursor=0", 200, 2, "1", "2", 4 },
        { "?limit=2&cursor=3", 200, 1, "4", NULL, 4 },
        { "?level=loud", 400, 0, NULL, NULL, 0 },
        { "?cursor=x", 400, 0, NULL, NULL, 0 },
        { "?limit=0", 400, 0, NULL, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_list("/api/v1/log", &cases[i], "LogLine");
}

static void live(void **state)
{
    struct http_log_filter warn = { .on = true, .of.least = LOG_WARN };
    uint64_t seq;
    struct buf b;

    (void)state;
    buf_init(&b, &fx.mem.alloc, 65536);
    assert_int_equal(get("/api/v1/log/events?level=warn"), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_EVENTS);
    seq = fx.last.event_seq;
    assert_int_equal(seq, 4); /* what was is not told again */
    assert_false(http_app_log_next(fx.app, &warn, &seq, &b));
    logring_put(ring, LOG_INFO, 1, SLICE("msg=no"));
    logring_put(ring, LOG_ERROR, 1, SLICE("msg=\"yes\""));
    fx.events = 0;
    http_on_log(fx.app);
    assert_int_equal(fx.events, 1);
    assert_true(http_app_log_next(fx.app, &warn, &seq, &b));
    assert_int_equal(seq, 6);
    assert_true(slice_has_prefix(buf_view(&b),
                                 SLICE("id: 6\nevent: log\ndata: {\"id\"")));
    assert_true(slice_find_slice(buf_view(&b), SLICE("msg=\\\"yes\\\"")) <
                b.len);
    logring_put(ring, LOG_INFO, 1, SLICE("msg=no"));
    assert_false(http_app_log_next(fx.app, &warn, &seq, &b));
    assert_int_equal(seq, 7); /* not looked at again */
    buf_fini(&b);
    ask("GET", "/api/v1/log/events", TOKEN "Last-Event-ID: 2\r\n", "");
    assert_int_equal(fx.last.event_seq, 2);
    assert_int_equal(get("/api/v1/log/events?level=x"), 400);
    assert_int_equal(ask("HEAD", "/api/v1/log/events", TOKEN, ""), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_BODY);
}

static void for_admins(void **state)
{
    struct http_app_config cfg = fx_config();

    (void)state;
    assert_int_equal(ask("GET", "/api/v1/log", "", ""), 401);
    assert_int_equal(ask("GET", "/api/v1/log/events", "", ""), 401);
    assert_int_equal(ask("POST", "/api/v1/tokens", TOKEN,
                         "{\"name\":\"o\",\"role\":\"operator\"}"), 201);
    {
        json_t *j = body();
        char fields[200];

        snprintf(fields, sizeof(fields), "Authorization: Bearer %s\r\n",
                 text_of(j, "token"));
        json_decref(j);
        assert_int_equal(ask("GET", "/api/v1/log", fields, ""), 403);
        assert_int_equal(ask("GET", "/api/v1/log/events", fields, ""), 403);
    }
    http_app_free(fx.app);
    fx_open(&cfg); /* without one */
    assert_int_equal(get("/api/v1/log"), 404);
    assert_true(body_has("log-off"));
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        APP(list_and_filters),
        APP(live),
        APP(for_admins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
