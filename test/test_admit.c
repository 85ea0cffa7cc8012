/* app/platform/admit: what is looked at before anything is parsed, and who gets
 * through when many come, or one guesses. What the field notes want of it:
 * test_admission.c. */
#include "test/knock.h"

#include <stdio.h>

#include "app/platform/admit.h"

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char nvr[] = "34020000001180000009";

static void peeks(void **state)
{
    static const struct {
        const char *name, *text, *user, *agent;
        bool response, is_register, scanner;
    } cases[] = {
        { "a device",
          "REGISTER sip:1@2 SIP/2.0\r\nVia: x\r\n"
          "From: \"a\" <sip:34020000001320000001@3402000000>;tag=1\r\n"
          "User-Agent: IP Camera\r\n\r\n",
          cam, "IP Camera", false, true, false },
        { "compact, no blank, LF",
          "MESSAGE sip:1@2 SIP/2.0\n"
          "f:sip:34020000001320000001@h;tag=1\n\n",
          cam, "", false, false, false },
        { "an extension", "REGISTER sip:h SIP/2.0\r\nFrom: <sip:100@h>\r\n\r\n",
          "100", "", false, true, true },
        { "a scanner's agent",
          "OPTIONS sip:100@h SIP/2.0\r\n"
          "From: <sip:34020000001320000001@h>\r\n"
          "User-agent:   friendly-scanner\r\n\r\n",
          cam, "friendly-scanner", false, false, true },
        { "any case",
          "INVITE sip:1@h SIP/2.0\r\nUSER-AGENT: SIPVicious 0.3\r\n"
          "\r\n",
          "", "SIPVicious 0.3", false, false, true },
        { "the body is not read",
          "MESSAGE sip:1@2 SIP/2.0\r\n\r\n"
          "From: <sip:100@h>\r\nUser-Agent: sipcli\r\n",
          "", "", false, false, false },
        { "an answer names its sender in To",
          "SIP/2.0 200 OK\r\n"
          "From: <sip:34020000002000000001@h>\r\nTo: "
          "<sip:34020000001320000001@h>"
          "\r\n\r\n",
          cam, "", true, false, false },
        { "escapes are for the parser",
          "REGISTER sip:h SIP/2.0\r\n"
          "From: <sip:%33402@h>\r\n\r\n",
          "%33402", "", false, true, false },
        { "no user", "OPTIONS sip:h SIP/2.0\r\nFrom: <sip:host>;tag=1@\r\n\r\n",
          "", "", false, false, false },
        { "nothing", "", "", "", false, false, false },
        { "garbage", "\x80\x01 From \r\n:::\r\n: ", "", "", false, false,
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice text = slice_str(cases[i].text);
        struct admit_peek k;

        for (size_t n = 0; n <= text.n; n++)
            admit_peek(&k, guarded(slice_head(text, n))); /* every prefix */
        if (!slice_eq(k.user, slice_str(cases[i].user)) ||
            !slice_eq(k.agent, slice_str(cases[i].agent)) ||
            k.is_response != cases[i].response ||
            k.is_register != cases[i].is_register ||
            admit_is_scanner(&k) != cases[i].scanner)
            fail_msg("%s: user %.*s agent %.*s", cases[i].name,
                     SLICE_ARG(k.user), SLICE_ARG(k.agent));
    }
}

static void source_keys(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "192.0.2.1:5060", "192.0.2.1:9999", true },
        { "192.0.2.1", "192.0.2.2", false },
        { "[2001:db8:0:1::1]", "[2001:db8:0:1:ffff::9]:1", true },
        { "[2001:db8:0:1::1]", "[2001:db8:0:2::1]", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t a[GB_ADDR_SITE], b[GB_ADDR_SITE];
        struct gb_addr x, y;
        size_t n;

        assert_int_equal(gb_addr_parse(&x, slice_str(cases[i].a), 1), 0);
        assert_int_equal(gb_addr_parse(&y, slice_str(cases[i].b), 1), 0);
        n = gb_addr_site(&x, a);
        assert_int_equal(n, gb_addr_site(&y, b));
        assert_int_equal(memcmp(a, b, n) == 0, cases[i].same);
    }
}

static size_t flood_message(char *buf, size_t cap, unsigned i)
{
    switch (i % 4) {
    case 0: /* a camera's own id */
        return (size_t)snprintf(
            buf, cap,
            "REGISTER sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.168.1.10;rport;branch=z9hG4bK%x\r\n"
            "From: <sip:3402000000132000000%u@" SIM_REALM ">;tag=%x\r\n"
            "To: <sip:3402000000132000000%u@" SIM_REALM ">\r\n"
            "Call-ID: f%x\r\nCSeq: 1 REGISTER\r\nExpires: 3600\r\n"
            "Content-Length: 0\r\n\r\n",
            i, i / 4 % 8 + 1, i, i / 4 % 8 + 1, i);
    case 1: /* a foreign one */
        return (size_t)snprintf(
            buf, cap,
            "REGISTER sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.168.1.10;rport;branch=z9hG4bK%x\r\n"
            "From: <sip:34020000001321%06u@" SIM_REALM ">;tag=%x\r\n"
            "To: <sip:34020000001321%06u@" SIM_REALM ">\r\n"
            "Call-ID: f%x\r\nCSeq: 1 REGISTER\r\nExpires: 3600\r\n"
            "Content-Length: 0\r\n\r\n",
            i, i % 1000000, i, i % 1000000, i);
    case 2:
        return (size_t)snprintf(
            buf, cap,
            "OPTIONS sip:100@192.168.1.1 SIP/2.0\r\nFrom: <sip:100@x>\r\n"
            "User-Agent: friendly-scanner\r\nCall-ID: %x\r\n\r\n", i);
    default:
        return (size_t)snprintf(buf, cap, "\x16\x03\x01%x garbage\n\r%x", i, i);
    }
}

#define FLOOD_PER_MS 20
#define FLOOD_MS 30000

/* 20,000 messages a second, by turns from the cameras' own addresses (other
 * ports) and from everywhere; a camera's NAT port moves in the middle of it. */
static void a_flood_reaches_nobody(void **state)
{
    struct failing_alloc heap;
    struct sim_options o = { .config = { .auto_enrol = true },
                             .alloc = &heap.alloc };
    struct sip_counters sc;
    unsigned long live;
    uint64_t rnd = 7, most = 0;
    unsigned n = 0;

    (void)state;
    failing_alloc_init(&heap, 0);
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < 8; i++) {
        char id[24], ip[40];

        snprintf(id, sizeof(id), "3402000000132000000%u", i + 1);
        snprintf(ip, sizeof(ip), "192.168.1.1%u:506%u", i / 4, i % 4);
        sim_add(&s, id, ip, i % 4 == 3 ? SIP_TCP : SIP_UDP)->keepalive_ms =
            5000;
    }
    sim_settle(&s);
    live = heap.live;
    for (unsigned ms = 0; ms < FLOOD_MS; ms++) {
        for (unsigned k = 0; k < FLOOD_PER_MS; k++) {
            struct sip_peer from = { .transport = SIP_UDP,
                                     .local = s.server_addr };
            char buf[700];
            size_t len = flood_message(buf, sizeof(buf), n++);
            uint64_t r = test_random(&rnd);
            struct sip_event ev;
            struct sip_out out;

            from.remote = s.device[r % 8].addr;
            from.remote.port = (uint16_t)(10000 + (r >> 8) % 50000);
            if (r >> 40 & 1) { /* forged */
                from.remote.ip[0] = 11;
                from.remote.ip[1] = (uint8_t)(r >> 24);
                from.remote.ip[2] = (uint8_t)(r >> 32);
            }
            if (!platform_admits(s.p, &from, slice_of(buf, len), s.now))
                continue;
            sip_stack_input(s.server, &from, slice_of(buf, len),
                            s.now.mono_ms);
            while (sip_stack_event(s.server, &ev))
                platform_sip(s.p, &ev, s.now);
            if (k == FLOOD_PER_MS - 1)
                while (sip_stack_output(s.server, &out))
                    ;
        }
        if (ms == FLOOD_MS / 2) {
            s.device[1].addr.port = 61234;
            s.device[1].to_server.local = s.device[1].addr;
        }
        sip_stack_counters(s.server, &sc);
        if (sc.memory > most)
            most = sc.memory;
        sim_run(&s, 1);
    }
    sim_run(&s, 40000);
    for (unsigned i = 0; i < 8; i++) {
        if (!sim_view(&s, &s.device[i]).online ||
            s.device[i].keepalive_refused)
            fail_msg("device %u: online %d, refused %u", i,
                     sim_view(&s, &s.device[i]).online,
                     s.device[i].keepalive_refused);
        assert_true(s.device[i].keepalive_ok >= 12);
    }
    assert_int_equal(sim_view(&s, &s.device[1]).peer.remote.port, 61234);
    assert_int_equal(text_count(s.log, "device offline"), 0);
    assert_true(sim_counters(&s).rate_limited > 400000);
    assert_true(most < 200000);
    assert_true(heap.live < live + 1100); /* log lines and the like */
    sim_free(&s);
    assert_int_equal(heap.live, 0);
}

/* A stranger elsewhere can still register. */
static void a_flood_of_one_source_is_its_own(void **state)
{
    struct sim_device *d;
    struct sip_peer from;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    from = knock_peer(&s, "203.0.113.1:9");
    for (unsigned i = 0; i < 20000; i++) {
        char buf[700];
        size_t n = flood_message(buf, sizeof(buf), 4 * i + 1);

        knock_say(&s, &from, buf, n, NULL, 0);
    }
    d = sim_add(&s, cam, "203.0.113.2:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    assert_true(sim_counters(&s).challenges <= 102);
    sim_free(&s);
}

/* The reserve of a device whose neighbours flood is for what is answered by the
 * platform; what the stack refuses by itself gets silence. */
static void a_reserve_is_no_source_of_refusals(void **state)
{
    static const char foo[] =
        "FOO sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 203.0.113.7:20001;rport;branch=z9hG4bKfoo%u\r\n"
        "From: <sip:34020000001320000001@" SIM_REALM ">;tag=1\r\n"
        "To: <sip:" SIM_ID "@" SIM_REALM ">\r\nCall-ID: foo%u\r\n"
        "CSeq: 1 FOO\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    struct sip_counters c;
    struct sip_peer from;
    struct sim_device *d;
    char buf[700];

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                              .rate_per_s = 1,
                                              .rate_burst = 4 });
    d = sim_add(&s, "34020000001320000001", "203.0.113.7:20000", SIP_UDP);
    sim_register(d);
    sim_run(&s, 1);
    assert_int_equal(d->registered, 1);
    from = knock_peer(&s, "203.0.113.7:20001");
    for (unsigned i = 0; i < 10; i++) {
        size_t n = (size_t)snprintf(buf, sizeof(buf), foo, i, i);
        unsigned status = knock_say(&s, &from, buf, n, NULL, 0);

        assert_int_equal(status, i < 4 ? 501 : 0);
    }
    sip_stack_counters(s.server, &c);
    assert_true(c.hushed >= 6);
    sim_free(&s);
}

/* Pings of strangers: silence over UDP, and a price where they are answered. */
static void pings_on_a_stream_are_paid_for(void **state)
{
    struct sip_peer from;
    unsigned n = 0;

    (void)state;
    knock_begin(&s, (struct platform_config){ .rate_per_s = 1, .rate_burst = 4 });
    from = knock_peer(&s, "203.0.113.1:9");
    for (unsigned i = 0; i < 20; i++)
        n += platform_admits(s.p, &from, SLICE("\r\n\r\n"), s.now);
    assert_int_equal(n, 20);
    from.transport = SIP_TCP;
    from.connection = 7;
    for (unsigned i = 0; i < 20; i++)
        n += platform_admits(s.p, &from, SLICE("\r\n\r\n"), s.now);
    assert_int_equal(n, 24);
    sim_free(&s);
}

/* A site with more devices than its bucket has tokens: those who prove
 * themselves do not use it up. */
static void a_large_site_logs_in(void **state)
{
    (void)state;
    knock_begin(&s, (struct platform_config){
                        .auto_enrol = true, .rate_per_s = 1, .rate_burst = 4 });
    for (unsigned i = 0; i < 40; i++) {
        char id[24], ip[40];
        struct sim_device *d;

        snprintf(id, sizeof(id), "3402000000132000%04u", i);
        snprintf(ip, sizeof(ip), "203.0.113.7:%u", 20000 + i);
        d = sim_add(&s, id, ip, SIP_UDP);
        sim_register(d);
        sim_run(&s, 1);
        assert_int_equal(d->registered, 1);
    }
    assert_int_equal(sim_counters(&s).rate_limited, 0);
    sim_free(&s);
}

/* A ban holds for guesses, not for a bound neighbour that moves. */
static void a_ban_spares_the_bound(void **state)
{
    struct sim_device *good, *bad;

    (void)state;
    knock_begin(&s, (struct platform_config){
                        .auto_enrol = true, .ban_failures = 3, .ban_s = 60 });
    good = sim_add(&s, cam, "192.168.1.10:5061", SIP_UDP);
    bad = sim_add(&s, nvr, "192.168.1.10:6666", SIP_UDP);
    bad->password = "guess";
    sim_register(good);
    sim_run(&s, 100);
    for (int i = 0; i < 3; i++) {
        sim_register(bad);
        sim_run(&s, 5000);
    }
    assert_true(text_has(s.log, "msg=\"source banned\" peer=192.168.1.10:6666 "
                           "seconds=60"));
    good->addr.port = 5999; /* its NAT port moves */
    good->to_server.local = good->addr;
    sim_keepalive(good, NULL);
    sim_run(&s, 1000);
    assert_int_equal(good->keepalive_refused, 0);
    assert_int_equal(sim_view(&s, good).peer.remote.port, 5999);
    /* the ban ends, and the next one is longer */
    sim_run(&s, 70000);
    for (int i = 0; i < 3; i++) {
        sim_register(bad);
        sim_run(&s, 61000);
    }
    assert_true(text_has(s.log, "seconds=120"));
    sim_free(&s);
}

static void failures_are_backed_off(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->password = "guess";
    for (int i = 0; i < 4; i++) {
        sim_register(d);
        sim_run(&s, 10);
    }
    /* two for nothing, the third costs a second, the fourth is not looked at */
    assert_int_equal(d->last_status, 503);
    assert_true(text_has(d->last_extra, "\r\nRetry-After: 1\r\n"));
    assert_int_equal(text_count(s.log, "registration refused"), 3);
    assert_int_equal(sim_counters(&s).backed_off, 1);
    sim_run(&s, 1000);
    d->password = SIM_PASSWORD;
    sim_register(d);
    sim_run(&s, 10);
    assert_int_equal(d->last_status, 200);
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peeks),
        cmocka_unit_test(source_keys),
        cmocka_unit_test(a_flood_reaches_nobody),
        cmocka_unit_test(a_flood_of_one_source_is_its_own),
        cmocka_unit_test(a_reserve_is_no_source_of_refusals),
        cmocka_unit_test(pings_on_a_stream_are_paid_for),
        cmocka_unit_test(a_large_site_logs_in),
        cmocka_unit_test(a_ban_spares_the_bound),
        cmocka_unit_test(failures_are_backed_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
