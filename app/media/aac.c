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

/* ---- LOAS ---- */

#define LOAS_HEAD 3 /* sync and length */

struct bit_reader {
    const uint8_t *p;
    size_t n, at; /* bytes; the next bit, past the end all are 0 */
};

static uint32_t take_bits(struct bit_reader *r, unsigned n)
{
    uint32_t v = 0;

    for (; n; n--, r->at++)
        v = v << 1 | (r->at / 8 < r->n
                          ? (uint32_t)r->p[r->at / 8] >> (7 - r->at % 8) & 1
                          : 0);
    return v;
}

static bool is_over(const struct bit_reader *r)
{
    return r->at > r->n * 8;
}

/* AudioSpecificConfig; of SBR and PS the AAC that lies under it. */
static bool read_asc(struct aac_config *cfg, struct bit_reader *r)
{
    uint32_t type = take_bits(r, 5), freq = take_bits(r, 4);
    uint32_t channels = take_bits(r, 4);

    if (type == 5 || type == 29) {
        take_bits(r, 4);
        type = take_bits(r, 5);
    }
    *cfg = (struct aac_config){ (uint8_t)type, (uint8_t)freq,
                                (uint8_t)channels };
    return type >= 1 && type <= 4 && aac_rate(cfg->freq_index) &&
           channels >= 1 && channels <= 7 &&
           take_bits(r, 3) == 0; /* 1024 samples, nothing more */
}

/* StreamMuxConfig: version 0, one program of one layer, one frame at a time. */
static bool read_mux(struct aac_config *cfg, struct bit_reader *r)
{
    bool crc;

    if (take_bits(r, 2) != 1 || take_bits(r, 6 + 4 + 3) != 0 ||
        !read_asc(cfg, r) || take_bits(r, 3) != 0)
        return false;
    take_bits(r, 8); /* how full the buffer is */
    if (take_bits(r, 1))
        return false; /* other data */
    crc = take_bits(r, 1);
    take_bits(r, crc ? 8 : 0);
    return !is_over(r);
}

int aac_loas_parse(struct aac_config *cfg, struct aac_frame *frame, uint8_t *p,
                   size_t n)
{
    struct bit_reader r = { p + LOAS_HEAD, 0, 0 };
    size_t size = 0;
    uint32_t more;

    if ((n > 0 && p[0] != 0x56) || (n > 1 && (p[1] & 0xe0) != 0xe0))
        return GB_ESYNTAX;
    if (n < LOAS_HEAD)
        return GB_EAGAIN;
    r.n = (size_t)(p[1] & 0x1f) << 8 | p[2];
    if (n < LOAS_HEAD + r.n)
        return GB_EAGAIN;
    *frame = (struct aac_frame){ .whole = LOAS_HEAD + r.n };
    if (!take_bits(&r, 1) && !read_mux(cfg, &r))
        *cfg = (struct aac_config){ 0 };
    if (cfg->channels == 0)
        return 0;
    do {
        more = take_bits(&r, 8);
        size += more;
    } while (more == 255);
    if (r.at + size * 8 > r.n * 8)
        return 0;
    for (size_t i = 0; i < size; i++)
        p[LOAS_HEAD + i] = (uint8_t)take_bits(&r, 8);
    frame->raw = slice_of((const char *)p + LOAS_HEAD, size);
    return 0;
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
