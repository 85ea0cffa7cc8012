/* test/download_rig.h - a recorder, and orders to download from it */
#ifndef TEST_DOWNLOAD_RIG_H
#define TEST_DOWNLOAD_RIG_H

#include "test/session_rig.h"

#include <stdio.h>

#define T0 (SIM_UTC / 1000)
#define HALF 1800u

static inline struct sim_device *recorder_of(unsigned n, const struct sim_options *o)
{
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, o);

    for (unsigned i = 0; i < n; i++) {
        d->record[i].from_s = T0 + i * HALF;
        d->record[i].to_s = T0 + i * HALF + HALF - 1;
    }
    d->n_records = n;
    d->tells_time = true;
    d->send_rate = 100;
    return d;
}

static inline struct sim_device *recorder(unsigned n)
{
    return recorder_of(n, NULL);
}

static inline uint64_t order(uint64_t from_s, uint64_t to_s)
{
    const struct platform_download_order o = { .device = slice_str(nvr),
                                               .channel = slice_str(channel),
                                               .start_s = from_s,
                                               .stop_s = to_s };
    uint64_t id;

    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), 0);
    return id;
}

static inline struct platform_download job(uint64_t id)
{
    struct platform_download j;

    assert_true(platform_download_view(s.p, id, &j));
    return j;
}

static inline struct platform_download until_over(uint64_t id, uint64_t s_max)
{
    struct platform_download j = job(id);

    for (uint64_t at = 0; at < s_max && !j.is_final; at++) {
        sim_run(&s, 1000);
        j = job(id);
    }
    if (!j.is_final)
        fail_msg("%s after %llu s: %.*s", platform_download_state_name(j.state),
                 (unsigned long long)s_max, SLICE_ARG(j.evidence));
    return j;
}

static inline void expect_state(struct platform_download j,
                         enum platform_download_state want)
{
    if (j.state != want)
        fail_msg("%s: %.*s", platform_download_state_name(j.state),
                 SLICE_ARG(j.evidence));
}

static inline void expect_gap(uint64_t id, size_t i, int64_t from_s, int64_t to_s,
                       enum platform_gap_kind why)
{
    struct platform_download_gap g;

    assert_true(platform_download_gap_at(s.p, id, i, &g));
    if (g.from_utc_ms / 1000 != (int64_t)T0 + from_s ||
        g.to_utc_ms / 1000 != (int64_t)T0 + to_s || g.why != why)
        fail_msg("gap %zu: %lld to %lld, %d", i,
                 (long long)(g.from_utc_ms / 1000 - T0),
                 (long long)(g.to_utc_ms / 1000 - T0), (int)g.why);
}

static inline size_t n_gaps(uint64_t id)
{
    struct platform_download_gap g;
    size_t n = 0;

    while (platform_download_gap_at(s.p, id, n, &g))
        n++;
    return n;
}
#endif
