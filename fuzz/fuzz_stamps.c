/* Parameter sets and the heads of pictures, some with a PTS: one that a picture has
 * is its own, one that is found for it is of 33 bits. */
#include "app/media/stamps.h"
#include "fuzz/fuzz.h"
#include "ps/annexb.h"

#include <stdlib.h>

enum { H265 = 1, REORDER = 0x0e }; /* bits of the first byte */

/* A byte of length, and so many bytes. */
static struct slice counted(struct slice *in)
{
    size_t n = in->n ? (uint8_t)in->p[0] : 0;
    struct slice s = slice_head(slice_from(*in, in->n > 0), n);

    *in = slice_from(*in, (in->n > 0) + s.n);
    return s;
}

static uint64_t pts_of(struct slice s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++)
        v = v << 8 | (uint8_t)s.p[i];
    return v & (((uint64_t)1 << 33) - 1);
}

static void picture(struct stamps *s, enum ps_codec codec, struct slice pts,
                    struct slice head)
{
    struct ps_piece piece = { (const uint8_t *)head.p, head.n, NULL };
    struct ps_nal nal = { 0, (uint32_t)head.n,
                          head.n ? ps_nal_type(codec, (uint8_t)head.p[0]) : 0 };
    struct ps_au au = { .codec = codec, .has_pts = pts.n > 0,
                        .pts90k = pts_of(pts), .piece = &piece, .n_pieces = 1,
                        .bytes = head.n, .nal = &nal, .n_nals = 1 };
    uint64_t got;
    bool told = stamps_next(s, &au, &got);

    if (au.has_pts ? !told || got != au.pts90k : told && got >> 33)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct media_config c = { .n_sps = 1, .n_pps = 1, .n_param = 2 };
    struct stamps s;

    if (size == 0)
        return 0;
    c.codec = data[0] & H265 ? PS_CODEC_H265 : PS_CODEC_H264;
    c.reorder = (data[0] & REORDER) / 2 - 1;
    in = slice_from(in, 1);
    c.param[0] = counted(&in);
    c.param[1] = counted(&in);
    stamps_config(&s, &c);
    while (in.n) {
        struct slice pts = counted(&in);

        picture(&s, c.codec, pts, counted(&in));
    }
    return 0;
}
