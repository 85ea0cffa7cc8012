#include "app/media/h264.h"
#include "app/media/bits.h"

static const uint8_t high_profiles[] = { 100, 110, 122, 244, 44,  83, 86,
                                         118, 128, 138, 139, 134, 135 };

static bool is_high(uint8_t profile)
{
    for (size_t i = 0; i < sizeof(high_profiles); i++)
        if (high_profiles[i] == profile)
            return true;
    return false;
}

/* §7.3.2.1.1.1 */
static void skip_scaling_list(struct bits *b, unsigned n)
{
    int last = 8, next = 8;

    for (unsigned j = 0; j < n && !b->err; j++) {
        if (next)
            next = (last + bits_se(b) % 256 + 256) % 256;
        last = next ? next : last;
    }
}

/* What only the profiles with their own chroma format say. */
static void high_fields(struct bits *b, struct h264_sps *s)
{
    s->chroma = (uint8_t)bits_ue_max(b, 3);
    if (s->chroma == 3)
        s->planes = bits_flag(b);
    s->depth_luma = (uint8_t)(8 + bits_ue_max(b, 6));
    s->depth_chroma = (uint8_t)(8 + bits_ue_max(b, 6));
    bits_flag(b); /* lossless bypass */
    if (bits_flag(b))
        for (unsigned i = 0; i < (s->chroma == 3 ? 12u : 8u); i++)
            if (bits_flag(b))
                skip_scaling_list(b, i < 6 ? 16 : 64);
}

static void order_count(struct bits *b, struct h264_sps *s)
{
    uint32_t type = bits_ue_max(b, 2), n;

    if (type == 0) {
        s->poc_bits = (uint8_t)(4 + bits_ue_max(b, 12));
    } else if (type == 1) {
        bits_flag(b);
        bits_se(b);
        bits_se(b);
        n = bits_ue_max(b, 255);
        while (n-- && !b->err)
            bits_se(b);
    } else {
        s->reorder = 0; /* output order is decoding order */
    }
}

static void skip_hrd(struct bits *b)
{
    uint32_t n = bits_ue_max(b, 31) + 1;

    bits_skip(b, 8);
    while (n-- && !b->err) {
        bits_ue(b);
        bits_ue(b);
        bits_flag(b);
    }
    bits_skip(b, 20);
}

/* Annex E.1.1 */
static void vui(struct bits *b, struct h264_sps *s)
{
    uint32_t units = 0, scale = 0;
    bool nal_hrd, vcl_hrd;

    bits_skip_vui_head(b);
    if (bits_flag(b)) {
        units = bits_u(b, 32);
        scale = bits_u(b, 32);
        bits_flag(b);
    }
    if (!b->err && units && scale && units <= UINT32_MAX / 2) {
        s->fps_num = scale;
        s->fps_den = 2 * units;
    }
    nal_hrd = bits_flag(b);
    if (nal_hrd)
        skip_hrd(b);
    vcl_hrd = bits_flag(b);
    if (vcl_hrd)
        skip_hrd(b);
    if (nal_hrd || vcl_hrd)
        bits_flag(b);
    bits_flag(b); /* pic_struct_present */
    if (bits_flag(b)) {
        uint32_t reorder;

        bits_flag(b);
        for (int i = 0; i < 4; i++)
            bits_ue(b);
        reorder = bits_ue_max(b, 16);
        if (!b->err)
            s->reorder = (int)reorder;
    }
}

static int crop(struct bits *b, struct h264_sps *s)
{
    uint32_t fields = s->interlaced ? 2 : 1;
    uint32_t cx = s->chroma == 1 || s->chroma == 2 ? 2 : 1;
    uint32_t cy = (s->chroma == 1 ? 2 : 1) * fields;
    uint32_t l = bits_ue_max(b, H264_MAX_SIDE);
    uint32_t r = bits_ue_max(b, H264_MAX_SIDE);
    uint32_t t = bits_ue_max(b, H264_MAX_SIDE);
    uint32_t m = bits_ue_max(b, H264_MAX_SIDE);

    if (b->err)
        return b->err;
    if (cx * (l + r) >= s->width || cy * (t + m) >= s->height)
        return GB_ERANGE;
    s->width -= cx * (l + r);
    s->height -= cy * (t + m);
    return 0;
}

/* From the mandatory fields up to the frame size, without the crop. */
static int frame_fields(struct bits *b, struct h264_sps *s)
{
    uint32_t mbs, units;

    s->frame_num_bits = (uint8_t)(4 + bits_ue_max(b, 12));
    order_count(b, s);
    bits_ue(b); /* max_num_ref_frames */
    bits_flag(b);
    mbs = bits_ue_max(b, H264_MAX_SIDE / 16 - 1) + 1;
    units = bits_ue_max(b, H264_MAX_SIDE / 16 - 1) + 1;
    s->interlaced = !bits_flag(b);
    if (s->interlaced)
        bits_flag(b); /* mbaff */
    bits_flag(b);     /* direct_8x8 */
    s->width = mbs * 16;
    s->height = units * 16 * (s->interlaced ? 2 : 1);
    return b->err;
}

int h264_sps_parse(struct h264_sps *out, struct slice nal)
{
    struct bits b = bits_of(nal);
    struct h264_sps s = { 0 };
    uint32_t head = bits_u(&b, 8);

    if (b.err)
        return b.err;
    if ((head & 0x9f) != H264_NAL_SPS)
        return GB_ESYNTAX;
    s.profile = (uint8_t)bits_u(&b, 8);
    s.constraint = (uint8_t)bits_u(&b, 8);
    s.level = (uint8_t)bits_u(&b, 8);
    s.id = (uint8_t)bits_ue_max(&b, H264_MAX_SPS_ID);
    s.chroma = 1;
    s.depth_luma = s.depth_chroma = 8;
    s.reorder = s.profile == 66 ? 0 : -1; /* Baseline has no B slices */
    if (is_high(s.profile))
        high_fields(&b, &s);
    if (frame_fields(&b, &s))
        return b.err;
    if (bits_flag(&b)) {
        int err = crop(&b, &s);

        if (err)
            return err;
    }
    if (bits_flag(&b) && !b.err)
        vui(&b, &s);
    else if (b.err)
        return b.err;
    *out = s;
    return 0;
}

int h264_pps_ids(struct slice nal, uint32_t *pps_id, uint32_t *sps_id)
{
    struct bits b = bits_of(nal);
    uint32_t head = bits_u(&b, 8), pps, sps;

    if (b.err)
        return b.err;
    if ((head & 0x9f) != H264_NAL_PPS)
        return GB_ESYNTAX;
    pps = bits_ue_max(&b, H264_MAX_PPS_ID);
    sps = bits_ue_max(&b, H264_MAX_SPS_ID);
    if (b.err)
        return b.err;
    *pps_id = pps;
    *sps_id = sps;
    return 0;
}

static void put_nals(struct writer *w, const struct slice *nal, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (nal[i].n > UINT16_MAX)
            w->err = w->err ? w->err : GB_ERANGE;
        writer_be16(w, (uint16_t)nal[i].n);
        writer_slice_put(w, nal[i]);
    }
}

void h264_avcc_write(struct writer *w, const struct slice *sps, size_t n_sps,
                     const struct slice *pps, size_t n_pps)
{
    struct h264_sps s;

    if (n_sps == 0 || n_sps > 31 || n_pps > 255 ||
        h264_sps_parse(&s, sps[0])) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    writer_char(w, 1);
    writer_bytes(w, sps[0].p + 1, 3);
    writer_be16(w, (uint16_t)(0xffe0 | n_sps));
    put_nals(w, sps, n_sps);
    writer_char(w, (char)(uint8_t)n_pps);
    put_nals(w, pps, n_pps);
    if (s.profile == 100 || s.profile == 110 || s.profile == 122 ||
        s.profile == 144 || s.profile == 244) {
        writer_char(w, (char)(0xfc | s.chroma));
        writer_char(w, (char)(0xf8 | (s.depth_luma - 8)));
        writer_char(w, (char)(0xf8 | (s.depth_chroma - 8)));
        writer_char(w, 0);
    }
}

void h264_codec_string(struct writer *w, struct slice sps)
{
    if (sps.n < 4) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    writer_f(w, "avc1.%02X%02X%02X", (uint8_t)sps.p[1], (uint8_t)sps.p[2],
             (uint8_t)sps.p[3]);
}

bool h264_nal_is_kept(uint8_t type)
{
    return type >= 1 && type <= 6;
}
