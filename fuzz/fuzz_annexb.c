/* Every search finds what a plain loop finds; NAL units are cut as the loop
 * says; parameter set and slice readers stay inside their bytes. */
#include "fuzz/fuzz.h"

#include "ps/annexb.h"

#include <stdlib.h>

static size_t model(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++)
        if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1)
            return i;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size), nal;
    struct ps_h264_sps sps = { .frame_num_bits = 4 };
    struct ps_h264_slice slice;
    const char *end = rest.p;

    for (const struct ps_scan *s = ps_scan_list(); s->name; s++)
        for (size_t i = 0; i <= size && i < 40; i++)
            if (s->fn(data + i, size - i) != model(data + i, size - i))
                abort();
    while (ps_annexb_next(&rest, &nal)) {
        const uint8_t *p = (const uint8_t *)nal.p;

        if (nal.p < end + 3 || nal.n == 0 || p[nal.n - 1] == 0 ||
            model(p - 3, 3) != 0 || model(p, nal.n) != nal.n)
            abort();
        end = nal.p + nal.n;
        if (rest.p < end)
            abort();
        ps_nal_evidence(p, nal.n);
        for (int c = PS_CODEC_H264; c <= PS_CODEC_H265; c++)
            if (ps_nal_is_first_slice((enum ps_codec)c, p, nal.n) &&
                !ps_nal_begins_au((enum ps_codec)c, p, nal.n))
                abort();
        ps_h264_sps_parse(&sps, p, nal.n);
        if (sps.frame_num_bits < 4 || sps.frame_num_bits > 16)
            abort();
        ps_h264_slice_parse(&slice, p, nal.n, &sps);
        ps_h264_sei_has_recovery(p, nal.n);
    }
    if (rest.n)
        abort();
    return 0;
}
