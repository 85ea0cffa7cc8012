/* What those see who see a part. */
#include "test/http_accounts.h"

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
        next = text_of(one, "next");
        if (!next)
            fail_msg("%s: %s", target, fx.last.body);
        assert_int_equal(number_of(one, "total"), 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
        T(every_route), T(lists), T(lists_of_what_is_kept), T(media),
        T(events), T(history),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
