/* app/http/chunked: bodies in chunks, whole and cut anywhere, good and hostile */
#include "test/support.h"

#include <stdlib.h>

#include "app/http/chunked.h"

struct chunk_case {
    const char *name;
    struct slice in;
    const char *body; /* NULL: refused with err */
    size_t rest;      /* bytes behind it */
    int err;
};

#define EIGHT "12345678"
#define SIXTY4 EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
#define K256 SIXTY4 SIXTY4 SIXTY4 SIXTY4

static const struct chunk_case cases[] = {
    { "empty", S("0\r\n\r\n"), "", 0, 0 },
    { "one", S("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, 0 },
    { "two, and a request", S("1\r\na\r\n2\r\nbc\r\n0\r\n\r\nGET /"), "abc", 5,
      0 },
    { "zeros before", S("00000005\r\nhello\r\n000\r\n\r\n"), "hello", 0, 0 },
    { "hex, both cases", S("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
      "01234567890123456789", 0, 0 },
    { "extensions", S("3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n"), "abc", 0, 0 },
    { "trailers", S("1\r\na\r\n0\r\nX: y\r\nZ:\tz\r\n\r\n!"), "a", 1, 0 },
    { "CR LF inside", S("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n", 0, 0 },
    { "an end inside", S("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "0\r\n\r\n", 0, 0 },
    { "the longest extension", S("1;" K256 "\r\na\r\n0\r\n\r\n"), "a", 0, 0 },
    { "an extension too long", S("1;" K256 "1\r\na\r\n0\r\n\r\n"), NULL, 0,
      GB_ELIMIT },
    { "no size", S("\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "no size, an extension", S(";x\r\n\r\n"), NULL, 0, GB_ESYNTAX },
    { "signed", S("+5\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "negative", S("-1\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "0x", S("0x5\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "blank before", S(" 5\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "blank behind", S("5 \r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "tab before an extension", S("5\t;a\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "33 bits", S("100000005\r\nhello\r\n"), NULL, 0, GB_ELIMIT },
    { "65 bits", S("10000000000000005\r\nhello\r\n"), NULL, 0, GB_ELIMIT },
    { "LF alone", S("5\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "LF behind the data", S("5\r\nhello\n0\r\n\r\n"), NULL, 0, GB_ESYNTAX },
    { "CR alone", S("5\rhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "LF in an extension", S("5;a\n\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "NUL in an extension", S("5;\0\r\nhello\r\n"), NULL, 0, GB_ESYNTAX },
    { "longer than told", S("5\r\nhello!\r\n0\r\n\r\n"), NULL, 0, GB_ESYNTAX },
    { "shorter than told", S("6\r\nhello\r\n0\r\n\r\n"), NULL, 0, GB_ESYNTAX },
    { "no CR LF behind the data", S("5\r\nhello0\r\n\r\n"), NULL, 0,
      GB_ESYNTAX },
    { "LF in a trailer", S("0\r\nX: a\nb\r\n\r\n"), NULL, 0, GB_ESYNTAX },
    { "LF ends it", S("0\r\n\n"), NULL, 0, GB_ESYNTAX },
    { "CR and no LF ends it", S("0\r\n\rG"), NULL, 0, GB_ESYNTAX },
    { "CR in a trailer", S("0\r\nX: a\rb\r\n\r\n"), NULL, 0, GB_ESYNTAX },
};

/* Fed in steps of so many bytes, the first of them `first`. */
static void feed(const struct chunk_case *k, size_t first, size_t step)
{
    struct chunked d = { 0 };
    char body[1024];
    size_t at = 0, n_body = 0, n = first;
    long took = 0;

    while (at < k->in.n && d.state != CHUNKED_DONE && took >= 0) {
        size_t some = 0;
        char *p;

        n = n < k->in.n - at ? n : k->in.n - at;
        p = malloc(n); /* one byte beyond, and the sanitizer tells */
        assert_non_null(p);
        memcpy(p, k->in.p + at, n);
        took = chunked_decode(&d, p, n, &some);
        if (took >= 0) {
            assert_true((size_t)took <= n && some <= (size_t)took);
            assert_true((size_t)took == n || d.state == CHUNKED_DONE);
            memcpy(body + n_body, p, some);
            n_body += some;
            at += (size_t)took;
        }
        free(p);
        n = step;
    }
    if (!k->body) {
        if (took != k->err)
            fail_msg("%s: %ld", k->name, took);
        return;
    }
    if (d.state != CHUNKED_DONE || k->in.n - at != k->rest ||
        n_body != strlen(k->body) || memcmp(body, k->body, n_body))
        fail_msg("%s: %zu of %zu bytes, body %.*s", k->name, at, k->in.n,
                 (int)n_body, body);
}

static void at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        feed(&cases[i], cases[i].in.n, 1);
}

static void every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t cut = 1; cut < cases[i].in.n; cut++)
            feed(&cases[i], cut, cases[i].in.n);
        for (size_t step = 1; step < 8; step++)
            feed(&cases[i], step, step);
    }
}

/* Trailers end somewhere; and what never ends is never whole. */
static void limits(void **state)
{
    struct chunked d = { 0 };
    char line[64], zero[] = "0\r\n";
    size_t n, sum = 0;
    long took;

    (void)state;
    assert_int_equal(chunked_decode(&d, zero, 3, &n), 3);
    do {
        memcpy(line, "X: 345678901234567890123456789\r\n", 32);
        took = chunked_decode(&d, line, 32, &n);
        sum += 30;
    } while (took == 32);
    assert_int_equal(took, GB_ELIMIT);
    assert_in_range(sum, CHUNKED_TRAILER_MAX, CHUNKED_TRAILER_MAX + 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
