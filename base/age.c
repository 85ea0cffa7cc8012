#include "base/age.h"

static int64_t believe(struct age *a, struct gb_time now)
{
    *a = (struct age){ .begun = true, .last = now };
    return now.utc_ms;
}

void age_known(struct age *a, int64_t utc_ms)
{
    if (!a->begun && utc_ms > a->known_ms)
        a->known_ms = utc_ms;
}

int64_t age_utc_ms(struct age *a, struct gb_time now)
{
    int64_t passed_ms, due_ms, leap_ms;

    if (!a->begun)
        believe(a, (struct gb_time){ now.mono_ms, a->known_ms ? a->known_ms
                                                              : now.utc_ms });
    passed_ms = (int64_t)(now.mono_ms - a->last.mono_ms);
    due_ms = a->last.utc_ms + passed_ms;
    leap_ms = now.utc_ms - due_ms;
    if (leap_ms <= AGE_LEAP_MS)
        return believe(a, now);
    if (!a->doubts || leap_ms - a->leap_ms > AGE_LEAP_MS ||
        a->leap_ms - leap_ms > AGE_LEAP_MS) { /* the first, or another one */
        a->since_ms = now.mono_ms;
        a->leap_ms = leap_ms;
    }
    a->doubts = true;
    if (now.mono_ms - a->since_ms >= AGE_DOUBT_MS)
        return believe(a, now);
    return due_ms;
}
