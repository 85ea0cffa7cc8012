#include "tools/cam/clips.h"

#include "base/alloc.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define BUILT_IN(name)                                                         \
    extern const char clip_##name##_begin[], clip_##name##_end[]

BUILT_IN(clock_h264);
BUILT_IN(clock_h265);
BUILT_IN(sub_h264);
BUILT_IN(sub_h265);
BUILT_IN(tone_aac);

static struct slice between(const char *begin, const char *end)
{
    return slice_of(begin, (size_t)(end - begin));
}

static struct slice built_in(enum ps_codec codec, unsigned stream)
{
    if (codec == PS_CODEC_H265)
        return stream ? between(clip_sub_h265_begin, clip_sub_h265_end)
                      : between(clip_clock_h265_begin, clip_clock_h265_end);
    return stream ? between(clip_sub_h264_begin, clip_sub_h264_end)
                  : between(clip_clock_h264_begin, clip_clock_h264_end);
}

bool file_read(const char *path, struct slice *out)
{
    FILE *f = fopen(path, "rb");
    char *p = NULL;
    long n = -1;

    if (f && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) >= 0) {
        rewind(f);
        p = calloc(1, (size_t)n + 1);
        if (p && fread(p, 1, (size_t)n, f) != (size_t)n)
            n = -1;
    }
    if (f)
        fclose(f);
    *out = slice_of(p, n > 0 ? (size_t)n : 0);
    return p && n >= 0;
}

static int load(struct clips *c, const char *path, enum ps_codec codec,
                unsigned stream, uint32_t fps)
{
    struct slice *file = &c->file[stream];
    int err;

    if (path && !file_read(path, file)) {
        fprintf(stderr, "gbcam: %s: %s\n", path, strerror(errno));
        return EX_NOINPUT;
    }
    err = clip_init(&c->stream[stream], &gb_alloc_heap,
                    path ? *file : built_in(codec, stream), fps);
    if (err) {
        fprintf(stderr, "gbcam: %s: no Annex B H.264 or H.265 file that begins "
                        "with a key frame (%s)\n",
                path ? path : "built-in clip", gb_strerror(err));
        return EX_DATAERR;
    }
    return 0;
}

int clips_load(struct clips *c, const struct options *o)
{
    int rc = load(c, o->media, o->codec, 0, o->fps);

    /* what is built in is of the codec that the file has */
    if (!rc)
        rc = load(c, o->media_sub, c->stream[0].codec, 1, o->fps);
    if (rc)
        return rc;
    return sound_init(&c->sound, o->audio,
                      between(clip_tone_aac_begin, clip_tone_aac_end))
               ? EX_DATAERR : 0;
}

void clips_free(struct clips *c)
{
    for (int i = 0; i < 2; i++) {
        clip_fini(&c->stream[i]);
        free((char *)c->file[i].p);
    }
}
