/* Users and tokens: made, changed, removed, and what they signed. */
#include "test/http_accounts.h"

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
        { "{\"name\":\".\",\"password\":\"12345678\",\"role\":\"viewer\"}", 400 },
        { "{\"name\":\"..\",\"password\":\"12345678\",\"role\":\"viewer\"}",
          400 },
        { "{\"name\":\"a\",\"password\":\"12345678\"}", 400 },
        { "{\"name\":\"a\",\"role\":\"viewer\"}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"admin\","
          "\"scope\":{}}", 400 },
        { "{\"name\":\"a\",\"password\":\"12345678\",\"role\":\"viewer\","
          "\"scope\":{\"device\":[\"x\"]}}", 400 },
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
    char fields[256];
    char tag[TAG_BYTES];

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
    assert_null(strstr(fx.last.fields, "ETag: ")); /* of the refusal: none */
    assert_int_equal(get(USERS "/eve"), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(act("PATCH", USERS "/eve", fields,
                         "{\"password\":\"87654321\"}"), 200);
    assert_int_equal(act("PATCH", USERS "/eve", fields,
                         "{\"role\":\"viewer\"}"), 412);
    assert_int_equal(act("DELETE", USERS "/eve", fields, ""), 412);
    assert_int_equal(get(USERS "/eve"), 200);
    last_tag(tag);
    /* in the second of two lines, too */
    snprintf(fields, sizeof(fields),
             TOKEN "If-Match: \"other\"\r\nIf-Match: %s\r\n", tag);
    assert_int_equal(act("PATCH", USERS "/eve", fields,
                         "{\"role\":\"viewer\"}"), 200);
    assert_int_equal(get(USERS "/eve"), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(act("DELETE", USERS "/eve", fields, ""), 204);
    assert_int_equal(act("DELETE", USERS "/eve", TOKEN, ""), 404);
    assert_int_equal(get(USERS "/eve"), 404);
}

/* Both have read the same, and the hash of the first takes its time. "*" is whom
 * there was at the time. */
static void second_is_told_at_the_end(void **state)
{
    static const char *const tags[] = { NULL, "*" };
    char fields[256], tag[TAG_BYTES];
    struct http_password_job *first;

    (void)state;
    for (size_t i = 0; i < COUNT(tags); i++) {
        act("DELETE", USERS "/eve", TOKEN, "");
        assert_int_equal(act("POST", USERS, TOKEN,
                             "{\"name\":\"eve\",\"password\":\"12345678\","
                             "\"role\":\"operator\"}"), 201);
        assert_int_equal(get(USERS "/eve"), 200);
        last_tag(tag);
        snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n",
                 tags[i] ? tags[i] : tag);
        assert_int_equal(ask("PATCH", USERS "/eve", fields,
                             "{\"password\":\"87654321\"}"), 0);
        first = fx.job;
        fx.job = NULL;
        assert_int_equal(ask("PATCH", USERS "/eve", fields,
                             "{\"role\":\"viewer\"}"), 200);
        fx.job = first;
        assert_int_equal(hashed(), 412);
        assert_true(body_has("\"code\":\"changed-meanwhile\""));
        assert_int_equal(get(USERS "/eve"), 200);
        assert_true(body_has("\"role\":\"viewer\""));
    }
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

/* A group that a scope names anew has to be there; what was there may have gone. */
static void groups_of_a_scope(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
    } cases[] = {
        { "POST", USERS, "{\"name\":\"a\",\"password\":\"12345678\",\"role\":"
                         "\"viewer\",\"scope\":{\"groups\":[\"yrad\"]}}", 400 },
        { "POST", USERS, "{\"name\":\"a\",\"password\":\"12345678\",\"role\":"
                         "\"viewer\",\"scope\":{\"groups\":[\"yard\"]}}", 201 },
        { "POST", TOKENS, "{\"name\":\"t\",\"role\":\"viewer\","
                          "\"scope\":{\"groups\":[\"yard\",\"yrad\"]}}", 400 },
        { "PATCH", USERS "/a", "{\"scope\":{\"groups\":[\"yrad\"]}}", 400 },
        { "PATCH", USERS "/a", "{\"scope\":{\"groups\":[]}}", 200 },
        { "PATCH", USERS "/a", "{\"scope\":{\"groups\":[\"yard\"]}}", 200 },
    };

    (void)state;
    strcpy(fake.group[0].name, "gate");
    strcpy(fake.group[1].name, "yard");
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (act(cases[i].method, cases[i].path, TOKEN, cases[i].body) !=
            cases[i].status)
            fail_msg("%zu: %u", i, fx.last.status);
        if (cases[i].status != 400)
            continue;
        assert_true(body_has("group-unknown"));
        assert_true(body_has("\"evidence\":\"yrad\""));
        assert_true(body_has("\"hint\":\"the groups are: gate, yard\""));
        assert_true(body_has("\"hint_zh\":\"现有分组：gate, yard\""));
    }
    for (size_t i = 2; i < FAKE_GROUPS; i++) /* more than are told */
        snprintf(fake.group[i].name, sizeof(fake.group[i].name), "z%060zu", i);
    assert_int_equal(act("PATCH", USERS "/a", TOKEN,
                         "{\"scope\":{\"groups\":[\"yrad\"]}}"), 400);
    assert_true(body_has("000006, ...\""));
    for (size_t i = 0; i < FAKE_GROUPS; i++)
        *fake.group[i].name = '\0';
    assert_int_equal(act("PATCH", USERS "/a", TOKEN,
                         "{\"role\":\"operator\","
                         "\"scope\":{\"groups\":[\"yard\"]}}"), 200);
    assert_int_equal(act("PATCH", USERS "/a", TOKEN,
                         "{\"scope\":{\"groups\":[\"gate\"]}}"), 400);
    assert_true(body_has("there are no groups yet"));
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
        T(making), T(second_is_told_at_the_end), T(the_last_admin),
        T(sessions_end), T(what_was_signed), T(signed_within_a_scope),
        T(groups_of_a_scope),
        T(removed_while_it_starts), T(over_rtsp),
        T(a_name_that_comes_again), T(own_password), T(gone_meanwhile),
        T(tokens), T(no_memory),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
