#include "app/device/pts.h"

#define SECOND 90000ull
#define FIRST SECOND /* the first picture of a camera without faults */
#define DAY (86400 * SECOND)
#define PERIOD (3 * SECOND) /* of what happens again and again */

/* What the clock shows `at` after the start. */
static uint64_t clock_at(const struct sender_faults *f, uint64_t at)
{
    if (f->pts_wrap)
        return (1ull << 33) - 5 * SECOND + at;
    if (f->pts32)
        return ((1ull << 32) - PERIOD + at) & 0xffffffff;
    if (f->pts_restart)
        return at % PERIOD;
    if (f->clock_jump && at / PERIOD % 2)
        return FIRST + at + DAY;
    return FIRST + at;
}

bool pts_of_video(const struct sender_faults *f, uint64_t n, uint64_t at,
                  uint64_t *out)
{
    *out = clock_at(f, at);
    if (f->pts_back && n % 25 == 24)
        *out -= 5400;
    return !f->no_pts;
}

bool pts_of_audio(const struct sender_faults *f, uint64_t at, uint64_t last90k,
                  uint64_t *out)
{
    *out = f->audio_same ? last90k : clock_at(f, at);
    if (f->audio_8k)
        *out = clock_at(f, 0) + at * 8000 / SECOND;
    if (f->audio_ahead)
        *out += 5 * SECOND;
    return !f->no_pts && !f->no_audio_pts;
}
