/* Random actions of users, devices and the network, from a printed seed; after
 * each of them what must always hold. PLATFORM_SEED=n runs that one alone. */
#include "test/sim.h"

#include "manscdp/bodies.h"
#include "manscdp/control.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS 25
#define STEPS 400
#define DEVICES 8

static struct sim s;
static uint64_t rnd;

static unsigned pick(unsigned n)
{
    return (unsigned)(test_random(&rnd) % n);
}

static uint64_t any_session(void)
{
    struct platform_session v = { .id = 0 };
    struct platform_counters c = sim_counters(&s);

    if (c.sessions == 0)
        return 12345; /* a stale id */
    for (unsigned left = pick(c.sessions) + 1; left; left--)
        assert_true(platform_session_next(s.p, v.id, &v));
    return v.id;
}

static void play(struct sim_device *d)
{
    static const enum platform_transport t[] = {
        PLATFORM_AUTO, PLATFORM_UDP, PLATFORM_TCP_PASSIVE, PLATFORM_TCP_ACTIVE
    };
    struct platform_session v;

    if (!sim_play(&s, d, d->channel[pick(d->n_channels)], t[pick(4)], &v)) {
        assert_true(v.id != 0);
        if (pick(4))
            platform_session_hold(s.p, v.id, s.now);
    } else {
        assert_true(v.evidence.n && v.hint.n);
    }
}

static void change_mind(struct sim_device *d)
{
    static const unsigned status[] = { 400, 403, 404, 480, 486, 488, 491,
                                       500, 503, 603 };

    d->invite = (enum sim_invite)pick(SIM_PLAIN_AVP + 1);
    d->media = (enum sim_media)pick(SIM_NO_KEY + 1);
    d->refuse_status = status[pick(COUNT(status))];
    d->refuse_times = pick(3);
    d->catalog_drop = pick(2);
    d->catalog_mute = pick(8) == 0;
    d->query_refused = pick(8) == 0;
}

/* Questions, orders with a Response and without, refreshes. */
static void command(struct sim_device *d)
{
    static const enum manscdp_cmd cmds[] = {
        MANSCDP_CMD_DEVICE_STATUS, MANSCDP_CMD_RECORD_INFO,
        MANSCDP_CMD_PRESET_QUERY, MANSCDP_CMD_DEVICE_INFO,
    };
    struct manscdp_control_guard body = { .guard = MANSCDP_GUARD_SET };
    struct platform_order o = { .device = slice_str(d->id),
                                .root = MANSCDP_QUERY,
                                .cmd = cmds[pick(COUNT(cmds))] };
    uint64_t id;

    if (pick(3) == 0) {
        platform_command_refresh(s.p, o.device, s.now, &id);
        return;
    }
    if (pick(2)) {
        o.root = MANSCDP_CONTROL;
        o.cmd = MANSCDP_CMD_DEVICE_CONTROL;
        o.body = &manscdp_control_guard_body;
        o.in = &body;
    }
    platform_command_send(s.p, &o, s.now, &id);
}

/* Late, double, or to nobody's question. */
static void tell(struct sim_device *d)
{
    static const char *const cmds[] = { "DeviceStatus", "RecordInfo",
                                        "PresetQuery", "DeviceInfo",
                                        "DeviceControl", "Catalog" };
    char text[500];

    snprintf(text, sizeof(text),
             "<?xml version=\"1.0\"?><Response><CmdType>%s</CmdType>"
             "<SN>%u</SN><DeviceID>%s</DeviceID><Result>OK</Result>"
             "<SumNum>%u</SumNum></Response>",
             cmds[pick(COUNT(cmds))], sim_asked_sn(d) - pick(2), d->id,
             pick(3));
    sim_message(d, text);
}

static void act(struct sim_device *d)
{
    switch (pick(22)) {
    case 0:
    case 1:
        sim_register(d);
        break;
    case 2:
        if (pick(4) == 0)
            sim_unregister(d);
        break;
    case 3:
        sim_keepalive(d, pick(9) ? NULL : SIM_ID);
        break;
    case 4:
    case 5:
    case 6:
        play(d);
        break;
    case 7:
        platform_session_hold(s.p, any_session(), s.now);
        break;
    case 8:
        platform_session_release(s.p, any_session(), s.now);
        break;
    case 9:
        platform_session_stop(s.p, any_session(), s.now);
        break;
    case 10:
        sim_bye(d);
        break;
    case 11:
        change_mind(d);
        break;
    case 12:
        if (d->transport == SIP_TCP) {
            sim_disconnect(d);
            sim_reconnect(d);
        } else {
            d->addr.port = (uint16_t)(5060 + pick(3));
            d->to_server.local = d->addr;
        }
        break;
    case 13:
        platform_device_refresh(s.p, slice_str(d->id), s.now);
        break;
    case 14:
        if (pick(6) == 0)
            platform_device_remove(s.p, slice_str(d->id), s.now);
        break;
    case 15:
        d->deaf = pick(4) == 0;
        break;
    case 16:
        s.opt.refuse_ports = pick(5) == 0 ? UINT_MAX : 0;
        s.opt.loss_percent = pick(3) * 10;
        break;
    case 18:
    case 19:
        command(d);
        break;
    case 20:
    case 21:
        tell(d);
        break;
    case 17:
        d->invite = SIM_ANSWER;
        d->media = SIM_PICTURE;
        d->deaf = d->query_refused = d->catalog_mute = false;
        break;
    }
}

static void invariants(void)
{
    struct platform_counters c = sim_counters(&s);
    struct platform_session v = { .id = 0 }, w;
    struct platform_device d;
    struct slice after = { NULL, 0 };
    char last[PLATFORM_ID_MAX];
    size_t n = 0, channels = 0, online = 0;

    for (; platform_session_next(s.p, v.id, &v); n++) {
        assert_true(v.state != PLATFORM_FAILED || v.evidence.n > 0);
        assert_true(v.step < PLATFORM_STEP_COUNT);
        if (v.state == PLATFORM_STARTING || v.state == PLATFORM_PLAYING) {
            assert_true(platform_device_view(s.p, v.device, &d) &&
                        (d.online || v.step == PLATFORM_STEP_DEVICE));
            assert_true(platform_live_find(s.p, v.device, v.channel, v.stream,
                                           &w) &&
                        w.id == v.id);
        }
        w.id = 0;
        for (size_t k = 0; k < n; k++) {
            assert_true(platform_session_next(s.p, w.id, &w));
            assert_true(w.id != v.id);
        }
    }
    assert_int_equal(n, c.sessions);
    assert_true(c.ports_lent <= c.sessions && c.ssrcs_lent <= c.sessions);
    assert_true(s.open_streams <= c.ports_lent);
    for (n = 0; platform_device_next(s.p, after, &d); n++) {
        assert_true(after.n == 0 || slice_cmp(after, d.id) < 0);
        slice_copy(last, sizeof(last), d.id);
        after = slice_str(last);
        channels += d.n_channels;
        online += d.online;
    }
    assert_int_equal(n, c.devices);
    assert_int_equal(online, c.online);
    assert_int_equal(channels, c.channels);
}

/* No command is open beyond its end. */
static void check_commands(void)
{
    struct platform_command c = { .id = 0 };

    while (platform_command_before(s.p, c.id, &c)) {
        if (!c.is_final && c.ends_ms < s.now.mono_ms)
            fail_msg("command %llu should be over: it is %s",
                     (unsigned long long)c.id,
                     platform_command_state_name(c.state));
        if (c.id == 1)
            break;
    }
}

/* What the media edge was told, after each action was carried out. */
static void check_streams(void)
{
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++) {
        struct platform_session v;

        if (s.stream[i].session &&
            !platform_session_view(s.p, s.stream[i].session, &v))
            fail_msg("port %u is open without a session", s.stream[i].port);
    }
}

static void run(uint64_t seed)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_burst = 100000,
                                         .port_min = 40000,
                                         .port_max = 40199,
                                         .idle_stop_s = 20 },
                             .delay_ms = 5,
                             .jitter_ms = 60,
                             .copy_percent = 10,
                             .seed = seed };

    rnd = seed * 0x9e3779b97f4a7c15u | 1;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < DEVICES; i++) {
        struct sim_device *d = sim_add_nth(&s, i, 4);

        d->keepalive_ms = 60000;
        sim_register(d);
    }
    sim_run(&s, 10000);
    for (unsigned i = 0; i < STEPS; i++) {
        act(&s.device[pick(DEVICES)]);
        sim_run(&s, pick(5) ? pick(300) : pick(20000));
        invariants();
        check_streams();
        check_commands();
    }
    s.opt.refuse_ports = 0;
    sim_run(&s, PLATFORM_ANSWER_MS);
    check_commands();
    assert_int_equal(sim_counters(&s).commands, 0);
    platform_drain(s.p, s.now);
    sim_run(&s, 100000);
    assert_true(platform_is_drained(s.p));
    invariants();
    sim_expect_clean(&s);
    sim_free(&s);
}

static void any_order_of_things(void **state)
{
    const char *only = getenv("PLATFORM_SEED");

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (only)
            seed = strtoull(only, NULL, 10);
        print_message("seed %llu\n", (unsigned long long)seed);
        run(seed);
        if (only)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_things),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
