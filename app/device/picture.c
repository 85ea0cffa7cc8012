#include "app/device/picture.h"

#include "ps/annexb.h"

#define SEI_BYTES 100000
#define FILLER_BYTES 300
#define KEYS_BARE 3   /* of sets_late */
#define MORE_BYTES 64 /* delimiters and zeros */

size_t picture_bound(size_t n)
{
    return n + n / 4 + SEI_BYTES + FILLER_BYTES + MORE_BYTES;
}

static void start_code(struct writer *w, bool brief)
{
    static const uint8_t code[4] = { 0, 0, 0, 1 };

    writer_bytes(w, code + brief, sizeof(code) - brief);
}

/* The two header bytes of H.265, or the one of H.264. */
static void nal_head(struct writer *w, enum ps_codec codec, uint8_t h264,
                     uint8_t h265)
{
    if (codec == PS_CODEC_H265) {
        writer_char(w, (char)(h265 << 1));
        writer_char(w, 1);
    } else {
        writer_char(w, (char)h264);
    }
}

static void put_aud(struct writer *w, enum ps_codec codec)
{
    start_code(w, false);
    nal_head(w, codec, 9, 35);
    writer_char(w, codec == PS_CODEC_H265 ? 0x50 : (char)0xf0);
}

/* User data of no meaning, by an unregistered name (payload type 5). */
static void put_sei(struct writer *w, enum ps_codec codec)
{
    start_code(w, false);
    nal_head(w, codec, 6, 39);
    writer_char(w, 5);
    for (size_t n = SEI_BYTES; n >= 255; n -= 255)
        writer_char(w, (char)0xff);
    writer_char(w, (char)(SEI_BYTES % 255));
    for (size_t i = 0; i < SEI_BYTES; i++)
        writer_char(w, (char)(0x40 | (i & 0x3f)));
    writer_char(w, (char)0x80);
}

static void put_filler(struct writer *w, enum ps_codec codec)
{
    start_code(w, false);
    nal_head(w, codec, 12, 38);
    for (size_t i = 0; i < FILLER_BYTES; i++)
        writer_char(w, (char)0xff);
    writer_char(w, (char)0x80);
}

static bool is_set(enum ps_codec codec, uint8_t type)
{
    return codec == PS_CODEC_H265 ? type >= 32 && type <= 34
                                  : type == 7 || type == 8;
}

void picture_write(struct writer *w, const struct sender_faults *f,
                   enum ps_codec codec, struct slice annexb, bool key,
                   uint32_t keys)
{
    bool bare = (f->sets_once && keys > 0) || (f->sets_late && keys < KEYS_BARE);
    struct slice nal;
    bool begun = false;

    if (f->aud)
        put_aud(w, codec);
    while (ps_annexb_next(&annexb, &nal)) {
        uint8_t type = ps_nal_type(codec, (uint8_t)nal.p[0]);

        if (bare && is_set(codec, type))
            continue;
        if (f->big_sei && key && ps_nal_is_vcl(codec, type) && !begun)
            put_sei(w, codec);
        begun |= ps_nal_is_vcl(codec, type);
        start_code(w, f->start3 && w->len);
        writer_slice_put(w, nal);
    }
    if (f->filler)
        put_filler(w, codec);
    if (f->trailing_zeros)
        writer_bytes(w, "\0\0\0", 3);
}

/* Where the start code of a NAL unit that lies in bytes begins. */
static size_t begin_of(struct slice bytes, struct slice nal)
{
    size_t at = (size_t)(nal.p - bytes.p) - 3;

    return at && bytes.p[at - 1] == 0 ? at - 1 : at;
}

size_t picture_sets(enum ps_codec codec, struct slice annexb)
{
    struct slice rest = annexb, nal;

    while (ps_annexb_next(&rest, &nal))
        if (ps_nal_is_vcl(codec, ps_nal_type(codec, (uint8_t)nal.p[0])))
            return begin_of(annexb, nal);
    return annexb.n;
}

size_t picture_nal(struct slice annexb)
{
    struct slice rest = annexb, nal;

    return ps_annexb_next(&rest, &nal) && ps_annexb_next(&rest, &nal)
               ? begin_of(annexb, nal) : annexb.n;
}
