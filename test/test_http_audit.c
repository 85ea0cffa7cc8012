/* The log of who changed what. */
#include "test/http_accounts.h"

static char written[4096];

static void keep_audit(void *ctx, const struct http_audit *e)
{
    size_t at = strlen(written);

    (void)ctx;
    assert_int_equal(e->at_utc_ms, fx.now.utc_ms);
    snprintf(written + at, sizeof(written) - at, "%.*s %.*s %.*s %.*s %.*s %u\n",
             SLICE_ARG(e->who), SLICE_ARG(e->role), SLICE_ARG(e->peer),
             SLICE_ARG(e->method), SLICE_ARG(e->path), e->status);
}

/* The status with which a request with a body is refused before that comes. */
static unsigned head_only(const char *method, const char *target,
                          const char *fields)
{
    struct http_head head;
    struct http_request req = { .head = &head };
    struct http_response r;
    struct http_fault f;
    unsigned status;
    char text[600];

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: nvr\r\n%s"
                                 "Content-Length: 9\r\n\r\n",
             method, target, fields);
    assert_true(http_head_parse(&head, slice_str(text), &f) > 0);
    assert_int_equal(gb_addr_parse_ip(&req.remote, SLICE("192.0.2.99")), 0);
    http_response_init(&r, &fx.mem.alloc);
    assert_int_equal(http_app_body(fx.app, &req, &r), HTTP_BODY_REFUSED);
    status = r.status;
    http_response_fini(&r);
    return status;
}

static void audit(void **state)
{
    char field[160], cookie[160];

    (void)state;
    fx.app->cfg.audit = keep_audit;
    written[0] = '\0';
    token_of("{\"name\":\"ci\",\"role\":\"viewer\"}", field);
    get("/api/v1/devices"); /* changes nothing */
    ask("DELETE", "/api/v1/devices/" D1, field, "");
    ask("DELETE", "/api/v1/devices/" D1 "?t=secret", "", ""); /* a stranger */
    act("POST", USERS, TOKEN, "{\"name\":\"ada\",\"password\":\"12345678\","
                              "\"role\":\"operator\"}");
    act("POST", USERS, TOKEN, "{}");
    assert_int_equal(log_in("ada", "wrong-one", cookie), 401);
    assert_int_equal(log_in("12345678", "ada", cookie), 401);
    assert_int_equal(log_in("ada", "12345678", cookie), 200);
    ask("POST", "/api/v1/login", "", "{}");
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/refresh", cookie, ""),
                     202);
    ask("POST", LIVE, TOKEN, "");
    assert_int_equal(fx.last.kind, HTTP_REPLY_LATER);
    http_app_gone(fx.app, fx.last.request);
    http_app_gone(fx.app, fx.last.request); /* once is enough */
    /* a GET that acts, and an answer of 200 that stands for another one */
    ask("GET", "/api/play/stop/" D1 "/none", TOKEN, "");
    assert_int_equal(fx.last.status, 200);
    /* refused with its head alone, since its body is a file */
    assert_int_equal(head_only("POST", "/api/v1/firmware", field), 403);
    assert_int_equal(head_only("POST", "/api/v1/firmware", ""), 401);
    assert_string_equal(
        written,
        "admin-token admin 192.0.2.99 POST /api/v1/tokens 201\n"
        "token:ci viewer 192.0.2.99 DELETE /api/v1/devices/" D1 " 403\n"
        "admin-token admin 192.0.2.99 POST /api/v1/users 201\n"
        "admin-token admin 192.0.2.99 POST /api/v1/users 400\n"
        "ada none 192.0.2.99 POST /api/v1/login 401\n"
        "- none 192.0.2.99 POST /api/v1/login 401\n"
        "ada none 192.0.2.99 POST /api/v1/login 200\n"
        "ada operator 192.0.2.99 POST /api/v1/devices/" D1 "/refresh 202\n"
        "admin-token admin 192.0.2.99 POST " LIVE " 499\n"
        "admin-token admin 192.0.2.99 GET /api/play/stop/" D1 "/none 404\n"
        "token:ci viewer 192.0.2.99 POST /api/v1/firmware 403\n");
    assert_int_equal(get("/api/v1/audit"), 501); /* no history here */
    assert_int_equal(ask("GET", "/api/v1/audit", cookie, ""), 403);
}

static struct http_ask asked;

static int keep_question(void *ctx, const struct http_ask *q)
{
    (void)ctx;
    asked = *q;
    assert_true(slice_eq(q->device, SLICE("ada")));
    assert_true(slice_eq(q->type, SLICE("/api/v1/users")));
    assert_true(slice_eq(q->method, SLICE("POST")));
    return 0;
}

static void audit_list(void **state)
{
    static const struct http_audit rows[] = {
        { .id = 7, .who = SLICE_INIT("ada"), .role = SLICE_INIT("admin"),
          .peer = SLICE_INIT("192.0.2.1"), .method = SLICE_INIT("POST"),
          .path = SLICE_INIT("/api/v1/users"), .status = 201 },
    };
    struct http_told t = { .total = 3, .n = 1, .audits = rows, .more = true,
                           .last = 7 };
    json_t *j;

    (void)state;
    fx.app->cfg.ask = keep_question;
    assert_int_equal(get("/api/v1/audit?who=ada&path=/api/v1/users&method=POST"
                         "&limit=1"), 0);
    assert_int_equal(asked.list, HTTP_HISTORY_AUDIT);
    assert_int_equal(asked.limit, 1);
    t.request = fx.last.request;
    http_app_told(fx.app, &t);
    j = body();
    expect_schema(json_array_get(json_object_get(j, "items"), 0), "Audit");
    assert_string_equal(text_of(j, "next"), "7");
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
        T(audit), T(audit_list),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
