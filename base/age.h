/* base/age.h - the time by which old things go
 *
 * A clock that is set ahead, by a mistake that may last a minute, shall not take
 * what is kept for days: what it has leapt counts once it has stayed so for
 * AGE_DOUBT_MS. What it is set back counts at once. Its first word is measured by
 * the youngest of what is kept: a battery that is empty may say any year. */
#ifndef BASE_AGE_H
#define BASE_AGE_H

#include "base/time.h"

#include <stdbool.h>

#define AGE_LEAP_MS 600000   /* ahead of the monotonic clock by more: a leap */
#define AGE_DOUBT_MS 3600000 /* so long is a leap not believed */

/* All zero: nothing is known yet. */
struct age {
    bool begun, doubts;
    int64_t known_ms;    /* until then: of what is kept; 0: nothing is */
    struct gb_time last; /* that was believed */
    uint64_t since_ms;   /* doubts: monotonic */
    int64_t leap_ms;     /* doubts: so far ahead since then */
};

/* What is kept is of this time. Before the first time is asked for. */
void age_known(struct age *a, int64_t utc_ms);
/* UTC as far as it is believed. Asked again at any times. */
int64_t age_utc_ms(struct age *a, struct gb_time now);
#endif
