#include "app/media/timeline.h"

#include <string.h>

#define WRAP33 ((int64_t)1 << 33)
#define WRAP32 ((int64_t)1 << 32)
#define UNIT_CHECK 180000  /* 2 s of samples decide the unit of audio PTS */
#define WINDOW 100         /* frames judged together */
#define WINDOW_BAD 20      /* more bad ones: the stamps are not believed */
#define UNIT_WINDOW 25     /* frames whose stamps are compared with arrival */
#define UNIT_WINDOWS 2     /* so many in a row... */
#define UNIT_TIMES 6       /* ...slower by this: they count in another unit */
#define UNIT_STEP 1500     /* 60 pictures a second: stamps as far apart are right, and
                              what lags behind is a network that is too slow */
#define BACK_STEP 1200     /* a B picture steps back by at least this */
#define BACK_STEPS 3       /* so many steps... */
#define BACK_WITHIN 32     /* ...not further apart mean B pictures */
#define ARRIVAL_GAP_MS 2000 /* silence: by arrival, time really passed */
#define PACE_SHIFT 4       /* smoothing over 16 frames */

int64_t timeline_diff33(uint64_t now, uint64_t last)
{
    int64_t d = (int64_t)((now - last) & (uint64_t)(WRAP33 - 1));

    if (d >= WRAP32)
        d -= WRAP33;
    if (d <= -WRAP32 + TIMELINE_AHEAD)
        d += WRAP32; /* a 32 bit counter has wrapped */
    else if (d >= WRAP32 - TIMELINE_AHEAD)
        d -= WRAP32;
    return d;
}

void timeline_init(struct timeline *t, const struct timeline_options *opt)
{
    memset(t, 0, sizeof(*t));
    if (opt)
        t->opt = *opt;
}

uint32_t timeline_frame_time(const struct timeline *t)
{
    const struct timeline_track *v = &t->track[MEDIA_VIDEO];
    uint32_t s[TIMELINE_DELTAS];
    unsigned n = v->n_delta;

    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;

        for (; at && s[at - 1] > v->delta[i]; at--)
            s[at] = s[at - 1];
        s[at] = v->delta[i];
    }
    return n ? s[n / 2] : 0;
}

static int64_t nominal(const struct timeline *t, const struct timeline_in *in)
{
    uint32_t ft;

    if (in->track == MEDIA_AUDIO)
        return in->duration90k;
    ft = timeline_frame_time(t);
    return ft ? ft : TIMELINE_NOMINAL;
}

static struct timeline_track *other_of(struct timeline *t,
                                       const struct timeline_in *in)
{
    return &t->track[in->track == MEDIA_VIDEO ? MEDIA_AUDIO : MEDIA_VIDEO];
}

static int64_t session_last(const struct timeline *t)
{
    int64_t last = 0;

    for (int i = 0; i < MEDIA_TRACKS; i++) {
        const struct timeline_track *k = &t->track[i];

        if (k->begun && k->last_dts > last)
            last = k->last_dts;
        if (k->begun && k->last_pts > last)
            last = k->last_pts;
    }
    return last;
}

/* How far the stamp has moved. *known: there was a stamp to look at. */
static int64_t step(struct timeline *t, struct timeline_track *k,
                    const struct timeline_in *in, bool *known)
{
    int64_t d;

    *known = true;
    if (in->has_pts) {
        d = k->had_pts ? timeline_diff33(in->pts90k, k->wire) : 0;
        if (!k->had_pts && k->begun) {
            *known = false; /* from RTP stamps or guesses to PTS */
            d = nominal(t, in);
        }
        k->had_pts = true;
        k->wire = in->pts90k;
        return k->unit8000 ? d * 45 / 4 : d;
    }
    if (!k->had_pts && in->has_rtp) {
        d = k->begun ? (int32_t)(in->rtp_ts - (uint32_t)k->wire) : 0;
        k->wire = in->rtp_ts;
        return d;
    }
    *known = false;
    d = nominal(t, in);
    if (k->had_pts) /* the next PTS is compared with where this one was */
        k->wire += (uint64_t)(k->unit8000 ? d * 4 / 45 : d);
    return d;
}

static bool is_jump(const struct timeline_track *k, enum media_track track,
                    int64_t d)
{
    if (d > TIMELINE_AHEAD)
        return true;
    if (track == MEDIA_AUDIO)
        return d < -TIMELINE_BACK_AUDIO;
    return d < -TIMELINE_BACK_VIDEO || k->still >= TIMELINE_STILL;
}

/* The device's clock is another one from here on. */
static void new_epoch(struct timeline *t, struct timeline_track *k,
                      const struct timeline_in *in)
{
    const struct timeline_track *o = other_of(t, in);
    int64_t next = session_last(t) + nominal(t, in), apart;

    apart = k->raw + o->offset - next;
    if (o->begun && o->jumped &&
        in->now_ms - o->epoch_ms < TIMELINE_PAIR_MS &&
        apart < TIMELINE_APART && apart > -TIMELINE_APART)
        k->offset = o->offset; /* it jumped first, to the same clock */
    else
        k->offset = next - k->raw;
    k->jumped = true;
    k->epoch_ms = in->now_ms;
    k->still = 0;
    k->n_sorted = k->n_seen = 0;
}

/* The first frame of a track. */
static void anchor(struct timeline *t, struct timeline_track *k,
                   const struct timeline_in *in)
{
    const struct timeline_track *o = other_of(t, in);
    int64_t apart;

    k->raw = (int64_t)k->wire;
    if (o->begun && o->had_pts && k->had_pts && !o->unit8000)
        k->raw = o->raw + timeline_diff33(k->wire, o->wire); /* has wrapped */
    k->offset = -k->raw;
    if (in->track == MEDIA_VIDEO)
        k->offset += (int64_t)k->reorder * TIMELINE_NOMINAL;
    if (!t->begun || !o->begun)
        return;
    apart = k->raw + o->offset - o->last_dts;
    if (apart < TIMELINE_APART && apart > -TIMELINE_APART)
        k->offset = o->offset;
    else
        k->offset = o->last_dts - k->raw; /* unrelated clocks */
    if (in->track == MEDIA_VIDEO && k->raw + k->offset < 0)
        k->offset = -k->raw;
}

/* --- video -------------------------------------------------------------- */

void timeline_set_reorder(struct timeline *t, int depth)
{
    struct timeline_track *k = &t->track[MEDIA_VIDEO];

    k->in_order = depth == 0;
    if (depth < 0)
        return;
    k->reorder = (uint8_t)(depth < TIMELINE_MAX_REORDER ? depth
                                                        : TIMELINE_MAX_REORDER);
    k->n_sorted = 0;
}

void timeline_set_scale(struct timeline *t, int32_t milli)
{
    t->scale_milli = (uint32_t)(milli < 0 ? -milli : milli);
    t->back = milli < 0;
}

static bool is_scaled(const struct timeline *t)
{
    return t->scale_milli && t->scale_milli != 1000;
}

/* Of a recording that runs backwards a key frame alone is shown until the one
 * before it, where the clock steps back to. */
static int64_t turned(const struct timeline *t, const struct timeline_in *in,
                      int64_t d)
{
    return t->back && in->alone && d < 0 && d >= -TIMELINE_AHEAD ? -d : d;
}

static int64_t scaled(const struct timeline *t, int64_t d)
{
    return is_scaled(t) ? d * 1000 / t->scale_milli : d;
}

/* Finds from the stamps that pictures come out of order. */
static void watch_order(struct timeline_track *k, int64_t d)
{
    unsigned need = 0;

    if (k->in_order)
        return;
    if (d < -BACK_STEP) {
        for (unsigned i = 0; i < k->n_seen; i++)
            need += k->seen[i] > k->raw;
        k->back_steps++;
        k->since_step = 0;
        if (need > TIMELINE_MAX_REORDER)
            need = TIMELINE_MAX_REORDER;
        if (k->back_steps >= BACK_STEPS && need > k->reorder) {
            k->reorder = (uint8_t)need;
            k->n_sorted = 0;
        }
    } else if (++k->since_step > BACK_WITHIN) {
        k->back_steps = 0;
        k->since_step = 0;
    }
    k->seen[k->i_seen] = k->raw;
    k->i_seen = (uint8_t)((k->i_seen + 1) % TIMELINE_SEEN);
    if (k->n_seen < TIMELINE_SEEN)
        k->n_seen++;
}

/* Decoding time: the smallest of the last reorder + 1 presentation times. */
static int64_t decoding_time(struct timeline_track *k, int64_t pts, int64_t ft)
{
    int64_t dts;
    unsigned at;

    if (k->n_sorted == 0)
        for (unsigned i = 0; i < k->reorder; i++)
            k->sorted[k->n_sorted++] = pts - ft * (k->reorder - (int)i);
    for (at = k->n_sorted; at && k->sorted[at - 1] > pts; at--)
        k->sorted[at] = k->sorted[at - 1];
    k->sorted[at] = pts;
    dts = k->sorted[0];
    memmove(k->sorted, k->sorted + 1, k->n_sorted * sizeof(k->sorted[0]));
    return dts;
}

static void note_delta(struct timeline_track *k, int64_t d)
{
    if (d <= TIMELINE_STEP || d > 90000)
        return;
    k->delta[k->i_delta] = (uint32_t)d;
    k->i_delta = (uint8_t)((k->i_delta + 1) % TIMELINE_DELTAS);
    if (k->n_delta < TIMELINE_DELTAS)
        k->n_delta++;
}

/* Goes on from where the other track is, too. */
static void trust_arrival(struct timeline *t, struct timeline_track *k,
                          uint64_t now_ms)
{
    k->by_arrival = true;
    k->arrival_ms = now_ms;
    k->pace = timeline_frame_time(t);
    if (!k->pace)
        k->pace = TIMELINE_NOMINAL;
    k->offset = session_last(t) - (int64_t)now_ms * 90;
}

/* Pictures come, and their stamps hardly move: they count in milliseconds, or in
 * 1/8000 s. One window may be a network that stood still. */
static bool is_other_unit(struct timeline_track *k, uint64_t now_ms)
{
    int64_t moved = k->raw - k->unit_raw;

    if (k->n_unit && k->n_unit < UNIT_WINDOW) {
        k->n_unit++;
        return false;
    }
    if (k->n_unit && moved >= 0 && moved < UNIT_WINDOW * UNIT_STEP &&
        moved * UNIT_TIMES < (int64_t)(now_ms - k->unit_ms) * 90)
        k->n_slow++;
    else
        k->n_slow = 0;
    k->n_unit = 1;
    k->unit_ms = now_ms;
    k->unit_raw = k->raw;
    return k->n_slow == UNIT_WINDOWS;
}

/* More than a fifth of a window is nonsense: arrival is a better clock. */
static void judge(struct timeline *t, struct timeline_track *k, bool bad,
                  uint64_t now_ms)
{
    if (t->opt.history)
        return;
    if (is_other_unit(k, now_ms))
        trust_arrival(t, k, now_ms);
    k->n_bad += bad;
    if (++k->n_frames < WINDOW)
        return;
    if (k->n_bad > WINDOW_BAD)
        trust_arrival(t, k, now_ms);
    k->n_frames = k->n_bad = 0;
}

/* Follows arrival with a smoothed pace; offset maps arrival to out. */
static int64_t arrival_time(struct timeline_track *k, uint64_t now_ms)
{
    uint64_t gap_ms = now_ms - k->arrival_ms;
    int64_t target = (int64_t)now_ms * 90 + k->offset, out;

    k->arrival_ms = now_ms;
    if (gap_ms > ARRIVAL_GAP_MS)
        return target;
    k->pace += ((int64_t)gap_ms * 90 - k->pace) >> PACE_SHIFT;
    out = k->last_dts + k->pace;
    return out + ((target - out) >> PACE_SHIFT);
}

static void video_next(struct timeline *t, struct timeline_track *k,
                       const struct timeline_in *in, struct timeline_out *out)
{
    bool known, first = !k->begun, bad = false;
    int64_t d = step(t, k, in, &known), wire = d, pts, dts, delta;

    if (first) {
        anchor(t, k, in);
    } else {
        d = turned(t, in, wire);
        k->raw += wire;
        k->offset += scaled(t, d) - wire;
        k->still = d == 0 && known ? k->still + 1 : 0;
        bad = known && d == 0;
        if (!k->by_arrival && is_jump(k, MEDIA_VIDEO, d)) {
            new_epoch(t, k, in);
            out->new_epoch = bad = true;
        }
        bad = bad || (d < 0 && !k->reorder);
    }
    if (k->by_arrival) {
        dts = pts = arrival_time(k, in->now_ms);
    } else {
        watch_order(k, first ? 0 : d);
        pts = k->raw + k->offset;
        dts = k->reorder ? decoding_time(k, pts, nominal(t, in)) : pts;
    }
    if (first ? dts < 0 : dts < k->last_dts + TIMELINE_STEP)
        dts = first ? 0 : k->last_dts + TIMELINE_STEP;
    if (pts < dts || !k->reorder)
        pts = dts;
    delta = first ? 0 : dts - k->last_dts;
    note_delta(k, delta);
    out->duration90k = delta > TIMELINE_STEP && delta <= 90000
                           ? (uint32_t)delta
                           : (uint32_t)nominal(t, in);
    out->dts90k = dts;
    out->pts90k = pts;
    k->begun = t->begun = true;
    k->last_dts = dts;
    k->last_pts = pts;
    k->last_dur = out->duration90k;
    if (!k->by_arrival)
        judge(t, k, bad, in->now_ms);
}

/* --- audio -------------------------------------------------------------- */

/* After 2 s of samples: does the PTS count in 1/8000 s? */
static void check_unit(struct timeline *t, struct timeline_track *k,
                       const struct timeline_in *in, int64_t d)
{
    const struct timeline_track *v = &t->track[MEDIA_VIDEO];
    int64_t at, want;

    if (d < 0 || d > TIMELINE_AHEAD)
        return;
    k->check_raw += d;
    k->check_ticks += in->duration90k;
    if (k->check_ticks < UNIT_CHECK)
        return;
    k->checked = true;
    want = k->check_ticks * 8000 / 90000;
    if (k->check_raw < want * 8 / 10 || k->check_raw > want * 12 / 10)
        return;
    k->unit8000 = true;
    at = k->last_dts + k->last_dur;
    if (v->begun && v->last_dts > at)
        at = v->last_dts;
    k->offset = at - k->raw;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* The picture has changed epoch by a step that is none for sound: both come
 * from one clock, so sound goes along. */
static void follow(struct timeline *t, struct timeline_track *k,
                   const struct timeline_in *in)
{
    const struct timeline_track *o = other_of(t, in);
    int64_t expected = k->last_dts + k->last_dur;
    int64_t drift = distance(k->raw + k->offset, expected);

    if (o->jumped && in->now_ms - o->epoch_ms < TIMELINE_PAIR_MS &&
        drift > TIMELINE_DRIFT &&
        distance(k->raw + o->offset, expected) < drift)
        k->offset = o->offset;
}

/* On its samples; the stamp only tells when that has gone wrong. */
static int64_t audio_time(struct timeline_track *k, int64_t d, bool known,
                          bool *drop)
{
    int64_t expected = k->last_dts + k->last_dur;
    int64_t drift = k->raw + k->offset - expected;

    if (!known || d == 0)
        return expected;
    if (drift > TIMELINE_DRIFT) { /* a loss; in 1/8000 s it is never ahead */
        k->dropping = false;
        return expected + drift;
    }
    if (!k->checked)
        return expected;
    if (drift < -TIMELINE_DRIFT)
        k->dropping = true;
    else if (drift >= 0)
        k->dropping = false;
    *drop = k->dropping;
    return expected;
}

static void audio_next(struct timeline *t, struct timeline_track *k,
                       const struct timeline_in *in, struct timeline_out *out)
{
    bool known;
    int64_t d = step(t, k, in, &known), at;

    if (!k->begun) {
        anchor(t, k, in);
        at = k->raw + k->offset;
        if (at < 0) { /* older than the first picture */
            out->drop = true;
            k->had_pts = false;
            return;
        }
    } else {
        k->raw += d;
        if (known && !k->checked)
            check_unit(t, k, in, d);
        if (is_jump(k, MEDIA_AUDIO, d)) {
            new_epoch(t, k, in);
            out->new_epoch = true;
            k->dropping = false;
            at = k->raw + k->offset;
            if (at < k->last_dts + k->last_dur)
                at = k->last_dts + k->last_dur;
        } else {
            if (known)
                follow(t, k, in);
            at = audio_time(k, d, known, &out->drop);
        }
        if (at < k->last_dts + TIMELINE_STEP)
            at = k->last_dts + TIMELINE_STEP;
    }
    if (out->drop)
        return;
    out->dts90k = out->pts90k = at;
    out->duration90k = in->duration90k;
    k->begun = t->begun = true;
    k->last_dts = k->last_pts = at;
    k->last_dur = in->duration90k;
}

void timeline_next(struct timeline *t, const struct timeline_in *in,
                   struct timeline_out *out)
{
    struct timeline_track *k = &t->track[in->track];

    *out = (struct timeline_out){ 0 };
    if (in->track == MEDIA_VIDEO) {
        video_next(t, k, in, out);
    } else if (is_scaled(t) || t->back) {
        out->drop = true;
        k->begun = k->had_pts = false; /* begins anew beside the picture */
    } else {
        audio_next(t, k, in, out);
    }
}
