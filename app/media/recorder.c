#include "app/media/recorder.h"

#include <string.h>

void recorder_init(struct recorder *r, const struct gb_alloc *alloc,
                   uint32_t segment_ms)
{
    *r = (struct recorder){ .alloc = alloc, .segment_ms = segment_ms,
                            .most = RECORDER_BYTES_MAX };
    list_init(&r->pieces);
    mp4index_init(&r->index, alloc);
}

static void drop_pieces(struct recorder *r)
{
    struct list *n;

    while ((n = list_pop_front(&r->pieces)))
        gb_put(r->alloc, container_of(n, struct recorder_piece, node));
    r->n_bytes = 0;
}

static void drop_configs(struct recorder *r)
{
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        media_config_unref(r->config[t]);
        r->config[t] = NULL;
    }
}

static void drop_doubt(struct recorder *r)
{
    struct recorder_doubt *d = &r->doubt;

    for (size_t i = 0; i < d->n; i++)
        media_frame_unref(d->frame[i]);
    gb_put(r->alloc, d->frame);
    media_config_unref(d->video);
    media_config_unref(d->audio);
    *d = (struct recorder_doubt){ 0 };
}

void recorder_reset(struct recorder *r)
{
    drop_pieces(r);
    drop_doubt(r);
    drop_configs(r);
    media_config_unref(r->last_video);
    r->last_video = NULL;
    r->other_video = false;
    mp4index_fini(&r->index);
    r->open = false;
    r->starved = false;
}

void recorder_fini(struct recorder *r)
{
    recorder_reset(r);
}

/* ---- pieces --------------------------------------------------------------------- */

static struct recorder_piece *newest(const struct recorder *r)
{
    return list_is_empty(&r->pieces)
               ? NULL
               : container_of(r->pieces.prev, struct recorder_piece, node);
}

static struct recorder_piece *add_piece(struct recorder *r,
                                        enum recorder_kind kind, size_t cap)
{
    struct recorder_piece *p = gb_get(r->alloc, sizeof(*p) + cap);

    if (!p)
        return NULL;
    p->kind = kind;
    p->utc_ms = 0;
    p->sound = false;
    p->n = 0;
    p->cap = cap;
    list_push_back(&r->pieces, &p->node);
    return p;
}

/* Room for n bytes behind what was put last; NULL: no memory. */
static char *room(struct recorder *r, size_t n)
{
    struct recorder_piece *p = newest(r);
    size_t cap = n > RECORDER_PIECE_BYTES ? n : RECORDER_PIECE_BYTES;

    if (!p || p->kind != RECORDER_BYTES || p->cap - p->n < n)
        p = add_piece(r, RECORDER_BYTES, cap);
    if (!p)
        return NULL;
    p->n += n;
    r->n_bytes += n;
    r->at += n;
    return p->bytes + p->n - n;
}

/* Lets go of c. */
static bool put_chunk(struct recorder *r, struct media_chunk *c)
{
    struct media_iov iov[MEDIA_CHUNK_IOVS];
    size_t n = media_chunk_iov(c, MEDIA_PLAIN, 0, iov, MEDIA_CHUNK_IOVS);
    char *p = room(r, media_chunk_size(c, MEDIA_PLAIN));

    for (size_t i = 0; p && i < n; i++) {
        memcpy(p, iov[i].base, iov[i].len);
        p += iov[i].len;
    }
    media_chunk_unref(c);
    return p != NULL;
}

struct recorder_piece *recorder_take(struct recorder *r, bool flush)
{
    struct recorder_piece *p;

    if (list_is_empty(&r->pieces))
        return NULL;
    p = container_of(r->pieces.next, struct recorder_piece, node);
    if (!flush && p == newest(r) && p->kind == RECORDER_BYTES)
        return NULL;
    list_remove(&p->node);
    r->n_bytes -= p->n;
    return p;
}

/* ---- segments ------------------------------------------------------------------- */

/* Without memory the file has none, and is looked through. */
static void put_index(struct recorder *r)
{
    size_t n = mp4index_size(&r->index);
    char *p = n ? room(r, n) : NULL;
    struct writer w = writer_of(p, n);

    if (p)
        mp4index_write(&r->index, &w);
    mp4index_fini(&r->index);
}

/* Without memory the writer hears nothing of its end, and takes the next BEGIN
 * for it. */
static void end(struct recorder *r)
{
    struct recorder_piece *p;

    if (!r->open)
        return;
    r->open = false;
    r->end_utc_ms = r->begin_utc_ms + (r->end90k - r->first90k) / 90;
    drop_configs(r);
    put_index(r);
    p = add_piece(r, RECORDER_END, 0);
    if (p)
        p->utc_ms = r->end_utc_ms;
}

/* Left out from here to the next key frame that finds room. */
static void starve(struct recorder *r)
{
    end(r);
    r->starved = true;
    r->lost++;
}

/* Where the clocks of frames and days only drift, segments stay seamless. */
static int64_t begin_at(const struct recorder *r, int64_t utc_ms)
{
    int64_t off_ms = utc_ms - r->end_utc_ms;

    return r->end_utc_ms && !r->starved && off_ms > -RECORDER_JOIN_MS &&
                   off_ms < RECORDER_JOIN_MS
               ? r->end_utc_ms
               : utc_ms;
}

static bool carried(const struct media_config *c)
{
    return c && fmp4_carries(c->codec);
}

static bool is_same(const struct media_config *a, const struct media_config *b)
{
    return a == b ||
           (a && b && a->codec == b->codec && slice_eq(a->record, b->record));
}

/* Whether the parameter sets are others than those of a segment before. */
static void note_video(struct recorder *r, struct media_config *video)
{
    if (!video)
        return;
    r->other_video =
        r->other_video || (r->last_video && !is_same(r->last_video, video));
    media_config_unref(r->last_video);
    r->last_video = media_config_ref(video);
}

static void begin(struct recorder *r, const struct media_frame *f,
                  struct media_config *video, struct media_config *audio,
                  int64_t utc_ms)
{
    struct media_config *config[MEDIA_TRACKS] = {
        carried(video) ? video : NULL, carried(audio) ? audio : NULL
    };
    struct recorder_piece *p = add_piece(r, RECORDER_BEGIN, 0);
    struct media_chunk *head;

    if (!p)
        return;
    p->utc_ms = begin_at(r, utc_ms);
    p->sound = config[MEDIA_AUDIO] != NULL;
    for (int t = 0; t < MEDIA_TRACKS; t++)
        r->config[t] = config[t] ? media_config_ref(config[t]) : NULL;
    note_video(r, config[MEDIA_VIDEO]);
    r->mux = (struct fmp4_mux){ .shift90k = RECORDER_LEAD90K - f->dts90k };
    r->first90k = r->end90k = f->dts90k;
    r->begin_utc_ms = p->utc_ms;
    r->open = true;
    r->starved = false;
    r->at = 0;
    r->segments++;
    if (fmp4_init_chunk(&head, r->alloc, r->config[MEDIA_VIDEO],
                        r->config[MEDIA_AUDIO]) ||
        !put_chunk(r, head))
        starve(r);
}

/* Here one may begin: a key frame, or sound where there are no pictures. */
static bool is_border(const struct media_frame *f,
                      const struct media_config *config,
                      const struct media_config *other)
{
    if (!carried(config))
        return false;
    return f->track == MEDIA_VIDEO ? f->key : !carried(other);
}

/* The clock was set since the segment began: what comes belongs to another time
 * of day. */
static bool is_elsewhen(const struct recorder *r, const struct media_frame *f,
                        int64_t utc_ms)
{
    int64_t due_ms = r->begin_utc_ms + (f->dts90k - r->first90k) / 90;

    return utc_ms - due_ms > RECORDER_SET_MS ||
           due_ms - utc_ms > RECORDER_SET_MS;
}

static bool is_due(const struct recorder *r, const struct media_frame *f,
                   struct media_config *config, struct media_config *other,
                   int64_t utc_ms)
{
    const struct media_config *o = carried(other) ? other : NULL;

    return r->config[f->track] != config ||
           r->config[1 - f->track] != o ||
           f->dts90k < r->first90k ||
           f->dts90k - r->first90k >= (int64_t)r->segment_ms * 90 ||
           is_elsewhen(r, f, utc_ms);
}

static void put_frame(struct recorder *r, struct media_frame *f)
{
    struct media_chunk *c;
    int64_t end = f->dts90k + f->duration90k;
    uint64_t at = r->at;
    char head[FMP4_FRAGMENT_HEAD];
    int err;

    r->mux.sets = r->other_video ? r->config[MEDIA_VIDEO] : NULL;
    err = fmp4_frame_chunk(&c, r->alloc, &r->mux, f, r->config[MEDIA_AUDIO]);
    if (err == GB_ERANGE)
        return; /* a few samples of sound are no loss */
    if (!err)
        memcpy(head, media_chunk_own(c), sizeof(head));
    if (err || !put_chunk(r, c)) {
        starve(r);
        return;
    }
    mp4index_add(&r->index, head, at);
    r->frames++;
    if (end > r->end90k)
        r->end90k = end;
}

/* What has gathered is more than a group that is under way excuses. */
static bool is_overdue(const struct recorder *r, bool border)
{
    return r->n_bytes >= r->most + (border ? 0 : RECORDER_GROUP_BYTES_MAX);
}

static void take_frame(struct recorder *r, struct media_frame *f,
                       struct media_config *config, struct media_config *other,
                       int64_t utc_ms)
{
    bool is_video = f->track == MEDIA_VIDEO;
    bool border = is_border(f, config, other);

    if (border && !is_overdue(r, true)) {
        if (r->open && is_due(r, f, config, other, utc_ms))
            end(r);
        if (!r->open)
            begin(r, f, is_video ? config : other, is_video ? other : config,
                  utc_ms);
    } else if (r->open &&
               (is_overdue(r, border) || (is_video && f->key))) {
        starve(r);
    }
    if (!r->open) {
        r->lost += r->starved && is_video;
        return;
    }
    if (r->config[f->track] != config)
        return;
    if (f->dts90k >= r->first90k - (is_video ? 0 : RECORDER_LEAD90K))
        put_frame(r, f);
    else
        r->late += !is_video;
}

/* ---- other parameter sets ------------------------------------------------------- */

static bool keep_doubtful(struct recorder *r, struct media_frame *f)
{
    struct recorder_doubt *d = &r->doubt;

    if (d->n == RECORDER_DOUBT_FRAMES ||
        d->bytes + f->n > RECORDER_DOUBT_BYTES)
        return false;
    d->frame[d->n++] = media_frame_ref(f);
    d->bytes += f->n;
    return true;
}

static bool begin_doubt(struct recorder *r, struct media_frame *f,
                        struct media_config *video, struct media_config *audio,
                        int64_t utc_ms)
{
    struct recorder_doubt *d = &r->doubt;

    d->frame = gb_get(r->alloc, RECORDER_DOUBT_FRAMES * sizeof(*d->frame));
    if (!d->frame)
        return false; /* then it is believed */
    d->video = media_config_ref(video);
    d->audio = audio ? media_config_ref(audio) : NULL;
    d->utc_ms = utc_ms;
    return keep_doubtful(r, f) || (drop_doubt(r), false);
}

/* They were right: a segment of theirs. Or not: only the sound is taken. */
static void end_doubt(struct recorder *r, bool right)
{
    struct recorder_doubt d = r->doubt;

    r->doubt = (struct recorder_doubt){ 0 };
    for (size_t i = 0; i < d.n; i++) {
        struct media_frame *f = d.frame[i];
        bool is_video = f->track == MEDIA_VIDEO;

        if (right)
            take_frame(r, f, is_video ? d.video : d.audio,
                       is_video ? d.audio : d.video, d.utc_ms);
        else if (is_video)
            r->lost++;
        else if (r->open && r->config[MEDIA_AUDIO] == d.audio)
            take_frame(r, f, d.audio, r->config[MEDIA_VIDEO], d.utc_ms);
    }
    r->doubt = d;
    drop_doubt(r);
}

/* Is this key frame of the segment's sender again? Its configuration may have
 * been made anew. */
static bool is_of_segment(struct recorder *r, struct media_config *video)
{
    if (!is_same(r->config[MEDIA_VIDEO], video))
        return false;
    media_config_ref(video);
    media_config_unref(r->config[MEDIA_VIDEO]);
    r->config[MEDIA_VIDEO] = video;
    return true;
}

/* Does the frame wait, for its parameter sets are not believed yet? */
static bool is_doubtful(struct recorder *r, struct media_frame *f,
                        struct media_config *video, struct media_config *audio,
                        int64_t utc_ms)
{
    struct recorder_doubt *d = &r->doubt;
    bool key = f->track == MEDIA_VIDEO && f->key;

    if (!r->open || !r->config[MEDIA_VIDEO])
        return false;
    if (!d->video)
        return key && carried(video) && !is_of_segment(r, video) &&
               begin_doubt(r, f, video, audio, utc_ms);
    if (key && is_of_segment(r, video)) {
        end_doubt(r, false);
        return false;
    }
    if (key && !is_same(d->video, video)) { /* a third one */
        end_doubt(r, false);
        return carried(video) && begin_doubt(r, f, video, audio, utc_ms);
    }
    if (!key && d->audio == audio && keep_doubtful(r, f))
        return true;
    end_doubt(r, true);
    return false;
}

void recorder_frame(struct recorder *r, struct media_frame *f,
                    struct media_config *config, struct media_config *other,
                    int64_t utc_ms)
{
    bool is_video = f->track == MEDIA_VIDEO;

    if (!is_doubtful(r, f, is_video ? config : other,
                     is_video ? other : config, utc_ms))
        take_frame(r, f, config, other, utc_ms);
}

/* The stream is over: nothing more will prove them. */
void recorder_end(struct recorder *r)
{
    if (r->doubt.video)
        end_doubt(r, true);
    end(r);
}
