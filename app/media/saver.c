#include "app/media/saver.h"

#include "app/media/aac.h"
#include "base/bytes.h"

#define CODE 4        /* a start code */
#define ADTS 7
#define PS_PEAK_BPS 8000000
#define FIRST_OUT (64u << 10)

void saver_init(struct saver *s, const struct gb_alloc *alloc,
                enum saver_format format, const struct saver_mark *from,
                uint8_t tracks)
{
    *s = (struct saver){ .alloc = alloc, .format = format };
    if (from && from->bytes) {
        s->mark = *from;
        s->bytes = from->bytes;
        s->begun = s->resumed = true;
        s->tracks = tracks;
        /* so many are not behind: a fragment is at least a millisecond */
        s->mux.sequence = (uint32_t)(from->end90k / 90 * 2);
        s->mux.flac_sample = (uint64_t)from->end90k * 8 / 90; /* of 8 kHz */
        s->mux_at_mark = s->mux;
    }
    splice_init(&s->splice, s->mark.key, s->mark.chain, s->mark.at_utc_ms);
}

static void let_go(struct saver_held *h, size_t *n)
{
    for (size_t i = 0; i < *n; i++) {
        media_frame_unref(h[i].frame);
        media_config_unref(h[i].config);
    }
    *n = 0;
}

static void drop_held(struct saver *s)
{
    let_go(s->held, &s->n_held);
    let_go(s->early, &s->n_early);
}

void saver_fini(struct saver *s)
{
    drop_held(s);
    gb_put(s->alloc, s->held);
    gb_put(s->alloc, s->out);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        media_config_unref(s->config[t]);
    *s = (struct saver){ .alloc = s->alloc };
}

void saver_ready(struct saver *s)
{
    s->ready = true;
}

void saver_restart(struct saver *s, bool anew)
{
    s->ready = false;
    drop_held(s);
    s->n_out = 0;
    s->bytes = s->mark.bytes;
    s->mux = s->mux_at_mark;
    s->shifted = false;
    s->err = 0;
    s->why = NULL;
    if (!s->mark.bytes) { /* not even a head is there */
        s->begun = s->resumed = s->other_sets = false;
        s->tracks = 0;
        s->mux = (struct fmp4_mux){ 0 };
        splice_init(&s->splice, 0, 0, 0);
    }
    splice_restart(&s->splice, anew);
}

/* ---- bytes --------------------------------------------------------------------- */

static void fail(struct saver *s, int err, const char *why)
{
    if (!s->err)
        s->why = why;
    s->err = s->err ? s->err : err;
}

/* Room for n more; NULL: there is none. */
static char *room(struct saver *s, size_t n)
{
    size_t cap = s->cap_out ? s->cap_out : FIRST_OUT;
    char *more;

    while (cap < s->n_out + n)
        cap *= 2;
    if (s->n_out + n > SAVER_BYTES_MAX) {
        fail(s, GB_ELIMIT, "the disk does not keep up");
        return NULL;
    }
    if (cap != s->cap_out) {
        more = gb_get(s->alloc, cap);
        if (!more) {
            fail(s, GB_ENOMEM, "no memory");
            return NULL;
        }
        if (s->n_out)
            memcpy(more, s->out, s->n_out);
        gb_put(s->alloc, s->out);
        s->out = more;
        s->cap_out = cap;
    }
    return s->out + s->n_out;
}

static void wrote(struct saver *s, size_t n)
{
    s->n_out += n;
    s->bytes += n;
}

char *saver_take(struct saver *s, size_t *n)
{
    char *p = s->n_out ? s->out : NULL;

    *n = s->n_out;
    if (p) {
        s->out = NULL;
        s->n_out = s->cap_out = 0;
    }
    return p;
}

static void put_chunk(struct saver *s, struct media_chunk *c)
{
    struct media_iov iov[MEDIA_CHUNK_IOVS];
    size_t n = media_chunk_iov(c, MEDIA_PLAIN, 0, iov, MEDIA_CHUNK_IOVS);
    size_t size = media_chunk_size(c, MEDIA_PLAIN);
    char *p = room(s, size);

    for (size_t i = 0; p && i < n; i++) {
        memcpy(p, iov[i].base, iov[i].len);
        p += iov[i].len;
    }
    if (p)
        wrote(s, size);
    media_chunk_unref(c);
}

/* ---- the head ------------------------------------------------------------------- */

static bool is_of_head(const struct saver *s, enum media_track t)
{
    return s->tracks >> t & 1;
}

static void put_head(struct saver *s)
{
    const struct media_config *v = s->config[MEDIA_VIDEO];
    const struct media_config *a = s->config[MEDIA_AUDIO];
    struct media_chunk *c;
    int err;

    if (s->format == SAVER_PS) {
        if (ps_mux_init(&s->ps, v->codec, a ? a->codec : PS_CODEC_UNKNOWN,
                        PS_PEAK_BPS))
            fail(s, GB_EUNSUPPORTED, "its codec is not known in PS");
        return;
    }
    if (s->resumed)
        return;
    if (a && !fmp4_carries(a->codec)) { /* the picture alone */
        s->tracks &= (uint8_t)~(1u << MEDIA_AUDIO);
        a = NULL;
    }
    err = fmp4_carries(v->codec) ? fmp4_init_chunk(&c, s->alloc, v, a)
                                 : GB_EUNSUPPORTED;
    if (err)
        fail(s, err, err == GB_EUNSUPPORTED
                         ? "its codec is not known in MP4: ask for ps"
                         : "no memory");
    else
        put_chunk(s, c);
}

/* Which tracks there are is known: the file can begin. */
static void begin(struct saver *s, struct media_config *video,
                  struct media_config *audio)
{
    struct media_config *config[MEDIA_TRACKS] = { video, audio };

    for (int t = 0; t < MEDIA_TRACKS; t++) {
        media_config_unref(s->config[t]);
        s->config[t] = config[t] ? media_config_ref(config[t]) : NULL;
        if (!s->resumed && config[t])
            s->tracks |= (uint8_t)(1u << t);
    }
    put_head(s);
    s->resumed = false;
    s->begun = true;
}

/* ---- frames ----------------------------------------------------------------------- */

/* Annex B, with parameter sets before a key frame. */
static size_t annexb(const struct media_frame *f, const struct media_config *c,
                     char *out)
{
    char *p = out;

    for (unsigned i = 0; f->key && i < c->n_param; i++) {
        memcpy(p, "\0\0\0\1", CODE);
        memcpy(p + CODE, c->param[i].p, c->param[i].n);
        p += CODE + c->param[i].n;
    }
    for (size_t at = 0; at + CODE <= f->n;) {
        size_t n = bytes_be32_at(f->data + at);

        if (n > f->n - at - CODE)
            break; /* hub's frames are whole */
        memcpy(p, "\0\0\0\1", CODE);
        memcpy(p + CODE, f->data + at + CODE, n);
        p += CODE + n;
        at += CODE + n;
    }
    return (size_t)(p - out);
}

static size_t annexb_bound(const struct media_frame *f,
                           const struct media_config *c)
{
    size_t n = f->n;

    for (unsigned i = 0; f->key && i < c->n_param; i++)
        n += CODE + c->param[i].n;
    return n;
}

static size_t adts(const struct media_frame *f, const struct media_config *c,
                   char *out)
{
    struct writer w = writer_of(out, f->n + ADTS);
    struct aac_config a;

    if (!aac_asc_parse(&a, c->record))
        return 0;
    aac_adts_write(&w, &a, f->n);
    writer_bytes(&w, f->data, f->n);
    return w.err ? 0 : w.len;
}

static void put_ps(struct saver *s, struct media_frame *f,
                   const struct media_config *c)
{
    size_t n = f->track == MEDIA_VIDEO ? annexb_bound(f, c) : f->n + ADTS;
    size_t bound = ps_mux_bound(n);
    char *flat = gb_get(s->alloc, n), *p = room(s, bound);
    struct writer w;
    uint64_t pts = (uint64_t)(f->pts90k + s->mux.shift90k);

    if (!flat || !p) {
        fail(s, GB_ENOMEM, "no memory");
        gb_put(s->alloc, flat);
        return;
    }
    w = writer_of(p, bound);
    ps_mux_change(&s->ps, f->codec);
    if (f->track == MEDIA_VIDEO) {
        n = annexb(f, c, flat);
        ps_mux_video(&s->ps, &w, slice_of(flat, n), pts, f->key);
    } else {
        n = f->codec == PS_CODEC_AAC ? adts(f, c, flat) : f->n;
        if (f->codec != PS_CODEC_AAC)
            memcpy(flat, f->data, f->n);
        if (n)
            ps_mux_audio(&s->ps, &w, slice_of(flat, n), pts);
    }
    gb_put(s->alloc, flat);
    if (!w.err)
        wrote(s, w.len);
}

/* Players know the parameter sets of the head: other ones, as behind a change in
 * the middle of a recording, go with the pictures from there on. */
static const struct media_config *sets_of(struct saver *s,
                                          const struct media_config *c)
{
    const struct media_config *head = s->config[MEDIA_VIDEO];

    s->other_sets = s->other_sets ||
                    (c != head && c->codec == head->codec &&
                     !slice_eq(c->record, head->record));
    return s->other_sets ? c : NULL;
}

/* A head of MP4 tells one codec a track. NULL: nobody knows what it tells. */
static bool is_told(const struct media_config *head,
                    const struct media_config *c)
{
    return !head || (c->codec == head->codec && c->rate_hz == head->rate_hz);
}

static void put_frame(struct saver *s, struct media_frame *f,
                      const struct media_config *c)
{
    struct media_chunk *chunk;
    int err;

    if (s->format == SAVER_PS) {
        put_ps(s, f, c);
        return;
    }
    if (!is_told(s->config[f->track], c)) {
        if (f->track == MEDIA_VIDEO)
            fail(s, GB_EUNSUPPORTED, "its codec changes in the middle, which "
                                     "is not for MP4: ask for ps");
        return; /* other sound is left out */
    }
    s->mux.sets = f->track == MEDIA_VIDEO ? sets_of(s, c) : NULL;
    err = fmp4_frame_chunk(&chunk, s->alloc, &s->mux, f, c);
    s->mux.sets = NULL; /* they are the caller's */
    if (!err)
        put_chunk(s, chunk);
    else if (err != GB_ERANGE) /* a few samples of sound are no loss */
        fail(s, err, "no memory");
}

static void set_mark(struct saver *s, const struct media_frame *f)
{
    s->mark = (struct saver_mark){
        .bytes = s->bytes,
        .at_utc_ms = s->splice.at_ms,
        .end90k = f->dts90k + s->mux.shift90k + f->duration90k,
        .key = s->splice.key,
        .chain = s->splice.chain,
    };
    s->mux_at_mark = s->mux;
}

static void take_picture(struct saver *s, struct media_frame *f,
                         struct media_config *c, int64_t at_ms)
{
    int64_t before = s->splice.at_ms;

    bool taken = splice_picture(&s->splice, f->key,
                                slice_of((const char *)f->data, f->n), at_ms);

    /* the first that is taken, or the last one of the file once more, behind
     * which its sound comes again */
    if (!s->shifted && splice_sound(&s->splice)) {
        s->mux.shift90k = s->mark.end90k - f->dts90k -
                          (taken ? 0 : (int64_t)f->duration90k);
        s->shifted = true;
    }
    if (!taken)
        return;
    at_ms = s->splice.at_ms;
    if (before && at_ms > before + SPLICE_HOLE_MS) {
        s->hole_from_ms = before;
        s->hole_to_ms = at_ms;
    }
    put_frame(s, f, c);
    if (!s->err)
        set_mark(s, f);
}

static void take_sound(struct saver *s, struct media_frame *f,
                       const struct media_config *c)
{
    if (!s->err && splice_sound(&s->splice) && s->shifted)
        put_frame(s, f, c);
}

/* Their picture has come, or will not. */
static void take_early(struct saver *s)
{
    for (size_t i = 0; i < s->n_early; i++)
        take_sound(s, s->early[i].frame, s->early[i].config);
    let_go(s->early, &s->n_early);
}

static struct saver_held held_of(struct media_frame *f, struct media_config *c,
                                 int64_t at_ms)
{
    return (struct saver_held){ media_frame_ref(f), media_config_ref(c),
                                at_ms };
}

static void take(struct saver *s, struct media_frame *f, struct media_config *c,
                 int64_t at_ms)
{
    if (s->err || !is_of_head(s, f->track))
        return;
    if (f->track == MEDIA_VIDEO) {
        take_picture(s, f, c, at_ms);
        take_early(s);
        return;
    }
    if (!f->early || s->n_early == SAVER_EARLY_MAX)
        take_early(s);
    if (f->early)
        s->early[s->n_early++] = held_of(f, c, at_ms);
    else
        take_sound(s, f, c);
}

static void hold(struct saver *s, struct media_frame *f, struct media_config *c,
                 int64_t at_ms)
{
    if (!s->held)
        s->held = gb_get(s->alloc, SAVER_HELD_MAX * sizeof(*s->held));
    if (s->held)
        s->held[s->n_held++] = held_of(f, c, at_ms);
    else
        fail(s, GB_ENOMEM, "no memory");
}

static void take_held(struct saver *s)
{
    for (size_t i = 0; i < s->n_held; i++)
        take(s, s->held[i].frame, s->held[i].config, s->held[i].at_ms);
    let_go(s->held, &s->n_held);
}

void saver_frame(struct saver *s, struct media_frame *f,
                 struct media_config *config, struct media_config *other,
                 bool decided, int64_t at_ms)
{
    bool is_video = f->track == MEDIA_VIDEO;
    struct media_config *video = is_video ? config : other;
    struct media_config *audio = is_video ? other : config;

    if (s->err)
        return;
    if (!s->ready) {
        if (s->n_held < SAVER_HELD_MAX)
            hold(s, f, config, at_ms);
        else
            fail(s, GB_ELIMIT, "the disk does not keep up");
        return;
    }
    if (!s->begun || s->resumed) {
        decided = decided || s->n_held == SAVER_HELD_MAX || (video && audio);
        if (!video || !decided) {
            if (s->n_held < SAVER_HELD_MAX)
                hold(s, f, config, at_ms);
            return;
        }
        begin(s, video, audio);
    }
    take_held(s);
    take(s, f, config, at_ms);
}

void saver_end(struct saver *s)
{
    struct media_config *video = NULL, *audio = NULL; /* the first of each */

    if (s->err || !s->ready)
        return;
    for (size_t i = s->n_held; i-- > 0;)
        if (s->held[i].frame->track == MEDIA_VIDEO)
            video = s->held[i].config;
        else
            audio = s->held[i].config;
    if (video && (!s->begun || s->resumed))
        begin(s, video, audio);
    if (s->begun)
        take_held(s);
}
