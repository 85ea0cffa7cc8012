/* base/scan.h - find an octet, sixteen at a time where the machine can
 *
 * Nothing here reads outside [p, p + n). */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#define SCAN_SSE2 1
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define SCAN_NEON 1
#endif

#define SCAN_WINDOW 64 /* octets that one struct scan_masks covers */

struct scan_masks {
    uint64_t lf;  /* bit i: octet i is LF */
    uint64_t odd; /* bit i: octet i is CR or NUL */
};

#if defined(SCAN_SSE2)
static inline uint32_t scan_bits16(__m128i hit)
{
    return (uint32_t)_mm_movemask_epi8(hit);
}

static inline __m128i scan_load16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}
#elif defined(SCAN_NEON)
static inline uint32_t scan_bits16(uint8x16_t hit)
{
    static const uint8_t weight[16] = { 1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128 };
    uint8x16_t w = vandq_u8(hit, vld1q_u8(weight));

    return (uint32_t)vaddv_u8(vget_low_u8(w)) |
           (uint32_t)vaddv_u8(vget_high_u8(w)) << 8;
}
#endif

/* Index of the first c in p[0..n), or n. */
static inline size_t scan_char(const char *p, size_t n, char c)
{
    size_t i = 0;

#if defined(SCAN_SSE2)
    __m128i want = _mm_set1_epi8(c);

    for (; i + 16 <= n; i += 16) {
        uint32_t m = scan_bits16(_mm_cmpeq_epi8(scan_load16(p + i), want));

        if (m)
            return i + (size_t)__builtin_ctz(m);
    }
#elif defined(SCAN_NEON)
    uint8x16_t want = vdupq_n_u8((uint8_t)c);

    for (; i + 16 <= n; i += 16) {
        uint32_t m = scan_bits16(
            vceqq_u8(vld1q_u8((const uint8_t *)p + i), want));

        if (m)
            return i + (size_t)__builtin_ctz(m);
    }
#endif
    while (i < n && p[i] != c)
        i++;
    return i;
}

/* The masks of p[0..64); all of it must be readable. */
static inline struct scan_masks scan_window(const char *p)
{
    struct scan_masks m = { 0, 0 };

#if defined(SCAN_SSE2)
    __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    __m128i nul = _mm_setzero_si128();

    for (unsigned i = 0; i < SCAN_WINDOW; i += 16) {
        __m128i x = scan_load16(p + i);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(x, cr),
                                   _mm_cmpeq_epi8(x, nul));

        m.lf |= (uint64_t)scan_bits16(_mm_cmpeq_epi8(x, lf)) << i;
        m.odd |= (uint64_t)scan_bits16(odd) << i;
    }
#elif defined(SCAN_NEON)
    uint8x16_t lf = vdupq_n_u8('\n'), cr = vdupq_n_u8('\r');

    for (unsigned i = 0; i < SCAN_WINDOW; i += 16) {
        uint8x16_t x = vld1q_u8((const uint8_t *)p + i);
        uint8x16_t odd = vorrq_u8(vceqq_u8(x, cr), vceqzq_u8(x));

        m.lf |= (uint64_t)scan_bits16(vceqq_u8(x, lf)) << i;
        m.odd |= (uint64_t)scan_bits16(odd) << i;
    }
#else
    for (unsigned i = 0; i < SCAN_WINDOW; i++) {
        m.lf |= (uint64_t)(p[i] == '\n') << i;
        m.odd |= (uint64_t)(p[i] == '\r' || p[i] == '\0') << i;
    }
#endif
    return m;
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
#endif
