/* Patterns, the one table of routes, and who may walk it. */
#include "test/http_fixture.h"

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool match;
        const char *params; /* joined by ',' */
    } cases[] = {
        { "/", "/", true, "" },
        { "/", "/a", false, "" },
        { "/a", "/a", true, "" },
        { "/a", "/a/", false, "" },
        { "/a", "/", false, "" },
        { "/a/b", "/a", false, "" },
        { "/{x}", "/a", true, "a" },
        { "/{x}", "/", false, "" },
        { "/{x}", "/a/b", false, "" },
        { "/a/{x}/b/{y}", "/a/1/b/2", true, "1,2" },
        { "/a/{x}/b/{y}", "/a//b/2", false, "" },
        { "/live/{d}/{c}.flv", "/live/1/2.flv", true, "1,2" },
        { "/live/{d}/{c}.flv", "/live/1/.flv", false, "" },
        { "/live/{d}/{c}.flv", "/live/1/2.mp4", false, "" },
        { "/live/{d}/{c}.flv", "/live/1/2flv", false, "" },
        { "/live/{c}.flv", "/live/a.b.flv", true, "a.b" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_params p;
        char text[64];
        struct writer w = writer_of(text, sizeof(text));
        bool got = http_pattern_match(cases[i].pattern,
                                      guarded(slice_str(cases[i].path)), &p);

        for (size_t k = 0; got && k < p.n; k++) {
            writer_str(&w, k ? "," : "");
            writer_slice_put(&w, p.value[k]);
        }
        if (got != cases[i].match ||
            !slice_eq(writer_slice(&w), slice_str(cases[i].params)))
            fail_msg("%s against %s", cases[i].path, cases[i].pattern);
    }
}

static void finding(void **state)
{
    static const struct http_route table[] = {
        { .method = HTTP_GET, .pattern = "/a" },
        { .method = HTTP_POST, .pattern = "/a" },
        { .method = HTTP_GET, .pattern = "/{x}" },
        { .method = HTTP_GET, .pattern = "/a/b", .flags = HTTP_ROUTE_ACTS },
    };
    struct http_params p;
    unsigned allow;
    char text[64];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
#define FIND(m, path)                                                          \
    http_route_find(table, COUNT(table), m, SLICE(path), &p, &allow)
    assert_ptr_equal(FIND(HTTP_GET, "/a"), &table[0]);
    assert_ptr_equal(FIND(HTTP_HEAD, "/a"), &table[0]);
    assert_ptr_equal(FIND(HTTP_POST, "/a"), &table[1]);
    assert_ptr_equal(FIND(HTTP_GET, "/b"), &table[2]);
    assert_null(FIND(HTTP_GET, "/b/c"));
    assert_int_equal(allow, 0);
    assert_non_null(FIND(HTTP_GET, "/a/b"));
    assert_null(FIND(HTTP_HEAD, "/a/b"));
    assert_int_equal(allow, 1u << HTTP_GET);
    assert_null(FIND(HTTP_DELETE, "/a"));
#undef FIND
    http_allow_write(&w, allow);
    assert_true(slice_eq(writer_slice(&w), SLICE("GET, HEAD, POST")));
}

/* A path that fits the pattern: each {name} becomes a word. */
static void path_of(const char *pattern, char out[static 256])
{
    struct slice rest = slice_str(pattern), part;
    struct writer w = writer_of(out, 255);

    while (slice_cut(&rest, '{', &part)) {
        writer_slice_put(&w, part);
        writer_str(&w, "word");
        slice_cut(&rest, '}', &part);
    }
    writer_slice_put(&w, part);
    out[w.len] = '\0';
}

static bool is_meant_to_be_exempt(const struct http_route *r)
{
    static const struct {
        enum http_method method;
        const char *pattern;
    } exempt[] = {
        { HTTP_GET, "/healthz" },
        { HTTP_GET, "/readyz" },
        { HTTP_GET, "/" },
        { HTTP_GET, "/{file}" },
        { HTTP_POST, "/api/v1/login" },
        { HTTP_GET, "/api/v1/login" }, /* whether one is in, no more */
        { HTTP_GET, "/api/user/login" }, /* off, unless http.wvp_login */
    };

    for (size_t i = 0; i < COUNT(exempt); i++)
        if (r->method == exempt[i].method &&
            slice_eq(slice_str(r->pattern), slice_str(exempt[i].pattern)))
            return true;
    return false;
}

/* Without credentials every route but the seven answers 401, and nothing behind
 * it has moved. */
static void walk_without_credentials(void **state)
{
    static const char *const wrong[] = {
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
        "Authorization: Bearer \r\nCookie: gb28181d=\r\n",
        "Cookie: gb28181d=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
    };
    size_t n, n_exempt = 0;
    const struct http_route *table = http_routes(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char path[256], signed_path[300];
        bool exempt = is_meant_to_be_exempt(&table[i]);

        n_exempt += exempt;
        path_of(table[i].pattern, path);
        snprintf(signed_path, sizeof(signed_path),
                 "%s?t=99999999999.AAAAAAAAAAAAAAAAAAAAAA", path);
        for (size_t k = 0; k < COUNT(wrong); k++) {
            unsigned status = ask(http_method_name(table[i].method), path,
                                  wrong[k], "");

            if (exempt ? status == 401 : status != 401)
                fail_msg("%s: %u", table[i].pattern, status);
            if (!exempt)
                assert_true(body_has("\"status\":401"));
            status = ask(http_method_name(table[i].method), signed_path,
                         wrong[k], "");
            if (exempt ? status == 401 : status != 401)
                fail_msg("%s?t=: %u", table[i].pattern, status);
        }
    }
    assert_int_equal(n_exempt, 7);
    assert_int_equal(fake.next_session, 0);
    assert_int_equal(fake.refreshed, 0);
    assert_int_equal(fake.n_devices, 2);
    assert_int_equal(ask("GET", "/no/such/thing", "", ""), 401);
    assert_int_equal(ask("DELETE", "/healthz", "", ""), 401);
}

/* With the token none does. */
static void walk_with_token(void **state)
{
    size_t n;
    const struct http_route *table = http_routes(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char path[256];
        unsigned status;

        path_of(table[i].pattern, path);
        status = ask(http_method_name(table[i].method), path, TOKEN, "");
        if (fx.last.kind == HTTP_REPLY_LATER)
            http_app_gone(fx.app, fx.last.request);
        if (strcmp(path, "/api/v1/me/password") == 0) /* a token has none */
            assert_int_equal(status, 403);
        else if (status == 401 || status == 403 || status == 405 ||
                 status == 500)
            fail_msg("%s: %u", table[i].pattern, status);
    }
}

static void strangers(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/no/such/thing", TOKEN, ""), 404);
    assert_int_equal(ask("DELETE", "/api/v1/devices", TOKEN, ""), 405);
    assert_string_equal(fx.last.fields, "Allow: GET, HEAD, POST\r\n");
    assert_int_equal(ask("BREW", "/api/v1/devices", TOKEN, ""), 405);
}

/* Names in the table are whole: a summary for what is shown, known schemas,
 * no pattern hidden behind an earlier one. */
static void table_is_sound(void **state)
{
    size_t n;
    const struct http_route *table = http_routes(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct http_route *r = &table[i];
        struct http_params p;
        unsigned allow;
        char path[256];

        path_of(r->pattern, path);
        assert_ptr_equal(http_route_find(table, n, r->method, slice_str(path),
                                         &p, &allow), r);
        if (!(r->flags & HTTP_ROUTE_HIDDEN))
            assert_true(r->summary[0] != '\0');
        if (r->body)
            assert_non_null(http_schema_fields(r->body));
        if (r->answer && r->answer[0] != '[')
            assert_non_null(http_schema_fields(r->answer));
    }
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),    cmocka_unit_test(finding),
        APP(walk_without_credentials), APP(walk_with_token),
        APP(strangers),                cmocka_unit_test(table_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
