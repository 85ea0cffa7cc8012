#include "base/scan.h"

/* Windows of 64 octets: masks say where LF, CR and the stops are. That all is
 * plain, and where the empty line ends, is told from the masks alone, so that
 * the work left for a line is to store one offset. */

#if !defined(SCAN_SCALAR) && defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2 1
#endif

/* ---- maps ---------------------------------------------------------------- */

void scan_map_scalar(uint64_t map[static SCAN_MAP_WORDS], const char *p,
                     size_t n)
{
    for (size_t k = 0; k < SCAN_MAP_WORDS; k++)
        map[k] = ~0ull;
    for (size_t i = 0; i < n; i++)
        if (scan_is_word(p[i]))
            map[i / 64] &= ~(1ull << i % 64);
}

#ifdef SCAN_VECTORS
/* The stops of p[0..n), 16 <= n <= 64; all behind it are stops. The last
 * block reaches back: the same bits come to the same place. */
SCAN_INLINE uint64_t stops_word(const char *p, size_t n)
{
    uint64_t m = scan_class_not_word(scan_load(p), 0);

    for (size_t i = 16; i + 16 <= n; i += 16)
        m |= (uint64_t)scan_class_not_word(scan_load(p + i), 0) << i;
    m |= (uint64_t)scan_class_not_word(scan_load(p + n - 16), 0) << (n - 16);
    return n < 64 ? m | ~0ull << n : m;
}

void scan_map(uint64_t map[static SCAN_MAP_WORDS], const char *p, size_t n)
{
    map[1] = map[2] = ~0ull;
    if (n > 64) {
        size_t rest = n - 64;

        map[0] = stops_word(p, 64);
        map[1] = rest >= 16
                     ? stops_word(p + 64, rest)
                     : stops_word(p + n - 64, 64) >> (64 - rest) |
                           ~0ull << rest;
    } else if (n >= 16) {
        map[0] = stops_word(p, n);
    } else {
        map[0] = ~0ull << n;
        if (n)
            map[0] |= scan_class_not_word(scan_load_part(p, n), 0);
    }
}
#else
void scan_map(uint64_t map[static SCAN_MAP_WORDS], const char *p, size_t n)
{
    scan_map_scalar(map, p, n);
}
#endif

void scan_map_blanks_scalar(uint64_t *map, const char *p, size_t n)
{
    for (size_t k = 0; k <= n / 64; k++)
        map[k] = ~0ull;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] > ' ')
            map[i / 64] &= ~(1ull << i % 64);
}

#ifdef SCAN_VECTORS
SCAN_INLINE uint64_t blanks_word(const char *p)
{
    uint64_t m = 0;

    for (unsigned i = 0; i < 64; i += 16)
        m |= (uint64_t)scan_bits(scan_between(scan_load(p + i), 0, ' ')) << i;
    return m;
}

void scan_map_blanks(uint64_t *map, const char *p, size_t n)
{
    size_t i = 0, left = n % 64;
    char pad[64];

    for (; n - i >= 64; i += 64)
        *map++ = blanks_word(p + i);
    if (left == 0) {
        *map = ~0ull;
    } else if (n > 64) { /* reaches back over what is mapped already */
        *map = blanks_word(p + n - 64) >> (64 - left) | ~0ull << left;
    } else {
        memset(pad, ' ', sizeof(pad));
        memcpy(pad, p, left);
        *map = blanks_word(pad);
    }
}
#else
void scan_map_blanks(uint64_t *map, const char *p, size_t n)
{
    scan_map_blanks_scalar(map, p, n);
}
#endif

/* ---- header blocks ------------------------------------------------------- */

static bool block_scalar(struct scan_block *b, const char *p, size_t n)
{
    size_t start = 0;

    b->n = 0;
    if (n > SCAN_BLOCK_MAX)
        n = SCAN_BLOCK_MAX;
    for (size_t i = 0; i < n; i++) {
        bool behind_cr = i > 0 && p[i - 1] == '\r';

        if (i % 64 == 0)
            b->map[i / 64] = b->map[i / 64 + 1] = 0;
        b->map[i / 64] |= (uint64_t)!scan_is_word(p[i]) << i % 64;
        if (behind_cr != (p[i] == '\n'))
            return false;
        if (p[i] != '\n')
            continue;
        if (b->n == SCAN_BLOCK_LINES)
            return false;
        b->lf[b->n++] = (uint32_t)i;
        if (i == start + 1)
            return b->n > 1;
        start = i + 1;
    }
    return false;
}

#ifdef SCAN_VECTORS
struct masks {
    uint64_t lf, cr, stop;
};

/* What the windows so far have told. */
struct progress {
    uint64_t lf, cr; /* of the window before */
    uint32_t *out;   /* where the next line end goes */
    uint64_t *map;   /* and the next word of stops */
};

enum verdict { GO_ON, PLAIN, ODD };

/* One window, which starts at base. */
SCAN_INLINE enum verdict take(struct scan_block *b, struct progress *g,
                              size_t base, struct masks m)
{
    uint64_t odd = m.lf ^ (m.cr << 1 | g->cr >> 63);
    uint64_t end = m.lf & (m.lf << 2 | g->lf >> 62);
    uint64_t upto = end ^ (end - 1); /* the first end; all without one */

    *g->map++ = m.stop;
    g->lf = m.lf;
    g->cr = m.cr;
    if (odd & upto)
        return ODD;
    for (m.lf &= upto; m.lf; m.lf &= m.lf - 1)
        *g->out++ = (uint32_t)base + (uint32_t)__builtin_ctzll(m.lf);
    if (g->out > b->lf + SCAN_BLOCK_LINES)
        return ODD;
    if (!end)
        return GO_ON;
    *g->map = 0;
    b->n = (size_t)(g->out - b->lf);
    return b->n > 1 ? PLAIN : ODD;
}

typedef struct masks window_fn(const char *p, const void *consts);

/* The masks of what is left at the end, less than a window. */
SCAN_INLINE struct masks last_window(const char *p, size_t n, size_t left,
                                     window_fn *window, const void *consts)
{
    char pad[SCAN_WINDOW];
    struct masks m;

    if (n < SCAN_WINDOW) {
        memset(pad, ' ', sizeof(pad));
        memcpy(pad, p + n - left, left);
        return window(pad, consts);
    }
    m = window(p + n - SCAN_WINDOW, consts);
    m.lf >>= SCAN_WINDOW - left;
    m.cr >>= SCAN_WINDOW - left;
    m.stop >>= SCAN_WINDOW - left;
    return m;
}

SCAN_INLINE bool block_by(struct scan_block *b, const char *p, size_t n,
                          window_fn *window, const void *consts)
{
    /* As if behind a line: an empty first one ends the block. */
    struct progress g = { 1ull << 63, 0, b->lf, b->map };
    enum verdict v = GO_ON;
    size_t base = 0;

    if (n > SCAN_BLOCK_MAX)
        n = SCAN_BLOCK_MAX;
    for (; base + SCAN_WINDOW <= n; base += SCAN_WINDOW) {
        v = take(b, &g, base, window(p + base, consts));
        if (v != GO_ON)
            return v == PLAIN;
    }
    if (base < n)
        v = take(b, &g, base, last_window(p, n, n - base, window, consts));
    return v == PLAIN;
}

SCAN_INLINE struct masks window_sixteen(const char *p, const void *consts)
{
    struct masks m = { 0, 0, 0 };

    (void)consts;
    for (unsigned i = 0; i < SCAN_WINDOW; i += 16) {
        scan_v x = scan_load(p + i);

        m.lf |= (uint64_t)scan_bits(scan_eq(x, '\n')) << i;
        m.cr |= (uint64_t)scan_bits(scan_eq(x, '\r')) << i;
        m.stop |= (uint64_t)scan_class_not_word(x, 0) << i;
    }
    return m;
}

static bool block_sixteen(struct scan_block *b, const char *p, size_t n)
{
    return block_by(b, p, n, window_sixteen, NULL);
}
#endif

#ifdef HAVE_AVX2
#define AVX2 __attribute__((target("avx2,bmi")))

struct consts {
    __m256i lf, cr, low, high, half;
};

/* A constant that stays in its register: the compiler would make it anew in
 * each turn of the loop. */
AVX2 SCAN_INLINE __m256i keep(__m256i x)
{
    __asm__("" : "+x"(x));
    return x;
}

/* The word octets as rectangles of high and low half: 2 with D E, 3 with 0-9,
 * 4 6 with 1-F, 5 7 with 0-A, 5 with F; a bit for each. */
AVX2 SCAN_INLINE struct consts consts_avx2(void)
{
    const __m128i low = _mm_setr_epi8(2 + 8, 14, 14, 14, 14, 14, 14, 14, 14,
                                      14, 4 + 8, 4, 4, 4 + 1, 4 + 1, 4 + 16);
    const __m128i high = _mm_setr_epi8(0, 0, 1, 2, 4, 8 + 16, 4, 8, 0, 0, 0,
                                       0, 0, 0, 0, 0);

    return (struct consts){
        keep(_mm256_set1_epi8('\n')),
        keep(_mm256_set1_epi8('\r')),
        keep(_mm256_broadcastsi128_si256(low)),
        keep(_mm256_broadcastsi128_si256(high)),
        keep(_mm256_set1_epi8(15)),
    };
}

AVX2 SCAN_INLINE uint64_t bits64(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

AVX2 SCAN_INLINE __m256i stops32(__m256i x, const struct consts *k)
{
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(x, 4), k->half);

    return _mm256_cmpeq_epi8(
        _mm256_and_si256(_mm256_shuffle_epi8(k->low, x),
                         _mm256_shuffle_epi8(k->high, half)),
        _mm256_setzero_si256());
}

AVX2 SCAN_INLINE struct masks window_avx2(const char *p, const void *consts)
{
    const struct consts *k = consts;
    const __m256i *q = (const __m256i *)(const void *)p;
    __m256i a = _mm256_loadu_si256(q), b = _mm256_loadu_si256(q + 1);

    return (struct masks){
        bits64(_mm256_cmpeq_epi8(a, k->lf), _mm256_cmpeq_epi8(b, k->lf)),
        bits64(_mm256_cmpeq_epi8(a, k->cr), _mm256_cmpeq_epi8(b, k->cr)),
        bits64(stops32(a, k), stops32(b, k)),
    };
}

AVX2 static bool block_avx2(struct scan_block *b, const char *p, size_t n)
{
    const struct consts k = consts_avx2();

    return block_by(b, p, n, window_avx2, &k);
}

/* A look at what the start-up code of the C library found out. */
static inline bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

bool scan_block(struct scan_block *b, const char *p, size_t n)
{
#ifdef HAVE_AVX2
    if (has_avx2())
        return block_avx2(b, p, n);
#endif
#ifdef SCAN_VECTORS
    return block_sixteen(b, p, n);
#else
    return block_scalar(b, p, n);
#endif
}

size_t scan_block_ways(struct scan_block_way way[static 4])
{
    size_t n = 0;

#ifdef HAVE_AVX2
    if (has_avx2())
        way[n++] = (struct scan_block_way){ "avx2", block_avx2 };
#endif
#ifdef SCAN_VECTORS
    way[n++] = (struct scan_block_way){ "sixteen", block_sixteen };
#endif
    way[n++] = (struct scan_block_way){ "scalar", block_scalar };
    way[n] = (struct scan_block_way){ NULL, NULL };
    return n;
}
