/* What comes in: a device's answers, messages and calls, and what strangers send. */
#include "fuzz/platform/world.h"

#include "sip/digest.h"

#include <string.h>

static struct sip_msg parsed, request;

/* ---- what comes in ---------------------------------------------------------- */

/* What a stranger could have changed. */
struct state {
    size_t devices, online, channels;
    uint64_t alarms, sessions, commands, deviations;
    struct gb_addr remote;
};

static struct state look(void)
{
    struct platform_counters c;
    struct platform_device d;
    struct state s = { 0 };

    platform_counters(run.p, &c);
    s.devices = platform_device_count(run.p, &s.online);
    s.channels = platform_channel_count(run.p);
    s.alarms = c.alarms;
    s.sessions = c.sessions;
    s.commands = c.commands;
    if (platform_device_view(run.p, SLICE(SAYS_DEVICE), &d)) {
        s.remote = d.peer.remote;
        s.deviations = d.deviations;
    }
    return s;
}

static void input(const struct sip_peer *from, struct slice bytes)
{
    struct sip_peer peer = *from;

    platform_ahead(run.p, &bytes, 1);
    if (!platform_admits(run.p, &peer, bytes, run.now))
        return;
    run.bad = sip_stack_input(run.sip, &peer, bytes, run.now.mono_ms) != 0;
    turn();
    run.bad = false;
}

static bool same(const struct state *a, const struct state *b)
{
    return a->devices == b->devices && a->online == b->online &&
           a->channels == b->channels && a->alarms == b->alarms &&
           a->sessions == b->sessions && a->commands == b->commands &&
           a->deviations == b->deviations &&
           gb_addr_eq(&a->remote, &b->remote);
}

void heard(bool stranger, struct slice bytes)
{
    struct state before, after;

    if (!stranger) {
        input(&run.device, bytes);
        pump();
        return;
    }
    before = look();
    input(&run.stranger, bytes);
    after = look();
    require(same(&before, &after));
    pump();
}

static struct slice asked_y(struct slice body)
{
    size_t at = slice_find_slice(body, SLICE("\ny="));
    struct slice rest = slice_from(body, at + 3);

    return at < body.n ? slice_head(rest, slice_find(rest, '\r'))
                       : slice_of(NULL, 0);
}

/* The i-th request of the platform, the newest first, in `request`. */
static bool asked(unsigned i)
{
    size_t have = run.n_asked < MAX_ASKED ? run.n_asked : MAX_ASKED;
    const struct asked *a;

    if (!have)
        return false;
    a = &run.asked[(run.n_asked - 1 - i % have) % MAX_ASKED];
    return !sip_msg_parse(&request, slice_of(a->p, a->n), SIP_STREAM, NULL);
}

void answer(unsigned i, unsigned status, unsigned parts, int expires,
                   const uint8_t *v, struct slice more)
{
    static char sdp[4096], text[8192];
    struct writer b = writer_of(sdp, sizeof(sdp));
    struct writer w = writer_of(text, sizeof(text));

    if (!asked(i))
        return;
    if (request.method == SIP_METHOD_INVITE)
        says_sdp(&b, v, asked_y(request.body), more);
    else
        writer_slice_put(&b, more);
    says_answer(&w, &request, status, parts, expires, "application/sdp",
                writer_slice(&b));
    if (!w.err && !b.err)
        heard(false, writer_slice(&w));
}

static void send_request(bool stranger, const struct says_request *q)
{
    static char text[16384];
    struct writer w = writer_of(text, sizeof(text));

    says_request(&w, q);
    if (!w.err)
        heard(stranger, writer_slice(&w));
}

static struct says_request plain(const char *method)
{
    run.branch++;
    run.cseq++;
    return (struct says_request){
        .method = method, .from = SAYS_DEVICE, .further = "",
        .type = "Application/MANSCDP+xml", .call = run.branch,
        .branch = run.branch, .cseq = run.cseq,
    };
}

void message(const char *method, unsigned arg, const uint8_t *v,
                    const char *further, struct slice more)
{
    static char text[8192];
    struct writer w = writer_of(text, sizeof(text));
    struct says_request q = plain(method);

    says_body(&w, arg & 1 ? arg : run.sn, v, more);
    if (w.err)
        return;
    q.from = says_who(arg >> 1 & 7);
    q.body = writer_slice(&w);
    q.further = further;
    if (arg & 16)
        q.branch--;
    if (arg & 32 && asked(v[7])) { /* in a dialog of ours */
        q.call_id = request.call_id;
        q.to = request.from.text;
        q.from_text = request.to.text;
    }
    send_request(arg & 64, &q);
}

/* The Response to the query that is in `request`, if there is one. */
static void respond(void)
{
    uint8_t v[8] = { 0, 1, 16, 0, 0, 5 };
    struct slice body = request.body;
    size_t at = slice_find_slice(body, SLICE("<CmdType>"));
    struct slice cmd = slice_from(body, at + 9);

    if (slice_find_slice(body, SLICE("<Query>")) < body.n &&
        says_response_to(slice_head(cmd, slice_find(cmd, '<')), &v[0]))
        message("MESSAGE", 0, v, "", slice_of(NULL, 0));
}

/* What a well-behaved device does with the request that is its turn. */
static void oblige_one(void)
{
    static const uint8_t v[8] = { 0 };
    size_t i = run.n_asked - run.n_obliged;

    if (i >= MAX_ASKED || !asked((unsigned)i))
        return;
    answer((unsigned)i, 200, 0,
           request.method == SIP_METHOD_SUBSCRIBE ? 600 : -1, v,
           slice_of(NULL, 0));
    i = run.n_asked - run.n_obliged; /* more may have come */
    if (i < MAX_ASKED && asked((unsigned)i) &&
        request.method == SIP_METHOD_MESSAGE)
        respond();
}

/* All that it was asked; false: nothing. */
bool oblige(void)
{
    bool some = false;

    if (!run.obliging)
        return false;
    run.obliging = false; /* one after the other */
    for (unsigned n = 0; run.n_obliged < run.n_asked; n++) {
        require(n < MAX_TURNS); /* no answer asks for more and more */
        some = true;
        run.n_obliged++;
        oblige_one();
    }
    run.obliging = true;
    return some;
}

/* ---- REGISTER ---------------------------------------------------------------- */

static void authorization(struct writer *w, bool right)
{
    struct sip_credentials c = {
        .alg = SIP_DIGEST_MD5, .username = SLICE(SAYS_DEVICE),
        .realm = SLICE(SAYS_REALM), .nonce = slice_str(run.nonce),
        .uri = SLICE("sip:" SAYS_SERVER "@" SAYS_REALM),
    };
    char hex[SIP_DIGEST_HEX];
    struct sip_ha1 ha1;
    size_t n;

    sip_ha1_make(&ha1, c.alg, c.username, c.realm,
                 right ? SLICE(PASSWORD) : SLICE("wrong"));
    n = sip_digest_compute(&c, SLICE("REGISTER"), &ha1, hex);
    writer_f(w,
             "Authorization: Digest username=\"%.*s\", realm=\"%.*s\", "
             "nonce=\"%.*s\", uri=\"%.*s\", response=\"%.*s\"\r\n",
             SLICE_ARG(c.username), SLICE_ARG(c.realm), SLICE_ARG(c.nonce),
             SLICE_ARG(c.uri), (int)n, hex);
}

enum { /* of REGISTER */
    REGISTER_WRONG = 1, REGISTER_OPEN = 2, REGISTER_MOVED = 4,
    REGISTER_STRANGER = 8,
};

void enrol(unsigned arg, const uint8_t *v)
{
    static const char *const expires[] = { "3600", "0", "60", "1", "9999999",
                                           "x" };
    static char further[1024];

    if (arg & REGISTER_MOVED)
        run.device.remote.port++;
    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(further, sizeof(further) - 1);
        struct says_request q = plain("REGISTER");

        writer_f(&w, "Expires: %s\r\n", expires[v[0] % COUNT_OF(expires)]);
        if (i)
            authorization(&w, !(arg & REGISTER_WRONG));
        further[w.len] = '\0';
        q.further = further;
        q.parts = v[1];
        q.call = 1;
        q.to = SLICE("<sip:" SAYS_DEVICE "@" SAYS_REALM ">");
        send_request(arg & REGISTER_STRANGER && !i, &q);
        if (arg & (REGISTER_OPEN | REGISTER_STRANGER))
            return;
    }
}

/* ---- calls of a device, and in calls ------------------------------------------ */

void in_call(unsigned arg, const uint8_t *v, struct slice more)
{
    static const char *const methods[] = { "BYE", "INFO", "MESSAGE", "INVITE",
                                           "ACK", "OPTIONS", "UPDATE",
                                           "CANCEL" };
    static const char *const types[] = { "Application/MANSCDP+xml",
                                         "Application/MANSRTSP",
                                         "application/sdp", "text/plain" };
    static char sdp[4096];
    struct writer b = writer_of(sdp, sizeof(sdp));
    struct says_request q = plain(methods[arg % COUNT_OF(methods)]);

    if (!asked(v[7]))
        return;
    q.to = request.from.text;
    q.from_text = request.to.text;
    q.call_id = request.call_id;
    q.type = types[v[6] % COUNT_OF(types)];
    q.parts = arg >> 3 & (SAYS_NO_CONTACT | SAYS_OTHER_TAG);
    if (arg & 64)
        q.cseq = v[5];
    if (v[6] % COUNT_OF(types) == 2)
        says_sdp(&b, v, asked_y(request.body), more);
    else
        writer_slice_put(&b, more);
    q.body = writer_slice(&b);
    if (!b.err)
        send_request(false, &q);
}

/* An INVITE of its own (a broadcast, a talk), and what follows it. */
void call(unsigned arg, const uint8_t *v, struct slice more)
{
    static const char *const methods[] = { "INVITE", "INVITE", "ACK", "BYE",
                                           "CANCEL", "INFO" };
    static char sdp[4096], to[256];
    struct writer b = writer_of(sdp, sizeof(sdp));
    struct writer t = writer_of(to, sizeof(to));
    struct says_request q = plain(methods[arg % COUNT_OF(methods)]);

    q.call = 70000 + (v[7] & 1);
    q.from = says_who(arg >> 3 & 7);
    q.type = "application/sdp";
    q.further = arg & 64 ? "Subject: " SAYS_SERVER ":1," SAYS_DEVICE ":1\r\n" : "";
    if (q.method[0] != 'I') {
        q.cseq = v[6];
    } else {
        says_sdp(&b, v, arg & 128 ? SLICE("0200000001") : slice_of(NULL, 0),
                 more);
        q.body = writer_slice(&b);
    }
    if (v[5] & 1 &&
        !sip_msg_parse(&parsed, slice_of(run.told.p, run.told.n), SIP_STREAM, NULL)) {
        writer_slice_put(&t, parsed.to.text);
        q.to = writer_slice(&t);
        q.cseq = parsed.cseq.number + (q.method[0] == 'B');
    }
    if (!b.err && !t.err)
        send_request(false, &q);
}
