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

size_t bench_picture(const uint8_t *p, size_t n, bool *key)
{
    bool sliced = false;

    *key = false;
    for (size_t i = 0; i + 3 < n; i++) {
        unsigned type = p[i + 3] & 0x1f;

        if (p[i] || p[i + 1] || p[i + 2] != 1)
            continue;
        if (sliced)
            return i && !p[i - 1] ? i - 1 : i;
        sliced = type == 1 || type == 5;
        *key |= type == 5;
        i += 3;
    }
    return n;
}
