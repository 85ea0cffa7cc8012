/* Field-notes of group 3: who is online, and why. Notes 3.7, 3.12 and 3.13
 * have their tests beside others of their kind. */
#include "test/sim.h"

#include <stdio.h>

static struct sim s;

static const char nvr[] = "34020000001180000001";
static const char ipc[] = "34020000001320000001";
static const char place[] = "192.168.1.10:5060";

static struct sim_device *recorder(uint8_t transport)
{
    struct sim_device *d;

    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, nvr, place, transport);
    sim_channels(d, 2);
    sim_settle(&s);
    assert_true(sim_view(&s, d).online);
    return d;
}

/* ---- 3.1 ---- */

/* What the store gives back is online again with its first keepalive, unless
 * its registration is over: that one is refused, and registers. */
static void note_3_1_a_restart_loses_nobody(void **state)
{
    static const struct {
        const char *name;
        bool stored;
        int64_t expires_ms; /* from the restart */
        unsigned status;
    } cases[] = {
        { "within its time", true, 1000, 200 },
        { "its time is over", true, -1, 403 },
        { "nobody knows it", false, 0, 403 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(SIP_UDP);
        struct platform_saved_device k = {
            .id = slice_str(d->id),
            .name = SLICE("Recorder"),
            .peer = sim_view(&s, d).peer,
            .registered_utc_ms = s.now.utc_ms - 1000,
            .expires_utc_ms = s.now.utc_ms + cases[i].expires_ms,
        };

        sim_restart(&s);
        if (cases[i].stored)
            assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
        sim_keepalive(d, NULL);
        sim_run(&s, 500);
        if (d->last_status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, d->last_status);
        if (cases[i].stored)
            assert_int_equal(sim_view(&s, d).online, cases[i].status == 200);
        sim_register(d); /* which is what a 403 is for */
        sim_run(&s, 1000);
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
}

/* ---- 3.2 ---- */

static void note_3_2_status_wherever_it_stands(void **state)
{
    static const struct {
        const char *rest;
        bool online;
    } cases[] = {
        { "<Status>OK</Status>", true },
        { "<Info><Status>OK</Status></Info>", true },
        { "<Info><DeviceID/><Status>ON</Status></Info>", true },
        { "<status>ok</status>", true },
        { "", true },
        { "<Status/>", true },
        { "<Status>ERROR</Status>", true }, /* a fault, and a sign of life */
        { "<Info><Status>ERROR</Status></Info>", true },
        { "<Status>OFF</Status>", false },
        { "<Info><Status>OFF</Status></Info>", false },
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(SIP_UDP);

        snprintf(text, sizeof(text),
                 "<Notify><CmdType>Keepalive</CmdType><SN>4</SN>"
                 "<DeviceID>%s</DeviceID>%s</Notify>", nvr, cases[i].rest);
        sim_message(d, text);
        sim_run(&s, 500);
        assert_int_equal(d->last_status, 200);
        if (sim_view(&s, d).online != cases[i].online)
            fail_msg("%s: %s", cases[i].rest,
                     cases[i].online ? "offline" : "online");
        sim_free(&s);
    }
}

/* ---- SN ---- */

static void an_sn_of_any_length_is_there(void **state)
{
    static const struct {
        const char *sn;
        bool missing;
    } cases[] = {
        { "<SN>4</SN>", false },
        { "<SN>1796121873873</SN>", false },
        { "<SN> 99999999999999999999999999 </SN>", false },
        { "", true },
        { "<SN/>", true },
        { "<SN>four</SN>", true },
        { "<SN>1796121873873a</SN>", true },
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(SIP_UDP);

        snprintf(text, sizeof(text),
                 "<Notify><CmdType>Keepalive</CmdType>%s"
                 "<DeviceID>%s</DeviceID><Status>OK</Status></Notify>",
                 cases[i].sn, nvr);
        sim_message(d, text);
        sim_run(&s, 500);
        assert_int_equal(d->last_status, 200);
        if (sim_deviates(&s, nvr, "SN is missing") != cases[i].missing)
            fail_msg("%s", cases[i].sn);
        sim_free(&s);
    }
}

/* ---- what is odd in its SIP ---- */

static void odd_sip_is_named(void **state)
{
    static const struct {
        const char *max_forwards;
        int more; /* of Content-Length */
        const char *named;
    } cases[] = {
        { "Max-Forwards: 70\r\n", 0, NULL },
        { "Max-Forwards: 70\r\n", -20,
          "MESSAGE: Content-Length is less than the body" },
        { "Max-Forwards: 70\r\n", 20,
          "MESSAGE: Content-Length is more than came" },
        { "", 0, "MESSAGE: no Max-Forwards" },
    };
    char body[300], text[1200];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(SIP_UDP);
        struct sip_peer from = sim_view(&s, d).peer;
        struct sip_event ev;
        int n, len = snprintf(body, sizeof(body),
                              "<Notify><CmdType>Keepalive</CmdType><SN>4</SN>"
                              "<DeviceID>%s</DeviceID><Status>OK</Status>"
                              "</Notify>", nvr);

        n = snprintf(text, sizeof(text),
                     "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.168.1.10;rport;branch=z9hG4bKodd\r\n"
                     "From: <sip:%s@3402000000>;tag=1\r\n"
                     "To: <sip:34020000002000000001@3402000000>\r\n"
                     "Call-ID: odd\r\nCSeq: 1 MESSAGE\r\n%s"
                     "Content-Type: Application/MANSCDP+xml\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     nvr, cases[i].max_forwards, len + cases[i].more, body);
        assert_int_equal(sip_stack_input(s.server, &from,
                                         slice_of(text, (size_t)n),
                                         s.now.mono_ms), 0);
        while (sip_stack_event(s.server, &ev))
            platform_sip(s.p, &ev, s.now);
        sim_run(&s, 100);
        assert_int_equal(sim_deviates(&s, nvr, "sip syntax tolerated"),
                         cases[i].named != NULL);
        if (cases[i].named && !strstr(s.log, cases[i].named))
            fail_msg("%s: %s", cases[i].named, s.log);
        sim_free(&s);
    }
}

/* ---- 3.4 ---- */

/* Every place for commands is taken: questions are refused, hearts are not. */
static void note_3_4_overload_sheds_questions_only(void **state)
{
    struct platform_order o = { .root = MANSCDP_QUERY,
                                .cmd = MANSCDP_CMD_DEVICE_STATUS };
    unsigned shed = 0, had;
    char at[32], id[21];

    (void)state;
    assert_true(sim_init(&s, NULL));
    for (unsigned i = 0; i < 20; i++) {
        struct sim_device *d;

        snprintf(id, sizeof(id), "340200000011800%05u", i + 1);
        snprintf(at, sizeof(at), "192.168.2.%u:5060", i + 1);
        d = sim_add(&s, id, at, SIP_UDP);
        d->keepalive_ms = 0;
    }
    sim_settle(&s);
    for (unsigned i = 0; i < 20; i++)
        for (unsigned k = 0; k < PLATFORM_COMMANDS_QUEUE + 1; k++) {
            uint64_t command;
            int err;

            o.device = slice_str(s.device[i].id);
            err = platform_command_send(s.p, &o, s.now, &command);
            assert_true(err == 0 || err == GB_ELIMIT);
            shed += err == GB_ELIMIT;
        }
    assert_int_equal(20 * (PLATFORM_COMMANDS_QUEUE + 1) - shed,
                     PLATFORM_COMMANDS_OPEN);
    for (unsigned i = 0; i < 20; i++) {
        had = s.device[i].keepalive_ok;
        sim_keepalive(&s.device[i], NULL);
        sim_run(&s, 100);
        assert_int_equal(s.device[i].keepalive_ok, had + 1);
        assert_int_equal(s.device[i].keepalive_refused, 0);
    }
    sim_free(&s);
}

/* ---- 3.6 ---- */

/* One clock that only goes forward decides; the list, the count and the device
 * itself tell the same, and each change has its reason. */
static void note_3_6_the_wall_clock_decides_nothing(void **state)
{
    static const int64_t jumps_ms[] = { 86400000, -86400000, -1000000000000 };
    struct sim_device *d = recorder(SIP_UDP);
    struct platform_device v;
    struct platform_change c;
    size_t online;

    (void)state;
    for (size_t i = 0; i < COUNT(jumps_ms); i++) {
        s.now.utc_ms += jumps_ms[i];
        sim_keepalive(d, NULL);
        sim_run(&s, 120000);
        assert_true(sim_view(&s, d).online);
    }
    assert_false(platform_device_change(s.p, slice_str(nvr), 1, &c));
    s.now.utc_ms -= 3600000;
    sim_run(&s, 250000);
    assert_true(platform_device_next(s.p, SLICE(""), &v));
    assert_false(v.online);
    assert_int_equal(platform_device_count(s.p, &online), 1);
    assert_int_equal(online, 0);
    assert_true(platform_device_change(s.p, slice_str(nvr), 0, &c));
    assert_false(c.online);
    expect_slice(v.state_reason, c.cause);
    sim_free(&s);
}

/* ---- 3.8 ---- */

static void note_3_8_a_heartbeat_changes_no_text(void **state)
{
    struct sim_device *d = recorder(SIP_UDP);
    struct platform_device v = sim_view(&s, d);
    char name[64], maker[64];

    (void)state;
    slice_copy(name, sizeof(name), v.name);
    slice_copy(maker, sizeof(maker), v.manufacturer);
    assert_true(name[0] && maker[0]);
    s.device_flags = 0;
    s.actions[PLATFORM_DEVICE_CHANGED] = 0;
    for (unsigned i = 0; i < 10; i++) {
        sim_message(d, "<Notify><CmdType>Keepalive</CmdType><SN>4</SN>"
                       "<DeviceID>34020000001180000001</DeviceID>"
                       "<DeviceName/><Manufacturer/><Model/>"
                       "<Status>OK</Status></Notify>");
        sim_run(&s, 20000);
    }
    v = sim_view(&s, d);
    expect_slice(v.name, name);
    expect_slice(v.manufacturer, maker);
    assert_int_equal(s.device_flags & PLATFORM_CHANGED_INFO, 0);
    assert_true(s.actions[PLATFORM_DEVICE_CHANGED] <= 2); /* not each one */
    sim_free(&s);
}

/* ---- 3.9 ---- */

/* The network was cut without a word to either side: what comes on the new
 * connection takes the place of the old one at once. */
static void note_3_9_a_new_connection_supersedes(void **state)
{
    struct sim_device *d = recorder(SIP_TCP);
    uint64_t old = d->connection;
    struct platform_session v = sim_watch(&s, d, d->channel[0], PLATFORM_AUTO);

    (void)state;
    sim_run(&s, 2000);
    d->connection = old + 1000; /* nobody closed the old one */
    d->to_server.connection = d->connection;
    sim_register(d);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    assert_true(sim_view(&s, d).peer.connection != old);
    assert_int_equal(s.disconnected, old);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 200);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 40000);
    sim_expect_clean(&s);
    sim_free(&s);
}

/* ---- 3.10 ---- */

static void note_3_10_off_is_played_all_the_same(void **state)
{
    struct sim_device *d = recorder(SIP_UDP);
    struct platform_session v;
    struct platform_channel c;

    (void)state;
    sim_request(d, SIP_METHOD_NOTIFY, nvr,
                "<Notify><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>"
                "34020000001180000001</DeviceID><SumNum>1</SumNum>"
                "<DeviceList Num=\"1\"><Item><DeviceID>34020000001310010001"
                "</DeviceID><Event>OFF</Event></Item></DeviceList></Notify>");
    sim_run(&s, 100);
    c = sim_channel_view(&s, d, 0);
    assert_false(c.on);
    assert_int_equal(c.observed, PLATFORM_OBSERVED_UNSEEN);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_AUTO, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    c = sim_channel_view(&s, d, 0); /* both are told */
    assert_false(c.on);
    assert_int_equal(c.observed, PLATFORM_OBSERVED_DELIVERING);
    assert_true(c.delivered_utc_ms != 0);
    sim_free(&s);
}

/* ---- 3.11 ---- */

/* Two devices behind one address, each found by its id alone. */
static void note_3_11_by_id_never_by_address(void **state)
{
    struct sim_device *a, *b;
    struct platform_session v;

    (void)state;
    assert_true(sim_init(&s, NULL));
    a = sim_add(&s, nvr, "203.0.113.7:5060", SIP_UDP);
    b = sim_add(&s, ipc, "203.0.113.7:5061", SIP_UDP);
    sim_channels(a, 1);
    sim_channels(b, 1);
    sim_settle(&s);
    assert_int_equal(sim_play(&s, b, b->channel[0], PLATFORM_AUTO, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(b->invites, 1);
    assert_int_equal(a->invites, 0);
    platform_session_stop(s.p, v.id, s.now);
    sim_unregister(b);
    sim_run(&s, 1000);
    /* offline: it is refused, and nobody else's picture is shown */
    assert_int_equal(sim_play(&s, b, b->channel[0], PLATFORM_AUTO, &v),
                     GB_ESTATE);
    sim_run(&s, 3000);
    assert_int_equal(a->invites, 0);
    assert_int_equal(b->invites, 1);
    assert_true(sim_view(&s, a).online);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_3_1_a_restart_loses_nobody),
        cmocka_unit_test(note_3_2_status_wherever_it_stands),
        cmocka_unit_test(an_sn_of_any_length_is_there),
        cmocka_unit_test(odd_sip_is_named),
        cmocka_unit_test(note_3_4_overload_sheds_questions_only),
        cmocka_unit_test(note_3_6_the_wall_clock_decides_nothing),
        cmocka_unit_test(note_3_8_a_heartbeat_changes_no_text),
        cmocka_unit_test(note_3_9_a_new_connection_supersedes),
        cmocka_unit_test(note_3_10_off_is_played_all_the_same),
        cmocka_unit_test(note_3_11_by_id_never_by_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
