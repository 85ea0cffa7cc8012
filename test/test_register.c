/* What a REGISTER may hold, and what becomes of it beside a binding (RFC 3261
 * §10.3, redirection, connections). */
#include "test/knock.h"

#include <stdio.h>

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";
static const char nvr[] = "34020000001180000009";

static void contacts(void **state)
{
    static const struct {
        const char *name, *lines;
        unsigned status;
    } cases[] = {
        { "one", "Contact: <sip:a@1.2.3.4>\r\n", 401 },
        { "none", "", 401 },
        { "star with Expires 0", "Contact: *\r\nExpires: 0\r\n", 401 },
        { "star with Expires", "Contact: *\r\nExpires: 60\r\n", 400 },
        { "star without Expires", "Contact: *\r\n", 400 },
        { "star and another", "Contact: *, <sip:a@1.2.3.4>\r\nExpires: 0\r\n",
          400 },
        { "bare with a question mark", "Contact: sip:user@example.com?Route="
          "%3Csip:sip.example.com%3E\r\n", 400 },
        { "the second is bad", "Contact: <sip:a@1.2.3.4>, <sip:\r\n", 400 },
        { "q too large", "Contact: <sip:a@1.2.3.4>;q=1.5\r\n", 400 },
        { "q too long", "Contact: <sip:a@1.2.3.4>;q=0.1234\r\n", 400 },
        { "q", "Contact: <sip:a@1.2.3.4>;q=0.123\r\n", 401 },
    };

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[300], answer[2048] = "";
        unsigned status;

        snprintf(line, sizeof(line), "Call-ID: k%zu\r\n%s", i,
                 cases[i].lines);
        status = knock_register(&s, "192.168.1.10", cam, line, answer,
                                sizeof(answer));
        if (status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, status);
        assert_true(text_has(answer, "\r\nX-GB-Ver: 3.0\r\n"));
    }
    sim_free(&s);
}

static void a_register_that_only_asks(void **state)
{
    struct sim_device *d;
    struct platform_device before, after;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->no_contact = true; /* some firmware sends none */
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(d->registered, 1);
    before = sim_view(&s, d);
    assert_true(before.online);
    d->no_expires = true; /* neither: a question */
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 2);
    assert_true(text_has(d->last_extra,
                         "\r\nContact: <sip:34020000001320000001@"
                         "192.168.1.10:5060>"));
    assert_true(text_has(d->last_extra, "\r\nExpires: 3598\r\n") ||
                text_has(d->last_extra, "\r\nExpires: 3599\r\n"));
    after = sim_view(&s, d);
    assert_int_equal(after.expires_utc_ms, before.expires_utc_ms);
    sim_free(&s);
}

/* Overtaken on the way: the older of two does not undo the newer. */
static void a_late_register_changes_nothing(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->keep_auth = true;
    sim_register(d);
    sim_run(&s, 100);
    sim_unregister(d);
    sim_run(&s, 100);
    assert_false(sim_view(&s, d).online);
    d->cseq -= 2; /* the one before it arrives now */
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 500);
    assert_false(sim_view(&s, d).online);
    /* a device that starts anew with old numbers answers a new challenge */
    d->keep_auth = false;
    d->cseq = 0;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

static void first_registrations_are_redirected(void **state)
{
    static const struct platform_redirect to[] = {
        { "340200000013", "34020000002000000002@198.51.100.7:5060" },
        { "34020000001180", "34020000002000000003@198.51.100.8:5060" },
    };
    struct platform_saved_device saved = { .id = { nvr, 20 } };
    struct sim_device *d, *known;
    struct platform_device v;

    (void)state;
    knock_begin(&s, (struct platform_config){
                        .auto_enrol = true, .redirect = to, .n_redirect = 2 });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    known = sim_add(&s, nvr, "192.168.1.11:5060", SIP_UDP);
    saved.peer = (struct sip_peer){ .transport = SIP_UDP,
                                    .remote = known->addr };
    saved.expires_utc_ms = s.now.utc_ms + 3600000;
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
    sim_register(d);
    sim_register(known); /* it is bound here: a refresh */
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 302);
    assert_true(text_has(d->last_extra,
                         "\r\nContact: <sip:34020000002000000002@"
                         "198.51.100.7:5060>"));
    assert_true(text_has(d->last_extra, "\r\nExpires: 3600\r\n"));
    assert_true(text_has(d->last_extra, "\r\nX-GB-Ver: 3.0\r\n"));
    assert_false(platform_device_view(s.p, slice_str(cam), &v));
    assert_int_equal(known->last_status, 200);
    sim_unregister(d); /* not what a redirection is for */
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    d->password = "wrong"; /* nor for strangers */
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    sim_free(&s);
}

static void a_moved_device_leaves_its_connection(void **state)
{
    struct sim_device *a, *b;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    a = sim_add(&s, cam, "192.168.1.10:5060", SIP_TCP);
    b = sim_add(&s, cam2, "192.168.1.10:5060", SIP_TCP);
    b->connection = b->to_server.connection = a->connection; /* a gateway */
    sim_register(a);
    sim_register(b);
    sim_run(&s, 100);
    sim_reconnect(a);
    sim_register(a);
    sim_run(&s, 100);
    assert_int_equal(a->registered, 2);
    assert_int_equal(s.disconnected, 0); /* the other one is still there */
    b->connection = b->to_server.connection = a->connection + 5;
    sim_register(b);
    sim_run(&s, 100);
    assert_int_equal(s.disconnected, 1);
    assert_true(sim_view(&s, a).online);
    assert_true(sim_view(&s, b).online);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contacts),
        cmocka_unit_test(a_register_that_only_asks),
        cmocka_unit_test(a_late_register_changes_nothing),
        cmocka_unit_test(first_registrations_are_redirected),
        cmocka_unit_test(a_moved_device_leaves_its_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
