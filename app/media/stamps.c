#include "app/media/stamps.h"

#include "app/media/timeline.h"

#define PTS_MASK (((uint64_t)1 << 33) - 1)

void stamps_config(struct stamps *s, const struct media_config *c)
{
    *s = (struct stamps){ .n_own = 0 };
    poc_init(&s->poc, c);
    s->usable = c->reorder != 0 && s->poc.codec != PS_CODEC_UNKNOWN;
}

/* From picture to picture; until it is known, frames count for two in H.264. */
static int64_t step_of(const struct stamps *s)
{
    int64_t usual = s->poc.codec == PS_CODEC_H264 ? 2 : 1;

    if (s->step)
        return s->step;
    return s->least && s->least < usual ? s->least : usual;
}

static int64_t ticks_of(const struct stamps *s, int64_t counts)
{
    if (s->counts)
        return counts * s->ticks / s->counts;
    return counts * TIMELINE_NOMINAL / step_of(s);
}

static void place(struct stamps *s, int64_t at, uint64_t pts90k)
{
    s->placed = true;
    s->at = at;
    s->at90k = pts90k & PTS_MASK;
}

static void learn(struct stamps *s, int64_t ticks, int64_t counts)
{
    if (counts < 0) {
        ticks = -ticks;
        counts = -counts;
    }
    if (counts == 0 || counts > STAMPS_FAR || ticks < counts ||
        ticks > counts * TIMELINE_AHEAD)
        return; /* the clock has jumped */
    s->ticks = ticks;
    s->counts = counts;
}

/* Counted anew. Where only such pictures have a time, as many as came between two
 * of them tell how long one is shown. */
static void begin(struct stamps *s, const struct ps_au *au,
                  const struct poc_picture *pic)
{
    if (au->has_pts && s->key_placed && s->n_pictures && !s->learnt)
        learn(s, timeline_diff33(au->pts90k, s->key90k),
              s->n_pictures * step_of(s));
    if (!au->has_pts && s->placed) /* it is shown behind all before it */
        place(s, pic->at, s->at90k + (uint64_t)ticks_of(s, s->top - s->at +
                                                               step_of(s)));
    else
        s->placed = false;
    s->key_placed = au->has_pts;
    s->key90k = au->pts90k;
    s->n_pictures = 0;
    s->learnt = false;
    s->top = pic->at;
}

static void note_step(struct stamps *s, int64_t d)
{
    if (d < 0)
        d = -d;
    if (d && (!s->least || d < s->least))
        s->least = d;
    if (++s->n_least < STAMPS_STEPS)
        return;
    s->step = s->least;
    s->least = 0;
    s->n_least = 0;
}

bool stamps_next(struct stamps *s, const struct ps_au *au, uint64_t *pts90k)
{
    struct poc_picture pic;
    int64_t d;

    *pts90k = au->pts90k;
    if (!au->has_pts)
        s->n_own = 0;
    if (!s->usable || s->n_own == STAMPS_OWN)
        return au->has_pts;
    s->n_own += au->has_pts;
    if (s->n_own == STAMPS_OWN)
        s->placed = s->key_placed = s->poc.begun = false;
    if (!poc_next(&s->poc, au, &pic)) {
        s->placed = false;
        return au->has_pts;
    }
    if (pic.fresh)
        begin(s, au, &pic);
    else if (s->placed)
        note_step(s, pic.at - s->last);
    s->last = pic.at;
    s->n_pictures++;
    s->top = pic.at > s->top ? pic.at : s->top;
    d = pic.at - s->at;
    if (au->has_pts) {
        if (s->placed && !pic.fresh) {
            learn(s, timeline_diff33(au->pts90k, s->at90k), d);
            s->learnt = true;
        }
        place(s, pic.at, au->pts90k);
        return true;
    }
    if (!s->placed || d > STAMPS_FAR || d < -STAMPS_FAR)
        return false;
    if (d == 0 && !pic.fresh) /* an encoder that does not count */
        return false;
    *pts90k = (s->at90k + (uint64_t)ticks_of(s, d)) & PTS_MASK;
    return true;
}
