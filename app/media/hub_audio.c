/* Audio of the hub: PES payloads into frames of one codec unit each. */
#include "app/media/flac.h"
#include "app/media/g711.h"
#include "app/media/hub_int.h"

#define MAX_PES (1u << 16) /* an audio PES cannot be longer */
#define DEFAULT_AAC_HZ 16000

/* Stamp of the PES: that of the first frame that begins in it, be it whole
 * here or in the next one. */
struct stamp {
    struct hub *h;
    const struct ps_au *au;
    bool has_pts; /* and not used yet */
    uint64_t pts90k;
    bool first;   /* no frame has come of it yet */
};

static bool fits(struct hub_audio *a, const struct gb_alloc *alloc, size_t n)
{
    size_t cap = a->cap ? a->cap : 2048;
    uint8_t *buf;

    if (n <= a->cap)
        return true;
    while (cap < n)
        cap *= 2;
    buf = gb_get(alloc, cap);
    if (!buf)
        return false;
    if (a->n)
        memcpy(buf, a->buf, a->n);
    gb_put(alloc, a->buf);
    a->buf = buf;
    a->cap = cap;
    return true;
}

static struct media_config *new_config(struct hub *h, enum ps_codec codec,
                                       uint32_t rate_hz, uint8_t channels)
{
    struct media_config *c =
        gb_get(h->alloc, sizeof(*c) + AAC_ASC_BYTES);

    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    c->alloc = h->alloc;
    c->codec = codec;
    c->version = ++h->version;
    c->rate_hz = rate_hz;
    c->channels = channels;
    return c;
}

static bool learn_g711(struct hub *h, enum ps_codec codec)
{
    struct media_config *c = h->config[MEDIA_AUDIO];

    if (c && c->codec == codec)
        return true;
    c = new_config(h, codec, G711_RATE_HZ, 1);
    if (!c)
        return false;
    /* RFC 6381 has no name for it; ours is that of WAVE_FORMAT_ALAW */
    slice_copy(c->codec_string, sizeof(c->codec_string),
               slice_str(codec == PS_CODEC_G711A ? "alaw" : "ulaw"));
    h->audio.samples = 0;
    hub_set_config(h, MEDIA_AUDIO, c);
    return true;
}

static bool is_known(const struct hub *h, const struct aac_config *cfg)
{
    const struct media_config *c = h->config[MEDIA_AUDIO];
    const struct aac_config *old = &h->audio.aac;

    return c && c->codec == PS_CODEC_AAC &&
           old->freq_index == cfg->freq_index &&
           old->object_type == cfg->object_type &&
           old->channels == cfg->channels;
}

static bool learn_aac(struct hub *h, const struct aac_config *aac)
{
    struct media_config *c;
    uint8_t ch = aac->channels == 7 ? 8 : aac->channels ? aac->channels : 2;
    struct writer w;

    if (is_known(h, aac))
        return true;
    c = new_config(h, PS_CODEC_AAC, aac_rate(aac->freq_index), ch);
    if (!c)
        return false;
    w = writer_of(c->bytes, AAC_ASC_BYTES);
    aac_asc_write(&w, aac);
    c->record = writer_slice(&w);
    w = writer_of(c->codec_string, sizeof(c->codec_string) - 1);
    writer_f(&w, "mp4a.40.%u", aac->object_type);
    h->audio.aac = *aac;
    h->audio.samples = 0;
    hub_set_config(h, MEDIA_AUDIO, c);
    return true;
}

/* Of n samples, exact in the long run. */
static uint32_t duration(struct hub_audio *a, uint32_t n, uint32_t rate_hz)
{
    uint64_t from = (uint64_t)a->samples * 90000 / rate_hz;
    uint64_t to = ((uint64_t)a->samples + n) * 90000 / rate_hz;

    a->samples = (a->samples + n) % rate_hz;
    return (uint32_t)(to - from);
}

static bool tell_sound(struct hub *h)
{
    if (h->audio_only && !h->sound_told && h->hooks.on_sound_alone)
        h->hooks.on_sound_alone(h->hooks.ctx);
    h->sound_told |= h->audio_only;
    return true;
}

/* Sound from before the first picture is not played. */
static bool may_begin(struct hub *h)
{
    if (h->begun)
        return tell_sound(h);
    if (h->video != PS_CODEC_UNKNOWN ||
        h->now_ms - h->first_sound_ms < HUB_NO_VIDEO_MS)
        return false;
    h->begun = h->audio_only = true;
    return tell_sound(h);
}

static void publish(struct hub *h, struct media_frame *f,
                    const struct timeline_in *in)
{
    struct timeline_out out;

    timeline_next(&h->timeline, in, &out);
    h->stats.discontinuities += out.new_epoch;
    if (out.drop) {
        h->stats.dropped++;
        media_frame_unref(f);
        return;
    }
    f->dts90k = f->pts90k = out.dts90k;
    f->duration90k = out.duration90k;
    f->arrival_ms = h->now_ms;
    h->stats.sounds++;
    hub_publish(h, f);
}

void hub_audio_release(struct hub *h, bool play)
{
    struct hub_audio *a = &h->audio;
    unsigned n = a->n_early;

    a->n_early = 0;
    for (unsigned i = 0; i < n; i++) {
        struct hub_early *e = &a->early[i];

        e->frame->early = false; /* it is behind its picture now */
        if (play && h->config[MEDIA_AUDIO] &&
            e->frame->config_version == h->config[MEDIA_AUDIO]->version)
            publish(h, e->frame, &e->in);
        else
            media_frame_unref(e->frame);
    }
}

static void take(struct stamp *s, struct slice raw, uint32_t n_samples)
{
    struct hub *h = s->h;
    const struct media_config *c = h->config[MEDIA_AUDIO];
    struct timeline_in in = { .track = MEDIA_AUDIO, .now_ms = h->now_ms };
    struct media_frame *f;
    bool first, early;

    in.duration90k = duration(&h->audio, n_samples, c->rate_hz);
    in.has_pts = s->has_pts;
    in.pts90k = s->pts90k;
    in.has_rtp = s->first;
    in.rtp_ts = s->au->rtp_ts;
    first = s->first;
    s->has_pts = s->first = false;
    early = !may_begin(h);
    f = early && (!s->au->early || h->audio.n_early == HUB_EARLY_MAX)
            ? NULL
            : media_room_frame(&h->room, raw.n);
    if (!f) {
        h->stats.dropped++;
        return;
    }
    memcpy(f->data, raw.p, raw.n);
    f->track = MEDIA_AUDIO;
    f->codec = c->codec;
    f->key = true;
    f->discontinuity = s->au->discontinuity && first;
    f->early = s->au->early;
    f->config_version = c->version;
    if (early)
        h->audio.early[h->audio.n_early++] = (struct hub_early){ f, in };
    else
        publish(h, f, &in);
}

static void take_g711(struct stamp *s, struct slice in)
{
    while (in.n) {
        struct slice part = slice_head(in, FLAC_MAX_BLOCK);

        take(s, part, (uint32_t)part.n);
        in = slice_from(in, part.n);
    }
}

static void on_raw(void *ctx, struct slice raw)
{
    take(ctx, raw, AAC_FRAME_SAMPLES);
}

static void on_nothing(void *ctx, struct slice raw)
{
    (void)ctx;
    (void)raw;
}

/* Without ADTS nothing tells the rate: the SDP's, or a usual one. */
static bool take_au_headers(struct stamp *s, struct slice in)
{
    uint32_t hz = s->h->opt.aac_rate_hz;
    int index = aac_freq_index(hz ? hz : DEFAULT_AAC_HZ);
    struct aac_config cfg = { 2, (uint8_t)(index < 0 ? 8 : index), 1 };
    const struct media_config *c = s->h->config[MEDIA_AUDIO];

    if (c && c->codec == PS_CODEC_AAC)
        cfg = s->h->audio.aac;
    if (!aac_au_headers(in, on_nothing, NULL) || !learn_aac(s->h, &cfg))
        return false;
    return aac_au_headers(in, on_raw, s);
}

/* A frame that begins among the first `rest` bytes was begun in the PES before, and
 * has its stamp. */
static void take_frame(struct stamp *s, struct slice raw, bool before)
{
    struct hub_audio *a = &s->h->audio;
    struct stamp early = { s->h, s->au, a->rest_has_pts, a->rest_pts90k,
                           false };

    if (before)
        a->rest_has_pts = false;
    take(before ? &early : s, raw, AAC_FRAME_SAMPLES);
}

/* What was found by searching may be bytes of something else: AAC without ADTS,
 * damage. The next header stands behind it, or nothing. */
static bool is_followed(struct slice behind)
{
    struct aac_config cfg;
    struct aac_frame f;

    return aac_adts_parse(&cfg, &f, behind) != GB_ESYNTAX;
}

/* ADTS frames; returns the bytes used, the rest waits for the next PES.
 * rest: bytes at the start that an earlier PES has stamped */
static size_t take_adts(struct stamp *s, struct slice in, size_t rest)
{
    size_t off = 0, due = rest ? in.n : 0;

    while (off < in.n) {
        struct aac_config cfg;
        struct aac_frame f;
        int err = aac_adts_parse(&cfg, &f, slice_from(in, off));

        if (err == GB_EAGAIN)
            break;
        if (err || (off != due && !is_known(s->h, &cfg) &&
                    !is_followed(slice_from(in, off + f.whole)))) {
            off++; /* damage: on to the next sync byte */
            continue;
        }
        if (!learn_aac(s->h, &cfg))
            return in.n;
        take_frame(s, f.raw, off < rest);
        off = due = off + f.whole;
    }
    return off;
}

/* As take_adts. */
static size_t take_loas(struct stamp *s, size_t rest)
{
    struct hub_audio *a = &s->h->audio;
    size_t off = 0;

    while (off < a->n) {
        struct aac_frame f;
        int err = aac_loas_parse(&a->loas, &f, a->buf + off, a->n - off);

        if (err == GB_EAGAIN)
            break;
        if (err) {
            off++;
            continue;
        }
        if (f.raw.n && learn_aac(s->h, &a->loas))
            take_frame(s, f.raw, off < rest);
        off += f.whole;
    }
    return off;
}

/* It begins like it, and no other form has been seen to carry sound. */
static bool is_loas(const struct hub *h)
{
    const struct hub_audio *a = &h->audio;
    const struct media_config *c = h->config[MEDIA_AUDIO];

    return a->n && a->buf[0] == 0x56 &&
           (a->n == 1 || (a->buf[1] & 0xe0) == 0xe0) &&
           (a->loas.channels || !c || c->codec != PS_CODEC_AAC);
}

static void take_aac(struct stamp *s, size_t rest)
{
    struct hub_audio *a = &s->h->audio;
    struct slice in = slice_of((const char *)a->buf, a->n);
    size_t used;

    if (rest == 0 && take_au_headers(s, in)) {
        a->n = 0;
        return;
    }
    used = is_loas(s->h) ? take_loas(s, rest) : take_adts(s, in, rest);
    if (used >= rest) { /* what is left begins in this PES */
        a->rest_has_pts = s->has_pts;
        a->rest_pts90k = s->pts90k;
    }
    if (used && used < a->n)
        memmove(a->buf, a->buf + used, a->n - used);
    a->n -= used;
}

void hub_audio_au(struct hub *h, const struct ps_au *au)
{
    struct hub_audio *a = &h->audio;
    struct stamp s = { h, au, au->has_pts, au->pts90k, true };
    size_t rest;

    if (au->codec != a->codec || au->discontinuity)
        a->n = 0; /* a remainder is of no use any more */
    if (au->bytes == 0)
        return;
    rest = a->n;
    if ((au->codec != PS_CODEC_AAC && au->codec != PS_CODEC_G711A &&
         au->codec != PS_CODEC_G711U) ||
        au->bytes > MAX_PES || !fits(a, h->alloc, rest + au->bytes) ||
        !media_au_copy(au, 0, au->bytes, a->buf + rest)) {
        h->stats.dropped++;
        return;
    }
    a->codec = au->codec;
    a->n = rest + au->bytes;
    if (h->first_sound_ms == GB_NEVER)
        h->first_sound_ms = h->now_ms;
    if (au->codec == PS_CODEC_AAC) {
        take_aac(&s, rest);
    } else {
        if (learn_g711(h, au->codec))
            take_g711(&s, slice_of((const char *)a->buf, a->n));
        a->n = 0;
    }
}
