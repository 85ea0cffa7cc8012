#include "base/scan.h"

/* Windows of 64 octets: three masks say where LF, CR and NUL stand. That all
 * is plain, and where the empty line ends, is told from the masks alone, so
 * the work on each line is to store one offset. */

#if !defined(SCAN_SCALAR) && defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2 1
#endif

static size_t lines_scalar(const char *p, size_t n, uint32_t *lf, size_t max)
{
    size_t count = 0, start = 0;

    for (size_t i = 0; i < n; i++) {
        bool behind_cr = i > 0 && p[i - 1] == '\r';

        if (p[i] == '\0' || behind_cr != (p[i] == '\n'))
            return 0;
        if (p[i] != '\n')
            continue;
        if (count == max)
            return 0;
        lf[count++] = (uint32_t)i;
        if (i == start + 1)
            return count > 1 ? count : 0;
        start = i + 1;
    }
    return 0;
}

#ifdef SCAN_VECTORS
typedef struct scan_masks window_fn(const char *p);

/* The masks of what is left, less than a window. */
SCAN_INLINE struct scan_masks last_window(const char *p, size_t n, size_t left,
                                          window_fn *window)
{
    struct scan_masks m;

    if (n < SCAN_WINDOW)
        return scan_window_part(p + n - left, left);
    m = window(p + n - SCAN_WINDOW);
    m.lf >>= SCAN_WINDOW - left;
    m.cr >>= SCAN_WINDOW - left;
    m.nul >>= SCAN_WINDOW - left;
    return m;
}

SCAN_INLINE size_t lines_by(const char *p, size_t n, uint32_t *lf, size_t max,
                            window_fn *window)
{
    uint64_t lf_before = 1ull << 63, cr_before = 0; /* as if behind a line */
    size_t count = 0;

    for (size_t base = 0; base < n; base += SCAN_WINDOW) {
        size_t left = n - base;
        struct scan_masks m = left >= SCAN_WINDOW
                                  ? window(p + base)
                                  : last_window(p, n, left, window);
        uint64_t odd = m.nul | (m.lf ^ (m.cr << 1 | cr_before >> 63));
        uint64_t end = m.lf & (m.lf << 2 | lf_before >> 62);
        uint64_t upto = end ^ (end - 1); /* the first end; all without one */

        lf_before = m.lf;
        cr_before = m.cr;
        if (odd & upto)
            return 0;
        for (m.lf &= upto; m.lf; m.lf &= m.lf - 1)
            lf[count++] = (uint32_t)(base + (size_t)__builtin_ctzll(m.lf));
        if (count > max)
            return 0;
        if (end)
            return count > 1 ? count : 0;
    }
    return 0;
}

static size_t lines_sixteen(const char *p, size_t n, uint32_t *lf, size_t max)
{
    return lines_by(p, n, lf, max, scan_window);
}
#endif

#ifdef HAVE_AVX2
#define AVX2 __attribute__((target("avx2,bmi")))

AVX2 static inline uint32_t bits32(__m256i x, char c)
{
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(x, _mm256_set1_epi8(c)));
}

AVX2 static inline struct scan_masks window_avx2(const char *p)
{
    const __m256i *q = (const __m256i *)(const void *)p;
    __m256i a = _mm256_loadu_si256(q), b = _mm256_loadu_si256(q + 1);

    return (struct scan_masks){
        bits32(a, '\n') | (uint64_t)bits32(b, '\n') << 32,
        bits32(a, '\r') | (uint64_t)bits32(b, '\r') << 32,
        bits32(a, '\0') | (uint64_t)bits32(b, '\0') << 32,
    };
}

AVX2 static size_t lines_avx2(const char *p, size_t n, uint32_t *lf,
                              size_t max)
{
    return lines_by(p, n, lf, max, window_avx2);
}

/* A look at what the C library's start-up code found out. */
static inline bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

size_t scan_lines(const char *p, size_t n, uint32_t *lf, size_t max)
{
#ifdef HAVE_AVX2
    if (has_avx2())
        return lines_avx2(p, n, lf, max);
#endif
#ifdef SCAN_VECTORS
    return lines_sixteen(p, n, lf, max);
#else
    return lines_scalar(p, n, lf, max);
#endif
}

size_t scan_lines_ways(struct scan_lines_way way[static 4])
{
    size_t n = 0;

#ifdef HAVE_AVX2
    if (has_avx2())
        way[n++] = (struct scan_lines_way){ "avx2", lines_avx2 };
#endif
#ifdef SCAN_VECTORS
    way[n++] = (struct scan_lines_way){ "sixteen", lines_sixteen };
#endif
    way[n++] = (struct scan_lines_way){ "scalar", lines_scalar };
    way[n] = (struct scan_lines_way){ NULL, NULL };
    return n;
}
