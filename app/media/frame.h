/* app/media/frame.h - one access unit, copied once, shared by everybody
 *
 * A frame is immutable once made. Its count is atomic, so that a reference
 * may be dropped on another loop than the one that made it; the allocator
 * must then be safe for threads (the heap is). */
#ifndef APP_MEDIA_FRAME_H
#define APP_MEDIA_FRAME_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/slice.h"
#include "ps/codec.h"
#include "ps/demux.h"

#include <stdatomic.h>

enum media_track { MEDIA_VIDEO, MEDIA_AUDIO, MEDIA_TRACKS };

#define MEDIA_CODEC_STRING_MAX 48 /* "hvc1.A1.80000000.H120.B0.00..." */
#define MEDIA_MAX_PARAMS 12       /* parameter sets kept, all kinds */
#define MEDIA_MAX_PARAM_BYTES 4096 /* one parameter set; larger is ignored */

/* What a decoder must know before the first frame: immutable, counted. */
struct media_config {
    atomic_uint refs;
    const struct gb_alloc *alloc;
    enum ps_codec codec;
    uint32_t version;         /* counts up with each change, from 1 */
    uint32_t width, height;   /* video */
    uint32_t fps_num, fps_den; /* as the VUI claims; 0/0: unknown */
    int reorder;              /* frames of reordering; -1: not said */
    uint32_t rate_hz;         /* audio */
    uint8_t channels;
    char codec_string[MEDIA_CODEC_STRING_MAX]; /* RFC 6381: "avc1.4D401F" */
    struct slice record;      /* avcC, hvcC, AudioSpecificConfig; or empty */
    struct slice param[MEDIA_MAX_PARAMS]; /* NALs: VPS, then SPS, then PPS */
    uint8_t n_param, n_vps, n_sps, n_pps;
    char bytes[];             /* what the slices point into */
};

struct media_config *media_config_ref(struct media_config *c);
void media_config_unref(struct media_config *c); /* NULL is fine */

struct media_block;
struct media_frame {
    atomic_uint refs;
    const struct gb_alloc *alloc;
    struct media_block *block; /* it lies in; NULL: in memory of its own */
    enum media_track track;
    enum ps_codec codec;
    bool key;            /* decoding may start here */
    bool leading;        /* H.265 RASL: not decodable when its CRA was first */
    bool discontinuity;  /* something is missing before it */
    bool early;          /* sound: as in struct ps_au */
    uint32_t config_version; /* of the track's configuration */
    int64_t dts90k, pts90k;  /* the hub's timeline, from about 0 */
    uint32_t duration90k;    /* best guess: the delta before it */
    uint64_t arrival_ms;     /* mono time of the hub call */
    size_t n;
    uint8_t data[]; /* video: NALs, each behind its 32 bit length; audio: one
                       raw AAC frame, or samples */
};

/* Room for n bytes; refs is 1, the rest zero. NULL: no memory. */
struct media_frame *media_frame_new(const struct gb_alloc *alloc, size_t n);
struct media_frame *media_frame_ref(struct media_frame *f);
void media_frame_unref(struct media_frame *f); /* NULL is fine */

/* Where one stream's frames lie, one behind the other in blocks; a block goes
 * when the last of its frames does. A heap that is asked for each frame, all of
 * different sizes, takes longer than the copy. */
#define MEDIA_BLOCK_BYTES (112u << 10)
#define MEDIA_BLOCK_FRAME (MEDIA_BLOCK_BYTES / 4) /* larger ones are alone */
struct media_room {
    const struct gb_alloc *alloc, *blocks;
    size_t largest; /* frame that goes into a block */
    struct media_block *open; /* is being filled; NULL: none */
};
/* blocks: where they come from, asked for MEDIA_BLOCK_BYTES and no zeros; large
 * frames come from alloc. */
void media_room_init(struct media_room *r, const struct gb_alloc *alloc,
                     const struct gb_alloc *blocks);
void media_room_fini(struct media_room *r); /* frames live on */
/* As media_frame_new. */
struct media_frame *media_room_frame(struct media_room *r, size_t n);

/* A video access unit in length-prefixed form, without AUD, filler, SEI
 * (recovery points excepted) and parameter sets. Times are left 0.
 * 0 (*out is the caller's), GB_ENOENT (no picture in it), GB_ENOMEM,
 * GB_ESYNTAX (its NAL table does not fit its bytes). */
int media_room_au(struct media_frame **out, struct media_room *r,
                  const struct ps_au *au);
/* The same in memory of its own. */
int media_frame_of_au(struct media_frame **out, const struct gb_alloc *alloc,
                      const struct ps_au *au);

/* n bytes of the access unit at off, to dst; false when there are fewer. */
bool media_au_copy(const struct ps_au *au, size_t off, size_t n, uint8_t *dst);
#endif
