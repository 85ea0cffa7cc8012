/* The JSON writer: what it writes jansson reads, and misuse is an error. */
#include "test/support.h"

#include "app/http/json.h"
#include "app/http/problem.h"
#include "base/writer.h"

#include <jansson.h>
#include <math.h>

static void expect(struct buf *b, const struct jw *j, const char *want)
{
    if (want) {
        if (!jw_is_complete(j) || !slice_eq(buf_view(b), slice_str(want)))
            fail_msg("got %.*s, want %s", SLICE_ARG(buf_view(b)), want);
    } else {
        assert_false(jw_is_complete(j));
    }
    buf_fini(b);
}

static void shapes(void **state)
{
    struct buf b;
    struct jw j;

    (void)state;
    buf_init(&b, &gb_alloc_heap, 4096);
    j = jw_to(&b);
    jw_object(&j);
    jw_put_u64(&j, "a", UINT64_MAX);
    jw_put_i64(&j, "b", INT64_MIN);
    jw_key(&j, "c");
    jw_array(&j);
    jw_bool(&j, true);
    jw_null(&j);
    jw_object(&j);
    jw_end(&j);
    jw_array(&j);
    jw_end(&j);
    jw_raw(&j, SLICE("{\"x\":1}"));
    jw_end(&j);
    jw_put_double(&j, "d", 116.397389);
    jw_put_double(&j, "e", NAN);
    jw_put_id(&j, "f", UINT64_MAX);
    jw_end(&j);
    expect(&b, &j,
           "{\"a\":18446744073709551615,\"b\":-9223372036854775808,"
           "\"c\":[true,null,{},[],{\"x\":1}],\"d\":116.397389,\"e\":null,"
           "\"f\":\"18446744073709551615\"}");

    j = jw_to(&b);
    jw_i64(&j, 0);
    expect(&b, &j, "0");
}

static void strings(void **state)
{
    static const struct {
        struct slice in;
        const char *want;
    } cases[] = {
        { S(""), "\"\"" },
        { S("a\"b\\c/"), "\"a\\\"b\\\\c/\"" },
        { S("\b\f\n\r\t\x01\0\x1f\x7f"),
          "\"\\b\\f\\n\\r\\t\\u0001\\u0000\\u001f\x7f\"" },
        { S("\xe4\xbd\xa0"), "\"\xe4\xbd\xa0\"" },
        { S("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
        { S("\xff"), "\"\xef\xbf\xbd\"" },
        { S("\xc4\xe3"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* GB 18030 */
        { S("\xe4\xbd"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { S("\xc0\x80x"), "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        { S("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { S("\xf4\x90\x80\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        struct jw j = jw_to(&b);

        buf_init(&b, &gb_alloc_heap, 4096);
        jw_str(&j, guarded(cases[i].in));
        expect(&b, &j, cases[i].want);
    }
}

static void misuse(void **state)
{
    struct buf b;
    struct jw j;

    (void)state;
    buf_init(&b, &gb_alloc_heap, 4096);
#define CASE(code)                                                             \
    do {                                                                       \
        j = jw_to(&b);                                                         \
        code;                                                                  \
        assert_int_equal(b.err, GB_ESTATE);                                    \
        expect(&b, &j, NULL);                                                  \
    } while (0)
    CASE(jw_object(&j); jw_u64(&j, 1));                /* no key */
    CASE(jw_array(&j); jw_key(&j, "a"));               /* key in an array */
    CASE(jw_object(&j); jw_key(&j, "a"); jw_end(&j));  /* no value */
    CASE(jw_object(&j); jw_key(&j, "a"); jw_key(&j, "b"));
    CASE(jw_u64(&j, 1); jw_u64(&j, 2));                /* two values */
    CASE(jw_end(&j));
    CASE(jw_array(&j); jw_end(&j); jw_end(&j));
    CASE(jw_key(&j, "a"));
    CASE(for (int i = 0; i <= JW_DEPTH_MAX; i++) jw_array(&j));
#undef CASE
    j = jw_to(&b);
    expect(&b, &j, NULL); /* nothing is no value */
    jw_array(&j);
    expect(&b, &j, NULL); /* nor is half of one */
}

static void times(void **state)
{
    static const struct {
        int64_t utc_ms;
        const char *want;
    } cases[] = {
        { 1, "\"1970-01-01T00:00:00.001Z\"" },
        { 951782400000, "\"2000-02-29T00:00:00.000Z\"" },
        { 1709251199999, "\"2024-02-29T23:59:59.999Z\"" },
        { 4107542400000, "\"2100-03-01T00:00:00.000Z\"" },
        { 253402300799999, "\"9999-12-31T23:59:59.999Z\"" },
        { 253402300800000, "null" },
        { 0, "null" },
        { -1, "null" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char want[64];
        struct writer w = writer_of(want, sizeof(want) - 1);
        struct buf b;
        struct jw j = jw_to(&b);

        buf_init(&b, &gb_alloc_heap, 4096);
        jw_object(&j);
        jw_put_time(&j, "t", cases[i].utc_ms);
        jw_end(&j);
        writer_f(&w, "{\"t\":%s}", cases[i].want);
        want[w.len] = '\0';
        expect(&b, &j, want);
    }
}

/* Random text goes out and comes back the same where it is UTF-8. */
static void round_trip(void **state)
{
    uint64_t seed = 20221;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char text[40];
        size_t n = test_random(&seed) % sizeof(text);
        struct buf b;
        struct jw j = jw_to(&b);
        json_t *root;

        for (size_t i = 0; i < n; i++)
            text[i] = (char)(test_random(&seed) % 127 + 1);
        buf_init(&b, &gb_alloc_heap, 4096);
        jw_array(&j);
        jw_str(&j, slice_of(text, n));
        jw_end(&j);
        assert_true(jw_is_complete(&j));
        root = json_loadb(b.p, b.len, 0, NULL);
        assert_non_null(root);
        assert_int_equal(json_string_length(json_array_get(root, 0)), n);
        assert_memory_equal(json_string_value(json_array_get(root, 0)), text,
                            n);
        json_decref(root);
        buf_fini(&b);
    }
}

static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1;; at++) {
        struct failing_alloc f;
        struct buf b;
        struct jw j = jw_to(&b);
        bool done;

        failing_alloc_init(&f, at);
        buf_init(&b, &f.alloc, 1 << 20);
        jw_array(&j);
        for (int i = 0; i < 1000; i++)
            jw_str(&j, SLICE("some text"));
        jw_end(&j);
        done = jw_is_complete(&j);
        assert_int_equal(b.err, done ? 0 : GB_ENOMEM);
        buf_fini(&b);
        assert_int_equal(f.live, 0);
        if (done)
            break;
    }
}

static void limit(void **state)
{
    struct buf b;
    struct jw j = jw_to(&b);

    (void)state;
    buf_init(&b, &gb_alloc_heap, 1000);
    jw_array(&j);
    for (int i = 0; i < 1000; i++)
        jw_u64(&j, 1);
    assert_int_equal(b.err, GB_ELIMIT);
    assert_true(b.len <= 1000);
    buf_fini(&b);
}

static void problems(void **state)
{
    static const struct http_problem full = {
        .status = 504,
        .code = "live-failed",
        .detail = "RTP arrives",
        .step = SLICE_INIT("packet"),
        .evidence = SLICE_INIT("nothing at port 30002"),
        .hint = SLICE_INIT("open the \"firewall\""),
    };
    static const struct http_problem bare = { .status = 405 };
    struct buf b;

    (void)state;
    buf_init(&b, &gb_alloc_heap, 4096);
    http_problem_write(&b, &full);
    assert_true(slice_eq(
        buf_view(&b),
        SLICE("{\"type\":\"urn:gb28181d:problem:live-failed\","
              "\"title\":\"Gateway Timeout\",\"status\":504,"
              "\"detail\":\"RTP arrives\",\"detail_zh\":\"收到 RTP\","
              "\"code\":\"live-failed\","
              "\"step\":\"packet\",\"evidence\":\"nothing at port 30002\","
              "\"hint\":\"open the \\\"firewall\\\"\"}")));
    b.len = 0;
    http_problem_write(&b, &bare);
    assert_true(slice_eq(
        buf_view(&b),
        SLICE("{\"type\":\"urn:gb28181d:problem:method-not-allowed\","
              "\"title\":\"Method Not Allowed\",\"status\":405,"
              "\"code\":\"method-not-allowed\"}")));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),     cmocka_unit_test(strings),
        cmocka_unit_test(misuse),     cmocka_unit_test(times),
        cmocka_unit_test(round_trip), cmocka_unit_test(no_memory),
        cmocka_unit_test(limit),      cmocka_unit_test(problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
