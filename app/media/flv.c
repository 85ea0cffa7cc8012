#include "app/media/flv.h"
#include "base/writer.h"

#define TAG_HEAD 11
#define FOURCC_HVC1 0x68766331u
#define START_ROOM 512 /* header and onMetaData */

enum tag { TAG_AUDIO = 8, TAG_VIDEO = 9, TAG_SCRIPT = 18 };
enum packet { SEQUENCE_HEADER = 0, CODED_FRAMES = 1, CODED_FRAMES_X = 3 };

static unsigned video_id(enum ps_codec c)
{
    return c == PS_CODEC_H264 ? 7 : c == PS_CODEC_H265 ? 12 : 0;
}

static unsigned audio_id(enum ps_codec c)
{
    return c == PS_CODEC_AAC     ? 10
           : c == PS_CODEC_G711A ? 7
           : c == PS_CODEC_G711U ? 8
                                 : 0;
}

bool flv_carries(enum ps_codec c)
{
    return video_id(c) || audio_id(c);
}

/* Time stamps are 32 bit milliseconds and wrap after 49 days. */
static uint32_t to_ms(int64_t at90k)
{
    return (uint32_t)(at90k / 90);
}

static void put_head(struct writer *w, enum tag tag, size_t n, int64_t at90k)
{
    uint32_t ms = to_ms(at90k);

    writer_char(w, (char)tag);
    writer_be24(w, (uint32_t)n);
    writer_be24(w, ms & 0xffffff);
    writer_char(w, (char)(uint8_t)(ms >> 24));
    writer_be24(w, 0);
}

/* The bytes of a video tag before NALs or record. */
static void put_video_head(struct writer *w, const struct flv_options *opt,
                           enum ps_codec codec, bool key, enum packet packet,
                           int32_t cts_ms)
{
    unsigned type = key ? 1 : 2;

    if (opt->enhanced && codec == PS_CODEC_H265) {
        if (packet == CODED_FRAMES && cts_ms == 0)
            packet = CODED_FRAMES_X;
        writer_char(w, (char)(0x80 | type << 4 | packet));
        writer_be32(w, FOURCC_HVC1);
        if (packet == CODED_FRAMES)
            writer_be24(w, (uint32_t)cts_ms & 0xffffff);
        return;
    }
    writer_char(w, (char)(type << 4 | video_id(codec)));
    writer_char(w, (char)packet);
    writer_be24(w, (uint32_t)cts_ms & 0xffffff);
}

static void put_audio_head(struct writer *w, enum ps_codec codec,
                           enum packet packet)
{
    if (codec == PS_CODEC_AAC) {
        writer_char(w, (char)0xaf);
        writer_char(w, (char)packet);
    } else {
        writer_char(w, (char)(audio_id(codec) << 4 | 2));
    }
}

static bool has_header(const struct media_config *c)
{
    return c && (video_id(c->codec) || c->codec == PS_CODEC_AAC);
}

/* A whole tag with a sequence header. */
static void put_config(struct writer *w, const struct flv_options *opt,
                       const struct media_config *c, int64_t at90k)
{
    char head[16];
    struct writer h = writer_of(head, sizeof(head));
    bool video = video_id(c->codec) != 0;

    if (video)
        put_video_head(&h, opt, c->codec, true, SEQUENCE_HEADER, 0);
    else
        put_audio_head(&h, c->codec, SEQUENCE_HEADER);
    put_head(w, video ? TAG_VIDEO : TAG_AUDIO, h.len + c->record.n, at90k);
    writer_slice_put(w, writer_slice(&h));
    writer_slice_put(w, c->record);
    writer_be32(w, (uint32_t)(TAG_HEAD + h.len + c->record.n));
}

static void amf_number(struct writer *w, struct slice name, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    writer_be16(w, (uint16_t)name.n);
    writer_slice_put(w, name);
    writer_char(w, 0);
    writer_be64(w, bits);
}

static void put_metadata(struct writer *w, const struct flv_options *opt,
                         const struct flv_start *s)
{
    char data[320];
    struct writer d = writer_of(data, sizeof(data));
    uint32_t n = (s->video ? 3u : 0) + (s->video && s->fps > 0 ? 1u : 0) +
                 (s->audio ? 2u : 0);

    writer_char(&d, 2);
    writer_be16(&d, 10);
    writer_str(&d, "onMetaData");
    writer_char(&d, 8);
    writer_be32(&d, n);
    if (s->video) {
        bool four = opt->enhanced && s->video->codec == PS_CODEC_H265;

        amf_number(&d, SLICE("width"), s->video->width);
        amf_number(&d, SLICE("height"), s->video->height);
        if (s->fps > 0)
            amf_number(&d, SLICE("framerate"), s->fps);
        amf_number(&d, SLICE("videocodecid"),
                   four ? FOURCC_HVC1 : video_id(s->video->codec));
    }
    if (s->audio) {
        amf_number(&d, SLICE("audiocodecid"), audio_id(s->audio->codec));
        amf_number(&d, SLICE("audiosamplerate"), s->audio->rate_hz);
    }
    writer_be24(&d, 9); /* end of object */
    put_head(w, TAG_SCRIPT, d.len, 0); /* another time makes players see text */
    writer_slice_put(w, writer_slice(&d));
    writer_be32(w, (uint32_t)(TAG_HEAD + d.len));
}

int flv_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct flv_options *opt, const struct flv_start *s)
{
    size_t room = START_ROOM + (s->video ? s->video->record.n + 32 : 0) +
                  (s->audio ? s->audio->record.n + 32 : 0);
    struct media_chunk *c = media_chunk_new(alloc, room, NULL);
    struct writer w;

    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), room);
    writer_str(&w, "FLV\x01");
    writer_char(&w, (char)((s->audio ? 4 : 0) | (s->video ? 1 : 0)));
    writer_be32(&w, 9);
    writer_be32(&w, 0);
    if (!s->bare)
        put_metadata(&w, opt, s);
    if (has_header(s->video))
        put_config(&w, opt, s->video, s->at90k);
    if (has_header(s->audio))
        put_config(&w, opt, s->audio, s->at90k);
    c->config = true;
    c->dts90k = s->at90k;
    return media_chunk_finish(out, c, &w);
}

int flv_config_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                     const struct flv_options *opt, enum media_track track,
                     const struct media_config *config, int64_t at90k)
{
    size_t room = config->record.n + 32;
    struct media_chunk *c;
    struct writer w;

    if (!has_header(config))
        return GB_ENOENT;
    c = media_chunk_new(alloc, room, NULL);
    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), room);
    put_config(&w, opt, config, at90k);
    c->config = true;
    c->track = track;
    c->dts90k = at90k;
    return media_chunk_finish(out, c, &w);
}

int flv_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct flv_options *opt, struct media_frame *f)
{
    char head[16];
    struct writer h = writer_of(head, sizeof(head)), w;
    struct media_chunk *c;
    size_t n;

    if (!flv_carries(f->codec))
        return GB_EUNSUPPORTED;
    if (f->track == MEDIA_VIDEO)
        put_video_head(&h, opt, f->codec, f->key, CODED_FRAMES,
                       (int32_t)to_ms(f->pts90k) - (int32_t)to_ms(f->dts90k));
    else
        put_audio_head(&h, f->codec, CODED_FRAMES);
    n = h.len + f->n;
    c = media_chunk_new(alloc, TAG_HEAD + h.len, f);
    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), TAG_HEAD + h.len);
    put_head(&w, f->track == MEDIA_VIDEO ? TAG_VIDEO : TAG_AUDIO, n,
             f->dts90k);
    writer_slice_put(&w, writer_slice(&h));
    for (unsigned i = 0; i < 4; i++)
        c->tail[i] = (char)(uint8_t)((TAG_HEAD + n) >> (24 - 8 * i));
    c->n_tail = 4;
    return media_chunk_finish(out, c, &w);
}
