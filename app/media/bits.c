#include "app/media/bits.h"

struct bits bits_of(struct slice nal)
{
    const uint8_t *p = (const uint8_t *)nal.p;

    return (struct bits){ p, nal.n ? p + nal.n : p, 0, 0, 0, 0 };
}

/* The next byte of the payload: the 03 of 00 00 03 is stepped over. */
static void next_byte(struct bits *b)
{
    if (b->zeros >= 2 && b->p < b->end && *b->p == 3) {
        b->p++;
        b->zeros = 0;
    }
    b->left = 8;
    if (b->p == b->end) {
        b->err = b->err ? b->err : GB_EAGAIN;
        b->cur = 0;
        return;
    }
    b->cur = *b->p++;
    b->zeros = b->cur ? 0 : b->zeros + 1;
}

uint32_t bits_u(struct bits *b, unsigned n)
{
    uint32_t v = 0;

    while (n) {
        unsigned take;

        if (b->left == 0)
            next_byte(b);
        if (b->err)
            return 0;
        take = n < b->left ? n : b->left;
        v = v << take |
            ((uint32_t)b->cur >> (b->left - take) & ((1u << take) - 1));
        b->left = (uint8_t)(b->left - take);
        n -= take;
    }
    return v;
}

bool bits_flag(struct bits *b)
{
    return bits_u(b, 1) != 0;
}

void bits_skip(struct bits *b, unsigned n)
{
    for (; n > 32 && !b->err; n -= 32)
        bits_u(b, 32);
    if (!b->err)
        bits_u(b, n);
}

uint32_t bits_ue(struct bits *b)
{
    unsigned zeros = 0;
    uint32_t low;

    while (!bits_flag(b)) {
        if (b->err)
            return 0;
        if (++zeros > 32) {
            b->err = GB_ERANGE;
            return 0;
        }
    }
    if (zeros == 32) { /* only 2^32 - 1 fits 32 bits */
        if (bits_u(b, 32) == 0)
            return b->err ? 0 : UINT32_MAX;
        b->err = b->err ? b->err : GB_ERANGE;
        return 0;
    }
    low = bits_u(b, zeros);
    return b->err ? 0 : (1u << zeros) - 1 + low;
}

int32_t bits_se(struct bits *b)
{
    uint32_t k = bits_ue(b);

    if (k == UINT32_MAX) {
        b->err = b->err ? b->err : GB_ERANGE;
        return 0;
    }
    return k & 1 ? (int32_t)(k / 2 + 1) : -(int32_t)(k / 2);
}

uint32_t bits_ue_max(struct bits *b, uint32_t max)
{
    uint32_t v = bits_ue(b);

    if (v > max) {
        b->err = b->err ? b->err : GB_ERANGE;
        return 0;
    }
    return v;
}

void bits_skip_vui_head(struct bits *b)
{
    if (bits_flag(b) && bits_u(b, 8) == 255) /* Extended_SAR */
        bits_skip(b, 32);
    if (bits_flag(b))
        bits_flag(b);
    if (bits_flag(b)) {
        bits_skip(b, 4);
        if (bits_flag(b))
            bits_skip(b, 24);
    }
    if (bits_flag(b)) {
        bits_ue(b);
        bits_ue(b);
    }
}
