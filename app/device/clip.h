/* app/device/clip.h - an Annex B file as a list of pictures, to be looped */
#ifndef APP_DEVICE_CLIP_H
#define APP_DEVICE_CLIP_H

#include "base/alloc.h"
#include "base/slice.h"
#include "ps/codec.h"

#define CLIP_MAX_FRAMES 100000

struct clip_frame {
    uint32_t off, len; /* in the bytes, start codes included */
    bool key;          /* begins with parameter sets or is an IDR */
};

struct clip {
    struct slice bytes; /* borrowed */
    enum ps_codec codec; /* H264 or H265, by its parameter sets */
    struct clip_frame *frame;
    size_t n_frames, largest; /* bytes of the largest picture */
    uint32_t fps;
    const struct gb_alloc *alloc;
};

/* bytes are borrowed until clip_fini. GB_ESYNTAX (no parameter sets, or the
 * first picture is no key frame), GB_ELIMIT, GB_ENOMEM. */
int clip_init(struct clip *c, const struct gb_alloc *alloc, struct slice bytes,
              uint32_t fps);
void clip_fini(struct clip *c);
#endif
