/* Request heads: what is taken, what is refused and how it is answered. */
#include "test/support.h"

#include "app/http/http_head.h"

#include <stdio.h>
#include <stdlib.h>

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"

static void good_heads(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        enum http_method method;
        const char *path, *query, *host;
        bool keep_alive;
        uint64_t length;
        size_t rest; /* bytes behind the head */
    } cases[] = {
        { "plain", S(GET "\r\n"), HTTP_GET, "/", "", "h", true, 0, 0 },
        { "empty lines before", S("\r\n\r\n" GET "\r\n"), HTTP_GET, "/", "",
          "h", true, 0, 0 },
        { "query", S("GET /a?x=1&y=%20 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
          HTTP_GET, "/a", "x=1&y=%20", "h:80", true, 0, 0 },
        { "decoded once", S("GET /%2541%20b HTTP/1.1\r\nHost: h\r\n\r\n"),
          HTTP_GET, "/%41 b", "", "h", true, 0, 0 },
        { "absolute target",
          S("GET http://other:8080/p?q HTTP/1.1\r\nHost: h\r\n\r\n"), HTTP_GET,
          "/p", "q", "other:8080", true, 0, 0 },
        { "absolute target without a path",
          S("GET http://other:8080 HTTP/1.1\r\nHost: h\r\n\r\n"), HTTP_GET,
          "/", "", "other:8080", true, 0, 0 },
        { "absolute target of a query alone",
          S("GET HTTPS://other?a=/b HTTP/1.1\r\nHost: h\r\n\r\n"), HTTP_GET,
          "/", "a=/b", "other", true, 0, 0 },
        { "a server by its URL",
          S("OPTIONS http://other:8080 HTTP/1.1\r\nHost: h\r\n\r\n"),
          HTTP_OPTIONS, "*", "", "other:8080", true, 0, 0 },
        { "asterisk", S("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), HTTP_OPTIONS,
          "*", "", "h", true, 0, 0 },
        { "1.0 closes", S("GET / HTTP/1.0\r\n\r\n"), HTTP_GET, "/", "", "",
          false, 0, 0 },
        { "1.0 kept", S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
          HTTP_GET, "/", "", "", true, 0, 0 },
        { "close", S(GET "Connection: x, Close\r\n\r\n"), HTTP_GET, "/", "",
          "h", false, 0, 0 },
        { "later minor", S("GET / HTTP/1.9\r\nHost: h\r\n\r\n"), HTTP_GET, "/",
          "", "h", true, 0, 0 },
        { "body", S("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
                    "abc"),
          HTTP_POST, "/x", "", "h", true, 3, 3 },
        { "no blank behind the colon",
          S("PUT /x HTTP/1.1\r\nHost:h\r\ncontent-length:0\r\n\r\n"), HTTP_PUT,
          "/x", "", "h", true, 0, 0 },
        { "unknown method", S("BREW /x HTTP/1.1\r\nHost: h\r\n\r\n"),
          HTTP_METHOD_OTHER, "/x", "", "h", true, 0, 0 },
        { "dots inside a name", S("GET /a..b/.c HTTP/1.1\r\nHost: h\r\n\r\n"),
          HTTP_GET, "/a..b/.c", "", "h", true, 0, 0 },
        { "IPv6 host", S("GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"), HTTP_GET,
          "/", "", "[::1]:81", true, 0, 0 },
        { "other upgrades are ignored",
          S(GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"), HTTP_GET, "/",
          "", "h", true, 0, 0 },
    };
    static struct http_head h;
    struct http_fault f;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        long n = http_head_parse(&h, guarded(cases[i].in), &f);

        if (n != (long)(cases[i].in.n - cases[i].rest))
            fail_msg("%s: %ld, %u %s", cases[i].name, n, f.status, f.why);
        if (h.method != cases[i].method ||
            !slice_eq(h.path, slice_str(cases[i].path)) ||
            !slice_eq(h.query, slice_str(cases[i].query)) ||
            !slice_eq(h.host, slice_str(cases[i].host)) ||
            h.keep_alive != cases[i].keep_alive ||
            h.content_length != cases[i].length || h.websocket)
            fail_msg("%s: path \"%.*s\" query \"%.*s\" host \"%.*s\"",
                     cases[i].name, SLICE_ARG(h.path), SLICE_ARG(h.query),
                     SLICE_ARG(h.host));
    }
}

#define CL "Content-Length: "
#define TE "Transfer-Encoding: "
#define WS                                                                     \
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"

static const struct {
    const char *name;
    struct slice in;
    unsigned status;
} refused_heads[] = {
    { "two lengths", S(GET CL "1\r\n" CL "1\r\n\r\n"), 400 },
    { "list of lengths", S(GET CL "1, 1\r\n\r\n"), 400 },
    { "signed length", S(GET CL "+1\r\n\r\n"), 400 },
    { "hex length", S(GET CL "0x10\r\n\r\n"), 400 },
    { "empty length", S(GET CL "\r\n\r\n"), 400 },
    { "blank inside a length", S(GET CL "1 2\r\n\r\n"), 400 },
    { "length beyond 64 bits", S(GET CL "18446744073709551617\r\n\r\n"),
      413 },
    { "long body", S(GET CL "1048577\r\n\r\n"), 413 },
    { "coding and length", S(GET TE "chunked\r\n" CL "3\r\n\r\n"), 400 },
    { "length and coding", S(GET CL "3\r\n" TE "chunked\r\n\r\n"), 400 },
    { "two codings", S(GET TE "chunked\r\n" TE "chunked\r\n\r\n"), 400 },
    { "coding with a parameter", S(GET TE "chunked;q=1\r\n\r\n"), 501 },
    { "coding twice in one", S(GET TE "chunked, chunked\r\n\r\n"), 501 },
    { "no coding", S(GET TE "\r\n\r\n"), 501 },
    { "identity", S(GET TE "identity\r\n\r\n"), 501 },
    { "other coding", S(GET TE "gzip, chunked\r\n\r\n"), 501 },
    { "hidden coding", S(GET TE "\vchunked\r\n\r\n"), 400 },
    { "coding in 1.0", S("POST / HTTP/1.0\r\n" TE "chunked\r\n\r\n"), 400 },
    { "blank before the colon", S(GET "Content-Length : 3\r\n\r\n"), 400 },
    { "folded", S(GET "X: a\r\n b\r\n\r\n"), 400 },
    { "fold at first", S("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400 },
    { "LF alone", S("GET / HTTP/1.1\nHost: h\n\n"), 400 },
    { "LF in the fields", S(GET "X: y\n\r\n"), 400 },
    { "LF at the end", S(GET "\n"), 400 },
    { "CR in a value", S(GET "X: a\rb\r\n\r\n"), 400 },
    { "NUL in a value", S(GET "X: a\0b\r\n\r\n"), 400 },
    { "control in a value", S(GET "X: a\x01\r\n\r\n"), 400 },
    { "no colon", S(GET "X\r\n\r\n"), 400 },
    { "no name", S(GET ": x\r\n\r\n"), 400 },
    { "bad name", S(GET "X(y): x\r\n\r\n"), 400 },
    { "no host", S("GET / HTTP/1.1\r\n\r\n"), 400 },
    { "two hosts", S(GET "Host: h\r\n\r\n"), 400 },
    { "bad host", S("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400 },
    { "host with quotes", S("GET / HTTP/1.1\r\nHost: \"h\"\r\n\r\n"), 400 },
    { "two authorizations",
      S(GET "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n"),
      400 },
    { "version 2", S("PRI * HTTP/2.0\r\n\r\n"), 505 },
    { "version 0.9", S("GET /\r\n\r\n"), 400 },
    { "lower-case version", S("GET / http/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "long version", S("GET / HTTP/1.10\r\nHost: h\r\n\r\n"), 400 },
    { "two blanks", S("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "tab", S("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "blank at the end", S("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), 400 },
    { "bad method", S("G@T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "no method", S(" / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "no slash", S("GET index HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "asterisk for GET", S("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "connect", S("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "fragment", S("GET /#a HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "dot dot", S("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "dot dot at the end", S("GET /.. HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "escaped dot dot", S("GET /%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n"),
      400 },
    { "escaped slash", S("GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "escaped NUL", S("GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "escaped LF", S("GET /a%0a HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "half an escape", S("GET /a%4 HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "bad escape", S("GET /a%4g HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "8-bit target", S("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "user in the target",
      S("GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "no host in the target",
      S("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "no host in the target, but a query",
      S("GET http://?a HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    { "unknown expectation", S(GET "Expect: tea\r\n\r\n"), 417 },
    { "websocket 8",
      S(GET WS "Sec-WebSocket-Version: 8\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
      426 },
    { "websocket key",
      S(GET WS "Sec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n"),
      400 },
    { "websocket with a body",
      S(GET WS "Sec-WebSocket-Version: 13\r\nContent-Length: 1\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
      400 },
};

static void bad_heads(void **state)
{
    static struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(refused_heads); i++) {
        struct http_fault f = { 0 };
        long n = http_head_parse(&h, guarded(refused_heads[i].in), &f);

        if (n >= 0 || n == GB_EAGAIN || f.status != refused_heads[i].status || !f.why)
            fail_msg("%s: %ld, status %u, want %u", refused_heads[i].name, n,
                     f.status, refused_heads[i].status);
        assert_true(f.off <= refused_heads[i].in.n);
    }
}

static void websocket(void **state)
{
    static const struct slice in = S(
        GET WS "Sec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    static struct http_head h;
    struct http_fault f;

    (void)state;
    assert_int_equal(http_head_parse(&h, guarded(in), &f), in.n);
    assert_true(h.websocket);
}

#define PROTOCOL(text) "Sec-WebSocket-Protocol: " text "\r\n"
#define LONG64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The first of those offered that can be chosen. */
static void websocket_protocols(void **state)
{
    static const struct {
        const char *fields;
        struct slice chosen;
    } cases[] = {
        { "", SLICE_INIT("") },
        { PROTOCOL("flv"), SLICE_INIT("flv") },
        { PROTOCOL("binary, flv"), SLICE_INIT("binary") },
        { PROTOCOL(" , ,fmp4,flv"), SLICE_INIT("fmp4") },
        { PROTOCOL("a b, \"x\", a/b, v1.x"), SLICE_INIT("v1.x") },
        { PROTOCOL("") PROTOCOL("flv"), SLICE_INIT("flv") },
        { PROTOCOL(LONG64 "x, flv"), SLICE_INIT("flv") },
        { PROTOCOL(LONG64), SLICE_INIT(LONG64) },
        { PROTOCOL("\xe4"), SLICE_INIT("") },
    };
    static struct http_head h;
    struct http_fault f;
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text),
                 GET WS "%sSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                 cases[i].fields);
        assert_true(http_head_parse(&h, guarded(slice_str(text)), &f) > 0);
        if (!slice_eq(http_head_ws_protocol(&h), cases[i].chosen))
            fail_msg("%s", cases[i].fields);
    }
}

/* A proper prefix is never a whole head. */
static void every_cut(void **state)
{
    static const struct slice in = S(
        "POST /api/v1/x?y=%41 HTTP/1.1\r\nHost: host:1\r\nX-Long: a, b ; c\r\n"
        "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    static struct http_head h;
    struct http_fault f;

    (void)state;
    for (size_t n = 0; n < in.n; n++)
        assert_int_equal(http_head_parse(&h, guarded(slice_head(in, n)), &f),
                         GB_EAGAIN);
    assert_int_equal(http_head_parse(&h, guarded(in), &f), in.n);
    assert_true(h.expect_continue);
}

static long parse_filled(size_t n_fields, size_t value, unsigned *status)
{
    static struct http_head h;
    static char text[3 * HTTP_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct http_fault f = { 0 };
    long n;

    writer_str(&w, GET);
    for (size_t i = 1; i < n_fields; i++) {
        writer_f(&w, "X-%zu: ", i);
        for (size_t k = 0; k < value; k++)
            writer_char(&w, 'v');
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    n = http_head_parse(&h, writer_slice(&w), &f);
    *status = f.status;
    return n;
}

static void limits(void **state)
{
    static char line[HTTP_HEAD_MAX + 100];
    static struct http_head h;
    struct http_fault f = { 0 };
    struct slice s = { line, sizeof(line) };
    unsigned status;

    (void)state;
    assert_true(parse_filled(HTTP_FIELDS_MAX, 1, &status) > 0);
    assert_int_equal(parse_filled(HTTP_FIELDS_MAX + 1, 1, &status), GB_ELIMIT);
    assert_int_equal(status, 431);
    assert_true(parse_filled(2, HTTP_HEAD_MAX - 40, &status) > 0);
    assert_int_equal(parse_filled(2, HTTP_HEAD_MAX, &status), GB_ELIMIT);
    assert_int_equal(status, 431);

    memset(line, 'a', sizeof(line));
    assert_int_equal(http_head_parse(&h, s, &f), GB_ELIMIT);
    assert_int_equal(f.status, 414);
    memcpy(line, "GET /", 5); /* a path beyond HTTP_PATH_MAX, a short head */
    memcpy(line + HTTP_PATH_MAX + 5, " HTTP/1.1\r\nHost: h\r\n\r\n", 22);
    assert_int_equal(http_head_parse(&h, s, &f), GB_ELIMIT);
    assert_int_equal(f.status, 414);
    memcpy(line + HTTP_PATH_MAX + 4, " HTTP/1.1\r\nHost: h\r\n\r\n", 22);
    assert_true(http_head_parse(&h, s, &f) > 0);
    assert_int_equal(h.path.n, HTTP_PATH_MAX);
}

static void queries(void **state)
{
    static const struct {
        struct slice query;
        const char *name;
        int err;
        const char *value;
    } cases[] = {
        { S("a=1&b=2"), "b", 0, "2" },
        { S("a=1&a=2"), "a", 0, "1" },
        { S("a"), "a", 0, "" },
        { S("a=b=c"), "a", 0, "b=c" },
        { S("a=%e4%bd%a0+x%2B"), "a", 0, "\xe4\xbd\xa0 x+" },
        { S("%61=1"), "a", 0, "1" },
        { S(""), "a", GB_ENOENT, "" },
        { S("&&"), "a", GB_ENOENT, "" },
        { S("ab=1"), "a", GB_ENOENT, "" },
        { S("a=%"), "a", GB_ESYNTAX, "" },
        { S("a=%0"), "a", GB_ESYNTAX, "" },
        { S("a=%00"), "a", GB_ESYNTAX, "" },
        { S("a=0123456789abcdefg"), "a", GB_ELIMIT, "" },
    };
    char buf[16];
    uint32_t v = 7;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice out = { 0 };
        int err = http_query_get(guarded(cases[i].query),
                                 slice_str(cases[i].name), buf, sizeof(buf),
                                 &out);

        if (err != cases[i].err || !slice_eq(out, slice_str(cases[i].value)))
            fail_msg("%.*s: %s, \"%.*s\"", SLICE_ARG(cases[i].query),
                     gb_strerror(err), SLICE_ARG(out));
    }
    assert_int_equal(http_query_u32(SLICE("n=5"), SLICE("n"), 9, &v), 0);
    assert_int_equal(v, 5);
    assert_int_equal(http_query_u32(SLICE("m=5"), SLICE("n"), 9, &v), 0);
    assert_int_equal(v, 5);
    assert_int_equal(http_query_u32(SLICE("n=10"), SLICE("n"), 9, &v),
                     GB_ERANGE);
    assert_int_equal(http_query_u32(SLICE("n="), SLICE("n"), 9, &v),
                     GB_ESYNTAX);
    assert_int_equal(http_query_u32(SLICE("n=-1"), SLICE("n"), 9, &v),
                     GB_ESYNTAX);
}

/* What is escaped comes back. */
static void escapes(void **state)
{
    char all[255], text[800], back[255];
    struct writer w = writer_of(text, sizeof(text));
    struct slice out;

    (void)state;
    for (unsigned i = 0; i < sizeof(all); i++)
        all[i] = (char)(i + 1);
    http_escape(&w, slice_of(all, sizeof(all)));
    assert_int_equal(w.err, 0);
    assert_int_equal(http_unescape(writer_slice(&w), true, back, sizeof(back),
                                   &out), 0);
    assert_true(slice_eq(out, slice_of(all, sizeof(all))));
}

static void parse(struct http_head *h, const char *fields)
{
    static char text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct http_fault f;

    writer_str(&w, GET);
    writer_str(&w, fields);
    writer_str(&w, "\r\n");
    assert_true(http_head_parse(h, writer_slice(&w), &f) > 0);
}

static void cookies(void **state)
{
    static const struct {
        const char *fields;
        const char *value; /* NULL: absent */
    } cases[] = {
        { "Cookie: s=1\r\n", "1" },
        { "Cookie: a=0; s=1\r\n", "1" },
        { "Cookie: a=0\r\nCookie: s=2;b=1\r\n", "2" },
        { "Cookie: s=\"q\"\r\n", "q" },
        { "Cookie: s=a=b\r\n", "a=b" },
        { "Cookie: xs=1\r\n", NULL },
        { "Cookie: s\r\n", NULL },
        { "X: s=1\r\n", NULL },
    };
    static struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice v = { 0 };
        bool got;

        parse(&h, cases[i].fields);
        got = http_cookie_get(&h, SLICE("s"), &v);
        if (got != (cases[i].value != NULL) ||
            (got && !slice_eq(v, slice_str(cases[i].value))))
            fail_msg("%s", cases[i].fields);
    }
}

static void accepts(void **state)
{
    static const struct {
        const char *fields;
        bool gzip;
    } cases[] = {
        { "", false },
        { "Accept-Encoding: gzip\r\n", true },
        { "Accept-Encoding: br, GZIP;q=0.5\r\n", true },
        { "Accept-Encoding: gzip;q=0\r\n", false },
        { "Accept-Encoding: gzip ; q=0.000, *\r\n", false },
        { "Accept-Encoding: *\r\n", true },
        { "Accept-Encoding: *;q=0\r\n", false },
        { "Accept-Encoding: gzipped\r\n", false },
        { "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true },
    };
    static struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        parse(&h, cases[i].fields);
        if (http_head_accepts(&h, SLICE("gzip")) != cases[i].gzip)
            fail_msg("%s", cases[i].fields);
    }
}

/* Parts of files and a full disk had none. */
static void phrases(void **state)
{
    (void)state;
    assert_string_equal(http_reason(206), "Partial Content");
    assert_string_equal(http_reason(416), "Range Not Satisfiable");
    assert_string_equal(http_reason(507), "Insufficient Storage");
    assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads), cmocka_unit_test(bad_heads),
        cmocka_unit_test(websocket),
        cmocka_unit_test(websocket_protocols),  cmocka_unit_test(every_cut),
        cmocka_unit_test(limits),     cmocka_unit_test(queries),
        cmocka_unit_test(escapes),    cmocka_unit_test(cookies),
        cmocka_unit_test(accepts),    cmocka_unit_test(phrases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
