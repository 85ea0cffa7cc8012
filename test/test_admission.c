/* Who is let in, as the field notes want it: groups 1, 18.10, 18.11, 19.3. Names
 * of tests begin with the number of their row. */
#include "test/knock.h"

#include <stdio.h>

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";
static const char nvr[] = "34020000001180000009";

static struct platform_pending pending(size_t i)
{
    struct platform_pending k = { .id = SLICE("") };

    do
        assert_true(platform_pending_next(s.p, k.id, &k));
    while (i-- > 0);
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
        { "Digest username=\"34020000001320000001\", realm=\"\", "
          "nonce=\"00\", uri=\"sip:x\", "
          "response=\"00000000000000000000000000000000\"",
          "its digest was made for another SIP domain" },
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
        assert_int_equal(text_count(s.log, "challenges are not answered"), 0);
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
    assert_int_equal(text_count(s.log, "\n"), 1); /* one line for all */
    assert_true(
        text_has(s.log, "strangers were not answered\" n=100 scanners=100"));
    assert_true(text_has(s.log, "peer=198.51.100.7:5071 user=\"100\" "
                           "agent=\"friendly-scanner\""));
    sim_run(&s, 600000);
    assert_int_equal(text_count(s.log, "\n"), 1);
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
    assert_int_equal(text_count(s.log, "challenges are not answered"), 2);
    d = sim_add(&s, cam2, "203.0.113.6:6784", SIP_UDP);
    assert_int_equal(sim_view(&s, d).deviations, 0); /* anybody may knock so */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
