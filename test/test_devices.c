#include "test/knock.h"

#include <stdio.h>

static struct sim s;

static const char ipc[] = "34020000001320000001";

static bool reason_is(struct sim_device *d, const char *text)
{
    return slice_eq(sim_view(&s, d).state_reason, slice_str(text));
}

/* ---- life ---- */

static void keepalive_lost(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    uint64_t since;

    (void)state;
    d->keepalive_ms = 60000;
    sim_register(d);
    sim_run(&s, 600000);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(d->keepalive_ok - d->keepalive_refused, d->keepalive_ok);
    assert_true(sim_view(&s, d).keepalive_utc_ms > s.now.utc_ms - 60001);
    /* the power goes: interval times count and a little, not much more */
    d->next_keepalive_ms = GB_NEVER;
    d->deaf = true;
    since = s.now.mono_ms;
    sim_run(&s, 170000 - 60000);
    assert_true(sim_view(&s, d).online);
    sim_run(&s, 80000);
    assert_false(sim_view(&s, d).online);
    assert_true(reason_is(d, "keepalive lost"));
    assert_true(s.now.mono_ms - since <= 190000);
    /* and comes back: inside its registration a keepalive is enough */
    d->deaf = false;
    sim_keepalive(d, NULL);
    sim_run(&s, 10000);
    assert_true(sim_view(&s, d).online);
    assert_true(s.device_flags & PLATFORM_CHANGED_STATE);
    sim_free(&s);
}

/* A device that beats every two minutes is not lost after three. */
static void slow_hearts_are_learnt(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    for (int i = 0; i < 5; i++) {
        sim_keepalive(d, NULL);
        sim_run(&s, 150000);
    }
    sim_run(&s, 150000);
    assert_true(sim_view(&s, d).online);
    sim_run(&s, 160000);
    assert_false(sim_view(&s, d).online);
    sim_free(&s);
}

static void registration_expires(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    d->expires_s = 120;
    sim_register(d);
    sim_run(&s, 100000);
    for (int i = 0; i < 3; i++) { /* alive, but never registers again */
        sim_keepalive(d, NULL);
        sim_run(&s, 20000);
    }
    assert_true(sim_view(&s, d).online); /* the grace of one keepalive */
    sim_run(&s, 25000);
    assert_false(sim_view(&s, d).online);
    assert_true(reason_is(d, "registration expired"));
    d->keepalive_refused = 0;
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->keepalive_refused, 1);
    assert_int_equal(d->last_status, 403);
    sim_free(&s);
}

static void says_goodbye(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    sim_message(d, "<?xml version=\"1.0\"?>\r\n<Notify>"
                   "<CmdType>Keepalive</CmdType><SN>1</SN>"
                   "<DeviceID>34020000001320000001</DeviceID>"
                   "<Status>OFF</Status></Notify>");
    sim_run(&s, 1000);
    assert_false(sim_view(&s, d).online);
    sim_free(&s);
}

/* ---- admission ---- */

static void note_2_2_the_port_moves(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    struct gb_addr old = d->addr;

    (void)state;
    /* the NAT gave it another port, and drops the old one */
    d->addr.port = 6200;
    d->to_server.local = d->addr;
    sim_keepalive(d, NULL);
    sim_run(&s, 2000);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(d->options, 1);
    assert_int_equal(sim_view(&s, d).peer.remote.port, 6200);
    assert_true(s.device_flags & PLATFORM_CHANGED_BINDING);
    assert_false(gb_addr_eq(&old, &d->addr));
    sim_free(&s);
}

/* The same with somebody else sending from another port: counted as life, but
 * the binding stays, for nobody there answers us. */
static void a_port_that_does_not_answer(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP), *ghost;

    (void)state;
    ghost = sim_add(&s, ipc, "192.168.1.10:7777", SIP_UDP);
    ghost->addr.port = 7778; /* what is sent to 7777 finds nobody */
    sim_keepalive(ghost, NULL);
    sim_run(&s, 60000);
    assert_true(strstr(s.log, "requests from another port") != NULL);
    assert_int_equal(sim_view(&s, d).peer.remote.port, 5060);
    assert_int_equal(ghost->options, 0);
    sim_free(&s);
}

/* Two recorders were given one id: each REGISTER takes it from the other. One that
 * moves, or moves back another day, or has two uplinks and refreshes its binding by
 * either, is one. */
static void two_devices_with_one_id(void **state)
{
    static const struct {
        bool back;
        unsigned after_ms;
        bool one_call, told;
    } cases[] = { { false, 0, false, false }, { true, 1000, false, true },
                  { true, 601000, false, false }, { true, 1000, true, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP), *x;

        x = sim_add(&s, ipc, "192.168.1.66:5060", SIP_UDP);
        if (cases[i].one_call)
            memcpy(x->call_id, d->call_id, sizeof(x->call_id));
        sim_register(x);
        sim_run(&s, 1000);
        assert_int_equal(x->last_status, 200);
        for (unsigned ms = 0; ms < cases[i].after_ms; ms += 1000) {
            if (ms % 60000 == 0)
                sim_keepalive(x, NULL);
            sim_run(&s, 1000);
        }
        if (cases[i].back)
            sim_register(d);
        sim_run(&s, 1000);
        assert_true((strstr(s.log, "registers from two addresses in turn") !=
                     NULL) == cases[i].told);
        assert_true(!cases[i].told || strstr(s.log, "192.168.1.66:5060"));
        sim_free(&s);
    }
}

static void strangers_are_refused(void **state)
{
    static const struct {
        const char *name, *from, *ip;
        uint8_t transport;
    } cases[] = {
        { "another address", ipc, "192.168.1.66:5060", SIP_UDP },
        { "another transport", ipc, "192.168.1.10:5060", SIP_TCP },
        { "unknown id", "34020000001320000099", "192.168.1.10:5060", SIP_UDP },
        { "no id", "nobody", "192.168.1.10:5060", SIP_UDP },
    };
    static const enum sip_method methods[] = {
        SIP_METHOD_MESSAGE, SIP_METHOD_NOTIFY, SIP_METHOD_OPTIONS,
        SIP_METHOD_SUBSCRIBE,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP), *x;
        struct platform_device before = sim_view(&s, d), after;

        x = sim_add(&s, cases[i].from, cases[i].ip, cases[i].transport);
        for (size_t m = 0; m < COUNT(methods); m++) {
            x->last_status = 0;
            sim_request(x, methods[m], cases[i].from,
                        "<Notify><CmdType>Keepalive</CmdType><SN>1</SN>"
                        "<DeviceID>34020000001320000001</DeviceID></Notify>");
            sim_run(&s, 100);
            if (x->last_status != 403)
                fail_msg("%s, method %zu: %u", cases[i].name, m,
                         x->last_status);
        }
        after = sim_view(&s, d);
        assert_true(gb_addr_eq(&before.peer.remote, &after.peer.remote));
        assert_true(before.keepalive_utc_ms == after.keepalive_utc_ms);
        assert_int_equal(sim_counters(&s).stray_messages, COUNT(methods));
        sim_free(&s);
    }
}

/* A request of d with this Request-URI and To tag, by hand; the status of the
 * answer. */
static unsigned say(const struct sim_device *d, const char *method,
                    const char *uri, const char *to_tag)
{
    static unsigned n;
    char text[1024];
    struct sip_peer from = { .transport = SIP_UDP, .local = s.server_addr,
                             .remote = d->addr };
    int len = snprintf(text, sizeof(text),
                       "%s %s SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKsay%u\r\n"
                       "From: <sip:%s@3402000000>;tag=1\r\n"
                       "To: <sip:%s@3402000000>%s\r\nCall-ID: say%u\r\n"
                       "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                       method, uri, n + 1, d->id, SIM_ID, to_tag, n, method);

    n++;
    return knock_say(&s, &from, text, (size_t)len, NULL, 0);
}

/* A neighbour behind the same address, at another port and another listener of
 * ours, is not taken for the device; the device itself may change listeners. */
static void another_listener_is_no_proof(void **state)
{
    static const char text[] =
        "MESSAGE sip:" SIM_ID "@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKlisten%u\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=1\r\n"
        "To: <sip:" SIM_ID "@3402000000>\r\nCall-ID: listen%u\r\n"
        "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct sip_peer from = { .transport = SIP_UDP, .listener = 1,
                                 .local = s.server_addr, .remote = d->addr };
        char buf[1024];
        int n = snprintf(buf, sizeof(buf), text, i, i);

        from.remote.port = i ? 5060 : 7777;
        knock_say(&s, &from, buf, (size_t)n, NULL, 0);
        assert_int_equal(sim_view(&s, d).peer.remote.port, 5060);
        assert_int_equal(sim_view(&s, d).peer.listener, i);
    }
    sim_free(&s);
}

/* R29 of docs/sip-rules.md, and what belongs to a call that there is not. */
static void calls_are_not_taken(void **state)
{
    static const struct {
        const char *name, *method, *uri, *to_tag;
        unsigned status;
    } cases[] = {
        { "us", "INVITE", "sip:" SIM_ID "@192.168.1.1:5060", "", 488 },
        { "us, by host", "INVITE", "sip:3402000000", "", 488 },
        { "itself", "INVITE", "sip:34020000001320000001@192.168.1.1", "", 488 },
        { "nobody", "INVITE", "sip:34020000001320000077@192.168.1.1", "", 404 },
        { "no id", "INVITE", "sip:yard@192.168.1.1", "", 404 },
        { "a call of before", "INVITE", "sip:yard@192.168.1.1", ";tag=x", 481 },
        { "INFO", "INFO", "sip:" SIM_ID "@192.168.1.1", "", 481 },
        { "a ping, whomever it names", "OPTIONS", "sip:yard@192.168.1.1", "",
          200 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
        unsigned status = say(d, cases[i].method, cases[i].uri,
                              cases[i].to_tag);

        if (status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, status);
        sim_free(&s);
    }
}

static void an_id_that_is_not_its_own(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    sim_keepalive(d, "34020000001320000002");
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 403);
    assert_int_equal(sim_view(&s, d).keepalive_utc_ms, 0);
    assert_true(strstr(s.log, "DeviceID is not its own") != NULL);
    sim_free(&s);
}

static void bodies(void **state)
{
    static const struct {
        const char *name, *body;
        unsigned status;
    } cases[] = {
        { "keepalive", "<Notify><CmdType>Keepalive</CmdType><SN>1</SN>"
                       "<DeviceID>34020000001320000001</DeviceID></Notify>",
          200 },
        { "attributes", "<Notify CmdType=\"Keepalive\" SN=\"1\">"
                        "<DeviceID>34020000001320000001</DeviceID></Notify>",
          200 },
        { "no SN, no DeviceID", "<Notify><CmdType>Keepalive</CmdType></Notify>",
          200 },
        { "unknown CmdType", "<Notify><CmdType>Teapot</CmdType><SN>1</SN>"
                             "<DeviceID>34020000001320000001</DeviceID>"
                             "</Notify>",
          400 },
        { "no CmdType", "<Notify><SN>1</SN></Notify>", 400 },
        { "unknown root", "<Teapot><CmdType>Keepalive</CmdType></Teapot>",
          415 },
        { "not XML", "hello", 400 },
        { "known, of no interest",
          "<Notify><CmdType>MobilePosition</CmdType><SN>1</SN>"
          "<DeviceID>34020000001320000001</DeviceID></Notify>",
          200 },
        { "no body", "", 400 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

        sim_message(d, cases[i].body);
        sim_run(&s, 1000);
        if (d->last_status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, d->last_status);
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
}

/* What it is called says less than what it is. */
static void a_body_under_another_name(void **state)
{
    static const char keepalive[] =
        "<Notify><CmdType>Keepalive</CmdType><SN>1</SN>"
        "<DeviceID>34020000001320000001</DeviceID></Notify>";
    static const struct {
        const char *type, *body;
        unsigned status;
    } cases[] = {
        { "text/plain", keepalive, 200 },
        { "manscdp", keepalive, 200 },
        { "text/plain", "hello", 415 },
        { "text/html", "<html><body>login</body></html>", 415 },
        { "application/sdp", keepalive, 200 }, /* no MESSAGE has SDP */
        { "Application/MANSRTSP", keepalive, 200 },
        { NULL, keepalive, 200 },
        { "application/sdp", "v=0\r\ns=Play\r\n", 415 },
        { NULL, "hello", 415 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
        struct sip_peer from = { .transport = SIP_UDP, .local = s.server_addr,
                                 .remote = d->addr };
        char text[1024];
        int n = snprintf(text, sizeof(text),
                         "MESSAGE sip:" SIM_ID "@3402000000 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKt%zu\r\n"
                         "From: <sip:%s@3402000000>;tag=1\r\n"
                         "To: <sip:" SIM_ID "@3402000000>\r\n"
                         "Call-ID: type%zu\r\nCSeq: 1 MESSAGE\r\n"
                         "%s%s\r\nContent-Length: %zu\r\n\r\n%s",
                         i, d->id, i, cases[i].type ? "Content-Type: " : "X:",
                         cases[i].type ? cases[i].type : "y",
                         strlen(cases[i].body), cases[i].body);
        unsigned status = knock_say(&s, &from, text, (size_t)n, NULL, 0);

        if (status != cases[i].status)
            fail_msg("%s: %u", cases[i].type ? cases[i].type : "none", status);
        sim_run(&s, 100);
        assert_int_equal(status == 200,
                         strstr(s.log, "XML under another Content-Type") !=
                             NULL);
        sim_free(&s);
    }
}

/* UTF-16, whatever it is declared as; told, and never taken for another. */
static void a_body_in_utf16(void **state)
{
    static const char keepalive[] =
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>"
        "<Notify><CmdType>Keepalive</CmdType><SN>1</SN>"
        "<DeviceID>34020000001320000001</DeviceID></Notify>";
    static const struct {
        const char *type, *bom;
        bool big;
    } cases[] = { { "Application/MANSCDP+xml", "\xff\xfe", false },
                  { "Application/MANSCDP+xml", "\xfe\xff", true },
                  { "Application/MANSCDP+xml;charset=utf-16", "", false },
                  { "text/plain", "\xff\xfe", false },
                  { "text/plain", "", true } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
        struct sip_peer from = { .transport = SIP_UDP, .local = s.server_addr,
                                 .remote = d->addr };
        size_t n_body = strlen(cases[i].bom) + 2 * strlen(keepalive);
        char text[2048];
        int n = snprintf(text, sizeof(text),
                         "MESSAGE sip:" SIM_ID "@3402000000 SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKt%zu\r\n"
                         "From: <sip:%s@3402000000>;tag=1\r\n"
                         "To: <sip:" SIM_ID "@3402000000>\r\n"
                         "Call-ID: wide%zu\r\nCSeq: 1 MESSAGE\r\n"
                         "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                         i, d->id, i, cases[i].type, n_body, cases[i].bom);
        unsigned status;

        for (size_t k = 0; k < strlen(keepalive); k++) {
            text[n + cases[i].big] = keepalive[k];
            text[n + !cases[i].big] = '\0';
            n += 2;
        }
        status = knock_say(&s, &from, text, (size_t)n, NULL, 0);
        if (status != 200)
            fail_msg("case %zu: %u", i, status);
        sim_run(&s, 100);
        assert_non_null(strstr(s.log, "XML in UTF-16"));
        sim_free(&s);
    }
}

static void faults_are_logged_once(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    char *first, *second;

    (void)state;
    for (int i = 0; i < 20; i++) {
        sim_message(d, "<Notify><CmdType>Tea\\\"pot</CmdType></Notify>");
        sim_run(&s, 100);
    }
    first = strstr(s.log, "CmdType is unknown");
    assert_non_null(first);
    second = strstr(first + 1, "CmdType is unknown");
    assert_null(second);
    assert_true(sim_view(&s, d).deviations >= 20);
    sim_free(&s);
}

/* ---- TCP ---- */

static void tcp_connection_lost(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_TCP);

    (void)state;
    sim_disconnect(d);
    sim_run(&s, 1000);
    assert_false(sim_view(&s, d).online);
    assert_true(reason_is(d, "connection lost"));
    /* from its address it may go on over a new one, but over one only */
    sim_reconnect(d);
    sim_keepalive(d, NULL);
    sim_run(&s, 10000);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(sim_view(&s, d).peer.connection, d->connection);
    assert_int_equal(d->last_status, 200);
    sim_reconnect(d);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 403);
    sim_free(&s);
}

static void tcp_only_its_own_connection(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_TCP);

    (void)state;
    sim_reconnect(d); /* another connection, the first is still there */
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 403);
    sim_register(d);
    sim_run(&s, 1000);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 200);
    sim_free(&s);
}

static void several_on_one_connection(void **state)
{
    struct sim_device *a, *b;

    (void)state;
    assert_true(sim_init(&s, NULL));
    a = sim_add(&s, ipc, "192.168.1.10:5060", SIP_TCP);
    b = sim_add(&s, "34020000001320000002", "192.168.1.10:5060", SIP_TCP);
    b->connection = b->to_server.connection = a->connection;
    sim_register(a);
    sim_register(b);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, a).online);
    assert_true(sim_view(&s, b).online);
    sim_disconnect(a);
    sim_run(&s, 1000);
    assert_false(sim_view(&s, a).online);
    assert_false(sim_view(&s, b).online);
    sim_free(&s);
}

/* ---- restarts ---- */

static void a_restart_loses_nobody(void **state)
{
    static const uint8_t transports[] = { SIP_UDP, SIP_TCP };

    (void)state;
    for (size_t i = 0; i < COUNT(transports); i++) {
        struct sim_device *d = sim_registered(&s, ipc, transports[i]);
        struct platform_saved_device k = sim_saved(&s, d);
        struct platform_channel c = {
            .device = slice_str(ipc),
            .id = SLICE("34020000001310000007"),
            .name = SLICE("Gate"),
            .on = true,
        };

        sim_restart(&s);
        assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
        assert_int_equal(platform_restore_device(s.p, &k, s.now), GB_EEXIST);
        assert_int_equal(platform_restore_channel(s.p, &c), 0);
        s.actions[PLATFORM_DEVICE_CHANGED] = 0;
        sim_run(&s, 100);
        assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], 0);
        assert_false(sim_view(&s, d).online);
        assert_true(slice_eq(sim_view(&s, d).edition, SLICE("3.0")));
        assert_int_equal(sim_view(&s, d).n_channels, 1);
        if (transports[i] == SIP_TCP)
            sim_reconnect(d);
        d->keepalive_refused = 0;
        sim_keepalive(d, NULL);
        sim_run(&s, 1000);
        assert_int_equal(d->keepalive_refused, 0);
        assert_true(sim_view(&s, d).online);
        sim_free(&s);
    }
}

static void a_restart_after_its_expiry(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    struct platform_saved_device k = sim_saved(&s, d);

    (void)state;
    k.expires_utc_ms = s.now.utc_ms - 1;
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 403);
    assert_false(sim_view(&s, d).online);
    sim_register(d);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    sim_free(&s);
}

/* The store knows an older expiry, since the disk was full: a device that goes
 * on speaking stays, for no longer than a registration may last. One that is
 * silent is offline as ever, and its binding ends as the store has it. */
static void a_restart_from_an_older_expiry(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    struct platform_saved_device k = sim_saved(&s, d);

    (void)state;
    s.opt.config.expires_max_s = 2000;
    for (int speaks = 0; speaks < 2; speaks++) {
        sim_restart(&s);
        k.expires_utc_ms = s.now.utc_ms + 60000;
        assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
        d->keepalive_refused = 0;
        d->keepalive_ms = speaks ? 60000 : 100000000;
        d->next_keepalive_ms = s.now.mono_ms + 1000;
        sim_run(&s, 180000);
        assert_true(sim_view(&s, d).online);
        sim_run(&s, 1500000);
        assert_int_equal(sim_view(&s, d).online, speaks);
        assert_int_equal(d->keepalive_refused, 0);
        sim_run(&s, 720000);
        assert_false(sim_view(&s, d).online);
        d->next_keepalive_ms = GB_NEVER;
        sim_keepalive(d, NULL);
        sim_run(&s, 1000);
        assert_int_equal(d->last_status, 403);
    }
    sim_free(&s);
}

/* ---- alarms ---- */

static const char alarm[] =
    "<?xml version=\"1.0\"?><Notify><CmdType>Alarm</CmdType><SN>9</SN>"
    "<DeviceID>34020000001340000001</DeviceID>"
    "<AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod>"
    "<AlarmTime>2023-08-09T07:38:35</AlarmTime>"
    "<Info><AlarmType>6</AlarmType></Info></Notify>";

static void alarms(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    sim_message(d, alarm);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_ALARM], 1);
    assert_string_equal(s.last_alarm,
                        "34020000001320000001 34020000001340000001 5 6");
    assert_int_equal(d->alarm_responses, 1);
    assert_true(strstr(d->last_body, "<Result>OK</Result>") != NULL);
    assert_true(strstr(d->last_body, "<SN>9</SN>") != NULL);
    /* the same by NOTIFY: no Response, no second alarm */
    sim_request(d, SIP_METHOD_NOTIFY, ipc, alarm);
    sim_run(&s, 1000);
    assert_int_equal(d->alarm_responses, 1);
    assert_int_equal(s.actions[PLATFORM_ALARM], 1);
    /* method 0 right behind a specified one says nothing new */
    sim_message(d, "<Notify><CmdType>Alarm</CmdType><SN>10</SN>"
                   "<DeviceID>34020000001340000001</DeviceID>"
                   "<AlarmPriority>0</AlarmPriority>"
                   "<AlarmMethod>0</AlarmMethod>"
                   "<AlarmTime>2023-08-09T07:38:36</AlarmTime></Notify>");
    sim_run(&s, 1000);
    assert_int_equal(d->alarm_responses, 2);
    assert_int_equal(s.actions[PLATFORM_ALARM], 1);
    sim_run(&s, 60000);
    sim_message(d, alarm);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_ALARM], 2);
    sim_free(&s);
}

/* In the same second somebody enters and leaves. */
static void events_of_an_alarm(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    char body[600];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(body, sizeof(body),
                 "<Notify><CmdType>Alarm</CmdType><SN>%d</SN>"
                 "<DeviceID>34020000001320000001</DeviceID>"
                 "<AlarmPriority>1</AlarmPriority><AlarmMethod>5</AlarmMethod>"
                 "<AlarmTime>2023-08-09T07:38:35</AlarmTime>"
                 "<Info><AlarmType>6</AlarmType><AlarmTypeParam><EventType>%d"
                 "</EventType></AlarmTypeParam></Info></Notify>",
                 i, i % 2 + 1);
        sim_message(d, body);
        sim_run(&s, 100);
        assert_int_equal(s.actions[PLATFORM_ALARM], i < 2 ? i + 1 : 2);
        if (i < 2)
            assert_string_equal(s.last_alarm, i ? "34020000001320000001 "
                                                  "34020000001320000001 5 6 2"
                                                : "34020000001320000001 "
                                                  "34020000001320000001 5 6 1");
    }
    sim_free(&s);
}

static void an_alarm_flood(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);
    char body[600];

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(body, sizeof(body),
                 "<Notify><CmdType>Alarm</CmdType><SN>%u</SN>"
                 "<DeviceID>34020000001320000001</DeviceID>"
                 "<AlarmPriority>1</AlarmPriority><AlarmMethod>2</AlarmMethod>"
                 "<AlarmTime>2023-08-09T07:%02u:%02u</AlarmTime></Notify>",
                 i, i / 60 % 60, i % 60);
        sim_message(d, body);
    }
    sim_run(&s, 1000);
    assert_true(s.actions[PLATFORM_ALARM] >= 100);
    assert_true(s.actions[PLATFORM_ALARM] < 200);
    assert_true(d->alarm_responses < 200); /* nor are they answered */
    assert_true(sim_counters(&s).dropped > 0);
    sim_free(&s);
}

/* Each change between online and offline with its cause, newest first. */
static void note_3_7_changes_are_kept(void **state)
{
    struct sim_device *d;
    struct platform_change c;
    size_t n = 0;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, "34020000001320000001", "192.168.1.10:5060", SIP_UDP);
    for (unsigned i = 0; i < 30; i++) {
        sim_register(d);
        sim_run(&s, 1000);
        sim_unregister(d);
        sim_run(&s, 1000);
    }
    for (; platform_device_change(s.p, slice_str(d->id), n, &c); n++) {
        assert_int_equal(c.online, n % 2);
        assert_true(c.utc_ms > s.now.utc_ms - 60000);
        if (n == 0)
            assert_string_equal(c.cause,
                                sim_view(&s, d).state_reason.p);
    }
    assert_int_equal(n, PLATFORM_CHANGES_MAX);
    assert_false(platform_device_change(s.p, SLICE("x"), 0, &c));
    sim_free(&s);
}

/* Positions are told with all that they say; 0/0 is none; an alarm by GPS
 * moves the channel too. Alarms are numbered on behind a restart. */
static void positions_and_numbers(void **state)
{
    static const char head[] = "<?xml version=\"1.0\"?><Notify><CmdType>";
    struct sim_device *d;
    struct platform_channel c;
    char body[700];

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, "34020000001180000001", "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 1);
    sim_settle(&s);
    snprintf(body, sizeof(body),
             "%sMobilePosition</CmdType><SN>1</SN><DeviceID>%s</DeviceID>"
             "<Time>2023-08-09T07:38:35</Time><Longitude>118.25</Longitude>"
             "<Latitude>31.5</Latitude><Speed>60</Speed></Notify>",
             head, d->channel[0]);
    sim_message(d, body);
    sim_run(&s, 100);
    assert_string_equal(s.last_position,
                        "34020000001180000001 34020000001310010001 118.2500 "
                        "31.5000 60 2023-08-09T07:38:35");
    snprintf(body, sizeof(body),
             "%sMobilePosition</CmdType><SN>2</SN><DeviceID>%s</DeviceID>"
             "<Longitude>0</Longitude><Latitude>0.0</Latitude></Notify>",
             head, d->channel[0]);
    sim_message(d, body);
    sim_run(&s, 100);
    assert_int_equal(s.actions[PLATFORM_POSITION], 1);
    /* without an id it is the device's; units behind numbers are dropped */
    snprintf(body, sizeof(body),
             "%sMobilePosition</CmdType><SN>2</SN><Time>t</Time>"
             "<Longitude>118.5E</Longitude><Latitude>31.5N</Latitude>"
             "<Speed>7 km/h</Speed></Notify>",
             head);
    sim_message(d, body);
    sim_run(&s, 100);
    assert_string_equal(s.last_position,
                        "34020000001180000001 34020000001180000001 118.5000 "
                        "31.5000 7 t");
    /* items of a list have the time of the report when they have none */
    snprintf(body, sizeof(body),
             "%sMobilePosition</CmdType><SN>2</SN><DeviceID>%s</DeviceID>"
             "<Time>t</Time><SumNum>2</SumNum><DeviceList Num=\"2\">"
             "<Item><DeviceID>a</DeviceID><CaptureTime>u</CaptureTime>"
             "<Longitude>NaN</Longitude><Latitude>1</Latitude></Item>"
             "<Item><DeviceID>b</DeviceID><Longitude>1</Longitude>"
             "<Latitude>2</Latitude></Item></DeviceList></Notify>",
             head, d->id);
    sim_message(d, body);
    sim_run(&s, 100);
    assert_string_equal(s.last_position,
                        "34020000001180000001 b 1.0000 2.0000  t");
    assert_int_equal(s.actions[PLATFORM_POSITION], 3);
    platform_restore_ids(s.p, 41, 0);
    snprintf(body, sizeof(body),
             "%sAlarm</CmdType><SN>3</SN><DeviceID>%s</DeviceID>"
             "<AlarmPriority>1</AlarmPriority><AlarmMethod>4</AlarmMethod>"
             "<AlarmTime>2023-08-09T07:38:35</AlarmTime><Longitude>119"
             "</Longitude><Latitude>32</Latitude></Notify>",
             head, d->channel[0]);
    sim_message(d, body);
    sim_run(&s, 100);
    assert_int_equal(s.last_alarm_id, 42);
    assert_true(platform_channel_view(s.p, slice_str(d->id),
                                      slice_str(d->channel[0]), &c));
    assert_true(c.has_position && c.longitude > 118.9 && c.latitude > 31.9);
    sim_free(&s);
}

/* GB/T 28181-2022, A.2.5: the session of the order, and the files by name. */
static void pictures_have_been_uploaded(void **state)
{
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    sim_message(d, "<Notify><CmdType>UploadSnapShotFinished</CmdType>"
                   "<SN>3</SN><DeviceID>34020000001320000001</DeviceID>"
                   "<SessionID>0123456789abcdef0123456789abcdef</SessionID>"
                   "<SnapShotList><SnapShotFileID>one</SnapShotFileID>"
                   "<SnapShotFileID>two</SnapShotFileID></SnapShotList>"
                   "</Notify>");
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 200);
    assert_string_equal(s.last_snapshot,
                        "34020000001320000001 "
                        "0123456789abcdef0123456789abcdef\none\ntwo");
    sim_free(&s);
}

/* What we do not speak is refused, and does a device no harm. */
static void methods_that_are_not_spoken(void **state)
{
    static const enum sip_method methods[] = { SIP_METHOD_UPDATE,
                                               SIP_METHOD_REFER,
                                               SIP_METHOD_PUBLISH };
    struct sim_device *d = sim_registered(&s, ipc, SIP_UDP);

    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        d->last_status = 0;
        sim_request(d, methods[i], d->id, "");
        sim_run(&s, 100);
        assert_int_equal(d->last_status, 405);
        assert_true(sim_view(&s, d).online);
    }
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_have_been_uploaded),
        cmocka_unit_test(methods_that_are_not_spoken),
        cmocka_unit_test(positions_and_numbers),
        cmocka_unit_test(note_3_7_changes_are_kept),
        cmocka_unit_test(keepalive_lost),
        cmocka_unit_test(slow_hearts_are_learnt),
        cmocka_unit_test(registration_expires),
        cmocka_unit_test(says_goodbye),
        cmocka_unit_test(note_2_2_the_port_moves),
        cmocka_unit_test(a_port_that_does_not_answer),
        cmocka_unit_test(another_listener_is_no_proof),
        cmocka_unit_test(two_devices_with_one_id),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(calls_are_not_taken),
        cmocka_unit_test(an_id_that_is_not_its_own),
        cmocka_unit_test(bodies),
        cmocka_unit_test(a_body_under_another_name),
        cmocka_unit_test(a_body_in_utf16),
        cmocka_unit_test(faults_are_logged_once),
        cmocka_unit_test(tcp_connection_lost),
        cmocka_unit_test(tcp_only_its_own_connection),
        cmocka_unit_test(several_on_one_connection),
        cmocka_unit_test(a_restart_loses_nobody),
        cmocka_unit_test(a_restart_after_its_expiry),
        cmocka_unit_test(a_restart_from_an_older_expiry),
        cmocka_unit_test(alarms),
        cmocka_unit_test(events_of_an_alarm),
        cmocka_unit_test(an_alarm_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
