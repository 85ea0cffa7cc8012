/* app/media/resample.h - 16 bit samples of any rate to the 8 kHz of G.711
 *
 * A low-pass (a sinc under a Blackman window) is evaluated at the time of each
 * output sample, so that any rate will do and nothing above 4 kHz folds back.
 * Flat to 3 kHz within 0.5 dB; from 4.1 kHz on 60 dB below. */
#ifndef APP_MEDIA_RESAMPLE_H
#define APP_MEDIA_RESAMPLE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define RESAMPLE_OUT_HZ 8000
#define RESAMPLE_MIN_HZ 8000
#define RESAMPLE_MAX_HZ 48000
#define RESAMPLE_ZEROS 24 /* periods of 8 kHz that the low-pass spans each way */
#define RESAMPLE_STEPS 32 /* of its table in each of them */
#define RESAMPLE_PAST 512 /* input samples kept; a power of two */

/* Caller storage, 5 KiB. Fields are its own. */
struct resample {
    uint32_t rate_hz;
    uint32_t half;   /* input samples that the low-pass spans each way */
    uint64_t n_in, n_out;
    float gain;
    float past[RESAMPLE_PAST];
    float kernel[RESAMPLE_ZEROS * RESAMPLE_STEPS + 2];
};

/* GB_ERANGE: the rate is none of RESAMPLE_MIN_HZ to RESAMPLE_MAX_HZ. */
int resample_init(struct resample *r, uint32_t rate_hz);

/* At most so many samples come of n. */
size_t resample_bound(const struct resample *r, size_t n);

/* Takes n samples, writes those that can be told by now to out, which has room
 * for resample_bound; their number. The output is late by RESAMPLE_ZEROS
 * periods of 8 kHz, 3 ms, and not at all when the rate is 8 kHz already. */
size_t resample_feed(struct resample *r, const int16_t *in, size_t n,
                     int16_t *out);
#endif
