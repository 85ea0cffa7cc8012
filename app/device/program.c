#include "app/device/program.h"

#include "app/device/picture.h"
#include "ps/annexb.h"
#include "ps/pes.h"

#include <string.h>

#define SMALL_PES_BYTES 1111 /* of the faults that send many */
#define MUX_RATE 20000       /* 8 Mbit/s */
#define RAW_AAC_TYPE 0x1c
#define ADTS_BYTES 7         /* a head without CRC */
#define PEAK_BPS 8000000

/* What looks like the beginning of a pack, inside of something. */
static const uint8_t bait[] = { 0, 0, 0, 1, 0, 0, 1, PS_ID_PACK, 0x44, 0,
                                0, 1, PS_ID_VIDEO, 0, 8 };

int program_init(struct program *p, enum ps_codec video, enum ps_codec audio,
                 const struct sender_faults *faults)
{
    *p = (struct program){ .faults = faults };
    return ps_mux_init(&p->mux, video, audio, PEAK_BPS);
}

size_t program_bound(size_t n, bool faults)
{
    /* a PES and a pack header for each small piece, private data, a file head */
    return faults ? ps_mux_bound(n) + (n / SMALL_PES_BYTES + 16) * 64 + 512
                  : ps_mux_bound(n);
}

/* ---- packs --------------------------------------------------------------------- */

/* Behind the header: 6 bytes that count frames, which now and then looks like
 * a pack. */
static void stuff_pack(struct program *p, struct writer *w)
{
    w->p[w->len - 1] = (char)0xfe;
    writer_be16(w, 0xffff);
    writer_be32(w, p->n_packs & 1 ? 0x100u | PS_ID_PACK : p->n_packs);
}

static void spoil_scr(struct writer *w)
{
    uint8_t *h = (uint8_t *)w->p + w->len - PS_PACK_BYTES;

    h[4] = 0x44;
    h[8] = 0x07; /* the extension's upper bits and the marker before them off */
    h[9] = 0x00; /* 384 and its marker off */
    h[10] = h[11] = h[12] = 0;
}

static void put_pack(struct program *p, struct writer *w, uint64_t scr90k)
{
    const struct sender_faults *f = p->faults;

    p->n_packs++;
    if (f->no_pack)
        return;
    if (f->bare_pack) {
        writer_bytes(w, "\0\0\1\xba", PS_PREFIX_BYTES);
        return;
    }
    ps_pack_encode(w, scr90k, MUX_RATE);
    if (w->err)
        return;
    if (f->bad_scr)
        spoil_scr(w);
    if (f->pack_stuffing)
        stuff_pack(p, w);
}

/* ---- maps ---------------------------------------------------------------------- */

static uint8_t video_type(const struct program *p)
{
    const struct sender_faults *f = p->faults;
    bool lies = f->psm_lies || (f->psm_flaps && p->n_maps % 2);
    enum ps_codec other = p->mux.video == PS_CODEC_H264 ? PS_CODEC_H265
                                                        : PS_CODEC_H264;

    return ps_codec_type(lies ? other : p->mux.video);
}

static uint8_t audio_type(const struct program *p)
{
    const struct sender_faults *f = p->faults;

    if (f->only_announced)
        return ps_codec_type(PS_CODEC_G711A);
    if (p->mux.audio == PS_CODEC_UNKNOWN || f->not_announced)
        return 0;
    if (f->aac_headers)
        return RAW_AAC_TYPE;
    return ps_codec_type(f->aac_as_g711   ? PS_CODEC_G711A
                         : f->g711_as_aac ? PS_CODEC_AAC : p->mux.audio);
}

/* A map whose first entry has a descriptor that nobody has counted. */
static void put_short_map(struct program *p, struct writer *w)
{
    const uint8_t b[] = {
        0, 0, 1, PS_ID_MAP, 0, 24, 0xe1, 0xff, 0, 0, 0, 8,
        video_type(p), PS_ID_VIDEO, 0, 6, 0x0a, 4, 'e', 'n', 'g', 0,
        audio_type(p), PS_ID_AUDIO, 0, 0,
    };

    writer_bytes(w, b, sizeof(b));
    writer_be32(w, ps_crc32(b, sizeof(b)));
}

static void reverse(uint8_t *p)
{
    const uint8_t b[4] = { p[3], p[2], p[1], p[0] };

    memcpy(p, b, sizeof(b));
}

static void put_maps(struct program *p, struct writer *w)
{
    const struct sender_faults *f = p->faults;
    uint8_t audio = audio_type(p);

    ps_system_encode(w, true, audio != 0);
    if (f->no_psm || (f->psm_once && p->n_maps))
        return;
    if (f->short_map)
        put_short_map(p, w);
    else
        ps_map_encode(w, video_type(p), audio);
    if (f->crc_reversed && !w->err)
        reverse((uint8_t *)w->p + w->len - 4);
    p->n_maps++;
}

/* ---- PES ----------------------------------------------------------------------- */

static void put_time1(struct writer *w, uint64_t t)
{
    const uint8_t b[5] = { (uint8_t)(0x21 | (t >> 29 & 0x0e)),
                           (uint8_t)(t >> 22), (uint8_t)(t >> 14 | 1),
                           (uint8_t)(t >> 7), (uint8_t)(t << 1 | 1) };

    writer_bytes(w, b, sizeof(b));
}

/* ISO/IEC 11172-1: two bytes of stuffing, the time or 0F. */
static void put_head1(struct writer *w, uint8_t id, size_t n,
                      const uint64_t *pts90k)
{
    const uint8_t prefix[3] = { 0, 0, 1 };

    writer_bytes(w, prefix, sizeof(prefix));
    writer_char(w, (char)id);
    writer_be16(w, (uint16_t)(n + 2 + (pts90k ? 5 : 1)));
    writer_be16(w, 0xffff);
    if (pts90k)
        put_time1(w, *pts90k & PS_TIME_MASK);
    else
        writer_char(w, 0x0f);
}

static void shorten(uint8_t length[2])
{
    unsigned n = (unsigned)(length[0] << 8 | length[1]) - 2;

    length[0] = (uint8_t)(n >> 8);
    length[1] = (uint8_t)n;
}

/* The head of n bytes of payload, and what is wrong with it. */
static void put_head(struct program *p, struct writer *w, uint8_t id, size_t n,
                     const uint64_t *pts90k)
{
    const struct sender_faults *f = p->faults;
    bool video = ps_id_is_video(id), open = f->length0 || f->length65535;
    size_t at = w->len, stuffing = f->pes_stuffing ? 1 + p->n_pes % 5 : 0;
    uint8_t *h = (uint8_t *)w->p + at;

    p->n_pes++;
    if (f->pes_mpeg1) {
        put_head1(w, id, n, pts90k);
        return;
    }
    /* the length of what has none is written over */
    ps_pes_encode(w, id, video && open ? 0 : n + stuffing, video && pts90k,
                  pts90k);
    if (w->err)
        return;
    h[8] = (uint8_t)(h[8] + stuffing);
    writer_bytes(w, "\xff\xff\xff\xff", stuffing ? stuffing - 1 : 0);
    writer_bytes(w, "\xfc", stuffing != 0);
    if (f->encrypted && video)
        h[6] |= 0x10;
    if (video && f->length0)
        h[4] = h[5] = 0;
    if (video && f->length65535)
        h[4] = h[5] = 0xff;
    if (video && f->length_short && n > 2)
        shorten(h + 4);
}

/* Bytes of the next PES. */
static size_t piece(const struct program *p, struct slice data)
{
    const struct sender_faults *f = p->faults;
    size_t max = PS_MUX_PES_BYTES - 32, n = data.n;

    if (f->length0 || f->length65535)
        return n;
    if (f->pes_per_nal)
        n = picture_nal(data);
    if (f->pts_each || f->small_pes || f->pack_each_pes)
        max = SMALL_PES_BYTES;
    return n < max ? n : max;
}

static void put_video(struct program *p, struct writer *w, struct slice data,
                      const uint64_t *pts90k)
{
    const struct sender_faults *f = p->faults;
    bool first = true;

    while (data.n) {
        size_t n = piece(p, data);

        if (!first && f->pack_each_pes)
            put_pack(p, w, pts90k ? *pts90k : 0);
        put_head(p, w, PS_ID_VIDEO, n, first || f->pts_each ? pts90k : NULL);
        writer_bytes(w, data.p, n);
        data = slice_from(data, n);
        first = false;
    }
}

/* Some of a picture, in the PES under way or the next ones; *room: what that one
 * still takes, *left: what the others have to. */
static void put_some(struct program *p, struct writer *w, struct slice data,
                     size_t *room, size_t *left, const uint64_t *pts90k)
{
    const size_t max = PS_MUX_PES_BYTES - 32;

    while (data.n) {
        size_t n;

        if (*room == 0) {
            *room = *left < max ? *left : max;
            *left -= *room;
            put_head(p, w, PS_ID_VIDEO, *room, pts90k);
        }
        n = data.n < *room ? data.n : *room;
        writer_bytes(w, data.p, n);
        data = slice_from(data, n);
        *room -= n;
    }
}

static void put_lengths(struct program *p, struct writer *w,
                        struct slice annexb, const uint64_t *pts90k)
{
    struct slice rest = annexb, nal;
    size_t room = 0, left = 0;

    while (ps_annexb_next(&rest, &nal))
        left += 4 + nal.n;
    while (ps_annexb_next(&annexb, &nal)) {
        const char n[4] = { (char)(nal.n >> 24), (char)(nal.n >> 16),
                            (char)(nal.n >> 8), (char)nal.n };

        put_some(p, w, slice_of(n, sizeof(n)), &room, &left, pts90k);
        put_some(p, w, nal, &room, &left, pts90k);
    }
}

/* With a PES header or without: what is in them is nobody's business. */
static void put_private(struct writer *w, uint8_t id)
{
    const uint8_t prefix[3] = { 0, 0, 1 };

    writer_bytes(w, prefix, sizeof(prefix));
    writer_char(w, (char)id);
    writer_be16(w, sizeof(bait));
    writer_bytes(w, bait, sizeof(bait));
}

/* ---- packs of pictures and audio ------------------------------------------------- */

static void put_file_head(struct writer *w)
{
    uint8_t head[40] = "IMKH\1\1";

    head[8] = 2; /* a program stream */
    head[11] = 1; /* of H.264 */
    writer_bytes(w, head, sizeof(head));
}

static void video_with_faults(struct program *p, struct writer *w,
                              struct slice annexb, const uint64_t *pts90k,
                              bool key)
{
    const struct sender_faults *f = p->faults;
    bool maps = key || !p->started;
    uint64_t scr = pts90k ? *pts90k : 0;

    if (f->imkh && !p->started)
        put_file_head(w);
    p->started = true;
    put_pack(p, w, scr);
    if (maps)
        put_maps(p, w);
    if (f->private_data) {
        put_private(w, PS_ID_PRIVATE1);
        put_private(w, 0xf1);
    }
    if (f->sets_apart && key) {
        size_t n = picture_sets(p->mux.video, annexb);

        put_video(p, w, slice_head(annexb, n), pts90k);
        put_pack(p, w, scr);
        annexb = slice_from(annexb, n);
    }
    if (f->lengths)
        put_lengths(p, w, annexb, pts90k);
    else
        put_video(p, w, annexb, pts90k);
    if (f->private_data)
        put_private(w, PS_ID_PRIVATE2);
    if (f->zeros)
        writer_bytes(w, "\0\0\0", 3);
    if (f->fill)
        writer_bytes(w, "\xff\xff\xff\xff\xff\xff\xff", 7);
}

/* Of a recorder's vendor: counter, time, kind, size of the picture; no start
 * codes of a program stream anywhere. */
static void put_vendor(struct program *p, struct writer *w, struct slice data,
                       bool video, bool key)
{
    const uint8_t n[4] = { (uint8_t)p->n_packs, (uint8_t)(p->n_packs >> 8) };
    const uint8_t size[4] = { 640 & 0xff, 640 >> 8, 360 & 0xff, 360 >> 8 };

    p->n_packs++;
    writer_bytes(w, "\1\0\0\0", 4);
    writer_bytes(w, n, sizeof(n));
    writer_bytes(w, n, sizeof(n));
    writer_bytes(w, video ? "\0\x10\0\0" : "\1\x10\0\0", 4);
    writer_bytes(w, "\1\x10\0\0", 4);
    writer_bytes(w, size, sizeof(size));
    writer_bytes(w, !video ? "\6\x10\0\0" : key ? "\1\x10\0\0" : "\3\x10\0\0",
                 4);
    writer_slice_put(w, data);
}

void program_video(struct program *p, struct writer *w, struct slice annexb,
                   const uint64_t *pts90k, bool key)
{
    if (p->faults && p->faults->vendor_frames)
        put_vendor(p, w, annexb, true, key);
    else if (p->faults)
        video_with_faults(p, w, annexb, pts90k, key);
    else
        ps_mux_video(&p->mux, w, annexb, *pts90k, key);
}

/* RFC 3640 §3.2.1: one header of 16 bits, 13 of which are the length. */
static void put_raw_aac(struct program *p, struct writer *w, struct slice raw,
                        const uint64_t *pts90k)
{
    put_head(p, w, PS_ID_AUDIO, raw.n + 4, pts90k);
    writer_be16(w, 16);
    writer_be16(w, (uint16_t)(raw.n << 3));
    writer_slice_put(w, raw);
}

void program_audio(struct program *p, struct writer *w, struct slice data,
                   const uint64_t *pts90k)
{
    if (!p->faults) {
        ps_mux_audio(&p->mux, w, data, *pts90k);
        return;
    }
    if (p->faults->vendor_frames) {
        put_vendor(p, w, data, false, false);
        return;
    }
    put_pack(p, w, pts90k ? *pts90k : 0);
    if (p->faults->aac_headers && data.n > ADTS_BYTES) {
        put_raw_aac(p, w, slice_from(data, ADTS_BYTES), pts90k);
    } else {
        put_head(p, w, PS_ID_AUDIO, data.n, pts90k);
        writer_slice_put(w, data);
    }
    if (p->faults->zeros)
        writer_bytes(w, "\0", 1);
}
