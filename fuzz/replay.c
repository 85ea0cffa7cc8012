/* fuzz/replay.c - main() that feeds corpus files to a fuzz target where
 * libFuzzer is absent, so that old findings stay tests everywhere. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        uint8_t *p = malloc(1 << 20);
        size_t n;

        if (!f || !p) {
            perror(argv[i]);
            return 1;
        }
        n = fread(p, 1, 1 << 20, f);
        fclose(f);
        p = realloc(p, n ? n : 1); /* so that ASan sees the end */
        LLVMFuzzerTestOneInput(p, n);
        free(p);
    }
    printf("%s: %d inputs\n", argv[0], argc - 1);
    return 0;
}
