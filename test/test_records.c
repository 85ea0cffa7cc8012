/* What a device has recorded, asked for over any range, in virtual time. */
#include "test/session_rig.h"

#include "app/platform/records.h"

#include <stdio.h>

#define T0 (SIM_UTC / 1000)
#define HOUR 3600u
#define SINCE_2000 ((INT64_C(946684800) - (int64_t)T0) * 1000 / 900000 * 900000)
#define DAY 86400u

/* n recordings of half an hour, one behind the other. */
static struct sim_device *recorder_at(unsigned n, uint32_t delay_ms)
{
    const struct sim_options o = { .config = { .auto_enrol = true },
                                   .delay_ms = delay_ms };
    struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);

    for (unsigned i = 0; i < n; i++) {
        d->record[i].from_s = T0 + i * 1800;
        d->record[i].to_s = T0 + i * 1800 + 1799;
    }
    d->n_records = n;
    return d;
}

static struct sim_device *recorder(unsigned n)
{
    return recorder_at(n, 0);
}

static uint64_t ask(uint64_t from_s, uint64_t to_s)
{
    const struct platform_records_ask q = { .device = slice_str(nvr),
                                            .channel = slice_str(channel),
                                            .start_s = from_s,
                                            .stop_s = to_s };
    uint64_t id;

    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), 0);
    return id;
}

static struct platform_records hear(uint64_t id, uint64_t ms)
{
    struct platform_records r;

    for (uint64_t at = 0; at < ms; at += 1000) {
        sim_run(&s, 1000);
        assert_true(platform_records_view(s.p, id, &r));
        if (r.is_final)
            return r;
    }
    fail_msg("not final: asked %u times, %zu items", r.asked, r.n);
    return r;
}

/* In order, none twice, and these. */
static void expect_all(uint64_t id, unsigned n)
{
    struct platform_record r;

    for (unsigned i = 0; i < n; i++) {
        assert_true(platform_record_at(s.p, id, i, &r));
        assert_true(r.start_utc_ms / 1000 == (int64_t)(T0 + i * 1800));
        assert_true(r.end_utc_ms - r.start_utc_ms == 1799000);
        assert_true(slice_eq(r.type, SLICE("time")));
    }
    assert_false(platform_record_at(s.p, id, n, &r));
}

static void a_day_in_one_question(void **state)
{
    struct sim_device *d = recorder(10);
    uint64_t id = ask(T0, T0 + DAY);
    struct platform_records r = hear(id, 60000);

    (void)state;
    assert_true(r.complete);
    assert_int_equal(r.n, 10);
    assert_int_equal(r.asked, 1);
    assert_true(text_has(d->first_record_body, "<Type>all</Type>"));
    assert_true(text_has(d->first_record_body, "<Secrecy>0</Secrecy>"));
    assert_true(text_has(d->first_record_body,
                         "<StartTime>2023-11-15T06:13:20</StartTime>"));
    expect_all(id, 10);
    ends_clean();
}

static void a_month_in_days(void **state)
{
    struct sim_device *d = recorder(200);
    uint64_t id = ask(T0, T0 + 31 * DAY);
    struct platform_records r = hear(id, 600000);

    (void)state;
    assert_true(r.complete);
    assert_int_equal(r.asked, 31);
    assert_int_equal(d->record_queries, 31);
    expect_all(id, 200);
    ends_clean();
}

/* The same within a minute is not asked again; field-note 9.1. */
static void note_9_1_a_repeat_is_instant(void **state)
{
    struct sim_device *d = recorder(10);
    uint64_t id = ask(T0, T0 + DAY), other;

    (void)state;
    assert_int_equal(ask(T0, T0 + DAY), id); /* under way */
    hear(id, 60000);
    assert_int_equal(ask(T0, T0 + DAY), id);
    assert_int_equal(d->record_queries, 1);
    sim_run(&s, 61000);
    other = ask(T0, T0 + DAY);
    assert_true(other != id);
    hear(other, 60000);
    assert_int_equal(d->record_queries, 2);
    ends_clean();
}

/* Above six hours an item is missing: smaller questions bring them all. */
static void note_9_3_damaged_above_some_hours(void **state)
{
    struct sim_device *d = recorder(48);
    uint64_t id;
    struct platform_records r;

    (void)state;
    d->record_hours_max = 7;
    id = ask(T0, T0 + DAY);
    r = hear(id, 600000);
    assert_true(r.complete);
    assert_int_equal(r.asked, 5); /* the day, and four quarters of it */
    expect_all(id, 48);
    ends_clean();
}

/* It counts before it filters: the parts of a day would all fall short, each
 * after a silence. */
static void a_sum_of_everything(void **state)
{
    struct sim_device *d = recorder(48);
    struct platform_records r;
    uint64_t id;

    (void)state;
    d->record_sum = 1000;
    id = ask(T0, T0 + 3 * DAY);
    r = hear(id, 600000);
    assert_int_equal(r.n, 48);
    assert_false(r.complete);
    assert_int_equal(d->record_queries, 5); /* a day, 6 h of it, and the rest */
    ends_clean();
}

/* Nothing helps: what came is told, and that it is not all. */
static void damaged_whatever_is_asked(void **state)
{
    struct sim_device *d = recorder(48);
    uint64_t id;
    struct platform_records r;

    (void)state;
    d->record_hours_max = 1;
    id = ask(T0, T0 + DAY);
    r = hear(id, 1200000);
    assert_false(r.complete);
    assert_true(r.n >= 36 && r.n < 48);
    assert_true(text_has(r.evidence.p, "missing"));
    ends_clean();
}

/* A device that ends at a hundred, whatever there is. */
static void goes_on_behind_a_limit(void **state)
{
    struct sim_device *d = ready();
    uint64_t id;
    struct platform_records r;

    (void)state;
    for (unsigned i = 0; i < 240; i++) {
        d->record[i].from_s = T0 + i * 300;
        d->record[i].to_s = T0 + i * 300 + 299;
    }
    d->n_records = 240;
    d->record_limit = 100;
    id = ask(T0, T0 + DAY);
    r = hear(id, 600000);
    assert_true(r.complete);
    assert_int_equal(r.n, 240);
    assert_int_equal(r.asked, 3);
    ends_clean();
}

static void silent_and_empty(void **state)
{
    struct sim_device *d = ready();
    struct platform_records r;
    uint64_t id;

    (void)state;
    d->has_store = true;
    id = ask(T0, T0 + DAY);
    r = hear(id, 200000);
    assert_true(r.complete); /* it says that there is nothing */
    assert_int_equal(r.n, 0);
    d->record_mute = true;
    id = ask(T0, T0 + 2 * DAY);
    r = hear(id, 400000);
    assert_false(r.complete);
    assert_int_equal(r.state, PLATFORM_COMMAND_SILENT);
    assert_true(r.evidence.n > 0);
    ends_clean();
}

static void refused_at_once(void **state)
{
    struct platform_records_ask q = { .device = slice_str(nvr),
                                      .start_s = T0, .stop_s = T0 + DAY };
    struct sim_device *d = ready();
    uint64_t id;

    (void)state;
    q.channel = slice_str(channel);
    q.type = SLICE("some");
    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), GB_ESYNTAX);
    q.type = SLICE("alarm");
    q.stop_s = T0;
    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), GB_ERANGE);
    q.stop_s = T0 + 32 * DAY;
    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), GB_ERANGE);
    q.stop_s = T0 + 1;
    q.device = SLICE("34020000001180009999");
    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), GB_ENOENT);
    q.device = slice_str(nvr);
    sim_unregister(d);
    sim_run(&s, 1000);
    assert_int_equal(platform_records_start(s.p, &q, s.now, &id), GB_ESTATE);
    ends_clean();
}

/* The clock is an hour fast and its texts are in another zone: what is asked
 * for is shifted, and what comes back is shifted again. */
static void note_15_2_ranges_are_corrected(void **state)
{
    static const struct {
        const char *name;
        int64_t off_ms, drift_ms;
        int zone_min;
        bool drifts;
    } cases[] = {
        { "right", 0, 0, 0, false },
        { "noise", 1500, 1500, 0, false },
        { "drift", 90000, 90000, 0, true },
        { "UTC for Beijing", -28800000, 0, -480, false },
        { "another zone, and drift", 3600000 - 20000, -20000, 60, true },
        { "ten minutes", 600000, 600000, 0, true },
        { "23 days", 2000000000, 2000000000, 0, true },
        { "it began anew in 2000", SINCE_2000, SINCE_2000, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(4);
        struct platform_records r;
        struct platform_device v;
        uint64_t id;

        d->tells_time = true;
        d->clock_off_ms = cases[i].off_ms;
        if (cases[i].off_ms > 2000 || cases[i].off_ms < -2000)
            for (unsigned k = 0; k < 4; k++) {
                d->record[k].from_s += (uint64_t)(int64_t)
                    (cases[i].off_ms / 1000);
                d->record[k].to_s += (uint64_t)(int64_t)
                    (cases[i].off_ms / 1000);
            }
        id = ask(T0, T0 + 2 * HOUR);
        r = hear(id, 60000);
        v = sim_view(&s, d);
        if (v.clock.zone_min != cases[i].zone_min ||
            v.clock.drifts != cases[i].drifts ||
            v.clock.drift_ms > cases[i].drift_ms + 10 ||
            v.clock.drift_ms < cases[i].drift_ms - 1100 || r.n != 4)
            fail_msg("%s: zone %d drift %lld, %zu items", cases[i].name,
                     v.clock.zone_min, (long long)v.clock.drift_ms, r.n);
        assert_int_equal(d->status_queries, 1);
        for (unsigned k = 0; k < 4; k++) {
            struct platform_record e;
            int64_t want = (int64_t)(T0 + k * 1800) * 1000;

            assert_true(platform_record_at(s.p, id, k, &e));
            if (e.start_utc_ms < want - 10 || e.start_utc_ms > want + 1100)
                fail_msg("%s: %lld", cases[i].name,
                         (long long)(e.start_utc_ms - want));
        }
        assert_true(cases[i].drifts ==
                    (strstr(s.log, "clock of a device is off") != NULL));
        ends_clean();
    }
}

/* A clock of 1970 has never been set: yesterday would be before its time. */
static void a_clock_that_was_never_set(void **state)
{
    struct sim_device *d = recorder(4);
    struct platform_records r;

    (void)state;
    d->tells_time = true;
    d->clock_off_ms = 86400000 - (int64_t)T0 * 1000;
    r = hear(ask(T0, T0 + 2 * HOUR), 60000);
    assert_int_equal(r.n, 4);
    assert_true(sim_view(&s, d).clock.drifts);
    assert_non_null(strstr(s.log, "clock of a device is off"));
    ends_clean();
}

/* A board without a battery begins in 1970 until the network tells it the time;
 * later somebody sets it wrong, and right again. The device is right all along. */
static void our_own_clock_is_set(void **state)
{
    static const struct {
        int64_t wrong_ms; /* by so much is ours */
        bool drifts;      /* so that the device seems to be */
        const char *log;
    } cases[] = {
        { 100000000 - (int64_t)T0 * 1000, false, "msg=\"the clock of this server"
          " was set\" by_s=-1699900000 why=\"it has no time yet\"" },
        { 0, false, "msg=\"the clock of this server was set\" by_s=" },
        { -6 * 86400000ll - 777000, true, "clock of a device is off" },
        { 0, false, "clock of a device is right again" },
    };
    struct sim_device *d = recorder(4);
    struct platform_device v;
    uint64_t id;

    (void)state;
    d->tells_time = true;
    id = ask(T0, T0 + 2 * HOUR);
    (void)hear(id, 60000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t by_ms = cases[i].wrong_ms + d->clock_off_ms;

        s.log[s.log_len = 0] = '\0';
        s.now.utc_ms += by_ms;
        d->clock_off_ms -= by_ms;
        sim_run(&s, 61000);
        v = sim_view(&s, d);
        if (v.clock.drifts != cases[i].drifts || !strstr(s.log, cases[i].log))
            fail_msg("case %zu: drift %lld\n%s", i,
                     (long long)v.clock.drift_ms, s.log);
        assert_in_range(v.clock.drift_ms + v.clock.zone_min * 60000ll +
                            cases[i].wrong_ms + 1100, 0, 1110);
    }
    id = ask(T0, T0 + 2 * HOUR); /* of the device's time as it is now */
    assert_int_equal(hear(id, 60000).n, 4);
    expect_all(id, 4);
    ends_clean();
}

/* One of 1972: it has no time for what was long ago, and is asked from the
 * beginning of its time on. */
static void a_clock_that_has_no_such_time(void **state)
{
    const uint64_t year = 365 * DAY, off = T0 - 2 * year;
    struct sim_device *d = recorder(1);
    const struct platform_recording play = {
        .device = slice_str(d->id),
        .channel = slice_str(d->channel[0]),
        .kind = PLATFORM_PLAYBACK,
        .transport = PLATFORM_UDP,
        .start_s = off - 3600,
        .stop_s = off + 3600,
    };
    struct platform_session v;

    (void)state;
    d->tells_time = true;
    d->clock_off_ms = -1000 * (int64_t)off;
    hear(ask(off - 3600, off + 3600), 60000);
    assert_true(text_has(d->first_record_body,
                         "<StartTime>1970-01-01T08:00:00</StartTime>"));
    assert_int_equal(platform_playback_start(s.p, &play, s.now, &v), 0);
    sim_run(&s, 1000);
    assert_true(text_has(d->last_sdp, "t=0 3600\r\n"));
    sim_run(&s, 60000);
    ends_clean();
}

/* Its recordings are told all the same, within what an API call waits. Twice
 * silent: its clock is not asked for a third time. */
static void a_clock_that_is_not_told(void **state)
{
    struct sim_device *d = recorder(2);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t id = ask(T0, T0 + DAY + i);

        assert_int_equal(hear(id, 6000).n, 2);
    }
    assert_int_equal(d->status_queries, 2);
    assert_int_equal(sim_view(&s, d).clock.from, PLATFORM_CLOCK_UNKNOWN);
    ends_clean();
}

static void only_so_many_are_remembered(void **state)
{
    struct platform_records r;
    uint64_t first = 0, id = 0;

    (void)state;
    recorder(1);
    for (unsigned i = 0; i <= PLATFORM_RECORDS_MAX; i++) {
        id = ask(T0, T0 + DAY + i);
        first = first ? first : id;
        hear(id, 100000);
    }
    assert_true(platform_records_view(s.p, id, &r));
    assert_false(platform_records_view(s.p, first, &r));
    ends_clean();
}

/* More questions than a device is asked at one time: the others wait, but not for
 * the clock that a device does not tell, which is asked for once. */
static void asked_when_there_is_room(void **state)
{
    struct platform_records r;
    uint64_t id[PLATFORM_COMMANDS_QUEUE + 8];
    struct sim_device *d;

    (void)state;
    d = recorder(10);
    for (unsigned i = 0; i < COUNT(id); i++)
        id[i] = ask(T0, T0 + DAY - i);
    assert_true(platform_records_view(s.p, id[COUNT(id) - 1], &r));
    assert_int_equal(r.asked, 0);
    sim_run(&s, 6000);
    assert_int_equal(d->status_queries, 1);
    for (unsigned i = 0; i < COUNT(id); i++) {
        r = hear(id[i], 1000);
        if (!r.complete)
            fail_msg("%u: %.*s", i, SLICE_ARG(r.evidence));
        assert_int_equal(r.asked, 1);
        expect_all(id[i], 10);
    }
    ends_clean();
}

static void it_goes_in_the_middle(void **state)
{
    struct sim_device *d = recorder_at(200, 20);
    uint64_t id = ask(T0, T0 + 31 * DAY);
    struct platform_records r;

    (void)state;
    while (d->record_queries < 3)
        sim_run(&s, 1);
    d->record_mute = true;
    sim_unregister(d);
    r = hear(id, 60000);
    assert_false(r.complete);
    assert_int_equal(r.state, PLATFORM_COMMAND_SILENT);
    assert_true(r.n > 0 && r.n < 200); /* what was heard is kept */
    assert_true(text_has(r.evidence.p, "no Response came"));
    ends_clean();
}

/* One message of n items from number first on, of a million that are said. */
static void tell(struct sim_device *d, unsigned first, unsigned n)
{
    char body[8192];
    struct writer w = writer_of(body, sizeof(body));

    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>RecordInfo</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<SumNum>1000000</SumNum>\r\n"
                 "<RecordList Num=\"%u\">\r\n",
             (unsigned)sim_asked_sn(d), d->channel[0], n);
    for (unsigned i = first; i < first + n; i++)
        writer_f(&w, "<Item><DeviceID>%s</DeviceID><StartTime>2023-11-%02u"
                     "T%02u:%02u:%02u</StartTime><EndTime>2023-11-30T00:00:00"
                     "</EndTime><Type>time</Type></Item>\r\n",
                 d->channel[0], 1 + i / 86400, i / 3600 % 24, i / 60 % 60,
                 i % 60);
    writer_str(&w, "</RecordList>\r\n</Response>\r\n");
    assert_int_equal(w.err, 0);
    writer_char(&w, '\0');
    sim_message(d, body);
}

/* Items as they are written; a message of its own, sum: what it claims. */
static void tell_items(struct sim_device *d, unsigned sum, const char *items)
{
    char body[4096];
    struct writer w = writer_of(body, sizeof(body));

    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>RecordInfo</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<SumNum>%u</SumNum>\r\n"
                 "<RecordList Num=\"2\">\r\n%s</RecordList>\r\n"
                 "</Response>\r\n",
             (unsigned)sim_asked_sn(d), d->channel[0], sum, items);
    assert_int_equal(w.err, 0);
    writer_char(&w, '\0');
    sim_message(d, body);
}

#define ITEM(from, to)                                                         \
    "<Item><DeviceID>x</DeviceID><StartTime>" from "</StartTime><EndTime>" to  \
    "</EndTime><Type>time</Type></Item>\r\n"

/* SumNum of each message, or too small, or none that could be: what comes
 * within the gap belongs to it all the same. T0 is 2023-11-15T06:13:20. */
static void a_sum_that_is_wrong(void **state)
{
    static const unsigned sums[][2] = { { 2, 2 }, { 1, 1 }, { 0, 0 },
                                        { 2, 4 } };

    (void)state;
    for (size_t i = 0; i < COUNT(sums); i++) {
        struct sim_device *d = recorder(1);
        struct platform_records r;
        uint64_t id;

        d->record_mute = d->tells_time = true;
        id = ask(T0, T0 + RECORDS_WINDOW_MIN_S);
        sim_run(&s, 1000);
        tell_items(d, sums[i][0],
                   ITEM("2023-11-15T07:00:00", "2023-11-15T07:10:00")
                   ITEM("2023-11-15T07:10:00", "2023-11-15T07:20:00"));
        sim_run(&s, 700); /* one of them was lost once */
        tell_items(d, sums[i][1],
                   ITEM("2023-11-15T06:30:00", "2023-11-15T06:40:00")
                   ITEM("2023-11-15T06:40:00", "2023-11-15T07:00:00"));
        r = hear(id, 60000);
        if (r.n != 4)
            fail_msg("SumNum %u, then %u: %zu items", sums[i][0], sums[i][1],
                     r.n);
        ends_clean();
    }
}

/* Devices list what touches the question, or all that they have. */
static void items_of_another_time(void **state)
{
    static const struct {
        const char *items;
        size_t n;
        const char *evidence;
    } cases[] = {
        { ITEM("2023-11-15T05:00:00", "2023-11-15T06:13:20") /* up to it */
          ITEM("2023-11-15T06:00:00", "2023-11-15T06:20:00")
          ITEM("2023-11-15T09:00:00", "2023-11-15T10:00:00")
          ITEM("2023-11-15T09:13:20", "2023-11-15T10:00:00") /* behind it */
          ITEM("1970-01-01T00:00:00", "1970-01-01T01:00:00"), 2, "" },
        { ITEM("2023-11-14T22:30:00", "2023-11-14T23:00:00")
          ITEM("2023-11-14T23:00:00", "2023-11-14T23:30:00"), 0,
          "the device lists 2 recordings, none of them of the asked time" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(1);
        struct platform_records r;
        uint64_t id;

        d->record_mute = d->tells_time = true;
        id = ask(T0, T0 + 3 * 3600);
        sim_run(&s, 1000);
        tell_items(d, i ? 2 : 5, cases[i].items);
        r = hear(id, 60000);
        assert_int_equal(r.n, cases[i].n);
        assert_true(r.complete);
        assert_true(slice_has_prefix(r.evidence, slice_str(cases[i].evidence)));
        assert_true(!r.evidence.n == !*cases[i].evidence);
        ends_clean();
    }
}

/* Local time that is called UTC, by a device that does not tell its clock: shown
 * eight hours off, and none of them is lost. */
static void items_of_another_zone(void **state)
{
    struct sim_device *d = recorder(1);
    struct platform_records r;
    uint64_t id;

    (void)state;
    d->record_mute = true;
    id = ask(T0, T0 + 3 * 3600); /* 06:13:20 */
    sim_run(&s, 5000);
    tell_items(d, 3, ITEM("2023-11-15T06:30:00Z", "2023-11-15T07:00:00Z")
                         ITEM("2023-11-15T08:00:00Z", "2023-11-15T09:00:00Z")
                             ITEM("2023-11-17T08:00:00Z", "2023-11-17T09:00:00Z"));
    r = hear(id, 60000);
    assert_int_equal(r.n, 2);
    ends_clean();
}

/* Not in order, one over the other, twice, with zones and without, beyond the
 * question, or no time at all. Its clock counts UTC. */
static void times_as_devices_write_them(void **state)
{
    struct sim_device *d = recorder(1);
    struct platform_records r;
    struct platform_record e;
    int64_t before = 0;
    uint64_t id;

    (void)state;
    d->record_mute = d->tells_time = true;
    d->clock_off_ms = -8 * 3600000;
    id = ask(T0, T0 + RECORDS_WINDOW_MIN_S);
    sim_run(&s, 1000);
    tell_items(d, 8,
               ITEM("2023-11-15T00:00:00", "2023-11-15T00:10:00")
               ITEM("2023-11-14T23:00:00Z", "2023-11-14T23:30:00Z")
               ITEM("2023-11-15T07:20:00+08:00", "2023-11-15T07:40:00+08:00")
               ITEM("2023-11-14T22:00:00", "2023-11-16T00:00:00")
               ITEM("2023-11-14T23:00:00.000", "2023-11-14 23:30:00")
               ITEM("2023-11-15T00:30:00", "2023-11-15T00:20:00")
               ITEM("", "2023-11-15T00:20:00")
               ITEM("yesterday", "today"));
    sim_run(&s, 100);
    assert_true(platform_records_view(s.p, id, &r)); /* as far as it has come */
    assert_true(!r.is_final && r.n == 4);
    r = hear(id, 60000);
    assert_int_equal(r.n, 4);
    assert_false(r.complete);
    assert_true(text_has(r.evidence.p, "3 items have no time that can be read"));
    for (size_t i = 0; i < r.n; i++) {
        static const int64_t from_s[] = { -800, 2800, 4000, 6400 };

        assert_true(platform_record_at(s.p, id, i, &e));
        assert_true(e.start_utc_ms >= before);
        before = e.start_utc_ms;
        if (e.start_utc_ms / 1000 - (int64_t)T0 != from_s[i])
            fail_msg("item %zu begins at %lld", i,
                     (long long)(e.start_utc_ms / 1000 - (int64_t)T0));
    }
    ends_clean();
}

/* One that is being recorded has no end: it is told up to the question's, or up
 * to now. */
static void one_without_an_end(void **state)
{
    static const struct {
        int64_t from_s, to_s, end_s;
        const char *items;
    } cases[] = {
        { -7200, -3600, -3600, ITEM("2023-11-15T05:00:00", "") },
        { -7200, -3600, -3600,
          "<Item><StartTime>2023-11-15T05:00:00</StartTime></Item>" },
        { -3600, 3600, 0, ITEM("2023-11-15T06:00:00", "") },
        { -3600, 3600, 600, ITEM("2023-11-15T06:23:20", "") }, /* its clock */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = recorder(1);
        int64_t begun_ms = s.now.utc_ms;
        struct platform_record e;
        struct platform_records r;
        uint64_t id;

        d->record_mute = true;
        id = ask((uint64_t)((int64_t)T0 + cases[i].from_s),
                 (uint64_t)((int64_t)T0 + cases[i].to_s));
        sim_run(&s, 6000);
        tell_items(d, 1, cases[i].items);
        r = hear(id, 60000);
        assert_int_equal(r.n, 1);
        assert_true(platform_record_at(s.p, id, 0, &e));
        assert_int_equal(e.end_utc_ms, cases[i].end_s
                                           ? ((int64_t)T0 + cases[i].end_s) * 1000
                                           : begun_ms);
        ends_clean();
    }
}

/* Tells more every so often for so long; what has become of the question. */
static struct platform_records chatter(struct sim_device *d, uint64_t id,
                                       unsigned step, unsigned n,
                                       uint64_t every_ms, uint64_t ms)
{
    struct platform_records r;
    unsigned at = 0;

    for (uint64_t t = 0; t < ms; t += every_ms, at += step) {
        assert_true(platform_records_view(s.p, id, &r));
        if (r.is_final)
            break;
        tell(d, at, n);
        if (t % 600000 == 0)
            sim_register(d);
        sim_run(&s, every_ms);
    }
    assert_true(platform_records_view(s.p, id, &r));
    return r;
}

/* Repeats itself for ever: what it repeats is no news. */
static void one_that_repeats_itself(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id;
    struct platform_records r;

    (void)state;
    d->record_mute = true;
    id = ask(T0, T0 + RECORDS_WINDOW_MIN_S);
    sim_run(&s, 1000);
    r = chatter(d, id, 0, 3, 2000, 60000);
    assert_true(r.is_final);
    assert_false(r.complete);
    assert_int_equal(r.n, 3);
    ends_clean();
}

/* The most that was asked of the heap at one time. */
static size_t largest;

static void *measured_get(void *ctx, size_t n)
{
    (void)ctx;
    largest = n > largest ? n : largest;
    return gb_get(&gb_alloc_heap, n);
}

static void measured_put(void *ctx, void *p)
{
    (void)ctx;
    gb_put(&gb_alloc_heap, p);
}

#define TEN(x) x x x x x x x x x x
#define LONG TEN("a name of a record. ")

/* Nor does it take more room, whether anybody looks at it meanwhile or not. */
static void what_it_repeats_takes_no_room(void **state)
{
    static const struct gb_alloc measured = { measured_get, measured_put, NULL };
    static const char items[] =
        "<Item><Name>" LONG "</Name><FilePath>" LONG "</FilePath>"
        "<StartTime>2023-11-15T07:00:00</StartTime>"
        "<EndTime>2023-11-15T07:10:00</EndTime></Item>"
        "<Item><Name>" LONG "</Name><FilePath>" LONG "</FilePath>"
        "<StartTime>2023-11-15T07:10:00</StartTime>"
        "<EndTime>2023-11-15T07:20:00</EndTime></Item>";

    (void)state;
    for (unsigned looks = 0; looks < 2; looks++) {
        const struct sim_options o = { .config = { .auto_enrol = true },
                                       .alloc = &measured };
        struct sim_device *d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
        struct platform_records r;
        uint64_t id;

        d->has_store = d->record_mute = true;
        id = ask(T0, T0 + RECORDS_WINDOW_MIN_S);
        sim_run(&s, 6000);
        largest = 0;
        for (unsigned i = 0; i < 1500; i++) {
            tell_items(d, 1000000, items);
            sim_run(&s, 2);
            if (looks)
                assert_true(platform_records_view(s.p, id, &r));
        }
        assert_true(platform_records_view(s.p, id, &r));
        assert_false(r.is_final);
        assert_int_equal(r.n, 2);
        assert_int_equal(r.lost, 0);
        if (largest > PLATFORM_COMMAND_ANSWER) /* that is kept as well */
            fail_msg("%zu bytes at one time", largest);
        r = hear(id, 60000);
        assert_int_equal(r.n, 2);
        ends_clean();
    }
}

/* Has always something new to tell, and never all of it. */
static void one_that_never_ends(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id, begun;
    struct platform_records r;

    (void)state;
    d->record_mute = d->tells_time = true;
    id = ask(T0, T0 + RECORDS_WINDOW_MIN_S);
    sim_run(&s, 1000);
    begun = s.now.mono_ms;
    r = chatter(d, id, 1, 1, 4000, 2 * PLATFORM_ANSWER_MS);
    assert_true(r.is_final);
    assert_false(r.complete);
    if (s.now.mono_ms - begun > PLATFORM_ANSWER_MS + 8000)
        fail_msg("it took %llu ms", (unsigned long long)(s.now.mono_ms - begun));
    assert_true(r.n <= PLATFORM_ANSWER_MS / 4000 + 2);
    assert_non_null(strstr(r.evidence.p, "for too long"));
    /* the whole month: not an hour for each of its windows */
    id = ask(T0, T0 + 31 * DAY);
    sim_run(&s, 1000);
    begun = s.now.mono_ms;
    r = chatter(d, id, 1, 1, 4000, 2 * RECORDS_MOST_MS);
    assert_true(r.is_final);
    assert_true(s.now.mono_ms - begun <=
                RECORDS_MOST_MS + PLATFORM_ANSWER_MS + 8000);
    if (!strstr(r.evidence.p, "longer than an hour"))
        fail_msg("asked %u times: %.*s", r.asked, SLICE_ARG(r.evidence));
    ends_clean();
}

/* Tells more of them than anybody can have. */
static void one_that_has_too_many(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id;
    struct platform_records r;

    (void)state;
    d->record_mute = d->tells_time = true;
    id = ask(T0, T0 + 31 * DAY);
    sim_run(&s, 1000);
    r = chatter(d, id, 20, 20, 100, 2 * 100 * PLATFORM_RECORDS_ITEMS / 20);
    assert_true(r.is_final);
    assert_false(r.complete);
    assert_int_equal(r.n, PLATFORM_RECORDS_ITEMS);
    assert_int_equal(r.asked, 1);
    assert_non_null(strstr(r.evidence.p, "more than 20000"));
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_in_one_question),
        cmocka_unit_test(a_month_in_days),
        cmocka_unit_test(note_9_1_a_repeat_is_instant),
        cmocka_unit_test(note_9_3_damaged_above_some_hours),
        cmocka_unit_test(a_sum_of_everything),
        cmocka_unit_test(damaged_whatever_is_asked),
        cmocka_unit_test(goes_on_behind_a_limit),
        cmocka_unit_test(silent_and_empty),
        cmocka_unit_test(refused_at_once),
        cmocka_unit_test(note_15_2_ranges_are_corrected),
        cmocka_unit_test(a_clock_that_was_never_set),
        cmocka_unit_test(our_own_clock_is_set),
        cmocka_unit_test(a_clock_that_has_no_such_time),
        cmocka_unit_test(a_clock_that_is_not_told),
        cmocka_unit_test(a_sum_that_is_wrong),
        cmocka_unit_test(items_of_another_time),
        cmocka_unit_test(items_of_another_zone),
        cmocka_unit_test(times_as_devices_write_them),
        cmocka_unit_test(one_without_an_end),
        cmocka_unit_test(one_that_repeats_itself),
        cmocka_unit_test(what_it_repeats_takes_no_room),
        cmocka_unit_test(one_that_never_ends),
        cmocka_unit_test(one_that_has_too_many),
        cmocka_unit_test(only_so_many_are_remembered),
        cmocka_unit_test(asked_when_there_is_room),
        cmocka_unit_test(it_goes_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
