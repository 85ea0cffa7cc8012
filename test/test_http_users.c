/* Users, tokens, and what those see who see a part. */
#include "test/http_fixture.h"

#define USERS "/api/v1/users"
#define TOKENS "/api/v1/tokens"
#define C3 "34020000001310000009" /* of D2 */
#define PART "{\"name\":\"part\",\"role\":\"operator\","                      \
             "\"scope\":{\"devices\":[\"" D1 "\"],\"groups\":[\"yard\"]}}"
#define XRW "X-Requested-With: x\r\n"

/* The password that an answer waits for is hashed. */
static unsigned hashed(void)
{
    struct http_password_job *job = fx.job;

    assert_non_null(job);
    fx.job = NULL;
    http_password_job_run(job);
    http_app_password_done(fx.app, job);
    return fx.last.status;
}

static unsigned act(const char *method, const char *target, const char *fields,
                    const char *text)
{
    unsigned status = ask(method, target, fields, text);

    return status ? status : hashed();
}

static void cookie_of(char out[static 160])
{
    struct slice f = slice_str(fx.last.fields), line;

    f = slice_from(f, slice_find_slice(f, SLICE("Set-Cookie: ")) + 12);
    slice_cut(&f, ';', &line);
    snprintf(out, 160, "Cookie: %.*s\r\n" XRW, SLICE_ARG(line));
}

static unsigned log_in(const char *name, const char *password,
                       char cookie[static 160])
{
    char text[256];
    unsigned status;

    snprintf(text, sizeof(text), "{\"name\":\"%s\",\"password\":\"%s\"}", name,
             password);
    fx.now.mono_ms += 61000; /* no rate is meant here */
    status = act("POST", "/api/v1/login", "", text);
    if (status == 200)
        cookie_of(cookie);
    return status;
}

/* A token as a field of requests. */
static void token_of(const char *text, char field[static 160])
{
    json_t *j;

    assert_int_equal(act("POST", TOKENS, TOKEN, text), 201);
    j = body();
    snprintf(field, 160, "Authorization: Bearer %s\r\n",
             json_string_value(json_object_get(j, "token")));
    expect_schema(j, "Token");
    json_decref(j);
}

static void making(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } cases[] = {
        { "{\"name\":\"ada\",\"password\":\"12345678\",\"role\":\"viewer\"}",
          201 },
        { "{\"name\":\"ada\",\"password\":\"12345678\",\"role\":\"viewer\"}",
          409 },
        { "{\"name\":\"eve\",\"password\":\"12345678\",\"role\":\"operator\","
          "\"scope\":{\"devices\":[\"" D1 "\"]}}", 201 },
        { "{\"name\":\"nil\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"scope\":{}}", 201 },
        { "{\"name\":\"a\",\"password\":\"1234567\",\"role\":\"viewer\"}",
          400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"root\"}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"none\"}", 400 },
        { "{\"name\":\"a/b\",\"password\":\"12345678\",\"role\":\"viewer\"}",
          400 },
        { "{\"name\":\"a\",\"password\":\"12345678\"}", 400 },
        { "{\"name\":\"a\",\"role\":\"viewer\"}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"admin\","
          "\"scope\":{}}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"scope\":[]}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"scope\":{\"devices\":[\"x\\ng\"]}}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"scope\":{\"devices\":\"x\"}}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"colour\":1}", 400 },
        { "[]", 400 },
        { "", 400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (act("POST", USERS, TOKEN, cases[i].body) != cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, fx.last.status,
                     fx.last.body);
    list_of(USERS, "User");
    assert_false(body_has("12345678"));
    assert_false(body_has("pbkdf2"));
    object(USERS "/eve", "User");
    assert_true(body_has("{\"devices\":[\"" D1 "\"],\"groups\":[]}"));
    assert_int_equal(get(USERS "/nobody"), 404);
    assert_int_equal(act("PATCH", USERS "/nobody", TOKEN, "{}"), 404);
    assert_int_equal(act("PATCH", USERS "/eve", TOKEN, "{\"scope\":null}"),
                     200);
    assert_true(body_has("\"scope\":null"));
    assert_int_equal(act("PATCH", USERS "/eve", TOKEN, "{\"name\":\"x\"}"),
                     400);
    assert_int_equal(act("DELETE", USERS "/eve", TOKEN, ""), 204);
    assert_int_equal(act("DELETE", USERS "/eve", TOKEN, ""), 404);
    assert_int_equal(get(USERS "/eve"), 404);
}

static void the_last_admin(void **state)
{
    (void)state;
    assert_int_equal(act("DELETE", USERS "/admin", TOKEN, ""), 409);
    assert_int_equal(act("PATCH", USERS "/admin", TOKEN,
                         "{\"role\":\"viewer\"}"), 409);
    assert_int_equal(act("POST", USERS, TOKEN,
                         "{\"name\":\"ada\",\"password\":\"12345678\","
                         "\"role\":\"admin\"}"), 201);
    assert_int_equal(act("DELETE", USERS "/admin", TOKEN, ""), 204);
    assert_int_equal(act("DELETE", USERS "/ada", TOKEN, ""), 409);
}

static void sessions_end(void **state)
{
    static const struct {
        const char *method, *target, *body;
        bool ends;
    } cases[] = {
        { "PATCH", USERS "/ada", "{}", false },
        { "PATCH", USERS "/ada", "{\"role\":\"viewer\"}", true },
        { "PATCH", USERS "/ada", "{\"password\":\"12345678\"}", true },
        { "PATCH", USERS "/ada", "{\"scope\":{}}", true },
        { "DELETE", USERS "/ada", "", true },
    };
    char cookie[160];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        act("DELETE", USERS "/ada", TOKEN, "");
        assert_int_equal(act("POST", USERS, TOKEN,
                             "{\"name\":\"ada\",\"password\":\"12345678\","
                             "\"role\":\"operator\"}"), 201);
        assert_int_equal(log_in("ada", "12345678", cookie), 200);
        assert_true(body_has("\"name\":\"ada\",\"role\":\"operator\""));
        assert_int_equal(ask("GET", "/api/v1/me", cookie, ""), 200);
        act(cases[i].method, cases[i].target, TOKEN, cases[i].body);
        assert_true(fx.last.status < 300);
        if ((ask("GET", "/api/v1/me", cookie, "") == 401) != cases[i].ends)
            fail_msg("%s %s", cases[i].method, cases[i].body);
    }
}

/* "t=..." of a URL of the live channel, as it was told to this one. */
static void signature_of(const char *field, char out[static 100])
{
    struct slice s;

    assert_int_equal(ask("POST", LIVE "?wait=0", field, ""), 202);
    s = slice_of(fx.last.body, fx.last.len);
    s = slice_from(s, slice_find_slice(s, SLICE("t=")));
    snprintf(out, 100, "%.*s", (int)slice_find(s, '"'), s.p);
}

static bool opens(const char *signature)
{
    unsigned status;
    char target[256];

    snprintf(target, sizeof(target), "/live/%s/%s.flv?%s", D1, C1, signature);
    status = ask("GET", target, "", "");
    if (fx.last.kind == HTTP_REPLY_LATER)
        http_app_gone(fx.app, fx.last.request);
    return status != 401;
}

/* A signed URL ends with whom it was made for, and so do those who watch; that of
 * the installation's token ends with its time alone. */
static void what_was_signed(void **state)
{
    static const struct {
        const char *method, *target, *body;
        bool ends;
    } cases[] = {
        { "PATCH", USERS "/ada", "{}", false },
        { "PATCH", USERS "/ada", "{\"role\":\"admin\"}", true },
        { "PATCH", USERS "/ada", "{\"password\":\"12345678\"}", true },
        { "PATCH", USERS "/ada", "{\"scope\":{}}", true },
        { "DELETE", USERS "/ada", "", true },
        { "DELETE", TOKENS "/ci", "", false },
    };
    char cookie[160], field[160], of_ada[100], of_ci[100], of_admin[100];
    struct account v;

    (void)state;
    token_of("{\"name\":\"ci\",\"role\":\"operator\"}", field);
    signature_of(field, of_ci);
    signature_of(TOKEN, of_admin);
    for (size_t i = 0; i < COUNT(cases); i++) {
        act("DELETE", USERS "/ada", TOKEN, "");
        assert_int_equal(act("POST", USERS, TOKEN,
                             "{\"name\":\"ada\",\"password\":\"12345678\","
                             "\"role\":\"operator\"}"), 201);
        assert_true(accounts_find(fx.app->accounts, ACCOUNT_USER,
                                  SLICE("ada"), &v));
        assert_int_equal(log_in("ada", "12345678", cookie), 200);
        signature_of(cookie, of_ada);
        assert_true(opens(of_ada));
        assert_true(opens(of_ci));
        fx.dismissed = 0;
        act(cases[i].method, cases[i].target, TOKEN, cases[i].body);
        assert_true(fx.last.status < 300);
        if (opens(of_ada) == cases[i].ends)
            fail_msg("%s %s", cases[i].method, cases[i].body);
        if (cases[i].ends)
            assert_true(fx.dismissed == v.id);
    }
    assert_false(opens(of_ci));
    assert_true(fx.dismissed != 0 && fx.dismissed != v.id);
    assert_true(opens(of_admin));
}

/* Who sees a part can sign for it; once the device has left his group, what he
 * signed shows it no more. */
static void signed_within_a_scope(void **state)
{
    char field[160], text[100];

    (void)state;
    token_of("{\"name\":\"part\",\"role\":\"operator\","
             "\"scope\":{\"groups\":[\"yard\"]}}", field);
    fake.device[0].group = SLICE("yard");
    signature_of(field, text);
    assert_true(opens(text));
    assert_int_not_equal(fx.last.status, 404);
    fake.device[0].group = SLICE("");
    assert_true(opens(text));
    assert_int_equal(fx.last.status, 404);
}

/* He is removed while he waits for his picture: there is none for him. */
static void removed_while_it_starts(void **state)
{
    struct platform_session *s;
    char field[160];

    (void)state;
    token_of("{\"name\":\"ci\",\"role\":\"operator\"}", field);
    assert_int_equal(ask("GET", "/live/" D1 "/" C1 ".flv", field, ""), 0);
    act("DELETE", TOKENS "/ci", TOKEN, "");
    s = fake_session(1);
    assert_non_null(s);
    s->state = PLATFORM_PLAYING;
    s->step = PLATFORM_STEP_PLAYING;
    http_on_session(fx.app, 1);
    http_app_tick(fx.app);
    assert_int_equal(fx.last.kind, HTTP_REPLY_BODY);
    assert_int_equal(fx.last.status, 401);
    assert_int_equal(fake.holds[1], 0);
}

/* Digest over RTSP knows a token by its name, and nobody else. */
static void over_rtsp(void **state)
{
    struct sip_ha1 want, got;
    struct account v;
    char field[160];
    uint64_t who;

    (void)state;
    token_of(PART, field);
    who = http_app_token_named(fx.app, SLICE("part"), &got);
    assert_true(accounts_by_id(fx.app->accounts, who, &v));
    assert_int_equal(v.kind, ACCOUNT_TOKEN);
    sip_ha1_make(&want, SIP_DIGEST_MD5, SLICE("part"), SLICE("gb28181d"),
                 slice_trim(slice_from(slice_str(field), 22)));
    assert_memory_equal(got.hex, want.hex, want.n);
    assert_true(http_app_token(fx.app, slice_trim(slice_from(slice_str(field),
                                                             22))) == who);
    assert_true(http_app_token_named(fx.app, SLICE("admin"), &got) == 0);
    assert_true(http_app_token_named(fx.app, SLICE(""), &got) == 0);
    assert_true(http_app_token(fx.app, SLICE("admin-token")) == 0);
    assert_true(http_app_sees(fx.app, who, SLICE(D1)));
    assert_false(http_app_sees(fx.app, who, SLICE(D2)));
    act("DELETE", TOKENS "/part", TOKEN, "");
    assert_true(http_app_token_named(fx.app, SLICE("part"), &got) == 0);
    assert_false(http_app_sees(fx.app, who, SLICE(D1)));
}

/* An account of the same name is another one: an old cookie opens nothing. */
static void a_name_that_comes_again(void **state)
{
    static const char text[] = "{\"name\":\"ada\",\"password\":\"12345678\","
                               "\"role\":\"admin\"}";
    char cookie[160];

    (void)state;
    act("POST", USERS, TOKEN, text);
    assert_int_equal(log_in("ada", "12345678", cookie), 200);
    act("DELETE", USERS "/ada", TOKEN, "");
    assert_int_equal(act("POST", USERS, TOKEN, text), 201);
    assert_int_equal(ask("GET", "/api/v1/me", cookie, ""), 401);
}

static void own_password(void **state)
{
    char one[160], two[160];

    (void)state;
    act("POST", USERS, TOKEN, "{\"name\":\"ada\",\"password\":\"12345678\","
                              "\"role\":\"viewer\"}");
    assert_int_equal(log_in("ada", "12345678", one), 200);
    assert_int_equal(log_in("ada", "12345678", two), 200);
    assert_int_equal(act("POST", "/api/v1/me/password", one,
                         "{\"password\":\"wrong\",\"new_password\":"
                         "\"abcdefgh\"}"), 403);
    assert_int_equal(act("POST", "/api/v1/me/password", one,
                         "{\"password\":\"12345678\",\"new_password\":"
                         "\"short\"}"), 400);
    assert_int_equal(act("POST", "/api/v1/me/password", TOKEN,
                         "{\"password\":\"12345678\",\"new_password\":"
                         "\"abcdefgh\"}"), 403);
    assert_int_equal(act("POST", "/api/v1/me/password", one,
                         "{\"password\":\"12345678\",\"new_password\":"
                         "\"abcdefgh\"}"), 204);
    cookie_of(one);
    assert_int_equal(ask("GET", "/api/v1/me", one, ""), 200);
    assert_int_equal(ask("GET", "/api/v1/me", two, ""), 401);
    assert_int_equal(log_in("ada", "12345678", two), 401);
    assert_int_equal(log_in("ada", "abcdefgh", two), 200);
    /* guesses at it count as those of the login do */
    for (int i = 0; i < HTTP_LOGIN_FAILURES; i++)
        act("POST", "/api/v1/me/password", one,
            "{\"password\":\"wrong\",\"new_password\":\"abcdefgh\"}");
    assert_int_equal(act("POST", "/api/v1/me/password", one,
                         "{\"password\":\"abcdefgh\",\"new_password\":"
                         "\"12345678\"}"), 429);
}

/* The account goes while its password is being checked. */
static void gone_meanwhile(void **state)
{
    char cookie[160];

    (void)state;
    act("POST", USERS, TOKEN, "{\"name\":\"ada\",\"password\":\"12345678\","
                              "\"role\":\"viewer\"}");
    assert_int_equal(ask("POST", "/api/v1/login", "",
                         "{\"name\":\"ada\",\"password\":\"12345678\"}"), 0);
    assert_int_equal(ask("DELETE", USERS "/ada", TOKEN, ""), 204);
    assert_int_equal(hashed(), 401);
    assert_int_equal(log_in("nobody", "12345678", cookie), 401);
}

static void tokens(void **state)
{
    static const struct {
        const char *role, *method, *target;
        unsigned status;
    } cases[] = {
        { "viewer", "GET", "/api/v1/devices", 200 },
        { "viewer", "POST", "/api/v1/devices/" D1 "/refresh", 403 },
        { "viewer", "GET", USERS, 403 },
        { "operator", "POST", "/api/v1/devices/" D1 "/refresh", 202 },
        { "operator", "DELETE", "/api/v1/devices/" D1, 403 },
        { "operator", "POST", TOKENS, 403 },
        { "admin", "GET", USERS, 200 },
    };
    char field[160], text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        act("DELETE", TOKENS "/t", TOKEN, "");
        snprintf(text, sizeof(text), "{\"name\":\"t\",\"role\":\"%s\"}",
                 cases[i].role);
        token_of(text, field);
        if (ask(cases[i].method, cases[i].target, field, "") !=
            cases[i].status)
            fail_msg("%s %s: %u", cases[i].role, cases[i].target,
                     fx.last.status);
    }
    assert_int_equal(act("POST", TOKENS, TOKEN, text), 409);
    list_of(TOKENS, "Token");
    assert_false(body_has("\"token\""));
    assert_int_equal(act("DELETE", TOKENS "/t", TOKEN, ""), 204);
    assert_int_equal(ask("GET", "/api/v1/me", field, ""), 401);
}

/* ---- scopes ---------------------------------------------------------------- */

static void two_sides(void)
{
    fake_channel(D2, C3, "Pond");
    fake.session[0] = (struct platform_session){
        .id = 11, .device = SLICE(D1), .channel = SLICE(C1) };
    fake.session[1] = (struct platform_session){
        .id = 12, .device = SLICE(D2), .channel = SLICE(C3) };
    strcpy(fake.upgrade, "up2");
    fake.n_commands = 9;
    fake.device[0].group = SLICE("x");
}

/* The path of a route with what is D2's in it. */
static void fill(const char *pattern, char out[static 512])
{
    static const char *const put[][2] = {
        { "{device}", D2 }, { "{channel}", C3 }, { "{session}", "12" },
        { "{command}", "9" }, { "{group}", "pond" }, { "{id}", D2 },
    };
    struct slice rest = slice_str(pattern);
    struct writer w = writer_of(out, 511);

    while (rest.n) {
        size_t open = slice_find(rest, '{'), close, i = 0;
        struct slice name;

        writer_slice_put(&w, slice_head(rest, open));
        rest = slice_from(rest, open);
        if (!rest.n)
            break;
        close = slice_find(rest, '}') + 1;
        name = slice_head(rest, close);
        while (i < COUNT(put) && !slice_eq(name, slice_str(put[i][0])))
            i++;
        writer_str(&w, i < COUNT(put) ? put[i][1] : "1");
        rest = slice_from(rest, close);
    }
    if (slice_eq(slice_str(pattern), SLICE("/api/ws")))
        writer_str(&w, "?src=" C3);
    if (slice_eq(slice_str(pattern), SLICE("/api/v1/records")))
        writer_str(&w, "?device=" D2 "&channel=" C3);
    if (slice_eq(slice_str(pattern), SLICE("/api/v1/talk")))
        writer_str(&w, "?to=" D2 "/" C3);
    out[w.len] = '\0';
}

/* Every route there is, those that come as well: what is another's looks like
 * nothing, is forbidden, or is left out. */
static void every_route(void **state)
{
    char field[160], other[160], target[512];
    const struct http_route *r;
    unsigned seen = 0;
    size_t n;

    (void)state;
    two_sides();
    token_of(PART, field);
    token_of("{\"name\":\"all\",\"role\":\"operator\"}", other);
    r = http_routes(&n);
    for (size_t i = 0; i < n; i++) {
        const char *method = http_method_name(r[i].method);
        unsigned status;

        if (r[i].flags & HTTP_ROUTE_EXEMPT)
            continue;
        fill(r[i].pattern, target);
        status = ask(method, target, field, "");
        if (status != 403 && status != 404 &&
            (status != 200 || body_has(D2) || body_has(C3)) &&
            fx.last.kind != HTTP_REPLY_EVENTS && status != 204 &&
            !(status == 403 || status == 501))
            fail_msg("%s %s: %u %s", method, target, status, fx.last.body);
        /* the same with bounds that have it is another thing */
        status = ask(method, target, other, "");
        seen += status != 403 && status != 404;
        if (fx.last.kind == HTTP_REPLY_LATER)
            http_app_gone(fx.app, fx.last.request);
    }
    assert_true(seen > 40); /* that they were refused is no accident */
}

static void lists(void **state)
{
    static const char *const all[] = {
        "/api/v1/devices", "/api/v1/devices?q=3402", "/api/v1/sessions",
        "/api/v1/subscriptions", "/api/v1/commands", "/api/v1/devices?limit=1",
        "/api/v1/upgrades", "/api/device/query/devices", "/api/v1/channels",
        "/api/v1/channels?q=3402", "/api/v1/channels?online=true",
        "/api/v1/channels?limit=1", 
    };
    char field[160];

    (void)state;
    two_sides();
    token_of(PART, field);
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(ask("GET", all[i], field, ""), 200);
        if (body_has(D2))
            fail_msg("%s: %s", all[i], fx.last.body);
    }
    assert_int_equal(ask("GET", "/api/v1/devices", field, ""), 200);
    assert_true(body_has(D1));
    assert_true(body_has("\"total\":1"));
    assert_int_equal(ask("GET", "/api/v1/sessions", field, ""), 200);
    assert_true(body_has("\"total\":1"));
    /* D2 comes into a group of his */
    fake.device[1].group = SLICE("yard");
    assert_int_equal(ask("GET", "/api/v1/devices", field, ""), 200);
    assert_true(body_has(D2));
    assert_int_equal(ask("GET", "/api/v1/devices/" D2, field, ""), 200);
    /* of a group, and of none; what is not his is in neither */
    assert_int_equal(get("/api/v1/devices?group=yard"), 200);
    assert_true(body_has("\"total\":1") && body_has(D2) && !body_has(D1));
    assert_int_equal(get("/api/v1/devices?group="), 200);
    assert_true(body_has("\"total\":0"));
    assert_int_equal(ask("GET", "/api/v1/devices?group=x", field, ""), 200);
    assert_true(body_has("\"total\":1") && body_has(D1));
    fake.device[1].group = SLICE("pond");
    assert_int_equal(ask("GET", "/api/v1/devices/" D2, field, ""), 404);
    assert_int_equal(ask("GET", "/api/v1/devices?group=pond", field, ""), 200);
    assert_true(body_has("\"total\":0"));
}

static bool keeps_pictures(void *ctx, const char *name, struct slice bytes)
{
    (void)ctx;
    (void)name;
    (void)bytes;
    return true;
}

/* Each of these has two rows: a page of one, the other behind its cursor, and
 * those of a device alone. */
static void pages(void)
{
    static const char *const all[] = { "downloads", "recorders", "snapshots",
                                       "pictures" };
    char target[160];

    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *one, *two;
        const char *next;

        snprintf(target, sizeof(target), "/api/v1/%s?limit=1", all[i]);
        assert_int_equal(get(target), 200);
        one = body();
        next = json_string_value(json_object_get(one, "next"));
        if (!next)
            fail_msg("%s: %s", target, fx.last.body);
        assert_int_equal(json_integer_value(json_object_get(one, "total")), 2);
        snprintf(target, sizeof(target), "/api/v1/%s?limit=1&cursor=%s",
                 all[i], next);
        assert_int_equal(get(target), 200);
        two = body();
        assert_true(json_is_null(json_object_get(two, "next")));
        assert_int_equal(json_array_size(json_object_get(two, "items")), 1);
        assert_false(json_equal(json_object_get(one, "items"),
                                json_object_get(two, "items")));
        json_decref(one);
        json_decref(two);
        snprintf(target, sizeof(target), "/api/v1/%s?channel=" C3, all[i]);
        assert_int_equal(get(target), 200);
        if (!body_has("\"total\":1") || body_has(C1))
            fail_msg("%s: %s", target, fx.last.body);
        snprintf(target, sizeof(target), "/api/v1/%s?cursor=x", all[i]);
        assert_int_equal(get(target), 400);
    }
}

/* One of each for D1 and for D2; a name that tells whose it is, of those of D1. */
static void lists_of_what_is_kept(void **state)
{
    static const struct recorders_settings always = {
        .mode = RECORDERS_MODE_ALWAYS };
    static const char *const all[] = {
        "/api/v1/downloads", "/api/v1/recorders", "/api/v1/snapshots",
    };
    struct recorders *table;
    char field[160];

    (void)state;
    two_sides();
    token_of(PART, field);
    assert_int_equal(recorders_new(&table, &fx.mem.alloc, NULL), 0);
    fx.app->cfg.recorders = table;
    fx.app->cfg.picture_store = keeps_pictures;
    fx.app->cfg.pictures_max = 100;
    fake.is_2022 = true;
    for (unsigned i = 0; i < 2; i++) {
        struct slice device = i ? SLICE(D2) : SLICE(D1);
        struct slice channel = i ? SLICE(C3) : SLICE(C1);

        fake.download[fake.n_downloads++] = (struct platform_download){
            .id = i + 1, .device = device, .channel = channel };
        assert_int_equal(recorders_set(table, device, channel, &always,
                                       fx.now), 0);
        http_app_picture(fx.app, i ? C3 "-1700000000000-1-aa.jpg"
                                   : C1 "-1700000000001-1-aa.jpg", 10,
                         INT64_C(1700000000000) + i);
        assert_null(http_app_snapshot(fx.app, device, channel));
    }
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_int_equal(ask("GET", all[i], field, ""), 200);
        if (body_has(D2) || body_has(C3) || !body_has(C1) ||
            !body_has("\"total\":1"))
            fail_msg("%s: %s", all[i], fx.last.body);
        assert_int_equal(ask("GET", all[i], TOKEN, ""), 200);
        if (!body_has(C3) || !body_has("\"total\":2"))
            fail_msg("%s: %s", all[i], fx.last.body);
    }
    pages();
    /* whose a picture of before a restart is, its name does not tell */
    assert_int_equal(ask("GET", "/api/v1/pictures", field, ""), 200);
    assert_true(body_has("\"items\":[]"));
    assert_int_equal(ask("GET", "/api/v1/pictures", TOKEN, ""), 200);
    assert_true(body_has(C3));
    recorders_free(table);
    fx.app->cfg.recorders = NULL;
}

static void media(void **state)
{
    static const char *const paths[] = {
        "/live/%s/%s.flv", "/live/%s/%s.mp4", "/live/%s/%s.ts",
        "/live/%s/%s.ps", "/live/%s/%s/index.m3u8", "/live/%s/%s/frame.mp4",
        "/live/%s/%s/init_1.mp4", "/live/%s/%s/seg_1.m4s", "/api/ws?src=%s/%s",
        "/api/v1/devices/%s/channels/%s/live",
    };
    char field[160], target[256];

    (void)state;
    two_sides();
    token_of(PART, field);
    for (size_t i = 0; i < COUNT(paths); i++) {
        snprintf(target, sizeof(target), paths[i], D2, C3);
        if (ask("GET", target, field, "") != 404 ||
            !body_has("device-unknown"))
            fail_msg("%s: %u", target, fx.last.status);
        snprintf(target, sizeof(target), paths[i], D1, C1);
        ask("GET", target, field, "");
        if (body_has("device-unknown") || fx.last.status == 403)
            fail_msg("%s: %u", target, fx.last.status);
        if (fx.last.kind == HTTP_REPLY_LATER)
            http_app_gone(fx.app, fx.last.request);
    }
    /* by the channel alone */
    assert_int_equal(ask("GET", "/live/" C3 ".flv", field, ""), 404);
    assert_true(body_has("device-unknown"));
    assert_int_equal(ask("GET", "/session/12.flv", field, ""), 404);
    assert_true(body_has("device-unknown"));
    assert_int_equal(ask("GET", "/session/12/seg_1.m4s", field, ""), 404);
    assert_true(body_has("device-unknown"));
    /* what is heard in a talk, under a number that a session has, too */
    fake.voice[0] = (struct platform_voice){ .id = 11, .device = SLICE(D2),
                                             .mode = PLATFORM_VOICE_TALK,
                                             .state = PLATFORM_VOICE_SPEAKS };
    assert_int_equal(ask("GET", "/session/11.flv", field, ""), 404);
    assert_true(body_has("device-unknown"));
    fake.voice[0].id = 13;
    assert_int_equal(ask("GET", "/session/13.flv", field, ""), 404);
    assert_true(body_has("device-unknown"));
    fake.voice[0].device = SLICE(D1);
    ask("GET", "/session/13.flv", field, "");
    assert_false(body_has("device-unknown"));
    if (fx.last.kind == HTTP_REPLY_LATER)
        http_app_gone(fx.app, fx.last.request);
}

/* Events of others are passed over; a reader whose account goes, ends. */
static void events(void **state)
{
    const struct platform_action of_d2 = { .kind = PLATFORM_DEVICE_CHANGED,
                                           .device = SLICE(D2) };
    char field[160];
    struct account v;
    uint64_t seq;
    struct buf b;

    (void)state;
    two_sides();
    token_of(PART, field);
    http_app_event_join(fx.app);
    assert_int_equal(ask("GET", "/api/v1/events", field, ""), 200);
    seq = fx.last.event_seq;
    assert_true(accounts_find(fx.app->accounts, ACCOUNT_TOKEN, SLICE("part"),
                              &v));
    http_on_action(fx.app, &of_d2);
    device_told(PLATFORM_DEVICE_CHANGED); /* D1 */
    http_on_action(fx.app, &of_d2);
    buf_init(&b, &fx.mem.alloc, 65536);
    assert_true(http_app_event_next(fx.app, v.id, &seq, &b));
    assert_true(slice_find_slice(buf_view(&b), SLICE(D1)) < b.len);
    assert_true(slice_find_slice(buf_view(&b), SLICE(D2)) == b.len);
    assert_false(http_app_event_next(fx.app, v.id, &seq, &b));
    buf_fini(&b);
    assert_true(http_app_who_is_there(fx.app, v.id));
    act("DELETE", TOKENS "/part", TOKEN, "");
    assert_false(http_app_who_is_there(fx.app, v.id));
    assert_true(http_app_who_is_there(fx.app, 0));
    http_app_event_leave(fx.app);
}

/* What the store tells of others is left out, of commands under their ids too. */
static char asked_devices[256];

static int ask_store(void *ctx, const struct http_ask *q)
{
    (void)ctx;
    slice_copy(asked_devices, sizeof(asked_devices), q->devices);
    return 0;
}

static void history(void **state)
{
    static const struct platform_alarm alarms[] = {
        { .id = 5, .device = SLICE_INIT(D2), .channel = SLICE_INIT(C3) },
        { .id = 4, .device = SLICE_INIT(D1), .channel = SLICE_INIT(C1) },
    };
    static const struct platform_position positions[] = {
        { .device = SLICE_INIT(D2), .channel = SLICE_INIT(C3) },
        { .device = SLICE_INIT(D1), .channel = SLICE_INIT(C1) },
    };
    static const struct platform_command commands[] = {
        { .id = 9, .device = SLICE_INIT(D2) },
        { .id = 8, .device = SLICE_INIT(D1) },
    };
    static const struct platform_command command = {
        .id = 4711, .device = SLICE_INIT(D2) };
    struct http_told t = { .total = 1, .n = 2, .alarms = alarms };
    char field[160];

    (void)state;
    fx.app->cfg.ask = ask_store;
    two_sides();
    token_of(PART, field);
    fake.device[0].group = SLICE("yard"); /* his by its name already */
    assert_int_equal(ask("GET", "/api/v1/alarms", field, ""), 0);
    assert_string_equal(asked_devices, "[\"" D1 "\",\"" D1 "\"]");
    fake.device[0].group = SLICE("x");
    t.request = fx.last.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has(D1));
    assert_false(body_has(D2));
    assert_true(body_has("\"total\":1"));
    assert_int_equal(ask("GET", "/api/v1/positions", field, ""), 0);
    assert_string_equal(asked_devices, "[\"" D1 "\"]");
    t = (struct http_told){ .request = fx.last.request, .total = 1, .n = 2,
                            .positions = positions };
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has(D1));
    assert_false(body_has(D2));
    assert_true(body_has("\"total\":1"));
    fake.n_commands = 0; /* those that the store knows alone */
    assert_int_equal(ask("GET", "/api/v1/commands", field, ""), 0);
    t = (struct http_told){ .request = fx.last.request, .total = 1, .n = 2,
                            .commands = commands };
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has(D1));
    assert_false(body_has(D2));
    assert_true(body_has("\"total\":1"));
    fake.n_commands = 0;
    assert_int_equal(ask("GET", "/api/v1/commands/4711", field, ""), 0);
    assert_string_equal(asked_devices, "");
    t = (struct http_told){ .request = fx.last.request, .total = 1, .n = 1,
                            .commands = &command };
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 404);
    /* removed while the store looked */
    assert_int_equal(ask("GET", "/api/v1/alarms", field, ""), 0);
    t = (struct http_told){ .request = fx.last.request, .total = 1, .n = 2,
                            .alarms = alarms };
    ask("DELETE", TOKENS "/part", TOKEN, "");
    t.request = fx.next_request - 1;
    http_app_told(fx.app, &t);
    assert_false(body_has(D1));
}

/* ---- the audit log ----------------------------------------------------------- */

static char written[4096];

static void keep_audit(void *ctx, const struct http_audit *e)
{
    size_t at = strlen(written);

    (void)ctx;
    assert_int_equal(e->at_utc_ms, fx.now.utc_ms);
    snprintf(written + at, sizeof(written) - at, "%.*s %.*s %.*s %.*s %.*s %u\n",
             SLICE_ARG(e->who), SLICE_ARG(e->role), SLICE_ARG(e->peer),
             SLICE_ARG(e->method), SLICE_ARG(e->path), e->status);
}

/* The status with which a request with a body is refused before that comes. */
static unsigned head_only(const char *method, const char *target,
                          const char *fields)
{
    struct http_head head;
    struct http_request req = { .head = &head };
    struct http_response r;
    struct http_fault f;
    unsigned status;
    char text[600];

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: nvr\r\n%s"
                                 "Content-Length: 9\r\n\r\n",
             method, target, fields);
    assert_true(http_head_parse(&head, slice_str(text), &f) > 0);
    assert_int_equal(gb_addr_parse_ip(&req.remote, SLICE("192.0.2.99")), 0);
    http_response_init(&r, &fx.mem.alloc);
    assert_int_equal(http_app_body(fx.app, &req, &r), HTTP_BODY_REFUSED);
    status = r.status;
    http_response_fini(&r);
    return status;
}

static void audit(void **state)
{
    char field[160], cookie[160];

    (void)state;
    fx.app->cfg.audit = keep_audit;
    written[0] = '\0';
    token_of("{\"name\":\"ci\",\"role\":\"viewer\"}", field);
    get("/api/v1/devices"); /* changes nothing */
    ask("DELETE", "/api/v1/devices/" D1, field, "");
    ask("DELETE", "/api/v1/devices/" D1 "?t=secret", "", ""); /* a stranger */
    act("POST", USERS, TOKEN, "{\"name\":\"ada\",\"password\":\"12345678\","
                              "\"role\":\"operator\"}");
    act("POST", USERS, TOKEN, "{}");
    assert_int_equal(log_in("ada", "wrong-one", cookie), 401);
    assert_int_equal(log_in("12345678", "ada", cookie), 401);
    assert_int_equal(log_in("ada", "12345678", cookie), 200);
    ask("POST", "/api/v1/login", "", "{}");
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/refresh", cookie, ""),
                     202);
    ask("POST", LIVE, TOKEN, "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    http_app_gone(fx.app, fx.last.request);
    http_app_gone(fx.app, fx.last.request); /* once is enough */
    /* a GET that acts, and an answer of 200 that stands for another one */
    ask("GET", "/api/play/stop/" D1 "/none", TOKEN, "");
    assert_int_equal(fx.last.status, 200);
    /* refused with its head alone, since its body is a file */
    assert_int_equal(head_only("POST", "/api/v1/firmware", field), 403);
    assert_int_equal(head_only("POST", "/api/v1/firmware", ""), 401);
    assert_string_equal(
        written,
        "admin-token admin 192.0.2.99 POST /api/v1/tokens 201\n"
        "token:ci viewer 192.0.2.99 DELETE /api/v1/devices/" D1 " 403\n"
        "admin-token admin 192.0.2.99 POST /api/v1/users 201\n"
        "admin-token admin 192.0.2.99 POST /api/v1/users 400\n"
        "ada none 192.0.2.99 POST /api/v1/login 401\n"
        "- none 192.0.2.99 POST /api/v1/login 401\n"
        "ada none 192.0.2.99 POST /api/v1/login 200\n"
        "ada operator 192.0.2.99 POST /api/v1/devices/" D1 "/refresh 202\n"
        "admin-token admin 192.0.2.99 POST " LIVE " 499\n"
        "admin-token admin 192.0.2.99 GET /api/play/stop/" D1 "/none 404\n"
        "token:ci viewer 192.0.2.99 POST /api/v1/firmware 403\n");
    assert_int_equal(get("/api/v1/audit"), 501); /* no history here */
    assert_int_equal(ask("GET", "/api/v1/audit", cookie, ""), 403);
}

static struct http_ask asked;

static int keep_question(void *ctx, const struct http_ask *q)
{
    (void)ctx;
    asked = *q;
    assert_true(slice_eq(q->device, SLICE("ada")));
    assert_true(slice_eq(q->type, SLICE("/api/v1/users")));
    assert_true(slice_eq(q->method, SLICE("POST")));
    return 0;
}

static void audit_list(void **state)
{
    static const struct http_audit rows[] = {
        { .id = 7, .who = SLICE_INIT("ada"), .role = SLICE_INIT("admin"),
          .peer = SLICE_INIT("192.0.2.1"), .method = SLICE_INIT("POST"),
          .path = SLICE_INIT("/api/v1/users"), .status = 201 },
    };
    struct http_told t = { .total = 3, .n = 1, .audits = rows, .more = true,
                           .last = 7 };
    json_t *j;

    (void)state;
    fx.app->cfg.ask = keep_question;
    assert_int_equal(get("/api/v1/audit?who=ada&path=/api/v1/users&method=POST"
                         "&limit=1"), 0);
    assert_int_equal(asked.list, HTTP_HISTORY_AUDIT);
    assert_int_equal(asked.limit, 1);
    t.request = fx.last.request;
    http_app_told(fx.app, &t);
    j = body();
    expect_schema(json_array_get(json_object_get(j, "items"), 0), "Audit");
    assert_string_equal(json_string_value(json_object_get(j, "next")), "7");
    json_decref(j);
}

/* The n-th allocation fails: an answer all the same, and nothing is left. */
static void no_memory(void **state)
{
    static const char text[] = "{\"name\":\"t\",\"role\":\"viewer\","
                               "\"scope\":{\"devices\":[\"1\"]}}";
    unsigned status;
    unsigned long n = 0;

    (void)state;
    do {
        struct account v;

        fx.mem.fail_at = fx.mem.calls + ++n;
        status = ask("POST", TOKENS, TOKEN, text);
        fx.mem.fail_at = 0;
        if (accounts_find(fx.app->accounts, ACCOUNT_TOKEN, SLICE("t"), &v) &&
            status != 201) /* it was made, and its answer had no room */
            act("DELETE", TOKENS "/t", TOKEN, "");
        if (status != 201 && status != 503)
            fail_msg("allocation %lu: %u %s", n, status, fx.last.body);
    } while (status != 201);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
        T(making), T(the_last_admin), T(sessions_end),
        T(what_was_signed), T(signed_within_a_scope),
        T(removed_while_it_starts), T(over_rtsp),
        T(a_name_that_comes_again), T(own_password), T(gone_meanwhile),
        T(tokens), T(every_route), T(lists), T(lists_of_what_is_kept), T(media), T(events), T(history),
        T(audit), T(audit_list), T(no_memory),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
