#include "app/http/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define BUF_FIRST 512 /* bytes of the first allocation */

void buf_init(struct buf *b, const struct gb_alloc *alloc, size_t max)
{
    *b = (struct buf){ .alloc = alloc, .max = max };
}

void buf_fini(struct buf *b)
{
    if (b->p)
        gb_put(b->alloc, b->p);
    b->p = NULL;
    b->len = b->cap = 0;
    b->err = 0;
}

int buf_room(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST;
    char *p;

    if (b->err)
        return b->err;
    if (n > b->max - b->len)
        return b->err = GB_ELIMIT;
    if (n <= b->cap - b->len)
        return 0;
    while (cap - b->len < n)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    p = gb_get(b->alloc, cap);
    if (!p)
        return b->err = GB_ENOMEM;
    if (b->len)
        memcpy(p, b->p, b->len);
    if (b->p)
        gb_put(b->alloc, b->p);
    b->p = p;
    b->cap = cap;
    return 0;
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
    if (buf_room(b, n) || n == 0)
        return;
    memcpy(b->p + b->len, p, n);
    b->len += n;
}

void buf_slice(struct buf *b, struct slice s)
{
    buf_bytes(b, s.p, s.n);
}

void buf_str(struct buf *b, const char *s)
{
    buf_bytes(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_bytes(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v)
{
    char text[20];
    size_t n = 0;

    do {
        text[sizeof(text) - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_bytes(b, text + sizeof(text) - n, n);
}

void buf_f(struct buf *b, const char *fmt, ...)
{
    char text[BUF_F_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        if (!b->err)
            b->err = GB_ELIMIT;
        return;
    }
    buf_bytes(b, text, (size_t)n);
}
