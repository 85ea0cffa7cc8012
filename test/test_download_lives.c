/* Many playbacks and downloads, whatever becomes of them: nothing stays. */
#include "test/counted.h"
#include "test/download_rig.h"

/* One playback or download, whatever becomes of it. */
static void a_life(struct sim_device *d, uint64_t *rnd)
{
    static const unsigned status[] = { 400, 403, 404, 408, 415, 480, 486, 488,
                                       491, 500, 503, 603 };
    unsigned k = (unsigned)(test_random(rnd) % 8);
    struct platform_session v;
    uint64_t id = 0;
    uint32_t number;
    bool plays;

    d->invite = test_random(rnd) % 3
                    ? SIM_ANSWER
                    : (enum sim_invite)(test_random(rnd) %
                                        (SIM_PLAIN_AVP + 1));
    d->media = test_random(rnd) % 3
                   ? SIM_PICTURE
                   : (enum sim_media)(test_random(rnd) % (SIM_NO_KEY + 1));
    d->refuse_status = status[test_random(rnd) % COUNT(status)];
    d->refuse_times = (unsigned)(test_random(rnd) % 4);
    d->send_rate = (unsigned)(20 + test_random(rnd) % 200);
    d->break_after_ms = (unsigned)(test_random(rnd) % 400000);
    d->break_times = (unsigned)(test_random(rnd) % 3);
    d->no_media_status = test_random(rnd) % 3 == 0;
    d->record_mute = test_random(rnd) % 6 == 0;
    d->control_silent = test_random(rnd) % 5 == 0;
    d->control_status = test_random(rnd) % 4 ? 0 : 488;
    plays = sim_playback(&s, d, channel, PLATFORM_PLAYBACK, PLATFORM_AUTO,
                         &v) == 0;
    if (plays && k & 1)
        platform_session_hold(s.p, v.id, s.now);
    if (k & 2)
        id = order(T0 + k, T0 + 600 + k);
    for (unsigned n = (unsigned)(test_random(rnd) % 5); n > 0; n--) {
        struct platform_control c = {
            .kind = (enum platform_control_kind)(test_random(rnd) %
                                                 PLATFORM_CONTROLS),
            .position_ms = (int64_t)(test_random(rnd) % 600000),
            .scale_milli = (int32_t)(test_random(rnd) % 8000) - 4000,
        };

        sim_run(&s, test_random(rnd) % 5000);
        if (plays)
            platform_session_control(s.p, v.id, &c, s.now, &number);
        if (test_random(rnd) % 8 == 0) {
            sim_unregister(d);
            sim_run(&s, 500);
            sim_register(d);
        }
    }
    if (plays && test_random(rnd) % 2)
        platform_session_stop(s.p, v.id, s.now);
    if (id && test_random(rnd) % 3)
        platform_download_cancel(s.p, id, s.now);
}

/* All that is left is ended. */
static void rest(struct sim_device *d)
{
    struct platform_session v;
    struct platform_download j;

    d->invite = SIM_ANSWER;
    d->media = SIM_PICTURE;
    d->break_times = 0;
    while (platform_download_at(s.p, 0, &j)) {
        platform_download_cancel(s.p, j.id, s.now);
        sim_run(&s, 1000);
    }
    while (platform_session_next(s.p, 0, &v)) {
        for (v.id = 0; platform_session_next(s.p, v.id, &v);)
            platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 1000);
    }
    sim_register(d);
    sim_run(&s, 200000);
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        assert_true(s.file[i].download == 0);
}

#define LIVES 1000
#define GROWTH 32768 /* bytes */

/* What is remembered of commands is so much for ever, once it is full. */
static void fill_ring(struct sim_device *d)
{
    for (unsigned i = 0; i < PLATFORM_COMMANDS_MAX + 10; i++) {
        const struct platform_records_ask q = { .device = slice_str(nvr),
                                                .channel = slice_str(channel),
                                                .start_s = T0,
                                                .stop_s = T0 + 2 + i };
        uint64_t id;
        int err = platform_records_start(s.p, &q, s.now, &id);

        if (err)
            fail_msg("%u: %s", i, gb_strerror(err));
        if (i % 100 == 0)
            sim_register(d);
        sim_run(&s, 6000);
    }
}

static void nothing_is_left_of_playback_lives(void **state)
{
    struct sim_options o = { .alloc = &counted, .delay_ms = 5,
                             .config = { .idle_stop_s = 5,
                                         .auto_enrol = true } };
    struct sim_device *d;
    uint64_t rnd = 0x9e3779b97f4a7c15u;
    size_t warm = 0;

    (void)state;
    live_bytes = 0;
    d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    d->record[0].from_s = T0;
    d->record[0].to_s = T0 + HALF;
    d->n_records = 1;
    d->tells_time = true;
    fill_ring(d);
    for (unsigned i = 0; i < LIVES + LIVES / 4; i++) {
        a_life(d, &rnd);
        if (i % 50 == 0)
            sim_register(d);
        if (i == LIVES / 4) {
            rest(d);
            warm = live_bytes;
        }
    }
    rest(d);
    if (live_bytes > warm + GROWTH)
        fail_msg("%zu bytes, %zu since it was warm", live_bytes,
                 live_bytes - warm);
    sim_run(&s, 70000);
    platform_tick(s.p, s.now);
    sim_free(&s);
    assert_int_equal(live_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_playback_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
