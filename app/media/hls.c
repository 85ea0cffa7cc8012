#include "app/media/hls.h"

#include "app/media/fmp4.h"
#include "manscdp/time.h"

#define SECOND90K 90000
#define CLOCK_SLACK_MS 1000 /* date times follow the media clock within this */

struct segment {
    uint64_t number;
    int64_t utc_ms;
    uint32_t duration90k;
    uint64_t init_version;
    bool discontinuity, independent;
    struct hls_part *init, *part;
};

struct hls {
    const struct gb_alloc *alloc;
    struct hub_tap tap;
    void (*on_segment)(void *ctx);
    void *ctx;
    bool ended;

    /* the open segment */
    struct media_frame **frame;
    uint32_t n, cap;
    size_t n_bytes;
    int64_t start90k, last90k;
    bool begins_with_key;
    struct media_config *config[MEDIA_TRACKS]; /* of its frames */

    /* segments, a ring by number */
    struct segment ring[HLS_RING_SEGMENTS];
    uint64_t next; /* number of the next one */
    uint32_t n_segments;
    size_t bytes;
    uint32_t target_s; /* 0: there was none yet */
    bool split;        /* one did not begin with a key frame */
    bool torn;         /* something is missing before the next */
    uint64_t gone_discontinuities;

    struct fmp4_mux mux;
    struct hls_part *init; /* the newest */
    uint64_t init_version;
    uint32_t told[MEDIA_TRACKS]; /* versions of the configurations in it */
    bool other_video;            /* than in the first of them */
    int64_t utc_offset_ms;       /* UTC less the hub's clock */
    int64_t date_ms;             /* UTC of time 0 of the timeline */
};

/* ---- parts ------------------------------------------------------------------ */

struct hls_part *hls_part_ref(struct hls_part *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void hls_part_unref(struct hls_part *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < p->n_chunks; i++)
        media_chunk_unref(p->chunk[i]);
    gb_put(p->alloc, p);
}

size_t hls_part_iov(struct hls_part *p, struct media_iov *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_chunks && n < max; i++)
        n += media_chunk_iov(p->chunk[i], MEDIA_PLAIN, 0, out + n, max - n);
    return n;
}

/* Room for n chunks. */
static struct hls_part *part_new(const struct gb_alloc *alloc, size_t n)
{
    struct hls_part *p = gb_get(alloc, sizeof(*p) + n * sizeof(p->chunk[0]));

    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->alloc = alloc;
    return p;
}

/* Takes c over. */
static void part_add(struct hls_part *p, struct media_chunk *c)
{
    p->chunk[p->n_chunks++] = c;
    p->bytes += media_chunk_size(c, MEDIA_PLAIN);
}

/* ---- the ring --------------------------------------------------------------- */

/* i counts from the oldest. */
static struct segment *segment_at(struct hls *h, uint32_t i)
{
    return &h->ring[(h->next - h->n_segments + i) % HLS_RING_SEGMENTS];
}

static void drop_oldest(struct hls *h)
{
    struct segment *s = segment_at(h, 0);

    h->gone_discontinuities += s->discontinuity;
    h->bytes -= s->part->bytes;
    hls_part_unref(s->init);
    hls_part_unref(s->part);
    h->n_segments--;
}

/* How many of the newest are listed. */
static uint32_t n_listed(struct hls *h)
{
    uint64_t sum90k = 0;
    uint32_t n = 0;

    while (n < h->n_segments &&
           (n < HLS_LIST_MIN ||
            sum90k < (uint64_t)h->target_s * HLS_LIST_TARGETS * SECOND90K))
        sum90k += segment_at(h, h->n_segments - 1 - n++)->duration90k;
    return n;
}

/* What has left the playlist can be fetched for as long again. */
static void drop_old(struct hls *h)
{
    while (h->n_segments > 2 * n_listed(h) ||
           (h->n_segments > 1 && h->bytes > HLS_RING_BYTES))
        drop_oldest(h);
}

/* ---- the open segment --------------------------------------------------------- */

static void forget_frames(struct hls *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        media_frame_unref(h->frame[i]);
    h->n = 0;
    h->n_bytes = 0;
}

static bool has_room(struct hls *h)
{
    uint32_t cap = h->cap ? h->cap * 2 : 128;
    struct media_frame **frame;

    if (h->n < h->cap)
        return true;
    frame = gb_get(h->alloc, cap * sizeof(*frame));
    if (!frame)
        return false;
    if (h->n)
        memcpy(frame, h->frame, h->n * sizeof(*frame));
    gb_put(h->alloc, h->frame);
    h->frame = frame;
    h->cap = cap;
    return true;
}

static void keep_config(struct hls *h, struct media_config *c,
                        enum media_track t)
{
    if (h->config[t] == c)
        return;
    media_config_unref(h->config[t]);
    h->config[t] = media_config_ref(c);
}

static bool is_carried(const struct hls *h, enum media_track t)
{
    return h->config[t] && fmp4_carries(h->config[t]->codec);
}

/* The initialisation that fits the frames; false: no memory. */
static bool have_init(struct hls *h)
{
    struct media_config *c[MEDIA_TRACKS];
    struct media_chunk *chunk;
    struct hls_part *p;
    bool same = h->init != NULL;

    for (int t = 0; t < MEDIA_TRACKS; t++) {
        c[t] = is_carried(h, (enum media_track)t) ? h->config[t] : NULL;
        same = same && h->told[t] == (c[t] ? c[t]->version : 0);
    }
    if (same)
        return true;
    p = part_new(h->alloc, 1);
    if (!p || fmp4_init_chunk(&chunk, h->alloc, c[MEDIA_VIDEO],
                              c[MEDIA_AUDIO])) {
        hls_part_unref(p);
        return false;
    }
    part_add(p, chunk);
    hls_part_unref(h->init);
    h->init = p;
    h->init_version++;
    h->other_video =
        h->other_video || (c[MEDIA_VIDEO] && h->told[MEDIA_VIDEO] &&
                           h->told[MEDIA_VIDEO] != c[MEDIA_VIDEO]->version);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        h->told[t] = c[t] ? c[t]->version : 0;
    h->mux.audio_begun = false; /* may count in samples of another rate */
    return true;
}

/* The frames of a track, behind what is in p, and what is told of them in s. */
static int mux_track(struct hls *h, enum media_track t, struct hls_part *p,
                     struct fmp4_sample *s)
{
    for (uint32_t i = 0; i < h->n; i++) {
        struct media_frame *f = h->frame[i];
        struct media_chunk *c;
        int err;

        if (f->track != t || f->config_version != h->told[t])
            continue; /* sound from before it changed */
        err = fmp4_sample_chunk(&c, h->alloc, &h->mux, f,
                                h->config[MEDIA_AUDIO], &s[p->n_chunks - 1]);
        if (err == GB_ENOMEM)
            return err;
        if (!err)
            part_add(p, c);
    }
    return 0;
}

/* The frames as one fragment: VLC 3.0.24 loses the time where the sound has a moof
 * of its own. NULL: no memory, or nothing to show. */
static struct hls_part *mux(struct hls *h)
{
    struct fmp4_sample *s = gb_get(h->alloc, h->n * sizeof(*s));
    struct hls_part *p = s ? part_new(h->alloc, h->n + 1) : NULL;
    int err = p ? 0 : GB_ENOMEM;

    h->mux.sets = h->other_video ? h->config[MEDIA_VIDEO] : NULL;
    if (p)
        p->n_chunks = 1; /* its head, which is made when all is known */
    for (int t = 0; t < MEDIA_TRACKS && !err; t++)
        err = mux_track(h, (enum media_track)t, p, s);
    if (!err && p->n_chunks > 1)
        err = fmp4_segment_chunk(&p->chunk[0], h->alloc, &h->mux, s,
                                 p->n_chunks - 1);
    gb_put(h->alloc, s);
    if (err || p->n_chunks == 1) {
        hls_part_unref(p);
        return NULL;
    }
    p->bytes += media_chunk_size(p->chunk[0], MEDIA_PLAIN);
    return p;
}

static void choose_target(struct hls *h, uint32_t duration90k)
{
    uint32_t s = (duration90k + SECOND90K - 1) / SECOND90K + 1;

    if (h->target_s)
        return;
    h->target_s = s < HLS_TARGET_MIN_S   ? HLS_TARGET_MIN_S
                  : s > HLS_TARGET_MAX_S ? HLS_TARGET_MAX_S
                                         : s;
}

/* Pictures that stayed away make it no longer than the playlist has promised. */
static uint32_t length_of(const struct hls *h, int64_t end90k)
{
    int64_t n90k = end90k - h->start90k;
    int64_t most90k = (int64_t)SECOND90K *
                      (h->target_s ? h->target_s : HLS_TARGET_MAX_S);

    return (uint32_t)(n90k < most90k ? n90k : most90k);
}

/* UTC of the first frame: of its arrival, and then along the timeline. */
static int64_t date_of(struct hls *h)
{
    int64_t came = (int64_t)h->frame[0]->arrival_ms + h->utc_offset_ms;
    int64_t at = h->date_ms + h->start90k / 90;

    if (at - came > CLOCK_SLACK_MS || came - at > CLOCK_SLACK_MS) {
        h->date_ms = came - h->start90k / 90;
        at = came;
    }
    return at;
}

/* The open segment ends where a frame of this time begins. */
static void close_segment(struct hls *h, int64_t end90k)
{
    uint64_t version = h->init_version;
    struct hls_part *part;
    struct segment *s;

    if (h->n == 0 || end90k <= h->start90k)
        return;
    part = have_init(h) ? mux(h) : NULL;
    if (!part) {
        h->torn = true;
        forget_frames(h);
        return;
    }
    if (h->n_segments == HLS_RING_SEGMENTS)
        drop_oldest(h);
    s = &h->ring[h->next % HLS_RING_SEGMENTS];
    *s = (struct segment){
        .number = h->next,
        .utc_ms = date_of(h),
        .duration90k = length_of(h, end90k),
        .init_version = h->init_version,
        .discontinuity = version && (h->torn || version != h->init_version),
        .independent = h->begins_with_key,
        .init = hls_part_ref(h->init),
        .part = part,
    };
    choose_target(h, s->duration90k);
    h->split |= !s->independent;
    h->torn = false;
    h->next++;
    h->n_segments++;
    h->bytes += part->bytes;
    forget_frames(h);
    drop_old(h);
    h->on_segment(h->ctx);
}

/* No matter how long it is. */
static bool is_crammed(const struct hls *h, const struct media_frame *f)
{
    return h->n_bytes + f->n > HLS_SEGMENT_BYTES ||
           h->n >= HLS_SEGMENT_FRAMES;
}

/* Is there no place for f in the open segment, key frame or not? */
static bool is_full(const struct hls *h, const struct media_frame *f)
{
    int64_t most = h->target_s ? h->target_s : HLS_TARGET_MAX_S;

    return f->dts90k + f->duration90k - h->start90k > most * SECOND90K ||
           is_crammed(h, f);
}

/* A segment may begin with f. */
static bool is_border(const struct hls *h, const struct media_frame *f)
{
    if (f->track == MEDIA_AUDIO && h->config[MEDIA_VIDEO])
        return false;
    return f->key && f->dts90k - h->start90k >= HLS_SEGMENT_MIN_MS * 90;
}

static void add(struct hls *h, struct media_frame *f)
{
    if (!has_room(h)) {
        h->torn = true;
        forget_frames(h);
        return;
    }
    if (h->n == 0) {
        h->start90k = f->dts90k;
        h->begins_with_key = f->key;
    }
    h->frame[h->n++] = media_frame_ref(f);
    h->n_bytes += f->n;
    if (f->dts90k + f->duration90k > h->last90k)
        h->last90k = f->dts90k + f->duration90k;
}

/* Nothing is open: pictures begin with a key frame, sound alone with any. */
static bool may_begin(const struct hls *h, const struct media_frame *f)
{
    return f->key && (f->track == MEDIA_VIDEO || !h->config[MEDIA_VIDEO]);
}

static void on_frame(void *ctx, struct media_frame *f,
                     struct media_config *config)
{
    struct hls *h = ctx;
    bool leads = f->track == MEDIA_VIDEO || !h->config[MEDIA_VIDEO];
    bool anew = f->track == MEDIA_VIDEO && h->config[MEDIA_VIDEO] != config;
    bool open = h->n > 0;

    if (!config || !fmp4_carries(f->codec))
        return;
    if (open && (anew || is_border(h, f) || (leads && is_full(h, f))))
        close_segment(h, f->dts90k);
    if (anew)
        forget_frames(h); /* what had no length is of the old one */
    keep_config(h, config, f->track);
    if (!leads && is_crammed(h, f))
        return; /* the pictures stay away, and it cannot end without one */
    if (h->n || (open && !h->torn) || may_begin(h, f))
        add(h, f);
}

static void on_end(void *ctx)
{
    struct hls *h = ctx;

    h->ended = true;
    close_segment(h, h->last90k);
    h->on_segment(h->ctx);
}

/* ---- life --------------------------------------------------------------------- */

int hls_new(struct hls **out, const struct gb_alloc *alloc, struct hub *hub,
            struct gb_time now, void (*on_segment)(void *ctx), void *ctx)
{
    struct hls *h = gb_get(alloc, sizeof(*h));

    if (!h)
        return GB_ENOMEM;
    h->alloc = alloc;
    h->on_segment = on_segment;
    h->ctx = ctx;
    h->utc_offset_ms = now.utc_ms - (int64_t)now.mono_ms;
    h->next = now.utc_ms > 0 ? (uint64_t)now.utc_ms / 1000 : 0;
    h->tap = (struct hub_tap){ .on_frame = on_frame, .on_end = on_end,
                               .ctx = h };
    hub_tap_add(hub, &h->tap, true);
    *out = h;
    return 0;
}

void hls_free(struct hls *h)
{
    if (!h)
        return;
    if (!h->ended)
        hub_tap_remove(&h->tap);
    forget_frames(h);
    while (h->n_segments)
        drop_oldest(h);
    hls_part_unref(h->init);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        media_config_unref(h->config[t]);
    gb_put(h->alloc, h->frame);
    gb_put(h->alloc, h);
}

bool hls_is_ready(const struct hls *h)
{
    return h->n_segments > 0;
}

bool hls_has_ended(const struct hls *h)
{
    return h->ended;
}

size_t hls_bytes(const struct hls *h)
{
    return h->bytes;
}

struct hls_part *hls_segment(const struct hls *h, uint64_t number)
{
    if (number >= h->next || h->next - number > h->n_segments)
        return NULL;
    return h->ring[number % HLS_RING_SEGMENTS].part;
}

struct hls_part *hls_init(const struct hls *h, uint64_t version)
{
    for (uint64_t i = h->next - h->n_segments; i < h->next; i++) {
        const struct segment *s = &h->ring[i % HLS_RING_SEGMENTS];

        if (s->init_version == version)
            return s->init;
    }
    return NULL;
}

/* ---- the playlist --------------------------------------------------------------- */

static void put_date(struct writer *w, int64_t utc_ms)
{
    manscdp_time_write(w, utc_ms, 0);
    writer_f(w, ".%03uZ", (unsigned)(utc_ms > 0 ? utc_ms % 1000 : 0));
}

static void put_url(struct writer *w, const char *name, uint64_t number,
                    const char *ext, struct slice query)
{
    writer_str(w, name);
    writer_u64(w, number);
    writer_str(w, ext);
    if (query.n)
        writer_char(w, '?');
    writer_slice_put(w, query);
}

static void put_segment(struct writer *w, const struct segment *s, bool map,
                        struct slice query)
{
    uint32_t ms = (s->duration90k + 45) / 90;

    if (s->discontinuity)
        writer_str(w, "#EXT-X-DISCONTINUITY\n");
    if (map) {
        writer_str(w, "#EXT-X-MAP:URI=\"");
        put_url(w, "init_", s->init_version, ".mp4", query);
        writer_str(w, "\"\n");
    }
    writer_str(w, "#EXT-X-PROGRAM-DATE-TIME:");
    put_date(w, s->utc_ms);
    writer_f(w, "\n#EXTINF:%u.%03u,\n", ms / 1000, ms % 1000);
    put_url(w, "seg_", s->number, ".m4s", query);
    writer_char(w, '\n');
}

void hls_playlist_write(struct hls *h, struct writer *w, struct slice query)
{
    uint32_t n = n_listed(h), first = h->n_segments - n;
    uint64_t discontinuities = h->gone_discontinuities, version = 0;

    for (uint32_t i = 0; i < first; i++)
        discontinuities += segment_at(h, i)->discontinuity;
    writer_f(w, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%u\n"
                "#EXT-X-MEDIA-SEQUENCE:", h->target_s);
    writer_u64(w, h->next - n);
    if (discontinuities) {
        writer_str(w, "\n#EXT-X-DISCONTINUITY-SEQUENCE:");
        writer_u64(w, discontinuities);
    }
    writer_str(w, h->split ? "\n" : "\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for (uint32_t i = first; i < h->n_segments; i++) {
        const struct segment *s = segment_at(h, i);

        put_segment(w, s, s->init_version != version, query);
        version = s->init_version;
    }
    if (h->ended)
        writer_str(w, "#EXT-X-ENDLIST\n");
}
