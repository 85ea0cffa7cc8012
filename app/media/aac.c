#include "app/media/aac.h"

static const uint32_t rates[] = { 96000, 88200, 64000, 48000, 44100,
                                  32000, 24000, 22050, 16000, 12000,
                                  11025, 8000,  7350 };

#define N_RATES (sizeof(rates) / sizeof(rates[0]))

uint32_t aac_rate(uint8_t freq_index)
{
    return freq_index < N_RATES ? rates[freq_index] : 0;
}

int aac_freq_index(uint32_t rate_hz)
{
    for (size_t i = 0; i < N_RATES; i++)
        if (rates[i] == rate_hz)
            return (int)i;
    return -1;
}

int aac_adts_parse(struct aac_config *cfg, struct aac_frame *frame,
                   struct slice in)
{
    const uint8_t *p = (const uint8_t *)in.p;
    size_t head, len;

    if ((in.n > 0 && p[0] != 0xff) || (in.n > 1 && (p[1] & 0xf6) != 0xf0))
        return GB_ESYNTAX;
    if (in.n < 7)
        return GB_EAGAIN;
    head = p[1] & 1 ? 7 : 9;
    len = (size_t)(p[3] & 3) << 11 | (size_t)p[4] << 3 | p[5] >> 5;
    if (len <= head || (p[2] >> 2 & 15) >= N_RATES)
        return GB_ESYNTAX;
    if (in.n < len)
        return GB_EAGAIN;
    cfg->object_type = (uint8_t)((p[2] >> 6) + 1);
    cfg->freq_index = p[2] >> 2 & 15;
    cfg->channels = (uint8_t)((p[2] & 1) << 2 | p[3] >> 6);
    frame->raw = slice_of(in.p + head, len - head);
    frame->whole = len;
    return 0;
}

bool aac_au_headers(struct slice in, aac_raw_fn *on_raw, void *ctx)
{
    const uint8_t *p = (const uint8_t *)in.p;
    size_t n, sum = 0, off;

    if (in.n < 5)
        return false;
    n = (size_t)p[0] << 8 | p[1];
    if (n == 0 || n % 16 || 2 + n / 8 >= in.n)
        return false;
    n /= 16;
    for (size_t i = 0; i < n; i++) {
        size_t len = (size_t)p[2 + 2 * i] << 5 | p[3 + 2 * i] >> 3;

        if (len == 0)
            return false;
        sum += len;
    }
    off = 2 + 2 * n;
    if (off + sum != in.n)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t len = (size_t)p[2 + 2 * i] << 5 | p[3 + 2 * i] >> 3;

        on_raw(ctx, slice_of(in.p + off, len));
        off += len;
    }
    return true;
}

void aac_asc_write(struct writer *w, const struct aac_config *cfg)
{
    writer_be16(w, (uint16_t)(cfg->object_type << 11 | cfg->freq_index << 7 |
                              cfg->channels << 3));
}

bool aac_asc_parse(struct aac_config *cfg, struct slice asc)
{
    const uint8_t *p = (const uint8_t *)asc.p;

    if (asc.n < AAC_ASC_BYTES)
        return false;
    *cfg = (struct aac_config){ .object_type = p[0] >> 3,
                                .freq_index =
                                    (uint8_t)((p[0] & 7) << 1 | p[1] >> 7),
                                .channels = p[1] >> 3 & 15 };
    return aac_rate(cfg->freq_index) != 0;
}

void aac_adts_write(struct writer *w, const struct aac_config *cfg, size_t n)
{
    size_t whole = n + 7;

    if (n > AAC_MAX_FRAME - 7) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    writer_be16(w, 0xfff1);
    writer_char(w, (char)((unsigned)(cfg->object_type - 1) << 6 |
                          (unsigned)cfg->freq_index << 2 |
                          (unsigned)cfg->channels >> 2));
    writer_char(w, (char)((size_t)(cfg->channels & 3) << 6 | whole >> 11));
    writer_be16(w, (uint16_t)((whole & 0x7ff) << 5 | 0x1f));
    writer_char(w, (char)0xfc);
}
