/* app/media/position.h - where in a recording its stream stands
 *
 *     position = anchor + (PTS - PTS of the anchor) / 90
 *
 * A step ahead that stays inside the recording is a gap of it. Any other jump
 * of the clock (the device's file ends, its encoder began anew) goes on from
 * the last position. After a seek the first picture whose PTS is not where it
 * was expected begins at the position that was asked for; pictures that were
 * on their way before it go on as they were. Backwards, a step back to a key
 * frame is that of the recording. Plain value, no clock. */
#ifndef APP_MEDIA_POSITION_H
#define APP_MEDIA_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#define POSITION_JUMP_MS 1000 /* further off than this: the seek has come */
#define POSITION_BACK_MS 500  /* a step back by more is another clock */

struct position {
    int64_t limit_ms;  /* length of the recording */
    bool begun, seeking;
    bool back;         /* the device was asked to play backwards */
    uint64_t wire;     /* last PTS, 33 bits */
    int64_t at_ms;     /* last position */
    int64_t rest90k;   /* of it, below a millisecond */
    int64_t seek_ms;
};

void position_init(struct position *p, int64_t limit_ms);

/* The device is asked to go on from there; seek_ms < 0: it is not, after all. */
void position_seek(struct position *p, int64_t seek_ms);

/* Backwards from now on, or ahead again. */
void position_turn(struct position *p, bool back);

/* The next picture; key: one that a seek may begin with. Its position, ms. */
int64_t position_next(struct position *p, uint64_t pts90k, bool key);
#endif
