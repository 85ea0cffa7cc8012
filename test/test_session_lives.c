/* Random lives of live sessions, in virtual time: refused, never answered,
 * answered late, silent, cut, replaced, slow, ended early, moved. When all are
 * over, nothing of them is left: no port, no SSRC, no order, no dialog, no byte.
 *
 * LIVES=n: so many; LIVES_SEED=n: that world alone. */
#include "test/counted.h"
#include "test/sim.h"

#include <stdio.h>
#include <stdlib.h>

#define LIVES 600
#define IN_A_WORLD 300  /* lives of one platform; it warms up on a third */
#define IN_A_LARGE 2500 /* of more than twice as many */
#define DEVICES 6
#define CHANNELS 4
#define SHARED 30000
#define GROWTH 32768 /* bytes: what each device and connection gets once, but
                        late; a session is 2 KB */
#define COMMAND_BYTES 1024 /* of one that is remembered */

static struct sim s;
static uint64_t rnd;

/* ---- one life ---- */

static unsigned pick(unsigned n)
{
    return (unsigned)(test_random(&rnd) % n);
}

static void behave(struct sim_device *d)
{
    static const unsigned status[] = { 400, 403, 404, 408, 415, 480, 486, 487,
                                       488, 491, 500, 503, 603, 606 };

    d->invite = pick(2) ? SIM_ANSWER : (enum sim_invite)pick(SIM_PLAIN_AVP + 1);
    d->media = pick(2) ? SIM_PICTURE : (enum sim_media)pick(SIM_NO_KEY + 1);
    d->refuse_status = status[pick(COUNT(status))];
    d->refuse_times = pick(4);
    d->foreign_ssrc = pick(5) == 0;
    d->sound_only = pick(10) == 0;
    d->deaf = pick(12) == 0;
    d->sdp_ip = pick(8) ? NULL : "10.9.9.9";
    d->media_ip = pick(8) ? NULL : "10.8.8.8";
    s.opt.refuse_ports = pick(25) == 0 ? UINT_MAX : 0;
    s.opt.loss_percent = pick(4) ? 0 : 10 * pick(4);
    s.opt.delay_ms = pick(6) ? 5 : 100 * pick(120); /* answers come late */
}

static void move(struct sim_device *d)
{
    if (d->transport == SIP_TCP) {
        sim_disconnect(d);
        sim_reconnect(d);
    } else {
        d->addr.port = (uint16_t)(5060 + pick(3));
        d->to_server.local = d->addr;
    }
    sim_register(d);
}

/* The media edge on its own account. */
static void cut(uint64_t id)
{
    static const enum platform_media_kind kinds[] = {
        PLATFORM_MEDIA_ENDED, PLATFORM_MEDIA_ALIVE, PLATFORM_MEDIA_CONNECTED,
        PLATFORM_MEDIA_SOUND,
    };
    struct sim_stream *st = sim_stream_of(&s, id);
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_ALIVE,
                                       .session = id, .foreign = 9 };

    if (!st)
        return;
    if (pick(2))
        sim_media(&s, st, kinds[pick(COUNT(kinds))]);
    else
        platform_media(s.p, &ev, s.now);
}

static void meddle(struct sim_device *d, uint64_t id)
{
    switch (pick(9)) {
    case 0:
        sim_bye(d);
        break;
    case 1:
        move(d);
        break;
    case 2:
        cut(id);
        break;
    case 3:
        platform_session_hold(s.p, id, s.now);
        break;
    case 4:
        platform_session_release(s.p, id, s.now);
        break;
    case 5:
        platform_share_port(s.p, pick(3) ? SHARED : 0, pick(2));
        break;
    case 6:
        if (pick(4) == 0)
            sim_unregister(d);
        break;
    case 7:
        behave(d);
        break;
    case 8:
        sim_keepalive(d, NULL);
        break;
    }
}

static void live(void)
{
    static const enum platform_transport t[] = {
        PLATFORM_AUTO, PLATFORM_AUTO, PLATFORM_UDP, PLATFORM_TCP_PASSIVE,
        PLATFORM_TCP_ACTIVE,
    };
    struct sim_device *d = &s.device[pick(DEVICES)];
    struct platform_session v;

    behave(d);
    if (sim_play(&s, d, d->channel[pick(CHANNELS)], t[pick(COUNT(t))], &v)) {
        assert_true(v.evidence.n && v.hint.n);
        sim_register(d); /* it was offline */
        sim_run(&s, pick(2000));
        return;
    }
    if (pick(3))
        platform_session_hold(s.p, v.id, s.now);
    for (unsigned k = pick(5); k > 0; k--) {
        sim_run(&s, pick(4) ? pick(1500) : pick(20000));
        meddle(d, v.id);
    }
    if (pick(3))
        platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, pick(200));
}

/* ---- many of them ---- */

/* After a 486 the dialogs whose BYE was never answered are ended once more. */
static void end_old_dialogs(struct sim_device *d)
{
    struct platform_session v;

    d->deaf = false;
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 1;
    for (unsigned i = 0; i < 30; i++) { /* it may be told to come back later */
        sim_register(d);
        sim_run(&s, 5000);
        if (sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v) == 0)
            break;
    }
    if (v.state == PLATFORM_FAILED)
        fail_msg("%s: %.*s", d->id, SLICE_ARG(v.evidence));
    sim_run(&s, 3000);
    platform_session_stop(s.p, v.id, s.now);
}

static void rest(void)
{
    struct platform_session v;

    s.opt.refuse_ports = 0;
    s.opt.loss_percent = 0;
    s.opt.delay_ms = 5;
    while (platform_session_next(s.p, 0, &v)) {
        for (v.id = 0; platform_session_next(s.p, v.id, &v);)
            platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 1000);
    }
    for (unsigned i = 0; i < DEVICES; i++)
        end_old_dialogs(&s.device[i]);
    sim_run(&s, 200000);
    platform_tick(s.p, s.now);
    sim_expect_clean(&s);
    assert_int_equal(sim_counters(&s).ports_resting, 0);
}

/* Orders for key frames that have been given: the newest commands are
 * remembered. */
static size_t order_bytes(void)
{
    size_t n = 0;

    for (unsigned i = 0; i < s.n_devices; i++)
        n += s.device[i].key_orders[0] + s.device[i].key_orders[1];
    return (n < PLATFORM_COMMANDS_MAX ? n : PLATFORM_COMMANDS_MAX) *
           COMMAND_BYTES;
}

static void a_world(uint64_t seed, unsigned lives)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_burst = 100000,
                                         .port_min = 40000,
                                         .port_max = 40019,
                                         .media_loops = 3,
                                         .idle_stop_s = 5 },
                             .alloc = &counted, .jitter_ms = 60,
                             .copy_percent = 5, .delay_ms = 5, .seed = seed };
    size_t warm = 0, orders = 0;

    rnd = seed * 0x9e3779b97f4a7c15u | 1;
    live_bytes = 0;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < DEVICES; i++) {
        struct sim_device *d = sim_add_nth(&s, i, CHANNELS);

        d->keepalive_ms = 30000;
    }
    sim_settle(&s);
    for (unsigned i = 0; i < lives; i++) {
        live();
        if (i == lives / 3) {
            rest();
            warm = live_bytes;
            orders = order_bytes();
        }
    }
    rest();
    if (live_bytes > warm + GROWTH + order_bytes() - orders)
        fail_msg("%zu bytes, %zu of them since it was warm", live_bytes,
                 live_bytes - warm);
    sim_free(&s);
    assert_int_equal(live_bytes, 0);
}

static void nothing_is_left_of_lives(void **state)
{
    const char *only = getenv("LIVES_SEED"), *many = getenv("LIVES");
    unsigned lives = many ? (unsigned)strtoul(many, NULL, 10) : LIVES;

    unsigned a_time = lives > 2 * IN_A_LARGE ? IN_A_LARGE : IN_A_WORLD;

    (void)state;
    if (only) {
        a_world(strtoull(only, NULL, 10), a_time);
        return;
    }
    for (unsigned done = 0, seed = 1; done < lives; seed++) {
        print_message("seed %u\n", seed);
        a_world(seed, a_time);
        done += a_time;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
