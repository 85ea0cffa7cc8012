#include "app/http/chunked.h"

#include <stdbool.h>
#include <string.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(char c)
{
    return ((uint8_t)c >= 0x20 && c != 0x7f) || c == '\t';
}

static int enter(struct chunked *d, enum chunked_state s)
{
    d->state = s;
    d->n = 0;
    return 0;
}

static int take_size(struct chunked *d, char c)
{
    int digit = digit_of(c);

    if (digit < 0 && d->n == 0)
        return GB_ESYNTAX; /* no size at all */
    if (c == '\r')
        return enter(d, CHUNKED_SIZE_LF);
    if (c == ';')
        return enter(d, CHUNKED_EXT);
    if (digit < 0)
        return GB_ESYNTAX;
    if (d->n++ == CHUNKED_DIGITS_MAX)
        return GB_ELIMIT;
    d->left = d->left << 4 | (uint32_t)digit;
    return 0;
}

/* A line that is read over, up to its CR. */
static int take_text(struct chunked *d, char c, unsigned max,
                     enum chunked_state behind)
{
    if (c == '\r') {
        d->state = behind;
        return 0;
    }
    if (!is_text(c))
        return GB_ESYNTAX;
    return d->n++ == max ? GB_ELIMIT : 0;
}

static int take_line(struct chunked *d, char c)
{
    if (c == '\r') {
        d->state = CHUNKED_END_LF;
        return 0;
    }
    d->state = CHUNKED_TRAILER;
    return take_text(d, c, CHUNKED_TRAILER_MAX, CHUNKED_TRAILER_LF);
}

static int expect(struct chunked *d, char c, char want, enum chunked_state then)
{
    if (c != want)
        return GB_ESYNTAX;
    d->state = then;
    return 0;
}

/* One byte that is not of the body. */
static int take(struct chunked *d, char c)
{
    int err;

    switch (d->state) {
    case CHUNKED_SIZE:
        return take_size(d, c);
    case CHUNKED_EXT:
        return take_text(d, c, CHUNKED_EXT_MAX, CHUNKED_SIZE_LF);
    case CHUNKED_SIZE_LF:
        err = expect(d, c, '\n', d->left ? CHUNKED_DATA : CHUNKED_LINE);
        d->n = 0;
        return err;
    case CHUNKED_DATA_CR:
        return expect(d, c, '\r', CHUNKED_DATA_LF);
    case CHUNKED_DATA_LF:
        return expect(d, c, '\n', CHUNKED_SIZE);
    case CHUNKED_LINE:
        return take_line(d, c);
    case CHUNKED_TRAILER:
        return take_text(d, c, CHUNKED_TRAILER_MAX, CHUNKED_TRAILER_LF);
    case CHUNKED_TRAILER_LF:
        return expect(d, c, '\n', CHUNKED_LINE);
    case CHUNKED_END_LF:
        return expect(d, c, '\n', CHUNKED_DONE);
    case CHUNKED_DATA:
    case CHUNKED_DONE:
        break;
    }
    return 0;
}

/* The bytes of one chunk as far as they are there. */
static size_t take_data(struct chunked *d, char *to, const char *from, size_t n)
{
    if (n > d->left)
        n = d->left;
    memmove(to, from, n);
    d->left -= (uint32_t)n;
    if (d->left == 0)
        enter(d, CHUNKED_DATA_CR);
    return n;
}

long chunked_decode(struct chunked *d, char *p, size_t n, size_t *n_body)
{
    size_t at = 0, out = 0;

    while (at < n && d->state != CHUNKED_DONE) {
        if (d->state == CHUNKED_DATA) {
            size_t took = take_data(d, p + out, p + at, n - at);

            at += took;
            out += took;
        } else {
            int err = take(d, p[at++]);

            if (err)
                return err;
        }
    }
    *n_body = out;
    return (long)at;
}
