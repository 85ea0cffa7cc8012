/* The API over a platform that does what it is told: lists, objects, live and
 * its waiting, media admission, login, events, alarms. */
#include "test/http_fixture.h"

static void list_pages(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
        size_t items;
        const char *first, *next;
        int total;
    } cases[] = {
        { "/api/v1/devices", 200, 2, D1, NULL, 2 },
        { "/api/v1/devices?limit=1", 200, 1, D1, D1, 2 },
        { "/api/v1/devices?limit=1&cursor=" D1, 200, 1, D2, NULL, 2 },
        { "/api/v1/devices?limit=2", 200, 2, D1, NULL, 2 },
        { "/api/v1/devices?cursor=" D2, 200, 0, NULL, NULL, 2 },
        { "/api/v1/devices?q=south", 200, 1, D2, NULL, 1 },
        { "/api/v1/devices?q=GATE&limit=1", 200, 1, D1, D1, 2 },
        { "/api/v1/devices?q=GATE&limit=1&cursor=" D1, 200, 1, D2, NULL, 2 },
        { "/api/v1/devices?q=0000000002", 200, 0, NULL, NULL, 0 },
        { "/api/v1/devices?q=nothing", 200, 0, NULL, NULL, 0 },
        { "/api/v1/devices?limit=0", 400, 0, NULL, NULL, 0 },
        { "/api/v1/devices?limit=10001", 400, 0, NULL, NULL, 0 },
        { "/api/v1/devices?limit=x", 400, 0, NULL, NULL, 0 },
        { "/api/v1/devices?q=%ff%zz", 400, 0, NULL, NULL, 0 },
        { "/api/v1/devices/" D1 "/channels", 200, 2, C1, NULL, 2 },
        { "/api/v1/devices/" D1 "/channels?limit=1", 200, 1, C1, C1, 2 },
        { "/api/v1/devices/" D1 "/channels?q=yard", 200, 1, C2, NULL, 1 },
        { "/api/v1/devices/" D2 "/channels", 200, 0, NULL, NULL, 0 },
        { "/api/v1/devices/x/channels", 404, 0, NULL, NULL, 0 },
        { "/api/v1/sessions", 200, 0, NULL, NULL, 0 },
        { "/api/v1/sessions?cursor=x", 400, 0, NULL, NULL, 0 },
        { "/api/v1/pending", 200, 0, NULL, NULL, 0 },
        { "/api/v1/alarms", 200, 0, NULL, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = get(cases[i].target);
        json_t *j = body(), *items = json_object_get(j, "items"), *first;

        if (status != cases[i].status)
            fail_msg("%s: %u", cases[i].target, status);
        if (status != 200) {
            expect_schema(j, "Problem");
            json_decref(j);
            continue;
        }
        first = json_object_get(json_array_get(items, 0), "id");
        if (json_array_size(items) != cases[i].items ||
            json_integer_value(json_object_get(j, "total")) !=
                cases[i].total ||
            !slice_eq(slice_str(json_string_value(first)),
                      slice_str(cases[i].first)) ||
            !slice_eq(slice_str(json_string_value(json_object_get(j, "next"))),
                      slice_str(cases[i].next)))
            fail_msg("%s: %s", cases[i].target, fx.last.body);
        json_decref(j);
    }
}

static void object(const char *target, const char *schema)
{
    json_t *j;

    if (get(target) != 200)
        fail_msg("%s: %u %s", target, fx.last.status, fx.last.body);
    j = body();
    expect_schema(j, schema);
    json_decref(j);
}

static void list_of(const char *target, const char *schema)
{
    json_t *j, *items;

    assert_int_equal(get(target), 200);
    j = body();
    items = json_object_get(j, "items");
    assert_true(json_array_size(items) > 0);
    for (size_t i = 0; i < json_array_size(items); i++)
        expect_schema(json_array_get(items, i), schema);
    json_decref(j);
}

static void alarm_in(const char *description)
{
    const struct platform_alarm alarm = {
        .device = SLICE(D1),
        .channel = SLICE(C1),
        .priority = SLICE("1"),
        .method = SLICE("5"),
        .time = SLICE("2026-01-01T00:00:00"),
        .description = slice_str(description),
        .received_utc_ms = 1000,
    };
    const struct platform_action act = { .kind = PLATFORM_ALARM,
                                         .alarm = &alarm };

    http_on_action(fx.app, &act);
}

/* What is written is what openapi.json promises, field by field. */
static void objects(void **state)
{
    (void)state;
    object("/api/v1/devices/" D1, "Device");
    object("/api/v1/devices/" D1 "/profile", "Profile");
    assert_true(body_has("\"verdict\":\"knows\""));
    assert_int_equal(get("/api/v1/devices/x/profile"), 404);
    object("/api/v1/devices/" D1 "/channels/" C1, "Channel");
    object("/api/v1/me", "Me");
    object("/api/v1/setup-hints", "SetupHints");
    list_of("/api/v1/devices", "Device");
    list_of("/api/v1/devices/" D1 "/channels", "Channel");
    list_of("/api/v1/devices/" D1 "/tree", "TreeNode");
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/commands", TOKEN,
                         "{\"cmd\":\"DeviceStatus\"}"), 202);
    list_of("/api/v1/commands", "CommandState");
    object("/api/v1/commands/1", "Command");
    list_of("/api/v1/devices/" D1 "/changes", "Change");
    fake.pending[fake.n_pending++] =
        (struct platform_pending){ .id = SLICE("x"), .first_utc_ms = 1 };
    list_of("/api/v1/pending", "Pending");
    list_of("/api/v1/subscriptions", "Subscription");
    alarm_in("someone came");
    list_of("/api/v1/alarms", "Alarm");
    assert_int_equal(ask("POST", LIVE "?wait=0", TOKEN, ""), 202);
    list_of("/api/v1/sessions", "Session");
    object("/api/v1/sessions/1", "Session");
    object(LIVE, "Live");
    assert_int_equal(get("/api/v1/sessions/2"), 404);
    assert_int_equal(get("/api/v1/sessions/x"), 404);
    assert_int_equal(get("/api/v1/devices/" D2 "/channels/" C1), 404);
    assert_int_equal(ask("DELETE", "/api/v1/sessions/1", TOKEN, ""), 204);
    assert_int_equal(fake_session(1)->state, PLATFORM_STOPPING);
}

static void device_orders(void **state)
{
    json_t *j;

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/refresh", TOKEN, ""),
                     202);
    j = body();
    expect_schema(j, "Command");
    json_decref(j);
    assert_int_equal(fake.refreshed, 1);
    assert_int_equal(fx.touched, 1);
    fake.refresh_err = GB_ESTATE;
    assert_int_equal(ask("POST", "/api/v1/devices/" D2 "/refresh", TOKEN, ""),
                     409);
    fake.refresh_err = GB_ENOENT;
    assert_int_equal(ask("POST", "/api/v1/devices/x/refresh", TOKEN, ""), 404);
    assert_int_equal(ask("DELETE", "/api/v1/devices/" D2, TOKEN, ""), 204);
    assert_int_equal(ask("DELETE", "/api/v1/devices/" D2, TOKEN, ""), 404);
}

/* ---- settings ---------------------------------------------------------------- */

/* Each key, and null, as the platform gets them. */
static void patch_device(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
        struct platform_settings want;
    } cases[] = {
        { "{}", 200, { .set = 0 } },
        { "{\"password\":\"s3cret\"}", 200,
          { .set = PLATFORM_SET_PASSWORD, .password = S("s3cret") } },
        { "{\"password\":null}", 200, { .set = PLATFORM_SET_PASSWORD } },
        { "{\"name\":\"\u5927\u95e8\"}", 200,
          { .set = PLATFORM_SET_NAME, .name = S("\xe5\xa4\xa7\xe9\x97\xa8") } },
        { "{\"date\":\"off\"}", 200,
          { .set = PLATFORM_SET_DATE, .date = 1 + PLATFORM_DATE_OFF } },
        { "{\"date\":\"utc\"}", 200,
          { .set = PLATFORM_SET_DATE, .date = 1 + PLATFORM_DATE_UTC } },
        { "{\"date\":null}", 200, { .set = PLATFORM_SET_DATE } },
        { "{\"edition\":\"2022\"}", 200,
          { .set = PLATFORM_SET_EDITION, .edition = 4 } },
        { "{\"edition\":\"2011\"}", 200,
          { .set = PLATFORM_SET_EDITION, .edition = 1 } },
        { "{\"edition\":\"auto\"}", 200, { .set = PLATFORM_SET_EDITION } },
        { "{\"require\":\"ignore\"}", 200,
          { .set = PLATFORM_SET_REQUIRE, .ignore_require = true } },
        { "{\"digest\":[\"sha256\",\"MD5\"]}", 200,
          { .set = PLATFORM_SET_DIGEST, .digest = 1u << 3 | 1u << 1 } },
        { "{\"subscribe\":{\"catalog\":true,\"alarm\":false,"
          "\"ptz\":60}}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 11,
            .subscribe = { { 600, UINT32_MAX, 0, 60 } } } },
        { "{\"subscribe\":{\"position\":null}}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 4 } },
        { "{\"subscribe\":null}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 15 } },
        { "{\"subscribe\":7}", 400, { 0 } },
        { "{\"subscribe\":{\"audio\":true}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":59}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":86401}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":\"yes\"}}", 400, { 0 } },
        { "{\"digest\":\"sm3\",\"media\":\"tcp-passive\"}", 200,
          { .set = PLATFORM_SET_DIGEST | PLATFORM_SET_MEDIA,
            .digest = 1u << 5, .media = PLATFORM_TCP_PASSIVE } },
        { "", 400, { 0 } },
        { "[]", 400, { 0 } },
        { "{\"pasword\":\"x\"}", 400, { 0 } },
        { "{\"password\":7}", 400, { 0 } },
        { "{\"password\":\"a\\nb\"}", 400, { 0 } },
        { "{\"password\":\"0123456789012345678901234567890123456789"
          "0123456789012345678901234\"}", 400, { 0 } },
        { "{\"edition\":\"2010\"}", 400, { 0 } },
        { "{\"digest\":[\"md4\"]}", 400, { 0 } },
        { "{\"digest\":[7]}", 400, { 0 } },
        { "{\"group\":\"nobody\"}", 400, { 0 } },
        { "{\"require\":\"maybe\"}", 400, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct platform_settings *w = &cases[i].want, *s = &fake.set;
        unsigned status;

        memset(&fake.set, 0xee, sizeof(fake.set));
        status = ask("PATCH", "/api/v1/devices/" D1, TOKEN, cases[i].body);
        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, status, fx.last.body);
        if (status != 200)
            continue;
        if (s->set != w->set || s->date != w->date ||
            s->edition != w->edition || s->digest != w->digest ||
            s->ignore_require != w->ignore_require || s->media != w->media ||
            (w->set & PLATFORM_SET_SUBSCRIBE &&
             (s->subscribe_kinds != w->subscribe_kinds ||
              memcmp(&s->subscribe, &w->subscribe, sizeof(s->subscribe)))) ||
            !slice_eq(slice_str(fake.password), w->password) ||
            !slice_eq(slice_str(fake.given_name), w->name))
            fail_msg("%s", cases[i].body);
        assert_false(body_has("s3cret")); /* it never comes out */
    }
    object("/api/v1/devices/" D1, "Device");
    assert_true(body_has("\"has_password\":false"));
    assert_int_equal(ask("PATCH", "/api/v1/devices/x", TOKEN, "{}"), 404);
}

static void new_devices(void **state)
{
    static const struct {
        int err;
        unsigned status;
    } errs[] = {
        { GB_EEXIST, 409 }, { GB_ESYNTAX, 400 }, { GB_EAUTH, 409 },
        { GB_ELIMIT, 409 }, { GB_ENOMEM, 503 },
    };

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/devices", TOKEN, "{}"), 400);
    assert_int_equal(ask("POST", "/api/v1/devices", TOKEN,
                         "{\"id\":\"34020000001320000077\","
                         "\"password\":\"own\"}"), 201);
    assert_string_equal(fake.created, "34020000001320000077");
    assert_string_equal(fake.password, "own");
    assert_true(body_has("\"has_password\":true"));
    for (size_t i = 0; i < COUNT(errs); i++) {
        fake.set_err = errs[i].err;
        assert_int_equal(ask("POST", "/api/v1/devices", TOKEN,
                             "{\"id\":\"34020000001320000078\"}"),
                         errs[i].status);
    }
}

static void pending_in_and_out(void **state)
{
    static const char id[] = "34020000001320000055";

    (void)state;
    fake.pending[fake.n_pending++] =
        (struct platform_pending){ .id = slice_str(id), .first_utc_ms = 1 };
    assert_int_equal(ask("POST", "/api/v1/pending/x/accept", TOKEN, ""), 404);
    assert_int_equal(ask("POST", "/api/v1/pending/34020000001320000055/accept",
                         TOKEN, ""), 201);
    assert_true(body_has("\"id\":\"34020000001320000055\""));
    assert_int_equal(ask("POST", "/api/v1/pending/34020000001320000055/accept",
                         TOKEN, ""), 404);
    fake.pending[fake.n_pending++] =
        (struct platform_pending){ .id = slice_str(id), .first_utc_ms = 1 };
    assert_int_equal(ask("DELETE", "/api/v1/pending/34020000001320000055",
                         TOKEN, ""), 204);
    assert_int_equal(ask("DELETE", "/api/v1/pending/34020000001320000055",
                         TOKEN, ""), 404);
}

static void groups(void **state)
{
    (void)state;
    assert_int_equal(get("/api/v1/groups"), 200);
    assert_true(body_has("\"total\":0"));
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN, "{}"), 400);
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"a/b\"}"), 400);
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"north gate\","
                         "\"password\":\"gr0up\"}"), 201);
    assert_string_equal(fake.group[0].password, "gr0up");
    assert_false(body_has("gr0up"));
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"north gate\"}"), 409);
    list_of("/api/v1/groups", "Group");
    object("/api/v1/groups/north%20gate", "Group");
    assert_true(body_has("\"has_password\":true"));
    assert_int_equal(ask("PATCH", "/api/v1/devices/" D1, TOKEN,
                         "{\"group\":\"north gate\"}"), 200);
    assert_string_equal(fake.group_of, "north gate");
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"name\":\"x\"}"), 400);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"password\":null}"), 200);
    assert_true(body_has("\"has_password\":false"));
    assert_int_equal(ask("PATCH", "/api/v1/groups/x", TOKEN, "{}"), 404);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"subscribe\":{\"alarm\":true}}"), 200);
    assert_int_equal(fake.group_kinds, 2);
    assert_int_equal(fake.group_policy.s[1], 3600);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"subscribe\":true}"), 400);
    assert_int_equal(ask("DELETE", "/api/v1/groups/north%20gate", TOKEN, ""),
                     204);
    assert_int_equal(ask("DELETE", "/api/v1/groups/north%20gate", TOKEN, ""),
                     404);
    assert_int_equal(get("/api/v1/groups/north%20gate"), 404);
}

/* What was set is answered when the store has it, in the order of asking; a
 * refusal at once; the client may have gone. */
static void settings_wait_for_the_store(void **state)
{
    static const struct {
        const char *method, *target, *body;
        unsigned status;
    } cases[] = {
        { "PATCH", "/api/v1/devices/" D1, "{\"name\":\"x\"}", 200 },
        { "POST", "/api/v1/devices", "{\"id\":\"34020000001320000077\"}", 201 },
        { "POST", "/api/v1/pending/34020000001320000055/accept", "", 201 },
        { "POST", "/api/v1/groups", "{\"name\":\"north\"}", 201 },
        { "PATCH", "/api/v1/groups/north", "{\"password\":\"x\"}", 200 },
        { "DELETE", "/api/v1/groups/north", "", 204 },
        { "POST", "/api/v1/devices.csv", "id,name\n" D1 ",y\n", 200 },
        { "DELETE", "/api/v1/devices/" D2, "", 204 },
    };
    struct http_app_config cfg = fx_config();
    uint64_t first;
    unsigned given;

    (void)state;
    http_app_free(fx.app);
    cfg.commits = true;
    fx_open(&cfg);
    assert_int_equal(http_app_commits(fx.app), 0);
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        size_t k = i / 2;
        bool fails = i % 2;

        if (k == 2 && !fake.n_pending)
            fake.pending[fake.n_pending++] = (struct platform_pending){
                .id = SLICE("34020000001320000055"), .first_utc_ms = 1 };
        if (k == 3)
            fake.group[0].name[0] = '\0';
        if (k == 5)
            platform_group_set(NULL, SLICE("north"), NULL, fx.now);
        if (k == 1 || k == 7 || k == 2)
            fake.n_devices = 2; /* as at first */
        given = fx.n_answers;
        if (ask(cases[k].method, cases[k].target, TOKEN, cases[k].body) != 0)
            fail_msg("%s %s: %u %s", cases[k].method, cases[k].target,
                     fx.last.status, fx.last.body);
        assert_int_equal(http_app_commits(fx.app), i + 1);
        http_app_committed(fx.app, i, 0); /* what came before it */
        assert_int_equal(fx.n_answers, given);
        http_app_committed(fx.app, i + 1, fails ? GB_EIO : 0);
        assert_int_equal(fx.n_answers, given + 1);
        assert_int_equal(fx.last.request, fx.next_request);
        if (fx.last.status != (fails ? 503u : cases[k].status))
            fail_msg("%s %s: %u", cases[k].method, cases[k].target,
                     fx.last.status);
        if (fails)
            assert_true(body_has("\"code\":\"not-stored\"") &&
                        body_has("\"step\":\"store\""));
    }
    /* refused: nothing to wait for */
    assert_int_equal(ask("PATCH", "/api/v1/devices/x", TOKEN, "{}"), 404);
    assert_int_equal(http_app_commits(fx.app), 2 * COUNT(cases));
    /* two wait, one of them leaves */
    ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
    first = fx.next_request;
    ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
    http_app_gone(fx.app, first);
    given = fx.n_answers;
    http_app_committed(fx.app, UINT64_MAX, 0);
    assert_int_equal(fx.n_answers, given + 1);
    /* no memory to keep the answer with: said, not hoped */
    fx.mem.fail_at = 0;
    for (unsigned long n = 1; n < 40; n++) {
        unsigned status;

        fx.mem.calls = 0;
        fx.mem.fail_at = n;
        status = ask("DELETE", "/api/v1/groups/none", TOKEN, "");
        fx.mem.fail_at = 0;
        assert_true(status == 404 || status == 503 || status == 500);
        fx.mem.calls = 0;
        fx.mem.fail_at = n;
        status = ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
        fx.mem.fail_at = 0;
        assert_true(status == 0 || status == 503);
    }
    ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}"); /* and one at the end */
}

/* ---- live ------------------------------------------------------------------- */

static void changed(uint64_t session, enum platform_action_kind kind)
{
    const struct platform_action act = { .kind = kind, .session = session };

    http_on_action(fx.app, &act);
    if (http_app_deadline(fx.app) == 0)
        http_app_tick(fx.app);
}

static void becomes(uint64_t session, enum platform_session_state state_,
                    enum platform_step step)
{
    struct platform_session *s = fake_session(session);

    assert_non_null(s);
    s->state = state_;
    s->step = step;
    changed(session, PLATFORM_SESSION_CHANGED);
}

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
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 200);
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
        assert_string_equal(json_string_value(json_object_get(j, "step")),
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

/* ---- media --------------------------------------------------------------------- */

/* The value of a URL in the last answer, from its path on. */
static void url_of(const char *key, char out[static 512])
{
    json_t *j = body();
    struct slice url = slice_str(json_string_value(json_object_get(j, key)));

    url = slice_from(url, slice_find_slice(url, SLICE("://")) + 3);
    url = slice_from(url, slice_find(url, '/'));
    assert_true(url.n > 0);
    slice_copy(out, 512, url);
    json_decref(j);
}

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

#define UPGRADE                                                                \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"                            \
    "Sec-WebSocket-Version: 13\r\n"                                            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

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
    assert_false(fx.last.media.g711);
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

/* ---- who -------------------------------------------------------------------------- */

static unsigned login(const char *from, const char *fields, const char *text)
{
    unsigned status = ask_from(from, "POST", "/api/v1/login", fields, text);

    if (status)
        return status;
    assert_non_null(fx.job);
    http_password_job_run(fx.job);
    http_app_password_done(fx.app, fx.job);
    fx.job = NULL;
    return fx.last.status;
}

/* The cookie of the last answer as a request field. */
static void cookie_of(char out[static 128])
{
    struct slice f = slice_str(fx.last.fields), line;

    f = slice_from(f, slice_find_slice(f, SLICE("Set-Cookie: ")) + 12);
    slice_cut(&f, ';', &line);
    snprintf(out, 128, "Cookie: %.*s\r\n", SLICE_ARG(line));
}

static void login_and_out(void **state)
{
    char cookie[128];

    (void)state;
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"wrong\"}"), 401);
    assert_int_equal(login("192.0.2.5", "", "{\"password\":3}"), 400);
    assert_int_equal(login("192.0.2.5", "", ""), 400);
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"letmein\"}"),
                     200);
    assert_true(slice_find_slice(slice_str(fx.last.fields),
                                 SLICE("; HttpOnly; SameSite=Strict")) <
                strlen(fx.last.fields));
    assert_null(strstr(fx.last.fields, "Secure"));
    cookie_of(cookie);
    assert_int_equal(ask("GET", "/api/v1/me", cookie, ""), 200);
    assert_true(body_has("\"via\":\"cookie\""));
    /* A wrong token is not made good by a cookie. */
    {
        char both[256];

        snprintf(both, sizeof(both), "%sAuthorization: Bearer x\r\n", cookie);
        assert_int_equal(ask("GET", "/api/v1/me", both, ""), 401);
        snprintf(both, sizeof(both), "%sX-Requested-With: x\r\n", cookie);
        assert_int_equal(ask("POST", "/api/v1/logout", both, ""), 204);
    }
    assert_int_equal(ask("GET", "/api/v1/me", cookie, ""), 401);
    assert_int_equal(login("10.0.0.1",
                           "X-Forwarded-For: 192.0.2.77\r\n"
                           "X-Forwarded-Proto: https\r\n",
                           "password=letmein"),
                     200);
    assert_non_null(strstr(fx.last.fields, "; Secure"));
}

static void login_rate(void **state)
{
    (void)state;
    for (int i = 0; i < HTTP_LOGIN_FAILURES; i++)
        assert_int_equal(login("192.0.2.5", "", "{\"password\":\"x\"}"), 401);
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"letmein\"}"),
                     429);
    assert_non_null(strstr(fx.last.fields, "Retry-After: 60\r\n"));
    assert_int_equal(login("192.0.2.6", "", "{\"password\":\"letmein\"}"),
                     200);
    /* Behind a trusted proxy it is the client that is counted. */
    assert_int_equal(login("10.0.0.1", "X-Forwarded-For: 192.0.2.5\r\n",
                           "{\"password\":\"letmein\"}"),
                     429);
    /* Nobody else is believed. */
    assert_int_equal(login("192.0.2.5", "X-Forwarded-For: 192.0.2.8\r\n",
                           "{\"password\":\"letmein\"}"),
                     429);
    fx.now.mono_ms += HTTP_LOGIN_WINDOW_S * 1000;
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"letmein\"}"),
                     200);
}

/* Password checks under way are bounded, from however many sources. */
static void login_jobs(void **state)
{
    struct http_password_job *jobs[HTTP_PASSWORD_JOBS_MAX];
    char from[32];

    (void)state;
    for (int i = 0; i < HTTP_PASSWORD_JOBS_MAX; i++) {
        snprintf(from, sizeof(from), "198.51.100.%d", i);
        assert_int_equal(ask_from(from, "POST", "/api/v1/login", "",
                                  "{\"password\":\"x\"}"), 0);
        jobs[i] = fx.job;
    }
    assert_int_equal(ask("POST", "/api/v1/login", "", "{\"password\":\"x\"}"),
                     503);
    for (int i = 0; i < HTTP_PASSWORD_JOBS_MAX; i++)
        http_app_password_done(fx.app, jobs[i]); /* never run: not ok */
    assert_int_equal(fx.last.status, 401);
    assert_int_equal(login("192.0.2.9", "", "{\"password\":\"letmein\"}"),
                     200);
}

static void cross_site(void **state)
{
    static const struct {
        const char *method, *target, *fields;
        unsigned status;
    } cases[] = {
        { "GET", "/api/v1/me", "Origin: http://evil\r\n", 200 },
        { "POST", "/api/v1/logout", "", 403 },
        { "POST", "/api/v1/logout", "Origin: http://evil\r\n", 403 },
        { "POST", "/api/v1/logout", "Origin: null\r\n", 403 },
        { "POST", "/api/v1/logout", "Origin: http://nvr\r\n", 403 },
        { "POST", "/api/v1/logout", "Origin: http://nvr:28182\r\n", 403 },
        { "POST", "/api/v1/logout",
          "Origin: http://evil\r\nX-Requested-With: x\r\n", 403 },
        { "POST", "/api/v1/logout", "Sec-Fetch-Site: cross-site\r\n", 403 },
        { "POST", "/api/v1/logout", "Sec-Fetch-Site: same-site\r\n", 403 },
        { "GET", "/api/ws?src=" C1, UPGRADE "Origin: http://evil\r\n", 403 },
        { "GET", "/api/ws?src=" C1, UPGRADE "Origin: http://nvr:28181\r\n",
          0 },
        { "DELETE", "/api/v1/devices/x", "Origin: http://NVR:28181\r\n", 404 },
        { "DELETE", "/api/v1/devices/x", "Sec-Fetch-Site: same-origin\r\n",
          404 },
        { "DELETE", "/api/v1/devices/x", "X-Requested-With: x\r\n", 404 },
    };
    char cookie[128], fields[1024];

    (void)state;
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"letmein\"}"),
                     200);
    cookie_of(cookie);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status;

        snprintf(fields, sizeof(fields), "%s%s", cookie, cases[i].fields);
        status = ask(cases[i].method, cases[i].target, fields, "");
        if (fx.last.kind == HTTP_REPLY_LATER)
            http_app_gone(fx.app, fx.last.request);
        if (status != cases[i].status)
            fail_msg("%s %s %s: %u", cases[i].method, cases[i].target,
                     cases[i].fields, status);
    }
    /* A token is no ambient credential: any origin may use it. */
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/refresh",
                         TOKEN "Origin: http://evil\r\n", ""), 202);
    assert_int_equal(login("192.0.2.5", "Origin: http://evil\r\n",
                           "{\"password\":\"letmein\"}"), 403);
}

/* http.public_url is one name of this server; the LAN knows it by its address,
 * and what a refusal expected is said. */
static void other_names(void **state)
{
    static const struct {
        bool auth;
        const char *fields;
        unsigned status;
    } cases[] = {
        { true, "Host: 192.168.1.2:28181\r\n"
                "Origin: http://192.168.1.2:28181\r\n", 404 },
        { true, "Host: nvr:28181\r\nOrigin: http://nvr:28181\r\n", 404 },
        { true, "Host: 10.0.0.1\r\nOrigin: https://nvr.example\r\n", 404 },
        { true, "Host: 192.168.1.2:28181\r\nOrigin: http://evil\r\n", 403 },
        { true, "Host: 192.168.1.2:28181\r\nOrigin: http://192.168.1.2\r\n",
          403 },
        { false, "Host: 192.168.1.2:28181\r\n"
                 "Origin: http://192.168.1.2:28181\r\n", 404 },
        { false, "Host: [fd00::1]:28181\r\nOrigin: http://[fd00::1]:28181\r\n",
          404 },
        { false, "Host: 10.0.0.1\r\nOrigin: https://nvr.example\r\n", 404 },
        /* a name that its owner lets lead to us */
        { false, "Host: evil:28181\r\nOrigin: http://evil:28181\r\n", 403 },
    };
    struct http_app_config cfg = fx_config();
    char fields[1024], cookie[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        http_app_free(fx.app);
        cfg.public_url = "https://nvr.example/";
        cfg.auth = cases[i].auth;
        fx_open(&cfg);
        cookie[0] = '\0';
        if (cfg.auth) {
            assert_int_equal(login("192.0.2.5", "",
                                   "{\"password\":\"letmein\"}"), 200);
            cookie_of(cookie);
        }
        snprintf(fields, sizeof(fields), "%s%s", cookie, cases[i].fields);
        if (ask("DELETE", "/api/v1/devices/x", fields, "") != cases[i].status)
            fail_msg("%s: %u", cases[i].fields, fx.last.status);
        if (fx.last.status == 403)
            assert_true(body_has("expected is a page of https://nvr.example"));
    }
}

static void open_house(void **state)
{
    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    cfg.auth = false;
    cfg.admin_token = NULL;
    fx_open(&cfg);
    assert_int_equal(ask("GET", "/api/v1/me", "", ""), 200);
    assert_true(body_has("\"via\":\"open\""));
    assert_int_equal(ask("POST", LIVE "?wait=0", "", ""), 202);
    assert_false(body_has("t="));
    assert_int_equal(ask("DELETE", LIVE, "Origin: http://evil\r\n", ""), 403);
}

static void bases(void **state)
{
    static const struct {
        const char *from, *fields, *want;
    } cases[] = {
        { "192.0.2.5", "Host: a:1\r\n", "\"flv\":\"http://a:1/live/" },
        { "192.0.2.5", "Host: a\r\nX-Forwarded-Host: b\r\n",
          "\"flv\":\"http://a/live/" },
        { "10.9.9.9", "Host: a\r\nX-Forwarded-Host: b\r\n",
          "\"flv\":\"http://b/live/" },
        { "10.9.9.9",
          "Host: a\r\nX-Forwarded-Host: x, b:8\r\nX-Forwarded-Proto: https\r\n",
          "\"ws_flv\":\"wss://b:8/live/" },
        { "10.9.9.9", "Host: a\r\nX-Forwarded-Host: \"<b>\"\r\n",
          "\"flv\":\"http://a/live/" },
        { "192.0.2.5", "Host: [::1]:9\r\n",
          "\"rtsp\":\"rtsp://[::1]:8554/" D1 "/" C1 },
        { "192.0.2.5", "Host: a:1\r\n", "\"rtsp\":\"rtsp://a:8554/" },
    };
    struct http_app_config cfg = fx_config();
    char fields[512];

    (void)state;
    http_app_free(fx.app);
    cfg.rtsp_port = 8554;
    fx_open(&cfg);
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(fields, sizeof(fields), "%s%s", TOKEN, cases[i].fields);
        assert_int_equal(ask_from(cases[i].from, "POST", LIVE "?wait=0",
                                  fields, ""), 202);
        if (!body_has(cases[i].want))
            fail_msg("%s: %s", cases[i].fields, fx.last.body);
    }
    http_app_free(fx.app);
    cfg.public_url = "https://nvr.example/";
    fx_open(&cfg);
    assert_int_equal(ask("POST", LIVE "?wait=0", TOKEN, ""), 202);
    assert_true(body_has("\"mse\":\"wss://nvr.example/api/ws?src="));
    assert_true(body_has("\"flv\":\"https://nvr.example/live/"));
}

/* ---- events and alarms ---------------------------------------------------------------- */

static void device_event(enum platform_action_kind kind)
{
    const struct platform_action act = { .kind = kind, .device = SLICE(D1) };

    http_on_action(fx.app, &act);
}

static bool next_event(uint64_t *seq, const char *want)
{
    struct buf b;
    bool got;

    buf_init(&b, &fx.mem.alloc, 65536);
    got = http_app_event_next(fx.app, seq, &b);
    if (got && slice_find_slice(buf_view(&b), slice_str(want)) == b.len)
        fail_msg("want %s in %.*s", want, SLICE_ARG(buf_view(&b)));
    buf_fini(&b);
    return got;
}

static void events(void **state)
{
    char id[128];
    uint64_t seq;

    (void)state;
    http_app_event_join(fx.app);
    device_event(PLATFORM_DEVICE_CHANGED);
    assert_int_equal(get("/api/v1/events"), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_EVENTS);
    seq = fx.last.event_seq;
    assert_int_equal(seq, 1); /* from now on */
    assert_false(next_event(&seq, ""));
    device_event(PLATFORM_DEVICE_REMOVED);
    alarm_in("smoke");
    ask("POST", LIVE "?wait=0", TOKEN, "");
    changed(1, PLATFORM_SESSION_CHANGED);
    changed(1, PLATFORM_SESSION_GONE);
    assert_int_equal(fx.events, 5);
    assert_true(next_event(&seq, "event: device\ndata: {\"id\":\"" D1
                                 "\",\"removed\":true}\n\n"));
    assert_true(next_event(&seq, "event: alarm\ndata: {"));
    assert_true(next_event(&seq, "event: session\ndata: {\"id\":\"1\","));
    assert_true(next_event(&seq, "\"removed\":true"));
    assert_false(next_event(&seq, ""));

    /* Again from the second, by the id the client has. */
    snprintf(id, sizeof(id), TOKEN "Last-Event-ID: %lld-2\r\n",
             (long long)fx.now.utc_ms);
    assert_int_equal(ask("GET", "/api/v1/events", id, ""), 200);
    seq = fx.last.event_seq;
    assert_int_equal(seq, 2);
    assert_true(next_event(&seq, "event: alarm"));
    /* Of another life of ours, or nonsense: start over. */
    assert_int_equal(ask("GET", "/api/v1/events",
                         TOKEN "Last-Event-ID: 5-2\r\n", ""), 200);
    seq = fx.last.event_seq;
    assert_true(next_event(&seq, "event: reset\n"));
    assert_int_equal(seq, 5);
    assert_false(next_event(&seq, ""));
}

/* Without a reader none are made; who comes back late is told to start over. */
static void events_without_readers(void **state)
{
    uint64_t seq = 0;

    (void)state;
    device_event(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, "event: reset\n"));
    http_app_event_join(fx.app);
    device_event(PLATFORM_DEVICE_REMOVED);
    http_app_event_leave(fx.app);
    fx.now.mono_ms += 59000;
    device_event(PLATFORM_DEVICE_REMOVED); /* it may have dropped out only */
    assert_true(next_event(&seq, "event: device\n"));
    assert_true(next_event(&seq, "event: device\n"));
    fx.now.mono_ms += 1000;
    device_event(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, "event: reset\n"));
    assert_false(next_event(&seq, ""));
    assert_int_equal(seq, 4);
}

static void event_ring(void **state)
{
    uint64_t seq = 0, first;

    (void)state;
    http_app_event_join(fx.app);
    for (int i = 0; i < 3000; i++)
        device_event(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, "event: reset\n"));
    assert_int_equal(seq, 3000);
    first = 3000 - 1024;
    assert_true(next_event(&first, "event: device\n"));
    assert_int_equal(first, 3000 - 1023);
}

static void commands(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/commands";
    static const struct {
        const char *path, *body;
        unsigned status;
        const char *order;
    } cases[] = {
        { path, "{\"cmd\":\"DeviceStatus\"}", 202, "DeviceStatus " },
        { path, "{\"cmd\":\"ConfigDownload\",\"channel\":\"" C1 "\","
                "\"params\":{\"ConfigType\":\"BasicParam\"}}",
          202, "ConfigDownload " C1 " <ConfigType>BasicParam</ConfigType>" },
        { "/api/v1/devices/" D1 "/alarm-reset", "", 202,
          "DeviceControl " D1 " <AlarmCmd>ResetAlarm</AlarmCmd>" },
        { "/api/v1/devices/" D1 "/channels/" C1 "/alarm-reset",
          "{\"AlarmMethod\":\"2/5\"}", 202,
          "DeviceControl " C1 " <AlarmCmd>ResetAlarm</AlarmCmd>"
          "<Info><AlarmMethod>25</AlarmMethod></Info>" },
        { "/api/v1/devices/x/commands", "{\"cmd\":\"DeviceStatus\"}", 404,
          NULL },
        { path, "", 400, NULL },
        { path, "[]", 400, NULL },
        { path, "{}", 400, NULL },
        { path, "{\"cmd\":7}", 400, NULL },
        { path, "{\"cmd\":\"A\"}", 400, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"more\":1}", 400, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"params\":[]}", 400, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"params\":{\"b\":1}}", 422, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"channel\":null}", 400, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"edition\":\"2\"}", 400, NULL },
        { path, "{\"cmd\":\"DeviceStatus\",\"extra\":[]}", 422, NULL },
    };
    json_t *j;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask("POST", cases[i].path, TOKEN, cases[i].body);

        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, status, fx.last.body);
        if (cases[i].order)
            assert_string_equal(fake.order, cases[i].order);
    }
    fake.set_err = GB_ESTATE;
    assert_int_equal(ask("POST", path, TOKEN, cases[0].body), 409);
    fake.set_err = GB_ELIMIT;
    assert_int_equal(ask("POST", path, TOKEN, cases[0].body), 503);
    fake.set_err = GB_ESYNTAX;
    assert_int_equal(ask("POST", path, TOKEN, cases[0].body), 400);
    fake.set_err = 0;
    /* 4, 3, 2, 1: newest first, by pages and filters */
    assert_int_equal(get("/api/v1/commands?limit=3"), 200);
    j = body();
    assert_string_equal(json_string_value(json_object_get(j, "next")), "2");
    assert_int_equal(json_integer_value(json_object_get(j, "total")), 4);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?limit=3&cursor=2"), 200);
    j = body();
    assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?state=sent"), 200);
    j = body();
    assert_int_equal(json_integer_value(json_object_get(j, "total")), 1);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands?device=" D1), 200);
    j = body();
    assert_int_equal(json_integer_value(json_object_get(j, "total")), 2);
    json_decref(j);
    assert_int_equal(get("/api/v1/commands/9"), 404);
    assert_int_equal(get("/api/v1/commands/x"), 404);
    assert_int_equal(get("/api/v1/commands?cursor=x"), 400);
}

/* Presets by number (field-note 11.3), stop without a speed (11.11). */
static void ptz(void **state)
{
#define PTZ "/api/v1/devices/" D1 "/channels/" C1 "/ptz"
#define PRESET "/api/v1/devices/" D1 "/channels/" C1 "/presets"
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *order; /* or what the problem says */
    } cases[] = {
        { "POST", PTZ, "{\"action\":\"right\",\"speed\":50}", 202,
          "A50F0101320000E8 " C1 " " },
        { "POST", PTZ, "{\"action\":\"up_left\",\"speed\":50}", 202,
          "A50F010A32320023 " C1 " " },
        { "POST", PTZ, "{\"action\":\"move\",\"pan\":1,\"tilt\":1,"
                       "\"zoom\":-1,\"speed\":50,\"zoom_speed\":5}", 202,
          "A50F012932325092 " C1 " " },
        { "POST", PTZ, "{\"action\":\"zoom_in\",\"zoom_speed\":5}", 202,
          "A50F011000005015 " C1 " " },
        { "POST", PTZ, "{\"action\":\"zoom_out\",\"speed\":255}", 202,
          "A50F01200000F0C5 " C1 " " },
        { "POST", PTZ, "{\"action\":\"focus_far\",\"speed\":50}", 202,
          "A50F014132000028 " C1 " " },
        { "POST", PTZ, "{\"action\":\"iris_close\",\"speed\":50}", 202,
          "A50F01480032002F " C1 " " },
        { "POST", PTZ, "{\"action\":\"lens\",\"focus\":1,\"iris\":-1,"
                       "\"focus_speed\":32,\"iris_speed\":48}", 202,
          "A50F01492030004E " C1 " " },
        { "POST", PTZ, "{\"action\":\"stop\"}", 202, "stop " C1 },
        { "POST", PTZ, "{\"action\":\"stop\",\"speed\":5}", 202,
          "stop " C1 },
        { "POST", PTZ, "{\"action\":\"move\"}", 202,
          "A50F0100000000B5 " C1 " " },
        { "POST", PTZ, "{\"action\":\"preset_call\",\"preset\":255}", 202,
          "A50F018200FF0036 " C1 " " },
        { "POST", PTZ, "{\"action\":\"cruise_add\",\"group\":1,"
                       "\"preset\":3,\"name\":\"night\"}", 202,
          "A50F01840103003D " C1 " night" },
        { "POST", PTZ, "{\"action\":\"cruise_delete\",\"group\":1,"
                       "\"preset\":0}", 202, "A50F01850100003B " C1 " " },
        { "POST", PTZ, "{\"action\":\"cruise_speed\",\"group\":1,"
                       "\"value\":300}", 202, "A50F0186012C1078 " C1 " " },
        { "POST", PTZ, "{\"action\":\"cruise_dwell\",\"group\":1,"
                       "\"value\":600}", 202, "A50F0187015820B5 " C1 " " },
        { "POST", PTZ, "{\"action\":\"cruise_start\",\"group\":1}", 202,
          "A50F01880100003E " C1 " " },
        { "POST", PTZ, "{\"action\":\"scan_start\",\"group\":1}", 202,
          "A50F01890100003F " C1 " " },
        { "POST", PTZ, "{\"action\":\"scan_right\",\"group\":1}", 202,
          "A50F018901020041 " C1 " " },
        { "POST", PTZ, "{\"action\":\"scan_speed\",\"group\":1,"
                       "\"value\":5}", 202, "A50F018A01050045 " C1 " " },
        { "POST", PTZ, "{\"action\":\"wiper_on\"}", 202,
          "A50F018C01000042 " C1 " " },
        { "POST", PTZ, "{\"action\":\"aux_off\",\"group\":1}", 202,
          "A50F018D01000043 " C1 " " },
        { "PUT", PRESET "/1", "{\"name\":\"door\"}", 202,
          "A50F018100010037 " C1 " door" },
        { "PUT", PRESET "/1", "", 202, "A50F018100010037 " C1 " " },
        { "POST", PRESET "/1/call", "", 202, "A50F018200010038 " C1 " " },
        { "DELETE", PRESET "/1", "", 202, "A50F018300010039 " C1 " " },
        { "GET", PRESET, "", 202, "PresetQuery " C1 },
        { "GET", "/api/v1/devices/" D1 "/config", "", 202,
          "ConfigDownload " D1 " <ConfigType>BasicParam</ConfigType>" },
        { "GET", "/api/v1/devices/" D1 "/channels/" C1
          "/config?type=SVACDecodeConfig/VideoParamOpt", "", 202,
          "ConfigDownload " C1 " <ConfigType>SVACDecodeConfig/VideoParamOpt"
          "</ConfigType>" },
        { "PATCH", "/api/v1/devices/" D1 "/config",
          "{\"BasicParam\":{\"Name\":\"a\"}}", 202,
          "DeviceConfig " D1 " <BasicParam><Name>a</Name></BasicParam>" },
        { "POST", "/api/v1/devices/" D1 "/guard",
          "{\"GuardCmd\":\"SetGuard\"}", 202,
          "DeviceControl " D1 " <GuardCmd>SetGuard</GuardCmd>" },
        { "POST", "/api/v1/devices/" D1 "/channels/" C1 "/guard",
          "{\"GuardCmd\":\"ResetGuard\"}", 202,
          "DeviceControl " C1 " <GuardCmd>ResetGuard</GuardCmd>" },

        { "POST", PTZ, "", 400, "an object with an action" },
        { "POST", PTZ, "{}", 422, "action: one of stop, left, right, up, " },
        { "POST", PTZ, "{\"action\":\"jump\"}", 422, "action: one of" },
        { "POST", PTZ, "{\"action\":\"up\",\"sped\":1}", 422,
          "sped: allowed are action, name, pan" },
        { "POST", PTZ, "{\"action\":\"up\",\"speed\":0}", 422,
          "speed: a whole number from 1 to 255 is wanted" },
        { "POST", PTZ, "{\"action\":\"up\",\"zoom_speed\":16}", 422,
          "zoom_speed: a whole number from 0 to 15 is wanted" },
        { "POST", PTZ, "{\"action\":\"up\",\"pan\":0.5}", 422, "pan: " },
        { "POST", PTZ, "{\"action\":\"preset_set\"}", 422,
          "preset is missing, 1 to 255" },
        { "POST", PTZ, "{\"action\":\"preset_set\",\"preset\":0}", 422,
          "preset: a whole number from 1 to 255" },
        { "POST", PTZ, "{\"action\":\"cruise_start\"}", 422,
          "group is missing, 0 to 255" },
        { "POST", PTZ, "{\"action\":\"scan_speed\",\"group\":1}", 422,
          "value is missing, 0 to 4095" },
        { "POST", PTZ, "{\"action\":\"up\",\"name\":1}", 422, "name: " },
        { "POST", PRESET "/0/call", "", 422, "preset: " },
        { "PUT", PRESET "/x", "", 422, "preset: " },
        { "PUT", PRESET "/1", "{\"nam\":\"x\"}", 422, "an object of name" },
        { "PUT", PRESET "/1", "[]", 400, "an object of name" },
        { "PATCH", "/api/v1/devices/" D1 "/config", "[]", 400, "an object" },
        { "PATCH", "/api/v1/devices/" D1 "/config", "", 422, "one type" },
        { "POST", "/api/v1/devices/" D1 "/guard", "", 422, "one of PTZCmd" },
        { "POST", "/api/v1/devices/x/channels/" C1 "/ptz",
          "{\"action\":\"up\"}", 404, "no such device" },
        { "GET", "/api/v1/devices/x/guard", "", 404, "no such device" },
        { "GET", "/api/v1/devices/" D1 "/guard", "", 200, "ONDUTY" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask(cases[i].method, cases[i].path, TOKEN,
                              cases[i].body);

        if (status != cases[i].status)
            fail_msg("%s %s: %u %s", cases[i].path, cases[i].body, status,
                     fx.last.body);
        if (status == 202)
            assert_string_equal(fake.order, cases[i].order);
        else if (!body_has(cases[i].order))
            fail_msg("%s: %s", cases[i].body, fx.last.body);
    }
    list_of("/api/v1/devices/" D1 "/guard", "Guard");
#undef PTZ
#undef PRESET
}

/* ?wait=: the answer comes when the command is over, or the time. */
static void commands_waited_for(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/commands?wait=5";
    static const char status[] = "{\"cmd\":\"DeviceStatus\"}";
    struct platform_action act = { .kind = PLATFORM_COMMAND_CHANGED,
                                   .command = 1 };
    uint64_t request;

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/commands?wait=61",
                         TOKEN, status), 400);
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/channels/" C1
                                 "/ptz?wait=x", TOKEN,
                         "{\"action\":\"stop\"}"), 400);
    assert_int_equal(fake.n_commands, 0); /* nothing has been sent */
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    request = fx.last.request;
    assert_int_equal(http_app_deadline(fx.app), fx.now.mono_ms + 5000);
    http_on_action(fx.app, &act); /* changed, not over */
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 0);
    fake.commands_final = true;
    http_on_action(fx.app, &act);
    assert_int_equal(http_app_deadline(fx.app), 0);
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.request, request);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"final\":true") && body_has("\"Result\":\"OK\""));
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
    /* over at once: nothing to wait for */
    assert_int_equal(ask("POST", path, TOKEN, status), 202);
    /* it takes too long */
    fake.commands_final = false;
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    fx.now.mono_ms += 4999;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 1);
    fx.now.mono_ms += 1;
    http_app_tick(fx.app);
    assert_int_equal(fx.n_answers, 2);
    assert_int_equal(fx.last.status, 202);
    /* the client goes, or the command is forgotten */
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    http_app_gone(fx.app, fx.last.request);
    assert_int_equal(http_app_deadline(fx.app), GB_NEVER);
    assert_int_equal(ask("POST", path, TOKEN, status), 0);
    fake.n_commands = 0;
    fx.now.mono_ms += 5000;
    http_app_tick(fx.app);
    assert_int_equal(fx.last.status, 404);
    fake.n_commands = 1;
    assert_int_equal(ask("POST", path, TOKEN, status), 0); /* and the end */
}

static void command_event(void **state)
{
    const struct platform_action act = { .kind = PLATFORM_COMMAND_CHANGED,
                                         .command = 1 };
    struct buf b;
    uint64_t seq = http_events_last(fx.app->events);

    (void)state;
    buf_init(&b, &gb_alloc_heap, 65536);
    http_app_event_join(fx.app);
    fake.n_commands = 1;
    http_on_action(fx.app, &act);
    assert_true(http_app_event_next(fx.app, &seq, &b));
    assert_true(slice_find_slice(buf_view(&b),
                                 SLICE("event: command\ndata: {\"id\":\"1\"")) <
                b.len);
    buf_fini(&b);
}

/* ---- what only the store knows ---- */

static struct {
    struct http_ask q; /* the last one; texts not kept */
    char text[200];
    unsigned n;
    int err;
} asked;

static int fx_ask(void *ctx, const struct http_ask *q)
{
    (void)ctx;
    asked.q = *q;
    asked.n++;
    snprintf(asked.text, sizeof(asked.text), "%d d=%.*s c=%.*s m=%.*s t=%.*s "
             "p=%.*s %s%.*s%s%.*s%lld-%lld <%llu %u", (int)q->list, SLICE_ARG(q->device),
             SLICE_ARG(q->channel), SLICE_ARG(q->method), SLICE_ARG(q->type),
             SLICE_ARG(q->priority), q->cmd.n ? "k=" : "", SLICE_ARG(q->cmd),
             q->state.n ? " s=" : "", SLICE_ARG(q->state),
             (long long)q->from_utc_ms,
             (long long)q->to_utc_ms, (unsigned long long)q->before,
             (unsigned)q->limit);
    return asked.err;
}

static void with_history(void)
{
    struct http_app_config cfg;

    http_app_free(fx.app);
    cfg = fx_config();
    cfg.ask = fx_ask;
    cfg.platform = NULL;
    fx_open(&cfg);
    memset(&asked, 0, sizeof(asked));
}

static void history(void **state)
{
    static const struct {
        const char *target;
        unsigned status; /* 0: put off */
        const char *asked;
    } cases[] = {
        { "/api/v1/alarms", 0, "0 d= c= m= t= p= 0-0 <0 100" },
        { "/api/v1/alarms?device=d&channel=c&method=5&type=2&priority=1"
          "&limit=7&cursor=99&from=1970-01-01T00:00:01Z&to=5000",
          0, "0 d=d c=c m=5 t=2 p=1 1000-5000 <99 7" },
        { "/api/v1/positions?device=d", 0, "1 d=d c= m= t= p= 0-0 <0 100" },
        { "/api/v1/devices/" D1 "/channels/" C1 "/item", 0,
          "2 d=" D1 " c=" C1 " m= t= p= 0-0 <0 1" },
        { "/api/v1/commands?cmd=GuardCmd&state=silent&device=d&to=9&limit=3",
          0, "3 d=d c= m= t= p= k=GuardCmd s=silent0-9 <0 3" },
        { "/api/v1/commands/77", 0, "4 d= c= m= t= p= 0-0 <77 1" },
        { "/api/v1/commands/x", 404, NULL },
        { "/api/v1/devices/" D1 "/channels/x/item", 404, NULL },
        { "/api/v1/alarms?cursor=x", 400, NULL },
        { "/api/v1/alarms?from=yesterday", 400, NULL },
        { "/api/v1/alarms?method=12345678901234567", 400, NULL },
        { "/api/v1/alarms?limit=0", 400, NULL },
    };
    unsigned n;

    (void)state;
    with_history();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = get(cases[i].target);

        if (cases[i].status && status != cases[i].status)
            fail_msg("%s: %u", cases[i].target, status);
        if (cases[i].status)
            continue;
        assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
        assert_string_equal(asked.text, cases[i].asked);
    }
    /* one that is refused at once, and one whose client went */
    asked.err = GB_ELIMIT;
    assert_int_equal(get("/api/v1/alarms"), 503);
    asked.err = 0;
    get("/api/v1/alarms");
    http_app_gone(fx.app, asked.q.request);
    n = fx.n_answers;
    http_app_told(fx.app, &(struct http_told){ .request = asked.q.request });
    assert_int_equal(fx.n_answers, n);
}

static void history_told(void **state)
{
    const struct platform_alarm alarm = {
        .id = 41, .device = SLICE(D1), .channel = SLICE(C1),
        .method = SLICE("5"), .type = SLICE("2"), .received_utc_ms = 5,
    };
    const struct platform_position at = {
        .device = SLICE(D1), .channel = SLICE(C1), .longitude = 116.5,
        .latitude = 39.5, .speed = SLICE("60.5"), .altitude = SLICE("high"),
        .received_utc_ms = 5,
    };
    struct http_told t = { .n = 1, .total = 9, .more = true, .last = 41 };
    json_t *j, *item;

    (void)state;
    with_history();
    get("/api/v1/alarms");
    t.request = asked.q.request;
    t.alarms = &alarm;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    j = body();
    item = json_array_get(json_object_get(j, "items"), 0);
    expect_schema(item, "Alarm");
    assert_string_equal(json_string_value(json_object_get(item, "id")), "41");
    assert_string_equal(json_string_value(json_object_get(item, "type_name")),
                        "motion");
    assert_string_equal(
        json_string_value(json_object_get(item, "type_name_zh")),
        "运动目标检测报警");
    assert_string_equal(json_string_value(json_object_get(j, "next")), "41");
    assert_int_equal(json_integer_value(json_object_get(j, "total")), 9);
    json_decref(j);

    get("/api/v1/positions");
    t = (struct http_told){ .request = asked.q.request, .n = 1, .total = 1,
                            .positions = &at };
    http_app_told(fx.app, &t);
    j = body();
    item = json_array_get(json_object_get(j, "items"), 0);
    expect_schema(item, "Position");
    assert_true(json_is_null(json_object_get(item, "altitude")));
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);

    get("/api/v1/devices/" D1 "/channels/" C1 "/item");
    t = (struct http_told){
        .request = asked.q.request,
        .detail = SLICE("IPAddress\t10.0.0.1\nInfo/RoomType\t1\nX\t\nX\t2\n"),
    };
    http_app_told(fx.app, &t);
    j = body();
    expect_schema(j, "Item");
    item = json_object_get(j, "item");
    assert_int_equal(json_object_size(item), 3);
    assert_string_equal(
        json_string_value(json_object_get(item, "Info/RoomType")), "1");
    json_decref(j);

    get("/api/v1/alarms");
    t = (struct http_told){ .request = asked.q.request, .err = GB_EIO };
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 503);
    http_app_told(fx.app, &t); /* once */
    get("/api/v1/alarms"); /* the end of the application frees it */
}

static void told_commands(const char *target, const uint64_t *id, size_t n,
                          uint64_t total, bool more)
{
    struct platform_command k[8] = { 0 };
    struct http_told t = { .n = n, .total = total, .more = more,
                           .commands = k };

    get(target);
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    for (size_t i = 0; i < n; i++)
        k[i] = (struct platform_command){ .id = id[i], .is_final = true,
                                          .device = SLICE(D1),
                                          .cmd = SLICE("Old"),
                                          .asked_utc_ms = 900,
                                          .state = PLATFORM_COMMAND_ANSWERED };
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
}

/* Commands of memory, where some are under way, and of the store as one list. */
static void commands_of_both(void **state)
{
    static const uint64_t stored[] = { 5, 4, 3, 2, 1 };
    static const struct {
        const char *query;
        size_t from, n; /* of stored */
        uint64_t total;
        bool more;
        const char *ids, *next;
        int sum;
    } cases[] = {
        /* memory has 8 to 4; 6 is under way, so are all of the fake's */
        { "", 0, 5, 5, false, "8 7 6 5 4 3 2 1 ", NULL, 10 },
        { "?limit=2", 0, 2, 5, true, "8 7 ", "7", 10 },
        { "?limit=2&cursor=7", 0, 2, 5, true, "6 5 ", "5", 10 },
        { "?limit=2&cursor=5", 1, 2, 5, true, "4 3 ", "3", 10 },
        { "?limit=2&cursor=2", 4, 1, 5, false, "1 ", NULL, 10 },
        /* what the store has does not fit any more */
        { "?state=sent&limit=3", 1, 1, 1, false, "6 ", NULL, 2 },
        { "?cmd=Old&limit=2", 2, 2, 3, true, "3 2 ", "2", 3 },
        { "?to=950", 2, 3, 3, false, "3 2 1 ", NULL, 3 },
    };

    (void)state;
    with_history();
    fake.n_commands = 8;
    fake.first_command = 4;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char target[80], ids[64];
        struct writer w = writer_of(ids, sizeof(ids) - 1);
        json_t *j, *item;
        const char *next;
        size_t k;

        snprintf(target, sizeof(target), "/api/v1/commands%s",
                 cases[i].query);
        told_commands(target, stored + cases[i].from, cases[i].n,
                      cases[i].total, cases[i].more);
        assert_int_equal(fx.last.status, 200);
        j = body();
        json_array_foreach(json_object_get(j, "items"), k, item)
            writer_f(&w, "%s ",
                     json_string_value(json_object_get(item, "id")));
        ids[w.len] = '\0';
        next = json_string_value(json_object_get(j, "next"));
        if (strcmp(ids, cases[i].ids) != 0 ||
            !slice_eq(slice_str(next), slice_str(cases[i].next)) ||
            json_integer_value(json_object_get(j, "total")) != cases[i].sum)
            fail_msg("%s: %s", cases[i].query, fx.last.body);
        json_decref(j);
    }
    told_commands("/api/v1/commands/2", stored, 1, 1, false);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"answer\":[]"));
    told_commands("/api/v1/commands/2", stored, 0, 0, false);
    assert_int_equal(fx.last.status, 404);
}

/* The event says the alarm's own id; without a store history is 501. */
static void history_events(void **state)
{
    const struct platform_alarm alarm = { .id = 7, .device = SLICE(D1),
                                          .received_utc_ms = 1 };
    const struct platform_position at = { .device = SLICE(D1),
                                          .longitude = 1, .latitude = 2,
                                          .received_utc_ms = 1 };
    struct platform_action act = { .kind = PLATFORM_ALARM, .alarm = &alarm };
    uint64_t seq;

    (void)state;
    assert_int_equal(get("/api/v1/positions"), 501);
    with_history();
    http_app_event_join(fx.app);
    seq = http_events_last(fx.app->events);
    http_on_action(fx.app, &act);
    assert_true(next_event(&seq, "event: alarm\ndata: {\"id\":\"7\""));
    act = (struct platform_action){ .kind = PLATFORM_POSITION,
                                    .position = &at };
    http_on_action(fx.app, &act);
    assert_true(next_event(&seq, "event: position\ndata: {\"device\""));
}

/* ---- webhooks ---- */

static struct hooks *hook_table;
static unsigned hooks_due;
static char hook_changed[80];

static void fx_hooks_due(void *ctx)
{
    (void)ctx;
    hooks_due++;
}

static void fx_hook_changed(void *ctx, struct slice name)
{
    (void)ctx;
    slice_copy(hook_changed, sizeof(hook_changed), name);
}

static void with_hooks(void)
{
    struct hooks_config hc = { .alloc = &fx.mem.alloc, .boot = 1,
                               .agent = "x" };
    struct http_app_config cfg;

    http_app_free(fx.app);
    assert_int_equal(hooks_new(&hook_table, &hc), 0);
    cfg = fx_config();
    cfg.platform = NULL;
    cfg.hooks = hook_table;
    cfg.hooks_due = fx_hooks_due;
    cfg.hook_changed = fx_hook_changed;
    hooks_due = 0;
    hook_changed[0] = '\0';
    fx_open(&cfg);
}

#define HOOKS "/api/v1/webhooks"

static void webhooks(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *code; /* in the answer */
    } cases[] = {
        { "POST", HOOKS, "{\"name\":\"a\",\"url\":\"http://r/\","
                         "\"secret\":\"s\",\"events\":[\"alarm\"]}", 201,
          "\"events\":[\"alarm\"],\"enabled\":true,\"from\":\"api\"" },
        { "POST", HOOKS, "{\"name\":\"a\",\"url\":\"http://r/\"}", 409,
          "exists" },
        { "POST", HOOKS, "{\"name\":\"b\",\"url\":\"https://r/\"}", 400,
          "no-https" },
        { "POST", HOOKS, "{\"name\":\"b\",\"url\":\"ftp://r/\"}", 400,
          "bad-value" },
        { "POST", HOOKS, "{\"name\":\"b\"}", 400, "bad-value" },
        { "POST", HOOKS, "{\"name\":\"b\",\"url\":\"http://r/\","
                         "\"events\":[\"test\"]}", 400, "bad-value" },
        { "POST", HOOKS, "{\"name\":\"b\",\"url\":\"http://r/\","
                         "\"events\":\"alarm\"}", 400, "bad-value" },
        { "POST", HOOKS, "{\"name\":\"b\",\"url\":\"http://r/\","
                         "\"enabled\":1}", 400, "bad-value" },
        { "POST", HOOKS, "{\"colour\":\"b\"}", 400, "bad-value" },
        { "POST", HOOKS, "[]", 400, "bad-value" },
        { "POST", HOOKS, "", 400, "bad-value" },
        { "PATCH", HOOKS "/a", "{\"name\":\"b\"}", 400, "bad-value" },
        { "PATCH", HOOKS "/a", "{\"enabled\":false}", 200,
          "\"enabled\":false" },
        { "PATCH", HOOKS "/a", "{\"enabled\":true,\"events\":null}", 200,
          "\"events\":[\"device\",\"channel\"" },
        { "PATCH", HOOKS "/x", "{}", 404, "webhook-unknown" },
        { "GET", HOOKS "/x", "", 404, "webhook-unknown" },
        { "DELETE", HOOKS "/x", "", 404, "webhook-unknown" },
        { "POST", HOOKS "/x/test", "", 404, "webhook-unknown" },
        { "POST", HOOKS "/a/test", "", 202, NULL },
        { "PATCH", HOOKS "/fixed", "{}", 409, "fixed" },
        { "DELETE", HOOKS "/fixed", "", 409, "fixed" },
    };
    const struct hook_settings fixed = { .name = SLICE("fixed"),
                                         .url = SLICE("http://f/"),
                                         .secret = SLICE("s"), .fixed = true };
    struct hook_view v;
    json_t *j;

    (void)state;
    with_hooks();
    assert_int_equal(hooks_set(hook_table, &fixed, fx.now), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask(cases[i].method, cases[i].path, TOKEN,
                              cases[i].body);

        if (status != cases[i].status ||
            (cases[i].code && !body_has(cases[i].code)))
            fail_msg("%s %s %s: %u %s", cases[i].method, cases[i].path,
                     cases[i].body, status, fx.last.body);
        assert_false(body_has("\"secret\"")); /* given, or nobody's business */
    }
    assert_string_equal(hook_changed, "a");
    assert_int_equal(hooks_due, 1);
    list_of(HOOKS, "Webhook");
    object(HOOKS "/a", "Webhook");
    assert_true(body_has("\"queued\":1"));
    /* a secret that was made is told once */
    assert_int_equal(ask("POST", HOOKS, TOKEN,
                         "{\"name\":\"made\",\"url\":\"http://r/\"}"), 201);
    j = body();
    assert_int_equal(json_string_length(json_object_get(j, "secret")), 64);
    assert_true(hooks_view(hook_table, SLICE("made"), fx.now, &v));
    assert_true(slice_eq(v.secret, slice_str(json_string_value(
                                       json_object_get(j, "secret")))));
    json_decref(j);
    assert_int_equal(get(HOOKS "/made"), 200);
    assert_false(body_has("\"secret\""));
    assert_int_equal(get("/metrics"), 200);
    assert_true(body_has("gb28181_webhook_queued{hook=\"a\"} 1\n"));
    assert_true(body_has("gb28181_webhook_tries_total{hook=\"made\"} 0\n"));
    assert_int_equal(ask("DELETE", HOOKS "/made", TOKEN, ""), 204);
    assert_int_equal(get(HOOKS "/made"), 404);
    http_app_free(fx.app);
    fx.app = NULL;
    hooks_free(hook_table);
}

/* Events reach the hooks that want them, also when no page follows any. */
static void webhook_events(void **state)
{
    const struct hook_settings s = { .name = SLICE("h"),
                                     .url = SLICE("http://r/"),
                                     .secret = SLICE("s"),
                                     .kinds = 1u << HOOKS_DEVICE |
                                              1u << HOOKS_ALARM };
    const struct platform_alarm alarm = { .id = 7, .device = SLICE(D1),
                                          .received_utc_ms = 1 };
    const struct platform_action acts[] = {
        { .kind = PLATFORM_DEVICE_CHANGED, .device = SLICE(D1),
          .flags = PLATFORM_CHANGED_STATE },
        { .kind = PLATFORM_DEVICE_CHANGED, .device = SLICE(D1),
          .flags = PLATFORM_CHANGED_PROFILE },
        { .kind = PLATFORM_CHANNEL_CHANGED, .device = SLICE(D1),
          .channel = SLICE(C1) },
        { .kind = PLATFORM_ALARM, .alarm = &alarm },
    };
    static const char *const want[] = {
        "{\"id\":\"1-1\",\"event\":\"device\",\"time\":"
        "\"2027-01-15T08:00:00.000Z\",\"server\":\"34020000002000000001\","
        "\"data\":{\"id\":\"" D1 "\",\"device\":{",
        "{\"id\":\"1-2\",\"event\":\"alarm\",",
    };
    struct hooks_call k;

    (void)state;
    with_hooks();
    assert_int_equal(hooks_set(hook_table, &s, fx.now), 0);
    for (size_t i = 0; i < COUNT(acts); i++)
        http_on_action(fx.app, &acts[i]);
    for (size_t i = 0; i < COUNT(want); i++) {
        const struct hooks_result ok = { .status = 200 };
        json_t *j;

        assert_true(hooks_call(hook_table, fx.now, &k));
        if (!slice_has_prefix(k.body, slice_str(want[i])))
            fail_msg("%.*s", SLICE_ARG(k.body));
        j = json_loadb(k.body.p, k.body.n, 0, NULL);
        assert_non_null(j);
        json_decref(j);
        hooks_result(hook_table, k.id, &ok, fx.now);
    }
    assert_false(hooks_call(hook_table, fx.now, &k));
    assert_int_equal(hooks_due, 2);
    http_app_free(fx.app);
    fx.app = NULL;
    hooks_free(hook_table);
}

static void csv_out(void **state)
{
    (void)state;
    fake.device[0].own_name = fake.device[0].name;
    fake.device[1].name = SLICE("a \"b\", c");
    fake.device[1].own_name = SLICE("=cmd()");
    fake.device[1].arm = true;
    fake.device[1].media = PLATFORM_UDP;
    assert_int_equal(get("/api/v1/devices.csv"), 200);
    assert_true(body_has("\xef\xbb\xbfid,name,group,media,arm,edition,"));
    assert_true(body_has("\r\n" D1 ",,,,,,,,true,North gate,,,,"
                         "192.0.2.7:5060,2\r\n"));
    assert_true(body_has("\r\n" D2 ",\"a \"\"b\"\", c\",,udp,on,,,,false,"
                         "'=cmd(),"));
}

static void csv_in(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
        int created, updated, failed;
        const char *why;
    } cases[] = {
        { "id,name\n34020000001180000009,North\n", 200, 1, 0, 0, NULL },
        { "ID,name,online\r\n" D1 ",x,true\r\n", 200, 0, 1, 0, NULL },
        { "id,arm\n34020000001180000009,maybe\n", 200, 0, 0, 1,
          "none of its choices" },
        { "id,name\n,x\n", 200, 0, 0, 1, "id is missing" },
        { "id,name\n\"x,y\n", 200, 0, 0, 1, "a quote is missing" },
        { "id,group\n34020000001180000009,none\n", 200, 0, 0, 1,
          "no such group" },
        { "name\nx\n", 400, 0, 0, 0, NULL },
        { "id,id\nx,y\n", 400, 0, 0, 0, NULL },
        { "id,colour\nx,y\n", 400, 0, 0, 0, NULL },
        { "", 400, 0, 0, 0, NULL },
    };
    json_t *j;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask("POST", "/api/v1/devices.csv", TOKEN,
                              cases[i].text);

        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].text, status, fx.last.body);
        if (status != 200)
            continue;
        j = body();
        expect_schema(j, "Import");
        if (json_integer_value(json_object_get(j, "created")) !=
                cases[i].created ||
            json_integer_value(json_object_get(j, "updated")) !=
                cases[i].updated ||
            json_integer_value(json_object_get(j, "failed")) !=
                cases[i].failed ||
            (cases[i].why && !body_has(cases[i].why)))
            fail_msg("%s: %s", cases[i].text, fx.last.body);
        json_decref(j);
    }
    /* as a spreadsheet of a Chinese system saves it */
    assert_int_equal(ask("POST", "/api/v1/devices.csv", TOKEN,
                         "id,name\n34020000001180000009,\xb1\xb1\xc3\xc5\n"),
                     200);
    assert_string_equal(fake.given_name, "北门");
}

/* ids of the items of a tree's list, blanks between */
static const char *nodes(const char *query)
{
    static char out[400];
    char target[200];
    json_t *j, *v;
    size_t i;

    snprintf(target, sizeof(target), "/api/v1/devices/" D1 "/tree%s", query);
    out[0] = '\0';
    if (get(target) != 200)
        return "";
    j = body();
    json_array_foreach(json_object_get(j, "items"), i, v) {
        size_t n = strlen(out);

        snprintf(out + n, sizeof(out) - n, "%s%s%s", i ? " " : "",
                 json_string_value(json_object_get(v, "id")),
                 json_is_true(json_object_get(v, "listed")) ? "" : "*");
    }
    json_decref(j);
    return out;
}

static void channel_told(enum platform_action_kind kind, const char *id)
{
    const struct platform_action act = { .kind = kind,
                                         .device = SLICE(D1),
                                         .channel = slice_str(id) };

    http_on_action(fx.app, &act);
}

static void tree_of_a_device(void **state)
{
    static const char org[] = "34020000002160000001";
    json_t *j;

    (void)state;
    assert_string_equal(nodes(""), C1 " " C2);
    assert_string_equal(nodes("?limit=1"), C1);
    j = body();
    assert_string_equal(json_string_value(json_object_get(j, "next")), "1");
    assert_int_equal(json_integer_value(json_object_get(j, "total")), 2);
    json_decref(j);
    assert_string_equal(nodes("?limit=1&cursor=1"), C2);
    assert_int_equal(get("/api/v1/devices/" D1 "/tree?view=x"), 400);
    assert_int_equal(get("/api/v1/devices/" D1 "/tree?cursor=x"), 400);
    assert_int_equal(get("/api/v1/devices/" D1 "/tree?parent=x"), 404);
    assert_int_equal(get("/api/v1/devices/x/tree"), 404);
    /* what main tells of channels changes it */
    fake.channel[0].parent = slice_str(org);
    fake.channel[0].civil_code = SLICE("3402");
    channel_told(PLATFORM_CHANNEL_CHANGED, C1);
    fake_channel(D1, org, "Crossings");
    channel_told(PLATFORM_CHANNEL_CHANGED, org);
    assert_string_equal(nodes(""), "34020000002160000001 " C2);
    assert_string_equal(nodes("?parent=34020000002160000001"), C1);
    assert_string_equal(nodes("?view=region"), "34*");
    assert_string_equal(nodes("?view=region&parent=3402"), C1);
    assert_string_equal(nodes("?view=business"), "34020000002160000001");
    channel_told(PLATFORM_CHANNEL_REMOVED, org);
    assert_string_equal(nodes(""), C1 " " C2);
    j = body();
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(j, "faults"), "unknown_parents")),
                     1);
    json_decref(j);
    /* another device has its own */
    assert_int_equal(get("/api/v1/devices/" D2 "/tree"), 200);
    assert_string_equal(nodes(""), "34020000002160000001 " C2);
}

static void alarm_ring(void **state)
{
    char text[32], target[64];
    json_t *j;

    (void)state;
    for (int i = 1; i <= HTTP_ALARMS_MAX + 5; i++) {
        snprintf(text, sizeof(text), "number %d", i);
        alarm_in(text);
    }
    assert_int_equal(get("/api/v1/alarms?limit=2"), 200);
    assert_true(body_has("number 1005"));
    assert_true(body_has("number 1004"));
    assert_true(body_has("\"next\":\"1004\",\"total\":1000"));
    assert_int_equal(get("/api/v1/alarms?limit=2&cursor=1004"), 200);
    assert_true(body_has("number 1003"));
    snprintf(target, sizeof(target), "/api/v1/alarms?limit=10000");
    assert_int_equal(get(target), 200);
    j = body();
    assert_int_equal(json_array_size(json_object_get(j, "items")), 1000);
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);
    assert_true(body_has("\"number 6\""));
    assert_false(body_has("\"number 5\""));
}

/* ---- system ------------------------------------------------------------------------------ */

static void system_routes(void **state)
{
    static const char *const names[] = {
        "gb28181_devices{state=\"online\"} 1\n",
        "gb28181_devices{state=\"offline\"} 1\n",
        "gb28181_channels 2\n",
        "gb28181_registers_total 3\n",
        "gb28181_sessions{state=\"playing\"} 1\n",
        "gb28181_rtp_lost_total 12\n",
        "gb28181_more 1\n",
    };

    (void)state;
    assert_int_equal(ask("GET", "/healthz", "", ""), 200);
    assert_int_equal(ask("GET", "/readyz", "", ""), 200);
    fx.not_ready = "store is loading";
    assert_int_equal(ask("GET", "/readyz", "", ""), 503);
    assert_true(body_has("store is loading"));

    /* What a session lost is not forgotten with it. */
    ask("POST", LIVE "?wait=0", TOKEN, "");
    fake_session(1)->lost = 5;
    changed(1, PLATFORM_SESSION_GONE);
    fake_session(1)->lost = 7;
    fake_session(1)->state = PLATFORM_PLAYING;
    assert_int_equal(get("/metrics"), 200);
    for (size_t i = 0; i < COUNT(names); i++)
        if (!body_has(names[i]))
            fail_msg("%s in\n%s", names[i], fx.last.body);

    assert_int_equal(get("/api/v1/setup-hints"), 200);
    assert_true(body_has("\"password\":\"cam-password\""));
    assert_true(body_has("\"addresses\":[\"192.0.2.1\"]"));
    assert_int_equal(ask("GET", "/no-such-file.js", "", ""), 404);
}

/* The page: packed for those who take it, unpacked for the others. */
static void page(void **state)
{
    static const char end[] = "</html>";
    char fields[128], *tag;
    size_t packed;

    (void)state;
    assert_int_equal(ask("GET", "/", "Accept-Encoding: gzip\r\n", ""), 200);
    assert_non_null(strstr(fx.last.fields, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(fx.last.fields, "Content-Security-Policy: "));
    assert_memory_equal(fx.last.body, "\x1f\x8b", 2);
    packed = fx.last.len;
    tag = strstr(fx.last.fields, "ETag: ");
    assert_non_null(tag);
    snprintf(fields, sizeof(fields), "If-None-Match: %.18s\r\n", tag + 6);
    assert_int_equal(ask("GET", "/", "", ""), 200);
    assert_null(strstr(fx.last.fields, "Content-Encoding"));
    assert_true(fx.last.len > packed);
    assert_true(body_has(end));
    assert_int_equal(ask("GET", "/index.html", fields, ""), 304);
    assert_int_equal(fx.last.len, 0);
    assert_int_equal(ask("GET", "/app.js", "", ""), 200);
    assert_int_equal(ask("GET", "/%2e%2e.js", "", ""), 404);
}

/* Every $ref of the description leads somewhere. */
static void follow(const json_t *root, const json_t *at)
{
    const char *key;
    json_t *v;
    size_t i;

    if (json_is_array(at)) {
        json_array_foreach(at, i, v)
            follow(root, v);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)at, key, v) {
        if (slice_eq(slice_str(key), SLICE("$ref"))) {
            struct slice name = slice_from(
                slice_str(json_string_value(v)),
                sizeof("#/components/schemas/") - 1);
            char text[64];

            slice_copy(text, sizeof(text), name);
            if (!json_object_get(json_object_get(json_object_get(root,
                                 "components"), "schemas"), text))
                fail_msg("%s", json_string_value(v));
        }
        follow(root, v);
    }
}

static void openapi(void **state)
{
    size_t n, shown = 0, told = 0;
    const struct http_route *table = http_routes(&n);
    const char *key;
    json_t *j, *paths, *v;

    (void)state;
    assert_int_equal(get("/api/v1/openapi.json"), 200);
    j = body();
    assert_string_equal(json_string_value(json_object_get(j, "openapi")),
                        "3.1.0");
    paths = json_object_get(j, "paths");
    for (size_t i = 0; i < n; i++)
        shown += !(table[i].flags & HTTP_ROUTE_HIDDEN);
    json_object_foreach(paths, key, v)
        told += json_object_size(v);
    assert_int_equal(told, shown);
    follow(j, j);
    /* commands by the tables that write them */
    v = json_object_get(json_object_get(j, "components"), "schemas");
    v = json_object_get(v, "Control.DeviceConfig");
    v = json_object_get(json_object_get(v, "properties"), "VideoRecordPlan");
    v = json_object_get(json_object_get(v, "properties"), "RecordSchedule");
    assert_int_equal(json_integer_value(json_object_get(v, "maxItems")), 7);
    v = json_object_get(json_object_get(v, "items"), "properties");
    v = json_object_get(v, "WeekDayNum");
    assert_int_equal(json_integer_value(json_object_get(v, "maximum")), 7);
    v = json_object_get(v, "x-required-in");
    assert_int_equal(json_array_size(v), 1);
    assert_string_equal(json_string_value(json_array_get(v, 0)), "2022");
    json_decref(j);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* A request that finds no memory gets an answer all the same, and nothing
 * leaks (the teardown counts). */
static void no_memory(void **state)
{
    static const struct {
        const char *method, *target, *body;
    } cases[] = {
        { "GET", "/api/v1/devices", "" },
        { "GET", "/api/v1/openapi.json", "" },
        { "GET", "/metrics", "" },
        { "POST", LIVE, "" },
        { "GET", "/live/" D1 "/" C1 ".flv", "" },
        { "POST", "/api/v1/login", "{\"password\":\"x\"}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (unsigned long at = 1;; at++) {
            unsigned long calls = fx.mem.calls;
            unsigned status;
            bool failed;

            fx.mem.fail_at = calls + at;
            status = ask(cases[i].method, cases[i].target, TOKEN,
                         cases[i].body);
            failed = fx.mem.calls >= calls + at;
            fx.mem.fail_at = 0;
            if (status == 0) {
                if (fx.job)
                    http_app_password_done(fx.app, fx.job);
                fx.job = NULL;
                http_app_gone(fx.app, fx.last.request);
            }
            if (!failed)
                break; /* it needs no more than this */
            if (status != 503 && status != 500)
                fail_msg("%s %s, allocation %lu: %u", cases[i].method,
                         cases[i].target, at, status);
        }
    }
    assert_int_equal(fake.holds[1], 0);
}

static void no_memory_at_start(void **state)
{
    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    fx.app = NULL;
    for (unsigned long at = 1;; at++) {
        int err;

        failing_alloc_init(&fx.mem, at);
        cfg.alloc = &fx.mem.alloc;
        err = http_app_new(&fx.app, &cfg);
        if (!err)
            break;
        assert_int_equal(err, GB_ENOMEM);
        assert_int_equal(fx.mem.live, 0);
    }
}

/* Events and alarms without memory are lost, not wrong. */
static void no_memory_for_events(void **state)
{
    uint64_t seq = 0;

    (void)state;
    http_app_event_join(fx.app);
    fx.mem.fail_at = 1;
    device_event(PLATFORM_DEVICE_REMOVED);
    alarm_in("x");
    fx.mem.fail_at = 0;
    device_event(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, ""));
    assert_int_equal(get("/api/v1/alarms"), 200);
    assert_true(body_has("\"total\":0"));
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(list_pages),     APP(objects),       APP(device_orders),
        APP(patch_device),   APP(new_devices),   APP(pending_in_and_out),
        APP(groups),         APP(settings_wait_for_the_store),
        APP(post_live),      APP(live_failures), APP(live_refusals),
        APP(live_timeout), APP(live_timeout_with_evidence),   APP(live_stopped),  APP(media_by_signature),
        APP(media_forms),    APP(mse_failure),   APP(handover_holds),
        APP(login_and_out),  APP(login_rate),    APP(login_jobs),
        APP(cross_site),     APP(other_names),    APP(open_house),    APP(bases),
        APP(events),         APP(event_ring),    APP(alarm_ring),
        APP(events_without_readers),
        APP(tree_of_a_device),
        APP(webhooks), APP(webhook_events), APP(csv_out), APP(csv_in),
        APP(commands), APP(ptz),
        APP(commands_waited_for), APP(command_event),
        APP(history), APP(history_told), APP(commands_of_both), APP(history_events),
        APP(system_routes),  APP(page),          APP(openapi),
        APP(no_memory),
        APP(no_memory_at_start), APP(no_memory_for_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
