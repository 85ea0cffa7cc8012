#include "test/byhand.h"

#include "sip/value.h"

#include <stdio.h>

const struct hand_req hand_plain = {
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

static char request_text[8192];

struct slice hand_text(const struct hand_req *r)
{
    int n = snprintf(request_text, sizeof(request_text),
                     "%s %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\n"
                     "Call-ID: %s\r\nCSeq: %s %s\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     r->method, r->uri, r->via, r->from, r->to, r->call_id,
                     r->cseq, r->method, r->more, strlen(r->body), r->body);

    assert_true(n > 0 && (size_t)n < sizeof(request_text));
    return slice_of(request_text, (size_t)n);
}

int hand_feed(struct pair *p, const struct hand_req *r)
{
    return pair_inject(p, 0, hand_text(r));
}

uint64_t hand_respond(struct pair *p, const struct pair_seen *seen,
                      unsigned status)
{
    struct sip_response r = { .status = status, .expires = -1 };

    assert_non_null(seen);
    assert_int_equal(sip_stack_respond(p->stack[0], seen->ev.transaction, &r,
                                       p->now_ms), 0);
    pair_pump(p);
    return seen->ev.transaction;
}

void hand_in_turn(struct pair *p, int side, const struct sip_event *ev)
{
    struct sip_stack *s = p->stack[side];
    struct hand_turn *t = p->ctx;
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

void hand_turn_init(struct pair *p, struct hand_turn *t,
                    const struct sip_stack_config *cfg)
{
    pair_init(p, NULL, cfg, true);
    p->on_event = hand_in_turn;
    p->ctx = t;
}

const struct hand_ans hand_ok = { .status = 200,
                               .to_tag = "t1",
                               .contact = "<sip:nvr@10.0.0.9:5060>",
                               .body = "v=0\r\n" };

static char answer_text[8192];

struct slice hand_answer_text(const struct pair_sent *req,
                              const struct hand_ans *a)
{
    struct writer w = writer_of(answer_text, sizeof(answer_text));
    struct slice to = a->to ? slice_str(a->to)
                            : pair_header(req->bytes, "To");

    writer_f(&w, "SIP/2.0 %u Whatever\r\n", a->status);
    if (!a->no_via) {
        writer_str(&w, "Via: ");
        writer_slice_put(&w, pair_header(req->bytes, "Via"));
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "From: ");
    writer_slice_put(&w, pair_header(req->bytes, "From"));
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, to);
    if (a->to_tag)
        writer_f(&w, ";tag=%s", a->to_tag);
    writer_str(&w, "\r\nCall-ID: ");
    writer_slice_put(&w, pair_header(req->bytes, "Call-ID"));
    writer_str(&w, "\r\nCSeq: ");
    writer_slice_put(&w, pair_header(req->bytes, "CSeq"));
    writer_str(&w, "\r\n");
    if (a->contact)
        writer_f(&w, "Contact: %s\r\n", a->contact);
    writer_f(&w, "%sContent-Length: %zu\r\n\r\n%s", a->more ? a->more : "",
             a->body ? strlen(a->body) : 0, a->body ? a->body : "");
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

struct slice hand_challenge(const struct pair_sent *req, unsigned status,
                            const char *lines)
{
    struct slice to = pair_header(req->bytes, "To");
    bool tagged = slice_find_slice(to, SLICE(";tag=")) < to.n;
    const struct hand_ans a = { .status = status,
                                .to_tag = tagged ? NULL : "srv",
                                .more = lines };

    return hand_answer_text(req, &a);
}

void hand_answer(struct pair *p, const struct pair_sent *req,
                 const struct hand_ans *a)
{
    assert_non_null(req);
    assert_int_equal(pair_inject_from(p, 0, &req->peer,
                                      hand_answer_text(req, a)), 0);
}

struct sip_request hand_message(const struct pair *p)
{
    return (struct sip_request){
        .method = SIP_METHOD_MESSAGE,
        .peer = pair_peer(p, 0),
        .uri = SLICE("sip:" HAND_ID "@192.0.2.2:5060"),
        .from = SLICE("sip:34020000002000000001@3402000000"),
        .to = SLICE("sip:" HAND_ID "@3402000000"),
        .content_type = SLICE("Application/MANSCDP+xml"),
        .body = SLICE("<Query/>"),
        .expires = -1,
        .user = 42,
    };
}

struct sip_request hand_invite(const struct pair *p)
{
    struct sip_request r = hand_message(p);

    r.method = SIP_METHOD_INVITE;
    r.contact = SLICE("sip:34020000002000000001@192.0.2.1:5060");
    r.subject = SLICE(HAND_ID ":0,34020000002000000001:0");
    r.content_type = SLICE("application/sdp");
    r.body = SLICE("v=0\r\n");
    return r;
}

uint64_t hand_send(struct pair *p, const struct sip_request *r)
{
    uint64_t id = 0;

    assert_int_equal(sip_stack_request(p->stack[0], r, p->now_ms, &id), 0);
    assert_true(id != 0);
    pair_pump(p);
    return id;
}

uint64_t hand_call(struct pair *p, const struct sip_request *r)
{
    uint64_t id = 0;

    assert_int_equal(sip_stack_invite(p->stack[0], r, p->now_ms, &id), 0);
    assert_true(id != 0);
    pair_pump(p);
    return id;
}

void hand_end(struct pair *p, uint64_t dialog)
{
    sip_stack_end(p->stack[0], dialog, p->now_ms);
    pair_pump(p);
}
