/* test/http_fixture.h - an application over the fake platform, asked without
 * sockets */
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H

#include "test/support.h"

#include "app/http/api.h"
#include "app/http/openapi.h"
#include "test/fake_platform.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define D1 "34020000001110000001"
#define D2 "34020000001110000002"
#define C1 "34020000001310000001"
#define C2 "34020000001310000002"
#define LIVE "/api/v1/devices/" D1 "/channels/" C1 "/live"
#define TOKEN "Authorization: Bearer admin-token\r\n"

struct answer {
    uint64_t request;
    enum http_reply kind;
    unsigned status;
    char fields[4096];
    char *body; /* with a NUL */
    size_t len;
    struct http_media media;
    struct http_file file;
    uint64_t event_seq;
    bool shared;
};

static struct fixture {
    struct http_app *app;
    struct failing_alloc mem;
    struct gb_time now;
    uint64_t next_request, client;
    struct slice body; /* of bytes: in place of a text */
    unsigned touched, events, wakes;
    uint64_t dismissed; /* the last account whose viewers had to go */
    struct answer last;  /* of ask(), or of the edge */
    unsigned n_answers;  /* given by the edge */
    struct http_password_job *job;
    int media_err;
    struct http_handover media;
    struct http_hls_ask hls; /* the last one */
    char hls_query[HLS_QUERY_MAX + 1];
    unsigned n_hls;
    bool hls_busy;
    const char *not_ready;
} fx;

static void answer_keep(uint64_t request, struct http_response *r)
{
    struct slice body = r->fixed.n ? r->fixed : buf_view(&r->body);

    free(fx.last.body);
    fx.last = (struct answer){ .request = request,
                               .kind = r->kind,
                               .status = r->status,
                               .media = r->media,
                               .file = r->file,
                               .event_seq = r->event_seq,
                               .shared = r->shared };
    slice_copy(fx.last.fields, sizeof(fx.last.fields), buf_view(&r->fields));
    fx.last.body = malloc(body.n + 1);
    assert_non_null(fx.last.body);
    slice_copy(fx.last.body, body.n + 1, body);
    fx.last.len = body.n;
    http_response_fini(r);
}

static struct gb_time fx_now(void *ctx)
{
    (void)ctx;
    return fx.now;
}

static void fx_random(void *ctx, void *p, size_t n)
{
    static uint64_t seed = 7;

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)test_random(&seed);
}

static void fx_touched(void *ctx)
{
    (void)ctx;
    fx.touched++;
}

static void fx_dismissed(void *ctx, uint64_t who)
{
    (void)ctx;
    fx.dismissed = who;
}

static int fx_media(void *ctx, struct http_handover *h)
{
    (void)ctx;
    fx.media = *h;
    return fx.media_err;
}

static bool fx_hls(void *ctx, const struct http_hls_ask *q)
{
    (void)ctx;
    if (fx.hls_busy)
        return false;
    fx.n_hls++;
    fx.hls = *q;
    slice_copy(fx.hls_query, sizeof(fx.hls_query), q->query);
    return true;
}

static const char *fx_not_ready(void *ctx)
{
    (void)ctx;
    return fx.not_ready;
}

static void fx_metrics(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_str(out, "gb28181_more 1\n");
}

static size_t fx_addresses(void *ctx, struct gb_addr *out, size_t cap)
{
    (void)ctx;
    assert_true(cap >= 1);
    out[0] = (struct gb_addr){ GB_IPV4, { 192, 0, 2, 1 }, 0 };
    return 1;
}

static void fx_answer(void *ctx, uint64_t request, struct http_response *r)
{
    (void)ctx;
    fx.n_answers++;
    answer_keep(request, r);
}

static void fx_event(void *ctx)
{
    (void)ctx;
    fx.events++;
}

static void fx_wake(void *ctx)
{
    (void)ctx;
    fx.wakes++;
}

static int fx_hash(void *ctx, struct http_password_job *job)
{
    (void)ctx;
    fx.job = job;
    return 0;
}

static const char *fx_password_hash(void)
{
    static char hash[HTTP_PASSWORD_HASH_MAX];
    static const uint8_t salt[16] = { 1 };

    http_password_hash(hash, SLICE("letmein"), salt, 10);
    return hash;
}

static struct http_app_config fx_config(void)
{
    static const struct http_net proxies[] = {
        { { GB_IPV4, { 10, 0, 0, 0 }, 0 }, 8 },
    };

    return (struct http_app_config){
        .alloc = &fx.mem.alloc,
        .now = fx_now,
        .random = fx_random,
        .touched = fx_touched,
        .on_media = fx_media,
        .dismissed = fx_dismissed,
        .rtsp_realm = "gb28181d",
        .hls = fx_hls,
        .download_dir = "/downloads",
        .not_ready = fx_not_ready,
        .metrics = fx_metrics,
        .addresses = fx_addresses,
        .auth = true,
        .admin_token = "admin-token",
        .admin_password_hash = fx_password_hash(),
        .key = { 9, 9, 9 },
        .trusted_proxies = proxies,
        .n_trusted_proxies = 1,
        .version = "0.1.0",
        .server_id = "34020000002000000001",
        .realm = "3402000000",
        .device_password = "cam-password",
        .sip_port = 5060,
        .formats = 1u << HTTP_FORMAT_FLV | 1u << HTTP_FORMAT_FMP4 |
                   1u << HTTP_FORMAT_MSE,
    };
}

static void fx_open(const struct http_app_config *cfg)
{
    static const struct http_edge edge = { .answer = fx_answer,
                                           .event = fx_event,
                                           .wake = fx_wake,
                                           .hash = fx_hash };

    memset(&fake, 0, sizeof(fake));
    fake_device(D1, "North gate", true);
    fake_device(D2, "South gate", false);
    fake_channel(D1, C1, "Door");
    fake_channel(D1, C2, "Yard");
    assert_int_equal(http_app_new(&fx.app, cfg), 0);
    http_app_set_edge(fx.app, &edge);
}

static int fx_setup(void **state)
{
    struct http_app_config cfg;

    (void)state;
    memset(&fx, 0, sizeof(fx));
    failing_alloc_init(&fx.mem, 0);
    fx.now = (struct gb_time){ 50000, INT64_C(1800000000000) };
    cfg = fx_config();
    fx_open(&cfg);
    return 0;
}

static int fx_teardown(void **state)
{
    (void)state;
    http_app_free(fx.app);
    free(fx.last.body);
    fx.last.body = NULL;
    if (fx.mem.live)
        fprintf(stderr, "%lu allocations are left\n", fx.mem.live);
    return fx.mem.live ? -1 : 0;
}

/* One request from an address; returns the status (0: put off). */
static unsigned ask_from(const char *from, const char *method,
                         const char *target, const char *fields,
                         const char *body)
{
    static struct http_head head;
    static char text[HTTP_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct http_request req = { .id = ++fx.next_request, .head = &head,
                                .client = fx.client };
    struct http_response r;
    struct http_fault f;

    writer_f(&w, "%s %s HTTP/1.1\r\n", method, target);
    if (slice_find_slice(slice_str(fields), SLICE("Host:")) ==
        strlen(fields))
        writer_str(&w, "Host: nvr:28181\r\n");
    writer_f(&w, "%s\r\n", fields);
    assert_int_equal(w.err, 0);
    if (http_head_parse(&head, writer_slice(&w), &f) <= 0)
        fail_msg("%s %s: %s", method, target, f.why);
    req.body = fx.body.n ? fx.body : slice_str(body);
    assert_int_equal(gb_addr_parse_ip(&req.remote, slice_str(from)), 0);
    http_response_init(&r, &fx.mem.alloc);
    http_app_request(fx.app, &req, &r);
    answer_keep(req.id, &r);
    return fx.last.kind == HTTP_REPLY_LATER ? 0 : fx.last.status;
}

static inline unsigned ask(const char *method, const char *target,
                           const char *fields, const char *body)
{
    return ask_from("192.0.2.99", method, target, fields, body);
}

/* GET with the token. */
static inline unsigned get(const char *target)
{
    return ask("GET", target, TOKEN, "");
}

/* A member that is a string, or NULL; one that is a number, or 0. */
static inline const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static inline json_int_t number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* The last body, parsed; json_decref it. */
static inline json_t *body(void)
{
    json_error_t e;
    json_t *j = json_loadb(fx.last.body, fx.last.len, JSON_REJECT_DUPLICATES,
                           &e);

    if (!j)
        fail_msg("%s in: %s", e.text, fx.last.body);
    return j;
}

static inline bool body_has(const char *text)
{
    return slice_find_slice(slice_of(fx.last.body, fx.last.len),
                            slice_str(text)) < fx.last.len;
}

#define TAG_BYTES 19 /* of an ETag, with its quotes and a NUL */

/* The ETag of the last answer. */
static inline void last_tag(char out[static TAG_BYTES])
{
    const char *at = strstr(fx.last.fields, "ETag: ");

    assert_non_null(at);
    snprintf(out, TAG_BYTES, "%s", at + 6);
}

/* Two who have read the same: a change of the first, then one of the second, which
 * is refused; who has read again may do it. */
static inline void second_of_two(const char *target, const char *first,
                                 const char *method, const char *second)
{
    char fields[256], tag[TAG_BYTES];

    assert_int_equal(get(target), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
    assert_int_equal(ask("PUT", target, fields, first), 200);
    assert_int_equal(ask(method, target, fields, second), 412);
    assert_true(body_has("\"code\":\"changed-meanwhile\""));
    assert_int_equal(get(target), 200);
    last_tag(tag);
    snprintf(fields, sizeof(fields), TOKEN "If-Match: \"x\", %s\r\n", tag);
    assert_true(ask(method, target, fields, second) / 100 == 2);
}

/* The value of a URL in the last answer, from its path on. */
static inline void url_of(const char *key, char out[static 512])
{
    json_t *j = body();
    struct slice url = slice_str(json_string_value(json_object_get(j, key)));

    url = slice_from(url, slice_find_slice(url, SLICE("://")) + 3);
    url = slice_from(url, slice_find(url, '/'));
    assert_true(url.n > 0);
    slice_copy(out, 512, url);
    json_decref(j);
}

/* Every object and required field of a schema, and no other field. */
static inline void expect_schema(const json_t *o, const char *schema)
{
    struct slice rest = slice_str(http_schema_fields(schema)), item, name;
    size_t n = 0;
    char key[64];

    assert_true(json_is_object(o));
    while (rest.n) {
        json_t *v;

        slice_cut(&rest, ' ', &item);
        slice_cut(&item, ':', &name);
        slice_copy(key, sizeof(key), name);
        v = json_object_get(o, key);
        n += v != NULL;
        if (!v && item.p[item.n - 1] != '?')
            fail_msg("%s: no %s", schema, key);
        if (json_is_null(v) && item.p[item.n - 1] != '?' &&
            !slice_eq(item, SLICE("time")))
            fail_msg("%s.%s is null", schema, key);
        if (!v || json_is_null(v))
            continue;
        if ((slice_has_prefix(item, SLICE("string")) ||
             slice_eq(item, SLICE("time"))) &&
            !json_is_string(v) && !slice_eq(item, SLICE("strings")))
            fail_msg("%s.%s is no string", schema, key);
        if (slice_has_prefix(item, SLICE("integer")) && !json_is_integer(v))
            fail_msg("%s.%s is no integer", schema, key);
        if (slice_has_prefix(item, SLICE("boolean")) && !json_is_boolean(v))
            fail_msg("%s.%s is no boolean", schema, key);
    }
    if (n != json_object_size(o))
        fail_msg("%s: %zu fields, %zu known", schema, json_object_size(o), n);
}

/* Fails unless the object, or each of the list, is as its schema says. */
static inline void object(const char *target, const char *schema)
{
    json_t *j;

    if (get(target) != 200)
        fail_msg("%s: %u %s", target, fx.last.status, fx.last.body);
    j = body();
    expect_schema(j, schema);
    json_decref(j);
}

static inline void list_of(const char *target, const char *schema)
{
    json_t *j, *items;

    assert_int_equal(get(target), 200);
    j = body();
    items = json_object_get(j, "items");
    assert_true(json_array_size(items) > 0);
    for (size_t i = 0; i < json_array_size(items); i++)
        expect_schema(json_array_get(items, i), schema);
    json_decref(j);
}

/* The platform tells an alarm. */
static inline void alarm_in(const char *description)
{
    const struct platform_alarm alarm = {
        .device = SLICE(D1),
        .channel = SLICE(C1),
        .priority = SLICE("1"),
        .method = SLICE("5"),
        .time = SLICE("2026-01-01T00:00:00"),
        .description = slice_str(description),
        .received_utc_ms = 1000,
    };
    const struct platform_action act = { .kind = PLATFORM_ALARM,
                                         .alarm = &alarm };

    http_on_action(fx.app, &act);
}

/* A session has changed. */
static inline void changed(uint64_t session, enum platform_action_kind kind)
{
    const struct platform_action act = { .kind = kind, .session = session };

    http_on_action(fx.app, &act);
    if (http_app_deadline(fx.app) == 0)
        http_app_tick(fx.app);
}

static inline void becomes(uint64_t session, enum platform_session_state state_,
                           enum platform_step step)
{
    struct platform_session *s = fake_session(session);

    assert_non_null(s);
    s->state = state_;
    s->step = step;
    changed(session, PLATFORM_SESSION_CHANGED);
}

#define UPGRADE                                                                \
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"                            \
    "Sec-WebSocket-Version: 13\r\n"                                            \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static inline void device_told(enum platform_action_kind kind)
{
    const struct platform_action act = { .kind = kind, .device = SLICE(D1) };

    http_on_action(fx.app, &act);
}

static inline bool next_event(uint64_t *seq, const char *want)
{
    struct buf b;
    bool got;

    buf_init(&b, &fx.mem.alloc, 65536);
    got = http_app_event_next(fx.app, 0, seq, &b);
    if (got && slice_find_slice(buf_view(&b), slice_str(want)) == b.len)
        fail_msg("want %s in %.*s", want, SLICE_ARG(buf_view(&b)));
    buf_fini(&b);
    return got;
}
/* A question for a list, and what is seen of the answer: its status, items, the id
 * of the first, next and total. */
struct list_case {
    const char *query;
    unsigned status;
    size_t items;
    const char *first, *next;
    int total;
};

static inline bool has_text(const json_t *o, const char *key, const char *text)
{
    return slice_eq(slice_str(text_of(o, key)), slice_str(text));
}

static inline void expect_list(const char *path, const struct list_case *c,
                               const char *schema)
{
    char target[200];
    json_t *j, *items;

    snprintf(target, sizeof(target), "%s%s", path, c->query);
    if (get(target) != c->status)
        fail_msg("%s: %u %s", target, fx.last.status, fx.last.body);
    j = body();
    items = json_object_get(j, "items");
    if (c->status == 200 &&
        (json_array_size(items) != c->items ||
         json_integer_value(json_object_get(j, "total")) != c->total ||
         !has_text(json_array_get(items, 0), "id", c->first) ||
         !has_text(j, "next", c->next)))
        fail_msg("%s: %s", target, fx.last.body);
    for (size_t i = 0; i < json_array_size(items); i++)
        expect_schema(json_array_get(items, i), schema);
    json_decref(j);
}
#endif
