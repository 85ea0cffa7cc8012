#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>

void writer_u64_pad(struct writer *w, uint64_t v, unsigned width)
{
    char buf[32];
    unsigned n = 0;

    do {
        buf[sizeof(buf) - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n < width && n < sizeof(buf))
        buf[sizeof(buf) - ++n] = '0';
    writer_bytes(w, buf + sizeof(buf) - n, n);
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

size_t writer_safe_run(struct slice s)
{
    size_t i = 0;
    uint64_t v;

    for (; i + 8 <= s.n; i += 8) {
        memcpy(&v, s.p + i, 8);
        if (has_low(v))
            break;
    }
    if (i + 8 > s.n && s.n >= 8) { /* the rest, and some before it again */
        memcpy(&v, s.p + s.n - 8, 8);
        if (!has_low(v))
            return s.n;
    }
    while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0')
        i++;
    return i;
}

void writer_line_safe(struct writer *w, struct slice s)
{
    while (s.n) {
        size_t n = writer_safe_run(s);

        writer_bytes(w, s.p, n);
        s = slice_from(s, n + 1);
    }
}
