#include "app/media/flac.h"

#define MAX_RICE 14 /* parameter 15 is the escape code */

uint8_t flac_crc8(const uint8_t *p, size_t n)
{
    unsigned c = 0;

    while (n--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++)
            c = c & 0x80 ? (c << 1 ^ 0x07) & 0xff : c << 1;
    }
    return (uint8_t)c;
}

/* Four bits at a time: a frame is some hundred bytes, the table 32. */
uint16_t flac_crc16(const uint8_t *p, size_t n)
{
    static const uint16_t nibble[16] = {
        0x0000, 0x8005, 0x800f, 0x000a, 0x801b, 0x001e, 0x0014, 0x8011,
        0x8033, 0x0036, 0x003c, 0x8039, 0x0028, 0x802d, 0x8027, 0x0022,
    };
    unsigned c = 0;

    while (n--) {
        c = (c << 4 & 0xffff) ^ nibble[c >> 12 ^ *p >> 4];
        c = (c << 4 & 0xffff) ^ nibble[c >> 12 ^ (*p++ & 15)];
    }
    return (uint16_t)c;
}

/* Bits, highest first, into a writer. */
struct put {
    struct writer *w;
    uint32_t acc;
    unsigned n; /* bits in acc, below 8 */
};

static void put_bits(struct put *b, uint32_t v, unsigned n)
{
    while (n) {
        unsigned take = 8 - b->n < n ? 8 - b->n : n;

        b->acc = b->acc << take | (v >> (n - take) & ((1u << take) - 1));
        b->n += take;
        n -= take;
        if (b->n == 8) {
            writer_char(b->w, (char)(uint8_t)b->acc);
            b->acc = b->n = 0;
        }
    }
}

static void put_zeros(struct put *b, uint32_t n)
{
    for (; n > 24; n -= 24)
        put_bits(b, 0, 24);
    put_bits(b, 0, n);
}

/* The number of a frame or sample, up to 36 bits, in UTF-8 style (§9.1.5). */
static void put_number(struct writer *w, uint64_t v)
{
    unsigned more = 1;

    if (v < 0x80) {
        writer_char(w, (char)v);
        return;
    }
    while (more < 6 && v >> (5 * more + 6))
        more++;
    if (more == 6)
        v &= 0xfffffffffu;
    writer_char(w, (char)(uint8_t)(0xff80u >> more & 0xff) |
                       (char)(uint8_t)(v >> (6 * more)));
    while (more--)
        writer_char(w, (char)(uint8_t)(0x80 | (v >> (6 * more) & 0x3f)));
}

/* Residual of a fixed predictor of order 0, 1 or 2, folded to unsigned. */
static uint32_t residual(const int16_t *s, size_t i, unsigned order)
{
    int32_t r = s[i];

    if (order == 1)
        r = s[i] - s[i - 1];
    else if (order == 2)
        r = s[i] - 2 * s[i - 1] + s[i - 2];
    return r >= 0 ? (uint32_t)r << 1 : ((uint32_t)-r << 1) - 1;
}

struct choice {
    unsigned order, k;
    uint64_t bits;
};

/* The smallest of orders 0..2 and all Rice parameters near the mean. */
static struct choice choose(const int16_t *s, size_t n)
{
    struct choice best = { 0, 0, UINT64_MAX };

    for (unsigned order = 0; order <= 2 && order < n; order++) {
        uint64_t sum = 0, size[MAX_RICE + 1] = { 0 };
        unsigned k0 = 0, k1;

        for (size_t i = order; i < n; i++)
            sum += residual(s, i, order);
        while (k0 < MAX_RICE && (sum >> k0) > n)
            k0++;
        k1 = k0 < MAX_RICE ? k0 + 1 : k0;
        k0 = k0 ? k0 - 1 : 0;
        for (size_t i = order; i < n; i++)
            for (unsigned k = k0; k <= k1; k++)
                size[k] += (residual(s, i, order) >> k) + 1 + k;
        for (unsigned k = k0; k <= k1; k++)
            if (16u * order + 10 + size[k] < best.bits)
                best = (struct choice){ order, k, 16u * order + 10 + size[k] };
    }
    return best;
}

static void put_fixed(struct put *b, const int16_t *s, size_t n,
                      const struct choice *c)
{
    put_bits(b, (8 | c->order) << 1, 8);
    for (unsigned i = 0; i < c->order; i++)
        put_bits(b, (uint16_t)s[i], 16);
    put_bits(b, 0, 6); /* Rice, four bit parameters; one partition */
    put_bits(b, c->k, 4);
    for (size_t i = c->order; i < n; i++) {
        uint32_t z = residual(s, i, c->order);

        put_zeros(b, z >> c->k);
        put_bits(b, 1, 1);
        put_bits(b, z & ((1u << c->k) - 1), c->k);
    }
}

void flac_frame_write(struct writer *w, const int16_t *sample, size_t n,
                      uint64_t number, bool variable)
{
    size_t at = w->len;
    struct put b = { w, 0, 0 };
    struct choice c;

    if (n == 0 || n > FLAC_MAX_BLOCK) {
        w->err = w->err ? w->err : GB_ERANGE;
        return;
    }
    writer_be16(w, variable ? 0xfff9 : 0xfff8);
    writer_be16(w, 0x7408); /* 16 bit block size, 8 kHz; mono, 16 bit */
    put_number(w, number);
    writer_be16(w, (uint16_t)(n - 1));
    if (w->err)
        return;
    writer_char(w, (char)flac_crc8((const uint8_t *)w->p + at, w->len - at));
    c = choose(sample, n);
    if (c.bits < 16 * (uint64_t)n) {
        put_fixed(&b, sample, n, &c);
    } else {
        put_bits(&b, 1 << 1, 8); /* verbatim */
        for (size_t i = 0; i < n; i++)
            put_bits(&b, (uint16_t)sample[i], 16);
    }
    if (b.n)
        put_bits(&b, 0, 8 - b.n);
    if (w->err)
        return;
    writer_be16(w, flac_crc16((const uint8_t *)w->p + at, w->len - at));
}

void flac_streaminfo_write(struct writer *w, uint16_t min_block,
                           uint16_t max_block)
{
    static const char unknown[16];

    writer_be16(w, min_block);
    writer_be16(w, max_block);
    writer_bytes(w, unknown, 6); /* frame sizes */
    /* rate:20, channels - 1:3, bits - 1:5, samples:36 */
    writer_be32(w, 8000u << 12 | 0u << 9 | 15u << 4);
    writer_be32(w, 0);
    writer_bytes(w, unknown, 16);
}
