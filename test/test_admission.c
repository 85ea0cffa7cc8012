/* Admission and authentication as the field notes want them: groups 1, 18.10,
 * 18.11, 19.3. Names of tests begin with the number of their row. */
#include "test/sim.h"

#include <stdio.h>

#include "app/platform/admit.h"
#include "sip/digest.h"

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";
static const char nvr[] = "34020000001180000009";

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static void begin(struct platform_config c)
{
    struct sim_options o = { .config = c };

    assert_true(sim_init(&s, &o));
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
    if (!has(text, part))
        fail_msg("pending says: %s", text);
}

/* ---- one message from anywhere ---- */

static struct sip_peer peer_of(const char *from)
{
    struct sip_peer p = { .transport = SIP_UDP, .local = s.server_addr };

    assert_int_equal(gb_addr_parse(&p.remote, slice_str(from), 5060), 0);
    return p;
}

/* Gives the platform a datagram; the status of its answer, 0: silence. */
static unsigned say(const struct sip_peer *peer, const char *text, size_t n,
                    char *answer, size_t cap)
{
    struct sip_peer copy = *peer, *from = &copy;
    struct slice bytes = guarded(slice_of(text, n));
    struct sip_event ev;
    struct sip_out out;
    uint32_t status = 0;

    if (!platform_admits(s.p, from, bytes, s.now))
        return 0;
    sip_stack_input(s.server, from, bytes, s.now.mono_ms);
    while (sip_stack_event(s.server, &ev))
        platform_sip(s.p, &ev, s.now);
    while (sip_stack_output(s.server, &out))
        if (gb_addr_eq(&out.peer.remote, &from->remote) && out.bytes.n > 12 &&
            slice_has_prefix(out.bytes, SLICE("SIP/2.0 "))) {
            assert_true(slice_u32(slice_of(out.bytes.p + 8, 3), 699, &status));
            if (answer)
                slice_copy(answer, cap, out.bytes);
        }
    return status;
}

/* A REGISTER with these lines between To and the end. */
static size_t a_register(char *buf, size_t cap, const char *id,
                         const char *lines)
{
    static unsigned n;

    return (size_t)snprintf(
        buf, cap,
        "REGISTER sip:" SIM_ID "@" SIM_REALM " SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bKraw%u\r\n"
        "From: <sip:%s@" SIM_REALM ">;tag=1\r\n"
        "To: <sip:%s@" SIM_REALM ">\r\n"
        "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
        "%sContent-Length: 0\r\n\r\n",
        ++n, id, id, lines);
}

static unsigned try_register(const char *from, const char *id,
                             const char *lines, char *answer, size_t cap)
{
    struct sip_peer p = peer_of(from);
    char buf[2048];
    size_t n = a_register(buf, sizeof(buf), id, lines);

    return say(&p, buf, n, answer, cap);
}

/* ---- looking without parsing ---- */

static void peeks(void **state)
{
    static const struct {
        const char *name, *text, *user, *agent;
        bool response, is_register, scanner;
    } cases[] = {
        { "a device", "REGISTER sip:1@2 SIP/2.0\r\nVia: x\r\n"
          "From: \"a\" <sip:34020000001320000001@3402000000>;tag=1\r\n"
          "User-Agent: IP Camera\r\n\r\n",
          cam, "IP Camera", false, true, false },
        { "compact, no blank, LF", "MESSAGE sip:1@2 SIP/2.0\n"
          "f:sip:34020000001320000001@h;tag=1\n\n",
          cam, "", false, false, false },
        { "an extension", "REGISTER sip:h SIP/2.0\r\nFrom: <sip:100@h>\r\n\r\n",
          "100", "", false, true, true },
        { "a scanner's agent", "OPTIONS sip:100@h SIP/2.0\r\n"
          "From: <sip:34020000001320000001@h>\r\n"
          "User-agent:   friendly-scanner\r\n\r\n",
          cam, "friendly-scanner", false, false, true },
        { "any case", "INVITE sip:1@h SIP/2.0\r\nUSER-AGENT: SIPVicious 0.3\r\n"
          "\r\n", "", "SIPVicious 0.3", false, false, true },
        { "the body is not read", "MESSAGE sip:1@2 SIP/2.0\r\n\r\n"
          "From: <sip:100@h>\r\nUser-Agent: sipcli\r\n",
          "", "", false, false, false },
        { "an answer names its sender in To", "SIP/2.0 200 OK\r\n"
          "From: <sip:34020000002000000001@h>\r\nTo: <sip:34020000001320000001@h>"
          "\r\n\r\n", cam, "", true, false, false },
        { "escapes are for the parser", "REGISTER sip:h SIP/2.0\r\n"
          "From: <sip:%33402@h>\r\n\r\n", "%33402", "", false, true, false },
        { "no user", "OPTIONS sip:h SIP/2.0\r\nFrom: <sip:host>;tag=1@\r\n\r\n",
          "", "", false, false, false },
        { "nothing", "", "", "", false, false, false },
        { "garbage", "\x80\x01 From \r\n:::\r\n: ", "", "", false, false, false },
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
        uint8_t a[ADMIT_SOURCE_KEY], b[ADMIT_SOURCE_KEY];
        struct gb_addr x, y;
        size_t n;

        assert_int_equal(gb_addr_parse(&x, slice_str(cases[i].a), 1), 0);
        assert_int_equal(gb_addr_parse(&y, slice_str(cases[i].b), 1), 0);
        n = admit_source_key(&x, a);
        assert_int_equal(n, admit_source_key(&y, b));
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
    begin((struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(values); i++) {
        snprintf(line, sizeof(line),
                 "Call-ID: c%zu\r\nExpires: 3600\r\nAuthorization: %s\r\n", i,
                 values[i]);
        if (try_register("192.168.1.10", cam, line, answer,
                         sizeof(answer)) != 401)
            fail_msg("%s: %s", values[i], answer);
        assert_true(has(answer, "\r\nWWW-Authenticate: Digest "));
        assert_false(has(answer, "stale"));
        assert_true(has(answer, "\r\nX-GB-Ver: 3.0\r\n"));
    }
    sim_free(&s);
}

static void twist_uri(char *authorization)
{
    char *uri = strstr(authorization, "uri=\"sip:");

    assert_non_null(uri);
    uri[9] = '9'; /* the digest was made with the Request-URI */
}

static void note_1_2_the_request_uri_variant_is_told(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_uri;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 403);
    assert_true(has(s.log, "made with the Request-URI and another uri"));
    assert_true(has(s.log, "username=\"34020000001320000001\" uri=\"sip:9"));
    expect_pending("made with the Request-URI");
    sim_free(&s);
}

static void note_1_3_qop_is_left_out_after_failures(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true, .offer_qop = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->password = "wrong";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            try_register("192.168.1.10", cam, "Call-ID: q\r\n", d->last_extra,
                         sizeof(d->last_extra)), 401);
        assert_true(has(d->last_extra, "qop=\"auth\""));
        sim_register(d);
        sim_run(&s, 5000);
    }
    assert_int_equal(
        try_register("192.168.1.10", cam, "Call-ID: q\r\n", d->last_extra,
                     sizeof(d->last_extra)), 401);
    assert_false(has(d->last_extra, "qop"));
    /* another device is not concerned */
    assert_int_equal(
        try_register("192.168.1.11", cam2, "Call-ID: q2\r\n", d->last_extra,
                     sizeof(d->last_extra)), 401);
    assert_true(has(d->last_extra, "qop=\"auth\""));
    sim_free(&s);
}

static void note_1_4_a_known_device_under_another_id(void **state)
{
    struct sim_device *a, *b;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
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
    begin((struct platform_config){ .auto_enrol = true });
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
    begin((struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct sip_peer from = peer_of("[2001:db8::10]:5060");
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

        if (say(&from, buf, (size_t)n, NULL, 0) != 401)
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
    begin((struct platform_config){ .auto_enrol = true, .rate_burst = 1000 });
    from = peer_of("198.51.100.7:5071");
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

        assert_int_equal(say(&from, buf, (size_t)n, NULL, 0), 0);
    }
    sip_stack_counters(s.server, &after);
    assert_int_equal(after.received, before.received);
    assert_int_equal(after.memory, before.memory);
    assert_int_equal(sim_counters(&s).challenges, 0);
    assert_int_equal(sim_counters(&s).scanners, 100);
    assert_int_equal(s.log_len, 0);
    sim_run(&s, 61000);
    assert_int_equal(count(s.log, "\n"), 1); /* one line for all */
    assert_true(has(s.log, "strangers were not answered\" n=100 scanners=100"));
    assert_true(has(s.log, "peer=198.51.100.7:5071 user=\"100\" "
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
    begin((struct platform_config){ .auto_enrol = false });
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
    begin((struct platform_config){
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
    begin((struct platform_config){ .deny = &deny, .n_deny = 1 });
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

        begin((struct platform_config){ .auto_enrol = true });
        snprintf(line, sizeof(line),
                 "Call-ID: %s\r\nContact: <sip:%s@%s>\r\nExpires: 3600\r\n",
                 cases[i].call_id, cam, cases[i].contact);
        assert_int_equal(try_register(cases[i].from, cam, line, NULL, 0), 401);
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
    begin((struct platform_config){ .auto_enrol = true });
    assert_int_equal(platform_restore_device(s.p, &known, s.now), 0);
    for (int i = 0; i < 5; i++) {
        char line[64];

        if (i > 0)
            expect_pending("has not answered yet");
        snprintf(line, sizeof(line), "Call-ID: c%d\r\nExpires: 3600\r\n", i);
        assert_int_equal(try_register("203.0.113.5:6081", cam, line, NULL, 0),
                         401);
        snprintf(line, sizeof(line), "Call-ID: d%d\r\nExpires: 3600\r\n", i);
        assert_int_equal(try_register("203.0.113.6:6784", cam2, line, NULL, 0),
                         401);
        if (i == 0)
            assert_false(has(s.log, "challenges are not answered"));
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
    begin((struct platform_config){ .auto_enrol = true });
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
    begin((struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 10000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_peer from = peer_of(cases[i].from);
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

        status = say(&from, buf, (size_t)n, answer, sizeof(answer));
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
    begin((struct platform_config){ .auto_enrol = true,
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
        status = try_register(from, id, line, answer, sizeof(answer));
        challenged += status == 401;
        shed += status == 503;
        if (status == 503)
            assert_true(has(answer, "\r\nRetry-After: "));
    }
    assert_int_equal(challenged, 50);
    assert_int_equal(shed, 150);
    assert_int_equal(sim_counters(&s).shed, 150);
    /* who has a binding is not shed */
    sim_register(d);
    sim_run(&s, 10);
    assert_int_equal(d->registered, 2);
    sim_run(&s, 1000);
    assert_int_equal(try_register("10.0.9.9:5060", cam, "Call-ID: z\r\n", NULL,
                                  0), 401);
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
    begin((struct platform_config){ .auto_enrol = true });
    from = peer_of("203.0.113.1:9");
    for (unsigned i = 0; i < 20000; i++) {
        char buf[700];
        size_t n = flood_message(buf, sizeof(buf), 4 * i + 1);

        say(&from, buf, n, NULL, 0);
    }
    d = sim_add(&s, cam, "203.0.113.2:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    assert_true(sim_counters(&s).challenges <= 102);
    sim_free(&s);
}

/* Pings of strangers: silence over UDP, and a price where they are answered. */
static void pings_on_a_stream_are_paid_for(void **state)
{
    struct sip_peer from;
    unsigned n = 0;

    (void)state;
    begin((struct platform_config){ .rate_per_s = 1, .rate_burst = 4 });
    from = peer_of("203.0.113.1:9");
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
    begin((struct platform_config){ .auto_enrol = true, .rate_per_s = 1,
                                    .rate_burst = 4 });
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
    begin((struct platform_config){ .auto_enrol = true, .ban_failures = 3,
                                    .ban_s = 60 });
    good = sim_add(&s, cam, "192.168.1.10:5061", SIP_UDP);
    bad = sim_add(&s, nvr, "192.168.1.10:6666", SIP_UDP);
    bad->password = "guess";
    sim_register(good);
    sim_run(&s, 100);
    for (int i = 0; i < 3; i++) {
        sim_register(bad);
        sim_run(&s, 5000);
    }
    assert_true(has(s.log, "msg=\"source banned\" peer=192.168.1.10:6666 "
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
    assert_true(has(s.log, "seconds=120"));
    sim_free(&s);
}

static void failures_are_backed_off(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->password = "guess";
    for (int i = 0; i < 4; i++) {
        sim_register(d);
        sim_run(&s, 10);
    }
    /* two for nothing, the third costs a second, the fourth is not looked at */
    assert_int_equal(d->last_status, 503);
    assert_true(has(d->last_extra, "\r\nRetry-After: 1\r\n"));
    assert_int_equal(count(s.log, "registration refused"), 3);
    assert_int_equal(sim_counters(&s).backed_off, 1);
    sim_run(&s, 1000);
    d->password = SIM_PASSWORD;
    sim_register(d);
    sim_run(&s, 10);
    assert_int_equal(d->last_status, 200);
    sim_free(&s);
}

/* ---- digest ---- */

static void offers_are_by_strength_and_binding(void **state)
{
    struct sim_device *d;
    const char *sha, *md5;
    char answer[2048];

    (void)state;
    begin((struct platform_config){
        .auto_enrol = true,
        .digest = 1u << SIP_DIGEST_MD5 | 1u << SIP_DIGEST_SHA256 |
                  1u << SIP_DIGEST_SM3 });
    assert_int_equal(try_register("192.168.1.10", cam, "Call-ID: a\r\n",
                                  answer, sizeof(answer)), 401);
    assert_int_equal(count(answer, "\r\nWWW-Authenticate: Digest "), 3);
    sha = strstr(answer, "algorithm=SHA-256");
    md5 = strstr(answer, "algorithm=MD5");
    assert_true(sha && md5 && sha < md5);
    d = sim_add(&s, cam2, "192.168.1.11:5060", SIP_UDP);
    sim_register(d); /* takes the first */
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    assert_true(has(d->authorization, "algorithm=SM3"));
    sim_free(&s);
}

static void twist_alg(char *authorization)
{
    char *at = strstr(authorization, "algorithm=SHA-256");

    if (at)
        memcpy(at, "algorithm=SHA-255", 17);
}

static void an_algorithm_that_was_not_offered(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true,
                                    .digest = 1u << SIP_DIGEST_SHA256 });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_alg;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 0);
    assert_int_equal(d->last_status, 401); /* no failure, no stale */
    assert_int_equal(d->challenged, 2);
    assert_int_equal(d->stale, 0);
    sim_free(&s);
}

/* No downgrade: MD5 where only SHA-256 was offered. */
static void no_downgrade(void **state)
{
    char line[800], answer[2048], response[SIP_DIGEST_HEX];
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5 };
    struct sip_ha1 ha1;
    const char *nonce;
    size_t n;

    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        begin((struct platform_config){
            .auto_enrol = true,
            .digest = 1u << SIP_DIGEST_SHA256 |
                      (offered ? 1u << SIP_DIGEST_MD5 : 0) });
        try_register("192.168.1.10", cam, "Call-ID: a\r\n", answer,
                     sizeof(answer));
        nonce = strstr(answer, "nonce=\"");
        assert_non_null(nonce);
        c.uri = SLICE("sip:x");
        c.nonce = slice_of(nonce + 7, SIP_NONCE_LEN);
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE("REGISTER"), &ha1, response);
        snprintf(line, sizeof(line),
                 "Call-ID: a\r\nExpires: 60\r\nAuthorization: Digest "
                 "username=\"%s\",realm=\"" SIM_REALM "\",nonce=\"%.*s\","
                 "uri=\"sip:x\",response=\"%.*s\"\r\n",
                 cam, SLICE_ARG(c.nonce), (int)n, response);
        assert_int_equal(try_register("192.168.1.10", cam, line, NULL, 0),
                         offered ? 200 : 401);
        sim_free(&s);
    }
}

/* The -sess variant of what was offered is no downgrade, and is used in the
 * field; that of another hash is refused. */
static void sess_unasked(void **state)
{
    static const struct {
        unsigned offered;
        enum sip_digest_alg used;
        unsigned status;
    } cases[] = {
        { 1u << SIP_DIGEST_MD5, SIP_DIGEST_MD5_SESS, 200 },
        { 1u << SIP_DIGEST_SHA256, SIP_DIGEST_SHA256_SESS, 200 },
        { 1u << SIP_DIGEST_SHA256, SIP_DIGEST_MD5_SESS, 401 },
        { 1u << SIP_DIGEST_SHA256_SESS, SIP_DIGEST_SHA256, 401 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char answer[2048], line[900] = "Call-ID: s\r\nExpires: 60\r\n"
                                       "Authorization: ";
        size_t at = strlen(line);
        struct writer w = writer_of(line + at, sizeof(line) - at - 3);
        const struct sip_answer a = {
            .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
            .method = SLICE("REGISTER"), .uri = SLICE("sip:x"),
            .cnonce = SLICE("c"), .nc = 1 };
        struct sip_challenge c = { .realm = SLICE(SIM_REALM),
                                   .alg = cases[i].used };
        const char *nonce;

        begin((struct platform_config){ .auto_enrol = true,
                                        .digest = cases[i].offered });
        try_register("192.168.1.10", cam, "Call-ID: s\r\n", answer,
                     sizeof(answer));
        nonce = strstr(answer, "nonce=\"");
        assert_non_null(nonce);
        c.nonce = slice_of(nonce + 7, SIP_NONCE_LEN);
        assert_int_equal(sip_answer_write(&w, &c, &a), 0);
        memcpy(line + at + w.len, "\r\n", 3);
        if (try_register("192.168.1.10", cam, line, NULL, 0) !=
            cases[i].status)
            fail_msg("case %zu", i);
        sim_free(&s);
    }
}

static void twist_auth_int(char *authorization)
{
    char *at = strstr(authorization, "qop=auth, nc=");
    char copy[800];

    assert_non_null(at);
    *at = '\0';
    snprintf(copy, sizeof(copy), "%sqop=auth-int, nc=%s", authorization,
             at + 13);
    memcpy(authorization, copy, strlen(copy) + 1);
}

static void auth_int_is_challenged(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true, .offer_qop = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_auth_int;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 401);
    assert_int_equal(d->stale, 0);
    assert_false(has(s.log, "registration refused"));
    sim_free(&s);
}

/* With qop a response is good once; without it, as long as its nonce. */
static void repeats_are_stale(void **state)
{
    (void)state;
    for (int qop = 0; qop < 2; qop++) {
        struct sim_device *d;

        begin((struct platform_config){ .auto_enrol = true,
                                        .offer_qop = qop });
        d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
        d->keep_auth = true;
        sim_register(d);
        sim_run(&s, 100);
        sim_register(d); /* the same nonce and nc */
        sim_run(&s, 100);
        assert_int_equal(d->registered, 2);
        assert_int_equal(d->challenged, qop ? 2 : 1);
        assert_int_equal(d->stale, qop);
        sim_free(&s);
    }
}

/* The answer to a REGISTER with credentials without qop for this nonce. */
static unsigned reuse(const char *from, struct slice nonce, const char *call_id,
                      unsigned expires_s)
{
    const struct sip_answer a = {
        .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
        .method = SLICE("REGISTER"), .uri = SLICE("sip:x") };
    const struct sip_challenge c = { .realm = SLICE(SIM_REALM), .nonce = nonce,
                                     .alg = SIP_DIGEST_MD5 };
    char line[900], answer[2048];
    struct writer w = writer_of(line, sizeof(line) - 1);
    unsigned status;

    writer_f(&w, "Call-ID: %s\r\nContact: <sip:%s@192.168.1.10>\r\n"
                 "Expires: %u\r\nAuthorization: ", call_id, cam, expires_s);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    line[w.len] = '\0';
    status = try_register(from, cam, line, answer, sizeof(answer));
    if (status == 401)
        assert_true(has(answer, "stale=true"));
    return status;
}

static struct slice ask_nonce(char nonce[static SIP_NONCE_LEN]);

/* Without qop a response that was overheard is good for what its device has
 * already: it moves nothing, and logs nobody off. */
static void an_overheard_response_changes_nothing(void **state)
{
    static const struct {
        const char *name, *from, *call_id;
        unsigned expires_s, status;
    } cases[] = {
        { "a refresh", "192.168.1.10:5060", "one", 3600, 200 },
        { "log-off", "192.168.1.10:5060", "one", 0, 401 },
        { "another port", "192.168.1.10:5061", "one", 3600, 401 },
        { "another Call-ID", "192.168.1.10:5060", "two", 3600, 401 },
        { "a refresh after all that", "192.168.1.10:5060", "one", 3600, 200 },
    };
    char bytes[SIP_NONCE_LEN], newer[SIP_NONCE_LEN];
    struct slice nonce;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
    nonce = ask_nonce(bytes);
    assert_int_equal(reuse("192.168.1.10:5060", nonce, "one", 3600), 200);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned got = reuse(cases[i].from, nonce, cases[i].call_id,
                             cases[i].expires_s);

        if (got != cases[i].status)
            fail_msg("%s: %u", cases[i].name, got);
    }
    assert_int_equal(sim_counters(&s).register_refused, 0);
    /* what is new goes with a nonce that is new */
    assert_int_equal(reuse("192.168.1.10:5060", ask_nonce(newer), "one", 0),
                     200);
    assert_int_equal(reuse("192.168.1.10:5060", nonce, "three", 3600), 401);
    sim_free(&s);
}

/* ---- Authentication-Info (R64) ---- */

static struct slice value_in(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);

    return at ? slice_of(at + strlen(name), strcspn(at + strlen(name), "\r"))
              : slice_of(NULL, 0);
}

/* Logs in with a nonce; the status of the answer. qop: nc, 0 for none. */
static unsigned log_in(struct slice nonce, uint32_t nc, unsigned expires_s,
                       char *answer, size_t cap)
{
    const struct sip_answer a = {
        .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
        .method = SLICE("REGISTER"), .uri = SLICE("sip:x"),
        .cnonce = SLICE("c"), .nc = nc };
    const struct sip_challenge c = { .realm = SLICE(SIM_REALM),
                                     .nonce = nonce, .alg = SIP_DIGEST_MD5,
                                     .qop_auth = nc != 0 };
    static unsigned n;
    char line[900];
    struct writer w = writer_of(line, sizeof(line) - 1);

    writer_f(&w, "Call-ID: %u\r\nContact: <sip:%s@192.168.1.10>\r\n"
                 "Expires: %u\r\nAuthorization: ", ++n, cam, expires_s);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    line[w.len] = '\0';
    return try_register("192.168.1.10", cam, line, answer, cap);
}

/* The nonce of a challenge, copied. */
static struct slice ask_nonce(char nonce[static SIP_NONCE_LEN])
{
    char answer[2048];
    struct sip_challenge c;

    assert_int_equal(try_register("192.168.1.10", cam, "Call-ID: ask\r\n",
                                  answer, sizeof(answer)), 401);
    assert_int_equal(sip_challenge_parse(
        &c, value_in(answer, "WWW-Authenticate: ")), 0);
    assert_int_equal(c.nonce.n, SIP_NONCE_LEN);
    memcpy(nonce, c.nonce.p, SIP_NONCE_LEN);
    return slice_of(nonce, SIP_NONCE_LEN);
}

/* Who used qop gets the proof, and the next nonce where its own would not last
 * until the next refresh. */
static void the_platform_proves_itself(void **state)
{
    static const struct {
        uint32_t wait_s;  /* before it */
        unsigned nc;      /* 1: with the nonce that was handed on, if any */
        unsigned expires_s;
        bool next;
    } cases[] = {
        { 0, 1, 120, false }, /* good for 300 s */
        { 100, 2, 120, false },
        { 100, 3, 120, true },
        { 110, 1, 120, false },
        { 100, 2, 3600, false }, /* the next one would be too old as well */
        { 50, 3, 300, true },
    };
    char text[SIP_NONCE_LEN], old_text[SIP_NONCE_LEN], answer[2048];
    struct slice nonce, old;
    struct sip_ha1 ha1;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true, .offer_qop = true });
    old = nonce = ask_nonce(text);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_auth_info info;
        struct sip_credentials c = { .alg = SIP_DIGEST_MD5, .nonce = nonce,
                                     .uri = SLICE("sip:x"),
                                     .cnonce = SLICE("c"),
                                     .qop = SLICE("auth") };
        char nc[9], want[SIP_DIGEST_HEX];
        size_t n;

        sim_run(&s, cases[i].wait_s * 1000);
        if (log_in(nonce, cases[i].nc, cases[i].expires_s, answer,
                   sizeof(answer)) != 200)
            fail_msg("case %zu: %s", i, answer);
        sip_auth_info_parse(&info, value_in(answer, "Authentication-Info: "));
        snprintf(nc, sizeof(nc), "%08x", cases[i].nc);
        c.nc = slice_str(nc);
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE(""), &ha1, want);
        if (!slice_eq(info.rspauth, slice_of(want, n)) ||
            !slice_eq(info.nc, c.nc) || !slice_eq(info.cnonce, c.cnonce) ||
            (info.nextnonce.n != 0) != cases[i].next)
            fail_msg("case %zu: %s", i, answer);
        if (!info.nextnonce.n)
            continue;
        memcpy(old_text, nonce.p, nonce.n);
        old = slice_of(old_text, sizeof(old_text));
        memcpy(text, info.nextnonce.p, sizeof(text));
    }
    /* the one before is over once its successor has been used */
    assert_int_equal(log_in(nonce, 1, 120, answer, sizeof(answer)), 200);
    assert_int_equal(log_in(old, 9, 120, answer, sizeof(answer)), 401);
    sim_free(&s);
}

/* A header that nobody asked for is not sent: without the offer of qop, and to
 * who does not use it. */
static void proof_only_for_who_uses_qop(void **state)
{
    (void)state;
    for (int offered = 0; offered < 2; offered++)
        for (uint32_t nc = 0; nc < 2; nc++) {
            char text[SIP_NONCE_LEN], answer[2048];
            bool there;

            begin((struct platform_config){ .auto_enrol = true,
                                            .offer_qop = offered });
            assert_int_equal(log_in(ask_nonce(text), nc, 60, answer,
                                    sizeof(answer)), 200);
            there = has(answer, "Authentication-Info");
            assert_int_equal(there, offered && nc);
            sim_free(&s);
        }
}

static void break_response(char *authorization)
{
    char *at = strstr(authorization, "response=\"");

    assert_non_null(at);
    at[10] = at[10] == '0' ? '1' : '0';
}

static void only_a_right_response_is_stale(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->keep_auth = true;
    d->keepalive_ms = 30000;
    sim_register(d);
    sim_run(&s, 400000);
    sim_register(d); /* right, but too old */
    sim_run(&s, 100);
    assert_int_equal(d->stale, 1);
    assert_int_equal(d->registered, 2);
    sim_run(&s, 400000);
    break_response(d->authorization);
    d->twist = break_response;
    sim_register(d); /* wrong, and too old: plainly asked again */
    sim_run(&s, 100);
    assert_int_equal(d->stale, 1);
    assert_int_equal(d->challenged, 3);
    assert_int_equal(d->last_status, 403); /* the new answer was wrong */
    sim_free(&s);
}

/* "stale" must not tell a guesser who invents nonces that a guess was right. */
static void no_oracle_for_guesses(void **state)
{
    char line[800], answer[2048], response[SIP_DIGEST_HEX];
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5,
                                 .nonce = SLICE("mine"),
                                 .uri = SLICE("sip:x") };
    struct sip_ha1 ha1;
    size_t n;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true, .ban_failures = 5 });
    for (int i = 0; i <= 5; i++) {
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     i < 5 ? SLICE("guess") : SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE("REGISTER"), &ha1, response);
        snprintf(line, sizeof(line),
                 "Call-ID: %d\r\nAuthorization: Digest username=\"%s\","
                 "realm=\"" SIM_REALM "\",nonce=\"mine\",uri=\"sip:x\","
                 "response=\"%.*s\"\r\n", i, cam, (int)n, response);
        assert_int_equal(try_register("192.168.1.10", cam, line, answer,
                                      sizeof(answer)), 401);
        assert_false(has(answer, "stale"));
    }
    assert_int_equal(sim_counters(&s).banned, 0);
    sim_free(&s);
}

/* ---- what REGISTER may hold ---- */

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
    begin((struct platform_config){ .auto_enrol = true });
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[300], answer[2048] = "";
        unsigned status;

        snprintf(line, sizeof(line), "Call-ID: k%zu\r\n%s", i,
                 cases[i].lines);
        status = try_register("192.168.1.10", cam, line, answer,
                              sizeof(answer));
        if (status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, status);
        assert_true(has(answer, "\r\nX-GB-Ver: 3.0\r\n"));
    }
    sim_free(&s);
}

static void a_register_that_only_asks(void **state)
{
    struct sim_device *d;
    struct platform_device before, after;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
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
    assert_true(has(d->last_extra, "\r\nContact: <sip:34020000001320000001@"
                                   "192.168.1.10:5060>"));
    assert_true(has(d->last_extra, "\r\nExpires: 3598\r\n") ||
                has(d->last_extra, "\r\nExpires: 3599\r\n"));
    after = sim_view(&s, d);
    assert_int_equal(after.expires_utc_ms, before.expires_utc_ms);
    sim_free(&s);
}

/* Overtaken on the way: the older of two does not undo the newer. */
static void a_late_register_changes_nothing(void **state)
{
    struct sim_device *d;

    (void)state;
    begin((struct platform_config){ .auto_enrol = true });
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
    begin((struct platform_config){ .auto_enrol = true, .redirect = to,
                                    .n_redirect = 2 });
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
    assert_true(has(d->last_extra, "\r\nContact: <sip:34020000002000000002@"
                                   "198.51.100.7:5060>"));
    assert_true(has(d->last_extra, "\r\nExpires: 3600\r\n"));
    assert_true(has(d->last_extra, "\r\nX-GB-Ver: 3.0\r\n"));
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
    begin((struct platform_config){ .auto_enrol = true });
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
        cmocka_unit_test(peeks),
        cmocka_unit_test(source_keys),
        cmocka_unit_test(note_1_1_each_digest_parameter_is_optional),
        cmocka_unit_test(note_1_2_the_request_uri_variant_is_told),
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
        cmocka_unit_test(pings_on_a_stream_are_paid_for),
        cmocka_unit_test(a_large_site_logs_in),
        cmocka_unit_test(a_ban_spares_the_bound),
        cmocka_unit_test(failures_are_backed_off),
        cmocka_unit_test(offers_are_by_strength_and_binding),
        cmocka_unit_test(an_algorithm_that_was_not_offered),
        cmocka_unit_test(no_downgrade),
        cmocka_unit_test(sess_unasked),
        cmocka_unit_test(auth_int_is_challenged),
        cmocka_unit_test(repeats_are_stale),
        cmocka_unit_test(an_overheard_response_changes_nothing),
        cmocka_unit_test(the_platform_proves_itself),
        cmocka_unit_test(proof_only_for_who_uses_qop),
        cmocka_unit_test(only_a_right_response_is_stale),
        cmocka_unit_test(no_oracle_for_guesses),
        cmocka_unit_test(contacts),
        cmocka_unit_test(a_register_that_only_asks),
        cmocka_unit_test(a_late_register_changes_nothing),
        cmocka_unit_test(first_registrations_are_redirected),
        cmocka_unit_test(a_moved_device_leaves_its_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
