#include "ps/sync.h"

#include "ps/pes.h"

static bool is_next_id(uint8_t id)
{
    return id >= PS_ID_SYSTEM && id < 0xf0;
}

/* 00 00 01 and an id that may follow a pack header, at p + at. */
static int check_next(const uint8_t *p, size_t n, size_t at, size_t *need)
{
    static const uint8_t prefix[3] = { 0, 0, 1 };

    if (n < at + 4) {
        *need = at + 4;
        return 0;
    }
    if (memcmp(p + at, prefix, 3) != 0 || !is_next_id(p[at + 3]))
        return -1;
    return 1;
}

int ps_sync_pack(const uint8_t *p, size_t n, size_t *need)
{
    struct ps_pack pack;
    int err = ps_pack_decode(&pack, p, n, need);

    if (err)
        return err == GB_EAGAIN ? 0 : -1;
    if (pack.size >= PS_PACK_BYTES && (p[4] & 0xc4) != 0x44)
        return -1;
    return check_next(p, n, pack.size, need);
}

int ps_sync_pes(const uint8_t *p, size_t n, size_t *need)
{
    struct ps_pes pes;
    int err;

    if (n < PS_PES_BYTES) {
        *need = PS_PES_BYTES;
        return 0;
    }
    if ((p[6] & 0xc0) != 0x80)
        return -1;
    err = ps_pes_decode(&pes, p, n, need);
    if (err)
        return err == GB_EAGAIN ? 0 : -1;
    return pes.length || ps_id_is_video(p[3]) ? 1 : -1;
}

bool ps_sync_ends_pes(const uint8_t *b)
{
    size_t len = (size_t)b[4] << 8 | b[5];

    switch (b[3]) {
    case PS_ID_PACK:
        return (b[4] & 0xc4) == 0x44 || (b[4] & 0xf1) == 0x21 ||
               (b[4] == 0 && b[5] == 0 && b[6] == 1);
    case PS_ID_SYSTEM:
        return len >= 6 && len <= 6 + 3 * 64 && b[6] & 0x80;
    case PS_ID_MAP:
        return len >= 10 && len <= PS_MAP_MAX;
    case PS_ID_PADDING:
    case PS_ID_PRIVATE2:
        return len != 0;
    default:
        return is_next_id(b[3]) && (b[6] & 0xc0) == 0x80;
    }
}
