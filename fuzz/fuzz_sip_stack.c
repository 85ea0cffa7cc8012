/* The input is a script of datagrams, calls, times and lack of memory against
 * one stack. Each record: what, argument, length (two bytes), bytes. Datagrams
 * come as they are or are put together from small tables, a byte for each part.
 * Besides not crashing: all that we send can be parsed, every event is about
 * something, every request outside dialogs and every BYE that is to be told of
 * ends once, a repeat is answered by the same bytes, and when all dialogs are
 * ended and time has passed nothing is left. */
#include "fuzz/fuzz.h"

#include "sip/stack.h"
#include "sip/value.h"

#include <stdlib.h>

#define MEMORY_CLEARED 65535u
#include "fuzz/memory.h"

#define MAX_DIALOGS 32
#define MAX_SENT 4
#define MAX_STEPS 40 /* of one script */
#define AWAITED 7    /* user of what must end once */

struct run {
    struct sip_stack *s;
    uint64_t now_ms;
    uint64_t dialog[MAX_DIALOGS], last_request;
    size_t n_dialogs;
    unsigned awaited; /* requests whose end has not been told */
    bool answer; /* the layer above answers at once */
    unsigned style; /* of its answers: enum style */
    bool bad;    /* the last input was malformed: its echo may be too */
    unsigned status;
    struct {
        char p[2048];
        size_t n;
    } sent[MAX_SENT]; /* requests of ours, for answers that fit */
    size_t n_sent;
    char last_in[2048]; /* the last good request, to be varied */
    size_t n_last_in;
    char out[2048]; /* the last message that we sent, and how many since */
    size_t n_out, n_outs;
};

enum style {
    STYLE_STATELESS = 1,
    STYLE_CONTACT = 2,   /* the request's own */
    STYLE_EXTRA = 4,
    STYLE_BODY = 8,
    STYLE_EXPIRES = 16,
    STYLE_REASON = 32,
    STYLE_LARGE = 64,
    STYLE_END = 128,     /* the dialog is ended in place of an answer */
};

static struct sip_msg parsed;

static struct sip_peer peer(unsigned arg)
{
    return (struct sip_peer){
        .transport = arg & 1 ? SIP_TCP : SIP_UDP,
        .connection = arg & 1 ? 1 + (arg >> 1 & 1) : 0,
        .local = { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
        .remote = { .family = GB_IPV4,
                    .ip = { 192, 0, 2, (uint8_t)(2 + (arg >> 2 & 1)) },
                    .port = (uint16_t)(5060 + (arg >> 3 & 1)) },
        .quiet = (arg & 0x70) == 0x70,
        .ignore_require = (arg & 0x60) == 0x40,
    };
}

static void keep_dialog(struct run *r, uint64_t id)
{
    r->dialog[r->n_dialogs++ % MAX_DIALOGS] = id;
}

static void respond(struct run *r, uint64_t transaction, unsigned status,
                    const struct sip_msg *m)
{
    static char lot[600];
    const struct sip_extra extra[] = {
        { SLICE_INIT("Date"), SLICE_INIT("2026-01-02T03:04:05") },
        { SLICE_INIT("X-Long"), { lot, r->style & STYLE_LARGE ? 600 : 1 } },
    };
    struct sip_response a = { .status = status, .expires = -1 };
    struct sip_addr contact;
    struct slice tag;

    memset(lot, 'l', sizeof(lot));
    if (!(r->style & STYLE_CONTACT))
        a.contact = SLICE("sip:us@192.0.2.1");
    else if (m && !sip_msg_contact(m, &contact))
        a.contact = contact.uri.text;
    if (r->style & STYLE_EXTRA) {
        a.extra = extra;
        a.n_extra = 2;
    }
    if (r->style & STYLE_BODY) {
        a.body = SLICE("v=0");
        a.content_type = SLICE("application/sdp");
    }
    if (r->style & STYLE_EXPIRES)
        a.expires = status;
    if (r->style & STYLE_REASON)
        a.reason = SLICE("Because");
    if (!sip_stack_to_tag(r->s, transaction, &tag))
        require(tag.n != 0);
    if (r->style & STYLE_STATELESS)
        sip_stack_respond_stateless(r->s, transaction, &a, r->now_ms);
    else
        sip_stack_respond(r->s, transaction, &a, r->now_ms);
}

/* A final answer, or none. */
static void note_end(struct run *r, const struct sip_event *ev)
{
    bool final = ev->kind == SIP_EV_FAILED ||
                 (ev->kind == SIP_EV_RESPONSE && ev->status >= 200);

    if (ev->user != AWAITED || !final)
        return;
    require(r->awaited > 0 && ev->dialog == 0);
    r->awaited--;
}

static void drain(struct run *r)
{
    struct sip_event ev;
    struct sip_out out;

    while (sip_stack_event(r->s, &ev)) {
        note_end(r, &ev);
        require((ev.kind == SIP_EV_FAILED) <= (ev.msg == NULL));
        if (ev.kind == SIP_EV_RESPONSE)
            require(ev.msg && ev.status == ev.msg->status);
        if (ev.kind == SIP_EV_ENDED || ev.kind == SIP_EV_ACKED)
            require(ev.dialog != 0);
        if (ev.kind == SIP_EV_FAILED && r->answer && r->style & STYLE_END)
            sip_stack_end(r->s, ev.dialog, r->now_ms);
        if (ev.kind != SIP_EV_REQUEST)
            continue;
        require(ev.msg && ev.transaction);
        require((ev.msg->method == SIP_METHOD_INVITE) <= (ev.dialog != 0));
        r->last_request = ev.transaction;
        if (ev.dialog)
            keep_dialog(r, ev.dialog);
        if (r->answer && (r->style & STYLE_END))
            sip_stack_end(r->s, ev.dialog, r->now_ms);
        else if (r->answer)
            respond(r, ev.transaction, r->status, ev.msg);
    }
    while (sip_stack_output(r->s, &out)) {
        int err;

        if (r->n_out && out.bytes.n == r->n_out &&
            !memcmp(out.bytes.p, r->out, r->n_out)) {
            r->n_outs++; /* once more: it was good */
            continue;
        }
        err = sip_msg_parse(&parsed, out.bytes, SIP_STREAM, NULL);

        require(!err || r->bad);
        r->n_outs++;
        r->n_out = out.bytes.n <= sizeof(r->out) ? out.bytes.n : 0;
        memcpy(r->out, out.bytes.p, r->n_out);
        if (!err && parsed.is_request && out.bytes.n <= sizeof(r->sent[0].p)) {
            size_t i = r->n_sent++ % MAX_SENT;

            memcpy(r->sent[i].p, out.bytes.p, out.bytes.n);
            r->sent[i].n = out.bytes.n;
        }
    }
}

static void input(struct run *r, unsigned arg, struct slice bytes)
{
    struct sip_peer from = peer(arg);

    if (bytes.n % 2)
        sip_stack_ahead(r->s, bytes);
    r->bad = sip_stack_input(r->s, &from, bytes, r->now_ms) != 0;
    if (!r->bad && bytes.n <= sizeof(r->last_in) && bytes.n > 8 &&
        memcmp(bytes.p, "SIP/2.0", 7)) {
        memcpy(r->last_in, bytes.p, bytes.n);
        r->n_last_in = bytes.n;
    }
    drain(r);
    r->bad = false;
}

/* A request put together from tables, a byte each: it reaches what random text
 * does not. Sent twice where the argument says so. */
static void compose(struct run *r, unsigned arg, struct slice b)
{
    static const char *const methods[] = {
        "INVITE", "MESSAGE", "REGISTER", "OPTIONS", "BYE", "CANCEL", "ACK",
        "INFO", "SUBSCRIBE", "NOTIFY", "UPDATE", "PRACK", "FETCH", "PUBLISH",
    };
    static const char *const vias[] = {
        "192.0.2.2;rport;branch=z9hG4bK", "192.0.2.2:5070;branch=z9hG4bK",
        "cam;maddr=192.0.2.7;branch=z9hG4bK", "192.0.2.2;branch=",
        "192.0.2.2;received=1.2.3.4;maddr=255.255.255.255;branch=z9hG4bK",
    };
    static const char *const more[] = {
        "", "Contact: <sip:c@192.0.2.2:5060>\r\n", "Require: 100rel, x\r\n",
        "Record-Route: <sip:p;lr>\r\nContact: <sip:c@192.0.2.2>\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: gzip\r\nContent-Disposition: a;handling=optional\r\n",
        "Accept: text/x, application/*;q=0, */*;q=0.0\r\n",
        "Accept: application/*;q=0.5\r\n", "Content-Type: text/odd\r\n",
        "Max-Forwards: 300\r\n", "Timestamp: 1\r\n", "Call-ID: two\r\n",
    };
    unsigned v[8] = { 0 };
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));
    const char *method;

    for (size_t i = 0; i < 8 && i < b.n; i++)
        v[i] = (uint8_t)b.p[i];
    method = methods[v[0] % (sizeof(methods) / sizeof(methods[0]))];
    writer_f(&w, "%s sip:us@dom SIP/2.0\r\nVia: SIP/2.0/UDP %s%u\r\n"
                 "From: <sip:dev@dom>;tag=f%u\r\nTo: <sip:us@dom>",
             method, vias[v[1] % (sizeof(vias) / sizeof(vias[0]))], v[1] / 5,
             v[2] % 4);
    if (v[3] % 4 == 1)
        writer_str(&w, ";tag=wrong");
    if (v[3] % 4 == 2 && r->n_out &&
        !sip_msg_parse(&parsed, slice_of(r->out, r->n_out), SIP_STREAM, NULL)) {
        writer_str(&w, ";tag=");
        writer_slice_put(&w, parsed.to.tag.n ? parsed.to.tag : SLICE("t"));
    }
    writer_f(&w, "\r\nCall-ID: c%u\r\nCSeq: %u %s\r\n%s", v[2] / 4 % 4,
             v[4], method, more[v[5] % (sizeof(more) / sizeof(more[0]))]);
    writer_f(&w, "Content-Length: %u\r\n\r\n%.*s", v[6] % 5, (int)(v[6] % 5),
             "body");
    if (w.err)
        return;
    r->n_outs = 0;
    input(r, arg, writer_slice(&w));
    if (v[7] % 2 && r->n_outs == 1 && v[0] % 14 != 0) {
        char first[sizeof(r->out)];
        size_t n = r->n_out;

        memcpy(first, r->out, n);
        r->n_outs = 0;
        input(r, arg, writer_slice(&w));
        if (r->n_outs == 1 && n && !memory.failed && !memcmp(first, "SIP/2.0", 7) &&
            !memcmp(r->out, "SIP/2.0", 7) && r->answer && r->status >= 200)
            require(n == r->n_out && !memcmp(first, r->out, n));
    }
}

enum part { /* of an answer */
    PART_NO_VIA = 1,
    PART_VIAS = 2, /* another one below ours */
    PART_CHALLENGE = 4,
    PART_STALE = 8,
    PART_WAIT = 16,
    PART_CONTACT = 32,
    PART_ROUTE = 64,
    PART_BODY = 128,
};

static void write_parts(struct writer *w, unsigned status, unsigned parts)
{
    if (parts & PART_CHALLENGE)
        writer_f(w, "%s-Authenticate: Digest realm=\"r\", nonce=\"n\"%s\r\n",
                 status == 407 ? "Proxy" : "WWW",
                 parts & PART_STALE ? ", stale=true" : ", qop=\"auth\"");
    if (parts & PART_WAIT)
        writer_str(w, "Retry-After: 2\r\n");
    if (parts & PART_CONTACT)
        writer_str(w, "Contact: <sip:c@192.0.2.9>\r\n");
    if (parts & PART_ROUTE)
        writer_str(w, "Record-Route: <sip:p@192.0.2.8;lr>\r\n");
}

/* An answer to a request of ours; the bytes are its tag and further lines. */
static void answer(struct run *r, unsigned arg, unsigned status,
                   unsigned parts, struct slice more)
{
    size_t have = r->n_sent < MAX_SENT ? r->n_sent : MAX_SENT;
    size_t i = r->n_sent ? arg / 16 % have : 0;
    char buf[4096];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!r->n_sent ||
        sip_msg_parse(&parsed, slice_of(r->sent[i].p, r->sent[i].n),
                      SIP_STREAM, NULL))
        return;
    writer_f(&w, "SIP/2.0 %u X\r\n", status);
    if (!(parts & PART_NO_VIA)) {
        writer_str(&w, "Via: ");
        writer_slice_put(&w, parsed.via.text);
        writer_str(&w, parts & PART_VIAS ? ", SIP/2.0/UDP b\r\n" : "\r\n");
    }
    writer_str(&w, "From: ");
    writer_slice_put(&w, parsed.from.text);
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, parsed.to.text);
    if (!parsed.to.tag.n && more.n)
        writer_f(&w, ";tag=t%u", (unsigned)(uint8_t)more.p[0] % 16);
    writer_str(&w, "\r\nCall-ID: ");
    writer_slice_put(&w, parsed.call_id);
    writer_f(&w, "\r\nCSeq: %u ", (unsigned)parsed.cseq.number);
    writer_slice_put(&w, parsed.method_name);
    writer_str(&w, "\r\n");
    write_parts(&w, status, parts);
    writer_slice_put(&w, slice_from(more, 1));
    writer_str(&w, parts & PART_BODY ? "\r\n\r\nv=1" : "\r\n\r\n");
    if (!w.err)
        input(r, 0, writer_slice(&w));
}

static void answer_plain(struct run *r, unsigned arg, struct slice more)
{
    static const unsigned statuses[] = { 100, 180, 200, 200, 202, 302, 401,
                                         408, 481, 486, 487, 500, 603, 299 };

    answer(r, arg, statuses[arg % 14], 0, more);
}

/* The first byte says which parts. */
static void answer_parts(struct run *r, unsigned arg, struct slice more)
{
    static const unsigned statuses[] = { 180, 200, 202, 302, 401, 407, 481, 503 };

    answer(r, arg, statuses[arg % 8], more.n ? (uint8_t)more.p[0] : 0,
           slice_from(more, 1));
}

/* The last good request under another method: ACK, CANCEL, BYE, a repeat. */
static void vary(struct run *r, unsigned arg)
{
    static const char *const names[] = { "ACK", "CANCEL", "BYE", "INFO",
                                         "INVITE", "MESSAGE", "OPTIONS" };
    const char *name = names[arg % 7];
    struct slice in = slice_of(r->last_in, r->n_last_in), old;
    char buf[4096];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!in.n || sip_msg_parse(&parsed, in, SIP_DATAGRAM, NULL))
        return;
    old = parsed.method_name;
    writer_str(&w, name);
    in = slice_from(in, old.n);
    while (in.n) { /* the name in CSeq */
        size_t n = parsed.cseq.method_name.p > in.p
                       ? (size_t)(parsed.cseq.method_name.p - in.p) : in.n;

        writer_slice_put(&w, slice_head(in, n));
        in = slice_from(in, n);
        if (in.n) {
            writer_str(&w, name);
            writer_slice_put(&w, slice_from(in, old.n));
            break;
        }
    }
    if (!w.err) {
        struct slice copy = writer_slice(&w);
        struct sip_peer from = peer(arg / 8);

        r->bad = sip_stack_input(r->s, &from, copy, r->now_ms) != 0;
        drain(r);
        r->bad = false;
    }
}

enum ask { /* of a request of ours */
    ASK_LOGIN = 1,
    ASK_DIAL = 2,
    ASK_LARGE = 4,
    ASK_NAMES = 8, /* URIs with tags, also in a dialog */
    ASK_CALL_ID = 16,
    ASK_CSEQ = 32,
    ASK_SOON = 64,
    ASK_ODD = 128, /* a method that is not sent so */
};

static struct sip_request request(unsigned arg, unsigned ask, struct slice text)
{
    static char lot[1400];
    struct sip_request q = {
        .method = ask & ASK_ODD ? SIP_METHOD_ACK
                  : arg & 16    ? SIP_METHOD_MESSAGE
                                : SIP_METHOD_INFO,
        .peer = peer(arg),
        .uri = SLICE("sip:dev@192.0.2.2"),
        .from = SLICE("sip:us@dom"),
        .to = SLICE("sip:dev@dom"),
        .contact = SLICE("sip:us@192.0.2.1"),
        .subject = text,
        .body = text,
        .expires = -1,
        .user = 5,
        .timeout_ms = arg & 32 || ask & ASK_SOON ? 3000 : 0,
    };

    q.peer.dial = ask & ASK_DIAL;
    if (ask & ASK_LOGIN) {
        q.username = SLICE("us");
        q.password = SLICE("secret");
    }
    if (ask & ASK_LARGE) {
        memset(lot, 'l', sizeof(lot));
        q.body = slice_of(lot, sizeof(lot));
    }
    if (ask & ASK_NAMES) {
        q.from_tag = SLICE("ours");
        q.to_tag = SLICE("theirs");
    } else if (arg >> 6 == 1) { /* inside a dialog: its own */
        q.uri.n = q.from.n = q.to.n = 0;
    }
    if (ask & ASK_CALL_ID)
        q.call_id = SLICE("mine");
    if (ask & ASK_CSEQ)
        q.cseq = SIP_CSEQ_MAX;
    return q;
}

/* What the layer above may ask for, by the three high bits of the argument. */
static void call_stack(struct run *r, unsigned arg, unsigned ask,
                       struct slice text)
{
    struct sip_request q = request(arg, ask, text);
    uint64_t id, dialog = r->dialog[arg % MAX_DIALOGS];
    struct sip_dialog_state d;
    struct sip_peer to = peer(arg);

    switch (arg >> 5) {
    case 0:
        q.user = AWAITED;
        r->awaited += !sip_stack_request(r->s, &q, r->now_ms, &id);
        break;
    case 1:
        if (!sip_stack_invite(r->s, &q, r->now_ms, &id))
            keep_dialog(r, id);
        break;
    case 2:
        q.peer.remote.family = GB_NO_ADDR;
        sip_stack_request_in(r->s, dialog, &q, r->now_ms, &id);
        break;
    case 3:
        q.method = SIP_METHOD_INVITE;
        sip_stack_request_in(r->s, dialog, &q, r->now_ms, &id);
        break;
    case 4:
        sip_stack_end(r->s, dialog, r->now_ms);
        break;
    case 5:
        respond(r, r->last_request, 100 + (unsigned)(text.n % 600), NULL);
        break;
    case 6:
        sip_stack_send_failed(r->s, &to, r->now_ms);
        break;
    case 7:
        if (!sip_stack_dialog_state(r->s, dialog, &d))
            r->awaited += !sip_stack_bye_orphan(r->s, &d, &to, NULL, AWAITED,
                                                r->now_ms);
        break;
    }
    drain(r);
}

/* The first byte says what else is asked. */
static void call_asking(struct run *r, unsigned arg, struct slice b)
{
    call_stack(r, arg, b.n ? (uint8_t)b.p[0] : 0, slice_from(b, 1));
}

static void dialog_calls(struct run *r, unsigned arg)
{
    uint64_t dialog = r->dialog[arg % MAX_DIALOGS];
    struct sip_peer to = peer(arg);
    struct sip_request ask = { .peer = to, .user = AWAITED,
                               .username = SLICE("me"),
                               .password = SLICE("secret") };

    switch (arg >> 6) {
    case 0:
    case 1:
        r->awaited += sip_stack_leave(r->s, dialog, &ask, r->now_ms);
        break;
    case 2:
        sip_stack_move(r->s, dialog, &to);
        break;
    case 3:
        sip_stack_set_user(r->s, dialog, arg);
        break;
    }
    drain(r);
}

/* A new stack; the old one goes with all that is under way. */
static void restart(struct run *r, unsigned flags)
{
    struct sip_stack_config cfg = { .alloc = &memory_alloc,
                                    .max_transactions = flags & 8 ? 3 : 24,
                                    .max_dialogs = flags & 16 ? 2 : 18,
                                    .reply_by_via = flags & 1,
                                    .obey_retry_after = flags & 2,
                                    .large_bytes = flags & 4 ? 1000 : 0 };

    if (!(flags & 32))
        cfg.register_extra = (struct sip_extra){ SLICE("X-GB-Ver"),
                                                 SLICE("3.0") };
    sip_stack_free(r->s);
    r->s = NULL;
    if (sip_stack_new(&r->s, &cfg)) {
        require(memory.fail_in == 1);
        memory.fail_in = 0;
        require(!sip_stack_new(&r->s, &cfg));
    }
    r->n_dialogs = r->n_sent = r->n_out = r->n_outs = 0;
    r->awaited = 0;
    r->last_request = 0;
    memset(r->dialog, 0, sizeof(r->dialog));
}

static void step(struct run *r, unsigned what, unsigned arg, struct slice b)
{
    struct sip_peer to = peer(arg);

    switch (what % 16) {
    default:
    case 0:
        input(r, arg, b);
        break;
    case 1:
        compose(r, arg, b);
        break;
    case 2:
        r->now_ms += (uint64_t)arg * arg;
        sip_stack_tick(r->s, r->now_ms);
        drain(r);
        require(sip_stack_deadline(r->s) > r->now_ms);
        break;
    case 3:
        answer_plain(r, arg, b);
        break;
    case 4:
        vary(r, arg);
        break;
    case 5:
        call_stack(r, arg, 0, b);
        break;
    case 6:
        r->answer = arg & 1;
        r->status = 180 + arg * 2;
        r->style = b.n ? (uint8_t)b.p[0] : 0;
        break;
    case 7:
        sip_stack_closed(r->s, arg & 3, r->now_ms);
        drain(r);
        break;
    case 8:
        memory.fail_in = arg;
        break;
    case 9:
        answer_parts(r, arg, b);
        break;
    case 10:
        call_asking(r, arg, b);
        break;
    case 11:
        dialog_calls(r, arg);
        break;
    case 12:
        sip_stack_dialled(r->s, &to, 1 + (arg >> 1 & 1));
        drain(r);
        break;
    case 13:
        restart(r, arg);
        break;
    }
}

static void settle(struct run *r)
{
    struct sip_counters c;

    r->answer = false;
    memory.fail_in = 0;
    for (unsigned n = 0; n < 100000; n++) {
        size_t dialogs = r->n_dialogs < MAX_DIALOGS ? r->n_dialogs
                                                    : MAX_DIALOGS;
        uint64_t at_ms;

        if (n < 4) /* what was not there yet may come with its events */
            for (size_t i = 0; i < dialogs; i++)
                sip_stack_end(r->s, r->dialog[i], r->now_ms);
        drain(r);
        at_ms = sip_stack_deadline(r->s);
        if (at_ms == GB_NEVER)
            break;
        r->now_ms = at_ms > r->now_ms ? at_ms : r->now_ms;
        sip_stack_tick(r->s, r->now_ms);
        drain(r);
    }
    sip_stack_counters(r->s, &c);
    require(c.transactions == 0 && r->awaited == 0);
    if (r->n_dialogs <= MAX_DIALOGS)
        require(c.dialogs == 0 && c.memory == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;

    memory_begin(0);
    r.s = NULL;
    r.now_ms = 1;
    r.answer = true;
    r.status = 200;
    r.style = 0;
    r.n_last_in = 0;
    restart(&r, size & 1);
    for (unsigned n_steps = 0; size >= 4 && n_steps < MAX_STEPS; n_steps++) {
        size_t n = (size_t)data[2] << 8 | data[3];
        char *copy;

        if (n > size - 4)
            n = size - 4;
        copy = memory_take(n); /* its end is watched */
        memcpy(copy, data + 4, n);
        step(&r, data[0], data[1], slice_of(copy, n));
        memory_put(NULL, copy);
        data += 4 + n;
        size -= 4 + n;
    }
    settle(&r);
    sip_stack_free(r.s);
    memory_end();
    return 0;
}
