/* The dialog of a session: offer, answer, what an error means. */
#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/nat.h"
#include "app/platform/outgoing.h"
#include "app/platform/way.h"

#include "base/writer.h"
#include "sip/value.h"

#define TCP_FALLBACK_MS 3000 /* AUTO over UDP without a packet */
#define UDP_FALLBACK_MS 5000 /* AUTO over TCP without a connection */
#define BUSY_MS 500          /* between the BYE and the next INVITE (5.1) */
#define SERVER_ERROR_MS 2000
#define SDP_MAX 1024
#define TOKEN_LEN 16 /* of sip_stack_token */

/* ---- the offer ---- */

enum platform_transport device_transport(const struct device *d)
{
    if (d->media != PLATFORM_AUTO)
        return d->media;
    if (d->learnt != PLATFORM_AUTO)
        return d->learnt;
    return gb_addr_is_private(&d->peer.remote) ? PLATFORM_UDP
                                               : PLATFORM_TCP_PASSIVE;
}

static void make_offer(const struct platform *p, const struct session *s,
                       struct sdp_offer *o)
{
    *o = (struct sdp_offer){
        .operation = s->kind == PLATFORM_LIVE       ? SDP_PLAY
                     : s->kind == PLATFORM_PLAYBACK ? SDP_PLAYBACK
                                                    : SDP_DOWNLOAD,
        .transport = s->transport == PLATFORM_UDP ? SDP_UDP
                     : s->transport == PLATFORM_TCP_ACTIVE
                         ? SDP_TCP_ACTIVE
                         : SDP_TCP_PASSIVE,
        .owner = p->id,
        .addr = platform_media_addr(p, &s->device->peer),
        .ssrc = s->offered_ssrc,
        .minimal = s->minimal,
        .select = SDP_SELECT_NONE,
    };
    o->addr.port = s->port;
    if (s->kind != PLATFORM_LIVE) {
        o->channel = session_channel(s);
        o->start_s = clock_shifted(s->playback.from_s, s->playback.shift_s);
        o->stop_s = clock_shifted(s->playback.told.stop_s, s->playback.shift_s);
        o->downloadspeed = s->playback.told.speed;
    } else if (!s->minimal)
        o->select = sdp_select_make(s->stream,
                                    s->device->edition == MANSCDP_2022);
}

/* A token of the stack, and our address: session_is_our_call_id knows it. */
static void make_call_id(struct platform *p, struct session *s)
{
    struct writer w = writer_of(s->call_id, sizeof(s->call_id));
    struct gb_addr local = s->device->peer.local;
    char token[TOKEN_LEN];

    sip_stack_token(p->sip, token);
    local.port = 0;
    writer_bytes(&w, token, sizeof(token));
    writer_char(&w, '@');
    gb_addr_write(&w, &local);
    s->call_id_len = (uint8_t)w.len;
}

bool session_is_our_call_id(const struct device *d, struct slice call_id)
{
    char text[GB_ADDR_TEXT_MAX];
    struct gb_addr local = d->peer.local;
    struct slice token;

    local.port = 0;
    return slice_cut(&call_id, '@', &token) && token.n == TOKEN_LEN &&
           slice_eq(call_id, slice_str(gb_addr_text(&local, text)));
}

static void not_sent(struct platform *p, struct session *s,
                     const struct sip_peer *to, int err)
{
    if (err == GB_EBUSY)
        session_fail(p, s, PLATFORM_STEP_INVITE,
                     "the device is overloaded: try later",
                     "the device answered 503 and wants to be left alone for "
                     "another %u s (Retry-After)",
                     sip_stack_busy_s(p->sip, to, p->now.mono_ms));
    else
        session_fail(p, s, PLATFORM_STEP_INVITE,
                     "the server is at its limits: see its log",
                     "the INVITE could not be sent: %s", gb_strerror(err));
}

void session_invite(struct platform *p, struct session *s)
{
    char sdp[SDP_MAX], subject[2 * PLATFORM_ID_MAX + 32];
    char y[SSRC_DIGITS + 1];
    struct writer w = writer_of(sdp, sizeof(sdp)),
                  sw = writer_of(subject, sizeof(subject));
    const struct sip_subject to = { session_channel(s),
                                    slice_of(y, SSRC_DIGITS), p->id,
                                    SLICE("0") };
    struct sdp_offer offer;
    struct outgoing o;
    int err = outgoing_init(&o, p, s->device, session_channel(s),
                            SIP_METHOD_INVITE);

    ssrc_text(s->offered_ssrc, y);
    make_offer(p, s, &offer);
    if (gb_addr_is_any(&offer.addr)) {
        session_fail(p, s, PLATFORM_STEP_INVITE,
                     "set media.address to an address of this host that the "
                     "device can reach",
                     "there is no address to tell the device");
        return;
    }
    sdp_offer_write(&w, &offer);
    sip_subject_write(&sw, &to);
    make_call_id(p, s);
    o.r.call_id = slice_of(s->call_id, s->call_id_len);
    o.r.subject = writer_slice(&sw);
    o.r.content_type = SLICE(SIP_TYPE_SDP);
    o.r.body = writer_slice(&w);
    o.r.user = s->handle.id;
    if (!err)
        err = w.err ? w.err : sw.err;
    if (!err)
        err = sip_stack_invite(p->sip, &o.r, p->now.mono_ms, &s->dialog.id);
    if (err) {
        s->dialog.id = 0;
        not_sent(p, s, &o.r.peer, err);
        return;
    }
    s->phase = PHASE_INVITING;
    if (o.r.username.n)
        s->tried |= TRIED_LOGIN;
    s->invited = o.r.peer.remote;
    s->sip_status = 0;
    s->answer_at = p->now.mono_ms + device_answer_ms(p, s->device);
    session_set_step(p, s, PLATFORM_STEP_INVITE);
    session_arm(p, s);
}

/* The NAT in front of a silent device has closed: what it sends next opens it
 * (field-note 2.1). At most until its next keep-alive is overdue, and not
 * longer than somebody wants the picture. */
static void hold(struct platform *p, struct session *s)
{
    struct writer w = writer_of(s->evidence, sizeof(s->evidence));
    char addr[GB_ADDR_TEXT_MAX];
    const struct device *d = s->device;
    uint64_t ms = 1000ull * p->cfg.keepalive_s + PLATFORM_SLACK_MS;

    session_hold(p, s, ms);
    writer_f(&w, "no answer to the INVITE in %.1f s; the device is behind a "
                 "NAT (%s), last heard %.1f s ago: the INVITE is held until "
                 "it sends something, %llu s at most",
             (double)device_answer_ms(p, d) / 1000,
             gb_addr_text(&d->peer.remote, addr),
             (double)(p->now.mono_ms - d->alive_ms) / 1000,
             (unsigned long long)ms / 1000);
    s->evidence_len = (uint16_t)w.len;
    s->hint = "let the device send keep-alives more often, or register over "
              "TCP; sip.keep_open_s keeps its NAT open";
    platform_log(p, PLATFORM_INFO,
                 "msg=\"INVITE held\" session=%llu device=%s peer=%s "
                 "silent_s=%llu",
                 (unsigned long long)s->handle.id, d->id, addr,
                 (unsigned long long)(p->now.mono_ms - d->alive_ms) / 1000);
}

void session_no_answer(struct platform *p, struct session *s)
{
    static const char *const over[] = { [SIP_UDP] = "UDP", [SIP_TCP] = "TCP",
                                        [SIP_TLS] = "TLS" };
    char addr[GB_ADDR_TEXT_MAX];
    const struct device *d = s->device;

    way_silent(p, s->device, &s->invited);
    if (nat_holds(s)) {
        hold(p, s);
        return;
    }
    session_fail(p, s, PLATFORM_STEP_ANSWER,
                 s->packet ? "RTP came although the INVITE was not answered: "
                             "the answers of the device get lost on the way"
                           : "check that the channel exists in the device; a "
                             "restart of the device helps when it is stuck",
                 "no answer to the INVITE in %.1f s%s; it went to %s over %s, "
                 "%s; last sign of life %.1f s ago",
                 (double)device_answer_ms(p, d) / 1000,
                 s->tried & TRIED_HELD
                     ? ", sent again after it was held for the device's NAT"
                     : "",
                 gb_addr_text(&s->invited, addr),
                 over[d->peer.transport],
                 s->sip_status ? "it was only confirmed as received"
                               : "nothing came back",
                 (double)(p->now.mono_ms - d->alive_ms) / 1000);
}

/* ---- the answer ---- */

#define PT_OFFERED_H265 99 /* SVAC where nobody names it */

static void set_hints(struct session *s, const struct sdp_agreed *g)
{
    static const struct {
        struct slice encoding;
        enum ps_codec codec;
    } table[] = {
        { SLICE_INIT("H264"), PS_CODEC_H264 },
        { SLICE_INIT("H265"), PS_CODEC_H265 },
        { SLICE_INIT("HEVC"), PS_CODEC_H265 },
        { SLICE_INIT("MPEG4"), PS_CODEC_MPEG4 },
        { SLICE_INIT("SVAC"), PS_CODEC_SVAC },
        { SLICE_INIT("AAC"), PS_CODEC_AAC },
        { SLICE_INIT("PCMA"), PS_CODEC_G711A },
        { SLICE_INIT("PCMU"), PS_CODEC_G711U },
        { SLICE_INIT("SVACA"), PS_CODEC_SVACA },
    };
    struct slice encoding;
    uint32_t clock_hz;

    s->video_hint = s->audio_hint = PS_CODEC_UNKNOWN;
    if (!g->has_format || sdp_format_codec(&g->format, &encoding, &clock_hz))
        return;
    if (g->format.encoding.n == 0 && g->format.pt == PT_OFFERED_H265)
        encoding = SLICE("H265"); /* as our offer calls it */
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (slice_ieq(encoding, table[i].encoding)) {
            if (ps_codec_is_video(table[i].codec))
                s->video_hint = table[i].codec;
            else
                s->audio_hint = table[i].codec;
        }
}

/* We are to connect. false: the session has gone another way. */
static bool set_connect(struct platform *p, struct session *s,
                        const struct sdp_agreed *g)
{
    const struct gb_addr *sip = &s->device->peer.remote;
    char addr[GB_ADDR_TEXT_MAX];

    s->connect = *sip;
    if (g->has_addr)
        s->connect = g->addr;
    else
        s->connect.port = g->media->port;
    /* an address of its own LAN: nobody answers there (field-note 2.5) */
    if (!gb_addr_is_private(&s->connect) || gb_addr_is_private(sip))
        return true;
    if (!(s->tried & TRIED_TRANSPORT)) {
        s->tried |= TRIED_TRANSPORT;
        session_retry_transport(p, s, PLATFORM_TCP_PASSIVE);
        return false;
    }
    session_fail(p, s, PLATFORM_STEP_CONNECT,
                 "use tcp-passive: the device is behind NAT",
                 "the device wants to be connected at its private address %s",
                 gb_addr_text(&s->connect, addr));
    return false;
}

/* We cannot go on with what was answered: the session has failed, or is asked for
 * anew another way. */
static bool is_of_no_use(struct platform *p, struct session *s,
                         const struct sdp_agreed *g)
{
    if (g->refused) {
        session_fail(p, s, PLATFORM_STEP_ANSWER,
                     "the device takes the call but refuses the stream: try "
                     "another transport or stream",
                     "the device answered 200 with media port 0");
        return true;
    }
    if (g->media->encrypted) {
        session_fail(p, s, PLATFORM_STEP_ANSWER,
                     "turn GB 35114 encryption off in the device",
                     "the device announces encrypted video (a=vkek)");
        return true;
    }
    if (!g->retry_udp)
        return false;
    device_deviation(p, s->device, DEVIATION_PROTO_DIFFERS,
                     session_channel(s));
    if (s->tried & TRIED_TRANSPORT) {
        session_fail(p, s, PLATFORM_STEP_ANSWER, "use udp",
                     "the device answers with UDP where we would connect");
        return true;
    }
    s->tried |= TRIED_TRANSPORT;
    session_retry_transport(p, s, PLATFORM_UDP);
    return true;
}

/* false: the session has gone another way. */
static bool agree(struct platform *p, struct session *s,
                  const struct sip_msg *m)
{
    struct sdp_offer offer;
    struct sdp_agreed g;
    struct sdp answer;
    uint32_t y;

    make_offer(p, s, &offer);
    s->ssrc = s->offered_ssrc;
    s->ssrc_any = true;
    s->either = false;
    s->connect.family = GB_NO_ADDR;
    s->lacks = !m->body.n ? "; its answer has no SDP"
               : sdp_parse(&answer, m->body, NULL)
                   ? "; the SDP of its answer cannot be read"
               : sdp_agree(&g, &offer, &answer)
                   ? "; its answer names no video"
                   : NULL;
    if (s->lacks) {
        device_deviation(p, s->device, DEVIATION_NO_CODEC,
                         slice_from(slice_str(s->lacks), strlen("; ")));
        if (s->transport != PLATFORM_TCP_ACTIVE)
            return true; /* media may come all the same */
        session_fail(p, s, PLATFORM_STEP_ANSWER, "use tcp-passive",
                     "the device answered 200 without saying where to "
                     "connect");
        return false;
    }
    if (is_of_no_use(p, s, &g))
        return false;
    s->either = g.either;
    if (g.either)
        device_deviation(p, s->device, DEVIATION_PROTO_DIFFERS,
                         session_channel(s));
    if (g.ssrc_changed)
        device_deviation(p, s->device, DEVIATION_SSRC_CHANGED,
                         session_channel(s));
    if (g.ssrc_changed && s->shared && session_ssrc_is_taken(p, s, g.ssrc) &&
        session_retry_own_port(p, s))
        return false; /* two devices chose the same one (field-note 7.6) */
    s->ssrc = g.ssrc;
    s->ssrc_any = !sdp_ssrc(&answer, g.media, &y);
    if (!g.has_format) {
        s->lacks = "; its answer names none of the formats that were offered";
        device_deviation(p, s->device, DEVIATION_NO_CODEC,
                         session_channel(s));
    }
    if (g.no_port) {
        s->lacks = "; its answer names media port 0";
        device_deviation(p, s->device, DEVIATION_NO_PORT, session_channel(s));
    }
    set_hints(s, &g);
    s->playback.told.filesize_bytes = g.media->filesize_bytes;
    if (g.has_addr)
        s->connect = g.addr;
    return s->transport != PLATFORM_TCP_ACTIVE || set_connect(p, s, &g);
}

static void on_accepted(struct platform *p, struct session *s,
                        const struct sip_event *ev)
{
    uint64_t now = p->now.mono_ms;

    if (s->phase != PHASE_INVITING && !s->implied)
        return; /* the 200 once more */
    s->implied = false;
    s->answer_at = GB_NEVER;
    s->answered = true;
    s->answered_ms = now;
    s->phase = PHASE_MEDIA;
    if (s->tried & TRIED_HELD)
        platform_log(p, PLATFORM_INFO,
                     "msg=\"held INVITE answered\" session=%llu device=%s",
                     (unsigned long long)s->handle.id, s->device->id);
    s->evidence_len = 0; /* of an INVITE that was held */
    s->hint = NULL;
    device_deviation_sip(p, s->device, ev->msg);
    session_set_step(p, s, PLATFORM_STEP_ANSWER);
    session_news(p, s, NEWS_DIALOG);
    if (!agree(p, s, ev->msg))
        return;
    session_news(p, s, NEWS_ANSWER);
    playback_accepted(p, s);
    s->packet_at = now + p->cfg.media_ms;
    if (s->is_auto && !(s->tried & (TRIED_TCP | TRIED_UDP))) {
        if (s->transport == PLATFORM_UDP)
            s->tcp_at = now + TCP_FALLBACK_MS;
        else if (s->transport == PLATFORM_TCP_PASSIVE &&
                 !s->step_ms[PLATFORM_STEP_CONNECT])
            s->tcp_at = now + UDP_FALLBACK_MS;
    }
    if (s->packet)
        session_began_media(p, s);
    session_arm(p, s);
}

/* ---- the device invites us again, in the dialog ---- */

/* Some refresh their session so, or tell other words for the same. What would
 * change something is refused, and everything stays as it is. */
static bool changes_nothing(const struct session *s, const struct sdp_offer *ours,
                            struct slice body)
{
    struct sdp_agreed g;
    struct sdp theirs;

    if (!body.n)
        return true;
    if (sdp_parse(&theirs, body, NULL) || sdp_agree(&g, ours, &theirs))
        return false;
    return g.media->port && !g.retry_udp && !g.either && g.ssrc == s->ssrc &&
           g.media->direction != SDP_INACTIVE &&
           (s->transport != PLATFORM_TCP_ACTIVE || !g.has_addr ||
            gb_addr_eq(&g.addr, &s->connect));
}

bool session_on_reinvite(struct platform *p, const struct sip_event *ev)
{
    struct session *s = ev->dialog ? session_find(p, ev->user) : NULL;
    struct sip_response r = { .status = 200, .expires = -1,
                              .content_type = SLICE(SIP_TYPE_SDP) };
    char sdp[SDP_MAX];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct sdp_offer ours;
    struct outgoing o; /* for our Contact */

    if (!s || !s->device || s->dialog.id != ev->dialog || s->phase != PHASE_MEDIA)
        return false;
    make_offer(p, s, &ours);
    ours.ssrc = s->ssrc;
    sdp_offer_write(&w, &ours);
    if (w.err || !changes_nothing(s, &ours, ev->msg->body) ||
        outgoing_init(&o, p, s->device, session_channel(s), SIP_METHOD_INVITE))
        return false;
    r.contact = o.r.contact;
    r.body = writer_slice(&w);
    if (sip_stack_respond(p->sip, ev->transaction, &r, p->now.mono_ms))
        return false;
    session_news(p, s, NEWS_DIALOG); /* it may have another Contact */
    return true;
}

void session_implied(struct platform *p, struct session *s)
{
    struct writer w = writer_of(s->evidence, sizeof(s->evidence));

    s->implied = s->answered = true;
    s->answered_ms = p->now.mono_ms;
    s->answer_at = GB_NEVER;
    s->phase = PHASE_MEDIA;
    s->ssrc = s->offered_ssrc;
    s->ssrc_any = false;
    s->connect.family = GB_NO_ADDR;
    writer_f(&w, "no answer to the INVITE has come, but RTP with the SSRC that "
                 "it named: that is taken for one");
    s->evidence_len = (uint16_t)w.len;
    s->hint = "the answers of the device get lost on the way: look for a NAT or "
              "firewall between";
    platform_log(p, PLATFORM_WARN,
                 "msg=\"media are taken for an answer\" session=%llu device=%s "
                 "ssrc=%010u call_id=%.*s",
                 (unsigned long long)s->handle.id, s->device->id,
                 (unsigned)s->ssrc, (int)s->call_id_len, s->call_id);
    session_set_step(p, s, PLATFORM_STEP_ANSWER);
    session_news(p, s, NEWS_ANSWER);
    session_began_media(p, s);
}

/* ---- refusals ---- */

static const char *hint_of(const struct device *d, unsigned status)
{
    if (status < 400) /* only a REGISTER may be sent elsewhere (2022) */
        return "the device sends the call elsewhere, which no platform "
               "follows: let the one that has the channel register here";
    switch (status) {
    case 400:
    case 415:
        return "the device does not understand the offer: update its "
               "firmware, or report its model";
    case 401:
    case 407:
        return outgoing_login_hint(d);
    case 403:
        return "the device forbids it: allow this platform to see the channel";
    case 404:
        return "the device does not know this channel: refresh the catalog";
    case 408:
    case 504:
        return "the device could not reach the camera behind it";
    case 480:
        return "the channel is offline behind its recorder";
    case 486:
    case 600:
        return "the device cannot take more sessions: stop other platforms "
               "or clients that watch it, or restart it";
    case 488:
    case 606:
        return "the device supports neither this transport nor the other";
    case 603:
        return "the device declines: see its own settings and log";
    default:
        return "see the log of the device";
    }
}

static enum platform_transport other_transport(enum platform_transport t)
{
    return t == PLATFORM_TCP_PASSIVE ? PLATFORM_UDP : PLATFORM_TCP_PASSIVE;
}

static bool try_once(struct session *s, unsigned what)
{
    if (s->tried & what)
        return false;
    s->tried |= what;
    return true;
}

/* Some refusals are worth a second INVITE, each kind once. */
static bool try_again(struct platform *p, struct session *s, unsigned status)
{
    if (outgoing_wants_login(s->device, s->tried & TRIED_LOGIN, status)) {
        s->tried |= TRIED_LOGIN;
        session_reinvite(p, s);
    } else if ((status == 400 || status == 415) && try_once(s, TRIED_MINIMAL)) {
        s->minimal = true;
        session_reinvite(p, s);
    } else if (status == 486 && try_once(s, TRIED_BUSY)) {
        dialogs_end(p, s->device);
        session_restart(p, s, BUSY_MS);
    } else if (status == 488 && try_once(s, TRIED_TRANSPORT)) {
        session_retry_transport(p, s, other_transport(s->transport));
    } else if (status == 491 && try_once(s, TRIED_PENDING)) {
        session_restart(p, s, sip_stack_glare_ms(p->sip, true));
    } else if (status >= 500 && status < 600 && try_once(s, TRIED_5XX)) {
        session_restart(p, s, SERVER_ERROR_MS);
    } else {
        return false;
    }
    return true;
}

/* Of the same device, beside this one. */
static unsigned n_recordings(const struct session *s)
{
    const struct list *all = &s->device->sessions, *n;
    unsigned k = 0;

    for (n = all->next; n != all; n = n->next) {
        const struct session *o = container_of((struct list *)(uintptr_t)n,
                                               struct session, in_device);

        k += o != s && o->kind != PLATFORM_LIVE;
    }
    return k;
}

/* What stands in quotes in a Warning or Reason header; empty: nothing. */
static struct slice own_words(const struct sip_msg *m)
{
    struct slice text = sip_msg_value(m, SIP_HDR_WARNING);

    if (!text.n)
        text = sip_msg_value(m, SIP_HDR_REASON); /* RFC 3326 */
    text = slice_from(text, slice_find(text, '"'));
    return text.n > 1 ? slice_head(slice_from(text, 1),
                                   slice_find(slice_from(text, 1), '"'))
                      : slice_of("", 0);
}

/* What happened, and in brackets the device's own words: "Not Acceptable (no
 * more streams)". */
#define REFUSAL_MAX (2 * LOG_TEXT_MAX)

static const char *with_own_words(const char *what, const struct sip_msg *m,
                                  char buf[static REFUSAL_MAX])
{
    struct writer w = writer_of(buf, REFUSAL_MAX - 1);
    struct slice text = m ? own_words(m) : slice_of("", 0);
    char one[LOG_TEXT_MAX];

    writer_str(&w, what);
    if (text.n)
        writer_f(&w, " (%s)", log_text(text, one));
    buf[w.len] = '\0';
    return buf;
}

static const char *refusal_text(const struct sip_msg *m,
                                char buf[static REFUSAL_MAX])
{
    char reason[LOG_TEXT_MAX];

    return with_own_words(log_text(m->reason, reason), m, buf);
}

static void on_refused(struct platform *p, struct session *s,
                       const struct sip_event *ev)
{
    char reason[REFUSAL_MAX];
    double after = (double)(p->now.mono_ms - s->begun_ms) / 1000;
    bool heard = s->sip_status > 0; /* a provisional answer */

    s->answer_at = GB_NEVER;
    session_end_dialog(p, s);
    s->sip_status = ev->status;
    if (ev->kind == SIP_EV_FAILED && ev->status == 503) {
        /* the device may have come back on another one meanwhile */
        if (s->device->online && way_is_another(s->device, &ev->peer) &&
            try_once(s, TRIED_WAY)) {
            session_reinvite(p, s);
            return;
        }
        session_fail(p, s,
                     heard ? PLATFORM_STEP_ANSWER : PLATFORM_STEP_INVITE,
                     "the way to the device is gone: wait until it registers "
                     "again",
                     heard ? "the connection to the device was lost before it "
                             "answered the INVITE"
                           : "the INVITE could not be sent to the device");
        return;
    }
    if (ev->kind == SIP_EV_FAILED) {
        session_no_answer(p, s);
        return;
    }
    if (try_again(p, s, ev->status))
        return;
    if (ev->status == 404 || ev->status == 403)
        query_want(p, s->device, QUERY_CATALOG, query_jitter(p));
    if (s->kind != PLATFORM_LIVE && (ev->status == 486 || ev->status == 600)) {
        session_fail(p, s, PLATFORM_STEP_ANSWER,
                     "the device sends no more recordings at one time: stop "
                     "another one, or wait for its end",
                     "the device answered the INVITE with %u %s after %.1f s; "
                     "%u other recordings of it are open here",
                     ev->status, refusal_text(ev->msg, reason), after,
                     n_recordings(s));
        return;
    }
    session_fail(p, s, PLATFORM_STEP_ANSWER,
                 s->kind != PLATFORM_LIVE && ev->status == 404
                     ? "nothing may be recorded in this time: ask the device "
                       "what it holds (RecordInfo)"
                     : hint_of(s->device, ev->status),
                 "the device answered the INVITE with %u %s after %.1f s",
                 ev->status, refusal_text(ev->msg, reason), after);
}

static void on_ended(struct platform *p, struct session *s,
                     const struct sip_event *ev)
{
    const char *what = "the device ended it with a BYE";
    char bye[REFUSAL_MAX];

    if (ev->status == 481)
        what = "the device does not know the dialog any more";
    else if (ev->status != 200)
        what = "the dialog was lost";
    if (ev->status == 200 || ev->status == 503) {
        s->dialog.id = 0; /* over: nothing to end */
        session_news(p, s, NEWS_DIALOG);
    } /* else a BYE follows when the session ends: media may go on */
    if (!playback_hung_up(p, s, what)) /* it keeps the text */
        session_ended_by_device(p, s, with_own_words(what, ev->msg, bye));
}

void session_on_sip(struct platform *p, struct session *s,
                    const struct sip_event *ev)
{
    if (!s->dialog.id || ev->dialog != s->dialog.id || !s->device)
        return; /* of an earlier dialog of this session */
    if (ev->kind == SIP_EV_RESPONSE) {
        s->device->alive_ms = p->now.mono_ms;
        way_note(p, s->device, ev);
    }
    if (playback_on_sip(p, s, ev) || ev->kind == SIP_EV_ACKED ||
        ev->kind == SIP_EV_CANCELLED) /* of an INVITE of the device */
        return;
    if (ev->kind == SIP_EV_ENDED)
        on_ended(p, s, ev);
    else if (s->phase != PHASE_INVITING && s->phase != PHASE_MEDIA)
        return;
    else if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        s->sip_status = ev->status;
    else if (ev->kind == SIP_EV_RESPONSE && ev->status < 300) {
        s->sip_status = ev->status;
        on_accepted(p, s, ev);
    } else if (s->phase == PHASE_INVITING)
        on_refused(p, s, ev);
    else if (s->implied) /* there is no dialog, and media go on */
        session_end_dialog(p, s);
}
