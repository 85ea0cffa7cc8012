/* app/media/wav.h - the sound in a WAV file (RIFF): 16 bit PCM or G.711 */
#ifndef APP_MEDIA_WAV_H
#define APP_MEDIA_WAV_H

#include "base/err.h"
#include "base/slice.h"

enum wav_coding { WAV_PCM16, WAV_ALAW, WAV_ULAW };

struct wav {
    enum wav_coding coding;
    uint32_t rate_hz;
    unsigned channels; /* 1 or 2 */
    struct slice data; /* whole frames; borrowed */
};

/* A data chunk whose length is wrong (as a program writes it that cannot seek)
 * goes to the end of the file. GB_ESYNTAX: no WAV file, or cut before its data;
 * GB_EUNSUPPORTED: another coding, or more channels; GB_ERANGE: a rate that
 * app/media/resample.h does not take. *why, never NULL, is a sentence. */
int wav_parse(struct wav *out, struct slice file, const char **why);

/* Sample frames in it. */
size_t wav_frames(const struct wav *w);
/* The i-th, channels mixed into one. */
int16_t wav_sample(const struct wav *w, size_t i);
#endif
