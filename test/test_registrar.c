#include "test/knock.h"

#include "app/platform/doctor.h"

#include <stdio.h>

#include "base/writer.h"

static struct sim s;

static const char ipc[] = "34020000001320000001";

/* ---- the flows of the standard ---- */

static void registers(void **state)
{
    static const struct {
        const char *name, *version, *edition;
        bool qop;
        uint8_t transport;
        uint32_t asked_s, granted_s;
    } cases[] = {
        { "2022, udp", "3.0", "3.0", false, SIP_UDP, 86400, 86400 },
        { "2022, tcp, qop", "3.0", "3.0", true, SIP_TCP, 3600, 3600 },
        { "no version: 2016", NULL, "2.0", false, SIP_UDP, 3600, 3600 },
        { "2014", "1.1", "1.1", true, SIP_UDP, 3600, 3600 },
        { "short expiry", "2.0", "2.0", false, SIP_UDP, 10, 60 },
        { "endless expiry", "2.0", "2.0", false, SIP_UDP, 0x7fffffff, 604800 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_options o = { .config = { .auto_enrol = true,
                                             .offer_qop = cases[i].qop } };
        struct sim_device *d;
        struct platform_device v;
        char expires[40];

        assert_true(sim_init(&s, &o));
        d = sim_add(&s, ipc, "192.168.1.10:5060", cases[i].transport);
        d->version = cases[i].version;
        d->expires_s = cases[i].asked_s;
        sim_register(d);
        sim_run(&s, 100);
        v = sim_view(&s, d);
        snprintf(expires, sizeof(expires), "Expires: %u\r\n",
                 cases[i].granted_s);
        if (!v.online || d->registered != 1 || d->challenged != 1 ||
            !slice_eq(v.edition, slice_str(cases[i].edition)) ||
            !text_has(d->last_extra, expires) ||
            !text_has(d->last_extra, "X-GB-Ver: 3.0\r\n") ||
            !text_has(d->last_extra, "Date: 2023-11-15T06:13:2") ||
            !text_has(d->last_extra,
                      "Contact: <sip:34020000001320000001@192.168.1.10:5060>"))
            fail_msg("%s:\n%s", cases[i].name, d->last_extra);
        assert_int_equal(v.expires_utc_ms - v.registered_utc_ms,
                         cases[i].granted_s * 1000ll);
        assert_int_equal(v.peer.transport, cases[i].transport);
        assert_int_equal(sim_counters(&s).registers, 1);
        sim_free(&s);
    }
}

/* Where the meaning is plain it is taken, else 2016 is assumed; told either way. */
static void odd_versions(void **state)
{
    static const struct {
        const char *version, *edition;
        bool told;
    } cases[] = {
        { "3.0", "3.0", false },   { " 3.0 ", "3.0", false },
        { "3", "3.0", true },      { "V3.0", "3.0", true },
        { "3.0;x", "3.0", true },  { "2022", "3.0", true },
        { "2", "2.0", true },      { "v1.1", "1.1", true },
        { "GB28181", "2.0", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_options o = { .config = { .auto_enrol = true } };
        struct sim_device *d;

        assert_true(sim_init(&s, &o));
        d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
        d->version = cases[i].version;
        sim_register(d);
        sim_run(&s, 100);
        if (!slice_eq(sim_view(&s, d).edition, slice_str(cases[i].edition)) ||
            (strstr(s.log, "X-GB-Ver is not") != NULL) != cases[i].told)
            fail_msg("%s:\n%s", cases[i].version, s.log);
        sim_free(&s);
    }
}

static void note_15_1_date_as_configured(void **state)
{
    static const struct {
        enum platform_date date;
        int zone_min;
        const char *want;
    } cases[] = {
        { PLATFORM_DATE_LOCAL, 480, "Date: 2023-11-15T06:13:2" },
        { PLATFORM_DATE_LOCAL, -300, "Date: 2023-11-14T17:13:2" },
        { PLATFORM_DATE_UTC, 480, "Date: 2023-11-14T22:13:2" },
        { PLATFORM_DATE_OFF, 480, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_options o = { .config = { .auto_enrol = true,
                                             .date = cases[i].date,
                                             .timezone_min =
                                                 cases[i].zone_min } };
        struct sim_device *d;

        assert_true(sim_init(&s, &o));
        d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
        sim_register(d);
        sim_run(&s, 100);
        assert_int_equal(d->registered, 1);
        if (cases[i].want ? !text_has(d->last_extra, cases[i].want)
                          : text_has(d->last_extra, "\r\nDate:"))
            fail_msg("case %zu:\n%s", i, d->last_extra);
        sim_free(&s);
    }
}

/* A board without a battery, before the network has told it the time. */
static void no_date_of_1970(void **state)
{
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    s.now.utc_ms = 20000;
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    assert_false(text_has(d->last_extra, "\r\nDate:"));
    s.now.utc_ms = 1700000000000;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 2);
    assert_true(text_has(d->last_extra, "\r\nDate: 2023-11-15T06:13:2"));
    sim_free(&s);
}

static void refresh_with_the_old_answer(void **state)
{
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    d->keep_auth = true;
    sim_register(d);
    sim_run(&s, 10000);
    assert_int_equal(d->registered, 1);
    assert_int_equal(d->catalogs, 1);
    /* its nonce is still good: 200 at once */
    sim_register(d);
    sim_run(&s, 60000);
    assert_int_equal(d->registered, 2);
    assert_int_equal(d->challenged, 1);
    assert_int_equal(d->catalogs, 1); /* a refresh asks for nothing */
    /* too old: a new nonce, said to be stale, and no failure counted */
    sim_run(&s, 100000);
    for (int i = 0; i < 8; i++) {
        sim_keepalive(d, NULL);
        sim_run(&s, 30000);
    }
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 3);
    assert_int_equal(d->challenged, 2);
    assert_int_equal(sim_counters(&s).register_refused, 0);
    sim_free(&s);
}

static void an_answer_is_good_at_one_address_only(void **state)
{
    struct sim_device *d, *thief;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    d->keep_auth = true;
    sim_register(d);
    sim_run(&s, 100);
    thief = sim_add(&s, ipc, "192.168.1.66:5060", SIP_UDP);
    thief->password = "not known";
    thief->keep_auth = true;
    memcpy(thief->authorization, d->authorization, sizeof(d->authorization));
    sim_register(thief);
    sim_run(&s, 100);
    assert_int_equal(thief->registered, 0);
    assert_int_equal(thief->last_status, 403);
    assert_int_equal(sim_view(&s, d).peer.remote.ip[3], 10);
    sim_free(&s);
}

/* A device that was told the time and still has another one is noted, once it
 * registers again; a wrong clock before that means nothing. */
static void a_clock_that_is_off(void **state)
{
    static const struct {
        const char *date;
        bool noted;
    } cases[] = {
        { NULL, false },
        { "2023-11-15T06:13:30.000", false },
        { "2023-11-15T06:14:10", false },
        { "2023-11-15T06:15:30.000", true },
        { "2023-11-15T06:12:00.000", true },
        { "Tue, 14 Nov 2023 22:13:25 GMT", false },
        { "2000-01-01T00:00:00", true },
        { "yesterday", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t before;
        struct sim_device *d;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
        d->date = "1970-01-01T08:00:00.000";
        sim_register(d);
        sim_run(&s, 100);
        assert_int_equal(d->registered, 1);
        before = sim_view(&s, d).deviations;
        assert_int_equal(before, 0);
        d->date = cases[i].date;
        sim_register(d);
        sim_run(&s, 100);
        assert_int_equal(d->registered, 2);
        if ((sim_view(&s, d).deviations > before) != cases[i].noted)
            fail_msg("%s: %d", cases[i].date, cases[i].noted);
        sim_free(&s);
    }
}

static void wrong_password_makes_no_device(void **state)
{
    struct sim_device *d;
    struct platform_device v;
    struct platform_pending k;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    d->password = "87654321";
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    assert_true(text_has(d->last_extra, "X-GB-Ver: 3.0"));
    assert_false(platform_device_view(s.p, slice_str(ipc), &v));
    assert_int_equal(platform_device_count(s.p, NULL), 0);
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_true(slice_eq(k.id, slice_str(ipc)));
    assert_int_equal(k.tries, 2);
    assert_false(platform_pending_next(s.p, k.id, &k));
    assert_false(text_has(s.log, SIM_PASSWORD));
    assert_true(text_has(s.log, "the password set in the device"));
    /* the right one: enrolled, and no longer pending */
    d->password = SIM_PASSWORD;
    sim_register(d);
    sim_run(&s, 100);
    assert_true(sim_view(&s, d).online);
    assert_false(platform_pending_next(s.p, SLICE(""), &k));
    sim_free(&s);
}

/* R68: who is known here cannot be found out by trying passwords. */
static void strangers_hear_what_devices_hear(void **state)
{
    static const char *const ids[] = { ipc, "34020000001320000002" };
    char heard[2][1024];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sim_device *d, *guess;
        char *at = heard[i];

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
        sim_register(d);
        sim_run(&s, 100);
        guess = sim_add(&s, ids[i], "192.168.1.66:5060", SIP_UDP);
        guess->password = "a guess";
        sim_register(guess);
        sim_run(&s, 100);
        assert_int_equal(guess->last_status, 403);
        assert_int_equal(guess->challenged, 1);
        assert_int_equal(guess->stale, 0);
        for (const char *line = guess->last_extra; line;
             line = strchr(line, '\n')) { /* names of its headers */
            line += *line == '\n';
            at += snprintf(at, 40, "%.*s,", (int)strcspn(line, ":\r\n"), line);
        }
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
    assert_true(text_has(heard[0], ",X-GB-Ver,"));
    assert_string_equal(heard[0], heard[1]);
}

static void another_user_name_is_told(void **state)
{
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    d->username = "admin";
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    assert_true(
        text_has(s.log, "the password is right, but the digest user name"));
    sim_free(&s);
}

static void strangers_wait_without_auto_enrol(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = false } };
    struct platform_saved_device known = {
        .id = { "34020000001320000002", 20 },
    };
    struct sim_device *a, *b;
    struct platform_pending k;

    (void)state;
    assert_true(sim_init(&s, &o));
    assert_int_equal(platform_restore_device(s.p, &known, s.now), 0);
    a = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    b = sim_add(&s, "34020000001320000002", "192.168.1.11:5060", SIP_UDP);
    sim_register(a);
    sim_register(b);
    sim_run(&s, 100);
    assert_int_equal(a->last_status, 403);
    assert_int_equal(b->last_status, 200);
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_true(
        slice_eq(k.reason, SLICE("not enrolled; its password is right")));
    assert_true(sim_view(&s, b).online);
    sim_free(&s);
}

static void unregisters(void **state)
{
    static struct doctor_report rep;
    const struct doctor_question q = { .device = slice_str(ipc),
                                       .channel = slice_str(ipc) };
    struct platform_pending k;
    struct sim_device *d;
    struct platform_device v;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    sim_unregister(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 2);
    assert_true(text_has(d->last_extra, "Expires: 0\r\n"));
    assert_false(text_has(d->last_extra, "\r\nContact:"));
    v = sim_view(&s, d);
    assert_false(v.online);
    assert_true(slice_eq(v.state_reason, SLICE("unregistered")));
    /* and is a stranger until it registers again */
    sim_keepalive(d, NULL);
    sim_run(&s, 100);
    assert_int_equal(d->keepalive_refused, 1);
    assert_false(sim_view(&s, d).online);
    assert_false(platform_pending_next(s.p, SLICE(""), &k)); /* no stranger */
    platform_doctor(s.p, &q, &rep);
    assert_true(text_has(rep.text, "it sends messages and is not registered"));
    sim_register(d);
    sim_run(&s, 100);
    platform_doctor(s.p, &q, &rep);
    assert_false(text_has(rep.text, "it sends messages"));
    sim_free(&s);
}

/* ---- what is refused ---- */

/* A device that knows itself to be registered, here or elsewhere, and sends
 * nothing but Keepalives: its owner sees it online, and hears of it here. */
static void a_stranger_keeps_alive(void **state)
{
    struct platform_pending k;
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    for (unsigned i = 1; i <= 2; i++) {
        sim_keepalive(d, NULL);
        sim_run(&s, 1000);
        assert_int_equal(d->keepalive_refused, i);
        assert_true(platform_pending_next(s.p, SLICE(""), &k));
        assert_true(slice_eq(k.id, slice_str(ipc)) && k.tries == i);
        assert_true(
            slice_has_prefix(k.reason, SLICE("it sends messages and is not")));
    }
    d->password = "wrong";
    sim_register(d);
    sim_run(&s, 1000);
    sim_keepalive(d, NULL); /* what is wrong with its REGISTER says more */
    sim_run(&s, 1000);
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_true(slice_has_prefix(k.reason, SLICE("the password set in")));
    sim_free(&s);
}

static void odd_ids(void **state)
{
    static const struct {
        const char *name, *id;
        unsigned status;
    } cases[] = {
        { "a scanner's extension", "100", 0 },
        { "a name", "admin", 0 },
        { "19 and a letter", "3402000000132000000a", 0 },
        { "a telephone number", "008613012345678", 0 },
        { "21 digits", "340200000013200000011", 403 },
        { "our own id", SIM_ID, 403 },
        { "18 digits, rule B", "130909115229300920", 200 },
        { "20 digits", "34020000001180000001", 200 },
    };

    struct platform_pending k;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d;

        assert_true(sim_init(&s, NULL));
        d = sim_add(&s, cases[i].id, "192.168.1.10:5060", SIP_UDP);
        sim_register(d);
        sim_run(&s, 100);
        if (d->last_status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, d->last_status);
        if (cases[i].status == 403) { /* who has typed it is told */
            assert_true(platform_pending_next(s.p, SLICE(""), &k));
            assert_true(slice_eq(k.id, slice_str(cases[i].id)));
            assert_true(k.reason.n > 0);
        }
        sim_free(&s);
    }
}

static void from_and_to_must_agree(void **state)
{
    static const char text[] =
        "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bK1\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=1\r\n"
        "To: <sip:34020000001320000002@3402000000>\r\n"
        "Call-ID: 1\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:34020000001320000001@192.168.1.10:5060>\r\n"
        "Expires: 3600\r\nContent-Length: 0\r\n\r\n";
    struct platform_pending k;
    struct sip_peer from;

    (void)state;
    assert_true(sim_init(&s, NULL));
    from = knock_peer(&s, "192.168.1.10:5060");
    assert_int_equal(knock_say(&s, &from, text, strlen(text), NULL, 0), 403);
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_true(slice_eq(k.reason, SLICE("To of its REGISTER names another id "
                                         "than From")));
    sim_free(&s);
}

static void a_source_is_banned(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .ban_failures = 5,
                                         .ban_s = 60 } };
    struct sim_device *good, *bad, *late;
    struct platform_pending k;

    (void)state;
    assert_true(sim_init(&s, &o));
    /* behind the same address as the attacker, and bound */
    good = sim_add(&s, ipc, "192.168.1.10:5061", SIP_UDP);
    bad = sim_add(&s, "34020000001320000066", "192.168.1.10:6666", SIP_UDP);
    late = sim_add(&s, "34020000001320000067", "192.168.1.10:6667", SIP_UDP);
    sim_register(good);
    sim_run(&s, 100);
    assert_int_equal(good->registered, 1);
    bad->password = "guess";
    for (int i = 0; i < 5; i++) {
        sim_register(bad);
        sim_run(&s, 5000); /* longer than it is told to wait */
    }
    assert_true(text_has(s.log, "msg=\"source banned\""));
    bad->password = NULL; /* corrected by now, and not asked: that is told */
    sim_register(bad);
    sim_run(&s, 100);
    assert_true(platform_pending_next(s.p, SLICE(""), &k));
    assert_true(slice_eq(k.id, SLICE("34020000001320000066")));
    assert_true(slice_has_prefix(k.reason,
                                 SLICE("its address is not answered for 5")));
    sim_register(late);
    sim_keepalive(good, NULL);
    sim_register(good);
    sim_run(&s, 100);
    assert_false(platform_pending_next(s.p, k.id, &k)); /* who never knocked: no */
    assert_int_equal(late->registered, 0);
    assert_int_equal(late->challenged, 0);
    assert_true(good->keepalive_ok >= 1);
    assert_int_equal(good->registered, 2);
    assert_true(sim_counters(&s).banned > 0);
    sim_run(&s, 61000);
    sim_register(late);
    sim_run(&s, 100);
    assert_int_equal(late->registered, 1);
    sim_free(&s);
}

static void too_many_questions(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .rate_per_s = 1,
                                         .rate_burst = 3 } };
    struct sim_device *d, *other;

    (void)state;
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    d->password = "guess";
    for (int i = 0; i < 6; i++) {
        sim_register(d);
        sim_run(&s, 1);
    }
    /* one login and the question of a second: the rest is silence */
    assert_int_equal(d->challenged, 2);
    assert_int_equal(sim_counters(&s).rate_limited, 5);
    other = sim_add(&s, "34020000001320000002", "192.168.1.11:5060", SIP_UDP);
    sim_register(other);
    sim_run(&s, 1);
    assert_int_equal(other->registered, 1);
    sim_free(&s);
}

static void the_table_is_full(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .max_devices = 1 } };
    struct sim_device *a, *b;

    (void)state;
    assert_true(sim_init(&s, &o));
    a = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    b = sim_add(&s, "34020000001320000002", "192.168.1.11:5060", SIP_UDP);
    sim_register(a);
    sim_run(&s, 100);
    sim_register(b);
    sim_run(&s, 100);
    assert_int_equal(a->last_status, 200);
    assert_int_equal(b->last_status, 503);
    sim_free(&s);
}

static void pending_is_a_ring(void **state)
{
    struct sim_options o = { .config = { .max_pending = 4,
                                         .rate_burst = 1000 } };
    struct platform_pending k;
    char id[21], ip[32];

    (void)state;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < 10; i++) {
        struct sim_device *d;

        snprintf(id, sizeof(id), "340200000013200000%02u", i);
        snprintf(ip, sizeof(ip), "192.168.1.%u:5060", 10 + i);
        d = sim_add(&s, id, ip, SIP_UDP);
        sim_register(d);
        sim_run(&s, 10);
    }
    k.id = SLICE("");
    for (unsigned i = 0; i < 4; i++) {
        assert_true(platform_pending_next(s.p, k.id, &k));
        snprintf(id, sizeof(id), "340200000013200000%02u", 9 - i);
        assert_true(slice_eq(k.id, slice_str(id)));
    }
    assert_false(platform_pending_next(s.p, k.id, &k));
    sim_free(&s);
}

/* ---- memory ---- */

/* The n-th allocation and all later ones fail while a device registers: no
 * crash, nothing lost. */
static void come_and_go(void)
{
    struct sim_device *d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);

    sim_channels(d, 3);
    sim_register(d);
    sim_run(&s, 30000);
    sim_unregister(d);
    sim_run(&s, 30000);
}

static void without_memory(void **state)
{
    (void)state;
    sim_without_memory(&s, come_and_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers),
        cmocka_unit_test(odd_versions),
        cmocka_unit_test(note_15_1_date_as_configured),
        cmocka_unit_test(no_date_of_1970),
        cmocka_unit_test(refresh_with_the_old_answer),
        cmocka_unit_test(an_answer_is_good_at_one_address_only),
        cmocka_unit_test(a_clock_that_is_off),
        cmocka_unit_test(wrong_password_makes_no_device),
        cmocka_unit_test(strangers_hear_what_devices_hear),
        cmocka_unit_test(another_user_name_is_told),
        cmocka_unit_test(strangers_wait_without_auto_enrol),
        cmocka_unit_test(unregisters),
        cmocka_unit_test(a_stranger_keeps_alive),
        cmocka_unit_test(odd_ids),
        cmocka_unit_test(from_and_to_must_agree),
        cmocka_unit_test(a_source_is_banned),
        cmocka_unit_test(too_many_questions),
        cmocka_unit_test(the_table_is_full),
        cmocka_unit_test(pending_is_a_ring),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
