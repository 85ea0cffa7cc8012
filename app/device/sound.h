/* app/device/sound.h - what a simulated camera says: a tone, block by block */
#ifndef APP_DEVICE_SOUND_H
#define APP_DEVICE_SOUND_H

#include "base/slice.h"
#include "ps/codec.h"

#define SOUND_G711_BYTES 320 /* 40 ms */
#define SOUND_MAX_FRAMES 256 /* of an ADTS file; the rest is not played */

struct sound {
    enum ps_codec codec;
    uint32_t rate_hz, samples; /* of a block */
    size_t n_frames;           /* AAC; they are looped */
    struct slice frame[SOUND_MAX_FRAMES]; /* borrowed, with ADTS heads */
    char tone[SOUND_G711_BYTES];
};

/* G711A or G711U: 400 Hz. AAC: an ADTS file, borrowed. UNKNOWN: silence, there
 * are no blocks. GB_ESYNTAX (no ADTS), GB_EUNSUPPORTED. */
int sound_init(struct sound *s, enum ps_codec codec, struct slice adts);

static inline bool sound_is_on(const struct sound *s)
{
    return s->codec != PS_CODEC_UNKNOWN;
}

/* The n-th block, and when it begins. */
struct slice sound_block(const struct sound *s, uint64_t n);
uint64_t sound_at_90k(const struct sound *s, uint64_t n);
/* Bytes of the largest one. */
size_t sound_largest(const struct sound *s);
#endif
