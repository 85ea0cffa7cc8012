/* app/http/buf.h - a byte buffer on the heap that grows up to a limit
 *
 * The error is sticky as in base/writer.h: a run of appends is checked once. A
 * buffer that failed holds what was written before. */
#ifndef APP_HTTP_BUF_H
#define APP_HTTP_BUF_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"

struct buf {
    char *p;
    size_t len, cap;
    size_t max; /* never more bytes than this */
    int err;    /* 0, GB_ENOMEM or GB_ELIMIT */
    const struct gb_alloc *alloc;
};

/* Allocates nothing yet. */
void buf_init(struct buf *b, const struct gb_alloc *alloc, size_t max);

/* Frees the bytes; the buffer may be used again. Zeroed memory is fine. */
void buf_fini(struct buf *b);

/* At least n more bytes of room at b->p + b->len. 0 or b->err. */
int buf_room(struct buf *b, size_t n);

void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_slice(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *s); /* a C string of our own */
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);

/* printf, for text of our own; at most BUF_F_MAX bytes a call, else
 * GB_ELIMIT. */
#define BUF_F_MAX 1024
void buf_f(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct slice buf_view(const struct buf *b)
{
    return (struct slice){ b->p, b->len };
}
#endif
