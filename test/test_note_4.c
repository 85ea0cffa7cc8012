/* Field-notes of group 4, catalogs, and 19.4: what one of another's tests does
 * not have already. */
#include "test/sim.h"

#include "manscdp/catalog.h"

#include <stdio.h>

static struct sim s;

static const char nvr[] = "34020000001180000001";

/* Registered, asked for its catalog, and silent: the test answers. */
static struct sim_device *asked(void)
{
    struct sim_device *d;

    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    d->catalog_mute = true;
    d->expires_s = 86400;
    sim_register(d);
    sim_run(&s, 8000);
    assert_int_equal(d->catalogs, 1);
    return d;
}

static uint32_t asked_sn(const struct sim_device *d)
{
    assert_true(text_has(d->last_body, "<CmdType>Catalog</CmdType>"));
    return sim_asked_sn(d);
}

static void answer(struct sim_device *d, uint32_t sn, unsigned sum,
                   const char *items)
{
    static char text[16384];

    snprintf(text, sizeof(text),
             "<Response><CmdType>Catalog</CmdType><SN>%u</SN><DeviceID>%s"
             "</DeviceID><SumNum>%u</SumNum><DeviceList>%s</DeviceList>"
             "</Response>",
             (unsigned)sn, nvr, sum, items);
    sim_message(d, text);
    sim_run(&s, 20);
}

static bool channel(unsigned i, struct platform_channel *c)
{
    char id[21];

    snprintf(id, sizeof(id), "340200000013100%05u", i);
    return platform_channel_view(s.p, slice_str(nvr), slice_str(id), c);
}

/* ---- 4.2 ---- */

/* Bytes of one message are lost or overwritten: everything but the item that
 * they hit is kept, and it is told how many could not be read. */
static void note_4_2_the_broken_item_alone_is_lost(void **state)
{
    static const struct {
        const char *name, *bad; /* behind <Item>, item 37 */
        bool lost;
    } cases[] = {
        { "bytes of no charset in the name",
          "<DeviceID>34020000001310000037</DeviceID><Name>\xff\xfe\x81</Name>"
          "</Item>", false },
        { "a tag that is cut",
          "<DeviceID>34020000001310000037</DeviceID><Na\x01\xffme>x</Item>",
          false },
        { "its end is missing", "<DeviceID>340200000013\xff\xfe", true },
    };

    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct sim_device *d = asked();
        uint32_t sn = asked_sn(d);
        struct platform_channel c;
        unsigned lost = 0;

        for (unsigned i = 1; i <= 140; i++) {
            char item[300];

            snprintf(item, sizeof(item),
                     "<Item><DeviceID>340200000013100%05u</DeviceID>"
                     "<Name>n</Name></Item>", i);
            if (i == 37)
                snprintf(item, sizeof(item), "<Item>%s", cases[k].bad);
            answer(d, sn, 140, item);
        }
        sim_run(&s, 15000);
        for (unsigned i = 1; i <= 140; i++)
            lost += !channel(i, &c);
        if (lost != cases[k].lost)
            fail_msg("%s: %u of 140 are lost", cases[k].name, lost);
        assert_int_equal(sim_view(&s, d).catalog,
                         lost ? PLATFORM_CATALOG_IS_PARTIAL
                              : PLATFORM_CATALOG_COMPLETE);
        if (lost) /* nothing stopped in the middle, and it says so */
            assert_true(text_has(s.log, "there were items that cannot be read"));
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
}

/* ---- 4.4 ---- */

/* A recorder without cameras lists one all the same: it is shown, and so is
 * that it never gave a picture. */
static void note_4_4_never_delivered_is_shown(void **state)
{
    struct sim_device *d;
    struct platform_channel c;
    struct platform_session v;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 1);
    d->invite = SIM_REFUSE;
    d->refuse_status = 404;
    d->refuse_times = 100;
    sim_settle(&s);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[0]), &c));
    assert_int_equal(c.observed, PLATFORM_OBSERVED_UNSEEN);
    assert_int_equal(c.delivered_utc_ms, 0);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_AUTO, &v), 0);
    sim_run(&s, 60000);
    assert_true(platform_channel_view(s.p, slice_str(nvr),
                                      slice_str(d->channel[0]), &c));
    assert_int_equal(c.observed, PLATFORM_OBSERVED_FAILED);
    assert_string_equal(c.failed_step, "answer");
    assert_int_equal(c.delivered_utc_ms, 0);
    sim_free(&s);
}

/* ---- 4.5 ---- */

/* What a message says of its charset is not believed, nor what the one before
 * was in; what has been stored is not read anew. */
static void note_4_5_each_message_has_its_charset(void **state)
{
    static const struct {
        const char *label, *name, *want;
    } cases[] = {
        { "GB2312", "\xe5\xa4\xa7\xe9\x97\xa8", "\xe5\xa4\xa7\xe9\x97\xa8" },
        { "GB2312", "\xb4\xf3\xc3\xc5", "\xe5\xa4\xa7\xe9\x97\xa8" },
        { "UTF-8", "\xb4\xf3\xc3\xc5", "\xe5\xa4\xa7\xe9\x97\xa8" },
        { "UTF-8", "\xe5\xa4\xa7\xe9\x97\xa8", "\xe5\xa4\xa7\xe9\x97\xa8" },
        { "GB2312", "\x97\x80", "\xe6\xa2\xb9" }, /* GBK only */
        { "ISO-8859-1", "gate", "gate" },
    };
    struct sim_device *d = asked();
    uint32_t sn = asked_sn(d);
    struct platform_channel c;
    char text[600];

    (void)state;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text),
                 "<?xml version=\"1.0\" encoding=\"%s\"?>\r\n"
                 "<Response><CmdType>Catalog</CmdType><SN>%u</SN><DeviceID>%s"
                 "</DeviceID><SumNum>6</SumNum><DeviceList Num=\"1\"><Item>"
                 "<DeviceID>340200000013100%05u</DeviceID><Name>%s</Name>"
                 "</Item></DeviceList></Response>",
                 cases[i].label, (unsigned)sn, nvr, i, cases[i].name);
        sim_message(d, text);
        sim_run(&s, 20);
        for (unsigned k = 0; k <= i; k++) {
            assert_true(channel(k, &c));
            if (!slice_eq(c.name, slice_str(cases[k].want)))
                fail_msg("name %u behind message %u: %.*s", k, i,
                         SLICE_ARG(c.name));
        }
    }
    sim_free(&s);
}

/* ---- 4.7 ---- */

static bool has_empty_element(const char *text)
{
    const char *open = "";

    for (; *text; text++) {
        if (*text == '<')
            open = text;
        if (*text == '>' && open[1] != '/' && open[1] != '?' &&
            (text[-1] == '/' || (text[1] == '<' && text[2] == '/')))
            return true;
    }
    return false;
}

/* What is not known is not written: neither "null" nor an empty element. */
static void note_4_7_nothing_is_not_written(void **state)
{
    static const struct manscdp_item items[] = {
        { .id = SLICE_INIT("34020000001310000001"),
          .name = SLICE_INIT("Gate") },
        { .id = SLICE_INIT("3402") },
        { .id = SLICE_INIT("34020000002150000001"),
          .name = SLICE_INIT("Group") },
    };
    static char text[4096];

    (void)state;
    for (unsigned e = 0; e <= MANSCDP_2022; e++) {
        const struct manscdp_dialect d = { (enum manscdp_edition)e,
                                           MANSCDP_GB2312 };
        const struct manscdp_catalog c = { .sn = 1, .has_sum_num = true,
                                           .device_id = slice_str(nvr),
                                           .sum_num = COUNT(items) };
        struct writer w = writer_of(text, sizeof(text) - 1);

        assert_int_equal(manscdp_catalog_encode(&w, &d, &c, items,
                                                COUNT(items)), 0);
        text[w.len] = '\0';
        if (text_has(text, "null") || has_empty_element(text) ||
            text_has(text, "CivilCode") || text_has(text, "ParentID"))
            fail_msg("edition %u: %s", e, text);
    }
}

/* ---- 4.8 ---- */

static void note_4_8_names_in_any_case(void **state)
{
    struct sim_device *d = asked();
    struct platform_channel c;

    (void)state;
    answer(d, asked_sn(d), 1,
           "<item><deviceId>34020000001310000001</deviceId><NAME>Gate</NAME>"
           "<parentId>34020000001180000001</parentId><civilcode>3402"
           "</civilcode><status>on</status></item>");
    assert_true(channel(1, &c));
    expect_slice(c.name, "Gate");
    expect_slice(c.parent, nvr);
    expect_slice(c.civil_code, "3402");
    assert_true(c.on);
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_COMPLETE);
    sim_free(&s);
}

/* ---- 4.12 ---- */

static void note_4_12_heads_as_attributes(void **state)
{
    struct sim_device *d = asked();
    struct platform_channel c;
    char text[500];

    (void)state;
    snprintf(text, sizeof(text),
             "<Response CmdType=\"Catalog\" SN='%u' DeviceID=\"%s\">"
             "<SumNum>1</SumNum><DeviceList><Item><DeviceID>"
             "34020000001310000001</DeviceID></Item></DeviceList></Response>",
             (unsigned)asked_sn(d), nvr);
    sim_message(d, text);
    sim_run(&s, 100);
    assert_true(channel(1, &c));
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_COMPLETE);
    d->last_status = 0;
    sim_message(d, "<Notify CmdType='Keepalive' SN='9' "
                   "DeviceID='34020000001180000001' Status='OK'/>");
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    assert_true(sim_view(&s, d).keepalive_utc_ms != 0);
    sim_free(&s);
}

/* ---- 4.13 ---- */

/* Hundreds of refreshes that nobody answers leave nothing behind: no SN comes
 * twice, and the next one that is answered works. */
static void note_4_13_what_waits_has_an_end(void **state)
{
    struct sim_device *d = asked();
    struct platform_counters k;
    uint32_t sn = asked_sn(d), next;
    struct platform_channel c;
    uint64_t id;

    (void)state;
    d->info_mute = true;
    for (unsigned i = 0; i < 300; i++) {
        sim_keepalive(d, NULL);
        sim_run(&s, 60000);
        sim_keepalive(d, NULL);
        if (platform_command_refresh(s.p, slice_str(nvr), s.now, &id))
            fail_msg("refresh %u", i);
        sim_run(&s, 60);
        next = asked_sn(d);
        assert_true(next > sn);
        sn = next;
        sim_run(&s, 60000);
        k = sim_counters(&s);
        assert_int_equal(k.commands, 0);
        assert_true(k.queries <= 1);
    }
    assert_int_equal(platform_command_refresh(s.p, slice_str(nvr), s.now, &id),
                     0);
    sim_run(&s, 60);
    answer(d, asked_sn(d), 1,
           "<Item><DeviceID>34020000001310000001</DeviceID></Item>");
    assert_true(channel(1, &c));
    assert_int_equal(sim_view(&s, d).catalog, PLATFORM_CATALOG_COMPLETE);
    sim_free(&s);
}

/* ---- 19.4 ---- */

/* A catalog of 10,000 from a platform: each message is dealt with at once, how
 * far it is can be seen, and hearts are answered in between. */
static void note_19_4_a_large_catalog_blocks_nothing(void **state)
{
    enum { ALL = 10000, EACH = 50 };
    static char items[EACH * 120];
    struct sim_device *d = asked();
    struct platform_command c;
    uint32_t sn = asked_sn(d);
    uint64_t id = 0;

    (void)state;
    assert_int_equal(platform_command_refresh(s.p, slice_str(nvr), s.now, &id),
                     0);
    for (unsigned i = 0; i < ALL; i += EACH) {
        unsigned told = s.actions[PLATFORM_CHANNEL_CHANGED];
        size_t n = 0;

        for (unsigned k = 0; k < EACH; k++)
            n += (size_t)snprintf(items + n, sizeof(items) - n,
                                  "<Item><DeviceID>340200000013100%05u"
                                  "</DeviceID><Name>c</Name></Item>", i + k);
        answer(d, sn, ALL, items);
        assert_int_equal(s.actions[PLATFORM_CHANNEL_CHANGED], told + EACH);
        assert_true(platform_command_view(s.p, id, &c));
        assert_int_equal(c.have, i + EACH);
        assert_int_equal(c.sum, ALL);
        if (i % 1000 == 0) {
            unsigned had = d->keepalive_ok;

            sim_keepalive(d, NULL);
            sim_run(&s, 20);
            assert_int_equal(d->keepalive_ok, had + 1);
        }
    }
    assert_int_equal(platform_channel_count(s.p), ALL);
    assert_true(platform_command_view(s.p, id, &c));
    assert_int_equal(c.state, PLATFORM_COMMAND_ANSWERED);
    assert_false(c.partial);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_4_2_the_broken_item_alone_is_lost),
        cmocka_unit_test(note_4_4_never_delivered_is_shown),
        cmocka_unit_test(note_4_5_each_message_has_its_charset),
        cmocka_unit_test(note_4_7_nothing_is_not_written),
        cmocka_unit_test(note_4_8_names_in_any_case),
        cmocka_unit_test(note_4_12_heads_as_attributes),
        cmocka_unit_test(note_4_13_what_waits_has_an_end),
        cmocka_unit_test(note_19_4_a_large_catalog_blocks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
