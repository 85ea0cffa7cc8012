#include "app/device/sound.h"

#include "app/media/aac.h"
#include "app/media/g711.h"

#define TONE_HZ 400 /* 20 samples a period: a block of 320 repeats exactly */

/* A triangle in place of a sine: no libm in the core. */
static void make_tone(struct sound *s, uint8_t (*encode)(int16_t))
{
    const int period = G711_RATE_HZ / TONE_HZ, half = period / 2;

    for (int i = 0; i < SOUND_G711_BYTES; i++) {
        int at = i % period;
        int v = at < half ? at : period - at;

        s->tone[i] = (char)encode((int16_t)((v * 2 - half) * 8000 / half));
    }
    s->rate_hz = G711_RATE_HZ;
    s->samples = SOUND_G711_BYTES;
}

static int cut_frames(struct sound *s, struct slice adts)
{
    struct aac_config cfg = { 0 };
    struct aac_frame f;

    while (adts.n && s->n_frames < SOUND_MAX_FRAMES &&
           !aac_adts_parse(&cfg, &f, adts)) {
        s->frame[s->n_frames++] = slice_head(adts, f.whole);
        adts = slice_from(adts, f.whole);
    }
    s->rate_hz = aac_rate(cfg.freq_index);
    s->samples = AAC_FRAME_SAMPLES;
    return s->n_frames && s->rate_hz ? 0 : GB_ESYNTAX;
}

int sound_init(struct sound *s, enum ps_codec codec, struct slice adts)
{
    *s = (struct sound){ .codec = codec };
    if (codec == PS_CODEC_AAC)
        return cut_frames(s, adts);
    if (codec == PS_CODEC_G711A)
        make_tone(s, g711_alaw_encode);
    else if (codec == PS_CODEC_G711U)
        make_tone(s, g711_ulaw_encode);
    else if (codec != PS_CODEC_UNKNOWN)
        return GB_EUNSUPPORTED;
    return 0;
}

struct slice sound_block(const struct sound *s, uint64_t n)
{
    return s->n_frames ? s->frame[n % s->n_frames]
                       : slice_of(s->tone, sizeof(s->tone));
}

uint64_t sound_at_90k(const struct sound *s, uint64_t n)
{
    return n * s->samples * 90000 / s->rate_hz;
}

size_t sound_largest(const struct sound *s)
{
    size_t largest = sizeof(s->tone);

    for (size_t i = 0; i < s->n_frames; i++)
        if (s->frame[i].n > largest)
            largest = s->frame[i].n;
    return largest;
}
