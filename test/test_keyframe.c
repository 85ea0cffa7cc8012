/* app/platform/keyframe: when a device is asked for a key frame, how that is
 * spelt, and which devices are left in peace, in virtual time. */
#include "test/session_rig.h"

static struct sim_stream *playing(struct sim_device *d)
{
    struct platform_session v;

    v = sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 2000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    return sim_stream_of(&s, v.id);
}

/* A viewer waits so long, and the edge says so each second. */
static void wait_for_key(struct sim_stream *st, unsigned seconds)
{
    while (seconds--) {
        sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
        sim_run(&s, 1000);
    }
}

static void comes(struct sim_stream *st)
{
    st->keys++;
    sim_media(&s, st, PLATFORM_MEDIA_ALIVE);
}

static unsigned orders(const struct sim_device *d)
{
    return d->key_orders[0] + d->key_orders[1];
}

static bool is_noted(const struct sim_device *d)
{
    const char *text;
    size_t pos = 0;

    while (platform_profile_deviation(s.p, slice_str(d->id), &pos, &text))
        if (text_has(text, "no key frame"))
            return true;
    return false;
}

/* IFameCmd is what the edition of 2016 calls it, and what one that says nothing
 * of itself gets. */
static void spelt_as_the_edition_has_it(void **state)
{
    static const struct {
        const char *version;
        unsigned which;
    } cases[] = { { NULL, 0 }, { "1.0", 0 }, { "2.0", 0 }, { "3.0", 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;
        struct sim_stream *st;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
        d->version = cases[i].version;
        sim_channels(d, 2);
        sim_settle(&s);
        channel = d->channel[0];
        st = playing(d);
        sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
        sim_run(&s, 200);
        if (orders(d) != 1 || d->key_orders[cases[i].which] != 1)
            fail_msg("%s: %u of 2016, %u of 2022",
                     cases[i].version ? cases[i].version : "none",
                     d->key_orders[0], d->key_orders[1]);
        assert_true(text_has(d->last_body, "<CmdType>DeviceControl</CmdType>"));
        assert_true(text_has(d->last_body, channel));
        platform_session_stop(s.p, st->session, s.now);
        ends_clean();
    }
}

static void not_more_often_than_every_two_seconds(void **state)
{
    struct sim_device *d = ready();
    struct sim_stream *st = playing(d);
    struct sim_stream *sub;
    struct platform_session v;
    const struct platform_live both = { .device = slice_str(nvr),
                                        .channel = slice_str(channel),
                                        .stream = 1,
                                        .transport = PLATFORM_UDP };

    (void)state;
    for (int i = 0; i < 20; i++) {
        sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
        sim_run(&s, 50);
    }
    assert_int_equal(orders(d), 1);
    comes(st);
    /* the order names no stream: the other one of the channel got it too */
    assert_int_equal(platform_live_start(s.p, &both, s.now, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 500);
    sub = sim_stream_of(&s, v.id);
    sim_media(&s, sub, PLATFORM_MEDIA_WANT_KEY);
    sim_run(&s, 100);
    assert_int_equal(orders(d), 1);
    sim_run(&s, 1000);
    for (int i = 1; i < 6; i++) {
        sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
        sim_run(&s, 300);
        comes(st);
        assert_int_equal(orders(d), 1 + i);
        sim_run(&s, 1800);
    }
    assert_int_equal(d->key_orders[1], 0);
    assert_false(is_noted(d));
    platform_session_stop(s.p, st->session, s.now);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* It answers 200 and does nothing, it refuses, it says nothing: the same. */
static void who_does_not_heed_is_left_in_peace(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct sim_device *d = ready();
        struct sim_stream *st = playing(d);
        unsigned before;

        d->query_refused = how == 1;
        d->deaf = how == 2;
        wait_for_key(st, 3);
        d->deaf = false; /* it still has to be online */
        wait_for_key(st, 7);
        d->deaf = how == 2;
        if (how < 2) {
            assert_int_equal(d->key_orders[0], 2);
            assert_int_equal(d->key_orders[1], 1); /* the second time both */
        }
        assert_true(is_noted(d));
        d->deaf = false;
        before = orders(d);
        wait_for_key(st, 60);
        assert_true(orders(d) <= before + 2); /* repeats of what was lost */
        before = orders(d);
        wait_for_key(st, 480);
        assert_int_equal(orders(d), before);
        /* once more after a while: it may have learnt it */
        d->query_refused = false;
        wait_for_key(st, 120);
        assert_true(orders(d) > before);
        before = orders(d);
        sim_run(&s, 600000);
        sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
        sim_run(&s, 300);
        comes(st);
        assert_true(orders(d) > before);
        assert_false(is_noted(d));
        platform_session_stop(s.p, st->session, s.now);
        ends_clean();
    }
}

/* What is known outlives the session, and the restart. */
static void it_is_remembered(void **state)
{
    struct sim_device *d = ready();
    struct sim_stream *st = playing(d);
    unsigned before;

    (void)state;
    wait_for_key(st, 12);
    assert_true(is_noted(d));
    platform_session_stop(s.p, st->session, s.now);
    sim_run(&s, 70000);
    before = orders(d);
    st = playing(d);
    sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
    sim_run(&s, 500);
    assert_int_equal(orders(d), before + 1); /* one in each session */
    wait_for_key(st, 30);
    assert_int_equal(orders(d), before + 1);
    platform_session_stop(s.p, st->session, s.now);
    ends_clean();
}

/* Field-note 8.8: pictures, and none to begin with. */
static void the_first_one_is_asked_for(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->media = SIM_NO_KEY;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 700);
    assert_int_equal(orders(d), 0);
    sim_run(&s, 2500);
    assert_true(orders(d) == 1 || orders(d) == 2);
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

static void not_of_a_recording_nor_of_what_has_ended(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    struct sim_stream *st;

    (void)state;
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_UDP, &v), 0);
    platform_session_hold(s.p, v.id, s.now);
    sim_run(&s, 1500);
    st = sim_stream_of(&s, v.id);
    sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
    sim_run(&s, 100);
    assert_int_equal(orders(d), 0);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    st = playing(d);
    sim_unregister(d);
    sim_run(&s, 31000); /* it is waited for */
    assert_null(sim_stream_of(&s, v.id));
    st->session = v.id; /* late, and of nothing */
    sim_media(&s, st, PLATFORM_MEDIA_WANT_KEY);
    st->session = 0;
    sim_run(&s, 100);
    assert_int_equal(orders(d), 0);
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelt_as_the_edition_has_it),
        cmocka_unit_test(not_more_often_than_every_two_seconds),
        cmocka_unit_test(who_does_not_heed_is_left_in_peace),
        cmocka_unit_test(it_is_remembered),
        cmocka_unit_test(the_first_one_is_asked_for),
        cmocka_unit_test(not_of_a_recording_nor_of_what_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
