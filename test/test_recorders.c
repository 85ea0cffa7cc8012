/* app/platform/recorders: a recorder as a consumer of its session; by hand, by
 * plan, on alarm; back-off, a full disk, its end. In virtual time */
#include "app/platform/recorders.h"
#include "test/consumer_rig.h"

static struct recorders *r;

static void begin(void)
{
    consumers_begin();
    assert_int_equal(recorders_new(&r, &mem.alloc, s.p), 0);
}

static void finish(void)
{
    recorders_free(r);
    consumers_end();
    ends_clean();
}

static int set(const struct recorders_settings *x)
{
    return recorders_set(r, slice_str(nvr), slice_str(channel), x, s.now);
}

static struct recorder_view view(void)
{
    struct recorder_view v;

    recorders_view(r, slice_str(nvr), slice_str(channel), &v);
    return v;
}

static enum recorders_state state_now(void)
{
    return view().state;
}

static void run(uint64_t ms)
{
    CONSUMERS_RUN(r, recorders, RECORDERS_TICK_MS, ms)
}

static struct recorders_order rolling(void)
{
    struct recorders_order o;

    for (unsigned i = 0; i < 600; i++) {
        if (recorders_order(r, &o))
            return o;
        run(RECORDERS_TICK_MS);
    }
    fail_msg("nothing is begun");
    return o;
}

static bool no_order(void)
{
    struct recorders_order o;

    return !recorders_order(r, &o);
}

static bool tell(uint64_t roll, enum recorders_event e, bool full,
                 const char *why)
{
    const struct recorders_told t = { .roll = roll, .event = e,
                                      .begin_utc_ms = s.now.utc_ms,
                                      .bytes = 1000, .full = full,
                                      .why = why };
    struct slice device, ch;

    if (!recorders_told(r, &t, s.now, &device, &ch))
        return false;
    expect_slice(device, nvr);
    expect_slice(ch, channel);
    return true;
}

static const struct recorders_settings always = {
    .mode = RECORDERS_MODE_ALWAYS
}, off = { 0 };

static void by_hand(void **state)
{
    static const struct recorders_settings hand = { .hand = true };
    struct recorders_order o, end;

    (void)state;
    ready();
    begin();
    assert_int_equal(state_now(), RECORDERS_OFF);
    assert_int_equal(set(&hand), 0);
    o = rolling();
    assert_true(o.begin);
    assert_true(o.cached);
    expect_slice(o.channel, channel);
    assert_int_equal(state_now(), RECORDERS_STARTING); /* no file yet */
    assert_true(tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL));
    assert_int_equal(state_now(), RECORDERS_RECORDING);
    assert_int_equal(sim_session(&s, o.session).consumers, 1);
    run(60000); /* the session is held */
    assert_int_equal(sim_session(&s, o.session).state, PLATFORM_PLAYING);
    assert_int_equal(set(&off), 0);
    assert_true(no_order());
    run(RECORDERS_TICK_MS);
    assert_true(recorders_order(r, &end));
    assert_false(end.begin);
    assert_int_equal(end.roll, o.roll);
    assert_int_equal(state_now(), RECORDERS_ENDING);
    assert_int_equal(sim_session(&s, o.session).consumers, 1);
    assert_true(tell(o.roll, RECORDERS_TOLD_OVER, false, NULL));
    assert_int_equal(sim_session(&s, o.session).consumers, 0);
    assert_false(tell(o.roll, RECORDERS_TOLD_OVER, false, NULL));
    run(RECORDERS_TICK_MS);
    finish();
}

/* A recorder that is set again while its end is awaited begins anew. */
static void again_while_ending(void **state)
{
    struct recorders_order o, next;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(&always), 0);
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    assert_int_equal(set(&off), 0);
    run(RECORDERS_TICK_MS);
    assert_false(rolling().begin);
    assert_int_equal(set(&always), 0);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    next = rolling();
    assert_true(next.begin);
    assert_int_not_equal(next.roll, o.roll);
    assert_int_equal(next.session, o.session);
    tell(next.roll, RECORDERS_TOLD_OVER, false, NULL);
    finish();
}

static void backs_off(void **state)
{
    static const uint32_t want_ms[] = { 2000, 4000, 8000, 16000, 32000, 60000,
                                        60000 };
    struct recorders_order o;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(&always), 0);
    for (size_t i = 0; i < COUNT(want_ms); i++) {
        o = rolling();
        tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
        tell(o.roll, RECORDERS_TOLD_FAILED, false, "input/output error");
        tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
        assert_int_equal(state_now(), RECORDERS_WAITING);
        assert_string_equal(view().why, "input/output error");
        assert_int_equal(view().failures, i + 1);
        assert_int_equal(view().next_utc_ms - s.now.utc_ms, want_ms[i]);
        run(want_ms[i] - RECORDERS_TICK_MS);
        assert_int_equal(state_now(), RECORDERS_WAITING);
    }
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    assert_string_equal(view().why, "");
    run(RECORDERS_GOOD_MS + RECORDERS_TICK_MS);
    assert_int_equal(view().failures, 0);
    /* a full disk is looked at every 10 s */
    tell(o.roll, RECORDERS_TOLD_FAILED, true, "no space left");
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    assert_int_equal(view().next_utc_ms - s.now.utc_ms, RECORDERS_FULL_MS);
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    finish();
}

static void what_breaks_below(void **state)
{
    struct sim_device *d;
    struct recorders_order o;

    (void)state;
    d = ready();
    begin();
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 100;
    assert_int_equal(set(&always), 0);
    run(20000);
    if (!text_has(view().why, "486"))
        fail_msg("%s", view().why);
    d->invite = SIM_ANSWER;
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_OVER, false, "the live session has ended");
    sim_unregister(d);
    run(RECORDERS_BACK_OFF_MAX_MS + 1000);
    assert_true(text_has(view().why, "offline"));
    sim_register(d);
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    recorders_remove_device(r, slice_str(nvr), s.now);
    run(RECORDERS_TICK_MS);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    run(RECORDERS_TICK_MS);
    assert_int_equal(mem.live, 3); /* itself, its map, its ids */
    finish();
}

/* Half hours in the platform's zone (UTC+8 here), over a whole week. */
static void by_plan(void **state)
{
    struct recorders_settings plan = { .mode = RECORDERS_MODE_PLAN };
    struct recorders_order o;
    int64_t local_s;
    unsigned now, wait_ms;

    (void)state;
    ready();
    begin();
    local_s = s.now.utc_ms / 1000 + platform_timezone_min(s.p) * 60;
    /* 2023-11-14 was a Tuesday, 15 a Wednesday */
    now = (unsigned)((local_s - (1699833600)) / 1800) % RECORDERS_PLAN_BITS;
    plan.plan[(now + 1) / 8] = (uint8_t)(1u << (now + 1) % 8);
    wait_ms = (unsigned)(1800 - local_s % 1800) * 1000;
    assert_int_equal(set(&plan), 0);
    run(wait_ms - 2000);
    assert_int_equal(state_now(), RECORDERS_OFF);
    run(3000);
    o = rolling();
    assert_true(o.begin);
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    run(1795000);
    assert_true(no_order());
    run(6000);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    assert_int_equal(state_now(), RECORDERS_OFF);
    finish();
}

static void on_alarm(void **state)
{
    struct recorders_settings alarm = { .mode = RECORDERS_MODE_ALARM,
                                        .alarm_s = 20, .before = true };
    struct recorders_order o;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(&alarm), 0);
    run(40000);
    assert_int_equal(state_now(), RECORDERS_READY); /* the stream is kept up */
    assert_true(no_order());
    recorders_on_alarm(r, SLICE("34020000001180000002"), slice_str(channel),
                       s.now);
    recorders_on_alarm(r, slice_str(nvr), slice_str(s.device[0].channel[1]),
                       s.now);
    run(1000);
    assert_true(no_order());
    recorders_on_alarm(r, slice_str(nvr), slice_str(channel), s.now);
    o = rolling();
    assert_true(o.begin);
    assert_true(o.cached);
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    assert_true(view().alarm);
    run(15000);
    recorders_on_alarm(r, slice_str(nvr), slice_str(nvr), s.now); /* longer */
    run(15000);
    assert_true(no_order());
    run(5500);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    assert_int_equal(state_now(), RECORDERS_READY);
    /* so soon after: what is cached is in the last one */
    recorders_on_alarm(r, slice_str(nvr), slice_str(nvr), s.now);
    o = rolling();
    assert_true(o.begin);
    assert_false(o.cached);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    assert_int_equal(set(&off), 0);
    finish();
}

/* Asked for by somebody else: also a channel that nothing is set for, so long,
 * and longer when it is asked for again; what is set for it stays. */
static void for_so_long(void **state)
{
    struct recorders_order o;
    struct recorders_settings got;

    (void)state;
    ready();
    begin();
    assert_int_equal(recorders_record(r, slice_str(nvr), SLICE(""), 10, s.now),
                     GB_ESYNTAX);
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel), 0,
                                      s.now), GB_ESYNTAX);
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel),
                                      RECORDERS_ALARM_MAX_S + 1, s.now),
                     GB_ESYNTAX);
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel), 20,
                                      s.now), 0);
    o = rolling();
    assert_true(o.begin);
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    recorders_get(r, slice_str(nvr), slice_str(channel), &got);
    assert_int_equal(got.mode, RECORDERS_MODE_OFF);
    run(10000);
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel), 5,
                                      s.now), 0); /* shorter: as it was */
    run(8000);
    assert_true(no_order());
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel), 10,
                                      s.now), 0);
    run(8000);
    assert_true(no_order());
    run(4000);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    run(1000);
    assert_false(recorders_view(r, slice_str(nvr), slice_str(channel),
                                &(struct recorder_view){ 0 }));
    /* recorded all the time: that goes on behind it */
    assert_int_equal(set(&always), 0);
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    assert_int_equal(recorders_record(r, slice_str(nvr), slice_str(channel), 5,
                                      s.now), 0);
    run(8000);
    assert_true(no_order());
    assert_int_equal(set(&off), 0);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    finish();
}

static void other_stream(void **state)
{
    struct recorders_settings sub = { .mode = RECORDERS_MODE_ALWAYS,
                                      .stream = 1 };
    struct recorders_order o, next;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(&always), 0);
    o = rolling();
    tell(o.roll, RECORDERS_TOLD_BEGUN, false, NULL);
    assert_int_equal(set(&sub), 0);
    assert_false(rolling().begin);
    tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
    next = rolling();
    assert_true(next.begin);
    assert_int_equal(sim_session(&s, next.session).stream, 1);
    assert_int_equal(sim_session(&s, o.session).consumers, 0);
    tell(next.roll, RECORDERS_TOLD_OVER, false, NULL);
    finish();
}

static void refuses(void **state)
{
    struct recorders_settings bad = always;
    struct recorders_walk none = { 0 }, one = { 0 };
    struct recorder_view v;

    (void)state;
    ready();
    begin();
    bad.stream = 2;
    assert_int_equal(set(&bad), GB_ESYNTAX);
    bad = always;
    bad.alarm_s = RECORDERS_ALARM_MAX_S + 1;
    assert_int_equal(set(&bad), GB_ESYNTAX);
    assert_int_equal(recorders_set(r, SLICE(""), SLICE("1"), &always, s.now),
                     GB_ESYNTAX);
    assert_int_equal(set(&off), 0);
    assert_false(recorders_next(r, &none, &v)); /* nothing is kept of it */
    assert_int_equal(set(&always), 0);
    assert_true(recorders_next(r, &one, &v));
    assert_false(recorders_next(r, &one, &v));
    finish();
}

static void without_memory(void **state)
{
    struct recorders_order o;

    (void)state;
    ready();
    for (unsigned long at = 1; ; at++) {
        int err;

        failing_alloc_init(&mem, at);
        if (recorders_new(&r, &mem.alloc, s.p)) {
            assert_int_equal(mem.live, 0);
            continue;
        }
        err = set(&always);
        run(5000);
        if (!err && mem.calls < at) {
            o = rolling();
            assert_true(o.begin);
            tell(o.roll, RECORDERS_TOLD_OVER, false, NULL);
            break;
        }
        if (!err) /* no id for its roll: it tries again */
            assert_int_equal(state_now(), RECORDERS_WAITING);
        assert_int_equal(set(&off), 0);
        run(RECORDERS_TICK_MS);
        recorders_free(r);
        assert_int_equal(mem.live, 0);
    }
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(again_while_ending),
        cmocka_unit_test(backs_off),
        cmocka_unit_test(what_breaks_below),
        cmocka_unit_test(by_plan),
        cmocka_unit_test(on_alarm),
        cmocka_unit_test(for_so_long),
        cmocka_unit_test(other_stream),
        cmocka_unit_test(refuses),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
