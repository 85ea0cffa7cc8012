/* HTTP: alarms, positions, commands and audit of the store, and times in queries
 * (app/http/when.c). */
#include "test/http_fixture.h"

static struct {
    struct http_ask q; /* the last one; texts not kept */
    char text[200];
    unsigned n;
    int err;
} asked;

static int fx_ask(void *ctx, const struct http_ask *q)
{
    (void)ctx;
    asked.q = *q;
    asked.n++;
    snprintf(asked.text, sizeof(asked.text),
             "%d d=%.*s c=%.*s m=%.*s t=%.*s "
             "p=%.*s %s%s%.*s%s%.*s%lld-%lld <%llu %u",
             (int)q->list, SLICE_ARG(q->device), SLICE_ARG(q->channel),
             SLICE_ARG(q->method), SLICE_ARG(q->type), SLICE_ARG(q->priority),
             q->acknowledged > 0 ? "seen " : q->acknowledged ? "open " : "",
             q->cmd.n ? "k=" : "", SLICE_ARG(q->cmd), q->state.n ? " s=" : "",
             SLICE_ARG(q->state), (long long)q->from_utc_ms,
             (long long)q->to_utc_ms, (unsigned long long)q->before,
             (unsigned)q->limit);
    return asked.err;
}

static void with_history(void)
{
    struct http_app_config cfg;

    http_app_free(fx.app);
    cfg = fx_config();
    cfg.ask = fx_ask;
    cfg.platform = NULL;
    fx_open(&cfg);
    memset(&asked, 0, sizeof(asked));
}

/* One that nothing can be like is no empty list. */
static void unknown_words(void **state)
{
    static const struct {
        const char *target, *detail; /* NULL: it is asked for */
    } cases[] = {
        { "/api/v1/alarms?method=2/5&type=129&priority=4", NULL },
        { "/api/v1/alarms?method=&type=&priority=", NULL },
        { "/api/v1/alarms?method=video", "method is a number: 1 phone" },
        { "/api/v1/alarms.csv?method=video", "method is a number: 1 phone" },
        { "/api/v1/alarms?type=motion", "type is a number" },
        { "/api/v1/alarms?type=-1", "type is a number" },
        { "/api/v1/alarms?priority=high", "priority is a number: 1" },
        { "/api/v1/commands?state=answered&cmd=DeviceStatus", NULL },
        { "/api/v1/commands?state=&cmd=PTZCmd", NULL },
        { "/api/v1/commands?state=done",
          "state: one of queued, sent, arrived, refused, answered, silent is" },
        { "/api/v1/commands?cmd=ptz", "ptz: no CmdType" },
        { "/api/v1/audit?method=PATCH", NULL },
        { "/api/v1/audit?method=OPTIONS",
          "method: one of GET, POST, PUT, PATCH, DELETE is wanted" },
    };

    (void)state;
    with_history();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned n = asked.n, status = get(cases[i].target);

        if (cases[i].detail ? status != 400 || asked.n != n ||
                                  !body_has(cases[i].detail) ||
                                  !body_has("\"detail_zh\":")
                            : asked.n == n)
            fail_msg("%s: %u %s", cases[i].target, status, fx.last.body);
    }
}

static void history(void **state)
{
    static const struct {
        const char *target;
        unsigned status; /* 0: put off */
        const char *asked;
    } cases[] = {
        { "/api/v1/alarms", 0, "0 d= c= m= t= p= 0-0 <0 100" },
        { "/api/v1/alarms?device=d&channel=c&method=5&type=2&priority=1"
          "&limit=7&cursor=99&from=1970-01-01T00:00:01Z&to=5",
          0, "0 d=d c=c m=5 t=2 p=1 1000-5000 <99 7" },
        { "/api/v1/alarms?acknowledged=true", 0,
          "0 d= c= m= t= p= seen 0-0 <0 100" },
        { "/api/v1/alarms.csv?acknowledged=false", 0,
          "0 d= c= m= t= p= open 0-0 <0 10000" },
        { "/api/v1/alarms?acknowledged=yes", 400, NULL },
        { "/api/v1/positions?device=d", 0, "1 d=d c= m= t= p= 0-0 <0 100" },
        { "/api/v1/devices/" D1 "/channels/" C1 "/item", 0,
          "2 d=" D1 " c=" C1 " m= t= p= 0-0 <0 1" },
        { "/api/v1/commands?cmd=GuardCmd&state=silent&device=d&to=9&limit=3",
          0, "3 d=d c= m= t= p= k=GuardCmd s=silent0-9000 <0 3" },
        { "/api/v1/alarms?from=1970-01-01T08:00:01&to=1700000000000", 0,
          "0 d= c= m= t= p= 1000-1700000000000 <0 100" },
        { "/api/v1/alarms?from=1970-01-01T03:00:01+02:00&to=", 0,
          "0 d= c= m= t= p= 3601000-0 <0 100" },
        { "/api/v1/alarms?from=%201970-01-01%2008:00:01%20&to=+5+", 0,
          "0 d= c= m= t= p= 1000-5000 <0 100" },
        { "/api/v1/alarms?to=17000000000000", 400, NULL },
        { "/api/v1/commands/77", 0, "4 d= c= m= t= p= 0-0 <77 1" },
        { "/api/v1/commands/x", 404, NULL },
        { "/api/v1/devices/" D1 "/channels/x/item", 404, NULL },
        { "/api/v1/alarms?cursor=x", 400, NULL },
        { "/api/v1/alarms?from=yesterday", 400, NULL },
        { "/api/v1/alarms?method=12345678901234567", 400, NULL },
        { "/api/v1/alarms?limit=0", 400, NULL },
    };
    unsigned n;

    (void)state;
    with_history();
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = get(cases[i].target);

        if (cases[i].status && status != cases[i].status)
            fail_msg("%s: %u", cases[i].target, status);
        if (cases[i].status)
            continue;
        assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
        assert_string_equal(asked.text, cases[i].asked);
    }
    /* one that is refused at once, and one whose client went */
    asked.err = GB_ELIMIT;
    assert_int_equal(get("/api/v1/alarms"), 503);
    asked.err = 0;
    get("/api/v1/alarms");
    http_app_gone(fx.app, asked.q.request);
    n = fx.n_answers;
    http_app_told(fx.app, &(struct http_told){ .request = asked.q.request });
    assert_int_equal(fx.n_answers, n);
}

/* Asks, and is told that by the store. */
static json_t *told(const char *target, struct http_told *t)
{
    with_history();
    get(target);
    t->request = asked.q.request;
    http_app_told(fx.app, t);
    return body();
}

static void alarms_told(void **state)
{
    const struct platform_alarm alarm = {
        .id = 41, .device = SLICE(D1), .channel = SLICE(C1),
        .method = SLICE("5"), .type = SLICE("6"), .event = SLICE("2"),
        .received_utc_ms = 5,
    };
    struct http_told t = { .n = 1, .total = 9, .more = true, .last = 41,
                           .alarms = &alarm };
    json_t *j, *item;

    (void)state;
    j = told("/api/v1/alarms", &t);
    assert_int_equal(fx.last.status, 200);
    item = json_array_get(json_object_get(j, "items"), 0);
    expect_schema(item, "Alarm");
    assert_string_equal(text_of(item, "id"), "41");
    assert_string_equal(text_of(item, "type_name"), "intrusion");
    assert_string_equal(text_of(item, "type_name_zh"), "入侵检测报警");
    assert_string_equal(text_of(item, "event_type"), "2");
    assert_string_equal(text_of(item, "event_name"), "leaves the area");
    assert_string_equal(text_of(item, "event_name_zh"), "离开区域");
    assert_string_equal(text_of(j, "next"), "41");
    assert_int_equal(number_of(j, "total"), 9);
    json_decref(j);
}

static void positions_told(void **state)
{
    const struct platform_position at = {
        .device = SLICE(D1), .channel = SLICE(C1), .longitude = 116.5,
        .latitude = 39.5, .speed = SLICE("60.5"), .altitude = SLICE("high"),
        .received_utc_ms = 5,
    };
    struct http_told t = { .n = 1, .total = 1, .positions = &at };
    json_t *j, *item;

    (void)state;
    j = told("/api/v1/positions", &t);
    item = json_array_get(json_object_get(j, "items"), 0);
    expect_schema(item, "Position");
    assert_true(json_is_null(json_object_get(item, "altitude")));
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);
}

static void item_told(void **state)
{
    struct http_told t = {
        .detail = SLICE("IPAddress\t10.0.0.1\nInfo/RoomType\t1\nX\t\nX\t2\n"),
    };
    json_t *j, *item;

    (void)state;
    with_history();
    get("/api/v1/devices/" D1 "/channels/" C1 "/item");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    j = body();
    expect_schema(j, "Item");
    item = json_object_get(j, "item");
    assert_int_equal(json_object_size(item), 3);
    assert_string_equal(text_of(item, "Info/RoomType"), "1");
    json_decref(j);
}

static void a_store_that_fails(void **state)
{
    struct http_told t = { .err = GB_EIO };

    (void)state;
    with_history();
    get("/api/v1/alarms");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 503);
    http_app_told(fx.app, &t); /* once */
    get("/api/v1/alarms"); /* the end of the application frees it */
}

static struct {
    uint64_t alarm;
    char who[64];
    unsigned n;
} seen_to;

static void fx_acknowledge(void *ctx, uint64_t alarm, struct slice who,
                           int64_t utc_ms)
{
    (void)ctx;
    assert_true(utc_ms == fx.now.utc_ms);
    seen_to.alarm = alarm;
    seen_to.n++;
    slice_copy(seen_to.who, sizeof(seen_to.who), who);
}

static void acknowledge_one(const char *id, const struct platform_alarm *alarm)
{
    char target[80];

    snprintf(target, sizeof(target), "/api/v1/alarms/%s/acknowledge", id);
    ask("POST", target, TOKEN, "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    http_app_told(fx.app, &(struct http_told){ .request = asked.q.request,
                                               .n = alarm != NULL,
                                               .alarms = alarm });
}

static void acknowledging(void **state)
{
    struct platform_alarm alarm = { .id = 41, .device = SLICE(D1),
                                    .received_utc_ms = 5 };
    struct http_app_config cfg;

    (void)state;
    http_app_free(fx.app);
    cfg = fx_config();
    cfg.ask = fx_ask;
    cfg.acknowledge = fx_acknowledge;
    cfg.platform = NULL;
    fx_open(&cfg);
    fx.now.utc_ms = 1700000000000;
    memset(&seen_to, 0, sizeof(seen_to));

    acknowledge_one("41", &alarm);
    assert_int_equal(asked.q.before, 42);
    assert_int_equal(fx.last.status, 200);
    assert_int_equal(seen_to.alarm, 41);
    assert_string_equal(seen_to.who, "admin-token");
    assert_true(body_has("\"acknowledged_by\":\"admin-token\""));
    assert_true(body_has("\"acknowledged_at\":\"2023-11-14T22:13:20"));
    alarm.acknowledged_utc_ms = 7; /* once */
    alarm.acknowledged_by = SLICE("ada");
    acknowledge_one("41", &alarm);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"acknowledged_by\":\"ada\""));
    assert_int_equal(seen_to.n, 1);
    acknowledge_one("42", &alarm); /* an older one is the next */
    assert_int_equal(fx.last.status, 404);
    acknowledge_one("42", NULL);
    assert_int_equal(fx.last.status, 404);
    assert_int_equal(ask("POST", "/api/v1/alarms/x/acknowledge", TOKEN, ""),
                     404);
    assert_int_equal(seen_to.n, 1);
}

/* What a spreadsheet opens: no formula, and the filters in the link. */
static void exporting(void **state)
{
    const struct platform_alarm alarm = {
        .id = 41, .device = SLICE(D1), .channel = SLICE(C1),
        .priority = SLICE("1"), .method = SLICE("5"), .type = SLICE("2"),
        .event = SLICE("1"), .description = SLICE("=HYPERLINK(\"x\")"), .has_position = true,
        .longitude = 116.5, .latitude = -39.25, .received_utc_ms = 1700000000000,
        .acknowledged_utc_ms = 1700000001000, .acknowledged_by = SLICE("ada"),
    };
    struct http_told t = { .n = 1, .total = 9, .more = true, .last = 41,
                           .alarms = &alarm };

    (void)state;
    with_history();
    get("/api/v1/alarms.csv?cursor=99&method=5&limit=1");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    /* columns keep their places; new ones come last */
    assert_true(body_has("\xef\xbb\xbfid,received_at,device,channel,priority,"
                         "method,method_name,method_name_zh,type,type_name,"
                         "type_name_zh,time,description,longitude,latitude,"
                         "acknowledged_at,acknowledged_by,event_type\r\n"));
    assert_true(body_has("\r\n41,2023-11-14T22:13:20"));
    assert_true(body_has(",5,video,视频报警,2,motion,运动目标检测报警,,"
                         "\"'=HYPERLINK(\"\"x\"\")\",116.500000,-39.250000,"));
    assert_true(body_has(",ada,1\r\n"));
    assert_non_null(strstr(fx.last.fields,
                           "Link: </api/v1/alarms.csv?method=5&limit=1&"
                           "cursor=41>; rel=\"next\""));
    {
        char target[400] = "/api/v1/alarms.csv?x=";

        memset(target + strlen(target), 'x', 300); /* HTTP_EXPORT_QUERY is less */
        assert_int_equal(get(target), 400);
    }
    t.more = false;
    get("/api/v1/alarms.csv");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_null(strstr(fx.last.fields, "Link:"));
}

/* Large answers of the store have a tag as others do. */
static void history_tagged(void **state)
{
    static struct platform_alarm many[200];
    struct http_told t = { .n = COUNT(many), .total = COUNT(many),
                           .alarms = many };
    char fields[256], tag[TAG_BYTES];

    (void)state;
    with_history();
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (struct platform_alarm){ .id = COUNT(many) - i,
                                           .device = SLICE(D1),
                                           .received_utc_ms = 5 };
    get("/api/v1/alarms");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-None-Match: %s\r\n", tag);
    ask("GET", "/api/v1/alarms", fields, "");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 304);
    assert_int_equal(fx.last.len, 0);
    snprintf(fields, sizeof(fields),
             TOKEN "If-None-Match: \"other\"\r\nIf-None-Match: %s\r\n", tag);
    ask("GET", "/api/v1/alarms", fields, "");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 304);
    many[0].id++;
    ask("GET", "/api/v1/alarms", fields, "");
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    get("/api/v1/alarms"); /* a small one has none */
    t = (struct http_told){ .request = asked.q.request, .n = 1, .total = 1,
                            .alarms = many };
    http_app_told(fx.app, &t);
    assert_int_equal(fx.last.status, 200);
    assert_null(strstr(fx.last.fields, "ETag: "));
}

static void told_commands(const char *target, const uint64_t *id, size_t n,
                          uint64_t total, bool more)
{
    struct platform_command k[8] = { 0 };
    struct http_told t = { .n = n, .total = total, .more = more,
                           .commands = k };

    get(target);
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    for (size_t i = 0; i < n; i++)
        k[i] = (struct platform_command){ .id = id[i], .is_final = true,
                                          .device = SLICE(D1),
                                          .cmd = SLICE("DeviceInfo"),
                                          .asked_utc_ms = 900,
                                          .state = PLATFORM_COMMAND_ANSWERED };
    t.request = asked.q.request;
    http_app_told(fx.app, &t);
}

/* Commands of memory, where some are under way, and of the store as one list. */
static void commands_of_both(void **state)
{
    static const uint64_t stored[] = { 5, 4, 3, 2, 1 };
    static const struct {
        const char *query;
        size_t from, n; /* of stored */
        uint64_t total;
        bool more;
        const char *ids, *next;
        int sum;
    } cases[] = {
        /* memory has 8 to 4; 6 is under way, so are all of the fake's */
        { "", 0, 5, 5, false, "8 7 6 5 4 3 2 1 ", NULL, 10 },
        { "?limit=2", 0, 2, 5, true, "8 7 ", "7", 10 },
        { "?limit=2&cursor=7", 0, 2, 5, true, "6 5 ", "5", 10 },
        { "?limit=2&cursor=5", 1, 2, 5, true, "4 3 ", "3", 10 },
        { "?limit=2&cursor=2", 4, 1, 5, false, "1 ", NULL, 10 },
        /* what the store has does not fit any more */
        { "?state=sent&limit=3", 1, 1, 1, false, "6 ", NULL, 2 },
        { "?cmd=DeviceInfo&limit=2", 2, 2, 3, true, "3 2 ", "2", 3 },
        { "?to=1970-01-01T00:00:00.950Z", 2, 3, 3, false, "3 2 1 ", NULL, 3 },
    };

    (void)state;
    with_history();
    fake.n_commands = 8;
    fake.first_command = 4;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char target[80], ids[64];
        struct writer w = writer_of(ids, sizeof(ids) - 1);
        json_t *j, *item;
        const char *next;
        size_t k;

        snprintf(target, sizeof(target), "/api/v1/commands%s",
                 cases[i].query);
        told_commands(target, stored + cases[i].from, cases[i].n,
                      cases[i].total, cases[i].more);
        assert_int_equal(fx.last.status, 200);
        j = body();
        json_array_foreach(json_object_get(j, "items"), k, item)
            writer_f(&w, "%s ",
                     text_of(item, "id"));
        ids[w.len] = '\0';
        next = text_of(j, "next");
        if (strcmp(ids, cases[i].ids) != 0 ||
            !slice_eq(slice_str(next), slice_str(cases[i].next)) ||
            number_of(j, "total") != cases[i].sum)
            fail_msg("%s: %s", cases[i].query, fx.last.body);
        json_decref(j);
    }
    told_commands("/api/v1/commands/2", stored, 1, 1, false);
    assert_int_equal(fx.last.status, 200);
    assert_true(body_has("\"answer\":[]"));
    told_commands("/api/v1/commands/2", stored, 0, 0, false);
    assert_int_equal(fx.last.status, 404);
}

/* The event says the alarm's own id; without a store history is 501. */
static void history_events(void **state)
{
    const struct platform_alarm alarm = { .id = 7, .device = SLICE(D1),
                                          .received_utc_ms = 1 };
    const struct platform_position at = { .device = SLICE(D1),
                                          .longitude = 1, .latitude = 2,
                                          .received_utc_ms = 1 };
    struct platform_action act = { .kind = PLATFORM_ALARM, .alarm = &alarm };
    uint64_t seq;

    (void)state;
    assert_int_equal(get("/api/v1/positions"), 501);
    with_history();
    http_app_event_join(fx.app);
    seq = http_events_last(fx.app->events);
    http_on_action(fx.app, &act);
    assert_true(next_event(&seq, "event: alarm\ndata: {\"id\":\"7\""));
    act = (struct platform_action){ .kind = PLATFORM_POSITION,
                                    .position = &at };
    http_on_action(fx.app, &act);
    assert_true(next_event(&seq, "event: position\ndata: {\"device\""));
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(unknown_words), APP(history),
        APP(alarms_told),
        APP(positions_told),
        APP(item_told),
        APP(a_store_that_fails),
        APP(history_tagged),
        APP(acknowledging),
        APP(exporting),
        APP(commands_of_both),
        APP(history_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
