/* What people read of the platform: every list of it, as the API shows them. */
#include "fuzz/platform/world.h"

#include "app/platform/doctor.h"

#include <string.h>

static void read_text(const char *s)
{
    require(s && *s);
}

/* ---- a device ------------------------------------------------------------------ */

static void see_subscriptions(struct slice id)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];
    size_t n = platform_subscriptions_of(run.p, id, u);

    for (size_t i = 0; i < n; i++) {
        read_text(platform_subscription_name(u[i].kind));
        read_text(platform_subscription_state_name(u[i].state));
        read_words(slice_str(u[i].reason));
    }
}

static void see_profile(struct slice id)
{
    struct platform_profile profile;
    struct platform_profile_command c;
    const char *text;
    size_t pos = 0;

    require(platform_profile_view(run.p, id, &profile));
    read_all(profile.digest);
    while (platform_profile_command(run.p, id, &pos, &c))
        read_text(platform_outcome_name(c.last));
    pos = 0;
    while (platform_profile_deviation(run.p, id, &pos, &text))
        read_words(slice_str(text));
}

static size_t see_channels(struct slice id)
{
    struct platform_channel c = { .id = { "", 0 } };
    size_t n = 0;

    for (; platform_channel_next(run.p, id, c.id, &c); n++) {
        read_all(c.name);
        read_all(c.address);
        read_text(platform_observed_name(c.observed));
    }
    return n;
}

static size_t see_devices(size_t *channels)
{
    struct platform_device d = { .id = { "", 0 } };
    struct platform_change change;
    struct platform_duty duty;
    size_t n = 0;

    for (*channels = 0; platform_device_next(run.p, d.id, &d); n++) {
        size_t have = see_channels(d.id);

        require(have == d.n_channels);
        *channels += have;
        read_text(platform_clock_source_name(d.clock.from));
        see_subscriptions(d.id);
        see_profile(d.id);
        for (size_t i = 0; platform_device_change(run.p, d.id, i, &change); i++)
            read_words(slice_str(change.cause));
        for (size_t i = 0; platform_duty_at(run.p, d.id, i, &duty); i++)
            read_text(duty.duty);
    }
    return n;
}

/* ---- what is under way ----------------------------------------------------------- */

static size_t see_sessions(void)
{
    struct platform_session s = { .id = 0 };
    size_t n = 0;

    for (; platform_session_next(run.p, s.id, &s); n++) {
        read_text(platform_session_kind_name(s.kind));
        read_words(s.evidence);
        read_words(s.hint);
    }
    return n;
}

static void see_downloads(void)
{
    struct platform_download d;
    struct platform_download_gap gap;

    for (size_t i = 0; platform_download_at(run.p, i, &d); i++) {
        int64_t before = 0;

        read_text(platform_download_state_name(d.state));
        read_words(d.evidence);
        for (size_t k = 0; platform_download_gap_at(run.p, d.id, k, &gap); k++) {
            require(gap.from_utc_ms < gap.to_utc_ms &&
                    gap.from_utc_ms >= before);
            before = gap.from_utc_ms;
        }
    }
}

static void see_commands(void)
{
    struct platform_command c = { .id = 0 };
    uint64_t before = 0;

    while (platform_command_before(run.p, before, &c)) {
        require(before == 0 || c.id < before);
        read_text(platform_command_state_name(c.state));
        read_words(c.evidence);
        before = c.id;
    }
}

void see_all(void)
{
    struct platform_counters now;
    struct platform_pending k = { .id = SLICE("") };
    struct platform_voice v;
    size_t channels, voices = 0;

    platform_counters(run.p, &now);
    require(see_devices(&channels) == platform_device_count(run.p, NULL));
    require(channels == platform_channel_count(run.p));
    require(see_sessions() == now.sessions);
    for (; platform_voice_at(run.p, voices, &v); voices++)
        read_words(v.hint);
    require(voices == now.voices);
    while (platform_pending_next(run.p, k.id, &k))
        read_words(k.reason);
    see_downloads();
    see_commands();
}

void ask_doctor(const uint8_t *v)
{
    static struct doctor_report report;
    struct doctor_question q = { .device = slice_str(says_who(v[0])),
                                 .channel = slice_str(says_who(1u + v[1])),
                                 .stream = v[2] % 2, .can = v[3] };

    platform_doctor(run.p, &q, &report);
    for (size_t i = 0; i < DOCTOR_LINKS; i++) {
        read_words(report.link[i].evidence);
        read_words(report.link[i].hint);
    }
}
