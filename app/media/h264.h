/* app/media/h264.h - H.264 parameter sets, configuration record, codec string
 * (ITU-T H.264 §7.3.2.1, Annex E; ISO/IEC 14496-15 §5.3.3.1) */
#ifndef APP_MEDIA_H264_H
#define APP_MEDIA_H264_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

enum h264_nal_type {
    H264_NAL_SLICE = 1,
    H264_NAL_IDR = 5,
    H264_NAL_SEI = 6,
    H264_NAL_SPS = 7,
    H264_NAL_PPS = 8,
    H264_NAL_AUD = 9,
};

#define H264_MAX_SIDE 16384 /* pixels: what a picture side may claim */
#define H264_MAX_SPS_ID 31
#define H264_MAX_PPS_ID 255

struct h264_sps {
    uint8_t profile, constraint, level; /* the three bytes behind the header */
    uint8_t id;
    uint8_t chroma;                  /* chroma_format_idc 0..3 */
    uint8_t depth_luma, depth_chroma; /* bits, 8..14 */
    uint32_t width, height;          /* after cropping */
    bool interlaced;                 /* frame_mbs_only_flag is 0 */
    uint32_t fps_num, fps_den;       /* 0/0: the VUI does not say */
    int reorder;                     /* frames; -1: not said */
    uint8_t frame_num_bits;
    uint8_t poc_bits; /* of the picture order count; 0: not of type 0 */
    bool planes;      /* separate_colour_plane_flag */
};

/* nal: header byte first, no start code. A VUI cut short costs the VUI only.
 * 0, GB_EAGAIN (too short), GB_ESYNTAX (no SPS), GB_ERANGE (a value the
 * standard forbids, or a side above H264_MAX_SIDE); *out only on 0. */
int h264_sps_parse(struct h264_sps *out, struct slice nal);

/* The ids of a PPS. 0, GB_EAGAIN, GB_ESYNTAX or GB_ERANGE. */
int h264_pps_ids(struct slice nal, uint32_t *pps_id, uint32_t *sps_id);

/* AVCDecoderConfigurationRecord. sps[0] names the profile. Errors in w. */
void h264_avcc_write(struct writer *w, const struct slice *sps, size_t n_sps,
                     const struct slice *pps, size_t n_pps);

/* "avc1.4D401F" (RFC 6381). sps: at least 4 bytes. */
void h264_codec_string(struct writer *w, struct slice sps);

/* What happens to a NAL unit on its way into a frame: parameter sets, AUD,
 * filler, end of sequence, SVC/MVC and vendor types are left out. */
bool h264_nal_is_kept(uint8_t type);
#endif
