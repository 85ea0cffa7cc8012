/* ps/proto.h - stream ids and layout numbers of the MPEG program stream
 * (ISO/IEC 13818-1 §2.5.3, table 2-22) */
#ifndef PS_PROTO_H
#define PS_PROTO_H

#include <stdbool.h>
#include <stdint.h>

/* The byte behind 00 00 01. Below PS_ID_END lie the start codes of video. */
enum ps_id {
    PS_ID_END = 0xb9,      /* program end, 4 bytes */
    PS_ID_PACK = 0xba,     /* pack header */
    PS_ID_SYSTEM = 0xbb,   /* system header */
    PS_ID_MAP = 0xbc,      /* program stream map */
    PS_ID_PRIVATE1 = 0xbd, /* private, with a PES header */
    PS_ID_PADDING = 0xbe,
    PS_ID_PRIVATE2 = 0xbf, /* private, without a PES header */
    PS_ID_AUDIO = 0xc0,    /* to 0xdf */
    PS_ID_VIDEO = 0xe0,    /* to 0xef */
};

#define PS_PREFIX_BYTES 4 /* 00 00 01 id */
#define PS_PACK_BYTES 14  /* MPEG-2 pack header without stuffing */
#define PS_PACK1_BYTES 12 /* MPEG-1 pack header */
#define PS_LEN_BYTES 6    /* prefix and 16-bit length */
#define PS_PES_BYTES 9    /* PES header without optional fields */
#define PS_MAP_MAX 1018   /* largest length field of a map (§2.5.4.2) */
#define PS_TIME_MASK 0x1ffffffffull /* 33 bit */

static inline bool ps_id_is_audio(uint8_t id)
{
    return (id & 0xe0) == PS_ID_AUDIO;
}

static inline bool ps_id_is_video(uint8_t id)
{
    return (id & 0xf0) == PS_ID_VIDEO;
}
#endif
