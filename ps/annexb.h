/* ps/annexb.h - NAL units in a byte stream
 * (ITU-T H.264 §7.4.1.2, Annex B; H.265 §7.4.2.4, Annex B) */
#ifndef PS_ANNEXB_H
#define PS_ANNEXB_H

#include "base/slice.h"
#include "ps/codec.h"

/* Index of the first 00 00 01 that lies wholly in p[0..n), or n. */
typedef size_t ps_scan_fn(const uint8_t *p, size_t n);

/* Every implementation this machine can run, best first; NULL name ends. */
struct ps_scan {
    const char *name; /* "avx2", "sse2", "neon", "swar" */
    ps_scan_fn *fn;
};
const struct ps_scan *ps_scan_list(void);
ps_scan_fn *ps_scan_best(void);

/* Cuts the next NAL unit (header byte first, no start code, no trailing
 * zeros) from *rest, a buffer that holds whole NAL units; false at the end.
 * Bytes before the first start code are skipped; empty units are too. */
bool ps_annexb_next(struct slice *rest, struct slice *nal);

/* The rules below take the first bytes of a NAL unit, header byte first, and
 * H264 or H265; n may be short, then the answer is the harmless one. */

/* How many bytes ps_nal_* want to see of one NAL unit. */
#define PS_NAL_HEAD 3

/* nal_unit_type: 0..31, 0..63. */
static inline uint8_t ps_nal_type(enum ps_codec codec, uint8_t first)
{
    return codec == PS_CODEC_H265 ? first >> 1 & 0x3f : first & 0x1f;
}

/* Holds coded picture data of the base layer. */
bool ps_nal_is_vcl(enum ps_codec codec, uint8_t type);

/* H.264: IDR (5). H.265: IRAP (16..23). */
bool ps_nal_is_irap(enum ps_codec codec, uint8_t type);

/* A VCL NAL unit that begins a picture: first_mb_in_slice == 0, or
 * first_slice_segment_in_pic_flag. */
bool ps_nal_is_first_slice(enum ps_codec codec, const uint8_t *p, size_t n);

/* Behind a VCL NAL unit, this one begins the next access unit (H.264
 * §7.4.1.2.3, H.265 §7.4.2.4.4), pictures in coding order of slices. */
bool ps_nal_begins_au(enum ps_codec codec, const uint8_t *p, size_t n);

/* Evidence of a codec: parameter sets seen. A single NAL unit proves nothing
 * (an H.264 slice 41 reads as an H.265 VPS); a complete set does. */
enum ps_seen {
    PS_SEEN_H264_SPS = 1,
    PS_SEEN_H264_PPS = 2,
    PS_SEEN_H264 = 3,
    PS_SEEN_H265_VPS = 4,
    PS_SEEN_H265_SPS = 8,
    PS_SEEN_H265_PPS = 16,
    PS_SEEN_H265 = 28,
};
unsigned ps_nal_evidence(const uint8_t *p, size_t n);

/* Bits of a NAL unit, emulation prevention bytes taken out on the way.
 * Reading past the end gives 0 and sets err. */
struct ps_bits {
    const uint8_t *p, *end;
    unsigned zeros, left; /* run of zero bytes; bits left in cur */
    uint8_t cur;
    bool err;
};
struct ps_bits ps_bits_of(const uint8_t *p, size_t n);
uint32_t ps_bits_u(struct ps_bits *b, unsigned n); /* at most 32 */
uint32_t ps_bits_ue(struct ps_bits *b);            /* Exp-Golomb */

/* What telling the fields of an H.264 picture apart takes (§7.3.2.1.1). */
struct ps_h264_sps {
    bool frame_mbs_only, separate_planes;
    uint8_t frame_num_bits;
};
/* nal: with its header byte. false: damaged, *out untouched. */
bool ps_h264_sps_parse(struct ps_h264_sps *out, const uint8_t *nal, size_t n);

struct ps_h264_slice {
    uint32_t first_mb, type, frame_num; /* type 0..9: 2 and 7 are I */
    bool field, bottom;
};
/* Beginning of a slice NAL unit (1 or 5). sps NULL: up to type only. */
bool ps_h264_slice_parse(struct ps_h264_slice *out, const uint8_t *nal,
                         size_t n, const struct ps_h264_sps *sps);

/* An SEI NAL unit of H.264 that holds a recovery point message (6). Only
 * its first n bytes are looked at. */
bool ps_h264_sei_has_recovery(const uint8_t *nal, size_t n);
#endif
