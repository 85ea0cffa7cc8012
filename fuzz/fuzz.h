/* fuzz/fuzz.h - a fuzz target is one file with this one function */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* A run of libFuzzer does one of the things that its input chooses: there are many.
 * Where the corpus is fed, all are done: what one of them has found stays found. */
#ifndef FUZZ_EVERY_WAY
#define FUZZ_EVERY_WAY 1
#endif

/* A property. */
static inline void require(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif
