/* Live over the API and its waiting, and who may have the media. */
#include "test/http_fixture.h"

/* ---- live --------------------------------------------------------------- */

static void post_live(void **state)
{
    json_t *j;

    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, "{\"stream\":\"sub\","
                                              "\"transport\":\"tcp-passive\"}"),
                     0);
    assert_int_equal(fake.live_req.stream, 1);
    assert_int_equal(fake.live_req.transport, PLATFORM_TCP_PASSIVE);
    assert_int_equal(fake.holds[1], 1); /* while it waits */
    assert_int_equal(http_app_deadline(fx.app),
                     fx.now.mono_ms + HTTP_LIVE_WAIT_MS);
    becomes(1, PLATFORM_STARTING, PLATFORM_STEP_PACKET);
    assert_int_equal(fx.n_answers, 0);
    fake_session(1)->video = PS_CODEC_H264;
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"video\":\"h264\",\"audio\":\"none\""));
    assert_int_equal(fake.holds[1], 0);
    j = body();
    expect_schema(j, "Live");
    assert_true(body_has("\"flv\":\"http://nvr:28181/live/" D1 "/" C1
                         ".flv?stream=sub&t="));
    assert_true(body_has("\"ws_flv\":\"ws://nvr:28181/live/"));
    assert_true(body_has("\"ws_fmp4\":\"ws://nvr:28181/live/" D1 "/" C1
                         ".mp4?"));
    assert_true(body_has("\"mse\":\"ws://nvr:28181/api/ws?src=" D1 "/" C1
                         "&stream=sub&t="));
    assert_false(body_has("\"hls\"")); /* not in the formats there are */
    assert_false(body_has("\"rtsp\""));
    json_decref(j);
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);

    /* It plays: the next one answers at once. */
    assert_int_equal(ask("POST", LIVE "?stream=sub", TOKEN, ""), 200);
    assert_int_equal(fake.next_session, 1);
    assert_int_equal(ask("DELETE", LIVE, TOKEN, ""), 404); /* main */
    assert_int_equal(ask("DELETE", LIVE "?stream=sub", TOKEN, ""), 204);
}

static json_t *remedy_named(json_t *link, const char *name)
{
    json_t *r;
    size_t i;

    json_array_foreach(json_object_get(link, "remedies"), i, r)
        if (strcmp(text_of(r, "name"), name) == 0)
            return r;
    return NULL;
}

/* POST asks for the picture and tells the chain, whatever becomes of it. */
static void the_doctor_of_a_channel(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/channels/" C1 "/doctor";
    json_t *j, *link, *r;
    char *text;

    (void)state;
    assert_int_equal(ask("GET", path, TOKEN, ""), 200);
    j = body();
    expect_schema(j, "Doctor");
    assert_true(body_has("\"verdict\":\"green\",\"first\":null"));
    assert_int_equal(json_array_size(json_object_get(j, "links")),
                     DOCTOR_LINKS);
    json_decref(j);
    assert_int_equal(fake.next_session, 0); /* nothing was asked for */

    fake.sick = DOCTOR_ARRIVING + 1;
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/channels/" C1
                                 "/doctor?can=h264,H265", TOKEN,
                         "{\"transport\":\"udp\"}"),
                     0);
    assert_int_equal(fake.live_req.transport, PLATFORM_UDP);
    assert_int_equal(fake.holds[1], 1);
    becomes(1, PLATFORM_FAILED, PLATFORM_STEP_PACKET);
    assert_int_equal(fx.last.status, 200);
    assert_int_equal(fake.holds[1], 0);
    assert_int_equal(fake.can, 1u << PS_CODEC_H264 | 1u << PS_CODEC_H265);
    j = body();
    expect_schema(j, "Doctor");
    assert_true(body_has("\"device\":\"" D1 "\",\"channel\":\"" C1 "\""));
    assert_true(body_has("\"verdict\":\"red\",\"first\":\"arriving\""));
    link = json_array_get(json_object_get(j, "links"), DOCTOR_ARRIVING);
    assert_string_equal(text_of(link, "evidence"),
                        "seen \"this\"");
    assert_null(remedy_named(link, "udp")); /* that was it */
    r = remedy_named(link, "tcp-passive");
    assert_string_equal(text_of(r, "path"), path);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(r, "body"),
                                          "transport")),
        "tcp-passive");
    r = remedy_named(link, "catalog");
    assert_string_equal(text_of(r, "path"),
                        "/api/v1/devices/" D1 "/refresh");
    r = remedy_named(link, "reboot");
    text = json_dumps(json_object_get(r, "body"), JSON_COMPACT);
    assert_string_equal(text, "{\"cmd\":\"DeviceControl\",\"params\":"
                              "{\"TeleBoot\":\"Boot\"}}");
    /* which is an order that is taken */
    assert_int_equal(ask("POST", json_string_value(json_object_get(r, "path")),
                         TOKEN, text), 202);
    free(text);
    json_decref(j);

    /* one that cannot even be asked for, and one that need not be waited for */
    fake.live_err = GB_ESTATE;
    assert_int_equal(ask("POST", path, TOKEN, ""), 200);
    fake.live_err = 0;
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/channels/" C1
                                 "/doctor?wait=0", TOKEN, ""),
                     200);
    assert_int_equal(ask("GET", "/api/v1/devices/" D1 "/channels/" C1
                                "/doctor?can=av1", TOKEN, ""),
                     400);
    assert_int_equal(ask("POST", path, TOKEN, "{\"transport\":1}"), 400);
}

static void live_failures(void **state)
{
    static const struct {
        enum platform_step step;
        unsigned sip_status, status;
    } cases[] = {
        { PLATFORM_STEP_DEVICE, 0, 409 },
        { PLATFORM_STEP_SOCKET, 0, 502 },
        { PLATFORM_STEP_ANSWER, 0, 504 },
        { PLATFORM_STEP_ANSWER, 100, 504 },
        { PLATFORM_STEP_ANSWER, 408, 504 },
        { PLATFORM_STEP_ANSWER, 200, 502 }, /* an SDP we cannot use */
        { PLATFORM_STEP_ANSWER, 486, 502 },
        { PLATFORM_STEP_ANSWER, 404, 502 },
        { PLATFORM_STEP_CONNECT, 200, 504 },
        { PLATFORM_STEP_PACKET, 200, 504 },
        { PLATFORM_STEP_PROGRAM, 200, 504 },
        { PLATFORM_STEP_KEY, 200, 504 },
        { PLATFORM_STEP_ENDED, 200, 502 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct platform_session *s;
        json_t *j;

        assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
        s = fake_session(fake.next_session);
        s->sip_status = cases[i].sip_status;
        s->evidence = SLICE("what was seen");
        s->hint = SLICE("what to try");
        becomes(s->id, PLATFORM_FAILED, cases[i].step);
        if (fx.last.status != cases[i].status)
            fail_msg("%s %u: %u", platform_step_name(cases[i].step),
                     cases[i].sip_status, fx.last.status);
        j = body();
        expect_schema(j, "Problem");
        assert_string_equal(text_of(j, "step"),
                            platform_step_name(cases[i].step));
        assert_true(body_has("\"evidence\":\"what was seen\""));
        assert_true(body_has("\"hint\":\"what to try\""));
        json_decref(j);
        assert_int_equal(fake.holds[s->id], 0);
        s->id = 0;
    }
}

static void live_refusals(void **state)
{
    static const struct {
        int err;
        unsigned status;
    } cases[] = {
        { GB_ENOENT, 404 },
        { GB_ESTATE, 409 },
        { GB_ELIMIT, 409 },
        { GB_EIO, 502 },
    };
    static const char *const bodies[] = {
        "[]", "{", "{\"transport\":\"smoke\"}", "{\"stream\":3}", "x",
        "{\"transport\":\"udp\",\"transport\":\"udp\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(ask("POST", LIVE, TOKEN, bodies[i]), 400);
    assert_int_equal(ask("POST", LIVE "?wait=2", TOKEN, ""), 400);
    assert_int_equal(ask("POST", LIVE "?stream=third", TOKEN, ""), 400);
    assert_int_equal(fake.next_session, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.live_err = cases[i].err;
        assert_int_equal(ask("POST", LIVE, TOKEN, ""), cases[i].status);
        assert_true(body_has("\"step\":\"device\""));
    }
}

/* At most ten seconds, and the broken link is the one after the last good. */
static void live_timeout(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    fake_session(1)->step = PLATFORM_STEP_CONNECT;
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS - 1;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 0);
    fx.now.mono_ms++;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 504);
    assert_true(body_has("\"step\":\"packet\""));
    assert_true(body_has("\"evidence\":\""));
    assert_true(body_has("\"hint\":\""));
    assert_int_equal(fake.holds[1], 0);
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
}

/* A platform below us may answer after that. */
static void live_of_a_platform(void **state)
{
    (void)state;
    fake.longer_ms = 8000;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS + 8000 - 1;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 0);
    fx.now.mono_ms++;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 504);
    assert_true(body_has("within 18 s"));
}

/* Who waits behind one of those is answered in his own time. */
static void live_behind_a_platform(void **state)
{
    (void)state;
    fake.longer_ms = 8000;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    fake.longer_ms = 0;
    assert_int_equal(ask("POST", LIVE "?stream=sub", TOKEN, ""), 0);
    assert_int_equal(http_app_deadline(fx.app),
                     fx.now.mono_ms + HTTP_LIVE_WAIT_MS);
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(http_app_deadline(fx.app), fx.now.mono_ms + 8000);
}

/* What is known of the bytes that do come is told, not a mere time-out. */
static void live_timeout_with_evidence(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    fake_session(1)->step = PLATFORM_STEP_PACKET;
    fake_session(1)->evidence = SLICE("it looks like h264");
    fake_session(1)->hint = SLICE("set its stream to PS");
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 504);
    assert_true(body_has("\"step\":\"program\""));
    assert_true(body_has("\"evidence\":\"it looks like h264\""));
    assert_true(body_has("\"hint\":\"set its stream to PS\""));
}

/* A key frame that does not come as packets are lost. */
static void live_timeout_by_loss(void **state)
{
    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    fake_session(1)->step = PLATFORM_STEP_CODEC;
    fake_session(1)->packets = 600;
    fake_session(1)->bytes = 700000;
    fake_session(1)->lost = 400;
    fake_session(1)->transport = PLATFORM_UDP;
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 504);
    assert_true(body_has("\"step\":\"key\""));
    assert_true(body_has("600 packets (700000 bytes, 400 lost) came, but within "
                         "10.0 s not this: key frame arrives"));
    assert_true(body_has("收到 600 个包"));
    assert_true(body_has("try TCP"));
}

/* Several wait for one session; one of them goes; it is stopped for the rest. */
static void live_stopped(void **state)
{
    uint64_t first;

    (void)state;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    first = fx.last.request;
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    assert_int_equal(ask("POST", LIVE, TOKEN, ""), 0);
    assert_int_equal(fake.next_session, 1);
    assert_int_equal(fake.holds[1], 3);
    http_app_gone(fx.app, first);
    http_app_gone(fx.app, first);
    http_app_gone(fx.app, 999);
    assert_int_equal(fake.holds[1], 2);
    assert_int_equal(ask("DELETE", LIVE, TOKEN, ""), 204);
    changed(1, PLATFORM_SESSION_GONE);
    fake_session(1)->id = 0;
    assert_int_equal(fx.n_answers, 2);
    assert_int_equal(fx.last.status, 409);
    assert_true(body_has("session-stopped"));
    assert_int_equal(fake.holds[1], 0);
}

/* ---- media -------------------------------------------------------------- */

static void media_by_signature(void **state)
{
    char flv[512], mse[512], other[512];
    const char *t;

    (void)state;
    assert_int_equal(ask("POST", LIVE "?wait=0", TOKEN, ""), 202);
    url_of("flv", flv);
    url_of("mse", mse);
    assert_int_equal(ask("GET", flv, "", ""), 0); /* the URL is enough */
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_int_equal(fx.last.media.session, 1);
    assert_int_equal(fx.last.media.loop, 1);
    assert_int_equal(fx.last.media.format, HTTP_FORMAT_FLV);
    assert_false(fx.last.media.websocket);
    assert_string_equal(fx.last.media.device, D1);
    assert_string_equal(fx.last.media.channel, C1);
    assert_int_equal(fake.holds[1], 1); /* the viewer's */

    t = strstr(flv, "?t=");
    assert_non_null(t);
    /* one signature for every format of the channel, by its short name too */
    snprintf(other, sizeof(other), "/live/" D1 "/" C1 ".mp4%s", t);
    ask("GET", other, "", "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    snprintf(other, sizeof(other), "/live/" C1 ".mp4%s", t);
    ask("GET", other, "", "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    /* but for no other channel, and for nothing else */
    snprintf(other, sizeof(other), "/live/" D1 "/" C2 ".mp4%s", t);
    assert_int_equal(ask("GET", other, "", ""), 401);
    snprintf(other, sizeof(other), "/api/v1/devices%s", t);
    assert_int_equal(ask("GET", other, "", ""), 401);
    fx.now.utc_ms += INT64_C(43200) * 1000;
    assert_int_equal(ask("GET", flv, "", ""), 401); /* expired */
    assert_int_equal(fake.holds[1], 3);
}

static void media_forms(void **state)
{
    (void)state;
    assert_int_equal(get("/live/" D1 "/" C1 ".ts"), 501);
    assert_int_equal(get("/live/" D1 "/" C1 "/index.m3u8"), 501);
    assert_int_equal(get("/live/" D1 "/" C1 ".flv?stream=x"), 400);
    assert_int_equal(get("/live/" D1 "/" C1 ".flv?enhanced=2"), 400);
    assert_int_equal(get("/live/nobody.flv"), 404);
    assert_int_equal(get("/api/ws?src=" D1 "/" C1), 426);
    assert_int_equal(get("/api/ws"), 426);
    assert_int_equal(ask("GET", "/api/ws", TOKEN UPGRADE, ""), 404);
    assert_int_equal(ask("HEAD", "/live/" D1 "/" C1 ".flv", TOKEN, ""), 200);
    assert_int_equal(fake.next_session, 0); /* nothing was started */

    assert_int_equal(ask("GET", "/api/ws?src=" C1, TOKEN UPGRADE, ""), 0);
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_int_equal(fx.last.media.format, HTTP_FORMAT_MSE);
    assert_true(fx.last.media.websocket);
    assert_string_equal(fx.last.media.device, D1);
    ask("GET", "/live/" D1 "/" C1 ".flv?enhanced=1", TOKEN UPGRADE, "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_true(fx.last.media.websocket);
    assert_true(fx.last.media.enhanced);
    assert_false(fx.last.media.g711 || fx.last.media.no_audio);
    ask("GET", "/live/" D1 "/" C1 ".mp4?audio=0", TOKEN UPGRADE, "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_MEDIA);
    assert_true(fx.last.media.no_audio);
    ask("GET", "/live/" D1 "/" C1 ".mp4?audio=2", TOKEN UPGRADE, "");
    assert_int_equal(fx.last.status, 400);
}

/* A page cannot read a refused upgrade: the reason comes inside. */
static void mse_failure(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/api/ws?src=" D1 "/" C1, TOKEN UPGRADE, ""),
                     0);
    fake_session(1)->evidence = SLICE("486 \"Busy\"");
    becomes(1, PLATFORM_FAILED, PLATFORM_STEP_ANSWER);
    assert_int_equal(fx.last.kind, HTTP_REPLY_WS_TEXT);
    assert_string_equal(fx.last.body, "{\"type\":\"error\",\"value\":"
                                      "\"mse: answer: 486 \\\"Busy\\\"\"}");
    assert_int_equal(fake.holds[1], 0);
}

/* Sound alone: who asks for what has none of it is told so, and not left with an
 * answer that never begins. */
static void sound_alone(void **state)
{
    static const struct {
        enum ps_codec audio;
        const char *target;
        const char *code; /* NULL: it plays */
        const char *hint;
    } cases[] = {
        { PS_CODEC_G711A, "/live/" D1 "/" C1 ".ts", "codec-unsupported",
          "take .flv or .mp4" },
        { PS_CODEC_G711A, "/live/" D1 "/" C1 ".ts?g711=1", NULL, NULL },
        { PS_CODEC_G711U, "/live/" D1 "/" C1 ".flv", NULL, NULL },
        { PS_CODEC_G711A, "/live/" D1 "/" C1 ".mp4", NULL, NULL },
        { PS_CODEC_G711A, "/live/" D1 "/" C1 ".ps", NULL, NULL },
        { PS_CODEC_G711A, "/live/" D1 "/" C1 ".mp4?audio=0", "no-picture",
          NULL },
        { PS_CODEC_G711A, "/live/" D1 "/" C1 "/frame.mp4", "no-picture", NULL },
        { PS_CODEC_AAC, "/live/" D1 "/" C1 ".ts", NULL, NULL },
        { PS_CODEC_G722_1, "/live/" D1 "/" C1 ".flv", "codec-unsupported",
          "G.711 or AAC, or take .ps" },
        { PS_CODEC_G722_1, "/live/" D1 "/" C1 ".ps", NULL, NULL },
    };

    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    cfg.formats = ~0u;
    fx_open(&cfg);
    assert_int_equal(get("/live/" D1 "/" C1 ".ts"), 0);
    fake_session(1)->audio = PS_CODEC_G711A;
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING); /* who waited */
    assert_int_equal(fx.last.status, 409);
    assert_true(body_has("the sound is g711a, and there is no picture"));
    assert_int_equal(fake.holds[1], 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake_session(1)->audio = cases[i].audio;
        get(cases[i].target);
        if (cases[i].code ? !body_has(cases[i].code) ||
                                fx.last.status != 409 ||
                                (cases[i].hint && !body_has(cases[i].hint))
                          : fx.last.kind != HTTP_REPLY_MEDIA)
            fail_msg("%s: %u %s", cases[i].target, fx.last.status,
                     fx.last.body);
        if (!cases[i].code)
            http_app_media_lost(fx.app, &fx.last.media);
        assert_int_equal(fake.holds[1], 0);
    }
}

static void handover_holds(void **state)
{
    struct http_handover h = { .fd = -1, .session = 1 };

    (void)state;
    ask("GET", "/live/" D1 "/" C1 ".flv", TOKEN, "");
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fake.holds[1], 1);
    assert_int_equal(http_app_handover(fx.app, &h), 0);
    assert_int_equal(fake.holds[1], 1); /* now the viewer's */
    fx.media_err = GB_ELIMIT;
    assert_int_equal(http_app_handover(fx.app, &h), GB_ELIMIT);
    assert_int_equal(fake.holds[1], 0);
    fake.holds[1] = 1;
    http_app_media_lost(fx.app, &fx.last.media);
    assert_int_equal(fake.holds[1], 0);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(post_live),
        APP(the_doctor_of_a_channel),
        APP(live_failures),
        APP(live_refusals),
        APP(live_timeout),
        APP(live_of_a_platform),
        APP(live_behind_a_platform),
        APP(live_timeout_with_evidence),
        APP(live_timeout_by_loss),
        APP(live_stopped),
        APP(media_by_signature),
        APP(media_forms),
        APP(mse_failure),
        APP(handover_holds),
        APP(sound_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
