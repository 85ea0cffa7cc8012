/* Requests to devices that guard themselves: a challenge is answered with the
 * password that the device has proven to know, once, and only where it has proven
 * that. Whoever challenges chooses the nonce, and could guess the password from
 * the answer. */
#include "test/command_rig.h"

#include "app/platform/voice.h"
#include "sip/digest.h"

#define CHALLENGE "Digest realm=\"camera\", nonce=\"abcd\", algorithm=MD5"

static struct sim_device *challenging(const struct sim_options *o)
{
    struct sim_device *d = online(o);

    d->tells_time = true;
    d->challenge = CHALLENGE;
    return d;
}

static bool is_its_password(const struct sim_device *d, struct slice method)
{
    struct sip_credentials c;
    struct sip_ha1 ha1;

    assert_int_equal(sip_credentials_parse(&c, slice_str(d->last_login)), 0);
    assert_true(slice_eq(c.username, SLICE(SIM_ID)));
    sip_ha1_make(&ha1, c.alg, c.username, SLICE("camera"),
                 slice_str(d->password));
    return sip_digest_check(&c, method, &ha1);
}

static void expect_no_login(struct sim_device *d)
{
    uint64_t id = query("DeviceStatus");

    d->asked = d->logins = 0;
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_int_equal(d->asked, 1);
    assert_int_equal(d->logins, 0);
}

static void expect_login(struct sim_device *d)
{
    uint64_t id = query("DeviceStatus");

    d->logins = 0;
    sim_run(&s, 2000);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    assert_int_equal(d->logins, 1);
}

static void move(struct sim_device *d)
{
    d->addr.port = 6200;
    d->to_server.local = d->addr;
    sim_keepalive(d, NVR);
    sim_run(&s, 1000); /* its new port answers an OPTIONS */
    assert_int_equal(sim_view(&s, d).peer.remote.port, 6200);
}

static void the_first_one_is_sent_again(void **state)
{
    struct sim_device *d = challenging(NULL);
    struct platform_session v;
    uint64_t id = query("DeviceStatus");

    (void)state;
    sim_run(&s, 1000);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    assert_int_equal(view(id).tries, 1);
    assert_int_equal(d->logins, 1);
    assert_true(is_its_password(d, SLICE("MESSAGE")));
    d->asked = 0;
    expect_login(d);
    assert_int_equal(d->asked, 0); /* it is known what it asks for */
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_true(is_its_password(d, SLICE("INVITE")));
    sim_free(&s);
}

/* An INVITE on its way while a MESSAGE is challenged. */
static void an_invite_is_sent_again(void **state)
{
    struct sim_device *d = challenging(NULL);
    uint64_t id = query("DeviceStatus");
    struct platform_session v;

    (void)state;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 3000);
    expect_state(id, PLATFORM_COMMAND_ANSWERED);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(d->asked, 4);
    sim_free(&s);
}

static void the_questions_behind_a_register_are_sent_again(void **state)
{
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->challenge = CHALLENGE;
    sim_channels(d, 1);
    sim_register(d);
    sim_run(&s, 20000);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_int_equal(d->asked, 2); /* the first Catalog, twice */
    sim_free(&s);
}

static void who_takes_none_gets_one(void **state)
{
    struct sim_device *d = challenging(NULL);
    uint64_t id = query("DeviceStatus");
    struct platform_session v;

    (void)state;
    d->takes_no_login = true;
    sim_run(&s, 60000);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_int_equal(d->logins, 1);
    assert_int_equal(d->asked, 3);
    d->asked = d->logins = 0;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 60000);
    assert_int_equal(d->logins, 1);
    assert_int_equal(d->asked, 2);
    assert_true(strstr(s.last_hint, "not for the one that it registers"));
    /* "stale" for ever: one more */
    d->challenge = CHALLENGE ", stale=true";
    d->logins = 0;
    id = query("DeviceStatus");
    sim_run(&s, 60000);
    expect_state(id, PLATFORM_COMMAND_REFUSED);
    assert_int_equal(d->logins, 2);
    sim_free(&s);
}

/* A neighbour behind the same NAT can take its place by a Keepalive. */
static void none_where_it_did_not_register(void **state)
{
    struct sim_device *d = challenging(NULL);
    struct platform_session v;

    (void)state;
    expect_login(d);
    move(d);
    expect_no_login(d);
    d->asked = 0;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 60000);
    assert_int_equal(d->asked, 1);
    assert_int_equal(d->logins, 0);
    assert_true(strstr(s.last_hint, "let it register again"));
    sim_register(d);
    sim_run(&s, 1000);
    expect_login(d);
    sim_free(&s);
}

/* What its move sends again at once goes where it has just registered. */
static void a_move_by_register_takes_the_login_along(void **state)
{
    struct sim_device *d = challenging(NULL);
    struct platform_session v;

    (void)state;
    expect_login(d);
    d->deaf = true;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 500);
    d->deaf = false;
    d->addr.port = 6200;
    d->to_server.local = d->addr;
    sim_register(d);
    sim_run(&s, 3000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_true(is_its_password(d, SLICE("INVITE")));
    sim_free(&s);
}

/* Nor does the digest help that it had sent before, which may be overheard. */
static void an_old_digest_proves_nothing_there(void **state)
{
    struct sim_device *d =
        challenging(&(struct sim_options){ .config = { .auto_enrol = true } });
    unsigned challenged;

    (void)state;
    expect_login(d);
    move(d);
    d->keep_auth = true;
    challenged = d->challenged;
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(d->challenged, challenged); /* a mere refresh */
    expect_no_login(d);
    sim_free(&s);
}

static void none_over_another_connection(void **state)
{
    struct sim_device *d;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_TCP);
    sim_settle(&s);
    d->tells_time = true;
    d->challenge = CHALLENGE;
    expect_login(d);
    sim_disconnect(d);
    sim_reconnect(d);
    sim_keepalive(d, NVR);
    sim_run(&s, 1000);
    expect_no_login(d);
    sim_free(&s);
}

static void none_of_another_password(void **state)
{
    struct platform_settings set = { .set = PLATFORM_SET_PASSWORD,
                                     .password = SLICE("another one") };
    struct sim_device *d = challenging(NULL);

    (void)state;
    expect_login(d);
    assert_int_equal(platform_device_set(s.p, SLICE(NVR), &set, s.now), 0);
    expect_no_login(d);
    d->password = "another one";
    sim_register(d);
    sim_run(&s, 1000);
    expect_login(d);
    assert_true(is_its_password(d, SLICE("MESSAGE")));
    sim_free(&s);
}

static void none_before_it_registers_after_a_restart(void **state)
{
    struct sim_device *d = challenging(NULL);
    struct platform_saved_device saved;

    (void)state;
    expect_login(d);
    saved = sim_saved(&s, d);
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
    d->challenge = NULL;
    sim_keepalive(d, NVR);
    sim_run(&s, 30000); /* what is asked first is over */
    d->challenge = CHALLENGE;
    expect_no_login(d);
    sim_register(d);
    sim_run(&s, 30000);
    expect_login(d);
    sim_free(&s);
}

/* It is asked at its Contact, which nobody has proven to be its own. */
static void none_at_a_contact(void **state)
{
    struct sim_device *d;
    struct gb_addr at;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, NVR, "203.0.113.9:31044", SIP_UDP);
    d->own_addr = "203.0.113.9:5060";
    assert_int_equal(gb_addr_parse(&at, slice_str(d->own_addr), 0), 0);
    d->keepalive_ms = 60000;
    sim_settle(&s);
    d->tells_time = true;
    d->challenge = CHALLENGE;
    expect_login(d);
    d->listens = at;
    for (unsigned i = 0; i < 4; i++) {
        query("DeviceStatus");
        sim_run(&s, 40000);
    }
    expect_no_login(d);
    sim_free(&s);
}

static void voices_are_asked_for_again(void **state)
{
    (void)state;
    for (unsigned talk = 0; talk < 2; talk++) {
        struct sim_device *d = challenging(NULL);
        const struct platform_voice_wish w = {
            .device = slice_str(d->id),
            .channel = slice_str(d->channel[0]),
            .mode = talk ? PLATFORM_VOICE_TALK : PLATFORM_VOICE_BROADCAST,
            .who = SLICE("a test"),
        };
        struct platform_voice v;

        d->broadcast_result = "OK";
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
        sim_run(&s, 500);
        assert_int_equal(d->asked, 2);
        assert_int_equal(d->logins, 1);
        assert_true(platform_voice_view(s.p, v.id, &v));
        assert_int_equal(v.step, talk ? PLATFORM_VOICE_STEP_SPEAKING
                                      : PLATFORM_VOICE_STEP_ACCEPTED);
        assert_true(is_its_password(d, talk ? SLICE("INVITE")
                                            : SLICE("MESSAGE")));
        d->takes_no_login = true;
        d->asked = d->logins = 0;
        platform_voice_stop(s.p, v.id, "enough", s.now);
        sim_run(&s, 60000);
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
        sim_run(&s, 20000);
        assert_true(d->logins >= 1 && d->asked <= 2 * d->logins);
        sim_free(&s);
    }
}

static void subscriptions_are_asked_for_again(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct sim_device *d;

    (void)state;
    o.config.subscribe_s[PLATFORM_SUBSCRIBE_ALARM] = 3600;
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->challenge = CHALLENGE;
    d->keepalive_ms = 60000;
    d->expires_s = 86400;
    sim_channels(d, 1);
    sim_register(d);
    sim_run(&s, 20000);
    assert_int_equal(d->subscribes, 1);
    assert_true(is_its_password(d, SLICE("SUBSCRIBE")));
    d->asked = d->logins = 0;
    sim_run(&s, 3500000);
    assert_int_equal(d->subscribes, 2); /* and its refresh */
    assert_int_equal(d->logins, 1);
    assert_int_equal(d->asked, 0);
    assert_true(is_its_password(d, SLICE("SUBSCRIBE")));
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_is_sent_again),
        cmocka_unit_test(an_invite_is_sent_again),
        cmocka_unit_test(the_questions_behind_a_register_are_sent_again),
        cmocka_unit_test(who_takes_none_gets_one),
        cmocka_unit_test(none_where_it_did_not_register),
        cmocka_unit_test(a_move_by_register_takes_the_login_along),
        cmocka_unit_test(an_old_digest_proves_nothing_there),
        cmocka_unit_test(none_over_another_connection),
        cmocka_unit_test(none_of_another_password),
        cmocka_unit_test(none_before_it_registers_after_a_restart),
        cmocka_unit_test(none_at_a_contact),
        cmocka_unit_test(voices_are_asked_for_again),
        cmocka_unit_test(subscriptions_are_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
