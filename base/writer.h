/* base/writer.h - append to caller storage, sticky error
 *
 * Nothing is written past cap. The first append that does not fit sets err to
 * GB_ENOMEM and every later one does nothing, so a run of appends is checked
 * once at its end. len never counts bytes that were not written. */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/err.h"
#include "base/slice.h"

#include <stdarg.h>

struct writer {
    char *p;    /* caller's storage */
    size_t cap; /* room in all */
    size_t len; /* written so far */
    int err;    /* 0 or the first error; callers may set their own */
};

static inline struct writer writer_of(void *p, size_t cap)
{
    return (struct writer){ p, cap, 0, 0 };
}

static inline struct slice writer_slice(const struct writer *w)
{
    return (struct slice){ w->p, w->len };
}

static inline void writer_bytes(struct writer *w, const void *p, size_t n)
{
    if (w->err)
        return;
    if (n > w->cap - w->len) {
        w->err = GB_ENOMEM;
        return;
    }
    if (n)
        /* NOLINTNEXTLINE(clang-analyzer-core.*): NULL has no room */
        memcpy(w->p + w->len, p, n);
    w->len += n;
}

static inline void writer_slice_put(struct writer *w, struct slice s)
{
    writer_bytes(w, s.p, s.n);
}

static inline void writer_char(struct writer *w, char c)
{
    writer_bytes(w, &c, 1);
}

/* A C string of our own. */
static inline void writer_str(struct writer *w, const char *s)
{
    writer_bytes(w, s, strlen(s));
}

void writer_u64(struct writer *w, uint64_t v);
void writer_i64(struct writer *w, int64_t v);

/* Decimal, zero padded to at least width digits. */
void writer_u64_pad(struct writer *w, uint64_t v, unsigned width);

/* Lower-case hex of n bytes. */
void writer_hex(struct writer *w, const void *p, size_t n);

/* printf, for text of our own; never with a peer's bytes as the format. */
void writer_f(struct writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void writer_vf(struct writer *w, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

void writer_be16(struct writer *w, uint16_t v);
void writer_be24(struct writer *w, uint32_t v);
void writer_be32(struct writer *w, uint32_t v);
void writer_be64(struct writer *w, uint64_t v);

/* How many octets there are before the first CR, LF or NUL. */
size_t writer_safe_run(struct slice s);

/* s with CR, LF and NUL taken out, so that no value of a peer or of the
 * configuration can begin a line of its own. */
void writer_line_safe(struct writer *w, struct slice s);

/* s to stand in quotes in a line for people: `instead` for quotes, backslashes and
 * all that is no visible ASCII, but for blanks. */
void writer_visible(struct writer *w, struct slice s, char instead);
#endif
