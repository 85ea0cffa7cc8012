/* Movements end: by a stop, by the dead man's time, by another one; on a wire
 * that loses and turns messages round, and with a device that goes away. */
#include "test/sim.h"

#include <stdio.h>

#define NVR "34020000001180000001"
#define CAM "34020000001310010001"
#define CAM2 "34020000001310010002"
#define RIGHT "A50F0101320000E8"
#define LEFT "A50F0102320000E9"
#define FAR "A50F014132000028"
#define STOP "A50F0100000000B5"
#define LENS_STOP "A50F0140000000F5"

static struct sim s;

static struct sim_device *online_with(const struct sim_options *o)
{
    struct sim_device *d;

    assert_true(sim_init(&s, o));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 2);
    sim_settle(&s);
    return d;
}

static struct sim_device *online(void)
{
    return online_with(NULL);
}

static struct manscdp_ptz parsed(const char *hex)
{
    struct manscdp_ptz c;

    assert_int_equal(manscdp_ptz_parse(&c, slice_str(hex), NULL), 0);
    return c;
}

static int ask(const char *channel, const char *hex, uint64_t *id)
{
    const struct platform_ptz r = { .device = SLICE(NVR),
                                    .channel = slice_str(channel),
                                    .command = parsed(hex) };

    return platform_ptz(s.p, &r, s.now, id);
}

static uint64_t move(const char *hex)
{
    uint64_t id = 0;

    assert_int_equal(ask(CAM, hex, &id), 0);
    return id;
}

static void stop(void)
{
    uint64_t id = 0;

    assert_int_equal(platform_ptz_stop(s.p, SLICE(NVR), SLICE(CAM), s.now,
                                       &id), 0);
}

static bool last_is(const struct sim_device *d, const char *hex)
{
    struct slice body = slice_str(d->last_body);

    return slice_find_slice(body, slice_str(hex)) < body.n;
}

static void expect_last(const struct sim_device *d, const char *hex)
{
    if (!last_is(d, hex))
        fail_msg("not %s: %s", hex, d->last_body);
}

static struct platform_command newest(void)
{
    struct platform_command c;

    assert_true(platform_command_before(s.p, 0, &c));
    return c;
}

static void stopped_by_hand(void **state)
{
    struct sim_device *d = online();
    unsigned before;

    (void)state;
    move(RIGHT);
    sim_run(&s, 100);
    expect_last(d, RIGHT);
    expect_last(d, "<DeviceID>" CAM "</DeviceID>");
    stop();
    sim_run(&s, 100);
    expect_last(d, STOP);
    before = d->messages;
    sim_run(&s, 20000);
    assert_int_equal(d->messages, before); /* and nothing behind it */
    /* a stop is sent even when nothing is known to move */
    stop();
    sim_run(&s, 100);
    assert_int_equal(d->messages, before + 1);
    sim_free(&s);
}

static void dead_man(void **state)
{
    const struct sim_options o = { .config = { .auto_enrol = true,
                                               .ptz_hold_ms = 3000 } };
    struct sim_device *d = online_with(&o);
    unsigned before;

    (void)state;
    move(RIGHT);
    sim_run(&s, 2900);
    expect_last(d, RIGHT);
    sim_run(&s, 200);
    expect_last(d, STOP);
    before = d->messages;
    sim_run(&s, 20000);
    assert_int_equal(d->messages, before);
    /* the lens has a stop of its own */
    move(FAR);
    sim_run(&s, 3100);
    expect_last(d, LENS_STOP);
    /* and both at once have two */
    before = d->messages;
    move(FAR);
    sim_run(&s, 1000);
    move(LEFT);
    sim_run(&s, 2100);
    expect_last(d, LENS_STOP);
    sim_run(&s, 1000);
    expect_last(d, STOP);
    assert_int_equal(d->messages, before + 4);
    sim_free(&s);
}

/* The same again renews, and is not sent each time; a client that resends every
 * 100 ms costs one message a second. */
static void renewed(void **state)
{
    struct sim_device *d = online();
    unsigned before = d->messages;
    uint64_t id = move(RIGHT), again = 0;

    (void)state;
    sim_run(&s, 100);
    assert_int_equal(ask(CAM, RIGHT, &again), 0);
    assert_int_equal(id, again);
    for (unsigned i = 0; i < 100; i++) {
        sim_run(&s, 100);
        move(RIGHT);
    }
    sim_run(&s, 10);
    assert_in_range(d->messages - before, 9, 12);
    expect_last(d, RIGHT);
    sim_run(&s, 4800);
    expect_last(d, RIGHT);
    sim_run(&s, 300);
    expect_last(d, STOP);
    sim_free(&s);
}

/* Two clients: the last one wins, and the stop of either stops. */
static void last_wins(void **state)
{
    struct sim_device *d = online();
    unsigned before;

    (void)state;
    move(RIGHT);
    sim_run(&s, 4000);
    move(LEFT);
    sim_run(&s, 4500); /* the first one's time was over at 5000 */
    expect_last(d, LEFT);
    stop();
    sim_run(&s, 100);
    expect_last(d, STOP);
    before = d->messages;
    sim_run(&s, 20000);
    assert_int_equal(d->messages, before);
    sim_free(&s);
}

/* Each channel by itself. */
static void channels_apart(void **state)
{
    struct sim_device *d = online();
    uint64_t id;

    (void)state;
    move(RIGHT);
    sim_run(&s, 1000);
    assert_int_equal(ask(CAM2, LEFT, &id), 0);
    stop();
    sim_run(&s, 4000);
    expect_last(d, STOP);
    expect_last(d, "<DeviceID>" CAM "</DeviceID>");
    sim_run(&s, 1500);
    expect_last(d, STOP);
    expect_last(d, "<DeviceID>" CAM2 "</DeviceID>");
    sim_free(&s);
}

/* A preset that is called moves by itself: no stop may end it. */
static void taken_over(void **state)
{
    static const char *const takers[] = { "A50F018200010038",
                                          "A50F01880100003E",
                                          "A50F01890100003F" };
    struct sim_device *d = online();

    (void)state;
    for (size_t i = 0; i < COUNT(takers); i++) {
        move(RIGHT);
        sim_run(&s, 100);
        move(takers[i]);
        sim_run(&s, 20000);
        expect_last(d, takers[i]);
    }
    /* a preset that is only set does not */
    move(RIGHT);
    move("A50F018100010037");
    sim_run(&s, 6000);
    expect_last(d, STOP);
    sim_free(&s);
}

/* An unanswered stop is sent a second time; never behind another movement. */
static void stop_is_repeated(void **state)
{
    struct sim_device *d = online();

    (void)state;
    move(RIGHT);
    sim_run(&s, 100);
    d->deaf = true;
    stop();
    sim_run(&s, 9500);
    d->deaf = false;
    sim_run(&s, 2000);
    expect_last(d, STOP);
    assert_int_equal(newest().tries, 2);
    assert_int_equal(newest().state, PLATFORM_COMMAND_ARRIVED);
    sim_keepalive(d, NULL);
    move(RIGHT);
    sim_run(&s, 100);
    d->deaf = true;
    stop();
    sim_run(&s, 8000);
    d->deaf = false;
    move(LEFT);
    sim_run(&s, 4000);
    expect_last(d, LEFT);
    sim_free(&s);
}

/* The movement was lost on its first way and comes when the stop has been: the
 * stop is sent once more. */
static void stop_overtakes(void **state)
{
    struct sim_device *d = online();

    (void)state;
    d->deaf = true;
    move(RIGHT);
    sim_run(&s, 300);
    d->deaf = false;
    stop();
    sim_run(&s, 100);
    expect_last(d, STOP);
    sim_run(&s, 2000);
    expect_last(d, STOP);
    assert_true(newest().id >= 3);
    sim_free(&s);
}

/* The same with a second movement in place of the stop. */
static void movement_overtakes(void **state)
{
    struct sim_device *d = online();

    (void)state;
    d->deaf = true;
    move(RIGHT);
    sim_run(&s, 300);
    d->deaf = false;
    move(LEFT);
    sim_run(&s, 3000);
    expect_last(d, LEFT);
    sim_run(&s, 3000); /* not renewed by that */
    expect_last(d, STOP);
    sim_free(&s);
}

/* Behind each older one the movement is sent once more; that it was sent before
 * is no reason to send it again. */
static void no_storm_of_its_own(void **state)
{
    const struct sim_options o = { .config = { .auto_enrol = true },
                                   .delay_ms = 100 };
    struct sim_device *d = online_with(&o);
    unsigned before = d->messages;

    (void)state;
    move(RIGHT);
    move(FAR);
    move(LEFT);
    move(RIGHT);
    sim_run(&s, 2000);
    expect_last(d, RIGHT);
    assert_in_range(d->messages - before, 4, 6);
    sim_run(&s, 2500);
    assert_in_range(d->messages - before, 4, 6);
    sim_run(&s, 1000); /* the stop of each part */
    assert_in_range(d->messages - before, 6, 8);
    sim_free(&s);
}

/* Away while it moves: the stop is the first thing it hears. */
static void owed(void **state)
{
    struct sim_device *d = online();

    (void)state;
    move(RIGHT);
    sim_run(&s, 100);
    sim_unregister(d);
    sim_run(&s, 60000);
    assert_false(last_is(d, STOP));
    sim_register(d);
    sim_run(&s, 3000);
    assert_true(slice_eq(newest().sub, SLICE("PTZCmd")));
    assert_int_equal(newest().state, PLATFORM_COMMAND_ARRIVED);
    /* for ten minutes, not longer; and not when it is gone for good */
    move(RIGHT);
    sim_run(&s, 100);
    sim_unregister(d);
    sim_run(&s, 700000);
    assert_int_equal(platform_device_remove(s.p, SLICE(NVR), s.now), 0);
    sim_run(&s, 10000);
    sim_free(&s);
}

static void removed(void **state)
{
    (void)state;
    online();
    move(RIGHT);
    sim_run(&s, 100);
    assert_int_equal(platform_device_remove(s.p, SLICE(NVR), s.now), 0);
    sim_run(&s, 20000);
    sim_free(&s);
    online();
    move(RIGHT);
    sim_free(&s); /* with a movement open */
}

static void errors(void **state)
{
    struct platform_ptz r = { .device = SLICE("x"), .channel = SLICE(CAM),
                              .command = parsed(RIGHT) };
    uint64_t id;

    (void)state;
    online();
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), GB_ENOENT);
    assert_int_equal(platform_ptz_stop(s.p, SLICE("x"), SLICE(CAM), s.now,
                                       &id), GB_ENOENT);
    r.device = SLICE(NVR);
    r.command.zoom = 1;
    r.command.zoom_speed = 16;
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), GB_ERANGE);
    r.command = (struct manscdp_ptz){ .op = MANSCDP_PTZ_PRESET_SET };
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), GB_ERANGE);
    sim_free(&s);
}

/* The name of a preset is told to a device of 2022, and to no other. */
static void names(void **state)
{
    struct platform_ptz r = { .device = SLICE(NVR), .channel = SLICE(CAM),
                              .command = parsed("A50F018100010037"),
                              .name = SLICE("door") };
    struct sim_device *d;
    uint64_t id;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->version = "3.0";
    sim_channels(d, 2);
    sim_settle(&s);
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), 0);
    sim_run(&s, 100);
    expect_last(d, "<PTZCmdParams><PresetName>door</PresetName>"
                   "</PTZCmdParams>");
    r.command = parsed("A50F01880100003E");
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), 0);
    sim_run(&s, 100);
    expect_last(d, "<CruiseTrackName>door</CruiseTrackName>");
    sim_free(&s);
    d = online();
    assert_int_equal(platform_ptz(s.p, &r, s.now, &id), 0);
    sim_run(&s, 100);
    assert_false(last_is(d, "PTZCmdParams"));
    sim_free(&s);
}

/* Whatever is asked, on a bad wire, nothing moves when all is quiet. */
static void random_wire(void **state)
{
    static const char *const asks[] = { RIGHT, LEFT, FAR, STOP, LENS_STOP };

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct sim_options o = { .config = { .auto_enrol = true },
                                       .loss_percent = 15, .copy_percent = 5,
                                       .delay_ms = 20, .jitter_ms = 200,
                                       .seed = seed };
        struct sim_device *d = online_with(&o);
        uint64_t rnd = seed;

        for (unsigned i = 0; i < 40; i++) {
            uint64_t id;

            (void)ask(CAM, asks[test_random(&rnd) % COUNT(asks)], &id);
            sim_run(&s, test_random(&rnd) % 700);
        }
        (void)platform_ptz_stop(s.p, SLICE(NVR), SLICE(CAM), s.now,
                                &(uint64_t){ 0 });
        sim_run(&s, 60000);
        if (!last_is(d, STOP) && !last_is(d, LENS_STOP))
            fail_msg("seed %u: %s", (unsigned)seed, d->last_body);
        sim_free(&s);
    }
}

static void without_memory(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned long at = 1; !done; at++) {
        struct failing_alloc f;
        struct sim_options o;
        struct sim_device *d;
        uint64_t id = 0;
        int err;

        failing_alloc_init(&f, 0);
        o = (struct sim_options){ .config = { .auto_enrol = true },
                                  .alloc = &f.alloc };
        d = online_with(&o);
        f.fail_at = f.calls + at;
        err = ask(CAM, RIGHT, &id);
        assert_true(!err || err == GB_ENOMEM);
        done = f.calls < f.fail_at;
        f.fail_at = 0;
        sim_run(&s, 10000);
        if (!err)
            expect_last(d, STOP);
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_by_hand),  cmocka_unit_test(dead_man),
        cmocka_unit_test(renewed),          cmocka_unit_test(last_wins),
        cmocka_unit_test(channels_apart),   cmocka_unit_test(taken_over),
        cmocka_unit_test(stop_is_repeated), cmocka_unit_test(stop_overtakes),
        cmocka_unit_test(movement_overtakes),
        cmocka_unit_test(no_storm_of_its_own), cmocka_unit_test(owed),
        cmocka_unit_test(removed),          cmocka_unit_test(errors),
        cmocka_unit_test(names),            cmocka_unit_test(random_wire),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
