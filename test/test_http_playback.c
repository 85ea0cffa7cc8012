/* Recordings over the API: start, URLs, controls and what devices say. */
#include "test/http_fixture.h"

#define PLAYBACK "/api/v1/devices/" D1 "/channels/" C1 "/playback"
#define RANGE "{\"start\":\"2023-11-14T22:13:20Z\",\"end\":1700000600}"
#define CONTROL "/api/v1/sessions/1/control"

static void begin(void)
{
    assert_int_equal(ask("POST", PLAYBACK, TOKEN, RANGE), 0);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.last.status, 201);
}

static void starts(void **state)
{
    json_t *j;

    (void)state;
    begin();
    assert_int_equal(fake.recording.start_s, 1700000000);
    assert_int_equal(fake.recording.stop_s, 1700000600);
    assert_int_equal(fake.recording.kind, PLATFORM_PLAYBACK);
    assert_int_equal(fake.holds[1], 0);
    j = body();
    expect_schema(j, "Live");
    json_decref(j);
    assert_true(body_has("\"flv\":\"http://nvr:28181/session/1.flv?t="));
    assert_true(body_has("\"ws_fmp4\":\"ws://nvr:28181/session/1.mp4?t="));
    assert_false(body_has("/live/"));
    assert_true(body_has("\"mse\":\"ws://nvr:28181/session/1/ws?t="));
    assert_true(body_has("\"start\":\"2023-11-14T22:13:20.000Z\""));
    /* another one is another session */
    assert_int_equal(ask("POST", PLAYBACK "?wait=0", TOKEN, RANGE), 202);
    assert_int_equal(fake.next_session, 2);
    assert_int_equal(ask("GET", "/api/v1/sessions/1", TOKEN, ""), 200);
    j = body();
    expect_schema(j, "Session");
    json_decref(j);
    assert_true(body_has("\"kind\":\"playback\""));
}

/* A time without a zone is one of server.timezone. */
static void times(void **state)
{
    static const char *const bad[] = {
        "", "[]", "{}", "{\"start\":1}", "{\"start\":1,\"end\":\"later\"}",
        "{\"start\":-1,\"end\":2}", "{\"start\":1.5,\"end\":2}",
        "{\"start\":1,\"end\":2,\"transport\":\"carrier pigeon\"}",
        "{\"start\":1,\"start\":1,\"end\":2}",
    };

    (void)state;
    assert_int_equal(ask("POST", PLAYBACK "?wait=0", TOKEN,
                         "{\"start\":\"2023-11-15 06:13:20\","
                         "\"end\":\"2023-11-15T06:23:20+08:00\","
                         "\"transport\":\"udp\"}"), 202);
    assert_int_equal(fake.recording.start_s, 1700000000);
    assert_int_equal(fake.recording.stop_s, 1700000600);
    assert_int_equal(fake.recording.transport, PLATFORM_UDP);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ask("POST", PLAYBACK, TOKEN, bad[i]) != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    assert_int_equal(ask("POST", PLAYBACK "?wait=2", TOKEN, RANGE), 400);
    fake.live_err = GB_ERANGE;
    assert_int_equal(ask("POST", PLAYBACK, TOKEN, RANGE), 400);
    fake.live_err = GB_ESTATE;
    assert_int_equal(ask("POST", PLAYBACK, TOKEN, RANGE), 409);
}

static void its_media(void **state)
{
    char url[512];

    (void)state;
    begin();
    url_of("flv", url);
    /* the signature of one session is good for no other */
    assert_int_equal(ask("GET", url, "", ""), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_int_equal(fx.last.media.session, 1);
    assert_int_equal(fx.last.media.format, HTTP_FORMAT_FLV);
    assert_int_equal(fake.holds[1], 1);
    assert_int_equal(ask("POST", PLAYBACK "?wait=0", TOKEN, RANGE), 202);
    url[slice_find_slice(slice_str(url), SLICE("/1.flv")) + 1] = '2';
    assert_int_equal(ask("GET", url, "", ""), 401);
    assert_int_equal(ask("GET", "/session/99.flv", TOKEN, ""), 404);
    assert_int_equal(ask("GET", "/session/x.flv", TOKEN, ""), 404);
    assert_int_equal(ask("HEAD", "/session/1.mp4", TOKEN, ""), 200);
}

/* ---- controls ---- */

static void device_says(unsigned status)
{
    fake_session(1)->playback.control_status = status;
    http_on_session(fx.app, 1);
    http_app_tick(fx.app);
}

static void controls(void **state)
{
    static const struct {
        const char *body;
        struct platform_control c;
    } cases[] = {
        { "{\"action\":\"pause\"}", { .kind = PLATFORM_CONTROL_PAUSE } },
        { "{\"action\":\"resume\"}", { .kind = PLATFORM_CONTROL_RESUME } },
        { "{\"action\":\"seek\",\"position_s\":100.25}",
          { .kind = PLATFORM_CONTROL_SEEK, .position_ms = 100250 } },
        { "{\"action\":\"scale\",\"scale\":0.25}",
          { .kind = PLATFORM_CONTROL_SCALE, .scale_milli = 250 } },
        { "{\"action\":\"scale\",\"scale\":-1}",
          { .kind = PLATFORM_CONTROL_SCALE, .scale_milli = -1000 } },
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned n = fx.n_answers;
        json_t *j;

        assert_int_equal(ask("POST", CONTROL, TOKEN, cases[i].body), 0);
        assert_int_equal(fake.control.kind, cases[i].c.kind);
        assert_int_equal(fake.control.position_ms, cases[i].c.position_ms);
        assert_int_equal(fake.control.scale_milli, cases[i].c.scale_milli);
        http_on_session(fx.app, 1); /* it moved, nothing more */
        http_app_tick(fx.app);
        assert_int_equal(fx.n_answers, n);
        device_says(200);
        assert_int_equal(fx.n_answers, n + 1);
        assert_int_equal(fx.last.status, 200);
        j = body();
        expect_schema(j, "Session");
        json_decref(j);
    }
}

static void controls_that_fail(void **state)
{
    static const struct {
        unsigned said, status;
        const char *code;
    } cases[] = {
        { 488, 502, "control-refused" },
        { 501, 502, "control-refused" },
        { 408, 504, "control-silent" },
    };
    static const struct {
        int err;
        unsigned status;
    } errs[] = {
        { GB_EUNSUPPORTED, 409 }, { GB_ESTATE, 409 }, { GB_EAGAIN, 409 },
        { GB_ERANGE, 400 }, { GB_ENOMEM, 502 },
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(ask("POST", CONTROL, TOKEN,
                             "{\"action\":\"pause\"}"), 0);
        device_says(cases[i].said);
        assert_int_equal(fx.last.status, cases[i].status);
        assert_true(body_has(cases[i].code));
    }
    for (size_t i = 0; i < COUNT(errs); i++) {
        fake.control_err = errs[i].err;
        assert_int_equal(ask("POST", CONTROL, TOKEN,
                             "{\"action\":\"pause\"}"), errs[i].status);
    }
    fake.control_err = 0;
    /* it ends while the device is asked */
    assert_int_equal(ask("POST", CONTROL, TOKEN, "{\"action\":\"pause\"}"), 0);
    becomes(1, PLATFORM_STOPPING, PLATFORM_STEP_ENDED);
    assert_int_equal(fx.last.status, 409);
}

static void controls_that_are_none(void **state)
{
    static const char *const bad[] = {
        "", "{}", "{\"action\":\"stop\"}", "{\"action\":7}",
        "{\"action\":\"seek\"}", "{\"action\":\"seek\",\"position_s\":-1}",
        "{\"action\":\"seek\",\"position_s\":1e12}",
        "{\"action\":\"seek\",\"position_s\":\"1\"}",
        "{\"action\":\"scale\"}", "{\"action\":\"scale\",\"scale\":33}",
        "{\"action\":\"scale\",\"scale\":\"2\"}",
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ask("POST", CONTROL, TOKEN, bad[i]) != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    ask("POST", CONTROL, TOKEN, "{\"action\":\"seek\",\"position_s\":1e12}");
    assert_true(body_has("not inside the recording"));
    assert_int_equal(ask("POST", "/api/v1/sessions/9/control", TOKEN,
                         "{\"action\":\"pause\"}"), 404);
}

/* The caller goes while the device is asked. */
static void caller_leaves(void **state)
{
    unsigned n;

    (void)state;
    begin();
    assert_int_equal(ask("POST", CONTROL, TOKEN, "{\"action\":\"pause\"}"), 0);
    n = fx.n_answers;
    http_app_gone(fx.app, fx.last.request);
    device_says(200);
    assert_int_equal(fx.n_answers, n);
    assert_int_equal(ask("POST", CONTROL, TOKEN, "{\"action\":\"pause\"}"), 0);
} /* and one that waits when all is freed */

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(starts),
        APP(times),
        APP(its_media),
        APP(controls),
        APP(controls_that_fail),
        APP(controls_that_are_none),
        APP(caller_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
