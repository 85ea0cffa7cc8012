/* app/media/h265.h - H.265 parameter sets, configuration record, codec string
 * (ITU-T H.265 §7.3.2, Annex E; ISO/IEC 14496-15 §8.3.3.1, Annex E) */
#ifndef APP_MEDIA_H265_H
#define APP_MEDIA_H265_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

enum h265_nal_type {
    H265_NAL_RASL_N = 8,
    H265_NAL_RASL_R = 9,
    H265_NAL_BLA_FIRST = 16,
    H265_NAL_IDR_LAST = 20,
    H265_NAL_CRA = 21,
    H265_NAL_VCL_LAST = 31,
    H265_NAL_VPS = 32,
    H265_NAL_SPS = 33,
    H265_NAL_PPS = 34,
    H265_NAL_AUD = 35,
    H265_NAL_SEI = 39,
};

#define H265_MAX_SIDE 16384 /* pixels */
#define H265_MAX_SPS_ID 15
#define H265_MAX_PPS_ID 63

struct h265_sps {
    uint8_t id;
    uint8_t profile_space, tier, profile;
    uint32_t compat;
    uint8_t constraint[6];
    uint8_t level;
    uint8_t sub_layers; /* max_sub_layers_minus1 */
    bool nested;        /* sps_temporal_id_nesting_flag */
    uint8_t chroma, depth_luma, depth_chroma;
    uint32_t width, height;      /* inside the conformance window */
    uint32_t fps_num, fps_den;   /* 0/0: the VUI does not say */
    int reorder;                 /* sps_max_num_reorder_pics, highest layer */
    uint8_t poc_bits;            /* of the picture order count, 4..16 */
    bool planes;                 /* separate_colour_plane_flag */
};

/* What a PPS says of the heads of slices. */
struct h265_pps {
    bool output_flag;   /* output_flag_present_flag */
    uint8_t extra_bits; /* num_extra_slice_header_bits */
};

/* nal: the two header bytes first, no start code. A VUI cut short costs the
 * VUI only. 0, GB_EAGAIN, GB_ESYNTAX or GB_ERANGE; *out only on 0. */
int h265_sps_parse(struct h265_sps *out, struct slice nal);

int h265_pps_parse(struct h265_pps *out, struct slice nal);

/* The id of a VPS, SPS or PPS NAL, by its type. 0 or an error as above. */
int h265_param_id(struct slice nal, uint32_t *id);

/* HEVCDecoderConfigurationRecord with one array each of VPS, SPS, PPS; the
 * general fields are those of info, the parse of sps[0]. Errors in w. */
void h265_hvcc_write(struct writer *w, const struct h265_sps *info,
                     const struct slice *vps, size_t n_vps,
                     const struct slice *sps, size_t n_sps,
                     const struct slice *pps, size_t n_pps);

/* "hvc1.1.6.L120.90" (ISO/IEC 14496-15 Annex E). */
void h265_codec_string(struct writer *w, const struct h265_sps *info);

/* What happens to a NAL unit on its way into a frame: parameter sets, AUD,
 * filler, end of sequence and reserved types are left out. */
bool h265_nal_is_kept(uint8_t type);
#endif
