/* app/platform/hooks_answer: what receivers of webhooks answer */
#include "app/platform/hooks_answer.h"
#include "test/support.h"

static void answers(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        long err; /* 0: all of in is the head */
        unsigned status;
        int64_t length; /* -1: not known */
        bool keeps;
        uint32_t after_s;
    } cases[] = {
        { "plain", S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), 0, 200, 5,
          true, 0 },
        { "no phrase", S("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n"), 0, 200, 0,
          true, 0 },
        { "closes", S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                      "Connection: x, Close\r\n\r\n"), 0, 200, 5, false, 0 },
        { "old", S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), 0, 200, 5,
          false, 0 },
        { "no length", S("HTTP/1.1 500 Oh\r\n\r\n"), 0, 500, -1, false, 0 },
        { "no content", S("HTTP/1.1 204 No Content\r\n\r\n"), 0, 204, 0, true,
          0 },
        { "interim", S("HTTP/1.1 100 Continue\r\n\r\n"), 0, 100, 0, true, 0 },
        { "chunked", S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                       "\r\n"), 0, 200, -1, false, 0 },
        { "later", S("HTTP/1.1 503 No\r\nRetry-After: 17\r\n"
                     "Content-Length: 0\r\n\r\n"), 0, 503, 0, true, 17 },
        { "later by date", S("HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec "
                             "1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"),
          0, 503, 0, true, 0 },
        { "later by date and its own", S("HTTP/1.1 429 No\r\nRetry-After: Fri, "
                                         "31 Dec 1999 23:59:59 GMT\r\nDate: "
                                         "Fri, 31 Dec 1999 23:58:49 GMT\r\n"
                                         "Content-Length: 0\r\n\r\n"),
          0, 429, 0, true, 70 },
        { "later by a date that was", S("HTTP/1.1 429 No\r\nDate: Fri, 31 Dec "
                                        "1999 23:59:59 GMT\r\nRetry-After: Fri,"
                                        " 31 Dec 1999 23:58:49 GMT\r\n"
                                        "Content-Length: 0\r\n\r\n"),
          0, 429, 0, true, 0 },
        { "much later", S("HTTP/1.1 503 No\r\nRetry-After: 99999999999\r\n"
                          "Content-Length: 0\r\n\r\n"),
          0, 503, 0, true, UINT32_MAX },
        { "later, but no number", S("HTTP/1.1 503 No\r\nRetry-After: 17s\r\n"
                                    "Content-Length: 0\r\n\r\n"),
          0, 503, 0, true, 0 },
        { "two equal lengths", S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                 "Content-Length: 5\r\n\r\n"), 0, 200, 5, true,
          0 },
        { "two lengths", S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                           "Content-Length: 6\r\n\r\n"), GB_ESYNTAX, 0, 0,
          false, 0 },
        { "a length that wraps", S("HTTP/1.1 200 OK\r\nContent-Length: "
                                   "18446744073709551617\r\n\r\n"), GB_ESYNTAX,
          0, 0, false, 0 },
        { "no HTTP", S("SSH-2.0-x\r\n\r\n"), GB_ESYNTAX, 0, 0, false, 0 },
        { "HTTP/2", S("HTTP/2.0 200 OK\r\n\r\n"), GB_ESYNTAX, 0, 0, false, 0 },
        { "status 99", S("HTTP/1.1 099 No\r\n\r\n"), GB_ESYNTAX, 0, 0, false,
          0 },
        { "status 600", S("HTTP/1.1 600 No\r\n\r\n"), GB_ESYNTAX, 0, 0, false,
          0 },
        { "no colon", S("HTTP/1.1 200 OK\r\nrubbish\r\n\r\n"), GB_ESYNTAX, 0, 0,
          false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hooks_answer a = { 0 };
        long n = hooks_answer_parse(&a, guarded(cases[i].in));

        if (n != (cases[i].err ? cases[i].err : (long)cases[i].in.n))
            fail_msg("%s: %ld", cases[i].name, n);
        if (n > 0 && (a.status != cases[i].status ||
                      a.is_known != (cases[i].length >= 0) ||
                      (a.is_known && a.length != (uint64_t)cases[i].length) ||
                      a.keeps != cases[i].keeps ||
                      a.retry_after_s != cases[i].after_s))
            fail_msg("%s: status %u, length %lld, keeps %d, after %u",
                     cases[i].name, a.status, (long long)a.length, a.keeps,
                     (unsigned)a.retry_after_s);
        for (size_t cut = 0; cut < cases[i].in.n; cut++)
            if (hooks_answer_parse(&a, guarded(slice_head(cases[i].in, cut))) >
                0)
                fail_msg("%s: cut at %zu", cases[i].name, cut);
    }
}

static void too_long(void **state)
{
    static char text[HOOKS_ANSWER_HEAD_MAX + 2];
    struct hooks_answer a;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(hooks_answer_parse(&a, slice_of(text, sizeof(text) - 2)),
                     GB_EAGAIN);
    assert_int_equal(hooks_answer_parse(&a, slice_of(text, sizeof(text))),
                     GB_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
