/* app/media/mpegts.h - MPEG transport stream (ISO/IEC 13818-1), one PES a frame
 *
 * One program: video on PID 0x100, audio on 0x101, the clock on the first that
 * is there. PAT and PMT stand before each key frame, before each sound when
 * there is no picture, and before the first frame of another codec; a viewer
 * may begin at any key frame. G.711 has
 * no stream type of its own there: it is sent with those of GB/T 28181 (0x90
 * A-law, 0x91 mu-law); some players pass over it, some wait for it to become
 * known. */
#ifndef APP_MEDIA_MPEGTS_H
#define APP_MEDIA_MPEGTS_H

#include "app/media/chunk.h"

#define MPEGTS_MIME "video/mp2t"
#define MPEGTS_PACKET 188
#define MPEGTS_PID_PMT 0x1000
#define MPEGTS_PID_VIDEO 0x100
#define MPEGTS_PID_AUDIO 0x101
#define MPEGTS_DELAY90K 18000 /* stamps run ahead of the clock by so much */

/* Zeroed before the first frame. */
struct mpegts_mux {
    uint8_t tables, pid[MEDIA_TRACKS]; /* continuity counters */
    enum ps_codec told[MEDIA_TRACKS];  /* in the last tables */
};

/* The codecs that can be carried: H.264, H.265, AAC, G.711. */
bool mpegts_carries(enum ps_codec c);

/* PAT and PMT alone: what a viewer gets before its first frame. A track that is
 * NULL is not there. *out is the caller's. 0 or GB_ENOMEM. */
int mpegts_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       const struct mpegts_mux *m,
                       const struct media_config *video,
                       const struct media_config *audio);

/* One frame in whole packets. The configurations are those of the tracks that
 * are carried, NULL where there is none; that of f's track is needed.
 * *out is the caller's. 0, GB_EUNSUPPORTED (codec), GB_ESYNTAX (the lengths in
 * f do not fit it), GB_ERANGE (AAC too long for ADTS) or GB_ENOMEM. */
int mpegts_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct mpegts_mux *m, const struct media_frame *f,
                       const struct media_config *video,
                       const struct media_config *audio);
#endif
