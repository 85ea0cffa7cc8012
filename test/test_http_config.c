/* The configuration over HTTP: what is told, what is refused, field by field, and
 * that an answer waits for the file. */
#include "test/http_fixture.h"

static char long_help[20000];
static char *deny[] = { "10.0.0.0/8", "192.0.2.0/24" }, *level[] = { "info" };
static struct {
    uint64_t request;
    char key[8][32], text[8][64];
    bool reset[8];
    size_t n;
    int err;
} set;

static bool setting(void *ctx, size_t i, struct http_setting *out)
{
    static const struct http_setting rows[] = {
        { .key = "log.level", .type = "choice", .def = "info",
          .choices = "warn|info", .help = "how much", .from = "kept",
          .reloads = true, .changes = true, .item = level, .n = 1 },
        { .key = "sip.deny", .type = "nets", .def = "", .help = long_help,
          .from = "file", .reloads = true, .list = true, .item = deny,
          .n = 2 },
        { .key = "sip.password", .type = "text", .def = "", .help = "secret",
          .from = "default", .secret = true, .max = 7 },
    };

    (void)ctx;
    if (i >= COUNT(rows))
        return false;
    *out = rows[i];
    return true;
}

static int take(void *ctx, uint64_t request, struct http_setting_value *v,
                size_t n)
{
    (void)ctx;
    set.request = request;
    set.n = n;
    for (size_t i = 0; i < n && i < 8; i++) {
        slice_copy(set.key[i], sizeof(set.key[i]), v[i].key);
        slice_copy(set.text[i], sizeof(set.text[i]), v[i].text);
        set.reset[i] = v[i].reset;
        if (set.err == GB_ESYNTAX && slice_eq(v[i].key, SLICE("sip.deny")))
            slice_copy(v[i].why, sizeof(v[i].why), SLICE("must be NET/BITS"));
    }
    return set.err;
}

static int setup(void **state)
{
    struct http_app_config cfg;

    assert_int_equal(fx_setup(state), 0);
    http_app_free(fx.app);
    cfg = fx_config();
    cfg.setting = setting;
    cfg.set = take;
    fx_open(&cfg);
    memset(&set, 0, sizeof(set));
    return 0;
}

static unsigned patch(const char *text)
{
    return ask("PATCH", "/api/v1/settings", TOKEN, text);
}

static void told(void **state)
{
    json_t *j, *o;

    (void)state;
    assert_int_equal(get("/api/v1/settings"), 200);
    j = body();
    assert_int_equal(number_of(j, "total"), 3);
    for (size_t i = 0; i < 3; i++)
        expect_schema(json_array_get(json_object_get(j, "items"), i),
                      "Setting");
    o = json_array_get(json_object_get(j, "items"), 1);
    assert_string_equal(text_of(o, "value"), "10.0.0.0/8, 192.0.2.0/24");
    o = json_array_get(json_object_get(j, "items"), 2);
    assert_true(json_is_null(json_object_get(o, "value")));
    json_decref(j);
    assert_int_equal(ask("GET", "/api/v1/settings", "", ""), 401);
}

static void set_and_told(void **state)
{
    uint64_t request;

    (void)state;
    assert_int_equal(patch("{\"log.level\":\"warn\",\"a\":7,\"b\":true,"
                           "\"c\":[\"x\",\"y\"],\"d\":null}"), 0);
    assert_int_equal(set.n, 5);
    request = fx.next_request;
    assert_int_equal(set.request, request);
    for (size_t i = 0; i < 5; i++) {
        static const char *const want[][2] = {
            { "log.level", "warn" }, { "a", "7" }, { "b", "true" },
            { "c", "x,y" }, { "d", "" },
        };

        assert_string_equal(set.key[i], want[i][0]);
        assert_string_equal(set.text[i], want[i][1]);
        assert_int_equal(set.reset[i], i == 4);
    }
    assert_int_equal(fx.n_answers, 0);
    http_app_set_told(fx.app, request, 0);
    assert_int_equal(fx.n_answers, 1);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"log.level\""));
    assert_int_equal(patch("{\"log.level\":\"warn\"}"), 0);
    http_app_set_told(fx.app, fx.next_request, GB_EIO);
    assert_int_equal(fx.last.status, 503);
    assert_true(body_has("not-stored"));
}

/* Whoever has changed it, a file that was read again or another admin. A long
 * answer has this tag alone. */
static void changed_meanwhile(void **state)
{
    char fields[256], tag[TAG_BYTES], later[TAG_BYTES];

    (void)state;
    memset(long_help, 'x', sizeof(long_help) - 1);
    assert_int_equal(get("/api/v1/settings"), 200);
    assert_true(fx.last.len > 16384);
    last_tag(tag);
    assert_null(strstr(strstr(fx.last.fields, "ETag: ") + 1, "ETag: "));
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("PATCH", "/api/v1/settings", fields,
                         "{\"log.level\":\"warn\"}"), 0);
    level[0] = "warn";
    http_app_set_told(fx.app, fx.next_request, 0);
    last_tag(later);
    assert_string_not_equal(later, tag);
    set.n = 0;
    assert_int_equal(ask("PATCH", "/api/v1/settings", fields,
                         "{\"log.level\":\"info\"}"), 412);
    assert_true(body_has("\"code\":\"changed-meanwhile\""));
    assert_int_equal(set.n, 0);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", later);
    assert_int_equal(ask("PATCH", "/api/v1/settings", fields,
                         "{\"log.level\":\"info\"}"), 0);
    http_app_set_told(fx.app, fx.next_request, GB_EIO);
    assert_null(strstr(fx.last.fields, "ETag: "));
    level[0] = "info";
    long_help[0] = '\0';
}

static void refused(void **state)
{
    static const char *const bodies[] = { "", "[]", "{}", "{\"a\":1,\"a\":2}",
                                          "7" };
    json_t *j, *o;

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++)
        if (patch(bodies[i]) != 400)
            fail_msg("%s: %u", bodies[i], fx.last.status);
    assert_int_equal(patch("{\"a\":{\"b\":1},\"log.level\":\"info\"}"), 400);
    assert_int_equal(set.n, 0); /* not even asked */
    set.err = GB_ESYNTAX;
    assert_int_equal(patch("{\"log.level\":\"warn\",\"sip.deny\":\"x\"}"), 400);
    j = body();
    expect_schema(j, "Problem");
    assert_int_equal(json_array_size(json_object_get(j, "errors")), 1);
    o = json_array_get(json_object_get(j, "errors"), 0);
    expect_schema(o, "SettingFault");
    assert_string_equal(text_of(o, "key"), "sip.deny");
    assert_string_equal(text_of(o, "detail"), "must be NET/BITS");
    json_decref(j);
    set.err = GB_ESTATE;
    assert_int_equal(patch("{\"log.level\":\"warn\"}"), 409);
    set.err = GB_ENOMEM;
    assert_int_equal(patch("{\"log.level\":\"warn\"}"), 503);
    assert_int_equal(ask("PATCH", "/api/v1/settings", "", "{\"a\":1}"), 401);
}

static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1;; at++) {
        unsigned long calls = fx.mem.calls;
        unsigned status;
        bool failed;

        fx.mem.fail_at = calls + at;
        status = at % 2 ? get("/api/v1/settings")
                        : patch("{\"log.level\":[\"a\",\"b\"]}");
        failed = fx.mem.calls >= calls + at;
        fx.mem.fail_at = 0;
        if (!failed)
            break;
        if (status != 503 && status != 500 && status != 400)
            fail_msg("allocation %lu: %u", at, status);
    }
}

/* Who has read it may change it, however long a value is. */
static void a_long_value(void **state)
{
    static char text[3000];
    char fields[256], tag[TAG_BYTES];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    level[0] = text;
    assert_int_equal(get("/api/v1/settings"), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("PATCH", "/api/v1/settings", fields,
                         "{\"log.level\":\"warn\"}"), 0);
    http_app_gone(fx.app, fx.last.request);
    level[0] = "info";
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(told),
        APP(set_and_told),
        APP(changed_meanwhile),
        APP(refused),
        APP(no_memory),
        APP(a_long_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
