/* app/media/fmp4.h - fragmented MP4, one fragment a frame
 * (ISO/IEC 14496-12, 14496-14, 14496-15; FLAC in ISOBMFF)
 *
 * Video is track 1 with timescale 90000, audio is track 2 with its sample
 * rate as timescale, also when it is alone. G.711 is carried as FLAC. */
#ifndef APP_MEDIA_FMP4_H
#define APP_MEDIA_FMP4_H

#include "app/media/chunk.h"
#include "base/writer.h"

struct fmp4_mux {
    uint32_t sequence;    /* of the last fragment */
    uint64_t audio_next;  /* where the last audio fragment ended, in samples */
    uint64_t flac_sample; /* samples coded so far */
    bool audio_begun;
    int64_t shift90k;     /* added to the times of frames */
    /* NULL, or the configuration of the pictures, whose parameter sets then go
     * before each key frame: they are others than those in the first
     * initialisation segment, which is the only one that ffmpeg reads. */
    const struct media_config *sets;
};

#define FMP4_VIDEO_ID 1
#define FMP4_AUDIO_ID 2
#define FMP4_FRAGMENT_HEAD 112 /* bytes: moof of one sample, and the head of mdat */

/* The codecs that can be carried: H.264, H.265, AAC, G.711 (as FLAC). */
bool fmp4_carries(enum ps_codec c);

/* The initialisation segment. A track that is NULL is not there; at least one
 * is. *out is the caller's. 0 or GB_ENOMEM. */
int fmp4_init_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct media_config *video,
                    const struct media_config *audio);

/* One moof and mdat. audio: configuration of the audio track, needed for
 * audio frames only. *out is the caller's.
 * 0, GB_EUNSUPPORTED, GB_ERANGE (fewer than 16 samples for FLAC), GB_ENOMEM. */
int fmp4_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                     struct fmp4_mux *m, struct media_frame *f,
                     const struct media_config *audio);

/* ---- many samples as one fragment ---- */

struct fmp4_sample {
    uint32_t track_id, timescale, duration, size, flags;
    uint64_t dts; /* in timescale */
    int32_t cts;  /* added to it: when it is shown */
};

/* As fmp4_frame_chunk, but the payload alone: *s is what has to be told of it. */
int fmp4_sample_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                      struct fmp4_mux *m, struct media_frame *f,
                      const struct media_config *audio, struct fmp4_sample *s);

/* moof and the head of mdat of n samples, at least one, whose payloads follow:
 * those of one track behind those of the other. 0 or GB_ENOMEM. */
int fmp4_segment_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct fmp4_mux *m, const struct fmp4_sample *s,
                       size_t n);

/* One picture as a complete file: initialisation segment and one fragment at
 * time 0. f is a key frame. 0 or GB_ENOMEM. */
int fmp4_snapshot_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                        const struct media_config *video,
                        struct media_frame *f);

/* ---- fragments that were written before: their first FMP4_FRAGMENT_HEAD bytes ---- */

struct fmp4_fragment {
    uint32_t track_id, duration, size; /* size: bytes of the sample, behind it */
    uint64_t dts; /* in the track's timescale, as duration */
    int32_t cts;  /* added to it: when it is shown */
    bool key;
};

/* false: fmp4_frame_chunk has not written it so. */
bool fmp4_fragment_read(struct fmp4_fragment *f,
                        const char p[static FMP4_FRAGMENT_HEAD]);
/* Its number and times become these; what else f tells stays as it is. */
void fmp4_fragment_move(char p[static FMP4_FRAGMENT_HEAD], uint32_t sequence,
                        const struct fmp4_fragment *f);
/* It becomes free space of the same size. */
void fmp4_fragment_blank(char p[static FMP4_FRAGMENT_HEAD]);

/* video/mp4; codecs="avc1.4D401F,flac" or audio/mp4; codecs="flac" */
void fmp4_mime(struct writer *w, const struct media_config *video,
               const struct media_config *audio);
#endif
