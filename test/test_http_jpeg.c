/* A JPEG of a channel: why there is none, that its session is held until it is
 * there, and what becomes of it. */
#include "test/http_fixture.h"

#define JPEG "/live/" D1 "/" C1 "/snapshot.jpg"

static struct {
    uint64_t request, session;
    unsigned n;
    bool busy;
} asked;

static bool fx_jpeg(void *ctx, uint64_t request, uint64_t session,
                    unsigned loop)
{
    (void)ctx;
    (void)loop;
    asked.request = request;
    asked.session = session;
    asked.n += !asked.busy;
    return !asked.busy;
}

static int setup(void **state)
{
    struct http_app_config cfg;
    int err = fx_setup(state);

    memset(&asked, 0, sizeof(asked));
    http_app_free(fx.app);
    cfg = fx_config();
    cfg.jpeg = fx_jpeg;
    cfg.formats |= 1u << HTTP_FORMAT_JPEG;
    fx_open(&cfg);
    return err;
}

static void play(void)
{
    struct platform_session *s = fake_session(1);

    assert_non_null(s);
    s->state = PLATFORM_PLAYING;
    s->step = PLATFORM_STEP_PLAYING;
    s->video = PS_CODEC_H264;
}

static void told(int err, const char *why, struct slice picture)
{
    const struct http_jpeg_told t = { .request = asked.request,
                                      .session = asked.session, .err = err,
                                      .why = why, .picture = picture };

    http_app_jpeg_told(fx.app, &t);
}

static void no_program(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 501);
    assert_true(body_has("no-ffmpeg"));
    assert_true(body_has("snapshot.ffmpeg"));
    assert_int_equal(fake.next_session, 0); /* nothing was started for it */
    assert_int_equal(ask("GET", JPEG, "", ""), 401);
}

static void a_picture(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 0);
    assert_int_equal(asked.n, 0); /* it does not play yet */
    play();
    http_on_session(fx.app, 1);
    http_app_tick(fx.app);
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.session, 1);
    assert_int_equal(fake.holds[1], 1);
    told(0, "", SLICE("\xff\xd8jpeg"));
    assert_int_equal(fx.last.status, 200);
    assert_int_equal(fx.last.len, 6);
    assert_int_equal(fake.holds[1], 0);
    /* it plays already; HEAD makes none */
    assert_int_equal(ask("HEAD", JPEG, TOKEN, ""), 200);
    assert_int_equal(asked.n, 1);
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 0);
    assert_int_equal(asked.n, 2);
    assert_int_equal(fake.holds[1], 1);
    told(GB_EIO, "no codec", SLICE(""));
    assert_int_equal(fx.last.status, 502);
    assert_true(body_has("\"evidence\":\"no codec\""));
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 0);
    told(GB_ELIMIT, "", SLICE(""));
    assert_int_equal(fx.last.status, 503);
    asked.busy = true;
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 503);
    assert_int_equal(fake.holds[1], 0);
    /* told with the other URLs */
    assert_int_equal(ask("GET", LIVE, TOKEN, ""), 200);
    assert_true(body_has("\"jpeg\":\"http"));
}

/* Who asked has gone: the session is let go of all the same. */
static void nobody_waits(void **state)
{
    (void)state;
    ask("POST", LIVE "?wait=0", TOKEN, "");
    play();
    assert_int_equal(ask("GET", JPEG, TOKEN, ""), 0);
    http_app_gone(fx.app, asked.request);
    told(0, "", SLICE("\xff\xd8jpeg"));
    assert_int_equal(fake.holds[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_program, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_picture, setup, fx_teardown),
        cmocka_unit_test_setup_teardown(nobody_waits, setup, fx_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
