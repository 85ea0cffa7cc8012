/* The input is a script of datagrams, calls and times against one stack. Each
 * record: what, argument, length (two bytes), bytes. Besides not crashing: all
 * that we send can be parsed, every event is about something, and when all
 * dialogs are ended and time has passed nothing is left. */
#include "fuzz/fuzz.h"

#include "sip/stack.h"

#include <stdlib.h>

#define MAX_DIALOGS 32
#define MAX_SENT 8

struct run {
    struct sip_stack *s;
    uint64_t now_ms;
    uint64_t dialog[MAX_DIALOGS], last_request;
    size_t n_dialogs;
    bool answer; /* the layer above answers at once */
    bool bad;    /* the last input was malformed: its echo may be too */
    unsigned status;
    struct {
        char p[2048];
        size_t n;
    } sent[MAX_SENT]; /* requests of ours, for answers that fit */
    size_t n_sent;
    char last_in[2048]; /* the last good request, to be varied */
    size_t n_last_in;
};

static struct sip_msg parsed;

static void require(int ok)
{
    if (!ok)
        abort();
}

static struct sip_peer peer(unsigned arg)
{
    return (struct sip_peer){
        .transport = arg & 1 ? SIP_TCP : SIP_UDP,
        .connection = arg & 1 ? 1 + (arg >> 1 & 1) : 0,
        .local = { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
        .remote = { .family = GB_IPV4,
                    .ip = { 192, 0, 2, (uint8_t)(2 + (arg >> 2 & 1)) },
                    .port = (uint16_t)(5060 + (arg >> 3 & 1)) },
    };
}

static void keep_dialog(struct run *r, uint64_t id)
{
    r->dialog[r->n_dialogs++ % MAX_DIALOGS] = id;
}

static void respond(struct run *r, uint64_t transaction, unsigned status)
{
    struct sip_response a = { .status = status,
                              .expires = -1,
                              .contact = SLICE("sip:us@192.0.2.1") };

    sip_stack_respond(r->s, transaction, &a, r->now_ms);
}

static void drain(struct run *r)
{
    struct sip_event ev;
    struct sip_out out;

    while (sip_stack_event(r->s, &ev)) {
        require((ev.kind == SIP_EV_FAILED) <= (ev.msg == NULL));
        if (ev.kind == SIP_EV_RESPONSE)
            require(ev.msg && ev.status == ev.msg->status);
        if (ev.kind == SIP_EV_ENDED || ev.kind == SIP_EV_ACKED)
            require(ev.dialog != 0);
        if (ev.kind != SIP_EV_REQUEST)
            continue;
        require(ev.msg && ev.transaction);
        require((ev.msg->method == SIP_METHOD_INVITE) <= (ev.dialog != 0));
        r->last_request = ev.transaction;
        if (ev.dialog)
            keep_dialog(r, ev.dialog);
        if (r->answer)
            respond(r, ev.transaction, r->status);
    }
    while (sip_stack_output(r->s, &out)) {
        int err = sip_msg_parse(&parsed, out.bytes, SIP_STREAM, NULL);

        require(!err || r->bad);
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

    r->bad = sip_stack_input(r->s, &from, bytes, r->now_ms) != 0;
    if (!r->bad && bytes.n <= sizeof(r->last_in) && bytes.n > 8 &&
        memcmp(bytes.p, "SIP/2.0", 7)) {
        memcpy(r->last_in, bytes.p, bytes.n);
        r->n_last_in = bytes.n;
    }
    drain(r);
    r->bad = false;
}

/* An answer to a request of ours; the bytes are further lines. */
static void answer(struct run *r, unsigned arg, struct slice more)
{
    static const unsigned statuses[] = { 100, 180, 200, 200, 202, 302, 401,
                                         408, 481, 486, 487, 500, 603, 299 };
    size_t i = r->n_sent ? arg / 16 % (r->n_sent < MAX_SENT ? r->n_sent
                                                            : MAX_SENT) : 0;
    char buf[8192];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!r->n_sent ||
        sip_msg_parse(&parsed, slice_of(r->sent[i].p, r->sent[i].n),
                      SIP_STREAM, NULL))
        return;
    writer_f(&w, "SIP/2.0 %u X\r\nVia: ", statuses[arg % 14]);
    writer_slice_put(&w, parsed.via.text);
    writer_str(&w, "\r\nFrom: ");
    writer_slice_put(&w, parsed.from.text);
    writer_str(&w, "\r\nTo: ");
    writer_slice_put(&w, parsed.to.text);
    if (!parsed.to.tag.n && more.n)
        writer_f(&w, ";tag=t%u", (unsigned)(uint8_t)more.p[0] % 4);
    writer_str(&w, "\r\nCall-ID: ");
    writer_slice_put(&w, parsed.call_id);
    writer_f(&w, "\r\nCSeq: %u ", (unsigned)parsed.cseq.number);
    writer_slice_put(&w, parsed.method_name);
    writer_str(&w, "\r\n");
    writer_slice_put(&w, slice_from(more, 1));
    writer_str(&w, "\r\n\r\n");
    if (!w.err)
        input(r, 0, writer_slice(&w));
}

/* The last good request under another method: ACK, CANCEL, BYE, a repeat. */
static void vary(struct run *r, unsigned arg)
{
    static const char *const names[] = { "ACK", "CANCEL", "BYE", "INFO",
                                         "INVITE", "MESSAGE", "OPTIONS" };
    const char *name = names[arg % 7];
    struct slice in = slice_of(r->last_in, r->n_last_in), old;
    char buf[8192];
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

static struct sip_request request(unsigned arg, struct slice text)
{
    return (struct sip_request){
        .method = arg & 16 ? SIP_METHOD_MESSAGE : SIP_METHOD_INFO,
        .peer = peer(arg),
        .uri = SLICE("sip:dev@192.0.2.2"),
        .from = SLICE("sip:us@dom"),
        .to = SLICE("sip:dev@dom"),
        .contact = SLICE("sip:us@192.0.2.1"),
        .subject = text,
        .body = text,
        .expires = -1,
        .user = 5,
        .timeout_ms = arg & 32 ? 3000 : 0,
    };
}

static void call_stack(struct run *r, unsigned arg, struct slice text)
{
    struct sip_request q = request(arg, text);
    uint64_t id, dialog = r->dialog[arg % MAX_DIALOGS];
    struct sip_dialog_state d;
    struct sip_peer to = peer(arg);

    switch (arg >> 5) {
    case 0:
        sip_stack_request(r->s, &q, r->now_ms, &id);
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
        respond(r, r->last_request, 100 + (unsigned)(text.n % 600));
        break;
    case 6:
        sip_stack_send_failed(r->s, &to, r->now_ms);
        break;
    case 7:
        if (!sip_stack_dialog_state(r->s, dialog, &d))
            sip_stack_bye_orphan(r->s, &d, &to, 9, r->now_ms);
        break;
    }
    drain(r);
}

static void step(struct run *r, unsigned what, unsigned arg, struct slice b)
{
    switch (what % 8) {
    case 0:
    case 1:
        input(r, arg, b);
        break;
    case 2:
        r->now_ms += (uint64_t)arg * arg;
        sip_stack_tick(r->s, r->now_ms);
        drain(r);
        require(sip_stack_deadline(r->s) > r->now_ms);
        break;
    case 3:
        answer(r, arg, b);
        break;
    case 4:
        vary(r, arg);
        break;
    case 5:
        call_stack(r, arg, b);
        break;
    case 6:
        r->answer = arg & 1;
        r->status = 180 + arg * 2;
        break;
    case 7:
        sip_stack_closed(r->s, arg & 3, r->now_ms);
        drain(r);
        break;
    }
}

static void settle(struct run *r)
{
    struct sip_counters c;

    r->answer = false;
    for (unsigned n = 0; n < 100000; n++) {
        uint64_t at_ms;

        for (size_t i = 0; i < MAX_DIALOGS; i++)
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
    require(c.transactions == 0);
    if (r->n_dialogs <= MAX_DIALOGS)
        require(c.dialogs == 0 && c.memory == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;
    struct sip_stack_config cfg = { .alloc = &gb_alloc_heap,
                                    .max_transactions = 64,
                                    .max_dialogs = 16 };

    r = (struct run){ .now_ms = 1, .answer = true, .status = 200 };
    if (sip_stack_new(&r.s, &cfg))
        return 0;
    while (size >= 4) {
        size_t n = (size_t)data[2] << 8 | data[3];
        char *copy;

        if (n > size - 4)
            n = size - 4;
        copy = malloc(n ? n : 1); /* its end is watched */
        if (!copy)
            break;
        memcpy(copy, data + 4, n);
        step(&r, data[0], data[1], slice_of(copy, n));
        free(copy);
        data += 4 + n;
        size -= 4 + n;
    }
    settle(&r);
    sip_stack_free(r.s);
    return 0;
}
