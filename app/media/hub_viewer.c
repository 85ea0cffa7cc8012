/* A viewer of a ring: what it begins with, when it skips, what it reads. */
#include "app/media/hub_int.h"

#include <assert.h>

/* --- states of a viewer ---------------------------------------------------- */

void hub_viewer_wake(struct hub *h, struct hub_viewer *v)
{
    v->idle = false;
    if (h->hooks.on_wake)
        h->hooks.on_wake(h->hooks.ctx, v);
}

void hub_viewer_move(struct hub_viewer *v, struct list *to)
{
    list_remove(&v->node);
    list_push_back(to, &v->node);
}

/* ENDED or CUT: it will get no more than its window. */
void hub_viewer_finish(struct hub *h, struct hub_viewer *v,
                       enum hub_viewer_state state)
{
    v->state = state;
    h->stats.cuts += state == HUB_VIEWER_CUT;
    hub_viewer_move(v, &h->ring[v->opt.format]->dead);
    hub_viewer_wake(h, v);
}

/* The time that the chunk tells, less the viewer's beginning; negative: it was
 * before that. In its timescale. */
static int64_t own_time(const struct hub_viewer *v, const struct media_chunk *c)
{
    int64_t scale = c->timescale;

    return media_chunk_time(c) - (v->base90k * scale + 45000) / 90000;
}

/* A viewer's time begins with its first picture: VLC shows nothing for as long
 * as the time of the first fragment tells. */
static void put_time(char p[static MEDIA_TIME_BYTES], int64_t at)
{
    struct writer w = writer_of(p, MEDIA_TIME_BYTES);

    writer_be64(&w, at > 0 ? (uint64_t)at : 0);
}

static void window_put(struct hub_viewer *v, struct media_chunk *c)
{
    size_t at = (v->first + v->n_held) % HUB_WINDOW_CHUNKS;

    assert(v->n_held < HUB_WINDOW_CHUNKS);
    v->held[at] = media_chunk_ref(c);
    v->n_held++;
    v->held_bytes += media_chunk_size(c, v->opt.framing);
    if (!c->timescale)
        return;
    put_time(v->time[at], own_time(v, c));
    v->timed = true;
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
        hub_format_start(h, r, mask, hub_slot_at(r, r->key_seq)->chunk->dts90k,
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
                                hub_slot_at(r, r->key_seq)->chunk->dts90k,
                                &chunk);
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
        v->allow90k = r->newest90k - hub_slot_at(r, r->key_seq)->chunk->dts90k;
        v->allow_bytes = r->bytes - hub_slot_at(r, r->key_seq)->before_bytes;
    }
    if (!v->timed)
        v->base90k = hub_slot_at(r, r->key_seq)->chunk->dts90k;
    hub_held_end(h);
    v->state = again ? HUB_VIEWER_LIVE : HUB_VIEWER_CATCH_UP;
    v->seq = r->key_seq;
    v->skip_leading = true;
    if (v->idle || !again)
        v->progress_ms = h->now_ms;
    hub_viewer_move(v, &r->busy);
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
void hub_viewer_try(struct hub *h, struct hub_ring *r, struct hub_viewer *v,
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
        hub_viewer_wake(h, v);
}

static int64_t lag_of(const struct hub_ring *r, const struct hub_viewer *v)
{
    return v->seq < r->head
               ? r->newest90k - hub_slot_at(r, v->seq)->chunk->dts90k
               : 0;
}

bool hub_viewer_is_slow(const struct hub *h, const struct hub_ring *r,
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
    return r->newest90k - hub_slot_at(r, seq)->chunk->dts90k > ms90k ||
           r->bytes - hub_slot_at(r, seq)->before_bytes > bytes;
}

/* Too far behind: on to the newest key frame, or wait for the next. */
void hub_viewer_skip(struct hub *h, struct hub_ring *r, struct hub_viewer *v)
{
    v->jumps++;
    h->stats.jumps++;
    v->state = HUB_VIEWER_SKIP;
    if (r->has_key && r->key_seq > v->seq &&
        !hub_viewer_is_slow(h, r, v, r->key_seq, false) && join(h, r, v))
        return;
    v->dropped += r->head - v->seq;
    v->seq = r->head;
    hub_viewer_move(v, &r->waiting);
    hub_want_key(h);
}

bool hub_viewer_has_stalled(const struct hub *h, const struct hub_viewer *v)
{
    return !v->idle && h->now_ms - v->progress_ms > h->opt.stall_ms;
}

bool hub_viewer_wants(struct hub_viewer *v, const struct media_chunk *c)
{
    if (c->config && c->version <= v->version)
        return false; /* its start had it: once more, and players wait for
                         the next key frame */
    if (c->config && c->tracks)
        return c->tracks == v->tracks;
    if (!(v->tracks & TRACK_BIT(c->track)))
        return false;
    if (c->track != MEDIA_VIDEO || c->config)
        return !c->timescale || own_time(v, c) >= 0;
    if (c->leading && v->skip_leading)
        return false;
    if (!c->key && !c->leading)
        v->skip_leading = false;
    return true;
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
        err = hub_ring_new(h, opt->format);
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
    hub_viewer_try(h, r, v, false);
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
    hub_ring_of(v)->n_viewers--;
    h->n_viewers--;
    v->hub = NULL;
    hub_rings_trim(h);
}

static void fill_window(struct hub_ring *r, struct hub_viewer *v)
{
    while (v->seq < r->head && v->n_held < HUB_WINDOW_CHUNKS &&
           v->held_bytes < HUB_WINDOW_BYTES) {
        struct media_chunk *c = hub_slot_at(r, v->seq++)->chunk;

        if (!hub_viewer_wants(v, c))
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
        hub_viewer_move(v, &hub_ring_of(v)->dead);
        return;
    }
    v->idle = true;
    if (is_running(v))
        hub_viewer_move(v, &hub_ring_of(v)->idle);
}

size_t hub_viewer_next(struct hub_viewer *v, struct media_iov *out, size_t max,
                       bool one_message)
{
    size_t n = 0, off = v->off;

    if (v->state == HUB_VIEWER_CUT)
        return 0;
    if (is_running(v)) {
        if (v->idle && v->seq < hub_ring_of(v)->head) { /* sound that waits */
            v->idle = false;
            v->progress_ms = v->hub->now_ms;
            hub_viewer_move(v, &hub_ring_of(v)->busy);
        }
        fill_window(hub_ring_of(v), v);
    }
    for (uint16_t i = 0; i < v->n_held && n < max; i++) {
        size_t at = (v->first + i) % HUB_WINDOW_CHUNKS;
        struct media_chunk *c = v->held[at];

        n += media_chunk_iov_timed(c, v->opt.framing,
                                   c->timescale ? v->time[at] : NULL, off,
                                   out + n, max - n);
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
    int64_t lag = is_running(v) ? lag_of(hub_ring_of(v), v) / 90 : 0;

    return lag > 0 ? (uint32_t)lag : 0;
}

bool hub_viewer_mime(const struct hub_viewer *v,
                     char buf[static HUB_MIME_MAX])
{
    struct writer w = writer_of(buf, HUB_MIME_MAX);
    struct hub_ring *r;

    if (!v->hub || v->state == HUB_VIEWER_WAIT_CONFIG || v->tracks == 0)
        return false;
    r = hub_ring_of(v);
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
