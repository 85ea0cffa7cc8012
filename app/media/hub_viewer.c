/* Rings of chunks and their viewers.
 *
 *      tail         key_seq                 head
 *       │  kept for    │  the cache: a new    │
 *       │  the slowest │  viewer begins here  │
 *
 * A viewer takes chunks from the ring into its window, by reference, when it
 * asks for bytes. What nobody may still take is let go after each push. */
#include "app/media/hub_int.h"

#include <assert.h>

#define FIRST_CAP 64

static struct hub_ring *ring_of(const struct hub_viewer *v)
{
    return v->hub->ring[v->opt.format];
}

/* --- the ring ------------------------------------------------------------- */

static struct hub_slot *slot_at(const struct hub_ring *r, uint64_t seq)
{
    return &r->slot[seq & (r->cap - 1)];
}

static bool ring_has_room(struct hub *h, struct hub_ring *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : FIRST_CAP;
    struct hub_slot *slot;

    if (r->head - r->tail < r->cap)
        return true;
    if (cap > HUB_RING_CHUNKS)
        return false;
    slot = gb_get(h->alloc, cap * sizeof(*slot));
    if (!slot)
        return false;
    for (uint64_t s = r->tail; s < r->head; s++)
        slot[s & (cap - 1)] = *slot_at(r, s);
    gb_put(h->alloc, r->slot);
    r->slot = slot;
    r->cap = cap;
    return true;
}

static void let_go_until(struct hub_ring *r, uint64_t seq)
{
    for (; r->tail < seq; r->tail++) {
        media_chunk_unref(slot_at(r, r->tail)->chunk);
        slot_at(r, r->tail)->chunk = NULL;
    }
}

static void forget_starts(struct hub_ring *r)
{
    for (unsigned i = 0; i < HUB_START_MASKS; i++) {
        media_chunk_unref(r->start[i]);
        r->start[i] = NULL;
    }
}

/* Takes c over. false: no room, c is gone, and a key frame must come. */
static bool ring_push(struct hub *h, struct hub_ring *r, struct media_chunk *c)
{
    if (!ring_has_room(h, r)) {
        media_chunk_unref(c);
        r->broken = true;
        r->has_key = false;
        return false;
    }
    if (c->key && !c->config && (c->track == MEDIA_VIDEO || h->audio_only)) {
        r->key_seq = r->head;
        r->has_key = true;
        r->broken = false;
        if (r->format != HUB_FMP4)
            forget_starts(r); /* they carry its time stamp */
    }
    if (c->dts90k > r->newest90k)
        r->newest90k = c->dts90k;
    if (!c->config)
        r->last90k[c->track] = c->dts90k;
    *slot_at(r, r->head++) = (struct hub_slot){ c, r->bytes };
    r->bytes += media_chunk_size(c, MEDIA_PLAIN);
    return true;
}

/* Muxes one frame into the ring; false when nothing was added. */
static bool ring_frame(struct hub *h, struct hub_ring *r,
                       struct media_frame *f)
{
    bool picture = f->track == MEDIA_VIDEO;
    struct media_chunk *c;
    int err;

    if (r->broken && picture && !f->key)
        return false;
    err = hub_format_frame(h, r, f, &c);
    if (err == GB_ENOMEM && picture) {
        r->broken = true;
        r->has_key = false;
    }
    return !err && ring_push(h, r, c);
}

static void ring_free(struct hub *h, enum hub_format f)
{
    struct hub_ring *r = h->ring[f];

    let_go_until(r, r->head);
    forget_starts(r);
    gb_put(h->alloc, r->slot);
    gb_put(h->alloc, r);
    h->ring[f] = NULL;
    if (f == HUB_PS)
        hub_raw_reset(h);
}

/* The first viewer of a format: the cache is muxed for it. */
static int ring_new(struct hub *h, enum hub_format f)
{
    struct hub_ring *r = gb_get(h->alloc, sizeof(*r));

    if (!r)
        return GB_ENOMEM;
    r->format = f;
    list_init(&r->busy);
    list_init(&r->idle);
    list_init(&r->waiting);
    list_init(&r->dead);
    h->ring[f] = r;
    for (uint32_t i = 0; i < h->n_gop && f != HUB_PS; i++)
        ring_frame(h, r, h->gop[i]);
    return 0;
}

static void free_unused_rings(struct hub *h)
{
    for (unsigned i = 0; i < HUB_FORMATS && !h->walking; i++)
        if (h->ring[i] && h->ring[i]->n_viewers == 0)
            ring_free(h, (enum hub_format)i);
}

/* --- states of a viewer ---------------------------------------------------- */

static void wake(struct hub *h, struct hub_viewer *v)
{
    v->idle = false;
    if (h->hooks.on_wake)
        h->hooks.on_wake(h->hooks.ctx, v);
}

static void move(struct hub_viewer *v, struct list *to)
{
    list_remove(&v->node);
    list_push_back(to, &v->node);
}

/* ENDED or CUT: it will get no more than its window. */
static void finish(struct hub *h, struct hub_viewer *v,
                   enum hub_viewer_state state)
{
    v->state = state;
    h->stats.cuts += state == HUB_VIEWER_CUT;
    move(v, &h->ring[v->opt.format]->dead);
    wake(h, v);
}

static void window_put(struct hub_viewer *v, struct media_chunk *c)
{
    assert(v->n_held < HUB_WINDOW_CHUNKS);
    v->held[(v->first + v->n_held++) % HUB_WINDOW_CHUNKS] = media_chunk_ref(c);
    v->held_bytes += media_chunk_size(c, v->opt.framing);
}

/* What a viewer of these tracks gets first; borrowed. NULL: no memory. */
static struct media_chunk *start_chunk(struct hub *h, struct hub_ring *r,
                                       unsigned tracks)
{
    unsigned mask = 0;

    for (int t = 0; t < MEDIA_TRACKS; t++)
        if (hub_format_config(h, r, (enum media_track)t, tracks))
            mask |= TRACK_BIT(t);
    if (!r->start[mask])
        hub_format_start(h, r, mask, slot_at(r, r->key_seq)->chunk->dts90k,
                         &r->start[mask]);
    return r->start[mask];
}

/* After a skip: a configuration that came meanwhile. */
static bool resend_config(struct hub *h, struct hub_ring *r,
                          struct hub_viewer *v)
{
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        struct media_config *c =
            hub_format_config(h, r, (enum media_track)t, v->tracks);
        struct media_chunk *chunk;
        int err;

        if (!c || c->version <= v->version)
            continue;
        if (r->format == HUB_FMP4) {
            chunk = start_chunk(h, r, v->tracks);
            if (!chunk)
                return false;
            window_put(v, chunk);
            break;
        }
        err = hub_format_change(h, r, (enum media_track)t,
                                slot_at(r, r->key_seq)->chunk->dts90k, &chunk);
        if (err == GB_ENOMEM)
            return false;
        if (!err) {
            window_put(v, chunk);
            media_chunk_unref(chunk);
        }
    }
    v->version = h->version;
    return true;
}

/* The tracks are known, or have been waited for long enough. */
static bool is_decided(const struct hub *h, const struct hub_viewer *v)
{
    uint32_t wait_ms = h->expect_audio ? HUB_LATE_AUDIO_MS : HUB_NO_AUDIO_MS;

    if (h->audio_only)
        return !v->opt.no_audio;
    if (!h->config[MEDIA_VIDEO] || h->first_key_ms == GB_NEVER)
        return false;
    return v->opt.no_audio || h->config[MEDIA_AUDIO] ||
           h->now_ms - h->first_key_ms >= wait_ms;
}

bool hub_is_decided(struct hub *h, uint64_t now_ms)
{
    const struct hub_viewer any = { 0 };

    h->now_ms = now_ms;
    return is_decided(h, &any);
}

static void decide(const struct hub *h, const struct hub_ring *r,
                   struct hub_viewer *v)
{
    unsigned want = TRACK_BIT(MEDIA_VIDEO) |
                    (v->opt.no_audio ? 0 : TRACK_BIT(MEDIA_AUDIO));

    v->state = HUB_VIEWER_WAIT_KEY;
    v->tracks = (uint8_t)want;
    if (r->format != HUB_FMP4)
        return; /* a track may join the other streams at any time */
    for (int t = 0; t < MEDIA_TRACKS; t++)
        if (!hub_format_config(h, r, (enum media_track)t, want))
            v->tracks &= (uint8_t)~TRACK_BIT(t);
}

static bool join(struct hub *h, struct hub_ring *r, struct hub_viewer *v)
{
    bool again = v->state == HUB_VIEWER_SKIP, raw = r->format == HUB_PS;
    struct media_chunk *start;

    if (v->n_held > HUB_WINDOW_CHUNKS - MEDIA_TRACKS)
        return false; /* it has more than enough to read yet */
    if (again) {
        v->dropped += r->key_seq > v->seq ? r->key_seq - v->seq : 0;
        if (!raw && !resend_config(h, r, v))
            return false;
    } else {
        start = raw ? NULL : start_chunk(h, r, v->tracks);
        if (start)
            window_put(v, start);
        else if (!raw)
            return false;
        v->version = h->version;
        v->allow90k = r->newest90k - slot_at(r, r->key_seq)->chunk->dts90k;
        v->allow_bytes = r->bytes - slot_at(r, r->key_seq)->before_bytes;
    }
    v->state = again ? HUB_VIEWER_LIVE : HUB_VIEWER_CATCH_UP;
    v->seq = r->key_seq;
    v->skip_leading = true;
    if (v->idle || !again)
        v->progress_ms = h->now_ms;
    move(v, &r->busy);
    return true;
}

/* There are pictures that a key frame would begin; those without parameter sets
 * are given a second to get theirs. */
static bool has_pictures(const struct hub *h)
{
    return h->config[MEDIA_VIDEO] ||
           (h->blind_ms != GB_NEVER && h->now_ms - h->blind_ms >= HUB_BLIND_MS);
}

void hub_want_key(struct hub *h)
{
    if (!h->hooks.on_want_key || h->now_ms < h->want_key_ms ||
        !has_pictures(h))
        return;
    h->want_key_ms = h->now_ms + HUB_WANT_KEY_MS;
    h->hooks.on_want_key(h->hooks.ctx);
}

/* A viewer that waits: may it begin? at_key: the newest chunk is a key. */
static void try_join(struct hub *h, struct hub_ring *r, struct hub_viewer *v,
                     bool at_key)
{
    bool fresh = v->state == HUB_VIEWER_WAIT_CONFIG;

    if (fresh) {
        if (r->format != HUB_PS && !is_decided(h, v))
            return;
        decide(h, r, v);
        if (v->tracks == 0) { /* nothing here that its format can carry */
            v->state = HUB_VIEWER_WAIT_CONFIG;
            return;
        }
    }
    if (!r->has_key || (!at_key && (v->state == HUB_VIEWER_SKIP ||
                                    v->opt.no_gop)))
        return;
    if (join(h, r, v) && v->idle)
        wake(h, v);
}

static int64_t lag_of(const struct hub_ring *r, const struct hub_viewer *v)
{
    return v->seq < r->head
               ? r->newest90k - slot_at(r, v->seq)->chunk->dts90k
               : 0;
}

static bool is_slow(const struct hub *h, const struct hub_ring *r,
                    const struct hub_viewer *v, uint64_t seq, bool allowed)
{
    int64_t ms90k = (int64_t)h->opt.slow_ms * 90;
    uint64_t bytes = h->opt.slow_bytes;

    if (seq >= r->head)
        return false;
    if (allowed) {
        ms90k += v->allow90k;
        bytes += v->allow_bytes;
    }
    return r->newest90k - slot_at(r, seq)->chunk->dts90k > ms90k ||
           r->bytes - slot_at(r, seq)->before_bytes > bytes;
}

/* Too far behind: on to the newest key frame, or wait for the next. */
static void skip(struct hub *h, struct hub_ring *r, struct hub_viewer *v)
{
    v->jumps++;
    h->stats.jumps++;
    v->state = HUB_VIEWER_SKIP;
    if (r->has_key && r->key_seq > v->seq &&
        !is_slow(h, r, v, r->key_seq, false) && join(h, r, v))
        return;
    v->dropped += r->head - v->seq;
    v->seq = r->head;
    move(v, &r->waiting);
    hub_want_key(h);
}

static bool has_stalled(const struct hub *h, const struct hub_viewer *v)
{
    return !v->idle && h->now_ms - v->progress_ms > h->opt.stall_ms;
}

static bool wants(struct hub_viewer *v, const struct media_chunk *c)
{
    if (c->config && c->version <= v->version)
        return false; /* its start had it: once more, and players wait for
                         the next key frame */
    if (c->config && c->tracks)
        return c->tracks == v->tracks;
    if (!(v->tracks & TRACK_BIT(c->track)))
        return false;
    if (c->track != MEDIA_VIDEO || c->config)
        return true;
    if (c->leading && v->skip_leading)
        return false;
    if (!c->key && !c->leading)
        v->skip_leading = false;
    return true;
}

/* --- after a push ----------------------------------------------------------- */

static void walk_waiting(struct hub *h, struct hub_ring *r, bool at_key)
{
    struct list todo, *n;

    if (list_is_empty(&r->waiting))
        return;
    /* each once, in a list of its own: on_wake may change r->waiting */
    list_insert_before(&r->waiting, &todo);
    list_remove(&r->waiting);
    while ((n = todo.next) != &todo) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        move(v, &r->waiting);
        if (v->state == HUB_VIEWER_SKIP && has_stalled(h, v))
            finish(h, v, HUB_VIEWER_CUT);
        else
            try_join(h, r, v, at_key);
    }
}

/* Slow viewers skip; the ring keeps what the others still need. */
static void walk_busy(struct hub *h, struct hub_ring *r)
{
    uint64_t keep = r->has_key ? r->key_seq : r->head;
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &r->busy) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        if (v->progress_ms != h->now_ms && is_slow(h, r, v, v->seq, true))
            skip(h, r, v); /* a burst that came at once is not its fault */
        if (v->state != HUB_VIEWER_SKIP && v->seq < keep)
            keep = v->seq;
    }
    if (r->sound_waits && !list_is_empty(&r->idle) && r->sound_seq < keep)
        keep = r->sound_seq;
    if (keep == r->head && !list_is_empty(&r->idle))
        keep--; /* they are about to be woken for it */
    let_go_until(r, keep);
}

/* May they be told later of the newest chunk, which is c? Those that wait began
 * to no earlier than the ring's sound_seq. */
static bool may_wait(struct hub *h, struct hub_ring *r,
                     const struct media_chunk *c)
{
    if (c->track != MEDIA_AUDIO || c->config || h->audio_only || h->ended) {
        r->sound_waits = false;
        return false;
    }
    if (!r->sound_waits) {
        r->sound_waits = true;
        r->sound_seq = r->head - 1;
        r->sound_ms = h->now_ms;
    }
    if (h->now_ms - r->sound_ms < HUB_SOUND_WAIT_MS)
        return true;
    r->sound_waits = false;
    return false;
}

/* Sound waits: the owner learns until when. */
static void note_waiting(struct hub *h, const struct hub_ring *r)
{
    uint64_t due_ms = r->sound_ms + HUB_SOUND_WAIT_MS;

    if (due_ms >= h->sound_due_ms)
        return;
    h->sound_due_ms = due_ms;
    if (h->hooks.on_sooner)
        h->hooks.on_sooner(h->hooks.ctx);
}

static bool has_patience(const struct hub_viewer *v)
{
    return v->opt.sound_waits && v->tracks & TRACK_BIT(MEDIA_VIDEO);
}

/* Those that had read everything. */
static void wake_idle(struct hub *h, struct hub_ring *r,
                      const struct media_chunk *c)
{
    bool wait = false, waiting = false;
    struct list todo, *n;

    if (list_is_empty(&r->idle)) {
        r->sound_waits = false;
        return;
    }
    wait = may_wait(h, r, c);
    list_insert_before(&r->idle, &todo);
    list_remove(&r->idle);
    while ((n = todo.next) != &todo) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        if (v->seq + 1 == r->head && !wants(v, c)) {
            v->seq = r->head;
            move(v, &r->idle);
            continue;
        }
        if (wait && has_patience(v)) {
            move(v, &r->idle);
            waiting = true;
            continue;
        }
        v->progress_ms = h->now_ms;
        move(v, &r->busy);
        wake(h, v);
    }
    r->sound_waits = waiting;
    if (waiting)
        note_waiting(h, r);
}

/* Those that sound has waited for. */
static void wake_waiting(struct hub *h, struct hub_ring *r)
{
    struct list *n, *tmp, todo;

    r->sound_waits = false;
    list_init(&todo);
    LIST_EACH(n, tmp, &r->idle)
        if (container_of(n, struct hub_viewer, node)->seq < r->head) {
            list_remove(n);
            list_push_back(&todo, n);
        }
    while ((n = todo.next) != &todo) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        v->progress_ms = h->now_ms;
        move(v, &r->busy);
        wake(h, v);
    }
}

static void after_push(struct hub *h, struct hub_ring *r)
{
    /* a reference: on_wake may let the ring drop it */
    struct media_chunk *c = media_chunk_ref(slot_at(r, r->head - 1)->chunk);

    h->walking++;
    walk_busy(h, r);
    wake_idle(h, r, c);
    walk_waiting(h, r, r->has_key && r->key_seq + 1 == r->head);
    h->walking--;
    media_chunk_unref(c);
}

/* The ring is full of what one viewer has not read: it skips. */
static void make_room(struct hub *h, struct hub_ring *r)
{
    struct list *n, *tmp;

    if (r->head - r->tail < HUB_RING_CHUNKS)
        return;
    r->has_key = false;
    h->walking++;
    LIST_EACH(n, tmp, &r->busy) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        if (v->seq < r->head)
            skip(h, r, v);
    }
    LIST_EACH(n, tmp, &r->idle) { /* sound that waits */
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        v->dropped += r->head - v->seq;
        v->seq = r->head;
    }
    h->walking--;
    let_go_until(r, r->head);
}

/* One for each set of tracks that a viewer may have begun with. */
static void fmp4_config(struct hub *h, struct hub_ring *r,
                        enum media_track t)
{
    for (unsigned mask = 1; mask < HUB_START_MASKS; mask++) {
        struct media_config *video = hub_format_config(h, r, MEDIA_VIDEO, mask);
        struct media_config *audio = hub_format_config(h, r, MEDIA_AUDIO, mask);
        struct media_chunk *c;

        if (!(mask & TRACK_BIT(t)) || !video != !(mask & TRACK_BIT(MEDIA_VIDEO)) ||
            !audio != !(mask & TRACK_BIT(MEDIA_AUDIO)))
            continue;
        if (fmp4_init_chunk(&c, h->alloc, video, audio)) {
            r->broken = true;
            r->has_key = false;
            return;
        }
        c->tracks = (uint8_t)mask;
        c->version = h->version;
        c->dts90k = r->newest90k;
        if (ring_push(h, r, c))
            after_push(h, r);
    }
}

/* A new initialisation segment makes players wait for a key frame: when only
 * sound has changed it comes right before one, and the new sound after it. */
static bool told_init(struct hub *h, struct hub_ring *r,
                      const struct media_frame *f)
{
    if (!r->init_waits)
        return true;
    if (f->track == MEDIA_AUDIO)
        return h->audio_only;
    if (f->key) {
        r->init_waits = false;
        fmp4_config(h, r, MEDIA_AUDIO);
    }
    return true;
}

void hub_rings_frame(struct hub *h, struct media_frame *f)
{
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];

        if (!r || r->format == HUB_PS)
            continue;
        make_room(h, r);
        if (told_init(h, r, f) && ring_frame(h, r, f))
            after_push(h, r);
    }
    free_unused_rings(h);
}

/* Since the place where a viewer may begin, no more than of the cache. */
static void limit_raw(struct hub *h, struct hub_ring *r)
{
    const struct hub_slot *s = r->has_key ? slot_at(r, r->key_seq) : NULL;

    if (s && (r->bytes - s->before_bytes > h->opt.gop_bytes ||
              r->newest90k - s->chunk->dts90k > (int64_t)h->opt.gop_ms * 90))
        r->has_key = false;
}

void hub_rings_raw(struct hub *h, struct media_chunk *c)
{
    struct hub_ring *r = h->ring[HUB_PS];

    make_room(h, r);
    limit_raw(h, r);
    if (ring_push(h, r, c))
        after_push(h, r);
    /* an empty ring is freed by the next frame or viewer: the tap is inside */
}

void hub_rings_config(struct hub *h, enum media_track t, bool changed)
{
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];
        struct media_chunk *c;
        int err;

        if (!r || r->format == HUB_PS)
            continue;
        forget_starts(r);
        if (t == MEDIA_AUDIO)
            r->fmp4.audio_begun = false; /* counts in samples of another rate */
        if (r->head == 0 || !hub_format_carries(r->format, h->config[t]->codec))
            continue; /* nobody has begun */
        make_room(h, r);
        if (r->format == HUB_FMP4) {
            if (!changed)
                continue; /* nobody has begun with this track */
            if (t == MEDIA_AUDIO && !h->audio_only)
                r->init_waits = true;
            else
                fmp4_config(h, r, t);
            continue;
        }
        err = hub_format_change(h, r, t, r->last90k[t], &c);
        if (err == GB_ENOMEM) {
            r->broken = true;
            r->has_key = false;
        } else if (!err) {
            c->version = h->version;
            if (ring_push(h, r, c))
                after_push(h, r);
        }
    }
    free_unused_rings(h);
}

void hub_rings_forget_key(struct hub *h)
{
    for (int i = 0; i < HUB_FORMATS; i++)
        if (h->ring[i] && i != HUB_PS)
            h->ring[i]->has_key = false;
}

void hub_rings_tick(struct hub *h)
{
    h->walking++;
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];
        struct list *n, *tmp, todo;

        if (!r)
            continue;
        walk_waiting(h, r, false);
        if (!list_is_empty(&r->waiting))
            hub_want_key(h);
        if (list_is_empty(&r->busy))
            continue;
        list_init(&todo);
        LIST_EACH(n, tmp, &r->busy)
            if (has_stalled(h, container_of(n, struct hub_viewer, node))) {
                list_remove(n);
                list_push_back(&todo, n);
            }
        while ((n = todo.next) != &todo) {
            finish(h, container_of(n, struct hub_viewer, node),
                   HUB_VIEWER_CUT);
        }
    }
    h->walking--;
    free_unused_rings(h);
}

void hub_rings_sound(struct hub *h)
{
    h->sound_due_ms = GB_NEVER;
    h->walking++;
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];

        if (!r || !r->sound_waits)
            continue;
        if (h->now_ms - r->sound_ms >= HUB_SOUND_WAIT_MS)
            wake_waiting(h, r);
        else if (!list_is_empty(&r->idle))
            note_waiting(h, r);
    }
    h->walking--;
    free_unused_rings(h);
}

void hub_rings_end(struct hub *h)
{
    h->walking++;
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];
        struct list *n;

        if (!r)
            continue;
        wake_waiting(h, r);
        while ((n = r->waiting.next) != &r->waiting)
            finish(h, container_of(n, struct hub_viewer, node),
                   HUB_VIEWER_ENDED);
        while ((n = r->idle.next) != &r->idle)
            finish(h, container_of(n, struct hub_viewer, node),
                   HUB_VIEWER_ENDED);
    }
    h->walking--;
    free_unused_rings(h);
}

void hub_rings_free(struct hub *h)
{
    for (unsigned i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];
        struct list *all[4], *n;

        if (!r)
            continue;
        all[0] = &r->busy;
        all[1] = &r->idle;
        all[2] = &r->waiting;
        all[3] = &r->dead;
        for (int k = 0; k < 4; k++)
            while ((n = list_pop_front(all[k])) != NULL) {
                struct hub_viewer *v =
                    container_of(n, struct hub_viewer, node);

                if (v->state != HUB_VIEWER_CUT)
                    v->state = HUB_VIEWER_ENDED;
                v->hub = NULL;
            }
        ring_free(h, (enum hub_format)i);
    }
}

/* --- what the edge calls ------------------------------------------------------ */

int hub_viewer_add(struct hub *h, struct hub_viewer *v,
                   const struct hub_viewer_options *opt, uint64_t now_ms)
{
    struct hub_ring *r;
    int err;

    h->now_ms = now_ms;
    if (h->ended)
        return GB_ESTATE;
    if (h->n_viewers >= h->opt.max_viewers)
        return GB_ELIMIT;
    if (!h->ring[opt->format]) {
        err = ring_new(h, opt->format);
        if (err)
            return err;
    }
    r = h->ring[opt->format];
    *v = (struct hub_viewer){ .state = HUB_VIEWER_WAIT_CONFIG,
                              .hub = h,
                              .opt = *opt,
                              .progress_ms = now_ms };
    list_init(&v->node);
    list_push_back(&r->waiting, &v->node);
    r->n_viewers++;
    h->n_viewers++;
    if (h->next_tick_ms == GB_NEVER)
        h->next_tick_ms = now_ms + HUB_TICK_MS;
    try_join(h, r, v, false);
    if (v->state == HUB_VIEWER_WAIT_KEY)
        hub_want_key(h);
    return 0;
}

static void window_pop(struct hub_viewer *v)
{
    struct media_chunk *c = v->held[v->first];

    v->held_bytes -= media_chunk_size(c, v->opt.framing);
    v->first = (uint16_t)((v->first + 1) % HUB_WINDOW_CHUNKS);
    v->n_held--;
    v->off = 0;
    media_chunk_unref(c);
}

void hub_viewer_remove(struct hub_viewer *v)
{
    struct hub *h = v->hub;

    while (v->n_held)
        window_pop(v);
    if (!h)
        return;
    list_remove(&v->node);
    ring_of(v)->n_viewers--;
    h->n_viewers--;
    v->hub = NULL;
    free_unused_rings(h);
}

static void fill_window(struct hub_ring *r, struct hub_viewer *v)
{
    while (v->seq < r->head && v->n_held < HUB_WINDOW_CHUNKS &&
           v->held_bytes < HUB_WINDOW_BYTES) {
        struct media_chunk *c = slot_at(r, v->seq++)->chunk;

        if (!wants(v, c))
            continue;
        window_put(v, c);
        if (c->config)
            v->version = c->version;
    }
    if (v->seq == r->head) {
        v->state = HUB_VIEWER_LIVE;
        v->allow90k = 0;
        v->allow_bytes = 0;
    }
}

static bool is_running(const struct hub_viewer *v)
{
    return v->hub && (v->state == HUB_VIEWER_CATCH_UP ||
                      v->state == HUB_VIEWER_LIVE);
}

/* Nothing to read: what that means. */
static void ran_dry(struct hub_viewer *v)
{
    struct hub *h = v->hub;

    if (!h || v->state == HUB_VIEWER_CUT || v->state == HUB_VIEWER_ENDED)
        return;
    if (h->ended) {
        v->state = HUB_VIEWER_ENDED;
        move(v, &ring_of(v)->dead);
        return;
    }
    v->idle = true;
    if (is_running(v))
        move(v, &ring_of(v)->idle);
}

size_t hub_viewer_next(struct hub_viewer *v, struct media_iov *out, size_t max,
                       bool one_message)
{
    size_t n = 0, off = v->off;

    if (v->state == HUB_VIEWER_CUT)
        return 0;
    if (is_running(v)) {
        if (v->idle && v->seq < ring_of(v)->head) { /* sound that waits */
            v->idle = false;
            v->progress_ms = v->hub->now_ms;
            move(v, &ring_of(v)->busy);
        }
        fill_window(ring_of(v), v);
    }
    for (uint16_t i = 0; i < v->n_held && n < max; i++) {
        struct media_chunk *c =
            v->held[(v->first + i) % HUB_WINDOW_CHUNKS];

        n += media_chunk_iov(c, v->opt.framing, off, out + n, max - n);
        off = 0;
        if (one_message)
            break;
    }
    if (v->n_held == 0)
        ran_dry(v);
    return n;
}

void hub_viewer_consumed(struct hub_viewer *v, size_t n)
{
    assert(n <= v->held_bytes - v->off);
    v->bytes += n;
    if (v->hub && n)
        v->progress_ms = v->hub->now_ms;
    while (n && v->n_held) {
        size_t left =
            media_chunk_size(v->held[v->first], v->opt.framing) - v->off;

        if (n < left) {
            v->off += n;
            return;
        }
        n -= left;
        window_pop(v);
    }
}

bool hub_viewer_at_boundary(const struct hub_viewer *v)
{
    return v->off == 0;
}

uint32_t hub_viewer_lag_ms(const struct hub_viewer *v)
{
    int64_t lag = is_running(v) ? lag_of(ring_of(v), v) / 90 : 0;

    return lag > 0 ? (uint32_t)lag : 0;
}

bool hub_viewer_mime(const struct hub_viewer *v,
                     char buf[static HUB_MIME_MAX])
{
    struct writer w = writer_of(buf, HUB_MIME_MAX);
    struct hub_ring *r;

    if (!v->hub || v->state == HUB_VIEWER_WAIT_CONFIG || v->tracks == 0)
        return false;
    r = ring_of(v);
    hub_format_mime(v->hub, r, v->tracks, &w);
    writer_char(&w, '\0');
    return w.err == 0;
}

const char *hub_viewer_state_text(enum hub_viewer_state s)
{
    static const char *const text[] = {
#define X(id, words) [HUB_VIEWER_##id] = words,
        HUB_VIEWER_STATE_MAP(X)
#undef X
    };

    return text[s];
}
