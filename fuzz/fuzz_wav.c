/* A WAV file: its sound lies inside the input, and all of it can be read. */
#include "app/media/resample.h"
#include "app/media/wav.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    const char *why = NULL;
    struct resample r;
    struct wav w;
    int last = 0;

    if (wav_parse(&w, in, &why)) {
        if (!why)
            abort();
        return 0;
    }
    if (w.data.p < in.p || w.data.p + w.data.n > in.p + in.n ||
        !wav_frames(&w) || resample_init(&r, w.rate_hz))
        abort();
    for (size_t i = 0; i < wav_frames(&w); i++)
        last = wav_sample(&w, i);
    return last == 1 << 20; /* never: it is of 16 bits */
}
