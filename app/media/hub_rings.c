/* Rings of chunks and their viewers.
 *
 *      tail         key_seq                 head
 *       │  kept for    │  the cache: a new    │
 *       │  the slowest │  viewer begins here  │
 *
 * A viewer takes chunks from the ring into its window, by reference, when it
 * asks for bytes. What nobody may still take is let go after each push. */
#include "app/media/hub_int.h"

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

        hub_viewer_move(v, &r->waiting);
        if (v->state == HUB_VIEWER_SKIP && hub_viewer_has_stalled(h, v))
            hub_viewer_finish(h, v, HUB_VIEWER_CUT);
        else
            hub_viewer_try(h, r, v, at_key);
    }
}

/* Slow viewers skip; the ring keeps what the others still need. */
static void walk_busy(struct hub *h, struct hub_ring *r)
{
    uint64_t keep = r->has_key ? r->key_seq : r->head;
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &r->busy) {
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        if (v->progress_ms != h->now_ms &&
            hub_viewer_is_slow(h, r, v, v->seq, true))
            hub_viewer_skip(h, r, v); /* a burst that came at once is not its fault */
        if (v->state != HUB_VIEWER_SKIP && v->seq < keep)
            keep = v->seq;
    }
    if (r->sound_waits && !list_is_empty(&r->idle) && r->sound_seq < keep)
        keep = r->sound_seq;
    if (keep == r->head && !list_is_empty(&r->idle))
        keep--; /* they are about to be woken for it */
    hub_ring_let_go(r, keep);
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

        if (v->seq + 1 == r->head && !hub_viewer_wants(v, c)) {
            v->seq = r->head;
            hub_viewer_move(v, &r->idle);
            continue;
        }
        if (wait && has_patience(v)) {
            hub_viewer_move(v, &r->idle);
            waiting = true;
            continue;
        }
        v->progress_ms = h->now_ms;
        hub_viewer_move(v, &r->busy);
        hub_viewer_wake(h, v);
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
        hub_viewer_move(v, &r->busy);
        hub_viewer_wake(h, v);
    }
}

static void after_push(struct hub *h, struct hub_ring *r)
{
    /* a reference: on_wake may let the ring drop it */
    struct media_chunk *c = media_chunk_ref(hub_slot_at(r, r->head - 1)->chunk);

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
            hub_viewer_skip(h, r, v);
    }
    LIST_EACH(n, tmp, &r->idle) { /* sound that waits */
        struct hub_viewer *v = container_of(n, struct hub_viewer, node);

        v->dropped += r->head - v->seq;
        v->seq = r->head;
    }
    h->walking--;
    hub_ring_let_go(r, r->head);
}

/* There was no memory to tell of a configuration: whoever is there waits for a key
 * frame and is told in front of it, as one that was slow. */
static void config_lost(struct hub *h, struct hub_ring *r)
{
    struct list *n, *tmp;

    r->broken = true;
    r->has_key = false;
    h->walking++;
    LIST_EACH(n, tmp, &r->busy)
        hub_viewer_skip(h, r, container_of(n, struct hub_viewer, node));
    LIST_EACH(n, tmp, &r->idle)
        hub_viewer_skip(h, r, container_of(n, struct hub_viewer, node));
    h->walking--;
    hub_ring_let_go(r, r->head);
}

/* One for each set of tracks that a viewer may have begun with. false: no memory. */
static bool fmp4_config(struct hub *h, struct hub_ring *r,
                        enum media_track t)
{
    for (unsigned mask = 1; mask < HUB_START_MASKS; mask++) {
        struct media_config *video = hub_format_config(h, r, MEDIA_VIDEO, mask);
        struct media_config *audio = hub_format_config(h, r, MEDIA_AUDIO, mask);
        struct media_chunk *c;

        if (!(mask & TRACK_BIT(t)) ||
            !video != !(mask & TRACK_BIT(MEDIA_VIDEO)) ||
            !audio != !(mask & TRACK_BIT(MEDIA_AUDIO)))
            continue;
        if (fmp4_init_chunk(&c, h->alloc, video, audio)) {
            r->broken = true;
            r->has_key = false;
            return false;
        }
        c->tracks = (uint8_t)mask;
        c->version = h->version;
        c->dts90k = r->newest90k;
        if (!hub_ring_push(h, r, c))
            return false;
        after_push(h, r);
    }
    return true;
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
    if (f->key)
        r->init_waits = !fmp4_config(h, r, MEDIA_AUDIO);
    return true;
}

void hub_rings_frame(struct hub *h, struct media_frame *f)
{
    for (int i = 0; i < HUB_FORMATS; i++) {
        struct hub_ring *r = h->ring[i];

        if (!r || r->format == HUB_PS)
            continue;
        make_room(h, r);
        if (told_init(h, r, f) && hub_ring_frame(h, r, f))
            after_push(h, r);
    }
    hub_rings_trim(h);
}

/* Since the place where a viewer may begin, no more than of the cache. */
static void limit_raw(struct hub *h, struct hub_ring *r)
{
    const struct hub_slot *s = r->has_key ? hub_slot_at(r, r->key_seq) : NULL;

    if (s && (r->bytes - s->before_bytes > h->opt.gop_bytes ||
              r->newest90k - s->chunk->dts90k > (int64_t)h->opt.gop_ms * 90))
        r->has_key = false;
}

void hub_rings_raw(struct hub *h, struct media_chunk *c)
{
    struct hub_ring *r = h->ring[HUB_PS];

    make_room(h, r);
    limit_raw(h, r);
    if (hub_ring_push(h, r, c))
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
        hub_ring_forget_starts(r);
        if (t == MEDIA_AUDIO)
            r->fmp4.audio_begun = false; /* counts in samples of another rate */
        if (r->head == 0 || !hub_format_carries(r->format, h->config[t]->codec))
            continue; /* nobody has begun */
        make_room(h, r);
        if (r->format == HUB_FMP4) {
            if (!changed)
                continue; /* nobody has begun with this track */
            r->other_video = r->other_video || t == MEDIA_VIDEO;
            if (t == MEDIA_AUDIO && !h->audio_only)
                r->init_waits = true;
            else if (!fmp4_config(h, r, t))
                config_lost(h, r);
            continue;
        }
        err = hub_format_change(h, r, t, r->last90k[t], &c);
        if (!err)
            c->version = h->version;
        if (err == GB_ENOMEM || (!err && !hub_ring_push(h, r, c)))
            config_lost(h, r);
        else if (!err)
            after_push(h, r);
    }
    hub_rings_trim(h);
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
            if (hub_viewer_has_stalled(
                    h, container_of(n, struct hub_viewer, node))) {
                list_remove(n);
                list_push_back(&todo, n);
            }
        while ((n = todo.next) != &todo) {
            hub_viewer_finish(h, container_of(n, struct hub_viewer, node),
                              HUB_VIEWER_CUT);
        }
    }
    h->walking--;
    hub_rings_trim(h);
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
    hub_rings_trim(h);
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
            hub_viewer_finish(h, container_of(n, struct hub_viewer, node),
                              HUB_VIEWER_ENDED);
        while ((n = r->idle.next) != &r->idle)
            hub_viewer_finish(h, container_of(n, struct hub_viewer, node),
                              HUB_VIEWER_ENDED);
    }
    h->walking--;
    hub_rings_trim(h);
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
        hub_ring_free(h, (enum hub_format)i);
    }
}
