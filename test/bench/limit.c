#include "test/bench/limit.h"

#include "test/bench/measure.h"

#define MAX_LINES 128

struct line {
    const char *p;
    uint32_t n;
    uint32_t name; /* length of what is before the colon */
};

static struct line lines[MAX_LINES];

/* mask(p, c): one bit for each of 32 bytes that is c. */
#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

AVX2 static inline uint32_t mask_avx2(const char *p, char c)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);

    return (uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)));
}

AVX2 static inline uint32_t sign_avx2(const char *p)
{
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_loadu_si256((const __m256i *)(const void *)p));
}

static inline uint32_t sign_sse2(const char *p)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));

    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(a, b));
}

static inline uint32_t mask_sse2(const char *p, char c)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
    __m128i x = _mm_set1_epi8(c);

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, x)) |
           (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, x)) << 16;
}

#define KIND(name) name##_avx2
#define TARGET AVX2
#include "test/bench/limit_scan.h"
#undef KIND
#undef TARGET
#define KIND(name) name##_sse2
#define TARGET
#include "test/bench/limit_scan.h"

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

const char *bench_limit_kind(void)
{
    return has_avx2() ? "avx2" : "sse2";
}

int bench_limit_xml(struct slice body, struct bench_xml *x)
{
    static int avx2 = -1;

    if (avx2 < 0)
        avx2 = has_avx2();
    return avx2 ? xml_avx2(body, x) : xml_sse2(body, x);
}

int bench_limit_sip(struct slice bytes, struct bench_fields *f)
{
    static int avx2 = -1;

    if (avx2 < 0)
        avx2 = has_avx2();
    return avx2 ? extract_avx2(bytes, f) : extract_sse2(bytes, f);
}
#else
static inline uint32_t mask_word(const char *p, char c)
{
    const uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
    uint32_t m = 0;

    for (int i = 0; i < 4; i++) {
        uint64_t v;

        memcpy(&v, p + 8 * i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        v ^= ones * (unsigned char)c;
        v = ~(((v & low) + low) | v | low) >> 7; /* 1 where v was 0 */
        m |= (uint32_t)((v * 0x0102040810204080u) >> 56) << (8 * i);
    }
    return m;
}

static inline uint32_t sign_word(const char *p)
{
    uint64_t v[4];

    memcpy(v, p, sizeof(v));
    return ((v[0] | v[1] | v[2] | v[3]) & 0x8080808080808080u) != 0;
}

#define KIND(name) name##_word
#define TARGET
#include "test/bench/limit_scan.h"

const char *bench_limit_kind(void)
{
    return "word";
}

int bench_limit_sip(struct slice bytes, struct bench_fields *f)
{
    return extract_word(bytes, f);
}

int bench_limit_xml(struct slice body, struct bench_xml *x)
{
    return xml_word(body, x);
}
#endif

int bench_limit_sdp(struct slice body)
{
    static const char *letter[64];
    const char *p = body.p, *end = p + body.n, *nl;
    size_t n = 0;

    while (p < end && n < 64 &&
           (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        if (p[1] != '=')
            return 1;
        letter[n++] = p;
        p = nl + 1;
    }
    BENCH_KEEP(letter);
    return n < 5;
}
