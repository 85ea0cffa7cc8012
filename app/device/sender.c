#include "app/device/sender.h"

#include "app/media/g711.h"

#include <string.h>

#define TONE_HZ 400 /* 20 samples a period: a block of 320 repeats exactly */
#define HEAD_MAX (RTP_PACK_HEAD + 8)
#define BEFORE_WRAP_90K ((1ull << 33) - 5 * 90000)

struct sender {
    struct sender_options o;
    struct ps_mux mux;
    struct rtp_packer packer;
    struct rtp_block block; /* being sent */
    uint64_t start_ms, first_pts90k;
    uint64_t n_video, n_audio; /* frames begun */
    uint64_t burst_ms;
    unsigned burst;
    uint64_t random;
    struct rtp_piece piece, late; /* late: swapped behind its successor */
    bool has_late, repeat;
    uint8_t late_copy[RTP_PACK_PAYLOAD];
    uint8_t head[HEAD_MAX];
    uint8_t tone[SENDER_AUDIO_BYTES];
    struct sender_counters n;
    size_t cap;
    char pack[];
};

static bool chance(struct sender *s, uint32_t hundredths)
{
    if (!hundredths)
        return false;
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random % 10000 < hundredths;
}

/* A triangle in place of a sine: no libm in the core. */
static void make_tone(uint8_t tone[SENDER_AUDIO_BYTES])
{
    const int period = 8000 / TONE_HZ;

    for (int i = 0; i < SENDER_AUDIO_BYTES; i++) {
        int at = i % period, half = period / 2;
        int v = at < half ? at : period - at;

        tone[i] = g711_alaw_encode((int16_t)((v * 2 - half) * 8000 / half));
    }
}

int sender_new(struct sender **out, const struct sender_options *o,
               uint64_t now_ms)
{
    size_t cap = ps_mux_bound(o->clip->largest > SENDER_AUDIO_BYTES
                                  ? o->clip->largest : SENDER_AUDIO_BYTES);
    struct sender *s = gb_get(o->alloc, sizeof(*s) + cap);
    int err;

    if (!s)
        return GB_ENOMEM;
    s->o = *o;
    s->cap = cap;
    s->start_ms = now_ms;
    s->random = o->seed ? o->seed : 88172645463325252u;
    s->first_pts90k = o->faults.pts_wrap ? BEFORE_WRAP_90K : 90000;
    make_tone(s->tone);
    err = ps_mux_init(&s->mux, o->clip->codec,
                      o->audio ? PS_CODEC_G711A : PS_CODEC_UNKNOWN, 8000000);
    if (!err)
        err = rtp_packer_init(&s->packer, o->ssrc, o->pt, 0, o->tcp, 0);
    if (err) {
        sender_free(s);
        return err;
    }
    *out = s;
    return 0;
}

void sender_free(struct sender *s)
{
    if (s)
        gb_put(s->o.alloc, s);
}

/* ---- faults in the pack ------------------------------------------------------- */

static void spoil(struct sender *s, struct writer *w)
{
    uint8_t *p = (uint8_t *)w->p;
    bool psm_off = s->o.faults.no_psm ||
                   (s->o.faults.psm_once && s->n_video > 1);

    for (size_t i = 0; i + 6 < w->len && i < 256; i++) {
        if (p[i] || p[i + 1] || p[i + 2] != 1)
            continue;
        if (p[i + 3] == 0xbc && psm_off)
            p[i + 3] = 0xbe; /* a padding element of the same length */
        if (p[i + 3] == 0xe0 && s->o.faults.length0) {
            p[i + 4] = p[i + 5] = 0;
            break;
        }
    }
}

/* ---- the next pack --------------------------------------------------------------- */

static uint64_t video_ms(const struct sender *s, uint64_t n)
{
    return s->start_ms + n * 1000 / s->o.clip->fps;
}

static uint64_t audio_ms(const struct sender *s, uint64_t n)
{
    return s->o.audio ? s->start_ms + n * 40 : GB_NEVER;
}

static void begin_video(struct sender *s, struct writer *w)
{
    const struct clip *c = s->o.clip;
    const struct clip_frame *f = &c->frame[s->n_video % c->n_frames];
    uint64_t pts = s->first_pts90k + s->n_video * 90000 / c->fps;

    s->n_video++;
    s->n.frames++;
    ps_mux_video(&s->mux, w, slice_of(c->bytes.p + f->off, f->len), pts,
                 f->key);
    if (s->o.faults.no_psm || s->o.faults.psm_once || s->o.faults.length0)
        spoil(s, w);
    s->block = rtp_pack_begin(w->p, w->len, (uint32_t)pts, true);
}

static void begin_audio(struct sender *s, struct writer *w)
{
    uint64_t pts = s->first_pts90k + s->n_audio * 3600;

    s->n_audio++;
    ps_mux_audio(&s->mux, w, slice_of((const char *)s->tone, sizeof(s->tone)),
                 pts);
    s->block = rtp_pack_begin(w->p, w->len, (uint32_t)pts, true);
}

static bool next_block(struct sender *s, uint64_t now_ms)
{
    struct writer w = writer_of(s->pack, s->cap);
    uint64_t v = video_ms(s, s->n_video), a = audio_ms(s, s->n_audio);

    if (v <= now_ms && v <= a)
        begin_video(s, &w);
    else if (a <= now_ms)
        begin_audio(s, &w);
    else
        return false;
    return !w.err;
}

/* ---- packets ---------------------------------------------------------------------- */

/* An extension whose data looks like a pack header. */
static void add_extension(struct sender *s)
{
    static const uint8_t ext[8] = { 0xbe, 0xde, 0, 1, 0, 0, 1, 0xba };
    size_t at = s->piece.head_len;
    uint8_t *rtp = s->head + at - RTP_HEADER_BYTES;

    memcpy(s->head + at, ext, sizeof(ext));
    rtp[0] |= 0x10;
    if (s->o.tcp) {
        size_t len = (size_t)(s->head[0] << 8 | s->head[1]) + sizeof(ext);

        s->head[0] = (uint8_t)(len >> 8);
        s->head[1] = (uint8_t)len;
    }
}

static void give(struct sender *s, const struct rtp_piece *p,
                 struct sender_packet *out)
{
    memcpy(s->head, p->head, p->head_len);
    *out = (struct sender_packet){ s->head, p->head_len, p->payload, p->n };
    if (s->o.faults.extension) {
        s->piece.head_len = p->head_len;
        add_extension(s);
        out->head_len += 8;
    }
    s->n.packets++;
    s->n.bytes += out->head_len + out->n;
    s->burst++;
}

/* Puts a packet aside, to go behind its successor. */
static void put_late(struct sender *s)
{
    s->late = s->piece;
    memcpy(s->late_copy, s->piece.payload, s->piece.n);
    s->late.payload = s->late_copy;
    s->has_late = true;
}

static bool next_piece(struct sender *s, struct sender_packet *out,
                       uint64_t now_ms)
{
    while (rtp_pack_next(&s->packer, &s->block, &s->piece) ||
           next_block(s, now_ms)) {
        if (s->piece.n == 0)
            continue;
        if (chance(s, s->o.faults.loss)) {
            s->n.dropped++;
        } else if (!s->has_late && chance(s, s->o.faults.reorder)) {
            put_late(s);
        } else {
            s->repeat = chance(s, s->o.faults.duplicate);
            give(s, &s->piece, out);
            return true;
        }
        s->piece.n = 0;
    }
    return false;
}

bool sender_next(struct sender *s, struct sender_packet *out, uint64_t now_ms)
{
    if (s->burst_ms != now_ms) {
        s->burst_ms = now_ms;
        s->burst = 0;
    }
    if (s->burst >= SENDER_BURST)
        return false;
    if (s->repeat) {
        s->repeat = false;
        give(s, &s->piece, out);
        return true;
    }
    if (s->has_late && s->n.packets > 0 && s->piece.n) {
        s->has_late = false;
        s->piece.n = 0;
        give(s, &s->late, out);
        return true;
    }
    s->piece.n = 0;
    return next_piece(s, out, now_ms);
}

uint64_t sender_deadline(const struct sender *s)
{
    uint64_t v = video_ms(s, s->n_video), a = audio_ms(s, s->n_audio);

    if (s->block.n || s->has_late || s->repeat)
        return s->burst_ms + 1;
    return v < a ? v : a;
}

void sender_counters(const struct sender *s, struct sender_counters *out)
{
    *out = s->n;
}
