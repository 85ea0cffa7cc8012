#include "ps/codec.h"

static const struct {
    const char *name;
    uint8_t type;
    bool video;
} codecs[PS_CODEC_COUNT] = {
    [PS_CODEC_UNKNOWN] = { "unknown", 0, false },
#define X(id, name, type, video) [PS_CODEC_##id] = { name, type, video },
    PS_CODEC_MAP(X)
#undef X
};

/* Other types that carry one of our codecs (ISO/IEC 13818-1 table 2-34). */
static const struct {
    uint8_t type;
    enum ps_codec codec;
} aliases[] = {
    { 0x1f, PS_CODEC_H264 }, /* SVC */
    { 0x20, PS_CODEC_H264 }, /* MVC */
    { 0x25, PS_CODEC_H265 }, /* temporal subset */
    { 0x11, PS_CODEC_AAC },  /* LATM */
    { 0x1c, PS_CODEC_AAC },  /* without transport syntax */
    { 0x04, PS_CODEC_MPA },  /* MPEG-2 audio */
};

const char *ps_codec_name(enum ps_codec c)
{
    return codecs[c < PS_CODEC_COUNT ? c : PS_CODEC_UNKNOWN].name;
}

const char *ps_sound_name(enum ps_codec video, enum ps_codec audio)
{
    return video != PS_CODEC_UNKNOWN && audio == PS_CODEC_UNKNOWN
               ? "none" : ps_codec_name(audio);
}

enum ps_codec ps_codec_of_type(uint8_t stream_type)
{
    for (unsigned i = 1; i < PS_CODEC_COUNT; i++)
        if (codecs[i].type == stream_type)
            return (enum ps_codec)i;
    for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (aliases[i].type == stream_type)
            return aliases[i].codec;
    return PS_CODEC_UNKNOWN;
}

uint8_t ps_codec_type(enum ps_codec c)
{
    return codecs[c < PS_CODEC_COUNT ? c : PS_CODEC_UNKNOWN].type;
}

bool ps_codec_is_video(enum ps_codec c)
{
    return codecs[c < PS_CODEC_COUNT ? c : PS_CODEC_UNKNOWN].video;
}
