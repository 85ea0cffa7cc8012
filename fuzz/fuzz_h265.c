/* H.265 parameter sets: what is accepted is within its limits and can be
 * described. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "app/media/frame.h"
#include "app/media/h265.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice nal = slice_of((const char *)data, size);
    char text[MEDIA_CODEC_STRING_MAX - 1];
    struct writer w = writer_of(text, sizeof(text));
    static char record[1 << 17];
    struct h265_sps s;
    uint32_t id;

    if (!h265_param_id(nal, &id) && id > H265_MAX_PPS_ID)
        abort();
    if (h265_sps_parse(&s, nal))
        return 0;
    if (s.width == 0 || s.height == 0 || s.width > H265_MAX_SIDE ||
        s.height > H265_MAX_SIDE || s.id > H265_MAX_SPS_ID || s.chroma > 3 ||
        s.depth_luma < 8 || s.depth_luma > 16 || s.sub_layers > 6 ||
        s.reorder < 0 || s.reorder > 15 || !s.fps_num != !s.fps_den)
        abort();
    h265_codec_string(&w, &s);
    if (w.err)
        abort();
    w = writer_of(record, sizeof(record));
    h265_hvcc_write(&w, &s, &nal, 1, &nal, 1, &nal, 1);
    if (nal.n <= 1024 && (w.err || w.len != 23 + 3 * (5 + nal.n)))
        abort();
    return 0;
}
