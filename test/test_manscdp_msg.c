/* The envelope, the dispatcher, generic answers and queries. */
#include "test/support.h"

#include "manscdp/msg.h"

#include <stdlib.h>

static char memory[1 << 20];

static int parse(struct manscdp_msg *m, struct arena *a, struct slice in)
{
    *a = arena_of(memory, sizeof(memory));
    return manscdp_msg_parse(m, a, in, NULL, NULL);
}

static void envelopes(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        enum manscdp_root root;
        enum manscdp_cmd cmd;
        bool has_sn;
        uint32_t sn;
        const char *id;
    } cases[] = {
        { "plain",
          S("<Query><CmdType>Catalog</CmdType><SN>17</SN>"
            "<DeviceID>34020000001180000001</DeviceID></Query>"),
          0, MANSCDP_QUERY, MANSCDP_CMD_CATALOG, true, 17,
          "34020000001180000001" },
        { "attributes",
          S("<Query CmdType=\"Catalog\" SN=\"17\" DeviceID='3402'/>"), 0,
          MANSCDP_QUERY, MANSCDP_CMD_CATALOG, true, 17, "3402" },
        { "blanks and case",
          S("<notify><cmdtype> keepalive </cmdtype><sn>\n 5\t</sn>"
            "<deviceid> 1 </deviceid></notify>"),
          0, MANSCDP_NOTIFY, MANSCDP_CMD_KEEPALIVE, true, 5, "1" },
        { "any order",
          S("<Response><DeviceID>1</DeviceID><SN>1.0</SN>"
            "<CmdType>DeviceInfo</CmdType></Response>"),
          0, MANSCDP_RESPONSE, MANSCDP_CMD_DEVICE_INFO, true, 1, "1" },
        { "largest SN", S("<Query><SN>2147483647</SN></Query>"), 0,
          MANSCDP_QUERY, MANSCDP_CMD_OTHER, true, 2147483647u, "" },
        { "SN wraps 32 bits", S("<Query><SN>4294967297</SN></Query>"), 0,
          MANSCDP_QUERY, MANSCDP_CMD_OTHER, false, 0, "" },
        { "SN is negative", S("<Query><SN>-1</SN></Query>"), 0, MANSCDP_QUERY,
          MANSCDP_CMD_OTHER, false, 0, "" },
        { "no SN", S("<Control><CmdType>New</CmdType></Control>"), 0,
          MANSCDP_CONTROL, MANSCDP_CMD_OTHER, false, 0, "" },
        { "another root", S("<html><CmdType>Catalog</CmdType></html>"),
          GB_EUNSUPPORTED, 0, 0, false, 0, "" },
        { "no XML", S("hello"), GB_ESYNTAX, 0, 0, false, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct manscdp_msg m = { 0 };
        struct arena a;
        int err = parse(&m, &a, guarded(cases[i].in));

        if (err != cases[i].err || m.root != cases[i].root ||
            m.cmd != cases[i].cmd || m.sn != cases[i].sn ||
            m.has_sn != cases[i].has_sn ||
            !slice_eq(m.device_id, slice_str(cases[i].id)))
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        assert_true(err == 0 || a.used == 0);
    }
}

static int on_one(void *ctx, const struct manscdp_msg *msg)
{
    *(uint32_t *)ctx = msg->sn;
    return 1;
}

static int on_two(void *ctx, const struct manscdp_msg *msg)
{
    *(uint32_t *)ctx = msg->sn;
    return 2;
}

static void dispatching(void **state)
{
    static const struct manscdp_handler table[] = {
        { MANSCDP_NOTIFY, MANSCDP_CMD_KEEPALIVE, on_one },
        { MANSCDP_RESPONSE, MANSCDP_CMD_CATALOG, on_two },
    };
    struct manscdp_msg m;
    struct arena a;
    uint32_t sn = 0;

    (void)state;
    assert_int_equal(parse(&m, &a, SLICE("<Notify CmdType='Keepalive' "
                                         "SN='8'/>")), 0);
    assert_int_equal(manscdp_dispatch(table, COUNT(table), &sn, &m), 1);
    assert_int_equal(sn, 8);
    assert_int_equal(parse(&m, &a, SLICE("<Response CmdType='Catalog' "
                                         "SN='9'/>")), 0);
    assert_int_equal(manscdp_dispatch(table, COUNT(table), &sn, &m), 2);
    assert_int_equal(sn, 9);
    assert_int_equal(parse(&m, &a, SLICE("<Notify CmdType='Catalog'/>")), 0);
    assert_int_equal(manscdp_dispatch(table, COUNT(table), &sn, &m),
                     GB_EUNSUPPORTED);
    assert_int_equal(manscdp_dispatch(NULL, 0, &sn, &m), GB_EUNSUPPORTED);
}

static void results(void **state)
{
    static const struct {
        struct slice text;
        enum manscdp_result want;
    } cases[] = {
        { S("OK"), MANSCDP_OK },       { S("ok"), MANSCDP_OK },
        { S("Ok"), MANSCDP_OK },       { S("ERROR"), MANSCDP_ERROR },
        { S("Error"), MANSCDP_ERROR }, { S("FAIL"), MANSCDP_ERROR },
        { S("OKAY"), MANSCDP_ERROR },  { S(""), MANSCDP_ABSENT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(manscdp_result_parse(guarded(cases[i].text)),
                         cases[i].want);
}

static void numbers(void **state)
{
    static const struct {
        struct slice text;
        bool good;
        uint32_t want;
    } cases[] = {
        { S("5"), true, 5 },      { S(" 5 "), true, 5 },
        { S("1.0"), true, 1 },    { S("30 fps"), true, 30 },
        { S("+7"), true, 7 },     { S("007"), true, 7 },
        { S("1000"), true, 1000 }, { S("1001"), false, 99 },
        { S("-1"), false, 99 },   { S(""), false, 99 },
        { S("x"), false, 99 },    { S("4294967301"), false, 99 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t v = 99;

        assert_int_equal(manscdp_number(guarded(cases[i].text), 1000, &v),
                         cases[i].good);
        assert_int_equal(v, cases[i].want);
    }
}

static void positions(void **state)
{
    static const struct {
        struct slice lon, lat;
        bool good;
    } cases[] = {
        { S("121.5"), S("31.25"), true }, { S(" -121.5 "), S("0"), true },
        { S("180"), S("-90"), true },     { S("0"), S("0.0"), false },
        { S(""), S("31"), false },        { S("181"), S("31"), false },
        { S("121"), S("91"), false },     { S("121E"), S("31"), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double lon = 1, lat = 2;
        bool good = manscdp_position(guarded(cases[i].lon),
                                     guarded(cases[i].lat), &lon, &lat);

        if (good != cases[i].good || (!good && (lon < 1 || lat < 2)))
            fail_msg("case %zu", i);
    }
}

static void example_query_to_the_byte(void **state)
{
    static const struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };
    struct slice want = read_file("test/data/manscdp/"
                                  "example-catalog-query.xml");
    char text[512];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    assert_int_equal(manscdp_query_encode(&w, &d, MANSCDP_CMD_CATALOG, 31,
                                          SLICE("34020000001180000001")), 0);
    assert_true(slice_eq(writer_slice(&w), want));
    free((void *)(uintptr_t)want.p);
}

static void responses_there_and_back(void **state)
{
    static const struct manscdp_response cases[] = {
        { MANSCDP_CMD_DEVICE_CONTROL, 1, S("34020000001320000001"),
          MANSCDP_OK, S("") },
        { MANSCDP_CMD_BROADCAST, MANSCDP_SN_MAX, S("1"), MANSCDP_ERROR,
          S("busy & <\xe5\xbf\x99>") },
    };

    (void)state;
    for (unsigned c = 0; c <= MANSCDP_UTF8; c++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct manscdp_dialect d = { MANSCDP_2022, c };
            struct manscdp_response got;
            struct manscdp_msg m;
            struct arena a;
            char text[512];
            struct writer w = writer_of(text, sizeof(text));

            assert_int_equal(manscdp_response_encode(&w, &d, &cases[i]), 0);
            assert_int_equal(parse(&m, &a, guarded(writer_slice(&w))), 0);
            assert_int_equal(manscdp_response_decode(&got, &m), 0);
            assert_int_equal(got.cmd, cases[i].cmd);
            assert_int_equal(got.sn, cases[i].sn);
            assert_int_equal(got.result, cases[i].result);
            assert_true(slice_eq(got.device_id, cases[i].device_id));
            assert_true(slice_eq(got.reason, cases[i].reason));
            m.root = MANSCDP_NOTIFY;
            assert_int_equal(manscdp_response_decode(&got, &m), GB_ESYNTAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes),
        cmocka_unit_test(dispatching),
        cmocka_unit_test(results),
        cmocka_unit_test(numbers),
        cmocka_unit_test(positions),
        cmocka_unit_test(example_query_to_the_byte),
        cmocka_unit_test(responses_there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
