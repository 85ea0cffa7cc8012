/* base/scan.h - find octets, sixteen or more at a time where the machine can
 *
 * Nothing here reads outside [p, p + n): what is left of a buffer is looked at
 * in a block that reaches back over octets already seen, or, when the whole is
 * shorter than a block, gathered from smaller loads.
 *
 * Each function has a twin NAME_scalar that says in plain C what it means;
 * machines without vectors, and builds with -DSCAN_SCALAR, use the twins. All
 * give the same results (test_scan, fuzz_scan). */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(SCAN_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#define SCAN_SSE2 1
#elif !defined(SCAN_SCALAR) && defined(__aarch64__) &&                         \
    defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <arm_neon.h>
#define SCAN_NEON 1
#endif

#define SCAN_WINDOW 64 /* octets that one struct scan_masks covers */
#define SCAN_INLINE static inline __attribute__((always_inline))

struct scan_masks {
    uint64_t lf;  /* bit i: octet i is LF */
    uint64_t odd; /* bit i: octet i is CR or NUL */
};

/* ---- what the functions mean -------------------------------------------- */

/* Index of the first c in p[0..n), or n. */
static inline size_t scan_char_scalar(const char *p, size_t n, char c)
{
    size_t i = 0;

    while (i < n && p[i] != c)
        i++;
    return i;
}

/* A letter, a digit or one of . - _: what host names, ids, tags and branches
 * are made of, and nothing that divides them. */
static inline bool scan_is_word(char c)
{
    char l = (char)(c | 0x20);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/* Index of the first octet that is no word octet, or n. */
static inline size_t scan_word_scalar(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && scan_is_word(p[i]))
        i++;
    return i;
}

/* What no URI holds, whatever its scheme: SP and controls, DEL, < > ". */
static inline bool scan_is_delimiter(char c)
{
    unsigned char u = (unsigned char)c;

    return u <= 0x20 || u == 0x7f || c == '<' || c == '>' || c == '"';
}

/* Index of the first such octet, or n. */
static inline size_t scan_delimiter_scalar(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && !scan_is_delimiter(p[i]))
        i++;
    return i;
}

/* Index of the first SP or HTAB, or n. */
static inline size_t scan_blank_scalar(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] != ' ' && p[i] != '\t')
        i++;
    return i;
}

/* Index of the first CR or LF, or n. */
static inline size_t scan_eol_scalar(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] != '\r' && p[i] != '\n')
        i++;
    return i;
}

/* The masks of p[0..64); all of it must be readable. */
static inline struct scan_masks scan_window_scalar(const char *p)
{
    struct scan_masks m = { 0, 0 };

    for (unsigned i = 0; i < SCAN_WINDOW; i++) {
        m.lf |= (uint64_t)(p[i] == '\n') << i;
        m.odd |= (uint64_t)(p[i] == '\r' || p[i] == '\0') << i;
    }
    return m;
}

/* ---- sixteen octets ------------------------------------------------------ */

#if defined(SCAN_SSE2)
typedef __m128i scan_v; /* lanes of a result: all ones or all zeros */

SCAN_INLINE scan_v scan_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

SCAN_INLINE scan_v scan_halves(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((long long)high, (long long)low);
}

SCAN_INLINE scan_v scan_fill(char c)
{
    return _mm_set1_epi8(c);
}

SCAN_INLINE scan_v scan_eq(scan_v x, char c)
{
    return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

SCAN_INLINE scan_v scan_same(scan_v a, scan_v b)
{
    return _mm_cmpeq_epi8(a, b);
}

SCAN_INLINE scan_v scan_between(scan_v x, char lo, char hi)
{
    scan_v d = _mm_sub_epi8(x, _mm_set1_epi8(lo));

    return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8((char)(hi - lo))), d);
}

SCAN_INLINE scan_v scan_or(scan_v a, scan_v b)
{
    return _mm_or_si128(a, b);
}

/* a without b. */
SCAN_INLINE scan_v scan_less(scan_v a, scan_v b)
{
    return _mm_andnot_si128(b, a);
}

SCAN_INLINE scan_v scan_lower(scan_v x)
{
    return _mm_or_si128(x, _mm_set1_epi8(0x20));
}

SCAN_INLINE uint32_t scan_bits(scan_v hit)
{
    return (uint32_t)_mm_movemask_epi8(hit);
}
#elif defined(SCAN_NEON)
typedef uint8x16_t scan_v;

SCAN_INLINE scan_v scan_load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}

SCAN_INLINE scan_v scan_halves(uint64_t low, uint64_t high)
{
    return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
}

SCAN_INLINE scan_v scan_fill(char c)
{
    return vdupq_n_u8((uint8_t)c);
}

SCAN_INLINE scan_v scan_eq(scan_v x, char c)
{
    return vceqq_u8(x, vdupq_n_u8((uint8_t)c));
}

SCAN_INLINE scan_v scan_same(scan_v a, scan_v b)
{
    return vceqq_u8(a, b);
}

SCAN_INLINE scan_v scan_between(scan_v x, char lo, char hi)
{
    return vcleq_u8(vsubq_u8(x, vdupq_n_u8((uint8_t)lo)),
                    vdupq_n_u8((uint8_t)(hi - lo)));
}

SCAN_INLINE scan_v scan_or(scan_v a, scan_v b)
{
    return vorrq_u8(a, b);
}

SCAN_INLINE scan_v scan_less(scan_v a, scan_v b)
{
    return vbicq_u8(a, b);
}

SCAN_INLINE scan_v scan_lower(scan_v x)
{
    return vorrq_u8(x, vdupq_n_u8(0x20));
}

SCAN_INLINE uint32_t scan_bits(scan_v hit)
{
    static const uint8_t weight[16] = { 1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128 };
    uint8x16_t w = vandq_u8(hit, vld1q_u8(weight));

    return (uint32_t)vaddv_u8(vget_low_u8(w)) |
           (uint32_t)vaddv_u8(vget_high_u8(w)) << 8;
}
#endif

#if defined(SCAN_SSE2) || defined(SCAN_NEON)
#define SCAN_VECTORS 1

/* The n octets at p, 0 < n < 16, and zeros. Loads overlap where n is no power
 * of two: the same octets come to the same place. */
SCAN_INLINE scan_v scan_load_part(const char *p, size_t n)
{
    uint64_t low, high = 0;
    uint32_t a, b;

    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
        high = high >> 8 * (15 - n) >> 8;
    } else if (n >= 4) {
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        low = a | (uint64_t)b << 8 * (n - 4);
    } else {
        low = (uint64_t)(unsigned char)p[0] |
              (uint64_t)(unsigned char)p[n / 2] << 8 * (n / 2) |
              (uint64_t)(unsigned char)p[n - 1] << 8 * (n - 1);
    }
    return scan_halves(low, high);
}

/* Bit i: octet i of x is that of name, whatever the case of its letters. x
 * holds no control octets, of which some would pass for punctuation. */
SCAN_INLINE uint32_t scan_name_bits(scan_v x, scan_v name)
{
    return scan_bits(scan_same(scan_lower(x), scan_lower(name)));
}

/* Bit i: lane i of x is of the class (that c may be part of). */
typedef uint32_t scan_class(scan_v x, char c);

/* Index of the first octet of the class, or n. The last block reaches back:
 * what it sees again was no hit. */
SCAN_INLINE size_t scan_first(const char *p, size_t n, scan_class *hits,
                              char c)
{
    size_t i = 0;
    uint32_t m;

    for (; n - i >= 16; i += 16) {
        m = hits(scan_load(p + i), c);
        if (m)
            return i + (size_t)(unsigned)__builtin_ctz(m);
    }
    if (i == n)
        return n;
    if (i) {
        i = n - 16;
        m = hits(scan_load(p + i), c);
    } else {
        m = hits(scan_load_part(p, n), c) & ((1u << n) - 1);
    }
    return m ? i + (size_t)(unsigned)__builtin_ctz(m) : n;
}

SCAN_INLINE uint32_t scan_class_char(scan_v x, char c)
{
    return scan_bits(scan_eq(x, c));
}

SCAN_INLINE uint32_t scan_class_not_word(scan_v x, char c)
{
    scan_v word = scan_or(scan_between(scan_lower(x), 'a', 'z'),
                          scan_or(scan_eq(x, '_'),
                                  scan_less(scan_between(x, '-', '9'),
                                            scan_eq(x, '/'))));

    (void)c;
    return scan_bits(word) ^ 0xffffu;
}

SCAN_INLINE uint32_t scan_class_delimiter(scan_v x, char c)
{
    scan_v hit = scan_or(scan_or(scan_between(x, 0, 0x20), scan_eq(x, 0x7f)),
                         scan_or(scan_eq(x, '"'),
                                 scan_or(scan_eq(x, '<'), scan_eq(x, '>'))));

    (void)c;
    return scan_bits(hit);
}

SCAN_INLINE uint32_t scan_class_blank(scan_v x, char c)
{
    (void)c;
    return scan_bits(scan_or(scan_eq(x, ' '), scan_eq(x, '\t')));
}

SCAN_INLINE uint32_t scan_class_eol(scan_v x, char c)
{
    (void)c;
    return scan_bits(scan_or(scan_eq(x, '\n'), scan_eq(x, '\r')));
}
#endif

/* ---- the functions ------------------------------------------------------- */

static inline size_t scan_char(const char *p, size_t n, char c)
{
#ifdef SCAN_VECTORS
    return scan_first(p, n, scan_class_char, c);
#else
    return scan_char_scalar(p, n, c);
#endif
}

static inline size_t scan_word(const char *p, size_t n)
{
#ifdef SCAN_VECTORS
    return scan_first(p, n, scan_class_not_word, 0);
#else
    return scan_word_scalar(p, n);
#endif
}

static inline size_t scan_delimiter(const char *p, size_t n)
{
#ifdef SCAN_VECTORS
    return scan_first(p, n, scan_class_delimiter, 0);
#else
    return scan_delimiter_scalar(p, n);
#endif
}

static inline size_t scan_blank(const char *p, size_t n)
{
#ifdef SCAN_VECTORS
    return scan_first(p, n, scan_class_blank, 0);
#else
    return scan_blank_scalar(p, n);
#endif
}

/* The same for words of a few octets: no loop when a blank is near. */
static inline size_t scan_blank_near(const char *p, size_t n)
{
    size_t i = 0;

#ifdef SCAN_VECTORS
    if (n >= 16) {
        uint32_t m = scan_class_blank(scan_load(p), 0);

        return m ? (size_t)(unsigned)__builtin_ctz(m)
                 : 16 + scan_blank(p + 16, n - 16);
    }
#endif
    while (i < n && ((unsigned char)p[i] > ' ' || (p[i] != ' ' &&
                                                   p[i] != '\t')))
        i++;
    return i;
}

/* Zeroes n octets, n known when compiled: in pieces that become a few stores
 * each, where one memset becomes a slow string instruction. */
SCAN_INLINE void scan_clear(void *p, size_t n)
{
    char *at = p;
    size_t i = 0;

    for (; i + 160 <= n; i += 160) {
        memset(at + i, 0, 80);
        memset(at + i + 80, 0, 80);
    }
    if (i + 80 <= n) {
        memset(at + i, 0, 80);
        i += 80;
    }
    memset(at + i, 0, n - i);
}

static inline size_t scan_eol(const char *p, size_t n)
{
#ifdef SCAN_VECTORS
    return scan_first(p, n, scan_class_eol, 0);
#else
    return scan_eol_scalar(p, n);
#endif
}

static inline struct scan_masks scan_window(const char *p)
{
#ifdef SCAN_VECTORS
    struct scan_masks m = { 0, 0 };

    for (unsigned i = 0; i < SCAN_WINDOW; i += 16) {
        scan_v x = scan_load(p + i);
        scan_v odd = scan_or(scan_eq(x, '\r'), scan_eq(x, '\0'));

        m.lf |= (uint64_t)scan_bits(scan_eq(x, '\n')) << i;
        m.odd |= (uint64_t)scan_bits(odd) << i;
    }
    return m;
#else
    return scan_window_scalar(p);
#endif
}

/* The same for the n < 64 octets that are left at the end of a buffer. */
static inline struct scan_masks scan_window_part(const char *p, size_t n)
{
    char pad[SCAN_WINDOW];

    memset(pad, ' ', sizeof(pad));
    if (n)
        memcpy(pad, p, n);
    return scan_window(pad);
}

/* Index of the first octet >= 0x80, or n: where text is no longer ASCII. */
static inline size_t scan_high_scalar(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}

static inline size_t scan_high(const char *p, size_t n)
{
    size_t i = 0;

#ifdef SCAN_SSE2
    for (; n - i >= 64; i += 64) {
        scan_v a = scan_or(scan_load(p + i), scan_load(p + i + 16));
        scan_v b = scan_or(scan_load(p + i + 32), scan_load(p + i + 48));

        if (_mm_movemask_epi8(scan_or(a, b)))
            break;
    }
#endif
#ifdef SCAN_SSE2
    for (; n - i >= 16; i += 16)
        if (_mm_movemask_epi8(scan_load(p + i)))
            break;
    if (n >= 16 && n - i < 16) { /* reaches back over what was ASCII */
        uint32_t m = (uint32_t)_mm_movemask_epi8(scan_load(p + n - 16));

        return m ? n - 16 + (size_t)(unsigned)__builtin_ctz(m) : n;
    }
#endif
    for (; n - i >= 8; i += 8) {
        uint64_t v;

        memcpy(&v, p + i, 8);
        if (v & 0x8080808080808080u)
            break;
    }
    return i + scan_high_scalar(p + i, n - i);
}

/* ---- maps of stops ------------------------------------------------------- */

/* A map has a bit for each octet of a text, bit i of word k for octet 64k + i:
 * set when the octet is no word octet, a stop. Reading along a map costs a few
 * instructions for each stop and none for what stands between. */

#define SCAN_MAP_MAX 128 /* longest text of a map of its own, octets */
#define SCAN_MAP_WORDS (SCAN_MAP_MAX / 64 + 1)

/* The first stop at or behind at; there must be one. */
SCAN_INLINE size_t scan_stop(const uint64_t *map, size_t at)
{
    size_t k = at >> 6;
    uint64_t w = map[k] >> (at & 63);

    if (w)
        return at + (size_t)(unsigned)__builtin_ctzll(w);
    do
        k++;
    while (map[k] == 0);
    return k * 64 + (size_t)(unsigned)__builtin_ctzll(map[k]);
}

/* The map of p[0..n), n <= SCAN_MAP_MAX; all behind it are stops. */
void scan_map(uint64_t map[static SCAN_MAP_WORDS], const char *p, size_t n);
void scan_map_scalar(uint64_t map[static SCAN_MAP_WORDS], const char *p,
                     size_t n);

/* The same with other stops, octets up to SP: what ends a word of a text where
 * anything else may be in words. map has n / 64 + 1 words. */
void scan_map_blanks(uint64_t *map, const char *p, size_t n);
void scan_map_blanks_scalar(uint64_t *map, const char *p, size_t n);

/* ---- numbers ------------------------------------------------------------- */

/* The number that the n octets before end are, 1 to 8 digits. Reads eight
 * octets before end, whatever n is. False, *v untouched: another n, or
 * an octet that is no digit. */
static inline bool scan_digits_scalar(const char *end, size_t n, uint32_t *v)
{
    uint32_t sum = 0;

    if (n < 1 || n > 8)
        return false;
    for (const char *p = end - n; p < end; p++) {
        unsigned d = (unsigned char)*p - (unsigned)'0';

        if (d > 9)
            return false;
        sum = sum * 10 + d;
    }
    *v = sum;
    return true;
}

/* Digits become octets, then pairs, then fours, then one number. */
SCAN_INLINE bool scan_digits(const char *end, size_t n, uint32_t *v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t x;

    if (n - 1 > 7)
        return false;
    memcpy(&x, end - 8, 8);
    x = (x ^ 0x3030303030303030u) & ~0ull << 8 * (8 - n);
    if (((x + 0x7676767676767676u) | x) & 0x8080808080808080u)
        return false; /* one is above 9 */
    x = x * 10 + (x >> 8);
    *v = (uint32_t)((((x & 0x000000ff000000ffu) * 0x000f424000000064u) +
                     ((x >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
                    32);
    return true;
#else
    return scan_digits_scalar(end, n, v);
#endif
}

/* ---- header blocks ------------------------------------------------------- */

#define SCAN_BLOCK_MAX 8192u /* longest block that is mapped, octets */
#define SCAN_BLOCK_LINES 130 /* first line, 128 fields, the empty line */

/* The lines of a plain header block: each ends in CRLF, no other CR or LF is
 * in it, the first line is not empty, and the first empty one ends it. */
struct scan_block {
    size_t n;    /* lines, the empty one included: 2 or more */
    uint32_t lf[SCAN_BLOCK_LINES + SCAN_WINDOW / 2]; /* where each ends */
    uint64_t map[SCAN_BLOCK_MAX / 64 + 1]; /* stops, up to the empty line */
};

/* Looks once at the block that p[0..n) begins with. False: it is not plain,
 * does not end, is longer or has more lines: *b means nothing, and someone
 * more patient must look. */
typedef bool scan_block_fn(struct scan_block *b, const char *p, size_t n);
scan_block_fn scan_block;

/* Every way that this machine can do it, the best first, ended by a NULL
 * name; for tests. The number of them. */
struct scan_block_way {
    const char *name;
    scan_block_fn *fn;
};
size_t scan_block_ways(struct scan_block_way way[static 4]);
#endif
