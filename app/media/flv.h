/* app/media/flv.h - FLV tags (Adobe Flash Video 10.1 Annex E; HEVC by the
 * codec id 12 convention, or by enhanced RTMP's FourCC) */
#ifndef APP_MEDIA_FLV_H
#define APP_MEDIA_FLV_H

#include "app/media/chunk.h"

#define FLV_MIME "video/x-flv"

struct flv_options {
    bool enhanced; /* H.265 as `hvc1`; H.264 stays classic */
};

/* The codecs that have a tag: H.264, H.265, AAC, G.711. */
bool flv_carries(enum ps_codec c);

/* What a viewer gets first: header, PreviousTagSize0, onMetaData (unless bare)
 * and the sequence headers. A track that is NULL is not there.
 *
 * at90k  time stamp of the tags
 * fps    frames a second in onMetaData; 0: left out
 *
 * *out is the caller's. 0 or GB_ENOMEM. */
struct flv_start {
    const struct media_config *video, *audio;
    int64_t at90k;
    double fps;
    bool bare;
};
int flv_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct flv_options *opt, const struct flv_start *s);

/* A sequence header in mid-stream. GB_ENOENT when the codec (G.711) has
 * none. */
int flv_config_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                     const struct flv_options *opt, enum media_track track,
                     const struct media_config *c, int64_t at90k);

/* One tag. 0, GB_EUNSUPPORTED (codec) or GB_ENOMEM. */
int flv_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct flv_options *opt, struct media_frame *f);
#endif
