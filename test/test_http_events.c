/* Events and alarms for who follows them: readers of the API, webhooks. */
#include "test/http_fixture.h"

static void note_12_2_events_are_replayed(void **state)
{
    char id[128];
    uint64_t seq;

    (void)state;
    http_app_event_join(fx.app);
    device_told(PLATFORM_DEVICE_CHANGED);
    assert_int_equal(get("/api/v1/events"), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_EVENTS);
    seq = fx.last.event_seq;
    assert_int_equal(seq, 1); /* from now on */
    assert_false(next_event(&seq, ""));
    device_told(PLATFORM_DEVICE_REMOVED);
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

/* One who reads sees the action as this event. */
static void expect_event(const struct platform_action *a, const char *want)
{
    uint64_t seq;

    http_app_event_join(fx.app);
    assert_int_equal(get("/api/v1/events"), 200);
    seq = fx.last.event_seq;
    http_on_action(fx.app, a);
    assert_true(next_event(&seq, want));
}

/* Where a camera looks: what is no number is left out. */
static void ptz_events(void **state)
{
    const struct platform_action a = {
        .kind = PLATFORM_PTZ_MOVED, .device = SLICE(D1), .channel = SLICE(C1),
        .text = SLICE("pan\t12.5\ntilt\tup\nzoom\t-3\n"),
    };

    (void)state;
    expect_event(&a, "event: ptz\ndata: {\"device\":\"" D1 "\","
                     "\"channel\":\"" C1 "\",\"pan\":12.5,"
                     "\"zoom\":-3}\n\n");
}

/* What it says of the time is text, whatever it is. */
static void offer_events(void **state)
{
    const struct platform_action a = {
        .kind = PLATFORM_VIDEO_OFFERED, .device = SLICE(D1),
        .channel = SLICE(C1), .text = SLICE("now\" }"),
    };

    (void)state;
    expect_event(&a, "event: offer\ndata: {\"device\":\"" D1 "\","
                     "\"channel\":\"" C1 "\",\"time\":"
                     "\"now\\\" }\"}\n\n");
}

static void upgrade_events(void **state)
{
    struct platform_action a = { .kind = PLATFORM_UPGRADE_CHANGED,
                                 .text = SLICE("none of ours") };
    uint64_t seq;

    (void)state;
    http_app_event_join(fx.app);
    assert_int_equal(get("/api/v1/events"), 200);
    seq = fx.last.event_seq;
    strcpy(fake.upgrade, "0123456789abcdef0123456789abcdef");
    strcpy(fake.upgrade_file, "v2.bin");
    fake.upgrade_state = PLATFORM_UPGRADE_SENT;
    http_on_action(fx.app, &a);
    assert_false(next_event(&seq, ""));
    a.text = slice_str(fake.upgrade);
    http_on_action(fx.app, &a);
    assert_true(next_event(&seq, "event: upgrade\ndata: {\"session\":"
                                 "\"0123456789abcdef0123456789abcdef\","));
}

/* Without a reader none are made; who comes back late is told to start over. */
static void events_without_readers(void **state)
{
    uint64_t seq = 0;

    (void)state;
    device_told(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, "event: reset\n"));
    http_app_event_join(fx.app);
    device_told(PLATFORM_DEVICE_REMOVED);
    http_app_event_leave(fx.app);
    fx.now.mono_ms += 59000;
    device_told(PLATFORM_DEVICE_REMOVED); /* it may have dropped out only */
    assert_true(next_event(&seq, "event: device\n"));
    assert_true(next_event(&seq, "event: device\n"));
    fx.now.mono_ms += 1000;
    device_told(PLATFORM_DEVICE_REMOVED);
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
        device_told(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, "event: reset\n"));
    assert_int_equal(seq, 3000);
    first = 3000 - 1024;
    assert_true(next_event(&first, "event: device\n"));
    assert_int_equal(first, 3000 - 1023);
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
    assert_int_equal(get("/api/v1/alarms?device=" D1), 501);
    assert_int_equal(get("/api/v1/alarms?to=5"), 501);
}

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

static void without_hooks(void)
{
    http_app_free(fx.app);
    fx.app = NULL;
    hooks_free(hook_table);
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
        { "POST", HOOKS, "{\"name\":\"..\",\"url\":\"http://r/\"}", 400,
          "no path can have it" },
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
    assert_int_equal(get("/metrics"), 200);
    assert_true(body_has("gb28181_webhook_queued{hook=\"a\"} 1\n"));
    without_hooks();
}

/* Two who have read the same: the second changes nothing. */
static void webhooks_changed_meanwhile(void **state)
{
    char fields[256], tag[TAG_BYTES];

    (void)state;
    with_hooks();
    assert_int_equal(ask("POST", HOOKS, TOKEN,
                         "{\"name\":\"a\",\"url\":\"http://r/\"}"), 201);
    assert_int_equal(get(HOOKS "/a"), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("PATCH", HOOKS "/a", fields,
                         "{\"enabled\":false}"), 200);
    assert_int_equal(ask("PATCH", HOOKS "/a", fields,
                         "{\"url\":\"http://s/\"}"), 412);
    assert_int_equal(ask("DELETE", HOOKS "/a", fields, ""), 412);
    assert_int_equal(ask("PATCH", HOOKS "/a", TOKEN, "{\"enabled\":true}"), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("DELETE", HOOKS "/a", fields, ""), 204);
    without_hooks();
}

/* One that was made is told once, and another one is a change. */
static void webhook_secrets(void **state)
{
    char fields[256], tag[TAG_BYTES];
    struct hook_view v;
    json_t *j;

    (void)state;
    with_hooks();
    assert_int_equal(ask("POST", HOOKS, TOKEN,
                         "{\"name\":\"made\",\"url\":\"http://r/\"}"), 201);
    j = body();
    assert_int_equal(json_string_length(json_object_get(j, "secret")), 64);
    assert_true(hooks_view(hook_table, SLICE("made"), fx.now, &v));
    assert_true(slice_eq(
        v.secret, slice_str(text_of(j, "secret"))));
    json_decref(j);
    assert_int_equal(get(HOOKS "/made"), 200);
    assert_false(body_has("\"secret\""));
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("PATCH", HOOKS "/made", fields,
                         "{\"secret\":\"one\"}"), 200);
    assert_int_equal(ask("PATCH", HOOKS "/made", fields,
                         "{\"secret\":\"two\"}"), 412);
    assert_int_equal(get("/metrics"), 200);
    assert_true(body_has("gb28181_webhook_tries_total{hook=\"made\"} 0\n"));
    assert_int_equal(ask("DELETE", HOOKS "/made", TOKEN, ""), 204);
    assert_int_equal(get(HOOKS "/made"), 404);
    without_hooks();
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
    without_hooks();
}

/* Events and alarms without memory are lost, not wrong. */
static void no_memory_for_events(void **state)
{
    uint64_t seq = 0;

    (void)state;
    http_app_event_join(fx.app);
    fx.mem.fail_at = 1;
    device_told(PLATFORM_DEVICE_REMOVED);
    alarm_in("x");
    fx.mem.fail_at = 0;
    device_told(PLATFORM_DEVICE_REMOVED);
    assert_true(next_event(&seq, ""));
    assert_int_equal(get("/api/v1/alarms"), 200);
    assert_true(body_has("\"total\":0"));
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(note_12_2_events_are_replayed),
        APP(ptz_events),
        APP(offer_events),
        APP(upgrade_events),
        APP(events_without_readers),
        APP(event_ring),
        APP(alarm_ring),
        APP(webhooks),
        APP(webhooks_changed_meanwhile),
        APP(webhook_secrets),
        APP(webhook_events),
        APP(no_memory_for_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
