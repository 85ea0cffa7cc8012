/* app/platform/clock.h - what time it is, and how far a device's clock is off
 *
 * Ours may be set while we run: boards without a battery begin in 1970, or where
 * they were switched off, until the network tells them the time. What has been
 * measured of the devices then moves with it. Before CLOCK_FIRST_MS it tells
 * nothing: no device is told this time, and none is said to be off.
 * Devices say their time in DeviceStatus and, some, in the Date of a REGISTER.
 * What is off by whole quarters of an hour is taken for another time zone of
 * its texts; the rest is drift. Times that are written to the device are shifted
 * by both, UNIX times of SDP by the drift alone (field-note 15.2).
 * Included by core.h. */
#ifndef APP_PLATFORM_CLOCK_H
#define APP_PLATFORM_CLOCK_H

#include "base/slice.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_DRIFT_MS 5000    /* from here on it is told */
#define CLOCK_NOISE_MS 2000    /* below it nothing is corrected: messages take
                                  their time, and stamps have whole seconds */
#define CLOCK_FRESH_MS 3600000 /* then it is measured again before times of the
                                  device are asked for */
/* UTC: a clock in 1970 has never been set, and what lies before has no time. */
#define CLOCK_UNSET_MS 31536000000
/* UTC: ours is later, 2020 at least, or has never been set. */
#define CLOCK_FIRST_MS 1577836800000
#define CLOCK_ZONE_MS 900000   /* zones differ by multiples of it... */
#define CLOCK_ZONE_MIN_MS 1500000 /* ...and by more than this */
#define CLOCK_ZONE_OFF_MS 180000  /* drift on top of another zone */

struct platform;
struct device;

struct device_clock {
    int64_t drift_ms;   /* its clock minus ours, without the zone */
    int16_t zone_min;   /* of its texts, east of server.timezone */
    uint8_t from;       /* enum platform_clock_source */
    bool drifts;        /* as it was told last */
    uint32_t at_s;      /* mono time of the measurement */
};

/* It is now: with this every public function begins. */
void clock_at(struct platform *p, struct gb_time now);
bool clock_is_set(const struct platform *p);

/* It says that it is this time now, read in server.timezone. */
void clock_note(struct platform *p, struct device *d, int64_t utc_ms,
                uint8_t from);
/* DeviceTime of a Response to DeviceStatus; what cannot be read is ignored. */
void clock_on_status(struct platform *p, struct device *d, struct slice time);
bool clock_is_known(const struct device *d);
/* Seconds that it is off ours, another zone of its texts with it; 0: not known. */
uint64_t clock_off_s(const struct device *d);
/* No measurement, or an old one. */
bool clock_is_stale(const struct platform *p, const struct device *d);
/* What is to be added to a time of ours, ms: in texts, and in SDP. 0 where
 * nothing is known, or where it is not to be corrected. */
int64_t clock_text_ms(const struct platform *p, const struct device *d);
int64_t clock_unix_ms(const struct platform *p, const struct device *d);
/* A time of ours as a clock has it that is so far off, both in one unit; there is
 * none before 1970. */
uint64_t clock_shifted(uint64_t at, int64_t by);
#endif
