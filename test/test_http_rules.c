/* Rules over the API: what a body may say, that it comes back, that it is told to
 * whom stores it, and what follows of a picture and a webhook. */
#include "test/http_fixture.h"

#define RULES "/api/v1/rules"
#define GATE RULES "/gate"

static struct rules *table;
static struct hooks *hooks;
static unsigned changes, due;

static void fx_rule_changed(void *ctx, struct slice name)
{
    (void)ctx;
    expect_slice(name, "gate");
    changes++;
}

static void fx_hooks_due(void *ctx)
{
    (void)ctx;
    due++;
}

static void with_rules(void)
{
    const struct hooks_config hc = { .alloc = &fx.mem.alloc, .agent = "test" };
    struct http_app_config cfg;

    http_app_free(fx.app);
    assert_int_equal(rules_new(&table, &fx.mem.alloc, NULL), 0);
    assert_int_equal(hooks_new(&hooks, &hc), 0);
    cfg = fx_config();
    cfg.platform = NULL;
    cfg.rules = table;
    cfg.rule_changed = fx_rule_changed;
    cfg.hooks = hooks;
    cfg.hooks_due = fx_hooks_due;
    changes = due = 0;
    fx_open(&cfg);
}

static void without(void)
{
    rules_free(table);
    hooks_free(hooks);
}

static void bodies(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned status;
        const char *has;
        bool changes;
    } cases[] = {
        { "GET", RULES, "", 200, "\"items\":[]", false },
        { "GET", GATE, "", 404, "rule-unknown", false },
        { "PUT", GATE, "{\"preset\":3}", 201, "\"preset\":3", true },
        { "PUT", GATE,
          "{\"when\":{\"device\":\"" D1 "\",\"group\":\"yard\",\"channel\":"
          "\"" C1 "\",\"method\":\"5\",\"type\":\"2\",\"priority\":2},"
          "\"at\":{\"device\":\"" D2 "\",\"channel\":\"" C2 "\"},"
          "\"every_s\":30,\"record_s\":60,\"snapshot\":true,"
          "\"webhook\":\"ops\",\"enabled\":false}", 200,
          "\"every_s\":30,\"record_s\":60,\"preset\":0,\"snapshot\":true,"
          "\"webhook\":\"ops\",\"followed\":0", true },
        { "GET", GATE, "", 200,
          "\"when\":{\"device\":\"" D1 "\",\"group\":\"yard\",\"channel\":"
          "\"" C1 "\",\"method\":\"5\",\"type\":\"2\",\"priority\":2},"
          "\"at\":{\"device\":\"" D2 "\",\"channel\":\"" C2 "\"}", false },
        { "PUT", GATE, "{}", 400, "bad-value", false },
        { "PUT", GATE, "", 400, "bad-value", false },
        { "PUT", GATE, "[]", 400, "bad-value", false },
        { "PUT", GATE, "{\"preset\":256}", 400, "bad-value", false },
        { "PUT", GATE, "{\"preset\":-1}", 400, "bad-value", false },
        { "PUT", GATE, "{\"preset\":\"3\"}", 400, "bad-value", false },
        { "PUT", GATE, "{\"preset\":4294967299}", 400, "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":1}", 400, "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"colour\":1}", 400, "bad-value",
          false },
        { "PUT", GATE, "{\"snapshot\":true,\"w\":1}", 400, "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"\":1}", 400, "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"when\":[]}", 400, "bad-value",
          false },
        { "PUT", GATE, "{\"snapshot\":true,\"when\":{\"at\":\"1\"}}", 400,
          "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"at\":{\"group\":\"1\"}}", 400,
          "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"when\":{\"type\":2}}", 400,
          "bad-value", false },
        { "PUT", GATE, "{\"snapshot\":true,\"when\":{\"method\":\"video\"}}",
          400, "method is a number: 1 phone", false },
        { "PUT", GATE, "{\"snapshot\":true,\"when\":{\"type\":\"motion\"}}",
          400, "type is a number", false },
        { "PUT", RULES "/a%20b", "{\"snapshot\":true}", 400, "bad-value",
          false },
        { "GET", GATE, "", 200, "\"enabled\":false", false }, /* as it was */
        { "DELETE", GATE, "", 204, NULL, true },
        { "DELETE", GATE, "", 404, "rule-unknown", false },
        { "GET", GATE, "", 404, "rule-unknown", false },
    };

    (void)state;
    with_rules();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned before = changes;

        if (ask(cases[i].method, cases[i].path, TOKEN, cases[i].body) !=
                cases[i].status ||
            (cases[i].has && !body_has(cases[i].has)) ||
            (changes != before) != cases[i].changes)
            fail_msg("case %zu: %u %s", i, fx.last.status, fx.last.body);
    }
    assert_int_equal(ask("PUT", GATE, TOKEN, "{\"preset\":3}"), 201);
    list_of(RULES, "Rule");
    object(GATE, "Rule");
    without();
}

static void what_follows(void **state)
{
    static const struct hook_settings ops = { .name = SLICE_INIT("ops"),
                                              .url = SLICE_INIT("http://r/"),
                                              .secret = SLICE_INIT("s"),
                                              .kinds = 1u << HOOKS_DEVICE };
    const struct platform_alarm alarm = { .id = 7, .device = SLICE(D1),
                                          .channel = SLICE(C1),
                                          .type = SLICE("2") };
    struct hooks_call call;

    (void)state;
    with_rules();
    assert_int_equal(http_app_rule_hook(fx.app, SLICE("ops"), SLICE("gate"),
                                        &alarm), GB_ENOENT);
    assert_int_equal(due, 0);
    assert_int_equal(hooks_set(hooks, &ops, fx.now), 0);
    assert_int_equal(http_app_rule_hook(fx.app, SLICE("ops"), SLICE("gate"),
                                        &alarm), 0);
    assert_int_equal(due, 1);
    assert_true(hooks_call(hooks, fx.now, &call));
    assert_true(slice_find_slice(call.body, SLICE("\"event\":\"rule\"")) <
                call.body.n);
    assert_true(slice_find_slice(call.body, SLICE("{\"rule\":\"gate\","
                                                  "\"alarm\":{")) <
                call.body.n);
    /* no pictures are kept here */
    assert_non_null(strstr(http_app_snapshot(fx.app, SLICE(D1), SLICE(C1)),
                           "snapshot.max_mib"));
    without();
}

/* What a rule has done is no change of it; one that is gone cannot be put with the
 * tag that it had. */
static void changed_meanwhile(void **state)
{
    char fields[256], tag[TAG_BYTES], later[TAG_BYTES];

    (void)state;
    with_rules();
    assert_int_equal(ask("PUT", GATE, TOKEN "If-Match: *\r\n",
                         "{\"preset\":3}"), 412);
    assert_int_equal(changes, 0);
    assert_int_equal(ask("PUT", GATE, TOKEN, "{\"preset\":3}"), 201);
    last_tag(tag);
    rules_told(table, SLICE("gate"), "the device is offline");
    assert_int_equal(get(GATE), 200);
    last_tag(later);
    assert_string_equal(later, tag);
    second_of_two(GATE, "{\"preset\":4}", "PUT", "{\"preset\":5}");
    last_tag(tag);
    second_of_two(GATE, "{\"preset\":6}", "DELETE", "");
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    changes = 0;
    assert_int_equal(ask("PUT", GATE, fields, "{\"preset\":7}"), 412);
    assert_int_equal(ask("DELETE", GATE, fields, ""), 404);
    assert_int_equal(changes, 0);
    without();
}

static void none_here(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", RULES, TOKEN, ""), 200);
    assert_int_equal(ask("PUT", GATE, TOKEN, "{\"preset\":3}"), 501);
    assert_int_equal(ask("DELETE", GATE, TOKEN, ""), 501);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        T(bodies), T(what_follows), T(changed_meanwhile), T(none_here),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
