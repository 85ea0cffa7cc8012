/* The trace over HTTP: list, capture, live, listeners, masked everywhere. */
#include "test/http_fixture.h"

#include "app/trace/capture.h"
#include "test/trace_vec.h"

static struct trace *trace;
static char text[4096];

static size_t listeners(void *ctx, struct gb_addr *out, size_t cap)
{
    (void)ctx;
    assert_true(cap >= 2);
    gb_addr_parse(&out[0], slice_str("0.0.0.0:5060"), 0);
    gb_addr_parse(&out[1], slice_str("[::]:5060"), 0);
    return 2;
}

static void put(enum trace_dir dir, struct slice m, int64_t after_ms)
{
    struct sip_peer p = vec_peer(SIP_UDP, "192.0.2.1:5060", "192.0.2.10:5060");
    struct gb_time t = { fx.now.mono_ms + (uint64_t)after_ms,
                         fx.now.utc_ms + after_ms };

    trace_put(trace, dir, &p, m, t);
    http_on_trace(fx.app);
}

/* A registration, and a query whose answer is in GB 2312. */
static void conversation(void)
{
    put(TRACE_IN, vec_request(text, "REGISTER", CAM, CAM, "r1", 1, "", ""), 0);
    put(TRACE_OUT, vec_response(text, 401, "REGISTER", CAM, CAM, "r1", 1), 1);
    put(TRACE_IN,
        vec_request(text, "REGISTER", CAM, CAM, "r1", 2,
                    "Authorization: Digest username=\"" CAM "\", realm=\"r\", "
                    "nonce=\"n\", uri=\"sip:x\", response=\"5ec7e7\", "
                    "cnonce=\"5ec7\"\r\n", ""), 5000);
    put(TRACE_OUT, vec_response(text, 200, "REGISTER", CAM, CAM, "r1", 2),
        5001);
    put(TRACE_IN,
        vec_request(text, "MESSAGE", CAM2, OUR_ID, "m1", 3, "",
                    "<?xml version=\"1.0\" encoding=\"GB2312\"?><Response>"
                    "<CmdType>Catalog</CmdType><Name>\xb4\xf3\xc3\xc5</Name>"
                    "<Password>5ec7e7</Password></Response>"), 10000);
}

static int setup(void **state)
{
    struct trace_config tc = { .alloc = &fx.mem.alloc, .id = OUR_ID };
    struct http_app_config cfg;

    assert_int_equal(fx_setup(state), 0);
    http_app_free(fx.app); /* once more, with a trace */
    assert_int_equal(trace_new(&trace, &tc), 0);
    cfg = fx_config();
    cfg.trace = trace;
    cfg.listeners = listeners;
    fx_open(&cfg);
    conversation();
    return 0;
}

static int teardown(void **state)
{
    trace_free(trace);
    return fx_teardown(state);
}

static void list_and_filters(void **state)
{
    static const struct list_case cases[] = {
        { "", 200, 5, "1", NULL, 5 },
        { "?limit=2", 200, 2, "4", NULL, 5 },
        { "?limit=2&cursor=0", 200, 2, "1", "2", 5 },
        { "?limit=2&cursor=2", 200, 2, "3", "4", 3 },
        { "?limit=2&cursor=4", 200, 1, "5", NULL, 1 },
        { "?device=" CAM, 200, 4, "1", NULL, 4 },
        { "?device=" CAM2, 200, 1, "5", NULL, 1 },
        { "?callid=m1", 200, 1, "5", NULL, 1 },
        { "?callid=m1&device=" CAM, 200, 0, NULL, NULL, 0 },
        { "?device=nobody", 200, 0, NULL, NULL, 0 },
        /* messages up to ten seconds after now */
        { "?since=0s", 200, 5, "1", NULL, 5 },
        { "?since=2027-01-15T08:00:05Z", 200, 3, "3", NULL, 3 },
        { "?since=2027-01-15T16:00:05.001%2B08:00", 200, 2, "4", NULL, 2 },
        { "?since=2027-01-15T16:00:05.001+08:00", 200, 2, "4", NULL, 2 },
        { "?since=2027-01-15T03:00:10-05:00", 200, 1, "5", NULL, 1 },
        { "?since=yesterday", 400, 0, NULL, NULL, 0 },
        { "?since=2027-13-15T08:00:05Z", 400, 0, NULL, NULL, 0 },
        { "?since=5x", 400, 0, NULL, NULL, 0 },
        { "?cursor=x", 400, 0, NULL, NULL, 0 },
        { "?limit=0", 400, 0, NULL, NULL, 0 },
        { "?device=0123456789012345678901234567890123", 400, 0, NULL, NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_list("/api/v1/trace", &cases[i], "TraceMessage");
}

static void one_message(void **state)
{
    json_t *j, *o;

    (void)state;
    assert_int_equal(get("/api/v1/trace"), 200);
    assert_false(body_has("5ec7"));
    assert_true(body_has("response=\\\"******\\\""));
    j = body();
    for (size_t i = 0; i < 5; i++)
        expect_schema(json_array_get(json_object_get(j, "items"), i),
                      "TraceMessage");
    o = json_array_get(json_object_get(j, "items"), 1);
    assert_string_equal(text_of(o, "direction"), "out");
    assert_string_equal(text_of(o, "method"), "REGISTER");
    assert_string_equal(text_of(o, "reason"), "Some Words");
    assert_int_equal(number_of(o, "status"), 401);
    assert_string_equal(text_of(o, "time"), "2027-01-15T08:00:00.001Z");
    assert_string_equal(text_of(o, "device"), CAM);
    assert_string_equal(text_of(o, "peer"), "192.0.2.10:5060");
    o = json_array_get(json_object_get(j, "items"), 4);
    assert_string_equal(text_of(o, "cmd"), "Catalog");
    assert_string_equal(text_of(o, "to"), OUR_ID);
    assert_non_null(strstr(text_of(o, "text"), "<Name>大门</Name>"));
    json_decref(j);
}

static void capture(void **state)
{
    struct capture_packet p;
    struct capture c;
    unsigned n = 0;

    (void)state;
    assert_int_equal(get("/api/v1/trace.pcap?device=" CAM), 200);
    assert_false(body_has("5ec7"));
    assert_int_equal(capture_open(&c, guarded(slice_of(fx.last.body,
                                                       fx.last.len))), 0);
    while (capture_next(&c, &p) == 0)
        n++;
    assert_int_equal(n, 4);
    assert_int_equal(c.off, fx.last.len);
    assert_non_null(strstr(fx.last.fields, "trace.pcapng"));
    assert_int_equal(get("/api/v1/trace.pcap?limit=1"), 200);
    assert_int_equal(capture_open(&c, slice_of(fx.last.body, fx.last.len)), 0);
    assert_int_equal(capture_next(&c, &p), 0);
    assert_true(slice_has_prefix(p.payload, SLICE("MESSAGE")));
    assert_int_equal(capture_next(&c, &p), GB_ENOENT);
    assert_int_equal(get("/api/v1/trace.pcap?limit=0"), 400);
    assert_int_equal(get("/api/v1/trace.pcap?since=x"), 400);
}

static void live(void **state)
{
    struct http_trace_filter all = { .on = true };
    struct http_trace_filter one = { .on = true, .device = CAM };
    uint64_t seq, seq1;
    struct buf b;

    (void)state;
    buf_init(&b, &fx.mem.alloc, 65536);
    assert_int_equal(get("/api/v1/trace/events?device=" CAM), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_EVENTS);
    assert_int_equal(fx.last.event_seq, 5); /* what was is not told again */
    seq = seq1 = fx.last.event_seq;
    assert_false(http_app_trace_next(fx.app, &all, &seq, &b));
    fx.events = 0;
    put(TRACE_IN, vec_request(text, "BYE", CAM, OUR_ID, "b", 4, "", ""), 1);
    put(TRACE_IN, vec_request(text, "BYE", CAM2, OUR_ID, "b", 4, "", ""), 1);
    put(TRACE_IN, vec_request(text, "INFO", CAM, OUR_ID, "b", 5, "", ""), 1);
    assert_int_equal(fx.events, 3);
    for (uint64_t k = 6; k <= 8; k++) {
        b.len = 0;
        assert_true(http_app_trace_next(fx.app, &all, &seq, &b));
        assert_int_equal(seq, k);
        assert_true(slice_find_slice(buf_view(&b), SLICE("event: trace\n")) <
                    b.len);
        assert_true(slice_has_prefix(slice_from(buf_view(&b), b.len - 3),
                                     SLICE("}\n\n")));
    }
    assert_false(http_app_trace_next(fx.app, &all, &seq, &b));
    assert_true(http_app_trace_next(fx.app, &one, &seq1, &b));
    assert_int_equal(seq1, 6);
    assert_true(http_app_trace_next(fx.app, &one, &seq1, &b));
    assert_int_equal(seq1, 8);
    assert_false(http_app_trace_next(fx.app, &one, &seq1, &b));
    buf_fini(&b);

    ask("GET", "/api/v1/trace/events", TOKEN "Last-Event-ID: 2\r\n", "");
    assert_int_equal(fx.last.event_seq, 2);
    ask("GET", "/api/v1/trace/events", TOKEN "Last-Event-ID: 99\r\n", "");
    assert_int_equal(fx.last.event_seq, 8);
    assert_int_equal(ask("HEAD", "/api/v1/trace/events", TOKEN, ""), 200);
    assert_int_equal(fx.last.kind, HTTP_REPLY_BODY);
}

static void listener_view(void **state)
{
    struct sip_peer p = vec_peer(SIP_UDP, "192.0.2.1:5060", "192.0.2.9:9");
    json_t *j, *o;

    (void)state;
    p.listener = 1;
    trace_put(trace, TRACE_IN, &p, SLICE("garbage"), fx.now);
    trace_bad(trace, &p, "malformed input", fx.now);
    assert_int_equal(get("/api/v1/trace/listeners"), 200);
    j = body();
    o = json_array_get(json_object_get(j, "items"), 0);
    expect_schema(o, "Listener");
    assert_int_equal(number_of(o, "received"), 3);
    assert_string_equal(text_of(o, "address"), "0.0.0.0:5060");
    o = json_array_get(json_object_get(j, "items"), 1);
    assert_int_equal(number_of(o, "malformed"), 1);
    assert_string_equal(text_of(o, "malformed_from"), "192.0.2.9:9");
    assert_string_equal(text_of(o, "malformed_why"), "malformed input");
    json_decref(j);
}

static void switched_off(void **state)
{
    static const char *const paths[] = {
        "/api/v1/trace", "/api/v1/trace.pcap", "/api/v1/trace/events",
        "/api/v1/trace/listeners",
    };
    struct http_app_config cfg = fx_config();

    (void)state;
    http_app_free(fx.app);
    fx_open(&cfg);
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(get(paths[i]), 404);
        assert_true(body_has("trace-off"));
        assert_int_equal(ask("GET", paths[i], "", ""), 401);
    }
}

static void no_memory(void **state)
{
    static const char *const paths[] = { "/api/v1/trace",
                                         "/api/v1/trace.pcap" };

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++)
        for (unsigned long at = 1;; at++) {
            unsigned long calls = fx.mem.calls;
            unsigned status;
            bool failed;

            fx.mem.fail_at = calls + at;
            status = get(paths[i]);
            failed = fx.mem.calls >= calls + at;
            fx.mem.fail_at = 0;
            if (!failed)
                break;
            if (status != 503 && status != 500)
                fail_msg("%s, allocation %lu: %u", paths[i], at, status);
        }
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        APP(list_and_filters), APP(one_message),   APP(capture), APP(live),
        APP(listener_view),    APP(switched_off),  APP(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
