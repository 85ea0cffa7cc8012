/* A stream of a media loop, and those who watch it. */
#include "app/net/media_int.h"

#include <stdlib.h>

void media_stream_say(struct media_stream *s, enum platform_media_kind kind,
                      int err, const char *text)
{
    struct platform_media_event ev = { .kind = kind, .session = s->session,
                                       .err = err, .text = text };
    struct hub_stats st;

    if (s->ingest)
        ingest_fill(s->ingest, &ev);
    if (s->speaker)
        speaker_counters(s->speaker, &ev.said);
    if (s->shared && s->waits)
        ev.foreign += owners_astray(s->loop->net->owners, s->session);
    hub_stats(s->hub, uv_now(&s->loop->uv), &st);
    ev.position_ms = st.position_ms;
    ev.keys = st.keys;
    ev.width = st.width;
    ev.height = st.height;
    if (st.video != PS_CODEC_UNKNOWN)
        ev.video = st.video;
    if (st.audio != PS_CODEC_UNKNOWN)
        ev.audio = st.audio;
    ev.sets = s->sets;
    s->said_packets = ev.packets;
    media_net_event(s->loop->net, &ev);
}

/* Told at the end of the turn: what comes in it goes out in one write. */
static void on_wake(void *ctx, struct hub_viewer *v)
{
    struct media_client *c = container_of(v, struct media_client, v);
    struct media_stream *s = ctx;

    if (list_is_empty(&c->woken))
        list_push_back(&s->loop->woken, &c->woken);
}

void media_loop_tell_woken(struct media_loop *l)
{
    struct list *n;

    while ((n = list_pop_front(&l->woken)) != NULL) {
        struct media_client *c = container_of(n, struct media_client, woken);

        c->on_wake(c);
    }
}

/* A hub wants its tick by then. */
void media_loop_tick_by(struct media_loop *l, uint64_t due_ms)
{
    uint64_t now_ms = uv_now(&l->uv);
    uint64_t in_ms = due_ms > now_ms ? due_ms - now_ms : 0;

    if (uv_is_active((uv_handle_t *)&l->soon) &&
        uv_timer_get_due_in(&l->soon) <= in_ms)
        return;
    uv_timer_start(&l->soon, media_loop_on_soon, in_ms, 0);
}

static void on_sooner(void *ctx)
{
    struct media_stream *s = ctx;

    media_loop_tick_by(s->loop, hub_deadline(s->hub));
}

static void on_first_key(void *ctx)
{
    struct media_stream *s = ctx;

    if (!s->said_key && s->ingest) {
        s->said_key = true;
        media_stream_say(s, PLATFORM_MEDIA_KEY, 0, NULL);
    }
}

static void on_want_key(void *ctx)
{
    struct media_stream *s = ctx;

    if (s->ingest)
        media_stream_say(s, PLATFORM_MEDIA_WANT_KEY, 0, NULL);
}

static void on_sound_alone(void *ctx)
{
    struct media_stream *s = ctx;

    if (s->ingest)
        media_stream_say(s, PLATFORM_MEDIA_SOUND, 0, NULL);
}

static void on_config(void *ctx, enum media_track track,
                      const struct media_config *c)
{
    struct media_stream *s = ctx;

    if (track != MEDIA_VIDEO)
        return;
    kept_sets_unref(s->sets);
    s->sets = kept_sets_new(&gb_alloc_heap, c);
}

struct media_stream *media_stream_find(struct media_loop *l, uint64_t session)
{
    struct slice key = { (const char *)&session, sizeof(session) };
    struct map_node *n = map_find(&l->by_session, key);

    return n ? container_of(n, struct media_stream, node) : NULL;
}

/* UTC when the loop's clock was 0. */
int64_t media_loop_utc(uv_loop_t *uv)
{
    uv_timeval64_t tv;

    if (uv_gettimeofday(&tv))
        return 0;
    return tv.tv_sec * 1000 + tv.tv_usec / 1000 - (int64_t)uv_now(uv);
}

/* history_ms: length of the recording; below 0: live. */
struct media_stream *media_stream_new(struct media_loop *l, uint64_t session,
                                      int64_t history_ms)
{
    struct media_stream *s = calloc(1, sizeof(*s));
    struct hub_hooks hooks = { .on_wake = on_wake,
                               .on_sooner = on_sooner,
                               .on_first_key = on_first_key,
                               .on_want_key = on_want_key,
                               .on_config = on_config,
                               .on_sound_alone = on_sound_alone, .ctx = s };
    struct hub_options opt = l->net->o.hub;

    opt.history = history_ms >= 0;
    opt.history_ms = history_ms;
    opt.blocks = rooms_alloc(l->net->rooms);
    opt.rtp_seed = session;
    opt.utc_base_ms = media_loop_utc(&l->uv);
    if (!s)
        return NULL;
    s->session = session;
    s->history = opt.history;
    s->loop = l;
    list_init(&s->clients);
    if (hub_new(&s->hub, &gb_alloc_heap, &hooks, &opt)) {
        free(s);
        return NULL;
    }
    map_insert(&l->by_session, &s->node,
               slice_of((const char *)&s->session, sizeof(s->session)));
    list_push_back(&l->streams, &s->in_loop);
    if (l->n_streams++ == 0)
        uv_timer_start(&l->tick, media_loop_on_tick, MEDIA_TICK_MS,
                       MEDIA_TICK_MS);
    return s;
}

void media_stream_free(struct media_stream *s)
{
    struct media_loop *l = s->loop;

    map_remove(&l->by_session, &s->node);
    list_remove(&s->in_loop);
    l->n_streams--;
    media_hls_free(s->hls);
    hub_free(s->hub);
    rtplog_unref(s->headers);
    kept_sets_unref(s->sets);
    free(s);
}

/* A recording has ended, and players still come for its last segments: they have
 * MEDIA_HLS_IDLE_MS from their last playlist before its end on, as long as the
 * session is held for them (app/http/hls.c). */
static bool is_fetched(const struct media_stream *s)
{
    return s->history && s->hls && !s->loop->stopping;
}

/* Only where no call of its hub is on the stack. */
void media_stream_try_free(struct media_stream *s)
{
    struct media_loop *l = s->loop;

    if (s->forgotten && !s->ingest && !s->closing &&
        list_is_empty(&s->clients) && !is_fetched(s))
        media_stream_free(s);
    media_loop_maybe_stop(l);
}

void media_stream_on_ingest(void *ctx, enum platform_media_kind kind, int err,
                            const char *text)
{
    media_stream_say(ctx, kind, err, text);
}

void media_stream_on_ingest_freed(void *ctx)
{
    struct media_stream *s = ctx;

    s->closing--;
    media_after_watch(s);
    if (s->say_closed && !s->closing) {
        s->say_closed = false;
        media_stream_say(s, PLATFORM_MEDIA_CLOSED, 0, NULL);
    }
    media_stream_try_free(s);
}

void media_stream_close_ingest(struct media_stream *s)
{
    struct receiver_counters c;

    speaker_free(s->speaker);
    s->speaker = NULL;

    ingest_counters(s->ingest, &c);
    s->loop->gone.packets += c.packets;
    s->loop->gone.bytes += c.bytes;
    s->loop->gone.lost += c.lost;
    s->loop->gone.foreign += c.foreign;
    s->loop->gone.invalid += c.invalid;
    s->loop->gone.kernel_drops += c.kernel_drops;
    s->closing++;
    media_after_note(s);
    media_share_stop(s);
    ingest_free(s->ingest);
    s->ingest = NULL;
}

/* ---- clients ------------------------------------------------------------------------ */

void media_client_join(struct media_loop *l, struct media_client *c)
{
    list_push_back(&l->clients, &c->in_loop);
    list_init(&c->node);
    list_init(&c->woken);
}

void media_client_leave(struct media_client *c)
{
    media_client_remove(c);
    list_remove(&c->in_loop);
}

int media_client_add(struct media_loop *l, uint64_t session,
                     struct media_client *c,
                     const struct hub_viewer_options *opt)
{
    struct media_stream *s = media_stream_find(l, session);
    int err;

    if (!s || l->stopping)
        return GB_ENOENT;
    err = hub_viewer_add(s->hub, &c->v, opt, uv_now(&l->uv));
    if (err)
        return err;
    c->stream = s;
    list_push_back(&s->clients, &c->node);
    return 0;
}

void media_client_remove(struct media_client *c)
{
    if (!c->stream)
        return;
    hub_viewer_remove(&c->v);
    list_remove(&c->node);
    list_remove(&c->woken);
    c->stream = NULL; /* the tick frees what nobody needs */
}

int media_loop_tracks(struct media_loop *l, uint64_t session,
                      struct media_tracks *out)
{
    struct media_stream *s = media_stream_find(l, session);

    if (!s || l->stopping)
        return GB_ENOENT;
    if (!hub_is_decided(s->hub, uv_now(&l->uv)))
        return GB_EAGAIN;
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        struct media_config *c = hub_config(s->hub, (enum media_track)t);

        out->config[t] = c ? media_config_ref(c) : NULL;
        out->ssrc[t] = hub_rtp_ssrc(s->hub, (enum media_track)t);
    }
    return 0;
}

int media_loop_tap(struct media_loop *l, uint64_t session, struct hub_tap *t,
                   bool from_gop, struct hub **hub)
{
    struct media_stream *s = media_stream_find(l, session);

    if (!s || s->forgotten || l->stopping)
        return GB_ENOENT;
    *hub = s->hub;
    hub_tap_add(s->hub, t, from_gop);
    return 0;
}

int media_loop_snapshot(struct media_loop *l, uint64_t session,
                        struct media_chunk **out)
{
    struct media_stream *s = media_stream_find(l, session);

    return s ? hub_snapshot(s->hub, out) : GB_ENOENT;
}

bool media_loop_has_program(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = media_stream_find(l, session);

    return s && hub_has_program(s->hub);
}

void media_loop_hls(struct media_loop *l, struct media_hls_ask *a)
{
    struct media_stream *s = media_stream_find(l, a->session);
    struct media_hls *none = NULL;

    if (!s || l->stopping || (s->forgotten && !is_fetched(s)))
        media_hls_answer(&none, NULL, a, 0);
    else
        media_hls_answer(&s->hls, s->hub, a, uv_now(&l->uv));
}
