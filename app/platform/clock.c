#include "app/platform/core.h"

#include "manscdp/time.h"

const char *platform_clock_source_name(enum platform_clock_source s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_CLOCK_SOURCE_MAP(X)
#undef X
    };

    return names[s];
}

/* Quarters of an hour, when that is what it is off by. */
static int32_t zone_part_ms(int64_t off_ms)
{
    int64_t sign = off_ms < 0 ? -1 : 1, abs_ms = off_ms * sign;
    int64_t zone = (abs_ms + CLOCK_ZONE_MS / 2) / CLOCK_ZONE_MS * CLOCK_ZONE_MS;
    int64_t rest = abs_ms - zone;

    if (abs_ms < CLOCK_ZONE_MIN_MS || zone > 26 * 3600000 ||
        rest > CLOCK_ZONE_OFF_MS || rest < -CLOCK_ZONE_OFF_MS)
        return 0;
    return (int32_t)(zone * sign);
}

static int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

static const struct device_clock *clock_of(const struct device *d)
{
    return &device_about(d)->clock;
}

static void tell(struct platform *p, struct device *d, bool before)
{
    const struct device_clock *k = clock_of(d);

    device_changed(p, d, PLATFORM_CHANGED_INFO);
    if (k->drifts && !before)
        platform_log_peer(p, PLATFORM_WARN,
                          "msg=\"clock of a device is off\" device=%s "
                          "drift_ms=%lld zone_min=%d from=%s",
                          d->id, (long long)k->drift_ms, k->zone_min,
                          platform_clock_source_name(k->from));
    else if (before && !k->drifts)
        platform_log_peer(p, PLATFORM_INFO,
                          "msg=\"clock of a device is right again\" device=%s",
                          d->id);
}

void clock_note(struct platform *p, struct device *d, int64_t utc_ms,
                uint8_t from)
{
    struct about *about = device_about_own(p, d);
    int64_t off_ms = utc_ms - p->now.utc_ms, drift;
    struct device_clock before, *k;

    if (!about)
        return; /* it will say it again */
    k = &about->clock;
    before = *k;
    drift = off_ms - zone_part_ms(off_ms);
    k->zone_min = (int16_t)(zone_part_ms(off_ms) / 60000);
    k->drift_ms = drift;
    k->from = from;
    k->at_s = (uint32_t)(p->now.mono_ms / 1000);
    k->drifts = magnitude(drift) > CLOCK_DRIFT_MS;
    if (k->drifts != before.drifts || k->zone_min != before.zone_min ||
        before.from == PLATFORM_CLOCK_UNKNOWN)
        tell(p, d, before.drifts);
}

void clock_on_status(struct platform *p, struct device *d, struct slice time)
{
    int64_t utc_ms;

    if (manscdp_time_parse(time, p->cfg.timezone_min, &utc_ms))
        clock_note(p, d, utc_ms, PLATFORM_CLOCK_STATUS);
}

bool clock_is_known(const struct device *d)
{
    return clock_of(d)->from != PLATFORM_CLOCK_UNKNOWN;
}

uint64_t clock_off_s(const struct device *d)
{
    const struct device_clock *k = clock_of(d);

    return (uint64_t)magnitude(k->drift_ms + k->zone_min * INT64_C(60000)) / 1000;
}

bool clock_is_stale(const struct platform *p, const struct device *d)
{
    return !clock_is_known(d) ||
           p->now.mono_ms / 1000 - clock_of(d)->at_s > CLOCK_FRESH_MS / 1000;
}

int64_t clock_unix_ms(const struct platform *p, const struct device *d)
{
    int64_t drift_ms = clock_of(d)->drift_ms;

    return p->cfg.trust_clocks || magnitude(drift_ms) < CLOCK_NOISE_MS ||
                   p->now.utc_ms + drift_ms < CLOCK_UNSET_MS
               ? 0
               : drift_ms;
}

int64_t clock_text_ms(const struct platform *p, const struct device *d)
{
    return p->cfg.trust_clocks
               ? 0
               : clock_of(d)->zone_min * INT64_C(60000) + clock_unix_ms(p, d);
}

uint64_t clock_shifted(uint64_t at, int64_t by)
{
    return by < 0 && at < (uint64_t)-by ? 0 : at + (uint64_t)by;
}
