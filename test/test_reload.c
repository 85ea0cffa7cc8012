/* Settings that change while it runs. */
#include "test/sim.h"

#include "sip/digest.h"

static struct sim s;

static const char ipc[] = "34020000001320000001";

static void settings_are_taken_over(void **state)
{
    struct platform_advertise adv = { .bits = 0 };
    struct platform_config c = { .auto_enrol = true, .advertise = &adv,
                                 .n_advertise = 1 };
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP), *late;
    struct platform_session v;

    (void)state;
    assert_int_equal(gb_addr_parse_ip(&adv.net, SLICE("0.0.0.0")), 0);
    assert_int_equal(gb_addr_parse_ip(&adv.address, SLICE("203.0.113.9")), 0);
    assert_int_equal(platform_reload(s.p, &c), 0);
    adv.address.ip[0] = 9; /* it has a copy */
    assert_int_equal(sim_play(&s, d, ipc, PLATFORM_UDP, &v), 0);
    sim_run(&s, 1000);
    assert_non_null(strstr(d->last_sdp, "c=IN IP4 203.0.113.9\r\n"));

    c = (struct platform_config){ .auto_enrol = false };
    assert_int_equal(platform_reload(s.p, &c), 0);
    late = sim_add(&s, "34020000001320000099", "192.168.1.99:5060", SIP_UDP);
    sim_register(late);
    sim_run(&s, 2000);
    assert_int_equal(late->last_status, 403);
    sim_free(&s);
}

static void allow_everybody(struct platform_config *c)
{
    *c = (struct platform_config){ .auto_enrol = true };
    assert_int_equal(platform_reload(s.p, c), 0);
}

/* New lists hold at once, for who is bound as well. */
static void lists_are_taken_over(void **state)
{
    struct platform_net net = { .bits = 24 };
    const char *const ids[] = { "34020000001320000001" };
    const char *const others[] = { "3301" };
    struct platform_config c = { .auto_enrol = true, .deny = &net,
                                 .n_deny = 1 };
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    assert_int_equal(gb_addr_parse_ip(&net.net, SLICE("192.168.1.0")), 0);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    for (unsigned i = 0; i < 4; i++) {
        unsigned had = d->keepalive_ok + d->keepalive_refused;

        if (i == 1)
            c = (struct platform_config){ .auto_enrol = true, .deny_ids = ids,
                                          .n_deny_ids = 1 };
        else if (i == 2)
            c = (struct platform_config){ .auto_enrol = true,
                                          .allow_ids = others,
                                          .n_allow_ids = 1 };
        else if (i == 3)
            c = (struct platform_config){ .auto_enrol = true, .deny = &net,
                                          .n_deny = 1 };
        assert_int_equal(platform_reload(s.p, &c), 0);
        assert_false(sim_view(&s, d).online);
        sim_keepalive(d, NULL);
        sim_run(&s, 1000);
        assert_int_equal(d->keepalive_ok + d->keepalive_refused,
                         had + (i == 1 || i == 2)); /* networks: no answer */
        assert_false(sim_view(&s, d).online);
        allow_everybody(&c);
        sim_run(&s, 40000);
        sim_register(d);
        sim_run(&s, 1000);
        assert_true(sim_view(&s, d).online);
    }
    sim_free(&s);
}

static void digest_is_taken_over(void **state)
{
    struct platform_config c = { .auto_enrol = true, .offer_qop = true,
                                 .digest = 1u << SIP_DIGEST_SHA256 };
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    assert_null(strstr(d->authorization, "SHA-256"));
    assert_null(strstr(d->authorization, "qop="));
    assert_int_equal(platform_reload(s.p, &c), 0);
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 200);
    assert_int_equal(d->registered, 2);
    assert_non_null(strstr(d->authorization, "SHA-256"));
    assert_non_null(strstr(d->authorization, "qop="));
    sim_free(&s);
}

/* Without memory all stays as it was. */
static void reload_without_memory(void **state)
{
    const char *const ids[] = { "34020000001320000001" };
    const struct platform_config c = { .auto_enrol = true, .deny_ids = ids,
                                       .n_deny_ids = 1 };
    struct sim_options o = { .config = { .auto_enrol = true } };
    struct failing_alloc mem;
    struct sim_device *d;

    (void)state;
    failing_alloc_init(&mem, 0);
    o.alloc = &mem.alloc;
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, ipc, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 1000);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(platform_reload(s.p, &c), GB_ENOMEM);
    mem.fail_at = 0;
    assert_true(sim_view(&s, d).online);
    assert_int_equal(platform_reload(s.p, &c), 0);
    assert_false(sim_view(&s, d).online);
    sim_free(&s);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_taken_over),
        cmocka_unit_test(lists_are_taken_over),
        cmocka_unit_test(digest_is_taken_over),
        cmocka_unit_test(reload_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
