/* Where requests to a device go, and what their Request-URI says: the Contact
 * of its REGISTER, also where a NAT makes it unreachable. A device that sends
 * from one port and listens on another is asked where it listens. */
#include "test/sim.h"

#include <stdio.h>

#define CAM "34020000001180000001"
#define SOURCE "203.0.113.9:31044"

static struct sim s;

/* The last request to the device, and how many went to which port. */
static struct {
    char line[128], options[128];
    unsigned at_source, at_contact, elsewhere;
} seen;

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now)
{
    struct slice line;

    (void)ctx;
    (void)now;
    if (!out || slice_has_prefix(bytes, SLICE("SIP/")))
        return;
    slice_cut(&bytes, '\r', &line);
    if (slice_has_prefix(line, SLICE("OPTIONS"))) {
        /* keeps the NAT open, wherever the rest goes */
        assert_int_equal(peer->remote.port, 31044);
        snprintf(seen.options, sizeof(seen.options), "%.*s", SLICE_ARG(line));
    }
    if (!slice_has_prefix(line, SLICE("MESSAGE")) &&
        !slice_has_prefix(line, SLICE("INVITE")))
        return;
    snprintf(seen.line, sizeof(seen.line), "%.*s", SLICE_ARG(line));
    if (peer->remote.port == 31044)
        seen.at_source++;
    else if (peer->remote.port == 5060 && peer->remote.ip[0] == 203)
        seen.at_contact++;
    else
        seen.elsewhere++;
}

static struct sim_device *camera(const char *contact, uint8_t transport)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .keep_open_ms = 25000 },
                             .on_message = on_message };
    struct sim_device *d;

    memset(&seen, 0, sizeof(seen));
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, CAM, SOURCE, transport);
    d->own_addr = contact;
    d->keepalive_ms = 60000;
    sim_channels(d, 1);
    return d;
}

/* Deaf where it sends from; listens at `contact`. */
static struct sim_device *deaf_port(const char *contact)
{
    struct sim_device *d = camera(contact, SIP_UDP);

    assert_int_equal(gb_addr_parse(&d->listens, slice_str(contact), 0), 0);
    return d;
}

static void request_uri_is_the_contact(void **state)
{
    static const struct {
        const char *name, *contact, *host;
        uint8_t transport;
    } cases[] = {
        { "no NAT", NULL, SOURCE, SIP_UDP },
        { "private", "192.168.1.64:5060", "192.168.1.64:5060", SIP_UDP },
        { "another port", "203.0.113.9:5060", "203.0.113.9:5060", SIP_UDP },
        { "no address", "0.0.0.0:5060", SOURCE, SIP_UDP },
        { "a name", "camera.local:5060", SOURCE, SIP_UDP },
        { "private, TCP", "192.168.1.64:5060",
          "192.168.1.64:5060;transport=tcp", SIP_TCP },
        { "port of a connection", "203.0.113.9:5060",
          SOURCE ";transport=tcp", SIP_TCP },
    };
    char want[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d =
            camera(cases[i].contact, cases[i].transport);
        struct platform_session v;

        sim_settle(&s);
        sim_run(&s, 10000);
        assert_true(sim_view(&s, d).n_channels == 1);
        assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
        sim_run(&s, 10);
        snprintf(want, sizeof(want), "INVITE sip:%s@%s SIP/2.0",
                 d->channel[0], cases[i].host);
        if (strcmp(seen.line, want))
            fail_msg("%s: %s", cases[i].name, seen.line);
        assert_int_equal(seen.at_contact + seen.elsewhere, 0);
        if (i == 1) {
            sim_run(&s, 60000);
            assert_string_equal(seen.options, "OPTIONS sip:" CAM
                                              "@192.168.1.64:5060 SIP/2.0");
        }
        sim_free(&s);
    }
}

static void asked_where_it_listens(void **state)
{
    struct sim_device *d = deaf_port("203.0.113.9:5060");
    struct platform_session v;
    unsigned before;

    (void)state;
    sim_settle(&s);
    sim_run(&s, 180000);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_true(text_has(s.log, "requests in a row were not answered"));
    before = seen.at_source;
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    sim_register(d); /* changes nothing */
    sim_run(&s, 60000);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 2000);
    assert_int_equal(d->byes, 1);
    assert_int_equal(seen.at_source, before);
    assert_int_equal(seen.elsewhere, 0);
    sim_run(&s, 70000);
    sim_expect_clean(&s);
    sim_free(&s);
}

/* Nobody but the device itself is tried: what its NAT hides may be anybody. */
static void no_other_address_is_tried(void **state)
{
    struct sim_device *d = deaf_port("192.168.1.64:5060");

    (void)state;
    sim_settle(&s);
    sim_run(&s, 400000);
    assert_true(sim_view(&s, d).online);
    assert_true(seen.at_source >= 3);
    assert_int_equal(seen.at_contact + seen.elsewhere, 0);
    sim_free(&s);
}

/* Deaf everywhere: both ways are tried by turns. */
static void both_ways_by_turns(void **state)
{
    struct sim_device *d = camera("203.0.113.9:5060", SIP_UDP);
    unsigned first;

    (void)state;
    d->listens = (struct gb_addr){ .family = GB_IPV4, .port = 9 };
    sim_settle(&s);
    sim_run(&s, 600000);
    assert_true(seen.at_contact > 0);
    first = seen.at_source;
    d->listens.family = GB_NO_ADDR;
    platform_device_refresh(s.p, slice_str(d->id), s.now);
    for (unsigned i = 0; i < 20 && !sim_view(&s, d).n_channels; i++)
        sim_run(&s, 60000);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_true(seen.at_source > first);
    sim_free(&s);
}

/* Also the first request after a restart. */
static void it_is_remembered(void **state)
{
    struct sim_device *d = deaf_port("203.0.113.9:5060");
    char buf[PLATFORM_SAVED_MAX];
    struct platform_device saved;
    struct platform_saved_device kept = { .id = SLICE(CAM) };
    struct platform_session v;
    unsigned before;

    (void)state;
    sim_settle(&s);
    sim_run(&s, 180000);
    assert_true(platform_device_save(s.p, SLICE(CAM), buf, &saved));
    assert_true(slice_find_slice(saved.profile,
                                 SLICE("contact=203.0.113.9:5060;way=contact"))
                < saved.profile.n);
    kept.peer = saved.peer;
    kept.registered_utc_ms = saved.registered_utc_ms;
    kept.expires_utc_ms = saved.expires_utc_ms;
    kept.profile = saved.profile;
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &kept, s.now), 0);
    sim_keepalive(d, d->id);
    sim_run(&s, 100);
    before = seen.at_source;
    platform_device_refresh(s.p, slice_str(d->id), s.now);
    sim_run(&s, 5000);
    assert_int_equal(sim_view(&s, d).n_channels, 1);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    assert_int_equal(seen.at_source, before);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_uri_is_the_contact),
        cmocka_unit_test(asked_where_it_listens),
        cmocka_unit_test(no_other_address_is_tried),
        cmocka_unit_test(both_ways_by_turns),
        cmocka_unit_test(it_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
