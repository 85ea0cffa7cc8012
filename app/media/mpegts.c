#include "app/media/mpegts.h"

#include "app/media/aac.h"
#include "base/bytes.h"
#include "ps/mux.h"

#define HEAD 4 /* of a packet */
#define ROOM (MPEGTS_PACKET - HEAD)
#define CLOCK 8 /* adaptation field with a clock reference */
#define TABLES (2 * MPEGTS_PACKET)
#define PROGRAM 1
#define CODE 4 /* start code here, length in a frame */
#define AUD_MAX 7
#define ADTS 7
#define PES_MAX 19 /* header with both stamps */
#define TIME_MASK ((UINT64_C(1) << 33) - 1)

static uint8_t stream_type(enum ps_codec c)
{
    return c == PS_CODEC_H264    ? 0x1b
           : c == PS_CODEC_H265  ? 0x24
           : c == PS_CODEC_AAC   ? 0x0f
           : c == PS_CODEC_G711A ? 0x90
           : c == PS_CODEC_G711U ? 0x91
                                 : 0;
}

bool mpegts_carries(enum ps_codec c)
{
    return stream_type(c) != 0;
}

static uint16_t pid_of(enum media_track t)
{
    return t == MEDIA_VIDEO ? MPEGTS_PID_VIDEO : MPEGTS_PID_AUDIO;
}

/* ---- tables (§2.4.4) ---------------------------------------------------- */

static void put_head(struct writer *w, uint16_t pid, bool first,
                     bool adaptation, unsigned counter)
{
    writer_char(w, 0x47);
    writer_be16(w, (uint16_t)((first ? 0x4000 : 0) | pid));
    writer_char(w, (char)(0x10 | (adaptation ? 0x20 : 0) | (counter & 15)));
}

/* One packet with a section of n bytes behind its length, CRC not counted. */
static void put_section(struct writer *w, uint16_t pid, unsigned counter,
                        const uint8_t *section, size_t n)
{
    size_t fill = ROOM - 1 - n - 4;

    put_head(w, pid, true, false, counter);
    writer_char(w, 0);
    writer_bytes(w, section, n);
    writer_be32(w, ps_crc32(section, n));
    while (fill--)
        writer_char(w, (char)0xff);
}

static void put_program_map(struct writer *w, unsigned counter,
                            const struct media_config *const c[MEDIA_TRACKS])
{
    uint8_t s[12 + 5 * MEDIA_TRACKS];
    struct writer b = writer_of(s, sizeof(s));
    enum media_track clock = c[MEDIA_VIDEO] ? MEDIA_VIDEO : MEDIA_AUDIO;

    writer_bytes(&b, "\x02\xb0", 2);
    writer_char(
        &b, (char)(13 + (c[MEDIA_VIDEO] ? 5 : 0) + (c[MEDIA_AUDIO] ? 5 : 0)));
    writer_be16(&b, PROGRAM);
    writer_bytes(&b, "\xc1\0\0", 3);
    writer_be16(&b, 0xe000 | pid_of(clock));
    writer_be16(&b, 0xf000);
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        if (!c[t])
            continue;
        writer_char(&b, (char)stream_type(c[t]->codec));
        writer_be16(&b, 0xe000 | pid_of((enum media_track)t));
        writer_be16(&b, 0xf000);
    }
    put_section(w, MPEGTS_PID_PMT, counter, s, b.len);
}

static void put_tables(struct writer *w, unsigned counter,
                       const struct media_config *const c[MEDIA_TRACKS])
{
    static const uint8_t association[] = {
        0x00,
        0xb0,
        0x0d,
        0x00,
        0x01,
        0xc1,
        0x00,
        0x00,
        0x00,
        PROGRAM,
        0xe0 | MPEGTS_PID_PMT >> 8,
        MPEGTS_PID_PMT & 0xff,
    };

    put_section(w, 0, counter, association, sizeof(association));
    put_program_map(w, counter, c);
}

static void tell_tables(struct writer *w, struct mpegts_mux *m,
                        const struct media_config *const c[MEDIA_TRACKS])
{
    put_tables(w, m->tables++, c);
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        m->told[t] = c[t] ? c[t]->codec : PS_CODEC_UNKNOWN;
}

/* ---- the elementary stream -------------------------------------------------
 */

/* What a frame becomes: bytes of our own, then its data, NAL units with start
 * codes in place of their lengths. */
struct es {
    struct slice head;
    const uint8_t *p, *end;
    size_t code, nal; /* left of the start code and of the unit at p */
    bool video;
};

static size_t es_left(const struct es *e)
{
    return e->head.n + (size_t)(e->end - e->p) + (e->video ? e->code : 0);
}

static void next_unit(struct es *e)
{
    e->nal = bytes_be32_at(e->p);
    e->p += CODE;
    e->code = CODE;
}

/* The next n bytes (at most es_left). */
static void es_put(struct es *e, struct writer *w, size_t n)
{
    static const char code[CODE] = { 0, 0, 0, 1 };

    while (n) {
        size_t take = n;

        if (e->head.n) {
            take = take < e->head.n ? take : e->head.n;
            writer_bytes(w, e->head.p, take);
            e->head = slice_from(e->head, take);
        } else if (e->code) {
            take = take < e->code ? take : e->code;
            writer_bytes(w, code + CODE - e->code, take);
            e->code -= take;
        } else if (e->nal) {
            take = take < e->nal ? take : e->nal;
            writer_bytes(w, e->p, take);
            e->p += take;
            e->nal -= take;
        } else {
            next_unit(e);
            continue;
        }
        n -= take;
    }
}

static bool units_fit(const struct media_frame *f)
{
    size_t off = 0;

    while (f->n - off >= CODE) {
        size_t n = bytes_be32_at(f->data + off);

        off += CODE;
        if (n > f->n - off)
            return false;
        off += n;
    }
    return off == f->n;
}

/* Delimiter and, before a key frame, parameter sets. */
static void put_video_head(struct writer *w, const struct media_frame *f,
                           const struct media_config *c)
{
    if (f->codec == PS_CODEC_H264)
        writer_bytes(w, "\0\0\0\1\x09\xf0", 6);
    else
        writer_bytes(w, "\0\0\0\1\x46\x01\x50", AUD_MAX);
    for (unsigned i = 0; f->key && i < c->n_param; i++) {
        writer_bytes(w, "\0\0\0\1", CODE);
        writer_slice_put(w, c->param[i]);
    }
}

static bool has_adts(const struct media_frame *f)
{
    return f->codec == PS_CODEC_AAC;
}

static void put_audio_head(struct writer *w, const struct media_frame *f,
                           const struct media_config *c)
{
    struct aac_config aac;

    if (has_adts(f) && aac_asc_parse(&aac, c->record))
        aac_adts_write(w, &aac, f->n);
}

static size_t head_room(const struct media_frame *f,
                        const struct media_config *c)
{
    size_t n = PES_MAX + AUD_MAX + ADTS;

    for (unsigned i = 0; f->key && i < c->n_param; i++)
        n += CODE + c->param[i].n;
    return n;
}

/* ---- packets (§2.4.3)
 * --------------------------------------------------------- */

static void put_stamp(struct writer *w, unsigned mark, int64_t at90k)
{
    uint64_t t = (uint64_t)(at90k + MPEGTS_DELAY90K) & TIME_MASK;

    writer_char(w, (char)(mark << 4 | (t >> 30 & 7) << 1 | 1));
    writer_be16(w, (uint16_t)((t >> 15 & 0x7fff) << 1 | 1));
    writer_be16(w, (uint16_t)((t & 0x7fff) << 1 | 1));
}

/* The length of a picture is left open: it may not fit. */
static void put_pes_head(struct writer *w, const struct media_frame *f)
{
    bool both = f->pts90k != f->dts90k;
    size_t stamps = both ? 10 : 5;
    size_t length = 3 + stamps + (has_adts(f) ? ADTS : 0) + f->n;

    if (f->track == MEDIA_VIDEO || length > 0xffff)
        length = 0;
    writer_bytes(w, "\0\0\1", 3);
    writer_char(w, (char)(f->track == MEDIA_VIDEO ? 0xe0 : 0xc0));
    writer_be16(w, (uint16_t)length);
    writer_char(w, (char)0x84); /* begins with a frame */
    writer_char(w, (char)(both ? 0xc0 : 0x80));
    writer_char(w, (char)stamps);
    put_stamp(w, both ? 3 : 2, f->pts90k);
    if (both)
        put_stamp(w, 1, f->dts90k);
}

/* An adaptation field of n bytes, its length byte among them. */
static void put_adaptation(struct writer *w, size_t n, bool key,
                           const int64_t *clock)
{
    size_t used = clock ? CLOCK : 2;

    writer_char(w, (char)(n - 1));
    if (n == 1)
        return;
    writer_char(w, (char)((key ? 0x40 : 0) | (clock ? 0x10 : 0)));
    if (clock) {
        uint64_t base = (uint64_t)*clock & TIME_MASK;

        writer_be32(w, (uint32_t)(base >> 1));
        writer_be16(w, (uint16_t)((base & 1) << 15 | 0x7e00));
    }
    for (; used < n; used++)
        writer_char(w, (char)0xff);
}

static void put_packets(struct writer *w, struct mpegts_mux *m,
                        const struct media_frame *f, struct es *e,
                        bool has_clock)
{
    bool first = true;

    while (es_left(e)) {
        bool clock = first && has_clock;
        size_t field = clock ? CLOCK : first && f->key ? 2 : 0;
        size_t n = es_left(e);

        if (n < ROOM - field)
            field = ROOM - n;
        n = ROOM - field;
        put_head(w, pid_of(f->track), first, field != 0, m->pid[f->track]++);
        if (field)
            put_adaptation(w, field, first && f->key,
                           clock ? &f->dts90k : NULL);
        es_put(e, w, n);
        first = false;
    }
}

static size_t packets_room(size_t n)
{
    return ((n + CLOCK + ROOM - 1) / ROOM + 1) * MPEGTS_PACKET;
}

/* ---- chunks ----------------------------------------------------------- */

int mpegts_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       const struct mpegts_mux *m,
                       const struct media_config *video,
                       const struct media_config *audio)
{
    const struct media_config *const c[MEDIA_TRACKS] = { video, audio };
    struct media_chunk *chunk = media_chunk_new(alloc, TABLES, NULL);
    struct writer w;

    if (!chunk)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(chunk), TABLES);
    /* one before those that stand before the key frame it begins with */
    put_tables(&w, m->tables - 2u, c);
    chunk->config = true;
    return media_chunk_finish(out, chunk, &w);
}

/* head: room for head_room bytes. */
static void put_frame(struct writer *w, struct mpegts_mux *m,
                      const struct media_frame *f, struct writer *head,
                      const struct media_config *const c[MEDIA_TRACKS])
{
    struct es e = { .p = f->data,
                    .end = f->data + f->n,
                    .video = f->track == MEDIA_VIDEO };

    put_pes_head(head, f);
    if (e.video) {
        put_video_head(head, f, c[MEDIA_VIDEO]);
    } else {
        put_audio_head(head, f, c[MEDIA_AUDIO]);
        e.nal = f->n;
    }
    e.head = writer_slice(head);
    if (head->err)
        w->err = head->err;
    else
        put_packets(w, m, f, &e, e.video || !c[MEDIA_VIDEO]);
}

int mpegts_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct mpegts_mux *m, const struct media_frame *f,
                       const struct media_config *video,
                       const struct media_config *audio)
{
    const struct media_config *const c[MEDIA_TRACKS] = { video, audio };
    bool tables = f->track == MEDIA_VIDEO ? f->key : !video;
    struct media_chunk *chunk;
    struct writer w, head;
    size_t room, cap;
    char *scratch;

    if (!mpegts_carries(f->codec) || !c[f->track])
        return GB_EUNSUPPORTED;
    if (f->track == MEDIA_VIDEO && !units_fit(f))
        return GB_ESYNTAX;
    tables |= m->told[f->track] != f->codec;
    room = head_room(f, c[f->track]);
    cap = (tables ? TABLES : 0) + packets_room(room + f->n);
    scratch = gb_get(alloc, room);
    chunk = scratch ? media_chunk_new(alloc, cap, NULL) : NULL;
    if (!chunk) {
        gb_put(alloc, scratch);
        return GB_ENOMEM;
    }
    w = writer_of(media_chunk_own(chunk), cap);
    if (tables)
        tell_tables(&w, m, c);
    head = writer_of(scratch, room);
    put_frame(&w, m, f, &head, c);
    gb_put(alloc, scratch);
    chunk->track = f->track;
    chunk->key = f->key || f->track == MEDIA_AUDIO;
    chunk->leading = f->leading;
    chunk->dts90k = f->dts90k;
    return media_chunk_finish(out, chunk, &w);
}
