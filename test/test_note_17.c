/* Field-note 17.5: bodies with each element absent, empty, twice and far too
 * long. Whatever the platform makes of them, it answers, and goes on. */
#include "test/sim.h"

#include "base/writer.h"

#define ID "34020000001320000001"
#define LONG_TEXT 20000

static struct sim s;

/* One line an element; those that hold others are kept whole. */
static const char *const bodies[][16] = {
    { "<Notify>", "<CmdType>Keepalive</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<Status>OK</Status>",
      "<Info><DeviceID>" ID "</DeviceID></Info>", "</Notify>" },
    { "<Notify>", "<CmdType>Alarm</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<AlarmPriority>1</AlarmPriority>",
      "<AlarmMethod>5</AlarmMethod>",
      "<AlarmTime>2023-11-15T06:13:20</AlarmTime>",
      "<AlarmDescription>x</AlarmDescription>", "<Longitude>118.3</Longitude>",
      "<Latitude>31.3</Latitude>",
      "<Info><AlarmType>2</AlarmType></Info>", "</Notify>" },
    { "<Response>", "<CmdType>Catalog</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<SumNum>1</SumNum>",
      "<DeviceList Num=\"1\"><Item><DeviceID>" ID "</DeviceID>"
      "<Name>Gate</Name></Item></DeviceList>", "</Response>" },
    { "<Response>", "<CmdType>DeviceInfo</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<Result>OK</Result>",
      "<DeviceName>n</DeviceName>", "<Manufacturer>m</Manufacturer>",
      "<Model>m</Model>", "<Firmware>f</Firmware>", "<Channel>1</Channel>",
      "</Response>" },
    { "<Response>", "<CmdType>RecordInfo</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<Name>n</Name>", "<SumNum>1</SumNum>",
      "<RecordList Num=\"1\"><Item><DeviceID>" ID "</DeviceID>"
      "<StartTime>2023-11-15T06:13:20</StartTime></Item></RecordList>",
      "</Response>" },
    { "<Notify>", "<CmdType>MobilePosition</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<Time>2023-11-15T06:13:20</Time>",
      "<Longitude>118.3</Longitude>", "<Latitude>31.3</Latitude>",
      "<Speed>1</Speed>", "<Direction>1</Direction>", "<Altitude>1</Altitude>",
      "</Notify>" },
    { "<Notify>", "<CmdType>MediaStatus</CmdType>", "<SN>7</SN>",
      "<DeviceID>" ID "</DeviceID>", "<NotifyType>121</NotifyType>",
      "</Notify>" },
};

enum twist { ABSENT, EMPTY, TWICE, LARGE, TWISTS };

static void put_element(struct writer *w, const char *line, enum twist t)
{
    size_t name = strcspn(line, "> ");

    switch (t) {
    case ABSENT:
    case TWISTS:
        break;
    case EMPTY:
        writer_slice_put(w, slice_of(line, name));
        writer_str(w, "/>");
        break;
    case TWICE:
        writer_str(w, line);
        writer_str(w, line);
        break;
    case LARGE:
        writer_slice_put(w, slice_of(line, name));
        writer_char(w, '>');
        for (unsigned i = 0; i < LONG_TEXT; i++)
            writer_char(w, '9');
        writer_str(w, "</");
        writer_slice_put(w, slice_of(line + 1, name - 1));
        writer_char(w, '>');
        break;
    }
}

static void note_17_5_each_element_may_be_odd(void **state)
{
    static char text[LONG_TEXT + 4096];
    struct sim_device *d;
    unsigned sent = 0;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ID, "192.168.1.10:5060", SIP_UDP);
    d->keepalive_ms = 0;
    sim_settle(&s);
    for (size_t b = 0; b < COUNT(bodies); b++) {
        size_t n = 0;

        while (bodies[b][n])
            n++;
        for (size_t odd = 1; odd + 1 < n; odd++) {
            for (int t = 0; t < TWISTS; t++) {
                struct writer w = writer_of(text, sizeof(text) - 1);
                unsigned had = d->keepalive_ok + d->keepalive_refused;

                for (size_t i = 0; i < n; i++)
                    if (i == odd)
                        put_element(&w, bodies[b][i], (enum twist)t);
                    else
                        writer_str(&w, bodies[b][i]);
                assert_int_equal(w.err, 0);
                text[w.len] = '\0';
                sim_message(d, text);
                sim_run(&s, 1000);
                if (d->keepalive_ok + d->keepalive_refused != had + 1)
                    fail_msg("body %zu, element %zu, twist %d: no answer", b,
                             odd, t);
                sent++;
            }
        }
    }
    assert_int_equal(sent, 4 * (5 + 10 + 5 + 9 + 6 + 9 + 4));
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 200);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_17_5_each_element_may_be_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
