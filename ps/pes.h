/* ps/pes.h - the headers of a program stream, read and written
 * (ISO/IEC 13818-1 §2.5.3, §2.4.3.6; MPEG-1 forms: ISO/IEC 11172-1 §2.4)
 *
 * Every decoder takes bytes that begin with 00 00 01 id and may end anywhere.
 *
 *   0           decoded; out->size bytes of header
 *   GB_EAGAIN   *need (> n) bytes must be there before it can go on; what is
 *               asked for is header, never payload
 *   GB_ESYNTAX  this is no such header
 *
 * Marker bits, stuffing values and CRCs are never validated: devices send
 * anything there. */
#ifndef PS_PES_H
#define PS_PES_H

#include "base/err.h"
#include "base/writer.h"
#include "ps/proto.h"

struct ps_pack {
    uint64_t scr90k; /* 33 bit; 0 in the bare form */
    uint16_t ext;    /* 27 MHz part, as sent (384 is seen) */
    uint32_t rate;   /* units of 50 bytes/s */
    uint8_t size;    /* 14..21; MPEG-1: 12; bare: 4 */
    bool mpeg1;
};

/* The bare form is 00 00 01 BA with the next start code directly behind
 * (Hikvision H.265); it needs 7 bytes to be told apart. */
int ps_pack_decode(struct ps_pack *out, const uint8_t *p, size_t n,
                   size_t *need);

struct ps_pes {
    uint16_t length;     /* PES_packet_length; 0: unbounded */
    uint16_t size;       /* header bytes in front of the payload */
    uint8_t scrambling;  /* 0: clear */
    bool has_pts, has_dts;
    uint64_t pts90k, dts90k; /* 33 bit */
};

/* GB_ESYNTAX also when a non-zero length is shorter than the header. The
 * MPEG-1 form is tried wherever the MPEG-2 form does not fit. */
int ps_pes_decode(struct ps_pes *out, const uint8_t *p, size_t n,
                  size_t *need);

/* A PTS or DTS field of 5 bytes; 33 bit. */
static inline uint64_t ps_time_decode(const uint8_t *p)
{
    return (uint64_t)(p[0] >> 1 & 7) << 30 | (uint64_t)p[1] << 22 |
           (uint64_t)(p[2] >> 1) << 15 | (uint64_t)p[3] << 7 | p[4] >> 1;
}

/* A PES header of the MPEG-2 form at p, whole, clear and with a length, and a
 * byte behind it. Only what decides is looked at; false: ps_pes_decode shall
 * say. */
static inline bool ps_pes_plain(struct ps_pes *out, const uint8_t *p, size_t n)
{
    size_t size;

    if (n <= PS_PES_BYTES || p[0] || p[1] || p[2] != 1 ||
        (p[6] & 0xf0) != 0x80)
        return false;
    size = PS_PES_BYTES + (size_t)p[8];
    out->length = (uint16_t)(p[4] << 8 | p[5]);
    if (n <= size || out->length <= size - PS_LEN_BYTES ||
        out->length == 0xffff)
        return false;
    out->size = (uint16_t)size;
    out->scrambling = 0;
    out->has_pts = p[7] & 0x80 && p[8] >= 5;
    out->has_dts = (p[7] & 0xc0) == 0xc0 && p[8] >= 10;
    out->pts90k = out->has_pts ? ps_time_decode(p + 9) : 0;
    out->dts90k = out->has_dts ? ps_time_decode(p + 14) : 0;
    return true;
}

#define PS_MAP_ENTRIES 16 /* further entries of a map are ignored */

struct ps_map {
    bool current;   /* current_next_indicator */
    uint8_t version;
    uint16_t size;  /* of the whole element */
    size_t n;
    struct {
        uint8_t type, id;
        bool encrypted; /* Hikvision descriptor 0x80, here or program wide */
    } entry[PS_MAP_ENTRIES];
};

/* Program stream map. elementary_stream_map_length and the CRC are ignored
 * (both are seen wrong); all is bound by the length field, at most 1018. */
int ps_map_decode(struct ps_map *out, const uint8_t *p, size_t n,
                  size_t *need);

/* Writers; errors stay in w. scr90k and pts90k are masked to 33 bit. */
void ps_pack_encode(struct writer *w, uint64_t scr90k, uint32_t rate);
void ps_system_encode(struct writer *w, bool video, bool audio);

/* Types of 0 leave the stream out. */
void ps_map_encode(struct writer *w, uint8_t video_type, uint8_t audio_type);

/* The version tells a reader of the map that another one has come; of 5 bits. */
void ps_map_encode_version(struct writer *w, uint8_t version,
                           uint8_t video_type, uint8_t audio_type);

/* The header of a PES with n payload bytes (at most 65535 - 8); aligned is
 * data_alignment_indicator. pts90k NULL: none. */
void ps_pes_encode(struct writer *w, uint8_t id, size_t n, bool aligned,
                   const uint64_t *pts90k);

/* CRC-32/MPEG-2 is declared in ps/mux.h. */
#endif
