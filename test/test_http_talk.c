/* app/http/talk: who may speak, what goes to the media loops, how it ends. */
#include "test/http_fixture.h"

#include "app/media/voice.h"

#define TALK "/api/v1/devices/" D1 "/channels/" C1 "/talk"
#define WS TOKEN "Connection: Upgrade\r\nUpgrade: websocket\r\n"               \
    "Sec-WebSocket-Version: 13\r\n"                                            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static size_t n_said, n_texts, n_ends;
static int16_t said[4096];
static char text[4096];
static bool well;

static void on_say(void *ctx, uint64_t voice, unsigned loop,
                   const int16_t *pcm, size_t n)
{
    (void)ctx;
    (void)loop;
    assert_int_equal(voice, 70);
    for (size_t i = 0; i < n && n_said < COUNT(said); i++)
        said[n_said++] = pcm[i];
}

static void on_text(void *ctx, uint64_t client, struct slice s)
{
    (void)ctx;
    assert_int_equal(client, 5);
    slice_copy(text, sizeof(text), s);
    n_texts++;
}

static void on_end(void *ctx, uint64_t client, bool how)
{
    (void)ctx;
    assert_int_equal(client, 5);
    well = how;
    n_ends++;
}

static int setup(void **state)
{
    const struct http_edge edge = { .answer = fx_answer, .event = fx_event,
                                    .wake = fx_wake, .hash = fx_hash,
                                    .talk_text = on_text, .talk_end = on_end };

    fx_setup(state);
    fx.client = 5;
    fx.app->cfg.say = on_say;
    http_app_set_edge(fx.app, &edge);
    n_said = n_texts = n_ends = 0;
    return 0;
}

static void becomes_voice(enum platform_voice_state state, bool gone)
{
    const struct platform_action a = {
        .kind = gone ? PLATFORM_VOICE_GONE : PLATFORM_VOICE_CHANGED,
        .session = 70,
    };

    fake.voice[0].state = state;
    http_on_action(fx.app, &a);
    if (gone)
        fake.voice[0].id = 0;
}

/* Samples cut anywhere, once it speaks and not before. */
static void samples_go_out(void **state)
{
    static const uint8_t bytes[] = { 1, 0, 2, 0, 3, 0xff, 4, 0 };

    (void)state;
    assert_int_equal(ask("GET", TALK "?rate=8000&mode=talk", WS, ""), 101);
    assert_int_equal(fx.last.kind, HTTP_REPLY_TALK);
    assert_int_equal(fake.voice_wish.mode, PLATFORM_VOICE_TALK);
    assert_true(strstr(fake.voice_who, "192.0.2.99") != NULL);
    http_app_talk_data(fx.app, 5, bytes, 8);
    assert_int_equal(n_said, 0);
    becomes_voice(PLATFORM_VOICE_SPEAKS, false);
    assert_true(strstr(text, "\"state\":\"speaking\"") != NULL);
    for (size_t cut = 0; cut <= 8; cut++) {
        n_said = 0;
        http_app_talk_data(fx.app, 5, bytes, cut);
        http_app_talk_data(fx.app, 5, bytes + cut, 8 - cut);
        assert_int_equal(n_said, 4);
        assert_int_equal(said[0], 1);
        assert_int_equal(said[2], 3 - 256);
    }
    http_app_talk_data(fx.app, 6, bytes, 8); /* of nobody */
    assert_int_equal(n_said, 4);
    http_app_closed(fx.app, 5);
    assert_non_null(fake.voice_stop);
    becomes_voice(PLATFORM_VOICE_OVER, true); /* after the talk */
    assert_int_equal(n_ends, 0);
}

static void g711_is_decoded(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", TALK "?coding=pcmu", WS, ""), 101);
    becomes_voice(PLATFORM_VOICE_SPEAKS, false);
    http_app_talk_data(fx.app, 5, (const uint8_t *)"\x80\xff", 2);
    assert_int_equal(n_said, 2);
    assert_int_equal(said[0], 32124);
    assert_int_equal(said[1], 0);
    http_app_closed(fx.app, 5);
}

static void its_end_is_told(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++) {
        n_ends = 0;
        assert_int_equal(ask("GET", TALK, WS, ""), 101);
        if (good)
            becomes_voice(PLATFORM_VOICE_SPEAKS, false);
        fake.voice[0].evidence = SLICE("nobody answers");
        becomes_voice(good ? PLATFORM_VOICE_OVER : PLATFORM_VOICE_FAILED,
                      false);
        assert_true(strstr(text, "nobody answers") != NULL);
        assert_int_equal(n_ends, 1);
        assert_int_equal(well, good);
        becomes_voice(PLATFORM_VOICE_OVER, true);
        assert_int_equal(n_ends, 1);
        fake.voice[0] = (struct platform_voice){ 0 };
    }
}

static void who_may_and_what_is_wrong(void **state)
{
    static const struct {
        const char *target, *fields;
        unsigned status;
    } cases[] = {
        { TALK "?rate=7999", WS, 400 },
        { TALK "?rate=48001", WS, 400 },
        { TALK "?rate=x", WS, 400 },
        { TALK "?coding=opus", WS, 400 },
        { TALK "?coding=pcma&rate=16000", WS, 400 },
        { TALK "?mode=shout", WS, 400 },
        { TALK "?packet_ms=19", WS, 400 },
        { TALK "?packet_ms=101", WS, 400 },
        { TALK "?max_s=601", WS, 400 },
        { TALK "?transport=pigeon", WS, 400 },
        { "/api/v1/talk", WS, 400 },
        { "/api/v1/talk?to=", WS, 400 },
        { TALK, "", 401 },
        { TALK, TOKEN, 404 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (ask("GET", cases[i].target, cases[i].fields, "") !=
            cases[i].status)
            fail_msg("%s: %u", cases[i].target, fx.last.status);
    assert_int_equal(ask("POST", TALK, TOKEN, "RIFF"), 415);
    assert_int_equal(ask("DELETE", TALK, TOKEN, ""), 404);
}

/* Nobody is left out without a word. */
static void too_many_places(void **state)
{
    char target[4096];
    struct writer w = writer_of(target, sizeof(target) - 1);

    (void)state;
    writer_str(&w, "/api/v1/talk?to=");
    for (int i = 0; i < 64; i++)
        writer_str(&w, i ? "," D1 "/" C1 : D1 "/" C1);
    target[w.len] = '\0';
    fx.client = 7;
    assert_int_equal(ask("GET", target, WS, ""), 101);
    http_app_closed(fx.app, 7);
    writer_str(&w, "," D2 "/" C2);
    target[w.len] = '\0';
    assert_int_equal(ask("GET", target, WS, ""), 400);
    assert_true(body_has("at most 64 places"));
}

/* 409, with who it is; a page reads it inside the WebSocket. */
static void somebody_speaks(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", TALK, WS, ""), 101);
    fake.voice[0].who = SLICE("admin at 192.0.2.4");
    fx.client = 6;
    assert_int_equal(ask("GET", TALK, WS, ""), 409);
    assert_int_equal(fx.last.kind, HTTP_REPLY_WS_TEXT);
    assert_true(body_has("\"somebody-speaks\"") &&
                body_has("admin at 192.0.2.4"));
    assert_int_equal(ask("GET", TALK, TOKEN, ""), 200);
    {
        json_t *j = body();

        expect_schema(j, "Voice");
        json_decref(j);
    }
    assert_int_equal(ask("DELETE", TALK, TOKEN, ""), 204);
    assert_non_null(fake.voice_stop);
}

/* A recording for several: what becomes of each is in the answer, of whom it
 * could not be begun for as well, though their voices are gone by then. */
static void a_recording_for_several(void **state)
{
    static const char wav[] =
        "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0"
        "\2\0\x10\0data\4\0\0\0\1\0\2\0";
    const struct platform_action changed = { .kind = PLATFORM_VOICE_CHANGED,
                                             .session = 71 };

    (void)state;
    fx.body = slice_of(wav, sizeof(wav) - 1);
    assert_int_equal(ask("POST", "/api/v1/talk?to=" D1 "/" C1 "," D2 "/" C2
                                 "," D1 "/" C2, TOKEN, ""), 0);
    fake.voice[1].evidence = SLICE("nobody answers");
    fake.voice[1].state = PLATFORM_VOICE_FAILED;
    http_on_action(fx.app, &changed);
    fake.voice[1] = (struct platform_voice){ 0 };
    assert_int_equal(fx.n_answers, 0);
    becomes_voice(PLATFORM_VOICE_SPEAKS, false);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 201);
    {
        json_t *j = body(), *items = json_object_get(j, "items"), *v;
        size_t i;

        assert_int_equal(json_array_size(items), 3);
        json_array_foreach(items, i, v)
            expect_schema(v, "Voice");
        json_decref(j);
    }
    assert_true(body_has("nobody answers") && body_has("speaks to this device"));
    becomes_voice(PLATFORM_VOICE_OVER, true);
}

static void errors_are_told_apart(void **state)
{
    static const struct {
        int err;
        unsigned status;
        const char *code;
    } cases[] = { { GB_ENOENT, 404, "device-unknown" },
                  { GB_ESTATE, 409, "device-offline" },
                  { GB_EUNSUPPORTED, 409, "no-voice-output" },
                  { GB_ELIMIT, 503, "voice-failed" } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.voice_err = cases[i].err;
        assert_int_equal(ask("GET", TALK, WS, ""), cases[i].status);
        assert_true(body_has(cases[i].code));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        T(samples_go_out), T(g711_is_decoded), T(its_end_is_told),
        T(who_may_and_what_is_wrong), T(too_many_places),
        T(somebody_speaks),
        T(a_recording_for_several), T(errors_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
