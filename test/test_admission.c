/* Who is let in, as the field notes want it: groups 1, 18.10, 18.11, 19.3. Names
 * of tests begin with the number of their row. */
#include "test/knock.h"

#include <stdio.h>

#include "app/platform/admit.h"

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";
static const char nvr[] = "34020000001180000009";

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static struct platform_pending pending(size_t i)
{
    struct platform_pending k;

    assert_true(platform_pending_at(s.p, i, &k));
    return k;
}

static void expect_pending(const char *part)
{
    struct platform_pending k = pending(0);
    char text[256];

    snprintf(text, sizeof(text), "%.*s", SLICE_ARG(k.reason));
    if (!text_has(text, part))
        fail_msg("pending says: %s", text);
}

/* ---- looking without parsing ---- */

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

/* ---- group 1 ---- */

static void note_1_1_each_digest_parameter_is_optional(void **state)
{
    static const char *const values[] = {
        "Digest", "Digest ", "Digest username=\"34020000001320000001\"",
        "Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"00\", uri=\"sip:x\"",
        "Digest realm=\"3402000000\", response=\"00\"", "Basic YTpi",
        "Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"00\", uri=\"sip:x\", response=\"\", qop=auth",
        "Capability algorithm=\"A:SM2;H:SM3;S:SM4/OFB/PKCS5;SI:SM3-SM2\"",
    };
    char line[400], answer[2048];

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(values); i++) {
        snprintf(line, sizeof(line),
                 "Call-ID: c%zu\r\nExpires: 3600\r\nAuthorization: %s\r\n", i,
                 values[i]);
        if (knock_register(&s, "192.168.1.10", cam, line, answer,
                           sizeof(answer)) != 401)
            fail_msg("%s: %s", values[i], answer);
        assert_true(text_has(answer, "\r\nWWW-Authenticate: Digest "));
        assert_false(text_has(answer, "stale"));
        assert_true(text_has(answer, "\r\nX-GB-Ver: 3.0\r\n"));
    }
    sim_free(&s);
}

static void twist_uri(char *authorization)
{
    char *uri = strstr(authorization, "uri=\"sip:");

    assert_non_null(uri);
    uri[9] = '9'; /* the digest was made with the Request-URI */
}

static void leave_out_realm(char *authorization)
{
    char *realm = strstr(authorization, "realm=\"");
    char *end;

    assert_non_null(realm);
    end = strchr(realm, ',') + 2;
    memmove(realm, end, strlen(end) + 1);
}

/* The digest says that it was made for ours. */
static void note_1_1_a_realm_that_is_left_out(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = leave_out_realm;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    sim_free(&s);
}

static void note_1_2_the_request_uri_variant_is_told(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_uri;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    assert_true(text_has(s.log, "made with the Request-URI and another uri"));
    assert_true(
        text_has(s.log, "username=\"34020000001320000001\" uri=\"sip:9"));
    expect_pending("made with the Request-URI");
    sim_free(&s);
}

/* It does answer, but its answer cannot even be checked: that is another fault
 * than an answer that gets lost. */
static void note_1_2_what_cannot_be_checked_is_told(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        { "Basic YTpi", "something else than a digest" },
        { "Capability algorithm=\"A:SM2;H:SM3\"",
          "something else than a digest" },
        { "Digest realm=\"3402000000\", nonce=\"00\", uri=\"sip:x\", "
          "response=\"00000000000000000000000000000000\"",
          "its digest is incomplete" },
        { "Digest username=\"34020000001320000001\", realm=\"hik\", "
          "nonce=\"00\", uri=\"sip:x\", "
          "response=\"00000000000000000000000000000000\"",
          "another SIP domain" },
        { "Digest username=\"34020000001320000001\", realm=\"3402000000\", "
          "nonce=\"00\", uri=\"sip:x\", algorithm=SHA-256, response=\"00000000"
          "00000000000000000000000000000000000000000000000000000000\"",
          "an algorithm that it was not offered" },
        { "Digest username=\"34020000001320000001\", realm=\"3402000000\", "
          "nonce=\"00\", uri=\"sip:x\", qop=auth-int, nc=00000001, "
          "cnonce=\"a\", response=\"00000000000000000000000000000000\"",
          "another qop" },
        { "Digest username=\"34020000001320000001\", realm=\"3402000000\", "
          "nonce=\"00\", uri=\"sip:x\", "
          "response=\"00000000000000000000000000000000\"",
          "an old challenge" },
    };
    char line[500];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        knock_begin(&s, (struct platform_config){ .auto_enrol = true });
        for (int try = 0; try < 12; try++) {
            snprintf(line, sizeof(line),
                     "Call-ID: c%d\r\nExpires: 3600\r\n%s%s%s", try,
                     try % 2 ? "Authorization: " : "",
                     try % 2 ? cases[i].line : "", try % 2 ? "\r\n" : "");
            assert_int_equal(
                knock_register(&s, "192.168.1.10:5060", cam, line, NULL, 0),
                401);
        }
        expect_pending(cases[i].why);
        assert_int_equal(count(s.log, "challenges are not answered"), 0);
        sim_free(&s);
    }
}

static void note_1_3_qop_is_left_out_after_failures(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(
        &s, (struct platform_config){ .auto_enrol = true, .offer_qop = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->password = "wrong";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(knock_register(&s, "192.168.1.10", cam,
                                        "Call-ID: q\r\n", d->last_extra,
                                        sizeof(d->last_extra)),
                         401);
        assert_true(text_has(d->last_extra, "qop=\"auth\""));
        sim_register(d);
        sim_run(&s, 5000);
    }
    assert_int_equal(knock_register(&s, "192.168.1.10", cam, "Call-ID: q\r\n",
                                    d->last_extra, sizeof(d->last_extra)),
                     401);
    assert_false(text_has(d->last_extra, "qop"));
    /* another device is not concerned */
    assert_int_equal(knock_register(&s, "192.168.1.11", cam2, "Call-ID: q2\r\n",
                                    d->last_extra, sizeof(d->last_extra)),
                     401);
    assert_true(text_has(d->last_extra, "qop=\"auth\""));
    sim_free(&s);
}

static void note_1_4_a_known_device_under_another_id(void **state)
{
    struct sim_device *a, *b;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    a = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    b = sim_add(&s, nvr, "192.168.1.10:5061", SIP_UDP);
    b->password = "not typed again";
    sim_register(a);
    sim_run(&s, 100);
    sim_register(b);
    sim_run(&s, 100);
    assert_int_equal(b->last_status, 403);
    expect_pending("the device at this address is known as "
                   "34020000001320000001");
    sim_free(&s);
}

static void note_1_6_udp_and_tcp_at_the_same_time(void **state)
{
    struct sim_device *udp, *tcp;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    udp = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    tcp = sim_add(&s, cam2, "192.168.1.10:5060", SIP_TCP);
    sim_register(udp);
    sim_register(tcp);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, udp).online && sim_view(&s, tcp).online);
    assert_int_equal(sim_view(&s, tcp).peer.transport, SIP_TCP);
    sim_free(&s);
}

/* Every legal form of the Request-URI, and IPv6 addresses. */
static void note_1_7_request_uris_and_ipv6(void **state)
{
    static const char *const uris[] = {
        "sip:34020000002000000001@3402000000",
        "sip:34020000002000000001@192.168.1.1:5060",
        "sip:34020000002000000001@[2001:db8::1]:5060",
        "sip:3402000000", "sip:192.168.1.1;transport=udp",
    };
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct sip_peer from = knock_peer(&s, "[2001:db8::10]:5060");
        char buf[1024];
        int n = snprintf(
            buf, sizeof(buf),
            "REGISTER %s SIP/2.0\r\n"
            "Via: SIP/2.0/UDP [2001:db8::10]:5060;rport;branch=z9hG4bKu%zu\r\n"
            "From: <sip:%s@[2001:db8::10]:5060>;tag=1\r\n"
            "To: <sip:%s@[2001:db8::10]>\r\nCall-ID: u%zu\r\n"
            "CSeq: 1 REGISTER\r\nContact: <sip:%s@[2001:db8::10]:5060>\r\n"
            "Expires: 3600\r\nContent-Length: 0\r\n\r\n",
            uris[i], i, cam, cam, i, cam);

        if (knock_say(&s, &from, buf, (size_t)n, NULL, 0) != 401)
            fail_msg("%s", uris[i]);
    }
    d = sim_add(&s, cam, "[2001:db8::10]:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(d->registered, 1);
    assert_int_equal(sim_view(&s, d).peer.remote.family, GB_IPV6);
    sim_free(&s);
}

/* Scanners cost no digest, no transaction and no line each. */
static void note_1_14_scanners_are_dropped(void **state)
{
    struct sip_peer from;
    struct sip_counters before, after;
    char buf[1024];

    (void)state;
    knock_begin(
        &s, (struct platform_config){ .auto_enrol = true, .rate_burst = 1000 });
    from = knock_peer(&s, "198.51.100.7:5071");
    sip_stack_counters(s.server, &before);
    for (int i = 0; i < 100; i++) {
        int n = snprintf(
            buf, sizeof(buf),
            "%s sip:100@192.168.1.1 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 198.51.100.7:5071;branch=z9hG4bK-%d;rport\r\n"
            "From: \"sipvicious\" <sip:100@1.1.1.1>;tag=%d\r\n"
            "To: \"sipvicious\" <sip:100@1.1.1.1>\r\nCall-ID: %d\r\n"
            "CSeq: 1 %s\r\nUser-Agent: friendly-scanner\r\n"
            "Content-Length: 0\r\n\r\n",
            i % 2 ? "OPTIONS" : "REGISTER", i, i, i,
            i % 2 ? "OPTIONS" : "REGISTER");

        assert_int_equal(knock_say(&s, &from, buf, (size_t)n, NULL, 0), 0);
    }
    sip_stack_counters(s.server, &after);
    assert_int_equal(after.received, before.received);
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(sim_counters(&s).challenges, 0);
    assert_int_equal(sim_counters(&s).scanners, 100);
    assert_int_equal(s.log_len, 0);
    sim_run(&s, 61000);
    assert_int_equal(count(s.log, "\n"), 1); /* one line for all */
    assert_true(
        text_has(s.log, "strangers were not answered\" n=100 scanners=100"));
    assert_true(text_has(s.log, "peer=198.51.100.7:5071 user=\"100\" "
                           "agent=\"friendly-scanner\""));
    sim_run(&s, 600000);
    assert_int_equal(count(s.log, "\n"), 1);
    sim_free(&s);
}

static void note_1_15_and_18_10_no_open_registration(void **state)
{
    struct platform_config c = { .id = SIM_ID, .realm = SIM_REALM,
                                 .password = "" };
    struct platform *p;
    struct platform_device v;
    struct sim_device *d;

    (void)state;
    assert_int_not_equal(platform_new(&p, &c, (struct gb_time){ 0, 0 }), 0);
    knock_begin(&s, (struct platform_config){ .auto_enrol = false });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    sim_register(d); /* right password, but nobody let it in */
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    assert_int_equal(platform_device_count(s.p, NULL), 0);
    assert_false(platform_device_view(s.p, slice_str(cam), &v));
    expect_pending("not enrolled; its password is right");
    sim_free(&s);
}

static void note_1_16_lists_by_network_and_by_id(void **state)
{
    static const char *const deny_ids[] = { "34020000001320000008",
                                            "34020000001180" };
    static const char *const allow_ids[] = { "3402000000" };
    struct platform_net deny = { .bits = 24 }, allow = { .bits = 16 };
    struct sim_device *good, *bad_id, *bad_net, *far, *other;

    (void)state;
    gb_addr_parse_ip(&deny.net, SLICE("192.168.9.0"));
    gb_addr_parse_ip(&allow.net, SLICE("192.168.0.0"));
    knock_begin(&s, (struct platform_config){
        .auto_enrol = true, .deny = &deny, .n_deny = 1, .allow = &allow,
        .n_allow = 1, .deny_ids = deny_ids, .n_deny_ids = 2,
        .allow_ids = allow_ids, .n_allow_ids = 1 });
    good = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    bad_id = sim_add(&s, nvr, "192.168.1.11:5060", SIP_UDP);
    bad_net = sim_add(&s, cam2, "192.168.9.12:5060", SIP_UDP);
    far = sim_add(&s, "34020000001320000003", "10.0.0.1:5060", SIP_UDP);
    other = sim_add(&s, "44020000001320000004", "192.168.1.13:5060", SIP_UDP);
    for (unsigned i = 0; i < s.n_devices; i++)
        sim_register(&s.device[i]);
    sim_run(&s, 100);
    assert_int_equal(good->last_status, 200);
    assert_int_equal(bad_id->last_status, 403);
    assert_int_equal(bad_net->last_status, 0); /* silence */
    assert_int_equal(far->last_status, 0);
    assert_int_equal(other->last_status, 403);
    assert_true(sim_counters(&s).denied >= 2);
    expect_pending("sip.allow_ids and sip.deny_ids");
    sim_free(&s);
}

/* A restart with a new list: what was bound there is bound no more. */
static void a_denied_binding_is_not_restored(void **state)
{
    struct platform_net deny = { .bits = 32 };
    struct platform_saved_device saved = { .id = { cam, 20 } };
    struct sim_device *d;

    (void)state;
    gb_addr_parse_ip(&deny.net, SLICE("192.168.1.10"));
    knock_begin(&s, (struct platform_config){ .deny = &deny, .n_deny = 1 });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    saved.peer = (struct sip_peer){ .transport = SIP_UDP, .remote = d->addr };
    saved.expires_utc_ms = s.now.utc_ms + 3600000;
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_false(sim_view(&s, d).online);
    assert_int_equal(d->keepalive_ok + d->keepalive_refused, 0);
    sim_free(&s);
}

static void note_1_18_a_sip_alg_is_suspected(void **state)
{
    static const struct {
        const char *name, *from, *call_id, *contact;
        bool alg;
    } cases[] = {
        { "behind a plain NAT", "203.0.113.5:40000", "a@192.168.1.10",
          "192.168.1.10:5060", false },
        { "Contact rewritten", "203.0.113.5:40000", "a@192.168.1.10",
          "203.0.113.5:40000", true },
        { "a lab", "192.168.1.10:5060", "a@10.0.0.1", "192.168.1.10:5060",
          false },
        { "names tell nothing", "203.0.113.5:40000", "a@camera",
          "camera.example:5060", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[300];
        struct platform_pending k;

        knock_begin(&s, (struct platform_config){ .auto_enrol = true });
        snprintf(line, sizeof(line),
                 "Call-ID: %s\r\nContact: <sip:%s@%s>\r\nExpires: 3600\r\n",
                 cases[i].call_id, cam, cases[i].contact);
        assert_int_equal(knock_register(&s, cases[i].from, cam, line, NULL, 0),
                         401);
        k = pending(0);
        if ((slice_find_slice(k.reason, SLICE("SIP ALG suspected")) <
             k.reason.n) != cases[i].alg)
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(k.reason));
        sim_free(&s);
    }
}

static void note_1_19_the_answer_does_not_reach_it(void **state)
{
    struct platform_saved_device known = { .id = { cam2, 20 } };
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    assert_int_equal(platform_restore_device(s.p, &known, s.now), 0);
    for (int i = 0; i < 5; i++) {
        char line[64];

        if (i > 0)
            expect_pending("has not answered yet");
        snprintf(line, sizeof(line), "Call-ID: c%d\r\nExpires: 3600\r\n", i);
        assert_int_equal(
            knock_register(&s, "203.0.113.5:6081", cam, line, NULL, 0), 401);
        snprintf(line, sizeof(line), "Call-ID: d%d\r\nExpires: 3600\r\n", i);
        assert_int_equal(
            knock_register(&s, "203.0.113.6:6784", cam2, line, NULL, 0), 401);
        if (i == 0)
            assert_false(text_has(s.log, "challenges are not answered"));
    }
    expect_pending("do not seem to reach it, try SIP over TCP");
    sim_run(&s, 1);
    assert_int_equal(count(s.log, "challenges are not answered"), 2);
    d = sim_add(&s, cam2, "203.0.113.6:6784", SIP_UDP);
    assert_true(sim_view(&s, d).deviations > 0);
    sim_free(&s);
}

static void note_1_20_no_stored_address_is_answered(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(gb_addr_parse(&d->addr, SLICE("192.168.1.77:5062"), 0), 0);
    d->to_server.local = d->addr;
    sim_register(d); /* the 401 must come here, not to where it was */
    sim_run(&s, 100);
    assert_int_equal(d->registered, 2);
    assert_int_equal(sim_view(&s, d).peer.remote.ip[3], 77);
    sim_free(&s);
}

/* ---- 18.11 ---- */

static void note_18_11_requests_come_from_the_binding(void **state)
{
    static const struct {
        const char *name, *from, *method;
    } cases[] = {
        { "another IP", "192.168.1.66:5060", "MESSAGE" },
        { "another IP, NOTIFY", "192.168.1.66:5060", "NOTIFY" },
        { "another IP, INVITE", "192.168.1.66:5060", "INVITE" },
        { "another IP, INFO", "192.168.1.66:5060", "INFO" },
    };
    static const char body[] =
        "<?xml version=\"1.0\"?>\r\n<Notify><CmdType>Keepalive</CmdType>"
        "<SN>1</SN><DeviceID>34020000001320000001</DeviceID>"
        "<Status>OK</Status></Notify>";
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 10000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_peer from = knock_peer(&s, cases[i].from);
        uint64_t keepalives = sim_counters(&s).keepalives;
        char buf[1024], answer[2048] = "";
        unsigned status;
        int n = snprintf(
            buf, sizeof(buf),
            "%s sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
            "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bKspoof%zu\r\n"
            "From: <sip:%s@" SIM_REALM ">;tag=1\r\n"
            "To: <sip:" SIM_ID "@" SIM_REALM ">\r\nCall-ID: spoof%zu\r\n"
            "CSeq: 1 %s\r\nMax-Forwards: 70\r\n"
            "Content-Type: Application/MANSCDP+xml\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            cases[i].method, cases[i].from, i, cam, i, cases[i].method,
            sizeof(body) - 1, body);

        status = knock_say(&s, &from, buf, (size_t)n, answer, sizeof(answer));
        if (status < 400)
            fail_msg("%s: %u", cases[i].name, status);
        assert_int_equal(sim_counters(&s).keepalives, keepalives);
    }
    assert_int_equal(sim_view(&s, d).peer.remote.ip[3], 10);
    sim_free(&s);
}

/* ---- 19.3 ---- */

static void note_19_3_registers_are_shed_with_retry_after(void **state)
{
    char answer[2048] = "";
    unsigned challenged = 0, shed = 0;
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                    .registers_per_s = 50 });
    d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
    d->keepalive_ms = 20000;
    sim_register(d);
    sim_run(&s, 2000);
    for (unsigned i = 0; i < 200; i++) { /* power is back in the whole town */
        char id[24], from[40], line[64];
        unsigned status;

        snprintf(id, sizeof(id), "3402000000132%07u", 1000 + i);
        snprintf(from, sizeof(from), "10.%u.0.1:5060", i);
        snprintf(line, sizeof(line), "Call-ID: t%u\r\nExpires: 3600\r\n", i);
        status = knock_register(&s, from, id, line, answer, sizeof(answer));
        challenged += status == 401;
        shed += status == 503;
        if (status == 503)
            assert_true(text_has(answer, "\r\nRetry-After: "));
    }
    assert_int_equal(challenged, 50);
    assert_int_equal(shed, 150);
    assert_int_equal(sim_counters(&s).shed, 150);
    /* who has a binding is not shed */
    sim_register(d);
    sim_run(&s, 10);
    assert_int_equal(d->registered, 2);
    sim_run(&s, 1000);
    assert_int_equal(
        knock_register(&s, "10.0.9.9:5060", cam, "Call-ID: z\r\n", NULL, 0),
        401);
    sim_free(&s);
}

/* ---- floods ---- */

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
    assert_int_equal(count(s.log, "device offline"), 0);
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
    assert_int_equal(count(s.log, "registration refused"), 3);
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
        cmocka_unit_test(note_1_1_each_digest_parameter_is_optional),
        cmocka_unit_test(note_1_1_a_realm_that_is_left_out),
        cmocka_unit_test(note_1_2_the_request_uri_variant_is_told),
        cmocka_unit_test(note_1_2_what_cannot_be_checked_is_told),
        cmocka_unit_test(note_1_3_qop_is_left_out_after_failures),
        cmocka_unit_test(note_1_4_a_known_device_under_another_id),
        cmocka_unit_test(note_1_6_udp_and_tcp_at_the_same_time),
        cmocka_unit_test(note_1_7_request_uris_and_ipv6),
        cmocka_unit_test(note_1_14_scanners_are_dropped),
        cmocka_unit_test(note_1_15_and_18_10_no_open_registration),
        cmocka_unit_test(note_1_16_lists_by_network_and_by_id),
        cmocka_unit_test(a_denied_binding_is_not_restored),
        cmocka_unit_test(note_1_18_a_sip_alg_is_suspected),
        cmocka_unit_test(note_1_19_the_answer_does_not_reach_it),
        cmocka_unit_test(note_1_20_no_stored_address_is_answered),
        cmocka_unit_test(note_18_11_requests_come_from_the_binding),
        cmocka_unit_test(note_19_3_registers_are_shed_with_retry_after),
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
