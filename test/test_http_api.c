/* The API over a platform that does what it is told: lists, objects, trees, who
 * may ask, the system's own. */
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
            number_of(j, "total") !=
                cases[i].total ||
            !slice_eq(slice_str(json_string_value(first)),
                      slice_str(cases[i].first)) ||
            !slice_eq(slice_str(text_of(j, "next")),
                      slice_str(cases[i].next)))
            fail_msg("%s: %s", cases[i].target, fx.last.body);
        json_decref(j);
    }
}

/* What is written is what openapi.json promises, field by field. */
static void objects(void **state)
{
    (void)state;
    object("/api/v1/devices/" D1, "Device");
    object("/api/v1/devices/" D1 "/profile", "Profile");
    assert_true(body_has("\"verdict\":\"knows\""));
    assert_true(body_has("\"deviation_kinds\":[\"SN is missing\"],"
                         "\"deviation_kinds_zh\":[\"缺少 SN\"]"));
    assert_int_equal(get("/api/v1/devices/x/profile"), 404);
    object("/api/v1/devices/" D1 "/channels/" C1, "Channel");
    object("/api/v1/me", "Me");
    object("/api/v1/setup-hints", "SetupHints");
    list_of("/api/v1/devices", "Device");
    list_of("/api/v1/devices/" D1 "/channels", "Channel");
    object("/api/v1/devices/" D1 "/tree", "Tree");
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

/* Page by page, each device with all of its own. */
/* What is misspelt is refused with its name, and with what there is. */
static void names_are_known(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *has;
    } cases[] = {
        { "GET", "/api/v1/devices?onlin=true", "", 400,
          "onlin: allowed are limit, cursor, q, online, skip, group" },
        { "GET", "/api/v1/devices?onlin=true", "", 400,
          "\"detail_zh\":\"onlin：只允许" },
        { "GET", "/api/v1/devices?limit=1&Limit=1", "", 400, "Limit: allowed" },
        { "GET", "/api/v1/devices?%6cimit=1&_=17000", "", 200, NULL },
        { "GET", "/api/v1/devices?&limit=1&", "", 200, NULL },
        { "GET", "/api/v1/users?limit=10&cursor=ada", "", 200, NULL },
        { "GET", "/api/v1/devices?%zz=1", "", 400, "%zz: allowed" },
        { "GET", "/api/v1/records?devise=1", "", 400,
          "devise: allowed are device, channel, start, end" },
        { "GET", "/api/v1/setup-hints?a", "", 400,
          "a: this path takes no parameters" },
        { "HEAD", "/api/v1/setup-hints?a", "", 400, NULL },
        { "GET", "/api/device/query/devices?_t=1&refresh=2", "", 200, NULL },
        { "GET", "/healthz?probe=1", "", 200, NULL },
        { "POST", "/api/v1/devices", "{\"id\":\"" D1 "\",\"colour\":1}", 400,
          "colour: allowed are id, password, group" },
        { "POST", "/api/v1/devices", "{\"id\":", 400, "JSON object" },
        { "POST", "/api/v1/devices/" D1 "/channels/" C1 "/live",
          "{\"transprot\":\"udp\"}", 400,
          "transprot: allowed are transport, stream" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask(cases[i].method, cases[i].path, TOKEN,
                              cases[i].body);

        if (status != cases[i].status ||
            (cases[i].has && !body_has(cases[i].has)))
            fail_msg("%s %s %s: %u %s", cases[i].method, cases[i].path,
                     cases[i].body, status, fx.last.body);
    }
}

/* Nobody here reads a body that is coded, and a file of it would be another one. */
static void coded_bodies(void **state)
{
    static const struct {
        const char *coding, *body;
        bool taken;
    } cases[] = {
        { "Content-Encoding: gzip\r\n", "{\"name\":\"yard\"}", false },
        { "Content-Encoding: identity\r\nContent-Encoding: br\r\n",
          "{\"name\":\"yard\"}", false },
        { "Content-Encoding: Identity\r\n", "{\"name\":\"yard\"}", true },
        { "Content-Encoding:\r\n", "{\"name\":\"yard\"}", true },
        { "Content-Encoding: UTF-8\r\n", "{\"name\":\"yard\"}", true },
    };
    char fields[200];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status;

        snprintf(fields, sizeof(fields), "%sContent-Length: %zu\r\n%s", TOKEN,
                 strlen(cases[i].body), cases[i].coding);
        status = ask("POST", "/api/v1/groups", fields, cases[i].body);
        if ((status != 415) != cases[i].taken)
            fail_msg("%s: %u %s", cases[i].coding, status, fx.last.body);
        if (!cases[i].taken)
            assert_string_equal(fx.last.fields,
                                "Accept-Encoding: identity\r\n");
    }
    snprintf(fields, sizeof(fields), "%s%s", TOKEN, cases[0].coding);
    assert_int_equal(ask("GET", "/api/v1/groups", fields, ""), 200); /* none */
}

static void subscriptions(void **state)
{
    static const struct {
        const char *query;
        unsigned status, items;
        const char *next; /* NULL: none */
        unsigned total;
    } cases[] = {
        { "", 200, 2, NULL, 2 },
        { "?limit=1", 200, 1, D1, 2 },
        { "?limit=1&cursor=" D1, 200, 1, NULL, 2 },
        { "?limit=2", 200, 2, NULL, 2 },
        { "?cursor=" D2, 200, 0, NULL, 2 },
        { "?q=" D2, 200, 1, NULL, 1 },
        { "?q=x", 200, 0, NULL, 0 },
        { "?limit=0", 400, 0, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char target[200];
        const char *next;
        json_t *j;

        snprintf(target, sizeof(target), "/api/v1/subscriptions%s",
                 cases[i].query);
        assert_int_equal(get(target), cases[i].status);
        if (cases[i].status != 200)
            continue;
        j = body();
        next = text_of(j, "next");
        if (json_array_size(json_object_get(j, "items")) != cases[i].items ||
            number_of(j, "total") !=
                cases[i].total ||
            (next ? !cases[i].next || strcmp(next, cases[i].next) != 0
                  : cases[i].next != NULL))
            fail_msg("%s: %s", cases[i].query, fx.last.body);
        json_decref(j);
    }
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

/* ---- who ---------------------------------------------------------------- */

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
    assert_int_equal(ask("GET", "/api/v1/login", cookie, ""), 200);
    assert_true(body_has("{\"in\":true}"));
    assert_int_equal(ask("GET", "/api/v1/login", "", ""), 200);
    assert_true(body_has("{\"in\":false}"));
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

/* What a cookie opened stays in the browser's cache, where a page of another port of
 * this host finds it without any credential: only who names one in the request may
 * read it elsewhere. */
static void shared_without_cookie(void **state)
{
    static const char *const plays[] = {
        "/session/77.flv", "/live/" D1 "/" C1 "/seg_7.m4s",
        "/api/v1/downloads/1/file",
        "/api/v1/devices/" D1 "/channels/" C1 "/records/5",
    };
    char cookie[128];

    (void)state;
    assert_int_equal(login("192.0.2.5", "", "{\"password\":\"letmein\"}"),
                     200);
    cookie_of(cookie);
    for (size_t i = 0; i < COUNT(plays); i++) {
        assert_int_not_equal(ask("GET", plays[i], cookie, ""), 401);
        assert_false(fx.last.shared);
        assert_int_not_equal(ask("GET", plays[i], TOKEN, ""), 401);
        assert_true(fx.last.shared);
        assert_int_equal(ask("GET", plays[i], "", ""), 401);
        assert_true(fx.last.shared);
    }
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
    assert_non_null(strstr(fx.last.fields, "WWW-Authenticate: Bearer"));
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
    assert_int_equal(ask("POST", "/api/v1/logout", cookie, ""), 403);
    assert_true(body_has("send X-Requested-With: x beside the cookie"));
    assert_true(body_has("\"hint_zh\":"));
    /* Who tells no host is told none. */
    snprintf(fields, sizeof(fields), "%sHost:\r\nOrigin: http://evil\r\n",
             cookie);
    assert_int_equal(ask("POST", "/api/v1/logout", fields, ""), 403);
    assert_false(body_has("hint"));
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
                 text_of(v, "id"),
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
    assert_string_equal(text_of(j, "next"), "1");
    assert_int_equal(number_of(j, "total"), 2);
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

/* ---- system ------------------------------------------------------------- */

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
    char fields[128], tag[TAG_BYTES];
    size_t packed;

    (void)state;
    assert_int_equal(ask("GET", "/", "Accept-Encoding: gzip\r\n", ""), 200);
    assert_non_null(strstr(fx.last.fields, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(fx.last.fields, "Content-Security-Policy: "));
    assert_memory_equal(fx.last.body, "\x1f\x8b", 2);
    packed = fx.last.len;
    last_tag(tag);
    snprintf(fields, sizeof(fields), "If-None-Match: %s\r\n", tag);
    assert_int_equal(ask("GET", "/", "", ""), 200);
    assert_null(strstr(fx.last.fields, "Content-Encoding"));
    assert_true(fx.last.len > packed);
    assert_true(body_has(end));
    assert_int_equal(ask("GET", "/index.html", fields, ""), 304);
    assert_int_equal(fx.last.len, 0);
    assert_int_equal(ask("GET", "/", "If-None-Match: *\r\n", ""), 304);
    assert_int_equal(ask("GET", "/", "If-None-Match: \"a\"\r\n", ""), 200);
    assert_int_equal(ask("GET", "/app.js", "", ""), 200);
    assert_int_equal(ask("GET", "/%2e%2e.js", "", ""), 404);
}

/* Tiles of the map: a file is named from numbers alone. */
static void map_tiles(void **state)
{
    static const char *const bad[] = {
        "/api/v1/map/4/0/0.png", "/api/v1/map/3/8/0.png",
        "/api/v1/map/3/0/8.png", "/api/v1/map/3/0/-1.png",
        "/api/v1/map/3/0x1/0.png", "/api/v1/map/3/0/0.jpg",
        "/api/v1/map/3/0/.png",
    };
    struct http_app_config cfg;

    (void)state;
    assert_int_equal(get("/api/v1/map"), 200);
    assert_true(body_has("\"tiles\":false"));
    assert_int_equal(get("/api/v1/map/0/0/0.png"), 404);
    http_app_free(fx.app);
    cfg = fx_config();
    cfg.tiles_dir = "/srv/tiles";
    cfg.tiles_zoom = 3;
    cfg.platform = NULL;
    fx_open(&cfg);
    assert_int_equal(get("/api/v1/map"), 200);
    assert_true(body_has("\"tiles\":true,\"zoom\":3"));
    assert_int_equal(get("/api/v1/map/3/7/4.png"), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_FILE);
    assert_string_equal(fx.last.file.name, "3/7/4.png");
    assert_string_equal(fx.last.file.dir, "/srv/tiles");
    assert_string_equal(fx.last.file.whole, "image/png");
    assert_non_null(strstr(fx.last.fields, "max-age"));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(get(bad[i]), 404);
    assert_int_equal(ask("GET", "/api/v1/map/3/7/4.png", "", ""), 401);
}

/* A large answer has a tag, which who asks again need not be told anew. */
static void large_answers_have_tags(void **state)
{
    static const char large[] = "/api/v1/openapi.json";
    char fields[256], tag[TAG_BYTES];

    (void)state;
    assert_int_equal(get("/api/v1/devices"), 200);
    assert_null(strstr(fx.last.fields, "ETag: "));
    assert_int_equal(get(large), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-None-Match: %s\r\n", tag);
    assert_int_equal(ask("GET", large, fields, ""), 304);
    assert_int_equal(fx.last.len, 0);
    assert_non_null(strstr(fx.last.fields, "ETag: "));
    fields[strlen(TOKEN) + 17] ^= 1; /* another one */
    assert_int_equal(ask("GET", large, fields, ""), 200);
    assert_true(fx.last.len > 16384);
    snprintf(fields, sizeof(fields),
             TOKEN "If-None-Match: \"other\"\r\nIf-None-Match: %s\r\n", tag);
    assert_int_equal(ask("GET", large, fields, ""), 304);
}

/* ---- memory ------------------------------------------------------------- */

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

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(list_pages),
        APP(objects),
        APP(names_are_known),
        APP(coded_bodies),
        APP(subscriptions),
        APP(device_orders),
        APP(login_and_out), APP(shared_without_cookie),
        APP(login_rate),
        APP(login_jobs),
        APP(cross_site),
        APP(other_names),
        APP(open_house),
        APP(bases),
        APP(tree_of_a_device),
        APP(system_routes),
        APP(page),
        APP(map_tiles),
        APP(large_answers_have_tags),
        APP(no_memory),
        APP(no_memory_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
