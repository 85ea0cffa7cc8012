/* What is taken as a head stays within its limits, is never taken from a
 * shorter input, and reads the same when it is written again from its parts. */
#include "fuzz/fuzz.h"

#include "app/http/http_head.h"

#include <stdlib.h>

static struct http_head a, b;

static void check(bool good)
{
    if (!good)
        abort();
}

static bool is_same(const struct http_head *x, const struct http_head *y)
{
    if (x->method != y->method || !slice_eq(x->target, y->target) ||
        !slice_eq(x->path, y->path) || !slice_eq(x->query, y->query) ||
        x->n_fields != y->n_fields ||
        x->content_length != y->content_length ||
        x->chunked != y->chunked || x->keep_alive != y->keep_alive || x->websocket != y->websocket)
        return false;
    for (size_t i = 0; i < x->n_fields; i++)
        if (!slice_eq(x->fields[i].name, y->fields[i].name) ||
            !slice_eq(x->fields[i].value, y->fields[i].value))
            return false;
    return true;
}

static void write_again(const struct http_head *h)
{
    static char text[2 * HTTP_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct http_fault f;

    writer_slice_put(&w, h->method_name);
    writer_char(&w, ' ');
    writer_slice_put(&w, h->target);
    writer_f(&w, " HTTP/1.%u\r\n", h->minor);
    for (size_t i = 0; i < h->n_fields; i++) {
        writer_slice_put(&w, h->fields[i].name);
        writer_str(&w, ":");
        writer_slice_put(&w, h->fields[i].value);
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "\r\n");
    check(w.err == 0 && w.len <= HTTP_HEAD_MAX);
    check(http_head_parse(&b, writer_slice(&w), &f) == (long)w.len);
    check(is_same(h, &b));
}

static void check_good(const struct http_head *h)
{
    struct slice rest = h->path, segment, out;
    char buf[256];

    check(h->content_length <= HTTP_BODY_MAX);
    check(h->n_fields <= HTTP_FIELDS_MAX);
    check(h->path.n > 0);
    for (size_t i = 0; i < h->path.n; i++)
        check((uint8_t)h->path.p[i] >= 0x20);
    while (rest.n) {
        slice_cut(&rest, '/', &segment);
        check(!slice_eq(segment, SLICE("..")));
    }
    check(h->chunked == (h->first[HTTP_HDR_TRANSFER_ENCODING] != NULL));
    check(!h->chunked || !h->first[HTTP_HDR_CONTENT_LENGTH]);
    http_query_get(h->query, SLICE("q"), buf, sizeof(buf), &out);
    http_cookie_get(h, SLICE("gb28181d"), &out);
    http_head_accepts(h, SLICE("gzip"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct http_fault f = { 0 };
    long n = http_head_parse(&a, in, &f), m;

    if (n == GB_EAGAIN)
        return 0;
    if (n < 0) {
        check(f.status >= 400 && f.status <= 505 && f.why && f.off <= size);
        return 0;
    }
    check(n > 0 && (size_t)n <= size && n <= HTTP_HEAD_MAX);
    check_good(&a);
    write_again(&a);
    /* one byte short is not whole, the head alone is */
    m = http_head_parse(&b, slice_head(in, (size_t)n - 1), &f);
    check(m == GB_EAGAIN);
    m = http_head_parse(&b, slice_head(in, (size_t)n), &f);
    check(m == n && is_same(&a, &b));
    return 0;
}
