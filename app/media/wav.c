#include "app/media/wav.h"

#include "app/media/g711.h"
#include "app/media/resample.h"

enum { TAG_PCM = 1, TAG_ALAW = 6, TAG_ULAW = 7, TAG_EXTENSIBLE = 0xfffe };

#define FMT_BYTES 16
#define FMT_EXTENSIBLE_BYTES 40 /* its real tag stands at 24 */

static uint32_t le(struct slice s, size_t at, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = bytes; i-- > 0;)
        v = v << 8 | (uint8_t)s.p[at + i];
    return v;
}

static int fail(const char **why, int err, const char *text)
{
    *why = text;
    return err;
}

static int read_format(struct wav *w, struct slice f, const char **why)
{
    uint32_t tag, bits;

    if (f.n < FMT_BYTES)
        return fail(why, GB_ESYNTAX, "its fmt chunk is too short");
    tag = le(f, 0, 2);
    bits = le(f, 14, 2);
    w->channels = le(f, 2, 2);
    w->rate_hz = le(f, 4, 4);
    if (tag == TAG_EXTENSIBLE && f.n >= FMT_EXTENSIBLE_BYTES)
        tag = le(f, 24, 2);
    if (tag == TAG_PCM && bits == 16)
        w->coding = WAV_PCM16;
    else if (tag == TAG_ALAW && bits == 8)
        w->coding = WAV_ALAW;
    else if (tag == TAG_ULAW && bits == 8)
        w->coding = WAV_ULAW;
    else
        return fail(why, GB_EUNSUPPORTED,
                    "it is neither 16 bit PCM nor G.711");
    if (w->channels < 1 || w->channels > 2)
        return fail(why, GB_EUNSUPPORTED, "it has more than two channels");
    if (w->rate_hz < RESAMPLE_MIN_HZ || w->rate_hz > RESAMPLE_MAX_HZ)
        return fail(why, GB_ERANGE, "its rate is not 8000 to 48000 Hz");
    return 0;
}

static size_t frame_bytes(const struct wav *w)
{
    return w->channels * (w->coding == WAV_PCM16 ? 2u : 1u);
}

int wav_parse(struct wav *out, struct slice file, const char **why)
{
    struct wav w = { 0 };
    struct slice rest;

    if (file.n < 12 || !slice_has_prefix(file, SLICE("RIFF")) ||
        !slice_has_prefix(slice_from(file, 8), SLICE("WAVE")))
        return fail(why, GB_ESYNTAX, "it is no WAV file");
    rest = slice_from(file, 12);
    while (rest.n >= 8) {
        struct slice id = slice_head(rest, 4);
        size_t n = le(rest, 4, 4);
        struct slice body = slice_head(slice_from(rest, 8), n);

        if (slice_eq(id, SLICE("fmt "))) {
            int err = read_format(&w, body, why);

            if (err)
                return err;
        } else if (slice_eq(id, SLICE("data"))) {
            if (!w.channels)
                return fail(why, GB_ESYNTAX, "its data stand before fmt");
            body.n -= body.n % frame_bytes(&w);
            if (!body.n)
                return fail(why, GB_ESYNTAX, "there is no sound in it");
            w.data = body;
            *out = w;
            return 0;
        }
        n += n & 1; /* chunks are padded to even */
        rest = slice_from(slice_from(rest, 8), n);
    }
    return fail(why, GB_ESYNTAX, "it ends before its data");
}

size_t wav_frames(const struct wav *w)
{
    return w->data.n / frame_bytes(w);
}

static int16_t one(const struct wav *w, size_t i)
{
    switch (w->coding) {
    case WAV_ALAW:
        return g711_alaw_table[(uint8_t)w->data.p[i]];
    case WAV_ULAW:
        return g711_ulaw_table[(uint8_t)w->data.p[i]];
    case WAV_PCM16:
        break;
    }
    return (int16_t)(uint16_t)le(w->data, 2 * i, 2);
}

int16_t wav_sample(const struct wav *w, size_t i)
{
    if (w->channels == 1)
        return one(w, i);
    return (int16_t)(((int)one(w, 2 * i) + one(w, 2 * i + 1)) / 2);
}
