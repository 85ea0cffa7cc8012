/* The input is a script of writer calls. Whatever the order: a writer that
 * says it is complete has written what jansson reads; text that is UTF-8 comes
 * back the same. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "app/http/json.h"
#include "app/http/stream.h"
#include "base/utf8.h"

#include <jansson.h>
#include <stdlib.h>

/* The next n bytes of the script, or what is left. */
static struct slice cut(struct slice *in, size_t n)
{
    struct slice s = slice_head(*in, n);

    *in = slice_from(*in, n);
    return s;
}

static void call(struct jw *j, struct slice *in)
{
    uint8_t op = (uint8_t)cut(in, 1).p[0];

    switch (op % 9) {
    case 0:
        jw_object(j);
        break;
    case 1:
        jw_array(j);
        break;
    case 2:
        jw_end(j);
        break;
    case 3:
        jw_key(j, op & 16 ? "key" : op & 32 ? "k2" : "k\"3");
        break;
    case 4:
        jw_str(j, cut(in, op >> 4));
        break;
    case 5:
        jw_u64(j, (uint64_t)op * op * op);
        break;
    case 6:
        jw_i64(j, -(int64_t)op);
        break;
    case 7:
        jw_double(j, op / 7.0);
        break;
    case 8:
        jw_put_time(j, "t", (int64_t)op * 12345678901);
        break;
    }
}

static void string_comes_back(struct slice text)
{
    struct buf b;
    struct jw j = jw_to(&b);
    struct slice left = text;
    json_t *root;

    buf_init(&b, &memory_alloc, 1 << 20);
    jw_str(&j, text);
    root = json_loadb(b.p, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!jw_is_complete(&j) || !json_is_string(root))
        abort();
    while (left.n) {
        size_t n = utf8_len(left.p, left.n);

        if (n == 0)
            break;
        left = slice_from(left, n);
    }
    if (left.n == 0 &&
        !slice_eq(text, slice_of(json_string_value(root),
                                 json_string_length(root))))
        abort();
    json_decref(root);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct http_mse_request mse;
    struct buf b;
    struct jw j = jw_to(&b);

    if (size > 4096)
        return 0;
    string_comes_back(in);
    if (http_mse_parse(&mse, in) == 0)
        http_mse_accepts(&mse, SLICE("avc1.640029"));
    buf_init(&b, &memory_alloc, 1 << 20);
    while (in.n)
        call(&j, &in);
    if (jw_is_complete(&j)) {
        json_t *root = json_loadb(b.p, b.len,
                                  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        if (!root)
            abort();
        json_decref(root);
    }
    buf_fini(&b);
    memory_end();
    return 0;
}
