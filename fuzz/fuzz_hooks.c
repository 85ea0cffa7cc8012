/* fuzz_hooks - what the first byte says: a URL of a webhook, the head of its
 * receiver's answer, a Range, lines of the store. What is taken lies inside the
 * input, and is the same when it is written and read again. */
#include "app/http/http_head.h"
#include "app/platform/history.h"
#include "app/platform/hooks.h"
#include "app/platform/hooks_answer.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

static void inside(struct slice part, struct slice whole)
{
    if (part.n &&
        (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void url(struct slice in)
{
    struct hooks_url u;

    if (hooks_url_parse(&u, in))
        return;
    inside(u.host, in);
    inside(u.path, in);
    if (u.host.n == 0 || u.port == 0 ||
        slice_find(u.authority, '@') < u.authority.n)
        abort();
    for (size_t i = 0; i < in.n; i++) /* nothing that could end a line */
        if ((unsigned char)in.p[i] <= 0x20 || (unsigned char)in.p[i] >= 0x7f)
            abort();
}

/* A head is a head however much follows, and none when it is cut. */
static void answer(struct slice in)
{
    struct hooks_answer a, b;
    long n = hooks_answer_parse(&a, in);

    if (n <= 0)
        return;
    if ((size_t)n > in.n || a.status < 100 || a.status > 599 ||
        hooks_answer_parse(&b, slice_head(in, (size_t)n)) != n ||
        a.status != b.status || a.keeps != b.keeps || a.length != b.length ||
        hooks_answer_parse(&b, slice_head(in, (size_t)n - 1)) > 0)
        abort();
}

static void range(struct slice in)
{
    uint64_t len = in.n ? (uint8_t)in.p[0] * 1001u : 0, off, n;

    if (http_range(slice_from(in, 1), len, &off, &n) &&
        (off > len || n > len - off))
        abort();
}

static void line(struct slice in)
{
    struct history_causes causes = { 0 };
    struct history *h = NULL, *again = NULL;
    char text[2][16384];
    struct writer w[2] = { writer_of(text[0], sizeof(text[0])),
                           writer_of(text[1], sizeof(text[1])) };

    history_read(&h, &causes, &gb_alloc_heap, in);
    history_write(&w[0], h, &causes);
    history_read(&again, &causes, &gb_alloc_heap, writer_slice(&w[0]));
    history_write(&w[1], again, &causes);
    if (!w[0].err && !slice_eq(writer_slice(&w[0]), writer_slice(&w[1])))
        abort();
    gb_put(&gb_alloc_heap, h);
    gb_put(&gb_alloc_heap, again);
    history_causes_fini(&causes, &gb_alloc_heap);
}

static void policy(struct slice in)
{
    char text[PLATFORM_POLICY_TEXT_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct platform_policy y, again;

    platform_policy_read(&y, in);
    platform_policy_write(&w, &y);
    platform_policy_read(&again, writer_slice(&w));
    if (w.err || memcmp(&y, &again, sizeof(y)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static void (*const what[])(struct slice) = { url, answer, range, line,
                                                  policy };

    if (n)
        what[p[0] % (sizeof(what) / sizeof(*what))](
            slice_of((const char *)p + 1, n - 1));
    return 0;
}
