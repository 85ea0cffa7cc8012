#include "app/media/poc.h"

#include "app/media/bits.h"
#include "app/media/h264.h"
#include "app/media/h265.h"
#include "ps/annexb.h"

#define HEAD_BYTES 40 /* of a slice: the count lies before */

static void init_h264(struct poc *p, const struct media_config *c)
{
    struct h264_sps sps;

    if (h264_sps_parse(&sps, c->param[c->n_vps]) || !sps.poc_bits)
        return;
    p->codec = PS_CODEC_H264;
    p->bits = sps.poc_bits;
    p->frame_num_bits = sps.frame_num_bits;
    p->planes = sps.planes;
    p->fields = sps.interlaced;
}

static void init_h265(struct poc *p, const struct media_config *c)
{
    uint8_t first = (uint8_t)(c->n_vps + c->n_sps);
    struct h265_sps sps;
    struct h265_pps pps, other;

    if (h265_sps_parse(&sps, c->param[c->n_vps]) ||
        h265_pps_parse(&pps, c->param[first]))
        return;
    for (uint8_t i = 1; i < c->n_pps; i++)
        if (h265_pps_parse(&other, c->param[first + i]) ||
            other.output_flag != pps.output_flag ||
            other.extra_bits != pps.extra_bits)
            return;
    p->codec = PS_CODEC_H265;
    p->bits = sps.poc_bits;
    p->planes = sps.planes;
    p->output_flag = pps.output_flag;
    p->extra_bits = pps.extra_bits;
}

void poc_init(struct poc *p, const struct media_config *c)
{
    *p = (struct poc){ .codec = PS_CODEC_UNKNOWN };
    if (!c->n_sps || !c->n_pps)
        return;
    if (c->codec == PS_CODEC_H264)
        init_h264(p, c);
    else if (c->codec == PS_CODEC_H265)
        init_h265(p, c);
}

/* What the head of a slice says. */
struct head {
    uint32_t lsb;
    bool fresh, referred; /* referred: others are counted from it */
};

/* §7.3.3; dec_ref_pic_marking, which may begin the count anew, is not read. */
static bool head_h264(const struct poc *p, struct slice nal, struct head *out)
{
    struct bits b = bits_of(nal);
    uint32_t first = bits_u(&b, 8);

    out->fresh = (first & 0x1f) == H264_NAL_IDR;
    out->referred = (first & 0x60) != 0;
    bits_ue(&b); /* first_mb_in_slice */
    bits_ue_max(&b, 9);
    bits_ue_max(&b, H264_MAX_PPS_ID);
    if (p->planes)
        bits_u(&b, 2);
    bits_u(&b, p->frame_num_bits);
    if (p->fields && bits_flag(&b))
        bits_flag(&b); /* bottom_field_flag */
    if (out->fresh)
        bits_ue(&b); /* idr_pic_id */
    out->lsb = bits_u(&b, p->bits);
    return !b.err;
}

/* Up to RSV_VCL_R15 every second type is referred to by none of its sub-layer. */
static bool is_referred(uint8_t type, unsigned temporal_id)
{
    if (type >= H265_NAL_BLA_FIRST)
        return true;
    return temporal_id == 0 && type % 2 && type < 6; /* no leading picture */
}

/* §7.3.6.1 */
static bool head_h265(const struct poc *p, struct slice nal, struct head *out)
{
    struct bits b = bits_of(nal);
    uint32_t first = bits_u(&b, 16);
    uint8_t type = first >> 9 & 0x3f;

    out->fresh = type >= H265_NAL_BLA_FIRST && type <= H265_NAL_IDR_LAST;
    out->referred = is_referred(type, (first & 7) - 1);
    out->lsb = 0;
    bits_flag(&b); /* first_slice_segment_in_pic_flag */
    if (type >= H265_NAL_BLA_FIRST && type < H265_NAL_VPS)
        bits_flag(&b); /* no_output_of_prior_pics_flag */
    bits_ue_max(&b, H265_MAX_PPS_ID);
    bits_u(&b, p->extra_bits);
    bits_ue_max(&b, 2); /* slice_type */
    if (p->output_flag)
        bits_flag(&b);
    if (p->planes)
        bits_u(&b, 2);
    if (type != H265_NAL_IDR_LAST && type != H265_NAL_IDR_LAST - 1)
        out->lsb = bits_u(&b, p->bits);
    return !b.err;
}

static bool read_head(const struct poc *p, const struct ps_au *au,
                      struct head *out)
{
    uint8_t bytes[HEAD_BYTES];

    for (size_t i = 0; i < au->n_nals; i++) {
        const struct ps_nal *nal = &au->nal[i];
        size_t n = nal->len < sizeof(bytes) ? nal->len : sizeof(bytes);
        struct slice head = slice_of((const char *)bytes, n);

        if (!ps_nal_is_vcl(p->codec, nal->type))
            continue;
        if (!media_au_copy(au, nal->off, n, bytes) ||
            !ps_nal_is_first_slice(p->codec, bytes, n))
            return false;
        return p->codec == PS_CODEC_H264 ? head_h264(p, head, out)
                                         : head_h265(p, head, out);
    }
    return false;
}

bool poc_next(struct poc *p, const struct ps_au *au, struct poc_picture *out)
{
    int64_t size = (int64_t)1 << p->bits, at;
    struct head h;

    if (p->codec == PS_CODEC_UNKNOWN || au->codec != p->codec ||
        !read_head(p, au, &h))
        return false;
    if (h.fresh || !p->begun)
        p->last = 0;
    at = (p->last & ~(size - 1)) + h.lsb;
    if (!h.fresh && p->begun && at - p->last > size / 2)
        at -= size;
    else if (!h.fresh && p->begun && p->last - at >= size / 2)
        at += size;
    if (h.referred || !p->begun)
        p->last = at;
    p->begun = true;
    *out = (struct poc_picture){ at, h.fresh };
    return true;
}
