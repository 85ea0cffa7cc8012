#include "app/store/rows.h"

#include <stdlib.h>

struct store_rows *store_rows_new(void *ctx, uint64_t tag)
{
    struct store_rows *r = calloc(1, sizeof(*r));

    if (r) {
        r->ctx = ctx;
        r->tag = tag;
    }
    return r;
}

void store_rows_free(struct store_rows *r)
{
    if (!r)
        return;
    free(r->bytes);
    free(r->off);
    free(r);
}

/* Room for one more element behind n; the block may move. */
static bool room(void **p, size_t *cap, size_t n, size_t size)
{
    size_t more = *cap ? *cap : 64;
    void *new;

    if (n <= *cap)
        return true;
    while (more < n)
        more *= 2;
    new = calloc(more, size);
    if (!new)
        return false;
    if (*cap)
        memcpy(new, *p, *cap * size);
    free(*p);
    *p = new;
    *cap = more;
    return true;
}

void store_rows_put(struct store_rows *r, const void *p, size_t n)
{
    void *bytes = r->bytes, *off = r->off;

    if (r->err)
        return;
    if (!room(&off, &r->cap_off, r->n_off + 1, sizeof(*r->off)) ||
        (r->off = off, !room(&bytes, &r->cap, r->len + n + 1, 1))) {
        r->err = GB_ENOMEM;
        return;
    }
    r->bytes = bytes;
    r->off[r->n_off++] = p ? r->len : STORE_NULL;
    if (!p)
        return;
    slice_copy(r->bytes + r->len, n + 1, slice_of(p, n));
    r->len += n + 1;
}

static size_t at(const struct store_rows *r, size_t row, size_t column)
{
    size_t i = row * r->columns + column;

    return row < r->n && column < r->columns && i < r->n_off ? r->off[i]
                                                             : STORE_NULL;
}

bool store_rows_is_null(const struct store_rows *r, size_t row, size_t column)
{
    return at(r, row, column) == STORE_NULL;
}

struct slice store_rows_text(const struct store_rows *r, size_t row,
                             size_t column)
{
    size_t off = at(r, row, column);

    return off == STORE_NULL ? slice_of("", 0) : slice_str(r->bytes + off);
}

int64_t store_rows_i64(const struct store_rows *r, size_t row, size_t column)
{
    uint64_t v = 0;

    slice_u64(store_rows_text(r, row, column), INT64_MAX, &v);
    return (int64_t)v;
}
