#include "test/bench/limit_ps.h"

#include <string.h>

void limit_ps_init(struct limit_ps *l,
                   void (*on_unit)(void *ctx, const struct ps_piece *piece,
                                   size_t n),
                   void *ctx)
{
    l->on_unit = on_unit;
    l->ctx = ctx;
    l->have = l->left = l->n = 0;
}

void limit_ps_flush(struct limit_ps *l)
{
    if (l->n)
        l->on_unit(l->ctx, l->piece, l->n);
    l->n = 0;
}

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static bool is_media(uint8_t id)
{
    return id == 0xe0 || id == 0xc0;
}

/* The size of the header at p, or more than n: so much is needed to tell. */
static size_t header_size(const uint8_t *p, size_t n)
{
    if (n < 6)
        return 6;
    if (p[3] == 0xba)
        return n < 14 ? 14 : 14u + (p[13] & 7);
    if (is_media(p[3]))
        return n < 9 ? 9 : 9u + p[8];
    return 6 + be16(p + 4);
}

/* A whole header. */
static void take(struct limit_ps *l, const uint8_t *p)
{
    if (!is_media(p[3]))
        return;
    if (p[7] & 0x80)
        limit_ps_flush(l);
    l->left = be16(p + 4) - 3 - p[8];
}

static size_t payload(struct limit_ps *l, const uint8_t *p, size_t n)
{
    size_t k = n < l->left ? n : l->left;

    if (l->n == LIMIT_PS_PIECES)
        limit_ps_flush(l);
    l->piece[l->n++] = (struct ps_piece){ p, k, NULL };
    l->left -= k;
    return k;
}

/* Goes on with a header that began in an earlier buffer. */
static size_t gather(struct limit_ps *l, const uint8_t *p, size_t n)
{
    size_t used = 0, want;

    while ((want = header_size(l->header, l->have)) > l->have && used < n) {
        size_t k = want - l->have < n - used ? want - l->have : n - used;

        if (want > LIMIT_PS_HEADER)
            return 0;
        memcpy(l->header + l->have, p + used, k);
        l->have += k;
        used += k;
    }
    if (want > l->have)
        return used;
    take(l, l->header);
    l->have = 0;
    return used;
}

int limit_ps_feed(struct limit_ps *l, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;

    while (p < end) {
        size_t rest = (size_t)(end - p), size;

        if (l->left || l->have) {
            size = l->left ? payload(l, p, rest) : gather(l, p, rest);
            if (!size)
                return GB_ESYNTAX;
            p += size;
            continue;
        }
        size = header_size(p, rest);
        if (size > rest) {
            if (rest > LIMIT_PS_HEADER)
                return GB_ESYNTAX;
            memcpy(l->header, p, rest);
            l->have = rest;
            return 0;
        }
        if (p[0] || p[1] || p[2] != 1)
            return GB_ESYNTAX;
        take(l, p);
        p += size;
    }
    return 0;
}
