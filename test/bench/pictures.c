#include "test/bench/pictures.h"

#include <stdio.h>
#include <stdlib.h>

uint8_t *bench_load(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(BENCH_FILE_BYTES);

    *n = f && p ? fread(p, 1, BENCH_FILE_BYTES, f) : 0;
    if (!*n) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return p;
}

typedef bool slice_fn(uint8_t head, bool *key);

static bool slice264(uint8_t head, bool *key)
{
    unsigned type = head & 0x1f;

    *key |= type == 5;
    return type == 1 || type == 5;
}

static bool slice265(uint8_t head, bool *key)
{
    unsigned type = head >> 1 & 0x3f;

    *key |= type >= 16 && type <= 21;
    return type < 32;
}

static size_t first(const uint8_t *p, size_t n, slice_fn *is_slice, bool *key)
{
    bool sliced = false;

    *key = false;
    for (size_t i = 0; i + 3 < n; i++) {
        if (p[i] || p[i + 1] || p[i + 2] != 1)
            continue;
        if (sliced)
            return i && !p[i - 1] ? i - 1 : i;
        sliced = is_slice(p[i + 3], key);
        i += 3;
    }
    return n;
}

size_t bench_picture(const uint8_t *p, size_t n, bool *key)
{
    return first(p, n, slice264, key);
}

size_t bench_picture265(const uint8_t *p, size_t n, bool *key)
{
    return first(p, n, slice265, key);
}
