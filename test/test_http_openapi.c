/* openapi.json: what it says is there, and is so. */
#include "test/http_fixture.h"

/* Every $ref of the description leads somewhere, every type is one. */
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
        if (slice_eq(slice_str(key), SLICE("type")) && json_is_string(v) &&
            !strstr("object array string integer number boolean http apiKey",
                    json_string_value(v)))
            fail_msg("no type: %s", json_string_value(v));
        if (slice_eq(slice_str(key), SLICE("$ref"))) {
            struct slice name = slice_from(
                slice_str(json_string_value(v)),
                sizeof("#/components/schemas/") - 1);
            char text[64];

            slice_copy(text, sizeof(text), name);
            if (!json_object_get(
                    json_object_get(json_object_get(root, "components"),
                                    "schemas"),
                    text))
                fail_msg("%s", json_string_value(v));
        }
        follow(root, v);
    }
}

/* Does it say that a call of this path does not go without? */
static bool is_needed(const json_t *paths, const char *path, const char *name)
{
    const json_t *all = json_object_get(
        json_object_get(json_object_get(paths, path), "get"), "parameters");
    size_t i;
    json_t *v;

    json_array_foreach(all, i, v)
        if (strcmp(text_of(v, "name"), name) == 0)
            return json_is_true(json_object_get(v, "required"));
    fail_msg("%s has no %s", path, name);
    return false;
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
    assert_string_equal(text_of(j, "openapi"), "3.1.0");
    paths = json_object_get(j, "paths");
    for (size_t i = 0; i < n; i++)
        shown += !(table[i].flags & HTTP_ROUTE_HIDDEN);
    json_object_foreach(paths, key, v)
        told += json_object_size(v);
    assert_int_equal(told, shown);
    follow(j, j);
    v = json_object_get(paths, "/api/v1/devices/{device}");
    v = json_object_get(json_object_get(v, "patch"), "parameters");
    v = json_array_get(v, json_array_size(v) - 1);
    assert_string_equal(text_of(v, "name"), "If-Match");
    assert_true(is_needed(paths, "/api/v1/records", "device"));
    assert_true(is_needed(paths, "/api/v1/records", "channel"));
    assert_false(is_needed(paths, "/api/v1/records", "start"));
    v = json_object_get(json_object_get(paths, "/api/v1/devices"), "post");
    v = json_object_get(json_object_get(v, "responses"), "2XX"); /* 201 */
    assert_non_null(json_object_get(v, "content"));
    /* commands by the tables that write them */
    v = json_object_get(json_object_get(j, "components"), "schemas");
    v = json_object_get(v, "Control.DeviceConfig");
    v = json_object_get(json_object_get(v, "properties"), "VideoRecordPlan");
    v = json_object_get(json_object_get(v, "properties"), "RecordSchedule");
    assert_int_equal(number_of(v, "maxItems"), 7);
    v = json_object_get(json_object_get(v, "items"), "properties");
    v = json_object_get(v, "WeekDayNum");
    assert_int_equal(number_of(v, "maximum"), 7);
    v = json_object_get(v, "x-required-in");
    assert_int_equal(json_array_size(v), 1);
    assert_string_equal(json_string_value(json_array_get(v, 0)), "2022");
    json_decref(j);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(openapi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
