/* psdump FILE.ps - elements and access units of an MPEG program stream */
#include "ps/dump.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_FILE_BYTES (1u << 30)

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 1u << 20, k;
    char *p = f ? malloc(cap) : NULL;

    *n = 0;
    while (p && (k = fread(p + *n, 1, cap - *n, f)) > 0) {
        *n += k;
        if (*n == cap && cap < MAX_FILE_BYTES) {
            char *q = realloc(p, cap *= 2);

            if (!q)
                free(p);
            p = q;
        }
    }
    if (f)
        fclose(f);
    return p;
}

int main(int argc, char **argv)
{
    size_t n, cap;
    char *p, *text;
    struct writer w;

    if (argc != 2) {
        fprintf(stderr, "usage: psdump FILE.ps\n");
        return 2;
    }
    p = read_all(argv[1], &n);
    if (!p) {
        perror(argv[1]);
        return 1;
    }
    /* grows until the text fits: about a tenth of the stream */
    for (cap = n / 4 + 65536;; cap *= 2) {
        text = malloc(cap);
        if (!text)
            break;
        w = writer_of(text, cap);
        ps_dump(&w, slice_of(p, n), &gb_alloc_heap);
        if (!w.err || cap > MAX_FILE_BYTES)
            break;
        free(text);
    }
    if (text)
        fwrite(text, 1, w.len, stdout);
    free(text);
    free(p);
    return text && !w.err ? 0 : 1;
}
