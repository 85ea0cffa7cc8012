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

    while (p < m->end && (unsigned char)*p <= ' ' &&
           (space >> (unsigned char)*p & 1))
        p++;
    return p;
}

/* Over white space to a '<'. */
SCAN_INLINE bool mark_gap(struct marks *m)
{
    m->p = mark_skip(m, m->p);
    return m->p < m->end && *m->p == '<';
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

/* The text of a leaf, from m->p up to the next '<', where m->p goes: trimmed and
 * in UTF-8. It stays where it is unless it must be converted. */
SCAN_INLINE bool mark_text(struct marks *m, struct slice *out)
{
    const char *from = m->p;
    size_t n = 0, left = (size_t)(m->end - from);

#ifdef SCAN_VECTORS
    for (; left - n >= 16; n += 16) {
        uint32_t odd = mark_good_bits(scan_load(from + n)) ^ 0xffff;

        if (!odd)
            continue;
        n += (size_t)(unsigned)__builtin_ctz(odd);
        break;
    }
#endif
    while (n < left && !mark_is_odd(from[n]))
        n++;
    m->p = from + n;
    if (n < left && *m->p == '<') {
        *out = slice_trim(slice_of(from, n));
        return true;
    }
    m->p = mark_next(m, m->p);
    return mark_text_odd(m, slice_of(from, (size_t)(m->p - from)), out);
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
