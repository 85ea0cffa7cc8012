/* base/slice.h - pointer and length: text that is not ours and has no NUL
 *
 * A slice owns nothing. When n is 0, p is not read (it may be NULL). All case
 * folding is ASCII: no function here asks the locale. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(lit) ((struct slice){ (lit), sizeof(lit) - 1 })
#define SLICE_INIT(lit) { (lit), sizeof(lit) - 1 } /* for static tables */
#define SLICE_ARG(s) (int)(s).n, (s).p             /* for "%.*s" */

static inline struct slice slice_of(const char *p, size_t n)
{
    return (struct slice){ p, n };
}

/* A C string of our own (never of a peer); NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){ s, s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of either case; -1: it is no hexadecimal digit. */
static inline int ascii_hex(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* SP and HTAB. */
static inline bool ascii_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* SP, HTAB, CR, LF. */
static inline bool ascii_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* n bytes, equal but for ASCII case. */
bool slice_ieq_bytes(const char *a, const char *b, size_t n);

/* Equal but for ASCII case. */
static inline bool slice_ieq(struct slice a, struct slice b)
{
    return a.n == b.n && slice_ieq_bytes(a.p, b.p, a.n);
}

bool slice_has_prefix(struct slice s, struct slice prefix);
bool slice_has_iprefix(struct slice s, struct slice prefix);

/* Byte order, shorter first on a tie: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);

/* Without white space (SP HTAB CR LF) at both ends. */
struct slice slice_trim_ends(struct slice s);

static inline struct slice slice_trim(struct slice s)
{
    bool some = s.n && ((unsigned char)s.p[0] <= ' ' ||
                        (unsigned char)s.p[s.n - 1] <= ' ');

    return some ? slice_trim_ends(s) : s;
}

/* Index of the first c, or s.n. */
size_t slice_find(struct slice s, char c);

/* Index where needle starts, or s.n. An empty needle is found at 0. */
size_t slice_find_slice(struct slice s, struct slice needle);

/* The first off bytes gone; never past the end. */
static inline struct slice slice_from(struct slice s, size_t off)
{
    if (off > s.n)
        off = s.n;
    return (struct slice){ off ? s.p + off : s.p, s.n - off };
}

/* At most the first n bytes. */
static inline struct slice slice_head(struct slice s, size_t n)
{
    return (struct slice){ s.p, n < s.n ? n : s.n };
}

/* How many digits it begins with. */
static inline size_t slice_digits(struct slice s)
{
    size_t n = 0;

    while (n < s.n && ascii_is_digit(s.p[n]))
        n++;
    return n;
}

/* Cuts s at the first sep: the part before goes to *head, *s keeps the part
 * behind. Without sep the whole goes to *head, *s becomes empty, false. */
bool slice_cut(struct slice *s, char sep, struct slice *head);

/* The whole of s as decimal, 0..max. false, *v untouched, when s is empty,
 * holds a non-digit, or exceeds max. Leading zeros are accepted. */
bool slice_u32(struct slice s, uint32_t max, uint32_t *v);
bool slice_u64(struct slice s, uint64_t max, uint64_t *v);

#define SLICE_EXPONENT_MAX 99 /* of a decimal number, either way */

/* The whole of s as a decimal number with optional sign, fraction and exponent,
 * as MANSCDP longitudes are: "-116.5", "3.", "1.165e+02" (xs:double). false: *v
 * untouched; it is always finite. */
bool slice_double(struct slice s, double *v);
/* Where the exponent ends that is written at off: off when there is none. */
size_t slice_exponent(struct slice s, size_t off);

/* Copies s and a NUL to buf, cut to cap - 1 bytes; true if nothing was cut.
 * cap must be at least 1. Bytes of s that are NUL are copied as they are. */
bool slice_copy(char *buf, size_t cap, struct slice s);
#endif
