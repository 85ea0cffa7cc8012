/* base/bytes.h - big-endian reader, sticky error
 *
 * A read past the end returns 0 and sets err; the caller reads the whole header
 * and checks once. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/err.h"

#include <stdint.h>

struct bytes {
    const uint8_t *p, *end; /* what is left */
    size_t off;             /* bytes read so far */
    int err;                /* 0 or GB_EAGAIN: read past the end */
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
    const uint8_t *b = p;

    return (struct bytes){ b, n ? b + n : b, 0, 0 };
}

static inline size_t bytes_left(const struct bytes *r)
{
    return (size_t)(r->end - r->p);
}

static inline uint8_t bytes_u8(struct bytes *r)
{
    if (r->p == r->end) {
        r->err = GB_EAGAIN;
        return 0;
    }
    r->off++;
    return *r->p++;
}

static inline uint16_t bytes_be16(struct bytes *r)
{
    uint16_t hi = bytes_u8(r);

    return (uint16_t)(hi << 8 | bytes_u8(r));
}

static inline uint32_t bytes_be24(struct bytes *r)
{
    uint32_t hi = bytes_be16(r);

    return hi << 8 | bytes_u8(r);
}

static inline uint32_t bytes_be32(struct bytes *r)
{
    uint32_t hi = bytes_be16(r);

    return hi << 16 | bytes_be16(r);
}

static inline uint64_t bytes_be64(struct bytes *r)
{
    uint64_t hi = bytes_be32(r);

    return hi << 32 | bytes_be32(r);
}

/* Without a reader: the four are there. */
static inline uint32_t bytes_be32_at(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

static inline void bytes_skip(struct bytes *r, size_t n)
{
    if (n > bytes_left(r)) {
        r->err = GB_EAGAIN;
        n = bytes_left(r);
    }
    if (n == 0)
        return; /* p may be NULL */
    r->off += n;
    r->p += n;
}
#endif
