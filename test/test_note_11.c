/* Field-notes of groups 11 and 13: orders that are not carried out, answers by
 * another name, subscriptions and positions. Others of these groups have their
 * tests in test_commands.c and test_subscriptions.c. */
#include "test/sim.h"

#include <stdio.h>

#define NVR "34020000001180000001"
#define IPC "34020000001320000001"

static struct sim s;

static struct sim_device *online(const char *id)
{
    struct sim_device *d;

    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, id, "192.168.1.10:5060", SIP_UDP);
    d->version = "3.0";
    d->expires_s = 86400;
    sim_channels(d, 1);
    sim_settle(&s);
    return d;
}

static uint64_t query(const struct sim_device *d, enum manscdp_cmd cmd)
{
    struct platform_order o = { .device = slice_str(d->id),
                                .root = MANSCDP_QUERY, .cmd = cmd };
    uint64_t id;

    assert_int_equal(platform_command_send(s.p, &o, s.now, &id), 0);
    sim_run(&s, 100);
    return id;
}

static struct platform_command view(uint64_t id)
{
    struct platform_command c;

    assert_true(platform_command_view(s.p, id, &c));
    return c;
}

static void respond(struct sim_device *d, const char *cmd, uint32_t sn,
                    const char *inner)
{
    char text[1500];

    snprintf(text, sizeof(text),
             "<Response><CmdType>%s</CmdType><SN>%u</SN><DeviceID>%s"
             "</DeviceID>%s</Response>", cmd, (unsigned)sn, d->id, inner);
    sim_message(d, text);
    sim_run(&s, 100);
}

static bool says(struct slice text, const char *part)
{
    return slice_find_slice(text, slice_str(part)) < text.n;
}

/* ---- 11.5 ---- */

static void note_11_5_answers_by_another_name(void **state)
{
    static const struct {
        enum manscdp_cmd asked;
        const char *named, *inner;
    } cases[] = {
        { MANSCDP_CMD_HOME_POSITION_QUERY, "HomePosition",
          "<HomePosition><Enabled>1</Enabled></HomePosition>" },
        { MANSCDP_CMD_HOME_POSITION_QUERY, "homepositionquery",
          "<HomePosition><Enabled>1</Enabled></HomePosition>" },
        { MANSCDP_CMD_PRESET_QUERY, "PersetQuery",
          "<SumNum>0</SumNum><PresetList Num='0'/>" },
        { MANSCDP_CMD_PRESET_QUERY, "PresetQuery",
          "<SumNum>0</SumNum><PresetList Num='0'/>" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = online(NVR);
        uint64_t id = query(d, cases[i].asked);

        sim_run(&s, 90);
        respond(d, cases[i].named, view(id).sn, cases[i].inner);
        if (view(id).state != PLATFORM_COMMAND_ANSWERED)
            fail_msg("%s: %s", cases[i].named,
                     platform_command_state_name(view(id).state));
        sim_free(&s);
    }
}

/* ---- 11.7 ---- */

/* A control that nobody answers is judged by a question that is: it says ERROR,
 * and so the profile says that the device lacks it, and when it was asked. */
static void note_11_7_lacking_is_learnt_from_an_error(void **state)
{
    struct sim_device *d = online(NVR);
    uint64_t id = query(d, MANSCDP_CMD_PTZ_POSITION);
    struct platform_profile_command k;
    bool found = false;

    (void)state;
    respond(d, "PTZPosition", view(id).sn,
            "<Result>ERROR</Result><Reason>no such lens</Reason>");
    assert_int_equal(view(id).state, PLATFORM_COMMAND_REFUSED);
    assert_true(says(view(id).evidence, "no such lens"));
    for (size_t pos = 0;
         !found && platform_profile_command(s.p, SLICE(NVR), &pos, &k);)
        found = slice_eq(k.cmd, SLICE("PTZPosition"));
    assert_true(found && k.lacks && !k.knows);
    assert_int_equal(k.last, PLATFORM_OUTCOME_REFUSED);
    sim_free(&s);
}

/* ---- 13.1 ---- */

/* Refused is shown as it is, with the status that said so. */
static void note_13_1_the_last_status_is_shown(void **state)
{
    static const unsigned refusals[] = { 403, 404, 489, 501 };
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct sim_options o = { .config = { .auto_enrol = true } };
        struct sim_device *d;

        o.config.subscribe_s[PLATFORM_SUBSCRIBE_CATALOG] = 600;
        assert_true(sim_init(&s, &o));
        d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
        d->subscribe_status = refusals[i];
        sim_settle(&s);
        sim_run(&s, 60000);
        assert_int_equal(platform_subscriptions_of(s.p, SLICE(NVR), u), 1);
        assert_int_equal(u[0].status, refusals[i]);
        assert_int_not_equal(u[0].state, PLATFORM_SUBSCRIPTION_ACTIVE);
        assert_true(u[0].next_utc_ms > s.now.utc_ms);
        sim_free(&s);
    }
}

/* ---- 13.3, 13.4 ---- */

/* A camera that is its own channel tells where it is, alone and in a list. */
static void note_13_3_a_device_that_is_its_channel(void **state)
{
    static const char *const bodies[] = {
        "<DeviceID>" IPC "</DeviceID><Longitude>118.5</Longitude>"
        "<Latitude>31.5</Latitude>",
        "<Longitude>118.5</Longitude><Latitude>31.5</Latitude>",
        "<DeviceID>" IPC "</DeviceID><SumNum>1</SumNum><DeviceList Num='1'>"
        "<Item><DeviceID>" IPC "</DeviceID><Longitude>118.5</Longitude>"
        "<Latitude>31.5</Latitude></Item></DeviceList>",
    };
    char text[600];

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct sim_device *d;
        struct platform_channel c;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, IPC, "192.168.1.10:5060", SIP_UDP);
        d->n_channels = 1;
        memcpy(d->channel[0], d->id, sizeof(d->channel[0]));
        sim_settle(&s);
        snprintf(text, sizeof(text),
                 "<Notify><CmdType>MobilePosition</CmdType><SN>1</SN>%s"
                 "</Notify>", bodies[i]);
        sim_request(d, SIP_METHOD_NOTIFY, IPC, text);
        sim_run(&s, 100);
        assert_int_equal(s.actions[PLATFORM_POSITION], 1);
        assert_true(platform_channel_view(s.p, SLICE(IPC), SLICE(IPC), &c));
        assert_true(c.has_position);
        assert_float_equal(c.longitude, 118.5, 1e-6);
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
}

static void note_13_4_positions_in_both_forms(void **state)
{
    static const struct {
        const char *name, *inner;
        unsigned told;
    } cases[] = {
        { "flat", "<Longitude>118.5</Longitude><Latitude>31.5</Latitude>", 1 },
        { "flat, nowhere", "<Longitude>0</Longitude><Latitude>0.0</Latitude>",
          0 },
        { "a list of two",
          "<SumNum>2</SumNum><DeviceList Num='2'><Item><DeviceID>a</DeviceID>"
          "<Longitude>1</Longitude><Latitude>2</Latitude></Item><Item>"
          "<DeviceID>b</DeviceID><Longitude>3</Longitude><Latitude>4"
          "</Latitude></Item></DeviceList>", 2 },
        { "one of two is nowhere",
          "<SumNum>2</SumNum><DeviceList Num='2'><Item><DeviceID>a</DeviceID>"
          "<Longitude>0.000</Longitude><Latitude>0</Latitude></Item><Item>"
          "<DeviceID>b</DeviceID><Longitude>3</Longitude><Latitude>4"
          "</Latitude></Item></DeviceList>", 1 },
        { "an empty list", "<SumNum>0</SumNum><DeviceList Num='0'/>", 0 },
        { "units", "<Longitude>118.5 E</Longitude><Latitude>31.5\xc2\xb0"
                   "</Latitude>", 1 },
        { "minutes", "<Longitude>118\xc2\xb0 30</Longitude><Latitude>31\xc2\xb0 "
                     "30</Latitude>", 0 },
        { "exponents", "<Longitude>1.185e+02</Longitude><Latitude>315E-1"
                       "</Latitude>", 1 },
        { "an exponent and more digits", "<Longitude>1.185e+02 3</Longitude>"
                                         "<Latitude>31.5</Latitude>", 0 },
        { "an exponent of nonsense", "<Longitude>1.185e+02</Longitude>"
                                     "<Latitude>3e100</Latitude>", 0 },
        { "minutes of East", "<Longitude>118E30</Longitude><Latitude>31.5"
                             "</Latitude>", 0 },
        { "commas", "<Longitude>118,5</Longitude><Latitude>31,5</Latitude>",
          0 },
    };
    static const char *const versions[] = { "2.0", "3.0" };
    char text[900];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t v = 0; v < COUNT(versions); v++) {
            struct sim_device *d;

            assert_true(sim_init(&s, NULL));
            d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
            d->version = versions[v];
            sim_settle(&s);
            snprintf(text, sizeof(text),
                     "<Notify><CmdType>MobilePosition</CmdType><SN>1</SN>"
                     "<DeviceID>" NVR "</DeviceID>%s</Notify>",
                     cases[i].inner);
            sim_message(d, text);
            sim_run(&s, 100);
            assert_int_equal(d->last_status, 200);
            if (s.actions[PLATFORM_POSITION] != cases[i].told)
                fail_msg("%s, %s: %u positions", cases[i].name, versions[v],
                         s.actions[PLATFORM_POSITION]);
            sim_free(&s);
        }
}

/* What a body camera sends when its button is pressed: VideoUploadNotify. */
static void an_offer_is_told_with_its_place(void **state)
{
    static const struct {
        const char *name, *inner, *told;
        unsigned places;
    } cases[] = {
        { "all of it",
          "<DeviceID>" NVR "</DeviceID><Time>2023-08-09T07:38:35</Time>"
          "<Longitude>118.5</Longitude><Latitude>31.5</Latitude>",
          NVR " " NVR " 2023-08-09T07:38:35", 1 },
        { "of a channel, nowhere",
          "<DeviceID>34020000001310000001</DeviceID><Time>now</Time>",
          NVR " 34020000001310000001 now", 0 },
        { "no id, no time", "<Longitude>0</Longitude><Latitude>0</Latitude>",
          NVR " " NVR " ", 0 },
    };
    char text[600];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
        d->version = "3.0";
        sim_settle(&s);
        snprintf(text, sizeof(text), "<Notify><CmdType>VideoUploadNotify"
                 "</CmdType><SN>1</SN>%s</Notify>", cases[i].inner);
        sim_message(d, text);
        sim_run(&s, 100);
        assert_int_equal(d->last_status, 200);
        if (s.actions[PLATFORM_VIDEO_OFFERED] != 1 ||
            s.actions[PLATFORM_POSITION] != cases[i].places ||
            strcmp(s.last_offer, cases[i].told) != 0)
            fail_msg("%s: told \"%s\", %u positions", cases[i].name,
                     s.last_offer, s.actions[PLATFORM_POSITION]);
        sim_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_11_5_answers_by_another_name),
        cmocka_unit_test(note_11_7_lacking_is_learnt_from_an_error),
        cmocka_unit_test(note_13_1_the_last_status_is_shown),
        cmocka_unit_test(note_13_3_a_device_that_is_its_channel),
        cmocka_unit_test(note_13_4_positions_in_both_forms),
        cmocka_unit_test(an_offer_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
