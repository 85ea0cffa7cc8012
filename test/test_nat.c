/* Devices behind a NAT (field-notes 2.1, 2.2): the mapping is kept open, and an
 * INVITE into a closed one waits for the device. */
#include "test/sim.h"

#include <stdio.h>

static struct sim s;

static const char ipc[] = "34020000001180000001";
static const char *channel;
static uint64_t kept_before;

static struct sim_device *behind_nat(uint32_t keep_open_ms, uint32_t nat_ms,
                                     const char *own)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .keep_open_ms = keep_open_ms,
                                         .idle_stop_s = 300 } };
    struct sim_device *d;

    assert_true(sim_init(&s, &o));
    d = sim_add(&s, ipc, "203.0.113.9:31044", SIP_UDP);
    sim_channels(d, 1);
    channel = d->channel[0];
    d->own_addr = own;
    d->keepalive_ms = 0;
    sim_settle(&s);
    sim_run(&s, 40000); /* its catalog is in */
    assert_true(sim_view(&s, d).online);
    sim_keepalive(d, d->id);
    sim_run(&s, 100);
    d->nat_ms = nat_ms;
    d->nat_until_ms = s.now.mono_ms + nat_ms;
    d->options = 0;
    kept_before = sim_counters(&s).kept_open;
    return d;
}

static void mapping_is_kept_open(void **state)
{
    static const struct {
        const char *name, *own;
        uint32_t keep_open_ms, least, most; /* OPTIONS in 100 s */
    } cases[] = {
        { "private Contact", "192.168.1.64:5060", 25000, 4, 6 },
        { "another port", "203.0.113.9:5060", 25000, 4, 6 },
        { "no NAT", NULL, 25000, 0, 0 },
        { "nothing known", "0.0.0.0:5060", 25000, 0, 0 },
        { "off", "192.168.1.64:5060", 0, 0, 0 },
        { "seldom", "192.168.1.64:5060", 60000, 1, 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d =
            behind_nat(cases[i].keep_open_ms, 0, cases[i].own);

        /* only what no NAT hides is connected to, for a large request */
        assert_int_equal(sim_view(&s, d).peer.dial, cases[i].own == NULL);
        sim_run(&s, 100000);
        if (d->options < cases[i].least || d->options > cases[i].most)
            fail_msg("%s: %u OPTIONS", cases[i].name, d->options);
        assert_int_equal(sim_counters(&s).kept_open - kept_before, d->options);
        sim_free(&s);
    }
}

/* A mapping of 30 s lives through two minutes between keep-alives. */
static void note_2_1_play_after_idle(void **state)
{
    struct sim_device *d = behind_nat(25000, 30000, "192.168.1.64:5060");
    struct platform_session v;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        sim_run(&s, 119000);
        sim_keepalive(d, d->id);
        sim_run(&s, 1000);
        assert_int_equal(d->nat_drops, 0);
        assert_true(sim_view(&s, d).online);
    }
    sim_run(&s, 110000);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->invites, 1);
    sim_free(&s);
}

/* Its own traffic does as well: no OPTIONS beside frequent keep-alives. */
static void traffic_counts(void **state)
{
    struct sim_device *d = behind_nat(25000, 30000, "192.168.1.64:5060");

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        sim_keepalive(d, d->id);
        sim_run(&s, 15000);
    }
    assert_int_equal(d->options, 0);
    sim_free(&s);
}

/* A silent one is asked again, and is offline in the end as ever. */
static void silent_device_goes_offline(void **state)
{
    struct sim_device *d = behind_nat(25000, 0, "192.168.1.64:5060");

    (void)state;
    d->deaf = true;
    sim_run(&s, 170000);
    assert_true(sim_view(&s, d).online);
    sim_run(&s, 30000);
    assert_false(sim_view(&s, d).online);
    assert_true(sim_counters(&s).kept_open >= 6);
    assert_true(sim_counters(&s).kept_open <= 9);
    sim_run(&s, 100000);
    assert_true(sim_counters(&s).kept_open <= 9); /* none while offline */
    sim_free(&s);
}

/* Many devices that came back in one moment are not asked in one. */
static void no_burst(void **state)
{
    static const struct sim_options o = {
        .config = { .auto_enrol = true, .keep_open_ms = 25000 },
    };
    uint64_t before, worst = 0, total = 0;
    char id[PLATFORM_ID_MAX], ip[32];

    (void)state;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < SIM_MAX_DEVICES; i++) {
        struct sim_device *d;

        snprintf(id, sizeof(id), "340200000011800%05u", i + 1);
        snprintf(ip, sizeof(ip), "203.0.113.%u:31044", i + 1);
        d = sim_add(&s, id, ip, SIP_UDP);
        d->own_addr = "192.168.1.64:5060";
        d->keepalive_ms = 0;
    }
    sim_settle(&s);
    sim_run(&s, 40000);
    for (unsigned i = 0; i < SIM_MAX_DEVICES; i++)
        sim_keepalive(&s.device[i], s.device[i].id); /* all at once */
    sim_run(&s, 19000);
    for (unsigned ms = 0; ms < 7000; ms += 500) {
        uint64_t n;

        before = sim_counters(&s).kept_open;
        sim_run(&s, 500);
        n = sim_counters(&s).kept_open - before;
        worst = n > worst ? n : worst;
        total += n;
    }
    assert_int_equal(total, SIM_MAX_DEVICES);
    assert_true(worst <= SIM_MAX_DEVICES / 4); /* of ten intervals */
    sim_free(&s);
}

/* ---- held INVITE ---- */

/* The INVITE meets a closed NAT; the keep-alive opens it. */
static void note_2_1_invite_waits_for_the_device(void **state)
{
    struct sim_device *d = behind_nat(0, 30000, "192.168.1.64:5060");
    struct platform_session v;

    (void)state;
    sim_run(&s, 45000);
    v = sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 12000);
    assert_int_equal(d->invites, 0);
    assert_true(d->nat_drops > 0);
    v = sim_session(&s, v.id);
    assert_int_equal(v.state, PLATFORM_STARTING);
    assert_int_equal(v.step, PLATFORM_STEP_INVITE);
    assert_true(slice_find_slice(v.evidence, SLICE("behind a NAT")) <
                v.evidence.n);
    assert_true(text_has(s.log, "INVITE held"));
    sim_run(&s, 10000);
    sim_keepalive(d, d->id);
    sim_run(&s, 2000);
    v = sim_session(&s, v.id);
    if (v.state != PLATFORM_PLAYING)
        fail_msg("%.*s", SLICE_ARG(v.evidence));
    assert_int_equal(d->invites, 1);
    assert_int_equal(v.evidence.n, 0);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 70000);
    sim_expect_clean(&s);
    sim_free(&s);
}

/* It comes back on another port: the INVITE goes there, once the port has
 * proven to be its own. */
static void note_2_2_invite_follows_the_port(void **state)
{
    for (unsigned when = 0; when < 2; when++) {
        struct sim_device *d = behind_nat(0, 30000, "192.168.1.64:5060");
        struct platform_session v;

        (void)state;
        sim_run(&s, 45000);
        v = sim_watch(&s, d, channel, PLATFORM_UDP);
        sim_run(&s, when ? 12000 : 3000); /* while held; while invited */
        d->addr.port = d->to_server.local.port = 40001;
        sim_keepalive(d, d->id);
        sim_run(&s, 3000);
        v = sim_session(&s, v.id);
        if (v.state != PLATFORM_PLAYING)
            fail_msg("%u: %.*s", when, SLICE_ARG(v.evidence));
        assert_int_equal(d->invites, 1);
        platform_session_stop(s.p, v.id, s.now);
        sim_run(&s, 70000);
        sim_expect_clean(&s);
        sim_free(&s);
    }
}

/* A device that stays silent ends it: once, with the whole story. */
static void held_invite_ends(void **state)
{
    struct sim_device *d = behind_nat(0, 30000, "192.168.1.64:5060");
    struct platform_session v;

    (void)state;
    sim_run(&s, 45000);
    v = sim_watch(&s, d, channel, PLATFORM_UDP);
    sim_run(&s, 60000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_STARTING);
    sim_run(&s, 40000);
    assert_int_equal(s.last.state, PLATFORM_FAILED);
    assert_int_equal(s.last.step, PLATFORM_STEP_ANSWER);
    assert_true(text_has(s.last_evidence, "sent again after it was held"));
    assert_int_equal(d->invites, 0);
    sim_run(&s, 70000);
    sim_expect_clean(&s);
    sim_free(&s);
}

/* Nobody watches any more: it is not held for nobody. */
static void held_invite_is_given_up(void **state)
{
    struct sim_device *d = behind_nat(0, 30000, "192.168.1.64:5060");
    struct platform_session v;

    (void)state;
    sim_run(&s, 45000);
    assert_int_equal(sim_play(&s, d, channel, PLATFORM_UDP, &v), 0);
    sim_run(&s, 12000);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    sim_keepalive(d, d->id);
    sim_run(&s, 70000);
    assert_int_equal(d->invites, 0);
    sim_expect_clean(&s);
    sim_free(&s);
}

/* Not held: a device that is known not to be behind a NAT, one over TCP, and
 * one that has at least confirmed the INVITE. */
static void others_fail_at_once(void **state)
{
    static const struct {
        const char *name, *own;
        uint8_t transport;
        enum sim_invite invite;
    } cases[] = {
        { "no NAT", NULL, SIP_UDP, SIM_SILENT },
        { "TCP", "192.168.1.64:5060", SIP_TCP, SIM_SILENT },
        { "100 came", "192.168.1.64:5060", SIP_UDP, SIM_RING },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, ipc, "203.0.113.9:31044", cases[i].transport);
        sim_channels(d, 1);
        d->own_addr = cases[i].own;
        d->invite = cases[i].invite;
        d->keepalive_ms = 30000;
        sim_settle(&s);
        sim_watch(&s, d, d->channel[0], PLATFORM_UDP);
        sim_run(&s, 12000);
        if (s.last.state != PLATFORM_FAILED || text_has(s.log, "INVITE held"))
            fail_msg("%s: was held", cases[i].name);
        sim_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping_is_kept_open),
        cmocka_unit_test(note_2_1_play_after_idle),
        cmocka_unit_test(traffic_counts),
        cmocka_unit_test(silent_device_goes_offline),
        cmocka_unit_test(no_burst),
        cmocka_unit_test(note_2_1_invite_waits_for_the_device),
        cmocka_unit_test(note_2_2_invite_follows_the_port),
        cmocka_unit_test(held_invite_ends),
        cmocka_unit_test(held_invite_is_given_up),
        cmocka_unit_test(others_fail_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
