/* base/lag.h - is a loop in time? A timer that is due every LAG_EVERY_MS says
 * how late it is; pure, time is an argument. */
#ifndef BASE_LAG_H
#define BASE_LAG_H

#include <stdbool.h>
#include <stdint.h>

#define LAG_EVERY_MS 200
#define LAG_LATE_MS 200     /* above that it is worth a line */
#define LAG_WINDOW_MS 60000 /* the worst of so long; one line in it */

struct lag {
    uint64_t due_ms;     /* when the timer was to fire; 0: not started */
    uint64_t window_ms;  /* this window began then */
    uint32_t worst_ms, before_ms; /* of this window, and of the one before */
    bool told;           /* in this window */
};

/* The timer has fired, and fires next at l->due_ms. How late it was, when that
 * is worth a line, else 0. */
uint32_t lag_note(struct lag *l, uint64_t now_ms);

/* Of the last one to two windows. */
static inline uint32_t lag_worst(const struct lag *l)
{
    return l->worst_ms > l->before_ms ? l->worst_ms : l->before_ms;
}
#endif
