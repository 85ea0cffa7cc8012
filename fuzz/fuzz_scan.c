/* Every way of scanning gives what the plain one gives. The text lies in
 * memory of its exact size, so that a sanitizer sees one octet too far. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/scan.h"

#define MAX_TEXT 20000

static void searches(const char *p, size_t n, char c)
{
    static uint64_t blanks[2][MAX_TEXT / 64 + 1];
    uint64_t a[SCAN_MAP_WORDS], b[SCAN_MAP_WORDS];

    require(scan_char(p, n, c) == scan_char_scalar(p, n, c));
    require(scan_word(p, n) == scan_word_scalar(p, n));
    require(scan_delimiter(p, n) == scan_delimiter_scalar(p, n));
    require(scan_blank(p, n) == scan_blank_scalar(p, n));
    require(scan_blank_near(p, n) == scan_blank_scalar(p, n));
    require(scan_eol(p, n) == scan_eol_scalar(p, n));
    require(scan_high(p, n) == scan_high_scalar(p, n));
    scan_map_blanks(blanks[0], p, n);
    scan_map_blanks_scalar(blanks[1], p, n);
    require(memcmp(blanks[0], blanks[1], (n / 64 + 1) * 8) == 0);
    if (n >= 8) {
        uint32_t v = 0, w = 0;
        size_t k = (unsigned char)c % 10;

        require(scan_digits(p + n, k, &v) == scan_digits_scalar(p + n, k, &w));
        require(v == w);
    }
    if (n > SCAN_MAP_MAX)
        return;
    scan_map(a, p, n);
    scan_map_scalar(b, p, n);
    require(memcmp(a, b, sizeof(a)) == 0);
}

static void blocks(const char *p, size_t n)
{
    static struct scan_block want, got;
    struct scan_block_way way[4];
    size_t k = scan_block_ways(way) - 1;
    bool plain = way[k].fn(&want, p, n);

    while (k--) {
        require(way[k].fn(&got, p, n) == plain);
        if (!plain)
            continue;
        require(got.n == want.n);
        require(memcmp(got.lf, want.lf, want.n * sizeof(want.lf[0])) == 0);
        for (size_t at = 0; at < want.lf[want.n - 1]; at++)
            require(scan_stop(got.map, at) == scan_stop(want.map, at));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *p;

    if (size == 0 || size > MAX_TEXT)
        return 0;
    p = malloc(size);
    require(p != NULL);
    memcpy(p, data, size);
    for (size_t off = 0; off < size && off < 20; off++)
        searches(p + off, size - off, p[0]);
    blocks(p, size);
    free(p);
    return 0;
}
