/* app/device/pts.h - the clock of a camera, and how it is wrong: time stamps of
 * pictures and audio (ISO/IEC 13818-1 §2.4.3.7) */
#ifndef APP_DEVICE_PTS_H
#define APP_DEVICE_PTS_H

#include "app/device/faults.h"

/* The PTS of the n-th picture or block of audio, which is at `at` 1/90000 s
 * since the start. Unwrapped; false: it has none. */
bool pts_of_video(const struct sender_faults *f, uint64_t n, uint64_t at,
                  uint64_t *out);
/* last90k: that of the last picture. */
bool pts_of_audio(const struct sender_faults *f, uint64_t at, uint64_t last90k,
                  uint64_t *out);
#endif
