#include "app/media/position.h"

#include "app/media/timeline.h"

void position_init(struct position *p, int64_t limit_ms)
{
    *p = (struct position){ .limit_ms = limit_ms };
}

void position_seek(struct position *p, int64_t seek_ms)
{
    p->seeking = seek_ms >= 0;
    p->seek_ms = seek_ms;
}

void position_turn(struct position *p, bool back)
{
    p->back = back;
}

static void move_to(struct position *p, int64_t ms)
{
    p->at_ms = ms;
    p->rest90k = 0;
}

static void go_on(struct position *p, int64_t step90k)
{
    int64_t sum = p->rest90k + step90k;

    p->at_ms += sum / 90;
    p->rest90k = sum % 90;
    if (p->at_ms < 0)
        move_to(p, 0);
    if (p->at_ms > p->limit_ms)
        move_to(p, p->limit_ms);
}

/* Of the recording, not of another clock. */
static bool is_step(const struct position *p, int64_t ms, bool key)
{
    return p->at_ms + ms <= p->limit_ms &&
           (ms >= -POSITION_BACK_MS ||
            (p->back && key && p->at_ms + ms >= -POSITION_BACK_MS));
}

int64_t position_next(struct position *p, uint64_t pts90k, bool key)
{
    int64_t step = p->begun ? timeline_diff33(pts90k, p->wire) : 0;
    int64_t ms = step / 90;
    bool jump = ms > POSITION_JUMP_MS || ms < -POSITION_JUMP_MS;

    p->wire = pts90k;
    if (!p->begun) {
        p->begun = true;
        move_to(p, p->seeking ? p->seek_ms : 0);
        p->seeking = false;
    } else if (p->seeking && key && jump) {
        move_to(p, p->seek_ms);
        p->seeking = false;
    } else if (is_step(p, ms, key)) {
        go_on(p, step);
    } /* else another clock: from where it stood */
    return p->at_ms;
}
