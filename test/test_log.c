/* app/net/log: one line an event, and no peer can write a line of its own */
#include "test/support.h"

#include "app/net/log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[32];
static int fd;

static void begin(enum log_level least, bool json)
{
    memcpy(path, "/tmp/gb28181d-log-XXXXXX", 25);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    log_init(fd, least, json);
}

/* What was written, behind the times; freed by the next call. */
static const char *written(void)
{
    static char text[6 * LOG_LINE_MAX];
    struct slice s = read_file(path);

    log_init(2, LOG_INFO, false);
    assert_true(s.n < sizeof(text));
    slice_copy(text, sizeof(text), s);
    free((void *)(uintptr_t)s.p);
    close(fd);
    unlink(path);
    return text;
}

static void lines(void **state)
{
    const char *got;

    (void)state;
    begin(LOG_WARN, false);
    log_f(LOG_ERROR, "msg=one n=%d", 1);
    log_f(LOG_WARN, "msg=two");
    log_f(LOG_INFO, "msg=three");
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    log_set_level(LOG_DEBUG);
    log_f(LOG_INFO, "msg=four");
    got = written();
    /* 2026-01-02T03:04:05.678Z */
    assert_memory_equal(got + 4, "-", 1);
    assert_memory_equal(got + 10, "T", 1);
    assert_memory_equal(got + 23, "Z error msg=one n=1\n", 20);
    assert_non_null(strstr(got, "Z warn msg=two\n"));
    assert_null(strstr(got, "three"));
    assert_non_null(strstr(got, "Z info msg=four\n"));
}

static void levels(void **state)
{
    static const struct {
        struct slice name;
        bool ok;
        enum log_level level;
    } cases[] = {
        { S("error"), true, LOG_ERROR }, { S("warn"), true, LOG_WARN },
        { S("info"), true, LOG_INFO },   { S("debug"), true, LOG_DEBUG },
        { S("trace"), true, LOG_TRACE }, { S("INFO"), false, 0 },
        { S(""), false, 0 },             { S("information"), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum log_level l = LOG_ERROR;

        if (log_level_parse(guarded(cases[i].name), &l) != cases[i].ok ||
            (cases[i].ok && l != cases[i].level))
            fail_msg("%.*s", SLICE_ARG(cases[i].name));
    }
}

static void quoted(void **state)
{
    static const struct {
        struct slice in;
        const char *want;
    } cases[] = {
        { S("plain"), "\"plain\"" },
        { S(""), "\"\"" },
        { S("a\nb=\"c\"\\\x7f"), "\"a\\x0ab=\\x22c\\x22\\x5c\\x7f\"" },
        { S("a\0b"), "\"a\\x00b\"" },
        { S("a\xff\xe9\x97"), "\"a\\xff\\xe9\\x97\"" },
        { S("门"), "\"门\"" },
    };
    static char many[4000];
    struct log_quoted q;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(log_quote(&q, guarded(cases[i].in)),
                            cases[i].want);
    memset(many, '\n', sizeof(many));
    log_quote(&q, slice_of(many, sizeof(many)));
    assert_int_equal(strlen(q.text), 4 * LOG_QUOTE_MAX + 2);
}

/* The same lines as JSON, one object each, whatever is in the values. */
static void json(void **state)
{
    static const struct {
        const char *line, *key, *value;
    } cases[] = {
        { "msg=plain n=7", "n", "7" },
        { "msg=\"two words\" peer=192.0.2.7:5060", "msg", "two words" },
        { "msg=x why=\"a\\x22b\\x0a\"", "why", "a\"b\n" },
        { "msg=x empty=", "empty", "" },
        { "msg=x empty=\"\" z=1", "z", "1" },
        { "msg=x path=a\\b", "path", "a\\b" },
        { "msg=x text=\"open", "msg", "x" },
        { "msg=x text=\"open", "text", "open" },
        { "msg=x a=b\x01\n\x7f", "a", "b\x01\n\x7f" },
        { "msg=x a=\"b\n\"", "a", "b\n" },
        { "msg=x a=\xff\xe9\x97", "a", "\xc3\xbf\xc3\xa9\xc2\x97" },
        { "msg=x a=\"\\\"\\\\\"", "a", "\"\\" },
        { "msg=x a=c:\\xyz", "a", "c:\\xyz" },
        { "msg=x a=\"cut \\x4", "a", "cut \\x4" },
        { "msg=x a=\"cut \\", "a", "cut \\" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_error_t e;
        json_t *o;
        const char *got;

        begin(LOG_INFO, true);
        log_f(LOG_WARN, "%s", cases[i].line);
        got = written();
        o = json_loads(got, 0, &e);
        if (!o)
            fail_msg("%s: %s", got, e.text);
        assert_string_equal(json_string_value(json_object_get(o, "level")),
                            "warn");
        assert_non_null(json_object_get(o, "time"));
        if (strcmp(json_string_value(json_object_get(o, cases[i].key)),
                   cases[i].value) != 0)
            fail_msg("%s", got);
        json_decref(o);
    }
}

/* A caller that forgot to quote: one line all the same. */
static void nobody_begins_a_line(void **state)
{
    static const char *const forged[] = {
        "1\nerror msg=forged", "1\r\x1b[2J", "\xff\xfe", "\xe9\x97",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(forged); i++) {
        const char *got;

        begin(LOG_INFO, false);
        log_f(LOG_INFO, "msg=alarm method=%s", forged[i]);
        got = written();
        assert_int_equal(got[strlen(got) - 1], '\n');
        for (size_t k = 0; k + 1 < strlen(got); k++)
            assert_in_range(got[k], 0x20, 0x7e);
    }
}

static void words(void **state)
{
    static const struct {
        struct slice in;
        const char *want;
    } cases[] = {
        { S("5"), "5" },
        { S(""), "" },
        { S("a.B_c-9"), "a.B_c-9" },
        { S("a b"), "\"a b\"" },
        { S("a=b"), "\"a=b\"" },
        { S("a\nb"), "\"a\\x0ab\"" },
        { S("\"a"), "\"\\x22a\"" },
    };
    struct log_quoted q;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(log_word(&q, guarded(cases[i].in)),
                            cases[i].want);
}

/* The longest lines, of what grows most in JSON. */
static void long_json(void **state)
{
    static const char *const pieces[] = {
        "a= ", "=\" ", "\x01", "\xff", "\\", "\"", "a=\"b", " =\" ", "\\x4",
    };
    static char much[2 * LOG_LINE_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t n = strlen(pieces[i]);
        json_error_t e;
        json_t *o;

        for (size_t k = 0; k + n < sizeof(much); k += n)
            memcpy(much + k, pieces[i], n + 1);
        begin(LOG_INFO, true);
        log_f(LOG_INFO, "%s", much);
        o = json_loads(written(), 0, &e);
        if (!o)
            fail_msg("%zu: %s", i, e.text);
        json_decref(o);
    }
}

static void long_lines(void **state)
{
    static char much[2 * LOG_LINE_MAX];
    const char *got;

    (void)state;
    memset(much, 'x', sizeof(much) - 1);
    begin(LOG_INFO, false);
    log_f(LOG_INFO, "msg=%s", much);
    log_f(LOG_INFO, "msg=next");
    got = written();
    assert_true(strchr(got, '\n') - got < LOG_LINE_MAX + 64);
    assert_non_null(strstr(got, "Z info msg=next\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(levels),
        cmocka_unit_test(quoted),
        cmocka_unit_test(json),
        cmocka_unit_test(nobody_begins_a_line),
        cmocka_unit_test(words),
        cmocka_unit_test(long_json),
        cmocka_unit_test(long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
