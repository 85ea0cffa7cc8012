/* base/time.h - time as an argument */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

#define GB_NEVER UINT64_MAX /* a deadline that does not come */

/* Timers use mono_ms; times on the wire and for people use utc_ms, which may
 * step in either direction at any moment. */
struct gb_time {
    uint64_t mono_ms; /* monotonic, any origin */
    int64_t utc_ms;   /* since 1970-01-01 UTC */
};
#endif
