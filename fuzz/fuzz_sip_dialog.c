/* The input is a script for two stacks joined by a wire: calls into either, what
 * their layers above answer, what the wire does, time, memory that runs out.
 * Each step is two bytes: what, argument.
 *
 * Properties: all that is sent can be parsed; every dialog and subscription
 * ends at most once, and nothing names it after its end; when all is ended and
 * time has passed nothing is left, nothing leaks. */
#include "fuzz/fuzz.h"

#include "sip/stack.h"
#include "sip/value.h"

#include <stdlib.h>

#define MEMORY_CLEARED 65535u
#include "fuzz/memory.h"

#define MAX_STEPS 16
#define MAX_KNOWN 32
#define MAX_WIRE 32
#define MAX_PACKET 1536

struct known {
    uint64_t id;
    bool over;
};

struct packet {
    int to;
    bool whole; /* as it was sent */
    size_t n;
    char p[MAX_PACKET];
};

struct side {
    struct sip_stack *s;
    struct known dialog[MAX_KNOWN], sub[MAX_KNOWN];
    size_t n_dialogs, n_subs;
    uint64_t open;      /* an INVITE that waits for its answer */
    unsigned answer;    /* to INVITE; 0: later */
    unsigned sub_answer; /* to SUBSCRIBE; 200: accepted */
    unsigned other_answer; /* to the rest */
    bool mute;          /* no NOTIFY by itself */
    bool rude;          /* ends a dialog in place of an answer to its INVITE */
};

static struct run {
    struct side side[2];
    uint64_t now_ms;
    struct packet packet[MAX_WIRE + 1];
    uint8_t order[MAX_WIRE]; /* of packets: the first n_wire are under way */
    size_t n_wire;
    uint8_t arriving; /* the packet that came last: it is in none's way */
    unsigned lose, repeat; /* the next so many */
    bool tcp, swap;
} r;

static struct sip_msg parsed;

/* ---- what is known of ends ----------------------------------------------- */

static struct known *find(struct known *k, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n && i < MAX_KNOWN; i++)
        if (k[i].id == id)
            return &k[i];
    return NULL;
}

static void know(struct known *k, size_t *n, uint64_t id)
{
    if (id && !find(k, *n, id))
        k[(*n)++ % MAX_KNOWN] = (struct known){ id, false };
}

static void over(struct known *k, size_t n, uint64_t id)
{
    struct known *it = find(k, n, id);

    if (it)
        it->over = true;
}

static uint64_t pick(const struct known *k, size_t n, unsigned arg)
{
    size_t have = n < MAX_KNOWN ? n : MAX_KNOWN;

    return have ? k[arg % have].id : 0;
}

static void check_event(struct side *a, const struct sip_event *ev)
{
    struct known *d = find(a->dialog, a->n_dialogs, ev->dialog);
    struct known *b = find(a->sub, a->n_subs, ev->subscription);

    require(!ev->dialog || !d || !d->over);
    require(!ev->subscription || !b || !b->over);
    require((ev->kind == SIP_EV_ENDED) <= (ev->dialog != 0));
    require((ev->kind == SIP_EV_UNSUBSCRIBED) <= (ev->subscription != 0));
    require((ev->kind == SIP_EV_NOTIFY) <= (ev->subscription && ev->msg));
    if (ev->kind == SIP_EV_ENDED)
        over(a->dialog, a->n_dialogs, ev->dialog);
    if (ev->kind == SIP_EV_UNSUBSCRIBED)
        over(a->sub, a->n_subs, ev->subscription);
}

/* ---- the layers above ------------------------------------------------------ */

static struct sip_peer peer(int side)
{
    struct gb_addr a[2] = {
        { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
        { .family = GB_IPV4, .ip = { 192, 0, 2, 2 }, .port = 5060 },
    };

    return (struct sip_peer){ .transport = r.tcp ? SIP_TCP : SIP_UDP,
                              .connection = r.tcp ? 7 : 0,
                              .local = a[side], .remote = a[!side] };
}

static int respond(struct side *a, uint64_t transaction, unsigned status)
{
    struct sip_response q = { .status = status, .expires = -1,
                              .contact = SLICE("sip:x@192.0.2.9") };

    return sip_stack_respond(a->s, transaction, &q, r.now_ms);
}

static void notify(struct side *a, uint64_t sub, unsigned arg)
{
    static const struct slice reasons[] = {
        SLICE_INIT(""), SLICE_INIT("probation"), SLICE_INIT("rejected"),
        SLICE_INIT("no token"),
    };
    struct sip_notify n = { .state = (uint8_t)(arg & 3),
                            .reason = reasons[arg >> 2 & 3],
                            .retry_after_s = arg >> 4 };

    if (!sip_stack_notify(a->s, sub, &n, r.now_ms) &&
        n.state == SIP_SUB_TERMINATED)
        over(a->sub, a->n_subs, sub);
}

static void on_subscribe(struct side *a, const struct sip_event *ev)
{
    struct sip_response q = { .status = 200, .expires = 300,
                              .contact = SLICE("sip:n@192.0.2.9") };
    uint64_t sub = 0;

    if (a->sub_answer != 200) {
        respond(a, ev->transaction, a->sub_answer);
        return;
    }
    if (sip_stack_accept(a->s, ev->transaction, &q, 3, r.now_ms, &sub))
        return;
    if (!sub && ev->subscription)
        over(a->sub, a->n_subs, ev->subscription);
    know(a->sub, &a->n_subs, sub);
    if (sub && !a->mute)
        notify(a, sub, SIP_SUB_ACTIVE);
}

static void end(struct side *a, uint64_t dialog)
{
    sip_stack_end(a->s, dialog, r.now_ms);
    over(a->dialog, a->n_dialogs, dialog);
}

static void on_request(struct side *a, const struct sip_event *ev)
{
    require(ev->msg && ev->transaction);
    know(a->dialog, &a->n_dialogs, ev->dialog);
    know(a->sub, &a->n_subs, ev->subscription);
    if (ev->msg->method == SIP_METHOD_SUBSCRIBE)
        on_subscribe(a, ev);
    else if (a->rude && ev->msg->method == SIP_METHOD_INVITE)
        end(a, ev->dialog);
    else if (ev->msg->method != SIP_METHOD_INVITE)
        respond(a, ev->transaction, a->other_answer);
    else if (a->answer)
        respond(a, ev->transaction, a->answer);
    else
        a->open = ev->transaction;
}

/* ---- the wire -------------------------------------------------------------- */

/* What reaches the other side whole is parsed there. */
static void send_one(int side, struct slice bytes)
{
    unsigned copies = 1;

    if (r.lose && !r.tcp) {
        r.lose--;
        copies = 0;
    } else if (r.repeat && !r.tcp) {
        r.repeat--;
        copies = 2;
    }
    if (!copies || r.n_wire == MAX_WIRE || bytes.n > MAX_PACKET)
        require(!sip_msg_parse(&parsed, bytes, SIP_STREAM, NULL));
    while (copies-- && r.n_wire < MAX_WIRE && bytes.n <= MAX_PACKET) {
        struct packet *k = &r.packet[r.order[r.n_wire++]];

        k->to = !side;
        k->whole = true;
        k->n = bytes.n;
        memcpy(k->p, bytes.p, bytes.n);
    }
}

static void drain(void)
{
    struct sip_event ev;
    struct sip_out out;

    for (int i = 0; i < 2; i++) {
        struct side *a = &r.side[i];

        while (sip_stack_event(a->s, &ev)) {
            check_event(a, &ev);
            if (ev.kind == SIP_EV_REQUEST || ev.kind == SIP_EV_NOTIFY)
                on_request(a, &ev);
        }
        while (sip_stack_output(a->s, &out))
            send_one(i, out.bytes);
    }
}

/* Delivers up to n messages, the newest first if the wire swaps. */
static void deliver(unsigned n)
{
    drain();
    while (r.n_wire && n--) {
        size_t i = r.swap ? r.n_wire - 1 : 0;
        uint8_t at = r.order[i];
        const struct packet *k = &r.packet[at];
        struct sip_peer from = peer(k->to);
        int err;

        r.n_wire--;
        memmove(&r.order[i], &r.order[i + 1], r.n_wire - i);
        r.order[r.n_wire] = r.arriving;
        r.arriving = at;
        err = sip_stack_input(r.side[k->to].s, &from, slice_of(k->p, k->n),
                              r.now_ms);
        require(!err || !k->whole || (err == GB_ENOMEM && memory.fail_in == 1));
        drain();
    }
}

static void pass_time(uint64_t ms)
{
    r.now_ms += ms;
    for (int i = 0; i < 2; i++) {
        sip_stack_tick(r.side[i].s, r.now_ms);
        require(sip_stack_deadline(r.side[i].s) > r.now_ms);
    }
    drain();
}

/* ---- steps ----------------------------------------------------------------- */

static struct sip_request request(int side, unsigned arg)
{
    return (struct sip_request){
        .method = arg & 1 ? SIP_METHOD_MESSAGE : SIP_METHOD_INFO,
        .peer = peer(side),
        .uri = SLICE("sip:you@192.0.2.2"),
        .from = SLICE("sip:me@dom"),
        .to = SLICE("sip:you@dom"),
        .contact = SLICE("sip:me@192.0.2.1"),
        .expires = -1,
        .user = 5,
        .username = arg & 2 ? SLICE("me") : SLICE(""),
        .timeout_ms = arg & 4 ? 2000 : 0,
    };
}

static void in_dialog(struct side *a, int side, unsigned arg, bool invite)
{
    struct sip_request q = request(side, arg);
    uint64_t id, dialog = pick(a->dialog, a->n_dialogs, arg >> 3);

    q.uri.n = q.from.n = q.to.n = 0;
    q.peer.remote.family = arg & 1 ? GB_NO_ADDR : GB_IPV4;
    if (invite)
        q.method = SIP_METHOD_INVITE;
    sip_stack_request_in(a->s, dialog, &q, r.now_ms, &id);
}

static void subscribe(struct side *a, int side, unsigned arg)
{
    struct sip_subscribe q = { .r = request(side, arg & 6),
                               .event = SLICE("Catalog;id=1"),
                               .loose = arg & 1 };
    uint64_t sub = arg & 8 ? pick(a->sub, a->n_subs, arg >> 4) : 0;
    uint64_t old = sub;

    q.r.expires = arg & 8 && arg & 1 ? 0 : 60 + arg;
    if (!sip_stack_subscribe(a->s, &q, r.now_ms, &sub))
        know(a->sub, &a->n_subs, sub);
    if (old && !sub)
        over(a->sub, a->n_subs, old);
}

/* End, and hear what became of the BYE. */
static void leave(struct side *a, uint64_t dialog)
{
    struct sip_request ask = { .user = 9 };

    sip_stack_leave(a->s, dialog, &ask, r.now_ms);
    over(a->dialog, a->n_dialogs, dialog);
}

static void forget(struct side *a, uint64_t sub)
{
    sip_stack_forget(a->s, sub, r.now_ms);
    over(a->sub, a->n_subs, sub);
}

static void restore(struct side *a, int side, unsigned arg)
{
    uint64_t id = pick(a->dialog, a->n_dialogs, arg);
    struct sip_peer to = peer(side);
    struct sip_dialog_state d;

    sip_stack_set_user(a->s, id, arg);
    sip_stack_move(a->s, id, &to);
    sip_stack_move_subscription(a->s, pick(a->sub, a->n_subs, arg), &to);
    if (!sip_stack_dialog_state(a->s, id, &d) && arg & 64)
        sip_stack_bye_orphan(a->s, &d, &to, NULL, 9, r.now_ms);
}

static void policy(struct side *a, unsigned arg)
{
    static const unsigned answers[] = { 200, 0, 180, 486, 200, 202, 491, 299 };
    static const unsigned subs[] = { 200, 200, 489, 481, 200, 202, 500, 180 };
    static const unsigned others[] = { 200, 481, 401, 408, 200, 500, 404, 489 };

    a->answer = answers[arg & 7];
    a->sub_answer = subs[arg >> 3 & 7];
    a->other_answer = others[arg >> 5];
}

/* The last message under way, which is to be changed. */
static struct packet *last_packet(void)
{
    struct packet *k;

    if (!r.n_wire)
        return NULL;
    k = &r.packet[r.order[r.n_wire - 1]];
    k->whole = false;
    return k;
}

/* A message on the wire, with one byte changed: a tag, a Call-ID, a number. */
static void twist(unsigned arg)
{
    static const struct slice marks[] = {
        SLICE_INIT(";tag="), SLICE_INIT("Call-ID: "), SLICE_INIT("CSeq: "),
        SLICE_INIT("To: "), SLICE_INIT("Event: "), SLICE_INIT("Expires: "),
        SLICE_INIT("State: "), SLICE_INIT("branch=z9hG4bK"),
    };
    struct packet *k = last_packet();
    size_t at;

    if (!k)
        return;
    at = slice_find_slice(slice_of(k->p, k->n), marks[arg & 7]) +
         marks[arg & 7].n + (arg >> 3 & 7);
    if (at < k->n && k->p[at] >= '0' && k->p[at] <= '8')
        k->p[at]++;
}

/* A proxy on the way of the last message, which names itself, or takes the
 * Contact away or puts another one there. */
static void proxy(unsigned arg)
{
    static const struct slice lines[] = {
        SLICE_INIT("\r\nRecord-Route: <sip:p.example;lr>"),
        SLICE_INIT("\r\nRecord-Route: <sip:q.example?a=b>, <sip:p.example>"),
        SLICE_INIT("\r\nm: <sip:192.0.2.8>\r\nX: "),
        SLICE_INIT("\r\nm: <sip:x@0.0.0.0>\r\nX: "),
        SLICE_INIT("\r\nm: <sip:x@192.0.2.8;a?b=c>\r\nX: "),
        SLICE_INIT("\r\nX: "),
    };
    struct slice line = lines[arg % 6], text;
    struct packet *k = last_packet();
    bool instead = arg % 6 > 1;
    size_t at;

    if (!k || k->n + line.n > MAX_PACKET)
        return;
    text = slice_of(k->p, k->n);
    at = slice_find_slice(text, instead ? SLICE("\r\nContact: ")
                                        : SLICE("\r\n"));
    if (at == k->n)
        return;
    memmove(k->p + at + line.n, k->p + at, k->n - at);
    memcpy(k->p + at, line.p, line.n);
    k->n += line.n;
    if (instead) { /* "X: " takes the rest of the old line */
        at += line.n;
        memmove(k->p + at, k->p + at + 11, k->n - at - 11);
        k->n -= 11;
    }
}

/* The To tag of the last message goes. */
static void untag(void)
{
    struct packet *k = last_packet();
    struct slice text, tag;
    size_t to, at, n;

    if (!k)
        return;
    text = slice_of(k->p, k->n);
    to = slice_find_slice(text, SLICE("\r\nTo: "));
    if (to == k->n)
        return;
    at = to + slice_find_slice(slice_from(text, to), SLICE(";tag="));
    tag = slice_from(text, at);
    n = slice_find(tag, '\r');
    if (at >= k->n || slice_find(slice_from(text, to + 2), '\r') + to + 2 < at)
        return;
    memmove(k->p + at, k->p + at + n, k->n - at - n);
    k->n -= n;
}

/* What the layer above does on a side. false: it is none of these. */
static bool act(int side, unsigned what, unsigned arg)
{
    struct side *a = &r.side[side];
    struct sip_request q = request(side, arg);
    uint64_t id;

    switch (what) {
    case 0:
    case 1:
        if (!sip_stack_invite(a->s, &q, r.now_ms, &id))
            know(a->dialog, &a->n_dialogs, id);
        return true;
    case 2:
        end(a, pick(a->dialog, a->n_dialogs, arg));
        return true;
    case 3:
    case 4:
        in_dialog(a, side, arg, what == 4);
        return true;
    case 5:
    case 6:
        subscribe(a, side, arg);
        return true;
    case 7:
        notify(a, pick(a->sub, a->n_subs, arg >> 6), arg);
        return true;
    case 8:
        forget(a, pick(a->sub, a->n_subs, arg));
        return true;
    case 9:
        respond(a, a->open, 100 + 2 * arg);
        return true;
    case 10:
        restore(a, side, arg);
        return true;
    case 11:
        sip_stack_request(a->s, &q, r.now_ms, &id);
        return true;
    case 12:
        policy(a, arg);
        return true;
    case 25:
        leave(a, pick(a->dialog, a->n_dialogs, arg));
        return true;
    default:
        return false;
    }
}

/* What becomes of messages, memory and time. false: nothing is delivered beyond
 * it: the next step comes on top. */
static bool happen(int side, unsigned what, unsigned arg)
{
    struct side *a = &r.side[side];
    struct sip_peer to = peer(side);

    switch (what) {
    case 13:
        a->mute = arg & 1;
        r.swap = arg & 2;
        return true;
    case 14:
        r.lose = arg & 15;
        r.repeat = arg >> 4;
        return true;
    case 15:
        memory.fail_in = arg;
        return true;
    case 16:
        drain(); /* twist what has just been sent */
        twist(arg);
        return true;
    case 17:
        drain();
        untag();
        return true;
    case 18:
        sip_stack_closed(a->s, to.connection, r.now_ms);
        return true;
    case 19:
        sip_stack_send_failed(a->s, &to, r.now_ms);
        return true;
    case 20:
        return false;
    case 21:
        deliver(1 + arg % 4);
        return false;
    case 22:
    case 23:
        pass_time((uint64_t)arg * 40);
        return true;
    case 24:
        pass_time((uint64_t)arg * arg * 8);
        return true;
    case 26:
        drain();
        proxy(arg);
        return true;
    case 27:
        a->rude = arg & 1;
        return true;
    default:
        deliver(MAX_WIRE);
        return true;
    }
}

static void step(unsigned what, unsigned arg)
{
    int side = (int)(what >> 7);

    if (!act(side, what & 31, arg) && !happen(side, what & 31, arg))
        return;
    drain();
    if (what & 32)
        deliver(MAX_WIRE);
}

/* ---- a run ----------------------------------------------------------------- */

static void start(unsigned flags)
{
    struct sip_stack_config cfg = { .alloc = &memory_alloc, .max_transactions = 64,
                                    .max_dialogs = 12, .max_subscriptions = 8,
                                    .obey_retry_after = flags & 2 };

    memory_begin(0);
    memset(r.side, 0, sizeof(r.side));
    r.now_ms = 1;
    r.n_wire = r.lose = r.repeat = 0;
    memory.fail_in = 0;
    for (unsigned i = 0; i < MAX_WIRE; i++)
        r.order[i] = (uint8_t)i;
    r.arriving = MAX_WIRE;
    r.tcp = flags & 1;
    r.swap = false;
    for (int i = 0; i < 2; i++) {
        cfg.seed[0] = (uint8_t)(1 + i);
        r.side[i].answer = r.side[i].sub_answer = r.side[i].other_answer = 200;
        require(!sip_stack_new(&r.side[i].s, &cfg));
    }
}

static void end_all(void)
{
    for (int i = 0; i < 2; i++) {
        struct side *a = &r.side[i];

        for (size_t k = 0; k < MAX_KNOWN && k < a->n_dialogs; k++)
            end(a, a->dialog[k].id); /* what the peer has ended, too: it may
                                        still be due a BYE */
        for (size_t k = 0; k < MAX_KNOWN && k < a->n_subs; k++)
            if (!a->sub[k].over)
                forget(a, a->sub[k].id);
    }
}

static bool is_over(void)
{
    return r.side[0].n_dialogs <= MAX_KNOWN && r.side[1].n_dialogs <= MAX_KNOWN;
}

static void finish(void)
{
    struct sip_counters c;

    r.lose = r.repeat = 0;
    memory.fail_in = 0;
    r.side[0].mute = r.side[1].mute = true;
    r.side[0].rude = r.side[1].rude = false;
    for (unsigned n = 0; n < 2000; n++) {
        uint64_t at_ms = GB_NEVER;

        end_all();
        deliver(MAX_WIRE);
        for (int i = 0; i < 2; i++)
            if (sip_stack_deadline(r.side[i].s) < at_ms)
                at_ms = sip_stack_deadline(r.side[i].s);
        if (at_ms == GB_NEVER)
            break;
        pass_time(at_ms > r.now_ms ? at_ms - r.now_ms : 0);
    }
    for (int i = 0; i < 2; i++) {
        sip_stack_counters(r.side[i].s, &c);
        require(c.transactions == 0 && c.subscriptions == 0);
        if (is_over())
            require(c.dialogs == 0 && c.memory == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    start(data[0]);
    for (size_t i = 0; 1 + 2 * i + 1 < size && i < MAX_STEPS; i++)
        step(data[1 + 2 * i], data[2 + 2 * i]);
    finish();
    for (int i = 0; i < 2; i++)
        sip_stack_free(r.side[i].s);
    memory_end();
    return 0;
}
