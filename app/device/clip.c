#include "app/device/clip.h"

#include "base/err.h"
#include "ps/annexb.h"

/* What decides the codec: a complete set of parameter sets. */
static enum ps_codec codec_of(struct slice bytes)
{
    struct slice nal;
    unsigned seen = 0;

    while (ps_annexb_next(&bytes, &nal)) {
        seen |= ps_nal_evidence((const uint8_t *)nal.p, nal.n);
        if ((seen & PS_SEEN_H264) == PS_SEEN_H264)
            return PS_CODEC_H264;
        if ((seen & PS_SEEN_H265) == PS_SEEN_H265)
            return PS_CODEC_H265;
    }
    return PS_CODEC_UNKNOWN;
}

/* Where the start code in front of a NAL unit begins. */
static size_t start_code(struct slice bytes, struct slice nal)
{
    size_t off = (size_t)(nal.p - bytes.p) - 3;

    return off && bytes.p[off - 1] == 0 ? off - 1 : off;
}

/* Counts the pictures, and fills them in when c->frame is there. */
static void walk(struct clip *c)
{
    struct slice rest = c->bytes, nal;
    size_t begin = 0, n = 0;
    bool vcl = false, key = false;

    while (ps_annexb_next(&rest, &nal)) {
        const uint8_t *p = (const uint8_t *)nal.p;
        uint8_t type = ps_nal_type(c->codec, p[0]);

        if (vcl && ps_nal_begins_au(c->codec, p, nal.n)) {
            size_t end = start_code(c->bytes, nal);

            if (c->frame)
                c->frame[n] = (struct clip_frame){
                    (uint32_t)begin, (uint32_t)(end - begin), key };
            n++;
            begin = end;
            vcl = key = false;
        }
        vcl |= ps_nal_is_vcl(c->codec, type);
        key |= ps_nal_is_irap(c->codec, type);
    }
    if (vcl) {
        if (c->frame)
            c->frame[n] = (struct clip_frame){
                (uint32_t)begin, (uint32_t)(c->bytes.n - begin), key };
        n++;
    }
    c->n_frames = n;
}

int clip_init(struct clip *c, const struct gb_alloc *alloc, struct slice bytes,
              uint32_t fps)
{
    *c = (struct clip){ .bytes = bytes, .fps = fps ? fps : 25, .alloc = alloc };
    if (bytes.n > UINT32_MAX)
        return GB_ELIMIT;
    c->codec = codec_of(bytes);
    if (c->codec == PS_CODEC_UNKNOWN)
        return GB_ESYNTAX;
    walk(c);
    if (c->n_frames == 0)
        return GB_ESYNTAX;
    if (c->n_frames > CLIP_MAX_FRAMES)
        return GB_ELIMIT;
    c->frame = gb_get(alloc, c->n_frames * sizeof(*c->frame));
    if (!c->frame)
        return GB_ENOMEM;
    walk(c);
    for (size_t i = 0; i < c->n_frames; i++)
        if (c->frame[i].len > c->largest)
            c->largest = c->frame[i].len;
    if (!c->frame[0].key) {
        clip_fini(c);
        return GB_ESYNTAX;
    }
    return 0;
}

void clip_fini(struct clip *c)
{
    if (c->frame)
        gb_put(c->alloc, c->frame);
    *c = (struct clip){ 0 };
}
