#include "app/media/fmp4.h"
#include "app/media/flac.h"
#include "app/media/g711.h"
#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#define VIDEO_ID FMP4_VIDEO_ID
#define AUDIO_ID FMP4_AUDIO_ID
#define VIDEO_TIMESCALE 90000
#define FRAGMENT_HEAD FMP4_FRAGMENT_HEAD
#define SEQUENCE_AT 20    /* in a fragment: mfhd */
#define TRACK_AT 44       /* tfhd */
#define DTS_AT 60         /* tfdt */
#define DURATION_AT 88    /* trun, and behind it size and flags */
#define MDAT_AT 104
#define INIT_ROOM 1536    /* both tracks, without the records */
#define FLAG_KEY 0x02000000u   /* sample_depends_on = 2 */
#define FLAG_OTHER 0x01010000u /* depends_on = 1, is_non_sync */

static bool is_g711(enum ps_codec c)
{
    return c == PS_CODEC_G711A || c == PS_CODEC_G711U;
}

bool fmp4_carries(enum ps_codec c)
{
    return c == PS_CODEC_H264 || c == PS_CODEC_H265 || c == PS_CODEC_AAC ||
           is_g711(c);
}

static void put_be32_at(struct writer *w, size_t at, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        w->p[at + i] = (char)(uint8_t)(v >> (24 - 8 * i));
}

/* A box is open between these two. */
static size_t open_box(struct writer *w, const char *type)
{
    size_t at = w->len;

    writer_be32(w, 0);
    writer_bytes(w, type, 4);
    return at;
}

static void close_box(struct writer *w, size_t at)
{
    if (!w->err)
        put_be32_at(w, at, (uint32_t)(w->len - at));
}

static void zeros(struct writer *w, size_t n)
{
    while (n--)
        writer_char(w, 0);
}

static void put_matrix(struct writer *w)
{
    static const uint32_t unity[9] = { 0x10000, 0, 0,         0, 0x10000,
                                       0,       0, 0, 0x40000000 };

    for (size_t i = 0; i < 9; i++)
        writer_be32(w, unity[i]);
}

static void put_mvhd(struct writer *w, uint32_t next_id)
{
    size_t at = open_box(w, "mvhd");

    zeros(w, 12);
    writer_be32(w, 1000);
    writer_be32(w, 0);
    writer_be32(w, 0x00010000);
    writer_be16(w, 0x0100);
    zeros(w, 10);
    put_matrix(w);
    zeros(w, 24);
    writer_be32(w, next_id);
    close_box(w, at);
}

static void put_tkhd(struct writer *w, uint32_t id,
                     const struct media_config *c)
{
    size_t at = open_box(w, "tkhd");

    writer_be32(w, 3);
    zeros(w, 8);
    writer_be32(w, id);
    zeros(w, 8 + 8 + 4);
    writer_be16(w, id == AUDIO_ID ? 0x0100 : 0);
    writer_be16(w, 0);
    put_matrix(w);
    writer_be32(w, id == VIDEO_ID ? c->width << 16 : 0);
    writer_be32(w, id == VIDEO_ID ? c->height << 16 : 0);
    close_box(w, at);
}

static void put_visual_entry(struct writer *w, const struct media_config *c)
{
    bool h264 = c->codec == PS_CODEC_H264;
    size_t at = open_box(w, h264 ? "avc1" : "hvc1"), record;

    zeros(w, 6);
    writer_be16(w, 1);
    zeros(w, 16);
    writer_be16(w, (uint16_t)c->width);
    writer_be16(w, (uint16_t)c->height);
    writer_be32(w, 0x00480000);
    writer_be32(w, 0x00480000);
    writer_be32(w, 0);
    writer_be16(w, 1);
    zeros(w, 32);
    writer_be16(w, 0x0018);
    writer_be16(w, 0xffff);
    record = open_box(w, h264 ? "avcC" : "hvcC");
    writer_slice_put(w, c->record);
    close_box(w, record);
    close_box(w, at);
}

/* ISO/IEC 14496-1 §7.2.6.5; every descriptor is shorter than 128 bytes */
static void put_esds(struct writer *w, struct slice asc)
{
    size_t at = open_box(w, "esds");
    uint8_t n = (uint8_t)(asc.n < 64 ? asc.n : 64);

    writer_be32(w, 0);
    writer_char(w, 3);
    writer_char(w, (char)(3 + 2 + 13 + 2 + n + 3));
    writer_be16(w, 2);
    writer_char(w, 0);
    writer_char(w, 4);
    writer_char(w, (char)(13 + 2 + n));
    writer_be16(w, 0x4015);
    zeros(w, 3 + 4 + 4); /* buffer size, bit rates: not told */
    writer_char(w, 5);
    writer_char(w, (char)n);
    writer_bytes(w, asc.p, n);
    writer_bytes(w, "\x06\x01\x02", 3);
    close_box(w, at);
}

static void put_dfla(struct writer *w)
{
    size_t at = open_box(w, "dfLa");

    writer_be32(w, 0);
    writer_be32(w, 0x80000000u | FLAC_STREAMINFO_BYTES);
    flac_streaminfo_write(w, FLAC_MIN_BLOCK, FLAC_MAX_BLOCK);
    close_box(w, at);
}

static void put_audio_entry(struct writer *w, const struct media_config *c)
{
    size_t at = open_box(w, is_g711(c->codec) ? "fLaC" : "mp4a");

    zeros(w, 6);
    writer_be16(w, 1);
    zeros(w, 8);
    writer_be16(w, c->channels);
    writer_be16(w, 16);
    zeros(w, 4);
    writer_be32(w, c->rate_hz <= UINT16_MAX ? c->rate_hz << 16 : 0);
    if (is_g711(c->codec))
        put_dfla(w);
    else
        put_esds(w, c->record);
    close_box(w, at);
}

/* A box of zeros after its type: the empty sample tables. */
static void put_empty(struct writer *w, const char *type, size_t n)
{
    size_t at = open_box(w, type);

    zeros(w, n);
    close_box(w, at);
}

static void put_stbl(struct writer *w, uint32_t id,
                     const struct media_config *c)
{
    size_t at = open_box(w, "stbl"), stsd = open_box(w, "stsd");

    writer_be32(w, 0);
    writer_be32(w, 1);
    if (id == VIDEO_ID)
        put_visual_entry(w, c);
    else
        put_audio_entry(w, c);
    close_box(w, stsd);
    put_empty(w, "stts", 8);
    put_empty(w, "stsc", 8);
    put_empty(w, "stsz", 12);
    put_empty(w, "stco", 8);
    close_box(w, at);
}

static void put_minf(struct writer *w, uint32_t id,
                     const struct media_config *c)
{
    size_t at = open_box(w, "minf"), box;

    if (id == VIDEO_ID) {
        box = open_box(w, "vmhd");
        writer_be32(w, 1);
        zeros(w, 8);
    } else {
        box = open_box(w, "smhd");
        zeros(w, 8);
    }
    close_box(w, box);
    box = open_box(w, "dinf");
    writer_bytes(w, "\0\0\0\x1c" "dref\0\0\0\0\0\0\0\1", 16);
    writer_bytes(w, "\0\0\0\x0c" "url \0\0\0\1", 12);
    close_box(w, box);
    put_stbl(w, id, c);
    close_box(w, at);
}

static void put_trak(struct writer *w, uint32_t id,
                     const struct media_config *c)
{
    size_t at = open_box(w, "trak"), mdia, box;

    put_tkhd(w, id, c);
    mdia = open_box(w, "mdia");
    box = open_box(w, "mdhd");
    zeros(w, 12);
    writer_be32(w, id == VIDEO_ID ? VIDEO_TIMESCALE : c->rate_hz);
    writer_be32(w, 0);
    writer_be32(w, 0x55c40000); /* "und" */
    close_box(w, box);
    box = open_box(w, "hdlr");
    zeros(w, 8);
    writer_bytes(w, id == VIDEO_ID ? "vide" : "soun", 4);
    zeros(w, 12);
    writer_bytes(w, "h", 2);
    close_box(w, box);
    put_minf(w, id, c);
    close_box(w, mdia);
    close_box(w, at);
}

static void put_trex(struct writer *w, uint32_t id)
{
    size_t at = open_box(w, "trex");

    writer_be32(w, 0);
    writer_be32(w, id);
    writer_be32(w, 1);
    zeros(w, 12);
    close_box(w, at);
}

static size_t init_room(const struct media_config *video,
                        const struct media_config *audio)
{
    return INIT_ROOM + (video ? video->record.n : 0) +
           (audio ? audio->record.n : 0);
}

static void put_init(struct writer *w, const struct media_config *video,
                     const struct media_config *audio)
{
    size_t at = open_box(w, "ftyp"), mvex;

    writer_bytes(w, "iso6\0\0\0\1iso6mp41", 16);
    close_box(w, at);
    at = open_box(w, "moov");
    put_mvhd(w, audio ? AUDIO_ID + 1 : VIDEO_ID + 1);
    if (video)
        put_trak(w, VIDEO_ID, video);
    if (audio)
        put_trak(w, AUDIO_ID, audio);
    mvex = open_box(w, "mvex");
    if (video)
        put_trex(w, VIDEO_ID);
    if (audio)
        put_trex(w, AUDIO_ID);
    close_box(w, mvex);
    close_box(w, at);
}

/* How many of the n are of the first one's track. */
static size_t run_of(const struct fmp4_sample *s, size_t n)
{
    size_t k = 1;

    while (k < n && s[k].track_id == s[0].track_id)
        k++;
    return k;
}

/* Samples of one track; each lasts until the next. *offset: where w has to tell
 * where their payloads are. */
static void put_run(struct writer *w, const struct fmp4_sample *s, size_t n,
                    size_t *offset)
{
    size_t traf = open_box(w, "traf"), trun;

    writer_bytes(w, "\0\0\0\x10tfhd\0\x02\0\0", 12);
    writer_be32(w, s->track_id);
    writer_bytes(w, "\0\0\0\x14tfdt\1\0\0\0", 12);
    writer_be64(w, s->dts);
    trun = open_box(w, "trun");
    writer_bytes(w, "\1\0\x0f\1", 4);
    writer_be32(w, (uint32_t)n);
    *offset = w->len;
    writer_be32(w, 0);
    for (size_t i = 0; i < n; i++) {
        writer_be32(w, i + 1 < n ? (uint32_t)(s[i + 1].dts - s[i].dts)
                                 : s[i].duration);
        writer_be32(w, s[i].size);
        writer_be32(w, s[i].flags);
        writer_be32(w, (uint32_t)s[i].cts);
    }
    close_box(w, trun);
    close_box(w, traf);
}

/* moof and the head of mdat; of one sample FRAGMENT_HEAD bytes, the fields
 * where those that read them expect them. */
static void put_fragment(struct writer *w, uint32_t sequence,
                         const struct fmp4_sample *s, size_t n)
{
    size_t moof = open_box(w, "moof"), offset[2], runs = 0, bytes = 8;

    writer_bytes(w, "\0\0\0\x10mfhd\0\0\0\0", 12);
    writer_be32(w, sequence);
    for (size_t i = 0; i < n; i += run_of(s + i, n - i)) {
        assert(runs < 2);
        put_run(w, s + i, run_of(s + i, n - i), &offset[runs++]);
    }
    close_box(w, moof);
    for (size_t i = 0, r = 0; i < n && !w->err; i++) {
        if (i == 0 || s[i].track_id != s[i - 1].track_id)
            put_be32_at(w, offset[r++], (uint32_t)(w->len - moof + bytes));
        bytes += s[i].size;
    }
    writer_be32(w, (uint32_t)bytes);
    writer_bytes(w, "mdat", 4);
}

int fmp4_init_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                    const struct media_config *video,
                    const struct media_config *audio)
{
    size_t room = init_room(video, audio);
    struct media_chunk *c = media_chunk_new(alloc, room, NULL);
    struct writer w;

    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), room);
    put_init(&w, video, audio);
    c->config = true;
    c->track = video ? MEDIA_VIDEO : MEDIA_AUDIO;
    return media_chunk_finish(out, c, &w);
}

/* Time of an audio fragment in samples: without seams while the timeline
 * agrees within 20 ms, never backwards. */
static uint64_t audio_time(struct fmp4_mux *m, int64_t dts90k, uint32_t rate)
{
    uint64_t at = dts90k > 0 ? ((uint64_t)dts90k * rate + 45000) / 90000 : 0;

    if (!m->audio_begun || at > m->audio_next + rate / 50)
        return at;
    return m->audio_next;
}

/* A head before it: viewers have times of their own in that. */
static int finish_sample(struct media_chunk **out, struct media_chunk *c,
                         const struct fmp4_sample *s, const struct writer *w,
                         size_t head)
{
    c->timescale = head ? s->timescale : 0;
    c->time_at = DTS_AT;
    return media_chunk_finish(out, c, w);
}

/* The payload is coded here, so the frame is not referred to. head: as of make,
 * and of those between. */
static int flac_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                      struct fmp4_mux *m, const struct media_frame *f,
                      struct fmp4_sample *s, size_t head)
{
    const int16_t *table = f->codec == PS_CODEC_G711A ? g711_alaw_table
                                                      : g711_ulaw_table;
    char coded[FLAC_FRAME_MAX(FLAC_MAX_BLOCK)];
    int16_t pcm[FLAC_MAX_BLOCK];
    struct writer flac = writer_of(coded, sizeof(coded)), w;
    struct media_chunk *c;

    for (size_t i = 0; i < f->n; i++)
        pcm[i] = table[f->data[i]];
    flac_frame_write(&flac, pcm, f->n, m->flac_sample, true);
    assert(!flac.err);
    c = media_chunk_new(alloc, head + flac.len, NULL);
    if (!c)
        return GB_ENOMEM;
    s->size = (uint32_t)flac.len;
    m->flac_sample += f->n;
    w = writer_of(media_chunk_own(c), head + flac.len);
    if (head)
        put_fragment(&w, m->sequence + 1, s, 1);
    writer_slice_put(&w, writer_slice(&flac));
    c->track = MEDIA_AUDIO;
    c->key = true;
    c->dts90k = f->dts90k;
    return finish_sample(out, c, s, &w, head);
}

#define NAL_LENGTH 4

/* Bytes of the parameter sets before a frame. */
static size_t sets_room(const struct fmp4_mux *m, const struct media_frame *f)
{
    size_t n = 0;

    if (!m->sets || f->track != MEDIA_VIDEO || !f->key)
        return 0;
    for (unsigned i = 0; i < m->sets->n_param; i++)
        n += NAL_LENGTH + m->sets->param[i].n;
    return n;
}

static void put_sets(struct writer *w, const struct media_config *c)
{
    for (unsigned i = 0; i < c->n_param; i++) {
        writer_be32(w, (uint32_t)c->param[i].n);
        writer_slice_put(w, c->param[i]);
    }
}

/* One sample whose payload is the frame's. */
static int plain_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       const struct fmp4_mux *m, struct media_frame *f,
                       const struct fmp4_sample *s, size_t head)
{
    size_t sets = sets_room(m, f);
    struct media_chunk *c = media_chunk_new(alloc, head + sets, f);
    struct writer w;

    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), head + sets);
    if (head)
        put_fragment(&w, m->sequence + 1, s, 1);
    if (sets)
        put_sets(&w, m->sets);
    return finish_sample(out, c, s, &w, head);
}

static int make_audio(struct media_chunk **out, const struct gb_alloc *alloc,
                      struct fmp4_mux *m, struct media_frame *f, uint32_t rate,
                      struct fmp4_sample *s, size_t head)
{
    int err;

    if (is_g711(f->codec) && (f->n < FLAC_MIN_BLOCK || f->n > FLAC_MAX_BLOCK))
        return GB_ERANGE;
    *s = (struct fmp4_sample){
        .track_id = AUDIO_ID,
        .timescale = rate,
        .duration = is_g711(f->codec)
                        ? (uint32_t)f->n
                        : (uint32_t)(((uint64_t)f->duration90k * rate + 45000) /
                                     90000),
        .size = (uint32_t)f->n,
        .flags = FLAG_KEY,
        .dts = audio_time(m, f->dts90k + m->shift90k, rate),
    };
    err = is_g711(f->codec) ? flac_chunk(out, alloc, m, f, s, head)
                            : plain_chunk(out, alloc, m, f, s, head);
    if (err)
        return err;
    m->audio_begun = true;
    m->audio_next = s->dts + s->duration;
    return 0;
}

/* head: FRAGMENT_HEAD, or 0 for none. */
static int make(struct media_chunk **out, const struct gb_alloc *alloc,
                struct fmp4_mux *m, struct media_frame *f,
                const struct media_config *audio, struct fmp4_sample *s,
                size_t head)
{
    if (!fmp4_carries(f->codec))
        return GB_EUNSUPPORTED;
    if (f->track == MEDIA_AUDIO)
        return make_audio(out, alloc, m, f, audio->rate_hz, s, head);
    *s = (struct fmp4_sample){
        .track_id = VIDEO_ID,
        .timescale = VIDEO_TIMESCALE,
        .duration = f->duration90k,
        .size = (uint32_t)(sets_room(m, f) + f->n),
        .flags = f->key ? FLAG_KEY : FLAG_OTHER,
        .dts = (uint64_t)(f->dts90k + m->shift90k),
        .cts = (int32_t)(f->pts90k - f->dts90k),
    };
    return plain_chunk(out, alloc, m, f, s, head);
}

int fmp4_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                     struct fmp4_mux *m, struct media_frame *f,
                     const struct media_config *audio)
{
    struct fmp4_sample s;
    int err = make(out, alloc, m, f, audio, &s, FRAGMENT_HEAD);

    m->sequence += err == 0;
    return err;
}

/* ---- segments ------------------------------------------------------------ */

#define SEGMENT_ROOM(n) (8 + 16 + 2 * (8 + 16 + 20 + 20) + 16 * (n) + 8)

int fmp4_sample_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                      struct fmp4_mux *m, struct media_frame *f,
                      const struct media_config *audio, struct fmp4_sample *s)
{
    return make(out, alloc, m, f, audio, s, 0);
}

int fmp4_segment_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct fmp4_mux *m, const struct fmp4_sample *s,
                       size_t n)
{
    struct media_chunk *c = media_chunk_new(alloc, SEGMENT_ROOM(n), NULL);
    struct writer w;

    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), SEGMENT_ROOM(n));
    put_fragment(&w, ++m->sequence, s, n);
    return media_chunk_finish(out, c, &w);
}

int fmp4_snapshot_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                        const struct media_config *video,
                        struct media_frame *f)
{
    size_t room = init_room(video, NULL) + FRAGMENT_HEAD;
    struct media_chunk *c = media_chunk_new(alloc, room, f);
    struct fmp4_sample s = { .track_id = VIDEO_ID,
                             .duration = f->duration90k,
                             .size = (uint32_t)f->n,
                             .flags = FLAG_KEY };
    struct writer w;

    if (!c)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(c), room);
    put_init(&w, video, NULL);
    put_fragment(&w, 1, &s, 1);
    return media_chunk_finish(out, c, &w);
}

bool fmp4_fragment_read(struct fmp4_fragment *f,
                        const char p[static FMP4_FRAGMENT_HEAD])
{
    static const struct {
        size_t at, n;
        const char *bytes;
    } fixed[] = {
        { 0, 20, "\0\0\0\x68moof\0\0\0\x10mfhd\0\0\0\0" },
        { 24, 20, "\0\0\0\x50traf\0\0\0\x10tfhd\0\x02\0\0" },
        { 48, 12, "\0\0\0\x14tfdt\1\0\0\0" },
        { 68, 16, "\0\0\0\x24trun\1\0\x0f\1\0\0\0\1" },
        { 108, 4, "mdat" },
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (memcmp(p + fixed[i].at, fixed[i].bytes, fixed[i].n))
            return false;
    *f = (struct fmp4_fragment){
        .track_id = bytes_be32_at(p + TRACK_AT),
        .dts = (uint64_t)bytes_be32_at(p + DTS_AT) << 32 |
               bytes_be32_at(p + DTS_AT + 4),
        .duration = bytes_be32_at(p + DURATION_AT),
        .size = bytes_be32_at(p + DURATION_AT + 4),
        .key = bytes_be32_at(p + DURATION_AT + 8) == FLAG_KEY,
        .cts = (int32_t)bytes_be32_at(p + DURATION_AT + 12),
    };
    return (f->track_id == VIDEO_ID || f->track_id == AUDIO_ID) &&
           f->size <= UINT32_MAX - 8 &&
           bytes_be32_at(p + MDAT_AT) == f->size + 8;
}

void fmp4_fragment_move(char p[static FMP4_FRAGMENT_HEAD], uint32_t sequence,
                        const struct fmp4_fragment *f)
{
    struct writer number = writer_of(p + SEQUENCE_AT, 4);
    struct writer time = writer_of(p + DTS_AT, 8);
    struct writer duration = writer_of(p + DURATION_AT, 4);
    struct writer shown = writer_of(p + DURATION_AT + 12, 4);

    writer_be32(&number, sequence);
    writer_be64(&time, f->dts);
    writer_be32(&duration, f->duration);
    writer_be32(&shown, (uint32_t)f->cts);
}

void fmp4_fragment_blank(char p[static FMP4_FRAGMENT_HEAD])
{
    memcpy(p + 4, "free", 4);
    memcpy(p + MDAT_AT + 4, "free", 4);
}

static void put_codec(struct writer *w, const struct media_config *c)
{
    writer_str(w, is_g711(c->codec) ? "flac" : c->codec_string);
}

void fmp4_mime(struct writer *w, const struct media_config *video,
               const struct media_config *audio)
{
    writer_str(w, video ? "video/mp4; codecs=\"" : "audio/mp4; codecs=\"");
    if (video)
        put_codec(w, video);
    if (video && audio)
        writer_char(w, ',');
    if (audio)
        put_codec(w, audio);
    writer_char(w, '"');
}
