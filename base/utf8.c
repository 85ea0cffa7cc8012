#include "base/utf8.h"

static bool lead(struct utf8 *u, uint8_t byte)
{
    if (byte < 0x80)
        return true;
    u->lo = 0x80;
    u->hi = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) {
        u->more = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        u->more = 2;
        if (byte == 0xe0)
            u->lo = 0xa0; /* shorter forms exist */
        if (byte == 0xed)
            u->hi = 0x9f; /* surrogates */
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        u->more = 3;
        if (byte == 0xf0)
            u->lo = 0x90;
        if (byte == 0xf4)
            u->hi = 0x8f; /* above U+10FFFF */
    } else {
        return false;
    }
    return true;
}

bool utf8_step(struct utf8 *u, uint8_t byte)
{
    if (u->more == 0)
        return lead(u, byte);
    if (byte < u->lo || byte > u->hi)
        return false;
    u->lo = 0x80;
    u->hi = 0xbf;
    u->more--;
    return true;
}

size_t utf8_len(const char *p, size_t n)
{
    struct utf8 u = { 0 };

    for (size_t i = 0; i < n; i++) {
        if (!utf8_step(&u, (uint8_t)p[i]))
            return 0;
        if (u.more == 0)
            return i + 1;
    }
    return 0;
}
