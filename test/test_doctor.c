/* The doctor: each fault of the other side breaks its own link, and a channel
 * without faults has no red one. */
#include "app/platform/doctor.h"

#include "app/platform/chinese.h"
#include "sip/value.h"
#include "test/session_rig.h"

#include <stdio.h>

static struct doctor_report rep;

static const char *first(void)
{
    return rep.first < 0 ? "none" : doctor_links[rep.first].name;
}

static void examine(unsigned can)
{
    const struct doctor_question q = { .device = slice_str(nvr),
                                       .channel = slice_str(channel),
                                       .can = can };

    platform_doctor(s.p, &q, &rep);
}

static enum doctor_state state_of(enum doctor_link link)
{
    return rep.link[link].state;
}

static bool tells(enum doctor_link link, const char *what)
{
    struct slice e = rep.link[link].evidence;

    return slice_find_slice(e, slice_str(what)) < e.n;
}

static void all_is_well(void **state)
{
    const enum platform_transport over[] = { PLATFORM_UDP,
                                             PLATFORM_TCP_PASSIVE,
                                             PLATFORM_TCP_ACTIVE };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sim_device *d = ready();
        struct platform_session v;

        examine(0);
        assert_int_equal(rep.first, -1);
        assert_int_equal(rep.tried_utc_ms, 0);
        assert_int_equal(state_of(DOCTOR_REGISTERED), DOCTOR_GREEN);
        assert_int_equal(state_of(DOCTOR_LISTED), DOCTOR_GREEN);
        assert_int_equal(state_of(DOCTOR_INVITED), DOCTOR_UNKNOWN);
        assert_int_equal(state_of(DOCTOR_STEADY), DOCTOR_UNKNOWN);
        sim_run(&s, 31000); /* a keepalive */
        assert_int_equal(sim_play(&s, d, channel, over[i], &v), 0);
        sim_run(&s, 5000);
        examine(1u << PS_CODEC_H264);
        assert_int_equal(rep.first, -1);
        assert_true(rep.running);
        for (enum doctor_link k = 0; k < DOCTOR_LINKS; k++) {
            if (k == DOCTOR_CLOCK) { /* nobody has asked for it */
                assert_int_equal(state_of(DOCTOR_CLOCK), DOCTOR_UNKNOWN);
                assert_true(tells(DOCTOR_CLOCK, "has not told its time"));
                continue;
            }
            assert_int_equal(state_of(k), DOCTOR_GREEN);
            assert_true(rep.link[k].evidence.n > 0 ||
                        k == DOCTOR_INVITED || k == DOCTOR_SSRC ||
                        k == DOCTOR_PROGRAM);
        }
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 100);
        examine(0);
        assert_int_equal(rep.first, -1);
        assert_false(rep.running);
        assert_int_equal(state_of(DOCTOR_KEY), DOCTOR_GREEN);
        assert_int_equal(state_of(DOCTOR_STEADY), DOCTOR_GREEN);
        ends_clean();
    }
}

/* What the device does, and the link that must be named. */
static const struct fault {
    const char *link;
    enum platform_transport over;
    enum sim_invite invite;
    enum sim_media media;
    unsigned refuse_status;
    const char *evidence; /* a part of it */
} faults[] = {
    { "answered", PLATFORM_UDP, SIM_SILENT, SIM_PICTURE, 0, "" },
    { "answered", PLATFORM_UDP, SIM_RING, SIM_PICTURE, 0, "" },
    { "answered", PLATFORM_UDP, SIM_REFUSE, SIM_PICTURE, 488, "488" },
    { "answered", PLATFORM_UDP, SIM_REFUSE, SIM_PICTURE, 486, "486" },
    { "answered", PLATFORM_UDP, SIM_PORT_ZERO, SIM_PICTURE, 0, "" },
    { "arriving", PLATFORM_UDP, SIM_ANSWER, SIM_NOTHING, 0, "no RTP packet" },
    { "arriving", PLATFORM_TCP_PASSIVE, SIM_ANSWER, SIM_CONNECT_ONLY, 0,
      "no RTP packet" },
    { "connected", PLATFORM_TCP_PASSIVE, SIM_ANSWER, SIM_UDP_ONLY, 0,
      "no TCP connection" },
    { "program", PLATFORM_UDP, SIM_ANSWER, SIM_NO_PROGRAM, 0, "packets" },
    { "codec", PLATFORM_UDP, SIM_ANSWER, SIM_NO_CODEC, 0, "packets" },
    { "key", PLATFORM_UDP, SIM_ANSWER, SIM_NO_KEY, 0, "packets" },
};

static bool is_told_in_chinese(struct slice english)
{
    char buf[CHINESE_MAX];
    struct writer w = writer_of(buf, sizeof(buf));

    return chinese_write(&w, english) && !w.err;
}

static void each_fault_has_its_link(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const struct fault *f = &faults[i];
        struct sim_device *d = ready();

        d->invite = f->invite;
        d->media = f->media;
        d->refuse_status = f->refuse_status;
        d->refuse_times = 1000;
        sim_watch(&s, d, channel, f->over);
        sim_run(&s, 60000);
        examine(0);
        assert_string_equal(first(), f->link);
        assert_true(slice_find_slice(rep.link[rep.first].evidence,
                                     slice_str(f->evidence)) <
                    rep.link[rep.first].evidence.n + !f->evidence[0]);
        assert_true(rep.link[rep.first].hint.n > 0);
        assert_true(is_told_in_chinese(rep.link[rep.first].hint));
        assert_true(is_told_in_chinese(rep.link[rep.first].evidence));
        assert_false(rep.link[rep.first].harmless);
        for (int k = rep.first + 1; k < DOCTOR_LINKS; k++)
            if (rep.link[k].state == DOCTOR_GREEN &&
                k != DOCTOR_VIEWER) /* its codec is known */
                fail_msg("%s is broken, %s is green", f->link,
                         doctor_links[k].name);
        drains_clean();
    }
}

/* While it is waited for, the next link is open; after a while it is at fault. */
static void one_that_is_late(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->media = SIM_NOTHING;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_TCP_ACTIVE, &v), 0);
    sim_run(&s, 200);
    examine(0);
    assert_int_equal(rep.first, -1);
    assert_int_equal(state_of(DOCTOR_ANSWERED), DOCTOR_GREEN);
    drains_clean();
}

static void another_ssrc_is_told_and_harmless(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    d->foreign_ssrc = true;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    examine(0);
    assert_string_equal(first(), "ssrc");
    assert_true(rep.link[DOCTOR_SSRC].harmless);
    assert_int_equal(state_of(DOCTOR_KEY), DOCTOR_GREEN);
    drains_clean();
}

static void a_codec_that_the_viewer_lacks(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    examine(1u << PS_CODEC_H265);
    assert_string_equal(first(), "viewer");
    assert_true(rep.link[DOCTOR_VIEWER].remedies & 1u << DOCTOR_TRY_SUB);
    drains_clean();
}

static void one_that_falls_silent(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v = sim_watch(&s, d, channel, PLATFORM_UDP);

    (void)state;
    sim_run(&s, 10000);
    sim_stream_of(&s, v.id)->next_ms = GB_NEVER;
    sim_run(&s, 30000);
    examine(0);
    assert_string_equal(first(), "steady");
    assert_int_equal(state_of(DOCTOR_KEY), DOCTOR_GREEN);
    drains_clean();
}

static void strangers_and_the_lost(void **state)
{
    struct sim_device *d = ready(), *bad;
    struct doctor_question q = { .device = SLICE("34020000001180000099"),
                                 .channel = SLICE("1") };
    struct platform_pending k;

    (void)state;
    platform_doctor(s.p, &q, &rep);
    assert_string_equal(first(), "registered");
    bad = sim_add(&s, "34020000001180000099", "192.168.1.99:5060", SIP_UDP);
    bad->password = "wrong";
    sim_register(bad);
    sim_run(&s, 5000);
    platform_doctor(s.p, &q, &rep);
    assert_string_equal(first(), "registered");
    assert_true(tells(DOCTOR_REGISTERED, "refused"));
    /* one that is known, and whose password is another one by now */
    d->password = "of another platform";
    sim_register(d);
    sim_run(&s, 5000);
    examine(0);
    assert_int_equal(state_of(DOCTOR_REGISTERED), DOCTOR_GREEN);
    assert_true(tells(DOCTOR_REGISTERED,
                      "refused since then: the password set in the device is "
                      "not the one of this platform"));
    assert_false(tells(DOCTOR_REGISTERED, "is known as"));
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_false(platform_pending_next(s.p, k.id, &k)); /* no stranger */
    d->password = SIM_PASSWORD;
    sim_register(d);
    sim_run(&s, 60000);
    examine(0);
    assert_false(tells(DOCTOR_REGISTERED, "refused"));
    /* one that was there, and is silent now */
    d->deaf = true;
    d->next_keepalive_ms = GB_NEVER;
    sim_run(&s, 400000);
    examine(0);
    assert_string_equal(first(), "alive");
    /* a channel that nobody listed */
    q.device = slice_str(nvr);
    platform_doctor(s.p, &q, &rep);
    assert_int_equal(rep.link[DOCTOR_LISTED].state, DOCTOR_RED);
    assert_true(rep.link[DOCTOR_LISTED].harmless);
    ends_clean();
}

static void a_clock_that_is_off(void **state)
{
    struct sim_device *d = ready();
    char date[40];
    struct writer w = writer_of(date, sizeof(date));

    (void)state;
    d->date = "2020-01-01T00:00:00.000";
    sim_register(d);
    sim_run(&s, 1000);
    examine(0);
    assert_string_equal(first(), "clock");
    assert_true(rep.link[DOCTOR_CLOCK].harmless);
    sip_date_write(&w, s.now.utc_ms, 8 * 3600);
    writer_char(&w, '\0');
    d->date = date; /* it heeds ours at last */
    sim_register(d);
    sim_run(&s, 1000);
    examine(0);
    assert_int_equal(state_of(DOCTOR_CLOCK), DOCTOR_GREEN);
    ends_clean();
}

/* Of DeviceStatus: eight hours are another zone, and no picture is the worse for it. */
static void what_its_clock_tells(void **state)
{
    static const struct {
        int64_t off_ms;
        enum doctor_state state;
        const char *told;
    } cases[] = {
        { 2000, DOCTOR_GREEN, "nothing it said is a minute off" },
        { 8 * 3600000, DOCTOR_RED, "it is 28" },
        { -90000, DOCTOR_RED, "it is " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = ready();
        const struct platform_records_ask q = { .device = slice_str(nvr),
                                                .channel = slice_str(channel),
                                                .start_s = 1700000000,
                                                .stop_s = 1700003600 };
        uint64_t id;

        d->tells_time = true;
        d->clock_off_ms = cases[i].off_ms;
        assert_int_equal(platform_records_start(s.p, &q, s.now, &id), 0);
        sim_run(&s, 10000);
        examine(0);
        if (state_of(DOCTOR_CLOCK) != cases[i].state ||
            !tells(DOCTOR_CLOCK, cases[i].told))
            fail_msg("%zu: %.*s", i, SLICE_ARG(rep.link[DOCTOR_CLOCK].evidence));
        if (cases[i].state == DOCTOR_RED)
            assert_true(rep.link[DOCTOR_CLOCK].harmless);
        ends_clean();
    }
}

/* Two at once: the one that comes first in the chain. */
static void two_faults(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    d->foreign_ssrc = true;
    d->media = SIM_NO_KEY;
    sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 60000);
    examine(0);
    assert_string_equal(first(), "ssrc");
    assert_int_equal(state_of(DOCTOR_KEY), DOCTOR_RED);
    drains_clean();
}

/* Many channels fail: what is remembered is bounded, the newest stay; with the
 * device it is forgotten. */
static void memory_is_bounded(void **state)
{
    struct sim_device *d = ready();
    struct platform_session v;
    char id[32];
    struct doctor_question q = { .device = slice_str(nvr) };

    (void)state;
    d->invite = SIM_REFUSE;
    d->refuse_status = 404;
    d->refuse_times = 100000;
    for (int i = 0; i < DOCTOR_TRIALS_MAX + 10; i++) {
        snprintf(id, sizeof(id), "3402000000131%07d", 100 + i);
        assert_int_equal(sim_play(&s, d, id, PLATFORM_UDP, &v), 0);
        sim_run(&s, 12000);
    }
    q.channel = slice_str(id);
    platform_doctor(s.p, &q, &rep);
    assert_true(rep.tried_utc_ms > 0);
    q.channel = SLICE("34020000001310000100");
    platform_doctor(s.p, &q, &rep);
    assert_int_equal(rep.tried_utc_ms, 0);
    assert_int_equal(platform_device_remove(s.p, slice_str(nvr), s.now), 0);
    q.channel = slice_str(id);
    platform_doctor(s.p, &q, &rep);
    assert_int_equal(rep.tried_utc_ms, 0);
    d->deaf = true;
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(each_fault_has_its_link),
        cmocka_unit_test(one_that_is_late),
        cmocka_unit_test(another_ssrc_is_told_and_harmless),
        cmocka_unit_test(a_codec_that_the_viewer_lacks),
        cmocka_unit_test(one_that_falls_silent),
        cmocka_unit_test(strangers_and_the_lost),
        cmocka_unit_test(a_clock_that_is_off),
        cmocka_unit_test(what_its_clock_tells),
        cmocka_unit_test(two_faults),
        cmocka_unit_test(memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
