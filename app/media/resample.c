#include "app/media/resample.h"

#include <string.h>

#define CUTOFF 0.9f /* of half of 8 kHz: 3.6 kHz */
#define PI 3.14159265358979f

/* No libm in the core: a Taylor series, good to 1e-6 after folding x into
 * -pi/2 .. pi/2. x is at least 0. */
static float sine(float x)
{
    int turns = (int)(x / PI + 0.5f);
    float y = x - (float)turns * PI, y2 = y * y;
    float s = y * (1 - y2 / 6 * (1 - y2 / 20 * (1 - y2 / 42 *
                   (1 - y2 / 72 * (1 - y2 / 110)))));

    return turns % 2 ? -s : s;
}

static float cosine(float x)
{
    return sine(x + PI / 2);
}

/* The right half of the low-pass; x in periods of 8 kHz. */
static float kernel_at(float x)
{
    float t = x / RESAMPLE_ZEROS; /* 0 middle, 1 edge */
    float window = 0.42f + 0.5f * cosine(PI * t) + 0.08f * cosine(2 * PI * t);
    float a = PI * CUTOFF * x;

    return (a < 1e-4f ? 1 : sine(a) / a) * window;
}

int resample_init(struct resample *r, uint32_t rate_hz)
{
    if (rate_hz < RESAMPLE_MIN_HZ || rate_hz > RESAMPLE_MAX_HZ)
        return GB_ERANGE;
    memset(r, 0, sizeof(*r));
    r->rate_hz = rate_hz;
    r->half = RESAMPLE_ZEROS * rate_hz / RESAMPLE_OUT_HZ;
    r->gain = CUTOFF * RESAMPLE_OUT_HZ / (float)rate_hz;
    for (int i = 0; i < RESAMPLE_ZEROS * RESAMPLE_STEPS; i++)
        r->kernel[i] = kernel_at((float)i / RESAMPLE_STEPS);
    return 0;
}

size_t resample_bound(const struct resample *r, size_t n)
{
    return (size_t)((uint64_t)n * RESAMPLE_OUT_HZ / r->rate_hz) + 1;
}

static int16_t rounded(float v)
{
    if (v >= 32767)
        return 32767;
    if (v <= -32768)
        return -32768;
    return (int16_t)(v < 0 ? v - 0.5f : v + 0.5f);
}

/* The output sample that lies at `at`, in 1/8000 of an input sample. */
static int16_t sample_at(const struct resample *r, uint64_t at)
{
    uint64_t mid = at / RESAMPLE_OUT_HZ;
    float frac = (float)(at % RESAMPLE_OUT_HZ) / RESAMPLE_OUT_HZ;
    float scale = (float)RESAMPLE_STEPS * RESAMPLE_OUT_HZ / (float)r->rate_hz;
    float sum = 0;

    for (int64_t k = -(int64_t)r->half + 1; k <= (int64_t)r->half; k++) {
        float x = ((float)k - frac) * scale;
        uint64_t i = mid + (uint64_t)k;
        unsigned step;

        x = x < 0 ? -x : x;
        step = (unsigned)x;
        if (step >= RESAMPLE_ZEROS * RESAMPLE_STEPS)
            continue;
        x -= (float)step;
        sum += r->past[i % RESAMPLE_PAST] *
               (r->kernel[step] * (1 - x) + r->kernel[step + 1] * x);
    }
    return rounded(sum * r->gain);
}

/* past[] of before the first sample is zero, and so is what index -1 means:
 * RESAMPLE_PAST is more than the low-pass spans. */
_Static_assert(2 * RESAMPLE_ZEROS * RESAMPLE_MAX_HZ / RESAMPLE_OUT_HZ + 2 <
                   RESAMPLE_PAST, "the low-pass fits what is kept");

size_t resample_feed(struct resample *r, const int16_t *in, size_t n,
                     int16_t *out)
{
    size_t n_out = 0;

    if (r->rate_hz == RESAMPLE_OUT_HZ) {
        if (n)
            memcpy(out, in, n * sizeof(*in));
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t at = r->n_out * r->rate_hz;

        r->past[r->n_in++ % RESAMPLE_PAST] = in[i];
        if (r->n_in < at / RESAMPLE_OUT_HZ + r->half + 1)
            continue;
        out[n_out++] = sample_at(r, at);
        r->n_out++;
    }
    return n_out;
}
