/* The paths of WVP: what front-ends that were written for it ask, and get. */
#include "test/http_fixture.h"

#define START "/api/play/start/" D1 "/" C1
#define STOP "/api/play/stop/" D1 "/" C1
#define DEVICES "/api/device/query/devices"

/* A code and "data" of the last answer, whose status is 200; json_decref
 * *root. */
static const json_t *data_of(int code, json_t **root)
{
    *root = body();
    if (fx.last.status != 200 ||
        json_integer_value(json_object_get(*root, "code")) != code ||
        !json_is_string(json_object_get(*root, "msg")))
        fail_msg("code %d wanted: %u %s", code, fx.last.status, fx.last.body);
    assert_int_equal(json_object_size(*root), 3);
    if (code)
        assert_true(json_is_null(json_object_get(*root, "data")));
    return json_object_get(*root, "data");
}

static void expect_code(int code)
{
    json_t *root;

    data_of(code, &root);
    json_decref(root);
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = text_of(o, key);

    return s ? s : "(none)";
}

static void one_device(void **state)
{
    const json_t *d;
    json_t *root;

    (void)state;
    fake.device[0].peer.transport = SIP_UDP;
    fake.device[0].media = PLATFORM_TCP_PASSIVE;
    assert_int_equal(get(DEVICES "/" D1), 200);
    d = data_of(0, &root);
    assert_string_equal(text(d, "deviceId"), D1);
    assert_string_equal(text(d, "name"), "North gate");
    assert_string_equal(text(d, "transport"), "UDP");
    assert_string_equal(text(d, "streamMode"), "TCP-PASSIVE");
    assert_string_equal(text(d, "ip"), "192.0.2.7");
    assert_int_equal(number_of(d, "port"), 5060);
    assert_string_equal(text(d, "hostAddress"), "192.0.2.7:5060");
    assert_true(json_is_true(json_object_get(d, "onLine")));
    assert_int_equal(number_of(d, "registerTimeStamp"), 1000);
    /* as the fake's server.timezone, +08:00, has it */
    assert_string_equal(text(d, "registerTime"), "1970-01-01 08:00:01");
    assert_true(json_is_null(json_object_get(d, "keepaliveTime")));
    assert_int_equal(number_of(d, "channelCount"), 2);
    json_decref(root);

    fake.device[0].peer.remote = (struct gb_addr){
        GB_IPV6, { 0x20, 1, 0x0d, 0xb8, [15] = 7 }, 5061
    };
    assert_int_equal(get(DEVICES "/" D1), 200);
    d = data_of(0, &root);
    assert_string_equal(text(d, "ip"), "2001:db8::7");
    assert_int_equal(number_of(d, "port"), 5061);
    json_decref(root);

    fake.device[0].peer.remote = (struct gb_addr){ 0 };
    assert_int_equal(get(DEVICES "/" D1), 200);
    d = data_of(0, &root);
    assert_string_equal(text(d, "ip"), "");
    assert_true(json_is_null(json_object_get(d, "port")));
    json_decref(root);

    get(DEVICES "/44010200001110000009");
    expect_code(404);
}

static void pages(void **state)
{
    static const struct {
        const char *query;
        int total, page, count, size, pages;
        const char *first;
    } cases[] = {
        { "", 2, 1, 15, 2, 1, D1 },
        { "?page=1&count=1", 2, 1, 1, 1, 2, D1 },
        { "?page=2&count=1", 2, 2, 1, 1, 2, D2 },
        { "?page=3&count=1", 2, 3, 1, 0, 2, NULL },
        { "?page=1&count=10&query=south", 1, 1, 10, 1, 1, D2 },
        { "?page=1&count=10&query=&status=", 2, 1, 10, 2, 1, D1 },
        { "?page=1&count=10&status=true", 1, 1, 10, 1, 1, D1 },
        { "?page=1&count=10&status=false", 1, 1, 10, 1, 1, D2 },
        { "?page=1&count=1&status=false", 1, 1, 1, 1, 1, D2 },
        { "?page=1&count=10&status=true&query=south", 0, 1, 10, 0, 0, NULL },
        { "?page=1&count=10&query=a%26b", 0, 1, 10, 0, 0, NULL },
    };
    static const char *const bad[] = {
        "?page=0&count=10", "?page=1&count=0", "?page=x&count=1",
        "?page=1&count=10001", "?page=1000001", "?count=-1",
        "?page=1000000&count=10000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char target[200];
        const json_t *d, *list;
        json_t *root;

        snprintf(target, sizeof(target), DEVICES "%s", cases[i].query);
        get(target);
        d = data_of(0, &root);
        list = json_object_get(d, "list");
        if (number_of(d, "total") != cases[i].total ||
            number_of(d, "pageNum") != cases[i].page ||
            number_of(d, "pageSize") != cases[i].count ||
            number_of(d, "size") != cases[i].size ||
            number_of(d, "pages") != cases[i].pages ||
            (int)json_array_size(list) != cases[i].size)
            fail_msg("%s: %s", cases[i].query, fx.last.body);
        if (cases[i].first)
            assert_string_equal(text(json_array_get(list, 0), "deviceId"),
                                cases[i].first);
        json_decref(root);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        char target[200];

        snprintf(target, sizeof(target), DEVICES "%s", bad[i]);
        get(target);
        expect_code(400);
    }
}

static void channels(void **state)
{
    const json_t *d, *ch;
    json_t *root;

    (void)state;
    fake.channel[0].ptz_type = SLICE("1");
    fake.channel[1].on = false;
    fake.channel[1].ptz_type = SLICE("?");
    get(DEVICES "/" D1 "/channels?page=1&count=10");
    d = data_of(0, &root);
    assert_int_equal(number_of(d, "total"), 2);
    ch = json_array_get(json_object_get(d, "list"), 0);
    assert_string_equal(text(ch, "deviceId"), C1);
    assert_string_equal(text(ch, "channelId"), C1);
    assert_string_equal(text(ch, "parentDeviceId"), D1);
    assert_string_equal(text(ch, "name"), "Door");
    assert_string_equal(text(ch, "status"), "ON");
    assert_int_equal(number_of(ch, "ptzType"), 1);
    assert_true(json_is_null(json_object_get(ch, "streamId")));
    ch = json_array_get(json_object_get(d, "list"), 1);
    assert_true(json_is_null(json_object_get(ch, "ptzType")));
    json_decref(root);
    get(DEVICES "/" D1 "/channels?page=1&count=10&online=false");
    d = data_of(0, &root);
    assert_int_equal(number_of(d, "total"), 1);
    ch = json_array_get(json_object_get(d, "list"), 0);
    assert_string_equal(text(ch, "channelId"), C2);
    json_decref(root);
    get(DEVICES "/44010200001110000009/channels?page=1&count=10");
    expect_code(404);
}

static void play(void **state)
{
    const json_t *d;
    json_t *root;

    (void)state;
    assert_int_equal(get(START), 0); /* waits for the picture */
    fake_session(1)->video = PS_CODEC_H265;
    fake_session(1)->width = 1920;
    becomes(1, PLATFORM_PLAYING, PLATFORM_STEP_PLAYING);
    assert_int_equal(fx.n_answers, 1);
    d = data_of(0, &root);
    assert_string_equal(text(d, "app"), "rtp");
    assert_string_equal(text(d, "stream"), "1");
    assert_memory_equal(text(d, "flv"), "http://nvr:28181/live/" D1 "/" C1
                                        ".flv?t=", 60);
    assert_memory_equal(text(d, "ws_flv"), "ws://nvr:28181/", 15);
    assert_true(json_is_null(json_object_get(d, "https_flv")));
    assert_true(json_is_null(json_object_get(d, "wss_flv")));
    assert_true(json_is_null(json_object_get(d, "rtsp")));
    assert_string_equal(text(json_object_get(d, "mediaInfo"), "videoCodec"),
                        "H265");
    assert_int_equal(number_of(json_object_get(d, "mediaInfo"), "width"), 1920);
    json_decref(root);

    /* it plays already: at once. Through a proxy that speaks TLS. */
    assert_int_equal(ask_from("10.0.0.1", "GET", START,
                              TOKEN "X-Forwarded-Proto: https\r\n", ""), 200);
    d = data_of(0, &root);
    assert_memory_equal(text(d, "https_flv"), "https://nvr:28181/", 18);
    assert_memory_equal(text(d, "wss_flv"), "wss://nvr:28181/", 16);
    assert_true(json_is_null(json_object_get(d, "flv")));
    json_decref(root);

    get(STOP);
    expect_code(0);
}

static void play_fails(void **state)
{
    json_t *root;

    (void)state;
    get(STOP);
    expect_code(404);
    fake.live_err = GB_ESTATE;
    get(START);
    expect_code(100);
    fake.live_err = GB_ENOENT;
    get(START);
    expect_code(404);
    fake.live_err = 0;
    assert_int_equal(get(START), 0);
    fx.now.mono_ms += HTTP_LIVE_WAIT_MS;
    http_app_tick(fx.app);
    data_of(486, &root); /* silence */
    assert_true(strlen(text(root, "msg")) > 20);
    json_decref(root);
}

static void turning(void **state)
{
    static const struct {
        const char *method, *target;
        int code;
        const char *order;
    } cases[] = {
#define PTZ "/api/ptz/control/" D1 "/" C1 "?command="
#define FRONT "/api/front-end/ptz/" D1 "/" C1 "?command="
#define PRESET(verb) "/api/front-end/preset/" verb "/" D1 "/" C1
        { "POST", PTZ "right&horizonSpeed=50&verticalSpeed=50&zoomSpeed=50", 0,
          "A50F0101320000E8 " C1 " " },
        { "GET", FRONT "upleft&horizonSpeed=50&verticalSpeed=50", 0,
          "A50F010A32320023 " C1 " " },
        { "GET", FRONT "zoomin&zoomSpeed=5", 0, "A50F011000005015 " C1 " " },
        { "GET", FRONT "zoomout&zoomSpeed=255", 0, "A50F01200000F0C5 " C1 " " },
        { "GET", FRONT "stop&horizonSpeed=50", 0, "stop " C1 },
        { "GET", FRONT "sideways", 400, NULL },
        { "GET", FRONT "left&horizonSpeed=256", 400, NULL },
        { "GET", "/api/front-end/ptz/" D1 "/" C1, 400, NULL },
        { "GET", "/api/front-end/ptz/44010200001110000009/" C1 "?command=left",
          404, NULL },
        { "GET", PRESET("add") "?presetId=7", 0, "A50F01810007003D " },
        { "GET", PRESET("call") "?presetId=255", 0, "A50F01820"  },
        { "GET", PRESET("delete") "?presetId=1", 0, "A50F01830001" },
        { "GET", PRESET("call") "?presetId=0", 400, NULL },
        { "GET", PRESET("call") "?presetId=256", 400, NULL },
        { "GET", PRESET("call"), 400, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.order[0] = '\0';
        ask(cases[i].method, cases[i].target, TOKEN, "not read");
        expect_code(cases[i].code);
        if (cases[i].order ? strncmp(fake.order, cases[i].order,
                                     strlen(cases[i].order)) != 0
                           : fake.order[0] != '\0')
            fail_msg("%s: %s", cases[i].target, fake.order);
    }
}

static void orders(void **state)
{
    (void)state;
    get(DEVICES "/" D1 "/sync");
    expect_code(0);
    assert_int_equal(fake.refreshed, 1);
    assert_int_equal(ask("DELETE", DEVICES "/" D2 "/delete", TOKEN, ""), 200);
    expect_code(0);
    get(DEVICES "/" D2);
    expect_code(404);
}

/* An answer that waits for the store is WVP's, too. */
static void order_committed(void **state)
{
    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    cfg.commits = true;
    fx_open(&cfg);
    assert_int_equal(ask("DELETE", DEVICES "/" D2 "/delete", TOKEN, ""), 0);
    http_app_committed(fx.app, http_app_commits(fx.app), 0);
    assert_int_equal(fx.n_answers, 1);
    expect_code(0);
}

/* Credentials are those of everything else; what a GET changes is guarded as a
 * POST is. */
static void guarded_paths(void **state)
{
    static const char cookie[] = "Cookie: gb28181d=";
    static const char *const acts[] = {
        START, STOP, DEVICES "/" D1 "/sync",
        "/api/front-end/ptz/" D1 "/" C1 "?command=left",
        "/api/front-end/preset/call/" D1 "/" C1 "?presetId=1",
    };
    char fields[400], *at;

    (void)state;
    assert_int_equal(ask("GET", DEVICES, "", ""), 401);
    assert_int_equal(ask("GET", START, "", ""), 401);
    assert_int_equal(ask("GET", DEVICES, "Access-Token: wrong\r\n", ""), 401);
    assert_int_equal(ask("GET", DEVICES, "access-token: admin-token\r\n", ""),
                     200);
    /* of two, the standard one counts */
    assert_int_equal(ask("GET", DEVICES, "access-token: admin-token\r\n"
                                         "Authorization: Bearer wrong\r\n", ""),
                     401);
    /* in the browser of one who is logged in, on another site's page */
    assert_int_equal(ask("POST", "/api/v1/login", "",
                         "{\"password\":\"letmein\"}"), 0);
    http_password_job_run(fx.job);
    http_app_password_done(fx.app, fx.job);
    at = strstr(fx.last.fields, "gb28181d=");
    assert_non_null(at);
    snprintf(fields, sizeof(fields), "%s%.*s\r\n"
             "Sec-Fetch-Site: cross-site\r\n", cookie, HTTP_SESSION_TEXT,
             at + 9);
    for (size_t i = 0; i < COUNT(acts); i++)
        assert_int_equal(ask("GET", acts[i], fields, ""), 403);
    assert_int_equal(ask("GET", DEVICES, fields, ""), 200); /* only looks */
    for (size_t i = 0; i < COUNT(acts); i++) { /* HEAD is safe */
        assert_int_equal(ask("HEAD", acts[i], TOKEN, ""), 405);
        assert_string_equal(fx.last.fields, "Allow: GET\r\n");
    }
    assert_int_equal(fake.n_commands, 0);
    assert_null(fake_session(1));
}

#define LOGIN "/api/user/login?username=admin&password="
#define MD5 "0d107d09f5bbe40cade3de5c71e9e9b7" /* of "letmein" */

static void with_login(bool of_md5)
{
    static const uint8_t salt[16] = { 1 };
    static char hash[HTTP_PASSWORD_HASH_MAX];
    struct http_app_config cfg;

    http_app_free(fx.app);
    cfg = fx_config();
    cfg.wvp_login = true;
    cfg.platform = NULL;
    http_password_hash_md5(hash, SLICE("letmein"), salt, 10);
    if (of_md5)
        cfg.admin_password_hash = hash;
    fx_open(&cfg);
}

static void log_in(const char *target)
{
    assert_int_equal(ask("GET", target, "", ""), 0);
    http_password_job_run(fx.job);
    http_app_password_done(fx.app, fx.job);
}

static void login(void **state)
{
    char fields[128];
    const json_t *d;
    json_t *root;

    (void)state;
    ask("GET", LOGIN MD5, "", ""); /* off by itself */
    expect_code(403);
    with_login(false);
    log_in(LOGIN MD5); /* nothing is kept for it */
    expect_code(100);

    with_login(true);
    assert_int_equal(ask("HEAD", LOGIN MD5, "", ""), 401); /* logs nobody in */
    ask("GET", LOGIN "letmein", "", "");
    expect_code(400);
    ask("GET", "/api/user/login?password=" MD5, "", "");
    expect_code(400);
    log_in(LOGIN "0d107d09f5bbe40cade3de5c71e9e9b8");
    expect_code(100);
    log_in(LOGIN "0D107D09F5BBE40CADE3DE5C71E9E9B7");
    d = data_of(0, &root);
    assert_string_equal(text(d, "username"), "admin");
    assert_string_equal(text(json_object_get(d, "role"), "name"), "admin");
    assert_int_equal(strlen(text(d, "accessToken")), HTTP_SESSION_TEXT);
    assert_null(strstr(fx.last.fields, "Set-Cookie"));
    snprintf(fields, sizeof(fields), "access-token: %s\r\n",
             text(d, "accessToken"));
    json_decref(root);

    assert_int_equal(ask("GET", DEVICES, fields, ""), 200);
    assert_int_equal(ask("POST", "/api/user/userInfo", fields, ""), 200);
    d = data_of(0, &root);
    assert_string_equal(text(d, "username"), "admin");
    json_decref(root);
    /* the page's own login takes the same password */
    assert_int_equal(ask("POST", "/api/v1/login", "",
                         "{\"password\":\"letmein\"}"), 0);
    http_password_job_run(fx.job);
    http_app_password_done(fx.app, fx.job);
    assert_int_equal(fx.last.status, 200);

    ask("GET", "/api/user/logout", fields, "");
    expect_code(0);
    assert_int_equal(ask("GET", DEVICES, fields, ""), 401);
}

static void no_memory(void **state)
{
    static const char *const targets[] = { DEVICES, DEVICES "/" D1, START,
                                           STOP };

    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        for (unsigned long at = 1;; at++) {
            unsigned long calls = fx.mem.calls;
            unsigned status;
            bool failed;

            fx.mem.fail_at = calls + at;
            status = get(targets[i]);
            failed = fx.mem.calls >= calls + at;
            fx.mem.fail_at = 0;
            if (status == 0)
                http_app_gone(fx.app, fx.last.request);
            if (!failed)
                break;
            if (status != 503 && status != 500 &&
                (status != 200 || body_has("\"code\":0,")))
                fail_msg("%s, allocation %lu: %u %s", targets[i], at, status,
                         fx.last.body);
        }
    }
}

/* The lists of ours that these stand on. */
static void filters(void **state)
{
    json_t *j;

    (void)state;
    get("/api/v1/devices?online=false");
    j = body();
    assert_int_equal(number_of(j, "total"), 1);
    assert_string_equal(text(json_array_get(json_object_get(j, "items"), 0),
                             "id"), D2);
    json_decref(j);
    get("/api/v1/devices?skip=1");
    j = body();
    assert_int_equal(number_of(j, "total"), 2);
    assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
    json_decref(j);
    assert_int_equal(get("/api/v1/devices?online=1"), 400);
    assert_int_equal(get("/api/v1/devices?online="), 400);
    assert_int_equal(get("/api/v1/devices?online=truetruetrue"), 400);
    assert_int_equal(get("/api/v1/devices?skip=x"), 400);
}

/* The tag is asked for in their question, not in ours that stood for it. */
static void a_large_answer_has_a_tag(void **state)
{
    static const char all[] = DEVICES "/" D1 "/channels?page=1&count=100";
    static char id[60][21];
    char fields[200], tag[TAG_BYTES];

    (void)state;
    for (unsigned i = 0; i < COUNT(id); i++) {
        snprintf(id[i], sizeof(id[i]), "3402000000131%07u", 100 + i);
        fake_channel(D1, id[i], "Gate");
    }
    assert_int_equal(get(all), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-None-Match: %s\r\n", tag);
    assert_int_equal(ask("GET", all, fields, ""), 304);
    assert_int_equal(fx.last.len, 0);
    fields[strlen(TOKEN) + 17] ^= 1; /* another one */
    assert_int_equal(ask("GET", all, fields, ""), 200);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(one_device),
        APP(pages),
        APP(channels),
        APP(play),
        APP(play_fails),
        APP(turning),
        APP(orders),
        APP(order_committed),
        APP(guarded_paths),
        APP(login),
        APP(no_memory),
        APP(filters),
        APP(a_large_answer_has_a_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
