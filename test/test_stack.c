/* sip/stack as a server: matching, refusals, repeats, our answers. The test is
 * the peer and writes its messages by hand. */
#include "test/pair.h"

#include "sip/value.h"

#include <stdio.h>
#include <stdlib.h>

/* A message under construction: lines that tests replace one by one. */
struct req {
    const char *method, *uri, *via, *from, *to, *call_id, *cseq, *more, *body;
};

static const struct req plain = {
    "MESSAGE",
    "sip:34020000002000000001@3402000000",
    "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKa1",
    "<sip:34020000001320000001@3402000000>;tag=f1",
    "<sip:34020000002000000001@3402000000>",
    "call-1@192.0.2.2",
    "20",
    "",
    "",
};

static char text_buf[8192];

static struct slice text(const struct req *r)
{
    int n = snprintf(text_buf, sizeof(text_buf),
                     "%s %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\n"
                     "Call-ID: %s\r\nCSeq: %s %s\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     r->method, r->uri, r->via, r->from, r->to, r->call_id,
                     r->cseq, r->method, r->more, strlen(r->body), r->body);

    assert_true(n > 0 && (size_t)n < sizeof(text_buf));
    return slice_of(text_buf, (size_t)n);
}

static int feed(struct pair *p, const struct req *r)
{
    return pair_inject(p, 0, text(r));
}

/* The status line of the n-th message we sent. */
static unsigned status_of(const struct pair_sent *s)
{
    return s && s->bytes.n > 12 ? (unsigned)atoi(s->bytes.p + 8) : 0;
}

static const struct pair_sent *last(const struct pair *p)
{
    return p->n_sent ? &p->sent[p->n_sent - 1] : NULL;
}

static uint64_t answer(struct pair *p, const struct pair_seen *seen,
                       unsigned status)
{
    struct sip_response r = { .status = status, .expires = -1 };

    assert_non_null(seen);
    assert_int_equal(sip_stack_respond(p->stack[0], seen->ev.transaction, &r,
                                       p->now_ms), 0);
    pair_pump(p);
    return seen->ev.transaction;
}

static void expect_slice(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

static struct sip_counters counters(const struct pair *p)
{
    struct sip_counters c;

    sip_stack_counters(p->stack[0], &c);
    return c;
}

static void message_and_200(void **state)
{
    struct pair p;
    struct slice out;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    assert_int_equal(feed(&p, &plain), 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(p.n_sent, 0); /* no 100 to a MESSAGE */
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    assert_int_equal(p.n_sent, 1);
    out = last(&p)->bytes;
    assert_int_equal(status_of(last(&p)), 200);
    expect_slice(pair_header(out, "Via"),
                 "SIP/2.0/UDP 192.0.2.2:5060;rport=5060;received=192.0.2.2;"
                 "branch=z9hG4bKa1");
    expect_slice(pair_header(out, "From"), plain.from);
    expect_slice(pair_header(out, "Call-ID"), plain.call_id);
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
        feed(&p, &plain);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(p.n_sent, 0);
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    for (int i = 0; i < 3; i++)
        feed(&p, &plain);
    assert_int_equal(p.n_sent, 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    assert_int_equal(counters(&p).absorbed, 5);
    pair_run(&p, p.now_ms + 31999);
    feed(&p, &plain); /* timer J */
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(counters(&p).transactions, 0);
    feed(&p, &plain);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

/* R1, R2 and the wider key that devices need. */
static void matching(void **state)
{
    static const struct {
        const char *name;
        struct req second; /* NULL: as the first */
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
        struct req a = plain, b;
        const struct req *o = &cases[i].second;
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
        feed(&p, &a);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        feed(&p, &b);
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
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = cases[i].method;
        r.more = cases[i].more ? cases[i].more : r.more;
        r.to = cases[i].to ? cases[i].to : r.to;
        r.uri = cases[i].uri ? cases[i].uri : r.uri;
        feed(&p, &r);
        feed(&p, &r);
        if (pair_events(&p, 0, SIP_EV_REQUEST, 0) || p.n_sent != 2 ||
            status_of(last(&p)) != cases[i].status)
            fail_msg("%s: %zu sent, last %u", cases[i].name, p.n_sent,
                     status_of(last(&p)));
        /* without state, and yet the same To tag */
        assert_true(slice_eq(p.sent[0].bytes, p.sent[1].bytes));
        assert_int_equal(counters(&p).transactions, 0);
        if (cases[i].header)
            expect_slice(pair_header(last(&p)->bytes, cases[i].header),
                         cases[i].value);
        pair_fini(&p);
    }
}

static void several_unsupported(void **state)
{
    struct req r = plain;
    struct pair p;
    struct slice out;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r.method = "INVITE";
    r.more = "Require: nothing, replaces\r\nRequire: x\r\n";
    feed(&p, &r);
    out = last(&p)->bytes;
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
        /* R30: we have no session timers, and need none */
        { "SUBSCRIBE", "Session-Expires: 90\r\nMin-SE: 90\r\n"
                       "Supported: timer, 100rel\r\n", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = cases[i].method;
        r.more = cases[i].more;
        r.to = cases[i].to ? cases[i].to : r.to;
        feed(&p, &r);
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
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.via = cases[i].via;
        feed(&p, &r);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        expect_slice(pair_header(last(&p)->bytes, "Via"), cases[i].want);
        assert_int_equal(last(&p)->peer.remote.port, 5060);
        assert_int_equal(last(&p)->peer.remote.ip[3], 2);
        pair_fini(&p);
    }
}

/* ---- answered in its turn ---------------------------------------------- */

/* What the layer above does with each request, inside the event loop. */
struct turn {
    struct sip_response r;
    bool stateless, contact; /* contact: the request's own */
    bool end;                /* sip_stack_end on the dialog, no answer */
    int err, second;         /* what the answer returned, and one more */
};

static void in_turn(struct pair *p, int side, const struct sip_event *ev)
{
    struct sip_stack *s = p->stack[side];
    struct turn *t = p->ctx;
    struct sip_response r = t->r;
    struct sip_addr contact;

    if (ev->kind != SIP_EV_REQUEST)
        return;
    if (t->end) {
        sip_stack_end(s, ev->dialog, p->now_ms);
        return;
    }
    if (t->contact && !sip_msg_contact(ev->msg, &contact))
        r.contact = contact.uri.text;
    if (t->stateless)
        t->err = sip_stack_respond_stateless(s, ev->transaction, &r,
                                             p->now_ms);
    else
        t->err = sip_stack_respond(s, ev->transaction, &r, p->now_ms);
    t->second = sip_stack_respond(s, ev->transaction, &r, p->now_ms);
}

static void turn_init(struct pair *p, struct turn *t,
                      const struct sip_stack_config *cfg)
{
    pair_init(p, NULL, cfg, true);
    p->on_event = in_turn;
    p->ctx = t;
}

/* R4: whatever the answer had in it, a repeat brings the same bytes, and the
 * layer above hears nothing of it. */
static void repeats_are_rebuilt(void **state)
{
    static const struct sip_extra date[] = {
        { S("Date"), S("2026-01-02T03:04:05.678") },
        { S("X-GB-Ver"), S("3.0") },
    };
    static char lot[700];
    static const struct sip_extra large = { S("X-Much"),
                                            { lot, sizeof(lot) } };
    static const struct {
        const char *name, *method, *more, *to;
        struct turn t;
        unsigned bytes; /* at most */
    } cases[] = {
        { "bare", "MESSAGE", "", NULL, { .r = { 200, .expires = -1 } }, 80 },
        { "refusal", "MESSAGE", "", NULL, { .r = { 400, .expires = -1 } }, 80 },
        { "granted", "REGISTER",
          "Contact: \"x\" <sip:a@192.0.2.2:5060;y=1>;expires=9\r\n", NULL,
          { .r = { 200, .expires = 3600, .extra = date, .n_extra = 2 },
            .contact = true }, 144 },
        { "unregistered", "REGISTER", "", NULL,
          { .r = { 200, .expires = 0, .extra = date, .n_extra = 2 } }, 144 },
        { "another contact", "REGISTER", "Contact: <sip:a@192.0.2.2>\r\n",
          NULL, { .r = { 302, .contact = S("sip:else@192.0.2.9"),
                         .expires = -1 } }, 320 },
        { "a body", "MESSAGE", "", NULL,
          { .r = { 200, .content_type = S("text/plain"), .body = S("hello"),
                   .expires = -1 } }, 320 },
        { "a reason", "MESSAGE", "", NULL,
          { .r = { 403, .reason = S("Go away"), .expires = -1 } }, 320 },
        { "much", "MESSAGE", "", NULL,
          { .r = { 200, .extra = &large, .n_extra = 1, .expires = -1 } },
          1024 },
        { "Record-Route", "SUBSCRIBE",
          "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nTimestamp: 4.5\r\n", NULL,
          { .r = { 200, .expires = 90 } }, 80 },
        { "Record-Route and a body", "SUBSCRIBE",
          "Record-Route: <sip:p1;lr>\r\n", NULL,
          { .r = { 200, .body = S("x"), .content_type = S("a/b"),
                   .expires = 90 } }, 320 },
        { "their tag", "MESSAGE", "", "<sip:a@b>;tag=t",
          { .r = { 200, .expires = -1 } }, 80 },
        { "folded", "MESSAGE", "", "<sip:a@b>\r\n ;x=y",
          { .r = { 200, .expires = -1 } }, 80 },
        { "completed", "OPTIONS", "", NULL, { .r = { 200, .expires = -1 } },
          80 },
        { "more Vias", "MESSAGE", "Via: SIP/2.0/UDP p;branch=z9hG4bKq, "
          "SIP/2.0/UDP q;branch=z9hG4bKr\r\n", NULL,
          { .r = { 200, .expires = -1 } }, 80 },
    };

    (void)state;
    memset(lot, 'm', sizeof(lot));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct turn t = cases[i].t;
        struct req r = plain;
        struct pair p;

        turn_init(&p, &t, NULL);
        r.method = cases[i].method;
        r.more = cases[i].more;
        r.to = cases[i].to ? cases[i].to : r.to;
        for (int k = 0; k < 4; k++)
            feed(&p, &r);
        if (t.err || t.second != GB_ESTATE)
            fail_msg("%s: %s, then %s", cases[i].name, gb_strerror(t.err),
                     gb_strerror(t.second));
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
        assert_int_equal(p.n_sent, 4);
        for (size_t k = 1; k < 4; k++)
            if (!slice_eq(p.sent[k].bytes, p.sent[0].bytes))
                fail_msg("%s: %.*s\n%.*s", cases[i].name,
                         SLICE_ARG(p.sent[0].bytes),
                         SLICE_ARG(p.sent[k].bytes));
        if (counters(&p).memory > cases[i].bytes)
            fail_msg("%s: %llu bytes", cases[i].name,
                     (unsigned long long)counters(&p).memory);
        pair_run(&p, p.now_ms + 31999); /* Timer J */
        assert_int_equal(counters(&p).transactions, 1);
        pair_run(&p, p.now_ms + 1);
        assert_int_equal(counters(&p).transactions, 0);
        assert_int_equal(counters(&p).memory, 0);
        pair_fini(&p);
    }
}

/* What was answered late leaves the same record, and the same bytes. */
static void answered_late_or_at_once(void **state)
{
    static const struct sip_extra x = { S("X-GB-Ver"), S("3.0") };
    struct turn t = { .r = { 200, .extra = &x, .n_extra = 1, .expires = 60 } };
    struct req r = plain;
    struct pair p, late;

    (void)state;
    turn_init(&p, &t, NULL);
    pair_init(&late, NULL, NULL, true);
    r.method = "SUBSCRIBE";
    r.more = "Record-Route: <sip:p1;lr>\r\n";
    for (int k = 0; k < 2; k++) {
        feed(&p, &r);
        feed(&late, &r);
        if (k == 0) {
            assert_true(counters(&late).memory > 200);
            assert_int_equal(sip_stack_respond(
                late.stack[0], late.seen[0].ev.transaction, &t.r, late.now_ms),
                0);
            pair_pump(&late);
        }
        assert_true(slice_eq(last(&p)->bytes, last(&late)->bytes));
        assert_int_equal(counters(&late).memory, counters(&p).memory);
    }
    pair_fini(&p);
    pair_fini(&late);
}

/* Timer J is zero on a stream: nothing is kept. */
static void nothing_kept_on_a_stream(void **state)
{
    struct turn t = { .r = { 200, .expires = -1 } };
    struct pair_wire tcp = { .tcp = true };
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    p.on_event = in_turn;
    p.ctx = &t;
    feed(&p, &plain);
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(counters(&p).memory, 0);
    pair_fini(&p);
}

/* A stranger's request that is refused in its turn: no 100, no dialog, no
 * transaction, no memory. */
static void refused_in_its_turn(void **state)
{
    static const char *const methods[] = { "INVITE", "REGISTER", "MESSAGE",
                                           "SUBSCRIBE", "OPTIONS" };
    struct turn t = { .r = { 403, .expires = -1 }, .stateless = true };

    (void)state;
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct req r = plain;
        struct pair p;

        turn_init(&p, &t, NULL);
        r.method = methods[i];
        for (int k = 0; k < 3; k++)
            feed(&p, &r);
        assert_int_equal(p.n_sent, 3);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 403"), 3);
        assert_true(slice_eq(p.sent[2].bytes, p.sent[0].bytes));
        assert_int_equal(t.second, GB_ENOENT);
        assert_int_equal(counters(&p).transactions, 0);
        assert_int_equal(counters(&p).dialogs, 0);
        assert_int_equal(counters(&p).memory, 0);
        assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
        pair_fini(&p);
    }
}

/* Refused with a transaction, the INVITE is still not answered 100, and its
 * refusal is repeated until the ACK. */
static void invite_refused_in_its_turn(void **state)
{
    struct turn t = { .r = { 488, .expires = -1 } };
    struct req inv = plain, ack;
    char to[200];
    struct pair p;

    (void)state;
    turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    feed(&p, &inv);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 100"), 0);
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(t.second, GB_ESTATE);
    pair_run(&p, p.now_ms + 1500);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 488"), 3);
    slice_copy(to, sizeof(to), pair_header(last(&p)->bytes, "To"));
    ack = inv;
    ack.method = "ACK";
    ack.to = to;
    feed(&p, &ack);
    pair_settle(&p, 60000);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 488"), 3);
    pair_fini(&p);
}

static void ended_in_its_turn(void **state)
{
    struct turn t = { .end = true };
    struct req inv = plain;
    struct pair p;

    (void)state;
    turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    feed(&p, &inv);
    assert_int_equal(p.n_sent, 1);
    assert_int_equal(status_of(last(&p)), 480);
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 0), 0);
    pair_fini(&p);
}

static void provisional_in_its_turn(void **state)
{
    struct turn t = { .r = { 180, .expires = -1 } };
    struct pair p;

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct req r = plain;

        turn_init(&p, &t, NULL);
        r.method = k ? "MESSAGE" : "INVITE";
        feed(&p, &r);
        assert_int_equal(t.second, 0); /* another 180 */
        feed(&p, &r);                  /* the last 1xx again */
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 180"), 3);
        assert_int_equal(p.n_sent, 3);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
        assert_int_equal(status_of(last(&p)), 200);
        assert_int_equal(counters(&p).dialogs, k ? 0 : 1);
        pair_fini(&p);
    }
}

/* The To tag while it is pending, a wrong status, a call that ends the turn. */
static void while_pending(void **state)
{
    struct sip_response r = { 99, .expires = -1 };
    struct req q = plain;
    struct sip_event ev;
    struct sip_out out;
    struct sip_peer from;
    struct slice tag;
    struct pair p;
    char want[40];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    sip_stack_input(p.stack[0], &from, text(&q), 1);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev.transaction, &tag), 0);
    snprintf(want, sizeof(want), ";tag=%.*s", SLICE_ARG(tag));
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                     GB_ERANGE);
    assert_int_equal(sip_stack_respond_stateless(p.stack[0], ev.transaction,
                                                 &r, 1), GB_ERANGE);
    sip_stack_tick(p.stack[0], 2); /* its turn is over */
    assert_int_equal(counters(&p).transactions, 1);
    r.status = 200;
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 3), 0);
    assert_true(sip_stack_output(p.stack[0], &out));
    assert_true(slice_find_slice(out.bytes, slice_str(want)) < out.bytes.n);
    q.to = "<sip:a@b>;tag=theirs";
    q.cseq = "33";
    sip_stack_input(p.stack[0], &from, text(&q), 3);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev.transaction, &tag), 0);
    expect_slice(tag, "theirs");
    sip_stack_closed(p.stack[0], 5, 4);
    sip_stack_send_failed(p.stack[0], &from, 4);
    assert_int_equal(counters(&p).transactions, 2);
    q.method = "INVITE"; /* one that is pending at the end */
    q.to = plain.to;
    sip_stack_input(p.stack[0], &from, text(&q), 3);
    pair_fini(&p);
}

/* Memory gives out between the event and the answer: whatever is lost, nothing
 * stays. */
static void pending_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 0; n < 96; n++) {
        struct turn t = { .r = { n & 4 ? 200 : 486, .expires = -1 } };
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.method = n & 1 ? "INVITE" : "MESSAGE";
        if (n & 2) { /* answered in its turn */
            p.on_event = in_turn;
            p.ctx = &t;
        }
        p.mem[0].fail_at = p.mem[0].calls + 1 + n / 8;
        feed(&p, &r);
        p.mem[0].fail_at = 0;
        feed(&p, &r);
        pair_run(&p, p.now_ms + 400000);
        assert_true(p.n_sent > 0 || !(n & 1)); /* at last a 408 */
        assert_int_equal(counters(&p).transactions, 0);
        assert_int_equal(counters(&p).dialogs, 0);
        pair_fini(&p);
    }
}

/* ---- large turns ------------------------------------------------------- */

static size_t take_all(struct sip_stack *s, size_t *bytes)
{
    struct sip_out out;
    size_t n = 0;

    for (; sip_stack_output(s, &out); n++)
        *bytes += out.bytes.n;
    return n;
}

/* Answers of one turn may be many and large; what they needed goes back. */
static void a_large_turn(void **state)
{
    static char lot[20000];
    struct sip_response r = { .status = 200, .expires = -1,
                              .content_type = S("text/plain"),
                              .body = { lot, sizeof(lot) } };
    struct sip_peer from;
    struct req q = plain;
    struct sip_event ev;
    struct pair p;
    size_t bytes = 0;
    char cseq[16];

    (void)state;
    memset(lot, 'x', sizeof(lot));
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    q.cseq = cseq;
    for (unsigned i = 0; i < 30; i++) {
        snprintf(cseq, sizeof(cseq), "%u", i);
        sip_stack_input(p.stack[0], &from, text(&q), 1);
        assert_true(sip_stack_event(p.stack[0], &ev));
        assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                         0);
    }
    assert_int_equal(take_all(p.stack[0], &bytes), 30);
    assert_true(bytes > 30 * sizeof(lot));
    q.method = "FETCH"; /* the stack's own, more than a queue keeps */
    bytes = 0;
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(cseq, sizeof(cseq), "%u", i);
        sip_stack_input(p.stack[0], &from, text(&q), 1);
    }
    assert_int_equal(take_all(p.stack[0], &bytes), 1500);
    r.body.n = SIP_MAX_HEAD + SIP_MAX_BODY; /* never read that far */
    q.method = "MESSAGE";
    sip_stack_input(p.stack[0], &from, text(&q), 1);
    assert_true(sip_stack_event(p.stack[0], &ev));
    r.body.p = calloc(1, r.body.n);
    assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &r, 1),
                     GB_ELIMIT);
    free((void *)(uintptr_t)r.body.p);
    pair_fini(&p);
}

/* Long branches and Call-IDs make keys as short ones do. */
static void long_keys(void **state)
{
    static char via[900], call_id[900], other[900];
    struct req r = plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    snprintf(via, sizeof(via), "SIP/2.0/UDP h;branch=z9hG4bK%0600d", 7);
    snprintf(call_id, sizeof(call_id), "%0700d", 1);
    snprintf(other, sizeof(other), "%0700d", 2);
    r.via = via;
    r.call_id = call_id;
    feed(&p, &r);
    feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    r.call_id = other;
    feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

/* The layer above ends a dialog before it has taken out the events of it: the
 * request inside is answered 481, what is not about it stays. */
static void ended_with_a_request_queued(void **state)
{
    struct turn t = { .r = { 200, .contact = S("sip:us@192.0.2.1"),
                             .expires = -1 } };
    struct req inv = plain, info;
    struct sip_peer from;
    struct sip_event ev;
    uint64_t dialog;
    char to[200];
    struct pair p;

    (void)state;
    turn_init(&p, &t, NULL);
    from = pair_peer(&p, 0);
    inv.method = "INVITE";
    inv.more = "Contact: <sip:c@192.0.2.2>\r\n";
    feed(&p, &inv);
    dialog = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.dialog;
    slice_copy(to, sizeof(to), pair_header(last(&p)->bytes, "To"));
    info = inv;
    info.to = to;
    info.method = "ACK";
    feed(&p, &info);
    info.method = "INFO";
    info.cseq = "21";
    sip_stack_input(p.stack[0], &from, text(&info), p.now_ms);
    sip_stack_end(p.stack[0], dialog, p.now_ms);
    assert_false(sip_stack_event(p.stack[0], &ev));
    pair_pump(&p);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 481"), 1);
    assert_int_equal(pair_count(&p, 0, "BYE"), 1);
    pair_settle(&p, 60000);
    pair_fini(&p);
}

/* An INVITE over a connection that is lost before it is answered. */
static void connection_lost(void **state)
{
    struct pair_wire tcp = { .tcp = true };
    struct req inv = plain;
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    inv.method = "INVITE";
    feed(&p, &inv);
    assert_int_equal(counters(&p).dialogs, 1);
    sip_stack_closed(p.stack[0], 77, p.now_ms);
    pair_pump(&p);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ENDED, 503), 1);
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(counters(&p).transactions, 0);
    pair_fini(&p);
}

/* ---- rules ------------------------------------------------------------- */

/* R5: the same request on another way, while it waits: 482. */
static void merged(void **state)
{
    (void)state;
    for (int invite = 0; invite < 2; invite++) {
        struct req a = plain, b;
        struct pair p;

        a.method = invite ? "INVITE" : "MESSAGE";
        b = a;
        b.via = "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKother";
        pair_init(&p, NULL, NULL, true);
        feed(&p, &a);
        feed(&p, &a); /* a repeat is not merged */
        feed(&p, &b);
        assert_int_equal(pair_count(&p, 0, "SIP/2.0 482"), 1);
        assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 486);
        feed(&p, &b); /* a finished one does not count */
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
        struct turn t = { .r = { 200, .expires = -1 } };
        struct req r = plain;
        struct sip_peer from;
        struct pair p;

        turn_init(&p, &t, &cfg);
        from = pair_peer(&p, 0);
        from.remote.port = 40000;
        r.via = cases[i / 2].via;
        for (int k = 0; k < 4; k++) { /* 200, its repeat, 501, 200 */
            r.method = k < 2 ? "MESSAGE" : k == 2 ? "FETCH" : "INVITE";
            pair_inject_from(&p, 0, &from, text(&r));
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
    struct req r = plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    from.quiet = true;
    for (size_t i = 0; i < COUNT(methods); i++) {
        r.method = methods[i];
        pair_inject_from(&p, 0, &from, text(&r));
    }
    r.method = "MESSAGE";
    r.more = "Require: x\r\n";
    pair_inject_from(&p, 0, &from, text(&r));
    r.more = "Max-Forwards: x\r\n";
    pair_inject_from(&p, 0, &from, text(&r));
    assert_int_equal(p.n_sent, 0);
    assert_int_equal(counters(&p).hushed, 7);
    assert_int_equal(counters(&p).refused, 0);
    r.more = ""; /* what the layer above must judge is told to it */
    pair_inject_from(&p, 0, &from, text(&r));
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 1);
    pair_fini(&p);
}

static void require_ignored(void **state)
{
    (void)state;
    for (int whose = 0; whose < 2; whose++) {
        struct sip_stack_config cfg = { .ignore_require = whose == 0 };
        struct sip_peer from;
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, &cfg, true);
        from = pair_peer(&p, 0);
        from.ignore_require = whose == 1;
        r.method = "REGISTER";
        r.more = "Require: path\r\n";
        pair_inject_from(&p, 0, &from, text(&r));
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
        struct turn t;
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
        struct turn t = cases[i].t;
        struct req r = plain;
        struct slice out;
        struct pair p;

        turn_init(&p, &t, NULL);
        r.method = cases[i].method;
        feed(&p, &r);
        out = last(&p)->bytes;
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
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r.more = cases[i].more;
        r.body = "body";
        feed(&p, &r);
        if (status_of(last(&p)) != cases[i].status)
            fail_msg("%zu: %u", i, status_of(last(&p)));
        if (cases[i].status)
            expect_slice(pair_header(last(&p)->bytes, "Accept-Encoding"),
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
        struct req r = plain;

        r.more = cases[i].more;
        assert_int_equal(sip_msg_parse(&m, guarded(text(&r)), SIP_DATAGRAM,
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
        struct req r;
        unsigned status;
    } cases[] = {
        { "To", { .to = "<sip:a@b" }, 400 },
        { "empty To", { .to = "" }, 400 },
        { "From", { .from = "\"x <sip:a@b>;tag=1" }, 400 },
        { "empty Call-ID", { .call_id = "" }, 400 },
        { "CSeq", { .cseq = "x" }, 400 },
        { "large CSeq", { .cseq = "4294967297" }, 400 },
        { "Via", { .via = "SIP/2.0/UDP" }, 0 },
        { "no Max-Forwards", { .more = "" }, 0 },
        { "Max-Forwards", { .more = "Max-Forwards: -1\r\n" }, 400 },
    };
    struct sip_stack_config cfg = {
        .register_extra = { S("X-GB-Ver"), S("3.0") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct req *o = &cases[i].r;
        struct req r = plain;
        struct pair p;

        pair_init(&p, NULL, &cfg, true);
        r.method = "REGISTER";
        r.to = o->to ? o->to : r.to;
        r.from = o->from ? o->from : r.from;
        r.call_id = o->call_id ? o->call_id : r.call_id;
        r.cseq = o->cseq ? o->cseq : r.cseq;
        r.via = o->via ? o->via : r.via;
        r.more = o->more ? o->more : r.more;
        feed(&p, &r);
        if (status_of(last(&p)) != cases[i].status)
            fail_msg("%s: %u", cases[i].name, status_of(last(&p)));
        if (cases[i].status)
            expect_slice(pair_header(last(&p)->bytes, "X-GB-Ver"), "3.0");
        pair_fini(&p);
    }
}

/* R12: our 2xx is repeated until its ACK, on a stream as well; then BYE. */
static void ok_repeated_on_a_stream(void **state)
{
    struct turn t = { .r = { 200, .expires = -1 } };
    struct pair_wire tcp = { .tcp = true };
    struct req inv = plain;
    struct pair p;

    (void)state;
    pair_init(&p, &tcp, NULL, true);
    p.on_event = in_turn;
    p.ctx = &t;
    inv.method = "INVITE";
    feed(&p, &inv);
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
    feed(&p, &plain);
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 200);
    from.remote.port = 40001; /* NAT gave the repeat another port */
    pair_inject_from(&p, 0, &from, text(&plain));
    assert_int_equal(last(&p)->peer.remote.port, 40001);
    other.remote.ip[3] = 66; /* a stranger neither gets nor moves it */
    other.remote.port = 6666;
    assert_int_equal(p.n_sent, 2);
    pair_inject_from(&p, 0, &other, text(&plain));
    assert_int_equal(p.n_sent, 2);
    pair_inject_from(&p, 0, &from, text(&plain));
    assert_int_equal(last(&p)->peer.remote.port, 40001);
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
            status_of(last(&p)) != cases[i].status ||
            counters(&p).bad != cases[i].reported)
            fail_msg("%s: err %d, answered %u", cases[i].name, err,
                     status_of(last(&p)));
        if (cases[i].reported)
            assert_non_null(p.seen[0].ev.diag.why);
        pair_fini(&p);
    }
}

/* Every prefix of a good request: an error or a keep-alive, no event, no
 * state. */
static void prefixes(void **state)
{
    struct req r = plain;
    char whole[2048];
    struct slice s;
    struct pair p;

    (void)state;
    r.body = "<?xml version=\"1.0\"?>\r\n<Notify><SN>1</SN></Notify>\r\n";
    s = text(&r);
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
        assert_int_equal(counters(&p).transactions, 0);
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
    struct req reg = plain;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    reg.method = "REGISTER";
    for (size_t i = 0; i < 3; i++) {
        const struct pair_seen *ev;

        feed(&p, &reg);
        ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, i);
        assert_non_null(ev); /* forgotten, so it is new each time */
        assert_int_equal(sip_stack_respond_stateless(
            p.stack[0], ev->ev.transaction, &r, p.now_ms), 0);
        pair_pump(&p);
        assert_true(slice_eq(p.sent[i].bytes, p.sent[0].bytes));
        assert_int_equal(counters(&p).transactions, 0);
        assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                           p.now_ms), GB_ENOENT);
    }
    expect_slice(pair_header(last(&p)->bytes, "WWW-Authenticate"),
                 "Digest realm=\"r\", nonce=\"n\"");
    pair_fini(&p);
}

static void stateless_invite(void **state)
{
    struct sip_response r = { .status = 403, .expires = -1 };
    struct req inv = plain, ack;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    feed(&p, &inv);
    assert_int_equal(counters(&p).dialogs, 1);
    assert_int_equal(sip_stack_respond_stateless(
        p.stack[0], pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.transaction,
        &r, p.now_ms), 0);
    pair_pump(&p);
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(counters(&p).transactions, 0);
    ack = inv;
    ack.method = "ACK";
    feed(&p, &ack); /* to nothing: dropped */
    assert_int_equal(p.n_sent, 2); /* 100, 403 */
    assert_int_equal(pair_events(&p, 0, SIP_EV_ACKED, 0), 0);
    assert_true(sip_stack_deadline(p.stack[0]) == GB_NEVER);
    pair_fini(&p);
}

static void to_tags(void **state)
{
    struct req sub = plain;
    const struct pair_seen *ev;
    struct slice tag, to;
    char want[80];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    sub.method = "SUBSCRIBE";
    feed(&p, &sub);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev->ev.transaction, &tag),
                     0);
    snprintf(want, sizeof(want), "%s;tag=%.*s", sub.to, SLICE_ARG(tag));
    answer(&p, ev, 200);
    to = pair_header(last(&p)->bytes, "To");
    expect_slice(to, want);
    sub.to = "<sip:a@b>;tag=theirs"; /* one that is there is not replaced */
    feed(&p, &sub);
    sub.cseq = "22";
    feed(&p, &sub);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 1);
    assert_int_equal(sip_stack_to_tag(p.stack[0], ev->ev.transaction, &tag),
                     0);
    expect_slice(tag, "theirs");
    answer(&p, ev, 200);
    expect_slice(pair_header(last(&p)->bytes, "To"), sub.to);
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
    feed(&p, &plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    answer(&p, ev, 200);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ESTATE);
    pair_run(&p, p.now_ms + 40000);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ENOENT);
    /* never answered: silence after 64*T1, RFC 4320 */
    feed(&p, &plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 1);
    pair_run(&p, p.now_ms + 32000);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ENOENT);
    assert_int_equal(p.n_sent, 1);
    r.status = 99;
    feed(&p, &plain);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 2);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &r,
                                       p.now_ms), GB_ERANGE);
    pair_fini(&p);
}

/* ---- INVITE server transaction ----------------------------------------- */

static void invite_100_refused_acked(void **state)
{
    struct req inv = plain, ack;
    char to[200];
    struct slice tagged;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    feed(&p, &inv);
    assert_int_equal(status_of(&p.sent[0]), 100);
    expect_slice(pair_header(p.sent[0].bytes, "To"), inv.to); /* no tag */
    feed(&p, &inv);
    assert_int_equal(p.n_sent, 2); /* the 100 again */
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 486);
    assert_int_equal(counters(&p).dialogs, 0);
    pair_run(&p, p.now_ms + 3500); /* G: 500, 1500, 3500 */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 4);
    feed(&p, &inv);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 5);
    tagged = pair_header(last(&p)->bytes, "To");
    slice_copy(to, sizeof(to), tagged);
    ack = inv;
    ack.method = "ACK";
    ack.to = to;
    feed(&p, &ack);
    feed(&p, &ack);
    pair_run(&p, p.now_ms + 4999);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 486"), 5);
    assert_int_equal(counters(&p).transactions, 1); /* I */
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(pair_events(&p, 0, SIP_EV_ACKED, 0), 0);
    pair_fini(&p);
}

/* R2: without a branch the ACK of a refusal is known by our To tag. */
static void ack_without_cookie(void **state)
{
    struct req inv = plain, ack;
    char to[200];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    inv.via = "SIP/2.0/UDP 192.0.2.2:5060";
    feed(&p, &inv);
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 0), 404);
    ack = inv;
    ack.method = "ACK";
    ack.to = "<sip:34020000002000000001@3402000000>;tag=wrong";
    feed(&p, &ack);
    pair_run(&p, p.now_ms + 500);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 404"), 2);
    slice_copy(to, sizeof(to), pair_header(last(&p)->bytes, "To"));
    ack.to = to;
    feed(&p, &ack);
    pair_run(&p, p.now_ms + 30000);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 404"), 2);
    pair_fini(&p);
}

static void cancel_before_and_after(void **state)
{
    struct req inv = plain, cancel;
    const struct pair_seen *ev;
    struct sip_response ok = { .status = 200, .expires = -1 };
    struct slice tag200, tag487;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    feed(&p, &inv);
    ev = pair_event(&p, 0, SIP_EV_REQUEST, 0, 0);
    cancel = inv;
    cancel.method = "CANCEL";
    feed(&p, &cancel);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 1);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_true(pair_event(&p, 0, SIP_EV_CANCELLED, 0, 0)->ev.dialog ==
                ev->ev.dialog);
    tag200 = pair_header(pair_find(&p, 0, "SIP/2.0 200", 0)->bytes, "To");
    tag487 = pair_header(pair_find(&p, 0, "SIP/2.0 487", 0)->bytes, "To");
    assert_true(slice_eq(tag200, tag487)); /* R8: the INVITE's tag */
    feed(&p, &cancel); /* a repeat: the 200 again, nothing else */
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 200"), 2);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 487"), 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_int_equal(sip_stack_respond(p.stack[0], ev->ev.transaction, &ok,
                                       p.now_ms), GB_ENOENT);
    assert_int_equal(counters(&p).dialogs, 0);
    pair_settle(&p, 60000);

    inv.call_id = cancel.call_id = "second";
    feed(&p, &inv);
    answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, 1), 200);
    feed(&p, &cancel); /* after the final answer: 200, no effect */
    assert_int_equal(pair_events(&p, 0, SIP_EV_CANCELLED, 0), 1);
    assert_int_equal(counters(&p).dialogs, 1);
    expect_slice(pair_header(last(&p)->bytes, "CSeq"), "20 CANCEL");
    assert_int_equal(status_of(last(&p)), 200);
    pair_fini(&p);
}

/* R2, R8, R29: matched without a branch by all but the method; nothing but an
 * INVITE is cancelled; Require in it is not looked at. */
static void cancel_of_what(void **state)
{
    static const struct {
        const char *name;
        struct req invite, cancel; /* over those of `plain` */
        unsigned status;
        bool ends;
    } cases[] = {
        { "the branch", { .method = "INVITE" }, { 0 }, 200, true },
        { "with Require", { .method = "INVITE" }, { .more = "Require: x\r\n" },
          200, true },
        { "another branch", { .method = "INVITE" },
          { .via = "SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKb" }, 481,
          false },
        { "no branch", { .method = "INVITE", .via = "SIP/2.0/UDP h" }, { 0 },
          200, true },
        { "no branch, other From tag",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" },
          { .from = "<sip:a@b>;tag=x" }, 481, false },
        { "no branch, other Request-URI",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" },
          { .uri = "sip:other@3402000000" }, 481, false },
        { "no branch, other CSeq",
          { .method = "INVITE", .via = "SIP/2.0/UDP h" }, { .cseq = "21" }, 481,
          false },
        { "a MESSAGE", { .method = "MESSAGE" }, { 0 }, 481, false },
        { "a SUBSCRIBE", { .method = "SUBSCRIBE" }, { 0 }, 481, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct req *a = &cases[i].invite, *b = &cases[i].cancel;
        struct req inv = plain, cancel;
        struct pair p;

        inv.method = a->method;
        inv.via = a->via ? a->via : inv.via;
        cancel = inv;
        cancel.method = "CANCEL";
        cancel.via = b->via ? b->via : cancel.via;
        cancel.from = b->from ? b->from : cancel.from;
        cancel.uri = b->uri ? b->uri : cancel.uri;
        cancel.cseq = b->cseq ? b->cseq : cancel.cseq;
        cancel.more = b->more ? b->more : cancel.more;
        pair_init(&p, NULL, NULL, true);
        feed(&p, &inv);
        feed(&p, &cancel);
        if (pair_count(&p, 0, cases[i].status == 200 ? "SIP/2.0 200"
                                                     : "SIP/2.0 481") != 1 ||
            pair_count(&p, 0, "SIP/2.0 487") != cases[i].ends ||
            pair_count(&p, 0, "SIP/2.0 4") !=
                (cases[i].status == 481) + (size_t)cases[i].ends ||
            pair_events(&p, 0, SIP_EV_CANCELLED, 0) != cases[i].ends)
            fail_msg("%s: %u", cases[i].name, status_of(last(&p)));
        pair_fini(&p);
    }
}

/* R37: an INVITE of the same dialog while one waits for its answer: 500, and
 * when to come again. */
static void second_invite_while_one_is_open(void **state)
{
    struct turn t = { .r = { 200, .contact = S("sip:us@192.0.2.1"),
                             .expires = -1 } };
    struct req inv = plain, ack;
    uint32_t wait_s = 99;
    char to[200];
    struct pair p;

    (void)state;
    turn_init(&p, &t, NULL);
    inv.method = "INVITE";
    inv.more = "Contact: <sip:c@192.0.2.2>\r\n";
    feed(&p, &inv);
    slice_copy(to, sizeof(to), pair_header(last(&p)->bytes, "To"));
    inv.to = to;
    ack = inv;
    ack.method = "ACK";
    feed(&p, &ack);
    p.on_event = NULL; /* nobody answers from now on */
    inv.cseq = "21";
    inv.via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKfirst";
    feed(&p, &inv);
    inv.cseq = "22";
    inv.via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKsecond";
    feed(&p, &inv);
    assert_int_equal(status_of(last(&p)), 500);
    assert_true(slice_u32(pair_header(last(&p)->bytes, "Retry-After"), 10,
                          &wait_s));
    assert_int_equal(counters(&p).dialogs, 1);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 2);
    pair_fini(&p);
}

static void invite_never_answered(void **state)
{
    struct req inv = plain;
    const struct pair_seen *ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    feed(&p, &inv);
    pair_run(&p, p.now_ms + 180000);
    assert_int_equal(status_of(last(&p)), 408);
    ev = pair_event(&p, 0, SIP_EV_ENDED, 408, 0);
    assert_non_null(ev);
    assert_true(ev->ev.dialog ==
                pair_event(&p, 0, SIP_EV_REQUEST, 0, 0)->ev.dialog);
    assert_int_equal(counters(&p).dialogs, 0);
    assert_int_equal(counters(&p).transactions, 0);
    pair_fini(&p);
}

/* ---- limits and memory ------------------------------------------------- */

static void oldest_finished_go_first(void **state)
{
    struct sip_stack_config cfg = { .max_transactions = 10 };
    struct pair p;
    char call[16];
    struct req r = plain;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    r.call_id = call;
    for (unsigned i = 0; i < 15; i++) {
        snprintf(call, sizeof(call), "c%u", i);
        feed(&p, &r);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, i), 200);
        assert_true(counters(&p).transactions <= 10);
    }
    snprintf(call, sizeof(call), "c14"); /* still known */
    feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 15);
    snprintf(call, sizeof(call), "c4"); /* gone */
    feed(&p, &r);
    assert_int_equal(pair_events(&p, 0, SIP_EV_REQUEST, 0), 16);
    for (unsigned i = 20; i < 40; i++) { /* nobody answers: full */
        snprintf(call, sizeof(call), "c%u", i);
        feed(&p, &r);
    }
    assert_int_equal(counters(&p).transactions, 10);
    assert_true(counters(&p).dropped > 0);
    pair_fini(&p);
}

static void dialogs_have_a_limit(void **state)
{
    struct sip_stack_config cfg = { .max_dialogs = 3 };
    struct req inv = plain;
    struct pair p;
    char call[16];

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    inv.method = "INVITE";
    inv.call_id = call;
    for (unsigned i = 0; i < 5; i++) {
        snprintf(call, sizeof(call), "c%u", i);
        feed(&p, &inv);
    }
    assert_int_equal(counters(&p).dialogs, 3);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 503"), 2);
    pair_fini(&p);
}

/* One Call-ID with ever new From tags does not make a long chain. */
static void one_call_id_many_tags(void **state)
{
    struct req inv = plain;
    struct pair p;
    char from[64], via[64];

    (void)state;
    pair_init(&p, NULL, NULL, true);
    inv.method = "INVITE";
    inv.from = from;
    inv.via = via;
    for (unsigned i = 0; i < 40; i++) {
        snprintf(from, sizeof(from), "<sip:a@b>;tag=%u", i);
        snprintf(via, sizeof(via), "SIP/2.0/UDP h;branch=z9hG4bK%u", i);
        feed(&p, &inv);
    }
    assert_int_equal(counters(&p).dialogs, 16);
    assert_int_equal(pair_count(&p, 0, "SIP/2.0 482"), 24);
    pair_fini(&p);
}

/* The answer to the i-th of a stream of messages: some are remembered as a few
 * bytes, some whole, some as more than a block of memory holds. */
static struct sip_response nth_answer(unsigned i)
{
    static const struct sip_extra extra = { SLICE_INIT("Date"),
                                            SLICE_INIT("2026-11-28T09:00:00") };
    static char body[20000];
    struct sip_response r = { .status = 200, .expires = -1 };

    memset(body, 'x', sizeof(body));
    if (i % 3 == 0)
        r.extra = &extra;
    r.n_extra = i % 3 == 0;
    if (i % 7 == 0)
        r.reason = SLICE("Fine");
    if (i % 97 == 0) {
        r.content_type = SLICE("text/plain");
        r.body = slice_of(body, sizeof(body) - i % 13);
    }
    return r;
}

/* The i-th message comes in; the answer's bytes go to out. Returns whether it
 * was taken for a new one. */
static bool nth_message(struct pair *p, unsigned i, struct slice *out)
{
    struct sip_peer from = pair_peer(p, 0);
    struct sip_response r = nth_answer(i);
    struct req q = plain;
    struct sip_out sent;
    struct sip_event ev;
    char call[16];
    bool fresh;

    snprintf(call, sizeof(call), "c%08u", i);
    q.call_id = call;
    assert_int_equal(sip_stack_input(p->stack[0], &from, text(&q), p->now_ms),
                     0);
    fresh = sip_stack_event(p->stack[0], &ev);
    if (fresh)
        assert_int_equal(sip_stack_respond(p->stack[0], ev.transaction, &r,
                                           p->now_ms), 0);
    assert_true(sip_stack_output(p->stack[0], &sent));
    *out = sent.bytes;
    return fresh;
}

/* As many as are remembered, whatever their size, in the order in which they
 * came; a repeat gets the answer of the first. */
static void finished_ones_are_a_queue(void **state)
{
    enum { LIMIT = 1000, N = 6000 };
    struct sip_stack_config cfg = { .max_transactions = LIMIT };
    static char first[24000];
    uint64_t seed = 5;
    struct slice out;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, &cfg, true);
    p.quiet = true;
    for (unsigned i = 0; i < N; i++) {
        unsigned old = i < LIMIT ? 0 : i - LIMIT + 1;
        unsigned k = old + (unsigned)(test_random(&seed) % (i - old + 1));
        size_t n;

        p.now_ms += i % 2;
        assert_true(nth_message(&p, i, &out));
        assert_true(out.n <= sizeof(first));
        n = out.n;
        memcpy(first, out.p, n);
        assert_false(nth_message(&p, i, &out));
        assert_true(slice_eq(out, slice_of(first, n)));
        assert_false(nth_message(&p, k, &out));
        assert_int_equal(counters(&p).transactions, i < LIMIT ? i + 1 : LIMIT);
    }
    assert_true(nth_message(&p, N - LIMIT - 1, &out)); /* forgotten */
    p.now_ms += 31999;
    sip_stack_tick(p.stack[0], p.now_ms);
    assert_true(counters(&p).transactions > 0);
    p.now_ms += 1;
    sip_stack_tick(p.stack[0], p.now_ms);
    assert_int_equal(counters(&p).transactions, 0);
    assert_int_equal(counters(&p).memory, 0);
    assert_true(nth_message(&p, N - 1, &out));
    pair_fini(&p);
}

/* Without memory for it an answer goes out all the same, and is forgotten. */
static void finished_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        unsigned answered = 0;
        struct slice out;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        p.quiet = true;
        nth_message(&p, 9700, &out); /* the largest */
        for (unsigned i = 1; i < 600; i++) {
            assert_true(nth_message(&p, i, &out));
            if (i == 20) { /* all else has its memory by then */
                p.mem[0].calls = 0;
                p.mem[0].fail_at = n;
            }
            answered += slice_has_prefix(out, SLICE("SIP/2.0 200"));
        }
        assert_int_equal(answered, 599);
        assert_true(counters(&p).transactions < 599);
        p.mem[0].fail_at = 0;
        assert_true(nth_message(&p, 600, &out));
        assert_false(nth_message(&p, 600, &out));
        assert_false(nth_message(&p, 20, &out));
        pair_fini(&p);
    }
}

/* What the last input was read as, for whoever keeps it. */
static void the_message_at_hand(void **state)
{
    struct sip_peer from;
    struct sip_event ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    assert_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, text(&plain), 0);
    assert_non_null(sip_stack_message(p.stack[0]));
    assert_true(slice_eq(sip_stack_message(p.stack[0])->call_id,
                         slice_str(plain.call_id)));
    assert_int_equal(sip_stack_input(p.stack[0], &from, SLICE("\r\n\r\n"), 0),
                     GB_ESTATE);
    assert_null(sip_stack_message(p.stack[0]));
    while (sip_stack_event(p.stack[0], &ev))
        ;
    sip_stack_input(p.stack[0], &from, text(&plain), 0);
    assert_non_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, SLICE("SIP/2.0 garbage\r\n\r\n"), 0);
    assert_null(sip_stack_message(p.stack[0]));
    sip_stack_input(p.stack[0], &from, SLICE("\r\n\r\n"), 0);
    assert_null(sip_stack_message(p.stack[0]));
    pair_fini(&p);
}

/* A steady stream of messages asks nothing of the allocator. */
static void no_allocation_in_steady_state(void **state)
{
    struct pair p;
    char call[16];
    struct req r = plain;
    unsigned long calls = 0;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    p.quiet = true;
    r.call_id = call;
    for (unsigned i = 0; i < 3000; i++) {
        struct sip_event ev;
        struct sip_out out;
        struct sip_response ok = { .status = 200, .expires = -1 };
        struct sip_peer from = pair_peer(&p, 0);

        snprintf(call, sizeof(call), "c%08u", i);
        p.now_ms += 100;
        sip_stack_tick(p.stack[0], p.now_ms);
        assert_int_equal(sip_stack_input(p.stack[0], &from, text(&r),
                                         p.now_ms), 0);
        assert_true(sip_stack_event(p.stack[0], &ev));
        assert_int_equal(sip_stack_respond(p.stack[0], ev.transaction, &ok,
                                           p.now_ms), 0);
        while (sip_stack_output(p.stack[0], &out))
            assert_true(out.bytes.n > 100);
        if (i == 1500)
            calls = p.mem[0].calls;
    }
    assert_int_equal(p.mem[0].calls, calls);
    pair_fini(&p);
}

/* A finished MESSAGE keeps its answer and little else. */
static void size_of_a_finished_transaction(void **state)
{
    struct pair p;
    char call[16];
    struct req r = plain;
    struct sip_counters c;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r.call_id = call;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(call, sizeof(call), "c%08u", i);
        feed(&p, &r);
        answer(&p, pair_event(&p, 0, SIP_EV_REQUEST, 0, i), 200);
    }
    c = counters(&p);
    assert_int_equal(c.transactions, 100);
    if (c.memory / 100 > 80)
        fail_msg("%llu bytes", (unsigned long long)c.memory / 100);
    pair_fini(&p);
}

/* The n-th allocation fails and all later ones: no crash, no leak, and once
 * there is memory again the stack works. */
static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 60; n++) {
        struct sip_stack_config cfg = { 0 };
        struct sip_stack *s = NULL;
        struct failing_alloc mem;
        struct sip_peer from = { .remote = { .family = GB_IPV4, .port = 9 } };
        struct req inv = plain;
        struct sip_event ev;
        struct sip_out out;
        struct sip_response r = { .status = 200, .expires = -1 };
        int err;

        failing_alloc_init(&mem, n);
        cfg.alloc = &mem.alloc;
        err = sip_stack_new(&s, &cfg);
        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            assert_int_equal(mem.live, 0);
            continue;
        }
        inv.method = "INVITE";
        for (unsigned round = 0; round < 2; round++) {
            bool answered = false;

            err = sip_stack_input(s, &from, text(&inv), 10 + round);
            assert_true(err == 0 || err == GB_ENOMEM);
            while (sip_stack_event(s, &ev)) {
                err = sip_stack_respond(s, ev.transaction, &r, 20);
                assert_true(err == 0 || err == GB_ENOMEM);
                if (err == GB_ENOMEM) {
                    mem.fail_at = 0;
                    assert_int_equal(sip_stack_respond(s, ev.transaction, &r,
                                                       21), 0);
                }
                answered = true;
            }
            while (sip_stack_output(s, &out))
                ;
            mem.fail_at = 0;
            if (answered)
                break;
        }
        sip_stack_tick(s, 40000);
        while (sip_stack_event(s, &ev))
            ;
        sip_stack_free(s);
        assert_int_equal(mem.live, 0);
    }
}

static void undrained_events(void **state)
{
    struct sip_peer from;
    struct sip_event ev;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    from = pair_peer(&p, 0);
    assert_int_equal(sip_stack_input(p.stack[0], &from, text(&plain), 1), 0);
    assert_int_equal(sip_stack_input(p.stack[0], &from, text(&plain), 1),
                     GB_ESTATE);
    assert_true(sip_stack_event(p.stack[0], &ev));
    assert_int_equal(sip_stack_input(p.stack[0], &from, text(&plain), 1), 0);
    assert_false(sip_stack_event(p.stack[0], &ev));
    pair_fini(&p);
}

static void tokens(void **state)
{
    char a[16], b[16];
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, false);
    sip_stack_token(p.stack[0], a);
    sip_stack_token(p.stack[0], b);
    assert_memory_not_equal(a, b, 16);
    sip_stack_token(p.stack[1], b);
    assert_memory_not_equal(a, b, 16);
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
        cmocka_unit_test(repeats_are_rebuilt),
        cmocka_unit_test(answered_late_or_at_once),
        cmocka_unit_test(nothing_kept_on_a_stream),
        cmocka_unit_test(refused_in_its_turn),
        cmocka_unit_test(invite_refused_in_its_turn),
        cmocka_unit_test(ended_in_its_turn),
        cmocka_unit_test(provisional_in_its_turn),
        cmocka_unit_test(while_pending),
        cmocka_unit_test(pending_without_memory),
        cmocka_unit_test(a_large_turn),
        cmocka_unit_test(long_keys),
        cmocka_unit_test(ended_with_a_request_queued),
        cmocka_unit_test(connection_lost),
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
        cmocka_unit_test(invite_100_refused_acked),
        cmocka_unit_test(ack_without_cookie),
        cmocka_unit_test(cancel_before_and_after),
        cmocka_unit_test(cancel_of_what),
        cmocka_unit_test(second_invite_while_one_is_open),
        cmocka_unit_test(invite_never_answered),
        cmocka_unit_test(oldest_finished_go_first),
        cmocka_unit_test(dialogs_have_a_limit),
        cmocka_unit_test(one_call_id_many_tags),
        cmocka_unit_test(no_allocation_in_steady_state),
        cmocka_unit_test(size_of_a_finished_transaction),
        cmocka_unit_test(finished_ones_are_a_queue),
        cmocka_unit_test(finished_without_memory),
        cmocka_unit_test(the_message_at_hand),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(undrained_events),
        cmocka_unit_test(tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
