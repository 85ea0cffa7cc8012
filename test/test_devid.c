/* Ids and civil codes, and the times beside them. */
#include "test/support.h"

#include "manscdp/devid.h"
#include "manscdp/time.h"

static void parts(void **state)
{
    struct manscdp_devid d;
    struct slice id = guarded(SLICE("34020000001320123456"));

    (void)state;
    assert_int_equal(manscdp_devid_parse(&d, id), 0);
    assert_true(slice_eq(d.text, id));
    assert_true(slice_eq(d.centre, SLICE("34020000")));
    assert_true(slice_eq(d.domain, SLICE("3402000000")));
    assert_int_equal(d.industry, 0);
    assert_int_equal(d.type, 132);
    assert_int_equal(d.network, 0);
    assert_int_equal(d.serial, 123456);
    assert_int_equal(manscdp_devid_parse(&d, SLICE("99999999999999999999")),
                     0);
    assert_int_equal(d.industry, 99);
    assert_int_equal(d.type, 999);
    assert_int_equal(d.network, 9);
    assert_int_equal(d.serial, 999999);
}

static void refused(void **state)
{
    static const struct slice bad[] = {
        S(""), S("3402000000132000001"), S("340200000013200000012"),
        S("3402000000132000000a"), S(" 4020000001320000001"),
        S("34020000001320000001 "),
    };
    struct manscdp_devid d = { .serial = 77 };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(manscdp_devid_parse(&d, guarded(bad[i])),
                         GB_ESYNTAX);
    assert_int_equal(d.serial, 77);
}

static void kinds(void **state)
{
    static const struct {
        struct slice id;
        enum manscdp_kind kind;
        const char *name;
    } cases[] = {
        { S("34"), MANSCDP_KIND_REGION, "region" },
        { S("3402"), MANSCDP_KIND_REGION, "region" },
        { S("34020001"), MANSCDP_KIND_REGION, "region" },
        { S("340"), MANSCDP_KIND_UNKNOWN, "unknown" },
        { S("3a"), MANSCDP_KIND_UNKNOWN, "unknown" },
        { S("3402000000"), MANSCDP_KIND_UNKNOWN, "unknown" },
        { S(""), MANSCDP_KIND_UNKNOWN, "unknown" },
        { S("34020000002000000001"), MANSCDP_KIND_SYSTEM, "system" },
        { S("34020000002150000001"), MANSCDP_KIND_GROUP, "group" },
        { S("34020000002160000001"), MANSCDP_KIND_ORG, "organisation" },
        { S("34020000001110000001"), MANSCDP_KIND_DEVICE, "device" },
        { S("34020000001300000001"), MANSCDP_KIND_DEVICE, "device" },
        { S("34020000001310000001"), MANSCDP_KIND_CHANNEL, "channel" },
        { S("34020000001320000001"), MANSCDP_KIND_CHANNEL, "channel" },
        { S("34020000001330000001"), MANSCDP_KIND_UNKNOWN, "unknown" },
        { S("34020000001350000001"), MANSCDP_KIND_ALARM, "alarm" },
        { S("34020000001360000001"), MANSCDP_KIND_AUDIO, "audio" },
        { S("34020000001370000001"), MANSCDP_KIND_AUDIO, "audio" },
        { S("34020000000000000001"), MANSCDP_KIND_UNKNOWN, "unknown" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum manscdp_kind kind = manscdp_devid_kind(guarded(cases[i].id));

        if (kind != cases[i].kind)
            fail_msg("%.*s", SLICE_ARG(cases[i].id));
        assert_string_equal(manscdp_kind_name(kind), cases[i].name);
    }
}

static void type_names(void **state)
{
    (void)state;
    assert_string_equal(manscdp_type_name(118), "NVR");
    assert_string_equal(manscdp_type_name(128), "front-end device");
    assert_string_equal(manscdp_type_name(132), "IP camera");
    assert_string_equal(manscdp_type_name(199), "peripheral");
    assert_string_equal(manscdp_type_name(216), "virtual organisation");
    assert_string_equal(manscdp_type_name(299), "platform equipment");
    assert_string_equal(manscdp_type_name(999), "extension");
    assert_string_equal(manscdp_type_name(0), "unknown");
    assert_string_equal(manscdp_type_name(1000), "unknown");
}

static void usable(void **state)
{
    (void)state;
    assert_true(manscdp_devid_is_usable(SLICE("34020000001320000001")));
    assert_true(manscdp_devid_is_usable(SLICE("cam-1")));
    assert_true(manscdp_devid_is_usable(
        SLICE("12345678901234567890123456789012")));
    assert_false(manscdp_devid_is_usable(
        SLICE("123456789012345678901234567890123")));
    assert_false(manscdp_devid_is_usable(SLICE("")));
    assert_false(manscdp_devid_is_usable(SLICE("a b")));
    assert_false(manscdp_devid_is_usable(SLICE("a\x7f")));
    assert_false(manscdp_devid_is_usable(SLICE("a\xe5")));
    assert_false(manscdp_devid_is_usable(SLICE("a\n")));
}

static void civil_codes(void **state)
{
    static const struct {
        struct slice in, want;
    } cases[] = {
        { S("340200"), S("3402") },
        { S("34020001"), S("34020001") },
        { S("3402000000"), S("3402") },
        { S("34020000001320000001"), S("3402") },
        { S("34020000"), S("3402") },
        { S("6532"), S("6532") },
        { S(" 65 "), S("65") },
        { S("653"), S("65") },
        { S("3402x1"), S("3402") },
        { S("10"), S("10") },
        { S("3400"), S("34") },
        { S("0000"), S("") },
        { S("6"), S("") },
        { S("CivilCode"), S("") },
        { S(""), S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice got = manscdp_civil_code(guarded(cases[i].in));

        if (!slice_eq(got, cases[i].want))
            fail_msg("%.*s: %.*s", SLICE_ARG(cases[i].in), SLICE_ARG(got));
    }
    assert_true(slice_eq(manscdp_civil_parent(SLICE("340201")),
                         SLICE("3402")));
    assert_int_equal(manscdp_civil_parent(SLICE("34")).n, 0);
    assert_int_equal(manscdp_civil_parent(SLICE("")).n, 0);
}

/* 2023-08-09T07:38:35+08:00 */
#define T0 INT64_C(1691537915000)

static void times(void **state)
{
    static const struct {
        struct slice in;
        bool good;
        int64_t want;
    } cases[] = {
        { S("2023-08-09T07:38:35"), true, T0 },
        { S(" 2023-08-09 07:38:35 "), true, T0 },
        { S("2023-8-9T7:38:35"), true, T0 },
        { S("20230809T073835"), true, T0 },
        { S("2023-08-09T07:38:35.125"), true, T0 + 125 },
        { S("2023-08-09T07:38:35.1234567"), true, T0 + 123 },
        { S("2023-08-08T23:38:35Z"), true, T0 },
        { S("2023-08-09T01:38:35+02:00"), true, T0 },
        { S("2023-08-08T19:08:35-0430"), true, T0 },
        { S("2023-08-09T01:38:35+2"), true, T0 },
        { S("2023-08-09T07:38"), true, T0 - 35000 },
        { S("2023-08-09"), true, T0 - (7 * 3600 + 38 * 60 + 35) * 1000 },
        { S("1970-01-01T08:00:00"), true, 0 },
        { S("2024-02-29T00:00:00"), true, INT64_C(1709136000000) },
        { S("2023-02-29T00:00:00"), false, 0 },
        { S("2100-02-29T00:00:00"), false, 0 },
        { S("1969-12-31T00:00:00"), false, 0 },
        { S("2023-13-01T00:00:00"), false, 0 },
        { S("2023-00-01T00:00:00"), false, 0 },
        { S("2023-01-00T00:00:00"), false, 0 },
        { S("2023-01-01T25:00:00"), false, 0 },
        { S("2023-01-01T00:60:00"), false, 0 },
        { S("2023-01-01T"), false, 0 },
        { S("2023-01-01T00:00:00+15:00"), false, 0 },
        { S("2023-01-01T00:00:00x"), false, 0 },
        { S("now"), false, 0 },
        { S(""), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t t = -1;
        bool good = manscdp_time_parse(guarded(cases[i].in),
                                       MANSCDP_BEIJING_MIN, &t);

        if (good != cases[i].good || t != (good ? cases[i].want : -1))
            fail_msg("%.*s: %lld", SLICE_ARG(cases[i].in), (long long)t);
    }
}

static void times_there_and_back(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char text[64];
        struct writer w = writer_of(text, sizeof(text));
        int zone = (int)(test_random(&seed) % 1681) - 840;
        int64_t t = (int64_t)(test_random(&seed) % 253402128000u) * 1000 +
                    86400000, back;

        if (t > INT64_C(253402128000000))
            continue;
        manscdp_time_write(&w, t, zone);
        assert_int_equal(w.len, 19);
        assert_true(manscdp_time_parse(writer_slice(&w), zone, &back));
        assert_int_equal(back, t);
    }
}

static void times_out_of_range(void **state)
{
    char text[64];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    manscdp_time_write(&w, -1, 0);
    manscdp_time_write(&w, INT64_C(253402300800000), 0);
    assert_int_equal(w.len, 0);
    manscdp_time_write(&w, INT64_C(253402300799999), 0);
    assert_true(slice_eq(writer_slice(&w), SLICE("9999-12-31T23:59:59")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(refused),
        cmocka_unit_test(kinds),
        cmocka_unit_test(type_names),
        cmocka_unit_test(usable),
        cmocka_unit_test(civil_codes),
        cmocka_unit_test(times),
        cmocka_unit_test(times_there_and_back),
        cmocka_unit_test(times_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
