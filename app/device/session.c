/* app/device/session.c - the media side of a device: INVITE to BYE
 * (what a sender answers) */
#include "app/device/device_impl.h"

#include "app/device/answer.h"
#include "manscdp/mansrtsp.h"
#include "manscdp/media.h"
#include "sip/value.h"

#include <stdio.h>
#include <string.h>

static struct device_session *sessions(struct device *d)
{
    if (!d->session)
        d->session = gb_get(d->c.alloc,
                            DEVICE_MAX_SESSIONS * sizeof(*d->session));
    return d->session;
}

/* How many there are to look at: mostly none, and each is some KiB away from the
 * next. */
static uint32_t to_see(const struct device *d)
{
    return d->n_sessions ? DEVICE_MAX_SESSIONS : 0;
}

static struct device_session *free_session(struct device *d)
{
    struct device_session *s = sessions(d);

    for (uint32_t i = 0; s && i < d->c.max_sessions; i++)
        if (s[i].state == SESSION_FREE)
            return &s[i];
    return NULL;
}

static uint32_t index_of(const struct device *d, const struct device_session *s)
{
    return (uint32_t)(s - d->session);
}

static struct device_session *by_dialog(const struct device *d,
                                        uint64_t dialog)
{
    for (uint32_t i = 0; i < to_see(d); i++)
        if (d->session[i].state != SESSION_FREE &&
            d->session[i].dialog == dialog)
            return &d->session[i];
    return NULL;
}

static struct device_action action_of(const struct device *d,
                                      const struct device_session *s,
                                      enum device_action_kind kind)
{
    return (struct device_action){
        .kind = kind, .session = index_of(d, s), .life = s->life,
        .transport = s->transport, .remote = s->remote, .ssrc = s->ssrc, .pt = s->pt,
        .channel = s->channel, .stream = s->stream,
        .start_s = s->start_s, .length_ms = s->length_ms, .scale_milli = s->scale_milli,
        .position_ms = -1,
    };
}

static void order(struct device *d, struct device_session *s,
                  enum device_action_kind kind)
{
    struct device_action a = action_of(d, s, kind);

    device_push(d, &a);
}

/* The one way a session ends; the dialog is the caller's business. */
static void session_free(struct device *d, struct device_session *s)
{
    order(d, s, DEVICE_DO_STOP);
    memset(s, 0, sizeof(*s));
    d->n_sessions--;
}

static void session_bye(struct device *d, struct device_session *s,
                        struct gb_time now)
{
    sip_stack_end(d->c.sip, s->dialog, now.mono_ms);
    session_free(d, s);
}

/* ---- the channel an INVITE asks for ------------------------------------------ */

static bool find_channel(const struct device *d, struct slice id, size_t *out)
{
    for (size_t i = 0; i < d->c.n_channels; i++) {
        if (slice_eq(id, slice_str(d->c.channel[i].id))) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Subject, Request-URI, u=, To, in this order. */
static bool channel_of(const struct device *d, const struct sip_msg *m,
                       const struct sdp *offer, size_t *channel)
{
    struct sip_subject sub;
    struct sdp_uri u;

    sip_subject_parse(&sub, sip_msg_value(m, SIP_HDR_SUBJECT));
    if (sub.sender.n && find_channel(d, sub.sender, channel))
        return true;
    if (find_channel(d, m->uri.user, channel))
        return true;
    if (offer->uri.n && !sdp_uri_parse(&u, offer->uri) &&
        find_channel(d, u.code, channel))
        return true;
    return find_channel(d, m->to.uri.user, channel);
}

/* Sender and serial of the Subject; "" when the serial says nothing. */
static void subject_key(const struct sip_msg *m, char *out, size_t cap)
{
    struct sip_subject sub;
    struct writer w = writer_of(out, cap - 1);

    sip_subject_parse(&sub, sip_msg_value(m, SIP_HDR_SUBJECT));
    if (sub.sender_seq.n && !slice_eq(sub.sender_seq, SLICE("0"))) {
        writer_slice_put(&w, sub.sender);
        writer_char(&w, ':');
        writer_slice_put(&w, sub.sender_seq);
    }
    out[w.err ? 0 : w.len] = '\0';
}

/* A second INVITE for what is being sent already replaces the first. */
static void replace_same(struct device *d, const char *subject,
                         struct gb_time now)
{
    for (uint32_t i = 0; *subject && i < to_see(d); i++) {
        struct device_session *s = &d->session[i];

        if (s->state != SESSION_FREE && strcmp(s->subject, subject) == 0)
            session_bye(d, s, now);
    }
}

/* ---- answering ------------------------------------------------------------------ */

static void choose_ssrc(const struct device *d, struct device_session *s,
                        const struct sdp *offer, const struct sdp_media *m)
{
    if (!sdp_ssrc(offer, m, &s->offered_ssrc))
        sdp_ssrc_make(&s->offered_ssrc, slice_str(d->c.server_id), false, 1);
    if (d->c.faults.other_y)
        s->offered_ssrc += 1000000;
    s->ssrc = d->c.faults.zero_ssrc    ? 0
              : d->c.faults.wrong_ssrc ? s->offered_ssrc ^ 0x5555
                                       : s->offered_ssrc;
}

/* A recording that it has a piece of. */
static unsigned take_history(struct device *d, struct device_session *s,
                             const struct sdp *offer,
                             const struct sdp_media *m, struct gb_time now)
{
    const struct device_list l = {
        .cmd = MANSCDP_CMD_RECORD_INFO, .target = s->channel,
        .asked = { (int64_t)offer->start_s * 1000,
                   (int64_t)offer->stop_s * 1000 },
        .as_of_utc_ms = now.utc_ms, .timed = true, .manual = true,
    };

    if (!offer->start_s || offer->stop_s <= offer->start_s)
        return 400;
    if (offer->operation == SDP_DOWNLOAD ? d->c.faults.no_download
                                         : d->c.faults.no_playback)
        return 488;
    if (device_records_count(d, &l) == 0)
        return 404;
    s->history = true;
    s->start_s = offer->start_s;
    s->length_ms = (offer->stop_s - offer->start_s) * 1000;
    if (d->c.faults.ends_early && s->length_ms > DEVICE_FILE_MS)
        s->length_ms = DEVICE_FILE_MS;
    if (offer->operation == SDP_DOWNLOAD && m->downloadspeed)
        s->scale_milli = (int32_t)m->downloadspeed * 1000;
    return 200;
}

static unsigned take_offer(struct device *d, struct device_session *s,
                           const struct sip_event *ev, struct gb_time now)
{
    const struct sip_msg *m = ev->msg;
    const struct sdp_media *media;
    struct sdp offer;
    int err = sdp_parse(&offer, m->body, NULL);

    if (err)
        return err == GB_EUNSUPPORTED ? 488 : 400;
    if (m->body.n > sizeof(s->offer))
        return 413;
    media = sdp_find_media(&offer, SDP_VIDEO);
    if (!media || sdp_choose_format(media, &s->pt))
        return 488;
    if (!channel_of(d, m, &offer, &s->channel))
        return 404;
    if (!sdp_media_addr(&offer, media, &s->remote)) {
        s->remote = ev->peer.remote;
        s->remote.port = media->port;
    }
    switch (sdp_answer_transport(media)) {
    case SDP_ANSWER_UDP:
        s->transport = DEVICE_UDP;
        break;
    case SDP_ANSWER_CONNECT:
        s->transport = DEVICE_TCP_CONNECT;
        break;
    case SDP_ANSWER_LISTEN:
        s->transport = DEVICE_TCP_LISTEN;
        break;
    }
    if (d->c.faults.no_tcp && s->transport != DEVICE_UDP)
        return 488;
    s->stream = sdp_selected_stream(&media->select);
    choose_ssrc(d, s, &offer, media);
    memcpy(s->offer, m->body.p, m->body.n);
    s->offer_len = m->body.n;
    s->scale_milli = 1000;
    return sdp_is_history(offer.operation)
               ? take_history(d, s, &offer, media, now)
               : 200;
}

void device_on_invite(struct device *d, const struct sip_event *ev,
                      struct gb_time now)
{
    struct device_session *s = by_dialog(d, ev->dialog);
    char subject[sizeof(s->subject)];
    unsigned status;

    d->n.invites++;
    if (d->c.faults.deaf)
        return;
    if (s) { /* re-INVITE: nothing of a running stream changes */
        device_respond(d, ev->transaction, 488, now);
        return;
    }
    if (!d->c.faults.refuse && device_voice_invited(d, ev, now))
        return;
    if (!sessions(d)) {
        device_respond(d, ev->transaction, 500, now);
        return;
    }
    subject_key(ev->msg, subject, sizeof(subject));
    replace_same(d, subject, now);
    s = free_session(d);
    status = d->c.faults.refuse ? d->c.faults.refuse
             : s                ? take_offer(d, s, ev, now) : 486;
    if (!s || status != 200) {
        d->n.refused++;
        if (s)
            memset(s, 0, sizeof(*s));
        device_respond(d, ev->transaction, status, now);
        return;
    }
    memcpy(s->subject, subject, sizeof(subject));
    s->state = SESSION_OPENING;
    d->n_sessions++;
    s->life = ++d->lives;
    s->transaction = ev->transaction;
    s->dialog = ev->dialog;
    s->at_ms = now.mono_ms + DEVICE_ANSWER_MS;
    order(d, s, DEVICE_DO_OPEN);
}

static void write_answer(struct device *d, struct device_session *s,
                         const struct gb_addr *local, struct writer *w)
{
    struct sdp offer;
    struct sdp_answer a = {
        .owner = slice_str(d->c.channel[s->channel].id), .addr = *local,
        .ssrc = s->offered_ssrc, .no_ssrc = d->c.faults.no_y, .pt = s->pt,
    };

    if (sdp_parse(&offer, slice_of(s->offer, s->offer_len), NULL))
        w->err = GB_ESYNTAX; /* it parsed when it came */
    else
        answer_write(w, &d->c.faults, &offer,
                     sdp_find_media(&offer, SDP_VIDEO), &a);
}

static void start(struct device *d, struct device_session *s,
                  struct gb_time now)
{
    if (s->started)
        return;
    s->state = SESSION_SENDING;
    s->started = true;
    s->at_ms = d->c.faults.bye_early ? now.mono_ms + 1000 : GB_NEVER;
    if (!d->c.faults.silent)
        order(d, s, DEVICE_DO_START);
}

/* NULL: it has ended. */
static struct device_session *by_life(struct device *d, uint32_t session,
                                      uint32_t life)
{
    struct device_session *s = d->session ? &d->session[session] : NULL;

    return s && s->state != SESSION_FREE && s->life == life ? s : NULL;
}

void device_media_opened(struct device *d, uint32_t session, uint32_t life,
                         const struct gb_addr *local, struct gb_time now)
{
    struct device_session *s;
    char sdp[2048], contact[128];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct sip_response r = { .status = 200, .expires = -1 };

    if (session == DEVICE_VOICE) {
        device_voice_opened(d, life, local, now);
        return;
    }
    s = by_life(d, session, life);
    if (!s || s->state != SESSION_OPENING)
        return;
    if (local->family == GB_NO_ADDR)
        w.err = GB_EIO;
    else
        write_answer(d, s, local, &w);
    if (w.err) {
        device_respond(d, s->transaction, 500, now);
        session_free(d, s);
        return;
    }
    device_contact(d, contact, sizeof(contact));
    r.contact = slice_str(contact);
    r.content_type = SLICE(SIP_TYPE_SDP);
    r.body = writer_slice(&w);
    s->state = SESSION_ANSWERED;
    s->at_ms = now.mono_ms + DEVICE_ACK_MS;
    if (d->c.faults.unheard) {
        start(d, s, now);
        return;
    }
    if (d->c.faults.establishing) {
        struct sip_response early = { .status = 101, .expires = -1,
                                      .reason = SLICE("Dialog Establishment") };

        sip_stack_respond(d->c.sip, s->transaction, &early, now.mono_ms);
    }
    if (sip_stack_respond(d->c.sip, s->transaction, &r, now.mono_ms))
        session_free(d, s);
    else if (d->c.faults.early)
        start(d, s, now);
}

void device_on_dialog(struct device *d, const struct sip_event *ev,
                      struct gb_time now)
{
    struct device_session *s = by_dialog(d, ev->dialog);

    if (device_voice_has(d, ev->dialog))
        device_voice_dialog(d, ev, now);
    if (!s)
        return;
    if (ev->kind == SIP_EV_ACKED)
        start(d, s, now);
    else
        session_bye(d, s, now); /* none where it is over already */
}

/* ---- recordings (GB/T 28181-2022 9.8) ----------------------------------------- */

static void answer_control(struct device *d, const struct sip_event *ev,
                           unsigned status, const struct mansrtsp *of,
                           struct gb_time now)
{
    const struct mansrtsp m = { .response = true, .status = status,
                                .cseq = of->cseq,
                                .has = of->has & MANSRTSP_SCALE,
                                .scale_milli = of->scale_milli };
    struct sip_response r = { .status = status, .expires = -1 };
    char body[128];
    struct writer w = writer_of(body, sizeof(body));

    if (status == 200 && mansrtsp_write(&w, &m, false) == 0) {
        r.content_type = SLICE(SIP_TYPE_MANSRTSP);
        r.body = writer_slice(&w);
    }
    sip_stack_respond(d->c.sip, ev->transaction, &r, now.mono_ms);
}

/* "2.0", which some devices do not read. */
static bool has_fraction(struct slice body)
{
    size_t at = slice_find_slice(body, SLICE("Scale:"));
    struct slice line = slice_from(body, at);

    line = slice_head(line, slice_find(line, '\n'));
    return slice_find(line, '.') < line.n;
}

/* The status that refuses it, or 200. */
static unsigned judge_control(const struct device *d,
                              const struct device_session *s,
                              const struct mansrtsp *m, struct slice body)
{
    if (m->response || (d->c.faults.whole_scale && has_fraction(body)))
        return 400;
    if (m->method == MANSRTSP_PAUSE && d->c.faults.no_pause)
        return 501;
    if ((m->has & MANSRTSP_SCALE) &&
        (d->c.faults.no_scale ||
         (m->scale_milli < 0 && d->c.faults.no_reverse)))
        return 501;
    if ((m->has & MANSRTSP_RANGE) && !m->from_now &&
        (d->c.faults.no_seek || (uint64_t)m->from_ms > s->length_ms))
        return 488;
    return 200;
}

static void pace(struct device *d, struct device_session *s,
                 const struct mansrtsp *m)
{
    struct device_action a;

    if (m->method == MANSRTSP_TEARDOWN)
        return; /* a BYE follows */
    if ((m->has & MANSRTSP_SCALE) && !d->c.faults.scale_ignored)
        s->scale_milli = m->scale_milli;
    if (m->method == MANSRTSP_PLAY && s->ended) { /* once more */
        s->ended = false;
        s->at_ms = GB_NEVER;
    }
    a = action_of(d, s, DEVICE_DO_PACE);
    a.paused = m->method == MANSRTSP_PAUSE;
    if (m->method == MANSRTSP_PLAY && (m->has & MANSRTSP_RANGE) &&
        !m->from_now)
        a.position_ms = m->from_ms;
    device_push(d, &a);
}

void device_key_frame(struct device *d, size_t target)
{
    for (uint32_t i = 0; i < to_see(d); i++) {
        struct device_session *s = &d->session[i];

        if (s->state != SESSION_FREE && !s->history &&
            (target == d->c.n_channels || target == s->channel))
            order(d, s, DEVICE_DO_KEY);
    }
}

void device_on_control(struct device *d, const struct sip_event *ev,
                       struct gb_time now)
{
    struct device_session *s = by_dialog(d, ev->dialog);
    struct mansrtsp m;
    unsigned status;

    if (!s || !s->history) {
        device_respond(d, ev->transaction, ev->dialog ? 200 : 481, now);
        return;
    }
    if (mansrtsp_parse(&m, ev->msg->body, NULL)) {
        device_respond(d, ev->transaction, 400, now);
        return;
    }
    status = judge_control(d, s, &m, ev->msg->body);
    if (d->c.faults.one_reverse && m.scale_milli < 0)
        m.scale_milli = -1000;
    answer_control(d, ev, status, &m, now);
    if (status == 200)
        pace(d, s, &m);
}

/* MediaStatus 121, inside the dialog; its BYE follows, or ours. */
static void tell_status(struct device *d, struct device_session *s,
                        struct gb_time now)
{
    bool outside = d->c.faults.own_status;
    const struct manscdp_media_status m = {
        .head = { .sn = ++d->sn,
                  .device_id = slice_str(
                      outside ? d->c.id : d->c.channel[s->channel].id) },
        .type = SLICE(MANSCDP_MEDIA_ENDED),
    };
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    struct sip_request r;
    uint64_t id;

    device_encode(d, &w, &manscdp_media_status_body, &m);
    if (outside) {
        device_send(d, &w, FOR_OTHER, now);
        return;
    }
    if (w.err)
        return;
    r = (struct sip_request){ .method = SIP_METHOD_MESSAGE,
                              .expires = -1,
                              .content_type = SLICE(SIP_TYPE_MANSCDP),
                              .body = writer_slice(&w),
                              .user = device_user(d, FOR_OTHER) };
    sip_stack_request_in(d->c.sip, s->dialog, &r, now.mono_ms, &id);
}

void device_media_over(struct device *d, uint32_t session, uint32_t life,
                       struct gb_time now)
{
    struct device_session *s = by_life(d, session, life);

    if (!s || s->state != SESSION_SENDING || s->ended)
        return;
    s->ended = true;
    if (d->c.faults.bye_at_end) {
        session_bye(d, s, now);
        return;
    }
    if (!d->c.faults.no_status)
        tell_status(d, s, now);
    s->at_ms = now.mono_ms + DEVICE_OVER_MS;
}

void device_media_lost(struct device *d, uint32_t session, uint32_t life,
                       struct gb_time now)
{
    struct device_session *s;

    if (session == DEVICE_VOICE) {
        device_voice_lost(d, life, now);
        return;
    }
    s = by_life(d, session, life);
    if (s)
        session_bye(d, s, now);
}

void device_end_sessions(struct device *d, struct gb_time now)
{
    device_voice_end(d, now);
    for (uint32_t i = 0; i < to_see(d); i++)
        if (d->session[i].state != SESSION_FREE)
            session_bye(d, &d->session[i], now);
}

void device_tick_sessions(struct device *d, struct gb_time now)
{
    for (uint32_t i = 0; i < to_see(d); i++) {
        struct device_session *s = &d->session[i];

        if (s->state == SESSION_FREE || now.mono_ms < s->at_ms)
            continue;
        if (s->state == SESSION_OPENING) {
            device_respond(d, s->transaction, 500, now);
            session_free(d, s);
        } else {
            session_bye(d, s, now); /* no ACK came, nobody ends what is over,
                                       or the fault asks for it */
        }
    }
}

uint64_t device_sessions_deadline(const struct device *d)
{
    uint64_t at = GB_NEVER;

    for (uint32_t i = 0; i < to_see(d); i++)
        if (d->session[i].state != SESSION_FREE && d->session[i].at_ms < at)
            at = d->session[i].at_ms;
    return at;
}
