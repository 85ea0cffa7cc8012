/* fuzz/hash.h - what came out, as one number: the same bytes in the same portions
 * give the same */
#ifndef FUZZ_HASH_H
#define FUZZ_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_int(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static inline uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const char *b = p;
    uint64_t v;

    h = hash_int(h, n);
    for (; n >= sizeof(v); n -= sizeof(v), b += sizeof(v)) {
        memcpy(&v, b, sizeof(v));
        h = hash_int(h, v);
    }
    v = 0;
    if (n)
        memcpy(&v, b, n);
    return hash_int(h, v);
}
#endif
