#include "test/sim.h"

#include <stdio.h>

static struct sim s;

static const char nvr[] = "34020000001180000001";

static struct sim_device *recorder(unsigned channels,
                                   const struct sim_options *o)
{
    struct sim_device *d;

    assert_true(sim_init(&s, o));
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, channels);
    return d;
}

static size_t count_channels(void)
{
    struct platform_channel c;
    struct slice after = { NULL, 0 };
    char last[PLATFORM_ID_MAX] = "";
    size_t n = 0;

    while (platform_channel_next(s.p, slice_str(nvr), after, &c)) {
        assert_true(slice_cmp(after, c.id) < 0);
        slice_copy(last, sizeof(last), c.id);
        after = slice_str(last);
        n++;
    }
    return n;
}

/* One item a message is what recorders do, in any order and twice. */
static void note_4_1_any_order(void **state)
{
    static const struct {
        const char *name;
        unsigned n;
        bool reversed, twice;
        uint32_t jitter_ms;
        unsigned copy_percent;
    } cases[] = {
        { "one", 1, false, false, 0, 0 },
        { "four", 4, false, false, 0, 0 },
        { "last first", 4, true, false, 0, 0 },
        { "each twice", 4, false, true, 0, 0 },
        { "shuffled by the network", 40, false, false, 300, 0 },
        { "shuffled and doubled", 40, true, true, 300, 30 },
        { "none", 0, false, false, 0, 0 },
        { "many", 300, false, false, 50, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_options o = { .config = { .auto_enrol = true },
                                 .jitter_ms = cases[i].jitter_ms,
                                 .copy_percent = cases[i].copy_percent,
                                 .seed = 77 };
        struct sim_device *d = recorder(cases[i].n, &o);
        struct platform_device v;
        struct platform_channel c;

        d->catalog_reversed = cases[i].reversed;
        d->catalog_twice = cases[i].twice;
        sim_settle(&s);
        v = sim_view(&s, d);
        if (v.catalog != PLATFORM_CATALOG_COMPLETE ||
            v.n_channels != cases[i].n || count_channels() != cases[i].n ||
            v.catalog_have != cases[i].n || v.catalog_sum != cases[i].n ||
            s.actions[PLATFORM_CHANNEL_CHANGED] < cases[i].n ||
            s.actions[PLATFORM_CATALOG_DONE] != 1 || s.partial ||
            d->catalogs != 1)
            fail_msg("%s: state %d, %zu channels, %u of %u", cases[i].name,
                     v.catalog, v.n_channels, v.catalog_have, v.catalog_sum);
        if (cases[i].n) {
            assert_true(platform_channel_view(s.p, slice_str(nvr),
                                              slice_str(d->channel[0]), &c));
            assert_true(slice_eq(c.name, SLICE("Camera 0")));
            assert_true(slice_eq(c.parent, slice_str(nvr)));
            assert_true(slice_eq(c.manufacturer, SLICE("Acme")));
            assert_true(c.on);
        }
        assert_int_equal(d->infos, 1);
        assert_true(slice_eq(v.name, SLICE("Recorder")));
        assert_true(slice_eq(v.firmware, SLICE("V1")));
        sim_free(&s);
    }
}

static void asked_after_a_pause(void **state)
{
    struct sim_device *d = recorder(2, NULL);

    (void)state;
    sim_register(d);
    sim_run(&s, 999);
    assert_int_equal(d->registered, 1);
    assert_int_equal(d->catalogs, 0);
    sim_run(&s, 5500);
    assert_int_equal(d->catalogs, 1);
    sim_free(&s);
}

static void note_3_13_a_crowd_is_spread(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_burst = 1000 } };
    unsigned early = 0;
    char id[21], ip[32];

    (void)state;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < SIM_MAX_DEVICES; i++) {
        snprintf(id, sizeof(id), "3402000000118%07u", i);
        snprintf(ip, sizeof(ip), "192.168.1.%u:5060", 10 + i);
        sim_channels(sim_add(&s, id, ip, SIP_UDP), 1);
        sim_register(&s.device[i]);
    }
    sim_run(&s, 3000);
    for (unsigned i = 0; i < SIM_MAX_DEVICES; i++)
        early += s.device[i].catalogs;
    assert_true(early > 5 && early < SIM_MAX_DEVICES * 3 / 4);
    sim_run(&s, 60000);
    for (unsigned i = 0; i < SIM_MAX_DEVICES; i++)
        assert_int_equal(s.device[i].catalogs, 1);
    assert_int_equal(platform_channel_count(s.p), SIM_MAX_DEVICES);
    sim_free(&s);
}

/* While a great many come, the first question of those who are there waits as
 * well: the time belongs to registrations. */
static void note_3_13_a_crowd_is_let_in_first(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_burst = 1000 } };
    struct sim_device *many, *d;

    (void)state;
    assert_true(sim_init(&s, &o));
    many = sim_add(&s, "34020000001180000001", "192.168.1.10:5060", SIP_UDP);
    d = sim_add(&s, "34020000001180000002", "192.168.1.11:5060", SIP_UDP);
    sim_channels(d, 1);
    for (unsigned i = 0; i < 3000; i++) {
        many->call_id[0] = '\0'; /* as if it were another one */
        sim_register(many);
        sim_run(&s, 2);
    }
    sim_register(d);
    sim_run(&s, 14000);
    assert_int_equal(d->catalogs, 0);
    sim_run(&s, 50000);
    assert_int_equal(d->catalogs, 1);
    sim_free(&s);
}

/* A line that comes and goes: the device, which never registers anew, is asked
 * for its catalog every ten minutes at most; when it registers it is asked. */
static void note_3_13_flapping_asks_seldom(void **state)
{
    struct sim_device *d = recorder(2, NULL);

    (void)state;
    d->expires_s = 86400;
    sim_settle(&s);
    assert_int_equal(d->catalogs, 1);
    for (unsigned i = 0; i < 12; i++) {
        sim_run(&s, 200000); /* silent: offline */
        assert_false(sim_view(&s, d).online);
        sim_keepalive(d, NULL);
        sim_run(&s, 100000);
        assert_true(sim_view(&s, d).online);
    }
    assert_in_range(d->catalogs, 4, 7); /* in an hour, back 12 times */
    sim_keepalive(d, NULL);
    sim_run(&s, 10000);
    sim_unregister(d);
    sim_run(&s, 1000);
    d->catalogs = 0;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->catalogs, 1);
    sim_free(&s);
}

/* ---- what is missing ---- */

static void note_4_3_partial_deletes_nothing(void **state)
{
    struct sim_device *d = recorder(5, NULL);
    struct platform_device v;

    (void)state;
    sim_settle(&s);
    assert_int_equal(count_channels(), 5);
    d->catalog_drop = 2;
    assert_int_equal(platform_device_refresh(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 5000);
    v = sim_view(&s, d);
    assert_int_equal(v.catalog, PLATFORM_CATALOG_RUNNING);
    assert_int_equal(v.catalog_have, 3);
    assert_int_equal(v.catalog_sum, 5);
    sim_run(&s, 15000);
    v = sim_view(&s, d);
    assert_int_equal(v.catalog, PLATFORM_CATALOG_IS_PARTIAL);
    assert_int_equal(s.partial, 1);
    assert_int_equal(count_channels(), 5);
    assert_int_equal(s.actions[PLATFORM_CHANNEL_REMOVED], 0);
    /* it is asked once more by itself */
    d->catalog_drop = 0;
    sim_run(&s, 60000);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_COMPLETE);
    sim_free(&s);
}

static void note_4_3_complete_sweeps(void **state)
{
    struct sim_device *d = recorder(5, NULL);
    struct platform_channel c;

    (void)state;
    sim_settle(&s);
    d->n_channels = 3; /* two cameras were taken down */
    assert_int_equal(platform_device_refresh(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 20000);
    assert_int_equal(count_channels(), 3);
    assert_int_equal(s.actions[PLATFORM_CHANNEL_REMOVED], 2);
    assert_false(platform_channel_view(s.p, slice_str(nvr),
                                       slice_str(d->channel[4]), &c));
    assert_int_equal(platform_channel_count(s.p), 3);
    sim_free(&s);
}

static void unchanged_is_not_told(void **state)
{
    struct sim_device *d = recorder(5, NULL);
    unsigned told;

    (void)state;
    sim_settle(&s);
    told = s.actions[PLATFORM_CHANNEL_CHANGED];
    assert_int_equal(platform_device_refresh(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 20000);
    assert_int_equal(d->catalogs, 2);
    assert_int_equal(s.actions[PLATFORM_CHANNEL_CHANGED], told);
    sim_free(&s);
}

static void callers_share_one_query(void **state)
{
    struct sim_device *d = recorder(5, NULL);

    (void)state;
    sim_settle(&s);
    d->catalog_drop = 1; /* goes on for the whole gap */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(platform_device_refresh(s.p, slice_str(nvr), s.now),
                         0);
        sim_run(&s, 500);
    }
    assert_int_equal(d->catalogs, 2);
    sim_free(&s);
}

static void silent_and_refusing(void **state)
{
    struct sim_device *d = recorder(5, NULL);

    (void)state;
    d->catalog_mute = true;
    sim_settle(&s);
    assert_int_equal(d->catalogs, 1);
    assert_int_equal(d->infos, 0); /* one question at a time */
    sim_run(&s, 10000);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_NONE);
    assert_int_equal(s.partial, 1);
    assert_int_equal(d->infos, 1);
    assert_true(strstr(s.log, "no Response came") != NULL);
    d->query_refused = true;
    for (int i = 0; i < 20; i++) {
        sim_keepalive(d, NULL);
        sim_run(&s, 60000);
    }
    assert_true(strstr(s.log, "answered with SIP 404") != NULL);
    assert_int_equal(d->messages, 2 + 3); /* then it is left in peace */
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

static void gone_in_the_middle(void **state)
{
    struct sim_device *d = recorder(5, NULL);

    (void)state;
    d->catalog_drop = 2;
    sim_register(d);
    sim_run(&s, 7000);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_RUNNING);
    sim_unregister(d);
    sim_run(&s, 1000);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_IS_PARTIAL);
    assert_int_equal(sim_counters(&s).queries, 0);
    assert_int_equal(platform_device_refresh(s.p, slice_str(nvr), s.now),
                     GB_ESTATE);
    assert_int_equal(platform_device_refresh(s.p, SLICE("x"), s.now),
                     GB_ENOENT);
    sim_run(&s, 60000);
    sim_free(&s);
}

static void removed_in_the_middle(void **state)
{
    struct sim_device *d = recorder(5, NULL);

    (void)state;
    d->catalog_drop = 2;
    sim_register(d);
    sim_run(&s, 7000);
    assert_int_equal(platform_device_remove(s.p, slice_str(nvr), s.now), 0);
    sim_run(&s, 60000);
    assert_int_equal(platform_channel_count(s.p), 0);
    assert_int_equal(sim_counters(&s).queries, 0);
    sim_free(&s);
}

/* ---- reports without a question ---- */

#define ITEM(id, rest)                                                         \
    "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType><SN>1</SN>"       \
    "<DeviceID>34020000001180000001</DeviceID><SumNum>1</SumNum>"              \
    "<DeviceList Num=\"1\"><Item><DeviceID>" id "</DeviceID>" rest             \
    "</Item></DeviceList></Notify>"

static void notifications(void **state)
{
    struct sim_device *d = recorder(2, NULL);
    struct slice first;
    struct platform_channel c;
    char body[600];

    (void)state;
    sim_settle(&s);
    first = slice_str(d->channel[0]);
    snprintf(body, sizeof(body), ITEM("%s", "<Event>OFF</Event>"),
             d->channel[0]);
    sim_request(d, SIP_METHOD_NOTIFY, nvr, body);
    sim_run(&s, 100);
    assert_true(platform_channel_view(s.p, slice_str(nvr), first, &c));
    assert_false(c.on);
    assert_true(slice_eq(c.name, SLICE("Camera 0"))); /* nothing is erased */
    snprintf(body, sizeof(body),
             ITEM("%s", "<Event>UPDATE</Event><Name>Gate</Name>"
                        "<Status>ON</Status>"),
             d->channel[0]);
    sim_request(d, SIP_METHOD_NOTIFY, nvr, body);
    sim_run(&s, 100);
    assert_true(platform_channel_view(s.p, slice_str(nvr), first, &c));
    assert_true(c.on);
    assert_true(slice_eq(c.name, SLICE("Gate")));
    assert_true(slice_eq(c.model, SLICE("C1")));
    sim_request(d, SIP_METHOD_NOTIFY, nvr,
                ITEM("34020000001310000099",
                     "<Event>ADD</Event><Name>New</Name>"));
    sim_run(&s, 100);
    assert_int_equal(count_channels(), 3);
    sim_request(d, SIP_METHOD_NOTIFY, nvr,
                ITEM("34020000001310000099", "<Event>DEL</Event>"));
    sim_run(&s, 100);
    assert_int_equal(count_channels(), 2);
    /* ON of one that is not known: the catalog is asked for */
    sim_request(d, SIP_METHOD_NOTIFY, nvr,
                ITEM("34020000001310000098", "<Event>ON</Event>"));
    sim_run(&s, 10000);
    assert_int_equal(d->catalogs, 2);
    sim_free(&s);
}

static enum platform_catalog catalog_of(const struct sim_device *d)
{
    return sim_view(&s, d).catalog;
}

/* It has the SN of the question. */
static void answered_with_a_notify(void **state)
{
    struct sim_device *d = recorder(3, NULL);

    (void)state;
    d->catalog_notified = true;
    sim_settle(&s);
    assert_int_equal(d->catalogs, 1);
    assert_int_equal(count_channels(), 3);
    assert_int_equal(catalog_of(d), PLATFORM_CATALOG_COMPLETE);
    assert_true(sim_deviates(&s, nvr, "answer in a Notify"));
    d->n_channels = 2; /* complete: what it lacks is gone */
    platform_device_refresh(s.p, slice_str(nvr), s.now);
    sim_run(&s, 20000);
    assert_int_equal(count_channels(), 2);
    sim_free(&s);
}

/* A report that comes while a catalog is awaited, with its SN by chance, is one
 * when it tells of an event, or comes by NOTIFY: nothing is deleted. */
static void reports_are_no_answers(void **state)
{
    static const char *const inner[] = {
        "<Event>UPDATE</Event>", "<OperateType>MOD</OperateType>", "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(inner); i++) {
        struct sim_device *d = recorder(3, NULL);
        char body[700];

        sim_settle(&s);
        d->catalog_mute = true;
        platform_device_refresh(s.p, slice_str(nvr), s.now);
        sim_run(&s, 500);
        assert_int_equal(d->catalogs, 2);
        snprintf(body, sizeof(body),
                 "<Notify><CmdType>Catalog</CmdType><SN>%u</SN><DeviceID>%s"
                 "</DeviceID><SumNum>1</SumNum><DeviceList Num='1'><Item>"
                 "<DeviceID>%s</DeviceID>%s<Name>Gate</Name></Item>"
                 "</DeviceList></Notify>", (unsigned)sim_asked_sn(d), nvr,
                 d->channel[0], inner[i]);
        sim_request(d, inner[i][0] ? SIP_METHOD_MESSAGE : SIP_METHOD_NOTIFY,
                    nvr, body);
        sim_run(&s, 100000);
        assert_int_equal(count_channels(), 3);
        assert_false(sim_deviates(&s, nvr, "answer in a Notify"));
        assert_int_not_equal(catalog_of(d), PLATFORM_CATALOG_COMPLETE);
        sim_free(&s);
    }
}

static void a_late_response_adds(void **state)
{
    struct sim_device *d = recorder(2, NULL);

    (void)state;
    sim_settle(&s);
    sim_message(d, "<?xml version=\"1.0\"?><Response>"
                   "<CmdType>Catalog</CmdType><SN>0</SN>"
                   "<DeviceID>34020000001180000001</DeviceID>"
                   "<SumNum>1</SumNum><DeviceList Num=\"1\"><Item>"
                   "<DeviceID>34020000001310000077</DeviceID>"
                   "<Name>Yard</Name></Item></DeviceList></Response>");
    sim_run(&s, 20000);
    assert_int_equal(count_channels(), 3);
    assert_int_equal(s.actions[PLATFORM_CHANNEL_REMOVED], 0);
    sim_free(&s);
}

/* A camera is its own channel; a recorder that lists itself is not. */
static void the_device_in_its_own_list(void **state)
{
    struct sim_device *d;
    struct slice owner;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, "34020000001320000001", "192.168.1.10:5060", SIP_UDP);
    d->n_channels = 1;
    snprintf(d->channel[0], sizeof(d->channel[0]), "%s", d->id);
    sim_settle(&s);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_true(platform_channel_owner(s.p, slice_str(d->id), &owner));
    assert_true(slice_eq(owner, slice_str(d->id)));
    sim_free(&s);

    d = recorder(2, NULL);
    snprintf(d->channel[1], sizeof(d->channel[1]), "%s", d->id);
    sim_settle(&s);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_COMPLETE);
    sim_free(&s);
}

static void equal_channel_ids(void **state)
{
    struct sim_device *a, *b;
    struct slice owner;

    (void)state;
    a = recorder(1, NULL);
    b = sim_add(&s, "34020000001180000002", "192.168.1.11:5060", SIP_UDP);
    b->n_channels = 1;
    memcpy(b->channel[0], a->channel[0], sizeof(a->channel[0]));
    sim_settle(&s);
    assert_int_equal(platform_channel_count(s.p), 2);
    assert_false(
        platform_channel_owner(s.p, slice_str(a->channel[0]), &owner));
    assert_int_equal(platform_device_remove(s.p, slice_str(a->id), s.now), 0);
    assert_true(platform_channel_owner(s.p, slice_str(a->channel[0]), &owner));
    assert_true(slice_eq(owner, slice_str(b->id)));
    sim_free(&s);
}

static void channel_limit(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .max_channels = 3 } };
    struct sim_device *d = recorder(5, &o);

    (void)state;
    sim_settle(&s);
    assert_int_equal(platform_channel_count(s.p), 3);
    assert_true(strstr(s.log, "too many channels") != NULL);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

static void over_a_bad_line(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_options o = { .config = { .auto_enrol = true },
                                 .loss_percent = 20,
                                 .copy_percent = 20,
                                 .delay_ms = 20,
                                 .jitter_ms = 200,
                                 .seed = seed };
        struct sim_device *d = recorder(30, &o);

        sim_register(d);
        sim_run(&s, 300000);
        if (sim_view(&s, d).n_channels != 30)
            fail_msg("seed %llu: %zu channels", (unsigned long long)seed,
                     sim_view(&s, d).n_channels);
        sim_free(&s);
    }
}

static void list_refresh_and_remove(void)
{
    struct sim_device *d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);

    sim_channels(d, 4);
    sim_register(d);
    sim_run(&s, 40000);
    d->n_channels = 2;
    platform_device_refresh(s.p, slice_str(nvr), s.now);
    sim_run(&s, 40000);
    platform_device_remove(s.p, slice_str(nvr), s.now);
    sim_run(&s, 40000);
}

static void without_memory(void **state)
{
    (void)state;
    sim_without_memory(&s, list_refresh_and_remove);
}

/* Whatever finds no memory when it registers, its catalog is there some minutes
 * after there is memory again. */
static void asked_when_there_is_memory_again(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct sim_options o = { .config = { .auto_enrol = true } };
        struct failing_alloc f;
        struct sim_device *d;

        failing_alloc_init(&f, 0);
        o.alloc = &f.alloc;
        assert_true(sim_init(&s, &o));
        d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
        sim_channels(d, 4);
        sim_register(d);
        f.fail_at = f.calls + n;
        for (unsigned i = 0; i < 16; i++) {
            if (i == 4) {
                done = f.calls < f.fail_at;
                f.fail_at = 0;
            }
            sim_run(&s, 60000);
            if (platform_has_device(s.p, slice_str(nvr)))
                sim_keepalive(d, NULL);
            else
                sim_register(d);
        }
        sim_run(&s, 60000);
        if (sim_view(&s, d).catalog != PLATFORM_CATALOG_COMPLETE)
            fail_msg("allocation %lu: no catalog", n);
        sim_free(&s);
        assert_int_equal(f.live, 0);
    }
}

static void says_of_itself_for(struct sim_device *d, const char *event,
                               uint64_t ms)
{
    char body[400];

    snprintf(body, sizeof(body),
             "<Notify><CmdType>Catalog</CmdType><SN>4</SN>"
             "<DeviceID>34020000001180000001</DeviceID><SumNum>1</SumNum>"
             "<DeviceList Num=\"1\"><Item>"
             "<DeviceID>34020000001180000001</DeviceID>"
             "<Event>%s</Event></Item></DeviceList></Notify>", event);
    sim_message(d, body);
    sim_run(&s, ms);
}

static void says_of_itself(struct sim_device *d, const char *event)
{
    says_of_itself_for(d, event, 20000);
}

/* OFF for the device itself marks its channels; it stays registered. When it is
 * ON again, its catalog tells which of them are. */
static void device_says_off(void **state)
{
    struct sim_device *d = recorder(3, NULL);
    struct platform_channel c;

    (void)state;
    sim_settle(&s);
    says_of_itself(d, "ON"); /* it was */
    assert_int_equal(d->catalogs, 1);
    says_of_itself(d, "OFF");
    for (unsigned i = 0; i < 3; i++) {
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(d->channel[i]), &c));
        assert_false(c.on);
        assert_true(slice_eq(c.name, slice_str(i == 0   ? "Camera 0"
                                               : i == 1 ? "Camera 1"
                                                        : "Camera 2")));
    }
    assert_true(sim_view(&s, d).online);
    assert_int_equal(d->catalogs, 1);
    says_of_itself(d, "ON");
    says_of_itself(d, "ON");
    assert_int_equal(d->catalogs, 2);
    for (unsigned i = 0; i < 3; i++)
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(d->channel[i]), &c) &&
                    c.on);
    sim_free(&s);
}

/* OFF and ON in the middle of an answer: what came before them is of before. */
static void says_off_while_it_answers(void **state)
{
    struct sim_device *d = recorder(3, NULL);
    char body[700];
    uint32_t sn;
    struct platform_channel c;

    (void)state;
    sim_settle(&s);
    d->catalog_drop = 1;
    platform_device_refresh(s.p, slice_str(nvr), s.now);
    sim_run(&s, 500);
    assert_int_equal(d->catalogs, 2);
    sn = sim_asked_sn(d);
    says_of_itself_for(d, "OFF", 1000);
    says_of_itself_for(d, "ON", 1000);
    snprintf(body, sizeof(body),
             "<Response><CmdType>Catalog</CmdType><SN>%u</SN><DeviceID>%s"
             "</DeviceID><SumNum>3</SumNum><DeviceList Num='1'><Item>"
             "<DeviceID>%s</DeviceID><Name>Gate</Name><Status>ON</Status>"
             "</Item></DeviceList></Response>", (unsigned)sn, nvr, d->channel[2]);
    d->catalog_drop = 0;
    sim_message(d, body);
    sim_run(&s, 60000);
    for (unsigned i = 0; i < 3; i++)
        assert_true(platform_channel_view(s.p, slice_str(nvr),
                                          slice_str(d->channel[i]), &c) &&
                    c.on);
    assert_int_equal(d->catalogs, 3);
    sim_free(&s);
}

/* What else an item says goes to the owner: once, whole, without the
 * password, and again only when it has changed. */
static void note_4_14_rest_of_an_item(void **state)
{
    static const char add[] =
        "<?xml version=\"1.0\"?><Notify><CmdType>Catalog</CmdType><SN>4</SN>"
        "<DeviceID>34020000001180000001</DeviceID><SumNum>1</SumNum>"
        "<DeviceList Num=\"1\"><Item><DeviceID>34020000001320000055</DeviceID>"
        "<Event>ADD</Event><Name>New</Name><IPAddress>10.0.0.1</IPAddress>"
        "<Port>80</Port><Password>secret</Password><Status>ON</Status>"
        "<StreamNum>2</StreamNum><Info><PTZType>1</PTZType>"
        "<RoomType>2</RoomType><BusinessGroupID>34020000002150000001"
        "</BusinessGroupID><CameraType>3</CameraType></Info></Item>"
        "</DeviceList></Notify>";
    struct sim_device *d = recorder(1, NULL);
    struct platform_channel c;

    (void)state;
    sim_settle(&s);
    assert_int_equal(s.details, 0); /* these have nothing else to say */
    sim_message(d, add);
    sim_run(&s, 100);
    assert_string_equal(s.last_detail,
                        "IPAddress\t10.0.0.1\nPort\t80\nInfo/RoomType\t2\n"
                        "StreamNum\t2\nInfo/CameraType\t3\n");
    assert_int_equal(s.details, 1);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      SLICE("34020000001320000055"), &c));
    assert_true(slice_eq(c.business_group, SLICE("34020000002150000001")));
    assert_true(slice_eq(c.ptz_type, SLICE("1")));
    sim_message(d, add);
    sim_run(&s, 100);
    assert_int_equal(s.details, 1);
    sim_free(&s);
}

/* Some recorders put the URL of the camera behind them there. */
static void no_login_out_of_an_address(void **state)
{
    static const struct {
        const char *told, *kept;
    } cases[] = {
        { "rtsp://admin:se@cret@10.0.0.1:554/ch1?u=a@b",
          "rtsp://10.0.0.1:554/ch1?u=a@b" },
        { "rtsp://admin@", "rtsp://" },
        { "rtsp://10.0.0.1/a@b", "rtsp://10.0.0.1/a@b" },
        { "://", "://" },
        { "10.0.0.1", "10.0.0.1" },
    };
    struct sim_device *d = recorder(1, NULL);
    char body[600], want[80];

    (void)state;
    sim_settle(&s);
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(body, sizeof(body),
                 "<Notify><CmdType>Catalog</CmdType><SN>4</SN>"
                 "<DeviceID>34020000001180000001</DeviceID><SumNum>1</SumNum>"
                 "<DeviceList Num=\"1\"><Item><DeviceID>3402000000132000005%zu"
                 "</DeviceID><Event>ADD</Event><Name>New</Name><IPAddress>%s"
                 "</IPAddress></Item></DeviceList></Notify>", i,
                 cases[i].told);
        sim_message(d, body);
        sim_run(&s, 100);
        snprintf(want, sizeof(want), "IPAddress\t%s\n", cases[i].kept);
        assert_string_equal(s.last_detail, want);
    }
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_4_14_rest_of_an_item),
        cmocka_unit_test(no_login_out_of_an_address),
        cmocka_unit_test(device_says_off),
        cmocka_unit_test(says_off_while_it_answers),
        cmocka_unit_test(note_4_1_any_order),
        cmocka_unit_test(asked_after_a_pause),
        cmocka_unit_test(note_3_13_a_crowd_is_spread),
        cmocka_unit_test(note_3_13_a_crowd_is_let_in_first),
        cmocka_unit_test(note_3_13_flapping_asks_seldom),
        cmocka_unit_test(note_4_3_partial_deletes_nothing),
        cmocka_unit_test(note_4_3_complete_sweeps),
        cmocka_unit_test(unchanged_is_not_told),
        cmocka_unit_test(callers_share_one_query),
        cmocka_unit_test(silent_and_refusing),
        cmocka_unit_test(gone_in_the_middle),
        cmocka_unit_test(removed_in_the_middle),
        cmocka_unit_test(notifications),
        cmocka_unit_test(answered_with_a_notify),
        cmocka_unit_test(reports_are_no_answers),
        cmocka_unit_test(a_late_response_adds),
        cmocka_unit_test(the_device_in_its_own_list),
        cmocka_unit_test(equal_channel_ids),
        cmocka_unit_test(channel_limit),
        cmocka_unit_test(over_a_bad_line),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(asked_when_there_is_memory_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
