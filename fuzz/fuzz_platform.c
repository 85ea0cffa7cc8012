/* The input is a script against the whole platform: a device that registers and
 * says anything at any time, strangers, people with the API, the media edge, time,
 * memory that runs out. Each step: what, argument, eight numbers at most and a text
 * (their length is a byte).
 *
 * Properties: all that is sent can be parsed; no order for a session that is not
 * open, no port twice; nothing spins; a stranger changes nothing; when all is
 * ended and time has passed no session, port or dialog is left, nothing leaks. */
#include "fuzz/fuzz.h"

#include "app/platform/chinese.h"
#include "app/platform/doctor.h"
#include "app/platform/platform.h"
#include "app/platform/voice.h"
#include "fuzz/sayings.h"
#include "sip/digest.h"

#include <stdlib.h>

#include "fuzz/memory.h"

#define PASSWORD "12345678"
#define MAX_STEPS 40
#define MAX_ASKED 16
#define MAX_STREAMS 8
#define MAX_KNOWN 16
#define MAX_STORED 16
#define MAX_DIALOG 1024 /* bytes of its texts */
#define MAX_ROUNDS 20000 /* of timers, in one step of time */
#define MAX_TURNS 4000   /* of one input */
#define UTC 1700000000000 /* ms */
#define UTC_S 1700000000u

struct asked {
    char p[3072];
    size_t n;
};

struct stream {
    uint64_t session; /* 0: free */
    uint16_t port;
    bool shared, closing;
};

/* A dialog as the store has it. */
struct stored {
    uint64_t key;
    struct sip_peer peer;
    struct sip_dialog_state state; /* slices into text */
    char text[MAX_DIALOG];
    size_t n;
};

/* The last so many ids of one kind. */
struct ids {
    uint64_t id[MAX_KNOWN];
    size_t n;
};

static struct run {
    struct sip_stack *sip;
    struct platform *p;
    struct gb_time now;
    struct sip_peer device, stranger;
    uint64_t connections;
    unsigned branch, cseq;
    struct asked asked[MAX_ASKED]; /* requests of the platform */
    size_t n_asked, n_obliged;     /* the device has answered so many by itself */
    struct asked told;             /* its last answer */
    char nonce[128];
    uint32_t sn;
    struct stream stream[MAX_STREAMS];
    struct ids sessions, voices, commands, downloads, records;
    struct stored stored[MAX_STORED];
    unsigned how;                  /* it was begun */
    uint8_t lives;                 /* of processes, so far */
    uint64_t filed, dropped;       /* a file that is ended, a connection */
    unsigned refuse_ports;
    bool obliging;                 /* the device answers by itself */
    bool slow_edge;                /* closes when it is told to */
    bool bad;                      /* the last input was malformed */
} r;

static struct sip_msg parsed, request;

static void know(struct ids *k, uint64_t id)
{
    if (id)
        k->id[k->n++ % MAX_KNOWN] = id;
}

static uint64_t pick(const struct ids *k, unsigned i)
{
    size_t have = k->n < MAX_KNOWN ? k->n : MAX_KNOWN;

    return have ? k->id[(k->n - 1 - i % have) % MAX_KNOWN] : 0;
}

static void read_all(struct slice s)
{
    memory_read(s.p, s.n);
}

/* What people read, they can read in Chinese. */
static void read_words(struct slice s)
{
    char text[CHINESE_MAX];
    struct writer w = writer_of(text, sizeof(text));

    read_all(s);
    require(!s.n || (chinese_write(&w, s) && !w.err));
}

/* ---- the media edge --------------------------------------------------------- */

static struct stream *stream_of(uint64_t session)
{
    for (size_t i = 0; i < MAX_STREAMS; i++)
        if (r.stream[i].session == session)
            return &r.stream[i];
    return NULL;
}

static void media(uint64_t session, enum platform_media_kind kind,
                  const uint8_t *v)
{
    struct platform_media_event ev = {
        .kind = kind, .session = session, .ssrc = 200000000u + v[0],
        .from = r.device.remote, .packets = 100u * v[1], .bytes = 100000u * v[1],
        .lost = v[2], .keys = v[3] % 8, .position_ms = 1000 * v[4],
        .video = v[5] % 4 ? PS_CODEC_H264 : PS_CODEC_UNKNOWN,
        .audio = v[5] / 4 % 2 ? PS_CODEC_G711A : PS_CODEC_UNKNOWN,
        .width = 1920, .height = 1080, .unknown_bytes = v[6],
    };

    if (kind == PLATFORM_MEDIA_REFUSED || kind == PLATFORM_MEDIA_ENDED) {
        ev.err = GB_EIO;
        ev.text = "address already in use";
    }
    platform_media(r.p, &ev, r.now);
}

static void open_stream(const struct platform_action *a)
{
    static const uint8_t none[8];
    struct stream *m = stream_of(0);

    require(m && !stream_of(a->session) && a->port);
    for (size_t i = 0; !a->shared && i < MAX_STREAMS; i++)
        require(!r.stream[i].session || r.stream[i].port != a->port);
    if (r.refuse_ports) {
        r.refuse_ports--;
        media(a->session, PLATFORM_MEDIA_REFUSED, none);
        return;
    }
    *m = (struct stream){ .session = a->session, .port = a->port,
                          .shared = a->shared };
    media(a->session, PLATFORM_MEDIA_OPENED, none);
}

/* The loop has closed what it was told to. */
static void close_streams(void)
{
    static const uint8_t none[8];

    for (size_t i = 0; i < MAX_STREAMS; i++) {
        uint64_t session = r.stream[i].session;

        if (!session || !r.stream[i].closing)
            continue;
        r.stream[i].session = 0;
        media(session, PLATFORM_MEDIA_CLOSED, none);
    }
}

static void order(const struct platform_action *a)
{
    struct stream *m = stream_of(a->session);

    if (a->kind == PLATFORM_DO_OPEN) {
        open_stream(a);
        return;
    }
    require(m && !m->closing);
    m->closing = a->kind == PLATFORM_DO_CLOSE;
}

/* ---- what the platform tells ------------------------------------------------ */

/* key 0: a free one. */
static struct stored *find_stored(uint64_t key)
{
    for (size_t i = 0; i < MAX_STORED; i++)
        if (r.stored[i].key == key)
            return &r.stored[i];
    return NULL;
}

static struct slice store(struct stored *d, struct slice s)
{
    struct slice copy = { d->text + d->n, s.n };

    read_all(s);
    require(s.n <= sizeof(d->text) - d->n);
    memcpy(d->text + d->n, s.p, s.n);
    d->n += s.n;
    return copy;
}

static void dialog_opened(const struct platform_action *a)
{
    const struct sip_dialog_state *s = &a->dialog;
    struct stored *d = find_stored(a->dialog_key);

    d = d ? d : find_stored(0);
    require(a->dialog_key && d);
    d->key = a->dialog_key;
    d->peer = a->peer;
    d->n = 0;
    d->state = (struct sip_dialog_state){
        store(d, s->call_id), store(d, s->local_uri), store(d, s->remote_uri),
        store(d, s->local_tag), store(d, s->remote_tag), store(d, s->target),
        s->local_cseq,
    };
}

static void dialog_closed(const struct platform_action *a)
{
    struct stored *d = find_stored(a->dialog_key);

    require(a->dialog_key && d);
    d->key = 0;
}

static bool any_stored(void)
{
    for (size_t i = 0; i < MAX_STORED; i++)
        if (r.stored[i].key)
            return true;
    return false;
}

static void device_changed(const struct platform_action *a)
{
    static char buf[PLATFORM_SAVED_MAX];
    struct platform_device d;

    require(platform_device_save(r.p, a->device, buf, &d));
    read_all(d.name);
    read_words(d.state_reason);
    read_all(d.profile);
}

static void download_changed(const struct platform_action *a)
{
    static char buf[PLATFORM_DOWNLOAD_SAVED_MAX];
    struct platform_download d;

    require(platform_download_save(r.p, a->download, buf, sizeof(buf), &d));
    read_words(d.evidence);
    read_all(d.parts);
    know(&r.downloads, a->download);
}

static void command_changed(const struct platform_action *a)
{
    struct platform_command c;

    know(&r.commands, a->command);
    if (!platform_command_view(r.p, a->command, &c))
        return; /* a newer one has its place */
    read_words(c.evidence);
    read_all(c.answer);
}

static void session_changed(const struct platform_action *a)
{
    struct platform_session s;

    require(platform_session_view(r.p, a->session, &s));
    read_words(s.evidence);
    read_words(s.hint);
    read_all(s.call_id);
}

static void voice_changed(const struct platform_action *a)
{
    struct platform_voice v;

    require(platform_voice_view(r.p, a->session, &v));
    read_words(v.evidence);
    read_all(v.target);
}

static void on_action(const struct platform_action *a)
{
    read_all(a->device);
    read_all(a->channel);
    read_all(a->text);
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        order(a);
        break;
    case PLATFORM_DO_DISCONNECT:
        r.dropped = a->connection;
        break;
    case PLATFORM_DO_FILE_END:
        r.filed = a->download;
        break;
    case PLATFORM_DIALOG_OPENED:
        dialog_opened(a);
        break;
    case PLATFORM_DIALOG_CLOSED:
        dialog_closed(a);
        break;
    case PLATFORM_DEVICE_CHANGED:
        device_changed(a);
        break;
    case PLATFORM_DOWNLOAD_CHANGED:
        download_changed(a);
        break;
    case PLATFORM_COMMAND_CHANGED:
        command_changed(a);
        break;
    case PLATFORM_SESSION_CHANGED:
    case PLATFORM_SESSION_GONE:
        session_changed(a);
        break;
    case PLATFORM_VOICE_CHANGED:
    case PLATFORM_VOICE_GONE:
        voice_changed(a);
        break;
    default:
        break;
    }
}

/* ---- what it sends ---------------------------------------------------------- */

static void keep(struct asked *a, struct slice bytes)
{
    a->n = bytes.n <= sizeof(a->p) ? bytes.n : 0;
    memcpy(a->p, bytes.p, a->n);
}

static void note_nonce(const struct sip_msg *m)
{
    struct sip_challenge c;

    if (m->status == 401 &&
        !sip_challenge_pick(&c, m, SIP_HDR_WWW_AUTHENTICATE))
        slice_copy(r.nonce, sizeof(r.nonce), c.nonce);
}

static void note_sn(struct slice body)
{
    size_t at = slice_find_slice(body, SLICE("<SN>"));
    struct slice rest = slice_from(body, at + 4);

    if (at < body.n)
        slice_u32(slice_head(rest, slice_find(rest, '<')), UINT32_MAX, &r.sn);
}

static void on_output(const struct sip_out *out)
{
    int err = sip_msg_parse(&parsed, out->bytes, SIP_STREAM, NULL);

    require(!err || r.bad); /* what is malformed is echoed */
    if (err)
        return;
    if (!parsed.is_request) {
        keep(&r.told, out->bytes);
        note_nonce(&parsed);
        return;
    }
    if (!gb_addr_eq(&out->peer.remote, &r.device.remote) ||
        parsed.method == SIP_METHOD_ACK)
        return;
    keep(&r.asked[r.n_asked++ % MAX_ASKED], out->bytes);
    note_sn(parsed.body);
}

static void closed(uint64_t connection)
{
    sip_stack_closed(r.sip, connection, r.now.mono_ms);
    platform_closed(r.p, connection, r.now);
}

/* The owner's turn. */
static void turn(void)
{
    struct sip_event ev;
    struct platform_action a;
    struct sip_out out;

    while (sip_stack_event(r.sip, &ev))
        platform_sip(r.p, &ev, r.now);
    while (platform_action(r.p, &a))
        on_action(&a);
    while (sip_stack_output(r.sip, &out))
        on_output(&out);
}

static bool oblige(void);

static void pump(void)
{
    bool more = true;

    for (unsigned n = 0; more; n++) {
        uint64_t filed = r.filed, dropped = r.dropped;

        require(n < MAX_TURNS);
        turn();
        more = r.filed != filed || r.dropped != dropped;
        if (r.filed)
            platform_download_filed(r.p, r.filed, 1000, 0, NULL, r.now);
        if (r.dropped)
            closed(r.dropped);
        more = r.filed || r.dropped || more;
        r.filed = r.dropped = 0;
        if (!r.slow_edge)
            close_streams();
        more = oblige() || more;
    }
    turn();
}

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

    platform_counters(r.p, &c);
    s.devices = platform_device_count(r.p, &s.online);
    s.channels = platform_channel_count(r.p);
    s.alarms = c.alarms;
    s.sessions = c.sessions;
    s.commands = c.commands;
    if (platform_device_view(r.p, SLICE(SAYS_DEVICE), &d)) {
        s.remote = d.peer.remote;
        s.deviations = d.deviations;
    }
    return s;
}

static void input(const struct sip_peer *from, struct slice bytes)
{
    struct sip_peer peer = *from;

    platform_ahead(r.p, &bytes, 1);
    if (!platform_admits(r.p, &peer, bytes, r.now))
        return;
    r.bad = sip_stack_input(r.sip, &peer, bytes, r.now.mono_ms) != 0;
    turn();
    r.bad = false;
}

static bool same(const struct state *a, const struct state *b)
{
    return a->devices == b->devices && a->online == b->online &&
           a->channels == b->channels && a->alarms == b->alarms &&
           a->sessions == b->sessions && a->commands == b->commands &&
           a->deviations == b->deviations &&
           gb_addr_eq(&a->remote, &b->remote);
}

static void heard(bool stranger, struct slice bytes)
{
    struct state before, after;

    if (!stranger) {
        input(&r.device, bytes);
        pump();
        return;
    }
    before = look();
    input(&r.stranger, bytes);
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
    size_t have = r.n_asked < MAX_ASKED ? r.n_asked : MAX_ASKED;
    const struct asked *a;

    if (!have)
        return false;
    a = &r.asked[(r.n_asked - 1 - i % have) % MAX_ASKED];
    return !sip_msg_parse(&request, slice_of(a->p, a->n), SIP_STREAM, NULL);
}

static void answer(unsigned i, unsigned status, unsigned parts, int expires,
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
    r.branch++;
    r.cseq++;
    return (struct says_request){
        .method = method, .from = SAYS_DEVICE, .further = "",
        .type = "Application/MANSCDP+xml", .call = r.branch,
        .branch = r.branch, .cseq = r.cseq,
    };
}

static void message(const char *method, unsigned arg, const uint8_t *v,
                    const char *further, struct slice more)
{
    static char text[8192];
    struct writer w = writer_of(text, sizeof(text));
    struct says_request q = plain(method);

    says_body(&w, arg & 1 ? arg : r.sn, v, more);
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
    char name[32];

    if (slice_find_slice(body, SLICE("<Query>")) == body.n)
        return;
    slice_copy(name, sizeof(name), slice_head(cmd, slice_find(cmd, '<')));
    for (; v[0] < COUNT_OF(sayings); v[0]++)
        if (sayings[v[0]].root[0] == 'R' && !strcmp(sayings[v[0]].cmd, name))
            break;
    if (v[0] < COUNT_OF(sayings))
        message("MESSAGE", 0, v, "", slice_of(NULL, 0));
}

/* What a well-behaved device does with the request that is its turn. */
static void oblige_one(void)
{
    static const uint8_t v[8] = { 0 };
    size_t i = r.n_asked - r.n_obliged;

    if (i >= MAX_ASKED || !asked((unsigned)i))
        return;
    answer((unsigned)i, 200, 0,
           request.method == SIP_METHOD_SUBSCRIBE ? 600 : -1, v,
           slice_of(NULL, 0));
    i = r.n_asked - r.n_obliged; /* more may have come */
    if (i < MAX_ASKED && asked((unsigned)i) &&
        request.method == SIP_METHOD_MESSAGE)
        respond();
}

/* All that it was asked; false: nothing. */
static bool oblige(void)
{
    bool some = false;

    if (!r.obliging)
        return false;
    r.obliging = false; /* one after the other */
    while (r.n_obliged < r.n_asked) {
        some = true;
        r.n_obliged++;
        oblige_one();
    }
    r.obliging = true;
    return some;
}

/* ---- REGISTER ---------------------------------------------------------------- */

static void authorization(struct writer *w, bool right)
{
    struct sip_credentials c = {
        .alg = SIP_DIGEST_MD5, .username = SLICE(SAYS_DEVICE),
        .realm = SLICE(SAYS_REALM), .nonce = slice_str(r.nonce),
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

static void enrol(unsigned arg, const uint8_t *v)
{
    static const char *const expires[] = { "3600", "0", "60", "1", "9999999",
                                           "x" };
    static char further[1024];

    if (arg & REGISTER_MOVED)
        r.device.remote.port++;
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

static void in_call(unsigned arg, const uint8_t *v, struct slice more)
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
static void call(unsigned arg, const uint8_t *v, struct slice more)
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
        !sip_msg_parse(&parsed, slice_of(r.told.p, r.told.n), SIP_STREAM, NULL)) {
        writer_slice_put(&t, parsed.to.text);
        q.to = writer_slice(&t);
        q.cseq = parsed.cseq.number + (q.method[0] == 'B');
    }
    if (!b.err && !t.err)
        send_request(false, &q);
}

/* ---- people ------------------------------------------------------------------- */

static struct slice whose(unsigned n)
{
    return slice_str(says_who(n));
}

static void play(unsigned arg, const uint8_t *v)
{
    struct platform_session s;
    struct platform_live live = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .stream = v[2] % 3,
        .transport = (enum platform_transport)(v[3] % 4),
    };
    struct platform_recording rec = {
        .device = live.device, .channel = live.channel,
        .kind = arg & 1 ? PLATFORM_PLAYBACK : PLATFORM_DOWNLOAD,
        .transport = live.transport, .start_s = UTC_S - 600u * v[4],
        .stop_s = UTC_S - 600u * v[4] + 60u * v[5], .speed = v[2],
    };
    int err = arg & 2 ? platform_playback_start(r.p, &rec, r.now, &s)
                      : platform_live_start(r.p, &live, r.now, &s);

    read_words(s.evidence);
    read_words(s.hint);
    if (err)
        return;
    know(&r.sessions, s.id);
    if (arg & 4)
        platform_session_hold(r.p, s.id, r.now);
}

static void control(unsigned arg, const uint8_t *v)
{
    struct platform_control c = {
        .kind = (enum platform_control_kind)(v[0] % PLATFORM_CONTROLS),
        .position_ms = 1000 * v[1],
        .scale_milli = 250 * ((int)v[2] - 64),
    };
    uint64_t id = pick(&r.sessions, arg >> 4);
    uint32_t number;

    switch (arg & 3) {
    case 0:
        platform_session_stop(r.p, id, r.now);
        break;
    case 1:
        platform_session_control(r.p, id, &c, r.now, &number);
        break;
    case 2:
        platform_session_hold(r.p, id, r.now);
        break;
    default:
        platform_session_release(r.p, id, r.now);
        break;
    }
}

static void command(const uint8_t *v)
{
    static const enum manscdp_cmd cmds[] = {
        MANSCDP_CMD_DEVICE_STATUS, MANSCDP_CMD_DEVICE_INFO,
        MANSCDP_CMD_PRESET_QUERY, MANSCDP_CMD_HOME_POSITION_QUERY,
        MANSCDP_CMD_CRUISE_TRACK_LIST, MANSCDP_CMD_CRUISE_TRACK,
        MANSCDP_CMD_PTZ_POSITION, MANSCDP_CMD_SD_CARD_STATUS,
        MANSCDP_CMD_ALARM, MANSCDP_CMD_MOBILE_POSITION,
        MANSCDP_CMD_CONFIG_DOWNLOAD,
    };
    struct platform_order o = {
        .device = whose(v[0]), .target = whose(v[1]), .root = MANSCDP_QUERY,
        .cmd = cmds[v[2] % COUNT_OF(cmds)], .edition = v[3] % 5,
        .may_repeat = v[4] & 1,
    };
    uint64_t id;

    platform_command_send(r.p, &o, r.now, &id);
}

static void move(unsigned arg, const uint8_t *v)
{
    struct platform_ptz q = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .command = { .op = (enum manscdp_ptz_op)(v[2] % 16),
                     .pan = (int8_t)(v[3] % 3 - 1),
                     .tilt = (int8_t)(v[4] % 3 - 1), .pan_speed = v[5],
                     .preset = v[6], .group = v[6], .value = v[5] },
        .name = v[7] & 1 ? SLICE("name") : slice_of(NULL, 0),
    };
    uint64_t id;

    if (arg & 1)
        platform_ptz(r.p, &q, r.now, &id);
    else
        platform_ptz_stop(r.p, q.device, q.channel, r.now, &id);
}

static void fetch(unsigned arg, const uint8_t *v)
{
    struct platform_download_order o = {
        .device = whose(v[0]), .channel = whose(1u + v[1]),
        .start_s = UTC_S - 60u * v[4],
        .stop_s = UTC_S - 60u * v[4] + 10u * v[5],
        .format = v[2] & 1 ? PLATFORM_FILE_PS : PLATFORM_FILE_MP4,
        .transport = (enum platform_transport)(v[3] % 4), .speed = v[6] % 16,
    };
    struct platform_records_ask q = { .device = o.device, .channel = o.channel,
                                      .start_s = o.start_s,
                                      .stop_s = o.stop_s };
    uint64_t id;

    if (arg & 1)
        platform_download_cancel(r.p, pick(&r.downloads, arg >> 2), r.now);
    else if (arg & 2 && !platform_records_start(r.p, &q, r.now, &id))
        know(&r.records, id);
    else
        platform_download_start(r.p, &o, r.now, &id);
}

/* What the owner of its file says of a download. */
static void saved(unsigned arg, const uint8_t *v)
{
    struct platform_download d;
    struct platform_download_saved s = { .id = pick(&r.downloads, arg >> 2),
                                         .over = v[0] & 1 };

    if (!platform_download_view(r.p, s.id, &d))
        return;
    s.session = d.session;
    s.mark = (struct platform_download_mark){
        .bytes = 1000u * v[1], .at_utc_ms = UTC - 60000 * v[2] + 1000 * v[3],
        .end90k = 90000 * v[3], .key = v[4], .chain = v[4],
    };
    s.err = v[5] % 8 == 1 ? GB_ELIMIT : v[5] % 8 == 2 ? GB_EIO : 0;
    s.text = s.err ? "no space" : NULL;
    platform_download_saved(r.p, &s, r.now);
}

static void speak(unsigned arg, const uint8_t *v)
{
    struct platform_voice out;
    struct platform_voice_wish w = {
        .device = whose(v[0]), .channel = whose(v[1]),
        .mode = (enum platform_voice_mode)(v[2] % PLATFORM_VOICE_MODES),
        .transport = (enum platform_transport)(v[3] % 4),
        .who = SLICE("somebody"), .max_s = v[4], .packet_ms = v[5],
        .whole_ms = 1000u * v[6], .bare = v[7] & 1,
    };

    if (arg & 1)
        platform_voice_stop(r.p, pick(&r.voices, arg >> 2), "stopped", r.now);
    else if (!platform_voice_start(r.p, &w, r.now, &out))
        know(&r.voices, out.id);
}

static void upgrade(unsigned arg, const uint8_t *v)
{
    struct slice session = SLICE(SAYS_SESSION);
    struct platform_upgrade_order o = {
        .device = whose(v[0]), .target = whose(v[1]), .session = session,
        .file = SLICE("f.bin"), .url = SLICE("http://192.168.1.2/f.bin"),
        .version = SLICE("V2"), .manufacturer = SLICE("m"),
    };

    if (arg & 1)
        platform_upgrade_fetched(r.p, session, 1000, arg & 2, r.now);
    else
        platform_upgrade_start(r.p, &o, r.now);
}

static void settle(unsigned arg, const uint8_t *v)
{
    struct platform_settings s = {
        .set = (unsigned)v[1] << 2 | (v[2] & 3),
        .password = v[3] & 1 ? SLICE(PASSWORD) : SLICE("other"),
        .group = v[3] & 2 ? SLICE("g") : slice_of(NULL, 0),
        .name = SLICE("Name"), .date = v[4] % 4, .edition = v[5] % 5,
        .ignore_require = v[3] & 4, .arm = v[3] & 8,
        .subscribe = { { v[6], 60u * v[6], v[6], 600 } },
        .subscribe_kinds = v[7] % 16,
        .media = (enum platform_transport)(v[4] % 4),
    };
    struct slice password = SLICE(PASSWORD);

    switch (arg % 6) {
    case 0:
        platform_device_set(r.p, whose(v[0]), &s, r.now);
        break;
    case 1:
        platform_device_remove(r.p, whose(v[0]), r.now);
        break;
    case 2:
        platform_device_create(r.p, whose(v[0]), &s, r.now);
        break;
    case 3:
        platform_group_set(r.p, SLICE("g"), v[3] & 1 ? &password : NULL, r.now);
        break;
    case 4:
        platform_group_remove(r.p, SLICE("g"), r.now);
        break;
    default:
        platform_group_subscribe(r.p, SLICE("g"), &s.subscribe,
                                 s.subscribe_kinds, r.now);
        break;
    }
}

static void ask_doctor(const uint8_t *v)
{
    static struct doctor_report report;
    struct doctor_question q = { .device = whose(v[0]),
                                 .channel = whose(1u + v[1]),
                                 .stream = v[2] % 2, .can = v[3] };

    platform_doctor(r.p, &q, &report);
    for (size_t i = 0; i < DOCTOR_LINKS; i++) {
        read_words(report.link[i].evidence);
        read_words(report.link[i].hint);
    }
}

static void people(unsigned arg, const uint8_t *v)
{
    uint64_t id;

    switch (arg & 7) {
    case 0:
        play(arg >> 3, v);
        break;
    case 1:
        control(arg >> 3, v);
        break;
    case 2:
        command(v);
        break;
    case 3:
        move(arg >> 3, v);
        break;
    case 4:
        fetch(arg >> 3, v);
        break;
    case 5:
        speak(arg >> 3, v);
        break;
    case 6:
        if (arg & 8)
            saved(arg >> 4, v);
        else
            upgrade(arg >> 4, v);
        break;
    default:
        if (arg & 8)
            platform_command_refresh(r.p, whose(arg >> 4), r.now, &id);
        else
            settle(arg >> 4, v);
        break;
    }
    pump();
}

/* ---- another process ---------------------------------------------------------- */

static bool begin(void)
{
    struct sip_stack_config sc = {
        .alloc = &memory_alloc, .user_agent = "gb28181d", .max_transactions = 48,
        .max_dialogs = 8, .max_subscriptions = 6,
        .obey_retry_after = r.how & 1, .large_bytes = r.how & 2 ? 1300 : 0,
    };
    struct platform_config pc = {
        .alloc = &memory_alloc, .id = SAYS_SERVER, .realm = SAYS_REALM,
        .password = PASSWORD, .auto_enrol = true, .offer_qop = false,
        .timezone_min = 0, .keep_open_ms = r.how & 4 ? 20000 : 0,
        .reset_alarms = r.how & 8, .port_min = 30000, .port_max = 30009,
        .max_devices = 3, .max_channels = 8, .max_sessions = 4,
        .max_pending = 2,
    };

    if (r.how & 16)
        for (size_t i = 0; i < COUNT_OF(pc.subscribe_s); i++)
            pc.subscribe_s[i] = 600;
    sc.seed[0] = pc.seed[0] = ++r.lives;
    if (sip_stack_new(&r.sip, &sc))
        return false;
    pc.sip = r.sip;
    if (!platform_new(&r.p, &pc, r.now))
        return true;
    sip_stack_free(r.sip);
    return false;
}

static void restore_devices(const struct platform *old)
{
    static char buf[PLATFORM_SAVED_MAX];
    struct platform_device d = { .id = { "", 0 } };
    struct platform_settings set;

    while (platform_device_next(old, d.id, &d)) {
        struct platform_saved_device s;

        require(platform_device_save(old, d.id, buf, &d));
        s = (struct platform_saved_device){
            d.id, d.name, d.manufacturer, d.model, d.firmware, d.user_agent,
            d.edition, d.charset, d.peer, d.registered_utc_ms,
            d.expires_utc_ms, d.keepalive_utc_ms, d.history, d.profile,
        };
        require(!platform_restore_device(r.p, &s, r.now));
        if (platform_device_settings(old, d.id, &set))
            require(!platform_restore_settings(r.p, d.id, &set, r.now));
    }
}

static void restore_channels(const struct platform *old)
{
    struct platform_device d = { .id = { "", 0 } };

    while (platform_device_next(old, d.id, &d)) {
        struct platform_channel c = { .id = { "", 0 } };

        while (platform_channel_next(old, d.id, c.id, &c))
            require(!platform_restore_channel(r.p, &c));
    }
}

static void restore_rest(const struct platform *old)
{
    static char buf[PLATFORM_DOWNLOAD_SAVED_MAX];
    struct platform_download d;
    struct platform_upgrade u;

    for (size_t i = 0; platform_upgrade_at(old, i, &u); i++)
        require(!platform_restore_upgrade(r.p, &u, r.now));
    for (size_t i = 0; platform_download_at(old, i, &d); i++)
        if (platform_download_save(old, d.id, buf, sizeof(buf), &d))
            require(!platform_restore_download(r.p, &d, r.now));
    for (size_t i = 0; i < MAX_STORED; i++)
        if (r.stored[i].key)
            require(!platform_restore_dialog(r.p, r.stored[i].key,
                                             &r.stored[i].state,
                                             &r.stored[i].peer, r.now));
}

/* The process is gone without a word; another one starts from what is stored. */
static void restart(void)
{
    struct platform *old = r.p;
    struct sip_stack *old_sip = r.sip;
    struct platform_group g = { .name = { "", 0 } };

    memory.fail_in = 0;
    require(begin());
    while (platform_group_next(old, g.name, &g))
        require(!platform_restore_group(r.p, g.name,
                                        platform_group_password(old, g.name),
                                        &g.subscribe, r.now));
    restore_devices(old);
    restore_channels(old);
    restore_rest(old);
    platform_free(old);
    sip_stack_free(old_sip);
    memset(r.stream, 0, sizeof(r.stream));
    r.filed = r.dropped = 0;
    if (r.device.connection)
        r.device.connection = ++r.connections;
    pump();
}

/* ---- time, trouble ------------------------------------------------------------ */

static void pass(uint64_t ms)
{
    uint64_t until = r.now.mono_ms + ms;

    for (unsigned n = 0;; n++) {
        uint64_t sip = sip_stack_deadline(r.sip);
        uint64_t own = platform_deadline(r.p);
        uint64_t at = sip < own ? sip : own;

        require(n < MAX_ROUNDS);
        if (at > until)
            at = until;
        if (at > r.now.mono_ms) {
            r.now.utc_ms += (int64_t)(at - r.now.mono_ms);
            r.now.mono_ms = at;
        }
        sip_stack_tick(r.sip, r.now.mono_ms);
        platform_tick(r.p, r.now);
        pump();
        close_streams();
        if (at == until && sip_stack_deadline(r.sip) > until &&
            platform_deadline(r.p) > until)
            break;
    }
    turn();
}

static void pass_some(unsigned arg)
{
    static const uint32_t ms[] = { 1,     100,   500,   1000,   4000,   10000,
                                   11000, 16000, 32000, 60000, 130000, 3600000 };

    pass(ms[arg % COUNT_OF(ms)]);
}

static void trouble(unsigned arg, const uint8_t *v)
{
    switch (arg % 10) {
    case 0:
        memory.fail_in = v[0] ? 1u + v[1] : 0;
        break;
    case 1:
        r.refuse_ports = v[0] % 4;
        break;
    case 2:
        r.obliging = v[0] & 1;
        break;
    case 3:
        r.slow_edge = v[0] & 1;
        break;
    case 4:
        if (r.device.connection) {
            closed(r.device.connection);
            r.device.connection = ++r.connections;
        }
        break;
    case 5: /* it goes on over the other one */
        r.device.transport = r.device.connection ? SIP_UDP : SIP_TCP;
        r.device.connection = r.device.connection ? 0 : ++r.connections;
        break;
    case 6:
        r.now.utc_ms += 3600000 * ((int64_t)v[0] - 128);
        break;
    case 7:
        platform_drain(r.p, r.now);
        break;
    case 8:
        restart();
        break;
    default:
        ask_doctor(v);
        break;
    }
    pump();
}

static void media_step(unsigned arg, const uint8_t *v)
{
    static const enum platform_media_kind kinds[] = {
        PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
        PLATFORM_MEDIA_CODEC, PLATFORM_MEDIA_KEY, PLATFORM_MEDIA_SOUND,
        PLATFORM_MEDIA_ALIVE, PLATFORM_MEDIA_WANT_KEY, PLATFORM_MEDIA_ENDED,
        PLATFORM_MEDIA_SAID, PLATFORM_MEDIA_AFTER,
    };
    const struct stream *m = &r.stream[v[7] % MAX_STREAMS];

    if (m->session && !m->closing)
        media(m->session, kinds[arg % COUNT_OF(kinds)], v);
    pump();
}

/* ---- a script ----------------------------------------------------------------- */

static void said(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    static const unsigned status[] = {
        200, 100, 180, 183, 202, 302, 400, 401, 403, 404, 407,
        408, 415, 423, 480, 481, 486, 487, 488, 491, 500, 503, 603, 699,
    };
    static const char *const states[] = {
        "Event: Catalog\r\nSubscription-State: active;expires=600\r\n",
        "Event: presence\r\nSubscription-State: pending\r\n",
        "Event: Catalog\r\nSubscription-State: terminated;reason=timeout\r\n",
        "Event: presence\r\n",
        "Event: PTZPosition\r\nSubscription-State: active;expires=1\r\n",
    };

    if (what == 0)
        answer(arg & 3, status[(arg >> 2) % COUNT_OF(status)], v[4],
               v[5] ? 5 * v[5] : -1, v, more);
    else if (what == 1)
        message("MESSAGE", arg, v, "", more);
    else
        message("NOTIFY", arg | 32, v, states[v[7] / 8 % COUNT_OF(states)],
                more);
}

static void step(unsigned what, unsigned arg, const uint8_t *v,
                 struct slice more)
{
    switch (what % 12) {
    case 0:
    case 1:
    case 2:
        said(what % 12, arg, v, more);
        break;
    case 3:
        heard(arg & 1, more);
        break;
    case 4:
        in_call(arg, v, more);
        break;
    case 5:
        call(arg, v, more);
        break;
    case 6:
        enrol(arg, v);
        break;
    case 7:
        pass_some(arg);
        break;
    case 8:
    case 9:
        people(arg, v);
        break;
    case 10:
        media_step(arg, v);
        break;
    default:
        trouble(arg, v);
        break;
    }
}

/* The device is there, and does as it is told; what it had to be told is. */
static void calm_down(void)
{
    static const uint8_t v[8] = { 0 };

    memory.fail_in = 0;
    r.refuse_ports = 0;
    r.slow_edge = false;
    r.obliging = true;
    r.n_obliged = r.n_asked;
    if (r.device.connection)
        closed(r.device.connection);
    r.device.transport = SIP_UDP;
    r.device.connection = 0;
    pump();
    enrol(0, v);
    pass(60000);
}

/* All is ended, and nothing is left. */
static void end(void)
{
    struct platform_counters c;
    struct platform_device d;
    bool there;

    calm_down();
    there = platform_device_view(r.p, SLICE(SAYS_DEVICE), &d) && d.online &&
            gb_addr_eq(&d.peer.remote, &r.device.remote);
    platform_drain(r.p, r.now);
    pump();
    for (unsigned i = 0; i < 40 && !platform_is_drained(r.p); i++)
        pass(10000);
    require(platform_is_drained(r.p));
    platform_counters(r.p, &c);
    require(!c.sessions && !c.voices && !c.ssrcs_lent && !c.ports_lent);
    for (size_t i = 0; i < MAX_STREAMS; i++)
        require(!r.stream[i].session);
    require(!any_stored() || !there);
    platform_free(r.p);
    sip_stack_free(r.sip);
}

static void script(const uint8_t *p, size_t n)
{
    for (unsigned steps = 0; n >= 3 && steps < MAX_STEPS; steps++) {
        size_t len = p[2] < n - 3 ? p[2] : n - 3;
        size_t numbers = len < 8 ? len : 8;
        uint8_t v[8] = { 0 };

        memcpy(v, p + 3, numbers);
        step(p[0], p[1], v,
             slice_of((const char *)p + 3 + numbers, len - numbers));
        p += 3 + len;
        n -= 3 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t v[8] = { 0 };

    if (size < 3)
        return 0;
    memset(&r, 0, sizeof(r));
    memory_begin(0);
    r.now = (struct gb_time){ 1000, UTC };
    r.device = (struct sip_peer){
        .local = { .family = GB_IPV4, .ip = { 192, 168, 1, 2 }, .port = 5060 },
        .remote = { .family = GB_IPV4, .ip = { 192, 168, 1, 10 },
                    .port = 5060 },
    };
    r.stranger = r.device;
    r.stranger.remote.ip[3] = 66;
    if (data[0] & 128) {
        r.device.transport = SIP_TCP;
        r.device.connection = ++r.connections;
    }
    r.obliging = data[0] & 64;
    r.how = data[0];
    memory.fail_in = data[1];
    if (begin()) {
        memory.fail_in = data[2];
        if (!(data[0] & 32))
            enrol(0, v);
        script(data + 3, size - 3);
        end();
    }
    memory_end();
    return 0;
}
