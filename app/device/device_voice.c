/* The loudspeaker of a device: it invites its platform after a Broadcast, and
 * is invited to a talk (GB/T 28181-2022 9.12; s=Talk: GB/T 28181-2016). One voice
 * at a time. */
#include "app/device/device_impl.h"

#include "manscdp/media.h"
#include "sdp/offer.h"
#include "sip/value.h"

#include <stdio.h>
#include <string.h>

#define LATE_MS 15000 /* voice_late: past the patience of a platform */
#define PT_PCMU 0
#define PT_PCMA 8
#define PT_PS 96
#define PT_AAC 102

bool device_voice_has(const struct device *d, uint64_t dialog)
{
    return d->voice.state != VOICE_IDLE && d->voice.dialog &&
           d->voice.dialog == dialog;
}

static void order(struct device *d, enum device_action_kind kind)
{
    const struct device_voice *v = &d->voice;
    const struct device_action a = {
        .kind = kind, .session = DEVICE_VOICE, .life = v->life,
        .transport = v->transport, .remote = v->remote, .ssrc = v->ssrc,
        .pt = v->pt, .is_voice = true, .is_talk = v->is_talk, .is_ps = v->pt == PT_PS,
        .is_ulaw = v->pt == PT_PCMU, .position_ms = -1,
    };

    device_push(d, &a);
}

/* A new life: what is said late of the one before is not its. */
static void order_open(struct device *d)
{
    d->voice.life = ++d->lives;
    order(d, DEVICE_DO_OPEN);
}

/* The one way it ends; the dialog is the caller's business. */
static void voice_over(struct device *d)
{
    if (d->voice.state != VOICE_PAUSING)
        order(d, DEVICE_DO_STOP);
    memset(&d->voice, 0, sizeof(d->voice));
    d->voice.at_ms = GB_NEVER;
}

static void voice_bye(struct device *d, struct gb_time now)
{
    sip_stack_end(d->c.sip, d->voice.dialog, now.mono_ms);
    voice_over(d);
}

/* ---- Broadcast ---------------------------------------------------------------- */

static int respond(struct device *d, const struct manscdp_msg *m,
                   const struct manscdp_broadcast *b, bool ok)
{
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    const struct manscdp_response r = {
        .cmd = m->cmd, .sn = device_answer_sn(d, m->sn),
        .device_id = b->target_id, .result = ok ? MANSCDP_OK : MANSCDP_ERROR,
    };
    char buf[512];
    struct writer w = writer_of(buf, sizeof(buf));

    manscdp_response_encode(&w, &dialect, &r);
    return device_send(d, &w, FOR_OTHER, d->now);
}

static enum device_transport transport_of(const struct voice_faults *f)
{
    return f->voice_tcp           ? DEVICE_TCP_CONNECT
           : f->voice_tcp_passive ? DEVICE_TCP_LISTEN
                                  : DEVICE_UDP;
}

static void prepare(struct device *d, const struct manscdp_broadcast *b)
{
    const struct voice_faults *f = &d->c.voice_faults;
    struct device_voice *v = &d->voice;

    *v = (struct device_voice){ .state = VOICE_PAUSING,
                                .at_ms = d->now.mono_ms };
    slice_copy(v->source, sizeof(v->source), b->source_id);
    slice_copy(v->target, sizeof(v->target), b->target_id);
    v->transport = transport_of(f);
    v->pt = f->voice_ps     ? PT_PS
            : f->voice_pcmu ? PT_PCMU
            : f->voice_aac  ? PT_AAC : PT_PCMA;
    v->ssrc = (uint32_t)(d->now.mono_ms % 10000) + 200000000u;
    if (f->voice_late)
        v->at_ms += LATE_MS;
}

/* The socket first, since its port is told. */
static void open_voice(struct device *d)
{
    d->voice.state = VOICE_OPENING;
    d->voice.at_ms = d->now.mono_ms + DEVICE_ANSWER_MS;
    order_open(d);
}

int device_on_broadcast(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    const struct voice_faults *f = &d->c.voice_faults;
    struct manscdp_broadcast b;
    int err = manscdp_broadcast_decode(&b, m);
    size_t target;

    if (err || f->voice_silent)
        return err;
    target = device_target_of(d, b.target_id);
    if (target == DEVICE_NOBODY || d->voice.state != VOICE_IDLE ||
        f->voice_error ||
        (f->voice_device_only && target != d->c.n_channels))
        return respond(d, m, &b, false);
    if (f->voice_no_invite)
        return respond(d, m, &b, true);
    prepare(d, &b);
    if (f->voice_first || f->voice_no_response) {
        open_voice(d);
        if (f->voice_no_response)
            return 0;
        d->voice.owes_sn = m->sn; /* behind the INVITE */
        return 0;
    }
    return respond(d, m, &b, true);
}

static void put_offer(const struct device *d, struct writer *w,
                      const struct gb_addr *local)
{
    static const char *const transport[] = {
        [DEVICE_UDP] = "RTP/AVP", [DEVICE_TCP_CONNECT] = "TCP/RTP/AVP",
        [DEVICE_TCP_LISTEN] = "TCP/RTP/AVP",
    };
    const struct device_voice *v = &d->voice;
    struct gb_addr a = *local;
    bool v6 = a.family == GB_IPV6;
    unsigned port = v->transport == DEVICE_TCP_CONNECT ? 9 : a.port;

    writer_f(w, "v=0\r\no=%s 0 0 IN IP%c ", v->target, v6 ? '6' : '4');
    gb_addr_write_ip(w, &a);
    writer_f(w, "\r\ns=Play\r\nc=IN IP%c ", v6 ? '6' : '4');
    gb_addr_write_ip(w, &a);
    writer_f(w, "\r\nt=0 0\r\nm=audio %u %s %u\r\na=recvonly\r\n", port,
             transport[v->transport], v->pt);
    writer_str(w, v->pt == PT_PS     ? "a=rtpmap:96 PS/90000\r\n"
                  : v->pt == PT_PCMU ? "a=rtpmap:0 PCMU/8000\r\n"
                  : v->pt == PT_AAC  ? "a=rtpmap:102 AAC/8000/1\r\n"
                                     : "a=rtpmap:8 PCMA/8000/1\r\n");
    if (v->transport != DEVICE_UDP)
        writer_f(w, "a=setup:%s\r\na=connection:new\r\n",
                 v->transport == DEVICE_TCP_LISTEN ? "passive" : "active");
    if (!d->c.voice_faults.voice_no_y)
        writer_f(w, "y=%010u\r\n", (unsigned)v->ssrc);
    writer_str(w, "f=v/////a/1/8/1\r\n");
}

static void invite(struct device *d, const struct gb_addr *local,
                   struct gb_time now)
{
    struct device_voice *v = &d->voice;
    const struct voice_faults *f = &d->c.voice_faults;
    char sdp[1024], subject[128], uri[128], to[128], from[128],
        addr[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct device_request_text t;
    struct sip_request r;

    put_offer(d, &w, local);
    device_request(d, &r, &t, SIP_METHOD_INVITE);
    snprintf(uri, sizeof(uri), "sip:%s@%s", v->source,
             gb_addr_text(&d->c.server.remote, addr));
    snprintf(to, sizeof(to), "sip:%s@%s", v->source, d->c.realm);
    snprintf(subject, sizeof(subject), "%s:%010u,%s:0", v->source,
             (unsigned)v->ssrc, f->voice_own_ids ? d->c.id : v->target);
    snprintf(from, sizeof(from), "sip:%s@%s",
             f->voice_from_target ? v->target : d->c.id, d->c.realm);
    r.uri = slice_str(uri);
    r.to = slice_str(to);
    r.from = slice_str(from);
    r.contact = slice_str(t.contact);
    r.subject = slice_str(subject);
    r.content_type = f->voice_type ? SLICE("text/plain") : SLICE(SIP_TYPE_SDP);
    r.body = writer_slice(&w);
    r.user = device_user(d, FOR_VOICE);
    v->state = VOICE_INVITING;
    v->at_ms = now.mono_ms + DEVICE_ANSWER_MS;
    if (w.err || sip_stack_invite(d->c.sip, &r, now.mono_ms, &v->dialog))
        voice_over(d);
}

/* The Response that its INVITE has overtaken. */
static void pay(struct device *d)
{
    const struct manscdp_msg m = { .cmd = MANSCDP_CMD_BROADCAST,
                                   .sn = d->voice.owes_sn };
    const struct manscdp_broadcast b = {
        .target_id = slice_str(d->voice.target) };

    if (d->voice.owes_sn)
        respond(d, &m, &b, true);
    d->voice.owes_sn = 0;
}

void device_voice_answer(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    struct device_voice *v = &d->voice;
    const struct sdp_media *m;
    struct sdp answer;

    if (v->state != VOICE_INVITING || ev->dialog != v->dialog ||
        (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    if (ev->kind != SIP_EV_RESPONSE || ev->status >= 300) {
        v->dialog = 0;
        device_done(d, "voice", false);
        voice_over(d);
        return;
    }
    if (sdp_parse(&answer, ev->msg->body, NULL) ||
        !(m = sdp_find_media(&answer, SDP_AUDIO))) {
        voice_bye(d, now);
        return;
    }
    if (!sdp_media_addr(&answer, m, &v->remote)) {
        v->remote = ev->peer.remote;
        v->remote.port = m->port;
    }
    v->state = VOICE_HEARING;
    v->at_ms = d->c.voice_faults.voice_bye ? now.mono_ms + 1000 : GB_NEVER;
    order(d, DEVICE_DO_START);
}

/* ---- Talk --------------------------------------------------------------------- */

/* true: the INVITE is one of a talk, and is seen to. */
bool device_voice_invited(struct device *d, const struct sip_event *ev,
                          struct gb_time now)
{
    struct device_voice *v = &d->voice;
    const struct sdp_media *m;
    struct sdp offer;

    if (sdp_parse(&offer, ev->msg->body, NULL) ||
        offer.operation != SDP_TALK)
        return false;
    m = sdp_find_media(&offer, SDP_AUDIO);
    if (d->c.voice_faults.voice_no_talk || !m ||
        ev->msg->body.n > sizeof(v->offer)) {
        device_respond(d, ev->transaction, 488, now);
        return true;
    }
    if (v->state != VOICE_IDLE) {
        device_respond(d, ev->transaction, 486, now);
        return true;
    }
    *v = (struct device_voice){ .state = VOICE_OPENING, .is_talk = true,
                                .transaction = ev->transaction,
                                .dialog = ev->dialog,
                                .at_ms = now.mono_ms + DEVICE_ANSWER_MS };
    if (sdp_choose_format(m, &v->pt) || !sdp_ssrc(&offer, m, &v->ssrc))
        v->pt = PT_PCMA;
    if (d->c.voice_faults.voice_pcmu)
        v->pt = PT_PCMU; /* though it was not offered */
    if (!sdp_media_addr(&offer, m, &v->remote)) {
        v->remote = ev->peer.remote;
        v->remote.port = m->port;
    }
    v->transport = sdp_answer_transport(m) == SDP_ANSWER_UDP ? DEVICE_UDP
                   : sdp_answer_transport(m) == SDP_ANSWER_CONNECT
                       ? DEVICE_TCP_CONNECT
                       : DEVICE_TCP_LISTEN;
    if (d->c.voice_faults.voice_avp)
        v->transport = DEVICE_UDP;
    memcpy(v->offer, ev->msg->body.p, ev->msg->body.n);
    v->offer_len = ev->msg->body.n;
    order_open(d);
    return true;
}

static void put_answer(struct device *d, struct writer *w,
                       const struct gb_addr *local)
{
    struct device_voice *v = &d->voice;
    struct sdp_answer a = { .owner = slice_str(d->c.id), .addr = *local,
                            .ssrc = v->ssrc, .pt = PT_PCMA,
                            .info = SLICE("gbcam Talk Session"),
                            .format = SDP_F_AUDIO };
    struct sdp offer;

    if (sdp_parse(&offer, slice_of(v->offer, v->offer_len), NULL)) {
        w->err = GB_ESYNTAX; /* it parsed when it came */
        return;
    }
    for (size_t i = 0; d->c.voice_faults.voice_avp && i < offer.n_media; i++) {
        offer.media[i].proto = SDP_RTP_AVP;
        offer.media[i].proto_name = SLICE("RTP/AVP");
        offer.media[i].setup = SDP_SETUP_NONE;
    }
    sdp_answer_write(w, &offer, sdp_find_media(&offer, SDP_AUDIO), &a);
}

/* Whose law the platform did not offer: the answer names it all the same. */
static void other_law(struct writer *w)
{
    struct slice text = writer_slice(w);
    size_t map = slice_find_slice(text, SLICE("rtpmap:8 PCMA"));
    size_t m = slice_find_slice(text, SLICE("AVP 8"));

    if (map < text.n)
        memcpy(w->p + map, "rtpmap:0 PCMU", 13);
    if (m < text.n)
        w->p[m + 4] = '0';
}

static void answer(struct device *d, const struct gb_addr *local,
                   struct gb_time now)
{
    struct device_voice *v = &d->voice;
    char sdp[1024], contact[128];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct sip_response r = { .status = 200, .expires = -1,
                              .content_type = SLICE(SIP_TYPE_SDP) };

    put_answer(d, &w, local);
    if (!w.err && v->pt == PT_PCMU)
        other_law(&w);
    if (w.err) {
        device_respond(d, v->transaction, 500, now);
        voice_over(d);
        return;
    }
    device_contact(d, contact, sizeof(contact));
    r.contact = slice_str(contact);
    r.body = writer_slice(&w);
    v->state = VOICE_ANSWERED;
    v->at_ms = now.mono_ms + DEVICE_ACK_MS;
    if (sip_stack_respond(d->c.sip, v->transaction, &r, now.mono_ms))
        voice_over(d);
}

/* ---- both ------------------------------------------------------------------------ */

void device_voice_opened(struct device *d, uint32_t life,
                         const struct gb_addr *local, struct gb_time now)
{
    d->now = now;
    if (d->voice.state != VOICE_OPENING || d->voice.life != life)
        return;
    if (local->family == GB_NO_ADDR) {
        if (d->voice.is_talk)
            device_respond(d, d->voice.transaction, 500, now);
        voice_over(d);
    } else if (d->voice.is_talk) {
        answer(d, local, now);
    } else {
        invite(d, local, now);
        pay(d);
    }
}

void device_voice_dialog(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    struct device_voice *v = &d->voice;

    if (ev->kind != SIP_EV_ACKED) {
        voice_bye(d, now); /* none where it is over already */
        return;
    }
    if (v->state != VOICE_ANSWERED)
        return;
    v->state = VOICE_HEARING;
    v->at_ms = d->c.voice_faults.voice_bye ? now.mono_ms + 1000 : GB_NEVER;
    order(d, DEVICE_DO_START);
}

void device_voice_lost(struct device *d, uint32_t life, struct gb_time now)
{
    if (d->voice.life == life)
        device_voice_end(d, now);
}

void device_voice_end(struct device *d, struct gb_time now)
{
    if (d->voice.state != VOICE_IDLE)
        voice_bye(d, now);
}

void device_voice_tick(struct device *d, struct gb_time now)
{
    struct device_voice *v = &d->voice;

    if (v->state == VOICE_IDLE || now.mono_ms < v->at_ms)
        return;
    d->now = now;
    if (v->state == VOICE_PAUSING)
        open_voice(d);
    else if (v->state == VOICE_OPENING && v->is_talk) {
        device_respond(d, v->transaction, 500, now);
        voice_over(d);
    } else
        voice_bye(d, now); /* nobody answers, or the fault asks for it */
}

uint64_t device_voice_deadline(const struct device *d)
{
    return d->voice.state == VOICE_IDLE ? GB_NEVER : d->voice.at_ms;
}
