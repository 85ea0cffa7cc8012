#include "app/media/h265.h"
#include "app/media/bits.h"

#define MAX_RPS 64    /* num_short_term_ref_pic_sets, §7.4.3.2.1 */
#define MAX_DELTAS 32 /* pictures of one set; the standard allows 16 */

/* §7.3.3 */
static void profile_tier_level(struct bits *b, struct h265_sps *s)
{
    bool profile[8] = { false }, level[8] = { false };

    s->profile_space = (uint8_t)bits_u(b, 2);
    s->tier = (uint8_t)bits_u(b, 1);
    s->profile = (uint8_t)bits_u(b, 5);
    s->compat = bits_u(b, 32);
    for (int i = 0; i < 6; i++)
        s->constraint[i] = (uint8_t)bits_u(b, 8);
    s->level = (uint8_t)bits_u(b, 8);
    for (unsigned i = 0; i < s->sub_layers; i++) {
        profile[i] = bits_flag(b);
        level[i] = bits_flag(b);
    }
    if (s->sub_layers)
        bits_skip(b, 2 * (8u - s->sub_layers));
    for (unsigned i = 0; i < s->sub_layers; i++) {
        if (profile[i])
            bits_skip(b, 88);
        if (level[i])
            bits_skip(b, 8);
    }
}

static int window(struct bits *b, struct h265_sps *s)
{
    uint32_t sw = s->chroma == 1 || s->chroma == 2 ? 2 : 1;
    uint32_t sh = s->chroma == 1 ? 2 : 1;
    uint32_t l = bits_ue_max(b, H265_MAX_SIDE);
    uint32_t r = bits_ue_max(b, H265_MAX_SIDE);
    uint32_t t = bits_ue_max(b, H265_MAX_SIDE);
    uint32_t m = bits_ue_max(b, H265_MAX_SIDE);

    if (b->err)
        return b->err;
    if (sw * (l + r) >= s->width || sh * (t + m) >= s->height)
        return GB_ERANGE;
    s->width -= sw * (l + r);
    s->height -= sh * (t + m);
    return 0;
}

/* §7.3.4 */
static void skip_scaling(struct bits *b)
{
    for (unsigned size = 0; size < 4; size++)
        for (unsigned m = 0; m < 6 && !b->err; m += size == 3 ? 3 : 1) {
            unsigned n = 1u << (4 + 2 * size);

            if (!bits_flag(b)) {
                bits_ue(b);
                continue;
            }
            if (size > 1)
                bits_se(b);
            for (n = n > 64 ? 64 : n; n && !b->err; n--)
                bits_se(b);
        }
}

/* §7.3.7; n_prev: pictures of the set before, n of this one */
static unsigned ref_pic_set(struct bits *b, unsigned i, unsigned n_prev)
{
    unsigned n = 0;

    if (i && bits_flag(b)) {
        bits_flag(b);
        bits_ue(b);
        for (unsigned j = 0; j <= n_prev && !b->err; j++) {
            bool used = bits_flag(b);

            if (used || bits_flag(b))
                n++;
        }
    } else {
        n = bits_ue_max(b, MAX_DELTAS / 2);
        n += bits_ue_max(b, MAX_DELTAS / 2);
        for (unsigned j = 0; j < n && !b->err; j++) {
            bits_ue(b);
            bits_flag(b);
        }
    }
    if (n > MAX_DELTAS)
        b->err = b->err ? b->err : GB_ERANGE;
    return n;
}

/* Behind the sub-layer ordering, up to the VUI flag. */
static void coding_tools(struct bits *b, unsigned poc_bits)
{
    unsigned n, n_prev = 0;

    for (int i = 0; i < 6; i++)
        bits_ue(b);
    if (bits_flag(b) && bits_flag(b))
        skip_scaling(b);
    bits_skip(b, 2);
    if (bits_flag(b)) { /* PCM */
        bits_skip(b, 8);
        bits_ue(b);
        bits_ue(b);
        bits_flag(b);
    }
    n = bits_ue_max(b, MAX_RPS);
    for (unsigned i = 0; i < n && !b->err; i++)
        n_prev = ref_pic_set(b, i, n_prev);
    if (bits_flag(b)) {
        n = bits_ue_max(b, 32);
        while (n-- && !b->err)
            bits_skip(b, poc_bits + 1);
    }
    bits_skip(b, 2);
}

/* Annex E.2.1, as far as the timing */
static void vui(struct bits *b, struct h265_sps *s)
{
    uint32_t units, scale;

    bits_skip_vui_head(b);
    bits_skip(b, 3);
    if (bits_flag(b))
        for (int i = 0; i < 4; i++)
            bits_ue(b);
    if (!bits_flag(b))
        return;
    units = bits_u(b, 32);
    scale = bits_u(b, 32);
    if (!b->err && units && scale) {
        s->fps_num = scale;
        s->fps_den = units;
    }
}

static void sub_layer_ordering(struct bits *b, struct h265_sps *s)
{
    unsigned i = bits_flag(b) ? 0 : s->sub_layers;

    for (; i <= s->sub_layers; i++) {
        bits_ue_max(b, 15);
        s->reorder = (int)bits_ue_max(b, 15);
        bits_ue(b);
    }
}

static int picture_fields(struct bits *b, struct h265_sps *s)
{
    s->chroma = (uint8_t)bits_ue_max(b, 3);
    if (s->chroma == 3)
        s->planes = bits_flag(b);
    s->width = bits_ue_max(b, H265_MAX_SIDE);
    s->height = bits_ue_max(b, H265_MAX_SIDE);
    if (!b->err && (s->width == 0 || s->height == 0))
        return GB_ERANGE;
    if (bits_flag(b)) {
        int err = window(b, s);

        if (err)
            return err;
    }
    s->depth_luma = (uint8_t)(8 + bits_ue_max(b, 8));
    s->depth_chroma = (uint8_t)(8 + bits_ue_max(b, 8));
    return b->err;
}

int h265_sps_parse(struct h265_sps *out, struct slice nal)
{
    struct bits b = bits_of(nal);
    struct h265_sps s = { 0 };
    uint32_t head = bits_u(&b, 16);
    int err;

    if (b.err)
        return b.err;
    if ((head & 0x8000) || (head >> 9 & 0x3f) != H265_NAL_SPS)
        return GB_ESYNTAX;
    bits_u(&b, 4); /* vps_id */
    s.sub_layers = (uint8_t)bits_u(&b, 3);
    s.nested = bits_flag(&b);
    if (s.sub_layers > 6)
        return GB_ERANGE;
    profile_tier_level(&b, &s);
    s.id = (uint8_t)bits_ue_max(&b, H265_MAX_SPS_ID);
    err = picture_fields(&b, &s);
    if (err)
        return err;
    s.poc_bits = (uint8_t)(4 + bits_ue_max(&b, 12));
    sub_layer_ordering(&b, &s);
    coding_tools(&b, s.poc_bits);
    if (bits_flag(&b) && !b.err)
        vui(&b, &s);
    else if (b.err)
        return b.err;
    *out = s;
    return 0;
}

/* §7.3.2.3.1 */
int h265_pps_parse(struct h265_pps *out, struct slice nal)
{
    struct bits b = bits_of(nal);
    uint32_t head = bits_u(&b, 16);
    struct h265_pps p;

    if (!b.err && ((head & 0x8000) || (head >> 9 & 0x3f) != H265_NAL_PPS))
        return GB_ESYNTAX;
    bits_ue_max(&b, H265_MAX_PPS_ID);
    bits_ue_max(&b, H265_MAX_SPS_ID);
    bits_flag(&b); /* dependent_slice_segments_enabled_flag */
    p.output_flag = bits_flag(&b);
    p.extra_bits = (uint8_t)bits_u(&b, 3);
    if (!b.err)
        *out = p;
    return b.err;
}

int h265_param_id(struct slice nal, uint32_t *id)
{
    struct bits b = bits_of(nal);
    uint32_t head = bits_u(&b, 16), type = head >> 9 & 0x3f, v;
    struct h265_sps s;
    int err;

    if (b.err)
        return b.err;
    if (head & 0x8000)
        return GB_ESYNTAX;
    if (type == H265_NAL_SPS) {
        err = h265_sps_parse(&s, nal);
        if (!err)
            *id = s.id;
        return err;
    }
    if (type == H265_NAL_VPS)
        v = bits_u(&b, 4);
    else if (type == H265_NAL_PPS)
        v = bits_ue_max(&b, H265_MAX_PPS_ID);
    else
        return GB_ESYNTAX;
    if (!b.err)
        *id = v;
    return b.err;
}

static void put_array(struct writer *w, uint8_t type, const struct slice *nal,
                      size_t n)
{
    writer_char(w, (char)(0x80 | type));
    writer_be16(w, (uint16_t)n);
    for (size_t i = 0; i < n; i++) {
        if (nal[i].n > UINT16_MAX)
            w->err = w->err ? w->err : GB_ERANGE;
        writer_be16(w, (uint16_t)nal[i].n);
        writer_slice_put(w, nal[i]);
    }
}

void h265_hvcc_write(struct writer *w, const struct h265_sps *info,
                     const struct slice *vps, size_t n_vps,
                     const struct slice *sps, size_t n_sps,
                     const struct slice *pps, size_t n_pps)
{
    writer_char(w, 1);
    writer_char(w, (char)(info->profile_space << 6 | info->tier << 5 |
                          info->profile));
    writer_be32(w, info->compat);
    writer_bytes(w, info->constraint, 6);
    writer_char(w, (char)info->level);
    writer_be16(w, 0xf000); /* min_spatial_segmentation: unknown */
    writer_char(w, (char)0xfc);
    writer_char(w, (char)(0xfc | info->chroma));
    writer_char(w, (char)(0xf8 | (info->depth_luma - 8)));
    writer_char(w, (char)(0xf8 | (info->depth_chroma - 8)));
    writer_be16(w, 0);
    writer_char(w, (char)((info->sub_layers + 1) << 3 | info->nested << 2 | 3));
    writer_char(w, 3);
    put_array(w, H265_NAL_VPS, vps, n_vps);
    put_array(w, H265_NAL_SPS, sps, n_sps);
    put_array(w, H265_NAL_PPS, pps, n_pps);
}

static uint32_t reversed(uint32_t v)
{
    uint32_t r = 0;

    for (int i = 0; i < 32; i++, v >>= 1)
        r = r << 1 | (v & 1);
    return r;
}

void h265_codec_string(struct writer *w, const struct h265_sps *info)
{
    int n = 6;

    writer_str(w, "hvc1.");
    if (info->profile_space)
        writer_char(w, (char)('A' + info->profile_space - 1));
    writer_f(w, "%u.%X.%c%u", info->profile, (unsigned)reversed(info->compat),
             info->tier ? 'H' : 'L', info->level);
    while (n && info->constraint[n - 1] == 0)
        n--;
    for (int i = 0; i < n; i++)
        writer_f(w, ".%X", info->constraint[i]);
}

bool h265_nal_is_kept(uint8_t type)
{
    return type <= 9 || (type >= 16 && type <= 21) || type == 39 || type == 40;
}
