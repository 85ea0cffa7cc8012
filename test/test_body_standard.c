/* Every golden body against the tables of the standard (body_standard.h). The
 * bodies without a table in the codecs get their golden files here. */
#include "test/body_standard.h"

#include "manscdp/catalog.h"
#include "manscdp/device.h"
#include "manscdp/notify.h"

#include <stdio.h>
#include <stdlib.h>

#define ID "34020000001320000001"

/* Queries that consist of their head alone, by edition. */
static const struct {
    enum manscdp_cmd cmd;
    const char *name, *in;
} bare[] = {
    { MANSCDP_CMD_DEVICE_STATUS, "DeviceStatus", "1234" },
    { MANSCDP_CMD_DEVICE_INFO, "DeviceInfo", "1234" },
    { MANSCDP_CMD_PRESET_QUERY, "PresetQuery", "234" },
    { MANSCDP_CMD_HOME_POSITION_QUERY, "HomePositionQuery", "4" },
    { MANSCDP_CMD_CRUISE_TRACK_LIST, "CruiseTrackListQuery", "4" },
    { MANSCDP_CMD_PTZ_POSITION, "PTZPosition", "4" },
    { MANSCDP_CMD_SD_CARD_STATUS, "SDCardStatus", "4" },
};

/* "...-2.0.out" is of 2016. */
static void check_file(void *ctx, const char *path, struct slice bytes)
{
    static const char *const ends[] = { "1.0.out", "1.1.out", "2.0.out",
                                        "3.0.out" };
    struct slice name = slice_str(path);
    unsigned *n = ctx;

    for (unsigned e = 0; e < COUNT(ends); e++)
        if (slice_eq(slice_from(name, name.n - 7), slice_str(ends[e]))) {
            body_standard_check(path, bytes, (char)('1' + e));
            ++*n;
        }
}

static void every_golden_body(void **state)
{
    unsigned n = 0;

    (void)state;
    each_file("test/data/manscdp/body", ".out", check_file, &n);
    if (n < 86)
        fail_msg("%u files", n);
}

/* ---- none is forgotten ------------------------------------------------------ */

/* A body that is looked for among the golden ones. */
struct wanted {
    enum manscdp_root root;
    enum manscdp_cmd cmd;
    struct slice sub; /* an element of its root; empty: any */
    const char *version;
    bool found;
};

static void look_at(void *ctx, const char *path, struct slice bytes)
{
    static char memory[1 << 20];
    struct arena a = arena_of(memory, sizeof(memory));
    struct slice name = slice_str(path);
    struct wanted *w = ctx;
    struct manscdp_msg m;

    if (w->found ||
        !slice_eq(slice_head(slice_from(name, name.n - 7), 3),
                  slice_str(w->version)) ||
        manscdp_msg_parse(&m, &a, bytes, NULL, NULL))
        return;
    w->found = m.root == w->root && m.cmd == w->cmd &&
               (!w->sub.n || xml_child(m.doc.root, w->sub));
}

static void expect_golden_of(enum manscdp_root root,
                             const struct manscdp_row *r, unsigned edition)
{
    struct wanted w = { .root = root, .cmd = r->cmd,
                        .version = manscdp_edition_ver(
                            (enum manscdp_edition)edition) };

    if (root == r->root)
        w.sub = r->sub;
    each_file("test/data/manscdp/body", ".out", look_at, &w);
    if (!w.found)
        fail_msg("no golden body of %s %s %.*s, X-GB-Ver %s",
                 manscdp_root_name(root), manscdp_cmd_name(r->cmd),
                 SLICE_ARG(w.sub), w.version);
}

/* Each command, and the Response to it, in each edition that has it. */
static void every_row_has_its_golden_bodies(void **state)
{
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    (void)state;
    for (; n; n--, r++)
        for (unsigned e = 0; e <= MANSCDP_2022; e++) {
            /* 2011 has Response where the later ones have Notify */
            bool as_response = r->root == MANSCDP_NOTIFY && e == 0 &&
                               r->cmd == MANSCDP_CMD_CATALOG;

            if (!(r->editions >> e & 1))
                continue;
            expect_golden_of(as_response ? MANSCDP_RESPONSE : r->root, r, e);
            if (r->due == MANSCDP_ONE_RESPONSE ||
                r->due == MANSCDP_MANY_RESPONSES ||
                r->due == MANSCDP_RESPONSE_IF_MESSAGE)
                expect_golden_of(MANSCDP_RESPONSE, r, e);
        }
}

/* ---- the bodies that have no table -------------------------------------------- */

static void golden(const char *name, char edition, const struct writer *w)
{
    char path[128];

    assert_int_equal(w->err, 0);
    snprintf(path, sizeof(path), "test/data/manscdp/body/%s-%s.out", name,
             manscdp_edition_ver((enum manscdp_edition)(edition - '1')));
    expect_golden(path, writer_slice(w));
    body_standard_check(path, writer_slice(w), edition);
}

static struct manscdp_item whole_item(void)
{
    struct manscdp_item it = { 0 };
    size_t n;
    const struct manscdp_item_field *f = manscdp_item_fields(&n);
    static const struct slice values[] = { S("1"), S("340200"),
                                           S("2023-08-09T07:38:35"),
                                           S("ON"), S(ID), S("118.3") };

    for (size_t i = 0; i < n; i++) {
        struct slice e = f[i].element;
        size_t v = 0;

        if (slice_eq(e, SLICE("EndTime")) || slice_eq(e, SLICE("InstallTime")))
            v = 2;
        else if (slice_eq(e, SLICE("Status")))
            v = 3;
        else if (slice_eq(e, SLICE("DeviceID")) ||
                 slice_eq(e, SLICE("ParentID")) ||
                 slice_eq(e, SLICE("BusinessGroupID")))
            v = 4;
        else if (slice_eq(e, SLICE("CivilCode")))
            v = 1;
        else if (slice_eq(e, SLICE("Longitude")) ||
                 slice_eq(e, SLICE("Latitude")))
            v = 5;
        memcpy((char *)&it + f[i].off, &values[v], sizeof(values[v]));
    }
    return it;
}

static void catalogs(void **state)
{
    const struct manscdp_catalog_query q = {
        7, SLICE(ID), SLICE("2023-08-09T00:00:00"), SLICE("2023-08-09T23:59:59")
    };
    struct manscdp_item it = whole_item();
    char text[8192];

    (void)state;
    for (char e = '1'; e <= '4'; e++) {
        struct manscdp_dialect d = { (enum manscdp_edition)(e - '1'),
                                     MANSCDP_GB2312 };
        struct manscdp_catalog c = { .sn = 7, .device_id = SLICE(ID),
                                     .sum_num = 1 };
        struct writer w = writer_of(text, sizeof(text));

        manscdp_catalog_query_encode(&w, &d, &q);
        golden("catalog-query", e, &w);
        w = writer_of(text, sizeof(text));
        it.event = MANSCDP_EVENT_NONE;
        manscdp_catalog_encode(&w, &d, &c, &it, 1);
        golden("catalog-answer", e, &w);
        w = writer_of(text, sizeof(text));
        c.is_notify = true;
        it.event = MANSCDP_EVENT_ADD;
        manscdp_catalog_encode(&w, &d, &c, &it, 1);
        golden("catalog-notify", e, &w);
    }
}

static void the_device(void **state)
{
    static const struct manscdp_alarm_device alarm = { S(ID),
                                                       MANSCDP_ONDUTY };
    const struct manscdp_device_info info = {
        .sn = 7, .device_id = SLICE(ID), .result = MANSCDP_OK,
        .device_name = SLICE("n"), .device_type = SLICE("IPC"),
        .manufacturer = SLICE("m"), .model = SLICE("o"),
        .firmware = SLICE("f"), .max_camera = SLICE("1"),
        .max_alarm = SLICE("2"), .channel = SLICE("3"),
    };
    const struct manscdp_device_status status = {
        .sn = 7, .device_id = SLICE(ID), .result = MANSCDP_OK,
        .online = MANSCDP_ON, .status = MANSCDP_ERROR, .reason = SLICE("disk"),
        .encode = MANSCDP_ON, .record = MANSCDP_OFF,
        .device_time = SLICE("2023-08-09T07:38:35"), .alarm = &alarm,
        .n_alarms = 1,
    };
    char text[2048];

    (void)state;
    for (char e = '1'; e <= '4'; e++) {
        struct manscdp_dialect d = { (enum manscdp_edition)(e - '1'),
                                     MANSCDP_GB2312 };
        struct writer w = writer_of(text, sizeof(text));

        manscdp_device_info_encode(&w, &d, &info);
        golden("device-info", e, &w);
        w = writer_of(text, sizeof(text));
        manscdp_device_status_encode(&w, &d, &status);
        golden("device-status", e, &w);
    }
}

static void notices(void **state)
{
    static const struct slice faulty = S(ID);
    const struct manscdp_keepalive k = { 7, SLICE(ID), MANSCDP_LIFE_OK,
                                         &faulty, 1 };
    const struct manscdp_alarm alarm = {
        .sn = 7, .device_id = SLICE(ID), .priority = SLICE("1"),
        .method = SLICE("5"), .time = SLICE("2023-08-09T07:38:35"),
        .description = SLICE("motion"), .longitude = SLICE("118.3"),
        .latitude = SLICE("31.3"), .alarm_type = SLICE("6"),
        .event_type = SLICE("1"),
    };
    char text[2048];

    (void)state;
    for (char e = '1'; e <= '4'; e++) {
        struct manscdp_dialect d = { (enum manscdp_edition)(e - '1'),
                                     MANSCDP_GB2312 };
        struct writer w = writer_of(text, sizeof(text));

        manscdp_keepalive_encode(&w, &d, &k);
        golden("keepalive", e, &w);
        w = writer_of(text, sizeof(text));
        manscdp_alarm_encode(&w, &d, &alarm);
        golden("alarm", e, &w);
    }
}

static void heads_and_results_alone(void **state)
{
    static const struct {
        enum manscdp_cmd cmd;
        const char *name, *in;
    } results[] = {
        { MANSCDP_CMD_ALARM, "alarm-response", "1234" },
        { MANSCDP_CMD_DEVICE_CONTROL, "control-response", "1234" },
        { MANSCDP_CMD_DEVICE_CONFIG, "config-response", "234" },
        { MANSCDP_CMD_BROADCAST, "broadcast-response", "234" },
    };
    char text[1024], name[64];

    (void)state;
    for (char e = '1'; e <= '4'; e++) {
        struct manscdp_dialect d = { (enum manscdp_edition)(e - '1'),
                                     MANSCDP_GB2312 };

        for (size_t i = 0; i < COUNT(bare); i++) {
            struct writer w = writer_of(text, sizeof(text));

            if (!body_standard_among(bare[i].in, e))
                continue;
            manscdp_query_encode(&w, &d, bare[i].cmd, 7, SLICE(ID));
            snprintf(name, sizeof(name), "query-%s", bare[i].name);
            golden(name, e, &w);
        }
        for (size_t i = 0; i < COUNT(results); i++) {
            const struct manscdp_response r = { results[i].cmd, 7, SLICE(ID),
                                                MANSCDP_ERROR, { NULL, 0 } };
            struct writer w = writer_of(text, sizeof(text));

            if (!body_standard_among(results[i].in, e))
                continue;
            manscdp_response_encode(&w, &d, &r);
            golden(results[i].name, e, &w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalogs),
        cmocka_unit_test(the_device),
        cmocka_unit_test(notices),
        cmocka_unit_test(heads_and_results_alone),
        cmocka_unit_test(every_golden_body),
        cmocka_unit_test(every_row_has_its_golden_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
