/* Field-notes 17.3 and 17.5: header values, and elements of bodies, that are
 * absent, empty, twice or far too long. Whatever the platform makes of them, it
 * goes on, and so do those who show what came. */
#include "test/sim.h"

#include "app/trace/ladder.h"
#include "app/trace/pcapng.h"
#include "app/trace/ring.h"
#include "base/writer.h"

#include <stdlib.h>

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

/* ---- 17.3 ---- */

#define HUGE_VALUE 60000

/* Where the long text goes: %s of one line, all others as they should be. */
static const char *const lines[] = {
    "REGISTER sip:%s@3402000000 SIP/2.0", "Via: SIP/2.0/UDP %s;branch=z9hG4bKl",
    "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bK%s",
    "From: \"%s\" <sip:" ID "@3402000000>;tag=1",
    "From: <sip:%s@3402000000>;tag=1", "From: <sip:" ID "@3402000000>;tag=%s",
    "To: <sip:" ID "@%s>", "Call-ID: %s", "CSeq: 1%s REGISTER",
    "Contact: <sip:" ID "@192.168.1.10;%s>", "Expires: 1%s",
    "User-Agent: %s", "X-GB-Ver: %s", "Subject: %s", "Event: %s",
    "Content-Type: %s/%s", "Authorization: Digest username=\"%s\"",
    "Authorization: Digest username=\"a\",nonce=\"%s\",uri=\"x\",response=\"y\"",
    "Authorization: %s x=y", "Require: %s", "Route: <sip:%s;lr>",
    "Record-Route: <sip:%s>", "Timestamp: %s", "Max-Forwards: 7%s",
    "Content-Disposition: x;handling=%s", "X-%s: y", "Unknown: %s",
};

static void put_line(struct writer *w, const char *line, struct slice text)
{
    for (; *line; line++)
        if (line[0] == '%' && line[1] == 's') {
            writer_slice_put(w, text);
            line++;
        } else {
            writer_char(w, *line);
        }
    writer_str(w, "\r\n");
}

/* A REGISTER that has one of the lines with a long text in it. */
static struct slice long_message(char *buf, size_t cap, const char *odd,
                                 struct slice text)
{
    static const char *const plain[] = {
        "REGISTER sip:34020000002000000001@3402000000 SIP/2.0",
        "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKl",
        "From: <sip:" ID "@3402000000>;tag=1", "To: <sip:" ID "@3402000000>",
        "Call-ID: l", "CSeq: 1 REGISTER",
    };
    struct writer w = writer_of(buf, cap);
    size_t name = strcspn(odd, ": ");
    bool placed = false;

    for (size_t i = 0; i < COUNT(plain); i++) {
        bool same = !strncmp(plain[i], odd, name + 1);

        put_line(&w, same ? odd : plain[i], text);
        placed |= same;
    }
    if (!placed)
        put_line(&w, odd, text);
    writer_str(&w, "Content-Length: 0\r\n\r\n");
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

/* To the platform; true: it is answered, or dropped as not worth one. */
static void hear(struct trace *t, struct slice message)
{
    struct sip_peer from = { .transport = SIP_UDP, .local = s.server_addr,
                             .remote = { GB_IPV4, { 192, 168, 1, 10 }, 5060 } };
    struct sip_event ev;
    struct sip_out out;

    trace_put(t, TRACE_IN, &from, message, s.now);
    if (!platform_admits(s.p, &from, message, s.now))
        return;
    sip_stack_input(s.server, &from, message, s.now.mono_ms);
    while (sip_stack_event(s.server, &ev))
        platform_sip(s.p, &ev, s.now);
    while (sip_stack_output(s.server, &out))
        trace_put(t, TRACE_OUT, &out.peer, out.bytes, s.now);
}

/* Everything that the trace holds, as a ladder and as a capture. */
static size_t show(const struct trace *t)
{
    static const struct ladder_config narrow = { .width = LADDER_WIDTH_MIN };
    static const struct trace_query all = { .after = 0 };
    static struct pcapng capture;
    uint64_t pos[4];
    size_t n = trace_find(t, &all, pos, COUNT(pos), NULL);
    struct ladder ladder;

    ladder_init(&ladder, &narrow);
    pcapng_init(&capture);
    for (size_t i = 0; i < n; i++) {
        struct trace_item item;
        struct ladder_item row;
        char *text = malloc(PCAPNG_BLOCK_MAX);
        struct writer w = writer_of(text, LADDER_ROW_MAX);

        assert_non_null(text);
        assert_true(trace_get(t, pos[i], &item));
        row = (struct ladder_item){ .utc_ms = item.time.utc_ms,
                                    .out = item.dir == TRACE_OUT,
                                    .device = item.device,
                                    .method = item.method,
                                    .status = item.status,
                                    .reason = item.reason,
                                    .cmd = item.call_id,
                                    .cseq = item.cseq, .count = item.count };
        ladder_row(&ladder, &w, &row);
        assert_int_equal(w.err, 0);
        w = writer_of(text, PCAPNG_BLOCK_MAX);
        pcapng_packet(&capture, &w, &item);
        assert_int_equal(w.err, 0);
        free(text);
    }
    return n;
}

static void note_17_3_long_attributes_stay_in_their_bounds(void **state)
{
    static const size_t sizes[] = { 64, 256, 1024, 4096, 16384, HUGE_VALUE };
    static char huge[HUGE_VALUE], buf[2 * HUGE_VALUE + 2048];
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_per_s = 100000,
                                         .rate_burst = 100000 } };
    struct sim_device *d;
    size_t shown = 0;

    (void)state;
    memset(huge, '9', sizeof(huge));
    assert_true(sim_init(&s, &o));
    for (size_t i = 0; i < COUNT(lines); i++)
        for (size_t k = 0; k < COUNT(sizes); k++) {
            struct trace_config tc = { .alloc = &gb_alloc_heap, .id = SIM_ID };
            struct trace *t;

            assert_int_equal(trace_new(&t, &tc), 0);
            hear(t, guarded(long_message(buf, sizeof(buf), lines[i],
                                         slice_of(huge, sizes[k]))));
            shown += show(t);
            trace_free(t);
        }
    assert_true(shown >= COUNT(lines) * COUNT(sizes));
    d = sim_add(&s, ID, "192.168.1.11:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_17_3_long_attributes_stay_in_their_bounds),
        cmocka_unit_test(note_17_5_each_element_may_be_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
