/* base/siphash.h - SipHash-c-d, a keyed hash of short texts
 *
 * Who does not have the key cannot tell what a text hashes to. 1-3 is enough
 * where only buckets are at stake (map.h); 2-4 is what its authors propose as a
 * proof of origin. c and d are constants at every call, so that the rounds
 * unroll, in every build: a call for each round is what instrumented ones spend
 * their time in. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/slice.h"

#define SIPHASH_INLINE static inline __attribute__((always_inline))

SIPHASH_INLINE uint64_t siphash_rotl(uint64_t x, unsigned b)
{
    return x << b | x >> (64 - b);
}

SIPHASH_INLINE void siphash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = siphash_rotl(v[1], 13) ^ v[0];
    v[0] = siphash_rotl(v[0], 32);
    v[2] += v[3];
    v[3] = siphash_rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = siphash_rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = siphash_rotl(v[1], 17) ^ v[2];
    v[2] = siphash_rotl(v[2], 32);
}

/* Eight octets, the first one lowest, on any machine. */
SIPHASH_INLINE uint64_t siphash_word(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
           (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 |
           (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

/* The octets behind the last full word, and the length on top. */
SIPHASH_INLINE uint64_t siphash_last(struct slice s)
{
    size_t left = s.n & 7;
    uint64_t x = 0;

    if (s.n >= 8 && left)
        x = siphash_word(s.p + s.n - 8) >> (64 - 8 * left);
    else
        for (size_t i = 0; i < left; i++)
            x |= (uint64_t)(uint8_t)s.p[i] << (8 * i);
    return x | (uint64_t)s.n << 56;
}

SIPHASH_INLINE void siphash_start(uint64_t v[4], const uint64_t key[2])
{
    v[0] = key[0] ^ 0x736f6d6570736575u;
    v[1] = key[1] ^ 0x646f72616e646f6du;
    v[2] = key[0] ^ 0x6c7967656e657261u;
    v[3] = key[1] ^ 0x7465646279746573u;
}

SIPHASH_INLINE void siphash_take(uint64_t v[4], struct slice s, unsigned c)
{
    for (size_t i = 0, n = s.n / 8; i <= n; i++) {
        uint64_t m = i < n ? siphash_word(s.p + 8 * i) : siphash_last(s);

        v[3] ^= m;
        for (unsigned k = 0; k < c; k++)
            siphash_round(v);
        v[0] ^= m;
    }
}

SIPHASH_INLINE uint64_t siphash_end(uint64_t v[4], unsigned d)
{
    for (unsigned k = 0; k < d; k++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

SIPHASH_INLINE uint64_t siphash(const uint64_t key[2], struct slice s,
                               unsigned c, unsigned d)
{
    uint64_t v[4];

    siphash_start(v, key);
    siphash_take(v, s, c);
    v[2] ^= 0xff;
    return siphash_end(v, d);
}

/* The variant of 128 bits: other values, not the ones above and more. */
SIPHASH_INLINE void siphash_128(const uint64_t key[2], struct slice s,
                               unsigned c, unsigned d, uint64_t out[2])
{
    uint64_t v[4];

    siphash_start(v, key);
    v[1] ^= 0xee;
    siphash_take(v, s, c);
    v[2] ^= 0xee;
    out[0] = siphash_end(v, d);
    v[1] ^= 0xdd;
    out[1] = siphash_end(v, d);
}
#endif
