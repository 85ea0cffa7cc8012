#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>

/* Two digits for each number below 100. */
static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void writer_u64_pad(struct writer *w, uint64_t v, unsigned width)
{
    char buf[32], *const end = buf + sizeof(buf), *at = end;

    if (width > sizeof(buf))
        width = sizeof(buf);
    for (; v >= 100; v /= 100)
        memcpy(at -= 2, pairs + v % 100 * 2, 2);
    if (v >= 10)
        memcpy(at -= 2, pairs + v * 2, 2);
    else
        *--at = (char)('0' + v);
    while (end - at < (ptrdiff_t)width)
        *--at = '0';
    writer_bytes(w, at, (size_t)(end - at));
}

void writer_u64(struct writer *w, uint64_t v)
{
    writer_u64_pad(w, v, 1);
}

void writer_i64(struct writer *w, int64_t v)
{
    if (v < 0)
        writer_char(w, '-');
    writer_u64(w, v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v);
}

void writer_hex(struct writer *w, const void *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++) {
        writer_char(w, digit[b[i] >> 4]);
        writer_char(w, digit[b[i] & 15]);
    }
}

void writer_f(struct writer *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    writer_vf(w, fmt, ap);
    va_end(ap);
}

void writer_vf(struct writer *w, const char *fmt, va_list ap)
{
    size_t left = w->cap - w->len;
    int n;

    if (w->err)
        return;
    n = vsnprintf(w->p + w->len, left, fmt, ap);
    if (n < 0 || (size_t)n >= left) /* the NUL needs a byte as well */
        w->err = GB_ENOMEM;
    else
        w->len += (size_t)n;
}

void writer_be16(struct writer *w, uint16_t v)
{
    uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

    writer_bytes(w, b, sizeof(b));
}

void writer_be24(struct writer *w, uint32_t v)
{
    uint8_t b[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

    writer_bytes(w, b, sizeof(b));
}

void writer_be32(struct writer *w, uint32_t v)
{
    uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
                     (uint8_t)(v >> 8), (uint8_t)v };

    writer_bytes(w, b, sizeof(b));
}

void writer_be64(struct writer *w, uint64_t v)
{
    writer_be32(w, (uint32_t)(v >> 32));
    writer_be32(w, (uint32_t)v);
}

/* Non-zero if one of eight octets is below 16, as the three are. */
static uint64_t has_low(uint64_t v)
{
    return (v - 0x1010101010101010u) & ~v & 0x8080808080808080u;
}

/* Whether s holds no octet below 16, n >= 4. The last load reaches back. */
static bool is_high(struct slice s)
{
    uint64_t v;
    uint32_t head, tail;

    for (size_t i = 0; i + 8 < s.n; i += 8) {
        memcpy(&v, s.p + i, 8);
        if (has_low(v))
            return false;
    }
    if (s.n >= 8) {
        memcpy(&v, s.p + s.n - 8, 8);
    } else {
        memcpy(&head, s.p, 4);
        memcpy(&tail, s.p + s.n - 4, 4);
        v = (uint64_t)head << 32 | tail;
    }
    return has_low(v) == 0;
}

size_t writer_safe_run(struct slice s)
{
    size_t i = 0;

    if (s.n >= 4 && is_high(s))
        return s.n;
    while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0')
        i++;
    return i;
}

void writer_line_safe(struct writer *w, struct slice s)
{
    size_t n = writer_safe_run(s);

    writer_bytes(w, s.p, n);
    while (n < s.n) {
        s = slice_from(s, n + 1);
        n = writer_safe_run(s);
        writer_bytes(w, s.p, n);
    }
}

void writer_visible(struct writer *w, struct slice s, char instead)
{
    for (size_t i = 0; i < s.n; i++)
        writer_char(w, s.p[i] < ' ' || s.p[i] > '~' || s.p[i] == '"' ||
                               s.p[i] == '\\'
                           ? instead : s.p[i]);
}
