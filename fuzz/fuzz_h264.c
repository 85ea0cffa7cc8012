/* H.264 parameter sets: what is accepted is within its limits, fits a record,
 * and bits read two ways agree. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "app/media/bits.h"
#include "app/media/h264.h"

static void check_sps(struct slice nal)
{
    static const struct slice pps = SLICE_INIT("\x68\xce\x38\x80");
    struct h264_sps s;
    char text[64];
    static char record[1 << 17];
    struct writer w = writer_of(text, sizeof(text));

    if (h264_sps_parse(&s, nal))
        return;
    if (s.width == 0 || s.height == 0 || s.width > H264_MAX_SIDE ||
        s.height > 2 * H264_MAX_SIDE || s.id > H264_MAX_SPS_ID ||
        s.chroma > 3 || s.depth_luma < 8 || s.depth_luma > 14 ||
        s.reorder < -1 || s.reorder > 16 || !s.fps_num != !s.fps_den)
        abort();
    h264_codec_string(&w, nal);
    if (w.err || w.len != 11)
        abort();
    w = writer_of(record, sizeof(record));
    h264_avcc_write(&w, &nal, 1, &pps, 1);
    if (nal.n <= UINT16_MAX && w.err)
        abort();
}

/* One bit at a time and eight at a time give the same. */
static void check_bits(struct slice nal)
{
    struct bits a = bits_of(nal), b = bits_of(nal);

    while (!a.err) {
        uint32_t v = bits_u(&a, 8), one = 0;

        for (int i = 0; i < 8; i++)
            one = one << 1 | bits_u(&b, 1);
        if (!a.err != !b.err || (!a.err && v != one))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice nal = slice_of((const char *)data, size);
    uint32_t pps, sps;

    if (!h264_pps_ids(nal, &pps, &sps) &&
        (pps > H264_MAX_PPS_ID || sps > H264_MAX_SPS_ID))
        abort();
    check_sps(nal);
    check_bits(nal);
    return 0;
}
