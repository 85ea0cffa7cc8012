/* manscdp/time.h - times on the wire
 *
 * YYYY-MM-DDTHH:MM:SS of Beijing, without zone (GB/T 28181-2022 A.2.1). */
#ifndef MANSCDP_TIME_H
#define MANSCDP_TIME_H

#include "base/slice.h"
#include "base/writer.h"

#define MANSCDP_BEIJING_MIN 480 /* minutes east of Greenwich */

/* Reads what devices write: "2023-8-9T7:8:5", blank for T, "20230809T073835",
 * fractions, 'Z' or "+08:00" (then that zone counts, else zone_min). Years
 * 1970 to 9999. false: *utc_ms untouched. */
bool manscdp_time_parse(struct slice text, int zone_min, int64_t *utc_ms);

/* "2023-08-09T07:38:35" in zone_min; years 1970 to 9999, else nothing. */
void manscdp_time_write(struct writer *w, int64_t utc_ms, int zone_min);
#endif
