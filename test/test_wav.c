/* app/media/wav: files as programs write them, and broken ones. */
#include "app/media/g711.h"
#include "app/media/wav.h"
#include "test/support.h"

#include <string.h>

#define FMT(tag, ch, rate_lo, rate_hi, bits)                                   \
    "fmt \x10\0\0\0" tag "\0" ch "\0" rate_lo rate_hi "\0\0" "\0\0\0\0"        \
    "\0\0" bits "\0"
#define HEAD "RIFF\0\0\0\0WAVE"
#define PCM8K FMT("\1", "\1", "\x40", "\x1f", "\x10")

static void files(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        size_t frames;
        int16_t first;
    } cases[] = {
        { "pcm", S(HEAD PCM8K "data\4\0\0\0\1\2\3\4"), 0, 2, 0x201 },
        { "negative", S(HEAD PCM8K "data\2\0\0\0\xff\xff"), 0, 1, -1 },
        { "stereo is mixed", S(HEAD FMT("\1", "\2", "\x40", "\x1f", "\x10")
          "data\4\0\0\0\0\1\0\3"), 0, 1, 0x200 },
        { "A-law", S(HEAD FMT("\6", "\1", "\x40", "\x1f", "\x8")
          "data\3\0\0\0\x55\xd5\x2a"), 0, 3, -8 },
        { "mu-law", S(HEAD FMT("\7", "\1", "\x40", "\x1f", "\x8")
          "data\1\0\0\0\x80"), 0, 1, 32124 },
        { "other chunks, padded", S(HEAD PCM8K "LIST\3\0\0\0abc\0"
          "data\2\0\0\0\1\0"), 0, 1, 1 },
        { "length of data not written", S(HEAD PCM8K
          "data\xff\xff\xff\xff\1\0\2\0"), 0, 2, 1 },
        { "half a sample at the end", S(HEAD PCM8K "data\3\0\0\0\1\0\2"), 0, 1,
          1 },
        { "none", S(""), GB_ESYNTAX, 0, 0 },
        { "not RIFF", S("RIFX\0\0\0\0WAVE" PCM8K "data\2\0\0\0\1\0"),
          GB_ESYNTAX, 0, 0 },
        { "no fmt", S(HEAD "data\2\0\0\0\1\0"), GB_ESYNTAX, 0, 0 },
        { "no data", S(HEAD PCM8K), GB_ESYNTAX, 0, 0 },
        { "empty data", S(HEAD PCM8K "data\0\0\0\0"), GB_ESYNTAX, 0, 0 },
        { "float", S(HEAD FMT("\3", "\1", "\x40", "\x1f", "\x20")
          "data\2\0\0\0\1\0"), GB_EUNSUPPORTED, 0, 0 },
        { "six channels", S(HEAD FMT("\1", "\6", "\x40", "\x1f", "\x10")
          "data\2\0\0\0\1\0"), GB_EUNSUPPORTED, 0, 0 },
        { "no channel", S(HEAD FMT("\1", "\0", "\x40", "\x1f", "\x10")
          "data\2\0\0\0\1\0"), GB_EUNSUPPORTED, 0, 0 },
        { "4 kHz", S(HEAD FMT("\1", "\1", "\xa0", "\x0f", "\x10")
          "data\2\0\0\0\1\0"), GB_ERANGE, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *why = NULL;
        struct wav w;
        int err = wav_parse(&w, guarded(cases[i].in), &why);

        if (err != cases[i].err || (err && !why) ||
            (!err && (wav_frames(&w) != cases[i].frames ||
                      wav_sample(&w, 0) != cases[i].first)))
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

/* Every prefix is refused, or is a shorter sound. */
static void prefixes(void **state)
{
    static const struct slice whole =
        S(HEAD PCM8K "LIST\3\0\0\0abc\0data\x8\0\0\0\1\0\2\0\3\0\4\0");

    (void)state;
    for (size_t n = 0; n < whole.n; n++) {
        const char *why;
        struct wav w;
        int err = wav_parse(&w, guarded(slice_head(whole, n)), &why);

        assert_true(err == GB_ESYNTAX || (err == 0 && n > whole.n - 8));
        for (size_t i = 0; !err && i < wav_frames(&w); i++)
            assert_int_equal(wav_sample(&w, i), (int)i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
