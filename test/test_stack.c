/* sip/stack as a server (sip/stack_server.c, sip/stack_reply.c,
 * sip/stack_refuse.c, sip/stack_trans.c): matching, refusals, repeats, our answers. The test is the
 * peer and writes its messages by hand. */
#include "test/byhand.h"

#include <stdio.h>

static void message_and_200(void **state)
{
    struct pair p;
    struct slice out;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    assert_int_equal(hand_feed(&p, &hand_plain), 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(p.n_sent, 0); /* no 100 to a MESSAGE */
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    assert_int_equal(p.n_sent, 1);
    out = pair_last(&p)->bytes;
    assert_int_equal(pair_status(pair_last(&p)), 200);
    expect_slice(pair_header(out, "Via"),
                 "SIP/2.0/UDP 192.0.2.2:5060;rport=5060;received=192.0.2.2;"
                 "branch=z9hG4bKa1");
    expect_slice(pair_header(out, "From"), hand_plain.from);
    expect_slice(pair_header(out, "Call-ID"), hand_plain.call_id);
    expect_slice(pair_header(out, "CSeq"), "20 MESSAGE");
    assert_int_equal(pair_header(out, "Contact").n, 0); /* R60 */
    assert_true(slice_find_slice(pair_header(out, "To"), SLICE(";tag=")) <
                pair_header(out, "To").n);
    pair_fini(&p);
}

/* R4: silence while the answer is being made, then the same bytes. */
static void repeats(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    for (int i = 0; i < 3; i++)
        hand_feed(&p, &hand_plain);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(p.n_sent, 0);
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    for (int i = 0; i < 3; i++)
        hand_feed(&p, &hand_plain);
    assert_int_equal(p.n_sent, 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(pair_counters(&p, 0).absorbed, 5);
    pair_run(&p, p.now_ms + 31999);
    hand_feed(&p, &hand_plain); /* timer J */
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    hand_feed(&p, &hand_plain);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

/* R1, R2 and the wider key that devices need. */
static void matching(void **state)
{
    static const struct {
        const char *name;
        struct hand_req second; /* NULL: as the first */
        bool same;
        const char *via1;
    } cases[] = {
        { "the same", { 0 }, true, NULL },
        { "other branch", { .via = "SIP/2.0/UDP 192.0.2.2:5060;rport;"
                                   "branch=z9hG4bKa2" }, false, NULL },
        { "cookie in other case",
          { .via = "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=Z9HG4BKa1" }, true,
          NULL },
        { "default port written out or not",
          { .via = "SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bKa1" }, true,
          NULL },
        { "other sent-by host",
          { .via = "SIP/2.0/UDP 192.0.2.3:5060;rport;branch=z9hG4bKa1" }, false,
          NULL },
        { "other sent-by port",
          { .via = "SIP/2.0/UDP 192.0.2.2:5061;rport;branch=z9hG4bKa1" }, false,
          NULL },
        { "host name in other case",
          { .via = "SIP/2.0/UDP CAM.example;branch=z9hG4bKa1" }, true,
          "SIP/2.0/UDP cam.Example;branch=z9hG4bKa1" },
        { "other method", { .method = "NOTIFY" }, false, NULL },
        { "branch used again with another Call-ID", { .call_id = "call-2" },
          false, NULL },
        { "branch used again with another CSeq", { .cseq = "21" }, false,
          NULL },
        { "no cookie: the same", { .via = "SIP/2.0/UDP 192.0.2.2;branch=77" },
          true, "SIP/2.0/UDP 192.0.2.2;branch=77" },
        { "bare cookie, other Call-ID",
          { .via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK", .call_id = "c9" },
          false, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK" },
        { "no branch: other From tag",
          { .via = "SIP/2.0/UDP 192.0.2.2",
            .from = "<sip:34020000001320000001@3402000000>;tag=f2" },
          false, "SIP/2.0/UDP 192.0.2.2" },
        { "no branch: other Request-URI",
          { .via = "SIP/2.0/UDP 192.0.2.2", .uri = "sip:other@3402000000" },
          false, "SIP/2.0/UDP 192.0.2.2" },
        { "no branch: other To tag",
          { .via = "SIP/2.0/UDP 192.0.2.2", .to = "<sip:a@b>;tag=9" }, false,
          "SIP/2.0/UDP 192.0.2.2" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req a = hand_plain, b;
        const struct hand_req *o = &cases[i].second;
        struct pair p;
        size_t n;

        pair_init(&p, NULL, NULL, true);
        if (cases[i].via1)
            a.via = cases[i].via1;
        b = a;
        b.method = o->method ? o->method : a.method;
        b.uri = o->uri ? o->uri : a.uri;
        b.via = o->via ? o->via : a.via;
        b.from = o->from ? o->from : a.from;
        b.to = o->to ? o->to : a.to;
        b.call_id = o->call_id ? o->call_id : a.call_id;
        b.cseq = o->cseq ? o->cseq : a.cseq;
        hand_feed(&p, &a);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        hand_feed(&p, &b);
        n = pair_events(&p, 0, SIP_EV_REQUEST, 0);
        if (n != (cases[i].same ? 1u : 2u))
            fail_msg("%s: %zu requests", cases[i].name, n);
        pair_fini(&p);
    }
}

/* What the stack answers by itself, and with what. */
static void refusals(void **state)
{
    static const struct {
        const char *name;
        const char *method, *more, *to, *uri;
        unsigned status;
        const char *header, *value;
    } cases[] = {
        { "unknown method", "FETCH", NULL, NULL, NULL, 501, "Allow",
          "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, SUBSCRIBE, NOTIFY, "
          "REGISTER, OPTIONS" },
        { "UPDATE", "UPDATE", NULL, NULL, NULL, 405, "Allow",
          "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, SUBSCRIBE, NOTIFY, "
          "REGISTER, OPTIONS" },
        { "PUBLISH", "PUBLISH", NULL, NULL, NULL, 405, NULL, NULL },
        { "PRACK", "PRACK", NULL, NULL, NULL, 481, NULL, NULL },
        { "100rel", "INVITE", "Require: 100rel\r\n", NULL, NULL, 420,
          "Unsupported", "100rel" },
        { "timer", "INVITE", "Require: timer\r\n", NULL, NULL, 420,
          "Unsupported", "timer" },
        { "Require in any request", "MESSAGE", "Require: x\r\n", NULL, NULL,
          420, "Unsupported", "x" },
        { "in REGISTER", "REGISTER", "Require: path\r\n", NULL, NULL, 420,
          "Unsupported", "path" },
        { "no SDP accepted", "INVITE", "Accept: text/x, application/y\r\n",
          NULL, NULL, 406, NULL, NULL },
        { "SDP refused by q", "INVITE", "Accept: application/sdp;q=0.0\r\n",
          NULL, NULL, 406, NULL, NULL },
        { "nothing accepted", "INVITE", "Accept:\r\n", NULL, NULL, 406, NULL,
          NULL },
        { "method before Require", "UPDATE", "Require: x\r\n", NULL, NULL, 405,
          NULL, NULL },
        { "dialog before Require", "INFO", "Require: x\r\n", "<sip:a@b>;tag=x",
          NULL, 481, NULL, NULL },
        { "Require before the body", "INVITE",
          "Require: x\r\nAccept: text/x\r\n", NULL, NULL, 420, NULL, NULL },
        { "CANCEL of nothing", "CANCEL", NULL, NULL, NULL, 481, NULL, NULL },
        { "BYE of nothing", "BYE", NULL, "<sip:a@b>;tag=x", NULL, 200, NULL,
          NULL },
        { "BYE without To tag", "BYE", NULL, NULL, NULL, 200, NULL, NULL },
        { "INFO of nothing", "INFO", NULL, "<sip:a@b>;tag=x", NULL, 481, NULL,
          NULL },
        { "re-INVITE of nothing", "INVITE", NULL, "<sip:a@b>;tag=x", NULL, 481,
          NULL, NULL },
        { "OPTIONS with a To tag", "OPTIONS", NULL, "<sip:a@b>;tag=x", NULL,
          481, NULL, NULL },
        { "unknown scheme", "OPTIONS", NULL, NULL, "nobodyknows:a.b", 416, NULL,
          NULL },
        { "second Call-ID", "MESSAGE", "Call-ID: other\r\n", NULL, NULL, 400,
          NULL, NULL },
        { "Max-Forwards", "MESSAGE", "Max-Forwards: 300\r\n", NULL, NULL, 400,
          NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = cases[i].method;
        r.more = cases[i].more ? cases[i].more : r.more;
        r.to = cases[i].to ? cases[i].to : r.to;
        r.uri = cases[i].uri ? cases[i].uri : r.uri;
        hand_feed(&p, &r);
        hand_feed(&p, &r);
        if (pair_events(&p, 0, SIP_EV_REQUEST, 0) || p.n_sent != 2 ||
            pair_status(pair_last(&p)) != cases[i].status)
            fail_msg("%s: %zu sent, last %u", cases[i].name, p.n_sent,
                     pair_status(pair_last(&p)));
        /* without state, and yet the same To tag */
        assert_true(slice_eq(p.sent[0].bytes, p.sent[1].bytes));
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        if (cases[i].header)
            expect_slice(pair_header(pair_last(&p)->bytes, cases[i].header),
                         cases[i].value);
        pair_fini(&p);
    }
}

static void several_unsupported(void **state)
{
    struct hand_req r = hand_plain;
    struct pair p;
    struct slice out;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r.method = "INVITE";
    r.more = "Require: nothing, replaces\r\nRequire: x\r\n";
    hand_feed(&p, &r);
    out = pair_last(&p)->bytes;
    assert_true(slice_find_slice(out, SLICE("Unsupported: nothing\r\n"
                                            "Unsupported: replaces\r\n"
                                            "Unsupported: x\r\n")) < out.n);
    pair_fini(&p);
}

/* What the layer above must see is not swallowed. */
static void passed_on(void **state)
{
    static const struct {
        const char *method, *more, *to;
    } cases[] = {
        { "OPTIONS", "", NULL },
        { "SUBSCRIBE", "Event: Catalog\r\n", NULL },
        { "SUBSCRIBE", "Event: Catalog\r\n", "<sip:a@b>;tag=x" },
        { "NOTIFY", "Event: Catalog\r\n", "<sip:a@b>;tag=x" },
        { "MESSAGE", "", "<sip:a@b>;tag=x" },
        { "INFO", "", NULL },
        { "MESSAGE", "Max-Forwards: 0\r\n", NULL },
        { "MESSAGE", "Require:\r\n", NULL },
        { "MESSAGE", "Require: ,\r\nRequire: \r\n", NULL },
        /* R30: we have no session timers, and need none */
        { "SUBSCRIBE", "Session-Expires: 90\r\nMin-SE: 90\r\n"
                       "Supported: timer, 100rel\r\n", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = cases[i].method;
        r.more = cases[i].more;
        r.to = cases[i].to ? cases[i].to : r.to;
        hand_feed(&p, &r);
        if (pair_events(&p, 0, SIP_EV_REQUEST, 0) != 1 || p.n_sent)
            fail_msg("%s %s", r.method, r.more);
        assert_true(p.seen[0].ev.dialog == 0);
        pair_fini(&p);
    }
}

/* R19: what the answer's Via says, and that it goes to the source. */
static void via_and_source(void **state)
{
    static const struct {
        const char *name, *via, *want;
    } cases[] = {
        { "rport", "SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK1",
          "SIP/2.0/UDP 10.0.0.9:5060;rport=5060;received=192.0.2.2;"
          "branch=z9hG4bK1" },
        { "no rport, other host", "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1",
          "SIP/2.0/UDP 10.0.0.9;received=192.0.2.2;branch=z9hG4bK1" },
        { "no rport, right host", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1",
          "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1" },
        { "a name", "SIP/2.0/UDP cam;branch=z9hG4bK1",
          "SIP/2.0/UDP cam;received=192.0.2.2;branch=z9hG4bK1" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.via = cases[i].via;
        hand_feed(&p, &r);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        expect_slice(pair_header(pair_last(&p)->bytes, "Via"), cases[i].want);
        assert_int_equal(pair_last(&p)->peer.remote.port, 5060);
        assert_int_equal(pair_last(&p)->peer.remote.ip[3], 2);
        pair_fini(&p);
    }
}

/* R5: the same request on another way, while it waits: 482. */
static void merged(void **state)
{
    (void)state;
    for (int invite = 0; invite < 2; invite++) {
        struct hand_req a = hand_plain, b;
        struct pair p;

        a.method = invite ? "INVITE" : "MESSAGE";
        b = a;
        b.via = "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKother";
        pair_init(&p, NULL, NULL, true);
        hand_feed(&p, &a);
        hand_feed(&p, &a); /* a repeat is not merged */
        hand_feed(&p, &b);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 482"), 1);
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
        hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 486);
        hand_feed(&p, &b); /* a finished one does not count */
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 482"), 1);
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
        pair_fini(&p);
    }
}

/* R20: to the source; by the RFC if that is wanted. */
static void reply_by_via(void **state)
{
    static const struct {
        const char *name, *via;
        uint8_t last;
        uint16_t port;
    } cases[] = {
        { "rport", "SIP/2.0/UDP 10.0.0.9:7000;rport;branch=z9hG4bK1", 2,
          40000 },
        { "sent-by port", "SIP/2.0/UDP 10.0.0.9:7000;branch=z9hG4bK1", 2,
          7000 },
        { "default port", "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1", 2, 5060 },
        { "maddr", "SIP/2.0/UDP h:7000;maddr=192.0.2.77;branch=z9hG4bK1", 77,
          7000 },
        { "maddr over rport",
          "SIP/2.0/UDP h;rport;maddr=192.0.2.77;branch=z9hG4bK1", 77, 5060 },
        { "broadcast", "SIP/2.0/UDP h;maddr=255.255.255.255;branch=z9hG4bK1",
          2, 5060 },
        { "a name", "SIP/2.0/UDP h;maddr=example.net;branch=z9hG4bK1", 2,
          5060 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct sip_stack_config cfg = { .reply_by_via = i % 2 };
        struct hand_turn t = { .r = { 200, .expires = -1 } };
        struct hand_req r = hand_plain;
        struct sip_peer from;
        struct pair p;

        hand_turn_init(&p, &t, &cfg);
        from = pair_peer(&p, 0);
        from.remote.port = 40000;
        r.via = cases[i / 2].via;
        for (int k = 0; k < 4; k++) { /* 200, its repeat, 501, 200 */
            r.method = k < 2 ? "MESSAGE" : k == 2 ? "FETCH" : "INVITE";
            pair_inject_from(&p, 0, &from, hand_text(&r));
        }
        assert_int_equal(p.n_sent, 4);
        for (size_t k = 0; k < p.n_sent; k++) {
            const struct gb_addr *a = &p.sent[k].peer.remote;

            if (a->ip[3] != (i % 2 ? cases[i / 2].last : 2) ||
                a->port != (i % 2 ? cases[i / 2].port : 40000))
                fail_msg("%s: %zu to .%u:%u", cases[i / 2].name, k, a->ip[3],
                         a->port);
        }
        pair_fini(&p);
    }
}

/* The edge says that this source has had its answers. */
static void quiet_source(void **state)
{
    static const char *const methods[] = { "FETCH", "UPDATE", "PRACK", "BYE",
                                           "CANCEL" };
    struct sip_peer from;
    struct hand_req r = hand_plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    from.quiet = true;
    for (size_t i = 0; i < COUNT(methods); i++) {
        r.method = methods[i];
        pair_inject_from(&p, 0, &from, hand_text(&r));
    }
    r.method = "MESSAGE";
    r.more = "Require: x\r\n";
    pair_inject_from(&p, 0, &from, hand_text(&r));
    r.more = "Max-Forwards: x\r\n";
    pair_inject_from(&p, 0, &from, hand_text(&r));
    assert_int_equal(p.n_sent, 0);
    assert_int_equal(pair_counters(&p, 0).hushed, 7);
    assert_int_equal(pair_counters(&p, 0).refused, 0);
    r.more = ""; /* what the layer above must judge is told to it */
    pair_inject_from(&p, 0, &from, hand_text(&r));
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    pair_fini(&p);
}

static void require_ignored(void **state)
{
    (void)state;
    for (int whose = 0; whose < 2; whose++) {
        struct sip_stack_config cfg = { .ignore_require = whose == 0 };
        struct sip_peer from;
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, &cfg, true);
        from = pair_peer(&p, 0);
        from.ignore_require = whose == 1;
        r.method = "REGISTER";
        r.more = "Require: path\r\n";
        pair_inject_from(&p, 0, &from, hand_text(&r));
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
        assert_int_equal(p.n_sent, 0);
        pair_fini(&p);
    }
}

/* R27, R28: what a status asks for is added where the layer above says nothing
 * of its own. */
static void completed_answers(void **state)
{
    static const struct sip_extra own = { S("X"), S("y") };
    static const struct {
        const char *method;
        struct hand_turn t;
        const char *line;
        bool there;
    } cases[] = {
        { "OPTIONS", { .r = { 200, .expires = -1 } }, "\r\nAllow: ", true },
        { "OPTIONS", { .r = { 200, .expires = -1 } }, "\r\nAccept: ", true },
        { "OPTIONS", { .r = { 200, .expires = -1 } }, "\r\nSupported: ", true },
        { "OPTIONS", { .r = { 486, .expires = -1 } }, "\r\nAllow: ", false },
        { "MESSAGE", { .r = { 200, .expires = -1 } }, "\r\nAllow: ", false },
        { "MESSAGE", { .r = { 405, .expires = -1 } }, "\r\nAllow: ", true },
        { "MESSAGE", { .r = { 415, .expires = -1 } }, "\r\nAccept: ", true },
        { "MESSAGE", { .r = { 415, .expires = -1 }, .stateless = true },
          "\r\nAccept-Encoding: ", true },
        { "INVITE", { .r = { 415, .expires = -1 } }, "\r\nAccept: ", true },
        { "MESSAGE", { .r = { 415, .extra = &own, .n_extra = 1,
                              .expires = -1 } }, "\r\nAccept: ", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_turn t = cases[i].t;
        struct hand_req r = hand_plain;
        struct slice out;
        struct pair p;

        hand_turn_init(&p, &t, NULL);
        r.method = cases[i].method;
        hand_feed(&p, &r);
        out = pair_last(&p)->bytes;
        if ((slice_find_slice(out, slice_str(cases[i].line)) < out.n) !=
            cases[i].there)
            fail_msg("%zu: %.*s", i, SLICE_ARG(out));
        pair_fini(&p);
    }
}

/* R28: a coded body is refused, one that may be ignored is ignored. */
static void bodies(void **state)
{
    static const struct {
        const char *more;
        unsigned status;  /* 0: reported */
        const char *body; /* as reported */
    } cases[] = {
        { "Content-Encoding: gzip\r\n", 415, NULL },
        { "Content-Encoding: Identity\r\n", 0, "body" },
        { "Content-Encoding: gzip\r\nContent-Disposition: "
          "x;handling=optional\r\n", 0, "" },
        { "Content-Type: text/odd\r\nContent-Disposition: "
          "x;a=b;Handling=OPTIONAL\r\n", 0, "" },
        { "Content-Type: text/odd\r\nContent-Disposition: "
          "x;handling=required\r\n", 0, "body" },
        { "Content-Encoding: gzip\r\nContent-Disposition: x\r\n", 415, NULL },
        { "Content-Type: application/sdp\r\nContent-Disposition: "
          "x;handling=optional\r\n", 0, "body" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.more = cases[i].more;
        r.body = "body";
        hand_feed(&p, &r);
        if (pair_status(pair_last(&p)) != cases[i].status)
            fail_msg("%zu: %u", i, pair_status(pair_last(&p)));
        if (cases[i].status)
            expect_slice(pair_header(pair_last(&p)->bytes, "Accept-Encoding"),
                         "identity");
        else
            assert_string_equal(p.seen[0].body, cases[i].body);
        pair_fini(&p);
    }
}

/* R30 */
static void accepts(void **state)
{
    static const struct {
        const char *more;
        bool sdp;
    } cases[] = {
        { "", true },
        { "Accept: application/sdp\r\n", true },
        { "Accept: text/plain, Application/SDP;level=1\r\n", true },
        { "Accept: text/plain\r\nAccept: application/*\r\n", true },
        { "Accept: */*;q=0.1\r\n", true },
        { "Accept: text/*, image/*\r\n", false },
        { "Accept: application/sdp;q=0\r\n", false },
        { "Accept: */*;q=0.000\r\n", false },
        { "Accept:\r\n", false },
        { "Accept: application/sdpx, applicatio/*\r\n", false },
    };
    static struct sip_msg m;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hand_req r = hand_plain;

        r.more = cases[i].more;
        assert_int_equal(sip_msg_parse(&m, guarded(hand_text(&r)), SIP_DATAGRAM,
                                       NULL), 0);
        if (sip_stack_accepts(&m, SLICE("application/sdp")) != cases[i].sdp)
            fail_msg("%s", cases[i].more);
    }
}

/* R32: each mandatory header broken; the refusal of a REGISTER tells our
 * version. */
static void mandatory_headers(void **state)
{
    static const struct {
        const char *name;
        struct hand_req r;
        unsigned status;
    } cases[] = {
        { "To", { .to = "<sip:a@b" }, 400 },
        { "empty To", { .to = "" }, 400 },
        { "From", { .from = "\"x <sip:a@b>;tag=1" }, 400 },
        { "empty Call-ID", { .call_id = "" }, 400 },
        { "CSeq", { .cseq = "x" }, 400 },
        { "large CSeq", { .cseq = "4294967297" }, 400 },
        { "Via", { .via = "SIP/2.0/UDP" }, 0 },
        { "Via of HTTP", { .via = "HTTP/1.1/UDP 10.0.0.9;branch=z9hG4bK1" }, 0 },
        { "ttl of Via", { .via = "SIP/2.0/UDP 10.0.0.9:5060;ttl=999;"
                                 "branch=z9hG4bK1" }, 400 },
        { "no Max-Forwards", { .more = "" }, 0 },
        { "Max-Forwards", { .more = "Max-Forwards: -1\r\n" }, 400 },
    };
    struct sip_stack_config cfg = {
        .register_extra = { S("X-GB-Ver"), S("3.0") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hand_req *o = &cases[i].r;
        struct hand_req r = hand_plain;
        struct pair p;

        pair_init(&p, NULL, &cfg, true);
        r.method = "REGISTER";
        r.to = o->to ? o->to : r.to;
        r.from = o->from ? o->from : r.from;
        r.call_id = o->call_id ? o->call_id : r.call_id;
        r.cseq = o->cseq ? o->cseq : r.cseq;
        r.via = o->via ? o->via : r.via;
        r.more = o->more ? o->more : r.more;
        hand_feed(&p, &r);
        if (pair_status(pair_last(&p)) != cases[i].status)
            fail_msg("%s: %u", cases[i].name, pair_status(pair_last(&p)));
        if (cases[i].status)
            expect_slice(pair_header(pair_last(&p)->bytes, "X-GB-Ver"), "3.0");
        pair_fini(&p);
    }
}

/* R12: our 2xx is repeated until its ACK, on a stream as well; then BYE. */
static void ok_repeated_on_a_stream(void **state)
{
    struct hand_turn t = { .r = { 200, .expires = -1 } };
    struct pair_wire tcp = { .tcp = true };
    struct hand_req inv = hand_plain;
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    p.on_event = hand_in_turn;
    p.ctx = &t;
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    pair_run(&p, p.now_ms + 31999); /* 0.5, 1.5, 3.5, 7.5 ... 31.5 s */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 11);
    assert_int_equal(pair_count(&p, 0, "BYE"), 0);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 408), 1);
    pair_fini(&p);
}

static void source_port_moves(void **state)
{
    struct pair p;
    struct sip_peer from, other;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = other = pair_peer(&p, 0);
    hand_feed(&p, &hand_plain);
    hand_respond(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    from.remote.port = 40001; /* NAT gave the repeat another port */
    pair_inject_from(&p, 0, &from, hand_text(&hand_plain));
    assert_int_equal(pair_last(&p)->peer.remote.port, 40001);
    other.remote.ip[3] = 66; /* a stranger neither gets nor moves it */
    other.remote.port = 6666;
    assert_int_equal(p.n_sent, 2);
    pair_inject_from(&p, 0, &other, hand_text(&hand_plain));
    assert_int_equal(p.n_sent, 2);
    pair_inject_from(&p, 0, &from, hand_text(&hand_plain));
    assert_int_equal(pair_last(&p)->peer.remote.port, 40001);
    pair_fini(&p);
}

static void malformed(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        unsigned status; /* 0: no answer */
        bool reported;
    } cases[] = {
        { "no To", S("MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch="
                     "z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: 1\r\n"
                     "CSeq: 1 MESSAGE\r\n\r\n"), 400, true },
        { "no Via", S("MESSAGE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n"
                      "From: <sip:a@b>;tag=1\r\nCall-ID: 1\r\n"
                      "CSeq: 1 MESSAGE\r\n\r\n"), 0, true },
        { "version", S("OPTIONS sip:a@b SIP/7.0\r\nVia: SIP/2.0/UDP h;branch="
                       "z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
                       "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"), 505, true },
        { "ACK", S("ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch="
                   "z9hG4bK1\r\nCSeq: 1 ACK\r\n\r\n"), 0, true },
        { "a response", S("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch="
                          "z9hG4bK1\r\nCSeq: x\r\n\r\n"), 0, true },
        { "no SIP", S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0, true },
        { "keep-alive", S("\r\n\r\n"), 0, false },
        { "jaK", S("\0\0\0\0"), 0, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair p;
        int err;

        pair_init(&p, NULL, NULL, true);
        err = pair_inject(&p, 0, guarded(cases[i].in));
        if ((err != 0) != cases[i].reported ||
            pair_events(&p, 0, SIP_EV_BAD, 0) != cases[i].reported ||
            pair_status(pair_last(&p)) != cases[i].status ||
            pair_counters(&p, 0).bad != cases[i].reported)
            fail_msg("%s: err %d, answered %u", cases[i].name, err,
                     pair_status(pair_last(&p)));
        if (cases[i].reported)
            assert_non_null(p.seen[0].ev.diag.why);
        pair_fini(&p);
    }
}

/* Every prefix of a good request: an error or a keep-alive, no event, no
 * state. */
static void prefixes(void **state)
{
    struct hand_req r = hand_plain;
    char whole[2048];
    struct slice s;
    struct pair p;

    (void)state;
    r.body = "<?xml version=\"1.0\"?>\r\n<Notify><SN>1</SN></Notify>\r\n";
    s = hand_text(&r);
    memcpy(whole, s.p, s.n);
    pair_init(&p, NULL, NULL, true);
    p.quiet = true;
    for (size_t n = 0; n + 2 < s.n; n++) {
        int err = sip_stack_input(p.stack[0], &(struct sip_peer){
            .remote = pair_peer(&p, 0).remote },
            guarded(slice_of(whole, n)), p.now_ms);

        if (err == 0 && n > 4)
            fail_msg("%zu bytes of %zu are taken", n, s.n);
        pair_pump(&p);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
    }
    pair_fini(&p);
}

static void stateless(void **state)
{
    static const struct sip_extra challenge[] = {
        { S("WWW-Authenticate"), S("Digest realm=\"r\", nonce=\"n\"") },
    };
    struct sip_response r = { .status = 401,
                              .expires = -1,
                              .extra = challenge,
                              .n_extra = 1 };
    struct hand_req reg = hand_plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    reg.method = "REGISTER";
    for (size_t i = 0; i < 3; i++) {
        const struct pair_seen *ev;

        hand_feed(&p, &reg);
        ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, i);
        assert_non_null(ev); /* forgotten, so it is new each time */
        assert_int_equal(sip_stack_respond_stateless(
            p.stack[0], ev->ev.transaction, &r, p.now_ms), 0);
        pair_pump(&p);
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                           p.now_ms), GB_ENOENT);
    }
    expect_slice(pair_header(pair_last(&p)->bytes, "WWW-Authenticate"),
                 "Digest realm=\"r\", nonce=\"n\"");
    pair_fini(&p);
}

static void stateless_invite(void **state)
{
    struct sip_response r = { .status = 403, .expires = -1 };
    struct hand_req inv = hand_plain, ack;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    hand_feed(&p, &inv);
    assert_int_equal(pair_counters(&p, 0).dialogs, 1);
    assert_int_equal(sip_stack_respond_stateless(
        p.stack[0], pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.transaction,
        &r, p.now_ms), 0);
    pair_pump(&p);
    assert_int_equal(pair_counters(&p, 0).dialogs, 0);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    ack = inv;
    ack.method = "ACK";
    hand_feed(&p, &ack); /* to nothing: dropped */
    assert_int_equal(p.n_sent, 2); /* 100, 403 */
    assert_int_equal(pair_events(&p, 0, SIP_EV_ACKED, 0), 0);
    assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
    pair_fini(&p);
}

static void to_tags(void **state)
{
    struct hand_req sub = hand_plain;
    const struct pair_seen *ev;
    struct slice tag, to;
    char want[80];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    sub.method = "SUBSCRIBE";
    hand_feed(&p, &sub);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev->ev.transaction, &tag),
                     0);
    snprintf(want, sizeof(want), "%s;tag=%.*s", sub.to, SLICE_ARG(tag));
    hand_respond(&p, ev, 200);
    to = pair_header(pair_last(&p)->bytes, "To");
    expect_slice(to, want);
    sub.to = "<sip:a@b>;tag=theirs"; /* one that is there is not replaced */
    hand_feed(&p, &sub);
    sub.cseq = "22";
    hand_feed(&p, &sub);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 1);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev->ev.transaction, &tag),
                     0);
    expect_slice(tag, "theirs");
    hand_respond(&p, ev, 200);
    expect_slice(pair_header(pair_last(&p)->bytes, "To"), sub.to);
    assert_int_equal(sip_stack_to_tag(p.stack[0], 12345, &tag), GB_ENOENT);
    pair_fini(&p);
}

static void answers_too_late(void **state)
{
    struct sip_response r = { .status = 200, .expires = -1 };
    const struct pair_seen *ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    hand_feed(&p, &hand_plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    hand_respond(&p, ev, 200);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ESTATE);
    pair_run(&p, p.now_ms + 40000);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ENOENT);
    /* never answered: silence after 64*T1, RFC 4320 */
    hand_feed(&p, &hand_plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 1);
    pair_run(&p, p.now_ms + 32000);
    assert_int_equal(pair_counters(&p, 0).transactions, 0);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ENOENT);
    assert_int_equal(p.n_sent, 1);
    r.status = 99;
    hand_feed(&p, &hand_plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 2);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ERANGE);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_and_200),
        cmocka_unit_test(repeats),
        cmocka_unit_test(matching),
        cmocka_unit_test(refusals),
        cmocka_unit_test(several_unsupported),
        cmocka_unit_test(passed_on),
        cmocka_unit_test(via_and_source),
        cmocka_unit_test(merged),
        cmocka_unit_test(reply_by_via),
        cmocka_unit_test(quiet_source),
        cmocka_unit_test(require_ignored),
        cmocka_unit_test(completed_answers),
        cmocka_unit_test(bodies),
        cmocka_unit_test(accepts),
        cmocka_unit_test(mandatory_headers),
        cmocka_unit_test(ok_repeated_on_a_stream),
        cmocka_unit_test(source_port_moves),
        cmocka_unit_test(malformed),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(stateless),
        cmocka_unit_test(stateless_invite),
        cmocka_unit_test(to_tags),
        cmocka_unit_test(answers_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
