#include "app/media/hub.h"
#include "app/media/hub_int.h"
#include "base/prefetch.h"

#define RATE_WINDOW_MS 2000

static uint32_t or_default(uint32_t v, uint32_t def)
{
    return v ? v : def;
}

int hub_new(struct hub **out, const struct gb_alloc *alloc,
            const struct hub_hooks *hooks, const struct hub_options *opt)
{
    struct timeline_options tl = { .history = opt && opt->history };
    struct hub *h = gb_get(alloc, sizeof(*h));
    struct hub_options *o;

    if (!h)
        return GB_ENOMEM;
    h->alloc = alloc;
    h->hooks = *hooks;
    if (opt)
        h->opt = *opt;
    o = &h->opt;
    o->gop_bytes = or_default(o->gop_bytes, HUB_GOP_BYTES);
    o->gop_ms = or_default(o->gop_ms, HUB_GOP_MS);
    o->gop_frames = or_default(o->gop_frames, HUB_GOP_FRAMES);
    o->slow_ms = or_default(o->slow_ms, HUB_SLOW_MS);
    o->slow_bytes = or_default(o->slow_bytes, HUB_SLOW_BYTES);
    o->stall_ms = or_default(o->stall_ms, HUB_STALL_MS);
    o->max_viewers = or_default(o->max_viewers, HUB_MAX_VIEWERS);
    h->expect_audio = o->expect_audio;
    h->need_key = true;
    h->held = o->history;
    h->first_key_ms = h->first_sound_ms = h->last_frame_ms = GB_NEVER;
    h->unread_ms = h->blind_ms = GB_NEVER;
    h->raw.lost = true;
    h->next_tick_ms = h->sound_due_ms = GB_NEVER;
    timeline_init(&h->timeline, &tl);
    position_init(&h->position, o->history_ms);
    list_init(&h->taps);
    media_room_init(&h->room, alloc, o->blocks ? o->blocks : alloc);
    *out = h;
    return 0;
}

static void drop_gop(struct hub *h)
{
    for (uint32_t i = 0; i < h->n_gop; i++)
        media_frame_unref(h->gop[i]);
    h->n_gop = h->gop_pictures = 0;
    h->gop_bytes = 0;
    hub_rings_forget_key(h);
}

static void end_taps(struct hub *h)
{
    struct list *n;

    while ((n = list_pop_front(&h->taps)) != NULL) {
        struct hub_tap *t = container_of(n, struct hub_tap, node);

        if (t->on_end)
            t->on_end(t->ctx);
    }
}

void hub_free(struct hub *h)
{
    if (!h)
        return;
    end_taps(h);
    hub_rings_free(h);
    hub_raw_reset(h);
    drop_gop(h);
    gb_put(h->alloc, h->gop);
    media_frame_unref(h->key);
    for (int i = 0; i < MEDIA_TRACKS; i++)
        media_config_unref(h->config[i]);
    params_free(h->params);
    kept_sets_unref(h->kept);
    gb_put(h->alloc, h->audio.buf);
    hub_audio_release(h, false);
    media_room_fini(&h->room);
    gb_put(h->alloc, h);
}

void hub_end(struct hub *h)
{
    if (h->ended)
        return;
    hub_raw_end(h);
    h->ended = true;
    end_taps(h);
    hub_rings_end(h);
}

/* --- the cache ----------------------------------------------------------- */

static bool gop_has_room(struct hub *h)
{
    uint32_t cap = h->cap_gop ? h->cap_gop * 2 : 64;
    struct media_frame **gop;

    if (h->n_gop < h->cap_gop)
        return true;
    if (cap > HUB_GOP_ENTRIES)
        return false;
    gop = gb_get(h->alloc, cap * sizeof(*gop));
    if (!gop)
        return false;
    if (h->n_gop)
        memcpy(gop, h->gop, h->n_gop * sizeof(*gop));
    gb_put(h->alloc, h->gop);
    h->gop = gop;
    h->cap_gop = cap;
    return true;
}

void hub_held_end(struct hub *h)
{
    h->held = false;
    if (!h->ring[HUB_PS])
        hub_raw_reset(h);
}

static bool is_within_limits(const struct hub *h, const struct media_frame *f)
{
    const struct hub_options *o = &h->opt;

    if (h->held)
        return h->gop_bytes + f->n <= HUB_HELD_BYTES &&
               h->n_gop < HUB_GOP_ENTRIES &&
               f->dts90k - h->gop[0]->dts90k <= HUB_HELD_MS * 90;
    return h->gop_bytes + f->n <= o->gop_bytes &&
           h->gop_pictures < o->gop_frames &&
           f->dts90k - h->gop_dts90k <= (int64_t)o->gop_ms * 90;
}

/* From the newest key frame to now, or from the first one of a recording that
 * nobody has begun to watch: whole or not at all. */
static void cache(struct hub *h, struct media_frame *f)
{
    bool picture = f->track == MEDIA_VIDEO;

    if (h->held && h->n_gop && !is_within_limits(h, f))
        hub_held_end(h);
    if (picture && f->key) {
        if (!h->held)
            drop_gop(h);
        media_frame_unref(h->key);
        h->key = media_frame_ref(f);
    } else if (h->n_gop == 0) {
        return; /* no key frame before it, or it was too much */
    } else if (!is_within_limits(h, f)) {
        drop_gop(h);
        return;
    }
    if (!gop_has_room(h)) {
        drop_gop(h);
        return;
    }
    if (h->n_gop == 0)
        h->gop_dts90k = f->dts90k;
    h->gop[h->n_gop++] = media_frame_ref(f);
    h->gop_pictures += picture;
    h->gop_bytes += f->n;
}

static void count_rate(struct hub *h, size_t n)
{
    uint64_t ms = h->now_ms - h->rate_since_ms;

    if (h->rate_bytes == 0 && h->stats.bitrate == 0) {
        h->rate_since_ms = h->now_ms;
    } else if (ms >= RATE_WINDOW_MS) {
        uint64_t rate = h->rate_bytes * 8 * 1000 / ms;

        h->stats.bitrate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
        h->rate_bytes = 0;
        h->rate_since_ms = h->now_ms;
    }
    h->rate_bytes += n;
}

void hub_publish(struct hub *h, struct media_frame *f)
{
    struct media_config *c = h->config[f->track];
    struct list *n, *tmp;

    h->last_frame_ms = h->now_ms;
    count_rate(h, f->n);
    cache(h, f);
    hub_rings_frame(h, f);
    LIST_EACH(n, tmp, &h->taps) {
        struct hub_tap *t = container_of(n, struct hub_tap, node);

        t->on_frame(t->ctx, f, c);
    }
    media_frame_unref(f);
}

void hub_set_config(struct hub *h, enum media_track t, struct media_config *c)
{
    bool changed = h->config[t] != NULL;

    if (changed) { /* the cache is of the old one */
        h->stats.config_changes++;
        drop_gop(h);
    }
    media_config_unref(h->config[t]);
    h->config[t] = c;
    hub_rings_config(h, t, changed);
    if (h->hooks.on_config)
        h->hooks.on_config(h->hooks.ctx, t, c);
}

struct media_config *hub_config(const struct hub *h, enum media_track t)
{
    return h->config[t];
}

uint32_t hub_rtp_ssrc(const struct hub *h, enum media_track t)
{
    return rtpmux_ssrc(h->opt.rtp_seed, t);
}

/* --- video ---------------------------------------------------------------- */

/* The stream turns out to be of another codec: everything begins anew. */
static bool set_codec(struct hub *h, enum ps_codec codec)
{
    struct params *p;

    if (h->video == codec)
        return true;
    if (params_new(&p, h->alloc, codec))
        return false;
    params_free(h->params);
    h->params = p;
    h->video = codec;
    h->need_key = true;
    drop_gop(h);
    return true;
}

static bool is_same_config(const struct media_config *a,
                           const struct media_config *b)
{
    return a && a->codec == b->codec && slice_eq(a->record, b->record);
}

static void set_video(struct hub *h, struct media_config *c)
{
    h->version++;
    timeline_set_reorder(&h->timeline, c->reorder);
    stamps_config(&h->stamps, c);
    hub_set_config(h, MEDIA_VIDEO, c);
}

void hub_remember(struct hub *h, struct kept_sets *sets)
{
    kept_sets_unref(h->kept);
    h->kept = kept_sets_ref(sets);
}

/* At a key frame: the parameter sets become the configuration. */
static void learn_video(struct hub *h)
{
    struct media_config *c;

    if (params_config(h->params, h->version + 1, &c))
        return;
    h->params_changed = false;
    hub_remember(h, NULL);
    if (is_same_config(h->config[MEDIA_VIDEO], c)) {
        media_config_unref(c);
        return;
    }
    set_video(h, c);
}

/* At a key frame without any: those of an earlier session (field-note 8.8). */
static void recall_video(struct hub *h)
{
    struct media_config *c;

    if (!h->kept || !params_are_none(h->params) ||
        kept_sets_config(h->kept, h->alloc, h->video, h->version + 1, &c))
        return;
    set_video(h, c);
    hub_want_key(h); /* one that was asked for has its own, mostly */
}

static bool is_wanted(struct hub *h, const struct ps_au *au)
{
    const struct media_config *c;

    if (!set_codec(h, au->codec))
        return false;
    if (params_take(h->params, au))
        h->params_changed = true;
    if (au->key && h->params_changed)
        learn_video(h);
    if (au->key && !h->config[MEDIA_VIDEO])
        recall_video(h);
    c = h->config[MEDIA_VIDEO];
    if (!c || c->codec != au->codec)
        return false;
    if ((au->corrupt || au->discontinuity) && h->opt.freeze_on_loss)
        h->need_key = true;
    return au->key || !h->need_key;
}

static void time_picture(struct hub *h, const struct ps_au *au,
                         struct media_frame *f)
{
    struct timeline_in in = { .track = MEDIA_VIDEO,
                              .alone = au->key && h->after_key,
                              .has_rtp = true,
                              .rtp_ts = au->rtp_ts,
                              .now_ms = h->now_ms };
    struct timeline_out out;

    if (h->opt.history && au->has_pts)
        position_next(&h->position, au->pts90k, au->key);
    in.has_pts = stamps_next(&h->stamps, au, &in.pts90k);
    timeline_next(&h->timeline, &in, &out);
    h->after_key = au->key;
    h->stats.discontinuities += out.new_epoch;
    f->dts90k = out.dts90k;
    f->pts90k = out.pts90k;
    f->duration90k = out.duration90k;
    f->discontinuity = f->discontinuity || out.new_epoch;
    f->arrival_ms = h->now_ms;
    f->config_version = h->config[MEDIA_VIDEO]->version;
}

static void note_key(struct hub *h, const struct media_frame *f)
{
    if (h->stats.keys++)
        h->stats.key_interval_ms =
            (uint32_t)((f->dts90k - h->last_key90k) / 90);
    h->last_key90k = f->dts90k;
    if (h->first_key_ms == GB_NEVER)
        h->first_key_ms = h->now_ms;
    if (h->key_told)
        return;
    h->key_told = true;
    if (h->hooks.on_first_key)
        h->hooks.on_first_key(h->hooks.ctx);
}

static void video_au(struct hub *h, const struct ps_au *au)
{
    struct media_frame *f;
    int err;

    if (!is_wanted(h, au)) {
        h->stats.dropped++;
        hub_audio_release(h, false);
        if (h->blind_ms == GB_NEVER)
            h->blind_ms = h->now_ms;
        return;
    }
    err = media_room_au(&f, &h->room, au);
    if (err) {
        h->stats.dropped++;
        if (err == GB_ENOMEM) { /* what follows refers to it */
            h->need_key = true;
            drop_gop(h);
        }
        return;
    }
    h->need_key = false;
    h->begun = true;
    h->audio_only = false;
    time_picture(h, au, f);
    if (h->opt.history && f->discontinuity && !f->key) {
        h->need_key = true; /* after a seek: pictures refer to others */
        h->stats.dropped++;
        media_frame_unref(f);
        return;
    }
    h->stats.frames++;
    if (f->key)
        note_key(h, f);
    hub_publish(h, f);
    hub_audio_release(h, true);
}

/* A codec that is not read. Bytes may yet prove that it is another one. */
static void unread_au(struct hub *h, const struct ps_au *au)
{
    h->stats.dropped++;
    if (h->unread_ms == GB_NEVER)
        h->unread_ms = h->now_ms;
    if (h->video != PS_CODEC_UNKNOWN || h->key_told || !au->has_pack ||
        h->now_ms - h->unread_ms < HUB_UNREAD_MS)
        return;
    h->key_told = true;
    if (h->hooks.on_first_key)
        h->hooks.on_first_key(h->hooks.ctx);
}

void hub_prefetch(const struct hub *h)
{
    prefetch_room(h, sizeof(*h));
    prefetch(h->params);
    prefetch(h->config[MEDIA_VIDEO]);
    prefetch_room(h->room.open, PREFETCH_LINE);
    if (h->n_gop < h->cap_gop)
        prefetch_room(&h->gop[h->n_gop], sizeof(*h->gop));
}

void hub_au(struct hub *h, const struct ps_au *au, uint64_t now_ms)
{
    h->now_ms = now_ms;
    if (h->ended)
        return;
    hub_raw_au(h, au);
    if (au->codec == PS_CODEC_H264 || au->codec == PS_CODEC_H265)
        video_au(h, au);
    else if (ps_codec_is_video(au->codec) || au->codec == PS_CODEC_UNKNOWN)
        unread_au(h, au);
    else
        hub_audio_au(h, au);
    if (hub_deadline(h) <= now_ms)
        hub_tick(h, now_ms);
}

void hub_stream(struct hub *h, const struct ps_stream *s)
{
    if (!ps_codec_is_video(s->codec) && fmp4_carries(s->codec))
        h->expect_audio = true;
}

void hub_reopen(struct hub *h)
{
    h->need_key = true;
    h->key_told = h->sound_told = false;
}

void hub_pace(struct hub *h, int32_t scale_milli, int64_t seek_ms)
{
    timeline_set_scale(&h->timeline, scale_milli);
    position_turn(&h->position, scale_milli < 0);
    if (h->held && seek_ms >= 0) { /* it is there that they want to begin */
        drop_gop(h);
        hub_raw_lose(h);
    }
    position_seek(&h->position, seek_ms);
}

void hub_tick(struct hub *h, uint64_t now_ms)
{
    h->now_ms = now_ms;
    if (h->sound_due_ms <= now_ms)
        hub_rings_sound(h);
    if (h->next_tick_ms > now_ms)
        return;
    h->next_tick_ms = h->n_viewers ? now_ms + HUB_TICK_MS : GB_NEVER;
    hub_rings_tick(h);
}

uint64_t hub_deadline(const struct hub *h)
{
    return h->sound_due_ms < h->next_tick_ms ? h->sound_due_ms
                                             : h->next_tick_ms;
}

/* --- snapshot, taps, figures ----------------------------------------------- */

int hub_snapshot(struct hub *h, struct media_chunk **out)
{
    const struct media_config *c = h->config[MEDIA_VIDEO];

    if (!h->key)
        return GB_ENOENT;
    if (!c || h->key->config_version != c->version)
        return GB_ENOENT; /* between a new configuration and its picture */
    return fmp4_snapshot_chunk(out, h->alloc, c, h->key);
}

void hub_tap_add(struct hub *h, struct hub_tap *t, bool from_gop)
{
    list_push_back(&h->taps, &t->node);
    for (uint32_t i = 0; from_gop && i < h->n_gop; i++)
        t->on_frame(t->ctx, h->gop[i], h->config[h->gop[i]->track]);
    hub_held_end(h);
}

void hub_tap_remove(struct hub_tap *t)
{
    if (t->node.next)
        list_remove(&t->node);
}

double hub_fps(const struct hub *h)
{
    uint32_t ft = timeline_frame_time(&h->timeline);

    return ft ? 90000.0 / ft : 0;
}

void hub_stats(const struct hub *h, uint64_t now_ms, struct hub_stats *out)
{
    const struct media_config *v = h->config[MEDIA_VIDEO];
    const struct media_config *a = h->config[MEDIA_AUDIO];

    *out = h->stats;
    if (v) {
        out->video = v->codec;
        out->width = v->width;
        out->height = v->height;
        out->fps = hub_fps(h);
    }
    if (a) {
        out->audio = a->codec;
        out->rate_hz = a->rate_hz;
        out->channels = a->channels;
    }
    out->position_ms = h->position.at_ms;
    out->last_frame_age_ms =
        h->last_frame_ms == GB_NEVER ? GB_NEVER : now_ms - h->last_frame_ms;
    out->first_key_ms = h->first_key_ms;
    for (int i = 0; i < HUB_FORMATS; i++)
        out->viewers[i] = h->ring[i] ? h->ring[i]->n_viewers : 0;
    out->cached_frames = h->n_gop;
    out->cached_bytes = h->gop_bytes;
}

int64_t hub_position_ms(const struct hub *h)
{
    return h->position.at_ms;
}
