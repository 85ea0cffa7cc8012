/* HLS over the API: who is asked for what, who holds the session, what is told
 * of answers. */
#include "test/http_fixture.h"

#define INDEX "/live/" D1 "/" C1 "/index.m3u8"

static int setup(void **state)
{
    struct http_app_config cfg;
    int err = fx_setup(state);

    http_app_free(fx.app);
    cfg = fx_config();
    cfg.formats |= 1u << HTTP_FORMAT_HLS | 1u << HTTP_FORMAT_PS;
    fx_open(&cfg);
    return err;
}

static void told(int err, const char *playlist)
{
    const struct http_hls_told t = { .request = fx.hls.request,
                                     .what = fx.hls.what,
                                     .err = err,
                                     .playlist = slice_str(playlist) };

    http_app_hls_told(fx.app, &t);
}

static bool has_field(const char *text)
{
    return strstr(fx.last.fields, text) != NULL;
}

/* Cold: the session is started, then its loop is asked. */
static void playlist(void **state)
{
    (void)state;
    assert_int_equal(get(INDEX "?stream=sub"), 0);
    assert_int_equal(fake.live_req.stream, 1);
    assert_int_equal(fake.holds[1], 1);
    assert_int_equal(fx.n_hls, 0);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.n_answers, 0);
    assert_int_equal(fx.n_hls, 1);
    assert_int_equal(fx.hls.what, HTTP_HLS_PLAYLIST);
    assert_int_equal(fx.hls.session, 1);
    assert_int_equal(fx.hls.loop, fake_session(1)->loop);
    assert_string_equal(fx.hls_query, "stream=sub");
    assert_int_equal(fake.holds[1], 1); /* now that of HLS */
    told(0, "#EXTM3U\n");
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 200);
    assert_string_equal(fx.last.body, "#EXTM3U\n");
    assert_true(has_field("Cache-Control: no-cache\r\n"));
    /* it plays: asked at once, held once */
    assert_int_equal(get(INDEX "?stream=sub"), 0);
    assert_int_equal(fx.n_hls, 2);
    assert_int_equal(fake.holds[1], 1);
}

/* The session is let go when nobody has come for a while. */
static void held_for_a_while(void **state)
{
    (void)state;
    get(INDEX);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    for (int i = 0; i < 5; i++) {
        fx.now.mono_ms += HTTP_HLS_HOLD_MS - 1;
        http_app_tick(fx.app);
        assert_int_equal(fake.holds[1], 1);
        assert_int_equal(get(INDEX), 0);
        assert_int_equal(http_app_deadline(fx.app),
                         fx.now.mono_ms + HTTP_HLS_HOLD_MS);
    }
    get("/live/" D1 "/" C1 "/seg_1.m4s"); /* does not hold */
    fx.now.mono_ms += HTTP_HLS_HOLD_MS;
    http_app_tick(fx.app);
    assert_int_equal(fake.holds[1], 0);
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
}

static void signature_goes_on(void **state)
{
    char url[512], piece[600];
    const char *t;

    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    url_of("hls", url);
    t = strstr(url, "?t=");
    assert_non_null(t);
    assert_int_equal(ask("GET", url, "", ""), 0);
    assert_string_equal(fx.hls_query, t + 1);
    snprintf(piece, sizeof(piece), "/live/" D1 "/" C1 "/seg_17.m4s%s", t);
    assert_int_equal(ask("GET", piece, "", ""), 0);
    assert_int_equal(fx.hls.what, HTTP_HLS_SEGMENT);
    assert_int_equal(fx.hls.number, 17);
    snprintf(piece, sizeof(piece), "/live/" C1 "/init_3.mp4%s", t);
    assert_int_equal(ask("GET", piece, "", ""), 0);
    assert_int_equal(fx.hls.what, HTTP_HLS_INIT);
    assert_int_equal(fx.hls.number, 3);
    /* for no other channel, and not without */
    snprintf(piece, sizeof(piece), "/live/" D1 "/" C2 "/seg_17.m4s%s", t);
    assert_int_equal(ask("GET", piece, "", ""), 401);
    assert_int_equal(ask("GET", "/live/" D1 "/" C1 "/seg_17.m4s", "", ""), 401);
}

static void failures(void **state)
{
    static const struct {
        const char *target;
        int err;
        unsigned status;
    } cases[] = {
        { INDEX, GB_EAGAIN, 504 },
        { INDEX, GB_ENOENT, 409 },
        { INDEX, GB_ENOMEM, 503 },
        { "/live/" D1 "/" C1 "/seg_1.m4s", GB_ENOENT, 404 },
        { "/live/" D1 "/" C1 "/init_1.mp4", GB_ENOENT, 404 },
    };
    static const char *const bad[] = {
        "/live/" D1 "/" C1 "/seg_.m4s", "/live/" D1 "/" C1 "/seg_x.m4s",
        "/live/" D1 "/" C1 "/seg_99999999999999999999.m4s",
        "/live/" D1 "/" C1 "/seg_-1.m4s", "/live/" D1 "/" C2 "/seg_1.m4s",
        "/live/nobody/seg_1.m4s", "/live/" D1 "/" C1 "/seg_1.m4s?stream=sub",
    };

    (void)state;
    assert_int_equal(get("/live/" D1 "/" C1 "/seg_1.m4s"), 404); /* not live */
    assert_true(body_has("\"POST .../live of the channel starts it\""));
    assert_true(body_has("\"hint_zh\":\"对该通道"));
    assert_int_equal(fake.next_session, 0);
    get(INDEX);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    told(0, "");
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *j;

        assert_int_equal(get(cases[i].target), 0);
        told(cases[i].err, "");
        if (fx.last.status != cases[i].status)
            fail_msg("%s: %u", cases[i].target, fx.last.status);
        j = body();
        expect_schema(j, "Problem");
        json_decref(j);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (get(bad[i]) != 404)
            fail_msg("%s: %u", bad[i], fx.last.status);
    fx.hls_busy = true;
    assert_int_equal(get(INDEX), 503);
    assert_int_equal(get("/live/" D1 "/" C1 "/seg_1.m4s"), 503);
    assert_int_equal(ask("HEAD", INDEX, TOKEN, ""), 200);
}

/* The video is of a codec that only .ps carries. */
static void unread_codec(void **state)
{
    (void)state;
    assert_int_equal(get(INDEX), 0);
    fake_session(1)->video = PS_CODEC_SVAC;
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.last.status, 409);
    assert_true(body_has("\"codec-unsupported\""));
    assert_true(body_has("the video is svac"));
    assert_int_equal(fake.holds[1], 0);
    assert_int_equal(get("/live/" D1 "/" C1 ".mp4"), 409);
    get("/live/" D1 "/" C1 ".ps");
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_int_equal(fx.last.media.format, HTTP_FORMAT_PS);
}

static void delay(void **state)
{
    (void)state;
    get("/live/" D1 "/" C1 ".mp4?delay=200");
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.last.media.delay_ms, 200);
    assert_int_equal(get("/live/" D1 "/" C1 ".mp4?delay=1001"), 400);
    assert_int_equal(get("/live/" D1 "/" C1 ".mp4?delay=x"), 400);
}

static void of_a_recording(void **state)
{
    char url[512];

    (void)state;
    assert_int_equal(ask("POST",
                         "/api/v1/devices/" D1 "/channels/" C1 "/playback",
                         TOKEN, "{\"start\":1700000000,\"end\":1700000600}"),
                     0);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_true(body_has("/session/1.ps?t="));
    url_of("hls", url);
    assert_memory_equal(url, "/session/1/index.m3u8?t=", 24);
    assert_int_equal(ask("GET", url, "", ""), 0);
    assert_int_equal(fx.hls.session, 1);
    memmove(url + 21, strchr(url, '?'), strlen(strchr(url, '?')) + 1);
    memcpy(url, "/session/1/seg_42.m4s", 21);
    assert_int_equal(ask("GET", url, "", ""), 0);
    assert_int_equal(fx.hls.number, 42);
    url[9] = '2';
    assert_int_equal(ask("GET", url, "", ""), 401);
    assert_int_equal(get("/session/9/seg_42.m4s"), 404);
}

/* Players come once more when it has ended, and are let in for a while. */
static void a_recording_is_over(void **state)
{
    char url[512], piece[512];

    (void)state;
    ask("POST", "/api/v1/devices/" D1 "/channels/" C1 "/playback", TOKEN,
        "{\"start\":1700000000,\"end\":1700000600}");
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    url_of("hls", url);
    snprintf(piece, sizeof(piece), "/session/1/seg_42.m4s%s", strchr(url, '?'));
    assert_int_equal(ask("GET", url, "", ""), 0);
    fake_session(1)->state = PLATFORM_STOPPING;
    assert_int_equal(ask("GET", url, "", ""), 0);
    memset(fake_session(1), 0, sizeof(*fake_session(1)));
    fx.hls = (struct http_hls_ask){ 0 };
    assert_int_equal(ask("GET", url, "", ""), 0);
    assert_int_equal(fx.hls.session, 1);
    assert_int_equal(fx.hls.what, HTTP_HLS_PLAYLIST);
    assert_string_equal(fx.hls_query, strchr(url, '?') + 1);
    told(0, "#EXT-X-ENDLIST\n");
    assert_string_equal(fx.last.body, "#EXT-X-ENDLIST\n");
    assert_int_equal(ask("HEAD", url, "", ""), 200);
    assert_int_equal(ask("GET", piece, "", ""), 0);
    assert_int_equal(fx.hls.number, 42);
    assert_int_equal(ask("GET", "/session/1/index.m3u8", "", ""), 401);
    assert_int_equal(get("/session/1.flv"), 404); /* nothing else of it */
    fx.hls_busy = true;
    assert_int_equal(ask("GET", url, "", ""), 503);
    fx.hls_busy = false;
    fx.now.mono_ms += HTTP_HLS_HOLD_MS;
    http_app_tick(fx.app);
    assert_int_equal(ask("GET", url, "", ""), 404);
    assert_int_equal(ask("GET", piece, "", ""), 404);
}

/* It is no session, and not over: each playlist lets its pieces in for as long. */
static void of_a_talk(void **state)
{
    (void)state;
    fake.voice[0] = (struct platform_voice){ .id = 13, .device = SLICE(D1),
                                             .mode = PLATFORM_VOICE_TALK,
                                             .state = PLATFORM_VOICE_SPEAKS };
    assert_int_equal(get("/session/13/index.m3u8"), 0);
    fx.now.mono_ms += HTTP_HLS_HOLD_MS - 1;
    assert_int_equal(get("/session/13/index.m3u8"), 0);
    fx.now.mono_ms += HTTP_HLS_HOLD_MS - 1;
    http_app_tick(fx.app);
    assert_int_equal(get("/session/13/seg_42.m4s"), 0);
    assert_int_equal(fx.hls.number, 42);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(playlist), APP(held_for_a_while), APP(signature_goes_on),
        APP(failures), APP(unread_codec),     APP(delay),
        APP(of_a_recording), APP(a_recording_is_over),
        APP(of_a_talk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
