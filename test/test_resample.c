/* app/media/resample: what passes, and what must not fold back. */
#include "app/media/resample.h"
#include "test/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.283185307179586
#define SECOND 48000

static int16_t in[SECOND], out[RESAMPLE_OUT_HZ + 64];

/* Level of one frequency in dB below full scale (Goertzel by hand), after the
 * low-pass has settled. */
static double level_db(const int16_t *p, size_t n, double hz)
{
    double re = 0, im = 0;

    for (size_t i = 0; i < n; i++) {
        re += p[i] * cos(TWO_PI * hz * (double)i / RESAMPLE_OUT_HZ);
        im += p[i] * sin(TWO_PI * hz * (double)i / RESAMPLE_OUT_HZ);
    }
    return 20 * log10(2 * sqrt(re * re + im * im) / (double)n / 32768 + 1e-9);
}

static double rms_db(const int16_t *p, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)p[i] * p[i];
    return 10 * log10(2 * sum / (double)n / 32768 / 32768 + 1e-12);
}

/* A second of a tone of half the full scale, -6.02 dB, in pieces. */
static size_t run(uint32_t rate, double hz, size_t piece)
{
    struct resample r;
    size_t n = 0;

    assert_int_equal(resample_init(&r, rate), 0);
    for (size_t i = 0; i < rate; i++)
        in[i] = (int16_t)lrint(16384 * sin(TWO_PI * hz * (double)i / rate));
    for (size_t i = 0; i < rate; i += piece) {
        size_t k = rate - i < piece ? rate - i : piece;
        size_t got = resample_feed(&r, in + i, k, out + n);

        assert_true(got <= resample_bound(&r, k));
        n += got;
    }
    return n;
}

static const uint32_t rates[] = { 8000, 11025, 12000, 16000, 22050, 24000,
                                  32000, 44100, 48000 };

static void passes_speech(void **state)
{
    static const double hz[] = { 100, 300, 1000, 2000, 3000 };

    (void)state;
    for (size_t i = 0; i < COUNT(rates); i++) {
        for (size_t k = 0; k < COUNT(hz); k++) {
            size_t n = run(rates[i], hz[k], 128);
            double db;

            assert_in_range(n, 7960, 8000);
            db = level_db(out + 200, 7700, hz[k]);
            if (fabs(db + 6.02) > 0.5)
                fail_msg("%u Hz: %.0f Hz has %.2f dB", rates[i], hz[k], db);
        }
    }
}

/* Nothing that lies above 4 kHz may be heard anywhere. */
static void stops_the_rest(void **state)
{
    static const double hz[] = { 4200, 5000, 5500, 7000, 7900, 11000, 15000,
                                 20000, 23000 };

    (void)state;
    for (size_t i = 1; i < COUNT(rates); i++) {
        for (size_t k = 0; k < COUNT(hz); k++) {
            size_t n;
            double db;

            if (hz[k] >= rates[i] / 2.0)
                continue;
            n = run(rates[i], hz[k], 4096);
            db = rms_db(out + 200, n - 300);
            if (db > -66)
                fail_msg("%u Hz: %.0f Hz leaves %.1f dB", rates[i], hz[k], db);
        }
    }
}

static void pieces_make_no_difference(void **state)
{
    static int16_t whole[COUNT(out)];
    size_t n = run(44100, 997, 44100);

    (void)state;
    memcpy(whole, out, sizeof(whole));
    for (size_t piece = 1; piece < 2000; piece = piece * 3 + 1) {
        assert_int_equal(run(44100, 997, piece), n);
        assert_memory_equal(out, whole, n * sizeof(out[0]));
    }
}

static void rates_have_limits(void **state)
{
    struct resample r;

    (void)state;
    assert_int_equal(resample_init(&r, 7999), GB_ERANGE);
    assert_int_equal(resample_init(&r, 48001), GB_ERANGE);
    assert_int_equal(resample_init(&r, 0), GB_ERANGE);
}

/* Full scale with overshoot is cut, not wrapped. */
static void is_cut_at_full_scale(void **state)
{
    struct resample r;
    size_t n;

    (void)state;
    assert_int_equal(resample_init(&r, 48000), 0);
    for (size_t i = 0; i < SECOND; i++)
        in[i] = i / 48 % 2 ? 32767 : -32768;
    n = resample_feed(&r, in, SECOND, out);
    for (size_t i = 24 + 4; i + 8 < n; i++) {
        int a = out[i], b = out[i + 8]; /* half a period later */

        if (abs(a) > 20000)
            assert_true((a < 0) != (b < 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_speech),
        cmocka_unit_test(stops_the_rest),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(rates_have_limits),
        cmocka_unit_test(is_cut_at_full_scale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
