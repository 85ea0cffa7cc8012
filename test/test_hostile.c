/* What one that is logged in may not do to the others: use up what they need,
 * or make the one loop of all of them work for its small messages. */
#include "test/knock.h"

#include <stdio.h>

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char nvr[] = "34020000001180000009";
static const char nvr_at[] = "192.168.1.10:5060";

/* Who is logged in may not use up what all others need to log in: REGISTERs of
 * ids that are not its own count as those of its source. */
static void a_bound_device_is_no_way_around(void **state)
{
    unsigned challenged = 0, shed = 0;
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                              .rate_per_s = 1,
                                              .rate_burst = 10,
                                              .registers_per_s = 50 });
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 2000);
    assert_int_equal(d->registered, 1);
    for (unsigned i = 0; i < 200; i++) {
        char id[24], line[64];
        unsigned status;

        snprintf(id, sizeof(id), "3402000000132%07u", 1000 + i);
        snprintf(line, sizeof(line), "Call-ID: b%u\r\nExpires: 3600\r\n", i);
        status = knock_register(&s, "192.168.1.10:5060", id, line, NULL, 0);
        challenged += status == 401;
        shed += status == 503;
    }
    assert_int_equal(challenged, 10);
    assert_int_equal(shed, 190);
    sim_register(d); /* its own is not counted */
    sim_run(&s, 10);
    assert_int_equal(d->registered, 2);
    assert_int_equal(knock_register(&s, "10.0.9.9:5060", cam, "Call-ID: z\r\n",
                                    NULL, 0),
                     401);
    sim_free(&s);
}

/* A MESSAGE of this device, from where it is bound; nothing is fetched from the
 * platform behind it. */
static void say(const char *at, const char *id, const char *body)
{
    static unsigned n;
    static char text[65000];
    struct sip_peer from = knock_peer(&s, at);
    int len = snprintf(text, sizeof(text),
                       "MESSAGE sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKhostile%u\r\n"
                       "From: <sip:%s@" SIM_REALM ">;tag=1\r\n"
                       "To: <sip:" SIM_ID "@" SIM_REALM ">\r\n"
                       "Call-ID: hostile%u\r\nCSeq: 1 MESSAGE\r\n"
                       "Max-Forwards: 70\r\n"
                       "Content-Type: Application/MANSCDP+xml\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       at, n, id, n, strlen(body), body);

    n++;
    assert_in_range(len, 1, sizeof(text) - 1);
    assert_int_equal(knock_say(&s, &from, text, (size_t)len, NULL, 0), 200);
}

static struct sim_device *recorder(unsigned channels)
{
    struct sim_device *d;

    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, nvr, nvr_at, SIP_UDP);
    sim_channels(d, channels);
    sim_settle(&s);
    assert_int_equal(sim_view(&s, d).n_channels, channels);
    return d;
}

static void say_faulty(const char *first, const char *second)
{
    char body[500];

    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Keepalive</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><Status>OK</Status><Info>"
             "<DeviceID>%s</DeviceID><DeviceID>%s</DeviceID></Info></Notify>",
             nvr, first, second);
    say(nvr_at, nvr, body);
}

static bool is_faulty(const struct sim_device *d, unsigned i)
{
    return sim_channel_view(&s, d, i).observed == PLATFORM_OBSERVED_FAULTY;
}

/* Each keepalive names another channel as faulty, so that all of them are looked
 * at: so often, and then at a walk a second. */
static void faults_by_turns(void **state)
{
    struct sim_device *d = recorder(200);

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        say_faulty(d->channel[i], nvr);
        assert_true(is_faulty(d, i));
        assert_true(i == 0 || !is_faulty(d, i - 1));
    }
    say_faulty(d->channel[10], nvr);
    assert_false(is_faulty(d, 10));
    assert_true(is_faulty(d, 9)); /* as it was */
    say_faulty(d->channel[9], d->channel[9]);
    assert_true(is_faulty(d, 9));
    sim_run(&s, 2000);
    say_faulty(d->channel[10], d->channel[11]);
    assert_true(is_faulty(d, 10) && is_faulty(d, 11) && !is_faulty(d, 9));
    for (unsigned i = 0; i < 50; i++) /* the same costs no walk */
        say_faulty(d->channel[11], d->channel[10]);
    assert_true(is_faulty(d, 10) && is_faulty(d, 11));
    say_faulty(d->channel[11], nvr);
    assert_true(!is_faulty(d, 10) && is_faulty(d, 11));
    sim_free(&s);
}

/* A faulty channel that is gone does not make the count of them wrong. */
static void a_faulty_channel_goes(void **state)
{
    struct sim_device *d = recorder(3);
    char body[600];

    (void)state;
    say_faulty(d->channel[0], d->channel[1]);
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><SumNum>1</SumNum>"
             "<DeviceList Num=\"1\"><Item><DeviceID>%s</DeviceID>"
             "<Event>DEL</Event></Item></DeviceList></Notify>",
             nvr, d->channel[0]);
    say(nvr_at, nvr, body);
    say_faulty(d->channel[1], d->channel[2]);
    assert_true(is_faulty(d, 1) && is_faulty(d, 2));
    say_faulty(nvr, nvr);
    assert_true(!is_faulty(d, 1) && !is_faulty(d, 2));
    sim_free(&s);
}

/* A farewell that comes again and again is one. */
static void farewells(void **state)
{
    struct sim_device *d = recorder(1);
    char body[300];

    (void)state;
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Keepalive</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><Status>OFF</Status></Notify>",
             nvr);
    assert_true(sim_view(&s, d).online);
    for (unsigned i = 0; i < 20; i++) {
        say(nvr_at, nvr, body);
        sim_run(&s, 10);
        assert_false(sim_view(&s, d).online);
    }
    assert_int_equal(text_count(s.log, "device offline"), 1);
    sim_keepalive(d, NULL);
    sim_run(&s, 10);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

/* Hundreds of items in one message, each of which says OFF of all. */
static void off_of_itself(void **state)
{
    struct sim_device *d = recorder(200);
    static char body[60000];
    struct writer w = writer_of(body, sizeof(body) - 1);
    unsigned off = 0;

    (void)state;
    for (unsigned i = 0; i < 12; i++) { /* one of them is on, and all are off */
        w.len = 0;
        writer_f(&w,
                 "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType>"
                 "<SN>1</SN><DeviceID>%s</DeviceID><SumNum>2</SumNum>"
                 "<DeviceList Num=\"2\"><Item><DeviceID>%s</DeviceID>"
                 "<Event>ON</Event></Item><Item><DeviceID>%s</DeviceID>"
                 "<Event>OFF</Event></Item></DeviceList></Notify>",
                 nvr, d->channel[7], nvr);
        assert_int_equal(w.err, 0);
        body[w.len] = '\0';
        say(nvr_at, nvr, body);
        off += !sim_channel_view(&s, d, 7).on;
    }
    assert_int_equal(off, 10);
    sim_free(&s);
}

/* What is armed is kept of many devices: one alone cannot take all the room. */
static void duties_of_one(void **state)
{
    struct sim_device *d = recorder(1);
    struct platform_duty u;
    static char body[60000];

    (void)state;
    (void)d;
    for (unsigned from = 0; from < 900; from += 300) {
        struct writer w = writer_of(body, sizeof(body) - 1);

        writer_f(&w,
                 "<?xml version=\"1.0\"?><Response><CmdType>DeviceStatus"
                 "</CmdType><SN>1</SN><DeviceID>%s</DeviceID><Result>OK"
                 "</Result><Alarmstatus Num=\"300\">", nvr);
        for (unsigned i = 0; i < 300; i++)
            writer_f(&w, "<Item><DeviceID>a%u</DeviceID><DutyStatus>ONDUTY"
                         "</DutyStatus></Item>", from + i);
        writer_str(&w, "</Alarmstatus></Response>");
        assert_int_equal(w.err, 0);
        body[w.len] = '\0';
        say(nvr_at, nvr, body);
    }
    assert_true(platform_duty_at(s.p, SLICE("34020000001180000009"),
                                 PLATFORM_DEVICE_DUTIES_MAX - 1, &u));
    assert_false(platform_duty_at(s.p, SLICE("34020000001180000009"),
                                  PLATFORM_DEVICE_DUTIES_MAX, &u));
    sim_free(&s);
}

/* Thousands of positions in the turn in which another one raises an alarm. */
static void positions_leave_room_for_alarms(void **state)
{
    static const char cam_at[] = "192.168.1.11:5060";
    static char body[60000];
    struct sim_device *other;
    struct writer w = writer_of(body, sizeof(body) - 1);

    (void)state;
    recorder(1);
    other = sim_add(&s, cam, cam_at, SIP_UDP);
    sim_register(other);
    sim_run(&s, 20000);
    writer_f(&w,
             "<?xml version=\"1.0\"?><Notify><CmdType>MobilePosition</CmdType>"
             "<SN>1</SN><DeviceID>%s</DeviceID><SumNum>300</SumNum>"
             "<DeviceList Num=\"300\">", nvr);
    for (unsigned i = 0; i < 300; i++)
        writer_f(&w, "<Item><DeviceID>3402000000131%07u</DeviceID>"
                     "<CaptureTime>2023-08-09T07:38:35</CaptureTime>"
                     "<Longitude>121.5</Longitude><Latitude>31.2</Latitude>"
                     "</Item>", i);
    writer_str(&w, "</DeviceList></Notify>");
    assert_int_equal(w.err, 0);
    body[w.len] = '\0';
    for (unsigned i = 0; i < 8; i++)
        say(nvr_at, nvr, body);
    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Notify><CmdType>Alarm</CmdType><SN>2</SN>"
             "<DeviceID>%s</DeviceID><AlarmPriority>1</AlarmPriority>"
             "<AlarmMethod>5</AlarmMethod><AlarmTime>2023-08-09T07:38:35"
             "</AlarmTime></Notify>", cam);
    say(cam_at, cam, body);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_ALARM], 1);
    assert_true(s.actions[PLATFORM_POSITION] >= 500);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_device_is_no_way_around),
        cmocka_unit_test(faults_by_turns),
        cmocka_unit_test(a_faulty_channel_goes),
        cmocka_unit_test(farewells),
        cmocka_unit_test(off_of_itself),
        cmocka_unit_test(duties_of_one),
        cmocka_unit_test(positions_leave_room_for_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
