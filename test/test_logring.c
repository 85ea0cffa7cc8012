/* app/net/logring: the last lines, against a list of all that came */
#include "test/support.h"

#include "app/net/logring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static const struct logring_filter all = { .least = LOG_TRACE };

static void put(struct logring *r, enum log_level level, const char *text)
{
    logring_put(r, level, 1000, slice_str(text));
}

static void filters(void **state)
{
    struct logring_filter warn = { .least = LOG_WARN };
    struct logring_filter text = { .least = LOG_TRACE, .q = "CAM" };
    struct logring_line l;
    struct logring *r;
    size_t total;

    (void)state;
    assert_int_equal(logring_new(&r), 0);
    assert_int_equal(logring_last(r), 0);
    assert_false(logring_next(r, &all, 0, &l));
    assert_int_equal(logring_newest(r, &all, 10, &total), 0);
    assert_int_equal(total, 0);
    put(r, LOG_INFO, "msg=one device=cam");
    put(r, LOG_WARN, "msg=two");
    put(r, LOG_ERROR, "msg=three device=Cam2");
    put(r, LOG_DEBUG, "");
    assert_int_equal(logring_last(r), 3);
    assert_true(logring_next(r, &all, 0, &l));
    assert_int_equal(l.seq, 1);
    assert_int_equal(l.utc_ms, 1000);
    assert_memory_equal(l.text, "msg=one device=cam", l.len);
    assert_true(logring_next(r, &warn, 0, &l));
    assert_int_equal(l.seq, 2);
    assert_true(logring_next(r, &text, 1, &l));
    assert_int_equal(l.seq, 3);
    assert_int_equal(l.level, LOG_ERROR);
    assert_false(logring_next(r, &all, 3, &l));
    assert_false(logring_next(r, &all, 99, &l));
    assert_int_equal(logring_newest(r, &all, 2, &total), 1);
    assert_int_equal(total, 3);
    assert_int_equal(logring_newest(r, &text, 2, &total), 0);
    assert_int_equal(total, 2);
    assert_int_equal(logring_newest(r, &all, 0, &total), 3);
    logring_free(r);
}

/* The line of a number, of a length that the number gives. */
static size_t line_of(char *out, uint64_t seq)
{
    size_t n = 1 + seq * 7919 % (seq % 5 ? 300 : LOG_LINE_MAX);

    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + (seq + i) % 26);
    return n;
}

/* However lengths fall, what is there is whole, in order, and the newest. */
static void model(void **state)
{
    static char text[LOG_LINE_MAX];
    struct logring_line l;
    struct logring *r;

    (void)state;
    assert_int_equal(logring_new(&r), 0);
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        size_t n = line_of(text, seq);

        logring_put(r, LOG_INFO, (int64_t)seq, slice_of(text, n));
        assert_int_equal(logring_last(r), seq);
        if (seq % 997)
            continue;
        size_t there = 0, bytes = 0;

        for (uint64_t after = 0; logring_next(r, &all, after, &l);
             after = l.seq, there++, bytes += l.len) {
            assert_true(after == 0 || l.seq == after + 1);
            assert_int_equal(l.len, line_of(text, l.seq));
            assert_memory_equal(l.text, text, l.len);
            assert_int_equal(l.utc_ms, l.seq);
        }
        assert_int_equal(l.seq, seq);
        assert_true(bytes <= LOGRING_BYTES);
        assert_true(there <= LOGRING_LINES_MAX);
        assert_true(seq < 10000 || bytes > LOGRING_BYTES - 4 * LOG_LINE_MAX ||
                    there == LOGRING_LINES_MAX);
    }
    logring_free(r);
}

static void write_some(void *arg)
{
    for (int i = 0; i < 5000; i++)
        put(arg, LOG_INFO, "msg=\"from a thread\"");
}

static void threads(void **state)
{
    struct logring_line l;
    struct logring *r;
    uv_thread_t t[2];

    (void)state;
    assert_int_equal(logring_new(&r), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(uv_thread_create(&t[i], write_some, r), 0);
    for (uint64_t after = 0; after < 10000;)
        if (logring_next(r, &all, after, &l)) {
            assert_true(l.seq > after);
            after = l.seq;
        }
    for (size_t i = 0; i < 2; i++)
        uv_thread_join(&t[i]);
    assert_int_equal(logring_last(r), 10000);
    logring_free(r);
}

static void keep(void *ctx, enum log_level level, int64_t utc_ms,
                 struct slice text)
{
    logring_put(ctx, level, utc_ms, text);
}

/* What goes out is kept, as clean as it goes out; what does not is not. */
static void of_the_log(void **state)
{
    struct logring_line l;
    struct logring *r;

    (void)state;
    assert_int_equal(logring_new(&r), 0);
    log_init(-1, LOG_WARN, true);
    log_listen(keep, r);
    log_f(LOG_INFO, "msg=no");
    log_f(LOG_WARN, "msg=\"yes\n\" n=%d", 1);
    log_listen(NULL, NULL);
    log_f(LOG_WARN, "msg=late");
    log_init(2, LOG_INFO, false);
    assert_int_equal(logring_last(r), 1);
    assert_true(logring_next(r, &all, 0, &l));
    assert_int_equal(l.level, LOG_WARN);
    assert_true(slice_eq(slice_of(l.text, l.len),
                         SLICE("msg=\"yes\\x0a\" n=1")));
    assert_true(l.utc_ms > 1700000000000);
    logring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),
        cmocka_unit_test(model),
        cmocka_unit_test(threads),
        cmocka_unit_test(of_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
