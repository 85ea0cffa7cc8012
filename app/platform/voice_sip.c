/* Voices: the Broadcast and what comes of it, the device's INVITE, and ours of
 * a talk (GB/T 28181-2022 9.12, Annex A.2.5; Talk: GB/T 28181-2016). */
#include "app/platform/voice_int.h"

#include "app/platform/outgoing.h"
#include "app/platform/registrar.h"
#include "app/platform/way.h"
#include "base/writer.h"
#include "manscdp/media.h"
#include "sip/value.h"

#define SDP_MAX 1024

/* ---- whom to ask ---- */

static bool is_output(struct slice id)
{
    return manscdp_devid_type(id) == MANSCDP_TYPE_AUDIO_OUT;
}

/* A microphone, or what reports alarms: nothing can be played there. */
static bool is_input(struct slice id)
{
    unsigned type = manscdp_devid_type(id);

    return type == MANSCDP_TYPE_AUDIO_IN || type == MANSCDP_TYPE_ALARM_IN;
}

/* The voice output below the channel; empty: the catalog lists none. */
static struct slice output_of(const struct device *d, struct slice channel)
{
    for (size_t i = 0; i < d->n_channels; i++) {
        struct slice id = channel_text(d->channels[i], CHANNEL_ID);

        if (is_output(id) &&
            slice_eq(channel_text(d->channels[i], CHANNEL_PARENT), channel))
            return id;
    }
    return SLICE("");
}

/* A device that has such an id itself may have a loudspeaker all the same, as
 * emergency call points do. */
bool voice_is_for_input(const struct device *d, struct slice channel)
{
    return is_input(channel) && !slice_eq(channel, device_id(d)) &&
           !output_of(d, channel).n;
}

static struct slice target_id(const struct voice_call *v, unsigned kind)
{
    struct slice channel = slice_of(v->channel, v->channel_len);

    switch ((enum voice_target)kind) {
    case VOICE_TARGET_OUTPUT:
        return is_output(channel) ? SLICE("") : output_of(v->device, channel);
    case VOICE_TARGET_CHANNEL:
        return is_input(channel) && !slice_eq(channel, device_id(v->device))
                   ? SLICE("")
                   : channel;
    case VOICE_TARGET_DEVICE:
        return slice_eq(channel, device_id(v->device)) ? SLICE("")
                                                       : device_id(v->device);
    case VOICE_TARGETS:
        break;
    }
    return SLICE("");
}

/* The next one that has not been tried; what worked last goes first. */
static bool next_target(struct voice_call *v)
{
    const struct rare *r = device_rare(v->device);
    unsigned first = r->voice_mode == PLATFORM_VOICE_BROADCAST
                         ? r->voice_target : VOICE_TARGET_OUTPUT;

    for (unsigned k = 0; k < VOICE_TARGETS + 1u; k++) {
        unsigned kind = k == 0 ? first : k - 1;
        struct slice id;

        if (v->targets[kind])
            continue;
        v->targets[kind] = true;
        id = target_id(v, kind);
        if (!id.n || id.n > sizeof(v->target))
            continue;
        memcpy(v->target, id.p, id.n);
        v->target_len = (uint8_t)id.n;
        v->target_kind = (uint8_t)kind;
        return true;
    }
    return false;
}

/* ---- Broadcast ---- */

static int send_broadcast(struct platform *p, struct voice_call *v)
{
    const struct manscdp_dialect dialect = device_dialect(v->device);
    const struct manscdp_broadcast in = {
        .head.sn = v->sn,
        .source_id = p->id,
        .target_id = slice_of(v->target, v->target_len),
    };
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    int err = manscdp_broadcast_encode(&w, &dialect, &in);

    if (err == GB_EUNSUPPORTED) { /* of 2011: it may know it all the same */
        struct manscdp_dialect later = dialect;

        later.edition = MANSCDP_2016;
        err = manscdp_broadcast_encode(&w, &later, &in);
    }
    v->login = outgoing_has_login(v->device);
    return err ? err : device_message(p, v->device, writer_slice(&w),
                                      v->handle.id, &v->message);
}

static void ask_target(struct platform *p, struct voice_call *v)
{
    int err;

    v->phase = VOICE_ASKING;
    v->response = false;
    v->refused = 0;
    v->sn = platform_next_sn(p);
    err = send_broadcast(p, v);
    if (err) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_ASKED,
                   err == GB_EBUSY ? "the device is overloaded: try later"
                                   : "see the log of this server",
                   "the Broadcast could not be sent: %s", gb_strerror(err));
        return;
    }
    voice_step(p, v, PLATFORM_VOICE_STEP_ASKED);
    voice_wait(p, v, PLATFORM_VOICE_ASK_MS);
}

void voice_ask(struct platform *p, struct voice_call *v)
{
    if (next_target(v))
        ask_target(p, v);
    else
        voice_fail(p, v, PLATFORM_VOICE_STEP_ASKED, "use mode talk",
                   "there is nobody in this device to be asked");
}

/* It does not want this target: another one, another mode, or that was it. */
static void not_this(struct platform *p, struct voice_call *v,
                     enum platform_voice_step step, const char *what)
{
    bool more = false;

    for (unsigned k = 0; k < VOICE_TARGETS; k++)
        more |= !v->targets[k] && target_id(v, k).n;
    if (more)
        voice_ask(p, v);
    else if (!voice_other_mode(p, v))
        voice_fail(p, v, step,
                   is_input(device_id(v->device))
                       ? "by its id it is a microphone (136) or an alarm input "
                         "(134), which has no loudspeaker: try mode talk"
                       : "the device takes no broadcast: try mode talk, or "
                         "switch its audio output on",
                   "%s (TargetID %.*s)", what, (int)v->target_len, v->target);
}

void voice_on_response(struct platform *p, struct device *d,
                       const struct manscdp_msg *msg)
{
    struct voice_call *v = voice_of(p, d);
    struct manscdp_response r;

    if (!v || v->told.mode != PLATFORM_VOICE_BROADCAST || v->response ||
        v->phase == VOICE_TURNING || /* it has not been asked yet */
        manscdp_response_decode(&r, msg))
        return;
    if (msg->has_sn && msg->sn != v->sn) {
        if (v->targets[VOICE_TARGET_DEVICE] && v->phase != VOICE_ASKING)
            return; /* of a target before this one */
        device_deviation(p, d, DEVIATION_LOOSE_SN, msg->cmd_name);
    }
    v->response = true;
    if (r.result == MANSCDP_ERROR && v->phase == VOICE_ASKING) {
        not_this(p, v, PLATFORM_VOICE_STEP_ACCEPTED,
                 "the device answers the Broadcast with Result ERROR");
    } else if (r.result == MANSCDP_ERROR) { /* it has invited us before */
        voice_fail(p, v, PLATFORM_VOICE_STEP_ACCEPTED,
                   "see the log of the device",
                   "the device invited us and then answered the Broadcast "
                   "with Result ERROR");
    } else if (v->phase == VOICE_ASKING) {
        voice_step(p, v, PLATFORM_VOICE_STEP_ACCEPTED);
        voice_wait(p, v, PLATFORM_VOICE_ASK_MS);
    } else {
        v->told.step_ms[PLATFORM_VOICE_STEP_ACCEPTED] =
            (uint32_t)(p->now.mono_ms - v->started.mono_ms) + 1;
    }
}

/* 200, a refusal or nothing to the MESSAGE itself. */
static void on_message(struct platform *p, struct voice_call *v,
                       const struct sip_event *ev)
{
    char what[96];
    struct writer w = writer_of(what, sizeof(what) - 1);

    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    v->message = 0;
    if (v->phase != VOICE_ASKING)
        return; /* its INVITE was quicker */
    if (ev->kind == SIP_EV_FAILED) {
        if (!voice_other_mode(p, v))
            voice_fail(p, v, PLATFORM_VOICE_STEP_ARRIVED,
                       "check that the device is reachable",
                       "the device does not confirm the Broadcast (no 200 in "
                       "%.1f s)", PLATFORM_VOICE_ASK_MS / 1000.0);
        return;
    }
    v->told.sip_status = ev->status;
    if (ev->status < 300) {
        if (v->told.step == PLATFORM_VOICE_STEP_ASKED)
            voice_step(p, v, PLATFORM_VOICE_STEP_ARRIVED);
        voice_wait(p, v, PLATFORM_VOICE_ASK_MS);
        return;
    }
    if (outgoing_wants_login(v->device, v->login, ev->status)) {
        ask_target(p, v);
        return;
    }
    writer_f(&w, "the device refuses the Broadcast with %u", ev->status);
    what[w.len] = '\0';
    not_this(p, v, PLATFORM_VOICE_STEP_ARRIVED, what);
}

/* ---- the device invites us ---- */

static void respond(struct platform *p, uint64_t transaction, unsigned status,
                    const char *reason)
{
    const struct sip_response r = { .status = status, .expires = -1,
                                    .reason = slice_str(reason) };

    sip_stack_respond(p->sip, transaction, &r, p->now.mono_ms);
}

/* An address of its LAN is no use to us outside, nor is one of the other family,
 * since our port has that of the signalling: it sends from somewhere that may
 * do. */
static struct gb_addr remote_of(const struct voice_call *v,
                                const struct sdp *offer,
                                const struct sdp_media *m)
{
    const struct gb_addr *sip = &v->device->peer.remote;
    struct gb_addr a;

    if (sdp_media_addr(offer, m, &a) && a.family == sip->family &&
        (!gb_addr_is_private(&a) || gb_addr_is_private(sip)) &&
        (!gb_addr_is_loopback(&a) || gb_addr_is_loopback(sip)))
        return a;
    a = *sip;
    a.port = m->port;
    return a;
}

static enum platform_transport transport_of(const struct sdp_media *m)
{
    switch (sdp_answer_transport(m)) {
    case SDP_ANSWER_UDP:
        break;
    case SDP_ANSWER_CONNECT:
        return PLATFORM_TCP_ACTIVE;
    case SDP_ANSWER_LISTEN:
        return PLATFORM_TCP_PASSIVE;
    }
    return PLATFORM_UDP;
}

static bool is_encoding(const struct sdp_media *m, uint8_t pt,
                        struct slice name)
{
    const struct sdp_format *f = sdp_find_format(m, pt);
    struct slice encoding;
    uint32_t clock_hz;

    return f && !sdp_format_codec(f, &encoding, &clock_hz) &&
           slice_ieq(encoding, name);
}

/* What the device's INVITE wants. */
struct wanted {
    enum platform_transport transport;
    struct gb_addr remote;
    uint32_t ssrc; /* 0: it leaves that to us */
    uint8_t pt;
    bool ps, ulaw;
};

/* 200, or the status that refuses it; *why is a sentence. */
static unsigned read_offer(const struct voice_call *v, const struct sip_msg *m,
                           struct wanted *out, const char **why)
{
    const struct sdp_media *media;
    struct sdp offer;

    *why = "has no description (SDP) in its INVITE";
    if (!m->body.n)
        return 400;
    *why = "its description cannot be read";
    if (m->body.n > sizeof(v->offer) || sdp_parse(&offer, m->body, NULL))
        return 400;
    media = sdp_find_listener(&offer);
    *why = "its description has no m=audio that could be used";
    if (!media)
        return 488;
    *why = "it takes neither PCMA nor PCMU nor PS";
    if (sdp_choose_format(media, &out->pt))
        return 488;
    out->transport = transport_of(media);
    *why = "its description does not say where to send to";
    if (out->transport != PLATFORM_TCP_PASSIVE && !media->port)
        return 488;
    out->ps = is_encoding(media, out->pt, SLICE("PS"));
    out->ulaw = is_encoding(media, out->pt, SLICE("PCMU"));
    out->remote = remote_of(v, &offer, media);
    if (!sdp_ssrc(&offer, media, &out->ssrc))
        out->ssrc = 0;
    return 200;
}

static void keep_offer(struct voice_call *v, struct slice body)
{
    memcpy(v->offer, body.p, body.n);
    v->offer_len = (uint16_t)body.n;
}

static void take_offer(struct voice_call *v, const struct wanted *w,
                       struct slice body)
{
    v->told.transport = w->transport;
    v->told.remote = w->remote;
    v->told.ssrc = w->ssrc;
    v->told.ps = w->ps;
    v->told.ulaw = w->ulaw;
    v->pt = w->pt;
    keep_offer(v, body);
}

/* Its ids are what was asked for? One voice of a device is all there can be, so
 * that it is taken anyway (field-note 10.1). */
static void look_at_ids(struct platform *p, struct voice_call *v,
                        const struct sip_msg *m)
{
    struct slice target = slice_of(v->target, v->target_len), from;
    struct sip_subject sub;
    char text[PLATFORM_ID_MAX];

    sip_subject_parse(&sub, sip_msg_value(m, SIP_HDR_SUBJECT));
    if (!platform_user(&m->from.uri, text, &from))
        from = SLICE("");
    if ((slice_eq(from, target) || slice_eq(from, device_id(v->device))) &&
        (!sub.receiver.n || slice_eq(sub.receiver, target)) &&
        (!sub.sender.n || slice_eq(sub.sender, p->id)))
        return;
    device_deviation(p, v->device, DEVIATION_VOICE_IDS,
                     sub.receiver.n ? sub.receiver : from);
}

static void look_at_type(struct platform *p, struct device *d,
                         const struct sip_msg *m)
{
    enum sip_content type = sip_msg_content(m);

    if (type != SIP_CONTENT_NONE && type != SIP_CONTENT_SDP &&
        type != SIP_CONTENT_MULTIPART)
        device_deviation(p, d, DEVIATION_OFFER_TYPE,
                         sip_msg_value(m, SIP_HDR_CONTENT_TYPE));
}

/* In its dialog. */
static void on_reinvite(struct platform *p, struct voice_call *v,
                        const struct sip_event *ev);

/* That of a voice that was given up? */
static bool is_late(const struct platform *p, const struct device *d)
{
    uint64_t over = device_rare(d)->voice_over_ms;

    return over && p->now.mono_ms - over < PLATFORM_VOICE_LATE_MS;
}

bool voice_on_invite(struct platform *p, struct device *d,
                     const struct sip_event *ev)
{
    struct voice_call *v = voice_of(p, d);
    struct wanted wanted;
    const char *why;
    unsigned status;

    if (v && v->dialog.id && v->dialog.id == ev->dialog) {
        on_reinvite(p, v, ev);
        return true;
    }
    if (ev->msg->to.tag.n || (!v && !is_late(p, d)))
        return false; /* of a picture, in its dialog; or of nothing that we asked */
    if (!v || v->phase != VOICE_ASKING) {
        respond(p, ev->transaction, 486,
                v ? "a voice to this device is under way"
                  : "the broadcast is over");
        return true;
    }
    look_at_ids(p, v, ev->msg);
    look_at_type(p, d, ev->msg);
    voice_step(p, v, PLATFORM_VOICE_STEP_INVITED);
    status = read_offer(v, ev->msg, &wanted, &why);
    if (status != 200) {
        respond(p, ev->transaction, status, "");
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER,
                   "set the audio of the device to G.711, and see in its log "
                   "what it offers",
                   "the device invites us, but %s", why);
        return true;
    }
    take_offer(v, &wanted, ev->msg->body);
    voice_step(p, v, PLATFORM_VOICE_STEP_OFFER);
    v->invite = ev->transaction;
    v->dialog.id = ev->dialog;
    sip_stack_set_user(p->sip, v->dialog.id, v->handle.id);
    voice_wait(p, v, PLATFORM_VOICE_ASK_MS);
    voice_open(p, v);
    return true;
}

static int write_answer(const struct platform *p, const struct voice_call *v,
                        struct slice body, struct writer *w)
{
    struct sdp_answer a = {
        .owner = p->id,
        .addr = platform_media_addr(p, &v->device->peer),
        .ssrc = v->told.ssrc,
        .pt = v->pt,
        .sends = true,
        .format = SDP_F_AUDIO,
    };
    struct sdp offer;
    const struct sdp_media *m;

    if (sdp_parse(&offer, body, NULL))
        return GB_ESYNTAX;
    m = sdp_find_listener(&offer);
    if (!m)
        return GB_ESYNTAX;
    a.addr.port = v->told.port;
    sdp_answer_write(w, &offer, m, &a);
    return w->err;
}

/* body: what is answered. */
static int answer(struct platform *p, struct voice_call *v,
                  uint64_t transaction, struct slice body)
{
    struct sip_response r = { .status = 200, .expires = -1,
                              .content_type = SLICE(SIP_TYPE_SDP) };
    char sdp[SDP_MAX];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct outgoing o; /* for our Contact */
    int err = outgoing_init(&o, p, v->device,
                            slice_of(v->target, v->target_len),
                            SIP_METHOD_INVITE);

    if (!err)
        err = write_answer(p, v, body, &w);
    if (err)
        return err;
    r.contact = o.r.contact;
    r.body = writer_slice(&w);
    return sip_stack_respond(p->sip, transaction, &r, p->now.mono_ms);
}

/* Over UDP a device may say the same in other words, and where it listens now;
 * anything else is another voice. */
static bool moves(const struct voice_call *v, const struct sip_msg *m,
                  struct wanted *w)
{
    const char *why;

    return v->told.transport == PLATFORM_UDP &&
           read_offer(v, m, w, &why) == 200 && w->transport == PLATFORM_UDP &&
           w->pt == v->pt && w->ps == v->told.ps && w->ulaw == v->told.ulaw &&
           (!w->ssrc || w->ssrc == v->told.ssrc);
}

static void on_reinvite(struct platform *p, struct voice_call *v,
                        const struct sip_event *ev)
{
    const struct slice body = ev->msg->body;
    struct wanted w = { .remote = v->told.remote };

    if (v->told.mode != PLATFORM_VOICE_BROADCAST || v->invite ||
        (!slice_eq(body, slice_of(v->offer, v->offer_len)) &&
         !moves(v, ev->msg, &w)) ||
        answer(p, v, ev->transaction, body)) {
        respond(p, ev->transaction, 488, "");
        return;
    }
    keep_offer(v, body);
    voice_news(p, v, VOICE_NEWS_DIALOG); /* it may have another Contact */
    if (gb_addr_eq(&w.remote, &v->told.remote))
        return;
    v->told.remote = w.remote;
    voice_news(p, v, VOICE_NEWS_ANSWER | VOICE_NEWS_CHANGED);
}

static void answer_invite(struct platform *p, struct voice_call *v)
{
    int err = answer(p, v, v->invite, slice_of(v->offer, v->offer_len));

    v->invite = 0;
    if (err) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_ANSWERED,
                   "the device gave up too early, or this server is at its "
                   "limits",
                   "its INVITE could not be answered: %s", gb_strerror(err));
        return;
    }
    v->phase = VOICE_ANSWERED;
    voice_news(p, v, VOICE_NEWS_DIALOG);
    voice_step(p, v, PLATFORM_VOICE_STEP_ANSWERED);
    voice_wait(p, v, PLATFORM_VOICE_ACK_MS);
}

/* ---- we invite the device ---- */

static void make_offer(const struct platform *p, const struct voice_call *v,
                       struct sdp_offer *o)
{
    *o = (struct sdp_offer){
        .operation = SDP_TALK,
        .transport = v->told.transport == PLATFORM_UDP ? SDP_UDP
                     : v->told.transport == PLATFORM_TCP_ACTIVE
                         ? SDP_TCP_ACTIVE
                         : SDP_TCP_PASSIVE,
        .owner = p->id,
        .addr = platform_media_addr(p, &v->device->peer),
        .ssrc = v->told.ssrc,
        .select = SDP_SELECT_NONE,
    };
    o->addr.port = v->told.port;
}

static int send_invite(struct platform *p, struct voice_call *v)
{
    char sdp[SDP_MAX], subject[2 * PLATFORM_ID_MAX + 32], y[SSRC_DIGITS + 1];
    struct writer w = writer_of(sdp, sizeof(sdp)),
                  sw = writer_of(subject, sizeof(subject));
    struct slice target = slice_of(v->target, v->target_len);
    const struct sip_subject to = { target, slice_of(y, SSRC_DIGITS), p->id,
                                    SLICE("0") };
    struct sdp_offer offer;
    struct outgoing o;
    int err = outgoing_init(&o, p, v->device, target, SIP_METHOD_INVITE);

    ssrc_text(v->told.ssrc, y);
    make_offer(p, v, &offer);
    sdp_offer_write(&w, &offer);
    sip_subject_write(&sw, &to);
    if (err || w.err || sw.err)
        return err ? err : GB_ELIMIT;
    o.r.subject = writer_slice(&sw);
    o.r.content_type = SLICE(SIP_TYPE_SDP);
    o.r.body = writer_slice(&w);
    o.r.user = v->handle.id;
    v->login = outgoing_has_login(v->device);
    return sip_stack_invite(p->sip, &o.r, p->now.mono_ms, &v->dialog.id);
}

static void invite(struct platform *p, struct voice_call *v)
{
    int err = send_invite(p, v);

    if (err) {
        v->dialog.id = 0;
        voice_fail(p, v, PLATFORM_VOICE_STEP_INVITED,
                   "see the log of this server",
                   "the INVITE could not be sent: %s", gb_strerror(err));
        return;
    }
    v->phase = VOICE_INVITING;
    voice_step(p, v, PLATFORM_VOICE_STEP_INVITED);
    voice_wait(p, v, device_answer_ms(p, v->device));
}

/* TCP was offered, and the answer says UDP. Where we listen, so does our UDP
 * socket; else it is offered. One that says a=setup all the same may still
 * connect, and is waited for first. false: the voice has gone another way. */
static bool follow_udp(struct platform *p, struct voice_call *v,
                       const struct sdp_agreed *g)
{
    if (!g->either && !g->retry_udp)
        return true;
    device_deviation(p, v->device, DEVIATION_PROTO_DIFFERS,
                     slice_of(v->channel, v->channel_len));
    v->by_udp = true;
    if (g->retry_udp) {
        voice_retry_udp(p, v);
        return false;
    }
    if (g->media->setup == SDP_SETUP_NONE)
        v->told.transport = PLATFORM_UDP;
    return true;
}

/* What the device answers to s=Talk: 8 was offered; who answers with 0 or with
 * PS gets that. */
static bool agree(struct platform *p, struct voice_call *v,
                  const struct sip_msg *m)
{
    struct sdp_offer offer;
    struct sdp_agreed g;
    struct sdp answer;

    make_offer(p, v, &offer);
    if (sdp_parse(&answer, m->body, NULL) || sdp_agree(&g, &offer, &answer) ||
        g.refused) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER, "try mode broadcast",
                   "the device answers the talk with 200, but without an "
                   "m=audio that could be used");
        return false;
    }
    if (sdp_choose_format(g.media, &v->pt)) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER,
                   "set the audio of the device to G.711",
                   "the device takes neither PCMA nor PCMU nor PS");
        return false;
    }
    v->told.ps = is_encoding(g.media, v->pt, SLICE("PS"));
    v->told.ulaw = is_encoding(g.media, v->pt, SLICE("PCMU"));
    v->told.remote = remote_of(v, &answer, g.media);
    if (!follow_udp(p, v, &g))
        return false;
    if (v->told.transport == PLATFORM_UDP && !v->told.remote.port) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER, "use TCP",
                   "the device does not say where to send to");
        return false;
    }
    return true;
}

static void on_talk_answer(struct platform *p, struct voice_call *v,
                           const struct sip_event *ev)
{
    bool busy, challenged = ev->status == 401 || ev->status == 407;

    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    if (v->phase != VOICE_INVITING)
        return; /* the 200 once more */
    v->told.sip_status = ev->kind == SIP_EV_RESPONSE ? ev->status : 0;
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 300) {
        v->phase = VOICE_ANSWERED;
        voice_news(p, v, VOICE_NEWS_DIALOG);
        voice_step(p, v, PLATFORM_VOICE_STEP_ANSWERED);
        if (agree(p, v, ev->msg))
            voice_go(p, v);
        return;
    }
    v->dialog.id = 0; /* over with its answer */
    if (ev->kind == SIP_EV_RESPONSE &&
        outgoing_wants_login(v->device, v->login, ev->status)) {
        invite(p, v);
        return;
    }
    busy = ev->status == 486 || ev->status == 600;
    if (ev->kind == SIP_EV_FAILED)
        voice_silent(p, v);
    else if (busy || !voice_other_mode(p, v))
        voice_fail(p, v, PLATFORM_VOICE_STEP_ANSWERED,
                   busy ? "somebody else talks to the device: try later"
                        : challenged
                            ? outgoing_login_hint(v->device)
                            : "the device may know broadcast alone: try that "
                              "mode",
                   "the device refuses the talk with %u", ev->status);
}

/* ---- in time, and not ---- */

void voice_opened(struct platform *p, struct voice_call *v)
{
    voice_step(p, v, PLATFORM_VOICE_STEP_SOCKET);
    if (v->told.mode == PLATFORM_VOICE_TALK)
        invite(p, v);
    else
        answer_invite(p, v);
}

void voice_on_refused(struct platform *p, struct device *d,
                      const struct sip_event *ev)
{
    struct voice_call *v = voice_of(p, d);

    if (!v || v->phase != VOICE_ASKING)
        return;
    v->refused = (uint16_t)ev->status;
    slice_copy(v->required, sizeof(v->required),
               sip_msg_value(ev->msg, SIP_HDR_REQUIRE));
}

/* It could not be taken, and no other one has come. */
static void invited_in_vain(struct platform *p, struct voice_call *v)
{
    char text[LOG_TEXT_MAX];

    if (v->refused == 420)
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER,
                   "turn that off in the device, or set ignore_require for it",
                   "the device invites us, but requires %s, which this "
                   "platform does not know",
                   log_text(slice_str(v->required), text));
    else
        voice_fail(p, v, PLATFORM_VOICE_STEP_OFFER,
                   "set the audio of the device to G.711, and see in its log "
                   "what it offers",
                   "the device invites us, but its INVITE had to be refused "
                   "with %u",
                   v->refused);
}

static void nothing_asked(struct platform *p, struct voice_call *v)
{
    bool arrived = v->told.step_ms[PLATFORM_VOICE_STEP_ARRIVED];

    if (voice_other_mode(p, v))
        return;
    if (v->refused)
        invited_in_vain(p, v);
    else if (v->response)
        voice_fail(p, v, PLATFORM_VOICE_STEP_INVITED,
                   "see the log of the device; it may not reach this server "
                   "with an INVITE",
                   "the device accepts the Broadcast to %.*s, but has not "
                   "invited us in %.1f s",
                   (int)v->target_len, v->target,
                   PLATFORM_VOICE_ASK_MS / 1000.0);
    else
        voice_fail(p, v, arrived ? PLATFORM_VOICE_STEP_ACCEPTED
                                 : PLATFORM_VOICE_STEP_ARRIVED,
                   "the device may not know Broadcast: try mode talk",
                   "%s", arrived
                       ? "the device confirms the Broadcast, but neither "
                         "answers it nor invites us"
                       : "the device does not confirm the Broadcast");
}

/* It has answered so, and does not connect. */
static bool goes_by_udp(struct platform *p, struct voice_call *v)
{
    if (v->told.mode != PLATFORM_VOICE_TALK || !v->by_udp ||
        !v->told.remote.port)
        return false;
    v->told.transport = PLATFORM_UDP;
    voice_news(p, v, VOICE_NEWS_ANSWER);
    return true;
}

void voice_silent(struct platform *p, struct voice_call *v)
{
    char addr[GB_ADDR_TEXT_MAX];

    switch (v->phase) {
    case VOICE_ASKING:
        nothing_asked(p, v);
        break;
    case VOICE_OPENING:
    case VOICE_TURNING:
        voice_fail(p, v, PLATFORM_VOICE_STEP_SOCKET, "see the log",
                   "the media loop does not answer");
        break;
    case VOICE_INVITING:
        if (!voice_other_mode(p, v))
            voice_fail(p, v, PLATFORM_VOICE_STEP_ANSWERED,
                       "the device may know broadcast alone: try that mode",
                       "no answer to the INVITE (s=Talk)");
        break;
    case VOICE_ANSWERED:
        if (!v->acked || goes_by_udp(p, v))
            voice_go(p, v); /* some never send an ACK */
        else
            voice_fail(p, v, PLATFORM_VOICE_STEP_CONNECT,
                       "check firewalls, media.address and the ports of "
                       "media.ports",
                       v->told.transport == PLATFORM_TCP_ACTIVE
                           ? "no TCP connection to %s came up"
                           : "the device has not opened a TCP connection "
                             "(%s)",
                       gb_addr_text(&v->told.remote, addr));
        break;
    case VOICE_SPEAKING:
    case VOICE_CLOSING:
    case VOICE_GONE:
        break;
    }
}

void voice_on_sip(struct platform *p, struct handle *h,
                  const struct sip_event *ev)
{
    struct voice_call *v = container_of(h, struct voice_call, handle);

    if (v->phase >= VOICE_CLOSING)
        return;
    if (ev->kind == SIP_EV_RESPONSE) {
        v->device->alive_ms = p->now.mono_ms;
        way_note(p, v->device, ev);
    }
    if (!ev->dialog) {
        if (ev->transaction == v->message && v->message)
            on_message(p, v, ev);
        return;
    }
    if (ev->dialog != v->dialog.id)
        return;
    switch (ev->kind) {
    case SIP_EV_ACKED:
        voice_go(p, v);
        break;
    case SIP_EV_CANCELLED:
    case SIP_EV_ENDED:
        if (ev->status == 200 || ev->kind == SIP_EV_CANCELLED)
            v->dialog.id = 0; /* over: nothing to end */
        v->invite = 0;
        voice_news(p, v, VOICE_NEWS_DIALOG);
        voice_end(p, v, ev->status == 200 && ev->kind == SIP_EV_ENDED
                            ? "the device ended it with a BYE"
                        : ev->kind == SIP_EV_CANCELLED
                            ? "the device took its INVITE back"
                            : "the device does not confirm our answer, or "
                              "does not know the dialog any more");
        break;
    case SIP_EV_RESPONSE:
    case SIP_EV_FAILED:
        if (v->told.mode == PLATFORM_VOICE_TALK)
            on_talk_answer(p, v, ev);
        break;
    case SIP_EV_REQUEST:
    case SIP_EV_BAD:
    case SIP_EV_REFUSED:
    case SIP_EV_NOTIFY:
    case SIP_EV_UNSUBSCRIBED:
        break;
    }
}
