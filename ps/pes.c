#include "ps/pes.h"

#include "ps/mux.h"

#include <string.h>

#define MAX_MPEG1_STUFFING 16
#define TAG_ENCRYPTED 0x80 /* Hikvision */

static int want(size_t *need, size_t n)
{
    *need = n;
    return GB_EAGAIN;
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static int pack2_decode(struct ps_pack *out, const uint8_t *p, size_t n,
                        size_t *need)
{
    if (n < PS_PACK_BYTES)
        return want(need, PS_PACK_BYTES);
    out->size = (uint8_t)(PS_PACK_BYTES + (p[13] & 7));
    if (n < out->size)
        return want(need, out->size);
    out->scr90k = (uint64_t)(p[4] & 0x38) << 27 | (uint64_t)(p[4] & 3) << 28 |
                  (uint64_t)p[5] << 20 | (uint64_t)(p[6] & 0xf8) << 12 |
                  (uint64_t)(p[6] & 3) << 13 | (uint64_t)p[7] << 5 | p[8] >> 3;
    out->ext = (uint16_t)((p[8] & 3) << 7 | p[9] >> 1);
    out->rate = (uint32_t)p[10] << 14 | (uint32_t)p[11] << 6 | p[12] >> 2;
    out->mpeg1 = false;
    return 0;
}

int ps_pack_decode(struct ps_pack *out, const uint8_t *p, size_t n,
                   size_t *need)
{
    if (n < 5)
        return want(need, 5);
    if ((p[4] & 0xc0) == 0x40)
        return pack2_decode(out, p, n, need);
    if (p[4] == 0) { /* no valid header begins so: the bare form, or none */
        if (n < 7)
            return want(need, 7);
        if (p[5] != 0 || p[6] != 1)
            return GB_ESYNTAX;
        *out = (struct ps_pack){ .size = PS_PREFIX_BYTES };
        return 0;
    }
    if ((p[4] & 0xf0) != 0x20)
        return GB_ESYNTAX;
    if (n < PS_PACK1_BYTES)
        return want(need, PS_PACK1_BYTES);
    out->scr90k = ps_time_decode(p + 4);
    out->ext = 0;
    out->rate = (uint32_t)(p[9] & 0x7f) << 15 | (uint32_t)p[10] << 7 |
                p[11] >> 1;
    out->size = PS_PACK1_BYTES;
    out->mpeg1 = true;
    return 0;
}

/* All marker bits of an MPEG-1 time field; the prefix nibble is checked by
 * the caller. */
static bool time_marks(const uint8_t *p)
{
    return p[0] & p[2] & p[4] & 1;
}

/* ISO/IEC 11172-1 §2.4.3.3: stuffing, STD buffer, then 2x, 3x or 0F. Asks
 * for no byte that may be payload. */
static int pes1_decode(struct ps_pes *out, const uint8_t *p, size_t n,
                       size_t *need)
{
    size_t i = PS_LEN_BYTES, times;

    while (i < n && p[i] == 0xff)
        if (++i > PS_LEN_BYTES + MAX_MPEG1_STUFFING)
            return GB_ESYNTAX;
    if (i >= n)
        return want(need, i + 1);
    if ((p[i] & 0xc0) == 0x40)
        i += 2;
    if (i >= n)
        return want(need, i + 1);
    if (p[i] == 0x0f) {
        out->size = (uint16_t)(i + 1);
        return 0;
    }
    times = (p[i] & 0xf0) == 0x20 ? 5 : (p[i] & 0xf0) == 0x30 ? 10 : 0;
    if (!times)
        return GB_ESYNTAX;
    if (n < i + times)
        return want(need, i + times);
    if (!time_marks(p + i) || (times == 10 && ((p[i + 5] & 0xf0) != 0x10 ||
                                               !time_marks(p + i + 5))))
        return GB_ESYNTAX;
    out->has_pts = true;
    out->pts90k = ps_time_decode(p + i);
    out->has_dts = times == 10;
    out->dts90k = out->has_dts ? ps_time_decode(p + i + 5) : 0;
    out->size = (uint16_t)(i + times);
    return 0;
}

static int pes2_decode(struct ps_pes *out, const uint8_t *p, size_t n,
                       size_t *need)
{
    if (n < PS_PES_BYTES)
        return want(need, PS_PES_BYTES);
    out->size = (uint16_t)(PS_PES_BYTES + p[8]);
    if (out->length && out->length < out->size - PS_LEN_BYTES)
        return GB_ESYNTAX;
    if (n < out->size)
        return want(need, out->size);
    out->scrambling = p[6] >> 4 & 3;
    /* flags that claim more than the header holds are ignored, and so is
     * the forbidden value 01 */
    out->has_pts = p[7] & 0x80 && p[8] >= 5;
    out->has_dts = (p[7] & 0xc0) == 0xc0 && p[8] >= 10;
    if (out->has_pts)
        out->pts90k = ps_time_decode(p + 9);
    if (out->has_dts)
        out->dts90k = ps_time_decode(p + 14);
    return 0;
}

int ps_pes_decode(struct ps_pes *out, const uint8_t *p, size_t n,
                  size_t *need)
{
    int err;

    if (n < PS_LEN_BYTES + 1)
        return want(need, PS_LEN_BYTES + 1);
    *out = (struct ps_pes){ .length = be16(p + 4) };
    if ((p[6] & 0xc0) == 0x80)
        return pes2_decode(out, p, n, need);
    err = pes1_decode(out, p, n, need);
    if (!err && out->length && out->length < out->size - PS_LEN_BYTES)
        return GB_ESYNTAX;
    return err;
}

static bool has_tag(const uint8_t *p, size_t n, uint8_t tag)
{
    while (n >= 2 && (size_t)p[1] + 2 <= n) {
        size_t step = (size_t)p[1] + 2;

        if (p[0] == tag)
            return true;
        p += step;
        n -= step;
    }
    return false;
}

int ps_map_decode(struct ps_map *out, const uint8_t *p, size_t n,
                  size_t *need)
{
    size_t length, info, at, end;
    bool all;

    if (n < PS_LEN_BYTES)
        return want(need, PS_LEN_BYTES);
    length = be16(p + 4);
    if (length > PS_MAP_MAX || length < 10)
        return GB_ESYNTAX;
    if (n < PS_LEN_BYTES + length)
        return want(need, PS_LEN_BYTES + length);
    info = be16(p + 8);
    if (info + 10 > length)
        return GB_ESYNTAX;
    *out = (struct ps_map){ .current = p[6] >> 7, .version = p[6] & 0x1f,
                            .size = (uint16_t)(PS_LEN_BYTES + length) };
    all = has_tag(p + 10, info, TAG_ENCRYPTED);
    end = PS_LEN_BYTES + length - 4;
    for (at = 12 + info; at + 4 <= end && out->n < PS_MAP_ENTRIES;) {
        size_t es_info = be16(p + at + 2);

        if (at + 4 + es_info > end)
            break;
        out->entry[out->n].type = p[at];
        out->entry[out->n].id = p[at + 1];
        out->entry[out->n++].encrypted =
            all || has_tag(p + at + 4, es_info, TAG_ENCRYPTED);
        at += 4 + es_info;
    }
    return 0;
}

static void put_time(uint8_t *p, unsigned prefix, uint64_t t)
{
    p[0] = (uint8_t)(prefix << 4 | (t >> 29 & 0x0e) | 1);
    p[1] = (uint8_t)(t >> 22);
    p[2] = (uint8_t)(t >> 14 | 1);
    p[3] = (uint8_t)(t >> 7);
    p[4] = (uint8_t)(t << 1 | 1);
}

void ps_pack_encode(struct writer *w, uint64_t scr90k, uint32_t rate)
{
    uint64_t s = scr90k & PS_TIME_MASK;
    const uint8_t b[PS_PACK_BYTES] = {
        0, 0, 1, PS_ID_PACK,
        (uint8_t)(0x44 | (s >> 27 & 0x38) | (s >> 28 & 3)),
        (uint8_t)(s >> 20),
        (uint8_t)(0x04 | (s >> 12 & 0xf8) | (s >> 13 & 3)),
        (uint8_t)(s >> 5),
        (uint8_t)(0x04 | (s << 3 & 0xf8)),
        0x01,
        (uint8_t)(rate >> 14),
        (uint8_t)(rate >> 6),
        (uint8_t)(0x03 | (rate << 2 & 0xfc)),
        0xf8,
    };

    writer_bytes(w, b, sizeof(b));
}

void ps_system_encode(struct writer *w, bool video, bool audio)
{
    uint8_t b[18] = { 0, 0, 1, PS_ID_SYSTEM, 0, 0, 0x80, 0xcc, 0xf5,
                      audio ? 0x04 : 0x00, video ? 0xe1 : 0xe0, 0x7f };
    size_t n = 12;

    if (video) { /* P-STD buffer of 400 KB */
        memcpy(b + n, "\xe0\xe1\x90", 3);
        n += 3;
    }
    if (audio) { /* 4 KB */
        memcpy(b + n, "\xc0\xc0\x20", 3);
        n += 3;
    }
    b[5] = (uint8_t)(n - PS_LEN_BYTES);
    writer_bytes(w, b, n);
}

void ps_map_encode(struct writer *w, uint8_t video_type, uint8_t audio_type)
{
    ps_map_encode_version(w, 1, video_type, audio_type);
}

void ps_map_encode_version(struct writer *w, uint8_t version,
                           uint8_t video_type, uint8_t audio_type)
{
    uint8_t b[24] = { 0, 0, 1, PS_ID_MAP, 0, 0,
                      (uint8_t)(0xe0 | (version & 0x1f)), 0xff, 0, 0, 0, 0 };
    size_t n = 12;
    uint32_t crc;

    if (video_type) {
        b[n] = video_type;
        b[n + 1] = PS_ID_VIDEO;
        n += 4;
    }
    if (audio_type) {
        b[n] = audio_type;
        b[n + 1] = PS_ID_AUDIO;
        n += 4;
    }
    b[11] = (uint8_t)(n - 12);
    b[5] = (uint8_t)(n - PS_LEN_BYTES + 4);
    crc = ps_crc32(b, n);
    writer_bytes(w, b, n);
    writer_be32(w, crc);
}

void ps_pes_encode(struct writer *w, uint8_t id, size_t n, bool aligned,
                   const uint64_t *pts90k)
{
    size_t more = pts90k ? 5 : 0, length = 3 + more + n;
    uint8_t b[PS_PES_BYTES + 5] = { 0, 0, 1, id, (uint8_t)(length >> 8),
                                    (uint8_t)length, aligned ? 0x84 : 0x80,
                                    pts90k ? 0x80 : 0, (uint8_t)more };

    if (length > 0xffff) {
        if (!w->err)
            w->err = GB_ERANGE;
        return;
    }
    if (pts90k)
        put_time(b + PS_PES_BYTES, 2, *pts90k & PS_TIME_MASK);
    writer_bytes(w, b, PS_PES_BYTES + more);
}
