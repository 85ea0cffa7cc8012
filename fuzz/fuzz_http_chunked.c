/* A body in chunks decodes the same whole and in pieces, to no more bytes than
 * came. */
#include "fuzz/fuzz.h"

#include "app/http/chunked.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void check(bool good)
{
    if (!good)
        abort();
}

struct result {
    char body[4096];
    size_t n_body, taken;
    long last;
    enum chunked_state state;
};

static void decode(struct result *r, const uint8_t *data, size_t size,
                   size_t step)
{
    struct chunked d = { 0 };
    char piece[sizeof(r->body)];

    memset(r, 0, sizeof(*r));
    while (r->taken < size && d.state != CHUNKED_DONE) {
        size_t n = size - r->taken < step ? size - r->taken : step, n_body = 0;

        memcpy(piece, data + r->taken, n);
        r->last = chunked_decode(&d, piece, n, &n_body);
        if (r->last < 0)
            break;
        check(n_body <= (size_t)r->last && (size_t)r->last <= n);
        memcpy(r->body + r->n_body, piece, n_body);
        r->n_body += n_body;
        r->taken += (size_t)r->last;
    }
    r->state = d.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, parts;
    size_t step;

    if (size < 2 || size > sizeof(whole.body))
        return 0;
    step = data[0] % 16 + 1u;
    decode(&whole, data + 1, size - 1, size - 1);
    decode(&parts, data + 1, size - 1, step);
    check(whole.state == parts.state);
    check((whole.last < 0) == (parts.last < 0));
    if (whole.last < 0) {
        check(whole.last == parts.last);
        return 0;
    }
    check(whole.n_body == parts.n_body && whole.taken == parts.taken);
    check(memcmp(whole.body, parts.body, whole.n_body) == 0);
    return 0;
}
