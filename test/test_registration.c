/* app/device/registration: the registering role against a server that answers
 * by script, in virtual time */
#include "test/support.h"

#include <stdio.h>

#include "app/device/device.h"
#include "sip/digest.h"
#include "sip/value.h"

#define ID "34020000001320000001"
#define SERVER "34020000002000000001"
#define PASSWORD "12345678"

static const char vector_realm[] = "3402000000";

#define SILENCE 1 /* a status: no answer */

/* What the server says to the n-th REGISTER. */
struct step {
    unsigned status;
    const char *name[3], *value[3]; /* headers */
    const char *contact;
    int64_t expires;
};

static struct rig {
    struct sip_stack *field, *server;
    struct device *d;
    struct gb_time now;
    const struct step *script;
    size_t n_script, at;
    /* the last REGISTER */
    char auth[600], proxy[600], uri[100];
    int64_t expires;
    uint32_t cseq;
    char call_id[80];
    struct gb_addr to;      /* where it went */
    char said[200];         /* states, joined by ';' */
    char from[80], message_to[80], message_uri[100]; /* of its requests */
    struct turn { /* each REGISTER */
        uint64_t at_ms;
        uint32_t cseq;
        char call_id[40];
    } turn[32];
    unsigned connects, disconnects;
    struct gb_addr connect_to;
} g;

static void value_of(const struct sip_msg *m, enum sip_hdr id, char *out,
                     size_t cap)
{
    slice_copy(out, cap, sip_msg_value(m, id));
}

static void on_register(const struct sip_event *ev)
{
    struct sip_extra extra[3];
    struct sip_response r = { .status = 500, .expires = -1, .extra = extra };
    const struct step *s = g.at < g.n_script ? &g.script[g.at] : NULL;

    value_of(ev->msg, SIP_HDR_AUTHORIZATION, g.auth, sizeof(g.auth));
    value_of(ev->msg, SIP_HDR_PROXY_AUTHORIZATION, g.proxy, sizeof(g.proxy));
    slice_copy(g.uri, sizeof(g.uri), ev->msg->uri.text);
    slice_copy(g.call_id, sizeof(g.call_id), ev->msg->call_id);
    g.expires = sip_msg_expires(ev->msg, NULL);
    g.cseq = ev->msg->cseq.number;
    slice_copy(g.from, sizeof(g.from), ev->msg->from.uri.text);
    if (g.at < COUNT(g.turn)) {
        struct turn *t = &g.turn[g.at];

        t->at_ms = g.now.mono_ms;
        t->cseq = g.cseq;
        slice_copy(t->call_id, sizeof(t->call_id), ev->msg->call_id);
    }
    g.at++;
    if (s && s->status == SILENCE)
        return;
    if (s) {
        r.status = s->status;
        r.expires = s->expires ? s->expires : -1;
        r.contact = slice_str(s->contact);
        for (size_t i = 0; i < 3 && s->name[i]; i++)
            extra[r.n_extra++] = (struct sip_extra){ slice_str(s->name[i]),
                                                     slice_str(s->value[i]) };
    }
    sip_stack_respond(g.server, ev->transaction, &r, g.now.mono_ms);
}

/* From one stack to the other; true when something went. */
static bool carry(struct sip_stack *from, struct sip_stack *to)
{
    struct sip_out out;
    bool any = false;

    while (sip_stack_output(from, &out)) {
        struct sip_peer p = out.peer;
        char copy[4096];
        struct sip_event ev;

        assert_true(slice_copy(copy, sizeof(copy), out.bytes));
        p.local = out.peer.remote;
        p.remote = out.peer.local;
        if (from == g.field)
            g.to = out.peer.remote;
        sip_stack_input(to, &p, slice_of(copy, out.bytes.n), g.now.mono_ms);
        while (sip_stack_event(to, &ev)) {
            if (to == g.field)
                device_sip(g.d, &ev, g.now);
            else if (ev.kind == SIP_EV_REQUEST &&
                     ev.msg->method == SIP_METHOD_REGISTER)
                on_register(&ev);
            else if (ev.kind == SIP_EV_REQUEST) {
                const struct sip_response ok = { .status = 200,
                                                 .expires = -1 };

                slice_copy(g.from, sizeof(g.from), ev.msg->from.uri.text);
                slice_copy(g.message_to, sizeof(g.message_to),
                           ev.msg->to.uri.text);
                slice_copy(g.message_uri, sizeof(g.message_uri),
                           ev.msg->uri.text);

                sip_stack_respond(g.server, ev.transaction, &ok,
                                  g.now.mono_ms);
            }
        }
        any = true;
    }
    return any;
}

static void actions(void)
{
    struct device_action a;

    while (device_action(g.d, &a)) {
        size_t n = strlen(g.said);

        if (a.kind == DEVICE_STATE)
            snprintf(g.said + n, sizeof(g.said) - n, "%s;", a.text);
        if (a.kind == DEVICE_DO_CONNECT) {
            g.connects++;
            g.connect_to = a.remote;
        }
        g.disconnects += a.kind == DEVICE_DO_DISCONNECT;
    }
}

static void hear(void)
{
    struct sip_event ev;

    while (sip_stack_event(g.field, &ev))
        device_sip(g.d, &ev, g.now);
}

/* Lets ms pass, a second at a time. */
static void run(uint64_t ms)
{
    uint64_t end = g.now.mono_ms + ms;

    for (;;) {
        if (device_deadline(g.d) <= g.now.mono_ms)
            device_tick(g.d, g.now);
        sip_stack_tick(g.field, g.now.mono_ms);
        hear();
        sip_stack_tick(g.server, g.now.mono_ms);
        while (carry(g.field, g.server) || carry(g.server, g.field))
            ;
        actions();
        if (g.now.mono_ms >= end)
            return;
        g.now.mono_ms += 1000;
        g.now.utc_ms += 1000;
    }
}

static void begin(uint8_t transport, const struct step *script, size_t n)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap };
    struct device_config c = {
        .alloc = &gb_alloc_heap, .id = ID, .password = PASSWORD,
        .name = "x", .manufacturer = "x", .model = "x", .firmware = "x",
        .server_id = SERVER, .realm = vector_realm, .expires_s = 1000,
        .server = { .transport = transport },
    };

    memset(&g, 0, sizeof(g));
    g.now = (struct gb_time){ 1000000, 1700000000000 };
    g.script = script;
    g.n_script = n;
    assert_int_equal(sip_stack_new(&g.field, &sc), 0);
    sc.seed[0] = 1;
    assert_int_equal(sip_stack_new(&g.server, &sc), 0);
    gb_addr_parse(&c.server.local, SLICE("192.0.2.10:5060"), 0);
    gb_addr_parse(&c.server.remote, SLICE("192.0.2.1:5060"), 0);
    c.sip = g.field;
    assert_int_equal(device_new(&g.d, &c, g.now), 0);
}

static void end(void)
{
    device_free(g.d);
    sip_stack_free(g.field);
    sip_stack_free(g.server);
}

#define ASK "WWW-Authenticate"
#define MD5_OF "Digest realm=\"r\", nonce=\"n1\", algorithm=MD5"

/* One header each, the first that is supported is answered, and only it. */
static void the_first_supported_challenge(void **state)
{
    static const struct {
        struct step ask;
        const char *want; /* NULL: gives up */
    } cases[] = {
        { { 401, { ASK, ASK },
            { "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
              MD5_OF }, NULL, 0 },
          "algorithm=SHA-512-256" },
        { { 401, { ASK, ASK, ASK },
            { "Asymmetric nonce=\"x\"",
              "Digest realm=\"r\", nonce=\"n\", algorithm=SHA3-256", MD5_OF },
            NULL, 0 }, "algorithm=MD5" },
        { { 401, { ASK }, { "Digest realm=\"r\", nonce=\"n\", "
                            "qop=\"auth-int\"" }, NULL, 0 }, NULL },
        { { 401, { ASK }, { "Digest realm=\"r\", nonce=\"n\", "
                            "qop=\"auth-int,auth\"" }, NULL, 0 },
          "qop=auth, nc=00000001" },
        { { 401, { NULL }, { NULL }, NULL, 0 }, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct step script[] = { cases[i].ask,
                                       { .status = 200, .expires = 1000 } };

        begin(SIP_UDP, script, 2);
        run(0);
        if (cases[i].want && !text_has(g.auth, cases[i].want))
            fail_msg("case %zu: %s", i, g.auth);
        assert_int_equal(device_is_online(g.d), cases[i].want != NULL);
        assert_int_equal(g.at, cases[i].want ? 2 : 1);
        end();
    }
}

static void a_proxy_asks(void **state)
{
    static const struct step script[] = {
        { 407, { "Proxy-Authenticate" }, { MD5_OF }, NULL, 0 },
        { .status = 200, .expires = 1000 },
    };

    (void)state;
    begin(SIP_UDP, script, 2);
    run(0);
    assert_true(text_has(g.proxy, "nonce=\"n1\""));
    assert_string_equal(g.auth, "");
    assert_true(device_is_online(g.d));
    end();
}

/* A second 401 is the end, unless it is stale; that three times at most. */
static void second_challenges(void **state)
{
    static const struct step wrong[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
    };
    static const struct step stale[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { 401, { ASK }, { MD5_OF ", stale=true" }, NULL, 0 },
        { .status = 200, .expires = 1000 },
    };
    static const struct step always[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { 401, { ASK }, { MD5_OF ", stale=true" }, NULL, 0 },
        { 401, { ASK }, { MD5_OF ", stale=true" }, NULL, 0 },
        { 401, { ASK }, { MD5_OF ", stale=true" }, NULL, 0 },
        { 401, { ASK }, { MD5_OF ", stale=true" }, NULL, 0 },
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = 200, .expires = 1000 },
    };

    (void)state;
    begin(SIP_UDP, wrong, 2);
    run(59000);
    assert_int_equal(g.at, 2);
    assert_string_equal(g.said, "password refused;");
    run(1000); /* and not before a minute */
    assert_int_equal(g.at, 3);
    end();
    begin(SIP_UDP, stale, 3);
    run(0);
    assert_true(device_is_online(g.d));
    end();
    begin(SIP_UDP, always, COUNT(always)); /* no storm of REGISTERs */
    run(59000);
    assert_int_equal(g.at, 5);
    assert_string_equal(g.said, "every nonce is stale;");
    run(1000);
    assert_true(device_is_online(g.d));
    end();
}

/* nextnonce is used for the refresh, with nc 1; when it is refused, the new
 * challenge is answered as usual (RFC 7616 §3.5). */
static void the_next_nonce(void **state)
{
    static const struct step script[] = {
        { 401, { ASK }, { MD5_OF ", qop=\"auth\"" }, NULL, 0 },
        { 200, { "Authentication-Info" }, { "nextnonce=\"n2\"" }, NULL, 1000 },
        { 200, { "Authentication-Info" }, { "nextnonce=\"n3\"" }, NULL, 1000 },
        { 401, { ASK }, { "Digest realm=\"r\", nonce=\"n4\"" }, NULL, 0 },
        { .status = 200, .expires = 1000 },
        { .status = 200, .expires = 1000 },
    };

    (void)state;
    begin(SIP_UDP, script, COUNT(script));
    run(0);
    assert_true(text_has(g.auth, "nonce=\"n1\"") &&
                text_has(g.auth, "nc=00000001"));
    run(800000);
    assert_int_equal(g.at, 3); /* at once */
    assert_true(text_has(g.auth, "nonce=\"n2\"") &&
                text_has(g.auth, "nc=00000001"));
    run(800000);
    assert_int_equal(g.at, 5);
    assert_true(text_has(g.auth, "nonce=\"n4\""));
    assert_true(device_is_online(g.d));
    run(800000); /* no nextnonce any more: a plain question */
    assert_int_equal(g.at, 6);
    assert_string_equal(g.auth, "");
    end();
}

static char rspauth[100];

static void the_server_proves_itself(void **state)
{
    struct step script[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { 200, { "Authentication-Info" }, { rspauth }, NULL, 1000 },
    };
    struct sip_ha1 ha1;
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5,
                                 .nonce = SLICE("n1"),
                                 .uri = SLICE("sip:" SERVER
                                              "@192.0.2.1:5060") };
    char hex[SIP_DIGEST_HEX];
    size_t n;

    (void)state;
    sip_ha1_make(&ha1, SIP_DIGEST_MD5, SLICE(ID), SLICE("r"),
                 SLICE(PASSWORD));
    n = sip_digest_compute(&c, SLICE(""), &ha1, hex);
    snprintf(rspauth, sizeof(rspauth), "rspauth=\"%.*s\"", (int)n, hex);
    begin(SIP_UDP, script, 2);
    run(0);
    assert_true(device_is_online(g.d));
    end();
    rspauth[9] = rspauth[9] == '0' ? '1' : '0';
    begin(SIP_UDP, script, 2);
    run(0);
    assert_false(device_is_online(g.d));
    assert_string_equal(g.said, "the server does not know the password;");
    end();
}

static void longer_expiry(void **state)
{
    static const struct step script[] = {
        { 423, { "Min-Expires" }, { "7200" }, NULL, 0 },
        { .status = 200, .expires = 7200 },
    };
    static const struct step silly[] = {
        { 423, { "Min-Expires" }, { "10" }, NULL, 0 },
    };

    (void)state;
    begin(SIP_UDP, script, 2);
    run(0);
    assert_int_equal(g.expires, 7200);
    assert_true(device_is_online(g.d));
    end();
    begin(SIP_UDP, silly, 1);
    run(0);
    assert_int_equal(g.at, 1);
    assert_string_equal(g.said, "registration refused;");
    end();
}

static void waits_as_it_is_told(void **state)
{
    static const struct step script[] = {
        { 503, { "Retry-After" }, { "17" }, NULL, 0 },
        { .status = 200, .expires = 1000 },
    };

    (void)state;
    begin(SIP_UDP, script, 2);
    run(16000);
    assert_int_equal(g.at, 1);
    run(1000);
    assert_int_equal(g.at, 2);
    assert_true(device_is_online(g.d));
    end();
}

/* Field-note 1.9: one at a time, CSeq rises, the Call-ID stays until the
 * registration begins anew. */
static void note_1_9_one_register_at_a_time(void **state)
{
    static const struct step script[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = 200, .expires = 100 },
        { .status = 200, .expires = 100 }, /* a refresh */
        { .status = SILENCE },
        { .status = 500 },
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = SILENCE },
        { .status = 200, .expires = 3600 },
    };
    size_t anew = 0;

    (void)state;
    begin(SIP_UDP, script, COUNT(script));
    run(600000);
    assert_true(g.at >= COUNT(script));
    assert_true(device_is_online(g.d));
    for (size_t i = 1; i < COUNT(script); i++) {
        const struct turn *a = &g.turn[i - 1], *b = &g.turn[i];
        bool same = !strcmp(a->call_id, b->call_id);

        if (same && b->cseq != a->cseq + 1)
            fail_msg("%zu: CSeq %u after %u", i, b->cseq, a->cseq);
        if (script[i - 1].status == SILENCE && b->at_ms < a->at_ms + 32000)
            fail_msg("%zu: while the one before is open", i);
        if (!same && (script[i - 1].status == 200 ||
                      script[i - 1].status == 401))
            fail_msg("%zu: another Call-ID without a reason", i);
        anew += !same;
    }
    assert_int_equal(anew, 3); /* twice silence, once 500 */
    end();
}

/* Field-note 1.13, what a device sends: From is itself, To of a MESSAGE is the
 * platform, both in the domain; the URI is where it goes. */
static void note_1_13_ids_of_a_device(void **state)
{
    static const struct step script[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = 200, .expires = 3600 },
    };

    (void)state;
    begin(SIP_UDP, script, COUNT(script));
    run(0);
    assert_string_equal(g.from, "sip:" ID "@3402000000");
    assert_string_equal(g.uri, "sip:" SERVER "@192.0.2.1:5060");
    run(61000);
    assert_string_equal(g.from, "sip:" ID "@3402000000");
    assert_string_equal(g.message_to, "sip:" SERVER "@3402000000");
    assert_string_equal(g.message_uri, "sip:" SERVER "@192.0.2.1:5060");
    end();
}

/* ---- §3.6 ---- */

#define OTHER_ID "34020000002000000002"
#define OTHER "sip:" OTHER_ID "@198.51.100.7:5070"

static void is_redirected(void **state)
{
    static const struct step script[] = {
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = 302, .contact = OTHER, .expires = 5000 },
        { 401, { ASK }, { MD5_OF }, NULL, 0 },
        { .status = 200, .expires = 1000 },
        { .status = 200, .expires = 1000 },
        { .status = 403 }, /* the other server does not want it any more */
        { .status = 200, .expires = 1000 },
    };
    char first[80];

    (void)state;
    begin(SIP_UDP, script, COUNT(script));
    run(0);
    slice_copy(first, sizeof(first), slice_str(g.call_id));
    assert_true(device_is_online(g.d));
    assert_string_equal(g.said, "redirected;online;");
    assert_string_equal(g.uri, "sip:" OTHER_ID "@198.51.100.7:5070");
    assert_int_equal(g.to.port, 5070);
    assert_true(text_has(g.auth, "uri=\"sip:" OTHER_ID "@198.51.100.7:5070\""));
    run(800000); /* the refresh goes there too */
    assert_int_equal(g.at, 5);
    assert_int_equal(g.to.port, 5070);
    assert_string_equal(g.call_id, first);
    run(800000);
    assert_int_equal(g.at, 6);
    assert_false(device_is_online(g.d));
    run(60000); /* back where it began */
    assert_int_equal(g.at, 7);
    assert_string_equal(g.uri, "sip:" SERVER "@192.0.2.1:5060");
    assert_true(device_is_online(g.d));
    end();
}

static void bad_redirections(void **state)
{
    static const struct {
        const char *name, *contact;
    } cases[] = {
        { "to itself", "sip:" SERVER "@192.0.2.1:5060" },
        { "a name", "sip:" OTHER_ID "@server.example" },
        { "no user", "sip:198.51.100.7" },
        { "a long id", "sip:340200000020000000021@198.51.100.7" },
        { "nothing", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct step script[] = {
            { .status = 302, .contact = cases[i].contact, .expires = 60 },
        };

        begin(SIP_UDP, script, 1);
        run(0);
        if (!text_has(g.said, "redirection refused;") || g.at != 1)
            fail_msg("%s: %s", cases[i].name, g.said);
        end();
    }
}

static void redirections_are_counted(void **state)
{
    static const struct step script[] = {
        { .status = 302, .contact = OTHER, .expires = 60 },
        { .status = 302, .contact = "sip:" SERVER "@192.0.2.1", .expires = 60 },
        { .status = 302, .contact = OTHER, .expires = 60 },
        { .status = 302, .contact = "sip:" SERVER "@192.0.2.1", .expires = 60 },
        { .status = 302, .contact = OTHER, .expires = 60 },
        { .status = 302, .contact = "sip:" SERVER "@192.0.2.1", .expires = 60 },
        { .status = 200, .expires = 1000 },
    };

    (void)state;
    begin(SIP_UDP, script, COUNT(script));
    run(0);
    assert_int_equal(g.at, 6);
    assert_true(text_has(g.said, "redirection refused;"));
    run(60000);
    assert_int_equal(g.at, 7);
    assert_string_equal(g.uri, "sip:" SERVER "@192.0.2.1:5060");
    end();
}

static void a_redirection_over_tcp(void **state)
{
    static const struct step script[] = {
        { .status = 302, .contact = OTHER, .expires = 60 },
        { .status = 200, .expires = 1000 },
    };
    struct gb_addr local;

    (void)state;
    begin(SIP_TCP, script, 2);
    gb_addr_parse(&local, SLICE("192.0.2.10:40000"), 0);
    run(0);
    assert_int_equal(g.connects, 1);
    assert_int_equal(g.connect_to.port, 5060);
    device_connected(g.d, 7, &local, g.now);
    run(0);
    assert_int_equal(g.at, 1);
    assert_int_equal(g.disconnects, 1);
    assert_int_equal(g.connects, 2);
    assert_int_equal(g.connect_to.port, 5070);
    device_connected(g.d, 8, &local, g.now);
    run(0);
    assert_int_equal(g.at, 2);
    assert_true(device_is_online(g.d));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_supported_challenge),
        cmocka_unit_test(a_proxy_asks),
        cmocka_unit_test(second_challenges),
        cmocka_unit_test(the_next_nonce),
        cmocka_unit_test(the_server_proves_itself),
        cmocka_unit_test(longer_expiry),
        cmocka_unit_test(waits_as_it_is_told),
        cmocka_unit_test(note_1_9_one_register_at_a_time),
        cmocka_unit_test(note_1_13_ids_of_a_device),
        cmocka_unit_test(is_redirected),
        cmocka_unit_test(bad_redirections),
        cmocka_unit_test(redirections_are_counted),
        cmocka_unit_test(a_redirection_over_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
