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

/* So far is it off now. */
static void put(struct platform *p, struct device *d, struct device_clock *k,
                int64_t off_ms, uint8_t from)
{
    struct device_clock before = *k;

    k->zone_min = (int16_t)(zone_part_ms(off_ms) / 60000);
    k->drift_ms = off_ms - zone_part_ms(off_ms);
    k->from = from;
    k->drifts = clock_is_set(p) && magnitude(k->drift_ms) > CLOCK_DRIFT_MS;
    if (k->drifts != before.drifts || k->zone_min != before.zone_min ||
        before.from == PLATFORM_CLOCK_UNKNOWN)
        tell(p, d, before.drifts);
}

void clock_note(struct platform *p, struct device *d, int64_t utc_ms,
                uint8_t from)
{
    struct about *about = device_about_own(p, d);

    if (!about)
        return; /* it will say it again */
    about->clock.at_s = (uint32_t)(p->now.mono_ms / 1000);
    put(p, d, &about->clock, utc_ms - p->now.utc_ms, from);
}

static int64_t off_of(const struct device_clock *k)
{
    return k->drift_ms + k->zone_min * INT64_C(60000);
}

/* What was measured by the clock as it was before. */
static void was_set(struct platform *p, int64_t by_ms)
{
    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"the clock of this server was set\" by_s=%lld%s",
                      (long long)(by_ms / 1000),
                      clock_is_set(p) ? "" : " why=\"it has no time yet\"");
    for (size_t i = 0; i < p->n_devices; i++) {
        struct device *d = p->by_id[i];

        if (clock_is_known(d))
            put(p, d, &d->about->clock, off_of(clock_of(d)) - by_ms,
                clock_of(d)->from);
    }
}

void clock_at(struct platform *p, struct gb_time now)
{
    int64_t by_ms = now.utc_ms - p->now.utc_ms -
                    (int64_t)(now.mono_ms - p->now.mono_ms);

    p->now = now;
    if (magnitude(by_ms) > CLOCK_DRIFT_MS)
        was_set(p, by_ms);
}

bool clock_is_set(const struct platform *p)
{
    return p->now.utc_ms >= CLOCK_FIRST_MS;
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
    return (uint64_t)magnitude(off_of(clock_of(d))) / 1000;
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
