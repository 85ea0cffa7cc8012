#include "app/replay.h"

#include "app/pairing.h"
#include "app/recording.h"
#include "app/replay_media.h"
#include "app/rewrite.h"
#include "base/writer.h"
#include "sip/digest.h"
#include "sip/frame.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_MAX (1u << 30)
#define TAIL_MS 1000        /* time that is given after the last message */
#define REWRITE_MAX (SIP_FRAME_MAX + 4096)
#define GOOD "replay"       /* the password of this run */
#define BAD "not the password"

struct replay {
    const struct replay_options *o;
    struct replay_result n;
    struct sip_stack *sip;
    struct platform *p;
    struct gb_time now;
    struct recording rec;
    struct pairing pairs;
    struct replay_media media;
    struct {                      /* the last line about a session */
        uint64_t session;
        enum platform_session_state state;
        enum platform_step step;
    } told;
    struct recorded *current;     /* being fed */
    bool open;                    /* its line waits for our answer */
    char nonce[512];              /* the value of our last challenge */
    bool probing;                 /* only the challenge is wanted */
    char realm[64];
    struct slice our_id;
    char *scratch;                /* REWRITE_MAX */
};

/* ---- printing ---- */

static void compare(struct replay *r, struct recorded *m);

/* Begins a line; one that is open is ended first. */
static void stamp(struct replay *r)
{
    if (r->open)
        compare(r, r->current);
    int64_t ms = r->now.utc_ms - r->rec.m[0].utc_ms;

    fprintf(r->o->out, "%+lld.%03lld ", (long long)(ms / 1000),
            (long long)(ms < 0 ? -ms : ms) % 1000);
}

static void put_plain(FILE *f, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        fputc((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i],
              f);
}

static struct slice party_of(const struct replay *r,
                             const struct trace_glance *g)
{
    return slice_eq(g->from_user, r->our_id) ? g->to_user : g->from_user;
}

/* "in  MESSAGE Keepalive 3402… udp 192.0.2.10:5060" */
static void put_message(struct replay *r, bool in, struct slice bytes,
                        const struct trace_glance *g,
                        const struct sip_peer *peer)
{
    FILE *f = r->o->out;
    struct slice cmd = trace_element(trace_body(bytes), SLICE("CmdType"));
    char addr[GB_ADDR_TEXT_MAX];

    stamp(r);
    fputs(in ? "in  " : "out ", f);
    if (g->status)
        fprintf(f, "%u ", g->status);
    put_plain(f, g->method_name.n ? slice_head(g->method_name, 32)
                                  : SLICE("(no SIP)"));
    if (cmd.n) {
        fputc(' ', f);
        put_plain(f, slice_head(cmd, 40));
    }
    fputc(' ', f);
    put_plain(f, slice_head(party_of(r, g), 32));
    fprintf(f, " %s %s: ",
            peer->transport == SIP_UDP ? "udp" : "tcp",
            gb_addr_text(&peer->remote, addr));
}

/* ---- rewriting ---- */

/* Into the scratch; the result lives until the next call. */
static struct slice rewrite(struct replay *r, struct slice bytes,
                            const struct rewrite *x)
{
    struct writer w = writer_of(r->scratch, REWRITE_MAX);

    rewrite_message(&w, bytes, x);
    return w.err ? bytes : writer_slice(&w);
}

/* ---- what we send ---- */

static void request_out(struct replay *r, const struct sip_out *out,
                        const struct trace_glance *g)
{
    struct recorded *m;

    if (g->method == SIP_METHOD_ACK || pairing_is_known(&r->pairs, g->branch))
        return;
    m = pairing_of(&r->pairs, out->bytes, g, r->now.utc_ms);
    put_message(r, false, out->bytes, g, &out->peer);
    fprintf(r->o->out, "%s\n", m ? "was sent" : "was not sent");
    if (m && !pairing_join(m, out->bytes, g)) /* what is held: feed_held */
        r->rec.no_memory = true;
}

/* ---- answers of ours ---- */

static void compare(struct replay *r, struct recorded *m)
{
    unsigned was = m->answer ? m->answer->g.status : 0;
    FILE *f = r->o->out;

    r->open = false;
    if (m->g.method == SIP_METHOD_ACK) { /* has no answer */
        fputs("taken\n", f);
        return;
    }
    if (m->ours)
        fprintf(f, "%u", m->ours);
    else
        fputs("no answer", f);
    if (was == 0) {
        r->n.unanswered++;
        fputs(", nothing recorded\n", f);
    } else if (was == m->ours) {
        r->n.same++;
        fputs(", as recorded\n", f);
    } else {
        r->n.differ++;
        fprintf(f, ", DIFFERS: recorded %u\n", was);
    }
}

static void response_out(struct replay *r, const struct sip_out *out,
                         const struct trace_glance *g)
{
    struct recorded *m = r->current;

    if (g->status == 401)
        slice_copy(r->nonce, sizeof(r->nonce),
                   trace_header(out->bytes, SLICE("WWW-Authenticate")));
    if (r->probing || g->status < 200)
        return;
    if (m && slice_eq(g->method_name, m->g.method_name) &&
        g->cseq == m->g.cseq)
        m->ours = g->status;
}

static void output(struct replay *r, const struct sip_out *out)
{
    struct trace_glance g;

    if (!trace_glance(&g, out->bytes))
        return;
    if (g.status)
        response_out(r, out, &g);
    else if (!r->probing)
        request_out(r, out, &g);
}

/* ---- the platform's turn ---- */

static void tell_device(struct replay *r, const struct platform_action *a)
{
    struct platform_device d;

    if (!(a->flags & PLATFORM_CHANGED_STATE) ||
        !platform_device_view(r->p, a->device, &d))
        return;
    stamp(r);
    fprintf(r->o->out, "    device %.*s %s: %.*s\n", SLICE_ARG(d.id),
            d.online ? "online" : "offline", SLICE_ARG(d.state_reason));
}

static void tell_session(struct replay *r, uint64_t id)
{
    struct platform_session s;

    if (!platform_session_view(r->p, id, &s) ||
        (r->told.session == id && r->told.state == s.state &&
         r->told.step == s.step))
        return;
    r->told.session = id;
    r->told.state = s.state;
    r->told.step = s.step;
    stamp(r);
    fprintf(r->o->out, "    session %.*s %s at step %s", SLICE_ARG(s.channel),
            s.state == PLATFORM_STARTING  ? "starting"
            : s.state == PLATFORM_PLAYING ? "playing"
            : s.state == PLATFORM_FAILED  ? "failed" : "stopping",
            platform_step_name(s.step));
    if (s.evidence.n) {
        fputs(": ", r->o->out);
        put_plain(r->o->out, s.evidence);
    }
    fputc('\n', r->o->out);
}

static void action(struct replay *r, const struct platform_action *a)
{
    static const char *const levels[] = { "error", "warn", "info", "debug" };

    switch (a->kind) {
    case PLATFORM_DEVICE_CHANGED:
        tell_device(r, a);
        break;
    case PLATFORM_CATALOG_DONE:
        stamp(r);
        fprintf(r->o->out, "    catalog of %.*s %s, %zu channels in all\n",
                SLICE_ARG(a->device),
                a->flags & PLATFORM_CATALOG_PARTIAL ? "in part" : "complete",
                platform_channel_count(r->p));
        break;
    case PLATFORM_SESSION_CHANGED:
        tell_session(r, a->session);
        break;
    case PLATFORM_ALARM:
        stamp(r);
        fprintf(r->o->out, "    alarm of %.*s\n", SLICE_ARG(a->alarm->device));
        break;
    case PLATFORM_LOG:
        stamp(r);
        fprintf(r->o->out, "    %s ", levels[a->level]);
        put_plain(r->o->out, a->text);
        fputc('\n', r->o->out);
        break;
    default:
        if (!replay_media_order(&r->media, r->p, a, r->now))
            r->rec.no_memory = true;
        break;
    }
}

/* Until nobody has anything to say. */
static void pump(struct replay *r)
{
    struct platform_action a;
    struct sip_event ev;
    struct sip_out out;
    bool any = true;

    while (any) {
        any = false;
        while (sip_stack_event(r->sip, &ev)) {
            platform_sip(r->p, &ev, r->now);
            any = true;
        }
        while (sip_stack_output(r->sip, &out)) {
            output(r, &out);
            any = true;
        }
        while (!r->probing && platform_action(r->p, &a)) {
            action(r, &a);
            any = true;
        }
    }
}

static uint64_t deadline(const struct replay *r)
{
    uint64_t at = sip_stack_deadline(r->sip), p = platform_deadline(r->p);
    uint64_t m = replay_media_deadline(&r->media);

    at = p < at ? p : at;
    return m < at ? m : at;
}

static void step(struct replay *r, uint64_t at_ms)
{
    if (at_ms > r->now.mono_ms) {
        r->now.utc_ms += (int64_t)(at_ms - r->now.mono_ms);
        r->now.mono_ms = at_ms;
    }
    sip_stack_tick(r->sip, r->now.mono_ms);
    if (platform_deadline(r->p) <= r->now.mono_ms)
        platform_tick(r->p, r->now);
    replay_media_step(&r->media, r->p, r->now);
    pump(r);
}

static void feed(struct replay *r, struct recorded *m);
static void feed_held(struct replay *r);

static void advance(struct replay *r, uint64_t to_ms)
{
    uint64_t at;

    while ((at = deadline(r)) <= to_ms) {
        step(r, at);
        feed_held(r);
    }
    r->now.utc_ms += (int64_t)(to_ms - r->now.mono_ms);
    r->now.mono_ms = to_ms;
}

/* ---- feeding ---- */

static void input(struct replay *r, const struct recorded *m,
                  struct slice bytes)
{
    struct sip_peer from = m->peer;

    if (platform_admits(r->p, &from, bytes, r->now))
        sip_stack_input(r->sip, &from, bytes, r->now.mono_ms);
    pump(r);
}

/* Asks for a challenge by the same REGISTER without credentials. */
static void probe(struct replay *r, struct recorded *m)
{
    char branch[64], via[320];
    struct writer b = writer_of(branch, sizeof(branch));
    struct writer v = writer_of(via, sizeof(via));
    struct rewrite x = { .drop_authorization = true };
    struct slice old = trace_header(m->bytes, SLICE("Via")), tag = m->g.branch;

    writer_f(&b, "z9hG4bKprobe%zu", (size_t)(m - r->rec.m));
    if (tag.n && old.n && tag.p >= old.p && tag.p < old.p + old.n) {
        rewrite_part(&v, old, tag, writer_slice(&b));
        x.via = v.err ? old : writer_slice(&v);
    }
    r->nonce[0] = '\0';
    r->probing = true;
    input(r, m, rewrite(r, m->bytes, &x));
    r->probing = false;
}

/* A REGISTER as the device would have written it for our nonce. */
static struct slice sign(struct replay *r, struct recorded *m, bool right)
{
    char text[1024], user[64], uri[256];
    struct writer w = writer_of(text, sizeof(text));
    struct sip_credentials c;
    struct sip_challenge ch;
    struct rewrite x = { .drop_authorization = true };
    struct sip_answer a = { .password = right ? SLICE(GOOD) : SLICE(BAD),
                            .method = SLICE("REGISTER"),
                            .cnonce = SLICE("0a4f113b"), .nc = 1 };

    if (sip_credentials_parse(&c, trace_header(m->bytes,
                                               SLICE("Authorization"))))
        return m->bytes;
    probe(r, m);
    if (sip_challenge_parse(&ch, slice_str(r->nonce)))
        return m->bytes;
    slice_copy(user, sizeof(user), c.username);
    slice_copy(uri, sizeof(uri), c.uri);
    a.username = slice_str(user);
    a.uri = slice_str(uri);
    if (sip_answer_write(&w, &ch, &a))
        return m->bytes;
    x.authorization = writer_slice(&w);
    return rewrite(r, m->bytes, &x);
}

static struct slice to_our_words(struct replay *r, struct recorded *m,
                                 const struct recorded *dialog,
                                 const struct recorded *query)
{
    unsigned was = m->answer ? m->answer->g.status : 0;
    struct trace_glance g;
    struct rewrite x = { 0 };

    if (m->g.method == SIP_METHOD_REGISTER)
        return trace_header(m->bytes, SLICE("Authorization")).n &&
                       (was == 200 || was == 403)
                   ? sign(r, m, was == 200) : m->bytes;
    if (query) {
        x.sn = trace_element(trace_body(slice_of(query->sent, query->sent_n)),
                             SLICE("SN"));
        return rewrite(r, m->bytes, &x);
    }
    if (!dialog)
        return m->bytes;
    trace_glance(&g, slice_of(dialog->sent, dialog->sent_n));
    x.call_id = g.call_id;
    x.to_tag = trace_param(g.from, SLICE("tag"));
    return rewrite(r, m->bytes, &x);
}

static void feed_request(struct replay *r, struct recorded *m)
{
    struct recorded *dialog = pairing_sent(&r->pairs, m->g.call_id, 0, true);
    struct recorded *query = pairing_query(&r->pairs, m);
    struct slice bytes;

    if (query && !query->paired) {
        pairing_hold(&r->pairs, query, m);
        return;
    }
    bytes = to_our_words(r, m, dialog, query);
    r->n.requests++;
    put_message(r, true, m->bytes, &m->g, &m->peer);
    r->current = m;
    r->open = true; /* the answer comes before what follows from it */
    input(r, m, bytes);
    if (r->open)
        compare(r, m);
    r->current = NULL;
}

static void feed_response(struct replay *r, struct recorded *m)
{
    struct recorded *q = pairing_sent(&r->pairs, m->g.call_id, m->g.cseq, true);
    struct trace_glance g;
    struct rewrite x = { 0 };
    char cseq[48];
    struct writer w = writer_of(cseq, sizeof(cseq));
    struct slice sent;

    if (!q) {
        q = pairing_sent(&r->pairs, m->g.call_id, m->g.cseq, false);
        if (q && pairing_may_come(q, m->utc_ms)) {
            pairing_hold(&r->pairs, q, m);
            return;
        }
        put_message(r, true, m->bytes, &m->g, &m->peer);
        fputs("to a request that is not made now\n", r->o->out);
        return;
    }
    sent = slice_of(q->sent, q->sent_n);
    trace_glance(&g, sent);
    writer_f(&w, "%u ", g.cseq);
    writer_slice_put(&w, g.method_name);
    x.via = trace_header(sent, SLICE("Via"));
    x.from = g.from;
    x.call_id = g.call_id;
    x.cseq = writer_slice(&w);
    if (q->g.method == SIP_METHOD_INVITE &&
        slice_eq(rewrite_ssrc_of(trace_body(m->bytes)),
                 rewrite_ssrc_of(trace_body(q->bytes))))
        x.ssrc = rewrite_ssrc_of(trace_body(sent));
    put_message(r, true, m->bytes, &m->g, &m->peer);
    fputs("taken\n", r->o->out);
    input(r, m, rewrite(r, m->bytes, &x));
}

static bool device_at(struct replay *r, const struct gb_addr *remote,
                      struct platform_device *d)
{
    char after[PLATFORM_ID_MAX] = "";

    while (platform_device_next(r->p, slice_str(after), d)) {
        if (gb_addr_eq(&d->peer.remote, remote))
            return true;
        slice_copy(after, sizeof(after), d->id);
    }
    return false;
}

/* A user wanted this picture. */
static void start_live(struct replay *r, struct recorded *m)
{
    struct slice body = trace_body(m->bytes), device;
    struct platform_session s;
    struct platform_device d;
    struct platform_live live = { .channel = m->g.to_user };
    int err;

    if (platform_channel_owner(r->p, m->g.to_user, &device))
        live.device = device;
    else if (device_at(r, &m->peer.remote, &d))
        live.device = d.id;
    live.transport =
        slice_find_slice(body, SLICE("TCP/RTP/AVP")) == body.n ? PLATFORM_UDP
        : slice_find_slice(body, SLICE("setup:active")) == body.n
            ? PLATFORM_TCP_PASSIVE : PLATFORM_TCP_ACTIVE;
    err = platform_live_start(r->p, &live, r->now, &s);
    stamp(r);
    fprintf(r->o->out, "    live %.*s is asked for", SLICE_ARG(m->g.to_user));
    if (err) {
        fprintf(r->o->out, ": %s", gb_strerror(err));
    } else {
        platform_session_hold(r->p, s.id, r->now);
        m->session = s.id;
    }
    fputc('\n', r->o->out);
    pump(r);
}

/* A user stopped it, or the last one went. */
static void stop_live(struct replay *r, const struct recorded *m)
{
    struct recorded *invite = pairing_sent(&r->pairs, m->g.call_id, 0, true);

    if (!invite || !invite->session)
        return;
    stamp(r);
    fprintf(r->o->out, "    live %.*s is stopped\n",
            SLICE_ARG(invite->g.to_user));
    platform_session_stop(r->p, invite->session, r->now);
    invite->session = 0;
    pump(r);
}

/* A request that the recorded platform made: by itself, or for a user. */
static void recorded_request(struct replay *r, struct recorded *m)
{
    if (m->paired)
        return;
    if (m->g.method == SIP_METHOD_INVITE)
        start_live(r, m);
    else if (m->g.method == SIP_METHOD_BYE ||
             m->g.method == SIP_METHOD_CANCEL)
        stop_live(r, m);
}

static void feed(struct replay *r, struct recorded *m)
{
    if (m->closed) {
        sip_stack_closed(r->sip, m->peer.connection, r->now.mono_ms);
        platform_closed(r->p, m->peer.connection, r->now);
        pump(r);
    } else if (!m->in) {
        if (!m->g.status)
            recorded_request(r, m);
    } else if (m->g.status) {
        feed_response(r, m);
    } else {
        feed_request(r, m);
    }
}

/* What waited for a request of ours that has been sent since. */
static void feed_held(struct replay *r)
{
    struct recorded *m;
    size_t from = 0;

    while ((m = pairing_next(&r->pairs, &from)))
        feed(r, m);
}

/* ---- the run ---- */

/* Devices that speak before they register, and were answered 200: the
 * recorded platform knew them. */
static void restore(struct replay *r)
{
    for (size_t i = 0; i < r->rec.n; i++) {
        const struct recorded *m = &r->rec.m[i];
        struct platform_saved_device d = {
            .id = m->g.from_user, .edition = SLICE("2.0"), .peer = m->peer,
            .registered_utc_ms = r->now.utc_ms,
            .expires_utc_ms = r->now.utc_ms + 86400000,
        };
        bool first = true;

        if (!m->in || m->closed || m->g.status || !m->answer ||
            m->answer->g.status != 200 || slice_eq(m->g.from_user, r->our_id))
            continue;
        for (size_t k = 0; first && k < i; k++)
            first = !r->rec.m[k].in || r->rec.m[k].g.status ||
                    r->rec.m[k].closed ||
                    !slice_eq(r->rec.m[k].g.from_user, m->g.from_user);
        if (!first || m->g.method != SIP_METHOD_MESSAGE ||
            platform_restore_device(r->p, &d, r->now))
            continue;
        fprintf(r->o->out, "assumed: %.*s had registered before\n",
                SLICE_ARG(d.id));
    }
}

static int start(struct replay *r)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "gb28181d" };
    struct platform_config pc = r->o->platform;
    int err;

    memset(sc.seed, 1, sizeof(sc.seed)); /* the same run each time */
    memset(pc.seed, 2, sizeof(pc.seed));
    err = sip_stack_new(&r->sip, &sc);
    if (err)
        return err;
    pc.alloc = &gb_alloc_heap;
    pc.sip = r->sip;
    pc.id = r->rec.id;
    pc.realm = r->realm;
    pc.password = GOOD;
    r->now = (struct gb_time){ 1000000, r->rec.m[0].utc_ms };
    return platform_new(&r->p, &pc, r->now);
}

static void run(struct replay *r)
{
    int64_t begin = r->rec.m[0].utc_ms;
    uint64_t base = r->now.mono_ms;

    restore(r);
    for (size_t i = 0; i < r->rec.n; i++) {
        struct recorded *m = &r->rec.m[i];
        int64_t after = m->utc_ms > begin ? m->utc_ms - begin : 0;

        if (base + (uint64_t)after > r->now.mono_ms)
            advance(r, base + (uint64_t)after);
        feed_held(r);
        feed(r, m);
        feed_held(r);
    }
    advance(r, r->now.mono_ms + TAIL_MS);
}

static void summary(struct replay *r)
{
    FILE *f = r->o->out;
    fprintf(f, "%zu messages, %zu requests of devices: %zu answered as "
               "recorded, %zu differ, %zu without a recorded answer\n",
            r->n.messages, r->n.requests, r->n.same, r->n.differ,
            r->n.unanswered);
    if (r->pairs.n_held || r->rec.cut || r->rec.gaps)
        fprintf(f, "not fed: %zu to requests that were not made now, %zu cut "
                   "short in the file; %zu gaps in TCP streams\n",
                r->pairs.n_held, r->rec.cut, r->rec.gaps);
}

static void done(struct replay *r)
{
    platform_free(r->p);
    sip_stack_free(r->sip);
    recording_free(&r->rec);
    replay_media_free(&r->media);
    free(r->scratch);
}

int replay_run(const struct replay_options *o, struct slice file,
               struct replay_result *result, char why[static 256])
{
    struct replay r = { .o = o, .pairs = { .rec = &r.rec },
                        .scratch = malloc(REWRITE_MAX) };
    int err = recording_read(&r.rec, o->platform.id, file);

    if (!r.scratch)
        err = GB_ENOMEM;
    r.our_id = slice_str(r.rec.id);
    slice_copy(r.realm, sizeof(r.realm),
               o->platform.realm && *o->platform.realm
                   ? slice_str(o->platform.realm) : slice_head(r.our_id, 10));
    if (!err) {
        for (size_t i = 0; i < r.rec.n; i++)
            r.n.messages += !r.rec.m[i].closed;
        err = start(&r);
    }
    if (!err) {
        fprintf(o->out, "platform %s; credentials are signed anew, media is "
                        "assumed to come\n", r.rec.id);
        run(&r);
        summary(&r);
        err = r.rec.no_memory ? GB_ENOMEM : 0;
    }
    if (err)
        snprintf(why, 256, "%s", err == GB_ESYNTAX
                                     ? "no pcapng or pcap with SIP in it"
                                     : gb_strerror(err));
    if (result)
        *result = r.n;
    done(&r);
    return err;
}

int replay_file(const struct replay_options *o, const char *path,
                char why[static 256])
{
    bool standard = slice_eq(slice_str(path), SLICE("-"));
    FILE *f = standard ? stdin : fopen(path, "rb");
    size_t most = o->max_bytes ? o->max_bytes : FILE_MAX;
    size_t cap = 1 << 20, n = 0, got = 0;
    char *p = malloc(cap);
    int err = 0;

    if (!f) {
        snprintf(why, 256, "%s", strerror(errno));
        free(p);
        return GB_EIO;
    }
    while (p && n < most && (got = fread(p + n, 1, cap - n, f)) > 0) {
        n += got;
        if (n == cap) {
            char *q = realloc(p, cap *= 2);

            if (!q)
                free(p);
            p = q;
        }
    }
    if (!p || ferror(f)) {
        snprintf(why, 256, "%s", p ? strerror(errno) : "no memory");
        err = GB_EIO;
    }
    if (!err && n >= most) {
        snprintf(why, 256, "%zu bytes or more: cut it into pieces", most);
        err = GB_ELIMIT;
    }
    if (!standard)
        fclose(f);
    if (!err)
        err = replay_run(o, slice_of(p, n), NULL, why);
    free(p);
    return err;
}
