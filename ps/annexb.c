/* Start codes are rare and so are adjacent zero bytes: each search looks for
 * two zeros side by side in blocks as wide as the machine, with one branch a
 * block, and only then at single bytes. */
#include "ps/annexb.h"

#include <stdlib.h>

#if defined(__x86_64__) || defined(__i386__)
#define HAVE_X86 1
#include <immintrin.h>
#elif defined(__aarch64__)
#define HAVE_NEON 1
#include <arm_neon.h>
#endif

/* Looks at single bytes; for tails and for blocks that have two zeros. */
static size_t scan_bytes(const uint8_t *p, size_t i, size_t end, size_t n)
{
    while (i < end && i + 2 < n) {
        if (p[i + 2] > 1)
            i += 3;
        else if (p[i + 2] == 0)
            i += 1;
        else if (p[i] == 0 && p[i + 1] == 0)
            return i;
        else
            i += 3;
    }
    return n;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Non-zero if, and only if, one of the eight bytes is zero. */
static uint64_t zero_byte(uint64_t v)
{
    return (v - 0x0101010101010101ull) & ~v & 0x8080808080808080ull;
}

static size_t scan_swar(const uint8_t *p, size_t n)
{
    size_t i = 0;

    for (; i + 9 <= n; i += 8) {
        size_t at;

        if (!zero_byte(load64(p + i) | load64(p + i + 1)))
            continue;
        at = scan_bytes(p, i, i + 8, n);
        if (at < i + 8)
            return at;
    }
    return scan_bytes(p, i, n, n);
}

#ifdef HAVE_X86
/* The result is exact, so that a 00 00 03 costs no walk over bytes: bit k of
 * m is a start code at p + k. */
__attribute__((target("sse2"))) static uint32_t hits16(const uint8_t *p)
{
    const __m128i zero = _mm_setzero_si128(), one = _mm_set1_epi8(1);
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + 2));

    a = _mm_cmpeq_epi8(_mm_or_si128(a, b), zero);
    return (uint32_t)_mm_movemask_epi8(
        _mm_and_si128(a, _mm_cmpeq_epi8(c, one)));
}

__attribute__((target("sse2"))) static size_t scan_sse2(const uint8_t *p,
                                                        size_t n)
{
    const __m128i zero = _mm_setzero_si128();
    size_t i = 0;

    for (; i + 66 <= n; i += 64) {
        const __m128i *q = (const __m128i *)(const void *)(p + i);
        const __m128i *r = (const __m128i *)(const void *)(p + i + 1);
        __m128i a = _mm_or_si128(_mm_loadu_si128(q), _mm_loadu_si128(r));
        __m128i b = _mm_or_si128(_mm_loadu_si128(q + 1),
                                 _mm_loadu_si128(r + 1));
        __m128i c = _mm_or_si128(_mm_loadu_si128(q + 2),
                                 _mm_loadu_si128(r + 2));
        __m128i d = _mm_or_si128(_mm_loadu_si128(q + 3),
                                 _mm_loadu_si128(r + 3));

        a = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
        if (!_mm_movemask_epi8(_mm_cmpeq_epi8(a, zero)))
            continue;
        for (size_t k = 0; k < 64; k += 16) {
            uint32_t m = hits16(p + i + k);

            if (m)
                return i + k + (size_t)__builtin_ctz(m);
        }
    }
    for (; i + 18 <= n; i += 16) {
        uint32_t m = hits16(p + i);

        if (m)
            return i + (size_t)__builtin_ctz(m);
    }
    return scan_bytes(p, i, n, n);
}

__attribute__((target("avx2"))) static uint32_t hits32(const uint8_t *p)
{
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi8(1);
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
    __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + 2));

    a = _mm256_cmpeq_epi8(_mm256_or_si256(a, b), zero);
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_and_si256(a, _mm256_cmpeq_epi8(c, one)));
}

__attribute__((target("avx2"))) static size_t scan_avx2(const uint8_t *p,
                                                        size_t n)
{
    const __m256i zero = _mm256_setzero_si256();
    size_t i = 0;

    for (; i + 130 <= n; i += 128) {
        const __m256i *q = (const __m256i *)(const void *)(p + i);
        const __m256i *r = (const __m256i *)(const void *)(p + i + 1);
        __m256i a = _mm256_or_si256(_mm256_loadu_si256(q),
                                    _mm256_loadu_si256(r));
        __m256i b = _mm256_or_si256(_mm256_loadu_si256(q + 1),
                                    _mm256_loadu_si256(r + 1));
        __m256i c = _mm256_or_si256(_mm256_loadu_si256(q + 2),
                                    _mm256_loadu_si256(r + 2));
        __m256i d = _mm256_or_si256(_mm256_loadu_si256(q + 3),
                                    _mm256_loadu_si256(r + 3));

        a = _mm256_min_epu8(_mm256_min_epu8(a, b), _mm256_min_epu8(c, d));
        a = _mm256_cmpeq_epi8(a, zero);
        if (_mm256_testz_si256(a, a))
            continue;
        for (size_t k = 0; k < 128; k += 32) {
            uint32_t m = hits32(p + i + k);

            if (m)
                return i + k + (size_t)__builtin_ctz(m);
        }
    }
    for (; i + 34 <= n; i += 32) {
        uint32_t m = hits32(p + i);

        if (m)
            return i + (size_t)__builtin_ctz(m);
    }
    _mm256_zeroupper(); /* the call is the last act: gcc forgets it there */
    return scan_bytes(p, i, n, n);
}
#endif

#ifdef HAVE_NEON
static size_t scan_neon(const uint8_t *p, size_t n)
{
    size_t i = 0;

    for (; i + 66 <= n; i += 64) {
        uint8x16_t a = vorrq_u8(vld1q_u8(p + i), vld1q_u8(p + i + 1));
        uint8x16_t b = vorrq_u8(vld1q_u8(p + i + 16), vld1q_u8(p + i + 17));
        uint8x16_t c = vorrq_u8(vld1q_u8(p + i + 32), vld1q_u8(p + i + 33));
        uint8x16_t d = vorrq_u8(vld1q_u8(p + i + 48), vld1q_u8(p + i + 49));
        size_t at;

        a = vminq_u8(vminq_u8(a, b), vminq_u8(c, d));
        if (vminvq_u8(a))
            continue;
        at = scan_bytes(p, i, i + 64, n);
        if (at < i + 64)
            return at;
    }
    return scan_bytes(p, i, n, n);
}
#endif

static const struct ps_scan scans[] = {
#ifdef HAVE_X86
    { "avx2", scan_avx2 },
    { "sse2", scan_sse2 },
#endif
#ifdef HAVE_NEON
    { "neon", scan_neon },
#endif
    { "swar", scan_swar },
    { NULL, NULL },
};

const struct ps_scan *ps_scan_list(void)
{
    const struct ps_scan *s = scans;

#ifdef HAVE_X86
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        s++;
    if (s != scans && !__builtin_cpu_supports("sse2"))
        s++;
#endif
    return s;
}

ps_scan_fn *ps_scan_best(void)
{
    return ps_scan_list()->fn;
}

bool ps_annexb_next(struct slice *rest, struct slice *nal)
{
    ps_scan_fn *scan = ps_scan_best();

    while (rest->n >= 4) {
        const uint8_t *p = (const uint8_t *)rest->p;
        size_t at = scan(p, rest->n), end;

        if (at == rest->n)
            break;
        at += 3;
        end = at + scan(p + at, rest->n - at);
        *nal = slice_of(rest->p + at, end - at);
        *rest = slice_from(*rest, end);
        while (nal->n && nal->p[nal->n - 1] == 0)
            nal->n--;
        if (nal->n)
            return true;
    }
    *rest = slice_from(*rest, rest->n);
    return false;
}

bool ps_nal_is_vcl(enum ps_codec codec, uint8_t type)
{
    if (codec == PS_CODEC_H265)
        return type < 32;
    return type >= 1 && type <= 5;
}

bool ps_nal_is_irap(enum ps_codec codec, uint8_t type)
{
    if (codec == PS_CODEC_H265)
        return type >= 16 && type <= 23;
    return type == 5;
}

bool ps_nal_is_first_slice(enum ps_codec codec, const uint8_t *p, size_t n)
{
    uint8_t type;

    if (n == 0)
        return false;
    type = ps_nal_type(codec, p[0]);
    if (codec == PS_CODEC_H265)
        return type < 32 && n > 2 && p[2] & 0x80;
    /* of the data partitions only A carries first_mb_in_slice */
    return (type == 1 || type == 2 || type == 5) && n > 1 && p[1] & 0x80;
}

bool ps_nal_begins_au(enum ps_codec codec, const uint8_t *p, size_t n)
{
    uint8_t type;

    if (n == 0)
        return false;
    type = ps_nal_type(codec, p[0]);
    if (ps_nal_is_vcl(codec, type))
        return ps_nal_is_first_slice(codec, p, n);
    if (codec == PS_CODEC_H265)
        return (type >= 32 && type <= 35) || type == 39 ||
               (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
    return (type >= 6 && type <= 9) || (type >= 14 && type <= 18);
}

unsigned ps_nal_evidence(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    switch (p[0]) {
    case 0x67:
    case 0x27:
    case 0x47:
        return PS_SEEN_H264_SPS;
    case 0x68:
    case 0x28:
    case 0x48:
        /* pic_parameter_set_id 0 is one bit 1; 28 01 is an H.265 IDR */
        return p[1] & 0x80 ? PS_SEEN_H264_PPS : 0;
    case 0x40:
        return p[1] == 1 ? PS_SEEN_H265_VPS : 0;
    case 0x42:
        return p[1] == 1 ? PS_SEEN_H265_SPS : 0;
    case 0x44:
        return p[1] == 1 ? PS_SEEN_H265_PPS : 0;
    default:
        return 0;
    }
}

struct ps_bits ps_bits_of(const uint8_t *p, size_t n)
{
    return (struct ps_bits){ .p = p, .end = n ? p + n : p };
}

static void next_byte(struct ps_bits *b)
{
    if (b->p < b->end && b->zeros >= 2 && *b->p == 3) {
        b->p++;
        b->zeros = 0;
    }
    if (b->p >= b->end) {
        b->err = true;
        b->cur = 0;
    } else {
        b->cur = *b->p++;
        b->zeros = b->cur ? 0 : b->zeros + 1;
    }
    b->left = 8;
}

uint32_t ps_bits_u(struct ps_bits *b, unsigned n)
{
    uint32_t v = 0;

    while (n--) {
        if (!b->left)
            next_byte(b);
        b->left--;
        v = v << 1 | (b->cur >> b->left & 1);
    }
    return v;
}

uint32_t ps_bits_ue(struct ps_bits *b)
{
    unsigned zeros = 0;

    while (!b->err && !ps_bits_u(b, 1))
        if (++zeros > 31)
            b->err = true;
    if (b->err)
        return 0;
    return (1u << zeros) - 1 + ps_bits_u(b, zeros);
}

static void skip_scaling_list(struct ps_bits *b, unsigned size)
{
    uint32_t last = 8, next = 8;

    for (unsigned i = 0; i < size && !b->err; i++) {
        if (next) {
            uint32_t k = ps_bits_ue(b); /* se(v) */
            uint32_t delta = k & 1 ? k / 2 + 1 : 0u - k / 2;

            next = (last + delta) & 0xff;
        }
        last = next ? next : last;
    }
}

static bool has_chroma_format(uint32_t profile)
{
    static const uint8_t profiles[] = { 100, 110, 122, 244, 44,  83,
                                        86,  118, 128, 138, 139, 134 };

    for (size_t i = 0; i < sizeof(profiles); i++)
        if (profiles[i] == profile)
            return true;
    return false;
}

static void parse_chroma_format(struct ps_bits *b, struct ps_h264_sps *sps)
{
    uint32_t chroma = ps_bits_ue(b);

    if (chroma == 3)
        sps->separate_planes = ps_bits_u(b, 1);
    ps_bits_ue(b); /* bit_depth_luma_minus8 */
    ps_bits_ue(b); /* bit_depth_chroma_minus8 */
    ps_bits_u(b, 1);
    if (!ps_bits_u(b, 1)) /* seq_scaling_matrix_present_flag */
        return;
    for (unsigned i = 0; i < (chroma == 3 ? 12u : 8u); i++)
        if (ps_bits_u(b, 1))
            skip_scaling_list(b, i < 6 ? 16 : 64);
}

bool ps_h264_sps_parse(struct ps_h264_sps *out, const uint8_t *nal, size_t n)
{
    struct ps_bits b = ps_bits_of(nal, n);
    struct ps_h264_sps sps = { 0 };
    uint32_t profile, bits, poc_type;

    ps_bits_u(&b, 8);
    profile = ps_bits_u(&b, 8);
    ps_bits_u(&b, 16);
    ps_bits_ue(&b); /* seq_parameter_set_id */
    if (has_chroma_format(profile))
        parse_chroma_format(&b, &sps);
    bits = ps_bits_ue(&b); /* log2_max_frame_num_minus4 */
    poc_type = ps_bits_ue(&b);
    if (poc_type == 0) {
        ps_bits_ue(&b);
    } else if (poc_type == 1) {
        uint32_t cycle;

        ps_bits_u(&b, 1);
        ps_bits_ue(&b);
        ps_bits_ue(&b);
        cycle = ps_bits_ue(&b);
        for (uint32_t i = 0; i < cycle && i < 256 && !b.err; i++)
            ps_bits_ue(&b);
    }
    ps_bits_ue(&b); /* max_num_ref_frames */
    ps_bits_u(&b, 1);
    ps_bits_ue(&b); /* width */
    ps_bits_ue(&b); /* height */
    sps.frame_mbs_only = ps_bits_u(&b, 1);
    if (b.err || bits > 12)
        return false;
    sps.frame_num_bits = (uint8_t)(bits + 4);
    *out = sps;
    return true;
}

bool ps_h264_slice_parse(struct ps_h264_slice *out, const uint8_t *nal,
                         size_t n, const struct ps_h264_sps *sps)
{
    struct ps_bits b = ps_bits_of(nal, n);
    struct ps_h264_slice s = { 0 };

    ps_bits_u(&b, 8);
    s.first_mb = ps_bits_ue(&b);
    s.type = ps_bits_ue(&b);
    if (sps) {
        ps_bits_ue(&b); /* pic_parameter_set_id */
        if (sps->separate_planes)
            ps_bits_u(&b, 2);
        s.frame_num = ps_bits_u(&b, sps->frame_num_bits);
        if (!sps->frame_mbs_only) {
            s.field = ps_bits_u(&b, 1);
            s.bottom = s.field && ps_bits_u(&b, 1);
        }
    }
    if (b.err)
        return false;
    *out = s;
    return true;
}

bool ps_h264_sei_has_recovery(const uint8_t *nal, size_t n)
{
    struct ps_bits b = ps_bits_of(nal, n);

    ps_bits_u(&b, 8);
    while (!b.err) {
        uint32_t type = 0, size = 0, byte;

        do
            type += byte = ps_bits_u(&b, 8);
        while (byte == 0xff);
        do
            size += byte = ps_bits_u(&b, 8);
        while (byte == 0xff);
        if (b.err)
            return false;
        if (type == 6)
            return true;
        while (size-- && !b.err)
            ps_bits_u(&b, 8);
    }
    return false;
}
