/* The vocabulary: names, aliases, editions, and the index of commands. */
#include "test/support.h"

#include "manscdp/vocab.h"

static void names_are_found(void **state)
{
    static const struct {
        struct slice name;
        enum manscdp_cmd cmd;
    } cases[] = {
        { S("Keepalive"), MANSCDP_CMD_KEEPALIVE },
        { S(" catalog\r\n"), MANSCDP_CMD_CATALOG },
        { S("PersetQuery"), MANSCDP_CMD_PRESET_QUERY },
        { S("PresetQuery"), MANSCDP_CMD_PRESET_QUERY },
        { S("HomePosition"), MANSCDP_CMD_HOME_POSITION_QUERY },
        { S("DeviceUpgradeResult"), MANSCDP_CMD_UPGRADE_RESULT },
        { S("Catalogs"), MANSCDP_CMD_OTHER },
        { S(""), MANSCDP_CMD_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(manscdp_cmd_by_name(guarded(cases[i].name)),
                         cases[i].cmd);
    for (unsigned c = 1; c < MANSCDP_CMD_COUNT; c++)
        assert_int_equal(
            manscdp_cmd_by_name(slice_str(manscdp_cmd_name(c))), c);
    for (unsigned r = 1; r < MANSCDP_ROOT_COUNT; r++)
        assert_int_equal(
            manscdp_root_by_name(slice_str(manscdp_root_name(r))), r);
    assert_int_equal(manscdp_root_by_name(SLICE("Queries")),
                     MANSCDP_ROOT_OTHER);
    assert_null(manscdp_cmd_name(MANSCDP_CMD_OTHER));
    assert_null(manscdp_root_name(MANSCDP_ROOT_COUNT));
    assert_string_equal(
        manscdp_cmd_name_in(MANSCDP_CMD_PRESET_QUERY, MANSCDP_2014),
        "PersetQuery");
    assert_string_equal(
        manscdp_cmd_name_in(MANSCDP_CMD_PRESET_QUERY, MANSCDP_2016),
        "PresetQuery");
}

static void rows_are_consistent(void **state)
{
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    (void)state;
    assert_int_equal(n, 38);
    for (size_t i = 0; i < n; i++, r++) {
        bool many = r->due == MANSCDP_MANY_RESPONSES;

        /* found again by what names it, and only once */
        if (manscdp_row_find(r->root, r->cmd, r->sub) != r)
            fail_msg("row %zu is hidden", i);
        assert_int_equal(many, r->gap_ms > 0);
        assert_int_equal(r->due == MANSCDP_NO_ANSWER, r->first_ms == 0);
        assert_true(!many || r->merge != MANSCDP_MERGE_NONE);
        assert_int_equal(r->sub.n > 0, r->cmd == MANSCDP_CMD_DEVICE_CONTROL);
        assert_true(r->editions && r->carriers && r->dir);
        assert_true(r->clause[0] >= '4' && r->clause[0] <= '8');
        /* what an edition had, later ones keep; but for the I-frame */
        if (!slice_eq(r->sub, SLICE("IFameCmd")))
            assert_true(r->editions & MANSCDP_E22);
    }
}

static void some_rows(void **state)
{
    const struct manscdp_row *r;

    (void)state;
    r = manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG, SLICE(""));
    assert_int_equal(r->due, MANSCDP_MANY_RESPONSES);
    assert_int_equal(r->merge, MANSCDP_MERGE_ITEM_ID);
    assert_int_equal(r->first_ms, 30000);
    assert_int_equal(r->gap_ms, 10000);
    assert_int_equal(r->carriers,
                     MANSCDP_BY_MESSAGE | MANSCDP_BY_SUBSCRIBE);
    r = manscdp_row_find(MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL,
                         SLICE("ptzcmd"));
    assert_int_equal(r->due, MANSCDP_NO_ANSWER);
    r = manscdp_row_find(MANSCDP_NOTIFY, MANSCDP_CMD_ALARM, SLICE(""));
    assert_int_equal(r->due, MANSCDP_RESPONSE_IF_MESSAGE);
    assert_null(manscdp_row_find(MANSCDP_RESPONSE, MANSCDP_CMD_CATALOG,
                                 SLICE("")));
    assert_null(manscdp_row_find(MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL,
                                 SLICE("Dance")));
}

static void versions(void **state)
{
    static const struct {
        struct slice ver;
        bool good;
        enum manscdp_edition edition;
    } cases[] = {
        { S("1.0"), true, MANSCDP_2011 },  { S("1.1"), true, MANSCDP_2014 },
        { S("2.0"), true, MANSCDP_2016 },  { S(" 3.0 "), true, MANSCDP_2022 },
        { S("2.5"), true, MANSCDP_2016 },  { S("4.0"), true, MANSCDP_2022 },
        { S("0.9"), true, MANSCDP_2011 },  { S("3"), false, 0 },
        { S("a.b"), false, 0 },            { S(""), false, 0 },
        { S("3.4294967296"), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum manscdp_edition e = MANSCDP_EDITION_COUNT;
        bool good = manscdp_edition_by_ver(guarded(cases[i].ver), &e);

        assert_int_equal(good, cases[i].good);
        assert_int_equal(e, good ? cases[i].edition : MANSCDP_EDITION_COUNT);
    }
    for (unsigned i = 0; i < MANSCDP_EDITION_COUNT; i++) {
        enum manscdp_edition e = MANSCDP_EDITION_COUNT;

        assert_true(
            manscdp_edition_by_ver(slice_str(manscdp_edition_ver(i)), &e));
        assert_int_equal(e, i);
    }
}

static void odd_versions(void **state)
{
    static const struct {
        struct slice ver;
        bool good;
        enum manscdp_edition edition;
    } cases[] = {
        { S("3"), true, MANSCDP_2022 },        { S("V3.0"), true, MANSCDP_2022 },
        { S("v3"), true, MANSCDP_2022 },       { S("3.0;x"), true, MANSCDP_2022 },
        { S("3.0 ; x"), true, MANSCDP_2022 },  { S("2022"), true, MANSCDP_2022 },
        { S("2"), true, MANSCDP_2016 },        { S("V2.0"), true, MANSCDP_2016 },
        { S("2016"), true, MANSCDP_2016 },     { S("V1.1"), true, MANSCDP_2014 },
        { S("1"), true, MANSCDP_2011 },        { S("2011"), true, MANSCDP_2011 },
        { S("4"), false, 0 },                  { S("2015"), false, 0 },
        { S("0"), false, 0 },                  { S("V"), false, 0 },
        { S("VV3.0"), false, 0 },              { S(";3.0"), false, 0 },
        { S(""), false, 0 },                   { S("x"), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum manscdp_edition e = MANSCDP_EDITION_COUNT;
        bool good = manscdp_edition_by_odd_ver(guarded(cases[i].ver), &e);

        assert_int_equal(good, cases[i].good);
        assert_int_equal(e, good ? cases[i].edition : MANSCDP_EDITION_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(rows_are_consistent),
        cmocka_unit_test(some_rows),
        cmocka_unit_test(versions),
        cmocka_unit_test(odd_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
