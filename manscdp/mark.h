/* manscdp/mark.h - markup in a body as it was received
 *
 * In GB 18030 as in UTF-8 no byte of a longer character is '<', '>', '&' or
 * '"', so markup is found without decoding, and only the text of a leaf that
 * holds a byte >= 0x80 is converted. Every function here has two answers: this
 * is plain, and has been read; or it is not, and somebody more patient must
 * begin again. For manscdp/plain.c and manscdp/item.c. */
#ifndef MANSCDP_MARK_H
#define MANSCDP_MARK_H

#include "base/arena.h"
#include "base/scan.h"
#include "manscdp/text.h"

#include <stdalign.h>

struct marks {
    const char *p, *end; /* what is not read yet */
    struct arena *a;     /* for converted text and what the readers keep */
    enum manscdp_charset charset; /* of the body, as detected */
    unsigned n_nodes, max_nodes;
};

/* The first byte from p on that is no white space, or the end. There is little
 * of it, and always the same: the processor guesses well. */
SCAN_INLINE const char *mark_skip(const struct marks *m, const char *p)
{
    const uint64_t space = 1ull << ' ' | 1 << '\t' | 1 << '\r' | 1 << '\n';

    while (p < m->end && (unsigned char)*p <= ' ') {
        if (m->end - p >= 4 && memcmp(p, "    ", 4) == 0)
            p += 4;
        else if (space >> (unsigned char)*p & 1)
            p++;
        else
            break;
    }
    return p;
}

/* Over white space to a '<'; NULL: something else is there. */
SCAN_INLINE const char *mark_gap(const struct marks *m, const char *p)
{
    p = mark_skip(m, p);
    return p < m->end && *p == '<' ? p : NULL;
}

/* n bytes, at most 16, are the same; 16 can be read at both. */
SCAN_INLINE bool mark_equal(const char *p, const char *q, unsigned n)
{
#ifdef SCAN_VECTORS
    uint32_t same = scan_bits(scan_same(scan_load(p), scan_load(q)));

    return (~same & ((1u << n) - 1)) == 0;
#else
    return memcmp(p, q, n) == 0;
#endif
}

/* The '<' from p on; the end: there is none. */
SCAN_INLINE const char *mark_next(const struct marks *m, const char *p)
{
    return p + scan_char(p, (size_t)(m->end - p), '<');
}

/* Bytes that are no text as it stands: controls, '&', '<', '>', DEL, and those
 * of longer characters. */
SCAN_INLINE bool mark_is_odd(char c)
{
    unsigned char u = (unsigned char)c;

    return u < 0x20 || u >= 0x7f || c == '&' || (u | 2) == '>';
}

#ifdef SCAN_VECTORS
/* Bit i: byte i of x is not odd. */
SCAN_INLINE uint32_t mark_good_bits(scan_v x)
{
    scan_v other = scan_or(scan_eq(x, '&'),
                           scan_eq(scan_or(x, scan_fill(2)), '>'));

    return scan_bits(scan_less(scan_between(x, 0x20, 0x7e), other));
}
#endif

/* Text that holds such bytes: converted, or refused. */
bool mark_text_odd(struct marks *m, struct slice raw, struct slice *out);

/* The text of a leaf, from p up to the next '<' or the end, which is returned:
 * trimmed and in UTF-8. It stays where it is unless it must be converted. NULL:
 * it is not plain. */
SCAN_INLINE const char *mark_text(struct marks *m, const char *p,
                                  struct slice *out)
{
    size_t n = 0, left = (size_t)(m->end - p);

#ifdef SCAN_VECTORS
    for (; left - n >= 16; n += 16) {
        uint32_t odd = mark_good_bits(scan_load(p + n)) ^ 0xffff;

        if (!odd)
            continue;
        n += (size_t)(unsigned)__builtin_ctz(odd);
        break;
    }
#endif
    while (n < left && !mark_is_odd(p[n]))
        n++;
    if (n < left && p[n] == '<') {
        *out = slice_trim(slice_of(p, n));
        return p + n;
    }
    n = (size_t)(mark_next(m, p + n) - p);
    return mark_text_odd(m, slice_of(p, n), out) ? p + n : NULL;
}

/* n bytes of the arena, aligned for any type, not cleared; NULL: it is full. */
SCAN_INLINE void *mark_room(struct arena *a, size_t n)
{
    size_t mask = alignof(max_align_t) - 1;
    size_t pad = (size_t)(-(uintptr_t)(a->p + a->used)) & mask;
    size_t left = a->cap - a->used;

    if (pad > left || n > left - pad)
        return NULL;
    a->used += pad + n;
    return a->p + a->used - n;
}
#endif
