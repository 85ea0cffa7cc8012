#include "app/device/sender.h"

#include "app/device/picture.h"
#include "app/device/program.h"
#include "app/device/pts.h"
#include "app/device/wire.h"

#include <string.h>

#define SILENT_MS 10000     /* of falls_silent */
#define BEHIND_KEY 10       /* pictures, of late_key */
#define AUDIO_FIRST_MS 2000
#define CHANGE_FRAMES 50    /* of sps_change */
#define RESTART_FRAMES 75   /* of seq_restart */
#define LONG_GOP_MS 60000   /* of long_gop */
#define BIG_PAYLOAD 60000
#define SMALL_PAYLOAD 333

struct sender {
    struct sender_options o;
    bool plain; /* nothing is wrong but what gets lost */
    struct program program;
    struct wire wire;
    struct rtp_packer packer;
    struct rtp_block block; /* being sent */
    uint64_t start_ms;
    uint64_t base_ms, media_ms; /* what was due then, since when it counts */
    bool paused;
    bool back, at_start; /* backwards; ... and the first picture is sent */
    uint64_t n_video, n_audio; /* frames begun */
    uint64_t shift;            /* the first one is this one of the clip */
    uint64_t lead;             /* so many are before the start */
    uint64_t sound_shift;      /* the first sound is this one of all time... */
    uint64_t shift_90k;        /* ...and the first picture was then */
    uint64_t key_n;            /* n_video behind the last key frame, or 0 */
    uint32_t n_keys;
    uint64_t last_pts90k;      /* of the last picture */
    uint64_t burst_ms;
    unsigned burst;
    uint64_t random;
    struct rtp_piece piece, late; /* late: swapped behind its successor */
    bool has_late, repeat;
    uint8_t *late_copy, *out; /* out: a packet with faults */
    struct sender_counters n;
    size_t pack_cap, picture_cap;
    char *picture; /* the access unit with its faults */
    char *pack;
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

/* No fault that changes bytes or times. */
static bool is_plain(const struct sender_faults *f)
{
#define X(field, what, clause)                                                 \
    if (f->field)                                                              \
        return false;
    SENDER_FAULT_MAP(X)
#undef X
    return true;
}

static size_t payload_max(const struct sender_options *o)
{
    return o->faults.big_packets && o->tcp ? BIG_PAYLOAD
           : o->faults.small_packets       ? SMALL_PAYLOAD
                                           : RTP_PACK_PAYLOAD;
}

static bool get_memory(struct sender *s)
{
    const struct gb_alloc *a = s->o.alloc;
    size_t largest = s->o.clip->largest, sound = 0;

    if (s->o.other->largest > largest)
        largest = s->o.other->largest;
    if (s->o.sound)
        sound = sound_largest(s->o.sound);
    if (!s->plain) {
        largest = s->picture_cap = 2 * picture_bound(largest);
        s->picture = gb_get(a, s->picture_cap);
        s->out = gb_get(a, WIRE_MAX_BYTES);
    }
    s->pack_cap = program_bound(largest > sound ? largest : sound, !s->plain);
    s->pack = gb_get(a, s->pack_cap);
    s->late_copy = gb_get(a, payload_max(&s->o));
    return s->pack && s->late_copy && (s->plain || (s->picture && s->out));
}

/* The first sound that is not before then. */
static uint64_t sound_from(const struct sound *sound, uint64_t at_90k)
{
    uint64_t lo = 0, hi = at_90k / 90 + 1; /* no block is below 1 ms */

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (sound_at_90k(sound, mid) < at_90k)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Which picture of the clip belongs to its first second, and which sound. */
static void set_start(struct sender *s)
{
    const struct clip *c = s->o.clip;
    uint64_t n = s->o.start_s * c->fps % c->n_frames;

    if (!s->o.length_ms)
        return;
    s->shift = n;
    while (s->shift && !c->frame[s->shift].key)
        s->shift--;
    s->lead = n - s->shift;
    s->o.length_ms += s->lead * 1000 / c->fps;
    if (s->o.sound && s->o.start_s) {
        s->shift_90k = (s->o.start_s * c->fps - s->lead) * 90000 / c->fps;
        s->sound_shift = sound_from(s->o.sound, s->shift_90k);
    }
}

int sender_new(struct sender **out, const struct sender_options *o,
               uint64_t now_ms)
{
    struct sender *s = gb_get(o->alloc, sizeof(*s));
    int err;

    if (!s)
        return GB_ENOMEM;
    s->o = *o;
    if (!s->o.other)
        s->o.other = o->clip;
    if (o->sound && !sound_is_on(o->sound))
        s->o.sound = NULL;
    s->plain = is_plain(&o->faults);
    s->wire = (struct wire){ .faults = &s->o.faults, .tcp = o->tcp };
    s->start_ms = s->base_ms = now_ms;
    if (!s->o.scale_milli)
        s->o.scale_milli = 1000;
    s->n_video = o->faults.late_key ? BEHIND_KEY : 0;
    s->random = o->seed ? o->seed : 88172645463325252u;
    err = get_memory(s) ? 0 : GB_ENOMEM;
    if (!err)
        err = program_init(&s->program, o->clip->codec,
                           s->o.sound ? s->o.sound->codec : PS_CODEC_UNKNOWN,
                           s->plain ? NULL : &s->o.faults);
    if (!err)
        err = rtp_packer_init(&s->packer, o->ssrc, o->pt, 0, o->tcp,
                              (uint16_t)payload_max(o));
    if (err) {
        sender_free(s);
        return err;
    }
    set_start(s);
    *out = s;
    return 0;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    gb_put(s->o.alloc, s->late_copy);
    gb_put(s->o.alloc, s->out);
    gb_put(s->o.alloc, s->picture);
    gb_put(s->o.alloc, s->pack);
    gb_put(s->o.alloc, s);
}

/* ---- the next pack --------------------------------------------------------------- */

/* Pictures begin so long after the start. */
static uint64_t video_begin_ms(const struct sender *s)
{
    return s->o.faults.audio_first ? AUDIO_FIRST_MS : 0;
}

/* Of the n-th picture since the start. */
static uint64_t video_at_90k(const struct sender *s, uint64_t n)
{
    uint64_t at = n * 90000 / s->o.clip->fps;

    if (s->o.faults.uneven && n % 2)
        at -= 45000 / s->o.clip->fps;
    return at + video_begin_ms(s) * 90;
}

/* What is shown as the n-th of those that are sent in coding order: a key
 * frame, then one that is ahead of the two behind it, again and again. */
static uint64_t shown_as(const struct clip *c, uint64_t n)
{
    uint64_t i = n % c->n_frames, key = i;

    while (!c->frame[key].key)
        key--;
    return i == key ? n : (i - key) % 3 == 1 ? n + 2 : n - 1;
}

/* Of the n-th sound since the start. */
static uint64_t audio_at_90k(const struct sender *s, uint64_t n)
{
    return sound_at_90k(s->o.sound, s->sound_shift + n) - s->shift_90k;
}

static uint64_t first_frame(const struct sender *s)
{
    return s->o.faults.late_key ? BEHIND_KEY : 0;
}

/* When what belongs at this time of the recording is due. */
static uint64_t due_ms(const struct sender *s, uint64_t at_90k)
{
    uint64_t at_ms = at_90k / 90;

    if (s->paused || (s->o.length_ms && at_ms >= s->o.length_ms) ||
        (s->o.faults.falls_silent && at_ms >= SILENT_MS))
        return GB_NEVER;
    if (s->back ? at_ms > s->media_ms : at_ms < s->media_ms)
        return s->base_ms;
    return s->base_ms + (s->back ? s->media_ms - at_ms : at_ms - s->media_ms) *
                            1000 / s->o.scale_milli;
}

static uint64_t video_ms(const struct sender *s)
{
    if (s->back && s->at_start)
        return GB_NEVER;
    return due_ms(s, video_at_90k(s, s->n_video - first_frame(s)));
}

static uint64_t audio_ms(const struct sender *s)
{
    return s->o.sound && !s->o.faults.only_announced && !s->back
               ? due_ms(s, audio_at_90k(s, s->n_audio))
               : GB_NEVER;
}

/* From now on what is due is counted from here. */
static void rebase(struct sender *s, uint64_t now_ms)
{
    uint64_t ms = (now_ms - s->base_ms) * s->o.scale_milli / 1000;

    if (!s->paused && s->back)
        s->media_ms -= ms < s->media_ms ? ms : s->media_ms;
    else if (!s->paused)
        s->media_ms += ms;
    s->base_ms = now_ms;
}

/* The key frame at or before the n-th picture. */
static uint64_t key_at(const struct sender *s, uint64_t n)
{
    const struct clip *c = s->o.clip;

    while (n && !c->frame[(n + s->shift) % c->n_frames].key)
        n--;
    return n;
}

static void go_to(struct sender *s, uint64_t n)
{
    s->n_video = n;
    s->at_start = false;
    s->media_ms = video_at_90k(s, n) / 90;
    if (s->o.sound)
        s->n_audio = sound_from(s->o.sound,
                                s->shift_90k + video_at_90k(s, n)) -
                     s->sound_shift;
    s->block = (struct rtp_block){ 0 };
}

static void turn(struct sender *s, bool back)
{
    if (back == s->back)
        return;
    s->back = back;
    go_to(s, back && s->n_video ? key_at(s, s->n_video - 1) : s->n_video);
}

void sender_pace(struct sender *s, int32_t scale_milli, int64_t seek_ms,
                 uint64_t now_ms)
{
    rebase(s, now_ms);
    s->paused = false;
    if (scale_milli) {
        s->o.scale_milli = (uint32_t)(scale_milli < 0 ? -scale_milli
                                                      : scale_milli);
        turn(s, scale_milli < 0);
    }
    if (seek_ms >= 0)
        go_to(s, key_at(s, s->lead + (uint64_t)seek_ms * s->o.clip->fps / 1000));
}

/* The clip that the next picture is of: another one from a key frame on. */
static const struct clip *clip_of(const struct sender *s)
{
    uint64_t n = s->n_video + s->shift;

    return s->o.faults.sps_change && n / CHANGE_FRAMES % 2 ? s->o.other
                                                           : s->o.clip;
}

/* The picture of the clip that is sent next. */
static const struct clip_frame *frame_of(const struct sender *s,
                                         const struct clip *c)
{
    return &c->frame[(s->n_video + s->shift) % c->n_frames];
}

void sender_key(struct sender *s)
{
    while (!frame_of(s, clip_of(s))->key)
        s->shift++;
    s->key_n = 0;
}

/* With long_gop most key frames are passed over: what follows them refers to
 * other pictures then. */
static void pass_over_key(struct sender *s, const struct clip *c)
{
    uint64_t due = s->key_n + (uint64_t)c->fps * LONG_GOP_MS / 1000;

    if (s->key_n && s->n_video < due)
        for (uint32_t n = 0; n < c->n_frames && frame_of(s, c)->key; n++)
            s->shift++;
    else if (s->key_n)
        sender_key(s);
}

void sender_pause(struct sender *s, uint64_t now_ms)
{
    rebase(s, now_ms);
    s->paused = true;
}

bool sender_is_over(const struct sender *s)
{
    return s->o.length_ms && !s->paused && !s->block.n && !s->has_late &&
           !s->repeat && video_ms(s) == GB_NEVER && audio_ms(s) == GB_NEVER;
}

/* The next picture as it is in the clip, with what is wrong with it appended
 * to w. */
static bool next_picture(struct sender *s, struct writer *w,
                         struct slice *annexb)
{
    const struct clip *c = clip_of(s);
    const struct clip_frame *f;

    if (s->o.faults.long_gop)
        pass_over_key(s, c);
    f = frame_of(s, c);
    if (s->o.faults.no_key && f->key) /* the clip has others */
        f = &c->frame[++s->n_video % c->n_frames];
    *annexb = slice_of(c->bytes.p + f->off, f->len);
    if (!s->plain) {
        size_t at = w->len;

        picture_write(w, &s->o.faults, c->codec, *annexb, f->key,
                      s->n_keys);
        *annexb = slice_of(w->p + at, w->len - at);
    }
    s->n_video++;
    s->n.frames++;
    if (f->key)
        s->key_n = s->n_video;
    s->n_keys += f->key;
    return f->key;
}

static uint32_t rtp_time(const struct sender *s, uint64_t at90k, bool has,
                         uint64_t pts90k)
{
    return (uint32_t)(has || s->plain ? pts90k : at90k + 90000);
}

/* Behind the n-th picture comes the key frame before it. */
static void step_back(struct sender *s, uint64_t n)
{
    s->at_start = n == 0;
    s->n_video = n ? key_at(s, n - 1) : 0;
}

static void begin_video(struct sender *s, struct writer *w)
{
    struct writer es = writer_of(s->picture, s->picture_cap);
    const struct sender_faults *f = &s->o.faults;
    uint64_t n = s->n_video - first_frame(s), sent = s->n_video, at, pts;
    struct slice annexb, more;
    bool has, key;

    if (f->seq_restart && n % RESTART_FRAMES == 0)
        s->packer.seq = 0;
    if (f->b_frames)
        n = shown_as(s->o.clip, n + s->shift) - s->shift;
    at = video_at_90k(s, n);
    has = pts_of_video(f, n, at, &pts);
    s->last_pts90k = pts;
    key = next_picture(s, &es, &annexb);
    if (f->two_in_pes) {
        key |= next_picture(s, &es, &more);
        annexb = writer_slice(&es);
    }
    if (s->back)
        step_back(s, sent);
    if (es.err)
        w->err = es.err;
    program_video(&s->program, w, annexb, has ? &pts : NULL, key);
    s->block = rtp_pack_begin(w->p, w->len, rtp_time(s, at, has, pts), true);
}

static void begin_audio(struct sender *s, struct writer *w)
{
    uint64_t at = audio_at_90k(s, s->n_audio), pts;
    bool has = pts_of_audio(&s->o.faults, at, s->last_pts90k, &pts);

    program_audio(&s->program, w,
                  sound_block(s->o.sound, s->sound_shift + s->n_audio),
                  has ? &pts : NULL);
    s->n_audio++;
    s->n.sounds++;
    s->block = rtp_pack_begin(w->p, w->len, rtp_time(s, at, has, pts), true);
}

static bool next_block(struct sender *s, uint64_t now_ms)
{
    struct writer w = writer_of(s->pack, s->pack_cap);
    uint64_t v = video_ms(s), a = audio_ms(s);

    if (v <= now_ms && v <= a)
        begin_video(s, &w);
    else if (a <= now_ms)
        begin_audio(s, &w);
    else
        return false;
    return !w.err;
}

/* ---- packets ---------------------------------------------------------------------- */

static void count(struct sender *s, const struct sender_packet *p)
{
    s->n.packets++;
    s->n.bytes += p->head_len + p->n;
    s->burst++;
}

/* n bytes of what was made in s->out. */
static struct sender_packet whole(const struct sender *s, size_t n)
{
    return (struct sender_packet){ s->out, n, s->out + n, 0 };
}

static void give(struct sender *s, const struct rtp_piece *p,
                 struct sender_packet *out, uint64_t now_ms)
{
    if (s->plain) {
        *out = (struct sender_packet){ p->head, p->head_len, p->payload, p->n };
    } else {
        struct writer w = writer_of(s->out, WIRE_MAX_BYTES);

        wire_put(&s->wire, &w, p, now_ms - s->start_ms);
        *out = whole(s, w.len);
    }
    count(s, out);
}

static bool give_extra(struct sender *s, struct sender_packet *out,
                       uint64_t now_ms)
{
    struct writer w = writer_of(s->out, WIRE_MAX_BYTES);

    if (s->plain || !wire_extra(&s->wire, &w, &s->packer, now_ms))
        return false;
    *out = whole(s, w.len);
    count(s, out);
    return true;
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
            give(s, &s->piece, out, now_ms);
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
    if (give_extra(s, out, now_ms))
        return true;
    if (s->repeat) {
        s->repeat = false;
        give(s, &s->piece, out, now_ms);
        return true;
    }
    if (s->has_late && s->n.packets > 0 && s->piece.n) {
        s->has_late = false;
        s->piece.n = 0;
        give(s, &s->late, out, now_ms);
        return true;
    }
    s->piece.n = 0;
    return next_piece(s, out, now_ms);
}

uint64_t sender_deadline(const struct sender *s)
{
    uint64_t v = video_ms(s), a = audio_ms(s);

    if (s->block.n || s->has_late || s->repeat)
        return s->burst_ms + 1;
    return v < a ? v : a;
}

void sender_counters(const struct sender *s, struct sender_counters *out)
{
    *out = s->n;
}
