/* ps/codec.h - the codecs a GB/T 28181 program stream can carry
 *
 * stream_type values: ISO/IEC 13818-1 table 2-34, GB/T 28181-2022 Annex C. */
#ifndef PS_CODEC_H
#define PS_CODEC_H

#include <stdbool.h>
#include <stdint.h>

/*    id           name       stream_type  video */
#define PS_CODEC_MAP(X)                                                        \
    X(H264,       "h264",      0x1b, true )                                    \
    X(H265,       "h265",      0x24, true )                                    \
    X(MPEG4,      "mpeg4",     0x10, true )                                    \
    X(SVAC,       "svac",      0x80, true )                                    \
    X(AAC,        "aac",       0x0f, false)                                    \
    X(G711A,      "g711a",     0x90, false)                                    \
    X(G711U,      "g711u",     0x91, false)                                    \
    X(G722_1,     "g722.1",    0x92, false)                                    \
    X(G723_1,     "g723.1",    0x93, false)                                    \
    X(G729,       "g729",      0x99, false)                                    \
    X(SVACA,      "svac-audio", 0x9b, false)                                   \
    X(MPA,        "mpa",       0x03, false)

enum ps_codec {
    PS_CODEC_UNKNOWN,
#define X(id, name, type, video) PS_CODEC_##id,
    PS_CODEC_MAP(X)
#undef X
    PS_CODEC_COUNT
};

/* "h264"; "unknown". Never NULL. */
const char *ps_codec_name(enum ps_codec c);
/* Of the sound beside this picture: "none" where the picture alone is known. */
const char *ps_sound_name(enum ps_codec video, enum ps_codec audio);

/* The codec of a PSM stream_type, aliases included (0x1f, 0x20: H264; 0x25:
 * H265; 0x11, 0x1c: AAC; 0x04: MPA); UNKNOWN for all others. */
enum ps_codec ps_codec_of_type(uint8_t stream_type);
uint8_t ps_codec_type(enum ps_codec c);
bool ps_codec_is_video(enum ps_codec c);
#endif
